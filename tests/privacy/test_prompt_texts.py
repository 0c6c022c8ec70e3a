"""Texts that are too long are cut where no identifier can be cut in half."""

import pandas as pd
import pytest

from workbench.privacy import PrivacyGate
from workbench.prompts import lead_texts
from workbench.prompts.fields import MAX_FIELD_CHARS, MAX_TEXT_CHARS

GATE = PrivacyGate(bytes(32))
SECRETS = (
    "(212) 555-0134",
    "ann.lee7@example.com",
    "123-45-6789",
    "4111 1111 1111 1111",
    "212 555 0134",
)


def shortened(text: str, *, field: bool = False) -> str:
    frame = pd.DataFrame({"note": [text]})
    found = lead_texts(frame, {"note": "Note"}, text_columns=[] if field else ["note"])[0]
    return found.lead if field else found.message


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("offset", range(0, 24, 3))
def test_no_identifier_is_cut_in_half(secret: str, offset: int) -> None:
    words = "we like the house very much and would like to see it soon "
    filler = (words * 400)[: MAX_TEXT_CHARS - offset - 1]
    message = shortened(f"{filler} {secret} {words}")
    assert len(message) < MAX_TEXT_CHARS + 60
    assert "[shortened: " in message
    sealed = GATE.seal(message).text
    assert not any(secret[i : i + 5] in sealed for i in range(len(secret) - 4))


@pytest.mark.parametrize("secret", ["13812345678", "ann.lee7@example.com"])
@pytest.mark.parametrize("offset", range(0, 16, 3))
def test_texts_without_gaps_are_cut_between_identifiers(secret: str, offset: int) -> None:
    filler = ("我们很喜欢这个房子," * 2_000)[: MAX_TEXT_CHARS - offset]
    sealed = GATE.seal(shortened(f"{filler}{secret}我们")).text
    assert not any(secret[i : i + 5] in sealed for i in range(len(secret) - 4))


def test_a_text_of_one_endless_word_is_cut_all_the_same() -> None:
    assert len(shortened("x" * 50_000)) < MAX_TEXT_CHARS + 60
    assert len(shortened("1" * 50_000, field=True)) < MAX_FIELD_CHARS + 60


def test_short_texts_are_left_whole() -> None:
    text = "we like it " * 40
    assert shortened(text) == text
