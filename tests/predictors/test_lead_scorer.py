"""One lead scored from memory gets the score of the batch."""

import numpy as np
import pandas as pd
import pytest

from workbench.errors import FeatureError
from workbench.features import FEATURES, history_of
from workbench.predictors import BoostedClassifier
from workbench.predictors.lead_scorer import LeadScorer
from workbench.tasks import load_dataset
from workbench.tasks.behaviour import read_heads
from workbench.tasks.behaviour.data import behaviour_rows, brokerage_for

HEAD = next(head for head in read_heads() if head.name == "churn_risk")


def test_one_lead_gets_the_score_of_the_batch() -> None:
    dataset = load_dataset(HEAD.dataset, n_rows=400, random_state=6)
    model = BoostedClassifier(max_rounds=60, n_splits=3).fit(dataset.X, dataset.y.to_numpy())
    batch = pd.Series(model.predict_proba(dataset.X)[:, 1], index=dataset.X.index)
    crm, _ = brokerage_for(HEAD, 400, 6)
    frames = {name: crm.frame(name) for name in ("events", "messages", "appointments", "documents")}
    leads = crm.frame("leads").set_index("lead_id", drop=False)
    tables = {name: crm.table(name) for name in crm.names}
    scorer = LeadScorer(FEATURES, model, text_column="conversation")
    rows = behaviour_rows(HEAD, 400, random_state=6).iloc[::40]
    assert rows["conversation"].notna().any()
    for row in rows.itertuples():
        history = history_of(frames, row.lead_id)
        given = {
            "lead": leads.loc[row.lead_id].to_dict(),
            "context": FEATURES.context(tables, row.as_of),
        }
        score = scorer.score(history, row.as_of, **given)
        assert score == pytest.approx(batch[row.snapshot_id], abs=1e-12)
    told = scorer.explain(history, row.as_of, **given)
    assert float(np.asarray(told.proba)[0]) == pytest.approx(score, abs=1e-9)


def test_a_lead_without_its_tables_is_refused() -> None:
    X = pd.DataFrame({"n_visits_7d": [0.0, 5.0] * 40})
    model = BoostedClassifier(max_rounds=5, n_splits=2).fit(X, [0, 1] * 40)
    scorer = LeadScorer(FEATURES.only("n_visits_7d"), model)
    with pytest.raises(FeatureError, match="no 'events'"):
        scorer.score({}, pd.Timestamp("2024-01-01"))
