from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.multitest import multipletests

from workbench.stats import Adjustment, adjust_pvalues, simultaneous_confidence_level

METHODS: list[tuple[Adjustment, str]] = [
    ("holm", "holm"),
    ("bonferroni", "bonferroni"),
    ("bh", "fdr_bh"),
]


@pytest.mark.parametrize(("method", "peer"), METHODS)
# statsmodels collects garbage on every call, so a few examples have to do.
@settings(max_examples=15)
@given(pvalues=st.lists(st.floats(0, 1) | st.sampled_from([0.01, 0.05]), min_size=1, max_size=20))
def test_agrees_with_statsmodels(method: Adjustment, peer: str, pvalues: list[float]) -> None:
    expected = multipletests(pvalues, method=peer)[1]
    np.testing.assert_allclose(adjust_pvalues(pvalues, method), expected, atol=1e-12)


@pytest.mark.parametrize(("method", "peer"), METHODS)
def test_untested_comparisons_stay_untested_and_are_not_counted(
    method: Adjustment, peer: str
) -> None:
    tested = adjust_pvalues([0.01, 0.2, 0.04], method)
    among = adjust_pvalues([np.nan, 0.01, np.nan, 0.2, 0.04], method)
    assert np.isnan(among).tolist() == [True, False, True, False, False]
    assert among[[1, 3, 4]].tolist() == tested.tolist()


@pytest.mark.parametrize("pvalues", [[], [np.nan], [np.nan, np.nan]])
@pytest.mark.parametrize(("method", "peer"), METHODS)
def test_nothing_to_adjust_is_no_error(method: Adjustment, peer: str, pvalues: list[float]) -> None:
    assert np.isnan(adjust_pvalues(pvalues, method)).all()


@pytest.mark.parametrize(
    ("pvalues", "method", "message"),
    [
        ([0.5, 1.1], "holm", r"pvalues reach from 0.5 to 1.1; expected values in \[0, 1\]"),
        ([[0.5]], "holm", r"pvalues has shape \(1, 1\)"),
        ([0.5], "sidak", "method is 'sidak'; expected 'holm', 'hochberg', 'bonferroni', 'bh'"),
    ],
)
def test_bad_requests_are_refused(pvalues: Any, method: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        adjust_pvalues(pvalues, method)


def test_the_simultaneous_level_shares_the_error_out() -> None:
    assert simultaneous_confidence_level(0.95, 1) == pytest.approx(0.95)
    assert simultaneous_confidence_level(0.9, 4) == pytest.approx(0.975)
    with pytest.raises(ValueError, match="n_comparisons is 0; expected a whole number ≥ 1"):
        simultaneous_confidence_level(0.95, 0)
