"""Labelled texts: what was said, what is true of it, and which part is for what."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from html import escape
from typing import Any, Literal

import numpy as np
import pandas as pd

from workbench.data.digest import content_digest
from workbench.data.fields import AskedField
from workbench.errors import DataError

__all__ = ["PARTS", "Corpus"]

PARTS = ("train", "validation", "test")
"""Parts of a corpus: to learn from, to choose with, to judge on."""

_SHOWN, _SHOWN_CHARS = 5, 160


@dataclass(frozen=True, eq=False, repr=False)
class Corpus:
    """Labelled texts; every table has the same index.

    Parameters
    ----------
    name, title, version, licence
        What it is called, and under which terms it may be used.
    origin_kind
        Whether the texts were written by people ("real") or generated ("simulated").
    fields
        What is known of each text.
    X
        Inputs, one row an example, indexed by identifier (str): the column `text`, which may be a
        dialogue with a line "lead: …" or "agent: …" a turn, and context in further columns.
    y
        One column a field, of Python values as `AskedField` says; None where nobody knows.
    part
        One of `PARTS` for each example.
    meanings
        What each column of `X` is called in prompts.
    groups
        Which examples belong together (str), such as turns of one dialogue; None: independent.
    slices
        Columns worth looking at separately.
    notes
        What to know before believing figures.

    Raises
    ------
    DataError
        When the tables do not fit together.

    Examples
    --------
    >>> X = pd.DataFrame({"text": ["a house, please", "sell my flat"]}, index=["1", "2"])
    >>> y = pd.DataFrame({"intent": ["buy", "sell"]}, index=X.index, dtype=object)
    >>> intent = AskedField(name="intent", meaning="What is wanted", kind="label",
    ...                     values=("buy", "sell"))
    >>> corpus = Corpus("tiny", "Tiny", "1", "CC0-1.0", "simulated", (intent,), X, y,
    ...                 pd.Series(["train", "test"], index=X.index))
    >>> len(corpus), corpus.of("test").y["intent"].tolist()
    (2, ['sell'])
    """

    name: str
    title: str
    version: str
    licence: str
    origin_kind: Literal["real", "simulated"]
    fields: tuple[AskedField, ...]
    X: pd.DataFrame
    y: pd.DataFrame
    part: "pd.Series[str]"
    meanings: Mapping[str, str] = field(default_factory=lambda: {"text": "Message"})
    groups: "pd.Series[str] | None" = None
    slices: pd.DataFrame | None = None
    notes: str = ""

    def __post_init__(self) -> None:
        """Check that the tables fit together."""
        tables = [self.y, self.part, self.groups, self.slices]
        if any(t is not None and not t.index.equals(self.X.index) for t in tables):
            raise self._wrong("tables of different examples", "one index for all of them")
        if not self.X.index.is_unique:
            again = self.X.index[self.X.index.duplicated()][0]
            raise self._wrong(f"the identifier {again!r} repeats", "one row an example")
        if "text" not in self.X:
            raise self._wrong(f"inputs {list(self.X.columns)}", "a column 'text' among them")
        names = [asked.name for asked in self.fields]
        if list(self.y.columns) != names:
            raise self._wrong(f"labels {list(self.y.columns)}", f"{names}")
        strange = sorted(set(self.part.unique()) - set(PARTS))
        if strange:
            raise self._wrong(f"a part called {strange[0]!r}", f"{', '.join(PARTS)}")
        if self.groups is not None:
            cut = self.part.groupby(self.groups.to_numpy()).nunique()
            if (cut > 1).any():
                raise self._wrong(f"group {cut.idxmax()!r} stands in two parts", "whole groups")

    def _wrong(self, what: str, expected: str) -> DataError:
        return DataError(
            what, where=f"corpus {self.name!r}", expected=expected, fix="mend the corpus"
        )

    def __len__(self) -> int:
        return len(self.X)

    def __repr__(self) -> str:
        counts = ", ".join(f"{n:,} {part}" for part, n in self.sizes.items())
        return f"Corpus({self.name!r}: {counts})"

    @property
    def sizes(self) -> dict[str, int]:
        """Examples of each part that has any."""
        counted = self.part.value_counts()
        return {part: int(counted[part]) for part in PARTS if part in counted}

    def asked(self, name: str) -> AskedField:
        """Find a field.

        Raises
        ------
        DataError
            When there is none of that name.
        """
        for asked in self.fields:
            if asked.name == name:
                return asked
        raise self._wrong(f"no field {name!r}", f"one of {', '.join(self.y.columns)}")

    @cached_property
    def digest(self) -> str:
        """SHA-256 of every text, label and part."""
        truth = self.y.map(lambda value: json.dumps(value, sort_keys=True, default=list))
        columns = pd.concat([self.X.astype(str), truth, self.part.rename("part")], axis=1)
        header = {"name": self.name, "version": self.version}
        return content_digest(header, {str(c): columns[c].astype("str") for c in columns})

    def take(self, positions: Sequence[int] | np.ndarray) -> "Corpus":
        """Give the examples at the positions, in that order.

        Parameters
        ----------
        positions
            From 0.
        """
        at = np.asarray(positions)
        return replace(
            self,
            X=self.X.iloc[at],
            y=self.y.iloc[at],
            part=self.part.iloc[at],
            groups=None if self.groups is None else self.groups.iloc[at],
            slices=None if self.slices is None else self.slices.iloc[at],
        )

    def of(self, *parts: str) -> "Corpus":
        """Give the examples of some parts.

        Parameters
        ----------
        *parts
            Of `PARTS`.

        Raises
        ------
        DataError
            When there are none.
        """
        found = self.take(np.flatnonzero(self.part.isin(parts).to_numpy()))
        if not len(found):
            raise self._wrong(
                f"no examples of {' or '.join(map(repr, parts))}", f"some of {self.sizes}"
            )
        return found

    def sample(self, n: int, random_state: int = 0) -> "Corpus":
        """Draw about `n` examples at random: whole groups, the same share of each part.

        Parameters
        ----------
        n
            How many; all when there are fewer.
        random_state
            Seed.

        Raises
        ------
        DataError
            When `n` is below 1.
        """
        if n < 1:
            raise self._wrong(f"a sample of {n}", "1 or more")
        share = n / len(self)
        if share >= 1:
            return self
        keys = self.X.index.to_series() if self.groups is None else self.groups
        names = pd.Index(keys.unique())
        rng = np.random.default_rng(random_state)
        part_of = pd.Series(self.part.to_numpy(), index=keys.to_numpy()).groupby(level=0).first()
        chosen: list[Any] = []
        for part in self.sizes:
            mine = names[part_of.reindex(names).to_numpy() == part]
            k = max(1, round(share * len(mine)))
            chosen += list(rng.choice(np.asarray(mine, dtype=object), size=k, replace=False))
        return self.take(np.flatnonzero(keys.isin(chosen).to_numpy()))

    def to_frame(self) -> pd.DataFrame:
        """One table of parts, inputs and labels."""
        return pd.concat([self.part.rename("part"), self.X, self.y], axis=1)

    def _repr_html_(self) -> str:
        counts = ", ".join(f"{n:,} {part}" for part, n in self.sizes.items())
        kinds = "".join(
            f"<li><b>{escape(f.name)}</b> ({f.kind}"
            f"{f', {len(f.values)} values' if f.values else ''}): {escape(f.meaning)}</li>"
            for f in self.fields
        )
        head = "".join(f"<th>{escape(str(c))}</th>" for c in ["text", *self.y.columns])
        body = ""
        for i in range(min(_SHOWN, len(self))):
            told = [str(self.X["text"].iloc[i]), *map(str, self.y.iloc[i])]
            cells = (t if len(t) <= _SHOWN_CHARS else f"{t[:_SHOWN_CHARS]}…" for t in told)
            body += "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in cells) + "</tr>"
        return (
            f"<p><b>{escape(self.title)}</b> · {counts} · {self.origin_kind} · "
            f"{escape(self.licence)}</p><ul>{kinds}</ul>"
            f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
        )
