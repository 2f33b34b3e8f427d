"""The export: one row an attempt, safe in a spreadsheet, for its owner alone, whole or not at all."""

from __future__ import annotations

import csv
import stat
from pathlib import Path

import pytest

from dialer.adapters.attempt_export import COLUMNS, export_attempts
from dialer.adapters.journal import Header, Journal
from dialer.core.actions import HangUp, Settle, Settlement
from dialer.core.events import TimePassed
from dialer.core.lead import LeadProgress
from dialer.errors import JournalError

AT = 1_763_672_400.0  # 2025-11-20 21:00:00 UTC
HEADER = Header(campaign={"campaign": "mora"}, run=3, seed=7, started_at=AT)


def settlement(attempt_id: int, **facts: object) -> Settlement:
    values: dict[str, object] = {
        "lead_id": f"L{attempt_id}",
        "number": "+51999000111",
        "at": AT + 99.0,
        "disposition": "PTP",
        "reserved_at": AT,
        "originated_at": AT + 0.25,
        "answered_at": AT + 12.0,
        "bridged_at": AT + 12.5,
        "ended_at": AT + 72.5,
        "agent_id": "ana",
        "trunk": "t1",
        "caller_id": "+5117000000",
        "fact_keys": (),
        "progress": LeadProgress(lead_id=f"L{attempt_id}"),
        **facts,
    }
    return Settlement(attempt_id=attempt_id, **values)  # type: ignore[arg-type]


def write(path: Path, *batches: tuple[Settlement, ...]) -> Path:
    journal = Journal(path, HEADER)
    for batch in batches:
        journal.append(TimePassed(at=AT), [Settle(settlements=batch)])
        journal.append(TimePassed(at=AT), [HangUp(attempt_id=9, reason="no end of an attempt")])
    journal.close()
    return path


def rows(target: Path) -> list[dict[str, str]]:
    with target.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "attempts.csv"


def test_each_attempt_is_one_row_in_the_order_of_the_ends(tmp_path: Path, target: Path) -> None:
    journal = write(tmp_path / "day.jsonl", (settlement(2, tries=3), settlement(1)), (settlement(3),))
    assert export_attempts(journal, target) == 3
    table = rows(target)
    assert list(table[0]) == list(COLUMNS)
    assert [row["attempt_id"] for row in table] == ["2", "1", "3"]
    first = table[0]
    assert (first["disposition"], first["agent"], first["trunk"]) == ("PTP", "ana", "t1")
    assert [row["tries"] for row in table] == ["3", "1", "1"]
    assert (first["wait_s"], first["talk_s"]) == ("0.500", "60.000")
    assert (first["reserved_at"], first["originated_at"]) == (
        "2025-11-20T21:00:00.000+00:00",
        "2025-11-20T21:00:00.250+00:00",
    )


def test_what_never_was_is_empty(tmp_path: Path, target: Path) -> None:
    nothing = dict.fromkeys(
        ("originated_at", "answered_at", "bridged_at", "ended_at", "agent_id", "trunk", "caller_id")
    )
    export_attempts(write(tmp_path / "day.jsonl", (settlement(1, **nothing),)), target)
    (row,) = rows(target)
    assert all(
        row[name] == "" for name in ("originated_at", "ended_at", "agent", "tries", "caller_id", "wait_s", "talk_s")
    )
    assert row["reserved_at"] != ""


@pytest.mark.parametrize("evil", ["=1+1", "+cmd", "-2+3", "@SUM(A1)", "\t=1", '=HYPERLINK("http://x")'])
def test_no_cell_of_the_list_is_a_formula(tmp_path: Path, target: Path, evil: str) -> None:
    export_attempts(write(tmp_path / "day.jsonl", (settlement(1, lead_id=evil),)), target)
    (row,) = rows(target)
    assert row["lead_id"] == f"'{evil}"
    assert all(not cell.startswith(("=", "+", "-", "@", "\t", "\r")) for cell in row.values())


def test_the_file_is_for_its_owner_alone_and_leaves_nothing_beside_it(tmp_path: Path, target: Path) -> None:
    target.write_text("an older export")
    target.chmod(0o644)
    journal = write(tmp_path / "day.jsonl", (settlement(1),))
    export_attempts(journal, target)
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert sorted(path.name for path in tmp_path.iterdir()) == ["attempts.csv", "day.jsonl"]


def test_a_damaged_journal_leaves_the_older_export_as_it_was(tmp_path: Path, target: Path) -> None:
    target.write_text("an older export")
    journal = write(tmp_path / "day.jsonl", (settlement(1),), (settlement(2),))
    written = journal.read_bytes().splitlines(keepends=True)
    written[2] = b'{"not": "a step"}\n'
    journal.write_bytes(b"".join(written))
    with pytest.raises(JournalError):
        export_attempts(journal, target)
    assert target.read_text() == "an older export"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["attempts.csv", "day.jsonl"]
