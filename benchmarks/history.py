"""History features of a million leads: the product beside hand-written SQL and pandas.

The same 26 features of the same Parquet files, each engine in fresh processes, in turn; then the
product again on events doubled twice. All results are compared value by value. Spark joins in
with `WORKBENCH_BENCH_SPARK=1`.
"""

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.console import say
from benchmarks.figure import CaseError, Figure, median_of, result
from benchmarks.history_once import NAMES
from benchmarks.machine import ROOT, clean_environment

__all__ = ["main"]

_LEADS = 1_000_000
_REPEATS = 3


def _once(engine: str, folder: Path, output: Path) -> dict[str, float]:
    shutil.rmtree(output, ignore_errors=True)
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.history_once", engine, str(folder), str(output)],
        cwd=ROOT, env=clean_environment(), stdout=subprocess.PIPE, text=True, check=False,
    )  # fmt: skip
    if done.returncode != 0:
        raise CaseError(f"{engine} failed with exit status {done.returncode}, see above")
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    say(f"  {engine}: {found['wall_s']:.1f} s, {found['peak_mib']:,.0f} MiB")
    return found


def _differing(ours: Path, theirs: Path) -> int:
    """Values that differ by more than 1e-9 of themselves."""
    columns = ["snapshot_id", *NAMES]
    a, b = (
        pd.read_parquet(path, columns=columns).set_index("snapshot_id").sort_index()
        for path in (ours, theirs)
    )
    left, right = a.to_numpy(dtype=np.float64), b.to_numpy(dtype=np.float64)
    if not a.index.equals(b.index):
        return int(left.size)
    return int((~np.isclose(left, right, rtol=1e-9, atol=1e-12, equal_nan=True)).sum())


def main() -> dict[str, Any]:
    """Measure each engine in turn, three times, and compare what they wrote."""
    engines = ["workbench", "duckdb", "pandas"]
    if os.environ.get("WORKBENCH_BENCH_SPARK"):
        engines.append("spark")
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        folder = root / "data"
        say(f"  making {_LEADS:,} leads")
        _once(f"data:{_LEADS}", folder, root / "none")
        n_events = sum(
            pd.read_parquet(path, columns=["lead_id"]).shape[0]
            for path in sorted((folder / "events").glob("*.parquet"))
        )
        runs: dict[str, list[dict[str, float]]] = {engine: [] for engine in engines}
        for repeat in range(_REPEATS):
            for engine in engines:
                # Spark and pandas take long: once is enough to say by how much.
                if repeat == 0 or engine in ("workbench", "duckdb"):
                    runs[engine].append(_once(engine, folder, root / engine))
        differing = {
            engine: _differing(root / "workbench", root / engine)
            for engine in engines
            if engine != "workbench"
        }
        scaled = {}
        for share in (4, 2):
            part = root / f"part-{share}"
            _once(f"data:{_LEADS // share}", part, root / "none")
            scaled[share] = _once("workbench", part, root / "scaled")["cpu_s"]
    cpu = {e: statistics.median(r["cpu_s"] for r in found) for e, found in runs.items()}
    wall = {e: statistics.median(r["wall_s"] for r in found) for e, found in runs.items()}
    figures = [
        Figure("leads", _LEADS, 1),
        Figure("events", n_events, 1),
        Figure("features", len(NAMES), 1),
    ]
    for engine, found in runs.items():
        figures += [
            median_of(f"{engine}: wall", [r["wall_s"] for r in found], "s"),
            median_of(f"{engine}: CPU", [r["cpu_s"] for r in found], "s"),
            Figure(f"{engine}: peak memory", max(r["peak_mib"] for r in found), len(found), "MiB"),
        ]
    figures += [
        Figure("wall, beside hand-written SQL", wall["workbench"] / wall["duckdb"], _REPEATS, "x",
               at_most=1.2),
        Figure("CPU, beside hand-written SQL", cpu["workbench"] / cpu["duckdb"], _REPEATS, "x",
               at_most=1.2),
        Figure("pandas takes longer (wall)", wall["pandas"] / wall["workbench"], 1, "x",
               at_least=4.0),
        Figure("CPU when events double, 5M to 10M", scaled[2] / scaled[4], 1, "x"),
        Figure("CPU when events double, 10M to 20M", cpu["workbench"] / scaled[2], 1, "x"),
        *(Figure(f"values that differ from {engine}'s", n, _LEADS * len(NAMES), at_most=0)
          for engine, n in differing.items()),
    ]  # fmt: skip
    return result(figures, runs=runs, cpu_of_shares_s=scaled)
