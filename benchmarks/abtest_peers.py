"""The same 10,000,000 users × 5 arms × 3 metrics, analysed by the libraries one would use instead.

They are installed from the package index into an environment of their own (``build/abtest-peers``;
needs a network once). Ours runs in turn with them, one process each, one thread. CPU seconds of a
peer that works in memory leave out reading the file, which stands beside it; ours count it.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.abtest_speed import generate_users, once
from benchmarks.console import say
from benchmarks.figure import CaseError, Figure, result
from benchmarks.machine import ROOT, clean_environment

__all__ = ["main"]

# How often each is run: the slow ones once.
_PEERS = {"tea_tasting_polars": 5, "tea_tasting_duckdb": 5, "spotify_confidence": 1,
          "statsmodels_ols": 1}  # fmt: skip
_OURS = ("workbench", "duckdb_hand")
_ROUNDS = 5
_HERE, _FOLDER = Path(__file__).parent, ROOT / "build" / "abtest-peers"


def _environment() -> Path:
    python = _FOLDER / "bin" / "python"
    wanted = (_HERE / "abtest_peers.txt").read_text(encoding="utf-8")
    made = _FOLDER / "made-from.txt"
    if made.is_file() and made.read_text(encoding="utf-8") == wanted:
        return python
    say("  installing the peers")
    uv = str(Path(sys.executable).with_name("uv"))
    listed = str(_HERE / "abtest_peers.txt")
    for command in (
        [uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(_FOLDER)],
        [uv, "pip", "install", "--quiet", "--python", str(python), "-r", listed],
    ):
        if subprocess.run(command, check=False).returncode != 0:
            raise CaseError("the peers cannot be installed, see above; a network is needed once")
    made.write_text(wanted, encoding="utf-8")
    return python


def _peer(python: Path, peer: str, users: Path) -> dict[str, Any]:
    done = subprocess.run(
        [str(python), str(_HERE / "abtest_peers_once.py"), peer, str(users)],
        env=clean_environment(
            OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", POLARS_MAX_THREADS="1"
        ),
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=False,
    )  # fmt: skip
    if done.returncode != 0:
        raise CaseError(f"{peer} failed, run benchmarks/abtest_peers_once.py to see why")
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _gap(ours: dict[str, Any], theirs: dict[str, Any]) -> float:
    """Largest difference of an effect, in our standard errors."""
    known = {(e["metric"], e["arm"]): e for e in theirs["effects"]}
    gaps = [
        abs(known[e["metric"], e["arm"]]["difference"] - e["difference"]) / e["se"]
        for e in ours["effects"]
    ]
    return float(max(gaps))


def main() -> dict[str, Any]:
    """Alternate ours and theirs, in fresh processes."""
    python = _environment()
    runs: dict[str, list[dict[str, Any]]] = {name: [] for name in (*_OURS, *_PEERS)}
    with tempfile.TemporaryDirectory() as folder:
        users = Path(folder) / "users.parquet"
        say("  generating users")
        generate_users(users)
        for number in range(_ROUNDS):
            for name, found in runs.items():
                if name in _PEERS and number >= _PEERS[name]:
                    continue
                say(f"  round {number + 1} of {_ROUNDS}: {name}")
                found.append(once(name, 1, users) if name in _OURS else _peer(python, name, users))
    figures: list[Figure] = []
    for name, found in runs.items():
        cpu = [run["cpu_s"] for run in found]
        figures += [
            Figure(f"{name}: CPU", min(cpu), len(cpu), "s", spread=(min(cpu), max(cpu)),
                   spread_kind="min to max"),
            Figure("  peak memory of the process", max(r["peak_mib"] for r in found), len(cpu),
                   "MiB"),
        ]  # fmt: skip
        if name in _PEERS:
            loading = min(run["load_cpu_s"] for run in found)
            figures.append(Figure("  CPU before: imports and reading", loading, len(cpu), "s"))
    ours = min(run["cpu_s"] for run in runs["workbench"])
    best = min(min(run["cpu_s"] for run in found) for n, found in runs.items() if n != "workbench")
    figures.append(Figure("CPU, ours over the quickest of them", ours / best, _ROUNDS, at_most=1.0))
    for name in ("tea_tasting_polars", "tea_tasting_duckdb", "statsmodels_ols"):
        figures.append(
            Figure(f"largest difference of an effect from {name}'s, in standard errors",
                   _gap(runs["workbench"][0], runs[name][0]), 12, at_most=0.05)
        )  # fmt: skip
    return result(figures, runs=runs)
