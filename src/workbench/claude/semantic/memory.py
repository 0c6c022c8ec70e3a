"""The in-process tier: vectors of the scopes in use as matrices, and what was learned."""

from collections import OrderedDict, deque
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from workbench.claude.semantic.entries import Entry, Observation, Tier
from workbench.claude.semantic.policy import (
    NEIGHBOURS,
    ErrorModel,
    Neighbourhood,
    fit_error_model,
    read_neighbourhood,
)

__all__ = ["Candidate", "Memory"]

Vectors = NDArray[np.float32]

_OBSERVATIONS_KEPT = 4096
_FIT_EVERY = 50
_POOLS_KEPT, _SCOPES_KEPT = 256, 8192
_AT_ONCE = 256
_LEAST_ROWS = 64


class Candidate(NamedTuple):
    """A cached question that could answer another, and what speaks for it."""

    entry: Entry
    similarity: float
    evidence: Neighbourhood


class _Scope:
    """Entries of one scope: their vectors as the rows of one matrix."""

    def __init__(self) -> None:
        self.cursor = ""
        self.entries: list[Entry] = []
        self.ids: set[str] = set()
        self.matrix: Vectors = np.empty((0, 0), np.float32)
        # Guards and groups as numbers, row by row, to be compared all at once.
        self.marks: NDArray[np.uint64] = np.empty((0, 2), np.uint64)

    def __len__(self) -> int:
        return len(self.entries)

    def extend(self, entries: Iterable[Entry]) -> None:
        for entry in entries:
            if entry.id in self.ids:
                continue
            n = len(self.entries)
            if n == len(self.matrix):
                grown = np.zeros((max(_LEAST_ROWS, 2 * n), len(entry.vector)), np.float32)
                if n:
                    grown[:n] = self.matrix
                self.matrix = grown
                self.marks = np.vstack([self.marks, np.zeros((len(grown) - n, 2), np.uint64)])
            self.matrix[n] = entry.vector
            self.marks[n] = _mark(entry.guard), _mark(entry.group)
            self.entries.append(entry)
            self.ids.add(entry.id)

    def keep(self, kept: list[int]) -> None:
        self.matrix, self.marks = self.matrix[kept], self.marks[kept]
        self.entries = [self.entries[i] for i in kept]
        self.ids = {entry.id for entry in self.entries}


class _Pool:
    """What was observed of one kind of question, and the model fitted to it."""

    def __init__(self) -> None:
        self.cursor = ""
        self.recent: deque[Observation] = deque(maxlen=_OBSERVATIONS_KEPT)
        self.records: dict[str, tuple[int, int]] = {}  # errors, tried
        self.model: ErrorModel | None = None
        self.unseen = 0

    def extend(self, observations: Iterable[Observation]) -> None:
        for one in observations:
            errors, tried = self.records.get(one.entry, (0, 0))
            self.records[one.entry] = (errors + (not one.agreed), tried + 1)
            self.recent.append(one)
            self.unseen += 1
        if self.unseen >= _FIT_EVERY:
            evidence = np.array([one.evidence for one in self.recent], np.float64)
            self.model = fit_error_model(evidence, np.array([o.agreed for o in self.recent]))
            self.unseen = 0


def _mark(digest: str) -> np.uint64:
    return np.uint64(int(digest[:16], 16))


class Memory:
    """Copies of what a tier holds, bounded, least recently used scopes dropped first.

    Parameters
    ----------
    tier
        Where entries and observations come from.
    max_vectors
        Most vectors held, 1.5 KB each; of one scope the oldest go first.
    """

    def __init__(self, tier: Tier, max_vectors: int) -> None:
        self.tier = tier
        self.max_vectors = max_vectors
        self.expired = 0
        self._generation = ""
        self._scopes: OrderedDict[str, _Scope] = OrderedDict()
        self._pools: OrderedDict[str, _Pool] = OrderedDict()

    def refresh(self, scopes: Iterable[str], pools: Iterable[str], now: float) -> None:
        """Bring scopes and pools up to date with the tier, and drop what has expired."""
        generation = self.tier.generation()
        if generation != self._generation:
            self.clear()
            self._generation = generation
        for name in scopes:
            scope = self._scopes.setdefault(name, _Scope())
            self._scopes.move_to_end(name)
            changes = self.tier.entries_since(name, scope.cursor)
            scope.extend(changes.entries)
            scope.cursor = changes.cursor
            self._bound(scope, now)
        for name in pools:
            pool = self._pools.setdefault(name, _Pool())
            self._pools.move_to_end(name)
            found = self.tier.observations_since(name, pool.cursor)
            pool.extend(found.observations)
            pool.cursor = found.cursor
        while len(self._pools) > _POOLS_KEPT:
            self._pools.popitem(last=False)
        total = sum(map(len, self._scopes.values()))
        while len(self._scopes) > 1 and (
            total > self.max_vectors or len(self._scopes) > _SCOPES_KEPT
        ):
            _, dropped = self._scopes.popitem(last=False)
            total -= len(dropped)

    def model(self, pool: str) -> ErrorModel | None:
        """The error model of a pool; `None` before it has learned enough."""
        return self._pools[pool].model if pool in self._pools else None

    def candidates(
        self, scope: str, vectors: Vectors, guards: list[str]
    ) -> list[tuple[Candidate | None, bool]]:
        """Find, for each vector, the nearest entry with the same guard.

        Parameters
        ----------
        scope
            Where to look.
        vectors
            Questions, shape (n, dimension).
        guards
            Digests of their guard words.

        Returns
        -------
        list of (Candidate or None, bool)
            The candidate, and whether the very nearest entry was barred by the guard.
        """
        held = self._scopes.get(scope)
        if held is None or not len(held):
            return [(None, False)] * len(vectors)
        found = []
        for start in range(0, len(vectors), _AT_ONCE):
            part = slice(start, start + _AT_ONCE)
            similarities = vectors[part] @ held.matrix[: len(held)].T
            found += [
                self._candidate(held, *p) for p in zip(similarities, guards[part], strict=True)
            ]
        return found

    def clear(self) -> None:
        """Drop every copy."""
        self._scopes.clear()
        self._pools.clear()
        self._generation = ""

    def _candidate(
        self, held: _Scope, similarities: Vectors, guard: str
    ) -> tuple[Candidate | None, bool]:
        k = min(NEIGHBOURS, len(held))
        nearest = np.argpartition(-similarities, k - 1)[:k]
        first = int(nearest[similarities[nearest].argmax()])
        best = first
        if held.marks[first, 0] != _mark(guard):
            allowed = np.flatnonzero(held.marks[: len(held), 0] == _mark(guard))
            if not allowed.size:
                return None, True
            best = allowed[int(similarities[allowed].argmax())]
        entry = held.entries[best]
        pool = self._pools.get(entry.pool)
        errors, tried = pool.records.get(entry.id, (0, 0)) if pool else (0, 0)
        evidence = read_neighbourhood(
            float(similarities[best]),
            similarities[nearest],
            held.marks[nearest, 1] == held.marks[best, 1],
            errors,
            tried,
        )
        return Candidate(entry, float(similarities[best]), evidence), best != first

    def _bound(self, scope: _Scope, now: float) -> None:
        alive = [i for i, entry in enumerate(scope.entries) if entry.expires_at > now]
        self.expired += len(scope) - len(alive)
        alive = alive[-self.max_vectors :]
        if len(alive) < len(scope):
            scope.keep(alive)
