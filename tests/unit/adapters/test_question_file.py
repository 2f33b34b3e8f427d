"""Questions to the rules: read strictly, and no text of a line stops the rest."""

from __future__ import annotations

import io
import json
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compliance.facts import Fact
from dialer.adapters.question_file import (
    FIRST_YEAR,
    LAST_YEAR,
    MAX_LINE,
    BadQuestion,
    Question,
    read_history,
    read_moment,
    read_questions,
)
from dialer.errors import ConfigError

AT = "2026-12-08T10:00-05:00"
PLAIN: dict[str, Any] = {"id": 1, "number": "+573001234567", "at": AT}


def read(data: bytes | str) -> list[Question | BadQuestion]:
    return list(read_questions(io.BytesIO(data.encode() if isinstance(data, str) else data), "q.jsonl"))


def read_one(**changes: Any) -> Question | BadQuestion:
    """Read one line: `PLAIN` with changes; a key that is `...` is left out."""
    line = {key: value for key, value in {**PLAIN, **changes}.items() if value is not ...}
    (read_line,) = read(json.dumps(line))
    return read_line


def fault(**changes: Any) -> str:
    bad = read_one(**changes)
    assert isinstance(bad, BadQuestion), bad
    return bad.fault


# ---- questions ----------------------------------------------------------------------------------------------
def test_a_question_with_all_it_may_have() -> None:
    question = read_one(
        id="a-1",
        scope="telemarketing",
        subdivision="US-MA",
        postal="02108",
        debt="D-1",
        person="P-1",
        history=[
            {"kind": "attempt", "at": "2026-12-07T10:00-05:00", "debt": "D-1"},
            {"kind": "conversation", "at": "2026-12-07T15:00Z", "channel": "inbound"},
        ],
    )
    at = datetime.fromisoformat("2026-12-07T10:00-05:00").timestamp()
    assert question == Question(
        id="a-1",
        line=1,
        number="+573001234567",
        at=datetime.fromisoformat(AT),
        scope="telemarketing",
        subdivision="US-MA",
        postal="02108",
        debt="D-1",
        person="P-1",
        history=(
            Fact(at=at, kinds=("attempt",), debt="D-1"),
            Fact(at=at, kinds=("conversation",), channel="inbound"),
        ),
    )


def test_what_is_left_out_or_null_is_not_given() -> None:
    nulls = read_one(subdivision=None, postal=None, debt=None, person=None, history=None)
    assert nulls == read_one() and isinstance(nulls, Question)
    assert nulls.scope == "debt_collection" and nulls.history == ()


def test_the_offset_of_the_question_is_kept() -> None:
    question = read_one(at="2026-12-08T10:00-05:00")
    assert isinstance(question, Question) and question.at.isoformat() == "2026-12-08T10:00:00-05:00"


def test_marks_and_line_ends_of_windows_and_blank_lines() -> None:
    lines = b"\xef\xbb\xbf" + json.dumps(PLAIN).encode() + b"\r\n\r\n   \n" + json.dumps({**PLAIN, "id": 2}).encode()
    found = read(lines)
    assert [(type(q), q.id, q.line) for q in found] == [(Question, 1, 1), (Question, 2, 4)]


@pytest.mark.parametrize("id", ["x", "", "ñ\u202e\x1b[31m\n", 0, -7, 2**63, 10**100, "9" * 128])
def test_ids_stay_as_they_are(id: str | int) -> None:
    assert read_one(id=id).id == id


# ---- faults -------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("changes", "mend"),
    [
        ({"id": ...}, "id: missing"),
        ({"id": None}, "id: expected text or a whole number, was null"),
        ({"id": True}, "id: expected text or a whole number, was true or false"),
        ({"id": 1.5}, "id: expected text or a whole number"),
        ({"id": "x" * 129}, "id: expected at most 128 characters, found 129"),
        ({"number": ...}, "number: missing"),
        ({"number": 573001234567}, "number: expected text in quotes, was a number"),
        ({"number": None}, "number: expected text in quotes, was null"),
        ({"at": ...}, "at: missing"),
        ({"at": "2026-12-08T10:00"}, "at: expected a time with its offset from UTC"),
        ({"at": "2026-12-08"}, "at: expected a time with its offset from UTC"),
        ({"at": "2026-13-08T10:00Z"}, "at: expected a time"),
        ({"at": "2026-12-08T10:00-99:00"}, "at: expected a time"),
        ({"at": "9999-12-31T23:59-10:00"}, "at: expected a time from 2000 to 2099"),
        ({"at": 1796700000}, "at: expected text in quotes, was a number"),
        ({"scope": "debts"}, "scope: expected one of debt_collection, telemarketing, was 'debts'"),
        ({"scope": None}, "scope: expected"),
        ({"postal": 2108}, "postal: expected text in quotes, was a number"),
        ({"subdivison": "US-MA"}, "subdivison: unknown key: did you mean subdivision?"),
        ({"zip": "02108"}, "zip: unknown key: expected one of"),
        ({"history": {}}, "history: expected a list, was an object"),
        ({"history": ["attempt"]}, "history[0]: expected an object, was text in quotes"),
        ({"history": [{"kind": "call", "at": AT}]}, "history[0].kind: expected one of attempt, contact"),
        ({"history": [{"kind": "attempt"}]}, "history[0].at: missing"),
        ({"history": [{"kind": "attempt", "at": AT, "dept": "D"}]}, "history[0].dept: unknown key: did you mean debt?"),
        ({"history": [{"kind": "attempt", "at": AT, "channel": "fax"}]}, "history[0].channel: expected one of voice"),
        ({"history": [{"kind": "attempt", "at": "yesterday"}]}, "history[0].at: expected a time"),
        ({"history": [{"kind": "attempt", "at": "2026-12-08T10:01-05:00"}]}, "not after the call's"),
        ({"history": [{"kind": "attempt", "at": AT, "debt": "x" * 129}]}, "history[0].debt: expected at most 128"),
        ({"person": "x" * 129}, "person: expected at most 128"),
    ],
)
def test_a_fault_names_its_line_its_key_and_the_mend(changes: dict[str, Any], mend: str) -> None:
    told = fault(**changes)
    assert told.startswith("q.jsonl:1: ") and mend in told, told
    assert "\n" not in told


