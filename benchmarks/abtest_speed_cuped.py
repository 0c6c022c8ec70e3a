"""CUPED from sums, as hand-written code has it."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["cuped"]

_METRICS = ("y1", "y2", "y3")
_ARMS = ("empathetic", "analytical", "assertive", "consultative", "relationship")


def cuped(arms: dict[str, tuple[int, NDArray[np.float64]]]) -> list[dict[str, Any]]:
    """Differences from the first strategy, adjusted by one slope over all arms."""
    out = []
    total_n = sum(n for n, _ in arms.values())
    total = np.sum([s for _, s in arms.values()], axis=0)
    for i, metric in enumerate(_METRICS):
        y, x, _, xx, xy = total[i]
        theta = (xy - x * y / total_n) / (xx - x * x / total_n)

        def side(arm: str, i: int = i, theta: float = theta) -> tuple[float, float]:
            n, s = arms[arm]
            y, x, yy, xx, xy = s[i]
            var_y, var_x = (yy - y * y / n) / (n - 1), (xx - x * x / n) / (n - 1)
            cov = (xy - x * y / n) / (n - 1)
            return y / n - theta * x / n, (var_y + theta**2 * var_x - 2 * theta * cov) / n

        control, control_var = side(_ARMS[0])
        for arm in _ARMS[1:]:
            mean, var = side(arm)
            out.append({"metric": metric, "arm": arm, "difference": mean - control,
                        "se": math.sqrt(var + control_var)})  # fmt: skip
    return out
