"""Asterisk's call detail records in CSV: `cdr_csv` (Master.csv, no names), `cdr_custom`, or an export of a CDR table.

Without names the columns are found by what stands in them: start, answer and end are three neighbours, then come
duration, billable seconds and the disposition. `cdr_csv` has the account code first, the sample of `cdr_custom` later.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC
from zoneinfo import ZoneInfo

from dialer.adapters.call_logs.table import (
    BadRow,
    CallLog,
    Table,
    cell,
    dialled_number,
    is_moment,
    moment,
    peer_of,
    read_rows,
    whole_seconds,
)
from dialer.core.logged_call import LoggedCall, Result
from dialer.errors import ConfigError

_RESULTS: dict[str, Result] = {
    "ANSWERED": "answered",
    "NOANSWER": "no-answer",
    "BUSY": "busy",
    "FAILED": "failed",
    "CONGESTION": "failed",
}
# Where the columns stand, counted from the start time, in both of Asterisk's own orders.
_BEFORE = ("src", "dst", "dcontext", "clid", "channel", "dstchannel", "lastapp", "lastdata")
_BEFORE_CUSTOM = ("clid", "src", "dst", "dcontext", "channel", "dstchannel", "lastapp", "lastdata")
_AFTER = ("start", "answer", "end", "duration", "billsec", "disposition", "amaflags")
COLUMNS = (*_BEFORE, *_AFTER, "calldate", "accountcode")
_NEEDED = ("dst", "duration", "billsec", "disposition")
_NOTES = (
    "a CDR does not tell who answered, a person or a machine, nor a busy trunk from a dead number",
    "the time before an answer is set-up and ringing in one",
    "talk times run from the answer, so a wait for the agent is part of them; wrap-up is not in a CDR",
)


def is_cdr(table: Table) -> bool:
    """Whether the columns or the first rows are those of a CDR."""
    if table.names:
        return {"disposition", "billsec"} <= table.names.keys()
    return _first_time(table) is not None


def read_cdr(table: Table, zone: ZoneInfo) -> CallLog:
    """Read the records. Raises `ConfigError` for missing columns, or where most rows are unreadable."""
    places = table.names or _unnamed(table)
    missing = [name for name in _NEEDED if name not in places]
    if missing or not {"start", "calldate"} & places.keys():
        raise ConfigError(
            f"{table.path}:1: expected the columns of a CDR, {', '.join(missing or ['start'])} missing: "
            "take /var/log/asterisk/cdr-csv/Master.csv"
        )
    return read_rows(
        table, CallLog(kind="asterisk-cdr", notes=list(_NOTES)), lambda cells: _read_row(cells, places, zone)
    )


def _first_time(table: Table) -> int | None:
    """Return the column of the start time, None where the rows are no CDRs."""
    found: Counter[int] = Counter()
    for cells in table.sample:
        for place in range(len(cells) - 5):
            disposition = cells[place + 5].strip().upper().replace(" ", "")
            if disposition in _RESULTS and is_moment(cells[place]) and is_moment(cells[place + 2]):
                found[place] += 1
                break
    if not found:
        return None
    place, count = found.most_common(1)[0]
    return place if count * 2 > len(table.sample) and place >= len(_BEFORE) else None


def _unnamed(table: Table) -> Mapping[str, int]:
    start = _first_time(table)
    assert start is not None
    before = _BEFORE_CUSTOM if start == len(_BEFORE_CUSTOM) else _BEFORE
    places = {name: start - len(before) + index for index, name in enumerate(before)}
    places.update({name: start + index for index, name in enumerate(_AFTER)})
    return places


def _read_row(cells: Sequence[str], places: Mapping[str, int], zone: ZoneInfo) -> LoggedCall | None:
    result = _RESULTS.get(cell(cells, places["disposition"]).upper().replace(" ", "").replace("_", ""))
    if result is None:
        found = cell(cells, places["disposition"])[:20]
        raise BadRow(f"disposition: expected ANSWERED, NO ANSWER, BUSY, FAILED or CONGESTION, was {found!r}")
    when = moment(cell(cells, places.get("start", places.get("calldate"))), "start", zone)
    duration = whole_seconds(cells, places["duration"], "duration")
    talk_s = whole_seconds(cells, places["billsec"], "billsec")
    if duration is None or talk_s is None or talk_s > duration + 1:
        raise BadRow(f"expected duration >= billsec, was {duration} and {talk_s}: is the row cut off?")
    number = dialled_number(cell(cells, places["dst"]))
    if number is None:
        return None
    channel, other = cell(cells, places.get("channel")), cell(cells, places.get("dstchannel"))
    if cell(cells, places.get("lastapp")).casefold() == "dial":  # then the second channel goes out
        channel, other = other, channel
    if channel.startswith("Local/"):  # half of a program's call: the half that dials has a row of its own
        return None
    answered = result == "answered"
    return LoggedCall(
        at=when.astimezone(UTC).timestamp(),
        hour=when.hour,
        lead=number,
        number=number,
        trunk=peer_of(channel),
        agent=peer_of(other) if answered else None,
        line_s=duration - talk_s if answered else duration,
        cut_off=result == "no-answer",
        result=result,
        talk_s=talk_s if answered else None,
    )
