"""Figures of labels, slots, evidence, rankings and confidence, against libraries and by hand."""

from collections.abc import Callable
from typing import Any

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
    ndcg_score,
    roc_auc_score,
    top_k_accuracy_score,
)
from sklearn.preprocessing import MultiLabelBinarizer

from workbench import scorers
from workbench.errors import EvaluationError
from workbench.stats import Statistic

LABELS = [f"c{i}" for i in range(6)]
PARENTS = {"c1": "c0", "c2": "c0", "c4": "c3"}


def once(statistic: Statistic, n: int) -> float:
    return float(statistic(np.ones(n))[0])


def single(n: int = 200) -> tuple[list[str], list[str]]:
    rng = np.random.default_rng(0)
    truth = rng.choice(LABELS, n, p=[0.4, 0.2, 0.2, 0.1, 0.05, 0.05])
    answered = np.where(rng.random(n) < 0.6, truth, rng.choice(LABELS, n))
    return truth.tolist(), answered.tolist()


def several(n: int = 150) -> tuple[list[tuple[str, ...]], list[tuple[str, ...]]]:
    rng = np.random.default_rng(1)
    draw = [[tuple(np.array(LABELS)[rng.random(6) < 0.3].tolist()) for _ in range(n)]
            for _ in range(2)]  # fmt: skip
    return draw[0], draw[1]


def probabilities(n: int = 200) -> tuple[list[str], np.ndarray]:
    rng = np.random.default_rng(2)
    proba = rng.dirichlet(np.ones(6), n)
    return [LABELS[rng.choice(6, p=p)] for p in proba], proba


# ---------------------------------------------------------------- every figure, as weights go


def sheets(n: int) -> tuple[list[dict[str, Any]], list[dict[str, Any] | None]]:
    rng = np.random.default_rng(3)
    slots = ("beds", "city", "price")

    def value(slot: str) -> Any:
        return str(rng.choice(["York", "Leeds"])) if slot == "city" else float(rng.integers(1, 4))

    truth = [{s: value(s) for s in slots if rng.random() < 0.7} for _ in range(n)]
    answered: list[dict[str, Any] | None] = [
        {s: None if rng.random() < 0.2 else value(s) for s in slots if rng.random() < 0.8}
        for _ in range(n)
    ]
    answered[::7] = [None] * len(answered[::7])
    return truth, answered


def rankings(n: int) -> tuple[list[dict[str, float]], list[tuple[str, ...] | None]]:
    rng = np.random.default_rng(4)
    truth = [{c: float(rng.integers(0, 3)) for c in "abcde"} for _ in range(n)]
    answered: list[tuple[str, ...] | None] = [tuple(rng.permutation(list("abcdefgh"))) for _ in
                                              range(n)]  # fmt: skip
    answered[0] = None
    return truth, answered


def evidence(n: int) -> tuple[list[Any], list[Any]]:
    rng = np.random.default_rng(5)

    def spans() -> dict[str, list[tuple[int, int]]]:
        starts = {s: rng.integers(0, 20, 2).tolist() for s in "xy"}
        return {s: [(a, a + 6) for a in found] for s, found in starts.items()}

    return [spans() for _ in range(n)], [spans() for _ in range(n)]


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
    failed = [None, *score[1:]]
    worse = once(scorers.out_of_scope_auroc(truth, failed), 300)
    assert worse <= once(scorers.out_of_scope_auroc(truth, score), 300)


# ---------------------------------------------------------------- slots and evidence


def test_slots_by_hand() -> None:
    truth: list[Any] = [{"beds": 3.0, "city": "the York", "tags": ("b", "a")}, {"price": 100.0}, {}]
    answered: list[Any] = [
        {"beds": 3.0, "city": "york", "tags": ["A", "b"], "baths": 1.0},
        {"price": None},
        {"price": 5.0},
    ]
    found = scorers.slot_counts(truth, answered)
    assert found.right.tolist() == [3, 0, 0]
    assert found.made_up.tolist() == [1, 0, 1]
    assert found.abstained.tolist() == [0, 1, 0]
    assert found.wrong.tolist() == found.missed.tolist() == [0, 0, 0]
    assert once(scorers.slot_precision(truth, answered), 3) == pytest.approx(3 / 5)
    assert once(scorers.slot_recall(truth, answered), 3) == pytest.approx(3 / 4)
    assert once(scorers.slot_f1(truth, answered), 3) == pytest.approx(6 / 9)
    assert once(scorers.hallucinated_slot_rate(truth, answered), 3) == pytest.approx(2 / 5)
    assert once(scorers.abstained_slot_share(truth, answered), 3) == pytest.approx(1 / 6)
    only = scorers.SlotMatching(slots=("beds",))
    assert once(scorers.slot_f1(truth, answered, matching=only), 3) == 1


def test_abstaining_is_neither_wrong_nor_found() -> None:
    truth: list[Any] = [{"beds": 3.0, "city": "York"}]
    wrong: list[Any]
    open_: list[Any]
    wrong, open_ = [{"beds": 3.0, "city": "Leeds"}], [{"beds": 3.0, "city": None}]
    assert once(scorers.slot_precision(truth, wrong), 1) == 0.5
    assert once(scorers.slot_precision(truth, open_), 1) == 1
    assert once(scorers.slot_recall(truth, open_), 1) == 0.5
    assert once(scorers.sheet_exact_match(truth, open_), 1) == 0


