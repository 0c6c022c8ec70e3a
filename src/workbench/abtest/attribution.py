"""Which strategy brought the conversions: rules of thumb beside estimates of what would be missing.

A rule (last touch, Shapley) shares out what happened among whoever was there. An estimate
asks how many conversions there would have been without the strategy, adjusts for who got it,
and says where nobody comparable went without.
"""

import html
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import special

from workbench.errors import DataError
from workbench.stats import mean_standard_error

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Attribution", "Credit", "attribute", "set_shapley"]

Vector = NDArray[np.float64]
Flags = NDArray[np.bool_]

_ENOUGH_N, _NO_OVERLAP = 50.0, 0.95


class Credit(NamedTuple):
    """Conversions credited to one strategy by each method.

    Attributes
    ----------
    strategy
        Which.
    n_touched
        Leads it touched.
    last_touch, shapley
        Rules: they share out all conversions of touched leads, deserved or not.
    unadjusted
        Conversions of touched leads less what the rate of the untouched would give.
    ipw, aipw
        Conversions that would be missing without it, from untouched leads that are weighted to
        be like the touched ones; `aipw` also models the outcome, and is right when either model
        is.
    ci_lower, ci_upper
        Interval of `aipw`.
    effective_n
        Untouched leads the comparison is worth.
    no_overlap
        Share of touched leads that hardly anybody comparable went without.
    trusted
        Whether there is enough overlap to believe `ipw` and `aipw`.
    """

    strategy: str
    n_touched: int
    last_touch: float
    shapley: float
    unadjusted: float
    ipw: float
    aipw: float
    ci_lower: float
    ci_upper: float
    effective_n: float
    no_overlap: float
    trusted: bool


@dataclass(frozen=True, slots=True)
class Attribution:
    """Credits of all strategies.

    Parameters
    ----------
    credits
        One a strategy.
    n_leads, n_converted
        Leads and their conversions.
    n_untouched
        Conversions of leads without any touch: no rule shares them out.
    confidence_level
        Of the intervals.
    """

    credits: tuple[Credit, ...]
    n_leads: int
    n_converted: int
    n_untouched: int
    confidence_level: float

    def to_frame(self) -> "pd.DataFrame":
        """One row a strategy."""
        import pandas as pd

        return pd.DataFrame(self.credits, columns=Credit._fields)

    def sentences(self) -> tuple[str, ...]:
        """Say for each strategy what it brought, and what the last touch would claim."""
        out = []
        for c in self.credits:
            if not c.trusted:
                out.append(
                    f"What {c.strategy} brought cannot be told: {c.no_overlap:.0%} of the leads it"
                    f" touched have no like among the untouched ({c.effective_n:.0f} effective)."
                )
                continue
            out.append(
                f"{c.strategy} brought {c.aipw:+.0f} conversions [{c.ci_lower:+.0f},"
                f" {c.ci_upper:+.0f}]; the last touch would credit it with {c.last_touch:.0f}."
            )
        return tuple(out)

    def _repr_html_(self) -> str:
        listed = "".join(f"<li>{html.escape(text)}</li>" for text in self.sentences())
        return f"<ul>{listed}</ul>{self.to_frame().to_html(index=False, float_format='%.1f')}"


