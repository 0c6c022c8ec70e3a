"""What goes wrong when one peeks, ignores clusters or breaks randomisation, in figures.

Each function plays many experiments in which the truth is known, and counts.
"""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from workbench.stats import (
    asymptotic_confidence_sequence,
    compare_cluster_totals,
    msprt,
    proportion_interval,
    spending_boundary,
)

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "Mistakes",
    "Rate",
    "broken_randomisation",
    "ignored_clusters",
    "peeking",
    "simulate_mistakes",
]

Vector = NDArray[np.float64]
_ALARM = 0.001  # the usual level of a sample-ratio check
_SOUND = "sound randomisation"


class Rate(NamedTuple):
    """How often something happened in simulated experiments.

    Attributes
    ----------
    situation, method
        What was simulated, and what was done with it.
    event
        What is counted.
    rate, ci_lower, ci_upper
        Share of the experiments, with its Wilson interval.
    nominal
        What it ought to be; NaN where there is no such figure.
    n
        Experiments.
    """

    situation: str
    method: str
    event: str
    rate: float
    ci_lower: float
    ci_upper: float
    nominal: float
    n: int


@dataclass(frozen=True, slots=True)
class Mistakes:
    """Error rates of right and wrong methods, all measured by simulation.

    Parameters
    ----------
    rates
        The rows.
    """

    rates: tuple[Rate, ...]

    def to_frame(self) -> "pd.DataFrame":
        """One row a situation and method."""
        import pandas as pd

        return pd.DataFrame(self.rates)

    def _repr_html_(self) -> str:
        import pandas as pd

        shown = [
            {
                "Situation": r.situation,
                "Method": r.method,
                "Counted": r.event,
                "Share of experiments": f"{r.rate:.1%} [{r.ci_lower:.1%}, {r.ci_upper:.1%}]",
                "Ought to be": "–" if math.isnan(r.nominal) else f"{r.nominal:.1%}",
            }
            for r in self.rates
        ]
        n = sorted({r.n for r in self.rates})
        return (
            f"<p><b>Simulated</b>, {n[0]:,} to {n[-1]:,} experiments a row; brackets are Wilson "
            f"95 % intervals.</p><div class='scroll'>"
            f"{pd.DataFrame(shown).to_html(index=False, border=0, classes='wb words')}</div>"
        )


