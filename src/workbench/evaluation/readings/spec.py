"""A run spec for readers: one YAML file that says what to evaluate and what decides.

Unknown keys are errors. Relative paths are relative to the spec.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from workbench.documents import parse_model, read_document
from workbench.errors import SpecError, WorkbenchError
from workbench.evaluation.gate import Gate
from workbench.evaluation.scores import resamples_needed
from workbench.evaluation.spec import ARM_NAME, GateSpec
from workbench.predictors.readers import ShotChoice
from workbench.tasks import load_task

__all__ = [
    "BlendedReaderArm",
    "ClaudeReaderArm",
    "ReaderArmSpec",
    "ReadingSpec",
    "gate_of",
    "is_reading_spec",
    "read_reading_spec",
]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class CorpusSpec(_Strict):
    """Which texts, how many of them, which parts to learn from and to judge on."""

    name: str
    n_rows: int | None = Field(default=None, gt=0)
    random_state: int = 0
    train: tuple[str, ...] = ("train", "validation")
    test: tuple[str, ...] = ("test",)


class ReaderArm(_Strict):
    """A reader on this machine that the task offers, such as `tfidf`, see `Task.reader`."""

    kind: Literal["reader"]
    reader: str
    parameters: dict[str, int | float | str | bool | None] = {}


class ClaudeReaderArm(_Strict):
    """Claude with one prompt variant."""

    kind: Literal["claude"]
    prompt: str
    model: str | None = None
    shots: ShotChoice = "random"
    parameters: dict[str, int | float | str | bool | None] = {}


class BlendedReaderArm(_Strict):
    """Other arms together: mean probabilities, majority values."""

    kind: Literal["blended"]
    members: tuple[str, ...] = Field(min_length=2)
    weights: tuple[float, ...] | None = None


class OwnReaderArm(_Strict):
    """Your own reader: `factory` names a function that is given the task and makes it."""

    kind: Literal["own"]
    factory: str = Field(pattern=r"^[\w.]+:\w+$")
    parameters: dict[str, int | float | str | bool | None] = {}


ReaderArmSpec = Annotated[
    ReaderArm | ClaudeReaderArm | BlendedReaderArm | OwnReaderArm, Field(discriminator="kind")
]


class ReadingSpec(_Strict):
    """What to evaluate and what decides.

    Attributes
    ----------
    name
        Identifier of the run in MLflow and in `mlruns/`.
    task, corpus
        What is asked, on what.
    model
        The model that Claude arms ask unless they name another.
    arms, baseline
        The arms by name, and the one the others are compared with; the task's own when
        omitted.
    metrics
        ``<field>/<metric>``, the primary one first; the task's own when omitted.
    gates, primary_metric
        What decides, and which of several passing arms is the best; the first of the metrics
        when omitted.
    n_repeats, n_resamples, confidence_level, latency_sample, random_state
        Of the evaluation.
    budget_usd
        Most that may be spent on answers; calls in flight cannot overrun it.
    concurrency
        Calls in flight.
    show_texts
        Whether the report shows texts where arms go wrong, sealed; by default only texts that are
        simulated. Names nobody introduces are not found by the gate.
    notebook
        The report's template, relative to the project.
    """

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]*$")
    description: str = ""
    task: str
    corpus: CorpusSpec
    model: str = "claude-haiku-5-5"
    arms: dict[str, ReaderArmSpec] = Field(min_length=2)
    baseline: str
    metrics: tuple[str, ...] | None = None
    gates: tuple[GateSpec, ...] = Field(min_length=1)
    primary_metric: str | None = None
    n_repeats: int = Field(default=1, ge=1, le=100)
    n_resamples: int = Field(default=1000, ge=100, le=100_000)
    confidence_level: float = Field(default=0.95, ge=0.5, lt=1)
    latency_sample: int = Field(default=200, ge=1)
    random_state: int = 0
    budget_usd: float | None = Field(default=None, gt=0)
    concurrency: int = Field(default=16, ge=1, le=1000)
    show_texts: bool | None = None
    notebook: str = "notebooks/reading_report.ipynb"

    @model_validator(mode="after")
    def _agree(self) -> "ReadingSpec":
        for name in self.arms:
            if not re.fullmatch(ARM_NAME, name):
                raise ValueError(
                    f"arm {name!r} needs a name of letters, digits, spaces and any of _ . - only"
                )
        if self.baseline not in self.arms:
            raise ValueError(f"baseline names {self.baseline!r}, which is not under arms")
        needed = resamples_needed(len(self.arms), self.confidence_level)
        if self.n_resamples < needed:
            raise ValueError(
                f"n_resamples is {self.n_resamples}, but intervals of {len(self.arms)} arms at "
                f"confidence_level {self.confidence_level} need {needed}"
            )
        both = sorted(set(self.corpus.train) & set(self.corpus.test))
        if both:
            raise ValueError(f"corpus: part {both[0]!r} is both learnt from and judged on")
        return self

    @model_validator(mode="after")
    def _made_of(self) -> "ReadingSpec":
        for name, arm in self.arms.items():
            if not isinstance(arm, BlendedReaderArm):
                continue
            for member in arm.members:
                if member not in self.arms:
                    raise ValueError(f"arm {name!r} blends {member!r}, which is not under arms")
                if isinstance(self.arms[member], BlendedReaderArm):
                    raise ValueError(f"arm {name!r} blends {member!r}, which is a blend itself")
            if arm.weights is not None and len(arm.weights) != len(arm.members):
                raise ValueError(
                    f"arm {name!r} has {len(arm.weights)} weights for {len(arm.members)} members"
                )
            if arm.weights is not None and (min(arm.weights) < 0 or sum(arm.weights) <= 0):
                raise ValueError(f"weights of arm {name!r} are 0 or more, and not all 0")
        return self

    @property
    def judged_by(self) -> str | None:
        """The primary metric, where the spec names one, itself or through its metrics."""
        return self.primary_metric or (self.metrics[0] if self.metrics else None)


def is_reading_spec(path: Path) -> bool:
    """Tell whether a spec is for readers: it names a corpus, not a data set.

    Parameters
    ----------
    path
        A YAML file.

    Raises
    ------
    SpecError
        When it cannot be read.
    """
    found = read_document(path, SpecError).data
    return isinstance(found, dict) and "corpus" in found


def read_reading_spec(path: Path) -> ReadingSpec:
    """Read a run spec for readers.

    Parameters
    ----------
    path
        A YAML file.

    Raises
    ------
    SpecError
        When the file is missing or malformed, has an unknown key, or contradicts itself;
        names file, line and key.
    """
    document = read_document(path, SpecError)
    if isinstance(document.data, dict) and "arms" not in document.data:
        document.data.update(_defaults(document.data.get("task"), document.data))
    spec: ReadingSpec = parse_model(document, ReadingSpec, SpecError)
    try:
        gate_of(spec, load_task(spec.task).metrics)
    except WorkbenchError as error:
        raise SpecError(
            error.what, where=f"{path}, what decides", expected=error.expected, fix=error.fix
        ) from None
    return spec


def gate_of(spec: ReadingSpec, metrics: tuple[str, ...]) -> Gate:
    """The rules of a spec as a gate.

    Parameters
    ----------
    spec
        The spec.
    metrics
        The task's, for a spec that names none.

    Raises
    ------
    SpecError
        When a rule has no bound or two.
    EvaluationError
        When there is no such metric.
    """
    primary = spec.judged_by or (metrics[0] if metrics else spec.gates[0].metric)
    return Gate(tuple(gate.rule() for gate in spec.gates), primary)


def _defaults(task: object, given: Mapping[str, Any]) -> dict[str, Any]:
    chosen = load_task(str(task))
    return {k: v for k, v in chosen.default_arms.items() if k not in given}
