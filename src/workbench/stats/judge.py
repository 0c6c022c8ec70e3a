"""What a judge that errs says about the truth: bias correction and prediction-powered inference.

Both join many cheap judgements (of a model, of Claude as a judge) with few true labels. The
labelled examples must be a random sample of those the estimate is about.
"""

import math

from numpy.typing import ArrayLike

from workbench.stats.bounds import clustered_standard_error, normal_quantile
from workbench.stats.results import Estimate
from workbench.stats.validation import (
    as_groups,
    as_values,
    check_confidence_level,
    check_count,
    check_same_length,
)

__all__ = ["judge_corrected_proportion", "prediction_powered_mean"]


def judge_corrected_proportion(
    judged: tuple[int, int],
    specificity: tuple[int, int],
    sensitivity: tuple[int, int],
    *,
    confidence_level: float = 0.95,
) -> Estimate:
    """Return the true share of right answers from the verdicts of a judge that errs.

    Parameters
    ----------
    judged
        Answers the judge called right, and answers judged.
    specificity
        Of the calibration answers that people called wrong: how many the judge did, and how
        many there are.
    sensitivity
        Of the calibration answers that people called right: how many the judge did, and how
        many there are.
    confidence_level
        Nominal coverage.

    Returns
    -------
    Estimate
        θ = (p + q0 − 1)/(q0 + q1 − 1), clipped to [0, 1] as is its interval, which also carries
        the uncertainty of the calibration. Where the calibration leaves open whether the judge
        is better than chance, the interval is [0, 1]; where the judge calls right more or fewer
        than any true share would explain, `method` says so.

    Raises
    ------
    ValueError
        If counts are out of range, or the judge was no better than chance in the calibration.

    References
    ----------
    Lee, Zeng, Jeong, Sohn & Lee (2025), "How to Correctly Report LLM-as-a-Judge Evaluations",
    arXiv:2511.21140; Rogan & Gladen (1978), American Journal of Epidemiology 107:71-76.

    Examples
    --------
    >>> found = judge_corrected_proportion((575, 1000), (75, 100), (90, 100))
    >>> round(found.estimate, 3), round(found.ci_lower, 3), round(found.ci_upper, 3)
    (0.5, 0.404, 0.593)
    """
    level = check_confidence_level(confidence_level)
    (x, n), (x0, m0), (x1, m1) = (
        _counts(c, name)
        for c, name in (
            (judged, "judged"),
            (specificity, "specificity"),
            (sensitivity, "sensitivity"),
        )
    )
    p, q0, q1 = x / n, x0 / m0, x1 / m1
    if q0 + q1 <= 1:
        raise ValueError(
            f"specificity is {q0:.3f} and sensitivity {q1:.3f}; expected a sum above 1: this judge"
            " is no better than chance"
        )
    estimate = (p + q0 - 1) / (q0 + q1 - 1)
    error = _error(estimate, (p, n), (q0, m0), (q1, m1))
    z = normal_quantile(level)
    # The interval comes from smoothed shares, as those of Agresti and Coull.
    p_s, n_s = (x + z**2 / 2) / (n + z**2), n + z**2
    q0_s, q1_s = (x0 + 1) / (m0 + 2), (x1 + 1) / (m1 + 2)
    gap = q0_s + q1_s - 1
    spread = math.sqrt(q0_s * (1 - q0_s) / (m0 + 2) + q1_s * (1 - q1_s) / (m1 + 2))
    low, high = 0.0, 1.0
    if gap > z * spread:
        centre = (p_s + q0_s - 1) / gap
        half = z * _error(centre, (p_s, n_s), (q0_s, m0 + 2), (q1_s, m1 + 2))
        centre += 2 * z**2 * (
            centre * q1_s * (1 - q1_s) / (m1 + 2) - (1 - centre) * q0_s * (1 - q0_s) / (m0 + 2)
        )  # fmt: skip
        low, high = centre - half, centre + half
    method = "judge corrected (Rogan-Gladen)"
    if high < 0 or low > 1:
        method += ": the verdicts do not fit the calibration"
    share, low, high = (min(max(b, 0.0), 1.0) for b in (estimate, low, high))
    return Estimate(share, low, high, error, n, None, level, method)


