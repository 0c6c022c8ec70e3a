"""The one place where SQL is put together: names are quoted, values are bound or quoted."""

from datetime import datetime

__all__ = ["fill", "finite", "literal", "quoted"]


def fill(template: str, **parts: str) -> str:
    """Put SQL parts into a template.

    Parameters
    ----------
    template
        SQL with ``{name}`` where a part goes.
    **parts
        SQL made by this package; anything a user named must have gone through `quoted` or
        `literal`.

    Examples
    --------
    >>> fill("select count(*) from {table}", table=quoted("my units"))
    'select count(*) from "my units"'
    """
    return template.format_map(parts)


def quoted(name: str) -> str:
    """Quote the name of a column or table, whatever it holds."""
    return '"' + name.replace('"', '""') + '"'


def literal(value: str | float | datetime) -> str:
    """Write a text, number or moment as a constant.

    Examples
    --------
    >>> literal("it's"), literal(0.5)
    ("'it''s'", '0.5::double')
    """
    if isinstance(value, datetime):
        return f"'{value.isoformat()}'::timestamptz"
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    return f"{float(value)!r}::double"


def finite(value: str) -> str:
    """SQL that is true for a finite number, false for NaN and infinities, NULL for NULL.

    NaN is larger than everything else in DuckDB as in Spark, which has no `isfinite`.

    Examples
    --------
    >>> finite("x")
    "(abs(x) < 'infinity'::double)"
    """
    return f"(abs({value}) < 'infinity'::double)"
