"""Scripted faults: what can go wrong with an API, on demand and the same every time."""

import hashlib
import json
import math
import random
from dataclasses import asdict, dataclass, field
from typing import Any

from workbench.claude.emulator.streams import STREAM_FAULTS
from workbench.errors import ClaudeError

__all__ = ["FAULT_KINDS", "FaultPlan", "FaultRule", "Latency"]

_ATTEMPT_FAULTS = (
    "rate_limit_429",
    "overloaded_529",
    "server_500",
    "timeout_408",
    "drop_connection",
    "broken_body",
    "slow",
    *STREAM_FAULTS,
)
_ANSWER_FAULTS = ("malformed_json", "truncated", "refusal", "out_of_range", "wrong_model")
_REFUSALS = ("unauthorized_401", "forbidden_403", "invalid_request_400")

FAULT_KINDS = (*_ATTEMPT_FAULTS, *_ANSWER_FAULTS, *_REFUSALS)
"""Every kind of fault a rule may name."""


@dataclass(frozen=True, slots=True)
class FaultRule:
    """One fault, and how often.

    Exactly one of `rate` and `first_n` is given.

    Parameters
    ----------
    kind
        One of `FAULT_KINDS`. Faults of an attempt (``rate_limit_429``, ``overloaded_529``,
        ``server_500``, ``timeout_408``, ``drop_connection``, ``broken_body``, ``slow``, and of
        streams ``truncated_stream``, ``stalled_stream``, ``stream_error``) are drawn anew for
        each attempt; faults of the answer (``malformed_json``, ``truncated``,
        ``refusal``, ``out_of_range``, ``wrong_model``) stick to the question.
    rate
        Probability, 0 to 1.
    first_n
        Strike the first n attempts of each question, and no later one.
    retry_after_s
        Seconds sent as ``retry-after`` with a 429 or 529.
    delay_s
        Seconds a ``slow`` attempt waits, or a ``stalled_stream`` says nothing.
    seed
        Seed of this rule's draws.

    Raises
    ------
    ClaudeError
        When the kind is unknown, not exactly one of rate and first_n is given, or a number is
        none or out of range.
    """

    kind: str
    rate: float | None = None
    first_n: int | None = None
    retry_after_s: float | None = None
    delay_s: float = 0.2
    seed: int = 0

    def __post_init__(self) -> None:
        if self.kind not in FAULT_KINDS:
            raise ClaudeError(
                f"fault kind {self.kind!r} is unknown", expected=f"one of {', '.join(FAULT_KINDS)}"
            )
        if (self.rate is None) == (self.first_n is None):
            raise ClaudeError(
                f"fault rule {self.kind!r} has rate {self.rate!r} and first_n {self.first_n!r}",
                expected="exactly one of the two",
            )
        where = f"fault rule {self.kind!r}"
        if self.rate is not None:
            _check_number(where, "rate", self.rate, at_most=1.0)
        if self.first_n is not None:
            _check_number(where, "first_n", self.first_n, at_least=1, whole=True)
        if self.retry_after_s is not None:
            _check_number(where, "retry_after_s", self.retry_after_s)
        _check_number(where, "delay_s", self.delay_s)
        _check_number(where, "seed", self.seed, at_least=-math.inf, whole=True)

    def strikes(self, content: str, attempt: int) -> bool:
        """Decide whether the fault strikes.

        Parameters
        ----------
        content
            Digest of the question.
        attempt
            Number of the attempt at this question, from 1.

        Returns
        -------
        bool
            The same for the same arguments, always.
        """
        if self.first_n is not None:
            return attempt <= self.first_n
        # A question's answer is one thing however often it is asked; a connection is not.
        drawn = attempt if self.kind in _ATTEMPT_FAULTS else 0
        text = f"{self.seed}|{self.kind}|{content}|{drawn}"
        share = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") / 2**64
        return share < (self.rate or 0.0)


