"""Onsets, interventions and personal suggestions: no look ahead, and the truth is not beaten."""

import numpy as np
import pandas as pd
import pytest

from workbench.data.conversations import cut_before, make_corpus
from workbench.embeddings import SentenceEncoder
from workbench.studies.interventions import _calls, _steps, interventions
from workbench.studies.objection_onset import _by_turn, _cusum, _watched, objection_onset
from workbench.studies.personal_coaching import AcceptanceFactors, personal_coaching
from workbench.studies.result import TRUTH, Study


@pytest.fixture(scope="module")
def onsets() -> Study:
    return objection_onset(800, n_resamples=300, random_state=1)


@pytest.fixture(scope="module")
def stepping() -> Study:
    return interventions(500, n_resamples=300, random_state=1)


@pytest.fixture(scope="module")
def personal() -> Study:
    return personal_coaching(4500, n_resamples=300, random_state=1)


def test_the_objection_itself_is_never_watched() -> None:
    corpus = make_corpus("objection_onsets", 80, 2)
    watched = _watched(corpus)
    onset = corpus.y["onset_turn"]
    for at, (event, length) in enumerate(zip(watched.event, watched.lengths, strict=True)):
        mine = watched.turns[watched.turns["dialogue"] == at]
        assert mine["turn"].max() < length
        if event is not None:
            assert event == length - 1 == onset.iloc[at] - 2
        else:
            assert not mine["soon"].any()
    early = cut_before(corpus, 1)
    lengths = [text.count("\n") for text in early.X["text"]]
    place = {name: at for at, name in enumerate(corpus.X.index)}
    assert [watched.cut[place[name]] for name in early.X.index] == lengths


def test_scores_stay_until_the_lead_speaks_again() -> None:
    watched = _watched(make_corpus("objection_onsets", 20, 2))
    values = np.arange(len(watched.turns), dtype=np.float64)
    rows = _by_turn(watched, values)
    assert [len(row) for row in rows] == watched.lengths
    for dialogue, turn, value in zip(
        watched.turns["dialogue"], watched.turns["turn"], values, strict=True
    ):
        assert rows[dialogue][turn] == value
    assert all(np.diff(row[1:]).min(initial=0) >= 0 for row in rows)


def test_hesitation_adds_up_and_fades() -> None:
    turns = pd.DataFrame(
        {"dialogue": [0, 0, 0, 1], "text": ["Hm, maybe.", "I guess.", "The garden is big.", "Yes."]}
    )
    assert _cusum(turns).tolist() == [0.75, 1.5, 1.25, 0.0]


def test_onsets_are_seen_better_than_by_the_clock(onsets: Study) -> None:
    assert onsets.estimate("boosted over the history", "auc_1_before").ci_lower > 0.5
    assert onsets.measured.differences["boosted over the history", "detected"].ci_lower > 0
    hinted = onsets.details["ceiling"]["hinted_at"].iloc[0]
    assert 0.5 < hinted < 0.85
    assert onsets.claims[0].standing == "not met"
    assert onsets.estimate("CUSUM of hesitation words", "false_alarms").estimate < 0.3


@pytest.mark.skipif(not SentenceEncoder.installed(), reason="needs the packages `embeddings`")
def test_sentence_vectors_are_an_arm_when_asked_for() -> None:
    found = objection_onset(
        80, one_false_alarm_in=3, sentences=True, n_resamples=300, random_state=1
    )
    assert ("logistic on sentence vectors", "auc_1_before") in found.measured.estimates


def test_who_waits_knows_more_and_comes_late(stepping: Study) -> None:
    gains = stepping.measured.differences
    for arm in ("boosted over the call", "boosted, waits for the answer"):
        assert gains[arm, "f1"].ci_lower > 0
    assert gains["random turns, as often", "f1"].ci_upper < 0
    assert stepping.estimate("boosted, waits for the answer", "timing_error").estimate > 0.9
    assert stepping.estimate("boosted over the call", "timing_error").estimate < 0.6
    often = stepping.estimate("random turns, as often", "per_call").estimate
    assert often == pytest.approx(
        stepping.estimate("boosted over the call", "per_call").estimate, rel=0.3
    )


def test_due_turns_are_turns_of_the_lead() -> None:
    corpus = make_corpus("proactive_help", 60, 2).of("test")
    calls = _calls(corpus)
    assert calls.turns["due"].sum() == sum(map(len, calls.due))
    every = _steps(calls, calls.turns["due"].to_numpy(), 0)
    assert [sorted(given) for given in every] == [sorted(due) for due in calls.due]
    late = _steps(calls, calls.turns["due"].to_numpy(), 1)
    assert [t + 1 for given in every for t in given] == [t for given in late for t in given]


def test_knowing_the_agent_helps_and_nobody_beats_the_truth(personal: Study) -> None:
    gains = personal.measured.differences
    assert gains["boosted on moment and agent", "auc"].ci_lower > 0
    assert gains["boosted on moment and agent", "log_loss"].ci_upper < 0
    losses = {arm: found.estimate for (arm, name), found in personal.measured.estimates.items()
              if name == "log_loss"}  # fmt: skip
    assert min(losses, key=losses.__getitem__) == TRUTH
    value = personal.details["value"].dropna()
    assert value.groupby("policy")["true_value"].first().idxmax() == TRUTH
    robust = value[value["estimator"] == "dr"]
    covered = robust["true_value"].between(robust["ci_lower"], robust["ci_upper"])
    assert covered.mean() >= 0.6


def test_factors_find_tastes_that_rates_miss() -> None:
    rng = np.random.default_rng(0)
    taste, kind = rng.normal(0, 2, 30), np.tile([-1.0, 1.0], 4)
    agent, suggestion = rng.integers(0, 30, 3000), rng.integers(0, 8, 3000)
    chance = 1 / (1 + np.exp(-taste[:, None] * kind))
    taken = (rng.random(3000) < chance[agent, suggestion]).astype(float)
    found = AcceptanceFactors(30, 8).fit(agent, suggestion, taken).chances()
    assert np.corrcoef(found.ravel(), chance.ravel())[0, 1] > 0.9
    plain = AcceptanceFactors(30, 8, n_factors=0).fit(agent, suggestion, taken).chances()
    assert np.corrcoef(plain.ravel(), chance.ravel())[0, 1] < 0.5
