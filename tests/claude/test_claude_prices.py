from datetime import date

import pytest

from workbench.claude import PRICES, Band, Price, PriceTable, Usage
from workbench.errors import PriceError

TODAY = date(2026, 11, 20)


def test_the_band_is_chosen_by_the_whole_prompt_of_one_request() -> None:
    at_limit = Usage(input_tokens=1, cache_read_input_tokens=99_999)
    above = Usage(input_tokens=2, cache_read_input_tokens=99_999)
    cheap = (1 * 0.10 + 99_999 * 0.01) / 1e6
    dear = (2 * 0.50 + 99_999 * 0.05) / 1e6
    assert PRICES.cost_usd("claude-haiku-5-5", at_limit, TODAY) == pytest.approx(cheap, rel=1e-12)
    assert PRICES.cost_usd("claude-haiku-5-5", above, TODAY) == pytest.approx(dear, rel=1e-12)


def test_each_class_of_token_has_its_price() -> None:
    million = 1_000_000
    usage = Usage(million, million, million, million)
    # Sonnet 5.5: 2 in, 10 out, 0.10 read, 2.50 write.
    assert PRICES.cost_usd("claude-sonnet-5-5", usage, TODAY) == pytest.approx(14.6)


def test_thinking_is_inside_output_and_billed_once() -> None:
    plain, thinking = Usage(10, 100), Usage(10, 100, thinking_tokens=90)
    costs = {PRICES.cost_usd("claude-opus-5-5", usage, TODAY) for usage in (plain, thinking)}
    assert len(costs) == 1


@pytest.mark.parametrize(
    ("day", "usd"),
    [(date(2026, 10, 6), 0.20), (date(2026, 10, 7), 0.10), (TODAY, 0.10)],
)
def test_a_price_holds_from_its_day_on(day: date, usd: float) -> None:
    usage = Usage(cache_read_input_tokens=1_000_000)
    assert PRICES.cost_usd("claude-sonnet-5-5", usage, day) == pytest.approx(usd)


def test_dated_ids_are_the_model() -> None:
    dated = PRICES.price("claude-haiku-4-5-20251001", TODAY)
    assert dated == PRICES.price("claude-haiku-4-5", TODAY)


def test_an_unknown_model_is_an_error_that_names_the_nearest() -> None:
    with pytest.raises(PriceError, match=r"'claude-haiku-55'.*nearest is 'claude-haiku-5-5'"):
        PRICES.price("claude-haiku-55", TODAY)


def test_an_unconfirmed_price_is_no_price() -> None:
    with pytest.raises(PriceError, match="claude-fable-5-2"):
        PRICES.price("claude-fable-5-2", TODAY)
    assert not PRICES.knows("claude-fable-5-2")


def test_a_day_before_the_first_entry_is_an_error() -> None:
    with pytest.raises(PriceError, match=r"no price on 2020-01-01.*or later"):
        PRICES.price("claude-opus-5-5", date(2020, 1, 1))


def test_own_prices_make_another_table() -> None:
    own = Price("my-model", date(2026, 1, 1), (Band(1.0, 2.0, 0.0, 0.0, 0.0),), "contract")
    table = PRICES.with_price(own)
    assert table.cost_usd("my-model", Usage(1_000_000, 0), TODAY) == pytest.approx(1.0)
    assert table.id != PRICES.id
    assert not PRICES.knows("my-model")


def test_every_entry_ends_in_an_open_band_and_dearer_output() -> None:
    assert isinstance(PRICES, PriceTable)
    for price in PRICES.prices:
        assert price.bands[-1].up_to_input_tokens is None
        assert price.source
        for band in price.bands:
            assert 0 < band.cache_read < band.input < band.cache_write_5m < band.output
