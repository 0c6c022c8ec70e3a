"""Words that decide an answer, by what they mean: numbers, negation, direction, units, names.

Written by hand from general knowledge, in English, Spanish, French, Portuguese, Hindi and
Chinese. A word missing here is a word the guard cannot see.
"""

import re

__all__ = [
    "CONCEPTS",
    "FUNCTION_WORDS",
    "MULTIPLIERS",
    "NAMES",
    "NUMBERS",
    "PARTICLES",
    "PHRASAL",
    "PLACE_NOUNS",
    "SCRIPTS",
    "UNSPACED",
]


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


def _forms(table: dict[str, str]) -> dict[str, str]:
    return {form: concept for concept, forms in table.items() for form in forms.split()}


NUMBERS: dict[str, float] = {
    "zero": 0, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7,
    "eight": 8, "nine": 9, "ten": 10, "eleven": 11, "twelve": 12, "thirteen": 13,
    "fourteen": 14, "fifteen": 15, "sixteen": 16, "seventeen": 17, "eighteen": 18,
    "nineteen": 19, "twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60,
    "seventy": 70, "eighty": 80, "ninety": 90,
    "half": 0.5, "quarter": 0.25, "single": 1, "double": 2, "triple": 3, "twice": 2,
    "dozen": 12, "first": 1, "second": 2, "third": 3, "fourth": 4, "fifth": 5, "sixth": 6,
    "seventh": 7, "eighth": 8, "ninth": 9, "tenth": 10,
    "cero": 0, "dos": 2, "tres": 3, "cuatro": 4, "cinco": 5, "seis": 6, "siete": 7, "ocho": 8,
    "nueve": 9, "diez": 10, "doce": 12, "quince": 15, "veinte": 20, "treinta": 30,
    "cuarenta": 40, "cincuenta": 50, "medio": 0.5, "media": 0.5, "doscientos": 200,
    "trescientos": 300, "cuatrocientos": 400, "quinientos": 500, "seiscientos": 600,
    "setecientos": 700, "ochocientos": 800, "novecientos": 900, "primera": 1, "primero": 1,
    "primer": 1, "segunda": 2, "segundo": 2, "tercera": 3, "tercero": 3,
    "deux": 2, "trois": 3, "quatre": 4, "cinq": 5, "sept": 7, "huit": 8, "neuf": 9, "dix": 10,
    "onze": 11, "douze": 12, "quinze": 15, "vingt": 20, "trente": 30, "quarante": 40,
    "cinquante": 50, "demi": 0.5, "moitié": 0.5, "premier": 1, "première": 1, "deuxième": 2,
    "troisième": 3,
    "dois": 2, "duas": 2, "três": 3, "quatro": 4, "sete": 7, "oito": 8, "nove": 9, "dez": 10,
    "doze": 12, "vinte": 20, "trinta": 30, "quarenta": 40, "cinquenta": 50, "meio": 0.5,
    "meia": 0.5, "duzentos": 200, "trezentos": 300, "quatrocentos": 400, "quinhentos": 500,
    "primeira": 1, "primeiro": 1, "terceira": 3, "terceiro": 3,
    "एक": 1, "दो": 2, "तीन": 3, "चार": 4, "पांच": 5, "पाँच": 5, "छह": 6, "छः": 6, "सात": 7,
    "आठ": 8, "नौ": 9, "दस": 10, "बीस": 20, "तीस": 30, "चालीस": 40, "पचास": 50, "आधा": 0.5,
    "पहला": 1, "पहली": 1, "दूसरा": 2, "दूसरी": 2, "तीसरा": 3,
}  # fmt: skip
"""Number words; two in a row are added up ("twenty five")."""

