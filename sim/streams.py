"""Random numbers by name: one stream per (purpose, subject), so that two policies meet the same people.

The draw for a given (seed, purpose, subject, index) is always the same, whatever was drawn before it. Values come
from the splitmix64 finaliser over the mixed key (Steele, Lea, Flood: "Fast splittable pseudorandom number
generators", OOPSLA 2014), which passes BigCrush as a counter-based generator.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import cast

import numpy as np
import numpy.typing as npt

_MASK = (1 << 64) - 1
_GOLDEN = 0x9E3779B97F4A7C15
_BLOCK_BITS = 10
_BLOCK = 1 << _BLOCK_BITS  # subjects whose draws are made together
_MOST_BLOCKS = 1024  # kept at a time: 100 MB for a dozen purposes

Words = npt.NDArray[np.uint64]


def _mix(value: int) -> int:
    value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9 & _MASK
    value = (value ^ (value >> 27)) * 0x94D049BB133111EB & _MASK
    return value ^ (value >> 31)


def _mix_all(values: Words) -> Words:
    """The same for an array; unsigned words overflow as they should."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))


def _key(seed: int, purpose: str) -> int:
    return _mix((seed * _GOLDEN + zlib.crc32(purpose.encode())) & _MASK)


def _of_subjects(first: int, count: int) -> Words:
    return _mix_all(np.arange(first + 1, first + 1 + count, dtype=np.uint64) * np.uint64(_GOLDEN))


def _uniforms(keys: Words, index: int) -> npt.NDArray[np.float64]:
    bits = _mix_all(keys + np.uint64((index + 1) * _GOLDEN & _MASK)) >> np.uint64(11)
    return (bits.astype(np.float64) + 0.5) * 2.0**-53


class Stream:
    """Uniform numbers of one purpose."""

    __slots__ = ("_key",)

    def __init__(self, seed: int, purpose: str) -> None:
        self._key = _key(seed, purpose)

    def uniform(self, subject: int, index: int = 0) -> float:
        """The number in (0, 1) for draw `index` about `subject`."""
        mixed = _mix((self._key + _mix((subject + 1) * _GOLDEN & _MASK)) & _MASK)
        bits = _mix((mixed + (index + 1) * _GOLDEN) & _MASK) >> 11
        return (bits + 0.5) * 2.0**-53

    def column(self, subjects: int, index: int = 0) -> npt.NDArray[np.float64]:
        """The numbers of draw `index` about subjects 0 to `subjects` - 1: those that `uniform` gives one by one."""
        return _uniforms(_mix_all(_of_subjects(0, subjects) + np.uint64(self._key)), index)


class Draws:
    """The numbers of several purposes together, made a block of subjects at a time: a row costs no hashing."""

    __slots__ = ("_blocks", "_keys")

    def __init__(self, seed: int, purposes: Sequence[str]) -> None:
        self._keys = np.array([_key(seed, purpose) for purpose in purposes], dtype=np.uint64)
        self._blocks: dict[tuple[int, int], npt.NDArray[np.float64]] = {}

    def row(self, subject: int, index: int) -> list[float]:
        """The numbers in (0, 1) for draw `index` about `subject`, one a purpose, as `Stream.uniform` gives them."""
        place = (subject >> _BLOCK_BITS, index)
        block = self._blocks.get(place)
        if block is None:
            if len(self._blocks) == _MOST_BLOCKS:
                self._blocks.clear()
            subjects = _of_subjects(place[0] << _BLOCK_BITS, _BLOCK)
            block = self._blocks[place] = _uniforms(_mix_all(subjects[:, None] + self._keys), index)
        return cast(list[float], block[subject & (_BLOCK - 1)].tolist())
