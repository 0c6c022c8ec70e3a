"""Drift of vectors, such as sentence embeddings: maximum mean discrepancy, permuted."""

import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from workbench.errors import DataError
from workbench.monitoring.coding import units_of
from workbench.monitoring.drift_html import shade, told
from workbench.monitoring.permuting import permuted_labels

__all__ = ["VectorDrift", "vector_drift"]

Matrix = NDArray[np.float32]
_PAIRS = 2000
_STEPS, _DRAWS = 9, 150
_MOST_TILT = 6.0
_LEAST_ROWS = 20


@dataclass(frozen=True, slots=True)
class VectorDrift:
    """Whether the vectors of two samples come from one population.

    Parameters
    ----------
    value, threshold
        Squared maximum mean discrepancy (unbiased, may be negative) and what it must exceed.
    pvalue, alarm
        Of the permutation test, and whether it is at most alpha.
    change
        Distance of the means along the first principal direction, in standard deviations.
    minimum_change
        Smallest such distance seen with this power, by simulation from both samples; infinite
        where none is.
    alpha, power
        Chance of a false alarm, and the chance with which the minimum change is seen.
    n_reference, n_current
        Rows used; a sample of what was given where that was more.
    dimension
        Length of a vector.
    """

    value: float
    threshold: float
    pvalue: float
    alarm: bool
    change: float
    minimum_change: float
    alpha: float
    power: float
    n_reference: int
    n_current: int
    dimension: int

    def to_frame(self) -> pd.DataFrame:
        """One row."""
        return pd.DataFrame([asdict(self)])

    def _repr_html_(self) -> str:
        ratio = self.value / self.threshold if self.threshold > 0 else 0.0
        word = "drifted" if self.alarm else "did not drift visibly"
        return (
            f"<p style='background:{shade(ratio)}'><b>Vectors {word}</b> · MMD² {self.value:.2g}, "
            f"threshold {self.threshold:.2g}, p = {self.pvalue:.3f} · means apart by "
            f"{told(self.change, 'sd')} along the first principal direction; "
            f"{told(self.minimum_change, 'sd')} would be seen with a chance of {self.power:.0%} · "
            f"{self.n_reference:,} and {self.n_current:,} vectors of {self.dimension}</p>"
        )


def vector_drift(
    reference: ArrayLike,
    current: ArrayLike,
    *,
    groups: tuple[Any, Any] | None = None,
    alpha: float = 0.05,
    power: float = 0.8,
    n_permutations: int = 499,
    most_rows: int = 1500,
    random_state: int = 0,
) -> VectorDrift:
    """Test whether two sets of vectors come from the same population.

    A Gaussian kernel of the median distance; the threshold comes from permuting which vectors
    are current. The minimum change tilts the population along its first principal direction.

    Parameters
    ----------
    reference, current
        Shape (n, d), finite.
    groups
        Group of each row of either sample: whole groups are permuted.
    alpha, power
        Chance of a false alarm; chance with which the minimum change is to be seen.
    n_permutations
        At least 1/alpha − 1.
    most_rows
        Rows used of either sample, drawn at random where there are more: work grows with its
        square.
    random_state
        Seed.

    Returns
    -------
    VectorDrift

    Raises
    ------
    DataError
        When shapes differ, values are not finite, or a sample has fewer than 20 rows or groups.

    References
    ----------
    Gretton, Borgwardt, Rasch, Schölkopf & Smola (2012), JMLR 13:723-773, equation 3.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> same = vector_drift(rng.normal(size=(150, 8)), rng.normal(size=(100, 8)))
    >>> moved = vector_drift(rng.normal(size=(150, 8)), rng.normal(0.7, 1, (100, 8)))
    >>> same.alarm, moved.alarm
    (False, True)
    """
    first, second = _matrix(reference, "reference"), _matrix(current, "current")
    if first.shape[1] != second.shape[1]:
        raise DataError(
            f"vectors of {first.shape[1]} and {second.shape[1]} numbers",
            expected="the same length", fix="encode both with one model",
        )  # fmt: skip
    if alpha * (n_permutations + 1) < 1:
        raise DataError(
            f"{n_permutations} permutations cannot show a chance of {alpha:g}",
            expected=f"{math.ceil(1 / alpha) - 1} or more", fix="raise n_permutations",
        )  # fmt: skip
    rng = np.random.default_rng(random_state)
    chosen = [
        np.sort(rng.permutation(len(part))[:most_rows]) for part in (first, second)
    ]  # fmt: skip
    taken = None
    if groups is not None:
        taken = tuple(np.asarray(g)[c] for g, c in zip(groups, chosen, strict=True))
    first, second = first[chosen[0]], second[chosen[1]]
    units, n_before = units_of(
        None if taken is None else (taken[0], taken[1]), len(first), len(second)
    )
    if min(n_before, int(units.max()) + 1 - n_before) < _LEAST_ROWS:
        raise DataError(
            f"the samples have {n_before} and {int(units.max()) + 1 - n_before} rows or groups",
            expected=f"{_LEAST_ROWS} or more each", fix="take a longer period",
        )  # fmt: skip
    pooled = np.vstack([first, second])
    kernel = _kernel(pooled, rng)
    labels = permuted_labels(units, n_before, n_permutations, random_state=random_state)
    found = _discrepancy(kernel, (~labels).astype(np.float32), labels.astype(np.float32))
    null = np.sort(found[1:])
    rank = int(np.floor(alpha * (n_permutations + 1) + 1e-9))
    threshold = float(null[len(null) - rank])
    exceeding = len(null) - int(np.searchsorted(null, found[0], side="left"))
    pvalue = (1 + exceeding) / (1 + n_permutations)
    along = _principal(pooled)
    moved = float(along[labels[0]].mean() - along[~labels[0]].mean())
    least = _minimum(kernel, along, units, n_before, threshold, power, rng)
    return VectorDrift(
        float(found[0]), threshold, pvalue, pvalue <= alpha, abs(moved), least, alpha, power,
        len(first), len(second), first.shape[1],
    )  # fmt: skip


