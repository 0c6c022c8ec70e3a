"""How long `import workbench` and `workbench --help` take in a fresh process."""

import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks.console import say
from benchmarks.figure import median_of, result
from benchmarks.machine import ROOT, clean_environment

__all__ = ["main"]

_REPEATS = 7
_IMPORT_S, _HELP_S = 0.5, 1.0


def _wall_s(command: list[str]) -> float:
    started = time.perf_counter()
    subprocess.run(
        command, cwd=ROOT, env=clean_environment(), check=True, stdout=subprocess.DEVNULL
    )
    return time.perf_counter() - started


def main() -> dict[str, Any]:
    """Measure each command in turn, seven times, after one start that writes the bytecode."""
    python = sys.executable
    commands = {
        "an empty Python process": [python, "-c", "pass"],
        "import workbench": [python, "-c", "import workbench"],
        "workbench --help": [str(Path(python).with_name("workbench")), "--help"],
    }
    walls: dict[str, list[float]] = {name: [] for name in commands}
    first = {name: _wall_s(command) for name, command in commands.items()}
    for repeat in range(_REPEATS):
        say(f"  {repeat + 1} of {_REPEATS}")
        for name, command in commands.items():
            walls[name].append(_wall_s(command))
    targets = {"import workbench": _IMPORT_S, "workbench --help": _HELP_S}
    return result(
        [median_of(name, walls[name], "s", below=targets.get(name)) for name in commands],
        walls_s=walls,
        first_unmeasured_s=first,
    )
