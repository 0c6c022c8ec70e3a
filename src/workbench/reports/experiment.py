"""An experiment's notebook, executed into one page: where the platform and reports meet."""

import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from workbench.errors import SpecError
from workbench.reports.page import export_page
from workbench.reports.runner import execute_notebook, read_template
from workbench.settings import Settings

__all__ = ["run_experiment_report"]

_NOTEBOOK = Path("notebooks") / "abtest_report.py"


def run_experiment_report(
    name: str, parameters: dict[str, Any], *, settings: Settings | None = None
) -> Path:
    """Execute the report's notebook for one experiment.

    Parameters
    ----------
    name
        Name of the experiment, for folder and title.
    parameters
        Of the notebook, but `run_dir`.
    settings
        Where things are; from the environment when omitted.

    Returns
    -------
    pathlib.Path
        The page; charts, analysis and executed notebook lie beside it.

    Raises
    ------
    WorkbenchError
        If the notebook is missing, does not take the parameters, or fails; no folder is left
        behind then.
    """
    known = settings or Settings.from_env()
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%f")[:-3]
    slug = "".join(c if c.isalnum() or c in "-_" else "-" for c in name)
    folder = known.mlruns / "runs" / f"abtest-{slug}-{stamp}"
    given = {**parameters, "run_dir": str(folder)}
    template = (known.root / _NOTEBOOK).resolve()
    notebook = read_template(template, given)
    try:
        folder.mkdir(parents=True)
    except OSError as error:
        raise SpecError(
            f"the run folder cannot be made: {error.strerror}",
            where=str(folder),
            fix="make mlruns/ a folder that can be written",
        ) from None
    try:
        executed = execute_notebook(notebook, folder, given, template, known)
        return export_page(executed, folder / "report.html", title=name)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
