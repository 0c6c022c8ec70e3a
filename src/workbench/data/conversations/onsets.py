"""Whole dialogues in which an objection builds up, or does not."""

from dataclasses import replace
from math import exp
from random import Random
from types import MappingProxyType

import pandas as pd

from workbench.data.conversations.objections import TYPES, object_to, voiced_scene
from workbench.data.conversations.rows import Example, slices_of
from workbench.data.conversations.sheets import Sheet, rng
from workbench.data.conversations.writing import Pen, Said, dialogue
from workbench.data.corpus import Corpus
from workbench.data.fields import AskedField

__all__ = ["FIELDS", "cut_before", "turns_of", "write_onset"]

FIELDS = (
    AskedField(name="will_object", meaning="Whether the lead comes to object", kind="label",
               values=("no", "yes")),
    AskedField(name="onset_turn", meaning="Turn of the first objection, counted from 1",
               kind="number"),
    AskedField(name="objection_type", meaning="What the first objection is about", kind="label",
               values=TYPES),
)  # fmt: skip

_OBJECTING = 0.55
_NERVOUS = 0.18  # of those who never object hesitate all the time
_SILENT = 0.25  # of those who object show nothing before
_REACH = 2.2  # lead turns over which hesitation grows
_FORESHADOW = 0.4


def write_onset(sheet: Sheet, draw: Random, *, may_hold: bool) -> Example:
    """Write a dialogue of 6 to 16 turns.

    Parameters
    ----------
    sheet
        Who talks.
    draw
        Source of randomness.
    may_hold
        Whether phrases held out may be used.

    Returns
    -------
    Example
        Hesitation grows before an objection, with noise: some show nothing, and some hesitate
        all along and never object. Where nobody objects, turn and type are None.
    """
    pen = Pen(sheet, draw, "onsets", may_hold=may_hold)
    n_turns = draw.randint(6, 16)
    opens = draw.random() < 0.4  # the agent speaks first
    lead_turns = [t for t in range(1, n_turns + 1) if (t % 2 == 0) == opens]
    objects = draw.random() < _OBJECTING
    onset = draw.choice(lead_turns[2:] or lead_turns[-1:]) if objects else None
    scene = voiced_scene(sheet, draw)
    mood = draw.random()
    hints: list[int] = []
    turns: list[tuple[str, Said]] = []
    for turn in range(1, n_turns + 1):
        if turn not in lead_turns:
            turns.append(("agent", Said(_agent(pen, turn, n_turns, after=onset))))
        elif turn == onset:
            parts, _ = object_to(Pen(sheet, draw, "objections", may_hold=may_hold), scene)
            turns.append(("lead", pen.message(parts)))
        else:
            ahead = None if onset is None or turn > onset else (onset - turn) / 2
            hesitates = draw.random() < _hesitancy(ahead, mood, after=bool(onset and turn > onset))
            if hesitates and ahead is not None:
                hints.append(turn)
            kind = scene.types[0] if ahead is not None else None
            turns.append(("lead", _lead(pen, turn, hesitates=hesitates, kind=kind)))
    said = dialogue(turns)
    return Example(
        X={"text": said.text},
        y={
            "will_object": "yes" if objects else "no",
            "onset_turn": None if onset is None else float(onset),
            "objection_type": scene.types[0] if objects else None,
        },
        slices=slices_of(sheet, said.text, held=said.held),
        truth={"hinted_turns": tuple(hints), "root_cause_unsaid": scene.cause if objects else None},
    )


def turns_of(corpus: Corpus) -> pd.DataFrame:
    """Give a corpus of dialogues turn by turn.

    Parameters
    ----------
    corpus
        Whose texts are dialogues.

    Returns
    -------
    pandas.DataFrame
        `dialogue_id`, `turn` from 1, `speaker` and `text`.

    Examples
    --------
    >>> from workbench.data.conversations import make_corpus
    >>> turns = turns_of(make_corpus("objection_onsets", 3))
    >>> turns["speaker"].isin(["lead", "agent"]).all().item()
    True
    """
    rows = [
        (name, number, *line.split(": ", 1))
        for name, text in corpus.X["text"].items()
        for number, line in enumerate(str(text).split("\n"), start=1)
    ]
    return pd.DataFrame(rows, columns=["dialogue_id", "turn", "speaker", "text"])


def cut_before(corpus: Corpus, turns: int) -> Corpus:
    """Give what had been said some turns before the first objection.

    Parameters
    ----------
    corpus
        "objection_onsets" as made here, or some of its rows.
    turns
        How many turns before the objection the text ends: 1 or more.

    Returns
    -------
    Corpus
        Dialogues long enough, cut; those without an objection at a turn drawn among the same
        turns of the lead, so that length tells nothing.

    Raises
    ------
    ValueError
        When `turns` is below 1.

    Examples
    --------
    >>> from workbench.data.conversations import make_corpus
    >>> early = cut_before(make_corpus("objection_onsets", 40), 2)
    >>> turns_of(early)["text"].str.len().gt(0).all().item()
    True
    """
    if turns < 1:
        raise ValueError(f"turns is {turns}, expected 1 or more")
    kept, texts = [], []
    for at, (name, text) in enumerate(corpus.X["text"].items()):
        lines = str(text).split("\n")
        onset = corpus.y["onset_turn"].iloc[at]
        if onset is None:
            mine = [t for t, line in enumerate(lines, start=1) if line.startswith("lead: ")]
            onset = rng("cut", name).choice(mine[2:] or mine[-1:])
        if int(onset) - turns >= 1:
            kept.append(at)
            texts.append("\n".join(lines[: int(onset) - turns]))
    cut = corpus.take(kept)
    return replace(
        cut,
        X=cut.X.assign(text=texts),
        meanings=MappingProxyType({**cut.meanings, "text": "Conversation so far"}),
    )


def _hesitancy(ahead: float | None, mood: float, *, after: bool) -> float:
    """Give the chance that a turn hesitates; `ahead`: turns of the lead until the objection."""
    if after:
        return 0.15
    if ahead is None:
        return 0.35 if mood < _NERVOUS else 0.1
    return 0.1 if mood < _SILENT else 0.1 + 0.6 * exp(-(ahead - 1) / _REACH)


def _lead(pen: Pen, turn: int, *, hesitates: bool, kind: str | None) -> Said:
    draw, sheet = pen.draw, pen.sheet
    parts = [pen.small("greetings")] if turn <= 2 else []
    if hesitates:
        parts.append(pen.say("hesitation", "any"))
        if kind and sheet.language == "english" and draw.random() < _FORESHADOW:
            parts.append(pen.say("foreshadow", kind))
    elif sheet.language == "english" and draw.random() < 0.12:
        # Such questions are asked by those who never object, too.
        parts.append(pen.say("foreshadow", draw.choice(TYPES)))
    if not hesitates or draw.random() < 0.5:
        parts.append(pen.small(draw.choice(("questions", "chatter", "chatter", "topics"))))
        high, low = pen.words.traits[draw.choice(("seriousness", "urgency", "financing"))]
        if draw.random() < 0.45:
            parts.append(pen.small_of(high if draw.random() < 0.6 else low))
    if not hesitates and draw.random() < 0.15:
        parts.append(pen.small("decoys"))
    return pen.message(parts)


def _agent(pen: Pen, turn: int, n_turns: int, *, after: int | None) -> str:
    if turn == 1:
        return pen.agent("agent_opens")
    if after is not None and turn == after + 1:
        kind = pen.draw.choice(list(pen.words.answers))
        return pen.small_of(pen.words.answers[kind]).text
    return pen.agent("agent_closes" if turn == n_turns else "agent_asks")
