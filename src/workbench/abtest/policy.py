"""Learn which strategy to give to whom from logged decisions, and say what that is worth.

The policy is learnt on one half of the agents and judged on the other, from logged
propensities: a policy that is judged where it was learnt always looks better than it is.
"""

import html
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from workbench.errors import DataError
from workbench.stats import (
    Difference,
    OffPolicyEstimator,
    OffPolicyValue,
    off_policy_value,
    paired_difference,
)

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["LearnedPolicy", "PolicyReport", "PolicyRow", "learn_policy"]

Vector = NDArray[np.float64]
Codes = NDArray[np.intp]

_MIN_PER_ARM = 30
_ENOUGH_N = 100
_ESTIMATORS: tuple[OffPolicyEstimator, ...] = ("ips", "snips", "dr")


class PolicyRow(NamedTuple):
    """The value of one policy by one estimator, on decisions it was not learnt from.

    Attributes
    ----------
    policy
        "learned", "uniform", or always one strategy.
    value
        The estimate, with its interval and effective n.
    """

    policy: str
    value: OffPolicyValue


@dataclass(frozen=True, slots=True, eq=False)
class LearnedPolicy:
    """Gives each lead the strategy with the highest predicted reward.

    Parameters
    ----------
    strategies
        What it chooses between.
    features
        Columns it looks at.
    encoder, models
        Fitted: features to numbers, and one reward model a strategy.
    """

    strategies: tuple[str, ...]
    features: tuple[str, ...]
    encoder: Any
    models: tuple[Any, ...]

    def rewards(self, table: "pd.DataFrame") -> Vector:
        """Predict the reward of every strategy for every row, shape (n, k).

        Parameters
        ----------
        table : pandas.DataFrame
            The feature columns.
        """
        X = self.encoder.transform(table[list(self.features)])
        return np.column_stack([_predicted(model, X) for model in self.models])

    def choose(self, table: "pd.DataFrame") -> Codes:
        """Return the number of the strategy chosen for every row, shape (n,)."""
        return np.asarray(self.rewards(table).argmax(axis=1), dtype=np.intp)


@dataclass(frozen=True, slots=True, eq=False)
class PolicyReport:
    """What a learned policy is worth beside simpler ones.

    Parameters
    ----------
    policy
        The policy.
    rows
        Value of each policy by IPS, SNIPS and DR.
    best_single
        The one strategy that is hardest to beat: the difference from it has the lowest bound.
    over_uniform, over_best_single
        DR value of the learned policy less that of the other, paired by decision. A policy is
        better than every single strategy when the lowest of these bounds is above 0, and no
        correction is needed to say so (an intersection-union test: Berger 1982).
    shares
        How often the policy chooses each strategy.
    n_learned, n_judged
        Decisions of the two halves.
    warnings
        Why not to trust it: few effective decisions, propensities that do not add up.
    """

    policy: LearnedPolicy
    rows: tuple[PolicyRow, ...]
    best_single: str
    over_uniform: Difference
    over_best_single: Difference
    shares: tuple[float, ...]
    n_learned: int
    n_judged: int
    warnings: tuple[str, ...]

    @property
    def verdict(self) -> str:
        """Whether the policy beats always giving any one strategy."""
        if self.over_best_single.ci_lower > 0:
            return "better"
        return "worse" if self.over_best_single.ci_upper < 0 else "not shown to be better"

    def value(self, policy: str, estimator: str = "dr") -> OffPolicyValue:
        """Return one estimate.

        Raises
        ------
        KeyError
            If there is none.
        """
        for row in self.rows:
            if row.policy == policy and row.value.method == estimator:
                return row.value
        raise KeyError((policy, estimator))

    def to_frame(self) -> "pd.DataFrame":
        """One row a policy and estimator."""
        import pandas as pd

        return pd.DataFrame([{"policy": r.policy, **r.value._asdict()} for r in self.rows])

    def sentence(self) -> str:
        """Say what was found."""
        d = self.over_best_single
        return (
            f"The learned policy is {self.verdict} than always {self.best_single}:"
            f" {d.difference:+.4g} [{d.ci_lower:+.4g}, {d.ci_upper:+.4g}] a decision, on"
            f" {self.n_judged:,} decisions it was not learnt from."
        )

    def _repr_html_(self) -> str:
        frame = self.to_frame()[
            ["policy", "method", "estimate", "ci_lower", "ci_upper", "effective_n"]
        ]
        listed = "".join(f"<li>{html.escape(text)}</li>" for text in self.warnings)
        return f"<p>{html.escape(self.sentence())}</p>{frame.to_html(index=False)}<ul>{listed}</ul>"


