import dataclasses
from typing import Any

import numpy as np
import pandas as pd
import pytest
from tests.evaluation.recorded import arm_records, cascade_run

from workbench.errors import EvaluationError
from workbench.evaluation import Evaluation, cascade_frontier, saving
from workbench.evaluation.routing import gain_recovered
from workbench.evaluation.savings import paired_effect


def test_curves_run_from_the_first_stage_to_the_last_member() -> None:
    made = cascade_run(3000)
    found = cascade_frontier(made, "cascade", margin=0.02)
    accuracy = {a: made.estimate(a, "accuracy").estimate for a in made.arm_names}
    cost = {a: made.estimate(a, "cost_per_1000_usd").estimate for a in made.arm_names}
    for router in ("cascade", "random", "length", "oracle"):
        curve = found.curve(router)
        assert curve[0].share == 0
        assert curve[0].estimate == pytest.approx(accuracy["weak"])
        assert curve[-1].share == 1
        assert curve[-1].estimate == pytest.approx(accuracy["strong"])
        # A cascade pays for both; whoever knows beforehand whom to ask pays for one.
        both = cost["weak"] if router == "cascade" else 0.0
        assert curve[-1].cost_per_1000_usd == pytest.approx(cost["strong"] + both)
        assert np.diff([p.share for p in curve]).min() > 0
    assert found.last_only.cost_per_1000_usd == pytest.approx(cost["strong"])
    assert found.operating.estimate == pytest.approx(accuracy["cascade"])
    assert found.operating.cost_per_1000_usd == pytest.approx(cost["cascade"])
    # The curve passes through where the cascade ran.
    nearest = min(found.curve("cascade"), key=lambda p: abs(p.share - found.operating.share))
    assert nearest.estimate == pytest.approx(found.operating.estimate, abs=0.02)


def test_baselines_are_given_the_same_money() -> None:
    found = cascade_frontier(cascade_run(3000), "cascade")
    spent = found.operating.cost_per_1000_usd
    at = {point.router: point for point in found.beside}
    assert at["random"].cost_per_1000_usd == pytest.approx(spent)
    assert at["random"].share > found.operating.share, "it pays for one member, not for both"
    assert 0.9 * spent < at["length"].cost_per_1000_usd <= spent
    assert at["oracle"].cost_per_1000_usd <= spent
    assert at["oracle"].estimate > found.operating.estimate > at["random"].estimate
    assert at["length"].estimate == pytest.approx(at["random"].estimate, abs=0.03)


def test_a_good_score_beats_chance_and_prompt_length_does_not() -> None:
    found = cascade_frontier(cascade_run(4000, skill=2.0), "cascade")
    assert found.versus_random.ci_lower > 0
    recovered = found.recovered
    assert recovered["cascade"].ci_lower > 0.55
    assert recovered["length"].ci_lower < 0.5 < recovered["length"].ci_upper
    assert recovered["oracle"].estimate > recovered["cascade"].estimate
    assert found.calls_needed["oracle"] < found.calls_needed["cascade"] < 0.8
    said = " ".join(found.sentences())
    assert "cascade beats choosing rows at random for the same money" in said
    assert "0.50 at random" in said


def test_a_blind_score_is_no_better_than_chance() -> None:
    beaten = 0
    for seed in range(60):
        found = cascade_frontier(cascade_run(600, seed, skill=0.0), "cascade")
        beaten += found.versus_random.ci_lower > 0
    # One-sided 2.5 %, and the first stage is paid for on top: six of 60 has chance 0.3 %.
    assert beaten <= 5


def test_without_a_better_last_member_there_is_nothing_to_recover() -> None:
    found = cascade_frontier(cascade_run(1500, strong=0.7), "cascade")
    assert found.recovered == {}
    assert "strong is not shown to be better than weak" in " ".join(found.sentences())


def test_the_area_is_one_half_at_random_and_straight_within_ties() -> None:
    rng = np.random.default_rng(0)
    gains = rng.choice([-1.0, 0.0, 1.0], size=20_000, p=[0.1, 0.6, 0.3])
    once = np.ones((1, len(gains)))
    assert gain_recovered(rng.random(len(gains)), gains, once)[0] == pytest.approx(0.5, abs=0.02)
    assert gain_recovered(np.zeros(len(gains)), gains, once)[0] == pytest.approx(0.5)
    perfect = gain_recovered(gains, gains, once)[0]
    order = np.sort(gains)[::-1]
    by_hand = np.trapezoid(np.concatenate([[0], np.cumsum(order)]), dx=1) / len(gains) / gains.sum()
    assert perfect == pytest.approx(by_hand)
    twice = np.full((1, len(gains)), 2.0)
    assert gain_recovered(gains, gains, twice)[0] == pytest.approx(perfect)


# ---------------------------------------------------------------- savings


