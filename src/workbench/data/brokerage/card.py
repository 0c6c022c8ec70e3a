"""The data card of a simulated brokerage: every figure measured on its tables."""

import html
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from workbench.data.brokerage.crm import Brokerage
from workbench.data.brokerage.schema import BINARY_HEADS
from workbench.data.brokerage.truth import true_leads, true_snapshots
from workbench.stats.delong import roc_auc_interval

if TYPE_CHECKING:
    from ibis import Table

__all__ = ["CrmCard", "Fact", "describe"]

_QUANTILES = (0.1, 0.5, 0.9, 0.99, 0.999)
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


@dataclass(frozen=True, slots=True)
class Fact:
    """One measured figure.

    Parameters
    ----------
    topic
        What it belongs to, such as "base rate".
    name
        Which of them.
    value
        The figure.
    n
        Rows behind it.
    """

    topic: str
    name: str
    value: float
    n: int


@dataclass(frozen=True, slots=True, eq=False)
class CrmCard:
    """What a simulated brokerage is like.

    Parameters
    ----------
    title
        Size and seed.
    facts
        Figures by topic.
    months
        Base rate of each binary head by month of `as_of`; NaN where fewer than 30 rows are known.
    """

    title: str
    facts: tuple[Fact, ...]
    months: pd.DataFrame

    def to_frame(self) -> pd.DataFrame:
        """One row a figure."""
        return pd.DataFrame(self.facts, columns=["topic", "name", "value", "n"])

    def topic(self, name: str) -> dict[str, float]:
        """Give the figures of one topic by name."""
        return {fact.name: fact.value for fact in self.facts if fact.topic == name}

    def _repr_html_(self) -> str:
        drawn = ("share of web events by hour", "share of web events by weekday")
        parts = [
            (topic, _bars(self.topic(topic)) if topic in drawn else _table(self.topic(topic)))
            for topic in dict.fromkeys(fact.topic for fact in self.facts)
        ]
        for head in self.months:
            rates = self.months[head].dropna()
            if len(rates) > 1:
                bars = _bars({str(month): rate for month, rate in rates.items()})
                parts.append((f"{head} by month", bars))
        boxes = "".join(
            f'<div style="break-inside:avoid"><h4>{html.escape(t)}</h4>{body}</div>'
            for t, body in parts
        )
        return (
            f"<p><b>Simulated data.</b> {html.escape(self.title)}</p>"
            f'<div style="columns:3 18em;column-gap:2em">{boxes}</div>'
        )


def describe(crm: Brokerage) -> CrmCard:
    """Measure a simulated brokerage.

    Parameters
    ----------
    crm
        Of any size: events and messages are summed up by DuckDB, never read into memory.

    Returns
    -------
    CrmCard
        Sizes, base rates, ceilings (the ROC AUC of the true probabilities), tails, seasons,
        what is missing, late or double, and the texts. What a few leads do not show is left out.

    Examples
    --------
    >>> from workbench.data.brokerage import simulate
    >>> card = describe(simulate(1500, text_share=0.2))
    >>> card.topic("rows")["leads"], 15 < card.topic("events of a lead")["mean"] < 30
    (1500.0, True)
    """
    labels = crm.frame("labels").set_index("snapshot_id")
    facts = [
        *(Fact("rows", name, float(crm.manifest.rows[name]), crm.manifest.rows[name])
          for name in crm.names),
        *_heads(crm, labels),
        *_events(crm),
        *_gaps(crm),
        *_texts(crm),
    ]  # fmt: skip
    as_of = crm.frame("snapshots", ["as_of"])["as_of"].dt.to_period("M")
    by_month = labels[list(BINARY_HEADS)].groupby(as_of.to_numpy())
    months = by_month.mean().where(by_month.count() >= 30)
    title = (
        f"{crm.manifest.n_leads:,} leads from {crm.manifest.first_day} to "
        f"{crm.manifest.last_day}, random_state {crm.manifest.random_state}, generator "
        f"{crm.manifest.generator_version}."
    )
    return CrmCard(title, tuple(facts), months)


def _heads(crm: Brokerage, labels: pd.DataFrame) -> Iterator[Fact]:
    truth = true_snapshots(crm)
    for head in BINARY_HEADS:
        known = labels[head].dropna()
        yield Fact("base rate", head, float(known.mean()), len(known))
        chance = truth.loc[known.index, f"p_{head}"]
        if known.nunique() == 2:  # a handful of leads may show one outcome only
            ceiling = roc_auc_interval(known.to_numpy(), chance.to_numpy()).estimate
            yield Fact("ceiling (ROC AUC of the truth)", head, ceiling, len(known))
    for column in ("buying_urgency", "stage"):
        for level, share in labels[column].value_counts(normalize=True).items():
            yield Fact(f"share of {column}", str(level), float(share), len(labels))
    yield Fact("share of closes observed", "close_observed",
               float(labels["close_observed"].mean()), len(labels))  # fmt: skip


