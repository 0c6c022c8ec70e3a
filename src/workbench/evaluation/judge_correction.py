"""What people would say of all pairs, from a judge that errs and a random sample of theirs."""

from collections.abc import Sequence

import numpy as np

from workbench.errors import EvaluationError
from workbench.evaluation.judge import JudgePair
from workbench.stats import Estimate, judge_corrected_proportion

__all__ = ["corrected_share", "draw_calibration"]


def draw_calibration(
    pairs: Sequence[JudgePair], n_pairs: int, *, random_state: int = 0
) -> tuple[str, ...]:
    """Draw the pairs that people are to judge.

    Parameters
    ----------
    pairs
        All pairs.
    n_pairs
        How many people can judge.
    random_state
        Seed.

    Returns
    -------
    tuple of str
        Identifiers, a simple random sample: what the correction rests on.

    Raises
    ------
    EvaluationError
        When there are not so many.

    Examples
    --------
    >>> pairs = [JudgePair(str(i), "", "x", "", "y", "") for i in range(10)]
    >>> len(draw_calibration(pairs, 3))
    3
    """
    if not 0 < n_pairs <= len(pairs):
        raise EvaluationError(
            f"{n_pairs} of {len(pairs)} pairs", expected=f"1 to {len(pairs)}", fix="correct it"
        )
    chosen = np.random.default_rng(random_state).choice(len(pairs), n_pairs, replace=False)
    return tuple(pairs[i].pair for i in sorted(chosen.tolist()))


def corrected_share(
    judged: Sequence[bool | None],
    human: Sequence[bool | None],
    *,
    confidence_level: float = 0.95,
) -> Estimate:
    """Share of yes people would give, from a judge's yes and no and a sample of people's.

    Parameters
    ----------
    judged
        The judge's answers; None where it failed: left out.
    human
        People's, None where nobody was asked; those asked about are a random sample.
    confidence_level
        Of the interval.

    Returns
    -------
    Estimate
        Over what people did not judge.

    Raises
    ------
    EvaluationError
        When people judged all or nothing, gave only one kind of answer, or the judge is no better
        than chance.

    Examples
    --------
    >>> judge = [True, False] * 100
    >>> people = [*judge[:100], *[None] * 100]
    >>> found = corrected_share(judge, people)
    >>> found.estimate, round(found.ci_lower, 2), round(found.ci_upper, 2)
    (0.5, 0.4, 0.6)
    """
    if len(judged) != len(human):
        raise EvaluationError(
            f"{len(judged)} verdicts and {len(human)} of people",
            expected="one each a pair, None where there is none",
            fix="pass both for every pair",
        )
    known = [(j, h) for j, h in zip(judged, human, strict=True) if j is not None]
    rest = [j for j, h in known if h is None]
    yes, no = ([j for j, h in known if h is kind] for kind in (True, False))
    if not rest or not yes or not no:
        raise EvaluationError(
            f"people said yes to {len(yes)} and no to {len(no)} pairs; {len(rest)} unseen",
            expected="some of each",
            fix="judge more pairs than people do, and have people judge more of them",
        )
    try:
        return judge_corrected_proportion(
            (sum(rest), len(rest)),
            (len(no) - sum(no), len(no)),
            (sum(yes), len(yes)),
            confidence_level=confidence_level,
        )
    except ValueError as error:
        raise EvaluationError(
            f"the judge cannot be corrected: {error}",
            expected="a judge better than chance",
            fix="improve its prompt or criteria, or have people judge more pairs",
        ) from None
