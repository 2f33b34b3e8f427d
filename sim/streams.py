"""Random numbers by name: one stream per (purpose, subject), so that two policies meet the same people.

The draw for a given (seed, purpose, subject, index) is always the same, whatever was drawn before it. Values come
from the splitmix64 finaliser over the mixed key (Steele, Lea, Flood: "Fast splittable pseudorandom number
generators", OOPSLA 2014), which passes BigCrush as a counter-based generator.
"""

from __future__ import annotations

import zlib

_MASK = (1 << 64) - 1
_GOLDEN = 0x9E3779B97F4A7C15


def _mix(value: int) -> int:
    value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9 & _MASK
    value = (value ^ (value >> 27)) * 0x94D049BB133111EB & _MASK
    return value ^ (value >> 31)


class Stream:
    """Uniform numbers of one purpose."""

    __slots__ = ("_key",)

    def __init__(self, seed: int, purpose: str) -> None:
        self._key = _mix((seed * _GOLDEN + zlib.crc32(purpose.encode())) & _MASK)

    def uniform(self, subject: int, index: int = 0) -> float:
        """The number in (0, 1) for draw `index` about `subject`."""
        mixed = _mix((self._key + _mix((subject + 1) * _GOLDEN & _MASK)) & _MASK)
        bits = _mix((mixed + (index + 1) * _GOLDEN) & _MASK) >> 11
        return (bits + 0.5) * 2.0**-53
