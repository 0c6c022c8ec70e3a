"""Group-sequential boundaries: a fixed number of looks, planned beforehand.

Where looks can be planned they cost less than looking always: the boundaries are exact for a
normal score process by recursive integration.
"""

import functools
import math
from collections.abc import Callable
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import optimize, special

from workbench.stats.validation import as_values, check_confidence_level, check_count

__all__ = [
    "GroupSequentialDesign",
    "Spending",
    "classic_boundary",
    "crossing_probabilities",
    "group_sequential_design",
    "spending_boundary",
    "spent_alpha",
]

Spending = Literal["obrien-fleming", "pocock", "hwang-shih-decani", "power"]
"""How the error rate is spent over information time."""

Vector = NDArray[np.float64]

# Beyond so many standard deviations nothing is left; so many nodes a step give 12 digits.
_FAR = 9.0
_NODES_PER_STEP, _MIN_NODES, _MAX_NODES = 4, 64, 600


class GroupSequentialDesign(NamedTuple):
    """Boundaries on the z scale for each planned look.

    Attributes
    ----------
    information
        Share of the full information at each look, shape (k,).
    efficacy
        Stop for an effect where z is at or above this, shape (k,).
    futility
        Stop for futility where z is at or below this, shape (k,); −∞ without futility. It is
        not binding: going on in spite of it does not raise the type I error.
    drift
        Expected z at full information at which the design has its power.
    inflation
        Largest sample size relative to a fixed design of the same level and power.
    expected_information
        Mean share of the full information used when the effect is as planned.
    expected_information_null
        The same when there is no effect.
    """

    information: Vector
    efficacy: Vector
    futility: Vector
    drift: float
    inflation: float
    expected_information: float
    expected_information_null: float


def spent_alpha(
    information: ArrayLike,
    alpha: float,
    spending: Spending = "obrien-fleming",
    *,
    parameter: float | None = None,
) -> Vector:
    """Return the error rate spent up to each information time.

    Parameters
    ----------
    information
        Shares of the full information, in (0, 1], shape (k,).
    alpha
        One-sided error rate in all.
    spending
        "obrien-fleming": 2 − 2Φ(z_{alpha/2}/√t); "pocock": alpha ln(1 + (e − 1)t);
        "hwang-shih-decani": alpha (1 − e^{−γt})/(1 − e^{−γ}); "power": alpha t^φ.
    parameter
        γ (−4 by default) or φ (2 by default).

    Returns
    -------
    NDArray[np.float64]
        Shape (k,).

    Raises
    ------
    ValueError
        If a time is not in (0, 1], alpha not in (0, 1), or the spending unknown.

    References
    ----------
    Lan & DeMets (1983), Biometrika 70:659-663; Hwang, Shih & DeCani (1990), Statistics in
    Medicine 9:1439-1445; Kim & DeMets (1987), Biometrika 74:149-154.

    Examples
    --------
    >>> spent_alpha([0.5, 1.0], 0.025).round(5).tolist()
    [0.00153, 0.025]
    """
    t = _checked_times(information)
    alpha = check_confidence_level(alpha, "alpha")
    if spending == "obrien-fleming":
        return np.asarray(2 * special.ndtr(special.ndtri(alpha / 2) / np.sqrt(t)))
    if spending == "pocock":
        return np.asarray(alpha * np.log1p((math.e - 1) * t))
    if spending == "hwang-shih-decani":
        gamma = -4.0 if parameter is None else float(parameter)
        if gamma == 0:
            return alpha * t
        return np.asarray(alpha * np.expm1(-gamma * t) / math.expm1(-gamma))
    if spending == "power":
        phi = 2.0 if parameter is None else float(parameter)
        if not phi > 0:
            raise ValueError(f"parameter is {parameter!r}; expected a power > 0")
        return np.asarray(alpha * t**phi)
    raise ValueError(
        f"spending is {spending!r}; expected 'obrien-fleming', 'pocock', 'hwang-shih-decani' or"
        " 'power'"
    )


def spending_boundary(
    information: ArrayLike,
    *,
    alpha: float = 0.05,
    spending: Spending = "obrien-fleming",
    parameter: float | None = None,
    two_sided: bool = True,
) -> Vector:
    """Return the boundary on z that spends the error rate as planned.

    Parameters
    ----------
    information
        Rising shares of the full information at the looks, in (0, 1], shape (k,).
    alpha
        Error rate in all; a two-sided test spends half of it on each side.
    spending, parameter
        As `spent_alpha`.
    two_sided
        Whether |z| or z is compared with the boundary.

    Returns
    -------
    NDArray[np.float64]
        Shape (k,).

    Raises
    ------
    ValueError
        As `spent_alpha`, and if the times do not rise.

    References
    ----------
    Armitage, McPherson & Rowe (1969), JRSS A 132:235-244 (the recursion); Lan & DeMets (1983).

    Examples
    --------
    >>> spending_boundary([0.2, 0.4, 0.6, 0.8, 1.0]).round(3).tolist()
    [4.877, 3.357, 2.68, 2.29, 2.031]
    """
    t = _checked_times(information)
    spent = spent_alpha(t, alpha / 2 if two_sided else alpha, spending, parameter=parameter)
    process = _Process(t, 0.0)
    bounds = np.empty(t.size)
    for k, increment in enumerate(np.diff(spent, prepend=0.0)):
        bounds[k] = process.upper_for(max(float(increment), 1e-300))
        process.step(-bounds[k] if two_sided else -math.inf, bounds[k])
    return bounds


