from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from workbench.data import Card, read_card
from workbench.errors import DataError

Make = Callable[..., dict[str, Any]]


def with_column(make_card: Make, index: int, **changes: Any) -> dict[str, Any]:
    data = make_card()
    data["columns"][index] |= changes
    return data


def write(folder: Path, data: object) -> Path:
    path = folder / "card.yaml"
    text = data if isinstance(data, str) else yaml.safe_dump(data, sort_keys=False)
    path.write_text(text, encoding="utf-8")
    return path


CHANGES: dict[str, tuple[dict[str, Any], str]] = {
    "unknown key": ({"licens": "x"}, r"line \d+, key 'licens': unknown key 'licens'.*licence"),
    "unknown key inside": (
        {"origin__publsher": "x"},
        r"key 'origin.publsher': unknown key 'origin.publsher'. Expected one of kind, publisher",
    ),
    "missing key": ({"title": None}, r"line 1: key 'title' is missing.*add 'title'"),
    "number as version": ({"version": 1.0}, r"line 3, key 'version': 'version' is 1.0.*quotes"),
    "bad kind": ({"origin__kind": "fake"}, r"'origin.kind' is 'fake'.*'real' or 'simulated'"),
    "bad name": ({"name": "My Data"}, r"line 1, key 'name': 'name' is 'My Data'"),
    "bad sha": ({"file__sha256": "abc"}, r"key 'file.sha256': 'file.sha256' is 'abc'"),
    "file outside": ({"file__name": "../x.csv"}, r"key 'file.name': 'file.name' is '../x.csv'"),
    "file dots": ({"file__name": ".."}, r"key 'file.name'"),
    "local address": ({"file__url": "file:///etc/passwd"}, r"key 'file.url'"),
    "long delimiter": ({"file__delimiter": "::"}, r"'file.delimiter' is '::'"),
    "encoding": ({"file__encoding": "utf-9"}, r"'utf-9' is not an encoding Python knows"),
    "row count": ({"file__row_count": 0}, r"'file.row_count' is 0.*greater than 0"),
    "neither": ({"file": None}, r"give either 'file' or 'generator'"),
    "both": (
        {"generator": {"name": "brokerage", "row_count": 1}},
        r"give either 'file' or 'generator'",
    ),
    "real generator": (
        {"file": None, "generator": {"name": "brokerage", "row_count": 1}},
        r"origin.kind is 'simulated' for a generated",
    ),
    "unknown target": ({"target__column": "wno"}, r"target.column names 'wno', which is not under"),
    "target labels": ({"target__positive": "ja"}, r"exactly the values .*\['ja', 'no'\]"),
    "same labels": ({"target__positive": "no"}, r"exactly the values"),
    "unknown leak": ({"leaks": {"pay": "x"}}, r"leaks names 'pay'"),
    "leak is target": ({"leaks": {"won": "x"}}, r"'won' is neither a leak nor a slice"),
    "leak without reason": ({"leaks": {"paid": ""}}, r"'leaks.paid' is ''"),
    "unknown slice": ({"slices": ["colour"]}, r"slices names 'colour'"),
    "slice of numbers": ({"slices": ["budget"]}, r"'budget', which is not a category or boolean"),
    "slice twice": ({"slices": ["source", "source"]}, r"slice 'source' appears 2 times"),
    "unknown group": ({"group_column": "house"}, r"group_column names 'house'"),
    "unknown id": ({"id_column": "key"}, r"id_column names 'key'"),
    "unknown time": ({"time": {"column": "day"}}, r"time.column names 'day'"),
    "time is text": ({"time": {"column": "note"}}, r"'note', which is not a date or number"),
    "time twice": (
        {"time": {"column": "created", "order": "file"}},
        r"key 'time': give either 'column: <name>' or 'order: file'",
    ),
    "time order": ({"time": {"order": "random"}}, r"'time.order' is 'random'.*'file'"),
    "no columns": ({"columns": []}, r"'columns' is \[\].*at least 2 items"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_wrong_card_is_refused(name: str, tmp_path: Path, make_card: Make) -> None:
    changes, message = CHANGES[name]
    path = write(tmp_path, make_card(**changes))
    with pytest.raises(DataError, match=message) as caught:
        read_card(path)
    assert str(path) in str(caught.value)
    assert caught.value.fix


COLUMNS: dict[str, tuple[int, dict[str, Any], str]] = {
    "twice": (1, {"name": "id"}, r"column 'id' appears 2 times"),
    "dtype": (
        3,
        {"dtype": "int"},
        r"line \d+, key 'columns\[3\].dtype': .* is 'int'",
    ),
    "no meaning": (3, {"meaning": ""}, r"key 'columns\[3\].meaning'"),
    "category without values": (5, {"values": []}, r"columns\[5\]': a category column lists"),
    "values for numbers": (4, {"values": [1]}, r"values are for category and boolean columns"),
    "value twice": (5, {"values": ["web", "web"]}, r"value 'web' appears 2 times"),
    "value is missing code": (5, {"missing": ["web"]}, r"'web' is both a value and a missing code"),
    "boolean values": (6, {"values": ["ja", "nein"]}, r"two values, one pair of true/false"),
    "target may be missing": (9, {"missing": ["?"]}, r"'won' cannot have missing codes"),
    "target dtype": (9, {"dtype": "text", "values": []}, r"'won' is a category with exactly"),
}


@pytest.mark.parametrize("name", COLUMNS)
def test_wrong_column_is_refused(name: str, tmp_path: Path, make_card: Make) -> None:
    index, changes, message = COLUMNS[name]
    with pytest.raises(DataError, match=message):
        read_card(write(tmp_path, with_column(make_card, index, **changes)))


def test_no_input_left(tmp_path: Path, make_card: Make) -> None:
    data = make_card()
    for column in data["columns"]:
        column["input"] = False
    with pytest.raises(DataError, match=r"no input column is left"):
        read_card(write(tmp_path, data))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name: a\nname: b\n", r"card\.yaml, line 2: not valid YAML: key 'name' appears twice"),
        ("name: [a\n", r"line \d: not valid YAML"),
        ("name: a\n\tb: c\n", r"line 2: not valid YAML"),
        (
            "name: !!python/object:os.system x\n",
            r"could not determine a constructor",
        ),
        ("- a\n- b\n", r"a mapping of keys is needed, found list"),
        ("", r"a mapping of keys is needed, found NoneType"),
    ],
)
def test_broken_yaml(text: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=message):
        read_card(write(tmp_path, text))


