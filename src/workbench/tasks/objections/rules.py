"""What a pattern table says of objections: the platform's six phrases, and a strategy a family."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from workbench.data import AskedField
from workbench.predictors.readers import RuleReader

__all__ = ["pattern_reader", "spoken_family", "strategy_table"]

# The platform's own table: three patterns a family, and what it answers with.
_PATTERNS = (
    ("price_concern", "price_objections", re.compile(r"too expensive|over budget|price concerns?")),
    ("timing_concern", "timing_objections", re.compile(r"not ready|need time|maybe later")),
)
_ANSWERS = {
    "price_objections": ("value_justification", "financing_options"),
    "timing_objections": ("limited_inventory", "market_trends"),
}
_USUAL_CAUSE = {"price_objections": "budget_gap", "timing_objections": "lease_commitment"}


def pattern_reader(fields: Sequence[AskedField]) -> RuleReader:
    """Match the six literal patterns; medium severity where one is found.

    Parameters
    ----------
    fields
        Of one of the tasks about objections.

    Examples
    --------
    >>> from workbench.data.conversations.corpora import kind_of
    >>> fields = [f for f in kind_of("objections").fields if f.name == "family"]
    >>> X = pd.DataFrame({"text": ["It is too expensive", "Nice"]})
    >>> y = pd.DataFrame({"family": [("price_objections",), ()]}, dtype=object)
    >>> pattern_reader(fields).fit(X, y).read(X).values["family"].tolist()
    [('price_objections',), ()]
    """
    asked = {field.name for field in fields}

    def rule(row: Mapping[str, Any], _learnt: Any) -> dict[str, Any]:
        said = str(row["text"]).lower()
        hits = [(kind, family) for kind, family, pattern in _PATTERNS if pattern.search(said)]
        families = tuple(family for _, family in hits)
        found: dict[str, Any] = {
            "types": tuple(kind for kind, _ in hits),
            "family": families,
            "severity": "medium" if hits else "none",
            "root_cause": _USUAL_CAUSE[families[0]] if families else None,
            "strategy": tuple(s for family in families for s in _ANSWERS[family]),
        }
        return {name: value for name, value in found.items() if name in asked}

    return RuleReader(fields, rule)


def strategy_table(fields: Sequence[AskedField]) -> RuleReader:
    """Answer by a table learnt from training: what helped on average against such words.

    Parameters
    ----------
    fields
        Of the task about strategies; other fields are left unanswered.
    """
    asked = {field.name for field in fields}

    def learn(X: pd.DataFrame, y: pd.DataFrame) -> dict[str, tuple[str, ...]]:
        rows: dict[str, dict[str, float]] = {}
        if "strategy" not in asked:
            return {}
        for text, worth in zip(X["text"], y["strategy"], strict=True):
            for key in {spoken_family(text), "any"}:
                held = rows.setdefault(key, {})
                for name, value in (worth or {}).items():
                    held[name] = held.get(name, 0.0) + value
        return {key: tuple(sorted(v, key=lambda n: -v[n])) for key, v in rows.items()}

    def rule(row: Mapping[str, Any], learnt: dict[str, tuple[str, ...]]) -> dict[str, Any]:
        if "strategy" not in asked:
            return {}
        return {"strategy": learnt.get(spoken_family(row["text"]), learnt.get("any", ()))}

    return RuleReader(fields, rule, learn=learn)


_WORDS = (
    ("financing", r"loan|lender|mortgage|rate|monthly|bank|down payment|prestamo|banco|pret|贷款"),
    ("price", r"price|expensive|budget|cost|afford|money|caro|precio|cher|prix|preço|贵|价"),
    ("timing", r"time|wait|later|ready|lease|spring|month|esperar|attendre|esperar|等|时间"),
    ("trust", r"trust|agent|lied|review|pressure|confian|confianç|信任"),
    ("location", r"far|commute|drive|school|street|area|lejos|loin|longe|远"),
    ("property", r"roof|kitchen|old|small|dark|repair|yard|techo|toit|telhado|旧|小"),
)


def spoken_family(text: object) -> str:
    """Guess what words object to, by a few words a family; "other" without any.

    Parameters
    ----------
    text
        What was said.

    Examples
    --------
    >>> spoken_family("The roof looks tired"), spoken_family("Hello")
    ('property', 'other')
    """
    said = str(text).lower()
    return next((name for name, words in _WORDS if re.search(words, said)), "other")
