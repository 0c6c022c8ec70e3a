"""Evaluations made by hand: records as a run would leave them, with known truth."""

import dataclasses
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from workbench.evaluation import ArmInfo, Evaluation, RunInfo
from workbench.predictors import ANSWER_COLUMNS

INFO = RunInfo(
    task="lead_conversion", task_version=1, dataset="mine", dataset_title="Mine",
    dataset_version="1", dataset_digest="0" * 64, dataset_kind="real", licence="internal",
    leaks_allowed=(), split="30% test at random", n_train=1000, n_test=1000,
    n_train_groups_removed=0, n_duplicates=0, train_base_rate=0.5, test_base_rate=0.5,
    baseline="weak", n_repeats=1, n_resamples=200, confidence_level=0.95, random_state=0,
    created_at="2026-01-01T00:00:00+00:00", git_revision="abc", versions={}, ceiling=None,
)  # fmt: skip


def arm_info(name: str, origin: str | None = "live", **changes: Any) -> ArmInfo:
    kind = "model" if origin is None else "claude"
    info = ArmInfo(name, kind, name, origin, name, None, None, None, 0.0, 0.0, 0, {})
    return dataclasses.replace(info, **changes)


def arm_records(
    name: str,
    y: NDArray[np.int8],
    proba: NDArray[np.float64],
    cost_usd: float | NDArray[np.float64] = 0.0,
    **columns: Any,
) -> pd.DataFrame:
    n = len(y)
    frame = pd.DataFrame(
        {
            "example_id": [f"e{i:06d}" for i in range(n)], "arm": name, "repeat": 0, "y": y,
            "group": None, "tenant": None, "proba": proba, "cost_usd": cost_usd,
        }
    )  # fmt: skip
    defaults: dict[str, Any] = {
        "abstained": False, "degraded": False, "cached": False, "attempts": 1, "calls": 1,
        "origin": "live",
    }  # fmt: skip
    for column in ANSWER_COLUMNS:
        if column not in frame:
            missing = 0 if column.endswith("_tokens") else None
            frame[column] = columns.get(column, defaults.get(column, missing))
    for column, values in columns.items():
        frame[column] = values
    for column in ("latency_s", "ttft_s", "escalation_score", "first_proba", "first_cost_usd"):
        frame[column] = frame[column].astype(float)
    return frame


def cascade_run(
    n: int = 2000,
    seed: int = 0,
    *,
    share: float = 0.3,
    skill: float = 1.0,
    strong: float = 0.95,
    origin: str = "live",
    groups: NDArray[Any] | None = None,
) -> Evaluation:
    """A weak and a strong model, right with known chances, and a cascade of the two.

    The weak one is right half the time on hard rows (one in three) and 93 % of the time on the
    others, the strong one alike everywhere. The score sees which rows
    are hard with some `skill`; the threshold is the one that escalates a `share` of the
    population, fixed beforehand as training rows would fix it.
    """
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 2, n).astype(np.int8)
    hard = rng.random(n) < 1 / 3
    weak_right = rng.random(n) < np.where(hard, 0.5, 0.93)
    strong_right = rng.random(n) < strong

    def told(right: NDArray[np.bool_]) -> NDArray[np.float64]:
        return np.where(right == (y == 1), 0.9, 0.1)

    score = skill * hard + rng.normal(0, 0.5, n)
    everyone = np.random.default_rng(99)
    population = skill * (everyone.random(200_000) < 1 / 3) + everyone.normal(0, 0.5, 200_000)
    threshold = float(np.quantile(population, 1 - share))
    length = rng.integers(300, 900, n)
    weak_cost, strong_cost = (np.asarray(length * usd, dtype=float) for usd in (1e-7, 2e-6))
    up = score > threshold
    records = pd.concat(
        [
            arm_records("weak", y, told(weak_right), weak_cost, origin=origin, input_tokens=length),
            arm_records(
                "strong", y, told(strong_right), strong_cost, origin=origin, input_tokens=length
            ),
            arm_records(
                "cascade",
                y,
                np.where(up, told(strong_right), told(weak_right)),
                weak_cost + strong_cost * up,
                origin=origin,
                input_tokens=length * (1 + up),
                escalation_score=score,
                first_proba=told(weak_right),
                first_cost_usd=weak_cost,
                answered_by=np.where(up, "strong", "weak"),
            ),
        ],
        ignore_index=True,
    )
    if groups is not None:
        records["group"] = np.tile(groups, 3)
    cascade = arm_info(
        "cascade", origin, kind="cascade", members=("weak", "strong"), threshold=threshold
    )
    info = dataclasses.replace(INFO, n_test=n, test_base_rate=float(y.mean()))
    return Evaluation(
        info, (arm_info("weak", origin), arm_info("strong", origin), cascade), records
    )
