from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from workbench.claude import ClaudeClient, EmulatorProcess, FaultPlan, FaultRule, Origin

FaultyClient = Callable[..., ClaudeClient]


@pytest.fixture
def faulty_client(tmp_path: Path) -> Iterator[FaultyClient]:
    """A client whose emulator plays faults of the given kinds, each at a rate."""
    with ExitStack() as stack:

        def start(rate: float, *kinds: str, **options: Any) -> ClaudeClient:
            rules = [FaultRule(kind, rate=rate, seed=seed) for seed, kind in enumerate(kinds)]
            emulator = stack.enter_context(EmulatorProcess(FaultPlan(tuple(rules))))
            return stack.enter_context(
                ClaudeClient(
                    origin=Origin.SIMULATED,
                    store=tmp_path / "faulty.sqlite",
                    base_url=emulator.url,
                    max_retries=0,
                    **options,
                )
            )

        yield start
