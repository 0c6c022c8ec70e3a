import json
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pydantic import BaseModel
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.dummy import DummyClassifier
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from workbench.claude import ClaudeClient, EmulatorProcess, Origin
from workbench.claude.emulator.answers import content_digest, message
from workbench.data import Dataset
from workbench.errors import EvaluationError, PredictorError, PromptError, SpecError
from workbench.evaluation import build_arms, evaluate, read_spec
from workbench.predictors import (
    ANSWER_COLUMNS,
    BlendedClassifier,
    CalibratedClassifier,
    ClaudeClassifier,
    StackedClassifier,
    answering,
    fit_in_context,
    logistic_baseline,
    planned_requests,
)
from workbench.prompts import lead_texts
from workbench.tasks import load_task

TASK = load_task("lead_conversion")
# What the generator invents: addresses at example.com and numbers 555-01xx.
PERSONAL = re.compile(r"(?<![\w.+-])[\w.+-]+@[\w-]+\.\w+|555-01\d\d")


def make(
    client: ClaudeClient, leads: Dataset, variant: str | Path = "zero_shot", **options: Any
) -> ClaudeClassifier:
    return TASK.claude(variant, leads, client=client, **options)


def fitted(
    client: ClaudeClient, leads: Dataset, variant: str | Path = "zero_shot", **options: Any
) -> ClaudeClassifier:
    return make(client, leads, variant, **options).fit(leads.X, leads.y.to_numpy())


# ---------------------------------------------------------------- as an estimator


def test_a_clone_is_unfitted_and_shares_the_client(client: ClaudeClient, leads: Dataset) -> None:
    first = fitted(client, leads, "few_shot", random_state=5)
    copy = clone(first)
    assert copy.client is first.client
    assert not hasattr(copy, "examples_")
    assert {k: v for k, v in copy.get_params().items() if k != "labels"} == {
        k: v for k, v in first.get_params().items() if k != "labels"
    }
    assert dict(copy.labels) == dict(first.labels)


def test_parameters_can_be_read_and_set(client: ClaudeClient, leads: Dataset) -> None:
    made = make(client, leads, max_tokens=300)
    assert made.get_params()["max_tokens"] == 300
    made.set_params(max_tokens=200, effort="low")
    request = made.fit(leads.X, leads.y.to_numpy()).requests(leads.X.head(1))[0]
    assert (request.max_tokens, request.effort) == (200, "low")


def test_probabilities_and_classes_agree(client: ClaudeClient, leads: Dataset) -> None:
    model = fitted(client, leads)
    X = leads.X.head(40)
    p = model.predict_proba(X)
    assert p.shape == (40, 2)
    np.testing.assert_allclose(p.sum(axis=1), 1)
    assert model.predict(X).tolist() == (p[:, 1] > 0.5).astype(int).tolist()
    answers = model.answer(X)
    assert tuple(answers.columns) == ANSWER_COLUMNS
    assert answers.index.equals(X.index)
    assert answers["proba"].tolist() == p[:, 1].tolist()
    assert answers["cached"].all()


def test_it_sits_in_a_pipeline(client: ClaudeClient, leads: Dataset) -> None:
    assert leads.groups is not None
    pipeline = make_pipeline(FunctionTransformer(), make(client, leads, "few_shot"))
    y, groups = leads.y.to_numpy(), leads.groups.to_numpy()
    piped = fit_in_context(clone(pipeline), leads.X, y, groups=groups)
    alone = make(client, leads, "few_shot").fit(leads.X, y, groups)
    X = leads.X.head(10)
    np.testing.assert_array_equal(piped.predict_proba(X), alone.predict_proba(X))


def test_it_sits_in_a_stack_whose_figures_add_up(client: ClaudeClient, leads: Dataset) -> None:
    members = [
        ("model", logistic_baseline()),
        ("zero", make(client, leads)),
        ("first", make(client, leads, "evidence_first")),
    ]
    train, X = leads.take(range(300)), leads.X.iloc[300:330]
    y = train.y.to_numpy()
    stack = StackedClassifier(members, n_splits=3).fit(train.X, y)
    assert len(stack.fit_answers_) == 2 * len(train)
    answers = stack.answer(X)
    each = [m.answer(X) for m in stack.members_[1:]]
    for column in ("cost_usd", "input_tokens", "output_tokens", "attempts"):
        np.testing.assert_allclose(answers[column], each[0][column] + each[1][column])
    assert answers["error"].isna().all()
    np.testing.assert_array_equal(answers["proba"], stack.predict_proba(X)[:, 1])
    digests = answers["prompt_digest"].iloc[0].split(" + ")
    assert digests == [TASK.prompt(v).digest for v in ("zero_shot", "evidence_first")]


