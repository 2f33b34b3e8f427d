"""Small laws by hand, for the tests of what the rules mean."""

from datetime import datetime
from zoneinfo import ZoneInfo

from compliance.clearance import DialCandidate, Place
from compliance.rule import CapRule, Profile, WindowRule
from compliance.ruleset import RuleSet

EVERY_DAY = tuple(range(7))
WORKDAYS = tuple(range(5))


def at(text: str, zone: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp()


def window(begin: int, end: int, days=EVERY_DAY, confidence="V1", **cited) -> WindowRule:
    return WindowRule(days=days, begin_minute=begin * 60, end_minute=end * 60, confidence=confidence, **cited)


def cap(rule: str, maximum: int, n: int = 1, *, kind="rolling_calendar_days", key=("person",), **rest) -> CapRule:
    return CapRule(rule=rule, count=rest.pop("count", "attempt"), max=maximum, kind=kind, n=n, key=key, **rest)


def profile(name: str, jurisdiction: str, **rest) -> Profile:
    rest.setdefault("scope", ("debt_collection",))
    return Profile(id=name, jurisdiction=jurisdiction, **rest)


POLICY = profile("policy", "*", windows=(window(9, 20, WORKDAYS, "POLICY"), window(10, 14, (5,), "POLICY")))


def rules(*profiles: Profile, **own) -> RuleSet:
    own.setdefault("ring_guard_s", 0.0)
    own.setdefault("policy", POLICY)
    own.setdefault("scope", "debt_collection")
    by_country: dict[str, list[Profile]] = {}
    for one in profiles:
        by_country.setdefault(one.country, []).append(one)
    return RuleSet(by_country, **own)


def place(*jurisdictions: str, zones=("America/Lima",)) -> Place:
    return Place(jurisdictions, tuple(sorted(zones)))


def candidate(where: Place, **rest) -> DialCandidate:
    fields = {"lead_id": "L1", "person": "P1", "debt": "D1", "number": "+1", "place": where}
    return DialCandidate(**{**fields, **rest})
