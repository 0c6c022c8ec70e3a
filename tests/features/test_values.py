"""Numbers, money, counts and dates as people write them."""

from datetime import date
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.data.conversations.amounts import money
from workbench.data.conversations.sheets import LANGUAGES
from workbench.features.numerals import find_numerals
from workbench.features.values import date_in, find_values, months_in, normal_text, number_in

TODAY = date(2026, 1, 15)


@pytest.mark.parametrize(
    ("text", "value", "unit"),
    [
        ("$450k", 450_000, "money"), ("450 K tops", 450_000, "money"),
        ("1.2 million", 1_200_000, "money"), ("half a million", 500_000, "money"),
        ("a million and a half", 1_500_000, "money"), ("450.000 €", 450_000, "money"),
        ("450 000 €", 450_000, "money"), ("R$ 1,5 milhão", 1_500_000, "money"),
        ("un demi-million d'euros", 500_000, "money"), ("medio millón", 500_000, "money"),
        ("cuatrocientos cincuenta mil dólares", 450_000, "money"),
        ("quatre cent cinquante mille", 450_000, "money"), ("45万美元", 450_000, "money"),
        ("四十五万", 450_000, "money"), ("45 लाख", 4_500_000, "money"),
        ("डेढ़ करोड़", 15_000_000, "money"), ("1,20,000 रुपये", 120_000, "money"),
        ("three bedrooms", 3, "bedrooms"), ("3br", 3, "bedrooms"), ("3-bed", 3, "bedrooms"),
        ("tres habitaciones", 3, "bedrooms"), ("deux chambres", 2, "bedrooms"),
        ("dois quartos", 2, "bedrooms"), ("两个卧室", 2, "bedrooms"), ("तीन बेडरूम", 3, "bedrooms"),
        ("2.5 baths", 2.5, "bathrooms"), ("2 salles de bain", 2, "bathrooms"),
        ("1,800 sq ft", 1800, "sqft"), ("120 m²", 120, "sqm"), ("20% down", 20, "percent"),
        ("twenty-five percent", 25, "percent"), ("in six months", 6, "months"),
        ("dentro de un mes", 1, "months"), ("半年内,大概3个月", 3, "months"),
        ("four hundred and fifty thousand", 450_000, "money"), ("७ दिन", 7, "days"),
    ],
)  # fmt: skip
def test_one_value_is_read(text: str, value: float, unit: str) -> None:
    (found,) = find_values(text)
    assert found.value == pytest.approx(value)
    assert (found.unit, found.high) == (unit, None)


@pytest.mark.parametrize(
    ("text", "low", "high", "unit"),
    [
        ("2-3 beds", 2, 3, "bedrooms"), ("two or three bedrooms", 2, 3, "bedrooms"),
        ("$400-450k", 400_000, 450_000, "money"), ("1.2 to 1.5 million", 1.2e6, 1.5e6, "money"),
        ("between $350,000 and $400,000", 350_000, 400_000, "money"),
        ("entre 400.000 y 450.000 euros", 400_000, 450_000, "money"),
        ("30到45万", 300_000, 450_000, "money"), ("3 à 4 mois", 3, 4, "months"),
    ],
)  # fmt: skip
def test_a_range_has_two_ends(text: str, low: float, high: float, unit: str) -> None:
    (found,) = find_values(text)
    assert [found.value, found.high] == pytest.approx([low, high])
    assert found.unit == unit


@pytest.mark.parametrize(
    "text",
    [
        "I once had a dog",
        "une piscine et un jardin",
        "a pool and a yard",
        "o quarto dos fundos",
        "",
    ],
)
def test_articles_are_no_numbers(text: str) -> None:
    assert find_values(text) == []


@given(
    thousands=st.integers(80, 4999), seed=st.integers(0, 200), language=st.sampled_from(LANGUAGES)
)
def test_money_comes_back_however_it_is_written(thousands: int, seed: int, language: str) -> None:
    written = money(thousands * 1000, language, Random(seed))
    assert number_in(f"({written})", "money") == pytest.approx(thousands * 1000)
    (value,) = find_values(written)
    assert value.value == pytest.approx(thousands * 1000)


@given(st.text(max_size=60))
def test_spans_lie_in_the_text_and_do_not_overlap(text: str) -> None:
    at = 0
    for numeral in find_numerals(text):
        assert at <= numeral.start < numeral.end <= len(text)
        at = numeral.end
    at = 0
    for value in find_values(text):
        assert at <= value.start < value.end <= len(text)
        at = value.end
    date_in(text, TODAY)
    months_in(text, TODAY)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("by the end of March", "2026-03-31"), ("in may", "2026-05-01"),
        ("31 de enero", "2026-01-31"),
        ("le 5 juin", "2026-06-05"), ("Dec 24, 2027", "2027-12-24"), ("2026-03-09", "2026-03-09"),
        ("31/03/2026", "2026-03-31"), ("3月底", "2026-03-31"), ("3月5日", "2026-03-05"),
        ("मार्च में", "2026-03-01"), ("January 5", "2027-01-05"), ("fim de maio", "2026-05-31"),
        ("our lease is up in June", "2026-06-01"), ("the 4th of July", "2026-07-04"),
    ],
)  # fmt: skip
def test_a_date_is_read(text: str, day: str) -> None:
    named = date_in(text, TODAY)
    assert named is not None
    assert named.isoformat() == day


@pytest.mark.parametrize("text", ["we may come by", "they march on", "no date here", "31/02/2026"])
def test_what_is_no_date_is_none(text: str) -> None:
    assert date_in(text, TODAY) is None


def test_months_ahead_and_bare_numbers() -> None:
    assert months_in("by the end of March", TODAY) == 2
    assert months_in("a year from now", TODAY) == 12
    assert months_in("half a year", TODAY) == 6
    assert months_in("two weeks", TODAY) == pytest.approx(0.46)
    assert months_in("soon", TODAY) is None
    assert number_in("2 baths, three bedrooms", "bedrooms") == 3
    assert number_in("2 baths", "bedrooms") is None
    assert normal_text("The Mill-Street") == normal_text("mill street")
