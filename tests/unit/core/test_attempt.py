"""The attempt's table: every cell moves, everything else raises."""

from __future__ import annotations

import pytest

from dialer.core import events as ev
from dialer.core.actions import Bridge, Claim, Originate
from dialer.core.attempt import ATTEMPT_TRANSITIONS, Attempt, AttemptState, TryFailed
from dialer.errors import IllegalTransition

TRIGGERS = sorted({trigger for row in ATTEMPT_TRANSITIONS.values() for trigger in row}, key=lambda t: t.__name__)

# Written from the life of a call, not from the code: state, what happens, state after.
LIFE = """
RESERVING  Reserved          DIALLING
RESERVING  Refused           ENDED
RESERVING  ReservationLost   ENDED
DIALLING   AttemptRinging    RINGING
DIALLING   AttemptAnswered   SCREENING
DIALLING   AttemptEnded      ENDED
DIALLING   TryFailed         REROUTING
REROUTING  Originate         DIALLING
REROUTING  AttemptEnded      ENDED
RINGING    AttemptRinging    RINGING
RINGING    AttemptAnswered   SCREENING
RINGING    AttemptEnded      ENDED
SCREENING  AttemptScreened   WAITING
SCREENING  AttemptEnded      ENDED
WAITING    Bridge            BRIDGING
WAITING    AttemptAbandoned  MESSAGE
WAITING    AttemptEnded      ENDED
BRIDGING   AttemptBridged    TALKING
BRIDGING   BridgeFailed      WAITING
BRIDGING   AttemptAbandoned  BRIDGING
BRIDGING   AttemptEnded      ENDED
TALKING    AttemptEnded      DISPOSING
MESSAGE    AttemptEnded      ENDED
DISPOSING  AttemptDisposed   ENDED
INHERITED  AttemptSurvived   TALKING
INHERITED  AttemptEnded      ENDED
INHERITED  LinkUp            ENDED
"""
MOVES = {(a, b): c for a, b, c in (line.split() for line in LIFE.strip().splitlines())}


def attempt_in(state: AttemptState) -> Attempt:
    claim = Claim(attempt_id=1, lead_id="L", number="+51999000111", at=0.0, stop_keys=(), fact_keys=(), caps=())
    attempt = Attempt(1, claim, 0, 0, at=0.0, closes_at=1.0, trunk="t")
    attempt.state = state
    return attempt


@pytest.mark.parametrize("state", list(AttemptState))
@pytest.mark.parametrize("trigger", TRIGGERS)
def test_every_cell(state: AttemptState, trigger: type) -> None:
    attempt = attempt_in(state)
    expected = MOVES.get((state.name, trigger.__name__))
    assert attempt.allows(trigger) == (expected is not None)
    if expected is None:
        with pytest.raises(IllegalTransition, match=f"attempt 1: .*{state.name}"):
            attempt.move(trigger)
        assert attempt.state is state
    else:
        attempt.move(trigger)
        assert attempt.state.name == expected


def test_the_table_has_no_move_that_the_life_of_a_call_lacks() -> None:
    table = {(s.name, t.__name__): after.name for s, row in ATTEMPT_TRANSITIONS.items() for t, after in row.items()}
    assert table == MOVES


def test_triggers_are_facts_or_our_own_intentions() -> None:
    assert all(trigger in (Bridge, Originate, TryFailed) or issubclass(trigger, ev.Event) for trigger in TRIGGERS)
