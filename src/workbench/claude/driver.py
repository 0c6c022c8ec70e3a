"""Drive a run from a thread of the caller's: progress, interruption, notebooks."""

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from types import TracebackType
from typing import Any, Protocol, Self

from workbench.claude.budget import Progress
from workbench.claude.exchange import Asked
from workbench.claude.messages import Answer
from workbench.claude.transport import Run

__all__ = ["RunThread", "Watch", "run_in_thread"]

_PROGRESS_S = 0.5
_INTERRUPT_GRACE_S = 5.0


class Tally(Protocol):
    """What a run has to show so far."""

    answered: int
    errors: int
    attempts: int
    cost_usd: float


class Watch:
    """Tells the caller how far a run is, in the caller's own thread.

    Parameters
    ----------
    on_progress
        The caller's function, `None` for nobody to tell.
    total
        Requests in all; `None` where that is not known beforehand.
    """

    def __init__(
        self, on_progress: Callable[[Progress], None] | None, total: int | None = None
    ) -> None:
        self._on_progress = on_progress
        self._began_s = time.perf_counter()
        self._told_s = self._began_s
        self.total = total
        self.cached = 0
        self.seen = 0

    def tell(self, run: Tally | None, *, now: bool = True) -> None:
        """Tell how far a run is; unless it is `now`, about twice a second."""
        clock_s = time.perf_counter()
        if self._on_progress is None or not (now or clock_s - self._told_s >= _PROGRESS_S):
            return
        self._told_s = clock_s
        asked = run.answered + run.errors if run is not None else 0
        done = self.cached + asked
        elapsed = clock_s - self._began_s
        total = self.total if self.total is not None else self.seen
        left = max(0, total - done)
        self._on_progress(
            Progress(
                done=done,
                total=total,
                cached=self.cached,
                errors=run.errors if run is not None else 0,
                retries=max(0, run.attempts - asked) if run is not None else 0,
                cost_usd=run.cost_usd if run is not None else 0.0,
                elapsed_s=elapsed,
                eta_s=elapsed / asked * left if asked else (0.0 if left == 0 else None),
            )
        )


def run_in_thread(go: Callable[[], Coroutine[Any, Any, None]], tick: Callable[[], None]) -> None:
    """Run a coroutine in a thread of its own, and wait for it.

    Parameters
    ----------
    go
        The coroutine function.
    tick
        Called in this thread about twice a second.

    Raises
    ------
    BaseException
        Whatever the coroutine raised. Interrupted, it is cancelled first.
    """
    loops: list[asyncio.AbstractEventLoop] = []
    failures: list[BaseException] = []

    async def work() -> None:
        loops.append(asyncio.get_running_loop())
        await go()

    def main() -> None:
        try:
            asyncio.run(work())
        except BaseException as err:  # noqa: BLE001 -- raised again in the caller's thread
            failures.append(err)

    thread = threading.Thread(target=main, name="workbench-claude", daemon=True)
    thread.start()
    try:
        while thread.is_alive():
            thread.join(_PROGRESS_S)
            tick()
    except BaseException:
        for loop in loops:
            with suppress(RuntimeError):  # the loop ended meanwhile
                loop.call_soon_threadsafe(_cancel_all, loop)
        thread.join()
        raise
    if failures:
        raise failures[0]


def _cancel_all(loop: asyncio.AbstractEventLoop) -> None:
    for task in asyncio.all_tasks(loop):
        task.cancel()


class RunThread:
    """A run in a thread of its own, where no event loop of a notebook's is in the way.

    Used as a context: leaving it waits for what is in flight, which is paid for; leaving it
    with an error, or interrupted, begins nothing more and gives that a moment to land.

    Parameters
    ----------
    run
        What to ask, and how; its `deliver` is taken.
    eager
        Wake the caller for each answer, as who feeds the run must be; otherwise about twice a
        second, which leaves the run more of the processor.
    """

    def __init__(self, run: Run, *, eager: bool) -> None:
        self._run = run
        self._landed: deque[tuple[str, Answer]] = deque()
        self._woken = threading.Event()
        self._over = threading.Event()
        self._failures: list[BaseException] = []
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ready = threading.Event()
        run.deliver = self._deliver_eagerly if eager else self._deliver
        self._thread = threading.Thread(target=self._work, name="workbench-claude", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self._ready.wait()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if error is None:
            self._thread.join()
            # Every answer may have landed, and the run have failed at the last.
            if self._failures:
                raise self._failures[0]
            return
        try:
            self._call(self._run.stop)
            self._thread.join(_INTERRUPT_GRACE_S)
        except KeyboardInterrupt:  # a second one cuts the moment short
            pass
        finally:
            if self._thread.is_alive():
                self._call(self._cancel)
            self._thread.join()

    def add(self, asked: Sequence[Asked], *, last: bool) -> None:
        """Give the run more to ask."""
        self._call(lambda: self._run.add(asked, last=last))

    def next(self) -> tuple[str, Answer] | None:
        """Wait for the next answer.

        Returns
        -------
        tuple or None
            An answer and the key it was asked under; `None` when the run is over, or after
            half a second without any.

        Raises
        ------
        ClaudeError
            What the run failed with, once everything that landed has been handed out.
        """
        if not self._landed:
            self._woken.wait(_PROGRESS_S)
            self._woken.clear()
        if self._landed:
            return self._landed.popleft()
        # Over is over only once nothing is left that landed before.
        if self._over.is_set() and not self._landed and self._failures:
            raise self._failures[0]
        return None

    def _deliver(self, key: str, answer: Answer) -> None:
        self._landed.append((key, answer))

    def _deliver_eagerly(self, key: str, answer: Answer) -> None:
        self._landed.append((key, answer))
        self._woken.set()

    def _work(self) -> None:
        try:
            asyncio.run(self._go())
        except BaseException as err:  # noqa: BLE001 -- raised again in the caller's thread
            self._failures.append(err)
        finally:
            self._ready.set()
            self._over.set()
            self._woken.set()

    async def _go(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._ready.set()
        await self._run.go()

    def _call(self, what: Callable[[], None]) -> None:
        if self._loop is not None:
            with suppress(RuntimeError):  # the loop ended meanwhile
                self._loop.call_soon_threadsafe(what)

    def _cancel(self) -> None:
        if self._loop is not None:
            _cancel_all(self._loop)
