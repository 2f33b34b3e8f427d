"""A whole list under the law: which leads may be called now, and verdicts in batches.

A million leads over forty jurisdictions, with the zones that an import stored for each. Built once; then the mask is
asked for every ten minutes of a week, so the figure is that of the worst moment, when the hours of many places end.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

import numpy as np
import phonenumbers

from benchmarks.report import Row
from compliance.calendars import load_calendars
from compliance.clearance import DialCandidate, Place
from compliance.eligibility import Eligibility, places_of
from compliance.facts import Fact
from compliance.resolve import resolve
from compliance.ruleset import RuleSet
from compliance.verdict import judge
from dialer.config.rule_packs import known_jurisdictions, law

COMMAND = "./run bench compliance"
SEED = 6
LEADS, JURISDICTIONS = 1_000_000, 40
BATCH, VERDICTS, JUDGED = 100, 200_000, 500
MASK_MS, BUILD_S, VERDICT_US = 50.0, 2.0, 10.0
STEP_S, WEEK_S = 600, 7 * 86_400
START = datetime(2026, 7, 13, tzinfo=UTC).timestamp()  # a Monday
ASKED_AT = START + 2 * 86_400 + 17 * 3600  # Wednesday, morning in Los Angeles and evening in Madrid

# One area code for each of so many states and provinces that with the countries there are forty jurisdictions.
_AREA_CODES = (
    617,
    804,
    601,
    212,
    305,
    312,
    404,
    503,
    206,
    602,
    317,
    405,
    410,
    502,
    504,
    612,
    702,
    713,
    801,
    808,
    907,
    928,
    416,
    604,
    514,
    603,
)


def rows(quick: bool) -> list[Row]:
    """The bars on the mask, on building it, and on verdicts in batches; a quick run takes a tenth of the list."""
    leads, step_s = (LEADS // 10, 6 * STEP_S) if quick else (LEADS, STEP_S)
    load_calendars()
    rules = law("debt_collection")
    places = _places()
    on_list = _stored(places, leads)
    built_s, list_ = _build(rules, on_list)
    mask_ms = max(_mask_ms(list_, step_s))
    told = f"{leads:,} leads over {len({place.jurisdictions for place in places})} jurisdictions"
    verdict_us = _verdict_us(rules, on_list, VERDICTS // 10 if quick else VERDICTS)
    return [
        _bar(f"mask of {told}, ms, the slowest of a week", mask_ms, MASK_MS),
        _bar(f"build of {told}, s", built_s, BUILD_S),
        _bar(f"verdict in batches of {BATCH}, µs a lead", verdict_us, VERDICT_US),
        Row(
            bench="compliance",
            bar="verdict with every reason and the next time allowed, µs",
            value=round(_judge_us(rules, places, JUDGED // 10 if quick else JUDGED), 1),
            goal="",
            met=None,
            command=COMMAND,
        ),
    ]


def _bar(bar: str, value: float, goal: float) -> Row:
    return Row(
        bench="compliance", bar=bar, value=round(value, 3), goal=f"<= {goal:g}", met=value <= goal, command=COMMAND
    )


def _places() -> list[Place]:
    """Forty places with jurisdictions of their own: area codes of North America, and one number of each country."""
    numbers = [f"+1{code}2255555" for code in _AREA_CODES]
    for country in known_jurisdictions():
        example = phonenumbers.example_number_for_type(country, phonenumbers.PhoneNumberType.MOBILE)
        if country not in ("US", "CA") and example is not None:
            numbers.append(phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.E164))
    found = {place.jurisdictions: place for place in (resolve(number).place for number in numbers) if place.zones}
    return list(found.values())[:JURISDICTIONS]


def _stored(places: Sequence[Place], leads: int) -> list[Place]:
    """A place a lead, each made by itself as one that was read from a store is."""
    chosen = np.random.default_rng(SEED).integers(0, len(places), leads).tolist()
    return [Place((*places[index].jurisdictions,), (*places[index].zones,)) for index in chosen]


def _build(rules: RuleSet, on_list: Sequence[Place]) -> tuple[float, Eligibility]:
    begun = time.perf_counter()
    distinct, place_of = places_of(on_list)
    nothing = np.zeros(len(on_list))
    list_ = Eligibility(rules, distinct, place_of, nothing, nothing.astype(np.bool_))
    list_.mask(START)
    return time.perf_counter() - begun, list_


def _mask_ms(list_: Eligibility, step_s: int) -> Iterator[float]:
    for later in range(0, WEEK_S, step_s):
        begun = time.perf_counter()
        list_.mask(START + later)
        yield (time.perf_counter() - begun) * 1e3


def _verdict_us(rules: RuleSet, on_list: Sequence[Place], verdicts: int) -> float:
    """CPU microseconds for each lead's window and its clearance, in batches, when most of the places are open."""
    candidates = [_candidate(number, place) for number, place in enumerate(on_list[:verdicts])]
    rules.clearances(candidates[:BATCH], ASKED_AT)
    begun = time.process_time()
    for first in range(0, len(candidates), BATCH):
        rules.clearances(candidates[first : first + BATCH], ASKED_AT)
    return (time.process_time() - begun) / len(candidates) * 1e6


def _judge_us(rules: RuleSet, places: Sequence[Place], judged: int) -> float:
    history = [Fact(at=ASKED_AT - hours * 3600.0, kinds=("attempt",), debt="D0") for hours in range(1, 200, 20)]
    begun = time.process_time()
    for number in range(judged):
        judge(rules, _candidate(number, places[number % len(places)]), ASKED_AT, history)
    return (time.process_time() - begun) / judged * 1e6


def _candidate(number: int, place: Place) -> DialCandidate:
    return DialCandidate(
        lead_id=f"L{number}", person=f"P{number}", debt=f"D{number % 7}", number=f"+1{number:010d}", place=place
    )
