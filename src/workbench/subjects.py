"""What is kept about one lead or one tenant: hand it over, erase it, and prove that it is gone.

A lead's own data live where the user keeps them. The workbench adds answers, records of runs,
cassettes and, where it is switched on, a semantic cache; those are what is exported and erased
here. The audit log and the ledger are never erased: they hold hashes, pseudonyms, counts and
prices, nothing about a person.
"""

import functools
import gzip
import html
import json
import mmap
import os
import re
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from workbench.claude import Answer, AnswerStore
from workbench.claude.cassette import Cassette
from workbench.errors import WorkbenchError
from workbench.privacy import PrivacyGate, TenantKeys

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "Erasure", "Residue", "Stores", "SubjectExport", "erase_subject", "erase_tenant",
    "export_subject", "find_residue",
]  # fmt: skip

_TEXT = frozenset((".json", ".jsonl", ".html", ".ipynb", ".md", ".csv", ".txt"))
_ERASED = "[erased]"
_SHORTEST_NEEDLE = 4
_ONLY_TENANT = "default"
_LARGEST_TEXT_BYTES = 256 * 2**20


class Erasable(Protocol):
    """A store that can forget, such as a semantic cache."""

    def erase_subject(self, tenant: str, subject: str) -> int:
        """Forget a subject's entries."""

    def erase_tenant(self, tenant: str) -> int:
        """Forget a tenant's entries."""


@dataclass(frozen=True, slots=True)
class Stores:
    """Where the workbench keeps things.

    Parameters
    ----------
    root
        The folder of runs and artifacts (``mlruns``): everything below it is looked through.
    answers
        Answer stores.
    caches
        Semantic caches.
    cassettes
        Cassette files.
    """

    root: Path
    answers: Sequence[AnswerStore] = ()
    caches: Sequence[Erasable] = ()
    cassettes: Sequence[Path] = ()


@dataclass(frozen=True, slots=True)
class SubjectExport:
    """Everything kept about a lead.

    Parameters
    ----------
    answers
        Stored and recorded answers.
    records
        Rows of records of runs, with the file each is from.
    """

    answers: tuple[Answer, ...]
    records: "pd.DataFrame" = field(repr=False)

    def to_json(self) -> str:
        """Write it down for the person it is about: JSON that any program reads."""
        rows = json.loads(self.records.to_json(orient="records", date_format="iso"))
        answers = [
            {k: v for k, v in asdict(answer).items() if v is not None} for answer in self.answers
        ]
        return json.dumps({"answers": answers, "records": rows}, ensure_ascii=False, indent=1)


class Residue(NamedTuple):
    """Something that is still there: the file, where in it, and which needle was found."""

    path: Path
    where: str
    needle: int


@dataclass(frozen=True, slots=True)
class Erasure:
    """What erasing came to.

    Parameters
    ----------
    answers, cached, rows, recorded, mentions
        Erased: stored answers, cached answers, rows of records, entries of cassettes, and
        mentions of the identifier in other files.
    residue
        What a search of every byte under the root and of every store still finds.
    """

    answers: int = 0
    cached: int = 0
    rows: int = 0
    recorded: int = 0
    mentions: int = 0
    residue: tuple[Residue, ...] = ()

    @property
    def complete(self) -> bool:
        """Whether nothing was found afterwards."""
        return not self.residue


def export_subject(stores: Stores, gate: PrivacyGate, lead_id: str) -> SubjectExport:
    """Collect everything kept about a lead.

    Parameters
    ----------
    stores
        Where to look.
    gate
        The tenant's gate: stores know a lead by its pseudonym.
    lead_id
        The lead's identifier, or that of its contact (the records' group).

    Returns
    -------
    SubjectExport
        Answers and records.

    Raises
    ------
    WorkbenchError
        When a store cannot be read.
    """
    import pandas as pd

    frames = []
    for path in _files(stores.root, ".parquet"):
        frame = pd.read_parquet(path)
        mine = frame[_rows_of(frame, gate.tenant, lead_id)]
        if len(mine):
            frames.append(mine.assign(file=str(path.relative_to(stores.root))))
    records = pd.concat(frames, ignore_index=True) if frames else pd.DataFrame()
    subjects = {gate.pseudonym(name) for name in _names(stores, gate.tenant, lead_id)}
    answers = [
        answer
        for store in stores.answers
        for subject in sorted(subjects)
        for answer in store.export_subject(gate.tenant, subject)
    ]
    for path in stores.cassettes:
        entries = Cassette.load(path).entries.values()
        answers += [answer for request, answer in entries if request.subject in subjects]
    return SubjectExport(tuple({a.key: a for a in answers}.values()), records)


