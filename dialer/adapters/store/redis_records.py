"""The records beside the campaigns, on a Redis or Valkey server. The keys are told in `dialer.adapters.store.redis`."""

from __future__ import annotations

import secrets
import time
from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Any

import msgspec

from compliance.streams import Record, record_of
from dialer.adapters.store.keys import (
    CAMPAIGNS,
    CONSENTS,
    FACTS,
    HOURS,
    REGISTRIES,
    REGISTRY,
    REGISTRY_LOADING,
    REVOKED,
    STOPS,
    campaign_key,
)
from dialer.adapters.store.link import ServerLink, translated
from dialer.adapters.store.records import check_facts, check_hours, digits, member_of, pieces, reasons_of
from dialer.adapters.store.refusal import KEEP_FACTS_S, TRIM_EVERY_S
from dialer.core.lead import Lead, LeadProgress
from dialer.ports import Consent, OutsideFact, PersonHours, RegistryInfo

CHUNK = 500  # leads a call: long enough to be quick, short enough not to keep the server from others
PIECE = 5000  # numbers a call
SCAN = 1000
LOADING_S = 3600  # how long a piece of a registry waits for the next one
IDLE_S = KEEP_FACTS_S + TRIM_EVERY_S  # a stream goes so long after its end was last put off

_encode = msgspec.json.Encoder().encode
_consent_decoder = msgspec.json.Decoder(Consent)
_hours_decoder = msgspec.json.Decoder(PersonHours)
_info_decoder = msgspec.json.Decoder(RegistryInfo)
_lead_decoder = msgspec.json.Decoder(Lead)
_progress_decoder = msgspec.json.Decoder(LeadProgress)


