"""Cells that a spreadsheet would run."""

from __future__ import annotations

_STARTS = ("=", "+", "-", "@", "\t", "\r")


def neutral(cell: str) -> str:
    """Return the cell with a leading apostrophe where a spreadsheet would take it for a formula (CWE-1236)."""
    return f"'{cell}" if cell.startswith(_STARTS) else cell
