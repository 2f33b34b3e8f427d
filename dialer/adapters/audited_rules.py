"""The campaign of a journal's header and its rules, with our packs as they are today, as the auditor takes them."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from pydantic import ValidationError

from compliance.auditor import Rulebook
from compliance.rule import Profile, Scope
from dialer.adapters.journal import Header
from dialer.config.campaign import Campaign
from dialer.config.rule_pack_file import window_rules
from dialer.config.rule_packs import campaign_cap, country_profiles, known_jurisdictions, own_profiles, policy
from dialer.errors import ConfigError


def campaign_of_header(header: Header, path: Path) -> Campaign:
    """Return the campaign that a journal's header holds. Raises `ConfigError` for one that cannot be read any more."""
    try:
        return Campaign.model_validate(header.campaign)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ConfigError(
            f"{path}:1: campaign.{where}: {first['msg']}: read it with version {header.version}, which wrote it"
        ) from error


def book_of(campaign: Campaign) -> Rulebook:
    """Return the law of a campaign's scope, its own rule packs and what it adds. Raises `ConfigError`."""
    return law_book(
        campaign.scope,
        own=campaign.rule_packs,
        windows=window_rules(campaign.windows),
        caps=tuple(campaign_cap(cap, number) for number, cap in enumerate(campaign.caps, start=1)),
        closed_dates=frozenset(date.fromisoformat(day) for day in campaign.closed_dates),
        ring_guard_s=campaign.ring_guard_s,
    )


def law_book(scope: Scope, *, own: tuple[str, ...] = (), **tightened: object) -> Rulebook:
    """Return every country's rules for a scope, with packs of one's own; `tightened` are a campaign's additions."""
    mine = own_profiles(own, scope)
    put_aside = {name for each in mine for name in each.replaces}
    ours: list[Profile] = [
        profile
        for country in known_jurisdictions()
        for profile in country_profiles(country)
        if scope in profile.scope and profile.id not in put_aside
    ]
    profiles = (*ours, *(each.profile for each in mine))
    return Rulebook(profiles=profiles, policy=policy(), scope=scope, **tightened)  # type: ignore[arg-type]
