"""Search for better parameters, and say what the search is honestly worth."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from html import escape
from typing import Any, Literal, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.base import clone
from sklearn.metrics import roc_auc_score

from workbench.errors import PredictorError
from workbench.predictors.checking import checked_labels
from workbench.predictors.fitting import positive_probability
from workbench.predictors.training import Training
from workbench.stats import brier_scores, log_losses

__all__ = ["Between", "Trial", "Tuning", "tune"]

Scoring = Literal["log_loss", "brier", "roc_auc"]


class Between(NamedTuple):
    """A range of numbers to search: whole numbers when both ends are.

    Examples
    --------
    >>> Between(4, 64, log=True).low
    4
    """

    low: float
    high: float
    log: bool = False


Space = Mapping[str, Between | tuple[Any, ...]]


class Trial(NamedTuple):
    """One trial: its parameters and score; `state` is "complete", "pruned" or "failed"."""

    number: int
    parameters: dict[str, Any]
    score: float
    state: str
    duration_s: float


@dataclass(frozen=True, eq=False)
class Tuning:
    """What a search found.

    Attributes
    ----------
    scoring
        What was optimised: "log_loss", "brier" (lower is better) or "roc_auc" (higher is).
    trials
        Every trial, in order; trial 0 has the estimator's own parameters, where the space holds
        them.
    best_parameters
        Of the best complete trial.
    best_score
        Its mean over the folds that chose it: too good, the more so the more trials there were.
    held_out_score
        Of the best trial, refitted on the rows the search saw, on rows it never saw.
    default_held_out_score
        Of the estimator's own parameters, on the same rows.
    best_estimator
        Fitted on every row with the best parameters.
    n_search, n_held_out
        Rows of either part.
    """

    scoring: Scoring
    trials: tuple[Trial, ...]
    best_parameters: dict[str, Any]
    best_score: float
    held_out_score: float
    default_held_out_score: float
    best_estimator: Any
    n_search: int
    n_held_out: int

    @property
    def optimism(self) -> float:
        """By how much the search's own score flatters the winner; negative by chance only."""
        sign = -1.0 if self.scoring == "roc_auc" else 1.0
        return sign * (self.held_out_score - self.best_score)

    def to_frame(self) -> pd.DataFrame:
        """One row a trial, its parameters as columns, the best first."""
        rows = [
            {"trial": t.number, "score": t.score, "state": t.state, "duration_s": t.duration_s}
            | t.parameters
            for t in self.trials
        ]
        ascending = self.scoring != "roc_auc"
        return pd.DataFrame(rows).sort_values(
            "score", ascending=ascending, ignore_index=True, kind="stable"
        )

    def _repr_html_(self) -> str:
        said = (
            f"Best of {len(self.trials)} trials: {self.scoring} {self.best_score:.4f} on the folds "
            f"that chose it, {self.held_out_score:.4f} on {self.n_held_out:,} rows the search "
            f"never saw (optimism {self.optimism:+.4f}; untuned {self.default_held_out_score:.4f})"
        )
        return f"<div><b>{escape(said)}</b>{self.to_frame().head(10).to_html(index=False)}</div>"


