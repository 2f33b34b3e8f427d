"""How the routing stands: what `dialer carriers status` and the campaign's page show."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec

from carriers.circuit import CircuitState, OpenCircuit
from carriers.supply import Carrier, Surcharge, Trunk
from carriers.tally import AccountDay, TrunkTally

CircuitWord = Literal["closed", "open", "half_open"]


class PrefixStanding(msgspec.Struct, frozen=True, kw_only=True):
    """A prefix of a trunk whose circuit is not closed."""

    prefix: str
    circuit: CircuitWord
    because: str
    since: float  # UTC seconds
    next_probe_at: float


class TrunkStanding(msgspec.Struct, frozen=True, kw_only=True):
    """One trunk now. The counts are of the last 15 minutes; None: no data.

    Costs are those of the rate deck: fees on short and cancelled calls hang on the account's whole day, and stand in
    `AccountStanding`.
    """

    trunk: str
    carrier: str
    share: float | None  # of all trunks' tries
    tries: int  # the sample's size
    asr: float | None
    ner: float | None
    pdd_s: float | None
    mean_call_s: float | None
    short_share: float | None  # short calls of the answered ones
    cancelled_share: float | None  # calls that we cancelled, of all
    contacts_per_1000: float | None
    cost_per_try: float | None
    cost_per_contact: float | None
    in_use: int  # channels
    max_channels: int
    set_ups_per_s: float  # that it takes, sustained, by its own limits
    price: float  # currency: what one more set-up a second would be worth, by the last prices
    circuit: CircuitWord  # of the trunk as a whole
    because: str  # why it is not closed
    open_prefixes: tuple[PrefixStanding, ...]
    idle_because: str  # why it carries nothing now: closed hours, no rate, its circuit; empty: it may carry calls


class CallerIdStanding(msgspec.Struct, frozen=True, kw_only=True):
    """One of our numbers now."""

    number: str
    pool: str
    calls_today: int
    max_calls_a_day: int | None
    resting_until: float | None  # UTC seconds
    multiplier: float | None  # its answers over those of its pool's others; None: too little is known
    because: str


class AccountStanding(msgspec.Struct, frozen=True, kw_only=True):
    """The surcharges of one carrier's account, over all its trunks, today (UTC) so far.

    A limit of None: no such surcharge. A fee is due on each call of the kind where their share is above the limit.
    """

    account: str
    calls: int  # whose fate is known
    answered: int  # of these: answered calls that are over
    short_share: float | None  # of the answered ones; None: none yet
    short_above: float | None
    short_due: float  # currency
    cancelled_share: float | None  # of all; None: none yet
    cancelled_above: float | None
    cancelled_due: float  # currency


class RoutingStanding(msgspec.Struct, frozen=True, kw_only=True):
    """A campaign's routing at one instant."""

    at: float  # UTC seconds
    router: str
    currency: str
    trunks: tuple[TrunkStanding, ...]
    caller_ids: tuple[CallerIdStanding, ...]
    prices_at: float | None  # when capacity prices were last set; None: never
    accounts: tuple[AccountStanding, ...] = ()  # those with surcharges


def trunk_standing(
    trunk: Trunk,
    place: int,
    tally: TrunkTally,
    *,
    tries_of_all: int,
    in_use: int,
    set_ups_per_s: float,
    price: float,
    open_circuits: Sequence[OpenCircuit],
    idle_because: str = "",
) -> TrunkStanding:
    """Put together how one trunk stands. `place` is its index; `open_circuits` are those of all trunks.

    Where its circuit is open and nothing else keeps it idle, that is why.
    """
    own = [circuit for circuit in open_circuits if circuit.trunk == place]
    whole = next((circuit for circuit in own if not circuit.prefix), None)
    return TrunkStanding(
        trunk=trunk.name,
        carrier=trunk.carrier,
        share=tally.tries / tries_of_all if tries_of_all else None,
        tries=tally.tries,
        asr=tally.asr,
        ner=tally.ner,
        pdd_s=tally.pdd_s,
        mean_call_s=tally.mean_call_s,
        short_share=tally.short_share,
        cancelled_share=tally.cancelled_share,
        contacts_per_1000=tally.contacts_per_1000,
        cost_per_try=tally.cost_per_try,
        cost_per_contact=tally.cost_per_contact,
        in_use=in_use,
        max_channels=trunk.max_channels,
        set_ups_per_s=set_ups_per_s,
        price=price,
        circuit=_word(whole.state) if whole else "closed",
        because=whole.because if whole else "",
        open_prefixes=tuple(
            PrefixStanding(
                prefix=circuit.prefix,
                circuit=_word(circuit.state),
                because=circuit.because,
                since=circuit.since,
                next_probe_at=circuit.next_probe_at,
            )
            for circuit in own
            if circuit.prefix
        ),
        idle_because=idle_because or ("its circuit is not closed" if whole else ""),
    )


def account_standing(carrier: Carrier, day: AccountDay) -> AccountStanding:
    """Put together what an account owes for its `day` so far."""
    short, cancelled = carrier.short_calls, carrier.cancelled_calls
    return AccountStanding(
        account=carrier.name,
        calls=day.calls,
        answered=day.answered,
        short_share=day.short_share,
        short_above=None if short is None else short.above,
        short_due=_due(short, day.shorts, day.short_share),
        cancelled_share=day.cancelled_share,
        cancelled_above=None if cancelled is None else cancelled.above,
        cancelled_due=_due(cancelled, day.cancelled, day.cancelled_share),
    )


def _due(surcharge: Surcharge | None, calls: int, share: float | None) -> float:
    return calls * surcharge.fee if surcharge is not None and share is not None and share > surcharge.above else 0.0


def _word(state: CircuitState) -> CircuitWord:
    return "open" if state is CircuitState.OPEN else "half_open" if state is CircuitState.HALF_OPEN else "closed"