def learn_policy(
    table: "pd.DataFrame",
    *,
    features: Sequence[str],
    action: str = "strategy",
    reward: str = "converted",
    propensity: str = "propensity",
    groups: str | None = None,
    learn_fraction: float = 0.5,
    confidence_level: float = 0.95,
    random_state: int = 0,
) -> PolicyReport:
    """Learn a policy on one part of logged decisions and judge it on the other.

    Parameters
    ----------
    table : pandas.DataFrame
        One row a decision.
    features
        Columns known when the decision was made; texts and categories are one-hot encoded.
    action, reward, propensity
        Columns: what was done, what came of it (0/1 or a number), and the probability with
        which it was done, as it was logged then.
    groups
        Column of the cluster (agent): none is on both sides, and intervals allow for them.
    learn_fraction
        Share of the groups to learn from, in (0, 1).
    confidence_level
        Of every interval.
    random_state
        Seed of the split.

    Returns
    -------
    PolicyReport

    Raises
    ------
    DataError
        If a column is missing or has gaps, a propensity is not in (0, 1], or a strategy has
        fewer than 30 decisions in a part.

    References
    ----------
    Dudík, Erhan, Langford & Li (2014), Statistical Science 29:485-511 (the direct method for
    learning, DR for judging); Athey & Wager (2021), Econometrica 89:133-161.

    Examples
    --------
    >>> from workbench.abtest.simulate import simulate
    >>> found = simulate(n_leads=20_000, assigned="policy", random_state=1)
    >>> report = learn_policy(found.leads, features=["segment", "engagement"], groups="agent_id")
    >>> len(report.rows), report.n_learned + report.n_judged
    (21, 20000)
    """
    _check(table, [*features, action, reward, propensity, *([groups] if groups else [])])
    logged = table[propensity].to_numpy(dtype=np.float64)
    if not ((logged > 0) & (logged <= 1)).all():
        raise DataError(
            f"column {propensity!r} reaches from {logged.min()} to {logged.max()}",
            expected="the probability of what was done, in (0, 1]",
            fix="log it when the decision is made; it cannot be guessed afterwards",
        )
    strategies = tuple(str(s) for s in sorted(table[action].astype(str).unique()))
    chosen = np.searchsorted(strategies, table[action].astype(str).to_numpy()).astype(np.intp)
    learn = _half(table, groups, learn_fraction, random_state)
    for part, name in ((learn, "learn from"), (~learn, "judge by")):
        counts = np.bincount(chosen[part], minlength=len(strategies))
        if counts.min() < _MIN_PER_ARM:
            raise DataError(
                f"{strategies[int(counts.argmin())]!r} has {counts.min()} decisions to {name}",
                expected=f"{_MIN_PER_ARM} or more of every strategy",
                fix="log more decisions, or leave the strategy out",
            )
    earned = table[reward].to_numpy(dtype=np.float64)
    policy = _fitted(table[learn], features, strategies, chosen[learn], earned[learn])
    judged = table[~learn]
    codes = None if groups is None else judged[groups].astype(str).to_numpy()
    log = _Log(earned[~learn], logged[~learn], chosen[~learn], policy.rewards(judged), codes)
    return _report(policy, log, policy.choose(judged), int(learn.sum()), confidence_level)


class _Log(NamedTuple):
    reward: Vector
    propensity: Vector
    chosen: Codes
    predicted: Vector  # shape (n, k)
    groups: NDArray[Any] | None


