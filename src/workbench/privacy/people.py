"""Names that somebody introduces, and street addresses that have a number.

Without a trained model a name is found by what stands before it, never by itself.
"""

import re
import unicodedata
from collections.abc import Iterator
from typing import NamedTuple

from workbench.privacy.view import MASK, Span, View, cue_words, word_set

__all__ = ["Names", "known_names"]

_WORD = rf"[^\W\d_{MASK}](?:[^\W\d_]|['.-](?=[^\W\d_]))*\.?"
_WORDS = rf"(?P<name>{_WORD}(?:[ \t]{{1,2}}{_WORD}){{0,4}})"
_PARTICLES = word_set("de la las los del da do das dos di van von der le y e bin al el san")
# Words that follow a cue and are nobody's name.
_CONTRACTED = ("'s", "'m", "'re", "'t", "'ll", "'ve", "'d")
_NO_NAMES = word_set(
    """a about actually after again all already also always am an and anyone are as asap at away
    available back based best between broker busy buyer buyers buying by bye call calling cash
    client close closing coming confirmed correct curious currently dear do done email everyone
    excited family fine first flexible folks for free friday friend from glad going good great
    guys happy have having he hello here hey home hoping hot how i if in interested is it jan just
    keen lead leads let like listing living located long looking lot madam maybe me monday more
    mostly moving mr mrs ms my name new next no not now of off ok okay on one only open or our out
    over owner please pre preapproved price qualified ready real really regarding relocating
    retired saturday see seller selling serious she should sir so some soon sorry speaking still
    sunday sure take talk tbd team thank thanks that the there they thinking this thursday to today
    tomorrow tonight too trying tuesday unknown unsure up urgent using very via waiting want was we
    wednesday what when where whether which who why will wishes with wondering working worried
    would write writing yes you your yours regards sincerely cheers
    atentamente cordialement atenciosamente saludos
    con de desde el en es la las lo los madrid mi muy no para por que quien su un una y comprador
    interesado interesada feliz nueva nuevo el gracias saludos
    au aux ce dans du et je le les mais nous prêt prête pour qui sur très un une à intéressé
    intéressée ravi merci
    ao as com da do dos em eu mas na no nos o os para pronto pronta que um uma é comprador muito
    obrigado obrigada"""
)
_STOP = (
    r"\s{0,2}(?:$|[,.;:!?)<&\n]|-|\b(?:and|from|calling|speaking|writing|again|here|y|et|e|de)\b)"
)
_CLOSED = r"\s{0,2}(?:$|[\n.!,;<&(])"


class _Cue(NamedTuple):
    """Something said before a name.

    Parameters
    ----------
    needle
        Its text, small letters; that is looked for first.
    word
        The word of it that must occur for looking to be worth while.
    before
        What must stand before it.
    between
        What may stand between it and the name.
    after
        What must follow the name.
    sure
        Whether the name may be in small letters, because nothing else is said like that.
    """

    needle: str
    word: bytes
    before: re.Pattern[str] | None
    between: re.Pattern[str]
    after: re.Pattern[str]
    sure: bool


def _cue(
    needle: str, *, word: str = "", before: str = "", between: str = "", after: str = "",
    sure: bool = False,
) -> _Cue:  # fmt: skip
    return _Cue(
        needle,
        (word or re.findall(r"\w+", needle)[0]).encode(),
        re.compile(f"{before}$", re.IGNORECASE) if before else None,
        re.compile(rf"{between}\s{{0,3}}{_WORDS}", re.IGNORECASE),
        re.compile(after, re.IGNORECASE),
        sure,
    )


