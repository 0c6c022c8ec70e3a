"""What a study found: figures with intervals, the ceiling, and what became of a claim."""

import html
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import pandas as pd

from workbench.evaluation.claims import Standing
from workbench.evaluation.measured import Measured
from workbench.scorers import Metric
from workbench.stats import Estimate

__all__ = ["TRUTH", "Study", "StudyClaim", "hold_against"]

TRUTH = "truth (ceiling)"
"""The arm that knows the simulation's hidden truth: nobody can do better but by luck."""


@dataclass(frozen=True, slots=True)
class StudyClaim:
    """A claimed figure and what became of it.

    Parameters
    ----------
    metric
        What is claimed; higher is better.
    claimed
        The figure.
    arm
        Whose figure it is held against.
    measured
        That figure, with interval.
    trivial
        What knowing nothing of the example gives.
    ceiling
        What the truth reaches; None where nobody knows it.
    standing
        Whether it is met: when the whole interval is on one side, or not at all when even the
        truth's interval stays below it.
    """

    metric: Metric
    claimed: float
    arm: str
    measured: Estimate
    trivial: float
    ceiling: Estimate | None
    standing: Standing

    def sentence(self) -> str:
        """Say what became of it."""
        told = self.metric.format
        top = "" if self.ceiling is None else f", the truth reaches {told(self.ceiling.estimate)}"
        found = f"{told(self.measured.ci_lower)} to {told(self.measured.ci_upper)}"
        return (
            f"{self.metric.title} of {told(self.claimed)} claimed: {self.standing}. {self.arm} has "
            f"{told(self.measured.estimate)} [{found}]; knowing nothing gives "
            f"{told(self.trivial)}{top}."
        )


def hold_against(
    measured: Measured, metric: Metric, claimed: float, *, arm: str, trivial: str
) -> StudyClaim:
    """Hold a claimed figure against what was measured.

    Parameters
    ----------
    measured
        Figures; the arm `TRUTH` is the ceiling where it is among them.
    metric
        What is claimed; higher is better.
    claimed
        The figure.
    arm, trivial
        The arm that stands for the system, and the one that knows nothing.
    """
    own = measured.estimates[arm, metric.name]
    ceiling = measured.estimates.get((TRUTH, metric.name))
    standing: Standing = "cannot tell"
    if ceiling is not None and ceiling.ci_upper < claimed:
        standing = "impossible here"
    elif own.ci_lower >= claimed:
        standing = "met"
    elif own.ci_upper < claimed:
        standing = "not met"
    floor = measured.estimates[trivial, metric.name].estimate
    return StudyClaim(metric, claimed, arm, own, floor, ceiling, standing)


@dataclass(frozen=True)
class Study:
    """What a study found.

    Parameters
    ----------
    name, question
        Identifier, and what was asked.
    measured
        Figures of every arm on the same later examples, with paired differences.
    n_train
        Examples learnt from.
    claims
        The platform's figures and what became of them.
    details
        Further tables by name.
    notes
        What to know before believing it.
    """

    name: str
    question: str
    measured: Measured
    n_train: int
    claims: tuple[StudyClaim, ...] = ()
    details: Mapping[str, pd.DataFrame] = field(default_factory=lambda: MappingProxyType({}))
    notes: tuple[str, ...] = ()

    def to_frame(self) -> pd.DataFrame:
        """One row an arm and metric: estimate, interval, difference from the baseline."""
        return self.measured.to_frame()

    def estimate(self, arm: str, metric: str) -> Estimate:
        """Give one figure.

        Raises
        ------
        KeyError
            When there is none.
        """
        return self.measured.estimates[arm, metric]

    def _repr_html_(self) -> str:
        told = "".join(
            f"<li>{html.escape(text)}</li>"
            for text in (*(claim.sentence() for claim in self.claims), *self.notes)
        )
        tables = "".join(
            f"<h4>{html.escape(name.replace('_', ' ').capitalize())}</h4>"
            f"{table.to_html(index=False, float_format='{:.3f}'.format)}"
            for name, table in self.details.items()
        )
        return (
            f"<h3>{html.escape(self.question)}</h3>{self.measured._repr_html_()}"
            f"<p><small>Learnt from {self.n_train:,} earlier examples of other people.</small></p>"
            f"<ul>{told}</ul>{tables}"
        )
