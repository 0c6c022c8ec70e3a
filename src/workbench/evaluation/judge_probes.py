"""Probes of a judge: agreement with people, and the biases judges are known for."""

import math
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from workbench.stats import (
    Difference,
    Estimate,
    cohen_kappa,
    mean_interval,
    paired_difference,
    proportion_interval,
)

__all__ = [
    "LEAST_HUMAN",
    "agreement_with_people",
    "beyond_people",
    "longer_side",
    "longer_wins",
    "matched_agreement",
    "own_side",
    "prefers_first",
    "retest_agreement",
    "share",
]

LEAST_HUMAN = 30
"""Pairs people must have judged before agreement counts as measured."""

_SCORES = {"a": 1.0, "b": 0.0, "tie": 0.5}
_MATCHED = 0.1


def share(hits: int, n: int, confidence_level: float) -> Estimate | None:
    """A share with its interval, None of nothing.

    Parameters
    ----------
    hits, n
        How many of how many.
    confidence_level
        Of the interval.

    Examples
    --------
    >>> share(0, 0, 0.95) is None, share(1, 2, 0.95).estimate
    (True, 0.5)
    """
    return proportion_interval(hits, n, confidence_level=confidence_level) if n else None


def agreement_with_people(
    judge: Sequence[str], people: Sequence[str], confidence_level: float
) -> Estimate | None:
    """Cohen's kappa of a judge and people, cautious where there are few pairs.

    Parameters
    ----------
    judge, people
        ``a``, ``b`` or ``tie`` of each pair.
    confidence_level
        Of the interval.

    Returns
    -------
    Estimate or None
        None below 30 pairs. The lower bound is the smaller of the large-sample one and of what
        Wilson's lower bound of plain agreement leaves beyond chance.

    Examples
    --------
    >>> verdicts = ["a", "b"] * 20
    >>> found = agreement_with_people(verdicts, verdicts, 0.95)
    >>> found.estimate, round(found.ci_lower, 2)
    (1.0, 0.82)
    """
    n = len(judge)
    if n < LEAST_HUMAN:
        return None
    found = cohen_kappa(people, judge, categories=list(_SCORES), confidence_level=confidence_level)
    if math.isnan(found.estimate):
        return found
    alike = sum(j == p for j, p in zip(judge, people, strict=True))
    chance = sum(
        (list(judge).count(verdict) / n) * (list(people).count(verdict) / n) for verdict in _SCORES
    )
    least = proportion_interval(alike, n, confidence_level=confidence_level).ci_lower
    return found._replace(ci_lower=min(found.ci_lower, (least - chance) / (1 - chance)))


def prefers_first(rows: pd.DataFrame, confidence_level: float) -> Estimate | None:
    """How often what stands first is preferred, of decided answers.

    Parameters
    ----------
    rows
        Of `Judgements`.
    confidence_level
        Of the interval, over pairs.

    Examples
    --------
    >>> rows = pd.DataFrame({"pair": list("aabb"), "winner": ["first", "first", "second", "tie"]})
    >>> round(prefers_first(rows, 0.95).estimate, 2)
    0.67
    """
    decided = rows[rows["winner"].isin(["first", "second"])]
    if decided.empty:
        return None
    return mean_interval(
        (decided["winner"] == "first").to_numpy(dtype=np.float64),
        groups=decided["pair"].to_numpy(),
        confidence_level=confidence_level,
    )


def retest_agreement(rows: pd.DataFrame, confidence_level: float) -> Estimate | None:
    """How often the same question, asked again, is answered alike.

    Parameters
    ----------
    rows
        Of `Judgements`.
    confidence_level
        Of the interval, over pairs.

    Returns
    -------
    Estimate or None
        Mean over pairs and orders of the share of repeats that agree; None without repeats.

    Examples
    --------
    >>> rows = pd.DataFrame({"pair": list("aabb"), "order": "ab",
    ...                      "winner": ["first", "first", "first", "tie"]})
    >>> retest_agreement(rows, 0.95).estimate
    0.5
    """
    told = rows.dropna(subset=["winner"])
    alike, pairs = [], []
    for (pair, _), answers in told.groupby(["pair", "order"], sort=False)["winner"]:
        n = len(answers)
        if n > 1:
            counts = answers.value_counts().to_numpy()
            alike.append(float((counts * (counts - 1)).sum() / (n * (n - 1))))
            pairs.append(pair)
    if not alike:
        return None
    return mean_interval(alike, groups=pairs, confidence_level=confidence_level)


