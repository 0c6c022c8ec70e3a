"""One run over the wire: a fixed number of workers, the real SDK, book first and read second."""

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from workbench.claude.budget import Budget, worst_case_usd
from workbench.claude.messages import Answer, ClaudeRequest, Usage, request_body
from workbench.claude.origin import Origin
from workbench.claude.prices import undated
from workbench.claude.wire import Wire, attempts_made, read_text, read_usage, sdk
from workbench.errors import BudgetExceededError, ClaudeError, PriceError

if TYPE_CHECKING:
    import anthropic

__all__ = ["Run"]

GIVE_UP_AFTER = 50
"""Failures in a row, with no success between, after which a run stops."""

_FATAL = {400, 401, 402, 403, 404}
_ECHO_CHARS = 20


@dataclass(slots=True)
class Run:
    """Ask each of some requests once.

    Parameters
    ----------
    wire
        Where and how.
    requests
        Distinct requests by key, none of them stored.
    keep
        Books and stores an answer; called the moment it arrives, from the run's own thread.
    budget
        Spending limit.
    """

    wire: Wire
    requests: Mapping[str, ClaudeRequest]
    keep: Callable[[Answer], None]
    budget: Budget
    answers: dict[str, Answer] = field(default_factory=dict)
    cost_usd: float = 0.0
    errors: int = 0
    stopping: bool = False
    _failure: ClaudeError | None = None
    _failures_in_a_row: int = 0
    _in_flight: int = 0
    _unkept_usd: float = 0.0
    _landed: asyncio.Event = field(default_factory=asyncio.Event)

    async def go(self) -> None:
        """Ask until done, stopped or failed; what was in flight is always let finish.

        Raises
        ------
        BudgetExceededError
            When the next call could overrun the budget.
        ClaudeError
            When the endpoint refuses requests as such, nothing gets through, or an answer
            cannot be stored.
        """
        pending = iter(self.requests.items())
        async with sdk(self.wire) as client:
            workers = min(self.wire.concurrency, len(self.requests))
            async with asyncio.TaskGroup() as group:
                for _ in range(workers):
                    group.create_task(self._work(client, pending))
        if self._failure is not None:
            raise self._failure

    async def _work(
        self, client: "anthropic.AsyncAnthropic", pending: Iterator[tuple[str, ClaudeRequest]]
    ) -> None:
        while not self.stopping:
            item = next(pending, None)
            if item is None:
                return
            key, request = item
            reserved = worst_case_usd(request, self.wire.prices, datetime.now(UTC).date())
            if not await self._reserved(reserved):
                return
            cost = 0.0
            self._in_flight += 1
            try:
                answer = await self._ask(client, key, request)
                if answer is not None:
                    cost = answer.cost_usd
                    self._land(answer)
            finally:
                self._in_flight -= 1
                self.budget.settle(reserved, cost)
                self._landed.set()

    async def _reserved(self, amount_usd: float) -> bool:
        """Wait until the money is there; calls in flight mostly cost less than set aside."""
        while not self.stopping:
            if self.budget.reserve(amount_usd):
                return True
            if self._in_flight == 0:
                self._stop(self._over_budget())
                return False
            self._landed.clear()
            await self._landed.wait()
        return False

    def _land(self, answer: Answer) -> None:
        try:
            self.keep(answer)
        except ClaudeError as err:
            self._unkept_usd += answer.cost_usd
            err.what += f" (answers worth ${self._unkept_usd:.6f} arrived and are lost)"
            self._stop(err, replace=True)
            return
        self.answers[answer.key] = answer
        self.cost_usd += answer.cost_usd
        if answer.error is None:
            self._failures_in_a_row = 0
            return
        self.errors += 1
        self._failures_in_a_row += 1
        if self._failures_in_a_row >= GIVE_UP_AFTER:
            self._stop(
                ClaudeError(
                    f"{GIVE_UP_AFTER} requests in a row failed, the last with {answer.error}",
                    where=self.wire.base_url,
                    expected="an endpoint that answers",
                    fix="check the endpoint and ask again: stored answers are not asked again",
                )
            )

    def _stop(self, failure: ClaudeError, *, replace: bool = False) -> None:
        self.stopping = True
        self._landed.set()
        if self._failure is None or replace:
            self._failure = failure

    def _over_budget(self) -> BudgetExceededError:
        answered = len(self.answers) - self.errors
        return BudgetExceededError(
            f"the next call could overrun the budget: ${self.budget.spent_usd:.6f} of "
            f"${self.budget.limit_usd or 0.0:.6f} spent, {answered} answered now, "
            f"{len(self.requests) - answered} remaining",
            expected="a budget that covers the worst case of the next call",
            fix="raise budget_usd and run the same again: stored answers cost nothing",
        )

    async def _ask(
        self, client: "anthropic.AsyncAnthropic", key: str, request: ClaudeRequest
    ) -> Answer | None:
        import anthropic

        attempts = [0]
        attempts_made.set(attempts)
        began = _Began(key, request, datetime.now(UTC), time.perf_counter(), attempts)
        try:
            raw = await client.messages.with_raw_response.create(**request_body(request))
            body, headers = await _json(raw), raw.headers
        except anthropic.APIStatusError as err:
            if err.status_code in _FATAL:
                self._stop(self._refused(err, request))
                return None
            return self._failed(began, f"{type(err).__name__} {err.status_code}", err.request_id)
        except anthropic.APIConnectionError as err:
            return self._failed(began, type(err).__name__, None)
        return self._arrived(began, body, headers)

    def _refused(self, err: "anthropic.APIStatusError", request: ClaudeRequest) -> ClaudeError:
        fixes = {
            400: "correct the request",
            402: "check the account's billing",
            404: f"check the model {request.model!r} and the endpoint",
        }
        return ClaudeError(
            f"the request was refused: {type(err).__name__} {err.status_code} "
            f"({self._reason(err, request)}), request {err.request_id}",
            where=self.wire.base_url,
            expected="a valid key, a known model and a valid request",
            fix=f"{fixes.get(err.status_code, 'check the API key')}; stored answers are kept",
        )

    def _reason(self, err: "anthropic.APIStatusError", request: ClaudeRequest) -> str:
        """Words of the API, unless they repeat the key or a piece of the prompt."""
        said = (err.api_message or "")[:200]
        pieces = (said[i : i + _ECHO_CHARS] for i in range(max(1, len(said) - _ECHO_CHARS + 1)))
        sent = f"{request.prompt}\n{request.system or ''}"
        if not said or self.wire.api_key in said or any(piece in sent for piece in pieces):
            return str(err.type or "no reason given")
        return said

    def _failed(self, began: "_Began", what: str, request_id: str | None) -> Answer:
        tries = began.attempts[0]
        error = f"{what} after {tries} attempt{'' if tries == 1 else 's'}"
        return self._answer(began, None, None, Usage(), 0.0, error, request_id)

    def _arrived(self, began: "_Began", body: object, headers: Mapping[str, str]) -> Answer:
        request_id = headers.get("request-id")
        if not isinstance(body, dict) or not isinstance(body.get("usage"), dict):
            return self._failed(began, "unreadable answer", request_id)
        # What was billed is worked out before anything else of the answer is looked at.
        usage = read_usage(body["usage"])
        model = body.get("model") if isinstance(body.get("model"), str) else None
        cost = self._cost_usd(began, model, usage)
        simulated = headers.get("x-workbench-origin") == Origin.SIMULATED.value
        origin = Origin.SIMULATED if simulated else self.wire.origin
        if self.wire.origin is Origin.SIMULATED and not simulated:
            origin = Origin.LOCAL  # something else than the emulator listens there
        text = read_text(body.get("content"))
        stop_reason = body.get("stop_reason")
        error = None if isinstance(stop_reason, str) else "answer without a stop_reason"
        return self._answer(
            began,
            model,
            text,
            usage,
            cost,
            error,
            request_id,
            stop_reason=stop_reason,
            origin=origin,
        )

    def _cost_usd(self, began: "_Began", model: str | None, usage: Usage) -> float:
        at, asked = began.at.date(), began.request.model
        cost = self.wire.prices.cost_usd(asked, usage, at)
        if model is None or undated(model) == undated(asked) or not self.wire.prices.knows(model):
            return cost
        try:
            return max(cost, self.wire.prices.cost_usd(model, usage, at))
        except PriceError:
            return cost

    def _answer(
        self,
        began: "_Began",
        model: str | None,
        text: str | None,
        usage: Usage,
        cost: float,
        error: str | None,
        request_id: str | None,
        *,
        stop_reason: str | None = None,
        origin: Origin | None = None,
    ) -> Answer:
        return Answer(
            key=began.key,
            origin=origin or self.wire.origin,
            model_requested=began.request.model,
            model_answered=model,
            text=text,
            stop_reason=stop_reason,
            error=error,
            started_at=began.at.isoformat(timespec="milliseconds"),
            latency_s=time.perf_counter() - began.clock_s,
            ttft_s=None,
            attempts=began.attempts[0],
            usage=usage,
            cost_usd=cost,
            price_table=self.wire.prices.id,
            cached=False,
            request_id=request_id,
        )


@dataclass(frozen=True, slots=True)
class _Began:
    key: str
    request: ClaudeRequest
    at: datetime
    clock_s: float
    attempts: list[int]


async def _json(raw: "anthropic.AsyncAPIResponse[Any]") -> object:
    try:
        return await raw.json()
    except ValueError:
        return None
