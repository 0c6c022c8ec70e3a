"""Stepping into a running call when the agent is at a loss: at which turns, and how often."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from lightgbm import LGBMClassifier
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold, cross_val_predict
from sklearn.pipeline import make_pipeline

from workbench.data import Corpus
from workbench.data.conversations import make_corpus, turns_of
from workbench.data.conversations.sheets import EXPERIENCE
from workbench.evaluation.measured import Figure, measure
from workbench.scorers import (
    Metric,
    interruptions_per_call,
    intervention_f1,
    intervention_precision,
    intervention_recall,
    timing_error,
)
from workbench.studies.result import Study

__all__ = ["interventions"]

Matrix = NDArray[np.float64]
Turns = list[tuple[int, ...]]

_OBJECTION, _WORDS, _CALL, _WAITS, _RANDOM = (
    "objection probability", "logistic on the turn", "boosted over the call",
    "boosted, waits for the answer", "random turns, as often",
)  # fmt: skip
_TOLERANCE, _TIMING_TOLERANCE = 1, 3
_PRECISION = Metric("precision", "Precision", True, "interventions that were due", "%")
_RECALL = Metric("recall", "Recall", True, "due interventions that were made", "%")
_F1 = Metric("f1", "F1", True, "harmonic mean of precision and recall", "%")
_TIMING = Metric("timing_error", "Turns off", False, "mean turns from the due turn it meets")
_PER_CALL = Metric("per_call", "A call", False, "mean interventions a call, due or not")


class _Calls(NamedTuple):
    """The lead's turns in the calls of one part, and those after which help is due.

    Attributes
    ----------
    turns
        `call` (position), `turn` from 0, `text`, the agent's reply `before` and `after`,
        `experience`, `due`.
    due
        Turns of each call, from 0.
    """

    turns: pd.DataFrame
    due: Turns


def interventions(n_calls: int = 1500, *, n_resamples: int = 1000, random_state: int = 0) -> Study:
    """Choose the turns at which an assistant steps in.

    Policies: a threshold on the chance that the turn objects, learnt from labelled objections; a
    logistic regression of help being due on the words of the turn; boosted trees that also know
    what the agent answered before and how experienced the agent is; the same after hearing the
    agent's answer, a turn later; turns picked at random as often as the boosted trees step in.
    Thresholds are those of the highest F1 on the validation part.

    Parameters
    ----------
    n_calls
        Of "proactive_help", and as many labelled objections, before splitting.
    n_resamples
        Of the bootstrap over calls.
    random_state
        Seed.

    Returns
    -------
    Study
        An intervention is right within one turn of a due one; timing is judged within three.

    Examples
    --------
    >>> found = interventions(200, n_resamples=200)
    >>> found.estimate("boosted over the call", "recall").n == found.measured.estimates[
    ...     "random turns, as often", "recall"].n
    True
    """
    corpus = make_corpus("proactive_help", n_calls, random_state)
    parts = {name: _calls(corpus.of(name)) for name in ("train", "validation", "test")}
    objections = make_corpus("objections", n_calls, random_state).of("train", "validation")
    scores = _scores(parts, objections, random_state)
    validation, test = parts["validation"], parts["test"]
    stepped, limits = {}, []
    for name, (past, now) in scores.items():
        wait = int(name == _WAITS)
        limit = _best_threshold(validation, past, wait)
        stepped[name] = _steps(test, now > limit, wait)
        limits.append({"policy": name, "threshold": limit})
    rng = np.random.default_rng(random_state)
    rate = sum(map(len, stepped[_CALL])) / len(test.turns)
    stepped[_RANDOM] = _steps(test, rng.random(len(test.turns)) < rate, 0)
    measured = measure(
        stepped, _figures(test.due), n=len(test.due), baseline=_OBJECTION,
        n_resamples=n_resamples, random_state=random_state,
    )  # fmt: skip
    return Study(
        "interventions",
        "When should an assistant step into a call?",
        measured,
        int((corpus.part == "train").sum()),
        details={
            "thresholds": pd.DataFrame(limits),
            "by_experience": _by_experience(corpus.of("test"), test.due, stepped[_CALL]),
        },
        notes=(
            "Whether an agent is at a loss is in part chance: nobody can reach 100 % before the "
            "agent has answered.",
            "Who waits for the agent's answer knows more and comes a turn late.",
        ),
    )


def _figures(due: Turns) -> tuple[Figure, ...]:
    return (
        Figure(_PRECISION, lambda a: intervention_precision(due, a, tolerance=_TOLERANCE)),
        Figure(_RECALL, lambda a: intervention_recall(due, a, tolerance=_TOLERANCE)),
        Figure(_F1, lambda a: intervention_f1(due, a, tolerance=_TOLERANCE)),
        Figure(_TIMING, lambda a: timing_error(due, a, tolerance=_TIMING_TOLERANCE)),
        Figure(_PER_CALL, lambda a: interruptions_per_call(due, a)),
    )


def _calls(corpus: Corpus) -> _Calls:
    place = {name: at for at, name in enumerate(corpus.X.index)}
    turns = turns_of(corpus)
    turns = turns.assign(call=turns["dialogue_id"].map(place), turn=turns["turn"] - 1)
    said = turns.groupby("call")["text"]
    turns["before"], turns["after"] = said.shift(1).fillna(""), said.shift(-1).fillna("")
    due: Turns = [tuple(int(turn) - 1 for turn in given) for given in corpus.y["needs_help"]]
    turns = turns[turns["speaker"] == "lead"].reset_index(drop=True)
    experience = corpus.X["agent_experience"].map(EXPERIENCE.index).to_numpy()
    turns["experience"] = experience[turns["call"]]
    turns["due"] = [t in due[c] for c, t in zip(turns["call"], turns["turn"], strict=True)]
    return _Calls(turns, due)


def _scores(
    parts: Mapping[str, _Calls], objections: Corpus, random_state: int
) -> dict[str, tuple[Matrix, Matrix]]:
    """Scores of the lead's turns in the validation and the test part, by policy."""
    train, *rest = (parts[name].turns for name in ("train", "validation", "test"))
    y = train["due"].to_numpy()
    objects = _text_model().fit(
        objections.X["text"], [bool(types) for types in objections.y["types"]]
    )
    found = {_OBJECTION: [objects.predict_proba(part["text"])[:, 1] for part in rest]}
    # One linear model a text: what the lead says, what the agent said before, and says then.
    folds = GroupKFold(4)
    columns: dict[str, list[Matrix]] = {}
    for name in ("text", "before", "after"):
        model = _text_model()
        own = cross_val_predict(
            model, train[name], y, groups=train["call"], cv=folds, method="decision_function"
        )
        model.fit(train[name], y)
        columns[name] = [own, *(model.decision_function(part[name]) for part in rest)]
    found[_WORDS] = columns["text"][1:]
    objected = [objects.predict_proba(part["text"])[:, 1] for part in (train, *rest)]
    for name, texts in ((_CALL, ("text", "before")), (_WAITS, ("text", "before", "after"))):
        tables = [
            _table(part, {t: columns[t][at] for t in texts} | {"objects": objected[at]})
            for at, part in enumerate((train, *rest))
        ]
        trees = LGBMClassifier(
            n_estimators=150, learning_rate=0.05, num_leaves=7, min_child_samples=25, n_jobs=1,
            random_state=random_state, verbose=-1,
        ).fit(tables[0], y)  # fmt: skip
        found[name] = [trees.predict_proba(table)[:, 1] for table in tables[1:]]
    return {name: (values[0], values[1]) for name, values in found.items()}


