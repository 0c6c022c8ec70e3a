"""Tests of two models over the folds of one data set, whose results are not independent."""

import math

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from workbench.stats.bounds import standardised, t_half_width
from workbench.stats.results import Difference
from workbench.stats.validation import as_values, check_confidence_level, check_count

__all__ = ["corrected_resampled_t", "five_by_two_t"]


def corrected_resampled_t(
    differences: ArrayLike, *, n_train: int, n_test: int, confidence_level: float = 0.95
) -> Difference:
    """Test a mean difference over resampled or cross-validated splits (Nadeau-Bengio).

    Parameters
    ----------
    differences
        Figure of a minus figure of b on each split, shape (k,), k ≥ 2: 100 for ten times
        ten-fold cross-validation.
    n_train, n_test
        Examples to train on and to test on in each split.
    confidence_level
        Nominal coverage.

    Returns
    -------
    Difference
        With variance s² (1/k + n_test/n_train) and k − 1 degrees of freedom; `n` counts splits.

    Raises
    ------
    ValueError
        If there are fewer than two splits, values are not finite, or a size is not ≥ 1.

    References
    ----------
    Nadeau & Bengio (2003), Machine Learning 52:239-281; Bouckaert & Frank (2004), PAKDD, 3-12.

    Examples
    --------
    >>> found = corrected_resampled_t([0.02, 0.01, 0.03, 0.02, 0.0], n_train=80, n_test=20)
    >>> round(found.statistic, 3), round(found.pvalue, 3)
    (2.092, 0.105)
    """
    d = as_values(differences, "differences")
    train, test = check_count(n_train, "n_train"), check_count(n_test, "n_test")
    level = check_confidence_level(confidence_level)
    if d.size < 2:
        raise ValueError(f"{d.size} split; expected at least 2")
    error = math.sqrt(float(d.var(ddof=1)) * (1 / d.size + test / train))
    return _difference(float(d.mean()), error, d.size - 1, d.size, level, "corrected resampled t")


def five_by_two_t(differences: ArrayLike, *, confidence_level: float = 0.95) -> Difference:
    """Test a difference over five repetitions of two-fold cross-validation (Dietterich).

    Parameters
    ----------
    differences
        Figure of a minus figure of b, shape (5, 2): a row each repetition, a column each fold.
    confidence_level
        Nominal coverage.

    Returns
    -------
    Difference
        The difference of the first fold of the first repetition, which is what the test
        standardises, with 5 degrees of freedom.

    Raises
    ------
    ValueError
        If the shape is another or a value is not finite.

    References
    ----------
    Dietterich (1998), Neural Computation 10:1895-1923.

    Examples
    --------
    >>> d = [[0.02, 0.03], [0.01, 0.02], [0.03, 0.01], [0.02, 0.02], [0.01, 0.03]]
    >>> round(five_by_two_t(d).statistic, 3)
    2.0
    """
    table = np.asarray(differences, dtype=np.float64)
    if table.shape != (5, 2) or not np.isfinite(table).all():
        raise ValueError(f"differences has shape {table.shape}; expected (5, 2), finite")
    level = check_confidence_level(confidence_level)
    variances = ((table - table.mean(axis=1, keepdims=True)) ** 2).sum(axis=1)
    error = math.sqrt(float(variances.mean()))
    return _difference(float(table[0, 0]), error, 5, 10, level, "5x2cv t")


def _difference(
    difference: float, error: float, df: int, n: int, level: float, method: str
) -> Difference:
    half = t_half_width(error, df, level)
    t = standardised(difference, error)
    pvalue = 2.0 * float(special.stdtr(df, -abs(t)))
    return Difference(
        difference, difference - half, difference + half, error, t, pvalue, n, None, level, method
    )
