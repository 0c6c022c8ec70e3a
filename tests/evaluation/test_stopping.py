import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from tests.evaluation.recorded import INFO, arm_info, arm_records

from workbench.claude import ClaudeClient, EmulatorProcess
from workbench.data import Dataset, Split
from workbench.errors import EvaluationError, SpecError
from workbench.evaluation import (
    Decision,
    Evaluation,
    Gate,
    GateRule,
    SequentialOutcome,
    caveats,
    decide_sequentially,
    evaluate,
    read_spec,
    sequential_rule,
)
from workbench.evaluation.anytime import anytime_measured
from workbench.predictors import logistic_baseline
from workbench.scorers import EXAMPLE_SCORES, METRICS
from workbench.tasks import load_task

TASK = load_task("lead_conversion")
SPLIT = Split("random", 0.6, 0)
QUICK: dict[str, Any] = {"latency_sample": 5, "n_resamples": 100, "split": SPLIT}


class Coin(ClassifierMixin, BaseEstimator):
    """Guesses."""

    def fit(self, X: pd.DataFrame, y: Any) -> "Coin":
        self.classes_ = np.array([0, 1])
        return self

    def predict_proba(self, X: pd.DataFrame) -> NDArray[np.float64]:
        p = pd.util.hash_pandas_object(X.index.to_frame(), index=False).to_numpy() / 2**64
        return np.column_stack([1 - p, p])


def test_claude_is_not_asked_on_once_all_is_decided(
    client: ClaudeClient, leads: Dataset, shared_emulator: EmulatorProcess
) -> None:
    claude = TASK.claude("zero_shot", leads, client=client, max_tokens=555)
    before = shared_emulator.books()["answered"]
    said: list[str] = []
    found = evaluate(
        TASK,
        {"coin": Coin(), "claude": claude},
        leads,
        stop_when="decided",
        minimum_effect=0.05,
        batch_size=20,
        on_progress=said.append,
        **QUICK,
    )
    result = found.sequential["claude"]
    assert result.outcome is SequentialOutcome.PROMOTE
    n = found.info.n_test
    assert n == result.last.n < (found.info.n_test_available or 0)
    assert shared_emulator.books()["answered"] - before == n
    assert found.records.groupby("arm").size().to_dict() == {"coin": n, "claude": n}
    assert found.info.stop_metric == "brier"
    y = found.records.loc[found.records["arm"] == "coin", "y"]
    assert found.info.test_base_rate == pytest.approx(y.mean())
    assert result.label == "sim:claude"
    assert result.sentence().startswith("sim:claude is better than the baseline")
    assert any("every arm is decided" in sentence for sentence in said)


def _stopped(leads: Dataset, **options: Any) -> Evaluation:
    arms = {"logistic": logistic_baseline(), "coin": Coin()}
    stop = {"stop_when": "decided", "minimum_effect": 0.05, "batch_size": 20}
    return evaluate(TASK, arms, leads, **(QUICK | stop | options))


def test_the_result_is_saved_and_can_be_computed_again(leads: Dataset, tmp_path: Path) -> None:
    made = _stopped(leads)
    made.save(tmp_path)
    again = Evaluation.load(tmp_path)
    assert again.info == made.info
    assert again.sequential == made.sequential
    result = again.sequential["coin"]
    # From the records alone, in the order they were asked.
    by_arm = dict(iter(again.records.groupby("arm")))
    y = by_arm["coin"]["y"].to_numpy()
    scores = {a: EXAMPLE_SCORES["brier"](y, r["proba"].to_numpy()) for a, r in by_arm.items()}
    gains = scores["logistic"] - scores["coin"]
    computed = decide_sequentially(
        lambda i, j: {"coin": gains[i:j]},
        len(gains),
        result.rule,
        batch_size=20,
        groups=by_arm["coin"]["group"].to_numpy(),
    )["coin"]
    assert computed.outcome is result.outcome
    np.testing.assert_allclose(computed.path, result.path)


@pytest.mark.parametrize("metric_name", ["accuracy", "log_loss"])
def test_other_metrics_can_stop_it(leads: Dataset, metric_name: str) -> None:
    found = _stopped(leads, stop_metric=metric_name, minimum_effect=0.1)
    rule = found.sequential["coin"].rule
    assert rule.alpha == pytest.approx(0.05)
    assert rule.limits == sequential_rule(metric_name, 0.1).limits


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"stop_when": "decided"}, "the smallest gain worth finding"),
        ({"stop_when": "bored", "minimum_effect": 0.1}, "stop_when is 'bored'"),
        ({"stop_when": "decided", "minimum_effect": -1.0}, "the rule cannot be made"),
        (
            {"stop_when": "decided", "minimum_effect": 0.1, "stop_metric": "roc_auc"},
            "'roc_auc' cannot be decided example by example",
        ),
    ],
)
def test_an_incomplete_rule_is_refused_before_anything_is_fitted(
    leads: Dataset, options: dict[str, Any], said: str
) -> None:
    heard: list[str] = []
    with pytest.raises(EvaluationError, match=said):
        evaluate(
            TASK,
            {"a": Coin(), "b": Coin()},
            leads,
            on_progress=heard.append,
            **QUICK,
            **options,
        )
    assert heard == []


