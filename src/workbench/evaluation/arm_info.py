"""What an arm is, read off the fitted estimator and its records."""

from collections.abc import Sequence
from typing import Any

import pandas as pd

from workbench.evaluation.evaluation import ArmInfo
from workbench.predictors import (
    BlendedClassifier,
    CalibratedClassifier,
    CascadeClassifier,
    CascadePolicy,
    ClaudeClassifier,
    ConformalPolicy,
    FallbackClassifier,
    GainPolicy,
    SignalledClassifier,
    UncertaintyPolicy,
    answering,
)

__all__ = ["arm_info"]


def arm_info(name: str, fitted: Any, records: pd.DataFrame, fit_s: float) -> ArmInfo:
    """Describe a fitted arm.

    Parameters
    ----------
    name
        Of the arm.
    fitted
        The estimator.
    records : DataFrame
        The arm's.
    fit_s
        Seconds to fit it.
    """
    asked: pd.DataFrame = getattr(fitted, "fit_answers_", pd.DataFrame())
    claude = isinstance(fitted, ClaudeClassifier)
    cascade = isinstance(fitted, CascadeClassifier)
    digests = records["prompt_digest"].dropna().unique()
    model = (
        " + ".join(_parts(records["model_requested"]))
        if answering(fitted)
        else type(getattr(fitted, "steps", [("", fitted)])[-1][1]).__name__
    )
    # Thresholds fitted on simulated answers are simulated, whoever answered the test part.
    origin = _origin(records) or _origin(asked)
    labels = [
        f"sim:{member}" if origin == "simulated" and answering(estimator) else member
        for member, estimator in getattr(fitted, "estimators", ())
    ]
    kind, description = _description(fitted, records, model, labels)
    return ArmInfo(
        name=name,
        kind=kind,
        description=description,
        origin=origin,
        model=model,
        strategy=fitted.prompt.strategy if claude else None,
        prompt=fitted.prompt.name if claude else None,
        prompt_digest=digests[0] if len(digests) and kind in ("claude", "ensemble") else None,
        fit_s=fit_s,
        fit_cost_usd=float(asked["cost_usd"].sum()) if len(asked) else 0.0,
        n_fit_answers=len(asked),
        parameters=_parameters(fitted),
        members=tuple(member for member, _ in getattr(fitted, "estimators", ())),
        policy=_policy(fitted.policy, labels[0]) if cascade else None,
        threshold=fitted.threshold_ if cascade else None,
    )


def _description(
    fitted: Any, records: pd.DataFrame, model: str, members: Sequence[str]
) -> tuple[str, str]:
    if isinstance(fitted, CascadeClassifier):
        policy = _policy(fitted.policy, members[0])
        first, last = " and ".join(members[:-1]), members[-1]
        return "cascade", f"cascade: {first}, then {last}; {policy}"
    if isinstance(fitted, FallbackClassifier):
        return "cascade", f"{members[0]}; where it fails, {' and then '.join(members[1:])}"
    if isinstance(fitted, ClaudeClassifier):
        asked_of = model
        if _origin(records) == "simulated":
            answered = ", ".join(sorted(records["model_answered"].dropna().unique()))
            asked_of = f"simulated reader ({answered}) in place of {model}"
        return "claude", f"{asked_of}, prompt {fitted.prompt.name!r}"
    if isinstance(fitted, SignalledClassifier):
        inner = type(getattr(fitted.estimator, "steps", [("", fitted.estimator)])[-1][1]).__name__
        reader = "simulated reader in place of " if _origin(records) == "simulated" else ""
        return "ensemble", (
            f"{inner} with signals read by {reader}{model}, prompt {fitted.signals.prompt.name!r}"
        )
    if answering(fitted):
        how = {BlendedClassifier: "blend of", CalibratedClassifier: "calibrated"}
        return "ensemble", f"{how.get(type(fitted), 'stack of')} {', '.join(members) or model}"
    return "model", model


def _policy(policy: CascadePolicy, first: str) -> str:
    """Say when the last member is asked."""
    if isinstance(policy, ConformalPolicy):
        return f"deferred by conformal prediction, so that {policy.guarantee(first)}"
    if isinstance(policy, UncertaintyPolicy):
        where = "where the first is likely wrong"
    elif isinstance(policy, GainPolicy):
        where = "where the last is expected to gain most"
    elif policy.between == "members":
        where = "where the first two differ"
    else:
        where = f"where {policy.n_repeats} answers of the first differ"
    goals = (
        (policy.max_share, "at most {:.0%} of the rows"),
        (policy.max_cost_per_1000_usd, "within ${:,.2f} per 1,000"),
        (policy.usd_per_correct, "as far as a right decision at ${:,.2f} pays for it"),
        (policy.threshold, "above {:g}"),
    )
    goal = next(text.format(value) for value, text in goals if value is not None)
    return f"escalated {where}, {goal}"


def _parts(column: pd.Series) -> list[str]:
    """Distinct names in a column whose joined answers have several."""
    names = {part for text in column.dropna().unique() for part in str(text).split(" + ")}
    return sorted(names - {"-"})


def _origin(records: pd.DataFrame) -> str | None:
    if not len(records):
        return None
    return next(iter(records["origin"].dropna().unique()), None)


def _parameters(estimator: Any) -> dict[str, str]:
    # Plain values only: nested estimators, prompts and clients have no stable text.
    plain = (str, int, float, bool, type(None))
    return {k: str(v) for k, v in estimator.get_params().items() if isinstance(v, plain)}
