from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from workbench.claude import ClaudeClient, ClaudeRequest, EmulatorProcess, FaultPlan, Origin

Rig = Callable[..., tuple[EmulatorProcess, ClaudeClient]]

SCHEMA = {
    "type": "object",
    "properties": {
        "probability": {"type": "number"},
        "evidence": {"type": "array", "items": {"type": "string"}},
        "abstain": {"type": "boolean"},
    },
    "required": ["probability", "evidence", "abstain"],
}


@pytest.fixture
def questions() -> list[ClaudeRequest]:
    """Distinct questions, each with a structured answer of some 30 tokens."""
    return [
        ClaudeRequest(
            "claude-haiku-5-5",
            f"<lead>\n- visits: {i}\n</lead>\n<message>Ready to buy house {i} this week.</message>",
            system="Strategy: zero_shot",
            schema=SCHEMA,
            max_tokens=300,
        )
        for i in range(60)
    ]


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    """An emulator that plays a plan and a client of it, both closed after the test."""
    with ExitStack() as stack:

        def start(
            plan: FaultPlan | None = None, **options: Any
        ) -> tuple[EmulatorProcess, ClaudeClient]:
            emulator = stack.enter_context(EmulatorProcess(plan))
            fields: dict[str, Any] = {
                "origin": Origin.SIMULATED,
                "store": tmp_path / "answers.sqlite",
                "base_url": emulator.url,
                **options,
            }
            return emulator, stack.enter_context(ClaudeClient(**fields))

        yield start
