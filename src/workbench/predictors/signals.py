"""Claude as a transformer: what it reads in a text, as columns for other models."""

import dataclasses
import html
from collections.abc import Iterator, Mapping, Sequence
from enum import Enum
from typing import Any, Literal, Self, get_args, get_origin

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import BaseModel
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from workbench.claude import Answer, ClaudeClient, ClaudeRequest
from workbench.errors import PredictorError
from workbench.features import text_columns
from workbench.predictors.answers import ANSWER_COLUMNS
from workbench.predictors.reading import Reading, answer_row, read_answer, unasked_row
from workbench.prompts import LeadText, Prompt, lead_texts

__all__ = ["ClaudeSignals", "ExtractedSignals"]

_OFFERED = ("lead", "message")
_UNUSED = {"abstain", "evidence"}
_FLAG = ("no", "yes")


@dataclasses.dataclass(frozen=True)
class ExtractedSignals:
    """What was read in each row, and what reading it cost.

    Parameters
    ----------
    judgements : DataFrame
        One row an example, one column a signal; missing where nothing was read.
    answers : DataFrame
        One row an example, the columns of `ANSWER_COLUMNS`; `proba` is missing, for signals are
        no probability. Rows without text were not asked about: no origin, no cost.
    """

    judgements: pd.DataFrame
    answers: pd.DataFrame

    @property
    def cost_usd(self) -> float:
        """What the answers cost, row by row, or would cost where they are stored or simulated.

        Rows with the same text share an answer that was asked once: the first of them is not
        `cached`, and what is not cached adds up to the ledger.
        """
        return float(self.answers["cost_usd"].sum())

    @property
    def origin(self) -> str | None:
        """Who answered; None when nobody was asked."""
        return next(iter(self.answers["origin"].dropna().unique()), None)

    def to_frame(self) -> pd.DataFrame:
        """Signals, then `origin`, `cost_usd`, `latency_s`, `abstained` and `error`, a row each."""
        beside = ["origin", "cost_usd", "latency_s", "abstained", "error"]
        return self.judgements.join(self.answers[beside])

    def _repr_html_(self) -> str:
        answers = self.answers
        failed, abstained = int(answers["error"].notna().sum()), int(answers["abstained"].sum())
        unasked = int((answers["calls"] == 0).sum())
        who = "" if self.origin is None else f", {html.escape(self.origin)}"
        head = (
            f"<b>Signals of {len(answers):,} rows{who}</b>: ${self.cost_usd:,.4f}, {failed} "
            f"failed, {abstained} abstained, {unasked} without text"
        )
        return f"<div>{head}{self.to_frame().head(10).to_html()}</div>"


