import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.data import Card, Catalogue, Dataset
from workbench.errors import DataError
from workbench.settings import Settings

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def dataset(csv_text: str, put: Callable[..., Path], settings: Settings) -> Dataset:
    put(csv_text.encode())
    return Catalogue(settings).load("mine")


def test_parts_have_their_roles(dataset: Dataset) -> None:
    assert list(dataset.X.columns) == ["visits", "budget", "source", "vip", "note"]
    assert dataset.X.index.name == "example_id"
    assert dataset.X.index.tolist() == list("abcdef")
    assert dataset.y.tolist() == [0, 1, 0, 1, 0, 1]
    assert (dataset.y.name, dataset.y.dtype) == ("won", "int8")
    assert dataset.X["source"].cat.categories.tolist() == ["phone", "web"]
    assert dataset.groups is not None
    assert dataset.groups.tolist() == ["h1", "h1", "h2", "h3", "h4", "h5"]
    assert dataset.as_of is not None
    assert dataset.as_of.is_monotonic_increasing
    assert dataset.tenant is None
    assert list(dataset.slices.columns) == ["source"]
    assert (dataset.name, dataset.version, dataset.origin_kind) == ("mine", "1", "real")
    assert (dataset.base_rate, len(dataset)) == (0.5, 6)
    assert repr(dataset) == "<Dataset mine 1: 6 rows, base rate 0.5000>"


def test_take_and_to_frame(dataset: Dataset) -> None:
    part = dataset.take([4, 1])
    assert part.X.index.tolist() == ["e", "b"]
    assert part.y.tolist() == [0, 1]
    assert list(part.to_frame().columns) == [*dataset.X.columns, "won", "group", "as_of"]
    frame = dataset.to_frame()
    frame["won"] = 9
    assert dataset.y.max() == 1
    assert len(dataset.take(np.array([], dtype=int))) == 0


@pytest.mark.parametrize(
    ("positions", "message"),
    [
        ([6], r"position 6 is outside the data set 'mine'\. Expected 0 to 5"),
        ([-1], r"position -1 is outside"),
        ([1, 1], r"a position is given twice"),
        ([True, False], r"positions are bool.*flatnonzero"),
        ([[1, 2]], r"2 dimension"),
        ([0.5], r"positions are float64"),
    ],
)
def test_take_refuses(dataset: Dataset, positions: list[Any], message: str) -> None:
    with pytest.raises(DataError, match=message):
        dataset.take(positions)


def test_digest_follows_content(dataset: Dataset) -> None:
    same = dataset.take(range(6))
    assert dataset.digest == same.digest
    assert dataset.digest.startswith("b9bf46cc441a")  # on any platform
    assert dataset.digest != dataset.take([1, 0, 2, 3, 4, 5]).digest
    others = [
        Dataset(**{**vars_of(dataset), "card": dataset.card.model_copy(update={"version": "2"})}),
        Dataset(**{**vars_of(dataset), "y": 1 - dataset.y}),
        Dataset(**{**vars_of(dataset), "groups": None}),
        Dataset(**{**vars_of(dataset), "as_of": dataset.y.rename("as_of")}),
        Dataset(**{**vars_of(dataset), "X": dataset.X.assign(note="n")}),
        Dataset(**{**vars_of(dataset), "X": dataset.X.rename(columns={"note": "nota"})}),
        Dataset(**{**vars_of(dataset), "X": dataset.X.astype({"vip": "int64"})}),
        Dataset(**{**vars_of(dataset), "X": dataset.X.assign(budget=dataset.X["budget"] + 1e-9)}),
    ]
    digests = {dataset.digest, *(other.digest for other in others)}
    assert len(digests) == len(others) + 1


def vars_of(dataset: Dataset) -> dict[str, Any]:
    names = ("card", "X", "y", "groups", "as_of", "tenant", "slices")
    return {name: getattr(dataset, name) for name in names}


def test_digest_refuses_what_data_sets_do_not_use(dataset: Dataset) -> None:
    mixed = Dataset(**{**vars_of(dataset), "X": dataset.X.assign(note=[[1]] * 6)})
    with pytest.raises(TypeError, match=r"no digest for a column of dtype object"):
        _ = mixed.digest


def test_digest_is_the_same_in_another_process() -> None:
    code = (
        "from workbench.tasks import load_dataset\n"
        "print(load_dataset('brokerage', n_rows=200, random_state=3).digest)"
    )
    runs = {
        subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            text=True,
            check=True,
            env={
                "PYTHONHASHSEED": seed,
                "WORKBENCH_ROOT": str(Path(__file__).resolve().parents[2]),
            },
        ).stdout
        for seed in ("1", "2")
    }
    assert len(runs) == 1
    assert len(runs.pop().strip()) == 64


def test_sample_without_groups(csv_text: str, put: Callable[..., Path], settings: Settings) -> None:
    put(csv_text.encode(), group_column=None)
    dataset = Catalogue(settings).load("mine", n_rows=4, random_state=1)
    assert len(dataset) == 4
    assert dataset.X.index.is_monotonic_increasing
    again = Catalogue(settings).load("mine", n_rows=4, random_state=1)
    assert again.digest == dataset.digest


