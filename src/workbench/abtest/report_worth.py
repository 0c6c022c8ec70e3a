"""What touches brought and what arms return, read from files and the ledger for a report."""

import html
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from workbench.abtest.attribution import Attribution, attribute
from workbench.abtest.design import Design
from workbench.abtest.results import Analysis
from workbench.abtest.value import Return, ledger_cost_per_unit, return_on_investment
from workbench.claude import AnswerStore
from workbench.errors import DataError, SpecError

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "ArmCosts",
    "arm_returns",
    "attribution_section",
    "given_costs",
    "ledger_costs",
    "read_attribution",
    "returns_section",
]

_VALUED = ("proportion", "mean", "count")


class ArmCosts(NamedTuple):
    """What one more unit of each arm costs.

    Attributes
    ----------
    per_unit_usd
        By arm; an arm that is not named costs nothing.
    simulated
        Whether they were booked for simulated answers.
    source
        Where they come from, in words.
    """

    per_unit_usd: Mapping[str, float]
    simulated: bool
    source: str


def given_costs(design: Design, texts: Sequence[str]) -> ArmCosts:
    """Read costs that were given as ``ARM=USD``.

    Parameters
    ----------
    design
        The design.
    texts
        One an arm.

    Raises
    ------
    SpecError
        If one is malformed, negative or of no arm.

    Examples
    --------
    >>> design = Design.model_validate({"name": "script", "arms": {"old": 1, "new": 1},
    ...     "metrics": {"reply": {"kind": "proportion", "role": "primary"}}})
    >>> dict(given_costs(design, ["new=0.02"]).per_unit_usd)
    {'new': 0.02}
    """
    found = {}
    for text in texts:
        arm, _, amount = text.rpartition("=")
        try:
            usd = float(amount)
        except ValueError:
            usd = -1.0
        if arm not in design.arms or not 0 <= usd < float("inf"):
            raise SpecError(
                f"the cost {text!r} cannot be read",
                expected=f"ARM=USD of one of {', '.join(design.arms)}, USD a unit ≥ 0",
                fix="correct it, for example consultative=0.02",
            )
        found[arm] = usd
    return ArmCosts(found, False, "as given")


def ledger_costs(analysis: Analysis, answers: Path | str) -> ArmCosts:
    """Divide what the ledger booked for each arm by the arm's units.

    Parameters
    ----------
    analysis
        The experiment; the ledger's arms are those of its design.
    answers
        The answer store that keeps the ledger.

    Raises
    ------
    EvaluationError
        If the rows of an arm mix simulated and real answers.
    SpecError
        If the ledger knows none of the arms.
    """
    spend = AnswerStore(Path(answers)).spend(by=["arm"])
    known = [arm for arm in analysis.design.arms if (spend["arm"] == arm).any()]
    if not known:
        raise SpecError(
            "the ledger has booked nothing for the arms of the design",
            where=str(answers),
            expected=f"answers asked with arm= one of {', '.join(analysis.design.arms)}",
            fix="give the costs instead",
        )
    found = {arm: ledger_cost_per_unit(spend, analysis.n_units[arm], arm=arm) for arm in known}
    return ArmCosts(
        {arm: cost for arm, (cost, _) in found.items()},
        any(simulated for _, simulated in found.values()),
        "from the ledger",
    )


def arm_returns(analysis: Analysis, costs: ArmCosts) -> tuple[Return, ...]:
    """Set what each treatment earns beyond the control against what it costs beyond it.

    Parameters
    ----------
    analysis
        The experiment; metrics with `usd` are valued, for as many units as took part.
    costs
        Of each arm.

    Returns
    -------
    tuple of Return
        One a valued metric and treatment that costs more than the control.
    """
    design, n = analysis.design, sum(analysis.n_units.values())
    base = costs.per_unit_usd.get(design.control, 0.0)
    out = []
    for e in analysis.effects:
        extra = costs.per_unit_usd.get(e.arm, 0.0) - base
        metric = design.metrics[e.metric]
        if metric.usd is None or metric.kind not in _VALUED or extra <= 0 or e.verdict == "no data":
            continue
        out.append(
            return_on_investment(
                design, e, n, cost_per_unit_usd=extra, simulated_cost=costs.simulated
            )
        )
    return tuple(out)


