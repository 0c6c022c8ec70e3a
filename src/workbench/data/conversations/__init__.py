"""Conversations with known truth, made from a seed: sheets of what is true, then words for it."""

from workbench.data.conversations.corpora import CONVERSATIONS, evidence_of, make_corpus

__all__ = ["CONVERSATIONS", "evidence_of", "make_corpus"]