@given(n=st.integers(1, 40), seed=st.integers(0, 99), sizes=st.lists(st.integers(1, 5), min_size=9))
def test_sample_keeps_whole_groups(n: int, seed: int, sizes: list[int]) -> None:
    dataset = grouped(sizes)
    n = min(n, len(dataset))
    if n < min(sizes):
        with pytest.raises(DataError, match=f"no group has {n} rows or fewer"):
            dataset.sample(n, seed)
        return
    part = dataset.sample(n, seed)
    assert part.groups is not None and dataset.groups is not None
    assert 0 < len(part) <= n
    assert len(part) == n or 1 not in sizes or set(part.groups) >= singles(sizes)
    left = dataset.groups[~dataset.groups.index.isin(part.groups.index)]
    assert set(part.groups).isdisjoint(left)
    assert part.X["x"].is_monotonic_increasing


def singles(sizes: list[int]) -> set[str]:
    return {f"g{i}" for i, size in enumerate(sizes) if size == 1}


def grouped(sizes: list[int]) -> Dataset:
    groups = np.repeat([f"g{i}" for i in range(len(sizes))], sizes)
    card = Card.model_validate(
        {
            "name": "grouped",
            "title": "Grouped",
            "version": "1",
            "licence": "none",
            "origin": {"kind": "simulated", "publisher": "tests"},
            "file": {"name": "g.csv", "sha256": "0" * 64},
            "columns": [
                {"name": "x", "dtype": "integer", "meaning": "x"},
                {"name": "g", "dtype": "text", "meaning": "group"},
                {"name": "y", "dtype": "category", "meaning": "y", "values": ["0", "1"]},
            ],
            "target": {"column": "y", "positive": 1, "negative": 0, "meaning": "it is one"},
            "group_column": "g",
        }
    )
    rows = np.arange(len(groups))
    frame = pd.DataFrame({"x": rows, "g": groups, "y": (rows % 2).astype(str)})
    return Dataset.from_frame(card, frame)


@pytest.mark.parametrize("n", [0, 7, -1])
def test_sample_refuses(dataset: Dataset, n: int) -> None:
    with pytest.raises(DataError, match=rf"cannot draw {n} rows from 6.*Expected 1 to 6"):
        dataset.sample(n, 0)


@pytest.mark.parametrize(
    ("column", "values", "message"),
    [
        ("won", ["yes", None, "no"], r"1 rows have no label"),
        ("won", ["yes", "si", "no"], r"'si' is not a value of 'won'"),
        ("id", ["a", "a", "b"], r"identifier 'a' is missing or repeated"),
        ("household", ["a", None, "b"], r"1 rows have no group"),
        ("created", [pd.Timestamp("2024"), None, pd.Timestamp("2025")], r"1 rows have no time"),
        ("visits", ["x", "y", "z"], r"column 'visits' does not hold integer values"),
        ("source", None, r"column 'source' is missing"),
    ],
)
def test_from_frame_refuses(
    column: str, values: Any, message: str, make_card: Callable[..., dict[str, Any]]
) -> None:
    frame = pd.DataFrame(
        {
            "id": ["a", "b", "c"],
            "household": ["x", "y", "z"],
            "created": pd.to_datetime(["2024-01-01"] * 3),
            "visits": [1, 2, 3],
            "budget": [1.0, 2.0, np.nan],
            "source": ["web", "web", np.nan],
            "vip": [True, False, True],
            "note": ["", "x", "y"],
            "won": ["yes", "no", "no"],
        }
    )
    card = Card.model_validate(make_card())
    assert Dataset.from_frame(card, frame).y.tolist() == [1, 0, 0]
    frame = frame.drop(columns=column) if values is None else frame.assign(**{column: values})
    with pytest.raises(DataError, match=message):
        Dataset.from_frame(card, frame)


def test_leaks_stay_out_unless_named(
    csv_text: str, put: Callable[..., Path], settings: Settings
) -> None:
    put(csv_text.encode())
    catalogue = Catalogue(settings)
    assert "paid" not in catalogue.load("mine").to_frame()
    leaky = catalogue.load("mine", allow_leaks=["paid"])
    assert "paid" in leaky.X
    assert "LEAKS LET IN" in leaky._repr_html_()
    with pytest.raises(DataError, match=r"'visits' is not a declared leak.*Expected one of paid"):
        catalogue.load("mine", allow_leaks=["paid", "visits"])


def test_html_is_small_and_escaped(dataset: Dataset) -> None:
    html = dataset._repr_html_()
    assert "My &lt;leads&gt;" in html
    assert "<leads>" not in html
    for text in ("REAL", "50.0%", "it converts", "2024-01-01 to 2024-01-06", "paid", "internal"):
        assert text in html
    assert dataset.digest[:12] in html
    assert len(html) < 2000
