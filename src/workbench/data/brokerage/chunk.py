"""One chunk of leads, from the seed to its Parquet parts."""

import random
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from workbench.data.brokerage.activity import (
    CHANNELS,
    Closings,
    Coached,
    LeadWeeks,
    Papers,
    Talks,
    Touches,
    Viewings,
    draw_closings,
    draw_coaching,
    draw_papers,
    draw_sessions,
    draw_talks,
    draw_touches,
    draw_viewings,
    lead_weeks,
)
from workbench.data.brokerage.chain import Paths, draw_paths
from workbench.data.brokerage.columns import coded, identifiers, moment_column, picked
from workbench.data.brokerage.contacts import contact_columns, first_names
from workbench.data.brokerage.dialogue import Brief, compose_dialogue
from workbench.data.brokerage.events import FIRST_CHANNEL, Events, gather_events
from workbench.data.brokerage.forecast import forecast
from workbench.data.brokerage.labels import draw_snapshots, judge
from workbench.data.brokerage.market import PROPERTY_TYPES, Market
from workbench.data.brokerage.nature import (
    Nature,
    action_policy,
    describe_nature,
    phase,
    strategy_policy,
)
from workbench.data.brokerage.people import People, draw_people
from workbench.data.brokerage.schema import LANGUAGES, OBJECTIONS, STATES
from workbench.data.brokerage.seasons import END_S
from workbench.data.brokerage.snapshot_tables import (
    label_columns,
    lead_truth,
    risk_truth,
    snapshot_columns,
    snapshot_truth,
)
from workbench.data.brokerage.storage import PartWriter
from workbench.data.brokerage.tables import (
    Columns,
    Refs,
    appointment_columns,
    coaching_columns,
    document_columns,
    event_columns,
    lead_columns,
    outcome_columns,
    talk_columns,
    touch_columns,
)

__all__ = ["ChunkPlan", "write_chunk"]

# Each part of a chunk has randomness of its own: writing fewer texts changes nothing else.
_STREAMS = ("people", "contacts", "paths", "activity", "events", "recording", "snapshots",
            "labels", "outcomes", "texts")  # fmt: skip


class ChunkPlan(NamedTuple):
    """Which leads a chunk holds."""

    random_state: int
    number: int
    n_leads: int
    chunk_leads: int
    text_share: float

    def stream(self, name: str) -> np.random.Generator:
        """Give the randomness of one part; it depends on seed and chunk number only."""
        return np.random.default_rng([self.random_state, 2, self.number, _STREAMS.index(name)])


class _Lived(NamedTuple):
    """What the leads of a chunk were like and lived through, as codes."""

    people: People
    nature: Nature
    paths: Paths
    weeks: LeadWeeks
    closings: Closings
    touches: Touches
    coached: Coached
    talks: Talks
    viewings: Viewings
    papers: Papers
    events: Events


def write_chunk(plan: ChunkPlan, market: Market, writer: PartWriter) -> None:
    """Simulate the leads of a chunk and write one part of every table."""
    lived = _live(plan, market)
    base = plan.number * plan.chunk_leads
    ids = identifiers("L", base + np.arange(plan.n_leads), 8)
    refs = Refs(lived.people, ids, plan.number)
    contacts, contact_of = contact_columns(lived.people, 2 * base, plan.stream("contacts"))
    tables = {"contacts": contacts, "leads": lead_columns(refs, contact_of)}
    tables |= _happenings(plan, market, lived, refs)
    tables |= _judged(plan, market, lived, refs, contact_of)
    for name, columns in tables.items():
        writer.write(name, plan.number, columns)


def _live(plan: ChunkPlan, market: Market) -> _Lived:
    people = draw_people(plan.n_leads, market, plan.stream("people"))
    nature = describe_nature(people, market)
    paths = draw_paths(nature, plan.stream("paths"))
    weeks = lead_weeks(paths, people.created_s)
    rng = plan.stream("activity")
    closings = draw_closings(paths, people.created_s, rng)
    visits = draw_sessions(weeks, nature, rng)
    touches = draw_touches(weeks, paths, nature, rng)
    coached = draw_coaching(weeks, paths, nature, rng)
    talks = draw_talks(weeks, nature, FIRST_CHANNEL[people.source], rng)
    viewings = draw_viewings(weeks, nature, rng)
    papers = draw_papers(weeks, rng)
    talks = Talks(*(part[talks.started_s < END_S] for part in talks))
    did = (visits, touches, coached, talks)
    events = gather_events(people, market, did, plan.stream("events"))
    return _Lived(people, nature, paths, weeks, closings, touches, coached, talks, viewings,
                  papers, events)  # fmt: skip


