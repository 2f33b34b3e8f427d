"""The record of orders is appended to, private, and whole."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from dialer.adapters.audit import Person, audit_log


def test_entries_come_back_in_order(tmp_path: Path) -> None:
    log = audit_log(tmp_path / "data")
    assert log.read() == []
    log.write(Person("ana", 7), "c", "set", old={"mode": "predictive"}, new={"mode": "progressive"})
    log.write(Person("luis\n", None), "c", "set", new={"mode": "x"}, refused="no such mode")
    first, second = log.read()
    assert (first.who, first.pid, first.old, first.new) == ("ana", 7, {"mode": "predictive"}, {"mode": "progressive"})
    assert first.accepted and not second.accepted and second.reason == "no such mode"
    assert first.at <= second.at
    assert log.path.stat().st_mode & 0o777 == 0o600
    assert log.path.read_bytes().count(b"\n") == 2


def test_lines_of_several_writers_never_mix(tmp_path: Path) -> None:
    def write(number: int) -> None:
        audit_log(tmp_path).write(Person(f"p{number}", number), "c", "x" * 3000)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(40)))
    assert sorted(entry.pid or 0 for entry in audit_log(tmp_path).read()) == list(range(40))
