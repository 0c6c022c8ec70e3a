"""Semantic cache: an answer to one question may serve another that means the same."""

from workbench.claude.semantic.cache import SemanticCache
from workbench.claude.semantic.guard import GUARD_VERSION, guard_tokens
from workbench.claude.semantic.outcome import Hit, SemanticStats, exact_json, json_fields
from workbench.claude.semantic.redis_tier import RedisTier
from workbench.claude.semantic.sqlite_tier import SqliteTier

__all__ = [
    "GUARD_VERSION",
    "Hit",
    "RedisTier",
    "SemanticCache",
    "SemanticStats",
    "SqliteTier",
    "exact_json",
    "guard_tokens",
    "json_fields",
]
