import math
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.dummy import DummyClassifier

from workbench.claude import ClaudeClient
from workbench.data import Dataset
from workbench.errors import EvaluationError
from workbench.evaluation.scores import score_table
from workbench.evaluation.sequential import (
    decide_sequentially,
    sequential_records,
    sequential_rule,
)
from workbench.evaluation.sequential_result import SequentialOutcome
from workbench.predictors import logistic_baseline
from workbench.stats import SequentialRule
from workbench.tasks import load_task

TASK = load_task("lead_conversion")
RULE = SequentialRule(0.1)


def gains(share_better: float, share_worse: float, n: int, seed: int = 0) -> NDArray[np.float64]:
    rng = np.random.default_rng(seed)
    p = [share_worse, 1 - share_better - share_worse, share_better]
    return rng.choice([-1.0, 0.0, 1.0], size=n, p=p)


class Source:
    """Gains that are handed out batch by batch, and what was asked for."""

    def __init__(self, **arms: NDArray[np.float64]) -> None:
        self.arms = arms
        self.asked: list[tuple[int, int]] = []

    def __call__(self, start: int, end: int) -> dict[str, NDArray[np.float64]]:
        self.asked.append((start, end))
        return {arm: values[start:end] for arm, values in self.arms.items()}


def test_a_clear_winner_stops_the_asking() -> None:
    source = Source(new=gains(0.4, 0.1, 5000))
    found = decide_sequentially(source, 5000, RULE, batch_size=20)["new"]
    assert found.outcome is SequentialOutcome.PROMOTE
    assert found.last.n == source.asked[-1][1] < 300
    assert source.asked == [(i, i + 20) for i in range(0, found.last.n, 20)]
    assert found.share_saved > 0.5
    assert found.last.ci_lower > 0
    assert found.last.e_promote >= 40
    assert [look.n for look in found.path] == [end for _, end in source.asked]
    assert all(look.ci_lower <= 0 for look in found.path[:-1])


def test_a_loser_and_a_copy_stop_it_too() -> None:
    source = Source(worse=gains(0.1, 0.5, 3000), same=gains(0.1, 0.1, 3000))
    found = decide_sequentially(source, 3000, RULE)
    assert found["worse"].outcome in (SequentialOutcome.REJECT, SequentialOutcome.FUTILE)
    assert found["same"].outcome is SequentialOutcome.FUTILE
    assert found["worse"].last.n < found["same"].last.n == source.asked[-1][1] < 3000


def test_a_rejection_needs_no_effect_worth_finding() -> None:
    """Where nothing may be given up, only a worse arm ends it early."""
    rule = SequentialRule(0.1, power=0.999999)
    found = decide_sequentially(Source(new=gains(0.05, 0.5, 3000)), 3000, rule)["new"]
    assert found.outcome is SequentialOutcome.REJECT
    assert found.last.ci_upper < 0


def test_what_is_open_at_the_end_stays_undecided() -> None:
    found = decide_sequentially(Source(new=gains(0.3, 0.25, 90)), 90, RULE, batch_size=40)["new"]
    assert found.outcome is SequentialOutcome.UNDECIDED
    assert [look.n for look in found.path] == [40, 80, 90]
    assert found.last.ci_lower < 0 < found.last.ci_upper
    assert "may or may not" in found.sentence()


def test_groups_count_once_and_are_never_cut() -> None:
    rng = np.random.default_rng(1)
    sizes = rng.integers(1, 9, 400)
    groups = np.repeat(np.arange(400), sizes)
    by_group = gains(0.5, 0.1, 400, seed=2)
    source = Source(new=by_group[groups])
    found = decide_sequentially(source, groups.size, RULE, batch_size=25, groups=groups)["new"]
    ends = {int(e) for e in np.cumsum(sizes)}
    assert {end for _, end in source.asked} <= ends
    assert all(25 <= end - start <= 25 + 8 for start, end in source.asked)
    once = decide_sequentially(Source(new=by_group), 400, RULE, batch_size=1)["new"]
    assert found.outcome is once.outcome is SequentialOutcome.PROMOTE
    assert found.last.n_units >= once.last.n_units
    n = found.last.n_units
    assert found.last.estimate == pytest.approx(by_group[:n].mean())


