"""Faults of rule packs that their models cannot see: what is cited nowhere, named wrongly, doubled, expired or loose.

An **error** is a fault. A **warning** is a pack that is getting old. A **note** says what the engine does by itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from importlib import resources
from itertools import pairwise
from pathlib import Path
from typing import Literal, get_args
from urllib.parse import urlsplit

from compliance.calendars import has_calendar, read_calendars
from compliance.rule import VERIFIED, CapRule, Cited, Profile, Scope
from dialer.config.names import meant
from dialer.config.rule_names import unknown_names
from dialer.config.rule_pack_file import (
    ANYWHERE,
    OwnPack,
    Pack,
    PackEdition,
    PackProfile,
    Source,
    profile_of,
    validated,
)
from dialer.config.rule_packs import RULES, built_in_profiles, check_places, own_faults, own_profiles, policy
from dialer.config.yaml_lines import Document, Loc, read_yaml
from dialer.errors import ConfigError

MAX_AGE = timedelta(days=366)  # of packs at which nobody has looked
# The longest period of a kind that makes sense.
MAX_PERIODS = {
    "rolling_hours": 744,
    "rolling_calendar_days": 366,
    "calendar_day": 31,
    "calendar_week_mon": 53,
    "calendar_month": 12,
}
_NO_LAWS = ("policy", "sources", "pack", "calendars")

Level = Literal["error", "warning", "note"]


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """Something about a pack: where, how bad, what."""

    path: str
    line: int
    level: Level
    text: str

    @property
    def failing(self) -> bool:
        """Whether it is more than a note."""
        return self.level != "note"

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.level}: {self.text}"


@dataclass
class _Lint:
    """What is known while packs are looked at, and what was found."""

    policy: Profile
    sources: Mapping[str, Source]
    as_of: date
    today: date
    own: bool = False  # packs of one's own, whose profiles' ids are looked at with what they replace
    ids: dict[str, str] = field(default_factory=dict)  # of profiles and rules: where each stands
    found: list[Finding] = field(default_factory=list)

    def say(self, document: Document, loc: Loc, text: str, level: Level = "error") -> None:
        self.found.append(Finding(str(document.path), document.line(loc), level, text))


def lint_packs(today: date) -> list[Finding]:
    """Look at our own packs, as a day knows them. Pure: the same day gives the same findings."""
    with resources.as_file(resources.files("compliance") / "rules") as folder:
        return lint_folder(folder, today)


def lint_folder(folder: Path, today: date) -> list[Finding]:
    """Look at a folder of packs like `compliance/rules`. Raises `ConfigError` where its edition cannot be read."""
    edition_file = _named(folder / "pack.yaml")
    edition = validated(edition_file, PackEdition)
    policy_file = _named(folder / "policy.yaml")
    found_policy = profile_of(validated(policy_file, PackProfile), ANYWHERE)
    lint = _Lint(policy=found_policy, sources={}, as_of=edition.as_of, today=today)
    _look_at_age(lint, edition_file)
    lint.sources = _look_at_sources(lint, _named(folder / "sources.yaml"))
    _look_at_calendars(lint, _named(folder / "calendars.yaml"))
    _look_at_profile(lint, policy_file, (), found_policy)
    for path in sorted(folder.glob("*.yaml")):
        if path.stem not in _NO_LAWS:
            _look_at_pack(lint, path)
    return sorted(lint.found)


def lint_files(paths: Sequence[Path], today: date) -> list[Finding]:
    """Look at packs of one's own, beside ours."""
    lint = _Lint(policy=policy(), sources={}, as_of=today, today=today, own=True)
    with resources.as_file(resources.files("compliance") / "rules") as folder:
        ours = lint.sources = _look_at_sources(lint, _named(folder / "sources.yaml"))
        _look_at_calendars(lint, _named(folder / "calendars.yaml"))
    packs = list(_own_packs(lint, paths))
    replaced = {name for _, pack in packs for profile in pack.profiles for name in profile.replaces}
    kept = (profile for profile in (*built_in_profiles(), policy()) if profile.id not in replaced)
    lint.ids = {rule: "ours" for profile in kept for rule in _rule_ids(profile)}
    ids: set[str] = set()
    for document, pack in packs:
        _look_at_urls(lint, document, ("sources",), pack.sources)
        lint.sources = {**ours, **pack.sources}
        for loc, text in own_faults(pack, ids):
            lint.say(document, loc, text)
        _look_at_profiles(lint, document, pack.jurisdiction, pack.profiles)
        _note_replaced(lint, document, pack)
    if not any(finding.failing for finding in lint.found):
        lint.found += _hours_missing(paths)
    return sorted(lint.found)


