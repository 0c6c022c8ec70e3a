"""Suggestions to agents: who takes which, and what recommending by that would be worth."""

from collections.abc import Mapping
from typing import Any, NamedTuple, Self

import numpy as np
import pandas as pd
from lightgbm import LGBMClassifier
from numpy.typing import NDArray
from scipy import special
from sklearn.compose import ColumnTransformer
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import Ridge
from sklearn.model_selection import KFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from workbench.data import Corpus
from workbench.data.conversations import make_corpus, reactions_of
from workbench.data.conversations.coaching import STAGES, SUGGESTIONS
from workbench.data.conversations.sheets import EXPERIENCE, ROLES, VERTICALS
from workbench.data.conversations.truth import true_acceptance
from workbench.evaluation.measured import Figure, measure
from workbench.scorers import Metric
from workbench.stats import (
    OffPolicyEstimator,
    mean_statistic,
    off_policy_value,
    roc_auc_statistic,
)
from workbench.studies.result import TRUTH, Study

__all__ = ["AcceptanceFactors", "personal_coaching"]

Matrix = NDArray[np.float64]
Codes = NDArray[np.intp]

_GENERIC, _AGENT, _FACTORS, _CONTEXT, _BOTH = (
    "popularity", "agents' own rates", "collaborative filter", "boosted on the moment",
    "boosted on moment and agent",
)  # fmt: skip
_ESTIMATORS: tuple[OffPolicyEstimator, ...] = ("ips", "snips", "dr")
_VALUES = {
    "stage": STAGES, "agent_role": ROLES, "agent_experience": EXPERIENCE, "vertical": VERTICALS,
}  # fmt: skip
_PRIOR = 10.0  # decisions that the mean rate counts for
_FOLDS = 4
_AUC = Metric("auc", "AUC", True, "order of the suggestions taken before those that were not")
_LOG_LOSS = Metric("log_loss", "Log loss", False, "mean surprise at what was taken, in nats")


class _Log(NamedTuple):
    """Logged decisions of some parts: codes of agents and suggestions, and what came of them."""

    moments: pd.DataFrame
    agent: Codes
    suggestion: Codes
    propensity: Matrix
    accepted: Matrix


class AcceptanceFactors:
    """Chance that an agent takes a suggestion, from factors of both.

    Log-odds are a mean, one number an agent, one a suggestion, and the product of a few factors
    of each, all shrunk towards nothing; fitted by alternating Newton steps.

    Parameters
    ----------
    n_agents, n_suggestions
        How many there are.
    n_factors
        Factors beside the plain effects.
    penalty
        Strength of the shrinkage.
    random_state
        Seed of the first guess.

    References
    ----------
    Koren, Bell & Volinsky (2009), Computer 42(8):30-37, with a logistic loss.

    Examples
    --------
    >>> agent, suggestion = np.repeat([0, 1], 40), np.tile([0, 1], 40)
    >>> taken = (agent == suggestion).astype(float)
    >>> chances = AcceptanceFactors(2, 2, n_factors=1).fit(agent, suggestion, taken).chances()
    >>> bool(chances[0, 0] > 0.6 > 0.4 > chances[0, 1])
    True
    """

    def __init__(
        self,
        n_agents: int,
        n_suggestions: int,
        *,
        n_factors: int = 2,
        penalty: float = 4.0,
        random_state: int = 0,
    ) -> None:
        self.n_agents = n_agents
        self.n_suggestions = n_suggestions
        self.n_factors = n_factors
        self.penalty = penalty
        self.random_state = random_state

    def fit(self, agent: Codes, suggestion: Codes, accepted: Matrix) -> Self:
        """Learn from logged decisions.

        Parameters
        ----------
        agent, suggestion
            Codes from 0.
        accepted
            1 where it was taken.
        """
        rng = np.random.default_rng(self.random_state)
        k = self.n_factors
        self.mean_ = float(special.logit((accepted.sum() + 1) / (len(accepted) + 2)))
        # The first column of the one meets a column of ones of the other: the plain effects.
        self.agents_ = np.hstack([np.zeros((self.n_agents, 1)),
                                  rng.normal(0, 0.3, (self.n_agents, k))])  # fmt: skip
        self.suggestions_ = np.hstack([np.zeros((self.n_suggestions, 1)),
                                       rng.normal(0, 0.3, (self.n_suggestions, k))])  # fmt: skip
        for _ in range(12):
            self._step(self.agents_, self.suggestions_, agent, suggestion, accepted)
            self._step(self.suggestions_, self.agents_, suggestion, agent, accepted)
        return self

    def _step(
        self, mine: Matrix, others: Matrix, own: Codes, other: Codes, accepted: Matrix
    ) -> None:
        """One Newton step of each row of the one side, the other being held."""
        for row in range(len(mine)):
            at = np.flatnonzero(own == row)
            theirs = others[other[at]]
            X = np.hstack([np.ones((len(at), 1)), theirs[:, 1:]])
            chance = special.expit(self.mean_ + theirs[:, 0] + X @ mine[row])
            slope = X.T @ (accepted[at] - chance) - self.penalty * mine[row]
            bend = (X * (chance * (1 - chance))[:, None]).T @ X
            mine[row] += np.linalg.solve(bend + self.penalty * np.eye(X.shape[1]), slope)

    def chances(self) -> Matrix:
        """Chance of every pair, shape (n_agents, n_suggestions)."""
        plain = self.agents_[:, :1] + self.suggestions_[:, 0]
        product = self.agents_[:, 1:] @ self.suggestions_[:, 1:].T
        return np.asarray(special.expit(self.mean_ + plain + product))


