"""Score one lead from its history in memory: features, model and calibration in one call."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import pandas as pd

from workbench.features import Context, FeatureSet, last_words
from workbench.features.history import History
from workbench.predictors.explain import Explanation, explain
from workbench.predictors.online import OnlineScorer

__all__ = ["LeadScorer"]


class LeadScorer:
    """The whole pipeline for one lead at a time, in this process.

    The features are those of `FeatureSet.build` and the model that of the batch, so the score is
    the one the same lead gets there.

    Parameters
    ----------
    features
        What the model was fitted on.
    estimator
        Fitted; what `OnlineScorer` takes.
    text_column
        Input that holds the last messages, if the model reads one.

    Raises
    ------
    PredictorError
        When the estimator is of another kind.
    NotFittedError
        When it is not fitted.

    Examples
    --------
    >>> from workbench.features import FEATURES
    >>> from workbench.predictors import AdditiveClassifier
    >>> X = pd.DataFrame({"n_visits_7d": [0.0, 1.0, 4.0, 6.0] * 50})
    >>> model = AdditiveClassifier().fit(X, [0, 0, 1, 1] * 50)
    >>> scorer = LeadScorer(FEATURES.only("n_visits_7d"), model)
    >>> scorer.score({"events": []}, datetime(2024, 3, 1)) < 0.5
    True
    """

    def __init__(
        self, features: FeatureSet, estimator: Any, *, text_column: str | None = None
    ) -> None:
        self.features = features
        self.estimator = estimator
        self.text_column = text_column
        self._scorer = OnlineScorer(estimator)

    def row(
        self,
        history: History,
        as_of: datetime,
        *,
        lead: Mapping[str, Any] | None = None,
        context: Context | None = None,
    ) -> dict[str, Any]:
        """Inputs of the model for one lead; see `FeatureSet.compute`."""
        values = self.features.compute(history, as_of, lead=lead, context=context)
        if self.text_column is not None:
            values[self.text_column] = last_words(history.get("messages", ()), as_of)
        return values

    def score(
        self,
        history: History,
        as_of: datetime,
        *,
        lead: Mapping[str, Any] | None = None,
        context: Context | None = None,
    ) -> float:
        """Probability of the second class for one lead.

        Parameters
        ----------
        history, as_of, lead, context
            As for `FeatureSet.compute`.

        Raises
        ------
        FeatureError
            When a table, a column or the context is missing.
        """
        return self._scorer.score(self.row(history, as_of, lead=lead, context=context))

    def explain(
        self,
        history: History,
        as_of: datetime,
        *,
        lead: Mapping[str, Any] | None = None,
        context: Context | None = None,
    ) -> Explanation:
        """What each input adds to the log-odds of one lead; takes milliseconds, asked for.

        Raises
        ------
        FeatureError
            When a table, a column or the context is missing.
        """
        row = self.row(history, as_of, lead=lead, context=context)
        numbers = {name: float("nan") if v is None else v for name, v in row.items()}
        return explain(self.estimator, pd.DataFrame([numbers]))
