"""A task: what is asked and how it is judged, never how it is answered."""

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel

from workbench.claude import ClaudeClient
from workbench.data import Dataset
from workbench.errors import PromptError, SpecError
from workbench.predictors import ClaudeClassifier
from workbench.prompts import Prompt, read_prompt

__all__ = ["Target", "Task"]

# What the task itself gives to the predictors it makes.
_GIVEN = {"prompt", "answer_model", "labels", "outcome", "client", "model", "task"}


@dataclass(frozen=True, slots=True)
class Target:
    """A figure somebody claims for a task.

    Parameters
    ----------
    metric
        Name of the metric.
    value
        What is claimed; reached when the metric is at least (or, where less is better, at
        most) this.
    claim
        Who claims it, in words.
    """

    metric: str
    value: float
    claim: str


@dataclass(frozen=True)
class Task:
    """One capability under evaluation.

    Parameters
    ----------
    name
        Identifier; the folder's name.
    version
        Rises whenever data, schema or scorer change what a figure means; two versions are
        never compared.
    title
        One line for people.
    answer_model
        Schema of a model's answer.
    folder
        Where `prompts/*.md`, `strategies.yaml` and `card.md` are.
    metrics
        Names of the metrics, the primary one first.
    targets
        Claimed figures the report holds against the measured ones.
    """

    name: str
    version: int
    title: str
    answer_model: type[BaseModel]
    folder: Path
    metrics: tuple[str, ...]
    targets: tuple[Target, ...] = ()

    @cached_property
    def prompts(self) -> Mapping[str, Prompt]:
        """The task's own prompt variants by name."""
        found = (read_prompt(path) for path in sorted((self.folder / "prompts").glob("*.md")))
        return {prompt.name: prompt for prompt in found}

    @cached_property
    def card(self) -> str:
        """The task's card, Markdown."""
        return (self.folder / "card.md").read_text(encoding="utf-8")

    @cached_property
    def default_arms(self) -> Mapping[str, Any]:
        """The arms and the baseline a spec gets when it names none."""
        text = (self.folder / "strategies.yaml").read_text(encoding="utf-8")
        loaded: Mapping[str, Any] = yaml.safe_load(text)
        return loaded

    def prompt(self, variant: str | Path | Prompt) -> Prompt:
        """Find a prompt variant.

        Parameters
        ----------
        variant
            Name of one of the task's variants, a path to a prompt file of your own, or a
            prompt.

        Raises
        ------
        PromptError
            When there is no such variant or the file is malformed.
        """
        if isinstance(variant, Prompt):
            return variant
        if isinstance(variant, Path):
            return read_prompt(variant)
        if variant in self.prompts:
            return self.prompts[variant]
        near = difflib.get_close_matches(variant, self.prompts, n=1)
        raise PromptError(
            f"no prompt variant {variant!r}",
            where=f"task {self.name!r}",
            expected=f"one of {sorted(self.prompts)} or a path ending in .md",
            fix=f"use {near[0]!r}" if near else "name one of them",
        )

    def claude(
        self,
        variant: str | Path | Prompt,
        dataset: Dataset,
        *,
        client: ClaudeClient,
        model: str = "claude-haiku-5-5",
        **options: Any,
    ) -> ClaudeClassifier:
        """Make the predictor that asks Claude with one of the prompt variants.

        Parameters
        ----------
        variant
            Which prompt.
        dataset
            Names the columns and what the positive class means.
        client
            How Claude is reached.
        model
            Which model.
        **options
            Further parameters of `ClaudeClassifier`.

        Raises
        ------
        PromptError
            When there is no such variant.
        SpecError
            When an option is not a parameter of `ClaudeClassifier`.
        """
        known = set(ClaudeClassifier.__init__.__annotations__) - {"return", *_GIVEN}
        unknown = sorted(set(options) - known)
        if unknown:
            raise SpecError(
                f"unknown parameters {unknown} of a Claude arm",
                expected=f"some of {sorted(known)}",
                fix="remove or correct them",
            )
        prompt = self.prompt(variant)
        options.setdefault("arm", prompt.name)
        return ClaudeClassifier(
            prompt=prompt,
            answer_model=self.answer_model,
            labels={
                c.name: c.label for c in dataset.card.columns if c.prompt and c.name in dataset.X
            },
            outcome=dataset.card.target.meaning,
            client=client,
            model=model,
            task=self.name,
            **options,
        )
