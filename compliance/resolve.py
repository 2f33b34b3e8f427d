"""Where a called person may be: every candidate jurisdiction and zone of a number and of its person's address.

What is asked of which table is told in docs/compliance_semantics.md, "Where the person may be". Nothing is guessed:
what is unknown or contradicts itself is a fault, and then no zone is given, so that nothing can be dialled.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache
from typing import Literal

import msgspec
import phonenumbers
from phonenumbers import PhoneNumberType as Type
from phonenumbers import timezone
from phonenumbers.tzdata import TIMEZONE_DATA

from compliance.clearance import Place
from compliance.places.tables import (
    PrefixRow,
    Territory,
    area_codes,
    longest_prefix,
    plain_name,
    postal_codes,
    postal_formats,
    subdivision_names,
    subdivisions,
    territories,
)
from compliance.zones import clock_to_come, known_zones, present_name, zones_of_countries

Fault = Literal[
    "",
    "number.invalid",
    "number.non_geographic",
    "country.unknown",
    "subdivision.unknown",
    "postal.unknown",
    "address.contradictory",
    "zone.unknown",
    "zone.contradictory",
]
# Kinds of numbers that somebody has somewhere; a number of any other kind is in no place.
LINE_TYPES: dict[int, str] = {
    Type.MOBILE: "mobile",
    Type.FIXED_LINE: "fixed",
    Type.FIXED_LINE_OR_MOBILE: "fixed_or_mobile",
    Type.VOIP: "voip",
}
_NO_PLACE: dict[int, tuple[str, str]] = {Type.TOLL_FREE: ("toll_free", "a toll-free number")}
_NO_REGION = ("", "001")  # of no country, of the world
_NOWHERE = Place((), ())
_NANP, _MEXICO = 1, 52
_NANP_PREFIX = 4  # country code and area code: the exchange of a mobile says nothing
_E164 = re.compile(r"\+[1-9]\d{4,14}", re.ASCII)
_COUNTRY = re.compile("[A-Z]{2}")
_LAYOUT = re.compile(r"[\s().\-‐-―]+")


class Resolution(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of where a number's person is. With a fault the place is empty and nothing may be dialled.

    `fault_text` says for the people who keep the list what was expected and what was found.
    """

    number: str  # E.164, "" if invalid
    country: str = ""  # ISO 3166 alpha-2 of whose rules hold: US for a number of Puerto Rico; "" if invalid
    line_type: str = "unknown"
    place: Place = _NOWHERE
    fault: Fault = ""
    fault_text: str = ""


class _Home(msgspec.Struct, frozen=True, eq=False, kw_only=True):
    """What a number alone says: one object for all numbers with its first digits, compared by identity for speed."""

    country: str
    subdivisions: tuple[str, ...]
    zones: tuple[str, ...]


class _Misplaced(ValueError):
    """An address or a zone that cannot be."""

    def __init__(self, fault: Fault, text: str) -> None:
        super().__init__(text)
        self.fault = fault


def resolve(number: str, *, country: str = "", subdivision: str = "", postal: str = "", zone: str = "") -> Resolution:
    """Return where the person with this number (E.164) may be. Never raises; what is wrong is in `fault`.

    `country` is the address's, ISO 3166 alpha-2, `subdivision` a code such as US-MA, `postal` a postal code of the
    subdivision's country (else of the address's, else of the number's), `zone` an IANA zone that is known of the
    person: it stands instead of all others.
    """
    digits = _LAYOUT.sub("", number)
    try:
        parsed = phonenumbers.parse(digits, None) if _E164.fullmatch(digits) else None
    except phonenumbers.NumberParseException:
        parsed = None
    if parsed is not None:
        modernise(parsed)
        kind = phonenumbers.number_type(parsed)
        if kind != Type.UNKNOWN:
            return resolve_parsed(parsed, kind, country=country, subdivision=subdivision, postal=postal, zone=zone)
    return Resolution(number="", fault="number.invalid", fault_text=f"{_shown(number)} is no valid number")


def resolve_parsed(
    parsed: phonenumbers.PhoneNumber,
    kind: int,
    *,
    country: str = "",
    subdivision: str = "",
    postal: str = "",
    zone: str = "",
) -> Resolution:
    """Do as `resolve` does, with a valid number that is parsed, modern and of a known kind already."""
    e164 = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
    home = _home(parsed, e164, kind)
    if kind not in LINE_TYPES or home.country in _NO_REGION or (parsed.country_code == _NANP and kind == Type.VOIP):
        line_type, what = _NO_PLACE.get(kind, ("unknown", "a number of no place"))
        return Resolution(
            number=e164,
            country=home.country,
            line_type=line_type,
            fault="number.non_geographic",
            fault_text=f"{e164} is {what}: nobody knows the hour where it rings",
        )
    try:
        if country and not _COUNTRY.fullmatch(country):
            raise _Misplaced("country.unknown", f"expected a country's code such as ES, was {_shown(country)}")
        address_country = subdivision[:2] or _belongs_to(country).country or home.country
        row = _postal_row(postal, address_country) if postal else ("", "")
        place = _place(home, country, subdivision, *row, zone)
        if not place.zones:
            raise _Misplaced("zone.unknown", f"nobody knows the time zone of {e164}: name it in a zone column")
    except _Misplaced as error:
        return Resolution(
            number=e164,
            country=home.country,
            line_type=LINE_TYPES[kind],
            fault=error.fault,
            fault_text=str(error),
        )
    return Resolution(number=e164, country=home.country, line_type=LINE_TYPES[kind], place=place)


