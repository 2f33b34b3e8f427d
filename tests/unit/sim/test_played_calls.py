"""The simulated switch plays out a call's fate: who hangs up first, who is told what, and when."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from dialer.core.actions import Action, Bridge, HangUp, Originate
from dialer.core.events import Event
from sim.clock import VirtualClock
from sim.floor import AgentDay
from sim.outcome import Outcome
from sim.population import make_leads
from sim.world import World
from tests.unit.sim.scenes import fixed, scenario

ANSWERED = Outcome(
    end="answered", set_up_s=1.0, rings_s=5.0, human=True, patience_s=30.0, talk_s=60.0, disposition="PTP",
    wrap_up_s=20.0,
)  # fmt: skip


class OneFate:
    """Everybody's fate, and what was asked."""

    def __init__(self, outcome: Outcome) -> None:
        self.outcome_of_all = outcome
        self.asked: list[tuple[int, int, int, str]] = []

    def outcome(self, *, subject: int, draw: int, number_index: int, trunk: str, at: float) -> Outcome:
        self.asked.append((subject, draw, number_index, trunk))
        return self.outcome_of_all


class Bench:
    """A world in which every call has the same fate, and what it tells. Times count from its begin."""

    def __init__(self, outcome: Outcome, *, agent: dict[str, Any] | None = None, **settings: Any) -> None:
        made = scenario(**settings)
        self.leads = make_leads(made.population, 1)
        self.fates = OneFate(outcome)
        self.clock = VirtualClock(made.start_at)
        self.start = made.start_at
        self.events: list[Event] = []
        day = AgentDay(agent_id="ana", log_in_at=made.start_at, **(agent or {}))
        self.world = World(made, self.leads, seed=1, clock=self.clock, fates=self.fates, days=[day])
        self.world.begin(self.events.append)
        self.events.clear()

    def dial(self, attempt_id: int = 1, lead: int = 0, which: int = 0, **changes: Any) -> None:
        originate = Originate(
            attempt_id=attempt_id,
            try_no=1,
            lead_id=self.leads[lead].lead_id,
            number=self.leads[lead].numbers[which].e164,
            trunk="north",
            caller_id="+5117000000",
            ring_timeout_s=22.0,
        )
        self.perform(msgspec.structs.replace(originate, **changes))

    def perform(self, *actions: Action) -> None:
        self.world.perform(actions)

    def until(self, at: float) -> None:
        self.clock.call_at(self.start + at, lambda: None)
        while self.clock.now() < self.start + at:
            self.clock.advance()

    def bridge(self, attempt_id: int = 1) -> None:
        self.perform(Bridge(attempt_id=attempt_id, agent_id="ana"))

    @property
    def told(self) -> list[tuple[str, float]]:
        return [
            (type(event).__name__.removeprefix("Attempt"), round(event.at - self.start, 3)) for event in self.events
        ]


def test_a_call_is_answered_talked_on_and_wrapped_up_at_the_agent_s_speed() -> None:
    bench = Bench(ANSWERED, agent={"handle_factor": 1.5})
    bench.dial()
    bench.until(6.0)
    bench.bridge()
    bench.until(500.0)
    assert bench.told == [
        ("Ringing", 1.0),
        ("Answered", 6.0),
        ("Bridged", 6.004),
        ("Ended", 96.004),
        ("Disposed", 126.004),
    ]
    assert bench.events[-1].disposition == "PTP"  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("patience_s", "expected"),
    [
        (1.0, [("Ended", 7.0)]),
        (5.0, [("Abandoned", 7.9), ("Ended", 11.0)]),
        (60.0, [("Abandoned", 7.9), ("Ended", 16.9)]),
        (None, [("Abandoned", 7.9), ("Ended", 16.9)]),
    ],
)
def test_without_an_agent_the_message_plays_unless_the_person_goes_first(
    patience_s: float | None, expected: list[tuple[str, float]]
) -> None:
    bench = Bench(msgspec.structs.replace(ANSWERED, patience_s=patience_s))
    bench.dial()
    bench.until(100.0)
    assert bench.told[2:] == expected


