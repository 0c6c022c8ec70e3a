"""Prompts side by side, spaces of prompts, and searches that ask a stand-in."""

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.evaluation.spoken import MOODS

from workbench.claude import ClaudeClient, EmulatorProcess, Origin
from workbench.data import Corpus
from workbench.errors import EvaluationError, PromptError
from workbench.evaluation.readings.prompt_diff import prompt_diff
from workbench.evaluation.readings.prompt_search import (
    PromptSearch,
    compare_searches,
    search_prompts,
)
from workbench.evaluation.readings.prompt_space import (
    PromptSpace,
    Shown,
    reading_space,
    write_prompt,
)
from workbench.evaluation.readings.prompt_work import (
    compare_prompts,
    compare_shots,
    with_validation,
)
from workbench.evaluation.readings.run import evaluate_readings
from workbench.evaluation.readings.traces import trace
from workbench.prompts import Prompt, read_prompt
from workbench.reports.prompt_plots import shots_plot
from workbench.tasks import Task, labelling_task

WORDS = {"good": "lovely bright happy", "bad": "dreadful noisy sad", "odd": "strange curious weird"}
N_TRAIN, N_VALIDATION, N_TEST = 30, 45, 16
N_CALLS = 2 * N_TEST + 160


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    rng = np.random.default_rng(1)
    n = N_TRAIN + N_VALIDATION + N_TEST
    truth = rng.choice(list(WORDS), n)
    texts = [f"{rng.choice(WORDS[t].split())} house {rng.integers(100)}" for t in truth.tolist()]
    index = pd.Index([f"e{i}" for i in range(n)])
    parts = ["train"] * N_TRAIN + ["validation"] * N_VALIDATION + ["test"] * N_TEST
    texts[N_TRAIN] += " ask zoe@example.com"
    return Corpus(
        name="moods", title="Moods", version="1", licence="internal", origin_kind="simulated",
        fields=(MOODS,), X=pd.DataFrame({"text": texts}, index=index),
        y=pd.DataFrame({"mood": truth}, index=index, dtype=object),
        part=pd.Series(parts, index=index),
    )  # fmt: skip


@pytest.fixture(scope="module")
def task(corpus: Corpus) -> Task:
    return replace(labelling_task(corpus), metrics=("mood/accuracy",))


def small_space() -> PromptSpace:
    whole = reading_space()
    parts = {slot: dict(list(options.items())[:2]) for slot, options in whole.parts.items()}
    return replace(whole, parts=parts, shown=(Shown(0), Shown(4, "nearest")))


@pytest.fixture(scope="module")
def kept(
    tmp_path_factory: pytest.TempPathFactory, shared_emulator: EmulatorProcess
) -> Iterator[ClaudeClient]:
    """A client whose answers serve several tests."""
    store = tmp_path_factory.mktemp("kept") / "answers.sqlite"
    with ClaudeClient(origin=Origin.SIMULATED, store=store, base_url=shared_emulator.url) as made:
        yield made


@pytest.fixture(scope="module")
def first(task: Task, corpus: Corpus, kept: ClaudeClient) -> PromptSearch:
    return search(task, corpus, kept)


def search(task: Task, corpus: Corpus, client: ClaudeClient, **changes: object) -> PromptSearch:
    given = {"n_calls": N_CALLS, "random_state": 2, **changes}
    return search_prompts(task, corpus, small_space(), client=client, **given)  # type: ignore[arg-type]


# ---------------------------------------------------------------- wording


def test_a_diff_marks_the_words_that_changed_and_escapes_the_rest() -> None:
    a = Prompt("a", "A", "zero_shot", "Label <it>.\nBe brief.", "{{ message }}", ("message",))
    b = replace(a, name="b", system="Label <it> well.\nBe brief.")
    page = prompt_diff(a, b)._repr_html_()
    assert "Label &lt;it&gt;<ins" in page
    assert "> well</ins>.\nBe brief." in page
    assert "<it>" not in page
    assert prompt_diff(a, b).to_text().splitlines()[-3:] == [
        "-Label <it>.", "+Label <it> well.", " Be brief.",
    ]  # fmt: skip
    assert prompt_diff(a, replace(a, name="c")).same


@given(st.integers(0, len(reading_space()) - 1))
@settings(max_examples=40)
def test_every_prompt_of_the_space_reads_back_and_renders(
    tmp_path_factory: pytest.TempPathFactory, at: int
) -> None:
    space = reading_space()
    choice = space.choice(at)
    prompt = space.prompt(choice, "composed")
    assert read_prompt(write_prompt(prompt, tmp_path_factory.mktemp("prompts"))) == prompt
    shown = [{"message": "m", "answer": "a"}]
    values = {"message": "text", "questions": "which?"}
    rendered = prompt.render(**values, **({"examples": shown} if prompt.n_examples else {}))
    assert "[[" not in f"{rendered.system}{rendered.user}"
    assert "<message>text</message>" in rendered.user
    assert ("<example>" in rendered.user) == (choice.shown.n_examples > 0)


