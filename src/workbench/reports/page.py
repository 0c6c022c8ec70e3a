"""From an executed notebook to one self-contained page: no code, no request to anywhere."""

import html
import re
from pathlib import Path
from typing import Any

import nbformat
from nbconvert import HTMLExporter
from nbconvert.preprocessors import Preprocessor
from traitlets.config import Config

__all__ = ["export_page"]

_STYLE = Path(__file__).with_name("style.css")
_EXTERNAL = re.compile(r"""(?:src|href)\s*=\s*["']?\s*(?:https?:)?//""", re.IGNORECASE)


class _ReaderOnly(Preprocessor):
    """Drop what is for the author: streams, empty cells, the parameters."""

    def preprocess(self, notebook: Any, resources: Any) -> tuple[Any, Any]:
        for cell in notebook.cells:
            if cell.cell_type == "code":
                cell.outputs = [o for o in cell.outputs if o.output_type != "stream"]
        notebook.cells = [
            c for c in notebook.cells if c.cell_type != "code" or getattr(c, "outputs", [])
        ]
        return notebook, resources


def export_page(notebook: nbformat.NotebookNode, target: Path, *, title: str) -> Path:
    """Write an executed notebook as a page for readers.

    Parameters
    ----------
    notebook
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
    config = Config()
    exporter = config.HTMLExporter
    exporter.template_name = "basic"
    exporter.exclude_input = True
    exporter.exclude_input_prompt = True
    exporter.exclude_output_prompt = True
    exporter.mathjax_url = exporter.require_js_url = ""
    exporter.preprocessors = [_ReaderOnly]
    body, _ = HTMLExporter(config=config).from_notebook_node(notebook)
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
