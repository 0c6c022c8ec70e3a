from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

from workbench.abtest import Design, analyse
from workbench.abtest.monitor import monitor
from workbench.errors import DataError

if TYPE_CHECKING:
    from pathlib import Path

    from pyspark.sql import DataFrame, SparkSession

AS_OF = datetime(2026, 3, 1, tzinfo=UTC)
DESIGN = Design.model_validate(
    {
        "name": "spark",
        "arms": {"old": 1, "new": 1},
        "unit_column": "lead",
        "metrics": {
            "reply": {"kind": "proportion", "role": "primary", "covariates": ["x"]},
            "revenue": {"kind": "mean", "winsorise": {"upper": 0.01}, "covariates": ["x"]},
            "calls": {"kind": "count", "missing": "drop"},
            "rate": {"kind": "ratio", "numerator": "calls", "denominator": "sessions",
                     "missing": "zero"},
            "tail": {"kind": "quantile", "q": 0.9, "column": "revenue"},
        },
        "segments": ["it's"],
    }
)  # fmt: skip


def units(n: int = 3000) -> pd.DataFrame:
    rng = np.random.default_rng(4)
    x = rng.normal(size=n) + 1000
    x[::50] = np.nan
    calls = rng.poisson(3, n).astype(float)
    calls[::40] = np.nan
    level = np.array(["north", "south", None], dtype=object)[rng.integers(3, size=n)]
    return pd.DataFrame(
        {
            "lead": [f"lead-{i}" for i in range(n)],
            "arm": np.array(["old", "new"])[rng.integers(2, size=n)],
            "it's": level,
            "reply": rng.integers(2, size=n),
            "revenue": rng.lognormal(3, 1, n) + np.nan_to_num(x - 1000),
            "calls": calls,
            "sessions": rng.integers(1, 9, n),
            "x": x,
            "exposed_at": [AS_OF - timedelta(hours=float(h)) for h in rng.uniform(-50, 900, n)],
        }
    )


@pytest.fixture
def frame(spark: "SparkSession", tmp_path: "Path") -> "DataFrame":
    path = tmp_path / "units.parquet"
    table = units()
    table["exposed_at"] = table["exposed_at"].astype("datetime64[us, UTC]")
    table.to_parquet(path)
    return spark.read.parquet(str(path))


def test_spark_gives_what_duckdb_gives(frame: "DataFrame") -> None:
    there, here = (analyse(DESIGN, data, as_of=AS_OF) for data in (frame, units()))
    assert sum(there.n_units.values()) == sum(here.n_units.values()) < 3000
    assert [f.code for f in there.findings] == [f.code for f in here.findings]
    assert {"WB-X07", "WB-X08", "WB-X11"} <= {f.code for f in there.findings}
    for a, b in zip(there.effects, here.effects, strict=True):
        ours, theirs = (_numbers(e.effect.as_dict()) for e in (b, a))
        assert theirs == pytest.approx(ours, rel=1e-9, nan_ok=True), a.metric
        assert a.verdict == b.verdict
    for s, t in zip(there.segments, here.segments, strict=True):
        assert [level.level for level in s.levels] == [level.level for level in t.levels]
        assert s.pvalue_adjusted == pytest.approx(t.pvalue_adjusted, nan_ok=True)
    assert not [v.name for v in frame.sparkSession.catalog.listTables() if "workbench" in v.name]


def test_strata_are_compared_within_on_spark_too(frame: "DataFrame") -> None:
    metrics = {"reply": {"kind": "proportion", "role": "primary"}}
    plan = Design.model_validate(
        {"name": "s", "arms": {"old": 1, "new": 1}, "metrics": metrics,
         "adjustment": "post_stratified", "strata": ["it's"]}
    )  # fmt: skip
    there, here = (analyse(plan, data, as_of=AS_OF).effect("reply") for data in (frame, units()))
    assert there.effect.standard_error == pytest.approx(here.effect.standard_error, rel=1e-9)
    assert "over 3 strata" in there.effect.method


def test_what_is_wrong_is_said_as_ever(frame: "DataFrame") -> None:
    from pyspark.sql.functions import col, lit

    naive = frame.withColumn("exposed_at", col("exposed_at").cast("timestamp_ntz"))
    for change, words in (
        (frame.withColumn("reply", lit(2)), "out of range, for example 2"),
        (frame.withColumn("revenue", lit(float("inf"))), "are infinite"),
        (frame.union(frame.limit(1)), "has 2 rows"),
        (naive, "without a zone"),
    ):
        with pytest.raises(DataError, match=words):
            analyse(DESIGN, change, as_of=AS_OF)
    with pytest.raises(DataError, match="the units are in Spark"):
        monitor(DESIGN, frame, as_of=AS_OF)


def _numbers(found: dict[str, Any]) -> dict[str, float]:
    return {k: float(v) for k, v in found.items() if isinstance(v, int | float)}
