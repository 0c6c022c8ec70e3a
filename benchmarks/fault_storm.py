"""Every fault at five in a hundred: does each question end, and do the books agree?

Half of the questions are streamed, half come in one piece, all against one emulator that keeps
books of its own. A second run under the same faults has a budget that it cannot keep to.
"""

import math
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

from benchmarks.console import say
from benchmarks.figure import Figure, result
from benchmarks.questions import questions
from workbench.claude import (
    FAULT_KINDS,
    Answer,
    ClaudeClient,
    EmulatorProcess,
    FaultPlan,
    FaultRule,
    Origin,
)
from workbench.claude.emulator.answers import content_digest
from workbench.claude.messages import request_body
from workbench.errors import BudgetExceededError

__all__ = ["main"]

_REQUESTS, _RATE, _CONCURRENCY, _BUDGET_USD = 5000, 0.05, 50, 0.02
_TOKENS = (
    "input_tokens",
    "output_tokens",
    "cache_read_input_tokens",
    "cache_creation_input_tokens",
)
# A key that is refused stops a run, as it must: there is nothing to storm through.
_LEFT_OUT = {"unauthorized_401", "forbidden_403"}
_KINDS = [kind for kind in FAULT_KINDS if kind not in _LEFT_OUT]


def _plan(seed: int) -> FaultPlan:
    return FaultPlan(
        tuple(
            FaultRule(kind, rate=_RATE, retry_after_s=0.05, delay_s=0.3, seed=seed + number)
            for number, kind in enumerate(_KINDS)
        )
    )


def _storm(folder: Path) -> tuple[list[Answer], dict[str, Any], Any, int]:
    asked = questions(_REQUESTS)
    half = _REQUESTS // 2
    with (
        EmulatorProcess(_plan(0)) as emulator,
        ClaudeClient(
            origin=Origin.SIMULATED,
            store=folder / "storm.sqlite",
            base_url=emulator.url,
            concurrency=_CONCURRENCY,
            max_retries=4,
            timeout_s=5.0,
        ) as client,
    ):
        client.ask(questions(_REQUESTS + 5)[-5:])  # the key and the model are good
        booked_before, books_before = len(client.store.ledger_frame()), emulator.books()
        say(f"  {half:,} questions in one piece")
        answers = client.ask(asked[:half])
        say(f"  {half:,} questions streamed")
        answers += client.ask(asked[half:], stream=True)
        books, ledger = emulator.books(), client.store.ledger_frame()
        arrived = {content_digest(request_body(r)) for r in asked}
        twice = sum(
            max(0, count["answered"] - 1)
            for key, count in books["by_key"].items()
            if key in arrived
        )
        for name in _TOKENS:
            books[name] -= books_before[name]
    return answers, books, ledger.iloc[booked_before:], twice


def _over_budget(folder: Path) -> float:
    with (
        EmulatorProcess(_plan(100)) as emulator,
        ClaudeClient(
            origin=Origin.SIMULATED,
            store=folder / "budget.sqlite",
            base_url=emulator.url,
            concurrency=_CONCURRENCY,
            budget_usd=_BUDGET_USD,
            timeout_s=5.0,
        ) as client,
    ):
        try:
            client.ask(questions(_REQUESTS), stream=True)
        except BudgetExceededError:
            return client.spent_usd
    return math.nan


def main() -> dict[str, Any]:
    """Storm once, and once with too little money."""
    with tempfile.TemporaryDirectory() as name:
        answers, books, ledger, twice = _storm(Path(name))
        say("  the same storm with too small a budget")
        spent_usd = _over_budget(Path(name))
    errors = Counter(a.error.split(" after ")[0] for a in answers if a.error is not None)
    whole = sum(answer.error is None for answer in answers)
    mismatch = {name: abs(books[name] - int(ledger[name].sum())) for name in _TOKENS}
    off_usd = abs(math.fsum(ledger["cost_usd"]) - math.fsum(a.cost_usd for a in answers))
    figures = [
        Figure("questions that ended as an answer or a counted error", len(answers), _REQUESTS,
               at_least=_REQUESTS),
        Figure("answers", whole, _REQUESTS),
        Figure("errors", len(answers) - whole, _REQUESTS),
        Figure("attempts a question", sum(a.attempts for a in answers) / _REQUESTS, _REQUESTS),
        Figure("kinds of fault played", len(books["faults"]), len(_KINDS), at_least=len(_KINDS)),
        Figure("tokens booked otherwise than by the emulator", sum(mismatch.values()),
               int(ledger[list(_TOKENS)].to_numpy().sum()), at_most=0),
        Figure("answers that arrived and were asked again", twice, whole, at_most=0),
        Figure("ledger minus records", off_usd, len(ledger), "USD", below=0.005),
        Figure("spent of a budget of $0.02", spent_usd, 1, "USD", at_most=_BUDGET_USD),
    ]  # fmt: skip
    return result(figures, faults=books["faults"], errors=dict(errors), mismatch=mismatch)
