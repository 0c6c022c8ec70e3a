"""Kill a run again and again, resume it each time, and count what that cost.

A child process asks; this process kills it with SIGKILL at random moments and keeps the
emulator alive, whose own books say how often each question was answered. An undisturbed run
on a fresh store and a fresh emulator says what the answers should have been.
"""

import multiprocessing
import random
import tempfile
import time
from dataclasses import asdict, dataclass
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

from benchmarks.console import say
from benchmarks.figure import CaseError, Figure, result
from benchmarks.questions import questions
from workbench.claude import (
    AnswerStore,
    ClaudeClient,
    EmulatorProcess,
    FaultPlan,
    FaultRule,
    Origin,
)
from workbench.claude.emulator.answers import content_digest
from workbench.claude.messages import request_body

__all__ = ["main", "measure"]

_ANSWERS, _KILLS, _SEED = 2000, 10, 0
_CONCURRENCY = 16
_SLOW = FaultPlan((FaultRule("slow", rate=1.0, delay_s=0.02),))


@dataclass(frozen=True, slots=True)
class Outcome:
    answers: int
    kills: int
    concurrency: int
    distinct_answered: int
    lost: int
    stored_asked_again: int
    repeats: int
    repeats_per_kill: float
    ledger_rows: int
    differing_from_undisturbed: int
    elapsed_s: float


def _ask(count: int, url: str, store: str) -> None:
    client = ClaudeClient(
        origin=Origin.SIMULATED, store=store, base_url=url, concurrency=_CONCURRENCY
    )
    client.ask(questions(count))
    client.close()


def _start(count: int, url: str, store: Path) -> ForkServerProcess:
    # The server of forks has the SDK imported, so that a child is asking at once.
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["anthropic", "workbench.claude"])
    child = context.Process(target=_ask, args=(count, url, str(store)))
    child.start()
    return child


def _answered(emulator: EmulatorProcess) -> dict[str, int]:
    by_key = emulator.books()["by_key"]
    return {key: counts["answered"] for key, counts in by_key.items()}


def measure(count: int, kills: int, seed: int, folder: Path) -> Outcome:
    began = time.perf_counter()
    rng = random.Random(seed)
    requests = questions(count)
    digests = {r.key(Origin.SIMULATED, None): content_digest(request_body(r)) for r in requests}
    path = folder / "killed.sqlite"
    stored_at_kills: dict[str, int] = {}
    with EmulatorProcess(_SLOW) as emulator:
        for moment in sorted(rng.sample(range(1, count), kills)):
            child = _start(count, emulator.url, path)
            # Repeats push the books ahead of the questions, so a kill may come a little early.
            while emulator.books(moment)["answered"] < moment and child.is_alive():
                pass
            say(f"  killing it at answer {moment:,} of {count:,}")
            child.kill()
            child.join()
            store = AnswerStore(path)
            served = _answered(emulator)
            for key in store.get_many(digests):
                stored_at_kills.setdefault(digests[key], served[digests[key]])
            store.close()
        child = _start(count, emulator.url, path)
        child.join()
        if child.exitcode != 0:
            raise CaseError(f"the last run failed with exit status {child.exitcode}")
        served = _answered(emulator)
    with EmulatorProcess() as fresh:
        _ask(count, fresh.url, str(folder / "undisturbed.sqlite"))
    store, other = AnswerStore(path), AnswerStore(folder / "undisturbed.sqlite")
    got, wanted = store.get_many(digests), other.get_many(digests)
    ledger_rows = len(store.ledger_frame())
    store.close()
    other.close()

    def said(answers: dict[str, object], key: str) -> object:
        one = answers.get(key)
        names = ("text", "stop_reason", "model_answered", "usage", "cost_usd")
        return [getattr(one, name, None) for name in names]

    repeats = sum(served.values()) - len(served)
    return Outcome(
        answers=count,
        kills=kills,
        concurrency=_CONCURRENCY,
        distinct_answered=len(served),
        lost=sum(key not in got for key in digests),
        stored_asked_again=sum(served[key] > then for key, then in stored_at_kills.items()),
        repeats=repeats,
        repeats_per_kill=repeats / kills,
        ledger_rows=ledger_rows,
        differing_from_undisturbed=sum(
            said(dict(got), key) != said(dict(wanted), key) for key in digests
        ),
        elapsed_s=round(time.perf_counter() - began, 2),
    )


def main() -> dict[str, Any]:
    """Kill ten times, and judge what is left by the emulator's books and an undisturbed run."""
    with tempfile.TemporaryDirectory() as folder:
        found = measure(_ANSWERS, _KILLS, _SEED, Path(folder))
    n = found.answers
    return result(
        [
            Figure("answers lost", found.lost, n, at_most=0),
            Figure("stored answers asked again", found.stored_asked_again, n, at_most=0),
            Figure("answers unlike an undisturbed run's", found.differing_from_undisturbed, n,
                   at_most=0),
            # Only what was in flight when the process died may be asked a second time.
            Figure("questions answered twice, a kill", found.repeats_per_kill, _KILLS,
                   at_most=_CONCURRENCY),
            Figure("ledger rows", found.ledger_rows, n),
        ],
        **asdict(found),
    )  # fmt: skip
