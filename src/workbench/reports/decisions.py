"""Sections on how calls were saved: by a cascade, and by stopping as soon as all was decided."""

import pandas as pd

from workbench.evaluation import ArmInfo, CurvePoint, Evaluation, Frontier, cascade_frontier
from workbench.evaluation.spec import CascadeArm, RunSpec
from workbench.reports.curves import cascade_plot, sequential_plot
from workbench.reports.drawing import Plot
from workbench.reports.markup import escape, figure, table
from workbench.scorers import metric

__all__ = ["cascades_html", "sequential_html"]

_WAYS = {
    "random": "rows at random for the same money",
    "length": "longest prompts first, for that money",
    "oracle": "an oracle, for at most that money",
}


def cascades_html(evaluation: Evaluation, spec: RunSpec) -> str:
    """Write what each cascade saves, and who answered; nothing when there is none.

    Parameters
    ----------
    evaluation
        The run.
    spec
        Its spec, which declares each cascade's metric and margin.
    """
    chained = [arm for arm in evaluation.arms if arm.kind == "cascade"]
    if not chained:
        return ""
    parts = []
    for arm in chained:
        declared = spec.arms.get(arm.name)
        body = _answered(evaluation, arm)
        if isinstance(declared, CascadeArm):
            frontier = cascade_frontier(
                evaluation, arm.name, metric_name=declared.metric, margin=declared.margin
            )
            body = _frontier(frontier) + body
        parts.append(f"<h3>{escape(arm.label)}</h3><p>{escape(_upper(arm.description))}.</p>{body}")
    simulated = any(arm.simulated for arm in chained)
    note = (
        " Every answer behind these curves is the simulated reader's: they show what the method "
        "does, not what Claude is worth."
        if simulated
        else ""
    )
    return (
        "<h2>What asking less saves</h2><p>Thresholds were fitted on training rows; the curves "
        "show what others would have come to on the test part, and none was chosen by them."
        f"{note}</p>{''.join(parts)}"
    )


def _frontier(frontier: Frontier) -> str:
    items = "".join(f"<li>{escape(sentence)}</li>" for sentence in frontier.sentences())
    rows = [
        _row(f"{frontier.first} only", frontier.curve("random")[0], frontier.metric),
        _row(f"<b>{escape(frontier.arm)}</b>", frontier.operating, frontier.metric, marked=True),
        *(_row(_WAYS[point.router], point, frontier.metric) for point in frontier.beside),
        _row(f"{frontier.last} only", frontier.last_only, frontier.metric),
    ]
    head = ("Way", f"Asked of {escape(frontier.last)}", "Cost per 1,000")
    return f"<ul>{items}</ul>{_shown(cascade_plot(frontier))}" + table(
        (*head, escape(metric(frontier.metric).title)), rows
    )


def _row(name: str, point: CurvePoint, metric_name: str, *, marked: bool = False) -> list[str]:
    how, money = metric(metric_name), metric("cost_per_1000_usd")
    values = (how.format(v) for v in (point.estimate, point.ci_lower, point.ci_upper))
    return [
        name if marked else escape(name),
        f"{point.share:.1%}",
        escape(money.format(point.cost_per_1000_usd)),
        figure(*values),
    ]


def _answered(evaluation: Evaluation, arm: ArmInfo) -> str:
    records = evaluation.records[evaluation.records["arm"] == arm.name]
    labels = {a.name: a.label for a in evaluation.arms}
    by = records["answered_by"].where(records["answered_by"].notna(), "nobody: an error")
    rows = []
    for name, part in records.groupby(by, sort=False):
        stood_in = int(part["degraded"].astype(bool).sum())
        rows.append(
            (
                escape(" + ".join(labels.get(n, n) for n in str(name).split(" + "))),
                f"{len(part):,} ({len(part) / len(records):.1%})",
                escape(metric("cost_per_1000_usd").format(1000 * part["cost_usd"].mean())),
                f"{stood_in:,}",
                escape(_commonest(part["member_error"])),
            )
        )
    head = ("Answered by", "Rows", "Cost per 1,000", "After a failure", "Most often")
    return table(head, rows, css="narrow")


def _commonest(errors: pd.Series) -> str:
    known = errors.dropna()
    return "–" if known.empty else str(known.mode().iloc[0])


def sequential_html(evaluation: Evaluation) -> str:
    """Write when asking stopped and why; nothing for a run that asked about everything.

    Parameters
    ----------
    evaluation
        The run.
    """
    info, results = evaluation.info, list(evaluation.sequential.values())
    if not results or info.stop_metric is None:
        return ""
    available = info.n_test_available or info.n_test
    items = "".join(f"<li>{escape(result.sentence())}</li>" for result in results)
    rule = results[0].rule
    how = metric(info.stop_metric)
    exact = (
        "whatever the data"
        if rule.limits is not None
        else f"in large samples, so nothing is decided before {rule.first_look} units"
    )
    return (
        "<h2>When asking stopped</h2><p>Examples were asked about in random order, batch by "
        f"batch, until every arm was decided by {escape(how.title)}: after {info.n_test:,} of "
        f"{available:,}; {1 - info.n_test / available:.0%} were left unasked. The smallest "
        f"gain worth finding was fixed beforehand at {escape(how.format(rule.minimum_effect))}. "
        f"The bands hold at all looks together, {exact}, at {1 - rule.alpha:.1%} each.</p>"
        f"<ul>{items}</ul>{_shown(sequential_plot(results, info.stop_metric))}"
    )


def _upper(text: str) -> str:
    return text[:1].upper() + text[1:]


def _shown(plot: Plot) -> str:
    return plot._repr_html_()
