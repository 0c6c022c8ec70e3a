"""What drift detection can see at which size, how often it and the fixed PSI rule cry wolf."""

import time
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.console import say
from benchmarks.figure import Figure, result
from workbench.monitoring import drift

__all__ = ["main"]

_SHARES = (0.5, 0.2, 0.15, 0.1, 0.05)
_RUNS, _NAIVE_RUNS = 400, 200


def _table(n: int, rng: np.random.Generator) -> pd.DataFrame:
    """70 columns nothing happens to."""
    numbers = {f"normal{i}": rng.normal(size=n) for i in range(26)}
    skewed = {f"skewed{i}": rng.lognormal(size=n) for i in range(14)}
    counts = {f"count{i}": rng.poisson(2, size=n) for i in range(15)}
    kinds = {f"kind{i}": rng.choice(list("abcde"), size=n, p=_SHARES) for i in range(15)}
    return pd.DataFrame(numbers | skewed | counts | kinds)


def main() -> dict[str, Any]:
    """Time one comparison, count false alarms, and state what sizes can see."""
    rng = np.random.default_rng(0)
    both = _table(5000, rng), _table(5000, rng)
    started = time.perf_counter()
    drift(*both, n_permutations=500)
    figures = [
        Figure("70 columns of 5,000 + 5,000 rows, 500 permutations",
               time.perf_counter() - started, 1, "s"),
    ]  # fmt: skip
    say(f"  {_RUNS} comparisons in which nothing changed")
    alarms = 0
    for seed in range(_RUNS):
        rng = np.random.default_rng(seed)
        same = _table(300, rng), _table(200, rng)
        alarms += bool(drift(*same, n_permutations=199, random_state=seed).alarms)
    figures.append(
        Figure("comparisons of 70 unchanged columns with any alarm, 5 % aimed at", alarms / _RUNS,
               _RUNS, at_most=0.08)
    )  # fmt: skip
    for n in (100, 300, 1000, 3000):
        naive = []
        for seed in range(_NAIVE_RUNS):
            rng = np.random.default_rng(seed)
            first, second = (pd.DataFrame({"x": rng.normal(size=n)}) for _ in range(2))
            naive.append(drift(first, second, n_permutations=19)["x"].psi or 0.0)
        rng = np.random.default_rng(1)
        found = drift(_table(n, rng), _table(n, rng))
        crying = float(np.mean(np.array(naive) > 0.1))
        figures += [
            Figure(f"{n:,} rows: smallest shift of a normal column seen",
                   float(found["normal0"].minimum_change or np.nan), n, "sd"),
            Figure("  smallest change of a share seen",
                   float(found["kind0"].minimum_change or np.nan), n),
            Figure("  PSI above 0.1 on an unchanged column", crying, _NAIVE_RUNS),
        ]  # fmt: skip
    return result(figures)
