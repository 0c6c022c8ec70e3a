"""E-mail addresses, also when somebody hid them from robots."""

import re
from collections.abc import Iterator

from workbench.privacy.view import MASK, Span, View, cue_words

__all__ = ["Mail"]

# Vowel signs are no letters to `\\w`.
_W = r"[\w\u0900-\u0dff-]"
_LOCAL = re.compile(r"""(?:[\w.+%'!#$&*/=?^{|}~-]{1,64}|"[^"\n]{1,64}")\s{0,2}$""")
# Letter by letter, with a space between any two.
_SPACED_LOCAL = re.compile(r"(?<![\w.])[\w.+-](?: [\w.+-]){2,63} $")
_SPACED_DOMAIN = re.compile(r"(?: [\w.-](?!\w)){4,64}")
_DOT = r"(?:\.|[\W_]{1,3}(?:dot|punto|ponto|point)[\W_]{1,3}|\s?[(\[{]\.[)\]}]\s?)"
_ENDINGS = "com|org|net|edu|gov|io|co|us|uk|ca|mx|es|fr|pt|br|in|cn|de|info|biz|me|app|dev|ai"
_DOMAIN = re.compile(
    rf"@?\s{{0,2}}{_W}{{1,63}}(?:(?:(?:\.|\s\.\s?){_W}{{2,63}}){{1,6}}(?!{_W})"
    rf"|(?:[.,][\w-]{{2,63}}){{0,4}},(?:{_ENDINGS})(?![A-Za-z0-9]))",
    re.IGNORECASE,
)
_BEFORE_LOCAL = re.compile("&lt;|=|/")
_AT = re.compile(
    r"(?:[\W_]{1,3}(?:at|arroba|arobase)[\W_]{1,3}|[(\[]a[)\]]|%40|&(?:amp;)?#(?:64|x40);)",
    re.IGNORECASE,
)
_SPELT_LOCAL = re.compile(r"(?<![\w.])[^\W_][\w.+-]{0,63}$")
_SPELT_HOST = re.compile(
    rf"[^\W_][\w-]{{0,62}}?(?:{_DOT}[^\W_]{{1,62}}?){{0,4}}?{_DOT}(?:{_ENDINGS})(?![A-Za-z0-9-]|{_DOT}\w)",
    re.IGNORECASE,
)
_SPELT_DOT = re.compile(r"[\W_]{1,3}(?:dot|punto|ponto|point)[\W_]{1,3}|\s?[(\[{]\.[)\]}]\s?", re.I)
_AT_WORDS = cue_words("at arroba arobase 64 x40")
# Endings that are everyday words say nothing about a text.
_HOST_WORDS = cue_words("dot punto ponto point " + _ENDINGS.replace("|", " ")) - cue_words(
    "in me us"
)


class Mail:
    """Finds e-mail addresses, plain or spelled out."""

    kinds = ("email",)
    cues = _AT_WORDS | _HOST_WORDS

    def find(self, view: View) -> Iterator[Span]:
        """Find them.

        Parameters
        ----------
        view
            The text.
        """
        text = view.text
        at = text.find("@")
        while at >= 0:
            yield from _around(text, at)
            at = text.find("@", at + 1)
        for sign in ("%40", "(a)", "[a]"):
            if sign[0] in text and sign in text:  # one character is found much faster
                yield from _spelt(text, sign)
        if view.chinese or not _HOST_WORDS.isdisjoint(view.cues):
            for word in _AT_WORDS & view.cues:
                yield from _spelt(text, word.decode(), view.lower)


def _around(text: str, at: int) -> Iterator[Span]:
    before = text[max(0, at - 130) : at]
    spaced, spaced_domain = _SPACED_LOCAL.search(before), _SPACED_DOMAIN.match(text, at + 1)
    if spaced and spaced_domain:
        address = f"{spaced.group()}@{spaced_domain.group()}".replace(" ", "").lower()
        yield Span(at - len(spaced.group()), spaced_domain.end(), "email", address)
        return
    end = at + 1
    if before[-1:] in ("(", "[", "{", "<") and text[end : end + 1] in (")", "]", "}", ">"):
        at, before, end = at - 1, before[:-1], end + 1
    while text[end : end + 1] == " " and end < at + 3:
        end += 1
    domain = _SPELT_HOST.match(text, end) or _DOMAIN.match(text, end)
    local = _LOCAL.search(before)
    if domain is None or local is None:
        return
    # Angle brackets of a prompt are escaped: what stands before the address is no part of it.
    name = _BEFORE_LOCAL.split(local.group())[-1]
    start = at - len(name)
    name = name.strip()
    if not name or MASK in name:
        return
    host = re.sub(r"\s", "", _SPELT_DOT.sub(".", domain.group())).removeprefix("@")
    yield Span(start, domain.end(), "email", f"{name}@{host}".lower())


def _spelt(text: str, word: str, lower: str = "") -> Iterator[Span]:
    """Addresses around a word, such as “ann (at) example dot com”."""
    searched = lower or text
    at = searched.find(word)
    while at >= 0:
        end = at + len(word)
        if not word.isalpha() or not text[end : end + 1].isalpha():
            # What is spelled starts up to six characters before the word: "&amp;#64;".
            mark = next((m for back in range(6, -1, -1) if (m := _AT.match(text, at - back))), None)
            if mark is not None and mark.start() <= at < mark.end():
                yield from _address(text, mark)
        at = searched.find(word, end)


def _address(text: str, mark: re.Match[str]) -> Iterator[Span]:
    host = _SPELT_HOST.match(text, mark.end())
    local = _SPELT_LOCAL.search(text, max(0, mark.start() - 64), mark.start()) if host else None
    if host is None or local is None:
        return
    hidden = _SPELT_DOT.search(host.group()) or re.search(r"[^\s\w]|_", mark.group())
    # "Look at example.com" is no address; "ann.lee7 at example.com" is.
    if hidden or re.search(r"[\d._+-]", local.group()):
        plain = _SPELT_DOT.sub(".", host.group())
        yield Span(local.start(), host.end(), "email", f"{local.group()}@{plain}".lower())
