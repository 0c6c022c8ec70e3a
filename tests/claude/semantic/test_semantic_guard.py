import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.claude.semantic import guard_tokens

PAIRS: dict[str, list[dict[str, Any]]] = json.loads(
    (Path(__file__).resolve().parents[3] / "benchmarks" / "semantic_traps.json").read_text("utf-8")
)


@pytest.mark.parametrize("pair", PAIRS["traps"], ids=lambda p: p["second"])
def test_a_changed_word_that_decides_is_seen(pair: dict[str, Any]) -> None:
    assert guard_tokens(pair["first"]) != guard_tokens(pair["second"])


def test_most_paraphrases_pass() -> None:
    passed = [p for p in PAIRS["paraphrases"]
              if guard_tokens(p["first"]) == guard_tokens(p["second"])]  # fmt: skip
    assert len(passed) >= len(PAIRS["paraphrases"]) / 2


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("450k", "450000"),
        ("$450,000", "450000"),
        ("450.000", "450000"),
        ("four hundred fifty thousand", "450000"),
        ("1.2 million", "1200000"),
        ("1,200,000.50", "1200000.5"),
        ("twenty-five", "25"),
        ("two three", "2 3"),
        ("5 pm on the 12th", "5 pm 12"),
        ("unit 4B", "4b"),
        ("6.5%", "6.5 percent"),
        ("6.5 percent", "6.5 percent"),
        ("€300,000", "euro 300000"),
        ("2 bd 3 ba", "2 bedroom 3 bathroom"),
        ("I can't", "not"),
        ("It’s not furnished", "not"),
        ("it is unfurnished", "not unfurnished"),
        ("the one on the corner", ""),
        ("this one, please", ""),
        ("How old is it?", ""),
        ("an old house", "old"),
        ("find out", ""),
        ("move out", "out"),
        ("in May", "may"),
        ("we may buy", "buy"),
        ("from Denver to Boise", "from denver to boise"),
        ("12 oak street", "12 oak"),
        ("Sarah Johnson called", "sarah johnson"),
        ("Looking for a house", ""),
        ("IS THE HOUSE FREE", "house free"),
        ("तीन कमरे", "3 bedroom"),
        ("我不要三居室", "不 三 室"),
        ("l'achat n'est pas fait", "buy not not"),
        ("", ""),
    ],
)
def test_tokens_are_canonical_and_in_order(text: str, tokens: str) -> None:
    assert " ".join(guard_tokens(text)) == tokens


@given(st.text(max_size=200))
def test_any_text_gives_tokens_and_always_the_same(text: str) -> None:
    assert guard_tokens(text) == guard_tokens(text)
    assert all(token for token in guard_tokens(text))


@given(st.integers(0, 10**9), st.integers(0, 10**9))
def test_no_two_numbers_are_one(first: int, second: int) -> None:
    one, other = (guard_tokens(f"a budget of {n:,} or so") for n in (first, second))
    assert (one == other) == (first == second)
