import json
import re
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from workbench.abtest.analysis import analyse
from workbench.abtest.insights import Insight, check_insight, figures_in, insights
from workbench.abtest.insights_wording import acceptable, worded_insights
from workbench.abtest.results import Analysis
from workbench.abtest.simulate import simulate
from workbench.abtest.simulate_world import World
from workbench.claude import ClaudeClient

AS_OF = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def analysis() -> Analysis:
    """Something better, something worse, something undecided, guardrails, segments."""
    flat = dict.fromkeys(World().segments, 0.0)
    effects = {
        "empathetic": flat,
        "analytical": flat | {"commercial": 0.9, "luxury": -0.8},
        "assertive": dict.fromkeys(flat, -0.6),
        "consultative": dict.fromkeys(flat, 0.6),
        "arm 7": flat,
    }
    found = simulate(World(effects=effects, baseline=0.08), n_leads=40_000, random_state=1)
    return analyse(found.design(), found.leads, as_of=AS_OF, arm="strategy")


@pytest.fixture(scope="module")
def said(analysis: Analysis) -> tuple[Insight, ...]:
    return insights(analysis)


def test_every_kind_of_finding_becomes_a_sentence(said: tuple[Insight, ...]) -> None:
    assert {i.kind for i in said} == {"ratio", "effect", "guardrail", "segment", "undecided"}
    assert {i.verdict for i in said} >= {"better", "worse", "inconclusive", "holds"}
    assert all(i.sentence.endswith(".") for i in said)
    assert all(i.worded_by == "template" for i in said)


def test_no_figure_of_any_sentence_can_drift(said: tuple[Insight, ...], analysis: Analysis) -> None:
    """Change each digit of each figure in turn: every single change is caught."""
    tried = 0
    for insight in said:
        assert check_insight(insight, analysis) == ()
        bare = insight.sentence.replace("arm 7", "arm _")
        for place in (m.start() for m in re.finditer(r"\d", bare)):
            for digit in (str((int(bare[place]) + 1) % 10), str((int(bare[place]) + 5) % 10)):
                changed = insight.sentence[:place] + digit + insight.sentence[place + 1 :]
                assert check_insight(insight._replace(sentence=changed), analysis), changed
                tried += 1
    assert tried > 300


def test_signs_and_units_cannot_drift(said: tuple[Insight, ...], analysis: Analysis) -> None:
    tried = 0
    for insight in said:
        for old, new in (("+", "-"), ("-", "+"), (" pp", " %"), (" %", " pp"), (" pp", "")):
            changed = re.sub(rf"{re.escape(old)}(?=\d|[ ,.;)])", new, insight.sentence, count=1)
            if figures_in(changed, ("arm 7",)) != figures_in(insight.sentence, ("arm 7",)):
                assert check_insight(insight._replace(sentence=changed), analysis), changed
                tried += 1
    assert tried > 15


def test_the_analysis_cannot_drift_from_its_sentences(
    said: tuple[Insight, ...], analysis: Analysis
) -> None:
    caught = 0
    for at, found in enumerate(analysis.effects):
        effect = found.effect._replace(
            difference=found.effect.difference + 0.05, treatment=found.effect.treatment + 0.05
        )
        effects = list(analysis.effects)
        effects[at] = replace(found, effect=effect)
        changed = replace(analysis, effects=tuple(effects))
        about = [
            i for i in said if any((f.metric, f.arm) == (found.metric, found.arm) and not f.segment
                                   for f in i.facts)
        ]  # fmt: skip
        for insight in about:
            assert check_insight(insight, changed)
            caught += 1
    assert caught >= 8
    fewer = replace(analysis, n_units={**analysis.n_units, "assertive": 1})
    assert check_insight(said[0], fewer)


def test_a_fact_left_out_or_told_twice_is_noticed(
    said: tuple[Insight, ...], analysis: Analysis
) -> None:
    effect = next(i for i in said if i.kind == "effect")
    figure = effect.facts[0].text
    twice = effect._replace(sentence=f"{effect.sentence} Yes, {figure}.")
    assert any("told" in problem for problem in check_insight(twice, analysis))
    without = effect._replace(sentence=effect.sentence.replace(figure, "some"))
    assert any("missing" in problem for problem in check_insight(without, analysis))


