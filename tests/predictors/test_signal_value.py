from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.claude import ClaudeClient
from workbench.data import Dataset, Split
from workbench.errors import PredictorError
from workbench.features import text_columns
from workbench.predictors import BoostedClassifier
from workbench.predictors.signal_value import signal_agreement, signal_gain
from workbench.predictors.signalled import SignalledClassifier
from workbench.stats import cohen_kappa
from workbench.tasks.behaviour.signals import behaviour_signals

FAST: dict[str, Any] = {"n_splits": 2, "max_rounds": 40, "min_child_samples": 5}


def kinds(values: Any) -> pd.DataFrame:
    return pd.DataFrame({"kind": pd.Categorical(values)})


def test_kappa_is_cohens() -> None:
    rng = np.random.default_rng(0)
    a = rng.integers(0, 4, 300)
    b = np.where(rng.random(300) < 0.7, a, rng.integers(0, 4, 300))
    (found,) = signal_agreement(kinds(a.astype(str)), kinds(b.astype(str))).fields
    expected = cohen_kappa(a, b)
    assert found.agreement.estimate == pytest.approx(expected.estimate)
    # The bootstrap and the large-sample interval agree.
    assert found.agreement.ci_lower == pytest.approx(expected.ci_lower, abs=0.02)
    assert found.agreement.ci_upper == pytest.approx(expected.ci_upper, abs=0.02)
    assert found.same.estimate == (a == b).mean()


def test_icc_is_that_of_an_analysis_of_variance() -> None:
    """ICC(A,1) from the mean squares of the two-way table, computed the long way."""
    rng = np.random.default_rng(1)
    truth = rng.normal(50, 15, 80)
    table: Any = np.column_stack([truth + rng.normal(0, 6, 80), truth + 4 + rng.normal(0, 6, 80)])
    n, k = table.shape
    rows: Any = table @ np.full(k, 1 / k)
    columns = np.full(n, 1 / n) @ table
    grand = rows.mean()
    msr = k * ((rows - grand) ** 2).sum() / (n - 1)
    msc = n * ((columns - grand) ** 2).sum() / (k - 1)
    rest = table - rows[:, None] - columns + grand
    mse = (rest**2).sum() / ((n - 1) * (k - 1))
    expected = (msr - mse) / (msr + (k - 1) * mse + k * (msc - mse) / n)
    a, b = (pd.DataFrame({"score": table[:, i]}) for i in (0, 1))
    (found,) = signal_agreement(a, b).fields
    assert found.statistic == "icc"
    assert found.agreement.estimate == pytest.approx(expected)
    assert found.agreement.ci_lower < expected < found.agreement.ci_upper
    assert found.correlation == pytest.approx(np.corrcoef(table.T)[0, 1])
    assert found.mean_difference == pytest.approx((table[:, 0] - table[:, 1]).mean())


def test_shrout_and_fleiss_two_judges() -> None:
    """First two judges of Shrout & Fleiss (1979), Psychological Bulletin 86:420-428, table 2."""
    first, second = [9, 6, 8, 7, 10, 6], [2, 1, 4, 1, 5, 2]
    a, b = (pd.DataFrame({"score": values * 2}) for values in (first, second))
    (found,) = signal_agreement(a, b).fields
    assert found.mean_difference == pytest.approx(31 / 6)
    assert found.correlation == pytest.approx(0.745, abs=0.001)
    assert found.agreement.estimate < 0.25  # far apart, however well they correlate


def test_intervals_cover_and_groups_widen_them() -> None:
    rng = np.random.default_rng(2)
    covered, widths = 0, []
    for _ in range(60):
        shared = rng.normal(size=40).repeat(5)  # conversations of one lead share their lines
        noise = rng.normal(size=(2, 40)).repeat(5, axis=1)
        a, b = (pd.DataFrame({"score": shared + one}) for one in noise)
        options: dict[str, Any] = {"n_resamples": 200}
        plain = signal_agreement(a, b, **options).fields[0].agreement
        grouped = (
            signal_agreement(a, b, groups=np.arange(40).repeat(5), **options).fields[0].agreement
        )
        covered += grouped.ci_lower <= 0.5 <= grouped.ci_upper
        widths.append((grouped.ci_upper - grouped.ci_lower) / (plain.ci_upper - plain.ci_lower))
        assert grouped.n_groups == 40
    assert covered >= 51
    assert np.median(widths) > 1.7