def tune(
    estimator: Any,
    space: Space,
    X: pd.DataFrame,
    y: ArrayLike,
    *,
    groups: NDArray[Any] | None = None,
    as_of: NDArray[Any] | None = None,
    n_trials: int = 40,
    timeout_s: float | None = None,
    scoring: Scoring = "log_loss",
    n_splits: int = 4,
    prune: bool = True,
    on_trial: Callable[[Trial], None] | None = None,
    random_state: int = 0,
) -> Tuning:
    """Search an estimator's parameters with Optuna's TPE sampler, seeded and in memory.

    A fifth of the rows (the latest, where time counts; whole groups) is held out before the
    search starts, and only the winner and the estimator's own parameters are ever judged there.
    Trials are scored on folds of the others that respect groups and time. A trial that is worse
    than the median of those before it after as many folds is pruned.

    Parameters
    ----------
    estimator
        A classifier with `predict_proba`; it is not changed.
    space : mapping of str to Between or tuple
        Ranges, and tuples of choices, by parameter name; ``member__parameter`` as in scikit-learn.
    X : DataFrame of shape (n_samples, n_features)
    y : array-like of shape (n_samples,)
        Two classes.
    groups, as_of : ndarray of shape (n_samples,), optional
        What belongs together, and when.
    n_trials, timeout_s
        Limits of the search; the trial running at the time limit is finished. A time limit
        makes the number of trials depend on the machine.
    scoring
        "log_loss", "brier" or "roc_auc".
    n_splits
        Folds of a trial.
    prune
        Whether hopeless trials end early.
    on_trial
        Called with each trial when it ends, for logging.
    random_state
        Seed of the sampler and the folds.

    Raises
    ------
    PredictorError
        When the space is empty or names no parameter, `scoring` or a limit is wrong, or no trial
        could be completed.
    DataError
        When the folds cannot hold both classes.

    References
    ----------
    Bergstra et al. (2011), NeurIPS; Akiba et al. (2019), KDD; why the winner's own score
    flatters: Cawley & Talbot (2010), JMLR 11:2079-2107.

    Examples
    --------
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> rng = np.random.default_rng(0)
    >>> X = pd.DataFrame({"n": rng.normal(size=400), "noise": rng.normal(size=400)})
    >>> y = (X["n"] + rng.normal(size=400) > 0).astype(int)
    >>> tree = DecisionTreeClassifier(random_state=0)
    >>> found = tune(tree, {"max_depth": Between(1, 8)}, X, y, n_trials=8)
    >>> found.best_score < found.trials[0].score  # better than a full-grown tree
    True
    """
    _check(estimator, space, scoring, n_trials, timeout_s)
    _, labels = checked_labels(y, X)
    whole = Training(X, labels, groups, as_of)
    search, held_out = whole.folds(5, random_state)[-1]
    part = whole.take(search)
    folds = part.folds(n_splits, random_state)

    def score(chosen: dict[str, Any], trial: Any) -> float:
        candidate = clone(estimator).set_params(**chosen)
        return _cross_validated(candidate, part, folds, scoring, trial if prune else None)

    own = {k: v for k, v in estimator.get_params().items() if k in space}
    done = _searched(
        score, space, own, scoring,
        limits={"n_trials": n_trials, "timeout": timeout_s},
        on_trial=on_trial, random_state=random_state,
    )  # fmt: skip
    complete = [t for t in done if t.state == "complete"]
    if not complete:
        raise PredictorError(
            f"none of {len(done)} trials could be completed",
            expected="at least one set of parameters the estimator can be fitted with",
            fix="fit the estimator by hand to see why, or give the search more time",
        )
    best = (max if scoring == "roc_auc" else min)(complete, key=lambda t: t.score)
    winner = clone(estimator).set_params(**best.parameters)
    return Tuning(
        scoring=scoring,
        trials=tuple(done),
        best_parameters=best.parameters,
        best_score=best.score,
        held_out_score=_score(winner, whole, search, held_out, scoring),
        default_held_out_score=_score(estimator, whole, search, held_out, scoring),
        best_estimator=whole.fitted([("", winner)])[0][1],
        n_search=len(search),
        n_held_out=len(held_out),
    )


