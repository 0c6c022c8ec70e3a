"""The result of evaluating readers: records, and every figure computed from them."""

import html
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from workbench.data import AskedField, Corpus
from workbench.documents import to_json
from workbench.errors import EvaluationError
from workbench.evaluation.comparison import Comparison, comparison_of
from workbench.evaluation.evaluation import ArmInfo
from workbench.evaluation.measured import Measured
from workbench.evaluation.operations import OPERATIONS, operate
from workbench.evaluation.readings.figures import Grid, check_metrics, grid_of, measure_grid
from workbench.evaluation.readings.records import VALUE
from workbench.evaluation.records import SLICE_PREFIX
from workbench.evaluation.scores import resamples_needed
from workbench.scorers import metric
from workbench.stats import Estimate

__all__ = ["ReadingEvaluation", "ReadingInfo"]

_MIN_SLICE = 50


@dataclass(frozen=True, slots=True)
class ReadingInfo:
    """What was evaluated, on what, and how.

    Parameters
    ----------
    task, task_version, task_title
        The task.
    fields
        What was asked.
    metrics
        Names of the metrics of quality, the primary one first.
    dataset, dataset_title, dataset_version, dataset_digest, dataset_kind, licence
        The corpus; kind is "real" or "simulated".
    split
        In words.
    n_train, n_test
        Examples.
    n_duplicates
        Test texts that also stand in the training part.
    baseline
        Arm the others are compared with.
    n_repeats, n_resamples, confidence_level, random_state
        Of the evaluation.
    created_at
        ISO 8601, UTC.
    git_revision, versions
        Of the project; of Python and the libraries figures depend on.
    notes
        What the corpus says about itself.
    ceiling
        Metrics of who knows the truth behind simulated texts, where that is known.
    """

    task: str
    task_version: int
    task_title: str
    fields: tuple[AskedField, ...]
    metrics: tuple[str, ...]
    dataset: str
    dataset_title: str
    dataset_version: str
    dataset_digest: str
    dataset_kind: str
    licence: str
    split: str
    n_train: int
    n_test: int
    n_duplicates: int
    baseline: str
    n_repeats: int
    n_resamples: int
    confidence_level: float
    random_state: int
    created_at: str
    git_revision: str
    versions: dict[str, str]
    notes: str = ""
    ceiling: dict[str, float] | None = None


