"""Log a run to MLflow: what product reads before it promotes anything."""

import logging
import math
import re
import shutil
import tempfile
import warnings
from pathlib import Path
from typing import Any

import pandas as pd

from workbench.evaluation import ArmInfo, Caveat, Evaluation, caveats
from workbench.evaluation.gate import Judged
from workbench.evaluation.readings.caveats import reading_caveats
from workbench.evaluation.readings.records import TRUTH, VALUE
from workbench.evaluation.readings.session import ReadingResult
from workbench.evaluation.session import SpecResult
from workbench.scorers import metric
from workbench.settings import Settings
from workbench.tasks import Task, load_task
from workbench.tracking.store import connect, use_experiment

__all__ = ["log_result"]

# What product needs to know of MLflow's screens, where it will look for it.
_NOTE = (
    "Evaluations of {}. A run's note is its verdict; its artifact 00-report.html is the "
    "report. Child runs are the arms: add the columns of the first metric (roc_auc, or that of "
    "a field), latency_p95_s and cost_per_1000_usd to compare them. Arms called sim: were "
    "answered by a simulated reader; none of their figures is Claude's."
)


def log_result(result: SpecResult | ReadingResult, report: Path, *, settings: Settings) -> str:
    """Log a spec's result: a parent run with verdict and report, a child run an arm.

    Parameters
    ----------
    result
        What the spec came to.
    report
        The page, logged as an artifact that MLflow shows inline.
    settings
        Where things are.

    Returns
    -------
    str
        Identifier of the parent run.
    """
    mlflow = connect(settings)
    # MLflow logs migrations and prompt look-ups as if they were news; its import sets levels.
    logging.getLogger("alembic").setLevel(logging.WARNING)
    logging.getLogger("mlflow").setLevel(logging.ERROR)
    evaluation, spec = result.evaluation, result.spec
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        use_experiment(mlflow, spec.task, settings, note=_NOTE.format(spec.task))
        prompts = _register_prompts(mlflow, load_task(spec.task), evaluation)
        dataset = _dataset(mlflow, evaluation)
        with mlflow.start_run(run_name=spec.name) as parent:
            mlflow.log_params(_plain(spec.model_dump(mode="json")))
            mlflow.set_tags(_run_tags(result))
            mlflow.log_input(dataset, context="test")
            _log_artifacts(mlflow, evaluation, report)
            for arm in evaluation.arms:
                with mlflow.start_run(run_name=f"{spec.name}/{arm.label}", nested=True):
                    _log_arm(mlflow, result, arm, prompts)
                    if arm.name in prompts:
                        mlflow.MlflowClient().link_prompt_version_to_run(
                            mlflow.active_run().info.run_id, f"prompts:/{prompts[arm.name]}"
                        )
                    mlflow.log_input(dataset, context="test")
            return str(parent.info.run_id)


def _log_artifacts(mlflow: Any, evaluation: Judged, report: Path) -> None:
    for name in ("verdict.json", "evaluation.json", "spec.json"):
        mlflow.log_artifact(str(report.parent / name))
    with tempfile.TemporaryDirectory() as folder:
        # MLflow shows HTML inline; the name keeps it first in the list.
        shown = Path(folder) / "00-report.html"
        shutil.copyfile(report, shown)
        # Answers quote what leads wrote; figures need the numbers only.
        records = Path(folder) / "records.parquet"
        _figures_of(evaluation).to_parquet(records, index=False)
        for path in (shown, records):
            mlflow.log_artifact(str(path))


def _figures_of(evaluation: Judged) -> pd.DataFrame:
    """Records without what quotes a text: answers, evidence, slots and generated texts."""
    records = evaluation.records
    quoting = [c for c in records.columns if c in ("answer", "evidence")]
    if not isinstance(evaluation, Evaluation):
        for asked in evaluation.fields:
            if asked.kind in ("slots", "text"):
                quoting += [f"{TRUTH}{asked.name}", f"{VALUE}{asked.name}"]
    return records.drop(columns=quoting)


def _dataset(mlflow: Any, evaluation: Judged) -> Any:
    info = evaluation.info
    first = evaluation.records[evaluation.records["arm"] == evaluation.arm_names[0]]
    # What is true of a text may quote it (slots do): of readings, identifiers alone.
    labelled = "y" in first
    # Identifiers and labels only: what leads said or own stays out of the tracking store.
    return mlflow.data.from_pandas(
        first[["example_id", "y"] if labelled else ["example_id"]],
        source=f"{info.dataset}@{info.dataset_version}",
        name=info.dataset,
        targets="y" if labelled else None,
        digest=info.dataset_digest[:32],
    )


