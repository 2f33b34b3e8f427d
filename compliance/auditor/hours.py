"""Whether a moment is open: each rule's hours and closed days, by the clock of every zone, one minute at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from math import floor

from compliance.auditor.book import Rulebook
from compliance.auditor.clocks import local_time
from compliance.auditor.closed_days import is_closed
from compliance.auditor.question import Finding
from compliance.auditor.whereabouts import chain
from compliance.clearance import Place
from compliance.rule import VERIFIED, Profile, WindowRule

MINUTE_S = 60.0
_KEPT = 500_000  # answers kept in memory


class Hours:
    """Answers for one rulebook; what was answered for a place and a minute is kept."""

    def __init__(self, book: Rulebook) -> None:
        self._book = book
        self._answers: dict[tuple[Place, float], tuple[Finding, ...]] = {}

    def shut(self, place: Place, at: float) -> tuple[Finding, ...]:
        """Return what forbids a call that begins at `at`, UTC seconds: in that moment, or by the guard's end.

        In each zone a rule forbids it for its holiday, `ID.holiday`, or else for its hours, `ID.hours`. Where only the
        guard forbids it, that is one finding, `ring_guard`.
        """
        first, *later = minutes(at, at + self._book.ring_guard_s)
        if found := self._minute(place, first):
            return found
        for minute in later:
            if found := self._minute(place, minute):
                text = f"it may still ring when it is over: {found[0].text}"
                return (Finding(rule="ring_guard", text=text, cite=found[0].cite),)
        return ()

    def _minute(self, place: Place, minute: float) -> tuple[Finding, ...]:
        key = (place, minute)
        answer = self._answers.get(key)
        if answer is None:
            if len(self._answers) >= _KEPT:
                self._answers.clear()
            found = {finding.rule: finding for finding in self._shut_at(place, minute)}
            answer = self._answers[key] = tuple(sorted(found.values()))
        return answer

    def _shut_at(self, place: Place, at: float) -> Iterator[Finding]:
        book = self._book
        applying = book.applying(place)
        for profile in applying:
            for zone in sorted({*place.zones, *profile.zones}):
                here = local_time(at, zone)
                if in_force(profile, here.date()):
                    yield from _of_profile(profile, place, here, profile.country)
        for country in sorted({code[:2] for code in place.jurisdictions}):
            for zone in place.zones:
                here = local_time(at, zone)
                if not is_governed(applying, place, country, here.date()):
                    yield from _of_profile(book.policy, place, here, country)
        for zone in place.zones:
            here = local_time(at, zone)
            if book.windows and not within(book.windows, here):
                yield Finding(rule="campaign.windows.hours", text=f"outside them: {here:%a %H:%M} in {zone}")
            if here.date() in book.closed_dates:
                yield Finding(rule="campaign.closed_dates", text=f"{here.date()} is closed by the campaign")


def minutes(begin: float, end: float) -> list[float]:
    """Return the beginnings (UTC seconds) of all minutes from that of `begin` to that of `end`, both included."""
    return [number * MINUTE_S for number in range(floor(begin / MINUTE_S), floor(end / MINUTE_S) + 1)]


def in_force(profile: Profile, day: date) -> bool:
    """Say whether a profile is in force on a local date. A last day that nobody verified ends nothing."""
    span = profile.in_force
    if span.first is not None and day < span.first:
        return False
    return span.last is None or day <= span.last or span.confidence not in VERIFIED


def is_governed(applying: Sequence[Profile], place: Place, country: str, day: date) -> bool:
    """Say whether hours that somebody verified stand for the country on a local date, so that the policy's need not.

    Those of the whole country, or of every subdivision in which the person may be (its own, or of what it is part of).
    What somebody adds in a pack of their own, without putting ours aside and saying why, stands for nothing.
    """
    verified = {
        profile.jurisdiction
        for profile in applying
        if not profile.own
        and in_force(profile, day)
        and any(window.confidence in VERIFIED for window in profile.windows)
    }
    if country in verified:
        return True
    known = [code for code in place.jurisdictions if code.startswith(f"{country}-")]
    return bool(known) and all(not verified.isdisjoint(chain(code)) for code in known)


def within(windows: Sequence[WindowRule], here: datetime) -> bool:
    """Say whether a local time lies in a span of its weekday; a span's end is outside."""
    minute = here.hour * 60 + here.minute
    return any(
        here.weekday() in window.days and window.begin_minute <= minute < window.end_minute for window in windows
    )


def _of_profile(profile: Profile, place: Place, here: datetime, country: str) -> Iterator[Finding]:
    closed = profile.holidays
    if closed is not None and is_closed(closed, country, place.jurisdictions, here.date()):
        text = f"{here.date()} is a holiday of {country}"
        yield Finding(rule=f"{profile.id}.holiday", text=text, cite=closed.cite or profile.cite)
    elif profile.windows and not within(profile.windows, here):
        text = f"outside its hours: {here:%a %H:%M} in {here.tzinfo}"
        yield Finding(rule=f"{profile.id}.hours", text=text, cite=profile.cite)
