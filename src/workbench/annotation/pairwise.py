"""Rate two answers side by side without knowing whose they are, and see what came of it."""

import hashlib
import html
import itertools
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np

from workbench.annotation.preferences import PairwiseResult, Preference, pairwise_result
from workbench.errors import DataError, EvaluationError

__all__ = ["PairwiseRating", "Side"]

Side = Literal["left", "right", "tie"]
"""Which of the two shown answers is better."""

_SIDES = ("left", "right", "tie")


class _Shown(NamedTuple):
    item: int
    left: str
    right: str


class _Rated(NamedTuple):
    side: Side
    comment: str


def _lines(file: Path) -> list[str]:
    # Comments may hold other line ends, such as U+2028, which JSON leaves as they are.
    return [line for line in file.read_text(encoding="utf-8").split("\n") if line]


class PairwiseRating:
    """Pairs of answers to rate in a notebook, one after another, arms hidden.

    Show the object to see the next pair, call `rate`, show it again. Which pair comes when, and
    which answer stands left, is drawn at random; every arm stands left as often as right.

    Parameters
    ----------
    items
        What each answer is about; shown above the two.
    path
        A file that keeps the ratings: it is read when it exists and written after each rating.
        It holds no text of items or answers. Without one, ratings live as long as the object.
    groups
        Items that are not independent, such as those of one lead; for intervals.
    random_state
        Seed of the order.
    **arms
        Answers of each arm, one an item; two arms or more.

    Raises
    ------
    EvaluationError
        When there are no items, fewer than two arms, or answers do not fit the items.
    DataError
        When the file holds the ratings of something else.

    Examples
    --------
    >>> rating = PairwiseRating(["Q1", "Q2"], plain=["x", "y"], warm=["X", "Y"])
    >>> while not rating.finished:
    ...     rating.rate("tie")
    >>> rating.result().pairs[0].ties
    2
    """

    def __init__(
        self,
        items: Sequence[str],
        *,
        path: str | Path | None = None,
        groups: Sequence[str] | None = None,
        random_state: int = 0,
        **arms: Sequence[str],
    ) -> None:
        lengths = {name: len(answers) for name, answers in arms.items()}
        if not len(items) or len(arms) < 2 or set(lengths.values()) != {len(items)}:
            raise EvaluationError(
                f"{len(items)} items and answers of arms {lengths}",
                expected="one item or more, two arms or more, one answer an item of each",
                fix="pass the answers of each arm by its name",
            )
        if groups is not None and len(groups) != len(items):
            raise EvaluationError(
                f"{len(groups)} groups of {len(items)} items", expected="one an item",
                fix="pass a group for every item",
            )  # fmt: skip
        self._items = tuple(items)
        self._arms = {name: tuple(answers) for name, answers in arms.items()}
        self._groups = None if groups is None else tuple(groups)
        self._order = _drawn(len(items), sorted(arms), random_state)
        self._digest = _digest(self._items, self._arms, self._order)
        self._rated: list[_Rated] = []
        self._path = None if path is None else Path(path)
        if self._path is not None and self._path.exists():
            self.load(self._path)

    @property
    def finished(self) -> bool:
        """Whether every pair is rated."""
        return len(self._rated) == len(self._order)

    def rate(self, side: Side, comment: str = "") -> None:
        """Rate the pair that is shown.

        Parameters
        ----------
        side
            The better answer: ``left``, ``right``, or ``tie``.
        comment
            Why; kept with the rating.

        Raises
        ------
        EvaluationError
            When the side is none of these, or nothing is left to rate.
        """
        if side not in _SIDES:
            raise EvaluationError(
                f"side is {side!r}", expected="'left', 'right' or 'tie'", fix="name one"
            )
        if self.finished:
            raise EvaluationError(
                "every pair is rated", expected="a pair to rate", fix="look at result()"
            )
        # Half a pair of a character fits into no file.
        self._rated.append(_Rated(side, comment.encode(errors="replace").decode()))
        self._keep()

    def undo(self) -> None:
        """Take the last rating back; its pair is shown again.

        Raises
        ------
        EvaluationError
            When there is none.
        """
        if not self._rated:
            raise EvaluationError("nothing is rated", expected="a rating", fix="rate a pair first")
        self._rated.pop()
        self._keep()

    def _keep(self) -> None:
        if self._path is not None:
            self.save(self._path)

    def save(self, path: str | Path) -> None:
        """Write the ratings as JSONL: whose answers they are about is told by a digest only.

        Parameters
        ----------
        path
            The file; it is replaced.
        """
        lines = [json.dumps({"pairwise": self._digest, "n_pairs": len(self._order)})]
        lines += [json.dumps(rated._asdict(), ensure_ascii=False) for rated in self._rated]
        target = Path(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        # Replaced at once: a kernel that dies while writing must not take the ratings along.
        partial = target.with_name(target.name + ".partial")
        partial.write_text("\n".join(lines) + "\n", encoding="utf-8")
        partial.replace(target)

    def load(self, path: str | Path) -> None:
        """Read ratings back in place of those held.

        Parameters
        ----------
        path
            What `save` wrote for the same items, answers and seed.

        Raises
        ------
        DataError
            When it cannot be read, is malformed, or belongs to something else.
        """
        file = Path(path)
        try:
            rows = [json.loads(line) for line in _lines(file)]
            head, *rest = rows
            rated = [_Rated(row["side"], str(row["comment"])) for row in rest]
            digest = head["pairwise"]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise DataError(
                f"the ratings cannot be read: {error}", where=str(file),
                expected="a file that save() wrote", fix="name another file",
            ) from None  # fmt: skip
        if digest != self._digest:
            raise DataError(
                "the ratings are of other items, answers or another seed",
                where=str(file),
                expected=f"digest {self._digest}",
                fix="build the object as it was, or name a new file",
            )
        bad = [row.side for row in rated if row.side not in _SIDES]
        if bad or len(rated) > len(self._order):
            raise DataError(
                f"{len(rated)} ratings, {len(bad)} of no known side", where=str(file),
                expected=f"at most {len(self._order)}, each left, right or tie",
                fix="restore the file",
            )  # fmt: skip
        self._rated = rated

    def preferences(self) -> tuple[Preference, ...]:
        """What was rated so far, with the arms' names.

        Returns
        -------
        tuple of Preference
        """
        outcomes = {"left": 1.0, "right": 0.0, "tie": 0.5}
        return tuple(
            Preference(
                item=shown.item,
                first=shown.left,
                second=shown.right,
                outcome=outcomes[rated.side],
                group=None if self._groups is None else self._groups[shown.item],
                comment=rated.comment,
            )
            for shown, rated in zip(self._order, self._rated, strict=False)
        )

    def result(self, *, confidence_level: float = 0.95) -> PairwiseResult:
        """Lift the blind and count.

        Parameters
        ----------
        confidence_level
            Of intervals.

        Returns
        -------
        PairwiseResult

        Raises
        ------
        EvaluationError
            When nothing is rated.
        """
        return pairwise_result(
            self.preferences(), arms=tuple(self._arms), confidence_level=confidence_level
        )

    def _repr_html_(self) -> str:
        done, n = len(self._rated), len(self._order)
        if self.finished:
            return f"<p>All {n:,} pairs are rated; see <code>result()</code>.</p>"
        shown = self._order[done]
        cells = "".join(
            f"<td style='width:50%;vertical-align:top;text-align:left;white-space:pre-wrap'>"
            f"{html.escape(self._arms[arm][shown.item])}</td>"
            for arm in (shown.left, shown.right)
        )
        return (
            f"<p><b>Pair {done + 1:,} of {n:,}</b></p>"
            f"<p style='white-space:pre-wrap'>{html.escape(self._items[shown.item])}</p>"
            f"<table><thead><tr><th>left</th><th>right</th></tr></thead>"
            f"<tbody><tr>{cells}</tr></tbody></table>"
            '<p><small><code>rate("left" | "right" | "tie", comment="")</code>, '
            "<code>undo()</code></small></p>"
        )


def _drawn(n_items: int, arms: Sequence[str], random_state: int) -> tuple[_Shown, ...]:
    rng = np.random.default_rng(random_state)
    shown: list[_Shown] = []
    for a, b in itertools.combinations(arms, 2):
        # Half of a pair's items one way round, half the other.
        swapped = rng.permutation(np.arange(n_items) % 2 == 1)
        shown += [
            _Shown(i, *((b, a) if swap else (a, b))) for i, swap in enumerate(swapped.tolist())
        ]
    return tuple(shown[i] for i in rng.permutation(len(shown)))


def _digest(
    items: tuple[str, ...], arms: dict[str, tuple[str, ...]], order: tuple[_Shown, ...]
) -> str:
    text = json.dumps([items, sorted(arms.items()), order], ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
