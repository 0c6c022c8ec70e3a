"""Recorded answers in a file people can review: strict to replay, and without a secret."""

import difflib
import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

import yaml

from workbench.claude.messages import API_VERSION, TOKEN_CLASSES, Answer, ClaudeRequest
from workbench.claude.origin import Origin
from workbench.claude.store import decoded
from workbench.documents import load_document
from workbench.errors import ClaudeError

__all__ = ["Cassette"]

_VERSION = 1
_SECRET = re.compile(r"sk-ant-|\bBearer\s+\S{8}|x-api-key|-----BEGIN [A-Z ]*PRIVATE KEY", re.I)
# What a YAML block would not hand back as it was.
_NO_BLOCK = re.compile(r"[ \t]\n|[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ufeff]")
_DIFF_LINES = 24
_LOOKED_AT = 200
# Names of people are known to the gate only.
_ASKED = tuple(f.name for f in fields(ClaudeRequest) if f.name != "known_names")
# Recorded once for all requests that share them.
_SHARED = ("system", "schema")
# What a replay sets itself, or what says nothing in review.
_LEFT_OUT = ("key", "origin", "cached", "cache", "error", "model_requested", "fallback_from")


@dataclass(frozen=True, slots=True)
class Cassette:
    """Requests and their answers, of one origin.

    The file is YAML: texts stand in it as they were sent (after the privacy gate) and
    received, so that a change shows in review. Loading checks that every key still fits its
    request, that no answer is empty or cut off in transit, and that nothing looks like a secret.

    Parameters
    ----------
    origin
        Who gave the answers: ``live``, ``local`` or ``simulated``.
    entries
        Requests and answers, by key.
    path
        The file, where there is one.

    Examples
    --------
    >>> import tempfile
    >>> from workbench.claude import AnswerStore, ClaudeClient
    >>> asked = ClaudeRequest("claude-haiku-5-5", "<message>Ready to buy</message>")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with ClaudeClient(origin=Origin.SIMULATED, store=f"{folder}/a.sqlite") as client:
    ...         answer = client.ask([asked])[0]
    ...         client.record([asked], f"{folder}/pack.yaml")
    ...     with ClaudeClient(origin=Origin.REPLAY, store=f"{folder}/b.sqlite",
    ...                       cassette=f"{folder}/pack.yaml") as replay:
    ...         replay.ask([asked])[0].text == answer.text
    1
    True
    """

    origin: Origin
    entries: dict[str, tuple[ClaudeRequest, Answer]]
    path: Path | None = None

    @classmethod
    def of(cls, pairs: Sequence[tuple[ClaudeRequest, Answer | None]]) -> Self:
        """Pair requests with their answers.

        Parameters
        ----------
        pairs
            Requests with stored answers, `None` where there is none.

        Returns
        -------
        Cassette
            Not written yet.

        Raises
        ------
        ClaudeError
            When an answer is missing or the answers are of several origins.
        """
        missing = sum(answer is None for _, answer in pairs)
        if missing or not pairs:
            raise ClaudeError(
                f"{missing} of {len(pairs)} requests have no stored answer",
                expected="at least one request, each answered before",
                fix="ask first, then record",
            )
        origins = {answer.origin for _, answer in pairs if answer is not None}
        if len(origins) > 1:
            raise ClaudeError(
                f"the answers are of the origins {sorted(o.value for o in origins)}",
                expected="one origin in a cassette",
            )
        entries = {a.key: (r, a) for r, a in pairs if a is not None}
        return cls(origins.pop(), entries)

    def save(self, path: Path | str) -> int:
        """Write the file.

        Parameters
        ----------
        path
            Where.

        Returns
        -------
        int
            Answers written.

        Raises
        ------
        ClaudeError
            When the cassette would be refused on loading; nothing is written then.
        """
        shared: dict[str, dict[str, str]] = {name: {} for name in _SHARED}
        rows = []
        for key, (request, answer) in self.entries.items():
            row: dict[str, Any] = {"key": key}
            for name, value in _request_fields(request).items():
                if name in _SHARED and value is not None:
                    digest = hashlib.sha256(value.encode()).hexdigest()[:12]
                    shared[name][digest] = value
                    value = digest
                row[name] = value
            told = {k: v for k, v in asdict(answer).items() if k not in _LEFT_OUT}
            row["answer"] = {k: list(v) if isinstance(v, tuple) else v for k, v in told.items()}
            row["answer_digest"] = _answer_digest(answer)
            rows.append(row)
        document = {
            "cassette": _VERSION,
            "origin": self.origin.value,
            "what": self.origin.describe(),
            "api_version": API_VERSION,
            "recorded_at": datetime.now(UTC).isoformat(timespec="seconds"),
            **{f"{name}s": texts for name, texts in shared.items()},
            "entries": rows,
        }
        text = yaml.dump(document, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100)
        read = self.parse(text, where=str(path))
        changed = [k for k, (_, a) in self.entries.items() if read.entries[k][1].text != a.text]
        if changed:
            raise ClaudeError(
                f"the answer under {changed[0][:12]} does not survive being written",
                where=str(path),
                expected="text that YAML can hold",
                fix="leave the request out",
            )
        Path(path).write_text(text, encoding="utf-8")
        return len(rows)

    @classmethod
    def load(cls, path: Path | str) -> Self:
        """Read a file, and check it.

        Parameters
        ----------
        path
            The file.

        Returns
        -------
        Cassette
            Ready to replay.

        Raises
        ------
        ClaudeError
            When it cannot be read, or anything in it is not as it must be.
        """
        try:
            text = Path(path).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as err:
            raise ClaudeError(
                f"the cassette cannot be read: {err}", where=str(path), expected="a YAML file"
            ) from None
        return replace(cls.parse(text, where=str(path)), path=Path(path))

    @classmethod
    def parse(cls, text: str, *, where: str) -> Self:
        """Read and check the text of a cassette.

        Parameters
        ----------
        text
            The YAML.
        where
            Where it is from, for errors.

        Returns
        -------
        Cassette
            Its entries.

        Raises
        ------
        ClaudeError
            When anything in it is not as it must be.
        """
        if (found := _SECRET.search(text)) is not None:
            line = text.count("\n", 0, found.start()) + 1
            raise ClaudeError(
                f"line {line} looks like a secret",
                where=where,
                expected="a cassette without keys or authorization headers",
                fix="remove the entry and record it again",
            )
        document = load_document(text, Path(where), ClaudeError).data
        if not isinstance(document, dict) or document.get("cassette") != _VERSION:
            raise ClaudeError(
                "it is no cassette of this version", where=where, expected=f"cassette: {_VERSION}"
            )
        try:
            origin = Origin(document["origin"])
            entries = dict(_entry(row, document, origin, where) for row in document["entries"])
        except (KeyError, TypeError, ValueError, AttributeError) as err:
            raise ClaudeError(
                f"the cassette is malformed: {type(err).__name__} {err}",
                where=where,
                expected="a file written by ClaudeClient.record",
            ) from None
        if not entries:
            raise ClaudeError("the cassette is empty", where=where, expected="one entry or more")
        return cls(origin, entries)

    def answers(self, keys: Iterable[str]) -> dict[str, Answer]:
        """Recorded answers, as a replay hands them out.

        Parameters
        ----------
        keys
            Keys of requests.

        Returns
        -------
        dict
            Those found. A live answer is of the origin ``replay`` now; any other keeps its own,
            so that a recorded simulation never reads as Claude's.
        """
        origin = Origin.REPLAY if self.origin is Origin.LIVE else self.origin
        return {
            key: replace(self.entries[key][1], origin=origin) for key in keys if key in self.entries
        }

    def miss(self, request: ClaudeRequest, n_missing: int) -> ClaudeError:
        """Say what was not recorded, and how it differs from what was.

        Parameters
        ----------
        request
            A request that is not in the cassette.
        n_missing
            How many are not.

        Returns
        -------
        ClaudeError
            With the difference to the nearest recorded request.
        """
        wanted = _plain(request)
        recorded = [_plain(known) for known, _ in list(self.entries.values())[:_LOOKED_AT]]
        matcher = difflib.SequenceMatcher(autojunk=False)
        matcher.set_seq2(wanted)

        def likeness(text: str) -> float:
            matcher.set_seq1(text)
            return matcher.quick_ratio()

        nearest = max(recorded, key=likeness)
        diff = list(
            difflib.unified_diff(
                nearest.splitlines(), wanted.splitlines(), "recorded", "asked", lineterm="", n=1
            )
        )
        shown = "\n".join(diff[:_DIFF_LINES]) or "they differ in a setting that is not shown"
        return ClaudeError(
            f"{n_missing} of the requests were not recorded; the first differs from the nearest "
            f"so:\n{shown}",
            where=str(self.path),
            expected="a recorded answer for every request",
            fix="correct the prompt, model or schema, or record again",
        )

    def without(self, subject: str) -> "Cassette":
        """Leave out everything about one subject.

        Parameters
        ----------
        subject
            Keyed hash of the subject.

        Returns
        -------
        Cassette
            Maybe empty, and then not to be saved.
        """
        kept = {k: (r, a) for k, (r, a) in self.entries.items() if r.subject != subject}
        return replace(self, entries=kept)


