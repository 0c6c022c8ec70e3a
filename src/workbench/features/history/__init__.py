"""Features of a lead's history, strictly of what was known at the moment of prediction."""

from workbench.features.history.conversations import conversation_texts, last_words
from workbench.features.history.definitions import (
    SOURCES,
    Aggregate,
    Feature,
    Ratio,
    Response,
    Source,
    Static,
    TrackRecord,
)
from workbench.features.history.feature_set import FeatureSet
from workbench.features.history.memory import Context, History, history_of
from workbench.features.history.standard import FEATURES

__all__ = [
    "FEATURES",
    "SOURCES",
    "Aggregate",
    "Context",
    "Feature",
    "FeatureSet",
    "History",
    "Ratio",
    "Response",
    "Source",
    "Static",
    "TrackRecord",
    "conversation_texts",
    "history_of",
    "last_words",
]
