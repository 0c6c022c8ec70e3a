import json
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.claude.semantic.conftest import (
    ASKED,
    Clock,
    MakeCache,
    WordEncoder,
    answered,
    asked,
    learn,
)

from workbench.claude import Origin
from workbench.claude.semantic import SemanticCache, SemanticStats, exact_json, json_fields
from workbench.embeddings import SentenceEncoder
from workbench.errors import ClaudeError

QUESTION = "is the house on the corner still for sale"
NEAR = "is that house on the corner still for sale"


def served(cache: SemanticCache, prompt: str = NEAR, where: Any = None, **request: Any) -> bool:
    (hit,) = cache.lookup([asked(prompt, **request)], **(ASKED | (where or {})))
    return hit is not None and not hit.explore


def keep(cache: SemanticCache, prompt: str = QUESTION, where: Any = None, **request: Any) -> None:
    one = asked(prompt, **request)
    cache.observe(one, answered(one, "kept"), **(ASKED | (where or {})))


def test_a_cold_cache_asks_and_a_taught_one_serves(make: MakeCache) -> None:
    cache = make()
    assert cache.lookup([asked(QUESTION)], **ASKED) == [None]
    keep(cache)
    (hit,) = cache.lookup([asked(NEAR)], **ASKED)
    assert hit is not None
    assert hit.explore
    assert hit.error_bound == 1.0
    learn(cache)
    (hit,) = cache.lookup([asked(NEAR)], **ASKED)
    assert hit is not None
    assert not hit.explore
    assert hit.error_bound <= 0.2
    assert json.loads(hit.answer.text or "") == {"intent": "kept"}
    assert hit.key == hit.answer.key == asked(QUESTION).key(Origin.SIMULATED, None)
    assert hit.answer.cached
    assert 0.8 < hit.similarity < 1
    assert pickle.loads(pickle.dumps(hit)) == hit  # noqa: S301 - our own bytes


def test_a_lookup_of_many_gives_each_its_own(make: MakeCache) -> None:
    cache = make()
    learn(cache)
    keep(cache)
    keep(cache, "can we see the garden")
    hits = cache.lookup([asked(t) for t in ("can we see that garden", QUESTION)], **ASKED)
    keys = [asked(t).key(Origin.SIMULATED, None) for t in ("can we see the garden", QUESTION)]
    assert [hit.key if hit else None for hit in hits] == keys
    assert cache.lookup([], **ASKED) == []


WHERE_ELSE: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"tenant": "another"}, {}),
    ({"origin": Origin.LIVE}, {}),
    ({"origin": Origin.LOCAL, "endpoint": "http://127.0.0.1:1"}, {}),
    ({"tags": frozenset({"market:austin"})}, {}),
    ({}, {"subject": "lead-7"}),
    ({}, {"system": "Be brief."}),
    ({}, {"schema": {"type": "object"}}),
    ({}, {"max_tokens": 5}),
    ({}, {"effort": "high"}),
    ({}, {"repeat": 1}),
]


@pytest.mark.parametrize(("where", "request_"), WHERE_ELSE, ids=str)
def test_nothing_crosses_what_decides_the_answer_or_whose_it_is(
    make: MakeCache, where: dict[str, Any], request_: dict[str, Any]
) -> None:
    cache = make()
    learn(cache)
    keep(cache)
    assert served(cache)
    assert cache.lookup([asked(QUESTION, **request_)], **(ASKED | where)) == [None]
    keep(cache, where=where, **request_)
    for other, other_request in WHERE_ELSE:
        found = cache.lookup([asked(QUESTION, **other_request)], **(ASKED | other))
        assert (found != [None]) == (other == where and other_request == request_)


def test_a_subjects_answers_are_for_that_subject_only(make: MakeCache) -> None:
    cache = make()
    learn(cache)
    keep(cache, subject="lead-1")
    assert served(cache, subject="lead-1")
    assert not served(cache, subject="lead-2")
    assert not served(cache)