def erase_subject(stores: Stores, gate: PrivacyGate, lead_id: str) -> Erasure:
    """Erase everything kept about a lead, then search for what is left.

    Files are replaced whole, so that a crash leaves the old one or the new one. What a disk
    keeps in blocks it no longer uses, and backups, are out of reach.

    Parameters
    ----------
    stores
        Where to look.
    gate
        The tenant's gate.
    lead_id
        The lead's identifier, or that of its contact.

    Returns
    -------
    Erasure
        What was erased and what a search still finds.

    Raises
    ------
    WorkbenchError
        When a store cannot be written, or the identifier is too short to be searched for.
    """
    _check_needle(lead_id)
    tenant = gate.tenant
    # Read before the rows go: they alone say which examples are of this lead.
    names = sorted(_names(stores, tenant, lead_id))
    subjects = [gate.pseudonym(name) for name in names]
    return Erasure(
        answers=sum(s.erase_subject(tenant, name) for s in stores.answers for name in subjects),
        cached=sum(c.erase_subject(tenant, name) for c in stores.caches for name in subjects),
        rows=_erase_rows(stores.root, lambda frame: _rows_of(frame, tenant, lead_id)),
        recorded=sum(_erase_recorded(stores.cassettes, name) for name in subjects),
        mentions=_erase_mentions(stores.root, lead_id),
        residue=tuple(_left(stores, (lead_id, *subjects))),
    )


def erase_tenant(stores: Stores, tenant: str, *, keys: TenantKeys | None = None) -> Erasure:
    """Erase everything kept for a tenant; the ledger keeps what was spent.

    Cassettes do not say whose they are and are left: delete the tenant's own.

    Parameters
    ----------
    stores
        Where to look.
    tenant
        The tenant.
    keys
        Deletes the tenant's keys too: its phone tokens, wherever they are, then stay sealed
        for good.

    Returns
    -------
    Erasure
        What was erased. A tenant's name stays in the ledger and in figures by tenant, so there
        is nothing to search for.

    Raises
    ------
    WorkbenchError
        When a store cannot be written.
    """
    erased = Erasure(
        answers=sum(store.erase_tenant(tenant) for store in stores.answers),
        cached=sum(cache.erase_tenant(tenant) for cache in stores.caches),
        rows=_erase_rows(stores.root, lambda frame: _rows_of(frame, tenant, None)),
    )
    if keys is not None:
        keys.forget(tenant)
    return erased


def find_residue(root: Path, needles: Sequence[str]) -> list[Residue]:
    """Search every byte below a folder.

    Looked through are the files as they are (databases with their free pages and logs
    included), what compressed ones hold, and the decoded text columns of Parquet files. A
    needle is searched as UTF-8, as UTF-16, and as JSON writes it.

    Parameters
    ----------
    root
        The folder, or one file.
    needles
        What must not be there, four characters or more each.

    Returns
    -------
    list of Residue
        Where something was found; needles by their number, for a list of residues goes into
        logs and what it is about must not.

    Raises
    ------
    WorkbenchError
        When a needle is too short, or a file cannot be read.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = (Path(folder) / "notes.txt").write_text("lead L000017 called")
    ...     [(r.path.name, r.needle) for r in find_residue(Path(folder), ["L000099", "L000017"])]
    [('notes.txt', 1)]
    """
    for needle in needles:
        _check_needle(needle)
    found: dict[Residue, None] = {}
    for path in [root] if root.is_file() else _files(root):
        sought = [_searches(needle, text=path.suffix in _TEXT) for needle in needles]
        try:
            for where, content in _contents(path):
                for number, patterns in enumerate(sought):
                    if any(pattern.search(content) for pattern in patterns):
                        found[Residue(path, where, number)] = None
        except OSError as error:
            raise WorkbenchError(
                f"the file cannot be searched: {error.strerror or error}", where=str(path),
                fix="make it readable and search again",
            ) from None  # fmt: skip
    return list(found)


def _check_needle(needle: str) -> None:
    if len(needle) < _SHORTEST_NEEDLE:
        raise WorkbenchError(
            f"an identifier of {len(needle)} characters occurs everywhere by chance",
            expected=f"{_SHORTEST_NEEDLE} characters or more",
            fix="use identifiers that are unique, such as 'lead-17'",
        )


def _left(stores: Stores, needles: Sequence[str]) -> Iterator[Residue]:
    places = [stores.root, *(s.path for s in stores.answers), *stores.cassettes]
    seen: set[Residue] = set()
    for place in places:
        # A database's log lies beside it.
        beside = [p for p in place.parent.glob(f"{place.name}-*") if p.is_file()]
        for path in [place, *beside] if place.exists() else beside:
            for residue in find_residue(path, needles):
                if residue not in seen:
                    seen.add(residue)
                    yield residue


def _files(root: Path, suffix: str = "") -> Iterator[Path]:
    for path in sorted(root.rglob(f"*{suffix}")):
        if path.is_file() and not path.is_symlink():
            yield path


def _names(stores: Stores, tenant: str, lead_id: str) -> set[str]:
    """Identifiers a lead goes by: its own, and those of the examples that are about it."""
    import pandas as pd

    names = {lead_id}
    for path in _files(stores.root, ".parquet"):
        frame = pd.read_parquet(path)
        if "example_id" in frame:
            mine = frame.loc[_rows_of(frame, tenant, lead_id), "example_id"]
            names.update(mine.dropna().astype(str))
    return names


