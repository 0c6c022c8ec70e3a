"""Sequential evaluation: ask in batches, and stop when the evidence decides.

A fixed test set is the size of the hardest decision. Most are easier: a clear winner, or no
gain worth having, shows after a part of the examples. The rule is fixed before the first answer
and its error rates hold however often one looks (see `SequentialRule`).
"""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from workbench.data import Dataset
from workbench.errors import EvaluationError
from workbench.evaluation.records import records_of
from workbench.evaluation.sequential_result import (
    SequentialLook,
    SequentialOutcome,
    SequentialResult,
)
from workbench.predictors import answering
from workbench.scorers import EXAMPLE_SCORES, metric, penalise_errors
from workbench.stats import SequentialRule

__all__ = [
    "SequentialRecords",
    "decide_sequentially",
    "sequential_records",
    "sequential_rule",
]

# What a difference of two scores of one example can be, where there is a limit.
_LIMITS = {"accuracy": (-1.0, 1.0), "brier": (-1.0, 1.0)}


class SequentialRecords(NamedTuple):
    """Records of a sequential evaluation.

    Attributes
    ----------
    records
        As `evaluate` makes them, of the examples that were asked.
    positions
        Their positions in the test part, in the order asked.
    results
        How each arm but the baseline was decided.
    """

    records: pd.DataFrame
    positions: NDArray[np.intp]
    results: dict[str, SequentialResult]


def sequential_rule(
    metric_name: str,
    minimum_effect: float,
    *,
    bound: float = 0.0,
    n_arms: int = 1,
    alpha: float = 0.05,
    power: float = 0.8,
) -> SequentialRule:
    """Make the rule for a metric.

    Parameters
    ----------
    metric_name
        A metric that is the mean of one score an example: accuracy, brier or log_loss.
    minimum_effect
        Smallest gain worth finding, > 0, in the unit of the metric.
    bound
        Gain to exceed.
    n_arms
        Arms judged beside the baseline; they share alpha.
    alpha, power
        As `SequentialRule`, of all arms together and of each.

    Raises
    ------
    EvaluationError
        When the metric is no mean over examples, or a number is out of range.

    Examples
    --------
    >>> sequential_rule("accuracy", 0.02, n_arms=2).alpha
    0.025
    """
    if metric(metric_name).name not in EXAMPLE_SCORES:
        raise EvaluationError(
            f"{metric_name!r} cannot be decided example by example",
            expected=f"one of {list(EXAMPLE_SCORES)}",
            fix="stop by one of these, and judge the other at the end",
        )
    try:
        return SequentialRule(
            minimum_effect,
            bound=bound,
            limits=_LIMITS.get(metric_name),
            alpha=alpha / n_arms,
            power=power,
        )
    except (ValueError, ZeroDivisionError) as error:
        raise EvaluationError(
            f"the rule cannot be made: {error}",
            expected="a minimum effect above 0, alpha and power between 0 and 1, an arm or more",
            fix="correct it",
        ) from error


def decide_sequentially(
    ask: Callable[[int, int], Mapping[str, ArrayLike]],
    n: int,
    rule: SequentialRule,
    *,
    batch_size: int = 50,
    groups: ArrayLike | None = None,
    on_progress: Callable[[str], None] | None = None,
) -> dict[str, SequentialResult]:
    """Ask for gains in batches until every arm is decided or the examples are used up.

    Parameters
    ----------
    ask
        Called with the first and one past the last position of a batch; gives for each arm the
        gains over the baseline at those positions (positive is better), shape (batch,). It is
        called for rising, adjoining batches only. The order of the examples must be random.
    n
        Examples there are.
    rule
        When an arm is decided.
    batch_size
        Examples a batch; the last group of a batch is completed.
    groups
        Group of each example in the order asked, shape (n,), groups in one piece: what counts
        is then the mean gain of each group.
    on_progress
        Told a sentence after each batch.

    Returns
    -------
    dict of str to SequentialResult
        By arm. An arm that was decided keeps its conclusion while others are still open.

    Raises
    ------
    EvaluationError
        When there are no examples, groups are not in one piece, an answer has the wrong length,
        names other arms than before, or is outside the rule's limits.

    Examples
    --------
    >>> gains = np.random.default_rng(0).choice([-1.0, 0.0, 1.0], size=2000, p=[0.1, 0.6, 0.3])
    >>> rule = SequentialRule(minimum_effect=0.1)
    >>> found = decide_sequentially(lambda i, j: {"new": gains[i:j]}, 2000, rule)["new"]
    >>> found.outcome, found.last.n, round(found.share_saved, 2)
    (<SequentialOutcome.PROMOTE: 'promote'>, 100, 0.68)
    """
    ends = _batch_ends(n, batch_size, groups)
    codes = None if groups is None else _codes(groups)
    seen: dict[str, list[NDArray[np.float64]]] = {}
    open_looks: list[tuple[int, int]] = []
    decided: dict[str, tuple[SequentialOutcome, int]] = {}
    start = 0
    for end in ends:
        _append(seen, ask(start, end), end - start, rule)
        n_units = end if codes is None else int(codes[end - 1]) + 1
        open_looks.append((end, n_units))
        for arm, parts in seen.items():
            if arm not in decided:
                outcome = _conclude(rule, _units(parts, codes))
                if outcome is not None:
                    decided[arm] = (outcome, len(open_looks))
        if on_progress:
            still = [arm for arm in seen if arm not in decided]
            on_progress(
                f"{end:,} of {n:,} examples: "
                + (f"{', '.join(still)} still open" if still else "every arm is decided")
            )
        if len(decided) == len(seen):
            break
        start = end
    return {
        arm: _result(
            arm,
            rule,
            _units(parts, codes),
            open_looks[: decided.get(arm, (None, len(open_looks)))[1]],
            decided.get(arm, (SequentialOutcome.UNDECIDED, 0))[0],
            n if codes is None else int(codes[-1]) + 1,
        )
        for arm, parts in seen.items()
    }


