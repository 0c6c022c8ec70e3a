"""Experiments in a brokerage in which the effect of every coaching strategy is known.

What a method finds in the observed leads can be held against the truth, which is kept apart.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, special

from workbench.abtest.simulate_world import START, Simulation, Truth, World
from workbench.errors import DataError, SpecError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Assigned", "simulate"]

Vector = NDArray[np.float64]
Assigned = Literal["lead", "agent", "policy", "habit"]
"""How leads get their strategy: drawn for each lead, drawn for each agent, drawn by a policy
that prefers some strategies for some leads and logs its probabilities, or chosen by the agent
(who does not log them)."""

_DAY_US = 86_400_000_000
_CALIBRATED_ON = 50_000


class _People(NamedTuple):
    agent: NDArray[np.intp]
    segment: NDArray[np.intp]
    engagement: Vector
    day: Vector
    habit: NDArray[np.intp]  # of each lead's agent
    base: Vector  # log-odds without any strategy


def simulate(
    world: World | None = None,
    *,
    n_leads: int = 20_000,
    assigned: Assigned = "lead",
    arms: Mapping[str, float] | None = None,
    random_state: int = 0,
) -> Simulation:
    """Run an experiment in a world.

    Parameters
    ----------
    world
        What is true; the usual brokerage when omitted.
    n_leads
        How many leads are exposed.
    assigned
        How they get their strategy.
    arms
        Weight of each strategy that takes part, for "lead" and "agent"; all evenly when
        omitted.
    random_state
        Seed: the same seed gives the same experiment.

    Returns
    -------
    Simulation

    Raises
    ------
    SpecError
        If an arm is no strategy of the world.
    DataError
        If there are fewer than 10 leads.

    Examples
    --------
    >>> found = simulate(n_leads=2000, random_state=1)
    >>> len(found.leads), round(found.truth.effect("consultative", "empathetic"), 4)
    (2000, 0.006)
    """
    world = world or World()
    if n_leads < 10:
        raise DataError(f"n_leads is {n_leads}", expected="10 or more", fix="simulate more")
    weights = _weights(world, arms)
    rng = np.random.default_rng(random_state)
    people = _people(world, n_leads, rng)
    strategy, propensity = _assignment(world, people, assigned, weights, rng)
    delivered = np.where(rng.random(n_leads) < world.compliance, strategy, people.habit)
    table = _table(world)
    rolled_out, as_run, chance = _chances(world, people, table, delivered)
    complaint = _complaint_chances(world)
    truth = Truth(
        world.strategies,
        np.array(list(world.segments))[people.segment],
        rolled_out,
        as_run,
        np.broadcast_to(complaint.astype(np.float32), (n_leads, complaint.size)),
        _icc(people.base, people.agent),
    )
    columns = _columns(world, people, strategy, propensity, delivered)
    columns |= _outcomes(world, people, chance, complaint[delivered], table, delivered, rng)
    return Simulation(_frame(columns), truth, world)


def _weights(world: World, arms: Mapping[str, float] | None) -> Vector:
    known = world.strategies
    chosen = dict.fromkeys(known, 1.0) if arms is None else dict(arms)
    if set(chosen) - set(known) or not chosen or min(chosen.values()) <= 0:
        raise SpecError(
            f"the arms are {chosen}",
            expected=f"weights above 0 of some of {', '.join(known)}",
            fix="name strategies of the world",
        )
    weights = np.array([chosen.get(name, 0.0) for name in known])
    return np.asarray(weights / weights.sum())


def _table(world: World) -> Vector:
    """Effects, shape (segments, strategies)."""
    return np.array([[world.effects[k][s] for k in world.strategies] for s in world.segments])


def _people(world: World, n: int, rng: np.random.Generator) -> _People:
    size = rng.gamma(1 / max(world.size_cv, 1e-6) ** 2, size=world.n_agents)
    agent = rng.choice(world.n_agents, n, p=size / size.sum())
    segment = rng.choice(len(world.segments), n, p=list(world.segments.values()))
    engagement = rng.normal(size=n)
    brokerage = np.arange(world.n_agents) // world.agents_per_brokerage
    by_agent = rng.normal(scale=world.agent_sd, size=world.n_agents)
    by_agent += rng.normal(scale=world.brokerage_sd, size=brokerage.max() + 1)[brokerage]
    habit = rng.choice(len(world.effects), world.n_agents)
    score = by_agent[agent] + world.engagement * engagement
    first = _table(world)[segment, 0]
    few = slice(_CALIBRATED_ON)
    shift = optimize.brentq(
        lambda a: special.expit(a + (score + first)[few]).mean() - world.baseline, -30, 30
    )
    day = np.sort(rng.random(n)) * world.duration_days
    return _People(agent, segment, engagement, day, habit[agent], score + float(shift))


def _assignment(
    world: World, people: _People, assigned: Assigned, weights: Vector, rng: np.random.Generator
) -> tuple[NDArray[np.intp], Vector]:
    n, k = people.day.size, weights.size
    if assigned == "agent":
        # Dealt, not drawn: arms get their share of agents as exactly as whole agents allow.
        order = np.argsort(rng.random(world.n_agents))
        cut = np.searchsorted(np.cumsum(weights), (order + 0.5) / world.n_agents)
        by_agent = np.minimum(cut, k - 1)
        return by_agent[people.agent], weights[by_agent[people.agent]]
    if assigned == "lead":
        chosen = rng.choice(k, n, p=weights)
        return chosen, weights[chosen]
    if assigned not in ("policy", "habit"):
        raise SpecError(
            f"assigned is {assigned!r}", expected="lead, agent, policy or habit", fix="choose one"
        )
    # Keen leads get the later strategies, and agents follow their habit: confounding.
    lean = np.linspace(-0.5, 0.5, k)
    score = people.engagement[:, None] * lean + 0.8 * (people.habit[:, None] == np.arange(k))
    p = special.softmax(score, axis=1)
    chosen = (p.cumsum(axis=1) < rng.random(n)[:, None]).sum(axis=1)
    chosen = np.minimum(chosen, k - 1)
    logged = p[np.arange(n), chosen]
    return chosen, logged if assigned == "policy" else np.full(n, np.nan)


def _chances(
    world: World, people: _People, table: Vector, delivered: NDArray[np.intp]
) -> tuple[NDArray[np.float32], NDArray[np.float32], Vector]:
    """Rolled-out and as-run chances, shape (n, k) each, and the chance of what was delivered."""
    rows = np.arange(delivered.size)
    effect = table[people.segment]
    wide = 1 + world.carry_over + world.interference
    rolled_out = special.expit(people.base[:, None] + wide * effect)
    got = effect[rows, delivered]
    neighbours = world.interference * _others_mean(got, people.agent)
    neighbours += world.carry_over * _previous(got, people.agent)
    new = 1 + world.novelty * np.exp(-people.day / world.novelty_days)
    alone = special.expit((people.base + neighbours)[:, None] + new[:, None] * effect)
    chance = alone[rows, delivered]
    habitual = alone[rows, people.habit][:, None]
    as_run = world.compliance * alone + (1 - world.compliance) * habitual
    return rolled_out.astype(np.float32), as_run.astype(np.float32), chance


def _others_mean(values: Vector, agent: NDArray[np.intp]) -> Vector:
    """Mean over the other leads of the same agent; 0 where there is none."""
    count = np.bincount(agent)[agent] - 1
    others = np.bincount(agent, values)[agent] - values
    return np.where(count > 0, others / np.maximum(count, 1), 0.0)


def _previous(values: Vector, agent: NDArray[np.intp]) -> Vector:
    """Value of the agent's previous lead (leads are in order of time); 0 for the first."""
    order = np.argsort(agent, kind="stable")
    before = np.concatenate([[0.0], values[order][:-1]])
    before[np.concatenate([[True], np.diff(agent[order]) != 0])] = 0.0
    out = np.empty_like(before)
    out[order] = before
    return out


