"""The real data set, where its file is at hand; its card everywhere."""

from pathlib import Path

import pytest

from workbench.data import Catalogue, Dataset, Split
from workbench.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT.parent / "shared" / "data"
SETTINGS = Settings(root=ROOT, data_dir=DATA)
AT_HAND = [DATA] if (DATA / "bank_marketing" / "bank-additional-full.csv").is_file() else []


def test_card_is_complete() -> None:
    card = Catalogue(SETTINGS).card("bank_marketing")
    assert len(card.columns) == 21
    assert len(card.input_names()) == 19
    assert "duration" not in card.input_names()
    assert card.origin.kind == "real"
    assert card.file is not None
    assert len(card.file.members) == 2


@pytest.fixture(scope="module")
def bank() -> Dataset:
    return Catalogue(SETTINGS).load("bank_marketing")


@pytest.mark.parametrize("_folder", AT_HAND)
def test_figures_of_the_real_file(_folder: Path, bank: Dataset) -> None:
    assert len(bank) == 41_188
    assert round(bank.base_rate, 4) == 0.1127
    assert int(bank.y.sum()) == 4_640
    train, test = Split("time", 0.2).apply(bank)
    assert round(bank.take(train).base_rate, 3) == 0.064
    assert round(bank.take(test).base_rate, 3) == 0.308
    assert "duration" not in bank.X
    assert int(bank.X["default"].isna().sum()) == 8_597
    assert bank.X["pdays"].notna().mean() == pytest.approx(0.0368, abs=5e-4)
    assert bank.digest.startswith("278b2dba9d22")


@pytest.mark.parametrize("_folder", AT_HAND)
def test_checks_of_the_real_file(_folder: Path) -> None:
    report = Catalogue(SETTINGS).check("bank_marketing")
    assert report.ok
    assert {(f.code, f.column) for f in report.findings} == {
        ("D003", ""),
        ("D005", "pdays"),
        ("D006", ""),
    }


@pytest.mark.parametrize("_folder", AT_HAND)
def test_leak_on_purpose(_folder: Path) -> None:
    leaky = Catalogue(SETTINGS).load(
        "bank_marketing", n_rows=500, random_state=1, allow_leaks=["duration"]
    )
    assert len(leaky) == 500
    assert leaky.X["duration"].dtype == "int64"
