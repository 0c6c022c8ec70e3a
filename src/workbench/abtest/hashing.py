"""Deterministic hashes that put units into arms, the same on every machine and for ever.

The hash is FNV-1a with GrowthBook's two-round version 2, so an assignment made here is the one a
GrowthBook SDK makes from the same seed, and the other way round.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "bucket_ranges",
    "choose_variation",
    "fnv1a32",
    "hash_unit",
    "hash_units",
    "in_namespace",
]

_OFFSET, _PRIME, _MASK = 0x811C9DC5, 0x01000193, 0xFFFFFFFF

Ranges = list[tuple[float, float]]


def fnv1a32(text: str) -> int:
    """Return the 32-bit FNV-1a hash of a text's UTF-16 code units, as JavaScript SDKs do.

    Parameters
    ----------
    text
        Any text.

    References
    ----------
    Fowler, Noll & Vo, "The FNV Non-Cryptographic Hash Algorithm", IETF draft-eastlake-fnv.

    Examples
    --------
    >>> hex(fnv1a32("a"))
    '0xe40c292c'
    """
    value = _OFFSET
    if text.isascii():
        codes: Sequence[int] = text.encode("ascii")
    else:
        codes = np.frombuffer(text.encode("utf-16-le", "surrogatepass"), "<u2").tolist()
    for code in codes:
        value = ((value ^ code) * _PRIME) & _MASK
    return value


def hash_unit(seed: str, value: str, version: int = 2) -> float | None:
    """Return a number in [0, 1) for a unit, uniform over units and independent between seeds.

    Parameters
    ----------
    seed
        What separates one experiment from another: its salt.
    value
        Identifier of the unit.
    version
        2, or 1, which is biased between experiments and is here for what it already assigned.

    Returns
    -------
    float | None
        In steps of 1/10,000 (version 1: 1/1,000); None for an unknown version.

    References
    ----------
    GrowthBook SDK specification, "hash"; cases `hash-fnv1a`.

    Examples
    --------
    >>> hash_unit("seed", "a"), hash_unit("", "a", version=1)
    (0.0505, 0.22)
    """
    if version == 2:
        return (fnv1a32(str(fnv1a32(seed + value))) % 10_000) / 10_000
    if version == 1:
        return (fnv1a32(value + seed) % 1_000) / 1_000
    return None


def hash_units(seed: str, values: Sequence[str]) -> NDArray[np.float64]:
    """Return `hash_unit`, version 2, of many units at once.

    Parameters
    ----------
    seed
        The salt.
    values
        Identifiers, n of them.

    Returns
    -------
    NDArray[np.float64]
        Shape (n,).

    Examples
    --------
    >>> hash_units("seed", ["a", "b"]).tolist()
    [0.0505, 0.2696]
    """
    if not len(values):
        return np.zeros(0)
    texts = np.array([seed + value for value in values])
    # The second round hashes the decimal digits of the first.
    return (_many(_many(texts).astype(np.str_)) % 10_000) / 10_000


def _many(texts: NDArray[np.str_]) -> NDArray[np.uint64]:
    width = texts.dtype.itemsize // 4
    points = texts.view(np.uint32).reshape(len(texts), width)
    if (points > 0xFFFF).any() or not texts.dtype.isnative:  # two code units to a character
        return np.array([fnv1a32(text) for text in texts.tolist()], dtype=np.uint64)
    length = np.array([len(text) for text in texts.tolist()])
    value = np.full(len(texts), _OFFSET, dtype=np.uint64)
    for at in range(width):
        stepped = ((value ^ points[:, at]) * np.uint64(_PRIME)) & np.uint64(_MASK)
        value = np.where(at < length, stepped, value)
    return value


def bucket_ranges(
    n_variations: int, coverage: float = 1.0, weights: Sequence[float] | None = None
) -> Ranges:
    """Return the range of hashes that belongs to each variation.

    Parameters
    ----------
    n_variations
        How many there are.
    coverage
        Share of each range that takes part, cut to [0, 1]. It grows ranges at their end, so more
        coverage never moves a unit that takes part already.
    weights
        Share of each variation. Weights of the wrong number, or that do not add up to 1 within
        0.01, are replaced by equal ones, as in GrowthBook; a `Design` refuses them instead.

    Examples
    --------
    >>> bucket_ranges(2, 0.5)
    [(0.0, 0.25), (0.5, 0.75)]
    """
    coverage = min(max(coverage, 0.0), 1.0)
    shares = list(weights) if weights is not None else []
    if len(shares) != n_variations or not 0.99 <= sum(shares) <= 1.01:
        shares = [1 / n_variations] * n_variations
    ends = np.cumsum([0.0, *shares]).tolist()
    return [
        (start, start + coverage * share) for start, share in zip(ends[:-1], shares, strict=True)
    ]


def choose_variation(value: float, ranges: Ranges) -> int:
    """Return the index of the range [start, end) a hash lies in, −1 for none.

    Examples
    --------
    >>> choose_variation(0.6, [(0.0, 0.25), (0.5, 0.75)])
    1
    """
    for index, (start, end) in enumerate(ranges):
        if start <= value < end:
            return index
    return -1


def in_namespace(unit_id: str, name: str, start: float, end: float) -> bool:
    """Say whether a unit belongs to the part [start, end) of a namespace.

    Experiments with parts of one namespace that do not overlap never share a unit.

    Parameters
    ----------
    unit_id
        Identifier of the unit.
    name
        Name of the namespace.
    start, end
        Part of it, in [0, 1].

    References
    ----------
    GrowthBook SDK specification, "inNamespace": hash version 1 of ``id + "__" + name``.

    Examples
    --------
    >>> in_namespace("1", "namespace1", 0.0, 0.4), in_namespace("1", "namespace1", 0.4, 1.0)
    (False, True)
    """
    value = hash_unit(f"__{name}", unit_id, version=1)
    return value is not None and start <= value < end
