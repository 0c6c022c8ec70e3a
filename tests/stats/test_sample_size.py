import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from workbench.stats import (
    arcsine_effect_size,
    arcsine_power,
    means_minimum_detectable,
    means_power,
    means_sample_size,
    proportions_minimum_detectable,
    proportions_power,
    proportions_sample_size,
)

WRONG: Any = "wrong"
ALTERNATIVES = st.sampled_from(["two-sided", "greater", "less"])


@given(
    size=st.floats(0.05, 2),
    ratio=st.floats(0.3, 4),
    power=st.floats(0.5, 0.99),
    alternative=ALTERNATIVES,
)
def test_means_invert(size: float, ratio: float, power: float, alternative: Any) -> None:
    options: Any = {"ratio": ratio, "sd_treatment": 1.4, "alternative": alternative}
    signed = -size if alternative == "less" else size
    n = means_sample_size(signed, 1.0, power=power, **options)
    if n > max(2.0, 2 / ratio):
        assert means_power(n, signed, 1.0, **options) == pytest.approx(power, abs=1e-8)
        back = means_minimum_detectable(n, 1.0, power=power, **options)
        assert back == pytest.approx(size, rel=1e-6)


@given(p=st.floats(0.02, 0.9), gap=st.floats(0.01, 0.09), alternative=ALTERNATIVES)
def test_proportions_invert(p: float, gap: float, alternative: Any) -> None:
    signed = -gap if alternative == "less" else gap
    base = p + 0.1 if alternative == "less" else p
    if not 0 < base + signed < 1:
        return
    n = proportions_sample_size(base, base + signed, alternative=alternative, ratio=1.5)
    found = proportions_power(n, base, base + signed, alternative=alternative, ratio=1.5)
    assert found == pytest.approx(0.8, abs=1e-8)
    back = proportions_minimum_detectable(n, base, alternative=alternative, ratio=1.5)
    assert back == pytest.approx(gap, rel=1e-5)


def test_noncentral_t_is_scipys() -> None:
    for n, d in ((5, 1.0), (30, 0.4), (1000, 0.3), (10, 30.0)):
        df, shift = 2 * n - 2, d * math.sqrt(n / 2)
        reach = stats.t.isf(0.025, df)
        expected = stats.nct.sf(reach, df, shift) + stats.nct.cdf(-reach, df, shift)
        expected = 1.0 if np.isnan(expected) else expected
        assert means_power(n, d, 1.0) == pytest.approx(expected, abs=1e-6)
    assert means_power(10**9, 1e-4, 1.0) == pytest.approx(
        stats.norm.cdf(1e-4 * math.sqrt(5e8) - 1.95996), abs=1e-3
    )


def test_no_effect_has_the_power_of_the_level() -> None:
    assert means_power(50, 0.0, 1.0) == pytest.approx(0.05)
    assert means_power(50, 0.0, 1.0, alternative="greater") == pytest.approx(0.05)


def test_a_margin_is_distance_given_away() -> None:
    plain = means_sample_size(0.3, 1.0, alternative="greater")
    assert means_sample_size(0.1, 1.0, margin=0.2, alternative="greater") == pytest.approx(plain)
    lower = means_sample_size(-0.1, 1.0, margin=0.2, alternative="less")
    assert lower == pytest.approx(plain)
    n = proportions_sample_size(0.5, 0.5, margin=0.05, alpha=0.025, alternative="greater")
    assert n == pytest.approx((1.959964 + 0.841621) ** 2 * 0.5 / 0.05**2, rel=1e-5)


def test_what_cannot_be_found() -> None:
    assert math.isnan(proportions_minimum_detectable(5, 0.9))
    assert math.isnan(proportions_minimum_detectable(5, 0.0, alternative="less"))
    assert proportions_power(10, 0.0, 1.0) == 1.0
    assert arcsine_effect_size(0.0, 1.0) == pytest.approx(math.pi)
    assert arcsine_power(0.0, 10, 10) == pytest.approx(0.05)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: means_power(1, 1.0, 1.0), "n is 1"),
        (lambda: means_power(5, 1.0, 0.0), "sd is 0.0"),
        (lambda: means_power(5, 1.0, 1.0, sd_treatment=-1), "sd_treatment is -1"),
        (lambda: means_power(5, 1.0, 1.0, ratio=0), "ratio is 0"),
        (lambda: means_power(5, 1.0, 1.0, margin=-1), "margin is -1"),
        (lambda: means_power(5, 1.0, 1.0, alternative=WRONG), "alternative is 'wrong'"),
        (lambda: means_sample_size(0.0, 1.0), "the difference is 0.0"),
        (lambda: means_sample_size(-1.0, 1.0, alternative="greater"), "can find"),
        (lambda: means_sample_size(1.0, 1.0, power=0.01), "more than the test's level"),
        (lambda: proportions_power(0, 0.1, 0.2), "n is 0"),
        (lambda: proportions_power(5, -0.1, 0.2), "p_control is -0.1"),
        (lambda: proportions_power(5, 0.1, 0.2, margin=1.0), "margin is 1.0"),
        (lambda: arcsine_power(0.1, 0, 5), "n_control is 0"),
        (lambda: arcsine_effect_size(0.1, 1.2), "p_treatment is 1.2"),
    ],
)
def test_bad_requests_are_refused(call: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()


def test_power_is_known_where_the_noncentral_t_s_series_fails() -> None:
    around = [means_power(n, 0.5, 5.0, alpha=0.000206) for n in (4261.0, 4261.9624, 4263.0)]
    assert around == sorted(around)
    assert around[2] - around[0] < 1e-3
