"""What the runtime needs from the outside: five methods at most each. Every port has a fake and one conformance
suite, which the fake and the real adapter both pass (`tests/conformance`)."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Protocol

import msgspec

from carriers.capacity import CapacityPrices, CapacityProblem
from compliance.streams import Record
from dialer.core.actions import Action, Claim, Settlement
from dialer.core.events import Event, Refusal, Refused, Reserved
from dialer.core.lead import Lead, LeadProgress
from dialer.core.learned import Learned
from models.plan import HourPlan, PlanRequest

Emit = Callable[[Event], None]


class Opening(msgspec.Struct, frozen=True, kw_only=True):
    """What the store knows of a campaign when a writer opens it."""

    run: int  # the lease's fence: grows by one with each opening of the campaign
    leads: tuple[Lead, ...]
    progress: tuple[LeadProgress, ...]
    in_flight: tuple[Claim, ...]  # claimed by an earlier run and never settled, without what they had to pass
    unlisted: tuple[str, ...] = ()  # of the leads, those that are there for the sake of `in_flight` alone
    learned: Learned | None = None  # the last snapshot of an earlier run


class Reservation(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What the store answered to a batch of claims; whatever is not refused is held.

    `seen`: for each attempt that is held now, how many facts each cap of its claim had counted before it, in the
    claim's order; an attempt that an earlier call had claimed is not in it. `warnings`: registries that are older than
    their rule wants, where it only warns: (attempt, registry).
    """

    refusals: list[Refusal] = []
    seen: dict[int, tuple[int, ...]] = {}
    warnings: list[tuple[int, str]] = []

    def events(self, ids: Sequence[int], at: float) -> list[Event]:
        """What the engine is told at `at` of the claims of these attempts: which are held, which are refused."""
        events: list[Event] = []
        refused = {refusal.attempt_id for refusal in self.refusals}
        held = tuple([attempt_id for attempt_id in ids if attempt_id not in refused])
        if held:
            seen = tuple([self.seen.get(attempt_id, ()) for attempt_id in held])
            events.append(Reserved(at=at, attempt_ids=held, seen=seen, warnings=tuple(self.warnings)))
        if refused:
            events.append(Refused(at=at, refusals=tuple(self.refusals)))
        return events


class CampaignStore(Protocol):
    """The store as the one writer of a campaign uses it. All calls raise `StoreError` when not durable."""

    async def open_campaign(self, campaign: str, *, owner: str, dead_owner: str | None = None) -> Opening:
        """Take the campaign's lease and load it. Raises `CampaignRunning` where another live writer holds it.

        `dead_owner`: a writer that the caller knows to be dead; its lease is taken at once.
        """
        ...

    async def reserve(self, campaign: str, claims: Sequence[Claim]) -> Reservation:
        """Claim a batch atomically and durably, each claim by itself. What is not refused is held."""
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
        """Forbid a key for ever, and tell the running campaigns: `lead:ID`, `number:+E164`, `person:ID`, `debt:ID`,
        `account:ID`, `work:PERSON` or `everything`.

        A key keeps every reason for which it was stopped, and is free once all are taken back; one that it has already
        changes nothing. Raises `ConfigError` for a reason that is empty or of several lines.
        """
        ...


class RuntimeStore(CampaignStore, LearnedStore, StopStore, Protocol):
    """The store as the runtime uses it."""


class LeadStore(StopStore, Protocol):
    """The store as commands use it."""

    async def add_leads(self, campaign: str, leads: Sequence[Lead]) -> list[str]:
        """Add leads that are not there yet; returns the ids that were there already (left as they were)."""
        ...

    async def stopped(self, key: str) -> tuple[str, ...]:
        """The reasons of a stop, the first first; none where there is none."""
        ...

    async def lift(self, key: str, reason: str | None = None) -> tuple[str, ...]:
        """Take a stop back, or that one reason of it; returns those that were taken back, none where there was none."""
        ...

    async def progress(self, campaign: str) -> dict[str, LeadProgress]:
        """How far each lead of the campaign is."""
        ...


# ---- what is known of numbers and people beside campaigns ---------------------------------------------------
# Local hours in which a person must not be called: (weekday from 0, Monday; first minute; minute after the last),
# minutes after midnight, none over midnight. Held against `Claim.local_times`.
PersonHours = tuple[tuple[int, int, int], ...]


class RegistryInfo(msgspec.Struct, frozen=True, kw_only=True):
    """A do-not-call registry as we have it. Times in UTC seconds."""

    name: str
    as_of: float  # the moment for which the file is right
    imported_at: float
    count: int
    source: str  # the file it came from


class Consent(msgspec.Struct, frozen=True, kw_only=True):
    """A record of consent: where it is written down, when it was given, when it ends. UTC seconds; None: no end."""

    source: str
    at: float
    expires_at: float | None = None

    def holds(self, at: float) -> bool:
        """Whether it was given by then and is not over; whether it was revoked is told by `standing`."""
        return self.at <= at and (self.expires_at is None or at < self.expires_at)


def standing(given: Mapping[str, Consent], revoked: Mapping[str, float]) -> dict[str, Consent]:
    """Return those consents of one claim (person and number) that no revocation takes back.

    A revocation under any of its keys takes back what was agreed to until then under each of them.
    """
    last = max(revoked.values(), default=-math.inf)
    return {key: consent for key, consent in given.items() if consent.at > last}