class ClaudeSignals(TransformerMixin, BaseEstimator):
    """Ask Claude once about each row's text; numbers and one-hot columns come of the answer.

    `fit` learns nothing from labels and asks nothing: what is asked about a row depends on that
    row alone, so the columns are out of fold by nature. Answers are stored by content, so that
    folds and reruns ask nothing twice. As a step of a Pipeline its costs would be lost to an
    evaluation: use `SignalledClassifier` for an arm.

    A row whose answer failed or abstained, or that has no text, has missing values and 0 in the
    last column, `signal_read`. Texts are sent through the client's privacy gate.

    Parameters
    ----------
    prompt : Prompt
        Uses `message`, `lead` or both, and no other variable.
    answer_model : type of pydantic model
        Its numbers become numeric columns, its booleans 0 and 1, its literals one-hot columns;
        `evidence` and `abstain` are read but become none.
    labels : mapping of str to str
        How each column is called in the prompt; other columns are not shown.
    client : ClaudeClient
        Shared by clones.
    model : str
        Model to ask.
    max_tokens : int
        Limit of output tokens, thinking included.
    effort, thinking : str, optional
        As for `ClaudeClassifier`.
    repeat : int
        Which of several independent answers `transform` reads.
    task, arm : str
        Whom the ledger charges.

    Attributes
    ----------
    fields_ : dict
        Values of each enumerated signal ("no" and "yes" of a boolean), None for a number.

    Examples
    --------
    >>> import tempfile
    >>> from workbench.claude import Origin
    >>> class Mood(BaseModel):
    ...     churn_risk: int
    ...     buying_urgency: int
    ...     objection_probability: int
    ...     sentiment: Literal["negative", "neutral", "positive"]
    >>> prompt = Prompt(name="mood", title="Mood", strategy="zero_shot", system="Judge the text.",
    ...                 user="<message>{{ message }}</message>", variables=("message",))
    >>> X = pd.DataFrame({"note": ["Thanks, we love it and must move this week!", None]})
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with ClaudeClient(origin=Origin.SIMULATED, store=f"{folder}/a.sqlite") as client:
    ...         signals = ClaudeSignals(prompt=prompt, answer_model=Mood, labels={"note": "Note"},
    ...                                 client=client, model="claude-haiku-5-5").fit(X)
    ...         read = signals.transform(X)
    >>> dict(zip(signals.get_feature_names_out().tolist(), read[0]))["signal_sentiment_positive"]
    np.float64(1.0)
    >>> bool(np.isnan(read[1, :-1]).all()), float(read[1, -1])
    (True, 0.0)
    """

    def __init__(
        self,
        *,
        prompt: Prompt,
        answer_model: type[BaseModel],
        labels: Mapping[str, str],
        client: ClaudeClient,
        model: str,
        max_tokens: int = 1024,
        effort: str | None = None,
        thinking: str | None = None,
        repeat: int = 0,
        task: str = "",
        arm: str = "",
    ) -> None:
        self.prompt = prompt
        self.answer_model = answer_model
        self.labels = labels
        self.client = client
        self.model = model
        self.max_tokens = max_tokens
        self.effort = effort
        self.thinking = thinking
        self.repeat = repeat
        self.task = task
        self.arm = arm

    def fit(self, X: pd.DataFrame, y: object = None) -> Self:
        """Note the columns; nothing is asked and no label is looked at.

        Parameters
        ----------
        X : DataFrame of shape (n_samples, n_features)
        y
            Ignored.

        Raises
        ------
        PredictorError
            When `X` is no DataFrame, the prompt wants more than the row's text, or the answer
            has no field that can be a column.
        """
        if not isinstance(X, pd.DataFrame):
            raise PredictorError(
                f"X is a {type(X).__name__}",
                expected="a DataFrame: its column names are part of the prompt",
                fix="pass the data set's X",
            )
        others = sorted(set(self.prompt.variables) - set(_OFFERED))
        if others:
            raise PredictorError(
                f"prompt {self.prompt.name!r} wants {others}",
                expected="a prompt about one row: lead, message or both",
                fix="leave out what other rows or labels would have to give",
            )
        self.fields_ = _fields(self.answer_model)
        validate_data(self, X, skip_check_array=True)
        return self

    def requests(self, X: pd.DataFrame, *, repeat: int | None = None) -> list[ClaudeRequest]:
        """What would be asked: one request for each row with text; for pricing it beforehand."""
        return [request for request in self._requests(X, repeat) if request is not None]

    def _requests(self, X: pd.DataFrame, repeat: int | None) -> list[ClaudeRequest | None]:
        check_is_fitted(self)
        validate_data(self, X, reset=False, skip_check_array=True)
        schema = self.answer_model.model_json_schema()
        texts = lead_texts(X, self.labels, text_columns=text_columns(X))
        return [self._request(text, schema, repeat) for text in texts]

    def _request(
        self, text: LeadText, schema: Mapping[str, object], repeat: int | None
    ) -> ClaudeRequest | None:
        wanted = {n: v for n, v in text._asdict().items() if n in self.prompt.variables}
        if not any(value.strip() for value in wanted.values()):
            return None
        rendered = self.prompt.render(**wanted)
        return ClaudeRequest(
            model=self.model,
            system=rendered.system,
            prompt=rendered.user,
            schema=schema,
            max_tokens=self.max_tokens,
            effort=self.effort,
            thinking=self.thinking,
            repeat=self.repeat if repeat is None else repeat,
            subject=text.example_id,
        )

    def extract(self, X: pd.DataFrame, *, repeat: int | None = None) -> ExtractedSignals:
        """Ask about each row; answers that are stored are not asked again.

        Parameters
        ----------
        X : DataFrame of shape (n_samples, n_features)
        repeat
            Which of several independent answers; the transformer's own when omitted.

        Raises
        ------
        ClaudeError
            When nothing can be asked (no key, no such model, budget spent).
        """
        repeat = self.repeat if repeat is None else repeat
        requests = self._requests(X, repeat)
        asked = [request for request in requests if request is not None]
        answers = _once(self.client.ask(asked, task=self.task, arm=self.arm) if asked else [])
        rows: list[dict[str, Any]] = []
        judged: list[BaseModel | None] = []
        for request in requests:
            if request is None:
                rows.append(unasked_row(repeat))
                judged.append(None)
                continue
            answer = next(answers)
            reading = read_answer(answer, self.answer_model, self.max_tokens)
            digest = self.prompt.digest
            rows.append(
                answer_row(answer, reading, proba=np.nan, prompt_digest=digest, repeat=repeat)
            )
            judged.append(_spoken(reading))
        return ExtractedSignals(
            self._judgements(judged, X.index),
            pd.DataFrame(rows, index=X.index, columns=list(ANSWER_COLUMNS)),
        )

    def answer(self, X: pd.DataFrame, *, repeat: int | None = None) -> pd.DataFrame:
        """Answers alone, the columns of `ANSWER_COLUMNS`; see `extract`."""
        return self.extract(X, repeat=repeat).answers

    def _judgements(self, judged: list[BaseModel | None], index: pd.Index) -> pd.DataFrame:
        columns: dict[str, Any] = {}
        for name, values in self.fields_.items():
            given = [None if one is None else getattr(one, name) for one in judged]
            if values is None:
                numbers = [np.nan if value is None else float(value) for value in given]
                columns[name] = np.array(numbers, dtype=np.float64)
            else:
                plain = [_plain(value) for value in given]
                columns[name] = pd.Categorical(plain, categories=values)
        return pd.DataFrame(columns, index=index)

    def transform(self, X: pd.DataFrame) -> NDArray[np.float64]:
        """Read each row, shape (n_samples, n_features_out); NaN where nothing was read."""
        return self.columns(self.extract(X).judgements)

    def columns(self, judgements: pd.DataFrame) -> NDArray[np.float64]:
        """Numbers and one-hot columns of judgements, shape (n_samples, n_features_out).

        Parameters
        ----------
        judgements : DataFrame
            As in `ExtractedSignals`.
        """
        parts: list[NDArray[np.float64]] = []
        for name, values in self.fields_.items():
            column = judgements[name]
            if values is None:
                parts.append(column.to_numpy(dtype=np.float64)[:, None])
                continue
            codes = column.cat.codes.to_numpy()
            if values == _FLAG:
                parts.append(np.where(codes < 0, np.nan, codes)[:, None])
                continue
            hot = (codes[:, None] == np.arange(len(values))).astype(np.float64)
            hot[codes < 0] = np.nan
            parts.append(hot)
        read = judgements.notna().any(axis=1).to_numpy(dtype=np.float64)
        return np.hstack([*parts, read[:, None]])

    def get_feature_names_out(self, input_features: object = None) -> NDArray[np.object_]:
        """Names of the columns: `signal_churn_risk`, `signal_sentiment_positive`, `signal_read`.

        Parameters
        ----------
        input_features
            Ignored.
        """
        check_is_fitted(self)
        names: list[str] = []
        for name, values in self.fields_.items():
            if values is None or values == _FLAG:
                names.append(f"signal_{name}")
            else:
                names += [f"signal_{name}_{value}" for value in values]
        return np.array([*names, "signal_read"], dtype=object)


