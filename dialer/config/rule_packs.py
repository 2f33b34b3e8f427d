"""The packs of law in `compliance/rules`, packs of one's own, and the rule sets built from them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from functools import cache, lru_cache
from importlib import resources
from pathlib import Path
from typing import get_args

import msgspec

from compliance.rule import CapRule, Profile, Scope
from compliance.ruleset import RuleSet
from dialer.config.campaign import Campaign, Cap
from dialer.config.names import meant
from dialer.config.rule_names import unknown_names
from dialer.config.rule_pack_file import (
    ANYWHERE,
    OwnPack,
    OwnPackProfile,
    Pack,
    PackEdition,
    PackProfile,
    key_in_order,
    profile_of,
    validated,
    window_rules,
)
from dialer.config.yaml_lines import Document, Loc, parse_yaml, read_yaml
from dialer.errors import ConfigError

SCOPES: tuple[Scope, ...] = get_args(Scope)
SCHEMA_VERSION = 1
RULES = Path("compliance/rules")
_NOT_LAWS = frozenset({"policy", "sources", "pack", "calendars"})


class OwnProfile(msgspec.Struct, frozen=True, kw_only=True):
    """A profile of a user's pack. It stands beside ours, or instead of those that `replaces` names."""

    profile: Profile
    path: Path
    replaces: tuple[str, ...] = ()
    override_reason: str = ""


# ---- ours --------------------------------------------------------------------------------------------------------
@lru_cache(maxsize=1)
def known_jurisdictions() -> tuple[str, ...]:
    """Return the ISO 3166 codes of the countries for which there is a pack, in order."""
    names = (file.name for file in (resources.files("compliance") / "rules").iterdir())
    stems = (name.removesuffix(".yaml") for name in names if name.endswith(".yaml"))
    return tuple(sorted(stem for stem in stems if stem not in _NOT_LAWS))


@lru_cache(maxsize=1)
def edition() -> PackEdition:
    """Return the edition of our packs. Raises `ConfigError` where this program reads another schema."""
    document = packaged("pack")
    found = validated(document, PackEdition)
    if found.schema_version != SCHEMA_VERSION:
        message = f"expected {SCHEMA_VERSION}, as this program reads it, was {found.schema_version}"
        raise ConfigError(document.fault(("schema_version",), message))
    return found


def pack_version() -> str:
    """Return the version of our packs, as in `2026.11.21`."""
    return edition().version


@cache
def country_profiles(country: str) -> tuple[Profile, ...]:
    """Return all profiles of a country's pack, its subdivisions' too, of any scope. Raises `ConfigError`."""
    if country not in known_jurisdictions():
        raise ConfigError(f"no rules for {country!r}: expected one of {', '.join(known_jurisdictions())}")
    document = packaged(country)
    pack = validated(document, Pack)
    check_places(document, pack.jurisdiction, pack.profiles)
    return tuple(profile_of(profile, pack.jurisdiction) for profile in pack.profiles)


@cache
def profiles_of(country: str, scope: str) -> tuple[Profile, ...]:
    """Return a country's profiles for a scope, its subdivisions' included.

    Raises `ConfigError` where there is no pack, or none of its profiles is for the scope: nothing may be dialled.
    """
    found = tuple(profile for profile in country_profiles(country) if scope in profile.scope)
    if not found:
        raise ConfigError(f"{RULES / country}.yaml:1: no rules for the scope {scope!r}")
    return found


@lru_cache(maxsize=1)
def policy() -> Profile:
    """Return the policy: hours where no verified law names any, and caps and cool-downs that always hold."""
    return profile_of(validated(packaged("policy"), PackProfile), ANYWHERE)


def packaged(name: str) -> Document:
    """Read a file of `compliance/rules`, as in `US`. Raises `ConfigError` where it is not YAML."""
    file = resources.files("compliance") / "rules" / f"{name}.yaml"
    return parse_yaml(file.read_text(encoding="utf-8"), RULES / f"{name}.yaml")