def _note_replaced(lint: _Lint, document: Document, pack: OwnPack) -> None:
    for number, profile in enumerate(pack.profiles):
        if profile.replaces:
            text = f"{profile.id}: puts {', '.join(profile.replaces)} aside: {profile.override_reason.strip()}"
            lint.say(document, ("profiles", number, "replaces"), text, "note")


def _own_packs(lint: _Lint, paths: Iterable[Path]) -> Iterator[tuple[Document, OwnPack]]:
    for path in paths:
        try:
            document = read_yaml(path)
            pack = validated(document, OwnPack)
            check_places(document, pack.jurisdiction, pack.profiles)
        except ConfigError as error:
            lint.found += map(_finding, error.faults)
        else:
            yield document, pack


def _hours_missing(paths: Iterable[Path]) -> Iterator[Finding]:
    """Yield what only all packs together show: that a country is left without hours in a scope."""
    for scope in get_args(Scope):
        try:
            own_profiles(paths, scope)
        except ConfigError as error:
            yield from map(_finding, error.faults)


# ---- files -------------------------------------------------------------------------------------------------------
def _named(path: Path) -> Document:
    """Read a file of ours; findings name it as the repository does."""
    document = read_yaml(path)
    return Document(RULES / path.name, document.data, document.lines, document.raw)


def _finding(fault: str) -> Finding:
    path, line, text = fault.split(":", 2) if fault.count(":") > 1 else (fault, "1", "cannot be read")
    return Finding(path, int(line) if line.strip().isdigit() else 1, "error", text.strip())


def _look_at_pack(lint: _Lint, path: Path) -> None:
    try:
        document = _named(path)
        pack = validated(document, Pack)
        check_places(document, pack.jurisdiction, pack.profiles)
    except ConfigError as error:
        lint.found += map(_finding, error.faults)
        return
    if pack.jurisdiction != path.stem:
        lint.say(document, ("jurisdiction",), f"expected {path.stem}, as the file is called, was {pack.jurisdiction}")
    profiles = _look_at_profiles(lint, document, pack.jurisdiction, pack.profiles)
    if not any("debt_collection" in profile.scope for profile in profiles if "-" not in profile.jurisdiction):
        lint.say(document, (), "expected a profile for debt_collection in the whole country, found none")
    _look_at_messages(lint, document, profiles)


def _look_at_age(lint: _Lint, document: Document) -> None:
    if lint.as_of > lint.today:
        lint.say(document, ("as_of",), f"expected a day up to {lint.today}, was {lint.as_of}")
    if lint.today - lint.as_of > MAX_AGE:
        text = f"nobody has looked at these packs since {lint.as_of}: look at the law again, then move the date"
        lint.say(document, ("as_of",), text, "warning")


def _look_at_sources(lint: _Lint, document: Document) -> dict[str, Source]:
    sources: dict[str, Source] = {}
    for name, content in document.data.items():
        inner = Document(
            document.path, content, {loc[1:]: line for loc, line in document.lines.items() if loc[:1] == (name,)}
        )
        try:
            sources[name] = validated(inner, Source)
        except ConfigError as error:
            lint.found += map(_finding, error.faults)
    _look_at_urls(lint, document, (), sources)
    return sources


def _look_at_urls(lint: _Lint, document: Document, loc: Loc, sources: Mapping[str, Source]) -> None:
    for name, source in sources.items():
        if source.url is None:
            if not source.read:
                lint.say(document, (*loc, name), f"{name}: expected a url, or what was read instead, found neither")
        elif urlsplit(source.url).scheme not in ("http", "https") or not urlsplit(source.url).netloc:
            lint.say(document, (*loc, name, "url"), f"{name}: expected an address of the web, was {source.url!r}")


