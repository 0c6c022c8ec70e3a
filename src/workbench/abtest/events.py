"""What happened to a unit: it was exposed to an arm, and later something came of it."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import MappingProxyType

from workbench.errors import DataError

__all__ = ["CLOCK_TOLERANCE", "Exposure", "Outcome", "checked_exposure", "checked_outcome"]

CLOCK_TOLERANCE = timedelta(minutes=5)
"""How far ahead of ours another machine's clock may be."""

# Identifiers are kept for ever, so they must not be a person's e-mail address or phone number.
_PERSONAL = re.compile(
    r"@\S+\.\S|^\s*\+\d[\d\s().-]{6,}$|^\s*\(?\d{3}\)?[\s.-]\d{3}[\s.-]\d{4}\s*$"
)


@dataclass(frozen=True, slots=True)
class Exposure:
    """One unit met one arm.

    Parameters
    ----------
    event_id
        Identifier of the event: recording it again changes nothing.
    experiment
        Name of the experiment.
    unit_id
        Pseudonymous identifier of the unit.
    arm
        The arm it was given.
    exposed_at
        When, with a time zone; kept as UTC.
    cluster_id
        Its cluster, or cluster and block of a switchback.
    propensity
        Probability with which it was given the arm, as the assigner or policy says.
    attributes
        What was known of the unit at this moment: segments (texts) and covariates (numbers).
    """

    event_id: str
    experiment: str
    unit_id: str
    arm: str
    exposed_at: datetime
    cluster_id: str | None = None
    propensity: float | None = None
    attributes: Mapping[str, str | float] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True)
class Outcome:
    """Something came of one unit.

    Parameters
    ----------
    event_id
        Identifier of the event: recording it again changes nothing.
    unit_id
        The unit.
    name
        What happened: a metric names it as its column.
    occurred_at
        When, with a time zone; kept as UTC.
    value
        How much: 1 for something that simply happened.
    """

    event_id: str
    unit_id: str
    name: str
    occurred_at: datetime
    value: float = 1.0


def checked_exposure(event: Exposure, now: datetime) -> Exposure:
    """Return an exposure with its time in UTC, or say what is wrong with it.

    Parameters
    ----------
    event
        The event.
    now
        Time of recording, UTC.

    Raises
    ------
    DataError
        If an identifier is empty, too long or a person's address or number, the time has no zone
        or lies in the future, the propensity is not in (0, 1], or an attribute is neither text
        nor finite number.
    """
    where = f"exposure {event.event_id!r}"
    _check_texts(where, event_id=event.event_id, experiment=event.experiment, arm=event.arm)
    _check_identifiers(where, unit_id=event.unit_id, cluster_id=event.cluster_id)
    moment = _utc(event.exposed_at, where, "exposed_at", now)
    p = event.propensity
    if p is not None and not (isinstance(p, int | float) and 0 < p <= 1):
        raise DataError(
            f"the propensity is {p!r}", where=where, expected="a number in (0, 1], or None",
            fix="log the probability the arm was drawn with",
        )  # fmt: skip
    for key, value in event.attributes.items():
        known = isinstance(value, str) or (_is_number(value) and math.isfinite(value))
        if not (isinstance(key, str) and known):
            raise DataError(
                f"attribute {key!r} is a {type(value).__name__} that is no finite number",
                where=where, expected="a text or a finite number", fix="leave out what is missing",
            )  # fmt: skip
    return Exposure(
        event.event_id, event.experiment, event.unit_id, event.arm, moment, event.cluster_id,
        None if p is None else float(p), dict(sorted(event.attributes.items())),
    )  # fmt: skip


def checked_outcome(event: Outcome, now: datetime) -> Outcome:
    """Return an outcome with its time in UTC and its value a float, or say what is wrong.

    Parameters
    ----------
    event
        The event.
    now
        Time of recording, UTC.

    Raises
    ------
    DataError
        If an identifier is empty, too long or a person's address or number, the time has no zone
        or lies in the future, or the value is a text, NaN or infinite.
    """
    where = f"outcome {event.event_id!r}"
    _check_texts(where, event_id=event.event_id, name=event.name)
    _check_identifiers(where, unit_id=event.unit_id)
    value = event.value
    if not isinstance(value, bool) and not _is_number(value):
        raise DataError(
            f"the value is a {type(value).__name__}", where=where, expected="a number",
            fix="record what was said as the outcome's name, or convert it to a number",
        )  # fmt: skip
    if not math.isfinite(value):
        raise DataError(
            f"the value is {float(value)}", where=where, expected="a finite number",
            fix="record nothing where nothing is known",
        )  # fmt: skip
    moment = _utc(event.occurred_at, where, "occurred_at", now)
    return Outcome(event.event_id, event.unit_id, event.name, moment, float(value))


def _is_number(value: object) -> bool:
    if isinstance(value, bool):
        return False
    return isinstance(value, int | float) or getattr(value, "dtype", None) is not None


def _check_texts(where: str, **texts: str) -> None:
    for name, text in texts.items():
        if not isinstance(text, str) or not text.strip() or len(text) > 200:
            raise DataError(
                f"{name} is empty, too long or no text", where=where,
                expected="1 to 200 characters", fix=f"give the event a {name}",
            )  # fmt: skip


def _check_identifiers(where: str, **identifiers: str | None) -> None:
    for name, text in identifiers.items():
        if text is None:
            continue
        _check_texts(where, **{name: text})
        if _PERSONAL.search(text):
            raise DataError(
                f"{name} looks like an e-mail address or phone number", where=where,
                expected="a pseudonymous identifier", fix="record the CRM's identifier or a token",
            )  # fmt: skip


def _utc(moment: datetime, where: str, name: str, now: datetime) -> datetime:
    if not isinstance(moment, datetime) or moment.tzinfo is None:
        raise DataError(
            f"{name} is a {type(moment).__name__} without a time zone", where=where,
            expected="a datetime with a zone; it is kept as UTC",
            fix="add the zone, for example datetime(..., tzinfo=UTC)",
        )  # fmt: skip
    converted = moment.astimezone(UTC)
    if converted > now + CLOCK_TOLERANCE:
        raise DataError(
            f"{name} is {converted.isoformat()}, in the future", where=where,
            expected=f"a time up to now, {now.isoformat(timespec='seconds')}",
            fix="check the clock and the time zone of the machine that sent it",
        )  # fmt: skip
    return converted
