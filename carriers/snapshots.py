"""Arrays in snapshots: plain nested lists of finite numbers, of a known shape."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from carriers.market import Floats


def array_of(state: Mapping[str, Any], name: str, shape: tuple[int | None, ...]) -> Floats:
    """Return `state[name]` as an array of that shape (None: any length there).

    Raises `ValueError` where it is missing, of another shape, or not finite.
    """
    if name not in state:
        raise ValueError(f"expected {name!r} in the snapshot, found none")
    try:
        found = np.array(state[name], dtype=np.float64)
    except (TypeError, ValueError):
        raise ValueError(f"expected numbers in {name!r}, found something else") from None
    if found.size == 0 and len(shape) > found.ndim and _fits(found.shape, shape):
        found = found.reshape(*found.shape, *(length or 0 for length in shape[found.ndim :]))
    if not (found.ndim == len(shape) and _fits(found.shape, shape)):
        raise ValueError(f"expected {name!r} of shape {shape}, found {found.shape}")
    if not np.isfinite(found).all():
        raise ValueError(f"expected finite numbers in {name!r}, found others")
    return found


def _fits(found: tuple[int, ...], shape: tuple[int | None, ...]) -> bool:
    """Whether the lengths are those of the first dimensions of `shape`."""
    return all(want is None or want == have for want, have in zip(shape, found, strict=False))
