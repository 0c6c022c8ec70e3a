"""Sentences about an experiment in which no figure can drift.

A sentence is made of facts. Each says where in the analysis its figure stands, and is read from
there again when the sentence is checked; a number that is no fact's is an error.
"""

import math
import re
from collections import Counter
from collections.abc import Callable
from typing import Literal, NamedTuple

from workbench.abtest.rendering import figure_text
from workbench.abtest.results import Analysis, ArmEffect
from workbench.errors import EvaluationError

__all__ = ["Fact", "Insight", "check_insight", "figures_in", "insights"]

Kind = Literal["ratio", "effect", "guardrail", "segment", "undecided"]
Style = Literal["level", "signed", "share", "count", "pvalue", "factor"]

# A number with its sign, thousands, decimals, exponent and unit. Letters before it make it part
# of a name, which is data and not a figure.
_NUMBER = re.compile(
    r"(?<![\w.])([+\-−–]?)(\d[\d,]*(?:\.\d+)?(?:[eE][+\-]?\d+)?)"
    r"\s*(pp\b|percentage points?|%|percent\b|per cent|×|-?fold|times\b|thousand|million|k\b)?"
)
_UNITS = {
    "percentage point": "pp", "percentage points": "pp", "percent": "%", "per cent": "%",
    "fold": "×", "-fold": "×", "times": "×",
}  # fmt: skip
# Figures that are written as words are figures all the same.
_WORDS = re.compile(
    r"\b(?:two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|twenty|fifty|hundreds?|"
    r"thousands?|millions?|dozens?|half|halved|halves|twice|thrice|doubled?|doubles|doubling|"
    r"tripled?|triples|quarter|third|quadrupled?|majority|most|double-digit)\b",
    re.IGNORECASE,
)


class Fact(NamedTuple):
    """One figure and where it stands in the analysis.

    Attributes
    ----------
    figure
        Name of the figure: of a comparison ("difference"), of a level ("level difference"), or
        of the experiment ("units").
    style
        How it is written.
    metric, arm, segment, level
        Which comparison; empty where the figure has none.
    text
        As it was written.
    """

    figure: str
    style: Style
    metric: str
    arm: str
    segment: str
    level: str
    text: str


class Insight(NamedTuple):
    """One sentence with the facts it is made of.

    Attributes
    ----------
    kind
        What it is about.
    verdict
        What the comparison shows; empty without one.
    sentence
        The sentence.
    facts
        Every figure in it.
    worded_by
        "template", or the model that worded it ("sim:…" for the stand-in).
    """

    kind: Kind
    verdict: str
    sentence: str
    facts: tuple[Fact, ...]
    worded_by: str = "template"


def insights(analysis: Analysis) -> tuple[Insight, ...]:
    """Say what an analysis found, the most important first.

    Parameters
    ----------
    analysis
        The analysis.

    Returns
    -------
    tuple[Insight, ...]
        Sample ratio; what was found on primary metrics and guardrails; for whom effects differ;
        what is undecided. Each has passed `check_insight`.

    Examples
    --------
    >>> from datetime import UTC, datetime
    >>> from workbench.abtest.analysis import analyse
    >>> from workbench.abtest.simulate import simulate
    >>> found = simulate(n_leads=20_000, arms={"empathetic": 1, "consultative": 1})
    >>> said = insights(analyse(found.design(), found.leads, arm="strategy",
    ...                         as_of=datetime(2026, 1, 1, tzinfo=UTC)))
    >>> said[0].sentence
    "All 20,000 leads count, and the arms' shares differ from the configured ones by ..."
    """
    out = [_ratio(analysis)]
    judged = [e for e in analysis.effects if e.verdict != "no data"]
    decided = [e for e in judged if e.role == "primary" and e.verdict in ("better", "worse")]
    out += [_found(analysis, e) for e in sorted(decided, key=lambda e: e.pvalue_adjusted)]
    out += [_guardrail(analysis, e) for e in judged if e.role == "guardrail"]
    out += [_segment(analysis, i) for i, s in enumerate(analysis.segments) if s.differs]
    out += [
        _undecided(analysis, e)
        for e in judged
        if e.role == "primary" and e.verdict == "inconclusive"
    ]
    for insight in out:
        problems = check_insight(insight, analysis)
        if problems:
            raise EvaluationError(
                f"a sentence does not agree with its analysis: {problems[0]}",
                where=insight.sentence,
                fix="report this as a defect",
            )
    return tuple(out)


