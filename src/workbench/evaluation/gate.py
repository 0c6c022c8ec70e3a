"""Gates: rules on the bounds of intervals, and the verdict they add up to.

A rule passes when its whole interval is on the right side of the bound, fails when the
whole interval is on the wrong side, and is undecided in between: then it says how many
examples would decide it, if the figure stayed what it is.

| code | rule |
|---|---|
| WB-G01 | a quality difference from the baseline, paired and corrected |
| WB-G02 | a quality bound |
| WB-G03 | a bound on latency, cost, errors or abstentions |
| WB-G04 | only answers of a real model can promote an arm that asks Claude |
| WB-G05 | an arm is not shown to be worse than the baseline on a split reported beside |

Where asking stopped by itself (`stop_when="decided"`), every interval judged is one that holds
whenever one stops; an arm that the sequential test gave up does not meet a rule on that gain. A
figure without such an interval decides nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from workbench.errors import EvaluationError, SpecError
from workbench.evaluation.anytime import Measured, anytime_measured
from workbench.evaluation.evaluation import ArmInfo, Evaluation
from workbench.evaluation.operations import OPERATIONS
from workbench.evaluation.readings.evaluation import ReadingEvaluation
from workbench.evaluation.sequential_result import SequentialOutcome
from workbench.evaluation.verdict import ArmVerdict, Decision, RuleResult, Verdict
from workbench.scorers import metric
from workbench.stats import sample_size_to_decide

__all__ = ["ArmVerdict", "Decision", "Gate", "GateRule", "Judged", "RuleResult", "Verdict"]

Judged: TypeAlias = Evaluation | ReadingEvaluation
"""What a gate can judge."""


@dataclass(frozen=True, slots=True)
class GateRule:
    """One bound on one metric.

    Parameters
    ----------
    metric
        Name of the metric.
    at_least, at_most
        The bound; exactly one of them.
    difference
        Whether the bound is on the paired difference from the baseline.
    """

    metric: str
    at_least: float | None = None
    at_most: float | None = None
    difference: bool = False

    def __post_init__(self) -> None:
        """Check the rule.

        Raises
        ------
        SpecError
            When the rule has no bound, two bounds, or a difference of an operational metric.
        EvaluationError
            When there is no such metric.
        """
        metric(self.metric)
        if (self.at_least is None) == (self.at_most is None):
            raise SpecError(
                f"gate on {self.metric!r} has at_least={self.at_least}, at_most={self.at_most}",
                expected="exactly one of the two",
                fix="keep one bound",
            )
        if self.difference and self.metric in OPERATIONS:
            raise SpecError(
                f"gate on the difference of {self.metric!r}",
                expected="a difference of a quality metric, such as roc_auc",
                fix="bound the metric itself, without `difference`",
            )

    @property
    def code(self) -> str:
        """The rule's code."""
        if self.difference:
            return "WB-G01"
        return "WB-G03" if self.metric in OPERATIONS else "WB-G02"

    @property
    def bound(self) -> float:
        """The number compared with."""
        return float(self.at_least if self.at_least is not None else self.at_most or 0.0)

    def describe(self, baseline: str) -> str:
        """Say the rule in words."""
        how = metric(self.metric)
        side = "at least" if self.at_least is not None else "at most"
        what = f"{how.title} minus {baseline}'s" if self.difference else how.title
        return f"{what} {side} {how.format(self.bound, signed=self.difference)}"


