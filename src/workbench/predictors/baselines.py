"""What everything else has to beat."""

from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline

from workbench.features import linear_table

__all__ = ["logistic_baseline", "prior_baseline"]


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
