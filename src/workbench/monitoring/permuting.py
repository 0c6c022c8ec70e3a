"""Statistics of drift from counts, for the samples as they are and for many permutations."""

import itertools
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse, special

from workbench.monitoring.coding import CodedColumn

__all__ = [
    "Calibrated", "calibrate", "chi_square", "kolmogorov_smirnov", "means_squared_t",
    "permuted_labels", "population_stability", "walk_counts", "wasserstein",
]  # fmt: skip

Matrix = NDArray[np.float64]
PILOT = 200
"""Permutations that set each statistic's scale; they take no part in the calibration."""
_MOST_LABELS = 30_000_000
_LEAST_SKEW = 0.05
_PSI_CELLS = 10


def permuted_labels(
    units: NDArray[np.intp], n_reference_units: int, n: int, *, random_state: int
) -> NDArray[np.bool_]:
    """Draw which rows count as current, whole units at a time; row 0 is what was observed.

    Parameters
    ----------
    units
        Unit of each row, shape (N,).
    n_reference_units
        Units of the reference; they have the lowest codes.
    n
        Permutations.
    random_state
        Seed.

    Returns
    -------
    ndarray of bool, shape (1 + n, N)
    """
    rng = np.random.default_rng(random_state)
    n_units = int(units.max()) + 1
    observed = np.arange(n_units) >= n_reference_units
    drawn = rng.permuted(np.broadcast_to(observed, (n, n_units)), axis=1)
    return np.asarray(np.vstack([observed, drawn])[:, units], dtype=bool)


