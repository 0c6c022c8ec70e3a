"""What a text says, counted: hedging, urgency, talk of price, visits, thanks and more."""

from collections.abc import Sequence
from typing import Any, Literal, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from workbench.claude.emulator.cues import CUES, read_lines
from workbench.errors import FeatureError
from workbench.features.columns import text_columns

__all__ = ["LexiconFeatures", "present_texts", "texts_of"]

_SHAPE = {
    "lines": "lines of the conversation",
    "own_lines": "lines of the speaker who is read",
    "own_share": "share of the lines that are the speaker's",
    "spoke_last": "1 when the last line is the speaker's",
    "characters": "characters in the speaker's lines",
    "missing": "1 when there is no text",
}


class LexiconFeatures(TransformerMixin, BaseEstimator):
    """Count cues in free text, by documented word lists in six languages.

    For every text column and cue: how often it occurs, and the share of the speaker's lines it
    occurs in. Lines such as ``lead: …`` and ``agent: …`` are told apart; a text without speakers
    is read whole. English, Spanish, French, Portuguese, Chinese and Hindi, whichever a text is
    in; in any other language nearly all counts are 0. Nothing is learned from data, so nothing
    leaks. A missing text gives zeros and 1 in its column `missing`. Of a very long text the last
    20,000 characters are read.

    The simulated reader that stands in for Claude uses the same word lists: its signals can add
    little to these columns.

    Parameters
    ----------
    columns
        Text columns to read; all of the table's when omitted.
    speaker
        Whose lines are counted: "lead", "agent" or "both".
    sparse_output
        Whether a sparse matrix is returned.

    Attributes
    ----------
    columns_ : list
        The text columns.

    Examples
    --------
    >>> X = pd.DataFrame({"note": ["lead: Maybe Saturday? It is too expensive.", None]})
    >>> words = LexiconFeatures().set_output(transform="pandas")
    >>> found = words.fit_transform(X)
    >>> found[["note_hedging", "note_price_objection", "note_missing"]].values.tolist()
    [[1.0, 1.0, 0.0], [0.0, 0.0, 1.0]]

    Beside the table's own columns, before any classifier:

    >>> from sklearn.compose import ColumnTransformer
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.ensemble import HistGradientBoostingClassifier
    >>> X = pd.DataFrame({"note": ["just looking", "ready to buy today"] * 20, "visits": 3})
    >>> columns = ColumnTransformer(
    ...     [("words", LexiconFeatures(), text_columns)],
    ...     remainder="passthrough", verbose_feature_names_out=False,
    ... ).set_output(transform="pandas")
    >>> model = make_pipeline(columns, HistGradientBoostingClassifier())
    >>> model.fit(X, [0, 1] * 20).predict(X.head(2)).tolist()
    [0, 1]
    """

    def __init__(
        self,
        columns: Sequence[str] | None = None,
        *,
        speaker: Literal["lead", "agent", "both"] = "lead",
        sparse_output: bool = False,
    ) -> None:
        self.columns = columns
        self.speaker = speaker
        self.sparse_output = sparse_output

    def fit(self, X: pd.DataFrame, y: object = None) -> Self:
        """Note the text columns.

        Parameters
        ----------
        X : DataFrame of shape (n_samples, n_features)
        y
            Ignored.

        Raises
        ------
        FeatureError
            When `X` is no DataFrame, has no such column, or the speaker is unknown.
        """
        if self.speaker not in ("lead", "agent", "both"):
            raise FeatureError(
                f"speaker is {self.speaker!r}", expected="'lead', 'agent' or 'both'", fix="name one"
            )
        self.columns_ = texts_of(X, self.columns)
        return self

    def transform(self, X: pd.DataFrame) -> NDArray[np.float64] | csr_matrix:
        """Count, shape (n_samples, n_features_out).

        Parameters
        ----------
        X : DataFrame of shape (n_samples, n_features)
        """
        check_is_fitted(self)
        parts = []
        for column in self.columns_:
            texts = present_texts(X[column])
            parts.append(np.array([self._counted(text) for text in texts]).reshape(len(X), -1))
        counts = np.hstack(parts)
        return csr_matrix(counts) if self.sparse_output else counts

    def _counted(self, text: str | None) -> list[float]:
        said = read_lines(text) if text is not None else []
        wanted = {"lead": {True}, "agent": {False}, "both": {True, False}}[self.speaker]
        own = [one.text for one in said if one.by_lead in wanted]
        row: list[float] = []
        for cue in CUES.values():
            found = [sum(1 for _ in cue.pattern.finditer(line)) for line in own]
            row += [sum(found), sum(n > 0 for n in found) / len(own) if own else 0.0]
        row += [
            len(said),
            len(own),
            len(own) / len(said) if said else 0.0,
            bool(said) and said[-1].by_lead in wanted,
            sum(map(len, own)),
            text is None,
        ]
        return [float(value) for value in row]

    def get_feature_names_out(self, input_features: object = None) -> NDArray[np.object_]:
        """Names of the columns: `note_urgency`, `note_urgency_share`, `note_missing`.

        Parameters
        ----------
        input_features
            Ignored.
        """
        return np.array(self.describe()["name"].tolist(), dtype=object)

    def describe(self) -> pd.DataFrame:
        """Name and meaning of each column."""
        check_is_fitted(self)
        rows = []
        for column in self.columns_:
            for name, cue in CUES.items():
                rows.append((f"{column}_{name}", f"times: {cue.meaning}"))
                rows.append((f"{column}_{name}_share", f"share of lines with: {cue.meaning}"))
            rows += [(f"{column}_{name}", meaning) for name, meaning in _SHAPE.items()]
        return pd.DataFrame(rows, columns=["name", "meaning"])


def texts_of(X: pd.DataFrame, columns: Sequence[str] | None) -> list[Any]:
    """Text columns to read.

    Parameters
    ----------
    X : DataFrame of shape (n_samples, n_features)
    columns
        Names; all text columns when None.

    Raises
    ------
    FeatureError
        When `X` is no DataFrame, or there is no such column.
    """
    if not isinstance(X, pd.DataFrame):
        raise FeatureError(
            f"X is a {type(X).__name__}",
            expected="a DataFrame with text columns",
            fix="pass the data set's X",
        )
    found = text_columns(X) if columns is None else list(columns)
    missing = [name for name in found if name not in X.columns]
    if missing or not found:
        raise FeatureError(
            f"no text column {missing[0]!r}" if missing else "X has no text column",
            expected=f"some of {text_columns(X) or list(X.columns)}",
            fix="name a column of strings",
        )
    return found


def present_texts(column: "pd.Series[Any]") -> list[str | None]:
    """Each text, None where it is missing or nothing but white space.

    Parameters
    ----------
    column : Series of shape (n_samples,)

    Examples
    --------
    >>> present_texts(pd.Series(["a", None, " "]))
    ['a', None, None]
    """
    present = column.notna().tolist()
    texts = column.tolist()
    return [
        str(text) if there and str(text).strip() else None
        for text, there in zip(texts, present, strict=True)
    ]
