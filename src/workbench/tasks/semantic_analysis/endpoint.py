"""The composite analysis as a brokerage's services call it: messages in, one document out."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from html import escape
from typing import Any

import numpy as np
import pandas as pd

from workbench.data.conversations.sheets import URGENCY
from workbench.errors import PredictorError

__all__ = ["SemanticAnalyser", "SemanticAnalysis"]

_SPEAKERS = {"lead", "agent"}


@dataclass(frozen=True, slots=True)
class SemanticAnalysis:
    """What a conversation says.

    Parameters
    ----------
    intent_analysis
        `primary_intent`, `motivation` (list), `urgency_level`, `decision_stage`; None where nothing
        was read.
    semantic_preferences
        Slots that were mentioned; empty when preferences were not asked for.
    confidence
        In the primary intent, 0 to 100; None where the reader states none.
    urgency_score
        0 to 100: the expected level where a model on this machine gives probabilities, else the
        level named.
    processing_time_ms
        Of this call, on this machine.
    origin
        Where the answer came from; None for a model on this machine.
    """

    intent_analysis: dict[str, Any]
    semantic_preferences: dict[str, Any]
    confidence: float | None
    urgency_score: float | None
    processing_time_ms: float
    origin: str | None

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)

    def to_frame(self) -> pd.DataFrame:
        """One row a thing read."""
        told = {**self.intent_analysis, **self.semantic_preferences}
        return pd.DataFrame({"field": list(told), "value": [str(v) for v in told.values()]})

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><th style='text-align:left'>{escape(name)}</th><td>{escape(value)}</td></tr>"
            for name, value in self.to_frame().itertuples(index=False)
        )
        sure = "–" if self.confidence is None else f"{self.confidence:.0f}"
        by = "a simulated reader, not Claude" if self.origin == "simulated" else "this reader"
        return f"<p>Confidence {sure} of 100, by {by}.</p><table>{rows}</table>"


class SemanticAnalyser:
    """Analyse conversations with a fitted reader of the task `semantic_analysis`.

    Parameters
    ----------
    reader
        Fitted; any arm of the task.

    Examples
    --------
    >>> from workbench.tasks import load_task
    >>> from workbench.tasks.semantic_analysis.conversations import semantic_corpus
    >>> task, corpus = load_task("semantic_analysis"), semantic_corpus(120)
    >>> reader = task.reader("rules").fit(corpus.X, corpus.y)
    >>> found = SemanticAnalyser(reader).analyse(
    ...     [{"speaker": "lead", "message": "Looking for a condo with 3 bedrooms, up to $450k."}])
    >>> found.semantic_preferences["bedrooms"], found.semantic_preferences["property_type"]
    (3.0, 'condo')
    """

    def __init__(self, reader: Any) -> None:
        self.reader = reader

    def analyse(
        self,
        conversation_messages: Sequence[Mapping[str, Any]],
        *,
        location_id: str = "",
        include_preferences: bool = True,
    ) -> SemanticAnalysis:
        """Analyse one conversation.

        Parameters
        ----------
        conversation_messages
            In order: `speaker` ("lead" or "agent"), `message`, and `timestamp` if known.
        location_id
            Tenant, for whoever accounts for the call; not read.
        include_preferences
            Whether preferences are wanted.

        Raises
        ------
        PredictorError
            When there is no message, or one lacks a speaker or a text.
        """
        started = time.perf_counter()
        row = pd.DataFrame(
            {"text": [_text(conversation_messages)], "sent_on": [_day(conversation_messages)]},
            index=pd.Index([f"call-{location_id}" if location_id else "call"]),
        )
        found = self.reader.read(row)
        values = found.values.iloc[0]
        intents = found.proba.get("primary_intent")
        # A confidence stated for the whole answer is no distribution over the levels.
        levels = found.proba.get("urgency") if found.answers is None else None
        known = intents is not None and not np.isnan(intents[0]).any()
        origin = None if found.answers is None else found.answers["origin"].iloc[0]
        return SemanticAnalysis(
            intent_analysis={
                "primary_intent": values.get("primary_intent"),
                "motivation": list(values.get("motivations") or ()),
                "urgency_level": values.get("urgency"),
                "decision_stage": values.get("decision_stage"),
            },
            semantic_preferences=dict(values.get("preferences") or {})
            if include_preferences
            else {},
            confidence=float(100 * intents[0].max()) if known and intents is not None else None,
            urgency_score=_urgency(values.get("urgency"), levels),
            processing_time_ms=1000 * (time.perf_counter() - started),
            origin=origin,
        )


def _text(messages: Sequence[Mapping[str, Any]]) -> str:
    lines: list[str] = []
    for number, told in enumerate(messages, start=1):
        if not isinstance(told, Mapping):
            raise PredictorError(
                f"a message that is a {type(told).__name__}",
                where=f"message {number}",
                expected="a mapping with speaker and message",
                fix="pass the messages as dictionaries",
            )
        speaker, said = told.get("speaker"), told.get("message")
        if not isinstance(speaker, str) or speaker not in _SPEAKERS or not isinstance(said, str):
            raise PredictorError(
                f"a message of speaker {speaker!r} with a {type(said).__name__}",
                where=f"message {number}",
                expected="'lead' or 'agent', and a text",
                fix="map the speakers of your system to these two",
            )
        # A line a turn: a message that holds lines of its own cannot pose as another speaker.
        readable = said.encode(errors="replace").decode()
        lines.append(f"{speaker}: {' '.join(readable.split())}")
    if not any(line.partition(": ")[2] for line in lines):
        raise PredictorError(
            f"{len(lines)} messages that say nothing",
            expected="at least one with words",
            fix="pass the conversation",
        )
    return "\n".join(lines)


def _day(messages: Sequence[Mapping[str, Any]]) -> str:
    stamps = [str(m["timestamp"])[:10] for m in messages if m.get("timestamp")]
    return stamps[-1] if stamps else ""


def _urgency(level: str | None, proba: Any) -> float | None:
    top = len(URGENCY) - 1
    if proba is not None and not np.isnan(proba[0]).any():
        return float(100 * (proba[0] @ np.arange(len(URGENCY))) / top)
    return None if level is None else 100.0 * URGENCY.index(level) / top
