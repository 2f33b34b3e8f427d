"""The packs of law in `compliance/rules`, and the rule set of a campaign built from them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from functools import cache, lru_cache
from importlib import resources
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError

from compliance.rule import KEY_KINDS, CapRule, Confidence, Profile, WindowRule
from compliance.ruleset import RuleSet
from dialer.config.campaign import Campaign, Cap, Section, Window
from dialer.config.yaml_lines import Document, parse_yaml
from dialer.errors import ConfigError

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_NOT_LAWS = frozenset({"defaults", "sources"})


class PackCap(Cap):
    """A cap of law, with its citation."""

    cite: str = ""
    sources: tuple[str, ...] = ()
    confidence: Confidence = "POLICY"


class PackProfile(Section):
    """A profile as a pack's file has it; the meaning of each key is that of `compliance.rule.Profile`."""

    id: str
    jurisdiction: str = ""
    scope: tuple[str, ...] = Field(min_length=1)
    windows: tuple[Window, ...] = ()
    holidays: str | None = None
    caps: tuple[PackCap, ...] = ()
    tz_basis: Literal["number", "fixed"] = "number"
    zones: tuple[str, ...] = ()
    cite: str
    sources: tuple[str, ...] = ()
    confidence: Confidence
    note: str = ""


class Pack(Section):
    """One jurisdiction's file."""

    jurisdiction: str
    profiles: tuple[PackProfile, ...] = Field(min_length=1)


@lru_cache(maxsize=1)
def known_jurisdictions() -> tuple[str, ...]:
    """Return the ISO 3166 codes for which there is a pack, in order."""
    names = (file.name for file in (resources.files("compliance") / "rules").iterdir())
    stems = (name.removesuffix(".yaml") for name in names if name.endswith(".yaml"))
    return tuple(sorted(stem for stem in stems if stem not in _NOT_LAWS))


@cache
def profiles_of(jurisdiction: str, scope: str) -> tuple[Profile, ...]:
    """Return a jurisdiction's profiles for a scope. Raises `ConfigError` where no pack covers it."""
    if jurisdiction not in known_jurisdictions():
        raise ConfigError(f"no rules for {jurisdiction!r}: expected one of {', '.join(known_jurisdictions())}")
    document = _read(jurisdiction)
    try:
        pack = Pack.model_validate(document.data)
    except ValidationError as error:
        raise _broken(document, error) from error
    found = tuple(_profile(p, pack.jurisdiction) for p in pack.profiles if scope in p.scope)
    if not found:
        raise ConfigError(f"{document.path}:1: no rules for the scope {scope!r}")
    return found


@lru_cache(maxsize=1)
def default_profile() -> Profile:
    """Return the policy: hours where the law has none, and caps that always hold."""
    document = _read("defaults")
    try:
        return _profile(PackProfile.model_validate(document.data), "*")
    except ValidationError as error:
        raise _broken(document, error) from error


def rule_set(campaign: Campaign) -> RuleSet:
    """Build the rules of a campaign: the law's and the policy's, tightened by its own."""
    return RuleSet(
        {jurisdiction: profiles_of(jurisdiction, campaign.scope) for jurisdiction in campaign.jurisdictions},
        defaults=default_profile(),
        windows=window_rules(campaign.windows),
        caps=[cap_rule(cap, number) for number, cap in enumerate(campaign.caps, start=1)],
        closed_dates=[date.fromisoformat(day) for day in campaign.closed_dates],
        ring_guard_s=campaign.ring_guard_s,
    )


def window_rules(windows: Sequence[Window]) -> tuple[WindowRule, ...]:
    """Turn windows with clock times into minutes after midnight."""
    return tuple(
        WindowRule(
            days=tuple(DAYS.index(day) for day in window.days), begin_minute=_minute(begin), end_minute=_minute(end)
        )
        for window in windows
        for begin, end in window.allow
    )


def cap_rule(cap: Cap, number: int) -> CapRule:
    """Turn a cap of a file into a rule; a campaign's cap without an id is named by its number in the file."""
    return CapRule(
        rule=cap.id or f"campaign.cap-{number}",
        count=cap.count,
        max=cap.max,
        kind=cap.period.kind,
        n=cap.period.n,
        key=tuple(kind for kind in KEY_KINDS if kind in cap.key),
        exclude=cap.exclude,
        cite=cap.cite if isinstance(cap, PackCap) else "",
        sources=cap.sources if isinstance(cap, PackCap) else (),
        confidence=cap.confidence if isinstance(cap, PackCap) else "POLICY",
    )


def _minute(clock: str) -> int:
    hours, minutes = clock.split(":")
    return int(hours) * 60 + int(minutes)


def _profile(profile: PackProfile, jurisdiction: str) -> Profile:
    return Profile(
        id=profile.id,
        jurisdiction=jurisdiction,
        scope=profile.scope,
        windows=window_rules(profile.windows),
        holidays=profile.holidays,
        caps=tuple(cap_rule(cap, number) for number, cap in enumerate(profile.caps, start=1)),
        tz_basis=profile.tz_basis,
        zones=profile.zones,
        cite=profile.cite,
        sources=profile.sources,
        confidence=profile.confidence,
        note=profile.note,
    )


def _read(name: str) -> Document:
    file = resources.files("compliance") / "rules" / f"{name}.yaml"
    return parse_yaml(file.read_text(encoding="utf-8"), Path("compliance/rules") / f"{name}.yaml")


def _broken(document: Document, error: ValidationError) -> ConfigError:
    return ConfigError(*(document.fault(details["loc"], details["msg"]) for details in error.errors()))
