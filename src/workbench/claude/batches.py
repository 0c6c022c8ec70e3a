"""The Message Batches API: half the price, within a day, in any order."""

import asyncio
import fcntl
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from workbench.claude.batch_notes import OpenBatch
from workbench.claude.budget import Budget, worst_case_usd
from workbench.claude.exchange import billed_usd
from workbench.claude.limits import Limiter
from workbench.claude.messages import Answer, ClaudeRequest, request_body
from workbench.claude.origin import Origin
from workbench.claude.prefixes import prefix_group
from workbench.claude.reply import Reply, read_body
from workbench.claude.store import AnswerStore
from workbench.claude.wire import Wire, sdk
from workbench.errors import BudgetExceededError, ClaudeError

if TYPE_CHECKING:
    import anthropic

__all__ = ["BATCH_SIZE", "BatchRun"]

BATCH_SIZE = 10_000
"""Requests in one batch; the API takes 100,000, and 256 MB."""

_KEPT_AT_ONCE = 200
_CLOCKS_DIFFER = timedelta(minutes=5)


@dataclass(slots=True)
class BatchRun:
    """Have requests answered in batches, going on with those that were made before.

    Parameters
    ----------
    wire
        Where.
    requests
        Distinct requests by key, none of them stored.
    keep
        Books and stores answers, each with its subject.
    budget
        Spending limit.
    store
        Where batches under way are noted.
    poll_s
        Seconds between looks at a batch.
    prefixes
        Characters shared at the start of prompts, by `prefix_group`.
    cache_ttl
        Prompt cache to ask for.
    """

    wire: Wire
    requests: Mapping[str, ClaudeRequest]
    keep: Callable[[Sequence[tuple[Answer, str | None]]], None]
    budget: Budget
    store: AnswerStore
    poll_s: float
    prefixes: Mapping[tuple[Any, ...], int]
    cache_ttl: str | None
    answers: dict[str, Answer] = field(default_factory=dict)
    answered: int = 0
    errors: int = 0
    attempts: int = 0
    cost_usd: float = 0.0
    _reserved_usd: dict[str, float] = field(default_factory=dict)

    async def go(self) -> None:
        """Make what batches are needed, wait for all, and read their results.

        Raises
        ------
        BudgetExceededError
            When a batch could overrun the budget; none of it was made.
        ClaudeError
            When the endpoint refuses, or answers cannot be stored. Batches that were made are
            found again by the next run.
        """
        import anthropic

        try:
            async with sdk(self.wire, Limiter(self.wire.limits)) as client:
                await self._go(client)
        except anthropic.APIStatusError as err:
            raise self._error(f"{type(err).__name__} {err.status_code} ({err.type})") from None
        except anthropic.APIConnectionError as err:
            raise self._error(type(err).__name__) from None
        finally:
            # What a batch under way will cost is set aside again when it is found again.
            for reserved in self._reserved_usd.values():
                self.budget.settle(reserved, 0.0)
            self._reserved_usd.clear()

    async def _go(self, client: "anthropic.AsyncAnthropic") -> None:
        endpoint = self.wire.base_url if self.wire.origin is Origin.LOCAL else None
        left = dict(self.requests)
        under_way: list[OpenBatch] = []
        # One at a time, over all processes: who comes second finds what the first has made.
        with self._only_one():
            await self._begin(client, endpoint, left, under_way)
        for batch in under_way:
            await self._finish(client, batch)
        # Another process may have read some of the results.
        self.answers |= self.store.get_many(k for k in self.requests if k not in self.answers)
        for key in self.requests:
            if key not in self.answers:
                self.answers[key] = self._missing(key)
                self.errors += 1

    async def _begin(
        self,
        client: "anthropic.AsyncAnthropic",
        endpoint: str | None,
        left: dict[str, ClaudeRequest],
        under_way: list[OpenBatch],
    ) -> None:
        for known in self.store.open_batches(self.wire.origin, endpoint):
            if any(key in left for key in known.asked):
                batch_id = known.batch_id or await self._orphan(client, known)
                if batch_id is not None:
                    under_way.append(replace(known, batch_id=batch_id))
                    for key in known.asked:
                        left.pop(key, None)
        keys = list(left)
        for start in range(0, len(keys), BATCH_SIZE):
            chunk = keys[start : start + BATCH_SIZE]
            under_way.append(await self._make(client, endpoint, chunk))

    @contextmanager
    def _only_one(self) -> Iterator[None]:
        path = self.store.path.with_name(f"{self.store.path.name}.batches")
        with path.open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def _missing(self, key: str) -> Answer:
        line = SimpleNamespace(custom_id=key, result=SimpleNamespace(type="without a result"))
        return self._answer(line, self.requests[key].model, "", 0.0)

    async def _make(
        self, client: "anthropic.AsyncAnthropic", endpoint: str | None, keys: Sequence[str]
    ) -> OpenBatch:
        reserved = sum(self._worst_usd(self.requests[key]) for key in keys)
        if not self.budget.reserve(reserved):
            raise BudgetExceededError(
                f"a batch of {len(keys)} could overrun the budget: ${self.budget.spent_usd:.6f} "
                f"of ${self.budget.limit_usd or 0:.6f} spent, ${reserved:.6f} at worst",
                where=self.wire.base_url,
                expected="enough for the worst case of the whole batch",
                fix="raise budget_usd, lower max_tokens or ask for fewer at once",
            )
        asked = {k: (self.requests[k].model, self.requests[k].subject) for k in keys}
        noted = self.store.open_batch(self.wire.origin, endpoint, asked)
        params: Any = [{"custom_id": key, "params": self._body(key)} for key in keys]
        batch = await client.messages.batches.create(requests=params)
        # Its money stays set aside until its results are read.
        self._reserved_usd[batch.id] = reserved
        self.store.name_batch(noted.id, batch.id)
        return replace(noted, batch_id=batch.id)

    def _body(self, key: str) -> dict[str, Any]:
        request = self.requests[key]
        chars = self.prefixes.get(prefix_group(request))
        ttl = self.cache_ttl if chars is not None else None
        return request_body(request, cache_ttl=ttl, prefix_chars=chars or 0)

    def _worst_usd(self, request: ClaudeRequest) -> float:
        today = datetime.now(UTC).date()
        whole = worst_case_usd(request, self.wire.prices, today, self.cache_ttl)
        return whole * self.wire.prices.price(request.model, today).batch_multiplier

    async def _orphan(self, client: "anthropic.AsyncAnthropic", known: OpenBatch) -> str | None:
        """Find a batch whose id was never noted: made just then, of as many requests."""
        noted = datetime.fromisoformat(known.created_at)
        async for batch in client.messages.batches.list(limit=100):
            if batch.created_at < noted - _CLOCKS_DIFFER:
                break
            counts = batch.request_counts
            total = counts.processing + counts.succeeded + counts.errored
            total += counts.canceled + counts.expired
            near = abs(batch.created_at - noted) <= _CLOCKS_DIFFER
            if near and total == len(known.asked):
                self.store.name_batch(known.id, batch.id)
                return batch.id
        self.store.end_batch(known.id)  # it was never made
        return None

    async def _finish(self, client: "anthropic.AsyncAnthropic", batch: OpenBatch) -> None:
        name, began = str(batch.batch_id), time.perf_counter()
        while (await client.messages.batches.retrieve(name)).processing_status != "ended":
            await asyncio.sleep(self.poll_s)
        # Everything that was asked is paid for and kept, also what is not wanted any more.
        kept = set(self.store.get_many(batch.asked))
        block: list[tuple[Answer, str | None]] = []
        spent = 0.0
        async for line in await client.messages.batches.results(name):
            if line.custom_id not in batch.asked or line.custom_id in kept:
                continue
            model, subject = batch.asked[line.custom_id]
            answer = self._answer(line, model, name, time.perf_counter() - began)
            spent += answer.cost_usd
            block.append((answer, subject))
            if len(block) >= _KEPT_AT_ONCE:
                self._land(block)
                block = []
        self._land(block)
        self.budget.settle(self._reserved_usd.pop(name, 0.0), spent)
        self.store.end_batch(batch.id)

    def _land(self, block: Sequence[tuple[Answer, str | None]]) -> None:
        self.keep(block)
        for answer, _ in block:
            self.cost_usd += answer.cost_usd
            if answer.key in self.requests:
                self.answers[answer.key] = answer
                self.answered += answer.error is None
                self.errors += answer.error is not None
                self.attempts += 1

    def _answer(self, line: Any, model: str, batch_id: str, queued_s: float) -> Answer:
        result, at = line.result, datetime.now(UTC)
        reply = Reply({}, broken=f"batch: {result.type}")
        if result.type == "succeeded":
            reply = read_body(result.message.to_dict(), {})
        elif result.type == "errored":
            reply = Reply({}, broken=f"batch: {result.error.error.type}")
        whole = reply.broken is None
        return Answer(
            key=line.custom_id,
            origin=self._origin(reply.model),
            model_requested=model,
            model_answered=reply.model,
            text=reply.text if whole else None,
            stop_reason=reply.stop_reason if whole else None,
            error=reply.broken,
            started_at=at.isoformat(timespec="milliseconds"),
            latency_s=None,  # in a batch, no answer has one of its own
            ttft_s=None,
            attempts=1,
            usage=reply.usage,
            cost_usd=billed_usd(self.wire.prices, model, reply.model, reply.usage, at),
            price_table=self.wire.prices.id,
            cached=False,
            request_id=batch_id,
            queued_s=queued_s,
        )

    def _origin(self, model: str | None) -> Origin:
        if model is not None and model.startswith("sim:"):
            return Origin.SIMULATED
        simulated = self.wire.origin is Origin.SIMULATED
        return Origin.LOCAL if simulated and model is not None else self.wire.origin

    def _error(self, what: str) -> ClaudeError:
        return ClaudeError(
            f"the batch failed: {what}",
            where=self.wire.base_url,
            expected="an endpoint that offers Message Batches, and a valid key",
            fix="check the endpoint and ask again: a batch that was made is found again",
        )
