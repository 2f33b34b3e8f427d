"""Cells that a spreadsheet would run."""

from __future__ import annotations

# Full-width signs count too: spreadsheets of East Asian editions read them as the plain ones.
_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def neutral(cell: str) -> str:
    """Return the cell with a leading apostrophe where a spreadsheet would take it for a formula (CWE-1236)."""
    return f"'{cell}" if cell.startswith(_STARTS) else cell
