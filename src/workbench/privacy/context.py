"""What the words beside a number say it is."""

import re

from workbench.privacy.view import MASK

__all__ = ["is_amount", "is_phone_labelled", "is_reference"]

_LEFT, _RIGHT = 40, 14
_FILL = rf"[^0-9{MASK}]{{0,24}}"
_PHONE = re.compile(
    r"(?:\b(?:call|ring|text|txt|(?:tele|i|smart)?phone|tel|cell|mobile|whats(?:\s?app)?|reach|contact"
    r"|number|fax|ph|sms|dial|tel[ée]fono|celular|m[óo]vil|ll[áa]m\w+|n[úu]mero|marc\w+|whatsapp"
    r"|num[ée]ro|appel\w+|joignable|portable|t[ée]l[ée]phone|t[ée]l|telefone|fone|ligue|ligar"
    r"|contato|contacto|celular)\b|电话|手机|致电|号码|联系|微信|打|फ़ोन|फोन|मोबाइल|नंबर|संपर्क|कॉल)"
    rf"{_FILL}$",
    re.IGNORECASE,
)  # fmt: skip
_REFERENCE = re.compile(
    r"(?:\b(?:mls|listing|ref|reference|parcel|apn|lot|case|order|invoice|permit|id|block|folio"
    r"|referencia|expediente|r[ée]f[ée]rence|refer[êe]ncia|dossier|processo)\b"
    r"|房源|编号|参考|लिस्टिंग|संदर्भ)"
    r"(?:\W{0,3}(?:number|num|no|nr|n[º°]|id|is)\b)?[^0-9A-Za-z]{0,4}$",
    re.IGNORECASE,
)
_BEFORE_AMOUNT = re.compile(
    r"(?:[$€£¥₹₩]|\b(?:usd|eur|gbp|inr|mxn|brl|cny|rmb|rs\.?))\s?(?:[0-9.,]{0,12}\s?(?:-|to)\s?)?$",
    re.IGNORECASE,
)
_AFTER_AMOUNT = re.compile(
    r"\s?(?:[€£¥₹$%](?![0-9])|(?:usd|eur|euros?|dollars?|bucks|pesos|reais|rupees|mxn|k|sq|sf|sqft|ft|feet"
    r"|m2|m²|meters|metres|metros|m[èe]tres|acres?|beds?|baths?|per|years?|homes|units)\b"
    r"|/\s?(?:mo|yr|sq)|a month|al mes|par mois|por m[êe]s|元|万|平|रुपये|वर्ग|लाख)",
    re.IGNORECASE,
)  # fmt: skip


def is_phone_labelled(text: str, start: int) -> bool:
    """Whether the words before a position announce a telephone number."""
    return _PHONE.search(text[max(0, start - _LEFT) : start]) is not None


def is_reference(text: str, start: int) -> bool:
    """Whether the words before a position announce a reference: a listing, a parcel, a file."""
    return _REFERENCE.search(text[max(0, start - _LEFT) : start]) is not None


def is_amount(text: str, start: int, end: int) -> bool:
    """Whether a currency or a unit stands at either side."""
    return (
        _AFTER_AMOUNT.match(text, end, end + _RIGHT) is not None
        or _BEFORE_AMOUNT.search(text[max(0, start - _LEFT) : start]) is not None
    )