def test_the_places_of_a_space_are_different_prompts() -> None:
    space = small_space()
    digests = {space.prompt(space.choice(at), "x").digest for at in range(len(space))}
    assert len(digests) == len(space) == 32


def test_a_space_whose_slots_do_not_fit_is_refused() -> None:
    with pytest.raises(PromptError, match=r"slots \['tone'\]"):
        PromptSpace("[[tone]]", "{{ message }}", {})
    with pytest.raises(PromptError, match="nothing to choose from for \\['tone'\\]"):
        PromptSpace("[[tone]]", "{{ message }}", {"tone": {}})
    with pytest.raises(PromptError, match="slots"):
        PromptSpace("[[tone]]", "{{ message }}", {"tone": {"a": ""}}, shown=(Shown(4),))


def test_a_prompt_that_would_read_back_otherwise_is_not_left_behind(tmp_path: Path) -> None:
    broken = Prompt("a", "A", "zero_shot", "x\n# user\ny", "{{ message }}", ("message",))
    with pytest.raises(PromptError):
        write_prompt(broken, tmp_path)


# ---------------------------------------------------------------- side by side


def test_variants_are_compared_on_the_validation_part(
    task: Task, corpus: Corpus, client: ClaudeClient
) -> None:
    found = compare_prompts(
        task, corpus, ["zero_shot", "few_shot"], client=client, shots="nearest", n_resamples=100
    )
    frame = found.to_frame().set_index("prompt")
    assert found.evaluation.info.n_test == N_VALIDATION
    assert found.evaluation.info.n_train == N_TRAIN
    both = found.evaluation.records.groupby("arm")["right"].mean()
    assert frame.loc["few_shot", "difference"] == pytest.approx(
        both["few_shot"] - both["zero_shot"]
    )
    assert frame.loc["few_shot", "input_tokens"] > frame.loc["zero_shot", "input_tokens"]
    assert frame["cost_per_1000_usd"].gt(0).all()
    assert set(frame["origin"]) == {"simulated"}
    page = found._repr_html_()
    assert "sim:few_shot" in page
    assert "no figure is Claude's" in page
    parted = found.disagreements("zero_shot", "few_shot")
    assert len(parted.rows) == N_VALIDATION
    assert "zoe" not in page + parted._repr_html_()
    with pytest.raises(EvaluationError, match="no variant 'few'"):
        found.diff("zero_shot", "few")


def test_a_trace_renders_the_prompt_as_it_was_sent_sealed(
    task: Task, corpus: Corpus, kept: ClaudeClient
) -> None:
    zero, few = (
        task.claude(name, corpus, client=kept).fit(corpus.X[:N_TRAIN], corpus.y[:N_TRAIN])
        for name in ("zero_shot", "few_shot")
    )
    run = evaluate_readings(task, {"zero_shot": zero}, corpus, train=("train",),
                            test=("validation",), n_resamples=100)  # fmt: skip
    found = trace(run, f"e{N_TRAIN}", "zero_shot", reader=zero)
    assert found.prompt is not None
    sent = kept.sealed(zero.requests(corpus.X.iloc[[N_TRAIN]])[0])
    assert found.prompt.user == re.sub(r"\[email:[^]]+\]", "[email]", sent.prompt)
    assert found.prompt.system == sent.system
    assert "zoe" not in found._repr_html_()
    assert found.facts["model_requested"] == "claude-haiku-5-5"
    assert "latency_s" not in found.facts
    assert found.facts["cost_usd"] > 0
    with pytest.raises(EvaluationError, match="the prompt that was asked"):
        trace(run, f"e{N_TRAIN}", "zero_shot", reader=few)


def test_variants_need_names_of_their_own_and_a_validation_part(
    task: Task, corpus: Corpus, client: ClaudeClient
) -> None:
    with pytest.raises(EvaluationError, match="each of a name of its own"):
        compare_prompts(task, corpus, ["zero_shot", "zero_shot"], client=client)
    without = replace(corpus, part=corpus.part.replace("validation", "train"))
    with pytest.raises(EvaluationError, match=r"no validation part.*with_validation"):
        compare_prompts(task, without, ["zero_shot", "few_shot"], client=client)
    with pytest.raises(EvaluationError, match="no validation part"):
        search(task, without, client)


def test_a_validation_part_is_whole_groups_of_the_training_part(corpus: Corpus) -> None:
    groups = pd.Series([f"g{i // 5}" for i in range(len(corpus))], index=corpus.X.index)
    part = corpus.part.replace("validation", "train").where(groups != "g15", "test")
    without = replace(corpus, part=part, groups=groups)
    made = with_validation(without, 0.4)
    assert made.sizes["validation"] == 30
    assert (made.part == "test").equals(without.part == "test")
    assert (made.part.groupby(groups).nunique() == 1).all()
    with pytest.raises(EvaluationError, match="without a validation part"):
        with_validation(made)


