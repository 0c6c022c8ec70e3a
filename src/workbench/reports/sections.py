"""The parts of a report, each shown as HTML in a notebook and in the exported page."""

import html
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import pandas as pd

from workbench.evaluation import Evaluation, Verdict, caveats
from workbench.evaluation.gate import Decision, RuleResult
from workbench.evaluation.session import SpecResult
from workbench.reports.plots import frontier_plot, interval_plot, reliability_plot
from workbench.scorers import metric
from workbench.tasks import load_task

__all__ = ["Report", "Section"]

_MARKS = {Decision.PROMOTE: "✔", Decision.REJECT: "✘", Decision.CANNOT_DECIDE: "?"}
_CLASSES = {
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


@dataclass(frozen=True, slots=True)
class Section:
    """A piece of HTML that displays itself."""

    text: str

    def _repr_html_(self) -> str:
        return self.text


def _e(text: object) -> str:
    return html.escape(str(text), quote=True)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]], css: str = "") -> str:
    """Write a table; cells are HTML already, the first of each row is its heading."""
    top = "".join(f"<th scope='col'>{cell}</th>" for cell in head)
    body = "".join(
        f"<tr><th scope='row'>{row[0]}</th>" + "".join(f"<td>{c}</td>" for c in row[1:]) + "</tr>"
        for row in rows
    )
    return (
        f"<div class='scroll'><table class='wb {css}'><thead><tr>{top}</tr></thead>"
        f"<tbody>{body}</tbody></table></div>"
    )