@dataclass(frozen=True, eq=False)
class ReadingEvaluation:
    """Records of several readers on one test set.

    Parameters
    ----------
    info
        What was evaluated.
    arms
        The arms, in order.
    records : DataFrame
        One row an example × arm × repeat.
    corpus
        The test part, for looking at single texts; None once loaded from a folder, which keeps no
        texts.
    """

    info: ReadingInfo
    arms: tuple[ArmInfo, ...]
    records: pd.DataFrame
    corpus: Corpus | None = None

    @property
    def arm_names(self) -> list[str]:
        """Names of the arms, in order."""
        return [arm.name for arm in self.arms]

    @property
    def fields(self) -> tuple[AskedField, ...]:
        """What was asked."""
        return self.info.fields

    def arm(self, name: str) -> ArmInfo:
        """Find an arm.

        Raises
        ------
        EvaluationError
            When there is none of that name.
        """
        for arm in self.arms:
            if arm.name == name:
                return arm
        raise EvaluationError(
            f"no arm {name!r}", expected=f"one of {self.arm_names}", fix="name one of them"
        )

    @cached_property
    def grid(self) -> Grid:
        """Answers of all arms side by side."""
        return grid_of(self.records, self.arm_names, self.fields, self.texts)

    @property
    def texts(self) -> Mapping[str, str] | None:
        """Texts by example; None once loaded from a folder."""
        if self.corpus is None:
            return None
        return dict(zip(self.corpus.X.index.astype(str), self.corpus.X["text"], strict=True))

    def _measured(self, names: Sequence[str], baseline: str) -> Measured:
        return measure_grid(
            self.grid,
            self.arm_names,
            names,
            baseline=baseline,
            simulated=[arm.name for arm in self.arms if arm.simulated],
            n_resamples=self.info.n_resamples,
            confidence_level=self.info.confidence_level,
            random_state=self.info.random_state,
        )

    @cached_property
    def measured(self) -> Measured:
        """Every metric of quality, with paired differences from the baseline."""
        return self._measured(self.info.metrics, self.info.baseline)

    def estimate(self, arm: str, name: str) -> Estimate:
        """Measure one arm by one metric, with n and an interval.

        Raises
        ------
        EvaluationError
            When there is no such arm or metric.
        """
        self.arm(arm)
        if name in OPERATIONS:
            rows = self.records[self.records["arm"] == arm]
            return operate(rows, name, self.info.confidence_level)
        if name not in self.info.metrics:
            check_metrics([name], self.fields)
            return self._measured([name], self.info.baseline).estimates[arm, name]
        return self.measured.estimates[arm, name]

    @cached_property
    def measurements(self) -> dict[tuple[str, str], Estimate]:
        """Every metric of every arm: those of quality, then those of working."""
        names = (*self.info.metrics, *OPERATIONS)
        return {(arm, name): self.estimate(arm, name) for arm in self.arm_names for name in names}

    def compare(self, name: str | None = None, *, baseline: str | None = None) -> Comparison:
        """Compare every arm with the baseline, paired and corrected for their number.

        Parameters
        ----------
        name
            Metric of a field; the primary one by default.
        baseline
            Another baseline than the run's own.

        Raises
        ------
        EvaluationError
            When the metric is none of a field, or there is no such arm.
        """
        name = name or self.info.metrics[0]
        if name in OPERATIONS:
            raise EvaluationError(
                f"{name!r} cannot be compared pairwise",
                expected=f"one of {list(self.info.metrics)}",
                fix="compare a metric of a field",
            )
        check_metrics([name], self.fields)
        against = self.arm(baseline or self.info.baseline).name
        own = name in self.info.metrics and against == self.info.baseline
        found = self.measured if own else self._measured([name], against)
        return comparison_of(
            {arm: d for (arm, of), d in found.differences.items() if of == name},
            against,
            name,
            self.info.confidence_level,
            {arm.name: arm.label for arm in self.arms},
        )

    def slices(self, name: str | None = None) -> pd.DataFrame:
        """Measure every arm within each slice of at least 50 test examples.

        Parameters
        ----------
        name
            Metric of a field; the primary one by default.

        Returns
        -------
        DataFrame
            Columns slice, value, arm, origin, n, estimate, ci_lower, ci_upper.
        """
        name = name or self.info.metrics[0]
        columns = [c for c in self.records.columns if c.startswith(SLICE_PREFIX)]
        needed = resamples_needed(len(self.arms), self.info.confidence_level)
        rows = []
        for column in columns:
            for value, part in self.records.groupby(column, sort=True):
                n = part.loc[part["arm"] == self.arm_names[0], "example_id"].nunique()
                if n < _MIN_SLICE:
                    continue
                grid = grid_of(part, self.arm_names, self.fields, self.texts)
                found = measure_grid(
                    grid,
                    self.arm_names,
                    [name],
                    baseline=self.info.baseline,
                    simulated=(),
                    n_resamples=min(max(300, needed), self.info.n_resamples),
                    confidence_level=self.info.confidence_level,
                    random_state=self.info.random_state,
                )
                for arm in self.arms:
                    one = found.estimates[arm.name, name]
                    rows.append(
                        {
                            "slice": column.removeprefix(SLICE_PREFIX),
                            "value": value,
                            "arm": arm.name,
                            "origin": arm.origin,
                            "n": n,
                            "estimate": one.estimate,
                            "ci_lower": one.ci_lower,
                            "ci_upper": one.ci_upper,
                        }
                    )
        names = ["slice", "value", "arm", "origin", "n", "estimate", "ci_lower", "ci_upper"]
        return pd.DataFrame(rows, columns=names)

    def to_frame(self, metrics: Sequence[str] | None = None) -> pd.DataFrame:
        """List every figure with its interval and n, one row an arm and metric."""
        return pd.DataFrame(
            [
                {"arm": arm, "origin": self.arm(arm).origin, "metric": name, **found.as_dict()}
                for (arm, name), found in self.measurements.items()
                if metrics is None or name in metrics
            ]
        )

    def to_markdown(self, metrics: Sequence[str] | None = None) -> str:
        """Write the table of arms and metrics as Markdown; intervals in brackets."""
        names = list(metrics) if metrics is not None else list(self.info.metrics)
        head = "| arm | " + " | ".join(metric(n).title for n in names) + " |"
        lines = [
            f"| {arm.label} | " + " | ".join(self.cell(arm.name, name) for name in names) + " |"
            for arm in self.arms
        ]
        return "\n".join([head, "|---" * (len(names) + 1) + "|", *lines])

    def cell(self, arm: str, name: str) -> str:
        """Write one figure with its interval."""
        found, how = self.measurements[arm, name], metric(name)
        if how.unit == "s" and self.arm(arm).simulated:
            return "not Claude's"
        if found.n == 0 or np.isnan(found.estimate):
            return "not measured"
        if "/" in name and self._silent(arm, name.rpartition("/")[0]):
            return "not answered"
        low, high = how.format(found.ci_lower), how.format(found.ci_upper)
        return f"{how.format(found.estimate)} [{low}, {high}]"

    def _silent(self, arm: str, field: str) -> bool:
        """Whether a model on this machine answers a field nowhere: it was made without."""
        rows = self.records[self.records["arm"] == arm]
        return bool(rows["origin"].isna().all() and rows[f"{VALUE}{field}"].isna().all())

    def _repr_html_(self) -> str:
        names = [*self.info.metrics[:5], "latency_p50_s", "cost_per_1000_usd"]
        head = "".join(f"<th>{html.escape(metric(n).title)}</th>" for n in names)
        body = "".join(
            f"<tr><th style='text-align:left'>{html.escape(arm.label)}</th>"
            + "".join(f"<td>{two_lines(self.cell(arm.name, name))}</td>" for name in names)
            + "</tr>"
            for arm in self.arms
        )
        simulated = any(a.simulated for a in self.arms)
        told = "arms marked sim: are simulated, none of their figures is Claude's"
        note = f" · <b>{told}</b>" if simulated else ""
        return (
            f"<p><b>{html.escape(self.info.task_title)}</b> on "
            f"{html.escape(self.info.dataset_title)} · {self.info.n_test:,} test examples{note}"
            f"</p><table><thead><tr><th></th>{head}</tr></thead><tbody>{body}</tbody></table>"
        )

    def save(self, folder: Path) -> None:
        """Write `records.parquet` and `evaluation.json` into `folder`; no texts."""
        folder.mkdir(parents=True, exist_ok=True)
        self.records.to_parquet(folder / "records.parquet", index=False)
        # Copies of the fields are models, not dataclasses.
        info = {k: getattr(self.info, k) for k in ReadingInfo.__dataclass_fields__}
        info["fields"] = [asked.model_dump(mode="json") for asked in self.fields]
        stored = {"info": info, "arms": [asdict(arm) for arm in self.arms]}
        (folder / "evaluation.json").write_text(to_json(stored), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> "ReadingEvaluation":
        """Read what `save` wrote.

        Raises
        ------
        EvaluationError
            When the folder does not hold an evaluation of readers.
        """
        try:
            stored: dict[str, Any] = json.loads((folder / "evaluation.json").read_text("utf-8"))
            info = stored["info"] | {
                "fields": tuple(AskedField.model_validate(f) for f in stored["info"]["fields"]),
                "metrics": tuple(stored["info"]["metrics"]),
            }
            arms = tuple(
                ArmInfo(**(arm | {"members": tuple(arm["members"])})) for arm in stored["arms"]
            )
            return cls(ReadingInfo(**info), arms, pd.read_parquet(folder / "records.parquet"))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise EvaluationError(
                f"no evaluation of readers can be read: {error}",
                where=str(folder),
                expected="records.parquet and evaluation.json of a run",
                fix="name the folder of a finished run",
            ) from error


def two_lines(cell: str) -> str:
    """Write a figure as HTML, its interval on a line of its own."""
    return html.escape(cell).replace(" [", "<br><small>[").replace("]", "]</small>")
