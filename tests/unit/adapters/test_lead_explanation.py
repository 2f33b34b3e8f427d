"""The plan of a lead, read back from a journal."""

from __future__ import annotations

from pathlib import Path

import pytest

from dialer.adapters.journal import Header, Journal
from dialer.adapters.lead_explanation import last_plan
from dialer.core.events import HoursPlanned, LeadsAdded
from dialer.core.lead import Lead, LeadProgress
from models.exploration import Because
from models.plan import HourPlan, pack

AT = 1_763_672_400.0
NAN = float("nan")


def plan(number: int, order: list[int]) -> HourPlan:
    return HourPlan(
        number=number,
        until=AT + 3600.0 * number,
        models=("m-1",),
        order=pack(order, "<i4"),
        held=pack([2], "<i4"),
        held_until=pack([AT + 7200.0], "<f8"),
        answer=pack([0.25, 0.5, NAN], "<f4"),
        right_party=pack([0.5, NAN, NAN], "<f4"),
        because=pack([Because.MODEL, Because.RANDOM_HOUR, Because.TABLES], "|u1"),
        propensity=pack([NAN, 0.125, NAN], "<f4"),
        arm=pack([0, 0, 0], "|u1"),
    )


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    path = tmp_path / "day.jsonl"
    written = Journal(path, Header(campaign={"campaign": "mora"}, run=1, seed=1, started_at=AT))
    for at, names in ((AT, ("ana", "eva")), (AT, ("bo", "late"))):
        leads = tuple(Lead(lead_id=name, numbers=(), person=name, debt=name) for name in names)
        progress = tuple(LeadProgress(lead_id=name) for name in names)
        written.append(LeadsAdded(at=at, leads=leads, progress=progress), [])
    written.append(HoursPlanned(at=AT + 10.0, plan=plan(1, [0, 1])), [])
    written.append(HoursPlanned(at=AT + 900.0, plan=plan(2, [1, 0])), [])
    written.close()
    return path


def test_the_last_plan_until_a_moment_says_where_a_lead_stands(journal: Path) -> None:
    first, last = last_plan(journal, "ana", AT + 20.0), last_plan(journal, "ana", AT + 1000.0)
    assert first is not None and last is not None
    assert (first.place, first.of, first.answer, first.because) == (1, 2, 0.25, "model")
    assert (last.place, last.until) == (2, AT + 7200.0)
    drawn = last_plan(journal, "eva", AT + 1000.0)
    assert drawn is not None
    assert (drawn.because, drawn.propensity, drawn.right_party) == ("random_hour", 0.125, None)
    held = last_plan(journal, "bo", AT + 1000.0)
    assert held is not None and (held.place, held.held_until, held.answer) == (None, AT + 7200.0, None)


def test_what_no_plan_names_has_none(journal: Path) -> None:
    assert last_plan(journal, "ana", AT) is None  # before the first plan
    assert last_plan(journal, "late", AT + 1000.0) is None  # the plan does not know it
    assert last_plan(journal, "nobody", AT + 1000.0) is None


def test_a_journal_that_goes_on_is_read_as_far_as_it_is(journal: Path) -> None:
    with journal.open("ab") as file:
        file.write(b'E {"type":"TimePas')
    assert last_plan(journal, "ana", AT + 1000.0) is not None
