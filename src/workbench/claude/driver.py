"""Drive a run from a thread of the caller's: progress, interruption, notebooks."""

import asyncio
import threading
import time
from collections.abc import Callable
from contextlib import suppress

from workbench.claude.budget import Progress
from workbench.claude.transport import Run

__all__ = ["Watch", "drive"]

_PROGRESS_S = 0.5
_INTERRUPT_GRACE_S = 5.0


class Watch:
    """Tells the caller how far a run is, in the caller's own thread.

    Parameters
    ----------
    on_progress
        The caller's function, `None` for nobody to tell.
    total, cached
        Distinct requests, and how many of them the store answered.
    """

    def __init__(
        self, on_progress: Callable[[Progress], None] | None, total: int, cached: int
    ) -> None:
        self._on_progress = on_progress
        self._total = total
        self._cached = cached
        self._began_s = time.perf_counter()

    def tell(self, run: Run | None) -> None:
        """Tell how far a run is; `None` where nothing had to be asked."""
        if self._on_progress is None:
            return
        asked = len(run.answers) if run is not None else 0
        done = self._cached + asked
        elapsed = time.perf_counter() - self._began_s
        left = self._total - done
        self._on_progress(
            Progress(
                done=done,
                total=self._total,
                cached=self._cached,
                errors=run.errors if run is not None else 0,
                cost_usd=run.cost_usd if run is not None else 0.0,
                elapsed_s=elapsed,
                eta_s=elapsed / asked * left if asked else (0.0 if left == 0 else None),
            )
        )


def drive(run: Run, watch: Watch) -> None:
    """Run in a thread of its own, where no event loop of a notebook's is in the way.

    Parameters
    ----------
    run
        What to ask.
    watch
        Whom to tell.

    Raises
    ------
    ClaudeError
        What the run failed with.
    KeyboardInterrupt
        When interrupted; what was in flight had a moment to land and be stored. A second
        interrupt cuts that moment short.
    """
    loops: list[asyncio.AbstractEventLoop] = []
    failures: list[BaseException] = []
    over = threading.Event()

    async def go() -> None:
        loops.append(asyncio.get_running_loop())
        await run.go()

    def work() -> None:
        try:
            asyncio.run(go())
        except BaseException as err:  # noqa: BLE001 -- raised again in the caller's thread
            failures.append(err)
        finally:
            over.set()

    thread = threading.Thread(target=work, name="workbench-claude", daemon=True)
    thread.start()
    try:
        while not over.wait(_PROGRESS_S):
            watch.tell(run)
    except BaseException:
        # Interrupted, or the progress callback failed: what is in flight is paid for, so it
        # gets a moment to land; whatever has landed is stored.
        run.stopping = True
        try:
            if not over.wait(_INTERRUPT_GRACE_S):
                _cancel(loops)
        except KeyboardInterrupt:
            _cancel(loops)
        thread.join()
        raise
    thread.join()
    if failures:
        raise failures[0]


def _cancel(loops: list[asyncio.AbstractEventLoop]) -> None:
    for loop in loops:
        with suppress(RuntimeError):  # the loop ended meanwhile
            for task in asyncio.all_tasks(loop):
                loop.call_soon_threadsafe(task.cancel)
