"""Predictors: scikit-learn estimators that can be arms of an evaluation."""

from workbench.predictors.answers import ANSWER_COLUMNS, answering, combine_answers
from workbench.predictors.baselines import logistic_baseline, prior_baseline
from workbench.predictors.boosted import BoostedClassifier
from workbench.predictors.claude import ClaudeClassifier
from workbench.predictors.fitting import fit_in_context, positive_probability
from workbench.predictors.stacked import StackedClassifier

__all__ = [
    "ANSWER_COLUMNS",
    "BoostedClassifier",
    "ClaudeClassifier",
    "StackedClassifier",
    "answering",
    "combine_answers",
    "fit_in_context",
    "logistic_baseline",
    "positive_probability",
    "prior_baseline",
]
