"""YAML files as people mean them, what is wrong with one in a sentence, and strict JSON.

`yes` is a word, a key appears once, every key has a line to point at.
"""

import difflib
import json
import math
import re
import types
import typing
from collections.abc import Hashable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from workbench.errors import WorkbenchError

__all__ = ["Document", "load_document", "parse_model", "read_document", "to_json"]

Model = TypeVar("Model", bound=BaseModel)


class Document(NamedTuple):
    """Plain data of one YAML file and where its keys stand."""

    data: Any
    path: Path
    node: yaml.Node | None
    first_line: int = 1

    def where(self, location: Sequence[str | int] = ()) -> str:
        """Name file, line and key of a location such as `("columns", 3, "dtype")`."""
        node, key = self.node, ""
        for part in location:
            found = _child(node, part)
            if found is None:
                break  # a missing key has no line of its own: point at what should hold it
            node = found
            key += f"[{part}]" if isinstance(part, int) else f".{part}" if key else part
        line = self.first_line if node is None else node.start_mark.line + self.first_line
        return f"{self.path}, line {line}" + (f", key {key!r}" if key else "")


class _Loader(yaml.SafeLoader):
    """YAML 1.2 scalars: `yes`, `off` and `2024-01-31` stay the words they are."""

    yaml_implicit_resolvers = {  # noqa: RUF012 - PyYAML's own class attribute
        first: [rule for rule in rules if rule[0].rpartition(":")[2] in {"merge", "null"}]
        for first, rules in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:  # noqa: FBT001 - PyYAML's signature
        seen: set[str] = set()
        for key, _ in node.value:
            text = str(key.value)
            if text in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"key {text!r} appears twice", key.start_mark
                )
            seen.add(text)
        return super().construct_mapping(node, deep=deep)


_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:bool", re.compile(r"^(?:true|True|TRUE|false|False|FALSE)$"), list("tTfF")
)
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"^[-+]?(?:\.[0-9]+|[0-9]+\.[0-9]*|[0-9]+(?=[eE]))(?:[eE][-+]?[0-9]+)?$"),
    list("-+.0123456789"),
)
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:int", re.compile(r"^[-+]?(?:0|[1-9][0-9]*)$"), list("-+0123456789")
)


