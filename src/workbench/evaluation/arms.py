"""From a spec's arms to estimators."""

import importlib
import inspect
import sys
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from workbench.claude import ClaudeClient
from workbench.data import Dataset
from workbench.errors import SpecError
from workbench.evaluation.spec import (
    COMPOSITES,
    ArmSpec,
    BlendedArm,
    CalibratedArm,
    CascadeArm,
    ClaudeArm,
    FallbackArm,
    ModelArm,
    OwnArm,
    RunSpec,
    SignalledArm,
    StackedArm,
)
from workbench.predictors import (
    AdditiveClassifier,
    BlendedClassifier,
    BoostedClassifier,
    CalibratedClassifier,
    CascadeClassifier,
    FallbackClassifier,
    SignalledClassifier,
    StackedClassifier,
    logistic_baseline,
    prior_baseline,
    tabular_ensemble,
)
from workbench.prompts import read_prompt
from workbench.tasks import Task
from workbench.tasks.behaviour.signals import behaviour_signals

__all__ = ["build_arms", "call_factory", "find_factory"]

_MODELS: Mapping[str, Callable[..., Any]] = {
    "prior": prior_baseline,
    "logistic": logistic_baseline,
    "boosted": BoostedClassifier,
    "additive": AdditiveClassifier,
    "ensemble": tabular_ensemble,
}


def build_arms(
    spec: RunSpec, task: Task, dataset: Dataset, client: ClaudeClient, *, folder: Path
) -> dict[str, Any]:
    """Make the estimators a spec names.

    Parameters
    ----------
    spec
        The run spec.
    task, dataset
        What is asked, on what.
    client
        Shared by every arm that asks Claude.
    folder
        Folder of the spec: prompt paths and factories are looked up from here.

    Returns
    -------
    dict of str to estimator
        In the spec's order.

    Raises
    ------
    SpecError
        When a parameter is unknown, or a factory cannot be imported or does not make a
        classifier.
    PromptError
        When a prompt does not exist or is malformed.
    PriceError
        When a model has no price.
    """
    made: dict[str, Any] = {}
    for name, arm in spec.arms.items():
        if not isinstance(arm, COMPOSITES):
            made[name] = _build(name, arm, spec, task, dataset, client, folder)
    # Each kind is made of those before it.
    for kind in COMPOSITES:
        for name, arm in spec.arms.items():
            if isinstance(arm, kind):
                made[name] = _compose(name, arm, made)
    return {name: made[name] for name in spec.arms}


_ENSEMBLES: Mapping[str, Callable[..., Any]] = {
    "stacked": StackedClassifier,
    "blended": BlendedClassifier,
    "fallback": FallbackClassifier,
}


def _compose(
    name: str,
    arm: StackedArm | BlendedArm | CalibratedArm | CascadeArm | FallbackArm,
    made: Mapping[str, Any],
) -> Any:
    members = [(member, made[member]) for member in arm.members]
    if isinstance(arm, CascadeArm):
        return call_factory(name, CascadeClassifier, arm.parameters, members, arm.policy)
    if isinstance(arm, CalibratedArm):
        return call_factory(name, CalibratedClassifier, arm.parameters, members[0][1])
    return call_factory(name, _ENSEMBLES[arm.kind], arm.parameters, members)


def _build(
    name: str,
    arm: ArmSpec,
    spec: RunSpec,
    task: Task,
    dataset: Dataset,
    client: ClaudeClient,
    folder: Path,
) -> Any:
    if isinstance(arm, ModelArm):
        return call_factory(name, _MODELS[arm.kind], arm.parameters)
    if isinstance(arm, SignalledArm):
        client.prices.price(arm.model or spec.model, datetime.now(UTC).date())
        signals = behaviour_signals(
            dataset,
            client=client,
            variant=read_prompt(folder / arm.prompt) if arm.prompt.endswith(".md") else arm.prompt,
            model=arm.model or spec.model,
            task=task.name,
            arm=name,
        )
        return SignalledClassifier(
            call_factory(name, _MODELS[arm.estimator], arm.parameters), signals
        )
    if isinstance(arm, ClaudeArm):
        taken = sorted({"arm", "model"} & set(arm.parameters))
        if taken:
            raise SpecError(
                f"{taken} cannot be parameters of a Claude arm",
                where=f"arm {name!r}",
                expected="the arm's name as its key, and `model` beside `prompt`",
                fix="move them out of `parameters`",
            )
        variant = folder / arm.prompt if arm.prompt.endswith(".md") else arm.prompt
        # A model without a price is told before any arm is fitted.
        client.prices.price(arm.model or spec.model, datetime.now(UTC).date())
        return task.claude(
            variant,
            dataset,
            client=client,
            model=arm.model or spec.model,
            arm=name,
            **arm.parameters,
        )
    assert isinstance(arm, OwnArm)  # noqa: S101 - the union's last member
    return call_factory(name, find_factory(name, arm.factory, folder), arm.parameters)


def find_factory(name: str, reference: str, folder: Path) -> Callable[..., Any]:
    """Import a function of the user's own.

    Parameters
    ----------
    name
        Of the arm it makes.
    reference
        ``package.module:function``, importable or beside the spec.
    folder
        Of the spec.

    Raises
    ------
    SpecError
        When it cannot be imported, or there is no such function.
    """
    module_name, attribute = reference.split(":")
    # A factory may stand beside the spec, as a script's modules stand beside the script.
    sys.path.insert(0, str(folder))
    try:
        module = importlib.import_module(module_name)
    except Exception as error:
        raise SpecError(
            f"the factory {reference!r} cannot be imported: {type(error).__name__}: {error}",
            where=f"arm {name!r}",
            expected="package.module:function, importable or beside the spec",
            fix="correct the name or install the package",
        ) from error
    finally:
        sys.path.remove(str(folder))
    found = getattr(module, attribute, None)
    if not callable(found):
        raise SpecError(
            f"{module_name!r} has no function {attribute!r}",
            where=f"arm {name!r}",
            expected=f"one of {sorted(n for n in vars(module) if not n.startswith('_'))}",
            fix="correct the name after the colon",
        )
    made: Callable[..., Any] = found
    return made


def call_factory(
    name: str,
    make: Callable[..., Any],
    parameters: Mapping[str, Any],
    *positional: Any,
) -> Any:
    """Call what makes an estimator.

    Parameters
    ----------
    name
        Of the arm it makes.
    make
        Class or function.
    parameters
        As the spec gives them.
    *positional
        What comes before them.

    Raises
    ------
    SpecError
        When it takes no parameter of that name.
    """
    accepted = inspect.signature(make).parameters
    anything = any(p.kind is inspect.Parameter.VAR_KEYWORD for p in accepted.values())
    taken = set(list(accepted)[: len(positional)])
    unknown = sorted(set(parameters) - (set(accepted) - taken))
    if unknown and not anything:
        raise SpecError(
            f"unknown parameters {unknown}",
            where=f"arm {name!r}",
            expected=f"some of {sorted(set(accepted) - taken)}",
            fix="remove or correct them",
        )
    return make(*positional, **parameters)
