"""Progress on stderr, tables on stdout, and the same tables as Markdown."""

import json
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

__all__ = ["figures_page", "say", "table"]

_HEAD = ("figure", "measured", "spread", "n", "target", "")


def say(sentence: str) -> None:
    """Tell progress on stderr."""
    sys.stderr.write(f"{time.strftime('%H:%M:%S')}  {sentence}\n")
    sys.stderr.flush()


def _number(value: float) -> str:
    if float(value).is_integer() and abs(value) >= 10:
        return f"{value:,.0f}"
    return f"{value:.4g}"


def _cells(figure: Mapping[str, Any]) -> tuple[str, ...]:
    spread = figure["spread"]
    met = {None: "", True: "met", False: "MISSED"}[figure["met"]]
    return (
        figure["what"],
        f"{_number(figure['value'])} {figure['unit']}".rstrip(),
        "" if spread is None
        else f"{_number(spread[0])} to {_number(spread[1])} ({figure['spread_kind']})",
        f"{figure['n']:,}",
        figure["target"] or "",
        met,
    )  # fmt: skip


def _context(report: Mapping[str, Any]) -> str:
    before, after = report["load_average"]["before"][0], report["load_average"]["after"][0]
    place = report["machine"]
    return (
        f"{report['measured_at'][:16].replace('T', ' ')} UTC, `{report['command']}`, "
        f"revision {report['git_revision']}, Python {report['versions']['python']}; "
        f"{place['cores']} cores ({place['processor']}), {place['memory_gib']:g} GiB, "
        f"load average {before:g} before and {after:g} after; took {report['elapsed_s']:.0f} s"
    )


def table(report: Mapping[str, Any]) -> str:
    """One case as aligned text."""
    rows = [_HEAD, *(_cells(figure) for figure in report["figures"])]
    widths = [max(len(row[i]) for row in rows) for i in range(len(_HEAD))]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
    return "\n".join([report["case"], *(f"  {line}" for line in lines), f"  {_context(report)}"])


def figures_page(results: Sequence[Path]) -> str:
    """All kept results as one Markdown page."""
    parts = [
        "# Measured figures",
        "Written by `python -m benchmarks --figures` from `benchmarks/results/*.json`; do not "
        "edit. Each line says when, on what and under which load it was measured. Simulated "
        "answers come from a rule-based stand-in on the same machine; no figure here is Claude's.",
    ]
    for path in results:
        report = json.loads(path.read_text(encoding="utf-8"))
        rows = [_HEAD, ("---",) * len(_HEAD), *(_cells(f) for f in report["figures"])]
        parts += [
            f"## {report['case']}",
            "\n".join("| " + " | ".join(row) + " |" for row in rows),
            _context(report) + ".",
        ]
    return "\n\n".join(parts) + "\n"
