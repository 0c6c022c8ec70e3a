import ast
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import workbench.data
from workbench.data import Catalogue
from workbench.data.brokerage import generate, true_probability
from workbench.data.brokerage.phrases import HOSTILE, SPANISH_FILLER
from workbench.data.digest import content_digest
from workbench.errors import DataError
from workbench.settings import Settings
from workbench.tasks import load_dataset

ROOT = Path(__file__).resolve().parents[2]
SETTINGS = Settings(root=ROOT, data_dir=ROOT / "nowhere")


def test_same_arguments_same_leads() -> None:
    first, again, other = (generate(400, random_state=seed) for seed in (5, 5, 6))
    pd.testing.assert_frame_equal(first.leads, again.leads)
    pd.testing.assert_series_equal(first.true_probability, again.true_probability)
    assert first.leads["first_message"].tolist() != other.leads["first_message"].tolist()


@pytest.mark.parametrize("n_leads", [1, 2, 17])
def test_few_leads(n_leads: int) -> None:
    sample = generate(n_leads, random_state=1)
    assert len(sample.leads) == len(sample.true_probability) == n_leads


@pytest.mark.parametrize(
    ("n_leads", "seed", "message"),
    [
        (0, 0, "n_leads is 0. Expected 1 to"),
        (10**9, 0, "n_leads is"),
        (5, -1, "random_state is -1"),
    ],
)
def test_arguments_out_of_range(n_leads: int, seed: int, message: str) -> None:
    with pytest.raises(DataError, match=message):
        generate(n_leads, random_state=seed)


def test_leads_fit_the_card() -> None:
    card = Catalogue(SETTINGS).card("brokerage")
    leads = generate(3000, random_state=2).leads
    assert tuple(leads.columns) == card.column_names
    for column in card.columns:
        if column.dtype == "category":
            assert set(leads[column.name]) == set(column.values)
        if not column.missing:
            assert not leads[column.name].isna().any()
        elif column.name != "preapproved":
            assert 0.05 < leads[column.name].isna().mean() < 0.6
    assert leads["created_at"].is_monotonic_increasing
    assert leads["created_at"].min() >= pd.Timestamp("2023-01-01")
    assert leads["created_at"].max() < pd.Timestamp("2024-07-01")
    assert leads["hour_of_day"].tolist() == leads["created_at"].dt.hour.tolist()
    assert (leads["budget_usd"].dropna() > 0).all()
    assert leads["budget_usd"].max() > 10 * leads["budget_usd"].median()


def test_people_come_back_as_the_same_person() -> None:
    leads = generate(4000, random_state=3).leads
    again = leads[leads["contact_id"].duplicated(keep=False)]
    assert 0.2 < len(again) / len(leads) < 0.5
    for column in ("tenant", "vertical"):
        assert (again.groupby("contact_id")[column].nunique() == 1).all()
    assert leads.groupby("agent_id")["tenant"].nunique().max() == 1


def test_messages_are_hard_and_invented() -> None:
    leads = generate(6000, random_state=4).leads
    texts = leads["first_message"]
    assert 0.01 < (texts == "").mean() < 0.06
    assert texts.str.len().max() > 2000
    assert texts[texts.str.len() > 60].is_unique
    assert not texts.str.contains(r"\{(?:we|our|place|soon|far|name|kind|spouse)\}").any()
    for attack in HOSTILE:
        assert texts.str.contains(attack, regex=False, case=False).any()
    spanish = texts[(leads["language"] == "spanish") & (texts.str.len() > 60)].str.lower()
    stems = "|".join(re.escape(part.split("{")[0][:12].lower()) for part in SPANISH_FILLER)
    assert spanish.str.contains(stems).mean() > 0.8
    addresses = texts.str.extractall(r"(\S+@\S+)")[0].str.rstrip(".,").str.lower()
    assert len(addresses) > 100
    assert addresses.str.contains("@example.com", regex=False).mean() > 0.85  # the rest is misspelt
    phones = texts.str.extractall(r"(\(\d{3}\) \d{3}-\d{4})")[0]
    assert len(phones) > 100
    assert phones.str.fullmatch(r"\(\d{3}\) 555-01\d\d").all()


def test_catalogue_generates_size_and_seed() -> None:
    dataset = load_dataset("brokerage", settings=SETTINGS, n_rows=300, random_state=8)
    leads = generate(300, random_state=8).leads
    assert dataset.X.index.tolist() == leads["lead_id"].tolist()
    assert dataset.y.tolist() == (leads["converted"] == "yes").astype(int).tolist()
    assert dataset.origin_kind == "simulated"
    assert "SIMULATED" in dataset._repr_html_()
    assert dataset.card.generator is not None
    assert dataset.card.generator.row_count == 300
    assert "n_agent_notes" not in dataset.X
    assert (
        "n_agent_notes"
        in load_dataset("brokerage", settings=SETTINGS, n_rows=300, allow_leaks=["n_agent_notes"]).X
    )
    assert dataset.tenant is not None and dataset.groups is not None and dataset.as_of is not None
    assert Catalogue(SETTINGS).check("brokerage").ok
    other = load_dataset("brokerage", settings=SETTINGS, n_rows=300, random_state=9)
    assert other.digest != dataset.digest


def test_truth_is_aligned_and_apart() -> None:
    dataset = load_dataset("brokerage", settings=SETTINGS, n_rows=300, random_state=8)
    truth = generate(300, random_state=8).true_probability
    part = dataset.take([7, 3, 250])
    given = true_probability(part)
    assert given.index.equals(part.y.index)
    np.testing.assert_array_equal(given, truth.to_numpy()[[7, 3, 250]])
    assert not any("prob" in name for name in dataset.to_frame().columns)
    assert not hasattr(workbench.data, "true_probability")
    for folder in ("features", "predictors", "prompts", "claude", "tasks"):
        for path in (ROOT / "src" / "workbench" / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                names = {alias.name for alias in getattr(node, "names", ()) or ()
                         if isinstance(alias, ast.alias)}  # fmt: skip
                assert not {"true_probability", "truth", "workbench.data.brokerage.truth"} & names
                assert getattr(node, "module", "") != "workbench.data.brokerage.truth", path


@pytest.mark.parametrize(
    ("n_leads", "seed", "digest"),
    [
        (500, 0, "82fd56e2ad27f183f7b84dfae4c2ec519b6d67ce5ed7874e5bdd37b9239d1525"),
        (300, 8, "176c2bc91816dbd920c7edfb68f0bcd1cd4b7e512c90f41d744040dba67a3ff7"),
    ],
)
def test_version_1_never_changes(n_leads: int, seed: int, digest: str) -> None:
    sample = generate(n_leads, random_state=seed)
    parts = {name: sample.leads[name] for name in sample.leads}
    parts["truth"] = sample.true_probability
    assert content_digest({"name": "brokerage"}, parts) == digest


def test_nobody_knows_the_truth_of_real_data(
    csv_text: str, put: object, settings: Settings
) -> None:
    assert callable(put)
    put(csv_text.encode())
    with pytest.raises(DataError, match=r"nobody knows the true probabilities of 'mine'"):
        true_probability(Catalogue(settings).load("mine"))
