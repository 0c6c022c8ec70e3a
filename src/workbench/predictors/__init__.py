"""Predictors: scikit-learn estimators that can be arms of an evaluation."""

from workbench.predictors.answers import ANSWER_COLUMNS, answering, combine_answers
from workbench.predictors.baselines import logistic_baseline, prior_baseline
from workbench.predictors.boosted import BoostedClassifier
from workbench.predictors.cascade import CascadeClassifier
from workbench.predictors.claude import ClaudeClassifier
from workbench.predictors.fallback import FallbackClassifier
from workbench.predictors.fitting import fit_in_context, positive_probability
from workbench.predictors.planning import planned_requests
from workbench.predictors.policy import (
    CascadePolicy,
    ConformalPolicy,
    DisagreementPolicy,
    UncertaintyPolicy,
)
from workbench.predictors.prompt_cost import prompt_cost
from workbench.predictors.stacked import StackedClassifier
from workbench.predictors.timing import single_latencies

__all__ = [
    "ANSWER_COLUMNS",
    "BoostedClassifier",
    "CascadeClassifier",
    "CascadePolicy",
    "ClaudeClassifier",
    "ConformalPolicy",
    "DisagreementPolicy",
    "FallbackClassifier",
    "StackedClassifier",
    "UncertaintyPolicy",
    "answering",
    "combine_answers",
    "fit_in_context",
    "logistic_baseline",
    "planned_requests",
    "positive_probability",
    "prior_baseline",
    "prompt_cost",
    "single_latencies",
]
