"""Confusions, outcomes, traces and disagreements on answers known to the last cell."""

import re
from pathlib import Path
from typing import Any

import pytest
from tests.evaluation.spoken import MOODS, spoken_run

from workbench.data import AskedField, Slot
from workbench.errors import EvaluationError
from workbench.evaluation.readings import ReadingEvaluation
from workbench.evaluation.readings.confusion import NOTHING, Confusion, Outcomes, confusion
from workbench.evaluation.readings.disagreements import disagreements
from workbench.evaluation.readings.example_texts import Examples, seal_text
from workbench.evaluation.readings.traces import trace
from workbench.privacy import PrivacyGate

LABELS = AskedField(name="wants", meaning="Wants", kind="labels", values=("garden", "lift", "sea"))
SHEET = AskedField(
    name="sheet", meaning="Sheet", kind="slots",
    slots=(
        Slot(name="beds", meaning="Beds", kind="number"),
        Slot(name="price", meaning="Price", kind="money"),
        Slot(name="city", meaning="City"),
    ),
)  # fmt: skip
TEXTS = [
    "my name is Ann Carver, mail ann.carver@example.com, I said so",
    "call 212-555-0134 <b>now</b>",
    "plain text",
    "another plain text",
    "the last text",
]
TRUTH = ["good", "good", "bad", "bad", "odd"]
FIRST = ["good", "bad", "bad", None, "bad"]
SECOND = ["bad", "good", "bad", "bad", "bad"]
PERSONAL = ("ann.carver", "Carver", "555-0134")


@pytest.fixture(scope="module")
def moods() -> ReadingEvaluation:
    return spoken_run(
        TEXTS,
        {"mood": TRUTH},
        {"first": {"mood": FIRST}, "second": {"mood": SECOND}},
        slices={"language": ["en", "en", "en", "fr", "fr"]},
    )


def confused(evaluation: ReadingEvaluation, **options: Any) -> Confusion:
    found = confusion(evaluation, "first", **options)
    assert isinstance(found, Confusion)
    return found


# ---------------------------------------------------------------- confusion


def test_every_cell_of_the_matrix_is_counted(moods: ReadingEvaluation) -> None:
    matrix = confused(moods).matrix
    assert matrix.columns.tolist() == ["good", "bad", "odd", NOTHING]
    assert matrix.loc["good"].tolist() == [1, 1, 0, 0]
    assert matrix.loc["bad"].tolist() == [0, 1, 0, 1]
    assert matrix.loc["odd"].tolist() == [0, 1, 0, 0]


def test_confusions_have_their_shares(moods: ReadingEvaluation) -> None:
    frame = confused(moods).to_frame()
    assert set(zip(frame["true"], frame["answered"], strict=True)) == {
        ("good", "bad"), ("bad", NOTHING), ("odd", "bad"),
    }  # fmt: skip
    odd = frame[frame["true"] == "odd"].iloc[0]
    assert (odd["n"], odd["share_of_true"]) == (1, 1.0)
    assert frame["share_of_errors"].tolist() == pytest.approx([1 / 3] * 3)


def test_the_texts_behind_a_cell_are_those_of_the_cell(moods: ReadingEvaluation) -> None:
    found = confused(moods)
    assert found.examples("good", "bad").to_frame()["example_id"].tolist() == ["e1"]
    assert found.examples("bad", None).to_frame()["text"].tolist() == ["another plain text"]
    assert len(found.examples("odd", "good")) == 0
    with pytest.raises(EvaluationError, match="no value 'goood'"):
        found.examples("goood", "bad")


