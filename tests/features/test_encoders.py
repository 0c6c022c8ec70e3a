import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.metrics import roc_auc_score

from workbench.data import Dataset
from workbench.features import (
    TextScore,
    TreeTable,
    category_columns,
    linear_table,
    numeric_columns,
    text_columns,
)
from workbench.features.encoders import join_text


def table(n: int = 120, seed: int = 0) -> tuple[pd.DataFrame, np.ndarray]:
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 2, n)
    words = np.where(rng.random(n) < 0.5 + 0.4 * (y - 0.5), "ready to buy", "just looking around")
    X = pd.DataFrame(
        {
            "visits": np.where(rng.random(n) < 0.2, np.nan, rng.poisson(3, n)),
            "source": pd.Categorical(rng.choice(["portal", "referral"], n)),
            "vip": rng.random(n) < 0.5,
            "note": words,
        }
    )
    return X, y


def folds(n: int, k: int = 4) -> list[tuple[np.ndarray, np.ndarray]]:
    rows = np.arange(n)
    return [(rows[rows % k != i], rows[rows % k == i]) for i in range(k)]


def test_every_column_of_a_data_set_is_of_one_kind(leads: Dataset) -> None:
    kinds = (numeric_columns(leads.X), category_columns(leads.X), text_columns(leads.X))
    assert sorted(c for kind in kinds for c in kind) == sorted(leads.X.columns)
    assert kinds[2] == ["first_message"]


def test_a_linear_table_is_numbers_without_gaps() -> None:
    X, _ = table()
    encoded = linear_table().fit_transform(X)
    dense = np.asarray(encoded.todense() if hasattr(encoded, "todense") else encoded)
    assert dense.shape[0] == len(X)
    assert np.isfinite(dense).all()


def test_a_missing_number_is_flagged_and_scaled_like_the_median() -> None:
    X, _ = table()
    fitted = linear_table(text=False).fit(X[["visits"]])
    median = float(X["visits"].median())
    rows = pd.DataFrame({"visits": [np.nan, median]})
    missing, middle = np.asarray(fitted.transform(rows))
    assert missing[0] == middle[0]
    assert missing[1] != middle[1]


def test_a_linear_table_takes_what_training_did_not_hold() -> None:
    X, _ = table()
    fitted = linear_table().fit(X)
    strange = X.head(2).assign(source=pd.Categorical(["billboard", None]), note=["", None])
    assert fitted.transform(strange).shape == fitted.transform(X.head(2)).shape


def test_text_is_read_only_when_asked_for() -> None:
    X, _ = table()
    with_text, without = (linear_table(text=t).fit_transform(X).shape[1] for t in (True, False))
    assert with_text > without


@pytest.mark.parametrize(
    "texts",
    [[""], [None], ["the"], [f"word{i}" for i in range(120)], ["a"]],
    ids=["empty", "missing", "one word", "no word twice", "one letter"],
)
def test_texts_without_words_in_common_are_no_obstacle(texts: list[str | None]) -> None:
    X, y = table()
    X["note"] = pd.Series((texts * len(X))[: len(X)], dtype="str")
    assert linear_table().fit_transform(X).shape[0] == len(X)
    score = clone(TextScore()).fit(X, y)
    assert np.isfinite(score.transform(X)).all()
    assert np.isfinite(score.transform(X.assign(note="ready to buy"))).all()
    assert np.isfinite(TextScore().fit_out_of_fold(X, y, folds(len(y)))).all()


def test_the_text_score_finds_the_words_that_matter() -> None:
    X, y = table(400)
    held_out, truth = table(400, seed=1)
    score = TextScore().fit(X, y).transform(held_out)
    assert score.shape == (400, 1)
    assert roc_auc_score(truth, score[:, 0]) > 0.6


def test_no_row_is_scored_with_its_own_label() -> None:
    X, y = table()
    # A word of its own in every row: whoever peeks knows every label.
    X["note"] = [f"{note} lead{i} lead{i} lead{i}" for i, note in enumerate(X["note"])]
    parts = folds(len(y))
    for row in (0, 7, 50):
        flipped = y.copy()
        flipped[row] = 1 - flipped[row]
        a, b = (TextScore().fit_out_of_fold(X, labels, parts)[row, 0] for labels in (y, flipped))
        assert a == b


def test_rows_in_no_fold_have_no_score() -> None:
    X, y = table()
    score = TextScore().fit_out_of_fold(X, y, folds(len(y))[:1])
    assert np.isnan(score).sum() == 90


def test_a_tree_table_keeps_gaps_and_drops_text() -> None:
    X, _ = table()
    fitted = TreeTable().fit(X)
    encoded = fitted.transform(X)
    assert encoded.shape == (len(X), 3)
    assert np.isnan(encoded[:, 0]).sum() == X["visits"].isna().sum()
    assert fitted.categorical_positions_ == [2]
    np.testing.assert_array_equal(encoded[:, 2], X["source"].cat.codes)


def test_levels_of_another_order_get_the_codes_of_training() -> None:
    X, _ = table()
    fitted = TreeTable().fit(X)
    turned = X.assign(source=X["source"].cat.reorder_categories(["referral", "portal"]))
    np.testing.assert_array_equal(fitted.transform(turned), fitted.transform(X))
    strange = X.head(2).assign(source=pd.Categorical(["billboard", None]))
    assert np.isnan(fitted.transform(strange)[:, 2]).all()


def test_a_single_row_is_encoded_like_a_batch() -> None:
    X, _ = table()
    fitted = TreeTable().fit(X)
    singles = np.vstack([fitted.transform(X.iloc[[i]]) for i in range(20)])
    np.testing.assert_array_equal(singles, fitted.transform(X.head(20)))


def test_texts_are_joined_row_by_row() -> None:
    X = pd.DataFrame({"a": ["x", None], "b": [None, "y"]})
    assert join_text(X).tolist() == ["x ", " y"]
    assert join_text(X.iloc[:0]).tolist() == []
