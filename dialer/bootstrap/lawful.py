"""What must be so before a campaign dials: rules of clocks that are not too old, and a caller ID that may be shown."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from compliance.caller_id import CallerIdFault, caller_id_faults
from compliance.zones import tzdata_age_days, tzdata_version
from dialer.config.campaign import Campaign
from dialer.config.campaign_file import profiles_of_campaign
from dialer.core.duties import duty_date
from dialer.errors import ConfigError

# Countries change their clocks at a few months' notice: two or three releases of tzdata a year carry it.
OLD_ZONES_DAYS = 274  # nine months: it is told
TOO_OLD_ZONES_DAYS = 548  # eighteen: nothing is dialled


def zone_data_age(now: float) -> int:
    """Return how many days old the rules of clocks are at `now` (UTC seconds)."""
    return tzdata_age_days(datetime.fromtimestamp(now, UTC).date())


def caller_id_faults_of(campaign: Campaign, now: float) -> list[CallerIdFault]:
    """Return the duties under which none of the campaign's caller IDs may be shown at `now`."""
    return caller_id_faults(campaign.caller_ids, profiles_of_campaign(campaign), duty_date(now))


def require_lawful(campaign: Campaign, now: float, warn: Callable[[str], None]) -> None:
    """Raise `ConfigError` with all that keeps the campaign from dialling at `now`; tell `warn` what is doubtful."""
    faults = []
    age = zone_data_age(now)
    if age > TOO_OLD_ZONES_DAYS:
        faults.append(
            f"tzdata {tzdata_version()}: expected rules of clocks of the last 18 months, were {age} days old: "
            "upgrade the package tzdata"
        )
    elif age > OLD_ZONES_DAYS:
        warn(f"tzdata {tzdata_version()} is {age} days old: upgrade the package tzdata")
    for found in caller_id_faults_of(campaign, now):
        if found.binding:
            faults.append(f"caller_ids: {found.text}")
        else:
            warn(f"caller_ids: {found.text} ({found.rule} is not verified)")
    if faults:
        raise ConfigError(*faults)