def test_shots_are_a_curve_over_numbers_and_kinds(
    task: Task, corpus: Corpus, client: ClaudeClient
) -> None:
    found = compare_shots(
        task, corpus, "few_shot", client=client, numbers=(1, 4), kinds=("random", "nearest"),
        n_resamples=200,
    )  # fmt: skip
    frame = found.to_frame()
    assert frame[["n_examples", "shots"]].to_numpy().tolist() == [
        [1, "random"], [4, "random"], [1, "nearest"], [4, "nearest"],
    ]  # fmt: skip
    assert frame["input_tokens"].iloc[1] > frame["input_tokens"].iloc[0]
    assert "4 nearest" in found._repr_html_()
    drawn = shots_plot(found)
    assert "4 nearest" in drawn.alt
    assert "simulated" in drawn.alt
    with pytest.raises(EvaluationError, match="which shows 0"):
        compare_shots(task, corpus, "zero_shot", client=client)


# ---------------------------------------------------------------- searching


def test_a_search_stays_within_its_calls_and_repeats_itself_for_nothing(
    task: Task, corpus: Corpus, client: ClaudeClient
) -> None:
    first = search(task, corpus, client)
    asked = len(client.store.ledger_frame())
    assert asked <= first.n_calls <= N_CALLS
    assert first.n_calls == first.n_search_calls + 2 * N_TEST
    again = search(task, corpus, client)
    assert len(client.store.ledger_frame()) == asked
    assert again.to_frame().equals(first.to_frame())
    assert (again.winner, again.cost_usd) == (first.winner, first.cost_usd)
    other = search(task, corpus, client, random_state=3)
    assert not other.to_frame().equals(first.to_frame())


def test_the_test_part_has_no_say_in_the_choice(
    task: Task, corpus: Corpus, kept: ClaudeClient, first: PromptSearch
) -> None:
    shuffled = corpus.y.copy()
    at = np.flatnonzero((corpus.part == "test").to_numpy())
    shuffled.iloc[at, 0] = np.random.default_rng(0).permutation(shuffled.iloc[at, 0].to_numpy())
    second = search(task, replace(corpus, y=shuffled), kept)
    assert second.winner == first.winner
    assert second.validation_score == first.validation_score
    assert second.test_score.estimate != first.test_score.estimate


def test_the_optimism_is_validation_minus_test(first: PromptSearch, tmp_path: Path) -> None:
    found = first
    rows = found.test.records[found.test.records["arm"] == "winner"]
    assert len(rows) == N_TEST
    assert found.test_score.estimate == pytest.approx(rows["right"].mean())
    assert found.optimism == pytest.approx(found.validation_score - rows["right"].mean())
    best = found.prompts[0]
    assert best.score == found.validation_score
    assert read_prompt(found.write(tmp_path)) == found.winner
    page = found._repr_html_()
    assert "optimism" in page
    assert "no figure is Claude's" in page


def test_random_search_has_the_same_calls_and_is_compared_on_the_test_part(
    task: Task, corpus: Corpus, kept: ClaudeClient, first: PromptSearch
) -> None:
    halving, drawn = first, search(task, corpus, kept, method="random")
    assert len(halving.prompts) > len(drawn.prompts) >= 2
    assert drawn.n_validation == halving.n_validation
    compared = compare_searches({"random": drawn, "halving": halving}, baseline="random")
    means = [s.test_score.estimate for s in (halving, drawn)]
    assert compared["halving"].difference.difference == pytest.approx(means[0] - means[1])
    assert "sim:halving" in compared.to_markdown()


def test_money_bounds_a_search_beforehand(
    task: Task, corpus: Corpus, kept: ClaudeClient, client: ClaudeClient, first: PromptSearch
) -> None:
    for times, stopped in ((4.0, True), (6.0, False)):
        limit = first.cost_usd * times
        bounded = search(task, corpus, kept, budget_usd=limit)
        assert bounded.stopped_by_cost is stopped
        assert bounded.cost_usd <= limit
        assert (bounded.n_search_calls < first.n_search_calls) is stopped
    with pytest.raises(EvaluationError, match=r"budget_usd is 0\.001"):
        search(task, corpus, client, budget_usd=0.001)


def test_too_few_calls_are_told_before_anything_is_asked(
    task: Task, corpus: Corpus, client: ClaudeClient
) -> None:
    for wrong in ({"n_calls": 2 * N_TEST + 39}, {"method": "grid"}, {"name": "mood/f2"}):
        with pytest.raises(EvaluationError):
            search(task, corpus, client, **wrong)
    assert client.store.ledger_frame().empty
