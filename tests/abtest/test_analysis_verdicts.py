"""Sample ratio first, then verdicts that hold at their rates."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from workbench.abtest import Design, analyse, money_value, register, why_this_wide
from workbench.errors import EvaluationError, SpecError
from workbench.stats import adjust_pvalues, compare_means, compare_proportions
from workbench.stats.moments import Moments

AS_OF = datetime(2026, 3, 1, tzinfo=UTC)
MEAN = {"kind": "mean", "role": "primary"}


def design(metrics: dict[str, Any] | None = None, **changes: Any) -> Design:
    return Design.model_validate(
        {
            "name": "t", "arms": {"old": 1, "new": 1},
            "metrics": metrics or {"reply": {"kind": "proportion", "role": "primary"}}, **changes,
        }
    )  # fmt: skip


def replies(old: int, new: int, n: int = 1000, m: int = 1000) -> pd.DataFrame:
    values = [1] * old + [0] * (n - old) + [1] * new + [0] * (m - new)
    return pd.DataFrame({"arm": ["old"] * n + ["new"] * m, "reply": values})


def codes(found: Any) -> dict[str, str]:
    return {f.code: f.severity for f in found.findings}


# ---------------------------------------------------------------- the sample ratio


def test_the_configured_ratio_is_what_counts() -> None:
    data = replies(950, 60, 9500, 500)
    assert analyse(design(arms={"old": 95, "new": 5}), data, as_of=AS_OF).ratio.test.pvalue == 1.0
    found = analyse(design(), data, as_of=AS_OF)
    assert found.ratio.alarm
    assert codes(found)["WB-X01"] == "blocks"
    assert found.findings[0].code == "WB-X01"
    assert [d.decision for d in found.decisions] == ["cannot decide"]
    assert "WB-X01" in found.decisions[0].reasons[0]


def mismatch(*, everywhere: bool) -> pd.DataFrame:
    """On one day (or on all) most of the new arm is lost."""
    rng = np.random.default_rng(4)
    n = 12_000
    day = rng.integers(0, 6, n)
    data = pd.DataFrame(
        {
            "arm": rng.choice(["old", "new"], n),
            "reply": rng.integers(0, 2, n),
            "browser": rng.choice(["x", "y", "z"], n),
            "exposed_at": datetime(2026, 1, 5, tzinfo=UTC) + day * np.array(timedelta(days=1)),
        }
    )
    hit = (data["arm"] == "new") & (rng.random(n) < 0.6) & ((day == 3) | everywhere)
    return data[~hit]


def test_an_alarm_names_its_likely_cause() -> None:
    found = analyse(design(segments=["browser"]), mismatch(everywhere=False), as_of=AS_OF).ratio
    assert found.alarm
    first = found.causes[0]
    assert (first.dimension, first.level) == ("day", "2026-01-08")
    assert first.rest_pvalue > 0.01
    assert first.observed["new"] < 0.45
    assert "without it the rest fits" in found.sentence


def test_a_mismatch_everywhere_points_at_the_assignment() -> None:
    found = analyse(design(segments=["browser"]), mismatch(everywhere=True), as_of=AS_OF).ratio
    assert "the rest does not fit either" in found.sentence
    assert found.causes[0].rest_pvalue < 0.001


def test_clusters_are_counted_where_clusters_are_assigned() -> None:
    # One huge agent: units are 10 to 1, agents are even.
    sizes = {"old": [20] * 30, "new": [20] * 29 + [4000]}
    data = pd.concat(
        pd.DataFrame({"arm": arm, "agent": f"{arm}-{i}", "reply": [k % 2 for k in range(size)]})
        for arm, all_sizes in sizes.items()
        for i, size in enumerate(all_sizes)
    )
    found = analyse(design(cluster={"column": "agent"}), data, as_of=AS_OF)
    assert (found.ratio.counted, found.ratio.test.observed) == ("clusters", (30, 30))
    assert not found.ratio.alarm


def test_the_alarm_goes_off_at_its_rate() -> None:
    rng = np.random.default_rng(1)
    n = rng.binomial(2000, 0.5, 400)
    frames = [replies(1, 1, int(k), int(2000 - k)) for k in n]
    alarms = sum(analyse(design(), f, as_of=AS_OF, threads=1).ratio.alarm for f in frames[:40])
    assert alarms <= 1


# ---------------------------------------------------------------- verdicts


def test_a_better_arm_is_promoted_with_its_reasons() -> None:
    found = analyse(design(), replies(100, 160), as_of=AS_OF)
    effect = found.effect("reply")
    assert (effect.verdict, found.decisions[0].decision) == ("better", "promote")
    assert effect.effect == compare_proportions((100, 1000), (160, 1000))
    assert "new is better than old (10.00 % → 16.00 %, +6.00 pp" in effect.sentence()
    worse = analyse(design(), replies(160, 100), as_of=AS_OF)
    assert (worse.effect("reply").verdict, worse.decisions[0].decision) == ("worse", "reject")
    down = {"reply": {"kind": "proportion", "role": "primary", "higher_is_better": False}}
    assert analyse(design(down), replies(160, 100), as_of=AS_OF).decisions[0].decision == "promote"


def test_an_open_question_says_how_many_more() -> None:
    effect = analyse(design(), replies(100, 115), as_of=AS_OF).effect("reply")
    assert effect.verdict == "inconclusive"
    assert effect.n_to_decide is not None
    factor = effect.n_to_decide / 2000
    bigger = replies(*(round(x * factor) for x in (100, 115, 1000, 1000)))
    assert analyse(design(), bigger, as_of=AS_OF).effect("reply").effect.pvalue < 0.055
    assert f"about {effect.n_to_decide:,} units would tell" in effect.sentence()


def test_arms_and_metrics_are_corrected_together() -> None:
    rng = np.random.default_rng(3)
    n = 3000
    arm = rng.choice(["a", "b", "c"], n)
    data = pd.DataFrame({"arm": arm, "u": rng.normal(size=n) + 0.12 * (arm == "b"),
                         "v": rng.normal(size=n), "w": rng.normal(size=n)})  # fmt: skip
    d = design({"u": MEAN, "v": MEAN, "w": {"kind": "mean"}}, arms=dict.fromkeys("abc", 1))
    found = analyse(d, data, as_of=AS_OF)
    primary = [e for e in found.effects if e.role == "primary"]
    assert len(primary) == 4
    wanted = adjust_pvalues([e.pvalue for e in primary], "holm")
    assert [e.pvalue_adjusted for e in primary] == pytest.approx(wanted.tolist())
    first = primary[0]
    moments = [Moments.of(data.loc[data["arm"] == x, "u"]) for x in "ab"]
    wide = compare_means(moments[0], moments[1], confidence_level=1 - 0.05 / 4)
    assert (first.ci_lower, first.ci_upper) == pytest.approx((wide.ci_lower, wide.ci_upper))
    assert first.effect.ci_lower > first.ci_lower
    # Secondary metrics are a family of their own.
    assert [e.pvalue_adjusted for e in found.effects if e.role == "secondary"] == pytest.approx(
        adjust_pvalues([e.pvalue for e in found.effects if e.role == "secondary"]).tolist()
    )


@pytest.mark.parametrize(
    ("new", "verdict", "decision"),
    [(40, "holds", "promote"), (62, "not shown", "cannot decide"), (99, "violated", "reject")],
)
def test_guardrails_must_hold_their_margin(new: int, verdict: str, decision: str) -> None:
    data = replies(200, 300, 2000, 2000)
    data["unsubscribed"] = [1] * 40 + [0] * 1960 + [1] * new + [0] * (2000 - new)
    guard = {"kind": "proportion", "role": "guardrail", "margin": 0.012, "higher_is_better": False}
    d = design({"reply": {"kind": "proportion", "role": "primary"}, "unsubscribed": guard})
    found = analyse(d, data, as_of=AS_OF)
    effect = found.effect("unsubscribed")
    assert (effect.verdict, found.decisions[0].decision) == (verdict, decision)
    assert effect.margin is not None
    assert effect.margin.holds == (verdict == "holds")


def test_the_lift_has_the_sign_of_the_difference() -> None:
    rng = np.random.default_rng(2)
    data = pd.DataFrame({"arm": ["old", "new"] * 500, "v": rng.normal(-10, 1, 1000)})
    data.loc[data["arm"] == "new", "v"] += 1
    effect = analyse(design({"v": MEAN}), data, as_of=AS_OF).effect("v")
    assert effect.effect.lift == pytest.approx(0.1, abs=0.02)
    assert effect.verdict == "better"


def test_the_winners_curse_is_taken_off_and_a_prior_shrinks() -> None:
    metric = {"kind": "proportion", "role": "primary", "prior_sd": 0.02}
    effect = analyse(design({"reply": metric}), replies(100, 131), as_of=AS_OF).effect("reply")
    assert effect.verdict == "better"
    assert effect.corrected is not None
    assert 0 < effect.corrected.estimate < 0.7 * effect.effect.difference
    assert effect.posterior is not None
    assert effect.posterior.difference < effect.effect.difference
    assert 0.95 < effect.posterior.chance_to_win < 1


# ---------------------------------------------------------------- segments


def test_effects_that_differ_are_found_and_others_are_not() -> None:
    rng = np.random.default_rng(5)
    n = 8000
    data = pd.DataFrame({"arm": rng.choice(["old", "new"], n), "v": rng.normal(size=n),
                         "role": rng.choice(["jr", "sr"], n),
                         "city": rng.choice(list("xyz"), n)})  # fmt: skip
    data.loc[(data["arm"] == "new") & (data["role"] == "jr"), "v"] += 0.3
    found = analyse(design({"v": MEAN}, segments=["role", "city"]), data, as_of=AS_OF)
    assert {s.segment: s.differs for s in found.segments} == {"role": True, "city": False}
    assert codes(found)["WB-X17"] == "note"
    frame = found.segments_frame()
    assert len(frame) == 5
    assert frame.loc[frame["level"] == "jr", "difference"].item() == pytest.approx(0.3, abs=0.07)
    assert "Effects differ in 1 of 2 segment tests" in found.to_markdown()


# ---------------------------------------------------------------- looks


def test_looking_early_is_said() -> None:
    found = analyse(design(planned_units=5000), replies(100, 160), as_of=AS_OF)
    assert codes(found)["WB-X10"] == "warning"
    assert "WB-X10" not in codes(analyse(design(planned_units=2000), replies(9, 9), as_of=AS_OF))


def test_always_valid_intervals_are_wider_and_decide() -> None:
    plan: dict[str, Any] = {"sequential": {"kind": "always_valid"}, "planned_units": 2000}
    found = analyse(design(**plan), replies(100, 135), as_of=AS_OF)
    effect = found.effect("reply")
    assert effect.effect.pvalue < 0.05 < effect.pvalue
    assert effect.verdict == "inconclusive"
    assert effect.ci_upper - effect.ci_lower > effect.effect.ci_upper - effect.effect.ci_lower
    assert "WB-X10" not in codes(found)
    assert (
        analyse(design(**plan), replies(100, 170), as_of=AS_OF).effect("reply").verdict == "better"
    )


def test_group_sequential_looks_spend_alpha() -> None:
    plan: dict[str, Any] = {
        "sequential": {"kind": "group_sequential", "looks": 2},
        "planned_units": 4000,
    }
    d = design(**plan)
    early = analyse(d, replies(100, 135), as_of=AS_OF).effect("reply")
    assert early.effect.pvalue < 0.05
    assert early.verdict == "inconclusive"  # O'Brien-Fleming: |z| > 2.96 halfway
    late = analyse(d, replies(200, 250, 2000, 2000), as_of=AS_OF, earlier_looks=[0.5])
    assert late.effect("reply").verdict == "better"
    with pytest.raises(SpecError, match="at most 2 looks"):
        analyse(d, replies(200, 250), as_of=AS_OF, earlier_looks=[0.2, 0.3])


# ---------------------------------------------------------------- registration


def test_another_design_than_the_registered_one_decides_nothing(tmp_path: Path) -> None:
    registered = register(design(), tmp_path / "r.json")
    data = replies(100, 160)
    found = analyse(design(), data, registration=registered, as_of=AS_OF)
    assert (found.registered, codes(found)) == (True, {})
    changed = analyse(design(alpha=0.1), data, registration=registered, as_of=AS_OF)
    assert not changed.registered
    assert changed.findings[0].code == "WB-X02"
    assert "alpha: registered 0.05, now 0.1" in changed.findings[0].what
    assert changed.decisions[0].decision == "cannot decide"
    assert codes(analyse(design(), data, as_of=AS_OF)) == {"WB-X03": "warning"}


# ---------------------------------------------------------------- explanations and money


def test_the_width_is_explained_to_the_last_digit() -> None:
    rng = np.random.default_rng(7)
    agent = rng.integers(0, 60, 3000)
    x = rng.normal(0, 1.5, 60)[agent] + rng.normal(size=3000)
    shared = rng.normal(0, 0.8, 60)[agent]
    data = pd.DataFrame({"arm": np.where(agent % 3 == 0, "new", "old"), "agent": agent, "x": x,
                         "v": np.exp(0.3 * (x + shared + rng.normal(size=3000)))})  # fmt: skip
    metric = {**MEAN, "winsorise": {"upper": 0.01}}
    d = design({"v": metric, "w": {**MEAN, "column": "v"}}, cluster={"column": "agent"},
               covariates=["x"], arms={"old": 2, "new": 1})  # fmt: skip
    effect = analyse(d, data, as_of=AS_OF).effect("v")
    found = why_this_wide(effect)
    assert [f.cause for f in found.factors] == [
        "unequal arms", "caps", "clusters", "adjustment", "correction",
    ]  # fmt: skip
    product = found.start * np.prod([f.factor for f in found.factors])
    assert product == pytest.approx((effect.ci_upper - effect.ci_lower) / 2, rel=1e-12)
    factors = {f.cause: f.factor for f in found.factors}
    assert factors["clusters"] > 1.5
    assert factors["adjustment"] < 1 < factors["correction"]
    assert factors["caps"] < 1 < factors["unequal arms"]
    half = analyse(d, data[data["agent"] < 30], as_of=AS_OF).effect("v")
    other = why_this_wide(half, than=effect)
    product = other.start * np.prod([f.factor for f in other.factors])
    assert product == pytest.approx(other.end, rel=1e-9)
    assert other.factors[0].cause == "units"
    assert other.factors[0].factor == pytest.approx(np.sqrt(3000 / (data["agent"] < 30).sum()))
    assert "design effect" in found.to_markdown() and len(found.to_frame()) == 5
    with pytest.raises(EvaluationError, match="two intervals of one metric"):
        why_this_wide(effect, than=analyse(d, data, as_of=AS_OF).effect("w"))


def test_money_is_for_stated_units_only() -> None:
    d = design({"reply": {"kind": "proportion", "role": "primary", "usd": 50.0}})
    effect = analyse(d, replies(100, 131), as_of=AS_OF).effect("reply")
    found = money_value(d, effect, 1000, cost_usd=200)
    assert found.value_usd == pytest.approx(50 * 1000 * 0.031 - 200)
    assert found.ci_lower_usd == pytest.approx(50 * 1000 * effect.ci_lower - 200)
    assert found.corrected_usd < found.value_usd
    assert "for 1,000 units" in found.sentence
    assert "once for these units" in found.sentence
    with pytest.raises(EvaluationError, match="n_units is 0"):
        money_value(d, effect, 0)
    with pytest.raises(EvaluationError, match="nothing says what 'reply' is worth"):
        money_value(design(), effect, 10)


def test_an_analysis_is_shown_and_kept() -> None:
    found = analyse(design(), replies(100, 160), as_of=AS_OF)
    again = analyse(design(), replies(100, 160), as_of=AS_OF)
    assert found.to_json() == again.to_json()
    text, page = found.to_markdown(), found._repr_html_()
    for part in ("reply (primary)", "+6.00 pp", "WB-X03", "promote"):
        assert part in text
        assert part in page
    assert "<script" not in analyse(design(name="x y"), replies(1, 2), as_of=AS_OF)._repr_html_()
    with pytest.raises(KeyError, match="reply × new"):
        found.effect("visits")
    with pytest.raises(SpecError, match="without a time zone"):
        analyse(design(), replies(1, 1), as_of=AS_OF.replace(tzinfo=None))
