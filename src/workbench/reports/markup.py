"""HTML pieces the sections of a report are made of."""

import html
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

__all__ = ["Section", "breakable", "escape", "figure", "table"]


@dataclass(frozen=True, slots=True)
class Section:
    """A piece of HTML that displays itself."""

    text: str

    def _repr_html_(self) -> str:
        return self.text


def escape(text: object) -> str:
    """Write anything as HTML text.

    Examples
    --------
    >>> escape("<b>")
    '&lt;b&gt;'
    """
    return html.escape(str(text), quote=True)


def breakable(name: str) -> str:
    """Write an identifier so that a narrow column may break it.

    Examples
    --------
    >>> breakable("sim:zero_shot")
    'sim:<wbr>zero_<wbr>shot'
    """
    return escape(name).replace("_", "_<wbr>").replace(":", ":<wbr>")


def figure(value: str, lower: str, upper: str) -> str:
    """Write a figure with its interval below it."""
    return f"{escape(value)}<br><small>[{escape(lower)}, {escape(upper)}]</small>"


def table(head: Sequence[str], rows: Iterable[Sequence[str]], css: str = "") -> str:
    """Write a table; cells are HTML already, the first of each row is its heading.

    Parameters
    ----------
    head
        Headings of the columns.
    rows
        The rows.
    css
        Further classes.
    """
    top = "".join(f"<th scope='col'>{cell}</th>" for cell in head)
    body = "".join(
        f"<tr><th scope='row'>{row[0]}</th>" + "".join(f"<td>{c}</td>" for c in row[1:]) + "</tr>"
        for row in rows
    )
    return (
        f"<div class='scroll'><table class='wb {css}'><thead><tr>{top}</tr></thead>"
        f"<tbody>{body}</tbody></table></div>"
    )
