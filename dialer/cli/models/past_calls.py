"""The attempts that a command on models looks at: a campaign's journals, or the logs that it is given."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from dialer.errors import ConfigError

if TYPE_CHECKING:
    from dialer.adapters.attempt_history import PastAttempts
    from dialer.cli.models.campaign_models import CampaignModels
    from dialer.core.lead import Lead


def past_calls(
    named: CampaignModels | None,
    calls: Sequence[Path],
    leads: Path | None,
    *,
    zone: str,
    country: str,
    now: float,
    since: float,
) -> PastAttempts:
    """Read the attempts placed from `since` on: of `calls`, with the people of `leads` or of the campaign's own lists;
    without `calls` of the campaign's journals. Raises `ConfigError` or `JournalError`."""
    from dialer.adapters.attempt_history import read_campaign_history, read_past

    if calls:
        return read_past(calls, _leads(named, leads, country), now=now, since=since, zone=zone, country=country.upper())
    if leads is not None:
        raise ConfigError(f"--leads {leads}: expected --calls beside it: journals hold their leads themselves")
    if named is None:
        raise ConfigError("expected a campaign, or a log of calls with --calls, found neither")
    return read_campaign_history(named.data, named.name, now=now, since=since)


def _leads(named: CampaignModels | None, path: Path | None, country: str) -> list[Lead] | None:
    if path is None:
        return None if named is None else named.listed()
    from compliance.zones import zones_of_countries
    from dialer.adapters.lead_list import read_leads

    known = zones_of_countries()
    jurisdictions: Sequence[str]
    if named is not None and named.settings is not None:
        jurisdictions = named.settings.jurisdictions
    elif country.upper() in known:
        jurisdictions = (country.upper(),)
    else:
        raise ConfigError(
            f"--country {country[:20]!r}: expected the country of the numbers in {path}, as PE, or the campaign's file"
        )
    return read_leads(path, default_country=jurisdictions[0], jurisdictions=jurisdictions).leads
