"""What only a store on a server can get wrong: leases in time, links that break, servers that are not fit."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import msgspec
import pytest
import redis
from specimens import NOW, claim, lead, learned, opened, refused, settlement, weekly

from compliance.clearance import ConsentCheck, ListCheck
from dialer.adapters.store.embedded import EmbeddedValkey
from dialer.adapters.store.inspection import inspect, read_facts
from dialer.adapters.store.memory import MemoryStore
from dialer.adapters.store.redis import RedisStore, open_store
from dialer.adapters.store.server import check_server, connect, without_password
from dialer.errors import CampaignRunning, ConfigError, LeaseLost, StoreError
from dialer.ports import Consent, OutsideFact

# The keys of a campaign.
WHATS = ("run", "lease", "turn", "leads", "order", "progress", "held", "in_flight", "learned")


@pytest.fixture
def admin(valkey_socket: Path) -> redis.Redis:
    return redis.Redis(unix_socket_path=str(valkey_socket))


@pytest.fixture
async def store(valkey_socket: Path) -> AsyncIterator[RedisStore]:
    made = RedisStore(connect(valkey_socket))
    yield made
    await made.close()


@pytest.fixture
async def other(valkey_socket: Path) -> AsyncIterator[RedisStore]:
    made = RedisStore(connect(valkey_socket))
    yield made
    await made.close()


async def until(condition: object, *, within_s: float = 5.0) -> None:
    assert callable(condition)
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        await asyncio.sleep(0.01)


def renewal_of(store: RedisStore) -> asyncio.Task[None]:
    renewal = store._leases["mora"].renewal
    assert renewal is not None
    return renewal


# ---- leases -------------------------------------------------------------------------------------------------
async def test_a_lease_is_renewed_while_its_store_lives(valkey_socket: Path, admin: redis.Redis) -> None:
    short = RedisStore(connect(valkey_socket), lease_s=0.3)
    await short.open_campaign("mora", owner="one:1")
    key = "cadencia:campaign:mora:lease"
    admin.delete(key)
    await until(lambda: admin.get(key) == b"1|one:1")  # renewed, and taken again though it had lapsed
    admin.pexpire(key, 60_000)
    await until(lambda: admin.pttl(key) <= 300)
    await short.close()
    assert admin.get(key) is None


async def test_a_dead_writer_s_lease_lapses(valkey_socket: Path, other: RedisStore) -> None:
    short = RedisStore(connect(valkey_socket), lease_s=0.2)
    await short.open_campaign("mora", owner="dead:1")
    renewal_of(short).cancel()  # as if its process were gone
    with pytest.raises(CampaignRunning, match="dead:1"):
        await other.open_campaign("mora", owner="standby:2")
    await asyncio.sleep(0.25)
    assert (await other.open_campaign("mora", owner="standby:2")).run == 2
    with pytest.raises(LeaseLost, match="FENCED"):
        await short.reserve("mora", [claim(1, "L1")])
    await short.close()


async def test_an_overtaken_store_stops_renewing(valkey_socket: Path, admin: redis.Redis) -> None:
    short = RedisStore(connect(valkey_socket), lease_s=0.2)
    await short.open_campaign("mora", owner="one:1")
    task = renewal_of(short)
    admin.incr("cadencia:campaign:mora:run")
    await until(task.done)
    await short.close()


@pytest.mark.parametrize("write", ["reserve", "settle"])
async def test_nothing_is_written_without_a_lease(store: RedisStore, admin: redis.Redis, write: str) -> None:
    """One that lapsed is taken again with the write, by the same script, unless somebody else has the campaign now."""
    await store.open_campaign("mora", owner="one:1")
    held = claim(1, "L1")
    await store.reserve("mora", [held])
    key = "cadencia:campaign:mora:lease"
    admin.delete(key)
    if write == "reserve":
        assert (await store.reserve("mora", [claim(2, "L2")])).refusals == []
    else:
        await store.settle("mora", [settlement(held)])
    assert admin.get(key) == b"1|one:1"
    assert 29_000 < admin.pttl(key) <= 30_000


async def test_a_claim_that_a_later_call_overtook_is_refused(store: RedisStore, admin: redis.Redis) -> None:
    """What stands in the buffer of a link that was given up reaches the server in its own time."""
    await store.open_campaign("mora", owner="here:1")
    sent: list[tuple[object, ...]] = []
    send = store._client.execute_command

    async def lose(*parts: object) -> object:
        sent.append(parts)
        raise TimeoutError("no answer")

    store._client.execute_command = lose  # type: ignore[method-assign]
    late = claim(1, "L1")
    with pytest.raises(StoreError, match="no answer"):
        await store.reserve("mora", [late])
    store._client.execute_command = send  # type: ignore[method-assign]
    await store.settle("mora", [settlement(late, "UNKNOWN")])
    with pytest.raises(redis.ResponseError, match="LATE"):
        admin.execute_command(*sent[0])
    assert not admin.exists("cadencia:campaign:mora:in_flight", "cadencia:facts:person:L1")
    assert (await store.reserve("mora", [claim(2, "L1")])).refusals == []
    await store.open_campaign("mora", owner="here:1")  # a new run counts from one again
    assert refused(await store.reserve("mora", [claim(3, "L1")])) == {3: "lead.claimed"}


# ---- what the server keeps ----------------------------------------------------------------------------------
async def test_keys_are_the_documented_ones(store: RedisStore, admin: redis.Redis) -> None:
    await store.add_leads("mora", [lead("L1"), lead("L2")])
    await store.open_campaign("mora", owner="here:1")
    one, two = claim(2**60 + 1, "L1", weekly("person:P")), claim(2, "L2")
    await store.reserve("mora", [one, two])
    await store.settle("mora", [settlement(two, "RPC", stops=("person:L2",), reason="paid")])
    await store.save_learned("mora", learned(NOW))
    await store.replace_registry("pe", ["+5117000001"], as_of=NOW, source="a.csv")
    await store.set_hours("P", ((0, 0, 60),))
    await store.give_consent("t|person:P", Consent(source="web", at=NOW))
    await store.record_facts([OutsideFact(keys=("person:Q",), at=NOW, outcome="letter", id="7")])
    names = {key.decode().removeprefix("cadencia:") for key in admin.scan_iter()}
    campaign = {f"campaign:mora:{what}" for what in WHATS}
    shared = {"stops", "stop_log", "campaigns", "dnc", "dnc:pe", "hours", "consents"}
    assert names == campaign | shared | {"facts:person:P", "facts:person:L2", "facts:person:Q"}
    assert admin.zrange("cadencia:facts:person:P", 0, -1, withscores=True) == [
        (f"|c=mora|{2**60 + 1}|PENDING".encode(), NOW)
    ]
    assert admin.zrange("cadencia:facts:person:L2", 0, -1) == [b"|c=mora|2|RPC"]
    assert admin.ttl("cadencia:facts:person:P") == -1  # its attempt is not settled
    for key in ("person:L2", "person:Q"):
        assert 399 * 86400 < admin.ttl(f"cadencia:facts:{key}") <= 400 * 86400
    assert admin.zrange("cadencia:facts:person:Q", 0, -1) == [b"|o=7|letter"]
    assert admin.smembers("cadencia:dnc:pe") == {b"5117000001"}
    kept_claim = msgspec.json.decode(admin.hget("cadencia:campaign:mora:in_flight", str(2**60 + 1)) or b"")
    assert "caps" not in kept_claim and kept_claim["fact_keys"] == ["person:P"]
    assert admin.hgetall("cadencia:campaign:mora:held") == {b"L1": str(2**60 + 1).encode()}


async def test_a_stream_is_trimmed_now_and_then(store: RedisStore, admin: redis.Redis) -> None:
    await store.open_campaign("mora", owner="here:1")
    key, day = "cadencia:facts:person:P", 86400

    async def dial(number: int, at: float) -> None:
        entry = claim(number, f"L{number}", facts=("person:P",), at=at)
        await store.reserve("mora", [entry])
        await store.settle("mora", [settlement(entry, "BUSY")])

    for number, age in enumerate((371, 369, 0)):
        await dial(number, NOW - age * day)
    assert admin.zcard(key) == 3
    admin.expire(key, 371 * day)  # nearly thirty days later
    await dial(3, NOW + 1)
    assert admin.zcard(key) == 4
    assert admin.ttl(key) <= 371 * day
    admin.expire(key, 370 * day - 60)  # more than thirty
    await dial(4, NOW + 2)
    assert admin.zrange(key, 0, -1) == [b"|c=mora|1|BUSY", b"|c=mora|2|BUSY", b"|c=mora|3|BUSY", b"|c=mora|4|BUSY"]
    assert admin.ttl(key) > 399 * day


async def test_a_registry_that_is_never_read_to_its_end_goes_by_itself(store: RedisStore, admin: redis.Redis) -> None:
    def breaking() -> Iterator[str]:
        yield from (f"+51{number:09d}" for number in range(6000))
        [left] = admin.scan_iter("cadencia:dnc_loading:*")
        assert 3000 < admin.ttl(left) <= 3600
        yield "not a number"

    with pytest.raises(ConfigError):
        await store.replace_registry("pe", breaking(), as_of=NOW, source="a.csv")
    assert not admin.exists("cadencia:dnc", "cadencia:dnc:pe")


@pytest.mark.parametrize("numbers", [6000, 5000])
async def test_a_registry_that_went_while_it_was_read_is_not_taken(
    store: RedisStore, admin: redis.Redis, numbers: int
) -> None:
    await store.replace_registry("pe", ["+5117000001"], as_of=NOW, source="a.csv")

    def slow() -> Iterator[str]:
        yield from (f"+51{number:09d}" for number in range(5000))
        admin.delete(*admin.scan_iter("cadencia:dnc_loading:*"))
        yield from (f"+51{number:09d}" for number in range(5000, numbers))

    with pytest.raises(StoreError, match="GONE"):
        await store.replace_registry("pe", slow(), as_of=NOW, source="b.csv")
    assert await store.registries_of("+5117000001") == ["pe"]


async def test_a_registry_does_not_go_by_itself(store: RedisStore, admin: redis.Redis) -> None:
    await store.replace_registry("pe", ["+5117000001"], as_of=NOW, source="a.csv")
    assert admin.ttl("cadencia:dnc:pe") == -1


async def test_a_batch_is_one_command(store: RedisStore, admin: redis.Redis) -> None:
    await store.open_campaign("mora", owner="here:1")
    admin.config_resetstat()
    claims = [claim(number, f"L{number}", weekly(f"person:{number}")) for number in range(100)]
    await store.reserve("mora", claims)
    await store.settle("mora", [settlement(entry) for entry in claims])
    assert admin.info("commandstats")["cmdstat_evalsha"]["calls"] == 2


async def test_scripts_that_the_server_forgot_are_sent_again(store: RedisStore, admin: redis.Redis) -> None:
    await store.open_campaign("mora", owner="here:1")
    admin.script_flush()
    assert (await store.reserve("mora", [claim(1, "L1")])).refusals == []
    waiting = RedisStore(store._client, wait_for_disk=True)
    waiting._leases = store._leases
    admin.script_flush()
    assert (await waiting.reserve("mora", [claim(2, "L2")])).refusals == []
    await waiting._patient.aclose()


# ---- looking without taking part ----------------------------------------------------------------------------
async def test_what_is_inspected_answers_claims_as_the_store_does(store: RedisStore, valkey_socket: Path) -> None:
    """Lists, consents, hours, stops and facts: a copy in memory refuses what the server refuses; nothing changes."""
    listed, free = "+5117000001", "+5117000002"
    leads = [lead("L1"), lead("L2")]
    await store.add_leads("mora", leads)
    await store.replace_registry("pe", [listed, "+5117000009"], as_of=NOW, source="a.csv")
    await store.replace_registry("old", ["+5117000009"], as_of=NOW - 9, source="b.csv")
    await store.set_hours("P", ((0, 0, 60),))
    await store.give_consent("t|person:P", Consent(source="web", at=NOW - 1, expires_at=NOW + 1))
    await store.record_facts([OutsideFact(keys=("person:P",), at=NOW, outcome="letter", id="7")])
    await store.stop("person:Q", "paid")
    pe, old = (
        ListCheck(registry=name, fresh_since=NOW - 5, when_stale="block", rule="PE-DNC") for name in ("pe", "old")
    )
    consent = ConsentCheck(keys=("t|person:P",), since=0.0, rule="US-TCPA")
    batch = [
        claim(1, "A", number=listed, lists=(pe,)),
        claim(2, "B", number=free, lists=(pe, old)),
        claim(3, "C", number=free, lists=(pe,), consent=msgspec.structs.replace(consent, since=NOW)),
        claim(4, "D", person="P", local_times=((0, 59),), consent=consent),
        claim(5, "E", weekly("person:P")),
        claim(6, "F", stops=("person:Q",)),
        claim(7, "G", weekly("person:P", most=2), number=free, lists=(pe,), consent=consent),
    ]
    found = await inspect(valkey_socket, "mora")
    await read_facts(valkey_socket, ["person:P"], found.data)
    copy = MemoryStore(found.data)
    await copy.open_campaign("mora", owner="looking")
    seen_there = await copy.reserve("mora", batch)
    await store.open_campaign("mora", owner="here:1")
    assert await store.reserve("mora", batch) == seen_there
    assert len(seen_there.refusals) == 6
    assert seen_there.seen == {7: (1,)}


# ---- broken links -------------------------------------------------------------------------------------------
async def test_a_link_that_breaks_misses_no_stop(store: RedisStore, other: RedisStore, admin: redis.Redis) -> None:
    await store.open_campaign("mora", owner="here:1")
    waiting = asyncio.create_task(store.next_stop())
    await until(lambda: any(client["cmd"] == "xread" for client in admin.client_list()))
    for client in admin.client_list():
        if client["cmd"] == "xread":
            admin.client_kill_filter(_id=client["id"])
    with pytest.raises(StoreError):
        await waiting
    await other.stop("person:P", "paid")
    await other.stop("person:Q", "paid")
    assert [await store.next_stop(), await store.next_stop()] == [("person:P", "paid"), ("person:Q", "paid")]


async def test_a_silent_server_is_a_store_error_and_nothing_is_sent_twice(tmp_path: Path) -> None:
    server = EmbeddedValkey(tmp_path)
    await server.start()
    try:
        store = RedisStore(connect(server.socket_path))
        await store.open_campaign("mora", owner="here:1")
        await store.reserve("mora", [claim(9, "L9")])
        with redis.Redis(unix_socket_path=str(server.socket_path)) as admin:
            admin.config_resetstat()
            pid = int(admin.info("server")["process_id"])
            os.kill(pid, signal.SIGSTOP)
            began = time.monotonic()
            with pytest.raises(StoreError, match="Timeout"):
                await store.reserve("mora", [claim(1, "L1", weekly("person:P"))])
            assert time.monotonic() - began < 3.5
            os.kill(pid, signal.SIGCONT)
            await until(lambda: admin.hlen("cadencia:campaign:mora:in_flight") == 2)  # it had happened after all
            assert admin.info("commandstats")["cmdstat_evalsha"]["calls"] == 1
        assert refused(await store.reserve("mora", [claim(2, "L2", weekly("person:P"))])) == {2: "weekly"}
        await store.close()
    finally:
        await server.stop()


async def test_a_server_that_is_gone_is_a_store_error(tmp_path: Path) -> None:
    server = EmbeddedValkey(tmp_path)
    await server.start()
    store = await opened(lambda: RedisStore(connect(server.socket_path)))
    with redis.Redis(unix_socket_path=str(server.socket_path)) as admin:
        os.kill(int(admin.info("server")["process_id"]), signal.SIGKILL)
    for call in (
        store.reserve("mora", [claim(1, "L1")]),
        store.settle("mora", [settlement(claim(1, "L1"))]),
        store.save_learned("mora", learned(NOW)),
        store.progress("mora"),
        store.add_leads("mora", [lead("L1")]),
        store.stop("lead:L1", "paid"),
        store.lift("lead:L1"),
        store.replace_registry("pe", ["+5117000001"], as_of=NOW, source="a.csv"),
        store.registries_of("+5117000001"),
        store.drop_registry("pe"),
        store.set_hours("P", ()),
        store.give_consent("t|person:P", Consent(source="web", at=NOW)),
        store.consents_of(["t|person:P"]),
        store.record_facts([OutsideFact(keys=("person:Q",), at=NOW, outcome="letter", id="7")]),
        store.facts_of(["person:Q"]),
        store.all_stops(),
        store.find_number("+5117000001"),
        store.next_stop(),
    ):
        with pytest.raises(StoreError) as caught:
            await call
        assert not isinstance(caught.value, LeaseLost)  # it may pass
    await store.close()
    await server.stop()


async def test_a_store_goes_on_after_its_server_was_started_again(tmp_path: Path) -> None:
    """The next call makes the links anew, each of them; the lease is kept, and the scripts are sent again."""
    server = EmbeddedValkey(tmp_path)
    await server.start()
    store = RedisStore(connect(server.socket_path), lease_s=1.2)
    await store.open_campaign("mora", owner="one:1")
    await store.reserve("mora", [claim(1, "L1", weekly("person:P"))])
    with redis.Redis(unix_socket_path=str(server.socket_path)) as admin:
        os.kill(int(admin.info("server")["process_id"]), signal.SIGKILL)
    await server.stop()
    await server.start()
    assert refused(await store.reserve("mora", [claim(2, "L2", weekly("person:P"))])) == {2: "weekly"}
    await store.stop("person:Q", "paid")
    assert await store.next_stop() == ("person:Q", "paid")
    with redis.Redis(unix_socket_path=str(server.socket_path)) as admin:
        admin.pexpire("cadencia:campaign:mora:lease", 600)
        await until(lambda: admin.pttl("cadencia:campaign:mora:lease") > 600)  # the renewal goes on, too
    renewal = renewal_of(store)
    assert not renewal.done()
    await store.close()
    await server.stop()


async def test_a_foreign_record_is_a_store_error(store: RedisStore, admin: redis.Redis) -> None:
    await store.add_leads("mora", [lead("L1")])
    admin.hset("cadencia:campaign:mora:leads", "L1", '{"lead_id": 7}')
    with pytest.raises(StoreError, match="records of this version"):
        await store.open_campaign("mora", owner="here:1")


# A cancelled `connect` leaves its transport to the garbage collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
async def test_a_cancelled_wait_ends_whenever_the_cancellation_comes(valkey_socket: Path) -> None:
    """At each of the loop's turns that a call takes, so also at the one at which the client's own wait would eat it."""
    store = RedisStore(connect(valkey_socket), lease_s=60)
    await store.open_campaign("mora", owner="here:1")

    async def cancelled_after(turns: int, waiting: asyncio.Task[object]) -> None:
        for _ in range(turns):
            await asyncio.sleep(0)
        waiting.cancel()
        done, _ = await asyncio.wait([waiting], timeout=1)
        assert done, f"cancelled after {turns} turns, and it waits on"

    for turns in range(60):
        await cancelled_after(turns, asyncio.create_task(store.next_stop()))

        async def write_for_ever() -> None:
            while True:
                await store.stop("lead:L1", "paid")

        await cancelled_after(turns, asyncio.create_task(write_for_ever()))
    await store.close()
    await asyncio.sleep(0)
    gc.collect()


# ---- servers that operators name ----------------------------------------------------------------------------
async def test_a_server_must_keep_what_it_is_told(valkey_socket: Path, admin: redis.Redis) -> None:
    client = connect(valkey_socket)
    url = "redis://ops:secret@db:6379/0"
    try:
        assert await check_server(client, url) is False
        admin.config_set("appendfsync", "everysec")
        assert await check_server(client, url) is True
        admin.config_set("maxmemory-policy", "allkeys-lru")
        admin.config_set("appendonly", "no")
        with pytest.raises(ConfigError) as caught:
            await check_server(client, url)
        assert [fault.split(" (")[0] for fault in caught.value.faults] == [
            "--redis-url redis://db:6379/0: expected maxmemory-policy noeviction",
            "--redis-url redis://db:6379/0: expected appendonly yes",
        ]
    finally:
        for option, value in (("maxmemory-policy", "noeviction"), ("appendonly", "yes"), ("appendfsync", "always")):
            admin.config_set(option, value)
        await client.aclose()


async def test_a_write_that_does_not_reach_the_disk_is_a_store_error(valkey_socket: Path, admin: redis.Redis) -> None:
    store = RedisStore(connect(valkey_socket), wait_for_disk=True)
    admin.config_set("appendonly", "no")
    try:
        with pytest.raises(StoreError, match="appendonly"):
            await store.stop("lead:L1", "paid")
    finally:
        admin.config_set("appendonly", "yes")
        await store.close()


async def test_a_disk_that_is_too_slow_is_a_store_error(
    valkey_socket: Path, admin: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dialer.adapters.store.link.WAIT_FOR_DISK_MS", 50)
    store = RedisStore(connect(valkey_socket), wait_for_disk=True)
    admin.config_set("appendfsync", "no")  # writes, but does not sync
    try:
        with pytest.raises(StoreError, match="on the server's disk within 50 ms"):
            await store.stop("lead:L1", "paid")
        # On another connection the server has nothing to wait for, and says so at once: hence the one pipeline.
        assert admin.waitaof(1, 0, 50) == [1, 0]
    finally:
        admin.config_set("appendfsync", "always")
        await store.close()


async def test_open_store_by_url(valkey_socket: Path, tmp_path: Path) -> None:
    async with open_store(f"unix://{valkey_socket}", tmp_path) as store:
        await store.stop("lead:L1", "paid")
    assert not list(tmp_path.iterdir())
    with pytest.raises(ConfigError, match="--redis-url"):
        async with open_store("localhost:6379", tmp_path):
            pass
    with pytest.raises(StoreError, match=r"redis://127\.0\.0\.1:1/0"):
        async with open_store("redis://u:secret@127.0.0.1:1/0", tmp_path):
            pass


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("redis://u:p@h:1/0", "redis://h:1/0"),
        ("redis://h:1/0", "redis://h:1/0"),
        ("unix:///run/v.sock", "unix:///run/v.sock"),
        ("redis://h:1/0?password=secret", "redis://h:1/0"),
    ],
)
def test_passwords_are_not_shown(url: str, shown: str) -> None:
    assert without_password(url) == shown
