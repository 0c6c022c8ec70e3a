"""Forms of a second round: missed first, then learnt, or missed for good."""

from collections.abc import Mapping

from benchmarks.privacy_forms import WHOLE_ONLY, Form
from benchmarks.privacy_people import ENGLISH_DIGITS, fours, shift, spelt

__all__ = ["LEARNT_CARRIERS", "LEARNT_FORMS"]

_PHONE = (
    Form("bracket and dash", lambda p: f"({p.area})-{p.exchange}-{p.line}"),
    Form("dot then dash", lambda p: f"{p.area}.{p.exchange}-{p.line}"),
    Form("+1 dots", lambda p: f"+1.{p.dashed('.')}"),
    Form("(+1)", lambda p: f"(+1) {p.dashed()}"),
    Form("1 and brackets", lambda p: f"1 ({p.area}) {p.exchange}-{p.line}"),
    Form("pairs at the end", lambda p: f"{p.area} {p.exchange} {p.line[:2]} {p.line[2:]}"),
    Form("colons", lambda p: p.dashed(":")),
    Form("double spaces", lambda p: "  ".join(" ".join(x) for x in p.dashed().split("-"))),
    Form("hash", lambda p: f"#{p.phone}"),
    Form("c:", lambda p: f"c:{p.dashed()}"),
    Form("glued ext", lambda p: f"+1 ({p.area}) {p.exchange} {p.line} ext{p.draw.randrange(99)}"),
    Form("long vowel marks", lambda p: shift(p.dashed("ー"), 0xFF10)),
    Form("degree signs", lambda p: p.dashed("°")),
    Form("ideographic spaces", lambda p: shift(p.dashed("\u3000"), 0xFF10)),
    Form("Persian digits", lambda p: shift(p.phone, 0x06F0)),
    Form("Thai digits", lambda p: shift(p.dashed(), 0x0E50)),
    Form(
        "word in the middle",
        lambda p: f"{p.area}-{spelt(p.exchange, ENGLISH_DIGITS)}-{p.line}",
        ("en",),
    ),
    Form(
        "digits, then words",
        lambda p: f"{p.area} {p.exchange}, {spelt(p.line, ENGLISH_DIGITS)}",
        ("en",),
    ),
    Form("Britain", lambda p: f"+44 20 79{p.line[:2]} {p.line}"),
    Form("British mobile", lambda p: f"07700 9{p.line}{p.area[0]}", ("en",)),
    Form("India dashed", lambda p: f"+91 98{p.area}-{p.line}{p.area[0]}", ("hi",)),
    Form("China dashed", lambda p: f"13{p.area[0]}-{p.line}-{p.line[::-1]}", ("zh",)),
    Form("Beijing", lambda p: f"010-65{p.line[:2]}-{p.line}", ("zh",)),
    Form("Brazil abroad", lambda p: f"+55 11 9{p.line}-{p.line[::-1]}", ("pt",)),
    Form("(0) kept", lambda p: f"+33 (0)6 {p.line[:2]} {p.line[2:]} {p.area[:2]} 17", ("fr",)),
    Form("Spain dots", lambda p: f"6{p.exchange[:2]}.{p.area}.{p.line[:3]}", ("es",)),
    Form("Spain dashes", lambda p: f"6{p.area[:2]}-{p.line[:2]}-{p.line[2:]}-41", ("es",)),
    Form("Mexico abroad", lambda p: f"+52 1 55 {p.line} {p.line[::-1]}", ("es",)),
)

_EMAIL = (
    Form("space before @", lambda p: f"{p.local} @{p.host}"),
    Form("space after @", lambda p: f"{p.local}@ {p.host}"),
    Form("(@)", lambda p: f"{p.local}(@){p.host}"),
    Form("full stop after", lambda p: f"{p.local}@{p.host}."),
    Form("[AT] [DOT]", lambda p: f"{p.local} [AT] {p.host.replace('.', ' [DOT] ')}".upper()),
    Form("(a)", lambda p: f"{p.local}(a){p.host}"),
    Form("@ and dot", lambda p: f"{p.local} @ {p.host.replace('.', ' dot ')}"),
    Form("guillemets", lambda p: f"{p.local}«at»{p.host}"),
    Form("joiner", lambda p: f"{p.local}\u200d@{p.host}"),
    Form("long ending", lambda p: f"{p.local}@example.photography"),
    Form("Indian host", lambda p: f"{p.local}@mail-01.example.co.in"),
    Form("Devanagari", lambda p: f"संपर्क{p.local}@उदाहरण.भारत"),
    Form("punycode", lambda p: f"{p.local}@xn--fsqu00a.com"),
    Form("whole: glued label", lambda p: f"email:⟦{p.local}@{p.host}⟧,"),
    Form(
        "full-width letters",
        lambda p: "".join(
            chr(ord(c) + 0xFEE0) if c.isascii() else c for c in f"{p.local}@{p.host}"
        ),
    ),
    Form("two", lambda p: f"{p.local}@{p.host}/{p.local}2@{p.host}"),
)

