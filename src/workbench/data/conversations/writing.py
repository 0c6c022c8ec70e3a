"""Putting phrases together as one person would write them, and where the values stand in it."""

import re
from collections.abc import Mapping, Sequence
from random import Random
from typing import NamedTuple

from workbench.data.brokerage.dialogue import BANKS
from workbench.data.brokerage.phrases import HOSTILE
from workbench.data.brokerage.text import Writer, fill, pick, slots_of
from workbench.data.conversations.amounts import money
from workbench.data.conversations.bank import Phrases, choose, phrases_of, unfold
from workbench.data.conversations.sheets import Sheet

__all__ = ["GAP", "Pen", "Said", "Span", "dialogue", "kinds_of"]

_SLOT = re.compile(r"\{(\w+)\}")
_CASUAL, _CARELESS = 0.2, 0.4
_CHATTED = (
    (re.compile(r"\byou\b"), "u"), (re.compile(r"\bare\b"), "r"),
    (re.compile(r"\bplease\b"), "pls"),
    (re.compile(r"\bbecause\b"), "bc"), (re.compile(r"\bwithout\b"), "w/o"),
    (re.compile(r"\btomorrow\b"), "tmrw"), (re.compile(r"\bthanks\b"), "thx"),
    (re.compile(r"\bapartment\b"), "apt"), (re.compile(r"\bmonths?\b"), "mo"),
)  # fmt: skip
_NEIGHBOURS = {
    "a": "s", "e": "r", "i": "o", "o": "p", "n": "m", "t": "r", "s": "d", "r": "t", "l": "k",
}  # fmt: skip
_SINGLE = re.compile(r"^ (month|bedroom|bathroom|bath|bed|week|day|room|feature)s\b")
# Openings of questions whose mark people leave out or not, by language.
_ASKING = {
    "english": re.compile(
        r"(?!what's left|got the)"
        r"(what|how|is|are|can|could|would|do|does|did|when|which|who|whose|where|has|any|got|will"
        r"|should|isn't)\b",
        re.IGNORECASE,
    ),
    "french": re.compile(
        r"(combien|quel|quelle|quelles|peut-on|est-ce|où|de quand|qu')\b",
        re.IGNORECASE,
    ),
    "portuguese": re.compile(
        r"(quanto|qual|podemos|como|quantos|de que|o que|vocês|dá para|onde)\b", re.IGNORECASE
    ),
}
_KIND_WORDS = {"retail": "shop", "multi_family": "multi-family building"}
_EMOJI = ("🙂", "🙏", "😅", "🏡", "👍", "🤞", "😬")
_LATIN = ("english", "spanish", "french", "portuguese")
_HOSTILE = 0.006
GAP = "…"
"""Stands where something else said is put into a phrase."""
_TRIES = 4  # people seldom say the same words twice


class Span(NamedTuple):
    """Where a slot's value stands: characters from `start` up to `end`."""

    slot: str
    start: int
    end: int


class Said(NamedTuple):
    """A piece of text, the values in it, and whether its phrase is one held out."""

    text: str
    spans: tuple[Span, ...] = ()
    held: bool = False

    def whole(self, slot: str) -> "Said":
        """Mark all of it as what says a slot."""
        return self._replace(spans=(*self.spans, Span(slot, 0, len(self.text))))


