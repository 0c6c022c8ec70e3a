"""Asking from a coroutine, whose event loop stays free."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

from workbench.claude.budget import Progress
from workbench.claude.messages import Answer, ClaudeRequest
from workbench.claude.reply import Partial
from workbench.errors import ClaudeError

__all__ = ["Coroutines"]


class Coroutines:
    """What a client offers to coroutines, given how it asks."""

    on_progress: Callable[[Progress], None] | None
    ask: Any

    async def aask(self, requests: Sequence[ClaudeRequest], **options: Any) -> list[Answer]:
        """Ask from a coroutine, whose event loop stays free; see `ask`.

        Parameters
        ----------
        requests
            What to ask.
        **options
            Those of `ask`, which says what is returned and raised; callbacks are called in
            another thread.
        """
        cancelled = threading.Event()
        tell = options.pop("on_progress", None) or self.on_progress

        def told(progress: Progress) -> None:
            if cancelled.is_set():  # a thread cannot be cancelled, but it listens
                raise ClaudeError("asking was cancelled", fix="ask again: answers are kept")
            if tell is not None:
                tell(progress)

        try:
            answers: list[Answer] = await asyncio.to_thread(
                self.ask, requests, on_progress=told, **options
            )
            return answers
        finally:
            cancelled.set()

    async def astream(
        self, request: ClaudeRequest, *, task: str = "", arm: str = ""
    ) -> AsyncIterator[Partial | Answer]:
        """Answer one request piece by piece.

        Parameters
        ----------
        request
            What to ask.
        task, arm
            For the ledger.

        Yields
        ------
        Partial or Answer
            The pieces as they arrive, then the answer. A stored answer comes without pieces;
            when a stream breaks and is asked again, pieces start anew.

        Raises
        ------
        BudgetExceededError, PriceError, ClaudeError
            As `ask` does.
        """
        loop = asyncio.get_running_loop()
        pieces: asyncio.Queue[Partial | None] = asyncio.Queue()

        def on_partial(piece: Partial) -> None:
            loop.call_soon_threadsafe(pieces.put_nowait, piece)

        asking = asyncio.ensure_future(
            self.aask([request], task=task, arm=arm, on_partial=on_partial)
        )
        asking.add_done_callback(lambda _: pieces.put_nowait(None))
        try:
            while (piece := await pieces.get()) is not None:
                yield piece
            yield (await asking)[0]
        finally:
            asking.cancel()
