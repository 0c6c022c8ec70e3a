"""What the semantic cache keeps of a question, and the interface every tier of it has."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from workbench.claude.messages import Answer, Usage
from workbench.claude.origin import Origin
from workbench.claude.semantic.policy import Neighbourhood

__all__ = ["Changes", "Entry", "Observation", "Tier", "answer_from_json", "answer_to_json"]

Vectors = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Entry:
    """A cached question without its words.

    Parameters
    ----------
    id
        Digest of scope, key and vector.
    scope
        Digest of everything two questions must share for one to answer the other.
    pool
        Digest of the kind of question, over which the error model learns.
    guard
        Digest of the words that decide the answer.
    group
        Digest of what counts as the same answer.
    labels
        Digests of tags, subject and tenant, by which it can be removed.
    vector
        Of the question, length one, float32.
    answer
        The answer as JSON.
    created_at, expires_at
        Seconds since 1970.
    """

    id: str
    scope: str
    pool: str
    guard: str
    group: str
    labels: tuple[str, ...]
    vector: Vectors
    answer: str
    created_at: float
    expires_at: float

    def to_bytes(self) -> bytes:
        """Serialise: one line of JSON, then the vector."""
        head = {f.name: getattr(self, f.name) for f in fields(self) if f.name != "vector"}
        return json.dumps(head, separators=(",", ":")).encode() + b"\n" + self.vector.tobytes()

    @staticmethod
    def from_bytes(data: bytes) -> "Entry":
        """Read what `to_bytes` wrote."""
        head, _, vector = data.partition(b"\n")
        values: dict[str, Any] = json.loads(head)
        values["labels"] = tuple(values["labels"])
        return Entry(**values, vector=np.frombuffer(vector, np.float32))


class Observation(NamedTuple):
    """One comparison of a cached answer with the answer that asking brought."""

    pool: str
    entry: str
    evidence: Neighbourhood
    agreed: bool

    def to_json(self) -> str:
        """Serialise."""
        return json.dumps([self.pool, self.entry, list(self.evidence), self.agreed])

    @staticmethod
    def from_json(text: str | bytes) -> "Observation":
        """Read what `to_json` wrote."""
        pool, entry, evidence, agreed = json.loads(text)
        return Observation(pool, entry, Neighbourhood(*evidence), agreed)


class Changes(NamedTuple):
    """What is new since a cursor, and the cursor to go on from."""

    entries: Sequence[Entry]
    observations: Sequence[Observation]
    cursor: str


class Tier(Protocol):
    """A place where entries and observations outlive the process."""

    @property
    def fallbacks(self) -> int:
        """How often a lower tier had to stand in."""

    def generation(self) -> str:
        """Changes whenever something was removed, so that copies must be dropped."""

    def entries_since(self, scope: str, cursor: str) -> Changes:
        """New entries of a scope; the empty cursor stands for the beginning."""

    def observations_since(self, pool: str, cursor: str) -> Changes:
        """New observations of a pool."""

    def add(self, entry: Entry) -> None:
        """Keep an entry; the same one again changes nothing."""

    def observe(self, observation: Observation) -> None:
        """Keep an observation."""

    def remove(self, label: str) -> int:
        """Remove what has the label; say how many entries."""

    def close(self) -> None:
        """Let go of files and connections; the next use opens them again."""


def answer_to_json(answer: Answer) -> str:
    """Serialise an answer."""
    return json.dumps(asdict(answer), ensure_ascii=False, separators=(",", ":"))


def answer_from_json(text: str) -> Answer:
    """Read an answer back, marked as cached: it cost nothing now.

    Raises
    ------
    ValueError, TypeError, KeyError
        When the text was written by a workbench with other fields.
    """
    values: dict[str, Any] = json.loads(text)
    values = {k: tuple(v) if isinstance(v, list) else v for k, v in values.items()}
    values["usage"] = Usage(**values["usage"])
    values["origin"] = Origin(values["origin"])
    return replace(Answer(**values), cached=True)
