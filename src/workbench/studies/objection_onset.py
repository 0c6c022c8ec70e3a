"""Objections seen before they are voiced: how early, at a fixed rate of false alarms."""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from lightgbm import LGBMClassifier
from numpy.typing import NDArray
from scipy import sparse
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold

from workbench.data import Corpus
from workbench.data.conversations import cut_before, make_corpus, turns_of
from workbench.data.conversations.truth import true_sheets
from workbench.embeddings import SentenceEncoder
from workbench.evaluation.measured import Figure, measure
from workbench.scorers import (
    Metric,
    alarm_threshold,
    auc_before,
    detected_in_time,
    false_alarm_share,
    latency_weighted_f1,
    lead_time,
)
from workbench.stats import Statistic, mean_interval, mean_statistic
from workbench.studies.result import Study, hold_against

__all__ = ["objection_onset"]

Matrix = NDArray[np.float64]
Scores = list[list[float]]

_CLAIMED_ACCURACY = 0.917
_CLOCK, _CUSUM, _WORDS, _VECTORS, _BOOSTED = (
    "turns so far", "CUSUM of hesitation words", "n-gram logistic", "logistic on sentence vectors",
    "boosted over the history",
)  # fmt: skip
_SOON = 4  # turns ahead that count as soon
_SLACK = 0.25
_HALF_TURNS = 8.0
_BEFORE = (1, 3, 5)
# Words anybody would list for hesitation.
_HESITATES = re.compile(
    r"\bh+m+\b|\bmaybe\b|\bperhaps\b|\bguess\b|\bsuppose\b|not sure|\blet (?:me|us) (?:see|think)"
    r"|\bwell\.\.\.|\bwe'll see\b|a moment|i don't know",
    re.IGNORECASE,
)


class _Watched(NamedTuple):
    """Turns of the lead that come before an objection, in dialogues of one part.

    Attributes
    ----------
    turns
        `dialogue` (position), `turn` from 0, `text`, `soon`.
    lengths
        Turns watched of each dialogue: to the last before the objection, else all.
    event
        Last turn before the objection, from 0; None where nobody objects.
    cut
        The turn at which a quiet dialogue is compared: drawn among the same turns of the lead.
    """

    turns: pd.DataFrame
    lengths: list[int]
    event: list[int | None]
    cut: list[int]


class _Warned(NamedTuple):
    """What an arm says: scores a turn, the threshold of alarms, and of the plain yes or no."""

    watched: _Watched
    scores: Scores
    threshold: float
    cutoff: float

    def at_cut(self) -> Scores:
        """Scores up to the compared turn, so that length tells nothing."""
        return [row[: at + 1] for row, at in zip(self.scores, self.watched.cut, strict=True)]


def objection_onset(
    n_dialogues: int = 3000,
    *,
    one_false_alarm_in: int = 10,
    sentences: bool = False,
    n_resamples: int = 1000,
    random_state: int = 0,
) -> Study:
    """Foresee objections from what is said before them.

    Detectors: turns so far; CUSUM (Page 1954) of words of hesitation; logistic regressions on the
    words, and on the sentence vectors, of the last turns of the lead; boosted trees over the
    history of these. Each raises an alarm when its score passes a threshold set on the validation
    part.

    Parameters
    ----------
    n_dialogues
        Of "objection_onsets", before splitting.
    one_false_alarm_in
        Dialogues without objection in which one false alarm is allowed.
    sentences
        Whether sentence vectors are an arm, and read by the boosted trees: a minute for every
        thousand dialogues. Needs the optional packages `embeddings`.
    n_resamples
        Of the bootstrap over dialogues.
    random_state
        Seed.

    Returns
    -------
    Study
        `details["ceiling"]`: the share of objections anything hints at before.

    Examples
    --------
    >>> found = objection_onset(160, one_false_alarm_in=5, n_resamples=200)
    >>> found.claims[0].claimed
    0.917
    """
    corpus = make_corpus("objection_onsets", n_dialogues, random_state)
    parts = {name: _watched(corpus.of(name)) for name in ("train", "validation", "test")}
    scored = _scores(parts, sentences=sentences, random_state=random_state)
    calibration, judged = parts["validation"], parts["test"]
    warned = {}
    for name, (past, now) in scored.items():
        threshold = alarm_threshold(
            calibration.event, past, false_alarm_rate=1 / one_false_alarm_in
        )
        known = _Warned(calibration, past, threshold, 0.0)
        warned[name] = _Warned(judged, now, threshold, _best_cutoff(known))
    measured = measure(
        warned, _figures(), n=len(judged.lengths), baseline=_CLOCK, n_resamples=n_resamples,
        random_state=random_state,
    )  # fmt: skip
    claim = hold_against(measured, _ACCURACY, _CLAIMED_ACCURACY, arm=_BOOSTED, trivial=_CLOCK)
    return Study(
        "objection_onset",
        "Is an objection seen before it is voiced?",
        measured,
        int((corpus.part == "train").sum()),
        (claim,),
        {"ceiling": _ceiling(corpus.of("test"))},
        (
            f"Thresholds allow one false alarm in {one_false_alarm_in} quiet dialogues of the "
            "validation part; on the test part the rate may differ.",
            "The turn of the objection itself is never read.",
            "Accuracy is that of a yes or no at the turn before the objection, and at a turn "
            "drawn alike where nobody objects.",
        ),
    )


