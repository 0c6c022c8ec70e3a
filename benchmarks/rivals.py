"""Evaluation runners one would use instead, asking the same questions of the same emulator.

They are installed from the package index into an environment of their own (``build/rivals``;
needs a network once). What each keeps of an answer differs: ours has the answer, its tokens and
its price on disk before the next is begun, and resumes; see the README.
"""

import json
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

from benchmarks.client import once
from benchmarks.console import say
from benchmarks.figure import CaseError, Figure, median_of, result
from benchmarks.machine import ROOT, clean_environment
from workbench.claude import EmulatorProcess, FaultPlan, FaultRule, Latency

__all__ = ["main"]

_RIVALS = ("langsmith", "braintrust", "inspect_ai")
_REQUESTS, _CONCURRENCY, _ROUNDS = 1_000, 50, 3
_HERE, _FOLDER = Path(__file__).parent, ROOT / "build" / "rivals"


def _environment() -> Path:
    python = _FOLDER / "bin" / "python"
    wanted = (_HERE / "rivals.txt").read_text(encoding="utf-8")
    made = _FOLDER / "made-from.txt"
    if made.is_file() and made.read_text(encoding="utf-8") == wanted:
        return python
    say("  installing the rivals")
    uv = str(Path(sys.executable).with_name("uv"))
    for command in (
        [uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(_FOLDER)],
        [uv, "pip", "install", "--quiet", "--python", str(python), "-r", str(_HERE / "rivals.txt")],
    ):
        if subprocess.run(command, check=False).returncode != 0:
            raise CaseError("the rivals cannot be installed, see above; a network is needed once")
    made.write_text(wanted, encoding="utf-8")
    return python


def _once(python: Path, rival: str, url: str) -> dict[str, float] | None:
    done = subprocess.run(
        [str(python), str(_HERE / "rivals_once.py"), rival, url, str(_REQUESTS),
         str(_CONCURRENCY)],
        env=clean_environment(NO_PROXY="127.0.0.1", LANGSMITH_TRACING="false"),
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=False,
    )  # fmt: skip
    found: dict[str, float] | None = json.loads(done.stdout) if done.returncode == 0 else None
    return found


def main() -> dict[str, Any]:
    """Alternate ours and theirs, in fresh processes; then once under faults."""
    python = _environment()
    figures: list[Figure] = []
    details: dict[str, Any] = {}
    for wait_ms in (0, 100):
        runs: dict[str, list[dict[str, float]]] = {arm: [] for arm in ("workbench", *_RIVALS)}
        plan = FaultPlan(latency=Latency(median_s=wait_ms / 1000))
        for number in range(_ROUNDS):
            for arm, found in runs.items():
                say(f"  {wait_ms} ms, round {number + 1} of {_ROUNDS}: {arm}")
                with EmulatorProcess(plan) as emulator:
                    run = (once(arm, emulator.url, _REQUESTS) if arm == "workbench"
                           else _once(python, arm, emulator.url))  # fmt: skip
                if run is None:
                    raise CaseError(f"{arm} failed, run benchmarks/rivals_once.py to see why")
                found.append(run)
        details[f"{wait_ms} ms"] = runs
        for arm, found in runs.items():
            for name, what, unit in (("wall_s", "wall", "s"), ("cpu_s", "CPU", "s"),
                                     ("peak_rss_mib", "peak memory", "MiB")):  # fmt: skip
                figures.append(
                    median_of(f"{wait_ms} ms: {what}, {arm}", [run[name] for run in found], unit)
                )
        best = min(statistics.median(r["wall_s"] for r in runs[arm]) for arm in _RIVALS)
        ours = statistics.median(run["wall_s"] for run in runs["workbench"])
        figures.append(
            Figure(f"{wait_ms} ms: wall, ours over the quickest of them", ours / best, _ROUNDS,
                   at_most=1.0)
        )  # fmt: skip
    details["faults"] = _under_faults(python)
    figures += [
        Figure(f"answers of {_REQUESTS:,}, every third question failing at first: {arm}",
               answered, _REQUESTS)
        for arm, answered in details["faults"].items()
    ]  # fmt: skip
    return result(figures, n_requests=_REQUESTS, concurrency=_CONCURRENCY, runs=details)


def _under_faults(python: Path) -> dict[str, float]:
    kinds = ("rate_limit_429", "overloaded_529", "server_500")
    rules = tuple(FaultRule(k, rate=0.13, retry_after_s=0.05, seed=i) for i, k in enumerate(kinds))
    answered: dict[str, float] = {}
    for arm in ("workbench", *_RIVALS):
        say(f"  under faults: {arm}")
        with EmulatorProcess(FaultPlan(rules)) as emulator:
            try:
                run = (once(arm, emulator.url, _REQUESTS) if arm == "workbench"
                       else _once(python, arm, emulator.url))  # fmt: skip
            except CaseError:
                run = None
            answered[arm] = 0.0 if run is None else run["n_answered"]
    return answered
