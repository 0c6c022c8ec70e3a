import dataclasses
from typing import Any

import numpy as np
import pandas as pd
import pytest

from workbench.errors import EvaluationError, SpecError
from workbench.evaluation import ArmInfo, Decision, Evaluation, Gate, GateRule, RunInfo, caveats

INFO = RunInfo(
    task="lead_conversion",
    task_version=1,
    dataset="mine",
    dataset_title="Mine",
    dataset_version="1",
    dataset_digest="0" * 64,
    dataset_kind="real",
    licence="internal",
    leaks_allowed=(),
    split="30% test at random",
    n_train=1000,
    n_test=1000,
    n_train_groups_removed=0,
    n_duplicates=0,
    train_base_rate=0.3,
    test_base_rate=0.3,
    baseline="old",
    n_repeats=1,
    n_resamples=200,
    confidence_level=0.95,
    random_state=0,
    created_at="2026-01-01T00:00:00+00:00",
    git_revision="abc",
    versions={},
    ceiling=None,
)


def arm_info(name: str, origin: str | None = None) -> ArmInfo:
    kind = "model" if origin is None else "claude"
    return ArmInfo(name, kind, name, origin, name, None, None, None, 0.0, 0.0, 0, {})


def evaluation(
    n: int = 1000, *, skill: dict[str, float], origin: dict[str, str] | None = None, **changes: Any
) -> Evaluation:
    """Arms whose probabilities see the truth through noise; more skill, less noise."""
    rng = np.random.default_rng(1)
    p = rng.beta(1.2, 2.8, n)
    y = (rng.random(n) < p).astype(np.int8)
    noise = rng.normal(size=n)
    frames = []
    for name, share in skill.items():
        log_odds = np.log(p / (1 - p)) * share + (1 - share) * noise
        frames.append(
            pd.DataFrame(
                {
                    "example_id": [f"e{i:05d}" for i in range(n)],
                    "arm": name,
                    "repeat": 0,
                    "y": y,
                    "group": None,
                    "tenant": None,
                    "proba": 1 / (1 + np.exp(-log_odds)),
                    "error": None,
                    "abstained": False,
                    "degraded": False,
                    "origin": (origin or {}).get(name),
                    "latency_s": rng.gamma(4, 0.01, n),
                    "cost_usd": 0.001,
                    "price_table": None,
                }
            )
        )
    records = pd.concat(frames, ignore_index=True)
    for key, value in changes.items():
        records[key] = value
    info = dataclasses.replace(INFO, n_test=n, test_base_rate=float(y.mean()))
    arms = tuple(arm_info(name, (origin or {}).get(name)) for name in skill)
    return Evaluation(info, arms, records)


BETTER = GateRule("roc_auc", at_least=0.0, difference=True)


def test_a_clearly_better_arm_is_promoted() -> None:
    verdict = Gate([BETTER]).judge(evaluation(skill={"old": 0.2, "new": 0.9}))
    assert verdict.decision is Decision.PROMOTE
    assert verdict.promoted == "new"
    assert verdict.passed
    assert verdict.headline == "Promote new over old."


def test_a_clearly_worse_arm_is_rejected() -> None:
    verdict = Gate([BETTER]).judge(evaluation(skill={"old": 0.9, "new": 0.2}))
    assert verdict.decision is Decision.REJECT
    assert verdict.headline == "Keep old: no arm meets the gate."


def test_too_little_data_cannot_decide_and_the_n_it_names_does() -> None:
    skill = {"old": 0.2, "new": 0.9}
    truth = evaluation(20_000, skill=skill).measurements["new", "roc_auc"].estimate
    gate = Gate([GateRule("roc_auc", at_least=truth - 0.03)])
    small = gate.judge(evaluation(150, skill=skill))
    assert small.decision is Decision.CANNOT_DECIDE
    needed = small.arm("new").n_needed
    assert needed is not None
    assert needed > 150
    assert f"About {needed:,} test examples" in small.headline
    # The figure itself moves when data is added, hence the margin.
    assert gate.judge(evaluation(4 * needed, skill=skill)).passed


