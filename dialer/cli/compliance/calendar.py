"""`dialer compliance calendar`: a week of callable hours for a list."""

from __future__ import annotations

from datetime import date, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from compliance.rule import Scope
from dialer.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from compliance.clearance import Place
    from compliance.ruleset import RuleSet
    from dialer.adapters.lead_list import LeadList


def calendar(
    file: Path,
    *,
    week: str | None = None,
    from_date: Annotated[str | None, Parameter(name="--from")] = None,
    zone: str | None = None,
    scope: Scope = "debt_collection",
    country: str | None = None,
    rows: int = 20,
    json: bool = False,
) -> int:
    """Draw when the leads of a list may be called in a week, and which rule closes what.

    Hours, holidays and closed dates only: caps, stops and consent are looked at call by call. Exits 0 where at least
    one lead may be called in that week, 1 where none may, 2 where a file needs mending.

    Parameters
    ----------
    file
        A campaign file (its lists, with its own windows and closed dates), or a list (the law alone).
    week
        The week, as 2026-W49; the present one if not given.
    from_date
        The first of seven days instead, as 2026-12-05.
    zone
        By whose clocks the week is drawn, as America/Bogota; this machine's if not given.
    scope
        Of a list: what the calls are for. A campaign file says it by itself.
    country
        Of a list: whose numbers have no country code, as CO.
    rows
        How many places to tell of; JSON has all.
    json
        Print JSON.
    """
    import msgspec

    from dialer.cli.compliance.callable_week import callable_week
    from dialer.cli.compliance.week_view import show
    from dialer.cli.safe_text import safe_json

    first = _first_day(week, from_date)
    clocks, name = _zone(zone)
    if file.suffix.lower() in (".yaml", ".yml"):
        if country is not None:
            raise ConfigError("--country: expected only with a list: a campaign file names its jurisdictions")
        rules, leads, notes = _of_campaign(file)
    else:
        rules, leads, notes = _of_list(file, scope, country)
    found = callable_week(rules, leads, first=first, zone=clocks, zone_name=name)
    if json:
        print(safe_json(msgspec.json.encode(found).decode()))
    else:
        show(found, rows=rows, notes=notes)
    return 0 if found.sometimes else 1


def _first_day(week: str | None, from_date: str | None) -> date:
    from datetime import timedelta

    from dialer.cli.compliance.callable_week import week_of

    if week is not None and from_date is not None:
        raise ConfigError("--from: expected either --week or --from, found both")
    try:
        if week is not None:
            first = week_of(week)
        elif from_date is not None:
            first = date.fromisoformat(from_date)
        else:
            today = date.today()
            first = today - timedelta(days=today.weekday())
    except ValueError as fault:
        if week is not None:
            raise ConfigError(f"--week: expected a week such as 2026-W49, was {week!r}") from fault
        raise ConfigError(f"--from: expected a date such as 2026-12-05, was {from_date!r}") from fault
    if not 2000 <= first.year < 2100:
        raise ConfigError(
            f"--{'from' if week is None else 'week'}: expected a year from 2000 to 2099, was {first.year}"
        )
    return first


def _zone(name: str | None) -> tuple[tzinfo, str]:
    """Return the zone by whose clocks the week is drawn, and its name."""
    from datetime import datetime

    from compliance.zones import load_zone

    if name is not None:
        try:
            return load_zone(name), name
        except KeyError as fault:
            raise ConfigError(f"--zone: expected an IANA zone such as America/Bogota, was {name!r}") from fault
    own = _own_zone()
    if own is not None:
        return load_zone(own), own
    local = datetime.now().astimezone().tzinfo
    assert local is not None  # astimezone() sets one
    return local, str(local)


def _own_zone() -> str | None:
    """Return the name of this machine's zone, None where it cannot be told: then its present offset must do."""
    import os

    from compliance.zones import known_zones

    named = os.environ.get("TZ", "").removeprefix(":")
    if not named:
        try:
            named = str(Path("/etc/localtime").resolve()).partition("zoneinfo/")[2]
        except OSError:
            return None
    return named if named in known_zones() else None


def _of_campaign(file: Path) -> tuple[RuleSet, Mapping[tuple[Place, ...], int], tuple[str, ...]]:
    from dialer.adapters.lead_list import Seen, read_leads
    from dialer.config.campaign_file import list_paths, read_campaign
    from dialer.config.rule_packs import rule_set

    campaign = read_campaign(file)
    seen = Seen()
    countries = campaign.jurisdictions
    lists = [
        read_leads(path, default_country=countries[0], jurisdictions=countries, seen=seen)
        for path in list_paths(file, campaign)
    ]
    return rule_set(campaign), *_places(lists)


def _of_list(
    file: Path, scope: Scope, country: str | None
) -> tuple[RuleSet, Mapping[tuple[Place, ...], int], tuple[str, ...]]:
    from dialer.adapters.lead_list import read_leads
    from dialer.config.names import meant
    from dialer.config.rule_packs import known_jurisdictions, law

    known = known_jurisdictions()
    if country is not None and country not in known:
        raise ConfigError(f"--country: no rules for {country!r}: {meant(country, known)}")
    read = read_leads(file, default_country=country or "ZZ", jurisdictions=known)
    return law(scope), *_places([read])


def _places(lists: list[LeadList]) -> tuple[Mapping[tuple[Place, ...], int], tuple[str, ...]]:
    """Return how many leads have numbers in which places, and what was left out."""
    from collections import Counter

    leads = Counter(
        tuple(dict.fromkeys(number.place for number in lead.numbers)) for read in lists for lead in read.leads
    )
    notes = [
        f"{read.path}: {len(read.rejected):,} {'row is' if len(read.rejected) == 1 else 'rows are'} not in it, "
        f"the first in line {read.rejected[0].line}: {read.rejected[0].reason}"
        for read in lists
        if read.rejected
    ]
    return leads, tuple(notes)
