"""How well the simulated reader answers, on labelled data; writes the reader's accuracy card.

The reader is called as the emulator calls it, with rendered prompts and schemas. Lead
conversion is measured on the bundled generator's leads, the heads of behaviour on the simulated
CRM; intents (banking77, clinc150) and
sentiment (umsab_sentiment, English) where those sets are on this machine.
"""

import csv
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

import workbench as wb
from benchmarks.console import say
from benchmarks.figure import CaseError, Figure, result
from benchmarks.machine import ROOT
from workbench.claude.emulator.reader import READER_VERSION, read
from workbench.embeddings import SentenceEncoder
from workbench.stats import (
    Estimate,
    bootstrap,
    calibration_error_interval,
    expected_calibration_error_statistic,
    mean_interval,
    proportion_interval,
    resample_weights,
    roc_auc_interval,
    roc_auc_statistic,
)
from workbench.tasks.behaviour import read_heads

__all__ = ["main"]

_CARD = ROOT / "src" / "workbench" / "claude" / "emulator" / "card.md"
_ROWS = 6000
_HEAD_ROWS = 3000
_OUT = "out_of_scope"
_MANY_LABELS = 20


class _Labelled(NamedTuple):
    texts: list[str]
    labels: list[str]
    question: str


def _spread(found: Any, what: str, *, n: int | None = None) -> Figure:
    return Figure(
        what, found.estimate, found.n if n is None else n,
        spread=(found.ci_lower, found.ci_upper), spread_kind="95 % interval",
    )  # fmt: skip


def _leads(variant: str) -> list[Figure]:
    """Read generated leads with one of the task's prompts; its base rate is from other leads."""
    settings = wb.Settings(root=ROOT, data_dir=ROOT / "datasets")
    data = wb.load_dataset("brokerage", settings=settings, n_rows=_ROWS, random_state=42)
    task = wb.load_task("lead_conversion")
    with wb.ClaudeClient(origin=wb.Origin.SIMULATED, store=ROOT / "unused.sqlite") as client:
        arm = task.claude(variant, data, client=client)
        first = np.arange(len(data.X)) < len(data.X) // 3
        arm.fit(data.X[first], np.asarray(data.y)[first])
        requests = arm.requests(data.X[~first])
    y = np.asarray(data.y)[~first]
    answers = [read(one.system or "", one.prompt, json.loads(str(one.schema))) for one in requests]
    stated = np.array([answer["probability"] for answer in answers])
    silent = np.array([answer["abstain"] for answer in answers])
    # What the predictor does with an abstention: the base rate of the leads before.
    chance = np.where(silent, np.asarray(data.y)[first].mean(), stated)
    statistic = expected_calibration_error_statistic(y, chance)
    weights = resample_weights(len(y), 1000, random_state=0)
    replicates = np.concatenate([statistic(part) for part in weights])
    what = f"lead conversion, {variant}"
    return [
        _spread(roc_auc_interval(y, chance), f"{what}: ROC AUC"),
        _spread(calibration_error_interval(y, chance, replicates), f"{what}: calibration error"),
        _spread(proportion_interval(int(silent.sum()), len(y)), f"{what}: abstained"),
    ]


def _heads() -> list[Figure]:
    """Read the simulated CRM's leads head by head; the base rate is from the earliest third."""
    settings = wb.Settings(root=ROOT, data_dir=ROOT / "datasets")
    figures: list[Figure] = []
    for head in read_heads():
        say(f"  {head.name}")
        data = wb.load_dataset(
            head.dataset, settings=settings, n_rows=_HEAD_ROWS, random_state=42
        )  # fmt: skip
        first = np.arange(len(data.X)) < len(data.X) // 3
        y, share = np.asarray(data.y), float(np.asarray(data.y)[first].mean())
        with wb.ClaudeClient(origin=wb.Origin.SIMULATED, store=ROOT / "unused.sqlite") as client:
            arm = wb.load_task(head.name).claude("zero_shot", data, client=client)
            requests = arm.fit(data.X[first], y[first]).requests(data.X[~first])
        answers = [read(r.system or "", r.prompt, json.loads(str(r.schema))) for r in requests]
        silent = np.array([answer["abstain"] for answer in answers])
        chance = np.where(silent, share, [answer["probability"] for answer in answers])
        people = np.asarray(data.groups)[~first]
        english = (data.slices["language"] == "english").to_numpy()[~first]
        for who, rows in (("all languages", ~silent | silent), ("English only", english)):
            auc = bootstrap(
                roc_auc_statistic(y[~first][rows], chance[rows]), int(rows.sum()),
                groups=people[rows],
            )  # fmt: skip
            figures.append(_spread(auc, f"{head.name}, {who}: ROC AUC"))
        figures.append(
            _spread(proportion_interval(int(silent.sum()), len(silent)), f"{head.name}: abstained")
        )
    return figures


def _intents(folder: Path) -> dict[str, _Labelled]:
    found = {}
    path = folder / "banking77" / "test.csv"
    if path.is_file():
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        found["banking77"] = _Labelled(
            [row["text"] for row in rows], [row["category"] for row in rows],
            "Which intent has this customer of a bank?",
        )  # fmt: skip
    path = folder / "clinc150" / "data_full.json"
    if path.is_file():
        data = json.loads(path.read_text(encoding="utf-8"))
        inside, outside = data["test"], data["oos_test"]
        found["clinc150"] = _Labelled(
            [text for text, _ in (*inside, *outside)],
            [label for _, label in inside] + [_OUT] * len(outside),
            "Which intent has this request to an assistant?",
        )  # fmt: skip
    path = folder / "umsab_sentiment" / "english"
    if path.is_dir():
        names = ("negative", "neutral", "positive")
        labels = (path / "test_labels.txt").read_text(encoding="utf-8").split()
        texts = (path / "test_text.txt").read_text(encoding="utf-8").splitlines()
        found["umsab_sentiment"] = _Labelled(
            texts[: len(labels)], [names[int(label)] for label in labels],
            "Which sentiment has this message?",
        )  # fmt: skip
    return found


