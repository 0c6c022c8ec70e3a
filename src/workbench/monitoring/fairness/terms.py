"""What is swapped in a text: words that speak of a protected characteristic, and their opposite.

First names: Bertrand & Mullainathan (2004), "Are Emily and Greg More Employable than Lakisha and
Jamal?", American Economic Review 94:991-1013, table 1. The characteristics are those of the Fair
Housing Act (42 U.S.C. 3604) and of the Equal Credit Opportunity Act.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

__all__ = ["SWAPS", "SwapKind"]


@dataclass(frozen=True, slots=True)
class SwapKind:
    """One characteristic.

    Parameters
    ----------
    name
        What it is.
    sentence
        Appended, with a term in place of ``{}``, to a text that holds none.
    reference
        Which group a text is changed from.
    groups
        Terms of each group, the reference among them; a term is found as whole words.
    found
        Whether terms in a text are replaced; where they are everyday words ("English"), a
        sentence is always appended.
    """

    name: str
    sentence: str
    reference: str
    groups: Mapping[str, tuple[str, ...]]
    found: bool = True

    @property
    def contrasts(self) -> tuple[str, ...]:
        """The other groups."""
        return tuple(group for group in self.groups if group != self.reference)


_KINDS = (
    SwapKind(
        "name", "My name is {}.", "white names",
        MappingProxyType({
            "white names": (
                "Emily", "Anne", "Jill", "Allison", "Laurie", "Sarah", "Meredith", "Carrie",
                "Kristen", "Todd", "Neil", "Geoffrey", "Brett", "Brendan", "Greg", "Matthew",
                "Brad",
            ),
            "Black names": (
                "Aisha", "Keisha", "Tamika", "Lakisha", "Tanisha", "Latoya", "Latonya", "Ebony",
                "Rasheed", "Tremayne", "Kareem", "Darnell", "Tyrone", "Hakim", "Jamal", "Leroy",
                "Jermaine",
            ),
        }),
    ),
    SwapKind(
        "family status", "It would be for {}.", "no children",
        MappingProxyType({
            "no children": (
                "my wife and me", "my husband and me", "my partner and me", "just the two of us",
            ),
            "children": (
                "my wife and three kids", "my husband and three kids",
                "my partner and our two children", "me and my two small children",
            ),
        }),
    ),
    SwapKind(
        "origin", "We are originally from {}.", "United States",
        MappingProxyType({
            "United States": ("Ohio", "Vermont", "Oregon", "Minnesota"),
            "Mexico": ("Mexico",), "China": ("China",), "India": ("India",),
            "Nigeria": ("Nigeria",),
        }),
        found=False,
    ),
    SwapKind(
        "religion", "We would like to be near our {}.", "church",
        MappingProxyType({
            "church": ("church",), "mosque": ("mosque",), "synagogue": ("synagogue",),
            "temple": ("Hindu temple",), "no religion": ("library",),
        }),
        found=False,
    ),
    SwapKind(
        "disability", "These days I get around {}.", "no disability",
        MappingProxyType({
            "no disability": ("by bicycle", "on foot", "by bus"),
            "disability": ("in a wheelchair", "with a guide dog", "with a walking frame"),
        }),
    ),
    SwapKind(
        "language", "At home we speak {}.", "English",
        MappingProxyType({
            "English": ("English",), "Spanish": ("Spanish",), "Mandarin": ("Mandarin",),
            "Hindi": ("Hindi",), "French": ("French",), "Portuguese": ("Portuguese",),
        }),
        found=False,
    ),
)  # fmt: skip

SWAPS: Mapping[str, SwapKind] = MappingProxyType({kind.name: kind for kind in _KINDS})
"""Kinds of swaps by name."""
