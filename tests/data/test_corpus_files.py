"""Every way the files of a corpus can differ from its card is one error with place and remedy."""

import hashlib
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml

from workbench.data import Corpus
from workbench.data.corpora import corpus_names, load_corpus
from workbench.errors import DataError
from workbench.settings import Settings

CSV = b"""key,said,wish,who,fold,tags,number,sheet
1,a house please,buy,x,train,warm|new,1,"{""beds"": 2}"
2,sell my flat,sell,y,test,,2.5,{}
3,"two
lines",buy,z,validation,new,-1,"{""area"": ""North""}"
"""
FIELDS = [
    {"name": "intent", "meaning": "What is wanted", "kind": "label", "values": ["buy", "sell"]},
    {"name": "tags", "meaning": "Tags", "kind": "labels", "values": ["new", "warm"]},
    {"name": "worth", "meaning": "Worth", "kind": "number"},
    {
        "name": "sheet",
        "meaning": "Details",
        "kind": "slots",
        "slots": [
            {"name": "beds", "meaning": "Bedrooms", "kind": "number"},
            {"name": "area", "meaning": "Area", "kind": "choice", "values": ["North", "South"]},
            {"name": "wishes", "meaning": "Wishes", "kind": "choices", "values": ["pool", "sea"]},
        ],
    },
]
LABELS = {
    "intent": {"column": "wish"},
    "tags": {"column": "tags", "separator": "|"},
    "worth": {"column": "number"},
    "sheet": {"column": "sheet"},
}
COLUMNS = {
    "text": "said",
    "id": "key",
    "group": "who",
    "part": "fold",
    "labels": LABELS,
}
ONE = {"labels": {"intent": {"column": "wish"}}, "text": "said"}
Write = Callable[..., None]


def card_of(content_of: dict[str, bytes], /, **changes: Any) -> dict[str, Any]:
    data: dict[str, Any] = {
        "name": "mine",
        "title": "My <texts>",
        "version": "1",
        "licence": "internal",
        "origin": {"kind": "real", "publisher": "me"},
        "files": [
            {"name": name, "sha256": hashlib.sha256(content).hexdigest()}
            for name, content in content_of.items()
        ],
        "format": "csv",
        "columns": COLUMNS,
        "fields": FIELDS,
    }
    return {k: v for k, v in (data | changes).items() if v is not None}


@pytest.fixture
def write(settings: Settings) -> Write:
    def put(content_of: dict[str, bytes], /, **changes: Any) -> None:
        folder = settings.datasets / "mine"
        folder.mkdir(exist_ok=True)
        text = yaml.safe_dump(card_of(content_of, **changes), sort_keys=False)
        (folder / "corpus.yaml").write_text(text, encoding="utf-8")
        for name, content in content_of.items():
            path = settings.data_dir / "mine" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)

    return put


def short(content: bytes, kind: str, **changes: Any) -> tuple[dict[str, bytes], dict[str, Any]]:
    """A corpus of one field and one file of training texts."""
    name = f"mine.{kind}"
    files = [{"name": name, "sha256": hashlib.sha256(content).hexdigest(), "part": "train"}]
    told = {"files": files, "format": kind, "columns": ONE, "fields": FIELDS[:1]}
    return {name: content}, told | changes


def chat(turns: Any) -> tuple[dict[str, bytes], dict[str, Any]]:
    row = json.dumps({"turns": turns, "wish": "buy"}).encode()
    columns = {"messages": {"column": "turns"}, "labels": ONE["labels"]}
    return short(row, "jsonl", columns=columns)


def parquet(rows: list[dict[str, Any]]) -> bytes:
    buffer = io.BytesIO()
    pd.DataFrame(rows).to_parquet(buffer)
    return buffer.getvalue()


def csv(old: bytes, new: bytes, **changes: Any) -> tuple[dict[str, bytes], dict[str, Any]]:
    assert old in CSV
    return {"mine.csv": CSV.replace(old, new, 1)}, changes


