"""Why a row got its probability: what each column adds to the log-odds."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from workbench.errors import PredictorError
from workbench.features import text_columns
from workbench.predictors.additive import AdditiveClassifier
from workbench.predictors.answers import answering
from workbench.predictors.boosted import BoostedClassifier
from workbench.predictors.calibrated import CalibratedClassifier
from workbench.predictors.calibrators import CalibrationMap, PlattMap, log_odds
from workbench.predictors.ensemble import OutOfFoldEnsemble
from workbench.predictors.fitting import positive_probability
from workbench.predictors.linear_terms import linear_terms

__all__ = ["BASELINE", "CALIBRATION", "Explanation", "explain"]

BASELINE = "(baseline)"
CALIBRATION = "(calibration)"

_SHOWN_ROWS, _SHOWN_TERMS = 3, 10


@dataclass(frozen=True, eq=False)
class Explanation:
    """Contributions of columns to the log-odds of the second class.

    Attributes
    ----------
    contributions : DataFrame of shape (n_samples, n_terms)
        One column a column of the table; `BASELINE` is what a row starts from, `CALIBRATION`
        what a calibration that is no straight line, or a limit on a member's probability, adds.
        A row adds up to its log-odds.
    log_odds : Series of shape (n_samples,)
        As the estimator gives them.
    values : DataFrame
        The rows; free text is left out.
    """

    contributions: pd.DataFrame
    log_odds: "pd.Series[float]"
    values: pd.DataFrame

    @property
    def proba(self) -> "pd.Series[float]":
        """Probability of the second class."""
        return pd.Series(expit(self.log_odds), index=self.log_odds.index, name="proba")

    def to_frame(self) -> pd.DataFrame:
        """One row a row and column, the largest contribution of each row first."""
        tidy = self.contributions.rename_axis(index="example_id", columns="column")
        long = tidy.stack().rename("contribution").reset_index()
        shown = self.values.astype(object)
        known = set(shown.columns)
        long["value"] = [
            shown.at[row, column] if column in known else None
            for row, column in zip(long["example_id"], long["column"], strict=True)
        ]
        order = np.lexsort((
            -long["contribution"].abs().to_numpy(),
            np.repeat(np.arange(len(tidy)), tidy.shape[1]),
        ))  # fmt: skip
        return long.iloc[order][["example_id", "column", "value", "contribution"]].reset_index(
            drop=True
        )

    def importance(self) -> "pd.Series[float]":
        """Mean absolute contribution of each column, the largest first."""
        mean = self.contributions.drop(columns=[BASELINE]).abs().mean()
        return mean.sort_values(ascending=False).rename("mean_absolute_contribution")

    def _repr_html_(self) -> str:
        widest = max(self.contributions.drop(columns=[BASELINE]).abs().max().max(), 1e-9)
        tidy = self.to_frame()
        parts = []
        for at, (row, terms) in enumerate(tidy.groupby("example_id", sort=False)):
            if at == _SHOWN_ROWS:
                parts.append(f"<p>… and {len(self.log_odds) - at:,} more rows</p>")
                break
            head = f"{escape(str(row))}: probability {self.proba.loc[row]:.3f}"
            parts.append(f"<b>{head}</b><table>{_bars(terms, widest)}</table>")
        return f"<div>{''.join(parts)}</div>"


def _bars(terms: pd.DataFrame, widest: float) -> str:
    start = terms[terms["column"] == BASELINE]
    shown = terms[terms["column"] != BASELINE]
    rest = shown.iloc[_SHOWN_TERMS:]["contribution"].sum()
    lines: list[tuple[str, Any, float]] = [("start", None, float(start["contribution"].sum()))]
    lines += [
        (str(c), v, float(a))
        for c, v, a in shown.iloc[:_SHOWN_TERMS][["column", "value", "contribution"]].to_numpy()
    ]
    if len(shown) > _SHOWN_TERMS:
        lines.append((f"{len(shown) - _SHOWN_TERMS} others", None, float(rest)))
    made = []
    for name, value, added in lines:
        said = name if value is None or pd.isna(value) else f"{name} = {_short(value)}"
        width = min(100.0, 100 * abs(added) / widest)
        colour = "#1b6e3c" if added >= 0 else "#a33"
        bar = f'<div style="background:{colour};height:0.8em;width:{width:.0f}%"></div>'
        made.append(
            f'<tr><td style="text-align:left">{escape(said)}</td><td>{added:+.2f}</td>'
            f'<td style="width:12em">{bar if name != "start" else ""}</td></tr>'
        )
    return "".join(made)


def _short(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float | np.floating) else str(value)[:40]


def explain(
    estimator: Any, X: pd.DataFrame, *, background: pd.DataFrame | None = None
) -> Explanation:
    """Explain an estimator's log-odds row by row, exactly.

    Trees: SHAP values as LightGBM computes them, times the calibration's slope. Linear and
    additive models: their terms. Blends and stacks: the members' contributions times their
    weights. A member without a table of its own (Claude, or any other classifier) is one term of
    its own name.

    Parameters
    ----------
    estimator
        Fitted: BoostedClassifier, AdditiveClassifier, `logistic_baseline`, or a blend, stack or
        calibration with such members.
    X : DataFrame of shape (n_samples, n_features)
    background : DataFrame, optional
        Rows to compare with: contributions are then relative to their mean.

    Raises
    ------
    PredictorError
        When the estimator offers no additive explanation.
    NotFittedError
        When it is not fitted.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> X = pd.DataFrame({"visits": rng.poisson(3, 400), "age": rng.normal(50, 9, 400)})
    >>> y = (X["visits"] + rng.normal(size=400) > 4).astype(int)
    >>> explanation = explain(AdditiveClassifier().fit(X, y), X.head(2))
    >>> explanation.importance().index[0]
    'visits'
    >>> bool(np.allclose(explanation.contributions.sum(axis=1), explanation.log_odds))
    True
    """
    check_is_fitted(estimator)
    terms, margins = _terms(estimator, X)
    if background is not None:
        means = _terms(estimator, background)[0].mean().reindex(terms.columns).fillna(0.0)
        terms = terms - means
        terms[BASELINE] += means.sum()
    names = [c for c in terms.columns if c not in (BASELINE, CALIBRATION)]
    last = [c for c in (CALIBRATION, BASELINE) if c in terms]
    values = X.drop(columns=text_columns(X))
    return Explanation(
        terms[names + last], pd.Series(margins, index=X.index, name="log_odds"), values
    )


def _terms(estimator: Any, X: pd.DataFrame) -> tuple[pd.DataFrame, NDArray[np.float64]]:
    """Contributions that add up to the log-odds, and the log-odds."""
    if isinstance(estimator, BoostedClassifier | AdditiveClassifier):
        names = [*estimator.encoded_.names_, BASELINE]
        terms = pd.DataFrame(estimator.contributions(X), index=X.index, columns=names)
        return _exactly(terms, estimator.decision_function(X))
    if isinstance(estimator, OutOfFoldEnsemble):
        return _ensemble(estimator, X)
    if isinstance(estimator, CalibratedClassifier):
        terms, _ = _member("estimator", estimator.estimator_, X)
        return _mapped(terms, estimator.calibration_, estimator.decision_function(X))
    if isinstance(estimator, Pipeline) and isinstance(estimator[0], ColumnTransformer):
        terms = linear_terms(estimator, X)
        terms[BASELINE] = float(estimator[-1].intercept_[0])
        return _exactly(terms, np.asarray(estimator.decision_function(X)))
    raise PredictorError(
        f"{type(estimator).__name__} offers no additive explanation",
        expected="BoostedClassifier, AdditiveClassifier, logistic_baseline, or an ensemble of them",
        fix="explain its members one by one",
    )


def _ensemble(
    ensemble: OutOfFoldEnsemble, X: pd.DataFrame
) -> tuple[pd.DataFrame, NDArray[np.float64]]:
    fitted = zip(ensemble.estimators, ensemble.members_, strict=True)
    parts = [_member(name, member, X) for (name, _), member in fitted]
    # Weights are the slopes of a straight line, which the combiner is up to its calibration.
    k = len(parts)
    weights = getattr(ensemble, "weights_", None)
    margins = np.column_stack([margin for _, margin in parts])
    decision = ensemble.combine(margins)
    if weights is None:
        start = float(ensemble.combine(np.zeros((1, k)))[0])
        weights = ensemble.combine(np.eye(k)) - start
        terms = _added(parts, weights)
        terms[BASELINE] += start
        return _exactly(terms, decision)
    terms = _added(parts, np.asarray(weights))
    calibration = getattr(ensemble, "calibration_", None)
    return _mapped(terms, calibration, decision)


def _added(
    parts: Sequence[tuple[pd.DataFrame, NDArray[np.float64]]], weights: NDArray[np.float64]
) -> pd.DataFrame:
    total = parts[0][0] * weights[0]
    for (terms, _), weight in zip(parts[1:], weights[1:], strict=True):
        total = total.add(terms * weight, fill_value=0.0)
    return total


def _member(name: str, member: Any, X: pd.DataFrame) -> tuple[pd.DataFrame, NDArray[np.float64]]:
    """Contributions that add up to the member's margin as its ensemble sees it: limited."""
    try:
        terms, _ = _terms(member, X)
    except PredictorError:
        said = member.answer(X)["proba"].to_numpy() if answering(member) else None
        proba = positive_probability(member, X) if said is None else said
        margin = log_odds(np.asarray(proba, dtype=np.float64))
        return pd.DataFrame({name: margin, BASELINE: 0.0}, index=X.index), margin
    margin = log_odds(expit(terms.sum(axis=1).to_numpy()))
    return _exactly(terms, margin)


def _mapped(
    terms: pd.DataFrame, calibration: CalibrationMap | None, decision: NDArray[np.float64]
) -> tuple[pd.DataFrame, NDArray[np.float64]]:
    if isinstance(calibration, PlattMap):
        terms = terms * calibration.slope
        terms[BASELINE] += calibration.intercept
    return _exactly(terms, decision)


def _exactly(
    terms: pd.DataFrame, decision: NDArray[np.float64]
) -> tuple[pd.DataFrame, NDArray[np.float64]]:
    """Give what is missing to the decision a name of its own, unless it is mere rounding."""
    rest = decision - terms.sum(axis=1).to_numpy()
    if np.abs(rest).max(initial=0.0) > 1e-9:
        terms = terms.assign(**{CALIBRATION: terms.get(CALIBRATION, 0.0) + rest})
    else:
        terms = terms.assign(**{BASELINE: terms[BASELINE] + rest})
    return terms, decision
