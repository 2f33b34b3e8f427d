"""The names of the keys on the server. What each holds is told in `dialer.adapters.store.redis`."""

from __future__ import annotations

PREFIX = "cadencia:"
CAMPAIGNS = PREFIX + "campaigns"
FACTS = PREFIX + "facts:"
STOPS = PREFIX + "stops"
STOP_LOG = PREFIX + "stop_log"
REGISTRIES = PREFIX + "dnc"
REGISTRY = PREFIX + "dnc:"
REGISTRY_LOADING = PREFIX + "dnc_loading:"
HOURS = PREFIX + "hours"
CONSENTS = PREFIX + "consents"
REVOKED = "revoked|"  # in front of a consent's field: when it was last revoked; no scope is named so


def campaign_key(campaign: str, what: str) -> str:
    """The name of one of a campaign's keys."""
    return f"{PREFIX}campaign:{campaign}:{what}"


def campaign_keys(campaign: str, *whats: str) -> list[str]:
    """The names of several."""
    return [campaign_key(campaign, what) for what in whats]
