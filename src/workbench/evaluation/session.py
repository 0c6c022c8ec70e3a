"""From a spec to a verdict: what `workbench run` does inside the report's notebook."""

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workbench.claude import ClaudeClient, ClaudeRequest
from workbench.data import Dataset, Split
from workbench.documents import to_json
from workbench.errors import SpecError
from workbench.evaluation.arms import build_arms
from workbench.evaluation.client import spec_client
from workbench.evaluation.evaluation import Evaluation
from workbench.evaluation.gate import Verdict
from workbench.evaluation.pricing import SpecPrice, say
from workbench.evaluation.run import evaluate
from workbench.evaluation.spec import ClaudeArm, FallbackArm, RunSpec, read_spec
from workbench.features import text_columns
from workbench.predictors import answering, fit_in_context, planned_requests
from workbench.settings import Settings
from workbench.tasks import load_task, open_catalogue

__all__ = [
    "FittedArm",
    "SpecResult",
    "evaluate_spec",
    "fit_arm",
    "price_spec",
]


@dataclass(frozen=True, slots=True)
class SpecResult:
    """What a spec came to.

    Parameters
    ----------
    spec
        The spec.
    evaluation
        The evaluation the gate judged.
    beside
        Evaluations on further splits; an arm that is worse there is not promoted.
    verdict
        What the gate says.
    """

    spec: RunSpec
    evaluation: Evaluation
    beside: tuple[Evaluation, ...]
    verdict: Verdict

    def save(self, folder: Path) -> None:
        """Write records, evaluation and verdict into `folder`."""
        self.evaluation.save(folder)
        for number, other in enumerate(self.beside, start=1):
            other.save(folder / f"beside-{number}")
        verdict = to_json(self.verdict.to_dict())
        (folder / "verdict.json").write_text(verdict, encoding="utf-8")
        (folder / "spec.json").write_text(self.spec.model_dump_json(indent=1), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> "SpecResult":
        """Read what `save` wrote; the verdict is judged anew from the records.

        Raises
        ------
        EvaluationError
            When the folder does not hold an evaluation.
        """
        evaluation = Evaluation.load(folder)
        spec = RunSpec.model_validate_json((folder / "spec.json").read_text(encoding="utf-8"))
        beside = tuple(Evaluation.load(f) for f in sorted(folder.glob("beside-*")))
        return cls(spec, evaluation, beside, spec.gate().judge(evaluation, beside))


def evaluate_spec(
    path: str | Path,
    *,
    settings: Settings | None = None,
    on_progress: Callable[[str], None] = say,
) -> SpecResult:
    """Evaluate what a spec names and judge it.

    Parameters
    ----------
    path
        The spec.
    settings
        Where things are; from the environment when omitted.
    on_progress
        Told a sentence before each step.

    Raises
    ------
    WorkbenchError
        When the spec, the data, a prompt or the configuration is wrong; nothing that was
        answered before is lost.
    """
    path = Path(path)
    settings = settings or Settings.from_env()
    spec = read_spec(path)
    task = load_task(spec.task)
    dataset = _dataset(spec, settings)
    with _client(spec, settings, on_progress) as client:
        arms = build_arms(spec, task, dataset, client, folder=path.parent)
        if any(isinstance(arm, ClaudeArm) for arm in spec.arms.values()):
            on_progress(f"answers come from: {client.origin.describe()}")

        def run(
            chosen: dict[str, Any], split: Split, latency_sample: int, **stop: Any
        ) -> Evaluation:
            return evaluate(
                task,
                chosen,
                dataset,
                split=split,
                baseline=spec.baseline,
                n_repeats=spec.n_repeats,
                latency_sample=latency_sample,
                n_resamples=spec.n_resamples,
                confidence_level=spec.confidence_level,
                random_state=spec.random_state,
                on_progress=on_progress,
                **stop,
            )

        evaluation = run(arms, spec.split.split(), spec.latency_sample, **_stop(spec))
        beside = tuple(
            # How fast an arm is does not depend on the split: measured once is enough.
            run({name: arms[name] for name in place.arms}, place.split.split(), 0)
            for place in spec.beside
        )
    on_progress("measuring intervals and judging")
    return SpecResult(spec, evaluation, beside, spec.gate().judge(evaluation, beside))


@dataclass(frozen=True, slots=True)
class FittedArm:
    """An arm fitted on every row of its data set.

    Parameters
    ----------
    estimator
        Fitted.
    dataset
        What it was fitted on.
    """

    estimator: Any
    dataset: Dataset


def fit_arm(path: str | Path, arm: str, *, settings: Settings | None = None) -> FittedArm:
    """Fit one arm of a spec on all rows of its data set, test rows included.

    For an arm that has been judged already: its figures are those of the run, not of this fit.

    Parameters
    ----------
    path
        The spec.
    arm
        Name of the arm.
    settings
        Where things are; from the environment when omitted.

    Raises
    ------
    SpecError
        When the spec has no such arm.
    WorkbenchError
        When the spec, the data or the configuration is wrong.
    """
    path = Path(path)
    settings = settings or Settings.from_env()
    spec = read_spec(path)
    if arm not in spec.arms:
        raise SpecError(
            f"the spec has no arm {arm!r}",
            where=str(path),
            expected=f"one of {', '.join(spec.arms)}",
            fix="correct the name",
        )
    dataset = _dataset(spec, settings)
    if getattr(spec.arms[arm], "parameters", {}).get("text") is False:
        # What the arm does not read need not be there when it scores.
        kept = dataset.X.drop(columns=text_columns(dataset.X))
        dataset = dataclasses.replace(dataset, X=kept)
    timed = spec.split.kind == "time" and dataset.as_of is not None
    with _client(spec, settings, None) as client:
        arms = build_arms(spec, load_task(spec.task), dataset, client, folder=path.parent)
        if answering(arms[arm]):
            raise SpecError(
                f"arm {arm!r} asks Claude",
                where=str(path),
                expected="an arm that runs by itself",
                fix="promote a model; nothing was asked",
            )
        fitted = fit_in_context(
            arms[arm],
            dataset.X,
            dataset.y.to_numpy(),
            groups=None if dataset.groups is None else dataset.groups.to_numpy(),
            as_of=dataset.as_of.to_numpy() if timed and dataset.as_of is not None else None,
        )
    return FittedArm(fitted, dataset)


def price_spec(path: str | Path, *, settings: Settings | None = None) -> SpecPrice:
    """Estimate what a spec would cost; nothing is asked.

    The training part of a stack is asked once for each member, out of fold; what a cascade would
    ask is estimated as `planned_requests` says. A run that can stop by itself costs at most this.

    Parameters
    ----------
    path
        The spec.
    settings
        Where things are; from the environment when omitted.

    Raises
    ------
    WorkbenchError
        When the spec, the data, a prompt or the configuration is wrong.
    """
    path = Path(path)
    settings = settings or Settings.from_env()
    spec = read_spec(path)
    task = load_task(spec.task)
    dataset = _dataset(spec, settings)
    positions = spec.split.split().apply(dataset)
    train, test = dataset.take(positions.train), dataset.take(positions.test)
    with _client(spec, settings, None) as client:
        arms = build_arms(spec, task, dataset, client, folder=path.parent)
        requests: dict[str, list[ClaudeRequest]] = {}
        timed = spec.split.kind == "time" and train.as_of is not None
        for name, arm in arms.items():
            wanted = planned_requests(
                arm,
                train.X,
                train.y.to_numpy(),
                test.X,
                groups=None if train.groups is None else train.groups.to_numpy(),
                as_of=train.as_of.to_numpy() if timed and train.as_of is not None else None,
                n_repeats=spec.n_repeats,
            )
            if wanted:
                requests[name] = wanted
        return SpecPrice(
            arms={name: client.estimate(wanted) for name, wanted in requests.items()},
            total=client.estimate([r for wanted in requests.values() for r in wanted]),
            origin=str(client.origin),
        )


def _stop(spec: RunSpec) -> dict[str, Any]:
    if spec.stop is None:
        return {}
    return {
        "stop_when": spec.stop.when,
        "stop_metric": spec.stop.metric,
        "minimum_effect": spec.stop.minimum_effect,
        "stop_bound": spec.stop.bound,
        "batch_size": spec.stop.batch_size,
    }


def _dataset(spec: RunSpec, settings: Settings) -> Dataset:
    chosen = spec.dataset
    return open_catalogue(settings).load(
        chosen.name,
        n_rows=chosen.n_rows,
        random_state=chosen.random_state,
        allow_leaks=chosen.allow_leaks,
    )


def _client(
    spec: RunSpec, settings: Settings, on_progress: Callable[[str], None] | None
) -> ClaudeClient:
    # Where another member can stand in, an outage is an answer with an error.
    stands_in = any(isinstance(arm, FallbackArm) for arm in spec.arms.values())
    return spec_client(spec, settings, on_progress, on_outage="errors" if stands_in else "raise")
