"""What everything else has to beat, and what is hard to beat."""

from typing import Any

from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline

from workbench.features import linear_table
from workbench.predictors.additive import AdditiveClassifier
from workbench.predictors.blended import BlendedClassifier
from workbench.predictors.boosted import BoostedClassifier

__all__ = ["logistic_baseline", "prior_baseline", "tabular_ensemble"]


def prior_baseline() -> DummyClassifier:
    """Give every example the share of positives in the training data.

    Examples
    --------
    >>> prior_baseline().fit([[0], [0]], [0, 1]).predict_proba([[5]]).tolist()
    [[0.5, 0.5]]
    """
    return DummyClassifier(strategy="prior")


def logistic_baseline(
    *, text: bool = True, C: float = 0.3, max_iter: int = 2000, random_state: int = 0
) -> Pipeline:
    """Make a logistic regression on the table, free text included as TF-IDF.

    Parameters
    ----------
    text
        Whether free text is read.
    C
        Inverse strength of the L2 penalty.
    max_iter
        Limit of the solver's iterations.
    random_state
        Seed.

    Examples
    --------
    >>> logistic_baseline().steps[-1][0]
    'logistic'
    """
    model = LogisticRegression(C=C, max_iter=max_iter, random_state=random_state)
    return Pipeline([("table", linear_table(text=text)), ("logistic", model)])


def tabular_ensemble(
    *, text: bool = True, n_splits: int = 5, random_state: int = 0
) -> BlendedClassifier:
    """Make the strongest tabular estimator of the workbench: two kinds of trees and curves.

    A blend of boosted trees that see half the columns a tree, of small boosted trees that see
    them all, and of an additive model. Which of them suits a table differs from table to table;
    the out-of-fold weights find out. Every member explains itself exactly, and a single row is
    scored in well under a millisecond (see `OnlineScorer`).

    Parameters
    ----------
    text
        Whether free text is read.
    n_splits
        Folds for the weights, the members' stopping and their penalties.
    random_state
        Seed.

    Examples
    --------
    >>> [name for name, _ in tabular_ensemble().estimators]
    ['boosted', 'boosted_all', 'additive']
    """
    shared: dict[str, Any] = {"text": text, "n_splits": n_splits, "random_state": random_state}
    return BlendedClassifier(
        [
            ("boosted", BoostedClassifier(**shared)),
            (
                "boosted_all",
                BoostedClassifier(num_leaves=8, colsample_bytree=1.0, subsample=0.9, **shared),
            ),
            ("additive", AdditiveClassifier(**shared)),
        ],
        n_splits=n_splits,
        random_state=random_state,
    )
