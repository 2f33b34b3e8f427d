"""A rule pack as its YAML file has it: strict models, and their reading into the structs of `compliance.rule`.

What a part of a profile (a cap, the windows) does not say of itself it has from its profile: citation, sources and
confidence. What each key means is told in docs/compliance_semantics.md.
"""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, BeforeValidator, Field, ValidationError, model_validator
from pydantic_core import ErrorDetails

from compliance.rule import (
    KEY_KINDS,
    AbandonLimit,
    After,
    CallerIdRule,
    CapRule,
    Channel,
    Confidence,
    ConsentRule,
    CooldownRule,
    Count,
    DncRule,
    Force,
    HolidayRule,
    InForce,
    KeyKind,
    MessageRule,
    Profile,
    RingRule,
    Scope,
    WindowRule,
)
from compliance.streams import somebody_in
from dialer.config.campaign import Period, Section, Window
from dialer.config.names import meant
from dialer.config.yaml_lines import Document, Loc
from dialer.errors import ConfigError

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
ANYWHERE = "*"  # the policy's jurisdiction; as a calendar, the country's own
JURISDICTION = r"^([A-Z]{2}(-[A-Z0-9]{1,3}){0,2}|\*)$"
_ID = r"^[a-z0-9][a-z0-9-]{0,63}$"
_REGISTRY = r"^[a-z0-9][a-z0-9_]{0,63}$"
_DATE = re.compile(r"\d{4}-\d\d-\d\d")


def _iso_date(value: Any) -> Any:
    """Take `2026-10-17` and nothing else for a date: a bare number would be read as seconds."""
    if value is None or isinstance(value, date):
        return value
    if not isinstance(value, str) or not _DATE.fullmatch(value):
        raise ValueError(f"expected a date such as 2026-10-17, was {value!r}")
    return value


IsoDate = Annotated[date, BeforeValidator(_iso_date)]
RuleId = Annotated[str, Field(pattern=_ID)]


class Part(Section):
    """A part of a profile, which may be cited by itself."""

    cite: str | None = Field(
        None, min_length=1, description="where it is written; as the profile's where it is left out"
    )
    sources: tuple[str, ...] | None = Field(None, description="ids of where it was read")
    confidence: Confidence | None = Field(None, description="how sure we are")
    note: str = ""


class PackInForce(Part):
    """The local dates, both included, on which a profile holds."""

    first: IsoDate | None = None
    last: IsoDate | None = None

    @model_validator(mode="after")
    def _ordered(self) -> PackInForce:
        if self.first is not None and self.last is not None and self.first > self.last:
            raise ValueError(f"expected a first day before the last, was {self.first} to {self.last}")
        return self


class PackWindow(Window, Part):
    """Local hours on some weekdays."""


class PackHolidays(Part):
    """The calendar whose days are closed: `CO`, `US-AL`, `custom:CA-QC-OPC`."""

    calendar: str = Field(min_length=1)
    regions: Literal["none", "known", "any"] = "none"


class PackCap(Part):
    """At most `max` facts of a kind in a period, under a key."""

    id: RuleId
    count: Count
    max: int = Field(ge=1, le=1000)
    period: Period
    key: Annotated[tuple[KeyKind, ...], Field(min_length=1), AfterValidator(somebody_in)]
    channels: tuple[Channel, ...] = Field(("voice",), min_length=1)
    exclude: tuple[str, ...] = Field((), description="dispositions that do not count")
    only_use: Literal["", "work"] = ""

    @model_validator(mode="after")
    def _one_use(self) -> PackCap:
        if ("use" in self.key) != bool(self.only_use):
            raise ValueError("expected `use` in the key and `only_use: work` together, found one of them")
        return self


class PackCooldown(Part):
    """No call for `days` or `hours` after something happened."""

    id: RuleId
    after: After
    key: Annotated[tuple[KeyKind, ...], Field(min_length=1), AfterValidator(somebody_in)]
    days: int | None = Field(None, ge=1, le=366)
    hours: int | None = Field(None, ge=1, le=8784)
    first_day: Literal["event_day", "next_day"] = "event_day"
    unless_agent_held: bool = False

    @model_validator(mode="after")
    def _one_length(self) -> PackCooldown:
        if (self.days is None) == (self.hours is None):
            raise ValueError("expected exactly one of days and hours")
        if self.hours is not None and "first_day" in self.model_fields_set:
            raise ValueError("expected first_day beside days only: hours begin when it happened")
        return self


class PackAbandon(Part):
    """How abandoned calls are counted; `max_rate` is a fraction, null where the law names none."""

    max_rate: float | None = Field(None, gt=0, lt=1)
    window: Literal["rolling_24h", "calendar_month", "30_days", "campaign"] | None = None
    clock_start: Literal["connect", "greeting_start", "greeting_end"] = "greeting_end"
    connect_deadline_s: float = Field(2.0, gt=0, le=60)
    legal_threshold: bool = True

    @model_validator(mode="after")
    def _windowed(self) -> PackAbandon:
        if self.max_rate is not None and self.window is None:
            raise ValueError("expected a window beside max_rate, found none")
        return self


