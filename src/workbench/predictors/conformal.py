"""Prediction sets that hold the truth as often as promised, whatever the classifier."""

from typing import Any, Literal, NamedTuple, Self

import numpy as np
import pandas as pd
from crepes import ConformalClassifier as PValues
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.utils import (
    assert_all_finite,
    check_consistent_length,
    column_or_1d,
    get_tags,
)
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted

from workbench.data import safe_folds
from workbench.errors import PredictorError
from workbench.predictors.checking import checked_frame
from workbench.predictors.fitting import fit_in_context

__all__ = ["ConformalClassifier"]

Positions = NDArray[np.intp]

# The share held out by split conformal prediction is one over this.
_PARTS = 4


class _Calibrated(NamedTuple):
    """A classifier and, of rows it was not fitted on, how strange the truth looked."""

    model: Any
    strangeness: NDArray[np.float64]
    labels: NDArray[np.intp]
    bins: NDArray[np.object_]


class ConformalClassifier(ClassifierMixin, BaseEstimator):
    """Prediction sets around any classifier, of two classes or more.

    A label belongs to a row's set unless the probability it gets is strange for that label: lower
    than among held-out rows that had it. For rows exchangeable with those held out the set holds
    the truth with probability of at least `confidence_level`, for any classifier and any number
    of rows: within each class when `class_conditional`, which rare outcomes need, and within each
    value of `bins`. Data of the past and rows of the future are not exchangeable; then it holds
    as far as the world stood still. A row whose set is not a single label is one to defer.

    Parameters
    ----------
    estimator
        Any classifier with `predict_proba`.
    method
        "split": a quarter of the rows, the latest where time counts, is held out. "cross": every
        row is held out once, by folds; the guarantee is weaker in theory (1 − 2α) and hardly
        ever in practice, and no row is lost. "prefit": the estimator is fitted already, on other
        rows than those of `fit`.
    class_conditional
        Whether coverage holds within each class (Mondrian).
    bins
        Column of `X` within whose values coverage holds too; not with few rows in a value.
    ordered
        Whether the classes are ordered: sets then have no holes.
    n_splits
        Folds of "cross".
    random_state
        Seed of the folds, and of the row kept of each group.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
    n_calibration_ : int
        Held-out rows, one of each group.

    References
    ----------
    Vovk, Gammerman & Shafer (2005), Algorithmic Learning in a Random World, chapters 2 and 4;
    cross-conformal: Vovk (2015), Ann. Math. Artif. Intell. 74:9-28; one row of each group:
    Dunn, Wasserman & Ramdas (2022), JASA 118:2491-2502.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> rng = np.random.default_rng(0)
    >>> X = pd.DataFrame({"n": rng.normal(size=800)})
    >>> y = np.where(X["n"] + rng.normal(size=800) > 1, "won", "lost")
    >>> conformal = ConformalClassifier(LogisticRegression()).fit(X, y)
    >>> conformal.predict_set(pd.DataFrame({"n": [-3.0, 0.6]}), confidence_level=0.9).tolist()
    [[True, False], [True, True]]
    >>> conformal.deferred(pd.DataFrame({"n": [-3.0, 0.6]}), confidence_level=0.9).tolist()
    [False, True]
    """

    def __init__(
        self,
        estimator: Any,
        *,
        method: Literal["split", "cross", "prefit"] = "split",
        class_conditional: bool = True,
        bins: str | None = None,
        ordered: bool = False,
        n_splits: int = 5,
        random_state: int = 0,
    ) -> None:
        self.estimator = estimator
        self.method = method
        self.class_conditional = class_conditional
        self.bins = bins
        self.ordered = ordered
        self.n_splits = n_splits
        self.random_state = random_state

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = get_tags(self.estimator).input_tags.allow_nan
        return tags

    def fit(
        self,
        X: pd.DataFrame,
        y: ArrayLike,
        groups: NDArray[Any] | None = None,
        as_of: NDArray[Any] | None = None,
    ) -> Self:
        """Fit the classifier, and see how strange the truth looks on rows it does not know.

        Parameters
        ----------
        X : DataFrame of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)
            Two classes or more.
        groups, as_of : ndarray of shape (n_samples,), optional
            What belongs together, and when; folds respect both, and of each group one row is
            held out.

        Raises
        ------
        PredictorError
            When the method is unknown, there is one class only, a held-out class is missing from
            the rows the classifier is fitted on, or `bins` is no column.
        DataError
            When the folds cannot hold the classes.
        """
        frame = checked_frame(self, X, reset=True)
        assert_all_finite(y, input_name="y")
        check_classification_targets(y)
        column = column_or_1d(y, warn=True)
        check_consistent_length(frame, column)
        self.classes_, labels = np.unique(column, return_inverse=True)
        if len(self.classes_) < 2:
            raise PredictorError(
                "y has 1 class", expected="two classes or more", fix="check the labels"
            )
        context = {"groups": groups, "as_of": as_of}
        self.parts_ = []
        for train, held_out in self._splits(labels, groups, as_of):
            model = self.estimator
            if self.method != "prefit":
                part = {k: None if v is None else v[train] for k, v in context.items()}
                # A classifier of the workbench wants 0 and 1; others take any code.
                codes = labels[train].astype(np.int8)
                model = fit_in_context(clone(model), frame.iloc[train], codes, **part)
            rows = self._one_of_each(groups, held_out)
            proba = self._proba(model, frame.iloc[rows])
            strange = 1 - proba[np.arange(len(rows)), labels[rows]]
            self.parts_.append(
                _Calibrated(model, strange, labels[rows], self._bins(frame.iloc[rows]))
            )
        self.n_calibration_ = sum(len(part.labels) for part in self.parts_)
        return self

    def _splits(
        self, labels: NDArray[np.intp], groups: NDArray[Any] | None, as_of: NDArray[Any] | None
    ) -> list[tuple[Positions, Positions]]:
        if self.method == "prefit":
            return [(np.empty(0, dtype=np.intp), np.arange(len(labels)))]
        if self.method not in ("split", "cross"):
            raise PredictorError(
                f"method is {self.method!r}",
                expected="'split', 'cross' or 'prefit'",
                fix="correct it",
            )
        # Folds are stratified by the rarest class against the others.
        counts = np.bincount(labels)
        rarest, few = counts.argmin(), int(counts.min())
        folds = safe_folds(
            (labels == rarest).astype(np.int64),
            groups=groups,
            as_of=as_of,
            n_splits=max(2, min(_PARTS, few)) if self.method == "split" else self.n_splits,
            random_state=self.random_state,
        )
        chosen = folds[-1:] if self.method == "split" else folds
        pairs = [(train.astype(np.intp), test.astype(np.intp)) for train, test in chosen]
        for train, _ in pairs:
            absent = set(range(len(self.classes_))) - set(labels[train].tolist())
            if absent:
                raise PredictorError(
                    f"no training row of a fold has the class {self.classes_[min(absent)]!r}",
                    expected="every class in every part",
                    fix="use more rows or fewer folds, or join rare classes",
                )
        return pairs

    def _one_of_each(self, groups: NDArray[Any] | None, rows: Positions) -> Positions:
        if groups is None:
            return rows
        shuffled = np.random.default_rng(self.random_state).permutation(rows)
        _, first = np.unique(np.asarray(groups)[shuffled], return_index=True)
        return np.sort(shuffled[first])

    def _proba(self, model: Any, X: pd.DataFrame) -> NDArray[np.float64]:
        """Probabilities in the order of `classes_`, shape (n_samples, n_classes)."""
        said = np.asarray(model.predict_proba(X), dtype=np.float64)
        wanted = self.classes_ if self.method == "prefit" else np.arange(len(self.classes_))
        known = list(model.classes_)
        absent = [c for c in wanted if c not in known]
        if absent:
            raise PredictorError(
                f"the fitted estimator does not know the class {absent[0]!r}",
                expected=f"classes among {known}",
                fix="fit it on rows of every class",
            )
        return said[:, [known.index(c) for c in wanted]]

    def _bins(self, X: pd.DataFrame) -> NDArray[np.object_]:
        if self.bins is None:
            return np.full(len(X), "", dtype=object)
        if self.bins not in X:
            raise PredictorError(
                f"{self.bins!r} is no column",
                expected=f"one of {list(X.columns)}",
                fix="correct it",
            )
        values = X[self.bins].astype(object)
        return np.asarray(values.where(values.notna(), "missing").astype(str), dtype=object)

    def predict_proba(self, X: pd.DataFrame) -> NDArray[np.float64]:
        """Mean of the classifiers' probabilities, shape (n_samples, n_classes)."""
        check_is_fitted(self)
        frame = checked_frame(self, X, reset=False)
        return np.asarray(np.mean([self._proba(p.model, frame) for p in self.parts_], axis=0))

    def predict(self, X: pd.DataFrame) -> NDArray[Any]:
        """Most probable class, shape (n_samples,)."""
        check_is_fitted(self)
        return np.asarray(self.classes_[self.predict_proba(X).argmax(axis=1)])

    def predict_p(self, X: pd.DataFrame) -> NDArray[np.float64]:
        """Conformal p-value of each label: how common a truth at least as strange was.

        Parameters
        ----------
        X : DataFrame of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            Above 0, and 1 where nothing is known: no held-out row of that class and bin.
        """
        check_is_fitted(self)
        frame = checked_frame(self, X, reset=False)
        bins = self._bins(frame)
        # Counts of the parts add up: cross-conformal p-values (Vovk 2015, equation 4).
        stranger = np.zeros((len(frame), len(self.classes_)))
        total = np.zeros_like(stranger)
        for part in self.parts_:
            strange = 1 - self._proba(part.model, frame)
            for label in range(len(self.classes_)):
                use = part.labels == label if self.class_conditional else slice(None)
                sizes = pd.Series(part.bins[use]).value_counts()
                n = pd.Series(bins).map(sizes).fillna(0).to_numpy(dtype=np.float64)
                p = (
                    PValues()
                    .fit(part.strangeness[use], bins=part.bins[use].astype(str))
                    .predict_p(strange[:, [label]], bins=bins.astype(str), smoothing=False)[:, 0]
                )
                stranger[:, label] += p * (n + 1) - 1
                total[:, label] += n
        return (stranger + 1) / (total + 1)

    def predict_set(self, X: pd.DataFrame, confidence_level: float = 0.9) -> NDArray[np.bool_]:
        """Which labels each row's prediction set holds.

        Parameters
        ----------
        X : DataFrame of shape (n_samples, n_features)
        confidence_level
            In (0, 1).

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            In the order of `classes_`.

        Raises
        ------
        PredictorError
            When the level is not in (0, 1).
        """
        if not 0 < confidence_level < 1:
            raise PredictorError(
                f"confidence_level is {confidence_level!r}",
                expected="a number above 0 and below 1",
                fix="0.9 lets one truth in ten outside",
            )
        # Rounded, or 1 − 0.9 = 0.09999999999999998 would let in a p-value of exactly 0.1.
        inside = self.predict_p(X).round(12) > round(1 - confidence_level, 12)
        if not self.ordered:
            return inside
        from_below = np.maximum.accumulate(inside, axis=1)
        from_above = np.maximum.accumulate(inside[:, ::-1], axis=1)[:, ::-1]
        return np.asarray(from_below & from_above)

    def deferred(self, X: pd.DataFrame, confidence_level: float = 0.9) -> NDArray[np.bool_]:
        """Rows to hand to somebody who knows more: their set is not a single label.

        Several labels mean that the classifier cannot tell them apart at this level; none, that
        the row looks like nothing held out.

        Parameters
        ----------
        X : DataFrame of shape (n_samples, n_features)
        confidence_level
            In (0, 1).

        Returns
        -------
        ndarray of shape (n_samples,)
        """
        return np.asarray(self.predict_set(X, confidence_level).sum(axis=1) != 1)
