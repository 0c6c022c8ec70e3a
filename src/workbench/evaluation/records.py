"""Records: one row an example × arm × repeat; everything else is computed from them."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from workbench.data import Dataset
from workbench.errors import EvaluationError
from workbench.predictors import (
    ANSWER_COLUMNS,
    answering,
    positive_probability,
    single_latencies,
)

__all__ = ["SLICE_PREFIX", "answer_records", "model_records"]

SLICE_PREFIX = "slice:"
_NUMBERS = ("_s", "_score", "_proba", "_usd")


def _frame(dataset: Dataset, arm: str, repeat: int) -> pd.DataFrame:
    frame = pd.DataFrame(
        {
            "example_id": dataset.X.index.astype(str),
            "arm": arm,
            "repeat": repeat,
            "y": dataset.y.to_numpy(dtype=np.int8),
            "group": None if dataset.groups is None else dataset.groups.to_numpy(),
            "tenant": None if dataset.tenant is None else dataset.tenant.to_numpy(),
        }
    )
    for name in dataset.slices.columns:
        column = dataset.slices[name]
        known = column.astype(object).where(column.notna(), "(missing)")
        # By position: the records' rows are numbered, the data set's are named.
        frame[f"{SLICE_PREFIX}{name}"] = known.astype(str).to_numpy()
    return frame


def answer_records(estimator: Any, dataset: Dataset, arm: str, repeat: int) -> pd.DataFrame:
    """Records of an arm that asks Claude.

    Parameters
    ----------
    estimator
        Fitted, with `answer`.
    dataset
        The examples to judge.
    arm
        Name of the arm.
    repeat
        Which of several independent answers.
    """
    answers = estimator.answer(dataset.X, repeat=repeat)
    frame = _frame(dataset, arm, repeat)
    for column in ANSWER_COLUMNS:
        if column != "repeat":
            frame[column] = answers[column].to_numpy()
    return frame


def model_records(
    estimator: Any,
    dataset: Dataset,
    arm: str,
    *,
    latency_sample: int,
    random_state: int,
) -> pd.DataFrame:
    """Records of an arm that is a model on this machine.

    Probabilities are predicted in one batch. Latency is measured where a user meets it, on
    single rows through the whole pipeline, for a random sample; other rows have none.

    Parameters
    ----------
    estimator
        Fitted, with `predict_proba`.
    dataset
        The examples to judge.
    arm
        Name of the arm.
    latency_sample
        Rows whose latency is measured.
    random_state
        Seed of the sample.

    Raises
    ------
    EvaluationError
        When a predicted probability is missing or not between 0 and 1.
    """
    frame = _frame(dataset, arm, 0)
    frame["proba"] = _checked(positive_probability(estimator, dataset.X), arm)
    rng = np.random.default_rng(random_state)
    sample = rng.choice(len(dataset), size=min(latency_sample, len(dataset)), replace=False)
    frame["latency_s"] = single_latencies(estimator, dataset.X, sample)
    frame["abstained"] = False
    frame["degraded"] = False
    frame["attempts"] = frame["calls"] = 0
    frame["cost_usd"] = 0.0
    frame["cached"] = False
    for column in ANSWER_COLUMNS:
        if column.endswith("_tokens"):
            frame[column] = 0
        elif column not in frame:
            frame[column] = np.nan if column.endswith(_NUMBERS) else None
    return frame


def _checked(probability: NDArray[np.float64], arm: str) -> NDArray[np.float64]:
    bad = np.flatnonzero(~((probability >= 0) & (probability <= 1)))
    if len(bad):
        raise EvaluationError(
            f"arm {arm!r} predicted a probability of {probability[bad[0]]:.6g}"
            f" (and {len(bad) - 1:,} more like it)",
            expected="numbers from 0 to 1, none missing",
            fix="mend its predict_proba",
        )
    return probability


def records_of(
    estimator: Any,
    dataset: Dataset,
    arm: str,
    *,
    n_repeats: int,
    latency_sample: int,
    random_state: int,
) -> pd.DataFrame:
    """Records of any fitted arm; only arms that ask Claude are repeated."""
    if not answering(estimator):
        return model_records(
            estimator, dataset, arm, latency_sample=latency_sample, random_state=random_state
        )
    return pd.concat(
        [answer_records(estimator, dataset, arm, repeat) for repeat in range(n_repeats)],
        ignore_index=True,
    )
