"""What the engine is told of the store's answer."""

from __future__ import annotations

from dialer.core.events import Refusal, Refused, Reserved
from dialer.ports import Reservation


def test_what_is_held_comes_with_what_its_caps_saw() -> None:
    no = Refusal(attempt_id=2, rule="weekly", retry_at=None, seen=1, max=1)
    answer = Reservation(refusals=[no], seen={3: (0, 4), 1: (2,)}, warnings=[(3, "pe")])
    assert answer.events([1, 2, 3, 4], 7.0) == [
        Reserved(at=7.0, attempt_ids=(1, 3, 4), seen=((2,), (0, 4), ()), warnings=((3, "pe"),)),
        Refused(at=7.0, refusals=(no,)),
    ]


def test_nothing_is_told_of_nothing() -> None:
    assert Reservation().events([], 7.0) == []
    assert [type(event) for event in Reservation().events([1], 7.0)] == [Reserved]
    no = Refusal(attempt_id=1, rule="weekly", retry_at=None)
    assert [type(event) for event in Reservation(refusals=[no]).events([1], 7.0)] == [Refused]


def test_answers_share_nothing() -> None:
    Reservation().refusals.append(Refusal(attempt_id=1, rule="weekly", retry_at=None))
    assert Reservation() == Reservation(refusals=[], seen={}, warnings=[])
