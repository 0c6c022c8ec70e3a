"""Analyse 10,000,000 users × 5 arms × 3 metrics with CUPED from Parquet, beside hand-written code.

Every contender runs in a process of its own, in turn, so that other work on the machine meets
all alike. CPU seconds count everything from opening the file to the last interval (12
comparisons); peak memory is that of the whole process. All contenders must agree.
"""

import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import duckdb

from benchmarks.console import say
from benchmarks.figure import CaseError, Figure, result
from benchmarks.machine import ROOT, clean_environment

__all__ = ["generate_users", "main", "once"]

_N_USERS = 10_000_000
_REPEATS = 5
_CONTENDERS = (
    ("workbench", 1), ("workbench", 2), ("duckdb_hand", 1), ("duckdb_hand", 2), ("numpy_hand", 1),
)  # fmt: skip
_BELOW_CPU_S = 0.41
_BELOW_MIB = 300.0

_GENERATE = """
copy (
    select arm, x1, x2, x3,
        (random() < 0.08 + 0.04 * x1 + 0.002 * effect)::tinyint as y1,
        0.7 * x2 + 3 * random() + 0.01 * effect as y2,
        floor(2 * x3 + 2 * random() + 0.02 * effect)::integer as y3
    from (
        select ['empathetic', 'analytical', 'assertive', 'consultative', 'relationship'][1 + k]
                as arm, k as effect, random() as x1, 10 * random() as x2, floor(5 * random()) as x3
        from (select (hash(i) % 5)::integer as k from range($n) t(i))
    )
) to '$path' (format parquet, compression snappy)
"""


def generate_users(path: Path) -> None:
    """Write the users to a Parquet file: the same numbers on every machine."""
    con = duckdb.connect()
    # One thread, or the same seed gives other numbers.
    con.execute("set threads = 1")
    con.execute("select setseed(0.42)")
    con.execute(_GENERATE.replace("$n", str(_N_USERS)).replace("$path", str(path)))
    con.close()


def once(contender: str, threads: int, path: Path) -> dict[str, Any]:
    """Run a contender in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.abtest_speed_once", contender, str(threads), str(path)],
        cwd=ROOT,
        env=clean_environment(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1"),
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise CaseError(f"{contender} failed with exit status {done.returncode}, see above")
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _largest_gap(first: dict[str, Any], other: dict[str, Any]) -> float:
    """Largest difference of an effect or a standard error, in standard errors."""
    gaps = [
        max(abs(a["difference"] - b["difference"]), abs(a["se"] - b["se"])) / a["se"]
        for a, b in zip(first["effects"], other["effects"], strict=True)
    ]
    return float(max(gaps))


def main() -> dict[str, Any]:
    """Generate the users, let every contender analyse them several times, compare."""
    runs: dict[tuple[str, int], list[dict[str, Any]]] = {key: [] for key in _CONTENDERS}
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "users.parquet"
        say(f"  generating {_N_USERS:,} users")
        generate_users(path)
        size_mib = path.stat().st_size / 2**20
        for repeat in range(_REPEATS):
            say(f"  analysing, {repeat + 1} of {_REPEATS}")
            for contender, threads in _CONTENDERS:
                runs[contender, threads].append(once(contender, threads, path))
    figures = [Figure("users", _N_USERS, 1), Figure("Parquet file", size_mib, 1, "MiB")]
    first = runs["workbench", 1][0]
    for (contender, threads), found in runs.items():
        label = f"{contender}, {threads} thread{'s' if threads > 1 else ''}"
        own = contender == "workbench"
        cpu = [r["cpu_s"] for r in found]
        memory = [r["peak_mib"] for r in found]
        figures += [
            Figure(f"{label}: CPU", min(cpu), len(cpu), "s", spread=(min(cpu), max(cpu)),
                   spread_kind="min to max", below=_BELOW_CPU_S if own else None),
            Figure("  wall time", statistics.median(r["wall_s"] for r in found), len(cpu), "s"),
            Figure("  peak memory of the process", max(memory), len(memory), "MiB",
                   at_most=_BELOW_MIB if own else None),
        ]  # fmt: skip
    gap = max(_largest_gap(first, r) for found in runs.values() for r in found)
    figures.append(
        Figure("largest difference between contenders, in standard errors", gap, 12, at_most=1e-4)
    )
    return result(figures, runs={f"{c} {t}": found for (c, t), found in runs.items()})
