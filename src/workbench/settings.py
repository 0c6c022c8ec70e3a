"""Settings of one process, read from the environment when asked and never before."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from workbench.errors import SpecError

__all__ = ["Settings"]

_MARKERS = ("datasets", "experiments", "pyproject.toml")


@dataclass(frozen=True, slots=True)
class Settings:
    """Where things are, and with which key Claude is asked.

    Parameters
    ----------
    root
        The project folder: the one that holds `datasets` and `experiments`.
    data_dir
        Folder with downloaded data sets, one sub-folder each.
    api_key
        Anthropic key, or `None` for the simulated origin. Never shown.
    base_url
        Anthropic-compatible endpoint of the user's own, or `None` for Anthropic's.
    cassette
        File of recorded answers to replay instead of asking anybody, or `None`.

    Examples
    --------
    >>> Settings(root=Path("/tmp/project"), data_dir=Path("/tmp/data"), api_key="secret")
    Settings(root=PosixPath('/tmp/project'), data_dir=PosixPath('/tmp/data'), base_url=None)
    """

    root: Path
    data_dir: Path
    api_key: str | None = field(default=None, repr=False)
    base_url: str | None = None
    cassette: Path | None = field(default=None, repr=False)

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None) -> "Settings":
        """Read the environment.

        The variables are `WORKBENCH_ROOT`, `WORKBENCH_DATA_DIR`, `WORKBENCH_CASSETTE`,
        `ANTHROPIC_API_KEY` and `ANTHROPIC_BASE_URL`.

        Parameters
        ----------
        environ
            The environment; the process's own when omitted.

        Raises
        ------
        SpecError
            When no project folder can be found or a named folder does not exist.
        """
        env = os.environ if environ is None else environ
        root = _root(env.get("WORKBENCH_ROOT"))
        named = env.get("WORKBENCH_DATA_DIR")
        if named and not Path(named).is_dir():
            raise SpecError(
                f"WORKBENCH_DATA_DIR is {named!r}, which is not a folder",
                expected="a folder with one sub-folder per data set",
                fix="create it or unset the variable",
            )
        data_dir = Path(named).resolve() if named else (root / ".." / "shared" / "data").resolve()
        return cls(
            root=root,
            data_dir=data_dir,
            api_key=env.get("ANTHROPIC_API_KEY") or None,
            base_url=env.get("ANTHROPIC_BASE_URL") or None,
            cassette=_file(env.get("WORKBENCH_CASSETTE")),
        )

    def to_environ(self, environ: Mapping[str, str]) -> dict[str, str]:
        """Environment in which `from_env` of another process gives these settings.

        Parameters
        ----------
        environ
            The environment to start from.

        Examples
        --------
        >>> here = Settings(root=Path("/tmp/project"), data_dir=Path("/tmp"))
        >>> here.to_environ({"ANTHROPIC_API_KEY": "another's", "LANG": "C"})
        {'LANG': 'C', 'WORKBENCH_ROOT': '/tmp/project', 'WORKBENCH_DATA_DIR': '/tmp'}
        """
        named = {
            "WORKBENCH_ROOT": str(self.root),
            # A folder that does not exist cannot be named; the default is looked up again.
            "WORKBENCH_DATA_DIR": str(self.data_dir) if self.data_dir.is_dir() else None,
            "ANTHROPIC_API_KEY": self.api_key,
            "ANTHROPIC_BASE_URL": self.base_url,
            "WORKBENCH_CASSETTE": None if self.cassette is None else str(self.cassette),
        }
        kept = {k: v for k, v in environ.items() if k not in named}
        return kept | {k: v for k, v in named.items() if v is not None}

    @property
    def datasets(self) -> Path:
        """Folder of the data set catalogue."""
        return self.root / "datasets"

    @property
    def mlruns(self) -> Path:
        """Folder of everything runs leave behind: answers, records, reports, MLflow."""
        return self.root / "mlruns"


def _file(named: str | None) -> Path | None:
    if not named:
        return None
    if not Path(named).is_file():
        raise SpecError(
            f"WORKBENCH_CASSETTE is {named!r}, which is not a file",
            expected="a cassette written by ClaudeClient.record",
            fix="correct or unset the variable",
        )
    return Path(named).resolve()


def _root(named: str | None) -> Path:
    if named:
        root = Path(named).resolve()
        if not root.is_dir():
            raise SpecError(
                f"WORKBENCH_ROOT is {named!r}, which is not a folder",
                expected="the project folder (with datasets/ and experiments/)",
                fix="correct or unset the variable",
            )
        return root
    # A notebook runs in notebooks/, a spec may be started from anywhere below the project.
    here = Path.cwd().resolve()
    installed = Path(__file__).resolve().parents[2]
    for folder in (here, *here.parents, installed):
        if all((folder / marker).exists() for marker in _MARKERS):
            return folder
    raise SpecError(
        "no workbench project found",
        where=str(here),
        expected="a folder with datasets/, experiments/ and pyproject.toml, here or above",
        fix="change to the project folder or set WORKBENCH_ROOT",
    )
