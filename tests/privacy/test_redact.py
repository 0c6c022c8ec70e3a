import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.privacy import redact


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("mail jo.doe+home@mail.example.com now", "mail [email] now"),
        ("JO@EXAMPLE.COM", "[email]"),
        ("jo (at) example.com", "[email]"),
        ("call 212-555-0134", "call [phone]"),
        ("call (212) 555-0134 today", "call [phone] today"),
        ("call +1 212 555 0134.", "call [phone]."),
        ("call +44 20 7946 0958", "call [phone]"),
        ("555-0134 after six", "[phone] after six"),
        ("ring 2125550134", "ring [phone]"),
        ("ssn 123-45-6789", "ssn [ssn]"),
        ("card 4111 1111 1111 1111 ok", "card [card] ok"),
    ],
)
def test_identifiers_are_taken_out(text: str, expected: str) -> None:
    assert redact(text).text == expected


@pytest.mark.parametrize(
    "text",
    [
        "budget $550,000 to $1,200,000",
        "3 bed, 2.5 bath, 1800-2200 sqft, built 1998-2005",
        "we sold for 450000 in 2024",
        "close by 12/31/2026 at 10:30",
        "lot 12-345",
        "$4500000",
        "",
    ],
)
def test_prices_years_and_sizes_stay(text: str) -> None:
    assert redact(text).text == text
    assert redact(text).counts == {}


def test_what_was_taken_out_is_counted() -> None:
    found = redact("a@example.com b@example.com 212-555-0134")
    assert found.counts == {"email": 2, "phone": 1}


@given(st.text(max_size=200))
def test_redacting_twice_changes_nothing_more(text: str) -> None:
    once = redact(text).text
    assert redact(once).text == once


@given(
    st.from_regex(r"[a-z]{1,8}@[a-z]{1,8}\.(com|org)", fullmatch=True),
    st.text(alphabet=" ,;:!?", min_size=1, max_size=3),
)
def test_no_address_survives_its_surroundings(address: str, around: str) -> None:
    assert address not in redact(f"x{around}{address}{around}y").text
