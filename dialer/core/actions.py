"""Intentions of the engine, in the imperative. Frozen; carried out by the shell, which reports back in events."""

from __future__ import annotations

import msgspec

from carriers.capacity import CapacityProblem
from compliance.clearance import CapSlot, ConsentCheck, ListCheck
from dialer.core.lead import LeadProgress
from dialer.core.learned import Learned
from models.plan import PlanRequest


class Action(msgspec.Struct, frozen=True, kw_only=True, tag=True, gc=False):
    """Something the engine wants done."""


class Claim(msgspec.Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """One attempt to be claimed: its lead, the stops that would forbid it, and all that it must pass (the fields of
    `compliance.clearance.Clearance`)."""

    attempt_id: int
    lead_id: str
    number: str
    at: float
    stop_keys: tuple[str, ...]
    fact_keys: tuple[str, ...]  # the streams in which the attempt is recorded, capped or not
    caps: tuple[CapSlot, ...] = ()
    fact: str = ""  # the parts of its record there (`compliance.streams.parts_of`)
    person: str = ""
    lists: tuple[ListCheck, ...] = ()
    consent: ConsentCheck | None = None
    local_times: tuple[tuple[int, int], ...] = ()
    profiles: tuple[str, ...] = ()  # the rules in force where the person may be
    zones: tuple[str, ...] = ()


class Reserve(Action, frozen=True, kw_only=True, tag=True):
    """Claim leads and cap slots, atomically and durably, a batch of at most 100."""

    claims: tuple[Claim, ...]


class RouteNote(msgspec.Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """Why a try goes over its trunk and shows its number: for the journal, and for off-policy estimates."""

    because: str  # `carriers.router.Reason`, in small letters; "failover" after a trunk that failed
    propensity: float = 1.0  # the chance with which the trunk was chosen, given what had room
    region: str = ""
    network: str = ""  # the destination carrier
    expected: float = 0.0  # of a live answer, whatever the trunk
    pool: str = ""  # of the caller ID
    shown_because: str = ""  # `carriers.caller_id.CallerIdReason`, in small letters
    shown_propensity: float = 1.0
    # How the trunk signs the number. No default: msgspec leaves one out by identity, which a string that travelled
    # between processes has lost, and a journal would depend on where it was written.
    attestation: str


class ScoreNote(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Why this lead was called in this hour: for the journal, and for whoever evaluates models and wear."""

    model: str  # its version; empty: the tables
    because: str  # `models.exploration.Because`, in small letters
    answer: float  # probability of a live answer, as the plan had it
    right_party: float | None  # of such an answer; None: nobody says
    propensity: float | None  # of a randomised hour or gap; None: it was not randomised
    segment: str  # of the campaign's rules; empty: none
    channels: tuple[str, ...]  # by which the segment's people should be reached, the preferred first


class Originate(Action, frozen=True, kw_only=True, tag=True):
    """Place the call. Only ever follows `Reserved` of the same attempt, and is never repeated."""

    attempt_id: int
    try_no: int
    lead_id: str
    number: str
    trunk: str
    caller_id: str
    ring_timeout_s: float
    message: bool = True  # whether the recorded message plays where nobody is free
    route: RouteNote | None = None
    score: ScoreNote | None = None


class Bridge(Action, frozen=True, kw_only=True, tag=True):
    """Join the answered call and the agent's waiting leg."""

    attempt_id: int
    agent_id: str
    script: str = ""  # what the agent should say, as the lead's segment has it; empty: nothing is named


class HangUp(Action, frozen=True, kw_only=True, tag=True):
    """End the attempt's call, whatever state it is in; with `unanswered_only`, an answered one is let be."""

    attempt_id: int
    reason: str
    unanswered_only: bool = False


class LogOut(Action, frozen=True, kw_only=True, tag=True):
    """Hang up an agent's waiting leg."""

    agent_id: str


class Settlement(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The final record of an attempt, and what the store must remember of its lead."""

    attempt_id: int
    lead_id: str
    number: str
    at: float  # when it was settled
    disposition: str
    abandoned: bool = False  # a live answer that found no agent in time, whatever came of it afterwards
    cut_short: bool = False  # we hung up as it rang, for want of an agent
    reserved_at: float
    originated_at: float | None
    answered_at: float | None
    bridged_at: float | None
    ended_at: float | None
    agent_id: str | None
    trunk: str | None  # of the last try
    caller_id: str | None
    tries: int = 1
    fact_keys: tuple[str, ...]
    progress: LeadProgress  # the lead afterwards
    stop_keys: tuple[str, ...] = ()  # set where the disposition forbids any further call
    stop_reason: str = ""


class Stop(Action, frozen=True, kw_only=True, tag=True):
    """Forbid these keys for ever, durably and before anything else is asked of the store."""

    keys: tuple[str, ...]
    reason: str


class Settle(Action, frozen=True, kw_only=True, tag=True):
    """Record attempts' ends durably."""

    settlements: tuple[Settlement, ...]


class SaveLearned(Action, frozen=True, kw_only=True, tag=True):
    """Keep what was learned and counted, for the next run of the campaign."""

    learned: Learned


class PriceCapacity(Action, frozen=True, kw_only=True, tag=True):
    """Solve this beside the loop; `CapacityPriced` brings the prices. One that fails is followed by the next."""

    problem: CapacityProblem


class PlanHours(Action, frozen=True, kw_only=True, tag=True):
    """Plan the rest of the day beside the loop; `HoursPlanned` brings the plan, or nothing comes."""

    request: PlanRequest


class Decision(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One pacing decision as codes and figures; the sentence is made when somebody reads it."""

    policy: str
    cause: str  # the class name of the event that asked for it
    idle: int
    on_call: int
    wrap_up: int
    ringing: int
    waiting: int
    wanted: int  # lines the policy asked for
    launched: int  # lines after guards and the dial queue
    hung_up: int = 0  # ringing lines ended because no agent would have been there
    # What bound it: none | no_agents | queue_empty | window | channels | cps | link | loading | store | paused |
    # draining | policy_fault, or the policy's own (lines_per_idle_agent, abandon_budget, ...).
    guard: str
    figures: dict[str, float]  # the policy's own: forecast, marginal abandon probability, price, budget
    rule: str = ""  # of the guard `window`: the rule that closes it


class NoteDecision(Action, frozen=True, kw_only=True, tag=True):
    """Keep a decision for the journal and whoever watches."""

    decision: Decision


class Alert(Action, frozen=True, kw_only=True, tag=True):
    """Something is wrong that a person should mend; the campaign goes on."""

    text: str


class EndCampaign(Action, frozen=True, kw_only=True, tag=True):
    """Nothing is left to do, or a drain is complete."""

    reason: str


AnyAction = (
    Reserve
    | Originate
    | Bridge
    | HangUp
    | LogOut
    | Stop
    | Settle
    | SaveLearned
    | PriceCapacity
    | PlanHours
    | NoteDecision
    | Alert
    | EndCampaign
)
