"""Made-up leads to ask about, all different."""

from workbench.claude import ClaudeRequest

__all__ = ["questions"]

_SCHEMA = {
    "type": "object",
    "properties": {
        "probability": {"type": "number"},
        "evidence": {"type": "array", "items": {"type": "string"}},
        "abstain": {"type": "boolean"},
    },
}


def questions(count: int) -> list[ClaudeRequest]:
    """Make `count` questions about leads that differ in their message."""
    return [
        ClaudeRequest(
            "claude-haiku-5-5",
            f"<lead>\n- web visits: {i % 17}\n- source: referral\n</lead>\n"
            f"<message>We may buy house {i}, perhaps this week.</message>",
            system="Strategy: zero_shot",
            schema=_SCHEMA,
        )
        for i in range(count)
    ]
