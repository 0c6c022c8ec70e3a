"""One analysis of one contender in a process of its own.

    python -m benchmarks.abtest_speed_once CONTENDER THREADS FILE

A contender is a module `benchmarks.abtest_speed_<name>` with `analysed(path, threads)`. Prints CPU
seconds, wall seconds, peak memory and the effects as JSON. Imports are not timed: every contender
needs its own once; they do count as memory.
"""

import importlib
import json
import resource
import sys
import time
from pathlib import Path
from typing import Any

__all__ = ["main"]


def _peak_mib() -> float:
    """Peak memory of this process alone: `ru_maxrss` may still be that of its parent."""
    status = Path("/proc/self/status")
    if status.is_file():
        lines = status.read_text(encoding="utf-8").splitlines()
        (peak,) = (line.split()[1] for line in lines if line.startswith("VmHWM"))
        return int(peak) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main(contender: str, threads: int, path: Path) -> dict[str, Any]:
    """Analyse once and say what it cost."""
    # The workbench loads DuckDB when it first needs it; here nobody's imports are timed.
    importlib.import_module("duckdb")
    analysed = importlib.import_module(f"benchmarks.abtest_speed_{contender}").analysed
    wall, cpu = time.perf_counter(), time.process_time()
    effects = analysed(path, threads)
    return {
        "cpu_s": time.process_time() - cpu,
        "wall_s": time.perf_counter() - wall,
        "peak_mib": _peak_mib(),
        "effects": effects,
    }


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]))))
