"""The design of an experiment: everything that is decided before the first unit is exposed."""

from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from workbench.abtest.metrics import Metric, RatioMetric, Role
from workbench.documents import parse_model, read_document
from workbench.errors import SpecError
from workbench.stats import Adjustment, Spending

__all__ = [
    "STRATEGIES",
    "AlwaysValid",
    "Cluster",
    "Design",
    "FixedHorizon",
    "GroupSequential",
    "Holdout",
    "Namespace",
    "Switchback",
    "read_design",
]

STRATEGIES = ("empathetic", "analytical", "assertive", "consultative", "relationship")
"""The coaching strategies that are compared unless a design names other arms."""

_NAME = r"^[A-Za-z0-9][A-Za-z0-9 _.-]*$"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Cluster(_Strict):
    """Units that hang together.

    Attributes
    ----------
    column
        Column that names the cluster of each unit: its agent, its brokerage, its job ad.
    randomised
        Whether whole clusters are assigned. If not, units are, and the analysis still allows
        for what units of a cluster share.
    icc, mean_size, cv_size
        For the plan: intraclass correlation, mean number of units, and the standard deviation
        of the sizes over their mean.
    """

    column: str
    randomised: bool = True
    icc: float | None = Field(default=None, ge=0, le=1)
    mean_size: float | None = Field(default=None, ge=1)
    cv_size: float = Field(default=0.0, ge=0)


class Namespace(_Strict):
    """Part of a namespace; experiments with parts that do not overlap exclude each other."""

    name: str = Field(min_length=1)
    start: float = Field(default=0.0, ge=0, le=1)
    end: float = Field(default=1.0, ge=0, le=1)

    @model_validator(mode="after")
    def _is_a_part(self) -> "Namespace":
        if self.start >= self.end:
            raise ValueError(f"the namespace starts at {self.start} and ends at {self.end}")
        return self


class Holdout(_Strict):
    """Units that no experiment of the same holdout touches."""

    name: str = Field(min_length=1)
    share: float = Field(gt=0, lt=1)


class Switchback(_Strict):
    """Everybody of a cluster gets the same arm for a block of time, then a new draw.

    Attributes
    ----------
    start
        When the first block begins.
    block_h
        Length of a block, in hours.
    washout_h
        First hours of each block that are not counted, so that the last block's arm wears off.
    """

    start: AwareDatetime
    block_h: float = Field(gt=0)
    washout_h: float = Field(default=0.0, ge=0)

    @model_validator(mode="after")
    def _leaves_something(self) -> "Switchback":
        if self.washout_h >= self.block_h:
            raise ValueError(f"the washout of {self.washout_h} h leaves nothing of a block")
        return self


class FixedHorizon(_Strict):
    """One look, at the end."""

    kind: Literal["fixed"] = "fixed"


class AlwaysValid(_Strict):
    """Any number of looks: confidence sequences.

    Attributes
    ----------
    n_opt
        Units in two compared arms together at which the sequence is tightest; from the planned
        units when omitted.
    """

    kind: Literal["always_valid"]
    n_opt: int | None = Field(default=None, gt=0)


class GroupSequential(_Strict):
    """A few planned looks whose error rates add up to alpha.

    Attributes
    ----------
    looks
        How many, equally spaced in the plan; the analysis uses the shares really reached.
    spending, parameter
        How alpha is spent.
    """

    kind: Literal["group_sequential"]
    looks: int = Field(ge=2, le=50)
    spending: Spending = "obrien-fleming"
    parameter: float | None = None


