"""Does a score change when only who somebody is changes? Paired, with intervals and a margin."""

import html
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal, NamedTuple, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from workbench.errors import DataError, EvaluationError
from workbench.monitoring.fairness.swaps import swap_kinds, swap_pairs
from workbench.predictors import answering, positive_probability
from workbench.privacy.protected import refuse_protected
from workbench.stats import (
    Estimate,
    mean_interval,
    proportion_interval,
    simultaneous_confidence_level,
)
from workbench.stats.bounds import normal_quantile

__all__ = ["CounterfactualAudit", "Standing", "SwapEffect", "counterfactual_audit"]

Standing: TypeAlias = Literal["differs", "equivalent", "cannot tell"]
Scorer: TypeAlias = Callable[[pd.DataFrame], ArrayLike]
_SMALLEST = 20


@dataclass(frozen=True, slots=True)
class SwapEffect:
    """What one swap does to the score.

    Parameters
    ----------
    kind, reference, contrast
        What was swapped, from and to.
    change
        Mean of score after minus score before, with its simultaneous interval.
    flipped
        Share of decisions at the threshold that change, with interval.
    up, down
        Decisions that became positive, and negative.
    standing
        "differs" when the interval of the change excludes 0; else "equivalent" when two one-sided
        tests put it within the margin; else "cannot tell".
    within_margin
        Whether the change is shown to lie within the margin, whether or not it differs from 0.
    n_needed
        Pairs that would show a change of 0 to lie within the margin, with a chance of 80 %.
    n_unchanged
        Pairs with the very same score: all of them where the swapped words never reach the model.
    n_failed
        Pairs left out because an answer failed.
    n_appended
        Pairs made by appending a sentence.
    """

    kind: str
    reference: str
    contrast: str
    change: Estimate
    flipped: Estimate
    up: int
    down: int
    standing: Standing
    within_margin: bool
    n_needed: int
    n_unchanged: int
    n_failed: int
    n_appended: int

    @property
    def material(self) -> bool:
        """Whether the score changes, and not shown to be by less than the margin."""
        return self.standing == "differs" and not self.within_margin


@dataclass(frozen=True)
class CounterfactualAudit:
    """Every swap of one audit.

    Parameters
    ----------
    effects
        One a kind and direction.
    margin
        Change of the score that does not matter.
    threshold
        Score from which a decision is positive.
    alpha
        Chance that any swap is falsely said to differ, and likewise to be equivalent.
    origin
        Where the answers came from; None for a model on this machine.
    """

    effects: tuple[SwapEffect, ...]
    margin: float
    threshold: float
    alpha: float
    origin: str | None

    @property
    def differing(self) -> tuple[SwapEffect, ...]:
        """Swaps that change the score."""
        return tuple(e for e in self.effects if e.standing == "differs")

    def to_frame(self) -> pd.DataFrame:
        """One row a swap."""
        rows = []
        for effect in self.effects:
            row = asdict(effect)
            change, flipped = effect.change, effect.flipped
            row |= {
                "change": change.estimate, "ci_lower": change.ci_lower,
                "ci_upper": change.ci_upper, "n": change.n, "flipped": flipped.estimate,
                "flipped_ci_lower": flipped.ci_lower, "flipped_ci_upper": flipped.ci_upper,
                "origin": self.origin,
            }  # fmt: skip
            rows.append(row)
        return pd.DataFrame(rows)

    def _repr_html_(self) -> str:
        rows = ""
        for e in sorted(self.effects, key=lambda e: -abs(e.change.estimate)):
            span = f"[{100 * e.change.ci_lower:+.2f}, {100 * e.change.ci_upper:+.2f}]"
            flips = f"{e.flipped.estimate:.1%} ({e.up} up, {e.down} down)"
            note = " (no score changed)" if e.n_unchanged == e.change.n else ""
            note += (
                " by less than the margin" if e.standing == "differs" and e.within_margin else ""
            )
            cells = (
                html.escape(e.kind), html.escape(f"{e.reference} → {e.contrast}"),
                f"{100 * e.change.estimate:+.2f} <small>{span}</small>", flips,
                f"<b>{e.standing}</b>{note}", f"{e.change.n:,}", f"{e.n_needed:,}",
            )  # fmt: skip
            colour = " style='background:rgba(194,65,12,.25)'" if e.material else ""
            rows += f"<tr{colour}>" + "".join(f"<td>{c}</td>" for c in cells) + "</tr>"
        head = "".join(
            f"<th>{t}</th>"
            for t in ("Characteristic", "Swap", "Change, points", "Decisions flipped", "Standing",
                      "Pairs", "Pairs for equivalence")
        )  # fmt: skip
        n = len(self.differing)
        beyond = sum(not e.within_margin for e in self.differing)
        told = "No change shown"
        if n:
            told = f"{n} of {len(self.effects)} swaps change the score, {beyond} beyond the margin"
        simulated = (
            " · <b>simulated answers: nothing here is Claude's</b>"
            if self.origin == "simulated"
            else ""
        )
        return (
            f"<p><b>{told}</b> · margin {100 * self.margin:.1f} points, decisions at "
            f"{self.threshold:g}{simulated}</p><table><thead><tr>{head}</tr></thead>"
            f"<tbody>{rows}</tbody></table>"
        )


