"""Leads that are coached more than once, with the credit of each strategy known."""

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import special

from workbench.abtest.design import STRATEGIES
from workbench.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Touches", "simulate_touches"]

# Effects in log-odds of having met a strategy at all, in the order of `STRATEGIES`.
_EFFECTS = (0.1, 0.3, 0.0, 0.5, 0.2)


class Touches(NamedTuple):
    """Coached leads and what is true of them.

    Attributes
    ----------
    leads : pandas.DataFrame
        `lead_id`, `agent_id`, `engagement`, `converted`.
    touches : pandas.DataFrame
        `lead_id`, `nth` (from 1), `strategy`.
    incremental
        Conversions each strategy really brought: expected conversions less those without its
        touches, by strategy.
    """

    leads: "pd.DataFrame"
    touches: "pd.DataFrame"
    incremental: dict[str, float]


def simulate_touches(
    *,
    n_leads: int = 20_000,
    n_agents: int = 200,
    baseline: float = 0.03,
    confounding: float = 0.8,
    random_state: int = 0,
) -> Touches:
    """Draw leads with one to four touches each.

    Keen leads are pushed: they get the assertive touch, which does nothing, more often and as the
    last one. Whoever credits the last touch, or compares without adjusting, credits it for them.

    Parameters
    ----------
    n_leads, n_agents
        How many.
    baseline
        Share of average leads that convert without any touch.
    confounding
        How much keenness decides who gets the assertive touch, in log-odds a standard deviation.
    random_state
        Seed.

    Raises
    ------
    DataError
        If there are fewer than 10 leads.

    Examples
    --------
    >>> found = simulate_touches(n_leads=1000)
    >>> found.incremental["assertive"], int(found.touches["nth"].max()) <= 5
    (0.0, True)
    """
    import pandas as pd

    if n_leads < 10:
        raise DataError(f"n_leads is {n_leads}", expected="10 or more", fix="simulate more")
    rng = np.random.default_rng(random_state)
    k, pushed = len(STRATEGIES), STRATEGIES.index("assertive")
    engagement = rng.normal(size=n_leads)
    agent = rng.integers(n_agents, size=n_leads)
    by_agent = rng.normal(scale=0.3, size=n_agents)[agent]
    met = rng.random((n_leads, k)) < np.array([0.45, 0.35, 0.0, 0.3, 0.4])
    met[:, pushed] = rng.random(n_leads) < special.expit(-0.7 + confounding * engagement)
    effects = np.array(_EFFECTS)
    base = special.logit(baseline) + engagement + by_agent
    score = base + met @ effects
    converted = rng.random(n_leads) < special.expit(score)
    lost = {name: _brought(score, effects[at] * met[:, at]) for at, name in enumerate(STRATEGIES)}
    lead, strategy = np.nonzero(met)
    # The pushed touch comes last, the others in any order.
    when = np.where(strategy == pushed, 2.0, rng.random(lead.size))
    order = np.lexsort((when, lead))
    lead, strategy = lead[order], strategy[order]
    nth = 1 + np.arange(lead.size) - np.searchsorted(lead, lead, side="left")
    leads = pd.DataFrame(
        {"lead_id": np.arange(n_leads), "agent_id": agent, "engagement": engagement,
         "converted": converted.astype(int)}
    )  # fmt: skip
    touches = pd.DataFrame(
        {"lead_id": lead, "nth": nth, "strategy": np.array(STRATEGIES)[strategy]}
    )
    return Touches(leads, touches, lost)


def _brought(score: NDArray[np.float64], part: NDArray[np.float64]) -> float:
    return float((special.expit(score) - special.expit(score - part)).sum())
