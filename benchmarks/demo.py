"""`make demo` twice in a fresh clone of HEAD: with the environment to set up, and without."""

import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import workbench as wb
from benchmarks.console import say
from benchmarks.figure import CaseError, Figure, result
from benchmarks.machine import ROOT, clean_environment

__all__ = ["main"]

_COLD_S, _SECOND_S = 600.0, 60.0


def _cpu_of_children_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _demo(clone: Path, environment: dict[str, str]) -> dict[str, Any]:
    """Run it once; progress is passed on, and the moment the environment stood is kept."""
    started, cpu_s = time.perf_counter(), -_cpu_of_children_s()
    setup_s = 0.0
    with (
        (clone.parent / "stdout.txt").open("w+", encoding="utf-8") as out,
        subprocess.Popen(
            ["make", "demo"], cwd=clone, env=environment, stdout=out, stderr=subprocess.PIPE,
            text=True,
        ) as process,
    ):  # fmt: skip
        for line in process.stderr or ():
            sys.stderr.write(f"    {line}")
            if line.startswith("setup: done"):
                setup_s = time.perf_counter() - started
        status = process.wait()
        wall_s = time.perf_counter() - started
        cpu_s += _cpu_of_children_s()
        out.seek(0)
        printed = out.read()
    if not list((clone / "mlruns" / "runs").glob("*/report.html")):
        raise CaseError(f"`make demo` left no report (exit status {status}): {printed[-2000:]}")
    store = wb.AnswerStore(clone / "mlruns" / "answers.sqlite")
    n_answers = len(store.ledger_frame())
    store.close()
    return {
        "wall_s": wall_s,
        "cpu_s": cpu_s,
        "setup_s": setup_s,
        "exit_status": status,
        "n_answers_booked_so_far": n_answers,
        "printed": printed,
    }


def main() -> dict[str, Any]:
    """Clone, run twice; package caches start empty, so that every wheel is fetched."""
    with tempfile.TemporaryDirectory(prefix="workbench-demo-") as folder:
        clone, caches = Path(folder) / "workbench", Path(folder) / "caches"
        caches.mkdir()
        subprocess.run(["git", "clone", "--quiet", "--no-hardlinks", ROOT, clone], check=True)
        head = subprocess.run(
            ["git", "-C", clone, "rev-parse", "HEAD"], check=True, capture_output=True, text=True
        ).stdout.strip()
        environment = clean_environment(XDG_CACHE_HOME=str(caches))
        for name in ("PIP_CACHE_DIR", "UV_CACHE_DIR", "MPLCONFIGDIR"):
            environment.pop(name, None)
        # The user's own Python, not the one of this environment, as on a fresh machine.
        here = str(Path(sys.executable).parent)
        parts = [p for p in environment.get("PATH", "").split(":") if p != here]
        environment["PATH"] = ":".join(parts)
        say("  make demo, first time")
        cold = _demo(clone, environment)
        say("  make demo, second time")
        second = _demo(clone, environment)
    asked_again = second["n_answers_booked_so_far"] - cold["n_answers_booked_so_far"]
    return result(
        [
            Figure("make demo, fresh clone, empty caches", cold["wall_s"], 1, "s", below=_COLD_S),
            Figure("  of which making the environment", cold["setup_s"], 1, "s"),
            Figure("  CPU of everything it started", cold["cpu_s"], 1, "s"),
            Figure("make demo, second time", second["wall_s"], 1, "s", below=_SECOND_S),
            Figure("  CPU of everything it started then", second["cpu_s"], 1, "s"),
            Figure("answers asked the second time", asked_again, 1, at_most=0),
        ],
        cloned_revision=head,
        cold=cold,
        second=second,
    )
