"""E-values: evidence that may be merged, and corrected for multiplicity under any dependence."""

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workbench.stats.validation import check_confidence_level

__all__ = ["e_benjamini_hochberg", "evalues_from_pvalues", "merge_evalues"]


def merge_evalues(evalues: ArrayLike, *, independent: bool = False) -> float:
    """Merge e-values against the same null hypothesis into one.

    Parameters
    ----------
    evalues
        Shape (m,), ≥ 0, m ≥ 1.
    independent
        Whether they come from independent data (or each is an e-value given the earlier ones):
        then they multiply. Otherwise their mean is taken, which is valid under any dependence.

    Returns
    -------
    float
        An e-value.

    Raises
    ------
    ValueError
        If there is none or one is negative or NaN.

    References
    ----------
    Vovk & Wang (2021), "E-values: Calibration, combination and applications", Annals of
    Statistics 49:1736-1754, section 3.

    Examples
    --------
    >>> merge_evalues([4.0, 8.0]), merge_evalues([4.0, 8.0], independent=True)
    (6.0, 32.0)
    """
    e = _checked(evalues)
    if independent:
        # 0 · ∞ is 0: a null refuted by nothing stays unrefuted.
        return 0.0 if (e == 0).any() else float(np.prod(e))
    return float(e.mean())


def e_benjamini_hochberg(evalues: ArrayLike, *, alpha: float = 0.05) -> NDArray[np.bool_]:
    """Select findings from e-values, at most a share alpha of them false in expectation.

    Parameters
    ----------
    evalues
        Shape (m,), ≥ 0; NaN, for what could not be tested, is never selected nor counted.
    alpha
        False discovery rate, whatever the dependence between the e-values.

    Returns
    -------
    NDArray[np.bool_]
        Shape (m,), true for findings.

    Raises
    ------
    ValueError
        If an e-value is negative, the shape is wrong, or alpha is not in (0, 1).

    References
    ----------
    Wang & Ramdas (2022), "False discovery rate control with e-values", JRSS B 84:822-852.

    Examples
    --------
    >>> e_benjamini_hochberg([100.0, 45.0, 3.0, 0.5]).tolist()
    [True, True, False, False]
    """
    alpha = check_confidence_level(alpha, "alpha")
    given = np.asarray(evalues, dtype=np.float64)
    tested = ~np.isnan(given) if given.ndim == 1 else np.array([True])
    found = np.zeros(given.shape, dtype=np.bool_)
    if given.ndim == 1 and not tested.any():
        return found
    e = _checked(given[tested] if given.ndim == 1 else given)
    ranked = np.sort(e)[::-1]
    enough = np.flatnonzero(np.arange(1, e.size + 1) * ranked >= e.size / alpha)
    if enough.size:
        found[tested] = e >= e.size / (alpha * (enough[-1] + 1))
    return found


def evalues_from_pvalues(pvalues: ArrayLike) -> NDArray[np.float64]:
    """Calibrate p-values into e-values.

    Parameters
    ----------
    pvalues
        In [0, 1], any shape; NaN stays NaN.

    Returns
    -------
    NDArray[np.float64]
        (1 − p + p ln p) / (p (ln p)²), which mixes over all power calibrators; ∞ at 0, ½ at 1.

    Raises
    ------
    ValueError
        If a p-value lies outside [0, 1].

    References
    ----------
    Vovk & Wang (2021), section 2: the mixture over all power calibrators.

    Examples
    --------
    >>> evalues_from_pvalues([0.001, 0.05, 1.0]).round(2).tolist()
    [20.79, 1.78, 0.5]
    """
    p = np.asarray(pvalues, dtype=np.float64)
    if ((p < 0) | (p > 1)).any():
        raise ValueError("pvalues lie outside [0, 1]; expected probabilities")
    # Near 1 the quotient is 0/0; its series there is ½ + (1 − p)/6.
    near = p > 1 - 1e-4
    inner = np.where(near | (p == 0), 0.5, p)
    log = np.log(inner)
    value = (1 - inner + inner * log) / (inner * log**2)
    value = np.where(near, 0.5 + (1 - p) / 6, value)
    return np.asarray(np.where(p == 0, math.inf, np.where(np.isnan(p), np.nan, value)))


def _checked(evalues: ArrayLike) -> NDArray[np.float64]:
    e = np.asarray(evalues, dtype=np.float64)
    if e.ndim != 1 or e.size == 0 or not (e >= 0).all():
        raise ValueError(f"evalues are {e.tolist()}; expected one or more numbers ≥ 0, shape (m,)")
    return e
