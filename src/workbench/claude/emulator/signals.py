"""How the simulated reader fills in signals of behaviour: scores and enumerations, by their names.

The same cues and weights as for the probabilities. What it says of a conversation is a count of
words, never an understanding.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from workbench.claude.emulator.cues import CUES, Said, read_lines
from workbench.claude.emulator.lexicon import PHRASES
from workbench.claude.emulator.topics import TOPICS, Sign, topic_signs

__all__ = ["asks_signals", "judge_signals"]

_SCORES = ("conversion_likelihood", *TOPICS)
_LEAST_SCORES = 3
_STEP, _ANCHORS = 5, 25
_PRIOR = -1.0
_MAX_EVIDENCE = 6
_MAX_QUOTE = 200
_FIRM, _STRONG_HESITATION, _COMMITTED = 1, 3, 2
_OBJECTIONS = (
    ("price", "price_objection"),
    ("trust", "trust_objection"),
    ("timing", "timing_objection"),
    ("competition", "competition"),
    ("family", "others_consent"),
)


def asks_signals(schema: Mapping[str, Any]) -> bool:
    """Say whether a schema asks for scores of several of the behaviours the reader knows.

    Parameters
    ----------
    schema
        JSON schema of the answer.
    """
    return len(set(_SCORES) & set(schema.get("properties", {}))) >= _LEAST_SCORES


def judge_signals(message: str, strategy: str, *, anchored: bool = False) -> dict[str, Any]:
    """Judge a conversation by its cues.

    Parameters
    ----------
    message
        The conversation.
    strategy
        ``evidence_first`` believes what little was found only as far as there is more of it.
    anchored
        Whether scores are given in steps of 25, as a prompt with anchors asks, not of 5.

    Returns
    -------
    dict
        A value for every signal the reader knows, by name; `abstain` is true where no cue speaks.

    Examples
    --------
    >>> found = judge_signals("lead: It is too expensive, and my wife has to agree.", "zero_shot")
    >>> found["objection_kind"], found["abstain"]
    ('price', False)
    >>> judge_signals("lead: Blue.", "zero_shot")["abstain"]
    True
    """
    said = read_lines(message)
    spoken = [one.text for one in said if one.by_lead]
    count = {n: sum(len(cue.pattern.findall(t)) for t in spoken) for n, cue in CUES.items()}
    judged: dict[str, Any] = {}
    found: list[Sign] = []
    for name in _SCORES:
        signs = _signs(name, said, spoken)
        found += signs
        judged[name] = _score(name, signs, strategy, _ANCHORS if anchored else _STEP)
    quotes = dict.fromkeys(
        sign.quote for sign in sorted(found, key=lambda s: -abs(s.weight)) if sign.quote
    )
    return (
        judged
        | _enumerated(count, spoken)
        | {
            "financing_mentioned": count["financing"] > 0,
            "evidence": list(quotes)[:_MAX_EVIDENCE],
            "abstain": not found,
        }
    )


def _signs(name: str, said: list[Said], spoken: Sequence[str]) -> list[Sign]:
    if name in TOPICS:
        return topic_signs(TOPICS[name], said, ())
    return [
        Sign(phrase.weight, match.group()[:_MAX_QUOTE], "phrase")
        for phrase in PHRASES
        for text in spoken
        if (match := phrase.pattern.search(text))
    ]


def _score(name: str, signs: Sequence[Sign], strategy: str, step: int) -> int:
    total = sum(sign.weight for sign in signs)
    if strategy == "evidence_first":
        total *= len(signs) / (len(signs) + 1)
    prior = TOPICS[name].prior if name in TOPICS else _PRIOR
    # A lead that says everything ten times is no more certain than one that says it twice.
    share = 1 / (1 + math.exp(-max(-20.0, min(20.0, prior + total))))
    return round(100 * share / step) * step


def _enumerated(count: Mapping[str, int], spoken: Sequence[str]) -> dict[str, str]:
    liked = count["interest"] + count["thanks"] + count["acceptance"] + count["commitment"]
    objections = {kind: count[cue] for kind, cue in _OBJECTIONS}
    disliked = 2 * count["disengagement"] + count["declining"] + sum(objections.values())
    doubts = count["hedging"] + count["timing_objection"] + count["others_consent"]
    kind = max(objections, key=objections.__getitem__)
    return {
        "sentiment": "positive" if liked > disliked else "negative" if disliked > liked else
        "neutral",
        "commitment": _commitment(count),
        "hesitation": "strong" if doubts >= _STRONG_HESITATION else "some" if doubts else "none",
        "objection_kind": kind if objections[kind] else "none",
        "scheduling_cue": _scheduling(count, spoken),
    }  # fmt: skip


def _commitment(count: Mapping[str, int]) -> str:
    firm = count["commitment"] + (count["urgency"] > 0) + (count["financing"] > 0)
    if count["disengagement"]:
        return "withdrawn"
    if count["commitment"] and firm >= _COMMITTED:
        return "committed"
    if firm >= _FIRM or count["scheduling"]:
        return "considering"
    return "exploring" if count["interest"] or count["question"] or count["no_hurry"] else "none"


def _scheduling(count: Mapping[str, int], spoken: Sequence[str]) -> str:
    if count["declining"]:
        return "declines"
    if not count["scheduling"]:
        return "none"
    if count["acceptance"]:
        return "accepts"
    asks = any(CUES["scheduling"].pattern.search(t) and ("?" in t or "？" in t) for t in spoken)
    return "asks" if asks else "mentions"
