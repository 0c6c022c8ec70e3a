"""From files to the report of an experiment: what its notebook does."""

from datetime import UTC, datetime
from pathlib import Path

from workbench.abtest.analysis import analyse
from workbench.abtest.design import read_design
from workbench.abtest.monitor import monitor
from workbench.abtest.policy import learn_policy
from workbench.abtest.registration import read_registration
from workbench.abtest.report import ExperimentReport
from workbench.abtest.report_files import open_data
from workbench.abtest.simulate import simulate
from workbench.abtest.source import open_units
from workbench.errors import SpecError

__all__ = ["read_experiment"]


def read_experiment(
    design_path: str | Path = "",
    data_path: str | Path = "",
    *,
    arm: str = "arm",
    exposed_at: str = "exposed_at",
    rows_per_cluster: int = 0,
    registration_path: str | Path = "",
    as_of: str = "",
    n_leads: int = 60_000,
    random_state: int = 7,
) -> ExperimentReport:
    """Analyse an experiment and follow it over time, ready to be shown.

    Parameters
    ----------
    design_path, data_path
        The design, and its units or events. Without both, five coaching strategies are
        simulated, and the truth is shown beside what was found.
    arm, exposed_at
        Columns of a table. Without times there is no course, only the analysis.
    rows_per_cluster
        See `report_files.open_data`.
    registration_path
        The design as it was registered.
    as_of
        Moment of the analysis, ISO 8601 with a zone; now when empty.
    n_leads, random_state
        Of the simulation.

    Returns
    -------
    ExperimentReport

    Raises
    ------
    SpecError
        If only one of design and data is given, or a file is malformed.
    DataError
        If the data do not fit the design.

    Examples
    --------
    >>> found = read_experiment(n_leads=3000)
    >>> found.truth is not None, found.monitoring.looks
    (True, 28)
    """
    if bool(str(design_path)) != bool(str(data_path)):
        raise SpecError(
            "only one of design and data is given",
            expected="both, or neither for a simulated experiment",
            fix="pass the other one",
        )
    moment = _moment(as_of)
    if not str(design_path):
        found = simulate(n_leads=n_leads, random_state=random_state)
        design = found.design()
        analysis = analyse(design, found.leads, as_of=moment, arm="strategy")
        course = monitor(design, found.leads, as_of=moment, arm="strategy")
        source = f"simulated: {n_leads:,} leads, seed {random_state}"
        policy = learn_policy(found.leads, features=("segment", "engagement"), groups="agent_id")
        return ExperimentReport(analysis, course, found.truth, source, policy)
    design = read_design(design_path)
    data = open_data(data_path, design, rows_per_cluster=rows_per_cluster)
    registration = read_registration(registration_path) if str(registration_path) else None
    analysis = analyse(
        design, data, registration=registration, as_of=moment, arm=arm, exposed_at=exposed_at
    )
    with open_units(design, data, as_of=moment, arm=arm, exposed_at=exposed_at) as units:
        timed = units.exposed_at is not None
    followed = (
        monitor(design, data, as_of=moment, arm=arm, exposed_at=exposed_at) if timed else None
    )
    return ExperimentReport(analysis, followed, None, Path(data_path).name)


def _moment(as_of: str) -> datetime:
    if not as_of:
        return datetime.now(UTC)
    moment: datetime | None
    try:
        moment = datetime.fromisoformat(as_of)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise SpecError(
            f"as_of is {as_of!r}",
            expected="a moment with a zone, for example 2026-03-01T00:00:00+00:00",
            fix="correct it",
        )
    return moment