def _look_at_calendars(lint: _Lint, document: Document) -> None:
    try:
        file = read_calendars(document.data)
    except ValueError as error:
        lint.say(document, (), str(error))
        return
    for name, calendar in file.custom.items():
        loc: Loc = ("custom", name)
        for source in calendar.sources:
            if source not in lint.sources:
                lint.say(document, (*loc, "sources"), _no_source(source, lint))
        for base in calendar.base:
            if not has_calendar(base):
                lint.say(document, (*loc, "base"), f"expected a calendar of the library, was {base!r}")
        if calendar.confidence not in VERIFIED and not calendar.note:
            lint.say(document, loc, f"{name}: expected a note on what is not known of it, found none")
    for territory, code in file.same_as.items():
        if not has_calendar(code):
            lint.say(document, ("same_as", territory), f"expected a calendar of the library, was {code!r}")


# ---- profiles ----------------------------------------------------------------------------------------------------
def _look_at_profiles(
    lint: _Lint, document: Document, country: str, profiles: Iterable[PackProfile]
) -> tuple[Profile, ...]:
    built = tuple(profile_of(profile, country) for profile in profiles)
    for number, profile in enumerate(built):
        _look_at_profile(lint, document, ("profiles", number), profile)
    return built


def _look_at_profile(lint: _Lint, document: Document, loc: Loc, profile: Profile) -> None:
    faults = (
        *unknown_names(profile),
        *_unfounded(lint, profile),
        *_odd_limits(profile),
        *_loose(lint, profile),
        *_expired(lint, profile),
    )
    for within, text in faults:
        lint.say(document, (*loc, *within), f"{profile.id}: {text}")
    for within, text in _aging(lint, profile):
        lint.say(document, (*loc, *within), f"{profile.id}: {text}", "warning")
    if _wider_than_policy(profile, lint.policy):
        text = "hours that nobody verified are wider than the policy's: they narrow those of verified law or the policy"
        lint.say(document, (*loc, "windows"), f"{profile.id}: {text}", "note")
    here = f"{document.path}:{document.line(loc)}"
    for rule in _rule_ids(profile)[lint.own :]:
        first = lint.ids.setdefault(rule, here)
        if first != here or _rule_ids(profile).count(rule) > 1:
            lint.say(document, loc, f"{rule!r} stands twice (first: {first}): give one of them another id")


def _rule_ids(profile: Profile) -> list[str]:
    """Return the ids under which a profile is told, its own first."""
    return [profile.id, *(cap.rule for cap in profile.caps), *(rest.rule for rest in profile.cooldowns)]


def _parts(profile: Profile) -> Iterator[tuple[Loc, Cited]]:
    """Yield every cited thing of a profile, itself first, and where it stands within it."""
    yield (), profile
    for key in ("in_force", "holidays", "abandon", "ring", "caller_id", "consent", "dnc", "message"):
        part = getattr(profile, key)
        if part is not None:
            yield (key,), part
    for key in ("windows", "caps", "cooldowns"):
        for number, part in enumerate(getattr(profile, key)):
            yield (key, number), part


def _unfounded(lint: _Lint, profile: Profile) -> Iterator[tuple[Loc, str]]:
    for loc, part in _parts(profile):
        if not part.cite.strip():
            yield (*loc, "cite"), "expected where it is written, found nothing"
        for source in part.sources:
            if source not in lint.sources:
                yield (*loc, "sources"), _no_source(source, lint)
        if not lint.own and (part.confidence == "POLICY") != (profile.jurisdiction == ANYWHERE):
            yield (*loc, "confidence"), f"expected POLICY in the policy and nowhere else, was {part.confidence}"
        elif part.confidence != "POLICY" and not part.sources:
            yield (*loc, "sources"), "expected where it was read, found nothing"


def _no_source(name: str, lint: _Lint) -> str:
    return f"expected a source of sources.yaml, was {name!r}: {meant(name, lint.sources)}"


def _odd_limits(profile: Profile) -> Iterator[tuple[Loc, str]]:
    for number, cap in enumerate(profile.caps):
        yield from (((("caps", number, key)), text) for key, text in _odd_cap(cap))
    for number, cooldown in enumerate(profile.cooldowns):
        if cooldown.unless_agent_held and cooldown.after != "abandoned":
            text = "expected it after an abandoned call only, which an agent would have prevented"
            yield ("cooldowns", number, "unless_agent_held"), text
    for day in range(7):
        spans = sorted((w.begin_minute, w.end_minute) for w in profile.windows if day in w.days)
        if any(begin < end for (_, end), (begin, _) in pairwise(spans)):
            yield ("windows",), "expected hours that do not overlap"
            return