def test_the_batch_size_changes_when_one_looks_not_what_is_seen() -> None:
    data = gains(0.3, 0.15, 4000, seed=3)
    fine, coarse = (
        decide_sequentially(Source(new=data), 4000, RULE, batch_size=b)["new"] for b in (1, 100)
    )
    assert coarse.last.n - fine.last.n >= 0
    at = {look.n: look for look in fine.path}
    for look in coarse.path:
        if look.n in at:
            assert look.e_promote == pytest.approx(at[look.n].e_promote)


def test_arms_that_never_differ_are_given_up() -> None:
    found = decide_sequentially(Source(new=np.zeros(2000)), 2000, RULE)["new"]
    assert found.outcome is SequentialOutcome.FUTILE
    assert math.isnan(found.n_fixed)
    assert "nan" not in found.sentence()


def test_the_result_can_be_read() -> None:
    found = decide_sequentially(Source(new=gains(0.4, 0.1, 2000)), 2000, RULE)["new"]
    frame = found.to_frame()
    assert frame["outcome"].tolist()[-1] == "promote"
    assert (frame["ci_lower"] <= frame["estimate"]).all()
    assert "is better than the baseline" in found.sentence()
    assert found._repr_html_().startswith("<p>new is better")
    told: list[str] = []
    decide_sequentially(Source(new=gains(0.4, 0.1, 2000)), 2000, RULE, on_progress=told.append)
    assert told[0] == "50 of 2,000 examples: new still open"
    assert told[-1].endswith("every arm is decided")


@pytest.mark.parametrize(
    ("answer", "options", "message"),
    [
        ({}, {}, "a batch has gains of"),
        ({"new": [0.0]}, {}, "gains of shape"),
        ({"new": [0.0, math.nan]}, {}, "finite numbers"),
        ({"new": [0.0, 3.0]}, {}, "within the rule's limits"),
        ({"new": [0.0, 0.0]}, {"batch_size": 0}, "at least one of each"),
        ({"new": [0.0, 0.0]}, {"groups": [1, 2, 1, 2]}, "not in one piece"),
    ],
)
def test_bad_batches_are_refused(answer: Any, options: dict[str, Any], message: str) -> None:
    with pytest.raises(EvaluationError, match=message):
        decide_sequentially(lambda _i, _j: answer, 4, RULE, **({"batch_size": 2} | options))


def test_every_batch_has_the_same_arms() -> None:
    answers = iter([{"a": [0.0]}, {"b": [0.0]}])
    with pytest.raises(EvaluationError, match="give every batch the same arms"):
        decide_sequentially(lambda _i, _j: next(answers), 2, RULE, batch_size=1)


def test_rules_belong_to_metrics() -> None:
    assert sequential_rule("brier", 0.01).limits == (-1.0, 1.0)
    assert sequential_rule("log_loss", 0.01).limits is None
    assert sequential_rule("accuracy", 0.02, n_arms=4).alpha == 0.0125
    with pytest.raises(EvaluationError, match="'roc_auc' cannot be decided example by example"):
        sequential_rule("roc_auc", 0.01)
    with pytest.raises(EvaluationError, match="no metric 'acuracy'"):
        sequential_rule("acuracy", 0.01)
    wrong: list[dict[str, Any]] = [{"minimum_effect": 0.0}, {"minimum_effect": 0.1, "n_arms": 0}]
    for bad in wrong:
        with pytest.raises(EvaluationError, match="the rule cannot be made"):
            sequential_rule("accuracy", **bad)


# ---------------------------------------------------------------- with arms and data


