"""Segments of one campaign file that do not fit together: those that no lead can be of, and skills that nobody has.

How it works: each figure that a segment asks for splits into ranges at the bounds that two segments name. A segment
covers another if it holds wherever the other does, range by range; one behind such a segment is never reached.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Iterable, Iterator, Sequence
from math import inf, nextafter
from typing import Protocol

from dialer.config.misfits import Fault, twice
from dialer.config.names import meant
from dialer.config.segments import STAGES, Segment, Stages, When

NEVER = inf  # days since a contact that never was
_BEYOND = 1e15  # more than any amount, and than any number of days


class _Range(Protocol):
    @property
    def at_least(self) -> float | None: ...
    @property
    def below(self) -> float | None: ...


def segment_faults(segments: Sequence[Segment], stages: Stages, skills: Collection[str]) -> Iterator[Fault]:
    """Yield what is wrong with the segments, each fault at its place in the campaign."""
    yield from twice("segments", [segment.name for segment in segments])
    for place, segment in enumerate(segments):
        if segment.skill and segment.skill not in skills:
            mend = meant(segment.skill, skills) if skills else "name it among the `skills` of one"
            yield ("segments", place, "skill"), f"expected a skill of an agent, was {segment.skill!r}: {mend}"
        loc = ("segments", place, "when")
        if not _possible(segment.when, stages):
            yield loc, "no debt can be of these stages and so many days_past_due: mend one of them"
            continue
        for before in segments[:place]:
            if _covers(before.when, segment.when, stages):
                yield loc, f"never reached: every such lead is of {before.name!r} before it; put this one first"
                break


def stage_of(days_past_due: float, stages: Stages) -> str:
    """Return the stage of delinquency of a debt."""
    return STAGES[bisect_left((stages.early, stages.middle), days_past_due)]


def _possible(when: When, stages: Stages) -> bool:
    return when.days_past_due is None or any(_delinquent(when, day, stages) for day in _days((when,), stages))


def _covers(outer: When, inner: When, stages: Stages) -> bool:
    """Say whether every lead of `inner` is one of `outer`."""
    return (
        _covers_days(outer, inner, stages)
        and _covers_range(outer.amount, inner.amount, least=-inf)
        and _covers_range(outer.propensity, inner.propensity, least=0.0)
        and _covers_contact(outer, inner)
        and _covers_names(outer.product, inner.product)
        and _covers_names(outer.region, inner.region)
    )


def _covers_names(outer: tuple[str, ...] | None, inner: tuple[str, ...] | None) -> bool:
    return outer is None or (inner is not None and set(inner) <= set(outer))


def _covers_range(outer: _Range | None, inner: _Range | None, *, least: float) -> bool:
    if outer is None or inner is None:
        return outer is None
    figures = _figures((outer, inner), least)
    return all(_within(outer, figure) for figure in figures if _within(inner, figure))


def _covers_contact(outer: When, inner: When) -> bool:
    if outer.last_contact_days is None or inner.last_contact_days is None:
        return outer.last_contact_days is None
    ages = (*_figures((outer.last_contact_days, inner.last_contact_days), 0.0), NEVER)
    return all(_last_contact(outer, age) for age in ages if _last_contact(inner, age))


def _last_contact(when: When, days: float) -> bool:
    asked = when.last_contact_days
    if asked is None or days == NEVER:
        return asked is None or asked.never
    return (asked.at_least is not None or asked.below is not None) and _within(asked, days)


def _covers_days(outer: When, inner: When, stages: Stages) -> bool:
    """Stages are days past due too."""
    if outer.stage is None and outer.days_past_due is None:
        return True
    if inner.stage is None and inner.days_past_due is None:
        return False
    return all(
        _delinquent(outer, day, stages) for day in _days((outer, inner), stages) if _delinquent(inner, day, stages)
    )


def _delinquent(when: When, days: float, stages: Stages) -> bool:
    if when.stage is not None and stage_of(days, stages) not in when.stage:
        return False
    return when.days_past_due is None or _within(when.days_past_due, days)


def _days(whens: Iterable[When], stages: Stages) -> set[float]:
    """Return whole days past due: one at least of every range that stages and bounds part."""
    bounds = [stages.early, stages.middle]
    for when in whens:
        asked = when.days_past_due
        if asked is not None:
            bounds += [bound for bound in (asked.at_least, asked.below) if bound is not None]
    return {bound + step for bound in bounds for step in (-1.0, 0.0, 1.0)}


def _figures(ranges: Iterable[_Range], least: float) -> list[float]:
    """Return figures from `least` on, one at least of every range that these bounds part."""
    bounds = [bound for one in ranges for bound in (one.at_least, one.below) if bound is not None]
    figures = (max(least, -_BEYOND), _BEYOND, *bounds, *(nextafter(bound, -inf) for bound in bounds))
    return [figure for figure in figures if figure >= least]


def _within(asked: _Range, figure: float) -> bool:
    return (asked.at_least is None or asked.at_least <= figure) and (asked.below is None or figure < asked.below)