MULTIPLIERS: dict[str, float] = {
    "k": 1e3, "m": 1e6, "mm": 1e6, "mn": 1e6, "bn": 1e9, "hundred": 100, "hundreds": 100,
    "thousand": 1e3, "thousands": 1e3, "grand": 1e3, "million": 1e6, "millions": 1e6,
    "mil": 1e3, "cien": 100, "ciento": 100, "millón": 1e6, "millones": 1e6,
    "cent": 100, "cents": 100, "mille": 1e3,
    "cem": 100, "cento": 100, "milhão": 1e6, "milhões": 1e6,
    "lakh": 1e5, "lakhs": 1e5, "crore": 1e7, "crores": 1e7,
    "सौ": 100, "हज़ार": 1e3, "हजार": 1e3, "लाख": 1e5, "करोड़": 1e7,
}  # fmt: skip
"""Words that multiply the number before them."""

_CONCEPTS = {
    # Negation.
    "not": "not no never none nothing nobody nowhere neither nor without cannot cant dont wont "
    "isnt arent wasnt werent doesnt didnt havent hasnt hadnt couldnt wouldnt shouldnt hardly "
    "dislike dislikes disliked nunca jamás sin tampoco ningún ninguna ninguno ni nada nadie "
    "ne pas jamais sans aucun aucune rien não nem sem nenhum nenhuma ninguém "
    "नहीं नही मत बिना ना",
    # Two sides of a trade, and who is on which.
    "buy": "buy buys buying bought purchase purchases purchased purchasing acquire acquiring "
    "comprar compro compra compramos comprando acheter achète achetons achat compre compram "
    "ख़रीदना खरीदना खरीद",
    "sell": "sell sells selling sold sale sales vender vendo vende vendemos venta vendre vends "
    "vendons vente venda vendem बेचना बेच",
    "rent": "rent rents renting rented rental rentals lease leases leasing leased alquilar "
    "alquilo alquiler arrendar renta louer loue loyer location alugar alugo aluguel किराया किराए",
    "buyer": "buyer buyers purchaser purchasers comprador compradora acheteur comprador",
    "seller": "seller sellers vendor vendors vendedor vendedora vendeur",
    "owner": "owner owners landlord landlords lessor propietario dueño propriétaire "
    "proprietário dono",
    "tenant": "tenant tenants renter renters lessee inquilino inquilina locataire",
    "lender": "lender lenders lend lends lending lent",
    "borrower": "borrower borrowers borrow borrows borrowing borrowed",
    # Time before and after.
    "before": "before prior until till beforehand antes hasta avant jusque até पहले",
    "after": "after afterwards since después desde après depuis depois बाद",
    "early": "early earlier earliest sooner soonest temprano tôt cedo",
    "late": "late later latest tarde tard",
    "next": "next following upcoming próximo próxima prochain prochaine siguiente अगले अगला",
    "last": "last previous final anterior último última dernier dernière passé पिछले पिछला",
    "today": "today hoy aujourd'hui hoje आज", "tonight": "tonight",
    "tomorrow": "tomorrow mañana demain amanhã", "yesterday": "yesterday ayer hier ontem",
    "morning": "morning mornings", "afternoon": "afternoon afternoons",
    "evening": "evening evenings", "night": "night nights", "noon": "noon",
    "midnight": "midnight", "am": "a.m", "pm": "p.m",
    # More and less.
    "up": "up increase increases increased increasing raise raises raised raising rise rises "
    "rising rose risen grow grows growing higher high highest above upward over subir subió "
    "sube subiu aumenta aumento augmenter augmente hausse aumentar aumentou encima sobre "
    "encarecer",
    "down": "down decrease decreases decreased decreasing reduce reduces reduced reducing "
    "reduction lower lowers lowered lowering lowest low drop drops dropped dropping fall falls "
    "falling fell fallen cut cuts below under downward decline bajar bajó baja bajo baixar "
    "baixou baixa baisser baisse debajo sous diminuir",
    "more": "more most extra additional maximum max más mayor plus davantage mais maior ज़्यादा "
    "ज्यादा अधिक",
    "less": "less least fewer fewest minimum min menos menor moins कम",
    "cheap": "cheap cheaper cheapest inexpensive affordable barato barata bon-marché सस्ता सस्ते",
    "dear": "expensive pricey pricier priciest costly caro cara cher chère महंगा महंगे",
    "small": "small smaller smallest tiny little pequeño pequeña petit petite pequeno pequena "
    "छोटा छोटे",
    "new": "new newer newest newly nuevo nueva nouveau nouvelle neuf novo nova नया नई",
    "old": "old older oldest viejo vieja antiguo ancien vieux velho antigo पुराना पुरानी",
    "short": "short shorter shortest",
    "slow": "slow slower slowly slowest",
    "far": "far farther farthest lejos loin longe",
    "all": "all every everything everyone todo todos toda todas tout tous toute toutes",
    "both": "both ambos ambas", "only": "only solely solo sólo solamente seulement apenas somente",
    # Opposites of doing. Of a pair, the marked one suffices: its absence tells the other.
    "reject": "reject rejects rejected rejecting rejection deny denies denied denying decline "
    "declined declines declining refuse refuses refused refusing forbid forbidden prohibited "
    "rechazar rechazó rechazado refuser refusé recusar recusou recusado",
    "stop": "stop stops stopped stopping end ends ended ending finish expire expires expired",
    "cancel": "cancel cancels cancelled canceled cancelling canceling cancellation cancelar "
    "annuler",
    "withdraw": "withdraw withdraws withdrew withdrawn withdrawing withdrawal",
    "shut": "close closes closed closing shut cerrar fermer fechar",
    "remove": "remove removes removed removing exclude excludes excluded excluding except delete "
    "deletes deleted deleting",
    "receive": "receive receives received receiving",
    "off": "off deactivate deactivates deactivated disable disables disabled lock locked block "
    "blocked freeze frozen",
    "leave": "leave leaves leaving departure",
    "out": "out outside outdoor outdoors fuera dehors fora exterior exit",
    "optional": "optional voluntary",
    "worse": "worse worst", "lose": "lose lost", "cold": "cold",
    "north": "north northern norte nord", "south": "south southern "
    "sur sud sul", "east": "east eastern leste", "west": "west western oeste ouest",
    "rear": "rear",
    # Units; dollars are what a bare amount is read as.
    "bedroom": "bed beds bedroom bedrooms br bd bdr habitación habitaciones dormitorio "
    "dormitorios recámara recámaras chambre chambres pièces quarto quartos कमरे कमरा",
    "bathroom": "bath baths bathroom bathrooms ba baño baños bain bains banheiro banheiros",
    "day": "day days daily día días jour jours dia dias दिन", "week": "week weeks weekly semana "
    "semanas semaine semaines हफ्ते", "month": "month months monthly mes meses mois mês mensual "
    "महीने", "year": "year years yearly annual annually annum año años ans année ano anos साल",
    "hour": "hour hours hourly hora horas heure heures", "minute": "minute minutes min mins "
    "minuto minutos", "weekend": "weekend weekends",
    "percent": "percent pct porcentaje pourcent",
    "foot": "foot feet ft sqft sqf", "metre": "meter meters metre metres sqm metros mètres",
    "inch": "inch inches", "yard": "yards", "mile": "mile miles millas", "km": "km kms kilometer "
    "kilometers kilometre kilometres kilómetros kilomètres quilômetros",
    "acre": "acre acres", "hectare": "hectare hectares hectárea hectáreas",
    "euro": "euro euros eur", "pound": "pound pounds gbp quid", "rupee": "rupee rupees inr",
    "yuan": "yuan rmb cny", "peso": "peso pesos mxn", "real": "reais brl", "yen": "yen jpy",
    "franc": "franc francs chf", "cad": "cad", "aud": "aud",
    # Days and months.
    "monday": "monday lunes lundi segunda-feira", "tuesday": "tuesday tue tues martes mardi",
    "wednesday": "wednesday wed miércoles mercredi", "thursday": "thursday thu thurs jueves jeudi",
    "friday": "friday fri viernes vendredi sexta-feira", "saturday": "saturday sat sábado samedi",
    "sunday": "sunday domingo dimanche", "january": "january jan enero janvier janeiro",
    "february": "february feb febrero février fevereiro", "april": "april apr abril avril",
    "june": "june jun junio juin junho", "july": "july jul julio juillet julho",
    "august": "august aug agosto août", "september": "september sept sep septiembre septembre "
    "setembro", "october": "october oct octubre octobre outubro", "november": "november nov "
    "noviembre novembre novembro", "december": "december dec diciembre décembre dezembro",
    "march": "marzo mars março", "may": "mayo maio",
}  # fmt: skip

