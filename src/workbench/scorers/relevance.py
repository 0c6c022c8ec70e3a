"""Scores of rankings against graded relevance."""

import math
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import TypeAlias

import numpy as np

from workbench.errors import EvaluationError
from workbench.scorers.weighted import check_pairs, ratio_statistic
from workbench.stats import Statistic

__all__ = [
    "mean_average_precision",
    "mean_reciprocal_rank",
    "ndcg",
    "precision_at",
    "redundancy_rate",
]

Relevance: TypeAlias = Mapping[str, float]
Ranking: TypeAlias = Sequence[str]


def _over_queries(
    truth: Sequence[Relevance],
    answered: Sequence[Ranking | None],
    k: int | None,
    score: Callable[[list[float], list[float]], float],
) -> Statistic:
    """Mean over queries that have something relevant of a score of gains as ranked and as ideal."""
    n = check_pairs(truth, answered)
    _check_cut(k)
    each, known = np.zeros(n), np.zeros(n)
    for i, (relevance, ranking) in enumerate(zip(truth, answered, strict=True)):
        if any(not math.isfinite(r) or r < 0 for r in relevance.values()):
            raise EvaluationError(
                "a relevance is negative or no number",
                where=f"example {i}",
                expected="numbers from 0",
                fix="correct the truth",
            )
        ideal = sorted((r for r in relevance.values() if r > 0), reverse=True)
        if not ideal:
            continue
        known[i] = 1.0
        each[i] = score(_gains((ranking or ())[:k], relevance), ideal)
    return ratio_statistic(each, known)


def _gains(ranking: Ranking, relevance: Relevance) -> list[float]:
    # A candidate named twice has shown what it is worth the first time.
    left = dict(relevance)
    return [left.pop(candidate, 0.0) for candidate in ranking]


def _check_cut(k: int | None) -> None:
    if k is not None and k < 1:
        raise EvaluationError(f"k is {k}", expected="1 or more", fix="raise it")


def _discounted(gains: Sequence[float]) -> float:
    return sum(gain / math.log2(rank + 2) for rank, gain in enumerate(gains))


def ndcg(
    truth: Sequence[Relevance], answered: Sequence[Ranking | None], *, k: int = 10
) -> Statistic:
    """Normalised discounted cumulative gain of the first k.

    Parameters
    ----------
    truth
        Relevance (0 or more) of each candidate of an example; others have 0.
    answered
        Candidates, best first; None gets 0, and so does a candidate named again.
    k
        How many count, in the ranking and in the ideal one.

    Returns
    -------
    Statistic
        Mean over examples that have a relevant candidate, gains divided by log2(rank + 1).

    Raises
    ------
    EvaluationError
        When lengths differ, a relevance is negative or `k` is below 1.

    References
    ----------
    Järvelin & Kekäläinen (2002), ACM Transactions on Information Systems 20:422-446; the discount
    from the second rank on, as scikit-learn's ``ndcg_score``.

    Examples
    --------
    >>> ndcg([{"a": 3.0, "b": 1.0}], [("b", "a")])([1]).round(3).tolist()
    [0.797]
    """
    return _over_queries(
        truth, answered, k, lambda gains, ideal: _discounted(gains) / _discounted(ideal[:k])
    )


def mean_reciprocal_rank(
    truth: Sequence[Relevance], answered: Sequence[Ranking | None], *, k: int | None = None
) -> Statistic:
    """Mean of one over the rank of the first relevant candidate, 0 where there is none.

    Parameters
    ----------
    truth, answered
        As for `ndcg`.
    k
        How many count; all when None.

    Returns
    -------
    Statistic

    Raises
    ------
    EvaluationError
        As `ndcg`.

    Examples
    --------
    >>> mean_reciprocal_rank([{"a": 1.0}, {"b": 1.0}], [("x", "a"), None])([1, 1]).tolist()
    [0.25]
    """
    return _over_queries(
        truth, answered, k,
        lambda gains, _: next((1 / rank for rank, g in enumerate(gains, start=1) if g > 0), 0.0),
    )  # fmt: skip


def mean_average_precision(
    truth: Sequence[Relevance], answered: Sequence[Ranking | None], *, k: int | None = None
) -> Statistic:
    """Mean over examples of the average precision of the first k.

    Parameters
    ----------
    truth, answered
        As for `ndcg`; what has a relevance above 0 is relevant.
    k
        How many count; all when None. The sum of precisions at relevant ranks is divided by the
        number of relevant candidates, or by `k` where there are more.

    Returns
    -------
    Statistic

    Raises
    ------
    EvaluationError
        As `ndcg`.

    Examples
    --------
    >>> mean_average_precision([{"a": 1.0, "b": 1.0}], [("a", "x", "b")])([1]).round(3).tolist()
    [0.833]
    """

    def average(gains: list[float], ideal: list[float]) -> float:
        hits, total = 0, 0.0
        for rank, gain in enumerate(gains, start=1):
            if gain > 0:
                hits += 1
                total += hits / rank
        return total / min(len(ideal), len(ideal) if k is None else k)

    return _over_queries(truth, answered, k, average)


def precision_at(
    truth: Sequence[Relevance], answered: Sequence[Ranking | None], *, k: int = 10
) -> Statistic:
    """Mean share of the first k that is relevant.

    Parameters
    ----------
    truth, answered
        As for `ndcg`.
    k
        How many count; a shorter ranking is filled up with what is not relevant.

    Returns
    -------
    Statistic

    Raises
    ------
    EvaluationError
        As `ndcg`.

    Examples
    --------
    >>> precision_at([{"a": 1.0}], [("a", "x")], k=2)([1]).tolist()
    [0.5]
    """
    return _over_queries(truth, answered, k, lambda gains, _: sum(g > 0 for g in gains) / k)


def redundancy_rate(
    truth: Sequence[Relevance],
    answered: Sequence[Ranking | None],
    *,
    k: int = 10,
    same: Callable[[str], Hashable] = str,
) -> Statistic:
    """Share of the first k that says again what stands above it.

    Parameters
    ----------
    truth
        Only its length is read: redundancy needs no truth.
    answered
        As for `ndcg`; None shows nothing.
    k
        How many count.
    same
        Maps a candidate to what it says: candidates with one value repeat each other. By default
        each says something of its own.

    Returns
    -------
    Statistic
        Over all candidates shown.

    Raises
    ------
    EvaluationError
        As `ndcg`.

    Examples
    --------
    >>> redundancy_rate([{}], [("a1", "a2", "b1")], same=lambda c: c[0])([1]).round(3).tolist()
    [0.333]
    """
    check_pairs(truth, answered)
    _check_cut(k)
    shown = [[same(candidate) for candidate in (ranking or ())[:k]] for ranking in answered]
    return ratio_statistic([len(s) - len(set(s)) for s in shown], [len(s) for s in shown])
