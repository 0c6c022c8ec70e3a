"""Composing the first message of a lead from what the lead is like."""

import random
import re
from collections.abc import Mapping
from typing import NamedTuple

from workbench.data.brokerage.phrases import (
    CHATTER,
    ENGLISH,
    GREETINGS,
    HOSTILE,
    NAMES,
    PLACES,
    PROPERTY,
    QUESTIONS,
    QUOTED,
    SHORT,
    SIGN_OFFS,
    SLOTS,
    SPANISH,
    SPANISH_FILLER,
)

__all__ = ["TRAITS", "Writer", "compose", "fill", "misspelt", "pick", "slots_of"]

TRAITS = ("seriousness", "urgency", "financing", "blockers")

_SLOT = re.compile(r"\{(\w+)\}")
_WE = ("we", "were", "our", "ours", "us", "weve", "well")
_ONE = dict(zip(_WE, ("I", "I'm", "my", "mine", "me", "I've", "I'll"), strict=True))
_TWO = dict(zip(_WE, ("we", "we're", "our", "ours", "us", "we've", "we'll"), strict=True))
# How readable a trait is: noise added to it, the width of "in between", and how often it comes up.
_NOISE_SD = 0.35
_HEDGE = 0.35
_MENTION = 0.62
_MENTION_PER_SD = 0.22
_JOINTS = (". ", ". ", ". ", ", but ", ", and ", "; ")


class Writer(NamedTuple):
    """One lead as seen by the composer: traits in standard deviations, style in [0, 1]."""

    contact: int
    style: float
    spanish: bool
    kind: str
    budget_usd: float
    traits: tuple[float, float, float, float]


def compose(writer: Writer, draw: random.Random) -> str:
    """Write the first message of a lead.

    What is said follows the traits only noisily: a trait may go unmentioned, be hedged, or be
    read wrongly; other people's traits are quoted; some messages are empty, short or hostile.

    Parameters
    ----------
    writer
        Who writes.
    draw
        Source of randomness; advanced by a varying number of draws.
    """
    fate = draw.random()
    if fate < 0.03:
        return ""
    slots = slots_of(writer, draw)
    if fate < 0.09:
        return fill(pick(SHORT, draw), slots, draw)
    middle = _spanish(writer, draw) if writer.spanish else _english(writer, draw)
    middle.sort(key=lambda _: draw.random())
    first = [pick(GREETINGS, draw)] if not writer.spanish and draw.random() < 0.5 else []
    last = [pick(SIGN_OFFS, draw)] if draw.random() < 0.55 else []
    text = _joined(
        *([fill(part, slots, draw) for part in parts] for parts in (first, middle, last)),
        writer=writer,
        draw=draw,
    )
    if draw.random() < 0.012:
        attack = pick(HOSTILE, draw)
        text = f"{attack} {text}" if draw.random() < 0.5 else f"{text}\n{attack}"
    return text


def _english(writer: Writer, draw: random.Random) -> list[str]:
    middle = [pick(PROPERTY, draw)] if draw.random() < 0.6 else []
    for trait, value in zip(TRAITS, writer.traits, strict=True):
        if draw.random() < _MENTION + _MENTION_PER_SD * min(abs(value), 2.0):
            read = value + _NOISE_SD * draw.gauss(0, 1)
            level = "high" if read > _HEDGE else "low" if read < -_HEDGE else "hedged"
            middle.append(pick(ENGLISH[trait][level], draw))
    n_chatter = int(draw.random() * 3)
    if draw.random() < 0.008:  # a few people write a novel
        n_chatter = 40 + int(draw.random() * 60)
    middle += [pick(CHATTER, draw) for _ in range(n_chatter)]
    middle += [pick(QUOTED, draw)] if draw.random() < 0.35 else []
    middle += [pick(QUESTIONS, draw) + "?"] if draw.random() < 0.5 else []
    return middle


def _spanish(writer: Writer, draw: random.Random) -> list[str]:
    middle = [pick(SPANISH_FILLER, draw) for _ in range(1 + int(draw.random() * 2))]
    for trait, value in zip(TRAITS, writer.traits, strict=True):
        read = value + _NOISE_SD * draw.gauss(0, 1)
        if abs(read) > _HEDGE and draw.random() < _MENTION + _MENTION_PER_SD * min(abs(value), 2.0):
            middle.append(pick(SPANISH[trait]["high" if read > 0 else "low"], draw))
    return middle


def slots_of(writer: Writer, draw: random.Random) -> dict[str, str]:
    """Give what the slots of a template stand for; people keep their name and way to say we."""
    # Everything about the person follows from the contact: all leads of one contact agree.
    name = NAMES[writer.contact % len(NAMES)]
    surname = SLOTS["surname"][writer.contact // len(NAMES) % len(SLOTS["surname"])]
    slots = dict(_TWO if writer.contact % 5 < 3 else _ONE)
    budget = writer.budget_usd
    slots |= {
        "name": name,
        "surname": surname,
        "email": f"{name.lower()}.{surname.lower()}{writer.contact % 97}@example.com",
        "phone": f"({200 + writer.contact % 700}) 555-01{writer.contact % 100:02d}",
        "place": pick(PLACES, draw),
        "kind": writer.kind.replace("_", " "),
        "budget": f"${budget / 1000:.0f}k" if budget < 1e6 else f"{budget / 1e6:.1f} million",
    }
    return slots


def fill(template: str, slots: Mapping[str, str], draw: random.Random) -> str:
    """Fill the slots of a template; a slot nobody decided is drawn."""
    if "{" not in template:
        return template

    def value(match: re.Match[str]) -> str:
        key = match.group(1)
        return slots[key] if key in slots else pick(SLOTS[key], draw)

    return _SLOT.sub(value, template)


def pick(options: tuple[str, ...], draw: random.Random) -> str:
    """Draw one of the options."""
    return options[int(draw.random() * len(options))]


def _joined(
    first: list[str],
    middle: list[str],
    last: list[str],
    *,
    writer: Writer,
    draw: random.Random,
) -> str:
    casual = writer.style < 0.25  # a quarter of people write without capitals or full stops
    joints = (", ", " ", " - ") if casual else (". ",) if writer.spanish else _JOINTS
    text = first[0] + (" " if casual else pick((", ", "! ", "\n"), draw)) if first else ""
    upper = not text.endswith(", ")
    for number, sentence in enumerate(middle):
        if number:
            joint = " " if text.endswith("?") else pick(joints, draw)
            upper = joint == ". " or text.endswith("?")
            text += joint
        text += sentence[:1].upper() + sentence[1:] if upper else sentence
    ended = not middle or casual or text.endswith("?")
    if middle and not ended:
        text += "."
    if last:
        text += pick((" ", "\n"), draw) + last[0][:1].upper() + last[0][1:]
    text = text[:1].upper() + text[1:]
    if casual:
        text = text.lower()
    elif writer.style > 0.985:
        text = text.upper()
    return misspelt(text, draw) if 0.15 < writer.style < 0.35 else text


def misspelt(text: str, draw: random.Random) -> str:
    """Swap or lose a letter about every 40."""
    letters = list(text)
    for _ in range(1 + len(letters) // 40 if len(letters) > 1 else 0):
        at = int(draw.random() * (len(letters) - 1))
        if letters[at].isalpha() and letters[at + 1].isalpha():
            if draw.random() < 0.5:
                letters[at], letters[at + 1] = letters[at + 1], letters[at]
            else:
                letters[at] = ""
    return "".join(letters)