class Pen:
    """One person writing: picks phrases and fills them in, in one style throughout.

    Parameters
    ----------
    sheet
        Who writes.
    draw
        Source of randomness.
    bank
        Phrases, see `read_bank`.
    may_hold
        Whether phrases held out may be used.
    slots
        What further placeholders stand for.
    """

    def __init__(
        self,
        sheet: Sheet,
        draw: Random,
        bank: str,
        *,
        may_hold: bool,
        slots: Mapping[str, str] | None = None,
    ) -> None:
        self.sheet, self.draw, self.bank, self.may_hold = sheet, draw, bank, may_hold
        self.words = BANKS[sheet.language]
        self._said: set[str] = set()
        kinds = kinds_of(sheet.language)
        writer = Writer(
            sheet.contact, sheet.style, False, sheet.kind, sheet.budget_high, (0, 0, 0, 0)
        )
        own = {
            "few_days": str(draw.randint(2, 6)),
            "few_weeks": str(draw.randint(3, 7)),
            "few_months": str(draw.randint(3, 8)),
            "asking": money(5_000 * round(sheet.budget_high / 5_000), sheet.language, draw),
            "lease_months": "several",
            **dict.fromkeys(("hint", "intent", "items"), GAP),
        }
        person = slots_of(writer, draw) | own
        more = dict(slots or {})
        self._slots = person | {"kind": kinds[sheet.kind]} | more
        # Now and then a bilingual person falls into English.
        self._english = person | {"kind": _KIND_WORDS.get(sheet.kind, sheet.kind)} | more

    def say(self, topic: str, value: str) -> Said:
        """Say one thing in this person's words."""
        slips = self.sheet.mixed and self.draw.random() < 0.35
        language = "english" if slips else self.sheet.language
        told = phrases_of(self.bank, language, topic, value)
        return self.fill_in(told, topic=topic, english=slips)

    def agent_says(self, topic: str, value: str) -> Said:
        """Say something of the bank as an agent would, in plain spelling."""
        return self.fill_in(phrases_of(self.bank, self.sheet.language, topic, value), plainly=True)

    def fill_in(
        self,
        phrases: Phrases,
        *,
        topic: str = "",
        english: bool = False,
        plainly: bool = False,
    ) -> Said:
        """Draw one of some phrases and fill it in, minding where the values come to stand.

        Parameters
        ----------
        phrases
            To draw from.
        topic
            See `choose`.
        english
            Whether values are written the English way, whatever the person's language.
        plainly
            Whether the person's shortenings are left out.
        """
        for _ in range(_TRIES):
            template, held = choose(phrases, self.draw, may_hold=self.may_hold, topic=topic)
            if template not in self._said:
                break
        self._said.add(template)
        slots = self._english if english else self._slots
        if not plainly and self.sheet.style < _CARELESS and self.sheet.language == "english":
            for pattern, short in _CHATTED:
                if self.draw.random() < 0.5:
                    template = pattern.sub(short, template)
        text, spans, at = "", [], 0
        while (match := _SLOT.search(template, at)) is not None:
            text += template[at : match.start()]
            value = fill(match.group(0), slots, self.draw)
            spans.append(Span(match.group(1), len(text), len(text) + len(value)))
            text += value
            at = match.end()
            if value in ("1", "one"):
                template = template[:at] + _SINGLE.sub(r" \1", template[at:])
        return Said(text + template[at:], tuple(spans), held)

    def small(self, kind: str) -> Said:
        """Say something that means nothing: a greeting, chatter, a question, a goodbye."""
        options: tuple[str, ...] = getattr(self.words, kind)
        return self.small_of(options)

    def small_of(self, options: tuple[str, ...]) -> Said:
        """Say one of some phrases that tell no value."""
        for _ in range(_TRIES):
            template = unfold(pick(options, self.draw), self.draw)
            if template not in self._said:
                break
        self._said.add(template)
        return Said(fill(template, self._slots, self.draw))

    def agent(self, kind: str = "agent_asks") -> str:
        """Give an agent's stock phrase in the lead's language."""
        return self.small(kind).text

    def message(self, parts: Sequence[Said]) -> Said:
        """Join what is said into one message in this person's style."""
        sheet, draw, words = self.sheet, self.draw, self.words
        casual = sheet.style < _CASUAL
        text, spans = "", []
        for part in parts:
            if text:
                ended = text[-1] in "?？！!"
                gap = "" if words.joint != " " else " "
                text += gap if ended else self._joint(casual=casual)
            opens = not casual and (not text or text[-2:-1] in ".?!")
            offset = len(text)
            text += part.text[:1].upper() + part.text[1:] if opens else part.text
            spans += [Span(s.slot, s.start + offset, s.end + offset) for s in part.spans]
            asking = _ASKING.get(sheet.language)
            marked = casual or "?" in part.text or not text[-1].isalnum()
            if asking and not marked and asking.match(part.text):
                text += "?"
        if casual:
            text = "".join(c.lower() if len(c.lower()) == 1 else c for c in text)
        elif text and text[-1] not in "?？！!.。।":
            text += words.stop
        if _CASUAL * 0.6 < sheet.style < _CARELESS and sheet.language in _LATIN:
            text = _typos(text, spans, draw)
        if sheet.style < _CARELESS and draw.random() < 0.18:
            text += f" {pick(_EMOJI, draw)}"
        if draw.random() < _HOSTILE:
            text += f"\n{pick(HOSTILE, draw)}"
        return Said(text, tuple(spans), any(part.held for part in parts))

    def _joint(self, *, casual: bool) -> str:
        if self.words.joint != " ":
            return self.words.joint
        if casual:
            return pick((", ", " ", " - ", "\n"), self.draw)
        if self.sheet.language == "english":
            return pick((". ", ". ", ". ", ", and ", "; "), self.draw)
        return f"{self.words.stop} "


def kinds_of(language: str) -> Mapping[str, str]:
    """Give the word for each kind of property.

    Examples
    --------
    >>> kinds_of("english")["retail"], kinds_of("french")["retail"]
    ('shop', 'le local')
    """
    words = BANKS[language].kinds
    return {**words, **_KIND_WORDS} if language == "english" else words


def dialogue(turns: Sequence[tuple[str, Said]]) -> Said:
    """Write turns one a line, each after its speaker.

    Examples
    --------
    >>> place = Said("Ash Park", (Span("at", 0, 8),))
    >>> told = dialogue([("agent", Said("Where?")), ("lead", place)])
    >>> told.text.splitlines(), told.text[slice(*told.spans[0][1:])]
    (['agent: Where?', 'lead: Ash Park'], 'Ash Park')
    """
    text, spans = "", []
    for speaker, said in turns:
        text += "\n" * bool(text) + f"{speaker}: "
        spans += [Span(s.slot, s.start + len(text), s.end + len(text)) for s in said.spans]
        text += " ".join(said.text.split("\n")) if "\n" in said.text else said.text
    return Said(text, tuple(spans), any(said.held for _, said in turns))


def _typos(text: str, spans: Sequence[Span], draw: Random) -> str:
    """Swap letters or hit the key beside, about once in 45, never within a value."""
    letters = list(text)
    for _ in range(1 + len(letters) // 45 if len(letters) > 3 else 0):
        at = int(draw.random() * (len(letters) - 1))
        if any(s.start - 1 <= at < s.end for s in spans):
            continue
        one, two = letters[at], letters[at + 1]
        if one.isalpha() and two.isalpha():
            if draw.random() < 0.6:
                letters[at], letters[at + 1] = two, one
            else:
                letters[at] = _NEIGHBOURS.get(one, one)
    return "".join(letters)
