"""How far people agree: by label and overall, with intervals; and where they do not."""

import html
import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from workbench.annotation.labels import Annotations
from workbench.errors import EvaluationError
from workbench.stats import AgreementLevel, Estimate, cohen_kappa, krippendorff_alpha

__all__ = ["Agreement", "AgreementRow", "agreement", "disagreements"]

OVERALL = "overall"
"""Stands for all labels together."""

_LEAST_RESAMPLES = 100


class AgreementRow(NamedTuple):
    """One figure of agreement.

    Attributes
    ----------
    label
        Of which label against all others; ``overall`` for all together.
    annotators
        The two who are compared; empty for all.
    measure
        ``krippendorff_alpha`` or ``cohen_kappa``.
    found
        The figure with its interval; NaN where nothing could have been disagreed upon.
    """

    label: str
    annotators: tuple[str, ...]
    measure: str
    found: Estimate


@dataclass(frozen=True)
class Agreement:
    """Agreement of annotators.

    Parameters
    ----------
    rows
        Alpha overall and by label, then kappa of each pair of annotators.
    n_examples, n_double
        Examples, and those with two annotations or more: only they say anything.
    """

    rows: tuple[AgreementRow, ...]
    n_examples: int
    n_double: int

    @property
    def overall(self) -> Estimate:
        """Krippendorff's alpha of all annotators and labels."""
        return self.rows[0].found

    def to_frame(self) -> pd.DataFrame:
        """One row a figure.

        Returns
        -------
        DataFrame
        """
        return pd.DataFrame(
            {
                "label": row.label,
                "annotators": " and ".join(row.annotators) or "all",
                "measure": row.measure,
                **row.found.as_dict(),
            }
            for row in self.rows
        )

    def _repr_html_(self) -> str:
        body = "".join(
            f"<tr><td>{html.escape(row.label)}</td>"
            f"<td>{html.escape(' and '.join(row.annotators) or 'all')}</td>"
            f"<td>{row.measure.replace('_', ' ')}</td><td>{_words(row.found)}</td>"
            f"<td>{row.found.n:,}</td></tr>"
            for row in self.rows
        )
        head = "".join(f"<th>{h}</th>" for h in ("label", "annotators", "measure", "", "n"))
        return (
            f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table><p><small>"
            f"{self.n_double:,} of {self.n_examples:,} examples have two annotations or more."
            "</small></p>"
        )


def _words(found: Estimate) -> str:
    if math.isnan(found.estimate):
        return "–"
    return f"{found.estimate:.2f} [{found.ci_lower:.2f}, {found.ci_upper:.2f}]"


