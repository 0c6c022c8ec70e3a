"""Batches under way, noted beside the answers so that no crash can lose one."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from workbench.claude.database import Database
from workbench.claude.origin import Origin

__all__ = ["BatchNotes", "OpenBatch"]


@dataclass(frozen=True, slots=True)
class OpenBatch:
    """A batch whose results have not been read to the end.

    Parameters
    ----------
    id
        Row in the store.
    batch_id
        Anthropic's id; `None` when the process died while the batch was being made.
    created_at
        ISO 8601, UTC.
    asked
        Model and subject of its requests, by key.
    """

    id: int
    batch_id: str | None
    created_at: str
    asked: Mapping[str, tuple[str, str | None]]


class BatchNotes:
    """The part of an answer store that notes batches."""

    _database: Database

    def open_batch(
        self, origin: Origin, endpoint: str | None, asked: Mapping[str, tuple[str, str | None]]
    ) -> OpenBatch:
        """Note that a batch is about to be made, so that a crash cannot lose it.

        Parameters
        ----------
        origin, endpoint
            Where it is made.
        asked
            Model and subject of its requests, by key.

        Returns
        -------
        OpenBatch
            Its `id` is for `name_batch` and `end_batch`.

        Raises
        ------
        ClaudeError
            When the file cannot be written.
        """
        at = datetime.now(UTC).isoformat()
        row = (origin.value, endpoint, at, json.dumps(dict(asked)))
        with self._database.transaction() as connection:
            done = connection.execute(
                "INSERT INTO batches (origin, endpoint, created_at, asked) VALUES (?, ?, ?, ?)", row
            )
        return OpenBatch(int(done.lastrowid or 0), None, at, dict(asked))

    def name_batch(self, row: int, batch_id: str) -> None:
        """Keep Anthropic's id of a batch."""
        with self._database.transaction() as connection:
            connection.execute("UPDATE batches SET batch_id = ? WHERE id = ?", (batch_id, row))

    def end_batch(self, row: int) -> None:
        """Note that a batch needs no further look."""
        at = datetime.now(UTC).isoformat()
        with self._database.transaction() as connection:
            connection.execute(
                "UPDATE batches SET ended_at = ?, asked = '{}' WHERE id = ?", (at, row)
            )

    def open_batches(self, origin: Origin, endpoint: str | None) -> list[OpenBatch]:
        """List the batches that were made and not read to the end, oldest first."""
        if not self._database.exists():
            return []
        with self._database.session("read") as connection:
            rows = connection.execute(
                "SELECT id, batch_id, created_at, asked FROM batches"
                " WHERE ended_at IS NULL AND origin = ? AND endpoint IS ? ORDER BY id",
                (origin.value, endpoint),
            ).fetchall()
        return [
            OpenBatch(row, name, at, {k: (m, s) for k, (m, s) in json.loads(asked).items()})
            for row, name, at, asked in rows
        ]
