"""Attempts on record as columns: what a journal or a log says of each, and nothing that came later."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_args

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.adapters.attempt_history import (
    OF_LOG,
    log_of_calls,
    past_of_calls,
    read_campaign_history,
    read_history,
)
from dialer.adapters.journal import Header, Journal
from dialer.core.actions import Originate, ScoreNote, Settle, Settlement
from dialer.core.disposition import Disposition
from dialer.core.events import AttemptRinging, LeadsAdded, TimePassed
from dialer.core.lead import Lead, LeadProgress, PhoneNumber
from dialer.core.logged_call import LoggedCall
from dialer.core.logged_call import Result as LogResult
from dialer.errors import ConfigError, JournalError
from models.attempts import Result

AT = datetime(2026, 7, 27, 15, 0, tzinfo=UTC).timestamp()  # 10:00 in Lima; the 28th is a holiday there
NOW = AT + 3 * 86400.0
CAMPAIGN: dict[str, Any] = {"campaign": "mora"}


def phone(e164: str, zone: str = "America/Lima", country: str = "PE") -> PhoneNumber:
    return PhoneNumber(e164=e164, zones=(zone,), country=country, line_type="mobile")


def lead(name: str, *numbers: PhoneNumber, **fields: Any) -> Lead:
    return Lead(lead_id=name, numbers=numbers, person=name, debt=name, **fields)


ANA = lead("ana", phone("+51999000001"), phone("+525511112222", "America/Mexico_City", "MX"), amount=100.0)
EVA = lead("eva", phone("+51999000003"), amount=50.0)


def settled(attempt: int, placed: float | None, **facts: Any) -> Settlement:
    values: dict[str, Any] = {
        "lead_id": "ana",
        "number": "+51999000001",
        "at": (placed or AT) + 99.0,
        "disposition": "NO_ANSWER",
        "reserved_at": AT,
        "originated_at": placed,
        "answered_at": None,
        "bridged_at": None,
        "ended_at": None if placed is None else placed + 25.0,
        "agent_id": None,
        "trunk": "t1",
        "caller_id": "+5117000000",
        "fact_keys": (),
        "progress": LeadProgress(lead_id="ana"),
        **facts,
    }
    return Settlement(attempt_id=attempt, **values)


def originate(attempt: int, try_no: int = 1) -> Originate:
    return Originate(
        attempt_id=attempt, try_no=try_no, lead_id="ana", number="", trunk="t1", caller_id="", ring_timeout_s=22.0
    )


def added(*leads: Lead, at: float = AT) -> LeadsAdded:
    return LeadsAdded(at=at, leads=leads, progress=tuple(LeadProgress(lead_id=one.lead_id) for one in leads))


def write(path: Path, *steps: tuple[Any, list[Any]], at: float = AT, **fields: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    journal = Journal(path, Header(campaign=CAMPAIGN, run=1, seed=1, started_at=at, **fields))
    for event, actions in steps:
        journal.append(event, actions)
    journal.close()
    return path


def test_a_settled_attempt_is_a_row_of_what_was_known_of_it(tmp_path: Path) -> None:
    talk = settled(7, AT + 5.0, disposition="PTP", answered_at=AT + 17.0, bridged_at=AT + 18.0, ended_at=AT + 78.0)
    journal = write(
        tmp_path / "day.jsonl",
        (added(ANA, EVA), [originate(7)]),
        (AttemptRinging(at=AT + 6.0, attempt_id=7), [originate(7, 2)]),  # the first try failed: its ringing is gone
        (AttemptRinging(at=AT + 9.0, attempt_id=7, try_no=2), []),
        (AttemptRinging(at=AT + 11.0, attempt_id=7, try_no=2), []),
        (TimePassed(at=AT + 99.0), [Settle(settlements=(talk,))]),
    )
    past = read_history([journal], now=NOW)
    assert past.ids == ("ana", "eva") and past.told == ()
    log = past.log
    assert len(log) == 1
    assert (log.at[0], log.lead[0], log.number[0], log.result[0]) == (AT + 5.0, 0, 0, Result.PROMISE)
    assert (log.ring_s[0], log.talk_s[0], log.offset_s[0]) == (8.0, 60.0, -5 * 3600)
    assert log.carriers == ("t1",) and log.carrier[0] == 0
    assert math.isnan(log.propensity[0])


def test_rows_stand_in_the_order_of_placing_and_take_the_clock_of_their_own_number(tmp_path: Path) -> None:
    night = AT + 13.5 * 3600.0  # 23:30 in Lima, 22:30 in Mexico City
    journal = write(
        tmp_path / "day.jsonl",
        (added(ANA), []),
        (
            TimePassed(at=AT),
            [
                Settle(
                    settlements=(
                        settled(3, night + 3600.0, number="+51999000001"),
                        settled(2, night, number="+525511112222", trunk="strange"),
                        settled(1, None),  # never placed
                    )
                )
            ],
        ),
    )
    log = read_history([journal], now=NOW).log
    assert log.at.tolist() == [night, night + 3600.0]
    assert log.number.tolist() == [1, 0]
    assert log.offset_s.tolist() == [-6 * 3600, -5 * 3600]
    assert log.holiday.tolist() == [False, True]
    assert [log.carriers[code] for code in log.carrier] == ["strange", "t1"]
    assert np.isnan(log.ring_s).all() and np.isnan(log.talk_s).all()


def test_traits_are_those_of_the_first_listing_and_numbers_stand_where_the_last_one_has_them(tmp_path: Path) -> None:
    later = lead("ana", phone("+51999000009"), phone("+51999000001"), amount=0.0)  # has paid since
    first = write(tmp_path / "1.jsonl", (added(ANA), [Settle(settlements=(settled(1, AT),))]))
    second = write(
        tmp_path / "2.jsonl",
        (added(later, at=AT + 86400.0), [Settle(settlements=(settled(1, AT + 86400.0),))]),
        at=AT + 86400.0,
    )
    past = read_history([first, second], now=NOW)
    assert past.table.numeric["amount"].tolist() == [100.0]
    assert past.log.number.tolist() == [0, 1]
    recent = read_history([first, second], now=NOW, since=AT + 3600.0)
    assert len(recent.log) == 1 and recent.table.numeric["amount"].tolist() == [100.0]


def test_a_cut_off_journal_gives_what_is_whole_and_is_told(tmp_path: Path) -> None:
    path = write(
        tmp_path / "day.jsonl",
        (added(ANA), [Settle(settlements=(settled(1, AT),))]),
        (TimePassed(at=AT), [Settle(settlements=(settled(2, AT + 60.0),))]),
    )
    path.write_bytes(path.read_bytes()[:-40])
    past = read_history([path], now=NOW)
    assert len(past.log) == 1
    assert len(past.told) == 1 and f"{path}:5" in past.told[0] and "\n" not in past.told[0]


@pytest.mark.parametrize("placed", [NOW + 4000.0, -5.0, 1e300])
def test_an_attempt_of_no_past_moment_is_refused_by_file(tmp_path: Path, placed: float) -> None:
    path = write(tmp_path / "day.jsonl", (added(ANA), [Settle(settlements=(settled(1, placed, ended_at=None),))]))
    with pytest.raises(ConfigError, match=r"day\.jsonl.*lead ana"):
        read_history([path], now=NOW)


def test_a_journal_of_the_future_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "day.jsonl", (added(ANA), []), at=NOW + 86400.0)
    with pytest.raises(ConfigError, match=r"day\.jsonl:1: expected a journal of the past"):
        read_history([path], now=NOW)


def test_simulated_people_do_not_teach_of_real_ones(tmp_path: Path) -> None:
    step = (added(ANA), [Settle(settlements=(settled(1, AT),))])
    real, simulated = write(tmp_path / "1.jsonl", step), write(tmp_path / "2.jsonl", step, scenario={"scenario": "x"})
    assert len(read_history([simulated], now=NOW).log) == 1
    with pytest.raises(ConfigError, match=r"2\.jsonl:1: expected a journal of real calls"):
        read_history([real, simulated], now=NOW)


def test_a_folder_or_journal_without_attempts_says_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"expected journals of mora"):
        read_campaign_history(tmp_path, "mora", now=NOW)
    write(tmp_path / "journal" / "mora" / "1.jsonl", (added(ANA), []))
    with pytest.raises(ConfigError, match="expected journals with attempts"):
        read_campaign_history(tmp_path, "mora", now=NOW)
    (tmp_path / "journal" / "mora" / "0.jsonl").write_text("lead;phone\n")
    with pytest.raises(JournalError, match=r"0\.jsonl:1"):
        read_campaign_history(tmp_path, "mora", now=NOW)


def test_ringing_that_we_ended_teaches_nothing(tmp_path: Path) -> None:
    short = settled(1, AT, cut_short=True), settled(2, AT + 1.0), settled(3, AT + 2.0, disposition="strange")
    path = write(tmp_path / "day.jsonl", (added(ANA), [Settle(settlements=short)]))
    assert read_history([path], now=NOW).log.result.tolist() == [Result.UNKNOWN, Result.NO_ANSWER, Result.UNKNOWN]


def test_every_result_of_a_log_is_known() -> None:
    assert set(OF_LOG) == set(get_args(LogResult))


@given(
    st.lists(
        st.builds(
            LoggedCall,
            at=st.floats(0.0, 2e9),
            lead=st.sampled_from(["ana", "eva", "bo"]),
            number=st.sampled_from([None, "+51999000001", "51999000001", "525511112222", "junk\x1b["]),
            hour=st.none() | st.integers(0, 23),
            trunk=st.none() | st.just("t1"),
            result=st.sampled_from(sorted(OF_LOG)),
            disposition=st.none() | st.sampled_from([*map(str, Disposition), "strange"]),
            talk_s=st.none() | st.floats(0.0, 1e6),
        ),
        max_size=12,
    )
)
def test_any_log_gives_columns_in_order(calls: list[LoggedCall]) -> None:
    table, log = log_of_calls(calls, [ANA, EVA], zone="America/Lima", country="PE")
    assert len(log) == len(calls) and (np.diff(log.at) >= 0).all()
    assert table.ids[:2] == ("ana", "eva")
    ordered = sorted(calls, key=lambda call: call.at)
    for row, call in enumerate(ordered):
        anas = call.number not in (None, "junk\x1b[")
        assert table.ids[log.lead[row]] == ("ana" if anas and call.lead == "bo" else call.lead)
        known = anas and call.lead != "eva"
        assert (log.number[row] >= 0) == known
        if not known and call.hour is not None:  # the log's own clock
            assert int((log.at[row] + log.offset_s[row]) // 3600 % 24) == call.hour
        assert math.isnan(log.talk_s[row]) == (call.talk_s is None)


def test_a_logs_disposition_says_more_than_its_result() -> None:
    calls = [
        LoggedCall(at=1.0, lead="a", result="answered-human", disposition="PTP"),
        LoggedCall(at=2.0, lead="a", result="answered-human", disposition="WRONG_PARTY"),
        LoggedCall(at=3.0, lead="a", result="busy"),
        LoggedCall(at=4.0, lead="a", result="failed"),
        LoggedCall(at=5.0, lead="a", result="abandoned"),
    ]
    _, log = log_of_calls(calls)
    assert log.result.tolist() == [
        Result.PROMISE, Result.WRONG_PARTY, Result.BUSY, Result.UNKNOWN, Result.ANSWERED,
    ]  # fmt: skip
    with pytest.raises(ConfigError, match="Mars: expected an IANA zone"):
        log_of_calls(calls, zone="Mars")


def test_leads_of_a_log_that_are_on_no_list_are_told() -> None:
    calls = [LoggedCall(at=1.0, lead=name, result="busy") for name in ("ana", "bo", "bo", "cy")]
    assert past_of_calls(calls, [ANA]).told == (
        "2 leads of the log are on no list: of them only their calls are known",
    )
    assert past_of_calls(calls).told == ()
    late = LoggedCall(at=NOW + 4000.0, lead="bo", result="busy")
    with pytest.raises(ConfigError, match="expected calls of the past"):
        past_of_calls([late], now=NOW)


def test_the_chance_of_a_randomised_hour_is_that_of_the_order_to_call(tmp_path: Path) -> None:
    def scored(attempt: int, propensity: float | None) -> Originate:
        note = ScoreNote(
            model="m",
            because="random_hour",
            answer=0.2,
            right_party=0.5,
            propensity=propensity,
            segment="",
            channels=(),
        )
        return msgspec.structs.replace(originate(attempt), score=note)

    calls = [scored(1, 0.00125), scored(2, None), scored(3, 7.0)]
    path = write(
        tmp_path / "day.jsonl",
        (added(ANA), [*calls, Settle(settlements=tuple(settled(n, AT + n) for n in (1, 2, 3)))]),
    )
    found = read_history([path], now=NOW).log.propensity
    assert found[0] == np.float32(0.00125) and np.isnan(found[1:]).all()
