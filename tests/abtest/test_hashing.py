"""Assignments are those of the GrowthBook SDKs."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from workbench.abtest.hashing import (
    bucket_ranges,
    choose_variation,
    fnv1a32,
    hash_unit,
    hash_units,
    in_namespace,
)

REFERENCE = Path(__file__).resolve().parents[1] / "reference"


def case(name: str) -> tuple[list[Any], list[Any]]:
    content = json.loads((REFERENCE / f"{name}.json").read_text(encoding="utf-8"))
    (expected,) = content["expected"].values()
    rows = content["inputs"]["cases"]
    assert len(rows) == len(expected) > 10
    return rows, expected


def test_hash() -> None:
    rows, expected = case("hash-fnv1a")
    assert [hash_unit(seed, value, version) for seed, value, version in rows] == expected


def test_bucket_ranges() -> None:
    rows, expected = case("hash-bucket-ranges")
    for (name, (n, coverage, weights)), wanted in zip(rows, expected, strict=True):
        assert np.allclose(bucket_ranges(n, coverage, weights), wanted, atol=1e-6), name


def test_choose_variation() -> None:
    rows, expected = case("hash-choose-variation")
    assert [choose_variation(n, [tuple(r) for r in ranges]) for _, n, ranges in rows] == expected


def test_namespace() -> None:
    rows, expected = case("hash-namespace")
    assert [in_namespace(unit, *part) for _, unit, part in rows] == expected


def test_many_at_once_are_one_by_one() -> None:
    ids = [f"lead-{i}" for i in range(500)] + ["", "ß", "客户", "😀 face", "x" * 300]
    for seed in ("coaching", "", "ñ"):
        assert hash_units(seed, ids).tolist() == [hash_unit(seed, i) for i in ids]
    assert hash_units("s", []).shape == (0,)


def test_hashes_are_even_and_independent_between_salts() -> None:
    ids = [str(i) for i in range(40_000)]
    a, b = hash_units("one", ids), hash_units("two", ids)
    counts = np.histogram(a, bins=20, range=(0, 1))[0]
    assert ((counts - 2000) ** 2 / 2000).sum() < 43.8  # chi-square, 19 df, 0.1 %
    assert abs(np.corrcoef(a, b)[0, 1]) < 3.3 / np.sqrt(len(ids))


def test_characters_outside_the_plane_hash_as_two_units() -> None:
    assert fnv1a32("😀") == fnv1a32("\ud83d\ude00")


@pytest.mark.parametrize("coverage", [0.1, 0.5, 0.9])
def test_more_coverage_never_moves_a_unit(coverage: float) -> None:
    values = np.linspace(0, 0.9999, 2000)
    some = [choose_variation(v, bucket_ranges(3, coverage, [0.2, 0.3, 0.5])) for v in values]
    more = [choose_variation(v, bucket_ranges(3, coverage + 0.1, [0.2, 0.3, 0.5])) for v in values]
    assert all(m == s for s, m in zip(some, more, strict=True) if s >= 0)
    assert sum(m >= 0 for m in more) > sum(s >= 0 for s in some)
