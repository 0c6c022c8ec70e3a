"""What a judge is asked and what it may answer: prompts as files, strict schemas."""

import functools
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from workbench.errors import EvaluationError
from workbench.prompts import Prompt, read_prompt

__all__ = [
    "Criterion",
    "CriterionVerdict",
    "CritiqueVerdict",
    "RubricVerdict",
    "Verdict",
    "Winner",
    "judge_prompts",
    "listed",
    "verdict_model",
]

Winner = Literal["first", "second", "tie"]
"""Which of two answers is better."""


class Criterion(NamedTuple):
    """One thing that makes an answer better.

    Attributes
    ----------
    name
        A short name.
    meaning
        What to look for, in a sentence.
    """

    name: str
    meaning: str


class Verdict(BaseModel):
    """Which answer is better, and why."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    winner: Winner = Field(description="The better answer, or tie.")
    reason: str = Field(description="Why, in one sentence.")


class CriterionVerdict(BaseModel):
    """Which answer meets one criterion better."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    criterion: str = Field(description="Name of the criterion.")
    better: Winner = Field(description="The answer that meets it better, or tie.")


class RubricVerdict(BaseModel):
    """Criterion by criterion, then the whole."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    # What is written first is thought of first: the verdict comes last.
    rubric: list[CriterionVerdict] = Field(description="One entry a criterion, in their order.")
    winner: Winner = Field(description="The better answer on the whole, or tie.")
    reason: str = Field(description="Why, in one sentence.")


class CritiqueVerdict(BaseModel):
    """What is wrong with either answer, then which is better."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    critique_of_first: str = Field(description="Faults of the first answer, with quotes.")
    critique_of_second: str = Field(description="Faults of the second answer, with quotes.")
    winner: Winner = Field(description="The better answer, or tie.")
    reason: str = Field(description="Why, in one sentence.")


_MODELS: Mapping[str, type[BaseModel]] = MappingProxyType(
    {
        "judge_direct": Verdict,
        "judge_rubric_first": RubricVerdict,
        "judge_critique_then_verdict": CritiqueVerdict,
    }
)


def verdict_model(prompt: Prompt) -> type[BaseModel]:
    """Schema of the answers to a judge's prompt, by its strategy.

    Parameters
    ----------
    prompt
        One of `judge_prompts`, or another of the same strategies.

    Returns
    -------
    type of pydantic model
        With `winner` and `reason`.

    Raises
    ------
    EvaluationError
        When the strategy is no judge's.

    Examples
    --------
    >>> verdict_model(judge_prompts()["direct"]).__name__
    'Verdict'
    """
    if prompt.strategy not in _MODELS:
        raise EvaluationError(
            f"strategy {prompt.strategy!r}",
            where=f"prompt {prompt.name!r}",
            expected=f"one of {sorted(_MODELS)}",
            fix="give the prompt the strategy it words otherwise",
        )
    return _MODELS[prompt.strategy]


@functools.cache
def judge_prompts() -> Mapping[str, Prompt]:
    """Prompts of the pairwise judge, by name.

    Returns
    -------
    mapping of str to Prompt

    Examples
    --------
    >>> sorted(judge_prompts())
    ['critique_then_verdict', 'direct', 'rubric_first']
    """
    files = sorted((Path(__file__).parent / "judge_prompts").glob("*.md"))
    return MappingProxyType({path.stem: read_prompt(path) for path in files})


def listed(criteria: Sequence[Criterion]) -> str:
    """Criteria as a numbered list.

    Parameters
    ----------
    criteria
        Most important first.

    Raises
    ------
    EvaluationError
        When there are none.

    Examples
    --------
    >>> listed([Criterion("warm", "It sounds like a person.")])
    '1. warm: It sounds like a person.'
    """
    if not criteria:
        raise EvaluationError(
            "there are no criteria", expected="one or more", fix="say what makes an answer better"
        )
    return "\n".join(f"{i}. {c.name}: {c.meaning}" for i, c in enumerate(criteria, start=1))
