"""Between a request and its answer: what is stored, what has to be asked, and what it costs."""

import contextlib
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

from workbench.claude.batches import BatchRun
from workbench.claude.budget import Budget, CostEstimate, estimate_cost
from workbench.claude.cassette import Cassette
from workbench.claude.connection import Connection
from workbench.claude.counters import Counters
from workbench.claude.counting import count_all
from workbench.claude.driver import Watch, run_in_thread
from workbench.claude.exchange import Manner
from workbench.claude.feeding import Numbered, Split, Waiting, feed, split_block
from workbench.claude.limits import RateLimits
from workbench.claude.messages import Answer, ClaudeRequest
from workbench.claude.origin import Origin
from workbench.claude.prefixes import shared_prefixes
from workbench.claude.prices import PriceTable
from workbench.claude.reply import Partial
from workbench.claude.store import AnswerStore
from workbench.claude.transport import Run
from workbench.claude.wire import Wire
from workbench.errors import ClaudeError
from workbench.privacy import AuditLog, PrivacyGate, compliance_flags

if TYPE_CHECKING:
    from workbench.claude.semantic import Hit, SemanticCache

__all__ = ["Engine", "Errand", "Pace"]

_WINDOW_PER_WORKER = 4
_LONGEST_NAME = 80


@dataclass(frozen=True, slots=True)
class Errand:
    """On whose behalf a call asks, and who listens.

    Parameters
    ----------
    task, arm
        For the ledger.
    stream
        Whether answers are streamed.
    on_partial
        Told each piece of a streamed answer.
    tags
        What the answers depend on, for the semantic cache.
    """

    task: str = ""
    arm: str = ""
    stream: bool = False
    on_partial: Callable[[Partial], None] | None = None
    tags: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        for name, value in (("task", self.task), ("arm", self.arm)):
            # Said before anything is paid for: ledger and audit log would refuse it after.
            if not isinstance(value, str) or len(value) > _LONGEST_NAME or not value.isprintable():
                raise ClaudeError(
                    f"{name} is {value!r:.60}",
                    expected=f"a name of at most {_LONGEST_NAME} printable characters",
                )


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast, how stubbornly and how frugally requests are sent.

    Parameters
    ----------
    concurrency
        Requests in flight at once.
    max_retries
        Retries of one request: by the SDK on 408, 409, 429, 5xx and lost connections, and on a
        body or a stream that breaks.
    timeout_s
        Seconds one attempt may take; of a stream, seconds it may say nothing.
    max_retry_after_s
        Most seconds a server's `retry-after` makes a request wait.
    limits
        The account's rate limits, where known; the endpoint's headers correct them.
    rate_per_s
        Requests a second to start, whatever comes back; `None` for as fast as answers come.
    prompt_cache
        ``5m`` or ``1h``: have the provider keep what the requests of a run share; `None` for
        not. Written tokens cost more than plain ones, read ones a tenth or less.
    fallbacks
        Model to ask instead of an overloaded one, by model; declared on the answer.
    trace_share
        Share of the calls the SDK records an OpenTelemetry span of, metadata only: see
        `workbench.tracking.traced_calls`.
    on_outage
        ``raise`` when nothing gets through any more, or give every further request an answer
        with an error (``errors``), so that a model of one's own can step in.

    Raises
    ------
    ClaudeError
        When one of them is out of range.
    """

    concurrency: int
    max_retries: int
    timeout_s: float
    max_retry_after_s: float
    limits: RateLimits
    rate_per_s: float | None
    prompt_cache: Literal["5m", "1h"] | None
    fallbacks: Mapping[str, str]
    trace_share: float
    on_outage: Literal["raise", "errors"]

    def __post_init__(self) -> None:
        for name, value, least in (
            ("concurrency", self.concurrency, 1),
            ("max_retries", self.max_retries, 0),
            ("timeout_s", self.timeout_s, 0.001),
            ("max_retry_after_s", self.max_retry_after_s, 0),
            ("rate_per_s", math.inf if self.rate_per_s is None else self.rate_per_s, 1e-6),
        ):
            if not value >= least:
                raise ClaudeError(f"{name} is {value!r}", expected=f"{least} or more")
        for name in ("concurrency", "max_retries"):
            if not isinstance(getattr(self, name), int):
                raise ClaudeError(f"{name} is {getattr(self, name)!r}", expected="a whole number")
        if not 0 <= self.trace_share <= 1:
            raise ClaudeError(f"trace_share is {self.trace_share!r}", expected="0 to 1")
        for name, chosen, known in (
            ("prompt_cache", self.prompt_cache, ("5m", "1h", None)),
            ("on_outage", self.on_outage, ("raise", "errors")),
        ):
            if chosen not in known:
                raise ClaudeError(f"{name} is {chosen!r}", expected=f"one of {known}")

    def manner(self, errand: Errand) -> Manner:
        """How one call's requests are asked."""
        return Manner(
            stream=errand.stream,
            on_partial=errand.on_partial,
            cache_ttl=self.prompt_cache,
            fallbacks=self.fallbacks,
            rate_per_s=self.rate_per_s,
            trace_share=self.trace_share,
            on_outage=self.on_outage,
        )


