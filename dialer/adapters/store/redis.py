"""The store on a Redis or Valkey server: each batch is one script call, atomic and durable before it is answered.

Keys, all of them prefixed `cadencia:`; CAMPAIGN is the campaign's name, which has no colon:

    facts:KEY                   sorted set, score `at`: members `|c=CAMPAIGN|ATTEMPT|PART=ID|..|DISPOSITION`,
                                PENDING until settled, and `|o=ID|PART=ID|..|OUTCOME`; KEY is `person:ID`,
                                `number:+E164`, `debt:ID` or `account:ID`. Shared by all campaigns, so caps hold across
                                them
    stops                       hash KEY: its reasons, one a line, the first first; for ever
    stop_log                    stream {key, reason}, the newest 10,000: how running campaigns hear of a stop
    dnc                         hash REGISTRY: JSON of when the registry was right and imported, how many, from where
    dnc:REGISTRY                set of numbers as integers; none where the registry is empty
    dnc_loading:TOKEN           the same while a file is read; goes by itself where that never ends
    hours                       hash PERSON: JSON of the hours in which the person must not be called
    consents                    hash `SCOPE|person:ID` or `SCOPE|number:+E164`: the newest consent JSON, and the same
                                after `revoked|`: when the newest revocation came, UTC seconds; both for ever
    campaigns                   set of CAMPAIGN
    campaign:CAMPAIGN:run       counter: the fence of the newest writer
    campaign:CAMPAIGN:lease     `RUN|OWNER`, expires by the server's clock unless renewed
    campaign:CAMPAIGN:turn      the number of the writer's newest call; a claim of an older one comes too late
    campaign:CAMPAIGN:leads     hash LEAD: lead JSON
    campaign:CAMPAIGN:order     list of LEAD as they were added
    campaign:CAMPAIGN:progress  hash LEAD: progress JSON; a lead without one is untouched
    campaign:CAMPAIGN:held      hash LEAD: the ATTEMPT that holds it
    campaign:CAMPAIGN:in_flight hash ATTEMPT: claim JSON, without what it had to pass
    campaign:CAMPAIGN:learned   the last snapshot of what was learned and counted, JSON

The log of stops is a stream rather than a channel: a reader that was away goes on where it was and misses none. One
server with any number of replicas; not a Redis Cluster, where one script could not see caps and leads together.

A link that breaks is made anew by the next call. What was sent over the old one may still be carried out, later than
what follows: a settlement bears that, and a claim that a later call overtook is refused by its turn. Leases only keep
a second writer from starting; what keeps an overtaken one from writing is the fence, checked in every script.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
from redis.asyncio import Redis
from redis.exceptions import RedisError

from dialer.adapters.store import keys, refusal
from dialer.adapters.store.claims import batch_of, reservation_of
from dialer.adapters.store.keys import campaign_key, campaign_keys
from dialer.adapters.store.link import translated
from dialer.adapters.store.records import check_reason, reasons_of
from dialer.adapters.store.redis_records import CHUNK, IDLE_S, RedisRecords
from dialer.adapters.store.server import check_server, connect
from dialer.core.actions import Claim, Settlement
from dialer.core.lead import Lead, LeadProgress
from dialer.core.learned import Learned
from dialer.errors import CampaignRunning, StoreError
from dialer.ports import Opening, Reservation

STOP_LOG_LENGTH = 10_000
LEASE_S = 30.0
STOP_WAIT_MS = 5000
PATIENCE_S = 10.0  # for an answer that may come late; longer than the wait for a stop

_claim_decoder = msgspec.json.Decoder(Claim)
_learned_decoder = msgspec.json.Decoder(Learned)
_encode = msgspec.json.Encoder().encode


@dataclass(slots=True)
class Lease:
    """One campaign as this store has it open."""

    run: int  # the fence
    owner: str
    turn: int = 0  # of the newest call
    renewal: asyncio.Task[None] | None = None


class RedisStore(RedisRecords):
    """`RuntimeStore`, `LeadStore` and `ComplianceRecords` on one server.

    `wait_for_disk`: the server does not sync each write by itself.

    Every method raises `StoreError` where the server fails or is silent too long; what was asked may have happened.
    It raises `LeaseLost` where a later run opened the campaign: nothing has happened, and nothing ever will.
    """

    def __init__(self, client: Redis, *, wait_for_disk: bool = False, lease_s: float = LEASE_S) -> None:
        super().__init__(client, wait_for_disk=wait_for_disk)
        self._lease_s = lease_s
        self._leases: dict[str, Lease] = {}  # of the campaigns that this store opened
        self._position: str | None = None  # how far this store read the stop log
        self._stops: deque[tuple[str, str]] = deque()

    # ---- campaigns ------------------------------------------------------------------------------------------
    async def open_campaign(self, campaign: str, *, owner: str, dead_owner: str | None = None) -> Opening:
        answer = await self._run(
            "open",
            [*campaign_keys(campaign, "run", "lease", "turn"), keys.STOP_LOG, keys.CAMPAIGNS],
            [campaign, owner, self._lease_ms, dead_owner or ""],
        )
        if not answer[0]:
            holder = answer[1].decode()
            raise CampaignRunning(
                f"campaign {campaign}: expected no other writer, found {holder}, "
                f"whose lease lapses in {answer[2] / 1000:.0f} s unless it is renewed",
                owner=holder,
            )
        run = int(answer[1])
        self._hold(campaign, Lease(run, owner))
        self._position = self._position or answer[2].decode()
        return await self._load(campaign, run)

    async def _load(self, campaign: str, run: int) -> Opening:
        leads: list[Lead] = []
        progress: list[LeadProgress] = []
        with translated():
            claims = [
                _claim_decoder.decode(raw) for raw in await self._client.hvals(campaign_key(campaign, "in_flight"))
            ]
            learned = await self._client.get(campaign_key(campaign, "learned"))
            async for lead_ids in self._chunks_of_ids(campaign):
                leads += await self._leads_of(campaign, lead_ids)
                progress += await self._progress_of(campaign, lead_ids)
            return Opening(
                run=run,
                leads=tuple(leads),
                progress=tuple(progress),
                in_flight=tuple(sorted(claims, key=lambda claim: claim.attempt_id)),
                learned=None if learned is None else _learned_decoder.decode(learned),
            )

    async def reserve(self, campaign: str, claims: Sequence[Claim]) -> Reservation:
        if not claims:
            return Reservation()
        answer = await self._run(
            "reserve",
            [*self._writing_keys(campaign), keys.REGISTRIES, keys.HOURS, keys.CONSENTS],
            [
                *self._turn(campaign),
                campaign,
                keys.REGISTRY,
                batch_of(campaign, claims),
                *(_encode(refusal.kept(claim)) for claim in claims),
            ],
        )
        with translated():
            return reservation_of(claims, answer)

    async def settle(self, campaign: str, settlements: Sequence[Settlement]) -> None:
        if not settlements:
            return
        records = [
            (str(entry.attempt_id), entry.lead_id, entry.disposition, entry.stop_keys, entry.stop_reason)
            for entry in settlements
        ]
        progress = [_encode(entry.progress) for entry in settlements]
        await self._run(
            "settle",
            [*self._writing_keys(campaign), keys.STOP_LOG],
            [
                *self._turn(campaign),
                campaign,
                keys.FACTS,
                STOP_LOG_LENGTH,
                refusal.KEEP_FACTS_S,
                IDLE_S,
                _encode(records),
                *progress,
            ],
        )

    async def save_learned(self, campaign: str, learned: Learned) -> None:
        fence = self._lease(campaign).run
        await self._run("save_learned", campaign_keys(campaign, "run", "learned"), [fence, _encode(learned)])

    async def next_stop(self) -> tuple[str, str]:
        """Wait for the next stop set by anybody since `open_campaign` (or the first call), errors or not."""
        with translated():
            if self._position is None:
                newest: Any = await self._client.xrevrange(keys.STOP_LOG, count=1)
                self._position = newest[0][0].decode() if newest else "0-0"
        while not self._stops:
            with translated():
                async with asyncio.timeout(PATIENCE_S):
                    answer = await self._patient.xread({keys.STOP_LOG: self._position}, block=STOP_WAIT_MS)
                for position, fields in _stream_entries(answer):
                    self._stops.append((fields[b"key"].decode(), fields[b"reason"].decode()))
                    self._position = position.decode()
        return self._stops.popleft()

    async def close_campaign(self, campaign: str) -> None:
        lease = self._leases.pop(campaign, None)
        if lease is None:
            return
        if lease.renewal is not None:
            lease.renewal.cancel()
            await asyncio.wait([lease.renewal])
        await self._run("close", campaign_keys(campaign, "run", "lease"), [lease.run])

    # ---- leads ----------------------------------------------------------------------------------------------
    async def add_leads(self, campaign: str, leads: Sequence[Lead]) -> list[str]:
        known: list[str] = []
        names = [*campaign_keys(campaign, "leads", "order"), keys.CAMPAIGNS]
        for start in range(0, len(leads), CHUNK):
            chunk = leads[start : start + CHUNK]
            args = [campaign, *(part for lead in chunk for part in (lead.lead_id, _encode(lead)))]
            answer = await self._run("add_leads", names, args)
            known.extend(chunk[position - 1].lead_id for position in answer)
        return known

    async def stop(self, key: str, reason: str) -> None:
        check_reason(reason)
        await self._run("stop", [keys.STOPS, keys.STOP_LOG], [key, reason, STOP_LOG_LENGTH])

    async def stopped(self, key: str) -> tuple[str, ...]:
        with translated():
            reasons: Any = await self._client.hget(keys.STOPS, key)
        return reasons_of(reasons or b"")

    async def lift(self, key: str, reason: str | None = None) -> tuple[str, ...]:
        """Take a stop back, or one reason of it; returns those taken back. Campaigns that run do not hear of it.

        A lead that such a campaign gave up because of the stop is dialled again from its next run on.
        """
        return reasons_of(await self._run("lift", [keys.STOPS], [key, reason or ""]))

    async def progress(self, campaign: str) -> dict[str, LeadProgress]:
        found: dict[str, LeadProgress] = {}
        with translated():
            async for lead_ids in self._chunks_of_ids(campaign):
                found.update((entry.lead_id, entry) for entry in await self._progress_of(campaign, lead_ids))
        return found

    async def close(self) -> None:
        """Give back the leases that are still held, and let go of the server. Never raises if the server is gone."""
        for campaign in list(self._leases):
            with contextlib.suppress(StoreError):
                await self.close_campaign(campaign)
        with contextlib.suppress(RedisError, OSError):
            await self._patient.aclose()
        with contextlib.suppress(RedisError, OSError):
            await self._client.aclose()

    # ---- inside ---------------------------------------------------------------------------------------------
    @property
    def _lease_ms(self) -> int:
        return int(self._lease_s * 1000)

    def _lease(self, campaign: str) -> Lease:
        if campaign not in self._leases:
            raise StoreError(f"campaign {campaign}: expected it to be open, was not")
        return self._leases[campaign]

    def _turn(self, campaign: str) -> list[Any]:
        """Count one more call of the campaign's writer; returns what every writing script is told of the writer."""
        lease = self._lease(campaign)
        lease.turn += 1
        return [lease.run, lease.owner, self._lease_ms, lease.turn]

    def _writing_keys(self, campaign: str) -> list[str]:
        return [
            *campaign_keys(campaign, "run", "lease", "turn"),
            keys.STOPS,
            *campaign_keys(campaign, "progress", "held", "in_flight"),
        ]

    def _hold(self, campaign: str, lease: Lease) -> None:
        earlier = self._leases.get(campaign)
        if earlier is not None and earlier.renewal is not None:
            earlier.renewal.cancel()
        self._leases[campaign] = lease
        lease.renewal = asyncio.create_task(self._renew(campaign, lease), name=f"lease of {campaign}")

    async def _renew(self, campaign: str, lease: Lease) -> None:
        """Renew the lease while this store is the newest writer. Failing is not fatal: the scripts check the fence."""
        script = self._scripts["renew"]
        while self._leases.get(campaign) is lease:
            await asyncio.sleep(self._lease_s / 6)
            args: list[str | int] = [lease.run, lease.owner, self._lease_ms]
            with contextlib.suppress(RedisError, OSError):
                async with asyncio.timeout(PATIENCE_S):
                    newest = await script(keys=campaign_keys(campaign, "run", "lease"), args=args, client=self._patient)
                if not newest:
                    return


