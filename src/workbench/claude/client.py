"""Ask Claude, or what stands in for it, many questions: each once, and never twice."""

import asyncio
import math
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

from workbench.claude.batches import BatchRun
from workbench.claude.budget import Budget, CostEstimate, Progress, estimate_cost
from workbench.claude.connection import Connection
from workbench.claude.driver import Watch, run_in_thread
from workbench.claude.exchange import Manner
from workbench.claude.feeding import Numbered, Split, Waiting, feed, split_block
from workbench.claude.limits import RateLimits
from workbench.claude.messages import Answer, ClaudeRequest
from workbench.claude.origin import Origin
from workbench.claude.prefixes import shared_prefixes
from workbench.claude.prices import PRICES, PriceTable
from workbench.claude.reply import Partial
from workbench.claude.store import AnswerStore
from workbench.claude.transport import Run
from workbench.claude.wire import Wire
from workbench.errors import ClaudeError
from workbench.settings import Settings

__all__ = ["ClaudeClient"]

_WINDOW_PER_WORKER = 4


@dataclass(frozen=True, slots=True)
class _Errand:
    """On whose behalf a call asks, and who listens."""

    task: str
    arm: str
    stream: bool
    on_partial: Callable[[Partial], None] | None


class ClaudeClient:
    """Ask questions of one origin, keep every answer, and book what each cost.

    Requests already answered are read from the store and cost nothing. Every call goes through
    Anthropic's own SDK; the origin decides where to. A client may be shared by threads. It is
    one thing with one budget: copies made by scikit-learn are the client itself. Pickled, it
    leaves its key and its emulator behind; unpickled, it reads the key from the environment.

    Parameters
    ----------
    origin
        Who answers. `Origin.REPLAY` asks nobody and reads what was recorded live.
    store
        An `AnswerStore`, or the path of one.
    api_key
        Anthropic key; needed for `Origin.LIVE`. Never shown, stored or logged.
    base_url
        Endpoint: needed for `Origin.LOCAL`, none for `Origin.LIVE`. For `Origin.SIMULATED` an
        emulator already running on this machine; one is started when needed otherwise.
    concurrency
        Requests in flight at once.
    budget_usd
        Most this client may spend over its life, US dollars; `None` for no limit. Counted at
        the worst case before each call, so calls in flight cannot overrun it.
    max_retries
        Retries of one request, by the SDK, on 408, 409, 429, 5xx and lost connections.
    timeout_s
        Seconds one attempt may take; of a stream, seconds it may say nothing.
    max_retry_after_s
        Most seconds a server's `retry-after` makes a request wait.
    tenant
        On whose account the ledger books.
    prices
        Price table.
    limits
        The account's rate limits, where known; the endpoint's headers correct them.
    prompt_cache
        ``5m`` or ``1h``: have the provider keep what the requests of a run share; `None` for
        not. Written tokens cost more than plain ones, read ones a tenth or less.
    fallbacks
        Model to ask instead of an overloaded one, by model; declared on the answer.
    rate_per_s
        Requests a second to start, whatever comes back; `None` for as fast as answers come.
    on_outage
        ``raise`` when nothing gets through any more, or give every further request an answer
        with an error (``errors``), so that a model of one's own can step in.
    on_progress
        Told how `ask` is getting on, unless the call names its own.

    Raises
    ------
    ClaudeError
        When key, endpoint or a number does not fit the origin.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with ClaudeClient(origin=Origin.SIMULATED, store=f"{folder}/answers.sqlite") as client:
    ...         question = ClaudeRequest("claude-haiku-5-5", "<message>Ready to buy</message>")
    ...         first, again = client.ask([question])[0], client.ask([question])[0]
    >>> first.model_answered, first.cached, again.cached
    ('sim:reader-1', False, True)
    """

    def __init__(
        self,
        *,
        origin: Origin,
        store: AnswerStore | Path | str,
        api_key: str | None = None,
        base_url: str | None = None,
        concurrency: int = 16,
        budget_usd: float | None = None,
        max_retries: int = 3,
        timeout_s: float = 60.0,
        max_retry_after_s: float = 30.0,
        tenant: str = "default",
        prices: PriceTable = PRICES,
        limits: RateLimits | None = None,
        prompt_cache: Literal["5m", "1h"] | None = "5m",
        fallbacks: Mapping[str, str] | None = None,
        rate_per_s: float | None = None,
        on_outage: Literal["raise", "errors"] = "raise",
        on_progress: Callable[[Progress], None] | None = None,
    ) -> None:
        self.origin = Origin(origin)
        self._connection = Connection(self.origin, api_key, base_url)
        for name, value, least in (
            ("concurrency", concurrency, 1),
            ("max_retries", max_retries, 0),
            ("timeout_s", timeout_s, 0.001),
            ("max_retry_after_s", max_retry_after_s, 0),
            ("budget_usd", math.inf if budget_usd is None else budget_usd, 0),
            ("rate_per_s", math.inf if rate_per_s is None else rate_per_s, 1e-6),
        ):
            if not value >= least:
                raise ClaudeError(f"{name} is {value!r}", expected=f"{least} or more")
        for name, chosen, known in (
            ("prompt_cache", prompt_cache, ("5m", "1h", None)),
            ("on_outage", on_outage, ("raise", "errors")),
        ):
            if chosen not in known:
                raise ClaudeError(f"{name} is {chosen!r}", expected=f"one of {known}")
        self.store = store if isinstance(store, AnswerStore) else AnswerStore(store)
        self.concurrency = concurrency
        self.max_retries = max_retries
        self.timeout_s = timeout_s
        self.max_retry_after_s = max_retry_after_s
        self.tenant = tenant
        self.prices = prices
        self.limits = limits or RateLimits()
        self.prompt_cache = prompt_cache
        self.fallbacks = dict(fallbacks or {})
        self.rate_per_s = rate_per_s
        self.on_outage = on_outage
        self.on_progress = on_progress
        self._budget = Budget(budget_usd)

    @classmethod
    def from_settings(
        cls,
        settings: Settings,
        *,
        origin: Origin | None = None,
        store_path: Path | str | None = None,
        **options: Any,
    ) -> Self:
        """Build the client a process's settings ask for.

        A `base_url` means local, a key alone means live, neither means simulated.

        Parameters
        ----------
        settings
            The settings.
        origin
            Overrides the choice.
        store_path
            The answer store; ``mlruns/answers.sqlite`` of the project when omitted.
        **options
            Other parameters of `ClaudeClient`.

        Returns
        -------
        ClaudeClient
            The client.

        Raises
        ------
        ClaudeError
            When the settings do not fit the origin.
        """
        if origin is None:
            origin = Origin.LIVE if settings.api_key else Origin.SIMULATED
            origin = Origin.LOCAL if settings.base_url else origin
        store = store_path if store_path is not None else settings.mlruns / "answers.sqlite"
        options.setdefault("store", store)
        if origin in (Origin.LIVE, Origin.LOCAL):
            options.setdefault("api_key", settings.api_key)
        if origin is Origin.LOCAL:
            options.setdefault("base_url", settings.base_url)
        return cls(origin=origin, **options)

    def __repr__(self) -> str:
        return f"ClaudeClient(origin={self.origin.value!r}, store={str(self.store.path)!r})"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def __sklearn_clone__(self) -> Self:
        return self

    def __deepcopy__(self, memo: dict[int, object]) -> Self:
        return self

    def __getstate__(self) -> dict[str, object]:
        return {**self.__dict__, "_budget": None, "_limit_usd": self._budget.limit_usd}

    def __setstate__(self, state: dict[str, Any]) -> None:
        budget = Budget(state.pop("_limit_usd"))
        self.__dict__.update(state, _budget=budget)

    @property
    def base_url(self) -> str | None:
        """Endpoint of the user's own; `None` for Anthropic's, or an emulator of this client's."""
        return self._connection.base_url

    @property
    def spent_usd(self) -> float:
        """US dollars this client has spent since it was made."""
        return self._budget.spent_usd

    def key(self, request: ClaudeRequest) -> str:
        """Key a request's answer is stored under.

        Parameters
        ----------
        request
            The request.

        Returns
        -------
        str
            `ClaudeRequest.key` for this client's origin and endpoint.
        """
        return request.key(self.origin, self.base_url)

    def ask(
        self,
        requests: Sequence[ClaudeRequest],
        *,
        task: str = "",
        arm: str = "",
        on_progress: Callable[[Progress], None] | None = None,
        stream: bool = False,
        on_partial: Callable[[Partial], None] | None = None,
    ) -> list[Answer]:
        """Ask what is not stored yet, and answer everything.

        Works in a script and in a notebook. Every answer is booked and stored the moment it
        arrives, so that a run cut short in any way goes on where it stopped.

        Parameters
        ----------
        requests
            What to ask; the same request twice is asked once.
        task, arm
            For the ledger.
        on_progress
            Called in this thread about twice a second, and once at the end.
        stream
            Have answers streamed, so that the time to the first token is known.
        on_partial
            Told each piece of a streamed answer, in a thread of the run's; implies `stream`.

        Returns
        -------
        list of Answer
            One per request, in their order. A request that failed for good has `error` set;
            it is not stored, and asked again next time.

        Raises
        ------
        BudgetExceededError
            When the next call could overrun the budget.
        PriceError
            When a model has no price; before anything is asked.
        ClaudeError
            When the endpoint refuses (key, model, request), nothing gets through, or answers
            cannot be stored. Everything stored by then is kept.
        """
        errand = _Errand(task, arm, stream or on_partial is not None, on_partial)
        watch = Watch(on_progress or self.on_progress, len(requests))
        each = self._each(requests, errand, watch, at_once=True)
        answers = {numbered.position: numbered.answer for numbered in each}
        return [answers[index] for index in range(len(requests))]

    def ask_each(
        self,
        requests: Iterable[ClaudeRequest],
        *,
        task: str = "",
        arm: str = "",
        on_progress: Callable[[Progress], None] | None = None,
        stream: bool = False,
    ) -> Iterator[Numbered]:
        """Ask any number of requests in bounded memory; answers come as they arrive.

        Parameters
        ----------
        requests
            What to ask, taken as it is needed: a generator will do.
        task, arm
            For the ledger.
        on_progress
            Called in this thread about twice a second, and once at the end.
        stream
            Have answers streamed.

        Yields
        ------
        Numbered
            The position of a request, and its answer.

        Raises
        ------
        BudgetExceededError, PriceError, ClaudeError
            As `ask` does.
        """
        watch = Watch(on_progress or self.on_progress)
        yield from self._each(requests, _Errand(task, arm, stream, None), watch, at_once=False)

    def ask_batch(
        self,
        requests: Sequence[ClaudeRequest],
        *,
        task: str = "",
        arm: str = "",
        poll_s: float = 30.0,
        on_progress: Callable[[Progress], None] | None = None,
    ) -> list[Answer]:
        """Ask through the Message Batches API: half the price, an answer within a day.

        A batch under way is found again, after a crash too, and never made twice.

        Parameters
        ----------
        requests
            What to ask.
        task, arm
            For the ledger.
        poll_s
            Seconds between looks at a batch.
        on_progress
            Called in this thread about twice a second, and once at the end.

        Returns
        -------
        list of Answer
            One per request, in their order; without latencies, which a batch does not have.

        Raises
        ------
        BudgetExceededError
            When a batch could overrun the budget; it is not made then.
        PriceError, ClaudeError
            As `ask` does.
        """
        watch = Watch(on_progress or self.on_progress, len(requests))
        waiting: Waiting = {}
        stored, missing = self._split(list(enumerate(requests)), waiting)
        answers = {numbered.position: numbered.answer for numbered in stored}
        watch.cached = len(stored)
        if missing:
            run = BatchRun(
                self._wire(),
                missing,
                lambda kept: self.store.put_many(kept, tenant=self.tenant, task=task, arm=arm),
                self._budget,
                self.store,
                poll_s,
                shared_prefixes(list(missing.values())),
                self.prompt_cache,
            )
            run_in_thread(run.go, lambda: watch.tell(run))
            for key, positions in waiting.items():
                answers.update(dict.fromkeys(positions, run.answers[key]))
        return [answers[position] for position in range(len(requests))]

    async def aask(self, requests: Sequence[ClaudeRequest], **options: Any) -> list[Answer]:
        """Ask from a coroutine, whose event loop stays free; see `ask`.

        Parameters
        ----------
        requests
            What to ask.
        **options
            Those of `ask`; callbacks are called in another thread.

        Returns
        -------
        list of Answer
            One per request, in their order.

        Raises
        ------
        BudgetExceededError, PriceError, ClaudeError
            As `ask` does.
        """
        return await asyncio.to_thread(self.ask, requests, **options)

    async def astream(
        self, request: ClaudeRequest, *, task: str = "", arm: str = ""
    ) -> AsyncIterator[Partial | Answer]:
        """Answer one request piece by piece.

        Parameters
        ----------
        request
            What to ask.
        task, arm
            For the ledger.

        Yields
        ------
        Partial or Answer
            The pieces as they arrive, then the answer. A stored answer comes without pieces;
            when a stream breaks and is asked again, pieces start anew.

        Raises
        ------
        BudgetExceededError, PriceError, ClaudeError
            As `ask` does.
        """
        loop = asyncio.get_running_loop()
        pieces: asyncio.Queue[Partial | None] = asyncio.Queue()

        def on_partial(piece: Partial) -> None:
            loop.call_soon_threadsafe(pieces.put_nowait, piece)

        asking = asyncio.ensure_future(
            self.aask([request], task=task, arm=arm, on_partial=on_partial)
        )
        asking.add_done_callback(lambda _: pieces.put_nowait(None))
        while (piece := await pieces.get()) is not None:
            yield piece
        yield (await asking)[0]

    def _each(
        self, requests: Iterable[ClaudeRequest], errand: "_Errand", watch: Watch, *, at_once: bool
    ) -> Iterator[Numbered]:
        def start(missing: Mapping[str, ClaudeRequest]) -> Run:
            shared = shared_prefixes(list(missing.values())) if at_once else None
            keep, manner = self._keeper(errand), self._manner(errand)
            return Run(self._wire(), keep, self._budget, manner, prefixes=shared)

        window = None if at_once else _WINDOW_PER_WORKER * self.concurrency
        return feed(requests, self._split, start, watch, window=window)

    def _split(self, block: Sequence[tuple[int, ClaudeRequest]], waiting: Waiting) -> Split:
        split = split_block(block, waiting, self.key, self.store.get_many)
        if self.origin is Origin.REPLAY:
            replayed = [n._replace(answer=replace(n.answer, origin=Origin.REPLAY))
                        for n in split.stored]  # fmt: skip
            split = Split(replayed, split.missing)
        self._check_payable(split.missing)
        return split

    def _check_payable(self, missing: Mapping[str, ClaudeRequest]) -> None:
        """Make sure requests can be asked, paid and stored, before any is."""
        if not missing:
            return
        if self.origin is Origin.REPLAY:
            raise ClaudeError(
                f"{len(missing)} of the requests were never recorded live",
                where=str(self.store.path),
                expected="a stored live answer for every request",
                fix="ask live once with an API key, or correct the prompt, model or schema",
            )
        today = datetime.now(UTC).date()
        models = {request.model for request in missing.values()}
        for model in sorted(models | {self.fallbacks[m] for m in models if m in self.fallbacks}):
            self.prices.price(model, today)
        self.store.check_writable()

    def _keeper(
        self, errand: "_Errand"
    ) -> Callable[[Sequence[tuple[Answer, ClaudeRequest]]], None]:
        def keep(landed: Sequence[tuple[Answer, ClaudeRequest]]) -> None:
            answers = [(answer, request.subject) for answer, request in landed]
            self.store.put_many(answers, tenant=self.tenant, task=errand.task, arm=errand.arm)

        return keep

    def _manner(self, errand: "_Errand") -> Manner:
        return Manner(
            stream=errand.stream,
            on_partial=errand.on_partial,
            cache_ttl=self.prompt_cache,
            fallbacks=self.fallbacks,
            rate_per_s=self.rate_per_s,
            on_outage=self.on_outage,
        )

    def estimate(self, requests: Sequence[ClaudeRequest]) -> CostEstimate:
        """Estimate what `ask` would cost, without asking.

        Parameters
        ----------
        requests
            What would be asked.

        Returns
        -------
        CostEstimate
            See `workbench.claude.budget.estimate_cost`.

        Raises
        ------
        PriceError
            When a model has no price.
        ClaudeError
            When the store cannot be read.
        """
        distinct = {self.key(request): request for request in requests}
        stored = self.store.get_many(distinct)
        missing = [r for key, r in distinct.items() if key not in stored]
        if self.origin is Origin.REPLAY:
            missing = []
        return estimate_cost(missing, len(distinct), list(stored.values()), self.prices)

    def close(self) -> None:
        """Stop the emulator, if one was started, and close the store; both reopen at need."""
        self._connection.close()
        self.store.close()

    def _wire(self) -> Wire:
        return Wire(
            origin=self.origin,
            base_url=self._connection.url(),
            api_key=self._connection.key(),
            concurrency=self.concurrency,
            max_retries=self.max_retries,
            timeout_s=self.timeout_s,
            prices=self.prices,
            limits=self.limits,
            max_retry_after_s=self.max_retry_after_s,
        )
