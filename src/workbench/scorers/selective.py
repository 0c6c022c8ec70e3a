"""Scores of confidence: how often answers are wrong when the least sure are left out."""

import html
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from workbench.errors import EvaluationError
from workbench.scorers.weighted import as_rows, check_pairs, divided, tie_run_ends
from workbench.stats import Statistic

__all__ = [
    "RiskCoverage",
    "accuracy_at_coverage",
    "aurc",
    "coverage_at_risk",
    "risk_coverage",
]

Matrix = NDArray[np.float64]


@dataclass(frozen=True)
class RiskCoverage:
    """What share is answered, and how often wrongly, as less and less confidence suffices.

    Parameters
    ----------
    coverage, risk, threshold : ndarray of shape (n_points,)
        Share answered, share of those that is wrong, and the confidence from which on answers
        are given; from the most confident on.
    aurc
        Area under the curve: mean risk over the examples' own thresholds.
    n
        Examples.
    """

    coverage: Matrix
    risk: Matrix
    threshold: Matrix
    aurc: float
    n: int

    def to_frame(self) -> pd.DataFrame:
        """One row a threshold.

        Returns
        -------
        DataFrame

        Examples
        --------
        >>> risk_coverage(["a", "b"], ["a", "a"], confidence=[0.9, 0.6]).to_frame()["risk"].tolist()
        [0.0, 0.5]
        """
        return pd.DataFrame(
            {"threshold": self.threshold, "coverage": self.coverage, "risk": self.risk}
        )

    def _repr_html_(self) -> str:
        width, height, left, low = 320, 160, 34, 18
        top = max(float(self.risk.max()), 1e-9)
        points = " ".join(
            f"{left + (width - left) * c:.1f},{(height - low) * (1 - r / top) + 4:.1f}"
            for c, r in zip(self.coverage, self.risk, strict=True)
        )
        words = html.escape(
            f"Risk against coverage of {self.n:,} examples: AURC {self.aurc:.4f}, "
            f"{self.risk[-1]:.1%} wrong when all are answered."
        )
        return (
            f"<svg width='{width + 8}' height='{height + 8}' role='img' aria-label='{words}'>"
            f"<path d='M{left} 4V{height - low + 4}H{width}' fill='none' stroke='#6b7280'/>"
            f"<polyline points='{points}' fill='none' stroke='#0072B2' stroke-width='1.8'/>"
            f"<text x='2' y='12' font-size='10'>{top:.0%}</text>"
            f"<text x='{width - 84}' y='{height + 4}' font-size='10'>coverage 100%</text></svg>"
            f"<p><small>{words}</small></p>"
        )


@dataclass(frozen=True)
class _Ranked:
    """Examples by falling confidence; runs of equal confidence are answered together."""

    order: NDArray[np.intp]
    wrong: Matrix
    confidence: Matrix
    ends: NDArray[np.intp]
    run: NDArray[np.intp]

    def curve(self, weights: ArrayLike) -> tuple[Matrix, Matrix, Matrix]:
        """Weights in order, and the weight answered and wrong by the end of each run."""
        w = as_rows(weights, len(self.order))[:, self.order]
        answered = np.cumsum(w, axis=1)[:, self.ends]
        return w, answered, np.cumsum(w * self.wrong, axis=1)[:, self.ends]


def _ranked(
    truth: Sequence[Hashable],
    answered: Sequence[Hashable | None],
    confidence: Sequence[float | None],
) -> _Ranked:
    check_pairs(truth, answered)
    check_pairs(truth, confidence)
    given = np.array([np.nan if c is None else float(c) for c in confidence])
    missing = np.array([a is None for a in answered])
    if np.isinf(given).any() or np.isnan(given[~missing]).any():
        raise EvaluationError(
            "an answer has no finite confidence",
            expected="a number beside every answer",
            fix="pass None as the answer where there is none",
        )
    # What was not answered is wrong, and comes last.
    known = given[~missing]
    last = known.min() - 1.0 if known.size else 0.0
    given = np.where(missing, last, given)
    wrong = np.array([float(a is None or t != a) for t, a in zip(truth, answered, strict=True)])
    order = np.argsort(-given, kind="stable")
    ends = tie_run_ends(given[order])
    run = np.searchsorted(ends, np.arange(len(order)))
    return _Ranked(order, wrong[order], given[order], ends, run)


