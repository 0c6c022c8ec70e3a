"""Scorers: metrics and the functions that compute them."""

from workbench.scorers.extraction import (
    abstained_slot_share,
    hallucinated_slot_rate,
    joint_goal_accuracy,
    sheet_exact_match,
    slot_error,
    slot_f1,
    slot_precision,
    slot_recall,
)
from workbench.scorers.labelling import (
    accuracy,
    balanced_accuracy,
    exact_match,
    jaccard,
    macro_f1,
    micro_f1,
    samples_f1,
    top_k_accuracy,
    weighted_f1,
)
from workbench.scorers.metrics import METRICS, READING_METRICS, Metric, metric
from workbench.scorers.multiclass import label_brier, label_log_loss, top_label_ece
from workbench.scorers.ordinal import ORDINAL_STATISTICS, level_score, median_level
from workbench.scorers.probability import (
    ERROR_PROBABILITY,
    EXAMPLE_SCORES,
    STATISTICS,
    penalise_errors,
)
from workbench.scorers.readings import READING_SCORES, FieldAnswers, ReadingScore, right_answers
from workbench.scorers.relevance import (
    mean_average_precision,
    mean_reciprocal_rank,
    ndcg,
    precision_at,
    redundancy_rate,
)
from workbench.scorers.scope import out_of_scope_auroc, out_of_scope_recall
from workbench.scorers.selective import (
    RiskCoverage,
    accuracy_at_coverage,
    aurc,
    coverage_at_risk,
    risk_coverage,
)
from workbench.scorers.slots import (
    EXACT_SLOTS,
    Sheet,
    SlotCounts,
    SlotMatching,
    SlotValue,
    same_value,
    slot_counts,
)
from workbench.scorers.spans import find_quote, span_exact_f1, span_overlap_f1
from workbench.scorers.structured import hierarchical_f1, level_distance, level_kappa
from workbench.scorers.survival import (
    auc_at_statistic,
    censoring_weights,
    concordance_statistic,
)
from workbench.scorers.wording import LEXICON, WordingFinding, wording_findings

__all__ = [
    "ERROR_PROBABILITY",
    "EXACT_SLOTS",
    "EXAMPLE_SCORES",
    "LEXICON",
    "METRICS",
    "ORDINAL_STATISTICS",
    "READING_METRICS",
    "READING_SCORES",
    "STATISTICS",
    "FieldAnswers",
    "Metric",
    "ReadingScore",
    "RiskCoverage",
    "Sheet",
    "SlotCounts",
    "SlotMatching",
    "SlotValue",
    "WordingFinding",
    "abstained_slot_share",
    "accuracy",
    "accuracy_at_coverage",
    "auc_at_statistic",
    "aurc",
    "balanced_accuracy",
    "censoring_weights",
    "concordance_statistic",
    "coverage_at_risk",
    "exact_match",
    "find_quote",
    "hallucinated_slot_rate",
    "hierarchical_f1",
    "jaccard",
    "joint_goal_accuracy",
    "label_brier",
    "label_log_loss",
    "level_distance",
    "level_kappa",
    "level_score",
    "macro_f1",
    "mean_average_precision",
    "mean_reciprocal_rank",
    "median_level",
    "metric",
    "micro_f1",
    "ndcg",
    "out_of_scope_auroc",
    "out_of_scope_recall",
    "penalise_errors",
    "precision_at",
    "redundancy_rate",
    "right_answers",
    "risk_coverage",
    "same_value",
    "samples_f1",
    "sheet_exact_match",
    "slot_counts",
    "slot_error",
    "slot_f1",
    "slot_precision",
    "slot_recall",
    "span_exact_f1",
    "span_overlap_f1",
    "top_k_accuracy",
    "top_label_ece",
    "weighted_f1",
    "wording_findings",
]
