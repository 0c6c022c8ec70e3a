"""Bad input: for each kind one clear error, or an answer that says what was done."""

import math
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from workbench.abtest import Analysis, Design, analyse
from workbench.errors import DataError

AS_OF = datetime(2026, 3, 1, tzinfo=UTC)
EARLY = datetime(2026, 1, 5, tzinfo=UTC)
Change = Callable[[pd.DataFrame], pd.DataFrame]


def units() -> pd.DataFrame:
    rng = np.random.default_rng(1)
    return pd.DataFrame(
        {
            "lead": [f"lead-{i}" for i in range(200)],
            "arm": ["old", "new"] * 100,
            "agent": [str(i // 2 % 20) for i in range(200)],
            "reply": rng.integers(0, 2, 200),
            "calls": rng.poisson(3, 200),
            "revenue": rng.normal(10, 3, 200),
            "x": rng.normal(0, 1, 200),
            "days": rng.exponential(5, 200) + 10,
            "won": 1,
        }
    )


def design(**changes: Any) -> Design:
    metrics = {
        "reply": {"kind": "proportion", "role": "primary"},
        "calls": {"kind": "count"},
        "revenue": {"kind": "mean"},
    }
    return Design.model_validate(
        {"name": "t", "arms": {"old": 1, "new": 1}, "metrics": metrics, **changes}
    )


def put(column: str, value: Any, rows: Any = 3) -> Change:
    def change(data: pd.DataFrame) -> pd.DataFrame:
        data = data.astype({column: object}) if isinstance(value, str) else data.astype(
            {column: float} if isinstance(value, float) else {}
        )  # fmt: skip
        data.loc[rows, column] = value
        return data

    return change


def exposed(moment: Any) -> Change:
    return lambda data: data.assign(exposed_at=moment)


ERRORS: list[tuple[str, Change, dict[str, Any], str]] = [
    ("NaN outcome", put("revenue", math.nan), {}, "1 units have no value"),
    ("infinite outcome", put("revenue", math.inf), {}, "1 values are infinite"),
    ("infinite covariate", put("x", -math.inf), {"covariates": ["x"]}, "'x': 1 values are inf"),
    ("half a reply", put("reply", 0.5), {}, "out of range, for example 0.5. Expected 0 or 1"),
    ("negative count", put("calls", -1), {}, "for example -1. Expected whole numbers ≥ 0"),
    ("half a count", put("calls", 2.5), {}, "for example 2.5. Expected whole numbers"),
    ("string outcome", put("reply", "yes"), {}, "column 'reply' is VARCHAR"),
    ("duplicate unit", put("lead", "lead-1", 5), {"unit_column": "lead"}, "'lead-1' has 2 rows"),
    ("unit in two arms", put("lead", "lead-0"), {"unit_column": "lead"}, "2 rows in 2 arms"),
    ("unit without a name", put("lead", None), {"unit_column": "lead"}, "a unit has no identifier"),
    ("no arm", put("arm", None), {}, "1 units have no arm"),
    ("no cluster", put("agent", None), {"cluster": {"column": "agent"}}, "1 units have no cluster"),
    ("missing column", lambda d: d.drop(columns="calls"), {}, "lack the column(s) calls"),
    ("naive time", exposed(EARLY.replace(tzinfo=None)), {}, "a time without a zone"),
    ("unknown time", lambda d: put("exposed_at", pd.NaT)(exposed(EARLY)(d)), {},
     "1 units have no time of exposure"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("change", "changes", "message"), [e[1:] for e in ERRORS], ids=[e[0] for e in ERRORS]
)
def test_errors(change: Change, changes: dict[str, Any], message: str) -> None:
    analyse(design(**{k: v for k, v in changes.items() if k != "cluster"}), units(), as_of=AS_OF)
    with pytest.raises(DataError) as caught:
        analyse(design(**changes), change(units()), as_of=AS_OF)
    assert message in str(caught.value)
    assert "To fix:" in str(caught.value)


def found_codes(found: Analysis) -> set[str]:
    return {f.code for f in found.findings}


def test_an_empty_arm() -> None:
    data = units()
    found = analyse(design(), data[data["arm"] == "old"], as_of=AS_OF)
    assert {"WB-X01", "WB-X05", "WB-X06"} <= found_codes(found)
    assert found.effects == ()
    assert found.decisions[0].decision == "cannot decide"


def test_no_units_at_all() -> None:
    found = analyse(design(), units().iloc[:0], as_of=AS_OF)
    assert found.ratio.test.pvalue == 1.0
    assert found.effects == ()


def test_one_unit_in_an_arm() -> None:
    found = analyse(design(), units().iloc[[0, 1, 2, 4, 6]], as_of=AS_OF)
    effect = found.effect("revenue")
    assert math.isnan(effect.effect.standard_error)
    assert effect.verdict == "no data"
    assert effect.ci_lower == -math.inf
    assert "WB-X06" in found_codes(found)
    assert found.decisions[0].decision == "cannot decide"
    assert "null" in found.to_json()
    assert "unbounded" in found.to_markdown()


def test_nothing_varies() -> None:
    found = analyse(design(), units().assign(reply=1, revenue=7.0), as_of=AS_OF)
    assert found.effect("reply").verdict == "inconclusive"
    assert found.effect("revenue").effect.difference == 0
    assert "WB-X13" in found_codes(found)


def test_an_arm_nobody_knows_is_left_out() -> None:
    found = analyse(design(), put("arm", "older", [0, 2])(units()), as_of=AS_OF)
    assert dict(found.n_units) == {"old": 98, "new": 100}
    assert "'older' 2" in str(found.findings)


def test_future_and_early_exposures_are_left_out_and_counted() -> None:
    data = units().assign(exposed_at=EARLY)
    data.loc[:9, "exposed_at"] = AS_OF + timedelta(days=1)
    data.loc[10:14, "exposed_at"] = EARLY - timedelta(days=30)
    found = analyse(design(start=EARLY.isoformat()), data, as_of=AS_OF)
    assert sum(found.n_units.values()) == 185
    assert "15 units were exposed" in str(found.findings)


def test_zones_are_compared_in_utc() -> None:
    data = units().assign(exposed_at=pd.Timestamp("2026-03-01 01:00", tz="Asia/Tokyo"))
    assert sum(analyse(design(), data, as_of=AS_OF).n_units.values()) == 200


@pytest.mark.parametrize("dtype", ["float64", "Float64"])
def test_missing_outcomes_as_designed(dtype: str) -> None:
    data = units()
    data["revenue"] = data["revenue"].where(data.index % 7 != 0).astype(dtype)
    zero = {"revenue": {"kind": "mean", "role": "primary", "missing": "zero"}}
    drop = {"revenue": {"kind": "mean", "role": "primary", "missing": "drop"}}
    known = units()["revenue"].where(units().index % 7 != 0)
    old = units()["arm"] == "old"
    as_zero = analyse(design(metrics=zero), data, as_of=AS_OF).effect("revenue")
    assert as_zero.effect.control == pytest.approx(known.fillna(0)[old].mean())
    found = analyse(design(metrics=drop, covariates=["x"]), data, as_of=AS_OF)
    assert found.effect("revenue").raw.control == pytest.approx(known[old].mean())
    assert found.effect("revenue").effect.n_control == known[old].count()
    assert "WB-X14" in found_codes(found)


def test_outcomes_missing_more_in_one_arm_are_a_warning() -> None:
    data = pd.concat([units()] * 5, ignore_index=True)
    data.loc[(data["arm"] == "new") & (data.index % 3 == 0), "revenue"] = math.nan
    metrics = {"revenue": {"kind": "mean", "role": "primary", "missing": "drop"}}
    found = analyse(design(metrics=metrics), data, as_of=AS_OF)
    assert [f.severity for f in found.findings if f.code == "WB-X14"] == ["warning"]


def test_missing_covariates_are_filled_alike_and_said() -> None:
    data = put("x", math.nan, list(range(0, 200, 9)))(units())
    found = analyse(design(covariates=["x"]), data, as_of=AS_OF)
    (note,) = [f for f in found.findings if f.code == "WB-X07"]
    assert "x is missing for 23 of 200 units" in note.what
    raw = analyse(design(), data, as_of=AS_OF).effect("revenue").effect
    assert found.effect("revenue").raw.difference == pytest.approx(raw.difference)


def test_arms_that_differed_before_are_a_warning() -> None:
    data = units()
    data.loc[data["arm"] == "new", "x"] += 2
    assert "WB-X09" in found_codes(analyse(design(covariates=["x"]), data, as_of=AS_OF))
    clustered = design(covariates=["x"], cluster={"column": "agent", "randomised": False})
    assert "WB-X09" in found_codes(analyse(clustered, data, as_of=AS_OF))


def test_one_cluster_in_an_arm_gives_no_effect() -> None:
    data = units().assign(agent=lambda d: np.where(d["arm"] == "new", "only", d["agent"]))
    found = analyse(design(cluster={"column": "agent"}), data, as_of=AS_OF)
    assert "WB-X06" in found_codes(found)
    assert found.effects == ()


def test_a_time_to_event_needs_its_horizon() -> None:
    metric = {"kind": "time_to_event", "role": "primary", "duration": "days", "event": "won"}
    short = design(metrics={"wait": {**metric, "horizon": 8}})
    assert analyse(short, units(), as_of=AS_OF).effect("wait").effect.difference == 0
    censored = units().assign(won=0)
    with pytest.raises(DataError, match="take a shorter one"):
        analyse(design(metrics={"wait": {**metric, "horizon": 99}}), censored, as_of=AS_OF)


def test_values_of_quantiles_are_checked_too() -> None:
    metrics = {"half": {"kind": "quantile", "q": 0.5, "column": "revenue", "role": "primary"}}
    for value, message in ((math.inf, "infinite"), (math.nan, "1 units have no value")):
        with pytest.raises(DataError, match=message):
            analyse(design(metrics=metrics), put("revenue", value)(units()), as_of=AS_OF)
    few = analyse(design(metrics={"tail": {**metrics["half"], "q": 0.99}}), units(), as_of=AS_OF)
    assert few.effect("tail").verdict == "no data"
    assert "too few values" in few.effect("tail").effect.method


@pytest.mark.parametrize("data", [3, [1, 2], "units.xlsx", Path("absent.parquet")])
def test_other_things_than_units(data: Any) -> None:
    with pytest.raises(DataError):
        analyse(design(), data, as_of=AS_OF)
