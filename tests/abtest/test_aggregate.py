"""What one pass of SQL adds up is what numpy finds unit by unit."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from workbench.abtest import Design, aggregate, aggregate_sql, analyse, open_units
from workbench.stats import (
    Moments,
    compare_clustered,
    compare_means,
    compare_proportions,
    compare_quantiles,
    compare_ratios,
    covariate_coefficients,
    lin_adjusted,
    winsorize,
)

AS_OF = datetime(2026, 3, 1, tzinfo=UTC)
ARMS = {"a": 1.0, "b": 1.0, "c": 1.0}


def units(n: int = 900, seed: int = 1) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    arm = rng.choice(list(ARMS), n)
    x, z = rng.normal(20, 4, n), rng.normal(0, 1, n)
    base = rng.gamma(2, 10, n)
    return pd.DataFrame(
        {
            "arm": arm,
            "agent": rng.integers(0, 40, n).astype(str),
            "role": rng.choice(["junior", "senior"], n),
            "x": x,
            "z": z,
            "reply": (rng.random(n) < 0.3 + 0.1 * (arm == "b")).astype(int),
            "calls": rng.poisson(3, n),
            "revenue": base + x + 3 * (arm == "c"),
            "sales": rng.poisson(2, n).astype(float),
            "sessions": rng.poisson(5, n) + 1.0,
        }
    )


def design(metrics: dict[str, Any], **changes: Any) -> Design:
    first = next(iter(metrics))
    metrics = {
        n: {"role": "primary" if n == first else "secondary", **m} for n, m in metrics.items()
    }
    return Design.model_validate({"name": "t", "arms": ARMS, "metrics": metrics, **changes})


def of(data: pd.DataFrame, arm: str, *columns: str) -> Moments:
    return Moments.of(*(data.loc[data["arm"] == arm, c] for c in columns))


def same(found: Any, wanted: Any, rel: float = 1e-9) -> None:
    for name in ("difference", "standard_error", "pvalue", "ci_lower", "ci_upper", "lift", "df"):
        assert getattr(found, name) == pytest.approx(getattr(wanted, name), rel=rel, abs=1e-14)


def test_each_kind_is_its_comparison() -> None:
    data = units()
    d = design(
        {
            "reply": {"kind": "proportion"},
            "revenue": {"kind": "mean"},
            "calls": {"kind": "count"},
            "rate": {"kind": "ratio", "numerator": "sales", "denominator": "sessions"},
            "median": {"kind": "quantile", "q": 0.5, "column": "revenue"},
        }
    )
    found = analyse(d, data, as_of=AS_OF)
    counts = [(int(g.sum()), len(g)) for _, g in data.groupby("arm")["reply"]]
    same(found.effect("reply", "b").raw, compare_proportions(counts[0], counts[1]))
    for name in ("revenue", "calls"):
        wanted = compare_means(of(data, "a", name), of(data, "c", name))
        same(found.effect(name, "c").effect, wanted)
    ratio = compare_ratios(of(data, "a", "sales", "sessions"), of(data, "b", "sales", "sessions"))
    same(found.effect("rate", "b").effect, ratio)
    halves = [data.loc[data["arm"] == arm, "revenue"] for arm in "ab"]
    same(found.effect("median", "b").effect, compare_quantiles(halves[0], halves[1], 0.5))


@pytest.mark.parametrize("adjustment", ["cuped", "lin"])
def test_adjustment_is_beside_the_raw_effect(adjustment: str) -> None:
    data = units()
    d = design({"revenue": {"kind": "mean"}}, covariates=["x", "z"], adjustment=adjustment)
    found = analyse(d, data, as_of=AS_OF).effect("revenue", "c")
    arms = [of(data, arm, "revenue", "x", "z") for arm in ARMS]
    if adjustment == "lin":
        wanted = lin_adjusted(arms[0], arms[2])
    else:
        slopes = covariate_coefficients(arms)
        wanted = compare_means(arms[0], arms[2], covariates=2, coefficients=slopes)
    same(found.effect, wanted)
    same(found.raw, compare_means(of(data, "a", "revenue"), of(data, "c", "revenue")))
    assert 0.02 < found.as_dict()["variance_reduction"] < 0.2


def test_a_ratio_is_adjusted_by_the_ratio_before() -> None:
    data = units().assign(before=lambda f: f["sales"] + f["z"])
    d = design(
        {
            "rate": {
                "kind": "ratio", "numerator": "sales", "denominator": "sessions",
                "covariate_numerator": "before", "covariate_denominator": "sessions",
            }
        }
    )  # fmt: skip
    found = analyse(d, data, as_of=AS_OF).effect("rate", "b")
    columns = ("sales", "sessions", "before", "sessions")
    arms = [of(data, arm, *columns) for arm in ARMS]
    slopes = covariate_coefficients(arms, ratios=True)
    same(found.effect, compare_ratios(arms[0], arms[1], covariates=1, coefficients=slopes))
    assert found.effect.standard_error < 0.8 * found.raw.standard_error


@pytest.mark.parametrize("covariates", [[], ["x"]])
def test_clusters_are_those_of_the_units(covariates: list[str]) -> None:
    data = units()
    cluster = {"column": "agent", "randomised": False}
    d = design({"revenue": {"kind": "mean"}}, cluster=cluster, covariates=covariates)
    found = analyse(d, data, as_of=AS_OF).effect("revenue", "b")
    two = data[data["arm"].isin(["a", "b"])]
    treated = (two["arm"] == "b").astype(int)
    extra = two[covariates].to_numpy() if covariates else None
    wanted = compare_clustered(two["revenue"], treated, two["agent"], covariates=extra)
    same(found.effect, wanted, rel=1e-7)
    same(found.raw, compare_clustered(two["revenue"], treated, two["agent"]), rel=1e-7)
    assert found.unclustered is not None
    same(found.unclustered, compare_means(of(data, "a", "revenue"), of(data, "b", "revenue")))


def test_a_ratio_in_clusters_is_a_weighted_mean() -> None:
    data = units()
    metric = {"rate": {"kind": "ratio", "numerator": "sales", "denominator": "sessions"}}
    d = design(metric, cluster={"column": "agent", "randomised": False})
    found = analyse(d, data, as_of=AS_OF).effect("rate", "b")
    sides = [of(data, arm, "sales", "sessions") for arm in "ab"]
    assert found.effect.difference == pytest.approx(compare_ratios(*sides).difference, rel=1e-9)
    assert found.effect.n_groups == 40


def test_caps_are_pooled_over_the_arms() -> None:
    data = units()
    rule = {"upper": 0.02, "lower": 0.01}
    found = analyse(
        design({"revenue": {"kind": "mean", "winsorise": rule}}, covariates=["x"]),
        data,
        as_of=AS_OF,
    )
    values = [data.loc[data["arm"] == arm, "revenue"] for arm in ARMS]
    capped = winsorize(values, lower=0.01, upper=0.02)
    arms = [Moments.of(v) for v in capped.values]
    same(found.effect("revenue", "c").raw, compare_means(arms[0], arms[2]))
    uncapped = found.effect("revenue", "c").uncapped
    assert uncapped is not None
    same(uncapped, compare_means(of(data, "a", "revenue"), of(data, "c", "revenue")))
    (note,) = [f for f in found.findings if f.code == "WB-X08"]
    assert f"{capped.n_lower + capped.n_upper} values of revenue were capped" in note.what


def test_caps_can_come_from_what_is_not_zero() -> None:
    data = units().assign(spend=lambda f: f["revenue"].where(f["z"] > 1, 0.0))
    rule = {"upper": 0.05, "ignore_zeros": True}
    found = analyse(design({"spend": {"kind": "mean", "winsorise": rule}}), data, as_of=AS_OF)
    capped = winsorize([data.loc[data["arm"] == a, "spend"] for a in ARMS], upper=0.05,
                       ignore_zeros=True)  # fmt: skip
    control, treatment = (Moments.of(capped.values[i]) for i in (0, 1))
    same(found.effect("spend", "b").raw, compare_means(control, treatment))


def test_segments_are_comparisons_of_their_units() -> None:
    data = units()
    d = design(
        {"revenue": {"kind": "mean"}, "half": {"kind": "quantile", "q": 0.5, "column": "revenue"}},
        segments=["role"],
    )
    found = analyse(d, data, as_of=AS_OF)
    for item in found.segments:
        assert [level.level for level in item.levels] == ["junior", "senior"]
        for level in item.levels:
            part = data[data["role"] == level.level]
            if item.metric == "revenue":
                wanted = compare_means(of(part, "a", "revenue"), of(part, item.arm, "revenue"))
            else:
                sides = [part.loc[part["arm"] == a, "revenue"] for a in ("a", item.arm)]
                wanted = compare_quantiles(sides[0], sides[1], 0.5)
            assert level.effect is not None
            same(level.effect, wanted)


def test_means_far_from_zero_keep_their_digits() -> None:
    rng = np.random.default_rng(0)
    data = pd.DataFrame({"arm": ["a", "b", "c"] * 2000, "v": 1e9 + rng.normal(0, 1e-3, 6000)})
    found = analyse(design({"v": {"kind": "mean"}}), data, as_of=AS_OF).effect("v", "b")
    wanted = compare_means(of(data, "a", "v"), of(data, "b", "v"))
    # At 1e9 a double has 1e-7 to spare; naive sums of squares have nothing left.
    assert found.effect.standard_error == pytest.approx(wanted.standard_error, rel=1e-6)


def test_a_bad_first_guess_of_the_mean_is_repeated() -> None:
    rng = np.random.default_rng(0)
    late = np.concatenate([rng.normal(0, 1, 3000), 1e8 + rng.normal(0, 1, 60_000)])
    data = pd.DataFrame({"arm": np.resize(["a", "b", "c"], late.size), "v": late, "w": 1e8})
    data["v"] = data["v"].sort_values(ascending=True).to_numpy()
    data["w"] = np.where(np.arange(late.size) < 3000, 0.0, 1e8 + rng.normal(0, 1, late.size))
    with open_units(design({"v": {"kind": "mean"}}), data, as_of=AS_OF) as opened:
        cells = aggregate(opened).cells["v"]
    got, wanted = cells.at("b").moments(), of(data, "b", "v")
    assert got is not None
    assert got.variance == pytest.approx(wanted.variance, rel=1e-9)


def test_all_sources_give_the_same(tmp_path: Path) -> None:
    data = units()
    d = design({"revenue": {"kind": "mean"}, "reply": {"kind": "proportion"}}, covariates=["x"])
    data.to_parquet(tmp_path / "part-0.parquet")
    data.to_csv(tmp_path / "all.csv", index=False)
    first = analyse(d, data, as_of=AS_OF).to_frame()
    for source in (
        pa.Table.from_pandas(data), tmp_path / "part-0.parquet", str(tmp_path / "part-*.parquet"),
        tmp_path / "all.csv",
    ):  # fmt: skip
        pd.testing.assert_frame_equal(first, analyse(d, source, as_of=AS_OF).to_frame())
    again = analyse(d, data, as_of=AS_OF, threads=1, memory_limit="200MB")
    pd.testing.assert_frame_equal(first, again.to_frame())


def test_the_query_stands_alone(tmp_path: Path) -> None:
    data = units()
    d = design({"reply": {"kind": "proportion"}}, segments=["role"], covariates=["x"])
    with open_units(d, data, as_of=AS_OF) as opened:
        sql = aggregate_sql(opened)
    con = duckdb.connect()
    con.register("units", data)
    rows = con.execute(sql).fetchall()
    assert len(rows) == 3 + 3 * 2
    assert sum(r[2] for r in rows) == 2 * len(data)


def test_columns_may_have_any_name() -> None:
    odd = 'arm "of" O\'Hara; drop table'
    data = units().rename(columns={"arm": odd, "revenue": "b0_0", "role": "s0", "x": 'x"y'})
    d = design({"money": {"kind": "mean", "column": "b0_0"}}, segments=["s0"], covariates=['x"y'])
    found = analyse(d, data, arm=odd, as_of=AS_OF).effect("money", "b")
    plain = analyse(
        design({"revenue": {"kind": "mean"}}, segments=["role"], covariates=["x"]),
        units(), as_of=AS_OF,
    ).effect("revenue", "b")  # fmt: skip
    assert found.effect == plain.effect
