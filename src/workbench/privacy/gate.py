"""The gate every outbound text passes: what identifies a person stays on this machine."""

import json
import re
import secrets
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from workbench.privacy.claims import CLAIMS, Claims
from workbench.privacy.fields import FieldSealer
from workbench.privacy.keys import PrivacyError, TenantKeys
from workbench.privacy.labelled import Labelled
from workbench.privacy.mail import Mail
from workbench.privacy.numbers import Numbers
from workbench.privacy.people import Names, known_names
from workbench.privacy.places import Places
from workbench.privacy.spoken import Spoken
from workbench.privacy.tokens import TOKEN, Tokens
from workbench.privacy.view import Span, View

__all__ = ["DROPPED_KINDS", "RECOGNISERS", "PrivacyGate", "Recogniser", "Sealed", "SealedFields"]

DROPPED_KINDS = ("bank_account", "card", "ssn", "driver_license", "credit_score")
"""Kinds that are replaced by their name alone: nothing brings them back."""

_MOST_PASSES = 8
# Of two that overlap, the one further to the left decides.
_PRIORITY = (*DROPPED_KINDS, "email", "phone", "address", "name")
_MOST_KEPT = 1024
_LONG = 2000
_BETWEEN_TAGS = re.compile(r"(?<=>\n)(?=<)")


class Recogniser(Protocol):
    """Finds some kinds of identifiers.

    `kinds` are those it may report; `cues` are words of UTF-8 it wants to know about
    (`View.cues` holds those that occur); `find` reports spans of `View.text`.
    """

    @property
    def kinds(self) -> tuple[str, ...]:
        """Kinds it may report."""

    @property
    def cues(self) -> frozenset[bytes]:
        """Words it wants to know about."""

    def find(self, view: View) -> Iterable[Span]:
        """Find them."""


RECOGNISERS: tuple[Recogniser, ...] = (Mail(), Numbers(), Labelled(), Spoken(), Names(), Places())
"""What needs neither a model nor a network."""


@dataclass(frozen=True, slots=True)
class Sealed:
    """A text that may leave.

    Parameters
    ----------
    text
        The text, with tokens.
    counts
        How many of each kind were replaced; kinds found only.
    originals
        What the tokens stand for. It stays here, and does not show.
    """

    text: str
    counts: Mapping[str, int] = field(default_factory=dict)
    originals: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class SealedFields:
    """Fields that may leave: `fields`, and `counts` and `originals` as in `Sealed`."""

    fields: dict[str, Any]
    counts: Mapping[str, int] = field(default_factory=dict)
    originals: Mapping[str, str] = field(default_factory=dict, repr=False)


