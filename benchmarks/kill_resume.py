"""Kill a run again and again, resume it each time, and count what that cost.

    python benchmarks/kill_resume.py --answers 2000 --kills 10

A child process asks; this process kills it with SIGKILL at random moments and keeps the
emulator alive, whose own books say how often each question was answered. An undisturbed run
on a fresh store and a fresh emulator says what the answers should have been. Prints the
figures as JSON and, with ``--out``, writes them to a file.
"""

import argparse
import json
import multiprocessing
import random
import tempfile
import time
from dataclasses import asdict, dataclass
from multiprocessing.context import ForkServerProcess
from pathlib import Path

from workbench.claude import (
    AnswerStore,
    ClaudeClient,
    ClaudeRequest,
    EmulatorProcess,
    FaultPlan,
    FaultRule,
    Origin,
)
from workbench.claude.emulator_messages import content_digest
from workbench.claude.messages import request_body

CONCURRENCY = 16
SLOW = FaultPlan((FaultRule("slow", rate=1.0, delay_s=0.02),))
SCHEMA = {
    "type": "object",
    "properties": {
        "probability": {"type": "number"},
        "evidence": {"type": "array", "items": {"type": "string"}},
        "abstain": {"type": "boolean"},
    },
}


@dataclass(frozen=True, slots=True)
class Figures:
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


def questions(count: int) -> list[ClaudeRequest]:
    return [
        ClaudeRequest(
            "claude-haiku-5-5",
            f"<lead>\n- web visits: {i % 17}\n- source: referral\n</lead>\n"
            f"<message>We may buy house {i}, perhaps this week.</message>",
            system="Strategy: zero_shot",
            schema=SCHEMA,
        )
        for i in range(count)
    ]


def ask(count: int, url: str, store: str) -> None:
    client = ClaudeClient(
        origin=Origin.SIMULATED, store=store, base_url=url, concurrency=CONCURRENCY
    )
    client.ask(questions(count))
    client.close()


def start(count: int, url: str, store: Path) -> ForkServerProcess:
    # The server of forks has the SDK imported, so that a child is asking at once.
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["anthropic", "workbench.claude"])
    child = context.Process(target=ask, args=(count, url, str(store)))
    child.start()
    return child


def answered(emulator: EmulatorProcess) -> dict[str, int]:
    by_key = emulator.books()["by_key"]
    return {key: counts["answered"] for key, counts in by_key.items()}


def measure(count: int, kills: int, seed: int, folder: Path) -> Figures:
    began = time.perf_counter()
    rng = random.Random(seed)
    requests = questions(count)
    digests = {r.key(Origin.SIMULATED, None): content_digest(request_body(r)) for r in requests}
    path = folder / "killed.sqlite"
    stored_at_kills: dict[str, int] = {}
    with EmulatorProcess(SLOW) as emulator:
        for moment in sorted(rng.sample(range(1, count), kills)):
            child = start(count, emulator.url, path)
            # Repeats push the books ahead of the questions, so a kill may come a little early.
            while emulator.books(moment)["answered"] < moment and child.is_alive():
                pass
            child.kill()
            child.join()
            store = AnswerStore(path)
            served = answered(emulator)
            for key in store.get_many(digests):
                stored_at_kills.setdefault(digests[key], served[digests[key]])
            store.close()
        child = start(count, emulator.url, path)
        child.join()
        if child.exitcode != 0:
            raise SystemExit("the last run failed")
        served = answered(emulator)
    with EmulatorProcess() as fresh:
        ask(count, fresh.url, str(folder / "undisturbed.sqlite"))
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
    return Figures(
        answers=count,
        kills=kills,
        concurrency=CONCURRENCY,
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


def main() -> None:
    parser = argparse.ArgumentParser(description="kill and resume a run of Claude questions")
    parser.add_argument("--answers", type=int, default=2000)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        figures = measure(chosen.answers, chosen.kills, chosen.seed, Path(folder))
    text = json.dumps(asdict(figures), indent=2)
    print(text)
    if chosen.out:
        chosen.out.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