def fitted(leads: Dataset) -> dict[str, Any]:
    X, y = leads.X, leads.y.to_numpy()
    return {
        "logistic": logistic_baseline().fit(X, y),
        "coin": DummyClassifier(strategy="uniform", random_state=0).fit(X, y),
    }


def test_models_are_decided_and_their_records_can_be_evaluated(leads: Dataset) -> None:
    rule = sequential_rule("accuracy", 0.1)
    found = sequential_records(
        fitted(leads),
        leads,
        baseline="logistic",
        metric_name="accuracy",
        rule=rule,
        latency_sample=5,
    )
    result = found.results["coin"]
    assert result.outcome in (SequentialOutcome.REJECT, SequentialOutcome.FUTILE)
    n = result.last.n
    assert n < len(leads)
    assert len(found.positions) == n
    records = found.records
    assert records.groupby("arm").size().to_dict() == {"logistic": n, "coin": n}
    asked = leads.X.index[found.positions].astype(str)
    assert records.loc[records["arm"] == "coin", "example_id"].tolist() == asked.tolist()
    table = score_table(records, ["logistic", "coin"], n_resamples=200, random_state=0)
    difference = table.difference("coin", "logistic", "accuracy")
    assert leads.groups is not None
    groups = leads.groups.to_numpy()[found.positions]
    # Whole groups only: none of those asked is left in the rest.
    rest = np.setdiff1d(np.arange(len(leads)), found.positions)
    assert not set(groups) & set(leads.groups.to_numpy()[rest])
    assert difference.difference < 0
    assert result.last.n_units == len(set(groups))


def test_the_order_is_the_seeds(leads: Dataset) -> None:
    rule = sequential_rule("brier", 0.05)
    runs = [
        sequential_records(
            fitted(leads),
            leads,
            baseline="coin",
            metric_name="brier",
            rule=rule,
            random_state=seed,
            latency_sample=5,
        )
        for seed in (1, 1, 2)
    ]
    assert runs[0].positions.tolist() == runs[1].positions.tolist()
    assert runs[0].positions.tolist()[:50] != runs[2].positions.tolist()[:50]
    # A loss: the better arm's gain is positive.
    assert runs[0].results["logistic"].outcome is SequentialOutcome.PROMOTE


def test_claude_is_asked_only_until_it_is_decided(client: ClaudeClient, leads: Dataset) -> None:
    X, y = leads.X, leads.y.to_numpy()
    asking = TASK.claude("zero_shot", leads, client=client).fit(X, y)
    arms = {"coin": fitted(leads)["coin"], "asked": asking}
    rule = sequential_rule("accuracy", 0.15)
    found = sequential_records(
        arms,
        leads,
        baseline="coin",
        metric_name="accuracy",
        rule=rule,
        batch_size=40,
        n_repeats=2,
        latency_sample=5,
    )
    result = found.results["asked"]
    assert result.outcome is not SequentialOutcome.UNDECIDED
    rows = found.records[found.records["arm"] == "asked"]
    assert len(rows) == 2 * result.last.n < 2 * len(leads)
    assert sorted(rows["repeat"].unique()) == [0, 1]
    assert not rows["cached"].any()
    # The gain is that of the mean of the two answers to each example.
    scores = score_table(found.records, ["coin", "asked"], n_resamples=200, random_state=0)
    by_row = scores.difference("asked", "coin", "accuracy").difference
    assert by_row == pytest.approx(result.last.estimate, abs=0.1)


def test_arms_and_metric_must_fit(leads: Dataset) -> None:
    rule = sequential_rule("accuracy", 0.1)
    wrong: list[dict[str, Any]] = [
        {"baseline": "none", "metric_name": "accuracy"},
        {"baseline": "coin", "metric_name": "roc_auc"},
    ]
    for options in wrong:
        with pytest.raises(EvaluationError, match="cannot be decided by"):
            sequential_records(fitted(leads), leads, rule=rule, **options)
