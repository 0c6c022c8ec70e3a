"""A/A harness: the experiment over and over with arms that do nothing, on its own units."""

import dataclasses
import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from workbench.abtest.aggregate import Cells, CleanValues, read_clean_values
from workbench.abtest.design import Design
from workbench.abtest.estimates import AggregateEstimates, Estimates
from workbench.abtest.source import open_units
from workbench.abtest.unit_values import ValueEstimates, read_values
from workbench.errors import DataError
from workbench.stats import Estimate, adjust_pvalues, proportion_interval

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["AAResult", "aa_test"]

Codes = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class AAResult:
    """How often arms that do nothing were found to differ.

    Parameters
    ----------
    alpha
        How often they may be.
    rates
        Share of false findings of each metric, over repeats and treatments, with its Wilson
        interval over repeats.
    family
        Share of repeats with any false finding among the primary metrics after the correction.
    pvalues
        By metric, shape (repeats, treatments).
    """

    alpha: float
    rates: Mapping[str, Estimate]
    family: Estimate
    pvalues: Mapping[str, NDArray[np.float64]]

    @property
    def suspicious(self) -> tuple[str, ...]:
        """Metrics that are found too often: the whole interval lies above the rate allowed."""
        return tuple(name for name, rate in self.rates.items() if rate.ci_lower > self.alpha)

    def to_frame(self) -> "pd.DataFrame":
        """One row a metric."""
        import pandas as pd

        return pd.DataFrame(
            [{"metric": name, **rate.as_dict()} for name, rate in self.rates.items()]
        )

    def _repr_html_(self) -> str:
        items = "".join(
            f"<li>{html.escape(name)}: {r.estimate:.1%} [{r.ci_lower:.1%}, {r.ci_upper:.1%}]</li>"
            for name, r in self.rates.items()
        )
        return f"<p>False findings, {self.alpha:.0%} allowed:</p><ul>{items}</ul>"


def aa_test(
    design: Design,
    data: Any,
    *,
    n_repeats: int = 500,
    random_state: int = 0,
    as_of: datetime | None = None,
    arm: str = "arm",
    exposed_at: str = "exposed_at",
) -> AAResult:
    """Assign the units at random again and again, and count what is found.

    Parameters
    ----------
    design
        The design: shares, clusters, metrics, adjustment and correction are all used.
    data
        Units as `analyse` takes them, best from before the experiment; the arms they have do not
        matter.
    n_repeats
        How many draws.
    random_state
        Seed.
    as_of, arm, exposed_at
        As `analyse`.

    Returns
    -------
    AAResult
        A metric whose rate is too high needs clusters, caps or more units.

    Raises
    ------
    DataError
        As `analyse`, and if there are too few units to draw arms for.

    Examples
    --------
    >>> import pandas as pd
    >>> design = Design.model_validate({"name": "script", "arms": {"old": 1, "new": 1},
    ...     "metrics": {"calls": {"kind": "count", "role": "primary"}}})
    >>> units = pd.DataFrame({"arm": "old", "calls": [i % 7 for i in range(400)]})
    >>> found = aa_test(design, units, n_repeats=200)
    >>> found.suspicious, 0.01 < found.rates["calls"].estimate < 0.1
    ((), True)
    """
    moment = (datetime.now(UTC) if as_of is None else as_of).astimezone(UTC)
    plain = design.model_copy(update={"segments": ()})
    with open_units(plain, data, as_of=moment, arm=arm, exposed_at=exposed_at) as units:
        columns = units.design
        clean = read_clean_values(units)
        valued = {n: read_values(units, n) for n in columns.metrics if n not in clean}
    arms, shares = tuple(design.arms), np.array(list(design.shares.values()))
    n = {len(v.arm) for v in clean.values()} | {len(v.arm) for v in valued.values()}
    if len(n) != 1 or min(n) < 4 * len(arms):
        raise DataError(
            f"there are {sorted(n)} units by metric",
            expected=f"the same units for every metric, {4 * len(arms)} at least",
            fix="drop units without an outcome",
        )
    draws = _Draws.of(design, [*clean.values(), *valued.values()], n.pop())
    rng = np.random.default_rng(random_state)
    found = {name: np.full((n_repeats, len(arms) - 1), np.nan) for name in design.metrics}
    for repeat in range(n_repeats):
        drawn = rng.choice(len(arms), size=draws.size, p=shares)
        unit_arm = drawn if draws.unit is None else drawn[draws.unit]
        for name in design.metrics:
            estimate: Estimates
            if name in clean:
                cells = _cells(clean[name], unit_arm, arms, draws)
                estimate = AggregateEstimates(columns, clean[name].block, cells)
            else:
                labels = np.array(arms, dtype=object)[unit_arm]
                estimate = dataclasses.replace(valued[name], arm=labels)
            for at, treatment in enumerate(design.treatments):
                measured = estimate.measure(treatment, 1 - design.alpha)
                if measured is not None:
                    found[name][repeat, at] = measured.effect.pvalue
    return _summary(design, found)