def test_gaps_are_left_out_and_counted() -> None:
    a = pd.DataFrame(
        {"score": [1.0, np.nan, 3.0] * 10, "kind": pd.Categorical(["x", None, "y"] * 10)}
    )
    b = a.fillna({"score": 2.0}).assign(kind=pd.Categorical(["x", "y", "y"] * 10))
    found = signal_agreement(a, b)
    assert (found.n_rows, found.n_only_one) == (30, 10)
    assert {one.agreement.n for one in found.fields} == {20}
    assert found.to_frame()["agreement"].tolist() == [1.0, 1.0]
    assert "read by one only" in found._repr_html_().replace("\n", " ")


def test_no_chance_to_disagree_is_no_figure() -> None:
    one = kinds(["none"] * 20)
    (found,) = signal_agreement(one, one).fields
    assert np.isnan(found.agreement.estimate)
    assert (found.agreement.ci_lower, found.agreement.ci_upper) == (-1, 1)
    assert found.same.ci_lower < 0.9 < found.same.estimate == 1
    still = pd.DataFrame({"score": [50.0] * 20})
    assert np.isnan(signal_agreement(still, still).fields[0].agreement.estimate)


@given(st.lists(st.sampled_from("abc"), min_size=10, max_size=40))
def test_a_reading_agrees_with_itself(values: list[str]) -> None:
    (found,) = signal_agreement(kinds(values), kinds(values), n_resamples=50).fields
    assert found.same.estimate == 1
    assert np.isnan(found.agreement.estimate) or found.agreement.estimate == pytest.approx(1)


def test_what_cannot_be_compared_is_refused() -> None:
    a = kinds(["x"] * 20)
    with pytest.raises(PredictorError, match="readings of"):
        signal_agreement(a, a.rename(columns={"kind": "other"}))
    with pytest.raises(PredictorError, match="readings of"):
        signal_agreement(a, a.iloc[::-1])
    with pytest.raises(PredictorError, match="9 rows were read by both"):
        signal_agreement(a.head(9), a.head(9))


def test_two_variants_agree_in_part_and_a_repeat_wholly(
    client: ClaudeClient, leads: Dataset
) -> None:
    X = leads.X.head(120)
    direct, other = (
        behaviour_signals(leads, client=client, variant=v).fit(X) for v in ("direct", "anchored")
    )
    first = direct.extract(X).judgements
    groups = None if leads.groups is None else leads.groups.to_numpy()[:120]
    same = signal_agreement(first, direct.extract(X, repeat=1).judgements, groups=groups)
    assert all(one.same.estimate == 1 for one in same.fields)
    variant = signal_agreement(first, other.extract(X).judgements, groups=groups).to_frame()
    scores = variant[variant["statistic"] == "icc"]
    assert len(scores) == 6
    assert (scores["same"] < 1).all()
    assert scores["agreement"].dropna().gt(0).all()


def test_the_gain_is_paired_and_what_it_cost_is_told(client: ClaudeClient, leads: Dataset) -> None:
    (text,) = text_columns(leads.X)
    positions = Split("group", 0.4, 0).apply(leads)
    train, test = leads.take(positions.train), leads.take(positions.test)
    model = SignalledClassifier(
        BoostedClassifier(text=False, **FAST), behaviour_signals(leads, client=client)
    )
    found = signal_gain(model, train, test, n_resamples=200)
    assert found.to_frame().index.tolist() == ["roc_auc", "log_loss", "brier"]
    gain = found.differences["roc_auc"]
    assert gain.n == len(test)
    assert gain.ci_lower < gain.difference < gain.ci_upper
    spent = client.store.ledger_frame()["cost_usd"].sum()
    assert found.cost_usd == pytest.approx(spent, rel=0.1)  # a few rows share a text
    assert found.n_read <= leads.X[text].notna().sum()
    assert found.origin == "simulated"
    assert "read by: simulated" in found._repr_html_()
    # Signals that say nothing change nothing.
    mute = signal_gain(model, silenced(train, text), silenced(test, text), n_resamples=200)
    assert mute.cost_usd == 0
    assert mute.differences["brier"].difference == pytest.approx(0, abs=0.02)


def silenced(part: Dataset, text: str) -> Dataset:
    X = part.X.assign(**{text: pd.Series([None] * len(part), index=part.X.index, dtype="str")})
    return Dataset(**{**vars_of(part), "X": X})


def vars_of(part: Dataset) -> dict[str, Any]:
    return {name: getattr(part, name) for name in part.__dataclass_fields__}