# ---- one's own ---------------------------------------------------------------------------------------------------
def own_profiles(paths: Iterable[Path | str], scope: str) -> tuple[OwnProfile, ...]:
    """Read packs of one's own; return their profiles for a scope.

    Raises `ConfigError`, with all faults by file and line: a zone, a calendar or another name that nothing bears, an id
    that is taken, a profile that would be put aside and is not there, a country of which neither ours nor these packs
    name any hours.
    """
    found: list[OwnProfile] = []
    faults: list[str] = []
    ids: set[str] = set()
    for path in map(Path, paths):
        try:
            document = read_yaml(path)
            pack = validated(document, OwnPack)
            check_places(document, pack.jurisdiction, pack.profiles)
        except ConfigError as error:
            faults += error.faults
            continue
        faults += (document.fault(loc, text) for loc, text in own_faults(pack, ids))
        built = [own_profile(profile, pack.jurisdiction) for profile in pack.profiles]
        for number, profile in enumerate(built):
            unknown = unknown_names(profile)
            faults += (document.fault(("profiles", number, *loc), text) for loc, text in unknown)
        found += (
            OwnProfile(
                profile=profile,
                path=path,
                replaces=file.replaces,
                override_reason=file.override_reason,
            )
            for file, profile in zip(pack.profiles, built, strict=True)
        )
    chosen = tuple(own for own in found if scope in own.profile.scope)
    faults += without_hours(chosen, scope)
    if faults:
        raise ConfigError(*faults)
    return chosen


def own_profile(file: OwnPackProfile, country: str) -> Profile:
    """Return a profile of one's own as the engine takes it: `own` unless it puts others aside and says why."""
    aside = bool(file.replaces and file.override_reason.strip())
    return msgspec.structs.replace(profile_of(file, country), own=not aside)


def own_faults(pack: OwnPack, ids: set[str]) -> Iterable[tuple[Loc, str]]:
    """Yield what is wrong with a pack beside ours. `ids` are those of the packs before it, and get this one's."""
    ours = {profile.id: profile for profile in built_in_profiles()}
    for number, profile in enumerate(pack.profiles):
        loc: Loc = ("profiles", number)
        if profile.id in ids:
            yield (*loc, "id"), f"{profile.id!r} stands twice: give one of them another id"
        if profile.id in (policy().id, "campaign") or (profile.id in ours and profile.id not in profile.replaces):
            mend = "name it in replaces, with an override_reason, or take another id"
            yield (*loc, "id"), f"{profile.id!r} is the id of a profile of ours: {mend}"
        ids.add(profile.id)
        if profile.replaces and (profile.in_force.first or profile.in_force.last):
            aside = ", ".join(profile.replaces)
            fault = f"{aside} would be put aside on every date, and this hold on some"
            yield (*loc, "in_force"), f"{fault}: leave its dates out, or `replaces`"
        place = profile.jurisdiction or pack.jurisdiction
        for place_in_list, name in enumerate(profile.replaces):
            if (text := _wrong_replacement(name, place, ours)) is not None:
                yield (*loc, "replaces", place_in_list), text


def _wrong_replacement(name: str, place: str, ours: dict[str, Profile]) -> str | None:
    if name == policy().id:
        return "the policy cannot be put aside"
    if name not in ours:
        return f"expected a profile of ours, was {name!r}: {meant(name, ours)}"
    if ours[name].jurisdiction != place:
        return f"expected a profile of {place}, was one of {ours[name].jurisdiction}"
    return None


def without_hours(chosen: Sequence[OwnProfile], scope: str) -> Iterable[str]:
    """Yield the countries of which no pack of ours, nor these, name any hours."""
    by_country: dict[str, list[OwnProfile]] = {}
    for own in chosen:
        by_country.setdefault(own.profile.country, []).append(own)
    for country, profiles in by_country.items():
        if not _has_ours(country, scope) and not any(
            own.profile.windows and own.profile.jurisdiction == country for own in profiles
        ):
            path = profiles[0].path
            yield f"{path}:1: there are no rules of ours for {country} ({scope}): expected windows for all of {country}"


