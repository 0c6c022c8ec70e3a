"""More forms: those the recognisers learnt after they had missed them, and those they still miss.

`NOT_FOUND` names the forms that go through the gate; nothing is claimed of them.
"""

from collections.abc import Mapping

from benchmarks.privacy_forms import WHOLE_ONLY, Form
from benchmarks.privacy_people import ENGLISH_DIGITS, SPANISH_DIGITS, fours, shift, spelt

__all__ = ["MORE_CARRIERS", "MORE_FORMS", "NOT_FOUND"]

_CHINESE_DIGITS = tuple("零一二三四五六七八九")
_FRENCH_DIGITS = (
    "zéro",
    "un",
    "deux",
    "trois",
    "quatre",
    "cinq",
    "six",
    "sept",
    "huit",
    "neuf",
)

_PHONE = (
    Form("slashes", lambda p: p.dashed("/")),
    Form("underscores", lambda p: p.dashed("_")),
    Form("bullets", lambda p: p.dashed(" • ")),
    Form("tildes", lambda p: p.dashed("~")),
    Form("commas", lambda p: p.dashed(",")),
    Form("tabs", lambda p: p.dashed("\t")),
    Form("tel link", lambda p: f"tel:+1{p.phone}"),
    Form("WhatsApp link", lambda p: f"wa.me/1{p.phone}"),
    Form("001", lambda p: f"001 {p.dashed(' ')}"),
    Form("two groups", lambda p: f"{p.area} {p.exchange}{p.line}"),
    Form("middle in brackets", lambda p: f"{p.area} ({p.exchange}) {p.line}"),
    Form("square brackets", lambda p: f"[{p.area}] {p.exchange}-{p.line}"),
    Form("keycaps", lambda p: "".join(f"{c}\ufe0f\u20e3" for c in p.phone)),
    Form("bold digits", lambda p: shift(p.dashed(), 0x1D7CE)),
    Form("circled digits", lambda p: "".join("⓪①②③④⑤⑥⑦⑧⑨"[int(c)] for c in p.phone)),
    Form("Bengali digits", lambda p: shift(p.phone, 0x09E6)),
    Form("soft hyphens", lambda p: "\u00ad".join(p.dashed())),
    Form("direction marks", lambda p: f"\u202a{p.dashed()}\u202c"),
    Form(
        "words and digits",
        lambda p: f"{spelt(p.area, ENGLISH_DIGITS)} {p.exchange} {spelt(p.line, ENGLISH_DIGITS)}",
        ("en",),
    ),
    Form("words, capitals", lambda p: spelt(p.phone, ENGLISH_DIGITS).upper(), ("en",)),
    Form("oh for zero", lambda p: spelt(p.phone, ENGLISH_DIGITS).replace("zero", "oh"), ("en",)),
    Form("dash in words", lambda p: p.dashed(" dash "), ("en",)),
    Form("letter O", lambda p: f"{p.area}-{p.exchange}-0{p.line[1:]}".replace("0", "O")),
    Form("HTML breaks", lambda p: p.dashed("&lt;br&gt;")),
    Form("Spanish words, commas", lambda p: spelt(p.phone, SPANISH_DIGITS, ", "), ("es",)),
    Form("Chinese numerals", lambda p: spelt(p.phone, _CHINESE_DIGITS, ""), ("zh",)),
    Form("French words", lambda p: spelt(p.phone, _FRENCH_DIGITS), ("fr",)),
    Form("Brazil bare", lambda p: f"119{p.line}{p.line[::-1]}", ("pt",)),
    Form("India with zero", lambda p: f"098{p.area}{p.line}{p.area[0]}", ("hi",)),
    Form("Spain bare", lambda p: f"6{p.exchange[:2]}{p.area}{p.line[:3]}", ("es",)),
)