def _register_prompts(
    mlflow: Any,
    task: Task,
    evaluation: Judged,
) -> dict[str, str]:
    """Register the prompts used; an unchanged prompt gets no new version."""
    registered: dict[str, str] = {}
    for arm in evaluation.arms:
        if arm.prompt is None or arm.prompt not in task.prompts:
            continue
        prompt = task.prompts[arm.prompt]
        if prompt.digest != arm.prompt_digest:
            continue
        name = f"{task.name}-{prompt.name}"
        latest = mlflow.genai.load_prompt(f"prompts:/{name}@latest", allow_missing=True)
        if latest is None or latest.tags.get("digest") != prompt.digest:
            latest = mlflow.genai.register_prompt(
                name=name,
                template=[
                    {"role": "system", "content": prompt.system},
                    {"role": "user", "content": prompt.user},
                ],
                commit_message=prompt.title,
                tags={"digest": prompt.digest, "strategy": prompt.strategy},
            )
        registered[arm.name] = f"{name}/{latest.version}"
    return registered


def _log_arm(
    mlflow: Any,
    result: SpecResult | ReadingResult,
    arm: ArmInfo,
    prompts: dict[str, str],
) -> None:
    evaluation = result.evaluation
    values: dict[str, float] = {"fit_s": arm.fit_s, "fit_cost_usd": arm.fit_cost_usd}
    for (of, name), found in evaluation.measurements.items():
        if of != arm.name or (arm.simulated and metric(name).unit == "s"):
            continue  # the stand-in's time would be read as Claude's
        values |= {
            name: found.estimate,
            f"{name}_ci_lower": found.ci_lower,
            f"{name}_ci_upper": found.ci_upper,
            f"{name}_n": float(found.n),
        }
    if isinstance(evaluation, Evaluation):
        values["majority_accuracy"] = evaluation.majority_accuracy
    primary = _primary(result)
    if arm.name != evaluation.info.baseline:
        difference = evaluation.compare(primary)[arm.name].difference
        values |= {
            f"{primary}_difference": difference.difference,
            f"{primary}_difference_ci_lower": difference.ci_lower,
            f"{primary}_difference_ci_upper": difference.ci_upper,
        }
    mlflow.log_metrics({k: v for k, v in values.items() if math.isfinite(v)})
    mlflow.log_params(_plain({"arm": arm.name, "kind": arm.kind, **arm.parameters}))
    verdict = result.verdict.word(arm.name)
    mlflow.set_tags(
        {
            **_common_tags(evaluation),
            "arm": arm.name,
            "kind": arm.kind,
            "origin": arm.origin or "model",
            "model": arm.model,
            "strategy": arm.strategy or "none",
            "prompt_digest": arm.prompt_digest or "none",
            "prompt_version": prompts.get(arm.name, "none"),
            "verdict": verdict,
            "mlflow.note.content": f"{_escaped(arm.description)}. Verdict: {verdict}.",
        }
    )


def _common_tags(evaluation: Judged) -> dict[str, str]:
    info = evaluation.info
    return {
        "task": info.task,
        "task_version": str(info.task_version),
        "dataset": info.dataset,
        "dataset_digest": info.dataset_digest,
        "dataset_kind": info.dataset_kind,
        "git_revision": info.git_revision,
    }


def _primary(result: SpecResult | ReadingResult) -> str:
    """Metric the arms are ranked by."""
    if isinstance(result, ReadingResult):
        return result.evaluation.info.metrics[0]
    return result.spec.primary_metric


def _known(evaluation: Judged) -> list[Caveat]:
    if isinstance(evaluation, Evaluation):
        return caveats(evaluation)
    return reading_caveats(evaluation)


def _run_tags(result: SpecResult | ReadingResult) -> dict[str, str]:
    evaluation, verdict = result.evaluation, result.verdict
    origins = sorted({a.origin for a in evaluation.arms if a.origin})
    if isinstance(evaluation, Evaluation):
        shown = ["roc_auc", "log_loss", "accuracy"]
        share = metric("accuracy").format(evaluation.majority_accuracy)
        last = f"Majority class {share} accuracy. "
    else:
        shown, last = list(evaluation.info.metrics[:3]), ""
    shown += ["latency_p95_s", "cost_per_1000_usd"]
    known = "".join(f"- {c.text}\n" for c in _known(evaluation) if c.severity != "note")
    sentences = evaluation.compare(_primary(result)).to_markdown()
    note = (
        f"## {verdict.decision}: {_escaped(verdict.headline)}\n\n"
        f"{evaluation.to_markdown(shown)}\n\n{sentences}\n\n{known}\n"
        f"{last}The full report is the artifact `00-report.html`."
    )
    return {
        **_common_tags(evaluation),
        "origin": ", ".join(origins) or "model",
        "verdict": str(verdict.decision),
        "promoted": verdict.promoted or "none",
        "baseline": verdict.baseline,
        "mlflow.note.content": note,
    }


def _escaped(text: str) -> str:
    """Text that Markdown shows as it is: names of arms are full of underscores."""
    return re.sub(r"([\\`*_{}\[\]<>#|~])", r"\\\1", text)


def _plain(values: dict[str, Any], prefix: str = "") -> dict[str, str]:
    """Flatten nested values to MLflow's params: text of at most 500 characters."""
    flat: dict[str, str] = {}
    for key, value in values.items():
        if isinstance(value, dict) and value:
            flat |= _plain(value, f"{prefix}{key}.")
        elif value not in (None, {}, [], ()):
            flat[f"{prefix}{key}"] = str(value)[:500]
    return flat
