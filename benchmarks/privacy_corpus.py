"""A seeded corpus of planted identifiers, and of numbers and words that must survive.

Documents come in three sets. The *claimed* forms are those the recognisers were written for;
what is missing there breaks a promise. The *held_out* forms were written down before the
recognisers had their present shape and never used to mend them: recall on them says what to
expect of a form nobody thought of. The forms *not_found* are known to go through. Persons,
numbers and accounts are drawn, not anybody's.
"""

import itertools
import random
import re
import unicodedata
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from benchmarks.privacy_forms import CARRIERS, FORMS, Form
from benchmarks.privacy_held_out import HELD_OUT_CARRIERS, HELD_OUT_FORMS
from benchmarks.privacy_learnt_forms import LEARNT_CARRIERS, LEARNT_FORMS
from benchmarks.privacy_more_forms import MORE_CARRIERS, MORE_FORMS, NOT_FOUND
from benchmarks.privacy_people import Person

__all__ = ["DECOYS", "KINDS", "LANGUAGES", "Decoy", "Planted", "decoys", "leaks", "planted"]

LANGUAGES = ("en", "es", "zh", "fr", "pt", "hi")
KINDS = tuple(CARRIERS)
_WINDOW = 5
_MARKED = re.compile("⟦(.*)⟧", re.DOTALL)
_TOKEN = re.compile(r"\[[a-z_]+(?::[^\]]*)?\]")
_GAP = "\x00"
_NOT_DIGIT = re.compile(f"[^0-9{_GAP}]")
_NUMBERS = frozenset(("phone", "ssn", "card", "bank_account"))
_WHOLE = ("{x}", "Hello. {x}\nThank you", "{x} ")


class Planted(NamedTuple):
    """A document with one identifier in it.

    Parameters
    ----------
    kind
        What was planted.
    form
        How it was written.
    language
        Of the words around it.
    text
        The document.
    value
        The identifier as it stands in the document.
    """

    kind: str
    form: str
    language: str
    text: str
    value: str


class Decoy(NamedTuple):
    """A document without anything personal."""

    kind: str
    language: str
    text: str


def planted(n_per_kind: int, random_state: int, *, forms: str = "claimed") -> Iterator[Planted]:
    """Draw documents: `n_per_kind` of each kind, its forms in turn.

    Parameters
    ----------
    n_per_kind
        Documents of each kind that has such forms.
    random_state
        Seed.
    forms
        ``claimed``, ``held_out`` or ``not_found``.
    """
    for kind in KINDS:
        draw = random.Random(f"{random_state} {kind} {forms}")
        known, carriers = _forms(kind, forms)
        for number in range(n_per_kind if known else 0):
            form = known[number % len(known)]
            language = draw.choice(form.languages)
            written = form.write(Person(draw, language))
            marked = _MARKED.search(written)
            value = marked.group(1) if marked else written
            whole = _WHOLE[:1] if form.name.endswith(", last") else _WHOLE
            sentences = whole if marked else carriers[language]
            text = draw.choice(sentences).replace("{x}", _MARKED.sub(r"\1", written))
            yield Planted(kind, form.name, language, text, value)


def _forms(kind: str, which: str) -> tuple[list[Form], Mapping[str, tuple[str, ...]]]:
    if which == "held_out":
        return list(HELD_OUT_FORMS[kind]), HELD_OUT_CARRIERS[kind]
    missed = NOT_FOUND.get(kind, frozenset())
    known = [
        f
        for f in (*FORMS[kind], *MORE_FORMS[kind], *LEARNT_FORMS[kind])
        if (f.name in missed) == (which == "not_found")
    ]
    tables = (CARRIERS[kind], MORE_CARRIERS[kind], LEARNT_CARRIERS[kind])
    carriers = {lang: tuple(x for table in tables for x in table[lang]) for lang in LANGUAGES}
    return known, carriers


def leaks(document: Planted, sealed: str) -> bool:
    """Whether enough of the planted value is left to identify anybody.

    That is five of its letters or digits in a row (all of a shorter value), however they are
    spelled or separated: full-width and other digits count as their ASCII form.
    """
    value = _squash(document.value)
    left = _squash(_TOKEN.sub(_GAP, sealed))
    around = _squash(document.text.replace(document.value, _GAP))
    digits = _NOT_DIGIT.sub("", value)
    if document.kind in _NUMBERS and len(digits) >= min(_WINDOW, len(value)):
        value, left, around = digits, _NOT_DIGIT.sub("", left), _NOT_DIGIT.sub("", around)
    size = min(_WINDOW, len(value))
    pieces = {value[i : i + size] for i in range(len(value) - size + 1)}
    return any(piece in left and piece not in around for piece in pieces)


