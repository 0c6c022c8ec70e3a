"""The value of a policy from the logs of another: IPS, SNIPS, DM, DR and SNDR, with intervals."""

import math
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from workbench.stats.bounds import clustered_standard_error, t_half_width
from workbench.stats.validation import (
    as_groups,
    as_values,
    check_confidence_level,
    check_same_length,
)

__all__ = ["OffPolicyEstimator", "OffPolicyValue", "off_policy_value"]

OffPolicyEstimator = Literal["ips", "snips", "dm", "dr", "sndr"]
"""How the value is estimated; "sn" stands for self-normalised."""


class OffPolicyValue(NamedTuple):
    """Value of a policy, and how far the logs can tell.

    Attributes
    ----------
    estimate
        Mean reward the policy would have had.
    ci_lower, ci_upper
        Bounds of its confidence interval.
    standard_error
        Of the estimate.
    effective_n
        (Σw)²/Σw²: how many examples drawn from the policy itself the logs are worth.
    mean_weight
        Mean importance weight; it is 1 on average when propensities are right.
    mean_weight_pvalue
        Of a mean weight of 1: a small one says that the logged propensities are wrong, or that
        the logs never tried what the policy does. NaN where it cannot be tested.
    max_weight
        Largest weight (after clipping).
    n_clipped
        Weights that were clipped, which biases the estimate.
    n, n_groups
        Decisions, and the clusters the uncertainty was taken over.
    confidence_level
        Nominal coverage.
    method
        The estimator.
    """

    estimate: float
    ci_lower: float
    ci_upper: float
    standard_error: float
    effective_n: float
    mean_weight: float
    mean_weight_pvalue: float
    max_weight: float
    n_clipped: int
    n: int
    n_groups: int | None
    confidence_level: float
    method: str


def off_policy_value(
    reward: ArrayLike,
    propensity: ArrayLike,
    target_probability: ArrayLike,
    *,
    estimator: OffPolicyEstimator = "snips",
    predicted_reward: ArrayLike | None = None,
    predicted_value: ArrayLike | None = None,
    max_weight: float = math.inf,
    groups: ArrayLike | None = None,
    confidence_level: float = 0.95,
) -> OffPolicyValue:
    """Estimate what a policy would have earned from decisions that another one made.

    Parameters
    ----------
    reward
        What each logged decision earned, shape (n,), n ≥ 2.
    propensity
        Probability with which the logging policy made that decision, in (0, 1], as logged when
        it was made, shape (n,).
    target_probability
        Probability with which the policy to judge would have made it, in [0, 1], shape (n,).
    estimator
        "ips" weighs rewards by target over logged probability and is unbiased; "snips" divides by
        the mean weight and varies less; "dm" trusts a reward model; "dr" corrects the model by
        weighted residuals, unbiased when either is right; "sndr" is its self-normalised form.
    predicted_reward
        Model's reward of the logged decision, shape (n,): for "dr" and "sndr".
    predicted_value
        Model's reward of the policy, Σ_a π(a|x) r̂(x, a), shape (n,): for "dm", "dr" and "sndr".
        The model must not have been fitted to the same rows (use folds).
    max_weight
        Weights are clipped to this.
    groups
        Cluster of each decision (agent, lead), shape (n,).
    confidence_level
        Nominal coverage.

    Returns
    -------
    OffPolicyValue

    Raises
    ------
    ValueError
        If shapes differ, a value is not finite, a probability is out of range, a prediction is
        missing, the estimator is unknown, or the policy never makes a logged decision.

    Notes
    -----
    The interval is asymptotic: with an effective n below about 100, or one weight that carries
    much of the sum, it is too short. The interval of "dm" knows nothing of the model's error.

    References
    ----------
    Horvitz & Thompson (1952), JASA 47:663-685; Swaminathan & Joachims (2015), NeurIPS (SNIPS);
    Dudík, Erhan, Langford & Li (2014), Statistical Science 29:485-511 (DR); the effective size:
    Kong (1992); the influence function of the ratio: Owen (2013), Monte Carlo theory, chapter 9.

    Examples
    --------
    >>> found = off_policy_value([1, 0, 0, 1], [0.5, 0.5, 0.25, 0.25], [0.25, 0.5, 0.25, 0.5])
    >>> round(found.estimate, 3), round(found.effective_n, 2)
    (0.556, 3.24)
    """
    earned = as_values(reward, "reward")
    logged, wanted = _probabilities(propensity, target_probability)
    n = check_same_length(reward=earned, propensity=logged, target_probability=wanted)
    level = check_confidence_level(confidence_level)
    if n < 2:
        raise ValueError("there is one decision; expected at least 2")
    if not max_weight > 0:
        raise ValueError(f"max_weight is {max_weight!r}; expected a number > 0")
    raw = wanted / logged
    weight = np.minimum(raw, max_weight)
    if not weight.any() and estimator != "dm":
        raise ValueError("the policy never makes a logged decision; expected an overlap")
    coded = None if groups is None else as_groups(groups, n)
    model = _predictions(estimator, predicted_reward, predicted_value, n)
    estimate, influence = _influence(estimator, earned, weight, *model)
    # The influences average to the estimate; their standard error is the estimate's.
    error = clustered_standard_error(influence, coded)
    df = (n if coded is None else coded[1]) - 1
    half = t_half_width(error, df, level)
    squares = float(weight @ weight)
    weight_error = clustered_standard_error(raw, coded)
    z = (float(raw.mean()) - 1) / weight_error if weight_error > 0 else math.nan
    return OffPolicyValue(
        estimate,
        estimate - half,
        estimate + half,
        error,
        float(weight.sum()) ** 2 / squares if squares > 0 else 0.0,
        float(raw.mean()),
        2 * float(special.ndtr(-abs(z))),
        float(weight.max()),
        int((raw > max_weight).sum()),
        n,
        None if coded is None else coded[1],
        level,
        estimator if math.isinf(max_weight) else f"{estimator}, weights clipped at {max_weight:g}",
    )


