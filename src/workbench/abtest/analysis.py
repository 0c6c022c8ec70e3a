"""From units to an analysis: sample ratio first, then effects, segments, verdicts."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from workbench.abtest.aggregate import Aggregates, aggregate
from workbench.abtest.checks import balance_findings, data_findings, ratio_check
from workbench.abtest.design import Design, FixedHorizon
from workbench.abtest.estimates import AggregateEstimates, Estimates
from workbench.abtest.findings import Finding
from workbench.abtest.judging import Look, decide, judge_role, look_of
from workbench.abtest.metrics import Role
from workbench.abtest.registration import Registration, design_sha256
from workbench.abtest.results import Analysis, ArmEffect, RatioCheck
from workbench.abtest.segments import segment_effects
from workbench.abtest.source import Units, open_units
from workbench.abtest.unit_values import read_values
from workbench.errors import SpecError

__all__ = ["analyse"]

_ROLES: tuple[Role, ...] = ("primary", "guardrail", "secondary")
_SEVERITY = {"blocks": 0, "warning": 1, "note": 2}


def analyse(
    design: Design,
    data: Any,
    *,
    registration: Registration | None = None,
    as_of: datetime | None = None,
    earlier_looks: Sequence[float] = (),
    arm: str = "arm",
    exposed_at: str = "exposed_at",
    threads: int | None = None,
    memory_limit: str | None = None,
) -> Analysis:
    """Analyse an experiment.

    Parameters
    ----------
    design
        The design.
    data
        One row a unit: a DataFrame (pandas, polars, Arrow) or Parquet or CSV files (a path,
        patterns allowed); or an `EventStore`, whose events are joined first.
    registration
        The design as registered. Where it differs the analysis says so first and decides
        nothing; without one it says that nothing was registered.
    as_of
        Moment of the analysis, with a time zone; now when omitted. Exposures after it are left
        out; from a store also what was recorded after it, so that an analysis can be repeated.
    earlier_looks
        Shares of the planned units at earlier looks of a group-sequential design.
    arm, exposed_at
        Columns of a table; the second need not exist.
    threads, memory_limit
        Of DuckDB.

    Returns
    -------
    Analysis

    Raises
    ------
    DataError
        If the data are not what the design says: columns, types, domains, duplicates, missing
        or infinite values, times without a zone, units without an arm or cluster.
    SpecError
        If `as_of` has no time zone or the looks do not fit the design.

    Notes
    -----
    Proportions, means, counts and ratios are analysed from one query's sums, whatever the number
    of units; winsorised metrics read their column once more for the caps, quantiles and times to
    an event their values. A proportion without covariates is compared by a score test, with
    covariates as an adjusted mean (CUPED). Primary metrics × treatments are corrected together,
    secondary ones among themselves; guardrails are not, since all of them must hold.

    Examples
    --------
    >>> import pandas as pd
    >>> design = Design.model_validate({"name": "script", "arms": {"old": 1, "new": 1},
    ...     "metrics": {"reply": {"kind": "proportion", "role": "primary"}}})
    >>> leads = pd.DataFrame({"arm": ["old", "new"] * 500,
    ...                       "reply": [i % 10 == 0 or i % 4 == 1 for i in range(1000)]})
    >>> found = analyse(design, leads, as_of=datetime(2026, 3, 1, tzinfo=UTC))
    >>> found.effect("reply").verdict, found.decisions[0].decision, found.ratio.alarm
    ('better', 'promote', False)
    """
    moment = datetime.now(UTC) if as_of is None else as_of
    if moment.tzinfo is None:
        raise SpecError(
            f"as_of is {moment.isoformat()}, without a time zone",
            expected="a moment with a zone",
            fix="add the zone, for example datetime(..., tzinfo=UTC)",
        )
    moment = moment.astimezone(UTC)
    with open_units(
        design, data, as_of=moment, arm=arm, exposed_at=exposed_at, threads=threads,
        memory_limit=memory_limit,
    ) as units:  # fmt: skip
        sums = aggregate(units)
        ratio = ratio_check(units, sums)
        estimates = _estimates(units, sums)
        findings = [*_registration_findings(design, registration), *_ratio_findings(ratio)]
        findings += data_findings(units, sums)
    n_units = {name: sums.arms.get(name, 0) for name in design.arms}
    look = look_of(design, sum(n_units.values()), earlier_looks)
    findings += _look_findings(design, look, sum(n_units.values()))
    means = {n: e for n, e in estimates.items() if isinstance(e, AggregateEstimates)}
    findings += balance_findings(design, means)
    effects: list[ArmEffect] = []
    for role in _ROLES:
        judged, said = judge_role(design, role, estimates, look)
        effects += judged
        findings += said
    segments = segment_effects(design, estimates, sums.levels)
    findings += [
        Finding("WB-X17", "note", f"The effect of {s.arm} on {s.metric} differs by {s.segment}"
                f" (p = {s.pvalue_adjusted:.2g}, corrected).")
        for s in segments
        if s.differs
    ]  # fmt: skip
    findings = sorted(dict.fromkeys(findings), key=lambda f: _SEVERITY[f.severity])
    return Analysis(
        design=design,
        sha256=design_sha256(design),
        registered=registration is not None and registration.sha256 == design_sha256(design),
        as_of=moment,
        n_units=n_units,
        ratio=ratio,
        effects=tuple(effects),
        segments=segments,
        decisions=decide(design, effects, findings),
        findings=tuple(findings),
    )


def _estimates(units: Units, sums: Aggregates) -> Mapping[str, Estimates]:
    out: dict[str, Estimates] = {}
    for name in units.design.metrics:
        if name in sums.blocks:
            out[name] = AggregateEstimates(units.design, sums.blocks[name], sums.cells[name])
        else:
            out[name] = read_values(units, name)
    return out


def _registration_findings(design: Design, registration: Registration | None) -> list[Finding]:
    if registration is None:
        return [
            Finding("WB-X03", "warning", "The design was not registered before the data were seen.",
                    "Register the next one with `register`.")
        ]  # fmt: skip
    if registration.sha256 == design_sha256(design):
        return []
    changed = "; ".join(registration.differences(design))
    return [
        Finding("WB-X02", "blocks", f"This is not the registered design. {changed}.",
                "Analyse the registered design; report anything else as exploratory.")
    ]  # fmt: skip


def _ratio_findings(ratio: RatioCheck) -> list[Finding]:
    if not ratio.alarm:
        return []
    return [
        Finding("WB-X01", "blocks", f"Sample-ratio {ratio.sentence}",
                "Effects below are not to be believed until this is explained.")
    ]  # fmt: skip


def _look_findings(design: Design, look: Look, n_units: int) -> list[Finding]:
    if not isinstance(design.sequential, FixedHorizon) or design.planned_units is None:
        return []
    if look.information >= 1:
        return []
    return [
        Finding("WB-X10", "warning", f"{n_units:,} of {design.planned_units:,} planned units are"
                " in, and the design allows one look, at the end.",
                "Do not stop here: wait, or plan sequential looks next time.")
    ]  # fmt: skip
