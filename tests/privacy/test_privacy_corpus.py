"""Recall and over-redaction on planted documents; `python -m benchmarks privacy` reports them."""

from collections import Counter

import pytest
from benchmarks.privacy import recall
from benchmarks.privacy_corpus import KINDS, LANGUAGES, decoys, leaks, planted

from workbench.privacy import PrivacyGate

GATE = PrivacyGate(b"a key for measuring, 32 bytes....")


def test_the_corpus_is_large_varied_and_the_same_each_time() -> None:
    documents = list(planted(200, 20))
    assert len(documents) >= 1_500
    assert {d.language for d in documents} == set(LANGUAGES)
    assert len({d.form for d in documents}) > 200
    assert documents == list(planted(200, 20))
    assert all(leaks(d, d.text) for d in documents), "what is planted is found when nothing is done"
    assert not any(leaks(d, d.text.replace(d.value, "[x]")) for d in documents)


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_of_what_is_claimed_goes_through(kind: str) -> None:
    left = [
        (d.form, d.text, sealed)
        for d in planted(300, 20)
        if d.kind == kind and leaks(d, sealed := GATE.seal(d.text).text)
    ]
    assert left == []
    assert GATE.claims[kind].recall == 1.0


def test_the_claims_on_forms_nobody_thought_of_are_what_is_measured() -> None:
    for kind, (found, total) in recall(GATE, 150, "held_out").items():
        assert GATE.claims[kind].held_out_recall == pytest.approx(found / total, abs=0.0006), kind


def test_what_is_said_to_go_through_does() -> None:
    """A form that is found by now is to be claimed."""
    assert all(found == 0 for found, _ in recall(GATE, 60, "not_found").values())


def test_prices_dates_sizes_and_references_survive() -> None:
    changed = [(d, GATE.seal(d.text).text) for d in decoys(3_000, 20)]
    assert [(d.text, sealed) for d, sealed in changed if sealed != d.text] == []
    assert Counter(d.kind for d, _ in changed)["price"] > 500


def test_a_token_says_what_it_stands_for() -> None:
    for document in planted(100, 5):
        assert GATE.seal(document.text).counts, document
