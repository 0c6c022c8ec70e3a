"""Records of readers: one row an example × arm × repeat; everything else is computed from them."""

import json
import time
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from workbench.data import AskedField, Corpus
from workbench.errors import EvaluationError
from workbench.evaluation.records import SLICE_PREFIX
from workbench.predictors import ANSWER_COLUMNS, answering
from workbench.predictors.readers import Readings

__all__ = ["PROBA", "TRUTH", "VALUE", "asking", "decoded", "encoded", "reading_records"]

TRUTH, VALUE, PROBA = "truth:", "value:", "proba:"
"""What the columns of a field begin with: its true value, what was answered, how surely."""

_WARM_UP = 3
_ENUMERATED = ("label", "labels", "level", "ranking")


def asking(reader: Any) -> bool:
    """Tell whether a reader asks Claude, itself or through a member."""
    members = getattr(reader, "readers", ())
    return answering(reader) or any(asking(member) for _, member in members)


def encoded(value: Any) -> str | None:
    """Write a value of a field as JSON; None stays None.

    Examples
    --------
    >>> encoded(("a", "b")), encoded(None)
    ('["a", "b"]', None)
    """
    return None if value is None else json.dumps(value, ensure_ascii=False, default=list)


def decoded(text: Any, asked: AskedField) -> Any:
    """Read what `encoded` wrote.

    Parameters
    ----------
    text
        JSON, or None.
    asked
        The field it is a value of.
    """
    if not isinstance(text, str):
        return None
    value = json.loads(text)
    if isinstance(value, list):
        return tuple(value)
    if asked.kind == "slots":
        return {k: tuple(v) if isinstance(v, list) else v for k, v in value.items()}
    return value


def reading_records(
    reader: Any,
    test: Corpus,
    arm: str,
    fields: Sequence[AskedField],
    *,
    n_repeats: int,
    latency_sample: int,
    random_state: int,
) -> pd.DataFrame:
    """Records of one fitted arm; only arms that ask Claude are repeated.

    Parameters
    ----------
    reader
        Fitted.
    test
        What it is asked about.
    arm
        Name of the arm.
    fields
        What is asked.
    n_repeats
        Independent answers an example.
    latency_sample
        Rows on which the latency of a model on this machine is measured, one by one.
    random_state
        Seed of that sample.

    Raises
    ------
    EvaluationError
        When the reader answers in another form than it should.
    """
    if asking(reader):
        return pd.concat(
            [_frame(reader.read(test.X, repeat=r), test, arm, fields, r) for r in range(n_repeats)],
            ignore_index=True,
        )
    frame = _frame(reader.read(test.X), test, arm, fields, 0)
    frame["latency_s"] = _latencies(reader, test.X, latency_sample, random_state)
    return frame


def _frame(
    found: Readings, test: Corpus, arm: str, fields: Sequence[AskedField], repeat: int
) -> pd.DataFrame:
    n = len(test)
    if not isinstance(found, Readings) or len(found.values) != n:
        raise EvaluationError(
            f"arm {arm!r} gave a {type(found).__name__} for {n:,} texts",
            expected="Readings with a row a text",
            fix="return workbench.predictors.readers.Readings from read",
        )
    frame = pd.DataFrame(
        {
            "example_id": test.X.index.astype(str),
            "arm": arm,
            "repeat": repeat,
            "group": None if test.groups is None else test.groups.to_numpy(),
            "tenant": None,
        }
    )
    slices = pd.DataFrame(index=test.X.index) if test.slices is None else test.slices
    for name, column in slices.items():
        known = column.astype(object).where(column.notna(), "(missing)")
        frame[f"{SLICE_PREFIX}{name}"] = known.astype(str).to_numpy()
    for asked in fields:
        frame[f"{TRUTH}{asked.name}"] = [encoded(v) for v in test.y[asked.name]]
        values = [_checked(v, asked, arm) for v in found.values[asked.name]]
        frame[f"{VALUE}{asked.name}"] = pd.Series([encoded(v) for v in values], dtype=object)
        proba = found.proba.get(asked.name)
        if proba is not None:
            frame[f"{PROBA}{asked.name}"] = list(proba.astype(np.float32))
    quotes = [None] * n if found.evidence is None else found.evidence.tolist()
    frame["evidence"] = pd.Series([encoded(q) for q in quotes], dtype=object)
    return _answered(frame, found.answers)


def _answered(frame: pd.DataFrame, answers: pd.DataFrame | None) -> pd.DataFrame:
    kept = [c for c in ANSWER_COLUMNS if c not in ("repeat", "proba", "answer")]
    if answers is not None:
        for column in kept:
            frame[column] = answers[column].to_numpy()
        return frame
    numbers = ("_s", "_score", "_proba", "_usd")
    for column in kept:
        if column in ("abstained", "degraded", "cached"):
            frame[column] = False
        elif column.endswith("_tokens") or column in ("attempts", "calls"):
            frame[column] = 0
        else:
            frame[column] = np.nan if column.endswith(numbers) else None
    frame["cost_usd"] = 0.0
    values = [c for c in frame.columns if c.startswith(VALUE)]
    frame["abstained"] = frame[values].isna().all(axis=1)
    return frame


def _checked(value: Any, asked: AskedField, arm: str) -> Any:
    """Values that are none of the field's would be wrong in silence."""
    if value is None or asked.kind not in _ENUMERATED:
        return value
    named = (value,) if asked.kind in ("label", "level") else tuple(value)
    strange = [v for v in named if v not in asked.values]
    if strange:
        raise EvaluationError(
            f"arm {arm!r} answered {strange[0]!r} for field {asked.name!r}",
            expected=f"some of {', '.join(asked.values[:12])}"
            + (" …" if len(asked.values) > 12 else ""),
            fix="mend the arm, or add the value to the field",
        )
    return value


def _latencies(reader: Any, X: pd.DataFrame, sample: int, random_state: int) -> NDArray[np.float64]:
    latencies = np.full(len(X), np.nan)
    rng = np.random.default_rng(random_state)
    chosen = rng.choice(len(X), size=min(sample, len(X)), replace=False)
    for position in chosen[:_WARM_UP]:
        reader.read(X.iloc[[position]])
    for position in chosen:
        row = X.iloc[[position]]
        started = time.perf_counter()
        reader.read(row)
        latencies[position] = time.perf_counter() - started
    return latencies
