"""Policies that learn which arm to give, and log with which probability they gave it.

Without the probability no later analysis can tell what another policy would have done. A
policy here never reports a probability it did not draw with.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workbench.errors import DataError, SpecError
from workbench.stats import probability_best_beta

__all__ = ["LinUCB", "PolicyDraw", "ThompsonSampling"]

Vector = NDArray[np.float64]


class PolicyDraw(NamedTuple):
    """One arm drawn by a policy.

    Attributes
    ----------
    arm
        The arm.
    propensity
        Probability with which it was drawn.
    propensities
        Probability of every arm, by name, adding up to 1.
    """

    arm: str
    propensity: float
    propensities: Mapping[str, float]


class ThompsonSampling:
    """Give each arm with the posterior probability that it is the best (0/1 rewards).

    The probability is computed exactly, by quadrature over the beta posteriors, and the arm is
    drawn from it: the same distribution as the usual draw from each posterior, with the
    propensity known.

    Parameters
    ----------
    arms
        Their names.
    floor
        Least probability of every arm, in [0, 1/k]: bounds the weights of off-policy estimates.
    random_state
        Seed; the i-th draw of two policies with one seed and one history is the same.
    """

    def __init__(self, arms: Sequence[str], *, floor: float = 0.0, random_state: int = 0) -> None:
        self._arms = _checked_arms(arms)
        if not 0 <= floor <= 1 / len(self._arms):
            raise SpecError(
                f"floor is {floor!r}", expected=f"a share up to 1/{len(self._arms)}", fix="lower it"
            )
        self.floor = floor
        self.random_state = random_state
        self._counts = {arm: [0, 0] for arm in self._arms}  # successes, trials
        self._n_draws = 0
        self._known: Mapping[str, float] | None = None

    @property
    def propensities(self) -> Mapping[str, float]:
        """Probability with which each arm would be drawn now."""
        if self._known is None:
            best = probability_best_beta([(s, n) for s, n in self._counts.values()])
            k = len(self._arms)
            mixed = self.floor + (1 - k * self.floor) * best / best.sum()
            self._known = dict(zip(self._arms, mixed.tolist(), strict=True))
        return self._known

    def draw(self) -> PolicyDraw:
        """Draw an arm for the next unit."""
        found = _draw(self.propensities, self.random_state, self._n_draws)
        self._n_draws += 1
        return found

    def update(self, arm: str, reward: float) -> None:
        """Take in a reward, whenever it arrives.

        Parameters
        ----------
        arm
            The arm that was given.
        reward
            0 or 1.

        Raises
        ------
        DataError
            If the arm is unknown or the reward neither 0 nor 1.
        """
        _check_arm(arm, self._arms)
        if reward not in (0, 1):
            raise DataError(
                f"the reward is {reward!r}", expected="0 or 1", fix="record a proportion metric"
            )
        self._counts[arm][0] += int(reward)
        self._counts[arm][1] += 1
        self._known = None

    def state(self) -> dict[str, Any]:
        """Everything `restore` needs, as plain values."""
        return {
            "policy": "thompson",
            "arms": list(self._arms),
            "floor": self.floor,
            "random_state": self.random_state,
            "n_draws": self._n_draws,
            "counts": {arm: list(c) for arm, c in self._counts.items()},
        }

    @classmethod
    def restore(cls, state: Mapping[str, Any]) -> "ThompsonSampling":
        """Go on where `state` was taken."""
        policy = cls(state["arms"], floor=state["floor"], random_state=state["random_state"])
        policy._n_draws = int(state["n_draws"])
        policy._counts = {arm: [int(c) for c in counts] for arm, counts in state["counts"].items()}
        return policy


class LinUCB:
    """Give mostly the arm whose linear upper confidence bound is highest in this context.

    LinUCB itself is deterministic: its propensities are 0 and 1, from which nothing can be said
    about other policies. So with probability `epsilon` an arm is drawn evenly instead, and the
    propensities logged are those of that mixture. Ties share their probability.

    Parameters
    ----------
    arms
        Their names.
    n_features
        Length of a context, its constant included.
    exploration
        Width of the bound in standard errors (alpha in the paper), ≥ 0.
    epsilon
        Probability of an even draw, in [0, 1]. At 0 the policy is deterministic and
        `supports_off_policy` is false.
    ridge
        Penalty of the regression, > 0.
    random_state
        Seed of the draws.

    References
    ----------
    Li, Chu, Langford & Schapire (2010), WWW, 661-670, algorithm 1.
    """

    def __init__(
        self,
        arms: Sequence[str],
        n_features: int,
        *,
        exploration: float = 1.0,
        epsilon: float = 0.1,
        ridge: float = 1.0,
        random_state: int = 0,
    ) -> None:
        self._arms = _checked_arms(arms)
        valid = n_features >= 1 and exploration >= 0 and 0 <= epsilon <= 1 and ridge > 0
        if not (valid and math.isfinite(exploration) and math.isfinite(ridge)):
            raise SpecError(
                f"n_features {n_features}, exploration {exploration}, epsilon {epsilon}, ridge"
                f" {ridge}",
                expected="n_features ≥ 1, exploration ≥ 0, epsilon in [0, 1], ridge > 0",
                fix="correct the parameter",
            )
        self.n_features, self.exploration = n_features, exploration
        self.epsilon, self.ridge, self.random_state = epsilon, ridge, random_state
        self._inverse = {arm: np.eye(n_features) / ridge for arm in self._arms}
        self._reward = {arm: np.zeros(n_features) for arm in self._arms}
        self._n_draws = 0

    @property
    def supports_off_policy(self) -> bool:
        """Whether every arm has a positive propensity."""
        return self.epsilon > 0

    def bounds(self, context: ArrayLike) -> dict[str, float]:
        """Return the upper confidence bound of each arm in a context.

        Parameters
        ----------
        context
            Features, shape (n_features,).

        Raises
        ------
        DataError
            If the context has another shape or is not finite.
        """
        x = self._context(context)
        out = {}
        for arm in self._arms:
            inverse = self._inverse[arm]
            width = math.sqrt(max(float(x @ inverse @ x), 0.0))
            out[arm] = float(x @ inverse @ self._reward[arm]) + self.exploration * width
        return out

    def propensities(self, context: ArrayLike) -> Mapping[str, float]:
        """Probability with which each arm would be drawn in a context."""
        bounds = self.bounds(context)
        top = max(bounds.values())
        best = [arm for arm, value in bounds.items() if value >= top - 1e-12 * max(1.0, abs(top))]
        even = self.epsilon / len(self._arms)
        return {
            arm: even + ((1 - self.epsilon) / len(best) if arm in best else 0.0)
            for arm in self._arms
        }

    def draw(self, context: ArrayLike) -> PolicyDraw:
        """Draw an arm for a unit with this context."""
        found = _draw(self.propensities(context), self.random_state, self._n_draws)
        self._n_draws += 1
        return found

    def update(self, context: ArrayLike, arm: str, reward: float) -> None:
        """Take in a reward, whenever it arrives.

        Parameters
        ----------
        context
            Features the arm was given for.
        arm
            The arm.
        reward
            Any finite number.

        Raises
        ------
        DataError
            If the arm is unknown, or a number is not finite.
        """
        _check_arm(arm, self._arms)
        x = self._context(context)
        if not math.isfinite(reward):
            raise DataError(f"the reward is {reward!r}", expected="a finite number", fix="drop it")
        # Sherman & Morrison: the inverse after one more row, without inverting.
        inverse = self._inverse[arm]
        step = inverse @ x
        self._inverse[arm] = inverse - np.outer(step, step) / (1.0 + float(x @ step))
        self._reward[arm] = self._reward[arm] + reward * x

    def state(self) -> dict[str, Any]:
        """Everything `restore` needs, as plain values."""
        return {
            "policy": "linucb",
            "arms": list(self._arms),
            "n_features": self.n_features,
            "exploration": self.exploration,
            "epsilon": self.epsilon,
            "ridge": self.ridge,
            "random_state": self.random_state,
            "n_draws": self._n_draws,
            "inverse": {arm: m.tolist() for arm, m in self._inverse.items()},
            "reward": {arm: v.tolist() for arm, v in self._reward.items()},
        }

    @classmethod
    def restore(cls, state: Mapping[str, Any]) -> "LinUCB":
        """Go on where `state` was taken."""
        policy = cls(
            state["arms"],
            state["n_features"],
            exploration=state["exploration"],
            epsilon=state["epsilon"],
            ridge=state["ridge"],
            random_state=state["random_state"],
        )
        policy._n_draws = int(state["n_draws"])
        policy._inverse = {arm: np.array(m) for arm, m in state["inverse"].items()}
        policy._reward = {arm: np.array(v) for arm, v in state["reward"].items()}
        return policy

    def _context(self, context: ArrayLike) -> Vector:
        x = np.asarray(context, dtype=np.float64)
        if x.shape != (self.n_features,) or not np.isfinite(x).all():
            raise DataError(
                f"the context has shape {x.shape} or is not finite",
                expected=f"{self.n_features} finite numbers",
                fix="build it with the features the policy was made for",
            )
        return x


def _checked_arms(arms: Sequence[str]) -> tuple[str, ...]:
    names = tuple(arms)
    if len(names) < 2 or len(set(names)) != len(names):
        raise SpecError(f"arms are {names!r}", expected="two or more different names", fix="add")
    return names


def _check_arm(arm: str, arms: tuple[str, ...]) -> None:
    if arm not in arms:
        raise DataError(f"{arm!r} is no arm", expected=f"one of {', '.join(arms)}", fix="rename it")


def _draw(propensities: Mapping[str, float], seed: int, index: int) -> PolicyDraw:
    """One arm, from a stream of its own for every draw: a restored policy goes on the same."""
    arms, p = list(propensities), np.array(list(propensities.values()))
    at = float(np.random.default_rng([seed, index]).random())
    chosen = int(np.searchsorted(np.cumsum(p / p.sum()), at, side="right"))
    arm = arms[min(chosen, len(arms) - 1)]
    return PolicyDraw(arm, propensities[arm], propensities)