def _request_fields(request: ClaudeRequest) -> dict[str, Any]:
    return {name: getattr(request, name) for name in _ASKED}


def _plain(request: ClaudeRequest) -> str:
    told = _request_fields(request)
    lines = [
        f"{name}: {value}" for name, value in told.items() if name not in ("prompt", "subject")
    ]
    return "\n".join([*lines, "prompt:", request.prompt])


def _entry(
    row: dict[str, Any], document: dict[str, Any], origin: Origin, where: str
) -> tuple[str, tuple[ClaudeRequest, Answer]]:
    key, told = row["key"], dict(row["answer"])
    asked: dict[str, Any] = {name: row[name] for name in _ASKED if name in row}
    for name in _SHARED:
        if asked.get(name) is not None:
            asked[name] = document[f"{name}s"][asked[name]]
    request = ClaudeRequest(**asked)
    answer = decoded(
        {
            **told,
            "key": key,
            "origin": origin.value,
            "error": None,
            "model_requested": request.model,
        }
    )
    wrong = None
    if origin is not Origin.LOCAL and request.key(origin, None) != key:
        wrong = "its key does not fit its request: one of them was edited, or the API has changed"
    elif _answer_digest(answer) != row["answer_digest"]:
        wrong = "its answer was edited"
    elif answer.stop_reason is None:
        wrong = "its answer has no stop_reason: it was cut off in transit"
    elif not answer.text and answer.stop_reason != "refusal":
        wrong = "its answer is empty"
    elif not all(isinstance(getattr(answer.usage, name), int) for name in TOKEN_CLASSES):
        wrong = "its usage counts something else than tokens"
    elif not answer.usage.billed:
        wrong = "its answer has no usage"
    if wrong is not None:
        raise ClaudeError(
            f"entry {key[:12]}: {wrong}",
            where=where,
            expected="complete answers, as they were received",
            fix="remove the entry and record it again",
        )
    return key, (request, answer)


def _answer_digest(answer: Answer) -> str:
    """Digest of what an answer says and cost: an edit shows, though whoever edits can redo it."""
    said = (answer.text, answer.stop_reason, answer.model_answered, answer.cost_usd)
    used = [getattr(answer.usage, name) for name in TOKEN_CLASSES]
    return hashlib.sha256(repr((*said, *used)).encode("utf-8", "surrogatepass")).hexdigest()[:16]


class _Dumper(yaml.SafeDumper):
    """Long and multi-line texts as blocks."""


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    block = "\n" in text and not _NO_BLOCK.search(text)
    style = "|" if block else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)
