"""Prompt variants side by side: their wording, results, cost, and the texts they part on."""

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from workbench.claude import ClaudeClient
from workbench.data import Corpus
from workbench.errors import EvaluationError
from workbench.evaluation.readings.disagreements import (
    Disagreements,
    WhichExamples,
    disagreements,
)
from workbench.evaluation.readings.evaluation import ReadingEvaluation
from workbench.evaluation.readings.prompt_diff import PromptDiff, prompt_diff
from workbench.evaluation.readings.run import evaluate_readings
from workbench.predictors.readers import ShotChoice
from workbench.prompts import Prompt
from workbench.scorers import metric
from workbench.tasks import Task

__all__ = [
    "PromptComparison",
    "ShotCurve",
    "checked_parts",
    "compare_prompts",
    "compare_shots",
    "with_validation",
]

_MODEL = "claude-haiku-5-5"
_COST = "cost_per_1000_usd"


@dataclass(frozen=True, eq=False)
class PromptComparison:
    """Prompt variants that answered about the same texts; the first is the one to beat.

    Parameters
    ----------
    prompts
        By name; the arms of the evaluation.
    evaluation
        What they answered.
    """

    prompts: Mapping[str, Prompt]
    evaluation: ReadingEvaluation

    def diff(self, a: str, b: str) -> PromptDiff:
        """Compare the wording of two variants.

        Raises
        ------
        EvaluationError
            When there is no such variant.
        """
        return prompt_diff(self.prompts[self._known(a)], self.prompts[self._known(b)])

    def disagreements(
        self,
        a: str,
        b: str,
        *,
        only: WhichExamples = "differ",
        where: Mapping[str, str] | None = None,
        contains: str | None = None,
    ) -> Disagreements:
        """Show the texts two variants answer differently about, see `disagreements`."""
        return disagreements(
            self.evaluation,
            self._known(a),
            self._known(b),
            only=only,
            where=where,
            contains=contains,
        )

    def _known(self, name: str) -> str:
        if name in self.prompts:
            return name
        raise EvaluationError(
            f"no variant {name!r}", expected=f"one of {list(self.prompts)}", fix="name one of them"
        )

    def to_frame(self) -> pd.DataFrame:
        """One row a variant.

        Returns
        -------
        DataFrame
            Columns prompt, digest, origin, estimate, ci_lower, ci_upper, difference,
            difference_lower, difference_upper, pvalue (from the first variant, paired, together),
            input_tokens and output_tokens (a thousand texts), cost_per_1000_usd, error_rate.
        """
        name, rows = self.evaluation.info.metrics[0], []
        compared = self.evaluation.compare(name)
        for arm in self.evaluation.arms:
            found = self.evaluation.estimate(arm.name, name)
            mine = self.evaluation.records[self.evaluation.records["arm"] == arm.name]
            first = arm.name == self.evaluation.info.baseline
            d = None if first else compared[arm.name].difference
            rows.append(
                {
                    "prompt": arm.name,
                    "digest": self.prompts[arm.name].digest,
                    "origin": arm.origin,
                    "estimate": found.estimate,
                    "ci_lower": found.ci_lower,
                    "ci_upper": found.ci_upper,
                    "difference": np.nan if d is None else d.difference,
                    "difference_lower": np.nan if d is None else d.ci_lower,
                    "difference_upper": np.nan if d is None else d.ci_upper,
                    "pvalue": np.nan if d is None else d.pvalue,
                    "input_tokens": 1000 * float(_all_input(mine).mean()),
                    "output_tokens": 1000 * float(mine["output_tokens"].mean()),
                    _COST: self.evaluation.estimate(arm.name, _COST).estimate,
                    "error_rate": float(mine["error"].notna().mean()),
                }
            )
        return pd.DataFrame(rows)

    def _repr_html_(self) -> str:
        how, frame = metric(self.evaluation.info.metrics[0]), self.to_frame()
        rows = ""
        for row in frame.itertuples():
            label = html.escape(self.evaluation.arm(row.prompt).label)
            bounds = [how.format(v) for v in (row.ci_lower, row.ci_upper)]
            apart = "the one to beat"
            if not np.isnan(row.difference):
                d = (row.difference, row.difference_lower, row.difference_upper)
                told = [how.format(v, signed=True) for v in d]
                apart = f"{told[0]}<br><small>[{told[1]}, {told[2]}], p = {row.pvalue:.2g}</small>"
            rows += (
                f"<tr><th scope='row'>{label}</th><td>{how.format(row.estimate)}<br>"
                f"<small>[{', '.join(bounds)}]</small></td><td>{apart}</td>"
                f"<td>{row.input_tokens:,.0f} + {row.output_tokens:,.0f}</td>"
                f"<td>{metric(_COST).format(row.cost_per_1000_usd)}</td></tr>"
            )
        first = self.evaluation.info.baseline
        head = "".join(
            f"<th>{html.escape(h)}</th>"
            for h in ("", how.title, f"From {first}", "Tokens per 1,000 in + out", "Cost per 1,000")
        )
        diffs = "".join(
            f"<details><summary>{html.escape(a)} → {html.escape(b)}</summary>"
            f"{self.diff(a, b)._repr_html_()}</details>"
            for a, b in combinations(self.prompts, 2)
            if a == first
        )
        return (
            f"<p>{self.evaluation.info.n_test:,} texts, {html.escape(self.evaluation.info.split)}."
            f"{_whose(self.evaluation)}</p><div class='scroll'><table class='wb narrow'><thead>"
            f"<tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>{diffs}"
        )


