"""Where a called person may be, read from libphonenumber's data and from compliance/places."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator
from functools import cache
from importlib import resources
from typing import Literal

import msgspec
import phonenumbers
from phonenumbers import PhoneNumber, PhoneNumberType
from phonenumbers.timezone import time_zones_for_number
from phonenumbers.tzdata import TIMEZONE_DATA

from compliance.auditor.clocks import country_zones, zone_file, zone_names
from compliance.auditor.question import Finding
from compliance.clearance import Place

Table = Literal["territories", "area_codes", "postal_codes", "postal_formats", "subdivisions"]
_E164 = re.compile(r"\+[1-9]\d{1,14}")
_OLD_MOBILE = re.compile(r"^\+521(?=\d{10}$)")  # Mexico's, until 2019
_NOWHERE = "Etc/Unknown"
_NORTH_AMERICA = 1  # the country code of its plan
_AREA_CODE = 3  # digits, in that plan
_NOT_OF_A_PLACE = {
    PhoneNumberType.TOLL_FREE,
    PhoneNumberType.PREMIUM_RATE,
    PhoneNumberType.SHARED_COST,
    PhoneNumberType.PERSONAL_NUMBER,
    PhoneNumberType.PAGER,
    PhoneNumberType.UAN,
    PhoneNumberType.VOICEMAIL,
}


class Whereabouts(msgspec.Struct, frozen=True, kw_only=True):
    """The place, as far as it could be found, and what is wrong with it."""

    place: Place
    faults: tuple[Finding, ...] = ()


@cache
def rows(table: Table) -> tuple[dict[str, str], ...]:
    """Return a table of compliance/places, row by row."""
    text = (resources.files("compliance") / "places" / f"{table}.csv").read_text(encoding="utf-8")
    return tuple(csv.DictReader(text.splitlines()))


def find_place(
    number: str, *, country: str = "", subdivision: str = "", postal: str = "", zone: str = ""
) -> Whereabouts:
    """Find every jurisdiction and zone that a number and its address may be in, and every fault of them."""
    parsed = _parse(number)
    if parsed is None:
        return _nowhere("number.invalid", f"{number!r} is no number")
    region = phonenumbers.region_code_for_number(parsed)
    if _is_of_no_place(parsed) or region in (None, "001"):
        return _nowhere("number.non_geographic", f"{number} is of no place")
    territory, home = _territory(region)
    outer, abroad = _territory(country)
    code = _longest("area_codes", home, phonenumbers.national_significant_number(parsed))
    postal = re.sub(r"[\s-]", "", postal).upper()
    postal_country = subdivision[:2] or abroad or home
    posted = _longest("postal_codes", postal_country, postal) if _is_in_form(postal_country, postal) else None
    of_number = [*_words(territory, "subdivisions"), *_words(code, "subdivisions")]
    given = [subdivision] if subdivision else []
    if subdivision and posted is None:  # nobody knows in which part of it
        given += [row["code"] for row in rows("subdivisions") if subdivision in chain(row["code"])]
    given += _words(outer, "subdivisions")
    of_address = [*given, *_words(posted, "subdivisions")]
    found = {home, *(part for name in (*of_number, *of_address) for part in chain(name))}

    zones = {*_zones_of(parsed), *_words(code, "zones")}
    zones.update(_zones_of_subdivisions(given))
    zones.update(_words(posted, "zones") or _zones_of_subdivisions(_words(posted, "subdivisions")))
    if country and abroad not in found:
        found.add(abroad)
        zones |= _zones_of_country(abroad)
    zones.discard(_NOWHERE)
    asked = {zone} if zone else zones
    faults = [*_faults(asked, subdivision, postal, postal_country, posted)]
    if re.fullmatch("([A-Z]{2})?", country) is None:
        faults.append(Finding(rule="country.unknown", text=f"{country!r} is no country"))
    if zone in zone_names() and not is_among(zone, zones, found, bool(of_address)):
        faults.append(Finding(rule="zone.contradictory", text=f"{zone} is none of {' '.join(sorted(found))}"))
    return Whereabouts(place=Place(tuple(sorted(found)), tuple(sorted(asked))), faults=tuple(faults))


def _faults(
    zones: set[str], subdivision: str, postal: str, country: str, posted: dict[str, str] | None
) -> Iterator[Finding]:
    if not zones or not zones <= zone_names() or not all(_is_of_a_place(zone) for zone in zones):
        yield Finding(rule="zone.unknown", text=f"no clock is known: {', '.join(sorted(zones)) or 'none'}")
    if subdivision and subdivision not in _subdivisions():
        yield Finding(rule="subdivision.unknown", text=f"{subdivision!r} is no subdivision")
    if postal and posted is None and _by_prefix("postal_codes", country):
        yield Finding(rule="postal.unknown", text=f"{postal!r} is no postal code of {country}")
    if subdivision and posted is not None:
        theirs = _words(posted, "subdivisions")
        if not any(subdivision in chain(name) or name in chain(subdivision) for name in theirs):
            yield Finding(rule="address.contradictory", text=f"{postal} is in {' '.join(theirs)}, not in {subdivision}")


def _territory(region: str) -> tuple[dict[str, str] | None, str]:
    """Return a region's row, if it belongs to a country as a part of it, and the country."""
    row = next((row for row in rows("territories") if row["region"] == region), None)
    return row, row["country"] if row else region


