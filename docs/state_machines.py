"""Draws the state diagrams of architecture.md from the tables that the engine runs on.

.venv/bin/python docs/state_machines.py            # after a change of a table
.venv/bin/python docs/state_machines.py --check    # what the test asks
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from enum import IntEnum
from pathlib import Path
from typing import TypeVar

from marked_block import write_or_check

from dialer.core.agent import AGENT_TRANSITIONS, AgentState
from dialer.core.attempt import ATTEMPT_TRANSITIONS, AttemptState

PAGE = Path(__file__).with_name("architecture.md")

State = TypeVar("State", bound=IntEnum)


def diagram(table: Mapping[State, Mapping[type, State]], *, first: State) -> str:
    """Return a table as a mermaid state diagram; moves between the same two states share an arrow.

    It begins at `first`, and at every state that no move leads to.
    """
    reached = {target for moves in table.values() for target in moves.values()}
    lines = ["```mermaid", "stateDiagram-v2"]
    lines += [f"    [*] --> {state.name}" for state in table if state is first or state not in reached]
    for state, moves in table.items():
        by_target: dict[State, list[str]] = {}
        for trigger, target in moves.items():
            by_target.setdefault(target, []).append(trigger.__name__)
        lines += [f"    {state.name} --> {target.name} : {' / '.join(names)}" for target, names in by_target.items()]
        if not moves:
            lines.append(f"    {state.name} --> [*]")
    return "\n".join([*lines, "```"])


if __name__ == "__main__":
    sys.exit(
        write_or_check(
            PAGE,
            {
                "attempt states": diagram(ATTEMPT_TRANSITIONS, first=AttemptState.RESERVING),
                "agent states": diagram(AGENT_TRANSITIONS, first=AgentState.OFFLINE),
            },
        )
    )