_EMAIL = (
    Form("{at}", lambda p: f"{p.local}{{at}}{p.host}"),
    Form("AT DOT", lambda p: f"{p.local} AT {p.host.replace('.', ' DOT ')}"),
    Form("_at_ _dot_", lambda p: f"{p.local}_at_{p.host.replace('.', '_dot_')}"),
    Form("-at- -dot-", lambda p: f"{p.local}-at-{p.host.replace('.', '-dot-')}"),
    Form("at only", lambda p: f"{p.local} at {p.host}"),
    Form("arroba punto", lambda p: f"{p.local} arroba {p.host.replace('.', ' punto ')}", ("es",)),
    Form("arobase point", lambda p: f"{p.local} arobase {p.host.replace('.', ' point ')}", ("fr",)),
    Form("spaced dots", lambda p: f"{p.local} @ {p.host.replace('.', ' . ')}"),
    Form("letter by letter", lambda p: " ".join(f"{p.local}@{p.host}")),
    Form("percent", lambda p: f"{p.local}%40{p.host}"),
    Form("entity", lambda p: f"{p.local}&amp;#64;{p.host}"),
    Form("accents", lambda p: f"josé.{p.local}@{p.host}"),
    Form("Chinese domain", lambda p: f"{p.local}@例子.中国"),
    Form("quoted", lambda p: f'"{p.local}"@{p.host}'),
    Form("comma for dot", lambda p: f"{p.local}@{p.host.replace('.', ',')}"),
    Form("double @", lambda p: f"{p.local}@@{p.host}"),
    Form("soft hyphens", lambda p: f"{p.local}@{p.host}".replace("e", "e\u00ad")),
    Form("small @", lambda p: f"{p.local}﹫{p.host}"),
)

_SSN = (
    Form("slashes", lambda p: "/".join(p.ssn)),
    Form("underscores", lambda p: "_".join(p.ssn)),
    Form(
        "threes", lambda p: " ".join(("".join(p.ssn)[:3], "".join(p.ssn)[3:6], "".join(p.ssn)[6:]))
    ),
    Form("digit by digit", lambda p: " ".join("".join(p.ssn))),
    Form("brackets", lambda p: f"({p.ssn[0]}) {p.ssn[1]}-{p.ssn[2]}"),
    Form("two groups", lambda p: f"{p.ssn[0]}{p.ssn[1]}-{p.ssn[2]}"),
    Form("in words", lambda p: spelt("".join(p.ssn), ENGLISH_DIGITS), ("en",)),
    Form("Devanagari digits", lambda p: shift("-".join(p.ssn), 0x0966)),
    Form("soft hyphens", lambda p: "\u00ad".join("-".join(p.ssn))),
    Form("whole: last four", lambda p: f"last four of my social are ⟦{p.ssn[2]}⟧", ("en",)),
    Form("whole: before", lambda p: f"⟦{''.join(p.ssn)}⟧ is my social", ("en",)),
    Form("whole: ITIN", lambda p: f"ITIN 9⟦{p.ssn[0][1:]}-7{p.ssn[1][1:]}-{p.ssn[2]}⟧", ("en",)),
)

_CARD = (
    Form("slashes", lambda p: fours(p.card, "/")),
    Form("digit by digit", lambda p: " ".join(p.card)),
    Form("line breaks", lambda p: fours(p.card, "\n")),
    Form("double spaces", lambda p: fours(p.card, "  ")),
    Form("underscores", lambda p: fours(p.card, "_")),
    Form("en dashes", lambda p: fours(p.card, " – ")),
    Form("Arabic-Indic digits", lambda p: shift(fours(p.card, " "), 0x0660)),
    Form("in words", lambda p: spelt(p.card, ENGLISH_DIGITS), ("en",)),
)

