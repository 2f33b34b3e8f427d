"""Worlds of carriers whose truth no router sees: how good each is in each cell in each minute, and what it charges.

K trunks, each of its own carrier, C cells = regions x destination carriers, M minutes, N calls. All draws of a call are
made beforehand and do not depend on the trunk: policies meet the same calls.
Distributions: logits of a human contact are a cell's level, its hour, and a carrier's level, region, destination, cell,
random walk and degradations; every figure of them is a choice of this study.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from carriers.market import Floats, Ints, Market

Variant = Literal["base", "nothing_to_exploit", "wrong_model", "false_answers", "surcharged"]
Floats32 = npt.NDArray[np.float32]
Bools = npt.NDArray[np.bool_]

TRUNKS, REGIONS, DESTINATIONS = 8, 30, 4
CELLS = REGIONS * DESTINATIONS
REGION, DESTINATION = np.divmod(np.arange(CELLS), DESTINATIONS)
CALLS_PER_S = 20.0
CAPACITY = 1.7  # set-ups a second of all trunks together, over the calls offered
VALUE = 0.25  # of a contact
CONTACT_S = 78.0  # mean seconds of a contact, 6 at least
RING_OUT_S = 30  # a call that nobody answers ends then
FAULT_S = 2  # and one of a dead trunk then
SHORT_S = (1, 6)  # seconds of an answered call that ends too soon to be a contact
FALSE_S = (8, 25)  # until somebody notices that nobody is there
DEGRADATIONS, OUTAGES, OUTAGE_MIN = 14, 2, 15
SURCHARGED_CARRIERS = 3
SHORT_ABOVE, SHORT_FEE = 0.15, 0.01  # Telnyx: of connected calls of at most 6 s
CANCELLED_ABOVE, CANCELLED_FEE = 0.20, 0.005  # Telnyx: of calls cancelled before the answer
_AMPLE = 1e4  # channels; set-ups are what is short here


@dataclass(frozen=True, slots=True)
class Degradation:
    """A spell in which a trunk's contacts fall in some cells. Minutes, half-open."""

    trunk: int
    cells: Bools  # (C,)
    begin: int
    end: int


@dataclass(frozen=True, slots=True)
class Outage:
    """A spell in which every call over a trunk fails. Minutes, half-open."""

    trunk: int
    begin: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """One day's truth and calls. Prices in currency."""

    variant: Variant
    seed: int
    minutes: int
    contact: Floats32  # (K, C, M) probability of a human contact
    model: Floats32  # (C, M) what routers are told of it, whatever the carrier
    short: Floats  # (K,) short answers for each contact
    false_answer: Floats  # (K,) share of the calls with nobody there that the carrier answers itself
    dead: Bools  # (K, M)
    degradations: tuple[Degradation, ...]
    outages: tuple[Outage, ...]
    attempt_fee: Floats  # (K,)
    per_s: Floats  # (K,) of answered time, in whole seconds
    set_ups_per_s: Floats  # (K,)
    surcharged: Bools  # (K,)
    second: Ints  # (N,) when each call is due, sorted
    cell: Ints  # (N,)
    luck: Floats32  # (N,) uniform
    ring_s: Ints  # (N,) until the answer, if there is one
    talk_s: Ints  # (N,) of a contact
    short_s: Ints  # (N,) of a short answer
    false_s: Ints  # (N,) of a false one

    @property
    def seconds(self) -> int:
        """How long calls are offered."""
        return self.minutes * 60

    def net(self) -> Floats32:
        """(K, C, M): what a call is worth in the mean, less its price; surcharges are not in it."""
        contact = self.contact.astype(np.float64)
        short = contact * self.short[:, None, None]
        false = self.false_answers(contact, short)
        billed = contact * CONTACT_S + short * np.mean(SHORT_S) + false * np.mean(FALSE_S)
        net = contact * VALUE - billed * self.per_s[:, None, None] - self.attempt_fee[:, None, None]
        return net.astype(np.float32)

    def false_answers(self, contact: Floats, short: Floats) -> Floats:
        """(K, C, M): the probability that the carrier answers a call itself."""
        nobody = np.where(self.dead[:, None, :], 0.0, 1.0 - contact - short)
        return nobody * self.false_answer[:, None, None]

    def market(self, *, tells_surcharges: bool = True) -> Market:
        """What routers may know."""
        told = self.surcharged & tells_surcharges
        per_cell = np.ones((1, CELLS))
        return Market(
            region=REGION.astype(np.int64),
            destination=DESTINATION.astype(np.int64),
            attempt_fee=self.attempt_fee[:, None] * per_cell,
            connection_fee=np.zeros((TRUNKS, CELLS)),
            per_s=self.per_s[:, None] * per_cell,
            first_s=np.ones((TRUNKS, CELLS)),
            step_s=np.ones((TRUNKS, CELLS)),
            usable=np.ones((TRUNKS, CELLS), dtype=np.bool_),
            set_ups_per_s=self.set_ups_per_s.copy(),
            channels=np.full(TRUNKS, _AMPLE),
            account=np.arange(TRUNKS, dtype=np.int64),
            account_set_ups_per_s=np.full(TRUNKS, np.inf),
            account_channels=np.full(TRUNKS, np.inf),
            short_above=np.where(told, SHORT_ABOVE, 1.0),
            short_fee=np.where(told, SHORT_FEE, 0.0),
            cancelled_above=np.where(told, CANCELLED_ABOVE, 1.0),
            cancelled_fee=np.where(told, CANCELLED_FEE, 0.0),
            cells=CELLS,
        )