def personal_coaching(
    n_moments: int = 6000, *, n_resamples: int = 1000, random_state: int = 0
) -> Study:
    """Foresee which suggestions an agent takes, and value recommending by that.

    Models: the rate of each suggestion; each agent's own rate, shrunk; a collaborative filter of
    agents and suggestions; boosted trees on the moment (stage, role, languages, and how much a
    coach would expect each suggestion to help, read from the text); the same with the filter. Each
    one also recommends its likeliest suggestion, which is valued from the log.

    Parameters
    ----------
    n_moments
        Of "coaching_moments", before splitting.
    n_resamples
        Of the bootstrap over agents.
    random_state
        Seed.

    Returns
    -------
    Study
        `details["value"]`: chance that what each policy recommends is taken, by IPS, SNIPS and DR
        from the logged propensities, and in truth.

    References
    ----------
    Dudík, Erhan, Langford & Li (2014), Statistical Science 29:485-511.

    Examples
    --------
    >>> found = personal_coaching(600, n_resamples=200)
    >>> found.estimate(TRUTH, "auc").estimate > 0.6
    True
    """
    corpus = make_corpus("coaching_moments", n_moments, random_state)
    past, judged = corpus.of("train", "validation"), corpus.of("test")
    agents = sorted(set(reactions_of(corpus)["agent_id"]))
    train, test = _log_of(past, agents), _log_of(judged, agents)
    chances = _chances(past, train, judged, test, len(agents), random_state)
    chances[TRUTH] = true_acceptance(judged)[list(SUGGESTIONS)].to_numpy()
    here = np.arange(len(test.agent))
    answers = {name: table[here, test.suggestion] for name, table in chances.items()}
    measured = measure(
        answers,
        [
            Figure(_AUC, lambda p: roc_auc_statistic(test.accepted.astype(np.int8), p)),
            Figure(_LOG_LOSS, lambda p: mean_statistic(_surprise(test.accepted, p))),
        ],
        n=len(here), baseline=_GENERIC, groups=test.agent, n_resamples=n_resamples,
        random_state=random_state,
    )  # fmt: skip
    return Study(
        "personal_coaching",
        "Which suggestion will this agent take?",
        measured,
        len(train.agent),
        details={"value": _values(chances, test)},
        notes=(
            "Agents are the same in both parts, the people they talk to are not; intervals are "
            "over agents.",
            "A suggestion that is taken need not be the one that helps most.",
        ),
    )


def _surprise(accepted: Matrix, chance: Matrix) -> Matrix:
    held = np.clip(chance, 1e-6, 1 - 1e-6)
    return -np.asarray(special.xlogy(accepted, held) + special.xlogy(1 - accepted, 1 - held))


def _log_of(corpus: Corpus, agents: list[str]) -> _Log:
    log = reactions_of(corpus)
    return _Log(
        corpus.X,
        np.asarray(pd.Categorical(log["agent_id"], categories=agents).codes, dtype=np.intp),
        np.asarray(
            pd.Categorical(log["suggestion"], categories=list(SUGGESTIONS)).codes, dtype=np.intp
        ),
        log["propensity"].to_numpy(dtype=np.float64),
        (log["accepted"] == "yes").to_numpy(dtype=np.float64),
    )