def attribute(
    leads: "pd.DataFrame",
    touches: "pd.DataFrame",
    *,
    covariates: Sequence[str],
    outcome: str = "converted",
    lead: str = "lead_id",
    strategy: str = "strategy",
    order: str = "nth",
    groups: str | None = None,
    n_folds: int = 5,
    confidence_level: float = 0.95,
    random_state: int = 0,
) -> Attribution:
    """Share out conversions by rules, and estimate what each strategy really brought.

    Parameters
    ----------
    leads : pandas.DataFrame
        One row a lead: identifier, outcome (0/1), covariates known before the touches.
    touches : pandas.DataFrame
        One row a touch: lead, strategy, and its order within the lead.
    covariates
        Columns of `leads` that decide both who is touched and who converts. What is not among
        them biases the estimates: an experiment needs no such assumption.
    outcome, lead, strategy, order
        Columns.
    groups
        Column of the cluster (agent): folds never cut it, and intervals allow for it.
    n_folds
        Folds of the cross-fitting.
    confidence_level
        Of the intervals.
    random_state
        Seed of the folds.

    Returns
    -------
    Attribution

    Raises
    ------
    DataError
        If a column is missing or has gaps, a lead appears twice, a touch is of an unknown lead,
        outcomes are not 0/1, or a strategy touched nobody or everybody.

    References
    ----------
    AIPW of the effect on the touched, cross-fitted: Robins, Rotnitzky & Zhao (1994), JASA
    89:846-866; Chernozhukov et al. (2018), Econometrics Journal 21:C1-C68. Shapley over the
    strategies a lead met: Zhao, Mahboobi & Bagheri (2018), arXiv:1804.05327, section 3.

    Examples
    --------
    >>> from workbench.abtest.simulate_touches import simulate_touches
    >>> found = simulate_touches(n_leads=4000, random_state=1)
    >>> credits = attribute(found.leads, found.touches, covariates=["engagement"]).credits
    >>> [c.strategy for c in credits][:2], credits[0].trusted
    (['analytical', 'assertive'], True)
    """
    y, met, last, names = _tables(leads, touches, outcome, lead, strategy, order, covariates)
    x = leads[list(covariates)].to_numpy(dtype=np.float64)
    codes = None if groups is None else leads[groups].astype(str).factorize()[0]
    fold = _folds(y.size, codes, n_folds, random_state)
    shapley = set_shapley(y, met)
    found = []
    for at, name in enumerate(names):
        touched = met[:, at]
        # The other strategies a lead met belong to what must be alike.
        X = np.column_stack([x, np.delete(met, at, axis=1)])
        chance, expected = _nuisances(X, touched, y, fold, n_folds)
        found.append(
            _credit(
                name, y, touched, chance, expected, codes, confidence_level,
                float(y[last == at].sum()), float(shapley[at]),
            )
        )  # fmt: skip
    return Attribution(
        tuple(found), y.size, int(y.sum()), int(y[~met.any(axis=1)].sum()), confidence_level
    )


def set_shapley(y: Vector, met: Flags) -> Vector:
    """Share each conversion evenly among the strategies its lead met.

    Parameters
    ----------
    y
        Conversions, shape (n,).
    met
        Which strategies each lead met, shape (n, k).

    Returns
    -------
    NDArray[np.float64]
        Shape (k,). This is the exact Shapley value of the game in which a coalition is worth the
        conversions of leads that met nobody outside of it.

    Examples
    --------
    >>> set_shapley(np.array([1.0, 1.0]), np.array([[True, False], [True, True]])).tolist()
    [1.5, 0.5]
    """
    size = met.sum(axis=1)
    return np.asarray((np.where(size > 0, y / np.maximum(size, 1), 0.0)) @ met)


