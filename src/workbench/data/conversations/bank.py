"""Phrases by language, topic and value, read from the YAML files beside this module."""

import re
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from random import Random
from types import MappingProxyType
from typing import NamedTuple

from workbench.documents import read_document
from workbench.errors import DataError

__all__ = ["Phrases", "choose", "phrases_of", "read_bank", "unfold"]

_CHOICE = re.compile(r"\[([^\[\]]*)\]")
_HELD = "~ "
_HELD_SHARE = 0.2
_HELD_SHARES = MappingProxyType({
    "primary_intent": 0.12, "motivations": 0.45, "urgency": 0.45, "decision_stage": 0.45,
    "types": 0.4, "severity": 0.4, "causes": 0.45,
})  # fmt: skip


class Phrases(NamedTuple):
    """Ways to say one thing: those everybody uses, and those the training part never saw."""

    seen: tuple[str, ...]
    held: tuple[str, ...]


Bank = Mapping[str, Mapping[str, Mapping[str, Phrases]]]


@lru_cache(maxsize=16)
def read_bank(name: str) -> Bank:
    """Read phrases by language, topic and value.

    Parameters
    ----------
    name
        File beside this module, without its ending.

    Returns
    -------
    mapping
        Language to topic to value to `Phrases`.

    Raises
    ------
    DataError
        When the file is missing or no YAML.

    Examples
    --------
    >>> read_bank("intents")["french"]["urgency"]["low"].held
    ('nous sommes patients',)
    """
    data = read_document(Path(__file__).with_name(f"{name}.yaml"), DataError).data
    return MappingProxyType({
        language: {
            topic: {str(value): _parse(text) for value, text in values.items()}
            for topic, values in topics.items()
        }
        for language, topics in data.items()
    })  # fmt: skip


def phrases_of(name: str, language: str, topic: str, value: str) -> Phrases:
    """Give the ways to say one thing; English where a language has no words of its own."""
    bank = read_bank(name)
    topics = bank[language] if topic in bank.get(language, {}) else bank["english"]
    return topics[topic][value]


def choose(phrases: Phrases, draw: Random, *, may_hold: bool, topic: str = "") -> tuple[str, bool]:
    """Draw one phrase, and say whether it is one of those held out.

    Parameters
    ----------
    phrases
        To draw from.
    draw
        Source of randomness.
    may_hold
        Whether phrases held out may be drawn.
    topic
        What is talked about: of some things people say more in words of their own.

    Examples
    --------
    >>> choose(Phrases(("a [b|b]",), ("c",)), Random(0), may_hold=False)
    ('a b', False)
    """
    share = _HELD_SHARES.get(topic, _HELD_SHARE)
    held = may_hold and bool(phrases.held) and draw.random() < share
    options = phrases.held if held or not phrases.seen else phrases.seen
    return unfold(options[int(draw.random() * len(options))], draw), held


def unfold(text: str, draw: Random) -> str:
    """Decide every [this|that] of a phrase."""
    if "[" not in text:
        return text

    def one(match: re.Match[str]) -> str:
        options = match.group(1).split("|")
        return options[int(draw.random() * len(options))]

    return " ".join(_CHOICE.sub(one, text).split())


def _parse(text: str) -> Phrases:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return Phrases(
        tuple(line for line in lines if not line.startswith(_HELD)),
        tuple(line.removeprefix(_HELD).strip() for line in lines if line.startswith(_HELD)),
    )
