"""Claude as a scikit-learn classifier."""

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from pydantic import BaseModel
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from workbench.claude import Answer, ClaudeClient, ClaudeRequest
from workbench.errors import PredictorError
from workbench.features import text_columns
from workbench.predictors.answers import ANSWER_COLUMNS
from workbench.predictors.reading import answer_row, read_answer, rendered_requests
from workbench.prompts import LeadText, Prompt, RenderedPrompt, lead_texts

__all__ = ["ClaudeClassifier"]

# A solved example longer than this would make every later call pay for it.
_MAX_EXAMPLE_CHARS = 1_200


class ClaudeClassifier(ClassifierMixin, BaseEstimator):
    """Ask Claude for the probability of the positive class.

    `fit` learns the share of positives (what an abstention is worth) and, for a few-shot
    variant, picks its examples. It asks nothing. Identifiers are taken out of every text
    before it is sent.

    Parameters
    ----------
    prompt : Prompt
        The variant.
    answer_model : type of pydantic model
        Schema of the answer, with `probability` and `abstain`.
    labels : mapping of str to str
        How each column is called in the prompt; other columns are not shown.
    outcome : str
        What the positive class means, as the end of "the probability that ...".
    client : ClaudeClient
        Shared by clones.
    model : str
        Model to ask.
    max_tokens : int
        Limit of output tokens, thinking included.
    effort : str, optional
        `output_config.effort`.
    thinking : str, optional
        ``adaptive`` or ``disabled``; the model's own when omitted.
    stream : bool
        Have answers streamed, so that the time to the first token is measured.
    n_examples : int, optional
        Solved examples shown instead of the variant's own number.
    task, arm : str
        Whom the ledger charges.
    random_state : int
        Seed of the choice of examples.

    Attributes
    ----------
    classes_ : ndarray of shape (2,)
        0 and 1.
    prior_ : float
        Share of positives in the training data.
    examples_ : list of dict
        The solved examples.
    """

    def __init__(
        self,
        *,
        prompt: Prompt,
        answer_model: type[BaseModel],
        labels: Mapping[str, str],
        outcome: str,
        client: ClaudeClient,
        model: str,
        max_tokens: int = 1024,
        effort: str | None = None,
        thinking: str | None = None,
        stream: bool = False,
        n_examples: int | None = None,
        task: str = "",
        arm: str = "",
        random_state: int = 0,
    ) -> None:
        self.prompt = prompt
        self.answer_model = answer_model
        self.labels = labels
        self.outcome = outcome
        self.client = client
        self.model = model
        self.max_tokens = max_tokens
        self.effort = effort
        self.thinking = thinking
        self.stream = stream
        self.n_examples = n_examples
        self.task = task
        self.arm = arm
        self.random_state = random_state

    def fit(self, X: pd.DataFrame, y: ArrayLike, groups: NDArray[Any] | None = None) -> Self:
        """Learn the base rate and pick the examples; nothing is asked.

        Parameters
        ----------
        X : DataFrame of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)
            0 or 1.
        groups : ndarray of shape (n_samples,), optional
            At most one example comes from each group.

        Raises
        ------
        PredictorError
            When `X` is no DataFrame, `y` is not 0 and 1, the answer schema lacks a field, or
            there are too few rows for the examples.
        """
        if not isinstance(X, pd.DataFrame):
            raise PredictorError(
                f"X is a {type(X).__name__}",
                expected="a DataFrame: its column names are part of the prompt",
                fix="pass the data set's X",
            )
        missing = {"probability", "abstain"} - set(self.answer_model.model_fields)
        if missing:
            raise PredictorError(
                f"{self.answer_model.__name__} lacks {sorted(missing)}",
                expected="an answer schema with probability and abstain",
                fix="add the fields",
            )
        validate_data(self, X, skip_check_array=True)
        labels = np.asarray(y)
        self.classes_ = np.unique(labels)
        if self.classes_.tolist() != [0, 1]:
            raise PredictorError(
                f"y has the classes {self.classes_.tolist()}",
                expected="0 and 1",
                fix="encode the labels",
            )
        self.prior_ = float(labels.mean())
        self.examples_ = self._choose(X, labels, groups)
        return self

    def _choose(
        self, X: pd.DataFrame, y: NDArray[Any], groups: NDArray[Any] | None
    ) -> list[dict[str, str]]:
        n_examples = self.prompt.n_examples if self.n_examples is None else self.n_examples
        if not self.prompt.n_examples or not n_examples:
            return []
        rng = np.random.default_rng(self.random_state)
        texts = lead_texts(X, self.labels, text_columns=text_columns(X))
        chosen: list[dict[str, str]] = []
        used: set[Any] = set()
        # Both kinds in turn, one from a group: eight leads of one person teach one lesson.
        queues = {label: iter(rng.permutation(np.flatnonzero(y == label))) for label in (1, 0)}
        for position in range(n_examples):
            label = 1 - position % 2
            for row in queues[label]:
                text = texts[row]
                group = row if groups is None else groups[row]
                if group not in used and len(text.lead + text.message) <= _MAX_EXAMPLE_CHARS:
                    used.add(group)
                    chosen.append(
                        {
                            "lead": text.lead,
                            "message": text.message,
                            "outcome": "yes" if label else "no",
                        }
                    )
                    break
            else:
                raise PredictorError(
                    f"{n_examples} examples were asked for, but the training data has only "
                    f"{position} that fit",
                    expected=f"short enough leads of both classes, {n_examples // 2} of each",
                    fix="train on more rows or lower n_examples",
                )
        return chosen

    def render(self, X: pd.DataFrame) -> list[RenderedPrompt]:
        """Render the prompt of each row, as it would be sent.

        Parameters
        ----------
        X : DataFrame of shape (n_samples, n_features)

        Raises
        ------
        PromptError
            When the prompt uses a variable this predictor does not offer.
        """
        check_is_fitted(self)
        validate_data(self, X, reset=False, skip_check_array=True)
        texts = lead_texts(X, self.labels, text_columns=text_columns(X))
        return [self._render(text) for text in texts]

    def _render(self, text: LeadText) -> RenderedPrompt:
        return self.prompt.render(**self.prompt_values(text))

    def prompt_values(self, text: LeadText) -> dict[str, str | list[dict[str, str]]]:
        """Values of the prompt's variables for one row.

        Parameters
        ----------
        text
            The row as text.
        """
        offered: dict[str, str | list[dict[str, str]]] = {
            "lead": text.lead,
            "message": text.message,
            "outcome": self.outcome,
            "base_rate": f"{self.prior_:.0%}",
            "examples": self.examples_,
        }
        # A variable the prompt wants and nobody offers is left for the prompt to complain about.
        return {k: v for k, v in offered.items() if k in self.prompt.variables}

    def requests(self, X: pd.DataFrame, *, repeat: int = 0) -> list[ClaudeRequest]:
        """What `answer` would ask, one request a row; for pricing it beforehand."""
        return rendered_requests(self, X.index, self.render(X), repeat=repeat)

    def answer(self, X: pd.DataFrame, *, repeat: int = 0) -> pd.DataFrame:
        """Ask about each row; answers that are stored are not asked again.

        Parameters
        ----------
        X : DataFrame of shape (n_samples, n_features)
        repeat
            Which of several independent answers.

        Returns
        -------
        DataFrame
            One row an example, the columns of `workbench.predictors.ANSWER_COLUMNS`.
            `proba` is the share of positives where the model abstained or failed.

        Raises
        ------
        ClaudeError
            When nothing can be asked (no key, no such model, budget spent).
        """
        answers = self.client.ask(
            self.requests(X, repeat=repeat), task=self.task, arm=self.arm, stream=self.stream
        )
        rows = [self._row(answer, repeat) for answer in answers]
        return pd.DataFrame(rows, index=X.index, columns=list(ANSWER_COLUMNS))

    def _row(self, answer: Answer, repeat: int) -> dict[str, Any]:
        reading = read_answer(answer, self.answer_model, self.max_tokens)
        judged = reading.answer
        probability = self.prior_
        if judged is not None and not getattr(judged, "abstain", False):
            probability = float(getattr(judged, "probability", self.prior_))
        return answer_row(
            answer, reading, proba=probability, prompt_digest=self.prompt.digest, repeat=repeat
        )

    def predict_proba(self, X: pd.DataFrame) -> NDArray[np.float64]:
        """Probabilities, shape (n_samples, 2); see `answer`."""
        check_is_fitted(self)
        positive = self.answer(X)["proba"].to_numpy(dtype=np.float64)
        return np.column_stack([1 - positive, positive])

    def predict(self, X: pd.DataFrame) -> NDArray[Any]:
        """More probable class, shape (n_samples,)."""
        return np.asarray(self.classes_[(self.predict_proba(X)[:, 1] > 0.5).astype(int)])
