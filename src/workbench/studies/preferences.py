"""What a lead looks at next: type, area and price band of the next listing viewed."""

from typing import NamedTuple

import lightgbm
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from workbench.data.brokerage import Brokerage
from workbench.data.brokerage.market import price_band
from workbench.data.brokerage.schema import PRICE_BANDS
from workbench.errors import DataError
from workbench.evaluation.measured import Figure, Measured, measure
from workbench.scorers import Metric
from workbench.stats import mean_statistic
from workbench.studies.moments import Parts, parted, snapshots_of

__all__ = ["PreferenceStudy", "preference_evolution"]

_FEW, _KNOWN_AFTER_DAYS = 10, 60
_FREQUENT, _LAST, _SHARE, _MARKOV, _TREES = (
    "most frequent", "last value", "own shares", "Markov chain", "LightGBM",
)  # fmt: skip
_PRIOR = 2.0  # views the overall shares weigh as much as
_ATTRIBUTES = ("property_type", "area", "price_band")
Matrix = NDArray[np.float64]


class PreferenceStudy(NamedTuple):
    """How well each attribute of the next listing is foreseen.

    Attributes
    ----------
    measured
        By attribute: figures of every arm.
    n_train
        By attribute: moments learnt from.
    """

    measured: dict[str, Measured]
    n_train: dict[str, int]

    def to_frame(self) -> pd.DataFrame:
        """One row an attribute, arm and metric."""
        frames = [found.to_frame().assign(attribute=name) for name, found in self.measured.items()]
        table = pd.concat(frames, ignore_index=True)
        return table[["attribute", *(c for c in table.columns if c != "attribute")]]

    def _repr_html_(self) -> str:
        return "<h3>What does the lead look at next?</h3>" + "".join(
            f"<h4>{name.replace('_', ' ').capitalize()}</h4>{found._repr_html_()}"
            for name, found in self.measured.items()
        )


class _Views(NamedTuple):
    """Listings viewed, in order of time; a code a value, -1 for a value never seen before."""

    lead: NDArray[np.object_]
    contact: NDArray[np.object_]
    at: NDArray[np.datetime64]
    known: NDArray[np.datetime64]
    codes: dict[str, NDArray[np.int64]]


def preference_evolution(
    crm: Brokerage, *, n_resamples: int = 1000, random_state: int = 0
) -> PreferenceStudy:
    """Foresee type, area and price band of the next listing a lead views within 60 days.

    Arms rank all values: by overall frequency; the last value viewed first; by the lead's own
    shares of past views, shrunk to the overall ones; by a first-order Markov chain from the last
    value; and by LightGBM on shares over all and the last ten views, the last two values, and
    what the lead's form said.

    Parameters
    ----------
    crm
        The brokerage.
    n_resamples
        Of the bootstrap over contacts.
    random_state
        Seed.

    Returns
    -------
    PreferenceStudy
        Baseline of the differences is the last value carried forward. Nobody knows the ceiling:
        the truth keeps no probabilities of what is viewed.

    Raises
    ------
    DataError
        When there are too few moments with a later view.
    """
    rows = snapshots_of(crm)
    values = _values(crm)
    views = _views(crm, values)
    measured, n_train = {}, {}
    for name in _ATTRIBUTES:
        known = rows[rows[f"next_{name}"].notna()].reset_index(drop=True)
        parts = parted(known, known_after_days=_KNOWN_AFTER_DAYS)
        scores, truth = _ranked(parts, views, name, values[name], random_state)
        measured[name] = measure(
            {arm: _rank_of(score, truth) for arm, score in scores.items()}, _FIGURES,
            n=len(truth), baseline=_LAST, groups=parts.test["contact_id"].to_numpy(),
            n_resamples=n_resamples, random_state=random_state,
        )  # fmt: skip
        n_train[name] = len(parts.train)
    return PreferenceStudy(measured, n_train)


