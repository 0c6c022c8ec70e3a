"""Scores of alarms raised while a dialogue runs: how early, how often in vain."""

import math
from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workbench.errors import EvaluationError
from workbench.scorers.weighted import as_rows, check_pairs, divided, ratio_statistic
from workbench.stats import Statistic, roc_auc_statistic

__all__ = [
    "alarm_threshold",
    "alarm_turns",
    "auc_before",
    "detected_in_time",
    "detection_delay",
    "false_alarm_share",
    "latency_weighted_f1",
    "lead_time",
]

Matrix = NDArray[np.float64]
Events: TypeAlias = Sequence[int | None]
Scores: TypeAlias = Sequence[Sequence[float] | None]


def _checked(truth: Events, scores: Scores) -> int:
    n = check_pairs(truth, scores)
    for i, (event, given) in enumerate(zip(truth, scores, strict=True)):
        if event is not None and (event < 0 or (given is not None and event >= len(given))):
            raise EvaluationError(
                f"the event is at turn {event}",
                where=f"example {i}",
                expected="a turn of the dialogue, counted from 0, or None",
                fix="give a score for every turn up to the event at least",
            )
        if given is not None and not all(math.isfinite(s) for s in given):
            raise EvaluationError(
                "a score is no finite number", where=f"example {i}",
                expected="one number a turn", fix="pass None where there are no scores",
            )  # fmt: skip
    return n


def alarm_threshold(truth: Events, scores: Scores, *, false_alarm_rate: float = 0.1) -> float:
    """Score above which an alarm is raised, from calibration dialogues.

    Parameters
    ----------
    truth
        Turn of the event in each calibration dialogue, from 0; None where there is none.
    scores
        One score a turn; dialogues without scores are left out.
    false_alarm_rate
        Largest share of dialogues without event that may raise an alarm, in (0, 1).

    Returns
    -------
    float
        The quantile of the highest scores of dialogues without event that keeps the rate on a
        further dialogue like them (⌈(n + 1)(1 − rate)⌉-th of n); infinite, so that no alarm is
        ever raised, where they are too few to promise it.

    Raises
    ------
    EvaluationError
        When the rate is out of range, or no dialogue is without event.

    References
    ----------
    The conformal quantile: Vovk, Gammerman & Shafer (2005), Algorithmic Learning in a Random
    World.

    Examples
    --------
    >>> quiet = [[0.1, 0.3], [0.2, 0.1], [0.6, 0.5], [0.4, 0.2]]
    >>> alarm_threshold([None] * 4, quiet, false_alarm_rate=0.2)
    0.6
    """
    if not 0 < false_alarm_rate < 1:
        raise EvaluationError(
            f"false_alarm_rate is {false_alarm_rate}", expected="a share in (0, 1)",
            fix="correct it",
        )  # fmt: skip
    _checked(truth, scores)
    highest = sorted(
        max(given) for event, given in zip(truth, scores, strict=True) if event is None and given
    )
    if not highest:
        raise EvaluationError(
            "no calibration dialogue is without event",
            expected="dialogues in which an alarm would be false",
            fix="calibrate on more dialogues",
        )
    rank = math.ceil((len(highest) + 1) * (1 - false_alarm_rate) - 1e-9)
    return highest[rank - 1] if rank <= len(highest) else math.inf


def alarm_turns(scores: Scores, *, threshold: float) -> list[int | None]:
    """Turn of the first alarm of each dialogue.

    Parameters
    ----------
    scores
        One score a turn; None where nothing was answered: no alarm.
    threshold
        An alarm is raised when a score is above it.

    Returns
    -------
    list of int or None

    Examples
    --------
    >>> alarm_turns([[0.1, 0.8, 0.9], [0.2]], threshold=0.5)
    [1, None]
    """
    return [next((t for t, s in enumerate(row or ()) if s > threshold), None) for row in scores]


def _alarms(
    truth: Events, scores: Scores, threshold: float
) -> tuple[NDArray[np.bool_], Matrix, Matrix]:
    """Whether there is an event, its turn and that of the alarm (NaN where there is none)."""
    _checked(truth, scores)
    turns = [
        np.array([np.nan if t is None else float(t) for t in column])
        for column in (truth, alarm_turns(scores, threshold=threshold))
    ]
    return ~np.isnan(turns[0]), turns[0], turns[1]


def lead_time(truth: Events, scores: Scores, *, threshold: float) -> Statistic:
    """Mean turns between alarm and event, of events that were warned of in time.

    Parameters
    ----------
    truth
        Turn of each dialogue's event, from 0; None where there is none.
    scores
        One score a turn; None raises no alarm.
    threshold
        See `alarm_threshold`.

    Returns
    -------
    Statistic
        Read it beside `detected_in_time`: who only warns of the obvious has long leads.

    Raises
    ------
    EvaluationError
        When lengths differ, an event lies outside its dialogue or a score is no number.

    Examples
    --------
    >>> lead_time([3, None], [[0.1, 0.9, 0.9, 0.9], [0.2]], threshold=0.5)([1, 1]).tolist()
    [2.0]
    """
    _, event, alarm = _alarms(truth, scores, threshold)
    in_time = alarm <= event
    return ratio_statistic(np.where(in_time, event - np.nan_to_num(alarm), 0.0), in_time)


def detected_in_time(truth: Events, scores: Scores, *, threshold: float) -> Statistic:
    """Share of events with an alarm at their turn or before.

    Parameters
    ----------
    truth, scores, threshold
        As for `lead_time`.

    Returns
    -------
    Statistic

    Raises
    ------
    EvaluationError
        As `lead_time`.

    Examples
    --------
    >>> detected_in_time([1, 0], [[0.1, 0.9], [0.2]], threshold=0.5)([1, 1]).tolist()
    [0.5]
    """
    happens, event, alarm = _alarms(truth, scores, threshold)
    return ratio_statistic(alarm <= event, happens)


