"""The simulated CRM is as uneven, late and hard as CRMs are: bands for what is seen in it."""

import re

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from workbench.data.brokerage import Brokerage, simulate
from workbench.data.brokerage.card import describe
from workbench.data.brokerage.phrases import HOSTILE
from workbench.data.brokerage.schema import BINARY_HEADS, LANGUAGES, OBJECTIONS
from workbench.data.brokerage.truth import true_conversations, true_leads, true_snapshots

BASE_RATES = {
    "conversion_likelihood": (0.12, 0.19),
    "churn_risk": (0.28, 0.45),
    "engagement_receptivity": (0.28, 0.42),
    "objection_probability": (0.15, 0.30),
    "appointment_readiness": (0.45, 0.65),
}
URGENCY = {
    "low": (0.30, 0.40), "medium": (0.30, 0.40), "high": (0.15, 0.24), "critical": (0.07, 0.14),
}  # fmt: skip
DRIFTING = ("harbor_realty", "keystone_partners", "lakeside_group")
KEYWORDS = re.compile(
    r"price|expensive|money|wait|moment|trust|pressure|nervous|far|school|kitchen|roof|bank|loan|"
    r"precio|caro|banco|esperar|prix|cher|banque|preço|espera|价|贷|银行|不|दाम|बैंक|लोन"
)


@pytest.fixture(scope="module")
def crm() -> Brokerage:
    return simulate(30_000, random_state=4, text_share=0)


@pytest.fixture(scope="module")
def talking() -> Brokerage:
    return simulate(5000, random_state=7)


def test_base_rates_and_ceilings(crm: Brokerage) -> None:
    labels = crm.frame("labels").set_index("snapshot_id")
    truth = true_snapshots(crm)
    for head in BINARY_HEADS:
        label = labels[head].dropna()
        low, high = BASE_RATES[head]
        assert low < label.mean() < high, (head, label.mean())
        assert 0.82 < roc_auc_score(label, truth.loc[label.index, f"p_{head}"]) < 0.93, head
    shares = labels["buying_urgency"].value_counts(normalize=True)
    for level, (low, high) in URGENCY.items():
        assert low < shares[level] < high, level
    assert 0.03 < (labels["stage"] != truth["state"]).mean() < 0.08
    assert set(labels["stage"]) == set(truth["state"])


def test_conversion_drifts_where_it_drifts(crm: Brokerage) -> None:
    snapshots = crm.frame("snapshots").merge(crm.frame("labels"), on="snapshot_id")
    snapshots = snapshots.dropna(subset="conversion_likelihood")
    quarter = snapshots["as_of"].dt.to_period("Q").astype(str)
    rate = snapshots.groupby([snapshots["tenant"].isin(DRIFTING), quarter])[
        "conversion_likelihood"
    ].mean()
    assert rate[True, "2023Q1"] < 0.10
    assert 0.24 < rate[True, "2024Q3"] < 0.40
    assert abs(rate[False, "2024Q3"] - rate[False, "2023Q2"]) < 0.08


def test_events_are_many_uneven_seasonal_and_late(crm: Brokerage) -> None:
    events = crm.frame("events")
    count = events.groupby("lead_id").size().reindex(crm.frame("leads")["lead_id"])
    assert 17 < count.mean() < 24
    assert count.median() < 0.65 * count.mean()
    assert count.quantile(0.99) > 6 * count.mean()
    assert events["kind"].isin(["visit", "listing_view"]).mean() > 0.6
    web = events.loc[events["channel"] == "web", "occurred_at"].dt
    assert (web.hour == 20).mean() > 5 * (web.hour == 4).mean()
    assert (web.day_of_week == 6).mean() > 1.2 * (web.day_of_week == 2).mean()
    calls = events.loc[events["kind"] == "call_made", "occurred_at"].dt
    assert (calls.day_of_week >= 5).mean() < 0.2 and calls.hour.between(8, 18).mean() > 0.9
    created = crm.frame("leads")["created_at"].dt.month.value_counts()
    assert created[[4, 5, 6]].sum() > 1.3 * created[[11, 12, 1]].sum()
    late = (events["recorded_at"] - events["occurred_at"]) > pd.Timedelta(days=1)
    assert 0.01 < late.mean() < 0.04
    by_call = events["channel"] == "call"
    assert late[by_call].mean() > 3 * late[~by_call].mean()


def test_what_is_missing_and_wrongly_entered(crm: Brokerage) -> None:
    leads = crm.frame("leads").set_index("lead_id")
    assert 0.15 < leads["budget_usd"].isna().mean() < 0.25
    assert 0.40 < leads["timeline_months"].isna().mean() < 0.50
    # Who has no money says less about it: not missing at random.
    money = true_leads(crm)["financing"]
    assert money[leads["budget_usd"].isna()].mean() < money[leads["budget_usd"].notna()].mean()
    outcomes = crm.frame("outcomes")
    wrong = outcomes["recorded_status"] != outcomes["status"]
    assert 0.02 < wrong.mean() < 0.05
    assert (outcomes["deal_usd"].notna() == (outcomes["status"] == "converted")).all()
    assert 0.05 < 1 - len(outcomes) / len(leads) < 0.2  # open at the end: censored
    assert (outcomes["recorded_at"] >= outcomes["closed_at"]).all()


