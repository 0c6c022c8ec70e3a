from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.dummy import DummyClassifier

from workbench.claude import ClaudeClient
from workbench.data import AskedField, Corpus
from workbench.errors import DataError, EvaluationError, PredictorError, SpecError
from workbench.evaluation import Gate, GateRule
from workbench.evaluation.gate import Decision
from workbench.evaluation.readings import ReadingEvaluation, evaluate_readings
from workbench.evaluation.readings.caveats import reading_caveats
from workbench.evaluation.readings.confusion import confusion
from workbench.evaluation.readings.spec import is_reading_spec, read_reading_spec
from workbench.predictors.readers import FieldReader, RuleReader, answer_model_of
from workbench.prompts import Prompt
from workbench.tasks import Task, labelling_task, load_task

MOOD = AskedField(name="mood", meaning="Mood", kind="label", values=("good", "bad"))
METRICS = ("mood/accuracy", "mood/macro_f1")


def made(n: int = 240, *, name: str = "moods") -> Corpus:
    """Texts whose mood is their first word; a fifth of the test texts is labelled otherwise."""
    rng = np.random.default_rng(4)
    moods = rng.choice(["good", "bad"], size=n)
    index = [f"t{i}" for i in range(n)]
    X = pd.DataFrame({"text": [f"{m} day {i}" for i, m in enumerate(moods)]}, index=index)
    truth = np.where(rng.random(n) < 0.2, np.where(moods == "good", "bad", "good"), moods)
    y = pd.DataFrame({"mood": truth}, index=index, dtype=object)
    part = pd.Series(np.where(np.arange(n) < n // 2, "train", "test"), index=index)
    slices = pd.DataFrame({"half": np.where(np.arange(n) % 2, "odd", "even")}, index=index)
    return Corpus(name, "Moods", "1", "CC0-1.0", "simulated", (MOOD,), X, y, part, slices=slices)


def task_of(fields: tuple[AskedField, ...] = (MOOD,)) -> Task:
    return Task(
        name="moods",
        version=1,
        title="Moods",
        answer_model=answer_model_of("Moods", fields),
        folder=Path(__file__).parent,
        metrics=METRICS,
        fields=fields,
    )


def reader(share: float) -> RuleReader:
    """Says the first word, but for a share of the texts the other mood."""

    def rule(row: Any, _learnt: Any) -> dict[str, Any]:
        first, _, number = row["text"].split()
        turned = int(number) % 100 < 100 * share
        return {"mood": first if not turned else "bad" if first == "good" else "good"}

    return RuleReader([MOOD], rule)


@pytest.fixture(scope="module")
def found() -> ReadingEvaluation:
    arms = {
        "constant": FieldReader([MOOD], {"mood": DummyClassifier(strategy="prior")}),
        "worse": reader(0.3),
        "better": reader(0.0),
    }
    return evaluate_readings(
        task_of(), arms, made(), baseline="worse", latency_sample=3, n_resamples=400
    )


def test_figures_are_those_of_the_records(found: ReadingEvaluation) -> None:
    for arm in found.arm_names:
        rows = found.records[found.records["arm"] == arm]
        share = (rows["truth:mood"] == rows["value:mood"]).mean()
        one = found.estimate(arm, "mood/accuracy")
        assert one.estimate == pytest.approx(share)
        assert one.ci_lower < share < one.ci_upper
        assert one.n == 120
        assert (rows["right"] == (rows["truth:mood"] == rows["value:mood"])).all()


def test_differences_are_paired_and_the_gate_reads_them(found: ReadingEvaluation) -> None:
    d = found.compare()["better"].difference
    points = [found.estimate(a, "mood/accuracy").estimate for a in ("better", "worse")]
    assert d.difference == pytest.approx(points[0] - points[1])
    assert d.ci_lower > 0
    verdict = Gate([GateRule("mood/accuracy", at_least=0.0, difference=True)], "mood/accuracy")
    judged = verdict.judge(found)
    assert (judged.decision, judged.promoted) == (Decision.PROMOTE, "better")
    assert judged.arm("constant").decision is Decision.REJECT
    with pytest.raises(EvaluationError, match="judges 'roc_auc', which was not measured"):
        Gate([GateRule("roc_auc", at_least=0.5)], "roc_auc").judge(found)


def test_what_is_saved_is_read_back_without_texts(found: ReadingEvaluation, tmp_path: Path) -> None:
    found.save(tmp_path)
    again = ReadingEvaluation.load(tmp_path)
    assert again.to_markdown() == found.to_markdown()
    assert again.corpus is None
    stored = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert b"day 7" not in stored
    with pytest.raises(EvaluationError, match="no evaluation of readers"):
        ReadingEvaluation.load(tmp_path / "nowhere")


def test_slices_are_measured_and_shown(found: ReadingEvaluation) -> None:
    slices = found.slices()
    assert set(slices["value"]) == {"odd", "even"}
    assert slices["n"].tolist() == [60] * 6
    assert "sim:" not in found._repr_html_()
    assert found.compare("mood/macro_f1", baseline="constant").baseline == "constant"


def test_caveats_tell_what_is_known(found: ReadingEvaluation) -> None:
    codes = {c.code for c in reading_caveats(found)}
    assert {"WB-C07", "WB-C08"} <= codes
    assert "WB-C01" not in codes


def test_a_simulated_arm_decides_nothing_and_has_no_time(client: ClaudeClient) -> None:
    prompt = Prompt(
        name="plain",
        title="Plain",
        strategy="zero_shot",
        system="{{ questions }}",
        user="<message>{{ message }}</message>",
        variables=("message", "questions"),
    )
    task, corpus = task_of(), made(60)
    asked = task.claude(prompt, corpus, client=client)
    arms = {"worse": reader(0.4), "asked": asked}
    result = evaluate_readings(task, arms, corpus, n_repeats=2, latency_sample=2, n_resamples=100)
    assert result.arm("asked").label == "sim:asked"
    assert result.cell("asked", "latency_p50_s") == "not Claude's"
    assert len(result.records[result.records["arm"] == "asked"]) == 60
    # Answers to one text belong together: repeats are no new texts.
    assert result.estimate("asked", "mood/accuracy").n_groups == 30
    gate = Gate([GateRule("mood/accuracy", at_least=0.0)], "mood/accuracy")
    assert gate.judge(result).arm("asked").decision is Decision.CANNOT_DECIDE
    assert result.measurements["asked", "cost_per_1000_usd"].estimate > 0
    assert "none of their figures is Claude's" in result._repr_html_()


# ---------------------------------------------------------------- refusals


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"metrics": ["moood/accuracy"]}, "the field 'moood'"),
        ({"metrics": ["mood/slot_f1"]}, "not for fields of kind 'label'"),
        ({"metrics": []}, "no metrics"),
        ({"baseline": "nobody"}, "the baseline 'nobody'"),
        ({"train": ("train", "test")}, "both learnt from and judged on"),
        ({"n_resamples": 10}, "n_resamples is 10"),
        ({"n_repeats": 0}, "n_repeats is 0"),
        ({"confidence_level": 1.5}, "confidence_level is 1.5"),
    ],
)
def test_wrong_arguments_are_told_before_anything_is_fitted(
    change: dict[str, Any], told: str
) -> None:
    with pytest.raises(EvaluationError, match=told):
        evaluate_readings(task_of(), {"a": reader(0.0), "b": reader(0.1)}, made(40), **change)


