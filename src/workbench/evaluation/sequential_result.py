"""What a sequential evaluation comes to: a conclusion, and the path that led to it."""

import html
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, NamedTuple

import pandas as pd

from workbench.stats import SequentialRule

__all__ = ["SequentialLook", "SequentialOutcome", "SequentialResult"]


# What JSON cannot say: bounds that are none.
_UNKNOWN = {"ci_lower": -math.inf, "ci_upper": math.inf}


class SequentialOutcome(StrEnum):
    """What the rule concluded."""

    PROMOTE = "promote"
    REJECT = "reject"
    FUTILE = "futile"
    UNDECIDED = "undecided"


class SequentialLook(NamedTuple):
    """What was known after one batch.

    Attributes
    ----------
    n
        Examples seen.
    n_units
        Independent units among them (groups, where there are any).
    estimate
        Mean gain over the units, positive is better.
    ci_lower, ci_upper
        Bounds that hold at all looks together.
    e_promote, e_reject, e_futile
        E-values of the three conclusions.
    """

    n: int
    n_units: int
    estimate: float
    ci_lower: float
    ci_upper: float
    e_promote: float
    e_reject: float
    e_futile: float


@dataclass(frozen=True, slots=True)
class SequentialResult:
    """How one arm was decided.

    Parameters
    ----------
    arm
        The arm.
    outcome
        The conclusion; it stands as it was when it was reached.
    rule
        The rule, fixed beforehand.
    path
        What was known after each batch, up to the conclusion.
    n_fixed
        Units a fixed test of the same error rates needs, for the spread that was seen; NaN when
        no two gains differed.
    n_available
        Units there were.
    simulated
        Whether the arm's answers are a stand-in's.
    """

    arm: str
    outcome: SequentialOutcome
    rule: SequentialRule
    path: tuple[SequentialLook, ...]
    n_fixed: float
    n_available: int
    simulated: bool = False

    @property
    def label(self) -> str:
        """The arm's name wherever people read it: `sim:` in front of a stand-in's."""
        return f"sim:{self.arm}" if self.simulated else self.arm

    @property
    def last(self) -> SequentialLook:
        """What was known at the conclusion."""
        return self.path[-1]

    @property
    def share_saved(self) -> float:
        """Share of the fixed design's units that were not asked; negative when more were."""
        return 1.0 - self.last.n_units / self.n_fixed

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "arm": self.arm,
            "outcome": str(self.outcome),
            "rule": asdict(self.rule),
            "path": [look._asdict() for look in self.path],
            "n_fixed": self.n_fixed,
            "n_available": self.n_available,
            "simulated": self.simulated,
        }

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> "SequentialResult":
        """Read what `to_dict` wrote, from JSON, where null stands for what is not finite."""
        rule = dict(stored["rule"])
        rule["limits"] = None if rule["limits"] is None else tuple(rule["limits"])
        path = tuple(
            SequentialLook._make(
                _UNKNOWN[k] if look[k] is None else look[k] for k in SequentialLook._fields
            )
            for look in stored["path"]
        )
        n_fixed = math.nan if stored["n_fixed"] is None else stored["n_fixed"]
        return cls(
            stored["arm"],
            SequentialOutcome(stored["outcome"]),
            SequentialRule(**rule),
            path,
            n_fixed,
            stored["n_available"],
            stored["simulated"],
        )

    def sentence(self) -> str:
        """Say the conclusion in words."""
        gain = f"{self.last.estimate:+.4f}".replace("-", "−")
        span = f"{self.last.ci_lower:+.4f} to {self.last.ci_upper:+.4f}".replace("-", "−")
        verdict = {
            SequentialOutcome.PROMOTE: "is better than the baseline",
            SequentialOutcome.REJECT: "is worse than the baseline",
            SequentialOutcome.FUTILE: "is not better by as much as was asked for",
            SequentialOutcome.UNDECIDED: "may or may not be better than the baseline",
        }[self.outcome]
        saved = (
            f"; a fixed test needs about {math.ceil(self.n_fixed):,}"
            if math.isfinite(self.n_fixed)
            else ""
        )
        return (
            f"{self.label} {verdict} (gain {gain}, at any time within {span}; "
            f"{self.last.n_units:,} of {self.n_available:,} asked{saved})."
        )

    def to_frame(self) -> pd.DataFrame:
        """One row a look."""
        rows = [{"arm": self.arm, **look._asdict()} for look in self.path]
        frame = pd.DataFrame(rows, columns=["arm", *SequentialLook._fields])
        frame["outcome"] = ""
        frame.loc[frame.index[-1], "outcome"] = str(self.outcome)
        return frame

    def _repr_html_(self) -> str:
        return f"<p>{html.escape(self.sentence())}</p>"
