"""The provider's prompt cache, as far as its books show it."""

import hashlib
import json
import time
from collections.abc import Iterator
from typing import Any

from workbench.claude.messages import estimate_tokens

__all__ = ["PromptCache"]

MIN_CACHED_TOKENS = 1024
"""A prefix shorter than this is not kept, whatever is marked."""
_TTL_S = {"5m": 300.0, "1h": 3600.0}


class PromptCache:
    """Remembers marked prefixes, and splits a prompt's tokens into written, read and plain.

    Examples
    --------
    >>> mark = {"type": "ephemeral"}
    >>> body = {"system": [{"type": "text", "text": "rule " * 1000, "cache_control": mark}],
    ...         "messages": [{"role": "user", "content": "Hello"}]}
    >>> cache = PromptCache()
    >>> first, second = cache.split(body, 1700), cache.split(body, 1700)
    >>> first["cache_creation_input_tokens"], second["cache_read_input_tokens"]
    (1667, 1667)
    """

    def __init__(self) -> None:
        self._until_s: dict[str, float] = {}

    def split(self, body: dict[str, Any], total: int) -> dict[str, Any]:
        """Account for the input tokens of a request, and keep its marked prefixes.

        Parameters
        ----------
        body
            JSON of a ``POST /v1/messages``.
        total
            Its input tokens.

        Returns
        -------
        dict
            Anthropic's input fields of `usage`; they add up to `total`.
        """
        now = time.monotonic()
        marks = [m for m in _marks(body) if m[1] >= MIN_CACHED_TOKENS]
        read = max((n for digest, n, _ in marks if self._until_s.get(digest, 0) > now), default=0)
        written = max((n for _, n, _ in marks), default=0) - read
        hour = written if marks and marks[-1][2] == "1h" else 0
        for digest, _, ttl in marks:
            self._until_s[digest] = now + _TTL_S[ttl]  # a read keeps it, too
        return {
            "input_tokens": max(0, total - read - written),
            "cache_creation_input_tokens": written,
            "cache_read_input_tokens": read,
            "cache_creation": {
                "ephemeral_5m_input_tokens": written - hour,
                "ephemeral_1h_input_tokens": hour,
            },
        }


def _marks(body: dict[str, Any]) -> Iterator[tuple[str, int, str]]:
    """Digest and tokens of what stands before each mark, that block included, and its lifetime."""
    schema = (body.get("output_config") or {}).get("format")
    sha = hashlib.sha256(json.dumps([body.get("model"), body.get("tools"), schema]).encode())
    tokens = 0
    contents = [body.get("system"), *(m.get("content") for m in body.get("messages", []))]
    for content in contents:
        for block in content if isinstance(content, list) else [{"text": content or ""}]:
            text = str(block.get("text", ""))
            sha.update(b"\x00" + text.encode())
            tokens += estimate_tokens(text)
            mark = block.get("cache_control")
            if isinstance(mark, dict):
                ttl = mark.get("ttl", "5m")
                yield sha.hexdigest(), tokens, ttl if ttl in _TTL_S else "5m"
