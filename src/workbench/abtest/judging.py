"""From effects to verdicts: corrected for how many there are and for how often one looks."""

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from scipy import special

from workbench.abtest.design import AlwaysValid, Design, GroupSequential
from workbench.abtest.estimates import Estimates, Measured
from workbench.abtest.findings import Finding
from workbench.abtest.metrics import Role
from workbench.abtest.results import ArmDecision, ArmEffect, Verdict
from workbench.errors import SpecError
from workbench.stats import (
    Effect,
    MarginTest,
    adjust_pvalues,
    compare_normal,
    noninferiority_test,
    sample_size_to_decide,
    selection_corrected,
    spending_boundary,
)

__all__ = ["Look", "decide", "judge_role", "look_of"]


class Look(NamedTuple):
    """What one look may spend.

    Attributes
    ----------
    alpha
        Nominal error rate of this look: the design's, or that of the group-sequential boundary.
    always_valid
        Whether intervals are confidence sequences.
    n_opt
        Units of two arms at which a sequence is tightest.
    information
        Share of the planned units reached; NaN without a plan.
    """

    alpha: float
    always_valid: bool
    n_opt: float
    information: float


def look_of(design: Design, n_units: int, earlier: Sequence[float] = ()) -> Look:
    """Say what a look at so many units may spend.

    Parameters
    ----------
    design
        The design.
    n_units
        Units in all arms.
    earlier
        Shares of the planned units at the looks before, for a group-sequential design.

    Raises
    ------
    SpecError
        If earlier looks are not before this one, or more than were planned.
    """
    planned = design.planned_units
    share = n_units / planned if planned else math.nan
    how = design.sequential
    if isinstance(how, AlwaysValid):
        pair = 2 / len(design.arms)
        return Look(design.alpha, True, float(how.n_opt or pair * (planned or 1)), share)
    if isinstance(how, GroupSequential):
        times = [*earlier, min(share, 1.0)]
        if sorted(set(times)) != times or len(times) > how.looks or times[0] <= 0:
            raise SpecError(
                f"the looks are at {[round(t, 4) for t in times]} of the planned units",
                expected=f"at most {how.looks} looks, each after the one before, up to 1",
                fix="pass the shares of all earlier looks as earlier_looks",
            )
        bound = spending_boundary(
            times, alpha=design.alpha, spending=how.spending, parameter=how.parameter
        )
        return Look(2 * float(special.ndtr(-bound[-1])), False, math.nan, share)
    return Look(design.alpha, False, math.nan, share)


def judge_role(
    design: Design, role: Role, estimates: Mapping[str, Estimates], look: Look
) -> tuple[list[ArmEffect], list[Finding]]:
    """Judge all comparisons of the metrics of one role together.

    Parameters
    ----------
    design
        The design.
    role
        Which metrics: each role is corrected by itself.
    estimates
        By metric.
    look
        What this look may spend.
    """
    findings: list[Finding] = []
    pairs: list[tuple[str, str, Measured]] = []
    level = 1 - design.alpha
    for name in design.metrics_of(role):
        for arm in design.treatments:
            found = estimates[name].measure(arm, level)
            if found is None:
                findings.append(
                    Finding("WB-X06", "warning", f"{name}: {arm} and {design.control} cannot be"
                            " compared: an arm has no units, or fewer than two clusters.")
                )  # fmt: skip
            else:
                pairs.append((name, arm, found))
    m = 1 if role == "guardrail" or design.multiplicity == "none" else design.n_comparisons(role)
    alpha = look.alpha / m
    intervals = [_deciding(estimates[n], arm, found, look, alpha) for n, arm, found in pairs]
    pvalues = [p for _, _, p in intervals]
    adjusted = pvalues
    if m > 1 and design.multiplicity != "none" and pvalues:
        adjusted = adjust_pvalues(pvalues, design.multiplicity).tolist()
    effects = []
    for (name, arm, found), (low, high, p), p_adjusted in zip(
        pairs, intervals, adjusted, strict=True
    ):
        effects.append(
            _arm_effect(design, name, arm, found, (low, high), (p, p_adjusted), look, alpha)
        )
        findings += _effect_findings(name, arm, found)
        findings += _time_findings(name, arm, found, design.alpha)
    return effects, findings


def decide(
    design: Design, effects: Sequence[ArmEffect], findings: Sequence[Finding]
) -> tuple[ArmDecision, ...]:
    """Say for each treatment whether to promote it.

    Parameters
    ----------
    design
        The design.
    effects
        All comparisons.
    findings
        All findings; one that blocks takes every decision away.
    """
    blocks = [f.code for f in findings if f.severity == "blocks"]
    out = []
    for arm in design.treatments:
        own = [e for e in effects if e.arm == arm]
        primary = [e for e in own if e.role == "primary"]
        guards = [e for e in own if e.role == "guardrail"]
        reasons = [e.sentence() for e in [*primary, *guards]]
        bad = [e for e in [*primary, *guards] if e.verdict in ("worse", "violated")]
        held = len(guards) == len(design.metrics_of("guardrail")) and all(
            e.verdict == "holds" for e in guards
        )
        if blocks:
            why = f"Nothing can be decided before {', '.join(dict.fromkeys(blocks))} is cleared up."
            out.append(ArmDecision(arm, "cannot decide", (why,)))
        elif bad:
            out.append(ArmDecision(arm, "reject", tuple(e.sentence() for e in bad)))
        elif held and any(e.verdict == "better" for e in primary):
            out.append(ArmDecision(arm, "promote", tuple(reasons)))
        else:
            out.append(
                ArmDecision(arm, "cannot decide", tuple(reasons) or (f"{arm} has no data.",))
            )
    return tuple(out)


