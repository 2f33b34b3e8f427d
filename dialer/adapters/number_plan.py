"""Telephone numbers as lists write them, read to E.164 with country, line type and everywhere they may be."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection
from functools import lru_cache

import phonenumbers
from phonenumbers import PhoneNumberType as Type

from compliance.resolve import LINE_TYPES, country_of, modernise, read_subdivision, resolve_parsed
from dialer.core.lead import PhoneNumber

FIXED = "fixed"  # the network of all fixed lines
_MAX_NETWORK = 40
_SCIENTIFIC = re.compile(r"\d+(?:[.,]\d+)?E\+?\d+", re.IGNORECASE)
_DECIMAL = re.compile(r"\d{6,}[.,]0+")
_WRITTEN = re.compile(r"\+?[\d\s().\-‐-―]+")


class BadNumber(ValueError):
    """A cell that is no number which may be dialled; the message is for the people who keep the list."""


class BadAddress(ValueError):
    """What a row says of the person's address or time zone cannot be; the message is for those who keep the list."""


def read_number(
    cell: str,
    country: str,
    jurisdictions: Collection[str],
    *,
    address_country: str = "",
    subdivision: str = "",
    states: tuple[str, ...] = (),
    postal: str = "",
    zone: str = "",
    use: str = "",
    network: str = "",
) -> PhoneNumber:
    """Read one number. `country` (ISO 3166 alpha-2) is that of numbers without a country code.

    `address_country`, `subdivision` (a code), `postal` and `zone` are what the list knows of the person's address;
    `states` are texts of which the first that names a subdivision of the address's country, else of the number's, is
    taken where none is given. `network` is the number's own carrier, where the list knows better than the numbering
    plan, which does not see ported numbers. Raises `BadNumber` for what is no valid number, is in no place, or is of
    none of the campaign's jurisdictions, and `BadAddress` for an address that is unknown, contradicts itself or is in
    another country.
    """
    text = _tidied(cell)
    parsed, kind = _parsed(text, country, jurisdictions)
    if kind not in LINE_TYPES and kind != Type.TOLL_FREE:
        raise BadNumber(f"{text!r} is a premium or special number: it is never dialled")
    if states and not subdivision:
        subdivision = _state_in(states, address_country or country_of(parsed))
    found = resolve_parsed(parsed, kind, country=address_country, subdivision=subdivision, postal=postal, zone=zone)
    if found.country not in jurisdictions:
        raise BadNumber(
            f"{text!r} is a number of {found.country or 'no country'}, the campaign's jurisdictions are "
            f"{', '.join(jurisdictions)}"
        )
    if found.fault == "number.non_geographic" or (found.fault == "zone.unknown" and not zone):
        raise BadNumber(found.fault_text)
    if found.fault:
        raise BadAddress(found.fault_text)
    outside = {code for code in found.place.jurisdictions if "-" not in code}.difference(jurisdictions)
    if outside:
        where = subdivision if subdivision[:2] in outside else min(outside)
        raise BadAddress(f"the address is in {where}, the campaign's jurisdictions are {', '.join(jurisdictions)}")
    return PhoneNumber(
        e164=found.number,
        zones=found.place.zones,
        country=found.country,
        line_type=found.line_type,
        jurisdictions=found.place.jurisdictions,
        use=use,
        network=plain_network(network) or _network_of(parsed, kind),
    )


def plain_network(text: str) -> str:
    """A carrier's name as it is compared: one is written in many ways."""
    return " ".join(text.casefold().split())[:_MAX_NETWORK]


def _network_of(parsed: phonenumbers.PhoneNumber, kind: int) -> str:
    """The carrier to which the plan gave the number's block; "" where it does not say."""
    if kind == Type.FIXED_LINE:
        return FIXED
    if kind not in (Type.MOBILE, Type.FIXED_LINE_OR_MOBILE):
        return ""
    # Its tables take a third of a second to load: here, where a list is read.
    from phonenumbers.carrier import name_for_valid_number

    name: str = name_for_valid_number(parsed, "en")
    return plain_network(name)


@lru_cache(maxsize=4096)  # lists repeat few names
def _state_in(texts: tuple[str, ...], country: str) -> str:
    """Return the first subdivision that is named in texts of which most may name none; "" for none."""
    for text in texts:
        try:
            code = read_subdivision(text, country)
        except ValueError:
            continue
        if code:
            return code
    return ""


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
        modernise(parsed)
        kind = phonenumbers.number_type(parsed)
        if kind != Type.UNKNOWN and (region or country_of(parsed) in jurisdictions):
            return parsed, kind
    raise BadNumber(f"{text!r} is no valid number of {country}, nor one with a country code of the campaign")