_BANK = (
    Form("IBAN, dots", lambda p: fours(p.iban, ".")),
    Form("IBAN, line break", lambda p: f"{p.iban[:12]}\n{p.iban[12:]}"),
    Form("IBAN, zero-width", lambda p: "\u200b".join(p.iban)),
    Form("IBAN, full-width", lambda p: shift(p.iban, 0xFF10)),
    Form("whole: a/c", lambda p: f"a/c no. ⟦{p.account}⟧", ("en",)),
    Form("whole: checking", lambda p: f"checking ⟦{p.account}⟧ at Chase", ("en",)),
    Form("whole: wire to", lambda p: f"please wire it to ⟦{p.account}⟧", ("en",)),
    Form("whole: ending in", lambda p: f"the account ending in ⟦{p.account[-4:]}⟧", ("en",)),
    Form(
        "whole: ABA dashes",
        lambda p: f"ABA: ⟦{p.routing[:4]}-{p.routing[4:8]}-{p.routing[8]}⟧",
        ("en",),
    ),
    Form("whole: spaced", lambda p: f"account no ⟦{fours(p.account, ' ')}⟧", ("en",)),
    Form(
        "whole: sort code",
        lambda p: f"sort code 20-⟦{p.ssn[1]}-53 account {p.account[:8]}⟧",
        ("en",),
    ),
    Form("whole: pair", lambda p: f"⟦{p.routing} / {p.account}⟧", ("en",)),
    Form("whole: cta.", lambda p: f"cta. ⟦{p.account}⟧ BBVA", ("es",)),
    Form("whole: CLABE", lambda p: f"CLABE 0121⟦{p.account:0>14}⟧", ("es",)),
    Form("whole: agência", lambda p: f"agência 1234 conta ⟦{p.account[:6]}⟧-7", ("pt",)),
    Form("whole: RIB", lambda p: f"RIB 30004 00812 ⟦{p.account:0>11}⟧ 85", ("fr",)),
    Form("whole: 卡号", lambda p: f"工行 622202⟦{p.account:0>13}⟧", ("zh",)),
    Form("whole: IFSC", lambda p: f"IFSC HDFC0001234 A/C ⟦{p.account}⟧", ("hi",)),
)

_SCORE = (
    Form("whole: around", lambda p: f"my credit's around ⟦{p.score}⟧ish", ("en",)),
    Form("whole: came back", lambda p: f"FICO came back at ⟦{p.score}⟧ yesterday", ("en",)),
    Form("whole: beacon", lambda p: f"beacon score ⟦{p.score}⟧", ("en",)),
    Form("whole: bureau", lambda p: f"Experian says ⟦{p.score}⟧", ("en",)),
    Form("whole: rating", lambda p: f"credit rating - ⟦{p.score}⟧", ("en",)),
    Form("whole: solid", lambda p: f"my credit is a solid ⟦{p.score}⟧", ("en",)),
    Form("whole: low", lambda p: f"credit in the low ⟦{p.score[0]}00⟧s", ("en",)),
    Form("whole: of 850", lambda p: f"score: ⟦{p.score}⟧/850", ("en",)),
    Form("whole: after FICO", lambda p: f"⟦{p.score}⟧ FICO, 20% down", ("en",)),
    Form("whole: zero-width", lambda p: f"credit score ⟦{chr(0x200B).join(p.score)}⟧", ("en",)),
    Form("whole: historial", lambda p: f"tengo ⟦{p.score}⟧ puntos de crédito", ("es",)),
    Form("whole: buró", lambda p: f"mi score en buró es ⟦{p.score}⟧", ("es",)),
    Form("whole: cote", lambda p: f"cote de crédit ⟦{p.score}⟧", ("fr",)),
    Form("whole: Serasa", lambda p: f"score Serasa ⟦{p.score}⟧", ("pt",)),
    Form("whole: 信用分", lambda p: f"信用分⟦{p.score}⟧分", ("zh",)),
    Form("whole: CIBIL", lambda p: f"CIBIL स्कोर ⟦{p.score}⟧ है", ("hi",)),
)