def _rows_of(frame: "pd.DataFrame", tenant: str, lead_id: str | None) -> "pd.Series":
    """Which rows are a lead's, or a tenant's."""
    import pandas as pd

    of_tenant = pd.Series(data=True, index=frame.index)
    if "tenant" in frame:
        # Rows without a tenant belong to whoever asks, when they ask about a lead; and who has
        # one client for all tenants has named none.
        if lead_id is None or tenant != _ONLY_TENANT:
            of_tenant = frame["tenant"].astype(object) == tenant
        of_tenant |= frame["tenant"].isna() if lead_id is not None else False
    elif lead_id is None:
        return ~of_tenant
    if lead_id is None:
        return of_tenant
    about = pd.Series(data=False, index=frame.index)
    for column in ("example_id", "group", "lead_id", "contact_id"):
        if column in frame:
            about |= frame[column].astype(str) == lead_id
    return about & of_tenant


def _erase_rows(root: Path, chosen: Callable[["pd.DataFrame"], "pd.Series"]) -> int:
    import pyarrow as pa
    import pyarrow.parquet as pq

    erased = 0
    for path in _files(root, ".parquet"):
        table = pq.read_table(path)
        gone = chosen(table.to_pandas()).to_numpy()
        if gone.any():
            kept = table.filter(pa.array(~gone))
            _replace(path, functools.partial(pq.write_table, kept))
            erased += int(gone.sum())
    return erased


def _erase_recorded(paths: Sequence[Path], subject: str) -> int:
    erased = 0
    for path in paths:
        cassette = Cassette.load(path)
        kept = cassette.without(subject)
        n_gone = len(cassette.entries) - len(kept.entries)
        if n_gone and kept.entries:
            _replace(path, kept.save)
        elif n_gone:
            path.unlink()
        erased += n_gone
    return erased


def _erase_mentions(root: Path, lead_id: str) -> int:
    """Blank the identifier in texts: notebooks, pages, JSON."""
    shown = re.escape(html.escape(lead_id))
    # Displays of errors write a text beside its identifier: the row goes, not the identifier alone.
    row = re.compile(rf"<tr>(?:(?!</?tr>).)*title='{shown}'(?:(?!</tr>).)*</tr>", re.DOTALL)
    # A bare number would take the same number in a figure with it.
    named = re.search(r"[^\W\d]", lead_id) is not None
    pattern = re.compile(rf"(?<!\w)(?:{re.escape(lead_id)}|{shown})(?!\w)" if named else r"(?!)")
    erased = 0
    for path in _files(root):
        if path.suffix not in _TEXT or path.stat().st_size > _LARGEST_TEXT_BYTES:
            continue
        try:
            text = path.read_text("utf-8")
        except UnicodeDecodeError:
            continue
        without, n_rows = row.subn(f"<tr><td>{_ERASED}</td></tr>", text)
        blank, count = pattern.subn(_ERASED, without)
        count += n_rows
        if count:
            _replace(path, functools.partial(_write, blank))
            erased += count
    return erased


def _write(text: str, path: Path) -> None:
    path.write_text(text, "utf-8")


def _replace(path: Path, write: Callable[[Path], Any]) -> None:
    """Write a file anew beside the old one, then put it in its place."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    os.close(handle)
    draft = Path(name)
    try:
        write(draft)
        with draft.open("rb") as file:
            os.fsync(file.fileno())
        draft.chmod(path.stat().st_mode)
        draft.replace(path)
    except OSError as error:
        raise WorkbenchError(
            f"the file cannot be replaced: {error.strerror or error}", where=str(path),
            fix="free some disk space; the file is as it was",
        ) from None  # fmt: skip
    finally:
        draft.unlink(missing_ok=True)


def _searches(needle: str, *, text: bool) -> list[re.Pattern[bytes]]:
    """Patterns of a needle as UTF-8, as JSON escapes it and as UTF-16.

    In a text "lead-17" is not found in "lead-171", which is somebody else. In a database, where
    a digit may be the next column's, it is: better a false alarm than a false proof.
    """
    written = dict.fromkeys((needle.encode(), json.dumps(needle)[1:-1].encode()))
    other = rb"(?![0-9])" if text and needle[-1].isdigit() else b""
    patterns = [re.escape(w) + other for w in written]
    return [re.compile(p) for p in (*patterns, re.escape(needle.encode("utf-16-le")))]


def _contents(path: Path) -> Iterator[tuple[str, bytes | mmap.mmap]]:
    """What a file holds: as it is, and unpacked."""
    if path.stat().st_size:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            yield "bytes", data
    if path.suffix == ".parquet":
        yield from _columns(path)
    elif path.suffix == ".gz":
        with suppress(EOFError, gzip.BadGzipFile):
            yield "unpacked", gzip.decompress(path.read_bytes())
    elif zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            for name in archive.namelist():
                yield name, archive.read(name)


def _columns(path: Path) -> Iterator[tuple[str, bytes]]:
    import pyarrow.parquet as pq

    table = pq.read_table(path)
    for name in table.column_names:
        values = table.column(name).to_pandas().dropna().astype(str).unique()
        yield f"column {name}", "\n".join(values).encode("utf-8", "surrogatepass")
