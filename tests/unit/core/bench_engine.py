"""An engine on a workbench: open windows, no caps, a policy that launches what a test says, one step at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from math import inf

import msgspec
import numpy as np

from compliance.clearance import CapSlot, Clearance, ConsentCheck, DialCandidate, ListCheck, Place
from compliance.rule import Profile
from compliance.ruleset import EVERYTHING
from compliance.window import WindowState
from dialer.config.campaign import DEFAULT_RETRY, Campaign
from dialer.core import actions as act
from dialer.core import events as ev
from dialer.core.engine import Engine
from dialer.core.lead import Lead, LeadProgress, PhoneNumber
from pacing.policy import Pace
from pacing.view import PacingView

START = 1_800_000_000.0
NO_RETRY = {name: {"after": 0, "max": 0} for name in DEFAULT_RETRY}


@dataclass
class OpenRules:
    """Callable until `until`; no caps. All `profiles` hold everywhere."""

    until: float = START + 1e6
    profiles: tuple[Profile, ...] = ()
    lists: tuple[ListCheck, ...] = ()
    consent: ConsentCheck | None = None

    @property
    def profiles_by_country(self) -> dict[str, tuple[Profile, ...]]:
        return {"PE": self.profiles}

    def window(self, place: Place, now: float) -> WindowState:
        if now < self.until:
            return WindowState(open=True, changes_at=self.until, rule="")
        return WindowState(open=False, changes_at=self.until + 1e6, rule="hours")

    def open_times(self, place: Place, since: float, *, days: int) -> Iterator[tuple[float, float]]:
        """Noon to eight in the evening (UTC) of each day, as far as that is before `until`."""
        first = since // 86400.0 * 86400.0
        for day in range(days):
            begin, end = first + day * 86400.0 + 43200.0, min(self.until, first + day * 86400.0 + 72000.0)
            if since < end and begin < end:
                yield begin, end

    def fault(self, place: Place) -> str:
        return ""

    def caps(self, candidate: DialCandidate, now: float) -> tuple[CapSlot, ...]:
        return ()

    def clearance(self, candidate: DialCandidate, now: float) -> Clearance:
        stops = (f"lead:{candidate.lead_id}", f"number:{candidate.number}", f"person:{candidate.person}")
        return Clearance(
            stop_keys=(*stops, f"debt:{candidate.debt}", EVERYTHING),
            fact_keys=(f"person:{candidate.person}",),
            caps=self.caps(candidate, now),
            lists=self.lists,
            consent=self.consent,
            local_times=((0, 600),),
            profiles=tuple(profile.id for profile in self.profiles),
        )


@dataclass
class ToldPolicy:
    """Launches `want` lines at the next decision, then none; notes what it learns."""

    policy_id: str = "told-v1"
    want: int = 0
    views: list[PacingView] = field(default_factory=list)
    learned: list[str] = field(default_factory=list)
    told: list[tuple[float, ...]] = field(default_factory=list)  # the figures of what it learns
    lost_answers: float = 0.0
    hang_up: tuple[int, ...] = ()  # rows, at the next decision
    fault: Exception | None = None  # raised by every decision while it is set

    def lines(self, view: PacingView, rng: np.random.Generator) -> Pace:
        self.views.append(_kept(view))
        if self.fault is not None:
            raise self.fault
        want, self.want = self.want, 0
        rows, self.hang_up = self.hang_up, ()
        return Pace(lines=want, hang_up=rows)

    def answered(self, *, after_s: float, probability: float, rang_after_s: float = inf, segment: int = 0) -> None:
        self.learned.append("answered")
        self.told.append((after_s, rang_after_s, segment))

    def not_answered(self, *, after_s: float, probability: float, rang_after_s: float = inf, segment: int = 0) -> None:
        self.learned.append("not_answered")
        self.told.append((after_s, rang_after_s, segment))

    def handled(self, *, handle_s: float, segment: int = 0) -> None:
        self.learned.append("handled")
        self.told.append((handle_s, segment))

    def abandoned(self) -> None:
        self.learned.append("abandoned")

    def lost(self, *, answers: float) -> None:
        self.lost_answers += answers

    def snapshot(self) -> dict[str, object]:
        return {"learned": list(self.learned)}

    def restore(self, state: dict[str, object]) -> None:
        self.learned = list(state["learned"])  # type: ignore[call-overload]


def _kept(view: PacingView) -> PacingView:
    """The view as it was: its arrays are views into state that goes on."""
    arrays = {
        name: value.copy() for name in view.__struct_fields__ if isinstance(value := getattr(view, name), np.ndarray)
    }
    return msgspec.structs.replace(view, **arrays)


def campaign_of(**changes: object) -> Campaign:
    return Campaign.model_validate(
        {
            "campaign": "test",
            "jurisdictions": ["PE"],
            "trunks": [{"name": "t1", "max_channels": 50, "max_cps": 100}],
            "caller_ids": ["+5117000000"],
            "agents": [{"id": "ana"}, {"id": "bruno"}],
            **changes,
        }
    )


def lead_of(name: str, numbers: int = 1, product: str = "") -> Lead:
    return Lead(
        lead_id=name,
        numbers=tuple(
            PhoneNumber(e164=f"+51999{index}{int(name[1:]):05d}", zones=("America/Lima",), country="PE")
            for index in range(numbers)
        ),
        person=f"P{name}",
        debt=f"D{name}",
        product=product,
    )


class Bench:
    """Feeds an engine and keeps what it answers."""

    def __init__(
        self,
        leads: int = 5,
        numbers: int = 1,
        *,
        rules: OpenRules | None = None,
        campaign: Campaign | None = None,
        run: int = 1,
        **changes: object,
    ) -> None:
        self.policy = ToldPolicy()
        self.rules = rules or OpenRules()
        self.progressive = ToldPolicy(policy_id="told-progressive-v1")
        policies = {"progressive": self.progressive, "predictive": self.policy}
        campaign = campaign or campaign_of(**changes)
        self.engine = Engine(campaign, rules=self.rules, policies=policies, run=run, seed=1)  # type: ignore[arg-type]
        self.now = START
        self.done: list[act.Action] = []
        made = tuple(lead_of(f"L{index}", numbers) for index in range(leads))
        self.tell(ev.LeadsAdded, leads=made, progress=tuple(LeadProgress(lead_id=lead.lead_id) for lead in made))
        self.tell(ev.LinkUp)

    def tell(self, kind: type[ev.Event], **facts: object) -> list[act.Action]:
        """Step the engine with a fact of now; returns its actions."""
        actions = self.engine.step(kind(at=self.now, **facts))
        self.done += actions
        return actions

    def log_in(self, *agents: str) -> None:
        for agent in agents:
            self.tell(ev.AgentLoggedIn, agent_id=agent)

    def wait(self, seconds: float) -> list[act.Action]:
        """Let time pass, timer by timer."""
        until, actions = self.now + seconds, []
        while (due := self.engine.next_timer_at) is not None and due <= until:
            self.now = due
            actions += self.tell(ev.TimePassed)
        self.now = until
        return actions

    def dial(self, count: int = 1) -> list[int]:
        """Launch and reserve; returns the attempts' ids."""
        self.policy.want = count
        claims = [claim for action in self.wait(1.1) if isinstance(action, act.Reserve) for claim in action.claims]
        ids = [claim.attempt_id for claim in claims]
        if ids:
            self.tell(ev.Reserved, attempt_ids=tuple(ids))
        return ids

    def talk(self, attempt_id: int) -> str:
        """Answer and bridge; returns the agent."""
        (bridge,) = [a for a in self.tell(ev.AttemptAnswered, attempt_id=attempt_id) if isinstance(a, act.Bridge)]
        self.tell(ev.AttemptBridged, attempt_id=attempt_id, agent_id=bridge.agent_id)
        return bridge.agent_id

    def of(self, kind: type[act.Action]) -> list[act.Action]:
        return [action for action in self.done if isinstance(action, kind)]

    @property
    def settled(self) -> list[act.Settlement]:
        return [s for action in self.done if isinstance(action, act.Settle) for s in action.settlements]

    def state(self, agent: str) -> str:
        return self.engine.floor.agents[agent].state.name
