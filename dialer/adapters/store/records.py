"""What every store asks of the records that it is given, before it writes any of them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from compliance.streams import outside_text
from dialer.errors import ConfigError
from dialer.ports import OutsideFact, PersonHours

DAY_MINUTES = 1440
_E164 = re.compile(r"\+[1-9][0-9]{2,14}", re.ASCII)


def digits(number: str) -> int:
    """Return an E.164 number as an integer. Raises `ConfigError` for what is none."""
    if not _E164.fullmatch(number):
        raise ConfigError(f"expected a number in E.164 such as +5117000001, was {number!r}")
    return int(number)


def pieces(numbers: Iterable[str], size: int) -> Iterator[list[int]]:
    """Cut numbers into pieces of integers, as they come. Raises `ConfigError` at the first that is none."""
    left = iter(numbers)
    while piece := [digits(number) for number in islice(left, size)]:
        yield piece


def check_hours(hours: PersonHours) -> None:
    """Raise `ConfigError` for a span that is none."""
    for weekday, begin, end in hours:
        if not (0 <= weekday <= 6 and 0 <= begin < end <= DAY_MINUTES):
            raise ConfigError(
                f"expected (weekday from 0 to 6, first minute, a later minute to {DAY_MINUTES}), "
                f"was ({weekday}, {begin}, {end})"
            )


def check_reason(reason: str) -> None:
    """Raise `ConfigError` for a stop's reason that is none: reasons are kept one a line."""
    if not reason or "\n" in reason:
        raise ConfigError(f"expected the reason of a stop on one line, was {reason!r}")


def reasons_of(stop: str | bytes) -> tuple[str, ...]:
    """Return the reasons of a stop as the server keeps it: one a line, none where it is empty."""
    text = stop if isinstance(stop, str) else stop.decode()
    return tuple(text.split("\n")) if text else ()


def member_of(fact: OutsideFact) -> str:
    """Return a fact from outside as it stands in its streams."""
    return outside_text(fact.id, fact.parts) + fact.outcome


def check_facts(facts: Sequence[OutsideFact]) -> None:
    """Raise `ConfigError` for a fact that no cap could read."""
    for fact in facts:
        if not fact.outcome or "|" in fact.outcome:
            raise ConfigError(f"fact {fact.id}: expected an outcome without |, was {fact.outcome!r}")
        if not fact.keys:
            raise ConfigError(f"fact {fact.id}: expected at least one stream that it belongs to, found none")
