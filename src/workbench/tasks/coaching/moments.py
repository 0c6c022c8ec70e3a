"""Moments an agent needs advice in, with what the advice is held against."""

from dataclasses import replace
from functools import cache
from importlib.resources import files
from typing import Any

import pandas as pd
import yaml

from workbench.data import AskedField, Corpus
from workbench.data.conversations import make_corpus
from workbench.data.conversations.corpora import kind_of

__all__ = ["FIELDS", "advice_rules", "coaching_corpus", "read_table"]

_HIGHEST_GRADE = {"novice": 8.0, "experienced": 11.0, "expert": 14.0}
_MOST_WORDS = 60

FIELDS = (
    *kind_of("coaching_moments").fields,
    AskedField(
        name="advice",
        meaning="Advice to the agent, in the agent's own language, at most 60 words, worded for "
        "the agent's experience, naming what matters in the vertical; no figure that was not said",
        kind="text",
    ),
)
"""What is asked at a moment: urgency, objection, suggestions, and the advice in words."""


@cache
def read_table(name: str) -> dict[str, dict[str, Any]]:
    """Read `templates` or `verticals`.

    Parameters
    ----------
    name
        Of the file, without its ending.

    Examples
    --------
    >>> read_table("verticals")["commercial_real_estate"]["terms"][0]
    'cap rate'
    """
    text = (files("workbench.tasks.coaching") / f"{name}.yaml").read_text("utf-8")
    loaded: dict[str, dict[str, Any]] = yaml.safe_load(text)
    return loaded


def advice_rules(moment: "pd.Series[Any]") -> dict[str, Any]:
    """What advice at a moment is held against.

    Parameters
    ----------
    moment
        A row of the corpus: the agent's language and experience, the vertical.

    Returns
    -------
    dict
        `language`, `most_words`, `highest_grade` (school years), `terms` (two of which are to be
        named).
    """
    return {
        "language": moment["agent_language"],
        "most_words": _MOST_WORDS,
        "highest_grade": _HIGHEST_GRADE[moment["agent_experience"]],
        "terms": tuple(read_table("verticals")[moment["vertical"]]["terms"]),
    }


def coaching_corpus(n_rows: int = 4000, random_state: int = 0) -> Corpus:
    """Make the moments, with what advice is held against as a field.

    Parameters
    ----------
    n_rows
        Moments.
    random_state
        Seed.

    Examples
    --------
    >>> coaching_corpus(8).y["advice"].iloc[0]["most_words"]
    60
    """
    moments = make_corpus("coaching_moments", n_rows, random_state)
    held = [advice_rules(row) for _, row in moments.X.iterrows()]
    slices = pd.DataFrame(index=moments.X.index) if moments.slices is None else moments.slices
    return replace(
        moments,
        name="coaching",
        fields=FIELDS,
        y=moments.y.assign(advice=pd.Series(held, index=moments.X.index, dtype=object)),
        slices=slices.assign(agent_language=moments.X["agent_language"]),
    )