def nested(fold: Any) -> tuple[dict[str, bytes], dict[str, Any]]:
    return short(json.dumps(fold).encode(), "nlupp", columns=ONE | {"text": "text"})


GOOD = b'{"said": "a house", "wish": "buy"}\n'
BAD: dict[str, tuple[tuple[dict[str, bytes], dict[str, Any]], str]] = {
    "empty file": (short(b"", "jsonl"), r"mine\.jsonl: the file is empty"),
    "wrong checksum": (
        csv(b"1,a", b"1,a", files=[{"name": "mine.csv", "sha256": "0" * 64}]),
        r"wrong checksum: sha256 is .*Expected 0{64}.*get the file again",
    ),
    "csv without rows": (({"mine.csv": CSV.split(b"\n")[0]}, {}), r"the file has no rows"),
    "csv separated otherwise": (
        ({"mine.csv": CSV.replace(b",", b";")}, {}),
        r"no ',' in the header, but ';'.*declare delimiter: ';'",
    ),
    "csv row too short": (csv(b"2,sell my flat,", b"2,"), r"line 3: the row has 7 fields"),
    "csv open quote": (csv(b'lines"', b'lines"x'), r"line 4: broken quoting"),
    "csv header twice": (csv(b"key,said", b"said,said"), r"line 1: column 'said' appears twice"),
    "missing text column": (csv(b"said", b"text"), r"line 2: column 'said' is missing.*key, text"),
    "missing label column": (csv(b"wish", b"wishes"), r"line 2: column 'wish' is missing"),
    "not utf-8": (csv(b"flat", "Häuschen".encode("latin-1")), r"line 3: byte 0xe4 is not utf-8"),
    "utf-16": (({"mine.csv": CSV.decode().encode("utf-16")}, {}), r"byte order mark of UTF-16"),
    "nul": (csv(b"flat", b"fl\0at"), r"line 3: the file holds a NUL"),
    "empty text": (csv(b"sell my flat", b"  "), r"line 3, column 'said': the text is empty"),
    "unknown label": (
        csv(b",sell,", b",rent,"),
        r"line 3, column 'wish': \"rent\" is no value of 'intent'. Expected one of buy, sell",
    ),
    "unknown among labels": (csv(b"warm|new", b"warm|old"), r"line 2, .*\"old\" is no value"),
    "label twice": (csv(b"warm|new", b"new|new"), r"Expected each label once"),
    "no number": (csv(b"2.5", b"much"), r"\"much\" is no value of 'worth'.*a finite number"),
    "not finite": (csv(b"2.5", b"nan"), r"\"nan\" is no value of 'worth'"),
    "slots no object": (csv(b",{}", b",[]"), r"column 'sheet': \"\[\]\" is no value.*an object"),
    "slots cut short": (csv(b",{}", b",{"), r"line 3, column 'sheet', column 2: the JSON is cut"),
    "unknown slot": (csv(b'""beds""', b'""rooms""'), r"\"rooms\" is no value.*beds, area, wishes"),
    "slot no number": (csv(b": 2}", b': ""many""}'), r"slot 'beds': \"many\" is no value"),
    "slot no choice": (csv(b"North", b"West"), r"slot 'area': \"West\".*one of North, South"),
    "slot no choices": (
        csv(b'""area"": ""North""', b'""wishes"": [""lake""]'),
        r"slot 'wishes': \[\"lake\"\].*a list of one of pool, sea",
    ),
    "identifier twice": (csv(b"\n2,", b"\n1,"), r"'1' appears twice, first at .*line 2"),
    "identifier missing": (csv(b"\n2,", b"\n,"), r"line 3, column 'key': the text is empty"),
    "unknown part": (csv(b",test,", b",dev,"), r"part 'dev'.*one of train, validation, test"),
    "group in two parts": (csv(b",y,", b",x,"), r"group 'x' is of test, but of train at .*line 2"),
    "tsv row too long": (
        short(b"said\twish\na house\tbuy\tx\n", "tsv"),
        r"line 2: the row has 3 fields.*2 fields separated by tabs",
    ),
    "jsonl cut short": (
        short(GOOD + b'{"said": "a h', "jsonl"),
        r"line 2, column \d+: (the JSON is cut short|not valid JSON: Unterminated)",
    ),
    "jsonl empty line": (short(GOOD + b"\n" + GOOD, "jsonl"), r"line 2: the line is empty"),
    "jsonl no object": (short(b'"a house"\n', "jsonl"), r"line 1: found str, no object"),
    "jsonl key twice": (
        short(b'{"said": "a", "said": "b"}', "jsonl"),
        r"line 1: not valid JSON: key 'said' appears twice",
    ),
    "jsonl nan": (short(b'{"said": NaN}', "jsonl"), r"NaN is no number of JSON"),
    "jsonl text is a list": (
        short(b'{"said": ["a"], "wish": "buy"}', "jsonl"),
        r"line 1, column 'said': found \[\"a\"\], no text",
    ),
    "jsonl half a pair": (
        short(b'{"said": "\\ud83d", "wish": "buy"}', "jsonl"),
        r"the text holds half a surrogate pair",
    ),
    "jsonl nul": (short(b'{"said": "a\\u0000", "wish": "buy"}', "jsonl"), r"holds a NUL"),
    "jsonl label is an object": (
        short(b'{"said": "a", "wish": {"a": 1}}', "jsonl"),
        r"\{\"a\": 1\} is no value of 'intent'",
    ),
    "json deep": (short(b"[" * 100_000, "json"), r"not valid JSON|cut short"),
    "json no list": (short(b"{}", "json"), r"the file holds one dict.*a list of objects"),
    "no examples": (short(b"[]", "json"), r"corpus 'mine': the files hold no examples"),
    "not parquet": (short(b"PAR1 no", "parquet"), r"not a Parquet file"),
    "parquet without text": (
        short(parquet([{"said": None, "wish": "buy"}]), "parquet"),
        r"row 1, column 'said': found null, no text",
    ),
    "lines empty": (
        short(
            b"buy\n\n",
            "lines",
            columns={"text": "text", "labels": {"intent": {"column": "text"}}},
        ),
        r"mine\.lines, line 2, column 'text': the text is empty",
    ),
    "no messages": (chat([]), r"column 'turns': no list of messages"),
    "message no object": (chat(["hello"]), r"message 1: the message is no object"),
    "message without text": (chat([{"speaker": "lead"}]), r"message 1: column 'text' is missing"),
    "strange speaker": (
        chat([{"speaker": "bot", "text": "hello"}]),
        r"message 1: speaker 'bot'. Expected one of lead, agent",
    ),
    "published, cut short": (short(b'{"a": [', "clinc"), r"line|column \d+: the JSON is cut short"),
    "published, other shape": (short(b"[1]", "clinc"), r"another shape: AttributeError"),
    "published, no text": (nested([{"intents": []}]), r"another shape: KeyError 'text'"),
    "split leaves none": (
        csv(
            b"1,a",
            b"1,a",
            split={"test": 0.9},
            columns={k: v for k, v in COLUMNS.items() if k != "part"},
        ),
        r"3 groups cannot be split by these shares",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_file_is_one_clear_error(case: str, write: Write, settings: Settings) -> None:
    (files, changes), told = BAD[case]
    write(files, **changes)
    with pytest.raises(DataError, match="(?s)" + told) as caught:
        load_corpus("mine", settings=settings)
    assert caught.value.fix


CARDS: dict[str, tuple[dict[str, Any], str]] = {
    "two sources of parts": ({"split": {"test": 0.3}}, r"say which part an example is of once"),
    "part of some files": (
        {"columns": {k: v for k, v in COLUMNS.items() if k != "part"}},
        r"say which part an example is of once",
    ),
    "no label source": ({"fields": FIELDS[:3]}, r"columns\.labels says for every field"),
    "text and messages": (
        {"columns": COLUMNS | {"messages": {"column": "m"}}},
        r"give either 'text' or 'messages'",
    ),
    "misspelt": ({"colums": 1}, r"unknown key 'colums'.*write 'columns'"),
    "way out": (
        {"files": [{"name": "../x.csv", "sha256": "0" * 64}]},
        r"'files\.0\.name' is '\.\./x\.csv'",
    ),
    "unknown encoding": (
        {"files": [{"name": "x.csv", "sha256": "0" * 64, "encoding": "utf-9"}]},
        r"'utf-9'",
    ),
    "meanings": ({"meanings": {"words": "Words"}}, r"meanings are of text"),
    "header of csv": ({"header": ["a"]}, r"a header is given for tsv files"),
    "all for testing": ({"split": {"test": 0.5, "validation": 0.5}}, r"less than 1"),
    "separator of a number": (
        {"columns": COLUMNS | {"labels": LABELS | {"worth": {"column": "n", "separator": ","}}}},
        r"'worth' is no field of kind labels",
    ),
    "another name": ({"name": "yours"}, r"the card's name is 'yours'.*name of its folder"),
}


@pytest.mark.parametrize("case", CARDS)
def test_bad_card_is_one_clear_error(case: str, write: Write, settings: Settings) -> None:
    changes, told = CARDS[case]
    write({"mine.csv": CSV}, **changes)
    with pytest.raises(DataError, match="(?s)" + told):
        load_corpus("mine", settings=settings)


def test_no_such_corpus(write: Write, settings: Settings) -> None:
    write({"mine.csv": CSV})
    with pytest.raises(DataError, match=r"no corpus 'mien'.*write 'mine', or add datasets/mien"):
        load_corpus("mien", settings=settings)


def test_one_csv_of_every_kind(write: Write, settings: Settings) -> None:
    write({"mine.csv": CSV})
    corpus = load_corpus("mine", settings=settings)
    assert corpus.X["text"].tolist() == ["a house please", "sell my flat", "two\nlines"]
    assert corpus.y.loc["1"].tolist() == ["buy", ("new", "warm"), 1.0, {"beds": 2.0}]
    assert corpus.y.loc["2", "tags"] == ()
    assert corpus.part.tolist() == ["train", "test", "validation"]
    assert corpus.groups is not None
    assert corpus.groups.tolist() == ["x", "y", "z"]
    assert "My &lt;texts&gt;" in corpus._repr_html_()
    assert corpus_names(settings) == ["mine"]


def test_missing_codes_flags_and_context(write: Write, settings: Settings) -> None:
    content = b"said,wish,new,warm,from\na,1,yes,0,web\nb,?,,,\nc,0,n,T,mail\n"
    columns = {
        "text": "said",
        "context": {"channel": "from"},
        "slices": {"wish": "wish"},
        "labels": {
            "intent": {"column": "wish", "codes": {"0": "buy", "1": "sell"}, "missing": ["?"]},
            "tags": {"flags": {"new": "new", "warm": "warm"}, "missing": [""]},
        },
    }
    meanings = {"text": "Message", "channel": "Channel"}
    files, changes = short(content, "csv", columns=columns, fields=FIELDS[:2], meanings=meanings)
    write(files, **changes)
    corpus = load_corpus("mine", settings=settings)
    assert corpus.y["intent"].tolist() == ["sell", None, "buy"]
    assert corpus.y["tags"].tolist() == [("new",), None, ("warm",)]
    assert corpus.X["channel"].tolist() == ["web", "", "mail"]
    assert corpus.X.index.tolist() == ["mine-1", "mine-2", "mine-3"]
    assert corpus.slices is not None


def test_dialogue_is_a_line_a_turn(write: Write, settings: Settings) -> None:
    turns = [{"speaker": "agent", "text": "How can\nI help?"}, {"speaker": "lead", "text": "Sell"}]
    files, changes = chat(turns)
    write(files, **changes)
    corpus = load_corpus("mine", settings=settings)
    assert corpus.X["text"].tolist() == ["agent: How can I help?\nlead: Sell"]


def test_lines_beside_each_other_and_names_from_a_file(write: Write, settings: Settings) -> None:
    files = {"en/text.txt": b"a house\nmy flat\n", "en/y.txt": b"0\n1", "names.txt": b"buy\nsell\n"}
    told = {n: {"name": n, "sha256": hashlib.sha256(c).hexdigest()} for n, c in files.items()}
    card = {
        "format": "lines",
        "files": [
            told["en/text.txt"]
            | {"adds": {"lang": "en"}, "part": "test", "beside": {"wish": told["en/y.txt"]}}
        ],
        "columns": {
            "text": "text",
            "slices": {"language": "lang"},
            "labels": {"intent": {"column": "wish", "names": told["names.txt"]}},
        },
        "fields": FIELDS[:1],
    }
    write(files, **card)
    corpus = load_corpus("mine", settings=settings)
    assert corpus.y["intent"].tolist() == ["buy", "sell"]
    assert corpus.X.index.tolist() == ["en/text-1", "en/text-2"]
    assert corpus.slices is not None
    assert corpus.slices["language"].tolist() == ["en", "en"]
    path: Path = settings.data_dir / "mine" / "en" / "text.txt"
    longer = files["en/text.txt"] + b"third\n"
    path.write_bytes(longer)
    card["files"][0]["sha256"] = hashlib.sha256(longer).hexdigest()  # type: ignore[index]
    write(files | {"en/text.txt": longer}, **card)
    with pytest.raises(DataError, match=r"'en/y\.txt' has 2 lines.*3 or more"):
        load_corpus("mine", settings=settings)


def test_parquet_reads_lists(write: Write, settings: Settings) -> None:
    rows = [{"said": "a", "wish": "buy", "tags": ["warm", "new"]}]
    columns = {"text": "said", "labels": {"tags": {"column": "tags"}}}
    files, changes = short(parquet(rows), "parquet", columns=columns, fields=FIELDS[1:2])
    write(files, **changes)
    assert load_corpus("mine", settings=settings).y["tags"].tolist() == [("new", "warm")]


def _split(write: Write, settings: Settings, seed: int) -> Corpus:
    rows = "\n".join(f"text {i},buy,g{i // 4}" for i in range(200))
    content = f"said,wish,who\n{rows}\n".encode()
    columns = ONE | {"group": "who"}
    split = {"test": 0.2, "validation": 0.1, "random_state": seed}
    files, changes = short(content, "csv", columns=columns, split=split)
    del changes["files"][0]["part"]
    write(files, **changes)
    return load_corpus("mine", settings=settings)


def test_random_split_keeps_groups_whole_and_is_seeded(write: Write, settings: Settings) -> None:
    first, again = _split(write, settings, 1), _split(write, settings, 1)
    assert first.sizes == {"train": 140, "validation": 20, "test": 40}
    assert first.part.equals(again.part)
    assert not first.part.equals(_split(write, settings, 2).part)


def test_download_address_of_a_missing_file_is_told(write: Write, settings: Settings) -> None:
    write({"mine.csv": CSV})
    (settings.data_dir / "mine" / "mine.csv").unlink()
    with pytest.raises(DataError, match=r"no address to download from.*by hand"):
        load_corpus("mine", settings=settings)


def test_sample_draws_by_seed(write: Write, settings: Settings) -> None:
    _split(write, settings, 0)
    drawn = load_corpus("mine", settings=settings, n=40, random_state=3)
    assert 30 <= len(drawn) <= 50
    assert drawn.digest == load_corpus("mine", settings=settings, n=40, random_state=3).digest
