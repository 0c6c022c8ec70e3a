"""A task: what is asked and how it is judged, never how it is answered."""

import difflib
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, overload

import yaml
from pydantic import BaseModel

from workbench.claude import ClaudeClient
from workbench.data import AskedField, Corpus, Dataset
from workbench.errors import PromptError, SpecError
from workbench.predictors import ClaudeClassifier
from workbench.predictors.readers import STANDARD_READERS, ClaudeReader
from workbench.prompts import Prompt, read_prompt

__all__ = ["Target", "Task"]

# What the task itself gives to the predictors it makes.
_GIVEN = {
    "prompt", "answer_model", "labels", "outcome", "client", "model", "task", "fields", "meanings",
}  # fmt: skip


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
    fields
        What is asked of a text. Without fields a task asks for the probability of one outcome.
    readers
        Readers of the task's own by name, beside `STANDARD_READERS`; each is given the fields.
    """

    name: str
    version: int
    title: str
    answer_model: type[BaseModel]
    folder: Path
    metrics: tuple[str, ...]
    targets: tuple[Target, ...] = ()
    fields: tuple[AskedField, ...] = ()
    readers: Mapping[str, Callable[..., Any]] = field(default_factory=dict)

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

    def reader(self, name: str, **parameters: Any) -> Any:
        """Make one of the readers that run on this machine.

        Parameters
        ----------
        name
            One of the task's own readers or of `STANDARD_READERS`.
        **parameters
            Of that reader.

        Raises
        ------
        SpecError
            When there is no such reader, or it has no such parameter.
        """
        known = {**STANDARD_READERS, **self.readers}
        if name not in known or not self.fields:
            near = difflib.get_close_matches(name, known, n=1)
            raise SpecError(
                f"no reader {name!r}",
                where=f"task {self.name!r}",
                expected=f"one of {sorted(known)}" if self.fields else "a task with fields",
                fix=f"use {near[0]!r}" if near else "name one of them",
            )
        accepted = set(list(inspect.signature(known[name]).parameters)[1:])
        unknown = sorted(set(parameters) - accepted)
        if unknown:
            raise SpecError(
                f"unknown parameters {unknown} of reader {name!r}",
                expected=f"some of {sorted(accepted)}" if accepted else "none",
                fix="remove or correct them",
            )
        return known[name](self.fields, **parameters)

    @overload
    def claude(
        self,
        variant: str | Path | Prompt,
        data: Dataset,
        *,
        client: ClaudeClient,
        model: str = ...,
        **options: Any,
    ) -> ClaudeClassifier: ...

    @overload
    def claude(
        self,
        variant: str | Path | Prompt,
        data: Corpus,
        *,
        client: ClaudeClient,
        model: str = ...,
        **options: Any,
    ) -> ClaudeReader: ...

    def claude(
        self,
        variant: str | Path | Prompt,
        data: Dataset | Corpus,
        *,
        client: ClaudeClient,
        model: str = "claude-haiku-5-5",
        **options: Any,
    ) -> ClaudeClassifier | ClaudeReader:
        """Make the predictor that asks Claude with one of the prompt variants.

        Parameters
        ----------
        variant
            Which prompt.
        data
            A data set names the columns and what the positive class means; a corpus what its
            columns and fields mean.
        client
            How Claude is reached.
        model
            Which model.
        **options
            Further parameters of `ClaudeClassifier`, or of `ClaudeReader` for a corpus.

        Raises
        ------
        PromptError
            When there is no such variant.
        SpecError
            When an option is not a parameter of the predictor, or the task asks for something
            else than the data knows.
        """
        kind = ClaudeReader if isinstance(data, Corpus) else ClaudeClassifier
        known = set(kind.__init__.__annotations__) - {"return", *_GIVEN}
        unknown = sorted(set(options) - known)
        if unknown:
            raise SpecError(
                f"unknown parameters {unknown} of a Claude arm",
                expected=f"some of {sorted(known)}",
                fix="remove or correct them",
            )
        if isinstance(data, Corpus) != bool(self.fields):
            raise SpecError(
                f"task {self.name!r} was given the {type(data).__name__.lower()} {data.name!r}",
                expected="a corpus for a task with fields, a data set for one without",
                fix="load the kind of data the task is about",
            )
        prompt = self.prompt(variant)
        options.setdefault("arm", prompt.name)
        given: dict[str, Any] = {
            "prompt": prompt, "client": client, "model": model, "task": self.name,
        }  # fmt: skip
        if isinstance(data, Corpus):
            return ClaudeReader(
                fields=self.fields,
                answer_model=self.answer_model,
                meanings=dict(data.meanings),
                **given,
                **options,
            )
        return ClaudeClassifier(
            answer_model=self.answer_model,
            labels={c.name: c.label for c in data.card.columns if c.prompt and c.name in data.X},
            outcome=data.card.target.meaning,
            **given,
            **options,
        )