def test_calibrated_and_blended_it_asks_what_was_planned(
    client: ClaudeClient, leads: Dataset
) -> None:
    train, X = leads.take(range(120)), leads.X.iloc[300:320]
    y = train.y.to_numpy()
    calibrated = CalibratedClassifier(make(client, leads), n_splits=2)
    blend = BlendedClassifier([("model", logistic_baseline()), ("claude", calibrated)], n_splits=2)
    # Each fold of the blend calibrates on its own training rows: 2 × 60, then 120 of its own.
    fitted_blend = blend.fit(train.X, y)
    assert len(fitted_blend.fit_answers_) == 3 * len(train)
    plain = clone(calibrated).fit(train.X, y)
    assert len(plain.fit_answers_) == len(train)
    assert len(planned_requests(calibrated, train.X, y, X)) == len(train) + len(X)
    answers = fitted_blend.answer(X)
    assert answers["origin"].unique().tolist() == ["simulated"]
    assert (answers["cost_usd"] > 0).all()
    np.testing.assert_array_equal(answers["proba"], fitted_blend.predict_proba(X)[:, 1])


@pytest.mark.parametrize("wrapped", ["pipeline", "calibrated", "stack of a pipeline"])
def test_an_arm_cannot_hide_who_answered(
    client: ClaudeClient, leads: Dataset, wrapped: str
) -> None:
    asking = make(client, leads)
    pipeline = make_pipeline(FunctionTransformer(), asking)
    arm = {
        "pipeline": pipeline,
        "calibrated": CalibratedClassifierCV(asking, cv=2),
        "stack of a pipeline": StackedClassifier([("a", asking), ("b", pipeline)]),
    }[wrapped]
    with pytest.raises(EvaluationError, match="arm 'hidden' asks Claude from inside a"):
        evaluate(TASK, {"prior": DummyClassifier(), "hidden": arm}, leads)


# ---------------------------------------------------------------- solved examples


