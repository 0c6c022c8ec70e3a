"""What a lead has answered, read reply by reply: learnt from talks labelled as a whole."""

from collections.abc import Sequence
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.base import BaseEstimator
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.utils.validation import check_is_fitted

from workbench.data import Corpus
from workbench.data.conversations.sheets import QUESTIONS
from workbench.errors import PredictorError

__all__ = ["Exchange", "ReplyReader", "exchanges_of"]

Matrix = NDArray[np.float64]


class Exchange(NamedTuple):
    """What the agent asked (empty for the lead's opening) and what the lead said to it."""

    agent: str
    lead: str


def exchanges_of(text: str) -> list[Exchange]:
    r"""Cut a dialogue into what was asked and what was said to it.

    Parameters
    ----------
    text
        A line "lead: …" or "agent: …" a turn.

    Examples
    --------
    >>> exchanges_of("lead: hello\nagent: Where?\nlead: Soho")
    [Exchange(agent='', lead='hello'), Exchange(agent='Where?', lead='Soho')]
    """
    found, agent = [], ""
    for line in text.split("\n"):
        speaker, _, said = line.partition(": ")
        if speaker == "lead":
            found.append(Exchange(agent, said))
            agent = ""
        else:
            agent = said
    return found


class ReplyReader(BaseEstimator):  # type: ignore[misc]  # untyped in scikit-learn
    """Chance that an exchange answers each of the 16 questions.

    Talks are labelled as a whole: which replies answered is not on record. One logistic
    regression a question, on the words of the reply and of what was asked before; in each talk in
    which a question is answered, the likeliest reply is taken for the answer, and the models are
    fitted again.

    Parameters
    ----------
    C
        Inverse strength of regularisation.
    rounds
        How often the likeliest replies are chosen anew.

    Attributes
    ----------
    models_ : list of LogisticRegression
        One a question.

    References
    ----------
    Andrews, Tsochantaridis & Hofmann (2003), "Support vector machines for multiple-instance
    learning", NeurIPS 15.

    Examples
    --------
    >>> from workbench.data.conversations import make_corpus
    >>> reader = ReplyReader(rounds=1).fit(make_corpus("qualification_sheets", 300))
    >>> told = reader.told([Exchange("Which part of town?", "pass")])
    >>> told.shape, bool(told.max() < 0.5)
    ((1, 16), True)
    """

    def __init__(self, C: float = 1.0, rounds: int = 2) -> None:
        self.C = C
        self.rounds = rounds

    def fit(self, talks: Corpus) -> Self:
        """Learn from labelled talks.

        Parameters
        ----------
        talks
            With the field `answered`, as "qualification_sheets".

        Raises
        ------
        PredictorError
            When a question is answered in no talk.
        """
        cut = [exchanges_of(str(text)) for text in talks.X["text"]]
        talk = np.repeat(np.arange(len(cut)), [len(exchanges) for exchanges in cut])
        self.words_ = CountVectorizer(binary=True, ngram_range=(1, 2), min_df=2)
        self.asked_ = CountVectorizer(binary=True, ngram_range=(1, 2), min_df=2)
        flat = [exchange for exchanges in cut for exchange in exchanges]
        self.words_.fit([exchange.lead for exchange in flat])
        self.asked_.fit([exchange.agent for exchange in flat])
        X = self._features(flat)
        self.models_ = []
        for slug in QUESTIONS:
            answered = np.array([slug in given for given in talks.y["answered"]])
            if answered.all() or not answered.any():
                raise PredictorError(
                    f"question {slug!r} is answered in {answered.sum()} of {len(cut)} talks",
                    expected="talks with and without an answer to each question",
                    fix="learn from more talks",
                )
            self.models_.append(self._model(X, talk, answered))
        return self

    def _model(
        self, X: Any, talk: NDArray[np.int64], answered: NDArray[np.bool_]
    ) -> LogisticRegression:
        label = answered[talk]
        for number in range(self.rounds + 1):
            model = LogisticRegression(C=self.C, solver="liblinear").fit(X, label)
            if number < self.rounds:
                score = model.decision_function(X)
                # Last of each talk once its replies stand in order of their scores.
                order = np.lexsort((score, talk))
                last = np.append(np.diff(talk[order]) != 0, True)
                label = np.zeros(len(talk), dtype=bool)
                label[order[last]] = answered[talk[order[last]]]
        return model

    def _features(self, exchanges: Sequence[Exchange]) -> Any:
        return sparse.hstack(
            [
                self.words_.transform([exchange.lead for exchange in exchanges]),
                self.asked_.transform([exchange.agent for exchange in exchanges]),
            ],
            format="csr",
        )

    def told(self, exchanges: Sequence[Exchange]) -> Matrix:
        """Chance that each exchange answers each question, shape (n_exchanges, 16).

        Parameters
        ----------
        exchanges
            Read one by one.
        """
        check_is_fitted(self)
        if not len(exchanges):
            return np.empty((0, len(QUESTIONS)))
        X = self._features(exchanges)
        return np.column_stack([model.predict_proba(X)[:, 1] for model in self.models_])

    def predict(self, talks: Corpus) -> Matrix:
        """Chance that each question is answered anywhere in each talk, shape (n_talks, 16).

        Parameters
        ----------
        talks
            Whose texts are dialogues.
        """
        cut = [exchanges_of(str(text)) for text in talks.X["text"]]
        told = self.told([exchange for exchanges in cut for exchange in exchanges])
        ends = np.cumsum([len(exchanges) for exchanges in cut])[:-1]
        return np.array([part.max(axis=0) for part in np.split(told, ends)])