def check_insight(insight: Insight, analysis: Analysis) -> tuple[str, ...]:
    """Recompute every figure of a sentence from the analysis.

    Parameters
    ----------
    insight
        The sentence and its facts.
    analysis
        What it must agree with.

    Returns
    -------
    tuple[str, ...]
        What is wrong, empty when nothing: a fact that reads otherwise now, a number in the
        sentence that is no fact's, a fact told more often than it was made, a number written as
        a word. For a sentence of the template also a fact that is missing.
    """
    problems = []
    for fact in insight.facts:
        now = _read(analysis, fact)
        if now != fact.text:
            problems.append(f"{fact.figure} is {now}, not {fact.text}")
    said = figures_in(insight.sentence, _names(analysis))
    known = Counter(figure for fact in insight.facts for figure in figures_in(fact.text, ()))
    counted = Counter(said)
    problems += [
        f"{figure} stands nowhere in the facts" for figure in counted if figure not in known
    ]
    problems += [
        f"{figure} is told {n} times and was found {known[figure]} times"
        for figure, n in counted.items()
        if n > known[figure] > 0
    ]
    plain = _without(insight.sentence, _names(analysis))
    problems += [f"{word.group(0)!r} is a figure in words" for word in _WORDS.finditer(plain)]
    if insight.worded_by == "template":
        problems += [f"{figure} is missing" for figure in known - counted]
    return tuple(problems)


def figures_in(sentence: str, names: tuple[str, ...]) -> list[str]:
    """List the figures of a text: sign, digits and unit; names that hold digits are no figures.

    Parameters
    ----------
    sentence
        Any text.
    names
        Names to take out first.

    Examples
    --------
    >>> figures_in("arm b2 gained +0.61 percentage points of 12,000 (p = 3.1e-05)", ("b2",))
    ['+0.61pp', '12000', '3.1e-05']
    """
    out = []
    for sign, digits, unit in _NUMBER.findall(_without(sentence, names)):
        minus = "-" if sign in ("-", "−", "–") else "+" if sign == "+" else ""
        out.append(f"{minus}{digits.replace(',', '').rstrip('.')}{_UNITS.get(unit, unit)}")
    return out


def _without(sentence: str, names: tuple[str, ...]) -> str:
    for name in sorted(names, key=len, reverse=True):
        sentence = re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", "…", sentence)
    return sentence


def _names(analysis: Analysis) -> tuple[str, ...]:
    """Names the design and the data gave: they may hold digits."""
    design = analysis.design
    levels = {level.level for s in analysis.segments for level in s.levels}
    named = {design.name, *design.arms, *design.metrics, *design.segments, *levels}
    # A name that is nothing but a number would hide figures.
    return tuple(sorted(name for name in named if name and not _NUMBER.fullmatch(name)))


def _ratio(analysis: Analysis) -> Insight:
    units, p = _fact(analysis, "units", "count"), _fact(analysis, "sample ratio p", "pvalue")
    if analysis.ratio.alarm:
        text = (
            f"Of the {units.text} {analysis.design.unit}s the arms did not get their configured"
            f" share (p = {p.text}): nothing below can be trusted until it is known why."
        )
    else:
        text = (
            f"All {units.text} {analysis.design.unit}s count, and the arms' shares differ from the"
            f" configured ones by no more than chance explains (p = {p.text})."
        )
    return Insight("ratio", "", text, (units, p))


def _found(analysis: Analysis, e: ArmEffect) -> Insight:
    made = _maker(analysis, e)
    control, treatment = made("control", "level"), made("treatment", "level")
    difference, low, high = (
        made(name, "signed") for name in ("difference", "lower bound", "upper bound")
    )
    p = made("p", "pvalue")
    facts = [control, treatment, difference, low, high, p]
    text = (
        f"{e.arm} is {e.verdict} than {e.control} on {e.metric}: {treatment.text} instead of"
        f" {control.text}, a difference of {difference.text} that lies between {low.text} and"
        f" {high.text} (corrected p = {p.text})"
    )
    if e.corrected is not None:
        fair = made("corrected difference", "signed")
        facts.append(fair)
        text += f"; expect {fair.text} from now on, since what stands out is exaggerated"
    return Insight("effect", e.verdict, text + ".", tuple(facts))


