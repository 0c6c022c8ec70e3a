"""What our client costs over a bare loop around the SDK, against the same emulator.

The bare loop is `AsyncAnthropic` and a semaphore: it keeps nothing and books nothing. Ours
seals, stores, books and logs every answer, counts attempts, keeps rate limits and guards a
budget. The SDK's default transport is httpx and ours aiohttp; a third arm, the bare loop over
aiohttp, tells the two apart. The emulator answers at once, so that the client's own work is not
hidden behind waiting, or after 100 ms, as a quick endpoint would.
"""

import json
import statistics
import subprocess
import sys
from typing import Any

from benchmarks.console import say
from benchmarks.figure import CaseError, Figure, median_of, result
from benchmarks.machine import ROOT, clean_environment
from workbench.claude import EmulatorProcess, FaultPlan, Latency

__all__ = ["main", "once"]

_CONCURRENCY = 50
# Requests, milliseconds of the server, rounds.
_SETTINGS = ((1_000, 0, 5), (1_000, 100, 3), (10_000, 0, 2), (10_000, 100, 1))
_SMALL, _LARGE = 10_000, 100_000
_TITLES = {
    "workbench": "ClaudeClient, everything on",
    "bare": "bare AsyncAnthropic loop",
    "bare_aiohttp": "bare loop over aiohttp",
}
Runs = dict[str, list[dict[str, float]]]


def once(arm: str, url: str, n_requests: int) -> dict[str, float]:
    """Run one arm in a fresh process."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.client_once", arm, url, str(n_requests),
         str(_CONCURRENCY)],
        cwd=ROOT, env=clean_environment(NO_PROXY="127.0.0.1"), stdout=subprocess.PIPE, text=True,
        check=False,
    )  # fmt: skip
    if done.returncode != 0:
        raise CaseError(f"{arm} failed with exit status {done.returncode}, see above")
    found: dict[str, float] = json.loads(done.stdout)
    return found


def _setting(n_requests: int, wait_ms: int, rounds: int) -> Runs:
    runs: Runs = {arm: [] for arm in _TITLES}
    order = list(_TITLES)
    plan = FaultPlan(latency=Latency(median_s=wait_ms / 1000))
    for number in range(rounds):
        for arm in order:
            say(f"  {n_requests:,} requests, {wait_ms} ms, round {number + 1}: {_TITLES[arm]}")
            # A fresh one each: what it remembers of the last run must not slow the next.
            with EmulatorProcess(plan) as emulator:
                runs[arm].append(once(arm, emulator.url, n_requests))
        order = order[1:] + order[:1]
    return runs


def _figures(runs: Runs, n_requests: int, wait_ms: int) -> list[Figure]:
    where = f"{n_requests:,} requests, {wait_ms} ms"
    figures = []
    for name, what in (("wall_s", "wall"), ("cpu_s", "CPU")):
        values = {arm: [run[name] for run in found] for arm, found in runs.items()}
        for arm, found in values.items():
            figures.append(median_of(f"{where}: {what}, {_TITLES[arm]}", found, "s"))
        for other in ("bare", "bare_aiohttp"):
            # Paired within a round: what else the machine was doing then hit both.
            ratios = [a / b for a, b in zip(values["workbench"], values[other], strict=True)]
            figures.append(
                Figure(f"{where}: {what}, ours over {_TITLES[other]}",
                       statistics.median(ratios), len(ratios), "", (min(ratios), max(ratios)),
                       "min to max", at_most=1.0 if other == "bare" else None)
            )  # fmt: skip
    warm = [run["wall_s"] / run["warm_s"] for run in runs["workbench"]]
    figures.append(
        Figure(f"{where}: asked again from the store, times faster", statistics.median(warm),
               len(warm), "", (min(warm), max(warm)), "min to max",
               at_least=50 if (n_requests, wait_ms) == _SETTINGS[-1][:2] else None)
    )  # fmt: skip
    return figures


def main() -> dict[str, Any]:
    """Alternate the arms, each run in a fresh process against a fresh emulator."""
    figures: list[Figure] = []
    details = {}
    for n_requests, wait_ms, rounds in _SETTINGS:
        runs = _setting(n_requests, wait_ms, rounds)
        figures += _figures(runs, n_requests, wait_ms)
        details[f"{n_requests}x{wait_ms}ms"] = runs
    peaks = {}
    for n_requests in (_SMALL, _LARGE):
        say(f"  {n_requests:,} requests from a generator")
        with EmulatorProcess() as emulator:
            peaks[n_requests] = once("each", emulator.url, n_requests)["peak_rss_mib"]
    figures += [
        *(Figure(f"peak memory, {n:,} requests from a generator", mib, 1, "MiB")
          for n, mib in peaks.items()),
        Figure("peak memory, 100,000 over 10,000", peaks[_LARGE] / peaks[_SMALL], 1,
               at_most=1.5),
    ]  # fmt: skip
    return result(figures, concurrency=_CONCURRENCY, runs=details)
