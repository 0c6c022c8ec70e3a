import pytest

from workbench.claude import ClaudeClient, EmulatorProcess
from workbench.data import Dataset
from workbench.predictors import ClaudeClassifier, prompt_cost
from workbench.prompts import PARTS
from workbench.tasks import load_task

TASK = load_task("lead_conversion")


def _fitted(client: ClaudeClient, leads: Dataset, variant: str) -> ClaudeClassifier:
    return TASK.claude(variant, leads, client=client).fit(leads.X[:300], leads.y[:300].to_numpy())


@pytest.mark.parametrize("variant", sorted(TASK.prompts))
def test_the_parts_add_up_to_what_is_billed(
    client: ClaudeClient, leads: Dataset, variant: str
) -> None:
    model, X = _fitted(client, leads, variant), leads.X[300:312]
    parts = prompt_cost(model, X, counted=True).tokens
    billed = model.answer(X)
    columns = ["input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens"]
    assert list(parts.columns) == list(PARTS)
    assert parts.sum(axis=1).tolist() == billed[columns].sum(axis=1).tolist()
    assert (parts["examples"] > 100).all() == (variant == "few_shot")
    assert (parts[["system", "instructions", "schema", "data"]] > 0).all().all()


def test_estimates_ask_nobody_and_price_every_part(
    client: ClaudeClient, leads: Dataset, shared_emulator: EmulatorProcess
) -> None:
    before = shared_emulator.books()["requests"]
    found = prompt_cost(_fitted(client, leads, "few_shot"), leads.X[300:320])
    assert shared_emulator.books()["requests"] == before
    frame = found.to_frame()
    assert frame["share"].drop("total").sum() == pytest.approx(1)
    # Haiku 5.5 costs $0.10 a million tokens.
    assert frame["cost_per_1000_usd"]["total"] == pytest.approx(
        frame["tokens_mean"]["total"] * 0.1 / 1000
    )
    assert frame["share"]["examples"] > 0.4
    assert frame["same_in_every_request"][["system", "examples", "schema"]].all()
    assert not frame["same_in_every_request"]["data"]
    assert "estimated" in found._repr_html_()
    # What the estimate says is near what the endpoint, of the same rule, counts.
    counted = prompt_cost(_fitted(client, leads, "few_shot"), leads.X[300:320], counted=True)
    ratio = counted.tokens.sum(axis=1) / found.tokens.sum(axis=1)
    assert ratio.between(0.9, 1.15).all()
