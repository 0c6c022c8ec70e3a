"""Moments of prediction in a simulated brokerage: what was known then, and which come later."""

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from workbench.data.brokerage import Brokerage
from workbench.errors import DataError
from workbench.features import FEATURES, FeatureSet, Static, collect
from workbench.features.history import conversation_texts

if TYPE_CHECKING:
    import ibis

__all__ = ["Parts", "categorised", "inputs_of", "moments_of", "parted", "snapshots_of"]

_MIN_ROWS = 50


class Parts(NamedTuple):
    """Moments learnt from and, all of them later, moments judged.

    Attributes
    ----------
    train, test
        Rows; no contact is in both.
    cut
        First moment of the test period.
    """

    train: pd.DataFrame
    test: pd.DataFrame
    cut: pd.Timestamp


def categorised(frame: pd.DataFrame, features: FeatureSet = FEATURES) -> pd.DataFrame:
    """Give features that are categories their declared values.

    Parameters
    ----------
    frame
        Columns of `features`, and any others.
    features
        Which of them are categories.

    Examples
    --------
    >>> categorised(pd.DataFrame({"preapproved": ["yes"]}))["preapproved"].dtype.name
    'category'
    """
    found = {
        f.name: pd.Categorical(frame[f.name], categories=list(f.values))
        for f in features
        if isinstance(f, Static) and f.values and f.name in frame
    }
    return frame.assign(**found)


def moments_of(
    crm: Brokerage, snapshots: "ibis.Table", *, features: FeatureSet = FEATURES, text: bool = False
) -> pd.DataFrame:
    """Build features as they stood at given moments.

    Parameters
    ----------
    crm
        The brokerage.
    snapshots
        `snapshot_id`, `lead_id`, `agent_id`, `contact_id`, `as_of`, and more if wanted.
    features
        What is built; only what was on record at `as_of` counts.
    text
        Whether a column `conversation` with the last messages is added, where there are any.

    Returns
    -------
    DataFrame
        One row a moment, in order of time.

    Raises
    ------
    DataError
        When there are fewer than 50 moments.
    """
    tables = {name: crm.table(name) for name in crm.names}
    frame = categorised(collect(features.build(tables, snapshots)), features)
    if len(frame) < _MIN_ROWS:
        raise DataError(
            f"{len(frame)} moments", expected=f"{_MIN_ROWS} or more", fix="simulate more leads"
        )
    frame = frame.sort_values(["as_of", "snapshot_id"], ignore_index=True)
    if text and crm.manifest.rows["messages"]:
        moments = frame[["snapshot_id", "lead_id", "as_of"]]
        frame["conversation"] = conversation_texts(crm.frame("messages"), moments)
    return frame


def snapshots_of(crm: Brokerage, *, text: bool = False) -> pd.DataFrame:
    """Build the features of the brokerage's snapshots, with their labels.

    The column `stage` is left out: staff code it with the outcome in mind.

    Parameters
    ----------
    crm
        The brokerage.
    text
        As for `moments_of`.
    """
    frame = moments_of(crm, crm.table("snapshots"), text=text)
    labels = crm.frame("labels").drop(columns="stage")
    return frame.merge(labels, on="snapshot_id", how="left", validate="one_to_one")


def parted(
    rows: pd.DataFrame, *, test_fraction: float = 0.3, known_after_days: float = 0.0
) -> Parts:
    """Split by time, with whole contacts on one side.

    Parameters
    ----------
    rows
        Columns `as_of` and `contact_id`.
    test_fraction
        Share of the rows, the latest, that is judged, in (0, 1).
    known_after_days
        How long after `as_of` the answer is known: rows to learn from are that much earlier than
        the test period, so that nothing of it is in their answers.

    Returns
    -------
    Parts

    Raises
    ------
    DataError
        When a part has fewer than 50 rows.

    Examples
    --------
    >>> days = pd.date_range("2024-01-01", periods=200)
    >>> parts = parted(pd.DataFrame({"as_of": days, "contact_id": range(200)}))
    >>> len(parts.train), len(parts.test)
    (140, 60)
    """
    if not 0 < test_fraction < 1:
        raise DataError(f"test_fraction is {test_fraction}", expected="in (0, 1)", fix="correct it")
    times = np.sort(rows["as_of"].to_numpy())
    cut = pd.Timestamp(times[len(times) - max(1, round(test_fraction * len(times)))])
    test = rows["as_of"] >= cut
    train = rows["as_of"] + pd.Timedelta(days=known_after_days) < cut
    train &= ~rows["contact_id"].isin(rows.loc[test, "contact_id"])
    if min(train.sum(), test.sum()) < _MIN_ROWS:
        raise DataError(
            f"{int(train.sum())} rows to learn from and {int(test.sum())} to judge",
            expected=f"{_MIN_ROWS} or more of each",
            fix="simulate more leads",
        )
    return Parts(rows[train].reset_index(drop=True), rows[test].reset_index(drop=True), cut)


def inputs_of(train: pd.DataFrame) -> list[str]:
    """Names of the features a model is given: those with a value in any row to learn from.

    Parameters
    ----------
    train
        As `snapshots_of` or `moments_of` makes them.

    Returns
    -------
    list of str
        `conversation` comes last, where it is a column.
    """
    names = [*FEATURES.names, *(["conversation"] if "conversation" in train else [])]
    return [name for name in names if train[name].notna().any()]
