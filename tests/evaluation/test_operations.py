import numpy as np
import pandas as pd
import pytest
from tests.evaluation.recorded import arm_records

from workbench.evaluation.operations import operate


def _records(n: int = 400, **columns: object) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, n).astype(np.int8)
    proba = np.where(rng.random(n) < 0.8, y, 1 - y) * 0.8 + 0.1
    return arm_records("a", y, proba, rng.gamma(2, 0.001, n), **columns)


def test_first_tokens_are_measured_on_streamed_answers_only() -> None:
    times = np.where(np.arange(400) % 4 == 0, np.linspace(0.1, 1.0, 400), np.nan)
    found = operate(_records(ttft_s=times), "ttft_p50_s")
    assert found.n == 100
    assert found.estimate == pytest.approx(np.nanquantile(times, 0.5), abs=0.02)
    assert found.ci_lower < found.estimate < found.ci_upper
    assert operate(_records(ttft_s=times), "ttft_p95_s").estimate > 0.9
    assert operate(_records(), "ttft_p50_s").n == 0
    assert operate(_records().drop(columns="ttft_s"), "ttft_p50_s").method == "not measured"


def test_a_retry_is_an_attempt_more_than_there_were_answers() -> None:
    attempts = np.array([0] * 100 + [1] * 150 + [2] * 100 + [4] * 50)
    calls = np.array([0] * 100 + [1] * 150 + [2] * 100 + [2] * 50)
    found = operate(_records(attempts=attempts, calls=calls), "retry_rate")
    assert (found.estimate, found.n) == (50 / 300, 300)
    alone = _records(attempts=attempts).drop(columns="calls")
    assert operate(alone, "retry_rate").estimate == 150 / 300
    assert operate(_records(attempts=0), "retry_rate").n == 0


def test_a_right_decision_bears_the_cost_of_the_wrong_and_failed_ones() -> None:
    records = _records()
    records["error"] = records["error"].astype(object)
    records.loc[:39, "error"] = "refused"
    right = ((records["proba"] > 0.5) == (records["y"] == 1)) & records["error"].isna()
    found = operate(records, "cost_per_correct_usd")
    assert found.estimate == pytest.approx(records["cost_usd"].sum() / right.sum())
    assert found.n == 400
    # Against a bootstrap of the ratio.
    rng = np.random.default_rng(1)
    at = rng.integers(0, 400, (4000, 400))
    ratios = records["cost_usd"].to_numpy()[at].sum(1) / right.to_numpy()[at].sum(1)
    assert found.standard_error == pytest.approx(ratios.std(), rel=0.06)


def test_the_cost_of_a_right_decision_is_clustered() -> None:
    records = _records()
    # Whole groups are right or wrong together: fewer facts than rows.
    records["group"] = np.arange(400) // 10
    records["proba"] = np.where(records["group"] % 4 == 0, 1 - records["y"], records["y"])
    alone = operate(records.assign(group=None), "cost_per_correct_usd")
    together = operate(records, "cost_per_correct_usd")
    assert together.estimate == alone.estimate
    assert together.standard_error > 2 * alone.standard_error
    assert together.n_groups == 40
    twice = pd.concat([records.assign(group=None, repeat=r) for r in (0, 1)], ignore_index=True)
    assert operate(twice, "cost_per_correct_usd").n_groups == 400


def test_when_nothing_is_right_a_right_decision_has_no_price() -> None:
    records = _records().assign(proba=lambda r: 1.0 - r["y"])
    found = operate(records, "cost_per_correct_usd")
    assert found.estimate == np.inf
    assert operate(_records().assign(cost_usd=0.0), "cost_per_correct_usd").estimate == 0
