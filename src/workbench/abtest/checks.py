"""Whether the data can be believed, before any effect is looked at."""

from collections.abc import Mapping

import numpy as np

from workbench.abtest.aggregate import Aggregates, Cells
from workbench.abtest.design import Design
from workbench.abtest.estimates import AggregateEstimates
from workbench.abtest.findings import Finding
from workbench.abtest.results import RatioCause, RatioCheck
from workbench.abtest.source import Units
from workbench.abtest.sql import fill, quoted
from workbench.stats import SampleRatio, compare_proportions, sample_ratio_test

__all__ = ["balance_findings", "data_findings", "ratio_check"]

ALARM = 0.001
"""P-value below which a check speaks up: it is made on every experiment, on every look."""

# Two arms may not differ in how much is missing more than chance explains.
_SHOWN_CAUSES = 5


def ratio_check(units: Units, aggregates: Aggregates) -> RatioCheck:
    """Test the configured ratio, and look for the part of the units that is off.

    Parameters
    ----------
    units, aggregates
        The units and their counts.
    """
    design = units.design
    arms = tuple(design.arms)
    clustered = design.cluster is not None and design.cluster.randomised
    counts = [_count(aggregates.counts, arm, clustered=clustered) for arm in arms]
    test = sample_ratio_test(counts, list(design.shares.values()))
    alarm = test.pvalue < ALARM
    causes = _causes(units, aggregates, clustered=clustered) if alarm else ()
    counted = "clusters" if clustered else "units"
    return RatioCheck(test, counted, arms, alarm, causes, _sentence(design, test, counted, causes))


def balance_findings(
    design: Design, estimates: Mapping[str, AggregateEstimates]
) -> tuple[Finding, ...]:
    """Compare every covariate between arms: they were known before exposure.

    Parameters
    ----------
    design
        The design.
    estimates
        Mean-like metrics, by name.
    """
    found = {}
    for estimate in estimates.values():
        block = estimate.block
        for i in range(block.n_covariates):
            column = block.columns[block.n_outcome + i]
            for arm in design.treatments:
                if (column, arm) not in found:
                    found[column, arm] = estimate.balance(arm, i)
    known = {key: effect for key, effect in found.items() if effect is not None}
    out = []
    for (column, arm), effect in known.items():
        if effect.pvalue * len(known) < ALARM:
            out.append(
                Finding(
                    "WB-X09", "warning",
                    f"{column} was {effect.treatment:.4g} in {arm} and {effect.control:.4g} in"
                    f" {design.control} before exposure (p = {effect.pvalue:.1g}).",
                    "Look at how units were assigned and which rows are missing.",
                )
            )  # fmt: skip
    return tuple(out)


def data_findings(units: Units, aggregates: Aggregates) -> tuple[Finding, ...]:
    """Say what was left out, filled, capped or missing.

    Parameters
    ----------
    units, aggregates
        The units and their sums.
    """
    design = units.design
    out = [
        Finding("WB-X05", "warning", f"{arm} has no units.", "Check that it is served and logged.")
        for arm in design.arms
        if not aggregates.arms.get(arm)
    ]
    strange = {arm: n for arm, n in aggregates.arms.items() if arm not in design.arms}
    if strange:
        named = ", ".join(f"{arm!r} {n:,}" for arm, n in strange.items())
        out.append(
            Finding("WB-X12", "warning", f"Rows of other arms are left out: {named}.",
                    "Correct the arm's name, or add it to the design.")
        )  # fmt: skip
    out += _event_findings(units)
    total = sum(aggregates.arms.values())
    for column, n in aggregates.missing.filled.items():
        out.append(
            Finding("WB-X07", "note", f"{column} is missing for {n:,} of {total:,} units and was"
                    " filled with one value for all arms.")
        )  # fmt: skip
    for name, block in aggregates.blocks.items():
        for column, caps in block.caps.items():
            out.append(
                Finding("WB-X08", "note", f"{name}: {caps.n_capped:,} values of {column} were"
                        f" capped to [{caps.lower:.4g}, {caps.upper:.4g}], the same in all arms.")
            )  # fmt: skip
        if name in aggregates.missing.dropped:
            out += _attrition(design, name, aggregates)
    return tuple(out)


def _count(counts: Cells, arm: str, *, clustered: bool) -> int:
    found = counts.at(arm)
    return len(found.n_units) if clustered else int(found.n_units.sum())


def _torn_clusters(units: Units) -> list[Finding]:
    cluster = units.design.cluster
    if cluster is None or not cluster.randomised or units.design.switchback is not None:
        return []
    ((torn, n),) = units.rows(
        fill(
            "select count(*) filter (where arms > 1), count(*) from (select count(distinct {arm})"
            " as arms from units group by {cluster})",
            arm=quoted(units.arm),
            cluster=quoted(cluster.column),
        )
    )
    if not torn:
        return []
    return [
        Finding("WB-X04", "blocks" if torn > 0.01 * n else "warning",
                f"{int(torn):,} of {int(n):,} clusters have units of two arms, though clusters "
                "were to be randomised.",
                "Find out who assigns by unit, or set randomised: false in the design.")
    ]  # fmt: skip


