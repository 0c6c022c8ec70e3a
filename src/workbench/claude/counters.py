"""Three caches, three counters: what each of them saved, never added together."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from workbench.claude.messages import Answer, Usage

if TYPE_CHECKING:
    import pandas as pd

    from workbench.claude.semantic import SemanticStats

__all__ = ["CacheReport", "Counters"]


@dataclass(frozen=True, slots=True)
class CacheReport:
    """What the three caches did for one client since it was made.

    Parameters
    ----------
    exact_lookups, exact_hits
        Requests looked up in the store of answers, and found: the very same question again.
    asked
        Requests that were asked.
    prompt_tokens, prompt_tokens_read, prompt_tokens_written
        Input tokens of those: all, read from the provider's prompt cache, and written to it.
    unlearnt
        Answers the semantic cache could not take in.
    semantic
        Counters of the semantic cache; `None` where there is none.
    """

    exact_lookups: int
    exact_hits: int
    asked: int
    prompt_tokens: int
    prompt_tokens_read: int
    prompt_tokens_written: int
    unlearnt: int = 0
    semantic: "SemanticStats | None" = None

    def to_frame(self) -> "pd.DataFrame":
        """One row a cache: what was looked up, what was hit, in which unit.

        Returns
        -------
        pandas.DataFrame
            Columns `cache`, `unit`, `looked_up`, `hits`, `hit_rate`.
        """
        import pandas as pd

        rows = [
            ("exact", "requests", self.exact_lookups, self.exact_hits),
            ("provider prompt", "input tokens", self.prompt_tokens, self.prompt_tokens_read),
        ]
        if self.semantic is not None:
            rows.append(("semantic", "requests", self.semantic.lookups, self.semantic.hits))
        frame = pd.DataFrame(rows, columns=["cache", "unit", "looked_up", "hits"])
        frame["hit_rate"] = frame["hits"] / frame["looked_up"].where(frame["looked_up"] > 0)
        return frame


@dataclass(slots=True)
class Counters:
    """Counts as answers are found and land."""

    lookups: int = 0
    hits: int = 0
    asked: int = 0
    unlearnt: int = 0
    usage: Usage = field(default_factory=Usage)

    def found(self, looked_up: int, hits: int) -> None:
        """Count requests looked up in the store."""
        self.lookups += looked_up
        self.hits += hits

    def landed(self, answer: Answer) -> None:
        """Count an answer that was asked for."""
        self.asked += 1
        self.usage = self.usage + answer.usage

    def report(self, semantic: "SemanticStats | None") -> CacheReport:
        """Say what was counted."""
        used = self.usage
        return CacheReport(
            exact_lookups=self.lookups,
            exact_hits=self.hits,
            asked=self.asked,
            prompt_tokens=used.total_input_tokens,
            prompt_tokens_read=used.cache_read_input_tokens,
            prompt_tokens_written=used.cache_creation_input_tokens,
            unlearnt=self.unlearnt,
            semantic=semantic,
        )
