"""Log an experiment to MLflow: what product reads before it rolls anything out."""

import logging
import math
import shutil
import tempfile
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from workbench.abtest.attribution import Attribution
from workbench.abtest.monitor import Monitoring
from workbench.abtest.results import Analysis, ArmEffect
from workbench.abtest.value import Return
from workbench.documents import to_json
from workbench.settings import Settings
from workbench.tracking.store import connect, use_experiment

__all__ = ["log_experiment"]

_GROUP = "abtest"

# What MLflow's screen says of the group.
_NOTE = (
    "Online experiments. A run's note is its decisions; its artifact 00-report.html is the "
    "report. Child runs are the arms; steps of their metrics are looks. Runs tagged "
    "data = simulated are about no real lead."
)


def log_experiment(
    analysis: Analysis,
    *,
    settings: Settings,
    monitoring: Monitoring | None = None,
    report: Path | None = None,
    attribution: Attribution | None = None,
    returns: Sequence[Return] = (),
    simulated: bool = False,
) -> str:
    """Log an analysis: a parent run with the report, a child run an arm with its course.

    Parameters
    ----------
    analysis
        What the experiment came to.
    settings
        Where things are.
    monitoring
        How it got there: each look is a step of the child runs' metrics.
    report
        The page, logged as an artifact that MLflow shows inline.
    attribution
        What touches brought: figures of the strategies' child runs, and a table.
    returns
        What arms return: figures of their child runs.
    simulated
        Whether the leads were simulated; said in the tags of every run.

    Returns
    -------
    str
        Identifier of the parent run.
    """
    mlflow = connect(settings)
    logging.getLogger("alembic").setLevel(logging.WARNING)
    logging.getLogger("mlflow").setLevel(logging.ERROR)
    name = analysis.design.name
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        use_experiment(mlflow, _GROUP, settings, note=_NOTE)
        with mlflow.start_run(run_name=name) as parent:
            mlflow.log_params(_parameters(analysis))
            mlflow.set_tags(_tags(analysis, simulated=simulated))
            mlflow.log_metrics(
                {
                    "n_units": float(sum(analysis.n_units.values())),
                    "sample_ratio_pvalue": analysis.ratio.test.pvalue,
                    "sample_ratio_alarm": float(analysis.ratio.alarm),
                }
            )
            _log_artifacts(mlflow, analysis, monitoring, report, attribution, returns)
            for decision in analysis.decisions:
                with mlflow.start_run(run_name=f"{name}/{decision.arm}", nested=True) as child:
                    mlflow.set_tags(
                        _tags(analysis, simulated=simulated)
                        | {"arm": decision.arm, "decision": decision.decision,
                           "mlflow.note.content": " ".join(decision.reasons)}
                    )  # fmt: skip
                    worth = _worth(decision.arm, attribution, returns)
                    mlflow.log_metrics(_figures(analysis, decision.arm) | worth)
                    if monitoring is not None:
                        _log_course(mlflow, child.info.run_id, monitoring, decision.arm)
            return str(parent.info.run_id)


def _parameters(analysis: Analysis) -> dict[str, str]:
    d = analysis.design
    return {
        "design": d.name,
        "sha256": analysis.sha256,
        "registered": str(analysis.registered),
        "as_of": analysis.as_of.isoformat(),
        "unit": d.unit,
        "cluster": d.cluster.column if d.cluster else "none",
        "arms": ", ".join(f"{arm} {share:.4g}" for arm, share in d.shares.items())[:500],
        "control": d.control,
        "metrics": ", ".join(f"{n} ({m.role})" for n, m in d.metrics.items())[:500],
        "alpha": str(d.alpha),
        "multiplicity": d.multiplicity,
        "sequential": d.sequential.kind,
    }


