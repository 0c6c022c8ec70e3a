from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.dummy import DummyClassifier
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.naive_bayes import MultinomialNB
from sklearn.pipeline import make_pipeline

from workbench.data import AskedField, Slot
from workbench.errors import PredictorError
from workbench.predictors.readers import (
    STANDARD_READERS,
    BlendedReader,
    FieldReader,
    Readings,
    RelevanceRanker,
    RuleReader,
    answer_model_of,
    describe_fields,
    spoken_values,
)
from workbench.predictors.readers.answer_schema import written_answer
from workbench.predictors.readers.shots import Shots

MOOD = AskedField(name="mood", meaning="Mood", kind="label", values=("good", "bad"))
TOPICS = AskedField(name="topics", meaning="Topics", kind="labels", values=("home", "money"))
SIZE = AskedField(name="size", meaning="Size", kind="number")
NEXT = AskedField(name="next", meaning="Next", kind="ranking", values=("call", "mail", "wait"))
SHEET = AskedField(
    name="sheet",
    meaning="Sheet",
    kind="slots",
    slots=(
        Slot(name="beds", meaning="Bedrooms", kind="number"),
        Slot(name="kind", meaning="Kind", kind="choice", values=("house", "condo")),
        Slot(name="likes", meaning="Likes", kind="choices", values=("pool", "garden")),
    ),
)
FIELDS = (MOOD, TOPICS, SIZE, NEXT, SHEET)
X = pd.DataFrame({"text": ["good home", "bad money", "good money home", "bad"] * 4})
Y = pd.DataFrame(
    {
        "mood": ["good", "bad", "good", "bad"] * 4,
        "topics": [("home",), ("money",), ("home", "money"), ()] * 4,
        "size": [1.0, 2.0, 3.0, 4.0] * 4,
        "next": [{"call": 2.0, "mail": 1.0, "wait": 0.0}] * 16,
        "sheet": [{"beds": 3.0}, {}, {"kind": "condo", "likes": ("pool",)}, {}] * 4,
    },
    dtype=object,
)


def said(values: list[dict[str, Any]], proba: dict[str, Any] | None = None) -> Any:
    """A reader that says what it is told, whatever the text."""

    class Told(RuleReader):
        def read(self, X: pd.DataFrame, *, repeat: int = 0) -> Readings:
            found = super().read(X, repeat=repeat)
            given = {k: np.asarray(v, dtype=float) for k, v in (proba or {}).items()}
            return Readings(found.values, given)

    queue = iter(values)
    return Told(FIELDS, lambda _row, _learnt: next(queue))


# ---------------------------------------------------------------- estimators by field


def test_any_scikit_learn_pipeline_answers_a_field() -> None:
    model = make_pipeline(CountVectorizer(), MultinomialNB())
    reader = FieldReader([MOOD], {"mood": model}).fit(X, Y)
    found = reader.read(X)
    assert found.values["mood"].tolist() == Y["mood"].tolist()
    assert found.proba["mood"].shape == (16, 2)
    # Columns come in the field's order, not in the classifier's.
    assert (found.proba["mood"][:, 0] > 0.5).tolist() == [m == "good" for m in Y["mood"]]
    assert clone(reader).estimators["mood"] is not reader.estimators_["mood"]


def test_rows_whose_truth_is_unknown_are_left_out_of_fitting() -> None:
    y = Y.copy()
    y.loc[y.index[:8], "mood"] = None
    reader = FieldReader([MOOD], {"mood": DummyClassifier(strategy="most_frequent")})
    assert reader.fit(X, y).read(X.head(2)).values["mood"].notna().all()
    y["mood"] = None
    with pytest.raises(PredictorError, match="no row says what field 'mood' is"):
        reader.fit(X, y)


def test_a_field_without_an_estimator_stays_unanswered() -> None:
    reader = FieldReader([MOOD, SIZE], {"mood": DummyClassifier()}).fit(X, Y)
    assert reader.read(X).values["size"].isna().all()


def test_an_estimator_for_no_field_is_refused() -> None:
    with pytest.raises(PredictorError, match="an estimator for 'moood'"):
        FieldReader([MOOD], {"moood": DummyClassifier()}).fit(X, Y)
    with pytest.raises(PredictorError, match="lacks the fields"):
        FieldReader([MOOD], {"mood": DummyClassifier()}).fit(X, Y[["size"]])
    with pytest.raises(PredictorError, match="X is a list"):
        FieldReader([MOOD], {"mood": DummyClassifier()}).fit(["a"], Y)


@pytest.mark.parametrize("name", sorted(set(STANDARD_READERS) - {"boosted", "best"}))
def test_every_standard_reader_answers_in_the_forms_of_the_fields(name: str) -> None:
    found = STANDARD_READERS[name](FIELDS).fit(X, Y).read(X)
    for value in found.values["topics"].dropna():
        assert isinstance(value, tuple) and set(value) <= set(TOPICS.values)
    for value in found.values["next"].dropna():
        assert isinstance(value, tuple) and set(value) <= set(NEXT.values)
    for value in found.values["size"].dropna():
        assert isinstance(value, float)
    assert set(found.values["mood"].dropna()) <= set(MOOD.values)


def test_candidates_come_in_the_order_of_their_mean_relevance() -> None:
    truth = np.array([{"a": 0.0, "b": 3.0}, {"a": 1.0, "b": 1.0}], dtype=object)
    ranker = RelevanceRanker().fit(X.head(2), truth)
    assert ranker.predict(X.head(3)).tolist() == [("b", "a")] * 3


