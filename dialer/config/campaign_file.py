"""Reading a campaign file: every fault at once, each as `file:line: key: what was expected, what was found`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from math import inf
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from compliance.rule import Profile
from dialer.config.campaign import NAME, Campaign
from dialer.config.misfits import MISFIT
from dialer.config.names import DISPOSITIONS, meant
from dialer.config.rate_deck_file import with_decks
from dialer.config.rule_packs import known_jurisdictions, own_profiles, rule_set, stacked
from dialer.config.section import LABEL
from dialer.config.yaml_lines import Document, Loc, read_yaml
from dialer.errors import ConfigError

TELEPHONE_KEYS = "0123456789*#"
# The switch counts the ring time-out from the call's begin: so long may a carrier take until the telephone rings.
SET_UP_S = 5.0
_ANY = "*"
_EXCLUDED = ("caps", _ANY, "exclude", _ANY)
_TOO_SHORT = "expected at least one entry, found none"


def read_campaign(path: Path) -> Campaign:
    """Read and check a campaign file; its `rule_packs` come back as absolute paths, its rate decks as their rows.

    Raises `ConfigError` with all of its faults, in the order of their lines, then those of its rate decks, and then
    those of its rule packs.
    """
    document = read_yaml(path)
    faults: list[tuple[Loc, str]] = list(_cross_faults(document))
    campaign = None
    try:
        campaign = Campaign.model_validate(document.data)
    except ValidationError as error:
        faults += [(_loc(details), _message(details, document)) for details in error.errors()]
    if faults or campaign is None:
        raise ConfigError(*_lines(document, faults))
    campaign = with_decks(campaign, document)
    packs = tuple(str((path.parent / name).resolve()) for name in campaign.rule_packs)
    campaign = campaign.model_copy(update={"rule_packs": packs})
    faults = list(_lawless(campaign)) or list(_unlawful(campaign))
    if faults:
        raise ConfigError(*_lines(document, faults))
    return campaign


def list_paths(path: Path, campaign: Campaign) -> tuple[Path, ...]:
    """Return the campaign's list files; relative names are relative to the campaign file `path`."""
    return tuple(path.parent / name for name in campaign.lists)


