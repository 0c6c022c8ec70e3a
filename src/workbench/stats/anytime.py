"""Inference that holds at every look: confidence sequences from normal mixtures.

A confidence sequence covers the truth at all sample sizes at once with the probability it says, so
one may look after every unit and stop whenever one likes. Its e-value measures the evidence
against a null value: under the null its expectation never exceeds 1, and the chance that it ever
exceeds 1/alpha is at most alpha.
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import optimize, special

from workbench.stats.validation import check_confidence_level

__all__ = [
    "ConfidenceSequence",
    "asymptotic_confidence_sequence",
    "mixture_ratio",
    "msprt",
    "normal_mixture_boundary",
    "running_sequence",
]


class ConfidenceSequence(NamedTuple):
    """Estimates with bounds that hold at all looks together, shape of the inputs.

    Attributes
    ----------
    estimate
        The figure at each look.
    ci_lower, ci_upper
        Bounds.
    log_e_value
        Natural logarithm of the evidence against the null value.
    pvalue
        min(1, 1 / e-value): valid at any look.
    confidence_level
        Nominal coverage of all looks together.
    method
        How it was made.
    """

    estimate: NDArray[np.float64]
    ci_lower: NDArray[np.float64]
    ci_upper: NDArray[np.float64]
    log_e_value: NDArray[np.float64]
    pvalue: NDArray[np.float64]
    confidence_level: float
    method: str


def asymptotic_confidence_sequence(
    estimate: ArrayLike,
    standard_error: ArrayLike,
    n: ArrayLike,
    *,
    n_opt: float,
    null: float = 0.0,
    confidence_level: float = 0.95,
) -> ConfidenceSequence:
    """Turn estimates with standard errors into an asymptotic confidence sequence.

    Parameters
    ----------
    estimate, standard_error
        Any asymptotically normal figure (difference of means, lift, ratio, adjusted mean) at each
        look, and its standard error; shapes that broadcast.
    n
        Units behind each look.
    n_opt
        Sample size at which the sequence is to be tightest, chosen beforehand: about where a
        decision is hoped for.
    null
        Value the e-value speaks against.
    confidence_level
        Nominal coverage.

    Returns
    -------
    ConfidenceSequence
        Half-width √(n se² · (2(nρ² + 1)/(n²ρ²)) · log(√(nρ² + 1)/alpha)). An infinite or NaN
        standard error gives infinite bounds.

    Raises
    ------
    ValueError
        If n or n_opt is not > 0, a standard error is negative, or the level is not in (0, 1).

    Notes
    -----
    The guarantee is asymptotic in the first look: begin to look once an ordinary interval could
    be trusted (some hundred units, more for rare outcomes).

    References
    ----------
    Waudby-Smith, Arbour, Sinha, Kennedy & Ramdas (2024), "Time-uniform central limit theory and
    asymptotic confidence sequences", Annals of Statistics 52:2613-2640, arXiv:2103.06476: the
    Gaussian-mixture sequence; ρ at n_opt as in `mixture_ratio`.

    Examples
    --------
    >>> found = asymptotic_confidence_sequence([0.1, 0.1], [0.05, 0.02], [500, 3000], n_opt=2000)
    >>> found.ci_lower.round(3).tolist(), found.pvalue.round(4).tolist()
    ([-0.063, 0.039], [0.457, 0.0])
    """
    units = np.asarray(n, dtype=np.float64)
    if not (units > 0).all():
        raise ValueError(f"n reaches down to {units.min()}; expected numbers > 0")
    level = check_confidence_level(confidence_level)
    if not 0 < n_opt < math.inf:
        raise ValueError(f"n_opt is {n_opt!r}; expected a finite number > 0")
    ratio = units * (mixture_ratio(1 - level) / n_opt)
    return _normal_mixture(
        estimate, standard_error, ratio, null, level, "asymptotic confidence sequence"
    )


def msprt(
    estimate: ArrayLike,
    standard_error: ArrayLike,
    *,
    tau: float,
    null: float = 0.0,
    confidence_level: float = 0.95,
) -> ConfidenceSequence:
    """Return the mixture sequential probability ratio test of a normal figure.

    Parameters
    ----------
    estimate, standard_error
        Figure and known standard error at each look; shapes that broadcast.
    tau
        Standard deviation of the effects mixed over, N(null, tau²), in the unit of the figure,
        chosen beforehand: about the size of effects hoped for.
    null
        Value tested.
    confidence_level
        Nominal coverage.

    Returns
    -------
    ConfidenceSequence

    Raises
    ------
    ValueError
        If tau is not > 0, a standard error is negative, or the level is not in (0, 1).

    References
    ----------
    Johari, Koomen, Pekelis & Walsh (2022), "Always Valid Inference", Operations Research
    70:1806-1821, arXiv:1512.04922; Robbins (1970), Annals of Mathematical Statistics 41:1397.

    Examples
    --------
    >>> found = msprt(0.15, (2 / 1000) ** 0.5, tau=0.1)
    >>> round(float(np.exp(found.log_e_value)), 3), round(float(found.pvalue), 4)
    (44.328, 0.0226)
    """
    if not 0 < tau < math.inf:
        raise ValueError(f"tau is {tau!r}; expected a finite number > 0")
    level = check_confidence_level(confidence_level)
    error = np.asarray(standard_error, dtype=np.float64)
    with np.errstate(divide="ignore"):
        ratio = tau**2 / error**2
    return _normal_mixture(estimate, error, ratio, null, level, "mixture SPRT")


def normal_mixture_boundary(
    v: ArrayLike, *, v_opt: float, alpha: float = 0.05, two_sided: bool = True
) -> NDArray[np.float64]:
    """Return the boundary that a sum of centred sub-Gaussian terms stays within at all times.

    Parameters
    ----------
    v
        Intrinsic time: the sum of the terms' variances so far, > 0.
    v_opt
        Intrinsic time at which the boundary is to be tightest.
    alpha
        Chance that the sum ever leaves.
    two_sided
        Whether both sides are bounded.

    Returns
    -------
    NDArray[np.float64]
        Shape of `v`.

    Raises
    ------
    ValueError
        If alpha is not in (0, 1) or v or v_opt is not > 0.

    References
    ----------
    Howard, Ramdas, McAuliffe & Sekhon (2021), "Time-uniform, nonparametric, nonasymptotic
    confidence sequences", Annals of Statistics 49:1055-1080, section 3: the two-sided and
    the one-sided normal mixture.

    Examples
    --------
    >>> normal_mixture_boundary([100.0], v_opt=100).round(3).tolist()
    [30.352]
    """
    alpha = check_confidence_level(alpha, "alpha")
    time = np.asarray(v, dtype=np.float64)
    if not (time > 0).all() or not 0 < v_opt < math.inf:
        raise ValueError("v and v_opt are not all > 0; expected positive numbers")
    spent = alpha if two_sided else 2 * alpha
    if spent >= 1:
        raise ValueError(f"alpha is {alpha}; expected less than 0.5 for one side")
    rho = v_opt / mixture_ratio(spent)
    if two_sided:
        return np.asarray(np.sqrt((time + rho) * (np.log1p(time / rho) - 2 * math.log(alpha))))
    flat = [_one_sided(float(t), rho, alpha) for t in time.ravel()]
    return np.asarray(flat, dtype=np.float64).reshape(time.shape)


def mixture_ratio(alpha: float) -> float:
    """Return the ratio of mixture to sampling variance that is best at the chosen time.

    Parameters
    ----------
    alpha
        Chance of ever erring, two-sided.

    Returns
    -------
    float
        2 log(1/alpha) + log(1 + 2 log(1/alpha)).

    Raises
    ------
    ValueError
        If alpha is not in (0, 1).

    References
    ----------
    Howard et al. (2021), section on tuning, to first order in the Lambert W function.

    Examples
    --------
    >>> round(100 / mixture_ratio(0.05), 5)
    12.60056
    """
    doubled = -2 * math.log(check_confidence_level(alpha, "alpha"))
    return doubled + math.log1p(doubled)


def running_sequence(sequence: ConfidenceSequence) -> ConfidenceSequence:
    """Keep at each look the tightest bounds and the strongest evidence so far.

    Parameters
    ----------
    sequence
        Looks in order along the last axis, all of the same true value.

    Returns
    -------
    ConfidenceSequence
        Bounds never widen and p-values never rise. Bounds that cross (which happens with at most
        the error rate) show that the true value changed.

    Examples
    --------
    >>> found = msprt([0.5, 0.1], [0.1, 0.1], tau=0.2)
    >>> bool(running_sequence(found).pvalue[1] == found.pvalue[0])
    True
    """
    return sequence._replace(
        ci_lower=np.maximum.accumulate(sequence.ci_lower, axis=-1),
        ci_upper=np.minimum.accumulate(sequence.ci_upper, axis=-1),
        log_e_value=np.maximum.accumulate(sequence.log_e_value, axis=-1),
        pvalue=np.minimum.accumulate(sequence.pvalue, axis=-1),
    )


def _normal_mixture(
    estimate: ArrayLike,
    standard_error: ArrayLike,
    ratio: NDArray[np.float64],
    null: float,
    level: float,
    method: str,
) -> ConfidenceSequence:
    """Mixture over N(null, ratio · se²) of normal likelihood ratios."""
    centre, error, r = np.broadcast_arrays(
        np.asarray(estimate, dtype=np.float64), np.asarray(standard_error, np.float64), ratio
    )
    if (error < 0).any():
        raise ValueError(f"standard_error reaches down to {error.min()}; expected numbers ≥ 0")
    known = np.isfinite(error) & np.isfinite(centre)
    exact = known & (error == 0)
    usable = known & ~exact
    scale, r = np.where(usable, error, 1.0), np.where(usable, r, 1.0)
    radius = scale * np.sqrt((1 + 1 / r) * (np.log1p(r) - 2 * math.log(1 - level)))
    radius = np.where(exact, 0.0, np.where(usable, radius, np.inf))
    gap = np.where(known, centre - null, 0.0)
    log_e = 0.5 * (r / (1 + r) * (gap / scale) ** 2 - np.log1p(r))
    log_e = np.where(usable, log_e, np.where(exact & (gap != 0), np.inf, 0.0))
    return ConfidenceSequence(
        centre.copy(),
        np.where(known, centre - radius, -np.inf),
        np.where(known, centre + radius, np.inf),
        log_e,
        np.exp(-np.maximum(log_e, 0.0)),
        level,
        method,
    )


def _one_sided(v: float, rho: float, alpha: float) -> float:
    def excess(s: float) -> float:
        log_mixture = 0.5 * math.log(4 * rho / (v + rho)) + s * s / (2 * (v + rho))
        return log_mixture + float(special.log_ndtr(s / math.sqrt(v + rho))) + math.log(alpha)

    high = math.sqrt((v + rho) * (math.log1p(v / rho) - 2 * math.log(alpha))) + 1.0
    return float(optimize.brentq(excess, 0.0, high, xtol=1e-10))
