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
    from workbench.features import (
        FEATURES,
        FeatureSet,
        collect,
        read_tables,
        spark_session,
        write_table,
    )
    from workbench.predictors import (
        BoostedClassifier,
        CascadeClassifier,
        ClaudeClassifier,
        ConformalPolicy,
        DisagreementPolicy,
        FallbackClassifier,
        StackedClassifier,
        UncertaintyPolicy,
        logistic_baseline,
        prior_baseline,
        prompt_cost,
    )
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

__version__ = "0.1.0"

_HOMES = MappingProxyType(
    {
        "Anchor": "workbench.privacy",
        "AnswerStore": "workbench.claude",
        "Assigner": "workbench.abtest",
        "AuditLog": "workbench.privacy",
        "BoostedClassifier": "workbench.predictors",
        "Brokerage": "workbench.data.brokerage",
        "CascadeClassifier": "workbench.predictors",
        "Cassette": "workbench.claude",
        "Catalogue": "workbench.data",
        "ClaudeClassifier": "workbench.predictors",
        "ClaudeClient": "workbench.claude",
        "ClaudeRequest": "workbench.claude",
        "ConformalPolicy": "workbench.predictors",
        "Dataset": "workbench.data",
        "DisagreementPolicy": "workbench.predictors",
        "Evaluation": "workbench.evaluation",
        "EventStore": "workbench.abtest",
        "FEATURES": "workbench.features",
        "FallbackClassifier": "workbench.predictors",
        "Family": "workbench.evaluation.claims",
        "FaultPlan": "workbench.claude",
        "FeatureError": "workbench.errors",
        "FeatureSet": "workbench.features",
        "Figure": "workbench.evaluation.measured",
        "Gate": "workbench.evaluation",
        "GateRule": "workbench.evaluation",
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
        "cascade_frontier": "workbench.evaluation",
        "claims_of": "workbench.evaluation.claims",
        "collect": "workbench.features",
        "erase_subject": "workbench.subjects",
        "evaluate": "workbench.evaluation",
        "evaluate_spec": "workbench.evaluation",
        "export_subject": "workbench.subjects",
        "load_dataset": "workbench.tasks",
        "load_task": "workbench.tasks",
        "log_experiment": "workbench.tracking.abtest",
        "log_result": "workbench.tracking",
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
        "read_prompt": "workbench.prompts",
        "read_registration": "workbench.abtest",
        "read_spec": "workbench.evaluation",
        "read_tables": "workbench.features",
        "record_events": "workbench.abtest.report_files",
        "register": "workbench.abtest",
        "run_experiment_report": "workbench.reports.experiment",
        "run_spec": "workbench.reports",
        "saving": "workbench.evaluation",
        "say": "workbench.evaluation",
        "server_command": "workbench.tracking",
        "simulate": "workbench.data.brokerage",
        "spark_session": "workbench.features",
        "traced_calls": "workbench.tracking",
        "write_table": "workbench.features",
    }
)

__all__ = [
    "FEATURES",
    "TASKS",
    "Anchor",
    "AnswerStore",
    "Assigner",
    "AuditLog",
    "BoostedClassifier",
    "Brokerage",
    "CascadeClassifier",
    "Cassette",
    "Catalogue",
    "ClaudeClassifier",
    "ClaudeClient",
    "ClaudeRequest",
    "ConformalPolicy",
    "Dataset",
    "DisagreementPolicy",
    "Evaluation",
    "EventStore",
    "FallbackClassifier",
    "Family",
    "FaultPlan",
    "FeatureError",
    "FeatureSet",
    "Figure",
    "Gate",
    "GateRule",
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
    "cascade_frontier",
    "claims_of",
    "collect",
    "erase_subject",
    "evaluate",
    "evaluate_spec",
    "export_subject",
    "load_dataset",
    "load_task",
    "log_experiment",
    "log_result",
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
    "read_prompt",
    "read_registration",
    "read_spec",
    "read_tables",
    "record_events",
    "register",
    "run_experiment_report",
    "run_spec",
    "saving",
    "say",
    "server_command",
    "simulate",
    "spark_session",
    "traced_calls",
    "write_table",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'workbench' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
