# mypy: allow-untyped-decorators
"""The agents of the fast simulator: given calls, in wrap-up, leaving and coming back; and the calls that wait for them.

How it works: idle agents are a stack, busy ones dense rows. Agents are numbered, and of a staff of n the first n are on
duty: when it shrinks, the idle ones beyond leave at once and the busy ones after their call; when it grows, they are
back.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from sim.fast.chance import seconds
from sim.fast.heap import push
from sim.fast.layout import TALK_END, WRAP_UP_END, Day, Table
from sim.fast.rules import Pacer, tell_abandoned, tell_handled


@njit(forceinline=True)
def await_agent(day: Day, attempt: int, machine: int) -> None:
    """An answered call wants an agent; `machine` is 1 for a machine that detection took for a person."""
    c = day.state[0]
    if c.now >= c.measured_from and machine == 0:
        c.live_answers += 1
    call = day.waiting[c.waiting]
    call.attempt = attempt
    call.machine = machine
    call.since = c.now
    call.until = c.now + min(seconds(day, Table.PATIENCE, attempt), c.connect_deadline_s)
    c.give_up_at = min(c.give_up_at, call.until)
    c.waiting += 1
    if c.idle > 0:
        serve(day)


@njit(forceinline=True)
def _leave_queue(day: Day, place: int) -> None:
    c = day.state[0]
    c.waiting -= 1
    if c.now >= c.measured_from and day.waiting[place].machine == 0:
        c.waited_s += c.now - day.waiting[place].since
    for i in range(place, c.waiting):
        day.waiting[i] = day.waiting[i + 1]
    c.give_up_at = np.inf
    for i in range(c.waiting):
        c.give_up_at = min(c.give_up_at, day.waiting[i].until)


@njit()
def serve(day: Day) -> None:
    """Give the call that waits longest to an idle agent."""
    c = day.state[0]
    attempt, machine = day.waiting[0].attempt, day.waiting[0].machine
    _leave_queue(day, 0)
    c.idle -= 1
    agent = day.agents[c.idle].idle
    row = c.busy
    c.busy += 1
    c.talking += 1
    if c.now >= c.measured_from:
        c.connects += 1
        c.machines += machine
    day.handling_since[row] = c.now
    day.agents[row].by_row = agent
    day.agents[agent].row = row
    day.agents[agent].attempt = attempt
    day.agents[agent].machine = machine
    talk_s = seconds(day, Table.TALK if machine == 0 else Table.MACHINE_HANDLE, attempt)
    push(day, c.now + talk_s, TALK_END, agent)


@njit(forceinline=True)
def end_talk(day: Day, agent: int) -> None:
    """The call is over; with a machine there is no wrap-up."""
    c = day.state[0]
    c.talking -= 1
    wrap_up_s = min(seconds(day, Table.WRAP_UP, day.agents[agent].attempt), c.wrap_up_limit_s)
    push(day, c.now + (wrap_up_s if day.agents[agent].machine == 0 else 0.0), WRAP_UP_END, agent)


@njit(forceinline=True)
def end_wrap_up(day: Day, pacer: Pacer, agent: int) -> None:
    """The agent is idle again, or leaves."""
    c = day.state[0]
    row = day.agents[agent].row
    tell_handled(day, pacer, c.now - day.handling_since[row])
    c.busy -= 1
    last = day.agents[c.busy].by_row
    day.handling_since[row] = day.handling_since[c.busy]
    day.agents[row].by_row = last
    day.agents[last].row = row
    if agent >= c.staff:
        day.agents[agent].away = 1
        return
    day.agents[c.idle].idle = agent
    c.idle += 1
    if c.waiting > 0:
        serve(day)


@njit()
def give_up(day: Day, pacer: Pacer) -> None:
    """The call whose time is over is abandoned. The policy is told so of a machine, too: nobody knows better."""
    c = day.state[0]
    place = 0
    while day.waiting[place].until > c.give_up_at:
        place += 1
    if c.now >= c.measured_from and day.waiting[place].machine == 0:
        c.abandoned += 1
    _leave_queue(day, place)
    tell_abandoned(day, pacer)


@njit()
def change_staff(day: Day, staff: int) -> None:
    """From now on the first `staff` agents are on duty."""
    c, agents = day.state[0], day.agents
    c.staff = staff
    stayed = 0
    for i in range(c.idle):
        agent = agents[i].idle
        if agent < staff:
            agents[stayed].idle = agent
            stayed += 1
        else:
            agents[agent].away = 1
    c.idle = stayed
    c.leaves_known = 0
    for agent in range(c.agents):
        if agent < staff and agents[agent].away == 1:
            agents[agent].away = 0
            agents[c.idle].idle = agent
            c.idle += 1
        agents[agent].leaves_at = _leaves_at(day, agent)
        if agents[agent].leaves_at < np.inf:
            c.leaves_known = 1
    while c.waiting > 0 and c.idle > 0:
        serve(day)


@njit()
def _leaves_at(day: Day, agent: int) -> float:
    """Return when an agent is known to leave: now, if only a call still holds him; infinity if nothing is known."""
    c = day.state[0]
    if agent >= c.staff:
        return float(c.now)
    if c.announced == 1:
        for i in range(c.step, len(day.steps)):
            if day.steps[i].agents <= agent:
                return float(day.steps[i].at)
    return np.inf
