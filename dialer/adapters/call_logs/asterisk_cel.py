"""Asterisk's channel events in CSV (`cel_custom`, or an export of a CEL table): calls put together by their linked id.

Without names the columns are found by what stands in them: the event's name comes first, its time second, and two
neighbours look like `1763900000.17`: the channel's own id, and the id that all channels of a call share.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import msgspec

from carriers.causes import CallEnd, read_end
from dialer.adapters.call_logs.table import (
    BadRow,
    CallLog,
    Table,
    cell,
    check,
    dialled_number,
    moment,
    note_fault,
    peer_of,
)
from dialer.core.logged_call import LoggedCall, Result
from dialer.errors import ConfigError

EVENTS = frozenset(
    {
        "CHAN_START", "CHAN_END", "ANSWER", "HANGUP", "BRIDGE_ENTER", "BRIDGE_EXIT", "APP_START", "APP_END",
        "LINKEDID_END", "PARK_START", "PARK_END", "USER_DEFINED", "BLINDTRANSFER", "ATTENDEDTRANSFER", "PICKUP",
        "FORWARD", "LOCAL_OPTIMIZE", "LOCAL_OPTIMIZE_BEGIN", "STREAM_BEGIN", "STREAM_END", "DTMF",
    }
)  # fmt: skip
_ID = re.compile(r"\S*\d{6,}\.\d+")
_SYNONYMS = {"cid_dnid": "dnid", "chan_name": "channame", "eventextra": "extra"}
_PLACES = {"eventtype": 0, "eventtime": 1, "dnid": 6, "exten": 7, "channame": 9, "appname": 10}
# Where the ids are in the columns of Asterisk's own sample of `cel_custom`.
_SAMPLE_WIDTH = 20
_SAMPLE_IDS = {"uniqueid": 14, "linkedid": 15, "peer": 16}
COLUMNS = (*_PLACES, *_SYNONYMS, "uniqueid", "linkedid", "cid_num")
_NEEDED = ("eventtype", "eventtime", "channame", "uniqueid", "linkedid")
_ENDS: dict[CallEnd, Result] = {
    CallEnd.NO_ANSWER: "no-answer",
    CallEnd.BUSY: "busy",
    CallEnd.REJECTED: "busy",
    CallEnd.INVALID_NUMBER: "invalid",
    CallEnd.CONGESTION: "failed",
    CallEnd.FAILED: "failed",
    CallEnd.UNKNOWN: "unknown",
    CallEnd.ANSWERED: "answered",
}
_STATUSES: dict[str, Result] = {"BUSY": "busy", "NOANSWER": "no-answer", "CANCEL": "no-answer", "CONGESTION": "failed"}
_NOTES = (
    "channel events do not tell who answered, a person or a machine",
    "they have no ringing: the time before an answer is set-up and ringing in one",
    "wrap-up is not in channel events",
)


@dataclass(slots=True, kw_only=True)
class _Channel:
    name: str
    began: datetime
    dials: bool = False  # it runs Dial: the call goes out on another channel
    answered: datetime | None = None
    bridged: datetime | None = None
    peer: str | None = None
    ended: datetime | None = None
    extra: str = ""


@dataclass(slots=True, kw_only=True)
class _Call:
    number: str | None = None
    channels: dict[str, _Channel] = field(default_factory=dict)


def is_cel(table: Table) -> bool:
    """Whether the columns or the first rows are those of channel events."""
    if table.names:
        return {"eventtype", "eventtime"} <= table.names.keys()
    return bool(table.sample) and sum(row[0].strip() in EVENTS for row in table.sample) * 2 > len(table.sample)


def read_cel(table: Table, zone: ZoneInfo) -> CallLog:
    """Read the events. Raises `ConfigError` for missing columns, or where most rows are unreadable."""
    places = _places(table)
    missing = [name for name in _NEEDED if name not in places]
    if missing:
        raise ConfigError(
            f"{table.path}:1: expected the columns of channel events, {', '.join(missing)} missing: "
            "take /var/log/asterisk/cel-custom/Master.csv"
        )
    log = CallLog(kind="asterisk-cel", notes=list(_NOTES))
    calls: dict[str, _Call] = {}
    for line, cells in table.rows():
        log.rows += 1
        try:
            _take(cells, places, zone, calls)
        except BadRow as bad:
            note_fault(log, table.path, line, str(bad))
    for call in calls.values():
        logged = _logged(call)
        if logged is None:
            log.passed_over += 1
        else:
            log.calls.append(logged)
    check(table.path, log)
    log.calls.sort(key=lambda call: call.at)
    return log


def _places(table: Table) -> Mapping[str, int]:
    if table.names:
        return {_SYNONYMS.get(name, name): place for name, place in table.names.items()}
    places = dict(_PLACES)
    width = max(map(len, table.sample))
    for place in range(2, width - 1):
        pairs = [row for row in table.sample if place + 1 < len(row)]
        if pairs and all(_ID.fullmatch(row[place].strip()) and _ID.fullmatch(row[place + 1].strip()) for row in pairs):
            places.update(uniqueid=place, linkedid=place + 1, peer=place + 2)
            break
    else:
        if width == _SAMPLE_WIDTH:  # a program that originates calls may give them ids of its own
            places.update(_SAMPLE_IDS)
    for place in range(width):
        if any(place < len(row) and row[place].lstrip().startswith('{"') for row in table.sample):
            places["extra"] = place
    return places


def _take(cells: Sequence[str], places: Mapping[str, int], zone: ZoneInfo, calls: dict[str, _Call]) -> None:
    kind = cell(cells, places["eventtype"])
    unique, linked = cell(cells, places["uniqueid"]), cell(cells, places["linkedid"])
    if kind not in EVENTS or not unique or not linked:
        raise BadRow(f"expected an event as in CHAN_START with both ids, was {kind[:20]!r}: is the row cut off?")
    when = moment(cell(cells, places["eventtime"]), "eventtime", zone)
    call = calls.setdefault(linked, _Call())
    if call.number is None:
        call.number = dialled_number(cell(cells, places.get("exten"))) or dialled_number(
            cell(cells, places.get("dnid"))
        )
    channel = call.channels.get(unique)
    if channel is None:
        channel = call.channels[unique] = _Channel(name=cell(cells, places["channame"]), began=when)
    match kind:
        case "ANSWER":
            channel.answered = channel.answered or when
        case "BRIDGE_ENTER":
            channel.bridged = channel.bridged or when
            channel.peer = channel.peer or peer_of(cell(cells, places.get("peer")))
        case "HANGUP":
            channel.ended, channel.extra = when, cell(cells, places.get("extra"))
        case "APP_START" if cell(cells, places.get("appname")).casefold() == "dial":
            channel.dials = True


def _logged(call: _Call) -> LoggedCall | None:
    """Put one call together; None for what never went out or has not ended."""
    out = next((c for c in call.channels.values() if not c.dials and not c.name.startswith("Local/")), None)
    if out is None or out.ended is None or call.number is None:
        return None
    caller = next((c for c in call.channels.values() if c.dials), None)
    cause, status = _extra(out.extra)
    if caller is not None and not status:  # Dial leaves it on the channel that it runs on
        status = _extra(caller.extra)[1]
    if out.answered is not None:
        result: Result = "answered"
    else:
        result = _ENDS[read_end(cause, None, rang=True, answered=False)]
        if result in ("unknown", "no-answer") and status in _STATUSES:
            result = _STATUSES[status]
    until = out.answered or out.ended
    agent = out.peer or (peer_of(caller.name) if caller is not None else None)
    return LoggedCall(
        at=out.began.astimezone(UTC).timestamp(),
        hour=out.began.hour,
        lead=call.number,
        number=call.number,
        trunk=peer_of(out.name),
        agent=agent if out.bridged is not None else None,
        line_s=max(0.0, (until - out.began).total_seconds()),
        cut_off=result == "no-answer",
        result=result,
        wait_s=None if out.answered is None else max(0.0, ((out.bridged or out.ended) - out.answered).total_seconds()),
        talk_s=None if out.bridged is None else max(0.0, (out.ended - out.bridged).total_seconds()),
    )


def _extra(text: str) -> tuple[int, str]:
    """Return (Q.850 cause, Dial's status) from the event's JSON; 0 and empty where it does not say."""
    try:
        fields = msgspec.json.decode(text or "{}")
        return int(fields.get("hangupcause", 0)), str(fields.get("dialstatus", ""))
    except (msgspec.DecodeError, AttributeError, TypeError, ValueError):
        return 0, ""
