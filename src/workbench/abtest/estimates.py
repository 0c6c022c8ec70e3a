"""The effect of one treatment on one metric, from what was aggregated."""

import math
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from workbench.abtest.aggregate import Cells
from workbench.abtest.blocks import Block
from workbench.abtest.design import Design
from workbench.abtest.metrics import ProportionMetric, RatioMetric
from workbench.stats import (
    Effect,
    LogRank,
    Moments,
    asymptotic_confidence_sequence,
    compare_cluster_totals,
    compare_means,
    compare_proportions,
    compare_ratios,
    covariate_coefficients,
    lin_adjusted,
    post_stratified,
)
from workbench.stats.effects import effect_of

__all__ = ["AggregateEstimates", "Estimates", "Measured", "interval_at", "sequence_of"]

Array = NDArray[np.float64]


class Measured(NamedTuple):
    """One comparison in all the ways that are reported beside each other.

    Attributes
    ----------
    effect
        As the design has it: capped, adjusted, robust to clusters.
    raw
        Without adjustment.
    unclustered
        Raw, as if units were independent; None without clusters.
    uncapped
        Raw, before values were capped; None where none were.
    note
        Why something could not be done as designed; empty otherwise.
    log_rank
        Of times to an event: the test of equal distributions; None of other metrics.
    """

    effect: Effect
    raw: Effect
    unclustered: Effect | None
    uncapped: Effect | None
    note: str
    log_rank: LogRank | None = None


class Estimates(Protocol):
    """What both kinds of estimates offer."""

    def measure(
        self, arm: str, level: float, segment: int = -1, of: str | None = None
    ) -> Measured | None:
        """Compare an arm with the control.

        Parameters
        ----------
        arm
            The treatment.
        level
            Confidence level.
        segment, of
            Which segment (−1 for everybody) and which level of it.

        Returns
        -------
        Measured | None
            None where an arm has no units, or fewer than two clusters.
        """
        ...

    def interval(self, arm: str, found: Effect, level: float) -> tuple[float, float]:
        """Return the bounds of an effect at another confidence level.

        Parameters
        ----------
        arm
            The treatment.
        found
            Its effect on everybody, as measured.
        level
            The level.
        """
        ...

    def sequence(
        self, arm: str, found: Effect, level: float, n_opt: float
    ) -> tuple[float, float, float]:
        """Return bounds and a p-value that hold at every look.

        Parameters
        ----------
        arm
            The treatment.
        found
            Its effect on everybody, as measured.
        level
            Coverage of all looks together.
        n_opt
            Units of the two arms at which the bounds are tightest.
        """
        ...


