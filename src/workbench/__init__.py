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
    from workbench.data import Catalogue, Dataset, Split
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
    from workbench.evaluation.measured import Figure, measure
    from workbench.evaluation.session import fit_arm
    from workbench.features import (
        FEATURES,
        FeatureSet,
        collect,
        read_tables,
        spark_session,
        write_table,
    )
    from workbench.predictors import (
        AdditiveClassifier,
        Between,
        BlendedClassifier,
        BoostedClassifier,
        CalibratedClassifier,
        CascadeClassifier,
        ClaudeClassifier,
        ConformalClassifier,
        ConformalPolicy,
        DisagreementPolicy,
        FallbackClassifier,
        GainPolicy,
        OnlineScorer,
        StackedClassifier,
        UncertaintyPolicy,
        check_evidence,
        coverage_by_slice,
        explain,
        logistic_baseline,
        prior_baseline,
        prompt_cost,
        tabular_ensemble,
        tune,
    )
    from workbench.predictors.hazard import DiscreteHazard
    from workbench.predictors.ordinal import OrdinalClassifier
    from workbench.privacy import Anchor, AuditLog, PrivacyGate, TenantKeys
    from workbench.prompts import read_prompt
    from workbench.reports import Report, run_spec
    from workbench.reports.experiment import run_experiment_report
    from workbench.scorers import metric
    from workbench.settings import Settings
    from workbench.subjects import Stores, erase_subject, export_subject
    from workbench.tasks import TASKS, load_dataset, load_task, open_catalogue
    from workbench.tracking import log_result, server_command, traced_calls
    from workbench.tracking.abtest import log_experiment
    from workbench.tracking.pipelines import (
        load_pipeline,
        register_pipeline,
        score_files,
        score_on_spark,
    )
    from workbench.tracking.tuning import log_tuning

__version__ = "0.1.0"

_HOMES = MappingProxyType(
    {
        "AdditiveClassifier": "workbench.predictors",
        "Anchor": "workbench.privacy",
        "AnswerStore": "workbench.claude",
        "Assigner": "workbench.abtest",
        "AuditLog": "workbench.privacy",
        "Between": "workbench.predictors",
        "BlendedClassifier": "workbench.predictors",
        "BoostedClassifier": "workbench.predictors",
        "Brokerage": "workbench.data.brokerage",
        "CalibratedClassifier": "workbench.predictors",
        "CascadeClassifier": "workbench.predictors",
        "Cassette": "workbench.claude",
        "Catalogue": "workbench.data",
        "ClaudeClassifier": "workbench.predictors",
        "ClaudeClient": "workbench.claude",
        "ClaudeRequest": "workbench.claude",
        "ConformalClassifier": "workbench.predictors",
        "ConformalPolicy": "workbench.predictors",
        "Dataset": "workbench.data",
        "DisagreementPolicy": "workbench.predictors",
        "DiscreteHazard": "workbench.predictors.hazard",
        "Evaluation": "workbench.evaluation",
        "EventStore": "workbench.abtest",
        "FEATURES": "workbench.features",
        "FallbackClassifier": "workbench.predictors",
        "Family": "workbench.evaluation.claims",
        "FaultPlan": "workbench.claude",
        "FeatureError": "workbench.errors",
        "FeatureSet": "workbench.features",
        "Figure": "workbench.evaluation.measured",
        "GainPolicy": "workbench.predictors",
        "Gate": "workbench.evaluation",
        "GateRule": "workbench.evaluation",
        "OnlineScorer": "workbench.predictors",
        "OrdinalClassifier": "workbench.predictors.ordinal",
        "Origin": "workbench.claude",
        "PrivacyGate": "workbench.privacy",
        "RateLimits": "workbench.claude",
        "RedisTier": "workbench.claude.semantic",
        "Report": "workbench.reports",
        "SemanticCache": "workbench.claude.semantic",
        "SentenceEncoder": "workbench.embeddings",
        "Settings": "workbench.settings",
        "Split": "workbench.data",
        "SqliteTier": "workbench.claude.semantic",
        "StackedClassifier": "workbench.predictors",
        "Stores": "workbench.subjects",
        "TASKS": "workbench.tasks",
        "TenantKeys": "workbench.privacy",
        "UncertaintyPolicy": "workbench.predictors",
        "WorkbenchError": "workbench.errors",
        "analyse": "workbench.abtest",
        "audit_dataset": "workbench.data.leaks",
        "cascade_frontier": "workbench.evaluation",
        "check_evidence": "workbench.predictors",
        "claims_of": "workbench.evaluation.claims",
        "collect": "workbench.features",
        "coverage_by_slice": "workbench.predictors",
        "erase_subject": "workbench.subjects",
        "evaluate": "workbench.evaluation",
        "evaluate_spec": "workbench.evaluation",
        "explain": "workbench.predictors",
        "export_subject": "workbench.subjects",
        "fit_arm": "workbench.evaluation.session",
        "load_dataset": "workbench.tasks",
        "load_pipeline": "workbench.tracking.pipelines",
        "load_task": "workbench.tasks",
        "log_experiment": "workbench.tracking.abtest",
        "log_result": "workbench.tracking",
        "log_tuning": "workbench.tracking.tuning",
        "logistic_baseline": "workbench.predictors",
        "measure": "workbench.evaluation.measured",
        "metric": "workbench.scorers",
        "monitor": "workbench.abtest.monitor",
        "open_brokerage": "workbench.data.brokerage",
        "open_catalogue": "workbench.tasks",
        "open_data": "workbench.abtest.report_files",
        "plan": "workbench.abtest",
        "price_spec": "workbench.evaluation",
        "prior_baseline": "workbench.predictors",
        "prompt_cost": "workbench.predictors",
        "read_design": "workbench.abtest",
        "read_events": "workbench.abtest.report_files",
        "read_experiment": "workbench.abtest.report_run",
        "read_prompt": "workbench.prompts",
        "read_registration": "workbench.abtest",
        "read_spec": "workbench.evaluation",
        "read_tables": "workbench.features",
        "record_events": "workbench.abtest.report_files",
        "register": "workbench.abtest",
        "register_pipeline": "workbench.tracking.pipelines",
        "run_experiment_report": "workbench.reports.experiment",
        "run_spec": "workbench.reports",
        "saving": "workbench.evaluation",
        "say": "workbench.evaluation",
        "score_files": "workbench.tracking.pipelines",
        "score_on_spark": "workbench.tracking.pipelines",
        "server_command": "workbench.tracking",
        "simulate": "workbench.data.brokerage",
        "spark_session": "workbench.features",
        "tabular_ensemble": "workbench.predictors",
        "traced_calls": "workbench.tracking",
        "tune": "workbench.predictors",
        "write_table": "workbench.features",
    }
)

