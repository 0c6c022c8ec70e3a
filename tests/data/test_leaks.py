"""Every planted leak is found and named; honest data gives no alarm."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lightgbm import LGBMClassifier
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import train_test_split
from sklearn.neighbors import NearestNeighbors

from workbench.data import Catalogue, Dataset, Split
from workbench.data.leaks import LEAKS, LeakReport, audit, audit_dataset
from workbench.errors import DataError
from workbench.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT.parent / "shared" / "data"
SETTINGS = Settings(root=ROOT, data_dir=DATA)
TELCO = [DATA] if (DATA / "telco_churn" / "Telco-Customer-Churn.csv").is_file() else []

N = 2000


def table(seed: int = 0, n: int = N) -> tuple[pd.DataFrame, np.ndarray]:
    rng = np.random.default_rng(seed)
    X = pd.DataFrame(
        {
            "budget": np.exp(rng.normal(12, 0.5, n)),
            "distance": rng.exponential(20, n),
            "age": rng.uniform(20, 80, n),
            "visits": rng.poisson(3, n),
            "agent": pd.Categorical([f"agent {i}" for i in rng.integers(0, 40, n)]),
            "source": pd.Categorical(rng.choice(["portal", "referral", "phone"], n)),
        }
    )
    margin = 0.5 * X["visits"] + 0.8 * (X["source"] == "referral") - X["distance"] / 30 - 2.2
    return X, (rng.random(n) < 1 / (1 + np.exp(-margin))).astype(int).to_numpy()


def halves(y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    train, test = train_test_split(np.arange(len(y)), test_size=0.3, random_state=0, stratify=y)
    return train, test


def interpolated(X: pd.DataFrame, y: np.ndarray, seed: int = 0) -> tuple[pd.DataFrame, np.ndarray]:
    """SMOTE (Chawla et al. 2002): rows of the rarer class between two neighbours of it."""
    rng = np.random.default_rng(seed)
    numbers = pd.get_dummies(X).astype(float).fillna(0.0)
    rare = numbers.to_numpy()[y == 1]
    near = NearestNeighbors(n_neighbors=6).fit(rare).kneighbors(rare, return_distance=False)
    n_new = int((y == 0).sum() - len(rare))
    start = rng.integers(len(rare), size=n_new)
    other = near[start, rng.integers(1, 6, size=n_new)]
    made = rare[start] + rng.random((n_new, 1)) * (rare[other] - rare[start])
    columns = [f"c{i}" for i in range(numbers.shape[1])]
    frame = pd.DataFrame(np.vstack([numbers.to_numpy(), made]), columns=columns)
    return frame, np.append(y, np.ones(n_new, dtype=int))


def found(report: LeakReport, code: str) -> set[str]:
    return {leak.column for leak in report.findings if leak.code == code}


# ---------------------------------------------------------------- honest data


@pytest.mark.parametrize("seed", range(4))
def test_an_honest_table_gives_no_alarm(seed: int) -> None:
    X, y = table(seed)
    report = audit(X, y, *halves(y))
    assert report.ok, report.to_frame()
    assert "no leak found" in report._repr_html_()


@pytest.mark.parametrize("split", [Split("random", 0.3, 1), Split("time", 0.3)])
def test_generated_leads_give_no_alarm(leads: Dataset, split: Split) -> None:
    assert audit_dataset(leads, split).ok


def test_tables_of_few_values_have_twins_by_chance() -> None:
    rng = np.random.default_rng(1)
    X = pd.DataFrame(rng.integers(0, 3, (N, 4)), columns=list("abcd"))
    y = (rng.random(N) < 0.3).astype(int)
    assert audit(X, y, *halves(y)).ok


def test_a_column_that_repeats_another_is_no_mixture() -> None:
    X, y = table()
    X = X[["budget", "source"]].assign(again=2 * X["budget"], thrice=3 * X["budget"])
    assert "L007" not in audit(X, y, *halves(y)).codes


@pytest.mark.parametrize("_folder", TELCO)
def test_telco_gives_no_alarm_until_it_is_resampled_before_the_split(_folder: Path) -> None:
    telco = Catalogue(SETTINGS).load("telco_churn")
    assert audit_dataset(telco, Split("random", 0.3, 42)).ok
    y = telco.y.to_numpy().astype(int)
    aucs, codes = {}, {}
    plain = pd.get_dummies(telco.X).astype(float).fillna(0.0)
    plain.columns = pd.Index([f"c{i}" for i in range(plain.shape[1])])
    for name, (X, labels) in {"honest": (plain, y), "smote": interpolated(telco.X, y)}.items():
        train, test = train_test_split(
            np.arange(len(labels)), test_size=0.3, random_state=42, stratify=labels
        )
        model = LGBMClassifier(verbose=-1, n_jobs=1).fit(X.iloc[train], labels[train])
        aucs[name] = roc_auc_score(labels[test], model.predict_proba(X.iloc[test])[:, 1])
        codes[name] = audit(X, labels, train, test).codes
    assert aucs["honest"] == pytest.approx(0.8275, abs=0.01)
    assert aucs["smote"] > 0.92
    assert codes == {"honest": (), "smote": ("L007",)}


# ---------------------------------------------------------------- planted leaks


@pytest.mark.parametrize(
    "planted",
    [
        lambda y, _: y,
        lambda y, _: 7 - 3 * y,
        lambda y, _: pd.Categorical(np.where(y == 1, "signed", "lost")),
        lambda y, rng: pd.Categorical([f"{'AB'[v]}{rng.integers(9)}" for v in y]),
        lambda y, rng: np.where(y == 1, 1.0, -1.0) * rng.uniform(0.1, 5, len(y)),
        lambda y, _: np.where(y == 1, 1.0, np.nan),
    ],
    ids=["itself", "turned", "words", "codes", "sign", "only when won"],
)
def test_the_label_in_any_dress_is_named(planted: object) -> None:
    X, y = table()
    assert callable(planted)
    X = X.assign(status=planted(y, np.random.default_rng(0)))
    assert found(audit(X, y, *halves(y)), "L001") == {"status"}


def test_a_column_of_the_future_is_named_by_its_strength_and_by_cutting_the_future() -> None:
    X, y = table()
    rng = np.random.default_rng(2)
    now = rng.poisson(2, N)
    # Notes go on being written after the lead is won.
    later = now + rng.poisson(np.where(y == 1, 9, 1))
    report = audit(X.assign(notes=later), y, *halves(y))
    assert found(report, "L002") == {"notes"}
    assert report.codes == ("L002",)
    weak = now + rng.poisson(np.where(y == 1, 2, 1))
    leaky, honest = X.assign(notes=weak), X.assign(notes=now)
    assert audit(leaky, y, *halves(y)).ok
    assert found(audit(leaky, y, *halves(y), rebuilt=honest), "L003") == {"notes"}
    assert found(audit(leaky, y, *halves(y), rebuilt=X), "L003") == {"notes"}
    assert audit(honest, y, *halves(y), rebuilt=honest.copy()).ok


def test_a_group_on_both_sides_is_named() -> None:
    X, y = table()
    groups = np.arange(N) // 4
    train, test = halves(y)
    report = audit(X, y, train, test, groups=groups)
    assert report.codes == ("L004",)
    apart = groups % 3 == 0
    assert audit(X, y, np.flatnonzero(~apart), np.flatnonzero(apart), groups=groups).ok


@pytest.mark.parametrize(("jitter", "code"), [(0.0, "L005"), (1e-4, "L006")])
def test_copies_are_named_exact_or_nearly(jitter: float, code: str) -> None:
    X, y = table()
    rng = np.random.default_rng(3)
    rows = rng.choice(N, 300, replace=False)
    copies = X.iloc[rows].copy()
    for column in ("budget", "distance", "age"):
        copies[column] *= 1 + jitter * rng.normal(size=300)
    X, y = pd.concat([X, copies], ignore_index=True), np.append(y, y[rows])
    assert audit(X, y, *halves(y)).codes == (code,)


def test_oversampling_before_the_split_is_named_after_it_is_not() -> None:
    X, y = table()
    rng = np.random.default_rng(4)
    rows = rng.choice(np.flatnonzero(y == 1), 800)
    both = pd.concat([X, X.iloc[rows]], ignore_index=True)
    assert "L005" in audit(both, np.append(y, y[rows]), *halves(np.append(y, y[rows]))).codes
    train, test = halves(y)
    known = rng.choice(train[y[train] == 1], 800)
    after = pd.concat([X, X.iloc[known]], ignore_index=True)
    train = np.append(train, np.arange(N, N + 800))
    assert audit(after, np.append(y, y[known]), train, test).ok


@pytest.mark.parametrize("seed", range(3))
def test_rows_made_up_before_the_split_are_named_after_it_they_are_not(seed: int) -> None:
    X, y = table(seed)
    mixed, labels = interpolated(X, y, seed)
    assert "L007" in audit(mixed, labels, *halves(labels)).codes
    train, test = halves(y)
    part, extra = interpolated(X.iloc[train], y[train], seed)
    plain = pd.get_dummies(X.iloc[test]).astype(float)
    plain.columns = part.columns
    whole = pd.concat([part, plain], ignore_index=True)
    n = len(extra)
    rows = np.arange(n + len(test))
    assert audit(whole, np.append(extra, y[test]), rows[:n], rows[n:]).ok


@pytest.mark.parametrize("smoothing", [0.0, 10.0])
@pytest.mark.parametrize("over", ["all", "train"])
def test_labels_encoded_in_sample_are_named_out_of_fold_they_are_not(
    smoothing: float, over: str
) -> None:
    X, y = table()
    train, test = halves(y)
    rows = np.arange(N) if over == "all" else train
    sums = pd.Series(y[rows]).groupby(X["agent"].iloc[rows].to_numpy()).agg(["sum", "count"])
    rate = (sums["sum"] + smoothing * y[rows].mean()) / (sums["count"] + smoothing)
    encoded = X.assign(agent_rate=X["agent"].map(rate.to_dict()).astype(float))
    assert found(audit(encoded, y, train, test), "L008") == {"agent_rate"}
    # Encoded from other rows than those it is used on.
    honest = np.full(N, np.nan)
    parts = np.array_split(np.random.default_rng(0).permutation(train), 5)
    for part in [*parts, test]:
        others = np.setdiff1d(train, part)
        means = pd.Series(y[others]).groupby(X["agent"].iloc[others].to_numpy()).mean()
        honest[part] = X["agent"].iloc[part].map(means.to_dict()).astype(float)
    assert audit(X.assign(agent_rate=honest), y, train, test).ok


def test_training_rows_later_than_test_rows_are_named() -> None:
    X, y = table()
    days = np.arange(N)
    train, test = halves(y)
    assert audit(X, y, train, test, as_of=days).codes == ("L009",)
    assert audit(X, y, days[:1400], days[1400:], as_of=days).ok


# ---------------------------------------------------------------- the report, and wrong use


def test_the_report_says_what_and_what_to_do() -> None:
    X, y = table()
    report = audit(X.assign(won=y), y, *halves(y))
    frame = report.to_frame()
    assert list(frame.columns) == ["code", "leak", "column", "message", "fix"]
    assert frame["leak"].tolist() == [LEAKS[code] for code in frame["code"]]
    assert (report.n_train, report.n_test) == (1400, 600)
    assert "won" in report._repr_html_()


@given(seed=st.integers(0, 2**16))
@settings(max_examples=15)
def test_the_order_of_rows_does_not_matter(seed: int) -> None:
    X, y = table(n=300)
    X = X.assign(leak=y + 0.4 * np.random.default_rng(0).normal(size=300))
    train, test = halves(y)
    order = np.random.default_rng(seed).permutation(300)
    place = np.argsort(order)
    mixed = audit(X.iloc[order], y[order], place[train], place[test])
    assert mixed.codes == audit(X, y, train, test).codes == ("L002",)


def test_wrong_use_is_a_clear_error() -> None:
    X, y = table(n=100)
    rows = np.arange(100)
    with pytest.raises(DataError, match="others than 0 and 1"):
        audit(X, y + 1, rows[:50], rows[50:])
    with pytest.raises(DataError, match="1 rows are in both parts"):
        audit(X, y, rows[:51], rows[50:])
    with pytest.raises(DataError, match="test holds no positions"):
        audit(X, y, rows[:50], [])
    with pytest.raises(DataError, match="test part has one label only"):
        audit(X, np.append(y[:50], np.zeros(50, dtype=int)), rows[:50], rows[50:])
    with pytest.raises(DataError, match="groups has 3 values"):
        audit(X, y, rows[:50], rows[50:], groups=[1, 2, 3])
