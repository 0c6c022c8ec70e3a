"""Cues: what people who think of moving house say, in six languages, from general knowledge.

The lists were written down from what anybody knows of such conversations. Nobody looked at this
project's generators for them, and they were fitted to nothing. English, Spanish, French,
Portuguese, Chinese and Hindi; the first four in Latin script match whole words, the last two,
whose words have no such edges, match anywhere.

The simulated reader and `workbench.features.LexiconFeatures` share them. A change here may change
the reader's answers, so it raises `READER_VERSION`.
"""

import re
from types import MappingProxyType
from typing import NamedTuple

__all__ = ["CUES", "Cue", "Said", "read_lines"]

_MAX_CHARS = 20_000
_SPEAKER = re.compile(r"^\s*(lead|client|customer|buyer|agent|broker|realtor)\s*:\s*", re.I)
_AGENTS = {"agent", "broker", "realtor"}


class Cue(NamedTuple):
    """One kind of thing said: what it means, and the words that show it."""

    meaning: str
    pattern: re.Pattern[str]


class Said(NamedTuple):
    """One line of a conversation: who said it (`True` for the lead), and what."""

    by_lead: bool
    text: str


def _cue(meaning: str, latin: str, other: str) -> Cue:
    words, anywhere = "|".join(latin.strip().splitlines()), "|".join(other.split())
    return Cue(meaning, re.compile(rf"\b(?:{words})\b|{anywhere}", re.IGNORECASE))


