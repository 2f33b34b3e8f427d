"""What every verdict depends on besides the campaign: the versions of rules and data, as the journal records them."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path

from compliance.zones import tzdata_version
from dialer import __version__
from dialer.config.campaign import Campaign
from dialer.config.rule_packs import pack_version
from dialer.errors import ConfigError


def versions_of(campaign: Campaign) -> dict[str, str]:
    """Return the versions by name; an own pack's is the SHA-256 of its file. Raises `ConfigError` for a pack that
    cannot be read."""
    return {
        "program": __version__,
        "rules": pack_version(),
        "tzdata": tzdata_version(),
        "holidays": version("holidays"),
        "phonenumbers": version("phonenumbers"),
        **_own_packs(campaign.rule_packs),
    }


def _own_packs(paths: Sequence[str]) -> dict[str, str]:
    found = {}
    for path in paths:
        try:
            found[f"pack {Path(path).name}"] = sha256(Path(path).read_bytes()).hexdigest()
        except OSError as error:
            raise ConfigError(f"{path}: the rule pack cannot be read: {error.strerror or error}") from error
    return found
