"""Logs of other dialers: every kind is found out, read to the neutral form, and refused in one line where it is not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from dialer.adapters.call_logs import CallLog, read_call_log
from dialer.core.logged_call import LoggedCall
from dialer.errors import ConfigError, DialerError, JournalError

LOGS = Path(__file__).parents[2] / "fixtures" / "call_logs"


def by_lead(log: CallLog) -> dict[str, list[LoggedCall]]:
    found: dict[str, list[LoggedCall]] = {}
    for call in log.calls:
        found.setdefault(call.lead, []).append(call)
    return found


# ---- vicidial_log -------------------------------------------------------------------------------------------
@pytest.fixture(params=["vicidial_log_excel.csv", "vicidial_log.tsv"])
def vicidial(request: pytest.FixtureRequest) -> CallLog:
    return read_call_log(LOGS / request.param, zone="America/Lima")


def test_vicidial_is_read_with_names_as_excel_saves_it_and_without_as_mysql_does(vicidial: CallLog) -> None:
    assert vicidial.kind == "vicidial_log"
    assert (vicidial.rows, vicidial.bad_rows, vicidial.passed_over) == (13, 0, 1)
    results = {lead: [call.result for call in calls] for lead, calls in by_lead(vicidial).items()}
    assert results == {
        "1001": ["busy"],
        "1002": ["no-answer", "answered-human"],
        "1003": ["answered-human"],
        "1004": ["abandoned"],
        "1005": ["invalid"],
        "1006": ["answered-machine"],
        "1007": ["answered-human"],
        "1009": ["answered-human"],
        "1010": ["answered-human"],
        "1011": ["answered-machine"],
        "1012": ["answered-human"],
    }


def test_vicidial_lengths_mean_talk_only_where_an_agent_talked(vicidial: CallLog) -> None:
    calls = by_lead(vicidial)
    promise = calls["1003"][0]
    assert (promise.talk_s, promise.agent, promise.disposition, promise.hour) == (185.0, "ana", "PTP", 9)
    unanswered = calls["1002"][0]
    assert (unanswered.talk_s, unanswered.line_s, unanswered.ring_s, unanswered.cut_off) == (None, 27.0, None, True)
    dropped = calls["1004"][0]
    assert (dropped.talk_s, dropped.wait_s, dropped.agent) == (None, 4.0, None)
    assert calls["1006"][0].talk_s == 9.0  # an agent heard the machine
    assert calls["1011"][0].talk_s is None  # the dialer did
    assert calls["1012"][0].talk_s is None  # dialled by hand: the length has the ringing in it
    assert calls["1010"][0].hour == 10
    assert any("LLAMAR (1)" in note for note in vicidial.notes)


# ---- Asterisk -----------------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", ["Master.csv", "cdr_custom_named.csv", "cdr_custom_unnamed.csv"])
def test_cdrs_are_read_in_each_of_their_orders(name: str) -> None:
    log = read_call_log(LOGS / name, zone="America/Lima")
    assert log.kind == "asterisk-cdr"
    assert log.passed_over == 1  # the agent's own leg
    assert [call.result for call in log.calls] == [
        "answered", "no-answer", "busy", "failed", "answered", "failed", "answered",
    ]  # fmt: skip
    first = log.calls[0]
    assert (first.number, first.trunk, first.agent) == ("51987650001", "andina", "ana")
    assert (first.line_s, first.talk_s, first.set_up_s, first.hour) == (9.0, 120.0, None, 9)
    assert first.at == 1763992800.0  # 09:00 in Lima
    assert (log.calls[-1].trunk, log.calls[-1].agent) == ("pacifico", "luis")


@pytest.mark.parametrize("name", ["cel_Master.csv", "cel_named.csv"])
def test_channel_events_are_put_together_to_calls(name: str) -> None:
    log = read_call_log(LOGS / name, zone="America/Lima")
    assert log.kind == "asterisk-cel"
    assert [call.result for call in log.calls] == ["answered", "no-answer", "busy", "invalid", "failed"]
    first = log.calls[0]
    assert (first.lead, first.trunk, first.agent) == ("51987650001", "andina", "ana")
    assert first.line_s == pytest.approx(9.0) and first.talk_s == pytest.approx(120.0)
    assert first.wait_s == pytest.approx(0.1)


# ---- what is refused ----------------------------------------------------------------------------------------
def changed(path: Path, name: str, change: Callable[[list[str]], list[str]]) -> Path:
    lines = (LOGS / name).read_text(encoding="utf-8-sig").splitlines(keepends=True)
    path.write_text("".join(change(lines)), encoding="utf-8")
    return path


def test_a_row_that_is_cut_off_is_counted_and_told_with_its_line(tmp_path: Path) -> None:
    path = changed(tmp_path / "log.tsv", "vicidial_log.tsv", lambda lines: [*lines[:-1], "17639.9\t10"])
    log = read_call_log(path)
    assert (log.rows, log.bad_rows, len(log.calls)) == (13, 1, 11)
    assert log.faults[0].startswith(f"{path}:13: expected a lead_id and a status")


def test_faults_are_kept_up_to_a_limit_and_counted_beyond(tmp_path: Path) -> None:
    def spoil(lines: list[str]) -> list[str]:
        return lines * 5 + [lines[0].replace("\t1001\t", "\t\t")] * 30

    log = read_call_log(changed(tmp_path / "log.tsv", "vicidial_log.tsv", spoil))
    assert log.bad_rows == 30 and len(log.faults) == 20


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", ":1: expected a line of column names, found nothing"),
        ("name,telephone\nana,999\n", ":1: expected a journal, an export of vicidial_log, or Asterisk's CDR or CEL"),
        ("lead_id,status,call_date\n1,NA,2025-11-24 09:00:00\n", ":1: expected the columns of vicidial_log, length_in"),
        ("disposition,billsec,start\nBUSY,0,2025-11-24 09:00:00\n", ":1: expected the columns of a CDR, dst, duration"),
        ("eventtype,eventtime,exten\nANSWER,2025-11-24 09:00:00,9\n", ":1: expected the columns of channel events"),
        ("lead_id,status,length_in_sec,call_date\n1,NA,x,2025-11-24 09:00:00\n", ":2: length_in_sec: expected seconds"),
        ("lead_id,status,length_in_sec,call_date\n1,NA,3,24.11.25\n", ":2: call_date: expected a time as in 2026"),
        ("dst,start,duration,billsec,disposition\n99999999,0001-01-01 00:00,9,0,BUSY\n", ":2: start: expected a time"),
        ("dst,start,duration,billsec,disposition\n99999999,9999-12-31 23:59,9,0,BUSY\n", ":2: start: expected a time"),
        ("lead_id,status,length_in_sec,start_epoch\n1,DNCL,0,1763906400\n", ": expected outbound calls in this"),
        ("PK\x03\x04rest", ":1: this is an Excel workbook"),
    ],
)
def test_a_foreign_file_is_refused_in_one_line(tmp_path: Path, content: str, said: str) -> None:
    path = tmp_path / "log.csv"
    path.write_text(content, encoding="latin-1")
    with pytest.raises(ConfigError) as caught:
        read_call_log(path)
    told = str(caught.value)
    assert told.startswith(str(path)) and said in told and "\n" not in told


def test_what_is_no_journal_or_not_whole_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "day.jsonl"
    path.write_text('{"something":1}\n')
    with pytest.raises(JournalError, match="expected the first line of a journal"):
        read_call_log(path)
    with pytest.raises(DialerError, match="cannot be read"):
        read_call_log(tmp_path / "missing.csv")
    with pytest.raises(ConfigError, match="expected an IANA zone"):
        read_call_log(LOGS / "Master.csv", zone="Lima")


def test_a_hostile_cell_stays_in_its_line(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text("lead_id,status,length_in_sec,call_date\n1,NA,\x1b[2J,2025-11-24 09:00:00\n")
    with pytest.raises(ConfigError) as caught:
        read_call_log(path)
    assert str(caught.value).isprintable()


# As Asterisk 22 recorded calls of a program that originates `Local/NUMBER@context`: each half has its own records, and
# Dial leaves its status on the channel that it runs on.
@pytest.mark.parametrize("name", ["local_cdr.csv", "local_cel.csv"])
def test_calls_over_local_channels_count_once(name: str) -> None:
    calls = read_call_log(LOGS / name, zone="UTC").calls
    expected = {"51911000100": "answered", "51930000101": "busy", "51931000102": "no-answer"}
    assert {call.number: call.result for call in calls} == expected and len(calls) == len(expected)
    assert {(call.trunk, call.agent) for call in calls} == {("carrier1", None)}


@pytest.mark.parametrize("unique", ["cad-mora-1000000010-1", "1763974800.11"])
def test_events_of_calls_without_a_number_name_the_mend(tmp_path: Path, unique: str) -> None:
    """A program that originates a call straight on a trunk may give it an id of its own."""
    path = tmp_path / "Master.csv"
    ids = f'"{unique}","{unique}"'
    path.write_text(
        "".join(
            f'"{kind}","1763974800.1","","","","","","s","from-carrier","PJSIP/andina-0000000b","","","3","",{ids},"","","",""\n'
            for kind in ("CHAN_START", "HANGUP", "CHAN_END")
        )
    )
    with pytest.raises(ConfigError, match=r"expected outbound calls .* none in 3 rows: .* take its journal"):
        read_call_log(path, zone="UTC")