def test_labels_are_true_and_false_positives_and_false_negatives() -> None:
    evaluation = spoken_run(
        ["a", "b", "c"],
        {"wants": [("garden",), ("garden", "sea"), ()]},
        {"first": {"wants": [("garden", "lift"), ("sea",), None]}},
        fields=(LABELS,),
        metrics=("wants/micro_f1",),
    )
    found = confusion(evaluation, "first", "wants")
    assert isinstance(found, Outcomes)
    frame = found.to_frame().set_index("item")
    assert frame.loc["garden", ["right", "made up", "missed", "n_true"]].tolist() == [1, 0, 1, 2]
    assert frame.loc["lift", ["right", "made up", "missed", "n_true"]].tolist() == [0, 1, 0, 0]
    assert frame.loc["sea", ["precision", "recall"]].tolist() == [1.0, 1.0]
    assert found.examples("garden", "missed").to_frame()["example_id"].tolist() == ["e1"]
    total = frame[["right", "made up", "missed"]].sum()
    f1 = 2 * total["right"] / (2 * total["right"] + total["made up"] + total["missed"])
    assert evaluation.estimate("first", "wants/micro_f1").estimate == pytest.approx(f1)


def test_slots_are_right_wrong_missed_made_up_or_abstained_from() -> None:
    evaluation = spoken_run(
        ["a", "b"],
        {"sheet": [{"beds": 3.0, "price": 500_000.0}, {"city": "Leeds"}]},
        {"first": {"sheet": [{"beds": 2.0, "price": 502_000.0, "city": "York"}, {"city": None}]}},
        fields=(SHEET,),
        metrics=("sheet/slot_f1", "sheet/slot_precision"),
    )
    found = confusion(evaluation, "first")
    assert isinstance(found, Outcomes)
    outcomes = {(r.item, r.outcome) for r in found.rows.itertuples()}
    assert outcomes == {
        ("beds", "wrong"), ("price", "right"), ("city", "made up"), ("city", "abstained"),
    }  # fmt: skip
    frame = found.to_frame().set_index("item")
    assert frame.loc["city", "n_true"] == 1
    # The same amounts are the same in the metrics.
    answered = frame[["right", "wrong", "made up"]].to_numpy().sum()
    precision = evaluation.estimate("first", "sheet/slot_precision").estimate
    assert precision == pytest.approx(frame["right"].sum() / answered)


def test_a_field_that_cannot_be_confused_is_refused(moods: ReadingEvaluation) -> None:
    with pytest.raises(EvaluationError, match="no field 'mod'"):
        confusion(moods, "first", "mod")
    with pytest.raises(EvaluationError, match="no arm 'third'"):
        confusion(moods, "third")
    number = AskedField(name="n", meaning="N", kind="number")
    evaluation = spoken_run(
        ["a"], {"n": [1.0]}, {"first": {"n": [1.0]}}, (number,), ("n/absolute_error",)
    )
    with pytest.raises(EvaluationError, match="of kind number"):
        confusion(evaluation, "first")


# ---------------------------------------------------------------- nothing personal, no markup


def displays(evaluation: ReadingEvaluation) -> list[str]:
    return [
        confusion(evaluation, "first")._repr_html_(),
        disagreements(evaluation, "first", "second")._repr_html_(),
        *(trace(evaluation, f"e{i}", "first")._repr_html_() for i in range(5)),
    ]


def test_no_display_shows_who_wrote_or_lets_a_text_be_markup(moods: ReadingEvaluation) -> None:
    page = "".join(displays(moods))
    assert "[email]" in page
    assert "[phone]" in page
    assert "[name]" in page
    for personal in PERSONAL:
        assert personal not in page
    assert "&lt;b&gt;now" in page
    assert "<b>now" not in page


def test_what_is_said_of_a_text_is_sealed_with_its_names() -> None:
    sealed = seal_text("Hi, my name is Ann Carver.", PrivacyGate())
    assert "Carver" not in sealed.text
    assert "Carver" not in sealed.seal("asked by Ann Carver")
    shown = Examples.of(
        ["x"], {"x": "my name is Ann Carver"}, {"name": ["Ann Carver"]}, 1
    )._repr_html_()
    assert "Carver" not in shown


def test_displays_do_not_depend_on_a_key(moods: ReadingEvaluation) -> None:
    assert displays(moods) == displays(moods)


# ---------------------------------------------------------------- disagreements


