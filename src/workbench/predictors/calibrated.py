"""Calibrate any classifier on what it says about rows it was not fitted on."""

from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import get_tags
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from workbench.predictors.answers import answering
from workbench.predictors.binary import BinaryClassifier
from workbench.predictors.calibrators import Method, as_proba, fitted_map, log_odds
from workbench.predictors.checking import checked_frame, checked_labels
from workbench.predictors.fitting import positive_probability
from workbench.predictors.training import Training, asked_to_fit

__all__ = ["CalibratedClassifier"]


def _answers(self: "CalibratedClassifier") -> bool:
    return answering(self.estimator)


class CalibratedClassifier(BinaryClassifier):
    """Map a classifier's probabilities to observed frequencies, fitted out of fold.

    What scikit-learn's `CalibratedClassifierCV(ensemble=False)` does, for estimators that must
    not cut a group or look ahead inside their own `fit`, and for ones that ask Claude: groups
    and time reach the folds and the estimator. Calibrating after fusion is the place for it:
    members that are each calibrated fuse to an ensemble that is not.

    Parameters
    ----------
    estimator
        Any classifier with `predict_proba`.
    method
        "platt" for few rows, "beta" where one side is too bold, "isotonic" from about a
        thousand rows of the rarer class on.
    n_splits
        Folds.
    random_state
        Seed of the folds.

    Attributes
    ----------
    classes_ : ndarray of shape (2,)
    estimator_ : fitted estimator
        Fitted on everything.
    calibration_ : callable
        From log-odds to calibrated ones.
    n_out_of_fold_ : int
        Rows it was fitted on.
    fit_answers_ : DataFrame
        What was asked of Claude to fit it, one row a call; empty without.

    References
    ----------
    Niculescu-Mizil & Caruana (2005), ICML; Kull, Silva Filho & Flach (2017), AISTATS.

    Examples
    --------
    >>> from sklearn.naive_bayes import GaussianNB
    >>> rng = np.random.default_rng(0)
    >>> signal = rng.normal(size=600)
    >>> X = pd.DataFrame({"a": signal, "copy": signal})  # naive Bayes counts it twice
    >>> y = (signal + rng.normal(size=600) > 0).astype(int)
    >>> calibrated = CalibratedClassifier(GaussianNB(), method="platt").fit(X, y)
    >>> bool(calibrated.calibration_.slope < 0.8)
    True
    """

    def __init__(
        self,
        estimator: Any,
        *,
        method: Method = "platt",
        n_splits: int = 5,
        random_state: int = 0,
    ) -> None:
        self.estimator = estimator
        self.method = method
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
        """Fit the calibration out of fold, and the estimator on everything.

        Parameters
        ----------
        X : DataFrame of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)
            Two classes.
        groups, as_of : ndarray of shape (n_samples,), optional
            What belongs together, and when; the folds respect both.

        Raises
        ------
        PredictorError
            When there are not two classes, or the method is unknown.
        DataError
            When the folds cannot hold both classes.
        """
        frame = checked_frame(self, X, reset=True)
        self.classes_, labels = checked_labels(y, frame)
        training = Training(frame, labels, groups, as_of)
        member = [("estimator", self.estimator)]
        out = training.out_of_fold(member, n_splits=self.n_splits, random_state=self.random_state)
        self.n_out_of_fold_ = int(out.known.sum())
        margins = log_odds(out.proba[out.known, 0])
        self.calibration_ = fitted_map(self.method, margins, labels[out.known])
        fitted = training.fitted(member)
        [(_, self.estimator_)] = fitted
        asked = [out.asked, *asked_to_fit(fitted)] if len(out.asked) else asked_to_fit(fitted)
        self.fit_answers_ = pd.concat(asked) if asked else out.asked
        return self

    def decision_function(self, X: pd.DataFrame) -> NDArray[np.float64]:
        """Calibrated log-odds of the second class, shape (n_samples,)."""
        check_is_fitted(self)
        frame = checked_frame(self, X, reset=False)
        return self.calibration_(log_odds(positive_probability(self.estimator_, frame)))

    def predict_proba(self, X: pd.DataFrame) -> NDArray[np.float64]:
        """Calibrated probabilities, shape (n_samples, 2)."""
        return as_proba(self.decision_function(X))

    @available_if(_answers)
    def answer(self, X: pd.DataFrame, *, repeat: int = 0) -> pd.DataFrame:
        """Predict with the cost, tokens and latency of what was asked of Claude.

        Parameters
        ----------
        X : DataFrame of shape (n_samples, n_features)
        repeat
            Which of several independent answers.

        Returns
        -------
        DataFrame
            One row an example, the columns of `workbench.predictors.ANSWER_COLUMNS`.
        """
        check_is_fitted(self)
        answers = self.estimator_.answer(checked_frame(self, X, reset=False), repeat=repeat)
        margins = log_odds(answers["proba"].to_numpy(dtype=np.float64))
        return answers.assign(proba=as_proba(self.calibration_(margins))[:, 1])
