"""Fairness: counterfactual swaps, gaps between slices, and the wording of generated texts."""

from workbench.monitoring.fairness.counterfactual import (
    CounterfactualAudit,
    SwapEffect,
    counterfactual_audit,
)
from workbench.monitoring.fairness.slices import SliceGap, SliceGaps, slice_gaps
from workbench.monitoring.fairness.swaps import SwapPair, swap_kinds, swap_pairs
from workbench.monitoring.fairness.terms import SWAPS, SwapKind
from workbench.scorers.wording import LEXICON, WordingFinding, wording_findings

__all__ = [
    "LEXICON",
    "SWAPS",
    "CounterfactualAudit",
    "SliceGap",
    "SliceGaps",
    "SwapEffect",
    "SwapKind",
    "SwapPair",
    "WordingFinding",
    "counterfactual_audit",
    "slice_gaps",
    "swap_kinds",
    "swap_pairs",
    "wording_findings",
]