def _complaint_chances(world: World) -> Vector:
    base = special.logit(world.complaint_rate)
    return np.asarray(
        special.expit([base + world.complaints.get(name, 0.0) for name in world.strategies])
    )


def _icc(base: Vector, agent: NDArray[np.intp]) -> float:
    """Share of the variance of conversion that lies between agents."""
    chance = special.expit(base)
    count = np.bincount(agent)
    kept = count > 0
    mean = np.bincount(agent, chance)[kept] / count[kept]
    rate = float(chance.mean())
    spread = np.average((mean - rate) ** 2, weights=count[kept])
    within = np.average(chance * (1 - chance))
    # What an agent's mean varies by because it has few leads is not between agents.
    noise = np.average(
        np.bincount(agent, (chance - rate) ** 2)[kept] / count[kept] ** 2, weights=count[kept]
    )
    return max(float((spread - noise) / (spread + within)), 0.0)


def _columns(
    world: World,
    people: _People,
    strategy: NDArray[np.intp],
    propensity: Vector,
    delivered: NDArray[np.intp],
) -> dict[str, object]:
    import pandas as pd

    def named(codes: NDArray[np.intp], names: list[str]) -> object:
        return pd.Categorical.from_codes(codes, names)

    agents = [f"agent-{i:04}" for i in range(world.n_agents)]
    brokerage = np.arange(world.n_agents) // world.agents_per_brokerage
    brokerages = [f"brokerage-{i:03}" for i in range(int(brokerage.max()) + 1)]
    n = people.day.size
    return {
        "lead_id": np.arange(1, n + 1),
        "agent_id": named(people.agent, agents),
        "brokerage_id": named(brokerage[people.agent], brokerages),
        "segment": named(people.segment, list(world.segments)),
        "engagement": people.engagement,
        "exposed_at": _moments(people.day),
        "day": people.day,
        "strategy": named(strategy, list(world.strategies)),
        "propensity": propensity,
        "delivered": named(delivered, list(world.strategies)),
    }