def risk_coverage(
    truth: Sequence[Hashable],
    answered: Sequence[Hashable | None],
    *,
    confidence: Sequence[float | None],
) -> RiskCoverage:
    """Risk at every coverage.

    Parameters
    ----------
    truth, answered
        One value an example; None is wrong, and never answered before the others.
    confidence
        Higher means surer. Answers of equal confidence come together.

    Returns
    -------
    RiskCoverage

    Raises
    ------
    EvaluationError
        When lengths differ or an answer has no finite confidence.

    References
    ----------
    El-Yaniv & Wiener (2010), JMLR 11:1605-1641; Geifman & El-Yaniv (2017), NeurIPS.

    Examples
    --------
    >>> found = risk_coverage(["a", "b", "b"], ["a", "b", "a"], confidence=[0.9, 0.8, 0.5])
    >>> found.risk.round(3).tolist(), round(found.aurc, 3)
    ([0.0, 0.0, 0.333], 0.111)
    """
    ranked = _ranked(truth, answered, confidence)
    ones = np.ones(len(truth))
    _, covered, wrong = ranked.curve(ones)
    area = float(_area(ranked)(ones)[0])
    n = len(truth)
    return RiskCoverage(
        covered[0] / n, wrong[0] / covered[0], ranked.confidence[ranked.ends], area, n
    )


def _area(ranked: _Ranked) -> Statistic:
    def statistic(weights: ArrayLike) -> Matrix:
        w, covered, wrong = ranked.curve(weights)
        risk = np.nan_to_num(divided(wrong, covered))
        return divided((w * risk[:, ranked.run]).sum(axis=1), w.sum(axis=1))

    return statistic


def aurc(
    truth: Sequence[Hashable],
    answered: Sequence[Hashable | None],
    *,
    confidence: Sequence[float | None],
) -> Statistic:
    """Area under the risk-coverage curve; lower is better.

    Parameters
    ----------
    truth, answered, confidence
        As for `risk_coverage`.

    Returns
    -------
    Statistic

    Raises
    ------
    EvaluationError
        As `risk_coverage`.

    References
    ----------
    Geifman & El-Yaniv (2017), NeurIPS.

    Examples
    --------
    >>> aurc(["a", "b"], ["a", "a"], confidence=[0.9, 0.6])([1, 1]).tolist()
    [0.25]
    """
    return _area(_ranked(truth, answered, confidence))


def coverage_at_risk(
    truth: Sequence[Hashable],
    answered: Sequence[Hashable | None],
    *,
    confidence: Sequence[float | None],
    risk: float = 0.05,
) -> Statistic:
    """Largest share that can be answered with at most a given share of it wrong.

    Parameters
    ----------
    truth, answered, confidence
        As for `risk_coverage`.
    risk
        Largest share of answers that may be wrong, in [0, 1].

    Returns
    -------
    Statistic
        0 where no threshold keeps to it. The threshold is picked on the same examples, so on few
        of them the figure is somewhat too good.

    Raises
    ------
    EvaluationError
        As `risk_coverage`, or when `risk` is out of range.

    Examples
    --------
    >>> found = coverage_at_risk(["a", "b", "b"], ["a", "b", "a"], confidence=[0.9, 0.8, 0.5])
    >>> found([1, 1, 1]).round(3).tolist()
    [0.667]
    """
    _check_share(risk, "risk")
    ranked = _ranked(truth, answered, confidence)

    def statistic(weights: ArrayLike) -> Matrix:
        _, covered, wrong = ranked.curve(weights)
        allowed = np.where(wrong <= risk * covered + 1e-12, covered, 0.0)
        return divided(allowed.max(axis=1), covered[:, -1])

    return statistic


def accuracy_at_coverage(
    truth: Sequence[Hashable],
    answered: Sequence[Hashable | None],
    *,
    confidence: Sequence[float | None],
    coverage: float = 0.8,
) -> Statistic:
    """Share right of the most confident answers.

    Parameters
    ----------
    truth, answered, confidence
        As for `risk_coverage`.
    coverage
        Share of the examples that is answered, in (0, 1]. Answers tied at the cut enter in equal
        part.

    Returns
    -------
    Statistic

    Raises
    ------
    EvaluationError
        As `risk_coverage`, or when `coverage` is out of range.

    Examples
    --------
    >>> found = accuracy_at_coverage(["a", "b"], ["a", "a"], confidence=[0.9, 0.6], coverage=0.5)
    >>> found([1, 1]).tolist()
    [1.0]
    """
    _check_share(coverage, "coverage")
    if coverage == 0:
        raise EvaluationError("coverage is 0", expected="a share above 0", fix="raise it")
    ranked = _ranked(truth, answered, confidence)

    def statistic(weights: ArrayLike) -> Matrix:
        _, covered, wrong = ranked.curve(weights)
        cut = coverage * covered[:, -1]
        rows = np.arange(len(cut))
        run = np.minimum((covered < cut[:, None] * (1 - 1e-12)).sum(axis=1), covered.shape[1] - 1)
        before = [np.where(run > 0, part[rows, np.maximum(run - 1, 0)], 0.0)
                  for part in (covered, wrong)]  # fmt: skip
        share = np.nan_to_num(divided(cut - before[0], covered[rows, run] - before[0]))
        lost = before[1] + share * (wrong[rows, run] - before[1])
        return 1.0 - divided(lost, cut)

    return statistic


def _check_share(value: float, name: str) -> None:
    if not 0 <= value <= 1:
        raise EvaluationError(
            f"{name} is {value}", expected="a share from 0 to 1", fix="correct it"
        )
