"""Boosted trees that calibrate themselves and never look ahead."""

from typing import Any, Self

import lightgbm
import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.utils.validation import check_is_fitted

from workbench.data import safe_folds
from workbench.predictors.binary import BinaryClassifier
from workbench.predictors.calibrators import PlattMap, as_proba
from workbench.predictors.checking import checked_frame, checked_labels
from workbench.predictors.table import EncodedTable

__all__ = ["BoostedClassifier"]


class BoostedClassifier(BinaryClassifier):
    """LightGBM with native categories, early stopping and Platt calibration.

    The training data is cut into folds that respect groups and time. Each fold stops its
    boosting early; the final model, fitted on everything, takes the median number of
    rounds. The folds' out-of-fold margins fit a logistic calibration (Platt 1999) that
    maps the final model's margin to a probability, as scikit-learn's
    `CalibratedClassifierCV(ensemble=False)` does.

    Parameters
    ----------
    learning_rate, num_leaves, min_child_samples, subsample, colsample_bytree, reg_lambda
        LightGBM's own parameters.
    max_rounds
        Upper limit of boosting rounds.
    early_stopping_rounds
        Rounds without a better log loss before a fold stops.
    n_splits
        Folds for early stopping and calibration.
    text
        Whether free text is read; it enters as one score, out of fold in training.
    n_jobs
        Threads. One by default: more gain little on tables of this size and, where other jobs
        share the cores, wait for each other many times longer than they work.
    random_state
        Seed.

    Attributes
    ----------
    classes_ : ndarray of shape (2,)
    n_rounds_ : int
        Boosting rounds of the final model.
    model_ : lightgbm.LGBMClassifier
    encoded_ : EncodedTable
        How rows become the matrix the trees read.
    calibration_ : PlattMap
        Slope and intercept on the margin.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> X = pd.DataFrame({"visits": rng.poisson(3, 400)})
    >>> y = (X["visits"] + rng.normal(size=400) > 4).astype(int)
    >>> model = BoostedClassifier(n_jobs=1).fit(X, y)
    >>> bool(model.predict_proba(pd.DataFrame({"visits": [9]}))[0, 1] > 0.8)
    True
    """

    _allow_nan = True

    def __init__(
        self,
        *,
        learning_rate: float = 0.03,
        num_leaves: int = 15,
        min_child_samples: int = 30,
        subsample: float = 0.8,
        colsample_bytree: float = 0.5,
        reg_lambda: float = 5.0,
        max_rounds: int = 2000,
        early_stopping_rounds: int = 60,
        n_splits: int = 5,
        text: bool = True,
        n_jobs: int = 1,
        random_state: int = 0,
    ) -> None:
        self.learning_rate = learning_rate
        self.num_leaves = num_leaves
        self.min_child_samples = min_child_samples
        self.subsample = subsample
        self.colsample_bytree = colsample_bytree
        self.reg_lambda = reg_lambda
        self.max_rounds = max_rounds
        self.early_stopping_rounds = early_stopping_rounds
        self.n_splits = n_splits
        self.text = text
        self.n_jobs = n_jobs
        self.random_state = random_state

    def fit(
        self,
        X: pd.DataFrame,
        y: ArrayLike,
        groups: NDArray[Any] | None = None,
        as_of: NDArray[Any] | None = None,
    ) -> Self:
        """Fit on a table.

        Parameters
        ----------
        X : DataFrame of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)
            Two classes.
        groups, as_of : ndarray of shape (n_samples,), optional
            What belongs together, and when; the inner folds respect both.

        Raises
        ------
        PredictorError
            When `y` does not have two classes.
        DataError
            When the folds cannot hold both classes.
        """
        frame = checked_frame(self, X, reset=True)
        self.classes_, labels = checked_labels(y, frame)
        folds = safe_folds(
            labels,
            groups=groups,
            as_of=as_of,
            n_splits=self.n_splits,
            random_state=self.random_state,
        )
        self.encoded_ = EncodedTable()
        table = self.encoded_.fit_out_of_fold(frame, labels, folds, text=self.text)
        categorical = self.encoded_.table_.categorical_positions_
        margins = np.full(len(labels), np.nan)
        rounds = []
        for train, test in folds:
            model = self._model(self.max_rounds).fit(
                table[train],
                labels[train],
                eval_X=(table[test],),
                eval_y=(labels[test],),
                eval_metric="binary_logloss",
                categorical_feature=categorical,
                callbacks=[lightgbm.early_stopping(self.early_stopping_rounds, verbose=False)],
            )
            rounds.append(model.best_iteration_)
            margins[test] = model.booster_.predict(table[test], raw_score=True)
        self.n_rounds_ = max(1, round(float(np.median(rounds))))
        self.model_ = self._model(self.n_rounds_).fit(
            table, labels, categorical_feature=categorical
        )
        # Forward-chained folds leave the earliest block without a margin.
        known = ~np.isnan(margins)
        self.calibration_ = PlattMap.fitted(margins[known], labels[known])
        return self

    def _model(self, n_rounds: int) -> lightgbm.LGBMClassifier:
        return lightgbm.LGBMClassifier(
            n_estimators=n_rounds,
            learning_rate=self.learning_rate,
            num_leaves=self.num_leaves,
            min_child_samples=self.min_child_samples,
            subsample=self.subsample,
            subsample_freq=1,
            colsample_bytree=self.colsample_bytree,
            reg_lambda=self.reg_lambda,
            n_jobs=self.n_jobs,
            random_state=self.random_state,
            deterministic=True,
            force_row_wise=True,
            verbose=-1,
        )

    def decision_function(self, X: pd.DataFrame) -> NDArray[np.float64]:
        """Calibrated log-odds of the second class, shape (n_samples,)."""
        check_is_fitted(self)
        return self.score_encoded(self.encoded_.transform(checked_frame(self, X, reset=False)))

    def score_encoded(self, matrix: NDArray[np.float64]) -> NDArray[np.float64]:
        """Calibrated log-odds, shape (n_samples,), of rows that are encoded already.

        Parameters
        ----------
        matrix : ndarray of shape (n_samples, n_columns)
            Rows as `encoded_` makes them.
        """
        # The booster itself: scikit-learn's wrapper costs milliseconds on a single row.
        margin = self.model_.booster_.predict(
            matrix, raw_score=True, num_threads=1 if len(matrix) < 1000 else self.n_jobs
        )
        return self.calibration_(np.asarray(margin, dtype=np.float64))

    def contributions(self, X: pd.DataFrame) -> NDArray[np.float64]:
        """What each encoded column adds to the log-odds, shape (n_samples, n_columns + 1).

        SHAP values of the trees (Lundberg et al. 2020, Nature Machine Intelligence 2:56-67) as
        LightGBM computes them, times the calibration's slope; the last column is what an average
        row starts from. They add up to `decision_function`.

        Parameters
        ----------
        X : DataFrame of shape (n_samples, n_features)
        """
        check_is_fitted(self)
        matrix = self.encoded_.transform(checked_frame(self, X, reset=False))
        added = np.asarray(self.model_.booster_.predict(matrix, pred_contrib=True))
        added = added * self.calibration_.slope
        added[:, -1] += self.calibration_.intercept
        return np.asarray(added, dtype=np.float64)

    def predict_proba(self, X: pd.DataFrame) -> NDArray[np.float64]:
        """Calibrated probabilities, shape (n_samples, 2)."""
        return as_proba(self.decision_function(X))