def agreement(
    annotations: Annotations,
    *,
    groups: Mapping[str, str] | None = None,
    n_resamples: int = 1000,
    confidence_level: float = 0.95,
    random_state: int = 0,
) -> Agreement:
    """Measure how far annotators agree.

    Parameters
    ----------
    annotations
        Of several people.
    groups
        Group of each example, such as its lead, where examples are not independent.
    n_resamples
        Of alpha's bootstrap, by group or by example.
    confidence_level
        Of intervals.
    random_state
        Seed.

    Returns
    -------
    Agreement
        Alpha is nominal for labels and ordinal for levels; of sets it is that of all decisions
        whether a label applies. By label it is that label against the rest. Kappa compares each
        two annotators, for sets label by label; its intervals take examples as independent.

    Raises
    ------
    EvaluationError
        When no example has two annotations, one has no group, or resamples are below 100.

    References
    ----------
    See `workbench.stats.krippendorff_alpha` and `workbench.stats.cohen_kappa`.

    Examples
    --------
    >>> from workbench.annotation import Annotation
    >>> rows = [Annotation(str(i), who, "ab"[(i + (who == "bo" and i == 3)) % 2])
    ...         for i in range(40) for who in ("ann", "bo")]
    >>> found = agreement(Annotations("label", ("a", "b"), tuple(rows)))
    >>> round(found.overall.estimate, 2), found.n_double
    (0.95, 40)
    """
    double = [rows for rows in annotations.by_example.values() if len(rows) > 1]
    if not double:
        raise EvaluationError(
            "no example has two annotations",
            expected="some examples labelled by two people or more",
            fix="have a random part of them labelled again",
        )
    _check_options(annotations, groups, n_resamples)
    codes = _Codes.of(annotations)
    clusters = [e if groups is None else groups[e] for e in annotations.by_example]
    ordinal: AgreementLevel = "ordinal" if annotations.kind == "level" else "nominal"

    def alpha(table: NDArray[np.float64], level: AgreementLevel = "nominal") -> Estimate:
        by = np.tile(np.asarray(clusters, dtype=object), table.shape[1] // len(clusters))
        try:
            return krippendorff_alpha(
                table, level=level, groups=by, n_resamples=n_resamples,
                random_state=random_state, confidence_level=confidence_level,
            )  # fmt: skip
        except ValueError:
            # The label is so rare that resamples lose it.
            n = int(((~np.isnan(table)).sum(axis=0) > 1).sum())
            nan, inf = math.nan, math.inf
            return Estimate(nan, -inf, inf, nan, n, None, confidence_level, "too rare")

    by_label = [codes.has(label) for label in annotations.values]
    if annotations.kind == "labels":
        overall = alpha(np.hstack(by_label))
        compared = list(zip(annotations.values, by_label, strict=True))
    else:
        overall = alpha(codes.positions(), ordinal)
        compared = [(OVERALL, codes.positions())]
    rows = [AgreementRow(OVERALL, (), "krippendorff_alpha", overall)]
    rows += [
        AgreementRow(label, (), "krippendorff_alpha", alpha(table))
        for label, table in zip(annotations.values, by_label, strict=True)
    ]
    for label, table in compared:
        rows += _kappas(annotations, label, table, confidence_level)
    return Agreement(tuple(rows), len(annotations.by_example), len(double))


def _check_options(
    annotations: Annotations, groups: Mapping[str, str] | None, n_resamples: int
) -> None:
    lonely = [] if groups is None else [e for e in annotations.by_example if e not in groups]
    if lonely:
        raise EvaluationError(
            f"{len(lonely)} examples have no group, such as {lonely[0]!r}",
            expected="a group for every example",
            fix="complete the mapping",
        )
    if n_resamples < _LEAST_RESAMPLES:
        raise EvaluationError(
            f"n_resamples is {n_resamples}", expected=f"{_LEAST_RESAMPLES} or more", fix="raise it"
        )


def _kappas(
    annotations: Annotations, label: str, codes: NDArray[np.float64], confidence_level: float
) -> list[AgreementRow]:
    rows = []
    people = annotations.annotators
    n_codes = 2 if annotations.kind == "labels" else len(annotations.values)
    for a, b in itertools.combinations(range(len(people)), 2):
        both = ~np.isnan(codes[a]) & ~np.isnan(codes[b])
        if both.any():
            found = cohen_kappa(
                codes[a][both], codes[b][both],
                weights="quadratic" if annotations.kind == "level" else "none",
                categories=np.arange(n_codes, dtype=np.float64),
                confidence_level=confidence_level,
            )  # fmt: skip
            rows.append(AgreementRow(label, (people[a], people[b]), "cohen_kappa", found))
    return rows


class _Codes(NamedTuple):
    """Values as numbers, shape (annotators, examples), NaN where one did not look."""

    values: Sequence[str]
    sets: Sequence[Sequence[frozenset[str] | None]]

    @classmethod
    def of(cls, annotations: Annotations) -> "_Codes":
        place = {example: i for i, example in enumerate(annotations.by_example)}
        who = {name: i for i, name in enumerate(annotations.annotators)}
        sets: list[list[frozenset[str] | None]] = [[None] * len(place) for _ in who]
        for row in annotations.rows:
            labels = (row.value,) if isinstance(row.value, str) else row.value
            sets[who[row.annotator]][place[row.example]] = frozenset(labels)
        return cls(annotations.values, sets)

    def has(self, label: str) -> NDArray[np.float64]:
        return np.array(
            [[np.nan if s is None else float(label in s) for s in row] for row in self.sets]
        )

    def positions(self) -> NDArray[np.float64]:
        at = {value: float(i) for i, value in enumerate(self.values)}
        return np.array(
            [[np.nan if s is None else at[next(iter(s))] for s in row] for row in self.sets]
        )


def disagreements(annotations: Annotations) -> pd.DataFrame:
    """List the examples whose annotators differ, most divided first.

    Parameters
    ----------
    annotations
        Of several people.

    Returns
    -------
    DataFrame
        One row an example: what each said, comments, and how many different values there are.

    Examples
    --------
    >>> from workbench.annotation import Annotation
    >>> rows = (Annotation("1", "ann", "a"), Annotation("1", "bo", "b", "tone"))
    >>> disagreements(Annotations("label", ("a", "b"), rows))["comments"].tolist()
    ['bo: tone']
    """
    found = []
    for example, rows in annotations.by_example.items():
        different = len({row.value for row in rows})
        if different > 1:
            found.append(
                {
                    "example": example,
                    **dict.fromkeys(annotations.annotators),
                    **{row.annotator: row.value for row in rows},
                    "comments": "; ".join(f"{r.annotator}: {r.comment}" for r in rows if r.comment),
                    "different": different,
                }
            )
    columns = ["example", *annotations.annotators, "comments", "different"]
    frame = pd.DataFrame(found, columns=columns)
    return frame.sort_values("different", ascending=False, kind="stable", ignore_index=True)
