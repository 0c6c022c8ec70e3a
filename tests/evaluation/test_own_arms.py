from typing import Any, Self

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin

from workbench.data import Dataset
from workbench.errors import EvaluationError
from workbench.evaluation import evaluate
from workbench.tasks import load_task


class Says(ClassifierMixin, BaseEstimator):
    """Gives every lead the same probability, whatever it is."""

    def __init__(self, probability: float) -> None:
        self.probability = probability

    def fit(self, X: pd.DataFrame, y: Any) -> Self:
        self.classes_ = np.array([0, 1])
        return self

    def predict_proba(self, X: pd.DataFrame) -> Any:
        return np.tile([1 - self.probability, self.probability], (len(X), 1))


@pytest.mark.parametrize("probability", [float("nan"), float("inf"), -0.1, 1.5])
def test_probabilities_that_are_none_name_the_arm(leads: Dataset, probability: float) -> None:
    with pytest.raises(EvaluationError, match="arm 'mine' predicted a probability of"):
        evaluate(load_task("lead_conversion"), {"mine": Says(probability)}, leads)


def test_the_ends_of_the_scale_are_probabilities(leads: Dataset) -> None:
    arms = {"never": Says(0.0), "always": Says(1.0)}
    found = evaluate(load_task("lead_conversion"), arms, leads, latency_sample=5, n_resamples=100)
    assert found.estimate("never", "accuracy").estimate == pytest.approx(
        1 - found.info.test_base_rate
    )
    assert np.isfinite(found.estimate("always", "log_loss").estimate)


@pytest.mark.parametrize("arms", [{}, {"text": "not an estimator"}])
def test_what_is_no_classifier_is_refused(leads: Dataset, arms: dict[str, Any]) -> None:
    with pytest.raises(EvaluationError, match=r"no arms|a scikit-learn classifier"):
        evaluate(load_task("lead_conversion"), arms, leads)