def _squash(text: str) -> str:
    folded = unicodedata.normalize("NFKC", text).casefold()
    digits = "".join(str(unicodedata.digit(c, c)) for c in folded)
    return "".join(c for c in digits if c.isalnum() or c == _GAP or unicodedata.category(c) == "Mc")


DECOYS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "price": {
        "en": ("Budget is $550,000, maybe $1,250,000.", "Listed at $1200000 last week",
               "between 900-1200 a month", "$2,450/mo plus $350 HOA", "asking 450 000 USD",
               "offers over 1.2 million, 895k at worst", "taxes were $8,412.50 in total"),
        "es": ("El precio es de 550.000 € o 1.250.000 €.", "presupuesto: $8,500,000 MXN",
               "hasta 350 000 euros", "la renta es 1.200 al mes"),
        "zh": ("预算550万元,最多600万。", "总价1250000元", "每平米85000元", "租金4500/月"),
        "fr": ("Le prix est de 550 000 € ou 1 250 000 €.", "budget 450000 euros maximum",
               "loyer de 1 250,50 € par mois"),
        "pt": ("O preço é R$ 550.000,00 ou R$ 1.250.000.", "aluguel de 3.500 reais",
               "até 450 000 euros"),
        "hi": ("बजट 55,00,000 रुपये है।", "कीमत ₹1,25,00,000 से कम हो", "किराया 25000 महीना"),
    },
    "date": {
        "en": ("closing on 12/31/2026 at 10:30", "open house 2026-11-20, 2-4 pm",
               "lease ends 20.11.2026", "built 1998-2005, moved 2019", "since 20261120 or so",
               "updated 2026-11-20T10:30:00Z", "from 2024-01-15 to 2025-06-30"),
        "es": ("visita el 20/11/2026 a las 10:30", "entre 2019 y 2026", "el 3 de mayo de 2027"),
        "zh": ("2026年11月20日看房", "2026-11-20 上午10:30", "1998-2005年建成"),
        "fr": ("visite le 20/11/2026 à 10h30", "du 20.11.2026 au 31.12.2026", "bâti en 1998"),
        "pt": ("visita em 20/11/2026 às 10:30", "de 2019 a 2026", "até 31-12-2026"),
        "hi": ("20/11/2026 को 10:30 बजे", "2019 से 2026 तक", "2026-11-20 को मिलते हैं"),
    },
    "size": {
        "en": ("3 bed, 2.5 bath, 1800-2200 sqft", "a 2,450 square foot house on 10,000 sq ft",
               "lot of 43560 sq ft, 1500 sf garage", "4bd/3ba 2200-2600 sf"),
        "es": ("3 recámaras, 2 baños, 180 m2", "terreno de 10.000 m²", "120-150 metros cuadrados"),
        "zh": ("三室两厅,120平米", "4房2卫 180平方米", "120-150平"),
        "fr": ("3 chambres, 120 m2, terrain de 1 200 m²", "T4 de 85-95 m²"),
        "pt": ("3 quartos, 120 m2", "terreno de 10.000 m²", "apartamento de 85-95 m2"),
        "hi": ("3 कमरे, 1800-2200 वर्ग फुट", "2 बीएचके 1200 sq ft"),
    },
    "reference": {
        "en": ("MLS 20641234", "MLS# 7654321 and MLS #A11223344", "listing ID 1002345678",
               "parcel 0123-456-789", "zip 90210-1234 or 60614", "lot 12-345 block 7",
               "case no. 2026-004512", "rate 6.875% for 30 years, 20% down", "school rated 9/10",
               "I-95 exit 12, Route 66, unit 305", "reference number 4455667788",
               "sold 120, 135 and 150 homes in 3 years", "ISO 9001 and 24/7 access"),
        "es": ("referencia 20641234", "código postal 28013", "tasa 6,875% a 30 años",
               "expediente 2026/004512"),
        "zh": ("房源编号20641234", "邮编100020", "利率4.2%,30年", "地铁10号线"),
        "fr": ("référence 20641234", "code postal 75011", "taux 3,45 % sur 25 ans"),
        "pt": ("referência 20641234", "CEP 01310-100", "taxa 9,5% em 30 anos"),
        "hi": ("लिस्टिंग 20641234", "पिन कोड 411001", "ब्याज 8.5% 20 साल"),
    },
    "words": {
        "en": ("We are ready to buy, thanks!", "I'm interested and pre-approved.",
               "This is urgent. Is this the best price?", "My name is on the list already",
               "Hi there, thanks for the quick reply", "Please call me on Monday.",
               "one two three, go! The account manager at the bank was nice",
               "our credit is good", "Dear team, we look at listings on Sundays.",
               "meet us at the office, dot com people live there", "Name the facts it rests on."),
        "es": ("Soy muy feliz de verla.", "Gracias por todo", "Soy de Madrid y busco casa"),
        "zh": ("我是认真的买家", "谢谢,周末见", "我叫了车过去"),
        "fr": ("Je suis intéressé par la maison", "Merci beaucoup", "Je suis prêt à acheter"),
        "pt": ("Sou comprador sério", "Obrigado pela atenção", "Estou pronto para comprar"),
        "hi": ("मैं तैयार हूँ", "धन्यवाद, कल मिलते हैं", "मेरा नाम सूची में है"),
    },
}  # fmt: skip
"""Texts by kind and language that a redactor must hand on unchanged."""


