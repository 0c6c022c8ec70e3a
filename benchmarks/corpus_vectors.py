"""Sentence vectors of a corpus, computed once and kept beside the results."""

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench.embeddings import SentenceEncoder

__all__ = ["StoredEncoder"]

_FOLDER = Path(__file__).resolve().parent / "results" / "vectors"
_PIECE = 512


class StoredEncoder:
    """Gives stored vectors of a corpus's texts and computes those of others.

    Vectors are kept in half precision (relative error 0.0005), which moves no figure.
    """

    def __init__(self, name: str, texts: Sequence[str]) -> None:
        self._encoder = SentenceEncoder(memory=0)
        self._vectors: NDArray[Any]
        wanted = list(dict.fromkeys(texts))
        path = _FOLDER / f"{name}.npz"
        known: list[str] = []
        if path.is_file():
            with np.load(path) as stored:
                known, self._vectors = stored["texts"].tolist(), stored["vectors"]
        self.embed_s: float | None = None
        if not set(wanted) <= set(known):
            started = time.process_time()
            pieces = [
                self._encoder.encode(wanted[i : i + _PIECE]).astype(np.float16)
                for i in range(0, len(wanted), _PIECE)
            ]
            self.embed_s = time.process_time() - started
            known, self._vectors = wanted, np.vstack(pieces)
            _FOLDER.mkdir(parents=True, exist_ok=True)
            np.savez(path, texts=np.array(known), vectors=self._vectors)
        self._at = {text: i for i, text in enumerate(known)}

    def __deepcopy__(self, memo: Mapping[int, Any]) -> "StoredEncoder":
        return self

    @property
    def id(self) -> str:
        return self._encoder.id

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        found = np.empty((len(texts), self._encoder.dimension), np.float32)
        new = [i for i, text in enumerate(texts) if text not in self._at]
        for i, text in enumerate(texts):
            if text in self._at:
                found[i] = self._vectors[self._at[text]]
        if new:
            found[new] = self._encoder.encode([texts[i] for i in new])
        return found

    def fits(self, text: str) -> bool:
        return self._encoder.fits(text)

    def forget(self) -> None:
        self._encoder.forget()
