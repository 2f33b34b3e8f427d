"""Which of our own numbers is presented."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache


def choose_caller_id(number: str, owned: Sequence[str]) -> str:
    """Return the owned number that shares the longest beginning with `number`; the first one where they tie.

    A called number always sees the same one: nothing here rotates to escape labels. `owned` is not empty.
    """
    longest, by_beginning = _beginnings(tuple(owned))
    for length in range(min(longest, len(number)), 0, -1):
        found = by_beginning.get(number[:length])
        if found is not None:
            return found
    return owned[0]


@lru_cache(maxsize=16)
def _beginnings(owned: tuple[str, ...]) -> tuple[int, dict[str, str]]:
    """The length of the longest number, and the first number with each beginning."""
    by_beginning: dict[str, str] = {}
    for own in owned:
        for length in range(1, len(own) + 1):
            by_beginning.setdefault(own[:length], own)
    return max(len(own) for own in owned), by_beginning
