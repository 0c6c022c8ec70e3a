"""Labels are what the tables say, and the true probabilities are those they came with."""

import numpy as np
import pandas as pd
import pytest

from workbench.data.brokerage import Brokerage, simulate
from workbench.data.brokerage.responses import answered_share, draw_asked, draw_delay
from workbench.data.brokerage.schema import BINARY_HEADS, URGENCIES
from workbench.data.brokerage.seasons import DAY_S, draw_moment, first_share
from workbench.data.brokerage.truth import true_conversations, true_snapshots


@pytest.fixture(scope="module")
def crm() -> Brokerage:
    return simulate(4000, random_state=9, text_share=0)


@pytest.fixture(scope="module")
def many() -> Brokerage:
    return simulate(40_000, random_state=2, text_share=0)


def days(number: float) -> pd.Timedelta:
    return pd.Timedelta(days=number)


def end_of(crm: Brokerage) -> pd.Timestamp:
    return pd.Timestamp(crm.manifest.last_day) + days(1)


def asked(crm: Brokerage) -> pd.DataFrame:
    """Snapshots with labels and how the lead ended."""
    ended = crm.frame("outcomes", ["lead_id", "status", "closed_at"])
    found = crm.frame("snapshots").merge(crm.frame("labels"), on="snapshot_id")
    return found.merge(ended, on="lead_id", how="left").set_index("snapshot_id")


def expect(label: pd.Series, known: pd.Series, value: pd.Series) -> None:
    wanted = value.astype("float64").where(known)
    pd.testing.assert_series_equal(label, wanted.reindex(label.index), check_names=False)
    assert known.sum() > 100 and 0 < wanted.mean() < 1


def next_within(crm: Brokerage, rows: pd.DataFrame, at: str, window: float) -> pd.DataFrame:
    """The first row of each snapshot's lead after `as_of`, where it is within the window."""
    wide = crm.frame("snapshots")[["snapshot_id", "lead_id", "as_of"]].merge(rows, on="lead_id")
    inside = wide[(wide[at] > wide["as_of"]) & (wide[at] <= wide["as_of"] + days(window))]
    return inside.sort_values(at, kind="stable").groupby("snapshot_id").first()


def test_conversion_and_time_to_close(crm: Brokerage) -> None:
    snapshots = asked(crm)
    won = snapshots["status"] == "converted"
    soon = won & (snapshots["closed_at"] <= snapshots["as_of"] + days(90))
    known = snapshots["as_of"] + days(90) <= end_of(crm)
    expect(snapshots["conversion_likelihood"], known, soon)
    assert (snapshots["close_observed"] == won).all()
    until = snapshots["closed_at"].fillna(end_of(crm)) - snapshots["as_of"]
    np.testing.assert_allclose(snapshots["time_to_close_days"], until / days(1))


def test_churn(crm: Brokerage) -> None:
    snapshots = asked(crm)
    inbound = crm.frame("events", ["lead_id", "occurred_at", "direction"])
    inbound = inbound[inbound["direction"] == "inbound"]
    wide = snapshots.reset_index()[["snapshot_id", "lead_id", "as_of"]].merge(inbound, on="lead_id")
    apart = wide["occurred_at"] - wide["as_of"]

    def heard(where: pd.Series) -> pd.Series:
        return snapshots.index.isin(wide.loc[where, "snapshot_id"])

    after = heard((apart > days(0)) & (apart <= days(30)))
    before = heard((apart > days(-30)) & (apart <= days(0)))
    signed = (snapshots["status"] == "converted") & (
        snapshots["closed_at"] <= snapshots["as_of"] + days(30)
    )
    known = pd.Series(before, snapshots.index) & (snapshots["as_of"] + days(30) <= end_of(crm))
    expect(snapshots["churn_risk"], known, ~pd.Series(after, snapshots.index) & ~signed)


def test_receptivity_readiness_and_objections(crm: Brokerage) -> None:
    snapshots = asked(crm)
    index = snapshots.index
    touches = crm.frame("touches", ["lead_id", "sent_at", "action", "replied"])
    found = next_within(crm, touches[touches["action"] != "wait"], "sent_at", 30)
    known = pd.Series(index.isin(found.index), index) & (
        snapshots["as_of"] + days(37) <= end_of(crm)
    )
    expect(snapshots["engagement_receptivity"], known, found["replied"].reindex(index).eq(True))
    found = next_within(crm, crm.frame("appointments"), "offered_at", 30)
    known = pd.Series(index.isin(found.index), index) & (
        snapshots["as_of"] + days(30) <= end_of(crm)
    )
    accepted = found["status"].reindex(index).isin(["accepted", "attended", "no_show"])
    expect(snapshots["appointment_readiness"], known, accepted)
    voiced = true_conversations(crm)["objection"].rename("voiced")
    talks = crm.frame("conversations").join(voiced, on="conversation_id")
    found = next_within(crm, talks, "started_at", 14)
    known = pd.Series(index.isin(found.index), index) & (
        snapshots["as_of"] + days(14) <= end_of(crm)
    )
    expect(snapshots["objection_probability"], known, found["voiced"].reindex(index).eq(True))


