"""Whose network a called number is in: drawn for made-up numbers, read from the list where it says."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from dialer.core.lead import Lead
from sim.scenario import Population
from sim.shares import Shares
from sim.streams import Stream


def draw_destinations(population: Population, count: int, number_index: int, seed: int) -> npt.NDArray[np.int64]:
    """Draw the place in `population.destinations` of everybody's number `number_index`. There is at least one."""
    shares = Shares(destination.share for destination in population.destinations)
    return shares.all_at(Stream(seed, "destination").column(count, number_index))


def destinations_of(
    population: Population, leads: Sequence[Lead], number_index: int, seed: int
) -> npt.NDArray[np.int64]:
    """Say the same of the numbers of a list: one whose network names a destination is there, the others are drawn."""
    drawn = draw_destinations(population, len(leads), number_index, seed)
    places = {_plain(destination.name): place for place, destination in enumerate(population.destinations)}
    for subject, lead in enumerate(leads):
        if number_index < len(lead.numbers) and (network := lead.numbers[number_index].network):
            drawn[subject] = places.get(_plain(network), drawn[subject])
    return drawn


def _plain(name: str) -> str:
    return " ".join(name.casefold().split())
