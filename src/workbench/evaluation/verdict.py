"""What a gate says: of a rule, of an arm, of a run."""

import html
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

import pandas as pd

__all__ = ["ArmVerdict", "Decision", "RuleResult", "Verdict"]


class Decision(StrEnum):
    """What a rule, an arm or a run comes to."""

    PROMOTE = "promote"
    REJECT = "reject"
    CANNOT_DECIDE = "cannot decide"


@dataclass(frozen=True, slots=True)
class RuleResult:
    """How one arm stands to one rule.

    Parameters
    ----------
    code, rule
        Which rule, in words.
    metric
        Name of the metric; "origin" for WB-G04.
    decision
        PROMOTE when it is met for sure, REJECT when it is broken for sure.
    estimate, ci_lower, ci_upper
        What was judged.
    n
        Examples behind it.
    n_needed
        Examples that would decide it; None when it is decided or no number would.
    note
        A sentence.
    """

    code: str
    rule: str
    metric: str
    decision: Decision
    estimate: float
    ci_lower: float
    ci_upper: float
    n: int
    n_needed: int | None
    note: str


@dataclass(frozen=True, slots=True)
class ArmVerdict:
    """What the gate says of one arm; `label` is its name where people read it."""

    arm: str
    label: str
    decision: Decision
    rules: tuple[RuleResult, ...]
    reason: str

    @property
    def n_needed(self) -> int | None:
        """Examples that would decide every undecided rule of the arm."""
        needed = [r.n_needed for r in self.rules if r.decision is Decision.CANNOT_DECIDE]
        return None if not needed or None in needed else max(n for n in needed if n is not None)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the gate says of a run.

    Parameters
    ----------
    decision
        PROMOTE when an arm passes every rule, REJECT when every arm breaks one, else
        CANNOT_DECIDE.
    promoted
        The arm to promote: the best of those that pass.
    baseline
        What it replaces.
    arms
        The arms one by one.
    headline
        The verdict in one sentence.
    """

    decision: Decision
    promoted: str | None
    baseline: str
    arms: tuple[ArmVerdict, ...]
    headline: str

    @property
    def passed(self) -> bool:
        """Whether an arm is to be promoted."""
        return self.decision is Decision.PROMOTE

    def word(self, name: str) -> str:
        """The verdict on an arm in a word; "passes" when another one is promoted before it."""
        if name == self.baseline:
            return "baseline"
        decision = self.arm(name).decision
        other = decision is Decision.PROMOTE and name != self.promoted
        return "passes" if other else str(decision)

    def arm(self, name: str) -> ArmVerdict:
        """Verdict on one arm; KeyError when it was not judged."""
        for found in self.arms:
            if found.arm == name:
                return found
        raise KeyError(name)

    def to_frame(self) -> pd.DataFrame:
        """One row an arm and rule."""
        return pd.DataFrame(
            [
                {"arm": a.arm, "verdict": str(a.decision), **asdict(r), "decision": str(r.decision)}
                for a in self.arms
                for r in a.rules
            ]
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><th style='text-align:left'>{html.escape(a.label)}</th><td>{a.decision}</td>"
            f"<td style='text-align:left'>{html.escape(a.reason)}</td></tr>"
            for a in self.arms
        )
        return f"<p><b>{html.escape(self.headline)}</b></p><table><tbody>{rows}</tbody></table>"
