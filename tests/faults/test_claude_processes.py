"""What happens to a run when its process is killed, interrupted or out of disk."""

import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path

import pytest

from workbench.claude import (
    AnswerStore,
    ClaudeClient,
    ClaudeRequest,
    EmulatorProcess,
    FaultPlan,
    FaultRule,
    Origin,
)
from workbench.claude.emulator.answers import content_digest
from workbench.claude.messages import request_body

StartChild = Callable[..., "subprocess.Popen[str]"]

REQUESTS = [
    ClaudeRequest("claude-haiku-5-5", f"<message>We are ready to buy house {i}.</message>")
    for i in range(240)
]
KEYS = [request.key(Origin.SIMULATED, None) for request in REQUESTS]
SLOW = FaultPlan((FaultRule("slow", rate=1.0, delay_s=0.03),))
PROJECT = Path(__file__).resolve().parents[2]


@pytest.fixture
def start_child(tmp_path: Path) -> Iterator[StartChild]:
    """Start `claude_child.py` on some requests."""
    children: list[subprocess.Popen[str]] = []

    def start(
        url: str, requests: list[ClaudeRequest], *, concurrency: int = 8, file_limit_bytes: int = 0
    ) -> subprocess.Popen[str]:
        job = tmp_path / f"job-{len(children)}.json"
        content = {
            "url": url,
            "store": str(tmp_path / "answers.sqlite"),
            "requests": [asdict(request) for request in requests],
            "concurrency": concurrency,
            "file_limit_bytes": file_limit_bytes,
        }
        job.write_text(json.dumps(content), encoding="utf-8")
        script = Path(__file__).with_name("claude_child.py")
        child = subprocess.Popen(
            [sys.executable, str(script), str(job)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=_hear_ctrl_c,
        )
        children.append(child)
        return child

    yield start
    for child in children:
        child.kill()
        child.communicate()


def _hear_ctrl_c() -> None:
    """What runs in the background is started deaf to SIGINT, and its children inherit that."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def wait_for(emulator: EmulatorProcess, answered: int) -> None:
    """Wait until the emulator's books say so."""
    while emulator.books(answered)["answered"] < answered:
        pass


def resume(emulator: EmulatorProcess, store: AnswerStore) -> None:
    client = ClaudeClient(origin=Origin.SIMULATED, store=store, base_url=emulator.url)
    assert [answer.error for answer in client.ask(REQUESTS)] == [None] * len(REQUESTS)


def test_killed_runs_lose_nothing_and_pay_for_nothing_twice(tmp_path: Path) -> None:
    script = (
        "import dataclasses, json, pathlib\n"
        "from benchmarks.kill_resume import measure\n"
        f"figures = measure(300, 3, 0, pathlib.Path({str(tmp_path)!r}))\n"
        "print(json.dumps(dataclasses.asdict(figures)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], check=True, capture_output=True, text=True, cwd=PROJECT
    )
    figures = json.loads(done.stdout)
    assert figures["kills"] == 3
    assert figures["answers"] == figures["distinct_answered"] == 300
    assert figures["lost"] == 0
    assert figures["stored_asked_again"] == 0
    assert figures["repeats"] <= 3 * figures["concurrency"]
    assert figures["ledger_rows"] == 300
    assert figures["differing_from_undisturbed"] == 0


def test_an_interrupted_run_is_resumable(tmp_path: Path, start_child: StartChild) -> None:
    with EmulatorProcess(SLOW) as emulator:
        child = start_child(emulator.url, REQUESTS)
        wait_for(emulator, 20)
        child.send_signal(signal.SIGINT)
        _, errors = child.communicate()
        assert "KeyboardInterrupt" in errors
        billed = emulator.books()["answered"]
        assert 20 <= billed < len(REQUESTS)
        store = AnswerStore(tmp_path / "answers.sqlite")
        # What was in flight was let land: everything billed is stored.
        assert len(store.get_many(KEYS)) == billed
        resume(emulator, store)
        assert emulator.books()["answered"] == len(REQUESTS)
        store.close()


def test_two_processes_share_one_store(tmp_path: Path, start_child: StartChild) -> None:
    store = AnswerStore(tmp_path / "answers.sqlite")
    with EmulatorProcess(SLOW) as emulator:
        child = start_child(emulator.url, REQUESTS[:160])
        wait_for(emulator, 1)
        ours = ClaudeClient(origin=Origin.SIMULATED, store=store, base_url=emulator.url)
        answers = ours.ask(REQUESTS[80:][::-1])
        output, errors = child.communicate()
        books = emulator.books()
    assert output == "160 answers\n", errors
    assert [answer.error for answer in answers] == [None] * 160
    frame = store.ledger_frame()
    assert len(store.get_many(KEYS)) == 240
    # Each books what it was billed, also where both asked the same.
    assert len(frame) == books["answered"] >= 240
    assert frame["output_tokens"].sum() == books["output_tokens"]
    store.close()


def test_a_full_disk_is_said_and_loses_nothing_stored(
    tmp_path: Path, start_child: StartChild
) -> None:
    with EmulatorProcess() as emulator:
        child = start_child(emulator.url, REQUESTS, file_limit_bytes=400_000)
        output, errors = child.communicate()
        assert child.returncode == 2, errors
        assert output.startswith("ClaudeError")
        assert "answers.sqlite" in output
        assert "free some disk space" in output
        assert "arrived and are lost" in output
        store = AnswerStore(tmp_path / "answers.sqlite")
        kept = store.get_many(KEYS)
        assert 0 < len(kept) < len(REQUESTS)
        assert len(store.ledger_frame()) == len(kept)
        # Only what was in flight when the disk filled up was answered and not kept.
        assert emulator.books()["answered"] - len(kept) <= 8
        before = {
            content_digest(request_body(r))
            for r, k in zip(REQUESTS, KEYS, strict=True)
            if k in kept
        }
        resume(emulator, store)
        by_key = emulator.books()["by_key"]
        assert {by_key[digest]["answered"] for digest in before} == {1}
        store.close()
