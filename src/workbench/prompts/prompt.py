"""Prompts are files: a small YAML header, a system part and a user part.

    ---
    name: zero_shot
    title: Ask for the probability straight away
    strategy: zero_shot
    n_examples: 0
    variables: [outcome, lead, message]
    ---
    # system
    ...
    # user
    ...

The parts are Jinja templates, strict about their variables. Whatever a variable carries
is data: it is escaped so that no lead can close a tag or add an instruction to the prompt.
"""

import functools
import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from jinja2 import StrictUndefined, Template, TemplateError, meta
from jinja2.sandbox import SandboxedEnvironment
from pydantic import BaseModel, ConfigDict, Field

from workbench.documents import load_document, parse_model
from workbench.errors import PromptError

__all__ = ["Prompt", "RenderedPrompt", "read_prompt"]

_PART = re.compile(r"^# (system|user)\s*$", re.MULTILINE)
# Control characters have no place in a prompt and null bytes break JSON readers downstream.
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


class RenderedPrompt(NamedTuple):
    """What is sent: the system text and the user text."""

    system: str
    user: str


class _Header(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    title: str
    strategy: str
    n_examples: int = Field(default=0, ge=0, le=64)
    variables: list[str]


@dataclass(frozen=True, slots=True)
class Prompt:
    """One prompt variant.

    Parameters
    ----------
    name
        Name of the variant; the file's stem.
    title
        One line for people.
    strategy
        How the model is asked; variants of one strategy differ in wording only.
    system, user
        Jinja templates of the two parts.
    variables
        The variables the templates use, exactly.
    n_examples
        Solved examples the variant shows; chosen from training data when it is fitted.

    Examples
    --------
    >>> prompt = Prompt(name="plain", title="Plain", strategy="zero_shot",
    ...                 system="Judge whether {{ outcome }}.", user="<lead>{{ lead }}</lead>",
    ...                 variables=("lead", "outcome"))
    >>> prompt.render(lead="- Source: <b>portal</b>", outcome="the lead buys").user
    '<lead>- Source: &lt;b&gt;portal&lt;/b&gt;</lead>'
    """

    name: str
    title: str
    strategy: str
    system: str
    user: str
    variables: tuple[str, ...]
    n_examples: int = 0

    @property
    def digest(self) -> str:
        """Digest of everything that can change what is sent (SHA-256, 16 hex digits)."""
        text = "\x00".join([self.strategy, self.system, self.user, str(self.n_examples)])
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def render(self, **values: str | Sequence[Mapping[str, str]]) -> RenderedPrompt:
        """Fill in the variables.

        Parameters
        ----------
        **values
            A value for each declared variable, and no other: a text, or a list of
            mappings of texts (few-shot examples).

        Raises
        ------
        PromptError
            When a variable is missing, unknown or fails to render.
        """
        missing = sorted(set(self.variables) - set(values))
        unknown = sorted(set(values) - set(self.variables))
        if missing or unknown:
            raise PromptError(
                f"variables do not fit: missing {missing}, unknown {unknown}",
                where=f"prompt {self.name!r}",
                expected=f"exactly {sorted(self.variables)}",
                fix="pass each declared variable once",
            )
        safe = {name: _escape(value) for name, value in values.items()}
        try:
            return RenderedPrompt(
                _compiled(self.system).render(safe).strip(),
                _compiled(self.user).render(safe).strip(),
            )
        except TemplateError as error:
            raise PromptError(
                f"cannot be rendered: {error}",
                where=f"prompt {self.name!r}",
                fix="correct the template",
            ) from error


_ENVIRONMENT = SandboxedEnvironment(
    undefined=StrictUndefined, autoescape=False, trim_blocks=True, lstrip_blocks=True
)


@functools.lru_cache(maxsize=256)
def _compiled(source: str) -> Template:
    return _ENVIRONMENT.from_string(source)


def _escape(
    value: str | Sequence[Mapping[str, str]],
) -> str | list[dict[str, str]]:
    if isinstance(value, str):
        text = _CONTROL.sub("", value)
        return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return [{key: str(_escape(text)) for key, text in row.items()} for row in value]


def read_prompt(path: Path) -> Prompt:
    """Read a prompt file.

    Parameters
    ----------
    path
        A Markdown file with a YAML header, a `# system` part and a `# user` part.

    Raises
    ------
    PromptError
        When the file is missing, not UTF-8, has a malformed header, lacks a part, uses a
        variable it does not declare or declares one it does not use.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise PromptError(
            f"cannot be read: {error}", where=str(path), fix="name a UTF-8 Markdown file"
        ) from error
    header, body = _split(text, path)
    parts = _PART.split(body)
    if [parts[i] for i in range(1, len(parts), 2)] != ["system", "user"] or parts[0].strip():
        raise PromptError(
            f"parts are {[parts[i] for i in range(1, len(parts), 2)]}",
            where=str(path),
            expected="one '# system' part, then one '# user' part",
            fix="add or reorder the headings",
        )
    prompt = Prompt(
        name=header.name,
        title=header.title,
        strategy=header.strategy,
        system=parts[2].strip(),
        user=parts[4].strip(),
        variables=tuple(sorted(header.variables)),
        n_examples=header.n_examples,
    )
    _check(prompt, path)
    return prompt


def _split(text: str, path: Path) -> tuple[_Header, str]:
    pieces = text.removeprefix("\ufeff").split("---\n", 2)
    if len(pieces) != 3 or pieces[0].strip():
        raise PromptError(
            "the file has no header",
            where=str(path),
            expected="a YAML block between two lines '---' at the top",
            fix="copy the header of another prompt",
        )
    # The header's first line is the file's second.
    document = load_document(pieces[1], path, PromptError, first_line=2)
    return parse_model(document, _Header, PromptError), pieces[2]


def _check(prompt: Prompt, path: Path) -> None:
    if prompt.name != path.stem:
        raise PromptError(
            f"name is {prompt.name!r} but the file is {path.name!r}",
            where=str(path),
            fix="give both the same name",
        )
    try:
        used = set().union(
            *(
                meta.find_undeclared_variables(_ENVIRONMENT.parse(part))
                for part in (prompt.system, prompt.user)
            )
        )
    except TemplateError as error:
        raise PromptError(
            f"the template is malformed: {error}", where=str(path), fix="correct the template"
        ) from error
    if used != set(prompt.variables):
        raise PromptError(
            f"the template uses {sorted(used)} but declares {sorted(prompt.variables)}",
            where=str(path),
            fix="declare exactly the variables that are used",
        )
    if ("examples" in used) != (prompt.n_examples > 0):
        raise PromptError(
            f"n_examples is {prompt.n_examples} and the variable 'examples' is "
            f"{'used' if 'examples' in used else 'not used'}",
            where=str(path),
            fix="show examples and count them, or neither",
        )
