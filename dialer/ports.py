"""What the runtime needs from the outside: five methods at most each. Every port has a fake and one conformance
suite, which the fake and the real adapter both pass (`tests/conformance`)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

import msgspec

from dialer.core.actions import Action, Claim, Settlement
from dialer.core.events import Event, Refusal
from dialer.core.lead import Lead, LeadProgress
from dialer.core.learned import Learned

Emit = Callable[[Event], None]


class Opening(msgspec.Struct, frozen=True, kw_only=True):
    """What the store knows of a campaign when a writer opens it."""

    run: int  # the lease's fence: grows by one with each opening of the campaign
    leads: tuple[Lead, ...]
    progress: tuple[LeadProgress, ...]
    in_flight: tuple[Claim, ...]  # claimed by an earlier run and never settled: outcome unknown
    unlisted: tuple[str, ...] = ()  # of the leads, those that are there for the sake of `in_flight` alone
    learned: Learned | None = None  # the last snapshot of an earlier run


class CampaignStore(Protocol):
    """The store as the one writer of a campaign uses it. All calls raise `StoreError` when not durable."""

    async def open_campaign(self, campaign: str, *, owner: str, dead_owner: str | None = None) -> Opening:
        """Take the campaign's lease and load it. Raises `CampaignRunning` where another live writer holds it.

        `dead_owner`: a writer that the caller knows to be dead; its lease is taken at once.
        """
        ...

    async def reserve(self, campaign: str, claims: Sequence[Claim]) -> list[Refusal]:
        """Claim a batch atomically and durably, each claim by itself. Returns the refusals; the rest is held."""
        ...

    async def settle(self, campaign: str, settlements: Sequence[Settlement]) -> None:
        """Record ends durably. Settling an attempt twice changes nothing."""
        ...

    async def next_stop(self) -> tuple[str, str]:
        """Wait for the next stop that anybody sets: (key, reason)."""
        ...

    async def close_campaign(self, campaign: str) -> None:
        """Give the lease back."""
        ...


class LearnedStore(Protocol):
    """Where learned state is kept between runs."""

    async def save_learned(self, campaign: str, learned: Learned) -> None:
        """Replace the campaign's snapshot. Raises `StoreError`."""
        ...


class StopStore(Protocol):
    """Where stops are set."""

    async def stop(self, key: str, reason: str) -> None:
        """Forbid `lead:ID`, `number:+E164`, `person:ID` or `everything`, and tell the running campaigns."""
        ...


class RuntimeStore(CampaignStore, LearnedStore, StopStore, Protocol):
    """The store as the runtime uses it."""


class LeadStore(StopStore, Protocol):
    """The store as commands use it."""

    async def add_leads(self, campaign: str, leads: Sequence[Lead]) -> list[str]:
        """Add leads that are not there yet; returns the ids that were there already (left as they were)."""
        ...

    async def stopped(self, key: str) -> str | None:
        """The reason of a stop; None where there is none."""
        ...

    async def lift(self, key: str) -> bool:
        """Take a stop back; returns whether there was one."""
        ...

    async def progress(self, campaign: str) -> dict[str, LeadProgress]:
        """How far each lead of the campaign is."""
        ...


class Telephony(Protocol):
    """A switch. Outcomes come back through `emit` as events; nothing here blocks."""

    async def start(self, emit: Emit) -> None:
        """Connect; emits `AgentLoggedIn` for each agent's leg that is there, `AttemptSurvived` for each that talks in a
        call of an earlier run, hangs up that run's unanswered calls, and then emits `LinkUp`."""
        ...

    def perform(self, actions: Sequence[Action]) -> None:
        """Carry out `Originate`, `Bridge`, `HangUp`, `LogOut`, each sent once at most. Never raises for one bad action:
        an attempt that cannot be placed ends with `AttemptEnded`."""
        ...

    async def close(self) -> None:
        """Let go of the link; calls go on."""
        ...


class Clock(Protocol):
    """UTC seconds, and wake-up calls."""

    def now(self) -> float: ...

    def call_at(self, when: float, callback: Callable[[], None]) -> Cancellable:
        """Call back at or after `when`."""
        ...


class Cancellable(Protocol):
    """A wake-up call that can be called off."""

    def cancel(self) -> None: ...


class InstantStore(Protocol):
    """The claims of a campaign without any waiting: the in-memory store, as the simulator uses it."""

    def reserve_now(self, campaign: str, claims: Sequence[Claim]) -> list[Refusal]: ...

    def stop_now(self, key: str, reason: str) -> None: ...

    def settle_now(self, campaign: str, settlements: Sequence[Settlement]) -> None: ...


class EventLog(Protocol):
    """The journal: every event and every action, in order."""

    def append(self, event: Event, actions: Sequence[Action]) -> None: ...

    def flush(self) -> None:
        """Hand everything to the operating system. Raises `StoreError` where that fails."""
        ...

    def close(self) -> None: ...
