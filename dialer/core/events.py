"""Facts that the engine is told, in the past tense. Frozen; `at` is UTC seconds.

The tag (`type`) of each is its class name: it stands in the journal, so renaming a class breaks old journals.
"""

from __future__ import annotations

import msgspec

from carriers.capacity import CapacityPrices
from dialer.core.actions import Claim
from dialer.core.lead import Lead, LeadProgress
from dialer.core.learned import Learned
from models.plan import HourPlan


class Event(msgspec.Struct, frozen=True, kw_only=True, tag=True, gc=False):
    """A fact, and when it happened."""

    at: float


# ---- leads --------------------------------------------------------------------------------------------------
class LeadsAdded(Event, frozen=True, kw_only=True, tag=True):
    """Leads came from the store; `progress` has one entry a lead, in the same order."""

    leads: tuple[Lead, ...]
    progress: tuple[LeadProgress, ...]
    unlisted: tuple[str, ...] = ()  # of these leads, those that no list has any more: only their calls are settled
    last: bool = True  # of a list that comes in pieces: nothing is dialled before the last


class LeadStopped(Event, frozen=True, kw_only=True, tag=True):
    """A lead, number, person, debt, account or place of work may never be dialled again; `key` is that of the stop:
    `lead:ID`, `number:+E164`, `person:ID`, `debt:ID`, `account:ID`, `work:PERSON`, `everything`."""

    key: str
    reason: str


# ---- agents -------------------------------------------------------------------------------------------------
class AgentLoggedIn(Event, frozen=True, kw_only=True, tag=True):
    """An agent's leg is up and waits off-hook."""

    agent_id: str


class AgentLoggedOut(Event, frozen=True, kw_only=True, tag=True):
    """An agent's leg is gone, for whatever reason."""

    agent_id: str


class AgentPaused(Event, frozen=True, kw_only=True, tag=True):
    """An agent asked for a pause; in a call, it begins after the wrap-up."""

    agent_id: str
    reason: str


class AgentLeaveAnnounced(Event, frozen=True, kw_only=True, tag=True):
    """An agent will leave at a known time, for a break or for the day: the pause begins then, or after the call that
    goes on. None takes an announcement back."""

    agent_id: str
    leaves_at: float | None  # UTC seconds
    reason: str = "break"


class AgentReadied(Event, frozen=True, kw_only=True, tag=True):
    """An agent ended a pause (or a wrap-up) and is ready."""

    agent_id: str


class AgentKeyed(Event, frozen=True, kw_only=True, tag=True):
    """An agent pressed a key on the telephone; the campaign's table says what it means."""

    agent_id: str
    key: str


class AttemptDisposed(Event, frozen=True, kw_only=True, tag=True):
    """An agent set an attempt's disposition by other means than a key."""

    agent_id: str
    attempt_id: int
    disposition: str
    ends_wrap_up: bool = True


class AgentLogoutOrdered(Event, frozen=True, kw_only=True, tag=True):
    """A supervisor logs an agent out: now, or after the call."""

    agent_id: str
    by: str