class Report:
    """The sections of a report on one spec.

    Parameters
    ----------
    result
        What the spec came to.
    """

    def __init__(self, result: SpecResult) -> None:
        self.result = result
        self.evaluation: Evaluation = result.evaluation
        self.verdict: Verdict = result.verdict

    @property
    def badges(self) -> Section:
        """Where answers and data came from."""
        origins = sorted({a.origin for a in self.evaluation.arms if a.origin})
        marks = [f"<span class='badge {_e(o)}'>{_e(_ORIGINS[o])}</span>" for o in origins]
        kind = self.evaluation.info.dataset_kind
        marks.append(f"<span class='badge data-{_e(kind)}'>DATA: {_e(kind)}</span>")
        return Section(f"<p class='badges'>{' '.join(marks)}</p>")

    @property
    def head(self) -> Section:
        """Title, verdict and the one-paragraph summary."""
        info, verdict = self.evaluation.info, self.verdict
        title = f"{load_task(info.task).title}: which arm to promote?"
        about = (
            f"{_e(info.dataset_title)} · {info.n_train:,} training and {info.n_test:,} test "
            f"examples, {_e(info.split)} · {info.test_base_rate:.1%} of the test examples convert"
        )
        css = _CLASSES[verdict.decision]
        return Section(
            f"<h1>{_e(title)}</h1>{self.badges.text}<p class='about'>{about}</p>"
            f"<div class='verdict {css}'><p class='word'>{_e(verdict.decision)}</p>"
            f"<p class='headline'>{_e(verdict.headline)}</p>{self._why()}</div>"
        )

    def _why(self) -> str:
        evaluation, verdict = self.evaluation, self.verdict
        name = self.result.spec.primary_metric
        if verdict.promoted is None:
            return ""
        arm = verdict.promoted
        sentence = evaluation.compare(name).sentence(arm)
        cost = evaluation.cell(arm, "cost_per_1000_usd")
        latency = evaluation.cell(arm, "latency_p95_s")
        return (
            f"<p>{_e(sentence)} Latency p95 {_e(latency)}; cost per 1,000 predictions "
            f"{_e(cost)}; brackets are {evaluation.info.confidence_level:.0%} intervals.</p>"
        )

    @property
    def arms(self) -> Section:
        """Verdict on each arm, with the rules behind it."""
        rows = []
        for found in self.verdict.arms:
            rules = "".join(
                f"<li><span class='{_CLASSES[r.decision]}'>{_MARKS[r.decision]}</span> "
                f"<code>{r.code}</code> {_e(r.rule)}{self._measured(r)}</li>"
                for r in found.rules
            )
            reason = f"<p>{_e(found.reason)}</p>" if found.decision is not Decision.PROMOTE else ""
            mark = f"<b class='{_CLASSES[found.decision]}'>{_e(found.decision)}</b>"
            rows.append((_e(found.arm), mark, f"{reason}<ul class='rules'>{rules}</ul>"))
        return Section(
            "<h2>Verdict on each arm</h2>"
            f"<p>Each arm is held against the baseline <b>{_e(self.verdict.baseline)}</b>. A rule "
            "is met (✔) or broken (✘) when its whole interval is on one side of the bound; "
            "else it is undecided (?).</p>"
            + _table(("Arm", "Verdict", "Why"), rows, css="wide-last")
        )

    def _measured(self, rule: RuleResult) -> str:
        if rule.estimate != rule.estimate:
            return f": {_e(rule.note)}" if rule.note else ""
        how, signed = metric(rule.metric), rule.code == "WB-G01"
        text = (
            f": {how.format(rule.estimate, signed=signed)} "
            f"[{how.format(rule.ci_lower, signed=signed)}, "
            f"{how.format(rule.ci_upper, signed=signed)}]"
        )
        needed = f" · about {rule.n_needed:,} examples would decide" if rule.n_needed else ""
        return _e(text) + needed

    @property
    def table(self) -> Section:
        """Every arm by every metric."""
        quality = ["roc_auc", "average_precision", "log_loss", "brier", "ece", "lift_at_10"]
        working = ["latency_p50_s", "latency_p95_s", "latency_p99_s", "cost_per_1000_usd"]
        rates = ["error_rate", "abstain_rate"]
        first = self._figures(quality)
        second = self._figures(["accuracy", *working, *rates])
        n = self.evaluation.info.n_test
        majority = (
            "<p>Always answering the more frequent class is right "
            f"<b>{self.evaluation.majority_accuracy:.1%}</b> of the time (majority class).</p>"
        )
        return Section(
            "<h2>Accuracy, latency and cost</h2>"
            f"<p>n = {n:,} test examples for every figure but latency; brackets are "
            f"{self.evaluation.info.confidence_level:.0%} intervals"
            f"{self._clustered()}. Latency is that of single predictions, not of a batch divided "
            f"by its size.</p>{first}{majority}{second}{self._training()}"
        )

    def _clustered(self) -> str:
        table = self.evaluation.scores
        if table.groups is None:
            return ""
        return f", clustered by {len(set(table.groups)):,} groups"

    def _figures(self, names: list[str]) -> str:
        rows = []
        for arm in self.evaluation.arms:
            note = "<small>simulated</small>" if arm.origin == "simulated" else ""
            cells = [f"{_e(arm.name)} {note}"]
            for name in names:
                found, how = self.evaluation.measurements[arm.name, name], metric(name)
                if found.n == 0:
                    cells.append("not measured")
                    continue
                count = f" · n {found.n:,}" if name.startswith("latency") else ""
                span = f"[{how.format(found.ci_lower)}, {how.format(found.ci_upper)}]{count}"
                cells.append(f"{_e(how.format(found.estimate))}<br><small>{_e(span)}</small>")
            rows.append(cells)
        ceiling = self.evaluation.info.ceiling
        if ceiling and any(n in ceiling for n in names):
            rows.append(
                ["<i>true probabilities</i>"]
                + [_e(metric(n).format(ceiling[n])) if n in ceiling else "" for n in names]
            )
        titles = [
            f"<abbr title='{_e(metric(n).meaning)}'>{_e(metric(n).title)}</abbr>" for n in names
        ]
        return _table(["Arm", *titles], rows)

    def _training(self) -> str:
        asked = [a for a in self.evaluation.arms if a.n_fit_answers]
        return "".join(
            f"<p>Fitting <b>{_e(a.name)}</b> took {a.n_fit_answers:,} answers for its training "
            f"part, ${a.fit_cost_usd:,.2f} once; not part of the cost above.</p>"
            for a in asked
        )

    @property
    def comparison(self) -> Section:
        """Differences from the baseline as sentences, and the interval plot."""
        name = self.result.spec.primary_metric
        found = self.evaluation.compare(name)
        items = "".join(f"<li>{_e(found.sentence(a.arm))}</li>" for a in found.arms)
        plot = interval_plot(self.evaluation, name)._repr_html_()
        return Section(
            f"<h2>Against the baseline</h2>{plot}"
            f"<p>Differences are paired: both arms judge the same examples. The intervals of all "
            f"{len(found.arms)} comparisons hold together at {found.confidence_level:.0%}.</p>"
            f"<ul>{items}</ul>"
        )

    @property
    def calibration(self) -> Section:
        """Reliability diagrams."""
        plot = reliability_plot(self.evaluation)._repr_html_()
        return Section(
            "<h2>Do the probabilities mean what they say?</h2><p>Points on the dashed line: of "
            "the leads given 20 %, one in five converts. Bars are 95 % intervals.</p>" + plot
        )

    @property
    def frontier(self) -> Section:
        """Quality against cost."""
        plot = frontier_plot(self.evaluation, self.result.spec.primary_metric)._repr_html_()
        simulated = any(a.origin == "simulated" for a in self.evaluation.arms)
        note = (
            " Hollow points are answers of the simulated reader, priced as if the named model "
            "had given them."
            if simulated
            else ""
        )
        return Section(
            "<h2>What quality costs</h2><p>No arm on the dashed line is beaten in both quality "
            f"and cost. The time of this machine's own models is not priced.{note}</p>{plot}"
        )

    @property
    def claims(self) -> Section:
        """Claimed figures against measured ones."""
        rows = []
        for target in load_task(self.evaluation.info.task).targets:
            how = metric(target.metric)
            for arm in self.evaluation.arms:
                found = self.evaluation.measurements[arm.name, target.metric]
                timed = target.metric.startswith("latency")
                if found.n == 0 or (timed and arm.origin == "simulated"):
                    outcome = "not measured on Claude"
                else:
                    sign = 1 if how.higher_is_better else -1
                    low, high = sorted((sign * found.ci_lower, sign * found.ci_upper))
                    goal = sign * target.value
                    outcome = "met" if low >= goal else "not met" if high < goal else "open"
                rows.append(
                    (
                        _e(f"{how.title} {how.format(target.value)}"),
                        _e(target.claim),
                        _e(arm.name),
                        _e(self.evaluation.cell(arm.name, target.metric)),
                        _e(outcome),
                    )
                )
        if not rows:
            return Section("")
        return Section(
            "<h2>What is claimed, and what was measured</h2>"
            f"<p>Majority class on this data: {self.evaluation.majority_accuracy:.1%}.</p>"
            "<details><summary>Claims against every arm</summary>"
            + _table(("Claim", "By", "Arm", "Measured", "Claim is"), rows)
            + "</details>"
        )

    @property
    def slices(self) -> Section:
        """The primary metric within slices of the test set."""
        name = self.result.spec.primary_metric
        frame = self.evaluation.slices(name)
        if frame.empty:
            return Section(
                "<h2>Slices</h2><p>No slice has 50 examples with 10 of either class.</p>"
            )
        how = metric(name)
        parts = []
        for column, part in frame.groupby("slice", sort=False):
            rows = []
            for value, cells in part.groupby("value", sort=False):
                first = cells.iloc[0]
                by_arm = cells.set_index("arm")
                texts = [
                    f"{_e(how.format(by_arm.loc[a, 'estimate']))}<br><small>"
                    f"[{_e(how.format(by_arm.loc[a, 'ci_lower']))}, "
                    f"{_e(how.format(by_arm.loc[a, 'ci_upper']))}]</small>"
                    for a in self.evaluation.arm_names
                ]
                rows.append((_e(value), f"{first.n:,}", f"{first.base_rate:.1%}", *texts))
            head = (_e(column), "n", "Convert", *map(_e, self.evaluation.arm_names))
            parts.append(f"<h3>{_e(column)}</h3>" + _table(head, rows))
        return Section(
            f"<h2>Slices: {_e(how.title)} by group of leads</h2><p>Slices with fewer than 50 "
            "examples, or 10 of either class, are left out. Many intervals are shown, so a few "
            "will look different by chance.</p><details><summary>Show slices</summary>"
            + "".join(parts)
            + "</details>"
        )

    @property
    def beside(self) -> Section:
        """The same arms on further splits."""
        if not self.result.beside:
            return Section("")
        names = ["roc_auc", "log_loss", "ece", "lift_at_10"]
        parts = []
        for other in self.result.beside:
            rows = [
                (
                    _e(arm),
                    *(_e(other.cell(arm, n)) for n in names),
                    _e(self.evaluation.cell(arm, "roc_auc")),
                )
                for arm in other.arm_names
            ]
            shift = [c.text for c in caveats(other) if c.code == "WB-C03"]
            warning = "".join(f"<p class='caveat warning'>{_e(text)}</p>" for text in shift)
            head = ("Arm", *(metric(n).title for n in names), "ROC AUC above")
            parts.append(
                f"<h3>{_e(other.info.split)}</h3><p>{other.info.n_train:,} training and "
                f"{other.info.n_test:,} test examples; {other.info.train_base_rate:.1%} and "
                f"{other.info.test_base_rate:.1%} convert.</p>{warning}" + _table(head, rows)
            )
        return Section("<h2>The same arms on another split</h2>" + "".join(parts))

    @property
    def caveats(self) -> Section:
        """What a reader must know."""
        items = "".join(
            f"<li class='caveat {_e(c.severity)}'><code>{_e(c.code)}</code> {_e(c.text)}</li>"
            for c in caveats(self.evaluation)
        )
        return Section(f"<h2>Before you believe this</h2><ul class='caveats'>{items}</ul>")

    @property
    def provenance(self) -> Section:
        """Digests, versions and seeds: what is needed to get the same figures again."""
        info = self.evaluation.info
        facts = [
            ("Run", f"{self.result.spec.name} · {info.created_at}"),
            ("Task", f"{info.task}, version {info.task_version}"),
            (
                "Data",
                f"{info.dataset} {info.dataset_version}, licence {info.licence}, digest "
                f"{info.dataset_digest}",
            ),
            ("Split", info.split),
            ("Project", f"git {info.git_revision}"),
            ("Seeds", f"evaluation {info.random_state}, {info.n_resamples:,} resamples"),
            ("Repeats", f"{info.n_repeats} answer{'s' if info.n_repeats > 1 else ''} an example"),
            ("Prices", ", ".join(self._price_tables()) or "none used"),
            ("Software", ", ".join(f"{k} {v}" for k, v in info.versions.items())),
        ]
        rows = [(_e(k), _e(v)) for k, v in facts]
        arms = [
            (
                _e(a.name),
                _e(a.description),
                _e(a.strategy or "–"),
                f"<code>{_e(a.prompt_digest or '–')}</code>",
                _e(a.origin or "this machine"),
                f"{a.fit_s:.1f} s",
            )
            for a in self.evaluation.arms
        ]
        head = ("Arm", "What it is", "Strategy", "Prompt digest", "Answers from", "Fit")
        return Section(
            "<h2>Where this comes from</h2>"
            + _table(head, arms)
            + _table(("", ""), rows, css="facts")
        )

    def _price_tables(self) -> list[str]:
        tables: pd.Series = self.evaluation.records["price_table"].dropna()
        return sorted({part for text in tables.unique() for part in str(text).split(" + ")})