def _chances(
    past: Corpus, train: _Log, judged: Corpus, test: _Log, n_agents: int, random_state: int
) -> dict[str, Matrix]:
    """Chance of every suggestion at every judged moment, (n_test, n_suggestions), by model."""
    k, mean = len(SUGGESTIONS), float(train.accepted.mean())
    popular = _rates(train.suggestion, train.accepted, k, mean)
    own = _rates(train.agent, train.accepted, n_agents, mean)
    # Each agent's rate moves the rate of every suggestion alike.
    shifted = special.expit(
        special.logit(popular)[None, :] + (special.logit(own) - special.logit(mean))[:, None]
    )
    factors = _factors(train, n_agents, random_state)
    held = np.empty(len(train.agent))
    helps_train = np.empty((len(train.agent), k))
    for fit, ask in KFold(_FOLDS, shuffle=True, random_state=random_state).split(train.agent):
        some = _Log(train.moments.iloc[fit], *(values[fit] for values in train[1:]))
        held[ask] = _factors(some, n_agents, random_state)[train.agent[ask], train.suggestion[ask]]
        helps_train[ask] = _helpfulness(past.take(fit)).predict(past.X.iloc[ask])
    helps_test = _helpfulness(past).predict(judged.X)
    here = np.arange(len(train.agent))
    found = {
        _GENERIC: np.tile(popular, (len(test.agent), 1)),
        _AGENT: shifted[test.agent],
        _FACTORS: factors[test.agent],
    }
    for name, personal in ((_CONTEXT, False), (_BOTH, True)):
        table = _table(train.moments, train.suggestion, helps_train[here, train.suggestion],
                       held if personal else None)  # fmt: skip
        model = LGBMClassifier(
            n_estimators=150, learning_rate=0.05, num_leaves=8, min_child_samples=30, n_jobs=1,
            random_state=random_state, verbose=-1,
        ).fit(table, train.accepted.astype(int))  # fmt: skip
        found[name] = np.column_stack([
            model.predict_proba(
                _table(test.moments, np.full(len(test.agent), s), helps_test[:, s],
                       factors[test.agent, s] if personal else None)
            )[:, 1]
            for s in range(k)
        ])  # fmt: skip
    return found


def _rates(codes: Codes, accepted: Matrix, n: int, mean: float) -> Matrix:
    taken, all_ = np.bincount(codes, accepted, minlength=n), np.bincount(codes, minlength=n)
    return np.asarray((taken + _PRIOR * mean) / (all_ + _PRIOR))


def _factors(log: _Log, n_agents: int, random_state: int) -> Matrix:
    model = AcceptanceFactors(n_agents, len(SUGGESTIONS), random_state=random_state)
    return model.fit(log.agent, log.suggestion, log.accepted).chances()


def _helpfulness(corpus: Corpus) -> Any:
    """How much coaches said that each suggestion helps, from text and moment."""
    context = [column for column in corpus.X if column != "text"]
    columns = ColumnTransformer(
        [
            ("text", TfidfVectorizer(ngram_range=(1, 2), min_df=3, sublinear_tf=True), "text"),
            ("moment", OneHotEncoder(handle_unknown="ignore"), context),
        ]
    )
    helps = [[given[s] for s in SUGGESTIONS] for given in corpus.y["suggestion"]]
    return make_pipeline(columns, Ridge(alpha=2.0)).fit(corpus.X, np.array(helps))


def _table(
    moments: pd.DataFrame, suggestion: Codes, helps: Matrix, factors: Matrix | None
) -> pd.DataFrame:
    """Columns of the boosted trees for one suggestion a moment."""
    table = pd.DataFrame({"suggestion": suggestion, "helps": helps}, index=moments.index)
    table["foreign"] = (moments["agent_language"] != moments["prospect_language"]).astype(int)
    for column, values in _VALUES.items():
        table[column] = pd.Categorical(moments[column], categories=list(values)).codes
    if factors is not None:
        table["factors"] = special.logit(factors)
    return table


def _values(chances: Mapping[str, Matrix], log: _Log) -> pd.DataFrame:
    """What each policy's likeliest suggestion is worth, by the log and in truth."""
    here, truth, model = np.arange(len(log.agent)), chances[TRUTH], chances[_BOTH]
    rows: list[dict[str, Any]] = [
        {"policy": "logging", "estimator": "mean", "estimate": float(log.accepted.mean())}
    ]
    for name, table in chances.items():
        chosen = table.argmax(axis=1)
        for estimator in _ESTIMATORS:
            found = off_policy_value(
                log.accepted, log.propensity, (chosen == log.suggestion).astype(np.float64),
                estimator=estimator, predicted_reward=model[here, log.suggestion],
                predicted_value=model[here, chosen], groups=log.agent,
            )  # fmt: skip
            rows.append(
                {
                    "policy": name, "estimator": estimator, "estimate": found.estimate,
                    "ci_lower": found.ci_lower, "ci_upper": found.ci_upper,
                    "effective_n": found.effective_n,
                    "mean_weight_pvalue": found.mean_weight_pvalue,
                    "true_value": float(truth[here, chosen].mean()),
                }
            )  # fmt: skip
    return pd.DataFrame(rows)
