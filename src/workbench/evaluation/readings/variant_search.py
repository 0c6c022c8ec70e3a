"""Which of many candidates is best, found with few measurements: successive halving."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

__all__ = ["Rung", "Selection", "halving_plan", "plan_calls", "random_plan", "select"]

_ETA, _FIRST_ROWS, _FEWEST_ROWS, _MOST_ROUNDS = 3, 20, 10, 5


class Rung(NamedTuple):
    """One round of a search: so many candidates are measured on the first so many rows."""

    n_candidates: int
    n_rows: int


class Selection(NamedTuple):
    """What a search came to.

    Attributes
    ----------
    winner
        The candidate.
    score
        Its score on the rows that chose it: too good, the more so the more candidates there were.
    n_rows
        Those rows.
    scores
        By candidate, on the most rows it was measured on: (rows, score).
    """

    winner: int
    score: float
    n_rows: int
    scores: dict[int, tuple[int, float]]


def plan_calls(plan: Sequence[Rung]) -> int:
    """Count the calls a plan needs: rows that a candidate has answered about are not asked again.

    Parameters
    ----------
    plan
        Rounds in order.

    Examples
    --------
    >>> plan_calls([Rung(9, 20), Rung(3, 60)])
    300
    """
    before = [0, *(rung.n_rows for rung in plan)]
    return sum(
        rung.n_candidates * (rung.n_rows - done) for rung, done in zip(plan, before, strict=False)
    )


def halving_plan(n_calls: int, n_rows: int, n_candidates: int) -> tuple[Rung, ...]:
    """Plan a search by successive halving: a third goes on, to three times as many rows.

    Parameters
    ----------
    n_calls
        Most that may be asked.
    n_rows
        Rows there are.
    n_candidates
        Candidates there are.

    Returns
    -------
    tuple of Rung
        As many rounds as leave two candidates or more in the last, then as many candidates, then
        as many rows as the calls allow; empty when they do not allow two candidates.

    References
    ----------
    Jamieson & Talwalkar (2016), AISTATS, PMLR 51:240-248.

    Examples
    --------
    >>> halving_plan(500, 180, 270)
    (Rung(n_candidates=15, n_rows=20), Rung(n_candidates=5, n_rows=60))
    """
    for n_rounds in range(_MOST_ROUNDS, 0, -1):
        least = 2 * _ETA ** (n_rounds - 1)
        first = min(_FIRST_ROWS, n_rows // _ETA ** (n_rounds - 1))
        if first < _FEWEST_ROWS and n_rounds > 1:
            continue
        fitting = [
            k
            for k in range(least, n_candidates + 1)
            if plan_calls(_rungs(k, first, n_rounds)) <= n_calls
        ]
        if fitting:
            k, most = fitting[-1], n_rows // _ETA ** (n_rounds - 1)
            while first < most and plan_calls(_rungs(k, first + 1, n_rounds)) <= n_calls:
                first += 1
            return _rungs(k, first, n_rounds)
    return ()


def _rungs(n_candidates: int, first_rows: int, n_rounds: int) -> tuple[Rung, ...]:
    sizes = (_ETA**r for r in range(n_rounds))
    return tuple(Rung(n_candidates // size, first_rows * size) for size in sizes)


def random_plan(n_calls: int, like: Sequence[Rung], n_candidates: int) -> tuple[Rung, ...]:
    """Plan a search that measures each of its candidates on as many rows as another's finalists.

    Parameters
    ----------
    n_calls
        Most that may be asked.
    like
        Plan whose last round gives the rows.
    n_candidates
        Candidates there are.

    Examples
    --------
    >>> random_plan(500, [Rung(9, 20), Rung(3, 60)], 270)
    (Rung(n_candidates=8, n_rows=60),)
    """
    return (Rung(min(n_calls // like[-1].n_rows, n_candidates), like[-1].n_rows),)


def select(plan: Sequence[Rung], measure: Callable[[int, int], float | None]) -> Selection | None:
    """Run a search.

    Parameters
    ----------
    plan
        Rounds in order.
    measure
        Called with a candidate and a number of rows; gives its score on the first so many rows,
        the higher the better, or None where that can no longer be paid for: the search then ends
        with the round before.

    Returns
    -------
    Selection or None
        None where not even one candidate could be measured.

    Examples
    --------
    >>> found = select([Rung(9, 20), Rung(3, 60)], lambda candidate, n: float(candidate % 7))
    >>> found.winner, found.score, found.n_rows, found.scores[0]
    (6, 6.0, 60, (20, 0.0))
    """
    scores: dict[int, tuple[int, float]] = {}
    alive = list(range(plan[0].n_candidates))
    best: Selection | None = None
    for rung in plan:
        # Of equals the one that was drawn first goes on.
        alive = alive[: rung.n_candidates]
        found: dict[int, float] = {}
        for candidate in alive:
            score = measure(candidate, rung.n_rows)
            if score is None:
                break
            found[candidate] = score
        # A later round that could not be finished compares nobody; a first one compares some.
        if not found or (best is not None and len(found) < len(alive)):
            break
        scores |= {c: (rung.n_rows, s) for c, s in found.items()}
        alive = sorted(found, key=lambda c: -found[c])
        best = Selection(alive[0], found[alive[0]], rung.n_rows, scores)
        if len(found) < rung.n_candidates:
            break
    return best
