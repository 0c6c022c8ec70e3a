"""On what was measured: the machine, its load, the versions, and a clean environment."""

import os
import platform
import subprocess
from importlib.metadata import version
from pathlib import Path
from typing import Any

__all__ = ["ROOT", "clean_environment", "load_average", "machine", "revision", "versions"]

ROOT = Path(__file__).resolve().parents[1]

_LIBRARIES = (
    "anthropic", "duckdb", "lightgbm", "mlflow", "numpy", "pandas", "scikit-learn", "scipy",
    "workbench",
)  # fmt: skip
_UNWANTED = ("ANTHROPIC_", "WORKBENCH_", "MAKE", "MFLAGS", "PYTEST_")


def clean_environment(**added: str) -> dict[str, str]:
    """Environment of a measured process: no key or endpoint of the user's, bytecode is kept."""
    unwanted = {"PYTHONDONTWRITEBYTECODE", "PYTHONPATH", "VIRTUAL_ENV"}
    kept = {
        name: value
        for name, value in os.environ.items()
        if name not in unwanted and not name.startswith(_UNWANTED)
    }
    return kept | added


def load_average() -> list[float]:
    """Processes that wanted to run over the last 1, 5 and 15 minutes, on average."""
    return [round(value, 2) for value in os.getloadavg()]


def machine() -> dict[str, Any]:
    """Processor, cores, memory and system."""
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "memory_gib": round(pages / 2**30, 1),
        "system": f"{platform.system()} {platform.machine()}",
    }


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.is_file() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def versions() -> dict[str, str]:
    """Of Python and the libraries the figures depend on."""
    return {"python": platform.python_version()} | {name: version(name) for name in _LIBRARIES}


def revision() -> str:
    """Git revision of the project; "dirty" is appended when files were changed."""

    def git(*arguments: str) -> str:
        done = subprocess.run(
            ["git", "-C", str(ROOT), *arguments], capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    try:
        head = git("rev-parse", "--short=12", "HEAD")
        return f"{head} dirty" if git("status", "--porcelain") else head
    except (OSError, subprocess.SubprocessError):
        return "unknown"
