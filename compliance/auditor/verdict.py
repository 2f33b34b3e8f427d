"""The auditor's own verdict: everything that forbids a call, and the first minute in which nothing does."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from compliance.auditor.book import Rulebook
from compliance.auditor.clocks import local_time
from compliance.auditor.counting import cooling_down, over_cap
from compliance.auditor.hours import MINUTE_S, Hours, in_force
from compliance.auditor.question import Finding, Happening, Question, one_by_one
from compliance.auditor.whereabouts import find_place
from compliance.clearance import Place
from compliance.rule import Profile


class Auditor:
    """Holds calls against one rulebook. Pure: equal questions have equal answers."""

    def __init__(self, book: Rulebook) -> None:
        self.book = book
        self.streams = book.streams
        self._hours = Hours(book)

    def verdict(self, question: Question) -> tuple[bool, tuple[Finding, ...]]:
        """Return whether the call may begin, and all that forbids it, in order.

        The question's history was told fact by fact: those of one time and debt are one event.
        """
        place, faults = self.place(question)
        if faults:
            return False, faults
        found = sorted(self.forbidding(question, place, one_by_one(question.history)))
        return not found, tuple(found)

    def place(self, question: Question) -> tuple[Place, tuple[Finding, ...]]:
        """Return where the person may be, and what is wrong with it: then nothing else is asked."""
        found = find_place(
            question.number,
            country=question.country,
            subdivision=question.subdivision,
            postal=question.postal,
            zone=question.zone,
        )
        return found.place, (*found.faults, *self.unknown_countries(found.place))

    def unknown_countries(self, place: Place) -> tuple[Finding, ...]:
        """Return a finding for each country of the place that has no rules for the scope."""
        missing = sorted({code[:2] for code in place.jurisdictions} - self.book.countries)
        return tuple(
            Finding(rule="jurisdiction.unknown", text=f"no rules of {country} for {self.book.scope}")
            for country in missing
        )

    def forbidding(self, question: Question, place: Place, events: Iterable[Happening]) -> Iterator[Finding]:
        """Yield what forbids a call to a place that is known, after these events."""
        yield from self._hours.shut(place, question.at)
        yield from self.too_many(question, place, events)

    def shut(self, place: Place, at: float) -> tuple[Finding, ...]:
        """Return the hours and closed days that forbid a call that begins at `at`, UTC seconds."""
        return self._hours.shut(place, at)

    def too_many(self, question: Question, place: Place, events: Iterable[Happening]) -> Iterator[Finding]:
        """Yield the caps and cool-downs that forbid the call."""
        past = tuple(events)
        for profile in (*self.in_force_anywhere(place, question.at), self.book.policy):
            for cap in profile.caps:
                if found := over_cap(cap, question, past, place.zones):
                    yield _cited(found, profile)
            for rule in profile.cooldowns:
                if found := cooling_down(rule, question, past, place.zones):
                    yield _cited(found, profile)
        for cap in self.book.caps:
            if found := over_cap(cap, question, past, place.zones):
                yield found

    def in_force_anywhere(self, place: Place, at: float) -> list[Profile]:
        """Return the profiles that are in force on the local date of any candidate zone, without the policy."""
        days = [local_time(at, zone).date() for zone in place.zones]
        return [profile for profile in self.book.applying(place) if any(in_force(profile, day) for day in days)]

    def next_allowed_at(self, question: Question, *, until: float) -> float | None:
        """Step minute by minute to the first in which the call is allowed, UTC seconds; None: none by `until`.

        The present moment is asked first, then the beginning of each minute after it.
        """
        place, faults = self.place(question)
        if faults:
            return None
        events = one_by_one(question.history)
        at = question.at
        while at <= until:
            later = msgspec.structs.replace(question, at=at)
            if next(self.forbidding(later, place, events), None) is None:
                return at
            at = (at // MINUTE_S + 1) * MINUTE_S
        return None


def _cited(found: Finding, profile: Profile) -> Finding:
    return found if found.cite else msgspec.structs.replace(found, cite=profile.cite)