def _tags(analysis: Analysis, *, simulated: bool) -> dict[str, str]:
    found = "; ".join(f"{d.arm}: {d.decision}" for d in analysis.decisions)
    kind = "simulated" if simulated else "recorded"
    note = f"**{'Simulated leads. ' if simulated else ''}{found}**\n\n{analysis.to_markdown()}"
    return {
        "experiment": analysis.design.name,
        "data": kind,
        "blocked": str(analysis.blocked),
        "decisions": found[:500],
        "mlflow.note.content": note,
    }


def _figures(analysis: Analysis, arm: str) -> dict[str, float]:
    """Figures of one arm, by metric; what is unknown or unbounded is left out."""
    out: dict[str, float] = {}
    for e in analysis.effects:
        if e.arm == arm:
            out |= {f"{_plain_key(e.metric)}_{name}": value for name, value in _values(e).items()}
    return {name: value for name, value in out.items() if math.isfinite(value)}


def _worth(
    arm: str, attribution: Attribution | None, returns: Sequence[Return]
) -> dict[str, float]:
    """What an arm returns, and what touches of its strategy brought."""
    out: dict[str, float] = {}
    for r in returns:
        if r.arm == arm:
            key = _plain_key(r.metric)
            out |= {f"{key}_roi": r.roi, f"{key}_roi_ci_lower": r.ci_lower,
                    f"{key}_roi_ci_upper": r.ci_upper, f"{key}_cost_usd": r.cost_usd}  # fmt: skip
    for c in attribution.credits if attribution else ():
        if c.strategy == arm and c.trusted:
            out |= {"attributed": c.aipw, "attributed_ci_lower": c.ci_lower,
                    "attributed_ci_upper": c.ci_upper, "last_touch": c.last_touch}  # fmt: skip
    return {name: value for name, value in out.items() if math.isfinite(value)}


def _values(e: ArmEffect) -> dict[str, float]:
    return {
        "control": e.effect.control,
        "treatment": e.effect.treatment,
        "difference": e.effect.difference,
        "ci_lower": e.ci_lower,
        "ci_upper": e.ci_upper,
        "pvalue_adjusted": e.pvalue_adjusted,
        "raw_difference": e.raw.difference,
        "lift": e.effect.lift,
    }


def _plain_key(metric: str) -> str:
    # MLflow takes letters, digits and a few marks.
    return "".join(c if c.isalnum() or c in "_-./ " else "_" for c in metric)


def _log_course(mlflow: Any, run_id: str, monitoring: Monitoring, arm: str) -> None:
    from mlflow.entities import Metric

    steps = []
    for row in monitoring.path:
        if row.arm != arm or not math.isfinite(row.ci_upper):
            continue
        stamp, metric = int(row.at.timestamp() * 1000), _plain_key(row.metric)
        for name in ("difference", "ci_lower", "ci_upper", "statistic", "critical"):
            value = float(getattr(row, name))
            if math.isfinite(value):
                steps.append(Metric(f"look/{metric}/{name}", value, stamp, row.look))
    client = mlflow.MlflowClient()
    for first in range(0, len(steps), 1000):  # MLflow's limit for one request
        client.log_batch(run_id, metrics=steps[first : first + 1000])


def _log_artifacts(
    mlflow: Any,
    analysis: Analysis,
    monitoring: Monitoring | None,
    report: Path | None,
    attribution: Attribution | None,
    returns: Sequence[Return],
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "analysis.json").write_text(analysis.to_json(), encoding="utf-8")
        (Path(folder) / "analysis.md").write_text(analysis.to_markdown(), encoding="utf-8")
        if monitoring is not None:
            text = to_json(monitoring.to_dict())
            (Path(folder) / "monitoring.json").write_text(text, encoding="utf-8")
        if attribution is not None:
            frame = attribution.to_frame()
            frame.to_json(Path(folder) / "attribution.json", orient="records")
        if returns:
            text = to_json([r._asdict() | {"value": r.value._asdict()} for r in returns])
            (Path(folder) / "returns.json").write_text(text, encoding="utf-8")
        if report is not None:
            # MLflow shows HTML inline; the name keeps it first in the list.
            shutil.copyfile(report, Path(folder) / "00-report.html")
        mlflow.log_artifacts(folder)
