"""A day on record against the journal of the same day, counted by hand; and the figures made of it."""

from __future__ import annotations

import gc
from collections import Counter
from pathlib import Path

import msgspec
import pytest

from carriers.desk import CONTACT_S
from dialer.adapters.journal import Journal, read_journal
from dialer.bootstrap import SimulatedDay, recorded_day, simulate
from dialer.core import actions as act
from dialer.core import events as ev
from dialer.core.lead import LeadProgress
from dialer.errors import JournalError
from dialer.studies.rerun import without_costs
from sim.day import DayRecord
from sim.moments import MOST_ABANDONED, Moments
from sim.result import SimResult, result_of
from sim.scenario import Scenario
from sim.scenario_file import packaged_scenario

MINUTES = 30


@pytest.fixture(scope="module")
def scenario() -> Scenario:
    return packaged_scenario("collections_demo", agents=8, leads=400, duration_s=MINUTES * 60.0)


@pytest.fixture(scope="module")
def done(scenario: Scenario, tmp_path_factory: pytest.TempPathFactory) -> SimulatedDay:
    return simulate(scenario, journal_dir=tmp_path_factory.mktemp("day"))


class ByHand:
    """What the journal's steps say, minute by minute, without the engine."""

    def __init__(self, path: Path, start_at: float, minutes: int) -> None:
        self.counts = {name: [0] * minutes for name in ("attempts", "answers", "bridged", "abandoned", "refused")}
        self.seconds = Counter[str]()
        self.trunks: dict[str, Counter[str]] = {}
        began: dict[int, float] = {}
        bridged: dict[int, float] = {}
        ended: dict[int, float] = {}
        trunk_of: dict[int, str] = {}
        for event, actions in read_journal(path)[1]:
            minute = min(int((event.at - start_at) // 60.0), minutes - 1)
            match event:
                case ev.AttemptRinging():
                    self._of(trunk_of[event.attempt_id])["rang"] += 1
                case ev.AttemptAnswered():
                    self.counts["answers"][minute] += 1
                    self._of(trunk_of[event.attempt_id])["answers"] += 1
                    self.seconds["lines"] += event.at - began.pop(event.attempt_id)
                case ev.AttemptBridged():
                    self.counts["bridged"][minute] += 1
                    bridged[event.attempt_id] = event.at
                case ev.AttemptEnded():
                    if event.attempt_id in began:
                        self.seconds["lines"] += event.at - began.pop(event.attempt_id)
                    if event.attempt_id in bridged:
                        self.seconds["on_call"] += event.at - bridged.pop(event.attempt_id)
                        ended[event.attempt_id] = event.at
                case ev.Refused():
                    self.counts["refused"][minute] += len(event.refusals)
            for action in actions:
                match action:
                    case act.Originate():
                        first = action.try_no == 1
                        self.counts["attempts"][minute] += first
                        began[action.attempt_id] = event.at
                        trunk_of[action.attempt_id] = action.trunk
                        self._of(action.trunk)["attempts"] += first
                        self._of(action.trunk)["tries"] += 1
                    case act.Settle():
                        for settlement in action.settlements:
                            talked = settlement.bridged_at is not None and settlement.disposition != "MACHINE"
                            answered_s = (settlement.ended_at or 0.0) - (settlement.answered_at or 0.0)
                            if talked and answered_s >= CONTACT_S:
                                self._of(settlement.trunk or "")["contacts"] += 1
                            if settlement.attempt_id in ended:
                                self.seconds["wrap_up"] += event.at - ended.pop(settlement.attempt_id)
            if isinstance(event, ev.AttemptAbandoned):
                self.counts["abandoned"][minute] += 1

    def _of(self, trunk: str) -> Counter[str]:
        return self.trunks.setdefault(trunk, Counter())


@pytest.fixture(scope="module")
def by_hand(done: SimulatedDay, scenario: Scenario) -> ByHand:
    assert done.journal is not None
    return ByHand(done.journal, scenario.start_at, len(done.day.lines))


@pytest.mark.parametrize("name", ["attempts", "answers", "bridged"])
def test_counts_stand_in_the_minute_in_which_they_happened(done: SimulatedDay, by_hand: ByHand, name: str) -> None:
    assert list(getattr(done.day, name)) == by_hand.counts[name]
    assert sum(by_hand.counts[name]) > 50


def test_people_who_gave_up_before_the_limit_are_abandoned_too(done: SimulatedDay, by_hand: ByHand) -> None:
    assert sum(done.day.abandoned) >= sum(by_hand.counts["abandoned"])
    assert sum(done.day.abandoned) == sum(done.day.live_answers) - sum(done.day.bridged)


@pytest.mark.parametrize("state", ["on_call", "wrap_up"])
def test_agents_time_by_state_is_that_of_their_calls(done: SimulatedDay, by_hand: ByHand, state: str) -> None:
    on_record = sum(m * s for m, s in zip(done.day.agents[state], done.day.lengths_s, strict=True))
    assert on_record == pytest.approx(by_hand.seconds[state], rel=1e-3)
    assert on_record > 1000.0


def test_lines_are_up_from_the_originate_to_the_answer_or_the_end(done: SimulatedDay, by_hand: ByHand) -> None:
    on_record = sum(m * s for m, s in zip(done.day.lines, done.day.lengths_s, strict=True))
    # Lines that wait for a set-up of their trunk count from their claim while they wait.
    assert on_record == pytest.approx(by_hand.seconds["lines"], rel=0.01)


def test_agents_are_somewhere_all_the_time(done: SimulatedDay) -> None:
    minutes = zip(*done.day.agents.values(), strict=True)
    assert all(sum(minute) == pytest.approx(8.0, abs=0.01) for minute in list(minutes)[1:-1])


def test_trunks_have_their_own_counts(done: SimulatedDay, by_hand: ByHand) -> None:
    for name, trunk in done.day.trunks.items():
        counted = {field: sum(getattr(trunk, field)) for field in ("attempts", "tries", "rang", "answers", "contacts")}
        assert counted == {field: by_hand.trunks[name][field] for field in counted}
        tally = done.engine.tallies[name]
        assert sum(trunk.cost) == pytest.approx(tally.cost, abs=1e-3) and tally.cost > 0.0
        assert 0.5 < sum(trunk.set_up_s) / sum(trunk.rang) < 15.0


def test_a_journal_gives_the_same_record_as_the_day_itself(done: SimulatedDay) -> None:
    assert done.journal is not None
    _, day, result = recorded_day(done.journal)
    assert day == done.day
    assert result == without_costs(done.result)


def test_the_drain_does_not_count_as_idle_time(done: SimulatedDay, scenario: Scenario) -> None:
    day = done.day
    assert day.drained_at == scenario.start_at + MINUTES * 60.0
    assert day.until is not None and day.until > day.drained_at
    paced = slice(0, MINUTES)
    handling = sum(sum(day.agents[state][paced]) for state in ("reserved", "on_call", "wrap_up"))
    assert done.result.occupancy == pytest.approx(handling / (handling + sum(day.agents["idle"][paced])), abs=1e-4)


def test_hours_add_up_to_the_day(done: SimulatedDay) -> None:
    result = done.result
    for name in ("attempts", "live_answers", "connects", "abandoned", "right_party_contacts", "promises"):
        assert sum(getattr(result.per_hour, name)) == getattr(result, name)
    assert result.per_hour.begins[0] == "2026-11-23T09:00:00-05:00"


def test_the_moments_are_in_order_and_explained(done: SimulatedDay) -> None:
    moments = done.day.moments
    assert [moment.at for moment in moments] == sorted(moment.at for moment in moments)
    assert {"guard", "changed"} <= {moment.kind for moment in moments}
    assert len([moment for moment in moments if moment.kind == "abandoned"]) == done.result.abandoned
    assert all(moment.text.endswith(".") for moment in moments)


def test_many_abandoned_calls_leave_room_for_the_other_moments() -> None:
    moments = Moments()
    progress = LeadProgress(lead_id="L1")
    for second in range(500):
        settlement = act.Settlement(
            attempt_id=second, lead_id="L1", number="+51999000000", at=float(second), disposition="ABANDONED",
            abandoned=True, reserved_at=second - 10.0, originated_at=second - 10.0, answered_at=second - 2.0,
            bridged_at=None, ended_at=float(second), agent_id=None, trunk="t", caller_id=None, fact_keys=(),
            progress=progress,
        )  # fmt: skip
        moments.saw(ev.TimePassed(at=float(second)), [act.Settle(settlements=(settlement,))])
    moments.saw(ev.LaunchingPaused(at=3.0, by="ana"), [])
    chosen = moments.chosen()
    kinds = Counter(moment.kind for moment in chosen)
    assert kinds == {"abandoned": MOST_ABANDONED, "changed": 1}
    spread = [moment.at for moment in chosen if moment.kind == "abandoned"]
    assert spread[-1] - spread[0] > 400.0  # over the day, not its first minutes


def test_a_day_without_calls_knows_no_rates() -> None:
    day = DayRecord(
        campaign="c", scenario="", policy="p", seed=None, version="0", start_at=0.0, zone="UTC", interval_s=60.0,
        agents={"idle": (0.0,)}, lines=(0.0,), waiting=(0.0,), attempts=(0,), answers=(0,), live_answers=(0,),
        bridged=(0,), abandoned=(0,), right_party_contacts=(0,), promises=(0,), refused=(0,),
        target_abandon_rate=(0.03,), trunks={}, leads=0, leads_attempted=0, leads_reached=0, dispositions={},
        refusals={}, moments=(),
    )  # fmt: skip
    result: SimResult = result_of(day, events=0)
    unknown = ("occupancy", "abandon_rate", "abandon_rate_ci95", "mean_idle_s", "attempts_per_agent_hour", "cost")
    assert [getattr(result, name) for name in unknown] == [None] * len(unknown)
    assert result.attempts_per_hour == 0.0


def test_a_run_leaves_no_cycles_for_the_collector(scenario: Scenario) -> None:
    """So it may be switched off for the length of a run."""
    was_on = gc.isenabled()
    found: list[int] = []
    simulate(scenario, progress=lambda _: found.append(gc.collect()))
    assert gc.isenabled() == was_on
    assert len(found) >= 5
    assert sum(found[2:]) == 0  # the first two find what was left before, and what is made but once


def test_a_journal_whose_clock_is_damaged_is_refused_and_not_filled_up_with_minutes(
    done: SimulatedDay, tmp_path: Path
) -> None:
    assert done.journal is not None
    first, rest = done.journal.read_bytes().split(b"\n", 1)
    header = msgspec.json.decode(first)
    path = tmp_path / "damaged.jsonl"
    path.write_bytes(msgspec.json.encode({**header, "started_at": 0.0}) + b"\n" + rest)
    with pytest.raises(JournalError, match=r"damaged.jsonl:1: expected events within 100 days of started_at \(0\)"):
        recorded_day(path)


def test_a_journal_does_not_wait_in_memory_for_the_day_s_end(
    scenario: Scenario, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[int] = []

    def flush(journal: Journal) -> None:
        flushed(journal)
        written.append(journal.path.stat().st_size)

    flushed = Journal.flush
    monkeypatch.setattr(Journal, "flush", flush)
    simulate(scenario, journal_dir=tmp_path)
    assert len(written) >= MINUTES and written[MINUTES // 2] > written[0]
