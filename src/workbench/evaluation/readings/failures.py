"""Groups of texts in which an arm fails more often than elsewhere."""

import html
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.cluster import KMeans
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.metrics import silhouette_score
from sklearn.preprocessing import normalize

from workbench.data import Corpus
from workbench.embeddings import SentenceEncoder
from workbench.errors import EvaluationError
from workbench.evaluation.readings.evaluation import ReadingEvaluation
from workbench.evaluation.readings.example_texts import (
    ArmAnswers,
    Examples,
    arm_answers,
    corpus_texts,
    field_of,
    seal_text,
)
from workbench.privacy import PrivacyGate
from workbench.stats import (
    adjust_pvalues,
    compare_proportions,
    simultaneous_confidence_level,
)

__all__ = ["FailureCluster", "Failures", "failures"]

Vectors = Literal["words", "sentences"]
_MOST_CLUSTERS, _DIMENSIONS, _N_WORDS, _N_EXAMPLES = 12, 50, 6, 5
_MIN_TEXTS = 20
_PLACEHOLDER = re.compile(r"\[[a-z_]+\]")


class FailureCluster(NamedTuple):
    """One group of texts, and how an arm fares in it.

    Attributes
    ----------
    words
        Typical of it.
    n, n_failed
        Texts in it, and failures among them.
    share_of_texts, share_of_failures
        Of all texts, of all failures.
    lift
        Second over first: 2 where failures are twice as frequent as overall.
    difference
        Share of failures among its texts, minus that among all other texts.
    ci_lower, ci_upper
        Of the difference; the intervals of all groups hold together.
    pvalue
        Whether failures are as frequent inside as outside; Holm's for the number of groups.
    examples
        Failures in it, the most typical first.
    """

    words: tuple[str, ...]
    n: int
    n_failed: int
    share_of_texts: float
    share_of_failures: float
    lift: float
    difference: float
    ci_lower: float
    ci_upper: float
    pvalue: float
    examples: Examples


@dataclass(frozen=True, eq=False)
class Failures:
    """Groups of texts, those in which an arm fails most above its average first.

    Parameters
    ----------
    arm, field
        How people read the arm's name; the field.
    n, n_failed
        Texts, and those it fails on.
    silhouette
        How well the groups are apart, from -1 to 1; texts seldom exceed 0.3.
    confidence_level
        Of the intervals, all groups together.
    clusters
        The groups.
    """

    arm: str
    field: str
    n: int
    n_failed: int
    silhouette: float
    confidence_level: float
    clusters: tuple[FailureCluster, ...]

    def to_frame(self) -> pd.DataFrame:
        """One row a group, without its examples."""
        rows = [{k: v for k, v in c._asdict().items() if k != "examples"} for c in self.clusters]
        return pd.DataFrame(rows).assign(words=[", ".join(c.words) for c in self.clusters])

    def _repr_html_(self) -> str:
        parts = []
        shown = [c for c in self.clusters if c.lift > 1] or list(self.clusters[:1])
        for found in shown:
            words = html.escape(", ".join(found.words))
            bounds = (found.difference, found.ci_lower, found.ci_upper)
            rate, low, high = (f"{round(100 * v) + 0:+d}".replace("-", "−") for v in bounds)
            told = (
                f"<b>{words}</b>: {found.n_failed:,} failures in {found.n:,} texts, lift "
                f"{found.lift:.2f}; {rate} points <small>[{low}, {high}]</small> from the other "
                f"texts, p = {found.pvalue:.2g}"
            )
            texts = found.examples._repr_html_()
            parts.append(f"<li><details><summary>{told}</summary>{texts}</details></li>")
        return (
            f"<p><b>{html.escape(self.arm)}</b> fails on {self.n_failed:,} of {self.n:,} texts "
            f"({html.escape(self.field.replace('_', ' '))}). Texts were grouped without looking at "
            f"the failures; lift is a group's share of failures over its share of texts.</p>"
            f"<ul class='rules'>{''.join(parts)}</ul><p><small>{len(self.clusters)} groups, "
            f"{len(shown)} with more than their share; silhouette {self.silhouette:.2f}; "
            f"intervals hold together at {self.confidence_level:.0%}, p-values Holm's.</small></p>"
        )


