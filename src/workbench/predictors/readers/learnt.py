"""Readers that learn: sentence vectors, boosted trees, and the best of the text models."""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from lightgbm import LGBMClassifier, LGBMRegressor
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.multiclass import OneVsRestClassifier
from sklearn.multioutput import MultiOutputRegressor
from sklearn.pipeline import FeatureUnion, make_pipeline

from workbench.data import AskedField
from workbench.embeddings import SentenceEncoder
from workbench.features import SentenceFeatures, linear_table
from workbench.features.context import ContextTable
from workbench.predictors.readers.field_reader import FieldReader
from workbench.predictors.readers.standard import (
    RelevanceRanker,
    constant_reader,
    keyword_reader,
    reader_of_kinds,
    tfidf_reader,
)
from workbench.predictors.texts import OutOfScope, SlotTagger, TextClassifier, TextTagger

__all__ = [
    "STANDARD_READERS",
    "best_reader",
    "boosted_reader",
    "combined_reader",
    "embedding_reader",
]


def _sentences(n_components: int | None = None) -> Any:
    return SentenceFeatures(columns=["text"], n_components=n_components)


def embedding_reader(
    fields: Sequence[AskedField], *, C: float = 10.0, random_state: int = 0
) -> FieldReader:
    """Read sentence vectors with linear models; the other columns are not read.

    Parameters
    ----------
    fields
        What is asked; slots are left unanswered.
    C
        Inverse strength of regularisation of the classifiers.
    random_state
        Seed of the solver.

    Examples
    --------
    >>> import pandas as pd
    >>> asked = AskedField(name="mood", meaning="Mood", kind="label", values=("good", "bad"))
    >>> X = pd.DataFrame({"text": ["so good", "so bad", "lovely day", "awful day"] * 3})
    >>> y = pd.DataFrame({"mood": ["good", "bad"] * 6}, dtype=object)
    >>> embedding_reader([asked]).fit(X, y).read(X).values["mood"].tolist()[:2]
    ['good', 'bad']
    """

    def linear() -> Any:
        return LogisticRegression(C=C, max_iter=2000, random_state=random_state)

    return reader_of_kinds(
        fields,
        {
            "label": lambda: make_pipeline(_sentences(), linear()),
            "level": lambda: make_pipeline(_sentences(), linear()),
            "labels": lambda: make_pipeline(_sentences(), OneVsRestClassifier(linear())),
            "number": lambda: make_pipeline(_sentences(), Ridge(alpha=1.0)),
            "ranking": lambda: RelevanceRanker(make_pipeline(_sentences(), Ridge(alpha=1.0))),
        },
    )


def boosted_reader(
    fields: Sequence[AskedField],
    *,
    n_estimators: int = 120,
    n_components: int = 24,
    random_state: int = 0,
) -> FieldReader:
    """Read components of sentence vectors and the other columns with boosted trees.

    Parameters
    ----------
    fields
        What is asked; slots are left unanswered.
    n_estimators
        Trees, for each value of a label.
    n_components
        Of the sentence vectors.
    random_state
        Seed.
    """
    common: dict[str, Any] = {
        "n_estimators": n_estimators,
        "learning_rate": 0.08,
        "num_leaves": 15,
        "min_child_samples": 10,
        "random_state": random_state,
        "n_jobs": 1,
        "verbose": -1,
    }

    def features() -> Any:
        return FeatureUnion([("sentences", _sentences(n_components)), ("context", ContextTable())])

    def trees() -> Any:
        return LGBMClassifier(**common)

    def each(regressor: Any) -> Any:
        return MultiOutputRegressor(regressor, n_jobs=1)

    return reader_of_kinds(
        fields,
        {
            "label": lambda: make_pipeline(features(), trees()),
            "level": lambda: make_pipeline(features(), trees()),
            "labels": lambda: make_pipeline(features(), OneVsRestClassifier(trees())),
            "number": lambda: make_pipeline(features(), LGBMRegressor(**common)),
            "ranking": lambda: RelevanceRanker(
                make_pipeline(features(), each(LGBMRegressor(**common)))
            ),
        },
    )


def combined_reader(
    fields: Sequence[AskedField], *, C: float = 3.0, random_state: int = 0
) -> FieldReader:
    """Read words, sentence vectors and what stands beside the text with linear models.

    Parameters
    ----------
    fields
        What is asked; slots are left unanswered.
    C
        Inverse strength of regularisation of the classifiers.
    random_state
        Seed of the solver.
    """

    def features() -> Any:
        parts = [("words", linear_table()), ("context", ContextTable())]
        if SentenceEncoder.installed():
            parts.append(("sentences", _sentences()))
        return FeatureUnion(parts)

    def linear() -> Any:
        return LogisticRegression(C=C, max_iter=3000, random_state=random_state)

    return reader_of_kinds(
        fields,
        {
            "label": lambda: make_pipeline(features(), linear()),
            "level": lambda: make_pipeline(features(), linear()),
            "labels": lambda: make_pipeline(features(), OneVsRestClassifier(linear())),
            "number": lambda: make_pipeline(features(), Ridge(alpha=1.0)),
            "ranking": lambda: RelevanceRanker(make_pipeline(features(), Ridge(alpha=2.0))),
        },
    )


def best_reader(fields: Sequence[AskedField], *, random_state: int = 0) -> FieldReader:
    """Read texts with the models that did best on public corpora: pooled words and vectors.

    Labels and levels by `TextClassifier` (with `OutOfScope` where the field has a label for that),
    several labels by `TextTagger`, slots by `SlotTagger`; numbers and rankings as
    `combined_reader`. Only the text is read, but for numbers and rankings.

    Parameters
    ----------
    fields
        What is asked.
    random_state
        Seed of the folds.
    """
    texts: dict[str, Any] = {}
    tables: dict[str, Any] = dict(combined_reader(fields, random_state=random_state).estimators)
    for asked in fields:
        if asked.kind in ("label", "level"):
            classifier = TextClassifier(random_state=random_state)
            texts[asked.name] = (
                classifier
                if asked.catch_all is None
                else OutOfScope(classifier, catch_all=asked.catch_all, random_state=random_state)
            )
        elif asked.kind == "labels":
            texts[asked.name] = TextTagger(thresholds="micro", random_state=random_state)
        elif asked.kind == "slots":
            texts[asked.name] = SlotTagger(random_state=random_state)
    return FieldReader(
        fields,
        {name: estimator for name, estimator in tables.items() if name not in texts} | texts,
        column=dict.fromkeys(texts, "text"),
    )


STANDARD_READERS: Mapping[str, Callable[..., Any]] = MappingProxyType(
    {
        "constant": constant_reader,
        "keyword": keyword_reader,
        "tfidf": tfidf_reader,
        "embedding": embedding_reader,
        "boosted": boosted_reader,
        "combined": combined_reader,
        "best": best_reader,
    }
)
"""Readers every task offers, by name; each is given the fields."""
