"""The qualification flow as a brokerage calls it: start, respond, and a record of every step."""

import html
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from random import Random
from typing import NamedTuple

import pandas as pd

from workbench.data.conversations import Question, worded
from workbench.data.conversations.sheets import AREAS, CRITICAL
from workbench.errors import DataError
from workbench.studies.qualification_policies import Heard, Policy, Suggested, is_hard
from workbench.studies.qualification_reader import Exchange
from workbench.studies.qualification_talks import MAX_TURNS, Listener
from workbench.tasks.qualification.rules import completeness

__all__ = ["EVENT_COLUMNS", "AreaProgress", "FlowStep", "QualificationFlow"]

EVENT_COLUMNS = (
    "flow_id", "number", "at", "event", "slug", "answered", "completeness",
    "tenant", "agent_id", "agent_role", "agent_experience",
)  # fmt: skip
"""Columns of flow records; `event` is started, asked, answered, finished or abandoned."""
_SHOWN = 3


class AreaProgress(NamedTuple):
    """How far one area is.

    Attributes
    ----------
    area
        Its name.
    weight
        Points of a hundred.
    answered, questions
        How many of its questions are answered, and how many there are.
    stage_threshold
        Stage the lead reaches once the area is complete; None where it tells no stage.
    """

    area: str
    weight: int
    answered: int
    questions: int
    stage_threshold: str | None


@dataclass(frozen=True)
class FlowStep:
    """Where a flow stands.

    Parameters
    ----------
    flow_id, contact_id, contact_name
        Whose flow it is.
    completeness
        0 to 100.
    areas
        Progress of each area.
    recommendations
        Questions worth asking, best first.
    question
        Words for the first of them; None when done.
    missing_critical
        Critical questions not answered.
    done
        Whether the flow is over.
    """

    flow_id: str
    contact_id: str
    contact_name: str
    completeness: float
    areas: tuple[AreaProgress, ...]
    recommendations: tuple[Suggested, ...]
    question: str | None
    missing_critical: tuple[str, ...]
    done: bool

    def to_frame(self) -> pd.DataFrame:
        """One row an area."""
        return pd.DataFrame(self.areas)

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td>{html.escape(a.area)}</td><td>{a.weight}</td>"
            f"<td>{a.answered} of {a.questions}</td></tr>"
            for a in self.areas
        )
        worth = "".join(
            f"<li>{html.escape(s.slug)}: {s.expected_points:.1f} points, {s.expected_bits:.1f} "
            f"bits; {html.escape(s.why_now)}</li>"
            for s in self.recommendations
        )
        asked = "done" if self.question is None else f"“{html.escape(self.question)}”"
        missing = html.escape(", ".join(self.missing_critical) or "nothing")
        return (
            f"<p><b>{html.escape(self.contact_name)}</b>: {self.completeness:.0f} % · {asked}</p>"
            f"<table><tr><th>area</th><th>weight</th><th>answered</th></tr>{rows}</table>"
            f"<ol>{worth}</ol><p>Critical and missing: {missing}</p>"
        )


@dataclass
class _Flow:
    contact_id: str
    contact_name: str
    heard: Heard
    agent: Mapping[str, str]
    question: Question | None = None
    asked: str = ""
    done: bool = False
    events: list[dict[str, object]] = field(default_factory=list)