def _deciding(
    estimate: Estimates, arm: str, found: Measured, look: Look, alpha: float
) -> tuple[float, float, float]:
    """Interval and p-value that decide, corrected for the number of comparisons."""
    effect = found.effect
    if look.always_valid:
        return estimate.sequence(arm, effect, 1 - alpha, look.n_opt)
    if math.isclose(1 - alpha, effect.confidence_level, abs_tol=1e-12):
        return effect.ci_lower, effect.ci_upper, effect.pvalue
    return *estimate.interval(arm, effect, 1 - alpha), effect.pvalue


def _arm_effect(
    design: Design,
    name: str,
    arm: str,
    found: Measured,
    interval: tuple[float, float],
    pvalues: tuple[float, float],
    look: Look,
    alpha: float,
) -> ArmEffect:
    metric, effect = design.metrics[name], found.effect
    low, high = interval
    margin = None
    if metric.margin is not None:
        margin = _margin(effect, interval, metric.margin, metric.margin_scale,
                         higher=metric.higher_is_better, look=look)  # fmt: skip
        verdict = _guardrail_verdict(effect, margin, higher=metric.higher_is_better)
    else:
        verdict = _verdict(pvalues[1], effect, look.alpha, higher=metric.higher_is_better)
    known = math.isfinite(effect.standard_error) and effect.standard_error > 0
    corrected = None
    if verdict in ("better", "worse") and known:
        # The threshold an effect had to pass to be called one.
        z = abs(effect.difference) / effect.standard_error
        strict, plain = (-float(special.ndtri(a / 2)) for a in (alpha, look.alpha))
        corrected = selection_corrected(
            effect.difference, effect.standard_error, strict if z >= strict else plain,
            confidence_level=1 - design.alpha,
        )  # fmt: skip
    posterior = None
    if known:
        posterior = compare_normal(
            effect.difference, effect.standard_error, prior_sd=metric.prior_sd or math.inf,
            confidence_level=1 - design.alpha,
        )  # fmt: skip
    needed = None
    if verdict == "inconclusive" and math.isfinite(high - low):
        needed = sample_size_to_decide(
            effect.n_control + effect.n_treatment, (high - low) / 2, effect.difference
        )
    return ArmEffect(
        name, metric.kind, metric.role, arm, design.control, metric.higher_is_better, effect,
        found.raw, found.unclustered, found.uncapped, low, high, pvalues[0], pvalues[1], verdict,
        margin, posterior, corrected, needed, found.note, found.log_rank,
    )  # fmt: skip


def _margin(
    effect: Effect,
    interval: tuple[float, float],
    margin: float,
    scale: str,
    *,
    higher: bool,
    look: Look,
) -> MarginTest:
    """Test a margin at the level this look may spend."""
    one_sided = look.alpha / 2
    if look.always_valid and effect.standard_error > 0 and math.isfinite(interval[1] - interval[0]):
        # The level at which a plain bound is as far out as that of the sequence.
        one_sided = float(special.ndtr(-(interval[1] - interval[0]) / 2 / effect.standard_error))
    return noninferiority_test(
        effect,
        margin,
        higher_is_better=higher,
        scale="relative" if scale == "relative" else "absolute",
        alpha=max(one_sided, 1e-12),
    )


def _verdict(pvalue: float, effect: Effect, alpha: float, *, higher: bool) -> Verdict:
    if math.isnan(pvalue):
        return "no data"
    if pvalue > alpha or effect.difference == 0:
        return "inconclusive"
    return "better" if (effect.difference > 0) == higher else "worse"


def _guardrail_verdict(effect: Effect, margin: MarginTest, *, higher: bool) -> Verdict:
    """Holds, or is surely worse than the margin allows, or neither is shown."""
    if math.isnan(margin.pvalue):
        return "no data"
    if margin.holds:
        return "holds"
    centre = effect.lift if margin.scale == "relative" else effect.difference
    # The bound on the other side lies as far out.
    best = 2 * centre - (margin.ci_lower if higher else margin.ci_upper)
    beyond = best < -margin.margin if higher else best > margin.margin
    return "violated" if beyond else "not shown"


def _effect_findings(name: str, arm: str, found: Measured) -> list[Finding]:
    out = []
    effect = found.effect
    if min(effect.n_control, effect.n_treatment) < 2 or math.isnan(effect.standard_error):
        out.append(
            Finding("WB-X06", "warning", f"{name}: {arm} has {effect.n_treatment:,} units and"
                    f" {effect.n_control:,} in the control, too few for an interval.")
        )  # fmt: skip
    elif effect.standard_error == 0:
        out.append(
            Finding("WB-X13", "warning", f"{name} does not vary in {arm} or the control.",
                    "Check that it is measured.")
        )  # fmt: skip
    elif not math.isfinite(effect.lift_ci_upper - effect.lift_ci_lower):
        out.append(
            Finding("WB-X15", "note", f"{name}: the control is too close to 0 to divide by; read"
                    " the difference, not the lift.")
        )  # fmt: skip
    if found.note:
        out.append(Finding("WB-X16", "note", f"{name}: {found.note}."))
    return out


def _time_findings(name: str, arm: str, found: Measured, alpha: float) -> list[Finding]:
    """Say where the two tests of times to an event disagree."""
    test = found.log_rank
    if test is None or math.isnan(found.effect.pvalue):
        return []
    if (test.pvalue <= alpha) == (found.effect.pvalue <= alpha):
        return []
    return [
        Finding("WB-X18", "note", f"{name}, {arm}: the mean time up to the horizon has"
                f" p = {found.effect.pvalue:.2g}, the log-rank test p = {test.pvalue:.2g}.",
                "Where hazards cross or differ only late, the two ask different questions; the mean"
                " time decides.")
    ]  # fmt: skip
