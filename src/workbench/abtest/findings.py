"""What an analysis found out about its own data, each with a code one can look up."""

from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

__all__ = ["FINDINGS", "Finding", "Severity"]

Severity = Literal["blocks", "warning", "note"]
"""Whether nothing can be decided, a reader must know, or may want to."""

FINDINGS = MappingProxyType(
    {
        "WB-X01": "Units do not arrive in the configured ratio (sample-ratio mismatch).",
        "WB-X02": "The design is not the one that was registered.",
        "WB-X03": "The design was not registered before the data were seen.",
        "WB-X04": "Units met two arms; they are left out.",
        "WB-X05": "An arm has no units.",
        "WB-X06": "An arm has too few units or clusters for its interval.",
        "WB-X07": "Covariates are missing and were filled with one value for all arms.",
        "WB-X08": "Extreme values were capped.",
        "WB-X09": "Arms differed before they were exposed.",
        "WB-X10": "This look was not planned; stopping at it raises the error rate.",
        "WB-X11": "Events were left out: too early, too late, or after the moment of analysis.",
        "WB-X12": "Rows name an arm the design does not have; they are left out.",
        "WB-X13": "A metric does not vary.",
        "WB-X14": "Missing outcomes differ between arms.",
        "WB-X15": "The control is too close to 0 for a relative effect.",
        "WB-X16": "A covariate or adjustment could not be used.",
        "WB-X17": "Effects differ between segments.",
        "WB-X18": "Mean time and log-rank test of a time to an event disagree.",
    }
)
"""Sentence of each code."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing the reader of an analysis should know.

    Parameters
    ----------
    code
        One of `FINDINGS`.
    severity
        "blocks" takes the decision away until it is cleared up.
    what
        The facts, in one sentence.
    fix
        What to do about it; empty when nothing.
    """

    code: str
    severity: Severity
    what: str
    fix: str = ""

    def __str__(self) -> str:
        return f"{self.code}: {self.what}" + (f" {self.fix}" if self.fix else "")
