"""The parts of a report, each shown as HTML in a notebook and in the exported page."""

from workbench.evaluation import ArmInfo, Evaluation, Verdict, caveats
from workbench.evaluation.anytime import anytime_measured
from workbench.evaluation.session import SpecResult
from workbench.reports.decisions import cascades_html, sequential_html
from workbench.reports.drawing import Plot
from workbench.reports.markup import Section, breakable, escape, figure, table
from workbench.reports.plots import frontier_plot, interval_plot, reliability_plot
from workbench.reports.provenance import arms_table, facts_table
from workbench.reports.verdict_parts import (
    VERDICT_CLASSES,
    badges_html,
    caveats_html,
    claim_word,
    gate_html,
    undecided_html,
    why_html,
)
from workbench.scorers import metric
from workbench.tasks import load_task

__all__ = ["Report"]


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
        self._primary = result.spec.primary_metric

    @property
    def badges(self) -> Section:
        """Where answers and data came from."""
        return Section(badges_html(self.evaluation))

    @property
    def head(self) -> Section:
        """Title, verdict, and every arm at a glance."""
        info, verdict = self.evaluation.info, self.verdict
        title = f"{load_task(info.task).title}: which arm to promote?"
        about = (
            f"{info.dataset_title} · {info.n_train:,} training and {info.n_test:,} test examples, "
            f"{info.split} · {info.test_base_rate:.1%} of the test examples convert"
        )
        css = VERDICT_CLASSES[verdict.decision]
        return Section(
            f"<h1>{escape(title)}</h1>{self.badges.text}<p class='about'>{escape(about)}</p>"
            f"<div class='verdict {css}'><p class='word'>{escape(verdict.decision)}</p>"
            f"<p class='headline'>{escape(verdict.headline)}</p>"
            f"{why_html(self.evaluation, verdict, self._sentences())}"
            f"{undecided_html(self.evaluation, 'Accuracy, latency and cost')}</div>{self._glance()}"
        )

    def _glance(self) -> str:
        rows = []
        how = metric(self._primary)
        for arm in self.evaluation.arms:
            if arm.name == self.verdict.baseline:
                judged, difference = "baseline", "–"
            else:
                found = self.verdict.arm(arm.name)
                word = self.verdict.word(arm.name)
                judged = f"<b class='{VERDICT_CLASSES[found.decision]}'>{escape(word)}</b>"
                bounds = self._difference(arm.name)
                difference = figure(*(how.format(v, signed=True) for v in bounds))
            rows.append(
                [
                    escape(arm.label),
                    judged,
                    self._figure(arm, self._primary),
                    difference,
                    self._figure(arm, "accuracy"),
                    self._figure(arm, "latency_p95_s"),
                    self._figure(arm, "cost_per_1000_usd"),
                ]
            )
        head = (
            "Arm",
            "Verdict",
            how.title,
            f"from {breakable(self.verdict.baseline)}",
            "Accuracy",
            "Latency p95",
            "Cost per 1,000",
        )
        info = self.evaluation.info
        return (
            table(head, rows, css="glance")
            + f"<p class='about'>Brackets are {info.confidence_level:.0%} intervals; differences "
            "are paired and their intervals hold together. Always answering the more frequent "
            f"class is right <b>{self.evaluation.majority_accuracy:.1%}</b> of the time.</p>"
        )

    def _difference(self, arm: str) -> tuple[float, float, float]:
        """Difference from the baseline with its interval, one that holds as the run ended."""
        found = None
        if self.evaluation.sequential:
            found = anytime_measured(self.evaluation, arm, self._primary, difference=True)
        if found is not None:
            return found.estimate, found.ci_lower, found.ci_upper
        d = self.evaluation.compare(self._primary)[arm].difference
        return d.difference, d.ci_lower, d.ci_upper

    def _sentences(self) -> dict[str, str]:
        """Each arm against the baseline in words."""
        if self._primary == self.evaluation.info.stop_metric:
            decided = self.evaluation.sequential.items()
            return {arm: result.sentence() for arm, result in decided}
        found = self.evaluation.compare(self._primary)
        return {a.arm: found.sentence(a.arm) for a in found.arms}

    def _figure(self, arm: ArmInfo, name: str) -> str:
        found, how = self.evaluation.measurements[arm.name, name], metric(name)
        if found.n == 0 or (how.unit == "s" and arm.simulated):
            return escape(self.evaluation.cell(arm.name, name))
        return figure(*(how.format(v) for v in (found.estimate, found.ci_lower, found.ci_upper)))

    @property
    def arms(self) -> Section:
        """Verdict on each arm, with the rules behind it."""
        return Section(gate_html(self.verdict))

    @property
    def caveats(self) -> Section:
        """What a reader must know."""
        return Section(caveats_html(caveats(self.evaluation)))

    @property
    def comparison(self) -> Section:
        """Differences from the baseline as sentences, and the interval plot."""
        sentences, level = self._sentences(), self.evaluation.info.confidence_level
        items = "".join(f"<li>{escape(sentence)}</li>" for sentence in sentences.values())
        hold = f"The intervals of all {len(sentences)} comparisons hold together at {level:.0%}."
        if self.evaluation.sequential and self._primary != self.evaluation.info.stop_metric:
            hold = "Their intervals are made for a fixed number of examples (WB-C10)."
        return Section(
            f"<h2>Against the baseline</h2>{_shown(interval_plot(self.evaluation, self._primary))}"
            "<p>Differences are paired: both arms judge the same examples. "
            f"{hold}</p><ul>{items}</ul>"
        )

    @property
    def figures(self) -> Section:
        """Every arm by every metric."""
        quality = ("roc_auc", "average_precision", "log_loss", "brier", "ece", "lift_at_10")
        right = ("accuracy", "error_rate", "abstain_rate")
        working = ("latency_p50_s", "latency_p95_s", "latency_p99_s")
        money = ("cost_per_1000_usd", "cost_per_correct_usd", "retry_rate")
        info, groups = self.evaluation.info, self.evaluation.scores.groups
        clustered = "" if groups is None else f", clustered by {len(set(groups)):,} groups"
        timed = [a.name for a in self.evaluation.arms if not a.simulated]
        counts = (self.evaluation.measurements[a, working[0]].n for a in timed)
        measured = max(counts, default=0)
        return Section(
            "<h2>Accuracy, latency and cost</h2>"
            f"<p>n = {info.n_test:,} test examples; brackets are {info.confidence_level:.0%} "
            f"intervals{clustered}.</p>{self._metrics(quality)}{self._metrics(right)}"
            f"<p>Accuracy of the majority class: <b>{self.evaluation.majority_accuracy:.1%}</b>. "
            f"Latency is that of single predictions (up to {measured:,} of them an arm), not of a "
            f"batch divided by its size.</p>{self._metrics(working)}{self._streamed()}"
            f"{self._metrics(money)}{self._training()}"
        )

    def _streamed(self) -> str:
        names = ("ttft_p50_s", "ttft_p95_s")
        measured = self.evaluation.measurements
        streamed = any(measured[arm, names[0]].n for arm in self.evaluation.arm_names)
        return self._metrics(names) if streamed else ""

    def _metrics(self, names: tuple[str, ...]) -> str:
        rows = [
            [escape(arm.label), *(self._figure(arm, name) for name in names)]
            for arm in self.evaluation.arms
        ]
        ceiling = self.evaluation.info.ceiling or {}
        if any(n in ceiling for n in names):
            known = (escape(metric(n).format(ceiling[n])) if n in ceiling else "" for n in names)
            rows.append(["<i>true probabilities</i>", *known])
        titles = [
            f"<abbr title='{escape(metric(n).meaning)}'>{escape(metric(n).title)}</abbr>"
            for n in names
        ]
        return table(["Arm", *titles], rows)

    def _training(self) -> str:
        return "".join(
            f"<p>Fitting <b>{escape(a.label)}</b> took {a.n_fit_answers:,} answers on its training "
            f"part, ${a.fit_cost_usd:,.2f} once; not part of the cost above.</p>"
            for a in self.evaluation.arms
            if a.n_fit_answers
        )

    @property
    def calibration(self) -> Section:
        """Reliability diagrams."""
        return Section(
            "<h2>Do the probabilities mean what they say?</h2><p>Points on the dashed line: of "
            "the leads given 20 %, one in five converts. Bars are 95 % intervals.</p>"
            + _shown(reliability_plot(self.evaluation))
        )

    @property
    def frontier(self) -> Section:
        """Quality against cost."""
        simulated = any(a.simulated for a in self.evaluation.arms)
        note = (
            " Hollow points are the simulated reader's, priced as if the named model had answered."
            if simulated
            else ""
        )
        return Section(
            "<h2>What quality costs</h2><p>No arm on the dashed line is beaten in both quality "
            f"and cost. The time of this machine's own models is not priced.{note}</p>"
            + _shown(frontier_plot(self.evaluation, self._primary))
        )

    @property
    def cascades(self) -> Section:
        """What cascades save; empty without one."""
        return Section(cascades_html(self.evaluation, self.result.spec))

    @property
    def sequential(self) -> Section:
        """When asking stopped, and why; empty where everything was asked."""
        return Section(sequential_html(self.evaluation))

    @property
    def claims(self) -> Section:
        """Claimed figures against measured ones."""
        targets = load_task(self.evaluation.info.task).targets
        rows = []
        for arm in self.evaluation.arms:
            cells = []
            for target in targets:
                outcome = claim_word(self.evaluation, arm, target.metric, target.value)
                cell = escape(self.evaluation.cell(arm.name, target.metric))
                cells.append(f"<b>{outcome}</b><br><small>{cell}</small>")
            rows.append([escape(arm.label), *cells])
        head = [
            f"{escape(metric(t.metric).title)} {escape(metric(t.metric).format(t.value))}"
            f"<br><small>{escape(t.claim)}</small>"
            for t in targets
        ]
        return Section(
            "<h2>What is claimed, and what was measured</h2>"
            f"<p>Majority class on this data: {self.evaluation.majority_accuracy:.1%} accuracy."
            f"</p>{table(['Arm', *head], rows)}"
        )

    @property
    def slices(self) -> Section:
        """The primary metric within slices of the test set."""
        how, frame = metric(self._primary), self.evaluation.slices(self._primary)
        parts = []
        for column, part in frame.groupby("slice", sort=False):
            rows = []
            for value, cells in part.groupby("value", sort=False):
                first, by_arm = cells.iloc[0], cells.set_index("arm")
                shown = [
                    figure(*(how.format(by_arm.loc[a, k]) for k in _BOUNDS))
                    for a in self.evaluation.arm_names
                ]
                rows.append((escape(value), f"{first.n:,}", f"{first.base_rate:.1%}", *shown))
            labels = [breakable(a.label) for a in self.evaluation.arms]
            parts.append(
                f"<h3>{escape(column)}</h3>"
                + table(("Slice", "n", "Convert", *labels), rows, css="narrow")
            )
        tables = (
            f"<details><summary>Show slices</summary>{''.join(parts)}</details>"
            if parts
            else "<p>None is large enough.</p>"
        )
        return Section(
            f"<h2>Slices: {escape(how.title)} by group of leads</h2><p>Slices with fewer than 50 "
            "examples, or 10 of either class, are left out. Many intervals are shown, so a few "
            f"will look different by chance.</p>{tables}"
        )

    @property
    def beside(self) -> Section:
        """The same arms on further splits."""
        names = ("roc_auc", "log_loss", "ece", "lift_at_10")
        parts = []
        for other in self.result.beside:
            rows = [
                [
                    escape(arm.label),
                    *(escape(other.cell(arm.name, n)) for n in names),
                    escape(self.evaluation.cell(arm.name, "roc_auc")),
                ]
                for arm in other.arms
            ]
            shift = [c.text for c in caveats(other) if c.code == "WB-C03"]
            warning = "".join(f"<p class='caveat warning'>{escape(text)}</p>" for text in shift)
            head = ("Arm", *(metric(n).title for n in names), "ROC AUC above")
            parts.append(
                f"<h3>{escape(other.info.split)}</h3><p>{other.info.n_train:,} training and "
                f"{other.info.n_test:,} test examples; {other.info.train_base_rate:.1%} and "
                f"{other.info.test_base_rate:.1%} convert.</p>{warning}" + table(head, rows)
            )
        if not parts:
            return Section("")
        return Section("<h2>The same arms on another split</h2>" + "".join(parts))

    @property
    def provenance(self) -> Section:
        """Digests, versions and seeds: what is needed to get the same figures again."""
        return Section(
            "<h2>Where this comes from</h2>"
            + arms_table(self.evaluation)
            + facts_table(self.evaluation, self.result.spec.name)
        )


_BOUNDS = ("estimate", "ci_lower", "ci_upper")


def _shown(plot: Plot) -> str:
    return plot._repr_html_()
