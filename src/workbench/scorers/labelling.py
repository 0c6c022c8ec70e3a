"""Scores of labels: one of several, or a set of them."""

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

from workbench.errors import EvaluationError
from workbench.scorers.weighted import (
    ProbaRows,
    as_rows,
    check_pairs,
    divided,
)
from workbench.stats import Statistic, mean_statistic

__all__ = [
    "Labels",
    "accuracy",
    "as_label_set",
    "balanced_accuracy",
    "exact_match",
    "jaccard",
    "macro_f1",
    "micro_f1",
    "samples_f1",
    "top_k_accuracy",
    "weighted_f1",
]

Labels: TypeAlias = str | Iterable[str]
"""One label, or several."""

Matrix = NDArray[np.float64]


class _Counts(NamedTuple):
    """Weighted counts by label, each of shape (b, n_labels)."""

    right: Matrix
    true: Matrix
    given: Matrix


def as_label_set(value: Labels | None) -> frozenset[str]:
    """Labels as a set.

    Parameters
    ----------
    value
        One label, several, or None for none.

    Examples
    --------
    >>> as_label_set("buy"), as_label_set(None)
    (frozenset({'buy'}), frozenset())
    """
    if value is None:
        return frozenset()
    return frozenset((value,)) if isinstance(value, str) else frozenset(value)


def _indicators(sets: Sequence[frozenset[str]], position: Mapping[str, int]) -> sparse.csr_matrix:
    cells = [(i, position[x]) for i, found in enumerate(sets) for x in found if x in position]
    rows, columns = zip(*cells, strict=True) if cells else ((), ())
    shape = (len(sets), max(len(position), 1))
    return sparse.csr_matrix((np.ones(len(cells)), (rows, columns)), shape=shape)


def _counter(
    truth: Sequence[Labels],
    answered: Sequence[Labels | None],
    labels: Sequence[str] | None,
) -> Callable[[ArrayLike], _Counts]:
    n = check_pairs(truth, answered)
    true, given = [as_label_set(v) for v in truth], [as_label_set(v) for v in answered]
    known = sorted(set().union(*true, *given)) if labels is None else list(labels)
    position = {label: i for i, label in enumerate(known)}
    of_truth, of_answers = _indicators(true, position), _indicators(given, position)
    parts = [p.T.tocsr() for p in (of_truth.multiply(of_answers), of_truth, of_answers)]

    def count(weights: ArrayLike) -> _Counts:
        w = as_rows(weights, n).T
        return _Counts(*(np.asarray(part @ w).T for part in parts))

    return count


def _f1(counts: _Counts) -> Matrix:
    return divided(2 * counts.right, counts.true + counts.given)


def accuracy(truth: Sequence[Hashable], answered: Sequence[Hashable | None]) -> Statistic:
    """Share of answers equal to the truth.

    Parameters
    ----------
    truth, answered
        One value an example; None is wrong.

    Returns
    -------
    Statistic

    Raises
    ------
    EvaluationError
        When the lengths differ or there are no examples.

    Examples
    --------
    >>> accuracy(["buy", "rent", "sell"], ["buy", "sell", None])([1, 1, 1]).round(3).tolist()
    [0.333]
    """
    check_pairs(truth, answered)
    return mean_statistic([float(t == a) for t, a in zip(truth, answered, strict=True)])


def exact_match(truth: Sequence[Labels], answered: Sequence[Labels | None]) -> Statistic:
    """Share of answers whose set of labels is the true one, in any order.

    Parameters
    ----------
    truth, answered
        One set of labels an example; None is wrong, also where the true set is empty.

    Returns
    -------
    Statistic

    Raises
    ------
    EvaluationError
        When the lengths differ or there are no examples.

    Examples
    --------
    >>> exact_match([("a", "b"), ("c",)], [("b", "a"), ("c", "d")])([1, 1]).tolist()
    [0.5]
    """
    check_pairs(truth, answered)
    pairs = zip(truth, answered, strict=True)
    return mean_statistic(
        [float(a is not None and as_label_set(t) == as_label_set(a)) for t, a in pairs]
    )


