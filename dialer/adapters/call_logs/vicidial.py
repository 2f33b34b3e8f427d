"""VICIdial's `vicidial_log`, as exported from its table or its reports.

What the times mean (read in its 2.14 sources): of an answered call `start_epoch` is the answer and `length_in_sec` runs
from there to the hang-up, the wait for an agent included. Of one that nobody answered `start_epoch` is when the dialer
noticed and `length_in_sec` how old the call then was, to within some seconds; busy and dead ones have 0. A call that an
agent dialled by hand (`MANUAL`) begins when it is placed, so its length is no talk time.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from dialer.adapters.call_logs.table import (
    BadRow,
    CallLog,
    Table,
    cell,
    is_moment,
    moment,
    read_rows,
    whole_seconds,
)
from dialer.adapters.call_logs.vicidial_statuses import STATUSES, Meaning
from dialer.core.logged_call import LIVE, LoggedCall
from dialer.errors import ConfigError

COLUMNS = (
    "uniqueid", "lead_id", "list_id", "campaign_id", "call_date", "start_epoch", "end_epoch", "length_in_sec",
    "status", "phone_code", "phone_number", "user", "comments", "processed", "user_group", "term_reason", "alt_dial",
    "called_count",
)  # fmt: skip
_NEEDED = ("lead_id", "status", "length_in_sec")
_NOBODY = frozenset({"", "VDAD", "VDCL"})  # the dialer's own users
_STATUS = re.compile(r"[A-Za-z0-9_]{1,6}")
_CUSTOM = Meaning("answered-human")
_NOTES = (
    "vicidial_log has no times of set-up and ringing: of unanswered calls only how old they were when noticed",
    "talk times run from the answer, so a wait for the agent is part of them",
    "wrap-up stands in vicidial_agent_log, not here",
)


def is_vicidial(table: Table) -> bool:
    """Whether the columns or the first rows are those of `vicidial_log`."""
    if table.names:
        return {"lead_id", "status"} <= table.names.keys() and not {"call_date", "start_epoch"}.isdisjoint(table.names)
    return bool(table.sample) and sum(map(_looks_so, table.sample)) * 2 > len(table.sample)


def _looks_so(cells: Sequence[str]) -> bool:
    return (
        len(cells) >= 12
        and cells[1].strip().isdigit()
        and is_moment(cells[4])
        and cells[5].strip().isdigit()
        and _STATUS.fullmatch(cells[8].strip()) is not None
    )


def read_vicidial(table: Table, zone: ZoneInfo) -> CallLog:
    """Read the log. Raises `ConfigError` for missing columns, or where most rows are unreadable."""
    places: Mapping[str, int] = table.names or {name: place for place, name in enumerate(COLUMNS)}
    missing = [name for name in _NEEDED if name not in places]
    if missing:
        raise ConfigError(
            f"{table.path}:1: expected the columns of vicidial_log, {', '.join(missing)} missing: "
            "export them with: SELECT * FROM vicidial_log WHERE call_date >= '2026-11-23'"
        )
    custom: Counter[str] = Counter()

    def read(cells: Sequence[str]) -> LoggedCall | None:
        return _read_row(cells, places, zone, custom)

    log = read_rows(table, CallLog(kind="vicidial_log", notes=list(_NOTES)), read)
    if custom:
        told = ", ".join(f"{status} ({count})" for status, count in custom.most_common(12))
        log.notes.append(f"statuses of the campaign's own, taken as answered by a person: {told}")
    return log


def _read_row(
    cells: Sequence[str], places: Mapping[str, int], zone: ZoneInfo, custom: Counter[str]
) -> LoggedCall | None:
    status = cell(cells, places["status"]).upper()
    lead = cell(cells, places["lead_id"])
    if not _STATUS.fullmatch(status) or not lead:
        raise BadRow(f"expected a lead_id and a status as in NA, was {lead[:20]!r} and {status[:20]!r}: is it cut off?")
    user = cell(cells, places.get("user"))
    agent = None if user in _NOBODY else user
    meaning = STATUSES.get(status)
    if meaning is None:
        if agent is None:
            return None
        custom[status] += 1
        meaning = _CUSTOM
    if meaning.result is None:
        return None
    at, hour = _when(cells, places, zone)
    length_s = whole_seconds(cells, places["length_in_sec"], "length_in_sec")
    manual = cell(cells, places.get("comments")).upper() == "MANUAL"
    answered = meaning.result in LIVE or meaning.result in ("answered", "answered-machine")
    talked = answered and agent is not None and not manual and meaning.result != "abandoned"
    noticed = meaning.result == "no-answer" and length_s is not None and length_s > 1.0
    return LoggedCall(
        at=at,
        hour=hour,
        lead=lead,
        number=cell(cells, places.get("phone_code")) + cell(cells, places.get("phone_number")) or None,
        agent=agent,
        result=meaning.result,
        line_s=length_s if noticed else None,
        cut_off=meaning.result == "no-answer",
        wait_s=length_s if meaning.result == "abandoned" else None,
        talk_s=length_s if talked else None,
        disposition=meaning.disposition.value if meaning.disposition is not None else None,
    )


def _when(cells: Sequence[str], places: Mapping[str, int], zone: ZoneInfo) -> tuple[float, int | None]:
    """Return the start in UTC seconds, and the server's hour: `call_date` is the server's wall clock."""
    epoch = whole_seconds(cells, places.get("start_epoch"), "start_epoch")
    date = cell(cells, places.get("call_date"))
    if epoch:
        hour = moment(date, "call_date", zone).hour if is_moment(date) else datetime.fromtimestamp(epoch, zone).hour
        return epoch, hour
    if not date:
        raise BadRow("expected a call_date or a start_epoch, found neither: is the row cut off?")
    when = moment(date, "call_date", zone)
    return when.astimezone(UTC).timestamp(), when.hour
