"""Parts of a report that say where answers came from, what a gate found and what to know."""

from collections.abc import Mapping, Sequence

from workbench.evaluation import ArmInfo, Caveat, Verdict
from workbench.evaluation.gate import Decision, Judged, RuleResult
from workbench.reports.markup import escape, table
from workbench.scorers import metric

__all__ = [
    "VERDICT_CLASSES",
    "badges_html",
    "caveats_html",
    "claim_word",
    "gate_html",
    "undecided_html",
    "why_html",
]

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


def why_html(evaluation: Judged, verdict: Verdict, sentences: Mapping[str, str]) -> str:
    """Say why an arm is promoted, or what each arm lacks.

    Parameters
    ----------
    evaluation, verdict
        What is reported.
    sentences
        Each arm against the baseline, in words.
    """
    if verdict.promoted is None:
        return "".join(
            f"<p><b>{escape(a.label)}</b>: {escape(a.reason)}.</p>"
            for a in verdict.arms
            if not evaluation.arm(a.arm).simulated
        )
    arm = verdict.promoted
    latency = evaluation.cell(arm, "latency_p95_s")
    cost = evaluation.cell(arm, "cost_per_1000_usd")
    return f"<p>{escape(sentences[arm])} Latency p95 {latency}; cost per 1,000 {cost}.</p>"


def undecided_html(evaluation: Judged, prices: str) -> str:
    """Say that simulated arms decide nothing; empty without any.

    Parameters
    ----------
    evaluation
        What is reported.
    prices
        Title of the section that says what a live run costs.
    """
    simulated = [a.label for a in evaluation.arms if a.simulated]
    if not simulated:
        return ""
    return (
        f"<p><b>Not decided: {escape(', '.join(simulated))}.</b> A simulated reader took "
        "Claude's place, so these figures speak neither for nor against Claude. Run the same "
        f"spec with an API key to decide; its price is under “{escape(prices)}”.</p>"
    )


def claim_word(evaluation: Judged, arm: ArmInfo, name: str, value: float) -> str:
    """Say what became of a claimed figure: "met", "not met", or "open".

    Parameters
    ----------
    evaluation, arm
        Whose figure it is held against.
    name, value
        Metric and claimed figure.
    """
    found, how = evaluation.measurements[arm.name, name], metric(name)
    if arm.simulated or found.n == 0:
        return "open"
    sign = 1 if how.higher_is_better else -1
    low, high = sorted((sign * found.ci_lower, sign * found.ci_upper))
    if low >= sign * value:
        return "met"
    return "not met" if high < sign * value else "open"


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
