"""Made-up leads to ask about, all different."""

from workbench.claude import ClaudeRequest

__all__ = ["question", "questions"]

_SCHEMA = {
    "type": "object",
    "properties": {
        "probability": {"type": "number"},
        "evidence": {"type": "array", "items": {"type": "string"}},
        "abstain": {"type": "boolean"},
    },
}


def question(number: int) -> ClaudeRequest:
    """Make one question; another number makes another lead."""
    return ClaudeRequest(
        "claude-haiku-5-5",
        f"<lead>\n- web visits: {number % 17}\n- source: referral\n</lead>\n"
        f"<message>We may buy house {number}, perhaps this week.</message>",
        system="Strategy: zero_shot",
        schema=_SCHEMA,
    )


def questions(count: int) -> list[ClaudeRequest]:
    """Make `count` questions about leads that differ in their message."""
    return [question(number) for number in range(count)]