def test_next_listing_viewed(crm: Brokerage) -> None:
    snapshots = asked(crm)
    views = crm.frame("events", ["lead_id", "occurred_at", "listing_id"]).dropna()
    found = next_within(crm, views, "occurred_at", 60)
    listings = crm.frame("listings").set_index("listing_id")
    for label, column in (("next_property_type", "property_type"), ("next_area", "area")):
        wanted = listings[column].reindex(found["listing_id"]).set_axis(found.index)
        pd.testing.assert_series_equal(
            snapshots[label], wanted.reindex(snapshots.index), check_names=False
        )
    assert snapshots["next_price_band"].nunique() == 5
    # A lead's wishes show in what it looks at, and change: neither fixed nor random.
    leads = crm.frame("leads").set_index("lead_id")["property_type"]
    same = (
        snapshots["next_property_type"].dropna()
        == leads.loc[snapshots.loc[snapshots["next_property_type"].notna(), "lead_id"]].to_numpy()
    )
    assert 0.35 < same.mean() < 0.75


@pytest.mark.parametrize("head", BINARY_HEADS)
def test_truth_is_calibrated(many: Brokerage, head: str) -> None:
    label = many.frame("labels").set_index("snapshot_id")[head].dropna()
    truth = true_snapshots(many).loc[label.index, f"p_{head}"]
    for part in np.array_split(np.argsort(truth.to_numpy()), 10):
        chance = truth.iloc[part]
        spread = np.sqrt((chance * (1 - chance)).sum())
        assert abs(label.iloc[part].sum() - chance.sum()) < 4 * spread + 1e-9
    spread = np.sqrt((truth * (1 - truth)).sum())
    assert label.sum() == pytest.approx(truth.sum(), abs=4 * spread)


def test_truth_is_calibrated_in_every_state_and_age(many: Brokerage) -> None:
    labels = many.frame("labels").set_index("snapshot_id")
    truth = true_snapshots(many)
    created = many.frame("leads").set_index("lead_id")["created_at"]
    snapshots = many.frame("snapshots").set_index("snapshot_id")
    age = (snapshots["as_of"] - created.loc[snapshots["lead_id"]].to_numpy()) // days(7)
    quarter = snapshots["as_of"].dt.to_period("Q")
    parts = (truth["state"], age.clip(upper=8), snapshots["tenant"], quarter)
    worst = 0.0
    for head in BINARY_HEADS:
        frame = pd.DataFrame({"y": labels[head], "p": truth[f"p_{head}"]}).dropna()
        frame["v"] = frame["p"] * (1 - frame["p"])
        for part in parts:
            sums = frame.groupby(part.loc[frame.index].to_numpy()).sum()
            sums = sums[sums["v"] > 5]
            worst = max(worst, float(((sums["y"] - sums["p"]).abs() / np.sqrt(sums["v"])).max()))
    assert worst < 4.5  # of some 150 normal deviates


def test_urgency_is_calibrated(many: Brokerage) -> None:
    entered = many.frame("labels")["buying_urgency"]
    truth = true_snapshots(many)
    for level in URGENCIES:
        chance = truth[f"p_urgency_{level}"]
        spread = np.sqrt((chance * (1 - chance)).sum())
        assert (entered == level).sum() == pytest.approx(chance.sum(), abs=4 * spread)


def test_shares_of_a_week_are_exact() -> None:
    rng = np.random.default_rng(0)
    starts = np.repeat(np.arange(168) * 3600 + 1234, 3000)
    for profile, within in (("web", 7), ("web", 6), ("office", 5), ("office", 3)):
        moment = draw_moment(profile, starts, within, rng)
        assert (moment > starts).all() and (moment < starts + within * DAY_S).all()
        observed = (moment < starts + 2 * DAY_S).reshape(168, -1).mean(axis=1)
        expected = first_share(profile, starts[::3000], 2, within)
        assert np.abs(observed - expected).max() < 4.5 * np.sqrt(0.25 / 3000)
    asked_s = draw_asked(starts, rng)
    delay = draw_delay(len(starts), rng)
    for delayed, at in ((True, asked_s + delay), (False, asked_s)):
        observed = (at < starts + 2 * DAY_S).reshape(168, -1).mean(axis=1)
        expected = answered_share(starts[::3000], 2, delayed=delayed)
        assert np.abs(observed - expected).max() < 4.5 * np.sqrt(0.25 / 3000)
