"""What holds for every figure of answers: weights count copies, order does not matter."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.scorers.answered import (
    LABELS,
    PARENTS,
    evidence,
    once,
    probabilities,
    rankings,
    several,
    sheets,
    single,
)

from workbench import scorers
from workbench.errors import EvaluationError
from workbench.stats import Statistic


def with_classes(name: str) -> Callable[..., Statistic]:
    return lambda t, p: getattr(scorers, name)(t, p, classes=LABELS)


def with_confidence(name: str) -> Callable[..., Statistic]:
    return lambda t, a, c: getattr(scorers, name)(t, a, confidence=c)


Rows = tuple[Any, ...]
N = 40
TRUTH, ANSWERED = single(N)
HOLES: list[str | None] = [a if i % 9 else None for i, a in enumerate(ANSWERED)]
PROBA_TRUTH, PROBA = probabilities(N)
SURE = [round(float(x), 1) for x in np.random.default_rng(6).random(N)]
SCOPE = ["oos" if t == "c3" else t for t in TRUTH]

FIGURES: dict[str, tuple[Callable[..., Statistic], Rows]] = {
    **{name: (getattr(scorers, name), (TRUTH, HOLES)) for name in
       ("accuracy", "macro_f1", "micro_f1", "weighted_f1", "balanced_accuracy")},
    **{f"sets_{name}": (getattr(scorers, name), several(N)) for name in
       ("macro_f1", "micro_f1", "samples_f1", "jaccard", "exact_match")},
    "hierarchical_f1": (lambda t, a: scorers.hierarchical_f1(t, a, parents=PARENTS),
                        (TRUTH, HOLES)),
    "level_kappa": (lambda t, a: scorers.level_kappa(t, a, values=LABELS), (TRUTH, HOLES)),
    "level_distance": (lambda t, a: scorers.level_distance(t, a, values=LABELS), (TRUTH, HOLES)),
    "top_k": (lambda t, p: scorers.top_k_accuracy(t, p, classes=LABELS), (PROBA_TRUTH, PROBA)),
    "oos_auroc": (scorers.out_of_scope_auroc, (SCOPE, SURE)),
    "oos_recall": (lambda t, s: scorers.out_of_scope_recall(t, s, in_scope_rejection=0.2),
                   (SCOPE, SURE)),
    **{name: (getattr(scorers, name), sheets(N)) for name in
       ("slot_precision", "slot_recall", "slot_f1", "sheet_exact_match", "hallucinated_slot_rate",
        "abstained_slot_share")},
    "slot_error": (lambda t, a: scorers.slot_error(t, a, slot="price"), sheets(N)),
    **{name: (getattr(scorers, name), evidence(N)) for name in
       ("span_overlap_f1", "span_exact_f1")},
    **{name: (getattr(scorers, name), rankings(N)) for name in
       ("ndcg", "mean_reciprocal_rank", "mean_average_precision", "precision_at")},
    "redundancy_rate": (lambda t, a: scorers.redundancy_rate(t, a, same=lambda c: c in "ab"),
                        rankings(N)),
    **{name: (with_classes(name), (PROBA_TRUTH, PROBA))
       for name in ("label_log_loss", "label_brier")},
    **{name: (with_confidence(name),
              (TRUTH, ANSWERED, SURE))
       for name in ("aurc", "coverage_at_risk", "accuracy_at_coverage")},
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(FIGURES))
@settings(max_examples=15, deadline=None)
@given(weights=st.lists(st.integers(0, 3), min_size=N, max_size=N).filter(lambda w: sum(w) > 10))
def test_weights_count_copies(name: str, weights: list[int]) -> None:
    make, rows = FIGURES[name]
    copies = np.repeat(np.arange(N), weights)
    by_weight = make(*rows)(np.array([weights, [1] * N]))
    repeated = make(*([row[i] for i in copies] for row in rows))
    expected = once(repeated, len(copies))
    assert by_weight.shape == (2,)
    assert by_weight[0] == pytest.approx(expected, nan_ok=True)


@pytest.mark.parametrize("name", sorted(FIGURES))
def test_the_order_of_examples_does_not_matter(name: str) -> None:
    make, rows = FIGURES[name]
    order = np.random.default_rng(0).permutation(N)
    shuffled = make(*([row[i] for i in order] for row in rows))
    assert once(shuffled, N) == pytest.approx(once(make(*rows), N))


@pytest.mark.parametrize("name", sorted(FIGURES))
def test_lengths_that_differ_are_refused(name: str) -> None:
    make, (truth, *rest) = FIGURES[name]
    with pytest.raises(EvaluationError, match="one answer, or None"):
        make(list(truth)[:-1], *rest)