def make_world(seed: int, variant: Variant = "base", *, minutes: int = 360) -> World:
    """Draw a world. Equal arguments give equal worlds; variants of one seed share all draws that they do not change.

    `minutes`: at least 60.
    """
    effects, events, tariff, dial, fate, twist = (np.random.default_rng([seed, part]) for part in range(6))
    hours = -(-minutes // 60)
    level = effects.normal(-1.9, 0.45, CELLS)  # about 13 % contacts
    hour = effects.normal(0.0, 0.25, (REGIONS, hours))[REGION][:, np.arange(minutes) // 60]
    free = level[:, None] + hour
    spells, dead_spells = _spells(events, minutes)
    alike = variant == "nothing_to_exploit"
    false_answer, tilt = np.zeros(TRUNKS), np.zeros(TRUNKS)
    attempt_fee, per_min = tariff.uniform(0.0002, 0.0012, TRUNKS), tariff.uniform(0.006, 0.022, TRUNKS)
    if alike:
        attempt_fee[:], per_min[:], spells, dead_spells = attempt_fee.mean(), per_min.mean(), [], []
    if variant == "false_answers":
        cheap = int(np.argmin(attempt_fee + 0.13 * CONTACT_S / 60.0 * per_min))
        false_answer[cheap], tilt[cheap] = 0.35, -0.7
        per_min[cheap], attempt_fee[cheap] = 0.006, 0.0002
    # Where there is nothing to learn, what looks like it is noise of the minute.
    logits = twist.normal(0.0, 0.25, (TRUNKS, CELLS, minutes)) if alike else _carriers(effects, spells, minutes)
    contact = _logistic(free[None] + logits + tilt[:, None, None])
    dead = np.zeros((TRUNKS, minutes), dtype=np.bool_)
    for outage in dead_spells:
        dead[outage.trunk, outage.begin : outage.end] = True
    model = _logistic(free)
    if variant == "wrong_model":
        wrong = _logistic(level) * np.exp(twist.normal(0.0, 0.35, CELLS))
        model = np.repeat(np.minimum(wrong, 0.95)[:, None], minutes, axis=1)
    surcharged, short = np.zeros(TRUNKS, dtype=np.bool_), np.zeros(TRUNKS)
    if variant == "surcharged":
        surcharged[twist.choice(TRUNKS, SURCHARGED_CARRIERS, replace=False)] = True
        short = twist.uniform(0.05, 0.35, TRUNKS)
    capacity = tariff.dirichlet(np.full(TRUNKS, 6.0)) * CALLS_PER_S * CAPACITY
    return World(
        variant=variant,
        seed=seed,
        minutes=minutes,
        contact=np.where(dead[:, None, :], 0.0, contact).astype(np.float32),
        model=model.astype(np.float32),
        short=short,
        false_answer=false_answer,
        dead=dead,
        degradations=tuple(spells),
        outages=tuple(dead_spells),
        attempt_fee=attempt_fee,
        per_s=per_min / 60.0,
        set_ups_per_s=np.maximum(capacity, 1.0),
        surcharged=surcharged,
        **_calls(dial, fate, minutes),
    )


def _calls(dial: np.random.Generator, fate: np.random.Generator, minutes: int) -> dict[str, Any]:
    """The fields of the world that are of each call."""
    offered = dial.poisson(CALLS_PER_S, minutes * 60)
    calls = int(offered.sum())
    shares = dial.dirichlet(np.full(CELLS, 3.0))
    return {
        "second": np.repeat(np.arange(minutes * 60), offered),
        "cell": dial.choice(CELLS, calls, p=shares),
        "luck": fate.random(calls, dtype=np.float32),
        "ring_s": fate.integers(4, 22, calls, endpoint=True),
        "talk_s": 6 + fate.geometric(1.0 / (CONTACT_S - 6.0), calls),
        "short_s": fate.integers(*SHORT_S, calls, endpoint=True),
        "false_s": fate.integers(*FALSE_S, calls, endpoint=True),
    }


def _carriers(rng: np.random.Generator, spells: list[Degradation], minutes: int) -> Floats:
    """(K, C, M): how far each carrier is above or below the others."""
    steady = (
        rng.normal(0.0, 0.18, TRUNKS)[:, None]
        + rng.normal(0.0, 0.22, (TRUNKS, REGIONS))[:, REGION]
        + rng.normal(0.0, 0.30, (TRUNKS, DESTINATIONS))[:, DESTINATION]
        + rng.normal(0.0, 0.12, (TRUNKS, CELLS))
    )
    walk = np.cumsum(rng.normal(0.0, 0.012, (TRUNKS, minutes)), axis=1)
    logits: Floats = steady[:, :, None] + walk[:, None, :]
    for spell in spells:
        logits[spell.trunk, spell.cells, spell.begin : spell.end] -= rng.uniform(0.5, 1.6)
    return logits


def _spells(rng: np.random.Generator, minutes: int) -> tuple[list[Degradation], list[Outage]]:
    """Degradations of one destination carrier or of eight regions, for 25 to 110 minutes; outages of 15 minutes."""
    spells: list[Degradation] = []
    for _ in range(DEGRADATIONS):
        trunk, begin, length = int(rng.integers(TRUNKS)), int(rng.integers(0, minutes - 30)), int(rng.integers(25, 110))
        if rng.random() < 0.5:
            cells = rng.integers(DESTINATIONS) == DESTINATION
        else:
            cells = np.isin(REGION, rng.choice(REGIONS, 8, replace=False))
        spells.append(Degradation(trunk, cells, begin, min(begin + length, minutes)))
    outages: list[Outage] = []
    for _ in range(OUTAGES):
        trunk, begin = int(rng.integers(TRUNKS)), int(rng.integers(20, minutes - 25))
        outages.append(Outage(trunk, begin, begin + OUTAGE_MIN))
    return spells, outages


def _logistic(logits: Floats) -> Floats:
    chance: Floats = 1.0 / (1.0 + np.exp(-logits))
    return chance
