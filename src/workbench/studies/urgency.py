"""Buying urgency: four ordered levels and a score from 0 to 100."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from workbench.data.brokerage import Brokerage
from workbench.data.brokerage.schema import URGENCIES
from workbench.data.brokerage.truth import true_snapshots
from workbench.evaluation.measured import Figure, measure
from workbench.predictors import BoostedClassifier, logistic_baseline
from workbench.predictors.ordinal import OrdinalClassifier
from workbench.scorers import ORDINAL_STATISTICS, Metric, level_score
from workbench.stats import Statistic
from workbench.studies.moments import inputs_of, parted, snapshots_of
from workbench.studies.result import TRUTH, Study, hold_against

__all__ = ["buying_urgency"]

_MAJORITY, _TIMELINE, _BEST = "training shares", "stated timeline", "ordinal LightGBM"
_CLAIMED_ACCURACY = 0.863
_METRICS = {
    "quadratic_kappa": Metric(
        "quadratic_kappa", "Quadratic kappa", True,
        "agreement with the entered level beyond chance, far misses counting more",
    ),
    "level_error": Metric(
        "level_error", "Error in levels", False, "mean distance of the median level"
    ),
    "rank_correlation": Metric(
        "rank_correlation", "Spearman", True, "rank correlation of the 0 to 100 score"
    ),
    "ranked_probability_score": Metric(
        "ranked_probability_score", "RPS", False, "mean squared error of cumulative probabilities"
    ),
    "level_accuracy": Metric(
        "level_accuracy", "Accuracy", True, "share whose likeliest level was entered", "%"
    ),
}  # fmt: skip


def buying_urgency(crm: Brokerage, *, n_resamples: int = 1000, random_state: int = 0) -> Study:
    """Foresee how urgent staff will call a lead: low, medium, high or critical.

    Baselines: the levels' shares in training; their shares by stated timeline; an ordinal logistic
    regression (Frank and Hall 2001). The truth is the chance of each level given what the
    simulation hides.

    Parameters
    ----------
    crm
        The brokerage; its messages are read where there are any.
    n_resamples
        Of the bootstrap over contacts.
    random_state
        Seed of models and bootstrap.

    Returns
    -------
    Study
        `details` has the 0 to 100 score by entered level.

    Raises
    ------
    DataError
        When there are too few moments.

    Examples
    --------
    >>> from workbench.data.brokerage import simulate
    >>> found = buying_urgency(simulate(600, text_share=0), n_resamples=300)
    >>> found.claims[0].claimed
    0.863
    """
    rows = snapshots_of(crm, text=True)
    parts = parted(rows)
    inputs = inputs_of(parts.train)
    y_train, y_test = (
        pd.Categorical(part["buying_urgency"], categories=list(URGENCIES)).codes.astype(np.int64)
        for part in (parts.train, parts.test)
    )
    proba: dict[str, NDArray[np.float64]] = {
        _MAJORITY: np.tile(_shares(y_train), (len(y_test), 1)),
        _TIMELINE: _by_timeline(parts.train, y_train, parts.test),
    }
    models: dict[str, Any] = {
        "ordinal logistic": logistic_baseline(C=0.03, random_state=random_state),
        _BEST: BoostedClassifier(n_splits=3, max_rounds=600, random_state=random_state),
    }
    for name, model in models.items():
        fitted = OrdinalClassifier(model, levels=list(URGENCIES)).fit(
            parts.train[inputs],
            parts.train["buying_urgency"],
            groups=parts.train["contact_id"].to_numpy(),
            as_of=parts.train["as_of"].to_numpy(),
        )
        proba[name] = fitted.predict_proba(parts.test[inputs])
    truth = true_snapshots(crm)[[f"p_urgency_{level}" for level in URGENCIES]]
    proba[TRUTH] = truth.loc[parts.test["snapshot_id"]].to_numpy()
    measured = measure(
        proba,
        [Figure(m, _statistic_of(name, y_test)) for name, m in _METRICS.items()],
        n=len(y_test),
        baseline="ordinal logistic",
        groups=parts.test["contact_id"].to_numpy(),
        n_resamples=n_resamples,
        random_state=random_state,
    )
    claim = hold_against(
        measured, _METRICS["level_accuracy"], _CLAIMED_ACCURACY, arm=_BEST, trivial=_MAJORITY
    )
    return Study(
        "buying_urgency",
        "How urgently does the lead want to buy?",
        measured,
        len(parts.train),
        (claim,),
        {"score_by_entered_level": _scores(proba[_BEST], y_test)},
        (
            "Staff enter a level picked blindly now and then: the ceiling is far below 100 %.",
            "Kappa and rank correlation count as 0 for an arm that gives everybody one answer.",
        ),
    )


def _statistic_of(name: str, y: NDArray[np.int64]) -> Callable[[Any], Statistic]:
    def made(proba: Any) -> Statistic:
        statistic = ORDINAL_STATISTICS[name](y, proba)
        constant = bool((proba == proba[0]).all())
        if constant and name in ("quadratic_kappa", "rank_correlation"):
            # Agreement beyond chance and order are both nil where everybody gets one answer.
            return lambda weights: np.zeros(len(np.atleast_2d(np.asarray(weights))))
        return statistic

    return made


def _shares(levels: NDArray[np.int64]) -> NDArray[np.float64]:
    # One more of each, so that no level is impossible.
    return (np.bincount(levels, minlength=len(URGENCIES)) + 1) / (len(levels) + len(URGENCIES))


def _by_timeline(
    train: pd.DataFrame, levels: NDArray[np.int64], test: pd.DataFrame
) -> NDArray[np.float64]:
    edges = [-1.0, 3.0, 9.0, np.inf]
    known, asked = (
        np.where(part["timeline_months"].isna(), -1, np.digitize(part["timeline_months"], edges))
        for part in (train, test)
    )
    made = {code: _shares(levels[known == code]) for code in np.unique(known).tolist()}
    return np.vstack([made.get(code, _shares(levels)) for code in asked.tolist()])


def _scores(proba: NDArray[np.float64], levels: NDArray[np.int64]) -> pd.DataFrame:
    score = pd.Series(level_score(proba)).groupby(levels).describe()
    score.insert(0, "level", [URGENCIES[code] for code in score.index])
    return score[["level", "count", "mean", "25%", "50%", "75%"]].reset_index(drop=True)