def test_what_is_no_reader_or_answers_strangely_is_told() -> None:
    with pytest.raises(EvaluationError, match="is a DummyClassifier"):
        evaluate_readings(task_of(), {"a": DummyClassifier()}, made(40))
    strange = RuleReader([MOOD], lambda _row, _learnt: {"mood": "so-so"})
    with pytest.raises(EvaluationError, match="answered 'so-so' for field 'mood'"):
        evaluate_readings(task_of(), {"a": strange}, made(40), n_resamples=100)
    with pytest.raises(EvaluationError, match="asks for a probability"):
        evaluate_readings(load_task("lead_conversion"), {"a": reader(0.0)}, made(40))
    with pytest.raises(DataError, match="no examples of 'validation'"):
        evaluate_readings(
            task_of(),
            {"a": reader(0.0)},
            made(40),
            train=("train",),
            test=("validation",),
            n_resamples=100,
        )


def test_a_corpus_that_does_not_fit_together_is_refused() -> None:
    whole = made(20)
    with pytest.raises(DataError, match="stands in two parts"):
        Corpus(
            "cut", "Cut", "1", "x", "real", (MOOD,), whole.X, whole.y, whole.part,
            groups=pd.Series("one", index=whole.X.index),
        )  # fmt: skip
    with pytest.raises(DataError, match="a column 'text'"):
        Corpus("no", "No", "1", "x", "real", (MOOD,), whole.y, whole.y, whole.part)
    with pytest.raises(DataError, match="a part called 'dev'"):
        part = whole.part.replace("train", "dev")
        Corpus("no", "No", "1", "x", "real", (MOOD,), whole.X, whole.y, part)


