"""Whether signals read by Claude are worth their cost, and whether two readings agree."""

from collections.abc import Callable
from dataclasses import dataclass
from html import escape
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.base import clone

from workbench.data import Dataset
from workbench.errors import PredictorError
from workbench.predictors.fitting import fit_in_context, positive_probability
from workbench.predictors.signalled import SignalledClassifier
from workbench.stats import (
    Difference,
    Estimate,
    bootstrap_difference,
    compare_roc_auc,
    paired_difference,
    percentile_interval,
    proportion_interval,
    resample_weights,
    roc_auc_statistic,
)

__all__ = ["FieldAgreement", "SignalAgreement", "SignalGain", "signal_agreement", "signal_gain"]

_LEAST_UNITS = 10
_TINY = 1e-15
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class SignalGain:
    """What signals add to a classifier, on the same rows.

    Parameters
    ----------
    differences : dict of str to Difference
        With signals minus without: `roc_auc` (more is better), `log_loss` and `brier` (less is).
    cost_usd
        What reading the rows cost, training and test.
    n_read
        Rows of both parts with a reading.
    origin
        Who answered; "simulated" says nothing about Claude.
    """

    differences: dict[str, Difference]
    cost_usd: float
    n_read: int
    origin: str | None

    def to_frame(self) -> pd.DataFrame:
        """One row a metric: difference, interval, p-value, n and method."""
        return pd.DataFrame({n: d.as_dict() for n, d in self.differences.items()}).T.rename_axis(
            "metric"
        )

    def _repr_html_(self) -> str:
        who = "nobody" if self.origin is None else escape(self.origin)
        head = (
            f"<b>With signals minus without</b>, read by: {who}; {self.n_read:,} rows read, "
            f"${self.cost_usd:,.4f}"
        )
        shown = self.to_frame()[["difference", "ci_lower", "ci_upper", "pvalue", "n"]]
        return f"<div>{head}{shown.to_html(float_format='{:.4f}'.format)}</div>"


def signal_gain(
    classifier: SignalledClassifier,
    train: Dataset,
    test: Dataset,
    *,
    timed: bool = False,
    n_resamples: int = 1000,
    random_state: int = 0,
    confidence_level: float = 0.95,
) -> SignalGain:
    """Fit a classifier with its signals and without, and compare both on the same test rows.

    Parameters
    ----------
    classifier
        Cloned, not changed.
    train, test
        Parts of a data set that share no group.
    timed
        Whether the parts were split by time, so that inner folds must look back only.
    n_resamples
        Of the bootstrap over groups; without groups ROC AUC is compared by DeLong.
    random_state
        Its seed.
    confidence_level
        Of each interval; three metrics are three looks.

    Raises
    ------
    PredictorError, DataError
        As `SignalledClassifier.fit`.
    ClaudeError
        When Claude cannot be asked.
    """
    as_of = train.as_of.to_numpy() if timed and train.as_of is not None else None
    context = {
        "groups": None if train.groups is None else train.groups.to_numpy(),
        "as_of": as_of,
    }
    y = train.y.to_numpy(dtype=np.int8)
    with_signals = fit_in_context(clone(classifier), train.X, y, **context)
    without = fit_in_context(clone(classifier.estimator), train.X, y, **context)
    answers = with_signals.answer(test.X)
    a = answers["proba"].to_numpy(dtype=np.float64)
    b = positive_probability(without, test.X)
    truth = test.y.to_numpy(dtype=np.int8)
    groups = None if test.groups is None else test.groups.to_numpy()
    means: dict[str, Any] = {"groups": groups, "confidence_level": confidence_level}
    auc = (
        compare_roc_auc(truth, a, b, confidence_level=confidence_level)
        if groups is None
        else bootstrap_difference(
            roc_auc_statistic(truth, a), roc_auc_statistic(truth, b), len(truth),
            n_resamples=n_resamples, random_state=random_state, **means,
        )
    )  # fmt: skip
    asked = pd.concat([with_signals.fit_answers_, answers[answers["calls"] > 0]])
    return SignalGain(
        {
            "roc_auc": auc,
            "log_loss": paired_difference(_log_loss(truth, a), _log_loss(truth, b), **means),
            "brier": paired_difference((truth - a) ** 2, (truth - b) ** 2, **means),
        },
        float(asked["cost_usd"].sum()),
        int(asked["answer"].notna().sum()),
        next(iter(asked["origin"].dropna().unique()), None),
    )


