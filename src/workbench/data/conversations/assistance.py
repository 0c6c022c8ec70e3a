"""Dialogues in which an agent now and then is at a loss: when to step in."""

from random import Random

from workbench.data.conversations.objections import object_to, voiced_scene
from workbench.data.conversations.rows import Example, answer_of, slices_of
from workbench.data.conversations.sheets import Sheet, draw_agent
from workbench.data.conversations.writing import Pen, Said, dialogue
from workbench.data.fields import AskedField

__all__ = ["FIELDS", "write_help"]

_LONGEST = 16
TURNS = tuple(map(str, range(1, _LONGEST + 1)))
FIELDS = (
    AskedField(name="needs_help", kind="labels", values=TURNS,
               meaning="Turns of the lead, counted from 1, after which the agent needs help"),
)  # fmt: skip

_HARD_SHARE = 0.3
# How often an agent has no answer to an objection or a hard question.
_AT_A_LOSS = {"novice": 0.7, "experienced": 0.35, "expert": 0.12}
_INSISTS = 0.65


def write_help(sheet: Sheet, draw: Random, *, may_hold: bool) -> Example:
    """Write a dialogue of 6 to 16 turns with hard turns of the lead in it.

    Parameters
    ----------
    sheet
        The lead.
    draw
        Source of randomness.
    may_hold
        Whether phrases held out may be used.

    Returns
    -------
    Example
        Help is needed after a hard turn the agent then has no answer to, and after the lead
        insists. Whether agents know is a matter of experience and of the agent, who mostly is
        at a loss again.
    """
    sheet = sheet._replace(language="english", mixed=False)
    agent = draw_agent(draw)
    pen = Pen(sheet, draw, "onsets", may_hold=may_hold)
    objecting = Pen(sheet, draw, "objections", may_hold=may_hold)
    loss = min(0.95, max(0.03, _AT_A_LOSS[agent.experience] + draw.gauss(0, 0.15)))
    n_turns = draw.randint(6, _LONGEST)
    turns: list[tuple[str, Said]] = []
    needed: list[str] = []
    stuck = hard = False
    for turn in range(1, n_turns + 1):
        if turn % 2 == 0:
            # An easy turn is answered easily, though some agents fumble for words all the same.
            fumbles = stuck or (not hard and draw.random() < 0.05)
            turns.append(("agent", Said(_reply(pen, hard=hard, fumbles=fumbles))))
            continue
        insists = stuck and draw.random() < _INSISTS
        hard = insists or (turn > 1 and draw.random() < _HARD_SHARE)
        turns.append(("lead", _lead(pen, objecting, turn, insists=insists, hard=hard)))
        stuck = hard and draw.random() < (min(0.95, loss + 0.2) if insists else loss)
        if stuck or insists:
            needed.append(str(turn))
    said = dialogue(turns)
    return Example(
        X={"text": said.text, "agent_role": agent.role, "agent_experience": agent.experience,
           "vertical": sheet.vertical},
        y={"needs_help": answer_of(TURNS, needed)},
        slices=slices_of(sheet, said.text, held=said.held)
        | {"agent_role": agent.role, "agent_experience": agent.experience},
        truth={"chance_at_a_loss": loss},
    )  # fmt: skip


def _lead(pen: Pen, objecting: Pen, turn: int, *, insists: bool, hard: bool) -> Said:
    draw = pen.draw
    parts = [pen.small("greetings")] if turn == 1 else []
    if insists:
        parts.append(pen.say("again", "any"))
    elif hard and draw.random() < 0.5:
        parts.append(pen.say("hard_question", "any"))
    elif hard:
        parts += object_to(objecting, voiced_scene(pen.sheet, draw))[0]
    elif turn > 1 and draw.random() < 0.3:
        parts.append(pen.say("settled", "any"))
    if not parts or draw.random() < 0.4:
        parts.append(pen.small(draw.choice(("topics", "chatter", "questions", "decoys"))))
    return pen.message(parts)


def _reply(pen: Pen, *, hard: bool, fumbles: bool) -> str:
    if fumbles:
        return pen.agent_says("weak_reply", "any").text
    if hard and pen.draw.random() < 0.7:
        return pen.agent_says("strong_reply", "any").text
    return pen.agent()
