"""What wrong methods cost and right ones hold, in simulated experiments with a known truth."""

import math

import pytest
from scipy import stats

from workbench.abtest.simulate_mistakes import (
    Rate,
    broken_randomisation,
    ignored_clusters,
    peeking,
    simulate_mistakes,
)


def compatible(rate: Rate) -> bool:
    """Whether a rate is its nominal one up to chance, 99.9 % of the time."""
    low, high = stats.binom.interval(0.999, rate.n, rate.nominal)
    return bool(low / rate.n <= rate.rate <= high / rate.n)


def test_peeking_twenty_times_errs_five_times_as_often() -> None:
    """Armitage's 24.8 % for continuous outcomes; rare 0/1 outcomes come a little lower."""
    found = {rate.method: rate for rate in peeking(n_studies=4000, random_state=1)}
    assert 0.22 <= found["z-test at each of 20 looks"].rate <= 0.26
    for method in ("z-test at the last look only", "O'Brien-Fleming boundary"):
        assert compatible(found[method])
    for method in ("mixture SPRT", "asymptotic confidence sequence"):
        assert found[method].ci_upper <= 0.05
        assert found[method].rate > 0


def test_intervals_that_ignore_agents_cover_too_rarely() -> None:
    for rate in ignored_clusters(n_studies=1000, random_state=1):
        if rate.method == "CR2 by agent":
            assert 0.94 <= rate.rate <= 0.965
        else:
            assert rate.ci_upper < 0.88
    # The more agents differ, the worse.
    more = ignored_clusters(n_studies=200, agent_sd=1.0, random_state=2)
    assert more[0].rate < 0.7
    assert compatible(more[1])


def test_the_sample_ratio_check_catches_lost_leads_and_nothing_else() -> None:
    found = {(r.situation, r.method): r for r in broken_randomisation(random_state=1)}
    sound = "sound randomisation"
    for method in ("sample-ratio check", "keenness before, by arm", "z-test of conversion"):
        assert compatible(found[sound, method])
    lost, lean = "leads of one arm lost", "arms lean on keenness"
    assert found[lost, "sample-ratio check"].rate > 0.95
    # Counts that fit say nothing about who was counted.
    assert found[lean, "sample-ratio check"].rate < 0.01
    assert found[lean, "keenness before, by arm"].rate > 0.99
    assert found[lean, "z-test of conversion"].rate > 0.2


def test_the_table_says_what_was_simulated() -> None:
    found = simulate_mistakes(n_studies=200, random_state=3)
    frame = found.to_frame()
    assert (frame["ci_lower"] <= frame["rate"]).all()
    assert (frame["rate"] <= frame["ci_upper"]).all()
    page = found._repr_html_()
    assert page.count("<tr") == len(found.rates) + 1
    assert "Simulated" in page
    assert any(math.isnan(rate.nominal) for rate in found.rates)
    assert found.rates == simulate_mistakes(n_studies=200, random_state=3).rates


@pytest.mark.parametrize("looks", [1, 5])
def test_fewer_looks_err_less_often(looks: int) -> None:
    naive = peeking(n_studies=4000, n_looks=looks, random_state=2)[0]
    expected = {1: 0.05, 5: 0.142}[looks]  # Armitage, McPherson & Rowe (1969), table 2
    assert naive.rate == pytest.approx(expected, abs=0.02)