def read_subdivision(text: str, country: str) -> str:
    """Return the code of a subdivision as lists write it: `MA`, `US-MA`, `Massachusetts`; "" for none.

    `country` (ISO 3166 alpha-2) is that of a name or short code. Raises `ValueError` for what is none that is known.
    """
    written = text.strip()
    if not written:
        return ""
    known = subdivisions()
    country = territories()[country].country if country in territories() else country
    code = re.sub(r"\s*[-_/]\s*", "-", written.upper())
    named = subdivision_names().get((country, plain_name(written)))
    found = next((found for found in (code, f"{country}-{code}") if found in known), named)
    if found is None:
        own = next((place for place in known.values() if place.country == country), None)
        example = f"{own.code} or {own.name}" if own else "US-MA"
        raise ValueError(
            f"expected a subdivision of {country or 'a country'} such as {example}, was {_shown(written)}{_hint(code)}"
        )
    return found


def country_of(parsed: phonenumbers.PhoneNumber) -> str:
    """Return the country whose rules hold for a number, ISO 3166 alpha-2: US for one of Puerto Rico; "" if none."""
    region = phonenumbers.region_code_for_number(parsed) or ""
    territory = territories().get(region)
    return territory.country if territory else region


def modernise(parsed: phonenumbers.PhoneNumber) -> None:
    """Take off the 1 that Mexican mobiles had after the country code until 2019."""
    national = str(parsed.national_number)
    if parsed.country_code == _MEXICO and len(national) == 11 and national.startswith("1"):
        parsed.national_number = int(national[1:])


# ---- the number ----------------------------------------------------------------------------------------------
_homes: dict[tuple[str, int, str], _Home] = {}


def _home(parsed: phonenumbers.PhoneNumber, e164: str, kind: int) -> _Home:
    """Return what the number says. The tables decide by its first digits, its kind and its region."""
    region = phonenumbers.region_code_for_number(parsed) or ""
    key = (e164[1 : 1 + _deciding_digits(parsed.country_code)], kind, region)
    home = _homes.get(key)
    if home is None:
        home = _homes[key] = _new_home(parsed, e164, region)
    return home


def _new_home(parsed: phonenumbers.PhoneNumber, e164: str, region: str) -> _Home:
    territory = territories().get(region)
    country = country_of(parsed)
    rows = area_codes().get(country, {})
    row = rows.get(longest_prefix(rows, e164[1 + len(str(parsed.country_code)) :])) or _NO_ROW
    zones = {*timezone.time_zones_for_number(parsed), *row.zones}
    if parsed.country_code == _NANP:
        zones.update(*(found for key, found in TIMEZONE_DATA.items() if key.startswith(e164[1 : 1 + _NANP_PREFIX])))
    return _Home(
        country=country,
        subdivisions=tuple(sorted({*row.subdivisions, *(territory.subdivisions if territory else ())})),
        zones=tuple(sorted(zones - {"Etc/Unknown"})),
    )


@cache
def _deciding_digits(country_code: int) -> int:
    """Return how many digits of a number (country code included) any table looks at."""
    if country_code == _NANP:
        return _NANP_PREFIX
    code = str(country_code)
    regions = phonenumbers.COUNTRY_CODE_TO_REGION_CODE.get(country_code, ())
    countries = {territories()[region].country if region in territories() else region for region in regions}
    own = [len(code) + len(prefix) for country in countries for prefix in area_codes().get(country, ())]
    return max(own + [len(prefix) for prefix in TIMEZONE_DATA if prefix.startswith(code)] + [len(code)])


# ---- the address ---------------------------------------------------------------------------------------------
_NO_ROW = PrefixRow(subdivisions=(), zones=())


def _postal_row(postal: str, country: str) -> tuple[str, str]:
    """Return the country and the prefix of the row that a postal code fits; ("", "") where codes are ignored."""
    code = re.sub(r"[\s\-‐-―]+", "", postal).upper()
    rows = postal_codes().get(country)
    if not code or rows is None:
        return "", ""
    form = postal_formats()[country]
    if not form.pattern.fullmatch(code):
        # A code that lost its first zeros is not mended: 2139 may be 02139, or 21390 without its end.
        raise _Misplaced(
            "postal.unknown",
            f"expected a postal code of {country} such as {form.example}, was {_shown(postal)} (a spreadsheet takes "
            "zeros off: format the column as text)",
        )
    prefix = longest_prefix(rows, code)
    if not prefix:
        raise _Misplaced("postal.unknown", f"no address of {country} has the postal code {_shown(postal)}")
    return country, prefix