class _Scores(NamedTuple):
    values: NDArray[np.float64]
    failed: NDArray[np.bool_]
    origin: str | None


class _Direction(NamedTuple):
    kind: str
    reference: str
    contrast: str
    before: pd.DataFrame
    after: pd.DataFrame
    rows: NDArray[np.intp]
    n_appended: int


def counterfactual_audit(
    predictor: Any,
    X: pd.DataFrame,
    *,
    text: str | None = None,
    kinds: Sequence[str] | None = None,
    columns: Mapping[str, str] | None = None,
    groups: ArrayLike | None = None,
    margin: float = 0.02,
    threshold: float = 0.5,
    alpha: float = 0.05,
    random_state: int = 0,
) -> CounterfactualAudit:
    """Score examples before and after a swap that must not matter.

    Parameters
    ----------
    predictor
        A fitted classifier with `predict_proba` (one that asks Claude, whatever its origin, too),
        or a function of a DataFrame that returns probabilities.
    X : DataFrame
        Examples as the predictor reads them.
    text
        Column of free text to swap terms in.
    kinds
        Characteristics to swap in it, see `swap_kinds`; all when omitted.
    columns
        Columns whose values are swapped themselves, each with the value to change from: proxies
        such as a language or an area. Every other value is a contrast.
    groups
        What belongs together, such as a person, shape (n,).
    margin
        Change of the score that does not matter.
    threshold
        Score from which a decision is positive.
    alpha
        See `CounterfactualAudit`; split over the swaps.
    random_state
        Seed of the terms.

    Returns
    -------
    CounterfactualAudit

    Raises
    ------
    FeatureError
        When a column of `X` tells a protected characteristic: nothing may be predicted from it.
    DataError
        When a column or value is missing, nothing is to be swapped, or fewer than 20 pairs
        remain.
    EvaluationError
        When answers come from several origins, or a score is no probability.

    Examples
    --------
    >>> X = pd.DataFrame({"message": ["Is it still free?", "Call me."] * 40})
    >>> def harsh(rows):
    ...     return 0.5 - 0.1 * rows["message"].str.contains("wheelchair|guide dog|frame")
    >>> audit = counterfactual_audit(harsh, X, text="message", kinds=["name", "disability"])
    >>> [(e.kind, e.standing) for e in audit.effects]
    [('name', 'equivalent'), ('disability', 'differs')]
    """
    refuse_protected(X.columns, where="a counterfactual audit")
    if not 0 < margin < 1 or not 0 < alpha < 0.5:
        raise DataError(
            f"margin is {margin} and alpha {alpha}", expected="0 < margin < 1, 0 < alpha < 0.5",
            fix="correct them",
        )  # fmt: skip
    units = None if groups is None else np.asarray(groups)
    planned = [*_text_swaps(X, text, kinds, random_state), *_column_swaps(X, columns or {})]
    if not planned:
        raise DataError(
            "there is nothing to swap", expected="a column of text or columns to swap",
            fix="pass text= or columns=",
        )  # fmt: skip
    origins: set[str] = set()
    effects = []
    for direction in planned:
        before, after = _scored(predictor, direction.before), _scored(predictor, direction.after)
        origins |= {o for o in (before.origin, after.origin) if o is not None}
        own = None if units is None else units[direction.rows]
        effects.append(
            _effect(direction, before, after, own, len(planned), margin, threshold, alpha)
        )
    if len(origins) > 1:
        raise EvaluationError(
            f"the answers come from different origins: {sorted(origins)}",
            expected="one origin", fix="audit with an empty store of answers",
        )  # fmt: skip
    return CounterfactualAudit(
        tuple(effects), margin, threshold, alpha, origins.pop() if origins else None
    )


def _text_swaps(
    X: pd.DataFrame, text: str | None, kinds: Sequence[str] | None, random_state: int
) -> Iterator[_Direction]:
    if text is None:
        return
    _present(X, text)
    texts = [str(t) if isinstance(t, str) else "" for t in X[text]]
    for kind in swap_kinds(kinds):
        for contrast in kind.contrasts:
            pairs = swap_pairs(texts, kind, contrast, random_state=random_state)
            yield _Direction(
                kind.name, kind.reference, contrast,
                X.assign(**{text: [p.before for p in pairs]}),
                X.assign(**{text: [p.after for p in pairs]}),
                np.arange(len(X)), sum(p.appended for p in pairs),
            )  # fmt: skip