def false_alarm_share(truth: Events, scores: Scores, *, threshold: float) -> Statistic:
    """Share of dialogues without event in which an alarm is raised.

    Parameters
    ----------
    truth, scores, threshold
        As for `lead_time`.

    Returns
    -------
    Statistic

    Raises
    ------
    EvaluationError
        As `lead_time`.

    Examples
    --------
    >>> false_alarm_share([None, None], [[0.1, 0.9], [0.2]], threshold=0.5)([1, 1]).tolist()
    [0.5]
    """
    happens, _, alarm = _alarms(truth, scores, threshold)
    return ratio_statistic(~np.isnan(alarm) & ~happens, ~happens)


def detection_delay(truth: Events, scores: Scores, *, threshold: float) -> Statistic:
    """Mean turns from the event to the alarm, of alarms that come with it or after it.

    Parameters
    ----------
    truth, scores, threshold
        As for `lead_time`; the event is a change that can only be noticed once it is there.

    Returns
    -------
    Statistic

    Raises
    ------
    EvaluationError
        As `lead_time`.

    Examples
    --------
    >>> detection_delay([1, 0], [[0.1, 0.2, 0.9], [0.9]], threshold=0.5)([1, 1]).tolist()
    [0.5]
    """
    _, event, alarm = _alarms(truth, scores, threshold)
    after = alarm >= event
    return ratio_statistic(np.where(after, np.nan_to_num(alarm) - event, 0.0), after)


def latency_weighted_f1(
    truth: Events, scores: Scores, *, threshold: float, half_turns: float
) -> Statistic:
    """F1 of the alarms times their speed: what comes late is worth less.

    Parameters
    ----------
    truth, scores, threshold
        As for `lead_time`. Where only the dialogue is labelled, the event is its last turn.
    half_turns
        Turns read (above 1) after which an alarm is worth half of one after the first turn.

    Returns
    -------
    Statistic
        F1 · (1 − median penalty of the alarms that come in time); an alarm after the event is
        none. The penalty of an alarm after k turns is −1 + 2/(1 + e^(−p (k − 1))).

    Raises
    ------
    EvaluationError
        As `lead_time`, or when `half_turns` is not above 1.

    References
    ----------
    Sadeque, Xu & Bethard (2018), "Measuring the latency of depression detection in social
    media", WSDM, 495-503.

    Examples
    --------
    >>> scores = [[0.1, 0.9, 0.9], [0.1, 0.2]]
    >>> latency_weighted_f1([2, None], scores, threshold=0.5, half_turns=2)([1, 1]).round(3)
    array([0.5])
    """
    if not half_turns > 1:
        raise EvaluationError(
            f"half_turns is {half_turns}", expected="a number above 1", fix="raise it"
        )
    happens, event, alarm = _alarms(truth, scores, threshold)
    hit = alarm <= event
    raised = ~np.isnan(alarm)
    counts = np.column_stack([hit, raised, happens]).astype(np.float64)
    # The penalty is 0 after the first turn and one half after half_turns.
    rate = math.log(3) / (half_turns - 1)
    penalty = np.tanh(rate * np.nan_to_num(alarm) / 2)
    order = np.flatnonzero(hit)[np.argsort(penalty[hit], kind="stable")]

    def statistic(weights: ArrayLike) -> Matrix:
        w = as_rows(weights, len(hit))
        right, alarms, events = (w @ counts).T
        f1 = divided(2 * right, alarms + events)
        if not order.size:
            return f1
        return f1 * (1.0 - _weighted_median(penalty[order], w[:, order]))

    return statistic


def _weighted_median(ranked: Matrix, weights: Matrix) -> Matrix:
    """Median of sorted values by rows of weights; 0 where nothing has weight."""
    mass = np.cumsum(weights, axis=1)
    half = mass[:, -1:] / 2
    last = len(ranked) - 1
    low = np.minimum((mass < half - 1e-9).sum(axis=1), last)
    # An even count's median lies between the two in the middle.
    high = np.minimum((mass <= half + 1e-9).sum(axis=1), last)
    return np.where(mass[:, -1] > 0, (ranked[low] + ranked[high]) / 2, 0.0)


def auc_before(truth: Events, scores: Scores, *, turns: int) -> Statistic:
    """ROC AUC of the scores some turns before the event.

    Parameters
    ----------
    truth, scores
        As for `lead_time`.
    turns
        How many before the event, or before the last turn where there is no event; shorter
        dialogues, and those without scores, are left out.

    Returns
    -------
    Statistic

    Raises
    ------
    EvaluationError
        As `lead_time`, when `turns` is negative, or when no dialogue is long enough.

    Examples
    --------
    >>> auc_before([2, None], [[0.1, 0.6, 0.9], [0.3, 0.4]], turns=1)([1, 1]).tolist()
    [1.0]
    """
    if turns < 0:
        raise EvaluationError(f"turns is {turns}", expected="0 or more", fix="raise it")
    n = _checked(truth, scores)
    value = np.full(n, np.nan)
    for i, (event, given) in enumerate(zip(truth, scores, strict=True)):
        at = (len(given or ()) - 1 if event is None else event) - turns
        if given and at >= 0:
            value[i] = given[at]
    known = ~np.isnan(value)
    if not known.any():
        raise EvaluationError(
            f"no dialogue has a score {turns} turns before",
            expected="dialogues longer than that",
            fix="lower turns",
        )
    happens = np.array([event is not None for event in truth])
    rank = roc_auc_statistic(happens[known].astype(np.int8), value[known])

    def statistic(weights: ArrayLike) -> Matrix:
        return rank(as_rows(weights, n)[:, known])

    return statistic
