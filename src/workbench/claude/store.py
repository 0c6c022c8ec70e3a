"""Answers and the ledger of what they cost, in one SQLite file.

An answer and its ledger row are committed together the moment the answer arrives, before
anything validates it: what was billed is booked. Neither prompts nor anything of a lead is
stored, only the key of the question, a keyed hash of whom it is about and the text of the answer.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.claude.batch_notes import BatchNotes
from workbench.claude.database import Database
from workbench.claude.messages import Answer, Usage
from workbench.claude.origin import Origin
from workbench.errors import ClaudeError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["AnswerStore"]

_KEYS_PER_QUERY = 500

LEDGER = (
    "at",
    "tenant",
    "task",
    "arm",
    "model_requested",
    "model_answered",
    "origin",
    "input_tokens",
    "output_tokens",
    "cache_read_input_tokens",
    "cache_creation_input_tokens",
    "cache_creation_1h_input_tokens",
    "thinking_tokens",
    "service_tier",
    "attempts",
    "cost_usd",
    "price_table",
    "stop_reason",
    "key",
    "error",
)
"""Columns of the ledger."""
_COLUMNS, _PLACES = ", ".join(LEDGER), ", ".join("?" * len(LEDGER))
_BOOK = f"INSERT INTO ledger ({_COLUMNS}) VALUES ({_PLACES})"  # noqa: S608 - our own names
_KEEP = "INSERT INTO answers (key, answer) VALUES (?, ?) ON CONFLICT (key) DO NOTHING"
_ABOUT = "INSERT INTO subjects (tenant, subject, key) VALUES (?, ?, ?) ON CONFLICT DO NOTHING"
_OF_KEYS = "SELECT key, answer FROM answers WHERE key IN (SELECT value FROM json_each(?))"
_OF_SUBJECT = "SELECT key FROM subjects WHERE tenant = ? AND subject = ?"
_ORIGINS = {origin.value: origin for origin in Origin}
_ANSWER_FIELDS = tuple(field.name for field in fields(Answer))
_USAGE_FIELDS = tuple(field.name for field in fields(Usage))
_OF_TENANT = "SELECT key FROM ledger WHERE tenant = ?"


class AnswerStore(BatchNotes):
    """Answers by key, and a ledger row for everything billed.

    The file is opened at first use. Several threads and processes may share it. A killed
    process loses nothing that was committed. In a folder that cannot be written, stored
    answers can still be read.

    Parameters
    ----------
    path
        The SQLite file; created, with its folder, when first written.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     store = AnswerStore(Path(folder) / "answers.sqlite")
    ...     print(store.get_many(["no such key"]), len(store.ledger_frame()))
    ...     store.close()
    {} 0
    """

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        self._database = Database(self.path)

    def __repr__(self) -> str:
        return f"AnswerStore({str(self.path)!r})"

    def __reduce__(self) -> tuple[type["AnswerStore"], tuple[Path]]:
        return (AnswerStore, (self.path,))

    def check_writable(self) -> None:
        """Make sure answers can be kept, before any is paid for.

        Raises
        ------
        ClaudeError
            When the file is not an answer store or cannot be written.
        """
        with self._database.transaction():
            pass

    def get_many(self, keys: Iterable[str]) -> dict[str, Answer]:
        """Read stored answers.

        Parameters
        ----------
        keys
            Keys of requests.

        Returns
        -------
        dict
            The answers found, by key, each with `cached` true.

        Raises
        ------
        ClaudeError
            When the file is not an answer store or cannot be read.
        """
        wanted = list(keys)
        found: dict[str, Answer] = {}
        if not self._database.exists():
            return found
        with self._database.session("read") as connection:
            for start in range(0, len(wanted), _KEYS_PER_QUERY):
                block = (json.dumps(wanted[start : start + _KEYS_PER_QUERY]),)
                rows = connection.execute(_OF_KEYS, block)
                found.update((key, self._decoded(key, text)) for key, text in rows)
        return found

    def put(
        self,
        answer: Answer,
        *,
        tenant: str = "default",
        task: str = "",
        arm: str = "",
        subject: str | None = None,
    ) -> None:
        """Keep an answer and book what it cost, in one transaction committed on return.

        An answer with an `error` is not kept, so that the question is asked again; tokens it
        was billed are booked all the same. When two processes asked the same question, both
        are booked and the first answer stands.

        Parameters
        ----------
        answer
            What came back.
        tenant, task, arm
            On whose account, for what.
        subject
            Keyed hash of whom the question was about.

        Raises
        ------
        ClaudeError
            When the file cannot be written (disk full, read-only); nothing of this answer is
            kept then, and everything kept before stays.
        """
        self.put_many([(answer, subject)], tenant=tenant, task=task, arm=arm)

    def put_many(
        self,
        answers: Sequence[tuple[Answer, str | None]],
        *,
        tenant: str = "default",
        task: str = "",
        arm: str = "",
    ) -> None:
        """Keep several answers in one transaction; see `put`.

        Parameters
        ----------
        answers
            Answers, each with its subject.
        tenant, task, arm
            On whose account, for what.

        Raises
        ------
        ClaudeError
            When the file cannot be written; none of these answers is kept then.
        """
        if answers:
            with self._database.transaction():
                self._put(answers, tenant, task, arm)

    def _put(
        self, answers: Sequence[tuple[Answer, str | None]], tenant: str, task: str, arm: str
    ) -> None:
        at = datetime.now(UTC).isoformat(timespec="milliseconds")
        booked, kept, about = [], [], []
        for answer, subject in answers:
            if answer.cached:
                continue
            if subject is not None and answer.error is None:
                about.append((tenant, subject, answer.key))
            if answer.error is None:
                kept.append((answer.key, _encoded(answer)))
            elif not (answer.cost_usd > 0 or answer.usage.billed):
                continue
            booked.append(_row(answer, at, tenant, task, arm))
        with self._database.session("written") as connection:
            connection.executemany(_BOOK, booked)
            connection.executemany(_KEEP, kept)
            connection.executemany(_ABOUT, about)

    def put_absent(
        self,
        answers: Sequence[tuple[Answer, str | None]],
        *,
        tenant: str,
        task: str,
        arm: str,
    ) -> None:
        """Keep those answers that are not kept yet: of a batch, two may read the results.

        Parameters
        ----------
        answers, tenant, task, arm
            As for `put_many`.

        Raises
        ------
        ClaudeError
            When the file cannot be written; none of these answers is kept then.
        """
        with self._database.transaction():
            kept = self.get_many(answer.key for answer, _ in answers)
            new = [(answer, subject) for answer, subject in answers if answer.key not in kept]
            self._put(new, tenant, task, arm)

    def link(self, tenant: str, about: Sequence[tuple[str, str]]) -> None:
        """Note whom requests are about, whoever asked them first.

        Parameters
        ----------
        tenant
            The tenant.
        about
            Keyed hash of the subject, and key of the request.

        Raises
        ------
        ClaudeError
            When the file cannot be written; in a file that can only be read, nothing is noted.
        """
        if not self._database.exists():
            return  # nothing is stored, and what will be is linked when it is
        with self._database.session("written"):
            if not self._database.writable:
                return
        with self._database.transaction() as connection:
            connection.executemany(_ABOUT, [(tenant, subject, key) for subject, key in about])

    def ledger_frame(self) -> "pd.DataFrame":
        """Read the whole ledger.

        Returns
        -------
        pandas.DataFrame
            One row per billed answer, oldest first; `at` is UTC, `cost_usd` US dollars.

        Raises
        ------
        ClaudeError
            When the file is not an answer store or cannot be read.
        """
        import pandas as pd

        rows: list[tuple[Any, ...]] = []
        if self._database.exists():
            with self._database.session("read") as connection:
                query = f"SELECT {_COLUMNS} FROM ledger ORDER BY id"  # noqa: S608 - our own names
                rows = connection.execute(query).fetchall()
        frame = pd.DataFrame(rows, columns=list(LEDGER))
        frame["at"] = pd.to_datetime(frame["at"], utc=True)
        return frame

    def spend(
        self, by: Sequence[str] = ("model_requested",), *, since: datetime | None = None
    ) -> "pd.DataFrame":
        """Add up the ledger.

        Origins are never added together: `origin` is always one of the groups.

        Parameters
        ----------
        by
            Ledger columns to group by; ``day`` is the date of `at`, UTC.
        since
            First moment to count, UTC where it names no zone; everything when omitted.

        Returns
        -------
        pandas.DataFrame
            The groups, `n_answers`, `n_errors`, the token columns and `cost_usd`.

        Raises
        ------
        ClaudeError
            When a column is not one of the ledger's or is one it adds up, or the file cannot be
            read.
        """
        sums = [name for name in LEDGER if name.endswith("_tokens") or name == "cost_usd"]
        known = ("day", *(name for name in LEDGER if name not in sums))
        summed = [name for name in by if name in sums]
        if summed:
            raise ClaudeError(
                f"{summed[0]!r} is what the ledger adds up, so that it cannot be summed by",
                where=str(self.path),
                expected=f"some of {', '.join(known)}",
            )
        unknown = [name for name in by if name not in known]
        if unknown:
            raise ClaudeError(
                f"the ledger has no column {unknown[0]!r}",
                where=str(self.path),
                expected=f"some of {', '.join(known)}",
            )
        groups = list(dict.fromkeys(("origin", *by)))
        frame = self.ledger_frame()
        if since is not None:
            zoned = since if since.tzinfo is not None else since.replace(tzinfo=UTC)
            frame = frame[frame["at"] >= zoned].copy()
        frame["day"] = frame["at"].dt.date.astype(str)
        frame["n_errors"] = frame["error"].notna().astype(int)
        grouped = frame.groupby(groups, dropna=False, sort=True)
        totals = grouped[["n_errors", *sums]].sum()
        totals.insert(0, "n_answers", grouped.size())
        return totals.reset_index()

    def export_subject(self, tenant: str, subject: str) -> list[Answer]:
        """Read everything kept about one subject.

        Parameters
        ----------
        tenant
            The tenant.
        subject
            Keyed hash of the subject, as it was put.

        Returns
        -------
        list of Answer
            In the order of their keys.

        Raises
        ------
        ClaudeError
            When the file cannot be read.
        """
        if not self._database.exists():
            return []
        with self._database.session("read") as connection:
            keys = [key for (key,) in connection.execute(_OF_SUBJECT, (tenant, subject))]
        return list(self.get_many(sorted(keys)).values())

    def erase_subject(self, tenant: str, subject: str) -> int:
        """Erase the answers about one subject; what they cost stays in the ledger.

        Parameters
        ----------
        tenant
            The tenant.
        subject
            Keyed hash of the subject, as it was put.

        Returns
        -------
        int
            Answers erased; their bytes are overwritten and gone from the file.

        Raises
        ------
        ClaudeError
            When the file cannot be written.
        """
        return self._erase(
            _OF_SUBJECT, (tenant, subject), "DELETE FROM subjects WHERE tenant = ? AND subject = ?"
        )

    def erase_tenant(self, tenant: str) -> int:
        """Erase every answer a tenant asked for; what they cost stays in the ledger.

        Parameters
        ----------
        tenant
            The tenant.

        Returns
        -------
        int
            Answers erased.

        Raises
        ------
        ClaudeError
            When the file cannot be written.
        """
        return self._erase(_OF_TENANT, (tenant,), "DELETE FROM subjects WHERE tenant = ?")

    def _erase(self, which: str, about: tuple[str, ...], forget: str) -> int:
        if not self._database.exists():
            return 0
        with self._database.session("written") as connection:
            connection.execute("PRAGMA secure_delete = ON")
        with self._database.transaction() as connection:
            keys = [key for (key,) in connection.execute(which, about)]
            erased = connection.execute(
                "DELETE FROM answers WHERE key IN (SELECT value FROM json_each(?))",
                (json.dumps(keys),),
            ).rowcount
            connection.execute(forget, about)
            if len(about) > 1:
                connection.execute(
                    "UPDATE batches SET asked = replace(asked, ?, 'null')", (f'"{about[1]}"',)
                )
        with self._database.session("written") as connection:
            # Deleted text would otherwise stay readable in free pages and in the log.
            connection.execute("VACUUM")
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return erased

    def close(self) -> None:
        """Close the file; the next use opens it again."""
        self._database.close()

    def _decoded(self, key: str, text: str) -> Answer:
        try:
            return decoded(json.loads(text))
        except (ValueError, TypeError, KeyError) as err:
            why = f"the answer under key {key} cannot be read: {err}"
            raise self._database.error(why, "read") from None


def decoded(fields: dict[str, Any]) -> Answer:
    """Rebuild a stored answer from its JSON; the dictionary is used up."""
    fields["cached"], fields["cache"] = True, "exact"
    fields["usage"] = Usage(**fields["usage"])
    fields["origin"] = _ORIGINS[fields["origin"]]
    fields["attempt_latencies_s"] = tuple(fields.get("attempt_latencies_s", ()))
    return Answer(**fields)


def _encoded(answer: Answer) -> str:
    # By hand: `asdict` copies every value in depth, which takes longer than all the rest.
    told = {name: getattr(answer, name) for name in _ANSWER_FIELDS}
    told["usage"] = {name: getattr(answer.usage, name) for name in _USAGE_FIELDS}
    return json.dumps(told, ensure_ascii=False, separators=(",", ":"))


def _row(answer: Answer, at: str, tenant: str, task: str, arm: str) -> tuple[Any, ...]:
    fields = {"at": at, "tenant": tenant, "task": task, "arm": arm, "origin": answer.origin.value}
    return tuple(
        fields[name] if name in fields else getattr(_holder(answer, name), name) for name in LEDGER
    )


def _holder(answer: Answer, name: str) -> Answer | Usage:
    return answer.usage if name.endswith("_tokens") or name == "service_tier" else answer
