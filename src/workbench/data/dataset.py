"""One labelled table, ready to be split: inputs, label, groups, time, and what they are worth."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from html import escape

import numpy as np
import pandas as pd

from workbench.data.card import Card
from workbench.data.digest import content_digest
from workbench.data.roles import as_of_values, checked_leaks, example_ids, role_values, typed
from workbench.errors import DataError

__all__ = ["Dataset"]


@dataclass(frozen=True, eq=False, repr=False)
class Dataset:
    """Rows to learn from or to judge on; every part has the same index.

    Parameters
    ----------
    card
        What is declared about the data.
    X
        Inputs, one row per example, indexed by `example_id` (str). Leak columns are not here.
        Numbers are int64 or float64, categories have the card's values in the card's order.
    y
        Label, int8, 1 for the card's positive value; named after the target column.
    groups
        Which rows belong together (str): a split never cuts a group. `None`: rows are independent.
    as_of
        When each row was true: a date, a number, or its rank in the file. `None`: unknown.
    tenant
        Whose row it is (str), for cost and fairness. `None`: one owner.
    slices
        Columns worth looking at separately, inputs or not.

    Examples
    --------
    >>> card = Card.model_validate({
    ...     "name": "tiny", "title": "Tiny", "version": "1", "licence": "CC0-1.0",
    ...     "origin": {"kind": "simulated", "publisher": "us"},
    ...     "file": {"name": "tiny.csv", "sha256": "0" * 64},
    ...     "columns": [
    ...         {"name": "visits", "dtype": "integer", "meaning": "Visits"},
    ...         {"name": "won", "dtype": "category", "meaning": "Won", "values": ["no", "yes"]},
    ...     ],
    ...     "target": {"column": "won", "positive": "yes", "negative": "no", "meaning": "won"},
    ... })
    >>> frame = pd.DataFrame({"visits": [1, 5, 2, 7], "won": ["no", "yes", "no", "yes"]})
    >>> dataset = Dataset.from_frame(card, frame)
    >>> dataset.base_rate, len(dataset.take([0, 1, 2]))
    (0.5, 3)
    """

    card: Card
    X: pd.DataFrame
    y: pd.Series
    groups: pd.Series | None
    as_of: pd.Series | None
    tenant: pd.Series | None
    slices: pd.DataFrame

    @classmethod
    def from_frame(
        cls, card: Card, frame: pd.DataFrame, *, allow_leaks: Sequence[str] = ()
    ) -> "Dataset":
        """Take a table apart by the roles its card gives the columns.

        Parameters
        ----------
        card
            What is declared about the table.
        frame
            One row per example with the card's columns, missing cells as NaN.
        allow_leaks
            Leak columns to let into `X` on purpose.

        Raises
        ------
        DataError
            When a column is absent, a value is not declared, an identifier repeats, a group,
            time or label is missing, or `allow_leaks` names a column that is no leak.
        """
        inputs = card.input_names(checked_leaks(card, allow_leaks))
        wanted = set(card.column_names) - (set(card.leaks) - set(inputs) - set(card.slices))
        absent = [name for name in card.column_names if name in wanted and name not in frame]
        if absent:
            raise DataError(
                f"column {absent[0]!r} is missing",
                where=f"data set {card.name!r}",
                expected=f"the columns {', '.join(card.column_names)}",
                fix="add the column to the table or take it out of the card",
            )
        index = example_ids(card, frame)
        columns = {c.name: typed(card, c, frame, index) for c in card.columns if c.name in wanted}
        target = columns[card.target.column]
        y = (target == card.target.positive).astype("int8").rename(card.target.column)
        return cls(
            card=card,
            X=pd.DataFrame({name: columns[name] for name in inputs}, index=index),
            y=y,
            groups=role_values(card, columns, card.group_column, "group"),
            as_of=as_of_values(card, columns, index),
            tenant=role_values(card, columns, card.tenant_column, "tenant"),
            slices=pd.DataFrame({name: columns[name] for name in card.slices}, index=index),
        )

    @property
    def name(self) -> str:
        """Name of the data set in the catalogue."""
        return self.card.name

    @property
    def version(self) -> str:
        """Version of the data set; figures of two versions are not comparable."""
        return self.card.version

    @property
    def origin_kind(self) -> str:
        """Give `"real"` or `"simulated"`."""
        return self.card.origin.kind

    @property
    def base_rate(self) -> float:
        """Share of positive rows (NaN without rows)."""
        return float(self.y.mean())

    @cached_property
    def digest(self) -> str:
        """SHA-256 over name, version and all values: same digest, same rows in the same order."""
        parts: dict[str, pd.Series | None] = {"example_id": self.X.index.to_series().astype("str")}
        parts |= {f"X.{name}": self.X[name] for name in self.X.columns}
        parts |= {f"slices.{name}": self.slices[name] for name in self.slices.columns}
        parts |= {"y": self.y, "groups": self.groups, "as_of": self.as_of, "tenant": self.tenant}
        return content_digest({"name": self.name, "version": self.version}, parts)

    def __len__(self) -> int:
        return len(self.X)

    def __repr__(self) -> str:
        rows, rate = len(self), self.base_rate
        return f"<Dataset {self.name} {self.version}: {rows:,} rows, base rate {rate:.4f}>"

    def take(self, positions: Sequence[int] | np.ndarray) -> "Dataset":
        """Keep the rows at these positions, in the order given.

        Parameters
        ----------
        positions
            Positions from 0 to `len(self) - 1`, each at most once.

        Raises
        ------
        DataError
            When a position is outside the data, repeated, or not a whole number.
        """
        rows = np.asarray(positions)
        if rows.size == 0:
            rows = rows.astype(np.int64)
        if rows.ndim != 1 or rows.dtype.kind not in "iu":
            raise DataError(
                f"positions are {rows.dtype} with {rows.ndim} dimension(s)",
                expected="a flat list of whole numbers",
                fix="use np.flatnonzero(mask) for a mask",
            )
        outside = rows[(rows < 0) | (rows >= len(self))]
        if outside.size:
            raise DataError(
                f"position {int(outside[0])} is outside the data set {self.name!r}",
                expected=f"0 to {len(self) - 1}",
                fix="count positions from 0 in this data set, not in the one it was taken from",
            )
        if len(np.unique(rows)) < rows.size:
            raise DataError(
                "a position is given twice",
                expected="each row at most once",
                fix="resample with weights or in the estimator, not by repeating rows",
            )
        return replace(
            self,
            X=self.X.iloc[rows],
            y=self.y.iloc[rows],
            groups=None if self.groups is None else self.groups.iloc[rows],
            as_of=None if self.as_of is None else self.as_of.iloc[rows],
            tenant=None if self.tenant is None else self.tenant.iloc[rows],
            slices=self.slices.iloc[rows],
        )

    def sample(self, n: int, random_state: int) -> "Dataset":
        """Draw rows at random without replacement, in their present order.

        With groups, whole groups are drawn in random order while they fit, so that the
        result has at most `n` rows (exactly `n` when single-row groups remain to fill up).

        Parameters
        ----------
        n
            Rows wanted.
        random_state
            Seed.

        Raises
        ------
        DataError
            When `n` is not between 1 and the number of rows, or no group is that small.
        """
        if not 1 <= n <= len(self):
            raise DataError(
                f"cannot draw {n} rows from {len(self):,}",
                where=f"data set {self.name!r}",
                expected=f"1 to {len(self):,}",
                fix="ask for fewer rows",
            )
        rng = np.random.default_rng(random_state)
        if self.groups is None:
            return self.take(np.sort(rng.choice(len(self), size=n, replace=False)))
        codes, names = pd.factorize(self.groups)
        sizes = np.bincount(codes)
        chosen, left = np.zeros(len(names), dtype=bool), n
        for group in rng.permutation(len(names)):
            if sizes[group] <= left:
                chosen[group] = True
                left -= sizes[group]
        if left == n:
            raise DataError(
                f"no group has {n} rows or fewer",
                where=f"data set {self.name!r}",
                expected=f"at least {int(sizes.min())} rows",
                fix="ask for more rows: groups are never cut",
            )
        return self.take(np.flatnonzero(chosen[codes]))

    def to_frame(self) -> pd.DataFrame:
        """Put inputs, label, group, time and tenant side by side in one new table."""
        extra = {"group": self.groups, "as_of": self.as_of, "tenant": self.tenant}
        frame = self.X.copy()
        frame[self.y.name] = self.y
        for name, values in extra.items():
            if values is not None:
                frame[name if name not in frame else f"{name}_"] = values
        return frame

    def _repr_html_(self) -> str:
        card, real = self.card, self.origin_kind == "real"
        badge = "REAL" if real else "SIMULATED"
        colour = "#1b6e3c" if real else "#8a4b00"
        facts = {
            "rows": f"{len(self):,}",
            "base rate": f"{self.base_rate:.1%} ({card.target.meaning})",
            "inputs": str(self.X.shape[1]),
            "groups": "none" if self.groups is None else f"{self.groups.nunique():,}",
            "time": _span(self.as_of),
            "leaks left out": ", ".join(n for n in card.leaks if n not in self.X) or "none",
            "licence": card.licence,
            "digest": self.digest[:12],
        }
        let_in = [name for name in card.leaks if name in self.X]
        if let_in:
            facts["LEAKS LET IN"] = ", ".join(let_in)
        rows = "".join(
            f'<tr><th style="text-align:left">{escape(key)}</th>'
            f'<td style="text-align:left">{escape(value)}</td></tr>'
            for key, value in facts.items()
        )
        return (
            f"<div><b>{escape(card.title)}</b> "
            f"<code>{escape(card.name)} {escape(card.version)}</code> "
            f'<span style="background:{colour};color:#fff;padding:1px 6px;border-radius:4px">'
            f"{badge}</span><table>{rows}</table></div>"
        )


def _span(as_of: pd.Series | None) -> str:
    if as_of is None or as_of.empty:
        return "unknown"
    first, last = as_of.min(), as_of.max()
    if as_of.dtype.kind == "M" or isinstance(as_of.dtype, pd.DatetimeTZDtype):
        return f"{first:%Y-%m-%d} to {last:%Y-%m-%d}"
    return (
        f"{first:,} to {last:,} (order of rows)"
        if as_of.dtype.kind == "i"
        else f"{first} to {last}"
    )
