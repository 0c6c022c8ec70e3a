import itertools
import math

import numpy as np
import pandas as pd
import pytest

from workbench.abtest.attribution import attribute, set_shapley
from workbench.abtest.simulate_touches import Touches, simulate_touches
from workbench.errors import DataError


@pytest.fixture(scope="module")
def found() -> Touches:
    return simulate_touches(n_leads=20_000, random_state=2)


def test_the_last_touch_credits_the_strategy_that_does_nothing(found: Touches) -> None:
    result = attribute(found.leads, found.touches, covariates=["engagement"], groups="agent_id")
    credit = {c.strategy: c for c in result.credits}
    pushed = credit["assertive"]
    assert found.incremental["assertive"] == 0
    assert pushed.last_touch > 0.3 * result.n_converted
    assert pushed.unadjusted > 200
    assert pushed.ci_lower < 0 < pushed.ci_upper
    for name, c in credit.items():
        assert c.ci_lower < found.incremental[name] < c.ci_upper
        assert c.trusted
        assert abs(c.ipw - c.aipw) < c.ci_upper - c.aipw


def test_intervals_cover_what_was_really_brought() -> None:
    """Sixteen sets of leads × five strategies: nearly all intervals cover, without bias."""
    covered, gaps = [], []
    for seed in range(16):
        drawn = simulate_touches(n_leads=4000, random_state=100 + seed)
        for c in attribute(
            drawn.leads, drawn.touches, covariates=["engagement"], groups="agent_id", n_folds=3
        ).credits:
            truth = drawn.incremental[c.strategy]
            covered.append(c.ci_lower <= truth <= c.ci_upper)
            gaps.append((c.aipw - truth) / max(c.ci_upper - c.aipw, 1e-9) * 1.96)
    assert np.mean(covered) >= 0.88
    assert abs(np.mean(gaps)) < 4 / math.sqrt(len(gaps))


def test_rules_share_out_every_conversion_that_was_touched(found: Touches) -> None:
    result = attribute(found.leads, found.touches, covariates=["engagement"])
    touched = result.n_converted - result.n_untouched
    assert sum(c.last_touch for c in result.credits) == touched
    assert sum(c.shapley for c in result.credits) == pytest.approx(touched)


def test_the_closed_form_is_the_shapley_value() -> None:
    """Against the definition: marginal contributions over all orders of the strategies."""
    rng = np.random.default_rng(1)
    y, met = (rng.random(60) < 0.4).astype(float), rng.random((60, 4)) < 0.5

    def worth(coalition: frozenset[int]) -> float:
        inside = [set(np.flatnonzero(row)) <= coalition and row.any() for row in met]
        return float(y[np.array(inside)].sum())

    value = np.zeros(4)
    for order in itertools.permutations(range(4)):
        seen: frozenset[int] = frozenset()
        for player in order:
            value[player] += worth(seen | {player}) - worth(seen)
            seen |= {player}
    assert set_shapley(y, met) == pytest.approx(value / math.factorial(4))


def test_where_nobody_comparable_went_without_it_says_so() -> None:
    drawn = simulate_touches(n_leads=6000, confounding=12.0, random_state=3)
    result = attribute(drawn.leads, drawn.touches, covariates=["engagement"])
    credit = {c.strategy: c for c in result.credits}["assertive"]
    assert not credit.trusted
    assert credit.no_overlap > 0.5
    assert any("assertive brought cannot be told" in text for text in result.sentences())


def test_it_tells_people_and_machines(found: Touches) -> None:
    result = attribute(found.leads, found.touches, covariates=["engagement"])
    assert list(result.to_frame()["strategy"]) == sorted(found.incremental)
    assert "the last touch would credit it with" in result.sentences()[0]
    assert result.sentences()[0] in result._repr_html_()


def test_wrong_tables_are_refused(found: Touches) -> None:
    leads, touches = found.leads.head(500), found.touches[found.touches["lead_id"] < 500]

    def refused(words: str, leads: pd.DataFrame, touches: pd.DataFrame) -> None:
        with pytest.raises(DataError, match=words):
            attribute(leads, touches, covariates=["engagement"])

    refused("missing or has gaps", leads.drop(columns="engagement"), touches)
    refused("a lead appears twice", pd.concat([leads, leads]), touches)
    refused("unknown leads", leads.head(100), touches)
    refused("not all 0 or 1", leads.assign(converted=2), touches)
    every = pd.DataFrame({"lead_id": leads["lead_id"], "nth": 9, "strategy": "assertive"})
    refused("touched every lead", leads, pd.concat([touches, every]))
    with pytest.raises(DataError, match="10 or more"):
        simulate_touches(n_leads=5)