def write_schema(path: Path) -> None:
    """Write the JSON schema of campaign files, by which editors complete and check while one types."""
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **Campaign.model_json_schema()}
    path.write_text(json.dumps(schema, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _lines(document: Document, faults: list[tuple[Loc, str]]) -> list[str]:
    told: dict[Loc, str] = {}
    for loc, message in faults:
        # Of two faults of one value the first is enough; a list is not too short where its entries are at fault.
        inside = any(other[: len(loc)] == loc and len(other) > len(loc) for other, _ in faults)
        if not (inside and message == _TOO_SHORT):
            told.setdefault(loc, message)
    ordered = sorted(told.items(), key=lambda fault: (document.line(fault[0]), tuple(map(str, fault[0]))))
    return [document.fault(loc, message) for loc, message in ordered]


# ---- what one value alone cannot show -----------------------------------------------------------------------
def _cross_faults(document: Document) -> Iterator[tuple[Loc, str]]:
    """Check names against what exists. Works on the raw values, so that it also speaks when others are wrong."""
    data = document.data
    excluded = (*_texts(data, *_EXCLUDED), *_texts(data, "segments", _ANY, *_EXCLUDED))
    for loc, name in (*_keys(data, "retry"), *excluded):
        if name not in DISPOSITIONS:
            yield loc, f"expected a disposition, was {name!r}: {meant(name, DISPOSITIONS)}"
    for loc, name in _texts(data, "keys", _ANY, "disposition"):
        if name not in DISPOSITIONS:
            yield loc, f"expected a disposition, was {name!r}: {meant(name, DISPOSITIONS)}"
    for loc, key in _keys(data, "keys"):
        if len(key) != 1 or key not in TELEPHONE_KEYS:
            yield loc, f'expected one telephone key of {TELEPHONE_KEYS}, in quotes ("1"), was {key!r}'
    known, brings_own = known_jurisdictions(), bool(data.get("rule_packs"))
    for loc, name in _texts(data, "jurisdictions", _ANY):
        if name not in known and not brings_own:  # a pack of one's own may be of any country: it is looked at later
            yield loc, f"no rules for {name!r}: {meant(name, known)}"
    for loc, text in _texts(data, "closed_dates", _ANY):
        if not _is_date(text):
            yield loc, f"expected a date such as 2026-12-24, was {text!r}"
    for loc, name in _texts(data, "rule_packs", _ANY):
        if not (document.path.parent / name).is_file():
            yield loc, f"expected a rule pack, found none at {document.path.parent / name}"
    for loc, name in _texts(data, "lists", _ANY):
        if not (document.path.parent / name).is_file():
            yield loc, f"expected a list file, found none at {document.path.parent / name}"


# ---- what the law bounds ------------------------------------------------------------------------------------
def _lawless(campaign: Campaign) -> Iterator[tuple[Loc, str]]:
    """Yield the jurisdictions for which there are no rules of the campaign's scope, neither ours nor in its packs.
    Raises `ConfigError` for a pack with faults."""
    own = own_profiles(campaign.rule_packs, campaign.scope)
    for number, country in enumerate(campaign.jurisdictions):
        try:
            stacked(country, campaign.scope, own)
        except ConfigError:
            yield ("jurisdictions", number), f"no rules for {country} in the scope {campaign.scope}"


def _unlawful(campaign: Campaign) -> Iterator[tuple[Loc, str]]:
    """Yield the settings that some law of the campaign's forbids."""
    profiles = profiles_of_campaign(campaign)
    rings = [profile for profile in profiles if profile.ring is not None]
    if rings:
        longest = max(rings, key=lambda profile: profile.ring.min_s if profile.ring is not None else 0.0)
        assert longest.ring is not None
        least, cite = longest.ring.min_s, longest.ring.cite or longest.cite
        if campaign.hang_up_after_ring is not None and campaign.hang_up_after_ring < least:
            text = f"expected at least {least:g} ({longest.id}: {cite}), was {campaign.hang_up_after_ring:g}"
            yield ("hang_up_after_ring",), text
        if campaign.ring_timeout_s < least + SET_UP_S:
            yield (
                ("ring_timeout_s",),
                f"expected at least {least + SET_UP_S:g}: {SET_UP_S:g} until it rings, {least:g} of ringing "
                f"({longest.id}: {cite}), was {campaign.ring_timeout_s:g}",
            )
    if campaign.ring_guard_s < campaign.ring_timeout_s:
        text = f"expected at least ring_timeout_s ({campaign.ring_timeout_s:g}), or a call may ring past the end"
        yield ("ring_guard_s",), f"{text} of the hours, was {campaign.ring_guard_s:g}"
    least_deadline = min((p.abandon.connect_deadline_s for p in profiles if p.abandon is not None), default=inf)
    if campaign.connect_deadline_s > least_deadline:
        text = f"expected at most {least_deadline:g}, as the law of a jurisdiction has it"
        yield ("connect_deadline_s",), f"{text}, was {campaign.connect_deadline_s:g}"


def profiles_of_campaign(campaign: Campaign) -> tuple[Profile, ...]:
    """Return all profiles that may hold for a call of the campaign: the law's, and its own packs'."""
    return tuple(profile for profiles in rule_set(campaign).profiles_by_country.values() for profile in profiles)


def _is_date(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def _texts(data: Any, *pattern: str) -> Iterator[tuple[Loc, str]]:
    for loc, value in _matches(data, pattern, ()):
        if isinstance(value, str):
            yield loc, value


def _keys(data: Any, section: str) -> Iterator[tuple[Loc, str]]:
    for loc, _ in _matches(data, (section, _ANY), ()):
        yield loc, str(loc[-1])


def _matches(data: Any, pattern: tuple[str, ...], loc: Loc) -> Iterator[tuple[Loc, Any]]:
    """Yield what stands under a path of keys, `*` for each; nothing where the file has another shape."""
    if not pattern:
        yield loc, data
        return
    items: Any = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for key, value in items:
        if pattern[0] in (_ANY, key):
            yield from _matches(value, pattern[1:], (*loc, key))


# ---- what pydantic found, in the words of these files ---------------------------------------------------------
def _loc(details: ErrorDetails) -> Loc:
    # A fault of a mapping's key comes as (..., key, "[key]"): the key is where it stands.
    return tuple(part for part in details["loc"] if part != "[key]")


def _message(details: ErrorDetails, document: Document) -> str:
    loc, kind = _loc(details), details["type"]
    found = document.raw.get(loc)
    if kind == "extra_forbidden":
        return f"unknown key: {meant(str(loc[-1]), _fields_at(loc[:-1]))}"
    if kind == "missing":
        hint = _hint(loc)
        return f"expected this key, found none{': ' + hint if hint else ''}"
    if kind == "value_error":
        return details["msg"].removeprefix("Value error, ")
    if kind == MISFIT:
        return details["msg"]
    if kind == "too_short":
        return _TOO_SHORT
    if kind == "string_pattern_mismatch" and details["ctx"]["pattern"] == NAME:
        return f"expected a name of letters, digits and _ . - (1 to 64, not first a sign), was {found!r}"
    if kind == "string_pattern_mismatch" and details["ctx"]["pattern"] == LABEL:
        return f"expected at most 64 characters, and none that commands a terminal, was {(found or '')[:80]!r}"
    if kind == "string_type" and found:
        return f'expected text: put it in quotes, "{found}"'
    if kind == "literal_error" and isinstance(details["input"], str):
        choices = details["ctx"]["expected"].replace(" or ", ", ").replace("'", "").split(", ")
        return f"expected one of {', '.join(choices)}, was {details['input']!r}{_near(details['input'], choices)}"
    expected = details["msg"].replace("Input should be", "expected").replace("valid tuple", "list ([a, b])")
    return f"{expected[:1].lower()}{expected[1:]}, was {_found(found, details['input'])}"


def _near(name: str, choices: list[str]) -> str:
    # The choices are told anyway: name one only where it is plain. (`lun` is no misspelt `sun`.)
    mend = meant(name, choices, likeness=0.75)
    return f": {mend}" if mend.startswith("did") else ""


def _found(raw: str | None, value: Any) -> str:
    if raw is not None:
        return repr(raw) if raw else "empty"
    return "a group of keys" if isinstance(value, dict) else "a list" if isinstance(value, list) else repr(value)


def _model_at(loc: Loc) -> type[BaseModel] | None:
    """Return the model whose keys stand under `loc`."""
    model: Any = Campaign
    for part in loc:
        if isinstance(model, type) and issubclass(model, BaseModel):
            if part not in model.model_fields:
                return None
            model = _named(model.model_fields[str(part)].annotation)
        else:  # an entry of a tuple[Model, ...] or of a dict[str, Model]
            arguments = [argument for argument in get_args(model) if argument not in (str, Ellipsis)]
            model = arguments[0] if arguments else None
    return model if isinstance(model, type) and issubclass(model, BaseModel) else None


def _named(annotation: Any) -> Any:
    """A section that may be left out, as the section."""
    inner = [argument for argument in get_args(annotation) if argument is not NoneType]
    return inner[0] if isinstance(annotation, UnionType) and len(inner) == 1 else annotation


def _fields_at(loc: Loc) -> list[str]:
    model = _model_at(loc)
    return list(model.model_fields) if model is not None else []


def _hint(loc: Loc) -> str:
    model = _model_at(loc[:-1])
    return (model.model_fields[str(loc[-1])].description or "") if model is not None else ""
