"""The books that an observer keeps of an engine, from the facts told to it and its actions, never from inside."""

from __future__ import annotations

from dataclasses import dataclass, field

from dialer.core import actions as act
from dialer.core import events as ev

_MOST_CLAIMS = 100
FAULTS = ((38, 500), (34, 503))
_LEAST_RING_S = 15.0


@dataclass
class Books:
    """Raises `AssertionError` at the first action that breaks a promise."""

    closes_at: float  # no call is begun at or after this
    set_ups_per_s: dict[str, int]  # by trunk
    link_up: bool = True
    store_ok: bool = True
    paused: bool = False
    draining: bool = False
    reserving: set[int] = field(default_factory=set)  # the store has not answered
    held: set[int] = field(default_factory=set)
    live: dict[int, str] = field(default_factory=dict)  # attempts that are not settled: their leads
    claims: dict[int, act.Claim] = field(default_factory=dict)
    inherited: set[int] = field(default_factory=set)
    originated: set[int] = field(default_factory=set)
    set_ups: list[tuple[float, str]] = field(default_factory=list)
    settled: set[int] = field(default_factory=set)
    forbidden: set[int] = field(default_factory=set)  # a stop came: no further try is placed
    tries: dict[int, int] = field(default_factory=dict)  # of each attempt that was placed
    trunks: dict[int, list[str]] = field(default_factory=dict)  # over which each was tried, in order
    failed: set[int] = field(default_factory=set)  # whose present try a carrier's fault ended before any ringing
    hung_up: set[int] = field(default_factory=set)
    rang_at: dict[int, float] = field(default_factory=dict)  # the first ringing
    answered: set[int] = field(default_factory=set)
    taken: dict[str, int] = field(default_factory=dict)  # agents and the calls promised to them
    here: set[str] = field(default_factory=set)  # agents whose legs are up
    bridges: list[tuple[int, str]] = field(default_factory=list)
    ends: int = 0

    @property
    def may_dial(self) -> bool:
        """Whether anything may be launched or placed."""
        return self.link_up and self.store_ok and not self.paused and not self.draining

    # ---- facts ------------------------------------------------------------------------------------------------
    def hear(self, event: ev.Event) -> None:
        """Take note of a fact before the engine is told."""
        match event:
            case ev.LinkUp():
                self.link_up = True
            case ev.LinkDropped():
                self.link_up = False
            case ev.StoreStalled():
                self.store_ok = False
            case ev.StoreRecovered():
                self.store_ok = True
            case ev.LaunchingPaused():
                self.paused = True
            case ev.LaunchingResumed():
                self.paused = False
            case ev.DrainOrdered() | ev.StopOrdered():
                self.draining = True
            case ev.LeadStopped(key=key):
                self.draining |= key == "everything"
                self._forbid((key,))
            case _:
                self._hear_of_attempts(event)

    def _hear_of_attempts(self, event: ev.Event) -> None:
        match event:
            case ev.Reserved(attempt_ids=ids):
                self.held.update(ids)
                self.reserving.difference_update(ids)
            case ev.ReservationLost(attempt_ids=ids):
                self.reserving.difference_update(ids)
            case ev.Refused(refusals=refusals):
                for refusal in refusals:
                    if refusal.attempt_id in self.reserving:
                        self.reserving.discard(refusal.attempt_id)
                        del self.live[refusal.attempt_id]
            case ev.AttemptRinging(attempt_id=attempt, try_no=try_no) if try_no == self.tries.get(attempt):
                self.rang_at.setdefault(attempt, event.at)
            case ev.AttemptAnswered(attempt_id=attempt, try_no=try_no) if try_no == self.tries.get(attempt):
                self.answered.add(attempt)
            case ev.AttemptEnded(attempt_id=attempt, try_no=try_no) if try_no == self.tries.get(attempt):
                heard = attempt in self.rang_at or attempt in self.answered or attempt in self.hung_up
                if (event.cause, event.sip_code) in FAULTS and not event.lost and not heard:
                    self.failed.add(attempt)
            case ev.AgentLoggedIn(agent_id=agent):
                self.here.add(agent)
            case ev.AgentLoggedOut(agent_id=agent):
                self.here.discard(agent)
                self.taken.pop(agent, None)
            case ev.BridgeFailed(attempt_id=attempt, agent_id=agent):
                if self.taken.get(agent) == attempt:
                    del self.taken[agent]

    def _forbid(self, keys: tuple[str, ...]) -> None:
        """What is claimed already must not be dialled any more; of what is claimed later, the store takes care."""
        meant = {a for a in self.live if not set(keys).isdisjoint(self.claims[a].stop_keys)}
        self.forbidden |= meant

    def inherit(self, claims: tuple[act.Claim, ...]) -> None:
        """An earlier run left these."""
        for claim in claims:
            self.inherited.add(claim.attempt_id)
            self.live[claim.attempt_id] = claim.lead_id
            self.claims[claim.attempt_id] = claim

    # ---- actions ----------------------------------------------------------------------------------------------
    def note(self, actions: list[act.Action], at: float) -> None:
        """Check what the engine answered, in its order. Within one step an agent is free before the end is recorded."""
        for action in actions:
            if isinstance(action, act.Settle):
                over = {settlement.attempt_id for settlement in action.settlements}
                self.taken = {agent: call for agent, call in self.taken.items() if call not in over}
        for action in actions:
            assert not self.ends or isinstance(action, act.HangUp | act.LogOut), "an action after the campaign's end"
            match action:
                case act.Reserve(claims=claims):
                    assert self.may_dial and at < self.closes_at and len(claims) <= _MOST_CLAIMS
                    for claim in claims:
                        self._claimed(claim)
                case act.Originate():
                    self._placed(action, at)
                case act.Bridge(attempt_id=attempt, agent_id=agent):
                    assert attempt in self.originated & self.live.keys(), "a bridge of a call that is not there"
                    assert agent in self.here and agent not in self.taken, "a bridge to an agent who is not free"
                    assert attempt not in self.taken.values(), "a call was promised to two agents"
                    self.taken[agent] = attempt
                    self.bridges.append((attempt, agent))
                case act.HangUp(attempt_id=attempt, reason=reason):
                    if reason == "no agent would be there":
                        assert attempt not in self.hung_up, "a second hang-up for want of an agent"
                        assert at - self.rang_at[attempt] >= _LEAST_RING_S, "a hang-up before the law allows it"
                        assert attempt not in self.answered, "a hang-up of one who has answered"
                    assert attempt in self.originated | self.inherited, "a hang-up of what was never placed"
                    assert attempt in self.live, "a hang-up of what has ended"
                    self.hung_up.add(attempt)
                case act.Stop(keys=keys):
                    self._forbid(keys)
                case act.LogOut(agent_id=agent):
                    assert agent in self.here
                case act.Settle(settlements=settlements):
                    for settlement in settlements:
                        self._ended(settlement)
                case act.EndCampaign():
                    assert not self.live, "the campaign ended with live attempts"
                    self.ends += 1

    def _claimed(self, claim: act.Claim) -> None:
        assert claim.attempt_id not in self.claims, "an attempt id was used twice"
        assert claim.lead_id not in self.live.values(), "two live attempts of one lead"
        self.claims[claim.attempt_id] = claim
        self.live[claim.attempt_id] = claim.lead_id
        self.reserving.add(claim.attempt_id)

    def _placed(self, action: act.Originate, at: float) -> None:
        attempt = action.attempt_id
        assert attempt in self.held, "an Originate without its Reserved"
        assert attempt in self.live, "an Originate of what has been settled"
        if attempt in self.originated:
            assert attempt in self.failed, "an attempt was originated twice, and no trunk had failed it"
            assert action.trunk not in self.trunks[attempt], "a trunk that failed was tried again"
            self.failed.discard(attempt)
        assert action.try_no == self.tries.get(attempt, 0) + 1
        self.tries[attempt] = action.try_no
        self.trunks.setdefault(attempt, []).append(action.trunk)
        assert attempt not in self.forbidden, "an Originate of somebody who was stopped"
        assert self.may_dial and at < self.closes_at, "an Originate that must not be"
        assert (action.lead_id, action.number) == (self.claims[attempt].lead_id, self.claims[attempt].number)
        self.originated.add(attempt)
        self.set_ups.append((at, action.trunk))
        # A millisecond for the rounding of sums such as 0.4 + 1.0; a window is half-open.
        recent = sum(trunk == action.trunk and at - 0.999 < then for then, trunk in self.set_ups)
        assert recent <= self.set_ups_per_s[action.trunk], "more call set-ups in a second than the trunk takes"

    def _ended(self, settlement: act.Settlement) -> None:
        attempt = settlement.attempt_id
        assert attempt not in self.settled, "an attempt was settled twice"
        assert self.live.pop(attempt, None) == settlement.lead_id, "a settlement of what was not live"
        assert (settlement.originated_at is not None) == (attempt in self.originated)
        assert settlement.tries == self.tries.get(attempt, 1)
        assert settlement.progress.lead_id == settlement.lead_id
        times = (settlement.reserved_at, settlement.originated_at, settlement.answered_at, settlement.ended_at)
        known = [at for at in times if at is not None]
        assert known == sorted(known) and known[-1] <= settlement.at
        if settlement.bridged_at is not None:
            assert settlement.agent_id is not None
        self.settled.add(attempt)