def test_a_rule_is_judged_by_the_bound_of_its_interval_not_by_its_point() -> None:
    made = evaluation(400, skill={"old": 0.2, "new": 0.9})
    point = made.measurements["new", "roc_auc"].estimate
    verdict = Gate([GateRule("roc_auc", at_least=point - 1e-6)]).judge(made)
    assert verdict.decision is Decision.CANNOT_DECIDE


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (GateRule("latency_p95_s", at_most=1.0), Decision.PROMOTE),
        (GateRule("latency_p95_s", at_most=0.01), Decision.REJECT),
        (GateRule("cost_per_1000_usd", at_most=1.5), Decision.PROMOTE),
        (GateRule("cost_per_1000_usd", at_most=0.5), Decision.REJECT),
        (GateRule("error_rate", at_most=0.01), Decision.PROMOTE),
        (GateRule("log_loss", at_most=0.1), Decision.REJECT),
    ],
)
def test_rules_on_one_metric(rule: GateRule, expected: Decision) -> None:
    verdict = Gate([rule]).judge(evaluation(skill={"old": 0.2, "new": 0.9}))
    assert verdict.arm("new").decision is expected


def test_of_several_passing_arms_the_best_is_promoted() -> None:
    made = evaluation(skill={"old": 0.1, "good": 0.7, "better": 0.95})
    assert Gate([BETTER]).judge(made).promoted == "better"
    assert Gate([BETTER], primary_metric="log_loss").judge(made).promoted == "better"


def test_simulated_answers_never_promote_and_never_reject() -> None:
    for skill in ({"old": 0.2, "claude": 0.9}, {"old": 0.9, "claude": 0.1}):
        verdict = Gate([BETTER]).judge(evaluation(skill=skill, origin={"claude": "simulated"}))
        assert verdict.decision is Decision.CANNOT_DECIDE
        assert "simulated" in verdict.arm("claude").reason
        assert not verdict.passed


def test_the_latency_of_a_stand_in_is_not_judged() -> None:
    made = evaluation(skill={"old": 0.2, "claude": 0.9}, origin={"claude": "simulated"})
    verdict = Gate([GateRule("latency_p95_s", at_most=10)]).judge(made)
    result = verdict.arm("claude").rules[0]
    assert result.decision is Decision.CANNOT_DECIDE
    assert np.isnan(result.estimate)


@pytest.mark.parametrize("origin", ["live", "replay", "local"])
def test_answers_of_a_real_model_can_promote(origin: str) -> None:
    made = evaluation(skill={"old": 0.2, "claude": 0.9}, origin={"claude": origin})
    assert Gate([BETTER]).judge(made).promoted == "claude"


def test_failures_can_break_a_gate() -> None:
    made = evaluation(skill={"old": 0.2, "new": 0.9})
    made.records.loc[(made.records["arm"] == "new") & (made.records.index % 4 == 0), "error"] = "x"
    verdict = Gate([GateRule("error_rate", at_most=0.05)]).judge(made)
    assert verdict.arm("new").decision is Decision.REJECT
    assert any(c.code == "WB-C05" and "25.0%" in c.text for c in caveats(made))


def test_a_gate_needs_rules_and_arms() -> None:
    with pytest.raises(SpecError, match="the gate has no rules"):
        Gate([])
    with pytest.raises(SpecError, match="no arm beside the baseline 'old'"):
        Gate([BETTER]).judge(evaluation(skill={"old": 0.5}))


