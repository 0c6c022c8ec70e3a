"""What pairwise preferences say: win rates, a sign test, position bias, strengths of arms."""

import html
import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from workbench.errors import EvaluationError
from workbench.stats import (
    BradleyTerry,
    Estimate,
    bradley_terry,
    count_preferences,
    mcnemar,
    mean_interval,
    proportion_interval,
)
from workbench.stats.bounds import wilson_bounds

__all__ = ["PairOutcome", "PairwiseResult", "Preference", "human_verdicts", "pairwise_result"]


class Preference(NamedTuple):
    """One comparison of two arms.

    Attributes
    ----------
    item
        Position of what the answers are about.
    first, second
        Arms, in the order they were shown.
    outcome
        1 when the first was preferred, 0 when the second was, 0.5 for a tie.
    group
        Of the item, where items are not independent.
    comment
        Why.
    """

    item: int
    first: str
    second: str
    outcome: float
    group: str | None = None
    comment: str = ""


class PairOutcome(NamedTuple):
    """How one arm fared against another.

    Attributes
    ----------
    arm, other
        The two.
    wins, losses, ties
        Of `arm`.
    win_rate
        Share `arm` wins, a tie counting one half. The interval is Wilson's (somewhat too wide with
        ties), or that of a mean over groups where there are some.
    sign_pvalue
        Two-sided exact sign test of wins against losses; it takes items as independent.
    """

    arm: str
    other: str
    wins: int
    losses: int
    ties: int
    win_rate: Estimate
    sign_pvalue: float


@dataclass(frozen=True)
class PairwiseResult:
    """Preferences between arms, counted.

    Parameters
    ----------
    pairs
        One each two arms that were compared.
    first_wins
        Share of decided comparisons won by the answer shown first; 0.5 is no position bias.
    strengths
        Bradley-Terry strengths of `arms`, from three arms on.
    arms
        In the order of `strengths`.
    """

    pairs: tuple[PairOutcome, ...]
    first_wins: Estimate | None
    strengths: BradleyTerry | None
    arms: tuple[str, ...]

    def to_frame(self) -> pd.DataFrame:
        """One row each two arms.

        Returns
        -------
        DataFrame
        """
        return pd.DataFrame(
            {
                "arm": p.arm, "other": p.other, "wins": p.wins, "losses": p.losses,
                "ties": p.ties, "win_rate": p.win_rate.estimate,
                "ci_lower": p.win_rate.ci_lower, "ci_upper": p.win_rate.ci_upper,
                "sign_pvalue": p.sign_pvalue, "n": p.win_rate.n,
            }
            for p in self.pairs
        )  # fmt: skip

    def _repr_html_(self) -> str:
        body = "".join(
            f"<tr><td>{html.escape(p.arm)}</td><td>{html.escape(p.other)}</td>"
            f"<td>{p.wins:,} / {p.losses:,} / {p.ties:,}</td><td>{_share(p.win_rate)}</td>"
            f"<td>{p.sign_pvalue:.3f}</td></tr>"
            for p in self.pairs
        )
        head = "".join(
            f"<th>{h}</th>" for h in ("arm", "against", "wins / losses / ties", "win rate", "p")
        )
        words = "" if self.first_wins is None else f"First shown wins {_share(self.first_wins)}."
        if self.strengths is not None:
            words += " Strengths: " + ", ".join(
                f"{html.escape(arm)} {s:+.2f} [{low:+.2f}, {high:+.2f}]"
                for arm, s, low, high in zip(
                    self.arms, self.strengths.strength, self.strengths.ci_lower,
                    self.strengths.ci_upper, strict=True,
                )
            )  # fmt: skip
        return (
            f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
            f"<p><small>{words}</small></p>"
        )


def _share(found: Estimate) -> str:
    return f"{found.estimate:.1%} [{found.ci_lower:.1%}, {found.ci_upper:.1%}]"


