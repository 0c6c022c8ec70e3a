import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from workbench.claude import (
    Cassette,
    ClaudeClient,
    ClaudeRequest,
    FaultPlan,
    FaultRule,
    Origin,
    Usage,
)
from workbench.errors import ClaudeError

Rig = Callable[..., Any]

ODD = (
    "tabs\tand trailing \nspaces, 'quotes', \u2028 separators, yes: no, # none, \x07 bells, 1e5\n\n"
)


def replaying(path: Path) -> ClaudeClient:
    return ClaudeClient(origin=Origin.REPLAY, store=path.parent / "unused.sqlite", cassette=path)


@pytest.fixture
def pack(rig: Rig, questions: list[ClaudeRequest], tmp_path: Path) -> Path:
    """Ten recorded answers of the emulator's."""
    _, client = rig()
    asked = [*questions[:9], replace(questions[9], prompt=ODD, subject="7f3a")]
    client.ask(asked)
    path = tmp_path / "pack.yaml"
    assert client.record(asked, path) == 10
    return path


def test_what_was_recorded_is_replayed_without_a_store_or_a_socket(
    pack: Path, questions: list[ClaudeRequest]
) -> None:
    with replaying(pack) as client:
        answers = client.ask([*questions[:9], replace(questions[9], prompt=ODD)])
    recorded = Cassette.load(pack).entries
    assert [answer.text for answer in answers] == [a.text for _, a in recorded.values()]
    assert all(answer.cached for answer in answers)
    # A recorded simulation stays one: replaying does not make it Claude's.
    assert {answer.origin for answer in answers} == {Origin.SIMULATED}
    assert not (pack.parent / "unused.sqlite").exists()


def test_live_answers_come_back_as_a_replay(
    rig: Rig, questions: list[ClaudeRequest], tmp_path: Path
) -> None:
    _, client = rig()
    answer = client.ask(questions[:1])[0]
    live = replace(answer, origin=Origin.LIVE, key=questions[0].key(Origin.LIVE, None))
    Cassette.of([(questions[0], live)]).save(tmp_path / "live.yaml")
    with replaying(tmp_path / "live.yaml") as replay:
        again = replay.ask(questions[:1])[0]
    assert (again.origin, again.text, again.cost_usd) == (
        Origin.REPLAY, answer.text, answer.cost_usd)  # fmt: skip


def test_a_miss_shows_how_it_differs_from_the_nearest(
    pack: Path, questions: list[ClaudeRequest]
) -> None:
    with replaying(pack) as client:
        other = replace(questions[4], prompt=questions[4].prompt.replace("Ready", "Not ready"))
        with pytest.raises(ClaudeError, match="1 of the requests were not recorded") as caught:
            client.ask([*questions[:3], other])
        said = str(caught.value)
        assert "-<message>Ready to buy house 4 this week.</message>" in said
        assert "+<message>Not ready to buy house 4 this week.</message>" in said
        longer = replace(questions[4], max_tokens=400)
        with pytest.raises(ClaudeError, match=r"-max_tokens: 300\n\+max_tokens: 400"):
            client.ask([longer])


def test_a_cassette_can_be_read_in_review(pack: Path) -> None:
    text = pack.read_text(encoding="utf-8")
    assert "what: 'simulated: a rule-based stand-in on this machine, not Claude'" in text
    assert re.search(r"prompt: \|-\n +<lead>\n +- visits: 0\n +</lead>", text)
    assert text.count("Strategy: zero_shot") == 1  # shared texts stand once


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("visits: 3", "visits: 4", "its key does not fit its request"),
        ("stop_reason: end_turn", "stop_reason: null", "its answer was edited"),
        ("output_tokens: ", "output_tokens: x", "its answer was edited"),
        ('"probability": 0', '"probability": 1', "its answer was edited"),
        ("origin: simulated", "origin: live", "its key does not fit its request"),
        ("cassette: 1", "cassette: 9", "no cassette of this version"),
        ("visits: 3", "visits: sk-ant-api03-abc", "line [0-9]+ looks like a secret"),
        ("visits: 3", "Authorization: Bearer abcdefghijk", "looks like a secret"),
        ("entries:", "entries: []\nothers:", "the cassette is empty"),
        ("max_tokens: 300", "max_tokens: 0", "max_tokens is 0"),
    ],
)
def test_what_is_not_as_it_was_received_is_refused(
    pack: Path, old: str, new: str, said: str
) -> None:
    text = pack.read_text(encoding="utf-8")
    assert old in text
    pack.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(ClaudeError, match=said):
        Cassette.load(pack)


def test_an_answer_cut_off_in_transit_is_refused_on_writing(
    rig: Rig, questions: list[ClaudeRequest], tmp_path: Path
) -> None:
    _, client = rig()
    whole = client.ask(questions[:1])[0]
    for torn, said in (
        (replace(whole, stop_reason=None), "no stop_reason: it was cut off"),
        (replace(whole, usage=Usage()), "its answer has no usage"),
    ):
        with pytest.raises(ClaudeError, match=said):
            Cassette.of([(questions[0], torn)]).save(tmp_path / "torn.yaml")


def test_an_empty_answer_is_refused_on_writing(
    rig: Rig, questions: list[ClaudeRequest], tmp_path: Path
) -> None:
    _, client = rig()
    empty = replace(client.ask(questions[:1])[0], text="")
    with pytest.raises(ClaudeError, match="its answer is empty"):
        Cassette.of([(questions[0], empty)]).save(tmp_path / "empty.yaml")
    assert not (tmp_path / "empty.yaml").exists()


def test_a_refusal_may_be_empty(rig: Rig, questions: list[ClaudeRequest], tmp_path: Path) -> None:
    _, client = rig(FaultPlan((FaultRule("refusal", rate=1.0),)))
    client.ask(questions[:1])
    assert client.record(questions[:1], tmp_path / "refused.yaml") == 1
    assert Cassette.load(tmp_path / "refused.yaml").origin is Origin.SIMULATED


def test_only_what_was_answered_is_recorded(
    rig: Rig, questions: list[ClaudeRequest], tmp_path: Path
) -> None:
    _, client = rig()
    client.ask(questions[:1])
    with pytest.raises(ClaudeError, match="1 of 2 requests have no stored answer"):
        client.record(questions[:2], tmp_path / "half.yaml")


def test_a_subject_can_be_left_out(pack: Path) -> None:
    named = [r.subject for r, _ in Cassette.load(pack).entries.values() if r.subject]
    subject = named[0]
    assert subject != "7f3a"  # of whom an answer speaks is kept as a keyed hash
    kept = Cassette.load(pack).without(subject)
    assert len(kept.entries) == 9
    kept.save(pack)
    assert "trailing" not in pack.read_text(encoding="utf-8")


def test_a_cassette_is_for_replay_only(pack: Path) -> None:
    with pytest.raises(ClaudeError, match="origin 'simulated' has a cassette"):
        ClaudeClient(origin=Origin.SIMULATED, store=pack.parent / "s.sqlite", cassette=pack)


@pytest.mark.parametrize("text", ["", "just words", "cassette: [", "cassette: 1"])
def test_what_is_no_cassette_is_said(tmp_path: Path, text: str) -> None:
    (tmp_path / "odd.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(ClaudeError, match=r"odd\.yaml"):
        Cassette.load(tmp_path / "odd.yaml")
