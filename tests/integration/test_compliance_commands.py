"""`dialer compliance explain` and `calendar`, as people and scripts ask them."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from dialer.cli.app import main

KEYS = [
    "allowed",
    "reasons",
    "next_allowed_at",
    "zones",
    "jurisdictions",
    "profiles",
    "requires",
    "versions",
]
CO, PE, TX, BOSTON = "+573001234567", "+51987654321", "+15124991234", "+16172531000"
HOLIDAY = "2026-12-08T10:00-05:00"  # in Colombia and in Peru


class Asked:
    """What a command said."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.splitlines()]


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> Asked:
    with pytest.raises(SystemExit) as left:
        main(["compliance", *arguments])
    told = capsys.readouterr()
    return Asked(int(left.value.code or 0), told.out, told.err)


def ask_all(
    capsys: pytest.CaptureFixture[str], path: Path, lines: Sequence[dict[str, Any]], code: int = 0
) -> list[Any]:
    """Answer a batch, which must have a line out for each line in, in order."""
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    asked = run(capsys, "explain", "--batch", str(path))
    assert asked.code == code, asked.err
    assert [answer["id"] for answer in asked.lines()] == [line["id"] for line in lines]
    return asked.lines()


def rules_of(answer: dict[str, Any]) -> list[str]:
    return [reason["rule"] for reason in answer["reasons"]]


# ---- one question -------------------------------------------------------------------------------------------
def test_a_denial_in_json_has_just_these_keys(capsys: pytest.CaptureFixture[str]) -> None:
    asked = run(capsys, "explain", "--number", CO, "--at", HOLIDAY, "--scope", "debt_collection", "--json")
    answer = json.loads(asked.out)
    assert asked.code == 1 and list(answer) == KEYS
    assert answer["allowed"] is False
    (reason,) = answer["reasons"]
    assert list(reason) == ["rule", "text", "cite", "confidence"]
    assert (reason["rule"], reason["confidence"]) == ("co-2300.holiday", "V2")
    assert "Ley 2300 de 2023" in reason["cite"]
    assert answer["next_allowed_at"] == "2026-12-09T07:00:00-05:00"
    assert answer["zones"] == ["America/Bogota"] and answer["jurisdictions"] == ["CO"]
    assert "co-2300" in answer["profiles"]
    assert set(answer["versions"]) == {"program", "rules", "tzdata", "holidays", "phonenumbers"}


def test_an_allowed_call_has_no_reasons(capsys: pytest.CaptureFixture[str]) -> None:
    asked = run(capsys, "explain", "--number", CO, "--at", "2026-12-09T10:00-05:00", "--json")
    answer = json.loads(asked.out)
    assert asked.code == 0 and answer["allowed"] is True and answer["reasons"] == []
    assert answer["next_allowed_at"] == "2026-12-09T10:00:00-05:00"


def test_the_next_time_has_the_offset_of_the_question(capsys: pytest.CaptureFixture[str]) -> None:
    asked = run(capsys, "explain", "--number", CO, "--at", "2026-12-08T15:00Z", "--json")
    assert json.loads(asked.out)["next_allowed_at"] == "2026-12-09T12:00:00+00:00"


def test_for_people_the_verdict_is_the_first_line(capsys: pytest.CaptureFixture[str]) -> None:
    asked = run(capsys, "explain", "--number", CO, "--at", "2026-12-08T16:00+01:00")
    first, *rest = asked.out.splitlines()
    assert first == f"NOT ALLOWED: {CO} at Tue 2026-12-08 16:00+01:00 for debt collection"
    text = "\n".join(rest)
    assert "Tue 2026-12-08 10:00 in America/Bogota" in text
    assert "co-2300.holiday" in text and "Ley 2300 de 2023" in text and "V2" in text
    assert "allowed from Wed 2026-12-09 13:00+01:00 on" in text
    assert "\x1b" not in asked.out


