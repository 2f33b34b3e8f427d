"""The readers of call logs, on the records that a real Asterisk writes."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from dialer.adapters.call_logs import read_call_log
from dialer.core.logged_call import LoggedCall
from dialer.errors import ConfigError
from dialer.lab.lab import Lab

pytestmark = [pytest.mark.lab, pytest.mark.timeout(120)]
OUTCOMES = {"11": "answered", "30": "busy", "31": "no-answer"}  # by the number's digits, as the carriers obey them


def until(condition: Callable[[], bool], limit_s: float = 20.0) -> None:
    end = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < end, "the switch's records did not come"
        time.sleep(0.05)


def by_number(calls: list[LoggedCall]) -> dict[str, LoggedCall]:
    assert set(Counter(call.number for call in calls).values()) == {1}
    return {call.number: call for call in calls}


def test_calls_that_the_dialplan_dials_are_read_once_each(lab: Lab) -> None:
    """As most diallers place them: a program originates a Local channel, whose other half runs Dial."""
    expected = {lab.number(digits, 700 + turn): result for digits, result in OUTCOMES.items() for turn in (0, 1)}
    log = lab.folder / "asterisk/log"
    cdr, cel = log / "cdr-csv/Master.csv", log / "cel-custom/Master.csv"
    for number in expected:
        lab.asterisk.cli(f"channel originate Local/{number}@plain-outbound application Wait 1")
    until(lambda: sum('"Dial"' in row for row in lab.asterisk.cdr_rows()) == len(expected))
    until(
        lambda: sum("CHAN_END" in row and "PJSIP/carrier1" in row for row in lab.asterisk.cel_rows()) == len(expected)
    )
    for path in (cdr, cel):
        calls = by_number(read_call_log(path, zone="UTC").calls)
        assert {number: calls[number.removeprefix("+")].result for number in expected} == expected
        assert len(calls) == len(expected)
        assert {(call.trunk, call.agent) for call in calls.values()} == {("carrier1", None)}
        talked = {call.result: call.talk_s is not None for call in calls.values()}
        assert talked == {"answered": True, "busy": False, "no-answer": False}


def test_records_without_numbers_name_the_mend(lab: Lab, tmp_path: Path) -> None:
    """A call that a program originates straight on a trunk has no extension: its number is in no record."""
    lab.asterisk.cli(f"channel originate PJSIP/{lab.number('30', 800)[1:]}@carrier1 application Wait 1")
    until(lambda: any('"s","from-carrier"' in row for row in lab.asterisk.cdr_rows()))
    alone = tmp_path / "Master.csv"
    alone.write_text("\n".join(row for row in lab.asterisk.cdr_rows() if '"s","from-carrier"' in row) + "\n")
    with pytest.raises(ConfigError, match=r"expected outbound calls .* found none in 1 rows: .* take its journal"):
        read_call_log(alone, zone="UTC")
