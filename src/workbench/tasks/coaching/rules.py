"""Advice from templates: what the stage and the words call for, said in the agent's language."""

from collections.abc import Mapping, Sequence
from typing import Any

from workbench.data import AskedField
from workbench.predictors.readers import RuleReader
from workbench.tasks.coaching.moments import read_table
from workbench.tasks.objections.rules import spoken_family

__all__ = ["english_reader", "template_reader"]

_BY_STAGE = {
    "discovery": ("ask_open_question", "summarise_needs", "clarify_timeline"),
    "qualification": ("clarify_budget", "clarify_timeline", "ask_decision_maker"),
    "viewing": ("propose_next_step", "offer_viewing", "ask_open_question"),
    "negotiation": ("show_comparables", "negotiate_terms", "propose_next_step"),
    "closing": ("explain_process", "provide_documents", "propose_next_step"),
}
_BY_FAMILY = {
    "price": ("show_comparables", "suggest_alternatives"),
    "timing": ("slow_down", "clarify_timeline"),
    "trust": ("offer_references", "acknowledge_feeling"),
    "location": ("suggest_alternatives", "ask_open_question"),
    "property": ("suggest_alternatives", "provide_documents"),
    "financing": ("introduce_lender", "run_the_numbers"),
}
_TERMS_BY = {
    "english": "Think of {0} and {1}.",
    "spanish": "Tenga en cuenta: {0}, {1}.",
    "french": "Pensez à : {0}, {1}.",
    "portuguese": "Lembre-se de: {0}, {1}.",
    "mandarin": "请注意：{0}、{1}。",
    "hindi": "ध्यान रखें: {0}, {1}।",
}


def _last_of_lead(text: str) -> str:
    lines = [line for line in text.splitlines() if line.startswith("lead:")]
    return lines[-1] if lines else text


def _advice(suggestion: str, row: Mapping[str, Any], language: str) -> str:
    told = read_table("templates")[suggestion]
    if language == "english":
        said = told["expert" if row.get("agent_experience") == "expert" else "plain"]
    else:
        said = told[language]
    terms = read_table("verticals").get(str(row.get("vertical")), {}).get("terms", ())
    return f"{said} {_TERMS_BY[language].format(*terms)}" if len(terms) > 1 else str(said)


def _reader(fields: Sequence[AskedField], *, translated: bool) -> RuleReader:
    asked = {field.name for field in fields}

    def rule(row: Mapping[str, Any], _learnt: Any) -> dict[str, Any]:
        family = spoken_family(_last_of_lead(str(row["text"])))
        objects = family in _BY_FAMILY
        first = _BY_FAMILY.get(family, ())
        stage = _BY_STAGE.get(str(row.get("stage")), ())
        suggested = tuple(dict.fromkeys((*first, *stage)))
        language = str(row.get("agent_language", "english")) if translated else "english"
        found: dict[str, Any] = {
            "urgency_level": "medium" if objects else "low",
            "objection_detected": "yes" if objects else "no",
            "suggestion": suggested,
            "advice": _advice(suggested[0] if suggested else "ask_open_question", row, language),
        }
        return {name: value for name, value in found.items() if name in asked}

    return RuleReader(fields, rule)


def template_reader(fields: Sequence[AskedField]) -> RuleReader:
    """Take the template of the stage and of what is objected to, in the agent's language.

    Parameters
    ----------
    fields
        Of one of the coaching tasks.

    Examples
    --------
    >>> import pandas as pd
    >>> from workbench.tasks.coaching.moments import FIELDS
    >>> X = pd.DataFrame({"text": ["lead: the price is too high"], "stage": ["negotiation"],
    ...                   "agent_language": ["spanish"], "vertical": ["residential"]})
    >>> y = pd.DataFrame([{field.name: None for field in FIELDS}], dtype=object)
    >>> template_reader(FIELDS).fit(X, y).read(X).values["advice"][0]
    'Muestre por cuánto se vendieron casas parecidas. Tenga en cuenta: comparables, inspection.'
    """
    return _reader(fields, translated=True)


def english_reader(fields: Sequence[AskedField]) -> RuleReader:
    """Take the same templates, in English whatever the agent speaks.

    Parameters
    ----------
    fields
        Of one of the coaching tasks.
    """
    return _reader(fields, translated=False)