def _matrix(values: ArrayLike, which: str) -> Matrix:
    found = np.asarray(values, dtype=np.float32)
    if found.ndim != 2 or not np.isfinite(found).all():
        raise DataError(
            f"the {which} vectors have shape {found.shape} or values that are not finite",
            expected="finite numbers of shape (n, d)", fix="encode the texts anew",
        )  # fmt: skip
    return found


def _kernel(pooled: Matrix, rng: np.random.Generator) -> Matrix:
    pooled = pooled - pooled.mean(axis=0)
    size = (pooled**2).sum(axis=1)
    squared = np.maximum(size[:, None] + size - 2 * pooled @ pooled.T, 0.0)
    one, other = rng.integers(0, len(pooled), (2, _PAIRS))
    apart = squared[one, other][one != other]
    scale = float(np.median(apart)) if apart.size else 1.0
    return np.asarray(np.exp(-squared / (2 * (scale or 1.0))), dtype=np.float32)


def _within(kernel: Matrix, counts: Matrix) -> NDArray[np.float64]:
    n = counts.sum(axis=1, dtype=np.float64)
    total = np.einsum("bi,bi->b", counts @ kernel, counts, dtype=np.float64)
    return np.asarray((total - n) / (n * (n - 1)))


def _discrepancy(kernel: Matrix, before: Matrix, after: Matrix) -> NDArray[np.float64]:
    """Unbiased squared discrepancy of samples given as counts of the pooled rows, shape (b, N)."""
    n0, n1 = before.sum(axis=1, dtype=np.float64), after.sum(axis=1, dtype=np.float64)
    across = np.einsum("bi,bi->b", before @ kernel, after, dtype=np.float64) / (n0 * n1)
    return np.asarray(_within(kernel, before) + _within(kernel, after) - 2 * across)


def _principal(pooled: Matrix) -> NDArray[np.float64]:
    centred = pooled.astype(np.float64) - pooled.mean(axis=0)
    _, axes = np.linalg.eigh(centred.T @ centred)
    along = centred @ axes[:, -1]
    return np.asarray(along / (along.std() or 1.0))


def _minimum(
    kernel: Matrix,
    along: NDArray[np.float64],
    units: NDArray[np.intp],
    n_before: int,
    threshold: float,
    power: float,
    rng: np.random.Generator,
) -> float:
    n_units = int(units.max()) + 1
    size = np.bincount(units, minlength=n_units)
    score = np.bincount(units, along, minlength=n_units) / size
    even = np.full(n_units, 1 / n_units)
    before = rng.multinomial(n_before, even, _DRAWS)[:, units].astype(np.float32)
    seed = int(rng.integers(2**31))

    def tilted(theta: float) -> NDArray[np.float64]:
        weights = np.exp(theta * score - (theta * score).max())
        return np.asarray(weights / weights.sum())

    def seen(theta: float) -> bool:
        draw = np.random.default_rng(seed)  # the same draws at every step: power rises smoothly
        after = draw.multinomial(n_units - n_before, tilted(theta), _DRAWS)[:, units]
        found = _discrepancy(kernel, before, after.astype(np.float32))
        return bool((found > threshold).mean() >= power)

    low, high = 0.0, _MOST_TILT
    if not seen(high):
        return math.inf
    for _ in range(_STEPS):
        middle = (low + high) / 2
        low, high = (low, middle) if seen(middle) else (middle, high)
    drawn = tilted(high) * size
    return float(drawn @ score / drawn.sum() - along.mean())
