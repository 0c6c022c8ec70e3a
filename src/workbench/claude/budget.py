"""A spending limit that calls in flight cannot overrun, and where a run stands."""

import threading
from dataclasses import dataclass
from datetime import date

from workbench.claude.messages import ClaudeRequest, Usage
from workbench.claude.prices import PriceTable

__all__ = ["Budget", "CostEstimate", "Progress", "worst_case_usd"]

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
    cost_usd
        Spent in this run, US dollars.
    elapsed_s, eta_s
        Seconds since the start, and until the end at the rate so far (`None` before any).
    """

    done: int
    total: int
    cached: int
    errors: int
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
        Input tokens of the distinct requests to ask, at three characters per token.
    cost_usd_low, cost_usd_high
        US dollars with a modest output (150 tokens) and with all of `max_tokens`.
    price_table
        Table the prices are from.
    """

    n_requests: int
    n_stored: int
    input_tokens_estimate: int
    cost_usd_low: float
    cost_usd_high: float
    price_table: str


class Budget:
    """Money spent and reserved, shared by every thread of a client.

    Parameters
    ----------
    limit_usd
        US dollars, `None` for no limit.

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
        self.limit_usd = limit_usd
        self.spent_usd = 0.0
        self._reserved_usd = 0.0
        self._lock = threading.Lock()

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


def worst_case_usd(request: ClaudeRequest, prices: PriceTable, at: date) -> float:
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
    return prices.cost_usd(request.model, Usage(size, request.max_tokens), at)