def read_attribution(design: Design, units: Any, touches: Path | str) -> Attribution:
    """Attribute the design's first primary proportion to touches.

    Parameters
    ----------
    design
        The design: its unit column, covariates and cluster.
    units : pandas.DataFrame or pathlib.Path
        One row a unit.
    touches
        CSV or Parquet: the unit's column, `strategy`, and `nth`, the order within the unit.

    Raises
    ------
    DataError
        If a file cannot be read, or as `attribute`.
    SpecError
        If the design has no primary proportion, unit column or covariates.
    """
    outcome = next(
        (m.column or name for name, m in design.metrics.items()
         if m.kind == "proportion" and m.role == "primary"), None,
    )  # fmt: skip
    if outcome is None or design.unit_column is None or not design.covariates:
        raise SpecError(
            "the design does not say what to attribute, and to whom",
            expected="a primary proportion, unit_column, and covariates that decide who is touched",
            fix="add them to the design, or leave the touches out",
        )
    return attribute(
        _frame(units),
        _frame(Path(touches)),
        covariates=list(design.covariates),
        outcome=outcome,
        lead=design.unit_column,
        groups=design.cluster.column if design.cluster else None,
    )


def attribution_section(found: Attribution) -> str:
    """Return the part of the report on what touches brought.

    Parameters
    ----------
    found
        The attribution.
    """
    said = "".join(f"<li>{html.escape(text)}</li>" for text in found.sentences())
    head = (
        "Strategy", "Leads<br>touched", "Last touch<br><small>naive</small>",
        "Shapley<br><small>a rule</small>", "Unadjusted", "IPW", "AIPW<br><small>estimate</small>",
        f"{found.confidence_level:.0%} interval",
    )  # fmt: skip
    rows = "".join(
        f"<tr><th scope='row'>{html.escape(c.strategy)}</th><td>{c.n_touched:,}</td>"
        + "".join(
            f"<td>{v:,.0f}</td>" for v in (c.last_touch, c.shapley, c.unadjusted, c.ipw, c.aipw)
        )
        + (f"<td>[{c.ci_lower:,.0f}, {c.ci_upper:,.0f}]</td>" if c.trusted else "<td>none</td>")
        + "</tr>"
        for c in found.credits
    )
    return (
        f"<h2>What touches brought</h2><p>{found.n_converted:,} of {found.n_leads:,} leads"
        f" converted, {found.n_untouched:,} of them untouched. Rules share out what happened;"
        " estimates say what would be missing, if the covariates hold everything that decides both"
        f" who is touched and who converts.</p><ul>{said}</ul><div class='scroll'>"
        f"<table class='wb'><thead><tr>{''.join(f'<th>{h}</th>' for h in head)}</tr></thead>"
        f"<tbody>{rows}</tbody></table></div>"
    )


def returns_section(found: Sequence[Return], source: str) -> str:
    """Return the part of the report on what arms return.

    Parameters
    ----------
    found
        One an arm and metric.
    source
        Where the costs come from.
    """
    items = "".join(f"<li>{html.escape(r.sentence)}</li>" for r in found)
    nothing = "<p>No valued arm costs more than the control.</p>"
    return (
        f"<h2>What it returns</h2><p>Costs {html.escape(source)}, beyond those of the control; for"
        f" the units of this experiment, once.</p>{f'<ul>{items}</ul>' if items else nothing}"
    )


def _frame(source: Any) -> "pd.DataFrame":
    import pandas as pd

    if not isinstance(source, Path):
        if not isinstance(source, pd.DataFrame):
            raise DataError(
                f"the units are a {type(source).__name__}",
                expected="a CSV or Parquet file with one row a unit",
                fix="write the units as Parquet",
            )
        return source
    reader = {".csv": pd.read_csv, ".parquet": pd.read_parquet}.get(source.suffix.lower())
    if reader is None or not source.is_file():
        raise DataError(
            "the file does not exist or is no table", where=str(source),
            expected="a CSV or Parquet file", fix="correct the path",
        )  # fmt: skip
    frame: pd.DataFrame = reader(source)
    return frame
