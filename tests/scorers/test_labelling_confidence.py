"""Figures of labels and of confidence, against libraries and by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import (
    accuracy_score,
    balanced_accuracy_score,
    cohen_kappa_score,
    f1_score,
    jaccard_score,
    log_loss,
    roc_auc_score,
    top_k_accuracy_score,
)
from sklearn.preprocessing import MultiLabelBinarizer
from tests.scorers.answered import LABELS, once, probabilities, several, single

from workbench import scorers
from workbench.errors import EvaluationError

# ---------------------------------------------------------------- labels


def test_label_figures_are_those_of_scikit_learn() -> None:
    truth, answered = single()
    n = len(truth)
    for average in ("macro", "micro", "weighted"):
        ours = once(getattr(scorers, f"{average}_f1")(truth, answered), n)
        assert ours == pytest.approx(f1_score(truth, answered, average=average))
    assert once(scorers.accuracy(truth, answered), n) == accuracy_score(truth, answered)
    assert once(scorers.balanced_accuracy(truth, answered), n) == pytest.approx(
        balanced_accuracy_score(truth, answered)
    )
    codes = [np.array([LABELS.index(x) for x in column]) for column in (truth, answered)]
    kappa = once(scorers.level_kappa(truth, answered, values=LABELS), n)
    assert kappa == pytest.approx(cohen_kappa_score(*codes, weights="quadratic"))
    distance = once(scorers.level_distance(truth, answered, values=LABELS), n)
    assert distance == pytest.approx(np.abs(codes[0] - codes[1]).mean())


def test_figures_of_sets_are_those_of_scikit_learn() -> None:
    truth, answered = several()
    coder = MultiLabelBinarizer(classes=LABELS)
    y, p = coder.fit_transform(truth), coder.transform(answered)
    n = len(truth)
    for average in ("macro", "micro", "weighted"):
        ours = once(getattr(scorers, f"{average}_f1")(truth, answered), n)
        assert ours == pytest.approx(f1_score(y, p, average=average))
    filled = (y.sum(axis=1) + p.sum(axis=1)) > 0
    samples = f1_score(y[filled], p[filled], average="samples")
    kept = [i for i in range(n) if filled[i]]
    pairs = [truth[i] for i in kept], [answered[i] for i in kept]
    assert once(scorers.samples_f1(*pairs), len(kept)) == pytest.approx(samples)
    assert once(scorers.jaccard(*pairs), len(kept)) == pytest.approx(
        jaccard_score(y[filled], p[filled], average="samples")
    )
    assert once(scorers.exact_match(truth, answered), n) == accuracy_score(y, p)


def test_nothing_answered_is_wrong_but_names_no_label() -> None:
    truth, answered = ["a", "a", "b"], ["a", None, "b"]
    # a: 1 of 2 found, nothing wrongly called a; b: right.
    assert once(scorers.macro_f1(truth, answered), 3) == pytest.approx((2 / 3 + 1) / 2)
    assert once(scorers.micro_f1(truth, answered), 3) == pytest.approx(4 / 5)
    assert once(scorers.accuracy(truth, answered), 3) == pytest.approx(2 / 3)
    assert once(scorers.exact_match([()], [None]), 1) == 0
    assert once(scorers.samples_f1([(), ()], [(), None]), 2) == 0.5
    assert once(scorers.jaccard([(), ()], [(), None]), 2) == 0.5


def test_a_figure_without_anything_to_count_is_undefined() -> None:
    assert np.isnan(once(scorers.micro_f1([()], [()]), 1))
    assert np.isnan(scorers.balanced_accuracy(["a"], ["a"])([0.0])[0])
    assert np.isnan(once(scorers.slot_precision([{}], [{}]), 1))
    assert np.isnan(once(scorers.ndcg([{"a": 0.0}], [("a",)]), 1))


def test_only_the_labels_asked_for_count() -> None:
    truth, answered = single()
    kept = ["c0", "c4"]
    ours = once(scorers.macro_f1(truth, answered, labels=kept), len(truth))
    assert ours == pytest.approx(f1_score(truth, answered, average="macro", labels=kept))


def test_top_k_is_that_of_scikit_learn() -> None:
    truth, proba = probabilities()
    for k in (1, 2, 5):
        ours = once(scorers.top_k_accuracy(truth, proba, classes=LABELS, k=k), len(truth))
        assert ours == pytest.approx(top_k_accuracy_score(truth, proba, k=k, labels=LABELS))
    tied = once(scorers.top_k_accuracy(["c5"], [[1 / 6] * 6], classes=LABELS, k=3), 1)
    assert tied == pytest.approx(0.5)
    assert once(scorers.top_k_accuracy(["c5"], [None], classes=LABELS), 1) == 0
    with pytest.raises(EvaluationError, match="k is 7"):
        scorers.top_k_accuracy(truth, proba, classes=LABELS, k=7)
    for row in ([0.5, 0.5], [np.nan] * 6):
        with pytest.raises(EvaluationError, match="example 0: scores of shape"):
            scorers.top_k_accuracy(["c5"], [row], classes=LABELS)


def test_a_near_miss_in_the_tree_costs_less() -> None:
    parents = {"dog": "mammal", "cat": "mammal", "mammal": "animal", "tulip": "plant"}
    near = once(scorers.hierarchical_f1(["dog"], ["cat"], parents=parents), 1)
    # {dog, mammal, animal} and {cat, mammal, animal} share two of three.
    assert near == pytest.approx(2 / 3)
    assert once(scorers.hierarchical_f1(["dog"], ["tulip"], parents=parents), 1) == 0
    parent = once(scorers.hierarchical_f1(["dog"], ["mammal"], parents=parents), 1)
    assert parent == pytest.approx(2 * 2 / (3 + 2))
    with pytest.raises(EvaluationError, match="own ancestor"):
        scorers.hierarchical_f1(["a"], ["a"], parents={"a": "b", "b": "a"})


def test_no_answer_is_the_level_farthest_off() -> None:
    values = ("low", "mid", "high")
    for truth in values:
        far = {"low": 2, "mid": 1, "high": 2}[truth]
        assert once(scorers.level_distance([truth], [None], values=values), 1) == far
    with pytest.raises(EvaluationError, match="none of the 3 levels"):
        scorers.level_kappa(["odd"], ["low"], values=values)


def test_out_of_scope_by_hand_and_by_scikit_learn() -> None:
    rng = np.random.default_rng(8)
    truth = ["oos" if x else "in" for x in rng.random(300) < 0.3]
    score = np.round(rng.normal(size=300) + np.array([t == "oos" for t in truth]), 1).tolist()
    y = [t == "oos" for t in truth]
    assert once(scorers.out_of_scope_auroc(truth, score), 300) == pytest.approx(
        roc_auc_score(y, score)
    )
    s, outside = np.array(score), np.array(y)
    best = max(
        (s[outside] >= cut).mean() for cut in [*s, np.inf]
         if (s[~outside] >= cut).mean() <= 0.05
    )  # fmt: skip
    found = scorers.out_of_scope_recall(truth, score, in_scope_rejection=0.05)
    assert once(found, 300) == pytest.approx(best)
    # One in twenty of those in scope may be rejected, and is.
    edge = ["in"] * 20 + ["oos"], [0.0] * 19 + [0.8, 0.5]
    assert once(scorers.out_of_scope_recall(*edge, in_scope_rejection=0.05), 21) == 1
    assert once(scorers.out_of_scope_recall(*edge, in_scope_rejection=0.04), 21) == 0
    with pytest.raises(EvaluationError, match="example 1: a score is infinite"):
        scorers.out_of_scope_recall(["in", "oos"], [0.1, np.inf])
    failed = [None, *score[1:]]
    worse = once(scorers.out_of_scope_auroc(truth, failed), 300)
    assert worse <= once(scorers.out_of_scope_auroc(truth, score), 300)


# ---------------------------------------------------------------- confidence


def test_losses_of_probabilities_are_those_of_the_libraries() -> None:
    truth, proba = probabilities()
    n = len(truth)
    assert once(scorers.label_log_loss(truth, proba, classes=LABELS), n) == pytest.approx(
        log_loss(truth, proba, labels=LABELS)
    )
    one_hot = np.array([[label == t for label in LABELS] for t in truth])
    assert once(scorers.label_brier(truth, proba, classes=LABELS), n) == pytest.approx(
        ((proba - one_hot) ** 2).sum(axis=1).mean()
    )
    failed = [None, *proba[1:]]
    assert once(scorers.label_log_loss(truth[:1], failed[:1], classes=LABELS), 1) == pytest.approx(
        -np.log(0.01)
    )
    assert once(scorers.label_brier(truth[:1], failed[:1], classes=LABELS), 1) == pytest.approx(
        2 * 0.99**2
    )
    with pytest.raises(EvaluationError, match="example 0"):
        scorers.label_log_loss(["c0"], [[0.9] * 6], classes=LABELS)
    with pytest.raises(EvaluationError, match="none of the 6 classes"):
        scorers.label_log_loss(["c9"], [None], classes=LABELS)


def test_confidence_that_tells_the_truth_is_calibrated() -> None:
    rng = np.random.default_rng(9)
    p = rng.uniform(0.5, 1, 20_000)
    truth = np.where(rng.random(20_000) < p, "a", "b").tolist()
    calibrated = np.column_stack([p, 1 - p])
    boastful = np.column_stack([np.minimum(p + 0.2, 1), np.maximum(0.8 - p, 0)])
    assert once(scorers.top_label_ece(truth, calibrated, classes="ab"), 20_000) < 0.02
    assert once(scorers.top_label_ece(truth, boastful, classes="ab"), 20_000) > 0.12


def test_risk_and_coverage_by_hand() -> None:
    truth, answered = list("aabbb"), ["a", "a", "a", "b", None]
    confidence = [0.9, 0.8, 0.8, 0.3, None]
    found = scorers.risk_coverage(truth, answered, confidence=confidence)
    assert found.coverage.tolist() == pytest.approx([0.2, 0.6, 0.8, 1.0])
    assert found.risk.tolist() == pytest.approx([0, 1 / 3, 1 / 4, 2 / 5])
    assert found.aurc == pytest.approx((0 + 1 / 3 + 1 / 3 + 1 / 4 + 2 / 5) / 5)
    at = scorers.coverage_at_risk(truth, answered, confidence=confidence, risk=0.3)
    assert once(at, 5) == pytest.approx(0.8)
    none = scorers.coverage_at_risk(truth[2:], answered[2:], confidence=confidence[2:], risk=0.0)
    assert once(none, 3) == 0
    # 0.4 of five is the first and half of the tied pair, of which one in two is wrong.
    part = scorers.accuracy_at_coverage(truth, answered, confidence=confidence, coverage=0.4)
    assert once(part, 5) == pytest.approx(1 - 0.5 / 2)
    with pytest.raises(EvaluationError, match="no finite confidence"):
        scorers.aurc(["a"], ["a"], confidence=[None])
    with pytest.raises(EvaluationError, match="risk is 2"):
        scorers.coverage_at_risk(["a"], ["a"], confidence=[0.1], risk=2)


def test_the_curve_is_shown_as_a_table_and_a_picture() -> None:
    found = scorers.risk_coverage(
        *single(), confidence=np.random.default_rng(6).random(200).tolist()
    )
    frame = found.to_frame()
    assert frame["coverage"].is_monotonic_increasing and frame["coverage"].iloc[-1] == 1
    assert frame["threshold"].is_monotonic_decreasing
    shown = found._repr_html_()
    assert shown.startswith("<svg") and "<script" not in shown and "AURC" in shown


@settings(max_examples=30, deadline=None)
@given(st.permutations(list(range(12))))
def test_no_order_beats_wrong_answers_last(order: list[int]) -> None:
    truth, answered = ["a"] * 12, ["a"] * 8 + ["b"] * 4
    best = once(scorers.aurc(truth, answered, confidence=list(range(12, 0, -1))), 12)
    other = once(scorers.aurc(truth, answered, confidence=[float(x) for x in order]), 12)
    assert other >= best - 1e-12
