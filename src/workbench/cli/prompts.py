"""`workbench prompts`: variants of a task, those in the registry, and their aliases."""

from pathlib import Path
from typing import Annotated, Any

import typer

import workbench as wb
from workbench.cli.console import Json, print_json

__all__ = ["prompts"]

prompts = typer.Typer(no_args_is_help=True, help="Prompts: list, show, diff, register, alias.")

TaskName = Annotated[str, typer.Argument(help="Name of a task, see `workbench tasks`.")]
_WHICH = "A variant of the task, a path ending in .md, a registered version (v3) or an alias (@…)."


@prompts.command("list")
def prompts_list(task: TaskName, as_json: Json = False) -> None:
    """List a task's own variants, and the versions in MLflow's registry with their figures."""
    own = list(wb.load_task(task).prompts.values())
    known = wb.prompt_versions(task, settings=wb.Settings.from_env())
    if as_json:
        registered = [row for v in known for row in v.to_frame().to_dict(orient="records")]
        print_json({"variants": {p.name: p.digest for p in own}, "registered": registered})
        return
    for prompt in own:
        print(f"{prompt.name:<16} {prompt.digest}  {prompt.title}")
    for version in known:
        names = "".join(f" @{a}" for a in version.aliases)
        print(f"\nv{version.version} {version.prompt.name} {version.prompt.digest}{names}")
        for f in version.figures:
            how = wb.metric(f.metric)
            print(
                f"  {f.origin:<10} {how.title} {how.format(f.estimate)} [{how.format(f.ci_lower)}, "
                f"{how.format(f.ci_upper)}], n = {f.n:,}, {f.dataset}, {f.model}"
            )
        if not version.figures:
            print("  no recorded evaluation")


@prompts.command("show")
def prompts_show(
    task: TaskName, which: Annotated[str, typer.Argument(help=_WHICH)], as_json: Json = False
) -> None:
    """Print a prompt, its variables left open."""
    prompt = _prompt(task, which)
    if as_json:
        print_json({name: getattr(prompt, name) for name in
                    ("name", "title", "strategy", "n_examples", "variables", "digest", "system",
                     "user")})  # fmt: skip
        return
    print(f"{prompt.name}: {prompt.title} ({prompt.digest}, {prompt.n_examples} examples)")
    print(f"\n# system\n{prompt.system}\n\n# user\n{prompt.user}")


@prompts.command("diff")
def prompts_diff(
    task: TaskName,
    a: Annotated[str, typer.Argument(help=_WHICH)],
    b: Annotated[str, typer.Argument(help=_WHICH)],
) -> None:
    """Print what is different between two prompts. Exit status 1: they send different things."""
    found = wb.prompt_diff(_prompt(task, a), _prompt(task, b))
    print(found.to_text() or "no difference in wording")
    raise typer.Exit(0 if found.same else 1)


@prompts.command("register")
def prompts_register(
    task: TaskName,
    which: Annotated[str, typer.Argument(help=_WHICH)],
    run: Annotated[
        Path | None, typer.Option(help="Folder of the run it was measured in.", exists=True)
    ] = None,
    arm: Annotated[str, typer.Option(help="The arm it was; its name when omitted.")] = "",
    as_json: Json = False,
) -> None:
    """Register a prompt as a version, with the figures of a run."""
    evaluation = None if run is None else wb.ReadingEvaluation.load(run)
    made = wb.register_prompt(
        task, _prompt(task, which), evaluation, arm or None, settings=wb.Settings.from_env()
    )
    _tell(made, as_json=as_json)


@prompts.command("alias")
def prompts_alias(
    task: TaskName,
    alias: Annotated[str, typer.Argument(help="Such as champion.")],
    version: Annotated[int, typer.Argument(help="A registered version.", min=1)],
    as_json: Json = False,
) -> None:
    """Move an alias to a version that has a recorded evaluation.

    `champion` goes only to a prompt whose figures are not simulated.
    """
    made = wb.set_alias(task, alias, version, settings=wb.Settings.from_env())
    _tell(made, as_json=as_json)


def _prompt(task: str, which: str) -> Any:
    settings = wb.Settings.from_env()
    if which.startswith("@"):
        return wb.prompt_by_alias(task, which[1:], settings=settings).prompt
    if which[:1] == "v" and which[1:].isdigit():
        for version in wb.prompt_versions(task, settings=settings):
            if version.version == int(which[1:]):
                return version.prompt
    return wb.load_task(task).prompt(Path(which) if which.endswith(".md") else which)


def _tell(made: Any, *, as_json: bool) -> None:
    if as_json:
        print_json(made.to_frame().to_dict(orient="records"))
    else:
        names = "".join(f" @{a}" for a in made.aliases)
        print(f"{made.task} v{made.version}: {made.prompt.name}{names}")
