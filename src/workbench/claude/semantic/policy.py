"""Whether a stored answer may be served: an estimate of its error, with an upper limit.

The rule is vCache's (Schroeder et al. 2025, arXiv 2502.03771). No threshold is set by hand: a
logistic model of the chance that a cached answer is the right one is learned online, from
questions asked although a neighbour was there. An answer is served only where the confident end
of that estimate keeps the user's bound; else the question is asked, which teaches the model.
Two things differ:

- The model does not see the similarity alone, but also how far the nearest question with
  *another* answer is, how the neighbours vote, and the record of the cached question itself.
  Fitted for each cached question alone, as in the paper, it has too few observations; here
  the slopes are shared and a cached question moves its own estimate through its record.
- The bound holds for answers served. The paper bounds wrong answers among all questions, so
  that a cache which seldom serves may be wrong most of the time it does. The
  probability of asking is therefore 1 where the bound fails, and the audited share where it
  holds.

`python -m benchmarks semantic_cache` measures this beside static thresholds and the rule as
published. Evidence unlike any seen before gives a limit near 1, so that it is asked about first.
"""

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import special

__all__ = ["ErrorModel", "Neighbourhood", "fit_error_model", "read_neighbourhood"]

Floats = NDArray[np.float64]

NEIGHBOURS = 8
_SOFTNESS = 0.02  # similarities closer together than this count as about equal
_SHARPNESS = 10.0  # a neighbour 0.1 farther away votes with e^-1 of the weight
_PRIOR_ERRORS, _PRIOR_RIGHT = 0.2, 1.8  # a record starts as one error in ten
_MIN_OBSERVATIONS = 60
_MAX_STEPS = 50
_PSEUDO_WEIGHT = 0.5
_RIDGE = 1.0
_INTERCEPT_RIDGE = 1e-3


class Neighbourhood(NamedTuple):
    """What speaks for and against serving one cached answer.

    Parameters
    ----------
    distance
        log of 1 − similarity to the cached question.
    margin
        How much nearer the nearest question with the same answer is than the nearest with
        another; negative when another answer is nearer.
    dissent
        log of the neighbours' share of votes for another answer.
    record
        Log-odds that the cached answer was wrong when tried before.
    """

    distance: float
    margin: float
    dissent: float
    record: float


@dataclass(frozen=True, slots=True)
class ErrorModel:
    """Chance that a cached answer is wrong, given its neighbourhood.

    Parameters
    ----------
    centre, scale
        Of the evidence, shape (4,).
    coefficients
        Intercept and slopes of the log-odds of being right, shape (5,).
    covariance
        Of the coefficients, shape (5, 5).
    n
        Observations it was fitted to.
    """

    centre: Floats
    scale: Floats
    coefficients: Floats
    covariance: Floats
    n: int

    def upper_error(self, evidence: Neighbourhood, z: float) -> float:
        """Upper confidence limit of the chance of a wrong answer.

        Parameters
        ----------
        evidence
            The neighbourhood of the cached answer.
        z
            Normal quantile of the one-sided confidence level.

        Returns
        -------
        float
            Between 0 and 1.
        """
        row = np.append(1.0, (np.array(evidence) - self.centre) / self.scale)
        spread = math.sqrt(float(row @ self.covariance @ row))
        return float(special.expit(-(float(row @ self.coefficients) - z * spread)))


def read_neighbourhood(
    similarity: float,
    neighbours: NDArray[np.float32],
    same_answer: NDArray[np.bool_],
    errors: int,
    tried: int,
) -> Neighbourhood:
    """Gather the evidence on one candidate.

    Parameters
    ----------
    similarity
        Of the question to the cached one whose answer would be served.
    neighbours
        Similarities to the nearest cached questions, whatever their guard, shape (k,).
    same_answer
        Which of them have the candidate's answer, shape (k,).
    errors, tried
        How often the candidate's answer was wrong, of how often it was compared.

    Returns
    -------
    Neighbourhood
        Four numbers.

    Examples
    --------
    >>> near = read_neighbourhood(0.95, np.float32([0.95, 0.9]), np.array([True, True]), 0, 3)
    >>> torn = read_neighbourhood(0.95, np.float32([0.95, 0.9]), np.array([True, False]), 0, 3)
    >>> near.dissent < torn.dissent, near.distance == torn.distance
    (True, True)
    """
    others = neighbours[~same_answer]
    other = float(others.max() if others.size else neighbours.min())
    own = max(similarity, float(neighbours[same_answer].max(initial=-1.0)))
    votes = np.exp(_SHARPNESS * (neighbours - neighbours.max()))
    dissent = float(votes[~same_answer].sum() / votes.sum())
    margin = own - other
    return Neighbourhood(
        math.log(_SOFTNESS + max(0.0, 1.0 - similarity)),
        math.copysign(math.log1p(abs(margin) / _SOFTNESS), margin),
        math.log(_SOFTNESS + dissent),
        math.log((errors + _PRIOR_ERRORS) / (tried - errors + _PRIOR_RIGHT)),
    )


def fit_error_model(evidence: Floats, agreed: NDArray[np.bool_]) -> ErrorModel | None:
    """Fit the chance of a right answer by penalised logistic regression (Newton's method).

    One half of a right and one half of a wrong answer at the centre keep the estimate finite
    when nothing went wrong yet: after n right answers it is about 1 − 1/(2n), with a wide band.

    Parameters
    ----------
    evidence
        Neighbourhoods of the answers compared, shape (n, 4).
    agreed
        Whether each was right, shape (n,).

    Returns
    -------
    ErrorModel or None
        `None` for fewer than 60 observations, from which nothing is concluded.
    """
    n = len(evidence)
    if n < _MIN_OBSERVATIONS:
        return None
    centre, scale = evidence.mean(axis=0), evidence.std(axis=0) + 1e-6
    rows = np.column_stack([np.ones(n), (evidence - centre) / scale])
    pseudo = np.zeros((2, rows.shape[1]))
    pseudo[:, 0] = 1.0
    rows = np.vstack([rows, pseudo])
    target = np.concatenate([agreed.astype(float), [0.0, 1.0]])
    weight = np.concatenate([np.ones(n), np.full(2, _PSEUDO_WEIGHT)])
    penalty = np.diag([_INTERCEPT_RIDGE, *[_RIDGE] * (rows.shape[1] - 1)])
    w = np.zeros(rows.shape[1])
    for _ in range(_MAX_STEPS):
        p = special.expit(rows @ w)
        gradient = rows.T @ (weight * (target - p)) - penalty @ w
        hessian = (rows * (weight * p * (1 - p))[:, None]).T @ rows + penalty
        step = np.linalg.solve(hessian, gradient)
        w += step / max(1.0, float(np.abs(step).max()))  # a long step may overshoot
        if np.abs(step).max() < 1e-8:
            break
    return ErrorModel(centre, scale, w, np.linalg.inv(hessian), n)
