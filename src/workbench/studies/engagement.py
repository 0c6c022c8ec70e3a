"""Which touch to give to whom: policies valued from logged decisions and held to the truth."""

import html
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression, Ridge

from workbench.abtest.policy import LearnedPolicy
from workbench.data.brokerage import Brokerage
from workbench.data.brokerage.schema import ACTIONS
from workbench.data.brokerage.truth import true_actions
from workbench.errors import DataError
from workbench.features import linear_table
from workbench.stats import (
    Difference,
    OffPolicyEstimator,
    OffPolicyValue,
    mean_interval,
    off_policy_value,
    paired_difference,
)
from workbench.studies.moments import Parts, inputs_of, moments_of, parted

__all__ = ["EngagementStudy", "PolicyValue", "engagement_optimiser"]

_ESTIMATORS: tuple[OffPolicyEstimator, ...] = ("ips", "snips", "dr")
_LOGGING, _LEARNED, _OPTIMAL = "logging", "learned, direct", "optimal (knows the truth)"
_RULE_RECENT_DAYS, _RULE_MIN_ANSWERED = 14.0, 0.5
_MIN_PER_ACTION = 30
_REPLY_DAYS = 7
# Actions differ far less than leads do: a weak penalty would learn noise.
_PENALTY_C = 0.002
Matrix = NDArray[np.float64]
Codes = NDArray[np.intp]


class PolicyValue(NamedTuple):
    """What a policy is worth.

    Attributes
    ----------
    policy
        Its name.
    true_value
        Mean true chance of a reply over the judged decisions.
    regret
        Of it against the optimal policy's.
    estimates
        By estimator, from the log alone.
    coverage
        By estimator: share of redrawn logs whose interval holds the true value.
    shares
        How often it gives each action.
    """

    policy: str
    true_value: float
    regret: float
    estimates: Mapping[str, OffPolicyValue]
    coverage: Mapping[str, float]
    shares: Mapping[str, float]


@dataclass(frozen=True)
class EngagementStudy:
    """Policies for the next touch, what they are worth, and whether the log can tell.

    Parameters
    ----------
    values
        One a policy.
    best_fixed
        The one action that looked best on the decisions learnt from.
    over_fixed
        Doubly robust gain of the learned policy over it, paired by decision.
    over_logging
        The same over what was done.
    true_over_fixed
        The true gain over it.
    n_train, n_test, n_redraws
        Decisions learnt from and judged; redrawn logs behind the coverage.
    """

    values: tuple[PolicyValue, ...]
    best_fixed: str
    over_fixed: Difference
    over_logging: Difference
    true_over_fixed: float
    n_train: int
    n_test: int
    n_redraws: int

    def value(self, policy: str) -> PolicyValue:
        """Give one policy.

        Raises
        ------
        KeyError
            When there is none of that name.
        """
        for found in self.values:
            if found.policy == policy:
                return found
        raise KeyError(policy)

    def to_frame(self) -> pd.DataFrame:
        """One row a policy and estimator."""
        return pd.DataFrame(
            [
                {
                    "policy": v.policy, "estimator": name, "estimate": e.estimate,
                    "ci_lower": e.ci_lower, "ci_upper": e.ci_upper, "true_value": v.true_value,
                    "covered": e.ci_lower <= v.true_value <= e.ci_upper,
                    "coverage": v.coverage[name], "regret": v.regret,
                    "effective_n": e.effective_n, "n": e.n, "n_groups": e.n_groups,
                }
                for v in self.values
                for name, e in v.estimates.items()
            ]
        )  # fmt: skip

    def sentence(self) -> str:
        """Say whether the learned policy is worth having."""
        d = self.over_fixed
        standing = (
            "better than" if d.ci_lower > 0
            else "worse than" if d.ci_upper < 0
            else "not shown to be better than"
        )  # fmt: skip
        return (
            f"The learned policy is {standing} always {self.best_fixed}: {100 * d.difference:+.1f} "
            f"points of replies [{100 * d.ci_lower:+.1f}, {100 * d.ci_upper:+.1f}] by the log, "
            f"{100 * self.true_over_fixed:+.1f} in truth; {self.n_test:,} later decisions about "
            "other people."
        )

    def _repr_html_(self) -> str:
        shares = pd.DataFrame([{"policy": v.policy, **v.shares} for v in self.values])
        told = "{:.3f}".format
        return (
            "<h3>Which touch should the lead get next?</h3>"
            f"<p>{html.escape(self.sentence())}</p>"
            f"{self.to_frame().to_html(index=False, float_format=told)}"
            f"<p><small>Coverage: share of {self.n_redraws:,} redrawn logs whose 95 % interval "
            "holds the true value.</small></p>"
            f"<h4>How often each action is given</h4>"
            f"{shares.to_html(index=False, float_format=told)}"
        )


class _Log(NamedTuple):
    """Judged decisions; the second axis is the action, in the order of `ACTIONS`."""

    action: Codes
    replied: NDArray[np.float64]
    propensities: Matrix
    predicted: Matrix
    truth: Matrix
    groups: NDArray[np.object_]