def test_missing_and_undecodable_file(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"none\.yaml: the file does not exist"):
        read_card(tmp_path / "none.yaml")
    (tmp_path / "card.yaml").write_bytes(b"name: caf\xe9\n")
    with pytest.raises(DataError, match=r"cannot be read.*UTF-8"):
        read_card(tmp_path / "card.yaml")


def test_words_stay_words(tmp_path: Path, make_card: Make) -> None:
    text = (
        yaml.safe_dump(make_card(), sort_keys=False).replace("'yes'", "yes").replace("'no'", "no")
    )
    assert "positive: yes" in text
    card = read_card(write(tmp_path, text + "notes: 2024-01-31\n"))
    assert (card.target.positive, card.target.negative) == ("yes", "no")
    assert card.column("won").values == ("no", "yes")
    assert card.notes == "2024-01-31"


def test_roles_are_never_inputs(make_card: Make) -> None:
    card = Card.model_validate(make_card())
    assert card.input_names() == ("visits", "budget", "source", "vip", "note")
    assert card.input_names(("paid",)) == ("visits", "budget", "source", "vip", "note", "paid")
    with pytest.raises(DataError, match=r"'budgt' is not a column.*correct the name"):
        card.column("budgt")
    with pytest.raises(ValueError, match=r"frozen"):
        card.title = "other"  # type: ignore[misc]  # that it cannot be set is what is tested