_FIGURES = (
    Figure(
        Metric("top_1", "Top 1", True, "share whose next value is ranked first", "%"),
        lambda rank: mean_statistic((rank <= 1).astype(np.float64)),
    ),
    Figure(
        Metric("top_3", "Top 3", True, "share whose next value is among the first three", "%"),
        lambda rank: mean_statistic((rank <= 3).astype(np.float64)),
    ),
    Figure(
        Metric("mrr", "MRR", True, "mean of one over the rank of the next value"),
        lambda rank: mean_statistic(1.0 / rank),
    ),
)


def _values(crm: Brokerage) -> dict[str, list[str]]:
    listings = crm.frame("listings", columns=["area", "property_type"])
    found = {name: sorted(listings[name].unique().tolist()) for name in _ATTRIBUTES[:2]}
    return found | {"price_band": list(PRICE_BANDS)}


def _views(crm: Brokerage, values: dict[str, list[str]]) -> _Views:
    events = crm.frame(
        "events", columns=["lead_id", "occurred_at", "recorded_at", "listing_id", "value_usd"]
    )
    seen = events[events["listing_id"].notna()]
    listings = crm.frame("listings", columns=["listing_id", "area", "property_type"])
    leads = crm.frame("leads", columns=["lead_id", "contact_id"])
    seen = seen.merge(listings, on="listing_id").merge(leads, on="lead_id")
    seen = seen.sort_values(["lead_id", "occurred_at", "listing_id"], ignore_index=True)
    codes = {
        name: np.asarray(pd.Categorical(seen[name], categories=values[name]).codes, np.int64)
        for name in _ATTRIBUTES[:2]
    }
    codes["price_band"] = _band(seen["value_usd"])
    return _Views(
        seen["lead_id"].to_numpy(dtype=object), seen["contact_id"].to_numpy(dtype=object),
        seen["occurred_at"].to_numpy(), seen["recorded_at"].to_numpy(), codes,
    )  # fmt: skip


def _band(price_usd: pd.Series) -> NDArray[np.int64]:
    return np.asarray(price_band(price_usd.to_numpy(dtype=np.float64)), dtype=np.int64)


class _History(NamedTuple):
    """What each moment knows of its lead's views, one row a moment, one column a value."""

    counts: Matrix
    recent: Matrix
    last: NDArray[np.int64]
    last_but_one: NDArray[np.int64]


def _history(rows: pd.DataFrame, views: _Views, name: str, n_values: int) -> _History:
    moments = rows[["lead_id", "as_of"]].assign(row=np.arange(len(rows)))
    seen = pd.DataFrame(
        {"lead_id": views.lead, "at": views.at, "known": views.known, "code": views.codes[name]}
    )
    seen = seen.merge(moments, on="lead_id")
    seen = seen[(seen["at"] <= seen["as_of"]) & (seen["known"] <= seen["as_of"])]
    seen = seen.sort_values(["row", "at"], kind="stable")
    ago = seen.groupby("row").cumcount(ascending=False).to_numpy()
    row, code = seen["row"].to_numpy(), seen["code"].to_numpy()
    shape = (len(rows), n_values)

    def counted(chosen: NDArray[np.bool_]) -> Matrix:
        flat = np.ravel_multi_index((row[chosen], code[chosen]), shape)
        return np.bincount(flat, minlength=shape[0] * n_values).reshape(shape).astype(np.float64)

    latest = np.full((2, len(rows)), -1, dtype=np.int64)
    for back in (0, 1):
        latest[back, row[ago == back]] = code[ago == back]
    return _History(counted(ago >= 0), counted(ago < _FEW), latest[0], latest[1])