def _event_findings(units: Units) -> list[Finding]:
    out = []
    if units.n_outside:
        out.append(
            Finding("WB-X11", "note", f"{units.n_outside:,} units were exposed before the start,"
                    " after the end, or after the moment of analysis; they are left out.")
        )  # fmt: skip
    out += _torn_clusters(units)
    c = units.counts
    if c is None:
        return out
    if c.n_two_arms:
        share = c.n_two_arms / max(1, c.n_units + c.n_two_arms)
        out.append(
            Finding("WB-X04", "blocks" if share > 0.01 else "warning",
                    f"{c.n_two_arms:,} units ({share:.2%}) met two arms and are left out.",
                    "Find out who assigns without the unit's recorded arm.")
        )  # fmt: skip
    left = {
        "exposures before the start or after the end": c.n_exposures_outside,
        "outcomes before their unit's exposure": c.n_outcomes_before,
        "outcomes after their unit's window": c.n_outcomes_after,
        "units whose window is not over": c.n_immature,
    }
    named = [f"{n:,} {what}" for what, n in left.items() if n]
    if named:
        out.append(Finding("WB-X11", "note", f"Left out: {', '.join(named)}."))
    return out


def _attrition(design: Design, name: str, aggregates: Aggregates) -> list[Finding]:
    """Say whether as many outcomes are missing in each arm."""
    cells = aggregates.cells[name]
    control = cells.at(design.control)
    out = []
    for arm in design.treatments:
        sides = [
            (int((s.n_units - s.n).sum()), int(s.n_units.sum())) for s in (control, cells.at(arm))
        ]
        if min(n for _, n in sides) == 0:
            continue
        test = compare_proportions(sides[0], sides[1], interval="wald")
        severe = test.pvalue * len(design.treatments) < ALARM
        out.append(
            Finding("WB-X14", "warning" if severe else "note",
                    f"{name} is missing for {test.treatment:.2%} of {arm} and {test.control:.2%} of"
                    f" {design.control} (p = {test.pvalue:.2g}).",
                    "What is missing depends on the arm: the effect may come from that."
                    if severe else "")
        )  # fmt: skip
    return out


def _causes(units: Units, aggregates: Aggregates, *, clustered: bool) -> tuple[RatioCause, ...]:
    """Parts of the units in which the ratio is off, the likeliest first."""
    design = units.design
    arms = list(design.arms)
    parts: list[tuple[str, str, list[int]]] = []
    for i, segment in enumerate(design.segments):
        for level in aggregates.levels[i]:
            found = [aggregates.counts.at(arm, i, level) for arm in arms]
            counts = [len(f.n_units) if clustered else int(f.n_units.sum()) for f in found]
            parts.append((segment, level, counts))
    parts += _days(units)
    shares = list(design.shares.values())
    whole = np.array([_count(aggregates.counts, arm, clustered=clustered) for arm in arms])
    out = []
    for dimension, level, counts in parts:
        n = sum(counts)
        pvalue = min(1.0, sample_ratio_test(counts, shares).pvalue * len(parts))
        if n == 0 or pvalue >= ALARM:
            continue
        rest = np.maximum(whole - np.array(counts), 0)
        observed = {arm: count / n for arm, count in zip(arms, counts, strict=True)}
        remaining = sample_ratio_test(rest, shares).pvalue
        out.append(RatioCause(dimension, level, pvalue, n, observed, remaining))
    # A part that explains the alarm by itself comes before parts that merely share it.
    out.sort(key=lambda c: (-c.rest_pvalue if c.rest_pvalue >= 0.01 else 0.0, c.pvalue))
    return tuple(out[:_SHOWN_CAUSES])


def _days(units: Units) -> list[tuple[str, str, list[int]]]:
    if units.exposed_at is None:
        return []
    arms = list(units.design.arms)
    cluster = units.design.cluster
    counted = "count(*)"
    if cluster is not None and cluster.randomised:
        counted = f"count(distinct {quoted(cluster.column)})"
    rows = units.rows(
        fill(
            "select strftime({at}::timestamp, '%Y-%m-%d') as day, {arm}::varchar, {counted}"
            " from units group by all order by all",
            at=quoted(units.exposed_at),
            arm=quoted(units.arm),
            counted=counted,
        )
    )
    days: dict[str, list[int]] = {}
    for day, arm, n in rows:
        if arm in arms:
            days.setdefault(str(day), [0] * len(arms))[arms.index(arm)] += int(n)
    return [("day", day, counts) for day, counts in days.items()]


def _sentence(
    design: Design, test: SampleRatio, counted: str, causes: tuple[RatioCause, ...]
) -> str:
    n = sum(test.observed)
    got = ", ".join(
        f"{arm} {count:,} ({count / max(n, 1):.2%} for {share:.2%})"
        for (arm, share), count in zip(design.shares.items(), test.observed, strict=True)
    )
    if test.pvalue >= ALARM:
        return f"the {counted} fit the configured ratio (p = {test.pvalue:.2g}): {got}."
    alarm = f"MISMATCH, p = {test.pvalue:.1g}: {counted} {got}."
    if not causes:
        return (
            f"{alarm} No segment or day stands out: look at the assignment and at what is logged."
        )
    first = causes[0]
    shares = ", ".join(f"{arm} {share:.1%}" for arm, share in first.observed.items())
    where = (
        f"{first.dimension} {first.level!r}" if first.dimension != "day" else f"on {first.level}"
    )
    rest = (
        f"without it the rest fits (p = {first.rest_pvalue:.2g})"
        if first.rest_pvalue >= 0.01
        else "but the rest does not fit either: look at the assignment and at what is logged"
    )
    return f"{alarm} Most off: {where} ({shares}; n = {first.n:,}); {rest}."
