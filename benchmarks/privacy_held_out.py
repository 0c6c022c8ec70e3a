"""Forms and sentences that no recogniser was written for.

They were written down before the recognisers had their present shape, and were not used for
mending one: a form that a recogniser learns moves to `benchmarks.privacy_learnt_forms`, and a
new one takes its place here.
"""

from collections.abc import Mapping

from benchmarks.privacy_forms import WHOLE_ONLY, Form
from benchmarks.privacy_people import ENGLISH_DIGITS, fours, shift, spelt

__all__ = ["HELD_OUT_CARRIERS", "HELD_OUT_FORMS"]

_PHONE = (
    Form("slash after the area", lambda p: f"{p.area}/{p.exchange}-{p.line}"),
    Form("pipe", lambda p: p.dashed("|")),
    Form("equals signs", lambda p: p.dashed("=")),
    Form("plus signs", lambda p: p.dashed("+")),
    Form("angle brackets", lambda p: f"<{p.area}> {p.exchange} {p.line}"),
    Form("stars", lambda p: p.dashed("**")),
    Form("glued to a word", lambda p: f"cell{p.phone}"),
    Form("US in brackets", lambda p: f"(US) {p.dashed()}"),
    Form("tel URI", lambda p: f"tel:{p.dashed()};ext=12"),
    Form("two numbers", lambda p: f"{p.dashed()} / {p.line[:3]}-{p.exchange}-{p.line}", ("en",)),
    Form("line first", lambda p: f"{p.exchange} {p.line} area code {p.area}", ("en",)),
    Form("words, dots", lambda p: spelt(p.phone, ENGLISH_DIGITS, "."), ("en",)),
    Form("mathematical sans", lambda p: shift(p.phone, 0x1D7E2)),
    Form("Myanmar digits", lambda p: shift(p.dashed(" "), 0x1040)),
    Form("Germany", lambda p: f"+49 170 {p.line}{p.area}"),
    Form("Colombia", lambda p: f"3{p.area[:2]} {p.exchange} {p.line}", ("es",)),
    Form("Shanghai", lambda p: f"021-5{p.area}{p.line}", ("zh",)),
    Form("Quebec", lambda p: f"514 {p.exchange}-{p.line}", ("fr",)),
    Form("Lisbon", lambda p: f"21{p.area[0]} {p.line[:3]} {p.exchange}", ("pt",)),
    Form("Delhi", lambda p: f"011-2{p.area}{p.line}", ("hi",)),
)

_EMAIL = (
    Form("semicolons", lambda p: f";{p.local}@{p.host};"),
    Form("slash at", lambda p: f"{p.local}/at/{p.host}"),
    Form("AT in capitals", lambda p: f"{p.local}AT{p.host.upper()}"),
    Form(
        "at sign in words", lambda p: f"{p.local} at sign {p.host.replace('.', ' dot ')}", ("en",)
    ),
    Form("brackets round dots", lambda p: f"{p.local}@{p.host.replace('.', '[.]')}"),
    Form("no-break space", lambda p: f"{p.local}\u00a0@\u00a0{p.host}"),
    Form("apostrophe", lambda p: f"o'{p.local}@{p.host}"),
    Form("tilde", lambda p: f"~{p.local}@{p.host}"),
    Form("long local", lambda p: f"{'a' * 50}.{p.local}@{p.host}"),
    Form("Chinese around", lambda p: f"是{p.local}@{p.host}请", ("zh",)),
)

_SSN = (
    Form("line above", lambda p: f"\n{'-'.join(p.ssn)}"),
    Form("colons", lambda p: ":".join(p.ssn)),
    Form("stars", lambda p: "*".join(p.ssn)),
    Form("double dashes", lambda p: "--".join(p.ssn)),
    Form("bold digits", lambda p: shift("-".join(p.ssn), 0x1D7CE)),
    Form("whole: ends in", lambda p: f"my SSN ends in ⟦{p.ssn[2]}⟧", ("en",)),
    Form("whole: Soc.", lambda p: f"Soc. Sec. # ⟦{' '.join(p.ssn)}⟧", ("en",)),
)