def classic_boundary(
    kind: Literal["obrien-fleming", "pocock"], n_looks: int, *, alpha: float = 0.05
) -> Vector:
    """Return the classic two-sided boundary for equally spaced looks.

    Parameters
    ----------
    kind
        "pocock": the same z at every look; "obrien-fleming": z falls with the root of the look.
    n_looks
        Number of looks, ≥ 1.
    alpha
        Two-sided error rate.

    Returns
    -------
    NDArray[np.float64]
        Shape (n_looks,).

    Raises
    ------
    ValueError
        If a number is out of range or the kind unknown.

    References
    ----------
    Jennison & Turnbull (2000), Group Sequential Methods, tables 2.1 and 2.3.

    Examples
    --------
    >>> classic_boundary("pocock", 5).round(3).tolist()
    [2.413, 2.413, 2.413, 2.413, 2.413]
    """
    looks = check_count(n_looks, "n_looks")
    alpha = check_confidence_level(alpha, "alpha")
    if kind not in ("obrien-fleming", "pocock"):
        raise ValueError(f"kind is {kind!r}; expected 'obrien-fleming' or 'pocock'")
    t = np.arange(1, looks + 1) / looks
    shape = np.ones(looks) if kind == "pocock" else 1 / np.sqrt(t)

    def excess(constant: float) -> float:
        upper = constant * shape
        return float(crossing_probabilities(t, upper, -upper)[0].sum()) * 2 - alpha

    lowest = -float(special.ndtri(alpha / 2))
    return np.asarray(optimize.brentq(excess, 0.9 * lowest, lowest + 6, xtol=1e-10) * shape)


def crossing_probabilities(
    information: ArrayLike, upper: ArrayLike, lower: ArrayLike, *, drift: float = 0.0
) -> tuple[Vector, Vector]:
    """Return with which probability z first leaves the boundaries at each look.

    Parameters
    ----------
    information
        Rising shares of the full information at the looks, in (0, 1], shape (k,).
    upper, lower
        Boundaries on z, shape (k,); infinite where there is none.
    drift
        Expected z at full information.

    Returns
    -------
    tuple[NDArray[np.float64], NDArray[np.float64]]
        Probabilities of leaving above and below, each of shape (k,).

    Raises
    ------
    ValueError
        If shapes differ, times do not rise or lie outside (0, 1], or a lower bound exceeds the
        upper.

    References
    ----------
    Armitage, McPherson & Rowe (1969), JRSS A 132:235-244.

    Examples
    --------
    >>> above, below = crossing_probabilities([0.5, 1.0], [1.96, 1.96], [-1.96, -1.96])
    >>> round(float(above.sum() + below.sum()), 3)
    0.083
    """
    t = _checked_times(information)
    high, low = np.asarray(upper, dtype=np.float64), np.asarray(lower, dtype=np.float64)
    if high.shape != t.shape or low.shape != t.shape or (low > high).any():
        raise ValueError(
            f"bounds have shapes {high.shape} and {low.shape}; expected {t.shape}, lower ≤ upper"
        )
    process = _Process(t, drift)
    above, below = np.empty(t.size), np.empty(t.size)
    for k in range(t.size):
        above[k], below[k] = process.above(high[k]), process.below(low[k])
        process.step(low[k], high[k])
    return above, below


def group_sequential_design(
    information: ArrayLike,
    *,
    alpha: float = 0.025,
    power: float = 0.8,
    spending: Spending = "obrien-fleming",
    parameter: float | None = None,
    futility: Spending | None = None,
    futility_parameter: float | None = None,
) -> GroupSequentialDesign:
    """Plan a one-sided group-sequential test with a non-binding futility bound.

    Parameters
    ----------
    information
        Rising shares of the full information at the looks, the last one 1, shape (k,).
    alpha
        One-sided type I error rate.
    power
        Wanted at the planned effect.
    spending, parameter
        How alpha is spent.
    futility, futility_parameter
        How the type II error 1 − power is spent; no futility bound when None.

    Returns
    -------
    GroupSequentialDesign

    Raises
    ------
    ValueError
        If a number is out of range, the times do not rise to 1, or power ≤ alpha.

    References
    ----------
    Pampallona, Tsiatis & Kim (2001), Drug Information Journal 35:1113-1121 (beta spending);
    Jennison & Turnbull (2000), chapter 7.

    Examples
    --------
    >>> design = group_sequential_design([0.25, 0.5, 0.75, 1.0], futility="obrien-fleming")
    >>> design.efficacy.round(2).tolist(), round(design.inflation, 2)
    ([4.33, 2.96, 2.36, 2.01], 1.13)
    """
    t = _checked_times(information)
    power = check_confidence_level(power, "power")
    alpha = check_confidence_level(alpha, "alpha")
    if t[-1] != 1.0 or power <= alpha:
        raise ValueError(
            f"the last look is at {t[-1]} and power is {power}; expected 1 and more than {alpha}"
        )
    efficacy = spending_boundary(
        t, alpha=alpha, spending=spending, parameter=parameter, two_sided=False
    )
    fixed = float(special.ndtri(power) - special.ndtri(alpha))
    bottom = np.full(t.size, -math.inf)
    beta = (
        None
        if futility is None
        else spent_alpha(t, 1 - power, futility, parameter=futility_parameter)
    )

    def shortfall(drift: float) -> float:
        low = bottom if beta is None else _futility(t, efficacy, beta, drift)
        return power - float(crossing_probabilities(t, efficacy, low, drift=drift)[0].sum())

    drift = float(optimize.brentq(shortfall, fixed * 0.99, fixed * 2, xtol=1e-8))
    low = bottom if beta is None else _futility(t, efficacy, beta, drift)
    used = [
        float(t @ (above + below)) + float(t[-1]) * (1 - float((above + below).sum()))
        for above, below in (
            crossing_probabilities(t, efficacy, low, drift=d) for d in (drift, 0.0)
        )
    ]
    return GroupSequentialDesign(t, efficacy, low, drift, (drift / fixed) ** 2, used[0], used[1])