__all__ = [
    "FEATURES",
    "TASKS",
    "AdditiveClassifier",
    "Anchor",
    "AnswerStore",
    "Assigner",
    "AuditLog",
    "Between",
    "BlendedClassifier",
    "BoostedClassifier",
    "Brokerage",
    "CalibratedClassifier",
    "CascadeClassifier",
    "Cassette",
    "Catalogue",
    "ClaudeClassifier",
    "ClaudeClient",
    "ClaudeRequest",
    "ConformalClassifier",
    "ConformalPolicy",
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
    "Figure",
    "GainPolicy",
    "Gate",
    "GateRule",
    "OnlineScorer",
    "OrdinalClassifier",
    "Origin",
    "PrivacyGate",
    "RateLimits",
    "RedisTier",
    "Report",
    "SemanticCache",
    "SentenceEncoder",
    "Settings",
    "Split",
    "SqliteTier",
    "StackedClassifier",
    "Stores",
    "TenantKeys",
    "UncertaintyPolicy",
    "WorkbenchError",
    "analyse",
    "audit_dataset",
    "cascade_frontier",
    "check_evidence",
    "claims_of",
    "collect",
    "coverage_by_slice",
    "erase_subject",
    "evaluate",
    "evaluate_spec",
    "explain",
    "export_subject",
    "fit_arm",
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
    "price_spec",
    "prior_baseline",
    "prompt_cost",
    "read_design",
    "read_events",
    "read_experiment",
    "read_prompt",
    "read_registration",
    "read_spec",
    "read_tables",
    "record_events",
    "register",
    "register_pipeline",
    "run_experiment_report",
    "run_spec",
    "saving",
    "say",
    "score_files",
    "score_on_spark",
    "server_command",
    "simulate",
    "spark_session",
    "tabular_ensemble",
    "traced_calls",
    "tune",
    "write_table",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'workbench' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