_CARD = (
    Form("stars", lambda p: fours(p.card, "*")),
    Form("letter by group", lambda p: fours(p.card, " . ")),
    Form("zero-width joiners", lambda p: "\u200d".join(p.card)),
    Form("Thai digits", lambda p: shift(fours(p.card, "-"), 0x0E50)),
    Form(
        "words by group",
        lambda p: ", ".join(spelt(g, ENGLISH_DIGITS) for g in fours(p.card, " ").split()),
        ("en",),
    ),
)

_BANK = (
    Form("IBAN, underscores", lambda p: fours(p.iban, "_")),
    Form("IBAN, spread", lambda p: " ".join(p.iban)),
    Form("whole: my account", lambda p: f"my account: ⟦{p.account}⟧", ("en",)),
    Form("whole: acct ending", lambda p: f"acct ending ⟦{p.account[-4:]}⟧", ("en",)),
    Form("whole: Zelle", lambda p: f"Chase ⟦{p.account}⟧ Zelle ok", ("en",)),
    Form("whole: n° cuenta", lambda p: f"nº de cuenta: ⟦{fours(p.account, ' ')}⟧", ("es",)),
    Form("whole: compte bancaire", lambda p: f"compte bancaire ⟦{p.account}⟧", ("fr",)),
    Form("whole: 账户号", lambda p: f"账户号码为⟦{p.account}⟧", ("zh",)),
)

_SCORE = (
    Form("whole: hovering", lambda p: f"my credit score is hovering near ⟦{p.score}⟧", ("en",)),
    Form("whole: plus", lambda p: f"⟦{p.score}⟧+ credit score", ("en",)),
    Form("whole: mid", lambda p: f"FICO mid score ⟦{p.score}⟧", ("en",)),
    Form("whole: quotes", lambda p: f'"creditScore": "⟦{p.score}⟧"', ("en",)),
    Form("whole: puntos", lambda p: f"mi crédito está en ⟦{p.score}⟧", ("es",)),
    Form("whole: 征信", lambda p: f"征信分数⟦{p.score}⟧", ("zh",)),
)

_LICENCE = (
    Form("whole: JSON", lambda p: f'"driver_license": "⟦{p.licence}⟧"', ("en",)),
    Form("whole: D/L", lambda p: f"D/L ⟦{p.licence}⟧", ("en",)),
    Form("whole: license no", lambda p: f"driver license no. is ⟦{p.licence}⟧ (NY)", ("en",)),
    Form("whole: brevet", lambda p: f"permiso de conducción ⟦{p.licence}⟧", ("es",)),
    Form("whole: habilitação", lambda p: f"habilitação ⟦{p.account}⟧", ("pt",)),
    Form("whole: 驾驶证编号", lambda p: f"驾驶证编号为⟦{p.licence}⟧", ("zh",)),
)

_NAME = (
    Form("whole: hello there", lambda p: f"Hello there, I am called ⟦{p.name}⟧", ("en",)),
    Form("whole: contact", lambda p: f"Contact: ⟦{p.name}⟧", ("en",)),
    Form("whole: spouse", lambda p: f"me and ⟦{p.given}⟧ love it", ("en",)),
    Form("whole: from", lambda p: f"Message from ⟦{p.name}⟧: call back", ("en",)),
    Form("whole: warmly", lambda p: f"We love it.\nWarmly,\n⟦{p.name}⟧", ("en",)),
    Form("whole: Dr.", lambda p: f"Dr. ⟦{p.family}⟧ wants a tour", ("en",)),
    Form("whole: señor", lambda p: f"el señor ⟦{p.family}⟧ llamó", ("es",)),
    Form("whole: atte.", lambda p: f"Gracias.\nAtte.,\n⟦{p.name}⟧", ("es",)),
    Form("whole: M.", lambda p: f"M. ⟦{p.family}⟧ rappellera", ("fr",)),
    Form("whole: Sr.", lambda p: f"fale com o Sr. ⟦{p.family}⟧", ("pt",)),
    Form("whole: 叫", lambda p: f"我的名字叫⟦{p.name}⟧。", ("zh",)),
    Form("whole: नाम", lambda p: f"नाम: ⟦{p.name}⟧", ("hi",)),
)

