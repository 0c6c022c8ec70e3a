"""What a text means, as the vector of a sentence encoder."""

import re
from collections.abc import Sequence
from functools import cache
from typing import Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.decomposition import PCA
from sklearn.utils.validation import check_is_fitted

from workbench.embeddings import Encoder, SentenceEncoder
from workbench.errors import FeatureError
from workbench.features.lexicon import present_texts, texts_of

__all__ = ["SentenceFeatures"]

_MEMORY = 20_000
_PIECE_CHARS = 700  # of prose, well within the 256 tokens that are read
_BREAK = re.compile(r"\s+")


class SentenceFeatures(TransformerMixin, BaseEstimator):
    """Vectors of free text by all-MiniLM-L6-v2, optionally reduced by principal components.

    A text longer than the encoder's window of 256 tokens is cut at its lines (a long line between
    words) and the vectors of the pieces are averaged by their length, so its end counts as much
    as its beginning. A missing text gives zeros and 1 in its column `missing`.

    The encoder was trained on English. Texts in other languages get vectors too, but ones that
    say little beyond names and words that look English: expect no gain there, and look at the
    language slice of an evaluation. Nothing here translates.

    Needs the optional packages `embeddings`.

    Parameters
    ----------
    columns
        Text columns to read; all of the table's when omitted.
    n_components
        Principal components kept of each column, fitted on the training rows that have text; all
        384 numbers when None. Boosted trees want few: 16 to 32.
    max_chars
        Characters read of a text, its last ones: what was said last says most.
    encoder
        What embeds; one shared by all transformers of the process when None, which remembers
        20,000 texts so that folds embed none twice.
    random_state
        Seed of the components.

    Attributes
    ----------
    columns_ : list
    reductions_ : list of PCA
        One a column; empty without `n_components`.

    Raises
    ------
    EmbeddingError
        In use, when the optional packages are missing.

    Examples
    --------
    >>> notes = ["Is it still for sale?", "Is this home available?", "My card was stolen.", None]
    >>> found = SentenceFeatures().fit_transform(pd.DataFrame({"note": notes}))
    >>> found.shape, found[3].sum()
    ((4, 385), np.float64(1.0))
    >>> bool(found[0, :384] @ found[1, :384] > found[0, :384] @ found[2, :384])
    True
    """

    def __init__(
        self,
        columns: Sequence[str] | None = None,
        *,
        n_components: int | None = None,
        max_chars: int = 8_000,
        encoder: Encoder | None = None,
        random_state: int = 0,
    ) -> None:
        self.columns = columns
        self.n_components = n_components
        self.max_chars = max_chars
        self.encoder = encoder
        self.random_state = random_state

    def fit(self, X: pd.DataFrame, y: object = None) -> Self:
        """Note the text columns, and fit the components.

        Parameters
        ----------
        X : DataFrame of shape (n_samples, n_features)
        y
            Ignored.

        Raises
        ------
        FeatureError
            When `X` is no DataFrame or has no such column, a number is out of range, or fewer
            texts are there than components are wanted.
        """
        for name, value in (("n_components", self.n_components), ("max_chars", self.max_chars)):
            if value is not None and value < 1:
                raise FeatureError(f"{name} is {value}", expected="1 or more", fix="raise it")
        self.columns_ = texts_of(X, self.columns)
        self.reductions_: list[PCA] = []
        for column in self.columns_ if self.n_components is not None else ():
            vectors, missing = self._vectors(X[column])
            there = vectors[~missing]
            most = min(there.shape)
            if self.n_components is not None and most < self.n_components:
                raise FeatureError(
                    f"column {column!r} has {len(there)} texts for {self.n_components} components",
                    expected=f"at most {most} components of these rows",
                    fix="lower n_components or train on more rows",
                )
            reduction = PCA(self.n_components, random_state=self.random_state)
            self.reductions_.append(reduction.fit(there))
        return self

    def transform(self, X: pd.DataFrame) -> NDArray[np.float64]:
        """Embed, shape (n_samples, n_features_out).

        Parameters
        ----------
        X : DataFrame of shape (n_samples, n_features)
        """
        check_is_fitted(self)
        parts: list[NDArray[np.float64]] = []
        for position, column in enumerate(self.columns_):
            vectors, missing = self._vectors(X[column])
            if self.reductions_:
                vectors = self.reductions_[position].transform(vectors)
                vectors[missing] = 0.0
            parts += [vectors, missing[:, None].astype(np.float64)]
        return np.hstack(parts)

    def get_feature_names_out(self, input_features: object = None) -> NDArray[np.object_]:
        """Names of the columns: `note_sentence_000` or `note_component_00`, and `note_missing`.

        Parameters
        ----------
        input_features
            Ignored.
        """
        check_is_fitted(self)
        names: list[str] = []
        for column in self.columns_:
            if self.n_components is None:
                names += [f"{column}_sentence_{i:03d}" for i in range(_encoder().dimension)]
            else:
                names += [f"{column}_component_{i:02d}" for i in range(self.n_components)]
            names.append(f"{column}_missing")
        return np.array(names, dtype=object)

    def _vectors(self, column: "pd.Series") -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """Vectors of length one, zeros where the text is missing, and which are missing."""
        encoder = self.encoder or _encoder()
        texts = present_texts(column)
        pieces: list[str] = []
        owners: list[int] = []
        for row, text in enumerate(texts):
            cut = [] if text is None else _pieces(text[-self.max_chars :], encoder)
            pieces += cut
            owners += [row] * len(cut)
        missing = np.array([text is None for text in texts], dtype=bool)
        encoded = np.asarray(encoder.encode(pieces), dtype=np.float64)
        vectors = np.zeros((len(texts), encoded.shape[1]))
        lengths = np.array([len(piece) for piece in pieces], dtype=np.float64)
        np.add.at(vectors, owners, encoded * lengths[:, None])
        norms = np.linalg.norm(vectors, axis=1, keepdims=True)
        np.divide(vectors, norms, out=vectors, where=norms > 0)
        return vectors, missing


@cache
def _encoder() -> SentenceEncoder:
    return SentenceEncoder(memory=_MEMORY)


def _pieces(text: str, encoder: Encoder) -> list[str]:
    """Cut a text into pieces that are read whole: itself, its lines, or parts of lines."""
    if encoder.fits(text):
        return [text]
    pieces: list[str] = []
    for line in text.splitlines():
        if line.strip() and encoder.fits(line):
            pieces.append(line)
        else:
            pieces += _parts(line)
    return pieces


def _parts(line: str) -> list[str]:
    parts = []
    while line.strip():
        end = len(line)
        if end > _PIECE_CHARS:
            gaps = [m.start() for m in _BREAK.finditer(line, 0, _PIECE_CHARS)]
            end = gaps[-1] if gaps and gaps[-1] > 0 else _PIECE_CHARS
        parts.append(line[:end])
        line = line[end:]
    return [part for part in parts if part.strip()]
