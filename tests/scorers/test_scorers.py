import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn import metrics as sk

from workbench.errors import EvaluationError
from workbench.scorers import (
    ERROR_PROBABILITY,
    EXAMPLE_SCORES,
    METRICS,
    STATISTICS,
    metric,
    penalise_errors,
)

SKLEARN = {
    "roc_auc": sk.roc_auc_score,
    "average_precision": sk.average_precision_score,
    "log_loss": sk.log_loss,
    "brier": sk.brier_score_loss,
}


def answers(n: int = 500, seed: int = 0) -> tuple[NDArray[np.int8], NDArray[np.float64]]:
    rng = np.random.default_rng(seed)
    p = rng.beta(1, 4, n)
    y = (rng.random(n) < p).astype(np.int8)
    # Ties, as a model that answers in steps of 0.05 makes them.
    return y, np.round(p * 20) / 20 * 0.98 + 0.01


def value(name: str, y: NDArray[np.int8], p: NDArray[np.float64]) -> float:
    if name in EXAMPLE_SCORES:
        return float(EXAMPLE_SCORES[name](y, p).mean())
    return float(STATISTICS[name](y, p)(np.ones((1, len(y))))[0])


@pytest.mark.parametrize("name", SKLEARN)
@pytest.mark.parametrize("seed", range(3))
def test_figures_are_scikit_learns(name: str, seed: int) -> None:
    y, p = answers(seed=seed)
    assert value(name, y, p) == pytest.approx(SKLEARN[name](y, p), rel=1e-9)


@pytest.mark.parametrize("name", ["roc_auc", "average_precision"])
def test_a_weight_of_two_is_the_row_twice(name: str) -> None:
    y, p = answers(200)
    weights = np.random.default_rng(1).integers(0, 4, len(y))
    repeated = np.repeat(np.arange(len(y)), weights)
    weighted = float(STATISTICS[name](y, p)(weights[None, :].astype(float))[0])
    assert weighted == pytest.approx(value(name, y[repeated], p[repeated]), rel=1e-9)


def test_accuracy_at_one_half_is_no() -> None:
    y = np.array([0, 1, 1, 0], dtype=np.int8)
    p = np.array([0.5, 0.5, 0.51, 0.49])
    assert EXAMPLE_SCORES["accuracy"](y, p).tolist() == [1, 0, 1, 1]


def test_every_figure_of_probabilities_is_a_metric() -> None:
    assert set(EXAMPLE_SCORES) | set(STATISTICS) < set(METRICS)
    assert not set(EXAMPLE_SCORES) & set(STATISTICS)
    assert all(name == found.name and found.meaning for name, found in METRICS.items())


@given(st.lists(st.tuples(st.booleans(), st.floats(0, 1), st.booleans()), min_size=1))
def test_a_failed_answer_is_wrong_and_nothing_else_changes(
    rows: list[tuple[bool, float, bool]],
) -> None:
    y = np.array([r[0] for r in rows], dtype=np.int8)
    p = np.array([r[1] for r in rows])
    failed = np.array([r[2] for r in rows])
    scored = penalise_errors(y, p, failed)
    assert scored[~failed].tolist() == p[~failed].tolist()
    chance = np.where(y == 1, scored, 1 - scored)[failed]
    assert chance == pytest.approx(np.full(failed.sum(), ERROR_PROBABILITY))
    assert not EXAMPLE_SCORES["accuracy"](y, scored)[failed].any()


@pytest.mark.parametrize(
    ("name", "number", "shown"),
    [
        ("roc_auc", 0.71234, "0.7123"),
        ("accuracy", 0.9073, "90.7 %"),
        ("latency_p50_s", 0.0000042, "4 µs"),
        ("latency_p50_s", 0.0042, "4.2 ms"),
        ("latency_p50_s", 1.5, "1.50 s"),
        ("latency_p50_s", 0.0, "0 µs"),
        ("latency_p99_s", math.inf, "∞"),
        ("latency_p99_s", -math.inf, "−∞"),
        ("cost_per_1000_usd", 1234.5, "$1,234.50"),
        ("log_loss", math.nan, "–"),
    ],
)
def test_figures_are_written_with_their_unit(name: str, number: float, shown: str) -> None:
    assert metric(name).format(number) == shown


@pytest.mark.parametrize(
    ("name", "number", "shown"),
    [
        ("roc_auc", 0.01, "+0.0100"),
        ("roc_auc", -0.01, "−0.0100"),
        ("accuracy", -0.02, "−2.0 %"),
        ("accuracy", 0.02, "+2.0 %"),
        ("cost_per_1000_usd", -2.0, "−$2.00"),
        ("cost_per_1000_usd", 2.0, "+$2.00"),
    ],
)
def test_differences_are_written_with_their_sign(name: str, number: float, shown: str) -> None:
    assert metric(name).format(number, signed=True) == shown


def test_an_unknown_metric_suggests_one() -> None:
    with pytest.raises(EvaluationError, match=r"no metric 'roc_aucc'.*use 'roc_auc'"):
        metric("roc_aucc")
    with pytest.raises(EvaluationError, match=r"no metric 'zzz'.*name one of them"):
        metric("zzz")
