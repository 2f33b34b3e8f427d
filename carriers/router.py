"""The contract of routers: which trunk carries each call of a batch, and what is learned from it.

Routers are pure: time and randomness come in as arguments, and the same calls give the same answers. Behaviour behind
an id never changes.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Any, NamedTuple, Protocol

from carriers.capacity import CapacityPrices, CapacityProblem
from carriers.market import Floats, Ints


class Reason(IntEnum):
    """Why a route was chosen."""

    NONE = 0  # no usable trunk has room
    BEST = 1  # the highest net value
    OVERFLOW = 2  # a better one had no room
    EXPLORED = 3  # drawn at random, to learn
    ONLY = 4  # no other trunk was usable and had room
    TURN = 5  # a peer's own order: in turn, cheapest, by a weighted draw
    PROBE = 6  # sent to find out whether a circuit may close again


class RouteRequests(NamedTuple):
    """A batch of n calls, in the order in which they are to be served."""

    cell: Ints  # (n,)
    answer_probability: Floats  # (n,) of a live answer, whatever the carrier: hour, attempt, product and lead are in it
    value: Floats  # (n,) of a human contact, in the campaign's currency


class Room(NamedTuple):
    """How many more calls may be set up now: by each trunk's own limits and channels, and by each account's."""

    trunk: Ints  # (K,) 0 for a trunk that must not be used for this batch
    account: Ints  # (A,)


class Routes(NamedTuple):
    """The choice for each call of a batch."""

    trunk: Ints  # (n,) -1: none
    propensity: Floats  # (n,) the chance with which this trunk was chosen, given what had room then; in (0, 1]
    reason: Ints  # (n,) `Reason`


class Outcomes(NamedTuple):
    """What became of n tries. Rows add up: a try may be told in several rows, and a count may be taken back by -1."""

    trunk: Ints  # (n,)
    cell: Ints  # (n,)
    tries: Floats  # (n,) 1 in the one row that ends the try, else 0
    expected: Floats  # (n,) the request's answer probability: with the answer, else with the end
    contacts: Floats  # (n,) human contacts of at least 6 s: the reward. Never "200 OK"
    answers: Floats  # (n,) 200 OK, whoever or whatever answered
    faults: Floats  # (n,) ended by a carrier's fault or congestion
    shorts: Floats  # (n,) answered for no longer than the carrier's limit of a short call
    cancels: Floats  # (n,) ended by us before an answer
    answered_s: Floats  # (n,) seconds from 200 OK to the end, of an answered call that is over
    held_s: Floats  # (n,) seconds for which the try held its channel, with its end


class Router(Protocol):
    """Chooses and learns."""

    router_id: str

    def choose(self, requests: RouteRequests, room: Room, *, now: float, rng: Any) -> Routes:
        """Choose a usable trunk for each call, never more than there is room for. `rng`: `numpy.random.Generator`."""
        ...

    def learn(self, outcomes: Outcomes, *, now: float) -> None:
        """Take in what became of tries; `now` never runs backwards."""
        ...


class PricedRouter(Router, Protocol):
    """A router that wants capacity prices, and can be kept over a restart."""

    def problem(self, now: float) -> CapacityProblem | None:
        """Return what is to be solved; None where no trunk is short of capacity, and all prices become 0."""
        ...

    def reprice(self, prices: CapacityPrices) -> None:
        """Use these prices from now on. Prices of another number of trunks are refused: `ValueError`."""
        ...

    def snapshot(self) -> dict[str, Any]:
        """What was learned, as plain values."""
        ...

    def restore(self, state: dict[str, Any]) -> None:
        """Take up a snapshot. Raises `ValueError` where its shape is another, and is then as it was."""
        ...
