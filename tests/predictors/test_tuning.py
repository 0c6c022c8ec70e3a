import logging
from typing import Any

import numpy as np
import optuna
import pandas as pd
import pytest
from sklearn.tree import DecisionTreeClassifier

from workbench.errors import PredictorError
from workbench.predictors import Between, Trial, Tuning, tune

TREE = DecisionTreeClassifier(max_depth=8, random_state=0)
SPACE: dict[str, Any] = {
    "max_depth": Between(1, 10),
    "min_samples_leaf": Between(1, 60, log=True),
    "criterion": ("gini", "entropy"),
}
TREE.set_params(min_samples_leaf=1)


def _table(n: int = 1200, seed: int = 0) -> tuple[pd.DataFrame, np.ndarray]:
    rng = np.random.default_rng(seed)
    X = pd.DataFrame(rng.normal(size=(n, 6)), columns=list("abcdef"))
    y = (rng.random(n) < 1 / (1 + np.exp(-2 * X["a"] - X["b"]))).astype(int).to_numpy()
    return X, y


@pytest.fixture(scope="module")
def found() -> Tuning:
    return tune(TREE, SPACE, *_table(), n_trials=25)


def test_the_search_beats_its_start_and_says_what_the_winner_is_worth(found: Tuning) -> None:
    assert found.trials[0].parameters == {
        "max_depth": 8, "min_samples_leaf": 1, "criterion": "gini",
    }  # fmt: skip
    complete = [t for t in found.trials if t.state == "complete"]
    assert found.best_score == min(t.score for t in complete)
    assert found.best_score < found.trials[0].score - 0.1
    assert found.held_out_score < found.default_held_out_score
    assert found.optimism == pytest.approx(found.held_out_score - found.best_score)
    assert (found.n_search, found.n_held_out) == (960, 240)
    assert found.best_estimator.get_params()["max_depth"] == found.best_parameters["max_depth"]
    assert any(t.state == "pruned" for t in found.trials)


def test_the_table_lists_every_trial_best_first(found: Tuning) -> None:
    frame = found.to_frame()
    assert len(frame) == 25
    assert frame["score"].iloc[0] == found.best_score
    assert set(SPACE) <= set(frame.columns)
    assert "rows the search never saw" in found._repr_html_()


def test_the_same_seed_gives_the_same_trials_and_callbacks_see_each() -> None:
    X, y = _table(500)
    seen: list[Trial] = []
    first = tune(TREE, SPACE, X, y, n_trials=8, on_trial=seen.append)
    again = tune(TREE, SPACE, X, y, n_trials=8)
    assert [t.parameters for t in first.trials] == [t.parameters for t in again.trials]
    assert tuple(seen) == first.trials
    other = tune(TREE, SPACE, X, y, n_trials=8, random_state=5)
    assert [t.parameters for t in other.trials] != [t.parameters for t in first.trials]


def test_the_winners_own_score_flatters_on_noise() -> None:
    optimism = []
    for seed in range(6):
        X, _ = _table(300, seed)
        y = np.random.default_rng(seed).integers(0, 2, 300)
        result = tune(
            TREE, SPACE, X, y, n_trials=20, scoring="roc_auc", prune=False, random_state=seed
        )
        optimism.append(result.optimism)
        assert result.best_score > 0.5
    assert np.mean(optimism) > 0.02


def test_groups_and_time_are_never_cut() -> None:
    X, y = _table(400)

    class Watched(DecisionTreeClassifier):
        def fit(self, X: pd.DataFrame, y: Any) -> Any:
            self.last_ = X.index.max()
            return super().fit(X, y)

        def predict_proba(self, X: pd.DataFrame) -> Any:
            assert X.index.min() > self.last_
            return super().predict_proba(X)

    tune(Watched(), {"max_depth": Between(1, 3)}, X, y, as_of=np.arange(400), n_trials=2)


def test_trials_that_fail_do_not_end_the_search() -> None:
    X, y = _table(300)
    space: dict[str, Any] = {"max_depth": (-1, 2)}
    result = tune(DecisionTreeClassifier(), space, X, y, n_trials=6)
    assert result.best_parameters == {"max_depth": 2}
    assert {t.state for t in result.trials} == {"failed", "complete"}
    with pytest.raises(PredictorError, match="none of 2 trials could be completed"):
        tune(DecisionTreeClassifier(), {"max_depth": (-1, -2)}, X, y, n_trials=2)


def test_it_is_quiet_and_leaves_logging_as_it_was(caplog: pytest.LogCaptureFixture) -> None:
    before = optuna.logging.get_verbosity()
    X, y = _table(300)
    with caplog.at_level(logging.DEBUG):
        tune(TREE, SPACE, X, y, n_trials=3)
    assert not caplog.records
    assert optuna.logging.get_verbosity() == before


@pytest.mark.parametrize(
    ("space", "options", "said"),
    [
        ({}, {}, "the space names nothing"),
        ({"depth": Between(1, 2)}, {}, "'depth'"),
        ({"max_depth": Between(3, 3)}, {}, "nothing to choose from"),
        ({"max_depth": ()}, {}, "nothing to choose from"),
        ({"max_depth": Between(1, 3)}, {"scoring": "f1"}, "scoring is 'f1'"),
        ({"max_depth": Between(1, 3)}, {"n_trials": 0}, "n_trials is 0"),
    ],
)
def test_wrong_use_is_a_clear_error(space: Any, options: Any, said: str) -> None:
    with pytest.raises(PredictorError, match=said):
        tune(TREE, space, *_table(100), **options)
