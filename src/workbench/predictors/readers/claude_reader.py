"""Claude as a reader: any questions, answered in a schema, by any prompt."""

from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import BaseModel
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from workbench.claude import Answer, ClaudeClient, ClaudeRequest
from workbench.data import AskedField
from workbench.errors import PredictorError
from workbench.predictors.answers import ANSWER_COLUMNS
from workbench.predictors.readers.answer_schema import (
    describe_fields,
    spoken_values,
    written_answer,
)
from workbench.predictors.readers.readings import Readings, checked_truth, empty_readings
from workbench.predictors.readers.shots import ShotChoice, Shots, check_choice
from workbench.predictors.reading import answer_row, read_answer, rendered_requests
from workbench.prompts import LeadText, Prompt, RenderedPrompt, lead_texts

__all__ = ["ClaudeReader"]

_OFFERED = ("message", "lead", "questions", "examples")


class ClaudeReader(BaseEstimator):
    """Ask Claude what a text says, field by field.

    `fit` picks the solved examples of a few-shot variant, from training rows only; it asks
    nothing. Identifiers are taken out of every text before it is sent.

    Parameters
    ----------
    fields : sequence of AskedField
        What is asked.
    prompt : Prompt
        The variant; may use the variables `message` (the text), `lead` (the other columns, a line
        each), `questions` (the fields and their values described) and `examples`, each with
        `message`, `lead` and `answer`.
    answer_model : type of pydantic model
        Schema of the answer; has the fields by name, and may have `confidence` (0 to 100),
        `evidence` and `abstain`.
    meanings : mapping of str to str
        How each column is called in the prompt; other columns are not shown.
    client : ClaudeClient
        Shared by clones.
    model : str
        Model to ask.
    max_tokens : int
        Limit of output tokens, thinking included.
    effort, thinking : str, optional
        As for `ClaudeClassifier`.
    stream : bool
        Have answers streamed, so that the time to the first token is measured.
    n_examples : int, optional
        Solved examples shown instead of the variant's own number.
    shots : str
        Which examples are shown, see `ShotChoice`.
    task, arm : str
        Whom the ledger charges.
    random_state : int
        Seed of the choice of examples.

    Attributes
    ----------
    n_fitted_ : int
        Training rows.
    examples_ : list of dict
        Solved examples shown with every text; empty where each text gets its own.
    """

    def __init__(
        self,
        *,
        fields: Sequence[AskedField],
        prompt: Prompt,
        answer_model: type[BaseModel],
        meanings: Mapping[str, str],
        client: ClaudeClient,
        model: str,
        max_tokens: int = 1024,
        effort: str | None = None,
        thinking: str | None = None,
        stream: bool = False,
        n_examples: int | None = None,
        shots: ShotChoice = "random",
        task: str = "",
        arm: str = "",
        random_state: int = 0,
    ) -> None:
        self.fields = fields
        self.prompt = prompt
        self.answer_model = answer_model
        self.meanings = meanings
        self.client = client
        self.model = model
        self.max_tokens = max_tokens
        self.effort = effort
        self.thinking = thinking
        self.stream = stream
        self.n_examples = n_examples
        self.shots = shots
        self.task = task
        self.arm = arm
        self.random_state = random_state

    def fit(self, X: pd.DataFrame, y: pd.DataFrame, groups: NDArray[Any] | None = None) -> Self:
        """Pick the examples; nothing is asked.

        Parameters
        ----------
        X : DataFrame of shape (n_samples, n_columns)
        y : DataFrame of shape (n_samples, n_fields)
        groups : ndarray of shape (n_samples,), optional
            At most one example comes from each group.

        Raises
        ------
        PredictorError
            When tables do not fit, the schema lacks a field, the prompt wants a variable nobody
            offers, or there are too few rows for the examples.
        """
        checked_truth(y, self.fields, X)
        check_choice(self.shots)
        missing = [f.name for f in self.fields if f.name not in self.answer_model.model_fields]
        if missing:
            raise PredictorError(
                f"{self.answer_model.__name__} lacks {missing}",
                expected="a property for each field",
                fix="add the properties",
            )
        others = sorted(set(self.prompt.variables) - set(_OFFERED))
        if others:
            raise PredictorError(
                f"prompt {self.prompt.name!r} wants {others}",
                expected=f"some of {', '.join(_OFFERED)}",
                fix="leave them out of the prompt",
            )
        self.n_fitted_ = len(X)
        self._solved: list[dict[str, str]] = []
        n_examples = self.prompt.n_examples if self.n_examples is None else self.n_examples
        wanted = n_examples if self.prompt.n_examples else 0
        self._shots = self._prepared(X, y, groups, wanted) if wanted else None
        chosen = () if self._shots is None else self._shots.chosen
        self.examples_ = [self._solved[i] for i in chosen]
        return self

    def _prepared(
        self, X: pd.DataFrame, y: pd.DataFrame, groups: NDArray[Any] | None, n_examples: int
    ) -> Shots:
        texts = lead_texts(X, self.meanings, text_columns=["text"])
        rows = y.to_dict(orient="records")
        self._solved = [
            {
                "message": text.message,
                "lead": text.lead,
                "answer": written_answer(row, self.fields),
            }
            for text, row in zip(texts, rows, strict=True)
        ]
        return Shots(
            [text.message for text in texts],
            [_first_label(row, self.fields) for row in rows],
            groups,
            n_examples,
            self.shots,
            self.random_state,
        )

    def render(self, X: pd.DataFrame) -> list[RenderedPrompt]:
        """Render the prompt of each row, as it would be sent.

        Parameters
        ----------
        X : DataFrame of shape (n_samples, n_columns)

        Raises
        ------
        PromptError
            When no column has a meaning.
        """
        check_is_fitted(self)
        texts = lead_texts(X, self.meanings, text_columns=["text"])
        near = self._shots.near([t.message for t in texts]) if self._shots else [[]] * len(texts)
        questions = describe_fields(self.fields)
        return [
            self._render(text, questions, [self._solved[i] for i in shown])
            for text, shown in zip(texts, near, strict=True)
        ]

    def _render(
        self, text: LeadText, questions: str, examples: list[dict[str, str]]
    ) -> RenderedPrompt:
        offered: dict[str, str | list[dict[str, str]]] = {
            "message": text.message,
            "lead": text.lead,
            "questions": questions,
            "examples": examples,
        }
        return self.prompt.render(
            **{name: value for name, value in offered.items() if name in self.prompt.variables}
        )

    def requests(self, X: pd.DataFrame, *, repeat: int = 0) -> list[ClaudeRequest]:
        """What `read` would ask, one request a row; for pricing it beforehand."""
        return rendered_requests(self, X.index, self.render(X), repeat=repeat)

    def read(self, X: pd.DataFrame, *, repeat: int = 0) -> Readings:
        """Ask about each row; answers that are stored are not asked again.

        Parameters
        ----------
        X : DataFrame of shape (n_samples, n_columns)
        repeat
            Which of several independent answers.

        Returns
        -------
        Readings
            Where the model abstained or failed, nothing is answered.

        Raises
        ------
        ClaudeError
            When nothing can be asked (no key, no such model, budget spent).
        """
        answers = self.client.ask(
            self.requests(X, repeat=repeat), task=self.task, arm=self.arm, stream=self.stream
        )
        rows: list[dict[str, Any]] = []
        spoken: list[BaseModel | None] = []
        for answer in answers:
            row, judged = self._row(answer, repeat)
            rows.append(row)
            spoken.append(judged)
        table = pd.DataFrame(rows, index=X.index, columns=list(ANSWER_COLUMNS))
        return self._readings(spoken, table)

    def answer(self, X: pd.DataFrame, *, repeat: int = 0) -> pd.DataFrame:
        """Answers alone, the columns of `ANSWER_COLUMNS`; see `read`."""
        found = self.read(X, repeat=repeat).answers
        assert found is not None  # noqa: S101 - read of this class always has them
        return found

    def predict(self, X: pd.DataFrame) -> pd.DataFrame:
        """Values alone, shape (n_samples, n_fields); see `read`."""
        return self.read(X).values

    def _row(self, answer: Answer, repeat: int) -> tuple[dict[str, Any], BaseModel | None]:
        reading = read_answer(answer, self.answer_model, self.max_tokens)
        row = answer_row(
            answer, reading, proba=np.nan, prompt_digest=self.prompt.digest, repeat=repeat
        )
        return row, None if row["abstained"] else reading.answer

    def _readings(self, spoken: Sequence[BaseModel | None], answers: pd.DataFrame) -> Readings:
        values = empty_readings(answers.index, self.fields)
        n = len(spoken)
        sure = np.full(n, np.nan)
        quotes = np.full(n, None, dtype=object)
        for i, judged in enumerate(spoken):
            if judged is None:
                continue
            sure[i] = float(getattr(judged, "confidence", np.nan)) / 100
            quotes[i] = tuple(getattr(judged, "evidence", ()))
            for name, value in spoken_values(judged, self.fields).items():
                values.iat[i, values.columns.get_loc(name)] = value
        proba = {
            asked.name: _stated(asked, values[asked.name], sure)
            for asked in self.fields
            if asked.kind in ("label", "level", "labels") and not np.isnan(sure).all()
        }
        return Readings(values, proba, pd.Series(quotes, index=answers.index), answers)


def _stated(
    asked: AskedField, values: "pd.Series[Any]", sure: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Probabilities as stated: the confidence for what was said, the rest spread evenly."""
    k = len(asked.values)
    proba = np.full((len(values), k), np.nan)
    place = {value: i for i, value in enumerate(asked.values)}
    for i, (value, p) in enumerate(zip(values, sure, strict=True)):
        if value is None or np.isnan(p):
            continue
        if asked.kind == "labels":
            proba[i] = 1 - p
            proba[i, [place[v] for v in value]] = p
        else:
            # No less than chance: a label named with no confidence is still the one named.
            p = max(p, 1 / k)
            proba[i] = (1 - p) / max(1, k - 1)
            proba[i, place[value]] = p
    return proba


def _first_label(row: Mapping[str, Any], fields: Sequence[AskedField]) -> str:
    for asked in fields:
        if asked.kind in ("label", "level"):
            return str(row[asked.name])
        if asked.kind == "labels":
            return str(row[asked.name][0]) if row[asked.name] else ""
    return ""
