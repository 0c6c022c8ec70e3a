"""Ask Claude, or what stands in for it, many questions: each once, and never twice."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, Self

from workbench.claude.budget import Budget, CostEstimate, Progress
from workbench.claude.cassette import Cassette
from workbench.claude.connection import Connection
from workbench.claude.coroutines import Coroutines
from workbench.claude.counters import CacheReport
from workbench.claude.driver import Watch
from workbench.claude.engine import Engine, Errand, Pace
from workbench.claude.feeding import Numbered
from workbench.claude.limits import RateLimits
from workbench.claude.messages import Answer, ClaudeRequest
from workbench.claude.origin import Origin
from workbench.claude.prices import PRICES, PriceTable
from workbench.claude.reply import Partial
from workbench.claude.store import AnswerStore
from workbench.privacy import AuditLog, PrivacyGate, TenantKeys
from workbench.settings import Settings

if TYPE_CHECKING:
    from workbench.claude.semantic import SemanticCache

__all__ = ["ClaudeClient"]


class ClaudeClient(Coroutines):
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
    budget_usd
        Most this client may spend over its life, US dollars; `None` for no limit. Counted at
        the worst case before each call, so calls in flight cannot overrun it.
    cassette
        File of recorded answers to replay; see `Cassette`. For `Origin.REPLAY` only.
    tenant
        On whose account the ledger books.
    prices
        Price table.
    concurrency, max_retries, timeout_s, max_retry_after_s, limits, rate_per_s, prompt_cache, \
fallbacks, trace_share, on_outage
        How fast, how stubbornly and how frugally it asks: see `Pace`.
    gate
        What takes identifiers out of everything that is sent; `None` for one with the tenant's
        key in the folder ``keys`` beside the store.
    audit
        Log of every answer that arrives; `None` for none.
    semantic
        Cache that serves answers to questions that mean the same; `None` for none.
    tracer_provider
        OpenTelemetry's, for spans of `trace_share` of the calls: see `tracking.traced_calls`.
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
    >>> first.model_answered.startswith("sim:"), first.cached, again.cached
    (True, False, True)
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
        cassette: Path | str | None = None,
        tenant: str = "default",
        prices: PriceTable = PRICES,
        limits: RateLimits | None = None,
        prompt_cache: Literal["5m", "1h"] | None = "5m",
        fallbacks: Mapping[str, str] | None = None,
        rate_per_s: float | None = None,
        trace_share: float = 0.0,
        on_outage: Literal["raise", "errors"] = "raise",
        gate: PrivacyGate | None = None,
        audit: AuditLog | None = None,
        semantic: "SemanticCache | None" = None,
        tracer_provider: Any = None,
        on_progress: Callable[[Progress], None] | None = None,
    ) -> None:
        pace = Pace(
            concurrency=concurrency,
            max_retries=max_retries,
            timeout_s=timeout_s,
            max_retry_after_s=max_retry_after_s,
            limits=limits or RateLimits(),
            rate_per_s=rate_per_s,
            prompt_cache=prompt_cache,
            fallbacks=dict(fallbacks or {}),
            trace_share=trace_share,
            on_outage=on_outage,
        )
        store = store if isinstance(store, AnswerStore) else AnswerStore(store)
        if gate is None:
            gate = PrivacyGate(TenantKeys(store.path.parent / "keys"), tenant=tenant)
        self._engine = Engine(
            connection=Connection(Origin(origin), api_key, base_url, tracer_provider),
            store=store,
            cassette=cassette if cassette is None else Cassette.load(cassette),
            prices=prices,
            budget=Budget(budget_usd),
            tenant=tenant,
            pace=pace,
            gate=gate,
            audit=audit,
            semantic=semantic,
        )
        self.on_progress = on_progress

    @classmethod
    def from_settings(
        cls,
        settings: Settings,
        *,
        origin: Origin | None = None,
        store_path: Path | str | None = None,
        **options: Any,
    ) -> Self:
        """Build the client a process's settings ask for, with an audit log in ``mlruns``.

        A cassette means replay, a `base_url` local, a key alone live, none of them simulated.

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

        Raises
        ------
        ClaudeError
            When the settings do not fit the origin.
        """
        if origin is None:
            origin = Origin.LIVE if settings.api_key else Origin.SIMULATED
            origin = Origin.LOCAL if settings.base_url else origin
            origin = Origin.REPLAY if settings.cassette else origin
        store = store_path if store_path is not None else settings.mlruns / "answers.sqlite"
        tenant = options.get("tenant", "default")
        gate = options.get("gate") or PrivacyGate(
            TenantKeys(settings.mlruns / "keys"), tenant=tenant
        )
        options |= {"store": store, "gate": gate}
        options.setdefault("audit", AuditLog(settings.mlruns / "audit.jsonl", gate.pseudonym))
        if origin is Origin.REPLAY:
            options.setdefault("cassette", settings.cassette)
        if origin in (Origin.LIVE, Origin.LOCAL):
            options.setdefault("api_key", settings.api_key)
        if origin is Origin.LOCAL:
            options.setdefault("base_url", settings.base_url)
        return cls(origin=origin, **options)

    @property
    def origin(self) -> Origin:
        """Who answers."""
        return self._engine.connection.origin

    @property
    def store(self) -> AnswerStore:
        """Where answers are kept."""
        return self._engine.store

    @property
    def prices(self) -> PriceTable:
        """Price table."""
        return self._engine.prices

    @property
    def pace(self) -> Pace:
        """How fast, how stubbornly and how frugally it asks."""
        return self._engine.pace

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

    @property
    def spent_usd(self) -> float:
        """US dollars spent since the client was made."""
        return self._engine.budget.spent_usd

    @property
    def caches(self) -> CacheReport:
        """What the three caches did since this client was made."""
        semantic = self._engine.semantic
        return self._engine.counters.report(None if semantic is None else semantic.stats)

    def sealed(self, request: ClaudeRequest) -> ClaudeRequest:
        """Show what would be sent of a request, once it is through the privacy gate.

        Parameters
        ----------
        request
            The request.

        Returns
        -------
        ClaudeRequest
            The request with tokens in the place of identifiers.

        Raises
        ------
        ClaudeError
            When the schema of its answer holds identifiers.
        """
        return self._engine.sealed(request)

    def key(self, request: ClaudeRequest) -> str:
        """Key an answer is stored under: of what is sent of the request, where it is sent."""
        return self._engine.key(request)

    def ask(
        self,
        requests: Sequence[ClaudeRequest],
        *,
        task: str = "",
        arm: str = "",
        on_progress: Callable[[Progress], None] | None = None,
        stream: bool = False,
        on_partial: Callable[[Partial], None] | None = None,
        tags: Iterable[str] = (),
        reidentify: bool = False,
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
        tags
            What the answers depend on (market, listing), for the semantic cache.
        reidentify
            Put back into the answers what the gate took out of their requests: for showing to
            whoever may see it, not for keeping.

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
        streamed = stream or on_partial is not None
        errand = Errand(task, arm, streamed, on_partial, frozenset(tags))
        watch = Watch(on_progress or self.on_progress, len(requests))
        each = self._engine.each(requests, errand, watch, at_once=True)
        by_position = {numbered.position: numbered.answer for numbered in each}
        answers = [by_position[position] for position in range(len(requests))]
        if reidentify:
            return [self._engine.restored(r, a) for r, a in zip(requests, answers, strict=True)]
        return answers

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
        errand = Errand(task, arm, stream)
        yield from self._engine.each(requests, errand, watch, at_once=False)

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
        return self._engine.batch(requests, Errand(task, arm), watch, poll_s)

    def record(self, requests: Sequence[ClaudeRequest], path: Path | str) -> int:
        """Write requests and their stored answers to a cassette, for review and for replay.

        Parameters
        ----------
        requests
            What was asked; every one must be stored.
        path
            The file to write.

        Returns
        -------
        int
            Answers written.

        Raises
        ------
        ClaudeError
            When an answer is missing, or may not be recorded; nothing is written then.
        """
        return self._engine.record(requests).save(path)

    def count_tokens(self, requests: Sequence[ClaudeRequest]) -> list[int]:
        """Have the endpoint count the input tokens of each request, which costs nothing.

        Raises
        ------
        ClaudeError
            When it does not.
        """
        return self._engine.count_tokens(requests)

    def estimate(self, requests: Sequence[ClaudeRequest]) -> CostEstimate:
        """Estimate what `ask` would cost, without asking: see `budget.estimate_cost`.

        Raises
        ------
        PriceError, ClaudeError
            When a model has no price, or the store cannot be read.
        """
        return self._engine.estimate(requests)

    def close(self) -> None:
        """Stop the emulator, if one was started, and close the store; both reopen at need."""
        self._engine.close()
