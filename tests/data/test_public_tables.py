"""Two public tables, where their files are at hand; their cards everywhere."""

from pathlib import Path

import pytest
from sklearn.model_selection import train_test_split

from workbench.data import Catalogue, Split
from workbench.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT.parent / "shared" / "data"
CATALOGUE = Catalogue(Settings(root=ROOT, data_dir=DATA))
FILES = {
    "online_shoppers": "online_shoppers_intention.csv",
    "telco_churn": "Telco-Customer-Churn.csv",
}
AT_HAND = [name for name, file in FILES.items() if (DATA / name / file).is_file()]
FACTS = {
    "online_shoppers": (12_330, 1_908, 17, 0, "online_shoppers"),
    "telco_churn": (7_043, 1_869, 19, 11, "telco_churn"),
}


@pytest.mark.parametrize("name", FILES)
def test_cards_are_complete(name: str) -> None:
    card = CATALOGUE.card(name)
    assert card.origin.kind == "real"
    assert card.file is not None
    assert card.file.name == FILES[name]
    assert (card.group_column, card.time, card.leaks) == (None, None, {})
    assert card.notes
    assert len(card.input_names()) == FACTS[name][2]


def test_the_near_leak_and_the_blanks_are_told() -> None:
    assert "PageValues comes close to a leak" in CATALOGUE.card("online_shoppers").notes
    assert "PageValues" in CATALOGUE.card("online_shoppers").input_names()
    assert "blank" in CATALOGUE.card("telco_churn").notes


@pytest.mark.parametrize("name", AT_HAND)
def test_figures_of_the_real_files(name: str) -> None:
    dataset = CATALOGUE.load(name)
    n, positive, n_inputs, n_missing, _ = FACTS[name]
    assert (len(dataset), int(dataset.y.sum())) == (n, positive)
    assert dataset.X.shape[1] == n_inputs
    assert int(dataset.X.isna().sum().sum()) == n_missing
    assert {f.code for f in CATALOGUE.check(name).findings} == {"D003"}


@pytest.mark.parametrize("name", AT_HAND)
def test_the_split_of_the_benchmark_is_scikit_learns(name: str) -> None:
    dataset = CATALOGUE.load(name)
    train, test = Split("random", 0.3, 42).apply(dataset)
    rows = range(len(dataset))
    _, expected = train_test_split(rows, test_size=0.3, random_state=42, stratify=dataset.y)
    assert test.tolist() == sorted(expected)
    assert len(train) + len(test) == len(dataset)