_LICENCE = (
    Form("whole: drivers lic.", lambda p: f"drivers lic. no ⟦{p.licence}⟧", ("en",)),
    Form("whole: DLN", lambda p: f"DLN: ⟦{p.licence[0]}{p.area}-{p.line}⟧-0123", ("en",)),
    Form("whole: state", lambda p: f"my license (TX) ⟦{p.account[:8]}⟧", ("en",)),
    Form("whole: DL TX", lambda p: f"DL TX ⟦{p.account[:8]}⟧", ("en",)),
    Form("whole: British number", lambda _: "driving licence ⟦MORGA657054SM9IJ⟧", ("en",)),
    Form("whole: D.L.", lambda p: f"D.L. no. ⟦{p.licence[:1]} {p.licence[1:]}⟧", ("en",)),
    Form("whole: driver ID", lambda p: f"driver's permit ⟦{p.licence}⟧", ("en",)),
    Form("whole: small letters", lambda p: f"drivers license ⟦{p.licence.lower()}⟧", ("en",)),
    Form("whole: carnet", lambda p: f"carnet de conducir ⟦{p.licence}⟧", ("es",)),
    Form("whole: permiso", lambda p: f"permiso de manejo núm. ⟦{p.licence}⟧", ("es",)),
    Form("whole: carteira", lambda p: f"carteira de motorista ⟦{p.account}⟧", ("pt",)),
    Form("whole: 驾驶证", lambda p: f"驾驶证号:⟦{p.licence}⟧", ("zh",)),
    Form("whole: DL Hindi", lambda p: f"DL नंबर MH12 20⟦{p.account[:9]}⟧", ("hi",)),
)

_NAME = (
    Form("whole: here", lambda p: f"Hi, ⟦{p.name}⟧ here, is it still for sale?", ("en",)),
    Form("whole: it's", lambda p: f"it's ⟦{p.given}⟧ from the open house", ("en",)),
    Form("whole: ask for", lambda p: f"call the office and ask for ⟦{p.name}⟧", ("en",)),
    Form("whole: husband", lambda p: f"my husband ⟦{p.given}⟧ wants to see it too", ("en",)),
    Form("whole: dash, last", lambda p: f"We like it a lot\n- ⟦{p.given}⟧", ("en",)),
    Form("whole: name alone, last", lambda p: f"We like it a lot.\n\n⟦{p.name}⟧", ("en",)),
    Form("whole: sentence", lambda p: f"Yesterday ⟦{p.name}⟧ said it was sold", ("en",)),
    Form("whole: buyers", lambda p: f"⟦{p.name}⟧ and family would like a tour", ("en",)),
    Form("whole: Dear", lambda p: f"Dear ⟦{p.given}⟧, is it still for sale?", ("en",)),
    Form("whole: sincerely", lambda p: f"Is it sold? Sincerely, ⟦{p.name}⟧", ("en",)),
    Form("whole: mi nombre", lambda p: f"Mi nombre es ⟦{p.name}⟧.", ("es",)),
    Form("whole: señora", lambda p: f"Pregunte por la Sra. ⟦{p.family}⟧", ("es",)),
    Form("whole: le habla", lambda p: f"Le habla ⟦{p.name}⟧", ("es",)),
    Form("whole: je suis", lambda p: f"Bonjour, je suis ⟦{p.name}⟧", ("fr",)),
    Form("whole: Madame", lambda p: f"Madame ⟦{p.family}⟧ vous rappelle", ("fr",)),
    Form("whole: me chamo", lambda p: f"Oi, me chamo ⟦{p.name}⟧", ("pt",)),
    Form("whole: aqui é", lambda p: f"Aqui é ⟦{p.name}⟧, tudo bem?", ("pt",)),
    Form("whole: 我是", lambda p: f"您好,我是⟦{p.name}⟧", ("zh",)),
    Form("whole: 姓名", lambda p: f"姓名:⟦{p.name}⟧", ("zh",)),
    Form("whole: मैं", lambda p: f"नमस्ते, मैं ⟦{p.name}⟧ बोल रहा हूँ", ("hi",)),
    Form("whole: श्री", lambda p: f"श्री ⟦{p.name}⟧ से मिलें", ("hi",)),
)