class Design(_Strict):
    """What is compared, how units get their arm, what is measured, and what decides.

    Attributes
    ----------
    name, description, salt
        Salt of the hash; the name when omitted. Two experiments with one salt assign alike.
    unit
        What is exposed and counted.
    unit_column
        Column that identifies the unit in tables; when given, duplicates are refused.
    cluster, strata, switchback, namespace, holdout, coverage
        How units get their arm; `coverage` is the share of units that takes part.
    arms, control
        Configured weight of each arm, and the one the others are compared with: the first
        when omitted.
    metrics
        By name; at least one is primary.
    covariates, adjustment
        Columns known before exposure, and how they are used: one slope for all arms ("cuped"),
        one for each ("lin"), comparison within the strata ("post_stratified": means, counts and
        proportions), or not at all.
    segments
        Columns known before exposure in which effects may differ.
    alpha, power, multiplicity
        Error rates, and the correction over all primary metrics × treatments.
    sequential
        How often one may look.
    planned_units
        Units in all arms together at which the experiment ends.
    window_days
        An outcome counts from the exposure until so many days later; for ever when omitted.
    mature_only
        Leave out units whose window is not over yet.
    start, end
        When exposures count.
    """

    name: str = Field(pattern=_NAME)
    description: str = ""
    salt: str = ""
    unit: Literal["lead", "agent", "brokerage", "session"] = "lead"
    unit_column: str | None = None
    cluster: Cluster | None = None
    strata: tuple[str, ...] = ()
    switchback: Switchback | None = None
    namespace: Namespace | None = None
    holdout: Holdout | None = None
    coverage: float = Field(default=1.0, gt=0, le=1)
    arms: dict[str, Annotated[float, Field(gt=0)]] = Field(
        default_factory=lambda: dict.fromkeys(STRATEGIES, 1.0), min_length=2
    )
    control: str = ""
    metrics: dict[str, Metric] = Field(min_length=1)
    covariates: tuple[str, ...] = ()
    adjustment: Literal["cuped", "lin", "post_stratified", "none"] = "cuped"
    segments: tuple[str, ...] = ()
    alpha: float = Field(default=0.05, gt=0, lt=0.5)
    power: float = Field(default=0.8, gt=0, lt=1)
    multiplicity: Adjustment | Literal["none"] = "holm"
    sequential: Annotated[
        FixedHorizon | AlwaysValid | GroupSequential, Field(discriminator="kind")
    ] = FixedHorizon()
    planned_units: int | None = Field(default=None, gt=0)
    window_days: float | None = Field(default=None, gt=0)
    mature_only: bool = False
    start: AwareDatetime | None = None
    end: AwareDatetime | None = None

    @model_validator(mode="before")
    @classmethod
    def _fill_in(cls, data: Any) -> Any:
        if isinstance(data, dict) and not data.get("salt") and "name" in data:
            data = {**data, "salt": data["name"]}
        if isinstance(data, dict) and not data.get("control"):
            arms = data.get("arms") or dict.fromkeys(STRATEGIES)
            data = {**data, "control": next(iter(arms), "") if isinstance(arms, dict) else ""}
        return data

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> "Design":
        if self.control not in self.arms:
            raise ValueError(
                f"control is {self.control!r}, which is no arm: {', '.join(self.arms)}"
            )
        if not any(m.role == "primary" for m in self.metrics.values()):
            raise ValueError("no metric is primary: say which one decides with 'role: primary'")
        if self.start and self.end and self.start >= self.end:
            raise ValueError(f"the experiment starts at {self.start} and ends at {self.end}")
        if self.switchback and not (self.cluster and self.cluster.randomised):
            raise ValueError("a switchback assigns clusters × blocks: name a randomised cluster")
        if self.adjustment == "post_stratified" and (not self.strata or self.cluster):
            raise ValueError("post-stratification needs strata, and units without clusters")
        if self.mature_only and self.window_days is None:
            raise ValueError("mature_only needs window_days")
        if isinstance(self.sequential, GroupSequential) and self.planned_units is None:
            raise ValueError("group-sequential looks need planned_units")
        if isinstance(self.sequential, AlwaysValid) and not (
            self.sequential.n_opt or self.planned_units
        ):
            raise ValueError("always-valid looks need n_opt or planned_units")
        return self

    @property
    def shares(self) -> MappingProxyType[str, float]:
        """Configured share of each arm, adding up to 1."""
        total = sum(self.arms.values())
        return MappingProxyType({arm: weight / total for arm, weight in self.arms.items()})

    @property
    def treatments(self) -> tuple[str, ...]:
        """The arms that are compared with the control."""
        return tuple(arm for arm in self.arms if arm != self.control)

    def metrics_of(self, role: Role) -> tuple[str, ...]:
        """Names of the metrics with a role."""
        return tuple(name for name, metric in self.metrics.items() if metric.role == role)

    def covariates_of(self, name: str) -> tuple[str, ...]:
        """Covariate columns of a metric: pairs of numerator and denominator for a ratio."""
        metric = self.metrics[name]
        plain = self.adjustment in ("none", "post_stratified")
        if plain or metric.kind in ("quantile", "time_to_event"):
            return ()
        if isinstance(metric, RatioMetric):
            if metric.covariate_numerator is None or metric.covariate_denominator is None:
                return ()
            return metric.covariate_numerator, metric.covariate_denominator
        return self.covariates if metric.covariates is None else metric.covariates

    @property
    def post_strata(self) -> tuple[str, ...]:
        """Columns whose combinations are compared within; empty without post-stratification."""
        return self.strata if self.adjustment == "post_stratified" else ()

    def n_comparisons(self, role: Role) -> int:
        """Metrics of a role times treatments: the family that is corrected together."""
        return max(1, len(self.metrics_of(role)) * len(self.treatments))


def read_design(path: Path | str) -> Design:
    """Read a design from a YAML file.

    Parameters
    ----------
    path
        The file. Unknown keys are errors.

    Raises
    ------
    SpecError
        If it is missing, no YAML, or does not describe a design; names line and key.
    """
    document = read_document(Path(path), SpecError)
    return parse_model(document, Design, SpecError)