def engagement_optimiser(
    crm: Brokerage, *, n_redraws: int = 100, random_state: int = 0
) -> EngagementStudy:
    """Learn which of five touches to give, value it from the log, and check the value.

    Policies: what was done; the best single action; a rule of thumb (call who picks up or was
    active these days, else use the channel the lead answers); the highest predicted chance of a
    reply (direct method); the highest doubly robust score, by regression. Learned on earlier
    decisions, judged on later ones about other people, each a moment before it was carried out.

    Parameters
    ----------
    crm
        The brokerage.
    n_redraws
        How often actions and replies of the judged decisions are drawn anew, from the logged
        propensities and the true chances, to see how often intervals hold the truth.
    random_state
        Seed of the redraws.

    Returns
    -------
    EngagementStudy
        The value is the chance of a reply within 7 days of this one touch, not what it does later.

    Raises
    ------
    DataError
        When there are too few decisions of an action.

    References
    ----------
    Dudík, Erhan, Langford & Li (2014), Statistical Science 29:485-511.
    """
    parts = parted(_decisions(crm), known_after_days=_REPLY_DAYS)
    counts = parts.train["action"].value_counts().reindex(ACTIONS, fill_value=0)
    if counts.min() < _MIN_PER_ACTION:
        raise DataError(
            f"{counts.min()} decisions for {counts.idxmin()!r}",
            expected=f"{_MIN_PER_ACTION} or more of every action",
            fix="simulate more leads",
        )
    direct, robust = _learned(parts.train)
    test = parts.test
    truth = true_actions(crm)[[f"p_reply_{a}" for a in ACTIONS]].loc[test["snapshot_id"]]
    log = _Log(
        _codes(test), test["replied"].to_numpy(dtype=np.float64), _propensities(test),
        np.clip(direct.rewards(test), 0, 1), truth.to_numpy(), test["contact_id"].to_numpy(),
    )  # fmt: skip
    k = np.eye(len(ACTIONS))
    fixed = _best_fixed(parts)
    targets = {
        _LOGGING: log.propensities,
        f"always {ACTIONS[fixed]}": np.tile(k[fixed], (len(test), 1)),
        "rule of thumb": k[_rule(test)],
        _LEARNED: k[direct.choose(test)],
        "learned, doubly robust": k[robust.choose(test)],
        _OPTIMAL: k[log.truth.argmax(axis=1)],
    }
    coverage = _coverage(log, targets, n_redraws, random_state)
    best = float(log.truth.max(axis=1).mean())
    values = tuple(
        PolicyValue(
            name,
            float((target * log.truth).sum(axis=1).mean()),
            best - float((target * log.truth).sum(axis=1).mean()),
            {e: _valued(log, target, e) for e in _ESTIMATORS} | _on_policy(name, log),
            coverage[name],
            dict(zip(ACTIONS, target.mean(axis=0).tolist(), strict=True)),
        )
        for name, target in targets.items()
    )
    terms = {name: _terms(log, target) for name, target in targets.items()}
    learned, best_fixed = targets[_LEARNED], targets[f"always {ACTIONS[fixed]}"]
    return EngagementStudy(
        values,
        ACTIONS[fixed],
        paired_difference(terms[_LEARNED], terms[f"always {ACTIONS[fixed]}"], groups=log.groups),
        paired_difference(terms[_LEARNED], log.replied, groups=log.groups),
        float(((learned - best_fixed) * log.truth).sum(axis=1).mean()),
        len(parts.train),
        len(test),
        n_redraws,
    )


def _decisions(crm: Brokerage) -> pd.DataFrame:
    """Give every decision with what was on record just before it."""
    import ibis

    touches, leads = crm.table("touches"), crm.table("leads")
    who = leads.select("lead_id", "contact_id")
    # A microsecond earlier, so that the touch itself is no feature of its own moment.
    before = touches.sent_at - ibis.interval(microseconds=1)
    known = touches.select("lead_id", "tenant", "agent_id", snapshot_id="touch_id", as_of=before)
    rows = moments_of(crm, known.join(who, "lead_id"))
    logged = crm.frame("touches").rename(columns={"touch_id": "snapshot_id"})
    kept = ["snapshot_id", "action", "replied", *[f"propensity_{a}" for a in ACTIONS]]
    return rows.merge(logged[kept], on="snapshot_id", validate="one_to_one")


def _codes(rows: pd.DataFrame) -> Codes:
    return np.asarray(pd.Categorical(rows["action"], categories=list(ACTIONS)).codes, np.intp)


def _propensities(rows: pd.DataFrame) -> Matrix:
    return np.asarray(rows[[f"propensity_{a}" for a in ACTIONS]], dtype=np.float64)


