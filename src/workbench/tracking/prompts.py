"""Prompts in MLflow's registry: versions with their figures, and aliases that must be earned.

A task has one registered prompt, named after it; its versions are the task's variants. An alias,
such as ``champion``, names one version at a time.
"""

import json
import logging
import re
import warnings
from dataclasses import asdict, dataclass
from html import escape
from typing import Any

import pandas as pd

from workbench.claude import Origin
from workbench.errors import EvaluationError, PromptError
from workbench.evaluation.readings import ReadingEvaluation
from workbench.prompts import Prompt
from workbench.settings import Settings
from workbench.tasks import load_task
from workbench.tracking.store import connect, use_experiment

__all__ = [
    "CHAMPION",
    "PromptFigures",
    "RegisteredPrompt",
    "prompt_by_alias",
    "prompt_figures",
    "prompt_versions",
    "register_prompt",
    "set_alias",
]

CHAMPION = "champion"
"""The alias of the prompt in use: only for one with figures that are not the stand-in's."""

_ALIAS = re.compile(r"^[a-z][a-z0-9_-]*$")
_FIGURES = "figures."
_NO_VERSION = re.compile(r"^v?\d+$|^latest$")


@dataclass(frozen=True, slots=True)
class PromptFigures:
    """What an evaluation says of a prompt.

    Parameters
    ----------
    metric, estimate, ci_lower, ci_upper, n
        The primary metric on the test texts.
    cost_per_1000_usd
        What a thousand answers cost.
    origin, model
        Who answered: "live", "replay", "local" or "simulated"; the model asked.
    shots
        How solved examples were chosen; None where none are shown.
    dataset, dataset_digest, created_at, git_revision
        Of the evaluation.
    """

    metric: str
    estimate: float
    ci_lower: float
    ci_upper: float
    n: int
    cost_per_1000_usd: float
    origin: str
    model: str
    shots: str | None
    dataset: str
    dataset_digest: str
    created_at: str
    git_revision: str


@dataclass(frozen=True, slots=True)
class RegisteredPrompt:
    """One version of a task's prompt.

    Parameters
    ----------
    task, version
        Which.
    prompt
        What is asked.
    aliases
        Its names.
    figures
        What evaluations say of it, one an origin.
    """

    task: str
    version: int
    prompt: Prompt
    aliases: tuple[str, ...]
    figures: tuple[PromptFigures, ...]

    def to_frame(self) -> pd.DataFrame:
        """One row an origin: version, prompt, aliases and its figures."""
        told = {
            "version": self.version,
            "prompt": self.prompt.name,
            "digest": self.prompt.digest,
            "aliases": ", ".join(self.aliases),
        }
        return pd.DataFrame([told | asdict(f) for f in self.figures] or [told])

    def _repr_html_(self) -> str:
        names = f" ({escape(', '.join(self.aliases))})" if self.aliases else ""
        return (
            f"<p><b>{escape(self.task)} version {self.version}</b>{names}: "
            f"{escape(self.prompt.name)}, {escape(self.prompt.title)}</p>"
            f"{self.to_frame().to_html(index=False, border=0)}"
        )


def prompt_figures(evaluation: ReadingEvaluation, arm: str) -> PromptFigures:
    """Take what an evaluation says of one arm's prompt.

    Parameters
    ----------
    evaluation
        The evaluation.
    arm
        One of its arms that asks Claude with one prompt.

    Raises
    ------
    EvaluationError
        When there is no such arm, or it has no prompt or no answer.
    """
    info, name = evaluation.arm(arm), evaluation.info.metrics[0]
    if info.prompt_digest is None or info.origin is None:
        raise EvaluationError(
            f"arm {arm!r} has no prompt",
            expected="an arm that asks Claude with one prompt, and was answered",
            fix="name another arm",
        )
    found = evaluation.estimate(arm, name)
    shown = info.parameters.get("shots")
    return PromptFigures(
        metric=name,
        estimate=found.estimate,
        ci_lower=found.ci_lower,
        ci_upper=found.ci_upper,
        n=found.n,
        cost_per_1000_usd=evaluation.estimate(arm, "cost_per_1000_usd").estimate,
        origin=info.origin,
        model=info.model,
        shots=shown if "solved examples" in info.description else None,
        dataset=evaluation.info.dataset,
        dataset_digest=evaluation.info.dataset_digest,
        created_at=evaluation.info.created_at,
        git_revision=evaluation.info.git_revision,
    )


