"""What a predictor that asks Claude returns beside its probabilities."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from workbench.errors import PredictorError

__all__ = ["ANSWER_COLUMNS", "answering", "combine_answers"]

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
)
_SUMS = (
    "latency_s",
    "queued_s",
    "attempts",
    "input_tokens",
    "output_tokens",
    "cache_read_input_tokens",
    "cache_creation_input_tokens",
    "cache_creation_1h_input_tokens",
    "thinking_tokens",
    "cost_usd",
)
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


def answering(estimator: Any) -> bool:
    """Tell whether `estimator` asks Claude and so offers `answer(X)`.

    Examples
    --------
    >>> from sklearn.dummy import DummyClassifier
    >>> answering(DummyClassifier())
    False
    """
    return callable(getattr(estimator, "answer", None))


def combine_answers(
    frames: Sequence[pd.DataFrame], probability: NDArray[np.float64]
) -> pd.DataFrame:
    """Merge the answers of an ensemble's members, row by row.

    Costs, tokens, attempts and latency add up (members are asked one after another in the
    worst case); names and digests are joined. A failed member makes the row degraded, not
    an error.

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
    origins = sorted({str(o) for frame in frames for o in frame["origin"].unique()})
    if len(origins) > 1:
        raise PredictorError(
            f"members were answered by different origins: {origins}",
            expected="one origin in an ensemble",
            fix="give every member the same client",
        )
    first = frames[0]
    merged = first.copy()
    for other in frames[1:]:
        for column in _SUMS:
            merged[column] = merged[column] + other[column]
        for column in _JOINS:
            merged[column] = (
                merged[column].astype(object).fillna("-").astype(str)
                + " + "
                + other[column].astype(object).fillna("-").astype(str)
            )
        merged["cached"] = merged["cached"] & other["cached"]
        merged["started_at"] = np.minimum(merged["started_at"], other["started_at"])
    merged["degraded"] = np.any([f["error"].notna() | f["degraded"] for f in frames], axis=0)
    merged["abstained"] = False
    merged["error"] = None
    # An ensemble has an answer when its last member has: no member's tokens are its own.
    merged["ttft_s"] = merged["inter_token_s"] = np.nan
    merged["proba"] = probability
    return merged[list(ANSWER_COLUMNS)]
