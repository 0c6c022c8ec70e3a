"""Every task, with every variant and every data set it can be tried on.

A test of this folder that takes `task`, `prompt`, `name` (of a data set), `spec_path` or `kind`
(of a split) runs for each of them; a new task is covered as soon as it is in `TASKS`.
"""

import functools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from workbench.data import Card, Dataset, read_table
from workbench.data.brokerage import generate
from workbench.evaluation import read_spec
from workbench.settings import Settings
from workbench.tasks import TASKS, Task, open_catalogue
from workbench.tasks.behaviour.data import BehaviourMaker

ROOT = Path(__file__).resolve().parents[2]
SETTINGS = Settings(root=ROOT, data_dir=ROOT.parent / "shared" / "data")


_MOST_ROWS = 2000


def _specs(task: Task) -> list[Path]:
    return sorted((ROOT / "experiments" / task.name).glob("*.yaml"))


def _file(card: Card) -> Path | None:
    if card.file is None:
        return None
    kept = SETTINGS.datasets / card.name / "downloads" / card.file.name
    found = (SETTINGS.data_dir / card.name / card.file.name, kept)
    return next((path for path in found if path.is_file()), None)


def _names(task: Task) -> list[str]:
    # Data sets of the task's specs that are on this machine: no test downloads anything.
    catalogue = open_catalogue(SETTINGS)
    names = dict.fromkeys(read_spec(path).dataset.name for path in _specs(task))
    cards = [catalogue.card(name) for name in names]
    return [card.name for card in cards if card.generator or _file(card)]


def _kinds(name: str) -> list[str]:
    card = open_catalogue(SETTINGS).card(name)
    declared = {"random": True, "group": card.group_column, "time": card.time}
    return [kind for kind, wanted in declared.items() if wanted]


def _cases(wanted: set[str]) -> Iterator[dict[str, Any]]:
    for task in (t for t in TASKS.values() if not t.fields):
        cases: list[dict[str, Any]] = [{"task": task}]
        if "prompt" in wanted:
            cases = [c | {"prompt": p} for c in cases for p in task.prompts.values()]
        if "name" in wanted:
            cases = [c | {"name": n} for c in cases for n in _names(task)]
        if "kind" in wanted:
            cases = [c | {"kind": k} for c in cases for k in _kinds(c["name"])]
        if "spec_path" in wanted:
            known = [p for p in _specs(task) if read_spec(p).dataset.name in _names(task)]
            cases = [c | {"spec_path": p} for c in cases for p in known]
        yield from cases


def _title(value: Any) -> str:
    return str(getattr(value, "name", value)).removesuffix(".yaml")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    wanted = [
        n for n in ("task", "prompt", "name", "kind", "spec_path") if n in metafunc.fixturenames
    ]
    if "asking" in metafunc.fixturenames:
        tasks = [t for t in TASKS.values() if t.fields and t.name != "labelling"]
        metafunc.parametrize("asking", tasks, ids=[t.name for t in tasks])
    if wanted:
        found = [[case[n] for n in wanted] for case in _cases(set(wanted))]
        ids = ["-".join(map(_title, case)) for case in found]
        metafunc.parametrize(wanted, found, ids=ids)


@functools.cache
def _made(name: str) -> Dataset:
    # A brokerage is simulated for each size: one size serves all tests of a head.
    card = open_catalogue(SETTINGS).card(name)
    assert card.generator is not None
    given = {**card.generator.parameters, "random_state": 3}
    made = card.generator.model_copy(update={"row_count": _MOST_ROWS, "parameters": given})
    return Dataset.from_frame(card.model_copy(update={"generator": made}), _rows(name))


@functools.cache
def _rows(name: str) -> pd.DataFrame:
    return BehaviourMaker().make(open_catalogue(SETTINGS).card(name), _MOST_ROWS, 3)


@functools.cache
def _load(name: str, n_rows: int) -> Dataset:
    if name.startswith("crm_") and n_rows < _MOST_ROWS:
        return _made(name).sample(n_rows, 3)
    return open_catalogue(SETTINGS).load(name, n_rows=n_rows, random_state=3)


@pytest.fixture(scope="session")
def load() -> Callable[[str, int], Dataset]:
    """Some examples of a data set."""
    return _load


@functools.cache
def _table(name: str, n_rows: int) -> tuple[Card, pd.DataFrame]:
    card = open_catalogue(SETTINGS).card(name)
    path = _file(card)
    if path is None:
        if card.generator and card.generator.name == "brokerage_crm":
            return card, _rows(name).sample(n_rows, random_state=3).sort_index()
        return card, generate(n_rows, random_state=3).leads
    return card, read_table(path, card).sample(n_rows, random_state=3).sort_index()


@pytest.fixture(scope="session")
def table() -> Callable[[str, int], tuple[Card, pd.DataFrame]]:
    """A data set's card and some of its raw rows, label and leaks included."""
    return _table


@pytest.fixture
def names(task: Task) -> list[str]:
    """The data sets the task can be tried on."""
    return _names(task)


@pytest.fixture
def specs(task: Task) -> list[Path]:
    """The specs of the task."""
    return _specs(task)