def _once(answers: Sequence[Answer]) -> Iterator[Answer]:
    """The answers; those to a question that stands twice in them were asked once."""
    seen: set[str] = set()
    for answer in answers:
        again = answer.key in seen and answer.error is None
        yield dataclasses.replace(answer, cached=True, cache="exact") if again else answer
        seen.add(answer.key)


def _spoken(reading: Reading) -> BaseModel | None:
    judged = reading.answer
    return None if judged is None or getattr(judged, "abstain", False) else judged


def _plain(value: object) -> object:
    if isinstance(value, bool):
        return _FLAG[value]
    return value.value if isinstance(value, Enum) else value


def _fields(answer_model: type[BaseModel]) -> dict[str, tuple[str, ...] | None]:
    """The fields that become columns: values of those that are enumerated, None for numbers."""
    found: dict[str, tuple[str, ...] | None] = {}
    for name, field in answer_model.model_fields.items():
        kind = field.annotation
        if name in _UNUSED:
            continue
        if get_origin(kind) is Literal:
            found[name] = tuple(str(value) for value in get_args(kind))
        elif isinstance(kind, type) and issubclass(kind, Enum):
            found[name] = tuple(str(member.value) for member in kind)
        elif kind is bool:
            found[name] = _FLAG
        elif isinstance(kind, type) and issubclass(kind, int | float):
            found[name] = None
    if not found:
        raise PredictorError(
            f"no field of {answer_model.__name__} can be a column",
            expected="numbers, booleans, literals or enumerations",
            fix="add such a field",
        )
    return found
