"""From an answer of Claude's to a validated object, and to a row of `ANSWER_COLUMNS`."""

import dataclasses
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np
from pydantic import BaseModel, ValidationError

from workbench.claude import Answer, ClaudeRequest
from workbench.prompts import RenderedPrompt

__all__ = ["Asking", "Reading", "answer_row", "read_answer", "rendered_requests", "unasked_row"]

_COUNTS = (
    "attempts",
    "calls",
    "input_tokens",
    "output_tokens",
    "cache_read_input_tokens",
    "cache_creation_input_tokens",
    "cache_creation_1h_input_tokens",
    "thinking_tokens",
)


class Reading(NamedTuple):
    """What an answer says, or why it says nothing."""

    answer: BaseModel | None
    error: str | None


class Asking(Protocol):
    """A predictor's settings that every one of its requests carries."""

    model: str
    answer_model: type[BaseModel]
    max_tokens: int
    effort: str | None
    thinking: str | None


def rendered_requests(
    asking: Asking,
    example_ids: Iterable[object],
    prompts: Sequence[RenderedPrompt],
    *,
    repeat: int = 0,
) -> list[ClaudeRequest]:
    """One request an example, from prompts that are filled in.

    Parameters
    ----------
    asking
        Whose settings.
    example_ids
        Whom each request is about, in the order of `prompts`.
    prompts
        What is asked.
    repeat
        Which of several independent answers.
    """
    schema = asking.answer_model.model_json_schema()
    return [
        ClaudeRequest(
            model=asking.model,
            system=rendered.system,
            prompt=rendered.user,
            schema=schema,
            max_tokens=asking.max_tokens,
            effort=asking.effort,
            thinking=asking.thinking,
            repeat=repeat,
            subject=str(example_id),
        )
        for example_id, rendered in zip(example_ids, prompts, strict=True)
    ]


def read_answer(answer: Answer, answer_model: type[BaseModel], max_tokens: int) -> Reading:
    """Validate an answer.

    Parameters
    ----------
    answer
        What came back.
    answer_model
        What it must be.
    max_tokens
        Limit it was asked with, for the message about an answer that was cut off.
    """
    if answer.error is not None:
        return Reading(None, answer.error)
    if answer.stop_reason == "refusal":
        return Reading(None, "refused")
    if answer.stop_reason == "max_tokens":
        return Reading(None, f"cut off at max_tokens={max_tokens}")
    try:
        return Reading(answer_model.model_validate_json(answer.text or ""), None)
    except ValidationError as error:
        # Kinds and places only: the offending value may quote the lead.
        kinds = {f"{'.'.join(map(str, e['loc'])) or 'answer'} {e['type']}" for e in error.errors()}
        return Reading(None, f"malformed answer: {', '.join(sorted(kinds))}")


def answer_row(
    answer: Answer, reading: Reading, *, proba: float, prompt_digest: str, repeat: int
) -> dict[str, Any]:
    """One row of `ANSWER_COLUMNS`.

    Parameters
    ----------
    answer, reading
        What came back, and what it says.
    proba
        Probability of the row; NaN where the answer gives none.
    prompt_digest
        Of the prompt variant.
    repeat
        Which of several independent answers.
    """
    judged = reading.answer
    return {
        "proba": proba,
        "abstained": judged is not None and bool(getattr(judged, "abstain", False)),
        "degraded": False,
        "answer": judged.model_dump_json() if judged is not None else None,
        "error": reading.error,
        "origin": str(answer.origin),
        "model_requested": answer.model_requested,
        "model_answered": answer.model_answered,
        "prompt_digest": prompt_digest,
        "repeat": repeat,
        "stop_reason": answer.stop_reason,
        "started_at": answer.started_at,
        "latency_s": _seconds(answer.latency_s),
        "ttft_s": _seconds(answer.ttft_s),
        "inter_token_s": _seconds(answer.inter_token_s),
        "queued_s": answer.queued_s,
        "attempts": answer.attempts,
        "calls": 1,
        **dataclasses.asdict(answer.usage),
        "cost_usd": answer.cost_usd,
        "price_table": answer.price_table,
        "cached": answer.cached,
        "cache": answer.cache,
        "fallback_from": answer.fallback_from,
        "request_id": answer.request_id,
        "answered_by": None,
        "member_error": None,
        "escalation_score": np.nan,
        "first_proba": np.nan,
        "first_cost_usd": np.nan,
    }


def unasked_row(repeat: int) -> dict[str, Any]:
    """One row of `ANSWER_COLUMNS` for an example nobody was asked about: it cost nothing."""
    return {
        "proba": np.nan,
        "abstained": False,
        "degraded": False,
        "repeat": repeat,
        "cached": False,
        **dict.fromkeys(_COUNTS, 0),
        **dict.fromkeys(("latency_s", "queued_s", "cost_usd"), 0.0),
        **dict.fromkeys(
            ("ttft_s", "inter_token_s", "escalation_score", "first_proba", "first_cost_usd"), np.nan
        ),
    }


def _seconds(value: float | None) -> float:
    return np.nan if value is None else value
