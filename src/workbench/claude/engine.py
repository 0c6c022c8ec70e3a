"""Between a request and its answer: what is stored, what has to be asked, and what it costs."""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Literal

from workbench.claude.batches import BatchRun
from workbench.claude.budget import Budget, CostEstimate, estimate_cost
from workbench.claude.cassette import Cassette
from workbench.claude.connection import Connection
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

__all__ = ["Engine", "Errand", "Pace"]

_WINDOW_PER_WORKER = 4


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
    """

    task: str
    arm: str
    stream: bool
    on_partial: Callable[[Partial], None] | None


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast, how stubbornly and how frugally requests are sent.

    The parameters are those of `ClaudeClient`.

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
    """

    connection: Connection
    store: AnswerStore
    cassette: Cassette | None
    prices: PriceTable
    budget: Budget
    tenant: str
    pace: Pace
    _checked: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        if self.cassette is not None and self.connection.origin is not Origin.REPLAY:
            raise ClaudeError(
                f"a client of origin {self.connection.origin.value!r} has a cassette",
                expected="origin 'replay': a cassette is read, and nobody asked",
                fix="use Origin.REPLAY, or leave the cassette out",
            )

    def key(self, request: ClaudeRequest) -> str:
        """Key of a request here."""
        origin = self.connection.origin
        if self.cassette is not None:
            origin = self.cassette.origin
        return request.key(origin, self.connection.base_url)

    def each(
        self, requests: Iterable[ClaudeRequest], errand: Errand, watch: Watch, *, at_once: bool
    ) -> Iterator[Numbered]:
        """Answer requests as answers come; `at_once` looks at all of them first."""

        def start(missing: Mapping[str, ClaudeRequest]) -> Run:
            shared = shared_prefixes(list(missing.values())) if at_once else None
            keep, manner = self._keeper(errand), self.pace.manner(errand)
            return Run(self._wire(), keep, self.budget, manner, prefixes=shared)

        window = None if at_once else _WINDOW_PER_WORKER * self.pace.concurrency
        return feed(requests, self._split, start, watch, window=window)

    def batch(
        self, requests: Sequence[ClaudeRequest], errand: Errand, watch: Watch, poll_s: float
    ) -> list[Answer]:
        """Answer requests through the Message Batches API."""
        waiting: Waiting = {}
        stored, missing = self._split(list(enumerate(requests)), waiting)
        answers = {numbered.position: numbered.answer for numbered in stored}
        watch.cached = len(stored)
        run: BatchRun | None = None
        if missing:
            run = BatchRun(
                self._wire(),
                missing,
                self._keeper(errand),
                self.budget,
                self.store,
                poll_s,
                shared_prefixes(list(missing.values())),
                self.pace.prompt_cache,
            )
            run_in_thread(run.go, lambda: watch.tell(run))
            for key, positions in waiting.items():
                answers.update(dict.fromkeys(positions, run.answers[key]))
        watch.tell(run)
        return [answers[position] for position in range(len(requests))]

    def estimate(self, requests: Sequence[ClaudeRequest]) -> CostEstimate:
        """Price what would have to be asked."""
        distinct = {self.key(request): request for request in requests}
        stored = self._stored(distinct)
        missing = [r for key, r in distinct.items() if key not in stored]
        if self.connection.origin is Origin.REPLAY:
            missing = []
        return estimate_cost(missing, len(distinct), list(stored.values()), self.prices)

    def record(self, requests: Sequence[ClaudeRequest]) -> Cassette:
        """Pair requests with their stored answers."""
        distinct = {self.key(request): request for request in requests}
        stored = self._stored(distinct)
        return Cassette.of([(r, stored.get(key)) for key, r in distinct.items()])

    def _split(self, block: Sequence[tuple[int, ClaudeRequest]], waiting: Waiting) -> Split:
        split = split_block(block, waiting, self.key, self._stored)
        self._check_payable(split.missing)
        return split

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

    def _keeper(self, errand: Errand) -> Callable[[Sequence[tuple[Answer, str | None]]], None]:
        def keep(landed: Sequence[tuple[Answer, str | None]]) -> None:
            self.store.put_many(landed, tenant=self.tenant, task=errand.task, arm=errand.arm)

        return keep

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
        )
