"""Predictors of texts: estimators over one-dimensional sequences of str."""

from workbench.predictors.texts.baselines import (
    KeywordClassifier,
    boosted_baseline,
    embedding_baseline,
    keyword_baseline,
    tfidf_baseline,
)
from workbench.predictors.texts.classifier import TextClassifier
from workbench.predictors.texts.language import LanguageIdentifier, LanguageSpan
from workbench.predictors.texts.out_of_scope import OutOfScope
from workbench.predictors.texts.represent import (
    TextParts,
    TextRepresentation,
    TextVectors,
    as_texts,
    text_terms,
)
from workbench.predictors.texts.slots import SlotTagger
from workbench.predictors.texts.tagger import TextTagger

__all__ = [
    "KeywordClassifier",
    "LanguageIdentifier",
    "LanguageSpan",
    "OutOfScope",
    "SlotTagger",
    "TextClassifier",
    "TextParts",
    "TextRepresentation",
    "TextTagger",
    "TextVectors",
    "as_texts",
    "boosted_baseline",
    "embedding_baseline",
    "keyword_baseline",
    "text_terms",
    "tfidf_baseline",
]
