"""Published corpora whose files have a shape of their own, as records.

`clinc` is Larson et al. 2019 (arXiv 1909.02027), `nlupp` Casanueva et al. 2022 (arXiv 2204.13021),
`sgd` Rastogi et al. 2020 (arXiv 1909.05855), `casino` Chawla et al. 2021 (arXiv 2103.15721).
"""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from workbench.data.card import DataFile
from workbench.data.corpora.records import Reader, Record, read_json
from workbench.data.reading import declared_text
from workbench.errors import DataError

__all__ = ["PUBLISHED_READERS"]

_SPEAKERS = {"USER": "lead", "SYSTEM": "agent"}
_SERVICE = "Homes_"
_DEAL = frozenset({"Submit-Deal", "Accept-Deal", "Reject-Deal", "Walk-Away"})


def _shaped(path: Path, declared: DataFile, walk: Callable[[Any], Iterator[Record]]) -> Any:
    data = read_json(declared_text(path, declared), str(path))
    try:
        yield from walk(data)
    except (KeyError, TypeError, IndexError, AttributeError, ValueError) as error:
        if isinstance(error, DataError):
            raise
        raise DataError(
            f"the file has another shape: {type(error).__name__} {error}",
            where=str(path),
            expected="the shape of the published corpus",
            fix="get the file again, or correct the format in the card",
        ) from None


def _clinc(path: Path, declared: DataFile) -> Iterator[Record]:
    def walk(data: Any) -> Iterator[Record]:
        for name, pairs in data.items():
            part = name.removeprefix("oos_")
            for number, (text, intent) in enumerate(pairs, 1):
                values = {"id": f"{name}-{number}", "text": text, "intent": intent, "part": part}
                yield Record(values, f"{path}, {name} {number}")

    yield from _shaped(path, declared, walk)


def _nlupp(path: Path, declared: DataFile) -> Iterator[Record]:
    def walk(data: Any) -> Iterator[Record]:
        for number, item in enumerate(data, 1):
            slots = item.get("slots", {})
            values = {
                "id": f"{path.stem}-{number}",
                "text": item["text"],
                "intents": item.get("intents", []),
                "slots": {name: _plain_value(name, told) for name, told in slots.items()},
                "mentions": {name: told["text"] for name, told in slots.items()},
            }
            yield Record(values, f"{path}, item {number}")

    yield from _shaped(path, declared, walk)


def _plain_value(slot: str, told: Mapping[str, Any]) -> Any:
    """Dates as 2022-03-16, times as 18:35, spans of time in days or minutes or from … to …."""
    if "values" in told:
        period = told["values"]
        if period["type"] == "absolute":
            return f"{_moment(period['from'])} to {_moment(period['to'])}"
        return f"{period['days']:g} {'minutes' if slot == 'time_period' else 'days'}"
    value = told["value"]
    return _moment(value) if isinstance(value, dict) else value


def _moment(value: Mapping[str, int]) -> str:
    if "hour" in value:
        return f"{value['hour']:02d}:{value['minute']:02d}"
    return f"{value['year']:04d}-{value['month']:02d}-{value['day']:02d}"


def _sgd(path: Path, declared: DataFile) -> Iterator[Record]:
    def walk(data: Any) -> Iterator[Record]:
        for dialogue in data:
            lines: list[str] = []
            for number, turn in enumerate(dialogue["turns"]):
                said = " ".join(turn["utterance"].split())
                lines.append(f"{_SPEAKERS[turn['speaker']]}: {said}")
                state = _homes_state(turn)
                if state is None:
                    continue
                text = "\n".join(lines)
                name = f"{dialogue['dialogue_id']}-{number}"
                slots = {slot: _said(values, text) for slot, values in state["slot_values"].items()}
                values = {
                    "id": f"{path.stem}-{name}",
                    "dialogue": f"{path.stem}-{dialogue['dialogue_id']}",
                    "text": text,
                    "intent": state["active_intent"],
                    "slots": slots,
                }
                yield Record(values, f"{path}, dialogue {name}")

    yield from _shaped(path, declared, walk)


def _homes_state(turn: Mapping[str, Any]) -> Mapping[str, Any] | None:
    for frame in turn["frames"]:
        if frame["service"].startswith(_SERVICE) and "state" in frame:
            state: Mapping[str, Any] = frame["state"]
            return state
    return None


def _said(values: list[str], text: str) -> str:
    """Of several ways to say a value, the one that was said last."""
    return max(values, key=lambda value: text.lower().rfind(value.lower()))


def _casino(path: Path, declared: DataFile) -> Iterator[Record]:
    def walk(data: Any) -> Iterator[Record]:
        for dialogue in data:
            before = ""
            for number, (text, strategies) in enumerate(dialogue["annotations"], 1):
                name = f"{dialogue['dialogue_id']}-{number}"
                if text not in _DEAL:
                    values = {
                        "id": name,
                        "dialogue": str(dialogue["dialogue_id"]),
                        "text": text,
                        "before": before,
                        "strategies": strategies,
                    }
                    yield Record(values, f"{path}, utterance {name}")
                before = text

    yield from _shaped(path, declared, walk)


PUBLISHED_READERS: Mapping[str, Reader] = {
    "clinc": _clinc,
    "nlupp": _nlupp,
    "sgd": _sgd,
    "casino": _casino,
}
"""How each published format is read."""