def test_examples_are_training_rows_balanced_one_a_group(
    client: ClaudeClient, leads: Dataset
) -> None:
    assert leads.groups is not None
    train = leads.take(range(0, 600, 2))
    assert train.groups is not None
    groups = train.groups.to_numpy()
    model = make(client, leads, "few_shot").fit(train.X, train.y.to_numpy(), groups)
    texts = lead_texts(train.X, model.labels, text_columns=["first_message"])
    rows = {(text.lead, text.message): i for i, text in enumerate(texts)}
    found = [rows[example["lead"], example["message"]] for example in model.examples_]
    assert len(found) == TASK.prompt("few_shot").n_examples
    outcomes = [example["outcome"] for example in model.examples_]
    assert outcomes == ["yes", "no"] * (len(found) // 2)
    assert ["yes" if y else "no" for y in train.y.iloc[found]] == outcomes
    assert len({groups[row] for row in found}) == len(found)


def test_one_group_gives_one_example_only(client: ClaudeClient, leads: Dataset) -> None:
    y = leads.y.to_numpy()
    # Every lead that converted is of one household.
    groups = np.where(y == 1, -1, np.arange(len(y)))
    with pytest.raises(PredictorError, match=r"8 examples were asked for.*has only 2 that fit"):
        make(client, leads, "few_shot").fit(leads.X, y, groups)


def test_the_seed_decides_the_examples(client: ClaudeClient, leads: Dataset) -> None:
    chosen = [fitted(client, leads, "few_shot", random_state=s).examples_ for s in (1, 1, 2)]
    assert chosen[0] == chosen[1]
    assert chosen[0] != chosen[2]


@pytest.mark.parametrize("n_examples", [2, 3, 12])
def test_the_number_of_examples_can_be_chosen(
    client: ClaudeClient, leads: Dataset, n_examples: int
) -> None:
    model = fitted(client, leads, "few_shot", n_examples=n_examples)
    assert len(model.examples_) == n_examples
    assert model.render(leads.X.head(1))[0].user.count("<example>") == n_examples


def test_a_variant_without_examples_learns_only_the_base_rate(
    client: ClaudeClient, leads: Dataset
) -> None:
    model = fitted(client, leads)
    assert model.examples_ == []
    assert model.prior_ == leads.base_rate
    assert f"About {leads.base_rate:.0%} of past leads" in model.render(leads.X.head(1))[0].system


# ---------------------------------------------------------------- what leaves the machine


class _Recorder(ThreadingHTTPServer):
    """Answers like the emulator and keeps what it was sent."""

    bodies: list[bytes]
    headers_seen: list[str]


class _Handler(BaseHTTPRequestHandler):
    server: _Recorder
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        raw = self.rfile.read(int(self.headers["content-length"]))
        self.server.bodies.append(raw)
        self.server.headers_seen.append(str(self.headers))
        body = json.loads(raw)
        answer = json.dumps(message(body, content_digest(body), 0, None)).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("x-workbench-origin", "simulated")
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        """Keep quiet."""


@pytest.fixture
def recorder() -> Iterator[_Recorder]:
    with _Recorder(("127.0.0.1", 0), _Handler) as server:
        server.bodies, server.headers_seen = [], []
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("variant", sorted(TASK.prompts))
def test_no_address_or_number_crosses_the_wire(
    recorder: _Recorder, leads: Dataset, tmp_path: Path, variant: str
) -> None:
    personal = leads.X[leads.X["first_message"].str.contains(PERSONAL)].head(60)
    assert len(personal) > 50
    url = f"http://127.0.0.1:{recorder.server_address[1]}"
    store = tmp_path / "answers.sqlite"
    with ClaudeClient(origin=Origin.SIMULATED, store=store, base_url=url) as client:
        model = make(client, leads, variant).fit(
            personal, np.arange(len(personal)) % 2
        )  # examples are taken from the very same rows
        answers = model.answer(personal)
    assert answers["error"].isna().all()
    sent = b"\n".join(recorder.bodies).decode()
    assert len(recorder.bodies) == len(personal)
    assert "[email:" in sent
    assert "[phone:" in sent
    assert not PERSONAL.findall(sent)
    assert not PERSONAL.findall("".join(recorder.headers_seen))
    assert not PERSONAL.findall(store.read_bytes().decode("utf-8", "replace"))


@pytest.mark.parametrize(
    "text",
    [
        "My number is (520) 555-0120, Sue",
        "call 1-212-555-0134 or 212-555-0134, please",
        "at 10 555-0134; or 555-0134,5pm",
        "ann.lee@example.com,bob@example.org",
        "+1 (212) 555-0134,",
    ],
)
def test_punctuation_does_not_shield_an_identifier(
    client: ClaudeClient, leads: Dataset, text: str
) -> None:
    X = leads.X.head(1).assign(first_message=text)
    sent = client.sealed(fitted(client, leads).requests(X)[0]).prompt
    message = sent.split("<message>")[1]
    assert re.search(r"\[(?:phone|email):", message)
    assert not re.search(r"\d{4}\s*[,;)]|555|@", re.sub(r"\[\w+:\w+\]", "", message))


def test_columns_without_a_meaning_are_not_shown(client: ClaudeClient, leads: Dataset) -> None:
    X = leads.X.assign(note="do not show", lead_id=leads.X.index)
    model = make(client, leads).fit(X, leads.y.to_numpy())
    shown = "".join(part for prompt in model.render(X.head(20)) for part in prompt)
    assert "do not show" not in shown
    assert leads.X.index[0] not in shown


# ---------------------------------------------------------------- asking


def test_asking_again_asks_nothing(
    client: ClaudeClient, leads: Dataset, shared_emulator: EmulatorProcess
) -> None:
    model = fitted(client, leads, max_tokens=901)
    X = leads.X.head(25)
    first = model.answer(X)
    asked, spent = shared_emulator.books()["requests"], client.spent_usd
    again = fitted(client, leads, max_tokens=901).answer(X)
    assert shared_emulator.books()["requests"] == asked
    assert client.spent_usd == spent
    assert not first["cached"].any()
    assert again["cached"].all()
    pd.testing.assert_frame_equal(
        first.drop(columns=["cached", "cache"]),
        again.drop(columns=["cached", "cache"]),
        check_dtype=False,
    )


def test_repeats_are_calls_of_their_own(
    client: ClaudeClient, leads: Dataset, shared_emulator: EmulatorProcess
) -> None:
    model = fitted(client, leads, max_tokens=902)
    X = leads.X.head(10)
    before = shared_emulator.books()["answered"]
    frames = [model.answer(X, repeat=repeat) for repeat in (0, 1, 1)]
    assert shared_emulator.books()["answered"] - before == 20
    assert [frame["repeat"].unique().tolist() for frame in frames] == [[0], [1], [1]]
    assert not set(frames[0]["request_id"]) & set(frames[1]["request_id"])
    assert frames[1]["request_id"].tolist() == frames[2]["request_id"].tolist()


def test_the_ledger_knows_task_and_arm(client: ClaudeClient, leads: Dataset) -> None:
    fitted(client, leads, arm="mine").answer(leads.X.head(3))
    fitted(client, leads, "evidence_first").answer(leads.X.head(2))
    found = client.store.spend(by=["task", "arm"]).set_index("arm")["n_answers"]
    assert found.to_dict() == {"mine": 3, "evidence_first": 2}


# ---------------------------------------------------------------- what is refused


class _NoAbstain(BaseModel):
    probability: float


def test_what_cannot_be_fitted_says_why(client: ClaudeClient, leads: Dataset) -> None:
    y = leads.y.to_numpy()
    with pytest.raises(PredictorError, match=r"X is a ndarray\. Expected a DataFrame"):
        make(client, leads).fit(leads.X.to_numpy(), y)
    with pytest.raises(PredictorError, match=r"y has the classes \['no', 'yes'\]\. Expected 0"):
        make(client, leads).fit(leads.X, np.where(y == 1, "yes", "no"))
    with pytest.raises(PredictorError, match=r"y has the classes \[0\]\. Expected 0 and 1"):
        make(client, leads).fit(leads.X, np.zeros(len(y), dtype=int))
    with pytest.raises(PredictorError, match=r"_NoAbstain lacks \['abstain'\]"):
        make(client, leads).set_params(answer_model=_NoAbstain).fit(leads.X, y)
    with pytest.raises(PredictorError, match=r"only \d that fit.*train on more rows or lower n_ex"):
        make(client, leads, "few_shot").fit(leads.X.head(4), [0, 1, 0, 0])
    with pytest.raises(PromptError, match=r"none of the columns .* has a label"):
        make(client, leads, "few_shot").fit(leads.X[[]].assign(other=1.0), y)


def test_what_cannot_be_asked_says_why(client: ClaudeClient, leads: Dataset) -> None:
    with pytest.raises(NotFittedError, match="not fitted yet"):
        make(client, leads).predict_proba(leads.X.head(1))
    with pytest.raises(ValueError, match="Feature names seen at fit time, yet now missing"):
        fitted(client, leads).predict_proba(leads.X.head(1).drop(columns="source"))


@pytest.mark.parametrize("option", ["max_token", "labels", "prompt", "outcome", "task"])
def test_unknown_options_are_refused(client: ClaudeClient, leads: Dataset, option: str) -> None:
    with pytest.raises(SpecError, match=rf"unknown parameters \['{option}'\] of a Claude arm"):
        TASK.claude("zero_shot", leads, client=client, **{option: "x"})


@pytest.mark.parametrize("option", ["arm", "model"])
def test_a_spec_cannot_set_twice_what_it_sets_once(
    client: ClaudeClient, leads: Dataset, tmp_path: Path, option: str
) -> None:
    path = tmp_path / "spec.yaml"
    path.write_text(
        "name: s\ntask: lead_conversion\ndataset: {name: brokerage}\nbaseline: p\n"
        "gates: [{metric: roc_auc, at_least: 0.5}]\n"
        f"arms: {{p: {{kind: prior}}, c: {{kind: claude, prompt: zero_shot, "
        f"parameters: {{{option}: x}}}}}}\n",
        encoding="utf-8",
    )
    with pytest.raises(SpecError, match=rf"arm 'c': \['{option}'\] cannot be parameters"):
        build_arms(read_spec(path), TASK, leads, client, folder=tmp_path)


# ---------------------------------------------------------------- a prompt of one's own


OWN = """---
name: blunt
title: Ask bluntly
strategy: zero_shot
variables: [outcome, lead]
---
# system
Strategy: zero_shot
Estimate the probability that {{ outcome }}.

# user
<lead>
{{ lead }}
</lead>
"""


def test_a_prompt_file_of_ones_own_works(
    client: ClaudeClient, leads: Dataset, tmp_path: Path
) -> None:
    path = tmp_path / "blunt.md"
    path.write_text(OWN, encoding="utf-8")
    model = fitted(client, leads, path)
    assert model.arm == "blunt"
    shown = model.render(leads.X.head(1))[0]
    assert shown.system.endswith(f"the probability that {leads.card.target.meaning}.")
    assert "<message>" not in shown.user
    answers = model.answer(leads.X.head(5))
    assert answers["error"].isna().all()
    assert answers["prompt_digest"].unique().tolist() == [TASK.prompt(path).digest]


def test_a_prompt_that_wants_what_nobody_offers_is_refused(
    client: ClaudeClient, leads: Dataset, tmp_path: Path
) -> None:
    path = tmp_path / "blunt.md"
    text = OWN.replace("[outcome, lead]", "[outcome, lead, mood]").replace("</lead>", "{{ mood }}")
    path.write_text(text, encoding="utf-8")
    with pytest.raises(PromptError, match=r"missing \['mood'\], unknown \[\]"):
        fitted(client, leads, path).render(leads.X.head(1))


def test_a_variant_that_does_not_exist_suggests_one(client: ClaudeClient, leads: Dataset) -> None:
    with pytest.raises(PromptError, match=r"no prompt variant 'zero_shots'.*use 'zero_shot'"):
        make(client, leads, "zero_shots")


def test_a_model_that_asks_is_told_from_one_that_does_not(
    client: ClaudeClient, leads: Dataset
) -> None:
    assert answering(make(client, leads))
    assert answering(StackedClassifier([("a", make(client, leads)), ("b", DummyClassifier())]))
    assert not answering(make_pipeline(FunctionTransformer(), make(client, leads)))
