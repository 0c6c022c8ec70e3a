import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest

from workbench.claude import ClaudeClient, EmulatorProcess, Origin
from workbench.data import Dataset
from workbench.features.engines import spark_session
from workbench.settings import Settings
from workbench.tasks import load_dataset

ROOT = Path(__file__).resolve().parents[1]

# Property tests draw the same examples every time and are never judged by the clock.
hypothesis.settings.register_profile("repeatable", deadline=None, derandomize=True)
hypothesis.settings.load_profile("repeatable")

# No test may reach a real endpoint or read a user's key, whatever the machine has.
for _name in [n for n in os.environ if n.startswith(("ANTHROPIC_", "WORKBENCH_"))]:
    del os.environ[_name]


@pytest.fixture
def project(tmp_path: Path) -> Settings:
    """A project of its own: this one's catalogue and notebooks, an empty mlruns."""
    root = tmp_path / "project"
    root.mkdir()
    for name in ("datasets", "notebooks", "pyproject.toml"):
        (root / name).symlink_to(ROOT / name)
    (root / "experiments").mkdir()
    return Settings(root=root, data_dir=ROOT.parent / "shared" / "data")


@pytest.fixture(scope="session")
def shared_emulator() -> Iterator[EmulatorProcess]:
    with EmulatorProcess() as process:
        yield process


@pytest.fixture
def client(tmp_path: Path, shared_emulator: EmulatorProcess) -> Iterator[ClaudeClient]:
    with ClaudeClient(
        origin=Origin.SIMULATED,
        store=tmp_path / "answers.sqlite",
        base_url=shared_emulator.url,
    ) as made:
        yield made


@pytest.fixture(scope="session")
def leads() -> Dataset:
    """A small set of generated leads."""
    settings = Settings(root=ROOT, data_dir=ROOT / "datasets")
    return load_dataset("brokerage", settings=settings, n_rows=600, random_state=3)


@pytest.fixture(scope="session")
def spark() -> Iterator[Any]:
    """A Spark of this machine, stopped with its Java when the tests end."""
    session = spark_session(
        master="local[1]",
        settings={"spark.sql.shuffle.partitions": "2", "spark.driver.memory": "1g"},
    )
    context, gateway = type(session.sparkContext), session.sparkContext._gateway
    yield session
    session.stop()
    gateway.shutdown()
    # Java ends when nobody holds its standard input; the next session starts its own.
    gateway.proc.stdin.close()
    try:
        gateway.proc.wait(timeout=30)
    except subprocess.TimeoutExpired:
        gateway.proc.kill()
        gateway.proc.wait()
    context._gateway = context._jvm = None
