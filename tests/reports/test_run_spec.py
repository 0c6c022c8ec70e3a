import hashlib
import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pytest
import yaml

from workbench.claude import AnswerStore
from workbench.errors import BudgetExceededError, DataError, PromptError, SpecError, WorkbenchError
from workbench.evaluation.session import SpecResult
from workbench.predictors import ANSWER_COLUMNS
from workbench.reports import RunOutcome, run_spec
from workbench.settings import Settings
from workbench.tasks import load_task

ROOT = Path(__file__).resolve().parents[2]
MARKUP = "<script>alert('x')</script>"
OWN_MODULE = """
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.naive_bayes import BernoulliNB
from sklearn.pipeline import make_pipeline
from sklearn.compose import make_column_transformer


def words(binary=True):
    counts = CountVectorizer(binary=binary, min_df=2)
    return make_pipeline(make_column_transformer((counts, "note")), BernoulliNB())
"""
ARMS: dict[str, Any] = {
    "prior": {"kind": "prior"},
    "logistic": {"kind": "logistic"},
    "zero": {"kind": "claude", "prompt": "zero_shot"},
    "mine": {"kind": "own", "factory": "own_models:words", "parameters": {"binary": False}},
    "stack": {"kind": "stacked", "members": ["logistic", "zero"], "parameters": {"n_splits": 3}},
}


# ---------------------------------------------------------------- a project with hostile data


def hostile_csv(n: int = 400) -> bytes:
    rng = np.random.default_rng(11)
    won = rng.random(n) < 0.35
    source = np.where(rng.random(n) < 0.5, f"web {MARKUP}", '"><img src=x onerror=alert(1)>')
    keen = won ^ (rng.random(n) < 0.2)
    notes = np.where(keen, "ready to buy, call me", "just browsing") + np.where(
        rng.random(n) < 0.5, " </message></lead>" + MARKUP, " thanks"
    )
    frame = pd.DataFrame(
        {
            "id": [f"lead{i}" for i in range(n)],
            "household": [f"h{i // 2}" for i in range(n)],
            "visits": rng.poisson(2 + 2 * won),
            "source": source,
            "note": notes,
            "won": np.where(won, "yes", "no"),
        }
    )
    return str(frame.to_csv(index=False)).encode()


def hostile_card(content: bytes) -> dict[str, Any]:
    sources = [f"web {MARKUP}", '"><img src=x onerror=alert(1)>']
    return {
        "name": "hostile",
        "title": f"Leads {MARKUP}",
        "version": "1 <b>bold</b>",
        "licence": f"none {MARKUP}",
        "origin": {"kind": "real", "publisher": f"me {MARKUP}"},
        "file": {"name": "leads.csv", "sha256": hashlib.sha256(content).hexdigest()},
        "columns": [
            {"name": "id", "dtype": "text", "meaning": "Lead"},
            {"name": "household", "dtype": "text", "meaning": "Household"},
            {"name": "visits", "dtype": "integer", "meaning": f"Visits {MARKUP}"},
            {"name": "source", "dtype": "category", "meaning": "Source", "values": sources},
            {"name": "note", "dtype": "text", "meaning": "Note"},
            {"name": "won", "dtype": "category", "meaning": "Won", "values": ["no", "yes"]},
        ],
        "target": {
            "column": "won",
            "positive": "yes",
            "negative": "no",
            "meaning": f"the lead <i>converts</i> {MARKUP}",
        },
        "id_column": "id",
        "group_column": "household",
        "slices": ["source"],
    }


def hostile_project(folder: Path) -> Settings:
    root, data = folder / "project", folder / "data"
    for path in (root / "experiments", root / "datasets" / "hostile", data / "hostile"):
        path.mkdir(parents=True)
    (root / "datasets" / "brokerage").symlink_to(ROOT / "datasets" / "brokerage")
    for name in ("notebooks", "pyproject.toml"):
        (root / name).symlink_to(ROOT / name)
    content = hostile_csv()
    (data / "hostile" / "leads.csv").write_bytes(content)
    card = yaml.safe_dump(hostile_card(content), sort_keys=False)
    (root / "datasets" / "hostile" / "card.yaml").write_text(card, encoding="utf-8")
    (root / "experiments" / "own_models.py").write_text(OWN_MODULE, encoding="utf-8")
    return Settings(root=root, data_dir=data)


def write_spec(settings: Settings, **changes: Any) -> Path:
    content: dict[str, Any] = {
        "name": "small",
        "description": f"Small {MARKUP}",
        "task": "lead_conversion",
        "dataset": {"name": "hostile"},
        "split": {"test_fraction": 0.4, "random_state": 1},
        "arms": ARMS,
        "baseline": "logistic",
        "gates": [{"metric": "roc_auc", "difference": True, "at_least": 0.0}],
        "n_resamples": 200,
        "latency_sample": 20,
        **changes,
    }
    path = settings.root / "experiments" / f"{content['name']}.yaml"
    path.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
    return path


