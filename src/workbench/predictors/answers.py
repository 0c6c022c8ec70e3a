"""What a predictor that asks Claude returns beside its probabilities."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from workbench.errors import PredictorError

__all__ = ["ANSWER_COLUMNS", "MemberAnswers", "answering", "combine_answers", "join_answers"]

# Anthropic's names where Anthropic has one; units in the names.
ANSWER_COLUMNS: tuple[str, ...] = (
    "proba",
    "abstained",
    "degraded",
    "answer",
    "error",
    "origin",
    "model_requested",
    "model_answered",
    "prompt_digest",
    "repeat",
    "stop_reason",
    "started_at",
    "latency_s",
    "ttft_s",
    "inter_token_s",
    "queued_s",
    "attempts",
    "calls",  # answers the row rests on: more than one where several members were asked
    "input_tokens",
    "output_tokens",
    "cache_read_input_tokens",
    "cache_creation_input_tokens",
    "cache_creation_1h_input_tokens",
    "thinking_tokens",
    "service_tier",
    "cost_usd",
    "price_table",
    "cached",
    "cache",
    "fallback_from",
    "request_id",
    # Of a cascade or a fallback; nothing elsewhere.
    "answered_by",  # the member whose probability it is
    "member_error",  # what went wrong with a member that another one stood in for
    "escalation_score",  # how much the row needs the last member; compared with the threshold
    "first_proba",  # what the first stage said, and what it cost, escalated or not
    "first_cost_usd",
)
_SUMS = (
    "latency_s",
    "queued_s",
    "attempts",
    "calls",
    "input_tokens",
    "output_tokens",
    "cache_read_input_tokens",
    "cache_creation_input_tokens",
    "cache_creation_1h_input_tokens",
    "thinking_tokens",
    "cost_usd",
)
_FLOATS = ("latency_s", "queued_s", "cost_usd")
_JOINS = (
    "model_requested",
    "model_answered",
    "prompt_digest",
    "price_table",
    "service_tier",
    "cache",
    "fallback_from",
    "request_id",
    "stop_reason",
    "answer",
)

# Positions of the rows a member was asked about, and its answers to them.
MemberAnswers = tuple[NDArray[np.intp], pd.DataFrame]


def answering(estimator: Any) -> bool:
    """Tell whether `estimator` asks Claude and so offers `answer(X)`.

    Examples
    --------
    >>> from sklearn.dummy import DummyClassifier
    >>> answering(DummyClassifier())
    False
    """
    return callable(getattr(estimator, "answer", None))


def join_answers(
    index: pd.Index, asked: Sequence[MemberAnswers], probability: NDArray[np.float64]
) -> pd.DataFrame:
    """Merge the answers of members that were each asked about some of the rows.

    Costs, tokens, calls, attempts and latency add up over the members asked (one after another
    in the worst case); names and digests are joined. A row nobody was asked about cost nothing
    and has no origin. A failed answer makes the row degraded, not an error.

    Parameters
    ----------
    index : Index of shape (n_samples,)
        Of the rows.
    asked : sequence of (positions, DataFrame)
        Each member's rows and its answers to them.
    probability : ndarray of shape (n_samples,)
        What the members together come to.

    Raises
    ------
    PredictorError
        When members were answered by different origins, whose figures must not mix.
    """
    origins = sorted({str(o) for _, frame in asked for o in frame["origin"].dropna().unique()})
    if len(origins) > 1:
        raise PredictorError(
            f"members were answered by different origins: {origins}",
            expected="one origin in an ensemble",
            fix="give every member the same client",
        )
    n = len(index)
    times_asked = np.zeros(n, dtype=np.int64)
    sums = {c: np.zeros(n, dtype=float if c in _FLOATS else np.int64) for c in _SUMS}
    joined: dict[str, NDArray[np.object_]] = {c: np.full(n, None, dtype=object) for c in _JOINS}
    alone = {c: np.full(n, np.nan) for c in ("ttft_s", "inter_token_s")}
    started: NDArray[np.object_] = np.full(n, None, dtype=object)
    cached, degraded = np.ones(n, dtype=bool), np.zeros(n, dtype=bool)
    repeat = np.zeros(n, dtype=np.int64)
    for at, frame in asked:
        before = times_asked[at] > 0
        for column, total in sums.items():
            total[at] += frame[column].to_numpy(dtype=total.dtype)
        for column, texts in joined.items():
            texts[at] = _joined(texts[at], frame[column].to_numpy(dtype=object), before)
        for column, values in alone.items():
            # Several answers have no first token of their own.
            values[at] = np.where(before, np.nan, frame[column].to_numpy(dtype=float))
        began = frame["started_at"].to_numpy(dtype=object)
        started[at] = [_earlier(a, b) for a, b in zip(started[at], began, strict=True)]
        cached[at] &= frame["cached"].to_numpy(dtype=bool)
        degraded[at] |= (frame["error"].notna() | frame["degraded"].astype(bool)).to_numpy()
        repeat[at] = frame["repeat"].to_numpy()
        times_asked[at] += 1
    merged = pd.DataFrame({**sums, **joined, **alone}, index=index)
    merged["origin"] = [origins[0] if times else None for times in times_asked]
    merged["started_at"], merged["repeat"] = started, repeat
    merged["cached"] = cached & (times_asked > 0)
    merged["degraded"], merged["abstained"], merged["error"] = degraded, False, None
    merged["proba"] = probability
    merged["answered_by"] = merged["member_error"] = None
    merged["escalation_score"] = merged["first_proba"] = merged["first_cost_usd"] = np.nan
    return merged[list(ANSWER_COLUMNS)]


def combine_answers(
    frames: Sequence[pd.DataFrame], probability: NDArray[np.float64]
) -> pd.DataFrame:
    """Merge the answers of an ensemble's members, all asked about the same rows.

    Parameters
    ----------
    frames : sequence of DataFrame
        The members' answers, same rows in the same order.
    probability : ndarray of shape (n_samples,)
        The ensemble's own.

    Raises
    ------
    PredictorError
        When members were answered by different origins, whose figures must not mix.
    """
    everyone = np.arange(len(probability))
    return join_answers(frames[0].index, [(everyone, frame) for frame in frames], probability)


def _joined(
    known: NDArray[np.object_], new: NDArray[np.object_], again: NDArray[np.bool_]
) -> list[object]:
    texts = [None if pd.isna(b) else b for b in new]
    return [
        (None if a is None and b is None else f"{a or '-'} + {b or '-'}") if more else b
        for a, b, more in zip(known, texts, again, strict=True)
    ]


def _earlier(a: str | None, b: str | None) -> str | None:
    return min((t for t in (a, b) if t is not None), default=None)
