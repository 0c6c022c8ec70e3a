"""The published corpora: cards agree with the files, parts and counts with the papers."""

from pathlib import Path

import pytest

from workbench.data import Catalogue
from workbench.data.corpora import corpus_card, corpus_names, load_corpus
from workbench.settings import Settings

SETTINGS = Settings.from_env()
SIZES = {
    "banking77": {"train": 10_003, "test": 3_080},
    "casino": {"train": 4_047, "validation": 76, "test": 492},
    "clinc150": {"train": 15_100, "validation": 3_100, "test": 5_500},
    "goemotions": {"train": 43_410, "validation": 5_426, "test": 5_427},
    "langid_lingua": {"test": 17_729},
    "nlupp_hotels": {"train": 911, "test": 98},
    "sgd_homes": {"train": 5_629, "test": 1_263},
    "umsab_sentiment": {"train": 9_195, "validation": 1_620, "test": 4_350},
}


def there(name: str) -> None:
    card = corpus_card(name, SETTINGS)
    folders = (SETTINGS.data_dir / name, SETTINGS.datasets / name / "downloads")
    if not any((folder / card.files[0].name).is_file() for folder in folders):
        pytest.skip(f"the files of {name} are not on this machine")


def test_every_published_corpus_has_a_card() -> None:
    assert set(SIZES) <= set(corpus_names(SETTINGS))
    for name in SIZES:
        card = corpus_card(name, SETTINGS)
        assert card.origin.kind == "real"
        assert card.origin.citation
        assert card.notes


def test_cards_of_corpora_are_no_data_sets() -> None:
    assert not set(SIZES) & set(Catalogue(SETTINGS).names())


@pytest.mark.parametrize("name", sorted(set(SIZES) - {"goemotions", "sgd_homes"}))
def test_official_parts(name: str) -> None:
    there(name)
    corpus = load_corpus(name, settings=SETTINGS)
    assert corpus.sizes == SIZES[name]
    for field in corpus.fields:
        if field.kind in ("label", "labels"):
            told = corpus.y[field.name].explode().dropna()
            assert set(told) == set(field.values)


def test_goemotions_keeps_quotes_and_several_labels() -> None:
    there("goemotions")
    corpus = load_corpus("goemotions", settings=SETTINGS)
    assert corpus.sizes == SIZES["goemotions"]
    assert corpus.y["emotions"].map(len).max() > 1
    assert corpus.X["text"].str.contains('"', regex=False).any()


def test_out_of_scope_is_the_catch_all() -> None:
    there("clinc150")
    corpus = load_corpus("clinc150", settings=SETTINGS)
    intent = corpus.asked("intent")
    assert intent.catch_all == "oos"
    assert len(set(intent.parents.values())) == 10
    assert (corpus.of("test").y["intent"] == "oos").sum() == 1_000


def test_hotel_details_are_normalised_and_mentions_stand_in_the_text() -> None:
    there("nlupp_hotels")
    corpus = load_corpus("nlupp_hotels", settings=SETTINGS)
    assert corpus.y["slots"].iloc[0] == {"date_from": "2022-03-16", "time_from": "18:35"}
    for text, mentions in zip(corpus.X["text"], corpus.y["mentions"], strict=True):
        assert all(words in text for words in mentions.values())


def test_homes_accumulate_what_was_agreed() -> None:
    there("sgd_homes")
    corpus = load_corpus("sgd_homes", settings=SETTINGS)
    assert corpus.sizes == SIZES["sgd_homes"]
    assert corpus.groups is not None
    first = corpus.groups == corpus.groups.iloc[0]
    lengths = corpus.y.loc[first, "slots"].map(len)
    assert lengths.is_monotonic_increasing
    assert corpus.X["text"].str.rpartition("\n")[2].str.startswith("lead: ").all()


def test_languages_are_balanced_slices() -> None:
    there("umsab_sentiment")
    corpus = load_corpus("umsab_sentiment", settings=SETTINGS)
    assert corpus.slices is not None
    assert corpus.slices["language"].value_counts().nunique() == 1


def test_no_data_is_committed() -> None:
    for name in SIZES:
        folder: Path = SETTINGS.datasets / name
        assert [p.name for p in folder.iterdir() if p.name != "downloads"] == ["corpus.yaml"]