def test_coached_and_touched_leads_get_further(crm: Brokerage) -> None:
    truth = true_snapshots(crm)
    assert truth.groupby("state")["p_conversion_likelihood"].mean().idxmax() == "contract"
    assert truth.groupby("state")["p_churn_risk"].mean().idxmax() == "dormant"
    touches = crm.frame("touches")
    replied = touches.groupby("action")["replied"].mean()
    assert replied["wait"] == replied.min() and 0.1 < replied.max() < 0.6
    assert crm.frame("coaching")["reply_days"].max() < 7


def test_market_has_trend_season_and_types(crm: Brokerage) -> None:
    sales = crm.frame("sales").merge(crm.frame("listings"), on="listing_id")
    sales = sales[sales["property_type"] == "house"]
    year = sales["sold_at"].dt.year
    typical = np.log(sales["price_usd"]).groupby([year, sales["vertical"]]).mean()
    assert (typical[2024] > typical[2023]).mean() >= 0.75
    assert (sales["sold_at"] > sales["listed_at"]).all()
    assert sales["withdrawn_at"].isna().all()
    assert 0.9 < (sales["price_usd"] / sales["list_price_usd"]).median() < 1.0


def test_dialogues_are_there_in_six_languages(talking: Brokerage) -> None:
    messages = talking.frame("messages")
    talks = talking.frame("conversations").set_index("conversation_id")
    size = messages.groupby("conversation_id").size()
    assert set(size.index) == set(talks.index)
    assert size.min() >= 1 and size.max() == 8 and 3 < size.mean() < 6
    language = messages["conversation_id"].map(talks["language"])
    letters = {"hindi": r"[\u0900-\u097f]", "mandarin": r"[\u4e00-\u9fff]",
               "spanish": r"[¿ñáéíó]", "french": r"[éèàçê]", "portuguese": r"[ãõçéê]"}  # fmt: skip
    for name in LANGUAGES:
        texts = messages.loc[(language == name) & (messages["text"].str.len() > 10), "text"]
        assert texts.nunique() > 0.25 * len(texts), name
        if name in letters:
            assert texts.str.contains(letters[name]).mean() > 0.4, name
    assert not messages["text"].str.contains(r"\{\w+\}").sum() > 20  # hostile templates only
    assert (messages["text"].str.len() > 0).all()
    found = [messages["text"].str.contains(attack, regex=False).any() for attack in HOSTILE]
    assert np.mean(found) > 0.7
    assert set(true_conversations(talking)["objection_kind"].dropna()) == set(OBJECTIONS)


def test_keywords_do_not_tell_who_will_object(talking: Brokerage) -> None:
    labels = talking.frame("labels")[["snapshot_id", "objection_probability"]].dropna()
    asked = talking.frame("snapshots").merge(labels, on="snapshot_id")
    said = talking.frame("messages")
    said = said[said["speaker"] == "lead"]
    said["hits"] = said["text"].str.lower().str.count(KEYWORDS)
    wide = asked[["snapshot_id", "lead_id", "as_of"]].merge(said, on="lead_id")
    past = wide[wide["recorded_at"] <= wide["as_of"]]
    hits = past.groupby("snapshot_id")["hits"].sum().reindex(asked["snapshot_id"], fill_value=0)
    assert 0.45 < roc_auc_score(asked["objection_probability"], hits) < 0.65
    voiced = true_conversations(talking)["objection"]
    inside = said.groupby("conversation_id")["hits"].sum().reindex(voiced.index, fill_value=0)
    assert 0.5 < roc_auc_score(voiced, inside) < 0.75


def test_the_card_is_measured(talking: Brokerage) -> None:
    card = describe(talking)
    frame = card.to_frame()
    assert list(frame.columns) == ["topic", "name", "value", "n"]
    labels = talking.frame("labels")
    for head in BINARY_HEADS:
        assert card.topic("base rate")[head] == labels[head].mean()
        assert 0.8 < card.topic("ceiling (ROC AUC of the truth)")[head] < 0.95
    events = talking.frame("events")
    count = events.groupby("lead_id").size()
    assert card.topic("events of a lead")["mean"] == pytest.approx(count.mean())
    assert card.topic("events of a lead")["quantile 0.99"] == count.quantile(0.99)
    web = events.loc[events["channel"] == "web", "occurred_at"].dt
    by_hour = card.topic("share of web events by hour")
    assert by_hour["20"] == pytest.approx((web.hour == 20).mean()) and len(by_hour) == 24
    by_day = card.topic("share of web events by weekday")
    assert by_day["Sunday"] == pytest.approx((web.day_of_week == 6).mean())
    late = (events["recorded_at"] - events["occurred_at"]).dt.total_seconds() / 3600
    found = card.topic("hours until an event is recorded")["quantile 0.99"]
    assert found == pytest.approx(late.quantile(0.99), rel=0.02)
    double = card.topic("share of duplicate leads")
    assert sum(double.values()) == true_leads(talking)["true_duplicate_of"].notna().mean()
    assert card.months.index.is_monotonic_increasing and len(card.months) >= 23
    page = card._repr_html_()
    assert "Simulated data" in page and page.count("<svg") == 7 and "random_state 7" in page


def test_the_card_of_a_handful_of_leads() -> None:
    card = describe(simulate(5, text_share=0))
    assert card.topic("rows")["leads"] == 5
    assert "characters of a message" not in set(card.to_frame()["topic"])
    assert "<svg" in card._repr_html_()
