"""A pacing decision in one sentence, for a supervisor."""

from __future__ import annotations

from collections.abc import Mapping

_GUARDS = {
    "no_agents": "no agent is logged in",
    "queue_empty": "no lead is cleared for dialling",
    "window": "the calling window is closed",
    "channels": "every channel of the trunks is taken",
    "cps": "the trunks' call set-up rate is used up",
    "abandon_budget": "the abandon budget has less than one call left, so only one line per idle agent is dialled",
    "policy_fault": "the policy failed on what it was shown, so one line per idle agent is dialled at most",
    "not_asked": "no agent has asked for more",
    "capacity": "the channels and the voice response take no more at a time",
    "lines_per_idle_agent": "the supervisor's bound on lines per idle agent is reached",
    "link": "the link to the switch is down",
    "store": "the store cannot record calls",
    "loading": "the list is still being loaded",
    "paused": "a supervisor paused the campaign",
    "draining": "the campaign is draining",
}

# These forbid any launch, so the policy was not asked.
_FORBIDDING = frozenset({"no_agents", "window", "link", "loading", "store", "paused", "draining"})


def explain(
    policy: str,
    figures: Mapping[str, float],
    *,
    idle: int,
    ringing: int,
    lines: int,
    guard: str = "none",
    hung_up: int = 0,
) -> str:
    """Return why `lines` lines were launched, and `hung_up` ringing ones ended, with `idle` agents ready and `ringing`
    lines in flight."""
    if guard in _FORBIDDING:
        return f"{_deed(0, hung_up)}: {_GUARDS[guard]}."
    held = "" if guard == "none" else f"; {_GUARDS.get(guard, f'held by {guard}')}"
    return f"{_deed(lines, hung_up)} with {_count(idle, 'idle agent')} and {_count(ringing, 'line')} in flight: " + (
        _reason(policy, figures) + held + "."
    )


def _deed(lines: int, hung_up: int) -> str:
    dialled = f"Dialled {_count(lines, 'more line')}" if lines else "Dialled nothing"
    return f"{dialled} and hung up {_count(hung_up, 'ringing line')}" if hung_up else dialled


def _count(n: int, noun: str) -> str:
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"


def _reason(policy: str, figures: Mapping[str, float]) -> str:
    if "lines_per_idle_agent" in figures:
        return f"{policy} gives each idle agent {figures['lines_per_idle_agent']:g} lines"
    if "requested" in figures:
        return f"idle agents have asked for {_count(round(figures['requested']), 'call')}"
    if "room" in figures:
        return _stream(figures)
    if "threshold" not in figures:
        return f"{policy} gives each idle agent one line"
    risk, threshold = figures["marginal_abandon_probability"], figures["threshold"]
    compared = "over" if risk >= threshold else "under"
    return (
        f"about {figures['forecast_free']:.1f} agents will be free for {figures['forecast_answers']:.1f} answers when "
        f"a call dialled now is answered; one line more would find no agent in {risk:.1%} of cases, {compared} the "
        f"{threshold:.1%} that {_budget(figures['budget_left'])} allows"
    )


def _stream(figures: Mapping[str, float]) -> str:
    room = f"there is room for {_count(round(figures['room']), 'call')}"
    hourly = figures.get("calls_per_hour")
    return room if hourly is None else f"{hourly:g} calls an hour are wanted, and {room}"


def _budget(left: float) -> str:
    return f"a budget of {left:.1f} abandons left" if left >= 0 else f"a budget overdrawn by {-left:.1f} abandons"
