"""Times until an event, some of them not seen to the end: a hazard for each stretch of time."""

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, clone
from sklearn.utils.validation import check_is_fitted

from workbench.errors import PredictorError
from workbench.predictors.checking import checked_frame
from workbench.predictors.fitting import fit_in_context, positive_probability

__all__ = ["DiscreteHazard"]

_STRETCH = "stretch"


class DiscreteHazard(BaseEstimator):
    """Chance of the event in each stretch of time, given that it did not come before.

    Every row becomes one row a stretch it lived through (Singer and Willett 1993); any two-class
    model learns the hazard from them, with the stretch's number as a further column. Whoever is
    last seen in the second half of a stretch counts as having lived through it, who in the first
    half does not: on average the life table's half (Cutler and Ederer 1958).

    Parameters
    ----------
    estimator
        A two-class classifier with `predict_proba`; cloned.
    edges_days : sequence of float
        Ends of the stretches, rising, above 0.

    Attributes
    ----------
    estimator_ : estimator
        Fitted on rows × stretches.

    References
    ----------
    Singer & Willett (1993), Journal of Educational Statistics 18:155-195.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> X = pd.DataFrame({"hot": [0.0, 1.0] * 50})
    >>> model = DiscreteHazard(LogisticRegression(), edges_days=(7, 30))
    >>> model = model.fit(X, [40.0, 3.0] * 50, [False, True] * 50)
    >>> cold, hot = model.predict_risk(X[:2], horizon_days=30)
    >>> bool(cold < 0.2 and hot > 0.8)
    True
    """

    def __init__(
        self, estimator: Any, *, edges_days: Sequence[float] = (7, 14, 30, 60, 90, 180)
    ) -> None:
        self.estimator = estimator
        self.edges_days = edges_days

    def fit(
        self,
        X: pd.DataFrame,
        time_days: ArrayLike,
        observed: ArrayLike,
        groups: NDArray[Any] | None = None,
        as_of: NDArray[Any] | None = None,
    ) -> Self:
        """Learn the hazards.

        Parameters
        ----------
        X : DataFrame of shape (n_samples, n_features)
        time_days : array-like of shape (n_samples,)
            Until the event or until last seen, 0 or more.
        observed : array-like of shape (n_samples,)
            Whether the event was seen.
        groups, as_of : ndarray of shape (n_samples,), optional
            Handed to a model that takes them; rows of one example always stay together.

        Raises
        ------
        PredictorError
            When times are missing or negative, edges do not rise, or no event is in reach.
        """
        frame = checked_frame(self, X, reset=True)
        time, seen = np.asarray(time_days, dtype=np.float64), _yes_or_no(observed)
        edges = np.asarray(self.edges_days, dtype=np.float64)
        if not len(edges) or edges[0] <= 0 or (np.diff(edges) <= 0).any():
            raise PredictorError(
                f"edges_days are {list(self.edges_days)}",
                expected="numbers that rise from above 0",
                fix="correct them",
            )
        if (
            time.shape != (len(frame),)
            or seen.shape != time.shape
            or not ((time >= 0) & np.isfinite(time)).all()
        ):
            raise PredictorError(
                f"times of shape {time.shape} for {len(frame):,} rows, or one missing, infinite or "
                "negative",
                expected="a time of 0 or more and whether the event was seen, a row",
                fix="leave such rows out",
            )
        starts = np.r_[0.0, edges[:-1]]
        # A stretch counts when it was lived through, more or less, or ended in the event.
        event = seen[:, None] & (time[:, None] > starts) & (time[:, None] <= edges)
        event[:, 0] |= seen & (time == 0)
        lived = (time[:, None] >= (starts + edges) / 2) & ~event
        lived &= ~(seen[:, None] & (time[:, None] <= edges))
        lived |= event
        row, stretch = np.nonzero(lived)
        happened = event[row, stretch].astype(np.int8)
        if not 0 < happened.sum() < len(happened):
            raise PredictorError(
                f"{int(happened.sum()):,} events in {len(happened):,} stretches",
                expected="some with and some without",
                fix="use more rows, or edges that reach the events",
            )
        expanded = frame.iloc[row].assign(**{_STRETCH: stretch.astype(np.float64)})
        expanded = expanded.reset_index(drop=True)
        together = row if groups is None else np.asarray(groups)[row]
        self.estimator_ = fit_in_context(
            clone(self.estimator),
            expanded,
            happened,
            groups=together,
            as_of=None if as_of is None else np.asarray(as_of)[row],
        )
        return self

    def predict_survival(self, X: pd.DataFrame) -> NDArray[np.float64]:
        """Chance that the event has not come by each edge, shape (n_samples, n_edges)."""
        check_is_fitted(self)
        frame = checked_frame(self, X, reset=False)
        hazards = np.column_stack(
            [
                positive_probability(self.estimator_, frame.assign(**{_STRETCH: float(k)}))
                for k in range(len(self.edges_days))
            ]
        )
        return np.asarray(np.cumprod(1 - hazards, axis=1))

    def predict_risk(self, X: pd.DataFrame, *, horizon_days: float) -> NDArray[np.float64]:
        """Chance that the event comes within a horizon, shape (n_samples,).

        Parameters
        ----------
        X : DataFrame of shape (n_samples, n_features)
        horizon_days
            Up to the last edge; between two edges the hazard is taken as constant.

        Raises
        ------
        PredictorError
            When the horizon is not above 0 or lies beyond the last edge.
        """
        edges = np.asarray(self.edges_days, dtype=np.float64)
        if not 0 < horizon_days <= edges[-1]:
            raise PredictorError(
                f"horizon_days is {horizon_days}",
                expected=f"above 0, at most {edges[-1]:g}",
                fix="choose another horizon, or fit with a later edge",
            )
        survival = np.column_stack([np.ones(len(X)), self.predict_survival(X)])
        at = np.r_[0.0, edges]
        k = int(np.searchsorted(at, horizon_days, side="left"))
        share = (horizon_days - at[k - 1]) / (at[k] - at[k - 1])
        between = (
            survival[:, k - 1] * (survival[:, k] / np.maximum(survival[:, k - 1], 1e-300)) ** share
        )
        return np.asarray(1 - between)


def _yes_or_no(observed: ArrayLike) -> NDArray[np.bool_]:
    values = np.asarray(observed)
    if values.dtype != bool and not (values.dtype.kind in "iuf" and np.isin(values, (0, 1)).all()):
        raise PredictorError(
            f"observed holds values of type {values.dtype}",
            expected="true and false, or 1 and 0, none missing",
            fix="compare with what stands for yes, e.g. column == 'yes'",
        )
    return values.astype(bool)
