"""The rules of the house that no linter holds."""

import ast
import functools
import inspect
import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import jupytext
import nbformat
import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import workbench

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.py"))
BANNED_NAMES = {"utils", "util", "helpers", "helper", "common", "base", "manager", "misc"}
MAX_FILE_LINES, MAX_FUNCTION_LINES = 500, 70


@functools.cache
def project_files() -> list[Path]:
    """What is, or would be, committed; everything outside hidden folders where git is absent."""
    if (ROOT / ".git").exists():
        listed = subprocess.run(
            ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
            cwd=ROOT, capture_output=True, text=True, check=True,
        ).stdout.split("\0")  # fmt: skip
        return [ROOT / name for name in listed if name and (ROOT / name).is_file()]
    found = (path for path in ROOT.rglob("*") if path.is_file())
    return [p for p in found if not any(x.startswith(".") for x in p.relative_to(ROOT).parts)]


def python_files() -> list[Path]:
    return [path for path in project_files() if path.suffix == ".py"]


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


# ---------------------------------------------------------------- size and names


def test_files_are_short() -> None:
    assert len(python_files()) > 100
    lengths = {name_of(p): len(p.read_text(encoding="utf-8").splitlines()) for p in python_files()}
    assert not {name: n for name, n in lengths.items() if n >= MAX_FILE_LINES}


def functions(path: Path) -> Iterator[tuple[str, int]]:
    """Name and lines of each function; its docstring is not code to hold in one's head."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            words = ast.get_docstring(node, clean=False) or ""
            length = (node.end_lineno or 0) - node.lineno + 1
            yield node.name, length - len(words.splitlines())


def test_functions_are_short() -> None:
    found = ((path, *function) for path in python_files() for function in functions(path))
    assert not [f"{name_of(p)}:{name}" for p, name, n in found if n >= MAX_FUNCTION_LINES]


def test_names_say_what_is_inside() -> None:
    parts = {part for p in python_files() for part in (*p.relative_to(ROOT).parts[:-1], p.stem)}
    assert not parts & BANNED_NAMES


def test_test_files_have_names_of_their_own() -> None:
    names = [path.name for path in python_files() if path.name.startswith("test_")]
    assert sorted(names) == sorted(set(names))


# ---------------------------------------------------------------- what an import does


def run_python(code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-B", "-W", "error", "-c", code],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_importing_the_package_loads_nothing_heavy() -> None:
    heavy = {
        "numpy",
        "pandas",
        "sklearn",
        "scipy",
        "anthropic",
        "mlflow",
        "matplotlib",
        "papermill",
    }
    code = f"import json, sys, workbench; print(json.dumps(list({heavy!r} & set(sys.modules))))"
    loaded = json.loads(run_python(code))
    assert loaded == []


WATCH = """
import importlib, json, pkgutil, sys, threading

seen = []
importing = True


def ours():
    # Is it code of the workbench that does it, and not a library being imported?
    frame = sys._getframe(2)
    while frame is not None:
        name = frame.f_globals.get("__name__", "")
        if name.split(".")[0] not in sys.stdlib_module_names and name != "__main__":
            return name.startswith("workbench")
        if name.startswith("importlib"):
            return False
        frame = frame.f_back
    return False


def watch(event, arguments):
    if not importing:
        return
    writes = event == "open" and isinstance(arguments[1], str) and set(arguments[1]) & set("wax+")
    acts = event.startswith(("socket.", "subprocess.", "os.system", "os.mkdir", "os.remove"))
    if (writes or acts) and ours():
        seen.append(f"{event} {arguments!r}"[:200])


sys.addaudithook(watch)
import workbench

names = [m.name for m in pkgutil.walk_packages(workbench.__path__, "workbench.")]
for name in names:
    importlib.import_module(name)
