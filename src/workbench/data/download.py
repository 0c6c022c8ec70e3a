"""Fetching the file of a data set once, whole, and checked before it gets its name."""

import hashlib
import http.client
import os
import sys
import tempfile
import time
import zipfile
import zlib
from pathlib import Path
from typing import IO
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

from workbench.data.card import DataFile
from workbench.errors import DataError

__all__ = ["download"]

_CHUNK = 1 << 16
_QUIET_S = 2.0
_LARGEST = 4 << 30


def download(declared: DataFile, target: Path, *, timeout_s: float = 30.0) -> Path:
    """Download a file, unpack it, verify its checksum, then give it its name.

    Whatever fails, `target` is never there half: everything happens in a temporary folder
    beside it that is removed.

    Parameters
    ----------
    declared
        Address, members and checksum.
    target
        Where the file belongs; folders are made.
    timeout_s
        Seconds without an answer after which the download fails.

    Returns
    -------
    Path
        `target`.

    Raises
    ------
    DataError
        When there is no address, the address cannot be reached, the body is cut short,
        the archive lacks a member, or the checksum differs. Says how to do it by hand.
    """
    if declared.url is None:
        raise _failed(declared, target, "the card gives no address to download from")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=".part-") as folder:
            part = Path(folder) / "0"
            _fetch(declared, target, part, timeout_s)
            for depth, member in enumerate(declared.members, start=1):
                part = _unpack(declared, target, part, member, Path(folder) / str(depth))
            _verify(declared, target, part)
            part.replace(target)
    except OSError as error:
        reason = f"cannot be written: {error.strerror or error}"
        raise _failed(declared, target, reason) from None
    return target


def _fetch(declared: DataFile, target: Path, part: Path, timeout_s: float) -> None:
    url = declared.url or ""
    if urlsplit(url).scheme not in {"http", "https"}:
        raise _failed(declared, target, f"{url!r} is not a web address")
    request = Request(url, headers={"User-Agent": "workbench"})  # noqa: S310 - scheme checked above
    try:
        with urlopen(request, timeout=timeout_s) as answer, part.open("wb") as sink:  # noqa: S310
            size = answer.headers.get("Content-Length")
            done = _copy(answer, sink, declared.name, int(size) if size else None)
    except HTTPError as error:
        with error:  # it holds the connection open
            reason = f"{url} did not answer: {error.reason} (HTTP {error.code})"
        raise _failed(declared, target, reason) from None
    except (URLError, http.client.HTTPException, TimeoutError, ConnectionError) as error:
        reason = f"{url} did not answer: {getattr(error, 'reason', None) or error}"
        raise _failed(declared, target, reason) from None
    if size and done != int(size):
        # Reading in pieces, the standard library does not notice a connection that ends early.
        raise _failed(declared, target, f"{url} sent {done:,} of {int(size):,} bytes")


def _copy(source: IO[bytes], sink: IO[bytes], name: str, size: int | None) -> int:
    started = shown = time.monotonic()
    done = 0
    while chunk := source.read(_CHUNK):
        sink.write(chunk)
        done += len(chunk)
        now = time.monotonic()
        if now - started > _QUIET_S and now - shown > 1:
            shown = now
            of = f" of {size / 1e6:.1f}" if size else ""
            sys.stderr.write(f"\rdownloading {name}: {done / 1e6:.1f}{of} MB")
    if shown > started:
        sys.stderr.write("\n")
    return done


def _unpack(declared: DataFile, target: Path, archive: Path, member: str, part: Path) -> Path:
    try:
        with zipfile.ZipFile(archive) as opened:
            size = opened.getinfo(member).file_size
            if size > _LARGEST:
                raise _failed(declared, target, f"{member!r} unpacks to {size / 1e9:.1f} GB")
            with opened.open(member) as source, part.open("wb") as sink:
                _copy(source, sink, member, size)
    except KeyError:
        reason = f"the archive at {declared.url} has no member {member!r}"
        raise _failed(declared, target, reason) from None
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError, EOFError, zlib.error) as error:
        reason = f"what {declared.url} sent cannot be unpacked as a zip: {error}"
        raise _failed(declared, target, reason) from None
    return part


def _verify(declared: DataFile, target: Path, part: Path) -> None:
    with part.open("rb") as source:
        found = hashlib.file_digest(source, "sha256").hexdigest()
        size = os.fstat(source.fileno()).st_size
    if found != declared.sha256:
        reason = f"wrong checksum: {declared.url} gave {size:,} bytes with sha256 {found}"
        raise _failed(declared, target, reason)


def _failed(declared: DataFile, target: Path, reason: str) -> DataError:
    return DataError(
        f"{declared.name!r} could not be downloaded: {reason}",
        expected=f"a file with sha256 {declared.sha256}",
        fix=f"put the file at {target} by hand, or use the data set 'brokerage', "
        "which needs no download",
    )
