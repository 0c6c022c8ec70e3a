"""The catalogue: one's own data without code, downloads over a real server, checks."""

import hashlib
import io
import threading
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from workbench.data import Catalogue
from workbench.errors import DataError
from workbench.settings import Settings
from workbench.tasks import load_dataset

Put = Callable[..., Path]


class Handler(BaseHTTPRequestHandler):
    body = b""
    status = 200
    declared_extra = 0

    def do_GET(self) -> None:
        self.send_response(self.status)
        self.send_header("Content-Length", str(len(self.body) + self.declared_extra))
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        pass


@contextmanager
def served(body: bytes, *, status: int = 200, declared_extra: int = 0) -> Iterator[str]:
    values = {"body": body, "status": status, "declared_extra": declared_extra}
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("OneAnswer", (Handler,), values))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/data"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def zipped(**members: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def left_behind(settings: Settings) -> list[Path]:
    return list((settings.datasets / "mine" / "downloads").rglob("*"))


def test_own_data_need_no_code(csv_text: str, put: Put, settings: Settings) -> None:
    put(csv_text.encode())
    catalogue = Catalogue(settings)
    assert catalogue.names() == ["mine"]
    assert catalogue.card("mine").title == "My <leads>"
    assert len(catalogue.load("mine")) == 6
    assert len(load_dataset("mine", settings=settings, n_rows=2)) == 2
    assert "mine" in repr(catalogue)


def test_unknown_name_lists_and_hints(csv_text: str, put: Put, settings: Settings) -> None:
    catalogue = Catalogue(settings)
    with pytest.raises(DataError, match=r"no data set 'mine'.*none: the catalogue is empty"):
        catalogue.load("mine")
    put(csv_text.encode())
    with pytest.raises(DataError, match=r"no data set 'mien'.*one of mine.*write 'mine', or add"):
        catalogue.load("mien")
    with pytest.raises(DataError, match=r"no data set '../data'"):
        catalogue.check("../data")


def test_card_in_the_wrong_folder(csv_text: str, put: Put, settings: Settings) -> None:
    path = put(csv_text.encode())
    path.parent.rename(settings.datasets / "other")
    with pytest.raises(DataError, match=r"the card's name is 'mine'. Expected 'other'"):
        Catalogue(settings).load("other")


@pytest.mark.parametrize("members", [[], ["a.csv"], ["in/b.zip", "a.csv"]])
def test_download_once(members: list[str], csv_text: str, put: Put, settings: Settings) -> None:
    content = csv_text.encode()
    body = content
    for member in reversed(members):
        body = zipped(**{member: body, "other.txt": b"x"})
    digest = hashlib.sha256(content).hexdigest()
    with served(body) as url:
        put(None, file__sha256=digest, file__url=url, file__members=members)
        first = Catalogue(settings).load("mine")
    # The server is gone: the second time reads the kept file.
    assert Catalogue(settings).load("mine").digest == first.digest
    kept = settings.datasets / "mine" / "downloads"
    assert [path.name for path in kept.rglob("*")] == ["mine.csv"]
    assert (kept / "mine.csv").read_bytes() == content


FAILURES = {
    "wrong checksum": (
        b"a,b\n1,2\n",
        200,
        0,
        [],
        r"wrong checksum: http.* gave 8 bytes",
    ),
    "not found": (b"gone", 404, 0, [], r"did not answer: Not Found \(HTTP 404\)"),
    "server error": (b"", 503, 0, [], r"\(HTTP 503\)"),
    "truncated": (b"id,household", 200, 500, [], r"sent 12 of 512 bytes"),
    "empty": (b"", 200, 0, [], r"wrong checksum: .* gave 0 bytes"),
    "no zip": (b"<html>busy</html>", 200, 0, ["a.csv"], r"cannot be unpacked as a zip"),
    "no member": (zipped(b=b"x"), 200, 0, ["a.csv"], r"has no member 'a.csv'"),
    "inner not zip": (
        zipped(**{"b.zip": b"x"}),
        200,
        0,
        ["b.zip", "a.csv"],
        r"cannot be unpacked as a zip",
    ),
    "damaged zip": (
        (whole := zipped(**{"a.csv": bytes(range(256)) * 9}))[:60] + b"????" + whole[64:],
        200,
        0,
        ["a.csv"],
        r"cannot be unpacked as a zip",
    ),
}


@pytest.mark.parametrize("name", FAILURES)
def test_failed_download_leaves_nothing(name: str, put: Put, settings: Settings) -> None:
    body, status, extra, members, message = FAILURES[name]
    with served(body, status=status, declared_extra=extra) as url:
        put(None, file__sha256="1" * 64, file__url=url, file__members=members)
        with pytest.raises(
            DataError, match=f"'mine.csv' could not be downloaded: .*{message}"
        ) as e:
            Catalogue(settings).load("mine")
    assert "1" * 64 in str(e.value)
    assert str(settings.datasets / "mine" / "downloads" / "mine.csv") in str(e.value)
    assert "'brokerage', which needs no download" in str(e.value)
    assert left_behind(settings) == []


def test_no_server_and_no_address(put: Put, settings: Settings) -> None:
    with served(b"") as url:
        pass
    put(None, file__url=url)
    with pytest.raises(DataError, match=r"did not answer: .*refused"):
        Catalogue(settings).load("mine")
    put(None)
    with pytest.raises(DataError, match=r"the card gives no address.*by hand"):
        Catalogue(settings).load("mine")
    assert left_behind(settings) == []


def test_downloads_folder_cannot_be_made(put: Put, settings: Settings) -> None:
    with served(b"") as url:
        path = put(None, file__url=url)
        (path.parent / "downloads").write_text("in the way")
        with pytest.raises(DataError, match=r"cannot be written: File exists"):
            Catalogue(settings).load("mine")


def test_check_finds_what_misleads(put: Put, settings: Settings) -> None:
    rows = [
        f"{i},h{i},2024-{1 + i // 28:02d}-{1 + i % 28:02d},{i % 7},{won * 5 + i % 5},web,no,,,"
        f"{'yes' if won else 'no'}"
        for i in range(150)
        for won in [int(i >= 120 or i % 5 == 0)]
    ]
    header = "id,household,created,visits,budget,source,vip,note,paid,won"
    put(("\n".join([header, *rows]) + "\n").encode())
    report = Catalogue(settings).check("mine")
    assert report.ok
    found = {(finding.code, finding.column) for finding in report.findings}
    assert found >= {
        ("D003", ""),
        ("D004", "source"),
        ("D004", "vip"),
        ("D006", ""),
        ("D007", "budget"),
    }
    assert ("D002", "") not in found
    frame = report.to_frame()
    assert list(frame.columns) == ["code", "severity", "column", "message", "fix"]
    assert len(frame) == len(report.findings)


def test_check_counts_few_and_missing(csv_text: str, put: Put, settings: Settings) -> None:
    lines = csv_text.replace("unknown", "web").replace(",web,", ",unknown,").encode()
    put(lines)
    codes = {(f.code, f.column) for f in Catalogue(settings).check("mine").findings}
    assert ("D002", "") in codes
    assert ("D005", "source") in codes