def test_values_are_normalised_on_both_sides() -> None:
    def dollars(slot: str, value: Any) -> Any:
        return float(value.strip("$k")) * 1000 if slot == "price" else value

    matching = scorers.SlotMatching(relative_tolerance=0.05, normalise=dollars)
    truth, answered = [{"price": "$450k"}], [{"price": "440"}]
    assert once(scorers.slot_f1(truth, answered, matching=matching), 1) == 1
    error = scorers.slot_error(truth, answered, slot="price", matching=matching)
    assert once(error, 1) == pytest.approx(10 / 450)
    absolute = scorers.slot_error(truth, answered, slot="price", relative=False, matching=matching)
    assert once(absolute, 1) == pytest.approx(10_000)
    assert once(scorers.slot_f1(truth, answered), 1) == 0


@given(
    st.floats(1, 1e9), st.floats(0, 0.2), st.sampled_from([-1, 1])
)  # fmt: skip
def test_the_tolerance_is_a_share_of_the_truth(true: float, share: float, sign: int) -> None:
    given_value = true * (1 + sign * share)
    assert scorers.same_value(true, given_value, relative_tolerance=share * 1.001 + 1e-9)
    if share > 1e-6:
        assert not scorers.same_value(true, given_value, relative_tolerance=share * 0.99)


def test_a_number_is_no_text_and_a_text_no_set() -> None:
    assert not scorers.same_value(3.0, "3")
    assert scorers.same_value(("york",), "York")
    assert not scorers.same_value("a", "the")


def test_joint_goals_count_turns() -> None:
    truth = [[{"a": 1.0}, {"a": 1.0, "b": 2.0}], [{"a": 3.0}]]
    answered = [[{"a": 1.0}, {"a": 1.0}], None]
    assert once(scorers.joint_goal_accuracy(truth, answered), 2) == pytest.approx(1 / 3)
    with pytest.raises(EvaluationError, match="1 sheets for a dialogue of 2 turns"):
        scorers.joint_goal_accuracy(truth, [[{"a": 1.0}], [{}]])


def test_spans_by_hand() -> None:
    text = "we want three\n  beds near the park"
    truth = [{"beds": ["three beds"], "place": ["near the park"]}]
    answered: list[Any] = [{"beds": [(8, 20)], "place": ["by the lake"]}]
    beds, park, lake = 12, 13, 11
    overlap = once(scorers.span_overlap_f1(truth, answered, texts=[text]), 1)
    assert overlap == pytest.approx(2 * beds / (beds + park + beds + lake))
    assert once(scorers.span_exact_f1(truth, answered, texts=[text]), 1) == pytest.approx(0.5)
    assert once(scorers.span_overlap_f1(truth, [None], texts=[text]), 1) == 0
    with pytest.raises(EvaluationError, match="does not stand in its text"):
        scorers.span_overlap_f1([{"x": ["absent"]}], [None], texts=[text])
    with pytest.raises(EvaluationError, match="no text to find it in"):
        scorers.span_exact_f1([{"x": ["three"]}], [None])
    with pytest.raises(EvaluationError, match=r"span \(4, 2\)"):
        scorers.span_exact_f1([{"x": [(4, 2)]}], [None])


# ---------------------------------------------------------------- rankings


def test_ndcg_is_that_of_scikit_learn() -> None:
    truth, answered = rankings(30)
    names = list("abcdefgh")
    for k in (1, 3, 8):
        expected = []
        for relevance, ranking in zip(truth, answered, strict=True):
            if ranking is None:
                expected.append(0.0)
                continue
            y = [relevance.get(c, 0.0) for c in names]
            score = [-ranking.index(c) for c in names]
            expected.append(ndcg_score([y], [score], k=k))
        assert once(scorers.ndcg(truth, answered, k=k), 30) == pytest.approx(np.mean(expected))


def test_rankings_by_hand() -> None:
    truth = [{"a": 1.0, "b": 1.0, "c": 1.0}, {"z": 1.0}]
    answered = [("x", "a", "a", "b"), ("y",)]
    assert once(scorers.mean_reciprocal_rank(truth, answered), 2) == 0.25
    # Precisions 1/2 at "a" and 2/4 at "b", of three; the repeated "a" gains nothing.
    assert once(scorers.mean_average_precision(truth, answered), 2) == pytest.approx(1 / 6)
    assert once(scorers.mean_average_precision(truth, answered, k=2), 2) == pytest.approx(0.125)
    assert once(scorers.precision_at(truth, answered, k=4), 2) == pytest.approx(0.25)
    assert once(scorers.redundancy_rate(truth, answered), 2) == pytest.approx(1 / 5)
    with pytest.raises(EvaluationError, match="k is 0"):
        scorers.ndcg(truth, answered, k=0)
    with pytest.raises(EvaluationError, match="negative"):
        scorers.ndcg([{"a": -1.0}], [("a",)])


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
    found = scorers.risk_coverage(TRUTH, HOLES, confidence=SURE)
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