_ADDRESS = (
    Form("direction after", lambda p: f"{p.house} {p.street} St. NE, Unit 3", ("en",)),
    Form("plaza", lambda p: f"{p.house} {p.street} Plaza", ("en",)),
    Form("zip only", lambda p: f"{p.house} {p.street} Ave, 10001", ("en",)),
    Form("number sign", lambda p: f"#{p.house} {p.street} Lane", ("en",)),
    Form("avenida s/n", lambda p: f"Avenida {p.street} {p.house}, 28013 Madrid", ("es",)),
    Form("cours", lambda p: f"{p.house} cours {p.street}", ("fr",)),
    Form("alameda", lambda p: f"Alameda {p.street}, {p.house}", ("pt",)),
    Form("大道", lambda p: f"{p.street}大道{p.house}号{p.area}室", ("zh",)),
    Form("नगर", lambda p: f"{p.house}, {p.street} नगर", ("hi",)),
)

HELD_OUT_FORMS: Mapping[str, tuple[Form, ...]] = {
    "email": _EMAIL, "phone": _PHONE, "ssn": _SSN, "card": _CARD, "bank_account": _BANK,
    "credit_score": _SCORE, "driver_license": _LICENCE, "name": _NAME, "address": _ADDRESS,
}  # fmt: skip

HELD_OUT_CARRIERS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "email": {
        "en": ("drop me a line {x} ok", "we are {x}!"),
        "es": ("es {x} ¿vale?",),
        "zh": ("发邮件{x}",),
        "fr": ("voici {x}",),
        "pt": ("anota aí {x}",),
        "hi": ("लिखिए {x}",),
    },
    "phone": {
        "en": ("we pick up at {x} all day", "{x} is best", "ask at the desk, {x}"),
        "es": ("anote {x}", "mi casa {x} noches"),
        "zh": ("拨{x}", "{x}找我"),
        "fr": ("notez {x}", "au bureau {x}"),
        "pt": ("anota {x}", "chama no {x}"),
        "hi": ("लगाइए {x}", "{x} पर मिलेंगे"),
    },
    "ssn": {
        "en": ("for the application, SSN is {x} ok", "social sec {x}"),
        "es": ("seguro social mío {x}",),
        "zh": ("我的SSN是 {x}",),
        "fr": ("mon SSN {x}",),
        "pt": ("meu SSN {x}",),
        "hi": ("मेरा SSN {x}",),
    },
    "card": {
        "en": ("bill {x} today", "debit {x}"),
        "es": ("débito {x}",),
        "zh": ("付款 {x}",),
        "fr": ("débitez {x}",),
        "pt": ("débito {x}",),
        "hi": ("डेबिट {x}",),
    },
    "bank_account": {
        "en": ("send the deposit back to {x}",),
        "es": ("transferencia a {x}",),
        "zh": ("汇款至 {x}",),
        "fr": ("virement à {x}",),
        "pt": ("transferência para {x}",),
        "hi": ("भेजें {x}",),
    },
    "credit_score": WHOLE_ONLY,
    "driver_license": WHOLE_ONLY,
    "name": WHOLE_ONLY,
    "address": {
        "en": ("meet me outside {x} at noon", "selling {x} too"),
        "es": ("quedamos en {x} a las diez",),
        "zh": ("看{x}的房子",),
        "fr": ("visite au {x} demain",),
        "pt": ("visita na {x} amanhã",),
        "hi": ("देखना है {x}",),
    },
}  # fmt: skip
