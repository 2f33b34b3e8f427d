"""Telephone numbers as lists write them, read to E.164 with country, line type and every zone they may be in."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection
from functools import lru_cache

import phonenumbers
from phonenumbers import PhoneNumberType as Type
from phonenumbers import timezone
from phonenumbers.tzdata import TIMEZONE_DATA

from dialer.core.lead import PhoneNumber

LINE_TYPES = {
    Type.MOBILE: "mobile",
    Type.FIXED_LINE: "fixed",
    Type.FIXED_LINE_OR_MOBILE: "fixed_or_mobile",
    Type.VOIP: "voip",
    Type.TOLL_FREE: "toll_free",
    Type.PERSONAL_NUMBER: "unknown",
    Type.UAN: "unknown",
}
_SCIENTIFIC = re.compile(r"\d+(?:[.,]\d+)?E\+?\d+", re.IGNORECASE)
_DECIMAL = re.compile(r"\d{6,}[.,]0+")
_WRITTEN = re.compile(r"\+?[\d\s().\-‐-―]+")
_ZONE_PREFIX = 9  # the longest prefix in the zone data
_NANP, _MEXICO = 1, 52


class BadNumber(ValueError):
    """A cell that is no number which may be dialled; the message is for the people who keep the list."""


def read_number(cell: str, country: str, jurisdictions: Collection[str]) -> PhoneNumber:
    """Read one number. `country` (ISO 3166 alpha-2) is that of numbers without a country code.

    Raises `BadNumber` for what is no valid number, or none of the campaign's jurisdictions.
    """
    text = _tidied(cell)
    parsed, kind = _parsed(text, country, jurisdictions)
    if kind not in LINE_TYPES:
        raise BadNumber(f"{text!r} is a premium or special number: it is never dialled")
    e164 = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
    region = phonenumbers.region_code_for_number(parsed) or ""
    if region not in jurisdictions:
        raise BadNumber(
            f"{text!r} is a number of {region or 'no country'}, the campaign's jurisdictions are "
            f"{', '.join(jurisdictions)}"
        )
    return PhoneNumber(e164=e164, zones=_zones(parsed, e164, kind), country=region, line_type=LINE_TYPES[kind])


def _tidied(cell: str) -> str:
    """Take off what spreadsheets put around a number. Raises `BadNumber` where they damaged it."""
    text = cell.strip().lstrip("'").strip()
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
    if _SCIENTIFIC.fullmatch(text):
        raise BadNumber(f"{text!r} lost digits in a spreadsheet: format the column as text and export it again")
    if _DECIMAL.fullmatch(text):
        raise BadNumber(f"{text!r} was saved as a decimal number: format the column as text and export it again")
    if not _WRITTEN.fullmatch(text):
        raise BadNumber(f"expected a telephone number, was {text[:40]!r}")
    return text


def _parsed(text: str, country: str, jurisdictions: Collection[str]) -> tuple[phonenumbers.PhoneNumber, int]:
    """Read as a national number, then with 00 or a country code without its + (both common in mixed lists)."""
    digits = re.sub(r"\D", "", text)
    attempts: list[tuple[str, str | None]] = [(text, country)]
    if not text.startswith("+"):
        attempts.append(("+" + digits.removeprefix("00"), None))
    for written, region in attempts:
        try:
            parsed = phonenumbers.parse(written, region)
        except phonenumbers.NumberParseException:
            continue
        _modernise(parsed)
        kind = phonenumbers.number_type(parsed)
        if kind != Type.UNKNOWN and (region or phonenumbers.region_code_for_number(parsed) in jurisdictions):
            return parsed, kind
    raise BadNumber(f"{text!r} is no valid number of {country}, nor one with a country code of the campaign")


def _modernise(parsed: phonenumbers.PhoneNumber) -> None:
    """Take off the 1 that Mexican mobiles had after the country code until 2019."""
    national = str(parsed.national_number)
    if parsed.country_code == _MEXICO and len(national) == 11 and national.startswith("1"):
        parsed.national_number = int(national[1:])


_zone_cache: dict[tuple[str, int], tuple[str, ...]] = {}


def _zones(parsed: phonenumbers.PhoneNumber, e164: str, kind: int) -> tuple[str, ...]:
    """Return every zone the number may be in; () where nobody knows. The data decide by a prefix and the kind."""
    key = (e164[1 : 1 + _ZONE_PREFIX], kind)
    zones = _zone_cache.get(key)
    if zones is None:
        zones = () if kind == Type.TOLL_FREE else tuple(timezone.time_zones_for_number(parsed))
        if parsed.country_code == _NANP and kind == Type.FIXED_LINE_OR_MOBILE:
            zones = tuple(sorted({*zones, *_area_code_zones(e164[1:5])}))
        zones = tuple(zone for zone in zones if zone != "Etc/Unknown")
        _zone_cache[key] = zones
    return zones


@lru_cache(maxsize=1024)
def _area_code_zones(prefix: str) -> tuple[str, ...]:
    """Return the zones of all exchanges of a North American area code: the exchange of a mobile says nothing."""
    return tuple({zone for key, zones in TIMEZONE_DATA.items() if key.startswith(prefix) for zone in zones})
