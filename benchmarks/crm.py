"""Simulating a brokerage's CRM: time, memory, size, and whether its truth is calibrated.

    python -m benchmarks crm              100,000 leads, each measurement in a process of its own
    python -m benchmarks.crm 1000000      the same for another number of leads, printed only

Leads are simulated without texts (`text_share=0`) and, for a tenth of them, with all texts.
"""

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.console import say
from benchmarks.figure import CaseError, Figure, result
from benchmarks.machine import ROOT, clean_environment
from workbench.data.brokerage import open_brokerage, simulate
from workbench.data.brokerage.schema import BINARY_HEADS
from workbench.data.brokerage.truth import true_snapshots

__all__ = ["main", "measure"]

_LEADS, _MILLION, _TEN_MINUTES_S, _PEAK_MIB = 100_000, 1_000_000, 600, 1536


def _peak_mib() -> float:
    """Peak memory of this process alone: `ru_maxrss` may still be that of its parent."""
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    (peak,) = (line.split()[1] for line in lines if line.startswith("VmHWM"))
    return int(peak) / 1024


def _simulated(n_leads: int, text_share: float, folder: str) -> dict[str, Any]:
    """Simulate once in this process."""
    wall, cpu = time.perf_counter(), time.process_time()
    crm = simulate(n_leads, folder=folder, text_share=text_share)
    return {
        "wall_s": time.perf_counter() - wall,
        "cpu_s": time.process_time() - cpu,
        "peak_mib": _peak_mib(),
        "rows": crm.manifest.rows,
    }


def _in_a_process(n_leads: int, text_share: float, folder: Path) -> dict[str, Any]:
    say(f"  {n_leads:,} leads, text_share {text_share:g}")
    command = [sys.executable, "-m", "benchmarks.crm", str(n_leads), str(text_share), str(folder)]
    done = subprocess.run(
        command, cwd=ROOT, env=clean_environment(), capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise CaseError(f"the simulation failed: {done.stderr.strip()[-500:]}")
    once: dict[str, Any] = json.loads(done.stdout)
    return once


def _worst_deviate(folder: Path) -> tuple[float, int]:
    """Give how far labels are from the truth in any tenth of any head, in standard errors."""
    crm = open_brokerage(folder)
    labels = crm.frame("labels", ["snapshot_id", *BINARY_HEADS]).set_index("snapshot_id")
    truth, worst, count = true_snapshots(crm), 0.0, 0
    for head in BINARY_HEADS:
        label = labels[head].dropna()
        chance = truth.loc[label.index, f"p_{head}"].to_numpy()
        for part in np.array_split(np.argsort(chance), 10):
            spread = np.sqrt((chance[part] * (1 - chance[part])).sum())
            gap = label.to_numpy()[part].sum() - chance[part].sum()
            worst, count = max(worst, abs(float(gap / spread))), count + 1
    return worst, count


def measure(n_leads: int) -> dict[str, Any]:
    """Simulate so many leads without texts and a tenth of them with, and read them back."""
    with tempfile.TemporaryDirectory(prefix="crm-") as scratch:
        folder, spoken = Path(scratch) / "plain", Path(scratch) / "spoken"
        plain = _in_a_process(n_leads, 0.0, folder)
        texts = _in_a_process(max(n_leads // 10, 1), 1.0, spoken)
        size_mib = sum(path.stat().st_size for path in folder.rglob("*.parquet")) / 2**20
        began = time.perf_counter()
        open_brokerage(folder)
        opened_s = time.perf_counter() - began
        worst, tenths = _worst_deviate(folder)
    messages = texts["rows"]["messages"]
    return result(
        [
            Figure("simulating, wall", plain["wall_s"], n_leads, "s",
                   at_most=_TEN_MINUTES_S * max(n_leads, 1) / _MILLION),
            Figure("simulating, CPU", plain["cpu_s"], n_leads, "s"),
            Figure("peak memory", plain["peak_mib"], n_leads, "MiB", at_most=_PEAK_MIB),
            Figure("events", plain["rows"]["events"], n_leads),
            Figure("events a second", plain["rows"]["events"] / plain["wall_s"], n_leads, "1/s"),
            Figure("Parquet on disk", size_mib, n_leads, "MiB"),
            Figure("opening, every checksum", opened_s, n_leads, "s"),
            Figure("simulating with texts, wall", texts["wall_s"], n_leads // 10, "s"),
            Figure("messages a second", messages / texts["wall_s"], messages, "1/s"),
            Figure("peak memory with texts", texts["peak_mib"], n_leads // 10, "MiB",
                   at_most=_PEAK_MIB),
            # The largest of 50 normal deviates exceeds 4.0 once in 300 simulations.
            Figure("labels against their true probabilities, worst tenth of a head", worst, tenths,
                   "standard errors", below=4.0),
        ],
        plain=plain, texts=texts,
    )  # fmt: skip


def main() -> dict[str, Any]:
    """Measure 100,000 leads."""
    return measure(_LEADS)


if __name__ == "__main__":
    if len(sys.argv) == 4:
        print(json.dumps(_simulated(int(sys.argv[1]), float(sys.argv[2]), sys.argv[3])))
    else:
        for figure in measure(int(sys.argv[1]))["figures"]:
            said = {None: "", True: "met", False: "MISSED"}[figure["met"]]
            print(f"{figure['what']:<64} {figure['value']:>12,.5g} {figure['unit']} {said}")
