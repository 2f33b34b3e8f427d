"""The simulated switch passes the suite that the real one passes."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec
import pytest

from dialer.core.actions import Action, Bridge, Originate
from dialer.core.events import AttemptAnswered, AttemptEnded, Event
from dialer.core.lead import Lead
from sim.clock import VirtualClock
from sim.population import make_leads
from sim.scenario import Scenario
from sim.world import World
from tests.conformance.check_telephony import CHECKS, Bench, Check

SCENARIO = Scenario.model_validate(
    {
        "scenario": "conformance",
        "start": "2026-11-23T10:00:00-05:00",
        "duration": "1h",
        "campaign": {
            "campaign": "conformance",
            "jurisdictions": ["PE"],
            "trunks": [{"name": "good"}, {"name": "ghost"}],
            "caller_ids": ["+5117000000"],
            "agents": [{"id": "ana"}],
        },
        "population": {
            "leads": 300,
            "regions": [
                {"name": "Lima", "country": "PE", "zone": "America/Lima", "prefix": "+519", "digits": 8, "share": 1}
            ],
            "live_rate": 0.5,
            "busy_rate": 0.2,
            "machine_rate": 0.0,
            "dead_number_rate": 0.0,
            "wrong_number_rate": 0.0,
            "right_party_rate": 0.5,
            "answer_s": {"kind": "fixed", "value": 2},
            "patience_s": {"kind": "fixed", "value": 30},
            "conversations": {
                "WRONG_PARTY": {"talk_s": {"kind": "fixed", "value": 1}},
                **{
                    right_party: {"talk_s": {"kind": "fixed", "value": 600}}
                    for right_party in ("RPC", "PTP", "REFUSED", "CALLBACK", "PAID", "DISPUTED", "DNC_REQUEST")
                },
            },
        },
        "floor": {"log_in_s": {"kind": "fixed", "value": 0}},
        "carriers": [
            {"trunk": "good", "failure_rate": 0, "post_dial_delay_s": {"kind": "fixed", "value": 0.5}},
            {"trunk": "ghost", "failure_rate": 1},
        ],
    }
)
LEADS = make_leads(SCENARIO.population, 1)
KINDS = ("patient", "brief", "busy", "silent")


def originate(lead: Lead, attempt_id: int) -> Originate:
    return Originate(
        attempt_id=attempt_id,
        try_no=1,
        lead_id=lead.lead_id,
        number=lead.numbers[0].e164,
        trunk="good",
        caller_id="+5117000000",
        ring_timeout_s=15.0,
    )


def classify() -> dict[str, list[Lead]]:
    """Find out what each lead's line does at its first call, by calling all of them once in a world of their own."""
    clock, events = VirtualClock(SCENARIO.start_at), list[Event]()
    world = World(SCENARIO, LEADS, seed=1, clock=clock)
    world.begin(events.append)
    kinds: dict[str, list[Lead]] = {kind: [] for kind in KINDS}
    for attempt_id, lead in enumerate(LEADS):
        begin = len(events)
        world.perform([originate(lead, attempt_id)])
        bridged_at = None
        while not any(isinstance(event, AttemptEnded) for event in events[begin:]):
            clock.advance()
            if isinstance(events[-1], AttemptAnswered) and bridged_at is None:
                bridged_at = clock.now()
                world.perform([Bridge(attempt_id=attempt_id, agent_id="ana")])
        end = events[-1]
        assert isinstance(end, AttemptEnded)
        if end.cause == 17:
            kinds["busy"].append(lead)
        elif bridged_at is None:
            kinds["silent"].append(lead)
        else:
            kinds["brief" if end.at - bridged_at < 10 else "patient"].append(lead)
    return kinds


KNOWN = classify()


class KnownLines:
    """The world, dialled with a fresh lead of the same kind each time: only first calls are known beforehand."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._fresh = {KNOWN[kind][0].numbers[0].e164: iter(KNOWN[kind]) for kind in KINDS}
        self._chosen: dict[int, Lead] = {}
        self.start = world.start
        self.close = world.close

    def perform(self, actions: Sequence[Action]) -> None:
        self.world.perform([self._known(a) if isinstance(a, Originate) else a for a in actions])

    def _known(self, action: Originate) -> Originate:
        lead = self._chosen.get(action.attempt_id) or next(self._fresh[action.number])
        self._chosen[action.attempt_id] = lead
        return msgspec.structs.replace(action, lead_id=lead.lead_id, number=lead.numbers[0].e164)


def test_the_four_kinds_of_lines_are_there() -> None:
    assert all(len(KNOWN[kind]) >= 10 for kind in KINDS), {kind: len(leads) for kind, leads in KNOWN.items()}


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
async def test_conformance(check: Check) -> None:
    clock, events = VirtualClock(SCENARIO.start_at), list[Event]()
    telephony = KnownLines(World(SCENARIO, LEADS, seed=1, clock=clock))
    await telephony.start(events.append)

    async def until(condition: Callable[[], bool], limit_s: float) -> None:
        deadline = clock.now() + limit_s
        while not condition():
            due = clock.next_at
            if due is None or due > deadline:
                raise TimeoutError
            clock.advance()

    await check(
        Bench(
            telephony=telephony,
            events=events,
            until=until,
            agent_id="ana",
            trunk="good",
            unknown_trunk="ghost",
            caller_id="+5117000000",
            **{kind: KNOWN[kind][0].numbers[0].e164 for kind in KINDS},  # type: ignore[arg-type]
        )
    )