def _stream_entries(answer: Any) -> list[tuple[bytes, dict[bytes, bytes]]]:
    """Return the entries of the one stream that was read; none where the wait was in vain."""
    streams = answer.items() if isinstance(answer, dict) else answer
    return [entry for _, entries in streams or () for entry in entries]


@contextlib.asynccontextmanager
async def open_store(redis_url: str | None, data_dir: Path) -> AsyncIterator[RedisStore]:
    """Open the store at `redis_url`, or else the embedded one in `data_dir`, which ends with who answers for it.

    A server that dies meanwhile is started again; until it answers, every call raises `StoreError`.
    Raises `ConfigError` for a server that cannot keep the store's promises, `StoreError` for one that does not answer.
    """
    if redis_url is not None:
        client = connect(redis_url)
        try:
            store = RedisStore(client, wait_for_disk=await check_server(client, redis_url))
        except BaseException:
            await client.aclose()
            raise
        try:
            yield store
        finally:
            await store.close()
        return
    # Imported here, for it needs a POSIX system.
    from dialer.adapters.store.embedded import EmbeddedValkey

    server = EmbeddedValkey(data_dir)
    await server.start()
    server.watch()
    try:
        store = RedisStore(connect(server.socket_path))
        try:
            yield store
        finally:
            await store.close()
    finally:
        await server.stop()
