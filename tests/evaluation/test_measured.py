"""Figures of any kind: intervals that cover, differences that are paired."""

import numpy as np
import pytest

from workbench.errors import EvaluationError
from workbench.evaluation.measured import Figure, measure
from workbench.scorers import Metric
from workbench.stats import mean_statistic

RIGHT = Figure(Metric("right", "Right", True, "share answered right", "%"), mean_statistic)


def test_a_paired_gain_is_seen_through_shared_noise() -> None:
    rng = np.random.default_rng(0)
    hard = rng.normal(size=400)
    found = measure({"a": hard, "b": hard + 0.05 + rng.normal(0, 0.01, 400)}, [RIGHT], n=400)
    gain = found.differences["b", "right"]
    assert gain.ci_lower > 0.045 and gain.pvalue < 0.01
    own = found.estimates["b", "right"]
    assert own.ci_upper - own.ci_lower > 5 * (gain.ci_upper - gain.ci_lower)


def test_intervals_cover_over_whole_groups() -> None:
    hits = naive = 0
    for seed in range(150):
        rng = np.random.default_rng(seed)
        groups = np.repeat(np.arange(40), 10)
        values = rng.normal(size=40)[groups] + 0.3 * rng.normal(size=400)
        options = {"n": 400, "n_resamples": 200, "random_state": seed}
        with_groups = measure({"a": values}, [RIGHT], groups=groups, **options)  # type: ignore[arg-type]
        without = measure({"a": values}, [RIGHT], **options)  # type: ignore[arg-type]
        hits += with_groups.estimates["a", "right"].ci_lower <= 0 <= with_groups.estimates[
            "a", "right"].ci_upper  # fmt: skip
        naive += without.estimates["a", "right"].ci_lower <= 0 <= without.estimates[
            "a", "right"].ci_upper  # fmt: skip
    assert hits >= 0.89 * 150 and naive < 0.75 * 150


def test_it_shows_itself_and_names_the_simulated() -> None:
    found = measure({"rules": [1, 0, 1, 1], "claude": [1, 1, 1, 1]}, [RIGHT], n=4,
                    simulated=["claude"])  # fmt: skip
    page = found._repr_html_()
    assert "sim:claude" in page and "100.0 %" in page and "+25.0 %" in page
    frame = found.to_frame()
    assert frame["arm"].tolist() == ["rules", "sim:claude"]
    assert frame["difference"].tolist()[1] == 0.25


def test_it_refuses_what_cannot_be_measured() -> None:
    with pytest.raises(EvaluationError, match="0 arms"):
        measure({}, [RIGHT], n=1)
    with pytest.raises(EvaluationError, match="the baseline 'b'"):
        measure({"a": [1.0]}, [RIGHT], n=1, baseline="b")
    with pytest.raises(EvaluationError, match="n_resamples is 5"):
        measure({"a": [1.0]}, [RIGHT], n=1, n_resamples=5)
