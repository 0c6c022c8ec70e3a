"""What the members of one stage of a cascade say about some rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from workbench.predictors.answers import answering
from workbench.predictors.fitting import positive_probability

__all__ = ["Stage", "declare", "joined_complaints", "read_stage"]


@dataclass(frozen=True)
class Stage:
    """Answers of a stage.

    Parameters
    ----------
    given : ndarray of shape (n_samples, n_answers)
        Probabilities, one column an answer; NaN where it failed.
    abstentions : ndarray of shape (n_samples, n_answers)
        Which of them abstained.
    frames : list of DataFrame
        What was asked of Claude, one frame a column that asks.
    complaints : list of str or None, n_samples of them
        What went wrong.
    """

    given: NDArray[np.float64]
    abstentions: NDArray[np.bool_]
    frames: list[pd.DataFrame]
    complaints: list[str | None]

    @property
    def judged(self) -> NDArray[np.float64]:
        """The probabilities of answers that neither failed nor abstained."""
        return np.where(self.abstentions, np.nan, self.given)

    @property
    def proba(self) -> NDArray[np.float64]:
        """Mean of what was judged, else of abstentions, else NaN; shape (n_samples,)."""
        judged, given = _row_means(self.judged), _row_means(self.given)
        return np.where(np.isnan(judged), given, judged)

    @property
    def abstained(self) -> NDArray[np.bool_]:
        """Rows that were answered, but not judged."""
        return np.isnan(_row_means(self.judged)) & ~np.isnan(_row_means(self.given))

    @property
    def cost_usd(self) -> NDArray[np.float64]:
        """What each row cost."""
        total = np.zeros(len(self.given))
        for frame in self.frames:
            total += frame["cost_usd"].to_numpy(dtype=np.float64)
        return total


def read_stage(
    members: Sequence[tuple[str, Any]], X: pd.DataFrame, *, repeat: int = 0, n_answers: int = 1
) -> Stage:
    """Have each member of a stage answer.

    Parameters
    ----------
    members : sequence of (str, fitted estimator)
    X : DataFrame of shape (n_samples, n_features)
        When it has no rows, nobody is asked.
    repeat
        Which of several independent answers.
    n_answers
        How often members that ask Claude are asked within one such answer.
    """
    given: list[NDArray[np.float64]] = []
    abstentions: list[NDArray[np.bool_]] = []
    frames: list[pd.DataFrame] = []
    complaints: list[str | None] = [None] * len(X)
    for name, member in members if len(X) else []:
        if not answering(member):
            given.append(positive_probability(member, X))
            abstentions.append(np.zeros(len(X), dtype=bool))
            continue
        for number in range(n_answers):
            frame = member.answer(X, repeat=repeat * n_answers + number)
            failed = frame["error"].notna().to_numpy()
            proba = frame["proba"].to_numpy(dtype=np.float64)
            given.append(np.where(failed, np.nan, proba))
            abstentions.append(frame["abstained"].to_numpy(dtype=bool) & ~failed)
            frames.append(frame)
            errors = frame["error"].where(frame["error"].notna(), frame["member_error"])
            for row, error in enumerate(errors):
                if not pd.isna(error):
                    complaints[row] = joined_complaints(complaints[row], f"{name}: {error}")
    if not given:
        return Stage(np.empty((0, 1)), np.empty((0, 1), dtype=bool), frames, complaints)
    return Stage(np.column_stack(given), np.column_stack(abstentions), frames, complaints)


def joined_complaints(first: str | None, second: str | None) -> str | None:
    """Put what went wrong with two members into one text."""
    return "; ".join(said for said in (first, second) if said) or None


def declare(
    frame: pd.DataFrame,
    *,
    proba: NDArray[np.float64],
    prior: float,
    answered_by: NDArray[np.object_],
    abstained: NDArray[np.bool_],
    complaints: Sequence[str | None],
) -> None:
    """Write into answers who gave each of them, and what went wrong on the way.

    Parameters
    ----------
    frame : DataFrame
        The answers, changed in place.
    proba : ndarray of shape (n_samples,)
        NaN where every member failed: such a row is an error.
    prior
        Probability given there.
    answered_by, abstained : ndarray of shape (n_samples,)
        The member that answered, and whether it abstained.
    complaints : sequence of str or None
        What went wrong with members.
    """
    failed = np.isnan(proba)
    frame["proba"] = np.where(failed, prior, proba)
    frame["error"] = [said if lost else None for said, lost in zip(complaints, failed, strict=True)]
    frame["degraded"] = [
        said is not None and not lost for said, lost in zip(complaints, failed, strict=True)
    ]
    frame["answered_by"] = [
        None if lost else name for name, lost in zip(answered_by, failed, strict=True)
    ]
    frame["abstained"] = abstained & ~failed
    frame["member_error"] = list(complaints)


def _row_means(values: NDArray[np.float64]) -> NDArray[np.float64]:
    counts = (~np.isnan(values)).sum(axis=1)
    return np.where(counts > 0, np.nansum(values, axis=1) / np.maximum(counts, 1), np.nan)
