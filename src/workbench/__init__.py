"""Find out, with evidence a sceptic accepts, which model and prompt strategy to promote.

Names are imported when they are first used: `import workbench` costs next to nothing.
"""

import importlib
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from workbench.abtest import (
        Assigner,
        EventStore,
        analyse,
        plan,
        read_design,
        read_registration,
        register,
    )
    from workbench.abtest.monitor import monitor
    from workbench.abtest.report_files import open_data, read_events, record_events
    from workbench.abtest.report_run import read_experiment
    from workbench.annotation import (
        PairwiseRating,
        adjudicate,
        agreement,
        diff_gold,
        human_verdicts,
        read_annotations,
        read_gold,
        write_gold,
    )
    from workbench.claude import (
        AnswerStore,
        Cassette,
        ClaudeClient,
        ClaudeRequest,
        FaultPlan,
        Origin,
        RateLimits,
    )
    from workbench.claude.semantic import RedisTier, SemanticCache, SqliteTier
    from workbench.data import AskedField, Catalogue, Corpus, Dataset, Slot, Split
    from workbench.data.brokerage import Brokerage, open_brokerage, simulate
    from workbench.data.leaks import audit_dataset
    from workbench.embeddings import SentenceEncoder
    from workbench.errors import FeatureError, WorkbenchError
    from workbench.evaluation import (
        Evaluation,
        Gate,
        GateRule,
        cascade_frontier,
        evaluate,
        evaluate_spec,
        price_spec,
        read_spec,
        saving,
        say,
    )
    from workbench.evaluation.claims import Family, claims_of
    from workbench.evaluation.judge import JudgePair, PairwiseJudge
    from workbench.evaluation.judge_audit import audit_judge
    from workbench.evaluation.measured import Figure, measure
    from workbench.evaluation.readings import ReadingEvaluation, evaluate_readings
    from workbench.evaluation.readings.confusion import confusion
    from workbench.evaluation.readings.disagreements import disagreements
    from workbench.evaluation.readings.failures import failures
    from workbench.evaluation.readings.prompt_diff import prompt_diff
    from workbench.evaluation.readings.prompt_search import compare_searches, search_prompts
    from workbench.evaluation.readings.prompt_space import (
        PromptSpace,
        Shown,
        reading_space,
        write_prompt,
    )
    from workbench.evaluation.readings.prompt_work import (
        compare_prompts,
        compare_shots,
        with_validation,
    )
    from workbench.evaluation.readings.session import evaluate_reading_spec, price_reading_spec
    from workbench.evaluation.readings.slice_gaps import weak_slices
    from workbench.evaluation.readings.spec import is_reading_spec
    from workbench.evaluation.readings.traces import trace
    from workbench.evaluation.session import fit_arm
    from workbench.features import (
        FEATURES,
        FeatureSet,
        HistoryFeatures,
        LexiconFeatures,
        SentenceFeatures,
        collect,
        read_tables,
        spark_session,
        write_table,
    )
    from workbench.monitoring import (
        calibration_over_time,
        check_alerts,
        drift,
        drift_over_time,
        vector_drift,
    )
    from workbench.monitoring.fairness import counterfactual_audit, slice_gaps
    from workbench.predictors import (
        AdditiveClassifier,
        Between,
        BlendedClassifier,
        BoostedClassifier,
        CalibratedClassifier,
        CascadeClassifier,
        ClaudeClassifier,
        ClaudeSignals,
        ConformalClassifier,
        ConformalPolicy,
        DisagreementPolicy,
        FallbackClassifier,
        GainPolicy,
        OnlineScorer,
        SignalledClassifier,
        StackedClassifier,
        UncertaintyPolicy,
        check_evidence,
        coverage_by_slice,
        explain,
        logistic_baseline,
        prior_baseline,
        prompt_cost,
        signal_agreement,
        signal_gain,
        tabular_ensemble,
        tune,
    )
    from workbench.predictors.hazard import DiscreteHazard
    from workbench.predictors.ordinal import OrdinalClassifier
    from workbench.predictors.readers import BlendedReader, ClaudeReader, FieldReader, Readings
    from workbench.privacy import Anchor, AuditLog, PrivacyGate, TenantKeys
    from workbench.prompts import read_prompt
    from workbench.reports import ReadingReport, Report, run_spec
    from workbench.reports.experiment import run_experiment_report
    from workbench.reports.prompt_plots import shots_plot
    from workbench.scorers import metric, wording_findings
    from workbench.settings import Settings
    from workbench.studies.result import Study
    from workbench.subjects import Stores, erase_subject, export_subject
    from workbench.tasks import (
        TASKS,
        corpus_names,
        corpus_title,
        labelling_task,
        load_corpus,
        load_dataset,
        load_task,
        open_catalogue,
    )
    from workbench.tasks.behaviour.signals import behaviour_signals
    from workbench.tracking import log_result, server_command, traced_calls
    from workbench.tracking.abtest import log_experiment
    from workbench.tracking.pipelines import (
        load_pipeline,
        register_pipeline,
        score_files,
        score_on_spark,
    )
    from workbench.tracking.prompts import (
        prompt_by_alias,
        prompt_versions,
        register_prompt,
        set_alias,
    )
    from workbench.tracking.tuning import log_tuning

