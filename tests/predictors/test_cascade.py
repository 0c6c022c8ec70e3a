import pickle
from collections.abc import Callable
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd
import pytest
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.linear_model import LogisticRegression
from sklearn.tree import DecisionTreeClassifier
from sklearn.utils.estimator_checks import parametrize_with_checks

from workbench.claude import ClaudeClient, EmulatorProcess
from workbench.data import Dataset
from workbench.errors import PredictorError
from workbench.predictors import (
    ANSWER_COLUMNS,
    CascadeClassifier,
    ClaudeClassifier,
    ConformalPolicy,
    DisagreementPolicy,
    UncertaintyPolicy,
    answering,
    logistic_baseline,
    planned_requests,
    positive_probability,
)
from workbench.tasks import load_task

TASK = load_task("lead_conversion")
FaultyClient = Callable[..., ClaudeClient]
SHARE = UncertaintyPolicy(max_share=0.3, n_fit=100)


def _quick(policy: Any, n_members: int = 2) -> CascadeClassifier:
    members = [
        ("line", LogisticRegression()),
        ("stump", DecisionTreeClassifier(max_depth=1, random_state=0)),
    ]
    return CascadeClassifier(
        [*members[: n_members - 1], ("tree", DecisionTreeClassifier(max_depth=3, random_state=0))],
        policy,
        n_splits=2,
    )


def _not_applicable(estimator: CascadeClassifier) -> dict[str, str]:
    return {"check_sample_weight_equivalence_on_dense_data": "sample weights are not supported"}


@parametrize_with_checks(
    [
        _quick(UncertaintyPolicy(max_share=0.4)),
        _quick(DisagreementPolicy(between="members", threshold=0.3), 3),
    ],
    expected_failed_checks=_not_applicable,
)
def test_scikit_learn_checks(estimator: Any, check: Any) -> None:
    check(estimator)


# ---------------------------------------------------------------- thresholds see no test row


class Leaker(ClassifierMixin, BaseEstimator):
    """Knows every training label by heart, and a little about everyone else."""

    seen: ClassVar[list[tuple[str, frozenset[int]]]] = []

    def fit(self, X: pd.DataFrame, y: ArrayLike) -> Self:
        self.classes_ = np.array([0, 1])
        self.known_ = dict(zip(X["id"], np.asarray(y), strict=True))
        self.model_ = LogisticRegression().fit(X[["signal"]], y)
        Leaker.seen.append(("fit", frozenset(X["id"])))
        return self

    def predict_proba(self, X: pd.DataFrame) -> NDArray[np.float64]:
        Leaker.seen.append(("predict", frozenset(X["id"])))
        guessed = self.model_.predict_proba(X[["signal"]])[:, 1]
        known = X["id"].map(self.known_)
        p = np.where(known.notna(), 0.02 + 0.96 * known.fillna(0), guessed)
        return np.column_stack([1 - p, p])


def _table(n: int = 1500, seed: int = 1) -> tuple[pd.DataFrame, np.ndarray]:
    rng = np.random.default_rng(seed)
    X = pd.DataFrame({"id": np.arange(n), "signal": rng.normal(size=n)})
    y = (rng.random(n) < 1 / (1 + np.exp(-1.5 * X["signal"]))).astype(int).to_numpy()
    return X, y


def test_a_member_that_knows_its_training_rows_does_not_fool_the_threshold() -> None:
    X, y = _table()
    members = [("leaker", Leaker()), ("last", DecisionTreeClassifier(max_depth=2))]
    cascade = CascadeClassifier(members, UncertaintyPolicy(max_share=0.3, n_fit=1000))
    cascade.fit(X[:1000], y[:1000])
    first = positive_probability(cascade.members_[0][1], X)
    score = cascade.score_(first[:, None], X)
    assert (score[1000:] > cascade.threshold_).mean() == pytest.approx(0.3, abs=0.07)
    # What the training rows themselves would have said: nothing is uncertain.
    in_sample = np.quantile(score[:1000], 0.7)
    assert (score[1000:] > in_sample).mean() > 0.9