def test_savings_say_what_is_shown_and_what_is_not() -> None:
    made = cascade_run(6000, skill=3.0, share=0.4)
    strict, lax = (saving(made, "cascade", "strong", margin=margin) for margin in (0.0005, 0.08))
    assert lax.equal.holds
    assert not strict.equal.holds
    assert lax.cost.lift == pytest.approx(
        made.estimate("cascade", "cost_per_1000_usd").estimate
        / made.estimate("strong", "cost_per_1000_usd").estimate
        - 1
    )
    assert lax.cost.lift_ci_lower < lax.cost.lift < lax.cost.lift_ci_upper < 0
    assert "is shown not to be worse by 8.0 % or more" in lax.sentence()
    assert "is not shown not to be worse by 0.1 % or more" in strict.sentence()
    assert "less than strong (plausible savings" in lax.sentence()
    assert lax.to_frame()["what"].tolist() == ["accuracy", "cost_per_1000_usd", "tokens"]


def test_a_worse_arm_is_called_equal_as_rarely_as_promised() -> None:
    """At a loss of exactly the margin, equality is an error of 2.5 %."""
    rng = np.random.default_rng(4)
    n, margin, errors, runs = 900, 0.03, 0, 400
    for _ in range(runs):
        a = rng.choice([-1.0, 0.0, 1.0], size=n, p=[0.06 + margin, 0.88 - margin, 0.06])
        effect = paired_effect(a, np.zeros(n), None, 0.95)
        errors += effect.ci_lower > -margin
    # More than 20 of 400 at 2.5 % has a chance below 0.2 %.
    assert errors <= 20


def test_arms_that_never_differ_on_few_rows_are_not_equal_for_sure() -> None:
    y = np.array([0, 1] * 20, dtype=np.int8)
    proba = np.where(y == 1, 0.8, 0.2)
    made = cascade_run(40)
    records = [arm_records(name, y, proba, 0.001) for name in ("weak", "strong", "cascade")]
    same = dataclasses.replace(made, records=pd.concat(records, ignore_index=True))
    assert not saving(same, "weak", "strong", margin=0.02).equal.holds
    assert saving(same, "weak", "strong", margin=0.25).equal.holds
    assert "costs as much as strong" in saving(same, "weak", "strong").sentence()


def test_groups_widen_what_is_said() -> None:
    alone = cascade_run(1200)
    grouped = cascade_run(1200, groups=np.repeat(np.arange(300), 4))
    table = grouped.scores.groups
    assert table is not None
    found = cascade_frontier(grouped, "cascade")
    assert found.versus_random.n_groups == 300
    assert found.versus_last.quality.n_groups == 300
    assert cascade_frontier(alone, "cascade").versus_random.n_groups is None


def test_the_relative_saving_covers_the_truth() -> None:
    """The interval of a ratio of paired means, by simulation."""
    rng = np.random.default_rng(5)
    covered, runs = 0, 400
    for _ in range(runs):
        control = rng.gamma(4, 0.5, 300)
        treatment = control * 0.05 + control * (rng.random(300) < 0.3)
        effect = paired_effect(treatment, control, None, 0.95)
        covered += effect.lift_ci_lower <= -0.65 <= effect.lift_ci_upper
    assert 0.92 <= covered / runs <= 0.98


# ---------------------------------------------------------------- honesty


def test_nothing_simulated_goes_without_its_mark() -> None:
    found = cascade_frontier(cascade_run(800, origin="simulated"), "cascade")
    assert found.simulated
    assert (found.arm, found.first, found.last) == ("sim:cascade", "sim:weak", "sim:strong")
    for sentence in found.sentences():
        assert "cascade" not in sentence.replace("sim:cascade", "").replace("The cascade's", "")


def test_rows_without_a_first_answer_count_as_wrong_and_come_first() -> None:
    made = cascade_run(1000)
    mask = (made.records["arm"] == "cascade") & (made.records.index % 10 == 0)
    made.records.loc[mask, "first_proba"] = np.nan
    made.records.loc[mask, "escalation_score"] = np.inf
    found = cascade_frontier(made, "cascade")
    assert found.curve("cascade")[0].estimate < made.estimate("weak", "accuracy").estimate
    assert found.operating.share > 0.3


@pytest.mark.parametrize(
    ("arm", "options", "said"),
    [
        ("weak", {}, "arm 'weak' has no frontier"),
        ("none", {}, "no arm 'none'"),
        ("cascade", {"metric_name": "roc_auc"}, "savings by 'roc_auc'"),
        ("cascade", {"margin": 0.0}, "a margin above 0"),
    ],
)
def test_what_has_no_frontier_says_why(arm: str, options: dict[str, Any], said: str) -> None:
    with pytest.raises(EvaluationError, match=said):
        cascade_frontier(cascade_run(200), arm, **options)


def test_a_frontier_needs_the_last_member_as_an_arm() -> None:
    made = cascade_run(200)
    left = made.records[made.records["arm"] != "strong"]
    alone = Evaluation(made.info, (made.arms[0], made.arms[2]), left)
    with pytest.raises(EvaluationError, match="evaluate the last member as an arm of its own"):
        cascade_frontier(alone, "cascade")
