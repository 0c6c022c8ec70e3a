"""`workbench run`: a spec through its notebook to a page."""

import os
import shutil
import sys
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from workbench import errors
from workbench.errors import SpecError, WorkbenchError
from workbench.evaluation.readings.session import ReadingResult
from workbench.evaluation.readings.spec import ReadingSpec, is_reading_spec, read_reading_spec
from workbench.evaluation.session import SpecResult
from workbench.evaluation.spec import RunSpec, read_spec
from workbench.reports.page import export_page
from workbench.settings import Settings
from workbench.tasks import load_task

__all__ = ["RunOutcome", "execute_notebook", "read_template", "run_spec"]


@dataclass(frozen=True, slots=True)
class RunOutcome:
    """What a run left behind.

    Parameters
    ----------
    result
        What the spec came to.
    folder
        Records, verdict, executed notebook and page.
    report
        The page.
    """

    result: SpecResult | ReadingResult
    folder: Path
    report: Path


def run_spec(path: str | Path, *, settings: Settings | None = None) -> RunOutcome:
    """Execute the spec's notebook and write its page.

    Parameters
    ----------
    path
        The spec.
    settings
        Where things are; from the environment when omitted.

    Returns
    -------
    RunOutcome

    Raises
    ------
    WorkbenchError
        When the spec, the data, a prompt, the notebook or the configuration is wrong; no
        run folder is left behind, and answers that arrived stay stored.
    """
    path = Path(path).resolve()
    settings = settings or Settings.from_env()
    reading = is_reading_spec(path)
    spec: RunSpec | ReadingSpec = read_reading_spec(path) if reading else read_spec(path)
    load_task(spec.task)
    template = (settings.root / spec.notebook).resolve()
    # To the millisecond: two runs of a spec may start in the same second.
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%f")[:-3]
    folder = settings.mlruns / "runs" / f"{spec.name}-{stamp}"
    parameters = {"spec_path": str(path), "run_dir": str(folder)}
    notebook = read_template(template, parameters)
    try:
        folder.mkdir(parents=True)
    except OSError as error:
        raise SpecError(
            f"the run folder cannot be made: {error.strerror}",
            where=str(folder),
            fix="make mlruns/ a folder that can be written",
        ) from None
    try:
        executed = execute_notebook(notebook, folder, parameters, template, settings)
        report = export_page(executed, folder / "report.html", title=_title(spec))
        result = ReadingResult.load(folder) if reading else SpecResult.load(folder)
        return RunOutcome(result, folder, report)
    except BaseException:
        # Interrupted or failed: the answers are in the store, a half-made report is no use.
        shutil.rmtree(folder, ignore_errors=True)
        raise


def _title(spec: RunSpec | ReadingSpec) -> str:
    return f"{load_task(spec.task).title}: {spec.name}"


def read_template(path: Path, parameters: dict[str, str]) -> Any:
    """Read a notebook and check that it takes the parameters.

    Parameters
    ----------
    path
        An ``.ipynb`` or its ``.py:percent`` pair.
    parameters
        What would be handed to it.

    Raises
    ------
    SpecError
        When it cannot be read, or does not take one of them.
    """
    import jupytext

    try:
        notebook = jupytext.read(path)
    except FileNotFoundError:
        raise SpecError(
            "the notebook does not exist", where=str(path), fix="correct `notebook` in the spec"
        ) from None
    except Exception as error:
        raise SpecError(
            f"the notebook cannot be read: {type(error).__name__}",
            where=str(path),
            expected="a Jupyter notebook or its .py:percent pair",
            fix="repair or replace it",
        ) from error
    taken = _parameters_of(notebook)
    unknown = sorted(set(parameters) - set(taken))
    if unknown:
        raise SpecError(
            f"the notebook does not take the parameters {unknown}",
            where=str(path),
            expected=f"a cell tagged 'parameters' that sets {sorted(parameters)}",
            fix="start from notebooks/evaluation_report.py",
        )
    return notebook


def _parameters_of(notebook: Any) -> list[str]:
    cells = [c for c in notebook.cells if "parameters" in c.metadata.get("tags", [])]
    lines = [line for cell in cells for line in cell.source.splitlines()]
    return [line.split("=")[0].split(":")[0].strip() for line in lines if "=" in line]


def execute_notebook(
    notebook: Any, folder: Path, parameters: dict[str, Any], template: Path, settings: Settings
) -> Any:
    """Execute a notebook through papermill, in a kernel with these settings.

    Parameters
    ----------
    notebook
        As `read_template` gave it.
    folder
        Takes the executed notebook.
    parameters
        For its parameters cell.
    template
        Where it was read from, for errors.
    settings
        Settings of the kernel's process.

    Raises
    ------
    WorkbenchError
        When a cell fails, with what the cell said.
    """
    # Notebook machinery is imported where it is used: whoever only displays a report,
    # such as the kernel itself, starts without it.
    import papermill
    from papermill.exceptions import PapermillExecutionError

    try:
        with tempfile.TemporaryDirectory(prefix="workbench-") as sockets:
            return papermill.execute_notebook(
                notebook,
                str(folder / "notebook.ipynb"),
                parameters=parameters,
                kernel_name="python3",
                language="python",  # a template need not say so itself
                progress_bar=False,
                log_output=False,
                # The kernel tells its progress on its stderr; pass it on as it comes.
                stderr_file=sys.stderr,
                cwd=str(template.parent),
                kernel_manager_class=_local_kernel(settings.to_environ(os.environ), sockets),
            )
    except PapermillExecutionError as error:
        raise _translated(error, template) from error
    except RuntimeError as error:
        # So nbclient says that a kernel died or never answered.
        raise SpecError(
            f"the notebook's kernel was lost: {error}",
            where=str(template),
            fix="free memory or evaluate fewer examples; stored answers are kept",
        ) from error


def _local_kernel(environ: dict[str, str], sockets: str) -> type:
    from jupyter_client.manager import AsyncKernelManager
    from traitlets import Enum, Unicode

    class LocalKernel(AsyncKernelManager):
        """A kernel behind Unix sockets: no port is opened, and nobody else can listen in."""

        transport = Enum(["ipc"], default_value="ipc", config=True)
        # Their folder is this run's own and private. Jupyter's default is the working folder,
        # where runs that go on at once would take each other's sockets.
        ip = Unicode(f"{sockets}/kernel", config=True)

        async def start_kernel(self, **options: Any) -> None:
            """Start the kernel with the caller's settings, whatever the process's own are."""
            await super().start_kernel(**{"env": environ, **options})

    return LocalKernel


def _translated(error: Any, template: Path) -> BaseException:
    kind = getattr(errors, str(error.ename), None)
    if isinstance(kind, type) and issubclass(kind, WorkbenchError):
        # The kernel's message is whole already: what, where, expected and fix.
        return kind(str(error.evalue).rstrip("."))
    if error.ename == "KeyboardInterrupt":
        return KeyboardInterrupt()
    said = str(error.evalue).strip().split("\n")[0][:300]
    return SpecError(
        f"the notebook failed with {error.ename}{': ' if said else ''}{said}",
        where=f"{template}, cell {error.cell_index}",
        fix="run the notebook in JupyterLab to see the traceback",
    )