_DRAWN: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "price": {
        "en": ("Budget is ${a:,}", "between ${a:,} and ${b:,}", "asking {a} dollars", "${a}/mo"),
        "es": ("cuesta {a} euros", "hasta {dots} €", "renta de {spaces} pesos"),
        "zh": ("总价{a}元", "预算{a}万", "${a:,}"),
        "fr": ("prix : {spaces} €", "budget {a} euros", "{dots} EUR"),
        "pt": ("por R$ {dots},00", "R$ {a}", "até {spaces} euros"),
        "hi": ("कीमत ₹{a}", "{a} रुपये तक", "₹{a:,}"),
    },
    "date": dict.fromkeys(
        LANGUAGES,
        ("{y}-{m:02d}-{d:02d}", "{d:02d}/{m:02d}/{y}", "{d:02d}.{m:02d}.{y}", "{y}{m:02d}{d:02d}",
         "{m}/{d}/{y} 10:{d:02d}", "{y}-{z}", "{y}/{m:02d}/{d:02d}"),
    ),
    "size": dict.fromkeys(
        LANGUAGES, ("{s}-{t} sqft", "{s} m2", "{s:,} sq ft", "{r} bed {r}.5 bath {s} sf", "{s} m²")
    ),
    "reference": dict.fromkeys(
        LANGUAGES,
        ("MLS {k}", "MLS# {k}", "MLS #{k}", "listing ID {k}", "{zip}", "{zip}-{plus}",
         "lot {r}-{s}"),
    ),
}  # fmt: skip


def _drawn(draw: random.Random) -> Iterator[Decoy]:
    while True:
        kind = draw.choice(tuple(_DRAWN))
        language = draw.choice(LANGUAGES)
        amount = draw.randrange(90, 9_999) * draw.choice((100, 1_000, 250))
        year = draw.randrange(1950, 2035)
        text = draw.choice(_DRAWN[kind][language]).format(
            a=amount, b=amount + 50_000, dots=f"{amount:,}".replace(",", "."),
            spaces=f"{amount:,}".replace(",", " "), y=year, z=year + draw.randrange(1, 9),
            m=draw.randrange(1, 13), d=draw.randrange(1, 29), s=draw.randrange(600, 4_900),
            t=draw.randrange(4_900, 9_900), r=draw.randrange(1, 9),
            plus=draw.randrange(1_000, 9_999),
            k=draw.randrange(10**6, 10**10), zip=f"{draw.randrange(501, 99_950):05d}",
        )  # fmt: skip
        yield Decoy(kind, language, text)


def decoys(n_drawn: int = 0, random_state: int = 0) -> Iterator[Decoy]:
    """Every decoy that is written down, and as many drawn ones as asked for."""
    for kind, by_language in DECOYS.items():
        for language, texts in by_language.items():
            for text in texts:
                yield Decoy(kind, language, text)
    yield from itertools.islice(_drawn(random.Random(random_state)), n_drawn)
