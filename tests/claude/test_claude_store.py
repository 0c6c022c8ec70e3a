import pickle
import sqlite3
import subprocess
import sys
import tempfile
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from workbench.claude import Answer, AnswerStore, Origin, Usage
from workbench.errors import ClaudeError

USAGE = Usage(100, 20, 3, 4, 5)


def answer(key: str = "k", **changed: Any) -> Answer:
    one = Answer(
        key=key,
        origin=Origin.SIMULATED,
        model_requested="claude-haiku-5-5",
        model_answered="sim:reader-1",
        text='{"probability": 0.5, "note": "señal"}',
        stop_reason="end_turn",
        error=None,
        started_at="2026-11-20T10:00:00.000+00:00",
        latency_s=0.25,
        ttft_s=None,
        attempts=2,
        usage=USAGE,
        cost_usd=0.001,
        price_table="2026-11-20",
        cached=False,
        request_id="req_1",
    )
    return replace(one, **changed)


@pytest.fixture
def store(tmp_path: Path) -> AnswerStore:
    return AnswerStore(tmp_path / "made" / "answers.sqlite")


def test_an_answer_comes_back_as_it_was_but_cached(store: AnswerStore) -> None:
    store.put(answer())
    assert store.get_many(["k", "other"]) == {"k": answer(cached=True, cache="exact")}
    store.close()
    assert AnswerStore(store.path).get_many(["k"]) == {"k": answer(cached=True, cache="exact")}


def test_more_keys_than_one_query_takes(store: AnswerStore) -> None:
    for i in range(0, 1300, 100):
        store.put(answer(f"key-{i}"))
    assert len(store.get_many(f"key-{i}" for i in range(1300))) == 13


def test_the_ledger_has_a_row_per_billed_answer(store: AnswerStore) -> None:
    store.put(answer("a"), tenant="north", task="conversion", arm="zero_shot")
    store.put(answer("b", model_requested="claude-opus-5-5", cost_usd=0.25))
    frame = store.ledger_frame()
    first = frame.iloc[0]
    assert (first["tenant"], first["task"], first["arm"]) == ("north", "conversion", "zero_shot")
    assert first["input_tokens"] == 100
    assert first["thinking_tokens"] == 5
    assert str(frame["at"].dtype.tz) == "UTC"
    spend = store.spend().set_index("model_requested")
    assert spend.loc["claude-opus-5-5", "cost_usd"] == pytest.approx(0.25)
    assert spend["n_answers"].sum() == 2


def test_spend_never_adds_up_origins(store: AnswerStore) -> None:
    store.put(answer("a"))
    store.put(answer("b", origin=Origin.LIVE))
    assert set(store.spend()["origin"]) == {"live", "simulated"}
    with pytest.raises(ClaudeError, match=r"no column 'agent'.*tenant"):
        store.spend(by=("agent",))
    with pytest.raises(ClaudeError, match="'cost_usd' is what the ledger adds up"):
        store.spend(by=("arm", "cost_usd"))


def test_reading_from_the_store_books_nothing(store: AnswerStore) -> None:
    store.put(answer(cached=True))
    assert store.get_many(["k"]) == {}
    assert len(store.ledger_frame()) == 0


def test_an_error_is_not_an_answer_but_what_it_cost_is_booked(store: AnswerStore) -> None:
    store.put(answer("nothing", error="RateLimitError 429", usage=Usage(), cost_usd=0.0))
    store.put(answer("billed", error="answer without a stop_reason"))
    assert store.get_many(["nothing", "billed"]) == {}
    frame = store.ledger_frame()
    assert frame["key"].tolist() == ["billed"]
    assert frame["error"].tolist() == ["answer without a stop_reason"]


def test_the_first_answer_stands_and_both_are_booked(store: AnswerStore) -> None:
    store.put(answer(text="first"))
    store.put(answer(text="second"))
    assert store.get_many(["k"])["k"].text == "first"
    assert len(store.ledger_frame()) == 2


