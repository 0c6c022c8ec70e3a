"""Evaluate 10,000 stored answers again: how long it takes, and that nobody is asked.

A first process fills the store of a temporary project with simulated answers. Then fresh
processes evaluate the same again, all metrics with intervals included, under an audit hook
that counts socket events and started processes. The first process runs under the same hook:
what it counts there shows that the hook sees what it is meant to see.
"""

import json
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.console import say
from benchmarks.figure import CaseError, Figure, median_of, result
from benchmarks.machine import ROOT, clean_environment

__all__ = ["main"]

_REPEATS = 5
_BELOW_S = 10.0
_AT_LEAST_ANSWERS = 10_000


def _evaluate(folder: Path) -> dict[str, Any]:
    started = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.reevaluate_once", str(folder)],
        cwd=ROOT, env=clean_environment(), stdout=subprocess.PIPE, text=True, check=False,
    )  # fmt: skip
    wall_s = time.perf_counter() - started
    if done.returncode != 0:
        raise CaseError(f"the evaluation failed with exit status {done.returncode}, see above")
    found: dict[str, Any] = json.loads(done.stdout)
    split_s = found["split_s"]
    split_s["start and end of the process"] = wall_s - sum(split_s.values())
    return found | {"wall_s": wall_s}


def main() -> dict[str, Any]:
    """Fill a store, then evaluate again several times in fresh processes."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "datasets").mkdir()
        shutil.copytree(ROOT / "datasets" / "brokerage", folder / "datasets" / "brokerage")
        say("  asking the simulated reader, once")
        filled = _evaluate(folder)
        again = []
        for repeat in range(_REPEATS):
            say(f"  evaluating again, {repeat + 1} of {_REPEATS}")
            again.append(_evaluate(folder))
    if filled["sockets"].get("socket.connect", 0) == 0:
        raise CaseError("the audit hook saw no connection while asking: it proves nothing")
    differing = sum(one["measurements"] != filled["measurements"] for one in again)
    n_answers = filled["n_answers"]
    parts = {part: [one["split_s"][part] for one in again] for part in again[0]["split_s"]}
    return result(
        [
            Figure("stored answers", n_answers, 1, at_least=_AT_LEAST_ANSWERS),
            median_of("evaluated again, whole process", [o["wall_s"] for o in again], "s",
                      below=_BELOW_S),
            median_of("  CPU of the same process", [o["cpu_s"] for o in again], "s"),
            *(median_of(f"  {part}", values, "s") for part, values in parts.items()),
            Figure("socket events (open, connect, bind …)",
                   sum(sum(one["sockets"].values()) for one in again), _REPEATS, at_most=0),
            Figure("processes started other than git",
                   sum(len(one["processes"]) for one in again), _REPEATS, at_most=0),
            Figure("calls booked in the ledger",
                   sum(one["n_booked"] for one in again), _REPEATS, at_most=0),
            Figure("answers not read from the store",
                   sum(one["n_answers"] - one["n_cached"] for one in again), _REPEATS, at_most=0),
            Figure("evaluations with any other figure", differing, _REPEATS, at_most=0),
            Figure("asking and evaluating the first time", filled["wall_s"], 1, "s"),
            Figure("  connections the hook saw then", filled["sockets"]["socket.connect"], 1),
        ],
        first=filled,
        again=again,
    )  # fmt: skip
