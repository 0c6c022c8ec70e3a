"""A model as judge: what is asked, what comes back, and what an audit makes of it."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from workbench.claude import ClaudeClient, EmulatorProcess, FaultPlan, FaultRule, Origin
from workbench.errors import EvaluationError
from workbench.evaluation.judge import Judgements, JudgePair, PairwiseJudge
from workbench.evaluation.judge_answers import Criterion, judge_prompts, verdict_model
from workbench.evaluation.judge_audit import HumanVerdict, JudgeAudit, audit_judge
from workbench.evaluation.judge_correction import corrected_share, draw_calibration
from workbench.predictors import ANSWER_COLUMNS
from workbench.prompts import Prompt
from workbench.stats import cohen_kappa, judge_corrected_proportion, proportion_interval

CRITERIA = [Criterion("faithful", "Says only what the request supports."),
            Criterion("warm", "Sounds like a person.")]  # fmt: skip
MODEL = "claude-haiku-5-5"
Generator = np.random.Generator


def pairs(n: int) -> list[JudgePair]:
    return [
        JudgePair(f"p{i}", f"Answer lead {i}.", "plain", f"Plain answer {i}", "warm",
                  f"Warm <b>answer</b> {i}, at length")
        for i in range(n)
    ]  # fmt: skip


# ---------------------------------------------------------------- asking


@pytest.mark.parametrize("name", ["direct", "rubric_first", "critique_then_verdict"])
def test_every_variant_asks_both_ways_round_and_is_answered(
    client: ClaudeClient, name: str
) -> None:
    judge = PairwiseJudge(client, MODEL, CRITERIA, judge_prompts()[name])
    found = judge.judge(pairs(3), repeats=2)
    rows = found.rows
    assert len(rows) == 3 * 2 * 2 and rows["error"].isna().all()
    assert set(rows["winner"]) <= {"first", "second", "tie"}
    assert rows.groupby(["pair", "repeat"])["order"].agg(list).tolist() == [["ab", "ba"]] * 6
    assert set(ANSWER_COLUMNS) <= set(rows.columns)
    assert found.origin is Origin.SIMULATED and found.label == f"sim:{MODEL}/{name}"
    scores = {("ab", "first"): 1, ("ab", "second"): 0, ("ba", "first"): 0, ("ba", "second"): 1}
    expected = [scores.get(key, 0.5) for key in zip(rows["order"], rows["winner"], strict=True)]
    assert rows["score_a"].tolist() == expected and {0.0, 1.0} <= set(expected)
    assert found.cost_usd == pytest.approx(rows["cost_usd"].sum()) and found.cost_usd > 0
    assert rows["model_answered"].str.startswith("sim:").all()
    shown = found._repr_html_()
    assert "not Claude" in shown and "sim:" in shown and "Not yet held against people" in shown
    verdicts = found.verdicts()
    assert list(verdicts.index) == ["p0", "p1", "p2"] and not verdicts["failed"].any()


def test_the_texts_swap_places_and_cannot_give_orders(client: ClaudeClient) -> None:
    judge = PairwiseJudge(client, MODEL, CRITERIA)
    one, other = judge.requests(pairs(1))
    assert one.prompt.index("Plain") < one.prompt.index("Warm")
    assert other.prompt.index("Warm") < other.prompt.index("Plain")
    assert "&lt;b&gt;" in one.prompt and "<b>" not in one.prompt
    assert one.system == other.system and "1. faithful: Says only" in str(one.system)
    assert "plain" not in one.prompt and "warm" not in one.prompt  # the arms' names
    with pytest.raises(EvaluationError, match="2 pairs with 1 identifiers"):
        judge.requests(pairs(1) * 2)
    with pytest.raises(EvaluationError, match="no criteria"):
        PairwiseJudge(client, MODEL, []).requests(pairs(1))


def test_prompts_are_three_ways_of_judging_with_strict_answers() -> None:
    prompts = judge_prompts()
    assert len({p.digest for p in prompts.values()}) == len(prompts) == 3
    for prompt in prompts.values():
        schema = verdict_model(prompt).model_json_schema()
        assert schema["additionalProperties"] is False
        assert schema["properties"]["winner"]["enum"] == ["first", "second", "tie"]
    strange = Prompt("x", "X", "zero_shot", "", "", ())
    with pytest.raises(EvaluationError, match="strategy 'zero_shot'"):
        verdict_model(strange)


def test_answers_that_fail_are_counted_and_give_no_verdict(tmp_path: Path) -> None:
    rule = FaultRule("malformed_json", rate=0.4, seed=2)
    with (
        EmulatorProcess(FaultPlan((rule,))) as emulator,
        ClaudeClient(origin=Origin.SIMULATED, store=tmp_path / "a.sqlite",
                     base_url=emulator.url, max_retries=0) as client,
    ):  # fmt: skip
        found = PairwiseJudge(client, MODEL, CRITERIA).judge(pairs(10))
    failed = found.rows["error"].notna()
    assert failed.any() and not failed.all()
    assert found.rows.loc[failed, "score_a"].isna().all()
    broken = set(found.rows.loc[failed, "pair"])
    verdicts = found.verdicts()
    assert set(verdicts.index[verdicts["failed"]]) == broken
    audit = audit_judge(found, {})
    assert audit.n_failed == len(broken) and audit.n_pairs == 10


# ---------------------------------------------------------------- auditing

Judge = Callable[[int, str], str]


def judged(
    n: int, winner: Judge, *, repeats: int = 1, lengths: Any = (10, 10), origin: str = "local",
    arms: tuple[str, str] = ("x", "y"),
) -> Judgements:  # fmt: skip
    """Judgements of a rule: from number and order of a pair to first, second or tie."""
    scores = {"first": 1.0, "second": 0.0, "tie": 0.5}
    rows = []
    for repeat in range(repeats):
        for i in range(n):
            a, b = lengths[i] if isinstance(lengths, list) else lengths
            for order in ("ab", "ba"):
                said = winner(i, order)
                score = scores[said] if order == "ab" else 1 - scores[said]
                rows.append(
                    {"pair": f"p{i}", "arm_a": arms[0], "arm_b": arms[1], "length_a": a,
                     "length_b": b, "order": order, "repeat": repeat, "winner": said,
                     "score_a": score, "origin": origin, "cost_usd": 0.01}
                )  # fmt: skip
    return Judgements(pd.DataFrame(rows), "judge", "direct")


def prefers(side: Callable[[int], str]) -> Judge:
    """A judge that knows the better side of each pair, whatever the order."""

    def winner(i: int, order: str) -> str:
        if side(i) == "tie":
            return "tie"
        return "first" if (side(i) == "a") == (order == "ab") else "second"

    return winner


def people(n: int, side: Callable[[int], str]) -> dict[str, HumanVerdict]:
    return {f"p{i}": side(i) for i in range(n)}  # type: ignore[misc]


def thirds(i: int) -> str:
    return ("a", "b", "tie")[i % 3]


def audited(judgements: Judgements, human: dict[str, HumanVerdict], **options: Any) -> JudgeAudit:
    return audit_judge(judgements, human, **options)


def test_a_judge_that_agrees_with_people_is_trusted_and_one_that_does_not_is_not() -> None:
    good = audited(judged(90, prefers(thirds)), people(60, thirds))
    assert good.kappa is not None and good.kappa.estimate == 1
    assert 0.8 < good.kappa.ci_lower < 1  # sixty pairs do not prove perfection
    assert good.trusted() and not good.trusted(min_kappa=0.99)
    assert good.order_consistency is not None and good.order_consistency.estimate == 1
    odd = audited(judged(90, prefers(lambda i: thirds(i + 1))), people(60, thirds))
    assert odd.kappa is not None and odd.kappa.estimate < 0 and not odd.trusted(min_kappa=0.0)


def test_kappa_is_that_of_the_measure() -> None:
    rng = np.random.default_rng(0)
    noise = rng.choice(["a", "b", "tie"], 200)
    mixed = [thirds(i) if i % 4 else str(noise[i]) for i in range(200)]
    found = audited(judged(200, prefers(mixed.__getitem__)), people(200, thirds)).kappa
    expected = cohen_kappa([thirds(i) for i in range(200)], mixed, categories=["a", "b", "tie"])
    assert found is not None
    assert found.estimate == pytest.approx(expected.estimate)
    assert found.ci_lower <= expected.ci_lower and found.ci_upper == expected.ci_upper


def test_nothing_is_corrected_without_people() -> None:
    unseen = audited(judged(90, prefers(thirds)), people(29, thirds))
    assert unseen.kappa is None and not unseen.trusted(min_kappa=-1.0)
    with pytest.raises(EvaluationError, match="unmeasured: 29 pairs have both"):
        unseen.corrected_win_rate()
    assert "not measured" in unseen._repr_html_()


def test_a_stand_in_is_never_trusted() -> None:
    found = audited(judged(90, prefers(thirds), origin="simulated"), people(60, thirds))
    assert found.kappa is not None and found.kappa.estimate == 1
    assert not found.trusted(min_kappa=0.0) and found.label.startswith("sim:")
    assert "not Claude" in found._repr_html_()


def test_who_always_takes_the_first_is_found_out() -> None:
    found = audited(judged(60, lambda *_: "first"), people(60, thirds))
    assert found.prefers_first is not None and found.prefers_first.estimate == 1
    assert found.order_consistency is not None and found.order_consistency.estimate == 0
    assert set(found.verdicts["verdict"]) == {"tie"}
    assert not found.trusted(min_kappa=0.0)
    fair = audited(judged(60, prefers(thirds)), {})
    assert fair.prefers_first is not None and fair.prefers_first.estimate == 0.5


def test_who_takes_the_longer_is_found_out_beyond_what_people_do() -> None:
    lengths = [(20, 10) if i % 2 else (10, 20) for i in range(80)]

    def longer(i: int) -> str:
        return "a" if i % 2 else "b"

    def half(i: int) -> str:
        return "a" if i % 4 < 2 else "b"

    biased = audited(judged(80, prefers(longer), lengths=lengths), people(80, half))
    assert biased.longer_wins is not None and biased.longer_wins.estimate == 1
    assert biased.longer_beyond_people is not None
    assert biased.longer_beyond_people.difference == pytest.approx(0.5)
    assert biased.longer_beyond_people.ci_lower > 0
    # Where people like the longer ones as well, it is no bias.
    same = audited(judged(80, prefers(longer), lengths=lengths), people(80, longer))
    assert same.longer_beyond_people is not None and same.longer_beyond_people.difference == 0
    assert same.matched_agreement is None
    matched = audited(judged(80, prefers(longer), lengths=(100, 95)), people(80, half))
    assert matched.matched_agreement == proportion_interval(40, 80)


def test_who_prefers_its_own_family_is_found_out() -> None:
    found = audited(
        judged(60, prefers(lambda _: "b")), people(60, thirds),
        families={"x": "other", "y": "claude"}, judge_family="claude",
    )  # fmt: skip
    own = found.own_kin_beyond_people
    assert own is not None and own.difference == pytest.approx(0.5) and own.ci_lower > 0
    nobody = audited(
        judged(60, prefers(lambda _: "b")), people(60, thirds),
        families={"x": "other", "y": "other"}, judge_family="claude",
    )  # fmt: skip
    assert nobody.own_kin_beyond_people is None


def test_asked_again_a_steady_judge_says_the_same() -> None:
    steady = audited(judged(30, prefers(thirds), repeats=3), {})
    assert steady.retest is not None and steady.retest.estimate == 1
    rng = np.random.default_rng(1)
    coin = audited(
        judged(200, lambda *_: "first" if rng.random() < 0.5 else "second", repeats=2), {}
    )
    assert coin.retest is not None and coin.retest.estimate == pytest.approx(0.5, abs=0.1)
    assert audited(judged(30, prefers(thirds)), {}).retest is None


def test_the_corrected_rate_is_that_of_the_measure() -> None:
    said = ["a" if i % 10 < 7 else "b" for i in range(300)]
    truth = ["b" if i % 5 == 0 else said[i] for i in range(300)]
    found = audited(judged(300, prefers(said.__getitem__)), people(100, truth.__getitem__))
    rest = sum(v == "a" for v in said[100:])
    yes = [i for i in range(100) if truth[i] == "a"]
    no = [i for i in range(100) if truth[i] != "a"]
    expected = judge_corrected_proportion(
        (rest, 200),
        (sum(said[i] != "a" for i in no), len(no)),
        (sum(said[i] == "a" for i in yes), len(yes)),
    )
    assert found.corrected_win_rate() == expected
    assert found.corrected_win_rate("b").estimate == pytest.approx(1 - expected.estimate)


def test_what_cannot_be_corrected_is_refused() -> None:
    every = audited(judged(60, prefers(thirds)), people(60, thirds))
    with pytest.raises(EvaluationError, match="0 unseen"):
        every.corrected_win_rate()
    one = audited(judged(90, prefers(lambda _: "a")), people(60, lambda _: "a"))
    assert one.kappa is not None and math.isnan(one.kappa.estimate) and not one.trusted()
    with pytest.raises(EvaluationError, match="no to 0 pairs"):
        one.corrected_win_rate()
    wrong = audited(judged(90, prefers(lambda i: thirds(i + 1))), people(60, thirds))
    with pytest.raises(EvaluationError, match="no better than chance"):
        wrong.corrected_win_rate()
    with pytest.raises(EvaluationError, match="2 verdicts and 1 of people"):
        corrected_share([True, False], [True])
    mixed = pd.concat([judged(60, prefers(thirds)).rows,
                       judged(60, prefers(thirds), arms=("x", "z")).rows.assign(
                           pair=lambda f: "z" + f["pair"])])  # fmt: skip
    several = audited(Judgements(mixed, "judge", "direct"), people(60, thirds))
    with pytest.raises(EvaluationError, match="2 different couples"):
        several.corrected_win_rate()


def test_origins_do_not_mix_and_labels_must_fit() -> None:
    rows = judged(2, prefers(thirds)).rows
    rows.loc[0, "origin"] = "simulated"
    with pytest.raises(EvaluationError, match="never mix"):
        Judgements(rows, "judge", "direct")
    borrowed = judged(2, prefers(thirds)).rows.assign(cache=["semantic", *[None] * 3])
    with pytest.raises(EvaluationError, match="from a semantic cache"):
        Judgements(borrowed, "judge", "direct")
    with pytest.raises(EvaluationError, match="such as 'p9'"):
        audited(judged(2, prefers(thirds)), {"p9": "a"})
    with pytest.raises(EvaluationError, match="unknown verdicts"):
        audited(judged(2, prefers(thirds)), {"p1": "first"})  # type: ignore[dict-item]


def test_calibration_pairs_are_a_random_sample() -> None:
    asked = pairs(50)
    counts = np.zeros(50)
    for seed in range(400):
        drawn = draw_calibration(asked, 10, random_state=seed)
        assert len(set(drawn)) == 10
        counts[[int(pair[1:]) for pair in drawn]] += 1
    # Each is drawn in one of five; 400 draws give 80 with a standard deviation of 8.
    assert abs(counts - 80).max() < 4 * 8
    with pytest.raises(EvaluationError, match="51 of 50 pairs"):
        draw_calibration(asked, 51)