def test_type_one_error_of_the_gate_under_the_null() -> None:
    # Two arms of equal skill and independent noise: promoting either is an error.
    promoted = 0
    for seed in range(200):
        rng = np.random.default_rng(seed)
        made = evaluation(200, skill={"old": 0.5, "new": 0.5})
        y = made.records["y"].to_numpy()
        made.records["proba"] = 1 / (1 + np.exp(-(y - 0.5 + rng.normal(size=len(y)))))
        promoted += Gate([BETTER]).judge(made).passed
    # One-sided at 2.5 %: more than 12 of 200 has probability below 0.2 %.
    assert promoted <= 12


def test_comparisons_say_who_is_better_worse_or_undecided() -> None:
    found = evaluation(skill={"old": 0.5, "good": 0.95, "bad": 0.05, "same": 0.5}).compare()
    assert "good is better than old" in found.sentence("good")
    assert "bad is worse than old" in found.sentence("bad")
    assert "same and old do not differ" in found.sentence("same")
    assert list(found.to_frame()["arm"]) == ["good", "bad", "same"]
    less_is_better = evaluation(skill={"old": 0.5, "good": 0.95}).compare("log_loss")
    assert "good is better than old" in less_is_better.sentence("good")


def test_an_operational_metric_is_not_compared_pairwise() -> None:
    with pytest.raises(EvaluationError, match="cannot be compared pairwise"):
        evaluation(skill={"old": 0.5, "new": 0.6}).compare("latency_p50_s")


def test_caveats_tell_of_shift_leaks_and_small_samples() -> None:
    made = evaluation(200, skill={"old": 0.2, "new": 0.9})
    changed = dataclasses.replace(
        made.info, train_base_rate=0.02, leaks_allowed=("duration",), n_duplicates=50
    )
    codes = [c.code for c in caveats(dataclasses.replace(made, info=changed))]
    assert codes[0] == "WB-C02"
    assert {"WB-C03", "WB-C06", "WB-C07"} <= set(codes)
    assert not {"WB-C01", "WB-C08", "WB-C09"} & set(codes)


def test_an_evaluation_survives_being_saved(tmp_path: Any) -> None:
    made = evaluation(300, skill={"old": 0.2, "new": 0.9})
    made.save(tmp_path)
    again = Evaluation.load(tmp_path)
    assert again.info == made.info
    assert again.arms == made.arms
    pd.testing.assert_frame_equal(again.to_frame(), made.to_frame())


def test_a_folder_without_an_evaluation_is_named(tmp_path: Any) -> None:
    with pytest.raises(EvaluationError, match="no evaluation can be read"):
        Evaluation.load(tmp_path / "none")


def test_an_arm_that_is_worse_on_another_split_is_not_promoted() -> None:
    better = evaluation(skill={"old": 0.2, "new": 0.9})
    worse = evaluation(skill={"old": 0.9, "new": 0.1})
    alike = evaluation(skill={"old": 0.5, "new": 0.5})
    verdict = Gate([BETTER]).judge(better, [alike, worse])
    assert verdict.decision is Decision.REJECT
    assert verdict.headline == "Keep old: new is better here, but worse with 30% test at random."
    assert [r.code for r in verdict.arm("new").rules] == ["WB-G01", "WB-G05", "WB-G05"]
    assert Gate([BETTER]).judge(better, [alike]).promoted == "new"
    by_loss = Gate([BETTER], primary_metric="log_loss").judge(better, [worse])
    assert by_loss.decision is Decision.REJECT


def test_another_split_judges_only_the_arms_it_has() -> None:
    better = evaluation(skill={"old": 0.2, "new": 0.9})
    other = evaluation(skill={"old": 0.9, "else": 0.1})
    assert Gate([BETTER]).judge(better, [other]).promoted == "new"


def test_an_arm_that_does_what_the_baseline_does_is_not_promoted() -> None:
    made = evaluation(skill={"old": 0.5, "twin": 0.5})
    twin = made.records["arm"] == "twin"
    made.records.loc[twin, "proba"] = made.records.loc[~twin, "proba"].to_numpy()
    assert Gate([BETTER]).judge(made).decision is Decision.CANNOT_DECIDE
