"""Corpora of conversations: what is said agrees with what is labelled, and parts keep apart."""

import numpy as np
import pytest

from workbench.data import Corpus
from workbench.data.conversations import CONVERSATIONS, evidence_of, make_corpus
from workbench.data.conversations.bank import read_bank
from workbench.data.conversations.qualification import completeness_of
from workbench.data.conversations.sheets import AREAS, CRITICAL, QUESTIONS
from workbench.data.conversations.truth import true_labels, true_sheets
from workbench.errors import DataError

NAMES = tuple(CONVERSATIONS)


@pytest.fixture(scope="module")
def corpora() -> dict[str, Corpus]:
    return {name: make_corpus(name, 600, random_state=5) for name in NAMES}


@pytest.mark.parametrize("name", NAMES)
def test_a_seed_makes_one_corpus_whose_first_rows_do_not_depend_on_its_size(
    name: str, corpora: dict[str, Corpus]
) -> None:
    whole = corpora[name]
    again = make_corpus(name, 120, random_state=5)
    assert again.digest == whole.take(range(120)).digest
    assert make_corpus(name, 120, random_state=6).digest != again.digest


@pytest.mark.parametrize("name", NAMES)
def test_labels_are_of_the_values_asked(name: str, corpora: dict[str, Corpus]) -> None:
    corpus = corpora[name]
    for asked in corpus.fields:
        for value in corpus.y[asked.name]:
            if value is None or asked.kind in ("number", "slots", "text"):
                continue
            told = {value} if asked.kind in ("label", "level") else set(value)
            assert told <= set(asked.values)
    assert set(corpus.X.columns) <= set(corpus.meanings)
    assert corpus.X["text"].str.len().gt(0).all()


@pytest.mark.parametrize("name", NAMES)
def test_parts_have_their_shares_and_no_braces_are_left(
    name: str, corpora: dict[str, Corpus]
) -> None:
    corpus = corpora[name]
    shares = corpus.part.value_counts(normalize=True)
    assert shares["train"] == pytest.approx(0.6, abs=0.07)
    assert shares["test"] == pytest.approx(0.25, abs=0.07)
    plain = corpus.X["text"].str.replace("{{7*7}} ${7*7} %s %n", "", regex=False)
    plain = plain[~plain.str.contains("probability")]
    assert not plain.str.contains(r"[{}\[\]|]").any()


def test_phrases_held_out_never_occur_in_the_training_part(corpora: dict[str, Corpus]) -> None:
    held = {
        line
        for values in read_bank("intents")["english"].values()
        for phrases in values.values()
        for line in phrases.held
        if "{" not in line and "[" not in line
    }
    texts = corpora["lead_intents"].X["text"].str.lower()
    part = corpora["lead_intents"].part

    def share(name: str) -> float:
        found = texts[part == name].map(lambda text: any(line.lower() in text for line in held))
        return float(found.mean())

    assert share("train") == 0
    assert share("test") > 0.1
    slices = corpora["lead_intents"].slices
    assert slices is not None
    assert (slices["phrasing"][part == "train"] == "seen").all()


def test_labels_err_in_training_and_not_in_the_test_part(corpora: dict[str, Corpus]) -> None:
    for name, corpus in corpora.items():
        right = true_labels(corpus)
        for asked in corpus.fields:
            wrong = np.array([
                a != b for a, b in zip(right[asked.name], corpus.y[asked.name], strict=True)
            ])  # fmt: skip
            assert not wrong[(corpus.part == "test").to_numpy()].any()
            assert wrong.mean() < 0.06
            if asked.kind == "label" and name == "lead_intents":
                assert wrong.mean() > 0.005


def test_evidence_says_the_value(corpora: dict[str, Corpus]) -> None:
    corpus = corpora["lead_preferences"]
    for text, slots, found in zip(
        corpus.X["text"], corpus.y["preferences"], evidence_of(corpus), strict=True
    ):
        assert set(found) == set(slots)
        assert all(0 <= a < b <= len(text) for spans in found.values() for a, b in spans)
        if "location" in slots:
            said = [text[a:b].lower() for a, b in found["location"]]
            assert set(said) == {slots["location"].lower()}
        for topic in ("features", "lifestyle", "deal_breakers"):
            assert len(found.get(topic, ())) == len(slots.get(topic, ()))


def test_completeness_is_the_weighted_share(corpora: dict[str, Corpus]) -> None:
    assert sum(weight for weight, _ in AREAS.values()) == 100
    assert len(QUESTIONS) == 16
    assert completeness_of(QUESTIONS) == pytest.approx(100)
    y = true_labels(corpora["qualification_sheets"])
    for answered, score, missing, ranked in y.to_numpy():
        assert score == pytest.approx(completeness_of(answered))
        assert set(missing) == set(CRITICAL) - set(answered)
        assert all(ranked[slug] == 0 for slug in answered)
        assert set(ranked) == set(QUESTIONS)


def test_the_cause_is_told_by_the_numbers_where_the_words_do_not(
    corpora: dict[str, Corpus],
) -> None:
    corpus = corpora["objections"]
    cause = true_sheets(corpus)["root_cause_unsaid"]
    dollars = corpus.X["asking_price"].str.replace(r"\D", "", regex=True).astype(int)
    similar = corpus.X["comparable_median"].str.replace(r"\D", "", regex=True).astype(int)
    ceiling = corpus.X["budget_range"].str.replace(r".* to |\D", "", regex=True).astype(int)
    beyond = dollars > ceiling
    assert beyond[cause == "budget_gap"].all()
    assert not beyond[cause != "budget_gap"].any()
    assert (similar > dollars)[cause == "bargaining_move"].all()
    unknown = corpus.y["root_cause"].isna() & cause.notna()
    assert 0.05 < unknown.mean() < 0.5
    assert corpus.y["strategy"].isna().eq(cause.isna()).all()


def test_what_is_no_corpus_is_refused() -> None:
    with pytest.raises(DataError, match="no conversations called 'chats'"):
        make_corpus("chats", 10)
    with pytest.raises(DataError, match="0 examples"):
        make_corpus("lead_intents", 0)
    corpus = make_corpus("lead_preferences", 3)
    corpus.X.index = corpus.X.index.str.replace("-0-", "-x-", n=1)
    for table in (corpus.y, corpus.part, corpus.groups, corpus.slices):
        assert table is not None
        table.index = corpus.X.index
    with pytest.raises(DataError, match="rows of a corpus made by make_corpus"):
        evidence_of(corpus)
