"""The client the arms of a spec share."""

import time
from collections.abc import Callable
from typing import Literal, Protocol

from workbench.claude import ClaudeClient, Progress
from workbench.settings import Settings

__all__ = ["spec_client"]


class SpecLike(Protocol):
    """What a spec says about asking."""

    @property
    def concurrency(self) -> int:
        """Calls in flight."""

    @property
    def budget_usd(self) -> float | None:
        """Most that may be spent."""


def spec_client(
    spec: SpecLike,
    settings: Settings,
    on_progress: Callable[[str], None] | None,
    *,
    on_outage: Literal["raise", "errors"] = "raise",
) -> ClaudeClient:
    """Make the client a spec's arms share; progress is told every two seconds.

    Parameters
    ----------
    spec
        The spec.
    settings
        Where things are.
    on_progress
        Told how far the asking is.
    on_outage
        As for `ClaudeClient`.
    """
    told = [0.0]

    def tell(progress: Progress) -> None:
        # A line every two seconds is enough for a log, and nothing for short runs.
        now = time.monotonic()
        due = min(now - told[0], progress.elapsed_s) >= 2
        if on_progress and due and progress.done < progress.total:
            told[0] = now
            eta = "" if progress.eta_s is None else f", {progress.eta_s:.0f} s left"
            on_progress(
                f"  {progress.done:,} of {progress.total:,} answers "
                f"({progress.cached:,} stored before, {progress.errors:,} failed, "
                f"${progress.cost_usd:.4f}{eta})"
            )

    return ClaudeClient.from_settings(
        settings,
        concurrency=spec.concurrency,
        budget_usd=spec.budget_usd,
        on_outage=on_outage,
        on_progress=tell,
    )
