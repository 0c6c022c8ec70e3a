"""Prompts in a real registry: versions, figures, and aliases that must be earned."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.evaluation.spoken import spoken_run
from typer.testing import CliRunner

from workbench.cli import app
from workbench.errors import EvaluationError, PromptError, SpecError
from workbench.evaluation.readings import ReadingEvaluation
from workbench.prompts import Prompt
from workbench.settings import Settings
from workbench.tasks import load_task
from workbench.tracking import connect
from workbench.tracking.prompts import (
    prompt_by_alias,
    prompt_figures,
    prompt_versions,
    register_prompt,
    set_alias,
)
from workbench.tracking.store import use_experiment

TASK = "labelling"
ZERO = load_task(TASK).prompt("zero_shot")


def measured(prompt: Prompt, origin: str, **parameters: str) -> ReadingEvaluation:
    """An evaluation whose arms are as if a prompt had been asked of Claude with it."""
    run = spoken_run(
        ["a", "b", "c", "d"],
        {"mood": ["good", "bad", "good", "bad"]},
        {"weak": {"mood": ["good"] * 4}, "asked": {"mood": ["good", "bad", "good", "good"]}},
    )
    weak, asked = run.arms
    asked = replace(
        asked, kind="claude", origin=origin, model="claude-haiku-5-5", prompt=prompt.name,
        prompt_digest=prompt.digest, parameters=parameters,
    )  # fmt: skip
    mine = run.records["arm"] == "asked"
    records = run.records.assign(origin=run.records["origin"].mask(mine, origin))
    return ReadingEvaluation(run.info, (weak, asked), records, run.corpus)


def project(root: Path) -> Settings:
    root.mkdir()
    (root / "pyproject.toml").write_text("[project]\nname = 'p'\n", encoding="utf-8")
    return Settings(root=root, data_dir=root)


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    yield project(tmp_path_factory.mktemp("registry") / "project")


def test_what_another_project_was_last_logged_to_does_not_matter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_EXPERIMENT_ID", "0")  # MLflow writes it; put back afterwards
    other = project(tmp_path / "other")
    for name in ("first", "second"):
        use_experiment(connect(other), name, other)
    mine = project(tmp_path / "mine")
    assert register_prompt(TASK, ZERO, settings=mine).version == 1
    assert (
        connect(mine)
        .get_experiment_by_name(TASK)
        .artifact_location.startswith(mine.mlruns.as_uri())
    )


def test_a_prompt_gets_a_version_once_and_reads_back_as_it_was(kept: Settings) -> None:
    first = register_prompt(TASK, ZERO, settings=kept)
    assert (first.version, first.prompt, first.figures) == (1, ZERO, ())
    assert register_prompt(TASK, ZERO, settings=kept).version == 1
    other = replace(load_task(TASK).prompt("few_shot"), n_examples=3)
    second = register_prompt(TASK, other, settings=kept)
    assert (second.version, second.prompt) == (2, other)
    assert [v.version for v in prompt_versions(TASK, settings=kept)] == [2, 1]
    with pytest.raises(SpecError):
        register_prompt("labeling", ZERO, settings=kept)


def test_no_alias_without_a_recorded_evaluation(kept: Settings) -> None:
    blank = replace(ZERO, name="blank", system=f"{ZERO.system} Be brief.")
    with pytest.raises(EvaluationError, match="no recorded evaluation"):
        register_prompt(TASK, blank, alias="candidate", settings=kept)
    made = register_prompt(TASK, blank, settings=kept)
    assert made.aliases == ()
    with pytest.raises(EvaluationError, match="no recorded evaluation"):
        set_alias(TASK, "candidate", made.version, settings=kept)
    with pytest.raises(PromptError, match="no prompt has the alias 'candidate'"):
        prompt_by_alias(TASK, "candidate", settings=kept)


def test_simulated_figures_are_tagged_and_make_no_champion(kept: Settings) -> None:
    keen = replace(ZERO, name="keen", system=f"{ZERO.system} Be keen.")
    run = measured(keen, "simulated")
    with pytest.raises(EvaluationError, match="is simulated and says nothing about Claude"):
        register_prompt(TASK, keen, run, "asked", alias="champion", settings=kept)
    assert "keen" not in {v.prompt.name for v in prompt_versions(TASK, settings=kept)}
    made = register_prompt(TASK, keen, run, "asked", alias="candidate", settings=kept)
    assert made.aliases == ("candidate",)
    stored = connect(kept).MlflowClient().get_prompt_version(TASK, made.version)
    assert stored.tags["origins"] == "simulated"
    with pytest.raises(EvaluationError, match="simulated"):
        set_alias(TASK, "champion", made.version, settings=kept)
    live = register_prompt(
        TASK, keen, measured(keen, "live"), "asked", alias="champion", settings=kept
    )
    assert live.version == made.version
    assert live.aliases == ("candidate", "champion")
    assert [f.origin for f in live.figures] == ["live", "simulated"]


@pytest.mark.parametrize("origin", ["live", "replay", "local"])
def test_an_alias_moves_to_one_version_at_a_time(kept: Settings, origin: str) -> None:
    versions = []
    for tone in ("kind", "curt"):
        prompt = replace(ZERO, name=tone, system=f"{ZERO.system} Be {tone}. {origin}")
        run = measured(prompt, origin)
        made = register_prompt(TASK, prompt, run, "asked", alias="champion", settings=kept)
        versions.append(made.version)
        assert prompt_by_alias(TASK, "champion", settings=kept).prompt == prompt
        assert made.figures == (prompt_figures(run, "asked"),)
        assert made.figures[0].estimate == 0.75
    set_alias(TASK, "champion", versions[0], settings=kept)
    named = [v.version for v in prompt_versions(TASK, settings=kept) if "champion" in v.aliases]
    assert named == [versions[0]]


def test_figures_must_be_those_of_the_prompt(kept: Settings) -> None:
    with pytest.raises(EvaluationError, match="was asked with prompt"):
        other = replace(ZERO, system="Something else. {{ questions }}")
        register_prompt(TASK, other, measured(ZERO, "live"), "asked", settings=kept)
    with pytest.raises(EvaluationError, match="showed 4 examples"):
        run = measured(ZERO, "live", n_examples="4")
        register_prompt(TASK, ZERO, run, "asked", settings=kept)
    with pytest.raises(EvaluationError, match="arm 'weak' of task 'labelling' was asked with"):
        register_prompt(TASK, ZERO, measured(ZERO, "live"), "weak", settings=kept)


@pytest.mark.parametrize("alias", ["3", "v3", "latest", "Champion", "a b", ""])
def test_malformed_aliases_are_refused(kept: Settings, alias: str) -> None:
    with pytest.raises(PromptError, match="alias"):
        register_prompt(TASK, ZERO, measured(ZERO, "live"), "asked", alias=alias, settings=kept)


def test_the_command_line_lists_shows_compares_and_names(
    kept: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORKBENCH_ROOT", str(kept.root))

    def call(*arguments: str, status: int = 0) -> str:
        done = CliRunner().invoke(app, ["prompts", *arguments])
        assert done.exit_code == status, done.output
        return done.output

    measured(ZERO, "simulated").save(tmp_path)
    told = call("register", TASK, "zero_shot", "--run", str(tmp_path), "--arm", "asked", "--json")
    version = json.loads(told)[0]["version"]
    refused = CliRunner().invoke(app, ["prompts", "alias", TASK, "champion", str(version)])
    assert isinstance(refused.exception, EvaluationError)
    assert "@tried" in call("alias", TASK, "tried", str(version))
    assert "@tried" in call("list", TASK)
    assert call("show", TASK, "@tried") == call("show", TASK, "zero_shot")
    assert "-Strategy: zero_shot" in call("diff", TASK, "@tried", "definitions", status=1)
