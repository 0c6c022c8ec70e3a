"""Composing a short dialogue between a lead and an agent from what the lead is like."""

import random
from types import MappingProxyType
from typing import NamedTuple

from workbench.data.brokerage import (
    dialogue_english,
    dialogue_french,
    dialogue_hindi,
    dialogue_mandarin,
    dialogue_portuguese,
    dialogue_spanish,
)
from workbench.data.brokerage.dialogue_bank import Bank
from workbench.data.brokerage.phrases import HOSTILE, SHORT
from workbench.data.brokerage.text import Writer, fill, misspelt, pick, slots_of

__all__ = ["BANKS", "Brief", "Turn", "compose_dialogue"]

BANKS = MappingProxyType({
    "english": dialogue_english.BANK,
    "spanish": dialogue_spanish.BANK,
    "mandarin": dialogue_mandarin.BANK,
    "french": dialogue_french.BANK,
    "portuguese": dialogue_portuguese.BANK,
    "hindi": dialogue_hindi.BANK,
})  # fmt: skip
# Position in `Brief.traits` of what the banks have words for; responsiveness shows in length.
_SPOKEN = MappingProxyType({
    "seriousness": 0, "urgency": 1, "financing": 2, "blockers": 3, "resistance": 5,
})  # fmt: skip
_RESPONSIVE = 4
_NOISE_SD = 0.45
_SILENT_BELOW = 0.35  # a trait read as weaker than this is not worth a sentence
_MENTION = 0.34
_DECOY = 0.30
_HOSTILE = 0.008
_LATIN = ("english", "spanish", "french", "portuguese")


class Brief(NamedTuple):
    """What a conversation is about; traits in standard deviations, style in [0, 1].

    `traits` are seriousness, urgency, financing, blockers, responsiveness and resistance;
    `objection` is the kind voiced, if any; a first contact is opened by the lead.
    """

    person: int
    name: str
    language: str
    channel: str
    stage: str
    property_type: str
    budget_usd: float
    objection: str | None
    is_first: bool
    style: float
    traits: tuple[float, ...]


class Turn(NamedTuple):
    """One message; the speaker is "lead" or "agent"."""

    speaker: str
    text: str


class _Speaker:
    """One conversation being written: fills phrases for this lead."""

    def __init__(self, brief: Brief, draw: random.Random) -> None:
        self.brief, self.draw = brief, draw
        self.bank: Bank = BANKS[brief.language]
        traits = (brief.traits[0], brief.traits[1], brief.traits[2], brief.traits[3])
        writer = Writer(
            brief.person, brief.style, False, brief.property_type, brief.budget_usd, traits
        )
        # Who a person is and how they say "we" never changes; only a topic's words are drawn.
        self._slots = slots_of(writer, draw) | {
            "name": brief.name, "kind": self.bank.kinds[brief.property_type],
        }  # fmt: skip

    def say(self, options: tuple[str, ...]) -> str:
        """Give one of the phrases, filled in."""
        return fill(pick(options, self.draw), self._slots, self.draw)

    def lead(self, parts: list[str]) -> str:
        """Join what a lead says in the lead's style."""
        bank, style = self.bank, self.brief.style
        casual = style < 0.25
        text = ""
        for part in parts:
            if text:
                ended = text[-1] in "?？！!"
                text += bank.joint if ended or casual or bank.joint != " " else f"{bank.stop} "
            text += part if casual else part[:1].upper() + part[1:]
        if casual:
            text = text.lower()
        elif text and text[-1] not in "?？！!.。।":
            text += bank.stop
        shaky = 0.15 < style < 0.35 and self.brief.language in _LATIN
        return misspelt(text, self.draw) if shaky else text