@dataclass(frozen=True, slots=True)
class Latency:
    """How long answers take: a log-normal wait, then the same gap between pieces of a stream.

    Parameters
    ----------
    median_s
        Median seconds to the first token, or to the whole answer where it is not streamed.
    sigma
        Standard deviation of its logarithm.
    gap_s
        Seconds between the pieces of a stream.
    seed
        Seed of the draws.

    Raises
    ------
    ClaudeError
        When a number is none or negative.

    Examples
    --------
    >>> Latency(0.1).wait_s("digest of a question", attempt=1)
    0.1
    """

    median_s: float = 0.0
    sigma: float = 0.0
    gap_s: float = 0.0
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("median_s", "sigma", "gap_s"):
            _check_number("latency", name, getattr(self, name))
        _check_number("latency", "seed", self.seed, at_least=-math.inf, whole=True)

    def wait_s(self, content: str, attempt: int) -> float:
        """Draw the wait of one attempt; the same for the same arguments, always."""
        if self.sigma == 0 or self.median_s == 0:
            return self.median_s
        draw = random.Random(f"{self.seed}|{content}|{attempt}")
        return self.median_s * math.exp(self.sigma * draw.gauss(0.0, 1.0))


@dataclass(frozen=True, slots=True)
class FaultPlan:
    """Rules in order, of which the first that strikes decides; and how long answers take.

    Parameters
    ----------
    rules
        The rules.
    latency
        How long answers take.
    requests_per_minute
        A rate limit like Anthropic's: announced in headers, refused with 429 above it.
    batch_polls
        How often a batch says it is in progress before it has ended.

    Raises
    ------
    ClaudeError
        When a number is none or out of range.

    Examples
    --------
    >>> plan = FaultPlan((FaultRule("rate_limit_429", first_n=1),))
    >>> plan.strike("digest of a question", attempt=1).kind
    'rate_limit_429'
    >>> plan.strike("digest of a question", attempt=2) is None
    True
    >>> FaultPlan.from_json(plan.to_json()) == plan
    True
    """

    rules: tuple[FaultRule, ...] = ()
    latency: Latency = field(default_factory=Latency)
    requests_per_minute: int | None = None
    batch_polls: int = 1

    def __post_init__(self) -> None:
        limit = self.requests_per_minute
        if limit is not None:
            _check_number("fault plan", "requests_per_minute", limit, at_least=1, whole=True)
        _check_number("fault plan", "batch_polls", self.batch_polls, whole=True)

    def strike(self, content: str, attempt: int) -> FaultRule | None:
        """Find the fault of one attempt.

        Parameters
        ----------
        content
            Digest of the question.
        attempt
            Number of the attempt at this question, from 1.

        Returns
        -------
        FaultRule or None
            The first rule that strikes.
        """
        return next((rule for rule in self.rules if rule.strikes(content, attempt)), None)

    def to_json(self) -> str:
        """Write the plan as JSON.

        Returns
        -------
        str
            An object with a list of rules.
        """
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "FaultPlan":
        """Read a plan from JSON.

        Parameters
        ----------
        text
            An object with a list of rules.

        Returns
        -------
        FaultPlan
            The plan.

        Raises
        ------
        ClaudeError
            When the text is not such JSON.
        """
        expected = '{"rules": [{"kind": "rate_limit_429", "rate": 0.05}]}'
        try:
            plan = json.loads(text)
        except ValueError as err:
            raise ClaudeError(f"the fault plan cannot be read: {err}", expected=expected) from None
        if not isinstance(plan, dict):
            raise ClaudeError(f"the fault plan is {type(plan).__name__}", expected=expected)
        try:
            rules = tuple(FaultRule(**rule) for rule in plan.pop("rules", ()))
            return cls(rules, Latency(**plan.pop("latency", {})), **plan)
        except TypeError as err:
            raise ClaudeError(f"the fault plan cannot be read: {err}", expected=expected) from None


def _check_number(
    where: str,
    name: str,
    value: Any,
    *,
    at_least: float = 0.0,
    at_most: float = math.inf,
    whole: bool = False,
) -> None:
    """Refuse what is no number or out of range."""
    kinds = (int,) if whole else (int, float)
    fits = isinstance(value, kinds) and not isinstance(value, bool)
    # NaN is refused by the comparison, infinity because nobody can wait so long.
    if not (fits and at_least <= value <= at_most and (whole or math.isfinite(value))):
        least = "" if math.isinf(at_least) else f" from {at_least:g}"
        most = "" if math.isinf(at_most) else f" to {at_most:g}"
        raise ClaudeError(
            f"{name} is {value!r}",
            where=where,
            expected=f"a {'whole ' if whole else ''}number{least}{most}",
        )