def register_prompt(
    task: str,
    prompt: Prompt,
    evaluation: ReadingEvaluation | None = None,
    arm: str | None = None,
    *,
    alias: str | None = None,
    settings: Settings,
) -> RegisteredPrompt:
    """Register a variant as a version of its task's prompt.

    A prompt that sends the same as a version before gets no new one. Figures are kept one an
    origin, the newest; simulated ones never stand in for others.

    Parameters
    ----------
    task
        Name of the task.
    prompt
        The variant.
    evaluation, arm
        Where it was measured, and as which arm.
    alias
        A name it is to have from now on, see `set_alias`.
    settings
        Where MLflow keeps things.

    Raises
    ------
    EvaluationError
        When the arm was asked with another prompt, the evaluation is of another task, or the alias
        is not earned; nothing is registered then.
    SpecError
        When there is no such task.
    """
    load_task(task)
    figures = None
    if evaluation is not None:
        figures = _figures_of(task, prompt, evaluation, arm or prompt.name)
    mlflow = _connected(settings)
    known = _versions(mlflow, task)
    before = next((v for v in known if v.prompt.digest == prompt.digest), None)
    if alias is not None:
        kept = before.figures if before else ()
        _check_alias(task, alias, prompt.name, [f for f in (*kept, figures) if f is not None])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        # MLflow ties a new prompt to the active experiment.
        use_experiment(mlflow, task, settings)
        version = before.version if before else _register(mlflow, task, prompt)
        client = mlflow.MlflowClient()
        if figures is not None:
            key = f"{_FIGURES}{figures.origin}"
            client.set_prompt_version_tag(task, version, key, json.dumps(asdict(figures)))
            origins = {f.origin for f in (*(before.figures if before else ()), figures)}
            client.set_prompt_version_tag(task, version, "origins", ", ".join(sorted(origins)))
        if alias is not None:
            mlflow.genai.set_prompt_alias(task, alias=alias, version=version)
    return _found(_versions(mlflow, task), task, version)


def set_alias(task: str, alias: str, version: int, *, settings: Settings) -> RegisteredPrompt:
    """Move an alias to a version.

    Parameters
    ----------
    task
        Name of the task.
    alias
        Lower-case letters, digits, `_` and `-`; `champion` is the prompt in use.
    version
        A registered version with a recorded evaluation; for `champion` one that was not simulated.
    settings
        Where MLflow keeps things.

    Raises
    ------
    PromptError
        When there is no such version, or the alias is malformed.
    EvaluationError
        When the version has not earned the alias.
    """
    mlflow = _connected(settings)
    chosen = _found(_versions(mlflow, task), task, version)
    _check_alias(task, alias, chosen.prompt.name, chosen.figures)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        mlflow.genai.set_prompt_alias(task, alias=alias, version=version)
    return _found(_versions(mlflow, task), task, version)


def prompt_by_alias(task: str, alias: str, *, settings: Settings) -> RegisteredPrompt:
    """Find the version that has an alias.

    Parameters
    ----------
    task
        Name of the task.
    alias
        The alias.
    settings
        Where MLflow keeps things.

    Raises
    ------
    PromptError
        When no version has it, or what is stored is not what was registered.
    """
    known = _versions(_connected(settings), task)
    for version in known:
        if alias in version.aliases:
            return version
    raise PromptError(
        f"no prompt has the alias {alias!r}",
        where=f"task {task!r}",
        expected=f"one of {sorted({a for v in known for a in v.aliases})}",
        fix="set it with set_alias, or `workbench prompts alias`",
    )


def prompt_versions(task: str, *, settings: Settings) -> list[RegisteredPrompt]:
    """List the versions of a task's prompt, the newest first.

    Parameters
    ----------
    task
        Name of the task.
    settings
        Where MLflow keeps things.

    Raises
    ------
    PromptError
        When what is stored is not what was registered.
    """
    return _versions(_connected(settings), task)


