from collections.abc import Sequence

import pytest

from workbench.errors import PromptError
from workbench.prompts import Prompt, prompt_parts

PROMPT = Prompt(
    name="shots",
    title="Shots",
    strategy="few_shot",
    system="Judge. {% for e in examples %}{{ e.text }}{% endfor %}",
    user="Lead: {{ lead }} Is it {{ outcome }}?",
    variables=("examples", "lead", "outcome"),
    n_examples=2,
)
ROWS: list[dict[str, str | list[dict[str, str]]]] = [
    {"lead": "x" * n, "outcome": "sold", "examples": [{"text": "ab"}, {"text": "cde"}]}
    for n in (1, 40)
]


class Letters:
    """Counts letters, and what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, str | None]] = []

    def __call__(self, texts: Sequence[tuple[str, str, str | None]]) -> list[int]:
        self.asked += texts
        return [len("".join(part or "" for part in text)) for text in texts]


def test_each_part_is_what_the_request_costs_more_with_it() -> None:
    count = Letters()
    found = prompt_parts(PROMPT, ROWS, data=["lead"], count=count, schema="{...}")
    assert found.tokens.to_dict(orient="list") == {
        "system": [6, 6],  # a text is stripped: the space before the examples is theirs
        "instructions": [len("Lead:  Is it sold?")] * 2,
        "examples": [6, 6],
        "schema": [5, 5],
        "data": [1, 40],
    }
    assert len(count.asked) == len(set(count.asked)) == 6


def test_the_shorter_prompt_shows_where_it_is_shorter() -> None:
    short = Prompt(
        name="plain", title="Plain", strategy="zero_shot", system="Judge.",
        user="Lead: {{ lead }} Is it {{ outcome }}?", variables=("lead", "outcome"),
    )  # fmt: skip
    rows: list[dict[str, str | list[dict[str, str]]]] = [{"lead": "x", "outcome": "sold"}]
    long, lean = (
        prompt_parts(p, r, data=["lead"], count=Letters(), usd_per_million=2.0).to_frame()
        for p, r in ((PROMPT, ROWS[:1]), (short, rows))
    )
    saved = long["tokens_mean"] - lean["tokens_mean"]
    assert saved[saved > 0].index.tolist() == ["examples", "total"]
    assert long["cost_per_1000_usd"]["examples"] == pytest.approx(6 * 2.0 / 1000)


def test_rows_are_needed() -> None:
    with pytest.raises(PromptError, match="no rows to count"):
        prompt_parts(PROMPT, [], data=["lead"], count=Letters())