def read_document(path: Path, error: type[WorkbenchError]) -> Document:
    """Read one YAML file of plain data.

    Parameters
    ----------
    path
        The file, UTF-8.
    error
        Kind of error to raise.

    Raises
    ------
    WorkbenchError
        Of the kind `error`: when the file is missing, not UTF-8, not YAML, or repeats a key.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise error("the file does not exist", where=str(path), fix="create it") from None
    except (OSError, UnicodeDecodeError) as reason:
        raise error(
            f"the file cannot be read: {reason}",
            where=str(path),
            expected="a UTF-8 text file",
            fix="save it as UTF-8 and check its permissions",
        ) from None
    return load_document(text, path, error)


def load_document(
    text: str, path: Path, error: type[WorkbenchError], first_line: int = 1
) -> Document:
    """Read YAML text that stands in `path` from line `first_line` on; see `read_document`."""
    loader = _Loader(text)
    try:
        node = loader.get_single_node()
        data = None if node is None else loader.construct_document(node)
    except yaml.MarkedYAMLError as reason:
        mark = reason.problem_mark or reason.context_mark
        line = f", line {mark.line + first_line}" if mark else ""
        raise error(
            f"not valid YAML: {reason.problem}",
            where=f"{path}{line}",
            expected="YAML with each key once and text in quotes when it holds ': ' or '#'",
            fix="correct that line",
        ) from None
    except (yaml.YAMLError, RecursionError) as reason:
        raise error(f"not valid YAML: {reason}", where=str(path), fix="rewrite it") from None
    finally:
        loader.dispose()
    return Document(data, path, node, first_line)


def _child(node: yaml.Node | None, part: str | int) -> yaml.Node | None:
    if isinstance(node, yaml.MappingNode):
        return next((value for key, value in node.value if key.value == str(part)), None)
    if isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
        found: yaml.Node = node.value[part]
        return found
    return None


def parse_model(document: Document, model: type[Model], error: type[WorkbenchError]) -> Model:
    """Check a document against a pydantic model.

    Parameters
    ----------
    document
        What was read.
    model
        What it must be; unknown keys are errors when the model forbids them.
    error
        Kind of error to raise.

    Raises
    ------
    WorkbenchError
        Of the kind `error`, for the first problem; names file, line and key.
    """
    if not isinstance(document.data, dict):
        raise error(
            f"a mapping of keys is needed, found {type(document.data).__name__}",
            where=document.where(),
            expected=f"the keys {', '.join(model.model_fields)}",
            fix="start from an existing file of this kind",
        )
    try:
        return model.model_validate(document.data)
    except ValidationError as reason:
        # A misspelt key comes first: it is why another one is missing.
        problems = sorted(
            reason.errors(include_url=False), key=lambda p: p["type"] != "extra_forbidden"
        )
        location = _written(problems[0]["loc"], document.data)
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        what, expected, fix = _explain(problems[0], location, model)
        raise error(
            what + more, where=document.where(location), expected=expected, fix=fix
        ) from None


def _written(location: tuple[int | str, ...], data: Any) -> list[int | str]:
    # Pydantic puts the member of a union into the location; only what is written counts.
    kept: list[int | str] = []
    for index, part in enumerate(location):
        inside = (isinstance(data, dict) and part in data) or (
            isinstance(data, list) and isinstance(part, int) and part < len(data)
        )
        if inside:
            kept.append(part)
            data = data[part]
        elif index == len(location) - 1:
            kept.append(part)
    return kept


def _explain(
    problem: Any,
    location: list[int | str],
    model: type[BaseModel],
) -> tuple[str, str, str]:
    key = ".".join(str(part) for part in location) or "the file"
    message = problem["msg"].removeprefix("Value error, ")
    if problem["type"] == "extra_forbidden":
        known = _known_keys(model, problem["loc"][:-1])
        near = difflib.get_close_matches(str(location[-1]), known, n=1)
        fix = f"write {near[0]!r}" if near else "correct or delete the key"
        return f"unknown key {key!r}", f"one of {', '.join(known)}", fix
    if problem["type"] == "missing":
        return f"key {key!r} is missing", "the key with a value", f"add {location[-1]!r}"
    if problem["type"] == "value_error":
        return message, "a file that agrees with itself", f"correct {key}"
    found = f"{key!r} is {problem['input']!r}"
    fix = "put the value in quotes" if problem["type"] == "string_type" else "correct the value"
    wanted = message.removeprefix("Input should be ")
    return found, wanted[:1].lower() + wanted[1:], fix


def _known_keys(model: type[BaseModel], location: tuple[int | str, ...]) -> list[str]:
    models = [model]
    for part in location:
        if isinstance(part, int):
            continue
        inner = [
            found
            for candidate in models
            if part in candidate.model_fields
            for found in _models_in(candidate.model_fields[str(part)].annotation)
        ]
        models = inner or [m for m in models if _tag(m) == part] or models
    return list(dict.fromkeys(name for found in models for name in found.model_fields))


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    if isinstance(annotation, types.GenericAlias) or typing.get_args(annotation):
        return [m for part in typing.get_args(annotation) for m in _models_in(part)]
    return []


def _tag(model: type[BaseModel]) -> object:
    kind = model.model_fields.get("kind")
    values = typing.get_args(kind.annotation) if kind else ()
    return values[0] if len(values) == 1 else None


def to_json(value: Any) -> str:
    """Write plain values as JSON any reader takes: NaN and infinities become null.

    Parameters
    ----------
    value
        Mappings, sequences, scalars (numpy's too); anything else is written as text.

    Examples
    --------
    >>> to_json({"a": float("nan"), "b": (1, True)})
    '{"a": null, "b": [1, true]}'
    """
    return json.dumps(_plain(value), allow_nan=False)


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if hasattr(value, "item"):  # a numpy scalar
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value if isinstance(value, str | int | float | None) else str(value)
