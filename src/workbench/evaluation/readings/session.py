"""From a spec for readers to a verdict: what `workbench run` does inside the report's notebook."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from workbench.claude import ClaudeClient
from workbench.data import Corpus
from workbench.documents import to_json
from workbench.errors import SpecError
from workbench.evaluation.arms import call_factory, find_factory
from workbench.evaluation.client import spec_client
from workbench.evaluation.gate import Verdict
from workbench.evaluation.pricing import SpecPrice, say
from workbench.evaluation.readings.evaluation import ReadingEvaluation
from workbench.evaluation.readings.run import evaluate_readings
from workbench.evaluation.readings.spec import (
    BlendedReaderArm,
    ClaudeReaderArm,
    ReaderArmSpec,
    ReadingSpec,
    gate_of,
    read_reading_spec,
)
from workbench.predictors.readers import BlendedReader
from workbench.settings import Settings
from workbench.tasks import Task, load_corpus, task_for

__all__ = ["ReadingResult", "build_readers", "evaluate_reading_spec", "price_reading_spec"]


@dataclass(frozen=True, slots=True)
class ReadingResult:
    """What a spec for readers came to.

    Parameters
    ----------
    spec
        The spec.
    evaluation
        The evaluation the gate judged.
    verdict
        What the gate says.
    """

    spec: ReadingSpec
    evaluation: ReadingEvaluation
    verdict: Verdict

    def save(self, folder: Path) -> None:
        """Write records, evaluation and verdict into `folder`."""
        self.evaluation.save(folder)
        (folder / "verdict.json").write_text(to_json(self.verdict.to_dict()), encoding="utf-8")
        (folder / "spec.json").write_text(self.spec.model_dump_json(indent=1), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> "ReadingResult":
        """Read what `save` wrote; the verdict is judged anew from the records.

        Raises
        ------
        EvaluationError
            When the folder does not hold an evaluation of readers.
        """
        evaluation = ReadingEvaluation.load(folder)
        text = (folder / "spec.json").read_text(encoding="utf-8")
        spec = ReadingSpec.model_validate_json(text)
        verdict = gate_of(spec, evaluation.info.metrics).judge(evaluation)
        return cls(spec, evaluation, verdict)


def evaluate_reading_spec(
    path: str | Path,
    *,
    settings: Settings | None = None,
    on_progress: Callable[[str], None] = say,
) -> ReadingResult:
    """Evaluate what a spec for readers names and judge it.

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
        When the spec, the corpus, a prompt or the configuration is wrong, or Claude cannot be
        asked; answers that arrived stay stored.
    """
    path = Path(path)
    settings = settings or Settings.from_env()
    spec = read_reading_spec(path)
    on_progress(f"loading {spec.corpus.name}")
    corpus = _corpus(spec, settings)
    task = task_for(spec.task, corpus)
    with spec_client(spec, settings, on_progress) as client:
        arms = build_readers(spec, task, corpus, client, folder=path.parent)
        if any(isinstance(arm, ClaudeReaderArm) for arm in spec.arms.values()):
            on_progress(f"answers come from: {client.origin.describe()}")
        evaluation = evaluate_readings(
            task,
            arms,
            corpus,
            train=spec.corpus.train,
            test=spec.corpus.test,
            baseline=spec.baseline,
            metrics=_metrics(spec, task),
            n_repeats=spec.n_repeats,
            latency_sample=spec.latency_sample,
            n_resamples=spec.n_resamples,
            confidence_level=spec.confidence_level,
            random_state=spec.random_state,
            on_progress=on_progress,
        )
    on_progress("measuring intervals and judging")
    return ReadingResult(spec, evaluation, gate_of(spec, task.metrics).judge(evaluation))


def _metrics(spec: ReadingSpec, task: Task) -> tuple[str, ...]:
    """The primary metric first, then those named, then whatever the gate judges."""
    judged = [gate.metric for gate in spec.gates if "/" in gate.metric]
    primary = [spec.primary_metric] if spec.primary_metric else []
    return tuple(dict.fromkeys([*primary, *(spec.metrics or task.metrics), *judged]))


def _corpus(spec: ReadingSpec, settings: Settings) -> Corpus:
    chosen = spec.corpus
    return load_corpus(
        chosen.name, settings=settings, n_rows=chosen.n_rows, random_state=chosen.random_state
    )


def build_readers(
    spec: ReadingSpec, task: Task, corpus: Corpus, client: ClaudeClient, *, folder: Path
) -> dict[str, Any]:
    """Make the readers a spec names.

    Parameters
    ----------
    spec
        The spec.
    task, corpus
        What is asked, on what.
    client
        Shared by every arm that asks Claude.
    folder
        Folder of the spec: prompt paths and factories are looked up from here.

    Returns
    -------
    dict of str to reader
        In the spec's order.

    Raises
    ------
    SpecError
        When a reader or parameter is unknown, or a factory cannot be imported.
    PromptError
        When a prompt does not exist or is malformed.
    PriceError
        When a model has no price.
    """
    made: dict[str, Any] = {}
    for name, arm in spec.arms.items():
        if not isinstance(arm, BlendedReaderArm):
            made[name] = _build(name, arm, spec, task, corpus, client, folder)
    for name, arm in spec.arms.items():
        if isinstance(arm, BlendedReaderArm):
            made[name] = _blend(arm, task, made)
    return {name: made[name] for name in spec.arms}


def _blend(arm: BlendedReaderArm, task: Task, made: Mapping[str, Any]) -> BlendedReader:
    members = [(member, made[member]) for member in arm.members]
    return BlendedReader(task.fields, members, weights=arm.weights)


def _build(
    name: str,
    arm: ReaderArmSpec,
    spec: ReadingSpec,
    task: Task,
    corpus: Corpus,
    client: ClaudeClient,
    folder: Path,
) -> Any:
    if isinstance(arm, ClaudeReaderArm):
        taken = sorted({"arm", "model", "shots"} & set(arm.parameters))
        if taken:
            raise SpecError(
                f"{taken} cannot be parameters of a Claude arm",
                where=f"arm {name!r}",
                expected="the arm's name as its key; `model` and `shots` beside `prompt`",
                fix="move them out of `parameters`",
            )
        variant = folder / arm.prompt if arm.prompt.endswith(".md") else arm.prompt
        # A model without a price is told before any arm is fitted.
        client.prices.price(arm.model or spec.model, datetime.now(UTC).date())
        return task.claude(
            variant,
            corpus,
            client=client,
            model=arm.model or spec.model,
            arm=name,
            shots=arm.shots,
            **arm.parameters,
        )
    if arm.kind == "reader":
        return task.reader(arm.reader, **arm.parameters)
    assert not isinstance(arm, BlendedReaderArm)  # noqa: S101 - built from the others
    made = find_factory(name, arm.factory, folder)
    return call_factory(name, made, arm.parameters, task)


def price_reading_spec(path: str | Path, *, settings: Settings | None = None) -> SpecPrice:
    """Estimate what a spec for readers would cost; nothing is asked.

    Parameters
    ----------
    path
        The spec.
    settings
        Where things are; from the environment when omitted.

    Raises
    ------
    WorkbenchError
        When the spec, the corpus, a prompt or the configuration is wrong.
    """
    path = Path(path)
    settings = settings or Settings.from_env()
    spec = read_reading_spec(path)
    corpus = _corpus(spec, settings)
    task = task_for(spec.task, corpus)
    known = [part for part in spec.corpus.train if part in set(corpus.part)]
    learnt, judged = corpus.of(*(known or spec.corpus.train)), corpus.of(*spec.corpus.test)
    groups = None if learnt.groups is None else learnt.groups.to_numpy()
    with spec_client(spec, settings, None) as client:
        arms = build_readers(spec, task, corpus, client, folder=path.parent)
        requests: dict[str, Any] = {}
        for name, arm in spec.arms.items():
            if isinstance(arm, ClaudeReaderArm):
                fitted = arms[name].fit(learnt.X, learnt.y, groups)
                requests[name] = [
                    request
                    for repeat in range(spec.n_repeats)
                    for request in fitted.requests(judged.X, repeat=repeat)
                ]
        return SpecPrice(
            arms={name: client.estimate(wanted) for name, wanted in requests.items()},
            total=client.estimate([r for wanted in requests.values() for r in wanted]),
            origin=str(client.origin),
        )
