"""Alarms, interventions and checks of texts, by hand and by what must not matter."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import f1_score, roc_auc_score

from workbench import scorers
from workbench.errors import EvaluationError
from workbench.stats import Statistic

Events = list[int | None]
Scores = list[list[float] | None]


def once(statistic: Statistic, n: int) -> float:
    return float(statistic(np.ones(n))[0])


def dialogues(n: int = 60, seed: int = 0) -> tuple[Events, Scores]:
    rng = np.random.default_rng(seed)
    truth: Events = [int(rng.integers(2, 8)) if rng.random() < 0.5 else None for _ in range(n)]
    scores: Scores = []
    for event in truth:
        drawn = rng.normal(size=8)
        if event is not None:
            drawn[event - 1 :] += 2
        scores.append(np.round(drawn, 2).tolist())
    scores[3] = None
    return truth, scores


# ---------------------------------------------------------------- alarms


def test_the_threshold_keeps_false_alarms_at_the_rate_on_new_dialogues() -> None:
    rng = np.random.default_rng(1)
    quiet: Events = [None] * 99
    rates = []
    for _ in range(200):
        calibration, fresh = rng.normal(size=(2, 99, 5))
        cut = scorers.alarm_threshold(quiet, calibration.tolist(), false_alarm_rate=0.1)
        rates.append(once(scorers.false_alarm_share(quiet, fresh.tolist(), threshold=cut), 99))
    assert np.mean(rates) == pytest.approx(0.1, abs=0.01)


def test_too_few_quiet_dialogues_raise_no_alarm() -> None:
    assert scorers.alarm_threshold([None] * 8, [[1.0]] * 8, false_alarm_rate=0.1) == math.inf
    assert scorers.alarm_threshold([None] * 9, [[1.0]] * 9, false_alarm_rate=0.1) == 1.0
    with pytest.raises(EvaluationError, match="no calibration dialogue is without event"):
        scorers.alarm_threshold([0], [[1.0]])
    with pytest.raises(EvaluationError, match="false_alarm_rate is 1"):
        scorers.alarm_threshold([None], [[1.0]], false_alarm_rate=1)


def test_alarms_by_hand() -> None:
    truth: Events = [3, 2, 1, None, None, 1]
    scores: Scores = [
        [0.0, 0.9, 0.0, 0.9],  # two turns early
        [0.9, 0.0, 0.0],  # two turns early
        [0.0, 0.0, 0.9],  # one turn late
        [0.0, 0.9],  # false
        [0.1, 0.2],  # rightly quiet
        None,  # nothing answered: missed
    ]
    options = {"threshold": 0.5}
    assert scorers.alarm_turns(scores, threshold=0.5) == [1, 0, 2, 1, None, None]
    assert once(scorers.lead_time(truth, scores, **options), 6) == 2
    assert once(scorers.detected_in_time(truth, scores, **options), 6) == 0.5
    assert once(scorers.false_alarm_share(truth, scores, **options), 6) == 0.5
    assert once(scorers.detection_delay(truth, scores, **options), 6) == 1
    # F1 = 2·2/(4 + 4); the alarms in time come after two turns and one, p = ln 3 / 2.
    found = scorers.latency_weighted_f1(truth, scores, threshold=0.5, half_turns=3)
    penalty = -1 + 2 / (1 + 3**-0.5)
    assert once(found, 6) == pytest.approx(0.5 * (1 - penalty / 2))
    with pytest.raises(EvaluationError, match="half_turns is 1"):
        scorers.latency_weighted_f1(truth, scores, threshold=0.5, half_turns=1)
    with pytest.raises(EvaluationError, match="the event is at turn 2"):
        scorers.lead_time([2], [[0.1, 0.2]], threshold=0.5)


def test_with_alarms_at_once_the_latency_weighted_f1_is_f1() -> None:
    truth, scores = dialogues()
    first: Scores = [None if row is None else [row[0]] * 8 for row in scores]
    alarms = [bool(row and row[0] > 0.3) for row in first]
    plain = f1_score([t is not None for t in truth], alarms)
    found = scorers.latency_weighted_f1(truth, first, threshold=0.3, half_turns=3)
    assert once(found, len(truth)) == pytest.approx(plain)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 3), min_size=60, max_size=60).filter(lambda w: sum(w) > 20))
def test_weights_count_copies_of_dialogues(weights: list[int]) -> None:
    truth, scores = dialogues()
    copies = np.repeat(np.arange(60), weights)
    of_copies: tuple[Any, Any] = ([truth[i] for i in copies], [scores[i] for i in copies])
    makers: tuple[Callable[[Any, Any], Statistic], ...] = (
        lambda t, s: scorers.lead_time(t, s, threshold=1.0),
        lambda t, s: scorers.detection_delay(t, s, threshold=1.0),
        lambda t, s: scorers.latency_weighted_f1(t, s, threshold=1.0, half_turns=3),
        lambda t, s: scorers.auc_before(t, s, turns=1),
    )
    for make in makers:
        by_weight = make(truth, scores)(np.array(weights))[0]
        assert by_weight == pytest.approx(once(make(*of_copies), len(copies)), nan_ok=True)


def test_auc_before_is_that_of_the_turns_named() -> None:
    truth, scores = dialogues()
    y, value = [], []
    for event, row in zip(truth, scores, strict=True):
        at = (7 if event is None else event) - 3
        if row is not None and at >= 0:
            y.append(event is not None)
            value.append(row[at])
    found = once(scorers.auc_before(truth, scores, turns=3), len(truth))
    assert found == pytest.approx(roc_auc_score(y, value))
    assert once(scorers.auc_before(truth, scores, turns=0), len(truth)) > 0.8
    with pytest.raises(EvaluationError, match="no dialogue has a score 9 turns before"):
        scorers.auc_before(truth, scores, turns=9)


# ---------------------------------------------------------------- interventions


def test_interventions_by_hand() -> None:
    due, done = [(3, 9), (5,), ()], [(2, 3, 20), None, (1,)]
    assert once(scorers.intervention_precision(due, done), 3) == pytest.approx(1 / 4)
    assert once(scorers.intervention_recall(due, done), 3) == pytest.approx(1 / 3)
    assert once(scorers.intervention_f1(due, done), 3) == pytest.approx(2 / 7)
    # Turn 3 is met exactly, though turn 2 is within reach.
    assert once(scorers.timing_error(due, done), 3) == 0
    assert once(scorers.interruptions_per_call(due, done), 3) == pytest.approx(4 / 3)
    arrays: Any = ([np.array([3])], [np.array([], dtype=int)])
    assert once(scorers.intervention_recall(*arrays), 1) == 0


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.integers(0, 30), max_size=6, unique=True),
    st.lists(st.integers(0, 30), max_size=6, unique=True),
    st.integers(0, 4),
)
def test_more_tolerance_never_matches_less(due: list[int], done: list[int], reach: int) -> None:
    def matched(tolerance: int) -> float:
        found = scorers.intervention_recall([due, [0]], [done, [0]], tolerance=tolerance)
        return once(found, 2)

    assert matched(reach) <= matched(reach + 1)
    swapped = scorers.intervention_precision([done, [0]], [due, [0]], tolerance=reach)
    assert once(swapped, 2) == pytest.approx(matched(reach))


# ---------------------------------------------------------------- texts


@pytest.mark.parametrize(
    ("text", "source"),
    [
        ("They can pay $450k", "budget 450,000 dollars"),
        ("up to 0.45 million", "up to $450K"),
        ("two baths", "2 baths"),
        ("Viewing on 12 March", "viewing 2026-03-12"),
        ("Viewing on March 12th, 2026", "12/03/2026"),
        ("One of them asked again", "someone asked"),
        ("a 5.25% rate", "rate 5.25"),
        ("by 2026", "moving on 3 May 2026"),
        ("2 may come", "two come"),
    ],
)
def test_what_the_source_says_may_be_said_otherwise(text: str, source: str) -> None:
    assert scorers.faithful_numbers(text, source).passed


@pytest.mark.parametrize(
    ("text", "source", "unsupported"),
    [
        ("pays $460k", "budget 450,000", ("460k",)),
        ("three beds, two baths", "3 beds", ("two",)),
        ("on 13 March", "on 12 March", ("13 March",)),
        ("on 12 March 2027", "on 2026-03-12", ("12 March 2027",)),
        ("1,200 sq ft", "12,00 sq ft", ("1,200",)),
    ],
)
def test_what_it_does_not_say_is_found(text: str, source: str, unsupported: Any) -> None:
    found = scorers.faithful_numbers(text, source)
    assert not found.passed and found.unsupported == unsupported


def test_sums_may_be_allowed_and_roundings() -> None:
    text, source = "800 in all, about 450k", "300 and 500; 449,500"
    assert scorers.faithful_numbers(text, source).unsupported == ("800", "450k")
    lenient = scorers.faithful_numbers(text, source, derivable=[800.0], relative_tolerance=0.01)
    assert lenient.passed and lenient.found == ("800", "450k")


def test_quotes_stand_where_they_are_said_to() -> None:
    source = "We are  looking\nfor a garden (big)."
    assert scorers.quotes_present(["looking for a garden (big)"], source).passed
    found = scorers.quotes_present(["a garden", "a pool", " "], source)
    assert (found.present, found.missing, found.passed) == (1, ("a pool", " "), False)
    assert not scorers.quotes_present([], source).passed


def test_reading_level_of_known_passages() -> None:
    easy = scorers.reading_level("The cat sat on the mat. The dog ran to the cat.")
    # Twelve words, two sentences, twelve syllables.
    assert easy.grade == pytest.approx(0.39 * 6 + 11.8 - 15.59)
    assert easy.ease == pytest.approx(206.835 - 1.015 * 6 - 84.6)
    hard = scorers.reading_level(
        "Notwithstanding contractual considerations, the purchaser's representative "
        "anticipates substantial administrative complications."
    )
    assert hard.grade > 20 > easy.grade and not hard.passed and easy.passed
    counted = {
        "make": 1,
        "wanted": 2,
        "bedroom": 2,
        "houses": 2,
        "table": 2,
        "agency": 3,
        "rules": 1,
        "tables": 2,
    }
    for word, syllables in counted.items():
        assert scorers.reading_level(word).syllables == syllables, word
    with pytest.raises(EvaluationError, match="holds no word"):
        scorers.reading_level("12 + 3")


def test_length_language_and_wording() -> None:
    assert scorers.length_within("a b c", most_words=3, most_characters=5).passed
    assert not scorers.length_within("a b c", most_characters=4).passed
    assert not scorers.length_within("  ").passed
    language = scorers.language_as_asked("Hola", "en", detect=lambda _: "es")
    assert (language.found, language.passed) == ("es", False)
    wording = scorers.fair_wording("Perfect for young families")
    assert not wording.passed and wording.findings[0].characteristic == "familial status"


def test_the_share_that_passes_counts_what_was_not_written() -> None:
    sources, texts = ["3 beds", "2 beds", "1 bed"], ["3 beds", "9 beds", None]
    share = scorers.passing_share(
        sources, texts, check=lambda source, text: scorers.faithful_numbers(text, source)
    )
    assert once(share, 3) == pytest.approx(1 / 3)
    assert share([[0, 1, 0], [2, 0, 0]]).tolist() == [0, 1]