def _column_swaps(X: pd.DataFrame, columns: Mapping[str, str]) -> Iterator[_Direction]:
    for column, reference in columns.items():
        _present(X, column)
        values = [v for v in pd.unique(X[column].dropna()) if v != reference]
        if reference not in set(X[column].dropna()):
            raise DataError(
                f"no row has {column} = {reference!r}",
                expected=f"one of {', '.join(map(str, values))}", fix="name another value",
            )  # fmt: skip
        for value in sorted(values, key=str):
            yield _Direction(
                column, str(reference), str(value), _filled(X, column, reference),
                _filled(X, column, value), np.arange(len(X)), 0,
            )  # fmt: skip


def _filled(X: pd.DataFrame, column: str, value: object) -> pd.DataFrame:
    return X.assign(**{column: pd.Series([value] * len(X), index=X.index, dtype=X[column].dtype)})


def _present(X: pd.DataFrame, column: str) -> None:
    if column not in X:
        raise DataError(
            f"there is no column {column!r}", expected=f"one of {', '.join(map(str, X.columns))}",
            fix="name another column",
        )  # fmt: skip


def _scored(predictor: Any, X: pd.DataFrame) -> _Scores:
    origin, failed = None, np.zeros(len(X), dtype=bool)
    if answering(predictor):
        answers = predictor.answer(X)
        values = answers["proba"].to_numpy(dtype=np.float64)
        failed = answers["error"].notna().to_numpy()
        found = sorted(set(answers["origin"].dropna()))
        if len(found) > 1:
            raise EvaluationError(
                f"the answers come from different origins: {found}", expected="one origin",
                fix="audit with an empty store of answers",
            )  # fmt: skip
        origin = str(found[0]) if found else None
    elif hasattr(predictor, "predict_proba"):
        values = positive_probability(predictor, X)
    else:
        values = np.asarray(predictor(X), dtype=np.float64)
    if values.shape != (len(X),) or not ((values >= 0) & (values <= 1)).all():
        raise EvaluationError(
            "the predictor returned something that is not a probability a row",
            expected=f"{len(X)} numbers from 0 to 1", fix="mend the predictor",
        )  # fmt: skip
    return _Scores(values, failed, origin)


def _effect(
    direction: _Direction,
    before: _Scores,
    after: _Scores,
    groups: NDArray[Any] | None,
    n_directions: int,
    margin: float,
    threshold: float,
    alpha: float,
) -> SwapEffect:
    kept = ~(before.failed | after.failed)
    if kept.sum() < _SMALLEST:
        raise DataError(
            f"{int(kept.sum())} pairs of {direction.kind!r} were answered",
            expected=f"{_SMALLEST} or more", fix="audit more examples",
        )  # fmt: skip
    first, second = before.values[kept], after.values[kept]
    change = second - first
    own = None if groups is None else groups[kept]
    level = simultaneous_confidence_level(1 - alpha, n_directions)
    wide = mean_interval(change, groups=own, confidence_level=level)
    narrow = mean_interval(change, groups=own, confidence_level=1 - 2 * (1 - level))
    within = -margin < narrow.ci_lower and narrow.ci_upper < margin
    differs = wide.ci_lower > 0 or wide.ci_upper < 0
    standing: Standing = "differs" if differs else "equivalent" if within else "cannot tell"
    up = int(((first < threshold) & (second >= threshold)).sum())
    down = int(((first >= threshold) & (second < threshold)).sum())
    return SwapEffect(
        direction.kind, direction.reference, direction.contrast, wide,
        _flips(first, second, threshold, own, level), up, down, standing, bool(within),
        _needed(wide, margin, 1 - level), int((change == 0).sum()), int((~kept).sum()),
        direction.n_appended,
    )  # fmt: skip


def _flips(
    first: NDArray[np.float64],
    second: NDArray[np.float64],
    threshold: float,
    groups: NDArray[Any] | None,
    level: float,
) -> Estimate:
    flipped = (first >= threshold) != (second >= threshold)
    if groups is None:
        return proportion_interval(int(flipped.sum()), len(flipped), confidence_level=level)
    if flipped.min() == flipped.max():
        # Without any spread a robust error is 0: count each group once instead.
        n_groups = len(np.unique(groups))
        found = proportion_interval(int(flipped[0]) * n_groups, n_groups, confidence_level=level)
        return found._replace(n=len(flipped), n_groups=n_groups)
    return mean_interval(flipped.astype(float), groups=groups, confidence_level=level)


def _needed(change: Estimate, margin: float, alpha: float, power: float = 0.8) -> int:
    """Pairs for two one-sided tests where nothing changes; groups enter by the standard error.

    Julious (2004), Statistics in Medicine 23:1921-1986, for a true difference of 0.
    """
    if not math.isfinite(change.standard_error):
        return 0
    sd = change.standard_error * math.sqrt(change.n)
    # Both tests must succeed: each may fail with half of 1 − power.
    reach = normal_quantile(1 - 2 * alpha) + normal_quantile(power)
    return max(math.ceil((reach * sd / margin) ** 2), _SMALLEST)