_FIELD = (
    r"(?:^|\n|- )[\s\"'*-]{0,4}(?:(?:full|first|last|lead|client|contact|agent|buyer|seller)[ _])?"
)
_COLON = r"[\"']?\s?[:=][\s\"']{0,2}"
_CLOSINGS = (
    "thanks", "thank you", "regards", "best", "cheers", "sincerely", "signed", "truly", "saludos",
    "saludo", "gracias", "atentamente", "cordialement", "vous", "merci", "atenciosamente",
    "abraços", "abraço", "obrigado", "obrigada",
)  # fmt: skip
_TITLES = (
    "mr", "mrs", "ms", "mx", "prof", "sr", "sra", "srta", "mme", "mlle", "señor", "señora",
    "don", "doña", "madame", "monsieur", "senhor", "senhora",
)  # fmt: skip
_RELATIONS = (
    "husband", "wife", "partner", "son", "daughter", "mother", "mom", "father", "dad", "brother",
    "sister", "boss", "agent", "realtor", "broker", "lender", "boyfriend", "girlfriend", "fiancé",
    "fiancée", "fiance", "fiancee",
)  # fmt: skip
_INTRODUCTIONS = (
    _cue("name", before=r"\bmy (?:\w+'s )?(?:full |first |last )?", between=r"(?:'s| is)\b[:,]?",
         sure=True),
    _cue("name's", word="name", after=_STOP),
    _cue("call me", word="call", after=_STOP),
    _cue("go by", word="go", after=_STOP),
    _cue("on behalf of", word="behalf"),
    _cue("se llama", word="llama"),
    _cue("me nomme", word="nomme"),
    _cue("sou", between="(?: [oa](?= ))?", after=_STOP),
    *(_cue(word, before=_FIELD, between=_COLON, sure=True)
      for word in ("name", "nombre", "nom", "nome", "姓名", "नाम")),
    _cue("me llamo", word="llamo", between="[:,]?", sure=True),
    _cue("mi nombre es", word="nombre", between="[:,]?", sure=True),
    _cue("je m'appelle", word="appelle", sure=True),
    _cue("mon nom est", word="nom", sure=True),
    _cue("me chamo", word="chamo", sure=True),
    _cue("meu nome é", word="nome", sure=True),
    _cue("this is", after=_STOP),
    _cue("i'm", word="m", after=_STOP),
    _cue("i am", word="am", after=_STOP),
    _cue("soy", after=_STOP),
    _cue("je suis", word="suis", after=_STOP),
    _cue("it's", word="it", between=r"(?: me\b)?,?", after=r"\s(?:from|again|here|with|at)\b"),
    _cue("ask for", word="ask"),
    _cue("le habla", word="habla"),
    _cue("aqui é", word="aqui", between="(?: [oa](?= ))?"),
    *(_cue(word, after=r"\s{0,2}[,!\n]")
      for word in ("hi", "hello", "hey", "dear", "hola", "bonjour", "olá")),
    *(_cue(word, between=r"[,!.]?\s{1,3}-?", after=_CLOSED) for word in _CLOSINGS),
    *(_cue(word, between=r"\.?") for word in _TITLES),
    *(_cue(word, before=r"\bmy ", between=",?") for word in _RELATIONS),
)  # fmt: skip
_NAME_ONLY = re.compile(_WORDS)
_LAST_LINE = re.compile(rf"(?:\n\s?[-~]{{1,2}}\s?|[.!?]\s?\n\s?\n){_WORDS}\s{{0,2}}$")
_H = rf"[^\s,.!?;:।{MASK}]{{2,30}}"
_HINDI = re.compile(
    r"(?:मेरा नाम|श्रीमती|श्री|मैं(?=\s\S+(?:\s\S+)?\s(?:बोल|से बात)))\s+"
    rf"(?P<name>{_H}(?:\s{_H})?)"
    r"(?=\s+(?:है|जी|बोल|से|को|ने|का|की)|[,.।\n]|$)"
)
_SURNAMES = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈"
    "姚卢姜崔钟谭陆汪范金石廖贾夏韦付方白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤"
)
_CHINESE_NAME = rf"(?:欧阳|司马|上官|诸葛|[{_SURNAMES}])"
_CHINESE = (
    re.compile(rf"(?:我叫|我是|姓名[::]?|名字[是::]?|联系人[::]?)\s?(?P<name>{_CHINESE_NAME}[\u4e00-\u9fff]{{1,2}})(?![\u4e00-\u9fff])"),
    re.compile(rf"我姓(?P<name>{_CHINESE_NAME})"),
    re.compile(rf"(?P<name>{_CHINESE_NAME}[\u4e00-\u9fff]{{0,2}}?)(?:先生|女士|小姐|太太|经理)"),
)  # fmt: skip
_HINDI_CUES = cue_words("मेरा श्री श्रीमती मैं")
_AFTER = cue_words("here speaking family")
_BY_WORD = {
    word: tuple(cue for cue in _INTRODUCTIONS if cue.word == word)
    for word in {cue.word for cue in _INTRODUCTIONS}
}
_CUES = _HINDI_CUES | _BY_WORD.keys() | _AFTER


class Names:
    """Finds names after an introduction, a title, a greeting or a closing."""

    kinds = ("name",)
    cues = _CUES

    def find(self, view: View) -> Iterator[Span]:
        """Find them.

        Parameters
        ----------
        view
            The text.
        """
        text = view.text
        if view.chinese:
            for pattern in _CHINESE:
                for match in pattern.finditer(text):
                    yield _span(match.start("name"), match["name"])
        yield from _signatures(text)
        if _CUES.isdisjoint(view.cues):
            return
        if not _HINDI_CUES.isdisjoint(view.cues):
            for match in _HINDI.finditer(text):
                if match["name"] != "सूची में":
                    yield _span(match.start("name"), match["name"])
        for word in view.cues:
            for cue in _BY_WORD.get(word, ()):
                yield from _introduced(view, cue)
        for word in _AFTER & view.cues:
            yield from _named_before(view, f" {word.decode()}")


