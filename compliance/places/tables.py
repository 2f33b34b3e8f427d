"""The tables of this folder, read once: see README.md for what each says and where it is from."""

from __future__ import annotations

import csv
import re
import unicodedata
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import resources

import msgspec


class Subdivision(msgspec.Struct, frozen=True, kw_only=True):
    """A part of a country. `part_of` is the subdivision that it lies in, or its country; `zones` are all of its own."""

    code: str  # US-MA
    name: str
    aliases: tuple[str, ...]
    part_of: str
    zones: tuple[str, ...]

    @property
    def country(self) -> str:
        """ISO 3166 alpha-2."""
        return self.code[:2]


class Territory(msgspec.Struct, frozen=True, kw_only=True):
    """What a region of the numbering plan belongs to: it is not a country of its own under the rules."""

    country: str
    subdivisions: tuple[str, ...]


class PrefixRow(msgspec.Struct, frozen=True, kw_only=True):
    """Where numbers or postal codes with a prefix may be; empty `zones`: no other than their subdivisions'."""

    subdivisions: tuple[str, ...]
    zones: tuple[str, ...]


class PostalFormat(msgspec.Struct, frozen=True, kw_only=True):
    """How a country writes its postal codes, in capitals without blanks and hyphens."""

    pattern: re.Pattern[str]
    example: str


@cache
def territories() -> Mapping[str, Territory]:
    """Return what regions of libphonenumber belong to another's rules, by region (`PR`)."""
    return {
        row["region"]: Territory(country=row["country"], subdivisions=tuple(row["subdivisions"].split()))
        for row in _rows("territories.csv")
    }


@cache
def subdivisions() -> Mapping[str, Subdivision]:
    """Return all known subdivisions by code."""
    return {
        row["code"]: Subdivision(
            code=row["code"],
            name=row["name"],
            aliases=tuple(alias for alias in row["aliases"].split("|") if alias),
            part_of=row["part_of"] or row["code"][:2],
            zones=tuple(row["zones"].split()),
        )
        for row in _rows("subdivisions.csv")
    }


@cache
def area_codes() -> Mapping[str, Mapping[str, PrefixRow]]:
    """Return by country, and by prefix of the national number, where its numbers may be."""
    return _by_prefix("area_codes.csv")


@cache
def postal_codes() -> Mapping[str, Mapping[str, PrefixRow]]:
    """Return by country, and by prefix of the postal code, where addresses may be; others' codes say nothing."""
    return _by_prefix("postal_codes.csv")


@cache
def postal_formats() -> Mapping[str, PostalFormat]:
    """Return how each country of `postal_codes` writes its codes."""
    return {
        row["country"]: PostalFormat(pattern=re.compile(row["pattern"], re.ASCII), example=row["example"])
        for row in _rows("postal_formats.csv")
    }


@cache
def subdivision_names() -> Mapping[tuple[str, str], str]:
    """Return codes by (country, name or alias as `plain_name` has it)."""
    return {
        (place.country, plain_name(name)): place.code
        for place in subdivisions().values()
        for name in (place.name, *place.aliases)
    }


def longest_prefix(rows: Mapping[str, PrefixRow], text: str) -> str:
    """Return the longest key of `rows` that `text` begins with; empty if there is none."""
    for length in range(len(text), 0, -1):
        if text[:length] in rows:
            return text[:length]
    return ""


def plain_name(title: str) -> str:
    """Return a name in plain small letters: `Teléfono  1` is `telefono_1`."""
    bare = unicodedata.normalize("NFKD", title.strip().casefold())
    letters = "".join(char for char in bare if not unicodedata.combining(char))
    return re.sub(r"[^a-z0-9]+", "_", letters).strip("_")


def _by_prefix(name: str) -> Mapping[str, Mapping[str, PrefixRow]]:
    tables: dict[str, dict[str, PrefixRow]] = {}
    for row in _rows(name):
        tables.setdefault(row["country"], {})[row["prefix"]] = PrefixRow(
            subdivisions=tuple(row["subdivisions"].split()), zones=tuple(row["zones"].split())
        )
    return tables


def _rows(name: str) -> Iterator[dict[str, str]]:
    text = (resources.files("compliance.places") / name).read_text(encoding="utf-8")
    return iter(csv.DictReader(text.splitlines()))
