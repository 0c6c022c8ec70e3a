"""What is different between two prompts, line by line and word by word."""

import difflib
import html
import re
from dataclasses import dataclass

import pandas as pd

from workbench.prompts import Prompt

__all__ = ["PromptDiff", "prompt_diff"]

_WORDS = re.compile(r"\s+|\w+|[^\w\s]")
_REMOVED = "background:#fee2e2;text-decoration:line-through"
_ADDED = "background:#dcfce7;text-decoration:none"


@dataclass(frozen=True, slots=True)
class PromptDiff:
    """Two prompts, beside what turns one into the other.

    Parameters
    ----------
    a, b
        The prompts.
    """

    a: Prompt
    b: Prompt

    @property
    def same(self) -> bool:
        """Whether both send the same: what people call them does not count."""
        return self.a.digest == self.b.digest

    def to_frame(self) -> pd.DataFrame:
        """One row a line that is in one of them only: part, change ("removed", "added"), line."""
        rows = []
        for part in ("system", "user"):
            for line in difflib.ndiff(*self._lines(part)):
                if line[0] in "-+":
                    change = "removed" if line[0] == "-" else "added"
                    rows.append({"part": part, "change": change, "line": line[2:]})
        return pd.DataFrame(rows, columns=["part", "change", "line"])

    def to_text(self) -> str:
        """Write a unified diff, as `diff -u` does."""
        parts: list[str] = []
        for part in ("system", "user"):
            names = (f"{self.a.name}: {part}", f"{self.b.name}: {part}")
            parts += difflib.unified_diff(*self._lines(part), *names, lineterm="", n=2)
        return "\n".join(parts)

    def _lines(self, part: str) -> tuple[list[str], list[str]]:
        a, b = (self.a.system, self.b.system) if part == "system" else (self.a.user, self.b.user)
        return a.splitlines(), b.splitlines()

    def _repr_html_(self) -> str:
        shown = "".join(
            f"<h4>{part}</h4><pre style='white-space:pre-wrap'>{_marked(*self._lines(part))}</pre>"
            for part in ("system", "user")
        )
        counts = (
            ""
            if self.a.n_examples == self.b.n_examples
            else (f", {self.a.n_examples} solved examples and {self.b.n_examples}")
        )
        told = "They send the same." if self.same else ""
        return (
            f"<p><del style='{_REMOVED}'>{html.escape(self.a.name)}</del> and "
            f"<ins style='{_ADDED}'>{html.escape(self.b.name)}</ins>{counts}. {told}</p>{shown}"
        )


def prompt_diff(a: Prompt, b: Prompt) -> PromptDiff:
    """Compare two prompts.

    Parameters
    ----------
    a, b
        Before and after.

    Examples
    --------
    >>> first = Prompt("a", "A", "zero_shot", "Label it.", "{{ message }}", ("message",))
    >>> second = Prompt("b", "B", "zero_shot", "Label it well.", "{{ message }}", ("message",))
    >>> prompt_diff(first, second).to_frame()["line"].tolist()
    ['Label it.', 'Label it well.']
    """
    return PromptDiff(a, b)


def _marked(a: list[str], b: list[str]) -> str:
    """Lines as HTML; lines that were rewritten are compared by words."""
    pieces = []
    for tag, i, j, k, m in difflib.SequenceMatcher(None, a, b, autojunk=False).get_opcodes():
        before, after = "\n".join(a[i:j]), "\n".join(b[k:m])
        if tag == "equal":
            pieces.append(html.escape(before))
        else:
            pieces.append(_words(before, after))
    return "\n".join(pieces)


def _words(before: str, after: str) -> str:
    a, b = _WORDS.findall(before), _WORDS.findall(after)
    found = []
    for tag, i, j, k, m in difflib.SequenceMatcher(None, a, b, autojunk=False).get_opcodes():
        if tag == "equal":
            found.append(html.escape("".join(a[i:j])))
            continue
        if i < j:
            found.append(f"<del style='{_REMOVED}'>{html.escape(''.join(a[i:j]))}</del>")
        if k < m:
            found.append(f"<ins style='{_ADDED}'>{html.escape(''.join(b[k:m]))}</ins>")
    return "".join(found)
