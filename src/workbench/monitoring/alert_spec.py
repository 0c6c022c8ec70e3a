"""An alert spec: one YAML file that says what is watched and what rings.

Unknown keys are errors. Relative paths are relative to the spec.
"""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from workbench.documents import parse_model, read_document
from workbench.errors import SpecError

__all__ = [
    "FIGURES",
    "AlertRule",
    "AlertSpec",
    "ColumnNames",
    "DatasetSource",
    "DriftRule",
    "RunSource",
    "TableSource",
    "read_alert_spec",
]  # fmt: skip

FIGURES = (
    "response_time_ms", "success_rate_pct", "accuracy_pct", "error_rate_pct", "queue_depth",
    "calibration_in_the_large", "calibration_slope",
)  # fmt: skip
"""What a rule may be about; times and depths are judged by their 95th percentile."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class RunSource(_Strict):
    """A finished run: `run` names a folder of mlruns/runs, or the newest that begins so.

    Attributes
    ----------
    run, arm
        The run, and whose records.
    reference
        An earlier run to compare scores, slices and base rate with; without it there is no drift.
    """

    kind: Literal["run"]
    run: str
    arm: str
    reference: str | None = None


class TableSource(_Strict):
    """Parquet files of scored rows."""

    kind: Literal["tables"]
    current: Path
    reference: Path | None = None


class DatasetSource(_Strict):
    """A data set of the catalogue: fitted on its first part, watched on its last.

    Attributes
    ----------
    dataset, n_rows, random_state
        What to load.
    arm
        Which model scores it.
    reference_fraction, current_fraction
        Shares of the rows, by time, that are scored as reference and as current; the model
        learns from the rows before.
    latency_sample
        Rows whose response time is measured one by one.
    """

    kind: Literal["dataset"]
    dataset: str
    n_rows: int | None = Field(default=None, gt=0)
    random_state: int = 0
    arm: Literal["logistic", "boosted"] = "logistic"
    reference_fraction: float = Field(default=0.3, gt=0, lt=1)
    current_fraction: float = Field(default=0.3, gt=0, lt=1)
    latency_sample: int = Field(default=200, ge=1)

    @model_validator(mode="after")
    def _leaves_some(self) -> "DatasetSource":
        if self.reference_fraction + self.current_fraction >= 0.95:
            raise ValueError("reference_fraction and current_fraction leave nothing to learn from")
        return self


class ColumnNames(_Strict):
    """How the columns of a table are called; absent ones are not measured."""

    score: str = "proba"
    label: str = "y"
    group: str = "group"
    as_of: str = "as_of"
    latency_ms: str = "latency_ms"
    error: str = "error"
    queue_depth: str = "queue_depth"


class AlertRule(_Strict):
    """Rings when the whole interval of a figure is beyond a bound; exactly one bound.

    Attributes
    ----------
    figure
        One of `FIGURES`.
    above, below
        The bound.
    outside
        Two bounds, either of which rings.
    """

    figure: Literal[
        "response_time_ms", "success_rate_pct", "accuracy_pct", "error_rate_pct", "queue_depth",
        "calibration_in_the_large", "calibration_slope",
    ]  # fmt: skip
    above: float | None = None
    below: float | None = None
    outside: tuple[float, float] | None = None

    @model_validator(mode="after")
    def _one_bound(self) -> "AlertRule":
        given = [b for b in (self.above, self.below, self.outside) if b is not None]
        if len(given) != 1:
            raise ValueError(f"{self.figure} needs exactly one of above, below and outside")
        if self.outside is not None and self.outside[0] >= self.outside[1]:
            raise ValueError(f"{self.figure}: outside needs a lower and a higher bound")
        return self

    @property
    def bounds(self) -> tuple[float, float]:
        """Where quiet ends, below and above."""
        if self.outside is not None:
            return self.outside
        low = -float("inf") if self.below is None else self.below
        return low, float("inf") if self.above is None else self.above

    def describe(self) -> str:
        """Say the rule in words."""
        low, high = self.bounds
        if self.outside is not None:
            return f"{self.figure} outside {low:g} to {high:g}"
        return f"{self.figure} {'above' if self.above is not None else 'below'} " + (
            f"{high:g}" if self.above is not None else f"{low:g}"
        )


class DriftRule(_Strict):
    """Rings when anything drifts; alpha is the chance of a false alarm over all columns."""

    alpha: float = Field(default=0.05, gt=0, lt=0.5)
    columns: tuple[str, ...] | None = None
    n_permutations: int = Field(default=499, ge=19, le=100_000)
    random_state: int = 0


class AlertSpec(_Strict):
    """What is watched and what rings.

    Attributes
    ----------
    name, description
        Of the spec.
    source
        Where the rows come from.
    columns
        How columns of tables are called.
    rules
        Bounds on figures.
    drift
        Whether drift rings; left out, nothing is compared with the reference.
    given
        Figures measured elsewhere, such as a queue's depth; taken as exact.
    confidence_level
        Of each interval.
    """

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]*$")
    description: str = ""
    source: Annotated[RunSource | TableSource | DatasetSource, Field(discriminator="kind")]
    columns: ColumnNames = ColumnNames()
    rules: tuple[AlertRule, ...] = ()
    drift: DriftRule | None = None
    given: dict[str, float] = {}
    confidence_level: float = Field(default=0.95, ge=0.5, lt=1)

    @model_validator(mode="after")
    def _rings(self) -> "AlertSpec":
        if not self.rules and self.drift is None:
            raise ValueError("nothing can ring: there are neither rules nor drift")
        for name in self.given:
            if name not in FIGURES:
                raise ValueError(f"given names {name!r}, which is not one of {', '.join(FIGURES)}")
        if self.drift is not None and getattr(self.source, "reference", "") is None:
            raise ValueError("drift needs a reference in the source")
        return self


def read_alert_spec(path: Path) -> AlertSpec:
    """Read an alert spec.

    Parameters
    ----------
    path
        A YAML file.

    Raises
    ------
    SpecError
        When the file is missing or malformed, has an unknown key, or contradicts itself; names
        file, line and key.
    """
    spec: AlertSpec = parse_model(read_document(path, SpecError), AlertSpec, SpecError)
    return spec
