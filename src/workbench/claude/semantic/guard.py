"""The guard: two questions that differ in a word that decides the answer are two questions.

Sentence embeddings put "3 bedrooms" beside "4 bedrooms", and "buy before we sell" beside its
reverse. The guard reads numbers (also spelled), negation, direction, units and names off a
text, in their order, and only questions with the same sequence may share an answer, however
alike their vectors are. It errs on the side of asking: a paraphrase that moves such a word is
taken for another question. What its word lists do not hold it cannot see, above all names in
small letters and the opposites of rare words.
"""

import re
import unicodedata
from collections.abc import Iterator
from typing import NamedTuple

from workbench.claude.semantic.guard_words import (
    CONCEPTS,
    FUNCTION_WORDS,
    MULTIPLIERS,
    NAMES,
    NUMBERS,
    PARTICLES,
    PHRASAL,
    PLACE_NOUNS,
    SCRIPTS,
    UNSPACED,
)

__all__ = ["GUARD_VERSION", "guard_tokens"]

GUARD_VERSION = "guard-1"
"""Changes whenever the tokens of any text could; part of what stored questions are filed under."""

_PIECE = re.compile(
    r"(?P<number>\d+(?:[.,]\d+)*)(?P<suffix>[^\W\d_]*)"
    r"|(?P<script>[\u4e00-\u9fff]+)"
    r"|(?P<word>[^\W\d_](?:[^\W_]|[\u0900-\u0963]|['’.-](?=[^\W_]))*)"
    r"|(?P<mark>[%€£¥₹])|(?P<end>[.!?\n]+)"
)
_MARKS = {"%": "percent", "€": "euro", "£": "pound", "¥": "yuan", "₹": "rupee"}
_ORDINAL = {"st", "nd", "rd", "th"}
_NO_NUMBER_ONE = {"this", "that", "the", "which", "any", "no", "another", "each", "every", "some"}
_MONTH_LEADS = {"in", "by", "next", "last", "this", "of", "for", "until", "since", "from", "to",
                "early", "late", "mid", "before", "after"}  # fmt: skip
_CONTRACTED = {"m", "ve", "re", "d", "ll", "s", ""}
_HALF_DAYS = {"am", "pm"}
_BY_CONTEXT = {"am", "pm", "may", "march", "left", "right"}
_SIDE_LEADS = {"the", "on", "turn", "to", "far", "upper", "lower", "hand"}
_REVERSED = re.compile(r"un(?!der|ite|iqu)[a-z]{3,}(?:ed|able)|(?:non|dis)[a-z]{4,}(?:ed|able)")
_MANY_CAPITALS = 0.6


class _Piece(NamedTuple):
    kind: str
    text: str
    starts: bool  # begins a sentence
    value: float = 0.0


_NOTHING = _Piece("nothing", "", False)


def guard_tokens(text: str) -> tuple[str, ...]:
    """Read what decides the answer off a text.

    Parameters
    ----------
    text
        Any text.

    Returns
    -------
    tuple of str
        Numbers as digits, other words as the concept they stand for, names in small letters;
        in the order of the text.

    Examples
    --------
    >>> guard_tokens("Three bedrooms in Austin under $450k, not before May")
    ('3', 'bedroom', 'austin', 'down', '450000', 'not', 'before', 'may')
    >>> guard_tokens("a 3 bedroom home") == guard_tokens("a home with three bedrooms")
    True
    """
    pieces = list(_pieces(unicodedata.normalize("NFKC", text)))
    words = [p.text for p in pieces if p.kind == "word"]
    # Headlines and shouting: capitals say nothing, so every word counts as a name.
    capitals = sum(word[0].isupper() for word in words)
    shouted = len(words) > 3 and capitals > _MANY_CAPITALS * len(words)
    tokens: list[str] = []
    index = 0
    while index < len(pieces):
        piece = pieces[index]
        if _is_number(pieces, index):
            value, index = _number(pieces, index)
            tokens.append(f"{value:.12g}")
            continue
        tokens += _word(pieces, index, shouted=shouted) if piece.kind == "word" else ()
        if piece.kind in {"concept", "id"}:
            tokens.append(piece.text)
        index += 1
    return tuple(tokens)


def _pieces(text: str) -> Iterator[_Piece]:
    starts = True
    for match in _PIECE.finditer(text):
        if match["end"]:
            starts = True
            continue
        if match["number"]:
            yield from _digits(match["number"], match["suffix"].lower())
        elif match["script"]:
            for found in SCRIPTS.finditer(match["script"]):
                yield _Piece("concept", UNSPACED.get(found.group(), found.group()), False)
        elif match["mark"]:
            yield _Piece("concept", _MARKS[match["mark"]], False)
        else:
            # "pre-approved" and "4-bedroom" are two words; "isn't" and "Sarah's" are one.
            for part in match["word"].replace("’", "'").split("-"):
                if part:
                    yield _Piece("word", part.strip("."), starts)
                    starts = False
        starts = False