@pytest.mark.parametrize(
    ("kept", "then"),
    [
        ("a home with 3 bedrooms please", "a home with 4 bedrooms please"),
        ("we want this home now", "we never want this home now"),
        ("the price went up again", "the price went down again"),
        ("something near Austin please", "something near Dallas please"),
    ],
)
def test_the_guard_bars_what_differs_in_a_word_that_decides(
    make: MakeCache, kept: str, then: str
) -> None:
    cache = make()
    keep(cache, kept)
    assert cache.lookup([asked(kept)], **ASKED) != [None]
    assert cache.stats.guard_blocks == 0
    assert cache.lookup([asked(then)], **ASKED) == [None]
    assert cache.stats.guard_blocks == 1


def test_beside_a_barred_neighbour_the_next_one_may_serve(make: MakeCache) -> None:
    cache = make()
    learn(cache)
    keep(cache, "we need 3 rooms and a yard")
    keep(cache, "we need 4 rooms and one big yard")
    (hit,) = cache.lookup([asked("we need 3 rooms and one big yard")], **ASKED)
    assert hit is None or hit.key != asked("we need 4 rooms and one big yard").key(
        Origin.SIMULATED, None
    )
    (hit,) = cache.lookup([asked("we need 3 rooms and that yard")], **ASKED)
    assert hit is not None
    assert hit.key == asked("we need 3 rooms and a yard").key(Origin.SIMULATED, None)


def test_answers_grow_old(make: MakeCache) -> None:
    clock = Clock()
    cache = make(ttl_s=60.0, clock=clock)
    learn(cache)
    keep(cache)
    clock.now += 59
    assert served(cache)
    clock.now += 1
    assert cache.lookup([asked(NEAR)], **ASKED) == [None]
    assert cache.stats.expired > 0


def everything_in(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.iterdir() if path.is_file())


def test_no_word_of_a_question_and_no_name_is_kept(make: MakeCache, tmp_path: Path) -> None:
    cache = make()
    keep(cache, subject="lead-4711", where={"tenant": "acme", "tags": {"market:austin"}})
    cache.close()
    kept = everything_in(tmp_path)
    assert b"kept" in kept
    for word in (b"corner", b"house", b"acme", b"lead-4711", b"austin"):
        assert word not in kept


def test_a_key_hides_even_what_could_be_guessed(make: MakeCache, tmp_path: Path) -> None:
    keep(make(tmp_path / "one.sqlite"))
    keep(make(tmp_path / "two.sqlite", key=b"secret"))
    one, two = (make(tmp_path / f"{n}.sqlite", key=k) for n, k in (("one", b""), ("two", b"")))
    assert one.lookup([asked(QUESTION)], **ASKED) != [None]
    assert two.lookup([asked(QUESTION)], **ASKED) == [None]


@pytest.mark.parametrize("how", ["subject", "tenant", "tag"])
def test_what_is_erased_is_gone_from_memory_and_file(
    make: MakeCache, tmp_path: Path, how: str
) -> None:
    where = {"tags": {"listing:9"}}
    encoder = WordEncoder()
    cache = make(encoder=encoder)
    secret = asked(QUESTION, subject="lead-1")
    cache.observe(secret, answered(secret, "GoneGoneGone"), **(ASKED | where))
    other = asked(QUESTION, subject="lead-2")
    elsewhere: dict[str, Any] = {"tenant": "another", "origin": Origin.SIMULATED}
    cache.observe(other, answered(other, "StaysStays"), **elsewhere)
    (hit,) = cache.lookup([secret], **(ASKED | where))
    cache.observe(secret, answered(secret, "GoneGoneGone"), neighbour=hit, **(ASKED | where))
    vector = encoder.encode([QUESTION])[0].tobytes()
    assert b"GoneGoneGone" in everything_in(tmp_path)
    removed = {
        "subject": lambda: cache.erase_subject("agency", "lead-1"),
        "tenant": lambda: cache.erase_tenant("agency"),
        "tag": lambda: cache.invalidate("listing:9"),
    }[how]()
    assert removed == 1
    assert encoder.forgotten == 1
    assert cache.lookup([secret], **(ASKED | where)) == [None]
    assert cache.lookup([other], **elsewhere) != [None]
    left = everything_in(tmp_path)
    assert b"GoneGoneGone" not in left
    assert left.count(vector) == 1  # the other tenant's
    assert cache.tier.observations_since(hit.entry if hit else "", "").observations == []


