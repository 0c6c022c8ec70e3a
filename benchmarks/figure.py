"""What a case hands back: figures with their spread, their n and their target."""

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

__all__ = ["CaseError", "Figure", "median_of", "result"]


class CaseError(Exception):
    """A case cannot be measured here; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured figure.

    Parameters
    ----------
    what
        What was measured, the unit left out.
    value
        The figure.
    n
        How many measurements or examples stand behind it.
    unit
        Of the value.
    spread
        Two bounds of what `spread_kind` names, such as "min to max".
    below, at_most, at_least
        The target; none when there is none.
    """

    what: str
    value: float
    n: int
    unit: str = ""
    spread: tuple[float, float] | None = None
    spread_kind: str = ""
    below: float | None = None
    at_most: float | None = None
    at_least: float | None = None

    @property
    def target(self) -> str | None:
        """The target in words."""
        for sign, bound in (("<", self.below), ("≤", self.at_most), ("≥", self.at_least)):
            if bound is not None:
                return f"{sign} {bound:g} {self.unit}".rstrip()
        return None

    @property
    def met(self) -> bool | None:
        """Whether the value reaches its target; None without one."""
        if self.below is not None:
            return self.value < self.below
        if self.at_most is not None:
            return self.value <= self.at_most
        return None if self.at_least is None else self.value >= self.at_least

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "what": self.what,
            "value": self.value,
            "unit": self.unit,
            "n": self.n,
            "spread": self.spread,
            "spread_kind": self.spread_kind,
            "target": self.target,
            "met": self.met,
        }


def median_of(
    what: str, values: Sequence[float], unit: str, *, below: float | None = None
) -> Figure:
    """Median of repeated measurements, with their extremes."""
    return Figure(
        what,
        statistics.median(values),
        len(values),
        unit,
        spread=(min(values), max(values)),
        spread_kind="min to max",
        below=below,
    )


def result(figures: Iterable[Figure], **details: Any) -> dict[str, Any]:
    """What `main` of a case returns: its figures, and whatever else is worth keeping."""
    return {"figures": [figure.to_dict() for figure in figures], "details": details}