def _odd_cap(cap: CapRule) -> Iterator[tuple[str, str]]:
    if "campaign" in cap.key:
        yield "key", "expected no campaign in a law's key: another campaign would begin anew"
    if cap.n > MAX_PERIODS[cap.kind]:
        yield "period", f"expected at most {MAX_PERIODS[cap.kind]} of {cap.kind}, was {cap.n}"
    if len(set(cap.channels)) != len(cap.channels):
        yield "channels", "expected each channel once"


def _loose(lint: _Lint, profile: Profile) -> Iterator[tuple[Loc, str]]:
    """Yield the values by which something that nobody verified would allow more than the policy."""
    mine = lint.policy
    if len({window.confidence in VERIFIED for window in profile.windows}) > 1:
        text = "expected hours of V1 or V2 all, or none: one of them makes all stand in for the policy's"
        yield ("windows",), text
    if profile.in_force.last is not None and _unverified(profile.in_force):
        yield ("in_force", "last"), "a last day that nobody verified ends nothing: leave it out and say so in a note"
    if (dnc := profile.dnc) is not None and dnc.until is not None and _unverified(dnc):
        yield ("dnc", "until"), "a last day that nobody verified ends nothing: leave it out and say so in a note"
    if (abandon := profile.abandon) is not None and _unverified(abandon) and mine.abandon is not None:
        most = mine.abandon.max_rate
        if abandon.max_rate is not None and most is not None and abandon.max_rate > most:
            yield (
                ("abandon", "max_rate"),
                f"expected at most the policy's {most:g} unverified, was {abandon.max_rate:g}",
            )
        if abandon.connect_deadline_s > mine.abandon.connect_deadline_s:
            least = mine.abandon.connect_deadline_s
            text = f"expected at most the policy's {least:g} s unverified, was {abandon.connect_deadline_s:g}"
            yield ("abandon", "connect_deadline_s"), text
    if (
        (ring := profile.ring) is not None
        and _unverified(ring)
        and mine.ring is not None
        and ring.min_s < mine.ring.min_s
    ):
        yield ("ring", "min_s"), f"expected at least the policy's {mine.ring.min_s:g} s unverified, was {ring.min_s:g}"


def _unverified(part: Cited) -> bool:
    return part.confidence in ("R", "U")


def _wider_than_policy(profile: Profile, mine: Profile) -> bool:
    """Say whether hours that nobody verified have a minute that the policy's have not."""
    allowed = {(day, minute) for w in mine.windows for day in w.days for minute in range(w.begin_minute, w.end_minute)}
    return any(
        (day, minute) not in allowed
        for window in profile.windows
        if _unverified(window)
        for day in window.days
        for minute in range(window.begin_minute, window.end_minute)
    )


def _expired(lint: _Lint, profile: Profile) -> Iterator[tuple[Loc, str]]:
    last = profile.in_force.last
    if last is not None and last < lint.as_of and not profile.in_force.note:
        yield ("in_force", "last"), f"ended on {last}, before these packs' date: expected a note on what came after"
    if (dnc := profile.dnc) is not None and dnc.until is not None and dnc.until < lint.as_of and not dnc.note:
        yield ("dnc", "until"), f"ended on {dnc.until}, before these packs' date: expected a note on what came after"


def _aging(lint: _Lint, profile: Profile) -> Iterator[tuple[Loc, str]]:
    until = profile.dnc.until if profile.dnc is not None else None
    ends: tuple[tuple[Loc, date | None], ...] = (
        (("in_force", "last"), profile.in_force.last),
        (("dnc", "until"), until),
    )
    for loc, day in ends:
        if day is not None and lint.as_of <= day < lint.today:
            yield loc, f"ended on {day}: look at what came after"


def _look_at_messages(lint: _Lint, document: Document, profiles: tuple[Profile, ...]) -> None:
    """Find profiles of one place and scope of which one requires the recorded message that another forbids."""
    for number, one in enumerate(profiles):
        for other in profiles:
            if one.message is None or other.message is None or not set(one.scope) & set(other.scope):
                continue
            same_place = one.jurisdiction.startswith(other.jurisdiction) or other.jurisdiction.startswith(
                one.jurisdiction
            )
            if same_place and (one.message.abandoned_call, other.message.abandoned_call) == ("required", "forbidden"):
                text = f"{one.id} requires the recorded message that {other.id} forbids"
                lint.say(document, ("profiles", number, "message"), text)
