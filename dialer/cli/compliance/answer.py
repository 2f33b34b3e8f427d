"""Answers to questions about calls: the law of every known country, with no campaign and no store."""

from __future__ import annotations

import math
from datetime import datetime, tzinfo
from importlib.metadata import version

import msgspec

from compliance.clearance import DialCandidate
from compliance.resolve import Resolution, resolve
from compliance.rule import Scope
from compliance.ruleset import RuleSet
from compliance.verdict import Reason, judge
from compliance.zones import tzdata_version
from dialer import __version__
from dialer.adapters.question_file import BadQuestion, Question
from dialer.config.rule_packs import law, pack_version

INVALID = "question.invalid"
_NUMBERS_KEPT = 1 << 16  # resolved places, of a batch that asks of the same numbers again


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What is answered to one question. `next_allowed_at` has the offset of the question; None: never, or unknown.

    `requires` are what the moment of dialling must check besides: consent, registries.
    """

    allowed: bool
    reasons: tuple[Reason, ...]
    next_allowed_at: str | None
    zones: tuple[str, ...] = ()
    jurisdictions: tuple[str, ...] = ()
    profiles: tuple[str, ...] = ()
    requires: tuple[str, ...] = ()
    versions: dict[str, str]


class Answerer:
    """Answers questions; what is alike in many of them is worked out once."""

    def __init__(self) -> None:
        self.versions = {
            "program": __version__,
            "rules": pack_version(),
            "tzdata": tzdata_version(),
            "holidays": version("holidays"),
            "phonenumbers": version("phonenumbers"),
        }
        self._laws: dict[Scope, RuleSet] = {}
        self._places: dict[tuple[str, str, str], Resolution] = {}

    def answer(self, question: Question) -> Answer:
        """Return the verdict. Pure but for what is kept: equal questions get equal answers."""
        resolution = self._resolve(question)
        place = resolution.place
        if resolution.fault:
            return Answer(
                allowed=False,
                reasons=(_denial(resolution.fault, resolution.fault_text),),
                next_allowed_at=None,
                zones=place.zones,
                jurisdictions=place.jurisdictions,
                versions=self.versions,
            )
        candidate = DialCandidate(
            lead_id="", person=question.person, debt=question.debt, number=resolution.number, place=place
        )
        verdict = judge(self._law(question.scope), candidate, question.at.timestamp(), question.history)
        return Answer(
            allowed=verdict.allowed,
            reasons=verdict.reasons,
            next_allowed_at=_written(verdict.next_allowed_at, question.at.tzinfo),
            zones=verdict.zones,
            jurisdictions=verdict.jurisdictions,
            profiles=verdict.profiles,
            requires=verdict.requires,
            versions=self.versions,
        )

    def refuse(self, question: BadQuestion) -> Answer:
        """Return the answer to a question that is none."""
        return Answer(
            allowed=False, reasons=(_denial(INVALID, question.fault),), next_allowed_at=None, versions=self.versions
        )

    def _law(self, scope: Scope) -> RuleSet:
        if scope not in self._laws:
            self._laws[scope] = law(scope)
        return self._laws[scope]

    def _resolve(self, question: Question) -> Resolution:
        asked = (question.number, question.subdivision, question.postal)
        found = self._places.get(asked)
        if found is None:
            found = resolve(question.number, subdivision=question.subdivision, postal=question.postal)
            if len(self._places) < _NUMBERS_KEPT:
                self._places[asked] = found
        return found


def _denial(rule: str, text: str) -> Reason:
    return Reason(rule=rule, text=text, cite="", confidence="POLICY")


def _written(at: float | None, zone: tzinfo | None) -> str | None:
    """Write a time with an offset, in whole seconds and never too early."""
    if at is None or not math.isfinite(at):
        return None
    return datetime.fromtimestamp(math.ceil(at), zone).isoformat()
