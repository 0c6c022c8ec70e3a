"""Signals of behaviour: what a model reads in a conversation, as columns for other models."""

from functools import cache
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from workbench.claude import ClaudeClient
from workbench.data import Dataset
from workbench.errors import PromptError, SpecError
from workbench.predictors.signals import ClaudeSignals
from workbench.prompts import Prompt, read_prompt
from workbench.tasks.behaviour.heads import FOLDER

__all__ = ["BehaviourSignals", "behaviour_signals", "signal_prompts"]

Score = Annotated[int, Field(ge=0, le=100)]
_GIVEN = {"prompt", "answer_model", "labels", "client", "model"}


class BehaviourSignals(BaseModel):
    """What a conversation shows of a lead: quotes first, then scores, then kinds."""

    # Bounds are told to the API, which does not enforce them; validation here does.
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    evidence: list[Annotated[str, Field(max_length=400)]] = Field(
        max_length=8,
        description="Words of the conversation the judgement rests on, quoted word for word.",
    )
    conversion_likelihood: Score = Field(
        description="How likely the lead signs a deal, 0 to 100, by what is said."
    )
    churn_risk: Score = Field(description="How likely the lead goes quiet, 0 to 100.")
    engagement_receptivity: Score = Field(
        description="How likely the lead answers the next message or call, 0 to 100."
    )
    objection_probability: Score = Field(
        description="How likely the lead voices an objection next, 0 to 100."
    )
    appointment_readiness: Score = Field(
        description="How likely the lead accepts a viewing offered now, 0 to 100."
    )
    buying_urgency: Score = Field(description="How much of a hurry the lead is in, 0 to 100.")
    sentiment: Literal["negative", "neutral", "positive"] = Field(
        description="The lead's tone in its own lines."
    )
    commitment: Literal["withdrawn", "none", "exploring", "considering", "committed"] = Field(
        description="How far the lead has bound itself by its words."
    )
    hesitation: Literal["none", "some", "strong"] = Field(
        description="Doubt, or a decision put off."
    )
    objection_kind: Literal[
        "none", "price", "timing", "trust", "competition", "family", "other"
    ] = Field(description="The main obstacle the lead names.")
    scheduling_cue: Literal["none", "mentions", "asks", "accepts", "declines"] = Field(
        description="What the lead says about a viewing or a call."
    )
    financing_mentioned: bool = Field(
        description="Whether the lead speaks of mortgage, loan, cash or credit."
    )
    abstain: bool = Field(
        description="True when the conversation says too little; all else is then ignored."
    )


@cache
def signal_prompts() -> dict[str, Prompt]:
    """The variants of the prompt that asks for signals, by name; none shows labelled rows.

    Examples
    --------
    >>> sorted(signal_prompts())
    ['anchored', 'direct', 'evidence_first']
    """
    found = (read_prompt(path) for path in sorted((FOLDER / "prompts_signals").glob("*.md")))
    return {prompt.name: prompt for prompt in found}


def behaviour_signals(
    dataset: Dataset,
    *,
    client: ClaudeClient,
    variant: str | Prompt = "direct",
    model: str = "claude-haiku-5-5",
    **options: Any,
) -> ClaudeSignals:
    """Make the transformer that asks Claude for the signals of each conversation.

    Parameters
    ----------
    dataset
        Names the text columns that may be shown.
    client
        How Claude is reached.
    variant
        Name of one of `signal_prompts()`, or a prompt of your own.
    model
        Which model.
    **options
        Further parameters of `ClaudeSignals`.

    Raises
    ------
    PromptError
        When there is no such variant.
    SpecError
        When an option is not a parameter of `ClaudeSignals`.
    """
    known = set(ClaudeSignals.__init__.__annotations__) - {"return", *_GIVEN}
    unknown = sorted(set(options) - known)
    if unknown:
        raise SpecError(
            f"unknown parameters {unknown} of signals",
            expected=f"some of {sorted(known)}",
            fix="remove or correct them",
        )
    if not isinstance(variant, Prompt) and variant not in signal_prompts():
        raise PromptError(
            f"no prompt variant {variant!r} of signals",
            expected=f"one of {sorted(signal_prompts())}, or a prompt",
            fix="name one of them",
        )
    prompt = variant if isinstance(variant, Prompt) else signal_prompts()[variant]
    return ClaudeSignals(
        prompt=prompt,
        answer_model=BehaviourSignals,
        labels={c.name: c.label for c in dataset.card.columns if c.prompt and c.name in dataset.X},
        client=client,
        model=model,
        **options,
    )
