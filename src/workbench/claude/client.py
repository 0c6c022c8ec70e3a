"""Ask Claude, or what stands in for it, many questions: each once, and never twice."""

import math
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from workbench.claude.budget import Budget, CostEstimate, Progress
from workbench.claude.driver import Watch, drive
from workbench.claude.emulator.process import EmulatorProcess
from workbench.claude.messages import Answer, ClaudeRequest, Usage, estimate_tokens
from workbench.claude.origin import Origin
from workbench.claude.prices import PRICES, PriceTable
from workbench.claude.store import AnswerStore
from workbench.claude.transport import Run
from workbench.claude.wire import Wire, is_loopback
from workbench.errors import ClaudeError
from workbench.settings import Settings

__all__ = ["ClaudeClient"]

_ANTHROPIC = "https://api.anthropic.com"
_NO_KEY = "no-key"  # the SDK wants one; a loopback endpoint does not look at it
_MODEST_OUTPUT_TOKENS = 150
_MESSAGE_OVERHEAD_TOKENS = 8


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
        Seconds one attempt may take.
    tenant
        On whose account the ledger books.
    prices
        Price table.
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
        tenant: str = "default",
        prices: PriceTable = PRICES,
        on_progress: Callable[[Progress], None] | None = None,
    ) -> None:
        self.origin = Origin(origin)
        _check(self.origin, api_key, base_url)
        for name, value, least in (
            ("concurrency", concurrency, 1),
            ("max_retries", max_retries, 0),
            ("timeout_s", timeout_s, 0.001),
            ("budget_usd", math.inf if budget_usd is None else budget_usd, 0),
        ):
            if not value >= least:
                raise ClaudeError(f"{name} is {value!r}", expected=f"{least} or more")
        self.store = store if isinstance(store, AnswerStore) else AnswerStore(store)
        self.base_url = base_url.rstrip("/") if base_url else None
        self.concurrency = concurrency
        self.max_retries = max_retries
        self.timeout_s = timeout_s
        self.tenant = tenant
        self.prices = prices
        self.on_progress = on_progress
        self._api_key = api_key
        self._budget = Budget(budget_usd)
        self._emulator: EmulatorProcess | None = None
        self._lock = threading.Lock()

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
        left_behind = {"_api_key": None, "_emulator": None, "_lock": None, "_budget": None}
        return {**self.__dict__, **left_behind, "_limit_usd": self._budget.limit_usd}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self._budget = Budget(state.pop("_limit_usd"))
        self.__dict__.update({k: v for k, v in state.items() if k != "_budget"})
        self._lock = threading.Lock()

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
        keys = [self.key(request) for request in requests]
        distinct = dict(zip(keys, requests, strict=True))
        answers = self.store.get_many(distinct)
        missing = {key: request for key, request in distinct.items() if key not in answers}
        if self.origin is Origin.REPLAY:
            answers = {key: replace(a, origin=Origin.REPLAY) for key, a in answers.items()}
        watch = Watch(on_progress or self.on_progress, len(distinct), len(answers))
        run = None
        if missing:
            wire = self._wire(missing)

            def keep(answer: Answer) -> None:
                self.store.put(answer, tenant=self.tenant, task=task, arm=arm)

            run = Run(wire, missing, keep, self._budget)
            drive(run, watch)
            answers.update(run.answers)
        watch.tell(run)
        return [answers[key] for key in keys]

    def estimate(self, requests: Sequence[ClaudeRequest]) -> CostEstimate:
        """Estimate what `ask` would cost, without asking.

        Parameters
        ----------
        requests
            What would be asked.

        Returns
        -------
        CostEstimate
            Input at three characters per token; output between a modest one and `max_tokens`.

        Raises
        ------
        PriceError
            When a model has no price.
        ClaudeError
            When the store cannot be read.
        """
        distinct = {self.key(request): request for request in requests}
        stored = self.store.get_many(distinct)
        today = datetime.now(UTC).date()
        tokens, low, high = 0, 0.0, 0.0
        for key, request in distinct.items():
            if key in stored or self.origin is Origin.REPLAY:
                continue
            price = self.prices.price(request.model, today)
            texts = (request.system, request.prompt, request.schema)
            size = sum(estimate_tokens(str(text or "")) for text in texts)
            size += _MESSAGE_OVERHEAD_TOKENS
            modest = min(request.max_tokens, _MODEST_OUTPUT_TOKENS)
            tokens += size
            low += price.cost_usd(Usage(size, modest))
            high += price.cost_usd(Usage(size, request.max_tokens))
        return CostEstimate(len(distinct), len(stored), tokens, low, high, self.prices.id)

    def close(self) -> None:
        """Stop the emulator, if one was started, and close the store; both reopen at need."""
        with self._lock:
            if self._emulator is not None:
                self._emulator.close()
            self._emulator = None
        self.store.close()

    def _wire(self, missing: Mapping[str, ClaudeRequest]) -> Wire:
        """Make sure the requests can be asked, paid and stored; then say where to send them."""
        if self.origin is Origin.REPLAY:
            raise ClaudeError(
                f"{len(missing)} of the requests were never recorded live",
                where=str(self.store.path),
                expected="a stored live answer for every request",
                fix="ask live once with an API key, or correct the prompt, model or schema",
            )
        today = datetime.now(UTC).date()
        for model in dict.fromkeys(request.model for request in missing.values()):
            self.prices.price(model, today)
        self.store.check_writable()
        if self.origin is Origin.LIVE and self._api_key is None:
            self._api_key = Settings.from_env().api_key
            _check(self.origin, self._api_key, None)
        return Wire(
            origin=self.origin,
            base_url=self._endpoint(),
            api_key=self._api_key or _NO_KEY,
            concurrency=self.concurrency,
            max_retries=self.max_retries,
            timeout_s=self.timeout_s,
            prices=self.prices,
        )

    def _endpoint(self) -> str:
        if self.origin is Origin.LIVE:
            return _ANTHROPIC
        if self.base_url is not None:
            return self.base_url
        with self._lock:
            if self._emulator is None or not self._emulator.running:
                self._emulator = EmulatorProcess()
            return self._emulator.url


def _check(origin: Origin, api_key: str | None, base_url: str | None) -> None:
    if origin is Origin.LIVE and (not api_key or base_url):
        raise ClaudeError(
            "a live client has a base_url" if base_url else "a live client has no API key",
            expected="an API key and Anthropic's own endpoint",
            fix="set ANTHROPIC_API_KEY, or use origin 'local' for an endpoint of your own",
        )
    if origin is Origin.LOCAL and not base_url:
        raise ClaudeError(
            "a local client has no base_url",
            expected="the URL of an Anthropic-compatible endpoint",
            fix="set ANTHROPIC_BASE_URL or pass base_url",
        )
    if origin is Origin.SIMULATED and base_url and not is_loopback(base_url):
        raise ClaudeError(
            f"the simulated origin has the endpoint {base_url!r}",
            expected="an emulator on this machine, such as http://127.0.0.1:8000",
            fix="leave base_url out, or use origin 'local'",
        )
