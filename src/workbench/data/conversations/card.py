"""What the corpora of conversations are like: figures measured on their tables."""

import html
from collections.abc import Iterator
from dataclasses import dataclass

import pandas as pd

from workbench.data.brokerage.card import Fact
from workbench.data.conversations.corpora import CONVERSATIONS, make_corpus
from workbench.data.conversations.truth import true_labels
from workbench.data.corpus import Corpus

__all__ = ["ConversationsCard", "describe_conversations"]


@dataclass(frozen=True, slots=True)
class ConversationsCard:
    """Figures of each corpus.

    Parameters
    ----------
    n, random_state
        Examples of each corpus, and their seed.
    facts
        The topic of a fact is its corpus.
    """

    n: int
    random_state: int
    facts: tuple[Fact, ...]

    def to_frame(self) -> pd.DataFrame:
        """One row a figure."""
        return pd.DataFrame(self.facts, columns=["topic", "name", "value", "n"])

    def topic(self, name: str) -> dict[str, float]:
        """Give the figures of one corpus by name."""
        return {fact.name: fact.value for fact in self.facts if fact.topic == name}

    def _repr_html_(self) -> str:
        boxes = ""
        for name, title in CONVERSATIONS.items():
            rows = "".join(
                f"<tr><td>{html.escape(fact)}</td><td>{value:,.3g}</td></tr>"
                for fact, value in self.topic(name).items()
            )
            boxes += (
                f'<div style="break-inside:avoid"><h4>{html.escape(title)}</h4>'
                f"<table>{rows}</table></div>"
            )
        return (
            f"<p><b>Simulated data.</b> {self.n:,} examples of each corpus, seed "
            f"{self.random_state}</p>"
            f'<div style="columns:3 18em;column-gap:2em">{boxes}</div>'
        )


def describe_conversations(n: int = 2000, random_state: int = 0) -> ConversationsCard:
    """Measure the corpora of conversations.

    Parameters
    ----------
    n
        Examples of each.
    random_state
        Seed.

    Returns
    -------
    ConversationsCard
        Sizes, lengths, languages, phrasings unseen in training, and for each field how often it
        is known, its most frequent value, and the share of labels annotators got wrong.

    Examples
    --------
    >>> card = describe_conversations(60)
    >>> card.topic("lead_intents")["examples"]
    60.0
    """
    facts = [
        fact for name in CONVERSATIONS for fact in _facts(make_corpus(name, n, random_state))
    ]  # fmt: skip
    return ConversationsCard(n, random_state, tuple(facts))


def _facts(corpus: Corpus) -> Iterator[Fact]:
    name, n = corpus.name, len(corpus)
    text, slices = corpus.X["text"], corpus.slices
    yield Fact(name, "examples", float(n), n)
    yield Fact(name, "contacts", float(corpus.groups.nunique() if corpus.groups is not None else n),
               n)  # fmt: skip
    yield Fact(name, "characters, median", float(text.str.len().median()), n)
    yield Fact(name, "texts that repeat", float(text.duplicated().mean()), n)
    if slices is not None:
        yield Fact(name, "not English", float((slices["language"] != "english").mean()), n)
        judged = slices["phrasing"][(corpus.part == "test").to_numpy()]
        yield Fact(name, "phrasing unseen, of the test part", float((judged == "unseen").mean()),
                   len(judged))  # fmt: skip
    right = true_labels(corpus)
    for asked in corpus.fields:
        told = corpus.y[asked.name]
        known = told[told.notna()]
        yield Fact(name, f"{asked.name}: known", float(told.notna().mean()), n)
        if asked.kind in ("label", "level"):
            most = float(known.value_counts(normalize=True).iloc[0])
            yield Fact(name, f"{asked.name}: share of the most frequent", most, len(known))
        elif asked.kind in ("labels", "slots"):
            yield Fact(name, f"{asked.name}: values an example", float(known.map(len).mean()),
                       len(known))  # fmt: skip
        wrong = [a != b for a, b in zip(told, right[asked.name], strict=True)]
        yield Fact(name, f"{asked.name}: annotators' errors", sum(wrong) / n, n)