def test_two_arms_are_counted_two_by_two(moods: ReadingEvaluation) -> None:
    found = disagreements(moods, "first", "second")
    assert found.counts.to_numpy().tolist() == [[1, 1], [2, 1]]
    assert found.test is not None
    assert (found.test.b, found.test.c) == (1, 2)
    assert found.difference.difference == pytest.approx(-0.2)


@pytest.mark.parametrize(
    ("only", "ids"),
    [
        ("differ", ["e0", "e1", "e3"]),
        ("a_right", ["e0"]),
        ("b_right", ["e1", "e3"]),
        ("both_wrong", ["e4"]),
    ],
)
def test_the_examples_are_those_asked_for(
    moods: ReadingEvaluation, only: Any, ids: list[str]
) -> None:
    found = disagreements(moods, "first", "second", only=only)
    assert found.to_frame()["example_id"].tolist() == ids
    assert found.examples().to_frame()["example_id"].tolist() == ids


def test_slices_and_words_filter_counts_and_examples(moods: ReadingEvaluation) -> None:
    found = disagreements(moods, "first", "second", where={"language": "fr"})
    assert found.rows["example_id"].tolist() == ["e3", "e4"]
    found = disagreements(moods, "first", "second", contains="PLAIN")
    assert found.rows["example_id"].tolist() == ["e2", "e3"]
    with pytest.raises(EvaluationError, match="0 answers are left"):
        disagreements(moods, "first", "second", contains="nowhere")
    with pytest.raises(EvaluationError, match="no slice 'lang'"):
        disagreements(moods, "first", "second", where={"lang": "fr"})
    with pytest.raises(EvaluationError, match="two different arms"):
        disagreements(moods, "first", "first")


def test_groups_replace_mcnemar_by_the_paired_difference() -> None:
    evaluation = spoken_run(
        TEXTS,
        {"mood": TRUTH},
        {"first": {"mood": FIRST}, "second": {"mood": SECOND}},
        groups=["g0", "g0", "g1", "g2", "g3"],
    )
    found = disagreements(evaluation, "first", "second")
    assert found.test is None
    assert found.difference.n_groups == 4
    assert "cluster-robust" in found._repr_html_()


# ---------------------------------------------------------------- traces


def test_a_trace_shows_truth_answer_probabilities_and_marked_evidence(
    moods: ReadingEvaluation,
) -> None:
    found = trace(moods, "e0", "first")
    (mood,) = found.fields
    assert (mood.true, mood.answered, mood.right) == ("good", "good", True)
    assert mood.top[0][0] == "good"
    assert mood.top[0][1] == pytest.approx(0.8)
    assert trace(moods, "e1", "first").fields[0].right is False
    page = found._repr_html_()
    assert "<mark>said so</mark>" in page
    assert "not in the text" not in page
    assert "not in the text" in trace(moods, "e2", "first")._repr_html_()
    with pytest.raises(EvaluationError, match="no answer of 'first' on example 'e9'"):
        trace(moods, "e9", "first")


# ---------------------------------------------------------------- without texts


def test_a_saved_evaluation_asks_for_its_corpus(moods: ReadingEvaluation, tmp_path: Path) -> None:
    moods.save(tmp_path)
    loaded = ReadingEvaluation.load(tmp_path)
    assert confused(loaded).matrix.equals(confused(moods).matrix)
    assert "<details><summary><b>good" not in confused(loaded)._repr_html_()
    for ask in (
        lambda: confused(loaded).examples("good", "bad"),
        lambda: trace(loaded, "e0", "first"),
        lambda: disagreements(loaded, "first", "second").examples(),
    ):
        with pytest.raises(EvaluationError, match="holds no texts"):
            ask()
    again = confused(loaded, corpus=moods.corpus)
    assert again._repr_html_() == confused(moods)._repr_html_()
    assert moods.corpus is not None
    with pytest.raises(EvaluationError, match=re.escape("lacks 4 examples, such as 'e1'")):
        confused(loaded, corpus=moods.corpus.take([0]))


def test_the_field_of_the_primary_metric_is_the_default(moods: ReadingEvaluation) -> None:
    assert confused(moods).field == MOODS.name