def _has_ours(country: str, scope: str) -> bool:
    return country in known_jurisdictions() and any(scope in profile.scope for profile in country_profiles(country))


def check_places(document: Document, country: str, profiles: Sequence[PackProfile]) -> None:
    """Raise `ConfigError` where a profile of a file is of another country than the file."""
    faults = [
        document.fault(
            ("profiles", number, "jurisdiction"), f"expected {country} or a part of it, was {profile.jurisdiction!r}"
        )
        for number, profile in enumerate(profiles)
        if profile.jurisdiction and profile.jurisdiction.partition("-")[0] != country
    ]
    if faults:
        raise ConfigError(*faults)


# ---- rule sets ---------------------------------------------------------------------------------------------------
def built_in_profiles() -> tuple[Profile, ...]:
    """Return every profile of ours, without the policy."""
    return tuple(profile for country in known_jurisdictions() for profile in country_profiles(country))


def rule_set(campaign: Campaign, folder: Path = Path()) -> RuleSet:
    """Build the rules of a campaign: the law's and the policy's, tightened by its own and by its packs.

    `folder`: where the campaign's `rule_packs` are, if their paths are relative. Raises `ConfigError` for a pack with
    faults and for a country without rules.
    """
    own = own_profiles([folder / name for name in campaign.rule_packs], campaign.scope)
    return RuleSet(
        {country: stacked(country, campaign.scope, own) for country in campaign.jurisdictions},
        policy=policy(),
        scope=campaign.scope,
        windows=window_rules(campaign.windows),
        caps=[campaign_cap(cap, number) for number, cap in enumerate(campaign.caps, start=1)],
        segment_caps=segment_caps(campaign),
        closed_dates=[date.fromisoformat(day) for day in campaign.closed_dates],
        ring_guard_s=campaign.ring_guard_s,
        stale_lists=campaign.stale_lists,
    )


def law(scope: str) -> RuleSet:
    """Build the rules of every country that has some for the scope: the law's and the policy's, no campaign's."""
    profiles = {country: profiles_of(country, scope) for country in known_jurisdictions() if _has_ours(country, scope)}
    return RuleSet(profiles, policy=policy(), scope=scope)


def stacked(country: str, scope: str, own: Sequence[OwnProfile]) -> tuple[Profile, ...]:
    """Return a country's profiles for a scope: ours less those that own ones replace, then the own ones.

    Raises `ConfigError` where there is none.
    """
    mine = [each for each in own if each.profile.country == country]
    if not mine:
        return profiles_of(country, scope)
    replaced = {name for each in mine for name in each.replaces}
    ours = profiles_of(country, scope) if _has_ours(country, scope) else ()
    return (*(profile for profile in ours if profile.id not in replaced), *(each.profile for each in mine))


def segment_caps(campaign: Campaign) -> tuple[tuple[CapRule, ...], ...]:
    """Return the caps that each of the campaign's segments adds, in the order of the file."""
    return tuple(
        tuple(
            campaign_cap(cap, number, f"campaign.segments.{segment.name}")
            for number, cap in enumerate(segment.caps, start=1)
        )
        for segment in campaign.segments
    )


def campaign_cap(cap: Cap, number: int, owner: str = "campaign") -> CapRule:
    """Turn a campaign's cap into a rule; one without an id is named by its number in the file."""
    return CapRule(
        rule=cap.id or f"{owner}.cap-{number}",
        count=cap.count,
        max=cap.max,
        kind=cap.period.kind,
        n=cap.period.n,
        key=key_in_order(cap.key),
        channels=cap.channels,
        exclude=cap.exclude,
    )