CONCEPTS: dict[str, str] = _forms(_CONCEPTS)
"""What each word counts as."""

SCRIPTS = re.compile(
    "不|没有|没|无|非|别|未|买|卖|租|之前|以前|之后|以后|前|后|涨|降|上|下|大于|小于|多|少|贵|便宜"
    "|大|小|新|旧|高|低|里|外|东|南|西|北|今天|明天|昨天|[一二两三四五六七八九十百千万亿半零]|年|月"
    "|周|日|天|元|平米|平方米|亩|室|厅|卫|所有|只|开|关"
)
"""Words of Chinese, which is written without spaces."""

UNSPACED = {"二": "两", "没有": "不", "没": "不", "无": "不", "非": "不", "别": "不", "未": "不",
            "以前": "之前", "以后": "之后", "平方米": "平米"}  # fmt: skip
"""Those that mean the same."""

PLACE_NOUNS = _words(
    "street st avenue ave road rd drive dr lane ln boulevard blvd court ct place pl terrace "
    "highway hwy parkway pkwy county heights gardens hills village estates tower towers plaza "
    "elementary academy apartments apts residences ranch creek grove ridge point"
)
"""Words before which stands a name, also in small letters."""

NAMES = _words(
    "alabama alaska arizona arkansas california colorado connecticut delaware florida georgia "
    "hawaii idaho illinois indiana iowa kansas kentucky louisiana maine maryland massachusetts "
    "michigan minnesota mississippi missouri montana nebraska nevada ohio oklahoma oregon "
    "pennsylvania tennessee texas utah vermont virginia washington wisconsin wyoming "
    "austin dallas houston denver boise seattle portland boston chicago miami atlanta phoenix "
    "philadelphia detroit memphis nashville baltimore milwaukee albuquerque tucson fresno "
    "sacramento oakland minneapolis tulsa tampa orlando cleveland pittsburgh cincinnati omaha "
    "raleigh charlotte jacksonville columbus indianapolis honolulu anchorage brooklyn manhattan "
    "queens bronx fremont berkeley alameda pleasanton livermore hayward petaluma novato "
    "sunnyvale cupertino milpitas gilroy healdsburg burlingame campbell danville dublin "
    "london paris madrid lisbon barcelona toronto vancouver montreal sydney melbourne mumbai "
    "delhi bangalore beijing shanghai tokyo singapore dubai berlin rome "
    "usa america canada mexico spain france portugal brazil india china england britain uk "
    "germany italy japan australia europe asia africa "
    "chase citibank citi barclays hsbc santander visa mastercard amex paypal zillow redfin "
    "trulia airbnb google apple "
    "james mary john patricia robert jennifer michael linda david elizabeth william barbara "
    "richard susan joseph jessica thomas sarah karen christopher lisa daniel nancy matthew "
    "anthony margaret donald sandra ashley paul steven andrew kimberly emily kevin brian "
    "laura maria carlos juan luis ana jose priya raj wei chen johnson smith williams brown "
    "garcia martinez rodriguez lopez lee nguyen patel kim singh"
)
"""Names known also in small letters or at the start of a sentence."""

FUNCTION_WORDS = _words(
    "a an the of in on at to for from by with and or is are was were be do does did can could "
    "will would should i we you he she it they my our your his her its their this that there "
    "what which who when where why how have has had if as ok id atm pin hoa sms pdf faq tv asap"
)
"""Words that are no name even in capitals."""

PARTICLES = frozenset({"up", "down", "out", "off", "over"})
PHRASAL = _words(
    "top set sign pick end follow come show back look give clean hang catch make bring meet find "
    "work check sold carry take pay put turn figure try fill hold call ask sort send point keep "
    "topping setting signing picking looking finding working checking taking paying putting"
)
"""Verbs after which those say nothing of a direction ("find out", "top up")."""
