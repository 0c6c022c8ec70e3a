"""Which columns are added up together, and the SQL that does it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from workbench.abtest.metrics import (
    CountMetric,
    MeanMetric,
    ProportionMetric,
    RatioMetric,
    Winsorising,
)
from workbench.abtest.source import Units, outcome_columns
from workbench.abtest.sql import fill, finite, literal, quoted
from workbench.abtest.validity import Missing
from workbench.stats import winsorize

__all__ = ["Block", "Caps", "Near", "make_blocks", "means_nearby", "sums_sql", "values_sql"]

_MISSING_LEVEL, _BETWEEN = "(missing)", "\x1f"
# A mean this many deviations from 0 costs a digit; beyond, values are shifted.
_FAR = 8.0


class Caps(NamedTuple):
    """Caps of one column, the same for all arms.

    Attributes
    ----------
    lower, upper
        Values beyond are replaced by these.
    ignore_zeros
        Zeros stay zeros.
    n_capped
        How many values were replaced.
    """

    lower: float
    upper: float
    ignore_zeros: bool
    n_capped: int


@dataclass(frozen=True, slots=True)
class Block:
    """The columns of one metric that are added up together.

    Parameters
    ----------
    metric
        Its name.
    columns
        Names, in the order of the moments: outcome (or numerator and denominator), covariates,
        and again the outcome before it was capped.
    n_outcome, n_covariates, n_uncapped
        How many of each.
    binary
        Whether the outcome is 0 or 1, so that it is its own square.
    caps
        By column.
    """

    metric: str
    columns: tuple[str, ...]
    n_outcome: int
    n_covariates: int
    n_uncapped: int
    binary: bool
    caps: Mapping[str, Caps]

    @property
    def uncapped(self) -> tuple[int, ...]:
        """Positions of the outcome before it was capped; the outcome where nothing was."""
        if not self.n_uncapped:
            return tuple(range(self.n_outcome))
        return tuple(range(self.n_outcome + self.n_covariates, len(self.columns)))

    @property
    def plain(self) -> tuple[int, ...]:
        """Positions of outcome and covariates."""
        return tuple(range(self.n_outcome + self.n_covariates))


class Near(NamedTuple):
    """Values near the mean of each column: what is subtracted, and what fills gaps."""

    shift: Mapping[str, float]
    centre: Mapping[str, float]


def make_blocks(units: Units) -> dict[str, Block]:
    """Say for each mean-like metric which columns are added up, with their caps.

    Parameters
    ----------
    units
        The units; caps are taken from their values.
    """
    blocks = {}
    columns = outcome_columns(units.design)
    for name, metric in units.design.metrics.items():
        if not isinstance(metric, ProportionMetric | MeanMetric | CountMetric | RatioMetric):
            continue
        own = columns[name]
        n_outcome = 2 if isinstance(metric, RatioMetric) else 1
        rule = None if isinstance(metric, ProportionMetric) else metric.winsorise
        caps = {c: _caps(units, c, rule) for c in own[:n_outcome]} if rule else {}
        blocks[name] = Block(
            metric=name,
            columns=own + (own[:n_outcome] if rule else ()),
            n_outcome=n_outcome,
            n_covariates=len(own) - n_outcome,
            n_uncapped=n_outcome if rule else 0,
            binary=isinstance(metric, ProportionMetric),
            caps=caps,
        )
    return blocks


def _caps(units: Units, column: str, rule: Winsorising) -> Caps:
    """Caps from the values of all arms together."""
    name = quoted(column)
    arms = ", ".join(literal(arm) for arm in units.design.arms)
    found = units.con.execute(
        fill(
            "select {name}::double as v from units where {known} and {arm}::varchar in ({arms})",
            name=name,
            known=finite(f"{name}::double"),
            arm=quoted(units.arm),
            arms=arms,
        )
    ).fetchnumpy()["v"]
    values = np.asarray(found, dtype=np.float64)
    if values.size == 0 or (rule.ignore_zeros and not values.any()):
        return Caps(-np.inf, np.inf, rule.ignore_zeros, 0)
    kept = winsorize([values], lower=rule.lower, upper=rule.upper, ignore_zeros=rule.ignore_zeros)
    return Caps(kept.lower, kept.upper, rule.ignore_zeros, kept.n_lower + kept.n_upper)


def means_nearby(units: Units, blocks: Mapping[str, Block]) -> Near:
    """Means of the first units; a shift where the mean is large beside the spread."""
    columns = sorted({c for block in blocks.values() for c in block.columns})
    if not columns:
        return Near({}, {})
    parts = ", ".join(
        fill(
            "avg(v{i}) filter (where {known}), stddev_pop(v{i}) filter (where {known})",
            i=str(i),
            known=finite(f"v{i}"),
        )
        for i in range(len(columns))
    )
    inner = ", ".join(f"{quoted(c)}::double as v{i}" for i, c in enumerate(columns))
    row = units.rows(
        fill("select {parts} from (select {inner} from units limit 2048)", parts=parts, inner=inner)
    )[0]
    shift, centre = {}, {}
    for i, column in enumerate(columns):
        mean, sd = (float(v) if v is not None else 0.0 for v in row[2 * i : 2 * i + 2])
        centre[column] = mean
        shift[column] = mean if abs(mean) > _FAR * sd else 0.0
    return Near(shift, centre)


def values_sql(units: Units, blocks: Mapping[str, Block], near: Near, missing: Missing) -> str:
    """SQL of every value that `sums_sql` adds up, one row a unit."""
    inner = _keys(units)
    for b, block in enumerate(blocks.values()):
        inner += _inner(units, block, b, near, missing)
    return fill("select {inner} from units", inner=", ".join(inner))


def _keys(units: Units) -> list[str]:
    keys = [f"{_text(units, units.arm)} as arm"]
    if units.design.cluster is not None:
        keys.append(f"{_text(units, units.design.cluster.column)} as cluster")
    return keys


def _level(units: Units, column: str) -> str:
    return f"coalesce({_text(units, column)}, {literal(_MISSING_LEVEL)})"


def _text(units: Units, column: str) -> str:
    # Casts that change nothing still cost a pass over the strings.
    return quoted(column) + ("" if units.types[column] == "VARCHAR" else "::varchar")


def sums_sql(units: Units, blocks: Mapping[str, Block], near: Near, missing: Missing) -> str:
    """SQL of all sums and products, by arm (and cluster), and again within every segment."""
    design = units.design
    keys = _keys(units)
    sets = [[key.rpartition(" as ")[2] for key in keys]]
    for i, segment in enumerate(design.segments):
        keys.append(f"{_level(units, segment)} as s{i}")
        sets.append([*sets[0], f"s{i}"])
    if design.post_strata:
        # A separator no text holds, so that no two combinations look alike.
        joined = f" || {literal(_BETWEEN)} || ".join(_level(units, s) for s in design.post_strata)
        keys.append(f"{joined} as s{len(design.segments)}")
        sets.append([*sets[0], f"s{len(design.segments)}"])
    inner, outer = list(keys), ["count(*) as n_units"]
    for b, block in enumerate(blocks.values()):
        inner += _inner(units, block, b, near, missing)
        outer += _outer(block, b, near.shift, dropping=block.metric in missing.dropped)
    names = [key.rpartition(" as ")[2] for key in keys]
    outer += [f"grouping({name}) as g_{name}" for name in names]
    return fill(
        "select {names}, {outer} from (select {inner} from units) group by {sets}",
        names=", ".join(names),
        outer=", ".join(outer),
        inner=", ".join(inner),
        sets=", ".join(sets[0]) if len(sets) == 1 else _grouping_sets(sets),
    )


def _grouping_sets(sets: Sequence[Sequence[str]]) -> str:
    return "grouping sets (" + ", ".join(f"({', '.join(keys)})" for keys in sets) + ")"


def _inner(units: Units, block: Block, b: int, near: Near, missing: Missing) -> list[str]:
    """SQL of each value of a block: cleaned, capped, shifted."""
    metric = units.design.metrics[block.metric]
    out = []
    for i, column in enumerate(block.columns):
        kind = units.types[column]
        # 0 and 1 are added up as what they are; other whole numbers might overflow.
        native = kind == "DOUBLE" or (i == 0 and block.binary and "INT" in kind)
        value = quoted(column) if native else f"{quoted(column)}::double"
        is_covariate = block.n_outcome <= i < block.n_outcome + block.n_covariates
        if is_covariate and column in missing.filled:
            fallback = literal(near.centre[column])
            value = f"case when {finite(value)} then {value} else {fallback} end"
        elif not is_covariate and metric.missing == "zero" and block.metric in missing.zeroed:
            value = f"case when {finite(value)} then {value} else 0 end"
        if i < block.n_outcome and column in block.caps:
            value = _capped(value, block.caps[column])
        if near.shift[column]:
            value = f"({value}) - {literal(near.shift[column])}"
        out.append(f"{value} as b{b}_{i}")
    return out


def _capped(value: str, caps: Caps) -> str:
    out = value
    if np.isfinite(caps.upper):
        out = f"least({out}, {literal(caps.upper)})"
    if np.isfinite(caps.lower):
        out = f"greatest({out}, {literal(caps.lower)})"
    return f"case when {value} = 0 then 0 else {out} end" if caps.ignore_zeros else out


def _outer(block: Block, b: int, shifts: Mapping[str, float], *, dropping: bool) -> list[str]:
    """Sums and products of a block; of units with an outcome only where others are dropped."""
    # What has no outcome must not add to the sums of its covariates either.
    counts = " and ".join(finite(f"b{b}_{i}") for i in range(block.n_outcome))
    keep = f" filter (where {counts})" if dropping else ""
    out = [f"count(*){keep} as n{b}"] if dropping else []
    k = len(block.columns)
    for i in range(k):
        out.append(f"sum(b{b}_{i}){keep} as t{b}_{i}")
        for j in range(i + 1):
            if i == j == 0 and block.binary and shifts[block.columns[0]] == 0:
                continue  # 0 and 1 are their own squares
            out.append(f"sum(b{b}_{i} * b{b}_{j}){keep} as p{b}_{i}_{j}")
    return out
