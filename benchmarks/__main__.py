"""Run benchmarks by name, or all that run by default.

    python -m benchmarks [name ...]     measure; results go to benchmarks/results/<name>.json
    python -m benchmarks --list         say which there are
    python -m benchmarks --figures      write benchmarks/FIGURES.md from the results

Exit status: 0 everything was measured (a missed target is in the table), 1 a case could not
be measured, 2 wrong usage.
"""

import argparse
import json
import logging
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks import machine
from benchmarks.cases import CASES, Case
from benchmarks.console import figures_page, say, table
from benchmarks.figure import CaseError
from workbench.errors import WorkbenchError

_HERE = Path(__file__).resolve().parent
_RESULTS = _HERE / "results"


def _measured(case: Case) -> dict[str, Any]:
    """Run a case and write down under which circumstances."""
    before, started, now = machine.load_average(), time.perf_counter(), datetime.now(UTC)
    measured = case.measure()
    return {
        "case": case.name,
        "command": f"python -m benchmarks {case.name}",
        "measured_at": now.isoformat(timespec="seconds"),
        "elapsed_s": round(time.perf_counter() - started, 2),
        "load_average": {"before": before, "after": machine.load_average()},
        "machine": machine.machine(),
        "versions": machine.versions(),
        "git_revision": machine.revision(),
        **measured,
    }


def _run(case: Case) -> bool:
    say(f"{case.name}: {case.measures}")
    try:
        report = _measured(case)
    except (CaseError, WorkbenchError) as error:
        say(f"{case.name}: NOT MEASURED: {error}")
        return False
    except Exception:
        # A defect in one case must not cost the figures of the others.
        logging.getLogger("benchmarks").exception("%s: NOT MEASURED, it failed", case.name)
        return False
    _RESULTS.mkdir(exist_ok=True)
    text = json.dumps(report, indent=1, ensure_ascii=False)
    (_RESULTS / f"{case.name}.json").write_text(text + "\n", encoding="utf-8")
    print(f"\n{table(report)}\n", flush=True)
    return True


def _write_figures() -> int:
    known = [_RESULTS / f"{name}.json" for name in CASES]
    found = [path for path in known if path.is_file()]
    if not found:
        say(f"no results in {_RESULTS}: run `python -m benchmarks` first")
        return 1
    (_HERE / "FIGURES.md").write_text(figures_page(found), encoding="utf-8")
    say(f"wrote {_HERE / 'FIGURES.md'} from {len(found)} results")
    return 0


def main() -> int:
    """Do what the command line says."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks")
    parser.add_argument("names", nargs="*", metavar="name", help="cases; the default set if none")
    parser.add_argument("--list", action="store_true", help="say which cases there are")
    parser.add_argument("--figures", action="store_true", help="write FIGURES.md from the results")
    chosen = parser.parse_args()
    unknown = [name for name in chosen.names if name not in CASES]
    if unknown:
        parser.error(f"no benchmark {unknown[0]!r}; known are {', '.join(CASES)}")
    if chosen.list:
        for case in CASES.values():
            note = "" if case.by_default else " (only by name)"
            print(f"{case.name:<16} {case.measures}{note}")
        return 0
    if chosen.figures:
        return _write_figures()
    logging.basicConfig(stream=sys.stderr, format="%(message)s")
    names = chosen.names or [case.name for case in CASES.values() if case.by_default]
    missing = [name for name in names if not _run(CASES[name])]
    if missing:
        say(f"could not be measured: {', '.join(missing)}")
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