def _influence(
    estimator: str,
    reward: NDArray[np.float64],
    weight: NDArray[np.float64],
    predicted: NDArray[np.float64],
    value: NDArray[np.float64],
) -> tuple[float, NDArray[np.float64]]:
    """Estimate, and per decision what averages to it with the same variance."""
    if estimator == "dm":
        return float(value.mean()), value
    residual = reward - predicted
    weighted = weight * residual
    if estimator in ("ips", "dr"):
        terms = value + weighted
        return float(terms.mean()), terms
    mean_weight = float(weight.mean())
    ratio = float(weighted.mean()) / mean_weight
    estimate = float(value.mean()) + ratio
    return estimate, value + ratio + weight * (residual - ratio) / mean_weight


def _predictions(
    estimator: str, reward: ArrayLike | None, value: ArrayLike | None, n: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    both = ("reward", "value")
    needs: dict[str, tuple[str, ...]] = {
        "ips": (),
        "snips": (),
        "dm": ("value",),
        "dr": both,
        "sndr": both,
    }
    if estimator not in needs:
        raise ValueError(
            f"estimator is {estimator!r}; expected 'ips', 'snips', 'dm', 'dr' or 'sndr'"
        )
    out = []
    for name, given in (("reward", reward), ("value", value)):
        if name not in needs[estimator]:
            out.append(np.zeros(n))
            continue
        if given is None:
            raise ValueError(f"predicted_{name} is missing; {estimator!r} needs it")
        array = as_values(given, f"predicted_{name}")
        if array.size != n:
            raise ValueError(f"predicted_{name} has length {array.size}; expected {n}")
        out.append(array)
    return out[0], out[1]


def _probabilities(
    propensity: ArrayLike, target: ArrayLike
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    logged = as_values(propensity, "propensity")
    wanted = as_values(target, "target_probability")
    if (logged <= 0).any() or (logged > 1).any():
        at = int(np.argmax((logged <= 0) | (logged > 1)))
        raise ValueError(
            f"propensity is {logged[at]} at position {at}; expected a probability in (0, 1]: what"
            " was done cannot have been impossible"
        )
    if (wanted < 0).any() or (wanted > 1).any():
        at = int(np.argmax((wanted < 0) | (wanted > 1)))
        raise ValueError(
            f"target_probability is {wanted[at]} at position {at}; expected one in [0, 1]"
        )
    return logged, wanted