@dataclass(frozen=True)
class AggregateEstimates:
    """Proportions, means, counts and ratios from sums.

    Parameters
    ----------
    design, block, cells
        The design, the metric's columns and their sums.
    """

    design: Design
    block: Block
    cells: Cells
    _known: dict[tuple[str, int, str | None], Moments | None] = field(
        default_factory=dict, repr=False, compare=False
    )
    _pooled: list[Array] = field(default_factory=list, repr=False, compare=False)

    def moments(self, arm: str, segment: int = -1, of: str | None = None) -> Moments | None:
        """Moments of all columns of the block for the units of an arm."""
        key = (arm, segment, of)
        if key not in self._known:
            self._known[key] = self.cells.at(arm, segment, of).moments()
        return self._known[key]

    def measure(
        self, arm: str, level: float, segment: int = -1, of: str | None = None
    ) -> Measured | None:
        """Compare an arm with the control; see `Estimates.measure`."""
        control = self.moments(self.design.control, segment, of)
        treatment = self.moments(arm, segment, of)
        if control is None or treatment is None:
            return None
        own, block = range(self.block.n_outcome), self.block
        plain = self._independent(control, treatment, tuple(own), level)
        uncapped = None
        if block.n_uncapped:
            uncapped = self._independent(control, treatment, block.uncapped, level)
        if self.design.cluster is not None:
            return self._clustered(plain, uncapped, (arm, segment, of), level)
        if self.design.post_strata and segment < 0:
            found, note = self._post_stratified(arm, level)
            # Beside it stands what it adjusts: a plain difference of means, not a score test.
            raw = compare_means(control.select(0), treatment.select(0), confidence_level=level)
            return Measured(found or plain, raw if found else plain, None, uncapped, note)
        if not block.n_covariates:
            return Measured(plain, plain, None, uncapped, "")
        adjusted, note = self._adjusted(control, treatment, level)
        return Measured(adjusted, plain, None, uncapped, note)

    def balance(self, arm: str, covariate: int) -> Effect | None:
        """Compare a covariate between arms: what differs before exposure is no effect.

        Parameters
        ----------
        arm
            The treatment.
        covariate
            Which covariate of the block, from 0.
        """
        at = self.block.n_outcome + covariate
        sides = [self.cells.at(name) for name in (self.design.control, arm)]
        moments = [side.moments() for side in sides]
        if moments[0] is None or moments[1] is None:
            return None
        c, t = moments[0].select(at), moments[1].select(at)
        if self.design.cluster is None:
            return compare_means(c, t)
        if min(len(set(_clusters_of(side))) for side in sides) < 2:
            return None
        return compare_cluster_totals(
            np.concatenate([_clusters_of(side) for side in sides]),
            np.repeat([0, 1], [len(side.n) for side in sides]),
            np.concatenate([side.n for side in sides]),
            np.concatenate([side.sums[:, at] + side.n * side.shift[at] for side in sides]),
            n=(c.n, t.n),
        )

    def _independent(
        self, control: Moments, treatment: Moments, columns: tuple[int, ...], level: float
    ) -> Effect:
        metric = self.design.metrics[self.block.metric]
        c, t = control.select(*columns), treatment.select(*columns)
        if isinstance(metric, RatioMetric):
            return compare_ratios(c, t, confidence_level=level)
        # Beside an adjusted mean the plain mean is what compares; alone the score test is better.
        adjusted = self.block.n_covariates > 0 or self.design.cluster is not None
        if isinstance(metric, ProportionMetric) and not adjusted:
            return compare_proportions(_counts(c), _counts(t), confidence_level=level)
        return compare_means(c, t, confidence_level=level)

    def _adjusted(self, control: Moments, treatment: Moments, level: float) -> tuple[Effect, str]:
        metric, k = self.design.metrics[self.block.metric], self.block.n_covariates
        plain = self.block.plain
        c, t = control.select(*plain), treatment.select(*plain)
        if isinstance(metric, RatioMetric):
            slopes = self._slopes(ratios=True)
            return (
                compare_ratios(
                    c, t, covariates=k // 2, coefficients=slopes, confidence_level=level
                ),
                "",
            )
        if self.design.adjustment == "lin" and min(c.n, t.n) >= k + 2:
            return lin_adjusted(c, t, confidence_level=level), ""
        note = ""
        if self.design.adjustment == "lin":
            note = "too few units for a slope in each arm: one slope is used for all"
        slopes = self._slopes(ratios=False)
        found = compare_means(c, t, covariates=k, coefficients=slopes, confidence_level=level)
        return found, note

    def _post_stratified(self, arm: str, level: float) -> tuple[Effect | None, str]:
        """Compare within the strata; those too small to compare in are joined."""
        if isinstance(self.design.metrics[self.block.metric], RatioMetric):
            return None, "a ratio is not post-stratified"
        at = len(self.design.segments)
        strata = sorted(set(self.cells.level[self.cells.segment == at].tolist()))
        pairs: list[tuple[Moments, Moments]] = []
        small: dict[str, list[Moments]] = {self.design.control: [], arm: []}
        for of in strata:
            sides = [self.moments(side, at, of) for side in small]
            c, t = (None if side is None else side.select(0) for side in sides)
            if c is not None and t is not None and min(c.n, t.n) > 1:
                pairs.append((c, t))
                continue
            for side, found in zip(small, (c, t), strict=True):
                small[side] += [] if found is None else [found]
        if not pairs:
            return None, "no stratum has two units of each arm: strata are not used"
        note = ""
        if any(small.values()):
            least = min(range(len(pairs)), key=lambda i: pairs[i][0].n + pairs[i][1].n)
            joined = [_added(side, extra) for side, extra in
                      zip(pairs[least], small.values(), strict=True)]  # fmt: skip
            pairs[least] = (joined[0], joined[1])
            note = "strata with fewer than two units of an arm are joined with the smallest"
        controls, treatments = zip(*pairs, strict=True)
        return post_stratified(controls, treatments, confidence_level=level), note

    def _slopes(self, *, ratios: bool) -> Array:
        """Slopes of the covariates over all arms, found once."""
        if not self._pooled:
            arms = [self.moments(arm) for arm in self.design.arms]
            known = [arm.select(*self.block.plain) for arm in arms if arm is not None]
            self._pooled.append(covariate_coefficients(known, ratios=ratios))
        return self._pooled[0]

    def interval(self, arm: str, found: Effect, level: float) -> tuple[float, float]:
        """Bounds at another level; see `Estimates.interval`."""
        if isinstance(self.design.metrics[self.block.metric], ProportionMetric):
            again = self.measure(arm, level)
            if again is not None and math.isinf(found.df):  # the score test's are no multiple
                return again.effect.ci_lower, again.effect.ci_upper
        return interval_at(found, level)

    def sequence(
        self, arm: str, found: Effect, level: float, n_opt: float
    ) -> tuple[float, float, float]:
        """Bounds that hold at every look; see `Estimates.sequence`."""
        del arm
        return sequence_of(found, found.n_control + found.n_treatment, level, n_opt)

    def _clustered(
        self,
        plain: Effect,
        uncapped: Effect | None,
        where: tuple[str, int, str | None],
        level: float,
    ) -> Measured | None:
        arm, segment, of = where
        sides = [self.cells.at(name, segment, of) for name in (self.design.control, arm)]
        block, k = self.block, self.block.n_covariates
        ratio = isinstance(self.design.metrics[block.metric], RatioMetric)
        n = (plain.n_control, plain.n_treatment)
        if min(len(set(_clusters_of(side))) for side in sides) < 2:
            return None
        groups = np.concatenate([_clusters_of(side) for side in sides])
        treated = np.repeat([0, 1], [len(side.n) for side in sides])
        totals = [_products(side, ratio=ratio, n_covariates=0 if ratio else k) for side in sides]
        inner = np.concatenate([t[0] for t in totals])
        outer = np.concatenate([t[1] for t in totals])

        def compared(size: int) -> Effect:
            return compare_cluster_totals(
                groups, treated, inner[:, :size, :size], outer[:, :size], n=n,
                confidence_level=level,
            )  # fmt: skip

        raw = compared(1)
        if not k or ratio:
            note = "covariates of a ratio are not used with clusters" if k else ""
            return Measured(raw, raw, plain, uncapped, note)
        note = "one slope for all arms is used with clusters"
        return Measured(
            compared(k + 1), raw, plain, uncapped, note if self.design.adjustment == "lin" else ""
        )


