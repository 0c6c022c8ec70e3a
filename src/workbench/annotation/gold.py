"""Gold labels in versions that never change: a file, a manifest with its digest, differences."""

import hashlib
import html
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

import pandas as pd
from pydantic import BaseModel, ConfigDict, ValidationError

from workbench.annotation.adjudication import Adjudication
from workbench.annotation.labels import Label
from workbench.errors import DataError

__all__ = ["Gold", "GoldDifference", "GoldManifest", "diff_gold", "read_gold", "write_gold"]


class GoldManifest(BaseModel):
    """What a version is, without a word of what was labelled.

    Attributes
    ----------
    name, version
        Which gold; versions count from 1.
    digest
        SHA-256 of the file of labels.
    n_examples
        Labels in it.
    settled
        How many came about how, and how many examples were left out.
    by, at
        Who wrote it, and when (with time zone).
    parent
        Version it came from; None for the first.
    note
        Why there is a new version.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    version: int
    digest: str
    kind: Literal["label", "labels", "level"]
    n_examples: int
    settled: dict[str, int]
    by: str
    at: datetime
    parent: int | None
    note: str = ""


@dataclass(frozen=True)
class Gold:
    """One version of gold labels.

    Parameters
    ----------
    manifest
        What it is.
    values
        Label of each example.
    """

    manifest: GoldManifest
    values: Mapping[str, Label]

    def _repr_html_(self) -> str:
        m = self.manifest
        return (
            f"<p><b>{html.escape(m.name)} v{m.version}</b>: {m.n_examples:,} labels by "
            f"{html.escape(m.by)}, {m.at:%Y-%m-%d}; {m.settled.get('unresolved', 0):,} examples "
            f"left out; sha256 {m.digest[:12]}…</p>"
        )


@dataclass(frozen=True)
class GoldDifference:
    """What changed between two versions.

    Parameters
    ----------
    added, removed
        Examples only one of them has.
    changed
        Old and new label of the others that differ.
    """

    added: tuple[str, ...]
    removed: tuple[str, ...]
    changed: Mapping[str, tuple[Label, Label]]

    def to_frame(self) -> pd.DataFrame:
        """One row an example that is not the same.

        Returns
        -------
        DataFrame
        """
        rows: list[dict[str, Any]] = [
            {"example": e, "change": "changed", "before": a, "after": b}
            for e, (a, b) in self.changed.items()
        ]
        rows += [{"example": e, "change": "added"} for e in self.added]
        rows += [{"example": e, "change": "removed"} for e in self.removed]
        return pd.DataFrame(rows, columns=["example", "change", "before", "after"])

    def _repr_html_(self) -> str:
        return (
            f"<p>{len(self.changed):,} labels changed, {len(self.added):,} added, "
            f"{len(self.removed):,} removed.</p>"
        )


def _versions(folder: Path) -> list[int]:
    found = (path.stem[1:] for path in folder.glob("v*.jsonl"))
    return sorted(int(version) for version in found if version.isdigit())


def write_gold(
    adjudication: Adjudication,
    folder: str | Path,
    *,
    by: str,
    at: datetime,
    version: int | None = None,
    parent: int | None = None,
    note: str = "",
) -> Gold:
    """Write a new version of gold labels.

    Parameters
    ----------
    adjudication
        The labels.
    folder
        Of this gold, such as ``gold/intent``; its name is the gold's.
    by, at
        Who writes it, and when (with time zone).
    version
        Its number; by default one more than the last.
    parent
        Version it came from; by default the last.
    note
        Why there is a new version; holds no text of leads.

    Returns
    -------
    Gold

    Raises
    ------
    DataError
        When the version exists, the parent does not, there are no labels, or `at` has no time
        zone.

    Examples
    --------
    >>> import tempfile
    >>> from datetime import UTC
    >>> one = Adjudication("label", {"1": "buy"}, {"1": "agreement"}, ())
    >>> folder = Path(tempfile.mkdtemp()) / "intent"
    >>> write_gold(one, folder, by="ann", at=datetime(2026, 1, 1, tzinfo=UTC)).manifest.version
    1
    """
    home = Path(folder)
    present = _versions(home)
    number = version if version is not None else (present or [0])[-1] + 1
    before = parent if parent is not None or not present else present[-1]
    where = str(home / f"v{number}.jsonl")
    if number < 1 or number in present:
        raise DataError(
            f"version {number} exists" if number in present else f"version is {number}",
            where=where, expected=f"a new version, such as {(present or [0])[-1] + 1}",
            fix="leave out version=; versions never change",
        )  # fmt: skip
    if before is not None and before not in present:
        raise DataError(
            f"parent {before} does not exist", where=where, expected=f"one of {present}",
            fix="name the version it came from",
        )  # fmt: skip
    if not adjudication.values or at.tzinfo is None or not by.strip():
        raise DataError(
            f"{len(adjudication.values)} labels by {by!r} at {at}", where=where,
            expected="one label or more, a name, a time with time zone", fix="complete them",
        )  # fmt: skip
    lines = [
        json.dumps({"example": e, "value": v, "how": adjudication.how[e]}, ensure_ascii=False)
        for e, v in sorted(adjudication.values.items())
    ]
    data = ("\n".join(lines) + "\n").encode()
    manifest = GoldManifest.model_validate(
        {
            "name": home.name,
            "version": number,
            "digest": hashlib.sha256(data).hexdigest(),
            "kind": adjudication.kind,
            "n_examples": len(lines),
            "settled": dict(adjudication.counts),
            "by": by.strip(),
            "at": at,
            "parent": before,
            "note": note,
        }
    )
    home.mkdir(parents=True, exist_ok=True)
    _write_new(home / f"v{number}.jsonl", data)
    _write_new(home / f"v{number}.json", manifest.model_dump_json(indent=2).encode() + b"\n")
    return Gold(manifest, dict(sorted(adjudication.values.items())))


def _write_new(path: Path, data: bytes) -> None:
    try:
        with path.open("xb") as file:
            file.write(data)
    except FileExistsError:
        raise DataError(
            "the file exists", where=str(path), expected="a new version",
            fix="write another version; versions never change",
        ) from None  # fmt: skip


def read_gold(folder: str | Path, *, version: int | None = None) -> Gold:
    """Read a version of gold labels and check that it is the one that was written.

    Parameters
    ----------
    folder
        Of this gold.
    version
        Its number; the last by default.

    Returns
    -------
    Gold

    Raises
    ------
    DataError
        When there is no such version, its manifest is missing or malformed, or the labels are not
        those of its digest.

    Examples
    --------
    >>> read_gold("gold/none")
    Traceback (most recent call last):
    workbench.errors.DataError: gold/none: there is no version. Expected files v1.jsonl, v2.jsonl,
    ... To fix: write one.
    """
    home = Path(folder)
    present = _versions(home)
    if not present or (version is not None and version not in present):
        raise DataError(
            "there is no version" + ("" if version is None else f" {version}"), where=str(home),
            expected=f"one of {present}" if present else "files v1.jsonl, v2.jsonl, ...",
            fix="write one",
        )  # fmt: skip
    number = version or present[-1]
    path = home / f"v{number}.json"
    try:
        manifest = GoldManifest.model_validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        raise DataError(
            f"no manifest: {type(error).__name__}", where=str(path),
            expected="what write_gold wrote", fix="write the version again under a new number",
        ) from None  # fmt: skip
    data = (home / f"v{number}.jsonl").read_bytes()
    found = hashlib.sha256(data).hexdigest()
    if found != manifest.digest:
        raise DataError(
            f"the labels were changed: sha256 is {found}", where=str(home / f"v{number}.jsonl"),
            expected=manifest.digest, fix="restore the file; write changes as a new version",
        )  # fmt: skip
    rows = [json.loads(line) for line in data.decode().split("\n") if line]
    return Gold(
        manifest,
        {r["example"]: tuple(v) if isinstance(v := r["value"], list) else v for r in rows},
    )


def diff_gold(before: Gold, after: Gold) -> GoldDifference:
    """Tell what changed between two versions.

    Parameters
    ----------
    before, after
        Two versions.

    Returns
    -------
    GoldDifference

    Examples
    --------
    >>> m = GoldManifest(name="g", version=1, digest="", kind="label", n_examples=1, settled={},
    ...                  by="ann", at=datetime.fromisoformat("2026-01-01T00:00Z"), parent=None)
    >>> diff_gold(Gold(m, {"1": "a", "2": "a"}), Gold(m, {"1": "b", "3": "a"})).changed
    {'1': ('a', 'b')}
    """
    old, new = before.values, after.values
    return GoldDifference(
        added=tuple(e for e in new if e not in old),
        removed=tuple(e for e in old if e not in new),
        changed={e: (old[e], new[e]) for e in old if e in new and old[e] != new[e]},
    )
