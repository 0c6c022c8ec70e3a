"""What an attack on the monitoring found, so that it stays mended."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from workbench.features import text_columns
from workbench.monitoring import calibration_fit, drift
from workbench.monitoring.fairness import counterfactual_audit


@pytest.mark.parametrize(
    "column",
    [
        pd.Series([True, False] * 50),
        pd.Series([1, 2] * 50, dtype=object),
        pd.Series(pd.Categorical([1, 2] * 50)),
        pd.Series(["a", "b"] * 50),
    ],
    ids=["bool", "object", "category", "text"],
)
def test_a_swap_of_any_kind_of_column_is_felt(column: "pd.Series[object]") -> None:
    first = column.iloc[0]

    def biased(X: pd.DataFrame) -> Any:
        return np.where(X["own"].astype(object) == first, 0.5, 0.2)

    found = counterfactual_audit(biased, pd.DataFrame({"own": column}), columns={"own": first})
    (effect,) = found.effects
    assert effect.change.estimate == pytest.approx(-0.3)


def test_a_column_that_is_gone_is_an_alarm_of_its_own() -> None:
    rng = np.random.default_rng(0)
    before = pd.DataFrame({"a": rng.normal(size=200), "b": rng.normal(size=200)})
    report = drift(before, before[["b"]].sample(frac=1, random_state=1), n_permutations=99)
    assert report.lost == ("a",)


def test_months_without_any_outcome_are_judged() -> None:
    p = np.full(400, 0.3)
    none = calibration_fit(np.zeros(400), p).intercept
    assert none.ci_upper < -2 and none.ci_lower == -np.inf
    every = calibration_fit(np.ones(400), p).intercept
    assert every.ci_lower > 2 and every.ci_upper == np.inf
    few = calibration_fit(np.zeros(5), np.full(5, 0.1)).intercept
    assert few.ci_upper > 0


def test_a_missing_text_hides_no_column() -> None:
    X = pd.DataFrame({"note": pd.Series(["hi", None, "there"], dtype=object), "n": [1, 2, 3]})
    assert text_columns(X) == ["note"]
    assert text_columns(X.assign(note=pd.Series([None] * 3, dtype=object))) == []
