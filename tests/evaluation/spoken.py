"""Readers that answer what a corpus says they answer, for evaluations known to the last cell."""

from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator

from workbench.data import AskedField, Corpus
from workbench.evaluation.readings import ReadingEvaluation, evaluate_readings
from workbench.predictors.readers import Readings, empty_readings
from workbench.tasks import labelling_task

MOODS = AskedField(name="mood", meaning="Mood", kind="label", values=("good", "bad", "odd"))


class Spoken(BaseEstimator):
    """Answers by example, field by field; nothing where an example is not among them."""

    def __init__(
        self, fields: Sequence[AskedField], said: Mapping[str, Any], sure: float = 0.8
    ) -> None:
        self.fields = fields
        self.said = said
        self.sure = sure

    def fit(self, X: pd.DataFrame, y: pd.DataFrame, groups: NDArray[Any] | None = None) -> Self:
        return self

    def read(self, X: pd.DataFrame, *, repeat: int = 0) -> Readings:
        values = empty_readings(X.index, self.fields)
        proba: dict[str, NDArray[np.float64]] = {}
        evidence = pd.Series([("said so",)] * len(X), index=X.index, dtype=object)
        for asked in self.fields:
            for i, example in enumerate(X.index):
                values.iat[i, values.columns.get_loc(asked.name)] = self.said[asked.name].get(
                    example
                )
            if asked.kind == "label":
                k = len(asked.values)
                rows = np.full((len(X), k), (1 - self.sure) / (k - 1))
                for i, value in enumerate(values[asked.name]):
                    rows[i, asked.values.index(value) if value else 0] = self.sure
                proba[asked.name] = rows
        return Readings(values, proba, evidence)


def corpus_of(
    texts: Sequence[str],
    truth: Mapping[str, Sequence[Any]],
    fields: Sequence[AskedField],
    *,
    slices: Mapping[str, Sequence[str]] | None = None,
    groups: Sequence[str] | None = None,
) -> Corpus:
    """A corpus whose test part is given; two texts more to learn from."""
    index = pd.Index(["t0", "t1", *(f"e{i}" for i in range(len(texts)))])
    first = {f.name: truth[f.name][0] for f in fields}
    y = pd.DataFrame(
        {
            f.name: pd.Series([first[f.name]] * 2 + list(truth[f.name]), index=index, dtype=object)
            for f in fields
        }
    )
    return Corpus(
        name="spoken", title="Spoken", version="1", licence="internal", origin_kind="real",
        fields=tuple(fields),
        X=pd.DataFrame({"text": ["one", "two", *texts]}, index=index),
        y=y,
        part=pd.Series(["train"] * 2 + ["test"] * len(texts), index=index),
        slices=None
        if slices is None
        else pd.DataFrame({k: ["-", "-", *v] for k, v in slices.items()}, index=index),
        groups=None if groups is None else pd.Series(["g-", "g-", *groups], index=index),
    )  # fmt: skip


def spoken_run(
    texts: Sequence[str],
    truth: Mapping[str, Sequence[Any]],
    said: Mapping[str, Mapping[str, Sequence[Any]]],
    fields: Sequence[AskedField] = (MOODS,),
    metrics: Sequence[str] = ("mood/accuracy",),
    **columns: Any,
) -> ReadingEvaluation:
    """Evaluate arms that say what `said` has: by arm, by field, a value a text."""
    corpus = corpus_of(texts, truth, fields, **columns)
    arms = {
        name: Spoken(
            fields,
            {f: {f"e{i}": v for i, v in enumerate(values)} for f, values in answers.items()},
        )
        for name, answers in said.items()
    }
    return evaluate_readings(
        labelling_task(corpus), arms, corpus, metrics=metrics, n_resamples=100, latency_sample=1
    )
