"""Pools of our numbers, and the order in which a called number would see the numbers of a pool.

How it works: within a pool the number that shares the longest beginning with the called number comes first; among those
that share as much, the one with the highest score, a hash of both numbers (rendezvous hashing; Thaler and Ravishankar
1998). So the load is spread evenly, a called number always sees the same one, in every process and every run, and where
a number joins or leaves a pool only the calls that it takes or took change theirs.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from hashlib import blake2b
from zlib import crc32

import msgspec
import numpy as np
import numpy.typing as npt

REST = ""  # the name of the pool of the owned numbers that are in no other
_MASK = (1 << 64) - 1
# Multipliers of the finaliser of splitmix64 (Steele, Lea and Flood 2014).
_FIRST_MULTIPLIER = 0xBF58476D1CE4E5B9
_SECOND_MULTIPLIER = 0x94D049BB133111EB
_WIDE_FIRST, _WIDE_SECOND = np.uint64(_FIRST_MULTIPLIER), np.uint64(_SECOND_MULTIPLIER)
_WIDE_29, _WIDE_32 = np.uint64(29), np.uint64(32)
_FEW = 12  # above this numpy is quicker


class Pool(msgspec.Struct, frozen=True, kw_only=True):
    """Some of our numbers, and which calls show them. A number is in one pool only."""

    name: str
    numbers: tuple[str, ...]  # E.164, owned
    jurisdictions: tuple[str, ...] = ()  # `US-FL` or `US`; empty: all
    products: tuple[str, ...] = ()  # empty: all
    local: bool = False  # local presence: has to prove itself against the pools that are not
    max_calls_a_day: int | None = None  # of each of its numbers


def pools_of(pools: Sequence[Pool], owned: Sequence[str]) -> tuple[Pool, ...]:
    """Return the pools, and the owned numbers that are in none of them as a last one, `REST`, for all calls.

    Raises `ValueError` for a number that is not owned or in two pools, a name that is used twice, a pool without
    numbers, and a cap below 1.
    """
    pool_of: dict[str, str] = {}
    names: set[str] = set()
    for pool in pools:
        if pool.name in names or pool.name == REST:
            raise ValueError(f"expected pools with names of their own, found {pool.name!r} twice or empty")
        if not pool.numbers:
            raise ValueError(f"pool {pool.name!r}: expected at least one number, found none")
        if pool.max_calls_a_day is not None and pool.max_calls_a_day < 1:
            raise ValueError(
                f"pool {pool.name!r}: expected max_calls_a_day of at least 1, found {pool.max_calls_a_day}"
            )
        names.add(pool.name)
        for number in pool.numbers:
            if number not in owned:
                raise ValueError(f"pool {pool.name!r}: expected a number of caller_ids, found {number}")
            if number in pool_of:
                raise ValueError(f"expected {number} in one pool, found it in {pool_of[number]!r} and {pool.name!r}")
            pool_of[number] = pool.name
    rest = tuple(dict.fromkeys(number for number in owned if number not in pool_of))
    return (*pools, Pool(name=REST, numbers=rest)) if rest else tuple(pools)


def matching(pools: Sequence[Pool], jurisdictions: Collection[str], product: str) -> list[Pool]:
    """Return the pools that suit a call, best first.

    Named for a subdivision, for a country, for all; then named for the product, for all; then in their own order.
    `jurisdictions`: the candidates of the called place, `US` and `US-FL`.
    """
    ranked = []
    for pool in pools:
        if pool.products and product not in pool.products:
            continue
        shared = [code for code in pool.jurisdictions if code in jurisdictions]
        if pool.jurisdictions and not shared:
            continue
        place = 2 if not shared else min(0 if "-" in code else 1 for code in shared)
        ranked.append((place, 0 if pool.products else 1, pool))
    ranked.sort(key=lambda one: one[:2])
    return [pool for *_, pool in ranked]


def salt_of(text: str) -> int:
    """Return 64 bits that stand for a text, the same ones in every process."""
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big")


def key_of(number: str) -> int:
    """Return what stands for a called number in `mixed`."""
    return crc32(number.encode())


def mixed(key: int, salt: int) -> int:
    """Return 64 bits that look random, and are the same for the same key and salt."""
    bits = (key ^ salt) * _FIRST_MULTIPLIER & _MASK
    bits = (bits ^ bits >> 29) * _SECOND_MULTIPLIER & _MASK
    return bits ^ bits >> 32


class _Group:
    """Numbers of ours that begin alike."""

    __slots__ = ("numbers", "salts", "wide_salts")

    def __init__(self, numbers: tuple[str, ...]) -> None:
        self.numbers = numbers
        self.salts = tuple(salt_of(number) for number in numbers)
        self.wide_salts = np.array(self.salts, dtype=np.uint64) if len(numbers) > _FEW else None

    def first(self, key: int) -> str:
        """The number with the highest score."""
        if len(self.numbers) == 1:
            return self.numbers[0]
        if self.wide_salts is not None:
            return self.numbers[_widest(key, self.wide_salts)]
        best, chosen = -1, 0
        for place, salt in enumerate(self.salts):
            bits = (key ^ salt) * _FIRST_MULTIPLIER & _MASK  # `mixed`, written out: calls cost most of the time here
            bits = (bits ^ bits >> 29) * _SECOND_MULTIPLIER & _MASK
            bits ^= bits >> 32
            if bits > best:
                best, chosen = bits, place
        return self.numbers[chosen]

    def order(self, key: int) -> list[str]:
        """All of them, the highest score first."""
        scores = {number: mixed(key, salt) for number, salt in zip(self.numbers, self.salts, strict=True)}
        return sorted(self.numbers, key=scores.__getitem__, reverse=True)


def _widest(key: int, salts: npt.NDArray[np.uint64]) -> int:
    """The place of the highest score: `mixed` for many salts at once."""
    bits = (salts ^ np.uint64(key)) * _WIDE_FIRST
    bits = (bits ^ bits >> _WIDE_29) * _WIDE_SECOND
    return int((bits ^ bits >> _WIDE_32).argmax())


class PoolOrder:
    """The order of some numbers of a pool for each called number."""

    def __init__(self, pool: Pool, numbers: Sequence[str]) -> None:
        """`numbers`: those of the pool that may be shown, at least one."""
        self.pool = pool
        self.whole = len(numbers) == len(pool.numbers)
        beginnings: dict[str, list[str]] = {}
        for own in numbers:
            for length in range(len(own) + 1):
                beginnings.setdefault(own[:length], []).append(own)
        # A beginning that says no more than one shorter by a digit is left out.
        self._groups = {
            beginning: _Group(tuple(begun))
            for beginning, begun in beginnings.items()
            if not beginning or len(begun) < len(beginnings[beginning[:-1]])
        }
        self._lengths = sorted({len(beginning) for beginning in self._groups}, reverse=True)

    def first(self, number: str, key: int) -> str:
        """Return the number of ours that a called number usually sees. `key`: its `key_of`."""
        groups = self._groups
        for length in self._lengths:
            group = groups.get(number[:length])
            if group is not None:
                return group.first(key)
        raise AssertionError("expected every number to begin with nothing")

    def order(self, number: str, key: int) -> Iterator[str]:
        """Yield all numbers in the called number's own order; the first is `first`."""
        given: set[str] = set()
        for group in self._groups_of(number):
            for own in group.order(key):
                if own not in given:
                    given.add(own)
                    yield own

    def _groups_of(self, number: str) -> Iterator[_Group]:
        """The groups that begin as the number does, the longest beginning first."""
        for length in self._lengths:
            group = self._groups.get(number[:length])
            if group is not None:
                yield group
