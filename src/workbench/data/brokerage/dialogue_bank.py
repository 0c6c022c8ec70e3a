"""The shape of what people say in one language."""

from collections.abc import Mapping
from typing import NamedTuple

__all__ = ["Bank"]


class Bank(NamedTuple):
    """Phrases of one language; `{place}`, `{kind}`, `{budget}`, `{name}` are filled in.

    `traits` has for each of seriousness, urgency, financing, blockers and resistance what
    people say who have much of it, and who have little. `objections` has what is said for each
    kind, `answers` what an agent answers to it. `decoys` use the words of objections and are
    none: other people's, past ones, or the opposite. Parts are joined by `joint` and end
    with `stop`.
    """

    greetings: tuple[str, ...]
    topics: tuple[str, ...]
    traits: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]]
    objections: Mapping[str, tuple[str, ...]]
    decoys: tuple[str, ...]
    chatter: tuple[str, ...]
    questions: tuple[str, ...]
    closers: tuple[str, ...]
    agent_opens: tuple[str, ...]
    agent_asks: tuple[str, ...]
    answers: Mapping[str, tuple[str, ...]]
    agent_closes: tuple[str, ...]
    kinds: Mapping[str, str]
    joint: str = " "
    stop: str = "."
