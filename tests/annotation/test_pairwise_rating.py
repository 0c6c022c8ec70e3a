"""Blinded pairwise rating: nothing gives the arms away, nothing is lost, counts are right."""

from pathlib import Path

import numpy as np
import pytest

from workbench.annotation import (
    PairwiseRating,
    Preference,
    Side,
    human_verdicts,
    pairwise_result,
)
from workbench.errors import DataError, EvaluationError
from workbench.stats import proportion_interval

ITEMS = [f"question <{i}>" for i in range(12)]
PLAIN = [f"answer {i} one" for i in range(12)]
WARM = [f"answer {i} two" for i in range(12)]


def rating(path: Path | None = None, seed: int = 0) -> PairwiseRating:
    return PairwiseRating(ITEMS, path=path, random_state=seed, plain=PLAIN, warm=WARM)


def best(shown: str, word: str) -> Side:
    """The side on which a word stands."""
    left, right = shown.split("<tbody>")[1].split("</td>")[:2]
    assert (word in left) != (word in right)
    return "left" if word in left else "right"


def test_who_prefers_one_arm_finds_it_without_seeing_names() -> None:
    asked = rating()
    sides = []
    while not asked.finished:
        shown = asked._repr_html_()
        assert "plain" not in shown and "warm" not in shown and "question <" not in shown
        sides.append(best(shown, "two"))
        asked.rate(sides[-1])
    assert sides.count("left") == 6
    (pair,) = asked.result().pairs
    verdicts = human_verdicts(
        asked.preferences(), pairs=[f"p{i}" for i in range(12)], arm_a="warm", arm_b="plain"
    )
    assert verdicts == dict.fromkeys((f"p{i}" for i in range(12)), "a") and len(verdicts) == 12
    with pytest.raises(EvaluationError, match="has no identifier"):
        human_verdicts(asked.preferences(), pairs=["p0"], arm_a="warm", arm_b="plain")
    assert (pair.arm, pair.wins, pair.losses, pair.ties) == ("plain", 0, 12, 0)
    assert pair.win_rate[:3] == proportion_interval(0, 12)[:3]
    assert pair.sign_pvalue == pytest.approx(2 / 2**12)
    assert "All 12 pairs are rated" in asked._repr_html_()
    with pytest.raises(EvaluationError, match="every pair is rated"):
        asked.rate("left")


def test_who_always_takes_the_left_shows_position_bias_and_no_winner() -> None:
    asked = rating()
    while not asked.finished:
        asked.rate("left")
    found = asked.result()
    assert found.first_wins is not None and found.first_wins.estimate == 1
    assert found.pairs[0].win_rate.estimate == 0.5
    assert "First shown wins 100.0%" in found._repr_html_()


def test_a_restart_loses_nothing(tmp_path: Path) -> None:
    path = tmp_path / "ratings.jsonl"
    before = rating(path)
    before.rate("left", "kinder")
    before.rate("tie")
    before.rate("right")
    before.undo()
    after = rating(path)
    assert after.preferences() == before.preferences()
    assert after._repr_html_() == before._repr_html_() and "Pair 3 of 12" in after._repr_html_()
    assert after.preferences()[0].comment == "kinder"
    text = path.read_text(encoding="utf-8")
    assert "answer" not in text and "question" not in text and "plain" not in text
    with pytest.raises(DataError, match="other items, answers or another seed"):
        rating(path, seed=1)
    path.write_text("{}", encoding="utf-8")
    with pytest.raises(DataError, match="cannot be read"):
        rating(path)


def test_what_does_not_fit_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EvaluationError, match=r"\{'plain': 12\}"):
        PairwiseRating(ITEMS, plain=PLAIN)
    with pytest.raises(EvaluationError, match="12 items"):
        PairwiseRating(ITEMS, plain=PLAIN, warm=WARM[:3])
    with pytest.raises(EvaluationError, match="1 groups of 12 items"):
        PairwiseRating(ITEMS, groups=["x"], plain=PLAIN, warm=WARM)
    with pytest.raises(EvaluationError, match="side is 'middle'"):
        rating().rate("middle")  # type: ignore[arg-type]
    with pytest.raises(EvaluationError, match="nothing is rated"):
        rating().undo()
    with pytest.raises(EvaluationError, match="0 preferences"):
        rating().result()


def test_three_arms_are_ordered_by_strength() -> None:
    a, b, c = ([f"{name} {i}" for i in range(30)] for name in "abc")
    asked = PairwiseRating([f"q{i}" for i in range(30)], a=a, b=b, c=c)
    rng = np.random.default_rng(0)
    chance = {"a": 0.0, "b": 1.0, "c": 2.0}
    while not asked.finished:
        shown = asked._order[len(asked._rated)]
        gap = chance[shown.left] - chance[shown.right]
        asked.rate("left" if rng.random() < 1 / (1 + np.exp(-gap)) else "right")
    found = asked.result()
    assert found.strengths is not None
    assert np.argsort(found.strengths.strength).tolist() == [0, 1, 2]
    assert len(found.to_frame()) == 3 and "Strengths" in found._repr_html_()
    lost = [Preference(i, "a", other, 0.0) for i, other in enumerate("bc" * 4)]
    kept = pairwise_result(lost, arms=("a", "b", "c")).strengths
    assert kept is not None and np.isfinite(kept.strength).all()


def test_ties_and_groups_stay_within_a_share() -> None:
    ties = [Preference(i, "a", "b", 0.5) for i in range(4)]
    rate = pairwise_result(ties, arms=("a", "b")).pairs[0].win_rate
    assert rate.estimate == 0.5 and 0 < rate.ci_lower < 0.5 < rate.ci_upper < 1
    grouped = [Preference(i, "a", "b", float(i % 4 > 0), str(i // 4)) for i in range(12)]
    clustered = pairwise_result(grouped, arms=("a", "b")).pairs[0].win_rate
    assert clustered.n_groups == 3 and clustered.ci_upper <= 1
    assert pairwise_result(ties, arms=("a", "b")).first_wins is None


def test_comments_with_odd_line_ends_are_read_back(tmp_path: Path) -> None:
    path = tmp_path / "ratings.jsonl"
    rating = PairwiseRating(["Q1", "Q2"], path=path, plain=["x", "y"], warm=["X", "Y"])
    rating.rate("left", "one\u2028two\u0085three")
    rating.rate("tie", "half a pair \ud83d")
    again = PairwiseRating(["Q1", "Q2"], path=path, plain=["x", "y"], warm=["X", "Y"])
    assert again.finished
    comments = sorted(preference.comment for preference in again.preferences())
    assert comments == ["half a pair ?", "one\u2028two\u0085three"]
