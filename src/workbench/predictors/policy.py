"""When a cascade asks its last member, as data: one strict spec for each kind of policy."""

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

__all__ = [
    "CascadePolicy",
    "ConformalPolicy",
    "DisagreementPolicy",
    "GainPolicy",
    "UncertaintyPolicy",
]

_GOALS = ("threshold", "max_share", "max_cost_per_1000_usd", "usd_per_correct")


class _Policy(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    @property
    def n_members(self) -> int:
        """Members the cascade needs, the last one included."""
        return 2

    @property
    def n_first_answers(self) -> int:
        """How often each member of the first stage is asked about a row."""
        return 1

    @property
    def learns(self) -> bool:
        """Whether fitting needs the first stage's answers to training rows."""
        return True

    @property
    def asks_last_to_fit(self) -> bool:
        """Whether fitting needs the last member's answers too."""
        return False


class _Thresholded(_Policy):
    """A score and the threshold above which a row is escalated; exactly one goal is given.

    The threshold is fitted on answers to training rows by members that were not fitted on them.

    Attributes
    ----------
    threshold
        Escalate above this, whatever it costs.
    max_share
        Escalate at most this share.
    max_cost_per_1000_usd
        Spend at most this on 1,000 predictions, in US dollars.
    usd_per_correct
        What a right decision is worth, in US dollars: escalate where that gains more than the
        last member costs.
    n_fit
        Training rows asked about to fit the threshold, at most.
    """

    threshold: float | None = None
    max_share: float | None = Field(default=None, ge=0, le=1)
    max_cost_per_1000_usd: float | None = Field(default=None, gt=0)
    usd_per_correct: float | None = Field(default=None, gt=0)
    n_fit: int = Field(default=400, ge=50)

    @model_validator(mode="after")
    def _one_goal(self) -> Self:
        given = [name for name in _GOALS if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(
                f"the policy has {' and '.join(given) or 'no goal'}; give exactly one of "
                f"{', '.join(_GOALS)}"
            )
        return self

    @property
    def asks_last_to_fit(self) -> bool:
        """Whether fitting needs the last member's answers too."""
        return self.max_cost_per_1000_usd is not None or self.usd_per_correct is not None


class UncertaintyPolicy(_Thresholded):
    """Escalate where the first member is likely wrong.

    The score is the calibrated chance that its decision at 0.5 is wrong: its log-odds are mapped
    to the share observed by logistic calibration (Platt 1999). See `_Thresholded` for the goals.

    Examples
    --------
    >>> UncertaintyPolicy(max_share=0.3).max_share
    0.3
    """

    kind: Literal["uncertainty"] = "uncertainty"


class DisagreementPolicy(_Thresholded):
    """Escalate where answers differ.

    The score is the largest difference of probabilities, between repeated answers of the first
    member or between the first two members of three; where they agree, their mean answers.

    Attributes
    ----------
    between
        "repeats" of the first member, or "members".
    n_repeats
        How often the first member is asked.

    Examples
    --------
    >>> DisagreementPolicy(between="members", threshold=0.25).n_repeats
    2
    """

    kind: Literal["disagreement"] = "disagreement"
    between: Literal["repeats", "members"] = "repeats"
    n_repeats: int = Field(default=2, ge=2, le=10)

    @property
    def n_members(self) -> int:
        """Members the cascade needs, the last one included."""
        return 3 if self.between == "members" else 2

    @property
    def n_first_answers(self) -> int:
        """How often each member of the first stage is asked about a row."""
        return self.n_repeats if self.between == "repeats" else 1

    @property
    def learns(self) -> bool:
        """Whether fitting needs the first stage's answers to training rows."""
        return self.threshold is None


class GainPolicy(_Thresholded):
    """Escalate where the last member is expected to gain most over the first.

    The last member is asked about the training rows the threshold is fitted on, and a regression
    learns from the table and the first answer what it gains there. Where the first is unsure the
    last need not know better, so this spends calls better than uncertainty does (Jitkrittum et
    al. 2023). With `usd_per_correct` the gain is in right decisions, and a row is escalated
    where expected gain × value > the last member's mean price; else it is in nats of log loss.

    References
    ----------
    Jitkrittum et al. (2023), When does confidence-based cascade deferral suffice?, NeurIPS,
    section 4.

    Examples
    --------
    >>> GainPolicy(max_share=0.2).gain, GainPolicy(usd_per_correct=3).gain
    ('log_loss', 'accuracy')
    """

    kind: Literal["gain"] = "gain"

    @property
    def gain(self) -> Literal["log_loss", "accuracy"]:
        """What is gained: nats of log loss, or right decisions."""
        return "log_loss" if self.usd_per_correct is None else "accuracy"

    @property
    def asks_last_to_fit(self) -> bool:
        """Whether fitting needs the last member's answers too: always."""
        return True


class ConformalPolicy(_Policy):
    """Defer where the first member's prediction set is not the single label it predicts.

    Split conformal prediction: a part of the training data, one row of each group, is held out
    to see which probabilities the truth gets. For examples exchangeable with that part, the set
    holds the truth with probability of at least `confidence_level`, for any finite number of
    rows, so at most 1 − `confidence_level` of all examples are answered by the first member and
    wrong. Training data of the past and examples of the future are not exchangeable; then it
    holds as far as the world stood still.

    Attributes
    ----------
    confidence_level
        Of the prediction sets.
    label_conditional
        Whether it holds within each class, and not only over both: for rare outcomes.
    n_fit
        Rows held out, at most; a quarter of the training part if there are fewer.

    References
    ----------
    Vovk, Gammerman & Shafer (2005), Algorithmic Learning in a Random World; one row of each
    group: Dunn, Wasserman & Ramdas (2022), JASA 118:2491-2502.

    Examples
    --------
    >>> ConformalPolicy(confidence_level=0.9).guarantee("lightgbm")
    'at most 10 % of all examples are answered by lightgbm and wrong'
    """

    kind: Literal["conformal"] = "conformal"
    confidence_level: float = Field(default=0.9, ge=0.5, lt=1)
    label_conditional: bool = False
    n_fit: int = Field(default=1000, ge=20)

    def guarantee(self, first: str) -> str:
        """Say what holds, in words."""
        share = f"{100 * (1 - self.confidence_level):.3g} %"
        within = "the examples of either class" if self.label_conditional else "all examples"
        return f"at most {share} of {within} are answered by {first} and wrong"


CascadePolicy = Annotated[
    UncertaintyPolicy | DisagreementPolicy | ConformalPolicy | GainPolicy,
    Field(discriminator="kind"),
]
"""Any of the policies; `kind` says which."""
