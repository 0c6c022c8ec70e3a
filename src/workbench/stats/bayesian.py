"""Bayesian comparison of arms: beta-binomial and normal, with expected losses."""

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from workbench.stats.validation import as_values, check_confidence_level, check_count

__all__ = [
    "PosteriorComparison",
    "compare_beta",
    "compare_normal",
    "normal_expected_losses",
    "normal_posterior",
    "probability_best_beta",
    "probability_best_normal",
]

Vector = NDArray[np.float64]

# Nodes on the scale of probabilities of one arm; two blocks resolve its tails.
_NODES = 200


class PosteriorComparison(NamedTuple):
    """What the posterior says of treatment − control.

    Attributes
    ----------
    difference
        Posterior mean.
    ci_lower, ci_upper
        Credible interval with equal tails.
    standard_deviation
        Of the posterior.
    chance_to_win
        Probability that the treatment is higher.
    loss_control, loss_treatment
        Expected loss of choosing that arm: what is given up on average where it is the lower.
    confidence_level
        Probability of the credible interval.
    method
        Prior and likelihood.
    """

    difference: float
    ci_lower: float
    ci_upper: float
    standard_deviation: float
    chance_to_win: float
    loss_control: float
    loss_treatment: float
    confidence_level: float
    method: str


def normal_posterior(
    estimate: float, standard_error: float, *, prior_mean: float, prior_sd: float
) -> tuple[float, float]:
    """Return mean and standard deviation of a normal effect under a normal prior.

    Parameters
    ----------
    estimate, standard_error
        What the data say, the error > 0.
    prior_mean, prior_sd
        What was believed before; `math.inf` for a flat prior.

    Returns
    -------
    tuple[float, float]
        Posterior mean and standard deviation: the estimate is shrunk towards the prior mean,
        which also undoes the winner's curse where the prior is right.

    Raises
    ------
    ValueError
        If a number is not finite or a spread not > 0.

    References
    ----------
    Gelman et al. (2013), Bayesian Data Analysis, section 2.5.

    Examples
    --------
    >>> mean, sd = normal_posterior(0.2, 0.1, prior_mean=0.0, prior_sd=0.1)
    >>> mean, round(sd, 4)
    (0.1, 0.0707)
    """
    if not (math.isfinite(estimate) and math.isfinite(prior_mean)):
        raise ValueError(f"estimate is {estimate} and prior_mean {prior_mean}; expected numbers")
    if not (0 < standard_error < math.inf and prior_sd > 0):
        raise ValueError(
            f"standard_error is {standard_error} and prior_sd {prior_sd}; expected numbers > 0"
        )
    # Share of the data's precision, written so that neither a flat prior nor tiny errors overflow.
    share = 1.0 if math.isinf(prior_sd) else 1.0 / (1.0 + (standard_error / prior_sd) ** 2)
    return prior_mean + share * (estimate - prior_mean), standard_error * math.sqrt(share)


def normal_expected_losses(mean: float, sd: float) -> tuple[float, float]:
    """Return the expected losses of keeping the control and of choosing the treatment.

    Parameters
    ----------
    mean, sd
        Posterior of treatment − control, sd ≥ 0.

    Returns
    -------
    tuple[float, float]
        E[max(δ, 0)] and E[max(−δ, 0)], without cancellation however far the mean lies out.

    Raises
    ------
    ValueError
        If a number is not finite or sd negative.

    References
    ----------
    Raiffa & Schlaifer (1961), Applied Statistical Decision Theory, section 5.4 (unit normal
    loss); the tail through erfcx.

    Examples
    --------
    >>> tuple(round(x, 7) for x in normal_expected_losses(0.1, 0.05))
    (0.1004245, 0.0004245)
    """
    if not (math.isfinite(mean) and 0 <= sd < math.inf):
        raise ValueError(f"mean is {mean} and sd {sd}; expected finite numbers, sd ≥ 0")
    if sd == 0:
        return max(mean, 0.0), max(-mean, 0.0)
    z = abs(mean) / sd
    density = math.exp(-0.5 * z * z) / math.sqrt(2 * math.pi)
    mills = math.sqrt(math.pi / 2) * float(special.erfcx(z / math.sqrt(2)))
    small = sd * density * max(1.0 - z * mills, 0.0)
    large = abs(mean) + small
    return (large, small) if mean >= 0 else (small, large)


