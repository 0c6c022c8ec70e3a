"""What our client costs over a bare loop around the SDK, against the same emulator.

The bare loop is `AsyncAnthropic` and a semaphore: it keeps nothing and books nothing. Ours
stores every answer, books it, counts attempts and guards a budget. The SDK's default transport
is httpx and ours aiohttp; a third arm, the bare loop over aiohttp, tells the two apart. The
emulator answers at once, so that the client's own work is not hidden behind waiting.
"""

import json
import resource
import statistics
import subprocess
import sys
from typing import Any

from benchmarks.console import say
from benchmarks.figure import CaseError, Figure, median_of, result
from benchmarks.machine import ROOT, clean_environment
from workbench.claude import EmulatorProcess

__all__ = ["main"]

_REQUESTS, _CONCURRENCY, _ROUNDS = 2000, 50, 5
_MEASURED = {
    "wall_s": ("wall", "s"),
    "cpu_s": ("CPU", "s"),
    "peak_rss_mib": ("peak memory", "MiB"),
}
_TITLES = {
    "workbench": "ClaudeClient (store, ledger, retries)",
    "bare": "bare AsyncAnthropic loop",
    "bare_aiohttp": "bare loop over aiohttp",
}


def _once(arm: str, url: str) -> dict[str, float]:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.client_once", arm, url, str(_REQUESTS),
         str(_CONCURRENCY)],
        cwd=ROOT, env=clean_environment(NO_PROXY="127.0.0.1"), stdout=subprocess.PIPE, text=True,
        check=False,
    )  # fmt: skip
    if done.returncode != 0:
        raise CaseError(f"{_TITLES[arm]} failed with exit status {done.returncode}, see above")
    found: dict[str, float] = json.loads(done.stdout)
    return found


def _cpu_of_children_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main() -> dict[str, Any]:
    """Alternate the arms, each run in a fresh process, all against one emulator."""
    runs: dict[str, list[dict[str, float]]] = {arm: [] for arm in _TITLES}
    order = list(_TITLES)
    with EmulatorProcess() as emulator:
        for number in range(_ROUNDS):
            for arm in order:
                say(f"  round {number + 1} of {_ROUNDS}: {_TITLES[arm]}")
                runs[arm].append(_once(arm, emulator.url))
            order = order[1:] + order[:1]
        answered = emulator.books()["answered"]
        before_s = _cpu_of_children_s()
    emulator_s = _cpu_of_children_s() - before_s
    figures = []
    for name, (what, unit) in _MEASURED.items():
        values = {arm: [run[name] for run in found] for arm, found in runs.items()}
        for arm, found in values.items():
            figures.append(median_of(f"{what}: {_TITLES[arm]}", found, unit))
        for other in ("bare", "bare_aiohttp"):
            # Paired within a round: what else the machine was doing then hit both.
            ratios = [a / b for a, b in zip(values["workbench"], values[other], strict=True)]
            figures.append(median_of(f"{what}: ours over {_TITLES[other]}", ratios, ""))
    wall = statistics.median(r["wall_s"] for r in runs["workbench"])
    figures.append(Figure("our requests a second", _REQUESTS / wall, _ROUNDS, "1/s"))
    figures.append(Figure("CPU of the emulator a request", 1000 * emulator_s / answered, answered,
                          "ms"))  # fmt: skip
    return result(
        figures, n_requests=_REQUESTS, concurrency=_CONCURRENCY, rounds=_ROUNDS, runs=runs
    )
