"""From files to the report of an experiment: what its notebook does."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from workbench.abtest.analysis import analyse
from workbench.abtest.attribution import attribute
from workbench.abtest.design import read_design
from workbench.abtest.monitor import monitor
from workbench.abtest.policy import learn_policy
from workbench.abtest.registration import read_registration
from workbench.abtest.report import ExperimentReport
from workbench.abtest.report_files import open_data
from workbench.abtest.report_worth import (
    ArmCosts,
    arm_returns,
    given_costs,
    ledger_costs,
    read_attribution,
)
from workbench.abtest.results import Analysis
from workbench.abtest.simulate import simulate
from workbench.abtest.simulate_touches import simulate_touches
from workbench.abtest.source import open_units
from workbench.errors import SpecError

__all__ = ["read_experiment"]


def read_experiment(
    design_path: str | Path = "",
    data_path: str | Path = "",
    *,
    arm: str = "arm",
    exposed_at: str = "exposed_at",
    registration_path: str | Path = "",
    as_of: str = "",
    touches_path: str | Path = "",
    costs: Sequence[str] = (),
    ledger_path: str | Path = "",
    follow: bool = True,
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
    registration_path
        The design as it was registered.
    as_of
        Moment of the analysis, ISO 8601 with a zone; now when empty.
    touches_path
        Touches of the units (see `report_worth.read_attribution`): what each strategy brought is
        attributed then.
    costs
        What one more unit of an arm costs, ``ARM=USD``; with them, or the ledger, what arms
        return is reported.
    ledger_path
        The answer store whose ledger says what the arms cost.
    follow
        Whether to follow the experiment over time, too.
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
        drawn = simulate_touches(n_leads=min(n_leads, 20_000), random_state=random_state)
        touched = attribute(
            drawn.leads, drawn.touches, covariates=["engagement"], groups="agent_id"
        )
        booked = given_costs(design, [f"{arm}=2" for arm in design.treatments])
        return ExperimentReport(
            analysis, course, found.truth, source, policy, touched,
            arm_returns(analysis, booked), "made up: 2 USD a lead",
        )  # fmt: skip
    design = read_design(design_path)
    data = open_data(data_path)
    registration = read_registration(registration_path) if str(registration_path) else None
    analysis = analyse(
        design, data, registration=registration, as_of=moment, arm=arm, exposed_at=exposed_at
    )
    with open_units(design, data, as_of=moment, arm=arm, exposed_at=exposed_at) as units:
        timed = units.exposed_at is not None
    followed = None
    if timed and follow:
        followed = monitor(design, data, as_of=moment, arm=arm, exposed_at=exposed_at)
    credited = read_attribution(design, data, touches_path) if str(touches_path) else None
    given = _costs(analysis, costs, ledger_path)
    return ExperimentReport(
        analysis, followed, None, Path(data_path).name, None, credited,
        () if given is None else arm_returns(analysis, given),
        "" if given is None else given.source,
    )  # fmt: skip


def _costs(analysis: Analysis, costs: Sequence[str], ledger: str | Path) -> ArmCosts | None:
    if costs and str(ledger):
        raise SpecError(
            "costs are given and to be read from the ledger, too",
            expected="one of the two",
            fix="leave one out",
        )
    if str(ledger):
        return ledger_costs(analysis, ledger)
    return given_costs(analysis.design, costs) if costs else None


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