_SSN = (
    Form("equals", lambda p: f"={''.join(p.ssn)}"),
    Form("mixed", lambda p: f"{p.ssn[0]}.{p.ssn[1]}-{p.ssn[2]}"),
    Form("ideographic spaces", lambda p: shift("\u3000".join(p.ssn), 0xFF10)),
    Form("in brackets", lambda p: f"({'-'.join(p.ssn)})"),
    Form(
        "words, commas", lambda p: ", ".join(spelt(part, ENGLISH_DIGITS) for part in p.ssn), ("en",)
    ),
    Form("Thai digits", lambda p: shift("-".join(p.ssn), 0x0E50)),
    Form("whole: soc sec", lambda p: f"soc sec no ⟦{''.join(p.ssn)}⟧", ("en",)),
    Form("whole: SS#", lambda p: f"SS# ⟦{''.join(p.ssn)}⟧", ("en",)),
    Form("whole: tax id", lambda p: f"tax id ⟦{'-'.join(p.ssn)}⟧", ("en",)),
    Form("whole: masked", lambda p: f"SSN ***-**-⟦{p.ssn[2]}⟧", ("en",)),
    Form("whole: NSS", lambda p: f"NSS ⟦{''.join(p.ssn)}⟧", ("es",)),
)

_CARD = (
    Form("dash and space", lambda p: f"{p.card[:4]}-{p.card[4:8]} {p.card[8:12]}-{p.card[12:]}"),
    Form("whole: with expiry", lambda p: f"⟦{p.card}⟧ 12/29 123"),
    Form("non-breaking", lambda p: fours(p.card, "\u00a0")),
    Form("commas", lambda p: fours(p.card, ",")),
    Form("in brackets", lambda p: f"({fours(p.card, ' ')})"),
    Form("soft hyphens", lambda p: "\u00ad".join(p.card)),
    Form("whole: ending", lambda p: f"the Visa ending in ⟦{p.card[-4:]}⟧", ("en",)),
)

_BANK = (
    Form("IBAN, glued label", lambda p: f"IBAN:{p.iban}"),
    Form("IBAN, slashes", lambda p: fours(p.iban, "/")),
    Form("IBAN, soft hyphens", lambda p: "\u00ad".join(p.iban)),
    Form("whole: acc no", lambda p: f"acc no ⟦{p.account}⟧", ("en",)),
    Form("whole: groups", lambda p: f"account no.: ⟦{fours(p.account, '-')}⟧", ("en",)),
    Form("whole: bank acct is", lambda p: f"bank acct is ⟦{p.account}⟧", ("en",)),
    Form("whole: RTN", lambda p: f"RTN ⟦{p.routing}⟧", ("en",)),
    Form("whole: routing#", lambda p: f"routing# ⟦{p.routing}⟧", ("en",)),
    Form("whole: direct deposit", lambda p: f"direct deposit into ⟦{p.account}⟧", ("en",)),
    Form("whole: bancaria", lambda p: f"cuenta bancaria ⟦{p.account}⟧", ("es",)),
    Form("whole: N° de compte", lambda p: f"N° de compte ⟦{p.account}⟧", ("fr",)),
    Form("whole: poupança", lambda p: f"conta poupança ⟦{p.account[:7]}⟧-6", ("pt",)),
    Form("whole: 银行卡号", lambda p: f"银行卡号 ⟦{p.account}⟧", ("zh",)),
    Form("whole: बैंक", lambda p: f"बैंक खाता ⟦{p.account}⟧", ("hi",)),
)

