import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from workbench.settings import Settings

CSV = """id,household,created,visits,budget,source,vip,note,paid,won
a,h1,2024-01-01,1,100.5,web,yes,hello,,no
b,h1,2024-01-02,2,,phone,no,"two
lines",5,yes
c,h2,2024-01-03,-1,3e2,web,no,"a ""quoted"" word",,no
d,h3,2024-01-04,4,7,web,yes,,9,yes
e,h4,2024-01-05,5,8,unknown,no,x,,no
f,h5,2024-01-06,6,9,phone,no,y,1,yes
"""


def _columns() -> list[dict[str, Any]]:
    return [
        {"name": "id", "dtype": "text", "meaning": "Lead"},
        {"name": "household", "dtype": "text", "meaning": "Household"},
        {"name": "created", "dtype": "date", "meaning": "Created"},
        {"name": "visits", "dtype": "integer", "meaning": "Visits", "missing": [-1]},
        {"name": "budget", "dtype": "number", "meaning": "Budget", "unit": "USD", "missing": [""]},
        {
            "name": "source",
            "dtype": "category",
            "meaning": "Source",
            "values": ["phone", "web"],
            "missing": ["unknown"],
        },
        {"name": "vip", "dtype": "boolean", "meaning": "Is a VIP", "values": ["no", "yes"]},
        {"name": "note", "dtype": "text", "meaning": "Note"},
        {"name": "paid", "dtype": "integer", "meaning": "Commission", "missing": [""]},
        {"name": "won", "dtype": "category", "meaning": "Converted", "values": ["no", "yes"]},
    ]


def card_data(content: bytes = b"", **changes: Any) -> dict[str, Any]:
    """Plain data of a card that fits `CSV`; `file__x=...` changes a key of `file`."""
    data: dict[str, Any] = {
        "name": "mine",
        "title": "My <leads>",
        "version": "1",
        "licence": "internal",
        "origin": {"kind": "real", "publisher": "me"},
        "file": {"name": "mine.csv", "sha256": hashlib.sha256(content).hexdigest()},
        "columns": _columns(),
        "target": {"column": "won", "positive": "yes", "negative": "no", "meaning": "it converts"},
        "id_column": "id",
        "group_column": "household",
        "time": {"column": "created"},
        "leaks": {"paid": "paid after the deal"},
        "slices": ["source"],
    }
    for key, value in changes.items():
        head, _, tail = key.partition("__")
        if tail:
            data[head] = {**data[head], tail: value}
        else:
            data[head] = value
    return {key: value for key, value in data.items() if value is not None}


Put = Callable[..., Path]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    for folder in ("project/datasets", "data"):
        (tmp_path / folder).mkdir(parents=True)
    return Settings(root=tmp_path / "project", data_dir=tmp_path / "data")


@pytest.fixture
def csv_text() -> str:
    return CSV


@pytest.fixture
def make_card() -> Callable[..., dict[str, Any]]:
    return card_data


@pytest.fixture
def put(settings: Settings) -> Put:
    """Write card and file of a data set; give the path of the card."""

    def write(content: bytes | None, **changes: Any) -> Path:
        data = card_data(content or b"", **changes)
        folder = settings.datasets / data["name"]
        folder.mkdir(exist_ok=True)
        path: Path = folder / "card.yaml"
        path.write_text(yaml.safe_dump(data, sort_keys=False), encoding="utf-8")
        if content is not None:
            target = settings.data_dir / data["name"] / data["file"]["name"]
            target.parent.mkdir(exist_ok=True)
            target.write_bytes(content)
        return path

    return write
