"""Numbers as people read them. Unknown is an en dash."""

from __future__ import annotations

from typing import Any

UNKNOWN = "–"


def count(value: float | None) -> str:
    """A count with thousands apart: `12,345`."""
    return UNKNOWN if value is None else f"{value:,.0f}"


def percent(value: float | None, places: int = 1) -> str:
    """A fraction as a percentage: `0.0312` is `3.1%`."""
    return UNKNOWN if value is None else f"{100 * value:.{places}f}%"


def seconds(value: float | None) -> str:
    """A duration: `8.2 s`, from two minutes on `3 min 05 s`."""
    if value is None:
        return UNKNOWN
    if value < 120:
        return f"{value:.1f} s"
    return f"{int(value // 60)} min {int(value % 60):02d} s"


def plain(value: float | None, places: int = 1) -> str:
    """A number with a fixed number of decimals and thousands apart."""
    return UNKNOWN if value is None else f"{value:,.{places}f}"


def money(value: float | None, currency: str) -> str:
    """What one thing costs: `USD 0.0213`."""
    return UNKNOWN if value is None else f"{currency} {value:,.4f}".strip()


def number(value: Any) -> float | None:
    """A result's value as a number; None for what is none."""
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def points(difference: float) -> str:
    """A difference of two fractions in percentage points, with its sign."""
    text = f"{100 * difference:+.2f}".replace("-", "−")
    return "no change" if text[1:] == "0.00" else f"{text} points"


def change(before: float, after: float) -> str:
    """A relative difference with its sign; in words where the first is zero."""
    if before == 0:
        return "no change" if after == 0 else "from none"
    text = f"{100 * (after - before) / abs(before):+.1f}%".replace("-", "−")
    return "no change" if text[1:] == "0.0%" else text
