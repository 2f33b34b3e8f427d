"""Replays a journal: the engine must answer the recorded events with the recorded actions, every one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from dialer.core.actions import Action
from dialer.core.engine import Engine
from dialer.core.events import Event


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """The first place where the engine would act otherwise today."""

    step: int  # 1 is the journal's first event
    event: Event
    recorded: tuple[Action, ...]
    replayed: tuple[Action, ...]


class ReplayResult(msgspec.Struct, frozen=True, kw_only=True):
    """What a replay came to. `difference` is None where every action was equal."""

    events: int
    actions: int
    difference: Difference | None


def replay(engine: Engine, steps: Iterable[tuple[Event, Sequence[Action]]]) -> ReplayResult:
    """Feed recorded events to a fresh engine and compare; stops at the first difference."""
    events = actions = 0
    for event, recorded in steps:
        events += 1
        replayed = engine.step(event)
        if replayed != list(recorded):
            difference = Difference(step=events, event=event, recorded=tuple(recorded), replayed=tuple(replayed))
            return ReplayResult(events=events, actions=actions, difference=difference)
        actions += len(recorded)
    return ReplayResult(events=events, actions=actions, difference=None)