def interval_at(found: Effect, level: float) -> tuple[float, float]:
    """Bounds of an estimate with a t or normal statistic, at another level.

    Parameters
    ----------
    found
        The estimate.
    level
        The level.
    """
    again = effect_of(
        found.difference, found.standard_error**2, found.df, control=found.control,
        treatment=found.treatment, control_variance=0.0, control_covariance=0.0,
        n=(found.n_control, found.n_treatment), method=found.method, confidence_level=level,
    )  # fmt: skip
    return again.ci_lower, again.ci_upper


def sequence_of(found: Effect, n: float, level: float, n_opt: float) -> tuple[float, float, float]:
    """Bounds and p-value of a nearly normal estimate that hold at every look.

    Parameters
    ----------
    found
        The estimate.
    n
        Units behind it; fewer where they are not all followed to the end.
    level
        Coverage of all looks together.
    n_opt
        Units at which the bounds are tightest.
    """
    if math.isnan(found.standard_error):
        return -math.inf, math.inf, math.nan
    sequence = asymptotic_confidence_sequence(
        found.difference, found.standard_error, n, n_opt=n_opt, confidence_level=level
    )
    low, high, p = sequence.ci_lower.item(), sequence.ci_upper.item(), sequence.pvalue.item()
    return float(low), float(high), float(p)


def _added(first: Moments, others: list[Moments]) -> Moments:
    for other in others:
        first = first + other
    return first


def _counts(moments: Moments) -> tuple[int, int]:
    return round(float(moments.mean[0]) * moments.n), moments.n


def _clusters_of(side: Cells) -> NDArray[np.object_]:
    if side.cluster is None:
        raise TypeError("these sums are not by cluster")
    return side.cluster


def _products(side: Cells, *, ratio: bool, n_covariates: int) -> tuple[Array, Array]:
    """Cross-products of (1, covariates) and their products with the outcome, by cell."""
    if ratio:
        # Back from shifted sums: a ratio is a mean over its denominator.
        whole = side.sums[:, :2] + side.n[:, None] * side.shift[:2]
        return whole[:, 1][:, None, None], whole[:, 0][:, None]
    k = n_covariates
    at = list(range(1, 1 + k))
    inner = np.empty((len(side.n), k + 1, k + 1))
    inner[:, 0, 0] = side.n
    inner[:, 0, 1:] = inner[:, 1:, 0] = side.sums[:, at]
    inner[:, 1:, 1:] = side.products[:, at][:, :, at]
    # The outcome goes back to its own scale; covariates are centred anyway.
    by = float(side.shift[0])
    outer = np.concatenate([side.sums[:, :1], side.products[:, 0][:, at]], axis=1)
    return inner, outer + by * inner[:, 0, :]