def _figures_of(
    task: str, prompt: Prompt, evaluation: ReadingEvaluation, arm: str
) -> PromptFigures:
    info = evaluation.arm(arm)
    asked = info.prompt_digest
    shown = info.parameters.get("n_examples", "None")
    if shown not in ("None", str(prompt.n_examples)):
        raise EvaluationError(
            f"arm {arm!r} showed {shown} examples",
            expected=f"{prompt.n_examples}, as the prompt {prompt.name!r} says",
            fix="register dataclasses.replace(prompt, n_examples=…), measured under that",
        )
    if evaluation.info.task != task or asked != prompt.digest:
        raise EvaluationError(
            f"arm {arm!r} of task {evaluation.info.task!r} was asked with prompt {asked}",
            expected=f"task {task!r} and the prompt {prompt.name!r}, {prompt.digest}",
            fix="pass the evaluation and the arm that this prompt was measured in",
        )
    return prompt_figures(evaluation, arm)


def _check_alias(
    task: str, alias: str, name: str, figures: "list[PromptFigures] | tuple[PromptFigures, ...]"
) -> None:
    if not _ALIAS.match(alias) or _NO_VERSION.match(alias):
        raise PromptError(
            f"alias {alias!r}",
            where=f"task {task!r}",
            expected="lower-case letters, digits, _ and -, and neither a version nor 'latest'",
            fix="choose another name",
        )
    if not figures:
        raise EvaluationError(
            f"prompt {name!r} has no recorded evaluation",
            where=f"task {task!r}, alias {alias!r}",
            expected="figures on a test set before a prompt gets an alias",
            fix="register it with its evaluation: register_prompt(task, prompt, evaluation, arm)",
        )
    if alias == CHAMPION and all(f.origin == Origin.SIMULATED for f in figures):
        raise EvaluationError(
            f"every figure of prompt {name!r} is simulated and says nothing about Claude",
            where=f"task {task!r}, alias {alias!r}",
            expected="answers that are live, replayed or of an endpoint of your own",
            fix="evaluate it with ANTHROPIC_API_KEY set, or take another alias",
        )


def _connected(settings: Settings) -> Any:
    mlflow = connect(settings)
    # MLflow logs migrations and look-ups of prompts as if they were news.
    logging.getLogger("alembic").setLevel(logging.WARNING)
    logging.getLogger("mlflow").setLevel(logging.ERROR)
    return mlflow


def _register(mlflow: Any, task: str, prompt: Prompt) -> int:
    made = mlflow.genai.register_prompt(
        name=task,
        template=[
            {"role": "system", "content": prompt.system},
            {"role": "user", "content": prompt.user},
        ],
        commit_message=prompt.title,
        tags={
            "prompt": prompt.name,
            "strategy": prompt.strategy,
            "n_examples": str(prompt.n_examples),
            "variables": json.dumps(prompt.variables),
            "digest": prompt.digest,
        },
    )
    return int(made.version)


def _versions(mlflow: Any, task: str) -> list[RegisteredPrompt]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        client = mlflow.MlflowClient()
        if client.get_prompt(task) is None:
            return []
        found: list[Any] = []
        token: str | None = None
        while True:
            page = client.search_prompt_versions(task, page_token=token)
            found += list(getattr(page, "prompt_versions", page))
            token = getattr(page, "token", None) or None
            if token is None:
                break
        numbers = sorted((int(v.version) for v in found), reverse=True)
        return [_read(task, client.get_prompt_version(task, n)) for n in numbers]


def _read(task: str, version: Any) -> RegisteredPrompt:
    tags, parts = version.tags, {p["role"]: p["content"] for p in version.template}
    prompt = Prompt(
        name=tags["prompt"],
        title=version.commit_message or tags["prompt"],
        strategy=tags["strategy"],
        system=parts["system"],
        user=parts["user"],
        variables=tuple(json.loads(tags["variables"])),
        n_examples=int(tags["n_examples"]),
    )
    if prompt.digest != tags["digest"]:
        raise PromptError(
            f"version {version.version} has digest {prompt.digest}",
            where=f"task {task!r}",
            expected=f"{tags['digest']}, as it was registered",
            fix="register the prompt again; somebody changed the stored one",
        )
    figures = [
        PromptFigures(**json.loads(text))
        for key, text in sorted(tags.items())
        if key.startswith(_FIGURES)
    ]
    return RegisteredPrompt(
        task, int(version.version), prompt, tuple(sorted(version.aliases)), tuple(figures)
    )


def _found(known: list[RegisteredPrompt], task: str, version: int) -> RegisteredPrompt:
    for one in known:
        if one.version == version:
            return one
    raise PromptError(
        f"no version {version}",
        where=f"task {task!r}",
        expected=f"one of {[v.version for v in known]}" if known else "a registered prompt",
        fix="register it with register_prompt, or `workbench prompts register`",
    )
