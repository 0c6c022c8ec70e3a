"""The emptiest valid answer to any JSON schema, with known properties filled in."""

from collections.abc import Mapping
from typing import Any

__all__ = ["fill"]


def fill(schema: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """Build an object that a schema accepts.

    Parameters
    ----------
    schema
        JSON schema of an object; ``$ref`` into its own ``$defs`` is followed.
    values
        Values by property name, used wherever the property has a fitting type.

    Returns
    -------
    dict
        Every property in the schema's order: texts empty, enumerations at their first value,
        numbers at their minimum or 0, arrays as short as allowed.

    Examples
    --------
    >>> fill({"type": "object", "properties": {
    ...     "grade": {"enum": ["A", "B"]}, "probability": {"type": "number"}}},
    ...     {"probability": 0.3})
    {'grade': 'A', 'probability': 0.3}
    """
    return _object(schema, values, schema)


def _object(
    schema: Mapping[str, Any], values: Mapping[str, Any], root: Mapping[str, Any]
) -> dict[str, Any]:
    filled: dict[str, Any] = {}
    for name, raw in schema.get("properties", {}).items():
        part = _resolved(raw, root)
        given = values.get(name)
        if name in values and given is None and _nullable(raw):
            filled[name] = None
        elif _fits(part, given):
            filled[name] = _fitted(part, given, root)
        else:
            filled[name] = _emptiest(part, values, root)
    return filled


def _resolved(schema: Mapping[str, Any], root: Mapping[str, Any]) -> Mapping[str, Any]:
    for _ in range(8):  # a chain of references longer than this is a loop
        if "$ref" in schema:
            schema = root.get("$defs", {}).get(str(schema["$ref"]).rsplit("/", 1)[-1], {})
        elif schema.get("anyOf") or schema.get("oneOf"):
            schema = (schema.get("anyOf") or schema.get("oneOf") or [{}])[0]
        elif len(schema.get("allOf", ())) == 1:
            schema = schema["allOf"][0]
        else:
            break
    return schema


def _nullable(schema: Mapping[str, Any]) -> bool:
    return any(part.get("type") == "null" for part in schema.get("anyOf", ()))


def _kind(schema: Mapping[str, Any]) -> str:
    kind = schema.get("type")
    if isinstance(kind, list):
        kind = kind[0]
    return str(kind or ("object" if "properties" in schema else "string"))


def _fits(schema: Mapping[str, Any], value: object) -> bool:
    kind = _kind(schema)
    if "enum" in schema or "const" in schema:
        return isinstance(value, str) and value in schema.get("enum", ())
    return (
        (kind == "number" and isinstance(value, float))
        or (kind == "integer" and isinstance(value, int) and not isinstance(value, bool))
        or (kind == "boolean" and isinstance(value, bool))
        or (kind == "array" and isinstance(value, list))
        or (kind == "object" and isinstance(value, Mapping))
        or (kind == "string" and isinstance(value, str))
    )


def _fitted(schema: Mapping[str, Any], value: object, root: Mapping[str, Any]) -> object:
    if isinstance(value, Mapping):
        return _object(schema, value, root)
    if isinstance(value, str):
        return value if "enum" in schema else value[: schema.get("maxLength", len(value))]
    if isinstance(value, list):
        item = _resolved(schema.get("items", {}), root)
        kept = [one for one in value if _fits(item, one)]
        if len(kept) < max(len(value), schema.get("minItems", 0)):
            return _emptiest(schema, {}, root)
        return kept[: schema.get("maxItems", len(kept))]
    if isinstance(value, int | float) and not isinstance(value, bool):
        return min(schema.get("maximum", value), max(schema.get("minimum", value), value))
    return value


def _emptiest(
    schema: Mapping[str, Any], values: Mapping[str, Any], root: Mapping[str, Any]
) -> object:
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return schema["enum"][0]
    kind = _kind(schema)
    if kind == "object":
        return _object(schema, values, root)
    if kind == "array":
        item = _resolved(schema.get("items", {}), root)
        return [_emptiest(item, values, root) for _ in range(schema.get("minItems", 0))]
    if kind in {"number", "integer"}:
        return schema.get("minimum", schema.get("exclusiveMinimum", -1) + 1)
    return {"boolean": False, "null": None}.get(kind, "")
