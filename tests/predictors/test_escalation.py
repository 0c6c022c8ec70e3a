import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from workbench.errors import PredictorError
from workbench.predictors import CascadePolicy, ConformalPolicy, UncertaintyPolicy
from workbench.predictors.escalation import (
    ConformalScore,
    DisagreementScore,
    UncertaintyScore,
    escalated,
    threshold_for_cost,
    threshold_for_share,
    threshold_for_value,
)

SCORES = st.lists(st.floats(0, 1), min_size=1, max_size=60).map(np.array)


# ---------------------------------------------------------------- thresholds


@given(SCORES, st.floats(0, 1))
def test_a_share_is_never_exceeded_and_as_full_as_ties_allow(
    score: np.ndarray, max_share: float
) -> None:
    threshold = threshold_for_share(score, max_share)
    assert escalated(score, threshold).mean() <= max_share + 1e-9
    lower = score[score <= threshold]
    if len(lower) and max_share < 1:
        next_one = escalated(score, float(np.nextafter(lower.max(), -1)))
        assert next_one.mean() > max_share - 1e-9


@given(SCORES, st.floats(0.0, 1.5), st.integers(0, 1000))
def test_a_budget_is_kept_and_no_larger_share_would_keep_it(
    score: np.ndarray, budget: float, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    first, last = rng.uniform(0, 0.2, len(score)), rng.uniform(0.5, 1.5, len(score))

    def cost(threshold: float) -> float:
        return float((first + last * escalated(score, threshold)).mean())

    if first.mean() > budget + 1e-9:
        with pytest.raises(PredictorError, match="asking the first stage alone costs"):
            threshold_for_cost(score, first, last, budget)
        return
    if first.mean() > budget:
        return
    chosen = threshold_for_cost(score, first, last, budget)
    assert cost(chosen) <= budget + 1e-9
    for other in [*score[score < chosen], -1.0]:
        if escalated(score, other).sum() > escalated(score, chosen).sum():
            assert cost(other) > budget - 1e-9


@given(SCORES, st.floats(0.01, 2.0), st.integers(0, 1000))
def test_no_threshold_is_worth_more(score: np.ndarray, value: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    first, last = (rng.integers(0, 2, len(score)).astype(float) for _ in range(2))
    cost = rng.uniform(0, 0.5, len(score))

    def worth(threshold: float) -> float:
        chosen = escalated(score, threshold)
        return float((value * np.where(chosen, last, first) - cost * chosen).mean())

    best = worth(threshold_for_value(score, first, last, cost, value))
    assert best >= max(worth(t) for t in [*score, -1.0]) - 1e-9


def test_rows_without_a_first_answer_are_always_escalated() -> None:
    score = np.array([0.1, np.inf, np.inf, 0.2])
    for threshold in (threshold_for_share(score, 0.25), np.inf):
        assert escalated(score, threshold)[1:3].all()
    assert not escalated(score, np.inf)[[0, 3]].any()


# ---------------------------------------------------------------- scores


def test_uncertainty_is_the_share_that_is_wrong() -> None:
    rng = np.random.default_rng(0)
    truth = rng.beta(1, 2, 60_000)
    y = (rng.random(60_000) < truth).astype(np.int64)
    # Overconfident and biased towards yes: its odds are wrong, its order is right.
    log_odds = np.log(truth / (1 - truth))
    told = 1 / (1 + np.exp(-(2.5 * log_odds + 1)))
    score = UncertaintyScore.fitted(told[:30_000, None], y[:30_000])(told[30_000:, None])
    wrong = (told[30_000:] > 0.5) != (y[30_000:] == 1)
    for low, high in ((0.0, 0.1), (0.1, 0.2), (0.2, 0.3), (0.3, 0.45), (0.5, 0.7)):
        part = (score > low) & (score <= high)
        assert part.sum() > 300
        assert wrong[part].mean() == pytest.approx(score[part].mean(), abs=0.03)


def test_a_first_member_that_is_wrong_on_purpose_is_not_believed() -> None:
    y = np.array([0, 1] * 50)
    score = UncertaintyScore.fitted(np.where(y == 1, 0.1, 0.9)[:, None], y)
    assert score.slope == 0
    assert score(np.array([[0.1], [0.9]])).tolist() == [0.5, 0.5]


def test_answers_to_calibrate_on_are_needed() -> None:
    readings = np.full((10, 1), np.nan)
    with pytest.raises(PredictorError, match="answered 0 of 10 training rows"):
        UncertaintyScore.fitted(readings, np.array([0, 1] * 5))


def test_disagreement_is_the_widest_gap() -> None:
    readings = np.array([[0.2, 0.2, 0.9], [0.4, 0.5, 0.45], [0.1, np.nan, 0.1]])
    assert DisagreementScore()(readings) == pytest.approx([0.7, 0.1, np.inf])


@pytest.mark.parametrize("label_conditional", [False, True])
@pytest.mark.parametrize(("level", "n"), [(0.9, 49), (0.9, 200), (0.75, 30)])
def test_the_conformal_guarantee_holds_for_finite_samples(
    level: float, n: int, *, label_conditional: bool
) -> None:
    """Answered by the first member and wrong: at most 1 - level, on average over samples."""
    rng = np.random.default_rng(7)
    lost, lost_of_ones, ones = [], 0, 0
    for _ in range(1500):
        truth = rng.beta(0.6, 1.4, n + 20)
        y = (rng.random(n + 20) < truth).astype(np.int64)
        told = np.clip(truth + rng.normal(0, 0.15, n + 20), 0, 1)
        score = ConformalScore.fitted(
            told[:n, None], y[:n], level, label_conditional=label_conditional
        )
        kept = ~escalated(score(told[n:, None]), 0.0)
        wrong = kept & ((told[n:] > 0.5) != (y[n:] == 1))
        lost.append(wrong.mean())
        lost_of_ones += int(wrong[y[n:] == 1].sum())
        ones += int((y[n:] == 1).sum())
    # Three standard errors of 1,500 samples above the promise would be a miss.
    assert np.mean(lost) <= 1 - level + 3 * np.std(lost) / np.sqrt(len(lost))
    assert np.mean(lost) > 0.01, "it defers no more than it has to"
    if label_conditional:
        assert lost_of_ones / ones <= 1 - level + 0.01


def test_too_small_a_part_promises_nothing_and_defers_everything() -> None:
    y = np.array([0, 1] * 4)
    score = ConformalScore.fitted(
        np.where(y == 1, 0.9, 0.1)[:, None], y, 0.95, label_conditional=False
    )
    assert score.quantiles == (np.inf, np.inf)
    told = score(np.array([[0.001], [0.5], [0.98]]))
    assert (told > 0).all()
    assert told.argmax() == 1


# ---------------------------------------------------------------- policies


@pytest.mark.parametrize(
    ("policy", "said"),
    [
        ({"kind": "uncertainty"}, "the policy has no goal; give exactly one of"),
        ({"kind": "uncertainty", "max_share": 0.2, "threshold": 0.1}, "threshold and max_share"),
        ({"kind": "uncertainty", "max_share": 1.2}, "less than or equal to 1"),
        ({"kind": "uncertainty", "max_shares": 0.2}, "Extra inputs are not permitted"),
        ({"kind": "conformal", "confidence_level": 1.0}, "less than 1"),
        ({"kind": "disagreement", "threshold": 0.1, "between": "us"}, "'repeats' or 'members'"),
        ({"kind": "hope"}, "does not match any of the expected tags"),
    ],
)
def test_policies_are_strict(policy: dict[str, object], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        TypeAdapter(CascadePolicy).validate_python(policy)


def test_policies_are_frozen_data() -> None:
    policy = UncertaintyPolicy(max_share=0.3)
    assert TypeAdapter(CascadePolicy).validate_python(policy.model_dump()) == policy
    name = "max_share"
    with pytest.raises(ValidationError, match="frozen"):
        setattr(policy, name, 0.5)
    said = ConformalPolicy(confidence_level=0.95, label_conditional=True).guarantee("ml")
    assert said == "at most 5 % of the examples of either class are answered by ml and wrong"
