"""Readers: predictors that answer several questions about a text, of any kind."""

from workbench.predictors.readers.answer_schema import (
    answer_model_of,
    describe_fields,
    spoken_values,
)
from workbench.predictors.readers.blended_reader import BlendedReader
from workbench.predictors.readers.claude_reader import ClaudeReader
from workbench.predictors.readers.field_reader import FieldReader
from workbench.predictors.readers.learnt import STANDARD_READERS
from workbench.predictors.readers.readings import Reader, Readings, empty_readings
from workbench.predictors.readers.rule_reader import RuleReader
from workbench.predictors.readers.shots import ShotChoice
from workbench.predictors.readers.standard import RelevanceRanker

__all__ = [
    "STANDARD_READERS",
    "BlendedReader",
    "ClaudeReader",
    "FieldReader",
    "Reader",
    "Readings",
    "RelevanceRanker",
    "RuleReader",
    "ShotChoice",
    "answer_model_of",
    "describe_fields",
    "empty_readings",
    "spoken_values",
]
