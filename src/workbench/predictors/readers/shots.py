"""Which solved examples a prompt shows: chosen from training rows only."""

from collections.abc import Sequence
from typing import Literal, TypeAlias, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn.feature_extraction.text import TfidfVectorizer

from workbench.errors import PredictorError

__all__ = ["MAX_SHOT_CHARS", "ShotChoice", "Shots", "check_choice"]

ShotChoice: TypeAlias = Literal["random", "diverse", "nearest"]
"""At random, far from each other, or the nearest to the text that is asked about."""

MAX_SHOT_CHARS = 1_200
"""A solved example longer than this would make every later call pay for it."""


def check_choice(choice: str) -> None:
    """Check the name of a way to choose.

    Raises
    ------
    PredictorError
        When there is none of that name.
    """
    if choice not in get_args(ShotChoice):
        raise PredictorError(
            f"shots is {choice!r}", expected=f"one of {get_args(ShotChoice)}", fix="correct it"
        )


class Shots:
    """Training rows that may be shown, and the choice among them.

    `random` and `diverse` choose once: as many of each class as possible, one from a group;
    `diverse` takes in each turn the candidate least like those taken (farthest first; Gonzalez
    1985). `nearest` chooses for each text its nearest training texts (Liu et al. 2022, KATE,
    arXiv 2101.06804), here by TF-IDF.

    Parameters
    ----------
    texts : sequence of str
        Of the training rows.
    classes : sequence of str
        What is spread over the examples: the first label of each row.
    groups : ndarray, optional
        At most one example comes from each group.
    n
        How many to show.
    choice
        See `ShotChoice`.
    random_state
        Seed.

    Raises
    ------
    PredictorError
        When there are too few rows that fit.

    Examples
    --------
    >>> shots = Shots(["buy a house", "sell it", "buy now", "sell fast"], ["b", "s", "b", "s"],
    ...               None, 2, "random", 0)
    >>> sorted(shots.chosen) in ([0, 1], [0, 3], [1, 2], [2, 3])
    True
    """

    def __init__(
        self,
        texts: Sequence[str],
        classes: Sequence[str],
        groups: NDArray[np.object_] | None,
        n: int,
        choice: ShotChoice,
        random_state: int,
    ) -> None:
        self.n = n
        self.choice = choice
        fitting = np.array([0 < len(t) <= MAX_SHOT_CHARS for t in texts], dtype=bool)
        self._rows = np.flatnonzero(fitting)
        names = np.arange(len(texts)) if groups is None else pd.factorize(groups)[0]
        self._groups = names[self._rows]
        if len(set(self._groups.tolist())) < n:
            raise PredictorError(
                f"{n} examples were asked for, but only {len(set(self._groups.tolist()))} training "
                "rows fit",
                expected=f"texts of at most {MAX_SHOT_CHARS:,} characters, one from a group",
                fix="train on more rows or lower n_examples",
            )
        # With one word there is still something to compare; with none there is nothing.
        words = r"(?u)\b\w+\b|\S"
        self._words = TfidfVectorizer(sublinear_tf=True, token_pattern=words)
        self._vectors: csr_matrix = self._words.fit_transform(
            [texts[i] for i in self._rows.tolist()]
        )
        self.chosen: list[int] = []
        if choice != "nearest":
            rng = np.random.default_rng(random_state)
            self.chosen = self._spread([classes[i] for i in self._rows.tolist()], rng)

    def _spread(self, classes: Sequence[str], rng: np.random.Generator) -> list[int]:
        """Take turns over the classes, in a random order."""
        order = rng.permutation(len(classes))
        queues: dict[str, list[int]] = {}
        for row in order.tolist():
            queues.setdefault(classes[row], []).append(row)
        names = [list(queues)[i] for i in rng.permutation(len(queues))]
        taken: list[int] = []
        used: set[int] = set()
        while len(taken) < self.n:
            before = len(taken)
            for name in names:
                free = [row for row in queues[name] if self._groups[row] not in used]
                if free and len(taken) < self.n:
                    row = self._farthest(free, taken) if self.choice == "diverse" else free[0]
                    taken.append(row)
                    used.add(self._groups[row])
            if len(taken) == before:  # one group may hold every row of the classes left
                break
        return [int(self._rows[row]) for row in taken]

    def _farthest(self, free: list[int], taken: list[int]) -> int:
        if not taken:
            return free[0]
        likeness = np.asarray((self._vectors[free] @ self._vectors[taken].T).max(axis=1).todense())
        return free[int(likeness.ravel().argmin())]

    def near(self, texts: Sequence[str]) -> list[list[int]]:
        """Find the training rows shown for each text, the nearest last, next to the question.

        Parameters
        ----------
        texts
            What is asked about.

        Returns
        -------
        list of list of int
            Positions of training rows; the same for each text unless the choice is `nearest`.
        """
        if self.choice != "nearest":
            return [self.chosen] * len(texts)
        found: list[list[int]] = []
        likeness = self._words.transform(texts) @ self._vectors.T
        for i in range(len(texts)):
            row = np.asarray(likeness[i].todense()).ravel()
            shown: list[int] = []
            used: set[int] = set()
            for at in np.argsort(-row, kind="stable").tolist():
                if self._groups[at] not in used:
                    used.add(self._groups[at])
                    shown.append(int(self._rows[at]))
                if len(shown) == self.n:
                    break
            found.append(shown[::-1])
        return found