def _tables(
    leads: "pd.DataFrame",
    touches: "pd.DataFrame",
    outcome: str,
    lead: str,
    strategy: str,
    order: str,
    covariates: Sequence[str],
) -> tuple[Vector, Flags, NDArray[np.intp], list[str]]:
    """Outcomes, strategies met, number of the last one (−1 for none), names."""
    import pandas as pd

    for frame, columns in (
        (leads, [lead, outcome, *covariates]),
        (touches, [lead, strategy, order]),
    ):
        for column in columns:
            if column not in frame.columns or frame[column].isna().any():
                raise DataError(
                    f"column {column!r} is missing or has gaps", expected="a value in every row",
                    fix="fill it, or leave the rows out",
                )  # fmt: skip
    index = pd.Index(leads[lead])
    if not index.is_unique:
        raise DataError("a lead appears twice", expected="one row a lead", fix="aggregate them")
    row = index.get_indexer(touches[lead])
    if (row < 0).any():
        raise DataError(
            f"{int((row < 0).sum())} touches are of unknown leads",
            expected="touches of the leads given",
            fix="filter the touches",
        )
    y = leads[outcome].to_numpy(dtype=np.float64)
    if not set(np.unique(y)) <= {0.0, 1.0}:
        raise DataError("outcomes are not all 0 or 1", expected="0 or 1", fix="convert them")
    names = sorted(touches[strategy].astype(str).unique())
    code = np.searchsorted(names, touches[strategy].astype(str).to_numpy())
    met = np.zeros((len(leads), len(names)), dtype=bool)
    met[row, code] = True
    share = met.mean(axis=0)
    for name, part in zip(names, share, strict=True):
        if part == 1:
            raise DataError(
                f"{name!r} touched every lead", expected="leads that it did not touch",
                fix="leave it out: there is nothing to compare with",
            )  # fmt: skip
    in_order = np.argsort(touches[order].to_numpy(), kind="stable")
    last = np.full(len(leads), -1, dtype=np.intp)
    last[row[in_order]] = code[in_order]
    return y, met, last, names


def _folds(n: int, codes: Any, n_folds: int, seed: int) -> NDArray[np.intp]:
    rng = np.random.default_rng(seed)
    if codes is None:
        return rng.permutation(np.arange(n) % n_folds).astype(np.intp)
    k = int(codes.max()) + 1
    return np.asarray(rng.permutation(np.arange(k) % n_folds)[codes], dtype=np.intp)


def _nuisances(
    X: Vector, touched: Flags, y: Vector, fold: NDArray[np.intp], n_folds: int
) -> tuple[Vector, Vector]:
    """Chance of being touched, and of converting untouched, of each lead by the other folds."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    chance, expected = np.empty(y.size), np.empty(y.size)
    for part in range(n_folds):
        out, rest = fold == part, fold != part
        untouched = rest & ~touched
        for target, values, rows in ((chance, touched, rest), (expected, y, untouched)):
            seen = np.unique(values[rows])
            if seen.size < 2:  # nothing to learn: everybody there is alike
                target[out] = float(seen[0]) if seen.size else 0.0
                continue
            model = make_pipeline(StandardScaler(), LogisticRegression(C=10.0))
            model.fit(X[rows], values[rows].astype(int))
            target[out] = model.predict_proba(X[out])[:, 1]
    return np.clip(chance, 1e-6, 1 - 1e-6), expected


def _credit(
    name: str,
    y: Vector,
    touched: Flags,
    chance: Vector,
    expected: Vector,
    codes: Any,
    level: float,
    last_touch: float,
    shapley: float,
) -> Credit:
    n_touched = int(touched.sum())
    odds = np.where(touched, 0.0, chance / (1 - chance))
    weight = odds * (n_touched / odds.sum())  # untouched leads, made to add up to the touched
    ipw = float(y[touched].sum() - weight @ y)
    terms = (touched - weight) * (y - expected)
    aipw = float(terms.sum())
    # The estimate is the mean effect on the touched times how many there are.
    influence = terms - touched * aipw / n_touched
    error = y.size * mean_standard_error(influence, groups=codes)
    half = -float(special.ndtri((1 - level) / 2)) * error
    squares = float(weight @ weight)
    effective = n_touched**2 / squares if squares > 0 else 0.0
    no_overlap = float((chance[touched] > _NO_OVERLAP).mean())
    rate = float(y[~touched].mean()) if n_touched < y.size else math.nan
    return Credit(
        name, n_touched, last_touch, shapley, float(y[touched].sum() - rate * n_touched), ipw,
        aipw, aipw - half, aipw + half, effective, no_overlap,
        bool(effective >= _ENOUGH_N and no_overlap <= 1 - _NO_OVERLAP),
    )  # fmt: skip
