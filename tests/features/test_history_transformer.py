"""History features inside a scikit-learn pipeline."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.model_selection import cross_val_predict
from sklearn.pipeline import make_pipeline

from workbench.data.brokerage import Brokerage, simulate
from workbench.errors import FeatureError
from workbench.features import FEATURES, HistoryFeatures, collect


@pytest.fixture(scope="module")
def crm() -> Brokerage:
    return simulate(900, random_state=4)


def step_of(crm: Brokerage) -> HistoryFeatures:
    return HistoryFeatures({name: crm.table(name) for name in crm.names})


def test_a_row_gets_the_features_of_its_moment_wherever_it_stands(crm: Brokerage) -> None:
    step = step_of(crm)
    moments = crm.frame("snapshots")
    X = moments[["lead_id", "as_of"]].sample(40, random_state=1)
    found = step.fit_transform(X)
    assert found.index.equals(X.index)
    assert list(found.columns) == step.get_feature_names_out().tolist()
    tables = {name: crm.table(name) for name in crm.names}
    built = collect(FEATURES.build(tables, tables["snapshots"]))
    built = built.set_index(["lead_id", "as_of"]).loc[
        list(zip(X["lead_id"], X["as_of"], strict=True))
    ]
    for name in ("n_visits_30d", "recency_days", "agent_conversion_rate", "inbound_share"):
        assert np.array_equal(
            built[name].to_numpy(float), found[name].to_numpy(float), equal_nan=True
        )
    pd.testing.assert_frame_equal(step.transform(X.iloc[::-1]).loc[X.index], found)


def test_it_stands_in_cross_validation(crm: Brokerage) -> None:
    labels = crm.frame("labels").set_index("snapshot_id")["churn_risk"].dropna()
    moments = crm.frame("snapshots").set_index("snapshot_id").loc[labels.index]
    model = make_pipeline(
        step_of(crm),
        HistGradientBoostingClassifier(categorical_features="from_dtype", max_iter=20),
    )
    X = moments[["lead_id", "as_of"]].reset_index(drop=True)
    said = cross_val_predict(clone(model), X, labels.to_numpy(int), cv=3, method="predict_proba")
    assert said.shape == (len(X), 2) and said[:, 1].std() > 0.02


def test_columns_it_needs_are_named(crm: Brokerage) -> None:
    with pytest.raises(FeatureError, match="no column 'as_of'"):
        step_of(crm).fit(pd.DataFrame({"lead_id": ["L1"]}))
