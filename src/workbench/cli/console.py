"""What every command prints and how it runs other programs."""

import subprocess
from typing import Annotated

import typer

import workbench as wb
from workbench.documents import to_json

__all__ = ["Json", "print_json", "run_until_stopped", "say"]

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
