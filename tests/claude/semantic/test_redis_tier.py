import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from redis import Redis
from tests.claude.semantic.conftest import (
    ASKED,
    Clock,
    MakeCache,
    RedisServer,
    answered,
    asked,
    learn,
)

from workbench.claude.semantic import RedisTier, SemanticCache, SqliteTier
from workbench.errors import ClaudeError

QUESTION, NEAR = "is the house still for sale", "is that house still for sale"


def tier(server: RedisServer, path: Path, **options: Any) -> RedisTier:
    return RedisTier(server.url, below=SqliteTier(path), **({"timeout_s": 2.0} | options))


def keep(cache: SemanticCache, text: str = QUESTION, intent: str = "kept", **where: Any) -> None:
    request = asked(text)
    cache.observe(request, answered(request, intent), **(ASKED | where))


def found(cache: SemanticCache, text: str = NEAR, **where: Any) -> str | None:
    (hit,) = cache.lookup([asked(text)], **(ASKED | where))
    return None if hit is None else str(json.loads(hit.answer.text or "")["intent"])


def test_machines_share_answers_and_what_was_learned(
    make: MakeCache, redis_server: RedisServer, tmp_path: Path
) -> None:
    here, there = (make(tier(redis_server, tmp_path / f"{n}.sqlite")) for n in ("a", "b"))
    learn(here)
    keep(here)
    (hit,) = there.lookup([asked(NEAR)], **ASKED)
    assert hit is not None
    assert not hit.explore
    keep(there, "can we see the garden", "there")
    assert found(here, "can we see that garden") == "there"
    assert here.stats.fallbacks == there.stats.fallbacks == 0


def test_keys_have_a_namespace_and_a_life(
    make: MakeCache, redis_server: RedisServer, tmp_path: Path
) -> None:
    mine = make(tier(redis_server, tmp_path / "a.sqlite", namespace="mine"), ttl_s=100.0)
    yours = make(tier(redis_server, tmp_path / "b.sqlite", namespace="yours"))
    keep(mine)
    assert found(yours) is None
    with Redis.from_url(redis_server.url) as client:
        keys = [key.decode() for key in client.scan_iter()]
        assert {key.split(":")[1] for key in keys} == {"entry", "scope", "label"}
        assert all(key.startswith("mine:") for key in keys)
        assert all(0 < client.pttl(key) <= 100_000 for key in keys)
        dump = b"".join(client.dump(key) or b"" for key in keys)
        short = make(tier(redis_server, tmp_path / "a.sqlite", namespace="mine"), ttl_s=1.0)
        keep(short, "can we see the garden")
        # What finds an entry lives as long as the entry.
        lives = [client.pttl(key) for key in keys if ":entry:" not in key]
        assert min(lives) > 50_000
    for word in (b"house", b"agency"):
        assert word not in dump


@pytest.mark.parametrize("how", ["tag", "subject", "tenant"])
def test_a_removal_reaches_the_other_machines_memory_and_file(
    make: MakeCache, redis_server: RedisServer, tmp_path: Path, how: str
) -> None:
    here, there = (make(tier(redis_server, tmp_path / f"{n}.sqlite")) for n in ("a", "b"))
    where = ASKED | {"tags": {"listing:1"}}
    request = asked(QUESTION, subject="lead-1")
    for cache in (here, there):
        cache.observe(request, answered(request, "GoneGoneGone"), **where)
        (hit,) = cache.lookup([request], **where)
        cache.observe(request, answered(request, "GoneGoneGone"), neighbour=hit, **where)
    keep(here, intent="stays")
    removed = {
        "tag": lambda: here.invalidate("listing:1"),
        "subject": lambda: here.erase_subject("agency", "lead-1"),
        "tenant": lambda: here.erase_tenant("agency"),
    }[how]()
    assert removed >= 1
    assert there.lookup([request], **where) == [None]
    assert found(there) == (None if how == "tenant" else "stays")
    files = b"".join(p.read_bytes() for p in tmp_path.glob("*.sqlite*"))
    assert b"GoneGoneGone" not in files
    with Redis.from_url(redis_server.url) as client:
        assert not any(b"GoneGoneGone" in (client.dump(k) or b"") for k in client.scan_iter())
        left = sum(client.xlen(k) for k in client.scan_iter() if b":pool:" in k)
    assert left == 0
    there.observe(request, answered(request, "again"), **where)
    (hit,) = here.lookup([request], **where)
    assert hit is not None


def test_while_redis_is_down_the_file_stands_in_and_it_is_counted(
    make: MakeCache, redis_server: RedisServer, tmp_path: Path
) -> None:
    clock = Clock()
    here = make(tier(redis_server, tmp_path / "a.sqlite", monotonic=clock))
    keep(here)
    assert found(here) == "kept"
    redis_server.stop()
    assert found(here) == "kept"
    keep(here, "can we see the garden", "meanwhile")
    assert found(here, "can we see that garden") == "meanwhile"
    assert here.stats.fallbacks > 0
    with pytest.raises(ClaudeError, match="Redis does not answer"):
        here.invalidate("market:austin")
    redis_server.start()
    before = here.stats.fallbacks
    clock.now += 10
    assert found(here, "can we see that garden") is None  # Redis came back empty
    keep(here)
    assert found(here) == "kept"
    assert here.stats.fallbacks == before


def test_a_machine_that_never_reaches_redis_works_alone(make: MakeCache, tmp_path: Path) -> None:
    unreachable = RedisTier(
        "redis://127.0.0.1:1/0", below=SqliteTier(tmp_path / "a.sqlite"), timeout_s=0.2
    )
    cache = make(unreachable)
    keep(cache)
    assert found(cache) == "kept"
    assert "127.0.0.1" not in repr(cache)


def test_a_malformed_address_is_said_without_showing_it(make: MakeCache, tmp_path: Path) -> None:
    cache = make(RedisTier("nonsense://:secret@x", below=SqliteTier(tmp_path / "a.sqlite")))
    with pytest.raises(ClaudeError, match="malformed") as caught:
        keep(cache)
    assert "secret" not in str(caught.value)


def test_without_the_package_only_a_redis_tier_is_refused() -> None:
    code = """
import sys
sys.modules["redis"] = None
from workbench.claude.semantic import RedisTier, SqliteTier
from workbench.errors import ClaudeError
try:
    RedisTier("redis://127.0.0.1:1/0", below=SqliteTier("unused.sqlite")).generation()
except ClaudeError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "pip install 'workbench[redis]'" in done.stdout
