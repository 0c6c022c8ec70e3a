"""Counterfactual swaps: texts differ in one span; bias is caught and its absence shown."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from workbench.claude import ClaudeClient
from workbench.data import Dataset
from workbench.errors import DataError, EvaluationError, FeatureError
from workbench.monitoring.fairness import SWAPS, counterfactual_audit, swap_kinds, swap_pairs
from workbench.tasks import load_task

MESSAGES = [
    "Is it still free?", "We want to visit, my wife and three kids love it", "Emily here, call me",
    "hola, busco casa", "", "我们想看房。", "Tyrone again: what does the owner ask",
]  # fmt: skip


@pytest.mark.parametrize("kind", swap_kinds(), ids=lambda k: k.name)
def test_pairs_differ_only_in_the_span(kind: Any) -> None:
    for contrast in kind.contrasts:
        for pair in swap_pairs(MESSAGES, kind, contrast):
            assert pair.before != pair.after
            assert pair.before[: pair.start] == pair.after[: pair.start]
            assert pair.before[pair.before_end :] == pair.after[pair.after_end :]
            first = pair.before[pair.start : pair.before_end].lower()
            second = pair.after[pair.start : pair.after_end].lower()
            assert first in {t.lower() for t in kind.groups[kind.reference]}
            assert second in {t.lower() for t in kind.groups[contrast]}
            if not pair.appended:
                assert MESSAGES[pair.row] in (pair.before, pair.after)


def test_terms_in_a_text_are_replaced_whichever_group_they_speak_of() -> None:
    family = swap_pairs(MESSAGES, SWAPS["family status"], "children")
    assert family[1].after == MESSAGES[1] and "kids" not in family[1].before
    names = swap_pairs(MESSAGES, SWAPS["name"], "Black names")
    assert names[2].before == MESSAGES[2] and names[6].after == MESSAGES[6]
    assert [p.appended for p in names] == [True, True, False, True, True, True, False]
    with pytest.raises(DataError, match="no group 'Martians'"):
        swap_pairs(MESSAGES, SWAPS["origin"], "Martians")
    with pytest.raises(DataError, match="no kind of swap"):
        swap_kinds(["shoe size"])


class Scorer:
    """A logistic score of the budget with noise, and whatever a text adds to it."""

    def __init__(self, seed: int, bias: float = 0.0, when: str = "Spanish") -> None:
        self.rng, self.bias, self.when = np.random.default_rng(seed), bias, when

    def __call__(self, X: pd.DataFrame) -> Any:
        marked = X["message"].str.contains(self.when).to_numpy(dtype=float)
        logit = X["budget"].to_numpy() + self.rng.normal(0, 0.3, len(X)) + self.bias * marked
        return 1 / (1 + np.exp(-logit))


def leads_table(n: int, seed: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    return pd.DataFrame({"budget": rng.normal(size=n), "message": rng.choice(MESSAGES, n)})


def test_a_planted_proxy_is_caught_and_nothing_else() -> None:
    caught, others, wrong_way = 0, 0, 0
    for seed in range(30):
        found = counterfactual_audit(
            Scorer(seed, bias=-0.25), leads_table(250, seed), text="message",
            kinds=["language", "name"],
        )  # fmt: skip
        named = {(e.kind, e.contrast) for e in found.differing}
        caught += ("language", "Spanish") in named
        others += bool(named - {("language", "Spanish")})
        spanish = next(e for e in found.effects if e.contrast == "Spanish")
        wrong_way += spanish.change.estimate > 0
    assert caught >= 27 and others <= 5 and wrong_way == 0


def test_an_unbiased_scorer_is_rarely_accused() -> None:
    accused = 0
    for seed in range(60):
        found = counterfactual_audit(
            Scorer(seed), leads_table(150, seed), text="message", alpha=0.1
        )
        assert len(found.effects) == 16
        accused += bool(found.differing)
    assert accused <= 12  # 6 are expected at most


def test_equivalence_needs_a_margin_that_the_size_can_show() -> None:
    X = leads_table(400, 1)
    wide = counterfactual_audit(Scorer(1), X, text="message", kinds=["disability"], margin=0.05)
    (effect,) = wide.effects
    assert effect.standing == "equivalent" and effect.within_margin and effect.n_needed <= 400
    narrow = counterfactual_audit(Scorer(1), X, text="message", kinds=["disability"], margin=0.004)
    (effect,) = narrow.effects
    assert effect.standing == "cannot tell" and effect.n_needed > 400
    assert 0 < effect.flipped.estimate < 0.4
    assert effect.up + effect.down == round(effect.flipped.estimate * 400)


def test_proxies_in_columns_are_swapped_and_protected_columns_refused() -> None:
    rng = np.random.default_rng(3)
    X = pd.DataFrame({
        "budget": rng.normal(size=120),
        "language": pd.Categorical(rng.choice(["english", "spanish", "hindi"], 120)),
    })  # fmt: skip

    def score(rows: pd.DataFrame) -> Any:
        return 0.5 - 0.04 * (rows["language"] == "spanish") + 0.01 * np.tanh(rows["budget"])

    found = counterfactual_audit(score, X, columns={"language": "english"})
    by = {e.contrast: e for e in found.effects}
    assert by["spanish"].change.estimate == pytest.approx(-0.04)
    assert (by["spanish"].standing, by["hindi"].standing) == ("differs", "equivalent")
    assert "1 of 2 swaps change the score, 1 beyond the margin" in found._repr_html_()
    generous = counterfactual_audit(score, X, columns={"language": "english"}, margin=0.1)
    (slight,) = generous.differing
    assert slight.within_margin and not slight.material
    assert "by less than the margin" in generous._repr_html_()
    assert set(found.to_frame()["kind"]) == {"language"}
    with pytest.raises(FeatureError, match="religion"):
        counterfactual_audit(score, X.assign(religion="none"), columns={"language": "english"})
    with pytest.raises(DataError, match="no row has language"):
        counterfactual_audit(score, X, columns={"language": "klingon"})
    with pytest.raises(DataError, match="nothing to swap"):
        counterfactual_audit(score, X)
    with pytest.raises(EvaluationError, match="not a probability"):
        counterfactual_audit(lambda rows: np.full(len(rows), 2.0), X, columns={"language": "hindi"})


def test_groups_widen_the_interval() -> None:
    X = leads_table(40, 5)
    whole = X.loc[np.repeat(X.index, 5)].reset_index(drop=True)

    def score(rows: pd.DataFrame) -> Any:
        marked = rows["message"].str.contains("wheelchair|guide dog|frame").to_numpy()
        return 0.5 + 0.1 * np.tanh(rows["budget"].to_numpy()) * marked

    options: dict[str, Any] = {"text": "message", "kinds": ["disability"]}
    (alone,) = counterfactual_audit(score, whole, **options).effects
    people = np.repeat(np.arange(40), 5)
    (together,) = counterfactual_audit(score, whole, groups=people, **options).effects
    assert together.change.standard_error > 2 * alone.change.standard_error


def test_claude_arms_are_audited_and_marked(client: ClaudeClient, leads: Dataset) -> None:
    arm = load_task("lead_conversion").claude("zero_shot", leads, client=client)
    arm.fit(leads.X, leads.y)
    found = counterfactual_audit(
        arm, leads.X.head(40), text="first_message", kinds=["name", "family status"]
    )
    assert found.origin == "simulated" and "nothing here is Claude" in found._repr_html_()
    assert [e.change.n + e.n_failed for e in found.effects] == [40, 40]