@pytest.mark.parametrize(
    "outcome",
    [
        {"error": "overloaded_529", "text": None, "stop_reason": None},
        {"stop_reason": "refusal"},
        {"stop_reason": "max_tokens"},
    ],
)
def test_answers_that_failed_are_not_kept(make: MakeCache, outcome: dict[str, Any]) -> None:
    cache = make()
    request = asked(QUESTION)
    cache.observe(request, answered(request, **outcome), **ASKED)
    assert cache.lookup([request], **ASKED) == [None]


def test_what_the_encoder_cannot_read_to_its_end_is_left_alone(make: MakeCache) -> None:
    cache = make(encoder=WordEncoder(most_words=5))
    keep(cache)
    assert cache.lookup([asked(QUESTION), asked("  ")], **ASKED) == [None, None]
    assert cache.stats.too_long == 2


def test_processes_share_what_was_stored_and_learned(make: MakeCache, tmp_path: Path) -> None:
    first, second = make(), make()
    assert second.lookup([asked(NEAR)], **ASKED) == [None]
    learn(first)
    keep(first)
    assert served(second)
    assert first.invalidate("no such tag") == 0
    first.erase_tenant("agency")
    assert second.lookup([asked(NEAR)], **ASKED) == [None]


def test_another_process_finds_it(make: MakeCache, tmp_path: Path) -> None:
    keep(make())
    code = f"""
from pathlib import Path
from tests.claude.semantic.conftest import ASKED, WordEncoder, asked
from workbench.claude.semantic import SemanticCache
cache = SemanticCache(Path({str(tmp_path / "semantic.sqlite")!r}), encoder=WordEncoder())
print(cache.lookup([asked({NEAR!r})], **ASKED)[0].similarity > 0.8)
cache.close()
"""
    root = Path(__file__).resolve().parents[3]
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True
    )
    assert done.stdout == "True\n"


def test_memory_is_bounded_and_forgets_nothing_that_is_stored(make: MakeCache) -> None:
    cache = make(max_vectors=10)
    for number in range(4):
        for word in "abcdefgh":
            keep(cache, f"{word} {QUESTION}", where={"tags": {f"listing:{number}"}})
    for number in (0, 3, 0):
        (hit,) = cache.lookup([asked(f"a {QUESTION}")], **ASKED, tags={f"listing:{number}"})
        assert hit is not None
        assert hit.similarity == pytest.approx(1.0)
    assert sum(map(len, cache._memory._scopes.values())) <= 10


def test_audits_estimate_how_many_of_the_served_are_wrong(make: MakeCache) -> None:
    cache = make(max_error=0.45, audit_rate=0.5, random_state=3)
    learn(cache)
    keep(cache)
    for number in range(40):
        request = asked(NEAR)
        (hit,) = cache.lookup([request], **ASKED)
        assert hit is not None
        if hit.explore and hit.within_bound:
            wrong = "other" if number % 4 == 0 else "kept"
            cache.observe(request, answered(request, wrong), neighbour=hit, **ASKED)
    stats = cache.stats
    assert stats.audits > 5
    assert stats.checked >= stats.audits - 1
    assert 0 < stats.wrong_estimates < stats.checked
    estimate = stats.wrong_hit_rate()
    assert estimate is not None
    assert estimate.ci_lower < stats.wrong_estimates / stats.checked < estimate.ci_upper
    assert stats.to_frame().loc[0, "hits"] == stats.hits
    assert "hit_rate" in stats._repr_html_()
    assert SemanticStats().wrong_hit_rate() is None
    assert SemanticStats().hit_rate == 0.0