def _log_loss(y: NDArray[np.int8], proba: Floats) -> Floats:
    clipped = np.clip(proba, _TINY, 1 - _TINY)
    return np.asarray(-np.where(y == 1, np.log(clipped), np.log1p(-clipped)))


class FieldAgreement(NamedTuple):
    """How far two readings agree on one signal.

    Attributes
    ----------
    signal
        Its name.
    statistic
        "cohen_kappa" of an enumerated signal, "icc" (two-way, absolute agreement, one reading:
        ICC(A,1)) of a score.
    agreement
        The statistic with a bootstrap interval by unit or group. NaN with bounds −1 and 1 where
        both readings say one and the same of every row: there was no chance to disagree.
    same
        Share of rows with equal values, with Wilson's interval.
    correlation
        Pearson's of a score; NaN of an enumerated signal or one that does not vary.
    mean_difference
        Of a score, first minus second; NaN of an enumerated signal.
    """

    signal: str
    statistic: str
    agreement: Estimate
    same: Estimate
    correlation: float
    mean_difference: float


@dataclass(frozen=True)
class SignalAgreement:
    """Agreement of two readings of the same rows, signal by signal.

    Parameters
    ----------
    fields
        One entry a signal.
    n_rows
        Rows given.
    n_only_one
        Rows read by one of the two only: themselves a disagreement, counted in no statistic.
    """

    fields: tuple[FieldAgreement, ...]
    n_rows: int
    n_only_one: int

    def to_frame(self) -> pd.DataFrame:
        """One row a signal."""
        return pd.DataFrame(
            [
                {
                    "signal": one.signal,
                    "statistic": one.statistic,
                    "agreement": one.agreement.estimate,
                    "ci_lower": one.agreement.ci_lower,
                    "ci_upper": one.agreement.ci_upper,
                    "same": one.same.estimate,
                    "same_ci_lower": one.same.ci_lower,
                    "same_ci_upper": one.same.ci_upper,
                    "correlation": one.correlation,
                    "mean_difference": one.mean_difference,
                    "n": one.agreement.n,
                }
                for one in self.fields
            ]
        )

    def _repr_html_(self) -> str:
        return (
            f"<div><b>Agreement of two readings</b>, {self.n_rows:,} rows, {self.n_only_one} read "
            f"by one only{self.to_frame().to_html(index=False, float_format='{:.3f}'.format)}</div>"
        )


def signal_agreement(
    a: pd.DataFrame,
    b: pd.DataFrame,
    *,
    groups: ArrayLike | None = None,
    n_resamples: int = 1000,
    random_state: int = 0,
    confidence_level: float = 0.95,
) -> SignalAgreement:
    """Hold two readings of the same rows against each other: two repeats, or two prompts.

    High agreement says that a reading is repeatable, not that it is right.

    Parameters
    ----------
    a, b : DataFrame of shape (n_rows, n_signals)
        `judgements` of `ClaudeSignals.extract`, with the same rows and columns.
    groups : array-like of shape (n_rows,), optional
        Conversations that share lines, such as those of one lead: whole groups are drawn.
    n_resamples, random_state
        Of the bootstrap.
    confidence_level
        Nominal coverage.

    Raises
    ------
    PredictorError
        When rows or columns differ, or fewer than ten rows were read by both.

    References
    ----------
    Cohen (1960), Educational and Psychological Measurement 20:37-46; McGraw & Wong (1996),
    Psychological Methods 1:30-46, for ICC(A,1).

    Examples
    --------
    >>> kinds = pd.Categorical(["price", "none"] * 20)
    >>> first = pd.DataFrame({"churn_risk": range(40), "objection_kind": kinds})
    >>> second = first.assign(churn_risk=first["churn_risk"] + 5)
    >>> found = signal_agreement(first, second).to_frame()
    >>> found["agreement"].round(2).tolist(), found["correlation"].round(2).tolist()
    ([0.92, 1.0], [1.0, nan])
    """
    if not a.index.equals(b.index) or list(a.columns) != list(b.columns):
        raise PredictorError(
            f"readings of {a.shape} and {b.shape} rows and columns",
            expected="the same rows and columns in the same order",
            fix="extract both from the same table",
        )
    read_a, read_b = (frame.notna().all(axis=1).to_numpy() for frame in (a, b))
    both = read_a & read_b
    if both.sum() < _LEAST_UNITS:
        raise PredictorError(
            f"{both.sum()} rows were read by both",
            expected=f"{_LEAST_UNITS} or more",
            fix="extract more rows, or look at the errors",
        )
    clusters = None if groups is None else np.asarray(groups)[both]
    weights = list(
        resample_weights(
            int(both.sum()), n_resamples, groups=clusters, random_state=random_state
        )
    )  # fmt: skip
    n_groups = None if clusters is None else len(pd.unique(clusters))
    fields = tuple(
        _agreement(str(name), a.loc[both, name], b.loc[both, name], weights, n_groups,
                   confidence_level)
        for name in a.columns
    )  # fmt: skip
    return SignalAgreement(fields, len(a), int((read_a ^ read_b).sum()))


