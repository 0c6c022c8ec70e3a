"""Drift: alarms at the stated rate, sees what it says it sees, and says when it cannot."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from workbench.errors import DataError
from workbench.monitoring import drift

SHARES = (0.5, 0.2, 0.15, 0.1, 0.05)


def table(n: int, rng: np.random.Generator, n_each: int = 2) -> pd.DataFrame:
    """Normal, skewed, counted, categorical and gappy columns that hang together a little."""
    common = rng.normal(size=(n, 1))
    normal = 0.5 * common + rng.normal(size=(n, 2 * n_each))
    gappy = np.where(rng.random((n, n_each)) < 0.2, np.nan, rng.normal(size=(n, n_each)))
    columns: dict[str, Any] = {f"normal{i}": normal[:, i] for i in range(2 * n_each)}
    columns |= {f"skewed{i}": rng.lognormal(size=n) for i in range(n_each)}
    columns |= {f"count{i}": rng.poisson(1.5, n) for i in range(n_each)}
    columns |= {f"kind{i}": rng.choice(list("abcde"), n, p=SHARES) for i in range(n_each)}
    columns |= {f"gappy{i}": gappy[:, i] for i in range(n_each)}
    columns |= {f"flag{i}": rng.integers(0, 2, n) for i in range(n_each)}
    return pd.DataFrame(columns)


def test_false_alarms_over_70_columns_come_as_often_as_stated() -> None:
    alarms = 0
    for seed in range(80):
        rng = np.random.default_rng(seed)
        both = table(150, rng, 10), table(90, rng, 10)
        found = drift(*both, alpha=0.1, n_permutations=99, random_state=seed)
        assert len(found.columns) == 70
        alarms += bool(found.alarms)
    # 8 are expected; fewer than 2 or more than 16 come once in 300 times each.
    assert 2 <= alarms <= 16


@pytest.mark.parametrize("name", ["normal0", "skewed0", "count0", "kind0", "flag0"])
def test_the_stated_change_is_seen_with_the_stated_power(name: str) -> None:
    rng = np.random.default_rng(7)
    population = table(20_000, rng, 1)
    seen, n_tries = 0, 40
    for seed in range(n_tries):
        before = population.take(rng.integers(0, len(population), 500))
        now = population.take(rng.integers(0, len(population), 300))
        least = drift(before, now, n_permutations=99, random_state=seed)[name].minimum_change
        now = now.copy()
        now[name] = changed(population[name], least, rng, 300)
        seen += drift(before, now, n_permutations=99, random_state=seed)[name].alarm
    assert seen / n_tries >= 0.75


def changed(
    column: "pd.Series[Any]", least: float, rng: np.random.Generator, n: int
) -> Any:  # fmt: skip
    if column.dtype == float:
        return rng.choice(column, n) + least * column.std()
    if pd.api.types.is_integer_dtype(column) and column.nunique() > 2:
        z = ((column - column.mean()) / column.std()).to_numpy()
        low, high = 0.0, 3.0
        for _ in range(20):
            middle = (low + high) / 2
            weights = np.exp(middle * z)
            low, high = (middle, high) if weights @ z / weights.sum() < least else (low, middle)
        weights = np.exp(high * z)
        return rng.choice(column, n, p=weights / weights.sum())
    shares = column.value_counts(normalize=True)
    value = shares.index[0]
    toward = 1 if shares.iloc[0] < 0.5 else -1
    new = shares * (1 - shares.iloc[0] - toward * least) / (1 - shares.iloc[0])
    new[value] = shares.iloc[0] + toward * least
    return rng.choice(new.index.to_numpy(), n, p=new.to_numpy() / new.sum())


def test_half_the_stated_change_is_not_seen_as_often() -> None:
    rng = np.random.default_rng(3)
    seen = 0
    for seed in range(30):
        before = pd.DataFrame({"x": rng.normal(size=400)})
        now = pd.DataFrame({"x": rng.normal(size=400)})
        least = drift(before, now, n_permutations=99)["x"].minimum_change
        seen += bool(drift(before, now + least / 3, n_permutations=99, random_state=seed).alarms)
    assert seen <= 15


def test_the_fixed_rule_of_psi_cries_wolf_at_small_sizes() -> None:
    rng = np.random.default_rng(1)
    naive, ours = 0, 0
    for seed in range(60):
        both = (pd.DataFrame({"x": rng.normal(size=n)}) for n in (100, 100))
        (column,) = drift(*both, n_permutations=99, random_state=seed).columns
        naive += column.naive != "stable"
        ours += column.alarm
    assert naive >= 45 and ours <= 8


def test_groups_are_permuted_whole() -> None:
    def grouped(rng: np.random.Generator, n_groups: int, first: int) -> pd.DataFrame:
        own = np.repeat(rng.normal(size=n_groups), 8)
        person = np.repeat(np.arange(first, first + n_groups), 8)
        return pd.DataFrame({"x": own + 0.2 * rng.normal(size=own.size), "person": person})

    blind, right, least = 0, 0, []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        before, now = grouped(rng, 40, 0), grouped(rng, 40, 40)
        alone = drift(before[["x"]], now[["x"]], n_permutations=99, random_state=seed)
        together = drift(before, now, groups="person", n_permutations=99, random_state=seed)
        blind += bool(alone.alarms)
        right += bool(together.alarms)
        least.append(together["x"].minimum_change / alone["x"].minimum_change)
    assert together.n_groups == (40, 40)
    assert blind >= 25 and right <= 8
    assert 2 < np.mean(least) < 4  # the design effect is near 8 for eight rows a person


def scored(
    n: int, rng: np.random.Generator, extra: float = 0.0, steep: float = 1.0
) -> pd.DataFrame:
    logit = rng.normal(-1, 1, n)
    truth = 1 / (1 + np.exp(-(extra + steep * logit)))
    return pd.DataFrame(
        {"proba": 1 / (1 + np.exp(-logit)), "y": (rng.random(n) < truth).astype(int)}
    )


def test_base_rate_and_calibration_are_looked_at_beside_inputs() -> None:
    rng = np.random.default_rng(5)
    found = drift(scored(2000, rng), scored(1500, rng, extra=0.6), score="proba", label="y")
    assert [c.role for c in found.columns] == ["score", "label", "calibration", "calibration"]
    large, rate = found["calibration in the large"], found["y"]
    assert large.alarm and large.change == pytest.approx(0.11, abs=0.04)
    assert rate.alarm and rate.unit == "share" and rate.change > 0
    assert not found["proba"].alarm
    steep = drift(scored(3000, rng), scored(3000, rng, -1.0, 0.2), score="proba", label="y")
    assert steep["calibration slope"].alarm and steep["calibration slope"].change < 0


def test_missing_and_new_values_are_drift() -> None:
    rng = np.random.default_rng(2)
    before, now = table(600, rng), table(500, rng)
    now.loc[rng.random(500) < 0.25, "normal0"] = np.nan
    now["kind0"] = now["kind0"].where(rng.random(500) > 0.08, "never seen")
    found = drift(before, now)
    assert {c.name for c in found.alarms} == {"normal0", "kind0"}
    assert found["kind0"].change == pytest.approx(0.08, abs=0.03)


def test_columns_that_cannot_be_compared_are_named() -> None:
    rng = np.random.default_rng(4)
    frame = pd.DataFrame(
        {
            "x": rng.normal(size=90), "text": [f"words {i}" for i in range(90)], "same": 1.0,
            "at": pd.date_range("2024-01-01", periods=90), "nothing": np.nan,
        }
    )  # fmt: skip
    found = drift(frame, frame.drop(columns="nothing").assign(other=1.0), n_permutations=99)
    assert {s.name for s in found.skipped} == {"text", "at", "nothing", "other"}
    assert [c.name for c in found.columns] == ["x", "same"]
    assert not found.alarms and np.isinf(found["same"].minimum_change)
    assert "not looked at" in found._repr_html_()
    with pytest.raises(DataError, match="text"):
        drift(frame, frame, columns=["text"])
    with pytest.raises(DataError, match="'absent' is missing"):
        drift(frame, frame, columns=["absent"])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"n_permutations": 9}, "9 permutations"),
        ({"alpha": 0.0}, "alpha is 0.0"),
        ({"groups": "nowhere"}, "no column 'nowhere'"),
        ({"score": "x", "label": "y"}, "no probabilities"),
        ({"score": "p", "label": "x"}, "other than 0 and 1"),
    ],
)
def test_what_makes_no_sense_is_refused(change: dict[str, Any], message: str) -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"x": rng.normal(size=50), "p": 0.5, "y": rng.integers(0, 2, 50)})
    with pytest.raises(DataError, match=message):
        drift(frame, frame, **change)
    with pytest.raises(DataError, match="has 10 rows"):
        drift(frame, frame.head(10))


def test_the_same_seed_gives_the_same_report() -> None:
    rng = np.random.default_rng(6)
    before, now = table(200, rng), table(150, rng)
    one, same = (drift(before, now, random_state=3).to_frame() for _ in range(2))
    pd.testing.assert_frame_equal(one, same)