def prediction_powered_mean(
    labels: ArrayLike,
    predictions: ArrayLike,
    unlabelled_predictions: ArrayLike,
    *,
    groups: ArrayLike | None = None,
    unlabelled_groups: ArrayLike | None = None,
    tuned: bool = True,
    confidence_level: float = 0.95,
) -> Estimate:
    """Return the mean label from few labels and many predictions (PPI++).

    Parameters
    ----------
    labels
        True labels, shape (n,), n ≥ 2: numbers, or 0 and 1 for a proportion.
    predictions
        Predictions for the same examples, shape (n,), by a model that has not seen the labels.
    unlabelled_predictions
        Predictions for further examples of the same population, shape (N,), N ≥ 2.
    groups, unlabelled_groups
        Clusters of the examples, shapes (n,) and (N,), disjoint between the two sets.
    tuned
        Whether to weigh the predictions by what they are worth (power tuning): then the interval
        is, in large samples, never wider than that of the labels alone. False trusts them fully.
    confidence_level
        Nominal coverage.

    Returns
    -------
    Estimate
        `n` counts the labels; `method` names the weight of the predictions.

    Raises
    ------
    ValueError
        If shapes differ, there are too few examples, or values are not finite.

    References
    ----------
    Angelopoulos, Bates, Fannjiang, Jordan & Zrnic (2023), Science 382:669-674; power tuning:
    Angelopoulos, Duchi & Zrnic (2023), "PPI++", arXiv:2311.01453, example 6.1.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> truth = rng.normal(5, 1, 10_000)
    >>> guess = truth + rng.normal(0.3, 0.2, 10_000)
    >>> found = prediction_powered_mean(truth[:100], guess[:100], guess[100:])
    >>> round(found.estimate, 2), round(found.standard_error, 3)
    (5.03, 0.021)
    """
    y, f = as_values(labels, "labels"), as_values(predictions, "predictions")
    n = check_same_length(labels=y, predictions=f)
    g = as_values(unlabelled_predictions, "unlabelled_predictions")
    level = check_confidence_level(confidence_level)
    if min(n, g.size) < 2:
        raise ValueError(f"{n} labels and {g.size} predictions; expected at least 2 of each")
    coded = None if groups is None else as_groups(groups, n)
    others = None if unlabelled_groups is None else as_groups(unlabelled_groups, g.size)
    weight = 1.0
    if tuned:
        # What minimises the variance of mean(y − λf) + λ mean(g), clusters included.
        var_f = clustered_standard_error(f, coded) ** 2
        var_g = clustered_standard_error(g, others) ** 2
        var_y = clustered_standard_error(y, coded) ** 2
        joint = (var_y + var_f - clustered_standard_error(y - f, coded) ** 2) / 2
        total = var_f + var_g
        weight = min(max(joint / total, 0.0), 1.0) if total > 0 else 0.0
    rest = y - weight * f
    estimate = float(rest.mean() + weight * g.mean())
    error = math.hypot(
        clustered_standard_error(rest, coded), weight * clustered_standard_error(g, others)
    )
    half = math.inf if math.isnan(error) else normal_quantile(level) * error
    n_groups = None if coded is None else coded[1]
    method = f"prediction-powered, weight {weight:.2f}"
    return Estimate(estimate, estimate - half, estimate + half, error, n, n_groups, level, method)


def _error(
    share: float, p: tuple[float, float], q0: tuple[float, float], q1: tuple[float, float]
) -> float:
    """Delta-method standard error of the corrected share; pairs of rate and size."""
    parts = [rate * (1 - rate) / size for rate, size in (p, q0, q1)]
    inner = parts[0] + (1 - share) ** 2 * parts[1] + share**2 * parts[2]
    return math.sqrt(max(inner, 0.0)) / (q0[0] + q1[0] - 1)


def _counts(counts: tuple[int, int], name: str) -> tuple[int, int]:
    hits, n = check_count(counts[0], name, minimum=0), check_count(counts[1], f"n of {name}")
    if hits > n:
        raise ValueError(f"{name} is {hits} of {n}; expected at most {n}")
    return hits, n
