"""An experiment as sections of a page: what a notebook shows and a reader reads."""

import html
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from workbench.abtest.attribution import Attribution
from workbench.abtest.explain import why_this_wide
from workbench.abtest.insights import insights
from workbench.abtest.metrics import Role
from workbench.abtest.money import money_value
from workbench.abtest.monitor import Monitoring
from workbench.abtest.plots import effect_chart, ratio_chart, segment_chart
from workbench.abtest.plots_course import boundary_chart, course_chart
from workbench.abtest.plots_style import Chart
from workbench.abtest.policy import PolicyReport
from workbench.abtest.rendering import figure_text
from workbench.abtest.report_claims import CLAIMED_RATES, claim_tests
from workbench.abtest.report_worth import attribution_section, returns_section
from workbench.abtest.results import Analysis, ArmDecision, ArmEffect
from workbench.abtest.simulate_mistakes import simulate_mistakes
from workbench.abtest.simulate_world import Truth
from workbench.abtest.value import Return
from workbench.documents import to_json

__all__ = ["ExperimentReport", "Part"]

_CLASSES = {"promote": "promote", "reject": "reject", "cannot decide": "undecided"}
_ROLES: tuple[Role, ...] = ("primary", "guardrail", "secondary")
_SEVERITIES = {"blocks": "grave", "alarm": "grave"}


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of HTML that displays itself."""

    text: str

    def _repr_html_(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class ExperimentReport:
    """The page of one experiment.

    Parameters
    ----------
    analysis
        What it came to.
    monitoring
        How it got there; None where units have no time.
    truth
        What is true, of a simulated experiment; None of a real one.
    source
        Where the data come from, in words.
    policy
        A policy learnt from the experiment's own propensities; None without them.
    attribution
        What touches brought; None without them.
    returns, costs_from
        What arms return, and where their costs come from; empty without costs.
    """

    analysis: Analysis
    monitoring: Monitoring | None = None
    truth: Truth | None = None
    source: str = ""
    policy: PolicyReport | None = None
    attribution: Attribution | None = None
    returns: tuple[Return, ...] = ()
    costs_from: str = ""

    @property
    def head(self) -> Part:
        """Name, origin of the data, and what to do with every arm."""
        a = self.analysis
        origin = (
            "<span class='badge data-simulated'>simulated data: nothing here is about real leads"
            "</span>"
            if self.truth is not None
            else "<span class='badge data-real'>recorded data</span>"
        )
        about = (
            f"{sum(a.n_units.values()):,} {a.design.unit}s in {len(a.n_units)} arms · as of"
            f" {a.as_of:%Y-%m-%d} · {'registered' if a.registered else 'not registered'} design"
            f" {a.sha256[:12]}"
        )
        boxes = "".join(_box(d) for d in a.decisions)
        description = f"<p>{_text(a.design.description)}</p>" if a.design.description else ""
        return Part(
            f"<h1>{_text(a.design.name)}</h1><p>{origin}</p><p class='about'>{_text(about)}</p>"
            f"{description}{boxes}"
        )

    @property
    def findings(self) -> Part:
        """What a reader must know first, the sample ratio above all."""
        a = self.analysis
        items = [(str(f.severity), f.code, f"{f.what} {f.fix}") for f in a.findings]
        if self.monitoring is not None:
            items += [(x.severity, x.code, f"{x.text}.") for x in self.monitoring.alerts]
        listed = "".join(
            f"<li class='caveat {_SEVERITIES.get(severity, severity)}'><code>{code}</code>"
            f" {_text(what)}</li>"
            for severity, code, what in items
        )
        return Part(
            f"<h2>Before you believe this</h2><p>{_text(a.ratio.sentence[:1].upper())}"
            f"{_text(a.ratio.sentence[1:])}</p>"
            f"{self._shown('sample-ratio')}<ul class='caveats'>{listed}</ul>"
        )

    @property
    def effects(self) -> Part:
        """Every metric, in pictures and in one table."""
        charts = self._shown("effects-")
        head = (
            "Metric", "Arm", "Control →<br>arm", "Difference", "p,<br>corrected", "Unad-<br>justed",
            "Without the<br>winner's curse", "Verdict",
        )  # fmt: skip
        rows = [
            (
                f"{_text(e.metric)}<br><small>{e.role}</small>",
                _text(e.arm),
                f"{figure_text(e.kind, e.effect.control)} → "
                f"{figure_text(e.kind, e.effect.treatment)}{_lift(e)}",
                _interval(e) + _independent(e),
                "–" if math.isnan(e.pvalue_adjusted) else f"{e.pvalue_adjusted:.2g}",
                "–" if e.raw == e.effect else _signed(e, e.raw.difference),
                "–" if e.corrected is None else _signed(e, e.corrected.estimate),
                e.verdict,
            )
            for e in self.analysis.effects
        ]
        return Part(f"<h2>Effects</h2>{charts}{_table(head, rows)}")

    @property
    def widths(self) -> Part:
        """Why the primary intervals are as wide as they are."""
        rows = []
        for e in self.analysis.effects:
            if e.role != "primary" or not 0 < e.ci_upper - e.ci_lower < math.inf:
                continue
            found = why_this_wide(e)
            told = "".join(f"<br>× {f.factor:.2f} {_text(f.sentence)}" for f in found.factors)
            start, end = (_signed(e, w).lstrip("+") for w in (found.start, found.end))
            rows.append(
                (_text(e.metric), _text(e.arm), f"± {start} {_text(found.start_means)}{told}",
                 f"± {end}")
            )  # fmt: skip
        if not rows:
            return Part("")
        head = (
            "Metric",
            "Arm",
            "From independent units to the interval that decides",
            "Half-width",
        )
        return Part(f"<h2>Why intervals are this wide</h2>{_table(head, rows, css='words')}")

    @property
    def course(self) -> Part:
        """How the experiment went, look by look, and what to do now."""
        m = self.monitoring
        if m is None:
            return Part("")
        advice = _table(
            ("Arm", "Advice", "Why"),
            [
                (_text(x.arm), f"<b>{x.action}</b>", f"<code>{x.code}</code> {_text(x.reason)}")
                for x in m.advice
            ],
            css="wide-last",
        )
        charts = self._shown("boundary-", "course-")
        return Part(
            f"<h2>Look by look</h2><p>{m.looks} looks. The bounds hold at all of them together: "
            f"one may look every day and stop when they decide.</p>{advice}{charts}"
        )

    @property
    def segments(self) -> Part:
        """Where effects differ."""
        a = self.analysis
        charts = self._shown("segments-")
        if not charts:
            return Part("")
        n = len([s for s in a.segments if s.differs])
        return Part(
            f"<h2>For whom</h2><p>Effects differ in {n} of {len(a.segments)} tests, corrected for "
            f"how many there are.</p>{charts}"
        )

    @property
    def insights(self) -> Part:
        """Sentences whose every figure was recomputed from the analysis."""
        found = insights(self.analysis)
        items = "".join(f"<li>{_text(i.sentence)}</li>" for i in found)
        return Part(
            "<h2>In words</h2><p class='about'>Every figure below was checked against the analysis."
            f"</p><ul>{items}</ul>"
        )

    @property
    def worth(self) -> Part:
        """What effects are worth in money, where the design says what a metric is worth."""
        a = self.analysis
        n = sum(a.n_units.values())
        rows = []
        for e in a.effects:
            if a.design.metrics[e.metric].usd is None or e.verdict == "no data":
                continue
            found = money_value(a.design, e, n)
            rows.append(
                (
                    _text(e.arm), _text(e.metric),
                    f"{found.value_usd:+,.0f} USD<br><small>[{found.ci_lower_usd:+,.0f},"
                    f" {found.ci_upper_usd:+,.0f}]</small>",
                    f"{found.corrected_usd:+,.0f} USD", e.verdict,
                )
            )  # fmt: skip
        if not rows:
            return Part("")
        head = ("Arm", "Metric", "Worth", "Without the<br>winner's curse", "Verdict")
        return Part(
            f"<h2>What it is worth</h2><p>Had all {n:,} {a.design.unit}s of this experiment got the"
            f" arm, before costs, once: nothing is annualised.</p>{_table(head, rows)}"
        )

    @property
    def returned(self) -> Part:
        """What arms return on what they cost, where costs are known."""
        return Part(returns_section(self.returns, self.costs_from) if self.costs_from else "")

    @property
    def attributed(self) -> Part:
        """What touches brought, estimates beside the rules of thumb."""
        return Part("" if self.attribution is None else attribution_section(self.attribution))

    @property
    def learning(self) -> Part:
        """What a learned policy is worth beside one strategy for all."""
        p = self.policy
        if p is None:
            return Part("")
        rows = [
            (
                _text(name), f"{v.estimate:.2%}", f"[{v.ci_lower:.2%}, {v.ci_upper:.2%}]",
                f"{v.effective_n:,.0f}",
            )
            for name in dict.fromkeys(row.policy for row in p.rows)
            for v in (p.value(name),)
        ]  # fmt: skip
        shares = ", ".join(
            f"{name} {share:.0%}"
            for name, share in zip(p.policy.strategies, p.shares, strict=True)
            if share
        )
        warned = "".join(f"<li class='caveat warning'>{_text(w)}</li>" for w in p.warnings)
        head = ("Policy", "Converts", "95 % interval", "Effective decisions")
        return Part(
            f"<h2>The right strategy for each lead</h2><p>{_text(p.sentence())} It gives {shares}."
            f"</p>{_table(head, rows)}<ul class='caveats'>{warned}</ul>"
        )

    @property
    def mistakes(self) -> Part:
        """What peeking, ignored clusters and broken randomisation would have done."""
        if self.truth is None:
            return Part("")
        return Part(f"<h2>What would go wrong</h2>{simulate_mistakes()._repr_html_()}")

    @property
    def claims(self) -> Part:
        """Claimed conversion rates of the strategies: open, and what would test them."""
        if not set(self.analysis.design.arms) <= set(CLAIMED_RATES):
            return Part("")
        rows = [
            (
                f"{t.better} over {t.worse}", f"{100 * t.difference:+.1f} pp",
                f"{t.n_per_arm:,}", f"{t.n_corrected:,}", "open",
            )
            for t in claim_tests()
        ]  # fmt: skip
        listed = ", ".join(f"{name} {rate:.1%}" for name, rate in CLAIMED_RATES.items())
        head = ("Claim", "Difference", "Leads an arm", "with all pairs", "Outcome")
        return Part(
            f"<h2>What is claimed</h2><p>Claimed: {listed}. These are far above usual conversion"
            " rates of leads, and come without sample sizes. To test each order at 5 % with power"
            f" 80 %:</p>{_table(head, rows)}"
        )

    @property
    def beside_truth(self) -> Part:
        """What was found beside what is true: for simulated experiments only."""
        if self.truth is None:
            return Part("")
        rows = []
        for e in self.analysis.effects:
            if e.metric != "converted":
                continue
            as_run, rolled_out = (
                self.truth.effect(e.arm, e.control, of=of) for of in ("as_run", "rolled_out")
            )
            inside = e.ci_lower <= as_run <= e.ci_upper
            rows.append(
                (
                    _text(e.arm), _interval(e), _signed(e, as_run), "yes" if inside else "no",
                    _signed(e, rolled_out),
                )
            )  # fmt: skip
        head = ("Arm", "Found", "True, as run", "Covered", "True, rolled out to all")
        return Part(
            "<h2>What is true</h2><p>The data are simulated, so the effects are known. Rolled out"
            " to all, strategies also act through other leads of the same agent.</p>"
            + _table(head, rows)
        )

    def to_dict(self) -> dict[str, Any]:
        """The analysis as plain values, with what touches brought and what arms return."""
        credited = self.attribution.credits if self.attribution else ()
        return {
            **self.analysis.to_dict(),
            "attribution": [c._asdict() for c in credited],
            "returns": [r._asdict() | {"value": r.value._asdict()} for r in self.returns],
        }

    def to_markdown(self) -> str:
        """The analysis as text, with what touches brought and what arms return."""
        text = self.analysis.to_markdown()
        for heading, said in (
            (f"Returns (costs {self.costs_from})", [r.sentence for r in self.returns]),
            ("What touches brought", self.attribution.sentences() if self.attribution else ()),
        ):
            if said:
                text += f"\n**{heading}**\n\n" + "".join(f"- {one}\n" for one in said)
        return text

    def save(self, folder: Path | str) -> None:
        """Write the analysis, the course and every chart into a folder.

        Parameters
        ----------
        folder
            Made where it is missing.
        """
        target = Path(folder)
        target.mkdir(parents=True, exist_ok=True)
        (target / "analysis.json").write_text(self.analysis.to_json(), encoding="utf-8")
        if self.monitoring is not None:
            text = to_json(self.monitoring.to_dict())
            (target / "monitoring.json").write_text(text, encoding="utf-8")
        if self.attribution is not None:
            self.attribution.to_frame().to_json(target / "attribution.json", orient="records")
        if self.returns:
            text = to_json([r._asdict() | {"value": r.value._asdict()} for r in self.returns])
            (target / "returns.json").write_text(text, encoding="utf-8")
        for name, chart in self.charts().items():
            chart.save(target / f"{name}.png")

    def charts(self) -> dict[str, Chart]:
        """Every chart by a name for its file: what goes onto slides."""
        return {name: make() for name, make in self._makers().items()}

    def _makers(self) -> dict[str, Callable[[], Chart]]:
        a, m = self.analysis, self.monitoring
        found: dict[str, Callable[[], Chart]] = {"sample-ratio": partial(ratio_chart, a)}
        for role in _ROLES:
            if any(e.role == role and e.verdict != "no data" for e in a.effects):
                found[f"effects-{role}"] = partial(effect_chart, a, role=role)
        followed = {row.metric for row in m.path} if m else set()
        for metric in a.design.metrics_of("primary"):
            if m is not None and metric in followed:
                if not all(math.isnan(r.critical) for r in m.path if r.metric == metric):
                    found[f"boundary-{_slug(metric)}"] = partial(boundary_chart, m, metric)
                found[f"course-{_slug(metric)}"] = partial(course_chart, m, metric)
            for segment in a.design.segments:
                name = f"segments-{_slug(metric)}-{_slug(segment)}"
                found[name] = partial(segment_chart, a, metric, segment)
        return found

    def _shown(self, *starts: str) -> str:
        return "".join(
            f"<p>{make()._repr_html_()}</p>"
            for name, make in self._makers().items()
            if name.startswith(starts)
        )

    @property
    def provenance(self) -> Part:
        """Where this comes from."""
        a = self.analysis
        rows = [
            ("Data", _text(self.source or "a table")),
            ("Design", f"<code>{a.sha256}</code>"),
            ("As of", _text(a.as_of.isoformat())),
            ("Comparison", _text(_how(a))),
        ]
        return Part("<h2>Where this comes from</h2>" + _table(("", ""), rows, css="facts words"))


def _box(decision: ArmDecision) -> str:
    reasons = "".join(f"<p>{_text(reason)}</p>" for reason in decision.reasons[:3])
    return (
        f"<div class='verdict {_CLASSES[decision.decision]}'><p class='word'>{_text(decision.arm)}:"
        f" {decision.decision}</p>{reasons}</div>"
    )


def _how(a: Analysis) -> str:
    d = a.design
    looks = {
        "fixed": "one look at the end",
        "always_valid": "any number of looks",
        "group_sequential": "planned looks",
    }[d.sequential.kind]
    clusters = (
        "" if d.cluster is None else f", robust to what units of one {d.cluster.column} share"
    )
    return (
        f"against {d.control}, {looks}, error rate {d.alpha:.0%} corrected by {d.multiplicity}"
        f"{clusters}"
    )


def _text(value: object) -> str:
    return html.escape(str(value), quote=True)


def _signed(e: ArmEffect, value: float) -> str:
    return figure_text(e.kind, value, signed=True)


def _interval(e: ArmEffect) -> str:
    return (
        f"{_signed(e, e.effect.difference)}<br><small>[{_signed(e, e.ci_lower)},"
        f" {_signed(e, e.ci_upper)}]</small>"
    )


def _lift(e: ArmEffect) -> str:
    """The relative effect, in the direction of the difference; nothing where it means nothing."""
    if not math.isfinite(e.effect.lift_ci_upper - e.effect.lift_ci_lower):
        return ""
    return f"<br><small>{e.effect.lift:+,.1%}</small>"


def _independent(e: ArmEffect) -> str:
    """The plain interval beside one that allows for clusters: which is which, in words."""
    u = e.unclustered
    if u is None:
        return ""
    return (
        f"<br><small>as if independent<br>[{_signed(e, u.ci_lower)},"
        f" {_signed(e, u.ci_upper)}]</small>"
    )


def _slug(name: str) -> str:
    return "".join(c if c.isalnum() else "-" for c in name)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]], css: str = "") -> str:
    top = "".join(f"<th scope='col'>{cell}</th>" for cell in head)
    body = "".join(
        f"<tr><th scope='row'>{row[0]}</th>" + "".join(f"<td>{c}</td>" for c in row[1:]) + "</tr>"
        for row in rows
    )
    return (
        f"<div class='scroll'><table class='wb {css}'><thead><tr>{top}</tr></thead>"
        f"<tbody>{body}</tbody></table></div>"
    )
