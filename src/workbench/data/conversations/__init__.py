"""Conversations with known truth, made from a seed: sheets of what is true, then words for it."""

from workbench.data.conversations.coaching import reactions_of
from workbench.data.conversations.corpora import CONVERSATIONS, evidence_of, make_corpus
from workbench.data.conversations.lead import (
    Question,
    Reply,
    SimulatedLead,
    simulate_leads,
    worded,
)
from workbench.data.conversations.onsets import cut_before, turns_of

__all__ = [
    "CONVERSATIONS",
    "Question",
    "Reply",
    "SimulatedLead",
    "cut_before",
    "evidence_of",
    "make_corpus",
    "reactions_of",
    "simulate_leads",
    "turns_of",
    "worded",
]
