from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import average_precision_score, brier_score_loss, log_loss, roc_auc_score

from workbench.errors import EvaluationError
from workbench.evaluation.scores import score_table


def records(n: int = 400, arms: tuple[str, ...] = ("a", "b"), *, repeats: int = 1) -> pd.DataFrame:
    """Records of arms that see some of the truth; the first arm is never repeated."""
    rng = np.random.default_rng(0)
    y = rng.random(n) < 0.3
    parts = [(arm, repeat) for arm in arms for repeat in range(1 if arm == "a" else repeats)]
    frames = [
        pd.DataFrame(
            {
                "example_id": [f"e{i:05d}" for i in range(n)],
                "arm": arm,
                "repeat": repeat,
                "y": y.astype(np.int8),
                "group": None,
                "proba": np.clip(0.21 + 0.3 * y + rng.normal(0, 0.15, n), 0.01, 0.99),
                "error": None,
                "origin": None,
            }
        )
        for arm, repeat in parts
    ]
    return pd.concat(frames, ignore_index=True)


def table(frame: pd.DataFrame, **options: Any) -> Any:
    arms = list(dict.fromkeys(frame["arm"]))
    return score_table(frame, arms, **({"n_resamples": 300, "random_state": 0} | options))


def test_figures_agree_with_scikit_learn() -> None:
    frame = records()
    made = table(frame)
    rows = frame[frame["arm"] == "a"]
    y, p = rows["y"].to_numpy(), rows["proba"].to_numpy()
    for name, expected in {
        "roc_auc": roc_auc_score(y, p),
        "average_precision": average_precision_score(y, p),
        "log_loss": log_loss(y, p),
        "brier": brier_score_loss(y, p),
        "accuracy": np.mean((p > 0.5) == y),
    }.items():
        found = made.estimate("a", name)
        assert found.estimate == pytest.approx(expected, abs=1e-12)
        assert found.ci_lower < expected < found.ci_upper
        assert found.n == 400


def test_the_order_of_the_records_does_not_matter() -> None:
    frame = records()
    again = table(frame.sample(frac=1, random_state=3))
    for name in ("roc_auc", "ece", "log_loss"):
        assert table(frame).estimate("b", name) == again.estimate("b", name)


def test_an_arm_against_itself_differs_by_nothing() -> None:
    frame = records()
    twin = frame[frame["arm"] == "a"].assign(arm="twin")
    made = table(pd.concat([frame[frame["arm"] == "a"], twin]))
    for name in ("roc_auc", "average_precision", "log_loss", "ece"):
        found = made.difference("twin", "a", name)
        assert found.difference == 0
        assert found.pvalue == pytest.approx(1)


def test_groups_widen_the_interval_when_rows_repeat() -> None:
    frame = records(200)
    copies = pd.concat(
        [
            frame.assign(example_id=frame["example_id"] + f"-{k}", group=frame["example_id"])
            for k in range(4)
        ]
    )
    alone = table(frame).estimate("a", "log_loss")
    grouped = table(copies).estimate("a", "log_loss")
    naive = table(copies.assign(group=None)).estimate("a", "log_loss")
    assert grouped.estimate == pytest.approx(alone.estimate)
    width = alone.ci_upper - alone.ci_lower
    assert grouped.ci_upper - grouped.ci_lower == pytest.approx(width, rel=0.02)
    assert naive.ci_upper - naive.ci_lower == pytest.approx(width / 2, rel=0.05)


def test_repeats_are_grouped_by_example_and_single_answers_laid_beside_each() -> None:
    frame = records(150, repeats=3)
    made = table(frame)
    assert len(made.y) == 450
    assert made.n_examples == 150
    assert len(np.unique(made.groups)) == 150
    once = table(frame[frame["arm"] == "a"])
    assert made.estimate("a", "roc_auc").estimate == pytest.approx(
        once.estimate("a", "roc_auc").estimate
    )


def test_failed_answers_are_scored_as_wrong() -> None:
    frame = records()
    worse = frame.copy()
    failed = (worse["arm"] == "b") & (worse.index % 5 == 0)
    worse.loc[failed, "error"] = "RateLimitError 429 after 4 attempts"
    before, after = table(frame), table(worse)
    assert after.estimate("b", "roc_auc").estimate < before.estimate("b", "roc_auc").estimate
    assert after.estimate("b", "accuracy").estimate < before.estimate("b", "accuracy").estimate
    assert np.isfinite(after.estimate("b", "log_loss").estimate)


def test_origins_never_mix_in_one_estimate() -> None:
    frame = records()
    frame.loc[frame["arm"] == "b", "origin"] = ["live", "simulated"] * 200
    with pytest.raises(EvaluationError, match=r"different origins: \['live', 'simulated'\]"):
        table(frame)


def test_arms_that_judged_different_examples_are_not_compared() -> None:
    frame = records()
    with pytest.raises(EvaluationError, match="did not judge the same examples"):
        table(frame.drop(index=frame.index[-1]))


def test_simultaneous_intervals_are_wider_than_single_ones() -> None:
    frame = records(arms=("a", "b", "c", "d"))
    made = table(frame)
    together = made.differences("a", "roc_auc")["b"]
    single = made.difference("b", "a", "roc_auc")
    assert together.ci_upper - together.ci_lower > single.ci_upper - single.ci_lower
    assert together.confidence_level == pytest.approx(1 - 0.05 / 3)
