"""The answer of a model that gives the probability of one outcome."""

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["Judgement"]


class Judgement(BaseModel):
    """A probability, what it rests on, and whether there was anything to judge."""

    # The API is told the bounds but does not enforce them; validation here does.
    model_config = ConfigDict(extra="forbid", frozen=True)

    evidence: list[str] = Field(
        max_length=12,
        description="Facts the judgement rests on, quoted from the lead's fields or message.",
    )
    probability: float = Field(
        ge=0.0, le=1.0, description="Probability that the outcome happens, from 0 to 1."
    )
    abstain: bool = Field(
        description="True when the lead says too little to judge; the probability is then ignored."
    )
