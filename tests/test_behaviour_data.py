"""The heads' data sets: made from what was on record, with a truth nobody else can read."""

import numpy as np
import pandas as pd
import pytest

import workbench as wb
from workbench.data import Split
from workbench.errors import DataError
from workbench.evaluation.truth import truth_of
from workbench.features import FEATURES
from workbench.privacy.protected import protected_reason
from workbench.tasks.behaviour import read_heads
from workbench.tasks.behaviour.data import behaviour_rows, brokerage_for

HEADS = read_heads()
CHURN = next(head for head in HEADS if head.name == "churn_risk")


def test_every_head_is_a_data_set_of_the_catalogue() -> None:
    catalogue = wb.open_catalogue()
    for head in HEADS:
        card = catalogue.card(head.dataset)
        assert card.target.meaning == head.outcome
        assert set(FEATURES.names) <= set(card.input_names())
        assert "language" not in card.input_names()
        assert not [name for name in card.input_names() if protected_reason(name)]


def test_rows_are_what_the_labels_say() -> None:
    rows = behaviour_rows(CHURN, 300, random_state=3)
    crm, _ = brokerage_for(CHURN, 300, 3)
    labels = crm.frame("labels").set_index("snapshot_id")["churn_risk"]
    happened = rows["happened"].map({"yes": 1, "no": 0}).to_numpy()
    assert len(rows) == 300 and rows["as_of"].is_monotonic_increasing
    assert (labels.loc[rows["snapshot_id"]].to_numpy() == happened).all()
    again = behaviour_rows(CHURN, 300, random_state=3)
    pd.testing.assert_frame_equal(rows, again)


def test_nothing_said_later_is_in_a_conversation() -> None:
    rows = behaviour_rows(CHURN, 300, random_state=3)
    crm, _ = brokerage_for(CHURN, 300, 3)
    messages = crm.frame("messages")
    said = rows[rows["conversation"].notna()]
    assert len(said) > 20
    for row in said.head(40).itertuples():
        own = messages[messages["lead_id"] == row.lead_id]
        past = own[(own["sent_at"] <= row.as_of) & (own["recorded_at"] <= row.as_of)]
        assert str(row.conversation).endswith(str(past.sort_values("sent_at")["text"].iloc[-1]))


def test_the_truth_is_calibrated_and_only_the_evaluation_reads_it() -> None:
    dataset = wb.load_dataset("crm_churn_risk", n_rows=1500, random_state=2)
    truth = truth_of(dataset)
    assert truth is not None and truth.index.equals(dataset.y.index)
    error = float((dataset.y - truth).mean())
    assert abs(error) < 3.5 * np.sqrt((truth * (1 - truth)).mean() / len(truth))
    assert wb.evaluate.__module__.startswith("workbench.evaluation")


def test_people_never_stand_on_both_sides() -> None:
    dataset = wb.load_dataset("crm_conversion_likelihood", n_rows=800, random_state=2)
    parts = Split("time", test_fraction=0.4).apply(dataset)
    groups = dataset.groups
    assert groups is not None
    assert not set(groups.iloc[parts.train]) & set(groups.iloc[parts.test])


@pytest.mark.parametrize("n_rows", [0, 1_000_000])
def test_sizes_out_of_range_are_refused(n_rows: int) -> None:
    with pytest.raises(DataError, match="n_rows is"):
        behaviour_rows(CHURN, n_rows)
