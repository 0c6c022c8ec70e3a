"""The result of an evaluation: records, and every figure computed from them."""

import html
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from workbench.documents import to_json
from workbench.errors import EvaluationError
from workbench.evaluation.comparison import Comparison, compare_arms
from workbench.evaluation.operations import OPERATIONS, operate
from workbench.evaluation.records import SLICE_PREFIX
from workbench.evaluation.scores import ScoreTable, resamples_needed, score_table
from workbench.evaluation.sequential_result import SequentialResult
from workbench.scorers import EXAMPLE_SCORES, METRICS, STATISTICS, metric
from workbench.stats import Estimate

__all__ = ["ArmInfo", "Evaluation", "RunInfo"]

_MIN_SLICE = 50
_SLICE_COLUMNS = (
    "slice", "value", "arm", "origin", "n", "base_rate", "estimate", "ci_lower", "ci_upper",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class ArmInfo:
    """What an arm is.

    Parameters
    ----------
    name
        Name in the records.
    kind
        "model" (on this machine), "claude", "ensemble" (both) or "cascade" (one after another).
    description
        One line for people.
    origin
        Where its answers came from; None for a model.
    model
        Model asked, or the estimator's class.
    strategy, prompt, prompt_digest
        Of the prompt; None for a model.
    fit_s
        Seconds to fit, asking included.
    fit_cost_usd
        Price of the answers the fit needed, whenever they were asked.
    n_fit_answers
        Their number.
    parameters
        The estimator's parameters as text.
    members
        Of an ensemble or a cascade, by the names of their arms, in order.
    policy
        When a cascade asks its last member, in words.
    threshold
        Score above which it does, fitted on training rows.
    """

    name: str
    kind: str
    description: str
    origin: str | None
    model: str
    strategy: str | None
    prompt: str | None
    prompt_digest: str | None
    fit_s: float
    fit_cost_usd: float
    n_fit_answers: int
    parameters: dict[str, str]
    members: tuple[str, ...] = ()
    policy: str | None = None
    threshold: float | None = None

    @property
    def simulated(self) -> bool:
        """Whether its answers came from the stand-in, not from a real model."""
        return self.origin == "simulated"

    @property
    def label(self) -> str:
        """Its name wherever people read it: `sim:` in front when its answers were simulated."""
        return f"sim:{self.name}" if self.simulated else self.name


@dataclass(frozen=True, slots=True)
class RunInfo:
    """What was evaluated, on what, and how.

    Parameters
    ----------
    task, task_version
        The task.
    dataset, dataset_title, dataset_version, dataset_digest, dataset_kind, licence
        The data; kind is "real" or "simulated".
    leaks_allowed
        Declared leaks that were used all the same.
    split
        In words.
    n_train, n_test
        Examples.
    n_train_groups_removed
        Training rows left out because their group is in the test part.
    n_duplicates
        Test rows whose every field also stands in a training row.
    train_base_rate, test_base_rate
        Shares of positives.
    baseline
        Arm the others are compared with.
    n_repeats, n_resamples, confidence_level, random_state
        Of the evaluation.
    created_at
        ISO 8601, UTC.
    git_revision
        Of the project; "dirty" is appended when files were changed.
    versions
        Of Python and the libraries figures depend on.
    ceiling
        Metrics of the true probabilities, where the data is simulated and they are known.
    stop_metric
        Metric that decided when to stop asking; None when the whole test part was asked.
    n_test_available
        Examples the test part had, where asking could stop before all were used.
    """

    task: str
    task_version: int
    dataset: str
    dataset_title: str
    dataset_version: str
    dataset_digest: str
    dataset_kind: str
    licence: str
    leaks_allowed: tuple[str, ...]
    split: str
    n_train: int
    n_test: int
    n_train_groups_removed: int
    n_duplicates: int
    train_base_rate: float
    test_base_rate: float
    baseline: str
    n_repeats: int
    n_resamples: int
    confidence_level: float
    random_state: int
    created_at: str
    git_revision: str
    versions: dict[str, str]
    ceiling: dict[str, float] | None
    stop_metric: str | None = None
    n_test_available: int | None = None


@dataclass(frozen=True)
class Evaluation:
    """Records of several arms on one test set.

    Parameters
    ----------
    info
        What was evaluated.
    arms
        The arms, in order.
    records : DataFrame
        One row an example × arm × repeat; in the order asked, where asking could stop early.
    sequential
        How each arm but the baseline was decided, where asking could stop early; else empty.
    """

    info: RunInfo
    arms: tuple[ArmInfo, ...]
    records: pd.DataFrame
    sequential: Mapping[str, SequentialResult] = field(default_factory=dict)

    @property
    def arm_names(self) -> list[str]:
        """Names of the arms, in order."""
        return [arm.name for arm in self.arms]

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
    def scores(self) -> ScoreTable:
        """Probabilities of all arms side by side."""
        return score_table(
            self.records,
            self.arm_names,
            n_resamples=self.info.n_resamples,
            random_state=self.info.random_state,
        )

    def estimate(self, arm: str, name: str) -> Estimate:
        """Measure one arm by one metric, with n and an interval.

        Raises
        ------
        EvaluationError
            When there is no such arm or metric.
        """
        metric(name)
        self.arm(arm)
        if name in OPERATIONS:
            rows = self.records[self.records["arm"] == arm]
            return operate(rows, name, self.info.confidence_level)
        return self.scores.estimate(arm, name, self.info.confidence_level)

    @cached_property
    def measurements(self) -> dict[tuple[str, str], Estimate]:
        """Every metric of every arm."""
        return {(arm, name): self.estimate(arm, name) for arm in self.arm_names for name in METRICS}

    @property
    def majority_accuracy(self) -> float:
        """Accuracy of always answering the more frequent class of the test set."""
        return max(self.info.test_base_rate, 1 - self.info.test_base_rate)

    def compare(self, name: str = "roc_auc", *, baseline: str | None = None) -> Comparison:
        """Compare every arm with the baseline, paired and corrected for their number.

        Parameters
        ----------
        name
            Metric of the probabilities.
        baseline
            Another baseline than the run's own.

        Raises
        ------
        EvaluationError
            When the metric has no paired comparison or there is no such arm.
        """
        if name not in EXAMPLE_SCORES and name not in STATISTICS:
            raise EvaluationError(
                f"{name!r} cannot be compared pairwise",
                expected=f"one of {[*STATISTICS, *EXAMPLE_SCORES]}",
                fix="compare a metric of the probabilities",
            )
        against = self.arm(baseline or self.info.baseline).name
        labels = {arm.name: arm.label for arm in self.arms}
        return compare_arms(self.scores, against, name, self.info.confidence_level, labels)

    def slices(self, name: str = "roc_auc") -> pd.DataFrame:
        """Measure every arm within each slice of the test set.

        Slices with fewer than 50 examples or 10 of either class are left out.

        Parameters
        ----------
        name
            Metric of the probabilities.

        Returns
        -------
        DataFrame
            Columns slice, value, arm, origin, n, base_rate, estimate, ci_lower, ci_upper.
        """
        rows = []
        for column in [c for c in self.records.columns if c.startswith(SLICE_PREFIX)]:
            for value, part in self.records.groupby(column, sort=True):
                y = part.loc[(part["arm"] == self.arm_names[0]) & (part["repeat"] == 0), "y"]
                if len(y) < _MIN_SLICE or not 10 <= y.sum() <= len(y) - 10:
                    continue
                table = score_table(
                    part,
                    self.arm_names,
                    n_resamples=min(
                        max(300, resamples_needed(2, self.info.confidence_level)),
                        self.info.n_resamples,
                    ),
                    random_state=self.info.random_state,
                )
                for arm in self.arm_names:
                    found = table.estimate(arm, name, self.info.confidence_level)
                    rows.append(
                        {
                            "slice": column.removeprefix(SLICE_PREFIX),
                            "value": value,
                            "arm": arm,
                            "origin": self.arm(arm).origin,
                            "n": len(y),
                            "base_rate": float(y.mean()),
                            "estimate": found.estimate,
                            "ci_lower": found.ci_lower,
                            "ci_upper": found.ci_upper,
                        }
                    )
        return pd.DataFrame(rows, columns=list(_SLICE_COLUMNS))

    def to_frame(self, metrics: Sequence[str] | None = None) -> pd.DataFrame:
        """List every figure with its interval and n, one row an arm and metric."""
        rows = []
        for (arm, name), found in self.measurements.items():
            if metrics is None or name in metrics:
                origin = self.arm(arm).origin
                rows.append({"arm": arm, "origin": origin, "metric": name, **found.as_dict()})
        return pd.DataFrame(rows)

    def to_markdown(self, metrics: Sequence[str] | None = None) -> str:
        """Write the table of arms and metrics as Markdown; intervals in brackets."""
        names = list(metrics) if metrics is not None else list(METRICS)
        head = "| arm | " + " | ".join(metric(n).title for n in names) + " |"
        rule = "|---" * (len(names) + 1) + "|"
        lines = [
            f"| {arm.label} | " + " | ".join(self.cell(arm.name, name) for name in names) + " |"
            for arm in self.arms
        ]
        return "\n".join([head, rule, *lines])

    def cell(self, arm: str, name: str) -> str:
        """Write one figure with its interval."""
        found, how = self.measurements[arm, name], metric(name)
        if how.unit == "s" and self.arm(arm).simulated:
            return "not Claude's"
        if found.n == 0:
            return "not measured"
        return (
            f"{how.format(found.estimate)} "
            f"[{how.format(found.ci_lower)}, {how.format(found.ci_upper)}]"
        )

    def _repr_html_(self) -> str:
        names = ["roc_auc", "log_loss", "ece", "accuracy", "latency_p50_s", "cost_per_1000_usd"]
        head = "".join(f"<th>{html.escape(metric(n).title)}</th>" for n in names)
        body = "".join(
            f"<tr><th style='text-align:left'>{html.escape(arm.label)}</th>"
            + "".join(f"<td>{_two_lines(self.cell(arm.name, name))}</td>" for name in names)
            + "</tr>"
            for arm in self.arms
        )
        note = (
            " · <b>arms marked sim: are simulated, none of their figures is Claude's</b>"
            if any(a.simulated for a in self.arms)
            else ""
        )
        return (
            f"<p><b>{html.escape(self.info.task)}</b> on {html.escape(self.info.dataset_title)} · "
            f"{self.info.n_test:,} test examples · majority class {self.majority_accuracy:.1%}"
            f"{note}</p><table><thead><tr><th></th>{head}</tr></thead><tbody>{body}</tbody></table>"
        )

    def save(self, folder: Path) -> None:
        """Write `records.parquet` and `evaluation.json` into `folder`."""
        folder.mkdir(parents=True, exist_ok=True)
        self.records.to_parquet(folder / "records.parquet", index=False)
        stored = {"info": asdict(self.info), "arms": [asdict(arm) for arm in self.arms]}
        if self.sequential:
            stored["sequential"] = [result.to_dict() for result in self.sequential.values()]
        (folder / "evaluation.json").write_text(to_json(stored), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> "Evaluation":
        """Read what `save` wrote.

        Raises
        ------
        EvaluationError
            When the folder does not hold an evaluation.
        """
        try:
            stored: dict[str, Any] = json.loads(
                (folder / "evaluation.json").read_text(encoding="utf-8")
            )
            records = pd.read_parquet(folder / "records.parquet")
            info = stored["info"] | {"leaks_allowed": tuple(stored["info"]["leaks_allowed"])}
            arms = (a | {"members": tuple(a.get("members", ()))} for a in stored["arms"])
            decided = [SequentialResult.from_dict(r) for r in stored.get("sequential", ())]
            return cls(
                RunInfo(**info),
                tuple(ArmInfo(**a) for a in arms),
                records,
                {result.arm: result for result in decided},
            )
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise EvaluationError(
                f"no evaluation can be read: {error}",
                where=str(folder),
                expected="records.parquet and evaluation.json of a run",
                fix="name the folder of a finished run",
            ) from error


def _two_lines(cell: str) -> str:
    return html.escape(cell).replace(" [", "<br><small>[").replace("]", "]</small>")