def _happenings(plan: ChunkPlan, market: Market, lived: _Lived, refs: Refs) -> dict[str, Columns]:
    """Give the tables of what happened, and the truth that belongs to their rows."""
    touches, coached = lived.touches, lived.coached
    acts = action_policy(lived.nature)[phase(touches.week), touches.lead]
    advice = strategy_policy(lived.nature)[coached.lead]
    tables: dict[str, Columns] = {
        "events": event_columns(refs, lived.events, market, plan.stream("recording")),
        "appointments": appointment_columns(refs, lived.viewings),
        "documents": document_columns(refs, lived.papers),
        "outcomes": outcome_columns(refs, lived.closings, plan.stream("outcomes")),
        "truth/leads": lead_truth(refs),
        "truth/risk": risk_truth(refs, lived.weeks, lived.paths, lived.closings),
    }
    tables["touches"], tables["truth/touches"] = touch_columns(refs, touches, acts)
    tables["coaching"], tables["truth/coaching"] = coaching_columns(refs, coached, advice)
    talks = talk_columns(refs, lived.talks, OBJECTIONS)
    tables["conversations"], tables["truth/conversations"] = talks
    tables["messages"] = _messages(plan, refs, lived.talks, tables["conversations"])
    return tables


def _judged(
    plan: ChunkPlan, market: Market, lived: _Lived, refs: Refs, contact_of: pa.Array
) -> dict[str, Columns]:
    """Give snapshots, their labels and their truth."""
    snapshots = draw_snapshots(lived.weeks, plan.n_leads, plan.stream("snapshots"))
    did = (lived.touches, lived.talks, lived.viewings, lived.closings)
    labels = judge(snapshots, lived.nature, lived.events, did, plan.stream("labels"))
    scored = lived.nature.take(snapshots.lead)
    truth = forecast(scored, snapshots.week, snapshots.state)
    return {
        "snapshots": snapshot_columns(refs, snapshots, contact_of),
        "labels": label_columns(refs, labels, market),
        "truth/snapshots": snapshot_truth(refs, snapshots, truth, labels.p_urgency),
    }


def _messages(plan: ChunkPlan, refs: Refs, talks: Talks, conversations: Columns) -> Columns:
    """Write the dialogues of a share of the leads."""
    rng = plan.stream("texts")
    written = rng.random(plan.n_leads) < plan.text_share
    style = rng.random(plan.n_leads)[refs.people.person]
    draw = random.Random(int(rng.integers(0, 2**62)))
    briefs = _Briefs(refs.people, talks, style, 2 * plan.number * plan.chunk_leads)
    row: list[int] = []
    sent: list[int] = []
    speaker: list[int] = []
    text: list[str] = []
    for talk in np.flatnonzero(written[talks.lead]).tolist():
        moment = int(talks.started_s[talk])
        for turn in compose_dialogue(briefs.of(talk), draw):
            row.append(talk)
            sent.append(moment)
            speaker.append(turn.speaker == "agent")
            text.append(turn.text)
            moment += 20 + int(draw.expovariate(1 / 900) % 9_000)
    rows = np.array(row, dtype=np.int64)
    when = np.minimum(np.array(sent, dtype=np.int64), END_S - 1)
    late = rng.random(len(rows))
    delay = np.where(late < 0.03, late / 0.03 * 172_800, 5).astype(np.int64)
    delay[when == refs.people.created_s[talks.lead[rows]]] = 0  # what created the lead
    columns = refs.of(talks.lead[rows]) | {
        "message_id": refs.ids("M", len(rows)),
        "conversation_id": picked(conversations["conversation_id"], rows),
        "sent_at": moment_column(when),
        "recorded_at": moment_column(when + delay),
        "speaker": coded(("lead", "agent"), np.array(speaker, dtype=np.int64)),
        "text": pa.array(text, pa.string()),
    }
    del columns["agent_id"]
    return columns


class _Briefs:
    """Gives what the composer may know about each conversation."""

    def __init__(self, people: People, talks: Talks, style: np.ndarray, base: int) -> None:
        self._people, self._talks, self._style, self._base = people, talks, style, base
        self._names = first_names(people, base)

    def of(self, talk: int) -> Brief:
        """Give the brief of one conversation."""
        people, lead = self._people, int(self._talks.lead[talk])
        kind = int(self._talks.kind[talk])
        return Brief(
            person=self._base + int(people.person[lead]),
            name=self._names[lead],
            language=LANGUAGES[people.language[lead]],
            channel=CHANNELS[self._talks.channel[talk]],
            stage=STATES[self._talks.state[talk]],
            property_type=PROPERTY_TYPES[people.kind[lead]],
            budget_usd=float(people.wish_usd[lead]),
            objection=OBJECTIONS[kind] if kind >= 0 else None,
            is_first=int(self._talks.started_s[talk]) == int(people.created_s[lead]),
            style=float(self._style[lead]),
            traits=tuple(people.traits[lead, :6].tolist()),
        )
