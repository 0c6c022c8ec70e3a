"""With which code and which libraries figures were made."""

import platform
import subprocess
from importlib.metadata import version

__all__ = ["git_revision", "library_versions"]

_LIBRARIES = ("anthropic", "lightgbm", "numpy", "pandas", "scikit-learn", "scipy", "workbench")


def library_versions() -> dict[str, str]:
    """Versions of Python and of the libraries figures depend on.

    Examples
    --------
    >>> sorted(library_versions())[:2]
    ['anthropic', 'lightgbm']
    """
    return {"python": platform.python_version()} | {n: version(n) for n in _LIBRARIES}


def git_revision() -> str:
    """Revision of the project; "dirty" is appended when files were changed.

    Examples
    --------
    >>> len(git_revision()) > 0
    True
    """

    def git(*arguments: str) -> str:
        return subprocess.run(
            ["git", *arguments], capture_output=True, text=True, check=True, timeout=10
        ).stdout.strip()

    try:
        revision = git("rev-parse", "--short=12", "HEAD")
        return f"{revision} dirty" if git("status", "--porcelain") else revision
    except (OSError, subprocess.SubprocessError):
        return "unknown"
