"""From several people's labels to one: a decision, else agreement, else a majority, else none."""

import html
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import pandas as pd

from workbench.annotation.labels import Annotation, Annotations, Label
from workbench.errors import EvaluationError

__all__ = ["Adjudication", "Settled", "adjudicate"]

Settled = Literal["decision", "agreement", "majority"]
"""How a label came about: a person decided, two or more agreed, or most of three or more."""

_LEAST_MAJORITY = 3


@dataclass(frozen=True)
class Adjudication:
    """One label an example, where there is one.

    Parameters
    ----------
    kind
        Of the annotations.
    values
        The label of each settled example.
    how
        How each came about.
    unresolved
        Examples left out: people differ without a majority, or only one looked.
    """

    kind: str
    values: Mapping[str, Label]
    how: Mapping[str, Settled]
    unresolved: tuple[str, ...]

    @property
    def counts(self) -> Mapping[str, int]:
        """How many examples were settled in each way, and how many were not."""
        found = Counter[str](self.how.values())
        return {**{h: found[h] for h in ("decision", "agreement", "majority")},
                "unresolved": len(self.unresolved)}  # fmt: skip

    def to_frame(self) -> pd.DataFrame:
        """One row an example: its label, and how it came about; unresolved ones have no label.

        Returns
        -------
        DataFrame
        """
        rows: list[dict[str, Any]] = [
            {"example": example, "value": value, "how": self.how[example]}
            for example, value in self.values.items()
        ]
        rows += [{"example": e, "value": None, "how": "unresolved"} for e in self.unresolved]
        return pd.DataFrame(rows, columns=["example", "value", "how"])

    def _repr_html_(self) -> str:
        words = ", ".join(f"{n:,} by {how}" for how, n in self.counts.items() if how in
                          ("decision", "agreement", "majority"))  # fmt: skip
        return f"<p>{html.escape(words)}; {len(self.unresolved):,} unresolved and left out.</p>"


def adjudicate(
    annotations: Annotations, decisions: Mapping[str, Label] | None = None
) -> Adjudication:
    """Settle one label for each example.

    Parameters
    ----------
    annotations
        Of several people.
    decisions
        What a person decided for some examples, having seen what others said; it wins.

    Returns
    -------
    Adjudication
        Without decision, two or more who all agree settle it, and of three or more a majority of
        over half (of sets, label by label; a label on which they split evenly leaves it open).

    Raises
    ------
    EvaluationError
        When a decision is about no annotated example or names an unknown label.

    Examples
    --------
    >>> rows = [Annotation("1", who, value) for who, value in zip("abc", "xxy")]
    >>> rows += [Annotation("2", who, value) for who, value in zip("ab", "xy")]
    >>> found = adjudicate(Annotations("label", ("x", "y"), tuple(rows)))
    >>> dict(found.values), found.unresolved
    ({'1': 'x'}, ('2',))
    """
    decided = dict(decisions or {})
    _check_decisions(annotations, decided)
    values: dict[str, Label] = {}
    how: dict[str, Settled] = {}
    unresolved: list[str] = []
    for example, rows in annotations.by_example.items():
        if example in decided:
            value = decided[example]
            values[example] = value if isinstance(value, str) else tuple(sorted(set(value)))
            how[example] = "decision"
            continue
        settled = _without_decision(annotations, rows)
        if settled is None:
            unresolved.append(example)
        else:
            values[example], how[example] = settled
    return Adjudication(annotations.kind, values, how, tuple(unresolved))


def _without_decision(
    annotations: Annotations, rows: tuple[Annotation, ...]
) -> tuple[Label, Settled] | None:
    if len(rows) > 1 and len({row.value for row in rows}) == 1:
        return rows[0].value, "agreement"
    if len(rows) < _LEAST_MAJORITY:
        return None
    if annotations.kind == "labels":
        votes = Counter(label for row in rows for label in row.value)
        if any(2 * n == len(rows) for n in votes.values()):
            return None
        return tuple(sorted(x for x, n in votes.items() if 2 * n > len(rows))), "majority"
    (value, most), *_ = Counter(row.value for row in rows).most_common(1)
    return (value, "majority") if 2 * most > len(rows) else None


def _check_decisions(annotations: Annotations, decided: Mapping[str, Label]) -> None:
    strangers = sorted(set(decided) - set(annotations.by_example))
    if strangers:
        raise EvaluationError(
            f"{len(strangers)} decisions are about examples nobody annotated, such as "
            f"{strangers[0]!r}",
            expected="identifiers of annotated examples",
            fix="correct them",
        )
    for example, value in decided.items():
        labels = (value,) if isinstance(value, str) else value
        one = isinstance(value, str)
        if set(labels) - set(annotations.values) or one == (annotations.kind == "labels"):
            raise EvaluationError(
                f"the decision {value!r}",
                where=f"example {example!r}",
                expected=f"{annotations.kind} among {list(annotations.values)}",
                fix="correct the decision",
            )
