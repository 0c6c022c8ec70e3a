"""Gaps between slices: joint coverage, planted gaps found, small slices named."""

import dataclasses
from typing import Any

import numpy as np
import pytest
from tests.evaluation.recorded import INFO, arm_info, arm_records

from workbench.errors import EvaluationError
from workbench.evaluation import Evaluation
from workbench.monitoring.fairness import slice_gaps

SLICES = ("english", "spanish", "hindi", "french")


def sliced(
    seed: int,
    n: int = 800,
    *,
    bias: float = 0.0,
    origin: str | None = None,
    shares: tuple[float, ...] = (0.4, 0.3, 0.2, 0.1),
    groups: int = 0,
) -> Evaluation:
    """One model, equally good everywhere but for a bias in log-odds of Spanish leads."""
    rng = np.random.default_rng(seed)
    language = rng.choice(SLICES, n, p=shares)
    logit = rng.normal(-0.3, 1.3, n)
    y = (rng.random(n) < 1 / (1 + np.exp(-logit))).astype(np.int8)
    told = logit + bias * (language == "spanish")
    records = arm_records("model", y, 1 / (1 + np.exp(-told)), origin=origin)
    records["slice:language"] = language
    if groups:
        records["group"] = rng.integers(0, groups, n).astype(str)
    info = dataclasses.replace(INFO, baseline="model", n_test=n, test_base_rate=float(y.mean()))
    return Evaluation(info, (arm_info("model", origin),), records)


def gaps(evaluation: Evaluation, **options: Any) -> Any:
    metric = options.pop("metric", "roc_auc")
    return slice_gaps(evaluation, metric, "language", arm="model", n_resamples=200, **options)


def test_joint_intervals_rarely_accuse_an_even_model() -> None:
    accused = dict.fromkeys(("roc_auc", "true_positive_rate", "false_positive_rate"), 0)
    n_tries = 60
    for seed in range(n_tries):
        found = gaps(sliced(seed)).differing
        for figure in accused:
            accused[figure] += any(g.figure == figure for g in found)
    assert all(count <= 9 for count in accused.values())  # 3 are expected


def test_a_biased_score_shows_in_rates_but_not_in_the_ranking() -> None:
    found = gaps(sliced(1, 4000, bias=-1.0))
    shown = {(g.value, g.figure) for g in found.differing}
    assert ("spanish", "true_positive_rate") in shown and ("spanish", "selection_rate") in shown
    assert ("spanish", "false_positive_rate") in shown
    assert not {s for s in shown if s[0] != "spanish"} and ("spanish", "roc_auc") not in shown
    assert found.reference == "english" and "calibrated in each slice" in found._repr_html_()
    losses = gaps(sliced(1, 4000, bias=-1.0), metric="log_loss")
    assert ("spanish", "log_loss") in {(g.value, g.figure) for g in losses.differing}


def test_rates_are_what_counting_gives() -> None:
    evaluation = sliced(2)
    rows = evaluation.records[evaluation.records["slice:language"] == "hindi"]
    by = {g.figure: g for g in gaps(evaluation, threshold=0.4).gaps if g.value == "hindi"}
    called = rows["proba"] >= 0.4
    assert by["base_rate"].estimate == pytest.approx(rows["y"].mean())
    assert by["true_positive_rate"].estimate == pytest.approx(called[rows["y"] == 1].mean())
    assert by["false_positive_rate"].estimate == pytest.approx(called[rows["y"] == 0].mean())
    assert by["selection_rate"].estimate == pytest.approx(called.mean())
    assert by["roc_auc"].n == len(rows) and by["roc_auc"].n_positive == rows["y"].sum()


def test_small_slices_are_named_not_judged() -> None:
    found = gaps(sliced(3, 400, bias=-3.0, shares=(0.57, 0.05, 0.33, 0.05)))
    small = [g for g in found.gaps if g.value == "spanish"]
    assert all(np.isinf(g.ci_upper) and not g.differs and "too few" in g.warning for g in small)
    assert len(found.to_frame()) == 4 * 5


def test_a_rate_of_nothing_in_a_small_slice_is_not_certain() -> None:
    evaluation = sliced(6, 700, shares=(0.86, 0.14, 0.0, 0.0))
    records = evaluation.records.copy()
    spanish = records["slice:language"] == "spanish"
    negative = records.index[spanish & (records["y"] == 0)]
    others = records.index[~spanish & (records["y"] == 0)]
    records.loc[negative, "proba"] = 0.1
    records.loc[others, "proba"] = 0.1
    records.loc[others[:4], "proba"] = 0.9  # 4 of some 340, and 0 of some 55
    found = gaps(dataclasses.replace(evaluation, records=records))
    gap = next(g for g in found.gaps if (g.value, g.figure) == ("spanish", "false_positive_rate"))
    assert gap.estimate == 0 and gap.gap < 0 and not gap.differs and gap.ci_upper > 0


def test_groups_are_resampled_whole_and_origin_is_kept() -> None:
    found = gaps(sliced(4, groups=60))
    assert found.n_groups == 60
    assert "sim:model" in gaps(sliced(4, origin="simulated"))._repr_html_()


def test_unknown_names_are_refused() -> None:
    evaluation = sliced(5)
    with pytest.raises(EvaluationError, match="no slices 'planet'"):
        slice_gaps(evaluation, "roc_auc", "planet", arm="model")
    with pytest.raises(EvaluationError, match="cannot be the reference"):
        gaps(evaluation, reference="klingon")
    with pytest.raises(EvaluationError, match="no metric of the probabilities"):
        gaps(evaluation, metric="latency_p95_s")
