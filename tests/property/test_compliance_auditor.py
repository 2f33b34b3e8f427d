"""The engine against the auditor, who was written from docs/compliance_semantics.md alone: no disagreement."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from random import Random

import msgspec
import pytest

from benchmarks.compliance.agreement import SCOPES, compare, disagreements, sides_of
from benchmarks.compliance.questions import Questions
from compliance.auditor import Auditor, Question
from compliance.auditor.whereabouts import find_place
from compliance.clearance import Place
from compliance.resolve import resolve
from compliance.rule import Scope

pytestmark = pytest.mark.timeout(600)
QUESTIONS, SEED, BATCHES = 2_000, 20261121, 4


@pytest.mark.parametrize("batch", range(BATCHES))
def test_the_engine_and_the_auditor_agree(batch: int) -> None:
    found = disagreements(QUESTIONS // BATCHES, seed=SEED + batch, next_every=20)
    assert found == [], "\n".join(
        f"{d.about}: engine {d.engine}, auditor {d.auditor}: {d.scope} {d.question}" for d in found[:5]
    )


@pytest.mark.parametrize("scope", SCOPES)
def test_the_questions_are_of_all_kinds(scope: Scope) -> None:
    """What is asked only of easy cases proves nothing."""
    auditor = sides_of(scope).auditor
    questions = Questions(auditor, Random(SEED))
    rules: Counter[str] = Counter()
    countries: Counter[str] = Counter()
    for _ in range(1_500):
        question = questions.one()
        place, _ = auditor.place(question)
        countries.update({code[:2] for code in place.jurisdictions})
        _, found = auditor.verdict(question)
        rules.update({finding.rule for finding in found} or {"allowed"})
    assert auditor.book.countries <= countries.keys()
    assert 0.1 < rules["allowed"] / 1_500 < 0.9
    expected = {"ring_guard", "policy.hours", "policy.holiday", "policy-2-a-day", "policy-7-in-7-days"}
    expected |= {"number.invalid", "number.non_geographic", "subdivision.unknown", "postal.unknown", "zone.unknown"}
    expected |= {"address.contradictory", "zone.contradictory", "country.unknown", "policy-72-h-after-abandoned"}
    assert expected <= rules.keys()
    if scope == "debt_collection":
        assert {"us-7in7", "us-7-days-after-conversation", "cl-1-a-week", "pe-debt.holiday"} <= rules.keys()


def test_equal_seeds_make_equal_questions() -> None:
    one, same = (Questions(sides_of("debt_collection").auditor, Random(7)) for _ in range(2))
    assert [one.one() for _ in range(50)] == [same.one() for _ in range(50)]


# ---- the auditor alone, against the words of the text -------------------------------------------------------
LIMA = Place(("PE",), ("America/Lima",))


def utc(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("at", "rules"),
    [
        ("2026-11-23T12:00", ()),  # Monday 07:00
        ("2026-11-23T11:59:59", ("pe-debt.hours",)),
        ("2026-11-24T00:59:14", ()),  # 19:59:14: the guard ends at 19:59:59
        ("2026-11-24T00:59:15", ("ring_guard",)),
        ("2026-11-24T01:00", ("pe-debt.hours",)),  # half-open
        ("2026-11-28T15:00", ("pe-debt.hours",)),  # Saturdays are closed
        ("2026-12-08T15:00", ("pe-debt.holiday",)),
    ],
)
def test_hours_are_half_open_and_guarded(at: str, rules: tuple[str, ...]) -> None:
    assert tuple(finding.rule for finding in sides_of("debt_collection").auditor.shut(LIMA, utc(at))) == rules


def test_a_mexican_mobile_of_before_2019_is_todays_number() -> None:
    old, new = find_place("+5215512345678"), find_place("+525512345678")
    assert old == new and not new.faults and resolve("+5215512345678").place == old.place
    assert [fault.rule for fault in find_place("+52155123456").faults] == ["number.invalid"]
    assert resolve("+52155123456").fault == "number.invalid"


def test_the_first_minute_is_found_by_stepping() -> None:
    auditor = sides_of("debt_collection").auditor
    friday_night = Question(number="+51999000111", at=utc("2026-11-28T03:00"))
    assert auditor.next_allowed_at(friday_night, until=utc("2026-12-01T00:00")) == utc("2026-11-30T12:00")
    assert auditor.next_allowed_at(friday_night, until=utc("2026-11-30T11:59")) is None


def test_a_disagreement_is_found_where_there_is_one() -> None:
    """An auditor whose Peru closes an hour sooner is told apart from the engine."""
    sides = sides_of("debt_collection")
    profiles = tuple(
        msgspec.structs.replace(
            profile,
            windows=tuple(msgspec.structs.replace(w, end_minute=w.end_minute - 60) for w in profile.windows),
        )
        if profile.id == "pe-debt"
        else profile
        for profile in sides.auditor.book.profiles
    )
    changed = Auditor(msgspec.structs.replace(sides.auditor.book, profiles=profiles))
    evening = Question(number="+51999000111", at=utc("2026-11-24T00:30"))  # 19:30
    found = compare(msgspec.structs.replace(sides, auditor=changed), evening)
    assert found is not None and found.auditor == ("pe-debt.hours",) and found.engine == ()
    assert compare(sides, evening) is None
