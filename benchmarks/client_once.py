"""One run of one client against a running emulator, in a process of its own.

    python -m benchmarks.client_once {workbench,each,bare,bare_aiohttp} URL REQUESTS CONCURRENCY

``workbench`` is `ClaudeClient.ask` with everything switched on: privacy gate, store, ledger,
audit log, rate limits, retries, budget, prompt cache. ``each`` is the same through `ask_each`,
fed by a generator.

Prints wall and CPU seconds of asking, and the peak memory of the process, as JSON. Every arm
imports the same modules and makes one call first: what is measured is the asking.
"""

import asyncio
import json
import resource
import sys
import tempfile
import time
from pathlib import Path

import anthropic

from benchmarks.questions import question, questions
from workbench.claude import ClaudeClient, ClaudeRequest, Origin, RateLimits
from workbench.claude.messages import request_body
from workbench.privacy import AuditLog, PrivacyGate, TenantKeys

__all__ = ["main"]


def _peak_mib() -> float:
    # Linux hands the parent's maximum on to `ru_maxrss` of a child; VmHWM is the process's own.
    status = Path("/proc/self/status")
    if status.is_file():
        lines = status.read_text(encoding="utf-8").splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) / 2**10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20  # macOS counts in bytes


class _Clock:
    def __init__(self) -> None:
        self.before_mib = _peak_mib()
        self.wall, self.cpu = time.perf_counter(), time.process_time()

    def stop(self, n_answered: int) -> dict[str, float]:
        wall_s, cpu_s = time.perf_counter() - self.wall, time.process_time() - self.cpu
        return {
            "wall_s": wall_s,
            "cpu_s": cpu_s,
            "peak_rss_mib": _peak_mib(),
            "rss_before_asking_mib": self.before_mib,
            "n_answered": n_answered,
        }


def _workbench(url: str, count: int, concurrency: int, *, streamed_in: bool) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        gate = PrivacyGate(TenantKeys(folder / "keys"))
        client = ClaudeClient(
            origin=Origin.SIMULATED,
            store=folder / "answers.sqlite",
            base_url=url,
            concurrency=concurrency,
            budget_usd=1000.0,
            limits=RateLimits(requests_per_minute=10_000_000),
            gate=gate,
            audit=AuditLog(folder / "audit.jsonl", gate.pseudonym),
        )
        client.ask(questions(1))
        if streamed_in:
            clock = _Clock()
            each = client.ask_each(question(i) for i in range(1, count + 1))
            measured = clock.stop(sum(answer.error is None for _, answer in each))
        else:
            asked = questions(count + 1)[1:]
            clock = _Clock()
            answers = client.ask(asked)
            measured = clock.stop(sum(answer.error is None for answer in answers))
            again = time.perf_counter()
            client.ask(asked)
            measured["warm_s"] = time.perf_counter() - again
        booked = len(client.store.ledger_frame())
        client.close()
    if booked != count + 1:
        raise SystemExit(f"{booked} of {count + 1} answers are in the ledger")
    return measured


async def _bare(
    url: str, asked: list[ClaudeRequest], concurrency: int, *, aiohttp: bool
) -> dict[str, float]:
    http_client = anthropic.DefaultAioHttpClient() if aiohttp else None
    semaphore = asyncio.Semaphore(concurrency)
    async with anthropic.AsyncAnthropic(
        api_key="no-key", base_url=url, http_client=http_client
    ) as client:

        async def one(request: ClaudeRequest) -> anthropic.types.Message:
            async with semaphore:
                message: anthropic.types.Message = await client.messages.create(
                    **request_body(request)
                )
                return message

        await one(asked[0])
        clock = _Clock()
        messages = await asyncio.gather(*(one(request) for request in asked[1:]))
        return clock.stop(sum(message.stop_reason is not None for message in messages))


def main(arm: str, url: str, n_requests: int, concurrency: int) -> dict[str, float]:
    """Ask, and say what it took."""
    if arm in ("workbench", "each"):
        measured = _workbench(url, n_requests, concurrency, streamed_in=arm == "each")
    else:
        asked = questions(n_requests + 1)
        measured = asyncio.run(_bare(url, asked, concurrency, aiohttp=arm == "bare_aiohttp"))
    if measured["n_answered"] != n_requests:
        raise SystemExit(f"{measured['n_answered']} of {n_requests} requests were answered")
    return measured


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))))
