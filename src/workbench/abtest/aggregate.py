"""One pass of SQL over any number of units: counts, sums and products of everything measured.

Sums are taken of values less a shift near their mean, and turned into central moments at once;
where a shift turns out too far off for its digits, the pass is repeated with a better one.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from workbench.abtest.blocks import Block, Near, make_blocks, means_nearby, sums_sql, values_sql
from workbench.abtest.source import Units, column_texts
from workbench.abtest.validity import Missing, check_values, looks_clean
from workbench.errors import DataError
from workbench.stats import Moments

__all__ = ["Aggregates", "Cells", "CleanValues", "aggregate", "aggregate_sql", "read_clean_values"]

Array = NDArray[np.float64]

# Share of a sum of squares that must be spread, or the shift was too far off.
_PRECISE = 1e-7


class Cells(NamedTuple):
    """Sums over groups of units, one row a group.

    Attributes
    ----------
    arm, cluster, segment, level
        What each row is of; cluster is None without clusters, segment -1 for everybody.
    n_units
        Units in the group.
    n
        Units that count for the block, shape (m,).
    sums, products
        Of the shifted values: shapes (m, k) and (m, k, k).
    shift
        What was subtracted, shape (k,).
    """

    arm: NDArray[np.object_]
    cluster: NDArray[np.object_] | None
    segment: NDArray[np.int64]
    level: NDArray[np.object_]
    n_units: NDArray[np.int64]
    n: NDArray[np.int64]
    sums: Array
    products: Array
    shift: Array

    def at(self, arm: str, segment: int = -1, level: str | None = None) -> "Cells":
        """Rows of one arm, of everybody or of one level of a segment."""
        keep = (self.arm == arm) & (self.segment == segment)
        if level is not None:
            keep &= self.level == level
        cluster = None if self.cluster is None else self.cluster[keep]
        return Cells(
            self.arm[keep], cluster, self.segment[keep], self.level[keep], self.n_units[keep],
            self.n[keep], self.sums[keep], self.products[keep], self.shift,
        )  # fmt: skip

    def moments(self) -> Moments | None:
        """Moments of the units of all rows; None without units."""
        n = int(self.n.sum())
        if n == 0:
            return None
        return Moments.from_sums(
            n, self.sums.sum(axis=0), self.products.sum(axis=0), shift=self.shift
        )


@dataclass(frozen=True, slots=True)
class Aggregates:
    """Everything the mean-like metrics of an experiment need.

    Parameters
    ----------
    blocks, cells
        Columns and their sums, by metric.
    counts
        Units of every group, whatever is measured.
    levels
        Levels of each segment, in the order of the design's segments; those of the combined
        strata behind them where the design post-stratifies.
    arms
        Arms found, with their units, also those the design does not know.
    missing
        What was filled or dropped.
    """

    blocks: Mapping[str, Block]
    cells: Mapping[str, Cells]
    counts: Cells
    levels: tuple[tuple[str, ...], ...]
    arms: Mapping[str, int]
    missing: Missing


def aggregate(units: Units) -> Aggregates:
    """Add up the mean-like metrics of all units: by arm, by segment, by cluster.

    Parameters
    ----------
    units
        The units.

    Raises
    ------
    DataError
        If values are infinite, missing where the design does not say what that means, no 0 or 1
        for a proportion, or no whole number ≥ 0 for a count.
    """
    blocks = make_blocks(units)
    near = means_nearby(units, blocks)
    outcomes = {name: block.columns[: block.n_outcome] for name, block in blocks.items()}
    columns = {name: block.columns for name, block in blocks.items()}
    missing = Missing({}, {}) if looks_clean(units, columns) else check_values(units, outcomes)
    sums = _pass(units, blocks, near, missing)
    if not all(np.isfinite(found.sums).all() for found in sums.cells.values()):
        # NaN and infinities: they are refused, or missing values the first look did not see.
        missing = check_values(units, outcomes)
        sums = _pass(units, blocks, near, missing)
    better = _better_shifts(sums.cells, blocks, near.shift)
    if better:
        sums = _pass(units, blocks, near._replace(shift={**near.shift, **better}), missing)
    return Aggregates(blocks, sums.cells, sums.counts, sums.levels, sums.arms, missing)


def aggregate_sql(units: Units) -> str:
    """Return the one query that `aggregate` sends, for a warehouse that is not DuckDB.

    Parameters
    ----------
    units
        The units; a few rows with the right columns are enough.

    Returns
    -------
    str
        Only `count`, `sum`, `case` and `grouping sets` over a table or view named `units`.
    """
    blocks = make_blocks(units)
    return sums_sql(units, blocks, means_nearby(units, blocks), Missing({}, {}))


class CleanValues(NamedTuple):
    """Values of a metric's columns unit by unit, cleaned, capped and shifted as they are summed.

    Attributes
    ----------
    block
        The columns.
    arm, cluster
        Of each unit, shape (n,); cluster is None without clusters.
    values
        Shape (k, n).
    shift
        What was subtracted, shape (k,).
    """

    block: Block
    arm: NDArray[np.object_]
    cluster: NDArray[np.object_] | None
    values: Array
    shift: Array


def read_clean_values(units: Units) -> dict[str, CleanValues]:
    """Read the mean-like metrics unit by unit: for what has to be drawn again and again.

    Parameters
    ----------
    units
        The units.

    Raises
    ------
    DataError
        As `aggregate`, and if units without an outcome are left out, which would change with
        every draw.
    """
    blocks = make_blocks(units)
    near = means_nearby(units, blocks)
    outcomes = {name: block.columns[: block.n_outcome] for name, block in blocks.items()}
    missing = check_values(units, outcomes)
    if missing.dropped:
        raise DataError(
            f"{', '.join(sorted(missing.dropped))} leave out units without an outcome",
            expected="an outcome for every unit",
            fix="drop those units, or count them as zero",
        )
    found = units.con.execute(values_sql(units, blocks, near, missing)).fetchnumpy()
    cluster = column_texts(found["cluster"]) if units.design.cluster is not None else None
    return {
        name: CleanValues(
            block,
            column_texts(found["arm"]),
            cluster,
            np.stack(
                [np.asarray(found[f"b{b}_{i}"], np.float64) for i in range(len(block.columns))]
            ),
            np.array([near.shift[c] for c in block.columns]),
        )
        for b, (name, block) in enumerate(blocks.items())
    }


class _Sums(NamedTuple):
    cells: dict[str, Cells]
    counts: Cells
    levels: tuple[tuple[str, ...], ...]
    arms: dict[str, int]


def _pass(units: Units, blocks: Mapping[str, Block], near: Near, missing: Missing) -> _Sums:
    found = units.con.execute(sums_sql(units, blocks, near, missing)).fetchnumpy()
    design = units.design
    arm = column_texts(found["arm"])
    cluster = column_texts(found["cluster"]) if design.cluster is not None else None
    n_units = np.asarray(found["n_units"], dtype=np.int64)
    _check_key(units.arm, "arm", arm, n_units)
    if cluster is not None and design.cluster is not None:
        _check_key(design.cluster.column, "cluster", cluster, n_units)
    segment = np.full(len(arm), -1, dtype=np.int64)
    level = np.full(len(arm), None, dtype=object)
    levels = []
    for i in range(len(design.segments) + bool(design.post_strata)):
        own = np.asarray(found[f"g_s{i}"]) == 0
        segment[own] = i
        level[own] = column_texts(found[f"s{i}"])[own]
        levels.append(tuple(sorted(set(level[own].tolist()))))
    cells = {}
    for b, block in enumerate(blocks.values()):
        n = np.asarray(found[f"n{b}"], np.int64) if f"n{b}" in found else n_units
        sums, products = _numbers(found, block, b)
        shift = np.array([near.shift[c] for c in block.columns])
        cells[block.metric] = Cells(arm, cluster, segment, level, n_units, n, sums, products, shift)
    whole = segment == -1
    arms: dict[str, int] = {}
    for name, count in zip(arm[whole].tolist(), n_units[whole].tolist(), strict=True):
        arms[name] = arms.get(name, 0) + count
    m = len(arm)
    counts = Cells(
        arm, cluster, segment, level, n_units, n_units, np.zeros((m, 0)), np.zeros((m, 0, 0)),
        np.zeros(0),
    )  # fmt: skip
    return _Sums(cells, counts, tuple(levels), arms)


def _check_key(
    column: str, what: str, keys: NDArray[np.object_], n_units: NDArray[np.int64]
) -> None:
    lacking = np.array([key is None for key in keys.tolist()], dtype=bool)
    if lacking.any():
        raise DataError(
            f"{int(n_units[lacking].max()):,} units have no {what}",
            where=f"column {column!r}",
            expected=f"the {what} of every unit",
            fix="drop the units that took no part, or fill the column",
        )


def _numbers(found: Mapping[str, Any], block: Block, b: int) -> tuple[Array, Array]:
    k = len(block.columns)

    def column(name: str) -> Array:
        return np.ma.filled(np.ma.asarray(found[name], dtype=np.float64), 0.0)

    sums = np.stack([column(f"t{b}_{i}") for i in range(k)], axis=1)
    products = np.empty((len(sums), k, k))
    for i in range(k):
        for j in range(i + 1):
            name = f"p{b}_{i}_{j}"
            products[:, i, j] = products[:, j, i] = column(name) if name in found else sums[:, i]
    return sums, products


def _better_shifts(
    cells: Mapping[str, Cells], blocks: Mapping[str, Block], shifts: Mapping[str, float]
) -> dict[str, float]:
    """Means of columns whose sums of squares are all offset and no spread."""
    out: dict[str, float] = {}
    for name, found in cells.items():
        whole = found.segment == -1
        n = float(found.n[whole].sum())
        if n == 0:
            continue
        offset = found.sums[whole].sum(axis=0) / n
        squares = np.einsum("mii->i", found.products[whole])
        spread = squares - n * offset**2
        for i, column in enumerate(blocks[name].columns):
            if offset[i] != 0 and spread[i] < _PRECISE * squares[i]:
                out[column] = shifts[column] + float(offset[i])
    return out
