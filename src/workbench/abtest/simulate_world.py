"""A brokerage in which the effect of every coaching strategy is known, and what is drawn there."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from workbench.abtest.design import Design
from workbench.abtest.events import Exposure, Outcome
from workbench.errors import SpecError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["START", "Simulation", "Truth", "World"]

START = datetime(2025, 1, 6, tzinfo=UTC)
"""When every simulated experiment starts."""

_SHARES = MappingProxyType({"first_time": 0.5, "luxury": 0.2, "commercial": 0.3})
_EFFECTS = MappingProxyType(
    {
        "empathetic": MappingProxyType({"first_time": 0.0, "luxury": 0.0, "commercial": 0.0}),
        "analytical": MappingProxyType({"first_time": -0.1, "luxury": 0.0, "commercial": 0.35}),
        "assertive": MappingProxyType({"first_time": -0.35, "luxury": 0.1, "commercial": 0.1}),
        "consultative": MappingProxyType({"first_time": 0.15, "luxury": 0.15, "commercial": 0.15}),
        "relationship": MappingProxyType({"first_time": 0.1, "luxury": 0.45, "commercial": -0.1}),
    }
)
_COMPLAINTS = MappingProxyType({"assertive": 0.7, "analytical": 0.1})


@dataclass(frozen=True, slots=True)
class World:
    """What is true, in log-odds unless it says otherwise.

    Parameters
    ----------
    n_agents, agents_per_brokerage
        How many agents, and how many of them share a brokerage.
    baseline
        Share of leads that convert under the first strategy.
    segments
        Share of each kind of lead; they add up to 1.
    effects
        Effect of each strategy in each segment, against none.
    complaints
        Effect of a strategy on the odds of a complaint; none when it is left out.
    complaint_rate
        Share of leads that complain under a strategy without such an effect.
    engagement
        What one standard deviation of a lead's engagement, which is seen beforehand, adds.
    agent_sd, brokerage_sd
        Standard deviation of what agents and brokerages differ by.
    size_cv
        Standard deviation of the leads an agent has, over their mean.
    compliance
        Share of leads whose agent does what was assigned; the others get the agent's habit.
    carry_over
        Share of the effect of the strategy of the agent's previous lead that is still there.
    interference
        Share of the mean effect of the strategies of the agent's other leads that spills over.
    novelty, novelty_days
        Extra share of each effect on the first day, and the days in which it falls by e.
    duration_days
        Exposures are spread evenly over so many days.
    delay_days
        Mean of the exponential time until a lead that converts has converted.
    commission_usd
        Mean commission of a conversion.

    Raises
    ------
    SpecError
        When a share is out of range, or effects do not cover the segments.
    """

    n_agents: int = 300
    agents_per_brokerage: int = 15
    baseline: float = 0.04
    segments: Mapping[str, float] = field(default_factory=lambda: _SHARES)
    effects: Mapping[str, Mapping[str, float]] = field(default_factory=lambda: _EFFECTS)
    complaints: Mapping[str, float] = field(default_factory=lambda: _COMPLAINTS)
    complaint_rate: float = 0.01
    engagement: float = 0.6
    agent_sd: float = 0.35
    brokerage_sd: float = 0.15
    size_cv: float = 0.6
    compliance: float = 1.0
    carry_over: float = 0.0
    interference: float = 0.0
    novelty: float = 0.0
    novelty_days: float = 7.0
    duration_days: float = 28.0
    delay_days: float = 10.0
    commission_usd: float = 9_000.0

    def __post_init__(self) -> None:
        """Refuse worlds that cannot be."""
        shares = {
            "baseline": self.baseline,
            "complaint_rate": self.complaint_rate,
            "compliance": self.compliance,
        }
        for name, share in shares.items():
            if not 0 < share <= 1 or (name == "baseline" and share == 1):
                raise SpecError(f"{name} is {share}", expected="a share above 0", fix="correct it")
        for name in ("carry_over", "interference", "novelty", "agent_sd", "brokerage_sd"):
            if not getattr(self, name) >= 0:
                raise SpecError(
                    f"{name} is {getattr(self, name)}", expected="a number ≥ 0", fix="correct it"
                )
        if self.n_agents < 2 or abs(sum(self.segments.values()) - 1) > 1e-9:
            raise SpecError(
                f"{self.n_agents} agents, segments with shares {dict(self.segments)}",
                expected="two agents or more, and shares that add up to 1",
                fix="correct the world",
            )
        for strategy, found in self.effects.items():
            if set(found) != set(self.segments):
                raise SpecError(
                    f"{strategy!r} has effects in {sorted(found)}",
                    expected=f"one in each of {sorted(self.segments)}",
                    fix="name every segment",
                )

    @property
    def strategies(self) -> tuple[str, ...]:
        """The strategies, in the order of `effects`."""
        return tuple(self.effects)

    def without_effects(self) -> "World":
        """The same world in which no strategy does anything: for A/A tests."""
        nothing = {name: dict.fromkeys(self.segments, 0.0) for name in self.effects}
        return replace(self, effects=nothing, complaints={})


class Truth(NamedTuple):
    """What would have happened to each lead under each strategy.

    Attributes
    ----------
    strategies
        Names of the k columns.
    segment
        Segment of each lead, shape (n,).
    rolled_out
        Chance that the lead converts if everybody always got the strategy (novelty worn off,
        everyone complies), shape (n, k): what a decision to roll out is about.
    as_run
        Chance if this lead alone had been assigned the strategy, with the compliance, novelty
        and neighbours of the experiment as it was run, shape (n, k): what the experiment measures.
    rolled_out_complaint
        As `rolled_out`, for complaints.
    icc
        Intraclass correlation of conversion within agents under the first strategy.
    """

    strategies: tuple[str, ...]
    segment: NDArray[np.str_]
    rolled_out: NDArray[np.float32]
    as_run: NDArray[np.float32]
    rolled_out_complaint: NDArray[np.float32]
    icc: float

    def mean(self, strategy: str, *, of: Literal["rolled_out", "as_run"] = "rolled_out") -> float:
        """Share of all leads that converts under a strategy."""
        table = self.rolled_out if of == "rolled_out" else self.as_run
        return float(table[:, self.strategies.index(strategy)].mean(dtype=np.float64))

    def effect(
        self,
        treatment: str,
        control: str,
        *,
        segment: str | None = None,
        of: Literal["rolled_out", "as_run"] = "rolled_out",
    ) -> float:
        """True difference of two strategies, over all leads or one segment.

        Parameters
        ----------
        treatment, control
            The strategies.
        segment
            Of these leads only.
        of
            The estimand, see the attributes.
        """
        table = self.rolled_out if of == "rolled_out" else self.as_run
        a, b = (self.strategies.index(name) for name in (treatment, control))
        gap = table[:, a].astype(np.float64) - table[:, b]
        return float(gap.mean() if segment is None else gap[self.segment == segment].mean())

    def value(self, chosen: NDArray[np.intp]) -> float:
        """Share that converts when lead i gets strategy number ``chosen[i]``."""
        return float(self.rolled_out[np.arange(chosen.size), chosen].mean(dtype=np.float64))

    def to_frame(self) -> "pd.DataFrame":
        """One row a strategy and segment: true rates and effects against the first strategy."""
        import pandas as pd

        rows = []
        for segment in (None, *np.unique(self.segment).tolist()):
            inside = slice(None) if segment is None else self.segment == segment
            for k, strategy in enumerate(self.strategies):
                rate = self.rolled_out[inside, k].mean(dtype=np.float64)
                first = self.rolled_out[inside, 0].mean(dtype=np.float64)
                rows.append((strategy, segment or "all", float(rate), float(rate - first)))
        return pd.DataFrame(rows, columns=["strategy", "segment", "rate", "effect"])


@dataclass(frozen=True, slots=True, eq=False)
class Simulation:
    """An experiment as its owner sees it, and the truth beside it.

    Parameters
    ----------
    leads : pandas.DataFrame
        One row a lead, in order of exposure: `lead_id`, `agent_id`, `brokerage_id`, `segment`,
        `engagement`, `visits_before`, `exposed_at`, `day`, `strategy` (assigned), `propensity`
        (NaN where the agent chose), `delivered`, `converted` (0/1 for ever), `converted_at`
        (NaT without), `complained`, `showings`, `revenue_usd`.
    truth
        What nobody sees.
    world
        What it was drawn from.
    """

    leads: "pd.DataFrame"
    truth: Truth
    world: World

    def known_at(self, day: float) -> "pd.DataFrame":
        """Leads exposed up to a day, with the conversions known by then and no later ones.

        Parameters
        ----------
        day
            Days since the start.
        """
        import pandas as pd

        seen = self.leads[self.leads["day"] <= day].copy()
        until = pd.Timestamp(START) + pd.Timedelta(days=day)
        late = ~(seen["converted_at"] <= until).to_numpy()
        seen.loc[late, ["converted", "revenue_usd"]] = 0
        seen.loc[late, "converted_at"] = pd.NaT
        return seen

    def design(self, *, planned_units: int | None = None) -> Design:
        """The design such an experiment would have: its metrics, arms, agents, segments.

        Parameters
        ----------
        planned_units
            Units at which it ends; the leads there are when omitted.
        """
        whole = bool(
            (self.leads.groupby("agent_id", observed=True)["strategy"].nunique() == 1).all()
        )
        arms = self.leads["strategy"].value_counts()
        return Design.model_validate(
            {
                "name": "simulated-coaching",
                "description": "Which coaching strategy makes leads convert? Simulated leads.",
                "arms": {name: 1 for name in self.truth.strategies if arms[name]},
                "cluster": {"column": "agent_id", "randomised": whole, "icc": self.truth.icc},
                "metrics": {
                    "converted": {"kind": "proportion", "role": "primary",
                                  "baseline": self.world.baseline, "mde": 0.01},
                    "showings": {"kind": "count", "role": "secondary"},
                    "revenue_usd": {"kind": "mean", "role": "secondary", "usd": 1.0},
                    "complained": {"kind": "proportion", "role": "guardrail", "margin": 0.005,
                                   "higher_is_better": False},
                },
                "covariates": ["visits_before"],
                "segments": ["segment"],
                "sequential": {"kind": "always_valid"},
                "planned_units": planned_units or len(self.leads),
            }
        )  # fmt: skip

    def exposures(self, experiment: str) -> Iterator[Exposure]:
        """Give the exposures as an event store takes them.

        Parameters
        ----------
        experiment
            Name of the experiment.
        """
        columns = ["lead_id", "strategy", "exposed_at", "agent_id", "propensity", "segment",
                   "engagement", "visits_before"]  # fmt: skip
        for lead, arm, at, agent, p, segment, engagement, visits in self.leads[columns].itertuples(
            index=False
        ):
            known = {"segment": segment, "engagement": engagement, "visits_before": float(visits)}
            yield Exposure(
                f"exposed-{lead}", experiment, f"lead-{lead}", arm, at.to_pydatetime(), agent,
                None if np.isnan(p) else p, known,
            )  # fmt: skip

    def outcomes(self) -> Iterator[Outcome]:
        """Give conversions, their revenue, complaints and showings as an event store takes them."""
        columns = ["lead_id", "exposed_at", "converted_at", "revenue_usd", "complained",
                   "showings"]  # fmt: skip
        for lead, at, when, revenue, complained, showings in self.leads[columns].itertuples(
            index=False
        ):
            unit, seen = f"lead-{lead}", at.to_pydatetime()
            if revenue:
                moment = when.to_pydatetime()
                yield Outcome(f"converted-{lead}", unit, "converted", moment)
                yield Outcome(f"revenue-{lead}", unit, "revenue_usd", moment, revenue)
            if complained:
                yield Outcome(f"complained-{lead}", unit, "complained", seen)
            for nth in range(showings):
                yield Outcome(f"showing-{lead}-{nth}", unit, "showings", seen)

    def _repr_html_(self) -> str:
        head = self.leads.head().to_html(index=False)
        return (
            f"<p><b>Simulated</b>: {len(self.leads):,} leads of {self.world.n_agents} agents; "
            f"{self.leads['converted'].mean():.2%} convert.</p>{head}"
        )
