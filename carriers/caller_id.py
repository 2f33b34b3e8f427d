"""Which of our own numbers is presented."""

from __future__ import annotations

from collections.abc import Sequence


def choose_caller_id(number: str, owned: Sequence[str]) -> str:
    """Return the owned number that shares the longest beginning with `number`; the first one where they tie.

    A called number always sees the same one: nothing here rotates to escape labels. `owned` is not empty.
    """
    return max(owned, key=lambda own: _shared(own, number))


def _shared(a: str, b: str) -> int:
    count = 0
    for x, y in zip(a, b, strict=False):
        if x != y:
            break
        count += 1
    return count
