"""Random questions to the rules, most of them near an edge: a window's end, a night on which clocks are set, a holiday,
a cap's last slot, an address in another state."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from functools import cache
from random import Random

import holidays
import msgspec
import phonenumbers

from compliance.auditor import Auditor, Happening, Question
from compliance.auditor.clocks import clock_of, country_zones, zone_names
from compliance.auditor.counting import first_day
from compliance.auditor.question import kinds_of_attempt
from compliance.auditor.whereabouts import rows
from compliance.clearance import Place
from compliance.rule import CapRule, CooldownRule, Profile

_OTHER_NUMBER = "+51999000222"
FIRST_DAY, DAYS = date(2026, 1, 1), 730
DAY_S, HOUR_S = 86400.0, 3600.0
_DELTAS_S = (-3600, -61, -60, -46, -45.5, -45, -44.5, -44, -30, -1, -0.5, 0, 0.5, 1, 29, 59, 60, 3600)
_CHANNELS = ("voice", "inbound", "sms", "whatsapp", "email", "letter", "visit")
_KINDS = ("attempt", "contact", "conversation", "refusal", "abandoned")
_DISPOSITIONS = ("NO_ANSWER", "BUSY", "INVALID_NUMBER", "MACHINE", "RPC", "REFUSED", "ABANDONED", "UNKNOWN")
_TYPES = (
    phonenumbers.PhoneNumberType.FIXED_LINE,
    phonenumbers.PhoneNumberType.MOBILE,
    phonenumbers.PhoneNumberType.VOIP,
    phonenumbers.PhoneNumberType.TOLL_FREE,
    phonenumbers.PhoneNumberType.PREMIUM_RATE,
    phonenumbers.PhoneNumberType.SHARED_COST,
    phonenumbers.PhoneNumberType.PERSONAL_NUMBER,
    phonenumbers.PhoneNumberType.UAN,
)
_ABROAD = ("JP", "XX", "es", "PR", "ES", "US", "EC")
_HOPELESS = (
    "+",
    "+1",
    "+519",
    "+999123456789",
    "12025550123",
    "+8835100000000",
    "+881612345678",
    "+51abc",
    "+81312345678",
)


class Questions:
    """Makes questions for one scope; equal seeds make equal questions."""

    def __init__(self, auditor: Auditor, rng: Random) -> None:
        self._auditor = auditor
        self._rng = rng
        self._asked_number = ""
        self._countries = sorted(auditor.book.countries)

    def one(self) -> Question:
        """Return the next question."""
        rng = self._rng
        country = rng.choice(self._countries)
        number = self._asked_number = self._number(country)
        abroad, subdivision, postal, zone = self._address(country)
        asked = Question(
            number=number,
            at=0.0,
            country=abroad,
            subdivision=subdivision,
            postal=postal,
            zone=zone,
            person="P1",
            debt="D1",
            account=rng.choice(("", "A1")),
            subject="S1",
            campaign="C1",
            use=rng.choice(("", "", "", "work")),
            agent_held=rng.random() < 0.1,
        )
        place, _ = self._auditor.place(asked)
        at = self._moment(place, country)
        return msgspec.structs.replace(asked, at=at, history=self._history(place, at))

    # ---- who and where ------------------------------------------------------------------------------------------
    def _number(self, country: str) -> str:
        rng = self._rng
        chance = rng.random()
        if chance < 0.02:
            return rng.choice(_HOPELESS)
        if chance < 0.10:
            return self._shuffled(country, rng.choice(_TYPES))
        codes = _area_codes(country)
        if codes and chance < 0.75:
            row = rng.choice(codes)
            mold = _mold(row["country"], phonenumbers.PhoneNumberType.FIXED_LINE)
            for _ in range(20):
                national = row["prefix"] + "".join(rng.choice("0123456789") for _ in range(20))
                number = f"+{phonenumbers.country_code_for_region(country)}{national[: len(mold)]}"
                if phonenumbers.is_valid_number(phonenumbers.parse(number)):
                    return number
            return number
        return self._shuffled(country, rng.choice(_TYPES[:2]))

    def _shuffled(self, country: str, kind: int) -> str:
        """Another number like libphonenumber's example."""
        rng = self._rng
        regions = [country, *(row["region"] for row in rows("territories") if row["country"] == country)]
        region = rng.choice(regions) if rng.random() < 0.3 else country
        example = phonenumbers.example_number_for_type(region, kind)
        if example is None or not example.national_number:
            return rng.choice(_HOPELESS)
        text = phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.E164)
        last = rng.randrange(1, 5)
        return text[:-last] + "".join(rng.choice("0123456789") for _ in range(last))

    def _address(self, country: str) -> tuple[str, str, str, str]:
        rng = self._rng
        abroad = subdivision = postal = zone = ""
        home = country if rng.random() < 0.85 else rng.choice(self._countries)
        if rng.random() < 0.4:
            codes = [row["code"] for row in rows("subdivisions") if row["code"].startswith(home)]
            subdivision = (
                rng.choice(codes) if codes and rng.random() < 0.97 else rng.choice((f"{home}-ZZ", "ZZ", "XX-1"))
            )
        if rng.random() < 0.3:
            known = [row["prefix"] for row in rows("postal_codes") if row["country"] == home]
            postal = self._postal(home, rng.choice(known) if known and rng.random() < 0.9 else "0")
        chance = rng.random()
        if chance < 0.03:
            zone = rng.choice((*sorted(zone_names()), "Mars/Base", "../../etc/passwd"))
        elif chance < 0.08:
            zone = rng.choice([name for of, name in sorted(country_zones()) if of == home])
        if rng.random() < 0.1:
            abroad = rng.choice((home, rng.choice(rows("territories"))["region"], rng.choice(_ABROAD)))
        return abroad, subdivision, postal, zone

    def _postal(self, country: str, prefix: str) -> str:
        """A code that begins so, like the country's example; now and then too short, in small letters or spaced."""
        rng = self._rng
        example = next((row["example"] for row in rows("postal_formats") if row["country"] == country), "00000")
        tail = re.sub(r"[\s-]", "", example)[len(prefix) :]
        drawn = [rng.choice("0123456789" if sign.isdigit() else "ABCEGHJKLMNPRSTVWXYZ") for sign in tail]
        text = prefix + "".join(drawn[: -1 if rng.random() < 0.05 else None])
        if rng.random() < 0.2:
            text = text[:2] + rng.choice((" ", "-", " - ")) + text[2:].lower()
        return text

    # ---- when ---------------------------------------------------------------------------------------------------
    def _moment(self, place: Place, country: str) -> float:
        rng = self._rng
        zone = rng.choice(place.zones) if place.zones else "UTC"
        if zone not in zone_names():
            zone = "UTC"
        profiles = self._auditor.book.applying(place)
        day = self._day(zone, country, profiles)
        minute = self._minute(profiles)
        local = datetime(day.year, day.month, day.day, tzinfo=clock_of(zone), fold=rng.randrange(2))
        wall = local.replace(hour=minute // 60 % 24, minute=minute % 60)
        return wall.timestamp() + rng.choice(_DELTAS_S) if rng.random() < 0.8 else wall.timestamp() + rng.random() * 60

    def _day(self, zone: str, country: str, profiles: Sequence[Profile]) -> date:
        rng = self._rng
        day = FIRST_DAY + timedelta(days=rng.randrange(DAYS))
        near = timedelta(days=rng.choice((-1, 0, 0, 1)))
        match rng.randrange(8):
            case 0 if set_on := clock_changes(zone):
                return rng.choice(set_on) + near
            case 1 | 2:
                return rng.choice(holidays_of(country)) + near
            case 3:
                return day.replace(day=1) + near
            case 4:
                return day - timedelta(days=day.weekday()) + near
            case 5:
                edges = [
                    edge for profile in profiles for edge in (profile.in_force.first, profile.in_force.last) if edge
                ]
                edges += sorted(self._auditor.book.closed_dates)
                return rng.choice(edges) + near if edges else day
            case _:
                return day

    def _minute(self, profiles: Sequence[Profile]) -> int:
        rng = self._rng
        book = self._auditor.book
        windows = [*book.windows, *(window for profile in (*profiles, book.policy) for window in profile.windows)]
        chance = rng.random()
        if windows and chance < 0.5:
            window = rng.choice(windows)
            return rng.choice((window.begin_minute, window.end_minute))
        if chance < 0.6:
            return rng.choice((0, 1, 59, 60, 61, 119, 120, 121, 179, 180, 1438, 1439))
        return rng.randrange(8 * 60, 20 * 60) if chance < 0.9 else rng.randrange(1440)

    # ---- what happened before -----------------------------------------------------------------------------------
    def _history(self, place: Place, at: float) -> tuple[Happening, ...]:
        rng = self._rng
        if rng.random() < 0.25 or not place.zones or not all(zone in zone_names() for zone in place.zones):
            return ()
        book = self._auditor.book
        rules: list[CapRule | CooldownRule] = [*book.caps, *book.caps]
        for profile in (*book.applying(place), book.policy):
            rules += [*profile.caps, *profile.cooldowns]
        facts: list[Happening] = []
        for rule in rng.sample(rules, min(len(rules), rng.choice((1, 1, 1, 2)))):
            facts += self._around(rule, place, at)
        for _ in range(rng.choice((0, 0, 1, 2))):
            facts.append(self._fact(at - rng.random() * 40 * DAY_S, rng.choice(_KINDS), rng.choice(_CHANNELS)))
        told = [fact for fact in facts if not fact.disposition]
        if told and rng.random() < 0.2:
            twin = rng.choice(told)
            facts.append(self._fact(twin.at, rng.choice(_KINDS), twin.channel, debt=twin.debt, ours=False))
        rng.shuffle(facts)
        return tuple(facts)

    def _around(self, rule: CapRule | CooldownRule, place: Place, at: float) -> list[Happening]:
        """Facts near the edge of a rule's period, one fewer, as many, or one more than it allows."""
        rng = self._rng
        channels: tuple[str, ...]
        if isinstance(rule, CooldownRule):
            count, kind, channels = 1, str(rule.after), ("voice", "inbound")
            hours, period, n = rule.hours, "rolling_calendar_days", (rule.days or 0) + (rule.first_day == "next_day")
        else:
            count, channels = max(0, rule.max + rng.choice((-1, -1, 0, 0, 1))), (*rule.channels, "voice")
            kind = "contact" if rule.count == "communication" else rule.count
            hours, period, n = rule.n if rule.kind == "rolling_hours" else None, rule.kind, rule.n
        begins = self._begins(place, at, period, n) if hours is None else [at - hours * HOUR_S]
        facts = []
        for _ in range(count):
            begin = rng.choice(begins) + rng.choice((-DAY_S, 0.0, 0.0, 0.0, DAY_S)) * (rng.random() < 0.3)
            when = begin + rng.choice(_DELTAS_S) if rng.random() < 0.5 else begin + rng.random() * max(0.0, at - begin)
            facts.append(self._fact(min(when, at), kind, rng.choice(channels)))
        return facts

    def _begins(self, place: Place, at: float, period: str, n: int) -> list[float]:
        """Return when a period of the calendar began in each zone, UTC seconds."""
        found = []
        for zone in place.zones:
            first = first_day(period, n, datetime.fromtimestamp(at, clock_of(zone)).date())
            found.append(datetime(first.year, first.month, first.day, tzinfo=clock_of(zone)).timestamp())
        return found

    def _fact(
        self, at: float, kind: str, channel: str, *, debt: str | None = None, ours: bool | None = None
    ) -> Happening:
        """A fact as it is told, of one kind; or an attempt of ours, with its disposition."""
        rng = self._rng
        ours = kind == "attempt" and channel == "voice" and rng.random() < 0.15 if ours is None else ours
        ended = rng.choice(_DISPOSITIONS) if ours else ""
        return Happening(
            at=at,
            kinds=kinds_of_attempt(ended) if ours else frozenset({kind}),
            disposition=ended,
            channel="voice" if ours else channel,
            debt=rng.choice(("D1", "D1", "D1", "D2", "")) if debt is None else debt,
            account=rng.choice(("", "", "", "A1", "A2")),
            number=rng.choice(("", "", "", self._asked_number, _OTHER_NUMBER)),
            subject=rng.choice(("", "", "S1", "S2")),
            campaign=rng.choice(("", "C1", "C2")),
            use=rng.choice((None, None, "work")),
        )


@cache
def clock_changes(zone: str) -> tuple[date, ...]:
    """Return the UTC dates on which a zone's clocks are set, in the years that are asked about."""
    clock = clock_of(zone)
    found = []
    for number in range(DAYS):
        day = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=number)
        if day.astimezone(clock).utcoffset() != (day + timedelta(days=1)).astimezone(clock).utcoffset():
            found.append(day.date())
    return tuple(found)


@cache
def holidays_of(country: str) -> tuple[date, ...]:
    """Return a country's holidays, those of its parts included, in the years that are asked about."""
    calendar = holidays.country_holidays(country, years=(2026, 2027))
    found = set(calendar)
    for part in calendar.subdivisions:
        found.update(holidays.country_holidays(country, subdiv=part, years=(2026, 2027)))
    return tuple(sorted(found))


@cache
def _area_codes(country: str) -> tuple[dict[str, str], ...]:
    return tuple(row for row in rows("area_codes") if row["country"] == country)


@cache
def _mold(country: str, kind: int) -> str:
    example = phonenumbers.example_number_for_type(country, kind)
    assert example is not None, f"{country}: no example of the type {kind}"
    return phonenumbers.national_significant_number(example)