def noisy_world(seed: int, n: int) -> list[tuple[str, str]]:
    """Questions of 12 intents that share some words, one answer in fifty mislabelled."""
    rng = np.random.default_rng(seed)
    stream = []
    for _ in range(n):
        intent = int(rng.integers(12))
        own = rng.choice([f"i{intent}x{k}" for k in range(6)], 4)
        shared = rng.choice([f"s{k}" for k in range(30)], 3)
        label = int(rng.integers(12)) if rng.random() < 0.02 else intent
        stream.append((" ".join([*own, *shared]), str(label)))
    return stream


def test_served_answers_keep_the_bound_in_a_noisy_world(make: MakeCache, tmp_path: Path) -> None:
    hits = wrong = 0
    for seed in range(3):
        cache = make(
            tmp_path / f"{seed}.sqlite", max_error=0.05, audit_rate=0.02, random_state=seed,
            guard=lambda _text: (),
        )  # fmt: skip
        for prompt, label in noisy_world(seed, 1500):
            request = asked(prompt)
            (hit,) = cache.lookup([request], **ASKED)
            if hit is not None and not hit.explore:
                hits += 1
                wrong += hit.answer.text != json.dumps({"intent": label})
                continue
            cache.observe(request, answered(request, label), neighbour=hit, **ASKED)
    assert hits > 1500
    assert wrong / hits <= 0.05
    assert wrong > 0  # the world is noisy, or this shows nothing


def test_what_counts_as_the_same_answer() -> None:
    request = asked(QUESTION)
    one = answered(request, text='{"intent": "buy", "why": "a"}')
    same = answered(request, text='{"why": "a",  "intent": "buy"}')
    reworded = answered(request, text='{"intent": "buy", "why": "b"}')
    assert exact_json(one) == exact_json(same) != exact_json(reworded)
    assert json_fields("intent")(one) == json_fields("intent")(reworded)
    assert exact_json(answered(request, text=" plain ")) == "plain"
    assert json_fields("intent")(answered(request, text="plain")) == "plain"


def test_a_neighbours_answer_is_compared_unless_the_caller_says(make: MakeCache) -> None:
    cache = make()
    keep(cache)
    (hit,) = cache.lookup([asked(NEAR)], **ASKED)
    assert hit is not None
    request = asked(NEAR)
    for intent, agreed, expected in (("kept", None, True), ("x", None, False), ("x", True, True)):
        cache.observe(request, answered(request, intent), neighbour=hit, agreed=agreed, **ASKED)
        pool = cache.tier.entries_since(_scope(cache), "").entries[0].pool
        assert cache.tier.observations_since(pool, "").observations[-1].agreed is expected


def _scope(cache: SemanticCache) -> str:
    return next(iter(cache._memory._scopes))


@pytest.mark.parametrize(
    "options",
    [
        {"max_error": 0.5}, {"max_error": -0.1}, {"confidence_level": 1.0}, {"audit_rate": 1.0},
        {"ttl_s": 0.0}, {"max_vectors": 0}, {"key": b"x" * 65},
    ],
    ids=str,
)  # fmt: skip
def test_numbers_out_of_range_are_refused(make: MakeCache, options: dict[str, Any]) -> None:
    with pytest.raises(ClaudeError, match=next(iter(options))):
        make(**options)


def test_a_file_of_something_else_is_left_alone(make: MakeCache, tmp_path: Path) -> None:
    path = tmp_path / "other.sqlite"
    path.write_text("not a database, but long enough to be looked at " * 50, encoding="utf-8")
    before = path.read_bytes()
    with pytest.raises(ClaudeError, match="cannot be used"):
        keep(make(path))
    assert path.read_bytes() == before


def test_with_real_embeddings_a_paraphrase_is_found_and_a_trap_is_not(make: MakeCache) -> None:
    cache = make(encoder=SentenceEncoder())
    keep(cache, "Is the house still available?")
    (found,) = cache.lookup([asked("Is that home still available?")], **ASKED)
    assert found is not None
    assert found.similarity > 0.7
    assert cache.lookup([asked("Is the house no longer available?")], **ASKED) == [None]
