"""Which fields of a record are dropped, hashed or tokenised by their name alone."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from workbench.errors import WorkbenchError

__all__ = ["FieldSealer", "field_kind"]

# Names are compared without case, spaces and marks: "Driver-License" is driverlicense.
_DROPPED = {
    "ssn": "ssn socialsecurity socialsecuritynumber socialsecurityno itin taxid",
    "credit_score": "creditscore fico ficoscore creditrating vantagescore",
    "bank_account": "bankaccount bankaccountnumber accountnumber accountno routingnumber iban"
    " abarouting clabe",
    "driver_license": "driverlicense driverslicense driverlicence driverslicence drivinglicence"
    " drivinglicense driverlicensenumber driverslicensenumber licensenumber dlnumber",
    "card": "cardnumber creditcard creditcardnumber debitcard cvv cvc",
}
_TOKENISED = {
    "email": "email emailaddress mail",
    "phone": "phone phonenumber mobile mobilephone cell cellphone telephone tel homephone workphone"
    " fax whatsapp",
    "name": "name fullname firstname lastname givenname familyname surname leadname agentname"
    " contactname",
    "address": "address streetaddress street address1 addressline1 homeaddress mailingaddress",
}
_BY_NAME = {
    name: kind
    for table in (_DROPPED, _TOKENISED)
    for kind, names in table.items()
    for name in names.split()
}
# As the fields are called once their values are tokens.
_RENAMED = {"email": "email_hash", "phone": "phone_token"}
_DEEPEST = 64


def field_kind(name: object) -> str | None:
    """What the values of a field are, by its name.

    Examples
    --------
    >>> field_kind("Driver-License"), field_kind("e-mail"), field_kind("budget")
    ('driver_license', 'email', None)
    """
    return _BY_NAME.get(re.sub(r"[\W_]", "", str(name)).lower())


class FieldSealer:
    """Seals a nested record, and keeps count.

    Parameters
    ----------
    seal
        Seals a text: `text`, `counts`, `originals`.
    token
        Token of a kind and a value.
    """

    def __init__(self, seal: Callable[[str], Any], token: Callable[[str, str], str]) -> None:
        self._seal = seal
        self._token = token
        self.counts: dict[str, int] = {}
        self.originals: dict[str, str] = {}

    def mapping(self, fields: Mapping[Any, Any], depth: int = 0) -> dict[str, Any]:
        """Seal a mapping and everything in it."""
        if depth > _DEEPEST:
            raise WorkbenchError(
                f"the record is nested more than {_DEEPEST} deep",
                expected="a tree of mappings, lists and plain values",
                fix="flatten it, or take out what refers to itself",
            )
        sealed: dict[str, Any] = {}
        for name, value in fields.items():
            kind = field_kind(name)
            if kind in _DROPPED:
                self._count(str(kind))
            elif kind is not None and isinstance(value, str | int) and str(value).strip():
                sealed[_RENAMED.get(kind, str(name))] = self._tokenised(kind, str(value))
            else:
                sealed[self._text(str(name))] = self._value(value, depth)
        return sealed

    def _value(self, value: Any, depth: int) -> Any:
        if isinstance(value, str):
            return self._text(value)
        if isinstance(value, Mapping):
            return self.mapping(value, depth + 1)
        if isinstance(value, Sequence) and not isinstance(value, bytes | bytearray):
            return [self._value(item, depth + 1) for item in value]
        if isinstance(value, int) and not isinstance(value, bool):
            text = self._text(str(value))
            return value if text == str(value) else text
        if value is None or isinstance(value, bool | float):
            return value
        # Dates, decimals, bytes and objects say what they say through their text.
        return self._text(str(value))

    def _tokenised(self, kind: str, value: str) -> str:
        canonical = " ".join(value.casefold().split())
        if kind == "email":
            canonical = canonical.replace(" ", "")
        if kind == "phone":
            digits = re.sub(r"\D", "", value)
            if not 5 <= len(digits) <= 15:
                return self._text(value)
            canonical = "+" * value.lstrip(" (").startswith("+") + digits
        token = self._token(kind, canonical)
        self._count(kind)
        self.originals.setdefault(token, value)
        return token

    def _text(self, text: str) -> str:
        sealed = self._seal(text)
        for kind, count in sealed.counts.items():
            self._count(kind, count)
        for token, original in sealed.originals.items():
            self.originals.setdefault(token, original)
        return str(sealed.text)

    def _count(self, kind: str, count: int = 1) -> None:
        self.counts[kind] = self.counts.get(kind, 0) + count
