"""What requests share at their start: the part a provider's prompt cache can keep."""

from collections.abc import Sequence
from typing import Any

from workbench.claude.messages import ClaudeRequest

__all__ = ["prefix_group", "shared_prefixes"]


def prefix_group(request: ClaudeRequest) -> tuple[Any, ...]:
    """What two requests must share before a prefix of their prompts can be cached."""
    return (request.model, request.system, request.schema, request.effort, request.thinking)


def shared_prefixes(requests: Sequence[ClaudeRequest]) -> dict[tuple[Any, ...], int]:
    r"""Measure what prompts share at their start, to the end of a line.

    Parameters
    ----------
    requests
        Requests of one run.

    Returns
    -------
    dict
        Characters by `prefix_group`, for the groups that have more than one request.

    Examples
    --------
    >>> asked = [ClaudeRequest("m", f"Examples:\n- one\nWhat of {lead}?") for lead in "AB"]
    >>> list(shared_prefixes(asked).values())
    [16]
    """
    extremes: dict[tuple[Any, ...], tuple[str, str]] = {}
    counts: dict[tuple[Any, ...], int] = {}
    for request in requests:
        group = prefix_group(request)
        low, high = extremes.get(group, (request.prompt, request.prompt))
        extremes[group] = (min(low, request.prompt), max(high, request.prompt))
        counts[group] = counts.get(group, 0) + 1
    shared = {}
    for group, (low, high) in extremes.items():
        if counts[group] > 1:
            # What the first and the last in order share, all between them share.
            pairs = enumerate(zip(low, high, strict=False))
            same = next((i for i, (a, b) in pairs if a != b), 0)
            shared[group] = low.rfind("\n", 0, same) + 1
    return shared