def _report(
    policy: LearnedPolicy, log: _Log, choice: Codes, n_learned: int, level: float
) -> PolicyReport:
    k = len(policy.strategies)
    targets = {"learned": np.eye(k)[choice], "uniform": np.full((choice.size, k), 1 / k)}
    for at, name in enumerate(policy.strategies):
        targets[f"always {name}"] = np.tile(np.eye(k)[at], (choice.size, 1))
    rows: list[PolicyRow] = []
    terms = {}
    here = np.arange(choice.size)
    for name, target in targets.items():
        weight = target[here, log.chosen]
        value = (target * log.predicted).sum(axis=1)
        own = log.predicted[here, log.chosen]
        rows += [
            PolicyRow(name, _valued(log, weight, own, value, estimator, level))
            for estimator in _ESTIMATORS
        ]
        terms[name] = value + weight / log.propensity * (log.reward - own)
    against = {
        name: paired_difference(terms["learned"], other, groups=log.groups, confidence_level=level)
        for name, other in terms.items()
        if name != "learned"
    }
    hardest = min(policy.strategies, key=lambda name: against[f"always {name}"].ci_lower)
    shares = np.bincount(choice, minlength=k) / choice.size
    return PolicyReport(
        policy, tuple(rows), hardest, against["uniform"],
        against[f"always {hardest}"], tuple(shares.tolist()), n_learned,
        choice.size, _warnings(rows),
    )  # fmt: skip


def _valued(
    log: _Log,
    weight: Vector,
    own: Vector,
    value: Vector,
    estimator: OffPolicyEstimator,
    level: float,
) -> OffPolicyValue:
    return off_policy_value(
        log.reward,
        log.propensity,
        weight,
        estimator=estimator,
        predicted_reward=own,
        predicted_value=value,
        groups=log.groups,
        confidence_level=level,
    )


def _warnings(rows: Sequence[PolicyRow]) -> tuple[str, ...]:
    out = []
    for row in rows:
        if row.value.method != "ips":
            continue
        if row.value.effective_n < _ENOUGH_N:
            out.append(
                f"{row.policy}: the log is worth {row.value.effective_n:.0f} decisions of its own,"
                " too few for its interval"
            )
        if row.value.mean_weight_pvalue < 0.001:
            out.append(
                f"{row.policy}: importance weights average {row.value.mean_weight:.3f} instead of"
                " 1, so the logged propensities are not those that were drawn with"
            )
    return tuple(out)


def _check(table: "pd.DataFrame", columns: Sequence[str]) -> None:
    for column in columns:
        if column not in table.columns or table[column].isna().any():
            raise DataError(
                f"column {column!r} is missing or has gaps",
                expected="a value for every decision",
                fix="log it, or leave the rows out",
            )


def _half(
    table: "pd.DataFrame", groups: str | None, fraction: float, seed: int
) -> NDArray[np.bool_]:
    if not 0 < fraction < 1:
        raise DataError(f"learn_fraction is {fraction}", expected="in (0, 1)", fix="correct it")
    rng = np.random.default_rng(seed)
    if groups is None:
        return np.asarray(rng.random(len(table)) < fraction)
    codes, names = table[groups].astype(str).factorize()
    return np.asarray((rng.random(len(names)) < fraction)[codes])


def _fitted(
    table: "pd.DataFrame",
    features: Sequence[str],
    strategies: tuple[str, ...],
    chosen: Codes,
    reward: Vector,
) -> LearnedPolicy:
    from sklearn.compose import make_column_selector, make_column_transformer
    from sklearn.linear_model import LogisticRegression, Ridge
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    encoder = make_column_transformer(
        (StandardScaler(), make_column_selector(dtype_include="number")),
        (
            OneHotEncoder(handle_unknown="ignore", sparse_output=False),
            make_column_selector(dtype_exclude="number"),
        ),
    )
    X = encoder.fit_transform(table[list(features)])
    binary = set(np.unique(reward)) <= {0.0, 1.0}
    models = []
    for at in range(len(strategies)):
        mine = chosen == at
        model: Any = LogisticRegression(C=1.0) if binary else Ridge(alpha=1.0)
        if binary and np.unique(reward[mine]).size < 2:
            raise DataError(
                f"every decision for {strategies[at]!r} earned {reward[mine][0]:g}",
                expected="both outcomes",
                fix="log more decisions",
            )
        models.append(model.fit(X[mine], reward[mine]))
    return LearnedPolicy(strategies, tuple(features), encoder, tuple(models))


def _predicted(model: Any, X: Any) -> Vector:
    if hasattr(model, "predict_proba"):
        return np.asarray(model.predict_proba(X)[:, 1], dtype=np.float64)
    return np.asarray(model.predict(X), dtype=np.float64)