def test_an_agent_may_still_come_while_the_message_plays() -> None:
    bench = Bench(ANSWERED)
    bench.dial()
    bench.until(10.0)
    bench.bridge()
    bench.until(200.0)
    assert [name for name, _ in bench.told] == ["Ringing", "Answered", "Abandoned", "Bridged", "Ended", "Disposed"]


@pytest.mark.parametrize(
    ("verdict", "patience_s", "expected"),
    [
        ("human", 30.0, [("Screened", 8.0), ("Abandoned", 9.9), ("Ended", 18.9)]),
        ("machine", 30.0, [("Screened", 8.0), ("Ended", 8.0)]),
        ("human", 1.5, [("Ended", 7.5)]),
    ],
)
def test_detection_takes_its_time(verdict: str, patience_s: float, expected: list[tuple[str, float]]) -> None:
    bench = Bench(msgspec.structs.replace(ANSWERED, screening_s=2.0, verdict=verdict, patience_s=patience_s))
    bench.dial()
    bench.until(100.0)
    assert bench.told[2:] == expected


@pytest.mark.parametrize(
    ("outcome", "expected", "cause"),
    [
        (Outcome(end="no_answer", set_up_s=2.0, cause=19), [("Ringing", 2.0), ("Ended", 22.0)], 19),
        (Outcome(end="no_answer", set_up_s=2.0, rings_s=10.0, cause=18), [("Ringing", 2.0), ("Ended", 12.0)], 18),
        (Outcome(end="no_answer", set_up_s=30.0), [("Ended", 22.0)], 19),
        (Outcome(end="busy", set_up_s=3.0, cause=17), [("Ended", 3.0)], 17),
        (Outcome(end="busy", set_up_s=3.0, rings_s=4.0, cause=17), [("Ringing", 3.0), ("Ended", 7.0)], 17),
        (Outcome(end="invalid", set_up_s=1.0, cause=1), [("Ended", 1.0)], 1),
        (Outcome(end="failed", set_up_s=40.0, cause=41), [("Ended", 22.0)], 19),
        (msgspec.structs.replace(ANSWERED, rings_s=21.0), [("Ringing", 1.0), ("Ended", 22.0)], 19),
    ],
)
def test_unanswered_calls_end_as_the_network_or_the_time_out_says(
    outcome: Outcome, expected: list[tuple[str, float]], cause: int
) -> None:
    bench = Bench(outcome)
    bench.dial()
    bench.until(200.0)
    assert bench.told == expected
    assert bench.events[-1].cause == cause  # type: ignore[attr-defined]


@pytest.mark.parametrize(("at", "names"), [(0.5, []), (3.0, ["Ringing"]), (6.5, ["Ringing", "Answered"])])
def test_a_call_that_is_hung_up_says_nothing_more(at: float, names: list[str]) -> None:
    bench = Bench(ANSWERED)
    bench.dial()
    bench.until(at)
    bench.perform(HangUp(attempt_id=1, reason="test"))
    bench.until(200.0)
    assert [name for name, _ in bench.told] == [*names, "Ended"]


def test_a_bridge_to_an_agent_who_has_gone_fails() -> None:
    bench = Bench(ANSWERED, agent={"log_out_at": None})
    bench.dial()
    bench.until(6.0)
    bench.bridge()
    bench.perform(Bridge(attempt_id=1, agent_id="bruno"))
    bench.until(6.5)
    assert [name for name, _ in bench.told] == ["Ringing", "Answered", "Bridged"]
    bench.dial(attempt_id=2, lead=1)
    bench.until(12.6)
    bench.perform(Bridge(attempt_id=2, agent_id="bruno"))
    bench.until(13.0)
    assert ("BridgeFailed", 12.604) in bench.told


def test_each_call_of_a_lead_has_its_own_draw_and_number() -> None:
    bench = Bench(ANSWERED, population={"second_number_rate": 1.0})
    bench.dial(1)
    bench.dial(2, which=1)
    bench.dial(3, lead=5)
    bench.dial(3, lead=5)
    assert bench.fates.asked == [(0, 0, 0, "north"), (0, 1, 1, "north"), (5, 0, 0, "north")]


