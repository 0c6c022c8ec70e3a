"""Score one row at a time, in process, as fast as its models allow."""

import math
from bisect import bisect_right
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit
from sklearn.utils.validation import check_is_fitted

from workbench.errors import PredictorError
from workbench.predictors.additive import AdditiveClassifier, Curve
from workbench.predictors.boosted import BoostedClassifier
from workbench.predictors.calibrated import CalibratedClassifier
from workbench.predictors.calibrators import log_odds
from workbench.predictors.ensemble import OutOfFoldEnsemble
from workbench.predictors.table import EncodedTable

__all__ = ["OnlineScorer"]

# From a row's encodings, one an `_Encoder`, to log-odds.
_Margin = Callable[[list[NDArray[np.float64]]], float]


class OnlineScorer:
    """Score single rows given as mappings, without a DataFrame.

    The same models as in the batch, to the last digits: LightGBM's booster on one thread, an
    additive model's curves by bisection, and the blend or calibration on top.

    Parameters
    ----------
    estimator
        A fitted BoostedClassifier or AdditiveClassifier, or a blend, stack or calibration of
        such.

    Raises
    ------
    PredictorError
        When another kind of estimator takes part.
    NotFittedError
        When it is not fitted.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> X = pd.DataFrame({"visits": rng.poisson(3, 400)})
    >>> y = (X["visits"] + rng.normal(size=400) > 4).astype(int)
    >>> model = AdditiveClassifier().fit(X, y)
    >>> scorer = OnlineScorer(model)
    >>> batch = model.predict_proba(pd.DataFrame({"visits": [9]}))
    >>> bool(abs(scorer.score({"visits": 9}) - batch[0, 1]) < 1e-12)
    True
    """

    def __init__(self, estimator: Any) -> None:
        check_is_fitted(estimator)
        self._encoders: list[_Encoder] = []
        self._margin = self._compiled(estimator)
        self.classes_: NDArray[Any] = estimator.classes_

    def log_odds(self, row: Mapping[str, Any]) -> float:
        """Log-odds of the second class.

        Parameters
        ----------
        row
            Value of each column the model was fitted on; `None` and NaN are missing, a category
            not seen in training counts as missing, and other keys are not looked at.

        Raises
        ------
        PredictorError
            When a column is absent, or a number is none.
        """
        return self._margin([encoder(row) for encoder in self._encoders])

    def score(self, row: Mapping[str, Any]) -> float:
        """Probability of the second class; see `log_odds`."""
        return float(expit(self.log_odds(row)))

    def _compiled(self, estimator: Any) -> _Margin:
        if isinstance(estimator, OutOfFoldEnsemble):
            members = [self._compiled(member) for member in estimator.members_]

            def combined(rows: list[NDArray[np.float64]]) -> float:
                margins = np.array([[member(rows) for member in members]])
                return float(estimator.combine(log_odds(expit(margins)))[0])

            return combined
        if isinstance(estimator, CalibratedClassifier):
            inner = self._compiled(estimator.estimator_)

            def calibrated(rows: list[NDArray[np.float64]]) -> float:
                margin = log_odds(expit(np.array([inner(rows)])))
                return float(estimator.calibration_(margin)[0])

            return calibrated
        if isinstance(estimator, BoostedClassifier):
            place = self._place(estimator.encoded_)
            return lambda rows: float(estimator.score_encoded(rows[place])[0])
        if isinstance(estimator, AdditiveClassifier):
            return _curves(estimator, self._place(estimator.encoded_))
        raise PredictorError(
            f"{type(estimator).__name__} cannot score rows online",
            expected="BoostedClassifier, AdditiveClassifier, or an ensemble of them",
            fix="score it in batches, or use AdditiveClassifier in place of a linear pipeline",
        )

    def _place(self, encoded: EncodedTable) -> int:
        """Position of the encoder that makes these rows; members that agree share one."""
        made = _Encoder(encoded)
        for place, encoder in enumerate(self._encoders):
            if encoder.agrees_with(made):
                return place
        self._encoders.append(made)
        return len(self._encoders) - 1


class _Encoder:
    """One row of what an `EncodedTable` makes, from a mapping."""

    def __init__(self, encoded: EncodedTable) -> None:
        self.numbers = list(encoded.table_.numeric_)
        self.codes = [
            (column, {level: float(code) for code, level in enumerate(levels)})
            for column, levels in encoded.table_.categories_.items()
        ]
        self.text = encoded.text_

    def agrees_with(self, other: "_Encoder") -> bool:
        if (self.numbers, self.codes) != (other.numbers, other.codes):
            return False
        if self.text is None or other.text is None:
            return self.text is other.text
        mine, theirs = self.text.vectorizer_, other.text.vectorizer_
        return (
            self.text.columns_ == other.text.columns_
            and getattr(mine, "vocabulary_", None) == getattr(theirs, "vocabulary_", None)
            and np.array_equal(self.text.model_.coef_, other.text.model_.coef_)
            and np.array_equal(self.text.model_.intercept_, other.text.model_.intercept_)
        )

    def __call__(self, row: Mapping[str, Any]) -> NDArray[np.float64]:
        try:
            values = [_number(row[column], column) for column in self.numbers]
            values += [_code(levels, row[column]) for column, levels in self.codes]
            if self.text is not None:
                texts = {c: [row[c]] for c in self.text.columns_}
                frame = pd.DataFrame(texts, dtype="str")
                values.append(float(self.text.transform(frame)[0, 0]))
        except KeyError as error:
            raise PredictorError(
                f"the row has no {error.args[0]!r}",
                expected="a value, or None, for every column the model was fitted on",
                fix="add it",
            ) from None
        return np.array([values])


def _number(value: Any, column: Any) -> float:
    if type(value) is float:
        return value
    if value is None or value is pd.NA:
        return math.nan
    try:
        return float(value)
    except (TypeError, ValueError):
        # The value may be a lead's own words: it is not repeated.
        raise PredictorError(
            f"{column!r} is a {type(value).__name__} that is no number",
            expected="a number, a boolean or None",
            fix="convert it",
        ) from None


def _code(levels: Mapping[Any, float], value: Any) -> float:
    try:
        return levels.get(value, math.nan)
    except TypeError:
        return math.nan


def _curves(model: AdditiveClassifier, place: int) -> _Margin:
    curves = [_one_value(curve) for curve in model.curves_]

    def margin(rows: list[NDArray[np.float64]]) -> float:
        total = model.intercept_
        for curve, value in zip(curves, rows[place][0].tolist(), strict=True):
            total += curve(value)
        return total

    return margin


def _one_value(curve: Curve) -> Callable[[float], float]:
    knots: list[float] = curve.knots.tolist()
    heights: list[float] = curve.heights.tolist()
    missing, last = curve.missing, len(knots) - 1

    def level(value: float) -> float:
        return missing if math.isnan(value) else heights[int(value)]

    def height(value: float) -> float:
        if math.isnan(value):
            return missing
        if value <= knots[0]:
            return heights[0]
        if value >= knots[last]:
            return heights[last]
        at = bisect_right(knots, value) - 1
        slope = (heights[at + 1] - heights[at]) / (knots[at + 1] - knots[at])
        return slope * (value - knots[at]) + heights[at]

    return level if curve.category else height
