"""The tier that machines share: a Redis server, with a file beneath it for when it is down."""

import math
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from workbench.claude.semantic.entries import Changes, Entry, Observation
from workbench.claude.semantic.sqlite_tier import SqliteTier
from workbench.errors import ClaudeError

if TYPE_CHECKING:
    from redis import Redis

__all__ = ["RedisTier"]

_Result = TypeVar("_Result")

_OBSERVATIONS_KEPT = 8192
_OBSERVATIONS_LIFE_MS = 90 * 24 * 3600 * 1000
_REMOVALS_KEPT = 10_000


class RedisTier:
    """Entries and observations in Redis, and in a file of this machine as well.

    Everything written goes to both. What is read comes from Redis while it answers, and from
    the file while it does not; each time it does not is counted. After a failure Redis is left
    alone for `retry_after_s`. Removals are kept in a list, by which every machine cleans its
    own file; while Redis is down they fail, and say so, because other machines would go on
    serving. What one machine learns during an outage stays in its own file.

    Parameters
    ----------
    url
        Of the server, such as ``redis://host:6379/0``.
    below
        The file of this machine.
    namespace
        Before every key, so that several caches can share a server.
    max_entries
        About how many entries of one scope Redis keeps.
    timeout_s
        Seconds Redis may take for one answer.
    retry_after_s
        Seconds to leave it alone after a failure.
    monotonic
        A clock for that.

    Raises
    ------
    ClaudeError
        At first use, when the optional package is missing or the URL is malformed.
    """

    def __init__(
        self,
        url: str,
        *,
        below: SqliteTier,
        namespace: str = "workbench:semantic",
        max_entries: int = 100_000,
        timeout_s: float = 0.5,
        retry_after_s: float = 5.0,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.url = url
        self.below = below
        self.namespace = namespace
        self.max_entries = max_entries
        self.timeout_s = timeout_s
        self.retry_after_s = retry_after_s
        self._monotonic = monotonic
        self._fallbacks = 0
        self._down_until = -math.inf
        self._client: Redis | None = None
        self._lock = threading.RLock()

    def __repr__(self) -> str:
        # The URL may hold a password.
        return f"RedisTier(namespace={self.namespace!r}, below={self.below!r})"

    @property
    def fallbacks(self) -> int:
        """How often the file had to stand in for Redis."""
        return self._fallbacks

    def generation(self) -> str:
        """Number of removals, and which tier it is read from."""

        def ask(client: Any) -> str:
            number = int(client.get(self._key("generation")) or 0)
            if str(number) != (self.below.state("redis_generation") or "0"):
                self._catch_up(client)
                self.below.set_state("redis_generation", str(number))
            return f"redis-{number}"

        return self._try(ask, lambda: f"file-{self.below.generation()}")

    def entries_since(self, scope: str, cursor: str) -> Changes:
        """Entries of a scope added after the cursor, oldest first."""

        def ask(client: Any) -> Changes:
            rows = client.xrange(self._key("scope", scope), min=_after(cursor))
            ids = [row[1][b"id"].decode() for row in rows]
            found = client.mget([self._key("entry", one) for one in ids]) if ids else []
            entries = [Entry.from_bytes(data) for data in found if data is not None]
            return Changes(entries, (), rows[-1][0].decode() if rows else cursor)

        return self._try(ask, lambda: self.below.entries_since(scope, _of_file(cursor)))

    def observations_since(self, pool: str, cursor: str) -> Changes:
        """Observations of a pool after the cursor, oldest first."""

        def ask(client: Any) -> Changes:
            rows = client.xrange(self._key("pool", pool), min=_after(cursor))
            found = [Observation.from_json(row[1][b"o"]) for row in rows]
            return Changes((), found, rows[-1][0].decode() if rows else cursor)

        return self._try(ask, lambda: self.below.observations_since(pool, _of_file(cursor)))

    def add(self, entry: Entry) -> None:
        """Keep an entry here and in the file."""
        self.below.add(entry)
        life_ms = math.ceil(1000 * max(0.001, entry.expires_at - entry.created_at))

        def tell(client: Any) -> None:
            key, scope = self._key("entry", entry.id), self._key("scope", entry.scope)
            if not client.set(key, entry.to_bytes(), px=life_ms, nx=True):
                return
            steps = client.pipeline()
            steps.xadd(scope, {"id": entry.id}, maxlen=self.max_entries)
            labels = [self._key("label", label) for label in entry.labels]
            for label in labels:
                steps.sadd(label, f"{entry.id} {entry.scope} {entry.pool}")
            for name in (scope, *labels):
                # As long as the longest-lived entry: what cannot be found cannot be erased.
                steps.pexpire(name, life_ms, nx=True)
                steps.pexpire(name, life_ms, gt=True)
            steps.execute()

        self._try(tell, lambda: None)

    def observe(self, observation: Observation) -> None:
        """Keep an observation here and in the file."""
        self.below.observe(observation)
        fields = {"o": observation.to_json(), "entry": observation.entry}
        pool = self._key("pool", observation.pool)

        def tell(client: Any) -> None:
            client.xadd(pool, fields, maxlen=_OBSERVATIONS_KEPT)
            client.pexpire(pool, _OBSERVATIONS_LIFE_MS)

        self._try(tell, lambda: None)

    def remove(self, label: str) -> int:
        """Remove the entries with a label everywhere, and what was observed of them.

        Raises
        ------
        ClaudeError
            When Redis does not answer: this machine's file is clean then, Redis is not.
        """
        removed = self.below.remove(label)

        def ask(client: Any) -> int:
            # Noted first: a machine that comes back cleans its file whatever happens here.
            client.xadd(self._key("removals"), {"label": label}, maxlen=_REMOVALS_KEPT)
            gone = self._purge(client, label)
            client.incr(self._key("generation"))
            return gone

        def refuse() -> int:
            raise ClaudeError(
                "Redis does not answer, so that what other machines share was not removed",
                where=repr(self),
                expected="a Redis server that answers",
                fix="run the removal again when it does; this machine's file is clean",
            )

        self._down_until = -math.inf
        return max(removed, self._try(ask, refuse))

    def close(self) -> None:
        """Close the connections and the file."""
        with self._lock:
            if self._client is not None:
                self._client.close()
            self._client = None
        self.below.close()

    def _purge(self, client: Any, label: str) -> int:
        gone, pools = set(), set()
        for member in client.smembers(self._key("label", label)):
            one, scope, pool = member.decode().split()
            client.delete(self._key("entry", one))
            self._drop_rows(client, self._key("scope", scope), b"id", {one})
            gone.add(one)
            pools.add(pool)
        client.delete(self._key("label", label))
        for pool in pools:
            self._drop_rows(client, self._key("pool", pool), b"entry", gone)
        return len(gone)

    @staticmethod
    def _drop_rows(client: Any, stream: str, field: bytes, values: set[str]) -> None:
        rows = [row for row, held in client.xrange(stream) if held[field].decode() in values]
        if rows:
            client.xdel(stream, *rows)

    def _catch_up(self, client: Any) -> None:
        """Clean the file of what other machines removed."""
        done = self.below.state("redis_removals") or ""
        nothing = self.below.is_empty()
        for row, held in client.xrange(self._key("removals"), min=_after(done)):
            if not nothing:
                self.below.remove(held[b"label"].decode())
            done = row.decode()
        self.below.set_state("redis_removals", done)

    def _try(self, ask: Callable[[Any], _Result], otherwise: Callable[[], _Result]) -> _Result:
        with self._lock:
            if self._monotonic() < self._down_until:
                self._fallbacks += 1
                return otherwise()
            client = self._connected()
            from redis.exceptions import RedisError

            try:
                return ask(client)
            except (RedisError, OSError):
                self._down_until = self._monotonic() + self.retry_after_s
                self._fallbacks += 1
            return otherwise()

    def _connected(self) -> "Redis":
        if self._client is None:
            try:
                from redis import Redis
                from redis.backoff import NoBackoff
                from redis.retry import Retry
            except ImportError:
                raise ClaudeError(
                    "a Redis tier needs the redis package, which is not installed",
                    expected="the optional package `redis`",
                    fix="run `pip install 'workbench[redis]'`",
                ) from None
            try:
                self._client = Redis.from_url(
                    self.url,
                    socket_timeout=self.timeout_s,
                    socket_connect_timeout=self.timeout_s,
                    # Once more, for a connection that went stale; its own default waits long.
                    retry=Retry(NoBackoff(), 1),
                )
            except ValueError:
                raise ClaudeError(
                    "the address of the Redis server is malformed",
                    expected="a URL such as redis://host:6379/0",
                ) from None
        return self._client

    def _key(self, *parts: str) -> str:
        return ":".join((self.namespace, *parts))


def _after(cursor: str) -> str:
    return f"({cursor}" if cursor else "-"


def _of_file(cursor: str) -> str:
    # A cursor of Redis says nothing of the file: start over, what is known already is skipped.
    return cursor if cursor.isdigit() else ""
