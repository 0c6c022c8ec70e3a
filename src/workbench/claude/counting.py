"""Input tokens as the endpoint counts them, which costs nothing."""

import asyncio
from collections.abc import Mapping

from workbench.claude.limits import Limiter
from workbench.claude.messages import ClaudeRequest, request_body
from workbench.claude.wire import Wire, sdk
from workbench.errors import ClaudeError

__all__ = ["count_all"]


async def count_all(
    wire: Wire, requests: Mapping[str, ClaudeRequest], counted: dict[str, int]
) -> None:
    """Count the input tokens of requests.

    Parameters
    ----------
    wire
        Where.
    requests
        Requests by key.
    counted
        Takes the counts, by key.

    Raises
    ------
    ClaudeError
        When the endpoint does not count.
    """
    import anthropic

    places = asyncio.Semaphore(wire.concurrency)

    async def count(client: anthropic.AsyncAnthropic, key: str, request: ClaudeRequest) -> None:
        body = request_body(request)
        del body["max_tokens"]
        async with places:
            counted[key] = (await client.messages.count_tokens(**body)).input_tokens

    try:
        async with sdk(wire, Limiter(wire.limits)) as client:
            await asyncio.gather(*(count(client, key, r) for key, r in requests.items()))
    except anthropic.APIError as err:
        raise ClaudeError(
            f"tokens were not counted: {type(err).__name__}",
            where=wire.base_url,
            expected="an endpoint that counts tokens, and a valid key",
            fix="check the key, or estimate with estimate_tokens",
        ) from None
