"""Strengths from pairwise preferences: Bradley-Terry, with ties and intervals."""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special
from scipy.sparse import csgraph

from workbench.stats.bounds import normal_quantile
from workbench.stats.validation import check_confidence_level

__all__ = ["BradleyTerry", "bradley_terry", "count_preferences"]

Matrix = NDArray[np.float64]


class BradleyTerry(NamedTuple):
    """Strengths on the log-odds scale, adding up to 0.

    Attributes
    ----------
    strength
        Shape (k,): exp(strength) is the odds of winning against an average competitor.
    ci_lower, ci_upper
        Bounds of each strength.
    covariance
        Of the strengths, shape (k, k): differences of two have its usual variance.
    log_tie
        Davidson's log ν (how common ties are between equals); −∞ without ties.
    n
        Comparisons, ties included.
    confidence_level
        Nominal coverage.
    method
        Model and prior.
    """

    strength: Matrix
    ci_lower: Matrix
    ci_upper: Matrix
    covariance: Matrix
    log_tie: float
    n: float
    confidence_level: float
    method: str

    def win_probability(self, first: int, second: int) -> float:
        """Return the chance that `first` is preferred, given that one of the two is."""
        return float(special.expit(self.strength[first] - self.strength[second]))


def count_preferences(
    first: Sequence[Any] | NDArray[Any],
    second: Sequence[Any] | NDArray[Any],
    outcome: ArrayLike,
    *,
    names: Sequence[Any],
) -> tuple[Matrix, Matrix]:
    """Count wins and ties of every pair, so that fitting costs the same for any number.

    Parameters
    ----------
    first, second
        The two competitors of each comparison, shape (n,).
    outcome
        1 when the first was preferred, 0 when the second was, 0.5 for a tie, shape (n,).
    names
        All competitors, in the order of the result.

    Returns
    -------
    tuple[NDArray[np.float64], NDArray[np.float64]]
        Wins of the row against the column, and ties (symmetric), each of shape (k, k).

    Raises
    ------
    ValueError
        If lengths differ, a name is unknown, one is compared with itself, or an outcome is not 0,
        0.5 or 1.

    Examples
    --------
    >>> wins, ties = count_preferences("aab", "bbc", [1, 0.5, 0], names="abc")
    >>> wins.astype(int).tolist(), int(ties[0, 1])
    ([[0, 1, 0], [0, 0, 0], [0, 1, 0]], 1)
    """
    position = {name: i for i, name in enumerate(names)}
    result = np.asarray(outcome, dtype=np.float64)
    if not len(first) == len(second) == result.size:
        raise ValueError(
            f"lengths differ: {len(first)}, {len(second)} and {result.size}; expected the same"
        )
    if not np.isin(result, (0.0, 0.5, 1.0)).all():
        raise ValueError("an outcome is not 0, 0.5 or 1")
    unknown = [name for name in (*first, *second) if name not in position]
    if unknown:
        raise ValueError(f"competitor {unknown[0]!r} is unknown; expected one of {list(names)}")
    a = np.array([position[name] for name in first], dtype=np.intp)
    b = np.array([position[name] for name in second], dtype=np.intp)
    if (a == b).any():
        raise ValueError("a competitor is compared with itself; expected two different ones")
    wins, ties = np.zeros((len(position),) * 2), np.zeros((len(position),) * 2)
    np.add.at(wins, (a[result == 1], b[result == 1]), 1.0)
    np.add.at(wins, (b[result == 0], a[result == 0]), 1.0)
    tied = result == 0.5
    np.add.at(ties, (a[tied], b[tied]), 1.0)
    return wins, ties + ties.T


def bradley_terry(
    wins: ArrayLike,
    *,
    ties: ArrayLike | None = None,
    prior_wins: float = 0.0,
    confidence_level: float = 0.95,
) -> BradleyTerry:
    """Estimate strengths from counts of pairwise preferences by maximum likelihood.

    Parameters
    ----------
    wins
        How often the row was preferred to the column, shape (k, k), k ≥ 2, ≥ 0.
    ties
        How often the two tied, symmetric, shape (k, k); Davidson's model is fitted then.
    prior_wins
        Wins (and as many losses) of each competitor against an imagined average one, added to
        the data: 0 for maximum likelihood, about 0.5 to keep competitors that never lost, or were
        never compared, at a finite strength.
    confidence_level
        Nominal coverage of each interval, taken alone.

    Returns
    -------
    BradleyTerry

    Raises
    ------
    ValueError
        If shapes or counts are wrong; or, without a prior, if the strengths have no finite
        maximum: some competitors were never preferred to (or never compared with) the others.

    References
    ----------
    Bradley & Terry (1952), Biometrika 39:324-345; existence: Ford (1957), American Mathematical
    Monthly 64:28-33; ties: Davidson (1970), JASA 65:317-328.

    Examples
    --------
    >>> found = bradley_terry([[0, 6, 8], [4, 0, 6], [2, 4, 0]])
    >>> found.strength[[0, 2]].round(3).tolist(), round(found.win_probability(0, 2), 3)
    ([0.576, -0.576], 0.76)
    """
    won, tied = _checked(wins, ties)
    level = check_confidence_level(confidence_level)
    if not 0 <= prior_wins < math.inf:
        raise ValueError(f"prior_wins is {prior_wins!r}; expected a finite number ≥ 0")
    if prior_wins == 0:
        _check_connected(won, tied)
    strength, log_tie, information = _fit(won, tied, prior_wins)
    k = len(strength)
    # Strengths are known up to a shift; the pseudo-inverse is the covariance of those summing to 0.
    inverse = np.linalg.pinv(information, hermitian=True, rcond=1e-10)[:k, :k]
    centre = np.eye(k) - 1 / k
    covariance = np.asarray(centre @ inverse @ centre, dtype=np.float64)
    half = normal_quantile(level) * np.sqrt(np.maximum(np.diagonal(covariance), 0.0))
    strength = strength - strength.mean()
    n = float(won.sum() + tied.sum() / 2)
    method = "Bradley-Terry" if not tied.any() else "Davidson (Bradley-Terry with ties)"
    method += f", {prior_wins:g} prior wins and losses each" if prior_wins else ""
    return BradleyTerry(
        strength, strength - half, strength + half, covariance, log_tie, n, level, method
    )


