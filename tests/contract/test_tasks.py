import re
from collections.abc import Callable
from pathlib import Path

import yaml

import workbench.tasks
from workbench.claude import ClaudeClient
from workbench.data import Dataset
from workbench.evaluation import build_arms, read_spec
from workbench.evaluation.operations import OPERATIONS
from workbench.prompts import Prompt
from workbench.scorers import METRICS
from workbench.tasks import TASKS, Task

Load = Callable[[str, int], Dataset]


def test_every_task_folder_is_a_task() -> None:
    folder = Path(workbench.tasks.__file__).parent
    assert {path.parent.name for path in folder.glob("*/card.md")} == {
        task.folder.name for task in TASKS.values()
    }


def test_names_agree(task: Task, names: list[str], specs: list[Path]) -> None:
    assert TASKS[task.name] is task
    family = [other for other in TASKS.values() if other.folder == task.folder]
    assert len(family) > 1 or task.folder.name == task.name
    assert task.version >= 1
    assert task.title
    assert [p.name for p in task.prompts.values()] == list(task.prompts)
    assert specs, "a task has at least one spec in experiments/<task>/"
    assert names, "a task can be tried without a download"


def test_metrics_exist_and_the_first_one_ranks(task: Task) -> None:
    assert set(task.metrics) <= set(METRICS)
    assert task.metrics[0] not in OPERATIONS
    assert {target.metric for target in task.targets} <= set(METRICS)


def test_the_card_names_data_and_variants(task: Task, names: list[str]) -> None:
    for name in (*task.prompts, *names):
        assert f"`{name}`" in task.card
    for part in ("Question.", "Why.", "Data.", "Answer.", "Targets.", "Limits."):
        assert f"**{part}**" in task.card


def test_there_are_three_strategies_or_more(task: Task) -> None:
    strategies = [prompt.strategy for prompt in task.prompts.values()]
    assert len(set(strategies)) >= 3
    digests = {prompt.digest for prompt in task.prompts.values()}
    assert len(digests) == len(task.prompts)


def test_header_and_text_of_a_variant_agree(task: Task, prompt: Prompt) -> None:
    named = re.findall(r"^Strategy: (.*)$", prompt.system, re.MULTILINE)
    assert named == [prompt.strategy]
    assert (prompt.strategy == "few_shot") == (prompt.n_examples > 0)
    assert "outcome" in prompt.variables, "the question depends on the data set"


def test_default_arms_make_a_spec_that_can_be_built(
    task: Task, tmp_path: Path, client: ClaudeClient, load: Load, names: list[str]
) -> None:
    name = names[0]
    path = tmp_path / "spec.yaml"
    gates = [{"metric": task.metrics[0], "at_least": 0.5}]
    content = {"name": "defaults", "task": task.name, "dataset": {"name": name}, "gates": gates}
    path.write_text(yaml.safe_dump(content), encoding="utf-8")
    spec = read_spec(path)
    arms = build_arms(spec, task, load(name, 400), client, folder=tmp_path)
    assert {arm.prompt.name for arm in arms.values() if hasattr(arm, "prompt")} == set(task.prompts)