def _all_input(rows: pd.DataFrame) -> "pd.Series[float]":
    """Input tokens however they were paid for: read from a prompt cache, written to it, or new."""
    cached = rows["cache_read_input_tokens"] + rows["cache_creation_input_tokens"]
    return (rows["input_tokens"] + cached).astype(float)


def _whose(evaluation: ReadingEvaluation) -> str:
    if any(arm.simulated for arm in evaluation.arms):
        return " <b>Answers are simulated; no figure is Claude's.</b>"
    return ""


def with_validation(corpus: Corpus, share: float = 0.25, random_state: int = 0) -> Corpus:
    """Move a share of the training texts, whole groups of them, to the validation part.

    Parameters
    ----------
    corpus
        One that has no validation part: prompts must not be chosen on the test part.
    share
        Of the training texts or groups.
    random_state
        Seed.

    Raises
    ------
    EvaluationError
        When there is a validation part, or too little to learn from.
    """
    at = np.flatnonzero((corpus.part == "train").to_numpy())
    keys = corpus.X.index.to_numpy() if corpus.groups is None else corpus.groups.to_numpy()
    names = pd.unique(keys[at])
    n = round(share * len(names))
    if "validation" in corpus.sizes or not 0 < n < len(names):
        raise EvaluationError(
            f"a share of {share} of {corpus.sizes}",
            expected="a corpus without a validation part, and a share that leaves both parts some",
            fix="use the corpus as it is, or change the share",
        )
    chosen = np.random.default_rng(random_state).choice(names, size=n, replace=False)
    part = corpus.part.mask((corpus.part == "train") & np.isin(keys, chosen), "validation")
    return replace(corpus, part=part)


def checked_parts(corpus: Corpus, parts: Sequence[str]) -> None:
    """Check that a corpus has the parts prompts are to be tried on.

    Parameters
    ----------
    corpus
        The corpus.
    parts
        The parts.

    Raises
    ------
    EvaluationError
        When it lacks all of them.
    """
    if not set(parts) & set(corpus.sizes):
        raise EvaluationError(
            f"corpus {corpus.name!r} has no {' or '.join(parts)} part",
            expected=f"some of it among {corpus.sizes}",
            fix="pass with_validation(corpus), which takes some of its training texts",
        )


def compare_prompts(
    task: Task,
    corpus: Corpus,
    variants: Sequence[str | Path | Prompt],
    *,
    client: ClaudeClient,
    model: str = _MODEL,
    shots: ShotChoice = "random",
    train: Sequence[str] = ("train",),
    test: Sequence[str] = ("validation",),
    metrics: Sequence[str] | None = None,
    **evaluated: Any,
) -> PromptComparison:
    """Have several prompt variants answer about the same texts.

    Prompts are tried on the validation part, so that the test part stays unseen for the one that
    is chosen.

    Parameters
    ----------
    task
        What is asked; has fields.
    corpus
        Texts and what is true of them.
    variants
        Names of the task's variants, paths of prompt files, or prompts; the first is the one the
        others are compared with.
    client
        How Claude is reached.
    model
        Which model.
    shots
        How solved examples are chosen, where a variant shows any.
    train, test
        Parts that examples are taken from, and that is answered about.
    metrics
        As for `evaluate_readings`.
    **evaluated
        Further arguments of `evaluate_readings`, such as `n_repeats` or `random_state`.

    Raises
    ------
    EvaluationError
        When there are fewer than two variants, or two of one name, or the corpus lacks the part.
    PromptError
        When there is no such variant.
    ClaudeError
        When Claude cannot be asked; answers that arrived stay stored.
    """
    found = [task.prompt(variant) for variant in variants]
    prompts = {prompt.name: prompt for prompt in found}
    if len(found) < 2 or len(prompts) < len(found):
        raise EvaluationError(
            f"variants {[prompt.name for prompt in found]}",
            expected="two prompts or more, each of a name of its own",
            fix="name them apart, such as with dataclasses.replace(prompt, name=…)",
        )
    checked_parts(corpus, test)
    arms = {
        name: task.claude(prompt, corpus, client=client, model=model, shots=shots, arm=name)
        for name, prompt in prompts.items()
    }
    evaluation = evaluate_readings(
        task, arms, corpus, train=train, test=test, metrics=metrics, **evaluated
    )
    return PromptComparison(prompts, evaluation)