def runs(settings: Settings) -> list[Path]:
    return sorted((settings.mlruns / "runs").glob("*"))


class _Reader(HTMLParser):
    """What a browser would make of a page."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


class Ran(NamedTuple):
    """A finished run and its page."""

    settings: Settings
    outcome: RunOutcome
    page: str
    seen: _Reader


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ran]:
    settings = hostile_project(tmp_path_factory.mktemp("hostile"))
    outcome = run_spec(write_spec(settings, n_repeats=2), settings=settings)
    page = outcome.report.read_text(encoding="utf-8")
    seen = _Reader()
    seen.feed(page)
    yield Ran(settings, outcome, page, seen)


# ---------------------------------------------------------------- the page


def test_a_run_leaves_one_folder_with_one_page(ran: Ran) -> None:
    assert runs(ran.settings) == [ran.outcome.folder]
    names = {path.name for path in ran.outcome.folder.iterdir()}
    assert names == {
        "report.html", "notebook.ipynb", "records.parquet", "evaluation.json", "verdict.json",
        "spec.json",
    }  # fmt: skip
    assert ran.outcome.report == ran.outcome.folder / "report.html"


def test_the_page_asks_nobody_for_anything(ran: Ran) -> None:
    assert not [tag for tag, _ in ran.seen.tags if tag in {"script", "iframe", "object", "link"}]
    for tag, attributes in ran.seen.tags:
        for name in ("src", "href", "action", "poster", "data", "srcset"):
            value = attributes.get(name) or ""
            assert not value or value.startswith(("data:image/", "#")), (tag, name, value[:80])
        assert not [name for name in attributes if name.startswith("on")]
    assert not re.search(r"@import|url\(\s*['\"]?(?!data:)\w", ran.page)


def test_the_page_shows_results_and_no_code(ran: Ran) -> None:
    for code in ("import workbench", "spec_path", "evaluate_spec", "run_dir", "In [", "Traceback"):
        assert code not in ran.seen.text
    assert "fitting" not in ran.seen.text, "progress is for the terminal"


def test_the_verdict_comes_before_any_table(ran: Ran) -> None:
    headline = ran.outcome.result.verdict.headline
    assert headline in ran.seen.text
    assert ran.page.index('class="verdict') < ran.page.index("<table")
    assert ran.seen.text.index(headline) < ran.seen.text.index("Log loss")


def test_badges_say_where_answers_and_data_come_from(ran: Ran) -> None:
    assert "SIMULATED: no answer is Claude's" in ran.seen.text
    assert "DATA: real" in ran.seen.text
    assert "sim:zero" in ran.seen.text
    assert "sim:stack" in ran.seen.text
    badges = [a.get("class") for t, a in ran.seen.tags if t == "span" and "badge" in str(a)]
    assert badges[:2] == ["badge simulated", "badge data-real"]


def test_the_page_says_what_it_needs_to_be_repeated(ran: Ran) -> None:
    evaluation = ran.outcome.result.evaluation
    info = evaluation.info
    assert info.dataset_digest in ran.seen.text
    assert f"git {info.git_revision}" in ran.seen.text
    assert re.match(r"[0-9a-f]{12}( dirty)?$|unknown$", info.git_revision)
    digest = load_task("lead_conversion").prompt("zero_shot").digest
    assert evaluation.arm("zero").prompt_digest == digest
    assert digest in ran.seen.text
    for name, version in info.versions.items():
        assert f"{name} {version}" in ran.seen.text


def test_every_picture_has_words(ran: Ran) -> None:
    pictures = [attributes for tag, attributes in ran.seen.tags if tag == "img"]
    assert len(pictures) >= 3
    for attributes in pictures:
        assert len(attributes.get("alt") or "") > 40
        assert (attributes.get("src") or "").startswith("data:image/svg+xml;base64,")


def test_text_of_the_data_never_becomes_markup(ran: Ran) -> None:
    info = ran.outcome.result.evaluation.info
    assert "alert(" in ran.page, "the markup is there, as text"
    assert info.dataset_title in ran.seen.text
    assert "web <script>" in ran.seen.text, "slices are shown by their value"
    assert not re.search(r"<script|<img src=x|<b>bold|<i>converts", ran.page)


# ---------------------------------------------------------------- the records


def test_there_is_a_record_for_every_example_arm_and_repeat(ran: Ran) -> None:
    records = pd.read_parquet(ran.outcome.folder / "records.parquet")
    expected = {"example_id", "arm", "y", "group", "tenant", "slice:source", *ANSWER_COLUMNS}
    assert set(records.columns) == expected
    n_test = ran.outcome.result.evaluation.info.n_test
    assert 140 <= n_test <= 160
    repeats = {"prior": 1, "logistic": 1, "zero": 2, "mine": 1, "stack": 2}
    counted = records.groupby("arm", sort=False).size()
    assert counted.to_dict() == {arm: n * n_test for arm, n in repeats.items()}
    assert not records.duplicated(["example_id", "arm", "repeat"]).any()
    ids = [set(part["example_id"]) for _, part in records.groupby(["arm", "repeat"])]
    assert all(found == ids[0] for found in ids)
    assert records["proba"].between(0, 1).all()
    asked = records["arm"].isin(["zero", "stack"])
    assert (records["origin"].eq("simulated") == asked).all()
    assert ((records["cost_usd"] > 0) == asked).all()
    assert records.loc[asked, "model_answered"].str.startswith("sim:").all()


def test_latency_is_measured_on_single_predictions_of_a_sample(ran: Ran) -> None:
    records = ran.outcome.result.evaluation.records
    measured = records.groupby("arm")["latency_s"].count()
    assert measured[["prior", "logistic", "mine"]].tolist() == [20, 20, 20]


def test_loading_a_run_gives_the_same_verdict(ran: Ran) -> None:
    again = SpecResult.load(ran.outcome.folder)
    written = json.loads((ran.outcome.folder / "verdict.json").read_text(encoding="utf-8"))
    for verdict in (again.verdict, ran.outcome.result.verdict):
        text = json.dumps(verdict.to_dict(), default=str)
        assert json.loads(text, parse_constant=lambda _: None) == written
    assert again.spec == ran.outcome.result.spec
    pd.testing.assert_frame_equal(
        again.evaluation.to_frame(), ran.outcome.result.evaluation.to_frame()
    )


def test_a_pipeline_of_ones_own_is_an_arm_like_any_other(ran: Ran) -> None:
    evaluation = ran.outcome.result.evaluation
    assert evaluation.arm("mine").kind == "model"
    assert evaluation.arm("mine").description == "BernoulliNB"
    assert evaluation.estimate("mine", "roc_auc").estimate > 0.7
    assert ran.outcome.result.verdict.arm("mine").arm == "mine"


def test_simulated_answers_promote_nothing(ran: Ran) -> None:
    verdict = ran.outcome.result.verdict
    assert verdict.promoted not in ("zero", "stack")
    assert {str(verdict.arm(a).decision) for a in ("zero", "stack")} == {"cannot decide"}


# ---------------------------------------------------------------- again, and interrupted


def test_what_was_answered_before_is_not_asked_again(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    settings = hostile_project(tmp_path)
    few = {k: ARMS[k] for k in ("prior", "zero")}
    changes: dict[str, Any] = {"arms": few, "baseline": "prior", "name": "cut"}
    changes["dataset"] = {"name": "brokerage", "n_rows": 400}
    with pytest.raises(BudgetExceededError, match=r"of \$0\.001500 spent.*raise budget"):
        run_spec(write_spec(settings, budget_usd=0.0015, **changes), settings=settings)
    store = AnswerStore(settings.mlruns / "answers.sqlite")
    kept = len(store.ledger_frame())
    assert 0 < kept < 150
    assert runs(settings) == []

    capfd.readouterr()
    outcome = run_spec(write_spec(settings, **changes), settings=settings)
    printed = capfd.readouterr()
    ledger = store.ledger_frame()
    store.close()
    assert ledger["key"].is_unique
    assert len(ledger) == len(outcome.result.evaluation.records) / 2
    assert outcome.result.evaluation.records["cached"].sum() == kept
    # Progress goes to stderr as it comes; stdout is for results.
    assert printed.out == ""
    for said in ("answers come from: simulated", "fitting zero on", "measuring intervals"):
        assert said in printed.err


# ---------------------------------------------------------------- what is wrong is said


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return hostile_project(tmp_path_factory.mktemp("wrong"))


def with_arm(**arm: Any) -> dict[str, Any]:
    return {"arms": {"prior": {"kind": "prior"}, "bad": arm}, "baseline": "prior"}


WRONG: dict[str, tuple[dict[str, Any], type[WorkbenchError], str]] = {
    "data set": (
        {"dataset": {"name": "hostil"}},
        DataError,
        r"no data set 'hostil'.*To fix: write 'hostile'",
    ),
    "prompt": (
        with_arm(kind="claude", prompt="prompts/none.md"),
        PromptError,
        r"experiments/prompts/none\.md: cannot be read",
    ),
    "factory": (
        with_arm(kind="own", factory="no_such_module:make"),
        SpecError,
        r"arm 'bad': the factory 'no_such_module:make' cannot be imported.*To fix: correct",
    ),
    "parameters": (
        with_arm(kind="boosted", parameters={"depth": 3}),
        SpecError,
        r"arm 'bad': unknown parameters \['depth'\].*Expected some of",
    ),
}


@pytest.mark.parametrize(("changes", "kind", "said"), WRONG.values(), ids=WRONG)
def test_what_the_kernel_finds_wrong_is_said_here(
    empty: Settings, changes: dict[str, Any], kind: type[WorkbenchError], said: str
) -> None:
    with pytest.raises(kind, match=f"(?s){said}") as caught:
        run_spec(write_spec(empty, **changes), settings=empty)
    assert type(caught.value) is kind
    assert str(caught.value).endswith(".")
    assert not str(caught.value).endswith("..")
    assert runs(empty) == []


def write_notebook(settings: Settings, code: str, *, parameters: bool = True) -> str:
    """A template whose only cell runs `code`; its path relative to the project."""
    tags = ' tags=["parameters"]' if parameters else ""
    path = settings.root / "own.py"
    path.write_text(f'# %%{tags}\nspec_path = ""\nrun_dir = ""\n\n# %%\n{code}\n', encoding="utf-8")
    return "own.py"


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("1 / 0", r"own\.py, cell \d: the notebook failed with ZeroDivisionError: division by"),
        ("raise ValueError", r"the notebook failed with ValueError\. To fix: run the notebook in"),
        (
            "import os; os._exit(3)",
            r"own\.py: the notebook's kernel was lost: Kernel died\. To fix: free",
        ),
        ("x = 1", r"no evaluation can be read.*Expected records\.parquet and evaluation\.json"),
    ],
)
def test_a_failing_notebook_is_named(empty: Settings, code: str, said: str) -> None:
    spec = write_spec(empty, notebook=write_notebook(empty, code))
    with pytest.raises(WorkbenchError, match=said):
        run_spec(spec, settings=empty)
    assert runs(empty) == []


def test_runs_at_once_cannot_meet(empty: Settings) -> None:
    code = """
