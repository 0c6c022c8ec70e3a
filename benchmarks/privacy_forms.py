"""How identifiers are written down: the forms the recognisers were written for."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from benchmarks.privacy_people import ENGLISH_DIGITS, SPANISH_DIGITS, Person, fours, shift, spelt

__all__ = ["CARRIERS", "FORMS", "WHOLE_ONLY", "Form"]


class Form(NamedTuple):
    """One way of writing a kind of identifier.

    Parameters
    ----------
    name
        Of the form; ``whole: …`` where it is a sentence of its own, the identifier between ⟦ and
        ⟧; ``…, last`` where nothing may follow.
    write
        Writes the identifier of a person.
    languages
        Those it occurs in.
    """

    name: str
    write: Callable[[Person], str]
    languages: tuple[str, ...] = ("en", "es", "zh", "fr", "pt", "hi")


_PHONE = (
    Form("dashes", lambda p: p.dashed()),
    Form("dots", lambda p: p.dashed(".")),
    Form("spaces", lambda p: p.dashed(" ")),
    Form("parentheses", lambda p: f"({p.area}) {p.exchange}-{p.line}"),
    Form("parentheses, tight", lambda p: f"({p.area}){p.exchange}-{p.line}"),
    Form("bare", lambda p: p.phone),
    Form("+1", lambda p: f"+1 {p.dashed(' ')}"),
    Form("+1 bare", lambda p: f"+1{p.phone}"),
    Form("1-", lambda p: f"1-{p.dashed()}"),
    Form("extension", lambda p: f"{p.dashed()} ext. {p.draw.randrange(10, 999)}"),
    Form("x extension", lambda p: f"({p.area}) {p.exchange}-{p.line} x{p.draw.randrange(10, 999)}"),
    Form("en dashes", lambda p: p.dashed("–")),
    Form("non-breaking hyphens", lambda p: p.dashed("\u2011")),
    Form("minus signs", lambda p: p.dashed("\u2212")),
    Form("non-breaking spaces", lambda p: p.dashed("\u00a0")),
    Form("zero-width spaces", lambda p: "\u200b".join(p.dashed())),
    Form("zero-width joiner inside", lambda p: p.dashed().replace("-", "\u200d-")),
    Form("full-width", lambda p: shift(p.phone, 0xFF10)),
    Form("full-width, dashed", lambda p: shift(p.dashed("－"), 0xFF10)),
    Form("Arabic-Indic digits", lambda p: shift(p.dashed(), 0x0660)),
    Form("line break", lambda p: p.dashed("\n")),
    Form("dash and line break", lambda p: f"{p.area}-{p.exchange}-\n{p.line}"),
    Form("spaced dashes", lambda p: p.dashed(" - ")),
    Form("digit by digit", lambda p: " ".join(p.phone)),
    Form("in words", lambda p: spelt(p.phone, ENGLISH_DIGITS), ("en",)),
    Form("in words, hyphens", lambda p: spelt(p.phone, ENGLISH_DIGITS, "-"), ("en",)),
    Form("in Spanish words", lambda p: spelt(p.phone, SPANISH_DIGITS), ("es",)),
    Form("local", lambda p: f"{p.exchange}-{p.line}", ("en",)),
    Form("Spain", lambda p: f"6{p.exchange[:2]} {p.area} {p.line[:3]}", ("es",)),
    Form("Spain, pairs", lambda p: f"+34 6{p.area[:2]} {p.line[:2]} {p.line[2:]} 41", ("es",)),
    Form("Mexico", lambda p: f"55 {p.line} {p.line[::-1]}", ("es",)),
    Form("China mobile", lambda p: f"13{p.area[0]}{p.line}{p.line[::-1]}", ("zh",)),
    Form("China spaced", lambda p: f"+86 13{p.area[0]} {p.line} {p.line[::-1]}", ("zh",)),
    Form("France", lambda p: f"06 {p.line[:2]} {p.line[2:]} {p.area[:2]} 17", ("fr",)),
    Form("France abroad", lambda p: f"+33 6 {p.line[:2]} {p.line[2:]} {p.area[:2]} 17", ("fr",)),
    Form("France dots", lambda p: f"06.{p.line[:2]}.{p.line[2:]}.{p.area[:2]}.17", ("fr",)),
    Form("Brazil", lambda p: f"(11) 9{p.line}-{p.line[::-1]}", ("pt",)),
    Form("Portugal", lambda p: f"91{p.area[0]} {p.exchange} {p.area}", ("pt",)),
    Form("India", lambda p: f"98{p.area} {p.line}{p.area[0]}", ("hi",)),
    Form("India abroad", lambda p: f"+91-98{p.area}{p.line}{p.area[0]}", ("hi",)),
    Form("Devanagari digits", lambda p: shift(f"98{p.area}{p.line}{p.area[0]}", 0x0966), ("hi",)),
)

_EMAIL = (
    Form("plain", lambda p: f"{p.local}@{p.host}"),
    Form("capitals", lambda p: f"{p.local}@{p.host}".upper()),
    Form("plus", lambda p: f"{p.local}+home@{p.host}"),
    Form("whole: mailto", lambda p: f"mailto:⟦{p.local}@{p.host}⟧"),
    Form("angle brackets", lambda p: f"<{p.local}@{p.host}>"),
    Form("escaped brackets", lambda p: f"&lt;{p.local}@{p.host}&gt;"),
    Form("(at)", lambda p: f"{p.local}(at){p.host}"),
    Form("[at] spaced", lambda p: f"{p.local} [at] {p.host}"),
    Form("(at) and (dot)", lambda p: f"{p.local} (at) {p.host.replace('.', ' (dot) ')}"),
    Form("at and dot", lambda p: f"{p.local} at {p.host.replace('.', ' dot ')}"),
    Form("spaced @", lambda p: f"{p.local} @ {p.host}"),
    Form("full-width @", lambda p: f"{p.local}＠{p.host}"),
    Form("full-width dots", lambda p: f"{p.local}@{p.host.replace('.', '．')}"),
    Form("zero-width", lambda p: "\u200b".join(f"{p.local}@{p.host}")),
    Form("line break", lambda p: f"{p.local}@\n{p.host}"),
)

_SSN = (
    Form("dashes", lambda p: "-".join(p.ssn)),
    Form("spaces", lambda p: " ".join(p.ssn)),
    Form("dots", lambda p: ".".join(p.ssn)),
    Form("en dashes", lambda p: "–".join(p.ssn)),
    Form("non-breaking hyphens", lambda p: "\u2011".join(p.ssn)),
    Form("full-width", lambda p: shift("－".join(p.ssn), 0xFF10)),
    Form("zero-width", lambda p: "\u200b".join("-".join(p.ssn))),
    Form("line break", lambda p: "-\n".join(p.ssn)),
    Form("spaced dashes", lambda p: " - ".join(p.ssn)),
    Form("bare", lambda p: "".join(p.ssn)),
)

_CARD = (
    Form("fours", lambda p: fours(p.card, " ")),
    Form("dashes", lambda p: fours(p.card, "-")),
    Form("dots", lambda p: fours(p.card, ".")),
    Form("bare", lambda p: p.card),
    Form("American Express", lambda p: f"{p.amex[:4]} {p.amex[4:10]} {p.amex[10:]}"),
    Form("full-width", lambda p: shift(p.card, 0xFF10)),
    Form("zero-width", lambda p: "\u200b".join(p.card)),
)

_BANK = (
    Form("IBAN", lambda p: p.iban),
    Form("IBAN, fours", lambda p: fours(p.iban, " ")),
    Form("IBAN, dashes", lambda p: fours(p.iban, "-")),
    Form("IBAN, small letters", lambda p: fours(p.iban.lower(), " ")),
    Form("IBAN, non-breaking", lambda p: fours(p.iban, "\u00a0")),
    Form("whole: account number", lambda p: f"Account number ⟦{p.account}⟧", ("en",)),
    Form("whole: acct #", lambda p: f"my acct #⟦{p.account}⟧ at Chase", ("en",)),
    Form(
        "whole: routing and account",
        lambda p: f"routing ⟦{p.routing}, account {p.account}⟧",
        ("en",),
    ),
    Form("whole: routing", lambda p: f"ABA routing number: ⟦{p.routing}⟧", ("en",)),
    Form("whole: cuenta", lambda p: f"mi número de cuenta es ⟦{p.account}⟧", ("es",)),
    Form("whole: compte", lambda p: f"numéro de compte : ⟦{p.account}⟧", ("fr",)),
    Form("whole: conta", lambda p: f"conta corrente nº ⟦{p.account}⟧", ("pt",)),
    Form("whole: 账号", lambda p: f"银行账号:⟦{p.account}⟧", ("zh",)),
    Form("whole: खाता", lambda p: f"खाता संख्या ⟦{p.account}⟧", ("hi",)),
)

_SCORE = (
    Form("whole: credit score", lambda p: f"My credit score is ⟦{p.score}⟧.", ("en",)),
    Form("whole: colon", lambda p: f"Credit score: ⟦{p.score}⟧", ("en",)),
    Form("whole: field", lambda p: f"credit_score=⟦{p.score}⟧", ("en",)),
    Form("whole: FICO", lambda p: f"FICO ⟦{p.score}⟧, pre-approved", ("en",)),
    Form("whole: after", lambda p: f"we have a ⟦{p.score}⟧ credit score", ("en",)),
    Form("whole: about", lambda p: f"credit score of about ⟦{p.score}⟧", ("en",)),
    Form("whole: full-width", lambda p: f"credit score ⟦{shift(p.score, 0xFF10)}⟧", ("en",)),
    Form("whole: puntaje", lambda p: f"Mi puntaje de crédito es ⟦{p.score}⟧", ("es",)),
    Form("whole: score de crédit", lambda p: f"mon score de crédit est de ⟦{p.score}⟧", ("fr",)),
    Form("whole: pontuação", lambda p: f"minha pontuação de crédito é ⟦{p.score}⟧", ("pt",)),
    Form("whole: 信用评分", lambda p: f"我的信用评分是⟦{p.score}⟧", ("zh",)),
    Form("whole: क्रेडिट स्कोर", lambda p: f"मेरा क्रेडिट स्कोर ⟦{p.score}⟧ है", ("hi",)),
)

_LICENCE = (
    Form("whole: driver's license", lambda p: f"My driver's license is ⟦{p.licence}⟧", ("en",)),
    Form("whole: number", lambda p: f"Driver license number: ⟦{p.licence}⟧", ("en",)),
    Form("whole: DL#", lambda p: f"DL# ⟦{p.licence}⟧", ("en",)),
    Form("whole: British", lambda p: f"driving licence no. ⟦{p.licence}⟧", ("en",)),
    Form(
        "whole: groups",
        lambda p: f"driver’s license ⟦{p.licence[0]}{p.area}-{p.exchange}-{p.ssn[1]}-{p.area}⟧-0",
        ("en",),
    ),
    Form("whole: licencia", lambda p: f"Mi licencia de conducir es ⟦{p.licence}⟧", ("es",)),
    Form("whole: permis", lambda p: f"permis de conduire n° ⟦{p.licence}⟧", ("fr",)),
    Form("whole: CNH", lambda p: f"minha CNH é ⟦{p.account}⟧", ("pt",)),
    Form("whole: 驾照", lambda p: f"驾照号码⟦{p.licence}⟧", ("zh",)),
    Form("whole: लाइसेंस", lambda p: f"ड्राइविंग लाइसेंस नंबर ⟦{p.licence}⟧", ("hi",)),
)

_NAME = (
    Form("whole: my name is", lambda p: f"My name is ⟦{p.name}⟧ and I saw the listing", ("en",)),
    Form(
        "whole: small letters",
        lambda p: f"hi my name is ⟦{p.name.lower()}⟧ and i saw the listing",
        ("en",),
    ),
    Form("whole: this is", lambda p: f"This is ⟦{p.name}⟧, calling about the house", ("en",)),
    Form("whole: I'm", lambda p: f"I'm ⟦{p.name}⟧. Is it still available?", ("en",)),
    Form("whole: title", lambda p: f"Please tell Mr. ⟦{p.family}⟧ we like it", ("en",)),
    Form("whole: signature", lambda p: f"We like it.\nThanks,\n⟦{p.name}⟧", ("en",)),
    Form("whole: regards", lambda p: f"We like it. Best regards, ⟦{p.name}⟧", ("en",)),
    Form("whole: field", lambda p: f"- Name: ⟦{p.name}⟧", ("en",)),
    Form("whole: me llamo", lambda p: f"Hola, me llamo ⟦{p.name}⟧ y busco casa", ("es",)),
    Form("whole: soy", lambda p: f"Soy ⟦{p.name}⟧, quiero verla", ("es",)),
    Form("whole: saludos", lambda p: f"Me interesa. Saludos, ⟦{p.name}⟧", ("es",)),
    Form("whole: je m'appelle", lambda p: f"Je m'appelle ⟦{p.name}⟧ et je cherche", ("fr",)),
    Form("whole: cordialement", lambda p: f"Merci.\nCordialement,\n⟦{p.name}⟧", ("fr",)),
    Form("whole: meu nome", lambda p: f"Meu nome é ⟦{p.name}⟧ e procuro casa", ("pt",)),
    Form("whole: 我叫", lambda p: f"你好,我叫⟦{p.name}⟧,想看房", ("zh",)),
    Form("whole: 先生", lambda p: f"请联系⟦{p.family}⟧先生", ("zh",)),
    Form("whole: मेरा नाम", lambda p: f"मेरा नाम ⟦{p.name}⟧ है", ("hi",)),
)

_ADDRESS = (
    Form("street", lambda p: f"{p.house} {p.street} Street", ("en",)),
    Form("abbreviated", lambda p: f"{p.house} N {p.street} Ave, Apt {p.area[0]}B", ("en",)),
    Form("with city", lambda p: f"{p.house} {p.street} Rd, Austin, TX 78701", ("en",)),
    Form("small letters", lambda p: f"{p.house} {p.street.lower()} drive", ("en",)),
    Form("unit", lambda p: f"{p.house} {p.street} Blvd. #{p.area}", ("en",)),
    Form("calle", lambda p: f"Calle {p.street} {p.house}", ("es",)),
    Form("C/", lambda p: f"C/ {p.street}, {p.house}, 3º B", ("es",)),
    Form("rue", lambda p: f"{p.house} rue {p.street}", ("fr",)),
    Form("rue with town", lambda p: f"{p.house}, avenue {p.street}, 75011 Paris", ("fr",)),
    Form("rua", lambda p: f"Rua {p.street}, {p.house}", ("pt",)),
    Form("路号", lambda p: f"{p.street}路{p.house}号", ("zh",)),
    Form("路号室", lambda p: f"北京市朝阳区{p.street}路{p.house}号3单元{p.area}室", ("zh",)),
    Form("मार्ग", lambda p: f"मकान नंबर {p.house}, {p.street} मार्ग", ("hi",)),
)

FORMS: Mapping[str, tuple[Form, ...]] = {
    "email": _EMAIL, "phone": _PHONE, "ssn": _SSN, "card": _CARD, "bank_account": _BANK,
    "credit_score": _SCORE, "driver_license": _LICENCE, "name": _NAME, "address": _ADDRESS,
}  # fmt: skip

WHOLE_ONLY = dict.fromkeys(("en", "es", "zh", "fr", "pt", "hi"), ("{x}",))
"""Carriers of a kind whose forms are all sentences."""

CARRIERS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "email": {
        "en": ("Write to {x} please", "{x}", "my email is {x}, budget $550,000"),
        "es": ("Escríbame a {x} por favor", "mi correo es {x}"),
        "zh": ("我的邮箱是 {x} 谢谢", "请发到 {x}"),
        "fr": ("Écrivez à {x} merci", "mon adresse est {x}"),
        "pt": ("Escreva para {x} por favor", "meu e-mail é {x}"),
        "hi": ("मेरा ईमेल {x} है", "{x} पर लिखें"),
    },
    "phone": {
        "en": ("Call me at {x} after six.", "{x}", "My cell is {x}, budget $550,000"),
        "es": ("Llámame al {x} por la tarde", "mi teléfono es {x}, gracias"),
        "zh": ("我的电话是{x},谢谢", "请打 {x}"),
        "fr": ("Appelez-moi au {x} ce soir", "mon numéro est le {x}"),
        "pt": ("Meu telefone é {x}", "Ligue para {x} à tarde"),
        "hi": ("मेरा फ़ोन नंबर {x} है", "{x} पर कॉल करें"),
    },
    "ssn": {
        "en": ("My SSN is {x}.", "social security number {x}, thanks", "ssn: {x}"),
        "es": ("Mi número de seguro social es {x}", "seguro social: {x}"),
        "zh": ("我的社会安全号是{x}", "社安号:{x}"),
        "fr": ("Mon numéro de sécurité sociale est {x}",),
        "pt": ("Meu número de segurança social é {x}", "seguro social {x}"),
        "hi": ("मेरा सोशल सिक्योरिटी नंबर {x} है",),
    },
    "card": {
        "en": ("Card {x} exp 12/29", "{x}", "charge my visa {x} please"),
        "es": ("Mi tarjeta es {x}",),
        "zh": ("我的卡号是{x}",),
        "fr": ("Ma carte : {x}",),
        "pt": ("Meu cartão é {x}",),
        "hi": ("मेरा कार्ड {x} है",),
    },
    "bank_account": {
        "en": ("Wire from {x} please", "{x}"),
        "es": ("La cuenta es {x}",),
        "zh": ("账户 {x}",),
        "fr": ("Virement depuis {x}",),
        "pt": ("Transfira para {x}",),
        "hi": ("खाता {x}",),
    },
    "credit_score": WHOLE_ONLY,
    "driver_license": WHOLE_ONLY,
    "name": WHOLE_ONLY,
    "address": {
        "en": ("I live at {x}.", "We saw {x} yesterday", "{x}"),
        "es": ("Vivo en {x}", "Mi dirección: {x}"),
        "zh": ("我住在{x}", "地址:{x}"),
        "fr": ("J'habite au {x}", "Adresse : {x}"),
        "pt": ("Moro na {x}", "Endereço: {x}"),
        "hi": ("मेरा पता {x} है", "{x}"),
    },
}  # fmt: skip