class RedisRecords(ServerLink):
    """`ComplianceRecords` on one server."""

    # ---- registries -----------------------------------------------------------------------------------------
    async def replace_registry(self, name: str, numbers: Iterable[str], *, as_of: float, source: str) -> int:
        loading = REGISTRY_LOADING + secrets.token_hex(8)
        count = 0
        for piece in pieces(numbers, PIECE):
            count = await self._run("load_registry", [loading], [int(count > 0), LOADING_S, *piece])
        info = RegistryInfo(name=name, as_of=as_of, imported_at=time.time(), count=count, source=source)
        await self._run(
            "replace_registry", [REGISTRIES, REGISTRY + name, loading], [name, _encode(info), int(count > 0)]
        )
        return count

    async def registries(self) -> list[RegistryInfo]:
        with translated():
            stored: Any = await self._client.hvals(REGISTRIES)
            return sorted((_info_decoder.decode(raw) for raw in stored), key=lambda info: info.name)

    async def registries_of(self, number: str) -> list[str]:
        member = digits(number)
        names = [info.name for info in await self.registries()]
        with translated():
            async with self._client.pipeline(transaction=False) as pipe:
                for name in names:
                    pipe.sismember(REGISTRY + name, str(member))
                found = await pipe.execute()
        return [name for name, there in zip(names, found, strict=True) if there]

    async def drop_registry(self, name: str) -> bool:
        return bool(await self._run("drop_registry", [REGISTRIES, REGISTRY + name], [name]))

    # ---- people ---------------------------------------------------------------------------------------------
    async def set_hours(self, person: str, hours: PersonHours) -> None:
        check_hours(hours)
        await self._run("put", [HOURS], [person, _encode(hours) if hours else ""])

    async def hours_of(self, person: str) -> PersonHours:
        with translated():
            raw: Any = await self._client.hget(HOURS, person)
            return _hours_decoder.decode(raw) if raw else ()

    async def give_consent(self, key: str, consent: Consent) -> bool:
        return bool(await self._run("give_consent", [CONSENTS], [key, _encode(consent)]))

    async def revoke_consent(self, key: str, at: float) -> bool:
        return bool(await self._run("revoke_consent", [CONSENTS], [key, REVOKED + key, f"{at:.17g}"]))

    async def consents_of(self, keys: Sequence[str]) -> dict[str, Consent]:
        if not keys:
            return {}
        with translated():
            stored: Any = await self._client.hmget(CONSENTS, list(keys))
            return {key: _consent_decoder.decode(raw) for key, raw in zip(keys, stored, strict=True) if raw}

    async def revocations_of(self, keys: Sequence[str]) -> dict[str, float]:
        if not keys:
            return {}
        with translated():
            stored: Any = await self._client.hmget(CONSENTS, [REVOKED + key for key in keys])
            return {key: float(raw) for key, raw in zip(keys, stored, strict=True) if raw}

    # ---- facts ----------------------------------------------------------------------------------------------
    async def record_facts(self, facts: Sequence[OutsideFact]) -> None:
        check_facts(facts)
        for start in range(0, len(facts), CHUNK):
            records = [(member_of(fact), f"{fact.at:.17g}", fact.keys) for fact in facts[start : start + CHUNK]]
            await self._run("record_facts", [], [FACTS, IDLE_S, _encode(records)])

    async def facts_of(self, keys: Sequence[str]) -> dict[str, list[Record]]:
        found: dict[str, list[Record]] = {}
        wanted = list(dict.fromkeys(keys))
        with translated():
            for start in range(0, len(wanted), CHUNK):
                chunk = wanted[start : start + CHUNK]
                async with self._client.pipeline(transaction=False) as pipe:
                    for key in chunk:
                        pipe.zrange(FACTS + key, 0, -1, withscores=True)
                    answers = await pipe.execute()
                for key, members in zip(chunk, answers, strict=True):
                    found[key] = sorted(record_of(float(at), member.decode()) for member, at in members)
        return found

    # ---- the whole store ------------------------------------------------------------------------------------
    async def all_stops(self) -> dict[str, tuple[str, ...]]:
        stops: dict[str, tuple[str, ...]] = {}
        with translated():
            async for key, reasons in self._client.hscan_iter(STOPS, count=SCAN):
                stops[key.decode()] = reasons_of(reasons)
        return stops

    async def find_number(self, number: str) -> list[tuple[str, Lead, LeadProgress]]:
        found: list[tuple[str, Lead, LeadProgress]] = []
        wanted = number.encode()
        with translated():
            stored: Any = await self._client.smembers(CAMPAIGNS)
            for campaign in sorted(name.decode() for name in stored):
                async for lead_ids in self._chunks_of_ids(campaign):
                    raws: Any = await self._client.hmget(campaign_key(campaign, "leads"), lead_ids)
                    leads = [_lead_decoder.decode(raw) for raw in raws if wanted in raw]
                    leads = [lead for lead in leads if any(entry.e164 == number for entry in lead.numbers)]
                    if leads:
                        progress = await self._progress_of(campaign, [lead.lead_id.encode() for lead in leads])
                        found += [(campaign, lead, entry) for lead, entry in zip(leads, progress, strict=True)]
        return found

    # ---- inside ---------------------------------------------------------------------------------------------
    async def _chunks_of_ids(self, campaign: str) -> AsyncIterator[list[bytes]]:
        start = 0
        while True:
            lead_ids: Any = await self._client.lrange(campaign_key(campaign, "order"), start, start + CHUNK - 1)
            if not lead_ids:
                return
            yield lead_ids
            start += CHUNK

    async def _leads_of(self, campaign: str, lead_ids: list[bytes]) -> list[Lead]:
        stored: Any = await self._client.hmget(campaign_key(campaign, "leads"), lead_ids)
        return [_lead_decoder.decode(raw) for raw in stored]

    async def _progress_of(self, campaign: str, lead_ids: list[bytes]) -> list[LeadProgress]:
        stored = await self._client.hmget(campaign_key(campaign, "progress"), lead_ids)
        return [
            LeadProgress(lead_id=lead_id.decode()) if raw is None else _progress_decoder.decode(raw)
            for lead_id, raw in zip(lead_ids, stored, strict=True)
        ]
