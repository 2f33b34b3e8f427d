"""Names that a campaign file may use, and the one meant by a misspelt one."""

from __future__ import annotations

from collections.abc import Collection
from difflib import get_close_matches

# The core's dispositions, by name: the core stands above the configuration, so it cannot be asked (a test does).
DISPOSITIONS = (
    "NO_ANSWER",
    "BUSY",
    "CONGESTION",
    "INVALID_NUMBER",
    "MACHINE",
    "ABANDONED",
    "CANCELLED",
    "FAILED",
    "UNKNOWN",
    "UNDISPOSED",
    "RPC",
    "PTP",
    "REFUSED",
    "CALLBACK",
    "PAID",
    "DISPUTED",
    "DNC_REQUEST",
    "WRONG_PARTY",
)


def meant(name: str, known: Collection[str], *, likeness: float = 0.6) -> str:
    """Return the mend for a name that is not known: the nearest one (alike by at least `likeness`), or all of them."""
    by_case = {candidate.casefold(): candidate for candidate in known}
    near = get_close_matches(name.casefold(), by_case, n=1, cutoff=likeness)
    return f"did you mean {by_case[near[0]]}?" if near else f"expected one of {', '.join(sorted(known))}"
