"""Figures whose intervals hold whenever one stops, for runs that stopped by themselves.

An ordinary interval is made for a number of examples fixed beforehand. Where asking stops as
soon as something is decided, the number depends on the answers, and only confidence sequences
keep their promise.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from workbench.evaluation.evaluation import Evaluation
from workbench.evaluation.operations import QUANTILES, RATES, flags, seconds
from workbench.scorers import EXAMPLE_SCORES, metric, penalise_errors
from workbench.stats import (
    asymptotic_confidence_sequence,
    betting_confidence_sequence,
    binomial_confidence_sequence,
    mean_standard_error,
)

__all__ = ["Measured", "anytime_measured"]

# Units before which sequences that hold in large samples only say nothing.
_FIRST_LOOK = 100
_LIMITED = ("accuracy", "brier")


class Measured(NamedTuple):
    """A figure and its interval, with the examples behind it."""

    estimate: float
    ci_lower: float
    ci_upper: float
    n: int


def anytime_measured(
    evaluation: Evaluation, arm: str, name: str, *, difference: bool = False
) -> Measured | None:
    """Measure an arm with an interval that holds whenever asking stopped.

    The metric that decided has the interval of the sequential test itself. Rates and bounded
    scores have betting confidence sequences, unbounded ones and costs asymptotic ones from the
    hundredth unit on, quantiles exact binomial ones. Units are whole groups where there are any.

    Parameters
    ----------
    evaluation
        A run that could stop by itself.
    arm
        The arm.
    name
        Name of the metric.
    difference
        Whether the difference from the baseline is measured; these intervals hold together.

    Returns
    -------
    Measured or None
        None for a figure without such an interval, such as ROC AUC.
    """
    info = evaluation.info
    if difference and name == info.stop_metric:
        last = evaluation.sequential[arm].last
        if metric(name).higher_is_better:
            return Measured(last.estimate, last.ci_lower, last.ci_upper, last.n)
        # Gains are positive where a loss falls.
        return Measured(-last.estimate, -last.ci_upper, -last.ci_lower, last.n)
    rows = evaluation.records[evaluation.records["arm"] == arm]
    level = info.confidence_level
    if difference:
        level = 1 - (1 - level) / max(1, len(evaluation.arms) - 1)
    if name in EXAMPLE_SCORES:
        values = _scores(rows, name)
        if difference:
            values = values - _scores(
                evaluation.records[evaluation.records["arm"] == info.baseline], name
            )
        bounds = (-1.0 if difference else 0.0, 1.0) if name in _LIMITED else None
        return _mean(evaluation, values, bounds, level)
    if name in QUANTILES:
        return _quantile(seconds(rows, name), QUANTILES[name][1], level)
    if name == "cost_per_1000_usd":
        cost = _by_unit(rows, 1000 * rows["cost_usd"].to_numpy(dtype=np.float64))
        return _mean(evaluation, cost, None, level)
    if name in RATES and len(flagged := flags(rows, name)) == len(rows):
        return _mean(evaluation, _by_unit(rows, flagged.astype(np.float64)), (0.0, 1.0), level)
    return None


def _scores(rows: pd.DataFrame, name: str) -> NDArray[np.float64]:
    y = rows["y"].to_numpy(dtype=np.int8)
    proba = penalise_errors(
        y, rows["proba"].to_numpy(dtype=np.float64), rows["error"].notna().to_numpy()
    )
    return _by_unit(rows, EXAMPLE_SCORES[name](y, proba))


def _by_unit(rows: pd.DataFrame, values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean of each group, or of each example's repeats, in the order asked."""
    unit = "group" if rows["group"].notna().any() else "example_id"
    means = pd.Series(values).groupby(rows[unit].to_numpy(), sort=False).mean()
    return np.asarray(means, dtype=np.float64)


def _mean(
    evaluation: Evaluation,
    values: NDArray[np.float64],
    bounds: tuple[float, float] | None,
    level: float,
) -> Measured:
    estimate, n = float(values.mean()), evaluation.info.n_test
    if bounds is not None:
        found = betting_confidence_sequence(values, bounds=bounds, confidence_level=level)
        return Measured(estimate, float(found.ci_lower[-1]), float(found.ci_upper[-1]), n)
    if len(values) < _FIRST_LOOK:
        return Measured(estimate, -np.inf, np.inf, n)
    available = max(result.n_available for result in evaluation.sequential.values())
    found = asymptotic_confidence_sequence(
        estimate, mean_standard_error(values), len(values), n_opt=available, confidence_level=level
    )
    return Measured(estimate, float(found.ci_lower), float(found.ci_upper), n)


def _quantile(measured: NDArray[np.float64], q: float, level: float) -> Measured | None:
    n = len(measured)
    if n == 0:
        return None
    rising = np.sort(measured)
    # The share of values up to each order statistic, against q.
    share = binomial_confidence_sequence(np.arange(n + 1), n, confidence_level=level)
    below = np.flatnonzero(share.ci_upper[1:] < q)
    above = np.flatnonzero(share.ci_lower[1:] >= q)
    return Measured(
        float(np.quantile(measured, q, method="inverted_cdf")),
        float(rising[below[-1]]) if len(below) else -np.inf,
        float(rising[above[0]]) if len(above) else np.inf,
        n,
    )
