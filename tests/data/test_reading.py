"""Every way a file can differ from its card is one error with place and remedy."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from workbench.data import Card, Catalogue, read_table
from workbench.errors import DataError
from workbench.settings import Settings

HEADER = b"id,household,created,visits,budget,source,vip,note,paid,won\n"
GOOD = b"a,h1,2024-01-01,1,2,web,yes,n,,no\n"
OTHER = b"b,h2,2024-01-02,1,2,web,no,n,,yes\n"


def row(**cells: str) -> bytes:
    values = {
        "id": "c",
        "household": "h3",
        "created": "2024-01-03",
        "visits": "1",
        "budget": "2",
        "source": "web",
        "vip": "no",
        "note": "n",
        "paid": "",
        "won": "no",
    }
    return ",".join((values | cells).values()).encode() + b"\n"


BASE = HEADER + GOOD + OTHER
RENAMED = HEADER.replace(b"note", b"nota") + GOOD + OTHER

# what is in the file, changes to the card, what the error says (in order)
CASES: dict[str, tuple[bytes, dict[str, Any], str]] = {
    "empty file": (b"", {}, r"mine\.csv: the file is empty.*get the file again"),
    "header only": (HEADER, {}, r"mine\.csv: the file has no rows"),
    "utf-8 mark": (
        b"\xef\xbb\xbf" + BASE,
        {},
        r"line 1: .*byte order mark of UTF-8.*encoding: utf-8-sig",
    ),
    "utf-16 mark": (
        BASE.decode().encode("utf-16"),
        {},
        r"line 1: .*mark of UTF-16.*encoding: utf-16",
    ),
    "utf-32 mark": (BASE.decode().encode("utf-32"), {}, r"mark of UTF-32.*encoding: utf-32"),
    "utf-16 without mark": (
        BASE.decode().encode("utf-16-le"),
        {},
        r"line 1: the file holds a NUL.*UTF-16 without a mark",
    ),
    "nul": (BASE + row(note="a\0b"), {}, r"line 4: the file holds a NUL character"),
    "latin-1": (
        BASE + row(note="café").decode().encode("latin-1"),
        {},
        r"line 4: byte 0xe9 is not utf-8.*cp1252",
    ),
    "not ascii": (
        BASE + row(note="café"),
        {"file__encoding": "ascii"},
        r"line 4: byte 0xc3 is not ascii",
    ),
    "semicolons": (
        BASE.replace(b",", b";"),
        {},
        r"line 1: no ',' in the header, but ';'.*declare delimiter: ';'",
    ),
    "semicolons in one row": (
        BASE + row().replace(b",", b";"),
        {},
        r"line 4: the row is separated by ';'.*separate every row by ','",
    ),
    "extra field": (BASE + b"x," + row(), {}, r"line 4: the row has 11 fields.*Expected 10 fields"),
    "short row": (BASE + b"c,h3\n", {}, r"line 4: the row has 2 fields.*Expected 10 fields"),
    "empty line": (BASE + b"\n" + row(), {}, r"line 4: the line is empty.*delete the line"),
    "line after a multi-line cell": (
        HEADER + row(note='"1\n2\n3"') + OTHER + b"c\n",
        {},
        r"line 6: the row has 1 fields",
    ),
    "open quote": (
        BASE + row(note='"open') + row(id="d"),
        {},
        r"line 4: a quote is never closed.*in the row that starts here",
    ),
    "huge open quote": (
        BASE + row(note='"open') + row() * 6000,
        {},
        r"line 4: a quote is never closed",
    ),
    "text after quote": (BASE + row(note='"a"b'), {}, r"line 4: broken quoting.*doubled"),
    "missing column": (
        RENAMED.replace(b"nota", b"household", 1),
        {},
        r"line 1: column 'household' appears twice.*rename or delete",
    ),
    "renamed column": (RENAMED, {}, r"line 1: column 'note' is missing.*add the column"),
    "unexpected column": (
        BASE.replace(b"won\n", b"won,more\n")
        .replace(b"no\n", b"no,1\n")
        .replace(b"yes\n", b"yes,1\n"),
        {},
        r"line 1: unexpected column 'more'.*describe the column in the card",
    ),
    "text in integer": (
        BASE + row(visits="abc"),
        {},
        r"line 4, column 'visits': 'abc' is not an integer.*missing codes",
    ),
    "fraction in integer": (BASE + row(visits="1.5"), {}, r"line 4, .*'1.5' is not an integer"),
    "spaced integer": (BASE + row(visits=" 1"), {}, r"line 4, .*' 1' is not an integer"),
    "underscored integer": (BASE + row(visits="1_0"), {}, r"line 4, .*'1_0' is not an integer"),
    "huge integer": (BASE + row(visits="9" * 19), {}, r"'9{19}' is not an integer.*64 bits"),
    "absurd integer": (BASE + row(visits="9" * 5000), {}, r"'9{57}…' is not an integer"),
    "empty integer": (
        BASE + row(visits=""),
        {},
        r"line 4, column 'visits': the cell is empty.*declare missing: \[\"\"\] for 'visits'",
    ),
    "thousands separator": (
        BASE + row(budget='"1,000"'),
        {},
        r"'1,000' is not a number.*sep",
    ),
    "infinite": (BASE + row(budget="-inf"), {}, r"line 4, column 'budget': '-inf' is not a finite"),
    "nan": (BASE + row(budget="NaN"), {}, r"line 4, column 'budget': 'NaN' is not a finite number"),
    "overflow": (BASE + row(budget="1e999"), {}, r"line 4, .*'1e999' is not a finite number"),
    "infinite integer": (BASE + row(visits="inf"), {}, r"'inf' is not a finite number"),
    "category": (
        BASE + row(source="wep"),
        {},
        r"line 4, column 'source': value 'wep' is not declared.*nearest is 'web'.*in the card",
    ),
    "empty category": (BASE + row(source=""), {}, r"line 4, column 'source': the cell is empty"),
    "boolean": (
        BASE + row(vip="perhaps"),
        {},
        r"'perhaps' is not a boolean.*'yes' or 'no'",
    ),
    "label": (
        BASE + row(won="maybe"),
        {},
        r"line 4, column 'won': label 'maybe' is not declared.*target.positive",
    ),
    "missing label": (
        BASE + row(won=""),
        {},
        r"line 4, column 'won': the label is missing.*'yes' or 'no'.*not known yet",
    ),
    "one label": (
        HEADER + GOOD + row(),
        {},
        r"column 'won': every label is 'no'.*Expected both 'yes' and 'no'",
    ),
    "duplicate id": (
        BASE + row(id="a"),
        {},
        r"line 4, column 'id': identifier 'a' appears twice, first on line 2.*delete",
    ),
    "missing id": (BASE + row(id=""), {}, r"line 4, column 'id': the identifier is missing"),
    "missing group": (
        BASE + row(household=""),
        {},
        r"line 4, column 'household': the group is missing.*fill it in",
    ),
    "date": (
        BASE + row(created="31/12/2024"),
        {},
        r"line 4, column 'created': '31/12/2024' is not a date.*2024-01-31",
    ),
    "mixed zones": (
        BASE + row(created="2024-01-03T00:00:00+02:00"),
        {},
        r"line 4, .*mixes dates with and without a time zone",
    ),
    "row count": (
        BASE,
        {"file__row_count": 3},
        r"mine\.csv: 2 rows.*Expected 3 rows.*get the whole file",
    ),
    "checksum": (
        BASE,
        {"file__sha256": "0" * 64},
        r"mine\.csv: wrong checksum: sha256 is [0-9a-f]{64}\. Expected 0{64}.*new version",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_bad_file_is_one_clear_error(
    name: str, put: Callable[..., Path], settings: Settings
) -> None:
    content, changes, message = CASES[name]
    put(content, **changes)
    with pytest.raises(DataError, match=f"(?s){message}") as caught:
        Catalogue(settings).load("mine")
    assert str(settings.data_dir / "mine" / "mine.csv") in str(caught.value)
    assert caught.value.fix
    report = Catalogue(settings).check("mine")
    assert not report.ok
    assert [finding.code for finding in report.findings] == ["D001"]


def test_missing_file(tmp_path: Path, make_card: Callable[..., dict[str, Any]]) -> None:
    card = Card.model_validate(make_card())
    with pytest.raises(DataError, match=r"gone\.csv: the file does not exist.*put mine\.csv"):
        read_table(tmp_path / "gone.csv", card)
    with pytest.raises(DataError, match=r"cannot be read: Is a directory"):
        read_table(tmp_path, card)


def test_good_file_becomes_typed_columns(
    csv_text: str, put: Callable[..., Path], settings: Settings
) -> None:
    put(csv_text.encode())
    frame = read_table(settings.data_dir / "mine" / "mine.csv", Catalogue(settings).card("mine"))
    assert {name: str(dtype) for name, dtype in frame.dtypes.items()} == {
        "id": "str",
        "household": "str",
        "created": "datetime64[us]",
        "visits": "float64",
        "budget": "float64",
        "source": "str",
        "vip": "bool",
        "note": "str",
        "paid": "float64",
        "won": "str",
    }
    assert frame["note"].tolist() == ["hello", "two\nlines", 'a "quoted" word', "", "x", "y"]
    np.testing.assert_array_equal(frame["visits"], [1, 2, np.nan, 4, 5, 6])
    np.testing.assert_array_equal(frame["budget"], [100.5, np.nan, 300, 7, 8, 9])
    assert frame["source"].isna().tolist() == [False] * 4 + [True, False]
    assert frame["vip"].tolist() == [True, False, False, True, False, False]


@pytest.mark.parametrize(
    ("encoding", "delimiter", "newline"),
    [
        ("utf-8-sig", ",", "\n"),
        ("utf-16", ";", "\r\n"),
        ("cp1252", "\t", "\r\n"),
        ("utf-8", "|", "\r"),
    ],
)
def test_declared_dialects_are_read(
    encoding: str, delimiter: str, newline: str, put: Callable[..., Path], settings: Settings
) -> None:
    text = (BASE + row(note="café")).decode().replace(",", delimiter).replace("\n", newline)
    put(text.encode(encoding), file__encoding=encoding, file__delimiter=delimiter)
    assert Catalogue(settings).load("mine").X["note"].tolist() == ["n", "n", "café"]


def test_time_zones_become_one(put: Callable[..., Path], settings: Settings) -> None:
    text = BASE.replace(b"2024-01-01", b"2024-01-01T12:00+02:00").replace(
        b"2024-01-02", b"2024-01-02T00:00Z"
    )
    put(text)
    as_of = Catalogue(settings).load("mine").as_of
    assert as_of is not None
    assert as_of.tolist() == [
        pd.Timestamp("2024-01-01T10:00", tz="UTC"),
        pd.Timestamp("2024-01-02", tz="UTC"),
    ]


def test_optional_boolean_and_numeric_missing_codes(
    put: Callable[..., Path], settings: Settings, make_card: Callable[..., dict[str, Any]]
) -> None:
    columns = make_card()["columns"]
    columns[3]["missing"] = [999, "NA"]
    columns[6] |= {"missing": ["?"]}
    put(BASE + row(visits="999", vip="?") + row(id="d", visits="NA"), columns=columns)
    dataset = Catalogue(settings).load("mine")
    assert dataset.X["visits"].isna().tolist() == [False, False, True, True]
    assert dataset.X["vip"].astype("object").where(dataset.X["vip"].notna(), None).tolist() == [
        "yes",
        "no",
        None,
        "no",
    ]