def _searched(
    score: Callable[[dict[str, Any], Any], float],
    space: Space,
    own: dict[str, Any],
    scoring: Scoring,
    *,
    limits: dict[str, Any],
    on_trial: Callable[[Trial], None] | None,
    random_state: int,
) -> list[Trial]:
    """Run the trials, the estimator's own parameters first where the space holds them."""
    import optuna

    done: list[Trial] = []

    def objective(trial: Any) -> float:
        return score({k: _suggested(trial, k, among) for k, among in space.items()}, trial)

    def note(_: Any, frozen: Any) -> None:
        done.append(_trial(frozen))
        if on_trial is not None:
            on_trial(done[-1])

    # The logger is the process's: it gets back the level it had.
    verbosity = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        study = optuna.create_study(
            direction="maximize" if scoring == "roc_auc" else "minimize",
            sampler=optuna.samplers.TPESampler(seed=random_state),
            pruner=optuna.pruners.MedianPruner(n_startup_trials=5, n_warmup_steps=1),
        )
        if all(_within(own[name], among) for name, among in space.items()):
            study.enqueue_trial(own)
        # What an estimator cannot be fitted with is a failed trial, not the end of the search.
        study.optimize(objective, callbacks=[note], catch=(ValueError, ArithmeticError), **limits)
    finally:
        optuna.logging.set_verbosity(verbosity)
    return done


def _check(
    estimator: Any, space: Space, scoring: str, n_trials: int, timeout_s: float | None
) -> None:
    known = estimator.get_params()
    unknown = sorted(set(space) - set(known))
    if not space or unknown:
        raise PredictorError(
            f"the space names {unknown or 'nothing'}",
            expected=f"parameters among {sorted(known)}",
            fix="correct the names",
        )
    if scoring not in ("log_loss", "brier", "roc_auc"):
        raise PredictorError(
            f"scoring is {scoring!r}",
            expected="'log_loss', 'brier' or 'roc_auc'",
            fix="correct it",
        )
    if n_trials < 1 or (timeout_s is not None and timeout_s <= 0):
        raise PredictorError(
            f"n_trials is {n_trials} and timeout_s {timeout_s}",
            expected="at least one trial, and more than no time",
            fix="raise them",
        )
    for name, among in space.items():
        low_high = isinstance(among, Between)
        if (low_high and not among[0] < among[1]) or not among:
            raise PredictorError(
                f"{name!r} has nothing to choose from: {among}",
                expected="a Between whose low is below its high, or a tuple of choices",
                fix="correct it",
            )


def _suggested(trial: Any, name: str, among: Between | tuple[Any, ...]) -> Any:
    if not isinstance(among, Between):
        return trial.suggest_categorical(name, list(among))
    if isinstance(among.low, int) and isinstance(among.high, int):
        return trial.suggest_int(name, among.low, among.high, log=among.log)
    return trial.suggest_float(name, among.low, among.high, log=among.log)


def _within(value: Any, among: Between | tuple[Any, ...]) -> bool:
    if isinstance(among, Between):
        number = isinstance(value, int | float) and not isinstance(value, bool)
        return number and among.low <= value <= among.high
    return value in among


def _cross_validated(
    estimator: Any,
    training: Training,
    folds: list[tuple[NDArray[np.intp], NDArray[np.intp]]],
    scoring: Scoring,
    trial: Any,
) -> float:
    import optuna

    scores = []
    for step, (train, test) in enumerate(folds):
        scores.append(_score(estimator, training, train, test, scoring))
        if trial is not None and step < len(folds) - 1:
            trial.report(float(np.mean(scores)), step)
            if trial.should_prune():
                raise optuna.TrialPruned
    return float(np.mean(scores))


def _score(
    estimator: Any,
    training: Training,
    train: NDArray[np.intp],
    test: NDArray[np.intp],
    scoring: Scoring,
) -> float:
    [(_, fitted)] = training.fitted([("", estimator)], train)
    proba = positive_probability(fitted, training.X.iloc[test])
    labels = training.labels[test]
    if scoring == "roc_auc":
        return float(roc_auc_score(labels, proba))
    return float((log_losses if scoring == "log_loss" else brier_scores)(labels, proba).mean())


def _trial(frozen: Any) -> Trial:
    state = {"COMPLETE": "complete", "PRUNED": "pruned"}.get(frozen.state.name, "failed")
    value = frozen.value if state == "complete" else float("nan")
    duration = frozen.duration.total_seconds() if frozen.duration else 0.0
    return Trial(frozen.number, dict(frozen.params), float(value), state, duration)
