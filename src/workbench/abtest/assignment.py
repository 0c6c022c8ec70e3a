"""Which arm a unit gets, and why: the same answer wherever and whenever it is asked."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from workbench.abtest.design import Design
from workbench.abtest.hashing import (
    bucket_ranges,
    choose_variation,
    hash_unit,
    hash_units,
    in_namespace,
)
from workbench.errors import DataError, SpecError

__all__ = ["Assigner", "Assignment", "Reason", "stratified_assignment"]

Reason = Literal[
    "assigned", "sticky", "holdout", "other experiment", "not covered", "not running", "washout"
]
"""Why a unit has the arm it has, or none."""


class Assignment(NamedTuple):
    """The arm of one unit.

    Attributes
    ----------
    unit_id
        The unit.
    arm
        Its arm; None when it does not take part.
    reason
        Why.
    propensity
        Probability with which the design gives this arm to a unit that takes part; NaN without
        an arm.
    cluster_id
        What was drawn for: the cluster, or cluster and block of a switchback; None for units.
    """

    unit_id: str
    arm: str | None
    reason: Reason
    propensity: float
    cluster_id: str | None


class Assigner:
    """Assign the units of one experiment.

    Parameters
    ----------
    design
        The design: salt, arms, coverage, namespace, holdout, cluster, switchback.
    recorded
        Gives the arm a unit (or cluster) already has, or None. With it assignments are sticky:
        a unit keeps its arm when weights or coverage change while the experiment runs.

    Examples
    --------
    >>> design = Design.model_validate({"name": "opening-line", "arms": {"old": 1, "new": 1},
    ...     "metrics": {"reply": {"kind": "proportion", "role": "primary"}}})
    >>> assigner = Assigner(design)
    >>> assigner.assign("lead-17").arm == assigner.assign("lead-17").arm
    True
    """

    def __init__(
        self, design: Design, *, recorded: Callable[[str], str | None] | None = None
    ) -> None:
        self.design = design
        self._recorded = recorded
        self._arms = tuple(design.arms)
        self._ranges = bucket_ranges(
            len(self._arms), design.coverage, tuple(design.shares.values())
        )

    def assign(
        self, unit_id: str, *, cluster_id: str | None = None, at: datetime | None = None
    ) -> Assignment:
        """Assign one unit.

        Parameters
        ----------
        unit_id
            Pseudonymous identifier of the unit.
        cluster_id
            Its cluster, where the design assigns whole clusters.
        at
            When it is exposed, with a time zone; needed for a switchback, and checked against
            start and end of the design where given.

        Raises
        ------
        DataError
            If the identifier is empty, the cluster or time is missing where the design needs
            it, or the time has no zone.
        """
        design = self.design
        moment = None if at is None else _in_utc(at)
        drawn, cell = self._drawn_for(unit_id, cluster_id, moment)
        if moment is not None and not _running(design, moment):
            return Assignment(unit_id, None, "not running", float("nan"), cell)
        if design.holdout is not None:
            # Whole clusters are held out where whole clusters are assigned.
            held = hash_unit(f"holdout:{design.holdout.name}", self._whole(unit_id, cluster_id))
            if held is not None and held < design.holdout.share:
                return Assignment(unit_id, None, "holdout", float("nan"), cell)
        part = design.namespace
        whole = self._whole(unit_id, cluster_id)
        if part is not None and not in_namespace(whole, part.name, part.start, part.end):
            return Assignment(unit_id, None, "other experiment", float("nan"), cell)
        if self._washing_out(moment):
            return Assignment(unit_id, None, "washout", float("nan"), cell)
        known = self._recorded(drawn) if self._recorded else None
        if known is not None:
            if known not in design.arms:
                raise DataError(
                    f"unit {drawn!r} has the recorded arm {known!r}",
                    expected=f"one of {', '.join(design.arms)}",
                    fix="use the store of this experiment",
                )
            return Assignment(unit_id, known, "sticky", design.shares[known], cell)
        value = hash_unit(design.salt, drawn)
        index = choose_variation(value if value is not None else -1.0, self._ranges)
        if index < 0:
            return Assignment(unit_id, None, "not covered", float("nan"), cell)
        arm = self._arms[index]
        return Assignment(unit_id, arm, "assigned", design.shares[arm], cell)

    def assign_many(self, unit_ids: Sequence[str]) -> NDArray[np.object_]:
        """Assign many units (or clusters) at once by the hash alone.

        Parameters
        ----------
        unit_ids
            Identifiers of what is drawn for: units, or clusters where clusters are assigned.

        Returns
        -------
        NDArray[np.object_]
            Arm of each, None where it does not take part, shape (n,). As `assign` without a
            time and without what was recorded.

        Raises
        ------
        DataError
            If an identifier is empty, or the design is a switchback, which needs times.
        """
        design = self.design
        if design.switchback is not None:
            raise DataError(
                "a switchback assigns by time",
                expected="a unit, its cluster and a time",
                fix="call assign for each exposure",
            )
        ids = list(unit_ids)
        if not all(ids):
            raise DataError("an identifier is empty", expected="one for each unit", fix="name it")
        value = hash_units(design.salt, ids)
        out = np.full(len(ids), None, dtype=object)
        for arm, (start, end) in zip(self._arms, self._ranges, strict=True):
            out[(value >= start) & (value < end)] = arm
        if design.holdout is not None:
            held = hash_units(f"holdout:{design.holdout.name}", ids)
            out[held < design.holdout.share] = None
        if design.namespace is not None:
            part = design.namespace
            inside = [in_namespace(i, part.name, part.start, part.end) for i in ids]
            out[~np.array(inside, dtype=bool)] = None
        return out

    def _whole(self, unit_id: str, cluster_id: str | None) -> str:
        cluster = self.design.cluster
        return cluster_id if cluster and cluster.randomised and cluster_id else unit_id

    def _drawn_for(
        self, unit_id: str, cluster_id: str | None, at: datetime | None
    ) -> tuple[str, str | None]:
        """What the hash is taken of, and what the analysis calls the cluster."""
        if not unit_id:
            raise DataError("the unit has no identifier", expected="a text", fix="name it")
        design = self.design
        if design.cluster is None:
            return unit_id, None
        if not cluster_id:
            raise DataError(
                f"unit {unit_id!r} comes without its {design.cluster.column}",
                expected="the cluster of every unit: the design has clusters",
                fix="pass cluster_id",
            )
        if not design.cluster.randomised:
            return unit_id, cluster_id
        plan = design.switchback
        if plan is None:
            return cluster_id, cluster_id
        if at is None:
            raise DataError(
                f"unit {unit_id!r} comes without a time",
                expected="when it is exposed: the design is a switchback",
                fix="pass at",
            )
        block = (at - plan.start) // timedelta(hours=plan.block_h)
        cell = f"{cluster_id}@{block}"
        return cell, cell

    def _washing_out(self, at: datetime | None) -> bool:
        plan = self.design.switchback
        if plan is None or at is None:
            return False
        into = (at - plan.start) % timedelta(hours=plan.block_h)
        return into < timedelta(hours=plan.washout_h)


def stratified_assignment(
    design: Design, unit_ids: Sequence[str], strata: Sequence[str]
) -> NDArray[np.object_]:
    """Assign a known list of units so that arms are balanced within strata.

    Parameters
    ----------
    design
        The design; its salt decides the order in which arms are dealt.
    unit_ids
        All units (or clusters), each once.
    strata
        Stratum of each, shape (n,): combine several columns into one text.

    Returns
    -------
    NDArray[np.object_]
        Arm of each unit, shape (n,). Within a stratum counts differ from the configured shares
        by less than one unit an arm; over all strata what is left over is dealt on, so totals
        do too. Does not depend on the order of the list.

    Raises
    ------
    DataError
        If lengths differ, or a unit is listed twice.
    SpecError
        If the design covers only part of the units or is a switchback.

    Examples
    --------
    >>> design = Design.model_validate({"name": "script", "arms": {"old": 1, "new": 1},
    ...     "metrics": {"reply": {"kind": "proportion", "role": "primary"}}})
    >>> arms = stratified_assignment(design, [f"a{i}" for i in range(8)], ["junior", "senior"] * 4)
    >>> sorted(arms[::2].tolist())
    ['new', 'new', 'old', 'old']
    """
    if len(unit_ids) != len(strata):
        raise DataError(
            f"there are {len(unit_ids)} units and {len(strata)} strata",
            expected="a stratum for every unit",
            fix="pass lists of the same length",
        )
    if len(set(unit_ids)) != len(unit_ids):
        raise DataError("a unit is listed twice", expected="each unit once", fix="drop repeats")
    if design.coverage < 1 or design.switchback is not None:
        raise SpecError(
            "a list is assigned whole",
            expected="a design with coverage 1 and no switchback",
            fix="change the design or assign unit by unit",
        )
    members: dict[str, list[int]] = defaultdict(list)
    for index, stratum in enumerate(strata):
        members[stratum].append(index)
    shares = np.array(list(design.shares.values()))
    names = list(design.arms)
    out = np.full(len(unit_ids), None, dtype=object)
    owed = np.zeros(len(names))  # what each arm is short of over the strata so far
    for stratum in sorted(members):
        order = sorted(
            members[stratum],
            key=lambda i: (hash_unit(f"{design.salt}:{stratum}", unit_ids[i]) or 0.0, unit_ids[i]),
        )
        counts = _dealt(shares * len(order), owed)
        owed += shares * len(order) - counts
        dealt = np.repeat(np.arange(len(names)), counts)
        for index, arm in zip(order, dealt, strict=True):
            out[index] = names[arm]
    return out


def _dealt(wanted: NDArray[np.float64], owed: NDArray[np.float64]) -> NDArray[np.int64]:
    """Whole counts next to the wanted ones; what is left over goes to those owed most."""
    counts = np.floor(wanted + 1e-9).astype(np.int64)
    left = round(float(wanted.sum())) - int(counts.sum())
    first = np.argsort(-(wanted - counts + owed), kind="stable")[:left]
    counts[first] += 1
    return counts


def _in_utc(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise DataError(
            f"the time {moment.isoformat()} has no time zone",
            expected="a time with a zone; it is converted to UTC",
            fix="add the zone, for example datetime(..., tzinfo=UTC)",
        )
    return moment.astimezone(UTC)


def _running(design: Design, moment: datetime) -> bool:
    return not (
        (design.start is not None and moment < design.start)
        or (design.end is not None and moment >= design.end)
    )
