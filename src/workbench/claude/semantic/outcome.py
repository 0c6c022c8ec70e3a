"""What the semantic cache hands out: hits, counters, and what makes two answers the same."""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from workbench.claude.messages import Answer
from workbench.claude.semantic.policy import Neighbourhood
from workbench.stats import Estimate, proportion_interval

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Hit", "SemanticStats", "exact_json", "json_fields"]


@dataclass(frozen=True, slots=True)
class Hit:
    """A stored answer to a question close to the one asked.

    Parameters
    ----------
    answer
        The stored answer, as it was given to the neighbour.
    key
        `ClaudeRequest.key` of the neighbour.
    similarity
        Cosine of the two questions, at most 1.
    error_bound
        Upper confidence limit of the chance that the answer is wrong here; 1 while nothing has
        been learned.
    explore
        True when the question must be asked all the same: the bound is too high, or this is
        one of the few that are checked. Pass the hit to `SemanticCache.observe` then.
    within_bound
        Whether the answer could have been served.
    entry
        The neighbour's id in the cache.
    evidence
        What `error_bound` was computed from.
    """

    answer: Answer
    key: str
    similarity: float
    error_bound: float
    explore: bool
    within_bound: bool
    entry: str
    evidence: Neighbourhood


@dataclass(frozen=True, slots=True)
class SemanticStats:
    """Counters of one `SemanticCache` since it was made.

    Parameters
    ----------
    lookups
        Questions looked up.
    hits
        Answers served.
    explores
        Questions with a neighbour that were to be asked, `audits` among them.
    audits
        Those that were within the bound, and asked to check it.
    wrong_estimates
        Checked answers that turned out wrong; their share estimates that of the hits.
    checked
        Audits whose answer arrived and was compared.
    guard_blocks
        Questions whose nearest neighbour differs in a word that decides the answer.
    too_long
        Questions longer than the encoder reads, which are neither served nor kept.
    expired
        Entries that were too old.
    fallbacks
        Times a lower tier stood in for one that did not answer.
    """

    lookups: int = 0
    hits: int = 0
    explores: int = 0
    audits: int = 0
    wrong_estimates: int = 0
    checked: int = 0
    guard_blocks: int = 0
    too_long: int = 0
    expired: int = 0
    fallbacks: int = 0

    @property
    def hit_rate(self) -> float:
        """Share of the questions looked up that were served."""
        return self.hits / self.lookups if self.lookups else 0.0

    def wrong_hit_rate(self, *, confidence_level: float = 0.95) -> Estimate | None:
        """Estimate the share of wrong answers among those served, from the audits.

        Parameters
        ----------
        confidence_level
            Of the Wilson interval.

        Returns
        -------
        Estimate or None
            `None` before anything was checked.
        """
        if not self.checked:
            return None
        return proportion_interval(
            self.wrong_estimates, self.checked, confidence_level=confidence_level
        )

    def to_frame(self) -> "pd.DataFrame":
        """Counters as a table of one row."""
        import pandas as pd

        return pd.DataFrame([asdict(self) | {"hit_rate": self.hit_rate}])

    def _repr_html_(self) -> str:
        return str(self.to_frame().to_html(index=False, border=0))


def exact_json(answer: Answer) -> str:
    """Say what an answer amounts to: its JSON in canonical form, or its text.

    Parameters
    ----------
    answer
        Any answer that completed.

    Returns
    -------
    str
        Equal for answers that are the same.
    """
    text = answer.text or ""
    try:
        return json.dumps(json.loads(text), sort_keys=True, ensure_ascii=False)
    except ValueError:
        return text.strip()


def json_fields(*names: str) -> Callable[[Answer], str]:
    """Make a comparison that looks at some fields of the JSON only.

    Parameters
    ----------
    names
        The fields that decide, such as an intent; a reason given beside it does not.

    Returns
    -------
    callable
        For `SemanticCache(same_answer=…)`.
    """

    def chosen(answer: Answer) -> str:
        try:
            parsed = json.loads(answer.text or "")
        except ValueError:
            return answer.text or ""
        values = {n: parsed.get(n) for n in names} if isinstance(parsed, dict) else parsed
        return json.dumps(values, sort_keys=True, ensure_ascii=False)

    return chosen
