"""One evaluation of a simulated Claude arm in a process of its own, watched by an audit hook.

    python -m benchmarks.reevaluate_once FOLDER

Prints what it saw as JSON. `FOLDER` holds `datasets/`; the store is made when missing.
"""

import json
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import workbench as wb
from benchmarks.console import say

__all__ = ["main"]

_N_LEADS = 20_100


def _watch() -> tuple[Counter[str], list[str]]:
    """Count every socket event and note every process started, from now on."""
    sockets: Counter[str] = Counter()
    processes: list[str] = []

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if event.startswith("socket."):
            sockets[event] += 1
        elif event == "subprocess.Popen" and "git" not in map(str, arguments[1][:1]):
            processes.append(str(arguments[1]))

    sys.addaudithook(hook)
    return sockets, processes


def main(folder: Path) -> dict[str, Any]:
    """Evaluate, measure every metric, and say how long each part took."""
    # `import workbench` loads nothing: what it does load comes after this and is watched too.
    sockets, processes = _watch()
    moments = [("imports", time.perf_counter())]
    task, split = wb.load_task("lead_conversion"), wb.Split("random", 0.5, 42)
    settings = wb.Settings(root=folder, data_dir=folder / "data")
    moments.append(("generating the leads", time.perf_counter()))
    dataset = wb.load_dataset("brokerage", n_rows=_N_LEADS, random_state=7, settings=settings)

    def step(sentence: str) -> None:
        say(f"    {sentence}")
        named = "fitting" if sentence.startswith("fitting") else "answers to probabilities, ceiling"
        moments.append((named, time.perf_counter()))

    store = settings.mlruns / "answers.sqlite"
    with wb.ClaudeClient(origin=wb.Origin.SIMULATED, store=store) as client:
        before = len(client.store.ledger_frame())
        arms = {"zero_shot": task.claude("zero_shot", dataset, client=client)}
        evaluation = wb.evaluate(task, arms, dataset, split=split, on_progress=step)
        moments.append(("metrics with intervals", time.perf_counter()))
        measured = evaluation.measurements
        moments.append(("", time.perf_counter()))
        booked = len(client.store.ledger_frame()) - before
    ends = [at for _, at in moments[1:]]
    return {
        "n_answers": len(evaluation.records),
        "n_cached": int(evaluation.records["cached"].sum()),
        "n_booked": booked,
        "n_resamples": evaluation.info.n_resamples,
        "sockets": dict(sockets),
        "processes": processes,
        # A bound that does not exist is infinite and equal to itself; NaN would not be.
        "measurements": {n: [repr(v) for v in found] for (_, n), found in measured.items()},
        "cpu_s": time.process_time(),
        "split_s": {name: end - at for (name, at), end in zip(moments[:-1], ends, strict=True)},
    }


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]))))
