"""Why an interval is as wide as it is, or wider than another: one factor a cause."""

import html
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from workbench.abtest.rendering import figure_text
from workbench.abtest.results import ArmEffect
from workbench.errors import EvaluationError
from workbench.stats import Effect

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["WidthBreakdown", "WidthFactor", "why_this_wide"]


class WidthFactor(NamedTuple):
    """One cause of the width of an interval.

    Attributes
    ----------
    cause
        Its name.
    factor
        By how much it multiplies the width.
    sentence
        The same in words.
    """

    cause: str
    factor: float
    sentence: str


@dataclass(frozen=True, slots=True)
class WidthBreakdown:
    """The width of an interval as a product.

    Parameters
    ----------
    start
        Half-width to begin with.
    start_means
        What that is.
    end
        Half-width of the interval that is explained: start times all factors.
    factors
        The causes, in the order in which they act.
    """

    start: float
    start_means: str
    end: float
    factors: tuple[WidthFactor, ...]

    def to_frame(self) -> "pd.DataFrame":
        """One row a cause."""
        import pandas as pd

        return pd.DataFrame([f._asdict() for f in self.factors])

    def to_markdown(self) -> str:
        """One line a cause."""
        lines = [f"± {self.start:.4g} {self.start_means}, then:"]
        lines += [f"- × {f.factor:.3f} {f.sentence}" for f in self.factors]
        return "\n".join([*lines, f"= ± {self.end:.4g}."])

    def _repr_html_(self) -> str:
        items = "".join(
            f"<li>× {f.factor:.3f} {html.escape(f.sentence)}</li>" for f in self.factors
        )
        return (
            f"<p>± {self.start:.4g} {html.escape(self.start_means)}, then:</p><ul>{items}</ul>"
            f"<p>= ± {self.end:.4g}.</p>"
        )


def why_this_wide(found: ArmEffect, *, than: ArmEffect | None = None) -> WidthBreakdown:
    """Explain the width of the interval that decides.

    Parameters
    ----------
    found
        A comparison.
    than
        Another comparison of the same metric (last week's, another segment's, another arm's)
        whose interval the width is set beside; without one it is explained from independent
        units in two equal arms.

    Returns
    -------
    WidthBreakdown
        The product of its factors is exact.

    Raises
    ------
    EvaluationError
        If an interval is unbounded, or the metrics differ.

    Notes
    -----
    In order: unequal arms, caps, clusters, adjustment by covariates, and what the correction for
    many comparisons and many looks adds.
    """
    _check(found)
    own = _factors(found)
    base = found.uncapped or found.unclustered or found.raw
    start = _half_width(base) / own[0].factor
    if than is None:
        n = base.n_control + base.n_treatment
        means = f"for {n:,} independent units in two equal arms, nothing adjusted"
        return WidthBreakdown(start, means, _deciding(found), tuple(_told(own)))
    _check(than)
    if than.metric != found.metric:
        raise EvaluationError(
            f"the metrics are {found.metric!r} and {than.metric!r}",
            expected="two intervals of one metric",
            fix="compare like with like",
        )
    other = _factors(than)
    other_base = than.uncapped or than.unclustered or than.raw
    n, other_n = (b.n_control + b.n_treatment for b in (base, other_base))
    by_n = math.sqrt(other_n / n)
    spread = start / (_half_width(other_base) / other[0].factor) / by_n
    factors = [
        WidthFactor("units", by_n, f"for {n:,} units instead of {other_n:,}"),
        WidthFactor("spread", spread, "because units vary more or less than they did"),
        *(
            WidthFactor(a.cause, a.factor / b.factor, f"from {a.cause}: {a.factor:.3f} here,"
                        f" {b.factor:.3f} there")
            for a, b in zip(own, other, strict=True)
        ),
    ]  # fmt: skip
    means = f"({than.arm} against {than.control}, the other interval)"
    return WidthBreakdown(_deciding(than), means, _deciding(found), tuple(_told(factors)))


def _factors(found: ArmEffect) -> list[WidthFactor]:
    """All causes, also those that change nothing."""
    e = found.effect
    split = math.sqrt(e.n_control / e.n_treatment) / 2 + math.sqrt(e.n_treatment / e.n_control) / 2
    plain = found.unclustered or found.raw
    capped = 1.0 if found.uncapped is None else _half_width(plain) / _half_width(found.uncapped)
    clusters = _half_width(found.raw) / _half_width(plain)
    adjusted = _half_width(e) / _half_width(found.raw)
    level = _deciding(found) / _half_width(e)
    gain = 1 - (e.standard_error / found.raw.standard_error) ** 2
    return [
        WidthFactor("unequal arms", split, f"because arms have {e.n_control:,} and"
                    f" {e.n_treatment:,} units"),
        WidthFactor("caps", capped, "because extreme values are capped"),
        WidthFactor("clusters", clusters, f"because units of one cluster hang together"
                    f" (design effect {clusters**2:.2f}, {found.raw.n_groups or 0:,} clusters)"),
        WidthFactor("adjustment", adjusted,
                    f"because covariates explain {gain:.1%} of the variance"),
        WidthFactor("correction", level, "to allow for the number of comparisons and looks"),
    ]  # fmt: skip


def _told(factors: list[WidthFactor]) -> list[WidthFactor]:
    return [f for f in factors if abs(f.factor - 1) > 1e-9]


def _half_width(effect: Effect) -> float:
    return (effect.ci_upper - effect.ci_lower) / 2


def _deciding(found: ArmEffect) -> float:
    return (found.ci_upper - found.ci_lower) / 2


def _check(found: ArmEffect) -> None:
    width = found.ci_upper - found.ci_lower
    if not (math.isfinite(width) and width > 0):
        shown = figure_text(found.kind, width)
        raise EvaluationError(
            f"the interval of {found.metric} for {found.arm} is {shown} wide",
            expected="an interval with two bounds",
            fix="wait for more units, or look at the findings of the analysis",
        )