class _Draws(NamedTuple):
    """What arms are drawn for.

    Attributes
    ----------
    size
        How many draws a repeat needs: units, or clusters where those are assigned.
    unit
        Draw of each unit; None where each has its own.
    cluster
        Cluster of each unit as a code; None without clusters.
    names
        Clusters by code.
    """

    size: int
    unit: Codes | None
    cluster: Codes | None
    names: NDArray[np.object_]

    @classmethod
    def of(cls, design: Design, values: Sequence[CleanValues | ValueEstimates], n: int) -> "_Draws":
        """From the clusters of any metric: all have the same units."""
        cluster = values[0].cluster
        if design.cluster is None or cluster is None:
            return cls(n, None, None, np.zeros(0, dtype=object))
        names, codes = np.unique(cluster.astype(str), return_inverse=True)
        named = names.astype(object)
        if design.cluster.randomised:
            return cls(len(names), codes, codes, named)
        return cls(n, None, codes, named)


def _cells(clean: CleanValues, unit_arm: Codes, arms: tuple[str, ...], draws: _Draws) -> Cells:
    """Sums of one draw, as the database would give them."""
    k = len(clean.values)
    code = unit_arm if draws.cluster is None else draws.cluster * len(arms) + unit_arm
    size = len(arms) * (1 if draws.cluster is None else len(draws.names))
    n = np.bincount(code, minlength=size)
    kept = np.flatnonzero(n)
    added = [np.bincount(code, row, minlength=size)[kept] for row in clean.values]
    sums: NDArray[np.float64] = np.stack(added, axis=1).astype(np.float64)
    products = np.empty((len(kept), k, k))
    for i in range(k):
        for j in range(i + 1):
            row = np.bincount(code, clean.values[i] * clean.values[j], minlength=size)[kept]
            products[:, i, j] = products[:, j, i] = row
    names = np.array(arms, dtype=object)[kept % len(arms)]
    cluster = None if draws.cluster is None else draws.names[kept // len(arms)]
    count = n[kept]
    everybody = np.full(len(kept), -1, dtype=np.int64)
    level = np.full(len(kept), None, dtype=object)
    return Cells(names, cluster, everybody, level, count, count, sums, products, clean.shift)


def _summary(design: Design, found: Mapping[str, NDArray[np.float64]]) -> AAResult:
    rates = {}
    for name, pvalues in found.items():
        known = pvalues[~np.isnan(pvalues).any(axis=1)]
        if not len(known):
            raise DataError(
                f"{name!r} could not be compared in any draw",
                expected="arms with enough units and clusters",
                fix="use more units",
            )
        # Treatments share a control, so repeats are what is independent.
        hits = round(float((known <= design.alpha).mean()) * len(known))
        rates[name] = proportion_interval(hits, len(known))
    primary = np.concatenate([found[name] for name in design.metrics_of("primary")], axis=1)
    how = design.multiplicity
    adjusted = [row if how == "none" else adjust_pvalues(row, how) for row in primary]
    any_found = int(sum(bool(np.nanmin(row) <= design.alpha) for row in adjusted))
    family = proportion_interval(any_found, len(adjusted))
    return AAResult(design.alpha, rates, family, dict(found))
