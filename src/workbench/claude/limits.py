"""Rate limits kept ahead of time: wait before sending, not after a refusal."""

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from workbench.errors import ClaudeError

__all__ = ["Limiter", "RateLimits"]

_MINUTE_S = 60.0
_HEADERS = {
    "requests": "anthropic-ratelimit-requests",
    "input_tokens": "anthropic-ratelimit-input-tokens",
    "output_tokens": "anthropic-ratelimit-output-tokens",
}


@dataclass(frozen=True, slots=True)
class RateLimits:
    """Most an account may send a minute; `None` where no limit is known.

    What the endpoint says in its headers afterwards takes the place of these.

    Parameters
    ----------
    requests_per_minute
        Requests.
    input_tokens_per_minute
        Input tokens; those read from the prompt cache do not count.
    output_tokens_per_minute
        Output tokens.

    Raises
    ------
    ClaudeError
        When a limit is not positive.

    Examples
    --------
    >>> RateLimits(requests_per_minute=50)
    RateLimits(requests_per_minute=50, input_tokens_per_minute=None, output_tokens_per_minute=None)
    """

    requests_per_minute: int | None = None
    input_tokens_per_minute: int | None = None
    output_tokens_per_minute: int | None = None

    def __post_init__(self) -> None:
        for name in self.__dataclass_fields__:
            value = getattr(self, name)
            if value is not None and not value > 0:
                raise ClaudeError(f"{name} is {value!r}", expected="a positive number, or None")


@dataclass(slots=True)
class _Bucket:
    """A token bucket: full at `per_minute`, refilled evenly; the level may be overdrawn."""

    per_minute: float | None
    level: float
    at_s: float

    def wait_s(self, amount: float, now_s: float) -> float:
        """Seconds until `amount` may be taken; 0 when at once."""
        if self.per_minute is None:
            return 0.0
        # More than a minute's worth at once is let through when the bucket is full.
        short = min(amount, self.per_minute) - self._refilled(self.per_minute, now_s)
        return max(0.0, short * _MINUTE_S / self.per_minute)

    def take(self, amount: float) -> None:
        self.level -= amount

    def learn(self, limit: float, remaining: float, now_s: float) -> None:
        """Believe the endpoint: its limit, and what it says is left when that is less."""
        ours = remaining if self.per_minute is None else self._refilled(self.per_minute, now_s)
        self.per_minute, self.at_s = limit, now_s
        self.level = min(ours, remaining, limit)

    def _refilled(self, per_minute: float, now_s: float) -> float:
        gained = (now_s - self.at_s) * per_minute / _MINUTE_S
        self.level, self.at_s = min(per_minute, self.level + gained), now_s
        return self.level


@dataclass(slots=True)
class Limiter:
    """Lets attempts through as the limits allow, and learns the limits from answers.

    Waiting attempts go in the order in which they came. One limiter belongs to one run.

    Parameters
    ----------
    limits
        What is known beforehand.
    clock
        Seconds; the monotonic clock but in tests.
    """

    limits: RateLimits
    clock: Callable[[], float] = time.monotonic
    waited_s: float = 0.0
    _buckets: dict[str, _Bucket] = field(init=False)
    _paused_until_s: float = 0.0
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    def __post_init__(self) -> None:
        now = self.clock()
        per_minute = (
            self.limits.requests_per_minute,
            self.limits.input_tokens_per_minute,
            self.limits.output_tokens_per_minute,
        )
        self._buckets = {
            name: _Bucket(limit, limit or 0.0, now)
            for name, limit in zip(_HEADERS, per_minute, strict=True)
        }

    def wait_s(self, input_tokens: float, output_tokens: float) -> float:
        """Seconds an attempt of this size would have to wait from now.

        Parameters
        ----------
        input_tokens, output_tokens
            What the attempt is expected to use.

        Returns
        -------
        float
            0 when it may go at once.
        """
        now = self.clock()
        amounts = (1.0, input_tokens, output_tokens)
        waits = [b.wait_s(a, now) for b, a in zip(self._buckets.values(), amounts, strict=True)]
        return max(self._paused_until_s - now, *waits)

    async def admit(self, input_tokens: float, output_tokens: float) -> None:
        """Wait until an attempt may be sent, and count it.

        Parameters
        ----------
        input_tokens, output_tokens
            What the attempt is expected to use.
        """
        if self._turn.locked() or self.wait_s(input_tokens, output_tokens) > 0:
            began = self.clock()
            async with self._turn:
                while (wait := self.wait_s(input_tokens, output_tokens)) > 0:
                    await asyncio.sleep(wait)
                self._take(input_tokens, output_tokens)
            self.waited_s += self.clock() - began
            return
        self._take(input_tokens, output_tokens)

    def take(self) -> None:
        """Count a request that goes at once."""
        self._take(0.0, 0.0)

    def requests_left(self) -> int:
        """Requests that could go at once."""
        return max(0, int(self._buckets["requests"].level))

    def correct(self, output_tokens: float) -> None:
        """Put back what an answer did not use of its expected output, or take what it used more.

        Parameters
        ----------
        output_tokens
            Expected minus used.
        """
        self._buckets["output_tokens"].take(-output_tokens)

    def learn(self, headers: Mapping[str, str]) -> None:
        """Take limits and what is left of them from an answer's headers.

        Parameters
        ----------
        headers
            Headers of any answer; those that are missing or unreadable change nothing.
        """
        for name, header in _HEADERS.items():
            limit = _number(headers.get(f"{header}-limit"))
            if limit is None or limit <= 0:
                continue
            remaining = _number(headers.get(f"{header}-remaining"))
            left = limit if remaining is None else remaining
            self._buckets[name].learn(limit, left, self.clock())

    def pause(self, seconds: float) -> None:
        """Hold everything back, as a ``retry-after`` asks: the limit is the account's.

        Parameters
        ----------
        seconds
            How long, from now.
        """
        self._paused_until_s = max(self._paused_until_s, self.clock() + seconds)

    def _take(self, *tokens: float) -> None:
        for bucket, amount in zip(self._buckets.values(), (1.0, *tokens), strict=True):
            bucket.take(amount)


def _number(value: str | None) -> float | None:
    try:
        return None if value is None else float(value)
    except ValueError:
        return None
