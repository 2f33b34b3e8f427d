"""Attempts on record as the columns that models learn from: of our own journals, and of any log of calls.

How it works: a journal's settlements are the attempts; its ringing events and orders to call say the rest of each. A
row keeps small codes of its number, zone and carrier; clocks and holidays come at the end, for all rows at once. What
is known of a lead is what the first listing said: a later one would tell what came of the attempts before it.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from compliance.zones import DAY_S, known_zones
from dialer.adapters.call_logs.reader import read_call_log
from dialer.adapters.journal import LATEST, Header, read_journal
from dialer.adapters.lead_traits import lead_table_of
from dialer.adapters.local_moments import holidays_of, offsets_of
from dialer.core.disposition import RESULT_OF
from dialer.core.lead import Lead, PhoneNumber
from dialer.core.logged_call import LoggedCall
from dialer.core.logged_call import Result as LogResult
from dialer.errors import ConfigError, JournalError
from models.attempts import AttemptLog, Result
from models.lead_table import MOST_NUMBERS, LeadTable

AHEAD_S = 300.0  # a clock elsewhere may be ahead of ours
_UTC = "UTC"

OF_LOG: dict[LogResult, Result] = {
    "answered-human": Result.ANSWERED,
    "answered-machine": Result.MACHINE,
    "answered": Result.ANSWERED,
    "no-answer": Result.NO_ANSWER,
    "busy": Result.BUSY,
    "invalid": Result.DEAD,
    "failed": Result.UNKNOWN,
    "abandoned": Result.ANSWERED,
    "unknown": Result.UNKNOWN,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PastAttempts:
    """Attempts on record, the leads that they were made to, and what people should know of the reading."""

    leads: tuple[Lead, ...]  # as first listed; of one that no list names, its id alone
    table: LeadTable  # of `leads`, in their order
    log: AttemptLog
    told: tuple[str, ...] = ()

    @property
    def ids(self) -> tuple[str, ...]:
        return self.table.ids


# ---- our own journals ---------------------------------------------------------------------------------------
def journals_of(data: Path, campaign: str) -> tuple[Path, ...]:
    """Return the journals of a campaign in a data folder, in the order in which they began; none where none is."""
    return tuple(sorted((data / "journal" / campaign).glob("*.jsonl")))


def read_history(
    paths: Sequence[Path], *, now: float, since: float = -math.inf, progress: Callable[[float], None] | None = None
) -> PastAttempts:
    """Read the attempts that journals settled, of those placed from `since` (UTC seconds) on, in order of time.

    A journal that is damaged or cut off gives what is whole, and is told. `progress` is told how many journals are
    read. Raises `JournalError` for a file that is no journal, `ConfigError` for one whose clock is ahead of `now`, for
    journals of simulated days beside those of real ones, and where there is no attempt at all.
    """
    rows = _Rows()
    told: list[str] = []
    headers: list[tuple[Path, Header]] = []
    for count, path in enumerate(paths, start=1):
        header, _ = read_journal(path)
        if header.started_at > now + AHEAD_S:
            raise ConfigError(f"{path}:1: expected a journal of the past, was one of {_moment(header.started_at)}")
        headers.append((path, header))
        _same_world(headers[0], (path, header))
        try:
            _Reading(path, rows, now=now, since=since).read()
        except JournalError as damage:
            told.append(f"{damage}: what follows is left out")
        if progress is not None:
            progress(count)
    if not rows.at:
        names = ", ".join(map(str, paths[:3])) or "none named"
        raise ConfigError(
            f"expected journals with attempts, found none ({names}): run the campaign for some days first"
        )
    return rows.past(told)


def read_campaign_history(
    data: Path,
    campaign: str,
    *,
    now: float,
    since: float = -math.inf,
    progress: Callable[[float], None] | None = None,
) -> PastAttempts:
    """Read the attempts of a campaign's journals in a data folder. Raises as `read_history` does, and `ConfigError`
    where there is no journal."""
    paths = journals_of(data, campaign)
    if not paths:
        raise ConfigError(
            f"{data}: expected journals of {campaign} in {data / 'journal' / campaign}, found none: name the data "
            "folder with --data, or a log of calls with --calls"
        )
    return read_history(paths, now=now, since=since, progress=progress)


def _same_world(first: tuple[Path, Header], this: tuple[Path, Header]) -> None:
    """Refuse simulated people beside real ones: what the former do teaches nothing of the latter."""
    if (first[1].scenario is None) != (this[1].scenario is None):
        kinds = ["a simulated day" if header.scenario is not None else "real calls" for _, header in (first, this)]
        raise ConfigError(f"{this[0]}:1: expected a journal of {kinds[0]}, as {first[0]} is, was one of {kinds[1]}")


class _Score(msgspec.Struct, gc=False):
    propensity: float | None = None


class _Originate(msgspec.Struct, gc=False):
    attempt_id: int
    score: _Score | None = None


class _Ringing(msgspec.Struct, gc=False):
    at: float
    attempt_id: int


class _Settled(msgspec.Struct, gc=False):
    attempt_id: int
    lead_id: str
    number: str
    disposition: str
    originated_at: float | None
    answered_at: float | None
    bridged_at: float | None
    ended_at: float | None
    trunk: str | None = None
    cut_short: bool = False


class _Settle(msgspec.Struct, gc=False):
    settlements: tuple[_Settled, ...]


class _LeadsAdded(msgspec.Struct, gc=False):
    leads: tuple[Lead, ...]


_Entry = _Originate | _Ringing | _Settle | _LeadsAdded
# The lines that tell of attempts, by how they begin, and of each only what is needed: a journal has four times as many.
_KINDS: dict[bytes, msgspec.json.Decoder[Any]] = {
    b'A {"type":"Originate"': msgspec.json.Decoder(_Originate),
    b'E {"type":"AttemptRinging"': msgspec.json.Decoder(_Ringing),
    b'A {"type":"Settle"': msgspec.json.Decoder(_Settle),
    b'E {"type":"LeadsAdded"': msgspec.json.Decoder(_LeadsAdded),
}
_BEGINS = tuple(_KINDS)


def _entries(path: Path) -> Iterator[_Entry]:
    """Yield what a journal says of attempts. Raises `JournalError` where a line is cut off or damaged."""
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            if not line.endswith(b"\n"):
                raise JournalError(f"{path}:{number}: expected a whole line, was cut off")
            if not line.startswith(_BEGINS):
                continue
            try:
                yield _KINDS[line[: line.index(b'"', 12) + 1]].decode(memoryview(line)[2:])
            except (msgspec.MsgspecError, UnicodeDecodeError, KeyError) as error:
                raise JournalError(f"{path}:{number}: expected a whole entry, was: {error}") from None


class _Reading:
    """Follows one journal and adds its attempts to the rows."""

    def __init__(self, path: Path, rows: _Rows, *, now: float, since: float) -> None:
        self._path = path
        self._rows = rows
        self._latest, self._since = now + AHEAD_S, since
        # Of attempts under way: since when the last try rings, and the chance of a randomised hour or gap.
        self._rang_at: dict[int, float | None] = {}
        self._chance: dict[int, float] = {}

    def read(self) -> None:
        """Read the journal to its end. Raises `JournalError` for a damaged line, after all that stands before it."""
        rang_at = self._rang_at
        for entry in _entries(self._path):
            if isinstance(entry, _Originate):
                rang_at[entry.attempt_id] = None
                if entry.score is not None and entry.score.propensity is not None:
                    self._chance[entry.attempt_id] = entry.score.propensity
            elif isinstance(entry, _Ringing):
                if rang_at.get(entry.attempt_id, 0.0) is None:
                    rang_at[entry.attempt_id] = entry.at
            elif isinstance(entry, _Settle):
                for settled in entry.settlements:
                    self._settle(settled)
            else:
                for lead in entry.leads:
                    self._rows.add_lead(lead)

    def _settle(self, settled: _Settled) -> None:
        rang_at = self._rang_at.pop(settled.attempt_id, None)
        chance = self._chance.pop(settled.attempt_id, math.nan)
        placed = settled.originated_at
        if placed is None or placed < self._since:
            return
        if not 0.0 <= placed <= self._latest:
            raise ConfigError(
                f"{self._path}: expected attempts of the past, was one at {_moment(placed)} (lead {settled.lead_id})"
            )
        result = RESULT_OF.get(settled.disposition, Result.UNKNOWN)
        if settled.cut_short and result is Result.NO_ANSWER:
            result = Result.UNKNOWN  # we ended the ringing: nobody knows who would have answered
        self._rows.add(
            at=placed,
            lead=settled.lead_id,
            number=settled.number,
            result=result,
            carrier=settled.trunk or "",
            ring_s=_lasted(rang_at, settled.ended_at if settled.answered_at is None else settled.answered_at),
            talk_s=_lasted(settled.bridged_at, settled.ended_at),
            propensity=chance if 0.0 < chance <= 1.0 else math.nan,
        )


def _lasted(begin: float | None, end: float | None) -> float:
    """Return seconds from one to the other, NaN where there is either not."""
    return math.nan if begin is None or end is None else min(max(0.0, end - begin), DAY_S)


# ---- any log of calls ---------------------------------------------------------------------------------------
def log_of_calls(
    calls: Sequence[LoggedCall], leads: Sequence[Lead] | None = None, *, zone: str = _UTC, country: str = ""
) -> tuple[LeadTable, AttemptLog]:
    """Return the attempts of a log, in order of time, and the table of their leads.

    A lead is found by its id, else by its number. The clock is that of the called number's zone where `leads` know it;
    else the log's own `hour`, or that of `zone` (IANA), with `country`'s holidays. Of leads that `leads` do not name
    only the id is known. Raises `ConfigError` for what is no zone.
    """
    if zone not in known_zones():
        raise ConfigError(f"{zone}: expected an IANA zone, as in America/Lima")
    past = past_of_calls(calls, leads, zone=zone, country=country)
    return past.table, past.log


def past_of_calls(
    calls: Sequence[LoggedCall],
    leads: Sequence[Lead] | None = None,
    *,
    zone: str = _UTC,
    country: str = "",
    now: float = math.inf,
) -> PastAttempts:
    """Return the same as `log_of_calls`, with the leads themselves. Raises `ConfigError` for a call after `now`."""
    rows = _Rows(zone=zone, country=country)
    for lead in leads or ():
        rows.add_lead(lead)
    listed = {lead.lead_id for lead in leads or ()}
    owners = {number.e164: lead.lead_id for lead in leads or () for number in lead.numbers}
    for call in sorted(calls, key=lambda call: call.at):
        number = _e164(call.number)
        if not 0.0 <= call.at <= now + AHEAD_S:
            raise ConfigError(f"expected calls of the past, was one at {_moment(call.at)} (lead {call.lead})")
        told = RESULT_OF.get(call.disposition or "", Result.UNKNOWN)
        found = told if told is not Result.UNKNOWN else OF_LOG[call.result]
        rows.add(
            at=call.at,
            lead=call.lead if call.lead in listed else owners.get(number, call.lead),
            number=number,
            result=found,
            carrier=call.trunk or "",
            ring_s=math.nan if call.ring_s is None else call.ring_s,
            talk_s=math.nan if call.talk_s is None else call.talk_s,
            hour=-1 if call.hour is None else call.hour,
        )
    unlisted = rows.unlisted if leads is not None else 0
    return rows.past(
        [f"{unlisted:,} leads of the log are on no list: of them only their calls are known"] * (unlisted > 0)
    )


def read_past(
    paths: Sequence[Path],
    leads: Sequence[Lead] | None = None,
    *,
    now: float,
    since: float = -math.inf,
    zone: str = _UTC,
    country: str = "",
) -> PastAttempts:
    """Read attempts from files of one kind: our journals, or any logs of calls that `read_call_log` reads.

    `leads`, `zone` and `country` are as `log_of_calls` has them, for logs. Bad rows and what a kind of log cannot tell
    are in `told`. Raises `ConfigError` or `JournalError`.
    """
    if zone not in known_zones():
        raise ConfigError(f"{zone}: expected an IANA zone, as in America/Lima")
    calls: list[LoggedCall] = []
    told: list[str] = []
    own: list[Path] = []
    for path in paths:
        if _is_journal(path):
            own.append(path)
            continue
        log = read_call_log(path, zone=zone)
        told += [*log.faults, *(f"{path}: {note}" for note in log.notes)]
        late = next((call for call in log.calls if call.at > now + AHEAD_S), None)
        if late is not None:
            raise ConfigError(f"{path}: expected calls of the past, was one at {_moment(late.at)} (lead {late.lead})")
        calls += [call for call in log.calls if call.at >= since]
    if own and len(own) < len(paths):
        raise ConfigError(f"{own[0]}: expected files of one kind, found a journal beside other logs")
    if own:
        return read_history(own, now=now, since=since)
    if not calls:
        raise ConfigError(f"{', '.join(map(str, paths)) or '--calls'}: expected calls, found none")
    past = past_of_calls(calls, leads, zone=zone, country=country, now=now)
    return replace(past, told=(*told, *past.told))


def _is_journal(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(64).lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{")
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror or error}") from error


def _e164(number: str | None) -> str:
    return "" if not number else number if number.startswith("+") else f"+{number}"


def _moment(at: float) -> str:
    if not 0.0 <= at < LATEST:
        return f"{at:g} s"
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M UTC")


# ---- rows, and the columns made of them -----------------------------------------------------------------------
class _Codes(dict[str, int]):
    """Gives each word a code, from 0 in the order of their coming."""

    def __missing__(self, word: str) -> int:
        code = self[word] = len(self)
        return code


@dataclass(slots=True)
class _Rows:
    """Attempts as they are found, in columns of small codes."""

    zone: str = _UTC  # of numbers of which nothing is known
    country: str = ""
    leads: list[Lead] = field(default_factory=list)
    row_of: dict[str, int] = field(default_factory=dict)
    place_of: dict[tuple[int, str], tuple[int, int, int]] = field(default_factory=dict)  # place, zone, calendar
    zones: _Codes = field(default_factory=_Codes)
    calendars: _Codes = field(default_factory=_Codes)  # of places, their codes parted by blanks
    carriers: _Codes = field(default_factory=_Codes)
    unlisted: int = 0
    at: array[float] = field(default_factory=lambda: array("d"))
    lead: array[int] = field(default_factory=lambda: array("i"))
    number: array[int] = field(default_factory=lambda: array("b"))
    zone_code: array[int] = field(default_factory=lambda: array("q"))
    calendar: array[int] = field(default_factory=lambda: array("q"))
    result: array[int] = field(default_factory=lambda: array("b"))
    carrier: array[int] = field(default_factory=lambda: array("h"))
    ring_s: array[float] = field(default_factory=lambda: array("f"))
    talk_s: array[float] = field(default_factory=lambda: array("f"))
    propensity: array[float] = field(default_factory=lambda: array("f"))
    hour: array[int] = field(default_factory=lambda: array("b"))

    def add_lead(self, lead: Lead) -> None:
        """Take in a lead as a list has it: its traits the first time, its numbers' places each time."""
        row = self.row_of.get(lead.lead_id)
        if row is None:
            row = self.row_of[lead.lead_id] = len(self.leads)
            self.leads.append(lead)
        for place, number in enumerate(lead.numbers[:MOST_NUMBERS]):
            self.place_of[row, number.e164] = self._place(place, number)

    def _place(self, place: int, number: PhoneNumber) -> tuple[int, int, int]:
        zone = number.zones[0] if number.zones and number.zones[0] in known_zones() else self.zone
        return place, self.zones[zone], self.calendars[" ".join(number.place.jurisdictions) or self.country]

    def add(
        self,
        *,
        at: float,
        lead: str,
        number: str,
        result: Result,
        carrier: str,
        ring_s: float,
        talk_s: float,
        propensity: float = math.nan,
        hour: int = -1,
    ) -> None:
        """Take in an attempt; of a lead or number that no list has, the zone is the log's."""
        row = self.row_of.get(lead)
        if row is None:
            self.unlisted += 1
            self.add_lead(Lead(lead_id=lead, numbers=(), person=lead, debt=lead))
            row = self.row_of[lead]
        known = self.place_of.get((row, number))
        place, zone, calendar = known or (-1, self.zones[self.zone], self.calendars[self.country])
        self.at.append(at)
        self.lead.append(row)
        self.number.append(place)
        self.zone_code.append(zone)
        self.calendar.append(calendar)
        self.result.append(result)
        self.carrier.append(self.carriers[carrier] if carrier else -1)
        self.ring_s.append(ring_s)
        self.talk_s.append(talk_s)
        self.propensity.append(propensity)
        self.hour.append(-1 if known else hour)

    def past(self, told: Sequence[str] = ()) -> PastAttempts:
        """Return the columns, in order of time."""
        at = np.array(self.at, dtype=np.float64)
        order = np.argsort(at, kind="stable")
        at = at[order]
        zones, calendars = list(self.zones), [tuple(codes.split()) for codes in self.calendars]
        offset_s = offsets_of(at, np.array(self.zone_code, dtype=np.int64)[order], zones)
        hour = np.array(self.hour, dtype=np.int64)[order]
        # A log's own clock: the whole hours between it and that of the zone.
        ahead = (hour - np.floor_divide(at + offset_s, 3600.0).astype(np.int64) + 12) % 24 - 12
        offset_s = (offset_s + np.where(hour >= 0, ahead, 0) * 3600).astype(np.int32)
        log = AttemptLog(
            at=at,
            lead=np.array(self.lead, dtype=np.int32)[order],
            number=np.array(self.number, dtype=np.int8)[order],
            offset_s=offset_s,
            result=np.array(self.result, dtype=np.int8)[order],
            holiday=holidays_of(at, offset_s, np.array(self.calendar, dtype=np.int64)[order], calendars),
            carrier=np.array(self.carrier, dtype=np.int16)[order],
            ring_s=np.array(self.ring_s, dtype=np.float32)[order],
            talk_s=np.array(self.talk_s, dtype=np.float32)[order],
            propensity=np.array(self.propensity, dtype=np.float32)[order],
            carriers=tuple(self.carriers),
        )
        leads = tuple(self.leads)
        return PastAttempts(leads=leads, table=lead_table_of(leads), log=log, told=tuple(told))