def test_a_bad_line_keeps_its_id_and_the_others_are_read() -> None:
    good = json.dumps(PLAIN)
    found = read(f'{good}\n{{"id": "b", "number": 5}}\nnot json\n[]\n{good}\n')
    assert [(q.id, q.line, type(q)) for q in found] == [
        (1, 1, Question),
        ("b", 2, BadQuestion),
        (None, 3, BadQuestion),
        (None, 4, BadQuestion),
        (1, 5, Question),
    ]


@pytest.mark.parametrize(
    "line",
    [
        b"{",
        b'{"id": 1, "number": "+57", "at": "x"} {}',
        b"NaN",
        b'{"id": NaN}',
        b'{"id": ' + b"9" * 100_000 + b"}",
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b'{"id": "\xff"}',
        b'{"id": "\\ud800", "number": "", "at": ""}',
        b"\x00",
    ],
    ids=lambda line: repr(line[:12]),
)
def test_what_is_no_json_object_is_a_fault_of_its_line(line: bytes) -> None:
    found = read(line + b"\n" + json.dumps(PLAIN).encode())
    assert [type(q) for q in found] == [BadQuestion, Question]


def test_a_key_that_stands_twice_is_a_fault() -> None:
    (bad,) = read(json.dumps({**PLAIN, "postal": "1"})[:-1] + ', "postal": "2"}')
    assert isinstance(bad, BadQuestion) and "postal: stands twice" in bad.fault


def test_a_line_that_is_too_long_is_left_whole() -> None:
    found = read(b'{"id": "' + b"x" * (2 * MAX_LINE) + b'"}\n' + json.dumps(PLAIN).encode())
    assert [(type(q), q.line) for q in found] == [(BadQuestion, 1), (Question, 2)]


def test_a_line_of_just_the_limit_is_read() -> None:
    line = json.dumps(PLAIN).encode()
    found = read(line + b" " * (MAX_LINE - len(line) - 1) + b"\n" + line)
    assert [type(q) for q in found] == [Question, Question]


def test_utf_16_is_told_at_once() -> None:
    with pytest.raises(ConfigError, match=r"q.jsonl:1: expected JSON lines in UTF-8"):
        read(json.dumps(PLAIN).encode("utf-16"))


@given(st.binary(max_size=200))
def test_no_bytes_stop_the_reading(data: bytes) -> None:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return
    plain = json.dumps(PLAIN).encode()
    found = read(data.replace(b"\n", b" ") + b"\n" + plain)
    assert isinstance(found[-1], Question) and len(found) <= 2


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
FACTS = st.lists(
    st.fixed_dictionaries({}, optional={"kind": st.sampled_from(["attempt", "refusal", "x"]) | JSON, "at": JSON})
)


@given(
    st.fixed_dictionaries(
        {}, optional={"id": JSON, "number": JSON, "at": st.just(AT) | JSON, "scope": JSON, "history": FACTS | JSON}
    )
)
def test_any_object_is_a_question_or_a_fault(line: dict[str, Any]) -> None:
    (found,) = read(json.dumps(line))
    if isinstance(found, Question):
        assert found.number == line["number"] and found.id == line["id"]
        assert all(fact.at <= found.at.timestamp() for fact in found.history)
    else:
        assert found.fault.startswith("q.jsonl:1: ")


# ---- times and histories ------------------------------------------------------------------------------------
@given(st.datetimes(min_value=datetime(FIRST_YEAR, 1, 1), max_value=datetime(LAST_YEAR, 12, 31)), st.integers(-14, 14))
def test_times_are_read_as_they_are_written(naive: datetime, hours: int) -> None:
    text = f"{naive.replace(microsecond=0).isoformat()}{hours:+03}:00"
    assert read_moment(text) == datetime.fromisoformat(text)


@given(st.text(max_size=30))
def test_any_other_text_is_a_fault(text: str) -> None:
    with pytest.raises(ValueError, match="expected a time"):
        read_moment(text)


@pytest.mark.parametrize("text", ["20261208T100000Z", "2026-W50-2T10:00Z", "2026-12-08T10Z", "２０２６-12-08T10:00Z"])
def test_forms_that_could_be_read_in_two_ways_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="expected a time"):
        read_moment(text)


def test_a_history_file() -> None:
    at = datetime.fromisoformat(AT)
    assert read_history(b'\xef\xbb\xbf[{"kind": "refusal", "at": "2026-12-08T15:00Z"}]', "h.json", at) == (
        Fact(at=at.timestamp(), kinds=("refusal",)),
    )
    with pytest.raises(ConfigError, match=r"h\.json: \[0\]\.kind: expected one of"):
        read_history(b'[{"kind": "", "at": "2026-12-08T15:00Z"}]', "h.json", at)
    with pytest.raises(ConfigError, match=r"h\.json: not JSON"):
        read_history(b"[", "h.json", at)
