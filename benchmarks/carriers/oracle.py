"""What a router that knows the truth of each minute would do: the best flow within the trunks' capacity, by an LP."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import linprog  # type: ignore[import-untyped]
from scipy.sparse import csr_array, eye_array, kron, vstack  # type: ignore[import-untyped]

from benchmarks.carriers.world import CANCELLED_FEE, CELLS, TRUNKS, VALUE, World
from carriers.market import Floats


@dataclass(frozen=True, slots=True)
class Oracle:
    """Sums over the world's day in the mean, and the flow by minute."""

    net: float
    contacts: float
    cost: float
    flow: Floats  # (K, C, M) calls of each minute
    by_minute: Floats  # (M,) the net


def oracle(world: World) -> Oracle:
    """Solve a transport problem for each minute: all its calls placed, at most 60 s of each trunk's set-ups.

    A bound from above, but for the two seconds' set-ups that a bucket saves over a minute's end. Of surcharges, those
    of cancelled calls are in it, whose share no router gets below the limit; those of short calls are left out.
    """
    net = world.net().astype(np.float64)
    net -= world.surcharged[:, None, None] * CANCELLED_FEE * (1.0 - world.contact * (1.0 + world.short[:, None, None]))
    minute = world.second // 60
    demand = np.zeros((CELLS, world.minutes))
    np.add.at(demand, (world.cell, minute), 1.0)
    by_trunk: csr_array = kron(eye_array(TRUNKS), np.ones((1, CELLS)), format="csr")
    by_cell: csr_array = kron(np.ones((1, TRUNKS)), eye_array(CELLS), format="csr")
    within = vstack([by_trunk, by_cell], format="csr")
    room = world.set_ups_per_s * 60.0
    flow = np.zeros((TRUNKS, CELLS, world.minutes))
    for at in range(world.minutes):
        wanted = demand[:, at]
        # At most the calls there are, not all: a crowded minute may hold more than 60 s of set-ups.
        solved = linprog(
            -net[:, :, at].ravel(), A_ub=within, b_ub=np.concatenate([room, wanted]), bounds=(0, None), method="highs"
        )
        flow[:, :, at] = solved.x.reshape(TRUNKS, CELLS)
    contacts = flow * world.contact
    return Oracle(
        net=float((flow * net).sum()),
        contacts=float(contacts.sum()),
        cost=float(contacts.sum() * VALUE - (flow * net).sum()),
        flow=flow,
        by_minute=(flow * net).sum(axis=(0, 1)),
    )