def longer_side(verdicts: pd.DataFrame) -> NDArray[np.float64]:
    """1 where answer a is longer, 0 where b is, NaN where neither.

    Parameters
    ----------
    verdicts
        Of `Judgements.verdicts`.

    Examples
    --------
    >>> longer_side(pd.DataFrame({"length_a": [2, 1, 1], "length_b": [1, 2, 1]})).tolist()
    [1.0, 0.0, nan]
    """
    a, b = (verdicts[f"length_{side}"].to_numpy(dtype=np.float64) for side in "ab")
    return np.where(a == b, np.nan, (a > b).astype(np.float64))


def own_side(
    verdicts: pd.DataFrame, families: Mapping[str, str], judge_family: str
) -> NDArray[np.float64]:
    """1 where only answer a is of the judge's family, 0 where only b is, NaN elsewhere.

    Parameters
    ----------
    verdicts
        Of `Judgements.verdicts`.
    families
        Family of models by arm.
    judge_family
        The judge's.

    Examples
    --------
    >>> verdicts = pd.DataFrame({"arm_a": ["x", "y"], "arm_b": ["y", "y"]})
    >>> own_side(verdicts, {"x": "claude"}, "claude").tolist()
    [1.0, nan]
    """
    a, b = (
        np.array([families.get(arm) == judge_family for arm in verdicts[f"arm_{side}"]], dtype=bool)
        for side in "ab"
    )
    return np.where(a == b, np.nan, a.astype(np.float64))


def longer_wins(verdicts: pd.DataFrame, confidence_level: float) -> Estimate | None:
    """How often the longer answer wins, of decided verdicts.

    Parameters
    ----------
    verdicts
        Of `Judgements.verdicts`, none failed.
    confidence_level
        Of the interval.

    Examples
    --------
    >>> verdicts = pd.DataFrame({"length_a": [2, 1], "length_b": [1, 2], "verdict": ["a", "a"]})
    >>> longer_wins(verdicts, 0.95).estimate
    0.5
    """
    longer, scores = longer_side(verdicts), _scores(verdicts["verdict"])
    decided = ~np.isnan(longer) & (scores != 0.5)
    hits = int((scores[decided] == longer[decided]).sum())
    return share(hits, int(decided.sum()), confidence_level)


def beyond_people(
    judge: Sequence[str], people: Sequence[str], side: ArrayLike, confidence_level: float
) -> Difference | None:
    """How much more a judge favours one side of each pair than people do.

    Parameters
    ----------
    judge, people
        ``a``, ``b`` or ``tie`` of each pair.
    side : array-like of shape (n,)
        1 where the favoured side is a, 0 where it is b, NaN where the pair says nothing.
    confidence_level
        Of the interval.

    Returns
    -------
    Difference or None
        Judge minus people, a tie counting one half; None below two pairs.

    Examples
    --------
    >>> beyond_people(["a", "a", "a"], ["a", "b", "a"], [1, 1, 1], 0.95).difference.__round__(2)
    0.33
    """
    favoured = np.asarray(side, dtype=np.float64)
    known = ~np.isnan(favoured)
    if int(known.sum()) < 2:
        return None
    own, others = (
        np.where(favoured == 1, scores, 1 - scores)[known]
        for scores in (_scores(judge), _scores(people))
    )
    return paired_difference(own, others, confidence_level=confidence_level)


def matched_agreement(
    verdicts: pd.DataFrame, people: Sequence[str], confidence_level: float
) -> Estimate | None:
    """Plain agreement with people where both answers are within a tenth of one length.

    Parameters
    ----------
    verdicts
        Of `Judgements.verdicts`, none failed.
    people
        Of the same pairs.
    confidence_level
        Of the interval.

    Examples
    --------
    >>> verdicts = pd.DataFrame({"length_a": [99, 1], "length_b": [99, 9], "verdict": ["a", "b"]})
    >>> matched_agreement(verdicts, ["a", "a"], 0.95).estimate
    1.0
    """
    a, b = (verdicts[f"length_{side}"].to_numpy(dtype=np.float64) for side in "ab")
    matched = np.abs(a - b) <= _MATCHED * np.maximum(a, b)
    alike = (_scores(verdicts["verdict"]) == _scores(people))[matched]
    return share(int(alike.sum()), int(matched.sum()), confidence_level)


def _scores(verdicts: Sequence[str] | pd.Series) -> NDArray[np.float64]:
    return np.array([_SCORES[verdict] for verdict in verdicts], dtype=np.float64)