@dataclass(frozen=True, eq=False)
class ShotCurve:
    """A prompt with other numbers and kinds of solved examples, on the same texts.

    Parameters
    ----------
    prompt
        The prompt.
    points
        Number and kind by arm, in the order of the evaluation; the first is compared with.
    evaluation
        What they answered.
    """

    prompt: Prompt
    points: Mapping[str, tuple[int, ShotChoice]]
    evaluation: ReadingEvaluation

    def to_frame(self) -> pd.DataFrame:
        """One row a point: n_examples, shots, and the columns of `PromptComparison.to_frame`."""
        same = PromptComparison(dict.fromkeys(self.points, self.prompt), self.evaluation)
        frame = same.to_frame().drop(columns=["prompt", "digest"])
        frame.insert(0, "n_examples", [n for n, _ in self.points.values()])
        frame.insert(1, "shots", [kind for _, kind in self.points.values()])
        return frame

    def _repr_html_(self) -> str:
        how = metric(self.evaluation.info.metrics[0])
        rows = ""
        for row in self.to_frame().itertuples():
            low, high = how.format(row.ci_lower), how.format(row.ci_upper)
            d = (row.difference, row.difference_lower, row.difference_upper)
            told = [how.format(v, signed=True) for v in d]
            apart = "–" if np.isnan(row.difference) else f"{told[0]} [{told[1]}, {told[2]}]"
            rows += (
                f"<tr><th scope='row'>{row.n_examples} {html.escape(row.shots)}</th><td>"
                f"{how.format(row.estimate)}<br><small>[{low}, {high}]</small></td><td>{apart}</td>"
                f"<td>{metric(_COST).format(row.cost_per_1000_usd)}</td></tr>"
            )
        head = "".join(
            f"<th>{html.escape(h)}</th>"
            for h in ("Examples shown", how.title, "From the first", "Cost per 1,000")
        )
        return (
            f"<p><b>{html.escape(self.prompt.name)}</b> on {self.evaluation.info.n_test:,} texts."
            f"{_whose(self.evaluation)}</p><table class='wb narrow'><thead><tr>{head}</tr></thead>"
            f"<tbody>{rows}</tbody></table>"
        )


def compare_shots(
    task: Task,
    corpus: Corpus,
    variant: str | Path | Prompt,
    *,
    client: ClaudeClient,
    model: str = _MODEL,
    numbers: Sequence[int] = (2, 4, 8),
    kinds: Sequence[ShotChoice] = ("random", "diverse", "nearest"),
    train: Sequence[str] = ("train",),
    test: Sequence[str] = ("validation",),
    metrics: Sequence[str] | None = None,
    **evaluated: Any,
) -> ShotCurve:
    """Have one prompt answer with other numbers and kinds of solved examples.

    Parameters
    ----------
    task, corpus, client, model, train, test, metrics, **evaluated
        As for `compare_prompts`.
    variant
        A prompt that shows examples.
    numbers
        Of examples; 1 or more.
    kinds
        How they are chosen, see `ShotChoice`; from training rows only.

    Raises
    ------
    EvaluationError
        When the prompt shows no examples or a number is below 1.
    ClaudeError
        When Claude cannot be asked; answers that arrived stay stored.
    """
    prompt = task.prompt(variant)
    if not prompt.n_examples or not numbers or min(numbers) < 1 or not kinds:
        raise EvaluationError(
            f"numbers {list(numbers)} of examples in prompt {prompt.name!r}, which shows "
            f"{prompt.n_examples}",
            expected="a prompt with solved examples, and numbers of 1 or more",
            fix="name a few-shot variant",
        )
    checked_parts(corpus, test)
    points = {f"{kind}-{n}": (n, kind) for kind in kinds for n in numbers}
    arms = {
        name: task.claude(
            prompt, corpus, client=client, model=model, shots=kind, n_examples=n, arm=name
        )
        for name, (n, kind) in points.items()
    }
    evaluation = evaluate_readings(
        task, arms, corpus, train=train, test=test, metrics=metrics, **evaluated
    )
    return ShotCurve(prompt, points, evaluation)
