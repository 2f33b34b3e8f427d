"""The record of what people ordered: one JSON object a line, appended, never changed."""

from __future__ import annotations

import getpass
import os
from datetime import UTC, datetime
from pathlib import Path

import msgspec

Value = str | int | float | None


class Person(msgspec.Struct, frozen=True):
    """Who gave an order: the user's name on this machine, and the process that asked (None: not told)."""

    name: str
    pid: int | None


class AuditEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One order, carried out or refused. `at` is UTC, ISO 8601, by the system's clock."""

    at: str
    who: str
    pid: int | None
    campaign: str  # `*`: every campaign
    what: str
    old: dict[str, Value] = {}
    new: dict[str, Value] = {}
    accepted: bool = True
    reason: str = ""


class AuditLog:
    """`audit.jsonl` of a data folder, mode 600. Several programs may append to it at a time."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def write(
        self,
        who: Person,
        campaign: str,
        what: str,
        *,
        old: dict[str, Value] | None = None,
        new: dict[str, Value] | None = None,
        refused: str = "",
    ) -> None:
        """Append an order, on disk when this returns; `refused` is the reason where it was. Raises `OSError`."""
        entry = AuditEntry(
            at=datetime.now(UTC).isoformat(timespec="milliseconds"),
            who=who.name,
            pid=who.pid,
            campaign=campaign,
            what=what,
            old=old or {},
            new=new or {},
            accepted=not refused,
            reason=refused,
        )
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        # One write of a whole line to a file opened for appending: lines of several programs never mix.
        file = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            os.write(file, msgspec.json.encode(entry) + b"\n")
            os.fsync(file)
        finally:
            os.close(file)

    def read(self) -> list[AuditEntry]:
        """Return all entries, oldest first."""
        if not self.path.exists():
            return []
        return [msgspec.json.decode(line, type=AuditEntry) for line in self.path.read_bytes().splitlines()]


def audit_log(data_dir: Path) -> AuditLog:
    """The audit log of a data folder."""
    return AuditLog(data_dir / "audit.jsonl")


def myself() -> Person:
    """Whoever runs this program."""
    try:
        name = getpass.getuser()
    except (KeyError, OSError):  # a user without a name, as in some containers
        name = f"uid {os.getuid()}"
    return Person(name, os.getpid())
