"""Several readers together: mean probabilities, majority values."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, clone
from sklearn.utils.validation import check_is_fitted

from workbench.claude import ClaudeRequest
from workbench.data import AskedField
from workbench.errors import PredictorError
from workbench.predictors.answers import join_answers
from workbench.predictors.readers.readings import Readings, checked_truth, empty_readings

__all__ = ["BlendedReader"]


class BlendedReader(BaseEstimator):
    """Answer each field by what several readers say of it.

    Labels and levels: the value with the largest weighted mean probability; `labels`: those whose
    mean is one half or more. A member without probabilities counts as sure of what it says, one
    that answers nothing does not count. Numbers: the weighted mean. Slots: slot by slot, the value
    with the most weight, where "not mentioned" is a value; a member that abstains on a slot does
    not count. Rankings: weighted Borda count (de Borda 1781). Texts: the first member's that has
    one.

    Parameters
    ----------
    fields : sequence of AskedField
        What is asked.
    readers : sequence of (str, reader)
        Members; fitted together.
    weights : sequence of float, optional
        One a member; equal by default.

    Attributes
    ----------
    readers_ : list of (str, reader)
        Fitted members.
    """

    def __init__(
        self,
        fields: Sequence[AskedField],
        readers: Sequence[tuple[str, Any]],
        *,
        weights: Sequence[float] | None = None,
    ) -> None:
        self.fields = fields
        self.readers = readers
        self.weights = weights

    def fit(self, X: pd.DataFrame, y: pd.DataFrame, groups: NDArray[Any] | None = None) -> Self:
        """Fit every member.

        Parameters
        ----------
        X : DataFrame of shape (n_samples, n_columns)
        y : DataFrame of shape (n_samples, n_fields)
        groups : ndarray of shape (n_samples,), optional

        Raises
        ------
        PredictorError
            When there are no members, or the weights do not fit.
        """
        checked_truth(y, self.fields, X)
        return self.joined([(name, clone(r).fit(X, y, groups)) for name, r in self.readers])

    def joined(self, members: Sequence[tuple[str, Any]]) -> Self:
        """Take members that are fitted already.

        Parameters
        ----------
        members
            In the order of `readers`.

        Raises
        ------
        PredictorError
            When there are no members, or the weights do not fit.
        """
        weights = self.weights
        if not self.readers or (
            weights is not None
            and (len(weights) != len(self.readers) or min(weights) < 0 or sum(weights) <= 0)
        ):
            raise PredictorError(
                f"{len(self.readers)} readers with the weights {weights}",
                expected="at least one reader, and a weight of 0 or more for each, not all 0",
                fix="correct the blend",
            )
        self.readers_ = list(members)
        return self

    def requests(self, X: pd.DataFrame, *, repeat: int = 0) -> list[ClaudeRequest]:
        """What the members would ask, for pricing it beforehand."""
        check_is_fitted(self)
        asking = [r for _, r in self.readers_ if hasattr(r, "requests")]
        return [request for r in asking for request in r.requests(X, repeat=repeat)]

    def read(self, X: pd.DataFrame, *, repeat: int = 0) -> Readings:
        """Answer about each row; costs of members that ask Claude add up.

        Raises
        ------
        PredictorError
            When members were answered by different origins, whose figures must not mix.
        """
        check_is_fitted(self)
        weights = np.ones(len(self.readers_)) if self.weights is None else np.array(self.weights)
        found = [reader.read(X, repeat=repeat) for _, reader in self.readers_]
        values = empty_readings(X.index, self.fields)
        proba: dict[str, NDArray[np.float64]] = {}
        for asked in self.fields:
            said = [one.values[asked.name] for one in found]
            if asked.kind in ("label", "level", "labels"):
                parts = [_sure(asked, one) for one in found]
                proba[asked.name] = _mean(parts, weights)
                values[asked.name] = _decided(asked, proba[asked.name], X.index)
            else:
                merge = {"number": _number, "slots": _slots, "ranking": _ranking, "text": _text}
                rows = zip(*said, strict=True)
                merged = [merge[asked.kind](row, weights, asked) for row in rows]
                held = np.empty(len(merged), dtype=object)
                held[:] = merged
                values[asked.name] = pd.Series(held, index=X.index, dtype=object)
        everywhere = np.arange(len(X))
        asked_of = [(everywhere, one.answers) for one in found if one.answers is not None]
        answers = None
        if asked_of:
            answers = join_answers(X.index, asked_of, np.full(len(X), np.nan))
        quotes = next((one.evidence for one in found if one.evidence is not None), None)
        return Readings(values, proba, quotes, answers)

    def predict(self, X: pd.DataFrame) -> pd.DataFrame:
        """Values alone, shape (n_samples, n_fields); see `read`."""
        return self.read(X).values


def _sure(asked: AskedField, found: Readings) -> NDArray[np.float64]:
    """Probabilities, or certainty about what is said; NaN rows where nothing is."""
    if asked.name in found.proba:
        return found.proba[asked.name]
    proba = np.full((len(found.values), len(asked.values)), np.nan)
    place = {value: i for i, value in enumerate(asked.values)}
    for i, value in enumerate(found.values[asked.name]):
        if value is not None:
            proba[i] = 0.0
            named = value if asked.kind == "labels" else (value,)
            proba[i, [place[v] for v in named if v in place]] = 1.0
    return proba


def _mean(
    parts: Sequence[NDArray[np.float64]], weights: NDArray[np.float64]
) -> NDArray[np.float64]:
    stacked = np.stack(parts)
    known = ~np.isnan(stacked).any(axis=2)
    mass = known * weights[:, None]
    total = mass.sum(axis=0)
    summed = (np.nan_to_num(stacked) * mass[:, :, None]).sum(axis=0)
    found = np.full(summed.shape, np.nan)
    np.divide(summed, total[:, None], out=found, where=total[:, None] > 0)
    return found


def _decided(asked: AskedField, proba: NDArray[np.float64], index: pd.Index) -> "pd.Series[Any]":
    held = np.full(len(proba), None, dtype=object)
    for i, row in enumerate(proba):
        if np.isnan(row).any():
            continue
        if asked.kind == "labels":
            held[i] = tuple(v for v, p in zip(asked.values, row, strict=True) if p >= 0.5)
        else:
            held[i] = asked.values[int(row.argmax())]
    return pd.Series(held, index=index, dtype=object)


def _number(said: Sequence[Any], weights: NDArray[np.float64], _asked: AskedField) -> float | None:
    known = [(v, w) for v, w in zip(said, weights, strict=True) if v is not None and w > 0]
    if not known:
        return None
    return float(sum(v * w for v, w in known) / sum(w for _, w in known))


def _slots(
    said: Sequence[Any], weights: NDArray[np.float64], asked: AskedField
) -> dict[str, Any] | None:
    known = [(v, w) for v, w in zip(said, weights, strict=True) if v is not None]
    if not known:
        return None
    merged: dict[str, Any] = {}
    absent = object()
    for slot in asked.slots:
        votes: defaultdict[Any, float] = defaultdict(float)
        for value, weight in known:
            one = value.get(slot.name, absent)
            if one is not None:
                votes[one] += float(weight)
        if not votes:
            merged[slot.name] = None
        elif (best := max(votes, key=votes.__getitem__)) is not absent:
            merged[slot.name] = best
    return merged


def _ranking(
    said: Sequence[Any], weights: NDArray[np.float64], asked: AskedField
) -> tuple[str, ...] | None:
    known = [(v, w) for v, w in zip(said, weights, strict=True) if v is not None]
    if not known:
        return None
    points: defaultdict[str, float] = defaultdict(float)
    for ranked, weight in known:
        for place, candidate in enumerate(ranked):
            points[candidate] += float(weight) * (len(asked.values) - place)
    # Those equal in points come in the order of the field.
    order = {value: i for i, value in enumerate(asked.values)}
    return tuple(sorted(points, key=lambda c: (-points[c], order.get(c, len(order)))))


def _text(said: Sequence[Any], _weights: NDArray[np.float64], _asked: AskedField) -> str | None:
    return next((v for v in said if v is not None), None)
