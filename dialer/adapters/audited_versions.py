"""The versions of rules and data that journals were run with, beside those that they are audited with."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from dialer.config.campaign import Campaign

VersionsOf = Callable[[Campaign], Mapping[str, str]]
SHOWN = 20  # signs of a version: own packs have a checksum of 64
NONE = "none"


def notes_on_versions(versions: Mapping[str, tuple[Mapping[str, str], Mapping[str, str]]]) -> list[str]:
    """Return what is to be told of them. `versions`: by journal, those that its header names and those of today."""
    told: dict[str, list[str]] = {}
    for journal, (recorded, now) in versions.items():
        told.setdefault(_told(recorded, now), []).append(journal)
    return [f"{_journals(journals)}: {what}" for what, journals in told.items()]


def _told(recorded: Mapping[str, str], now: Mapping[str, str]) -> str:
    if not recorded:
        return f"names no versions of rules and data, so they may have been others; checked with {_listed(now)}"
    names = sorted({*recorded, *now})
    others = [name for name in names if recorded.get(name) != now.get(name)]
    if not others:
        return f"run and checked with {_listed(recorded)}"
    changes = ", ".join(f"{name} {_short(recorded.get(name))}, now {_short(now.get(name))}" for name in others)
    same = _listed({name: version for name, version in recorded.items() if name not in others})
    return f"run with other versions than it is checked with: {changes}" + (f"; the same: {same}" if same else "")


def _listed(versions: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {_short(version)}" for name, version in sorted(versions.items()))


def _short(version: str | None) -> str:
    return NONE if version is None else version[:SHOWN]


def _journals(journals: list[str]) -> str:
    return journals[0] if len(journals) == 1 else f"{journals[0]} and {len(journals) - 1} more"
