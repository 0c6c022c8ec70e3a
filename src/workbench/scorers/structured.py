"""Scores of labels that stand in a tree or in an order."""

from collections.abc import Mapping, Sequence

import numpy as np

from workbench.errors import EvaluationError
from workbench.scorers.labelling import Labels, as_label_set, micro_f1
from workbench.scorers.ordinal import ORDINAL_STATISTICS
from workbench.scorers.weighted import check_pairs
from workbench.stats import Statistic

__all__ = ["hierarchical_f1", "level_distance", "level_kappa"]


def hierarchical_f1(
    truth: Sequence[Labels],
    answered: Sequence[Labels | None],
    *,
    parents: Mapping[str, str | None],
) -> Statistic:
    """F1 of labels together with all their ancestors: a near miss costs less than a far one.

    Parameters
    ----------
    truth, answered
        One label or set of labels an example; None misses what is true.
    parents
        Parent of each label; None, or no entry, at the top. A root that everything shares should
        not be named: it would be right for free.

    Returns
    -------
    Statistic

    Raises
    ------
    EvaluationError
        When lengths differ, or a label is its own ancestor.

    References
    ----------
    Kiritchenko, Matwin, Nock & Famili (2006), "Learning and evaluation in the presence of class
    hierarchies", Canadian AI, LNCS 4013:395-406.

    Examples
    --------
    >>> parents = {"cash": "finance", "mortgage": "finance"}
    >>> hierarchical_f1(["cash"], ["mortgage"], parents=parents)([1]).tolist()
    [0.5]
    """
    cache: dict[str, frozenset[str]] = {}
    true = [_with_ancestors(as_label_set(v), parents, cache) for v in truth]
    given = [
        None if v is None else _with_ancestors(as_label_set(v), parents, cache) for v in answered
    ]
    return micro_f1(true, given)


def _with_ancestors(
    labels: frozenset[str], parents: Mapping[str, str | None], cache: dict[str, frozenset[str]]
) -> frozenset[str]:
    for label in labels:
        if label in cache:
            continue
        line: list[str] = []
        current: str | None = label
        while current is not None:
            if current in line:
                raise EvaluationError(
                    f"label {current!r} is its own ancestor",
                    expected="parents that form a tree",
                    fix="correct the parent mapping",
                )
            line.append(current)
            current = parents.get(current)
        cache[label] = frozenset(line)
    return frozenset().union(*(cache[label] for label in labels))


def _level_statistic(
    name: str, truth: Sequence[str], answered: Sequence[str | None], values: Sequence[str]
) -> Statistic:
    n, k = check_pairs(truth, answered), len(values)
    position = {value: i for i, value in enumerate(values)}
    unknown = sorted(set(truth) - set(position))
    if unknown or k < 2:
        raise EvaluationError(
            f"true levels {unknown} are none of the {k} levels",
            expected=f"two levels or more, and truths among {list(values)}",
            fix="name all levels in order",
        )
    y = np.array([position[t] for t in truth])
    # Nothing answered, or no level: as far from the truth as the scale goes.
    farthest = np.where(y >= k / 2, 0, k - 1)
    given = np.array(
        [
            position.get(a, f) if a is not None else f
            for a, f in zip(answered, farthest, strict=True)
        ]
    )
    certain = np.zeros((n, k))
    certain[np.arange(n), given] = 1.0
    return ORDINAL_STATISTICS[name](y, certain)


def level_kappa(
    truth: Sequence[str], answered: Sequence[str | None], *, values: Sequence[str]
) -> Statistic:
    """Cohen's kappa with quadratic weights, of levels answered without probabilities.

    Parameters
    ----------
    truth, answered
        One level an example; None, or what is no level, counts as the level farthest off.
    values
        All levels, in order.

    Returns
    -------
    Statistic

    Raises
    ------
    EvaluationError
        When lengths differ or a true value is no level.

    References
    ----------
    Cohen (1968), Psychological Bulletin 70:213-220.

    Examples
    --------
    >>> values = ("low", "medium", "high")
    >>> level_kappa(values, values, values=values)([1, 1, 1]).tolist()
    [1.0]
    """
    return _level_statistic("quadratic_kappa", truth, answered, values)


def level_distance(
    truth: Sequence[str], answered: Sequence[str | None], *, values: Sequence[str]
) -> Statistic:
    """Mean distance in levels between answer and truth.

    Parameters
    ----------
    truth, answered, values
        As for `level_kappa`.

    Returns
    -------
    Statistic

    Raises
    ------
    EvaluationError
        As `level_kappa`.

    Examples
    --------
    >>> level_distance(["low", "high"], ["high", "high"], values=("low", "medium", "high"))([1, 1])
    array([1.])
    """
    return _level_statistic("level_error", truth, answered, values)
