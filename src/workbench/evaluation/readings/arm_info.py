"""What an arm that reads texts is, read off the fitted reader and its records."""

from typing import Any

import pandas as pd

from workbench.evaluation.evaluation import ArmInfo
from workbench.evaluation.readings.records import asking
from workbench.predictors.readers import ClaudeReader

__all__ = ["reader_info"]


def reader_info(name: str, fitted: Any, records: pd.DataFrame, fit_s: float) -> ArmInfo:
    """Describe a fitted reader.

    Parameters
    ----------
    name
        Of the arm.
    fitted
        The reader.
    records : DataFrame
        The arm's.
    fit_s
        Seconds to fit it.
    """
    claude = isinstance(fitted, ClaudeReader)
    origin = next(iter(records["origin"].dropna().unique()), None)
    digests = records["prompt_digest"].dropna().unique()
    members = tuple(member for member, _ in getattr(fitted, "readers", ()))
    asks = asking(fitted)
    model = _model(fitted, records) if asks else type(fitted).__name__
    return ArmInfo(
        name=name,
        kind="claude" if claude else "ensemble" if asks else "model",
        description=_description(fitted, records, model, origin, members),
        origin=origin,
        model=model,
        strategy=fitted.prompt.strategy if claude else None,
        prompt=fitted.prompt.name if claude else None,
        prompt_digest=str(digests[0]) if claude and len(digests) else None,
        fit_s=fit_s,
        fit_cost_usd=0.0,
        n_fit_answers=0,
        parameters=_parameters(fitted),
        members=members,
    )


def _model(fitted: Any, records: pd.DataFrame) -> str:
    names = {
        part
        for text in records["model_requested"].dropna().unique()
        for part in str(text).split(" + ")
    }
    return " + ".join(sorted(names - {"-"})) or type(fitted).__name__


def _description(
    fitted: Any, records: pd.DataFrame, model: str, origin: str | None, members: tuple[str, ...]
) -> str:
    if isinstance(fitted, ClaudeReader):
        asked_of = model
        if origin == "simulated":
            answered = ", ".join(sorted(records["model_answered"].dropna().unique()))
            asked_of = f"simulated reader ({answered}) in place of {model}"
        shown = len(fitted.examples_) or (fitted.prompt.n_examples and "the nearest")
        shots = f", {shown} solved examples ({fitted.shots})" if shown else ""
        return f"{asked_of}, prompt {fitted.prompt.name!r}{shots}"
    if members:
        by = f", partly by a simulated reader in place of {model}" if origin == "simulated" else ""
        return f"blend of {', '.join(members)}{by}"
    inner = getattr(fitted, "estimators_", {})
    parts = [f"{field}: {_class_of(e)}" for field, e in inner.items()]
    return "; ".join(parts) or type(fitted).__name__


def _class_of(estimator: Any) -> str:
    steps = getattr(estimator, "steps", None)
    return " → ".join(type(s).__name__ for _, s in steps) if steps else type(estimator).__name__


def _parameters(estimator: Any) -> dict[str, str]:
    # Plain values only: nested estimators, prompts and clients have no stable text.
    plain = (str, int, float, bool, type(None))
    return {k: str(v) for k, v in estimator.get_params(deep=False).items() if isinstance(v, plain)}
