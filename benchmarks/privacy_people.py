"""Drawn persons with the identifiers the privacy corpus plants; none is anybody's."""

import random
from collections.abc import Mapping, Sequence
from types import MappingProxyType

__all__ = ["ENGLISH_DIGITS", "SPANISH_DIGITS", "Person", "fours", "shift", "spelt"]

_NAMES: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "en": (("Jennifer", "Marcus", "Ashley", "Derek", "Latoya", "Brian", "Megan"),
           ("Whitfield", "O'Connor", "Baptiste", "Nakamura", "Stone", "Kowalski")),
    "es": (("María José", "Álvaro", "Lucía", "Joaquín", "Ximena"),
           ("García Márquez", "Fernández", "Núñez", "de la Cruz")),
    "zh": (("伟", "秀英", "建国", "晓明", "丽华"), ("王", "李", "欧阳", "陈")),
    "fr": (("Amélie", "Jean-Luc", "Thérèse", "Benoît"), ("Lefèvre", "Dubois", "Le Goff")),
    "pt": (("João", "Conceição", "Thiago", "Beatriz"), ("da Silva", "Araújo", "Gonçalves")),
    "hi": (("प्रिया", "राहुल", "सुनीता", "अमित"), ("शर्मा", "वर्मा", "गुप्ता")),
}  # fmt: skip
_STREETS = MappingProxyType({
    "en": ("Maple", "Old Mill", "Washington", "Cherry Hill", "Martin Luther King Jr"),
    "es": ("Mayor", "de Alcalá", "Benito Juárez", "Gran Vía"),
    "zh": ("建国", "南京东", "人民", "中山"),
    "fr": ("de la République", "Victor Hugo", "des Lilas"),
    "pt": ("das Flores", "Augusta", "Quinze de Novembro"),
    "hi": ("गांधी", "नेहरू", "स्टेशन"),
})  # fmt: skip
ENGLISH_DIGITS = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine",
)  # fmt: skip
SPANISH_DIGITS = (
    "cero", "uno", "dos", "tres", "cuatro", "cinco", "seis", "siete", "ocho", "nueve",
)  # fmt: skip


class Person:
    """Identifiers of one drawn person, canonical."""

    def __init__(self, draw: random.Random, language: str) -> None:
        self.draw = draw
        given, family = _NAMES[language]
        self.given, self.family = draw.choice(given), draw.choice(family)
        joint = "" if language == "zh" else " "
        pair = (self.family, self.given) if language == "zh" else (self.given, self.family)
        self.name = joint.join(pair)
        local = draw.choice(("ann.lee", "j.ortiz", "mkim", "the_smiths", "b-stone"))
        host = draw.choice(("example.com", "mail.example.org", "example.co.uk", "ejemplo.es"))
        self.local, self.host = f"{local}{draw.randrange(10, 99)}", host
        # NANP: area and exchange start at 2.
        self.area = f"{draw.choice('23456789')}{draw.randrange(1, 9)}{draw.randrange(2, 9)}"
        self.exchange = f"{draw.choice('23456789')}{draw.randrange(10, 99)}"
        self.line = f"{draw.randrange(1, 9999):04d}"
        first = draw.choice([n for n in range(1, 900) if n != 666])
        self.ssn = (
            f"{first:03d}",
            f"{draw.randrange(1, 99):02d}",
            f"{draw.randrange(1, 9999):04d}",
        )
        self.card = _luhn(f"4{draw.randrange(10**14):014d}")
        self.amex = _luhn(f"37{draw.randrange(10**12):012d}")
        self.routing = _aba(f"{draw.randrange(1, 12):02d}{draw.randrange(10**6):06d}")
        self.account = f"{draw.randrange(10**8, 10**11)}"
        self.iban = _iban(draw)
        self.score = str(draw.randrange(560, 850))
        self.licence = f"{draw.choice('ABCDFHKST')}{draw.randrange(10**6, 10**8)}"
        self.house = str(draw.randrange(2, 9999))
        self.street = draw.choice(_STREETS[language])

    @property
    def phone(self) -> str:
        """Ten digits."""
        return f"{self.area}{self.exchange}{self.line}"

    def dashed(self, mark: str = "-") -> str:
        """3-3-4 with a separator."""
        return mark.join((self.area, self.exchange, self.line))


def _luhn(head: str) -> str:
    total = 0
    for place, digit in enumerate(int(c) for c in reversed(head)):
        doubled = digit * 2 if place % 2 == 0 else digit
        total += doubled - 9 if doubled > 9 else doubled
    return f"{head}{-total % 10}"


def _aba(head: str) -> str:
    weights = (3, 7, 1, 3, 7, 1, 3, 7)
    return f"{head}{-sum(w * int(c) for w, c in zip(weights, head, strict=True)) % 10}"


def _iban(draw: random.Random) -> str:
    country, bban = draw.choice((
        ("DE", f"{draw.randrange(10**18):018d}"), ("ES", f"{draw.randrange(10**20):020d}"),
        ("FR", f"{draw.randrange(10**23):023d}"), ("GB", f"NWBK{draw.randrange(10**14):014d}"),
        ("PT", f"{draw.randrange(10**21):021d}"),
    ))  # fmt: skip
    moved = "".join(str(int(c, 36)) for c in f"{bban}{country}00")
    return f"{country}{98 - int(moved) % 97:02d}{bban}"


def fours(text: str, mark: str) -> str:
    """Groups of four with a separator."""
    return mark.join(text[i : i + 4] for i in range(0, len(text), 4))


def shift(text: str, zero: int) -> str:
    """The same text with its digits from another block of Unicode."""
    return "".join(chr(zero + int(c)) if c.isascii() and c.isdigit() else c for c in text)


def spelt(digits: str, words: Sequence[str], mark: str = " ") -> str:
    """Digits in words."""
    return mark.join(words[int(c)] for c in digits)
