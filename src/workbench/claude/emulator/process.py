"""The emulator as a process of its own, which cannot outlive the one that started it."""

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import urllib.request
import weakref
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from workbench.claude.emulator.faults import FaultPlan
from workbench.errors import ClaudeError

__all__ = ["EmulatorProcess"]

_STOP_TIMEOUT_S = 5.0


class EmulatorProcess:
    """Start the emulator on a free loopback port, and stop it on close or with this process.

    Parameters
    ----------
    faults
        Faults to play; none when omitted.

    Raises
    ------
    ClaudeError
        When the process does not start.

    Examples
    --------
    >>> with EmulatorProcess() as emulator:
    ...     emulator.books()["requests"]
    0
    """

    def __init__(self, faults: FaultPlan | None = None) -> None:
        # No key and no endpoint of the user's is any business of the emulator's.
        environ = {k: v for k, v in os.environ.items() if not k.startswith("ANTHROPIC_")}
        with contextlib.ExitStack() as stack:
            command = [sys.executable, "-m", "workbench.claude.emulator", "--port", "0"]
            if faults is not None:
                folder = stack.enter_context(tempfile.TemporaryDirectory())
                plan = Path(folder) / "faults.json"
                plan.write_text(faults.to_json(), encoding="utf-8")
                command += ["--faults", str(plan)]
            self._process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environ
            )
            self._finalizer = weakref.finalize(self, _stop, self._process)
            self.url = self._address()

    def __repr__(self) -> str:
        return f"EmulatorProcess(url={self.url!r})"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def running(self) -> bool:
        """Whether the process is alive."""
        return self._process.poll() is None

    def books(self, answered: int = 0) -> dict[str, Any]:
        """Read the emulator's own books.

        Parameters
        ----------
        answered
            Wait up to a second for this many answers first.

        Returns
        -------
        dict
            `requests`, `answered`, `input_tokens`, `output_tokens`, `faults` by kind, and
            `by_key` with the counts of each question by content digest.
        """
        # A loopback address of ours: no proxy, and no other scheme than http.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(f"{self.url}/_books?answered={answered}") as response:
            books: dict[str, Any] = json.load(response)
        return books

    def close(self) -> None:
        """Stop the process; closing twice does nothing."""
        self._finalizer()

    def _address(self) -> str:
        output = self._process.stdout
        line = output.readline() if output is not None else b""
        try:
            return str(json.loads(line)["url"])
        except (ValueError, KeyError):
            self.close()
            raise ClaudeError(
                f"the emulator did not start (exit status {self._process.returncode})",
                where=sys.executable,
                expected="its address on standard output",
                fix="run `python -m workbench.claude.emulator` to see why",
            ) from None


def _stop(process: subprocess.Popen[bytes]) -> None:
    if process.stdin is not None:
        process.stdin.close()
    try:
        process.wait(_STOP_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdout is not None:
        process.stdout.close()