_SCORE = (
    Form("whole: equals", lambda p: f"credit score = ⟦{p.score}⟧", ("en",)),
    Form("whole: Karma", lambda p: f"my score's ⟦{p.score}⟧ on Credit Karma", ("en",)),
    Form("whole: TransUnion", lambda p: f"TransUnion ⟦{p.score}⟧", ("en",)),
    Form("whole: credit after", lambda p: f"we both have ⟦{p.score}⟧ credit", ("en",)),
    Form("whole: spaced", lambda p: f"credit score ⟦{' '.join(p.score)}⟧", ("en",)),
    Form("whole: FICO-", lambda p: f"FICO-⟦{p.score}⟧", ("en",)),
    Form("whole: FICO 8", lambda p: f"FICO 8 score: ⟦{p.score}⟧", ("en",)),
    Form("whole: Vantage", lambda p: f"VantageScore ⟦{p.score}⟧", ("en",)),
    Form("whole: scores", lambda p: f"our credit scores are 702 and ⟦{p.score}⟧", ("en",)),
    Form("whole: crediticio", lambda p: f"puntaje crediticio ⟦{p.score}⟧", ("es",)),
    Form("whole: crédito tengo", lambda p: f"de crédito tengo ⟦{p.score}⟧", ("es",)),
    Form("whole: pointage", lambda p: f"pointage de crédit : ⟦{p.score}⟧", ("fr",)),
    Form("whole: escore", lambda p: f"meu escore é ⟦{p.score}⟧", ("pt",)),
    Form("whole: 信用积分", lambda p: f"信用积分⟦{p.score}⟧", ("zh",)),
    Form("whole: रेटिंग", lambda p: f"क्रेडिट रेटिंग ⟦{p.score}⟧", ("hi",)),
)

_LICENCE = (
    Form("whole: CA DL", lambda p: f"CA DL ⟦{p.licence}⟧", ("en",)),
    Form("whole: DL:", lambda p: f"DL:⟦{p.licence}⟧", ("en",)),
    Form(
        "whole: groups of three",
        lambda p: f"driver's license #: ⟦{p.area} {p.exchange} {p.area}⟧",
        ("en",),
    ),
    Form("whole: Lic#", lambda p: f"Lic# ⟦{p.licence}⟧ (driver)", ("en",)),
    Form("whole: learner's", lambda p: f"learner's permit ⟦{p.licence}⟧", ("en",)),
    Form("whole: driver lic", lambda p: f"driver’s lic ⟦{p.licence}⟧", ("en",)),
    Form("whole: drivers ID", lambda p: f"drivers ID number ⟦{p.licence}⟧", ("en",)),
    Form("whole: conducir", lambda p: f"permiso de conducir ⟦{p.account[:8]}Z⟧", ("es",)),
    Form("whole: permis n°", lambda p: f"mon permis n° ⟦12AB{p.area}67⟧", ("fr",)),
    Form("whole: condução", lambda p: f"carta de condução L-⟦{p.account[:7]}⟧", ("pt",)),
    Form("whole: 驾驶执照", lambda p: f"驾驶执照 ⟦{p.account}⟧", ("zh",)),
    Form("whole: लाइसेंस नंबर", lambda p: f"लाइसेंस नंबर MH14⟦{p.account}⟧", ("hi",)),
)

_NAME = (
    Form("whole: call me", lambda p: f"You can call me ⟦{p.given}⟧.", ("en",)),
    Form("whole: go by", lambda p: f"I go by ⟦{p.name}⟧", ("en",)),
    Form("whole: name's", lambda p: f"Hey, name's ⟦{p.name}⟧", ("en",)),
    Form("whole: speaking", lambda p: f"⟦{p.name}⟧ speaking, is it sold?", ("en",)),
    Form("whole: signed", lambda p: f"It is lovely. Signed, ⟦{p.name}⟧", ("en",)),
    Form("whole: truly", lambda p: f"It is lovely.\nYours truly,\n⟦{p.name}⟧", ("en",)),
    Form("whole: on behalf", lambda p: f"I write on behalf of ⟦{p.name}⟧", ("en",)),
    Form("whole: family", lambda p: f"the ⟦{p.family}⟧ family would come at 5", ("en",)),
    Form("whole: wife's name", lambda p: f"my wife's name is ⟦{p.name}⟧", ("en",)),
    Form("whole: told", lambda p: f"as I told ⟦{p.given}⟧ on the phone", ("en",)),
    Form("whole: se llama", lambda p: f"Mi esposo se llama ⟦{p.name}⟧", ("es",)),
    Form("whole: un saludo", lambda p: f"Me interesa. Un saludo, ⟦{p.name}⟧", ("es",)),
    Form("whole: don", lambda p: f"hable con don ⟦{p.given}⟧", ("es",)),
    Form("whole: bien à vous", lambda p: f"Merci.\nBien à vous,\n⟦{p.name}⟧", ("fr",)),
    Form("whole: nomme", lambda p: f"Je me nomme ⟦{p.name}⟧", ("fr",)),
    Form("whole: sou o", lambda p: f"Oi, sou o ⟦{p.name}⟧", ("pt",)),
    Form("whole: abraços", lambda p: f"Gostei.\nAbraços,\n⟦{p.name}⟧", ("pt",)),
    Form("whole: 我姓", lambda p: f"我姓⟦{p.family}⟧,想看房", ("zh",)),
    Form("whole: 女士", lambda p: f"⟦{p.name}⟧女士想看房", ("zh",)),
    Form("whole: हूँ", lambda p: f"मैं ⟦{p.name}⟧ हूँ", ("hi",)),
    Form("whole: जी", lambda p: f"⟦{p.given}⟧ जी से बात करें", ("hi",)),
)

