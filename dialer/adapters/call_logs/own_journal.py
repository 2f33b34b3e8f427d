"""Our own journals as logs of calls: they tell more than any other log."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from carriers.causes import CallEnd, read_end
from compliance.zones import load_zone
from dialer.adapters.call_logs.table import CallLog
from dialer.adapters.journal import read_journal
from dialer.core.disposition import Disposition
from dialer.core.events import LeadsAdded
from dialer.core.logged_call import LoggedCall, Result
from dialer.core.placed_calls import CallHistory, PlacedCall
from dialer.errors import ConfigError

_ENDS: dict[CallEnd, Result] = {
    CallEnd.NO_ANSWER: "no-answer",
    CallEnd.BUSY: "busy",
    CallEnd.REJECTED: "busy",
    CallEnd.INVALID_NUMBER: "invalid",
    CallEnd.CONGESTION: "failed",
    CallEnd.FAILED: "failed",
    CallEnd.UNKNOWN: "unknown",
}


def read_own_journal(path: Path) -> CallLog:
    """Read a journal's calls. Raises `JournalError` for a damaged one, `ConfigError` for one without calls."""
    _, steps = read_journal(path)
    zones: dict[str, str] = {}
    clocks: dict[str, ZoneInfo] = {}
    history = CallHistory()
    log = CallLog(kind="journal")
    for event, actions in steps:
        log.rows += 1
        if isinstance(event, LeadsAdded):
            for lead in event.leads:
                zones.update((number.e164, number.zones[0]) for number in lead.numbers if number.zones)
        history.step(event, actions)
    for call in history.calls:
        if call.ended_at is not None:
            zone = zones.get(call.number, "UTC")
            clock = clocks.get(zone) or clocks.setdefault(zone, load_zone(zone))
            log.calls.append(_logged(call, clock))
    log.passed_over = len(history.calls) - len(log.calls)
    if not log.calls:
        raise ConfigError(f"{path}: expected a journal with calls, found none that ended: take one of a whole day")
    return log


def _logged(call: PlacedCall, zone: ZoneInfo) -> LoggedCall:
    assert call.ended_at is not None
    until = call.answered_at if call.answered_at is not None else call.ended_at
    rang = call.rang_at
    result = _result(call)
    connected = call.bridged_at
    waited_to = connected if connected is not None else call.ended_at
    disposed = call.disposition not in (None, Disposition.UNDISPOSED) and call.disposed_at is not None
    return LoggedCall(
        at=call.placed_at,
        hour=datetime.fromtimestamp(call.placed_at, zone).hour,
        lead=call.lead_id,
        number=call.number,
        trunk=call.trunk,
        agent=call.agent_id,
        set_up_s=(rang if rang is not None else until) - call.placed_at,
        ring_s=None if rang is None else until - rang,
        line_s=until - call.placed_at,
        result=result,
        cut_off=result == "no-answer"
        and (call.hung_up_at is not None or until - call.placed_at >= call.ring_timeout_s - 0.5),
        wait_s=None if call.answered_at is None else waited_to - call.answered_at,
        talk_s=None if connected is None else call.ended_at - connected,
        wrap_up_s=call.disposed_at - call.ended_at if disposed and call.disposed_at is not None else None,
        disposition=call.disposition,
    )


def _result(call: PlacedCall) -> Result:
    if call.lost:
        return "unknown"
    if call.answered_at is None:
        end = read_end(call.cause, call.sip_code, rang=call.rang_at is not None, answered=False)
        return "no-answer" if end is CallEnd.UNKNOWN and call.hung_up_at is not None else _ENDS[end]
    if call.verdict == "machine" or call.disposition == Disposition.MACHINE:
        return "answered-machine"
    if call.bridged_at is None:
        return "abandoned"
    return "answered" if call.disposition in (None, Disposition.UNDISPOSED) else "answered-human"
