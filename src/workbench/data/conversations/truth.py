"""The hidden truth of conversations: for judging only, no feature or model may see it."""

import pandas as pd

from workbench.data.conversations.coaching import SUGGESTIONS, acceptance_of, agent_of
from workbench.data.conversations.corpora import remade
from workbench.data.corpus import Corpus

__all__ = ["true_acceptance", "true_labels", "true_sheets"]


def true_labels(corpus: Corpus) -> pd.DataFrame:
    """Give the labels without annotators' errors.

    Parameters
    ----------
    corpus
        Made by `make_corpus`, or some of its rows.

    Returns
    -------
    pandas.DataFrame
        Like `corpus.y`.

    Raises
    ------
    DataError
        When a row is none of a corpus made here.

    Examples
    --------
    >>> from workbench.data.conversations import make_corpus
    >>> corpus = make_corpus("lead_intents", 400).of("train")
    >>> wrong = (true_labels(corpus)["primary_intent"] != corpus.y["primary_intent"]).mean()
    >>> bool(0.005 < wrong < 0.07)
    True
    """
    rows = remade(corpus)
    return pd.DataFrame({
        f.name: pd.Series([row.example.y[f.name] for row in rows], corpus.X.index, dtype=object)
        for f in corpus.fields
    })  # fmt: skip


def true_sheets(corpus: Corpus) -> pd.DataFrame:
    """Give what is true and may not be said: what nobody can read from the text.

    Parameters
    ----------
    corpus
        Made by `make_corpus`, or some of its rows.

    Returns
    -------
    pandas.DataFrame
        Columns by corpus, such as `root_cause_unsaid`, also where nothing hints at it.

    Raises
    ------
    DataError
        When a row is none of a corpus made here.

    Examples
    --------
    >>> from workbench.data.conversations import make_corpus
    >>> list(true_sheets(make_corpus("objections", 5)))
    ['root_cause_unsaid']
    """
    truth = [dict(row.example.truth) for row in remade(corpus)]
    return pd.DataFrame(truth, index=corpus.X.index)


def true_acceptance(corpus: Corpus) -> pd.DataFrame:
    """Give the chance that the agent of each moment would take each suggestion.

    Parameters
    ----------
    corpus
        "coaching_moments" made by `make_corpus`, or some of its rows.

    Returns
    -------
    pandas.DataFrame
        One column a suggestion.

    Examples
    --------
    >>> from workbench.data.conversations import make_corpus
    >>> true_acceptance(make_corpus("coaching_moments", 4)).shape
    (4, 18)
    """
    rows = []
    for name, helps in zip(corpus.X.index, corpus.y["suggestion"], strict=True):
        agent = agent_of(str(name))
        rows.append([acceptance_of(agent, suggestion, helps) for suggestion in SUGGESTIONS])
    return pd.DataFrame(rows, index=corpus.X.index, columns=list(SUGGESTIONS))
