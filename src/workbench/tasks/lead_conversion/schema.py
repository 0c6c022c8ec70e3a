"""What is asked of a model that judges a lead."""

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["LeadConversionAnswer"]


class LeadConversionAnswer(BaseModel):
    """A judgement of one lead."""

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