class PackRing(Part):
    """No unanswered call is ended before it rang so long, seconds."""

    min_s: float = Field(gt=0, le=120)


class PackCallerId(Part):
    """Which of our numbers may be shown."""

    required_prefixes: tuple[Annotated[str, Field(pattern=r"^\+[1-9]\d{0,13}$")], ...] = ()
    forbid_mobile: bool = False
    since: IsoDate | None = None

    @model_validator(mode="after")
    def _says_something(self) -> PackCallerId:
        if not self.required_prefixes and not self.forbid_mobile:
            raise ValueError("expected required_prefixes or forbid_mobile, found neither")
        return self


class PackConsent(Part):
    """Whether a call needs consent, and how many days old it may be."""

    required: bool = True
    max_age_days: int | None = Field(None, ge=1, le=36_600)
    since: IsoDate | None = None


class PackDnc(Part):
    """The registries that are asked, and how many days old our copy may be."""

    registries: tuple[Annotated[str, Field(pattern=_REGISTRY)], ...] = Field(min_length=1)
    max_age_days: int | None = Field(None, ge=1, le=366)
    until: IsoDate | None = None


class PackMessage(Part):
    """Whether an abandoned call must or must not hear a recorded message."""

    abandoned_call: Literal["required", "allowed", "forbidden"]


class PackProfile(Section):
    """One law's rules for a jurisdiction and some scopes."""

    id: RuleId
    jurisdiction: str = Field("", pattern=r"^$|" + JURISDICTION, description="the file's where it is left out")
    scope: tuple[Scope, ...] = Field(min_length=1)
    force: Force = "binding"
    applies_to: str = ""
    in_force: PackInForce = PackInForce()
    zones: tuple[str, ...] = Field((), description="zones that are asked beside those the person may be in")
    windows: tuple[PackWindow, ...] = Field((), description="none: the policy's hours")
    holidays: PackHolidays | None = None
    caps: tuple[PackCap, ...] = ()
    cooldowns: tuple[PackCooldown, ...] = ()
    abandon: PackAbandon | None = None
    ring: PackRing | None = None
    caller_id: PackCallerId | None = None
    consent: PackConsent | None = None
    dnc: PackDnc | None = None
    message: PackMessage | None = None
    duties: tuple[Annotated[str, Field(min_length=1)], ...] = Field((), description="what the dialer cannot see to")
    cite: str = Field(min_length=1)
    sources: tuple[str, ...] = ()
    confidence: Confidence
    note: str = ""


class Pack(Section):
    """A country's file in `compliance/rules`."""

    jurisdiction: str = Field(pattern=r"^[A-Z]{2}$")
    profiles: tuple[PackProfile, ...] = Field(min_length=1)


class OwnPackProfile(PackProfile):
    """A profile of a pack of yours: beside the law's, or instead of those that it names, with a reason."""

    replaces: tuple[str, ...] = Field((), description="ids of our profiles that this one stands instead of")
    override_reason: str = Field("", description="why, for whoever audits")

    @model_validator(mode="after")
    def _reasoned(self) -> OwnPackProfile:
        if self.replaces and not self.override_reason.strip():
            raise ValueError("expected an override_reason beside replaces: say why our rules are put aside")
        if self.override_reason and not self.replaces:
            raise ValueError("expected replaces beside override_reason: name the profiles that are put aside")
        return self


class Source(Section):
    """Where something was read, and what was read there."""

    url: str | None = None
    read: str = Field("", max_length=500)


class OwnPack(Section):
    """A rule pack of yours. Its profiles hold beside the law's and the policy's, so they tighten."""

    jurisdiction: str = Field(pattern=r"^[A-Z]{2}$", description="ISO 3166 code of the country")
    profiles: tuple[OwnPackProfile, ...] = Field(min_length=1)
    sources: dict[str, Source] = Field(default_factory=dict, description="where its values were read, by id")


class PackEdition(Section):
    """Which edition of our packs this is."""

    version: str = Field(pattern=r"^\d{4}\.\d\d\.\d\d(\.\d+)?$")
    as_of: IsoDate
    schema_version: int = Field(ge=1)


_Rule = TypeVar("_Rule", HolidayRule, AbandonLimit, RingRule, CallerIdRule, ConsentRule, DncRule, MessageRule)


# ---- into structs ------------------------------------------------------------------------------------------------
def window_rules(windows: tuple[Window, ...], **cited: Any) -> tuple[WindowRule, ...]:
    """Turn windows with clock times into minutes after midnight."""
    return tuple(
        WindowRule(
            days=tuple(DAYS.index(day) for day in window.days),
            begin_minute=_minute(begin),
            end_minute=_minute(end),
            **cited,
        )
        for window in windows
        for begin, end in window.allow
    )


