"""A spending limit that calls in flight cannot overrun, and where a run stands."""

import math
import statistics
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

from workbench.claude.messages import Answer, ClaudeRequest, Usage
from workbench.claude.prices import PriceTable
from workbench.errors import ClaudeError

__all__ = ["Budget", "CostEstimate", "Progress", "estimate_cost", "worst_case_usd"]

_OVERHEAD_TOKENS = 500  # what the API itself adds, for structured output above all


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a run stands.

    Parameters
    ----------
    done, total
        Distinct requests finished (stored ones included), and all of them.
    cached
        Requests answered from the store.
    errors
        Requests that brought nothing back.
    retries
        Attempts beyond the first of each request.
    cost_usd
        Spent in this run, US dollars.
    elapsed_s, eta_s
        Seconds since the start, and until the end at the rate so far (`None` before any).
    """

    done: int
    total: int
    cached: int
    errors: int
    retries: int
    cost_usd: float
    elapsed_s: float
    eta_s: float | None


@dataclass(frozen=True, slots=True)
class CostEstimate:
    """What asking would cost, before anything is asked.

    Parameters
    ----------
    n_requests, n_stored
        Distinct requests, and how many of them the store answers for nothing.
    input_tokens_estimate
        Input tokens of the distinct requests to ask.
    cost_usd
        Expected US dollars.
    cost_usd_low, cost_usd_high
        Between these with some certainty: see `estimate_cost`.
    cost_usd_most
        US dollars if every answer used all of its `max_tokens`.
    price_table
        Table the prices are from.
    """

    n_requests: int
    n_stored: int
    input_tokens_estimate: int
    cost_usd: float
    cost_usd_low: float
    cost_usd_high: float
    cost_usd_most: float
    price_table: str


# Characters a token of English covers with current tokenizers: few, usual, many.
_CHARS_PER_TOKEN = (3.0, 3.5, 4.5)
# Output tokens of a structured answer where none has been seen: few, usual, many.
_OUTPUT_TOKENS = (50.0, 150.0, 400.0)
_MESSAGE_OVERHEAD_TOKENS = 8
_ENOUGH_SEEN = 20
_ROUNDING_USD = 1e-12


def estimate_cost(
    missing: Sequence[ClaudeRequest], n_requests: int, seen: Sequence[Answer], prices: PriceTable
) -> CostEstimate:
    """Estimate what requests would cost.

    Input is counted in characters: three to four and a half per token. Output is what answers
    that are stored used, where there are twenty (2.5, 50 and 97.5 % of them), else 50, 150 and
    400 tokens; never more than `max_tokens`. Caching of prompts is left out: it makes it cheaper.

    Parameters
    ----------
    missing
        Requests that would be asked.
    n_requests
        Distinct requests, stored ones included.
    seen
        Answers that are stored.
    prices
        Price table.

    Returns
    -------
    CostEstimate
        The estimate.

    Raises
    ------
    PriceError
        When a model has no price.

    Examples
    --------
    >>> from workbench.claude.prices import PRICES
    >>> asked = [ClaudeRequest("claude-haiku-5-5", "Will they buy?" * 100, max_tokens=300)]
    >>> estimate = estimate_cost(asked, 1, [], PRICES)
    >>> estimate.cost_usd_low < estimate.cost_usd < estimate.cost_usd_high
    True
    """
    today = datetime.now(UTC).date()
    outputs = _OUTPUT_TOKENS
    if len(used := sorted(answer.usage.output_tokens for answer in seen)) >= _ENOUGH_SEEN:
        cuts = statistics.quantiles(used, n=40, method="inclusive")
        outputs = (cuts[0], cuts[19], cuts[38])
    tokens, costs, most = 0.0, [0.0, 0.0, 0.0], 0.0
    for request in missing:
        price = prices.price(request.model, today)
        texts = (request.system, request.prompt, str(request.schema or ""))
        chars = sum(len(text or "") for text in texts)
        tokens += chars / _CHARS_PER_TOKEN[1] + _MESSAGE_OVERHEAD_TOKENS
        # Few characters a token make many tokens: the dear end of the interval.
        for i, (per_token, output) in enumerate(
            zip(reversed(_CHARS_PER_TOKEN), outputs, strict=True)
        ):
            size = math.ceil(chars / per_token) + _MESSAGE_OVERHEAD_TOKENS
            costs[i] += price.cost_usd(Usage(size, min(request.max_tokens, math.ceil(output))))
        largest = math.ceil(chars / _CHARS_PER_TOKEN[0]) + _MESSAGE_OVERHEAD_TOKENS
        most += price.cost_usd(Usage(largest, request.max_tokens))
    return CostEstimate(
        n_requests=n_requests,
        n_stored=n_requests - len(missing),
        input_tokens_estimate=round(tokens),
        cost_usd=costs[1],
        cost_usd_low=costs[0],
        cost_usd_high=costs[2],
        cost_usd_most=most,
        price_table=prices.id,
    )


class Budget:
    """Money spent and reserved, shared by every thread of a client.

    Parameters
    ----------
    limit_usd
        US dollars, `None` for no limit.

    Raises
    ------
    ClaudeError
        When the limit is negative.

    Examples
    --------
    >>> budget = Budget(1.0)
    >>> budget.reserve(0.7), budget.reserve(0.7)
    (True, False)
    >>> budget.settle(0.7, 0.1)
    >>> budget.reserve(0.7)
    True
    """

    def __init__(self, limit_usd: float | None) -> None:
        if limit_usd is not None and not limit_usd >= 0:
            raise ClaudeError(f"budget_usd is {limit_usd!r}", expected="0 or more")
        self.limit_usd = limit_usd
        self.spent_usd = 0.0
        self._reserved_usd = 0.0
        self._lock = threading.Lock()

    def __reduce__(self) -> tuple[type["Budget"], tuple[float | None]]:
        return (Budget, (self.limit_usd,))  # what is in flight here is no affair of a copy's

    @property
    def anything_reserved(self) -> bool:
        """Whether money is set aside for calls in flight, of any run."""
        return self._reserved_usd > _ROUNDING_USD

    def reserve(self, amount_usd: float) -> bool:
        """Set money aside for a call, unless it could overrun the limit.

        Parameters
        ----------
        amount_usd
            The most the call can cost.

        Returns
        -------
        bool
            Whether the call may be made.
        """
        with self._lock:
            needed = self.spent_usd + self._reserved_usd + amount_usd
            if self.limit_usd is not None and needed > self.limit_usd:
                return False
            self._reserved_usd += amount_usd
            return True

    def settle(self, reserved_usd: float, cost_usd: float) -> None:
        """Replace a reservation by what the call did cost.

        Parameters
        ----------
        reserved_usd
            What was set aside.
        cost_usd
            What was billed.
        """
        with self._lock:
            self._reserved_usd = max(0.0, self._reserved_usd - reserved_usd)
            self.spent_usd += cost_usd


def worst_case_usd(
    request: ClaudeRequest, prices: PriceTable, at: date, cache_ttl: str | None = None
) -> float:
    """Bound the cost of one request from above.

    A token covers at least one byte of text, so bytes bound input tokens; `max_tokens` bounds
    the output.

    Parameters
    ----------
    request
        What would be asked.
    prices
        Price table.
    at
        Day of the request.
    cache_ttl
        Prompt cache asked for: writing to it is dearer than plain input.

    Returns
    -------
    float
        US dollars.

    Raises
    ------
    PriceError
        When the model or the day has no price.
    """
    texts = (request.prompt, request.system or "", str(request.schema or ""))
    size = sum(len(text.encode()) for text in texts) + _OVERHEAD_TOKENS
    usage = Usage(size, request.max_tokens)
    if cache_ttl is not None:
        hour = size if cache_ttl == "1h" else 0
        usage = Usage(
            0,
            request.max_tokens,
            cache_creation_input_tokens=size,
            cache_creation_1h_input_tokens=hour,
        )
    return prices.cost_usd(request.model, usage, at)
