"""Policies that qualify simulated leads: what they may see, what they do, what is measured."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from workbench.claude import ClaudeClient
from workbench.data import Corpus
from workbench.data.conversations import Question, make_corpus, simulate_leads
from workbench.data.conversations.sheets import AREAS, QUESTIONS
from workbench.errors import DataError
from workbench.studies.qualification_flow import (
    learnt_listener,
    qualification_flow,
    role_aware_flow,
)
from workbench.studies.qualification_policies import (
    AdaptivePolicy,
    FixedScript,
    GreedyPolicy,
    Heard,
    expected_bits,
)
from workbench.studies.qualification_reader import Exchange, ReplyReader
from workbench.studies.qualification_records import qualification_analytics
from workbench.studies.qualification_service import QualificationFlow
from workbench.studies.qualification_talks import ReplyListener, converse, most_complete
from workbench.studies.result import Study
from workbench.tasks import load_task


@pytest.fixture(scope="module")
def talks() -> Corpus:
    return make_corpus("qualification_sheets", 600, 5)


@pytest.fixture(scope="module")
def listener(talks: Corpus) -> ReplyListener:
    return learnt_listener(talks)


@pytest.fixture(scope="module")
def adaptive(talks: Corpus) -> AdaptivePolicy:
    return AdaptivePolicy(expected_bits(talks.of("train")))


@pytest.fixture(scope="module")
def study() -> Study:
    return qualification_flow(120, n_talks=450, n_resamples=300, random_state=3)


def test_the_reader_finds_which_reply_answered(talks: Corpus, listener: ReplyListener) -> None:
    test = talks.of("test")
    said = np.array([[slug in given for slug in QUESTIONS] for given in test.y["answered"]])
    found = listener.reader.predict(test) > 0.3
    f1 = 2 * (found & said).sum() / (found.sum() + said.sum())
    assert f1 > 0.88
    # Taking every reply of a talk for the answer does far worse.
    naive = ReplyReader(rounds=0).fit(talks.of("train", "validation")).predict(test) > 0.3
    assert f1 > 0.2 + 2 * (naive & said).sum() / (naive.sum() + said.sum())


def test_policies_skip_what_they_heard_and_leave_what_was_refused(
    adaptive: AdaptivePolicy,
) -> None:
    told = np.zeros(16)
    told[QUESTIONS.index("budget_range")] = 0.9
    heard = Heard("residential", "buyer", told=told)
    script, greedy = FixedScript(), GreedyPolicy(adaptive.bits)
    assert [s.slug for s in script.rank(heard)] == list(QUESTIONS)
    for policy in (greedy, adaptive):
        ranked = policy.rank(heard)
        assert "budget_range" not in [s.slug for s in ranked]
        assert [s.gain for s in ranked] == sorted((s.gain for s in ranked), reverse=True)
    heard.exchanges.append(Exchange("How will you pay for it?", "I'd rather not say"))
    heard.hear(np.zeros(16), "financing_status")
    assert heard.refused == {"budget"}
    assert not {s.slug for s in adaptive.rank(heard)} & set(AREAS["budget"][1])
    assert "down_payment" in [s.slug for s in greedy.rank(heard)]
    heard.told = np.ones(16)
    assert adaptive.next(heard) is None and greedy.next(heard) is None


def test_a_dear_turn_ends_the_talk_sooner(adaptive: AdaptivePolicy) -> None:
    heard = Heard("residential", "buyer")
    slugs = {cost: len(AdaptivePolicy(adaptive.bits, cost).rank(heard)) for cost in (1, 5, 20)}
    assert slugs[1] == 16 > slugs[5] > slugs[20] == 0


def test_talks_stop_with_the_lead_and_never_unlearn(
    adaptive: AdaptivePolicy, listener: ReplyListener
) -> None:
    talks = converse(adaptive, simulate_leads(60, 2), listener, max_turns=12, random_state=2)
    assert (np.diff(talks.path, axis=1) >= 0).all()
    assert talks.n_turns.max() <= 12
    ended = talks.path[np.arange(60), talks.n_turns.astype(int)]
    assert (ended == talks.path[:, -1]).all()
    again = converse(adaptive, simulate_leads(60, 2), listener, max_turns=12, random_state=2)
    assert all((a == b).all() for a, b in zip(talks, again, strict=True))
    ceiling = most_complete([lead.sheet for lead in simulate_leads(60, 2)], 2)
    assert (ceiling >= talks.path[:, -1] - 1e-9).all()


def test_adaptive_questions_get_further_on_the_same_leads(study: Study) -> None:
    gains = study.measured.differences
    assert gains["adaptive", "completeness"].ci_lower > 0.1
    assert gains["adaptive", "turns_to_goal"].ci_upper < 0
    assert gains["adaptive", "abandonment"].ci_upper < 0
    heard_all = "adaptive, hears everything (knows the truth)"
    assert study.estimate(heard_all, "redundant").estimate == 0
    assert study.estimate(heard_all, "completeness").estimate >= (
        study.estimate("adaptive", "completeness").estimate
    )
    assert [claim.claimed for claim in study.claims] == [0.85, 0.872, 0.20, 0.30]
    ceiling = study.claims[0].ceiling
    assert ceiling is not None and 0.8 < ceiling.estimate < 0.95
    counts = study.details["censored"][["n_reached", "n_left", "n_stopped"]]
    assert (counts.sum(axis=1) == 120).all()
    assert "Time saved of 20.0 %" in study._repr_html_()


def test_wording_beyond_the_lead_costs_patience() -> None:
    found = role_aware_flow(100, n_talks=350, n_resamples=300, random_state=3)
    as_agents = found.measured.differences["wording as agents talk", "completeness"]
    assert as_agents.ci_upper < 0
    table = found.details["by_role_and_experience"]
    whole = table[table["arm"] == "one flow for everybody"]
    assert whole["n"].sum() == 100
    mean = (whole["n"] * whole["completeness"]).sum() / 10000
    everybody = found.estimate("one flow for everybody", "completeness").estimate
    assert mean == pytest.approx(everybody)
    novices = table[table["experience"] == "novice"].pivot_table(
        index="role", columns="arm", values="completeness"
    )
    assert (novices["wording as agents talk"] == novices["one flow for everybody"]).all()


@pytest.fixture
def flow(adaptive: AdaptivePolicy, listener: ReplyListener) -> Iterator[QualificationFlow]:
    now = [datetime(2026, 1, 5, tzinfo=UTC)]

    def clock() -> datetime:
        now[0] += timedelta(seconds=30)
        return now[0]

    yield QualificationFlow(adaptive, listener, clock=clock)


def test_a_brokerage_starts_responds_and_reads_the_records(flow: QualificationFlow) -> None:
    for lead in simulate_leads(25, 6):
        agent = {"tenant": lead.sheet.tenant, "agent_id": "a-1", "agent_role": "buyer",
                 "agent_experience": "expert"}  # fmt: skip
        step = flow.start(f"c-{lead.sheet.contact}", "Ada <i>", lead.opening(), agent=agent)
        assert "<i>" not in step._repr_html_() and len(step.to_frame()) == 5
        while not step.done:
            from_areas = sum(a.weight * a.answered / a.questions for a in step.areas)
            assert step.completeness == pytest.approx(from_areas)
            assert step.question and step.recommendations
            reply = lead.answer(Question(step.recommendations[0].slug, bridge=True))
            step = (
                flow.abandon(step.flow_id) if reply.gone else flow.respond(step.flow_id, reply.text)
            )
    with pytest.raises(DataError, match="is over"):
        flow.respond(step.flow_id, "hello")
    with pytest.raises(DataError, match="no flow"):
        flow.respond("flow-99", "hello")
    records = flow.records()
    found = qualification_analytics(records)
    assert found.overall["flows"].iloc[0] == 25 and found.overall["open"].iloc[0] == 0
    last = records.groupby("flow_id")["completeness"].last().mean()
    assert found.overall["mean_completeness"].iloc[0] == pytest.approx(last)
    assert found.groups["tenant"]["flows"].sum() == 25
    assert step.areas[0].stage_threshold == "qualified"


def test_claude_reads_the_same_leads_and_is_called_simulated(client: ClaudeClient) -> None:
    corpus = make_corpus("qualification_sheets", 300, 3)
    task = load_task("qualification_assessment")
    reader = task.claude("checklist", corpus, client=client).fit(
        corpus.of("train").X, corpus.of("train").y
    )
    found = qualification_flow(
        6, n_talks=300, claude=reader, n_claude=2, n_resamples=200, random_state=3
    )
    arms = set(found.details["claude"]["arm"])
    assert arms == {"adaptive", "sim:adaptive, Claude reads"}