def test_what_cannot_be_placed_ends_and_is_nobody_s_call() -> None:
    bench = Bench(ANSWERED)
    bench.dial(1, lead_id="stranger")
    bench.dial(2, number="+51999999999999")
    bench.dial(3, trunk="none")
    bench.until(5.0)
    assert [name for name, _ in bench.told] == ["Ended"] * 3 and bench.fates.asked == []


def test_a_carrier_refuses_what_is_beyond_its_hidden_limits() -> None:
    carriers = [{"trunk": "north", "max_channels": 2, "attempt_fee": 1.0, "post_dial_delay_s": fixed(1)}]
    bench = Bench(ANSWERED, carriers=carriers)
    for attempt_id in range(3):
        bench.dial(attempt_id, lead=attempt_id)
    bench.until(1.0)
    refused = [event for event in bench.events if type(event).__name__ == "AttemptEnded"]
    assert [(event.attempt_id, event.cause, event.sip_code) for event in refused] == [(2, 34, 503)]  # type: ignore[attr-defined]
    assert len(bench.fates.asked) == 2
    bench.until(60.0)
    bench.dial(9, lead=2)
    assert bench.fates.asked[-1] == (2, 0, 0, "north")
    assert bench.world.bill["north"].cost == 3.0


def test_the_bill_counts_answered_time_also_of_false_answers() -> None:
    carriers = [{"trunk": "north", "price_per_minute": 0.6, "billing_increment_s": 1}]
    false = msgspec.structs.replace(ANSWERED, human=False, patience_s=None, talk_s=6.0, disposition="MACHINE")
    bench = Bench(false, carriers=carriers, switch={"bridge_s": fixed(0)})
    bench.dial()
    bench.until(6.0)
    bench.bridge()
    bench.until(100.0)
    bench.fates.outcome_of_all = Outcome(end="busy", set_up_s=1.0, cause=17)
    bench.dial(2)
    bench.until(200.0)
    attempts, billed_s, cost = bench.world.bill["north"]
    assert (attempts, billed_s, cost) == (2, 6.0, pytest.approx(0.06))


def test_an_account_pays_for_cancelled_and_short_calls_of_all_its_trunks() -> None:
    account = {
        "name": "Andina",
        "cancelled_calls": {"above": 0.4, "fee": 1.0},
        "short_calls": {"above": 0.4, "fee": 100.0},
    }
    trunks = [{"name": "north", "carrier": "Andina"}, {"name": "south", "carrier": "Andina"}, {"name": "other"}]
    carriers: list[dict[str, Any]] = [{"trunk": trunk["name"], "post_dial_delay_s": fixed(1)} for trunk in trunks]
    carriers[1]["max_channels"] = 1
    silent = Outcome(end="no_answer", set_up_s=1.0, cause=19)
    bench = Bench(silent, carriers=carriers, campaign={"trunks": trunks, "carriers": [account]})
    bench.dial(1)  # rings out: ours
    bench.dial(2, lead=1, trunk="south")
    bench.dial(3, lead=2, trunk="south")  # refused: a call of the account, cancelled by nobody
    bench.dial(4, lead=3, trunk="other")
    bench.until(2.0)
    assert bench.world.surcharges == {"Andina": 0.0}
    bench.world.perform([HangUp(attempt_id=2, reason="test")])
    assert bench.world.surcharges == {"Andina": 1.0}  # one of two
    bench.until(30.0)
    assert bench.world.surcharges == {"Andina": 2.0}  # two of three
    bench.fates.outcome_of_all = msgspec.structs.replace(ANSWERED, patience_s=1.5)
    bench.dial(5)
    bench.dial(6, lead=1)
    bench.until(60.0)
    # Neither answered call is cancelled, and both are short: 2 of 5 are no more than the share of the cancelled ones.
    assert bench.world.surcharges == {"Andina": 200.0}