_ACCURACY = Metric(
    "accuracy", "Accuracy", True, "right a turn before the objection, or at a turn like it", "%"
)
_DETECTED = Metric("detected", "Seen before", True, "objections with an alarm before them", "%")
_LEAD = Metric("lead_turns", "Turns ahead", True, "mean turns from the alarm to the objection")
_FALSE = Metric(
    "false_alarms", "False alarms", False, "quiet dialogues in which an alarm is raised", "%"
)
_EARLY_F1 = Metric("early_f1", "Early F1", True, "F1 of the alarms, worth half after eight turns")


def _figures() -> tuple[Figure, ...]:
    return (
        Figure(_DETECTED, lambda w: detected_in_time(
            w.watched.event, w.scores, threshold=w.threshold)),
        Figure(_LEAD, _ahead),
        Figure(_FALSE, lambda w: false_alarm_share(
            w.watched.event, w.scores, threshold=w.threshold)),
        Figure(_EARLY_F1, lambda w: latency_weighted_f1(
            w.watched.event, w.scores, threshold=w.threshold, half_turns=_HALF_TURNS)),
        *(_auc_figure(turns) for turns in _BEFORE),
        Figure(_ACCURACY, lambda w: mean_statistic(_right(w))),
    )  # fmt: skip


def _ahead(w: _Warned) -> Statistic:
    # The event is the last turn before the objection: one turn more to the objection itself.
    found = lead_time(w.watched.event, w.scores, threshold=w.threshold)
    return lambda weights: found(weights) + 1.0


def _auc_figure(turns: int) -> Figure:
    told = Metric(
        f"auc_{turns}_before", f"AUC {turns} before", True,
        f"order of the scores {turns} turns before the objection, or before a turn like it",
    )  # fmt: skip
    return Figure(told, lambda w: auc_before(w.watched.event, w.at_cut(), turns=turns - 1))


def _right(w: _Warned) -> Matrix:
    last = np.array([row[-1] for row in w.at_cut()])
    objects = np.array([event is not None for event in w.watched.event])
    return np.asarray((last > w.cutoff) == objects, dtype=np.float64)


def _best_cutoff(known: _Warned) -> float:
    """The score that tells most validation dialogues right."""
    last = sorted({row[-1] for row in known.at_cut()})
    edges = [last[0] - 1.0, *last]
    return max(edges, key=lambda edge: _right(known._replace(cutoff=edge)).sum())


def _watched(corpus: Corpus) -> _Watched:
    place = {name: at for at, name in enumerate(corpus.X.index)}
    onset = [None if y is None else int(y) for y in corpus.y["onset_turn"]]
    total = [str(text).count("\n") + 1 for text in corpus.X["text"]]
    event = [None if o is None else o - 2 for o in onset]
    lengths = [t if o is None else o - 1 for t, o in zip(total, onset, strict=True)]
    cut = [length - 1 for length in lengths]
    early = cut_before(corpus, 1)
    for name, text in early.X["text"].items():
        cut[place[name]] = str(text).count("\n")
    turns = turns_of(corpus)
    turns = turns.assign(dialogue=turns["dialogue_id"].map(place), turn=turns["turn"] - 1)
    last = np.array(lengths)[turns["dialogue"]]
    turns = turns[(turns["speaker"] == "lead") & (turns["turn"] < last)].reset_index(drop=True)
    comes = np.array([np.inf if e is None else e + 1.0 for e in event])[turns["dialogue"]]
    turns["soon"] = comes - turns["turn"] <= _SOON
    return _Watched(turns, lengths, event, cut)