def failures(
    evaluation: ReadingEvaluation,
    arm: str,
    field: str | None = None,
    *,
    n_clusters: int | None = None,
    vectors: Vectors = "words",
    random_state: int = 0,
    corpus: Corpus | None = None,
) -> Failures:
    """Find groups of texts in which an arm fails more often than elsewhere.

    All texts are grouped by k-means, blind to who failed: were the failures alone grouped, every
    group would hold too many of them by construction. A text answered several times has failed
    when most of its answers are wrong.

    Parameters
    ----------
    evaluation
        The evaluation.
    arm
        One of its arms.
    field
        One of its fields; that of the primary metric by default.
    n_clusters
        Groups; by default the number from 2 to 12 with the best silhouette.
    vectors
        What texts are compared by: "words" (TF-IDF, reduced by SVD), or "sentences", vectors of
        the sentence encoder where it is installed.
    random_state
        Seed.
    corpus
        Where the texts are, once the evaluation was loaded from a folder.

    Raises
    ------
    EvaluationError
        When there is no such arm or field, no texts are known, or they are too few to be grouped.
    EmbeddingError
        When the sentence encoder is wanted but not installed.

    References
    ----------
    Silhouette: Rousseeuw (1987), J. Comput. Appl. Math. 20:53-65. Tests and intervals:
    `workbench.stats.compare_proportions`; where texts are not independent, on counts divided by
    their design effect: Rao & Scott (1992), Biometrics 48:577-585.
    """
    asked = field_of(evaluation, field)
    texts = corpus_texts(evaluation, corpus)
    given = arm_answers(evaluation, arm, asked)
    table, groups = _by_example(given)
    level = evaluation.info.confidence_level
    ids = table.index.tolist()
    if len(ids) < _MIN_TEXTS or (n_clusters is not None and not 2 <= n_clusters <= len(ids) // 2):
        raise EvaluationError(
            f"{n_clusters or 'some'} groups of {len(ids):,} texts",
            expected=f"{_MIN_TEXTS} texts or more, and 2 groups to half as many as texts",
            fix="evaluate more texts, or ask for fewer groups",
        )
    gate = PrivacyGate()
    sealed = [_PLACEHOLDER.sub(" ", seal_text(texts[i], gate).text) for i in ids]
    shape = r"(?u)\b[^\W\d_]{2,}\b"
    words = TfidfVectorizer(sublinear_tf=True, min_df=2, stop_words="english", token_pattern=shape)
    try:
        weights = words.fit_transform(sealed)
    except ValueError as error:
        raise EvaluationError(
            "the texts share no words",
            expected="words that occur in two texts or more",
            fix="evaluate more texts",
        ) from error
    places = _places(sealed, weights, vectors, random_state)
    labels, silhouette = _grouped(places, n_clusters, random_state)
    compared = _compared(labels, table["failed"].to_numpy(), groups, level)
    vocabulary = words.get_feature_names_out()
    clusters = []
    for at, counted in enumerate(compared):
        inside = labels == at
        centre = places[inside].mean(axis=0)
        mine = np.flatnonzero(inside & (table["failed"] == 1).to_numpy())
        nearest = mine[np.argsort(-(places[mine] @ centre), kind="stable")]
        told = {c: table[c].iloc[nearest].tolist() for c in ("true", "answered")}
        above = np.asarray(weights[inside].mean(axis=0) - weights.mean(axis=0)).ravel()
        typical = vocabulary[np.argsort(-above, kind="stable")[:_N_WORDS]]
        examples = Examples.of([ids[i] for i in nearest], texts, told, _N_EXAMPLES)
        clusters.append(FailureCluster(tuple(typical), *counted, examples))
    return Failures(
        arm=evaluation.arm(arm).label,
        field=asked.name,
        n=len(ids),
        n_failed=int(table["failed"].sum()),
        silhouette=silhouette,
        confidence_level=level,
        clusters=tuple(sorted(clusters, key=lambda c: -c.lift)),
    )


def _by_example(given: ArmAnswers) -> tuple[pd.DataFrame, NDArray[Any] | None]:
    """One row an example, with what most of its answers came to, and the corpus's own groups."""
    rows = pd.DataFrame(
        {
            "example_id": given.rows["example_id"].to_numpy(),
            "group": given.rows["group"].to_numpy(),
            "wrong": 1 - given.right,
            "true": pd.Series(list(given.answers.truth), dtype=object),
            "answered": pd.Series(list(given.answers.values), dtype=object),
        }
    )
    # A wrong answer comes first, so that it is the one shown.
    ordered = rows.sort_values(["example_id", "wrong"], ascending=[True, False], kind="stable")
    table = ordered.groupby("example_id", sort=True).first()
    share = rows.groupby("example_id")["wrong"].mean()
    table["failed"] = (share > 0.5).astype(int)
    groups = table["group"].to_numpy() if table["group"].notna().any() else None
    return table, groups


def _places(
    sealed: Sequence[str], weights: Any, vectors: Vectors, random_state: int
) -> NDArray[np.float64]:
    if vectors == "sentences":
        return np.asarray(SentenceEncoder().encode(sealed), dtype=np.float64)
    size = min(_DIMENSIONS, weights.shape[0] - 1, weights.shape[1] - 1)
    if size < 2:
        return np.asarray(weights.todense(), dtype=np.float64)
    reduced = TruncatedSVD(size, random_state=random_state).fit_transform(weights)
    return np.asarray(normalize(reduced), dtype=np.float64)


def _grouped(
    places: NDArray[np.float64], n_clusters: int | None, random_state: int
) -> tuple[NDArray[np.intp], float]:
    most = min(_MOST_CLUSTERS, len(places) // 2, len(np.unique(places, axis=0)) - 1)
    best: tuple[float, NDArray[np.intp]] | None = None
    for k in [n_clusters] if n_clusters else range(2, most + 1):
        labels = KMeans(k, n_init=4, random_state=random_state).fit_predict(places)
        found = float(silhouette_score(places, labels))
        if best is None or found > best[0]:
            best = found, labels
    if best is None:
        raise EvaluationError(
            "the texts are all alike",
            expected="three different texts or more",
            fix="evaluate other texts",
        )
    return best[1], best[0]


class _Counted(NamedTuple):
    """The figures of a `FailureCluster`, in its order."""

    n: int
    n_failed: int
    share_of_texts: float
    share_of_failures: float
    lift: float
    difference: float
    ci_lower: float
    ci_upper: float
    pvalue: float


def _design_effect(
    inside: NDArray[np.bool_], failed: NDArray[np.int64], groups: NDArray[Any] | None
) -> float:
    """How many rows are worth one, were failures as frequent inside as outside."""
    apart = failed - failed.mean()
    if groups is None or not apart.any():
        return 1.0
    sums = pd.Series(apart).groupby([pd.factorize(groups)[0], inside]).sum()
    return max(1.0, float((sums**2).sum() / (apart**2).sum()))


def _compared(
    labels: NDArray[np.intp],
    failed: NDArray[np.int64],
    groups: NDArray[Any] | None,
    confidence_level: float,
) -> list[_Counted]:
    n_clusters, total = int(labels.max()) + 1, int(failed.sum())
    level = simultaneous_confidence_level(confidence_level, n_clusters)
    found = []
    for at in range(n_clusters):
        inside = labels == at
        n, n_failed = int(inside.sum()), int(failed[inside].sum())
        # Rao and Scott: rows that are not independent count as the fewer that they are worth.
        worth = 1 / _design_effect(inside, failed, groups)
        effect = compare_proportions(
            (round(worth * (total - n_failed)), max(1, round(worth * (len(failed) - n)))),
            (round(worth * n_failed), max(1, round(worth * n))),
            confidence_level=level,
        )
        of_texts, of_failures = n / len(failed), n_failed / total if total else np.nan
        bounds = (effect.difference, effect.ci_lower, effect.ci_upper, effect.pvalue)
        found.append(_Counted(n, n_failed, of_texts, of_failures, of_failures / of_texts, *bounds))
    adjusted = adjust_pvalues([c.pvalue for c in found]).tolist()
    return [c._replace(pvalue=float(p)) for c, p in zip(found, adjusted, strict=True)]
