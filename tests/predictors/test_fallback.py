from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.utils.estimator_checks import parametrize_with_checks

from workbench.claude import ClaudeClient
from workbench.data import Dataset
from workbench.errors import ClaudeError, PredictorError
from workbench.predictors import (
    ANSWER_COLUMNS,
    FallbackClassifier,
    logistic_baseline,
    planned_requests,
    positive_probability,
)
from workbench.tasks import load_task

TASK = load_task("lead_conversion")
FaultyClient = Callable[..., ClaudeClient]


def _not_applicable(estimator: FallbackClassifier) -> dict[str, str]:
    return {"check_sample_weight_equivalence_on_dense_data": "sample weights are not supported"}


@parametrize_with_checks(
    [FallbackClassifier([("line", LogisticRegression()), ("prior", DummyClassifier())])],
    expected_failed_checks=_not_applicable,
)
def test_scikit_learn_checks(estimator: Any, check: Any) -> None:
    check(estimator)


def _fallback(client: ClaudeClient, leads: Dataset, **options: int) -> FallbackClassifier:
    claude = TASK.claude("zero_shot", leads, client=client)
    made = FallbackClassifier([("claude", claude), ("ml", logistic_baseline())], **options)
    return made.fit(leads.X[:300], leads.y[:300].to_numpy())


def test_the_model_stands_in_for_failures_and_says_so(
    faulty_client: FaultyClient, leads: Dataset
) -> None:
    client = faulty_client(0.15, "refusal", "malformed_json", "truncated", "out_of_range")
    fallback, X = _fallback(client, leads), leads.X[300:400]
    answers = fallback.answer(X)
    alone = fallback.members_[0][1].answer(X)
    failed = alone["error"].notna().to_numpy()
    assert 20 < failed.sum() < 80
    assert tuple(answers.columns) == ANSWER_COLUMNS
    assert answers["error"].isna().all()
    assert answers["degraded"].tolist() == failed.tolist()
    by_name = np.where(failed, "ml", "claude")
    assert answers["answered_by"].tolist() == by_name.tolist()
    own = positive_probability(fallback.members_[1][1], X)
    np.testing.assert_array_equal(answers["proba"], np.where(failed, own, alone["proba"]))
    said = answers.loc[failed, "member_error"]
    assert said.tolist() == ("claude: " + alone.loc[failed, "error"]).tolist()
    # What failed was paid for, and took its time.
    np.testing.assert_allclose(answers["cost_usd"], alone["cost_usd"])
    assert answers["cost_usd"].sum() == pytest.approx(client.spent_usd)
    assert (answers["latency_s"] >= alone["latency_s"]).all()
    np.testing.assert_array_equal(answers["proba"], fallback.predict_proba(X)[:, 1])


def test_an_outage_is_stood_in_for_only_when_the_client_says_errors(
    faulty_client: FaultyClient, leads: Dataset
) -> None:
    X = leads.X[300:500]
    client = faulty_client(1.0, "overloaded_529", on_outage="errors", concurrency=4)
    fallback = _fallback(client, leads, latency_sample=10)
    answers = fallback.answer(X)
    assert (answers["answered_by"] == "ml").all()
    assert answers["degraded"].all()
    assert answers["error"].isna().all()
    assert (answers["cost_usd"] == 0).all()
    own = positive_probability(fallback.members_[1][1], X)
    np.testing.assert_array_equal(answers["proba"], own)
    strict = faulty_client(1.0, "overloaded_529", concurrency=4)
    with pytest.raises(ClaudeError):
        _fallback(strict, leads).answer(X)


def test_without_failures_nothing_is_different(client: ClaudeClient, leads: Dataset) -> None:
    fallback, X = _fallback(client, leads), leads.X[300:330]
    answers = fallback.answer(X)
    alone = fallback.members_[0][1].answer(X)
    assert (answers["answered_by"] == "claude").all()
    assert not answers["degraded"].any()
    assert answers["member_error"].isna().all()
    for column in ("proba", "cost_usd", "latency_s", "request_id", "abstained"):
        assert answers[column].tolist() == alone[column].tolist()
    y = leads.y[:300].to_numpy()
    assert len(planned_requests(fallback, leads.X[:300], y, X)) == len(X)
    assert len(fallback.requests(X)) == len(X)


def test_every_member_may_fail(faulty_client: FaultyClient, leads: Dataset) -> None:
    client = faulty_client(0.5, "refusal")
    members = [
        (name, TASK.claude(name, leads, client=client)) for name in ("zero_shot", "few_shot")
    ]
    fallback = FallbackClassifier(members).fit(leads.X[:300], leads.y[:300].to_numpy())
    answers = fallback.answer(leads.X[300:360])
    lost = answers["error"].notna()
    assert 0 < lost.sum() < len(answers)
    assert answers.loc[lost, "answered_by"].isna().all()
    assert (answers.loc[lost, "proba"] == fallback.prior_).all()
    assert (answers.loc[lost, "member_error"] == "zero_shot: refused; few_shot: refused").all()
    assert not answers.loc[lost, "degraded"].any()


@pytest.mark.parametrize("names", [["one"], ["same", "same"], []])
def test_members_need_names(names: list[str]) -> None:
    with pytest.raises(PredictorError, match="two or more members with distinct names"):
        FallbackClassifier([(n, DummyClassifier()) for n in names]).fit([[0], [1]], [0, 1])