def profile_of(file: PackProfile, country: str) -> Profile:
    """Return the profile as the engine takes it. `country` stands where the file names no jurisdiction."""

    def cited(part: Part) -> dict[str, Any]:
        return {
            "cite": file.cite if part.cite is None else part.cite,
            "sources": file.sources if part.sources is None else part.sources,
            "confidence": file.confidence if part.confidence is None else part.confidence,
            "note": part.note,
        }

    def rule(kind: type[_Rule], part: Part | None) -> _Rule | None:
        """Turn a part whose keys are those of its struct."""
        if part is None:
            return None
        return kind(**{name: getattr(part, name) for name in type(part).model_fields} | cited(part))

    return Profile(
        id=file.id,
        jurisdiction=file.jurisdiction or country,
        scope=file.scope,
        force=file.force,
        applies_to=file.applies_to,
        in_force=InForce(first=file.in_force.first, last=file.in_force.last, **cited(file.in_force)),
        zones=file.zones,
        windows=tuple(window for part in file.windows for window in window_rules((part,), **cited(part))),
        holidays=rule(HolidayRule, file.holidays),
        caps=tuple(_cap(cap, cited(cap)) for cap in file.caps),
        cooldowns=tuple(_cooldown(part, cited(part)) for part in file.cooldowns),
        abandon=rule(AbandonLimit, file.abandon),
        ring=rule(RingRule, file.ring),
        caller_id=rule(CallerIdRule, file.caller_id),
        consent=rule(ConsentRule, file.consent),
        dnc=rule(DncRule, file.dnc),
        message=rule(MessageRule, file.message),
        duties=file.duties,
        cite=file.cite,
        sources=file.sources,
        confidence=file.confidence,
        note=file.note,
    )


def key_in_order(key: tuple[KeyKind, ...]) -> tuple[KeyKind, ...]:
    """Return a key's parts in the one order, each once."""
    return tuple(kind for kind in KEY_KINDS if kind in key)


def _cap(cap: PackCap, cited: dict[str, Any]) -> CapRule:
    return CapRule(
        rule=cap.id,
        count=cap.count,
        max=cap.max,
        kind=cap.period.kind,
        n=cap.period.n,
        key=key_in_order(cap.key),
        channels=cap.channels,
        exclude=cap.exclude,
        only_use=cap.only_use,
        **cited,
    )


def _cooldown(part: PackCooldown, cited: dict[str, Any]) -> CooldownRule:
    return CooldownRule(
        rule=part.id,
        after=part.after,
        key=key_in_order(part.key),
        days=part.days,
        hours=part.hours,
        first_day=part.first_day,
        unless_agent_held=part.unless_agent_held,
        **cited,
    )


def _minute(clock: str) -> int:
    hours, minutes = clock.split(":")
    return int(hours) * 60 + int(minutes)


# ---- reading -----------------------------------------------------------------------------------------------------
_Model = TypeVar("_Model", bound=Section)


def validated(document: Document, model: type[_Model]) -> _Model:
    """Return the file's contents. Raises `ConfigError` with all of its faults, each with its line."""
    try:
        return model.model_validate(document.data)
    except ValidationError as error:
        details = sorted(_telling(error.errors()), key=lambda fault: document.line(fault["loc"]))
        told = (document.fault(fault["loc"], _message(fault, document, model)) for fault in details)
        raise ConfigError(*told) from error


def _telling(faults: list[ErrorDetails]) -> list[ErrorDetails]:
    """Leave out that a list is too short where its entries are at fault."""
    return [
        fault
        for fault in faults
        if fault["type"] != "too_short"
        or not any(fault["loc"] == other["loc"][:-1][: len(fault["loc"])] for other in faults)
    ]


def _message(details: ErrorDetails, document: Document, model: type[Section]) -> str:
    loc, kind = details["loc"], details["type"]
    if kind == "extra_forbidden":
        return f"unknown key: {meant(str(loc[-1]), _keys_at(model, loc[:-1]))}"
    if kind == "missing":
        return "expected this key, found none"
    if kind == "too_short":
        return "expected at least one entry, found none"
    if kind == "value_error":
        return details["msg"].removeprefix("Value error, ")
    found = document.raw.get(loc)
    expected = details["msg"].replace("Input should", "expected to").replace("expected to be", "expected")
    return f"{expected[:1].lower()}{expected[1:]}" + (f", was {found!r}" if found is not None else "")


def _keys_at(model: type[Section], loc: Loc) -> tuple[str, ...]:
    """Return the keys that may stand at a place of the file."""
    here: Any = model
    for part in loc:
        if isinstance(part, str) and hasattr(here, "model_fields"):
            field = here.model_fields.get(part)
            here = here if field is None else _section_in(field.annotation)  # a key of a mapping leads no deeper
    return tuple(here.model_fields) if hasattr(here, "model_fields") else ()


def _section_in(annotation: Any) -> Any:
    """Return the section that a field holds, itself or in a list or a mapping; None where it holds none."""
    if isinstance(annotation, type) and issubclass(annotation, Section):
        return annotation
    found = (_section_in(inner) for inner in getattr(annotation, "__args__", ()))
    return next((section for section in found if section is not None), None)
