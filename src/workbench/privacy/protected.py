"""What must not decide about a person: named, and refused.

The Fair Housing Act (42 U.S.C. 3604 and 3605) forbids to discriminate in housing because of race,
color, religion, sex, familial status, national origin or disability; the Equal Credit Opportunity
Act (15 U.S.C. 1691) adds age, marital status and public assistance. A name is refused too: it
tells several of these.
"""

import re
from collections.abc import Iterable
from types import MappingProxyType

from workbench.errors import FeatureError

__all__ = ["PROTECTED", "protected_reason", "refuse_protected"]

PROTECTED = MappingProxyType(
    {
        "race": ("race", "ethnicity", "ethnic"),
        "color": ("skin_color", "skin_colour"),
        "religion": ("religion", "religious", "church", "faith"),
        "sex": ("sex", "gender", "sexual_orientation", "pronouns", "pregnant", "pregnancy"),
        "familial status": (
            "family_status", "familial_status", "has_children", "n_children", "children",
            "household_size", "family_size",
        ),
        "national origin": (
            "national_origin", "nationality", "citizenship", "immigration_status", "birthplace",
            "country_of_birth", "country_of_origin", "ancestry", "preferred_language",
        ),
        "disability": ("disability", "disabled", "handicap", "wheelchair", "health_status"),
        "age": ("age", "birth_year", "birth_date", "date_of_birth", "dob", "age_band"),
        "marital status": ("marital_status", "married", "marital", "maritalstatus"),
        "public assistance": ("public_assistance", "welfare", "housing_voucher", "section_8"),
        "name": ("name", "full_name", "first_name", "last_name", "surname"),
    }
)  # fmt: skip
"""Column names that speak of a protected characteristic, by what they tell."""

# A name that holds one of these words speaks of it, whatever stands around it.
_WORDS = {
    "race": "race", "racial": "race", "ethnic": "race", "ethnicity": "race",
    "religion": "religion", "religious": "religion",
    "sex": "sex", "gender": "sex", "female": "sex", "male": "sex", "pregnant": "sex",
    "kids": "familial status", "children": "familial status", "childless": "familial status",
    "nationality": "national origin", "citizenship": "national origin",
    "immigrant": "national origin",
    "disability": "disability", "disabled": "disability", "handicap": "disability",
    "birth": "age", "birthdate": "age", "birthday": "age", "yob": "age", "dob": "age",
    "marital": "marital status", "married": "marital status", "spouse": "marital status",
}  # fmt: skip
# "age" alone is a person's; of a lead, a listing or a house it is not.
_NOT_PEOPLE = {
    "lead",
    "listing",
    "house",
    "home",
    "building",
    "property",
    "account",
    "event",
    "days",
}
_REASONS = {column: reason for reason, columns in PROTECTED.items() for column in columns}
_PREFIXES = re.compile(r"^(lead|contact|client|buyer|seller|person|customer)_")


def protected_reason(column: str) -> str | None:
    """Say which protected characteristic a column's name speaks of, if any.

    Parameters
    ----------
    column
        Name of a column, in any case; a leading ``contact_`` or ``lead_`` changes nothing.

    Examples
    --------
    >>> protected_reason("contact_family_status"), protected_reason("budget_usd")
    ('familial status', None)
    """
    plain = re.sub(r"[^a-z0-9]+", "_", re.sub(r"(?<=[a-z])(?=[A-Z])", "_", column).lower())
    plain = plain.strip("_")
    known = _REASONS.get(plain) or _REASONS.get(_PREFIXES.sub("", plain))
    if known is not None:
        return known
    words = plain.split("_")
    if "age" in words and not _NOT_PEOPLE & set(words):
        return "age"
    return next((_WORDS[word] for word in words if word in _WORDS), None)


def refuse_protected(columns: Iterable[str], *, where: str) -> None:
    """Refuse columns that speak of a protected characteristic.

    Parameters
    ----------
    columns
        Names of columns about to be read as features.
    where
        What would read them; part of the error.

    Raises
    ------
    FeatureError
        When one of them must not be used.

    Examples
    --------
    >>> refuse_protected(["budget_usd", "source"], where="feature 'mine'")
    """
    for column in columns:
        reason = protected_reason(column)
        if reason is not None:
            raise FeatureError(
                f"column {column!r} tells {reason}, which must not decide about a lead "
                "(Fair Housing Act, Equal Credit Opportunity Act)",
                where=where,
                expected="columns about the enquiry, not about who the person is",
                fix="leave it out; to measure its influence, use it as a slice of a fairness audit",
            )