class OutsideFact(msgspec.Struct, frozen=True, kw_only=True):
    """Something that happened to a person outside our campaigns: a letter, a visit, a call of theirs.

    `keys` are the streams that it belongs to, `parts` what its record names (`compliance.streams`), `outcome` is
    `compliance.facts.outside_outcome`. Recording the same `id` and outcome again changes nothing; one event that is two
    kinds of fact has one id and two outcomes, and counts once.
    """

    keys: tuple[str, ...]
    at: float
    outcome: str
    id: str
    parts: str = ""


class Registries(Protocol):
    """Do-not-call registries, each replaced as a whole."""

    async def replace_registry(self, name: str, numbers: Iterable[str], *, as_of: float, source: str) -> int:
        """Put these numbers (E.164) in place of the registry's, all at once; returns how many there are.

        Whatever fails midway, a number that is none included (`ConfigError`), leaves the registry as it was.
        """
        ...

    async def registries(self) -> list[RegistryInfo]:
        """All of them, by name."""
        ...

    async def registries_of(self, number: str) -> list[str]:
        """The names of the registries that the number is on."""
        ...

    async def drop_registry(self, name: str) -> bool:
        """Forget a registry: claims that ask for it find none. Returns whether there was one."""
        ...


class PersonRecords(Protocol):
    """What people told us: hours in which they cannot be called, and consents (`SCOPE|person:ID`,
    `SCOPE|number:+E164`)."""

    async def set_hours(self, person: str, hours: PersonHours) -> None:
        """Replace the person's hours; none at all takes them back. Raises `ConfigError` for a span that is none."""
        ...

    async def hours_of(self, person: str) -> PersonHours: ...

    async def give_consent(self, key: str, consent: Consent) -> bool:
        """Record a consent in place of one that is not newer; False, and nothing is changed, where there is a newer."""
        ...

    async def revoke_consent(self, key: str, at: float) -> bool:
        """Take back what was agreed to until `at` (UTC seconds) under this key, and in a claim under its others.

        It is kept for ever, so that recording an older consent again, here or there, restores nothing. Returns whether
        it took back one under this key.
        """
        ...

    async def consents_of(self, keys: Sequence[str]) -> dict[str, Consent]:
        """The newest consents under these keys, revoked or not (`standing`)."""
        ...

    async def revocations_of(self, keys: Sequence[str]) -> dict[str, float]:
        """When the newest revocation came, of those of these keys that have one. UTC seconds."""
        ...


class FactRecords(Protocol):
    """Facts that no campaign of ours made, and all that caps count."""

    async def record_facts(self, facts: Sequence[OutsideFact]) -> None:
        """Record facts durably, a batch at once."""
        ...

    async def facts_of(self, keys: Sequence[str]) -> dict[str, list[Record]]:
        """Each stream's records, oldest first; a key without facts has an empty one."""
        ...


class Searches(Protocol):
    """What the commands ask of the whole store."""

    async def all_stops(self) -> dict[str, tuple[str, ...]]:
        """Every stop and its reasons, the first first."""
        ...

    async def find_number(self, number: str) -> list[tuple[str, Lead, LeadProgress]]:
        """The leads of any campaign that have this number (E.164): (campaign, lead, progress). Reads every list."""
        ...


class ComplianceRecords(Registries, PersonRecords, FactRecords, Searches, Protocol):
    """All records beside the campaigns."""


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


class Solver(Protocol):
    """Solves capacity problems; nothing here blocks the loop of a campaign in real time."""

    def solve(self, problem: CapacityProblem, priced: Callable[[CapacityPrices], None]) -> None:
        """Call `priced` with the prices, at once or later in the loop. A problem that a newer one overtakes before it
        was begun is dropped, and one that cannot be solved is logged: of neither is anything heard. Never raises."""
        ...

    async def close(self) -> None:
        """Let go of what is under way: nothing is heard any more. May be called again."""
        ...


class Planner(Protocol):
    """Plans the hours of a campaign by its models; nothing here blocks the loop of a campaign in real time."""

    def begin(self, leads: Sequence[Lead], opened: Callable[[tuple[str, ...]], None]) -> None:
        """Take the leads, in the order of their indexes, and load models and history. Calls `opened` with the models'
        versions once there is something to plan by, and again whenever a new planner took the place of one that
        failed; without any model nothing is heard, and the campaign goes by its tables. Never raises."""
        ...

    def plan(self, request: PlanRequest, planned: Callable[[HourPlan], None]) -> None:
        """Call `planned` with the plan, at once or later in the loop. Requests are answered in their order; one that
        cannot be answered is logged, and nothing is heard of it. Never raises."""
        ...

    async def close(self) -> None:
        """Let go of what is under way: nothing is heard any more. May be called again."""
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

    def reserve_now(self, campaign: str, claims: Sequence[Claim]) -> Reservation: ...

    def stop_now(self, key: str, reason: str) -> None: ...

    def settle_now(self, campaign: str, settlements: Sequence[Settlement]) -> None: ...


class EventLog(Protocol):
    """The journal: every event and every action, in order."""

    def append(self, event: Event, actions: Sequence[Action]) -> None: ...

    def flush(self) -> None:
        """Hand everything to the operating system. Raises `StoreError` where that fails."""
        ...

    def close(self) -> None: ...
