import pytest

from workbench.privacy import PrivacyGate
from workbench.privacy.compliance import FLAGS, compliance_flags

GATE = PrivacyGate(bytes(32))


@pytest.mark.parametrize(
    ("text", "flag"),
    [
        ("A mostly white neighborhood.", "fair_housing_race"),
        ("English speakers only, please", "fair_housing_race"),
        ("Close to a Christian community", "fair_housing_religion"),
        ("Adults only.", "fair_housing_family"),
        ("No children, no pets", "fair_housing_family"),
        ("Sin niños", "fair_housing_family"),
        ("Male only building", "fair_housing_sex"),
        ("Not suitable for wheelchairs", "fair_housing_disability"),
        ("People like you would fit in better there", "fair_housing_steering"),
        ("Call 212-555-0134", "leaked_identifier"),
        ("SSN 123-45-6789", "leaked_identifier"),
    ],
)
def test_what_must_not_be_said_is_flagged(text: str, flag: str) -> None:
    assert compliance_flags(text, GATE) == (flag,)
    assert flag in FLAGS


@pytest.mark.parametrize(
    "text",
    [
        "White kitchen, black granite, a family room and a master bedroom.",
        "Walk to the synagogue and to the Christian Street market.",
        "Children's play area; families with no pets pay less.",
        "Single family home, men's shelter donation box outside",
        "A single buyer, an adult dog and wheelchair access",
        '{"probability": 0.35, "evidence": ["Budget: $550,000"], "abstain": false}',
        "",
    ],
)
def test_what_may_be_said_is_not(text: str) -> None:
    assert compliance_flags(text, GATE) == ()


def test_a_refusal_is_flagged_and_no_answer_is_not() -> None:
    assert compliance_flags(None, GATE, stop_reason="refusal") == ("refused",)
    assert compliance_flags(None, GATE) == ()
