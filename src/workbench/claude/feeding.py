"""Feed a run from any number of requests, and hand out its answers as they land."""

import contextlib
import itertools
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from workbench.claude.driver import RunThread, Watch
from workbench.claude.exchange import Asked
from workbench.claude.messages import Answer, ClaudeRequest
from workbench.claude.transport import Run

__all__ = ["Numbered", "Split", "Waiting", "feed", "split_block"]

_BLOCK = 64

Waiting = dict[str, list[int]]
"""Positions of the requests that wait for the answer under a key."""


class Numbered(NamedTuple):
    """An answer, and the position of its request.

    Parameters
    ----------
    position
        From 0, in the order in which requests were given.
    answer
        The answer.
    """

    position: int
    answer: Answer


class Split(NamedTuple):
    """Some requests: those with an answer, and those that have to be asked."""

    stored: list[Numbered]
    missing: dict[str, ClaudeRequest]


def split_block(
    block: Sequence[tuple[int, ClaudeRequest]],
    waiting: Waiting,
    key_of: Callable[[ClaudeRequest], str],
    find: Callable[[Iterable[str]], Mapping[str, Answer]],
) -> Split:
    """Tell stored requests from missing ones, and note who waits for what is missing.

    Parameters
    ----------
    block
        Requests with their positions.
    waiting
        Who waits already; added to.
    key_of
        Key of a request.
    find
        Reads stored answers.

    Returns
    -------
    Split
        A request that is being asked already is in neither part.
    """
    keyed = [(position, key_of(request), request) for position, request in block]
    found = find({key for _, key, _ in keyed if key not in waiting})
    stored: list[Numbered] = []
    missing: dict[str, ClaudeRequest] = {}
    for position, key, request in keyed:
        if key in found:
            stored.append(Numbered(position, found[key]))
            continue
        if key not in waiting:
            missing[key] = request
        waiting.setdefault(key, []).append(position)
    return Split(stored, missing)


def feed(
    requests: Iterable[ClaudeRequest],
    split: Callable[[Sequence[tuple[int, ClaudeRequest]], Waiting], Split],
    start: Callable[[Mapping[str, ClaudeRequest]], Run],
    watch: Watch,
    *,
    window: int | None,
) -> Iterator[Numbered]:
    """Have requests answered, stored ones first.

    Parameters
    ----------
    requests
        What to ask.
    split
        Tells stored from missing.
    start
        Makes the run that will ask what is missing, given the first of it.
    watch
        Whom to tell how far it is.
    window
        Most distinct requests waiting at once, so that memory is bounded; `None` to take all
        at once.

    Yields
    ------
    Numbered
        The answers, as they land.

    Raises
    ------
    ClaudeError
        What the run failed with, after what had landed.
    """
    source = enumerate(requests)
    limit = math.inf if window is None else window
    size = None if window is None else max(1, min(_BLOCK, window // 4))
    waiting: Waiting = {}
    run: Run | None = None
    thread: RunThread | None = None
    more = True
    with contextlib.ExitStack() as stack:
        while True:
            while more and len(waiting) < limit:
                block = list(itertools.islice(source, size))
                more = len(block) == size
                stored, missing = split(block, waiting)
                watch.seen += len(block)
                watch.cached += len(stored)
                yield from stored
                asked = [Asked(key, request) for key, request in missing.items()]
                if thread is not None:
                    thread.add(asked, last=not more)
                elif asked:
                    run = start(missing)
                    run.add(asked, last=not more)
                    thread = stack.enter_context(RunThread(run, eager=window is not None))
            if thread is None or not waiting:
                break
            landed = thread.next()
            watch.tell(run, now=False)
            if landed is not None:
                key, answer = landed
                yield from (Numbered(position, answer) for position in waiting.pop(key))
    watch.tell(run)
