"""Predictors: scikit-learn estimators that can be arms of an evaluation."""

from workbench.predictors.additive import AdditiveClassifier
from workbench.predictors.answers import ANSWER_COLUMNS, answering, combine_answers
from workbench.predictors.baselines import logistic_baseline, prior_baseline, tabular_ensemble
from workbench.predictors.blended import BlendedClassifier
from workbench.predictors.boosted import BoostedClassifier
from workbench.predictors.calibrated import CalibratedClassifier
from workbench.predictors.cascade import CascadeClassifier
from workbench.predictors.claude import ClaudeClassifier
from workbench.predictors.conformal import ConformalClassifier
from workbench.predictors.coverage import SliceCoverage, coverage_by_slice
from workbench.predictors.evidence import EvidenceCheck, check_evidence
from workbench.predictors.explain import Explanation, explain
from workbench.predictors.fallback import FallbackClassifier
from workbench.predictors.fitting import fit_in_context, positive_probability
from workbench.predictors.online import OnlineScorer
from workbench.predictors.planning import planned_requests
from workbench.predictors.policy import (
    CascadePolicy,
    ConformalPolicy,
    DisagreementPolicy,
    GainPolicy,
    UncertaintyPolicy,
)
from workbench.predictors.prompt_cost import prompt_cost
from workbench.predictors.signal_value import (
    SignalAgreement,
    SignalGain,
    signal_agreement,
    signal_gain,
)
from workbench.predictors.signalled import SignalledClassifier
from workbench.predictors.signals import ClaudeSignals, ExtractedSignals
from workbench.predictors.stacked import StackedClassifier
from workbench.predictors.timing import single_latencies
from workbench.predictors.tuning import Between, Trial, Tuning, tune

__all__ = [
    "ANSWER_COLUMNS",
    "AdditiveClassifier",
    "Between",
    "BlendedClassifier",
    "BoostedClassifier",
    "CalibratedClassifier",
    "CascadeClassifier",
    "CascadePolicy",
    "ClaudeClassifier",
    "ClaudeSignals",
    "ConformalClassifier",
    "ConformalPolicy",
    "DisagreementPolicy",
    "EvidenceCheck",
    "Explanation",
    "ExtractedSignals",
    "FallbackClassifier",
    "GainPolicy",
    "OnlineScorer",
    "SignalAgreement",
    "SignalGain",
    "SignalledClassifier",
    "SliceCoverage",
    "StackedClassifier",
    "Trial",
    "Tuning",
    "UncertaintyPolicy",
    "answering",
    "check_evidence",
    "combine_answers",
    "coverage_by_slice",
    "explain",
    "fit_in_context",
    "logistic_baseline",
    "planned_requests",
    "positive_probability",
    "prior_baseline",
    "prompt_cost",
    "signal_agreement",
    "signal_gain",
    "single_latencies",
    "tabular_ensemble",
    "tune",
]