@dataclass(frozen=True, slots=True)
class Gate:
    """Rules an arm must meet to replace the baseline.

    Parameters
    ----------
    rules
        The rules; at least one.
    primary_metric
        Which of several passing arms is the best.

    Examples
    --------
    >>> gate = Gate([GateRule("roc_auc", at_least=0.01, difference=True)])
    >>> gate.rules[0].describe("logistic")
    "ROC AUC minus logistic's at least +0.0100"
    """

    rules: Sequence[GateRule]
    primary_metric: str = "roc_auc"

    def __post_init__(self) -> None:
        """Check the gate.

        Raises
        ------
        SpecError
            When the gate has no rules, or arms cannot be ranked by the primary metric.
        EvaluationError
            When there is no such metric.
        """
        if not self.rules:
            raise SpecError("the gate has no rules", expected="at least one", fix="add a rule")
        if metric(self.primary_metric).name in OPERATIONS:
            raise SpecError(
                f"primary_metric is {self.primary_metric!r}",
                expected="a quality metric, such as roc_auc",
                fix="bound the other under gates",
            )

    def judge(self, evaluation: Judged, beside: Sequence[Judged] = ()) -> Verdict:
        """Judge every arm but the baseline.

        Parameters
        ----------
        evaluation
            What is judged.
        beside
            The same arms on further splits. An arm that is worse than the baseline there,
            with certainty, is not promoted: what holds on a random sample of the past need
            not hold next month.

        Raises
        ------
        SpecError
            When there is no arm beside the baseline.
        EvaluationError
            When a metric was not measured.
        """
        self._check_measured(evaluation)
        baseline = evaluation.info.baseline
        others = [arm for arm in evaluation.arms if arm.name != baseline]
        if not others:
            raise SpecError(
                f"there is no arm beside the baseline {baseline!r}",
                expected="two arms or more",
                fix="add an arm",
            )
        arms = tuple(self._judge_arm(evaluation, beside, arm) for arm in others)
        how = metric(self.primary_metric)
        passing = [a.arm for a in arms if a.decision is Decision.PROMOTE]
        if passing:
            sign = 1 if how.higher_is_better else -1
            best = max(passing, key=lambda a: sign * evaluation.estimate(a, how.name).estimate)
            decision, promoted = Decision.PROMOTE, best
        elif all(a.decision is Decision.REJECT for a in arms):
            decision, promoted = Decision.REJECT, None
        else:
            decision, promoted = Decision.CANNOT_DECIDE, None
        return Verdict(
            decision, promoted, baseline, arms, _headline(decision, promoted, baseline, arms)
        )

    def _check_measured(self, evaluation: Judged) -> None:
        measured = {name for _, name in evaluation.measurements}
        for name in (*(rule.metric for rule in self.rules), self.primary_metric):
            if name not in measured:
                raise EvaluationError(
                    f"the gate judges {name!r}, which was not measured",
                    expected=f"one of {', '.join(sorted(measured))}",
                    fix="add it to the metrics of the evaluation, or judge by another",
                )

    def _judge_arm(self, evaluation: Judged, beside: Sequence[Judged], arm: ArmInfo) -> ArmVerdict:
        results = [self._judge_rule(evaluation, arm, rule) for rule in self.rules]
        results += [
            _judge_beside(other, arm, self.primary_metric)
            for other in beside
            if arm.name in other.arm_names
        ]
        if arm.origin is not None:
            results.append(_judge_origin(arm, evaluation.info.n_test))
        decisions = [r.decision for r in results]
        if arm.simulated:
            decision = Decision.CANNOT_DECIDE
            reason = (
                "its answers were simulated, so nothing here speaks for or against Claude; "
                "run it live to decide"
            )
        elif Decision.REJECT in decisions:
            decision = Decision.REJECT
            broken = [r.rule for r in results if r.decision is Decision.REJECT]
            reason = f"does not meet: {'; '.join(broken)}"
        elif Decision.CANNOT_DECIDE in decisions:
            decision = Decision.CANNOT_DECIDE
            reason = "; ".join(r.note for r in results if r.decision is Decision.CANNOT_DECIDE)
        else:
            decision = Decision.PROMOTE
            reason = "meets every rule with certainty at the chosen level"
        return ArmVerdict(arm.name, arm.label, decision, tuple(results), reason)

    def _judge_rule(self, evaluation: Judged, arm: ArmInfo, rule: GateRule) -> RuleResult:
        words, how = rule.describe(evaluation.info.baseline), metric(rule.metric)
        nan = float("nan")
        note = ""
        found: Measured | None = None
        if arm.simulated and how.unit == "s":
            note = "the time of the stand-in says nothing about Claude's"
        elif isinstance(evaluation, Evaluation) and evaluation.sequential:
            found = anytime_measured(evaluation, arm.name, rule.metric, difference=rule.difference)
            note = "" if found else f"no interval of {how.title} holds when asking stops by itself"
        else:
            found = _measured(evaluation, arm.name, rule)
        if found is None:
            return RuleResult(
                rule.code, words, rule.metric, Decision.CANNOT_DECIDE, nan, nan, nan, 0, None, note
            )
        estimate, low, high, n = found
        decision = _side(rule, low, high)
        if decision is Decision.CANNOT_DECIDE and _given_up(evaluation, arm.name, rule):
            decision = Decision.REJECT
        needed = None
        if decision is Decision.CANNOT_DECIDE:
            needed = _needed(rule, estimate, low, high, n)
            side = "met" if (estimate >= rule.bound) == (rule.at_least is not None) else "broken"
            note = (
                f"{words}: measured {how.format(estimate, signed=rule.difference)}, "
                f"plausible {how.format(low, signed=rule.difference)} to "
                f"{how.format(high, signed=rule.difference)}"
            )
            note += (
                f"; about {needed:,} test examples would show it {side}"
                if needed is not None
                else ""
            )
        return RuleResult(
            rule.code, words, rule.metric, decision, estimate, low, high, n, needed, note
        )


