"""Figures of slots, evidence and rankings, against libraries and by hand."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import (
    ndcg_score,
)
from tests.scorers.answered import once, rankings

from workbench import scorers
from workbench.errors import EvaluationError

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
    with pytest.raises(EvaluationError, match="evidence is a text"):
        scorers.span_exact_f1([{"x": "three"}], [None], texts=[text])
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
