import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.power import NormalIndPower

from workbench.stats import (
    Alternative,
    difference_power,
    minimum_detectable_difference,
    paired_sample_size,
    sample_size_to_decide,
)


@pytest.mark.parametrize(
    ("alternative", "peer"), [("two-sided", "two-sided"), ("greater", "larger"), ("less", "larger")]
)
@pytest.mark.parametrize("power", [0.8, 0.95])
def test_the_sample_size_agrees_with_statsmodels(
    alternative: Alternative, peer: str, power: float
) -> None:
    expected = NormalIndPower(ddof=0).solve_power(
        effect_size=0.2, alpha=0.05, power=power, ratio=0, alternative=peer
    )
    result = paired_sample_size(0.5, 0.1, power=power, alternative=alternative)
    assert result == pytest.approx(expected, rel=1e-4)
    assert paired_sample_size(0.5, -0.1, power=power, alternative=alternative) == result


def test_the_detectable_difference_is_the_one_the_sample_size_was_for() -> None:
    n = paired_sample_size(0.5, 0.07, alpha=0.01, power=0.9)
    found = minimum_detectable_difference(0.5 / math.sqrt(n), alpha=0.01, power=0.9)
    assert found == pytest.approx(0.07)


@pytest.mark.parametrize("alternative", ["two-sided", "greater", "less"])
def test_power_and_detectable_difference_invert_each_other(alternative: Any) -> None:
    found = minimum_detectable_difference(0.03, power=0.9, alternative=alternative)
    signed = -found if alternative == "less" else found
    power = difference_power(0.03, signed, alternative=alternative)
    assert power == pytest.approx(0.9, abs=1e-6)
    assert difference_power(0.03, 0.0, alternative=alternative) == pytest.approx(0.05)
    for bad in ((0.0, 0.1), (0.1, math.inf)):
        with pytest.raises(ValueError, match="standard_error is"):
            difference_power(*bad)


@given(
    n=st.integers(1, 10_000),
    half_width=st.floats(1e-6, 10),
    distance=st.floats(1e-3, 10) | st.floats(-10, -1e-3),
)
def test_the_interval_excludes_the_bound_at_the_size_and_not_before(
    n: int, half_width: float, distance: float
) -> None:
    needed = sample_size_to_decide(n, half_width, distance)
    assert needed is not None
    assert half_width * math.sqrt(n / needed) < abs(distance)
    if needed > 1:
        assert half_width * math.sqrt(n / (needed - 1)) >= abs(distance) * (1 - 1e-9)


@pytest.mark.parametrize(("half_width", "distance"), [(0.1, 0.0), (math.inf, 0.1), (1.0, 1e-200)])
def test_no_size_decides_on_the_bound_or_without_an_interval(
    half_width: float, distance: float
) -> None:
    assert sample_size_to_decide(50, half_width, distance) is None


@pytest.mark.parametrize(
    ("call", "arguments", "message"),
    [
        (minimum_detectable_difference, (-1.0,), "standard_error is -1.0; expected a finite"),
        (paired_sample_size, (1.0, 0.0), "difference is 0.0; expected a finite number other"),
        (paired_sample_size, (math.nan, 1.0), "sd_difference is nan"),
        (sample_size_to_decide, (0, 1.0, 1.0), "n is 0; expected a whole number ≥ 1"),
        (sample_size_to_decide, (5, math.nan, 1.0), "half_width is nan"),
        (sample_size_to_decide, (5, 1.0, math.inf), "distance is inf"),
    ],
)
def test_bad_requests_are_refused(call: Any, arguments: tuple[Any, ...], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call(*arguments)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"alpha": 0.0}, r"alpha is 0.0; expected a number in \(0, 1\)"),
        ({"power": 1.0}, "power is 1.0; expected a number in"),
        ({"alpha": 0.1, "power": 0.05}, "power is 0.05; expected more than the test's level 0.05"),
        ({"alternative": "both"}, "alternative is 'both'; expected 'two-sided', 'greater' or"),
    ],
)
def test_bad_test_settings_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        minimum_detectable_difference(0.1, **options)
