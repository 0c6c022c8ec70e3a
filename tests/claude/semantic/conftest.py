"""What the tests of the semantic cache share: a small encoder, answers, a Redis server."""

import functools
import hashlib
import json
import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from workbench.claude import Answer, ClaudeRequest, Origin, Usage
from workbench.claude.semantic import SemanticCache

MODEL = "claude-haiku-5-5"
ASKED: dict[str, Any] = {"tenant": "agency", "origin": Origin.SIMULATED}


class WordEncoder:
    """Sums of one random direction a word: texts that share words are alike."""

    id = "words-1"

    def __init__(self, most_words: int = 50) -> None:
        self.most_words = most_words
        self.forgotten = 0

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        vectors = np.array([self._one(text) for text in texts]).reshape(-1, 64)
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        return np.asarray(vectors / lengths, np.float32)

    def fits(self, text: str) -> bool:
        return len(text.split()) <= self.most_words

    def forget(self) -> None:
        self.forgotten += 1

    def _one(self, text: str) -> NDArray[np.float64]:
        total: NDArray[np.float64] = np.zeros(64)
        for word in text.lower().split():
            total += direction(word)
        return total


@functools.cache
def direction(word: str) -> NDArray[np.float64]:
    seed = int.from_bytes(hashlib.sha256(word.encode()).digest()[:8], "big")
    return np.random.default_rng(seed).normal(size=64)


class Clock:
    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


def asked(prompt: str, **other: Any) -> ClaudeRequest:
    return ClaudeRequest(MODEL, prompt, **other)


def answered(request: ClaudeRequest, intent: str = "any", **other: Any) -> Answer:
    fields: dict[str, Any] = {
        "key": request.key(Origin.SIMULATED, None), "origin": Origin.SIMULATED,
        "model_requested": request.model, "model_answered": "sim:test",
        "text": json.dumps({"intent": intent}), "stop_reason": "end_turn", "error": None,
        "started_at": "2026-11-20T00:00:00Z", "latency_s": 0.5, "ttft_s": None, "attempts": 1,
        "usage": Usage(10, 5), "cost_usd": 0.001, "price_table": "t", "cached": False,
        "request_id": None,
    }  # fmt: skip
    return Answer(**(fields | other))


def learn(cache: SemanticCache, n: int = 300, **where: Any) -> None:
    """Teach that neighbours are right: near and far, alone and among others that disagree."""
    rng = np.random.default_rng(0)
    words = np.array([f"w{i}" for i in range(30)])
    for number in range(n):
        place = ASKED | {"tags": frozenset({f"lesson:{number}"})} | where
        for _ in range(rng.integers(1, 4)):
            known = rng.choice(words, 6)
            request = asked(" ".join(known))
            cache.observe(request, answered(request, f"lesson {rng.integers(2)}"), **place)
        changed = np.where(rng.random(6) < rng.random(), rng.choice(words, 6), known)
        request = asked(" ".join(changed))
        (hit,) = cache.lookup([request], **place)
        cache.observe(request, answered(request), neighbour=hit, agreed=True, **place)


MakeCache = Callable[..., SemanticCache]


@pytest.fixture
def make(tmp_path: Path) -> Iterator[MakeCache]:
    """Make caches over one file; without audits, so that nothing is left to chance."""
    made: list[SemanticCache] = []

    def build(backend: Any = None, **options: Any) -> SemanticCache:
        usual: dict[str, Any] = {"encoder": WordEncoder(), "max_error": 0.2, "audit_rate": 0.0}
        cache = SemanticCache(backend or tmp_path / "semantic.sqlite", **(usual | options))
        made.append(cache)
        return cache

    yield build
    for cache in made:
        cache.close()


class RedisServer:
    """A server of its own on a free loopback port, which keeps nothing on disk."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        program = shutil.which("redis-server")
        assert program is not None, "redis-server is needed: apt-get install redis-server"
        self._process = subprocess.Popen(
            [program, "--port", str(self.port), "--bind", "127.0.0.1", "--save", "",
             "--appendonly", "no", "--dir", str(self.folder)],
            stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if "Ready to accept connections" in line:
                return
        pytest.fail("redis-server did not start")

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.communicate()
        self._process = None


@pytest.fixture
def redis_server(tmp_path: Path) -> Iterator[RedisServer]:
    server = RedisServer(tmp_path)
    server.start()
    yield server
    server.stop()
