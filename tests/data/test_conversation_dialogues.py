"""Dialogues turn by turn, coaching logs, languages, and leads that answer."""

from random import Random

import numpy as np
import pytest

from workbench.data.conversations import (
    Question,
    SimulatedLead,
    make_corpus,
    simulate_leads,
    turns_of,
    worded,
)
from workbench.data.conversations.coaching import AGENTS, SUGGESTIONS, reactions_of
from workbench.data.conversations.onsets import cut_before
from workbench.data.conversations.sheets import QUESTIONS
from workbench.data.conversations.truth import true_acceptance, true_labels, true_sheets
from workbench.errors import DataError


def test_dialogues_have_six_to_sixteen_turns_and_object_at_a_turn_of_the_lead() -> None:
    corpus = make_corpus("objection_onsets", 300, 1)
    turns = turns_of(corpus)
    assert turns.groupby("dialogue_id").size().between(6, 16).all()
    onset = corpus.y["onset_turn"].dropna().astype(int)
    speaker = turns.set_index(["dialogue_id", "turn"])["speaker"]
    assert {speaker[name, turn] for name, turn in onset.items()} == {"lead"}
    assert (corpus.y["onset_turn"].notna() == (corpus.y["will_object"] == "yes")).all()


def test_hesitation_grows_before_an_objection() -> None:
    corpus = make_corpus("objection_onsets", 1500, 2)
    hinted = true_sheets(corpus)["hinted_turns"]
    ahead = [
        (onset - turn) // 2
        for onset, turns in zip(corpus.y["onset_turn"], hinted, strict=True)
        for turn in turns
    ]
    near, far = ahead.count(1), ahead.count(3)
    assert near > 1.3 * far > 0


def test_a_cut_dialogue_ends_before_the_objection_and_its_length_tells_nothing() -> None:
    corpus = make_corpus("objection_onsets", 1500, 3)
    early = cut_before(corpus, 2)
    length = early.X["text"].str.count("\n") + 1
    onset = early.y["onset_turn"].dropna().astype(float)
    assert (length[onset.index] == onset - 2).all()
    objects = early.y["will_object"] == "yes"
    assert abs(length[objects].mean() - length[~objects].mean()) < 0.8
    with pytest.raises(ValueError, match="turns is 0"):
        cut_before(corpus, 0)


def test_reactions_follow_the_logged_chances() -> None:
    corpus = make_corpus("coaching_moments", 2500, 1).of("test")
    log = reactions_of(corpus)
    chances = true_acceptance(corpus)
    assert list(chances.columns) == list(SUGGESTIONS)
    assert log["agent_id"].nunique() > AGENTS / 2
    taken = chances.to_numpy()[np.arange(len(log)), log["suggestion"].map(SUGGESTIONS.index)]
    assert (log["accepted"] == "yes").mean() == pytest.approx(taken.mean(), abs=0.06)
    # Inverse propensities estimate what suggesting at random would bring.
    weights = 1 / len(SUGGESTIONS) / log["propensity"]
    estimate = (weights * (log["accepted"] == "yes")).sum() / weights.sum()
    assert estimate == pytest.approx(chances.to_numpy().mean(), abs=0.08)


def test_tastes_of_agents_differ() -> None:
    corpus = make_corpus("coaching_moments", 400, 1)
    chances = true_acceptance(corpus)
    assert chances.groupby(reactions_of(corpus)["agent_id"]).mean()["slow_down"].std() > 0.1


def test_help_is_needed_at_turns_of_the_lead_and_more_by_novices() -> None:
    corpus = make_corpus("proactive_help", 500, 1)
    right = true_labels(corpus)["needs_help"]
    assert all(int(turn) % 2 for turns in right for turn in turns)
    needed = right.map(len).groupby(corpus.X["agent_experience"]).mean()
    assert needed["novice"] > needed["experienced"] > needed["expert"]


def test_mixed_messages_hold_the_letters_of_their_languages() -> None:
    corpus = make_corpus("message_languages", 600, 1)
    chinese = corpus.X["text"].str.contains(r"[\u4e00-\u9fff]")
    told = corpus.y["languages"].map(lambda languages: "mandarin" in languages)
    shared = corpus.X["text"].str.len() < 12
    assert (chinese == told)[~shared].mean() > 0.98
    assert corpus.y["languages"].map(len).isin([1, 2]).all()


def ask_all(lead: SimulatedLead, order: list[str], *, grade: float = 6.0) -> list[str]:
    said = []
    for slug in order:
        reply = lead.answer(Question(slug, grade, bridge=True))
        said.append(reply.text)
        if reply.gone:
            break
    return said


def test_a_lead_answers_the_same_whatever_was_asked_before() -> None:
    slug = "financing_status"
    same = 0
    for one, two in zip(simulate_leads(30, 4), simulate_leads(30, 4), strict=True):
        one.answer(Question("availability", bridge=True))
        first, second = one.answer(Question(slug)), two.answer(Question(slug))
        same += first.text.split()[:3] == second.text.split()[:3]
    assert same > 22  # but where the answer was volunteered before


def test_hard_questions_and_questions_again_cost_patience() -> None:
    plain, hard, again = simulate_leads(40, 5), simulate_leads(40, 5), simulate_leads(40, 5)
    order = list(QUESTIONS)
    for lead in plain:
        ask_all(lead, order)
    for lead in hard:
        ask_all(lead, order, grade=17)
    for lead in again:
        ask_all(lead, [slug for slug in order for _ in range(2)])

    def mean(leads: list[SimulatedLead]) -> tuple[float, float]:
        return (
            float(np.mean([lead.completeness for lead in leads])),
            float(np.mean([lead.gone for lead in leads])),
        )

    (learned, left), (less, more_left) = mean(plain), mean(hard)
    assert learned > less + 10
    assert more_left > left
    assert mean(again)[1] > left


def test_who_has_left_answers_no_more() -> None:
    lead = simulate_leads(1, 6)[0]
    while not lead.gone:
        lead.answer(Question("location"))
    with pytest.raises(DataError, match="who has left"):
        lead.answer(Question("size"))
    with pytest.raises(DataError, match="'shoe_size'"):
        simulate_leads(1)[0].answer(Question("shoe_size"))


def test_hard_wordings_are_harder_to_read() -> None:
    draw = Random(0)
    for slug in QUESTIONS:
        plain, question = worded(slug, draw)
        hard, asked = worded(slug, draw, hard=True, bridge=True)
        assert max(map(len, hard.split())) > max(map(len, plain.split()))
        assert (question.bridge, asked.bridge) == (False, True)
        assert asked.reading_grade > question.reading_grade