# ---- the store's answers ------------------------------------------------------------------------------------
class Refusal(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Why the store refused a claim. `retry_at` is when it may be asked again; None: never.

    Of a cap: how many facts were `seen`, and the cap's `max`. Of a stop: its `key`.
    """

    attempt_id: int
    rule: str
    retry_at: float | None
    seen: int | None = None
    max: int | None = None
    key: str = ""


class Reserved(Event, frozen=True, kw_only=True, tag=True):
    """The store durably claimed these attempts' leads and cap slots.

    `seen`: for each attempt, how many facts each cap of its claim had counted before it, in the claim's order.
    `warnings`: lists that are older than they should be, as (attempt, registry).
    """

    attempt_ids: tuple[int, ...]
    seen: tuple[tuple[int, ...], ...] = ()
    warnings: tuple[tuple[int, str], ...] = ()


class Refused(Event, frozen=True, kw_only=True, tag=True):
    """The store refused these claims; nothing is held for them."""

    refusals: tuple[Refusal, ...]


class ReservationLost(Event, frozen=True, kw_only=True, tag=True):
    """The store did not answer: these claims may or may not be held. They are not dialled."""

    attempt_ids: tuple[int, ...]


class AttemptsInherited(Event, frozen=True, kw_only=True, tag=True):
    """An earlier run claimed these and never settled them: dialled or not, their outcome is unknown."""

    claims: tuple[Claim, ...]


class StateRecalled(Event, frozen=True, kw_only=True, tag=True):
    """What an earlier run had learned and counted, as its last snapshot has it."""

    learned: Learned


class StoreStalled(Event, frozen=True, kw_only=True, tag=True):
    """The store or the journal cannot be written: nothing new is dialled until `StoreRecovered`."""

    reason: str


class StoreRecovered(Event, frozen=True, kw_only=True, tag=True):
    """The store and the journal can be written again."""


# ---- the switch ---------------------------------------------------------------------------------------------
class AttemptRinging(Event, frozen=True, kw_only=True, tag=True):
    """The called party's line rings (SIP 180), or sound comes before an answer (183, `early_media`)."""

    attempt_id: int
    try_no: int = 1
    early_media: bool = False


class AttemptAnswered(Event, frozen=True, kw_only=True, tag=True):
    """The called line was answered; a machine may have answered it."""

    attempt_id: int
    try_no: int = 1


class AttemptScreened(Event, frozen=True, kw_only=True, tag=True):
    """Answering-machine detection decided: `human`, `machine` or `uncertain`. None: the switch does not know when."""

    attempt_id: int
    verdict: str
    greeting_began_at: float | None = None
    greeting_ended_at: float | None = None


class AttemptBridged(Event, frozen=True, kw_only=True, tag=True):
    """The called party and the agent hear each other."""

    attempt_id: int
    agent_id: str


class BridgeFailed(Event, frozen=True, kw_only=True, tag=True):
    """A bridge could not be made. `agent_gone`: the agent's leg is at fault, not the call."""

    attempt_id: int
    agent_id: str
    agent_gone: bool


class AttemptAbandoned(Event, frozen=True, kw_only=True, tag=True):
    """The switch's own limit passed with no agent: the message plays, then the switch hangs up."""

    attempt_id: int


class AttemptEnded(Event, frozen=True, kw_only=True, tag=True):
    """The attempt's channel is gone. `cause` is Q.850 (0: unknown), `sip_code` the carrier's final answer."""

    attempt_id: int
    try_no: int = 1
    cause: int
    sip_code: int | None = None
    lost: bool = False  # the switch or the link died: the outcome is unknown


class AttemptSurvived(Event, frozen=True, kw_only=True, tag=True):
    """A call of an earlier run still lives: this agent talks with the called party, over this trunk."""

    attempt_id: int
    agent_id: str
    try_no: int = 1
    trunk: str = ""


class LinkDropped(Event, frozen=True, kw_only=True, tag=True):
    """The link to the switch is down: no new calls."""

    reason: str


class LinkUp(Event, frozen=True, kw_only=True, tag=True):
    """The link to the switch is up and reconciled."""


# ---- the solver ---------------------------------------------------------------------------------------------
class CapacityPriced(Event, frozen=True, kw_only=True, tag=True):
    """The prices that answer the last `PriceCapacity`."""

    prices: CapacityPrices


# ---- the planner --------------------------------------------------------------------------------------------
class PlannerOpened(Event, frozen=True, kw_only=True, tag=True):
    """There are models to plan by: from now on the engine asks."""

    models: tuple[str, ...]  # versions: the champion, and the challenger if there is one


class HoursPlanned(Event, frozen=True, kw_only=True, tag=True):
    """The answer to a `PlanHours`."""

    plan: HourPlan


# ---- operators and time -------------------------------------------------------------------------------------
class PacingChanged(Event, frozen=True, kw_only=True, tag=True):
    """A supervisor changed how the campaign paces; None leaves a value as it is. Checked before it came here."""

    by: str
    mode: str | None = None
    target_abandon_rate: float | None = None
    lines_per_idle_agent: float | None = None
    max_lines_per_idle_agent: float | None = None


class LaunchingPaused(Event, frozen=True, kw_only=True, tag=True):
    """Launch nothing until `LaunchingResumed`; live calls go on."""

    by: str


class LaunchingResumed(Event, frozen=True, kw_only=True, tag=True):
    """Launch again."""

    by: str


class DrainOrdered(Event, frozen=True, kw_only=True, tag=True):
    """Stop launching, let live calls finish, then end."""

    by: str


class StopOrdered(Event, frozen=True, kw_only=True, tag=True):
    """Stop launching and hang up everything now."""

    by: str


class TimePassed(Event, frozen=True, kw_only=True, tag=True):
    """The engine's earliest timer is due."""


AnyEvent = (
    LeadsAdded
    | LeadStopped
    | AgentLoggedIn
    | AgentLoggedOut
    | AgentPaused
    | AgentLeaveAnnounced
    | AgentReadied
    | AgentKeyed
    | AttemptDisposed
    | AgentLogoutOrdered
    | Reserved
    | Refused
    | ReservationLost
    | AttemptsInherited
    | StateRecalled
    | StoreStalled
    | StoreRecovered
    | AttemptRinging
    | AttemptAnswered
    | AttemptScreened
    | AttemptBridged
    | BridgeFailed
    | AttemptAbandoned
    | AttemptEnded
    | AttemptSurvived
    | LinkDropped
    | LinkUp
    | CapacityPriced
    | PlannerOpened
    | HoursPlanned
    | PacingChanged
    | LaunchingPaused
    | LaunchingResumed
    | DrainOrdered
    | StopOrdered
    | TimePassed
)
