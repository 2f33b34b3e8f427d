"""What a supervisor may change while a campaign runs, and within which bounds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pydantic import ValidationError

from dialer.config.campaign import Campaign
from dialer.config.names import meant
from dialer.errors import ConfigError

LIVE_KEYS = ("mode", "target_abandon_rate", "lines_per_idle_agent", "max_lines_per_idle_agent")

# The bound itself is the campaign model's: here is where it comes from, for whoever is refused.
ABANDON_CAP_SOURCE = (
    "the most that any campaign may aim at, after 16 CFR 310.4(b)(4)(i): abandoned / live answers of a campaign; "
    "house policy where a jurisdiction's law has no figure of its own"
)


def parse_changes(texts: Sequence[str]) -> dict[str, str]:
    """Read `key=value` texts. Raises `ConfigError` with every fault of form; the campaign judges keys and values."""
    changes: dict[str, str] = {}
    faults = []
    for text in texts:
        key, _, value = text.partition("=")
        if not key or not value:
            faults.append(f"{text}: expected KEY=VALUE, as in target_abandon_rate=0.02")
        elif key in changes:
            faults.append(f"{key}: stands twice")
        changes[key] = value
    if faults:
        raise ConfigError(*faults)
    return changes


def changed_pacing(campaign: Campaign, changes: Mapping[str, str]) -> Campaign:
    """Return the campaign with its pacing changed. Raises `ConfigError` for what its file could not say either."""
    faults = [f"{key}: {_unknown(key)}" for key in changes if key not in LIVE_KEYS]
    if faults:
        raise ConfigError(*faults)
    try:
        # Field by field, not as plain values: what has been checked, a rate deck of many rows above all, is not again.
        return Campaign.model_validate({**dict(iter(campaign)), **changes})
    except ValidationError as error:
        raise ConfigError(
            *(_fault(str(details["loc"][0]), details["msg"], details["input"]) for details in error.errors())
        ) from None


def _unknown(key: str) -> str:
    if key in Campaign.model_fields:
        return f"cannot be changed while the campaign runs: only {', '.join(LIVE_KEYS)} can; mend the file, run again"
    return f"unknown key: {meant(key, LIVE_KEYS)}"


def _fault(key: str, message: str, found: object) -> str:
    if message.startswith("Value error, "):
        return f"{key}: {message.removeprefix('Value error, ')}"
    text = f"{key}: {message.replace('Input should be', 'expected')}, was {found}"
    too_high = key == "target_abandon_rate" and "less than" in message
    return f"{text} ({ABANDON_CAP_SOURCE})" if too_high else text