def simulate_mistakes(*, n_studies: int = 2_000, random_state: int = 0) -> Mistakes:
    """Measure all of them.

    Parameters
    ----------
    n_studies
        Experiments a row, ≥ 10; clusters take a quarter of them.
    random_state
        Seed.

    Returns
    -------
    Mistakes

    Examples
    --------
    >>> found = simulate_mistakes(n_studies=100)
    >>> found.to_frame().groupby("situation", sort=False).size().tolist()
    [5, 2, 2, 3, 3, 3]
    """
    return Mistakes(
        (
            *peeking(n_studies=n_studies, random_state=random_state),
            *ignored_clusters(n_studies=max(n_studies // 4, 10), random_state=random_state),
            *broken_randomisation(n_studies=n_studies, random_state=random_state),
        )
    )


def peeking(
    *,
    n_studies: int = 2_000,
    n_looks: int = 20,
    n_per_look: int = 1_000,
    baseline: float = 0.04,
    random_state: int = 0,
) -> tuple[Rate, ...]:
    """Look at A/A tests again and again; count how often a difference is ever "significant".

    Parameters
    ----------
    n_studies
        Experiments.
    n_looks
        Looks, equally spaced.
    n_per_look
        Leads that are new at each look, both arms together.
    baseline
        Share that converts in both arms.
    random_state
        Seed.

    Returns
    -------
    tuple[Rate, ...]
        Of a z-test at each look, at the last look only, the O'Brien-Fleming boundary, the
        mixture SPRT and the asymptotic confidence sequence.

    References
    ----------
    Armitage, McPherson & Rowe (1969), JRSS A 132:235-244: 24.8 % at 20 looks.

    Examples
    --------
    >>> [rate.method for rate in peeking(n_studies=10)][0]
    'z-test at each of 20 looks'
    """
    rng = np.random.default_rng(random_state)
    arms = rng.binomial(n_per_look // 2, baseline, (2, n_studies, n_looks)).cumsum(axis=2)
    looks = np.arange(1, n_looks + 1)
    n = looks * (n_per_look // 2)
    p = arms / n
    gap, error = p[1] - p[0], np.sqrt((p * (1 - p) / n).sum(axis=0))
    z = np.abs(gap) / np.where(error > 0, error, np.inf)
    plain = -float(special.ndtri(0.025))
    # Both are tuned beforehand: for the middle of the experiment, and a lift of a fifth.
    sequence = asymptotic_confidence_sequence(gap, error, 2 * n, n_opt=float(n[-1]))
    mixture = msprt(gap, error, tau=0.2 * baseline)
    bound = spending_boundary(looks / n_looks)
    found = {
        f"z-test at each of {n_looks} looks": z > plain,
        "z-test at the last look only": z[:, -1:] > plain,
        "O'Brien-Fleming boundary": z > bound,
        "mixture SPRT": mixture.pvalue <= 0.05,
        "asymptotic confidence sequence": sequence.pvalue <= 0.05,
    }
    situation = f"A/A test looked at {n_looks} times"
    return tuple(
        _rate(situation, name, "false alarms", hit.any(axis=1), 0.05) for name, hit in found.items()
    )


def ignored_clusters(
    *,
    n_studies: int = 500,
    n_agents: int = 60,
    leads_per_agent: float = 60.0,
    size_cv: float = 0.6,
    baseline: float = 0.04,
    log_odds_ratio: float = 0.2,
    agent_sd: float = 0.5,
    random_state: int = 0,
) -> tuple[Rate, ...]:
    """Give whole agents a strategy; count how often intervals cover the true effect.

    Parameters
    ----------
    n_studies
        Experiments.
    n_agents
        Agents, half of them treated.
    leads_per_agent, size_cv
        Mean number of leads of an agent, and its coefficient of variation.
    baseline
        Share that converts with the average agent.
    log_odds_ratio
        Effect of the strategy.
    agent_sd
        Standard deviation of the agents in log-odds.
    random_state
        Seed.

    Returns
    -------
    tuple[Rate, ...]
        Coverage of the interval that takes leads as independent, and of CR2 by agent, each for
        no effect and for the effect given.

    Examples
    --------
    >>> [rate.nominal for rate in ignored_clusters(n_studies=10)]
    [0.95, 0.95, 0.95, 0.95]
    """
    rng = np.random.default_rng(random_state)
    treated = np.arange(n_agents) % 2
    base = float(special.logit(baseline))
    z = -float(special.ndtri(0.025))
    out = []
    for effect in (0.0, log_odds_ratio):
        truth = _population(base + effect, agent_sd) - _population(base, agent_sd)
        naive, robust = np.zeros((2, n_studies), dtype=bool)
        for study in range(n_studies):
            size = 1 + rng.poisson(
                rng.gamma(1 / size_cv**2, size_cv**2 * leads_per_agent, n_agents)
            )
            shift = rng.normal(scale=agent_sd, size=n_agents)
            hits = rng.binomial(size, special.expit(base + shift + effect * treated))
            n = np.bincount(treated, size)
            p = np.bincount(treated, hits) / n
            error = math.sqrt(float((p * (1 - p) / n).sum()))
            naive[study] = abs(p[1] - p[0] - truth) <= z * error
            found = compare_cluster_totals(
                np.arange(n_agents), treated, size, hits, n=(int(n[0]), int(n[1]))
            )
            robust[study] = found.ci_lower <= truth <= found.ci_upper
        situation = f"whole agents assigned, {'no' if effect == 0 else 'real'} effect"
        out += [
            _rate(situation, "leads as independent", "covers", naive, 0.95),
            _rate(situation, "CR2 by agent", "covers", robust, 0.95),
        ]
    return tuple(out)


def broken_randomisation(
    *,
    n_studies: int = 2_000,
    n_leads: int = 40_000,
    lost: float = 0.1,
    lean: float = 0.03,
    random_state: int = 0,
) -> tuple[Rate, ...]:
    """Break A/A tests in two ways; count what notices, and what is believed.

    Half of the leads are keen; 6 % of them convert, and 2 % of the others.

    Parameters
    ----------
    n_studies
        Experiments.
    n_leads
        Leads in both arms.
    lost
        Share of the treatment's leads that are not keen and are never recorded.
    lean
        By how much keen leads are likelier to be treated, and others less likely, as when
        an earlier experiment's salt is used again. Counts of the arms stay even.
    random_state
        Seed.

    Returns
    -------
    tuple[Rate, ...]
        Alarms of the sample-ratio check, of the comparison of what was known before, and false
        effects.

    References
    ----------
    Fabijan et al. (2019), KDD, "Diagnosing sample ratio mismatch in online controlled
    experiments".

    Examples
    --------
    >>> len(broken_randomisation(n_studies=10))
    9
    """
    rng = np.random.default_rng(random_state)
    chance = np.array([0.02, 0.06])  # not keen, keen
    out: list[Rate] = []
    for situation, keep, towards in (
        (_SOUND, (1.0, 1.0), 0.0),
        ("leads of one arm lost", (1.0 - lost, 1.0), 0.0),
        ("arms lean on keenness", (1.0, 1.0), lean),
    ):
        keen = rng.binomial(n_leads, 0.5, n_studies)
        kinds = np.stack([n_leads - keen, keen])
        share = np.array([0.5 - towards, 0.5 + towards])[:, None]
        treated = rng.binomial(kinds, share)
        counts = np.stack([kinds - treated, rng.binomial(treated, np.array(keep)[:, None])])
        hits = rng.binomial(counts, chance[None, :, None]).sum(axis=1)
        n = counts.sum(axis=1)
        uneven = special.chdtrc(1, ((n - n.mean(axis=0)) ** 2 / n.mean(axis=0)).sum(axis=0))
        # Of an alarm that is right there is no level it ought to have.
        level = _ALARM if situation == _SOUND else math.nan
        before = _z_pvalue(counts[:, 1], n) < _ALARM
        effects = _z_pvalue(hits, n) < 0.05
        out += [
            _rate(situation, "sample-ratio check", "alarms", uneven < _ALARM, level),
            _rate(situation, "keenness before, by arm", "alarms", before, level),
            _rate(situation, "z-test of conversion", "false effects", effects, 0.05),
        ]
    return tuple(out)


def _z_pvalue(hits: NDArray[np.int64], n: NDArray[np.int64]) -> Vector:
    """Two-sided p-value of two proportions, shape (2, studies) each."""
    p, pooled = hits / n, hits.sum(axis=0) / n.sum(axis=0)
    error = np.sqrt(pooled * (1 - pooled) * (1 / n).sum(axis=0))
    return np.asarray(2 * special.ndtr(-np.abs(p[1] - p[0]) / error))


def _population(log_odds: float, sd: float) -> float:
    """Mean chance over normally distributed agents, by Gauss-Hermite quadrature."""
    x, w = np.polynomial.hermite_e.hermegauss(60)
    return float(special.expit(log_odds + sd * x) @ w / w.sum())


def _rate(situation: str, method: str, event: str, hit: ArrayLike, nominal: float) -> Rate:
    hits = np.asarray(hit, dtype=bool)
    found = proportion_interval(int(hits.sum()), hits.size)
    return Rate(
        situation, method, event, found.estimate, found.ci_lower, found.ci_upper, nominal, hits.size
    )
