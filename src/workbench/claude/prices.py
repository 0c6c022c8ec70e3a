"""What a token costs, by model and by day."""

import difflib
import re
from dataclasses import dataclass, field
from datetime import date

from workbench.claude.messages import Usage
from workbench.errors import PriceError

__all__ = ["PRICES", "Band", "Price", "PriceTable"]

_DATED = re.compile(r"-\d{8}$")
_TOKENS_PER_PRICE = 1_000_000


@dataclass(frozen=True, slots=True)
class Band:
    """Prices of one range of prompt sizes, in US dollars per million tokens.

    Parameters
    ----------
    input, output
        Uncached input and output (thinking included).
    cache_write_5m, cache_write_1h, cache_read
        Writing to the prompt cache, for five minutes or an hour, and reading from it.
    up_to_input_tokens
        Largest prompt, cached tokens included, the band holds for; `None` for no limit.
    """

    input: float
    output: float
    cache_write_5m: float
    cache_write_1h: float
    cache_read: float
    up_to_input_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class Price:
    """Price of one model from one day on.

    Parameters
    ----------
    model
        Anthropic's model id without a date.
    since
        First day the price is vouched for.
    bands
        One entry, or several by rising prompt size, the last without a limit.
    source
        Where the price was read.
    batch_multiplier
        What the Message Batches API charges of these prices.
    """

    model: str
    since: date
    bands: tuple[Band, ...]
    source: str
    batch_multiplier: float = 0.5

    def cost_usd(self, usage: Usage) -> float:
        """Cost of one request.

        Parameters
        ----------
        usage
            Billed tokens of one request; the band depends on the size of its own prompt.

        Returns
        -------
        float
            US dollars.
        """
        total = usage.total_input_tokens
        band = next(
            b for b in self.bands if b.up_to_input_tokens is None or total <= b.up_to_input_tokens
        )
        hour = usage.cache_creation_1h_input_tokens
        standard = (
            usage.input_tokens * band.input
            + usage.output_tokens * band.output
            + (usage.cache_creation_input_tokens - hour) * band.cache_write_5m
            + hour * band.cache_write_1h
            + usage.cache_read_input_tokens * band.cache_read
        ) / _TOKENS_PER_PRICE
        return standard * (self.batch_multiplier if usage.service_tier == "batch" else 1.0)


@dataclass(frozen=True, slots=True)
class PriceTable:
    """Prices by model and day; what is not in it has no price, never the price zero.

    Parameters
    ----------
    id
        Name of the table, recorded beside every cost.
    prices
        The entries, in any order.

    Examples
    --------
    >>> from datetime import date
    >>> usage = Usage(input_tokens=1_000_000, output_tokens=100_000)
    >>> PRICES.cost_usd("claude-sonnet-5-5", usage, date(2026, 11, 20))
    3.0
    >>> PRICES.price("claude-haiku-4-5-20251001", date(2026, 11, 20)).model
    'claude-haiku-4-5'
    """

    id: str
    prices: tuple[Price, ...] = field(repr=False)

    @property
    def models(self) -> tuple[str, ...]:
        """Models with a price, sorted."""
        return tuple(sorted({p.model for p in self.prices}))

    def knows(self, model: str) -> bool:
        """Tell whether a model has any price.

        Parameters
        ----------
        model
            Model id, with or without its date.

        Returns
        -------
        bool
            False for a model `price` would refuse on every day.
        """
        name = undated(model)
        return any(p.model in (model, name) for p in self.prices)

    def price(self, model: str, at: date) -> Price:
        """Look up the price of a model on a day.

        Parameters
        ----------
        model
            Model id, with or without its date.
        at
            The day of the request.

        Returns
        -------
        Price
            The entry with the latest `since` not after `at`.

        Raises
        ------
        PriceError
            When the model is unknown or the day is before its first entry.
        """
        name = undated(model)
        known = [p for p in self.prices if p.model in (model, name)]
        if not known:
            near = difflib.get_close_matches(name, self.models, n=1)
            nearest = f"nearest is {near[0]!r}; " if near else ""
            raise PriceError(
                f"model {model!r} has no price in table {self.id!r}",
                expected=f"one of {', '.join(self.models)}",
                fix=f"{nearest}correct the model or add its price with PRICES.with_price(...)",
            )
        past = [p for p in known if p.since <= at]
        if not past:
            first = min(p.since for p in known)
            raise PriceError(
                f"model {model!r} has no price on {at.isoformat()} in table {self.id!r}",
                expected=f"{first.isoformat()} or later",
                fix="correct the clock, or add the older price with PRICES.with_price(...)",
            )
        return max(past, key=lambda p: p.since)

    def cost_usd(self, model: str, usage: Usage, at: date) -> float:
        """Cost of one request to a model on a day.

        Parameters
        ----------
        model
            Model id, with or without its date.
        usage
            Billed tokens of that one request.
        at
            The day of the request.

        Returns
        -------
        float
            US dollars.

        Raises
        ------
        PriceError
            When the model or the day has no price.
        """
        return self.price(model, at).cost_usd(usage)

    def with_price(self, price: Price) -> "PriceTable":
        """Add a price, for a model of one's own or a negotiated rate.

        Parameters
        ----------
        price
            The entry to add.

        Returns
        -------
        PriceTable
            A table with another id, so that costs of the two are told apart.

        Examples
        --------
        >>> mine = Price("qwen-local", date(2026, 1, 1), (Band(0, 0, 0, 0, 0),), "own hardware")
        >>> PRICES.with_price(mine)
        PriceTable(id='2026-11-20+qwen-local@2026-01-01')
        """
        name = f"{self.id}+{price.model}@{price.since.isoformat()}"
        kept = [p for p in self.prices if (p.model, p.since) != (price.model, price.since)]
        return PriceTable(name, (*kept, price))