def pairwise_result(
    preferences: Sequence[Preference], *, arms: Sequence[str], confidence_level: float = 0.95
) -> PairwiseResult:
    """Count pairwise preferences.

    Parameters
    ----------
    preferences
        One a comparison.
    arms
        All arms, in the order of the result.
    confidence_level
        Of intervals.

    Returns
    -------
    PairwiseResult

    Raises
    ------
    EvaluationError
        When there are no preferences, or one is about an arm that is not named.

    References
    ----------
    See `workbench.stats.proportion_interval`, `workbench.stats.mcnemar` and
    `workbench.stats.bradley_terry`.

    Examples
    --------
    >>> rated = [Preference(i, "a", "b", float(i < 8)) for i in range(10)]
    >>> found = pairwise_result(rated, arms=("a", "b"))
    >>> found.pairs[0].win_rate.estimate, round(found.pairs[0].sign_pvalue, 3)
    (0.8, 0.109)
    """
    strangers = {p.first for p in preferences} | {p.second for p in preferences}
    strangers -= set(arms)
    if not preferences or strangers:
        raise EvaluationError(
            f"{len(preferences)} preferences, of arms {sorted(strangers)} that are not named",
            expected=f"preferences between {list(arms)}",
            fix="rate some pairs, and name every arm",
        )
    pairs = tuple(
        _outcome(found, a, b, confidence_level)
        for a, b in itertools.combinations(arms, 2)
        if (found := [p for p in preferences if {p.first, p.second} == {a, b}])
    )
    decided = [p.outcome for p in preferences if p.outcome != 0.5]
    first_wins = None
    if decided:
        first_wins = proportion_interval(
            int(sum(decided)), len(decided), confidence_level=confidence_level
        )
    strengths = _strengths(preferences, arms, confidence_level) if len(arms) > 2 else None
    return PairwiseResult(pairs, first_wins, strengths, tuple(arms))


def human_verdicts(
    preferences: Sequence[Preference], *, pairs: Sequence[str], arm_a: str, arm_b: str
) -> dict[str, Literal["a", "b", "tie"]]:
    """Preferences between two arms in the words of a judge's audit.

    Parameters
    ----------
    preferences
        One a comparison; those of other arms are left out.
    pairs
        Identifier of each item, in their order.
    arm_a, arm_b
        Which arm is called a, and which b.

    Returns
    -------
    dict of str to str
        ``a``, ``b`` or ``tie`` by identifier, of what was rated.

    Raises
    ------
    EvaluationError
        When an item has no identifier.

    Examples
    --------
    >>> rated = [Preference(0, "warm", "plain", 1.0), Preference(1, "plain", "warm", 0.5)]
    >>> human_verdicts(rated, pairs=["p7", "p9"], arm_a="plain", arm_b="warm")
    {'p7': 'b', 'p9': 'tie'}
    """
    found: dict[str, Literal["a", "b", "tie"]] = {}
    for p in preferences:
        if {p.first, p.second} != {arm_a, arm_b}:
            continue
        if p.item >= len(pairs):
            raise EvaluationError(
                f"item {p.item} has no identifier", expected=f"more than {len(pairs)} identifiers",
                fix="pass one for every item that was rated",
            )  # fmt: skip
        score = p.outcome if p.first == arm_a else 1 - p.outcome
        found[pairs[p.item]] = "tie" if score == 0.5 else "a" if score == 1 else "b"
    return found


def _outcome(found: list[Preference], arm: str, other: str, confidence_level: float) -> PairOutcome:
    scores = np.array([p.outcome if p.first == arm else 1 - p.outcome for p in found])
    wins, losses = int((scores == 1).sum()), int((scores == 0).sum())
    rate = _win_rate(scores, [p.group for p in found if p.group is not None], confidence_level)
    sign = mcnemar(wins, losses).pvalue
    return PairOutcome(arm, other, wins, losses, len(found) - wins - losses, rate, sign)


def _win_rate(scores: NDArray[np.float64], groups: list[str], confidence_level: float) -> Estimate:
    n = len(scores)
    if len(groups) == n:
        rate = mean_interval(scores, groups=groups, confidence_level=confidence_level)
        return rate._replace(ci_lower=max(rate.ci_lower, 0.0), ci_upper=min(rate.ci_upper, 1.0))
    # Ties as half a win: their variance is below that of wins, so Wilson's interval still holds.
    total = float(scores.sum())
    low, high = wilson_bounds(np.array(total), np.array(float(n)), confidence_level)
    error = float(np.sqrt(total / n * (1 - total / n) / n))
    return Estimate(total / n, float(low), float(high), error, n, None, confidence_level, "wilson")


def _strengths(
    preferences: Sequence[Preference], arms: Sequence[str], confidence_level: float
) -> BradleyTerry:
    wins, ties = count_preferences(
        [p.first for p in preferences], [p.second for p in preferences],
        [p.outcome for p in preferences], names=arms,
    )  # fmt: skip
    given = ties if ties.any() else None
    try:
        return bradley_terry(wins, ties=given, confidence_level=confidence_level)
    except ValueError:
        # An arm that never lost has no finite strength; half a win and a loss each give it one.
        return bradley_terry(wins, ties=given, prior_wins=0.5, confidence_level=confidence_level)