def test_threads_may_share_a_store(store: AnswerStore) -> None:
    def work(number: int) -> None:
        for i in range(25):
            store.put(answer(f"{number}-{i}"))

    threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(store.ledger_frame()) == 100


def test_a_pickled_store_is_the_same_file(store: AnswerStore) -> None:
    store.put(answer())
    again = pickle.loads(pickle.dumps(store))  # noqa: S301 -- our own bytes
    assert again.get_many(["k"]).keys() == {"k"}
    again.close()


@pytest.mark.parametrize("content", [b"not a database at all" * 100, b"SQLite format 3\x00" * 400])
def test_a_corrupt_file_is_named_and_left_alone(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "answers.sqlite"
    path.write_bytes(content)
    store = AnswerStore(path)
    for use in (lambda: store.get_many(["k"]), lambda: store.put(answer()), store.ledger_frame):
        with pytest.raises(ClaudeError, match=r"answers\.sqlite.*cannot be.*move the file away"):
            use()
    assert path.read_bytes() == content


def test_a_database_of_something_else_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "answers.sqlite"
    other = sqlite3.connect(path)
    other.execute("CREATE TABLE theirs (x)")
    other.commit()
    other.close()
    with pytest.raises(ClaudeError, match="a database of something else"):
        AnswerStore(path).put(answer())


@pytest.mark.parametrize(("version", "age"), [(0, "older"), (99, "newer")])
def test_another_schema_is_refused(store: AnswerStore, version: int, age: str) -> None:
    store.put(answer())
    store.close()
    raw = sqlite3.connect(store.path)
    raw.execute(f"PRAGMA user_version = {version}")
    raw.commit()
    raw.close()
    with pytest.raises(ClaudeError, match=f"an? {age} workbench"):
        AnswerStore(store.path).get_many(["k"])


def test_an_answer_that_cannot_be_read_is_named(store: AnswerStore) -> None:
    store.put(answer())
    store.close()
    raw = sqlite3.connect(store.path)
    raw.execute("UPDATE answers SET answer = '{}'")
    raw.commit()
    raw.close()
    with pytest.raises(ClaudeError, match="answer under key k cannot be read"):
        AnswerStore(store.path).get_many(["k"])


def test_a_folder_that_cannot_be_made_is_named() -> None:
    with pytest.raises(ClaudeError, match=r"/proc/nowhere/answers\.sqlite"):
        AnswerStore("/proc/nowhere/answers.sqlite").check_writable()


_READ_ONLY = """
import os, sys
from workbench.claude import AnswerStore
from workbench.errors import ClaudeError
store = AnswerStore(sys.argv[1])
if os.getuid() == 0:
    os.setuid(65534)  # nobody: root may write anywhere
print(sorted(store.get_many(["k"])))
try:
    store.check_writable()
except ClaudeError as err:
    print(err)
"""


def test_a_read_only_folder_can_be_read_and_says_why_it_cannot_be_written() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        store = AnswerStore(folder / "answers.sqlite")
        store.put(answer())
        store.close()
        store.path.chmod(0o444)
        folder.chmod(0o555)
        ran = subprocess.run(
            [sys.executable, "-c", _READ_ONLY, str(store.path)],
            capture_output=True,
            text=True,
            check=False,
        )
        folder.chmod(0o755)
    assert ran.stdout.splitlines()[0] == "['k']", ran.stderr
    assert "can be read but not written" in ran.stdout


def test_stored_answers_are_read_without_sdk_server_or_pandas(store: AnswerStore) -> None:
    store.put(answer())
    code = (
        "import sys; from workbench.claude import AnswerStore; "
        f"print(len(AnswerStore({str(store.path)!r}).get_many(['k']))); "
        "print(sorted({'anthropic', 'starlette', 'uvicorn', 'pandas'} & set(sys.modules)))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.split("\n")[:2] == ["1", "[]"]
