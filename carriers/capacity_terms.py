"""A capacity problem as arrays of floats, and its packing into the bytes of `CapacityProblem`."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf

import numpy as np

from carriers.capacity import CapacityProblem
from carriers.market import Bools, Floats, Ints

_PACKED = np.dtype("<f4")
# Each array's shape, by K trunks, C cells and A accounts, and the figure that means nothing is asked of it.
_ARRAYS: dict[str, tuple[str, float]] = {
    "value": ("KC", 0.0),
    "demand": ("C", 0.0),
    "held_s": ("KC", 0.0),
    "set_ups_per_s": ("K", inf),
    "channels": ("K", inf),
    "account_set_ups_per_s": ("A", inf),
    "account_channels": ("A", inf),
    "short": ("KC", 0.0),
    "answered": ("KC", 0.0),
    "cancelled": ("KC", 0.0),
    "short_above": ("A", 1.0),
    "short_fee": ("A", 0.0),
    "cancelled_above": ("A", 1.0),
    "cancelled_fee": ("A", 0.0),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CapacityTerms:
    """The arrays of `CapacityProblem` as float64, in its shapes and units. A limit of infinity is none."""

    value: Floats
    demand: Floats
    held_s: Floats
    set_ups_per_s: Floats
    channels: Floats
    account: Ints
    account_set_ups_per_s: Floats
    account_channels: Floats
    short: Floats
    answered: Floats
    cancelled: Floats
    short_above: Floats
    short_fee: Floats
    cancelled_above: Floats
    cancelled_fee: Floats

    @property
    def usable(self) -> Bools:
        """(K, C): whether the trunk serves the cell."""
        return np.isfinite(self.value)


def capacity_terms(*, account: Ints | None = None, **arrays: Floats) -> CapacityTerms:
    """Put terms together from arrays named as in `CapacityProblem`; `value` and `demand` at least.

    What is left out asks nothing: no limit, no fee, no time held; each trunk is its own account. Raises `ValueError`
    for another shape, or a figure that cannot be.
    """
    trunks, cells = np.shape(arrays["value"])
    owner = np.arange(trunks) if account is None else np.asarray(account, dtype=np.int64).reshape(-1)
    of_accounts = [len(array) for name, array in arrays.items() if _ARRAYS[name][0] == "A"]
    size = {"K": trunks, "C": cells, "A": of_accounts[0] if of_accounts else int(owner.max(initial=-1)) + 1}
    whole: dict[str, Floats] = {}
    for name, (letters, nothing) in _ARRAYS.items():
        shape = tuple(size[letter] for letter in letters)
        array = np.asarray(arrays[name], dtype=np.float64) if name in arrays else np.full(shape, nothing)
        if array.shape != shape:
            raise ValueError(f"capacity problem: expected {name} of shape {shape}, was {array.shape}")
        whole[name] = array
    terms = CapacityTerms(account=owner, **whole)
    _check(terms, accounts=size["A"])
    return terms


def problem_of(*, account: Ints | None = None, **arrays: Floats) -> CapacityProblem:
    """Pack a problem from arrays named as in `CapacityProblem`, with the defaults and errors of `capacity_terms`."""
    terms = capacity_terms(account=account, **arrays)
    trunks, cells = terms.value.shape
    packed = {name: getattr(terms, name).astype(_PACKED).tobytes() for name in _ARRAYS}
    return CapacityProblem(trunks=trunks, cells=cells, account=tuple(terms.account.tolist()), **packed)


def terms_of(problem: CapacityProblem) -> CapacityTerms:
    """Unpack a problem. Raises `ValueError` for one that is not whole, or with a figure that cannot be."""
    size = {"K": problem.trunks, "C": problem.cells, "A": len(problem.account_channels) // _PACKED.itemsize}
    arrays: dict[str, Floats] = {}
    for name, (letters, _) in _ARRAYS.items():
        shape = tuple(size[letter] for letter in letters)
        packed: bytes = getattr(problem, name)
        if len(packed) != _PACKED.itemsize * int(np.prod(shape)):
            raise ValueError(f"capacity problem: expected {name} of shape {shape} as float32, was {len(packed)} bytes")
        arrays[name] = np.frombuffer(packed, dtype=_PACKED).reshape(shape).astype(np.float64)
    return capacity_terms(account=np.array(problem.account, dtype=np.int64), **arrays)


def _check(terms: CapacityTerms, *, accounts: int) -> None:
    """Refuse what no program could be made of; only pairs that are usable count."""
    if terms.account.shape != terms.channels.shape:
        raise ValueError(
            f"capacity problem: expected {terms.channels.size} accounts of trunks, was {terms.account.size}"
        )
    if terms.account.size and not 0 <= terms.account.min() <= terms.account.max() < accounts:
        raise ValueError(f"capacity problem: expected accounts from 0 to {accounts - 1}, was {terms.account.tolist()}")
    usable = terms.usable
    for name, (letters, _) in _ARRAYS.items():
        array = getattr(terms, name)
        if name == "value" or not array.size:
            continue
        figures = array[usable] if letters == "KC" else array
        limit = name.endswith(("per_s", "channels"))
        if not ((figures >= 0.0).all() and (limit or np.isfinite(figures).all())):
            raise ValueError(f"capacity problem: expected every {name} to be a number that is not negative")