def _agreement(
    name: str,
    a: "pd.Series[Any]",
    b: "pd.Series[Any]",
    weights: list[NDArray[np.int32]],
    n_groups: int | None,
    level: float,
) -> FieldAgreement:
    correlation = difference = float("nan")
    if pd.api.types.is_numeric_dtype(a):
        first, second = a.to_numpy(dtype=np.float64), b.to_numpy(dtype=np.float64)
        kind, statistic = "icc", _icc(first, second)
        difference = float((first - second).mean())
        if first.std() > 0 and second.std() > 0:
            correlation = float(np.corrcoef(first, second)[0, 1])
    else:
        values = sorted({*map(str, a), *map(str, b)})
        first = np.array([values.index(str(value)) for value in a], dtype=np.float64)
        second = np.array([values.index(str(value)) for value in b], dtype=np.float64)
        kind, statistic = "cohen_kappa", _kappa(first, second, len(values))
    n = len(first)
    method = f"{kind}, bootstrap by {'group' if n_groups is not None else 'unit'}"
    point = float(statistic(np.ones((1, n)))[0])
    replicates = np.concatenate([statistic(batch) for batch in weights])
    # A resample without any variety has no figure; too many of them, and neither has the whole.
    if np.isnan(point) or np.isnan(replicates).mean() > 0.05:
        found = Estimate(point, -1.0, 1.0, float("nan"), n, n_groups, level, method)
    else:
        found = percentile_interval(
            point, replicates, n=n, n_groups=n_groups, confidence_level=level, method=method
        )
    same = proportion_interval(int((first == second).sum()), n, confidence_level=level)
    return FieldAgreement(name, kind, found, same, correlation, difference)


def _kappa(a: Floats, b: Floats, k: int) -> Callable[[NDArray[Any]], Floats]:
    """Cohen's kappa as a function of unit weights (b, n)."""
    ones = np.arange(k)
    in_a, in_b = (a[:, None] == ones).astype(float), (b[:, None] == ones).astype(float)
    equal = (a == b).astype(float)

    def statistic(weights: NDArray[Any]) -> Floats:
        total = weights.sum(axis=1)
        observed = weights @ equal / total
        chance = ((weights @ in_a) * (weights @ in_b)).sum(axis=1) / total**2
        out = np.full(len(total), np.nan)
        np.divide(observed - chance, 1 - chance, out=out, where=chance < 1 - _TINY)
        return out

    return statistic


def _icc(a: Floats, b: Floats) -> Callable[[NDArray[Any]], Floats]:
    """ICC(A,1) of two readings as a function of unit weights (b, n)."""
    mean, half = (a + b) / 2, (a - b) / 2

    def statistic(weights: NDArray[Any]) -> Floats:
        n = weights.sum(axis=1).astype(np.float64)
        # Mean squares of a two-way table with two columns: rows, columns, residual.
        centre, gap = weights @ mean / n, weights @ half / n
        rows = 2 * (weights @ mean**2 - n * centre**2) / (n - 1)
        columns = 2 * n * gap**2
        residual = 2 * (weights @ half**2 - n * gap**2) / (n - 1)
        bottom = rows + residual + 2 * (columns - residual) / n
        out = np.full(len(n), np.nan)
        np.divide(rows - residual, bottom, out=out, where=bottom > 1e-9)
        return out

    return statistic
