"""Everything there is to see of one answer."""

import html
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from workbench.data import AskedField, Corpus
from workbench.errors import EvaluationError
from workbench.evaluation.readings.evaluation import ReadingEvaluation
from workbench.evaluation.readings.example_texts import (
    SealedText,
    corpus_texts,
    seal_text,
    shown_value,
)
from workbench.evaluation.readings.figures import grid_of
from workbench.predictors.readers import ClaudeReader
from workbench.privacy import PrivacyGate
from workbench.prompts import RenderedPrompt
from workbench.scorers import right_answers

__all__ = ["Trace", "TracedField", "trace"]

_TOP = 5
_FACTS = (
    "model_requested", "model_answered", "prompt_digest", "stop_reason", "error", "abstained",
    "attempts", "calls", "input_tokens", "output_tokens", "cache_read_input_tokens",
    "thinking_tokens", "cost_usd", "latency_s", "cached", "started_at", "request_id",
    "fallback_from", "answered_by",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class TracedField:
    """One field of one answer, sealed.

    Parameters
    ----------
    name, true, answered
        The field, its true and its answered value in words.
    right
        Whether the answer is right as a whole; None where that cannot be said.
    top
        The most probable values with their probabilities.
    """

    name: str
    true: str
    answered: str
    right: bool | None
    top: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Trace:
    """One answer of one arm: the text, every field, the prompt as sent, and what it took.

    Parameters
    ----------
    example_id, arm, origin, repeat
        Which answer; the arm as people read its name.
    text
        The text, sealed.
    fields
        What was asked, what is true and what was answered.
    evidence
        Quotes the answer rests on, sealed.
    facts
        Models, tokens, cost, latency (but the stand-in's), attempts, errors, identifiers.
    prompt
        As it is sent, sealed; None where no fitted reader was given.

    Examples
    --------
    >>> mood = TracedField("mood", "good", "bad", False, (("bad", 0.8), ("good", 0.2)))
    >>> found = Trace("7", "mine", None, 0, "Lovely place", (mood,), ("lovely",), {})
    >>> found.to_frame()["top"].tolist(), "<mark>Lovely</mark> place" in found._repr_html_()
    (['bad 0.80, good 0.20'], True)
    """

    example_id: str
    arm: str
    origin: str | None
    repeat: int
    text: str
    fields: tuple[TracedField, ...]
    evidence: tuple[str, ...]
    facts: dict[str, Any]
    prompt: RenderedPrompt | None = None

    def to_frame(self) -> pd.DataFrame:
        """One row a field: true and answered value, right, the most probable values."""
        return pd.DataFrame(
            [
                {
                    "field": f.name,
                    "true": f.true,
                    "answered": f.answered,
                    "right": f.right,
                    "top": ", ".join(f"{v} {p:.2f}" for v, p in f.top),
                }
                for f in self.fields
            ]
        )

    def _repr_html_(self) -> str:
        marks = {True: "✔ right", False: "✘ wrong", None: ""}
        rows = "".join(
            f"<tr><th scope='row'>{html.escape(f.name)}</th><td>{html.escape(f.true)}</td>"
            f"<td>{html.escape(f.answered)}</td><td style='white-space:nowrap'>"
            f"{marks[f.right]}</td><td>"
            + html.escape(", ".join(f"{v} {p:.2f}" for v, p in f.top))
            + "</td></tr>"
            for f in self.fields
        )
        facts = "".join(
            f"<tr><th scope='row'>{html.escape(k)}</th><td>{html.escape(str(v))}</td></tr>"
            for k, v in self.facts.items()
        )
        absent = [q for q in self.evidence if not _found(q, self.text)]
        missing = "".join(f"<li>“{html.escape(q)}”</li>" for q in absent)
        sent = "".join(
            f"<h4>{part}</h4><pre style='white-space:pre-wrap'>{html.escape(words)}</pre>"
            for part, words in zip(("system", "user"), self.prompt or (), strict=False)
        )
        origin = f", {html.escape(self.origin)}" if self.origin else ""
        return (
            f"<p><b>{html.escape(self.arm)}</b>{origin} on example "
            f"<code>{html.escape(self.example_id)}</code>, repeat {self.repeat}</p>"
            f"<blockquote style='white-space:pre-wrap'>{_marked(self.text, self.evidence)}"
            "</blockquote>"
            + (f"<p>Quoted, but not in the text:</p><ul>{missing}</ul>" if missing else "")
            + "<table class='wb wide-last'><thead><tr><th>Field</th><th>True</th><th>Answered</th>"
            f"<th></th><th>Most probable</th></tr></thead><tbody>{rows}</tbody></table>"
            f"<details><summary>What it took</summary><table class='wb'><tbody>{facts}</tbody>"
            "</table></details>"
            + (f"<details><summary>Prompt as sent</summary>{sent}</details>" if sent else "")
        )


def trace(
    evaluation: ReadingEvaluation,
    example_id: str,
    arm: str,
    *,
    repeat: int = 0,
    reader: ClaudeReader | None = None,
    corpus: Corpus | None = None,
) -> Trace:
    """Show everything there is to see of one answer; identifiers are sealed.

    Parameters
    ----------
    evaluation
        The evaluation.
    example_id
        Identifier of the example.
    arm
        One of the evaluation's arms.
    repeat
        Which of its answers.
    reader
        The arm, fitted: the prompt is rendered again as it was sent.
    corpus
        Where the texts are, once the evaluation was loaded from a folder.

    Raises
    ------
    EvaluationError
        When there is no such answer, no texts are known, or the reader has another prompt than the
        one that was asked.
    """
    info, records = evaluation.arm(arm), evaluation.records
    chosen = records[
        (records["arm"] == arm)
        & (records["example_id"] == str(example_id))
        & (records["repeat"] == repeat)
    ]
    if chosen.empty:
        known = records.loc[records["arm"] == arm, "example_id"]
        raise EvaluationError(
            f"no answer of {arm!r} on example {example_id!r}, repeat {repeat}",
            expected=f"an example such as {known.iloc[0]!r}, and a repeat that was asked",
            fix="take an identifier from evaluation.records",
        )
    row = chosen.iloc[0]
    text = seal_text(corpus_texts(evaluation, corpus)[str(example_id)], PrivacyGate())
    fields = tuple(
        _traced(chosen.assign(repeat=0), arm, asked, text) for asked in evaluation.fields
    )
    quotes = json.loads(row["evidence"]) if isinstance(row["evidence"], str) else []
    facts = {k: _plain(row[k]) for k in _FACTS if k in row and not _absent(row[k])}
    if info.simulated:  # the stand-in's time is nobody's latency
        facts.pop("latency_s", None)
    return Trace(
        example_id=str(example_id),
        arm=info.label,
        origin=info.origin,
        repeat=repeat,
        text=text.text,
        fields=fields,
        evidence=tuple(text.seal(str(quote)) for quote in quotes),
        facts=facts,
        prompt=None if reader is None else _sent(evaluation, row, reader, text, corpus),
    )


def _traced(row: pd.DataFrame, arm: str, asked: AskedField, text: SealedText) -> TracedField:
    answers = grid_of(row, [arm], [asked]).answers[arm, asked.name]
    right = right_answers(answers)[0]
    top: list[tuple[str, float]] = []
    if answers.proba is not None and np.isfinite(answers.proba[0]).all():
        order = np.argsort(-answers.proba[0], kind="stable")[:_TOP]
        top = [(asked.values[i], float(answers.proba[0, i])) for i in order]
    return TracedField(
        name=asked.name,
        true="not known" if answers.truth[0] is None else text.seal(shown_value(answers.truth[0])),
        answered=text.seal(shown_value(answers.values[0])),
        right=None if np.isnan(right) else bool(right),
        top=tuple(top),
    )


def _sent(
    evaluation: ReadingEvaluation,
    row: "pd.Series[Any]",
    reader: ClaudeReader,
    text: SealedText,
    corpus: Corpus | None,
) -> RenderedPrompt:
    if reader.prompt.digest != row["prompt_digest"]:
        raise EvaluationError(
            f"the reader's prompt {reader.prompt.name!r} has digest {reader.prompt.digest}",
            expected=f"the prompt that was asked, {row['prompt_digest']}",
            fix="pass the reader of this arm, fitted on the same rows",
        )
    held = corpus or evaluation.corpus
    assert held is not None  # noqa: S101 - the text was read from it
    rendered = reader.render(held.X[held.X.index.astype(str) == row["example_id"]])[0]
    return RenderedPrompt(*(text.seal(part) for part in rendered))


def _absent(value: Any) -> bool:
    return value is None or (isinstance(value, float) and np.isnan(value))


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value


def _found(quote: str, text: str) -> bool:
    return quote.casefold() in text.casefold()


def _marked(text: str, quotes: Sequence[str]) -> str:
    """The text as HTML, quotes marked; those that overlap are marked as one."""
    spans = sorted(
        found.span()
        for quote in quotes
        if quote.strip()
        for found in re.finditer(re.escape(quote), text, re.IGNORECASE)
    )
    pieces, done = [], 0
    for start, end in spans:
        start = max(start, done)
        if end > start:
            pieces += [
                html.escape(text[done:start]),
                f"<mark>{html.escape(text[start:end])}</mark>",
            ]
            done = end
    return "".join([*pieces, html.escape(text[done:])])
