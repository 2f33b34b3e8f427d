"""Numbers as registries and orders write them, in the form in which leads have them.

A number that is stopped or registered is read more kindly than one to be dialled: what has a possible length is kept,
valid by today's numbering plan or not, for a stop that is lost is a call that should not be.
"""

from __future__ import annotations

import re
import unicodedata

import phonenumbers

from compliance.resolve import modernise
from dialer.adapters.number_plan import BadNumber
from dialer.errors import ConfigError

_WRITTEN = re.compile(r"\+?[\d\s()./\-‐-―\u00a0]+")
_DECIMAL = re.compile(r"\d{6,}[.,]0+")
_NORTH_AMERICAN = re.compile(r"(?:\+?1)?([2-9]\d{2}[2-9]\d{6})")
_INTERNATIONAL = "00"
_ARGENTINA, _NORTH_AMERICA = "+54", 1
_ARGENTINE_DIGITS = 10  # of a national number without the 9 of mobiles
_country_codes: dict[str, int] = {}


def registered_forms(cell: str, country: str) -> tuple[str, ...]:
    """Return a number in E.164, in every form in which a lead may have it: the most likely one first.

    `country` (ISO 3166 alpha-2, may be empty) is that of numbers without a country code. An Argentine number may be
    with or without the 9 of mobiles: registries leave it out. Raises `BadNumber` for what is no possible number.
    """
    number = _read(cell, country.upper())
    if number.startswith(_ARGENTINA):
        bare = number[3:].removeprefix("9")
        if len(bare) == _ARGENTINE_DIGITS:
            twin = f"{_ARGENTINA}{bare}" if number[3] == "9" else f"{_ARGENTINA}9{bare}"
            return number, twin
    return (number,)


def check_country(country: str) -> None:
    """Raise `ConfigError` for what is no country with telephone numbers; empty is none at all."""
    if country and not _code(country.upper()):
        raise ConfigError(f"{country}: expected a country such as PE")


def is_valid(number: str) -> bool:
    """Whether a number in E.164 is one of today's numbering plan."""
    return phonenumbers.is_valid_number(phonenumbers.parse(number, None))


def _read(cell: str, country: str) -> str:
    text = cell.strip().lstrip("'").strip()
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
    if country and _code(country) == _NORTH_AMERICA and (match := _NORTH_AMERICAN.fullmatch(text)):
        return f"+1{match[1]}"
    if _DECIMAL.fullmatch(text):
        raise BadNumber(f"{text[:40]!r} was saved as a decimal number: format the column as text and export it again")
    if not _WRITTEN.fullmatch(text) or not any(sign.isdigit() for sign in text):
        raise BadNumber(f"expected a telephone number, was {text[:40]!r}")
    digits = re.sub(r"\D", "", text)
    abroad = text.startswith("+") or (digits.startswith(_INTERNATIONAL) and not country)
    if not abroad and not country:
        raise BadNumber(f"{text[:40]!r} has no country code: name the country of such numbers (--country PE)")
    written = f"+{digits.removeprefix(_INTERNATIONAL)}" if abroad else digits
    where = "" if abroad else f" of {country}"
    try:
        parsed = phonenumbers.parse(written, None if abroad else country)
    except phonenumbers.NumberParseException as error:
        raise BadNumber(f"{text[:40]!r} is no number{where}") from error
    modernise(parsed)
    if not phonenumbers.is_possible_number(parsed):
        raise BadNumber(f"{text[:40]!r} has no possible length for a number{where}")
    return str(phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164))


def _code(country: str) -> int:
    if country not in _country_codes:
        _country_codes[country] = phonenumbers.country_code_for_region(country)
    return _country_codes[country]
