"""Effects in parts of the units, and the test of whether they differ at all."""

import math
from collections.abc import Mapping
from typing import NamedTuple

from workbench.abtest.design import Design
from workbench.abtest.estimates import Estimates
from workbench.abtest.results import LevelEffect, SegmentEffects
from workbench.stats import Effect, Heterogeneity, adjust_pvalues, heterogeneity_test

__all__ = ["segment_effects"]


class _Found(NamedTuple):
    metric: str
    arm: str
    segment: str
    effects: tuple[tuple[str, Effect | None], ...]
    test: Heterogeneity | None


def segment_effects(
    design: Design,
    estimates: Mapping[str, Estimates],
    levels: tuple[tuple[str, ...], ...],
) -> tuple[SegmentEffects, ...]:
    """Compare every treatment in every level of every segment.

    Parameters
    ----------
    design
        The design.
    estimates
        By metric.
    levels
        Levels of each segment.

    Notes
    -----
    Tests of equal effects are corrected over all metrics, arms and segments by Holm, or as the
    design says; effects in single levels over all of them. With clusters the levels are taken as
    independent, which is safe where clusters lie within levels.
    """
    found = [
        _compared(design, estimates[name], (name, arm, i), levels[i])
        for i in range(len(design.segments))
        for name in design.metrics
        for arm in design.treatments
    ]
    how = "holm" if design.multiplicity == "none" else design.multiplicity
    interaction = adjust_pvalues(
        [math.nan if f.test is None else f.test.pvalue for f in found], how
    )
    flat = [math.nan if e is None else e.pvalue for f in found for _, e in f.effects]
    single = iter(adjust_pvalues(flat, how).tolist())
    return tuple(
        SegmentEffects(
            f.metric,
            f.arm,
            f.segment,
            tuple(LevelEffect(level, effect, next(single)) for level, effect in f.effects),
            f.test,
            p,
            p <= design.alpha,
        )
        for f, p in zip(found, interaction.tolist(), strict=True)
    )


def _compared(
    design: Design, estimate: Estimates, where: tuple[str, str, int], levels: tuple[str, ...]
) -> _Found:
    name, arm, segment = where
    effects: list[tuple[str, Effect | None]] = []
    for level in levels:
        measured = estimate.measure(arm, 1 - design.alpha, segment, level)
        effects.append((level, None if measured is None else measured.effect))
    usable = [e for _, e in effects if e is not None and e.standard_error > 0]
    test = None
    if len(usable) > 1:
        test = heterogeneity_test(
            [e.difference for e in usable], [e.standard_error for e in usable]
        )
    return _Found(name, arm, design.segments[segment], tuple(effects), test)
