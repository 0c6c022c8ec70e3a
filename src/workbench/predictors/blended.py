"""A weighted mean of classifiers in log-odds, its weights fitted out of fold."""

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import LinearConstraint, minimize
from scipy.special import expit

from workbench.errors import PredictorError
from workbench.predictors.calibrators import Method, fitted_map
from workbench.predictors.ensemble import OutOfFoldEnsemble

__all__ = ["BlendedClassifier"]

Vector = NDArray[np.float64]


class BlendedClassifier(OutOfFoldEnsemble):
    """Weighted mean of classifiers in log-odds: a logarithmic opinion pool.

    The weights are not negative, add up to 1, and minimise the log loss of out-of-fold
    predictions, so a member that only repeats its training labels gets none. The pool is then
    calibrated on the same out-of-fold predictions. Unlike a stack, no member can count against
    another, which keeps the blend steady where members are alike or rows are few.

    Parameters
    ----------
    estimators : sequence of (str, estimator)
        The members; any classifier with `predict_proba`.
    weights
        "fitted", or "equal": the better choice for few rows or members about equally good.
    calibration
        Of the pool: "platt", "isotonic", "beta" or None.
    n_splits
        Folds.
    random_state
        Seed of the folds.

    Attributes
    ----------
    classes_ : ndarray of shape (2,)
    members_ : list of fitted estimators
    weights_ : ndarray of shape (n_members,)
        They add up to 1.
    calibration_ : callable or None
        From the pool's log-odds to calibrated ones.
    n_out_of_fold_ : int
        Rows that weights and calibration were fitted on.
    fit_answers_ : DataFrame
        What was asked of Claude to fit them, one row a call; empty without.

    References
    ----------
    Genest & Zidek (1986), Statistical Science 1:114-135; weights by cross-validated loss: van
    der Laan, Polley & Hubbard (2007), Stat. Appl. Genet. Mol. Biol. 6, article 25.

    Examples
    --------
    >>> import pandas as pd
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.dummy import DummyClassifier
    >>> rng = np.random.default_rng(0)
    >>> X = pd.DataFrame({"n": rng.normal(size=300)})
    >>> y = (X["n"] + rng.normal(size=300) > 0).astype(int)
    >>> members = [("line", LogisticRegression()), ("prior", DummyClassifier())]
    >>> BlendedClassifier(members).fit(X, y).weights_.round(2).tolist()
    [1.0, 0.0]
    """

    _what = "a blend"

    def __init__(
        self,
        estimators: Sequence[tuple[str, Any]],
        *,
        weights: Literal["fitted", "equal"] = "fitted",
        calibration: Method | None = "platt",
        n_splits: int = 5,
        random_state: int = 0,
    ) -> None:
        self.estimators = estimators
        self.weights = weights
        self.calibration = calibration
        self.n_splits = n_splits
        self.random_state = random_state

    def _fit_combiner(self, margins: Vector, labels: NDArray[np.int64]) -> None:
        n_members = margins.shape[1]
        if self.weights == "equal":
            self.weights_ = np.full(n_members, 1 / n_members)
        elif self.weights == "fitted":
            self.weights_ = _pool_weights(margins, labels, scaled=self.calibration is not None)
        else:
            raise PredictorError(
                f"weights are {self.weights!r}", expected="'fitted' or 'equal'", fix="correct it"
            )
        self.calibration_ = (
            None
            if self.calibration is None
            else fitted_map(self.calibration, margins @ self.weights_, labels)
        )

    def combine(self, margins: Vector) -> Vector:
        """Log-odds of the blend, shape (n_samples,), from its members' margins.

        Parameters
        ----------
        margins : ndarray of shape (n_samples, n_members)
        """
        pooled = np.asarray(margins @ self.weights_)
        return pooled if self.calibration_ is None else self.calibration_(pooled)


def _pool_weights(margins: Vector, labels: NDArray[np.int64], *, scaled: bool) -> Vector:
    """Weights ≥ 0 of the smallest log loss; where the pool is calibrated, up to its scale."""
    n, k = margins.shape

    def loss(values: Vector) -> tuple[float, Vector]:
        pooled = margins @ values[:k] + values[k]
        error = expit(pooled) - labels
        gradient = np.append(margins.T @ error, error.sum())
        return float(np.mean(np.logaddexp(0, pooled) - labels * pooled)), gradient / n

    method: dict[str, Any] = {"method": "L-BFGS-B", "options": {"gtol": 1e-9, "ftol": 1e-13}}
    if not scaled:
        one = LinearConstraint(np.append(np.ones(k), 0.0)[None, :], 1.0, 1.0)
        method = {"method": "SLSQP", "constraints": one, "options": {"ftol": 1e-12}}
    # The intercept moves only where a calibration will carry it.
    free = (None, None) if scaled else (0.0, 0.0)
    start = np.append(np.full(k, 1 / k), 0.0)
    found = minimize(loss, start, jac=True, bounds=[(0.0, None)] * k + [free], **method)
    weights = np.clip(found.x[:k], 0.0, None)
    total = float(weights.sum())
    # Nothing found by anybody: no member deserves more than another.
    return weights / total if total > 0 else np.full(k, 1 / k)
