"""Which of our own numbers a called country lets us present."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from functools import lru_cache

import msgspec
import phonenumbers

from compliance.rule import VERIFIED, CallerIdRule, Profile


class CallerIdFault(msgspec.Struct, frozen=True, kw_only=True):
    """What a caller ID duty finds wrong. `binding`: of a verified duty; where none of the numbers may be presented
    nothing may be dialled. Else it is a caution."""

    rule: str  # the profile
    numbers: tuple[str, ...]  # those that may not be presented there
    binding: bool
    text: str  # what was expected and what was found


def binds(rule: CallerIdRule, on: date) -> bool:
    """Say whether a duty is in force on this local date."""
    return rule.since is None or on >= rule.since


def may_present(number: str, rule: CallerIdRule) -> bool:
    """Say whether a number, in E.164, may be presented under a duty that is in force."""
    if rule.required_prefixes and not number.startswith(rule.required_prefixes):
        return False
    return not (rule.forbid_mobile and _is_mobile(number))


def presentable(numbers: Sequence[str], profiles: Iterable[Profile], on: date) -> tuple[str, ...]:
    """Return those of our numbers that may be presented where these profiles hold, in their order.

    An unverified duty chooses among several numbers; where it would leave none, only the verified ones hold.
    """
    rules = [(profile, rule) for profile in profiles if (rule := profile.caller_id) is not None and binds(rule, on)]
    for held in (rules, [(profile, rule) for profile, rule in rules if is_verified(profile, rule)]):
        allowed = tuple(number for number in numbers if all(may_present(number, rule) for _, rule in held))
        if allowed:
            return allowed
    return ()


def caller_id_faults(caller_ids: Sequence[str], profiles: Iterable[Profile], on: date) -> list[CallerIdFault]:
    """Return, for each of the profiles under which none of our numbers may be presented on this date, what is wrong;
    and what is wrong where each has one, and no number suits all of a country. Pure."""
    faults = []
    profiles = tuple(profiles)
    for profile in profiles:
        rule = profile.caller_id
        if rule is None or not binds(rule, on):
            continue
        wrong = tuple(number for number in caller_ids if not may_present(number, rule))
        if len(wrong) < len(caller_ids):
            continue
        faults.append(
            CallerIdFault(
                rule=profile.id,
                numbers=wrong,
                binding=is_verified(profile, rule),
                text=f"{profile.jurisdiction}: expected a caller ID {_wanted(rule)} ({rule.cite or profile.cite}), "
                f"found {', '.join(wrong)}: add one that you may present there",
            )
        )
    for country in dict.fromkeys(profile.country for profile in profiles):
        there = [profile for profile in profiles if profile.country == country]
        if any(fault.binding and fault.rule in {p.id for p in there} for fault in faults):
            continue
        if caller_ids and not presentable(caller_ids, there, on):
            text = f"{country}: expected a caller ID that all its duties allow, found none: add one"
            faults.append(CallerIdFault(rule=there[0].id, numbers=tuple(caller_ids), binding=True, text=text))
    return faults


def is_verified(profile: Profile, rule: CallerIdRule) -> bool:
    """Say whether a duty's text was read; a duty with no confidence of its own has its profile's."""
    confidence = profile.confidence if rule.confidence == "POLICY" else rule.confidence
    return confidence in VERIFIED


def _wanted(rule: CallerIdRule) -> str:
    wanted = [f"that begins with {' or '.join(rule.required_prefixes)}"] if rule.required_prefixes else []
    wanted += ["that is no mobile number"] if rule.forbid_mobile else []
    return " and ".join(wanted)


@lru_cache(maxsize=256)
def _is_mobile(number: str) -> bool:
    """Whether the numbering plan says so; where it does not part mobile from fixed (+1), no."""
    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return False
    return phonenumbers.number_type(parsed) == phonenumbers.PhoneNumberType.MOBILE