def _futility(t: Vector, efficacy: Vector, beta: Vector, drift: float) -> Vector:
    """Lower bounds that spend the type II error at this drift; the last meets efficacy."""
    process = _Process(t, drift)
    bounds = np.empty(t.size)
    for k, increment in enumerate(np.diff(beta, prepend=0.0)):
        bounds[k] = min(process.lower_for(max(float(increment), 1e-300)), efficacy[k])
        process.step(bounds[k], efficacy[k])
    bounds[-1] = efficacy[-1]
    return bounds


class _Process:
    """Density of a Brownian motion with drift that has not yet left its boundaries."""

    def __init__(self, t: Vector, drift: float) -> None:
        self.t, self.drift, self.at = t, drift, 0
        self.nodes, self.weights = np.zeros(1), np.ones(1)

    def _spread(self) -> tuple[float, float]:
        """Standard deviation and mean of the next step."""
        step = float(self.t[self.at] - (self.t[self.at - 1] if self.at else 0.0))
        return math.sqrt(step), self.drift * step

    def above(self, z: float) -> float:
        """Probability of being above a bound on z at the next look, not having left before."""
        sd, mean = self._spread()
        reach = (self.nodes + mean - z * math.sqrt(self.t[self.at])) / sd
        return float(self.weights @ special.ndtr(reach))

    def below(self, z: float) -> float:
        """Probability of being below a bound on z at the next look, not having left before."""
        sd, mean = self._spread()
        reach = (z * math.sqrt(self.t[self.at]) - self.nodes - mean) / sd
        return float(self.weights @ special.ndtr(reach))

    def upper_for(self, probability: float) -> float:
        """Bound that is exceeded with this probability."""
        return _invert(lambda z: self.above(z) - probability, falling=True)

    def lower_for(self, probability: float) -> float:
        """Bound that is fallen short of with this probability."""
        return _invert(lambda z: self.below(z) - probability, falling=False)

    def step(self, lower: float, upper: float) -> None:
        """Go on inside the bounds on z of the next look."""
        sd, mean = self._spread()
        root = math.sqrt(self.t[self.at])
        centre = self.drift * float(self.t[self.at])
        low = max(lower * root, centre - _FAR * root)
        high = min(upper * root, centre + _FAR * root)
        if high <= low:
            self.nodes, self.weights = np.array([low]), np.zeros(1)
        else:
            wanted = math.ceil(_NODES_PER_STEP * (high - low) / sd)
            x, w = _legendre(min(max(wanted, _MIN_NODES), _MAX_NODES))
            nodes = low + (high - low) * (x + 1) / 2
            gap = (nodes[:, None] - self.nodes - mean) / sd
            density = np.exp(-0.5 * gap**2) @ self.weights / (sd * math.sqrt(2 * math.pi))
            self.nodes, self.weights = nodes, density * w * (high - low) / 2
        self.at += 1


def _invert(excess: Callable[[float], float], *, falling: bool) -> float:
    low, high = -_FAR - 30, _FAR + 30
    # Where hardly anything is left inside, the probability is out of reach: stop all of it.
    if falling and excess(low) <= 0:
        return low
    if not falling and excess(high) <= 0:
        return high
    return float(optimize.brentq(excess, low, high, xtol=1e-10))


@functools.lru_cache(maxsize=128)
def _legendre(n: int) -> tuple[Vector, Vector]:
    x, w = special.roots_legendre(n)
    return np.asarray(x), np.asarray(w)


def _checked_times(information: ArrayLike) -> Vector:
    t = as_values(information, "information")
    if (t <= 0).any() or (t > 1).any() or (np.diff(t) <= 0).any():
        raise ValueError(f"information is {t.tolist()}; expected rising shares in (0, 1]")
    return t
