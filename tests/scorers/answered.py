"""Answers of every kind, drawn with a seed, for tests of their figures."""

from typing import Any

import numpy as np

from workbench.stats import Statistic

LABELS = [f"c{i}" for i in range(6)]
PARENTS = {"c1": "c0", "c2": "c0", "c4": "c3"}


def once(statistic: Statistic, n: int) -> float:
    return float(statistic(np.ones(n))[0])


def single(n: int = 200) -> tuple[list[str], list[str]]:
    rng = np.random.default_rng(0)
    truth = rng.choice(LABELS, n, p=[0.4, 0.2, 0.2, 0.1, 0.05, 0.05])
    answered = np.where(rng.random(n) < 0.6, truth, rng.choice(LABELS, n))
    return truth.tolist(), answered.tolist()


def several(n: int = 150) -> tuple[list[tuple[str, ...]], list[tuple[str, ...]]]:
    rng = np.random.default_rng(1)
    draw = [[tuple(np.array(LABELS)[rng.random(6) < 0.3].tolist()) for _ in range(n)]
            for _ in range(2)]  # fmt: skip
    return draw[0], draw[1]


def probabilities(n: int = 200) -> tuple[list[str], np.ndarray]:
    rng = np.random.default_rng(2)
    proba = rng.dirichlet(np.ones(6), n)
    return [LABELS[rng.choice(6, p=p)] for p in proba], proba


def sheets(n: int) -> tuple[list[dict[str, Any]], list[dict[str, Any] | None]]:
    rng = np.random.default_rng(3)
    slots = ("beds", "city", "price")

    def value(slot: str) -> Any:
        return str(rng.choice(["York", "Leeds"])) if slot == "city" else float(rng.integers(1, 4))

    truth = [{s: value(s) for s in slots if rng.random() < 0.7} for _ in range(n)]
    answered: list[dict[str, Any] | None] = [
        {s: None if rng.random() < 0.2 else value(s) for s in slots if rng.random() < 0.8}
        for _ in range(n)
    ]
    answered[::7] = [None] * len(answered[::7])
    return truth, answered


def rankings(n: int) -> tuple[list[dict[str, float]], list[tuple[str, ...] | None]]:
    rng = np.random.default_rng(4)
    truth = [{c: float(rng.integers(0, 3)) for c in "abcde"} for _ in range(n)]
    answered: list[tuple[str, ...] | None] = [tuple(rng.permutation(list("abcdefgh"))) for _ in
                                              range(n)]  # fmt: skip
    answered[0] = None
    return truth, answered


def evidence(n: int) -> tuple[list[Any], list[Any]]:
    rng = np.random.default_rng(5)

    def spans() -> dict[str, list[tuple[int, int]]]:
        starts = {s: rng.integers(0, 20, 2).tolist() for s in "xy"}
        return {s: [(a, a + 6) for a in found] for s, found in starts.items()}

    return [spans() for _ in range(n)], [spans() for _ in range(n)]
