"""Details found word by word: values, dialogues, slots read from the whole text."""

import pickle
from typing import Any

import numpy as np
import pytest
from sklearn.base import clone
from tests.predictors.texts.conftest import HOSTILE

from workbench.errors import PredictorError
from workbench.predictors.texts import SlotTagger
from workbench.predictors.texts.slots import _aligned, _as_number, _best_path, _read, _spans

CITIES = ["San Jose", "Oslo", "Bonn", "Lyon", "New York", "Rome"]
NUMBERS = ["one", "2", "three", "4"]
Data = tuple[list[str], list[dict[str, Any]]]


def homes(n: int, seed: int = 0) -> Data:
    rng = np.random.default_rng(seed)
    texts, sheets = [], []
    for _ in range(n):
        city, beds = CITIES[rng.integers(6)], int(rng.integers(4))
        baths, pets = int(rng.integers(4)), bool(rng.random() < 0.5)
        text = f"We need {NUMBERS[beds]} bedrooms and {NUMBERS[baths]} baths in {city}"
        sheet: dict[str, Any] = {"beds": beds + 1.0, "baths": baths + 1.0}
        sheet["city"] = city
        if pets:
            text += " and bring a dog"
            sheet["pets"] = "True"
        texts.append(f"{text}, please.")
        sheets.append(sheet)
    return texts, sheets


@pytest.fixture(scope="module")
def fitted() -> SlotTagger:
    return SlotTagger().fit(*homes(120))


def test_finds_values_of_every_kind(fitted: SlotTagger) -> None:
    texts, sheets = homes(60, seed=1)
    given = fitted.predict(texts)
    assert np.mean([g == s for g, s in zip(given, sheets, strict=True)]) > 0.9
    assert fitted.numbers_ == {"beds", "baths"}
    assert set(fitted.whole_) == {"pets"}


def test_city_never_seen_is_found(fitted: SlotTagger) -> None:
    (sheet,) = fitted.predict(["We need 2 bedrooms and 3 baths in Kyoto, please."])
    assert sheet["city"] == "Kyoto"


def test_two_slots_of_one_value_get_a_mention_each() -> None:
    texts = ["4 bedrooms and 2 baths", "2 bedrooms and 2 baths", "2 baths, 3 bedrooms"]
    sheets = [{"beds": 4.0, "baths": 2.0}, {"beds": 2.0, "baths": 2.0}, {"beds": 3.0, "baths": 2.0}]
    places = _aligned([_read(text) for text in texts], sheets)
    assert places[1] == {"beds": (0, 0), "baths": (3, 3)}


def test_last_mention_by_the_lead_counts() -> None:
    talk = "lead: a flat in {0}\nagent: In {1}?\nlead: yes, {2} is fine"
    rng = np.random.default_rng(0)
    chosen = [[CITIES[i] for i in rng.integers(0, 6, 3)] for _ in range(60)]
    texts = [talk.format(*cities) for cities in chosen]
    model = SlotTagger().fit(texts, [{"city": cities[2]} for cities in chosen])
    (sheet,) = model.predict([talk.format("Bonn", "Lyon", "Oslo")])
    assert sheet == {"city": "Oslo"}


def test_hostile_texts_are_answered(fitted: SlotTagger) -> None:
    assert all(isinstance(sheet, dict) for sheet in fitted.predict(HOSTILE))
    assert fitted.predict([]).shape == (0,)


def test_is_deterministic_cloned_and_pickled(fitted: SlotTagger) -> None:
    texts, _ = homes(20, seed=3)
    told = fitted.predict(texts).tolist()
    assert clone(fitted).fit(*homes(120)).predict(texts).tolist() == told
    assert pickle.loads(pickle.dumps(fitted)).predict(texts).tolist() == told  # noqa: S301


def test_nothing_mentioned_anywhere() -> None:
    model = SlotTagger().fit(["hello there", "good day"], [{}, {}])
    assert model.predict(["hello"]).tolist() == [{}]


def test_slot_with_one_value_for_all() -> None:
    model = SlotTagger().fit(["hello there", "good day"], [{"hot": "True"}, {"hot": "True"}])
    assert model.predict(["hello"]).tolist() == [{"hot": "True"}]


@pytest.mark.parametrize(
    ("said", "number"),
    [("2", 2.0), ("Three", 3.0), ("$450,000", 450_000.0), ("450k", 450_000.0), ("1.5m", 1.5e6),
     ("many", None), ("", None)],
)  # fmt: skip
def test_numbers_as_people_write_them(said: str, number: float | None) -> None:
    assert _as_number(said) == number


def test_path_never_starts_inside() -> None:
    rng = np.random.default_rng(0)
    tags = np.array(["O", "B-a", "I-a", "B-b", "I-b"])
    for _ in range(50):
        path = _best_path(rng.normal(size=(8, 5)))
        before = [0, *path[:-1].tolist()]
        assert all(t not in (2, 4) or b in (t, t - 1) for b, t in zip(before, path, strict=True))
        covered = {i for _, first, last in _spans(path, tags) for i in range(first, last + 1)}
        assert covered == set(np.flatnonzero(path).tolist())


def test_bad_sheets_are_one_clear_error() -> None:
    with pytest.raises(PredictorError, match="1 texts and 0 sheets"):
        SlotTagger().fit(["a"], [])
    with pytest.raises(PredictorError, match="a sheet is no mapping"):
        SlotTagger().fit(["a"], ["b"])  # type: ignore[list-item]