def _events(crm: Brokerage) -> Iterator[Fact]:
    events = crm.table("events")
    counted = events.group_by("lead_id").aggregate(n=events.count())
    size = _column(counted, "n").reindex(range(crm.manifest.n_leads), fill_value=0)
    yield Fact("events of a lead", "mean", float(size.mean()), len(size))
    for q in _QUANTILES:
        yield Fact("events of a lead", f"quantile {q:g}", float(size.quantile(q)), len(size))
    n = crm.manifest.rows["events"]
    kinds = events.group_by("kind").aggregate(n=events.count()).to_pyarrow().to_pylist()
    for row in sorted(kinds, key=lambda row: -row["n"]):
        yield Fact("share of events", row["kind"], row["n"] / n, n)
    web = events.filter(events.channel == "web")
    for what, moment in (("hour", web.occurred_at.hour()),
                         ("weekday", web.occurred_at.day_of_week.index())):  # fmt: skip
        rows = web.group_by(at=moment).aggregate(n=web.count()).to_pyarrow().to_pylist()
        total = sum(row["n"] for row in rows)
        for row in sorted(rows, key=lambda row: row["at"]):
            name = f"{row['at']:02d}" if what == "hour" else _DAYS[row["at"]]
            yield Fact(f"share of web events by {what}", name, row["n"] / total, total)
    late_s = (events.recorded_at.epoch_seconds() - events.occurred_at.epoch_seconds()).name("s")
    for q in (0.5, *_QUANTILES[2:]):
        seconds = late_s.quantile(q).to_pyarrow().as_py()
        yield Fact("hours until an event is recorded", f"quantile {q:g}", seconds / 3600, n)


def _gaps(crm: Brokerage) -> Iterator[Fact]:
    leads = crm.frame("leads")
    n = len(leads)
    for name in ("budget_usd", "bedrooms", "timeline_months"):
        yield Fact("share missing", name, float(leads[name].isna().mean()), n)
    yield Fact("share missing", "preapproved: unknown",
               float((leads["preapproved"] == "unknown").mean()), n)  # fmt: skip
    double = true_leads(crm)["true_duplicate_of"].notna().to_numpy()
    marked = leads["duplicate_of"].notna().to_numpy()
    yield Fact("share of duplicate leads", "marked by staff", float(marked.mean()), n)
    yield Fact("share of duplicate leads", "not marked", float((double & ~marked).mean()), n)
    outcomes = crm.frame("outcomes", ["status", "recorded_status"])
    wrong = outcomes["status"] != outcomes["recorded_status"]
    yield Fact("share wrongly entered", "recorded_status", float(wrong.mean()), len(outcomes))


def _texts(crm: Brokerage) -> Iterator[Fact]:
    n = crm.manifest.n_leads
    for language, share in (
        crm.frame("leads", ["language"])["language"].value_counts(normalize=True).items()
    ):
        yield Fact("share of leads by language", str(language), float(share), n)
    messages = crm.table("messages")
    written = crm.manifest.rows["messages"]
    if not written:
        return
    length = messages.text.length().name("length")
    for q in _QUANTILES:
        value = length.quantile(q).to_pyarrow().as_py()
        yield Fact("characters of a message", f"quantile {q:g}", float(value), written)
    talks = messages.conversation_id.nunique().to_pyarrow().as_py()
    yield Fact("messages of a conversation", "mean", written / talks, talks)


def _column(table: "Table", name: str) -> pd.Series:
    """Execute one column of a table."""
    values: pd.Series = table.select(name).to_pyarrow()[name].to_pandas()
    return values


def _table(figures: dict[str, float]) -> str:
    rows = "".join(
        f"<tr><td>{html.escape(name)}</td><td style='text-align:right'>{_figure(value)}</td></tr>"
        for name, value in figures.items()
    )
    return f"<table>{rows}</table>"


def _figure(value: float) -> str:
    return f"{value:,.0f}" if value >= 1000 or value.is_integer() else f"{value:.3g}"


def _bars(figures: dict[str, float]) -> str:
    """Draw bars as inline SVG, each with its name and figure as a tooltip."""
    width, height, top = 16, 90, max(figures.values(), default=0.0) or 1.0
    bars = "".join(
        f"<rect x='{width * i + 1}' y='{height - height * value / top:.1f}' width='{width - 2}' "
        f"height='{height * value / top:.1f}' fill='#0072B2'>"
        f"<title>{html.escape(name)}: {value:.3f}</title></rect>"
        for i, (name, value) in enumerate(figures.items())
    )
    ends = f"{next(iter(figures), '')} … {next(reversed(figures), '')}"
    return (
        f"<svg width='{width * max(len(figures), 1)}' height='{height}' role='img'>{bars}</svg>"
        f"<br><small>{html.escape(ends)}; the highest bar is {top:.3f}</small>"
    )
