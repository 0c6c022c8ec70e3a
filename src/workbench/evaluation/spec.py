"""A run spec: one YAML file that says what to evaluate and what decides.

Unknown keys are errors. Relative paths are relative to the spec.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from workbench.data import Split
from workbench.documents import parse_model, read_document
from workbench.errors import SpecError, WorkbenchError
from workbench.evaluation.gate import Gate, GateRule
from workbench.evaluation.scores import resamples_needed
from workbench.predictors import CascadePolicy
from workbench.tasks import Task, load_task

__all__ = [
    "ARM_NAME",
    "COMPOSITES",
    "ArmSpec",
    "CascadeArm",
    "FallbackArm",
    "GateSpec",
    "RunSpec",
    "StopSpec",
    "read_spec",
]

# Names become columns, labels of plots and keys in MLflow.
ARM_NAME = r"[A-Za-z0-9][A-Za-z0-9 _.-]*"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class DatasetSpec(_Strict):
    """Which data, and how much of it."""

    name: str
    n_rows: int | None = Field(default=None, gt=0)
    random_state: int = 0
    allow_leaks: tuple[str, ...] = ()


class SplitSpec(_Strict):
    """How the data is cut."""

    kind: Literal["random", "time", "group"] = "random"
    test_fraction: float = Field(default=0.3, gt=0, lt=1)
    random_state: int = 42

    def split(self) -> Split:
        """The split itself."""
        return Split(self.kind, self.test_fraction, self.random_state)


class ModelArm(_Strict):
    """A model of the workbench on this machine."""

    kind: Literal["prior", "logistic", "boosted", "additive", "ensemble"]
    parameters: dict[str, int | float | str | bool | None] = {}


class ClaudeArm(_Strict):
    """Claude with one prompt variant."""

    kind: Literal["claude"]
    prompt: str
    model: str | None = None
    parameters: dict[str, int | float | str | bool | None] = {}


class SignalledArm(_Strict):
    """A model of the workbench that also reads Claude's signals of each text."""

    kind: Literal["signalled"]
    estimator: Literal["logistic", "boosted", "additive", "ensemble"] = "boosted"
    prompt: str = "direct"
    model: str | None = None
    parameters: dict[str, int | float | str | bool | None] = {}


class StackedArm(_Strict):
    """A stack of other arms."""

    kind: Literal["stacked"]
    members: tuple[str, ...] = Field(min_length=2)
    parameters: dict[str, int | float | str | bool | None] = {}


class BlendedArm(_Strict):
    """A weighted mean of other arms, in log-odds."""

    kind: Literal["blended"]
    members: tuple[str, ...] = Field(min_length=2)
    parameters: dict[str, int | float | str | bool | None] = {}


class CalibratedArm(_Strict):
    """Another arm, calibrated out of fold."""

    kind: Literal["calibrated"]
    members: tuple[str, ...] = Field(min_length=1, max_length=1)
    parameters: dict[str, int | float | str | bool | None] = {}


class CascadeArm(_Strict):
    """Other arms in order, the last one asked only where the policy says so.

    Attributes
    ----------
    members
        The first stage, and the last member.
    policy
        When the last member is asked.
    metric, margin
        By what, and by how much, the report's cascade may fall behind its last member and count
        as equally good.
    parameters
        Of `CascadeClassifier`.
    """

    kind: Literal["cascade"]
    members: tuple[str, ...] = Field(min_length=2, max_length=3)
    policy: CascadePolicy
    metric: Literal["accuracy", "brier", "log_loss"] = "accuracy"
    margin: float = Field(default=0.01, gt=0)
    parameters: dict[str, int | float | str | bool | None] = {}


class FallbackArm(_Strict):
    """Other arms in order, each standing in where those before it failed.

    With such an arm in a spec, an outage gives every arm that asks Claude answers with errors
    instead of ending the run.
    """

    kind: Literal["fallback"]
    members: tuple[str, ...] = Field(min_length=2)
    parameters: dict[str, int | float | str | bool | None] = {}


class OwnArm(_Strict):
    """Your own scikit-learn estimator: `factory` names a function that makes it."""

    kind: Literal["own"]
    factory: str = Field(pattern=r"^[\w.]+:\w+$")
    parameters: dict[str, int | float | str | bool | None] = {}


ArmSpec = Annotated[
    ModelArm
    | ClaudeArm
    | SignalledArm
    | StackedArm
    | BlendedArm
    | CalibratedArm
    | CascadeArm
    | FallbackArm
    | OwnArm,
    Field(discriminator="kind"),
]
# What each kind made of other arms may be made of: nothing of its own kind or a later one.
COMPOSITES = (StackedArm, BlendedArm, CalibratedArm, CascadeArm, FallbackArm)
_VERBS = {
    "stacked": "stacks",
    "blended": "blends",
    "calibrated": "calibrates",
    "cascade": "cascades",
    "fallback": "falls back on",
}


class GateSpec(_Strict):
    """One rule of the gate."""

    metric: str
    at_least: float | None = None
    at_most: float | None = None
    difference: bool = False

    def rule(self) -> GateRule:
        """The rule itself; SpecError when it has no bound or two."""
        return GateRule(self.metric, self.at_least, self.at_most, self.difference)


