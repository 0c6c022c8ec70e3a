"""Conversations that say both what a lead wants and what of a property: for the composite task."""

from collections import defaultdict
from collections.abc import Iterator
from types import MappingProxyType

import numpy as np
import pandas as pd

from workbench.data import Corpus
from workbench.data.conversations import make_corpus

__all__ = ["FIELDS_OF", "semantic_corpus"]

FIELDS_OF = MappingProxyType(
    {
        "lead_intents": ("primary_intent", "motivations", "urgency", "decision_stage"),
        "lead_preferences": ("preferences",),
    }
)
"""Which corpus each field comes from."""

# Intents of somebody who is looking: a seller with wishes for a kitchen would read oddly.
_LOOKING = (
    "property_search",
    "rental_search",
    "viewing_request",
    "financing_question",
    "offer_negotiation",
)
_SURPLUS = 4


def semantic_corpus(n_rows: int = 2000, random_state: int = 0) -> Corpus:
    """Make conversations that begin with a message of intent and go on about preferences.

    A message of `lead_intents` and a conversation of `lead_preferences` of the same part and
    language are joined; both keep their labels. Whole contacts stay in one part.

    Parameters
    ----------
    n_rows
        Conversations, at most.
    random_state
        Seed of both corpora.

    Examples
    --------
    >>> corpus = semantic_corpus(20)
    >>> corpus.X["text"].iloc[0].startswith("lead: "), [f.name for f in corpus.fields][-1]
    (True, 'preferences')
    """
    intents = make_corpus("lead_intents", _SURPLUS * n_rows, random_state)
    wishes = make_corpus("lead_preferences", 2 * n_rows, random_state)
    looking = intents.take(np.flatnonzero(intents.y["primary_intent"].isin(_LOOKING).to_numpy()))
    places: dict[tuple[str, str], list[int]] = defaultdict(list)
    for i, key in enumerate(_keys(looking)):
        places[key].append(i)
    ready: dict[tuple[str, str], Iterator[int]] = {key: iter(at) for key, at in places.items()}
    pairs: list[tuple[int, int]] = []
    for j, key in enumerate(_keys(wishes)):
        free = next(ready.get(key, iter(())), None)
        if free is not None and len(pairs) < n_rows:
            pairs.append((free, j))
    first, second = (np.array(side, dtype=np.intp) for side in zip(*pairs, strict=True))
    opening, talk = looking.take(first), wishes.take(second)
    index = pd.Index([f"semantic-{random_state}-{k}" for k in range(len(pairs))])
    text = [f"lead: {a}\n{b}" for a, b in zip(opening.X["text"], talk.X["text"], strict=True)]
    y = pd.concat([opening.y.set_index(index), talk.y.set_index(index)], axis=1)
    groups = pd.Series(talk.groups.to_numpy() if talk.groups is not None else index, index=index)
    return Corpus(
        name="semantic_conversations",
        title="What leads want and what of a property, in one conversation",
        version=talk.version,
        licence=talk.licence,
        origin_kind="simulated",
        fields=(*opening.fields, *talk.fields),
        X=pd.DataFrame({"text": text, "sent_on": talk.X["sent_on"].to_numpy()}, index=index),
        y=y,
        part=pd.Series(talk.part.to_numpy(), index=index),
        meanings=talk.meanings,
        groups=groups,
        slices=None if talk.slices is None else talk.slices.set_index(index),
        notes=f"A generated message joined with a generated conversation. {talk.notes}",
    )


def _keys(corpus: Corpus) -> list[tuple[str, str]]:
    slices = corpus.slices
    languages = ["english"] * len(corpus) if slices is None else slices["language"].tolist()
    return list(zip(corpus.part.tolist(), languages, strict=True))