def _ask(one: _Labelled) -> list[Mapping[str, Any]]:
    labels = sorted(set(one.labels))
    schema = {
        "type": "object",
        "properties": {"label": {"enum": labels}, "abstain": {"type": "boolean"}},
    }
    listed = "\n".join(f"- {label}" for label in labels)
    return [
        read("", f"{one.question}\n\n{listed}\n\n<text>{_escaped(text)}</text>", schema)
        for text in one.texts
    ]


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _share(values: NDArray[np.bool_], labels: NDArray[np.str_]) -> Estimate:
    """A share with its interval; texts of one label are a group where there are many labels."""
    if len(set(labels)) < _MANY_LABELS:
        return proportion_interval(int(values.sum()), len(values))
    return mean_interval(values.astype(float), groups=labels)


def _labels(name: str, one: _Labelled) -> list[Figure]:
    answers = _ask(one)
    truth = np.array(one.labels)
    said = np.array([answer["label"] for answer in answers])
    silent = np.array([answer["abstain"] for answer in answers])
    inside = truth != _OUT
    right = (said == truth)[inside]
    answered = right[~silent[inside]]
    what = f"{name}, {len(set(one.labels) - {_OUT})} labels by name alone"
    figures = [
        _spread(_share(right, truth[inside]), f"{what}: accuracy, an abstention counts as said"),
        _spread(_share(silent[inside], truth[inside]), f"{what}: abstained"),
    ]
    if len(answered):
        spoken = truth[inside][~silent[inside]]
        figures.append(_spread(_share(answered, spoken), f"{what}: accuracy where it answered"))
    if not inside.all():
        caught = silent[~inside]
        figures.append(_spread(proportion_interval(int(caught.sum()), len(caught)),
                               f"{what}: abstained out of scope"))  # fmt: skip
    return figures


_WORDS = """# Accuracy card of the simulated reader

<!-- generated by `python -m benchmarks reader_card`; do not edit -->

Version `{version}`. It answers in Claude's place on this machine when no key is there, and
nothing it says is Claude's: the figures below describe the stand-in, and say nothing about how
any Claude model would do.

**How it answers.** Questions about a lead: what the probability is asked of decides which phrases,
cues and fields count (conversion, churn, receptivity, an objection, an appointment, urgency), with
words and weights set by hand from general knowledge. They were fitted to no data set, and no
generator's texts were read for them. Where nothing speaks of what is asked it abstains (conversion
excepted). Signals of a conversation are counted from the same cues. Questions that list labels: the
label whose name (and description, if the prompt gives one) is nearest to the text in the space of
all-MiniLM-L6-v2, with no training; it abstains when even the nearest is far.

**What it cannot do.** It does not reason, count, compare documents, follow instructions, call
tools or write prose. Of conversion it reads English and some Spanish; of the other heads short
lists of words in English, Spanish, French, Portuguese, Chinese and Hindi; labels in English.
Numbers and negation hardly move its choice of a label. Its probabilities are somewhat too sure of
themselves, as verbalised ones are.

| measured | value | 95 % interval | n |
|---|---:|---|---:|
{rows}

Leads are the bundled generator's (`brokerage`, {n_leads:,} rows, seed 42; the first third gives the
base rate and the examples, the rest is judged). Heads of behaviour are read from the simulated CRM
(`crm_<head>`, {n_head:,} rows, seed 42; fields and conversation, prompt zero_shot; the earliest
third gives the base rate). So these figures say how much of a generator's signal the reader finds,
and nothing about leads of any real agency. Intervals of the heads are a bootstrap over people;
others allow for dependence within a label where there are 20 labels or more.
"""


def _row(figure: Figure) -> str:
    low, high = figure.spread or (float("nan"), float("nan"))
    return f"| {figure.what} | {figure.value:.3f} | {low:.3f} to {high:.3f} | {figure.n:,} |"


def _write(figures: Sequence[Figure]) -> None:
    rows = "\n".join(map(_row, figures))
    text = _WORDS.format(version=READER_VERSION, rows=rows, n_leads=_ROWS, n_head=_HEAD_ROWS)
    _CARD.write_text(text, encoding="utf-8")


def main() -> dict[str, Any]:
    """Measure the reader and write its card."""
    if not SentenceEncoder.installed():
        raise CaseError("sentence embeddings are not installed. To fix: make setup")
    figures: list[Figure] = []
    for variant in ("zero_shot", "evidence_first", "few_shot"):
        say(f"  leads, {variant}")
        figures += _leads(variant)
    figures += _heads()
    sets = _intents(wb.Settings.from_env().data_dir)
    if not sets:
        raise CaseError(
            "none of banking77, clinc150 and umsab_sentiment is on this machine. To fix: put them "
            "there or set WORKBENCH_DATA_DIR; the committed card stays as it is"
        )
    for name, one in sets.items():
        say(f"  {name}: {len(one.texts)} texts")
        figures += _labels(name, one)
    _write(figures)
    say(f"  wrote {_CARD.relative_to(ROOT)}")
    return result(figures, reader=READER_VERSION, sets=sorted(sets))
