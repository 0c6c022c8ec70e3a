"""Made-up texts of three intents, and an encoder that needs no weights."""

import hashlib
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

DIMENSION = 32
WORDS = {
    "buy": ["buy", "purchase", "house", "looking", "bedrooms", "garden", "mortgage"],
    "sell": ["sell", "listing", "valuation", "owner", "price", "moving", "offer"],
    "tour": ["visit", "tour", "saturday", "viewing", "appointment", "see", "afternoon"],
}
FILLER = ["please", "we", "would", "like", "the", "a", "soon", "with", "and"]


@cache
def _of_word(word: str) -> NDArray[np.float64]:
    seed = int.from_bytes(hashlib.blake2b(word.encode()).digest()[:8])
    return np.random.default_rng(seed).normal(size=DIMENSION)


class HashedEncoder:
    """Adds up a vector a word, drawn by its digest."""

    id = "hashed"

    def __init__(self) -> None:
        self.encoded = 0

    def __deepcopy__(self, memo: Mapping[int, Any]) -> "HashedEncoder":
        return self

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        self.encoded += len(texts)
        return np.array([self._vector(t) for t in texts], np.float32).reshape(-1, DIMENSION)

    def _vector(self, text: str) -> NDArray[np.float64]:
        total = np.full(DIMENSION, 1e-3)
        for word in text.lower().split():
            total += _of_word(word)
        return np.asarray(total / np.linalg.norm(total))

    def fits(self, text: str) -> bool:
        return True

    def forget(self) -> None:
        """Nothing is remembered."""


def message(rng: np.random.Generator, *labels: str) -> str:
    words = [str(w) for label in labels for w in rng.choice(WORDS[label], 2)]
    words += [str(w) for w in rng.choice(FILLER, 4)]
    return " ".join(rng.permutation(words).tolist())


@pytest.fixture(scope="session")
def encoder() -> HashedEncoder:
    return HashedEncoder()


@pytest.fixture(scope="session")
def intents() -> tuple[list[str], list[str]]:
    rng = np.random.default_rng(0)
    labels = [str(label) for label in rng.choice(list(WORDS), 120)]
    return [message(rng, label) for label in labels], labels


@pytest.fixture(scope="session")
def topics() -> tuple[list[str], NDArray[np.int64]]:
    rng = np.random.default_rng(1)
    truth = (rng.random((150, 3)) < 0.4).astype(np.int64)
    names = list(WORDS)
    return [message(rng, *(names[j] for j in np.flatnonzero(row))) for row in truth], truth


HOSTILE = [
    "", " ", "\n\n", "!!!", "\x00", "\ud83d", "🏡" * 50, "a" * 100_000, "word " * 20_000,
    "房子在哪里", "मुझे घर देखना है", "<script>alert(1)</script>", "{{x}} %s \\u0000", "\u202eabc",
]  # fmt: skip
