"""The parts of a report on readers of texts, each shown as HTML in a notebook and on the page."""

from dataclasses import replace

from workbench.evaluation import ArmInfo, Verdict
from workbench.evaluation.readings import ReadingEvaluation
from workbench.evaluation.readings.caveats import reading_caveats
from workbench.evaluation.readings.session import ReadingResult
from workbench.reports.error_sections import errors_section
from workbench.reports.markup import Section, breakable, escape, figure, table
from workbench.reports.plots import frontier_plot, interval_plot
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
from workbench.tasks import Task, load_task

__all__ = ["ReadingReport"]

_BOUNDS = ("estimate", "ci_lower", "ci_upper")
_WORKING = ("latency_p50_s", "latency_p95_s", "latency_p99_s")
_MONEY = ("cost_per_1000_usd", "cost_per_correct_usd", "error_rate", "abstain_rate", "retry_rate")


class ReadingReport:
    """The sections of a report on one spec for readers.

    Parameters
    ----------
    result
        What the spec came to.
    """

    def __init__(self, result: ReadingResult) -> None:
        self.result = result
        self.evaluation: ReadingEvaluation = result.evaluation
        self.verdict: Verdict = result.verdict
        self._primary = self.evaluation.info.metrics[0]
        self._task: Task = load_task(self.evaluation.info.task)

    @property
    def head(self) -> Section:
        """Title, verdict, and every arm at a glance."""
        info, verdict = self.evaluation.info, self.verdict
        asked = ", ".join(f.name.replace("_", " ") for f in info.fields)
        about = (
            f"{info.dataset_title} · {info.n_train:,} training and {info.n_test:,} test texts · "
            f"asked: {asked}"
        )
        css = VERDICT_CLASSES[verdict.decision]
        compared = self.evaluation.compare()
        sentences = {a.arm: compared.sentence(a.arm) for a in compared.arms}
        return Section(
            f"<h1>{escape(info.task_title)}: which arm to promote?</h1>"
            f"{badges_html(self.evaluation)}<p class='about'>{escape(about)}</p>"
            f"<div class='verdict {css}'><p class='word'>{escape(verdict.decision)}</p>"
            f"<p class='headline'>{escape(verdict.headline)}</p>"
            f"{why_html(self.evaluation, verdict, sentences)}"
            f"{undecided_html(self.evaluation, 'Quality, latency and cost')}</div>{self._glance()}"
        )

    def _glance(self) -> str:
        how, compared = metric(self._primary), self.evaluation.compare()
        shown = self.evaluation.info.metrics[1:3]
        rows = []
        for arm in self.evaluation.arms:
            if arm.name == self.verdict.baseline:
                judged, difference = "baseline", "–"
            else:
                found = self.verdict.arm(arm.name)
                css = VERDICT_CLASSES[found.decision]
                judged = f"<b class='{css}'>{escape(self.verdict.word(arm.name))}</b>"
                d = compared[arm.name].difference
                bounds = (d.difference, d.ci_lower, d.ci_upper)
                difference = figure(*(how.format(v, signed=True) for v in bounds))
            names = (*shown, "latency_p95_s", "cost_per_1000_usd")
            rows.append(
                [
                    escape(arm.label),
                    judged,
                    self._figure(arm, self._primary),
                    difference,
                    *(self._figure(arm, name) for name in names),
                ]
            )
        head = (
            "Arm",
            "Verdict",
            how.title,
            f"from {breakable(self.verdict.baseline)}",
            *(metric(n).title for n in shown),
            "Latency p95",
            "Cost per 1,000",
        )
        level = self.evaluation.info.confidence_level
        return (
            table(head, rows, css="glance narrow")
            + f"<p class='about'>Brackets are {level:.0%} intervals; differences are paired and "
            "their intervals hold together.</p>"
        )

    def _figure(self, arm: ArmInfo, name: str) -> str:
        found, how = self.evaluation.measurements[arm.name, name], metric(name)
        cell = self.evaluation.cell(arm.name, name)
        if found.n == 0 or " [" not in cell:
            return escape(cell)
        return figure(*(how.format(v) for v in (found.estimate, found.ci_lower, found.ci_upper)))

    @property
    def arms(self) -> Section:
        """Verdict on each arm, with the rules behind it."""
        return Section(gate_html(self.verdict))

    @property
    def caveats(self) -> Section:
        """What a reader must know."""
        return Section(caveats_html(reading_caveats(self.evaluation)))

    @property
    def comparison(self) -> Section:
        """Differences from the baseline as sentences, and the interval plot."""
        compared, level = self.evaluation.compare(), self.evaluation.info.confidence_level
        items = "".join(f"<li>{escape(compared.sentence(a.arm))}</li>" for a in compared.arms)
        plot = interval_plot(self.evaluation, self._primary)
        return Section(
            f"<h2>Against the baseline</h2>{plot._repr_html_()}<p>Differences are paired: both "
            f"arms read the same texts. The intervals of all {len(compared.arms)} comparisons "
            f"hold together at {level:.0%}.</p><ul>{items}</ul>"
        )

    @property
    def figures(self) -> Section:
        """Every arm by every metric, a table a field."""
        info = self.evaluation.info
        parts = []
        for asked in info.fields:
            mine = [n for n in info.metrics if n.startswith(f"{asked.name}/")]
            if mine:
                parts.append(
                    f"<h3>{escape(asked.name.replace('_', ' '))}</h3><p class='about'>"
                    f"{escape(asked.meaning)}.</p>{self._metrics(mine)}"
                )
        groups = self.evaluation.grid.groups
        clustered = "" if groups is None else f", over {len(set(groups)):,} groups"
        return Section(
            f"<h2>Quality, latency and cost</h2><p>n = {info.n_test:,} test texts; brackets are "
            f"{info.confidence_level:.0%} bootstrap intervals{clustered}.</p>{''.join(parts)}"
            "<h3>working</h3><p>Latency is that of single texts, not of a batch divided by its "
            f"size.</p>{self._metrics(_WORKING)}{self._metrics(_MONEY)}"
        )

    def _metrics(self, names: tuple[str, ...] | list[str]) -> str:
        rows = [
            [escape(arm.label), *(self._figure(arm, name) for name in names)]
            for arm in self.evaluation.arms
        ]
        ceiling = self.evaluation.info.ceiling or {}
        if any(n in ceiling for n in names):
            known = (escape(metric(n).format(ceiling[n])) if n in ceiling else "" for n in names)
            rows.append(["<i>who knows the truth</i>", *known])
        titles = [
            f"<abbr title='{escape(metric(n).meaning)}'>{escape(_short(n))}</abbr>" for n in names
        ]
        return table(["Arm", *titles], rows, css="narrow")

    @property
    def frontier(self) -> Section:
        """Quality against cost."""
        simulated = any(a.simulated for a in self.evaluation.arms)
        told = (
            " Hollow points are the simulated reader's, priced as if the named model had answered."
            if simulated
            else ""
        )
        plot = frontier_plot(self.evaluation, self._primary)
        return Section(
            "<h2>What quality costs</h2><p>No arm on the dashed line is beaten in both quality "
            f"and cost. The time of this machine's own models is not priced.{told}</p>"
            f"{plot._repr_html_()}"
        )

    @property
    def claims(self) -> Section:
        """Claimed figures against measured ones; empty where nothing is claimed."""
        targets = [t for t in self._task.targets if (self._first, t.metric) in self._measured]
        if not targets:
            return Section("")
        rows = []
        for arm in self.evaluation.arms:
            cells = (
                f"<b>{claim_word(self.evaluation, arm, t.metric, t.value)}</b><br>"
                f"<small>{escape(self.evaluation.cell(arm.name, t.metric))}</small>"
                for t in targets
            )
            rows.append([escape(arm.label), *cells])
        head = [
            f"{escape(metric(t.metric).title)} {escape(metric(t.metric).format(t.value))}"
            f"<br><small>{escape(t.claim)}</small>"
            for t in targets
        ]
        return Section(
            "<h2>What is claimed, and what was measured</h2>"
            + table(["Arm", *head], rows, css="narrow")
        )

    @property
    def _first(self) -> str:
        return self.evaluation.arm_names[0]

    @property
    def _measured(self) -> set[tuple[str, str]]:
        return set(self.evaluation.measurements)

    @property
    def slices(self) -> Section:
        """The primary metric within slices of the test texts."""
        how, frame = metric(self._primary), self.evaluation.slices()
        parts = []
        for column, part in frame.groupby("slice", sort=False):
            rows = []
            for value, cells in part.groupby("value", sort=False):
                by_arm = cells.set_index("arm")
                shown = [
                    figure(*(how.format(by_arm.loc[a, k]) for k in _BOUNDS))
                    for a in self.evaluation.arm_names
                ]
                rows.append((escape(value), f"{int(cells['n'].iloc[0]):,}", *shown))
            labels = [breakable(a.label) for a in self.evaluation.arms]
            parts.append(
                f"<h3>{escape(column)}</h3>" + table(("Slice", "n", *labels), rows, css="narrow")
            )
        tables = (
            f"<details><summary>Show slices</summary>{''.join(parts)}</details>"
            if parts
            else "<p>None is large enough.</p>"
        )
        return Section(
            f"<h2>Slices: {escape(how.title)} by kind of text</h2><p>Slices with fewer than 50 "
            "texts are left out. Many intervals are shown, so a few will look different by chance."
            f"</p>{tables}"
        )

    @property
    def errors(self) -> Section:
        """Confusions, groups of failures, weak slices and disagreements, with sealed texts."""
        shown = self.result.spec.show_texts
        if shown is None:
            shown = self.evaluation.info.dataset_kind == "simulated"
        # What real people wrote leaves the notebook only where a spec says so.
        return errors_section(self.evaluation if shown else replace(self.evaluation, corpus=None))

    @property
    def provenance(self) -> Section:
        """Digests, versions and seeds: what is needed to get the same figures again."""
        notes = self.evaluation.info.notes
        told = f"<p class='about'>{escape(notes)}</p>" if notes else ""
        return Section(
            f"<h2>Where this comes from</h2>{told}"
            + arms_table(self.evaluation)
            + facts_table(self.evaluation, self.result.spec.name)
        )


def _short(name: str) -> str:
    """Title of a metric without the field its table is about."""
    return metric(name).title.rpartition(" of ")[0] if "/" in name else metric(name).title
