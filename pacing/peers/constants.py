"""The constants of a peer's law: named, bounded, and with their source."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import inf
from typing import Any, NamedTuple

import numpy as np

from pacing.peers.names import UnknownPeer


class Constant(NamedTuple):
    """One constant of a law, what it is by default, and who says so."""

    name: str
    default: float
    unit: str
    source: str
    least: float = 0.0
    most: float = inf


def record_of(constants: Iterable[Constant], *state: tuple[Any, ...]) -> np.dtype[np.void]:
    """Return the record of a law: its constants, then what it has learned."""
    return np.dtype([*((constant.name, np.float64) for constant in constants), *state], align=True)


def set_constants(record: Any, peer_id: str, constants: tuple[Constant, ...], given: Mapping[str, float]) -> None:
    """Fill in a law's constants: the given ones, else the defaults.

    Raises `UnknownPeer` for a name that the law has not got and for a value outside its bounds.
    """
    unknown = sorted(given.keys() - {constant.name for constant in constants})
    if unknown:
        known = ", ".join(constant.name for constant in constants)
        raise UnknownPeer(f"{peer_id}: expected constants of {known}, was {unknown[0]!r}")
    for constant in constants:
        value = float(given.get(constant.name, constant.default))
        if not (constant.least <= value <= constant.most and abs(value) < inf):
            raise UnknownPeer(
                f"{peer_id}: expected {constant.name} in [{constant.least:g}, {constant.most:g}] {constant.unit}, "
                f"was {value:g}"
            )
        record[constant.name] = value