def _digits(number: str, suffix: str) -> Iterator[_Piece]:
    known = any(suffix in words for words in (MULTIPLIERS, CONCEPTS, _ORDINAL, _HALF_DAYS))
    if suffix and not known:
        yield _Piece("id", number + suffix, False)  # a flat, a lot, a code
        return
    yield _Piece("number", number, False, _value(number))
    if suffix in _HALF_DAYS:
        yield _Piece("concept", suffix, False)
    elif suffix and suffix not in _ORDINAL:
        yield _Piece("word", suffix, False)


def _value(number: str) -> float:
    """Value of digits: groups of three behind a separator are thousands."""
    parts = re.split(r"[.,]", number)
    if len(parts) == 1:
        return float(number)
    grouped = all(len(part) == 3 for part in parts[1:]) and len(parts[0]) <= 3
    if grouped and parts[0] != "0":
        return float("".join(parts))
    if len(parts[-1]) == 3 and len(parts) > 2:
        return float("".join(parts))
    return float("".join(parts[:-1]) + "." + parts[-1])


def _is_number(pieces: list[_Piece], index: int) -> bool:
    piece = pieces[index]
    if piece.kind == "number":
        return True
    word = piece.text.lower()
    if piece.kind != "word" or word not in NUMBERS:
        return False
    before = pieces[index - 1].text.lower() if index else ""
    return not (word == "one" and before in _NO_NUMBER_ONE)


def _number(pieces: list[_Piece], index: int) -> tuple[float, int]:
    """Value of a run of digits and number words, and where it ends."""
    total = current = 0.0
    last = float("inf")
    while index < len(pieces):
        word = pieces[index].text.lower()
        if pieces[index].kind == "number" or word in NUMBERS:
            value = pieces[index].value if pieces[index].kind == "number" else NUMBERS[word]
            if last < 20 or value >= last or (value != int(value) and current):
                break  # "two three" is two numbers
            current, last = current + value, value
        elif pieces[index].kind == "word" and word in MULTIPLIERS:
            factor = MULTIPLIERS[word]
            current, last = (current or 1) * factor, factor
            if factor >= 1e3:
                total, current = total + current, 0.0
        else:
            break
        index += 1
    return total + current, index


def _word(pieces: list[_Piece], index: int, *, shouted: bool) -> Iterator[str]:
    piece = pieces[index]
    raw = piece.text.removesuffix("'s")
    word = raw.lower()
    if "'" in word and word not in CONCEPTS and not word.endswith("n't"):
        if word.startswith("n'"):  # French
            yield "not"
        head, _, tail = word.partition("'")
        word = head if tail in _CONTRACTED else tail
    before = pieces[index - 1] if index else _NOTHING
    after = pieces[index + 1] if index + 1 < len(pieces) else _NOTHING
    if word.endswith("n't"):
        yield "not"
    elif word in CONCEPTS:
        lead = before.text.lower()
        # "How old" asks, and says nothing of old or new, and "find out" nothing of outside.
        if lead != "how" and not (word in PARTICLES and lead in PHRASAL):
            yield CONCEPTS[word]
    elif word in MULTIPLIERS and len(word) > 2:
        yield f"{MULTIPLIERS[word]:.12g}"
    elif word in _BY_CONTEXT:
        if _counts(piece, before):
            yield word
    elif _REVERSED.fullmatch(word):
        yield from ("not", word)
    elif _is_name(piece, word, after, shouted=shouted):
        if before.text.lower() in {"from", "to"}:
            yield before.text.lower()
        yield word


def _counts(piece: _Piece, before: _Piece) -> bool:
    """Whether a word of two meanings has the one that counts."""
    word, lead = piece.text.lower(), before.text.lower()
    if word in _HALF_DAYS:
        return before.kind == "number"
    if word in {"left", "right"}:
        return lead in _SIDE_LEADS
    return lead in _MONTH_LEADS or (piece.text[0].isupper() and not piece.starts)


def _is_name(piece: _Piece, word: str, after: _Piece, *, shouted: bool) -> bool:
    capital = piece.text[0].isupper()
    if word in NAMES:
        return True
    if word in FUNCTION_WORDS:
        return False
    followed = after.text.lower() if after.kind == "word" else ""
    if shouted or followed in PLACE_NOUNS:
        return True
    if piece.starts:
        # A sentence begins with a capital anyway: a name when the next word has one too.
        return capital and after.text[:1].isupper() and followed not in FUNCTION_WORDS | {""}
    return capital
