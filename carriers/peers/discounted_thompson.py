"""`discounted-thompson-v1`: flat discounted Thompson sampling, each (trunk, cell) for itself.

Source: Raj and Kalyani, Taming non-stationary bandits: a Bayesian approach, 2017 (arXiv 1707.09727): Beta posteriors
of discounted counts, a draw of each for every call, and the trunk whose draw is worth most. The prior is 1.3 contacts
in 10 tries, the half-life 40 minutes. No pooling between cells, no prices of capacity: that is what it is here to show
the worth of.
"""

from __future__ import annotations

from math import nan
from typing import Any

import numpy as np

from carriers.market import Floats, Market
from carriers.peers.arms import net_value
from carriers.peers.cost import ANSWERED_S, check_range
from carriers.peers.overflow import serve
from carriers.router import Outcomes, Reason, Room, RouteRequests, Routes

_CONTACTS, _ANSWERS, _TRIES = range(3)


class DiscountedThompson:
    """Learns human contacts and answers by trunk and cell.

    The chance that a trunk's draw is worth most has no closed form, so propensities are NaN, not known, but for calls
    to which one trunk alone was open: those have 1.
    """

    router_id = "discounted-thompson-v1"

    def __init__(
        self,
        market: Market,
        *,
        half_life_s: float = 2400.0,
        prior_contacts: float = 1.3,
        prior_misses: float = 8.7,
        answered_s: float = ANSWERED_S,
    ) -> None:
        """Raises `ValueError` for a setting out of range."""
        self._market = market
        self._half_life_s = check_range("half_life_s", half_life_s, least=0.001)
        self._prior_contacts = check_range("prior_contacts", prior_contacts, least=0.001)
        self._prior_misses = check_range("prior_misses", prior_misses, least=0.001)
        self._answered_s = check_range("answered_s", answered_s, least=0.0)
        self._counts: Floats = np.zeros((3, market.trunks, 0))
        self._discounted_at: float | None = None

    def choose(self, requests: RouteRequests, room: Room, *, now: float, rng: Any) -> Routes:
        """Choose the open trunk whose draw is worth most for each call."""
        hits, misses = self.posterior(now)
        contact = rng.beta(np.take(hits, requests.cell, axis=1), np.take(misses, requests.cell, axis=1))
        # What is paid for rises and falls with what is drawn: so many answers to a contact as there have been.
        answers = np.maximum(self._counts[_ANSWERS], 0.0) + self._prior_contacts
        answer = np.minimum(contact * np.take(answers / hits, requests.cell, axis=1), 1.0)
        worth = net_value(self._market, requests, contact, answer, answered_s=self._answered_s)
        routes = serve(self._market, requests, room, worth, own=Reason.BEST)
        known = (routes.reason == Reason.ONLY) | (routes.reason == Reason.NONE)
        return routes._replace(propensity=np.where(known, 1.0, nan))

    def learn(self, outcomes: Outcomes, *, now: float) -> None:
        """Add up what came of tries."""
        self._discount(now)
        place = (outcomes.trunk, outcomes.cell)
        for kind, count in (
            (_CONTACTS, outcomes.contacts), (_ANSWERS, outcomes.answers), (_TRIES, outcomes.tries)
        ):  # fmt: skip
            np.add.at(self._counts[kind], place, count)

    def posterior(self, now: float) -> tuple[Floats, Floats]:
        """Return the Beta posteriors' parameters, (K, C) each.

        A contact may be told before its try is over, or be taken back after it was discounted: neither count is let
        below that of the prior.
        """
        self._discount(now)
        contacts, tries = self._counts[_CONTACTS], self._counts[_TRIES]
        hits = np.maximum(contacts, 0.0) + self._prior_contacts
        return hits, np.maximum(tries - contacts, 0.0) + self._prior_misses

    def _discount(self, now: float) -> None:
        """Discount all counts up to now, after making room for new cells."""
        more = self._market.cells - self._counts.shape[2]
        if more > 0:
            self._counts = np.concatenate([self._counts, np.zeros((*self._counts.shape[:2], more))], axis=2)
        if self._discounted_at is not None and now > self._discounted_at:
            self._counts *= 0.5 ** ((now - self._discounted_at) / self._half_life_s)
        self._discounted_at = now
