"""From a source to rows that can be watched: current ones and those of a reference."""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from workbench.data import Dataset, Split
from workbench.errors import DataError, EvaluationError
from workbench.evaluation import Evaluation
from workbench.evaluation.records import SLICE_PREFIX
from workbench.evaluation.truth import truth_of
from workbench.monitoring.alert_spec import AlertSpec, DatasetSource, RunSource, TableSource
from workbench.predictors import (
    BoostedClassifier,
    fit_in_context,
    logistic_baseline,
    positive_probability,
    single_latencies,
)
from workbench.settings import Settings
from workbench.tasks import load_dataset

__all__ = ["Watched", "read_rows", "watch"]

_OWN = ("score", "label", "group", "as_of", "latency_ms", "error", "queue_depth")


class Watched(NamedTuple):
    """Rows to watch, their columns called as `ColumnNames` has them by default.

    Attributes
    ----------
    current, reference
        Columns of inputs, and whichever of proba, y, group, as_of, latency_ms, error and
        queue_depth are known; the reference may be missing.
    arm
        Whose scores, as people read it.
    ceiling
        Accuracy of the true probabilities on the current rows; None where nobody knows them.
    simulated
        Whether the answers were.
    """

    current: pd.DataFrame
    reference: pd.DataFrame | None
    arm: str
    ceiling: float | None
    simulated: bool


def watch(spec: AlertSpec, folder: Path, settings: Settings) -> Watched:
    """Get the rows a spec names.

    Parameters
    ----------
    spec
        The spec.
    folder
        Its folder; paths of tables are relative to it.
    settings
        Where runs and data sets are.

    Raises
    ------
    EvaluationError
        When there is no such run or arm.
    DataError
        When a table cannot be read or a data set is unfit.
    """
    if isinstance(spec.source, RunSource):
        return _of_run(spec.source, settings)
    if isinstance(spec.source, TableSource):
        return _of_tables(spec, spec.source, folder)
    return _of_dataset(spec.source, settings)


def _of_run(source: RunSource, settings: Settings) -> Watched:
    found = Evaluation.load(_run_folder(source.run, settings))
    info = found.arm(source.arm)
    reference = None
    if source.reference is not None:
        earlier = Evaluation.load(_run_folder(source.reference, settings))
        reference = _records(earlier, source.arm)
    ceiling = (found.info.ceiling or {}).get("accuracy")
    return Watched(_records(found, info.name), reference, info.label, ceiling, info.simulated)


def _run_folder(name: str, settings: Settings) -> Path:
    runs = settings.mlruns / "runs"
    exact = Path(name) if Path(name).is_absolute() else runs / name
    if exact.is_dir():
        return exact
    # A run's folder is its name and the moment it started, which sorts by time.
    begun = sorted(p for p in runs.glob(f"{name}-[0-9]*T[0-9]*") if p.is_dir())
    if not begun:
        known = ", ".join(sorted(p.name for p in runs.glob("*") if p.is_dir())[-5:]) or "none yet"
        raise EvaluationError(
            f"no run {name!r}", where=str(runs), expected=f"a folder such as {known}",
            fix="name a finished run, or run its spec first",
        )  # fmt: skip
    return begun[-1]


def _records(evaluation: Evaluation, arm: str) -> pd.DataFrame:
    evaluation.arm(arm)
    rows = evaluation.records[evaluation.records["arm"] == arm]
    kept = [c for c in ("proba", "y", "error") if c in rows]
    frame = rows[[*kept, *(c for c in rows if str(c).startswith(SLICE_PREFIX))]].copy()
    frame["error"] = rows["error"].notna()
    grouped = rows["group"].notna().all()
    # Repeats of an example belong together where nothing else does.
    if grouped or int(rows["repeat"].max()) > 0:
        frame["group"] = rows["group" if grouped else "example_id"].to_numpy()
    if "latency_s" in rows:
        frame["latency_ms"] = 1000 * rows["latency_s"].astype(float)
    return frame.reset_index(drop=True)


def _of_tables(spec: AlertSpec, source: TableSource, folder: Path) -> Watched:
    current = _table(spec, folder / source.current)
    reference = None if source.reference is None else _table(spec, folder / source.reference)
    return Watched(current, reference, source.current.stem, None, simulated=False)


def read_rows(path: Path) -> pd.DataFrame:
    """Read a Parquet file of rows.

    Raises
    ------
    DataError
        When there is no such file or it is something else.
    """
    try:
        return pd.read_parquet(path)
    except (OSError, ValueError) as error:
        raise DataError(
            f"the table cannot be read: {type(error).__name__}", where=str(path),
            expected="a Parquet file", fix="name another file",
        ) from None  # fmt: skip


def _table(spec: AlertSpec, path: Path) -> pd.DataFrame:
    frame = read_rows(path)
    standard = type(spec.columns)()
    names = {getattr(spec.columns, key): getattr(standard, key) for key in _OWN}
    frame = frame.rename(columns=names)
    if "error" in frame and frame["error"].dtype != bool:
        frame["error"] = frame["error"].notna() & (frame["error"] != 0)
    return frame


def _of_dataset(source: DatasetSource, settings: Settings) -> Watched:
    dataset = load_dataset(
        source.dataset, settings=settings, n_rows=source.n_rows, random_state=source.random_state
    )
    watched = source.reference_fraction + source.current_fraction
    parts = Split("time", watched).apply(dataset)
    train = dataset.take(parts.train)
    model: Any = logistic_baseline() if source.arm == "logistic" else BoostedClassifier()
    fit_in_context(
        model, train.X, train.y.to_numpy(),
        groups=None if train.groups is None else train.groups.to_numpy(),
        as_of=None if train.as_of is None else train.as_of.to_numpy(),
    )  # fmt: skip
    later = dataset.take(parts.test)
    order = np.arange(len(later))
    if later.as_of is not None:
        order = np.argsort(later.as_of.to_numpy(), kind="stable")
    cut = round(len(order) * source.reference_fraction / watched)
    before, now = (later.take(np.sort(part)) for part in (order[:cut], order[cut:]))
    current = _scored(model, now)
    sample = np.random.default_rng(source.random_state).permutation(len(now))
    latency = single_latencies(model, now.X, sample[: source.latency_sample])
    current["latency_ms"] = 1000 * latency
    truth = truth_of(now)
    ceiling = None if truth is None else float(np.maximum(truth, 1 - truth).mean())
    return Watched(current, _scored(model, before), source.arm, ceiling, simulated=False)


def _scored(model: Any, dataset: Dataset) -> pd.DataFrame:
    frame = dataset.X.reset_index(drop=True)
    frame["proba"] = positive_probability(model, dataset.X)
    frame["y"] = dataset.y.to_numpy()
    frame["error"] = False
    if dataset.groups is not None:
        frame["group"] = dataset.groups.to_numpy()
    if dataset.as_of is not None:
        frame["as_of"] = dataset.as_of.to_numpy()
    return frame