def _outcomes(
    world: World,
    people: _People,
    chance: Vector,
    complaint: Vector,
    table: Vector,
    delivered: NDArray[np.intp],
    rng: np.random.Generator,
) -> dict[str, object]:
    n = chance.size
    converted = rng.random(n) < chance
    when = people.day + rng.exponential(world.delay_days, n)
    spread = 0.5
    commission = rng.lognormal(np.log(world.commission_usd) - spread**2 / 2, spread, n)
    keen = np.exp(0.5 * people.engagement)
    effect = table[people.segment, delivered]
    return {
        "visits_before": rng.poisson(3 * keen),
        "converted": converted.astype(np.int64),
        "converted_at": _moments(np.where(converted, when, np.nan)),
        "complained": (rng.random(n) < complaint).astype(np.int64),
        "showings": rng.poisson(1.5 * keen * np.exp(0.4 * effect)),
        "revenue_usd": np.where(converted, commission, 0.0),
    }


def _moments(day: Vector) -> object:
    """Days since the start as times in UTC; NaN becomes NaT."""
    import pandas as pd

    known = np.isfinite(day)
    since = (np.where(known, day, 0) * _DAY_US).astype(np.int64)
    times = np.datetime64(START.replace(tzinfo=None), "us") + since.astype("timedelta64[us]")
    times[~known] = np.datetime64("NaT")
    return pd.DatetimeIndex(times).tz_localize("UTC")


def _frame(columns: dict[str, object]) -> "pd.DataFrame":
    import pandas as pd

    order = [
        "lead_id", "agent_id", "brokerage_id", "segment", "engagement", "visits_before",
        "exposed_at", "day", "strategy", "propensity", "delivered", "converted", "converted_at",
        "complained", "showings", "revenue_usd",
    ]  # fmt: skip
    return pd.DataFrame({name: columns[name] for name in order})
