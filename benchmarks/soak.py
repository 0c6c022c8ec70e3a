"""Two hundred streams at once, open loop, for half an hour: does anything grow, or fall behind?

A request starts every 25 ms whatever comes back, each streams for about five seconds, and its
latency counts from when it was meant to start. ``SOAK_MINUTES`` shortens or lengthens the run.
"""

import gc
import os
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.console import say
from benchmarks.figure import Figure, result
from benchmarks.questions import questions
from workbench.claude import (
    ClaudeClient,
    ClaudeRequest,
    EmulatorProcess,
    FaultPlan,
    Latency,
    Origin,
    Progress,
)

__all__ = ["main"]

_MINUTES, _RATE_PER_S, _CONCURRENCY = 30.0, 40.0, 400
_PLAN = FaultPlan(latency=Latency(median_s=1.0, sigma=0.4, gap_s=0.8))
_WARM_UP_S, _SAMPLE_S = 60.0, 10.0
_MANY = 20_000


@dataclass(slots=True)
class _Watch:
    """Samples of this process while it asks."""

    began_s: float = field(default_factory=time.perf_counter)
    at_s: list[float] = field(default_factory=list)
    rss_mib: list[float] = field(default_factory=list)
    n_fds: list[int] = field(default_factory=list)
    n_threads: list[int] = field(default_factory=list)

    def sample(self, progress: Progress) -> None:
        now = time.perf_counter() - self.began_s
        if self.at_s and now - self.at_s[-1] < _SAMPLE_S:
            return
        if len(self.at_s) % 30 == 0:
            say(f"  {now:,.0f} s: {progress.done:,} answered, {progress.errors} errors")
        status = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
        rss = next(int(line.split()[1]) for line in status if line.startswith("VmRSS:"))
        self.at_s.append(now)
        self.rss_mib.append(rss / 1024)
        self.n_fds.append(len(list(Path("/proc/self/fd").iterdir())))
        self.n_threads.append(threading.active_count())


def _source(count: int) -> Iterator[ClaudeRequest]:
    some = questions(_MANY)
    for number in range(count):
        request = some[number % _MANY]
        yield ClaudeRequest(
            request.model,
            request.prompt,
            system=request.system,
            schema=request.schema,
            repeat=number // _MANY,
        )


def main() -> dict[str, Any]:
    """Soak."""
    minutes = float(os.environ.get("SOAK_MINUTES", _MINUTES))
    count = int(minutes * 60 * _RATE_PER_S)
    watch, began_cpu = _Watch(), time.process_time()
    total_s, ttft_s, queued_s, gap_s, errors = [], [], [], [], 0
    with (
        tempfile.TemporaryDirectory() as folder,
        EmulatorProcess(_PLAN) as emulator,
        ClaudeClient(
            origin=Origin.SIMULATED,
            store=Path(folder) / "soak.sqlite",
            base_url=emulator.url,
            concurrency=_CONCURRENCY,
            rate_per_s=_RATE_PER_S,
        ) as client,
    ):
        each = client.ask_each(_source(count), stream=True, on_progress=watch.sample)
        for _, answer in each:
            errors += answer.error is not None
            if answer.error is None and answer.latency_s is not None:
                total_s.append(answer.queued_s + answer.latency_s)
                queued_s.append(answer.queued_s)
                ttft_s.append(answer.queued_s + (answer.ttft_s or 0.0))
                gap_s.append(answer.max_gap_s or 0.0)
        elapsed_s = time.perf_counter() - watch.began_s
        cpu = (time.process_time() - began_cpu) / elapsed_s
        booked = len(client.store.ledger_frame())
    gc.collect()
    return _figures(watch, np.array([total_s, ttft_s, queued_s, gap_s]), errors, booked, count,
                    elapsed_s, cpu)  # fmt: skip


def _figures(
    watch: _Watch,
    times: "np.ndarray[Any, np.dtype[np.float64]]",
    errors: int,
    booked: int,
    count: int,
    elapsed_s: float,
    cpu: float,
) -> dict[str, Any]:
    warm = np.array(watch.at_s) > min(_WARM_UP_S, elapsed_s / 3)
    at_h = np.array(watch.at_s)[warm] / 3600
    # Our own lists of latencies grow by 32 bytes an answer; that is not the client's doing.
    ours_mib = 4 * 32 * _RATE_PER_S * 3600 / 2**20
    growth = float(np.polyfit(at_h, np.array(watch.rss_mib)[warm], 1)[0]) - ours_mib
    streams = float(times[0].sum() / elapsed_s)
    total, ttft, queued, gap = times
    figures = [
        Figure("streams at once, on average", streams, count),
        Figure("answers", times.shape[1], count, at_least=count),
        Figure("errors", errors, count, at_most=0),
        Figure("rows in the ledger", booked, count, at_least=count),
        Figure("minutes", elapsed_s / 60, 1, "min"),
        *(
            Figure(f"{what} from the intended start, p{q}", float(np.percentile(v, q)), count, "s")
            for what, v in (("first token", ttft), ("whole answer", total))
            for q in (50, 99)
        ),
        Figure("of which waiting to be sent, p99", float(np.percentile(queued, 99)), count, "s",
               below=0.1),
        Figure("longest gap in a stream (planned: 0.8 s), p99", float(np.percentile(gap, 99)),
               count, "s"),
        Figure("CPU of the client, cores", cpu, 1, below=0.9),
        Figure("growth of memory after warm-up", growth, int(warm.sum()), "MiB/h", below=20.0),
        Figure("peak memory", max(watch.rss_mib), len(watch.rss_mib), "MiB"),
        Figure("open files, last minus first after warm-up",
               float(watch.n_fds[-1] - np.array(watch.n_fds)[warm][0]), int(warm.sum())),
        Figure("threads, last minus first after warm-up",
               float(watch.n_threads[-1] - np.array(watch.n_threads)[warm][0]), int(warm.sum()),
               at_most=0),
    ]  # fmt: skip
    return result(figures, at_s=watch.at_s, rss_mib=watch.rss_mib, n_fds=watch.n_fds)