def compare_normal(
    estimate: float,
    standard_error: float,
    *,
    prior_mean: float = 0.0,
    prior_sd: float = math.inf,
    confidence_level: float = 0.95,
) -> PosteriorComparison:
    """Judge a normal effect under a normal prior.

    Parameters
    ----------
    estimate, standard_error
        Difference treatment − control, or a lift, and its standard error.
    prior_mean, prior_sd
        Prior on the same scale; flat by default.
    confidence_level
        Probability of the credible interval.

    Returns
    -------
    PosteriorComparison

    Raises
    ------
    ValueError
        If a number is out of range.

    References
    ----------
    See `normal_posterior` and `normal_expected_losses`.

    Examples
    --------
    >>> found = compare_normal(0.04, 0.15)
    >>> round(found.chance_to_win, 3), round(found.loss_treatment, 4)
    (0.605, 0.042)
    """
    level = check_confidence_level(confidence_level)
    mean, sd = normal_posterior(estimate, standard_error, prior_mean=prior_mean, prior_sd=prior_sd)
    reach = float(special.ndtri((1 + level) / 2)) * sd
    chance = float(special.ndtr(mean / sd))
    prior = "flat prior" if math.isinf(prior_sd) else f"prior N({prior_mean:g}, {prior_sd:g}²)"
    losses = normal_expected_losses(mean, sd)
    return PosteriorComparison(
        mean, mean - reach, mean + reach, sd, chance, *losses, level, f"normal, {prior}"
    )


def compare_beta(
    control: tuple[int, int],
    treatment: tuple[int, int],
    *,
    prior: tuple[float, float] = (1.0, 1.0),
    confidence_level: float = 0.95,
) -> PosteriorComparison:
    """Compare two proportions under a beta prior.

    Parameters
    ----------
    control, treatment
        Successes and trials of each arm.
    prior
        Parameters of the beta prior of each arm, > 0; (1, 1) is uniform.
    confidence_level
        Probability of the credible interval.

    Returns
    -------
    PosteriorComparison
        Chance and losses by quadrature to about 10 digits, the interval by inverting it.

    Raises
    ------
    ValueError
        If counts or prior are out of range.

    References
    ----------
    Chance to win and losses as E[max(p_t − p_c, 0)] = m_t P(p_t' > p_c) − m_c P(p_t > p_c'),
    where m is a posterior mean and p' has one success more; Stucchi (2015), "Bayesian A/B testing
    at VWO".

    Examples
    --------
    >>> found = compare_beta((49, 100), (51, 100))
    >>> round(found.chance_to_win, 4), round(found.loss_treatment, 4)
    (0.6108, 0.0191)
    """
    level = check_confidence_level(confidence_level)
    (a_c, b_c), (a_t, b_t) = (
        _beta(counts, prior, name)
        for counts, name in ((control, "control"), (treatment, "treatment"))
    )
    mean_c, mean_t = a_c / (a_c + b_c), a_t / (a_t + b_t)
    chance = _beta_exceeds((a_t, b_t), (a_c, b_c))
    gain = mean_t * _beta_exceeds((a_t + 1, b_t), (a_c, b_c)) - mean_c * _beta_exceeds(
        (a_t, b_t), (a_c + 1, b_c)
    )
    variances = [a * b / ((a + b) ** 2 * (a + b + 1)) for a, b in ((a_c, b_c), (a_t, b_t))]
    tail = (1 - level) / 2
    low, high = (_beta_difference_quantile((a_t, b_t), (a_c, b_c), q) for q in (tail, 1 - tail))
    gain = max(gain, 0.0)
    return PosteriorComparison(
        mean_t - mean_c,
        low,
        high,
        math.sqrt(sum(variances)),
        chance,
        gain,
        max(gain - (mean_t - mean_c), 0.0),
        level,
        f"beta-binomial, prior beta({prior[0]:g}, {prior[1]:g})",
    )


