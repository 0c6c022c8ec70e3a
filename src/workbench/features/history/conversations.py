"""What was said last, as far as it was on record at the moment of prediction."""

from collections.abc import Sequence
from datetime import datetime

import pandas as pd

from workbench.errors import FeatureError
from workbench.features.history.memory import Row, as_microseconds

__all__ = ["conversation_texts", "last_words"]


def conversation_texts(
    messages: pd.DataFrame, snapshots: pd.DataFrame, *, n_messages: int = 8
) -> pd.Series:
    """Join the last messages of each lead into one text, one line a message.

    Parameters
    ----------
    messages : DataFrame
        Columns lead_id, message_id, sent_at, recorded_at, speaker and text.
    snapshots : DataFrame
        Columns lead_id and as_of, any index.
    n_messages
        How many at most.

    Returns
    -------
    Series
        Indexed like `snapshots`; missing where nothing was said.

    Raises
    ------
    FeatureError
        When a column is missing.

    Examples
    --------
    >>> day = pd.to_datetime("2024-03-01")
    >>> said = pd.DataFrame({"lead_id": ["L1"], "message_id": ["M1"], "sent_at": [day],
    ...     "recorded_at": [day], "speaker": ["lead"], "text": ["Still available?"]})
    >>> conversation_texts(said, pd.DataFrame({"lead_id": ["L1"], "as_of": [day]})).tolist()
    ['lead: Still available?']
    """
    for name, frame, wanted in (
        ("messages", messages,
         ["lead_id", "message_id", "sent_at", "recorded_at", "speaker", "text"]),
        ("snapshots", snapshots, ["lead_id", "as_of"]),
    ):  # fmt: skip
        missing = sorted(set(wanted) - set(frame.columns))
        if missing:
            raise FeatureError(
                f"table {name!r} has no column {missing[0]!r}",
                expected=f"the columns {', '.join(wanted)}",
                fix="rename a column",
            )
    moments = snapshots[["lead_id", "as_of"]].assign(_row=range(len(snapshots)))
    said = messages.merge(moments, on="lead_id")
    said = said[(said["sent_at"] <= said["as_of"]) & (said["recorded_at"] <= said["as_of"])]
    said = said.sort_values(["_row", "sent_at", "message_id"])
    last = said.groupby("_row", sort=False).tail(n_messages)
    lines = last["speaker"].astype(str) + ": " + last["text"].astype(str)
    joined = lines.groupby(last["_row"]).agg("\n".join)
    texts = joined.reindex(range(len(snapshots))).astype("str")
    return pd.Series(texts.to_numpy(), index=snapshots.index, dtype="str")


def last_words(messages: Sequence[Row], as_of: datetime, *, n_messages: int = 8) -> str | None:
    """The same of one lead's messages in memory; None where nothing was said.

    Parameters
    ----------
    messages
        Rows of one lead.
    as_of
        Moment of prediction.
    n_messages
        How many at most.

    Raises
    ------
    FeatureError
        When a time is missing.

    Examples
    --------
    >>> day = datetime(2024, 3, 1)
    >>> last_words([{"message_id": "M1", "sent_at": day, "recorded_at": day, "speaker": "lead",
    ...     "text": "Still available?"}], day)
    'lead: Still available?'
    """
    now = as_microseconds(as_of, "as_of")
    known = [
        (as_microseconds(row["sent_at"], "sent_at"), row["message_id"], row)
        for row in messages
        if as_microseconds(row["recorded_at"], "recorded_at") <= now
    ]
    said = sorted((m for m in known if m[0] <= now), key=lambda m: m[:2])[-n_messages:]
    return "\n".join(f"{row['speaker']}: {row['text']}" for _, _, row in said) or None