@lru_cache(maxsize=65_536)
def _place(home: _Home, country: str, subdivision: str, postal_country: str, postal_prefix: str, zone: str) -> Place:
    """Return all that number, address and list say together. Raises `_Misplaced`."""
    known = subdivisions()
    given = known.get(subdivision)
    if subdivision and given is None:
        raise _Misplaced(
            "subdivision.unknown",
            f"expected a subdivision's code such as US-MA, was {_shown(subdivision)}{_hint(subdivision)}",
        )
    postal = postal_codes()[postal_country][postal_prefix] if postal_prefix else _NO_ROW
    if given and postal_prefix and not any(_nested(subdivision, other) for other in postal.subdivisions):
        raise _Misplaced(
            "address.contradictory",
            f"the postal code {postal_prefix}… is in {' or '.join(postal.subdivisions)}, not in {subdivision}",
        )
    territory = _belongs_to(country)
    of_address = territory.subdivisions
    if given:
        of_address += (subdivision,) if postal_prefix else _with_parts(subdivision)
    zones = {*home.zones, *postal.zones, *(found for code in of_address for found in known[code].zones)}
    if not postal.zones:
        zones.update(found for code in postal.subdivisions for found in known[code].zones)
    jurisdictions = {home.country}
    for code in (*home.subdivisions, *of_address, *postal.subdivisions):
        jurisdictions.update(_stack(code))
    if country and territory.country not in jurisdictions:  # nobody knows where in it
        jurisdictions.add(territory.country)
        zones |= country_zones(territory.country)
    if zone:
        countries = {code for code in jurisdictions if "-" not in code}
        _check_zone(zone, zones, countries, bool(of_address or postal_prefix))
    return Place(tuple(sorted(jurisdictions)), (zone,) if zone else tuple(sorted(zones)))


def _check_zone(zone: str, zones: set[str], countries: set[str], addressed: bool) -> None:
    """Raise `_Misplaced` for a list's zone that is none, or none of where number and address are.

    `zones` are those of the number and the address; with an address (`addressed`) no other clock can be the person's.
    """
    if not is_place_zone(zone):
        raise _Misplaced("zone.unknown", f"expected a time zone such as America/Lima, was {_shown(zone)}")
    possible = zones.union(*map(country_zones, countries))
    if present_name(zone) not in {present_name(name) for name in possible}:
        raise _Misplaced(
            "zone.contradictory",
            f"{zone} is no time zone of {' or '.join(sorted(countries))}: name one of its zones, or give the address",
        )
    if addressed and clock_to_come(zone) not in {clock_to_come(name) for name in zones}:
        raise _Misplaced(
            "zone.contradictory",
            f"{zone} is a time zone neither of the address nor of the number, as {min(zones)} is: mend one of them",
        )


@cache
def country_zones(country: str) -> frozenset[str]:
    """Return every zone of a country: those of `zone.tab` and those of our tables."""
    parts = (place.zones for place in subdivisions().values() if place.country == country)
    rows = (*area_codes().get(country, {}).values(), *postal_codes().get(country, {}).values())
    return frozenset().union(zones_of_countries().get(country, ()), *parts, *(row.zones for row in rows))


def _belongs_to(region: str) -> Territory:
    """Return the country whose rules hold in a region, with the subdivisions of it that the region is."""
    return territories().get(region) or Territory(country=region, subdivisions=())


def is_place_zone(zone: str) -> bool:
    """Whether this is a zone of some place. `UTC` and `Etc/GMT+5` are clocks on which nobody's rules are written."""
    return "/" in zone and not zone.startswith("Etc/") and zone in known_zones()


@cache
def _stack(code: str) -> tuple[str, ...]:
    """Return a subdivision and all that it is part of, its country last."""
    place = subdivisions().get(code)
    return (code,) if place is None else (code, *_stack(place.part_of))


@cache
def _with_parts(code: str) -> tuple[str, ...]:
    """Return a subdivision and all its parts: somebody in US-NY may be in the city of New York."""
    return tuple(other for other in subdivisions() if code in _stack(other))


def _nested(one: str, other: str) -> bool:
    return one in _stack(other) or other in _stack(one)


def _shown(text: str) -> str:
    return repr(text[:40])


def _hint(code: str) -> str:
    """Say what to do with a country's code where a subdivision's is expected."""
    if not re.fullmatch("[A-Za-z]{2}", code):
        return ""
    return " (two letters alone name a country: name a part of it, or leave it empty if none is known)"