@pytest.mark.parametrize("how", ["random", "groups", "time", "conformal", "conformal groups"])
def test_a_threshold_is_fitted_on_rows_its_members_never_saw(how: str) -> None:
    X, y = _table(600)
    groups, as_of = np.arange(600) // 4, np.arange(600)
    policy: Any = UncertaintyPolicy(max_share=0.3, n_fit=200)
    if how.startswith("conformal"):
        policy = ConformalPolicy(confidence_level=0.8)
    members = [("leaker", Leaker()), ("last", LogisticRegression())]
    Leaker.seen.clear()
    cascade = CascadeClassifier(members, policy).fit(
        X,
        y,
        groups=groups if "groups" in how else None,
        as_of=as_of if how == "time" else None,
    )
    known: frozenset[int] = frozenset()
    asked: list[frozenset[int]] = []
    for what, ids in Leaker.seen:
        if what == "fit":
            known = ids
            continue
        asked.append(ids)
        assert not ids & known
        if "groups" in how:
            assert not {i // 4 for i in ids} & {i // 4 for i in known}
        if how == "time":
            assert min(ids) > max(known)
    assert sum(map(len, asked)) == cascade.n_fit_ > 0
    if "groups" in how and how.startswith("conformal"):
        assert len({i // 4 for i in asked[0]}) == len(asked[0]), "one row of each group"
    if not how.startswith("conformal"):
        assert cascade.n_fit_ == 200


# ---------------------------------------------------------------- what policies do


class Says(ClassifierMixin, BaseEstimator):
    """Gives each row the probability in one of its columns."""

    def __init__(self, column: str) -> None:
        self.column = column

    def fit(self, X: pd.DataFrame, y: ArrayLike) -> Self:
        self.classes_ = np.array([0, 1])
        return self

    def predict_proba(self, X: pd.DataFrame) -> NDArray[np.float64]:
        p = X[self.column].to_numpy()
        return np.column_stack([1 - p, p])


def _opinions(n: int = 2000) -> tuple[pd.DataFrame, np.ndarray]:
    rng = np.random.default_rng(3)
    truth = rng.beta(0.7, 0.7, n)
    y = (rng.random(n) < truth).astype(int)
    X = pd.DataFrame({"weak": np.clip(truth + rng.normal(0, 0.3, n), 0, 1), "strong": truth})
    X["other"] = np.clip(truth + rng.normal(0, 0.3, n), 0, 1)
    return X, y


def test_rows_are_the_members_own_and_the_strong_one_has_the_uncertain_ones() -> None:
    X, y = _opinions()
    members = [("weak", Says("weak")), ("strong", Says("strong"))]
    cascade = CascadeClassifier(members, UncertaintyPolicy(max_share=0.4, n_fit=1000))
    cascade.fit(X[:1000], y[:1000])
    p, test = cascade.predict_proba(X[1000:])[:, 1], X[1000:]
    by_strong = p == test["strong"]
    assert ((p == test["weak"]) | by_strong).all()
    assert by_strong.mean() == pytest.approx(0.4, abs=0.06)
    sure = (test["weak"] - 0.5).abs()
    assert sure[by_strong].max() < sure[~by_strong].max()
    right = {name: ((v > 0.5) == y[1000:]).mean() for name, v in test.items()}
    assert right["weak"] + 0.02 < ((p > 0.5) == y[1000:]).mean() <= right["strong"] + 0.01


def test_worth_decides_how_many_are_escalated() -> None:
    X, y = _opinions()
    members = [("weak", Says("weak")), ("strong", Says("strong"))]
    for value, low, high in ((1e-9, 0.0, 1.0), (1.0, 0.3, 1.0)):
        policy = UncertaintyPolicy(usd_per_correct=value, n_fit=1000)
        cascade = CascadeClassifier(members, policy).fit(X, y)
        assert low <= cascade.escalation_share_ <= high


def test_disagreement_between_members_escalates_where_they_differ() -> None:
    X, y = _opinions()
    members = [("weak", Says("weak")), ("other", Says("other")), ("strong", Says("strong"))]
    cascade = CascadeClassifier(members, DisagreementPolicy(between="members", threshold=0.2))
    p = cascade.fit(X, y).predict_proba(X)[:, 1]
    differ = (X["weak"] - X["other"]).abs() > 0.2
    np.testing.assert_allclose(p[differ], X["strong"][differ])
    np.testing.assert_allclose(p[~differ], X[["weak", "other"]].mean(axis=1)[~differ])
    assert np.isnan(cascade.escalation_share_)
    assert cascade.n_fit_ == 0


def test_conformal_deferral_keeps_its_promise_through_the_estimator() -> None:
    lost = []
    for seed in range(60):
        X, y = _table(700, seed)
        members = [("line", Leaker()), ("last", Says("signal"))]
        policy = ConformalPolicy(confidence_level=0.85)
        cascade = CascadeClassifier(members, policy, random_state=seed).fit(X[:400], y[:400])
        first = positive_probability(cascade.members_[0][1], X[400:])
        kept = cascade.score_(first[:, None], X[400:]) <= cascade.threshold_
        lost.append((kept & ((first > 0.5) != (y[400:] == 1))).mean())
    assert np.mean(lost) <= 0.15 + 3 * np.std(lost) / np.sqrt(len(lost))


@pytest.mark.parametrize(
    ("policy", "names", "said"),
    [
        (SHARE, ["one"], "2 members with distinct names"),
        (SHARE, ["a", "a"], "2 members with distinct names"),
        (SHARE, ["a", "b", "c"], "2 members with distinct names"),
        (DisagreementPolicy(between="members", threshold=0.1), ["a", "b"], "3 members"),
        (DisagreementPolicy(threshold=0.1), ["a", "b"], "whose answers to a row never differ"),
    ],
)
def test_members_have_to_fit_the_policy(policy: Any, names: list[str], said: str) -> None:
    X, y = _opinions(100)
    with pytest.raises(PredictorError, match=said):
        CascadeClassifier([(n, Says("weak")) for n in names], policy).fit(X, y)


# ---------------------------------------------------------------- with Claude


def _members(client: ClaudeClient, leads: Dataset, **options: Any) -> list[tuple[str, Any]]:
    strong = {"model": "claude-sonnet-5-5", **options}
    return [
        ("cheap", TASK.claude("zero_shot", leads, client=client, arm="cheap", **options)),
        ("strong", TASK.claude("evidence_first", leads, client=client, arm="strong", **strong)),
    ]


def _halves(leads: Dataset) -> tuple[Dataset, pd.DataFrame]:
    return leads.take(range(300)), leads.X.iloc[300:380]


def test_only_what_is_escalated_is_asked_and_no_cost_is_lost(
    client: ClaudeClient, leads: Dataset, shared_emulator: EmulatorProcess
) -> None:
    train, X = _halves(leads)
    before = shared_emulator.books()
    cascade = CascadeClassifier(_members(client, leads, max_tokens=777), SHARE)
    cascade.fit(train.X, train.y.to_numpy())
    assert len(cascade.fit_answers_) == cascade.n_fit_ == 100
    assert set(cascade.fit_answers_["model_requested"]) == {"claude-haiku-5-5"}
    answers = cascade.answer(X)
    assert tuple(answers.columns) == ANSWER_COLUMNS
    assert answers.index.equals(X.index)
    by_strong = (answers["answered_by"] == "strong").to_numpy()
    assert 0 < by_strong.sum() < len(X)
    assert by_strong.tolist() == (answers["escalation_score"] > cascade.threshold_).tolist()
    after = shared_emulator.books(before["answered"] + 180 + int(by_strong.sum()))
    assert after["answered"] - before["answered"] == 100 + len(X) + by_strong.sum()
    # Every answer is on somebody's account, to the token and the cent.
    spent = cascade.fit_answers_["cost_usd"].sum() + answers["cost_usd"].sum()
    assert spent == pytest.approx(client.spent_usd, abs=1e-12)
    for column in ("output_tokens",):
        used = cascade.fit_answers_[column].sum() + answers[column].sum()
        assert used == after[column] - before[column]
    # A row costs what the members asked about it cost, and is one of their answers.
    cheap, strong = (member.answer(X) for _, member in cascade.members_)
    expected = cheap["cost_usd"] + np.where(by_strong, strong["cost_usd"], 0)
    np.testing.assert_allclose(answers["cost_usd"], expected)
    np.testing.assert_array_equal(
        answers["proba"], np.where(by_strong, strong["proba"], cheap["proba"])
    )
    np.testing.assert_array_equal(answers["first_proba"], cheap["proba"])
    np.testing.assert_allclose(answers["first_cost_usd"], cheap["cost_usd"])
    assert answers["calls"].tolist() == (1 + by_strong).tolist()
    assert (answers["latency_s"] > 0).all()
    np.testing.assert_array_equal(answers["proba"], cascade.predict_proba(X)[:, 1])


def test_ml_first_pays_for_deferred_rows_only(client: ClaudeClient, leads: Dataset) -> None:
    train, X = _halves(leads)
    members = [("ml", logistic_baseline(text=False)), _members(client, leads)[1]]
    policy = ConformalPolicy(confidence_level=0.75)
    cascade = CascadeClassifier(members, policy, latency_sample=20)
    groups = None if train.groups is None else train.groups.to_numpy()
    cascade.fit(train.X, train.y.to_numpy(), groups=groups)
    assert cascade.fit_answers_.empty
    assert client.spent_usd == 0
    planned = cascade.requests(X)
    answers = cascade.answer(X)
    deferred = (answers["answered_by"] == "strong").to_numpy()
    assert len(planned) == deferred.sum()
    assert 0 < deferred.sum() < len(X)
    assert (answers["cost_usd"] > 0).tolist() == deferred.tolist()
    assert answers["origin"].notna().tolist() == deferred.tolist()
    assert answers.loc[~deferred, ["calls", "attempts", "input_tokens"]].sum().sum() == 0
    # Latency is measured on a sample of rows, whoever answered them.
    measured = answers["latency_s"].notna().to_numpy()
    assert measured.sum() == 20
    assert 0 < (measured & deferred).sum() < 20


def test_disagreement_of_repeated_answers(client: ClaudeClient, leads: Dataset) -> None:
    train, X = _halves(leads)
    policy = DisagreementPolicy(threshold=0.5, n_repeats=3)
    cascade = CascadeClassifier(_members(client, leads), policy)
    answers = cascade.fit(train.X, train.y.to_numpy()).answer(X, repeat=1)
    assert (answers["calls"] == 3).all(), "the stand-in says the same every time"
    assert (answers["escalation_score"] == 0).all()
    assert answers["repeat"].unique().tolist() == [1]
    member = cascade.members_[0][1]
    each = [member.answer(X, repeat=r) for r in (3, 4, 5)]
    assert all(frame["cached"].all() for frame in each)
    np.testing.assert_allclose(answers["cost_usd"], sum(f["cost_usd"] for f in each))
    assert client.spent_usd == pytest.approx(answers["cost_usd"].sum())


def test_what_fails_or_is_refused_goes_to_the_next_and_back(
    faulty_client: FaultyClient, leads: Dataset
) -> None:
    train, X = _halves(leads)
    client = faulty_client(0.2, "refusal", "malformed_json", "truncated")
    most = UncertaintyPolicy(max_share=0.85, n_fit=100)
    cascade = CascadeClassifier(_members(client, leads), most)
    cascade.fit(train.X, train.y.to_numpy())
    answers = cascade.answer(X)
    cheap, strong = (member.answer(X) for _, member in cascade.members_)
    no_cheap, no_strong = cheap["error"].notna(), strong["error"].notna()
    escalated = (answers["escalation_score"] > cascade.threshold_).to_numpy()
    assert escalated[no_cheap].all()
    both = (no_cheap & no_strong).to_numpy()
    back = escalated & no_strong.to_numpy() & ~no_cheap.to_numpy()
    assert both.any()
    assert back.any()
    assert answers["error"].notna().tolist() == both.tolist()
    assert (answers.loc[back, "answered_by"] == "cheap").all()
    np.testing.assert_array_equal(answers["proba"][back], cheap["proba"][back])
    np.testing.assert_array_equal(answers["proba"][both], np.full(both.sum(), cascade.prior_))
    assert (answers.loc[no_cheap & ~no_strong, "answered_by"] == "strong").all()
    declared = (no_cheap | (no_strong & escalated)).to_numpy()
    assert answers["member_error"].notna().tolist() == declared.tolist()
    assert answers["degraded"].tolist() == (declared & ~both).tolist()
    for said in ("refused", "malformed answer", "cut off at max_tokens"):
        assert answers["member_error"].dropna().str.contains(said).any()
    # Failed answers were paid for.
    expected = cheap["cost_usd"] + np.where(escalated, strong["cost_usd"], 0)
    np.testing.assert_allclose(answers["cost_usd"], expected)


def test_a_budget_per_thousand_is_kept_on_rows_it_never_saw(
    client: ClaudeClient, leads: Dataset
) -> None:
    train, X = _halves(leads)
    cheap, strong = _members(client, leads)
    cost = [
        1000 * member.fit(train.X, train.y.to_numpy()).answer(X)["cost_usd"].mean()
        for _, member in (cheap, strong)
    ]
    limit = cost[0] + 0.4 * cost[1]
    policy = UncertaintyPolicy(max_cost_per_1000_usd=limit, n_fit=100)
    cascade = CascadeClassifier([cheap, strong], policy).fit(train.X, train.y.to_numpy())
    assert len(cascade.fit_answers_) == 200, "the last member was asked for its cost"
    spent = 1000 * cascade.answer(X)["cost_usd"].mean()
    assert cost[0] <= spent < 1.35 * limit
    with pytest.raises(PredictorError, match="asking the first stage alone costs"):
        CascadeClassifier(
            [cheap, strong], UncertaintyPolicy(max_cost_per_1000_usd=cost[0] / 2, n_fit=100)
        ).fit(train.X, train.y.to_numpy())


def test_what_would_be_asked_is_planned_without_asking(
    client: ClaudeClient, leads: Dataset
) -> None:
    train, X = _halves(leads)
    y = train.y.to_numpy()
    cascade = CascadeClassifier(_members(client, leads), SHARE)
    planned = planned_requests(cascade, train.X, y, X, n_repeats=2)
    assert client.spent_usd == 0
    assert len(planned) == 100 + 2 * (len(X) + 24)
    fitted = clone(cascade).fit(train.X, y)
    keys = {client.key(r) for r in planned}
    asked = {client.key(r) for r in fitted.fit_requests(train.X, y)}
    assert asked <= keys
    spent = client.spent_usd
    assert {client.key(r) for r in fitted.members_[0][1].requests(X)} <= keys
    assert len(fitted.requests(X)) == len(X) + int(np.ceil(fitted.escalation_share_ * len(X)))
    assert client.spent_usd == spent
    no_fit = DisagreementPolicy(threshold=0.2)
    free = CascadeClassifier(_members(client, leads), no_fit)
    assert len(planned_requests(free, train.X, y, X)) == 3 * len(X), "all, for all it knows"


def test_it_is_cloned_and_pickled_like_any_estimator(client: ClaudeClient, leads: Dataset) -> None:
    train, X = _halves(leads)
    cascade = CascadeClassifier(_members(client, leads), SHARE)
    copy = clone(cascade)
    assert isinstance(copy.estimators[0][1], ClaudeClassifier)
    assert copy.estimators[0][1].client is client
    assert copy.policy == SHARE
    fitted = copy.fit(train.X, train.y.to_numpy())
    again = pickle.loads(pickle.dumps(fitted))  # noqa: S301 - our own bytes
    assert again.threshold_ == fitted.threshold_
    np.testing.assert_array_equal(again.predict_proba(X), fitted.predict_proba(X))
    assert answering(fitted)
    assert not answering(_quick(UncertaintyPolicy(max_share=0.4)))
