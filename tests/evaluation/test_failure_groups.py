"""Groups of failures and weak slices, with failures planted where they must be found."""

from collections.abc import Sequence

import numpy as np
import pytest
from tests.evaluation.spoken import spoken_run

from workbench.errors import EvaluationError
from workbench.evaluation.readings import ReadingEvaluation
from workbench.evaluation.readings.failures import _compared, failures
from workbench.evaluation.readings.slice_gaps import weak_slices

TOPICS = (
    "mortgage rate lender approval loan deposit",
    "garden pool terrace patio lawn trees",
    "tenant lease rental landlord eviction notice",
)


def run(
    n: int = 240, *, bad_topic: int | None = 0, groups: Sequence[str] | None = None, seed: int = 0
) -> ReadingEvaluation:
    """Texts of three topics; wrong 60 % of the time on the bad one and 10 % elsewhere."""
    rng = np.random.default_rng(seed)
    topic = rng.integers(0, 3, n)
    texts = [" ".join(rng.permutation(TOPICS[t].split())[:4]) for t in topic.tolist()]
    wrong = rng.random(n) < np.where(topic == bad_topic, 0.6, 0.1)
    truth = rng.choice(["good", "bad"], n)
    said = np.where(wrong, "odd", truth)
    texts[0] += " mail zoe@example.com"
    return spoken_run(
        texts,
        {"mood": truth.tolist()},
        {"first": {"mood": said.tolist()}},
        slices={"topic": [f"topic{t}" for t in topic.tolist()]},
        groups=groups,
    )


@pytest.fixture(scope="module")
def planted() -> ReadingEvaluation:
    return run()


def test_planted_failures_are_found_and_described(planted: ReadingEvaluation) -> None:
    found = failures(planted, "first", n_clusters=3)
    worst, *others = found.clusters
    assert set(worst.words) == set(TOPICS[0].split())
    assert worst.lift > 1.5
    assert worst.ci_lower > 0
    assert worst.pvalue < 0.001
    assert all(c.lift < 1 for c in others)
    assert sum(c.n for c in found.clusters) == found.n == 240
    assert sum(c.n_failed for c in found.clusters) == found.n_failed
    shown = worst.examples.to_frame()
    assert (shown["true"] != shown["answered"]).all()
    assert "zoe" not in found._repr_html_()


def test_groups_are_the_same_under_a_seed_and_blind_to_failures(
    planted: ReadingEvaluation,
) -> None:
    first = failures(planted, "first", random_state=3)
    assert first.to_frame().equals(failures(planted, "first", random_state=3).to_frame())
    assert 2 <= len(first.clusters) <= 12
    records = planted.records.assign(**{"value:mood": planted.records["truth:mood"]})
    flawless = ReadingEvaluation(planted.info, planted.arms, records, planted.corpus)
    blind = failures(flawless, "first", random_state=3)
    assert blind.n_failed == 0
    assert {(c.words, c.n) for c in blind.clusters} == {(c.words, c.n) for c in first.clusters}


def test_the_level_holds_where_failures_are_everywhere_alike() -> None:
    found = [failures(run(90, bad_topic=None, seed=s), "first", n_clusters=3) for s in range(8)]
    false = sum(min(c.pvalue for c in f.clusters) < 0.05 for f in found)
    assert false <= 2


def test_the_level_holds_where_whole_groups_fail_together() -> None:
    rng = np.random.default_rng(0)
    false = 0
    for _ in range(40):
        group = np.repeat(np.arange(40), 5)
        labels = rng.integers(0, 4, 40)[group]
        failed = np.where(rng.random(200) < 0.05, 1, (rng.random(40) < 0.3)[group].astype(int))
        found = _compared(labels, failed, group, 0.95)
        false += min(c.pvalue for c in found) < 0.05
    assert false <= 5


def test_rows_of_a_group_widen_the_interval() -> None:
    alone = failures(run(), "first", n_clusters=3).clusters[0]
    pairs = [f"g{i // 6}" for i in range(240)]
    grouped = failures(run(groups=pairs), "first", n_clusters=3).clusters[0]
    assert grouped.n == alone.n
    assert (grouped.ci_lower, grouped.ci_upper) != (alone.ci_lower, alone.ci_upper)


def test_too_few_texts_or_groups_are_refused(planted: ReadingEvaluation) -> None:
    with pytest.raises(EvaluationError, match="1 groups of 240 texts"):
        failures(planted, "first", n_clusters=1)
    with pytest.raises(EvaluationError, match="some groups of 10 texts"):
        failures(run(10), "first")


def test_the_weak_slice_comes_first_and_is_worse_for_sure(planted: ReadingEvaluation) -> None:
    found = weak_slices(planted, "first")
    assert found.frame["value"].iloc[0] == "topic0"
    assert found.worse["value"].tolist() == ["topic0"]
    by_topic = planted.records.groupby("slice:topic")["right"]
    inside = by_topic.mean()["topic0"]
    rest = planted.records.loc[planted.records["slice:topic"] != "topic0", "right"].mean()
    assert found.frame["estimate"].iloc[0] == pytest.approx(inside)
    assert found.frame["difference"].iloc[0] == pytest.approx(inside - rest)
    assert "topic0" in found._repr_html_()


def test_a_metric_may_be_named_and_falling_ones_turn_round(planted: ReadingEvaluation) -> None:
    found = weak_slices(planted, "first", "mood/accuracy")
    assert found.frame["difference"].tolist() == pytest.approx(
        weak_slices(planted, "first").frame["difference"].tolist()
    )
    loss = weak_slices(planted, "first", "mood/log_loss")
    assert not loss.higher_is_better
    assert loss.frame["value"].iloc[0] == "topic0"
    assert loss.frame["difference"].iloc[0] > 0
    assert loss.worse["value"].tolist() == ["topic0"]


def test_small_slices_are_left_out() -> None:
    assert weak_slices(run(50), "first").frame.empty
    assert "No slice has" in weak_slices(run(50), "first")._repr_html_()