import os
from ipykernel.connect import get_connection_info
ip = get_connection_info(unpack=True)["ip"]
raise ValueError(f"{ip} {os.stat(os.path.dirname(ip)).st_mode & 0o777:o}")
"""
    spec = write_spec(empty, notebook=write_notebook(empty, code))
    said = []
    for _ in range(2):
        with pytest.raises(SpecError, match=r"ValueError: /\S+/kernel 700\.") as caught:
            run_spec(spec, settings=empty)
        said.append(str(caught.value))
    assert said[0] != said[1], "each has sockets of its own, in a folder nobody else can enter"
    assert not list(empty.root.rglob("*ipc*"))


def test_a_notebook_that_takes_no_parameters_is_refused(empty: Settings) -> None:
    notebook = write_notebook(empty, "x = 1", parameters=False)
    with pytest.raises(SpecError, match=r"does not take the parameters \['run_dir', 'spec_path'\]"):
        run_spec(write_spec(empty, notebook=notebook), settings=empty)
    assert runs(empty) == []


def test_a_notebook_that_is_none_is_refused(empty: Settings) -> None:
    with pytest.raises(SpecError, match=r"none\.py: the notebook does not exist"):
        run_spec(write_spec(empty, notebook="none.py"), settings=empty)
    (empty.root / "broken.ipynb").write_text("{not json", encoding="utf-8")
    with pytest.raises(SpecError, match=r"broken\.ipynb: the notebook cannot be read"):
        run_spec(write_spec(empty, notebook="broken.ipynb"), settings=empty)


def test_a_run_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    settings = hostile_project(tmp_path)
    settings.mlruns.write_text("a file in the way", encoding="utf-8")
    with pytest.raises(SpecError, match=r"mlruns/runs/small-\d+T\d+: the run folder cannot be"):
        run_spec(write_spec(settings), settings=settings)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"n_resamples": 158}, r"n_resamples is 158, but intervals of 5 arms at .* 0\.95 need 159"),
        ({"confidence_level": 0.999}, r"n_resamples is 200, .* confidence_level 0\.999 need 7999"),
        (
            {"arms": {**ARMS, "a$b": {"kind": "prior"}}},
            r"arm 'a\$b' needs a name of letters, digits, spaces",
        ),
    ],
)
def test_what_would_fail_at_the_end_is_refused_at_the_start(
    tmp_path: Path, changes: dict[str, Any], said: str
) -> None:
    settings = hostile_project(tmp_path)
    with pytest.raises(SpecError, match=said):
        run_spec(write_spec(settings, **changes), settings=settings)
    assert not settings.mlruns.exists()
