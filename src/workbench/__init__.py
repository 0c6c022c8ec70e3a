"""Find out, with evidence a sceptic accepts, which model and prompt strategy to promote.

Names are imported when they are first used: `import workbench` costs next to nothing.
"""

import importlib
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from workbench.abtest import Assigner, EventStore, analyse, plan, read_design
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
    from workbench.data import Catalogue, Dataset, Split, load_dataset
    from workbench.embeddings import SentenceEncoder
    from workbench.errors import WorkbenchError
    from workbench.evaluation import (
        Evaluation,
        Gate,
        GateRule,
        evaluate,
        evaluate_spec,
        price_spec,
        read_spec,
        say,
    )
    from workbench.predictors import (
        BoostedClassifier,
        ClaudeClassifier,
        StackedClassifier,
        logistic_baseline,
        prior_baseline,
    )
    from workbench.privacy import Anchor, AuditLog, PrivacyGate, TenantKeys
    from workbench.prompts import read_prompt
    from workbench.reports import Report, run_spec
    from workbench.scorers import metric
    from workbench.settings import Settings
    from workbench.subjects import Stores, erase_subject, export_subject
    from workbench.tasks import TASKS, load_task
    from workbench.tracking import log_result, server_command, traced_calls

__version__ = "0.1.0"

_HOMES = MappingProxyType(
    {
        "Anchor": "workbench.privacy",
        "AnswerStore": "workbench.claude",
        "Assigner": "workbench.abtest",
        "AuditLog": "workbench.privacy",
        "BoostedClassifier": "workbench.predictors",
        "Cassette": "workbench.claude",
        "Catalogue": "workbench.data",
        "ClaudeClassifier": "workbench.predictors",
        "ClaudeClient": "workbench.claude",
        "ClaudeRequest": "workbench.claude",
        "Dataset": "workbench.data",
        "Evaluation": "workbench.evaluation",
        "EventStore": "workbench.abtest",
        "FaultPlan": "workbench.claude",
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
        "WorkbenchError": "workbench.errors",
        "analyse": "workbench.abtest",
        "erase_subject": "workbench.subjects",
        "evaluate": "workbench.evaluation",
        "evaluate_spec": "workbench.evaluation",
        "export_subject": "workbench.subjects",
        "load_dataset": "workbench.data",
        "load_task": "workbench.tasks",
        "log_result": "workbench.tracking",
        "logistic_baseline": "workbench.predictors",
        "metric": "workbench.scorers",
        "plan": "workbench.abtest",
        "price_spec": "workbench.evaluation",
        "prior_baseline": "workbench.predictors",
        "read_design": "workbench.abtest",
        "read_prompt": "workbench.prompts",
        "read_spec": "workbench.evaluation",
        "run_spec": "workbench.reports",
        "say": "workbench.evaluation",
        "server_command": "workbench.tracking",
        "traced_calls": "workbench.tracking",
    }
)

__all__ = [
    "TASKS",
    "Anchor",
    "AnswerStore",
    "Assigner",
    "AuditLog",
    "BoostedClassifier",
    "Cassette",
    "Catalogue",
    "ClaudeClassifier",
    "ClaudeClient",
    "ClaudeRequest",
    "Dataset",
    "Evaluation",
    "EventStore",
    "FaultPlan",
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
    "WorkbenchError",
    "analyse",
    "erase_subject",
    "evaluate",
    "evaluate_spec",
    "export_subject",
    "load_dataset",
    "load_task",
    "log_result",
    "logistic_baseline",
    "metric",
    "plan",
    "price_spec",
    "prior_baseline",
    "read_design",
    "read_prompt",
    "read_spec",
    "run_spec",
    "say",
    "server_command",
    "traced_calls",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'workbench' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