@dataclass(slots=True)
class Engine:
    """Answers requests from what is kept, and asks for what is not.

    Parameters
    ----------
    connection
        Where requests go.
    store
        Where answers are kept.
    cassette
        Recorded answers to replay.
    prices
        Price table.
    budget
        Spending limit.
    tenant
        On whose account.
    pace
        How requests are sent.
    gate
        Takes identifiers out of every text that leaves.
    audit
        Notes every answer that arrives; `None` for no log.
    semantic
        Serves answers to questions that mean the same; `None` for never.
    """

    connection: Connection
    store: AnswerStore
    cassette: Cassette | None
    prices: PriceTable
    budget: Budget
    tenant: str
    pace: Pace
    gate: PrivacyGate
    audit: AuditLog | None
    semantic: "SemanticCache | None"
    counters: Counters = field(default_factory=Counters)
    _checked: set[str] = field(default_factory=set)
    _exploring: dict[str, tuple[ClaudeRequest, "Hit | None"]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.cassette is not None and self.connection.origin is not Origin.REPLAY:
            raise ClaudeError(
                f"a client of origin {self.connection.origin.value!r} has a cassette",
                expected="origin 'replay': a cassette is read, and nobody asked",
                fix="use Origin.REPLAY, or leave the cassette out",
            )

    def key(self, request: ClaudeRequest) -> str:
        """Key of a request here: of what would be sent of it."""
        return self._key(self.sealed(request))

    def _key(self, sealed: ClaudeRequest) -> str:
        origin = self.connection.origin
        if self.cassette is not None:
            origin = self.cassette.origin
        return sealed.key(origin, self.connection.base_url)

    def sealed(self, request: ClaudeRequest) -> ClaudeRequest:
        """Put a request's texts through the privacy gate."""
        names = request.known_names
        prompt = self.gate.seal(request.prompt, known_names=names)
        system = self.gate.seal(request.system, known_names=names) if request.system else None
        if request.schema is not None and self.gate.seal(str(request.schema)).counts:
            raise ClaudeError(
                "the schema of an answer holds what looks like somebody's data",
                expected="a schema that speaks of nobody",
                fix="take the example or the default out of it",
            )
        if not prompt.counts and (system is None or not system.counts) and not names:
            return request
        return replace(
            request,
            prompt=prompt.text,
            system=request.system if system is None else system.text,
            known_names=(),
        )

    def restored(self, request: ClaudeRequest, answer: Answer) -> Answer:
        """Put back into an answer what the gate took out of its request."""
        originals = dict(self.gate.seal(request.prompt, known_names=request.known_names).originals)
        if request.system:
            system = self.gate.seal(request.system, known_names=request.known_names)
            originals |= system.originals
        text = None if answer.text is None else self.gate.restore(answer.text, originals)
        return replace(answer, text=text)

    def each(
        self, requests: Iterable[ClaudeRequest], errand: Errand, watch: Watch, *, at_once: bool
    ) -> Iterator[Numbered]:
        """Answer requests as answers come; `at_once` looks at all of them first."""
        # A question may mean what one just before it meant: with this cache, few at a time.
        at_once = at_once and self.semantic is None
        errand = self._unnamed(errand)

        def start(missing: Mapping[str, ClaudeRequest]) -> Run:
            shared = shared_prefixes(list(missing.values())) if at_once else None
            keep, manner = self._keeper(errand), self.pace.manner(errand)
            return Run(self._wire(), keep, self.budget, manner, prefixes=shared)

        def split(block: Sequence[tuple[int, ClaudeRequest]], waiting: Waiting) -> Split:
            return self._split(block, waiting, errand.tags)

        window = None if at_once else _WINDOW_PER_WORKER * self.pace.concurrency
        try:
            yield from feed(requests, split, start, watch, window=window)
        finally:
            if self.audit is not None:
                self.audit.flush()

    def batch(
        self, requests: Sequence[ClaudeRequest], errand: Errand, watch: Watch, poll_s: float
    ) -> list[Answer]:
        """Answer requests through the Message Batches API."""
        waiting: Waiting = {}
        errand = self._unnamed(errand)
        stored, missing = self._split(list(enumerate(requests)), waiting, errand.tags)
        answers = {numbered.position: numbered.answer for numbered in stored}
        watch.cached = len(stored)
        run: BatchRun | None = None
        if missing:
            run = BatchRun(
                self._wire(),
                missing,
                self._keeper(errand, once=True),
                self.budget,
                self.store,
                poll_s,
                shared_prefixes(list(missing.values())),
                self.pace.prompt_cache,
            )
            try:
                run_in_thread(run.go, lambda: watch.tell(run))
            finally:
                if self.audit is not None:
                    self.audit.flush()
            for key, positions in waiting.items():
                answers.update(dict.fromkeys(positions, run.answers[key]))
        watch.tell(run)
        return [answers[position] for position in range(len(requests))]

    def estimate(self, requests: Sequence[ClaudeRequest]) -> CostEstimate:
        """Price what would have to be asked."""
        sealed = [self.sealed(request) for request in requests]
        distinct = {self._key(request): request for request in sealed}
        stored = self._stored(distinct)
        missing = [r for key, r in distinct.items() if key not in stored]
        if self.connection.origin is Origin.REPLAY:
            missing = []
        return estimate_cost(missing, len(distinct), list(stored.values()), self.prices)

    def count_tokens(self, requests: Sequence[ClaudeRequest]) -> list[int]:
        """Have the endpoint count the input tokens of requests."""
        sealed = [self.sealed(request) for request in requests]
        distinct = {self._key(request): request for request in sealed}
        counted: dict[str, int] = {}
        wire = self._wire()
        run_in_thread(lambda: count_all(wire, distinct, counted), lambda: None)
        return [counted[self._key(request)] for request in sealed]

    def record(self, requests: Sequence[ClaudeRequest]) -> Cassette:
        """Pair requests with their stored answers."""
        sealed = [self._named(self.sealed(request)) for request in requests]
        distinct = {self._key(request): request for request in sealed}
        stored = self._stored(distinct)
        return Cassette.of([(r, stored.get(key)) for key, r in distinct.items()])

    def _unnamed(self, errand: Errand) -> Errand:
        """An errand's names are kept in clear, so that they must not be anybody's."""
        task, arm = self.gate.seal(errand.task).text, self.gate.seal(errand.arm).text
        return replace(errand, task=task[:_LONGEST_NAME], arm=arm[:_LONGEST_NAME])

    def _named(self, sealed: ClaudeRequest) -> ClaudeRequest:
        """Replace whom a request is about by a keyed hash: all that any store keeps of it."""
        if sealed.subject is None:
            return sealed
        return replace(sealed, subject=self.gate.pseudonym(sealed.subject))

    def _split(
        self,
        block: Sequence[tuple[int, ClaudeRequest]],
        waiting: Waiting,
        tags: frozenset[str],
    ) -> Split:
        sealed = [(position, self.sealed(request)) for position, request in block]
        stored, missing = split_block(sealed, waiting, self._key, self._stored)
        self.counters.found(len(block), len(stored))
        missing = {key: self._named(request) for key, request in missing.items()}
        if self.semantic is not None and missing:
            stored += self._meant(self.semantic, missing, waiting, tags)
        self._check_payable(missing)
        about = [
            (self.gate.pseudonym(request.subject), self._key(request))
            for _, request in sealed
            if request.subject is not None
        ]
        if about and self.connection.origin is not Origin.REPLAY:
            # Also of those who ask what somebody else has asked: erasing must find them all.
            self.store.link(self.tenant, about)
        return Split(stored, missing)

    def _meant(
        self,
        semantic: "SemanticCache",
        missing: dict[str, ClaudeRequest],
        waiting: Waiting,
        tags: frozenset[str],
    ) -> list[Numbered]:
        """Serve what means the same as a question answered before; the rest stays missing."""
        served: list[Numbered] = []
        hits = semantic.lookup(
            list(missing.values()),
            tenant=self.tenant,
            origin=self.connection.origin,
            endpoint=self.connection.base_url,
            tags=tags,
        )
        for (key, request), hit in zip(list(missing.items()), hits, strict=True):
            if hit is None or hit.explore:
                self._exploring[key] = (request, hit)
                continue
            answer = replace(hit.answer, key=key, cached=True, cache="semantic")
            served += [Numbered(position, answer) for position in waiting.pop(key)]
            del missing[key]
        return served

    def _stored(self, keys: Iterable[str]) -> dict[str, Answer]:
        if self.cassette is not None:
            return self.cassette.answers(keys)
        found = self.store.get_many(keys)
        if self.connection.origin is Origin.REPLAY:
            found = {key: replace(a, origin=Origin.REPLAY) for key, a in found.items()}
        return found

    def _check_payable(self, missing: Mapping[str, ClaudeRequest]) -> None:
        """Make sure requests can be asked, paid and stored, before any is."""
        if not missing:
            return
        if self.cassette is not None:
            raise self.cassette.miss(next(iter(missing.values())), len(missing))
        if self.connection.origin is Origin.REPLAY:
            raise ClaudeError(
                f"{len(missing)} of the requests were never recorded live",
                where=str(self.store.path),
                expected="a stored live answer for every request",
                fix="ask live once with an API key, or correct the prompt, model or schema",
            )
        today = datetime.now(UTC).date()
        models = {request.model for request in missing.values()}
        instead = {self.pace.fallbacks[m] for m in models if m in self.pace.fallbacks}
        for model in sorted((models | instead) - self._checked):
            self.prices.price(model, today)
            self._checked.add(model)
        self.store.check_writable()

    def _keeper(
        self, errand: Errand, *, once: bool = False
    ) -> Callable[[Sequence[tuple[Answer, str | None]]], None]:
        def keep(landed: Sequence[tuple[Answer, str | None]]) -> None:
            put = self.store.put_absent if once else self.store.put_many
            put(landed, tenant=self.tenant, task=errand.task, arm=errand.arm)
            for answer, _ in landed:
                self.counters.landed(answer)
                if self.audit is not None:
                    self._note(answer, errand, self.audit)
                if self.semantic is not None and answer.key in self._exploring:
                    self._learn(answer, errand, self.semantic)

        return keep

    def _learn(self, answer: Answer, errand: Errand, semantic: "SemanticCache") -> None:
        request, hit = self._exploring.pop(answer.key)
        try:
            semantic.observe(
                request,
                answer,
                tenant=self.tenant,
                origin=self.connection.origin,
                endpoint=self.connection.base_url,
                tags=errand.tags,
                neighbour=hit,
            )
        except ClaudeError:  # the answer itself is kept: only what it teaches is lost
            self.counters.unlearnt += 1

    def _note(self, answer: Answer, errand: Errand, audit: AuditLog) -> None:
        audit.append(
            errand.task or "message",
            agent_id=errand.arm,
            location_id=self.tenant,
            request=answer.key,  # itself the digest of everything that was sent
            response=answer.text,
            processing_time_ms=1000 * (answer.latency_s or 0.0),
            compliance_flags=compliance_flags(
                answer.text, self.gate, stop_reason=answer.stop_reason
            ),
        )

    def close(self) -> None:
        """Write what is left to write, and let go of files and processes."""
        with contextlib.ExitStack() as stack:
            stack.callback(self.store.close)
            if self.semantic is not None:
                stack.callback(self.semantic.close)
            if self.audit is not None:
                stack.callback(self.audit.close)
            stack.callback(self.connection.close)

    def _wire(self) -> Wire:
        return Wire(
            origin=self.connection.origin,
            base_url=self.connection.url(),
            api_key=self.connection.key(),
            concurrency=self.pace.concurrency,
            max_retries=self.pace.max_retries,
            timeout_s=self.pace.timeout_s,
            prices=self.prices,
            limits=self.pace.limits,
            max_retry_after_s=self.pace.max_retry_after_s,
            tracer_provider=self.connection.tracer_provider,
        )
