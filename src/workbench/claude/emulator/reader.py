"""The simulated reader: rules and lexicons that answer in Claude's place when no key is there.

What it is asked the probability of decides which signs count (`topics`); a schema of signals is
filled from the same cues (`signals`). A question that lists labels is answered by sentence
embeddings (`heads`), several questions in one schema property by property (`questions`);
`card.md` beside this file says how well, on labelled data.

It is a stand-in and a baseline to beat, and nothing it says is a result of Claude's. It sees
only the text that went over the wire, draws no random number, and takes whatever stands inside
a lead's data as data: a message that gives orders moves nothing.

Like verbalised confidences of real models, its probabilities come in steps of 0.05 and are
somewhat too sure of themselves.
"""

import html
import math
import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from workbench.claude.emulator.cues import read_lines
from workbench.claude.emulator.heads import LABELS_READ, asked_labels, choose, split_data
from workbench.claude.emulator.lexicon import FACTS, HEDGE, NEGATION, PHRASES, duration_h
from workbench.claude.emulator.questions import answer_questions, asks_questions
from workbench.claude.emulator.schema import fill
from workbench.claude.emulator.signals import asks_signals, judge_signals
from workbench.claude.emulator.topics import Sign, Topic, asked_topic, topic_signs

__all__ = ["READER_VERSION", "read"]

READER_VERSION = "reader-4" if LABELS_READ else "reader-4-no-labels"
"""Changes whenever any answer could; part of the key of every simulated answer."""

_PRIOR = -1.0
_OVERCONFIDENCE = 1.25
_STEP = 0.05
_NEGATION_WORDS = 3
_HEDGED = 0.5
_NEGATED = -0.7
_MAX_EVIDENCE = 6
_WEAK = 0.05
_FAST_REPLY = re.compile(r"(?:response|reply|answer|contact) (?:time|latency|delay|speed)", re.I)
_STRATEGY = re.compile(r"^Strategy: *(zero_shot|evidence_first|few_shot) *$", re.MULTILINE)
_ANCHORED = re.compile(r"^Strategy: *anchored *$", re.MULTILINE)
_RATE = re.compile(r"\b[Aa]bout (\d+(?:\.\d+)?) ?%")
_EXAMPLE = re.compile(r"<example>(.*?)</example>", re.DOTALL)
_OUTCOME = re.compile(r"<outcome>\s*(yes|no)\s*</outcome>", re.IGNORECASE)
_LEAD = re.compile(r"<lead>(.*?)</lead>", re.DOTALL)
_MESSAGE = re.compile(r"<message>(.*?)</message>", re.DOTALL)
_LINE = re.compile(r"^\s*- ([^:\n]+): (.*)$", re.MULTILINE)
_WORD = re.compile(r"[^\W_]{3,}")


class _Case(NamedTuple):
    facts: tuple[tuple[str, str], ...]
    message: str


class _Sign(NamedTuple):
    weight: float
    quote: str


def read(system: str, prompt: str, schema: Mapping[str, Any] | None) -> dict[str, Any]:
    r"""Answer one prompt.

    Parameters
    ----------
    system
        System text; a line ``Strategy: zero_shot|evidence_first|few_shot`` selects how to
        answer, zero_shot without one; "About 12% of …" is taken as the prior, "the probability
        that the lead goes quiet" as what is asked: churn, receptivity, an objection, an
        appointment, urgency, and conversion where it is none of these.
    prompt
        User text: ``<lead>`` with lines ``- label: value``, optionally ``<message>``, and
        before them ``<examples>`` with ``<example>…<outcome>yes|no</outcome></example>``.
        Data is XML-escaped.
    schema
        JSON schema of the answer. `probability`, `evidence` and `abstain` are filled from the
        reading, signals of behaviour (see `judge_signals`) where it asks for several of their
        scores. A property with an enumeration of labels that system or prompt list gets the
        nearest in meaning, `abstain` is then true when none is near; any other property gets
        the emptiest value that is valid.

    Returns
    -------
    dict
        An answer that satisfies the schema; the three properties without one.

    Examples
    --------
    >>> prompt = "<lead>\n- source: referral\n</lead>\n<message>Ready to buy.</message>"
    >>> read("", prompt, None)
    {'probability': 0.7, 'evidence': ['Ready to buy', 'source: referral'], 'abstain': False}
    """
    found = _STRATEGY.search(system)
    strategy = found.group(1) if found else "zero_shot"
    if schema is not None and asks_signals(schema):
        message = _case(_split(prompt)[1]).message
        anchored = _ANCHORED.search(system) is not None
        return fill(schema, judge_signals(message, strategy, anchored=anchored))
    if schema is not None and asks_questions(schema):
        return fill(schema, answer_questions(schema, system, prompt))
    shown, asked = _split(prompt)
    values = _judged(_case(asked), asked_topic(system, prompt), strategy, shown, system)
    if schema is None:
        return values
    offered = asked_labels(schema, f"{system}\n{split_data(prompt)[0]}")
    choices = {name: choose(labels, system, asked) for name, labels in offered.items()}
    if choices:
        values["abstain"] = not any(choice.sure for choice in choices.values())
    answer = fill(schema, values)
    return answer | {name: choice.label for name, choice in choices.items()}