def walk_counts(
    columns: Sequence[CodedColumn], labels: NDArray[np.bool_]
) -> list[tuple[Matrix, Matrix]]:
    """Count the rows of each cell that are reference and current, under every labelling.

    Parameters
    ----------
    columns
        The columns.
    labels
        Shape (b, N), true where a row counts as current.

    Returns
    -------
    list of (reference, current)
        Counts of each column, shape (b, n_cells) each.
    """
    n = labels.shape[1]
    starts = np.cumsum([0, *(column.n_cells for column in columns)])
    rows = np.concatenate([c.codes + s for c, s in zip(columns, starts[:-1], strict=True)])
    ones = np.ones(len(rows), np.float32)
    member = sparse.csr_array(
        (ones, (rows, np.tile(np.arange(n), len(columns)))), shape=(int(starts[-1]), n)
    )
    step = max(_MOST_LABELS // n, 1)
    parts = [
        (member @ labels[at : at + step].T.astype(np.float32)).T
        for at in range(0, len(labels), step)
    ]
    current = np.vstack(parts).astype(np.float64)
    total = np.asarray(member.sum(axis=1), dtype=np.float64)
    return [(total[a:b] - current[:, a:b], current[:, a:b]) for a, b in itertools.pairwise(starts)]


def kolmogorov_smirnov(reference: Matrix, current: Matrix) -> Matrix:
    """Largest distance of the distribution functions, from counts of shape (b, cells)."""
    gap = np.cumsum(_shares(current) - _shares(reference), axis=1)
    return np.asarray(np.abs(gap).max(axis=1, initial=0.0))


def wasserstein(reference: Matrix, current: Matrix, centres: Matrix) -> Matrix:
    """Mean distance that known values moved, in standard deviations of both samples together."""
    known = ~np.isnan(centres)
    reference, current, centres = reference[:, known], current[:, known], centres[known]
    if centres.size < 2:
        return np.zeros(len(reference))
    both = reference[0] + current[0]
    mean = float(both @ centres / both.sum())
    sd = float(np.sqrt(both @ (centres - mean) ** 2 / both.sum()))
    gap = np.cumsum(_shares(current) - _shares(reference), axis=1)[:, :-1]
    return np.asarray(np.abs(gap) @ np.diff(centres) / sd)


def chi_square(reference: Matrix, current: Matrix) -> Matrix:
    """Pearson's chi-square of two samples, from counts of shape (b, cells)."""
    n_current, n_reference = current.sum(axis=1), reference.sum(axis=1)
    total = reference + current
    expected = total * (n_current / (n_current + n_reference))[:, None]
    spread = expected * (n_reference / (n_current + n_reference))[:, None]
    part = np.divide((current - expected) ** 2, spread, out=np.zeros_like(total), where=spread > 0)
    return np.asarray(part.sum(axis=1))


def population_stability(reference: Matrix, current: Matrix, *, ordered: bool) -> Matrix:
    """Population stability index over tenths (or categories), half a row added to each cell."""
    if ordered and reference.shape[1] > _PSI_CELLS:
        total = np.cumsum(reference[0] + current[0])
        tenth = np.minimum((total - 1) * _PSI_CELLS // total[-1], _PSI_CELLS - 1)
        starts = np.unique(np.searchsorted(tenth, np.arange(_PSI_CELLS)))
        starts = starts[starts < len(tenth)]
        reference = np.add.reduceat(reference, starts, axis=1)
        current = np.add.reduceat(current, starts, axis=1)
    a, b = _shares(current + 0.5), _shares(reference + 0.5)
    return np.asarray(((a - b) * np.log(a / b)).sum(axis=1))


def means_squared_t(values: Matrix, labels: NDArray[np.bool_]) -> Matrix:
    """Squared Welch t of the means of each column of values, shape (b, k).

    Studentised, so that the permutation test keeps its level for means alone (Janssen 1997,
    Statistics & Probability Letters 36:9-21).
    """
    centred = values - values.mean(axis=0)
    out = np.empty((len(labels), values.shape[1]))
    step = max(_MOST_LABELS // labels.shape[1], 1)
    total, squares = centred.sum(axis=0), (centred**2).sum(axis=0)
    for at in range(0, len(labels), step):
        chosen = labels[at : at + step].astype(np.float64)
        n1 = chosen.sum(axis=1, keepdims=True)
        n0 = labels.shape[1] - n1
        s1, q1 = chosen @ centred, chosen @ centred**2
        m1, m0 = s1 / n1, (total - s1) / n0
        v1 = (q1 / n1 - m1**2) / np.maximum(n1 - 1, 1)
        v0 = ((squares - q1) / n0 - m0**2) / np.maximum(n0 - 1, 1)
        spread = np.maximum(v0 + v1, 0.0)
        part = out[at : at + step]
        part[:] = np.divide((m1 - m0) ** 2, spread, out=np.zeros_like(spread), where=spread > 0)
    return out


class Calibrated(NamedTuple):
    """Several statistics held against the permutations of their labels.

    Attributes
    ----------
    threshold
        Value above which each statistic alarms, in its own unit, shape (k,).
    pvalue
        Corrected for all k statistics, shape (k,).
    centre
        Mean of each statistic under permutation, shape (k,).
    """

    threshold: Matrix
    pvalue: Matrix
    centre: Matrix


def calibrate(statistics: Matrix, alpha: float) -> Calibrated:
    """Find thresholds that, over all statistics together, alarm falsely with chance alpha.

    Each statistic is brought to a common scale, the tail probability of a shifted gamma
    distribution with mean, spread and skewness of its own first permutations. The largest of the
    scaled statistics is then compared with its permutations, which is exact whatever the scaling:
    given the first permutations, the labels observed and the others are equally likely.

    Parameters
    ----------
    statistics
        Shape (1 + n, k): as observed, then permuted; the last 200 set the scale.
    alpha
        False-alarm rate over all k.

    References
    ----------
    Westfall & Young (1993), Resampling-Based Multiple Testing, section 2.6 (max T); the fit of
    a shifted gamma: Minas & Montana (2014), arXiv:1307.0756; the added 1: Phipson & Smyth (2010).
    """
    pilot, used = statistics[-PILOT:], statistics[:-PILOT]
    mean, sd = pilot.mean(axis=0), pilot.std(axis=0)
    moves = sd > 1e-12 * np.maximum(np.abs(mean), 1e-300)
    z = (pilot - mean) / np.where(moves, sd, 1.0)
    skew = np.maximum((z**3).mean(axis=0), _LEAST_SKEW)
    shape = 4 / skew**2
    at = shape + (used - mean) / np.where(moves, sd, 1.0) * np.sqrt(shape)
    tail = special.gammaincc(shape, np.maximum(at, 0.0))
    score = np.where(moves, -np.log10(np.maximum(tail, 1e-300)), 0.0)
    largest = np.sort(score[1:].max(axis=1))
    n = len(largest)
    rank = int(np.floor(alpha * (n + 1) + 1e-9))
    bound = largest[n - rank]
    threshold = mean + sd * (special.gammainccinv(shape, 10.0**-bound) - shape) / np.sqrt(shape)
    exceeding = n - np.searchsorted(largest, score[0], side="left")
    return Calibrated(threshold, (1 + exceeding) / (n + 1), mean)


def _shares(counts: Matrix) -> Matrix:
    return np.asarray(counts / counts.sum(axis=1, keepdims=True))