class BesideSpec(_Strict):
    """A second split, reported beside the first; an arm worse there is not promoted."""

    split: SplitSpec
    arms: tuple[str, ...] = Field(min_length=1)


class StopSpec(_Strict):
    """When to stop asking: as soon as an anytime-valid test decides every arm.

    Attributes
    ----------
    when
        "decided".
    metric
        What decides: accuracy, brier or log_loss.
    minimum_effect
        Smallest gain over the baseline worth finding, in the unit of the metric.
    bound
        Gain to exceed.
    batch_size
        Examples asked about between two looks.
    """

    when: Literal["decided"] = "decided"
    metric: Literal["accuracy", "brier", "log_loss"] = "brier"
    minimum_effect: float = Field(gt=0)
    bound: float = 0.0
    batch_size: int = Field(default=50, ge=1)


class RunSpec(_Strict):
    """What to evaluate and what decides.

    Attributes
    ----------
    name
        Identifier of the run in MLflow and in `mlruns/`.
    task, dataset, split
        What is asked, on what, and how the data is cut.
    model
        The model that Claude arms ask unless they name another.
    arms, baseline
        The arms by name, and the one the others are compared with; the task's own when
        omitted.
    gates, primary_metric
        What decides, and which of several passing arms is the best.
    n_repeats, n_resamples, confidence_level, latency_sample, random_state
        Of the evaluation.
    budget_usd
        Most that may be spent on answers; calls in flight cannot overrun it.
    concurrency
        Calls in flight.
    beside
        Further splits to report.
    stop
        When to stop asking before the test part is used up; the splits beside are asked whole.
    notebook
        The report's template, relative to the project.
    """

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]*$")
    description: str = ""
    task: str
    dataset: DatasetSpec
    split: SplitSpec = SplitSpec()
    model: str = "claude-haiku-5-5"
    arms: dict[str, ArmSpec] = Field(min_length=2)
    baseline: str
    gates: tuple[GateSpec, ...] = Field(min_length=1)
    primary_metric: str = "roc_auc"
    n_repeats: int = Field(default=1, ge=1, le=100)
    n_resamples: int = Field(default=1000, ge=100, le=100_000)
    confidence_level: float = Field(default=0.95, ge=0.5, lt=1)
    latency_sample: int = Field(default=1000, ge=1)
    random_state: int = 0
    budget_usd: float | None = Field(default=None, gt=0)
    concurrency: int = Field(default=16, ge=1, le=1000)
    beside: tuple[BesideSpec, ...] = ()
    stop: StopSpec | None = None
    notebook: str = "notebooks/evaluation_report.ipynb"

    @model_validator(mode="after")
    def _named(self) -> "RunSpec":
        for name in self.arms:
            if not re.fullmatch(ARM_NAME, name):
                raise ValueError(
                    f"arm {name!r} needs a name of letters, digits, spaces and any of _ . - only"
                )
        return self

    @model_validator(mode="after")
    def _agree(self) -> "RunSpec":
        if self.baseline not in self.arms:
            raise ValueError(f"baseline names {self.baseline!r}, which is not under arms")
        needed = resamples_needed(len(self.arms), self.confidence_level)
        if self.n_resamples < needed:
            raise ValueError(
                f"n_resamples is {self.n_resamples}, but intervals of {len(self.arms)} arms at "
                f"confidence_level {self.confidence_level} need {needed}"
            )
        for place in self.beside:
            for name in place.arms:
                if name not in self.arms:
                    raise ValueError(f"beside names {name!r}, which is not under arms")
            if self.baseline not in place.arms:
                raise ValueError(f"beside leaves out the baseline {self.baseline!r}")
        return self

    @model_validator(mode="after")
    def _made_of(self) -> "RunSpec":
        for name, arm in self.arms.items():
            if not isinstance(arm, COMPOSITES):
                continue
            verb, rank = _VERBS[arm.kind], COMPOSITES.index(type(arm))
            for member in arm.members:
                if member not in self.arms:
                    raise ValueError(f"arm {name!r} {verb} {member!r}, which is not under arms")
                if isinstance(self.arms[member], COMPOSITES[rank:]):
                    kind = self.arms[member].kind
                    raise ValueError(
                        f"arm {name!r} {verb} {member!r}, which is a {kind} arm itself"
                    )
            if isinstance(arm, CascadeArm) and len(arm.members) != arm.policy.n_members:
                raise ValueError(
                    f"arm {name!r} has {len(arm.members)} members, but a cascade by "
                    f"{arm.policy.kind} needs {arm.policy.n_members} here"
                )
        return self

    def gate(self) -> Gate:
        """The rules as a gate.

        Raises
        ------
        SpecError
            When a rule has no bound or two.
        EvaluationError
            When there is no such metric.
        """
        return Gate(tuple(gate.rule() for gate in self.gates), self.primary_metric)


def read_spec(path: Path) -> RunSpec:
    """Read a run spec.

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
    spec: RunSpec = parse_model(document, RunSpec, SpecError)
    try:
        spec.gate()
    except WorkbenchError as error:
        raise SpecError(
            error.what, where=f"{path}, what decides", expected=error.expected, fix=error.fix
        ) from None
    return spec


def _defaults(task: object, given: Mapping[str, Any]) -> dict[str, Any]:
    chosen: Task = load_task(str(task))
    return {k: v for k, v in chosen.default_arms.items() if k not in given}