def _measured(evaluation: Judged, arm: str, rule: GateRule) -> Measured:
    if rule.difference:
        d = evaluation.compare(rule.metric)[arm].difference
        return Measured(d.difference, d.ci_lower, d.ci_upper, d.n)
    found = evaluation.measurements[arm, rule.metric]
    return Measured(found.estimate, found.ci_lower, found.ci_upper, found.n)


def _given_up(evaluation: Judged, arm: str, rule: GateRule) -> bool:
    """Whether a sequential test gave the arm up on what the rule asks, or less."""
    if not isinstance(evaluation, Evaluation):
        return False
    found = evaluation.sequential.get(arm)
    if found is None or not rule.difference or rule.metric != evaluation.info.stop_metric:
        return False
    # A gain is positive where a loss falls: the rule's bound turned the same way.
    higher = metric(rule.metric).higher_is_better
    asks_for_gain = (rule.at_least is not None) == higher
    bound = rule.bound if higher else -rule.bound
    return found.outcome is SequentialOutcome.FUTILE and asks_for_gain and bound >= found.rule.bound


def _side(rule: GateRule, low: float, high: float) -> Decision:
    if rule.at_least is not None:
        # A difference must exceed its bound: an arm that does what the baseline does is no gain.
        above = low > rule.at_least if rule.difference else low >= rule.at_least
        met, broken = above, high < rule.at_least
    else:
        met, broken = high <= rule.bound, low > rule.bound
    if met:
        return Decision.PROMOTE
    return Decision.REJECT if broken else Decision.CANNOT_DECIDE


def _needed(rule: GateRule, estimate: float, low: float, high: float, n: int) -> int | None:
    if n == 0 or not all(map(_finite, (estimate, low, high))):
        return None
    half_width = (estimate - low) if estimate > rule.bound else (high - estimate)
    found = sample_size_to_decide(n, half_width, abs(estimate - rule.bound))
    # Beyond this the figures are too close to the bound for any test set people have.
    return None if found is None or found > 100_000_000 else found


def _finite(value: float) -> bool:
    return value == value and abs(value) != float("inf")


def _judge_beside(other: Judged, arm: ArmInfo, name: str) -> RuleResult:
    how = metric(name)
    d = other.compare(name)[arm.name].difference
    worse = d.ci_upper < 0 if how.higher_is_better else d.ci_lower > 0
    return RuleResult(
        "WB-G05",
        f"{how.title} not worse than {other.info.baseline}'s with {other.info.split}",
        name,
        Decision.REJECT if worse else Decision.PROMOTE,
        d.difference,
        d.ci_lower,
        d.ci_upper,
        d.n,
        None,
        f"worse with {other.info.split}" if worse else "",
    )


def _judge_origin(arm: ArmInfo, n: int) -> RuleResult:
    nan = float("nan")
    real = not arm.simulated
    return RuleResult(
        "WB-G04",
        "answered by a real model",
        "origin",
        Decision.PROMOTE if real else Decision.CANNOT_DECIDE,
        nan,
        nan,
        nan,
        n,
        None,
        "" if real else "the answers were simulated",
    )


def _reversed(arm: ArmVerdict) -> list[str]:
    """Splits that alone keep an arm from being promoted, in words."""
    broken = [r for r in arm.rules if r.decision is Decision.REJECT]
    return [r.note for r in broken] if {r.code for r in broken} == {"WB-G05"} else []


def _headline(
    decision: Decision, promoted: str | None, baseline: str, arms: Sequence[ArmVerdict]
) -> str:
    undecided = [a.label for a in arms if a.decision is Decision.CANNOT_DECIDE]
    if decision is Decision.PROMOTE:
        return f"Promote {promoted} over {baseline}."
    if decision is Decision.REJECT:
        turned = [
            f"{a.label} is better here, but {', '.join(splits)}"
            for a in arms
            if (splits := _reversed(a))
        ]
        return f"Keep {baseline}: {'; '.join(turned) or 'no arm meets the gate'}."
    needed = [a.n_needed for a in arms if a.n_needed is not None]
    more = f" About {min(needed):,} test examples would decide the first." if needed else ""
    return f"Cannot decide yet: {', '.join(undecided)} may or may not meet the gate.{more}"