def _scores(
    parts: Mapping[str, _Watched], *, sentences: bool, random_state: int
) -> dict[str, tuple[Scores, Scores]]:
    """Scores a turn of the validation and the test part, by detector."""
    train, *rest = parts["train"], parts["validation"], parts["test"]
    y = train.turns["soon"].to_numpy()
    found = {
        _CLOCK: [part.turns["turn"].to_numpy(dtype=np.float64) for part in rest],
        _CUSUM: [_cusum(part.turns) for part in rest],
    }
    folds = list(GroupKFold(4).split(y, y, train.turns["dialogue"]))
    held: dict[str, Matrix] = {}
    for name, make in _linear(train.turns, sentences=sentences).items():
        X, *others = (make(part.turns) for part in (train, *rest))
        held[name] = np.empty(len(y))
        for fit, ask in folds:
            held[name][ask] = _logistic(X[fit], y[fit]).decision_function(X[ask])
        model = _logistic(X, y)
        found[name] = [model.decision_function(other) for other in others]
    table = _history(train.turns, held)
    trees = LGBMClassifier(
        n_estimators=120, learning_rate=0.05, num_leaves=7, min_child_samples=25, n_jobs=1,
        random_state=random_state, verbose=-1,
    ).fit(table, y)  # fmt: skip
    found[_BOOSTED] = [
        trees.predict_proba(_history(part.turns, {name: found[name][at] for name in held}))[:, 1]
        for at, part in enumerate(rest)
    ]
    return {
        name: (_by_turn(rest[0], values[0]), _by_turn(rest[1], values[1]))
        for name, values in found.items()
    }


def _logistic(X: Any, y: NDArray[np.bool_]) -> LogisticRegression:
    return LogisticRegression(C=1.0, max_iter=1000).fit(X, y)


def _linear(train: pd.DataFrame, *, sentences: bool) -> dict[str, Any]:
    """What turns the lead's last two turns into columns, by detector."""
    words = TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True).fit(train["text"])

    def ngrams(turns: pd.DataFrame) -> Any:
        return sparse.hstack(
            [words.transform(turns["text"]), words.transform(_previous(turns))], format="csr"
        )

    made = {_WORDS: ngrams}
    if sentences:
        encoder = SentenceEncoder(memory=20_000)

        def vectors(turns: pd.DataFrame) -> Any:
            return np.hstack(
                [encoder.encode(turns["text"].tolist()), encoder.encode(_previous(turns).tolist())]
            )

        made[_VECTORS] = vectors
    return made


def _previous(turns: pd.DataFrame) -> "pd.Series[str]":
    return turns.groupby("dialogue")["text"].shift(1).fillna("")


def _cues(turns: pd.DataFrame) -> "pd.Series[float]":
    return turns["text"].map(lambda text: float(bool(_HESITATES.search(text))))


def _cusum(turns: pd.DataFrame) -> Matrix:
    out, level, last = np.empty(len(turns)), 0.0, -1
    for at, (dialogue, cue) in enumerate(zip(turns["dialogue"], _cues(turns), strict=True)):
        level = 0.0 if dialogue != last else level
        level = max(0.0, level + cue - _SLACK)
        out[at], last = level, dialogue
    return out


def _history(turns: pd.DataFrame, held: Mapping[str, Matrix]) -> pd.DataFrame:
    """What had been said by each turn, in numbers."""
    own = turns["dialogue"]
    words = turns["text"].str.split().str.len().astype(float)
    table = {
        "turn": turns["turn"].astype(float), "cusum": _cusum(turns), "words": words,
        "cues": _cues(turns).groupby(own).cumsum(),
        "shorter": words / _mean_so_far(words, own),
    }  # fmt: skip
    for name, values in held.items():
        score = pd.Series(values, index=turns.index)
        table[f"{name} now"] = score
        table[f"{name} mean"] = _mean_so_far(score, own)
        table[f"{name} highest"] = score.groupby(own).cummax()
    return pd.DataFrame(table)


def _mean_so_far(values: "pd.Series[float]", own: "pd.Series[int]") -> "pd.Series[float]":
    groups = values.groupby(own)
    return groups.cumsum() / (groups.cumcount() + 1)


def _by_turn(watched: _Watched, values: Matrix) -> Scores:
    """Scores of every turn: before the lead speaks the lowest, while the agent does the last."""
    lowest = float(values.min())
    scores = [[lowest] * length for length in watched.lengths]
    own = watched.turns
    for dialogue, turn, value in zip(own["dialogue"], own["turn"], values.tolist(), strict=True):
        row = scores[dialogue]
        row[turn:] = [value] * (len(row) - turn)
    return scores


def _ceiling(corpus: Corpus) -> pd.DataFrame:
    """Objections that anything hints at: what shows nothing is seen by luck alone."""
    sheets = true_sheets(corpus)["hinted_turns"]
    hints = [given for given, y in zip(sheets, corpus.y["will_object"], strict=True) if y == "yes"]
    found = mean_interval([float(len(given) > 0) for given in hints])
    return pd.DataFrame(
        [{"objections": len(hints), "hinted_at": found.estimate, "ci_lower": found.ci_lower,
          "ci_upper": found.ci_upper}]
    )  # fmt: skip
