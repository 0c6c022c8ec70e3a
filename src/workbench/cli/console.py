"""What every command prints and how it runs other programs."""

import logging
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Annotated, TextIO

import typer

import workbench as wb
from workbench.documents import to_json

__all__ = ["Json", "hushed_on_ctrl_c", "print_json", "run_until_stopped", "say"]

Json = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]


def print_json(value: object) -> None:
    """Print strict JSON on stdout."""
    print(to_json(value))


def say(sentence: str) -> None:
    """Tell progress on stderr."""
    wb.say(sentence)


def run_until_stopped(
    command: list[str], environment: dict[str, str] | None = None, stdin: int | None = None
) -> int:
    """Run a server until it ends or Ctrl-C stops it; its exit status."""
    try:
        return subprocess.call(command, env=environment, stdin=stdin)
    except KeyboardInterrupt:
        return 0


@contextmanager
def hushed_on_ctrl_c() -> Iterator[None]:
    """Let a command that executes a notebook say one line when Ctrl-C stops it.

    The kernel that is killed then, and the libraries that talk to it, complain of each other. What
    this process says goes where it always did; a child's bare stderr goes nowhere: what a
    notebook prints there comes as messages.
    """
    before = signal.getsignal(signal.SIGINT)
    kept = _own_stderr()
    if kept is None or before is not signal.default_int_handler:
        yield
        return
    shown, sys.stderr = sys.stderr, kept
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    os.close(nowhere)
    signal.signal(signal.SIGINT, _hush)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
        os.dup2(kept.fileno(), 2)
        sys.stderr = shown
        kept.close()


def _own_stderr() -> TextIO | None:
    try:
        if sys.stderr.fileno() != 2:  # somebody took it already, as test runners do
            return None
        return os.fdopen(os.dup(2), "w", buffering=1, encoding=sys.stderr.encoding)
    except (OSError, ValueError):
        return None


def _hush(number: int, frame: FrameType | None) -> None:
    logging.disable()
    signal.default_int_handler(number, frame)
