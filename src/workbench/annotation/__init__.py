"""What people say: labels, their agreement, one label from several, gold in versions."""

from workbench.annotation.adjudication import Adjudication, Settled, adjudicate
from workbench.annotation.agreement import Agreement, AgreementRow, agreement, disagreements
from workbench.annotation.gold import (
    Gold,
    GoldDifference,
    GoldManifest,
    diff_gold,
    read_gold,
    write_gold,
)
from workbench.annotation.labels import (
    Annotation,
    AnnotationColumns,
    AnnotationKind,
    Annotations,
    Label,
    read_annotations,
)
from workbench.annotation.pairwise import PairwiseRating, Side
from workbench.annotation.preferences import (
    PairOutcome,
    PairwiseResult,
    Preference,
    human_verdicts,
    pairwise_result,
)

__all__ = [
    "Adjudication",
    "Agreement",
    "AgreementRow",
    "Annotation",
    "AnnotationColumns",
    "AnnotationKind",
    "Annotations",
    "Gold",
    "GoldDifference",
    "GoldManifest",
    "Label",
    "PairOutcome",
    "PairwiseRating",
    "PairwiseResult",
    "Preference",
    "Settled",
    "Side",
    "adjudicate",
    "agreement",
    "diff_gold",
    "disagreements",
    "human_verdicts",
    "pairwise_result",
    "read_annotations",
    "read_gold",
    "write_gold",
]
