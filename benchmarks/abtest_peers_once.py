"""One analysis by a peer's library, in the peers' own environment.

    build/abtest-peers/bin/python benchmarks/abtest_peers_once.py PEER FILE

CPU seconds count the analysis. Imports, and reading the table for what works in memory, stand
beside it.
"""

import importlib
import json
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

_METRICS = (("y1", "x1"), ("y2", "x2"), ("y3", "x3"))
_ARMS = ("empathetic", "analytical", "assertive", "consultative", "relationship")
Prepared = Callable[[], list[dict[str, Any]]]


def tea_tasting_polars(path: str) -> Prepared:
    """tea-tasting on a polars frame."""
    polars = importlib.import_module("polars")
    frame = polars.read_parquet(path).with_columns(polars.col("y1").cast(polars.Int64))
    _tea_tasting(frame.head(1000))  # what it imports late is not timed
    return lambda: _tea_tasting(frame)


def tea_tasting_duckdb(path: str) -> Prepared:
    """tea-tasting on DuckDB, which reads the file when it is asked."""
    ibis = importlib.import_module("ibis")
    con = ibis.duckdb.connect(threads=1)
    table = con.read_parquet(path)
    _tea_tasting(table.limit(1000))  # what it imports late is not timed
    return lambda: _tea_tasting(table)


def _tea_tasting(data: Any) -> list[dict[str, Any]]:
    tea_tasting = importlib.import_module("tea_tasting")
    metrics = {y: tea_tasting.Mean(y, covariate=x) for y, x in _METRICS}
    found = tea_tasting.Experiment(metrics, variant="arm").analyze(
        data, control=_ARMS[0], all_variants=True
    )
    out = []
    for (_, arm), result in found.items():
        for y, one in result.items():
            half = one.effect_size_ci_upper - one.effect_size
            out.append({"metric": y, "arm": arm, "difference": one.effect_size, "half": half})
    return out


def statsmodels_ols(path: str) -> Prepared:
    """A regression on arms and covariate for each metric, robust (HC1)."""
    pd = importlib.import_module("pandas")
    smf = importlib.import_module("statsmodels.formula.api")
    frame = pd.read_parquet(path)

    def analysed() -> list[dict[str, Any]]:
        out = []
        for y, x in _METRICS:
            fit = smf.ols(f"{y} ~ C(arm, Treatment('{_ARMS[0]}')) + {x}", frame).fit(cov_type="HC1")
            for arm in _ARMS[1:]:
                name = f"C(arm, Treatment('{_ARMS[0]}'))[T.{arm}]"
                out.append({"metric": y, "arm": arm, "difference": fit.params[name],
                            "se": fit.bse[name]})  # fmt: skip
        return out

    return analysed


def spotify_confidence(path: str) -> Prepared:
    """spotify-confidence from sums a pandas user makes; without CUPED, which its sums lack."""
    pd = importlib.import_module("pandas")
    spotify_confidence = importlib.import_module("spotify_confidence")
    frame = pd.read_parquet(path)

    def analysed() -> list[dict[str, Any]]:
        out = []
        for y, _ in _METRICS:
            squares = frame[["arm"]].assign(v=frame[y].astype(float))
            squares["v2"] = squares["v"] ** 2
            sums = squares.groupby("arm").agg(n=("v", "size"), s=("v", "sum"), q=("v2", "sum"))
            test = spotify_confidence.ZTest(
                sums.reset_index(), numerator_column="s", numerator_sum_squares_column="q",
                denominator_column="n", categorical_group_columns="arm",
            )  # fmt: skip
            found = test.multiple_difference(level=_ARMS[0], level_as_reference=True)
            out += [
                {"metric": y, "arm": row["level_2"], "difference": row["difference"]}
                for row in found.to_dict("records")
            ]
        return out

    return analysed


def main(peer: str, path: str) -> dict[str, Any]:
    """Prepare, analyse, and say what it cost."""
    started = time.process_time()
    analysed: Prepared = globals()[peer](path)
    ready, wall = time.process_time(), time.perf_counter()
    effects = analysed()
    done = time.process_time()
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    peaks = [int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM")]
    peak = peaks[0] if peaks else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {
        "load_cpu_s": ready - started, "cpu_s": done - ready,
        "wall_s": time.perf_counter() - wall, "peak_mib": peak, "effects": effects,
    }  # fmt: skip


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], sys.argv[2]), default=float))