_ADDRESS = (
    Form("PO box", lambda p: f"P.O. Box {p.house}", ("en",)),
    Form("unit first", lambda p: f"Unit 5B, {p.house} {p.street} Road", ("en",)),
    Form("highway", lambda p: f"{p.house} Hwy 290 West", ("en",)),
    Form("numbered street", lambda p: f"{p.house} E 7th St", ("en",)),
    Form("no suffix", lambda p: f"{p.house} {p.street}", ("en",)),
    Form("capitals", lambda p: f"{p.house} {p.street} Ct".upper(), ("en",)),
    Form("half", lambda p: f"{p.house} 1/2 {p.street} Lane", ("en",)),
    Form("no number", lambda p: f"{p.street} Street near the school", ("en",)),
    Form("avda.", lambda p: f"Avda. {p.street} nº {p.house}, 2ª izq.", ("es",)),
    Form("carrera", lambda p: f"Carrera 7 # {p.house[:2]}-45", ("es",)),
    Form("bis", lambda p: f"{p.house} bis boulevard {p.street}", ("fr",)),
    Form("av.", lambda p: f"Av. {p.street}, nº {p.house}, apto 12", ("pt",)),
    Form("弄", lambda p: f"上海市{p.street}路{p.house}弄12号", ("zh",)),
    Form("小区", lambda p: f"阳光花园小区{p.area[0]}栋{p.area}", ("zh",)),
    Form("flat", lambda p: f"Flat 302, Sai Apartments, {p.street} रोड, पुणे 411001", ("hi",)),
    Form("गली", lambda p: f"{p.house}, {p.street} नगर, गली नंबर 3", ("hi",)),
)

MORE_FORMS: Mapping[str, tuple[Form, ...]] = {
    "email": _EMAIL, "phone": _PHONE, "ssn": _SSN, "card": _CARD, "bank_account": _BANK,
    "credit_score": _SCORE, "driver_license": _LICENCE, "name": _NAME, "address": _ADDRESS,
}  # fmt: skip

NOT_FOUND: Mapping[str, frozenset[str]] = {
    "phone": frozenset({"HTML breaks"}),
    "name": frozenset({"whole: sentence", "whole: buyers", "whole: told", "whole: हूँ", "whole: जी"}),
    "address": frozenset({"no suffix", "no number", "flat"}),
}
"""By kind, forms that only `known_names`, a model or a person finds."""

MORE_CARRIERS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "email": {
        "en": ("reach us here -> {x}", "Best, Kim {x} sent from my phone"),
        "es": ("mándelo a {x} hoy",),
        "zh": ("联系方式 {x} 即可",),
        "fr": ("contact : {x} svp",),
        "pt": ("manda pra {x} hoje",),
        "hi": ("संपर्क {x} करें",),
    },
    "phone": {
        "en": ("text {x} anytime", "best way to reach us is {x}, mornings", "We can do 3pm. {x}"),
        "es": ("mándeme un WhatsApp al {x}", "contacto {x} de 9 a 5"),
        "zh": ("手机{x}", "微信同号 {x}"),
        "fr": ("joignable au {x}", "tél. {x}"),
        "pt": ("whats {x}", "contato: {x}"),
        "hi": ("मोबाइल {x}", "संपर्क {x}"),
    },
    "ssn": {
        "en": ("for the background check: {x}, social", "SSN# {x}"),
        "es": ("mi social es {x}",),
        "zh": ("SSN {x}",),
        "fr": ("SSN : {x}",),
        "pt": ("SSN: {x}",),
        "hi": ("SSN {x}",),
    },
    "card": {
        "en": ("put the deposit on {x}", "amex/visa {x} cvv 123"),
        "es": ("cobre a {x}",),
        "zh": ("信用卡 {x}",),
        "fr": ("CB {x}",),
        "pt": ("cartão {x}",),
        "hi": ("कार्ड {x}",),
    },
    "bank_account": {
        "en": ("deposit to {x} today", "IBAN {x}."),
        "es": ("ingreso en {x}",),
        "zh": ("转到 {x}",),
        "fr": ("IBAN : {x}",),
        "pt": ("IBAN {x}",),
        "hi": ("IBAN {x}",),
    },
    "credit_score": WHOLE_ONLY,
    "driver_license": WHOLE_ONLY,
    "name": WHOLE_ONLY,
    "address": {
        "en": ("send the papers to {x}", "our place is {x}, come by"),
        "es": ("la casa está en {x}",),
        "zh": ("房子在{x}",),
        "fr": ("la maison est au {x}",),
        "pt": ("a casa fica na {x}",),
        "hi": ("घर {x} में है",),
    },
}  # fmt: skip
