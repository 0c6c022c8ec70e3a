"""Tokens that stand for identifiers: hashes with a key, and telephones that can be turned back."""

import base64
import hashlib
import hmac
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from workbench.privacy.keys import PrivacyError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESSIV

__all__ = ["TOKEN", "Tokens"]

TOKEN = re.compile(r"\[(?:email|phone|name|address):[A-Za-z0-9_-]{6,64}\]")
"""What a token looks like."""

_PHONE = re.compile(r"\[?(?:phone:)?([A-Za-z0-9_-]{24,40})\]?")
_MOST_KEPT = 4096


class Tokens:
    """Makes a tenant's tokens, and reveals its telephones.

    Telephones are sealed with AES-SIV (RFC 5297): deterministic, so that one number has one
    token, and authenticated, so that a token somebody made up is not one. The rest are the
    first bits of HMAC-SHA256. Keys for the two are derived from the tenant's, with its name.

    Parameters
    ----------
    keys
        The tenant's keys of 16 bytes or more, newest first; the newest seals, any reveals.
    tenant
        The tenant's name: under one key, tenants still have different tokens.

    Examples
    --------
    >>> tokens = Tokens([b"k" * 32], "north")
    >>> token = tokens.phone("+12125550134")
    >>> (len(token), tokens.reveal(token))
    (36, '+12125550134')
    """

    def __init__(self, keys: Sequence[bytes], tenant: str) -> None:
        name = tenant.encode("utf-8", "surrogatepass")
        self._hash_key = _derived(keys[0], b"hash", name)
        self._phone_keys = [_derived(key, b"phone", name) for key in keys]
        self._ciphers: list[AESSIV] | None = None
        self._made: dict[tuple[str, str], str] = {}

    def __repr__(self) -> str:
        return f"Tokens({len(self._phone_keys)} keys)"

    def make(self, kind: str, value: str) -> str:
        """Token of an identifier.

        Parameters
        ----------
        kind
            ``phone`` can be revealed; any other kind is hashed.
        value
            Its canonical form.
        """
        token = self._made.get((kind, value))
        if token is None:
            token = self.phone(value) if kind == "phone" else f"[{kind}:{self.hashed(value, kind)}]"
            if len(self._made) >= _MOST_KEPT:
                self._made.clear()
            self._made[kind, value] = token
        return token

    def hashed(self, value: str, kind: str, length: int = 12) -> str:
        """Keyed hash of a value in base 32, five bits a character."""
        text = f"{kind}\0{value}".encode("utf-8", "surrogatepass")
        digest = hmac.digest(self._hash_key, text, "sha256")
        return base64.b32encode(digest)[:length].decode().lower()

    def phone(self, value: str) -> str:
        """Seal a number: digits, perhaps with a plus before them."""
        # A leading 1 or 2 keeps zeros, and tells whether there was a plus.
        number = int(f"{1 + value.startswith('+')}{value.lstrip('+')}")
        packed = number.to_bytes((number.bit_length() + 7) // 8, "big")
        sealed = self._cipher()[0].encrypt(packed, [b"phone"])
        return f"[phone:{base64.urlsafe_b64encode(sealed).rstrip(b'=').decode()}]"

    def reveal(self, token: str) -> str:
        """Turn a telephone's token back into its digits.

        Raises
        ------
        PrivacyError
            When it is no token of this tenant's.
        """
        from cryptography.exceptions import InvalidTag

        match = _PHONE.fullmatch(token.strip())
        if match is not None:
            text = match.group(1)
            # Four characters at a time; a length that cannot be is caught with the rest.
            padded = text + "=" * (-len(text) % 4)
            for cipher in self._cipher():
                try:
                    packed = cipher.decrypt(base64.urlsafe_b64decode(padded), [b"phone"])
                except (InvalidTag, ValueError):
                    continue
                digits = str(int.from_bytes(packed, "big"))
                return "+" * (digits[0] == "2") + digits[1:]
        raise PrivacyError(
            "the token cannot be revealed",
            expected="a phone token made with one of this tenant's keys, unchanged",
            fix="use the gate of the tenant that made it; only phone tokens can be revealed",
        )

    def _cipher(self) -> "list[AESSIV]":
        if self._ciphers is None:
            from cryptography.hazmat.primitives.ciphers.aead import AESSIV

            self._ciphers = [AESSIV(key) for key in self._phone_keys]
        return self._ciphers


def _derived(key: bytes, purpose: bytes, tenant: bytes) -> bytes:
    if len(key) < 16:
        raise PrivacyError(
            f"the key has {len(key)} bytes", expected="16 random bytes or more",
            fix="make one with secrets.token_bytes(32)",
        )  # fmt: skip
    message = b"workbench privacy\0" + purpose + b"\0" + tenant
    return hmac.digest(key, message, hashlib.sha256)
