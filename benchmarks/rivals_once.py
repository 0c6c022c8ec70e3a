"""One run of one rival against a running emulator; runs in the rivals' own environment.

    python benchmarks/rivals_once.py {langsmith,braintrust,inspect_ai} URL REQUESTS CONCURRENCY

It imports nothing of workbench. Each rival asks the same questions through the SDK and scores
each answer by one plain function, as its documentation shows. Prints JSON.
"""

import asyncio
import json
import os
import sys
import tempfile
import time
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

MODEL, MAX_TOKENS = "claude-haiku-5-5", 1024


def prompts(count: int) -> list[str]:
    return [
        f"<lead>\n- web visits: {i % 17}\n- source: referral\n</lead>\n"
        f"<message>We may buy house {i}, perhaps this week.</message>"
        for i in range(count)
    ]


def _client(url: str) -> Any:
    import anthropic

    return anthropic.AsyncAnthropic(api_key="no-key", base_url=url)


async def _ask(client: Any, prompt: str) -> str:
    message = await client.messages.create(
        model=MODEL,
        max_tokens=MAX_TOKENS,
        system="Strategy: zero_shot",
        messages=[{"role": "user", "content": prompt}],
    )
    return str(message.content[0].text)


def _langsmith(url: str, asked: list[str], concurrency: int) -> int:
    from langsmith import Client, aevaluate
    from langsmith.schemas import Example

    client, now = _client(url), datetime.now(UTC)
    examples = [
        Example(id=uuid.uuid4(), inputs={"prompt": p}, outputs={"label": "yes"},
                dataset_id=uuid.UUID(int=1), created_at=now, modified_at=now)
        for p in asked
    ]  # fmt: skip

    async def target(inputs: dict[str, Any]) -> dict[str, Any]:
        return {"text": await _ask(client, inputs["prompt"])}

    def right(outputs: dict[str, Any], reference_outputs: dict[str, Any]) -> bool:
        return str(reference_outputs["label"]) in str(outputs.get("text"))

    async def go() -> int:
        results = await aevaluate(
            target, data=examples, evaluators=[right], max_concurrency=concurrency,
            upload_results=False, client=Client(api_key="none", api_url="http://127.0.0.1:9"),
        )  # fmt: skip
        return sum([1 async for row in results if row["run"].error is None])

    return asyncio.run(go())


def _braintrust(url: str, asked: list[str], concurrency: int) -> int:
    from braintrust import Eval

    client = _client(url)

    async def task(prompt: str) -> str:
        return await _ask(client, prompt)

    def right(output: str, expected: str) -> float:
        return float(expected in output)

    async def go() -> int:
        done: Any = await Eval(
            "benchmark", data=lambda: [{"input": p, "expected": "yes"} for p in asked],
            task=task, scores=[right], max_concurrency=concurrency, no_send_logs=True,
        )  # fmt: skip
        return sum(result.error is None for result in done.results)

    return asyncio.run(go())


def _inspect_ai(url: str, asked: list[str], concurrency: int) -> int:
    os.environ |= {"ANTHROPIC_BASE_URL": url, "ANTHROPIC_API_KEY": "no-key"}
    from inspect_ai import Task
    from inspect_ai import eval as evaluate
    from inspect_ai.dataset import Sample
    from inspect_ai.scorer import includes
    from inspect_ai.solver import generate, system_message

    with tempfile.TemporaryDirectory() as folder:
        (log,) = evaluate(
            Task(
                dataset=[Sample(input=p, target="yes") for p in asked],
                solver=[system_message("Strategy: zero_shot"), generate()],
                scorer=includes(),
            ),
            model=f"anthropic/{MODEL}", max_connections=concurrency, max_tokens=MAX_TOKENS,
            max_samples=concurrency, display="none", log_dir=folder,
        )  # fmt: skip
        return sum(sample.error is None for sample in log.samples or [])


RIVALS = {"langsmith": _langsmith, "braintrust": _braintrust, "inspect_ai": _inspect_ai}


def _peak_mib() -> float:
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) / 2**10


def main(name: str, url: str, count: int, concurrency: int) -> dict[str, float]:
    """Ask one question first, so that imports are not measured; then the rest."""
    stdout, sys.stdout = sys.stdout, sys.stderr  # some print tables
    try:
        everything = prompts(count + 1)
        RIVALS[name](url, everything[:1], concurrency)
        wall, cpu = time.perf_counter(), time.process_time()
        answered = RIVALS[name](url, everything[1:], concurrency)
        return {
            "wall_s": time.perf_counter() - wall,
            "cpu_s": time.process_time() - cpu,
            "peak_rss_mib": _peak_mib(),
            "n_answered": answered,
        }
    finally:
        sys.stdout = stdout


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))))