def _guardrail(analysis: Analysis, e: ArmEffect) -> Insight:
    made = _maker(analysis, e)
    relative = e.margin is not None and e.margin.scale == "relative"
    margin = made("margin", "share" if relative else "level")
    difference = made("difference", "signed")
    low, high = made("lower bound", "signed"), made("upper bound", "signed")
    words = {
        "holds": "stays within its margin of",
        "violated": "is worse, and not shown to stay within its margin of",
        "not shown": "is not shown to stay within its margin of",
    }
    text = (
        f"{e.metric} under {e.arm} {words[e.verdict]} {margin.text}"
        f"{' of the control' if relative else ''}: {difference.text}, between {low.text} and"
        f" {high.text}."
    )
    return Insight("guardrail", e.verdict, text, (margin, difference, low, high))


def _segment(analysis: Analysis, index: int) -> Insight:
    s = analysis.segments[index]
    parts, facts = [], []
    for level in s.levels:
        if level.effect is None:
            continue
        where = (s.metric, s.arm, s.segment, level.level)
        difference = _fact(analysis, "level difference", "signed", *where)
        facts.append(difference)
        parts.append(f"{difference.text} for {level.level}")
    p = _fact(analysis, "heterogeneity p", "pvalue", s.metric, s.arm, s.segment)
    text = (
        f"What {s.arm} does to {s.metric} depends on {s.segment}: {', '.join(parts)} (corrected"
        f" p = {p.text})."
    )
    return Insight("segment", "", text, (*facts, p))


def _undecided(analysis: Analysis, e: ArmEffect) -> Insight:
    made = _maker(analysis, e)
    difference = made("difference", "signed")
    low, high = made("lower bound", "signed"), made("upper bound", "signed")
    facts = [difference, low, high]
    text = (
        f"Whether {e.arm} changes {e.metric} is undecided: {difference.text}, between {low.text}"
        f" and {high.text}"
    )
    if e.n_to_decide is not None:
        needed = made("units to decide", "count")
        facts.append(needed)
        text += f"; about {needed.text} {analysis.design.unit}s of both arms would decide if the"
        text += " difference stayed what it is"
    return Insight("undecided", e.verdict, text + ".", tuple(facts))


def _maker(analysis: Analysis, e: ArmEffect) -> Callable[[str, Style], Fact]:
    """Make facts of one comparison."""
    return lambda figure, style: _fact(analysis, figure, style, e.metric, e.arm)


def _fact(
    analysis: Analysis,
    figure: str,
    style: Style,
    metric: str = "",
    arm: str = "",
    segment: str = "",
    level: str = "",
) -> Fact:
    fact = Fact(figure, style, metric, arm, segment, level, "")
    return fact._replace(text=_read(analysis, fact))


def _read(analysis: Analysis, fact: Fact) -> str:
    """Write a fact's figure as it stands in the analysis now."""
    value = _value(analysis, fact)
    kind = analysis.design.metrics[fact.metric].kind if fact.metric else ""
    if fact.style == "count":
        return "unknown" if math.isnan(value) else f"{round(value):,}"
    if fact.style == "pvalue":
        return "unknown" if math.isnan(value) else f"{value:.2g}"
    if fact.style == "share":
        return f"{100 * value:.2f} %"
    if fact.style == "level" and fact.figure == "margin" and kind == "proportion":
        return figure_text(kind, value, signed=True).lstrip("+")
    return figure_text(kind, value, signed=fact.style == "signed")


def _value(analysis: Analysis, fact: Fact) -> float:
    if fact.figure == "units":
        return float(sum(analysis.n_units.values()))
    if fact.figure == "sample ratio p":
        return analysis.ratio.test.pvalue
    if fact.segment:
        return _segment_value(analysis, fact)
    e = analysis.effect(fact.metric, fact.arm)
    values = {
        "control": e.effect.control,
        "treatment": e.effect.treatment,
        "difference": e.effect.difference,
        "lower bound": e.ci_lower,
        "upper bound": e.ci_upper,
        "p": e.pvalue_adjusted,
        "corrected difference": math.nan if e.corrected is None else e.corrected.estimate,
        "margin": math.nan if e.margin is None else e.margin.margin,
        "units to decide": math.nan if e.n_to_decide is None else float(e.n_to_decide),
    }
    return float(values[fact.figure])


def _segment_value(analysis: Analysis, fact: Fact) -> float:
    for s in analysis.segments:
        if (s.metric, s.arm, s.segment) != (fact.metric, fact.arm, fact.segment):
            continue
        if fact.figure == "heterogeneity p":
            return s.pvalue_adjusted
        for level in s.levels:
            if level.level == fact.level and level.effect is not None:
                return level.effect.difference
    return math.nan
