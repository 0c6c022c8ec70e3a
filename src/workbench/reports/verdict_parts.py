"""Parts of a report that say where answers came from, what a gate found and what to know."""

from collections.abc import Sequence

from workbench.evaluation import Caveat, Verdict
from workbench.evaluation.gate import Decision, Judged, RuleResult
from workbench.reports.markup import escape, table
from workbench.scorers import metric

__all__ = ["VERDICT_CLASSES", "badges_html", "caveats_html", "gate_html"]

_MARKS = {Decision.PROMOTE: "✔", Decision.REJECT: "✘", Decision.CANNOT_DECIDE: "?"}
VERDICT_CLASSES = {
    Decision.PROMOTE: "promote",
    Decision.REJECT: "reject",
    Decision.CANNOT_DECIDE: "undecided",
}
_ORIGINS = {
    "live": "LIVE: answers by Claude",
    "replay": "REPLAY: recorded answers by Claude",
    "local": "LOCAL: answers by an endpoint of your own",
    "simulated": "SIMULATED: no answer is Claude's",
}


def badges_html(evaluation: Judged) -> str:
    """Say where answers and data came from.

    Parameters
    ----------
    evaluation
        What is reported.
    """
    origins = sorted({a.origin for a in evaluation.arms if a.origin})
    marks = [f"<span class='badge {escape(o)}'>{escape(_ORIGINS[o])}</span>" for o in origins]
    kind = evaluation.info.dataset_kind
    marks.append(f"<span class='badge data-{escape(kind)}'>DATA: {escape(kind)}</span>")
    return f"<p class='badges'>{' '.join(marks)}</p>"


def caveats_html(found: Sequence[Caveat]) -> str:
    """List what a reader must know.

    Parameters
    ----------
    found
        The caveats, gravest first.
    """
    items = "".join(
        f"<li class='caveat {escape(c.severity)}'><code>{escape(c.code)}</code> "
        f"{escape(c.text)}</li>"
        for c in found
    )
    return f"<h2>Before you believe this</h2><ul class='caveats'>{items}</ul>"


def gate_html(verdict: Verdict) -> str:
    """Show the verdict on each arm, with the rules behind it.

    Parameters
    ----------
    verdict
        What the gate says.
    """
    rows = []
    for found in verdict.arms:
        rules = "".join(
            f"<li><span class='{VERDICT_CLASSES[r.decision]}'>{_MARKS[r.decision]}</span> "
            f"<code>{r.code}</code> {escape(r.rule)}{_measured(r)}</li>"
            for r in found.rules
        )
        word = verdict.word(found.arm)
        mark = f"<b class='{VERDICT_CLASSES[found.decision]}'>{escape(word)}</b>"
        about = "" if found.decision is Decision.PROMOTE else f"<p>{escape(found.reason)}</p>"
        rows.append((escape(found.label), mark, f"{about}<ul class='rules'>{rules}</ul>"))
    return (
        "<h2>The gate, arm by arm</h2>"
        f"<p>Each arm is held against the baseline <b>{escape(verdict.baseline)}</b>. A "
        "rule is met (✔) or broken (✘) when its whole interval is on one side of the bound; "
        "else it is undecided (?).</p>" + table(("Arm", "Verdict", "Why"), rows, css="wide-last")
    )


def _measured(rule: RuleResult) -> str:
    if rule.estimate != rule.estimate:  # NaN: nothing was measured
        return f": {escape(rule.note)}" if rule.note else ""
    how, signed = metric(rule.metric), rule.code in {"WB-G01", "WB-G05"}
    value, low, high = (
        how.format(v, signed=signed) for v in (rule.estimate, rule.ci_lower, rule.ci_upper)
    )
    needed = f" · about {rule.n_needed:,} examples would decide" if rule.n_needed else ""
    return escape(f": {value} [{low}, {high}]{needed}")