def _ranked(
    parts: Parts, views: _Views, name: str, values: list[str], random_state: int
) -> tuple[dict[str, Matrix], NDArray[np.int64]]:
    """Each arm's score of every value, and the true one's code."""
    k = len(values)
    past, now = (_history(part, views, name, k) for part in (parts.train, parts.test))
    y, truth = (
        np.asarray(pd.Categorical(part[f"next_{name}"], categories=values).codes, np.int64)
        for part in (parts.train, parts.test)
    )
    if min(y.min(), truth.min()) < 0:
        raise DataError(
            f"a value of next_{name} is on no listing", expected=f"one of {values}",
            fix="simulate the brokerage anew",
        )  # fmt: skip
    overall = (np.bincount(y, minlength=k) + 1) / (len(y) + k)
    shares = now.counts + _PRIOR * overall
    said = _said(parts.test, name, values)
    # Who has viewed nothing yet is taken at the word of the form.
    last = np.where(now.last >= 0, now.last, said)
    chain = _chain(views, name, parts, k, overall)
    spread = np.tile(overall, (len(truth), 1))
    scores = {
        _FREQUENT: spread,
        _LAST: _first(last, spread),
        _SHARE: shares + (now.counts.sum(axis=1, keepdims=True) == 0) * _first(said, 0 * spread),
        _MARKOV: np.where((last >= 0)[:, None], chain[last], spread),
    }
    columns, asked = (
        _columns(part, history, _said(part, name, values), overall)
        for part, history in ((parts.train, past), (parts.test, now))
    )
    model = lightgbm.LGBMClassifier(
        n_estimators=80, learning_rate=0.05, num_leaves=8, min_child_samples=20, reg_lambda=5.0,
        colsample_bytree=0.5, n_jobs=1, random_state=random_state, deterministic=True,
        force_row_wise=True, verbose=-1,
    )  # fmt: skip
    model.fit(columns, y)
    trees = np.zeros((len(truth), k))
    trees[:, model.classes_.astype(np.int64)] = model.predict_proba(asked)
    return scores | {_TREES: trees + 1e-9 * spread}, truth


def _first(code: NDArray[np.int64], rest: Matrix) -> Matrix:
    """Rank a value first, where there is one, and the others as before."""
    out = rest.copy()
    known = np.flatnonzero(code >= 0)
    out[known, code[known]] += 2.0
    return out


def _said(rows: pd.DataFrame, name: str, values: list[str]) -> NDArray[np.int64]:
    """What the form said: a type, a budget; never an area."""
    if name == "property_type":
        stated = pd.Categorical(rows["property_type"].astype(str), categories=values)
        return np.asarray(stated.codes, dtype=np.int64)
    if name == "price_band":
        return np.where(rows["budget_usd"].notna(), _band(rows["budget_usd"].fillna(0)), -1)
    return np.full(len(rows), -1, dtype=np.int64)


def _chain(views: _Views, name: str, parts: Parts, k: int, overall: Matrix) -> Matrix:
    """Chance of each value after each, from views of other people on record before the cut."""
    judged = pd.Series(views.contact).isin(parts.test["contact_id"]).to_numpy()
    kept = ~judged & (views.known < parts.cut.to_datetime64())
    lead, code = views.lead[kept], views.codes[name][kept]
    same = lead[1:] == lead[:-1]
    flat = code[:-1][same] * k + code[1:][same]
    counts = np.bincount(flat, minlength=k * k).reshape(k, k) + _PRIOR * overall
    return np.asarray(counts / counts.sum(axis=1, keepdims=True))


def _columns(
    rows: pd.DataFrame, history: _History, said: NDArray[np.int64], overall: Matrix
) -> Matrix:
    total = history.counts.sum(axis=1, keepdims=True)
    few = history.recent.sum(axis=1, keepdims=True)
    parts = [
        (history.counts + _PRIOR * overall) / (total + _PRIOR),
        (history.recent + _PRIOR * overall) / (few + _PRIOR),
        np.eye(len(overall))[history.last] * (history.last >= 0)[:, None],
        np.column_stack([
            history.last, history.last_but_one, said, total[:, 0],
            rows["budget_usd"].astype(np.float64), rows["value_mean_usd"].astype(np.float64),
            rows["bedrooms"].astype(np.float64), rows["vertical"].cat.codes,
            rows["property_type"].cat.codes, rows["tenure_days"].astype(np.float64),
        ]),
    ]  # fmt: skip
    return np.hstack(parts)


def _rank_of(score: Matrix, truth: NDArray[np.int64]) -> Matrix:
    """Rank of the true value, from 1; values of equal score share their mean rank."""
    own = score[np.arange(len(truth)), truth][:, None]
    ahead, level = (score > own).sum(axis=1), (score == own).sum(axis=1)
    return np.asarray(ahead + (level + 1) / 2, dtype=np.float64)