@pytest.mark.parametrize("word", ["twice", "half", "doubled", "three", "a dozen", "most"])
def test_figures_in_words_are_figures(
    said: tuple[Insight, ...], analysis: Analysis, word: str
) -> None:
    insight = said[0]._replace(sentence=f"{said[0].sentence} That is {word} of it.")
    assert any("figure in words" in problem for problem in check_insight(insight, analysis))


def test_numbers_in_names_are_no_figures_but_bare_ones_are(analysis: Analysis) -> None:
    names = ("arm 7", "x2")
    assert figures_in("arm 7 and x2 gained 7", names) == ["7"]
    assert figures_in("+1.5 percentage points, −3 %, 2e-05, 1,234", ()) == [
        "+1.5pp", "-3%", "2e-05", "1234",
    ]  # fmt: skip
    assert figures_in("2-fold, 3× and 4 times", ()) == ["2×", "3×", "4×"]


def test_an_alarm_comes_first_and_takes_the_rest_back() -> None:
    found = simulate(n_leads=20_000, random_state=2)
    lost = (found.leads["strategy"] == "assertive") & (found.leads["engagement"] < -0.5)
    bad = analyse(found.design(), found.leads[~lost], as_of=AS_OF, arm="strategy")
    first = insights(bad)[0]
    assert "did not get their configured share" in first.sentence
    assert "nothing below can be trusted" in first.sentence


# ---------------------------------------------------------------- wording


def effect_of(said: tuple[Insight, ...], verdict: str) -> Insight:
    return next(i for i in said if i.kind == "effect" and i.verdict == verdict)


def test_a_faithful_wording_is_accepted(said: tuple[Insight, ...], analysis: Analysis) -> None:
    insight = next(
        i for i in said if i.verdict == "better" and "converted" in i.sentence.split(":")[0]
    )
    control, treatment, difference = (f.text for f in insight.facts[:3])
    name = insight.facts[0].arm
    wording = (
        f"On converted, {name} reached {treatment} where empathetic reached {control}: better by"
        f" {difference.replace(' pp', ' percentage points')}."
    )
    assert acceptable(wording, insight, analysis) == ()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda s: s.replace("better", "worse"), "not what was found"),
        (lambda s: s.replace("is better", "is not better"), "negation"),
        (lambda s: s.replace("consultative", "assertive"), "'assertive' is new"),
        (lambda s: s + " This proves it.", "not what was found"),
        (lambda s: s + " Expect 12 more deals.", "12 stands nowhere"),
        (lambda s: s + " It doubled.", "figure in words"),
        (lambda s: s + " really" * 80, "characters"),
        (lambda s: s[:0], "characters"),
    ],
)
def test_an_unfaithful_wording_is_refused(
    said: tuple[Insight, ...], analysis: Analysis, change: object, words: str
) -> None:
    insight = next(i for i in said if i.verdict == "better" and i.facts[0].arm == "consultative")
    assert callable(change)
    problems = acceptable(change(insight.sentence), insight, analysis)
    assert any(words in problem for problem in problems), problems


def test_an_undecided_effect_cannot_be_worded_as_a_win(
    said: tuple[Insight, ...], analysis: Analysis
) -> None:
    insight = next(i for i in said if i.verdict == "inconclusive")
    winning = insight.sentence.replace("is undecided", "is a gain")
    assert acceptable(winning, insight, analysis)


def test_the_stand_in_is_asked_and_never_passed_off_as_claude(
    said: tuple[Insight, ...], analysis: Analysis, client: ClaudeClient
) -> None:
    worded = worded_insights(said, analysis, client, model="claude-haiku-5-5")
    assert len(worded) == len(said)
    for before, after in zip(said, worded, strict=True):
        assert after.facts == before.facts
        if after.worded_by == "template":
            assert after.sentence == before.sentence
        else:
            assert after.worded_by.startswith("sim:")
        assert check_insight(after, analysis) == ()
    spent = client.store.spend(by=["task"])
    assert spent.loc[spent["task"] == "abtest_insights", "n_answers"].sum() == len(said)
    assert json.dumps([i._asdict() for i in worded])