def _judged(
    case: _Case,
    topic: Topic | None,
    strategy: str,
    shown: list[tuple[_Case, bool]],
    system: str,
) -> dict[str, Any]:
    """Probability, evidence and abstention for what is asked."""
    signs: Sequence[_Sign | Sign]
    if topic is None:
        found = (*_phrase_signs(case.message), *_fact_signs(case))
        signs = sorted(found, key=lambda s: -abs(s.weight))
        abstain = not case.facts and not case.message
    else:
        signs = topic_signs(topic, read_lines(case.message), case.facts)
        # A reader made for conversion says nothing of other matters where nothing speaks.
        abstain = not signs
    score = sum(sign.weight for sign in signs)
    prior = _stated_prior(system, _PRIOR if topic is None else topic.prior)
    if strategy == "evidence_first":
        # What little was found is believed only as far as there is more of it.
        score *= len(signs) / (len(signs) + 1)
        abstain = not signs
    elif strategy == "few_shot" and shown:
        share = _share(shown)
        # A share the prompt states is better than one counted in a handful of examples.
        prior = prior if _RATE.search(system) else (_logit(share) + prior) / 2
        score += _nudge(case, shown, share)
    return {
        "probability": _stated(prior + score),
        "evidence": [sign.quote for sign in signs[:_MAX_EVIDENCE]],
        "abstain": abstain,
    }


def _stated(log_odds: float) -> float:
    sure = 1 / (1 + math.exp(-_OVERCONFIDENCE * log_odds))
    return round(min(0.95, max(0.05, round(sure / _STEP) * _STEP)), 2)


def _split(prompt: str) -> tuple[list[tuple[_Case, bool]], str]:
    """Examples with their outcomes, and what is asked."""
    before, closed, after = prompt.rpartition("</examples>")
    if not closed:
        return [], prompt
    shown = []
    for block in _EXAMPLE.findall(before):
        outcome = _OUTCOME.search(block)
        if outcome:
            shown.append((_case(block), outcome.group(1).lower() == "yes"))
    return shown, after


def _case(text: str) -> _Case:
    lead = _LEAD.search(text)
    message = _MESSAGE.search(text)
    lines = _LINE.findall(lead.group(1)) if lead else []
    facts = tuple(
        (html.unescape(label.strip()), html.unescape(value.strip())) for label, value in lines
    )
    return _Case(facts, html.unescape(message.group(1)).strip() if message else "")


def _phrase_signs(message: str) -> list[_Sign]:
    signs: list[_Sign] = []
    taken: list[tuple[int, int]] = []
    # Strong phrases first: "not interested" must not also count as "interested".
    for phrase in sorted(PHRASES, key=lambda p: -abs(p.weight)):
        for match in phrase.pattern.finditer(message):
            start, end = match.span()
            if any(start < b and a < end for a, b in taken):
                continue
            taken.append((start, end))
            signs.append(_Sign(phrase.weight * _context(message, start, end), match.group()))
    return signs


def _context(message: str, start: int, end: int) -> float:
    """Factor for the words around a phrase: negated, hedged or plain."""
    sentence_start = max(message.rfind(mark, 0, start) for mark in ".!?\n") + 1
    stops = [message.find(mark, end) for mark in ".!?\n"]
    sentence_end = min((stop for stop in stops if stop >= 0), default=len(message))
    near = " ".join(message[sentence_start:start].split()[-_NEGATION_WORDS:])
    factor = _NEGATED if NEGATION.search(near) else 1.0
    around = message[sentence_start:start] + " " + message[end:sentence_end]
    return factor * (_HEDGED if HEDGE.search(around) else 1.0)


def _fact_signs(case: _Case) -> list[_Sign]:
    signs = []
    for label, value in case.facts:
        plain = label.replace("_", " ")
        weight = _reply_weight(plain, value)
        if weight is None:
            weigh = next((fact.weigh for fact in FACTS if fact.label.search(plain)), None)
            weight = weigh(value) if weigh else 0.0
        if abs(weight) > _WEAK:
            signs.append(_Sign(weight, f"{label}: {value}"))
    return signs


def _reply_weight(label: str, value: str) -> float | None:
    if not _FAST_REPLY.search(label):
        return None
    hours = duration_h(value, label)
    if hours is None:
        return 0.0
    return next((w for limit, w in ((0.25, 0.5), (1, 0.3), (24, 0.0)) if hours <= limit), -0.4)


def _stated_prior(system: str, own: float) -> float:
    """Log-odds of the share the system text states ("About 12% of …"), else the reader's own."""
    found = _RATE.search(system)
    return _logit(min(0.98, max(0.02, float(found.group(1)) / 100))) if found else own


def _share(shown: list[tuple[_Case, bool]]) -> float:
    """Share of yes among the examples, one more counted on each side."""
    return (1 + sum(outcome for _, outcome in shown)) / (len(shown) + 2)


def _nudge(case: _Case, shown: list[tuple[_Case, bool]], share: float) -> float:
    """Log-odds for being like the examples that did, or like those that did not."""
    own = _words(case)
    nudge = 0.0
    for example, outcome in shown:
        other = _words(example)
        likeness = len(own & other) / max(1, len(own | other))
        nudge += likeness * (float(outcome) - share)
    return 2.0 * nudge / math.sqrt(len(shown))


def _logit(share: float) -> float:
    return math.log(share / (1 - share))


def _words(case: _Case) -> frozenset[str]:
    pairs = {f"{label}={value}".lower() for label, value in case.facts}
    return frozenset(pairs | set(_WORD.findall(case.message.lower())))