class PrivacyGate:
    """Takes identifiers out of what leaves, and puts them back into what returns.

    ==================  =====================================================================
    kind                what becomes of it
    ==================  =====================================================================
    ``email``           ``[email:…]``: a keyed hash, one token for one address
    ``phone``           ``[phone:…]``: sealed; `reveal` turns it back with the tenant's key
    ``name``            ``[name:…]``: a keyed hash
    ``address``         ``[address:…]``: a keyed hash
    the rest            ``[ssn]``, ``[card]``, ``[bank_account]``, ``[credit_score]``,
                        ``[driver_license]``: dropped, nothing brings them back
    ==================  =====================================================================

    The same text seals to the same text under one key and tenant, so that stored answers are
    found again. Prices, dates, sizes, years and listing numbers stay.

    **What it cannot find.** There is no language model here. A name that nobody introduces
    ("Maria said so yesterday"), an address without a house number, a nickname, a handle, a
    passport, a number in words of other languages than English and Spanish, anything in a
    picture or encoded (base64, percent signs) goes through, unless the caller names it with
    `known_names` or adds a recogniser. `claims` says what was measured.

    Parameters
    ----------
    key
        16 bytes or more; or a folder of keys, with a key for each tenant. Without one, tokens
        hold as long as this object does.
    tenant
        Whose tokens: another tenant has others for the same person.
    recognisers
        What looks for identifiers; `RECOGNISERS`, with others beside them as needed.

    Raises
    ------
    PrivacyError
        When the key is too short or cannot be read.

    Examples
    --------
    >>> gate = PrivacyGate(b"an example key of 32 bytes only.", tenant="north")
    >>> sealed = gate.seal("Call 212-555-0134, budget $550,000, SSN 123-45-6789")
    >>> sealed.text
    'Call [phone:...], budget $550,000, SSN [ssn]'
    >>> gate.restore(sealed.text, sealed.originals)
    'Call 212-555-0134, budget $550,000, SSN [ssn]'
    >>> gate.reveal(sealed.text.split()[1].rstrip(","))
    '2125550134'
    """

    def __init__(
        self,
        key: bytes | TenantKeys | None = None,
        *,
        tenant: str = "default",
        recognisers: Sequence[Recogniser] = RECOGNISERS,
    ) -> None:
        self.tenant = tenant
        self.recognisers = tuple(recognisers)
        self._keys = key if isinstance(key, TenantKeys) else None
        self._tokens: Tokens | None = None
        if isinstance(key, bytes):
            self._tokens = Tokens([key], tenant)
        elif key is None:
            self._tokens = Tokens([secrets.token_bytes(32)], tenant)
        self._cues = frozenset[bytes]().union(*(r.cues for r in self.recognisers))
        self._kept: dict[tuple[str, tuple[str, ...]], Sealed] = {}

    def __repr__(self) -> str:
        kinds = sorted({kind for recogniser in self.recognisers for kind in recogniser.kinds})
        return f"PrivacyGate(tenant={self.tenant!r}, kinds={kinds})"

    def __getstate__(self) -> dict[str, Any]:
        # Neither keys nor texts travel.
        return {**self.__dict__, "_tokens": None, "_kept": {}}

    @property
    def claims(self) -> Claims:
        """What is found of each kind, as measured, and what is not."""
        return CLAIMS

    def seal(self, text: str, *, known_names: Sequence[str] = ()) -> Sealed:
        """Replace what identifies a person.

        Parameters
        ----------
        text
            Any text.
        known_names
            Names of people it may speak of, such as the lead's and the agent's: each is replaced
            wherever it stands, whole or in parts, in any case, with or without its accents.

        Returns
        -------
        Sealed
            The text with tokens, what was replaced, and what the tokens stand for.

        Raises
        ------
        PrivacyError
            When this gate travelled between processes without its key.
        """
        names = tuple(known_names)
        # Requests share most of a long prompt. Where one tag's line ends and another's begins
        # is the template's: what people write has its angle brackets escaped there.
        parts = _BETWEEN_TAGS.split(text) if len(text) > _LONG else [text]
        if len(parts) == 1:
            return self._remembered(text, names)
        sealed = [self._remembered(part, names) for part in parts]
        counts: Counter[str] = Counter()
        for part in sealed:
            counts.update(part.counts)
        originals = {t: o for part in sealed for t, o in part.originals.items()}
        return Sealed("".join(part.text for part in sealed), dict(counts), originals)

    def _remembered(self, text: str, names: tuple[str, ...]) -> Sealed:
        sealed = self._kept.get((text, names))
        if sealed is None:
            sealed = self._seal(text, names)
            if len(self._kept) >= _MOST_KEPT:
                self._kept.clear()
            self._kept[text, names] = sealed
        return sealed

    def _seal(self, text: str, names: tuple[str, ...]) -> Sealed:
        counts: dict[str, int] = {}
        originals: dict[str, str] = {}
        hidden = True
        for _ in range(_MOST_PASSES):
            if hidden:
                text, hidden = self._passed(text, names, counts, originals)
        return Sealed(text, counts, originals)

    def _passed(
        self, text: str, names: tuple[str, ...], counts: dict[str, int], originals: dict[str, str]
    ) -> tuple[str, bool]:
        """The text after one pass, and whether what was replaced may have hidden a neighbour."""
        view = View(text, self._cues)
        spans = [span for recogniser in self.recognisers for span in recogniser.find(view)]
        if names:
            spans.extend(known_names(view, names))
        if not spans:
            return text, False
        pieces: list[str] = []
        done, hidden = 0, False
        for span in _apart(spans):
            start, end = view.origin(span.start, span.end)
            token = self._token(span)
            pieces += (text[done:start], token)
            counts[span.kind] = counts.get(span.kind, 0) + 1
            if span.kind not in DROPPED_KINDS:
                originals.setdefault(token, text[start:end])
            beside = (
                view.text[max(0, span.start - 1) : span.start] + view.text[span.end : span.end + 1]
            )
            hidden = hidden or any(map(str.isalnum, beside))
            done = end
        pieces.append(text[done:])
        return "".join(pieces), hidden

    def _token(self, span: Span) -> str:
        if span.kind in DROPPED_KINDS:
            return f"[{span.kind}]"
        return self._secret().make(span.kind, span.value)

    def seal_fields(self, fields: Mapping[str, Any]) -> SealedFields:
        """Seal a record of fields, however deep.

        Fields named for a social security number, a credit score, a bank account, a driver's
        licence or a card are dropped at any depth, whatever their value. E-mail addresses become
        `email_hash`, telephones `phone_token`; names and addresses become tokens, and every
        other text is sealed as `seal` does.

        Parameters
        ----------
        fields
            A record such as a contact of a CRM: mappings, lists and plain values.

        Returns
        -------
        SealedFields
            A new record, what was replaced, and what the tokens stand for.

        Raises
        ------
        PrivacyError
            When this gate travelled between processes without its key.
        WorkbenchError
            When the record contains itself.

        Examples
        --------
        >>> gate = PrivacyGate(b"an example key of 32 bytes only.")
        >>> gate.seal_fields({"ssn": 123456789, "pets": 2, "loan": {"credit_score": 712}}).fields
        {'pets': 2, 'loan': {}}
        """
        sealer = FieldSealer(self.seal, self._secret().make)
        sealed = sealer.mapping(fields)
        return SealedFields(sealed, sealer.counts, sealer.originals)

    def restore(self, text: str, originals: Mapping[str, str]) -> str:
        """Put originals back in the place of their tokens.

        Parameters
        ----------
        text
            What came back; when it is JSON, originals are written so that it stays JSON.
        originals
            `Sealed.originals` of what was asked.

        Returns
        -------
        str
            The text; tokens that are not in `originals`, or were changed, are left.
        """
        if not originals or "[" not in text:
            return text
        put = originals
        if text.lstrip()[:1] in "{[" and TOKEN.search(text) and _is_json(text):
            put = {t: json.dumps(o, ensure_ascii=False)[1:-1] for t, o in originals.items()}
        return TOKEN.sub(lambda match: put.get(match.group(), match.group()), text)

    def reveal(self, token: str) -> str:
        """Turn a telephone's token back, with the tenant's key alone.

        Parameters
        ----------
        token
            ``[phone:…]``.

        Returns
        -------
        str
            The digits, with a plus where one was written.

        Raises
        ------
        PrivacyError
            When it is no phone token of this tenant's.
        """
        return self._secret().reveal(token)

    def pseudonym(self, value: str) -> str:
        """Stable name of a lead or an agent for stores: a keyed hash of 80 bits.

        Parameters
        ----------
        value
            Such as the identifier of a lead.
        """
        return self._secret().hashed(str(value), "pseudonym", 16)

    def _secret(self) -> Tokens:
        if self._tokens is None:
            if self._keys is None:
                raise PrivacyError(
                    "this gate was sent to another process and its key was not",
                    fix="make a gate there with the key, or use TenantKeys, which both can read",
                )
            self._tokens = Tokens(self._keys.of(self.tenant), self.tenant)
        return self._tokens


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def _apart(spans: list[Span]) -> list[Span]:
    """Spans that do not overlap: of several in one stretch, the most sensitive covers it all."""
    spans.sort(key=lambda span: (span.start, -span.end))
    found: list[Span] = []
    for span in spans:
        last = found[-1] if found else None
        if last is None or span.start >= last.end:
            found.append(span)
            continue
        first = min(last, span, key=lambda s: _PRIORITY.index(s.kind))
        found[-1] = first._replace(start=last.start, end=max(last.end, span.end))
    return found