def macro_f1(
    truth: Sequence[Labels],
    answered: Sequence[Labels | None],
    *,
    labels: Sequence[str] | None = None,
) -> Statistic:
    """Mean over labels of each label's F1.

    Parameters
    ----------
    truth, answered
        One label or set of labels an example; None misses what is true.
    labels
        Labels that count; by default all that are true or answered.

    Returns
    -------
    Statistic
        Over the labels that carry weight, as true or as answered.

    Raises
    ------
    EvaluationError
        When the lengths differ or there are no examples.

    Examples
    --------
    >>> macro_f1(["a", "a", "b"], ["a", "b", "b"])([1, 1, 1]).round(3).tolist()
    [0.667]
    """
    count = _counter(truth, answered, labels)

    def statistic(weights: ArrayLike) -> Matrix:
        each = _f1(count(weights))
        defined = ~np.isnan(each)
        return divided(np.where(defined, each, 0.0).sum(axis=1), defined.sum(axis=1))

    return statistic


def micro_f1(
    truth: Sequence[Labels],
    answered: Sequence[Labels | None],
    *,
    labels: Sequence[str] | None = None,
) -> Statistic:
    """F1 of all decisions on labels together.

    Parameters
    ----------
    truth, answered, labels
        As for `macro_f1`.

    Returns
    -------
    Statistic

    Raises
    ------
    EvaluationError
        When the lengths differ or there are no examples.

    Examples
    --------
    >>> micro_f1([("a", "b"), ("c",)], [("a",), ("c", "d")])([1, 1]).round(3).tolist()
    [0.667]
    """
    count = _counter(truth, answered, labels)

    def statistic(weights: ArrayLike) -> Matrix:
        return _f1(_Counts(*(part.sum(axis=1) for part in count(weights))))

    return statistic


def weighted_f1(
    truth: Sequence[Labels],
    answered: Sequence[Labels | None],
    *,
    labels: Sequence[str] | None = None,
) -> Statistic:
    """Mean of each label's F1, weighted by how often the label is true.

    Parameters
    ----------
    truth, answered, labels
        As for `macro_f1`.

    Returns
    -------
    Statistic

    Raises
    ------
    EvaluationError
        When the lengths differ or there are no examples.

    Examples
    --------
    >>> weighted_f1(["a", "a", "b"], ["a", "a", None])([1, 1, 1]).round(3).tolist()
    [0.667]
    """
    count = _counter(truth, answered, labels)

    def statistic(weights: ArrayLike) -> Matrix:
        found = count(weights)
        total = (np.nan_to_num(_f1(found)) * found.true).sum(axis=1)
        return divided(total, found.true.sum(axis=1))

    return statistic


def balanced_accuracy(truth: Sequence[str], answered: Sequence[str | None]) -> Statistic:
    """Mean over the true labels of the share found of each.

    Parameters
    ----------
    truth, answered
        One label an example; None is wrong.

    Returns
    -------
    Statistic
        Over the labels that carry weight.

    Raises
    ------
    EvaluationError
        When the lengths differ or there are no examples.

    Examples
    --------
    >>> balanced_accuracy(["a", "a", "b"], ["a", "b", "b"])([1, 1, 1]).tolist()
    [0.75]
    """
    count = _counter(truth, answered, None)

    def statistic(weights: ArrayLike) -> Matrix:
        found = count(weights)
        recall = divided(found.right, found.true)
        defined = ~np.isnan(recall)
        return divided(np.nan_to_num(recall).sum(axis=1), defined.sum(axis=1))

    return statistic


