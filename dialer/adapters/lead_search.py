"""Leads in the store of all campaigns, found by who they are about. No lease, no write.

Every list is read once from end to end, whatever is looked for: thousands of keys cost no more than one.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
from redis.asyncio import Redis
from redis.exceptions import RedisError

from dialer.adapters.store.keys import CAMPAIGNS, campaign_key
from dialer.adapters.store.server import connect
from dialer.core.lead import Lead
from dialer.errors import StoreError

CHUNK = 500

_lead_decoder = msgspec.json.Decoder(Lead)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sought:
    """What a lead must have one of. Numbers are in E.164."""

    leads: Collection[str] = ()
    persons: Collection[str] = ()
    debts: Collection[str] = ()
    accounts: Collection[str] = ()
    numbers: Collection[str] = ()

    def fits(self, lead: Lead) -> bool:
        """Whether the lead has one."""
        return (
            lead.lead_id in self.leads
            or lead.person in self.persons
            or lead.debt in self.debts
            or lead.account in self.accounts
            or any(number.e164 in self.numbers for number in lead.numbers)
        )


async def find_leads(where: str | Path, sought: Sought) -> list[tuple[str, Lead]]:
    """Return (campaign, lead) of all that fit. `where` is a URL or a unix socket. Raises `StoreError`."""
    client = connect(where)
    try:
        async with client:
            return await _find(client, sought)
    except (RedisError, OSError, TimeoutError) as error:
        raise StoreError(f"expected an answer of the store, was {type(error).__name__}: {error}") from error
    except msgspec.MsgspecError as error:
        raise StoreError(f"expected records of this version in the store, was: {error}") from error


async def _find(client: Redis, sought: Sought) -> list[tuple[str, Lead]]:
    found: list[tuple[str, Lead]] = []
    campaigns: Any = await client.smembers(CAMPAIGNS)
    for campaign in sorted(name.decode() for name in campaigns):
        async for _, raw in client.hscan_iter(campaign_key(campaign, "leads"), count=CHUNK):
            lead = _lead_decoder.decode(raw)
            if sought.fits(lead):
                found.append((campaign, lead))
    return found