# One alternative a line; other scripts on one line, parted by spaces, `\s` for a space within.
CUES: MappingProxyType[str, Cue] = MappingProxyType(
    {
        "hedging": _cue(
            "doubt, or a decision put off",
            r"""maybe|perhaps|might|possibly|not (?:really |quite |so )?sure|unsure|undecided
i guess|sort of|kind of|we'll see|let me think|think (?:about it|it over)
on the fence|tal vez|quiz[aá]s?|a lo mejor|puede que
no (?:estoy|estamos) segur[oa]s?|lo voy a pensar|peut-[eê]tre
pas (?:encore )?s[uû]re?s?|on verra|je vais r[eé]fl[eé]chir|j'h[eé]site|talvez
n[aã]o tenho certeza|vou pensar|vamos ver|quem sabe""",
            r"也许 可能 不确定 不太确定 再想想 考虑一下 犹豫 शायद पक्का\sनहीं सोचकर "
            r"सोच\sकर सोचना",
        ),
        "urgency": _cue(
            "a hurry, or a date that presses",
            r"""asap|as soon as possible|urgent(?:ly)?|immediately|right away|quickly|in a hurry
deadline|(?:this|next) (?:week|weekend|month)|by the end of
before (?:the )?\w+ (?:ends?|starts?)|lease (?:is )?(?:ends?|ending|up|expires?)
relocat\w+|new job|running out of time|today|tomorrow|urgente(?:mente)?
lo antes posible|cuanto antes|esta semana|este mes|pr[oó]xim[oa] semana|hoy
ma[nñ]ana mismo|d[eè]s que possible|au plus vite|cette semaine|ce mois-ci
semaine prochaine|tr[eè]s vite|aujourd'hui|o mais r[aá]pido poss[ií]vel
o quanto antes|esta m[eê]s|este m[eê]s|semana que vem|hoje|amanh[aã]
com urg[eê]ncia""",
            r"尽快 马上 立刻 紧急 急着 着急 这周 本周 下周 这个月 今天 明天 जल्दी तुरंत फौरन "
            r"जल्द\sसे\sजल्द इस\sहफ्ते इस\sमहीने अगले\sहफ्ते आज कल",
        ),
        "no_hurry": _cue(
            "time to spare, or mere curiosity",
            r"""no (?:rush|hurry)|not in a (?:rush|hurry)
just (?:looking|browsing|curious|exploring)|only (?:looking|browsing)|someday
some day|one day|eventually|next year|in a few years|early stages?
take (?:our|my) time|window shopping|sin prisa|no hay prisa|m[aá]s adelante
s[oó]lo (?:estoy |estamos )?(?:mirando|viendo)|el a[nñ]o que viene
alg[uú]n d[ií]a|pas (?:press[eé]e?s?|d'urgence)|l'ann[eé]e prochaine
je regarde (?:juste|seulement)|plus tard|sem pressa
s[oó] (?:estou |estamos )?olhando|ano que vem|mais (?:para a frente|tarde)
um dia""",
            r"不急 不着急 随便看看 只是看看 以后再说 明年 जल्दी\sनहीं बस\sदेख अगले\sसाल "
            r"बाद\sमें",
        ),
        "price": _cue(
            "talk of money",
            r"""prices?|priced|cost(?:s|ing)?|budget|afford\w*|expensive|cheap(?:er)?|fees?
discounts?|\$ ?\d[\d,.]*|\d+ ?(?:k|usd|dollars)|precios?|cuesta|presupuesto
car[oa]s?|barat[oa]s?|d[oó]lares|prix|co[uû]te|ch[eè]re?s?|frais|pre[cç]os?
custa|or[cç]amento|taxas?""",
            r"价格 多少钱 预算 便宜 费用 首付 कीमत दाम बजट महंगा महँगा सस्ता "
            r"रुपये",
        ),
        "price_objection": _cue(
            "the price is an obstacle",
            r"""too (?:expensive|high|much|pricey)|over ?priced|over (?:our|my|the) budget
out of (?:our|my) (?:budget|range|reach)|can(?:no|')?t afford
more than (?:we|i) (?:can|want)
(?:price|rates?|payments?|fees?) (?:is|are|seems?|feels?) (?:\w+ )?high
negotia\w+|lower the price|demasiado car[oa]|muy car[oa]
fuera de (?:mi|nuestro) presupuesto|no (?:me|nos) alcanza|rebaja
trop ch[eè]re?s?|hors (?:de )?(?:mon|notre )?budget
au-dessus de (?:mon|notre) budget|muito car[oa]|car[oa] demais
fora do (?:meu|nosso) or[cç]amento|acima do or[cç]amento""",
            r"太贵 超出预算 买不起 超预算 बहुत\sमहंगा बहुत\sमहँगा बजट\sसे\sबाहर "
            r"बजट\sसे\sज्यादा",
        ),
        "timing_objection": _cue(
            "the time is wrong",
            r"""not (?:ready|now|yet|a good time|the right time)|too (?:soon|early)|bad time
on hold|need (?:more )?time|wait(?:ing)? (?:for|until|till)|hold off|postpone\w*
need to sell \w+ first|todav[ií]a no|a[uú]n no|no es (?:el )?(?:buen )?momento
prefiero esperar|m[aá]s tiempo|primero tengo
pas (?:encore|maintenant|tout de suite)|pas le bon moment|attendre|trop t[oô]t
ainda n[aã]o|n[aã]o [eé] o momento|prefiro esperar|preciso de (?:mais )?tempo
cedo demais""",
            r"还没准备好 还没 不是时候 等一等 再等等 需要时间 अभी\sनहीं समय\sचाहिए इंतजार "
            r"तैयार\sनहीं",
        ),
        "trust_objection": _cue(
            "doubt about the agent, the papers or the property",
            r"""scam|trust\w*|hidden (?:costs?|fees?)|catch|guarantee[ds]?|reviews?|references
suspicious|legit(?:imate)?|inspection|worr(?:y|ied|ies)|concern(?:ed|s)?
confianza|confiar|estafa|garant[ií]as?|me preocupa|nos preocupa|preocupad[oa]s?
confiance|arnaque|garanties?|m'inqui[eè]te|inqui[eè]te?s?|confian[cç]a|confiar
golpe|garantia|preocupad[oa]s?|me preocupa""",
            r"信任 骗 担心 保证 靠谱 भरोसा धोखा चिंता गारंटी विश्वास",
        ),
        "competition": _cue(
            "another agent or another property",
            r"""(?:an)?other (?:agent|agency|broker|realtor|offer|property|house|place)s?
already (?:bought|purchased|signed|found|have an agent|working with)
someone else|otr[oa] (?:agente|agencia|inmobiliaria|casa)
ya (?:compr|encontr)\w+|un autre agent|une autre (?:agence|maison|offre)
d[eé]j[aà] (?:achet|trouv)\w+|outr[oa] (?:corretora?|casa|imobili[aá]ria)
j[aá] (?:compr|encontr)\w+""",
            r"别的中介 其他中介 已经买 别的房子 दूसरा\sएजेंट दूसरे\sएजेंट "
            r"खरीद\sलिया",
        ),
        "scheduling": _cue(
            "a visit, a call or a time for one",
            r"""appointments?|viewings?|showings?|tours?|visit(?:s|ing)?|schedule|calendar
available|meet(?:ing)?|call me|come (?:by|over|see)
(?:see|view|tour) (?:it|the|this|that)|book|mondays?|tuesdays?|wednesdays?
thursdays?|fridays?|saturdays?|sundays?|weekend|\d{1,2}(?::\d\d)? ?(?:am|pm|h)
at \d{1,2}(?::\d\d)?|noon|afternoon|morning|evening|citas?|visitas?|agendar
concertar|reuni[oó]n|lunes|martes|mi[eé]rcoles|jueves|viernes|s[aá]bado|domingo
por la (?:ma[nñ]ana|tarde)|rendez-vous|visiter?|visites|lundi|mardi|mercredi
jeudi|vendredi|samedi|dimanche|matin|apr[eè]s-midi|disponible|visitar|agendar
hor[aá]rio|segunda(?:-feira)?|ter[cç]a(?:-feira)?|quarta(?:-feira)?
quinta(?:-feira)?|sexta(?:-feira)?|encontro""",
            r"预约 看房 参观 周末 星期 周一 周二 周三 周四 周五 周六 周日 有空 几点 见面 上午 下午 "
            r"अपॉइंटमेंट मिलने मुलाकात देखने सोमवार मंगलवार बुधवार "
            r"गुरुवार शुक्रवार शनिवार रविवार समय",
        ),
        "acceptance": _cue(
            "yes to what was proposed",
            r"""yes,?(?: please)?|sounds (?:good|great|perfect)
works (?:for (?:me|us)|well|great)|perfect|that works|see you|i'll be there
we'll be there|confirmed?|of course|sure thing|absolutely|great|s[ií],
s[ií] por favor|perfecto|de acuerdo|me parece bien|claro|nos vemos|confirmad[oa]
oui|d'accord|parfait|[cç]a me va|volontiers|avec plaisir|sim|perfeito|combinado
pode ser|est[aá] bem""",
            r"好的 可以 没问题 हाँ हां ठीक\sहै जी\sहाँ बिल्कुल",
        ),
        "declining": _cue(
            "a visit or a call turned down or moved",
            r"""can(?:no|')?t make it|cancel\w*|reschedul\w*|not available|too busy
won't be able|another time|no puedo|no podemos|cancelar\w*|reprogramar
ocupad[oa]s?|je ne peux pas|annul\w+|reporter|occup[eé]e?s?|n[aã]o posso
n[aã]o podemos|desmarcar|remarcar|ocupad[oa]s?""",
            r"没空 取消 改天 来不及 太忙 नहीं\sआ रद्द व्यस्त समय\sनहीं",
        ),
        "thanks": _cue(
            "thanks and courtesy",
            r"""thanks?|thank you|appreciate|grateful|gracias|agradezco|merci|remercie
obrigad[oa]|agrade[cç]o""",
            r"谢谢 感谢 多谢 धन्यवाद शुक्रिया",
        ),
        "interest": _cue(
            "liking, or wish for more",
            r"""interested|interest|love (?:the|this|it|that)|like (?:the|this|it|that)
looks? (?:great|good)|beautiful|excited|perfect for (?:us|me)
more (?:details|information|photos|pictures)|send me|interesad[oa]s?
me (?:interesa|encanta|gusta)|nos (?:interesa|encanta|gusta)
m[aá]s (?:informaci[oó]n|fotos)|int[eé]ress[eé]e?s?|m'int[eé]resse|j'aime
j'adore|plus d'informations?|interessad[oa]s?|adorei|gostei|gostamos
mais (?:informa[cç][oõ]es|fotos)""",
            r"感兴趣 喜欢 很好 更多信息 照片 पसंद दिलचस्पी रुचि जानकारी",
        ),
        "commitment": _cue(
            "ready to act",
            r"""ready to (?:buy|move|sell|sign|list|proceed|go ahead|make an offer)
make an offer|(?:put in|submit|write) an? (?:\w+ )?offer
sign (?:the )?(?:contract|papers|lease|agreement)
let's (?:do it|proceed|move forward|go ahead)|move forward|next steps?|paperwork
list[oa]s? para|hacer una oferta|firmar|seguir adelante|pr[eê]te?s? [aà]
faire une offre|signer|pront[oa]s? para|fazer uma (?:oferta|proposta)|assinar
seguir em frente|pr[oó]ximos pasos""",
            r"准备好 出价 签合同 签约 下一步 तैयार\sहैं तैयार\sहूँ तैयार\sहूं ऑफर "
            r"अगला\sकदम",
        ),
        "financing": _cue(
            "how it will be paid",
            r"""mortgage|pre[- ]?(?:approv\w+|qualif\w+)|loan|lender|bank|down ?payment
proof of funds|cash|financ\w+|credit|hipoteca|pre[- ]?aprob\w+|pr[eé]stamo|banco
contado|cr[eé]dito|enganche|hypoth[eè]que|pr[eê]t immobilier|emprunt|banque
apport|comptant|cr[eé]dit|hipot[eé]ca|empr[eé]stimo|pr[eé]-aprovad\w+|entrada
[aà] vista""",
            r"贷款 按揭 预批 全款 现金 银行 लोन ऋण बैंक नकद कर्ज होम\sलोन",
        ),
        "disengagement": _cue(
            "a wish to be left alone, or no more need",
            r"""no longer|not interested|unsubscribe
stop (?:calling|texting|emailing|contacting|messaging)|(?:remove|take) me
leave me alone|wrong number|do(?: not|n't) (?:call|contact|text)
changed (?:my|our) mind|not looking (?:any ?more|now)|give up|no,? thanks?|ya no
no (?:me|nos) interesa|dejen? de|no me (?:llam|escrib)\w+|n[uú]mero equivocado
cambi(?:[eé]|amos) de (?:idea|opini[oó]n)|plus int[eé]ress[eé]e?s?
pas int[eé]ress[eé]e?s?|arr[eê]tez|ne m'appelez|mauvais num[eé]ro
chang[eé] d'avis|n[aã]o (?:tenho|temos) (?:mais )?interesse|pare de
n[aã]o me ligu?e|mud(?:ei|amos) de ideia""",
            r"不感兴趣 没兴趣 不要再 别再 不需要 打错 退订 改变主意 दिलचस्पी\sनहीं "
            r"जरूरत\sनहीं मत\sकरें गलत\sनंबर",
        ),
        "others_consent": _cue(
            "somebody else has to agree",
            r"""(?:talk|speak|discuss|check|consult) (?:\w+ ){0,3}?my (?:wife|husband|partner)
ask my (?:wife|husband|partner|spouse|family|parents)
mi (?:esposa|esposo|marido|mujer|pareja|familia)|ma femme|mon mari|ma famille
minha (?:esposa|fam[ií]lia)|meu marido""",
            r"老婆 老公 家人 商量 पत्नी पति परिवार",
        ),
        "question": Cue("a question", re.compile("[?？؟]")),
    }
)
"""Cues by name."""


def read_lines(message: str) -> list[Said]:
    """Split a conversation into lines; a text without speakers is the lead's.

    Parameters
    ----------
    message
        A message, or lines such as ``lead: …`` and ``agent: …``; its last 20,000 characters.

    Examples
    --------
    >>> [one.by_lead for one in read_lines("lead: Hello?" + chr(10) + "agent: Good morning")]
    [True, False]
    """
    said: list[Said] = []
    for line in message[-_MAX_CHARS:].splitlines():
        found = _SPEAKER.match(line)
        text = line[found.end() :].strip() if found else line.strip()
        # A line that names nobody goes on with the one before.
        before = said[-1].by_lead if said else True
        if text:
            said.append(Said(found[1].lower() not in _AGENTS if found else before, text))
    return said