__version__ = "0.1.0"

_NAMES = MappingProxyType(
    {
        "workbench.abtest": """
            Assigner EventStore analyse plan read_design read_registration register
        """,
        "workbench.abtest.monitor": "monitor",
        "workbench.abtest.report_files": "open_data read_events record_events",
        "workbench.abtest.report_run": "read_experiment",
        "workbench.annotation": """
            PairwiseRating adjudicate agreement diff_gold human_verdicts read_annotations
            read_gold write_gold
        """,
        "workbench.claude": """
            AnswerStore Cassette ClaudeClient ClaudeRequest FaultPlan Origin RateLimits
        """,
        "workbench.claude.semantic": "RedisTier SemanticCache SqliteTier",
        "workbench.data": "AskedField Catalogue Corpus Dataset Slot Split",
        "workbench.data.brokerage": "Brokerage open_brokerage simulate",
        "workbench.data.leaks": "audit_dataset",
        "workbench.embeddings": "SentenceEncoder",
        "workbench.errors": "FeatureError WorkbenchError",
        "workbench.evaluation": """
            Evaluation Gate GateRule cascade_frontier evaluate evaluate_spec price_spec
            read_spec saving say
        """,
        "workbench.evaluation.claims": "Family claims_of",
        "workbench.evaluation.judge": "JudgePair PairwiseJudge",
        "workbench.evaluation.judge_audit": "audit_judge",
        "workbench.evaluation.measured": "Figure measure",
        "workbench.evaluation.readings": "ReadingEvaluation evaluate_readings",
        "workbench.evaluation.readings.confusion": "confusion",
        "workbench.evaluation.readings.disagreements": "disagreements",
        "workbench.evaluation.readings.failures": "failures",
        "workbench.evaluation.readings.prompt_diff": "prompt_diff",
        "workbench.evaluation.readings.prompt_search": "compare_searches search_prompts",
        "workbench.evaluation.readings.prompt_space": """
            PromptSpace Shown reading_space write_prompt
        """,
        "workbench.evaluation.readings.prompt_work": """
            compare_prompts compare_shots with_validation
        """,
        "workbench.evaluation.readings.session": "evaluate_reading_spec price_reading_spec",
        "workbench.evaluation.readings.slice_gaps": "weak_slices",
        "workbench.evaluation.readings.spec": "is_reading_spec",
        "workbench.evaluation.readings.traces": "trace",
        "workbench.evaluation.session": "fit_arm",
        "workbench.features": """
            FEATURES FeatureSet HistoryFeatures LexiconFeatures SentenceFeatures collect
            read_tables spark_session write_table
        """,
        "workbench.monitoring": """
            calibration_over_time check_alerts drift drift_over_time vector_drift
        """,
        "workbench.monitoring.fairness": "counterfactual_audit slice_gaps",
        "workbench.predictors": """
            AdditiveClassifier Between BlendedClassifier BoostedClassifier CalibratedClassifier
            CascadeClassifier ClaudeClassifier ClaudeSignals ConformalClassifier ConformalPolicy
            DisagreementPolicy FallbackClassifier GainPolicy OnlineScorer SignalledClassifier
            StackedClassifier UncertaintyPolicy check_evidence coverage_by_slice explain
            logistic_baseline prior_baseline prompt_cost signal_agreement signal_gain
            tabular_ensemble tune
        """,
        "workbench.predictors.hazard": "DiscreteHazard",
        "workbench.predictors.ordinal": "OrdinalClassifier",
        "workbench.predictors.readers": "BlendedReader ClaudeReader FieldReader Readings",
        "workbench.privacy": "Anchor AuditLog PrivacyGate TenantKeys",
        "workbench.prompts": "read_prompt",
        "workbench.reports": "ReadingReport Report run_spec",
        "workbench.reports.experiment": "run_experiment_report",
        "workbench.reports.prompt_plots": "shots_plot",
        "workbench.scorers": "metric wording_findings",
        "workbench.settings": "Settings",
        "workbench.studies.result": "Study",
        "workbench.subjects": "Stores erase_subject export_subject",
        "workbench.tasks": """
            TASKS corpus_names corpus_title labelling_task load_corpus load_dataset load_task
            open_catalogue
        """,
        "workbench.tasks.behaviour.signals": "behaviour_signals",
        "workbench.tracking": "log_result server_command traced_calls",
        "workbench.tracking.abtest": "log_experiment",
        "workbench.tracking.pipelines": """
            load_pipeline register_pipeline score_files score_on_spark
        """,
        "workbench.tracking.prompts": "prompt_by_alias prompt_versions register_prompt set_alias",
        "workbench.tracking.tuning": "log_tuning",
    }
)
_HOMES = {name: module for module, names in _NAMES.items() for name in names.split()}

