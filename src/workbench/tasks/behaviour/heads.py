"""The heads: what is asked about a lead's behaviour, as data."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

__all__ = ["FOLDER", "Head", "read_heads"]

FOLDER = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Head:
    """One question about what a lead does next.

    Parameters
    ----------
    name, title
        Identifier and what people read.
    outcome
        Ends the sentence "The probability that ...".
    label
        Column of the CRM's labels.
    claims
        Metric and claimed value, as the platform states them.
    positive
        Values of the label that count, where it is not 0 and 1.
    stages
        Funnel stages the question is asked in; any when empty.
    """

    name: str
    title: str
    outcome: str
    label: str
    claims: tuple[tuple[str, float], ...]
    positive: tuple[str, ...] = ()
    stages: tuple[str, ...] = ()

    @property
    def dataset(self) -> str:
        """Name of its data set in the catalogue."""
        return f"crm_{self.name}"


@cache
def read_heads() -> tuple[Head, ...]:
    """Read the rows of `heads.yaml`.

    Examples
    --------
    >>> [head.name for head in read_heads()][:2]
    ['conversion_likelihood', 'churn_risk']
    """
    rows: list[dict[str, Any]] = yaml.safe_load((FOLDER / "heads.yaml").read_text("utf-8"))
    return tuple(
        Head(
            name=row["name"],
            title=row["title"],
            outcome=row["outcome"],
            label=row["label"],
            claims=tuple((claim["metric"], claim["value"]) for claim in row["claims"]),
            positive=tuple(row.get("positive", ())),
            stages=tuple(row.get("stages", ())),
        )
        for row in rows
    )
