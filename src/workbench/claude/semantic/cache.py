"""The semantic cache: looks questions up by meaning, serves within a bound, learns by asking."""

import hashlib
import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
from scipy import special

from workbench.claude.messages import Answer, ClaudeRequest
from workbench.claude.origin import Origin
from workbench.claude.semantic.entries import (
    Entry,
    Observation,
    Tier,
    answer_from_json,
    answer_to_json,
)
from workbench.claude.semantic.guard import GUARD_VERSION, guard_tokens
from workbench.claude.semantic.memory import Candidate, Memory
from workbench.claude.semantic.outcome import Hit, SemanticStats, exact_json
from workbench.claude.semantic.sqlite_tier import SqliteTier
from workbench.embeddings import Encoder
from workbench.errors import ClaudeError

__all__ = ["SemanticCache"]

_WEEK_S = 7 * 24 * 3600.0
_COMPLETE = {"end_turn", "stop_sequence"}


class SemanticCache:
    """Answers to questions that mean the same, served within a bound on their error.

    A question is embedded, and the nearest stored question is found among those of the same
    tenant, subject, tags, model, system text, schema, parameters, origin and endpoint whose
    answer-determining words (numbers, negation, direction, units, names) are the same. Its
    answer is served when the upper confidence limit of the chance that it is wrong is at most
    `max_error`; otherwise the question is to be asked, and `observe` learns from the answer.
    A cold cache asks everything. One in fifty answers that could be served is asked all the
    same: what these bring estimates the share of wrong answers (`SemanticStats.wrong_hit_rate`).

    Kept are vectors, digests and answers, never the words of a question. That is no
    anonymity: much of a short text can be guessed from its vector, so that vectors are erased
    with everything else of a subject.

    Parameters
    ----------
    path_or_backend
        Path of an SQLite file, or a tier: `SqliteTier`, `RedisTier`.
    encoder
        What embeds the questions, such as `SentenceEncoder`.
    max_error
        Most chance of being wrong any served answer may have.
    confidence_level
        One-sided, of the limit compared with `max_error`.
    ttl_s
        Seconds an answer may be served.
    clock
        Seconds since 1970.
    same_answer
        What of an answer decides whether two are the same; `json_fields` makes such functions.
    audit_rate
        Share of servable answers asked all the same.
    max_vectors
        Most vectors held in this process, 1.5 KB each.
    guard
        What reads the words that decide an answer off a question; your own may add the names
        of your business. A cache made with another guard must not share the tier.
    key
        Secret under which tenants, subjects, tags and guard words are hashed; the same for
        all who share the cache.
    random_state
        Seed of the choice what to audit; `None` for a fresh one.

    Raises
    ------
    ClaudeError
        When a number is out of range; at use, when a tier cannot be read or written.
    EmbeddingError
        At use, when the encoder is not installed.

    Examples
    --------
    >>> import tempfile
    >>> from workbench.embeddings import SentenceEncoder
    >>> question = ClaudeRequest("claude-haiku-5-5", "Is the house still for sale?")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     cache = SemanticCache(f"{folder}/semantic.sqlite", encoder=SentenceEncoder())
    ...     print(cache.lookup([question], tenant="agency", origin=Origin.SIMULATED))
    ...     cache.close()
    [None]
    """

    def __init__(
        self,
        path_or_backend: Path | str | Tier,
        *,
        encoder: Encoder,
        max_error: float = 0.01,
        confidence_level: float = 0.95,
        ttl_s: float = _WEEK_S,
        clock: Callable[[], float] = time.time,
        same_answer: Callable[[Answer], str] = exact_json,
        audit_rate: float = 0.02,
        max_vectors: int = 20_000,
        guard: Callable[[str], Sequence[str]] = guard_tokens,
        key: bytes = b"",
        random_state: int | None = None,
    ) -> None:
        for name, value, low, high in (
            ("max_error", max_error, 0.0, 0.5),
            ("confidence_level", confidence_level, 0.5, 1.0),
            ("audit_rate", audit_rate, 0.0, 1.0),
        ):
            if not low <= value < high:
                raise ClaudeError(
                    f"{name} is {value!r}", expected=f"from {low:g} to below {high:g}"
                )
        if not ttl_s > 0 or max_vectors < 1 or len(key) > hashlib.blake2b.MAX_KEY_SIZE:
            raise ClaudeError(
                f"ttl_s is {ttl_s!r}, max_vectors {max_vectors!r}, key of {len(key)} bytes",
                expected="ttl_s above 0, max_vectors 1 or more, a key of up to 64 bytes",
            )
        self.tier: Tier = (
            SqliteTier(path_or_backend)
            if isinstance(path_or_backend, str | Path)
            else path_or_backend
        )
        self.encoder = encoder
        self.max_error = max_error
        self.confidence_level = confidence_level
        self.ttl_s = ttl_s
        self.audit_rate = audit_rate
        self._same_answer = same_answer
        self._guard_words = guard
        self._clock = clock
        self._key = key
        self._z = float(special.ndtri(confidence_level))
        self._memory = Memory(self.tier, max_vectors)
        self._counts: Counter[str] = Counter()
        self._rng = np.random.default_rng(random_state)
        self._lock = threading.RLock()

    def __repr__(self) -> str:
        return f"SemanticCache({self.tier!r}, max_error={self.max_error})"

    @property
    def stats(self) -> SemanticStats:
        """Counters since this cache was made."""
        with self._lock:
            return SemanticStats(
                **self._counts, expired=self._memory.expired, fallbacks=self.tier.fallbacks
            )

    def lookup(
        self,
        requests: Sequence[ClaudeRequest],
        *,
        tenant: str,
        origin: Origin,
        endpoint: str | None = None,
        tags: Iterable[str] = (),
    ) -> list[Hit | None]:
        """Look questions up, before they are asked.

        Parameters
        ----------
        requests
            The questions. They do not see each other: look up few at a time.
        tenant
            On whose account; nothing is served across tenants.
        origin, endpoint
            Who would be asked.
        tags
            What the answers depend on (market, listing, prompt digest): only answers stored
            with the same tags are served, and `invalidate` removes them.

        Returns
        -------
        list of Hit or None
            One each. `None`: nothing to serve. A hit with `explore`: ask, then `observe`.

        Raises
        ------
        ClaudeError
            When the cache cannot be read.
        """
        with self._lock:
            self._counts["lookups"] += len(requests)
            found: list[Hit | None] = [None] * len(requests)
            by_scope: dict[tuple[str, str], list[int]] = {}
            for index, request in enumerate(requests):
                if self._is_readable(request):
                    names = self._names(request, tenant, origin, endpoint, tags)
                    by_scope.setdefault(names, []).append(index)
            scopes, pools = {s for s, _ in by_scope}, {p for _, p in by_scope}
            self._memory.refresh(scopes, pools, self._clock())
            for (scope, pool), indices in by_scope.items():
                prompts = [requests[i].prompt for i in indices]
                guards = [self._guard(prompt) for prompt in prompts]
                near = self._memory.candidates(scope, self.encoder.encode(prompts), guards)
                for index, (candidate, barred) in zip(indices, near, strict=True):
                    self._counts["guard_blocks"] += barred
                    found[index] = self._hit(candidate, pool) if candidate else None
            return found

    def observe(
        self,
        request: ClaudeRequest,
        answer: Answer,
        *,
        tenant: str,
        origin: Origin,
        endpoint: str | None = None,
        tags: Iterable[str] = (),
        neighbour: Hit | None = None,
        agreed: bool | None = None,
    ) -> None:
        """Learn from an answer that asking brought, and keep it for others.

        Answers that failed, were refused or cut off are passed over.

        Parameters
        ----------
        request, answer
            What was asked, and what came back.
        tenant, origin, endpoint, tags
            As for `lookup`.
        neighbour
            What `lookup` found for the request.
        agreed
            Whether the neighbour's answer was as good as this one; compared by `same_answer`
            when omitted.

        Raises
        ------
        ClaudeError
            When the cache cannot be written.
        """
        if answer.error is not None or answer.stop_reason not in _COMPLETE:
            return
        with self._lock:
            if not self._is_readable(request, count=False):
                return
            scope, pool = self._names(request, tenant, origin, endpoint, tags)
            same = self._same_answer(answer)
            if neighbour is not None and neighbour.explore:
                if agreed is None:
                    agreed = self._same_answer(neighbour.answer) == same
                self._counts["checked"] += neighbour.within_bound
                self._counts["wrong_estimates"] += neighbour.within_bound and not agreed
                self.tier.observe(Observation(pool, neighbour.entry, neighbour.evidence, agreed))
            now = self._clock()
            (vector,) = self.encoder.encode([request.prompt])
            labels = [self._digest("tag", tag) for tag in tags]
            labels.append(self._digest("tenant", tenant))
            if request.subject is not None:
                labels.append(self._digest("subject", tenant, request.subject))
            self.tier.add(
                Entry(
                    id=self._digest("entry", scope, answer.key, vector.tobytes().hex()),
                    scope=scope,
                    pool=pool,
                    guard=self._guard(request.prompt),
                    group=self._digest("group", same),
                    labels=tuple(sorted(set(labels))),
                    vector=vector,
                    answer=answer_to_json(answer),
                    created_at=now,
                    expires_at=now + self.ttl_s,
                )
            )

    def invalidate(self, tag: str) -> int:
        """Remove every answer stored with a tag.

        Parameters
        ----------
        tag
            One of the tags given when they were stored.

        Returns
        -------
        int
            How many were removed.

        Raises
        ------
        ClaudeError
            When the cache cannot be written, or the shared tier does not answer.
        """
        return self._remove(self._digest("tag", tag))

    def erase_subject(self, tenant: str, subject: str) -> int:
        """Remove everything kept of one subject of a tenant; as `invalidate`."""
        return self._remove(self._digest("subject", tenant, subject))

    def erase_tenant(self, tenant: str) -> int:
        """Remove everything kept of a tenant; as `invalidate`."""
        return self._remove(self._digest("tenant", tenant))

    def close(self) -> None:
        """Let go of files and connections; the next use opens them again."""
        with self._lock:
            self._memory.clear()
            self.tier.close()

    def _hit(self, candidate: Candidate, pool: str) -> Hit | None:
        model = self._memory.model(pool)
        bound = 1.0 if model is None else model.upper_error(candidate.evidence, self._z)
        within = bound <= self.max_error
        audit = within and self._rng.random() < self.audit_rate
        # Written by a workbench with other fields: as if it were not there.
        with suppress(ValueError, TypeError, KeyError):
            answer = answer_from_json(candidate.entry.answer)
            self._counts["hits"] += within and not audit
            self._counts["explores"] += audit or not within
            self._counts["audits"] += audit
            return Hit(
                answer=replace(answer, cache="semantic"),
                key=answer.key,
                similarity=min(1.0, candidate.similarity),
                error_bound=bound,
                explore=audit or not within,
                within_bound=within,
                entry=candidate.entry.id,
                evidence=candidate.evidence,
            )
        return None

    def _is_readable(self, request: ClaudeRequest, *, count: bool = True) -> bool:
        # The end of a long text has no part in its vector, and could hold anything.
        fits = bool(request.prompt.strip()) and self.encoder.fits(request.prompt)
        self._counts["too_long"] += count and not fits
        return fits

    def _names(
        self,
        request: ClaudeRequest,
        tenant: str,
        origin: Origin,
        endpoint: str | None,
        tags: Iterable[str],
    ) -> tuple[str, str]:
        """Name what two questions must share, and the kind of question one learns over."""
        # The key of the request without its question: whatever else decides the answer.
        frame = replace(request, prompt="").key(origin, endpoint)
        pool = self._digest("pool", tenant, frame, self.encoder.id, GUARD_VERSION)
        who = ["anyone"] if request.subject is None else ["subject", request.subject]
        return self._digest("scope", pool, *sorted(set(tags)), *who), pool

    def _guard(self, prompt: str) -> str:
        return self._digest("guard", *self._guard_words(prompt))

    def _digest(self, kind: str, *values: str) -> str:
        text = json.dumps([kind, *values], ensure_ascii=True)
        return hashlib.blake2b(text.encode(), digest_size=16, key=self._key).hexdigest()

    def _remove(self, label: str) -> int:
        with self._lock:
            self.encoder.forget()
            try:
                return self.tier.remove(label)
            finally:
                self._memory.clear()