def _learned(train: pd.DataFrame) -> tuple[LearnedPolicy, LearnedPolicy]:
    """Fit a reply model an action, and a regression of each action's doubly robust score.

    The scores' reward models are fitted on the other half of the contacts (Chernozhukov et al.
    2018, cross-fitting).
    """
    names = tuple(inputs_of(train))
    encoder = linear_table(text=False)
    X = np.asarray(encoder.fit_transform(train[list(names)]))
    action, replied = _codes(train), train["replied"].to_numpy(dtype=np.float64)
    logged = _propensities(train)
    half = pd.factorize(train["contact_id"])[0] % 2
    rewards = np.empty((len(train), len(ACTIONS)))
    for part in (0, 1):
        models = _reply_models(X[half != part], action[half != part], replied[half != part])
        rewards[half == part] = np.column_stack(
            [model.predict_proba(X[half == part])[:, 1] for model in models]
        )
    scores = rewards.copy()
    here = np.arange(len(train))
    scores[here, action] += (replied - rewards[here, action]) / logged[here, action]
    robust = tuple(Ridge(alpha=300.0).fit(X, scores[:, a]) for a in range(len(ACTIONS)))
    direct = tuple(_reply_models(X, action, replied))
    return (
        LearnedPolicy(ACTIONS, names, encoder, direct),
        LearnedPolicy(ACTIONS, names, encoder, robust),
    )


def _reply_models(
    X: Matrix, action: Codes, replied: NDArray[np.float64]
) -> list[LogisticRegression]:
    models = []
    for a in range(len(ACTIONS)):
        mine = action == a
        if np.unique(replied[mine]).size < 2:
            raise DataError(
                f"every {ACTIONS[a]} was answered, or none",
                expected="both outcomes",
                fix="simulate more leads",
            )
        models.append(LogisticRegression(C=_PENALTY_C, max_iter=500).fit(X[mine], replied[mine]))
    return models


def _best_fixed(parts: Parts) -> int:
    """Which single action looks best on the decisions learnt from."""
    train = parts.train
    action, logged = _codes(train), _propensities(train)
    here = np.arange(len(train))
    found = [
        off_policy_value(
            train["replied"].astype(np.float64), logged[here, action],
            (action == a).astype(np.float64), estimator="snips",
        ).estimate
        for a in range(len(ACTIONS))
    ]  # fmt: skip
    return int(np.argmax(found))


def _rule(rows: pd.DataFrame) -> Codes:
    """Do what an experienced agent would: call who picks up or is active, else answer in kind."""
    picks_up = rows["call_answer_rate"].fillna(0) >= _RULE_MIN_ANSWERED
    active = rows["inbound_recency_days"].fillna(np.inf) <= _RULE_RECENT_DAYS
    texts = rows["sms_reply_rate"].fillna(0) > rows["email_reply_rate"].fillna(0)
    chosen = np.select(
        [picks_up | active, texts], [ACTIONS.index("call"), ACTIONS.index("sms")],
        ACTIONS.index("email_offer"),
    )  # fmt: skip
    return np.asarray(chosen, dtype=np.intp)


def _valued(log: _Log, target: Matrix, estimator: OffPolicyEstimator) -> OffPolicyValue:
    here = np.arange(len(log.action))
    return off_policy_value(
        log.replied, log.propensities[here, log.action], target[here, log.action],
        estimator=estimator, predicted_reward=log.predicted[here, log.action],
        predicted_value=(target * log.predicted).sum(axis=1), groups=log.groups,
    )  # fmt: skip


def _on_policy(name: str, log: _Log) -> dict[str, OffPolicyValue]:
    """What was done needs no weights: its mean is an estimate too."""
    if name != _LOGGING:
        return {}
    found = mean_interval(log.replied, groups=log.groups)
    n = len(log.replied)
    return {
        "on policy": OffPolicyValue(
            found.estimate, found.ci_lower, found.ci_upper, found.standard_error, float(n), 1.0,
            1.0, 1.0, 0, n, found.n_groups, found.confidence_level, "mean",
        )
    }  # fmt: skip


def _terms(log: _Log, target: Matrix) -> NDArray[np.float64]:
    """What averages to the doubly robust value."""
    here = np.arange(len(log.action))
    weight = target[here, log.action] / log.propensities[here, log.action]
    residual = log.replied - log.predicted[here, log.action]
    return np.asarray((target * log.predicted).sum(axis=1) + weight * residual)


def _coverage(
    log: _Log, targets: Mapping[str, Matrix], n_redraws: int, random_state: int
) -> dict[str, dict[str, float]]:
    rng = np.random.default_rng(random_state)
    n = len(log.action)
    held = {name: dict.fromkeys((*_ESTIMATORS, "on policy"), 0) for name in targets}
    true = {name: float((t * log.truth).sum(axis=1).mean()) for name, t in targets.items()}
    edges = np.cumsum(log.propensities, axis=1)[:, :-1]
    for _ in range(n_redraws):
        action = (rng.random(n)[:, None] > edges).sum(axis=1)
        replied = (rng.random(n) < log.truth[np.arange(n), action]).astype(np.float64)
        drawn = log._replace(action=action, replied=replied)
        for name, target in targets.items():
            found = {e: _valued(drawn, target, e) for e in _ESTIMATORS} | _on_policy(name, drawn)
            for estimator, value in found.items():
                held[name][estimator] += value.ci_lower <= true[name] <= value.ci_upper
    return {
        name: {e: count / n_redraws if n_redraws else np.nan for e, count in counts.items()}
        for name, counts in held.items()
    }
