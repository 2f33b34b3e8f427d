"""Where the calls went: carriers, the way from leads to promises, dispositions, what the rules refused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sim.day import DayRecord, TrunkDay
from sim.report.numbers import count, money, percent, plain, seconds
from sim.report.rates import rate
from sim.report.words import DISPOSITIONS, Look, spoken, trunk_look


@dataclass(frozen=True, kw_only=True)
class Bar:
    """A row with a bar: `width` is a percentage of the longest, `note` says what share it is."""

    name: str
    code: str = ""
    value: str
    note: str
    width: float


@dataclass(frozen=True, kw_only=True)
class TrunkRow:
    """One trunk over the whole day; rates as text, `share_width` and `answered_width` as percentages for bars."""

    look: Look
    carrier: str
    attempts: str
    share: str
    share_width: float
    answered: str
    answered_width: float
    live: str
    delay: str
    failed: str
    tries: str
    contacts: str
    cost: str


def trunk_rows(day: DayRecord) -> list[TrunkRow]:
    """All trunks in the day's order."""
    everything = sum(sum(trunk.attempts) for trunk in day.trunks.values())
    highest = max((_answered(trunk) or 0.0 for trunk in day.trunks.values()), default=0.0)
    return [
        _trunk_row(trunk_look(name, place), trunk, everything, highest, day.currency)
        for place, (name, trunk) in enumerate(day.trunks.items())
    ]


def _answered(trunk: TrunkDay) -> float | None:
    return rate(sum(trunk.answers), sum(trunk.attempts))


def _trunk_row(look: Look, trunk: TrunkDay, everything: int, highest: float, currency: str) -> TrunkRow:
    tried, answered = sum(trunk.attempts), _answered(trunk)
    tries, contacts, cost = sum(trunk.tries), sum(trunk.contacts), sum(trunk.cost)
    share = rate(tried, everything)
    return TrunkRow(
        look=look,
        carrier=trunk.carrier,
        attempts=count(tried),
        share=percent(share),
        share_width=_width(share or 0.0, 1.0),
        answered=percent(answered),
        answered_width=_width(answered or 0.0, highest),
        live=percent(rate(sum(trunk.live_answers), tried)),
        delay=seconds(rate(sum(trunk.set_up_s), sum(trunk.rang))),
        failed=percent(rate(sum(trunk.failed), tried)),
        tries=count(tries),
        contacts=plain(rate(1000 * contacts, tries)),
        cost=money(rate(cost, contacts) if cost else None, currency),  # without a price nothing is known
    )


def people_funnel(day: DayRecord) -> list[Bar]:
    """From the list to the people reached, each a share of the list."""
    steps = (
        ("On the list", day.leads),
        ("Attempted", day.leads_attempted),
        ("Right party reached", day.leads_reached),
    )
    return _funnel(steps, "of the list")


def calls_funnel(day: DayRecord) -> list[Bar]:
    """From attempts to promises, each a share of the step before."""
    steps = (
        ("Attempts", sum(day.attempts)),
        ("Answered", sum(day.answers)),
        ("Live answers", sum(day.live_answers)),
        ("Connected to an agent", sum(day.bridged)),
        ("Right-party contacts", sum(day.right_party_contacts)),
        ("Promises to pay", sum(day.promises)),
    )
    return _funnel(steps, "")


def _funnel(steps: Sequence[tuple[str, int]], of_first: str) -> list[Bar]:
    bars, first = [], steps[0][1]
    for place, (name, number) in enumerate(steps):
        whole = first if of_first else steps[place - 1][1]
        share = rate(number, whole) if place else None
        note = "" if share is None else f"{percent(share)} {of_first or 'of the step before'}"
        bars.append(Bar(name=name, value=count(number), note=note, width=_width(number, first)))
    return bars


def disposition_bars(day: DayRecord) -> list[Bar]:
    """Final dispositions, the most frequent first."""
    return _ranked(day.dispositions, {code: DISPOSITIONS.get(code, spoken(code)) for code in day.dispositions})


def refusal_bars(day: DayRecord) -> list[Bar]:
    """Refusals by rule, the most frequent first."""
    return _ranked(day.refusals, {rule: rule for rule in day.refusals})


def _ranked(counts: Mapping[str, int], names: Mapping[str, str]) -> list[Bar]:
    everything, longest = sum(counts.values()), max(counts.values(), default=0)
    return [
        Bar(
            name=names[code],
            code=code if names[code] != code else "",
            value=count(number),
            note=percent(rate(number, everything)),
            width=_width(number, longest),
        )
        for code, number in sorted(counts.items(), key=lambda item: (-item[1], item[0]))
        if number
    ]


def _width(part: float, whole: float) -> float:
    return round(100 * min(1.0, part / whole), 2) if whole else 0.0