def is_among(zone: str, zones: set[str], jurisdictions: set[str], addressed: bool) -> bool:
    """Say whether the zone that a list names is one of the countries', and keeps a clock of the address or the number.

    The latter only with an address. The last line of a zone's file says how the clock is set from now on. Old names
    have the same file.
    """
    every = zones.union(*(_zones_of_country(code) for code in jurisdictions if "-" not in code))
    if zone_file(zone) not in {zone_file(other) for other in every}:
        return False
    return not addressed or _rule_of(zone) in {_rule_of(other) for other in zones}


def _rule_of(zone: str) -> bytes:
    return zone_file(zone).splitlines()[-1]


@cache
def _zones_of_country(country: str) -> frozenset[str]:
    """Return the zones of a country: the system's list, and every one that our tables name for it."""
    found = {zone for of, zone in country_zones() if of == country}
    tables: tuple[Table, ...] = ("area_codes", "postal_codes")
    found.update(
        name for table in tables for row in rows(table) if row["country"] == country for name in _words(row, "zones")
    )
    found.update(_zones_of_subdivisions(code for code in _subdivisions() if code.startswith(f"{country}-")))
    return frozenset(found)


def _is_of_a_place(zone: str) -> bool:
    """Say whether a name is a place's zone, `Europe/Madrid`: no offset (`Etc/GMT+5`) and no old alias (`EST`)."""
    return "/" in zone and not zone.startswith("Etc/")


def _parse(number: str) -> PhoneNumber | None:
    if not _E164.fullmatch(number):
        return None
    try:
        parsed = phonenumbers.parse(_OLD_MOBILE.sub("+52", number))
    except phonenumbers.NumberParseException:
        return None
    return parsed if phonenumbers.is_valid_number(parsed) else None


def _is_of_no_place(parsed: PhoneNumber) -> bool:
    """Toll-free numbers and the like; in North America also those of services over the internet."""
    kind = phonenumbers.number_type(parsed)
    return kind in _NOT_OF_A_PLACE or (kind == PhoneNumberType.VOIP and parsed.country_code == _NORTH_AMERICA)


def _is_in_form(country: str, postal: str) -> bool:
    """Say whether a postal code looks as those of its country do; of an unknown form, that there is one."""
    form = next((row["pattern"] for row in rows("postal_formats") if row["country"] == country), ".+")
    return re.fullmatch(form, postal) is not None


def _zones_of(parsed: PhoneNumber) -> set[str]:
    """Return libphonenumber's zones; of a North American number those of every exchange of its area code."""
    found = set(time_zones_for_number(parsed))
    if parsed.country_code == _NORTH_AMERICA:
        found.update(_zones_of_exchanges(f"{_NORTH_AMERICA}{str(parsed.national_number)[:_AREA_CODE]}"))
    return found


@cache
def _zones_of_exchanges(area: str) -> frozenset[str]:
    return frozenset(zone for prefix, zones in TIMEZONE_DATA.items() if prefix.startswith(area) for zone in zones)


def _longest(table: Table, country: str, text: str) -> dict[str, str] | None:
    """Return the row of the country whose prefix is the longest that the text begins with."""
    prefixes = _by_prefix(table, country)
    for length in range(len(text), 0, -1):
        if text[:length] in prefixes:
            return prefixes[text[:length]]
    return None


@cache
def _by_prefix(table: Table, country: str) -> dict[str, dict[str, str]]:
    return {row["prefix"]: row for row in rows(table) if row["country"] == country}


@cache
def _subdivisions() -> dict[str, dict[str, str]]:
    return {row["code"]: row for row in rows("subdivisions")}


def _zones_of_subdivisions(codes: Iterable[str]) -> set[str]:
    return {zone for code in codes for zone in _words(_subdivisions().get(code), "zones")}


def chain(code: str) -> list[str]:
    """Return a jurisdiction and all that it is part of: `US-NY-NYC`, `US-NY`, `US`."""
    found = [code]
    row = _subdivisions().get(code)
    if row and row["part_of"]:
        found += chain(row["part_of"])
    elif "-" in code:
        found += chain(code.rpartition("-")[0])
    return found


def _words(row: dict[str, str] | None, column: str) -> list[str]:
    return row[column].split() if row else []


def _nowhere(rule: str, text: str) -> Whereabouts:
    return Whereabouts(place=Place((), ()), faults=(Finding(rule=rule, text=text),))