_ADDRESS = (
    Form("range", lambda p: f"{p.house}-{int(p.house) + 2} {p.street} Street", ("en",)),
    Form("No.", lambda p: f"No. {p.house} {p.street} Road", ("en",)),
    Form("letter", lambda p: f"{p.house}B {p.street} Street", ("en",)),
    Form("numbered", lambda p: f"{p.house} West 34th Street", ("en",)),
    Form("quadrant", lambda p: f"{p.house} {p.street} Avenue NW", ("en",)),
    Form("cove", lambda p: f"{p.house} {p.street} Cove", ("en",)),
    Form("unit after a dash", lambda p: f"{p.house} {p.street} Dr - Unit 4", ("en",)),
    Form("no comma", lambda p: f"{p.house} {p.street} St Austin TX 78701", ("en",)),
    Form("Reforma", lambda p: f"Av. {p.street} {p.house}, Piso 5", ("es",)),
    Form("paseo", lambda p: f"Paseo {p.street}, {p.house}", ("es",)),
    Form("place", lambda p: f"{p.house} place {p.street}", ("fr",)),
    Form("allée", lambda p: f"{p.house} allée {p.street} 69003 Lyon", ("fr",)),
    Form("andar", lambda p: f"Rua {p.street} nº {p.house}, 3º andar", ("pt",)),
    Form("travessa", lambda p: f"Travessa {p.street} {p.house}", ("pt",)),
    Form("南山区", lambda p: f"深圳市南山区{p.street}路{p.house}号", ("zh",)),
    Form("号楼", lambda p: f"幸福里{p.area[0]}号楼{p.area}室", ("zh",)),
    Form("रोड", lambda p: f"{p.house}, {p.street} रोड", ("hi",)),
    Form("प्लॉट", lambda p: f"प्लॉट नंबर {p.house}, सेक्टर 5", ("hi",)),
)

LEARNT_FORMS: Mapping[str, tuple[Form, ...]] = {
    "email": _EMAIL, "phone": _PHONE, "ssn": _SSN, "card": _CARD, "bank_account": _BANK,
    "credit_score": _SCORE, "driver_license": _LICENCE, "name": _NAME, "address": _ADDRESS,
}  # fmt: skip

LEARNT_CARRIERS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "email": {
        "en": ("ping {x} when it is listed", "(contact {x} only)"),
        "es": ("pueden responder a {x} mañana",),
        "zh": ("回复{x}吧",),
        "fr": ("répondez sur {x} svp",),
        "pt": ("responda em {x} amanhã",),
        "hi": ("जवाब {x} पर दें",),
    },
    "phone": {
        "en": ("you can get me on {x} most days", "Kim {x}", "leave a voicemail: {x}!"),
        "es": ("estoy en el {x} todo el día", "fijo {x}"),
        "zh": ("打我手机{x}吧", "({x})"),
        "fr": ("rappelez-moi : {x}", "mobile {x}"),
        "pt": ("meu zap {x}", "me liga {x}"),
        "hi": ("बात करें {x}", "व्हाट्सएप {x}"),
    },
    "ssn": {
        "en": ("you asked for my social: {x}", "ssn {x} dob 1980"),
        "es": ("el seguro social es {x}",),
        "zh": ("社安号 {x}",),
        "fr": ("sécurité sociale {x}",),
        "pt": ("SSN é {x}",),
        "hi": ("सोशल सिक्योरिटी {x}",),
    },
    "card": {
        "en": ("use {x} for the fee", "mastercard {x}"),
        "es": ("pago con {x}",),
        "zh": ("刷卡{x}",),
        "fr": ("je paie avec {x}",),
        "pt": ("pago com {x}",),
        "hi": ("भुगतान {x} से",),
    },
    "bank_account": {
        "en": ("refund to {x}", "my bank: {x}"),
        "es": ("devuelvan a {x}",),
        "zh": ("退款到{x}",),
        "fr": ("remboursez sur {x}",),
        "pt": ("devolva para {x}",),
        "hi": ("वापस {x} में",),
    },
    "credit_score": WHOLE_ONLY,
    "driver_license": WHOLE_ONLY,
    "name": WHOLE_ONLY,
    "address": {
        "en": ("mail it to {x} please", "{x} is the one we want"),
        "es": ("nos gusta {x}",),
        "zh": ("我们喜欢{x}",),
        "fr": ("nous aimons {x}",),
        "pt": ("gostamos da {x}",),
        "hi": ("हमें {x} पसंद है",),
    },
}  # fmt: skip
