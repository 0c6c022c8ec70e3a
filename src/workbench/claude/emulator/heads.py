"""How the simulated reader answers a question that offers a list of labels.

Labels are compared with the text by the meaning of their names (and descriptions, where the
prompt gives them), with no training at all. The model that embeds them is loaded when the
first such question comes, and only where the optional packages are installed.
"""

import functools
import html
import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from workbench.embeddings import SentenceEncoder

__all__ = [
    "CATCH_ALL",
    "LABELS_READ",
    "LEAST_SIMILARITY",
    "Choice",
    "asked_labels",
    "choose",
    "described",
    "likeness",
    "split_data",
]

LABELS_READ = SentenceEncoder.installed()
"""Whether questions with labels are answered here; part of the reader's version."""

LEAST_SIMILARITY = 0.35
"""A label less like the text than this is a guess."""
CATCH_ALL = {"other", "none", "unknown", "unclear", "oos", "out_of_scope", "not_sure"}
"""Labels that mean none of the others."""
_DATA = re.compile(
    r"<(message|text|query|question|utterance|input|email|review|document|transcript)>"
    r"(.*?)</\1>",
    re.DOTALL,
)
_LINE = re.compile(
    r"[\s\-*•\"'`]*(?P<label>[^\s:\"'`][^:\"'`]{0,80}?)[\"'`*]*\s*"
    r"(?::| [—–-] )\s*(?P<description>\S.*)"
)


class Choice(NamedTuple):
    """A chosen label, and whether it was near enough to be meant."""

    label: str
    sure: bool


def asked_labels(schema: Mapping[str, Any], shown: str) -> dict[str, tuple[str, ...]]:
    """Find the properties that ask for one of several labels the prompt itself lists.

    Parameters
    ----------
    schema
        JSON schema of the answer.
    shown
        System text and prompt, without the data: a lead's message offers no labels.

    Returns
    -------
    dict
        Labels by property.

    Examples
    --------
    >>> asked_labels({"properties": {"intent": {"enum": ["buy", "sell"]}}}, "Is it buy or sell?")
    {'intent': ('buy', 'sell')}
    >>> asked_labels({"properties": {"intent": {"enum": ["buy", "sell"]}}}, "Judge the lead.")
    {}
    """
    found: dict[str, tuple[str, ...]] = {}
    for name, part in schema.get("properties", {}).items():
        if isinstance(part, Mapping) and "$ref" in part:
            part = schema.get("$defs", {}).get(str(part["$ref"]).rsplit("/", 1)[-1], {})
        labels = part.get("enum", ()) if isinstance(part, Mapping) else ()
        if len(labels) > 1 and all(isinstance(label, str) and label in shown for label in labels):
            found[name] = tuple(labels)
    return found


def choose(labels: Sequence[str], system: str, prompt: str) -> Choice:
    """Choose the label whose name is nearest in meaning to the text.

    Parameters
    ----------
    labels
        What to choose from, at least two.
    system
        System text; may describe labels in lines ``label: description``.
    prompt
        User text; may do so, and holds the text to judge: what stands in the last ``<message>``,
        ``<text>``, ``<query>``, ``<question>``, ``<utterance>`` … or else its last paragraph.

    Returns
    -------
    Choice
        Not sure when even the nearest is far, and then a catch-all label ("other") if there is
        one. Without the optional packages the first label, not sure.
    """
    frame, text = split_data(prompt)
    if not LABELS_READ or not text:
        return Choice(_unsure(labels, labels[0]), False)
    real = [label for label in labels if label.lower() not in CATCH_ALL] or list(labels)
    similarities = likeness(text, [described(label, f"{system}\n{frame}") for label in real])
    best = max(range(len(real)), key=similarities.__getitem__)
    sure = similarities[best] >= LEAST_SIMILARITY
    return Choice(real[best] if sure else _unsure(labels, real[best]), sure)


def likeness(text: str, others: Sequence[str]) -> list[float]:
    """How alike in meaning other texts are to one, −1 to 1; needs the optional packages.

    Parameters
    ----------
    text
        The one.
    others
        The others.
    """
    vectors = _encoder().encode([text, *others])
    found: list[float] = (vectors[1:] @ vectors[0]).tolist()
    return found


@functools.cache
def _encoder() -> SentenceEncoder:
    return SentenceEncoder()


def _unsure(labels: Sequence[str], otherwise: str) -> str:
    return next((label for label in labels if label.lower() in CATCH_ALL), otherwise)


def split_data(prompt: str) -> tuple[str, str]:
    """Separate what the prompt says from the text it is about.

    Parameters
    ----------
    prompt
        User text.

    Returns
    -------
    tuple of (str, str)
        The prompt without its data, and the data: what stands in the last tag that holds text,
        or else the last paragraph.

    Examples
    --------
    >>> split_data("Label this: <text>Hello &amp; goodbye</text>")
    ('Label this: ', 'Hello & goodbye')
    """
    parts = _DATA.findall(prompt)
    if parts:
        return _DATA.sub("", prompt), html.unescape(parts[-1][1]).strip()
    frame, _, last = prompt.strip().rpartition("\n\n")
    return frame, html.unescape(last).strip()


@functools.lru_cache(maxsize=16)
def _descriptions(frame: str) -> dict[str, str]:
    """What lines such as ``- label: description`` say of each label."""
    lines = (_LINE.match(line) for line in frame.splitlines())
    return {line["label"]: line["description"].strip() for line in lines if line}


def described(label: str, frame: str) -> str:
    """Write a label as words, with its description where the prompt gives one.

    Parameters
    ----------
    label
        As the schema has it.
    frame
        What the prompt says beside the data.
    """
    name = re.sub(r"[_\-/]+", " ", label).strip()
    description = _descriptions(frame).get(label)
    return f"{name}: {description}" if description else name
