"""From an executed notebook to one self-contained page: no code, no request to anywhere."""

import html
import re
from copy import deepcopy
from pathlib import Path
from typing import Any

__all__ = ["export_page"]

_STYLE = Path(__file__).with_name("style.css")
_EXTERNAL = re.compile(r"""(?:src|href)\s*=\s*["']?\s*(?:https?:)?//""", re.IGNORECASE)


def export_page(notebook: Any, target: Path, *, title: str) -> Path:
    """Write an executed notebook as a page for readers.

    Parameters
    ----------
    notebook : NotebookNode
        Executed.
    target
        The HTML file; replaced in one step.
    title
        Of the page.

    Returns
    -------
    Path
        `target`.

    Raises
    ------
    ValueError
        When the page would ask the network for something; a defect of a template.
    """
    # Imported here: a notebook that only shows a report needs no exporter.
    from nbconvert import HTMLExporter

    exporter = HTMLExporter(
        template_name="basic",
        exclude_input=True,
        exclude_input_prompt=True,
        exclude_output_prompt=True,
        mathjax_url="",
        require_js_url="",
    )
    body, _ = exporter.from_notebook_node(_for_readers(notebook))
    page = (
        "<!doctype html>\n<html lang='en'><head><meta charset='utf-8'>"
        "<meta name='viewport' content='width=device-width, initial-scale=1'>"
        f"<title>{html.escape(title)}</title><style>{_STYLE.read_text(encoding='utf-8')}</style>"
        f"</head><body>{body}</body></html>\n"
    )
    if found := _EXTERNAL.search(page):
        raise ValueError(
            f"the page refers to an external address near {page[found.start() :][:80]!r}"
        )
    part = target.with_suffix(".part")
    part.write_text(page, encoding="utf-8")
    part.replace(target)
    return target


def _for_readers(notebook: Any) -> Any:
    """Leave out what is for the author: streams, and cells that show nothing."""
    copy = deepcopy(notebook)
    for cell in copy.cells:
        if cell.cell_type == "code":
            cell.outputs = [o for o in cell.outputs if o.output_type != "stream"]
    copy.cells = [c for c in copy.cells if c.cell_type != "code" or c.outputs]
    return copy