@pytest.mark.parametrize("positives", [0, 1, 3])
def test_a_stop_after_few_rows_still_makes_every_figure(positives: int) -> None:
    """What was asked and paid for is shown, though a class is too rare for some intervals."""
    y = np.zeros(30, dtype=np.int8)
    y[:positives] = 1
    rng = np.random.default_rng(0)
    frames = [arm_records(name, y, rng.random(30)) for name in ("old", "new")]
    info = dataclasses.replace(INFO, baseline="old", n_test=30, test_base_rate=positives / 30)
    made = Evaluation(info, (arm_info("old"), arm_info("new")), pd.concat(frames))
    for grouped in (False, True):
        if grouped:
            made.records["group"] = np.tile(np.arange(30) // 2, 2)
            made = Evaluation(info, made.arms, made.records)
        found = made.measurements["new", "roc_auc"]
        assert np.isnan(found.estimate) == (positives == 0)
        assert made.measurements["new", "brier"].ci_upper < 1
        d = made.compare("roc_auc")["new"].difference
        assert positives > 1 or not d.ci_lower > 0
        assert len(made.to_frame()) == 2 * len(METRICS)
        assert "ROC AUC" in made.compare("roc_auc").sentence("new")


# ---------------------------------------------------------------- the gate


def _decided(
    gain: float,
    n: int = 4000,
    seed: int = 0,
    *,
    effect: float = 0.05,
    batch_size: int = 25,
    origin: str | None = "live",
) -> Evaluation:
    """A run on made-up answers that stopped by accuracy; `gain` is the truth."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 2, n).astype(np.int8)
    u = rng.random(n)
    right = {"old": u < 0.7, "new": np.where(u < 0.5, u < 0.5, rng.random(n) < 0.4 + 2 * gain)}
    proba = {a: np.where(r == (y == 1), 0.8, 0.2) for a, r in right.items()}
    rule = sequential_rule("accuracy", effect)
    gains = right["new"].astype(float) - right["old"]
    results = decide_sequentially(lambda i, j: {"new": gains[i:j]}, n, rule, batch_size=batch_size)
    used = results["new"].last.n
    records = pd.concat(
        [
            arm_records(
                name, y[:used], p[:used], rng.gamma(4, 0.0005, used), origin=origin,
                latency_s=rng.gamma(4, 0.1, used),
            )
            for name, p in proba.items()
        ],
        ignore_index=True,
    )  # fmt: skip
    info = dataclasses.replace(
        INFO, baseline="old", n_test=used, n_test_available=n, stop_metric="accuracy",
        test_base_rate=float(y[:used].mean()),
    )  # fmt: skip
    arms = (arm_info("old", origin), arm_info("new", origin))
    return Evaluation(info, arms, records, results)


BETTER = GateRule("accuracy", at_least=0.0, difference=True)


def test_a_rule_on_the_metric_that_decided_reads_its_anytime_interval() -> None:
    made = _decided(0.1)
    last = made.sequential["new"].last
    rule = Gate([BETTER], "accuracy").judge(made).arm("new").rules[0]
    assert made.sequential["new"].outcome is SequentialOutcome.PROMOTE
    assert rule.decision is Decision.PROMOTE
    assert (rule.estimate, rule.ci_lower, rule.ci_upper) == (
        last.estimate, last.ci_lower, last.ci_upper,
    )  # fmt: skip
    fixed = made.compare("accuracy")["new"].difference
    assert rule.ci_upper - rule.ci_lower > fixed.ci_upper - fixed.ci_lower


def test_a_loss_is_turned_around(leads: Dataset) -> None:
    made = _stopped(leads)
    last = made.sequential["coin"].last
    rule = GateRule("brier", at_most=0.0, difference=True)
    judged = Gate([rule], "brier").judge(made).arm("coin").rules[0]
    assert judged.decision is Decision.REJECT
    assert (judged.ci_lower, judged.ci_upper) == (-last.ci_upper, -last.ci_lower)
    assert judged.estimate == -last.estimate > 0


def test_an_arm_that_was_given_up_is_rejected() -> None:
    made = _decided(0.0, effect=0.1)
    assert made.sequential["new"].outcome is SequentialOutcome.FUTILE
    assert made.sequential["new"].last.ci_lower < 0 < made.sequential["new"].last.ci_upper
    assert Gate([BETTER], "accuracy").judge(made).decision is Decision.REJECT
    # It was given up on a gain; whether it is not worse by far is another question.
    worse = GateRule("accuracy", at_least=-0.02, difference=True)
    found = Gate([worse], "accuracy").judge(made).arm("new").rules[0]
    assert found.decision is not Decision.REJECT


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (GateRule("accuracy", at_least=0.6), Decision.PROMOTE),
        (GateRule("brier", at_most=0.1), Decision.REJECT),
        (GateRule("log_loss", at_most=0.9), Decision.PROMOTE),
        (GateRule("brier", at_most=0.0, difference=True), Decision.PROMOTE),
        (GateRule("error_rate", at_most=0.1), Decision.PROMOTE),
        (GateRule("cost_per_1000_usd", at_most=3.0), Decision.PROMOTE),
        (GateRule("cost_per_1000_usd", at_most=1.0), Decision.REJECT),
        (GateRule("latency_p50_s", at_most=1.0), Decision.PROMOTE),
        (GateRule("latency_p50_s", at_most=0.1), Decision.REJECT),
        (GateRule("roc_auc", at_least=0.5), Decision.CANNOT_DECIDE),
        (GateRule("ece", at_most=0.5), Decision.CANNOT_DECIDE),
        (GateRule("cost_per_correct_usd", at_most=9.0), Decision.CANNOT_DECIDE),
        (GateRule("ttft_p50_s", at_most=1.0), Decision.CANNOT_DECIDE),
    ],
    ids=lambda v: f"{v.metric} {v.at_least} {v.at_most}" if isinstance(v, GateRule) else str(v),
)
def test_other_rules_have_intervals_that_hold_or_decide_nothing(
    rule: GateRule, expected: Decision
) -> None:
    found = Gate([rule], "accuracy").judge(_decided(0.12, effect=0.04)).arm("new").rules[0]
    assert found.decision is expected
    if rule.metric in ("roc_auc", "ece"):
        assert "holds when asking stops by itself" in found.note


def test_the_gate_keeps_its_error_rate_though_it_looks_all_the_time() -> None:
    """Under no difference, promoting or rejecting for sure errs at 5 % at most."""
    wrong = 0
    for seed in range(120):
        made = _decided(0.0, 700, seed, effect=0.05, batch_size=50)
        result = made.sequential["new"]
        wrong += result.outcome in (SequentialOutcome.PROMOTE, SequentialOutcome.REJECT)
    # At most 5 %: more than 13 of 120 has a chance below 0.5 %.
    assert wrong <= 13


def test_intervals_that_hold_at_any_time_hold_where_it_stopped() -> None:
    """Coverage of costs and quantiles at the data's own stopping point."""
    truth = {"cost_per_1000_usd": 2.0, "latency_p50_s": 0.36721}
    missed = dict.fromkeys(truth, 0)
    for seed in range(80):
        made = _decided(0.03, 700, seed, effect=0.05, batch_size=50)
        for name, value in truth.items():
            found = anytime_measured(made, "new", name)
            assert found is not None
            missed[name] += not found.ci_lower <= value <= found.ci_upper
    # At most 5 %: more than 10 of 80 has a chance below 0.5 %.
    assert all(count <= 10 for count in missed.values()), missed


def test_the_reader_is_told() -> None:
    made = _decided(0.1)
    told = {c.code: c for c in caveats(made)}
    assert told["WB-C10"].severity == "warning"
    assert f"after {made.info.n_test:,} of 4,000 test examples" in told["WB-C10"].text
    assert "WB-C10" not in {c.code for c in caveats(dataclasses.replace(made, sequential={}))}


def test_a_stand_in_is_not_decided_however_clear_it_looks() -> None:
    verdict = Gate([BETTER], "accuracy").judge(_decided(0.1, origin="simulated"))
    assert verdict.decision is Decision.CANNOT_DECIDE
    assert verdict.arm("new").rules[0].decision is Decision.PROMOTE


def test_a_spec_says_when_to_stop(tmp_path: Path) -> None:
    text = (
        "name: s\ntask: lead_conversion\ndataset: {name: brokerage}\nbaseline: p\n"
        "gates: [{metric: brier, difference: true, at_most: 0}]\n"
        "arms: {p: {kind: prior}, l: {kind: logistic}}\n"
    )
    path = tmp_path / "spec.yaml"
    path.write_text(text + "stop: {minimum_effect: 0.01}\n", encoding="utf-8")
    stop = read_spec(path).stop
    assert stop is not None
    assert (stop.when, stop.metric, stop.bound, stop.batch_size) == ("decided", "brier", 0.0, 50)
    for wrong, said in (
        ("{}", "minimum_effect"),
        ("{minimum_effect: 0}", "minimum_effect"),
        ("{minimum_effect: 0.1, metric: roc_auc}", "stop.metric"),
        ("{minimum_effect: 0.1, when: bored}", "stop.when"),
    ):
        path.write_text(f"{text}stop: {wrong}\n", encoding="utf-8")
        with pytest.raises(SpecError, match=said):
            read_spec(path)
