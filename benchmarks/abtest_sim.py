"""What the experiment platform holds and finds in worlds whose truth is known.

Error rates under peeking, coverage with and without clusters, alarms when randomisation
breaks, attribution and learned policies against planted effects, sentences whose figures were
changed, and what it all costs in time.
"""

import re
import time
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import numpy as np

from benchmarks.console import say
from benchmarks.figure import Figure, median_of, result
from workbench.abtest.analysis import analyse
from workbench.abtest.attribution import attribute
from workbench.abtest.insights import check_insight, insights
from workbench.abtest.monitor import monitor
from workbench.abtest.policy import learn_policy
from workbench.abtest.simulate import simulate
from workbench.abtest.simulate_mistakes import Rate, simulate_mistakes
from workbench.abtest.simulate_touches import simulate_touches
from workbench.stats import proportion_interval

__all__ = ["main"]

_STUDIES, _DRAWS, _LEADS = 10_000, 60, 1_000_000
_AS_OF = datetime(2026, 1, 1, tzinfo=UTC)


def _share(
    what: str, hits: int, n: int, at_most: float | None = None, at_least: float | None = None
) -> Figure:
    found = proportion_interval(hits, n)
    return Figure(
        what, hits / n, n, "", spread=(found.ci_lower, found.ci_upper),
        spread_kind="Wilson 95 %", at_most=at_most, at_least=at_least,
    )  # fmt: skip


def _mistake(rate: Rate) -> Figure:
    at_most = at_least = None
    if rate.method in ("mixture SPRT", "asymptotic confidence sequence"):
        at_most = 0.05
    elif rate.method == "CR2 by agent":
        at_least = 0.94
    return Figure(
        f"{rate.situation}; {rate.method}: {rate.event}", rate.rate, rate.n, "",
        spread=(rate.ci_lower, rate.ci_upper), spread_kind="Wilson 95 %", at_most=at_most,
        at_least=at_least,
    )  # fmt: skip


def _attribution() -> Iterable[Figure]:
    covered, n = 0, 0
    errors: dict[str, list[float]] = {"last_touch": [], "shapley": [], "unadjusted": [], "aipw": []}
    for seed in range(_DRAWS):
        drawn = simulate_touches(n_leads=8000, random_state=seed)
        for c in attribute(
            drawn.leads, drawn.touches, covariates=["engagement"], groups="agent_id"
        ).credits:
            truth = drawn.incremental[c.strategy]
            covered, n = covered + (c.ci_lower <= truth <= c.ci_upper), n + 1
            for name, values in errors.items():
                values.append(getattr(c, name) - truth)
    yield _share("attribution: AIPW intervals that cover", covered, n, at_least=0.92)
    for name, values in errors.items():
        yield Figure(
            f"attribution: root mean square error of {name}",
            float(np.sqrt(np.mean(np.square(values)))), n, "conversions",
        )  # fmt: skip


def _policies() -> Iterable[Figure]:
    gained, covered, n = [], 0, 12
    for seed in range(n):
        found = simulate(n_leads=60_000, assigned="policy", random_state=seed)
        report = learn_policy(found.leads, features=["segment", "engagement"], groups="agent_id",
                              random_state=seed)  # fmt: skip
        order = np.array([found.truth.strategies.index(s) for s in report.policy.strategies])
        true = found.truth.value(order[report.policy.choose(found.leads)])
        single = max(found.truth.mean(s) for s in found.truth.strategies)
        oracle = found.truth.value(found.truth.rolled_out.argmax(axis=1).astype(np.intp))
        gained.append((true - single) / (oracle - single))
        value = report.value("learned", "dr")
        covered += value.ci_lower <= true <= value.ci_upper
    yield median_of("policy: share of the oracle's gain over the truly best single", gained, "")
    yield _share("policy: DR intervals that cover the true value", covered, n)


def _sentences() -> Iterable[Figure]:
    found = simulate(n_leads=100_000, random_state=1)
    analysis = analyse(found.design(), found.leads, as_of=_AS_OF, arm="strategy")
    caught, tried = 0, 0
    for insight in insights(analysis):
        for place in (m.start() for m in re.finditer(r"\d", insight.sentence)):
            for digit in "0123456789".replace(insight.sentence[place], ""):
                changed = insight.sentence[:place] + digit + insight.sentence[place + 1 :]
                caught += bool(check_insight(insight._replace(sentence=changed), analysis))
                tried += 1
    yield _share("insights: changed digits that were caught", caught, tried, at_least=1.0)


def _times() -> Iterable[Figure]:
    simulated, watched = [], []
    for seed in range(3):
        started = time.process_time()
        found = simulate(n_leads=_LEADS, random_state=seed)
        simulated.append(time.process_time() - started)
        design = found.design()
        started = time.process_time()
        monitor(design, found.leads, as_of=_AS_OF, arm="strategy")
        watched.append(time.process_time() - started)
    yield median_of("CPU time to simulate 1,000,000 leads", simulated, "s", below=5)
    yield median_of(
        "CPU time to monitor them: 28 looks × 4 arms × 4 metrics, by agent", watched, "s", below=10
    )


def main() -> dict[str, Any]:
    figures: list[Figure] = []
    say("right and wrong methods")
    figures += [_mistake(rate) for rate in simulate_mistakes(n_studies=_STUDIES).rates]
    for what, measure in (
        ("attribution", _attribution), ("policies", _policies), ("sentences", _sentences),
        ("times", _times),
    ):  # fmt: skip
        say(what)
        figures += measure()
    return result(figures, studies=_STUDIES, draws=_DRAWS)