def compose_dialogue(brief: Brief, draw: random.Random) -> list[Turn]:
    """Write a conversation of 1 to 8 messages.

    What is said follows the lead only noisily: traits go unmentioned or are read wrongly, words
    of objections come up where nobody objects (other people's, settled ones), and objections are
    paraphrased. A few conversations hold hostile text, or nothing but a word.

    Parameters
    ----------
    brief
        Who talks about what, and the objection that is voiced.
    draw
        Source of randomness; advanced by a varying number of draws.

    Returns
    -------
    list of Turn
        In order of time; never empty.

    Examples
    --------
    >>> brief = Brief(7, "Camille", "french", "email", "viewing", "house", 4e5, "price", False, 0.9,
    ...               (1.0, 0.0, -1.0, 0.2, 0.5, 1.5))
    >>> turns = compose_dialogue(brief, random.Random(5))
    >>> {turn.speaker for turn in turns} <= {"lead", "agent"}
    True
    """
    speaker = _Speaker(brief, draw)
    if brief.objection is None and draw.random() < 0.05:
        return [Turn("lead", speaker.say(SHORT))]
    chatty = brief.traits[_RESPONSIVE] + draw.gauss(0, 0.8)
    n_lead = 1 + (chatty > -0.4) + (chatty > 0.6) + (chatty > 1.6)
    objects_at = int(draw.random() * n_lead) if brief.objection is not None else -1
    turns: list[Turn] = []
    if not brief.is_first and n_lead < 4 and draw.random() < 0.3:
        turns.append(Turn("agent", _agent_opens(speaker)))
    for number in range(n_lead):
        objects = number == objects_at
        turns.append(Turn("lead", speaker.lead(_lead_parts(speaker, number, objects=objects))))
        if number < n_lead - 1 or draw.random() < 0.7:
            last = number == n_lead - 1
            turns.append(Turn("agent", _agent_line(speaker, last=last, objected=objects)))
    if draw.random() < _HOSTILE:
        attack = pick(HOSTILE, draw)
        at = next(i for i, turn in enumerate(turns) if turn.speaker == "lead")
        turns[at] = Turn("lead", f"{turns[at].text}\n{attack}")
    return turns


def _lead_parts(speaker: _Speaker, number: int, *, objects: bool) -> list[str]:
    bank, brief, draw = speaker.bank, speaker.brief, speaker.draw
    mention = _MENTION * (0.6 if brief.channel == "sms" else 1.0)
    parts = [speaker.say(bank.topics)] if number == 0 and draw.random() < 0.5 else []
    for trait, position in _SPOKEN.items():
        value = brief.traits[position] + _NOISE_SD * draw.gauss(0, 1)
        if abs(value) > _SILENT_BELOW and draw.random() < mention:
            high, low = bank.traits[trait]
            parts.append(speaker.say(high if value > 0 else low))
    if objects and brief.objection is not None:
        parts.append(speaker.say(bank.objections[brief.objection]))
    if draw.random() < _DECOY:
        parts.append(speaker.say(bank.decoys))
    if draw.random() < 0.35:
        parts.append(speaker.say(bank.chatter))
    if draw.random() < 0.3:
        question = speaker.say(bank.questions)
        parts.append(question if question[-1] in "?？" else f"{question}?")
    parts.sort(key=lambda _: draw.random())
    if number == 0 and draw.random() < 0.6:
        parts.insert(0, speaker.say(bank.greetings))
    if not parts or draw.random() < 0.25:
        parts.append(speaker.say(bank.closers))
    return parts


def _agent_opens(speaker: _Speaker) -> str:
    return f"{speaker.say(speaker.bank.agent_opens)} {speaker.say(speaker.bank.agent_asks)}"


def _agent_line(speaker: _Speaker, *, last: bool, objected: bool) -> str:
    bank, draw = speaker.bank, speaker.draw
    kind = speaker.brief.objection
    if not objected or kind is None or draw.random() < 0.35:
        # Agents answer what nobody asked, too: their words alone do not tell.
        kind = None if draw.random() < 0.8 else pick(tuple(bank.objections), draw)
    parts = [] if kind is None else [speaker.say(bank.answers[kind])]
    if last or not parts:
        parts.append(speaker.say(bank.agent_closes if last else bank.agent_asks))
    return " ".join(parts)