def test_a_task_is_made_of_whatever_a_corpus_is_labelled_with() -> None:
    task = labelling_task(made(20))
    assert task.fields == (MOOD,)
    assert task.metrics[0] == "mood/accuracy"
    with pytest.raises(SpecError, match="no reader 'tfidff'"):
        task.reader("tfidff")
    with pytest.raises(SpecError, match=r"unknown parameters \['depth'\]"):
        task.reader("tfidf", depth=3)


GOOD = """
name: moods
task: labelling
corpus: {name: lead_intents, n_rows: 100}
arms:
  a: {kind: reader, reader: constant}
  b: {kind: reader, reader: tfidf}
  both: {kind: blended, members: [a, b]}
baseline: a
gates: [{metric: primary_intent/accuracy, difference: true, at_least: 0}]
"""


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("baseline: a", "baseline: c", "baseline names 'c'"),
        ("members: [a, b]", "members: [a, c]", "blends 'c', which is not under arms"),
        ("members: [a, b]", "members: [a, both]", "which is a blend itself"),
        ("members: [a, b]", "members: [a, b], weights: [1]", "1 weights for 2 members"),
        ("kind: reader, reader: tfidf", "kind: tfidf", "tfidf"),
        ("task: labelling", "task: labeling", "no task 'labeling'"),
        ("difference: true, at_least: 0", "at_least: 0, at_most: 1", "exactly one of the two"),
        ("primary_intent/accuracy", "primary_intent/acuracy", "primary_intent/accuracy"),
        ("n_rows: 100", "n_rows: 0", "n_rows"),
        ("n_rows: 100", "train: [test]", "both learnt from and judged on"),
        ("name: moods", "name: moods\nspeed: fast", "speed"),
        ("name: moods", "name: Moods!", "name"),
    ],
)
def test_a_wrong_spec_is_one_error_that_names_the_place(
    old: str, new: str, told: str, tmp_path: Path
) -> None:
    path = tmp_path / "spec.yaml"
    path.write_text(GOOD, encoding="utf-8")
    assert is_reading_spec(path)
    assert read_reading_spec(path).judged_by is None
    path.write_text(GOOD.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(SpecError, match=told.replace("[", r"\[")) as told_error:
        read_reading_spec(path)
    assert "spec.yaml" in str(told_error.value) or "no task" in str(told_error.value)


# ---------------------------------------------------------------- what an attack found


def test_asking_again_narrows_no_rate(client: ClaudeClient) -> None:
    prompt = Prompt(
        name="plain",
        title="Plain",
        strategy="zero_shot",
        system="{{ questions }}",
        user="<message>{{ message }}</message>",
        variables=("message", "questions"),
    )
    task, corpus = task_of(), made(60)
    arms = {"worse": reader(0.4), "asked": task.claude(prompt, corpus, client=client)}
    once, often = (
        evaluate_readings(task, arms, corpus, n_repeats=n, latency_sample=1, n_resamples=100)
        for n in (1, 4)
    )
    for name in ("error_rate", "abstain_rate"):
        first, again = once.estimate("asked", name), often.estimate("asked", name)
        assert again.n == first.n == 30
        assert again.ci_upper == pytest.approx(first.ci_upper)
    assert often.estimate("worse", "mood/accuracy").n == 30
    assert often.compare()["asked"].difference.n == 30


def test_a_field_nobody_made_an_estimator_for_is_not_answered() -> None:
    silent = FieldReader([MOOD], {})
    found = evaluate_readings(
        task_of(), {"worse": reader(0.3), "silent": silent}, made(60), n_resamples=100
    )
    assert found.cell("silent", "mood/accuracy") == "not answered"
    assert found.estimate("silent", "mood/accuracy").estimate == 0.0


def test_a_perfect_arm_has_no_confusions() -> None:
    corpus = made(60)
    truth = dict(zip(corpus.X["text"], corpus.y["mood"], strict=True))
    perfect = RuleReader([MOOD], lambda row, _learnt: {"mood": truth[row["text"]]})
    found = evaluate_readings(
        task_of(), {"perfect": perfect, "worse": reader(0.3)}, corpus, n_resamples=100
    )
    shown = confusion(found, "perfect")
    assert shown.to_frame().empty
    assert "perfect" in shown._repr_html_()


def test_one_class_to_learn_from_is_told() -> None:
    corpus = made(60)
    same = replace(corpus, y=pd.DataFrame({"mood": "good"}, index=corpus.X.index, dtype=object))
    with pytest.raises(PredictorError, match="cannot learn field 'mood'"):
        evaluate_readings(task_of(), {"words": tfidf()}, same, n_resamples=100)


def tfidf() -> Any:
    return task_of().reader("tfidf")