importing = False
threads = [t.name for t in threading.enumerate() if t is not threading.main_thread()]
mlflow = "mlflow" in sys.modules
print(json.dumps({"names": names, "seen": seen, "threads": threads, "mlflow": mlflow}))
"""


def test_importing_every_module_does_nothing() -> None:
    found = json.loads(run_python(WATCH))
    assert len(found["names"]) > 60
    assert found["seen"] == []
    assert found["threads"] == []
    assert found["mlflow"] is False


def test_the_watch_sees_what_it_looks_for(tmp_path: Path) -> None:
    package = tmp_path / "workbench"
    package.mkdir()
    (package / "__init__.py").write_text("", encoding="utf-8")
    (package / "bad.py").write_text(
        "import socket, threading\n"
        f"open({str(tmp_path / 'x')!r}, 'w').close()\n"
        "socket.socket().bind(('127.0.0.1', 0))\n"
        "threading.Thread(target=threading.Event().wait, daemon=True, name='busy').start()\n",
        encoding="utf-8",
    )
    code = f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n{WATCH}"
    done = subprocess.run(
        [sys.executable, "-B", "-c", code], capture_output=True, text=True, check=True
    )
    found = json.loads(done.stdout)
    assert [event.split()[0] for event in found["seen"]] == [
        "open",
        "socket.__new__",
        "socket.bind",
    ]
    assert found["threads"] == ["busy"]


def test_the_layers_hold() -> None:
    program = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run(
        [program, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout
    assert re.search(r"Contracts: [1-9]\d* kept, 0 broken", done.stdout)


# ---------------------------------------------------------------- the public face


def test_the_public_names_are_what_dir_shows() -> None:
    assert sorted(workbench.__all__, key=str.lower) == sorted(set(workbench.__all__), key=str.lower)
    assert set(dir(workbench)) == {*workbench.__all__, "__version__"}
    with pytest.raises(AttributeError, match="module 'workbench' has no attribute 'evaluat'"):
        workbench.evaluat  # noqa: B018


@pytest.mark.parametrize("name", workbench.__all__)
def test_every_public_name_is_explained(name: str) -> None:
    thing = getattr(workbench, name)
    if not callable(thing):
        return
    assert thing.__module__.startswith("workbench.")
    own = inspect.cleandoc(thing.__doc__ or "")
    assert own, f"{name} has no docstring"
    assert own.splitlines()[0].endswith((".", "?")), "the first line is one sentence"


# ---------------------------------------------------------------- what is shipped


def locked() -> dict[str, list[str]]:
    """Lines of each requirement of the lock, by canonical name."""
    text = (ROOT / "requirements.lock").read_text(encoding="utf-8").replace("\\\n", " ")
    found: dict[str, list[str]] = {}
    for line in text.splitlines():
        if line.strip():
            requirement, *options = re.split(r"\s+(?=--)", line.strip())
            found[canonicalize_name(Requirement(requirement).name)] = [requirement, *options]
    return found


def test_every_locked_requirement_has_hashes_and_no_address() -> None:
    lock = locked()
    assert len(lock) > 100
    for requirement, *options in lock.values():
        parsed = Requirement(requirement)
        assert parsed.url is None
        assert [s.operator for s in parsed.specifier] == ["=="], requirement
        assert options, f"{requirement} has no hash"
        assert all(re.fullmatch(r"--hash=sha256:[0-9a-f]{64}", o) for o in options), requirement
    assert "://" not in (ROOT / "requirements.lock").read_text(encoding="utf-8")


def test_the_lock_holds_what_the_project_asks_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = [*project["dependencies"], *project["optional-dependencies"]["dev"]]
    lock = locked()
    for text in wanted:
        asked = Requirement(text)
        (pin,) = Requirement(lock[canonicalize_name(asked.name)][0]).specifier
        assert asked.specifier.contains(pin.version, prereleases=True), text


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_a_notebook_and_its_script_are_one(path: Path) -> None:
    pair = path.with_suffix(".ipynb")
    assert pair.is_file(), "jupytext --sync makes it"
    script, notebook = jupytext.read(path), nbformat.read(pair, as_version=4)
    nbformat.validate(notebook)

    def content(cells: list[nbformat.NotebookNode]) -> list[tuple[str, str, list[str]]]:
        return [(c.cell_type, c.source, c.metadata.get("tags", [])) for c in cells]

    assert content(notebook.cells) == content(script.cells)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            assert cell.outputs == []
            assert cell.execution_count is None


def test_every_notebook_has_its_script() -> None:
    notebooks = {path.stem for path in (ROOT / "notebooks").glob("*.ipynb")}
    assert notebooks == {path.stem for path in NOTEBOOKS}


def texts() -> Iterator[tuple[str, str]]:
    for path in project_files():
        if path.name != "requirements.lock" and path != Path(__file__):
            try:
                yield name_of(path), path.read_text(encoding="utf-8")
            except UnicodeDecodeError:
                continue  # a picture


def test_files_speak_of_no_machine_and_of_this_project_only() -> None:
    machine = re.compile(r"(?<![\w/.:-])/(?:work|root|home|Users|mnt)/\w|[A-Z]:\\\\Users")
    found = {name: machine.findall(text) for name, text in texts() if machine.search(text)}
    assert found == {}
    # The default place of downloaded data is documented where it is set and used.
    outside = {name for name, text in texts() if re.search(r'\.\./shared|"shared"', text)}
    allowed = {"README.md", "datasets/README.md", "src/workbench/settings.py"}
    assert {name for name in outside if not name.startswith("tests/")} <= allowed
