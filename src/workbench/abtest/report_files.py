"""Experiments in files: events to record, units to analyse."""

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from workbench.abtest.design import Design
from workbench.abtest.events import Exposure, Outcome
from workbench.abtest.store import EventStore, Recorded
from workbench.errors import DataError

__all__ = ["Read", "open_data", "read_events", "record_events"]

_EXPOSURE = {"event_id", "unit_id", "arm", "exposed_at", "cluster_id", "propensity", "attributes"}
_OUTCOME = {"event_id", "unit_id", "name", "occurred_at", "value"}


class Read(NamedTuple):
    """Events of a file.

    Attributes
    ----------
    exposures, outcomes
        In the order of the file.
    """

    exposures: tuple[Exposure, ...]
    outcomes: tuple[Outcome, ...]


def read_events(path: Path | str, design: Design) -> Read:
    """Read exposures and outcomes from JSON lines.

    Parameters
    ----------
    path
        One JSON object a line: an exposure has `event_id`, `unit_id`, `arm`, `exposed_at` and
        may have `cluster_id`, `propensity`, `attributes`; an outcome has `event_id`, `unit_id`,
        `name`, `occurred_at` and may have `value`. Times are ISO 8601 with their zone.
    design
        The experiment they belong to.

    Raises
    ------
    DataError
        If the file cannot be read or a line is no event; names the line. Nothing is read then.

    Examples
    --------
    >>> import tempfile
    >>> design = Design.model_validate({"name": "script", "arms": {"old": 1, "new": 1},
    ...     "metrics": {"reply": {"kind": "proportion", "role": "primary"}}})
    >>> line = '{"event_id": "e1", "unit_id": "u1", "arm": "old", "exposed_at": "2026-01-05T09Z"}'
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder) / "events.jsonl"
    ...     _ = file.write_text(line)
    ...     read_events(file, design).exposures[0].arm
    'old'
    """
    exposures, outcomes = [], []
    for where, values in _lines(Path(path)):
        if "arm" in values:
            _check_keys(values, _EXPOSURE, {"event_id", "unit_id", "arm", "exposed_at"}, where)
            if values["arm"] not in design.arms:
                raise DataError(
                    f"{values['arm']!r} is no arm", where=where,
                    expected=f"one of {', '.join(design.arms)}", fix="correct the event",
                )  # fmt: skip
            at = _moment(values.pop("exposed_at"), where)
            exposures.append(Exposure(experiment=design.name, exposed_at=at, **values))
        else:
            _check_keys(values, _OUTCOME, {"event_id", "unit_id", "name", "occurred_at"}, where)
            at = _moment(values.pop("occurred_at"), where)
            outcomes.append(Outcome(occurred_at=at, **values))
    return Read(tuple(exposures), tuple(outcomes))


def record_events(store: EventStore, events: Read) -> Recorded:
    """Record what was read; recording it again changes nothing.

    Parameters
    ----------
    store
        Where to.
    events
        What `read_events` gave.

    Raises
    ------
    DataError
        As the store: nothing of a malformed batch is kept.
    """
    first = store.record_exposures(events.exposures)
    second = store.record_outcomes(events.outcomes)
    return Recorded(
        first.n_new + second.n_new,
        first.n_repeated + second.n_repeated,
        first.conflicting + second.conflicting,
    )


def open_data(path: Path | str) -> Any:
    """Open the units of an experiment as `analyse` and `monitor` take them.

    Parameters
    ----------
    path
        Parquet or CSV files (patterns are allowed) with one row a unit, or a DuckDB file of
        events.

    Returns
    -------
    EventStore | pathlib.Path

    Raises
    ------
    DataError
        If the file does not exist.
    """
    file = Path(path)
    if not any(mark in file.name for mark in "*?[") and not file.exists():
        raise DataError(
            "the file does not exist", where=str(file), expected="units or an event store",
            fix="correct the path, or record events first",
        )  # fmt: skip
    if file.suffix == ".duckdb":
        return EventStore(file)
    return file


def _lines(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as reason:
        raise DataError(
            f"the events cannot be read: {type(reason).__name__}", where=str(path),
            expected="JSON lines in UTF-8", fix="correct the path or the file",
        ) from None  # fmt: skip
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        where = f"{path}, line {number}"
        try:
            values = json.loads(line)
        except ValueError:
            values = None
        if not isinstance(values, dict):
            # What a line holds may be personal: it is not repeated.
            raise DataError(
                "the line is no JSON object", where=where, expected="one event a line",
                fix="correct the line",
            )  # fmt: skip
        yield where, values


def _check_keys(values: Mapping[str, Any], known: set[str], needed: set[str], where: str) -> None:
    missing, strange = sorted(needed - set(values)), sorted(set(values) - known)
    if missing or strange:
        raise DataError(
            f"the event lacks {missing or 'nothing'} and has unknown {strange or 'nothing'}",
            where=where, expected=f"the keys {', '.join(sorted(known))}",
            fix="an exposure has an arm, an outcome a name",
        )  # fmt: skip


def _moment(value: object, where: str) -> datetime:
    try:
        return datetime.fromisoformat(str(value))
    except ValueError:
        raise DataError(
            "the time is no ISO 8601 time", where=where,
            expected="for example 2026-01-05T09:30:00+00:00", fix="correct the time",
        ) from None  # fmt: skip
