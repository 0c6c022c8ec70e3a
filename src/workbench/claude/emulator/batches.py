"""The Message Batches API: the same answers, later, in any order, at half the price."""

import json
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

__all__ = ["Batch", "Batches"]


@dataclass(slots=True)
class Batch:
    """One batch: its requests, and their results once it has ended."""

    id: str
    requests: list[dict[str, Any]]
    created_at: datetime
    polls_left: int
    results: list[dict[str, Any]] = field(default_factory=list)
    ended_at: datetime | None = None


class Batches:
    """Every batch made, by id.

    Parameters
    ----------
    answer
        Answers one request's parameters: the result of the Batches API.
    polls
        How often a batch is in progress when looked at, before it has ended.
    """

    def __init__(self, answer: Callable[[dict[str, Any]], dict[str, Any]], polls: int) -> None:
        self._answer = answer
        self._polls = polls
        self._batches: dict[str, Batch] = {}

    def create(self, requests: list[dict[str, Any]]) -> Batch:
        """Make a batch of requests, each with `custom_id` and `params`."""
        batch = Batch(
            id=f"msgbatch_sim_{len(self._batches) + 1:06d}",
            requests=requests,
            created_at=datetime.now(UTC),
            polls_left=self._polls,
        )
        self._batches[batch.id] = batch
        return batch

    def get(self, batch_id: str) -> Batch | None:
        """Look at a batch; that is what time is to it."""
        batch = self._batches.get(batch_id)
        if batch is not None and batch.ended_at is None:
            if batch.polls_left <= 0:
                self._end(batch)
            batch.polls_left -= 1
        return batch

    def all(self) -> list[Batch]:
        """Every batch, newest first."""
        return list(reversed(self._batches.values()))

    def _end(self, batch: Batch) -> None:
        results = [
            {"custom_id": request["custom_id"], "result": self._answer(request["params"])}
            for request in batch.requests
        ]
        # The order of results is not promised, so it is another one here.
        random.Random(batch.id).shuffle(results)
        batch.results, batch.ended_at = results, datetime.now(UTC)


def batch_json(batch: Batch, base_url: str) -> dict[str, Any]:
    """Describe a batch as the API does.

    Parameters
    ----------
    batch
        The batch.
    base_url
        Where its results are fetched.

    Returns
    -------
    dict
        JSON of a ``message_batch``.
    """
    kinds = ("succeeded", "errored", "canceled", "expired")
    counts = {kind: sum(r["result"]["type"] == kind for r in batch.results) for kind in kinds}
    ended = batch.ended_at is not None
    return {
        "id": batch.id,
        "type": "message_batch",
        "processing_status": "ended" if ended else "in_progress",
        "request_counts": {"processing": 0 if ended else len(batch.requests), **counts},
        "created_at": batch.created_at.isoformat(),
        "expires_at": (batch.created_at + timedelta(hours=24)).isoformat(),
        "ended_at": batch.ended_at.isoformat() if batch.ended_at else None,
        "archived_at": None,
        "cancel_initiated_at": None,
        "results_url": f"{base_url}/v1/messages/batches/{batch.id}/results" if ended else None,
    }


def results_lines(batch: Batch) -> str:
    """Results as the API sends them: one JSON object a line."""
    return "".join(json.dumps(result) + "\n" for result in batch.results)