# ---------------------------------------------------------------- rules


def test_a_rule_that_answers_what_is_not_asked_is_told() -> None:
    reader = RuleReader([MOOD], lambda _row, _learnt: {"mod": "good"}).fit(X, Y)
    with pytest.raises(PredictorError, match="answered 'mod', which is not asked"):
        reader.read(X)


# ---------------------------------------------------------------- blends


def test_probabilities_are_averaged_and_silence_does_not_count() -> None:
    one = said([{"mood": "good"}, {}], {"mood": [[0.9, 0.1], [np.nan, np.nan]]})
    two = said([{"mood": "bad"}, {"mood": "bad"}], {"mood": [[0.4, 0.6], [0.2, 0.8]]})
    blend = BlendedReader(FIELDS, [("one", one), ("two", two)]).joined(
        [("one", one.fit(X, Y)), ("two", two.fit(X, Y))]
    )
    found = blend.read(X.head(2))
    assert found.values["mood"].tolist() == ["good", "bad"]
    assert found.proba["mood"].round(3).tolist() == [[0.65, 0.35], [0.2, 0.8]]


def test_slots_are_voted_on_one_by_one() -> None:
    answers = [{"beds": 3.0, "kind": "house"}, {"beds": 3.0}, {"beds": 2.0, "likes": None}]
    members = [(str(i), said([{"sheet": a}]).fit(X, Y)) for i, a in enumerate(answers)]
    found = BlendedReader(FIELDS, members).joined(members).read(X.head(1))
    # Two of three say nothing of the kind; nobody but an abstainer speaks of likes.
    assert found.values["sheet"].iloc[0] == {"beds": 3.0}


def test_rankings_are_counted_by_place_and_weights_decide() -> None:
    members = [
        ("a", said([{"next": ("call", "mail", "wait")}]).fit(X, Y)),
        ("b", said([{"next": ("mail", "wait", "call")}]).fit(X, Y)),
    ]
    even = BlendedReader(FIELDS, members).joined(members).read(X.head(1))
    assert even.values["next"].iloc[0][0] == "mail"
    members = [(n, said([{"next": v}]).fit(X, Y)) for n, v in (("a", ("call",)), ("b", ("mail",)))]
    heavy = BlendedReader(FIELDS, members, weights=[3, 1]).joined(members).read(X.head(1))
    assert heavy.values["next"].iloc[0] == ("call", "mail")


@pytest.mark.parametrize("weights", [[1.0], [0.0, 0.0], [-1.0, 2.0]])
def test_weights_that_do_not_fit_are_refused(weights: list[float]) -> None:
    members = [("a", said([{}]).fit(X, Y)), ("b", said([{}]).fit(X, Y))]
    with pytest.raises(PredictorError, match="weights"):
        BlendedReader(FIELDS, members, weights=weights).joined(members)


# ---------------------------------------------------------------- schemas


def test_an_answer_goes_through_the_schema_and_back() -> None:
    model = answer_model_of("Told", FIELDS)
    sheet = {"beds": 2.0, "kind": None, "likes": ["garden"]}
    answer = model.model_validate(
        {
            "evidence": ["two beds"],
            "mood": "bad",
            "topics": ["money", "money"],
            "size": 5,
            "next": ["wait", "call"],
            "sheet": sheet,
            "confidence": 80,
            "abstain": False,
        }
    )
    assert spoken_values(answer, FIELDS) == {
        "mood": "bad",
        "topics": ("money",),
        "size": 5.0,
        "next": ("wait", "call"),
        "sheet": {"beds": 2.0, "likes": ("garden",)},
    }


def test_an_example_shows_the_answer_as_the_schema_wants_it() -> None:
    row = {"next": {"call": 0.0, "mail": 2.0, "wait": 1.0}, "sheet": {"beds": 1.0}}
    shown = written_answer(row, [NEXT, SHEET])
    expected = '{"next": ["mail", "wait"], "sheet": {"beds": 1.0, "kind": null, "likes": null}}'
    assert shown == expected


def test_the_questions_name_every_value() -> None:
    told = describe_fields(FIELDS)
    for field in FIELDS:
        assert field.meaning in told
        for value in field.values:
            assert f"- {value}" in told


# ---------------------------------------------------------------- solved examples


@given(st.lists(st.sampled_from("abc"), min_size=6, max_size=20), st.integers(1, 3))
def test_no_more_than_one_example_comes_from_a_group(groups: list[str], n: int) -> None:
    names = np.array(groups, dtype=object)
    texts = [f"text {i}" for i in range(len(groups))]
    if len(set(groups)) < n:
        with pytest.raises(PredictorError, match="training rows fit"):
            Shots(texts, texts, names, n, "random", 0)
        return
    shots = Shots(texts, ["x"] * len(texts), names, n, "diverse", 0)
    assert len({groups[i] for i in shots.chosen}) == len(shots.chosen) == n


def test_the_nearest_examples_are_the_nearest_and_stand_last() -> None:
    texts = ["a pool and a garden", "sell my flat", "a pool", "loan and bank"]
    shots = Shots(texts, texts, None, 2, "nearest", 0)
    assert [row[-1] for row in shots.near(["pool", "bank"])] == [2, 3]
    assert shots.near(["pool"])[0] == [0, 2]


def test_classes_take_turns() -> None:
    texts = [f"text number {i}" for i in range(40)]
    classes = ["often"] * 38 + ["rare"] * 2
    shots = Shots(texts, classes, None, 4, "random", 1)
    assert sorted(classes[i] for i in shots.chosen) == ["often", "often", "rare", "rare"]
