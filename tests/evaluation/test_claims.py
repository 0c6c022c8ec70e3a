"""Claims held against figures: met, not met, impossible, or not decided."""

import dataclasses
from typing import Any

import numpy as np
import pytest

from workbench.data import Split
from workbench.errors import EvaluationError
from workbench.evaluation import Evaluation, evaluate
from workbench.evaluation.claims import Family, claims_of
from workbench.predictors import logistic_baseline, prior_baseline
from workbench.tasks import load_dataset, load_task


@pytest.fixture(scope="module")
def evaluation() -> Evaluation:
    dataset = load_dataset("crm_engagement_receptivity", n_rows=900, random_state=4)
    arms = {"prior": prior_baseline(), "fields": logistic_baseline(text=False)}
    return evaluate(
        load_task("engagement_receptivity"), arms, dataset, split=Split("random", 0.4, 1),
        latency_sample=1, n_resamples=200,
    )  # fmt: skip


def with_probabilities(evaluation: Evaluation, proba: Any) -> Evaluation:
    records = evaluation.records.copy()
    own = (records["arm"] == "fields").to_numpy()
    records.loc[own, "proba"] = proba(records.loc[own, "y"].to_numpy(dtype=float))
    return dataclasses.replace(evaluation, records=records)


def test_a_claim_above_the_ceiling_is_impossible_here(evaluation: Evaluation) -> None:
    (claim,) = claims_of(evaluation)
    assert claim.metric == "accuracy" and claim.claimed == 0.942
    assert claim.ceiling is not None and claim.ceiling < 0.9
    assert claim.standing == "impossible here" and "chance decides the rest" in claim.why
    assert claim.trivial == evaluation.majority_accuracy


def test_a_precision_is_never_called_impossible() -> None:
    # A sparing threshold buys precision: the truth at 0.5 is no ceiling for it.
    dataset = load_dataset("crm_churn_risk", n_rows=600, random_state=4)
    arms = {"prior": prior_baseline(), "fields": logistic_baseline(text=False)}
    found = evaluate(
        load_task("churn_risk"), arms, dataset, split=Split("random", 0.4, 1),
        latency_sample=1, n_resamples=200,
    )  # fmt: skip
    (claim,) = claims_of(found, arm="fields")
    assert claim.metric == "precision" and claim.standing in ("not met", "cannot tell")


def test_without_a_known_truth_the_interval_decides(evaluation: Evaluation) -> None:
    real = dataclasses.replace(evaluation, info=dataclasses.replace(evaluation.info, ceiling=None))
    assert claims_of(real, arm="fields")[0].standing == "not met"
    perfect = with_probabilities(real, lambda y: np.where(y == 1, 0.9, 0.1))
    assert claims_of(perfect, arm="fields")[0].standing == "met"

    def nearly(y: Any) -> Any:
        wrong = np.flatnonzero(y == 0)[:20]
        found = np.where(y == 1, 0.9, 0.1)
        found[wrong] = 0.9
        return found

    assert claims_of(with_probabilities(real, nearly), arm="fields")[0].standing == "cannot tell"


def test_a_family_tells_gains_over_the_best_member(evaluation: Evaluation) -> None:
    family = Family({"engagement_receptivity": evaluation})
    (gain,) = family.gains("fields", ["prior"]).to_dict("records")
    paired = evaluation.compare("log_loss", baseline="prior")["fields"].difference
    assert gain["difference"] == paired.difference and gain["best"] == "prior"
    assert family.macro("prior") == evaluation.measurements["prior", "accuracy"].estimate
    assert "impossible here" in family._repr_html_() and len(family.to_frame()) == 1
    with pytest.raises(EvaluationError, match="no evaluations"):
        Family({})


def test_simulated_arms_speak_for_nobody(evaluation: Evaluation) -> None:
    arms = tuple(dataclasses.replace(arm, origin="simulated") for arm in evaluation.arms)
    with pytest.raises(EvaluationError, match="every arm is simulated"):
        claims_of(dataclasses.replace(evaluation, arms=arms))