def test_a_history_of_its_own_file(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    history = tmp_path / "history.json"
    history.write_text('[{"kind": "conversation", "at": "2026-12-09T09:00-05:00"}]')
    asked = run(
        capsys, "explain", "--number", CO, "--at", "2026-12-09T10:00-05:00", "--history", str(history), "--json"
    )
    answer = json.loads(asked.out)
    assert asked.code == 1 and rules_of(answer) == ["co-1-a-day"]
    assert answer["next_allowed_at"] == "2026-12-10T07:00:00-05:00"


@pytest.mark.parametrize(
    ("arguments", "mend"),
    [
        (("--number", CO, "--at", "2026-12-08T10:00"), "--at: expected a time with its offset from UTC"),
        (("--number", CO, "--at", "tomorrow"), "--at: expected a time with its offset from UTC"),
        (("--at", HOLIDAY), "--number: missing"),
        (("--batch", "x.jsonl", "--number", CO), "--batch: expected nothing beside it"),
        (("--batch", "/nowhere/x.jsonl"), "/nowhere/x.jsonl: cannot be read"),
        (("--number", CO, "--at", HOLIDAY, "--history", "/nowhere/h.json"), "/nowhere/h.json: cannot be read"),
    ],
)
def test_a_question_that_needs_mending(
    capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], mend: str
) -> None:
    asked = run(capsys, "explain", *arguments)
    assert asked.code == 2 and asked.out == ""
    assert mend in asked.err and len(asked.err.splitlines()) == 1


@pytest.mark.parametrize("number", ["300 1234567", "3001234567", "+57", "", "abc", "+999123456789", "+1\x1b[31m617"])
def test_a_number_that_is_none_is_refused_and_never_guessed(capsys: pytest.CaptureFixture[str], number: str) -> None:
    asked = run(capsys, "explain", "--number", number, "--at", HOLIDAY, "--json")
    answer = json.loads(asked.out)
    assert asked.code == 1 and rules_of(answer) == ["number.invalid"]
    assert answer["next_allowed_at"] is None and answer["reasons"][0]["text"]
    assert "\x1b" not in asked.out


# ---- many questions -----------------------------------------------------------------------------------------
def test_bad_lines_are_answered_as_not_allowed_and_the_rest_as_asked(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    good = json.dumps({"id": "good", "number": CO, "at": HOLIDAY})
    path = tmp_path / "q.jsonl"
    path.write_bytes(
        b"\xef\xbb\xbf"
        + "\r\n".join(
            [
                good,
                '{"id": "typo", "number": "+16172531000", "at": "2026-12-08T10:00-05:00", "subdivison": "US-MA"}',
                "{",
                '{"id": 7, "number": 573001234567, "at": "2026-12-08T10:00-05:00"}',
                "",
                '{"id": 123456789012345678901234567890, "number": "+573001234567", "at": "2026-12-08T10:00-05:00"}',
                '{"id": "\\u001b[31m\\u202e", "number": "+573001234567", "at": "2026-12-08T10:00"}',
                '{"id": null, "number": "+573001234567", "at": "2026-12-08T10:00-05:00"}',
                good,
            ]
        ).encode()
    )
    asked = run(capsys, "explain", "--batch", str(path))
    answers = asked.lines()
    assert asked.code == 2
    expected = ["good", "typo", None, 7, 123456789012345678901234567890, "\x1b[31m\u202e", None, "good"]
    assert [answer["id"] for answer in answers] == expected
    assert all(list(answer) == ["id", *KEYS] for answer in answers)
    bad = [answer for answer in answers if rules_of(answer) == ["question.invalid"]]
    assert [answer["reasons"][0]["text"].split(": ")[0] for answer in bad] == [f"{path}:{n}" for n in (2, 3, 4, 7, 8)]
    assert all(answer["allowed"] is False and answer["next_allowed_at"] is None for answer in bad)
    assert "did you mean subdivision?" in bad[0]["reasons"][0]["text"]
    assert len(asked.err.splitlines()) == len(bad) and "\x1b" not in asked.err + asked.out
    assert "\u202e" not in asked.out and "﻿" not in asked.out
    assert rules_of(answers[0]) == rules_of(answers[4]) == rules_of(answers[-1]) == ["co-2300.holiday"]


def test_a_batch_from_standard_input(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    line = json.dumps({"id": 1, "number": CO, "at": HOLIDAY}).encode()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(line + b"\n[]\n")))
    asked = run(capsys, "explain", "--batch", "-")
    assert asked.code == 2 and [answer["id"] for answer in asked.lines()] == [1, None]
    assert asked.err.startswith("stdin:2: ")