def probability_best_normal(means: ArrayLike, sds: ArrayLike) -> Vector:
    """Return for each arm the probability that it is the highest, for normal posteriors.

    Parameters
    ----------
    means, sds
        Posterior of each arm, independent, shape (k,), sds > 0.

    Returns
    -------
    NDArray[np.float64]
        Shape (k,), adding up to 1.

    Raises
    ------
    ValueError
        If shapes differ or an sd is not > 0.

    References
    ----------
    P(best = i) = ∫ φ_i Π_{j≠i} Φ_j, by Gauss-Legendre quadrature; these are the weights of
    Thompson sampling.

    Examples
    --------
    >>> probability_best_normal([0.1, 0.12, 0.05], [0.01, 0.01, 0.02]).round(3).tolist()
    [0.079, 0.921, 0.001]
    """
    mean, sd = as_values(means, "means"), as_values(sds, "sds")
    if mean.shape != sd.shape or not (sd > 0).all():
        raise ValueError("means and sds differ in length, or an sd is not > 0")
    return _probability_best(
        mean.size,
        lambda i, u: mean[i] + sd[i] * special.ndtri(u),
        lambda j, x: special.ndtr((x - mean[j]) / sd[j]),
    )


def probability_best_beta(
    arms: Sequence[tuple[int, int]], *, prior: tuple[float, float] = (1.0, 1.0)
) -> Vector:
    """Return for each arm the probability that its proportion is the highest.

    Parameters
    ----------
    arms
        Successes and trials of each arm; at least one.
    prior
        Parameters of the beta prior of each arm.

    Returns
    -------
    NDArray[np.float64]
        Shape (k,), adding up to 1.

    Raises
    ------
    ValueError
        If there are no arms, or counts or prior are out of range.

    References
    ----------
    See `probability_best_normal`.

    Examples
    --------
    >>> probability_best_beta([(10, 100), (15, 100), (12, 100)]).round(3).tolist()
    [0.097, 0.665, 0.238]
    """
    if not arms:
        raise ValueError("no arms; expected at least one")
    shapes = [_beta(counts, prior, f"arm {i}") for i, counts in enumerate(arms)]
    return _probability_best(
        len(shapes),
        lambda i, u: special.betaincinv(*shapes[i], u),
        lambda j, x: special.betainc(*shapes[j], x),
    )


def _probability_best(
    k: int,
    quantile: Callable[[int, Vector], Vector],
    below: Callable[[int, Vector], Vector],
) -> Vector:
    u, weight = _nodes()
    out = np.empty(k)
    for i in range(k):
        x = quantile(i, u)
        product = np.ones_like(u)
        for j in range(k):
            if j != i:
                product = product * below(j, x)
        out[i] = weight @ product
    # The integrals add up to 1 but for the error of the quadrature.
    return np.asarray(out / out.sum())


def _nodes() -> tuple[Vector, Vector]:
    """Quadrature on (0, 1), dense at both ends: u = Φ(z) with nodes in z."""
    x, w = np.polynomial.legendre.leggauss(_NODES)
    z = 8.5 * x
    return special.ndtr(z), 8.5 * w * np.exp(-0.5 * z**2) / math.sqrt(2 * math.pi)


def _beta_exceeds(first: tuple[float, float], second: tuple[float, float]) -> float:
    """P(first > second) of two beta variables."""
    u, weight = _nodes()
    return float(weight @ special.betainc(*second, special.betaincinv(*first, u)))


def _beta_difference_quantile(
    first: tuple[float, float], second: tuple[float, float], q: float
) -> float:
    u, weight = _nodes()
    x = special.betaincinv(*first, u)
    low, high = -1.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        # P(first − second ≤ d) = P(second ≥ first − d).
        share = float(weight @ special.betaincc(*second, np.clip(x - middle, 0.0, 1.0)))
        low, high = (middle, high) if share < q else (low, middle)
    return (low + high) / 2


def _beta(counts: tuple[int, int], prior: tuple[float, float], name: str) -> tuple[float, float]:
    hits, n = check_count(counts[0], name, minimum=0), check_count(counts[1], name, minimum=0)
    if hits > n:
        raise ValueError(f"{name} has {hits} successes of {n}; expected at most {n}")
    if not (prior[0] > 0 and prior[1] > 0):
        raise ValueError(f"prior is {prior}; expected two numbers > 0")
    return prior[0] + hits, prior[1] + n - hits