def sequential_records(
    fitted: Mapping[str, Any],
    test: Dataset,
    *,
    baseline: str,
    metric_name: str,
    rule: SequentialRule,
    batch_size: int = 50,
    n_repeats: int = 1,
    latency_sample: int = 1000,
    random_state: int = 0,
    on_progress: Callable[[str], None] | None = None,
) -> SequentialRecords:
    """Record the predictions of fitted arms batch by batch until every arm is decided.

    Models on this machine cost nothing and predict at once; arms that ask Claude are asked
    about the examples of one batch at a time.

    Parameters
    ----------
    fitted
        Fitted arms by name, the baseline among them.
    test
        Examples to judge; they are asked about in random order, whole groups at a time.
    baseline
        Arm the others are compared with.
    metric_name
        Metric that decides: accuracy, brier or log_loss.
    rule
        From `sequential_rule`.
    batch_size
        Examples a batch.
    n_repeats, latency_sample
        As `evaluate`.
    random_state
        Seed of the order and of the latency sample.
    on_progress
        Told a sentence after each batch.

    Returns
    -------
    SequentialRecords

    Raises
    ------
    EvaluationError
        When the baseline is not among the arms or is the only one, or the metric is no mean over
        examples.
    ClaudeError
        When Claude cannot be asked; answers that arrived stay stored.
    """
    if baseline not in fitted or len(fitted) < 2 or metric_name not in EXAMPLE_SCORES:
        raise EvaluationError(
            f"arms {list(fitted)} with the baseline {baseline!r} cannot be decided by"
            f" {metric_name!r}",
            expected=f"the baseline and another arm, and one of {list(EXAMPLE_SCORES)}",
            fix="correct the arms or the metric",
        )
    order = _random_order(test, random_state)
    shuffled = test.take(order)
    options = {"latency_sample": latency_sample, "random_state": random_state}
    at_once = {
        arm: records_of(estimator, shuffled, arm, n_repeats=1, **options)
        for arm, estimator in fitted.items()
        if not answering(estimator)
    }
    parts: list[pd.DataFrame] = []

    def ask(start: int, end: int) -> dict[str, NDArray[np.float64]]:
        batch = shuffled.take(np.arange(start, end))
        frames = {
            arm: at_once[arm].iloc[start:end]
            if arm in at_once
            else records_of(estimator, batch, arm, n_repeats=n_repeats, **options)
            for arm, estimator in fitted.items()
        }
        parts.extend(frames.values())
        scores = {arm: _scores(frame, metric_name, end - start) for arm, frame in frames.items()}
        sign = 1.0 if metric(metric_name).higher_is_better else -1.0
        return {
            arm: sign * (score - scores[baseline])
            for arm, score in scores.items()
            if arm != baseline
        }

    results = decide_sequentially(
        ask,
        len(test),
        rule,
        batch_size=batch_size,
        groups=None if shuffled.groups is None else shuffled.groups.to_numpy(),
        on_progress=on_progress,
    )
    asked = max(result.last.n for result in results.values())
    records = pd.concat(parts, ignore_index=True)
    arms = {arm: i for i, arm in enumerate(fitted)}
    records = records.sort_values("arm", key=lambda c: c.map(arms), kind="stable")
    return SequentialRecords(records.reset_index(drop=True), order[:asked], results)


def _scores(frame: pd.DataFrame, metric_name: str, n: int) -> NDArray[np.float64]:
    """Score of each example of a batch, averaged over its repeats."""
    y = frame["y"].to_numpy(dtype=np.int8)
    proba = penalise_errors(
        y, frame["proba"].to_numpy(dtype=np.float64), frame["error"].notna().to_numpy()
    )
    # Repeats follow one another, each with the examples in the same order.
    table: NDArray[np.float64] = EXAMPLE_SCORES[metric_name](y, proba).reshape(-1, n)
    return np.asarray(table.mean(axis=0))