__all__ = [
    "FEATURES",
    "TASKS",
    "AdditiveClassifier",
    "Anchor",
    "AnswerStore",
    "AskedField",
    "Assigner",
    "AuditLog",
    "Between",
    "BlendedClassifier",
    "BlendedReader",
    "BoostedClassifier",
    "Brokerage",
    "CalibratedClassifier",
    "CascadeClassifier",
    "Cassette",
    "Catalogue",
    "ClaudeClassifier",
    "ClaudeClient",
    "ClaudeReader",
    "ClaudeRequest",
    "ClaudeSignals",
    "ConformalClassifier",
    "ConformalPolicy",
    "Corpus",
    "Dataset",
    "DisagreementPolicy",
    "DiscreteHazard",
    "Evaluation",
    "EventStore",
    "FallbackClassifier",
    "Family",
    "FaultPlan",
    "FeatureError",
    "FeatureSet",
    "FieldReader",
    "Figure",
    "GainPolicy",
    "Gate",
    "GateRule",
    "HistoryFeatures",
    "JudgePair",
    "LexiconFeatures",
    "OnlineScorer",
    "OrdinalClassifier",
    "Origin",
    "PairwiseJudge",
    "PairwiseRating",
    "PrivacyGate",
    "PromptSpace",
    "RateLimits",
    "ReadingEvaluation",
    "ReadingReport",
    "Readings",
    "RedisTier",
    "Report",
    "SemanticCache",
    "SentenceEncoder",
    "SentenceFeatures",
    "Settings",
    "Shown",
    "SignalledClassifier",
    "Slot",
    "Split",
    "SqliteTier",
    "StackedClassifier",
    "Stores",
    "Study",
    "TenantKeys",
    "UncertaintyPolicy",
    "WorkbenchError",
    "adjudicate",
    "agreement",
    "analyse",
    "audit_dataset",
    "audit_judge",
    "behaviour_signals",
    "calibration_over_time",
    "cascade_frontier",
    "check_alerts",
    "check_evidence",
    "claims_of",
    "collect",
    "compare_prompts",
    "compare_searches",
    "compare_shots",
    "confusion",
    "corpus_names",
    "corpus_title",
    "counterfactual_audit",
    "coverage_by_slice",
    "diff_gold",
    "disagreements",
    "drift",
    "drift_over_time",
    "erase_subject",
    "evaluate",
    "evaluate_reading_spec",
    "evaluate_readings",
    "evaluate_spec",
    "explain",
    "export_subject",
    "failures",
    "fit_arm",
    "human_verdicts",
    "is_reading_spec",
    "labelling_task",
    "load_corpus",
    "load_dataset",
    "load_pipeline",
    "load_task",
    "log_experiment",
    "log_result",
    "log_tuning",
    "logistic_baseline",
    "measure",
    "metric",
    "monitor",
    "open_brokerage",
    "open_catalogue",
    "open_data",
    "plan",
    "price_reading_spec",
    "price_spec",
    "prior_baseline",
    "prompt_by_alias",
    "prompt_cost",
    "prompt_diff",
    "prompt_versions",
    "read_annotations",
    "read_design",
    "read_events",
    "read_experiment",
    "read_gold",
    "read_prompt",
    "read_registration",
    "read_spec",
    "read_tables",
    "reading_space",
    "record_events",
    "register",
    "register_pipeline",
    "register_prompt",
    "run_experiment_report",
    "run_spec",
    "saving",
    "say",
    "score_files",
    "score_on_spark",
    "search_prompts",
    "server_command",
    "set_alias",
    "shots_plot",
    "signal_agreement",
    "signal_gain",
    "simulate",
    "slice_gaps",
    "spark_session",
    "tabular_ensemble",
    "trace",
    "traced_calls",
    "tune",
    "vector_drift",
    "weak_slices",
    "with_validation",
    "wording_findings",
    "write_gold",
    "write_prompt",
    "write_table",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'workbench' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
