"""What leaves this machine, as bytes on the wire."""

import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from benchmarks.privacy_corpus import Planted, leaks, planted

from workbench.claude import ClaudeClient, ClaudeRequest, EmulatorProcess, Origin
from workbench.privacy import AuditLog, PrivacyGate

LETTERS = "ghjkmpqrsv"


class Tap:
    """Stands between client and server, hands everything on, and keeps what the client sends."""

    def __init__(self, url: str) -> None:
        self._target = ("127.0.0.1", int(url.rsplit(":", 1)[1]))
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._sent: list[bytearray] = []
        self._threads: list[threading.Thread] = []
        self._start(self._accept)

    def _start(self, target: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=target, args=arguments, daemon=True)
        thread.start()
        self._threads.append(thread)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = socket.create_connection(self._target)
            kept = bytearray()
            self._sent.append(kept)
            self._start(self._pump, client, server, kept)
            self._start(self._pump, server, client, bytearray())

    @staticmethod
    def _pump(source: socket.socket, sink: socket.socket, kept: bytearray) -> None:
        with source, sink, suppress(OSError):
            while data := source.recv(65_536):
                kept += data
                sink.sendall(data)

    def sent(self) -> list[bytes]:
        return [bytes(stream) for stream in self._sent]

    def bodies(self) -> list[str]:
        found = []
        for stream in self.sent():
            rest = stream
            while rest:
                head, _, rest = rest.partition(b"\r\n\r\n")
                lengths = [
                    h for h in head.lower().split(b"\r\n") if h.startswith(b"content-length")
                ]
                size = int(lengths[0].split(b":")[1]) if lengths else 0
                found.append(rest[:size].decode())
                rest = rest[size:]
        return found

    def close(self) -> None:
        self._listener.close()


@pytest.fixture
def tap(shared_emulator: EmulatorProcess) -> Iterator[Tap]:
    made = Tap(shared_emulator.url)
    yield made
    made.close()


def marker(number: int) -> str:
    return "".join(LETTERS[int(digit)] for digit in str(number))


def request(document: Planted, number: int) -> ClaudeRequest:
    return ClaudeRequest(
        "claude-haiku-5-5",
        f"<lead>\n- note: {marker(number)}\n</lead>\n<message>\n{document.text}\n</message>",
        system="Strategy: zero_shot",
        subject=f"lead-{number}",
    )


def test_no_byte_on_the_wire_tells_what_was_planted(tap: Tap, tmp_path: Path) -> None:
    documents = list(planted(70, 31))
    gate = PrivacyGate(bytes(32))
    audit = AuditLog(tmp_path / "audit.jsonl", gate.pseudonym)
    with ClaudeClient(
        origin=Origin.SIMULATED, store=tmp_path / "answers.sqlite", base_url=tap.url, gate=gate,
        audit=audit,
    ) as client:  # fmt: skip
        answers = client.ask([request(d, i) for i, d in enumerate(documents)])
    audit.close()
    assert [a.error for a in answers] == [None] * len(documents)

    bodies = [json.loads(body) for body in tap.bodies() if body]
    texts = [json.dumps(body, ensure_ascii=False).replace("\\n", "\n") for body in bodies]
    assert len(texts) >= 500
    by_marker = {text.split("- note: ")[1].split("\n")[0]: text for text in texts}
    left = []
    for number, document in enumerate(documents):
        text = by_marker.get(marker(number), "")
        # What seals alike is asked once.
        if text and leaks(document, text.partition("<message>")[2].partition("</message>")[0]):
            left.append((document.form, text))
    assert left == []

    wire = b"".join(tap.sent()).decode()
    kept = b"".join(p.read_bytes() for p in tmp_path.rglob("*") if p.is_file())
    plain = [d.value for d in documents if d.form in ("plain", "dashes", "bare", "IBAN", "fours")]
    assert len(plain) > 20
    for value in plain:
        assert value not in wire
        assert value.encode() not in kept
    assert b"lead-" not in kept, "stores know leads by their pseudonyms"


def test_answers_come_back_with_what_was_said(tap: Tap, tmp_path: Path) -> None:
    asked = ClaudeRequest(
        "claude-haiku-5-5",
        "<lead>\n- Contact e-mail opened by: ann.lee7@example.com\n- source: referral\n</lead>\n"
        "<message>Ready to buy this week.</message>",
        known_names=("Ann Lee",),
    )
    with ClaudeClient(
        origin=Origin.SIMULATED, store=tmp_path / "answers.sqlite", base_url=tap.url
    ) as client:
        client.ask([asked])
        again = client.ask([asked])[0]
    assert again.cached
    assert b"ann.lee7" not in b"".join(tap.sent())
