"""Turn a row of a data set into the lines a prompt shows."""

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from workbench.errors import PromptError

__all__ = ["LeadText", "lead_texts"]

# A message longer than this says no more about a lead, but costs: 4,000 tokens or so.
MAX_TEXT_CHARS = 16_000
# A field is a number or a word or two; whatever is longer is somebody's mistake or attack.
MAX_FIELD_CHARS = 500
# Where a text may be cut: between two words without a digit or an at sign beside the gap, else
# (Chinese has no gaps) before a character that is in no telephone number or e-mail address.
_BETWEEN_WORDS = re.compile(r"(?<=[^\W\d])[,;:!?]?\s+(?=[^\W\d])")
_NO_IDENTIFIER = re.compile(r"[^\s0-9A-Za-z@._%+()/-]")
_LOOK_BACK = 400


class LeadText(NamedTuple):
    """One example as text: its fields as lines, its free text, its identifier."""

    example_id: str
    lead: str
    message: str


def lead_texts(
    X: pd.DataFrame, labels: Mapping[str, str], *, text_columns: Sequence[str] = ()
) -> list[LeadText]:
    r"""Describe each row in words.

    Parameters
    ----------
    X : DataFrame of shape (n_samples, n_features)
        Fields. Missing values are left out.
    labels
        The label of each column as the model shall read it. Columns without one are not
        shown: they are nobody's statement about a lead.
    text_columns
        The columns that hold free text; they become the message.

    Returns
    -------
    list of LeadText
        One per row, as the data has it: the client takes identifiers out of what is sent.

    Raises
    ------
    PromptError
        When no column of `X` has a label.

    Examples
    --------
    >>> X = pd.DataFrame({"source": ["portal"], "visits": [3.0], "note": ["ring 212-555-0134"]})
    >>> labels = {"source": "Lead source", "visits": "Visits", "note": "Message"}
    >>> lead_texts(X, labels, text_columns=["note"])[0]
    LeadText(example_id='0', lead='- Lead source: portal\n- Visits: 3', message='ring 212-555-0134')
    """
    shown = [column for column in X.columns if column in labels]
    if not shown:
        raise PromptError(
            f"none of the columns {list(X.columns)} has a label",
            expected=f"some of {sorted(labels)}",
            fix="pass the data set's own columns",
        )
    texts = [c for c in shown if c in text_columns]
    fields = [c for c in shown if c not in texts]
    frame = X[shown].astype(object).where(X[shown].notna(), None)
    rows = []
    for example_id, row in zip(X.index, frame.to_dict(orient="records"), strict=True):
        lines = [f"- {labels[c]}: {_plain(row[c])}" for c in fields if row[c] is not None]
        message = "\n".join(str(row[c]) for c in texts if row[c] is not None)
        rows.append(LeadText(str(example_id), "\n".join(lines), _shorten(_whole(message))))
    return rows


def _plain(value: object) -> str:
    if isinstance(value, float | np.floating):
        return f"{value:.10g}"
    return _shorten(" ".join(_whole(str(value)).split()), MAX_FIELD_CHARS)


def _whole(text: str) -> str:
    """Replace halves of characters, which no encoding can carry and hostile texts contain."""
    return text.encode("utf-8", "replace").decode("utf-8") if not text.isascii() else text


def _shorten(text: str, limit: int = MAX_TEXT_CHARS) -> str:
    if len(text) <= limit:
        return text
    # Half a telephone number or address is one no recogniser knows any more.
    start = limit - _LOOK_BACK
    ends = [match.end() for match in _BETWEEN_WORDS.finditer(text, start, limit + 1)] or [
        match.end() for match in _NO_IDENTIFIER.finditer(text, start, limit)
    ]
    end = min(ends[-1], limit) if ends else limit
    return f"{text[:end]} [shortened: {len(text) - end} more characters]"
