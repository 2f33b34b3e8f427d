"""What the store on a server knows of a campaign, read without taking part: no lease, no claim, no write.

The records come as a `MemoryStore`, which answers claims as the server would: what is asked of it changes nothing on
the server. Other writers go on meanwhile, so the picture is of about one instant.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
from redis.asyncio import Redis
from redis.exceptions import RedisError

from compliance.streams import record_of
from dialer.adapters.store.keys import CONSENTS, FACTS, HOURS, REGISTRIES, REGISTRY, REVOKED, STOPS, campaign_key
from dialer.adapters.store.memory import CampaignRecord, MemoryData
from dialer.adapters.store.records import reasons_of
from dialer.adapters.store.redis_records import CHUNK, SCAN
from dialer.adapters.store.server import connect
from dialer.core.lead import Lead, LeadProgress
from dialer.errors import StoreError
from dialer.ports import Consent, PersonHours, RegistryInfo

_decode_consent = msgspec.json.Decoder(Consent).decode
_decode_hours = msgspec.json.Decoder(PersonHours).decode


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """Who has a campaign's lease, and for how long yet unless it is renewed."""

    owner: str
    lapses_in_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspection:
    """A campaign's records as they are in the store; `holder` is None where nobody runs it."""

    data: MemoryData
    holder: Holder | None


async def inspect(where: str | Path, campaign: str, listed: Sequence[Lead] = ()) -> Inspection:
    """Read a campaign, the stops of all, and what is known of people and of the numbers of the campaign's leads.

    `listed` are leads that the lists have and the store may not know yet: registries are asked of their numbers too.
    `where` is a URL or a unix socket. Raises `StoreError`.
    """
    client = connect(where)
    try:
        async with client:
            return await _inspect(client, campaign, listed)
    except (RedisError, OSError, TimeoutError) as error:
        raise StoreError(f"expected an answer of the store, was {type(error).__name__}: {error}") from error
    except msgspec.MsgspecError as error:
        raise StoreError(f"expected records of this version in the store, was: {error}") from error


async def read_facts(where: str | Path, keys: Iterable[str], data: MemoryData) -> None:
    """Read these streams of facts into `data`. Raises `StoreError`."""
    wanted = list(dict.fromkeys(keys))
    client = connect(where)
    try:
        async with client:
            for start in range(0, len(wanted), CHUNK):
                await _read_facts(client, wanted[start : start + CHUNK], data)
    except (RedisError, OSError, TimeoutError) as error:
        raise StoreError(f"expected an answer of the store, was {type(error).__name__}: {error}") from error


async def _inspect(client: Redis, campaign: str, listed: Sequence[Lead]) -> Inspection:
    def key(what: str) -> str:
        return campaign_key(campaign, what)

    record = CampaignRecord()
    async for ids, (leads, progress) in _chunks(client, key("order"), (key("leads"), key("progress"))):
        for raw_id, lead, entry in zip(ids, leads, progress, strict=True):
            lead_id = raw_id.decode()
            record.leads[lead_id] = msgspec.json.decode(lead, type=Lead)
            if entry is not None:
                record.progress[lead_id] = msgspec.json.decode(entry, type=LeadProgress)
    held: Any = await client.hgetall(key("held"))
    record.held = {lead_id.decode(): int(attempt_id) for lead_id, attempt_id in held.items()}
    stops: Any = await client.hgetall(STOPS)
    agreed = {name: raw async for name, raw in _fields(client, CONSENTS)}
    data = MemoryData(
        campaigns={campaign: record},
        stops={stopped.decode(): reasons_of(reasons) for stopped, reasons in stops.items()},
        registries=await _registries(client, (*record.leads.values(), *listed)),
        hours={person: _decode_hours(raw) async for person, raw in _fields(client, HOURS)},
        consents={name: _decode_consent(raw) for name, raw in agreed.items() if not name.startswith(REVOKED)},
        revocations={
            name.removeprefix(REVOKED): float(raw) for name, raw in agreed.items() if name.startswith(REVOKED)
        },
    )
    return Inspection(data=data, holder=await _holder(client, key("lease")))


async def _chunks(client: Redis, order: str, hashes: Sequence[str]) -> Any:
    start = 0
    while ids := await client.lrange(order, start, start + CHUNK - 1):
        yield ids, [await client.hmget(name, ids) for name in hashes]
        start += CHUNK


async def _fields(client: Redis, key: str) -> AsyncIterator[tuple[str, bytes]]:
    async for name, raw in client.hscan_iter(key, count=SCAN):
        yield name.decode(), raw


async def _registries(client: Redis, leads: Iterable[Lead]) -> dict[str, tuple[RegistryInfo, set[int]]]:
    """All registries, each with those of the leads' numbers that are on it: whole ones have millions."""
    stored: Any = await client.hvals(REGISTRIES)
    infos = [msgspec.json.decode(raw, type=RegistryInfo) for raw in stored]
    if not infos:
        return {}
    every = {number.e164.removeprefix("+") for lead in leads for number in lead.numbers}
    numbers = [int(digits) for digits in every if digits.isdecimal()]
    found: dict[str, tuple[RegistryInfo, set[int]]] = {info.name: (info, set()) for info in infos}
    for info, listed in found.values():
        for start in range(0, len(numbers), CHUNK):
            chunk = numbers[start : start + CHUNK]
            there: Any = await client.smismember(REGISTRY + info.name, [str(number) for number in chunk])
            listed.update(number for number, is_there in zip(chunk, there, strict=True) if is_there)
    return found


async def _holder(client: Redis, lease: str) -> Holder | None:
    value: Any = await client.get(lease)
    if value is None:
        return None
    owner = value.decode().partition("|")[2]
    return Holder(owner=owner, lapses_in_s=max(0.0, await client.pttl(lease) / 1000))


async def _read_facts(client: Redis, keys: Sequence[str], data: MemoryData) -> None:
    async with client.pipeline(transaction=False) as pipe:
        for key in keys:
            pipe.zrange(FACTS + key, 0, -1, withscores=True)
        answers = await pipe.execute()
    facts: dict[str, list[list[Any]]] = defaultdict(list)
    for key, members in zip(keys, answers, strict=True):
        for member, at in members:
            facts[key].append(list(record_of(at, member.decode())))
    data.facts.update(facts)