def test_an_empty_batch_has_no_answers(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "q.jsonl"
    path.write_text("\n")
    asked = run(capsys, "explain", "--batch", str(path))
    assert (asked.code, asked.out) == (0, "")


def test_a_reader_that_has_seen_enough(tmp_path: Path) -> None:
    path = tmp_path / "q.jsonl"
    path.write_text((json.dumps({"id": 1, "number": CO, "at": HOLIDAY}) + "\n") * 300)
    command = [sys.executable, "-m", "dialer", "compliance", "explain", "--batch", str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=Path(__file__).parents[2]) as it:
        assert it.stdout is not None and it.stderr is not None
        assert json.loads(it.stdout.readline())["id"] == 1
        it.stdout.close()
        told = it.stderr.read()
    assert (it.returncode, told) == (1, b"")


def test_scopes_may_differ_from_line_to_line(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    at = "2026-11-25T08:30-05:00"  # half an hour before a telemarketer may call in Texas
    lines = [{"id": n, "number": "+19155321234", "at": at, "scope": scope} for n, scope in enumerate(SCOPES)]
    debt, telemarketing, again = ask_all(capsys, tmp_path / "q.jsonl", lines)
    assert debt == {**again, "id": 0} and telemarketing["profiles"] != debt["profiles"]


SCOPES = ("debt_collection", "telemarketing", "debt_collection")


def test_one_question_and_a_batch_of_it_say_the_same(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (of_batch,) = ask_all(capsys, tmp_path / "q.jsonl", [{"id": 1, "number": CO, "at": HOLIDAY}])
    alone = json.loads(run(capsys, "explain", "--number", CO, "--at", HOLIDAY, "--json").out)
    assert of_batch == {"id": 1, **alone}


# ---- the traps that are known -------------------------------------------------------------------------------
def attempts(*times: str, kind: str = "attempt", **more: str) -> list[dict[str, str]]:
    return [{"kind": kind, "at": at, **more} for at in times]


def days(first: str, count: int) -> list[str]:
    begin = datetime.fromisoformat(first)
    return [(begin + timedelta(days=day)).isoformat() for day in range(count)]


SALES = {"scope": "telemarketing"}
# name: question, a rule that forbids it ("" if it is allowed), when it is allowed next (None: not asked)
TRAPS: dict[str, tuple[dict[str, Any], str, str | None]] = {
    "Peru on Saturday": (
        {"number": PE, "at": "2026-12-05T10:00-05:00"},
        "pe-debt.hours",
        "2026-12-07T07:00:00-05:00",
    ),
    "Peru on Monday": ({"number": PE, "at": "2026-12-07T07:00-05:00"}, "", None),
    "Colombia on 2026-07-13": (
        {"number": CO, "at": "2026-07-13T10:00-05:00"},
        "co-2300.holiday",
        "2026-07-14T07:00:00-05:00",
    ),
    "Chile's one call a week": (
        {
            "number": "+56987654321",
            "at": "2026-11-27T10:00-03:00",
            "history": attempts("2026-11-23T10:00-03:00", kind="contact"),
        },
        "cl-1-a-week",
        "2026-11-30T08:00:00-03:00",
    ),
    "Chile, nobody was reached": (
        {"number": "+56987654321", "at": "2026-11-27T10:00-03:00", "history": attempts("2026-11-23T10:00-03:00")},
        "",
        None,
    ),
    "Ecuador's second call of a day": (
        {"number": "+593991234567", "at": "2026-11-25T10:00-05:00", "history": attempts("2026-11-25T09:00-05:00")},
        "ec-1-a-day",
        "2026-11-26T08:00:00-05:00",  # 07:00 in the Galapagos
    ),
    "Ecuador on Saturday": ({"number": "+593991234567", "at": "2026-11-28T10:00-05:00"}, "ec-debt.hours", None),
    "Massachusetts 2 in 7": (
        {
            "number": BOSTON,
            "at": "2026-11-25T12:00-05:00",
            "history": attempts("2026-11-20T12:00-05:00", "2026-11-23T12:00-05:00"),
        },
        "us-ma-2-in-7-days",
        "2026-11-27T08:00:00-05:00",
    ),
    "Massachusetts, another debt": (
        {
            "number": BOSTON,
            "at": "2026-11-25T12:00-05:00",
            "debt": "D-1",
            "history": attempts("2026-11-20T12:00-05:00", "2026-11-23T12:00-05:00", debt="D-2"),
        },
        "",
        None,
    ),
    "Regulation F's eighth attempt": (
        {"number": TX, "at": "2026-11-25T12:00-06:00", "history": attempts(*days("2026-11-19T09:00-06:00", 7))},
        "us-7in7",
        "2026-11-26T08:00:00-06:00",
    ),
    "Regulation F's seventh attempt": (
        {"number": TX, "at": "2026-11-25T12:00-06:00", "history": attempts(*days("2026-11-19T09:00-06:00", 6))},
        "",
        None,
    ),
    "Regulation F's seventh day": (
        {
            "number": TX,
            "at": "2026-11-25T20:00-06:00",
            "history": attempts("2026-11-19T09:00-06:00", kind="conversation"),
        },
        "us-7-days-after-conversation",
        "2026-11-26T08:00:00-06:00",
    ),
    "Regulation F's eighth day": (
        {
            "number": TX,
            "at": "2026-11-26T08:00-06:00",
            "history": attempts("2026-11-19T09:00-06:00", kind="conversation"),
        },
        "",
        None,
    ),
    "France between its two windows": (
        {**SALES, "number": "+33612345678", "at": "2026-11-25T13:30+01:00"},
        "fr-tmk.hours",
        "2026-11-25T14:00:00+01:00",
    ),
    "France 4 in 30": (
        {
            **SALES,
            "number": "+33612345678",
            "at": "2026-11-25T10:30+01:00",
            "history": attempts(*(f"2026-11-{day:02}T11:00+01:00" for day in (2, 9, 16, 23))),
        },
        "fr-4-in-30-days",
        "2026-12-02T10:00:00+01:00",
    ),
    "Indiana, an hour behind in Evansville": (
        {"number": "+18124223456", "at": "2026-11-25T08:30-05:00"},
        "us-fed-debt.hours",
        "2026-11-25T09:00:00-05:00",
    ),
    "Arizona, an hour ahead on the Navajo Nation": (
        {"number": "+19287741234", "at": "2026-07-15T20:30-07:00"},
        "us-fed-debt.hours",
        "2026-07-16T08:00:00-07:00",
    ),
    "+1-867, from Yukon to Nunavut": (
        {"number": "+18679201234", "at": "2026-11-25T09:30-05:00"},
        "policy.hours",
        None,
    ),
    "a toll-free number": ({"number": "+18002221811", "at": "2026-11-25T12:00-05:00"}, "number.non_geographic", None),
    "a Spanish mobile, for sale": (
        {**SALES, "number": "+34612345678", "at": "2026-11-25T09:30+01:00"},
        "es-tmk.hours",
        "2026-11-25T10:00:00+01:00",
    ),
    "a Spanish mobile, for a debt": (
        {"number": "+34612345678", "at": "2026-11-25T19:30+00:00"},
        "policy.hours",
        "2026-11-26T09:00:00+00:00",
    ),
    "British Columbia stays on summer time": (
        {"number": "+16042234567", "at": "2026-12-15T21:30-07:00"},
        "ca-bc-debt.hours",
        None,
    ),
    "Alberta stays on summer time": ({"number": "+14032234567", "at": "2026-12-15T20:30-06:00"}, "policy.hours", None),
    "Alberta, its morning": ({"number": "+14032234567", "at": "2026-12-15T09:30-06:00"}, "", None),
    "Mississippi by standard time": (
        {**SALES, "number": "+16019441234", "at": "2026-07-15T08:30-05:00"},
        "us-ms-tmk.hours",
        "2026-07-15T09:00:00-05:00",
    ),
    "a lead that moved to Massachusetts": (
        {
            "number": "+13122223456",
            "postal": "02108",
            "at": "2026-11-25T12:00-06:00",
            "history": attempts("2026-11-24T12:00-06:00", "2026-11-23T12:00-06:00"),
            "subdivision": "US-MA",
        },
        "us-ma-2-in-7-days",
        None,
    ),
    "a lead that moved, by two clocks": (
        {"number": "+13122223456", "subdivision": "US-MA", "at": "2026-11-25T20:30-06:00"},
        "us-fed-debt.hours",
        "2026-11-26T08:00:00-06:00",
    ),
    "an address that contradicts itself": (
        {"number": "+13122223456", "subdivision": "US-NY", "postal": "02108", "at": "2026-11-25T12:00-06:00"},
        "address.contradictory",
        None,
    ),
}


def test_the_known_traps(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    lines = [{"id": name, **question} for name, (question, _, _) in TRAPS.items()]
    answers = ask_all(capsys, tmp_path / "q.jsonl", lines)
    wrong = []
    for answer, (name, (_, rule, next_at)) in zip(answers, TRAPS.items(), strict=True):
        as_told = answer["allowed"] is not bool(rule) and (rule in rules_of(answer) if rule else not answer["reasons"])
        if not as_told or next_at not in (None, answer["next_allowed_at"]):
            wrong.append(f"{name}: {rules_of(answer)}, next {answer['next_allowed_at']}, zones {answer['zones']}")
    assert wrong == []
    of = {answer["id"]: answer for answer in answers}
    assert set(of["a Spanish mobile, for sale"]["zones"]) == {"Europe/Madrid", "Atlantic/Canary"}
    assert len(of["+1-867, from Yukon to Nunavut"]["zones"]) >= 3
    assert of["a toll-free number"]["next_allowed_at"] is None
    assert {"US-IL", "US-MA"} <= set(of["a lead that moved to Massachusetts"]["jurisdictions"])
    assert any("consent" in needed for needed in of["France 4 in 30"]["requires"])


def test_the_next_time_is_the_first_one(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    thrice = attempts("2026-11-25T09:00:00.5-05:00", "2026-11-25T10:00-05:00", "2026-11-25T11:00-05:00")
    asked = {
        **{name: question for name, (question, _, _) in TRAPS.items()},
        "Florida, 3 in 24 hours": {
            **SALES,
            "number": "+13052223456",
            "at": "2026-11-25T12:00-05:00",
            "history": attempts("2026-11-25T09:00:00.5-05:00") + attempts("2026-11-24T13:00-05:00", kind="contact"),
        },
        "Maryland, 3 in 24 hours": {
            **SALES,
            "number": "+14102223456",
            "at": "2026-11-25T12:00-05:00",
            "history": thrice,
        },
        "abandoned": {
            "number": CO,
            "at": "2026-12-09T10:00-05:00",
            "history": attempts("2026-12-07T10:00-05:00", kind="abandoned"),
        },
    }
    answers = ask_all(capsys, tmp_path / "q.jsonl", [{"id": name, **question} for name, question in asked.items()])
    again = []
    for answer in answers:
        if not answer["allowed"] and answer["next_allowed_at"] is not None:
            then = datetime.fromisoformat(answer["next_allowed_at"])
            for name, at in (("then", then), ("just before", then - timedelta(seconds=1))):
                again.append({**asked[answer["id"]], "id": [answer["id"], name], "at": at.isoformat()})
    lines = [{**line, "id": " / ".join(line["id"])} for line in again]
    wrong = [
        f"{answer['id']}: {answer['allowed']}"
        for answer in ask_all(capsys, tmp_path / "again.jsonl", lines)
        if answer["allowed"] is not answer["id"].endswith("then")
    ]
    assert len(lines) > 30 and wrong == []


# ---- the week -----------------------------------------------------------------------------------------------
@pytest.fixture
def leads(tmp_path: Path) -> Path:
    path = tmp_path / "leads.csv"
    path.write_text(f"id,telefono\n1,{CO}\n2,+573007654321\n3,{PE}\n4,not a number\n")
    return path


def test_a_week_with_a_holiday(capsys: pytest.CaptureFixture[str], leads: Path) -> None:
    asked = run(capsys, "calendar", str(leads), "--week", "2026-W29", "--zone", "America/Bogota", "--json")
    week = json.loads(asked.out)
    assert asked.code == 0 and (week["leads"], week["sometimes"], week["first"]) == (3, 3, "2026-07-13")
    # 13 July: Colombia is closed, Peru is not. Saturday: the other way round.
    monday, tuesday, saturday, sunday = (week["callable"][day] for day in (0, 1, 5, 6))
    assert (monday[13], monday[14], monday[39], monday[40]) == (0, 1, 1, 0)  # 07:00 to 20:00
    assert (tuesday[14], tuesday[37], tuesday[38]) == (3, 3, 1)  # Colombia to 19:00
    assert (saturday[15], saturday[16], saturday[29], saturday[30]) == (0, 2, 2, 0)  # 08:00 to 15:00
    assert sum(sunday) == 0
    colombia = next(place for place in week["places"] if place["jurisdictions"] == ["CO"])
    assert colombia["leads"] == 2 and colombia["days"][0]["rules"] == ["co-2300.holiday"]
    assert colombia["days"][1]["open"] == [[7 * 60, 19 * 60]]


def test_a_week_for_people(capsys: pytest.CaptureFixture[str], leads: Path) -> None:
    asked = run(capsys, "calendar", str(leads), "--from", "2026-07-13", "--zone", "America/Bogota")
    assert "CO (America/Bogota), 2 leads: Tue 14–Fri 17 07:00–19:00; Sat 18 08:00–15:00" in asked.out
    assert "Mon 13 closed: co-2300.holiday" in asked.out and "Chiquinquirá" in asked.out
    assert "3 of 3 leads may be called" in asked.out and "1 row is not in it, the first in line 5: " in asked.out
    assert "\x1b" not in asked.out and not leads.with_name("leads.rejected.csv").exists()


def test_a_week_of_a_campaign(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    from dialer.config.example import write_example

    write_example(tmp_path / "site")
    asked = run(capsys, "calendar", str(tmp_path / "site" / "campaign.yaml"), "--week", "2026-W49", "--zone", "UTC")
    assert asked.code == 0 and "PE (America/Lima)" in asked.out


def test_a_week_in_which_nobody_may_be_called(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "leads.csv"
    path.write_text("id,telefono\n1,+999123\n")
    assert run(capsys, "calendar", str(path), "--week", "2026-W49", "--json").code == 1


@pytest.mark.parametrize(
    ("arguments", "mend"),
    [
        (("--week", "49"), "--week: expected a week such as 2026-W49, was '49'"),
        (("--from", "2026-02-30"), "--from: expected a date such as 2026-12-05"),
        (("--week", "2026-W49", "--from", "2026-12-01"), "either --week or --from"),
        (("--zone", "Bogota"), "--zone: expected an IANA zone"),
        (("--country", "XX"), "--country: no rules for 'XX'"),
    ],
)
def test_a_week_that_needs_mending(
    capsys: pytest.CaptureFixture[str], leads: Path, arguments: tuple[str, ...], mend: str
) -> None:
    asked = run(capsys, "calendar", str(leads), *arguments)
    assert asked.code == 2 and mend in asked.err and asked.out == ""


# ---- the page -----------------------------------------------------------------------------------------------
def test_the_pack_on_the_page_is_a_good_one(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "docs" / "compliance.md").read_text()
    pack = tmp_path / "contract.yaml"
    pack.write_text(page[page.index("# contract.yaml") :].partition("```")[0])
    asked = run(capsys, "lint", str(pack))
    assert asked.code == 0, asked.out + asked.err