def _fit(won: Matrix, tied: Matrix, prior: float) -> tuple[Matrix, float, Matrix]:
    """Newton's method with halving; strengths, log ν, and the observed information."""
    k = len(won)
    with_ties = bool(tied.any())
    theta = np.zeros(k + with_ties)
    value, slope, information = _likelihood(theta, won, tied, prior)
    for _ in range(200):
        step = np.linalg.lstsq(information, slope, rcond=1e-10)[0]
        scale = min(1.0, 5.0 / max(float(np.abs(step).max()), 1e-300))
        while True:
            trial = theta + scale * step
            new, new_slope, new_information = _likelihood(trial, won, tied, prior)
            if new >= value - 1e-12 * abs(value) or scale < 1e-8:
                break
            scale /= 2
        theta, value, slope, information = trial, new, new_slope, new_information
        if float(np.abs(scale * step).max()) < 1e-10:
            break
    return theta[:k], float(theta[k]) if with_ties else -math.inf, information


def _likelihood(
    theta: Matrix, won: Matrix, tied: Matrix, prior: float
) -> tuple[float, Matrix, Matrix]:
    """Log-likelihood with its gradient and negative Hessian."""
    k = len(won)
    with_ties = theta.size > k
    first, second = np.triu_indices(k, 1)
    wins, losses, draws = won[first, second], won[second, first], tied[first, second]
    gap = theta[first] - theta[second]
    log_tie = theta[k] if with_ties else -np.inf
    # Weights of win, loss and tie are e^{gap/2}, e^{−gap/2} and ν.
    logits = np.stack([gap / 2, -gap / 2, np.full_like(gap, log_tie)])
    norm = special.logsumexp(logits, axis=0)
    p_win, p_loss, p_tie = np.exp(logits - norm)
    total = wins + losses + draws
    value = float(wins @ logits[0] + losses @ logits[1] - total @ norm)
    value += float(draws.sum() * log_tie) if with_ties else 0.0
    by_gap = (wins - losses) / 2 - total * (p_win - p_loss) / 2
    curve = total * ((p_win + p_loss) - (p_win - p_loss) ** 2) / 4
    slope, information = np.zeros(theta.size), np.zeros((theta.size, theta.size))
    np.add.at(slope, first, by_gap)
    np.add.at(slope, second, -by_gap)
    laplacian = np.zeros((k, k))
    laplacian[first, second] = laplacian[second, first] = -curve
    information[:k, :k] = laplacian - np.diag(laplacian.sum(axis=1))
    if with_ties:
        slope[k] = float((draws - total * p_tie).sum())
        information[k, k] = float((total * p_tie * (1 - p_tie)).sum())
        mixed = -total * p_tie * (p_win - p_loss) / 2
        np.add.at(information[:k, k], first, mixed)
        np.add.at(information[:k, k], second, -mixed)
        information[k, :k] = information[:k, k]
    if prior:
        share = special.expit(theta[:k])
        value += float(prior * (special.log_expit(theta[:k]) + special.log_expit(-theta[:k])).sum())
        slope[:k] += prior * (1 - 2 * share)
        information[np.arange(k), np.arange(k)] += 2 * prior * share * (1 - share)
    return value, slope, information


def _check_connected(won: Matrix, tied: Matrix) -> None:
    """Refuse data without a finite maximum: the graph of wins must be strongly connected."""
    beaten = (won > 0) | (tied > 0)
    parts, label = csgraph.connected_components(beaten, directed=True, connection="strong")
    if parts > 1:
        sizes = np.bincount(label)
        few = np.flatnonzero(label == int(np.argmin(sizes))).tolist()
        raise ValueError(
            f"competitors {few} never lost to, never beat or never met the others, so their"
            " strength has no finite estimate; expected a chain of wins from each to each, or"
            " prior_wins such as 0.5"
        )


def _checked(wins: ArrayLike, ties: ArrayLike | None) -> tuple[Matrix, Matrix]:
    won = np.array(wins, dtype=np.float64)
    tied = np.zeros_like(won) if ties is None else np.array(ties, dtype=np.float64)
    if won.ndim != 2 or won.shape[0] != won.shape[1] or len(won) < 2 or tied.shape != won.shape:
        raise ValueError(
            f"wins has shape {won.shape} and ties {tied.shape}; expected (k, k) with k ≥ 2"
        )
    for name, table in (("wins", won), ("ties", tied)):
        if not np.isfinite(table).all() or (table < 0).any() or np.diagonal(table).any():
            raise ValueError(f"{name} are out of range; expected counts ≥ 0, 0 on the diagonal")
    if not np.array_equal(tied, tied.T):
        raise ValueError("ties are not symmetric; expected the same count both ways")
    if not won.any() and not tied.any():
        raise ValueError("there are no comparisons; expected at least one")
    return won, tied
