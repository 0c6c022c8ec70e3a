"""What the gate finds of each kind, as measured, and what it cannot find."""

import html
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["CLAIMS", "Claim", "Claims"]


class Claim(NamedTuple):
    """What is claimed of one kind of identifier.

    Parameters
    ----------
    kind
        The kind.
    action
        What becomes of it.
    recall
        Share found of documents in the forms the recognisers were written for.
    held_out_recall
        Share found of documents in forms written down beforehand and never used for mending a
        recogniser: what to expect of a form nobody thought of.
    not_found
        What goes through.
    """

    kind: str
    action: str
    recall: float
    held_out_recall: float
    not_found: str


_HEAD = ("kind", "action", "recall", "recall on held-out forms", "not found")


@dataclass(frozen=True, slots=True)
class Claims:
    """Claims by kind, measured by ``python -m benchmarks privacy``."""

    rows: tuple[Claim, ...]

    def __iter__(self) -> Iterator[Claim]:
        return iter(self.rows)

    def __getitem__(self, kind: str) -> Claim:
        return next(claim for claim in self.rows if claim.kind == kind)

    def __str__(self) -> str:
        return "\n".join(
            f"{c.kind:<15} {c.action:<28} recall {c.recall:.3f}, held out {c.held_out_recall:.3f};"
            f" not found: {c.not_found}"
            for c in self.rows
        )

    def to_frame(self) -> "pd.DataFrame":
        """One row a kind."""
        import pandas as pd

        return pd.DataFrame(self.rows, columns=list(Claim._fields))

    def _repr_html_(self) -> str:
        head = "".join(f"<th>{title}</th>" for title in _HEAD)
        rows = "".join(
            f"<tr>{''.join(f'<td>{html.escape(str(cell))}</td>' for cell in claim)}</tr>"
            for claim in self.rows
        )
        return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"


_HASHED, _DROPPED = "token (keyed hash)", "dropped"

CLAIMS = Claims(
    (
        Claim("email", _HASHED, 1.0, 0.8, "words for “at” other than at, arroba, arobase"),
        Claim(
            "phone", "token (sealed, reversible)", 1.0, 0.693,
            "numbers of 7 to 9 digits without marks or a word such as “call”; letters for digits"
            " (555-HOME); words of other languages than English, Spanish, French, Portuguese,"
            " Chinese; markup between digits",
        ),
        Claim("ssn", _DROPPED, 1.0, 0.827, "nine bare digits without a label; other countries'"),
        Claim("card", _DROPPED, 1.0, 1.0, "a wrong check digit in unusual groups"),
        Claim("bank_account", _DROPPED, 1.0, 0.9, "an account number without a label, but IBANs"),
        Claim("credit_score", _DROPPED, 1.0, 0.333, "a score in words, or after an unusual label"),
        Claim("driver_license", _DROPPED, 1.0, 0.553, "a number after no or an unusual label"),
        Claim(
            "name", _HASHED, 1.0, 0.16,
            "every name that nobody introduces (“Maria said so”), names in small letters, nicknames"
            "; name the people with known_names, or add a model such as Presidio",
        ),
        Claim(
            "address", _HASHED, 1.0, 0.773,
            "a street without a house number or without a word such as “street”; towns",
        ),
    )
)  # fmt: skip
"""Beside these nothing is looked for: no passport, tax or health number, handle, or picture."""