def _overlaps(
    truth: Sequence[Labels], answered: Sequence[Labels | None]
) -> tuple[Matrix, Matrix, Matrix, NDArray[np.bool_]]:
    check_pairs(truth, answered)
    true, given = [as_label_set(v) for v in truth], [as_label_set(v) for v in answered]
    both = np.array([len(t & a) for t, a in zip(true, given, strict=True)], dtype=np.float64)
    sizes = [np.array([len(s) for s in sets], dtype=np.float64) for sets in (true, given)]
    return both, sizes[0], sizes[1], np.array([a is not None for a in answered])


def samples_f1(truth: Sequence[Labels], answered: Sequence[Labels | None]) -> Statistic:
    """Mean over examples of the F1 of each one's set of labels.

    Parameters
    ----------
    truth, answered
        One set an example. Two empty sets agree (1); None is wrong (0).

    Returns
    -------
    Statistic

    Raises
    ------
    EvaluationError
        When the lengths differ or there are no examples.

    Examples
    --------
    >>> samples_f1([("a", "b"), ()], [("a",), ()])([1, 1]).round(3).tolist()
    [0.833]
    """
    both, n_true, n_given, answers = _overlaps(truth, answered)
    empty = n_true + n_given == 0
    each = np.where(empty, 1.0, 2 * both / np.where(empty, 1.0, n_true + n_given))
    return mean_statistic(each * answers)


def jaccard(truth: Sequence[Labels], answered: Sequence[Labels | None]) -> Statistic:
    """Mean over examples of the labels shared, over those in either set.

    Parameters
    ----------
    truth, answered
        One set an example. Two empty sets agree (1); None is wrong (0).

    Returns
    -------
    Statistic

    Raises
    ------
    EvaluationError
        When the lengths differ or there are no examples.

    Examples
    --------
    >>> jaccard([("a", "b"), ("c",)], [("a",), None])([1, 1]).tolist()
    [0.25]
    """
    both, n_true, n_given, answers = _overlaps(truth, answered)
    union = n_true + n_given - both
    each = np.where(union == 0, 1.0, both / np.where(union == 0, 1.0, union))
    return mean_statistic(each * answers)


def top_k_accuracy(
    truth: Sequence[str], proba: ProbaRows, *, classes: Sequence[str], k: int = 3
) -> Statistic:
    """Share of examples whose true label is among the k most probable.

    Parameters
    ----------
    truth
        One label an example.
    proba
        One row of scores an example, in the order of `classes`; None is wrong.
    classes
        Label of each column.
    k
        How many are looked at. Labels tied at the cut share what is left of it.

    Returns
    -------
    Statistic

    Raises
    ------
    EvaluationError
        When lengths differ, `k` is none of 1 to the number of classes, or a row has
        not one score a class.

    Examples
    --------
    >>> found = top_k_accuracy(["a", "c"], [[0.5, 0.3, 0.2], [0.6, 0.1, 0.3]], classes="abc", k=2)
    >>> found([1, 1]).tolist()
    [1.0]
    """
    check_pairs(truth, proba)
    if not 1 <= k <= len(classes):
        raise EvaluationError(
            f"k is {k}", expected=f"1 to the {len(classes)} classes", fix="lower or raise it"
        )
    position = {label: i for i, label in enumerate(classes)}
    hits = np.zeros(len(truth))
    for i, (label, row) in enumerate(zip(truth, proba, strict=True)):
        if row is None or label not in position:
            continue
        scores = np.asarray(row, dtype=np.float64)
        if scores.shape != (len(classes),) or np.isnan(scores).any():
            raise EvaluationError(
                f"scores of shape {scores.shape}, or one of them is missing",
                where=f"example {i}",
                expected=f"{len(classes)} numbers, or None for no answer",
                fix="give each class a score",
            )
        own = scores[position[label]]
        above, tied = int((scores > own).sum()), int((scores == own).sum())
        hits[i] = min(max(k - above, 0) / max(tied, 1), 1.0)
    return mean_statistic(hits)
