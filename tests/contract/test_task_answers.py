import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from pydantic import ValidationError

from workbench.claude import ClaudeClient, EmulatorProcess, FaultPlan, FaultRule, Origin
from workbench.data import Dataset, Split
from workbench.evaluation import evaluate
from workbench.predictors import prior_baseline
from workbench.prompts import Prompt
from workbench.tasks import Task

Load = Callable[[str, int], Dataset]
BAD_ANSWERS = ("truncated", "refusal", "malformed_json", "out_of_range")


def halves(dataset: Dataset) -> tuple[Dataset, Dataset]:
    positions = Split("random", test_fraction=0.4, random_state=1).apply(dataset)
    return dataset.take(positions.train), dataset.take(positions.test)


def groups_of(dataset: Dataset) -> NDArray[Any] | None:
    return None if dataset.groups is None else dataset.groups.to_numpy()


def test_the_answer_schema_is_strict_and_complete(task: Task) -> None:
    schema = task.answer_model.model_json_schema()
    assert schema["type"] == "object"
    assert schema["additionalProperties"] is False
    # Structured output wants every property named as required.
    assert set(schema["required"]) == set(schema["properties"])
    assert all(p.get("description") for p in schema["properties"].values())


def test_answers_make_the_round_trip(
    task: Task, prompt: Prompt, name: str, client: ClaudeClient, load: Load
) -> None:
    train, test = halves(load(name, 400))
    fitted = task.claude(prompt.name, train, client=client).fit(
        train.X, train.y.to_numpy(), groups_of(train)
    )
    answers = fitted.answer(test.X.head(20))
    assert answers["error"].isna().all()
    for text in answers["answer"]:
        answer = task.answer_model.model_validate_json(text)
        assert answer.model_dump_json() == text
        assert task.answer_model.model_validate(answer.model_dump()) == answer
        with pytest.raises(ValidationError, match="extra_forbidden"):
            task.answer_model.model_validate({**answer.model_dump(), "more": 1})
        for field in task.answer_model.model_fields:
            lacking = {k: v for k, v in answer.model_dump().items() if k != field}
            with pytest.raises(ValidationError, match="missing"):
                task.answer_model.model_validate(lacking)


@pytest.fixture(scope="module")
def bad_answers() -> FaultPlan:
    rules = (FaultRule(kind, rate=0.15, seed=i) for i, kind in enumerate(BAD_ANSWERS))
    return FaultPlan(tuple(rules))


def test_bad_answers_are_errors_that_keep_their_cost(
    task: Task, prompt: Prompt, bad_answers: FaultPlan, tmp_path: Path, load: Load, names: list[str]
) -> None:
    dataset = load(names[0], 400)
    with (
        EmulatorProcess(bad_answers) as emulator,
        ClaudeClient(
            origin=Origin.SIMULATED, store=tmp_path / "answers.sqlite", base_url=emulator.url
        ) as asking,
    ):
        arms = {"prior": prior_baseline(), "asked": task.claude(prompt, dataset, client=asking)}
        result = evaluate(task, arms, dataset, latency_sample=1, n_resamples=100)
        struck = emulator.books()["faults"]
        ledger = asking.store.ledger_frame()
    rows = result.records[result.records["arm"] == "asked"].sort_values("example_id")
    failed = rows["error"].notna()
    assert set(struck) == set(BAD_ANSWERS)
    assert failed.sum() == sum(struck.values())
    kinds = rows.loc[failed, "error"].str.replace(r"[:=].*", "", regex=True).value_counts()
    assert kinds.to_dict() == {
        "cut off at max_tokens": struck["truncated"],
        "refused": struck["refusal"],
        "malformed answer": struck["malformed_json"] + struck["out_of_range"],
    }
    # Billed, booked and kept.
    assert (rows.loc[failed, "cost_usd"] > 0).all()
    assert (rows.loc[failed, "input_tokens"] > 0).all()
    assert (rows.loc[failed, "output_tokens"] > 0).all()
    assert ledger["cost_usd"].sum() == pytest.approx(rows["cost_usd"].sum())
    assert rows.loc[failed, "answer"].isna().all()
    assert not rows.loc[failed, "abstained"].any()
    # Counted, and scored as wrong.
    assert result.estimate("asked", "error_rate").estimate == pytest.approx(failed.mean())
    y, scored = result.scores.y, result.scores.proba["asked"]
    assert set(scored[failed][y[failed] == 1]) == {0.01}
    assert set(scored[failed][y[failed] == 0]) == {0.99}
    np.testing.assert_array_equal(scored[~failed], rows.loc[~failed, "proba"])
    assert not ((scored > 0.5) == (y == 1))[failed].any()


def test_an_abstention_is_the_prior_and_no_error(
    task: Task, prompt: Prompt, client: ClaudeClient, load: Load, names: list[str]
) -> None:
    dataset = load(names[0], 400)
    silent = np.arange(len(dataset)) % 3 == 0
    blank = dataset.X.astype(object).mask(np.repeat(silent[:, None], dataset.X.shape[1], axis=1))
    blanked = dataclasses.replace(dataset, X=blank.astype(dataset.X.dtypes.map(nullable).to_dict()))
    arms = {"prior": prior_baseline(), "asked": task.claude(prompt, dataset, client=client)}
    result = evaluate(task, arms, blanked, latency_sample=1, n_resamples=100)
    rows = result.records[result.records["arm"] == "asked"]
    said_nothing = rows["example_id"].isin(dataset.X.index[silent])
    assert said_nothing.any()
    assert rows.loc[said_nothing, "abstained"].all()
    assert rows["error"].isna().all()
    prior = result.records.loc[result.records["arm"] == "prior", "proba"].iloc[0]
    assert rows.loc[rows["abstained"], "proba"].unique().tolist() == pytest.approx([prior])
    assert result.estimate("asked", "abstain_rate").estimate == rows["abstained"].mean()
    assert result.estimate("asked", "error_rate").estimate == 0
    assert (rows.loc[rows["abstained"], "cost_usd"] > 0).all()


def nullable(dtype: Any) -> Any:
    return "float64" if pd.api.types.is_integer_dtype(dtype) else dtype
