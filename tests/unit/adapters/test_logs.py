"""No telephone number stands whole in a log, wherever in a line it was."""

from __future__ import annotations

import json
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from dialer.adapters.logs import mask, set_up_logs

NUMBER = "+51999000111"
LOCAL = "999000111"  # what no line may show whole


@pytest.fixture
def log_file(tmp_path: Path) -> Iterator[Path]:
    """Logs of this test alone; whatever was set up before comes back."""
    before = structlog.get_config()
    path = tmp_path / "logs" / "dialer.log"
    set_up_logs(path)
    yield path
    close_logs()
    structlog.configure(**before)


def close_logs() -> None:
    structlog.get_config()["logger_factory"]._file.close()


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def shown(path: Path) -> str:
    """The digits of the log's text, without what people put between them."""
    return "".join(sign for sign in path.read_text() if sign not in " .()/-")


@given(st.from_regex(r"\+[1-9][0-9]{10,14}", fullmatch=True))
def test_the_middle_is_hidden_and_the_ends_are_kept(number: str) -> None:
    hidden = mask(f"dialled {number} twice")
    assert number not in hidden and "•••" in hidden
    assert hidden.startswith(f"dialled {number[:5]}") and hidden.endswith(f"{number[-3:]} twice")


@pytest.mark.parametrize(
    "text",
    ["agent ana", "300 leads", "took 12.5 s", "trunk t1: 503", "run 3 of 4", "window 09:00-20:00", "v0.1.0",
     "2026-11-20", "as of 2026-11-20T00:00:00+00:00", "2026-11-20T10:00:00.123456Z", "2026-11-20 10:00, 3 files"],
)  # fmt: skip
def test_what_is_no_number_stays(text: str) -> None:
    assert mask(text) == text


@pytest.mark.parametrize(
    "text",
    ["+51999000111", "51999000111", "999000111", "+51 999 000 111", "999-000-111", "(51) 999 000 111", "51.999.000.111",
     "2026-11-20 999000111",
     "+51 2026-11-20 999000111", "2026-11-20-999000111", "2026-11-20T10:00 999000111",
     "number:+51999000111", "sip:51999000111@carrier", "PJSIP/51999000111-00000001", "a+51999000111b"],
)  # fmt: skip
def test_numbers_are_known_however_people_and_machines_write_them(text: str) -> None:
    assert LOCAL not in "".join(sign for sign in mask(text) if sign.isdigit()), mask(text)


@given(st.integers(7, 15), st.booleans())
def test_at_least_three_digits_are_hidden_of_any_number(length: int, plus: bool) -> None:
    number = "+" * plus + "9876543210" * 2
    hidden = mask(number[: length + plus])
    assert sum(sign.isdigit() for sign in hidden) <= length - 3, hidden


@pytest.mark.parametrize(
    "value",
    [
        NUMBER,
        [NUMBER],
        (NUMBER, 1),
        {"number": NUMBER},
        {NUMBER: "busy"},
        {"lead": {"numbers": [{"e164": NUMBER}]}},
        {NUMBER},
        Path("/recordings") / f"{NUMBER}.wav",
        ValueError(f"{NUMBER}: unallocated"),
        [ValueError(NUMBER)],
        NUMBER.encode(),
    ],
    ids=repr,
)
def test_every_value_of_a_line_is_masked(log_file: Path, value: object) -> None:
    structlog.get_logger().info("attempt.placed", what=value)
    assert LOCAL not in shown(log_file) and len(lines(log_file)) == 1


def test_the_line_s_own_text_and_bound_values_are_masked(log_file: Path) -> None:
    log = structlog.get_logger().bind(lead=NUMBER)
    log.warning(f"could not reach {NUMBER}")
    with structlog.contextvars.bound_contextvars(number=NUMBER):
        log.info("again")
    assert LOCAL not in shown(log_file)
    assert [line["level"] for line in lines(log_file)] == ["warning", "info"]


def test_exceptions_and_their_causes_are_masked(log_file: Path) -> None:
    try:
        try:
            raise KeyError(NUMBER)
        except KeyError as cause:
            raise RuntimeError(f"no lead for {NUMBER}") from cause
    except RuntimeError:
        structlog.get_logger().exception("lead.unknown")
    (line,) = lines(log_file)
    assert LOCAL not in shown(log_file)
    assert "RuntimeError" in line["exception"] and "KeyError" in line["exception"]


def test_times_ids_and_counts_are_kept(log_file: Path) -> None:
    structlog.get_logger().info("attempt.settled", attempt_id=3_000_000_017, run=3, leads=12_345_678, ring_s=11.25)
    (line,) = lines(log_file)
    assert (line["attempt_id"], line["leads"], line["ring_s"]) == (3_000_000_017, 12_345_678, 11.25)
    assert (line["event"], line["level"]) == ("attempt.settled", "info")
    assert "•" not in line["timestamp"] and line["timestamp"].endswith("Z")


def test_logs_are_for_their_owner_alone_and_added_to(log_file: Path) -> None:
    structlog.get_logger().info("first")
    log_file.chmod(0o644)
    close_logs()
    set_up_logs(log_file)
    structlog.get_logger().info("second")
    assert [line["event"] for line in lines(log_file)] == ["first", "second"]
    assert stat.S_IMODE(log_file.stat().st_mode) == 0o600
    assert stat.S_IMODE(log_file.parent.stat().st_mode) == 0o700


def test_nothing_below_info_is_written(log_file: Path) -> None:
    structlog.get_logger().debug("noise", number=NUMBER)
    assert log_file.read_text() == ""
