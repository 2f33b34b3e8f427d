"""The floor: agents' states, the longest-idle order, pauses that land on a call."""

from __future__ import annotations

from math import inf

import pytest

from dialer.core import events as ev
from dialer.core.agent import AGENT_TRANSITIONS, Agent, AgentState
from dialer.core.floor import AT_ONCE, LEAVES_AT, Floor
from dialer.errors import IllegalTransition

LIFE = """
OFFLINE   AgentLoggedIn    IDLE
PAUSED    AgentReadied     IDLE
PAUSED    AgentPaused      PAUSED
PAUSED    AgentLoggedOut   OFFLINE
IDLE      Bridge           RESERVED
IDLE      AttemptSurvived  ON_CALL
IDLE      AgentPaused      PAUSED
IDLE      AgentLoggedOut   OFFLINE
RESERVED  AttemptBridged   ON_CALL
RESERVED  BridgeFailed     IDLE
RESERVED  AttemptEnded     IDLE
RESERVED  AgentLoggedOut   OFFLINE
ON_CALL   AttemptEnded     WRAP_UP
ON_CALL   AgentLoggedOut   OFFLINE
WRAP_UP   AttemptDisposed  IDLE
WRAP_UP   AgentLoggedOut   OFFLINE
"""


def test_the_table_is_the_life_of_an_agent() -> None:
    table = {(s.name, t.__name__, after.name) for s, row in AGENT_TRANSITIONS.items() for t, after in row.items()}
    assert table == {tuple(line.split()) for line in LIFE.strip().splitlines()}


def test_an_illegal_move_raises_and_changes_nothing() -> None:
    agent = Agent("ana")
    with pytest.raises(IllegalTransition, match=r"agent ana: .*OFFLINE"):
        agent.move(ev.AttemptBridged, 1.0)
    assert agent.state is AgentState.OFFLINE


def floor_of(*names: str) -> Floor:
    floor = Floor(names)
    for at, name in enumerate(names):
        floor.log_in(floor.agents[name], float(at))
    return floor


def on_call(floor: Floor, attempt_id: int, at: float) -> Agent:
    agent = floor.reserve(attempt_id, at)
    assert agent is not None
    agent.move(ev.AttemptBridged, at)
    return agent


def test_the_longest_idle_is_first_and_one_who_was_busy_goes_to_the_end() -> None:
    floor = floor_of("ana", "bruno", "carla")
    ana = on_call(floor, 1, 5.0)
    assert ana.agent_id == "ana"
    ana.move(ev.AttemptEnded, 9.0)
    assert floor.wrapped_up(ana, 11.0) == pytest.approx(6.0)
    assert [floor.reserve(n, 12.0).agent_id for n in (2, 3, 4)] == ["bruno", "carla", "ana"]  # type: ignore[union-attr]
    assert floor.reserve(5, 12.0) is None


def test_a_pause_asked_for_in_a_call_begins_after_the_wrap_up() -> None:
    floor = floor_of("ana")
    ana = on_call(floor, 1, 1.0)
    floor.pause(ana, "lunch", 2.0)
    assert (ana.state, *floor.busy.column(LEAVES_AT)) == (AgentState.ON_CALL, AT_ONCE)
    ana.move(ev.AttemptEnded, 3.0)
    floor.wrapped_up(ana, 4.0)
    assert (ana.state, ana.pause_reason, floor.idle, len(floor.busy)) == (AgentState.PAUSED, "lunch", 0, 0)


def test_the_wish_for_a_pause_can_be_taken_back() -> None:
    floor = floor_of("ana")
    ana = on_call(floor, 1, 1.0)
    floor.pause(ana, "lunch", 2.0)
    floor.pause(ana, "lunch", 2.5)
    floor.ready(ana, 3.0)
    assert [*floor.busy.column(LEAVES_AT)] == [inf]
    ana.move(ev.AttemptEnded, 3.0)
    floor.wrapped_up(ana, 4.0)
    assert ana.state is AgentState.IDLE


def test_a_reserved_agent_whose_call_vanished_pauses_if_asked() -> None:
    floor = floor_of("ana")
    ana = floor.reserve(1, 1.0)
    assert ana is not None
    floor.pause(ana, "break", 1.5)
    floor.release(ana, ev.AttemptEnded, 2.0)
    assert (ana.state, ana.attempt_id, len(floor.busy)) == (AgentState.PAUSED, None, 0)


@pytest.mark.parametrize("pausing", [False, True])
def test_a_leg_that_drops_in_a_call_frees_everything(pausing: bool) -> None:
    floor = floor_of("ana", "bruno")
    ana = on_call(floor, 7, 1.0)
    if pausing:
        floor.pause(ana, "break", 1.5)
    assert floor.log_out(ana, 2.0) == 7
    assert (ana.state, ana.attempt_id, len(floor.busy), floor.idle) == (AgentState.OFFLINE, None, 0, 1)
    assert floor.log_out(ana, 3.0) is None


def test_a_second_log_in_changes_nothing() -> None:
    floor = floor_of("ana")
    ana = on_call(floor, 1, 1.0)
    floor.log_in(ana, 2.0)
    assert (ana.state, floor.idle) == (AgentState.ON_CALL, 0)


# ---- skills -------------------------------------------------------------------------------------------------
def skilled_floor(**skills: tuple[str, ...]) -> Floor:
    floor = Floor(skills, skills)
    for at, name in enumerate(skills):
        floor.log_in(floor.agents[name], float(at))
    return floor


def test_a_skill_goes_to_the_one_idle_longest_who_has_it() -> None:
    floor = skilled_floor(ana=(), bruno=("senior", "legal"), carla=("senior",))
    first = floor.reserve(1, 5.0, skill="senior")
    assert first is not None and (first.agent_id, first.attempt_id) == ("bruno", 1)
    assert list(floor.idle_order) == ["ana", "carla"]
    second = floor.reserve(2, 5.0, skill="senior")
    assert second is not None and second.agent_id == "carla"


def test_a_call_never_waits_for_a_skill() -> None:
    floor = skilled_floor(ana=(), bruno=("legal",))
    assert [floor.reserve(n, 5.0, skill="senior").agent_id for n in (1, 2)] == ["ana", "bruno"]  # type: ignore[union-attr]
    assert floor.reserve(3, 5.0, skill="senior") is None


def test_without_a_skill_the_longest_idle_is_taken_whatever_they_know() -> None:
    floor = skilled_floor(ana=("senior",), bruno=())
    assert floor.take_idle() is floor.agents["ana"]
    assert floor.take_idle() is floor.agents["bruno"]
    assert floor.take_idle() is None