def _text_model() -> Any:
    return make_pipeline(
        TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True),
        LogisticRegression(C=3.0, max_iter=1000),
    )


def _table(turns: pd.DataFrame, scores: Mapping[str, Matrix]) -> pd.DataFrame:
    """What is known at each turn of the lead, and of the turns of the call before it."""
    own = turns["call"]
    table: dict[str, Any] = {"turn": turns["turn"], "experience": turns["experience"]}
    for name, values in scores.items():
        score = pd.Series(values, index=turns.index)
        table[name] = score
        table[f"{name}_last"] = score.groupby(own).shift(1)
        groups = score.groupby(own)
        table[f"{name}_mean"] = groups.cumsum() / (groups.cumcount() + 1)
    return pd.DataFrame(table).astype(float)


def _steps(calls: _Calls, chosen: NDArray[np.bool_], wait: int) -> Turns:
    """Turns of each call at which a policy steps in."""
    steps: list[list[int]] = [[] for _ in calls.due]
    own = calls.turns
    for call, turn, on in zip(own["call"], own["turn"], chosen.tolist(), strict=True):
        if on:
            steps[call].append(turn + wait)
    return [tuple(given) for given in steps]


def _best_threshold(calls: _Calls, scores: Matrix, wait: int) -> float:
    """The observed score with the highest F1 on these calls, of fifty."""
    ones = np.ones((1, len(calls.due)))

    def f1(limit: float) -> float:
        steps = _steps(calls, scores > limit, wait)
        return float(intervention_f1(calls.due, steps, tolerance=_TOLERANCE)(ones)[0])

    limits: list[float] = np.quantile(scores, np.linspace(0.3, 0.98, 50)).tolist()
    return max(limits, key=f1)


def _by_experience(corpus: Corpus, due: Turns, steps: Turns) -> pd.DataFrame:
    """Figures of the boosted trees by the agent's experience."""
    rows = []
    for experience in EXPERIENCE:
        at = np.flatnonzero((corpus.X["agent_experience"] == experience).to_numpy())
        if not len(at):
            continue
        mine = [due[i] for i in at]
        given = [steps[i] for i in at]
        found = {f.metric.name: float(f.statistic(given)(np.ones((1, len(at))))[0])
                 for f in _figures(mine)}  # fmt: skip
        rows.append({"experience": experience, "n": len(at), **found})
    return pd.DataFrame(rows)