def _conclude(rule: SequentialRule, gains: NDArray[np.float64]) -> SequentialOutcome | None:
    evidence = rule.evidence(gains)
    if evidence.promote[-1] >= rule.threshold:
        return SequentialOutcome.PROMOTE
    if evidence.reject[-1] >= rule.threshold:
        return SequentialOutcome.REJECT
    if evidence.futile[-1] >= rule.futility_threshold:
        return SequentialOutcome.FUTILE
    return None


def _result(
    arm: str,
    rule: SequentialRule,
    gains: NDArray[np.float64],
    looks: Sequence[tuple[int, int]],
    outcome: SequentialOutcome,
    n_available: int,
) -> SequentialResult:
    units = np.array([n_units for _, n_units in looks])
    gains = gains[: units[-1]]
    evidence = rule.evidence(gains)
    lower, upper = rule.interval(gains, units)
    mean = np.cumsum(gains) / np.arange(1, gains.size + 1)
    path = tuple(
        SequentialLook(
            n,
            n_units,
            float(mean[n_units - 1]),
            float(lower[i]),
            float(upper[i]),
            *(_e_value(side[n_units - 1]) for side in evidence),
        )
        for i, (n, n_units) in enumerate(looks)
    )
    sd = float(gains.std(ddof=1)) if gains.size > 1 else 0.0
    n_fixed = rule.fixed_n(sd) if sd > 0 else math.nan
    return SequentialResult(arm, outcome, rule, path, n_fixed, n_available)


def _e_value(log_e: float) -> float:
    return math.exp(min(float(log_e), 700.0))


def _append(
    seen: dict[str, list[NDArray[np.float64]]],
    answered: Mapping[str, ArrayLike],
    size: int,
    rule: SequentialRule,
) -> None:
    low, high = rule.limits or (-math.inf, math.inf)
    if (seen and set(answered) != set(seen)) or not answered:
        raise EvaluationError(
            f"a batch has gains of {sorted(answered)}",
            expected=f"those of {sorted(seen) or 'an arm or more'}",
            fix="give every batch the same arms",
        )
    for arm, gains in answered.items():
        array = np.asarray(gains, dtype=np.float64)
        if array.shape != (size,) or not np.isfinite(array).all():
            raise EvaluationError(
                f"arm {arm!r} has gains of shape {array.shape} for a batch of {size}",
                expected=f"{size} finite numbers",
                fix="give one gain an example",
            )
        if array.min() < low or array.max() > high:
            raise EvaluationError(
                f"arm {arm!r} has gains from {array.min():g} to {array.max():g}",
                expected=f"gains within the rule's limits, {low:g} to {high:g}",
                fix="give the rule the limits of the score, None where there are none",
            )
        seen.setdefault(arm, []).append(array)


def _units(
    parts: Sequence[NDArray[np.float64]], codes: NDArray[np.intp] | None
) -> NDArray[np.float64]:
    gains = np.concatenate(parts)
    if codes is None:
        return gains
    seen = codes[: gains.size]
    return np.asarray(np.bincount(seen, gains) / np.bincount(seen))


def _batch_ends(n: int, batch_size: int, groups: ArrayLike | None) -> list[int]:
    if n < 1 or batch_size < 1:
        raise EvaluationError(
            f"there are {n} examples in batches of {batch_size}",
            expected="at least one of each",
            fix="give examples, and a batch size of 50 or so",
        )
    if groups is None:
        return [*range(batch_size, n, batch_size), n]
    codes = _codes(groups)
    if len(codes) != n or (np.diff(codes) < 0).any():
        raise EvaluationError(
            "groups are not in one piece each, or not one an example",
            expected=f"{n} groups, equal ones next to each other",
            fix="order the examples by group, the groups at random",
        )
    # The first ends of a group at or after each full batch.
    last_of_group = np.flatnonzero(np.append(np.diff(codes) > 0, True)) + 1
    ends: list[int] = []
    for end in last_of_group:
        if end - (ends[-1] if ends else 0) >= batch_size or end == n:
            ends.append(int(end))
    return ends


def _codes(groups: ArrayLike) -> NDArray[np.intp]:
    codes, _ = pd.factorize(np.asarray(groups))
    return np.asarray(codes, dtype=np.intp)


def _random_order(test: Dataset, random_state: int) -> NDArray[np.intp]:
    rng = np.random.default_rng(random_state)
    if test.groups is None:
        return rng.permutation(len(test)).astype(np.intp)
    codes = _codes(test.groups.to_numpy())
    rank = rng.permutation(int(codes.max()) + 1)
    return np.argsort(rank[codes], kind="stable").astype(np.intp)
