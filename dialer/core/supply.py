"""The desk of a campaign, as its file has the supply."""

from __future__ import annotations

from typing import Any

from carriers.caller_id import CallerIds
from carriers.caller_id_pool import Pool
from carriers.desk import Desk
from carriers.registry import make_campaign_router
from dialer.config.campaign import Campaign
from dialer.config.supply import supply_of

EXPLORING = ("hoe-lp-v1",)  # the routers that draw a share of the calls


def desk_of(campaign: Campaign) -> Desk:
    """Return a desk that has learned nothing."""
    routing = campaign.routing
    settings: dict[str, Any] = {"exploration": routing.exploration} if routing.router in EXPLORING else {}
    return Desk(
        supply_of(campaign),
        lambda market: make_campaign_router(routing.router, market, **settings),
        caller_ids=CallerIds(
            [Pool(**pool.model_dump()) for pool in campaign.caller_id_pools], owned=campaign.caller_ids
        ),
    )
