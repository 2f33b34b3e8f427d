"""Finds out what kind of log a file is, and reads it."""

from __future__ import annotations

from pathlib import Path

from compliance.zones import load_zone
from dialer.adapters.call_logs import asterisk_cdr, asterisk_cel, own_journal, vicidial
from dialer.adapters.call_logs.table import CallLog, Table, open_table
from dialer.errors import ConfigError

_KNOWN = frozenset(vicidial.COLUMNS).union(asterisk_cdr.COLUMNS, asterisk_cel.COLUMNS)


def read_call_log(path: Path, *, zone: str = "UTC") -> CallLog:
    """Read a log of calls, whatever its kind: our journal, `vicidial_log`, Asterisk's CDR or channel events in CSV.

    `zone` (IANA) is that of dates without an offset. Raises `ConfigError` or `JournalError`, one line that names the
    file, the line and the mend, for a file that cannot be read, is none of these, or is mostly unreadable; single bad
    rows are counted and told in `faults`. Calls come in order of time.
    """
    try:
        with path.open("rb") as file:
            head = file.read(64)
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror or error}") from error
    if head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{"):
        return own_journal.read_own_journal(path)
    table = open_table(path, _KNOWN)
    try:
        where = load_zone(zone)
    except KeyError:
        raise ConfigError(f"{zone}: expected an IANA zone, as in America/Lima") from None
    for found, read in (
        (vicidial.is_vicidial, vicidial.read_vicidial),
        (asterisk_cel.is_cel, asterisk_cel.read_cel),
        (asterisk_cdr.is_cdr, asterisk_cdr.read_cdr),
    ):
        if found(table):
            return read(table, where)
    raise _foreign(table)


def _foreign(table: Table) -> ConfigError:
    shown = list(table.names) if table.names else [cell[:20] for cell in table.sample[0]]
    found = "".join(c if c.isprintable() else " " for c in ", ".join(shown[:8]))
    return ConfigError(
        f"{table.path}:1: expected a journal, an export of vicidial_log, or Asterisk's CDR or CEL in CSV, found "
        f"{found}: export the log with its own columns and separators"
    )