def undated(model: str) -> str:
    """Model id without its date: two ids that differ only there are the same model."""
    return _DATED.sub("", model)


_VOUCHED = date(2026, 9, 1)  # no source of this table says anything about an earlier day
_PLATFORM = "platform.claude.com pricing page, read 2026-11-20"
_CATALOG = "MLflow 3.18 model catalog, read 2026-11-20"


def _flat(
    model: str,
    rates: tuple[float, float, float, float, float],
    source: str = _PLATFORM,
    since: date = _VOUCHED,
) -> Price:
    return Price(model, since, (Band(*rates),), source)


_OPUS_5 = (5.0, 25.0, 6.25, 10.0, 0.50)
_FABLE = (10.0, 50.0, 12.5, 20.0, 0.25)
_SONNET_4 = (3.0, 15.0, 3.75, 6.0, 0.30)

PRICES = PriceTable(
    "2026-11-20",
    (
        Price(
            "claude-haiku-5-5",
            _VOUCHED,
            (Band(0.10, 0.50, 0.125, 0.20, 0.01, 100_000), Band(0.50, 2.50, 0.625, 1.0, 0.05)),
            "platform.claude.com models/haiku-5-5/overview, read 2026-11-20; its price of an "
            "hour's cache write above 100,000 tokens is not listed and taken as twice the input",
        ),
        _flat(
            "claude-sonnet-5-5", (2.0, 10.0, 2.50, 4.0, 0.20), "models/sonnet-5-5/overview, older"
        ),
        _flat("claude-sonnet-5-5", (2.0, 10.0, 2.50, 4.0, 0.10), _CATALOG, date(2026, 10, 7)),
        _flat("claude-opus-5-5", (4.0, 20.0, 5.0, 8.0, 0.20)),
        _flat("claude-fable-5-1", _FABLE),
        _flat("claude-mythos-5-1", _FABLE),
        _flat("claude-sonnet-5", (2.0, 10.0, 2.50, 4.0, 0.20)),
        *(_flat(f"claude-opus-{v}", _OPUS_5) for v in ("5", "4-8", "4-7", "4-6", "4-5")),
        _flat("claude-sonnet-4-6", _SONNET_4, _CATALOG),
        _flat("claude-sonnet-4-5", _SONNET_4, _CATALOG),
        _flat("claude-haiku-4-5", (1.0, 5.0, 1.25, 2.0, 0.10), _CATALOG),
    ),
)
"""Prices as confirmed on 2026-11-20. Models with reseller prices only are left out."""
