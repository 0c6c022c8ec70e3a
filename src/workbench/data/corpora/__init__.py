"""Corpora: labelled texts described by a `corpus.yaml`; one's own need no code."""

from workbench.data.corpora.card import CorpusCard, read_corpus_card
from workbench.data.corpora.catalogue import corpus_card, corpus_names, load_corpus
from workbench.data.corpora.reading import read_corpus

__all__ = [
    "CorpusCard",
    "corpus_card",
    "corpus_names",
    "load_corpus",
    "read_corpus",
    "read_corpus_card",
]
