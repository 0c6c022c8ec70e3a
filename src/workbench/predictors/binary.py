"""What every two-class estimator of the workbench shares."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.validation import check_is_fitted

__all__ = ["BinaryClassifier"]


class BinaryClassifier(ClassifierMixin, BaseEstimator):
    """A classifier of two classes whose decision follows from `predict_proba`.

    Estimators that read tables with gaps set `_allow_nan`.
    """

    _allow_nan = False

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        tags.input_tags.allow_nan = self._allow_nan
        return tags

    def predict(self, X: pd.DataFrame) -> NDArray[Any]:
        """More probable class, shape (n_samples,); the first class at a tie."""
        check_is_fitted(self)
        return np.asarray(self.classes_[(self.predict_proba(X)[:, 1] > 0.5).astype(int)])
