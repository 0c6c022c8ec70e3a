"""Wording: what guidance names is found where it stands; what it allows is not."""

import itertools

import pytest

from workbench.scorers import wording_findings

AVOID = [
    ("Perfect for families with a dog", "familial status"),
    ("Sorry, no children.", "familial status"),
    ("an adults-only building", "familial status"),
    ("a quiet Christian community", "religion"),
    ("close-knit Jewish neighborhood", "religion"),
    ("in an exclusive neighbourhood", "race or national origin"),
    ("English speakers only", "race or national origin"),
    ("You will love it, people like you live here", "race or national origin"),
    ("female preferred", "sex"),
    ("not suitable for wheelchairs", "disability"),
    ("No service dogs", "disability"),
    ("it is a safe area", "safety and steering"),
]
ALLOWED = [
    "Master bedroom, walk-in closet, mother-in-law suite and a large family room",
    "No smoking, no drugs, quiet street, near the cathedral and two parks",
    "Four-bedroom single-family home, great for entertaining",
    "Wheelchair ramp; handicapped parking; senior housing under HOPA",
    "The exclusive listing agreement ends in May",
    "Walking distance to shops, great view, credit check required",
]


@pytest.mark.parametrize(("text", "characteristic"), AVOID)
def test_phrases_to_avoid_are_found_where_they_stand(text: str, characteristic: str) -> None:
    (found,) = wording_findings(text)
    assert found.characteristic == characteristic and found.reason
    assert text[found.start : found.end] == found.text


@pytest.mark.parametrize("text", ALLOWED)
def test_what_guidance_allows_is_not_found(text: str) -> None:
    assert wording_findings(text) == ()


def test_several_phrases_do_not_overlap() -> None:
    text = "Ideal for young families! Ideal for young families in a Catholic community."
    found = wording_findings(text)
    assert [f.start for f in found] == [0, 26, 56]
    assert all(a.end <= b.start for a, b in itertools.pairwise(found))