class QualificationFlow:
    """Qualification talks as they go on, one flow a contact.

    Parameters
    ----------
    policy
        Chooses the questions.
    listener
        Hears the answers.
    max_turns
        Questions put at most.
    clock
        Gives the time of an event.
    random_state
        Seed of the wording.

    Examples
    --------
    >>> from workbench.data.conversations import make_corpus
    >>> from workbench.studies.qualification_flow import learnt_listener
    >>> from workbench.studies.qualification_policies import FixedScript
    >>> listener = learnt_listener(make_corpus("qualification_sheets", 300))
    >>> flow = QualificationFlow(FixedScript(), listener)
    >>> step = flow.start("c-1", "Ada", "Hi, we are thinking about a move.")
    >>> step.recommendations[0].slug, step.done
    ('budget_range', False)
    >>> flow.respond(step.flow_id, "Between $400k and $450k.").recommendations[0].slug
    'financing_status'
    """

    def __init__(
        self,
        policy: Policy,
        listener: Listener,
        *,
        max_turns: int = MAX_TURNS,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        random_state: int = 0,
    ) -> None:
        self.policy = policy
        self.listener = listener
        self.max_turns = max_turns
        self.clock = clock
        self.random_state = random_state
        self._flows: dict[str, _Flow] = {}

    def start(
        self,
        contact_id: str,
        contact_name: str,
        initial_message: str,
        *,
        vertical: str = "residential",
        side: str = "buyer",
        agent: Mapping[str, str] | None = None,
    ) -> FlowStep:
        """Begin a flow with the lead's first message.

        Parameters
        ----------
        contact_id, contact_name
            Who it is.
        initial_message
            What the lead wrote first.
        vertical, side
            Of the lead.
        agent
            `tenant`, `agent_id`, `agent_role` and `agent_experience`, for the records.
        """
        flow_id = f"flow-{len(self._flows) + 1}"
        flow = _Flow(contact_id, contact_name, Heard(vertical, side), dict(agent or {}))
        self._flows[flow_id] = flow
        flow.heard.exchanges.append(Exchange("", initial_message))
        flow.heard.hear(self.listener.listen([flow.heard])[0])
        self._note(flow_id, "started")
        return self._ask(flow_id)

    def respond(self, flow_id: str, message: str) -> FlowStep:
        """Take the lead's reply to the question put last.

        Parameters
        ----------
        flow_id
            Of the flow.
        message
            What the lead says.

        Raises
        ------
        DataError
            When there is no such flow, or it is over.
        """
        flow = self._open(flow_id)
        slug = None if flow.question is None else flow.question.slug
        flow.heard.exchanges.append(Exchange(flow.asked, message))
        flow.heard.hear(self.listener.listen([flow.heard])[0], slug)
        self._note(flow_id, "answered", slug)
        return self._ask(flow_id)

    def abandon(self, flow_id: str) -> FlowStep:
        """Note that the lead has left.

        Parameters
        ----------
        flow_id
            Of the flow.

        Raises
        ------
        DataError
            When there is no such flow, or it is over.
        """
        flow = self._open(flow_id)
        slug = None if flow.question is None else flow.question.slug
        flow.done, flow.question, flow.asked = True, None, ""
        self._note(flow_id, "abandoned", slug)
        return self._step(flow_id, ())

    def records(self) -> pd.DataFrame:
        """Give every event of every flow, in order, with the columns `EVENT_COLUMNS`.

        Nothing a lead said is in them, so a file of them keeps no text.
        """
        rows = [event for flow in self._flows.values() for event in flow.events]
        return pd.DataFrame(rows, columns=list(EVENT_COLUMNS))

    def _open(self, flow_id: str) -> _Flow:
        flow = self._flows.get(flow_id)
        if flow is None or flow.done:
            raise DataError(
                f"flow {flow_id!r} is over" if flow else f"no flow {flow_id!r}",
                where="qualification flow",
                expected="a flow that was started and goes on",
                fix="start one with the lead's first message",
            )
        return flow

    def _ask(self, flow_id: str) -> FlowStep:
        flow = self._flows[flow_id]
        turn = len(flow.heard.exchanges)
        flow.question = self.policy.next(flow.heard) if turn <= self.max_turns else None
        if flow.question is None:
            flow.done, flow.asked = True, ""
            self._note(flow_id, "finished")
            return self._step(flow_id, ())
        draw = Random(f"wording/{self.random_state}/{flow_id}/{turn}")
        put = flow.question
        flow.asked, _ = worded(put.slug, draw, hard=is_hard(put), bridge=put.bridge)
        self._note(flow_id, "asked", put.slug)
        return self._step(flow_id, self.policy.rank(flow.heard)[:_SHOWN])

    def _step(self, flow_id: str, ranked: Sequence[Suggested]) -> FlowStep:
        flow = self._flows[flow_id]
        answered = flow.heard.answered
        return FlowStep(
            flow_id,
            flow.contact_id,
            flow.contact_name,
            completeness(answered),
            tuple(
                AreaProgress(area, weight, sum(s in answered for s in slugs), len(slugs),
                             "qualified" if area == "budget" else None)
                for area, (weight, slugs) in AREAS.items()
            ),
            tuple(ranked),
            flow.asked or None,
            tuple(slug for slug in CRITICAL if slug not in answered),
            flow.done,
        )  # fmt: skip

    def _note(self, flow_id: str, event: str, slug: str | None = None) -> None:
        flow = self._flows[flow_id]
        answered = flow.heard.answered
        flow.events.append(
            {
                "flow_id": flow_id, "number": len(flow.events), "at": self.clock(),
                "event": event, "slug": slug, "answered": answered,
                "completeness": completeness(answered), **flow.agent,
            }
        )  # fmt: skip
