"""Data sets: cards, loading, checking, splitting."""

from workbench.data.card import (
    Card,
    Column,
    DataFile,
    Generator,
    Origin,
    Target,
    TimeOrder,
    read_card,
)
from workbench.data.catalogue import Catalogue, Maker
from workbench.data.checks import CheckReport, Finding
from workbench.data.corpus import PARTS, Corpus
from workbench.data.dataset import Dataset
from workbench.data.fields import AskedField, FieldKind, Slot, SlotKind
from workbench.data.reading import read_table
from workbench.data.splitting import Split, SplitPositions, safe_folds

__all__ = [
    "PARTS",
    "AskedField",
    "Card",
    "Catalogue",
    "CheckReport",
    "Column",
    "Corpus",
    "DataFile",
    "Dataset",
    "FieldKind",
    "Finding",
    "Generator",
    "Maker",
    "Origin",
    "Slot",
    "SlotKind",
    "Split",
    "SplitPositions",
    "Target",
    "TimeOrder",
    "read_card",
    "read_table",
    "safe_folds",
]
