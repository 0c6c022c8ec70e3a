"""What an experiment measures: metrics as data, each with what its analysis and its plan need."""

from typing import Annotated, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, model_validator

__all__ = [
    "CountMetric",
    "MeanMetric",
    "Metric",
    "ProportionMetric",
    "QuantileMetric",
    "RatioMetric",
    "Role",
    "TimeToEventMetric",
    "Winsorising",
]

Role = Literal["primary", "secondary", "guardrail"]
"""Whether a metric decides, informs, or must not get worse."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Winsorising(_Strict):
    """Caps taken from all arms together.

    Attributes
    ----------
    lower, upper
        Share of the values to cap at each end.
    ignore_zeros
        Take the caps from the values that are not 0, as for revenue.
    """

    lower: float = Field(default=0.0, ge=0, le=0.5)
    upper: float = Field(default=0.0, ge=0, le=0.5)
    ignore_zeros: bool = False

    @model_validator(mode="after")
    def _caps_something(self) -> "Winsorising":
        if self.lower + self.upper == 0:
            raise ValueError("winsorising caps nothing: give 'upper' or 'lower'")
        return self


class _Metric(_Strict):
    """What all metrics share.

    Attributes
    ----------
    column
        Column of a unit table, or name of an outcome in an event store; the metric's own name
        when omitted.
    role
        Primary metrics decide and are corrected together; guardrails must hold.
    higher_is_better
        Direction.
    margin, margin_scale
        Largest loss a guardrail may show, absolute or as a share of the control.
    missing
        What a missing value is: an "error", a "zero", or a unit to "drop" from this metric,
        which is counted and compared between arms.
    covariates
        Columns known before exposure that adjust this metric; the design's when omitted.
    prior_sd
        Standard deviation of the normal prior of the difference, around 0; flat when omitted.
    mde
        Smallest absolute difference worth finding: what the plan is made for.
    r_squared
        Share of the variance that covariates are expected to explain, for the plan.
    usd
        What one unit of the metric is worth, if it is.
    """

    column: str | None = None
    role: Role = "secondary"
    higher_is_better: bool = True
    margin: float | None = Field(default=None, gt=0)
    margin_scale: Literal["absolute", "relative"] = "absolute"
    missing: Literal["error", "zero", "drop"] = "error"
    covariates: tuple[str, ...] | None = None
    prior_sd: float | None = Field(default=None, gt=0)
    mde: float | None = Field(default=None, gt=0)
    r_squared: float = Field(default=0.0, ge=0, lt=1)
    usd: float | None = Field(default=None, gt=0)

    @model_validator(mode="after")
    def _margin_fits_role(self) -> "_Metric":
        if self.role == "guardrail" and self.margin is None:
            raise ValueError("a guardrail needs a margin: the largest loss that is acceptable")
        if self.role != "guardrail" and self.margin is not None:
            raise ValueError(f"a margin belongs to a guardrail; the role is {self.role!r}")
        return self


class ProportionMetric(_Metric):
    """Share of units with 1; from events: share of units with the outcome at least once."""

    kind: Literal["proportion"]
    baseline: float | None = Field(default=None, gt=0, lt=1)


class MeanMetric(_Metric):
    """Mean over units; from events: the sum of the outcome's values of each unit."""

    kind: Literal["mean"]
    winsorise: Winsorising | None = None
    baseline: float | None = None
    sd: float | None = Field(default=None, gt=0)


class CountMetric(_Metric):
    """Mean number of events per unit: whole numbers that are not negative."""

    kind: Literal["count"]
    winsorise: Winsorising | None = None
    baseline: float | None = Field(default=None, ge=0)
    sd: float | None = Field(default=None, gt=0)


class RatioMetric(_Metric):
    """Ratio of two totals, by the delta method; its covariate is the same ratio beforehand.

    Attributes
    ----------
    numerator, denominator
        Columns, or names of outcomes whose values are summed.
    covariate_numerator, covariate_denominator
        The same two before exposure, for CUPED.
    winsorise
        Caps numerator and denominator each on its own.
    """

    kind: Literal["ratio"]
    numerator: str
    denominator: str
    covariate_numerator: str | None = None
    covariate_denominator: str | None = None
    winsorise: Winsorising | None = None
    baseline: float | None = None
    sd: float | None = Field(default=None, gt=0)

    @model_validator(mode="after")
    def _pairs(self) -> "RatioMetric":
        if (self.covariate_numerator is None) != (self.covariate_denominator is None):
            raise ValueError("a covariate ratio needs numerator and denominator")
        if self.covariates is not None or self.column is not None:
            raise ValueError("a ratio has numerator and denominator instead of column, covariates")
        return self


class QuantileMetric(_Metric):
    """A quantile over units."""

    kind: Literal["quantile"]
    q: float = Field(gt=0, lt=1)
    baseline: float | None = None
    sd: float | None = Field(default=None, gt=0)

    @model_validator(mode="after")
    def _has_no_covariates(self) -> "QuantileMetric":
        if self.covariates:
            raise ValueError("a quantile is not adjusted by covariates")
        return self


class TimeToEventMetric(_Metric):
    """Mean time until an event up to a horizon, units still without it censored.

    A shorter time is better unless the direction says otherwise.

    Attributes
    ----------
    duration, event
        Columns of a unit table: time until the event or until last seen, and whether it
        happened. From events both follow from the outcome `column`.
    horizon
        Times count up to here, in the unit of the durations; from events in days.
    duration_unit
        Unit of the durations of a table: to tell, at an earlier look, how long a unit had been
        followed by then.
    """

    kind: Literal["time_to_event"]
    duration: str | None = None
    event: str | None = None
    horizon: float = Field(gt=0)
    duration_unit: Literal["minutes", "hours", "days"] = "days"
    higher_is_better: bool = False
    baseline: float | None = None
    sd: float | None = Field(default=None, gt=0)

    @model_validator(mode="after")
    def _has_both_columns(self) -> "TimeToEventMetric":
        if (self.duration is None) != (self.event is None):
            raise ValueError("time to event needs duration and event, or neither")
        if self.duration is None and self.duration_unit != "days":
            raise ValueError("duration_unit is of a table's durations; from events they are days")
        if self.covariates:
            raise ValueError("a time to event is not adjusted by covariates")
        return self


Metric: TypeAlias = Annotated[
    ProportionMetric | MeanMetric | CountMetric | RatioMetric | QuantileMetric | TimeToEventMetric,
    Field(discriminator="kind"),
]
