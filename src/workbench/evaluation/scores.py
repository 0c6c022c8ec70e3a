"""The probabilities of all arms on one common grid, and what is computed from them."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from workbench.errors import EvaluationError
from workbench.scorers import EXAMPLE_SCORES, STATISTICS, penalise_errors
from workbench.stats import (
    Difference,
    Estimate,
    calibration_error_interval,
    compare_roc_auc,
    mean_interval,
    paired_difference,
    percentile_interval,
    proportion_interval,
    resample_weights,
    roc_auc_interval,
    simultaneous_confidence_level,
)

__all__ = ["ScoreTable", "bootstrapped_difference", "resamples_needed", "score_table"]


@dataclass(frozen=True)
class ScoreTable:
    """Probabilities of several arms for the same rows.

    Parameters
    ----------
    y : ndarray of shape (n_rows,)
        0 or 1.
    groups : ndarray of shape (n_rows,) or None
        Rows that are not independent of each other.
    proba : mapping of arm to ndarray of shape (n_rows,)
        Failed answers already scored as wrong.
    n_examples
        Distinct examples; rows are more when answers are repeated.
    n_resamples, random_state
        Of the bootstrap, shared by all arms and metrics so that differences are paired.
    """

    y: NDArray[np.int8]
    groups: NDArray[Any] | None
    proba: Mapping[str, NDArray[np.float64]]
    n_examples: int
    n_resamples: int
    random_state: int

    @cached_property
    def _points(self) -> dict[tuple[str, str], float]:
        ones = np.ones((1, len(self.y)))
        return {
            (arm, name): float(make(self.y, p)(ones)[0])
            for arm, p in self.proba.items()
            for name, make in STATISTICS.items()
        }

    @cached_property
    def _replicates(self) -> dict[tuple[str, str], NDArray[np.float64]]:
        statistics = {
            (arm, name): make(self.y, p)
            for arm, p in self.proba.items()
            for name, make in STATISTICS.items()
        }
        parts: dict[tuple[str, str], list[NDArray[np.float64]]] = {k: [] for k in statistics}
        for weights in resample_weights(
            len(self.y), self.n_resamples, groups=self.groups, random_state=self.random_state
        ):
            for key, statistic in statistics.items():
                parts[key].append(statistic(weights))
        return {key: np.concatenate(values) for key, values in parts.items()}

    def _n_groups(self) -> int | None:
        return None if self.groups is None else len(np.unique(self.groups))

    def estimate(self, arm: str, name: str, confidence_level: float = 0.95) -> Estimate:
        """Measure one arm by one metric of its probabilities, with an interval.

        ROC AUC has DeLong's interval and accuracy Wilson's where rows are independent;
        where they are not, means have cluster-robust and all else bootstrap intervals over
        whole groups. The calibration error is corrected for its bias. Where a class is too rare
        for an interval, the bounds are infinite; where it is absent, there is no figure either.
        """
        y, p = self.y, self.proba[arm]
        if name in EXAMPLE_SCORES:
            scores = EXAMPLE_SCORES[name](y, p)
            if name == "accuracy" and self.groups is None:
                return proportion_interval(
                    int(scores.sum()), len(scores), confidence_level=confidence_level
                )
            return mean_interval(scores, groups=self.groups, confidence_level=confidence_level)
        if not self._both_classes:
            nan = float("nan")
            return self._unbounded(nan, confidence_level)
        if name == "roc_auc" and self.groups is None:
            return roc_auc_interval(y, p, confidence_level=confidence_level)
        try:
            return self._by_bootstrap(arm, name, confidence_level)
        except ValueError:
            # So few of a class that resamples lose it: a figure, but no bounds.
            return self._unbounded(self._points[arm, name], confidence_level)

    @cached_property
    def _both_classes(self) -> bool:
        return 0 < int(self.y.sum()) < len(self.y)

    def _unbounded(self, point: float, confidence_level: float) -> Estimate:
        inf, nan = float("inf"), float("nan")
        method = "too few of one class"
        n, n_groups = len(self.y), self._n_groups()
        return Estimate(point, -inf, inf, nan, n, n_groups, confidence_level, method)

    def _by_bootstrap(self, arm: str, name: str, confidence_level: float) -> Estimate:
        if name == "ece":
            return calibration_error_interval(
                self.y,
                self.proba[arm],
                self._replicates[arm, name],
                groups=self.groups,
                confidence_level=confidence_level,
            )
        return percentile_interval(
            self._points[arm, name],
            self._replicates[arm, name],
            n=len(self.y),
            n_groups=self._n_groups(),
            confidence_level=confidence_level,
        )

    def difference(
        self, arm: str, baseline: str, name: str, confidence_level: float = 0.95
    ) -> Difference:
        """Measure arm minus baseline on the same rows, paired."""
        y, a, b = self.y, self.proba[arm], self.proba[baseline]
        if name in EXAMPLE_SCORES:
            score = EXAMPLE_SCORES[name]
            return paired_difference(
                score(y, a), score(y, b), groups=self.groups, confidence_level=confidence_level
            )
        if not self._both_classes:
            return self._undecided(float("nan"), confidence_level)
        if name == "roc_auc" and self.groups is None:
            return compare_roc_auc(y, a, b, confidence_level=confidence_level)
        replicates = self._replicates[arm, name] - self._replicates[baseline, name]
        point = self._points[arm, name] - self._points[baseline, name]
        try:
            return bootstrapped_difference(
                point,
                replicates,
                n=len(y),
                n_groups=self._n_groups(),
                confidence_level=confidence_level,
            )
        except ValueError:
            return self._undecided(point, confidence_level)

    def _undecided(self, point: float, confidence_level: float) -> Difference:
        found = self._unbounded(point, confidence_level)
        return Difference(
            difference=point,
            ci_lower=found.ci_lower,
            ci_upper=found.ci_upper,
            standard_error=found.standard_error,
            statistic=float("nan"),
            pvalue=1.0,
            n=found.n,
            n_groups=found.n_groups,
            confidence_level=confidence_level,
            method=found.method,
        )

    def differences(
        self, baseline: str, name: str, confidence_level: float = 0.95
    ) -> dict[str, Difference]:
        """Differences of every other arm, with simultaneous (Bonferroni) intervals."""
        others = [arm for arm in self.proba if arm != baseline]
        level = simultaneous_confidence_level(confidence_level, max(1, len(others)))
        return {arm: self.difference(arm, baseline, name, level) for arm in others}


def bootstrapped_difference(
    point: float,
    replicates: NDArray[np.float64],
    *,
    n: int,
    n_groups: int | None,
    confidence_level: float,
) -> Difference:
    """Paired difference of two figures from its bootstrap replicates.

    Parameters
    ----------
    point
        The difference on the data themselves.
    replicates : ndarray of shape (n_resamples,)
        The difference on each resample.
    n, n_groups
        Examples, and groups that were resampled.
    confidence_level
        Of the interval.

    Raises
    ------
    ValueError
        When more than 5 % of the replicates are undefined.
    """
    interval = percentile_interval(
        point, replicates, n=n, n_groups=n_groups, confidence_level=confidence_level
    )
    return Difference(
        difference=point,
        ci_lower=interval.ci_lower,
        ci_upper=interval.ci_upper,
        standard_error=interval.standard_error,
        statistic=float("nan"),
        pvalue=_bootstrap_pvalue(replicates),
        n=n,
        n_groups=n_groups,
        confidence_level=confidence_level,
        method="paired bootstrap",
    )


def _bootstrap_pvalue(replicates: NDArray[np.float64]) -> float:
    # Two-sided, from the share of resampled differences on the other side of zero; one is
    # added above and below so that a finite bootstrap never claims p = 0.
    known = replicates[~np.isnan(replicates)]
    if np.all(known == 0):
        return 1.0
    tail = min(np.count_nonzero(known <= 0), np.count_nonzero(known >= 0))
    return float(min(1.0, 2 * (tail + 1) / (len(known) + 1)))


def resamples_needed(n_arms: int, confidence_level: float) -> int:
    """Fewest resamples whose percentiles reach the level of simultaneous intervals.

    Parameters
    ----------
    n_arms
        Arms, the baseline included.
    confidence_level
        Of all comparisons together.

    Examples
    --------
    >>> resamples_needed(2, 0.95), resamples_needed(5, 0.95)
    (39, 159)
    """
    tail = (1 - confidence_level) / (2 * max(1, n_arms - 1))
    return math.ceil(1 / tail - 1e-9) - 1


def score_table(
    records: pd.DataFrame,
    arms: Sequence[str],
    *,
    n_resamples: int,
    random_state: int,
) -> ScoreTable:
    """Lay the records of several arms side by side.

    An arm answered once is laid beside each repeat of the others. With repeats, the answers
    for one example belong together and form a group unless the data has groups already.

    Parameters
    ----------
    records : DataFrame
        As `evaluate` makes them.
    arms
        The arms wanted.
    n_resamples, random_state
        Of the bootstrap.

    Raises
    ------
    EvaluationError
        When the arms did not judge the same examples, or were answered by different origins.
    """
    chosen = records[records["arm"].isin(arms)]
    n_repeats = int(chosen["repeat"].max()) + 1
    proba: dict[str, NDArray[np.float64]] = {}
    grid: pd.DataFrame | None = None
    for arm in arms:
        rows = chosen[chosen["arm"] == arm].sort_values(["repeat", "example_id"], kind="stable")
        _one_origin(rows, arm)
        once = int(rows["repeat"].max()) == 0
        wide = pd.concat([rows] * n_repeats) if once else rows
        if grid is None:
            grid = wide
        elif not np.array_equal(grid["example_id"].to_numpy(), wide["example_id"].to_numpy()):
            raise EvaluationError(
                f"arms {arms[0]!r} and {arm!r} did not judge the same examples",
                expected="one record an example and repeat in every arm",
                fix="evaluate both arms in one run",
            )
        proba[arm] = penalise_errors(
            wide["y"].to_numpy(),
            wide["proba"].to_numpy(dtype=float),
            wide["error"].notna().to_numpy(),
        )
    if grid is None:
        raise EvaluationError("no arms", expected="at least one arm", fix="name the arms")
    groups = None
    if grid["group"].notna().any():
        groups = grid["group"].to_numpy()
    elif n_repeats > 1:
        groups = grid["example_id"].to_numpy()
    return ScoreTable(
        y=grid["y"].to_numpy(dtype=np.int8),
        groups=groups,
        proba=proba,
        n_examples=int(grid["example_id"].nunique()),
        n_resamples=n_resamples,
        random_state=random_state,
    )


def _one_origin(rows: pd.DataFrame, arm: str) -> None:
    origins = sorted(rows["origin"].dropna().unique())
    if len(origins) > 1:
        raise EvaluationError(
            f"the answers of arm {arm!r} come from different origins: {origins}",
            expected="one origin in an estimate",
            fix="evaluate each origin in its own run",
        )