def _introduced(view: View, cue: _Cue) -> Iterator[Span]:
    text, needle = view.text, cue.needle
    at = view.lower.find(needle)
    while at >= 0:
        end = at + len(needle)
        whole = not (text[at - 1 : at].isalnum() or text[end : end + 1].isalnum())
        match = cue.between.match(text, end) if whole else None
        name = _trimmed(match["name"], small=cue.sure) if match else ""
        followed = match and name and cue.after.match(text, match.start("name") + len(name))
        if (
            match
            and followed
            and (cue.before is None or cue.before.search(text, max(0, at - 20), at))
        ):
            yield _span(match.start("name"), name)
        at = view.lower.find(needle, end)


def _named_before(view: View, word: str) -> Iterator[Span]:
    """“Ann Lee here” at the beginning of a sentence, and “the Lee family”."""
    text = view.text
    at = view.lower.find(word)
    while at >= 0:
        if text[text.rfind(" ", max(0, at - 30), at) + 1].isupper():
            yield from _sentence_start(view, at, word)
        at = view.lower.find(word, at + 1)


def _sentence_start(view: View, at: int, word: str) -> Iterator[Span]:
    text, first = view.text, max(0, at - 60)
    if word == " family":
        start = view.lower.rfind("the ", first, at) + 4
        if start < 4:
            return
    else:
        start = max(first, *(text.rfind(mark, first, at) + 1 for mark in ".!?,\n"))
    name = text[start:at].strip()
    if _NAME_ONLY.fullmatch(name) and _trimmed(name, small=False) == name:
        yield _span(text.index(name, start), name)


def _signatures(text: str) -> Iterator[Span]:
    """A name alone in the last line, of the text or before a closing tag."""
    ends = [len(text)] if "\n" in text else []
    at = text.find("</")
    while at >= 0:
        ends.append(at)
        at = text.find("</", at + 1)
    for end in ends:
        while end and text[end - 1].isspace():
            end -= 1
        line = text.rfind("\n", max(0, end - 60), end)
        match = _LAST_LINE.search(text, max(0, line - 3), end) if line >= 0 else None
        if match and _trimmed(match["name"], small=False) == match["name"]:
            yield _span(match.start("name"), match["name"])


def _span(start: int, name: str) -> Span:
    return Span(start, start + len(name), "name", " ".join(name.casefold().split()))


def _trimmed(words: str, *, small: bool) -> str:
    """The leading words that may be a name."""
    end, count = 0, 0
    for match in re.finditer(r"\S+", words):
        word = match.group()
        plain = word.rstrip(".").lower()
        if plain.endswith(_CONTRACTED):
            break
        if plain in _PARTICLES:
            continue
        if plain in _NO_NAMES or count == 4:
            break
        if word[0].islower() and not (small and count < 2):
            break
        end, count = match.end(), count + 1
        if word.endswith(".") and len(word) > 3:
            break
    return words[:end].rstrip(".")


# First names that are words too: in small letters they are taken for the word.
_COMMON = word_set(
    "will mark grace hope may june april august rose lily joy faith summer autumn dawn bill rich"
    " frank art pat chase drew grant miles price stone hall hill woods lake park green brown black"
    " white young long king best love day land house homes buyer"
)


def known_names(view: View, names: tuple[str, ...]) -> Iterator[Span]:
    """Find names that the caller knows, whole or in parts, in any case, with or without accents.

    Parameters
    ----------
    view
        The text.
    names
        Full names.
    """
    for name in names:
        whole = " ".join(name.split())
        parts = [part for part in re.split(r"[\s,]+", whole) if part.lower() not in _PARTICLES]
        for sought in dict.fromkeys((whole, *parts)):
            exact = sought is not whole and (len(sought) < 4 or sought.lower() in _COMMON)
            for written in {sought, _unaccented(sought)} - {""}:
                yield from _occurrences(view, written, exact=exact and sought.isascii())


def _occurrences(view: View, sought: str, *, exact: bool) -> Iterator[Span]:
    text = view.text if exact else view.lower
    sought = sought if exact else sought.lower()
    whole_words = not any("\u4e00" <= c <= "\u9fff" for c in sought)
    if len(sought) < 2 and whole_words:
        return
    at = text.find(sought)
    while at >= 0:
        end = at + len(sought)
        beside = text[at - 1 : at] + text[end : end + 1]
        if not whole_words or not any(c.isalnum() for c in beside):
            yield Span(at, end, "name", sought.lower())
        at = text.find(sought, end)


def _unaccented(text: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFD", text) if not unicodedata.combining(c))
