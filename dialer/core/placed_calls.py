"""What became of each placed call of a run, read back from its events and actions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from dialer.core import actions as act
from dialer.core import events as ev


class PlacedCall(msgspec.Struct, kw_only=True):
    """One try of one attempt. Times are UTC seconds; None: it did not happen, or the record ends before."""

    attempt_id: int
    try_no: int
    lead_id: str
    number: str
    trunk: str
    ring_timeout_s: float
    placed_at: float
    rang_at: float | None = None
    answered_at: float | None = None
    screened_at: float | None = None
    verdict: str | None = None  # of answering-machine detection
    bridged_at: float | None = None
    agent_id: str | None = None
    abandoned_at: float | None = None  # the switch's limit passed with no agent
    hung_up_at: float | None = None  # we asked for the end
    ended_at: float | None = None
    cause: int = 0
    sip_code: int | None = None
    lost: bool = False
    disposed_at: float | None = None  # the wrap-up's end
    disposition: str | None = None  # of the settled attempt; only its last try has one


Steps = Iterable[tuple[ev.Event, Sequence[act.Action]]]


class CallHistory:
    """Follows a run step by step; `calls` is in the order in which they were placed."""

    def __init__(self) -> None:
        self.calls: list[PlacedCall] = []
        self._current: dict[int, PlacedCall] = {}  # the last try of each attempt

    def step(self, event: ev.Event, actions: Sequence[act.Action]) -> None:
        """Take in one event and the actions that answered it."""
        attempt_id = getattr(event, "attempt_id", None)
        if attempt_id is not None and (call := self._current.get(attempt_id)) is not None:
            _note(call, event)
        for action in actions:
            if isinstance(action, act.Originate):
                self._place(event.at, action)
            elif isinstance(action, act.HangUp):
                hung = self._current.get(action.attempt_id)
                if hung is not None and hung.ended_at is None and hung.hung_up_at is None:
                    hung.hung_up_at = event.at
            elif isinstance(action, act.Settle):
                for settlement in action.settlements:
                    self._settle(settlement)

    def _place(self, at: float, action: act.Originate) -> None:
        call = PlacedCall(
            attempt_id=action.attempt_id,
            try_no=action.try_no,
            lead_id=action.lead_id,
            number=action.number,
            trunk=action.trunk,
            ring_timeout_s=action.ring_timeout_s,
            placed_at=at,
        )
        self.calls.append(call)
        self._current[action.attempt_id] = call

    def _settle(self, settlement: act.Settlement) -> None:
        call = self._current.pop(settlement.attempt_id, None)
        if call is None:
            return
        call.disposition = settlement.disposition
        if call.bridged_at is not None and call.disposed_at is None:
            call.disposed_at = settlement.at


def placed_calls(steps: Steps) -> list[PlacedCall]:
    """Return every call that was placed, in that order."""
    history = CallHistory()
    for event, actions in steps:
        history.step(event, actions)
    return history.calls


def _note(call: PlacedCall, event: ev.Event) -> None:
    """Write a fact of the switch or the agent into its call; one of an earlier try is passed over."""
    if getattr(event, "try_no", call.try_no) != call.try_no:
        return
    at = event.at
    match event:
        case ev.AttemptRinging():
            call.rang_at = at if call.rang_at is None else call.rang_at
        case ev.AttemptAnswered():
            call.answered_at = at if call.answered_at is None else call.answered_at
        case ev.AttemptScreened():
            call.screened_at, call.verdict = at, event.verdict
        case ev.AttemptBridged():
            call.bridged_at, call.agent_id = at, event.agent_id
        case ev.AttemptAbandoned():
            call.abandoned_at = at
        case ev.AttemptDisposed() if event.ends_wrap_up and call.ended_at is not None:
            call.disposed_at = at
        case ev.AttemptEnded() if call.ended_at is None:
            call.ended_at, call.cause, call.sip_code, call.lost = at, event.cause, event.sip_code, event.lost
