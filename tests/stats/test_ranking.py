from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score, roc_auc_score

from workbench.stats import (
    average_precision,
    average_precision_statistic,
    lift_at,
    lift_at_statistic,
    roc_auc,
    roc_auc_statistic,
)

Measure = Callable[..., Any]
MEASURES: list[Measure] = [roc_auc, average_precision, lift_at]


@st.composite
def ranked(draw: st.DrawFn) -> tuple[NDArray[Any], ...]:
    """Labels of both classes, scores with many ties, and integer weights leaving both classes."""
    n = draw(st.integers(2, 30))
    y = draw(hnp.arrays(np.int64, n, elements=st.integers(0, 1)))
    y[-1] = 1 - y[0]
    score = draw(hnp.arrays(np.int64, n, elements=st.integers(-4, 4))) / 4
    weights = draw(hnp.arrays(np.int64, n, elements=st.integers(0, 3)))
    weights[int(np.argmax(y))] += 1
    weights[int(np.argmin(y))] += 1
    return y, score, weights


@given(ranked())
def test_agrees_with_scikit_learn_under_ties_and_weights(case: tuple[NDArray[Any], ...]) -> None:
    y, score, counts = case
    for weights in (counts, counts * 0.37):
        assert roc_auc(y, score, weights) == pytest.approx(
            roc_auc_score(y, score, sample_weight=weights), abs=1e-12
        )
        assert average_precision(y, score, weights) == pytest.approx(
            average_precision_score(y, score, sample_weight=weights), abs=1e-12
        )


@pytest.mark.parametrize("measure", MEASURES)
@given(case=ranked())
def test_integer_weights_equal_repeated_rows(
    measure: Measure, case: tuple[NDArray[Any], ...]
) -> None:
    y, score, counts = case
    repeated = measure(np.repeat(y, counts), np.repeat(score, counts))
    assert measure(y, score, weights=counts) == pytest.approx(repeated, abs=1e-12)


@pytest.mark.parametrize("measure", MEASURES)
@given(case=ranked(), seed=st.integers(0, 99))
def test_row_order_does_not_matter(
    measure: Measure, case: tuple[NDArray[Any], ...], seed: int
) -> None:
    y, score, counts = case
    shuffled = np.random.default_rng(seed).permutation(len(y))
    moved = measure(y[shuffled], score[shuffled], weights=counts[shuffled])
    assert moved == pytest.approx(measure(y, score, weights=counts), abs=1e-12)


@pytest.mark.parametrize("measure", MEASURES)
@given(case=ranked())
def test_monotone_transforms_do_not_matter(
    measure: Measure, case: tuple[NDArray[Any], ...]
) -> None:
    y, score, counts = case
    assert measure(y, np.exp(3 * score) - 7, weights=counts) == measure(y, score, weights=counts)


@given(case=ranked())
def test_flipping_labels_or_scores_mirrors_the_auc(case: tuple[NDArray[Any], ...]) -> None:
    y, score, counts = case
    auc = roc_auc(y, score, counts)
    assert roc_auc(1 - y, score, counts) == pytest.approx(1 - auc, abs=1e-12)
    assert roc_auc(y, -score, counts) == pytest.approx(1 - auc, abs=1e-12)


@given(case=ranked())
def test_the_auc_is_the_share_of_pairs_ordered_rightly(case: tuple[NDArray[Any], ...]) -> None:
    y, score, _ = case
    gap = score[y == 1][:, None] - score[y == 0][None, :]
    assert roc_auc(y, score) == pytest.approx(float(((gap > 0) + 0.5 * (gap == 0)).mean()))


@given(case=ranked(), fraction=st.sampled_from([0.05, 0.1, 0.25, 0.5, 1.0]))
def test_lift_shares_the_cut_among_ties(case: tuple[NDArray[Any], ...], fraction: float) -> None:
    y, score, counts = case
    labels, scores = np.repeat(y, counts), np.repeat(score, counts)
    cut = fraction * labels.size
    above = np.array([(scores > s).sum() for s in scores])
    level = np.array([(scores == s).sum() for s in scores])
    share = np.clip((cut - above) / level, 0.0, 1.0)
    expected = (share @ labels) / cut / labels.mean()
    assert lift_at(y, score, fraction, counts) == pytest.approx(expected)


def test_lift_of_known_cases() -> None:
    y = [1, 1, 0, 0, 0, 0, 0, 0, 0, 0]
    score = [9, 8, 7, 6, 5, 4, 3, 2, 1, 0]
    assert lift_at(y, score) == pytest.approx(5.0)
    assert lift_at(y, score, 0.2) == pytest.approx(5.0)
    assert lift_at(y, score, 0.4) == pytest.approx(2.5)
    assert lift_at(y, score, 1.0) == pytest.approx(1.0)
    assert lift_at(y, np.zeros(10)) == pytest.approx(1.0)
    # 0.15 of 10 rows is one and a half: 1.5 hits in 1.5 rows.
    assert lift_at(y, score, 0.15) == pytest.approx(5.0)


@pytest.mark.parametrize("measure", MEASURES)
def test_rows_of_weights_give_one_figure_each(measure: Measure) -> None:
    rng = np.random.default_rng(4)
    y, score = rng.integers(0, 2, 50), rng.normal(size=50).round(1)
    weights = rng.integers(0, 4, (7, 50))
    together = measure(y, score, weights=weights)
    assert together.shape == (7,)
    alone = [measure(y, score, weights=row) for row in weights]
    assert all(isinstance(value, float) for value in alone)
    np.testing.assert_allclose(together, alone, rtol=1e-12)


@pytest.mark.parametrize(
    "statistic", [roc_auc_statistic, average_precision_statistic, lift_at_statistic]
)
def test_one_class_without_weight_is_undefined(statistic: Measure) -> None:
    values = statistic([0, 0, 1, 1], [1, 2, 3, 4])([[1, 1, 0, 0], [0, 0, 1, 1], [0] * 4, [1] * 4])
    assert np.isnan(values).tolist() == [True, True, True, False]


@pytest.mark.parametrize("measure", MEASURES)
def test_inputs_are_refused(measure: Measure) -> None:
    with pytest.raises(ValueError, match="lengths differ: y has 2, score has 3"):
        measure([0, 1], [1.0, 2.0, 3.0])
    with pytest.raises(ValueError, match=r"y is 2.0 at position 1; expected labels 0 and 1"):
        measure([0, 2], [1.0, 2.0])
    with pytest.raises(ValueError, match="score holds 1 value"):
        measure([0, 1], [1.0, np.nan])
    with pytest.raises(ValueError, match="weights has shape"):
        measure([0, 1], [1.0, 2.0], weights=[1.0])


@pytest.mark.parametrize("fraction", [0.0, -0.1, 1.1, float("nan")])
def test_a_top_outside_the_unit_interval_is_refused(fraction: float) -> None:
    with pytest.raises(ValueError, match=r"fraction is .*; expected a number in \(0, 1\]"):
        lift_at([0, 1], [1.0, 2.0], fraction)


def test_large_counts_do_not_overflow() -> None:
    y, score = np.array([0, 1, 0, 1]), np.array([1.0, 2.0, 3.0, 4.0])
    assert roc_auc(y, score, np.full(4, 2**30)) == roc_auc(y, score)
    n = 200_000
    labels = np.arange(n) % 2
    assert roc_auc(labels, np.arange(n)) == pytest.approx(0.5 + 1 / n, abs=1e-12)
