"""What was known at a moment, and splits that keep people and time apart."""

import numpy as np
import pandas as pd
import pytest

from workbench.data.brokerage import Brokerage, simulate
from workbench.errors import DataError
from workbench.features import FEATURES
from workbench.studies import moments_of, parted, snapshots_of
from workbench.studies.engagement import _decisions
from workbench.studies.moments import inputs_of


def test_a_split_keeps_people_and_time_apart(small: Brokerage) -> None:
    rows = snapshots_of(small)
    parts = parted(rows, known_after_days=30)
    assert not set(parts.train["contact_id"]) & set(parts.test["contact_id"])
    assert (parts.test["as_of"] >= parts.cut).all()
    assert (parts.train["as_of"] + pd.Timedelta(days=30) < parts.cut).all()
    assert abs(len(parts.test) / len(rows) - 0.3) < 0.02
    assert len(parts.train) > 0.4 * len(rows)


@pytest.mark.parametrize("fraction", [0.0, 1.0, 0.01])
def test_a_split_that_leaves_too_little_is_refused(fraction: float) -> None:
    days = pd.date_range("2024-01-01", periods=200)
    with pytest.raises(DataError):
        parted(pd.DataFrame({"as_of": days, "contact_id": range(200)}), test_fraction=fraction)


def test_too_few_moments_are_refused() -> None:
    with pytest.raises(DataError, match="moments"):
        snapshots_of(simulate(20, text_share=0))


def test_what_staff_code_with_the_outcome_in_mind_is_no_input(small: Brokerage) -> None:
    rows = snapshots_of(small)
    assert "stage" not in rows
    assert set(inputs_of(rows)) <= set(FEATURES.names)
    # No messages were written, so nothing is known of them.
    assert "lead_message_length" not in inputs_of(rows)


def test_a_decision_knows_what_was_on_record_before_it_and_not_itself(small: Brokerage) -> None:
    rows = _decisions(small)
    events = small.frame("events", columns=["lead_id", "occurred_at", "recorded_at", "kind"])
    sent = small.frame("touches").set_index("touch_id")["sent_at"]
    for row in rows.sample(40, random_state=0).itertuples():
        at = sent[row.snapshot_id]
        own = events[events["lead_id"] == row.lead_id]
        past = own[(own["occurred_at"] < at) & (own["recorded_at"] < at)]
        assert row.n_events == len(past)
        assert row.n_sms_sent == (past["kind"] == "sms_sent").sum()
    assert rows["as_of"].is_monotonic_increasing and rows["snapshot_id"].is_unique


def test_conversations_are_read_where_there_are_any() -> None:
    crm = simulate(200, random_state=1)
    rows = moments_of(crm, crm.table("snapshots"), text=True)
    assert rows["conversation"].notna().mean() > 0.9
    assert inputs_of(rows)[-1] == "conversation"
    assert "conversation" not in moments_of(crm, crm.table("snapshots"))


def test_categories_have_their_declared_values(small: Brokerage) -> None:
    rows = snapshots_of(small)
    assert set(rows["preapproved"].cat.categories) == {"yes", "no", "unknown"}
    assert np.asarray(rows["source"].notna()).all()
