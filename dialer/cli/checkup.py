"""Everything a campaign needs, looked at in one go. Nothing is dialled, claimed or written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import groupby
from math import inf
from pathlib import Path

import msgspec

from compliance.clearance import ListCheck, Place
from compliance.rule import Profile
from compliance.ruleset import EVERYTHING, RuleSet
from compliance.zones import DAY_S
from dialer.adapters.campaign_lists import read_lists
from dialer.adapters.lead_list import LeadList
from dialer.adapters.readiness import Readiness, readiness, streams
from dialer.adapters.store.embedded import EmbeddedValkey
from dialer.adapters.store.inspection import Inspection, inspect, read_facts
from dialer.adapters.store.memory import CampaignRecord, MemoryData
from dialer.adapters.store.redis import open_store
from dialer.adapters.switch_probe import SwitchView, missing, probe_switch
from dialer.bootstrap import ami_secret
from dialer.bootstrap.lawful import OLD_ZONES_DAYS, TOO_OLD_ZONES_DAYS, caller_id_faults_of, zone_data_age
from dialer.bootstrap.versions import versions_of
from dialer.cli.carriers.supply_check import supply_findings
from dialer.config.campaign import Campaign
from dialer.config.campaign_file import list_paths
from dialer.config.rule_packs import rule_set
from dialer.config.yaml_lines import read_yaml
from dialer.core.claiming import Claims
from dialer.core.lead import Lead
from dialer.errors import ConfigError, StoreError, TelephonyError

ENVIRONMENT_MARK = "environment"  # `bootstrap.claim_folder` writes it
EXAMPLES = 3  # of rejected rows and dropped numbers
STALE_NOTES = {
    "block": "no number there is dialled meanwhile",
    "warn": "numbers there are dialled all the same: `stale_lists: warn`",
}


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was looked at. `ok` is False where it keeps the campaign from dialling."""

    what: str
    ok: bool
    text: str
    notes: tuple[str, ...] = ()


class Checkup(msgspec.Struct, frozen=True, kw_only=True):
    """All that was found. `queue` is None where the store could not be read."""

    campaign: str
    at: float
    would_dial: bool
    findings: tuple[Finding, ...]
    queue: Readiness | None


async def check_up(
    path: Path, campaign: Campaign, data_dir: Path, redis_url: str | None, *, now: float, switch: bool
) -> Checkup:
    """Look at the campaign's lists, rules, store and, with `switch`, its Asterisk, as of `now`.

    Raises `ConfigError` for a list that cannot be read as a whole.
    """
    rules = rule_set(campaign)
    lists = read_lists(list_paths(path, campaign), campaign)
    leads = [lead for found in lists for lead in found.leads]
    findings = [Finding(what="file", ok=True, text=str(path)), *map(_list_finding, lists)]
    queue, store_findings = await _look_into_store(campaign, leads, rules, data_dir, redis_url, now)
    places = sorted({number.place for lead in leads for number in lead.numbers})
    findings += [*_version_findings(campaign, now), *_rule_findings(rules, places, now)]
    findings += [*_caller_id_findings(campaign, now), _supply_finding(path, campaign, leads, rules, now)]
    findings += [*_folder_findings(data_dir, switch=switch), *store_findings]
    if switch:
        findings += await _switch_findings(campaign)
    if queue is not None:
        text = f"{queue.callable_now:,} of {len(queue.leads):,} leads may be called now"
        findings.append(Finding(what="queue", ok=queue.callable_now > 0, text=text))
    return Checkup(
        campaign=campaign.campaign,
        at=now,
        would_dial=all(finding.ok for finding in findings),
        findings=tuple(findings),
        queue=queue,
    )


# ---- lists --------------------------------------------------------------------------------------------------
def _list_finding(read: LeadList) -> Finding:
    text = f"{read.path}: {len(read.leads):,} leads, {len(read.rejected):,} rows rejected, {len(read.dropped):,} "
    notes = [f"line {row.line}: {row.reason}" for row in read.rejected[:EXAMPLES]]
    notes += [f"line {number.line}: {number.cell} left out: {number.reason}" for number in read.dropped[:EXAMPLES]]
    return Finding(what="list", ok=True, text=f"{text}numbers left out", notes=tuple(notes))


# ---- rules --------------------------------------------------------------------------------------------------
def _version_findings(campaign: Campaign, now: float) -> Iterator[Finding]:
    """Name the packs, and how old the rules of clocks are: above nine months it is told, above eighteen a fault."""
    versions = versions_of(campaign)
    own = [f"{name}, SHA-256 {digest}" for name, digest in versions.items() if name.startswith("pack ")]
    text = f"version {versions['rules']}; holidays {versions['holidays']}, phonenumbers {versions['phonenumbers']}"
    yield Finding(what="rule packs", ok=True, text=text, notes=tuple(own))
    age = zone_data_age(now)
    notes = ("expected one of the last nine months: upgrade the package tzdata",) if age > OLD_ZONES_DAYS else ()
    text = f"tzdata {versions['tzdata']}, {age:,} days old"
    yield Finding(what="time zones", ok=age <= TOO_OLD_ZONES_DAYS, text=text, notes=notes)


def _rule_findings(rules: RuleSet, places: Sequence[Place], now: float) -> Iterator[Finding]:
    """Say for each place on the list, subdivisions and zones, which profiles hold there and whether it is open.

    A closed window is no fault of its own: the queue's finding tells whether anybody is left.
    """
    for jurisdictions, group in groupby(places, key=lambda place: place.jurisdictions):
        windows = []
        for place in (alike := list(group)):
            state = rules.window(place, now)
            until = "" if state.changes_at == inf else f" until {stamp(state.changes_at)}"
            zones = ", ".join(place.zones) or "no zone"
            windows.append(f"{zones}: {'open' if state.open else f'closed by {state.rule}'}{until}")
        cited = "; ".join(_cited(profile) for profile in _holding(rules, alike, now))
        yield Finding(what="rules", ok=True, text=f"{', '.join(jurisdictions)}: {cited}", notes=tuple(windows))


def _holding(rules: RuleSet, places: Sequence[Place], now: float) -> list[Profile]:
    """The profiles that hold in any of these places now, each once."""
    known = [place for place in places if not rules.fault(place)]
    held = [profile for place in known for profile in rules.in_force(place, now)]
    return list({profile.id: profile for profile in held}.values())


def _cited(profile: Profile) -> str:
    return f"{profile.id} ({', '.join(part for part in (profile.cite, profile.confidence) if part)})"


def _caller_id_findings(campaign: Campaign, now: float) -> Iterator[Finding]:
    """Tell where the law lets us show none of our numbers: a fault where that is verified, a note where it is not."""
    found = caller_id_faults_of(campaign, now)
    if not found:
        numbers = ", ".join(campaign.caller_ids)
        yield Finding(what="caller IDs", ok=True, text=f"{numbers}: at least one may be shown wherever is called")
    for fault in found:
        doubt = () if fault.binding else (f"{fault.rule} is not verified: ask your lawyers",)
        yield Finding(what="caller IDs", ok=not fault.binding, text=fault.text, notes=doubt)


def _supply_finding(path: Path, campaign: Campaign, leads: Sequence[Lead], rules: RuleSet, now: float) -> Finding:
    """What `dialer carriers check` finds without the switch; its errors keep the campaign from dialling."""
    found = supply_findings(read_yaml(path), campaign, leads, rules, now)
    errors = sum(each.level == "error" for each in found)
    accounts = len({trunk.carrier or trunk.name for trunk in campaign.trunks})
    text = f"{len(campaign.trunks):,} trunks of {accounts:,} accounts, {errors:,} to mend"
    return Finding(what="carriers", ok=not errors, text=text, notes=tuple(map(str, found)))


def _registry_findings(
    campaign: Campaign, rules: RuleSet, leads: Sequence[Lead], data: MemoryData, now: float
) -> Iterator[Finding]:
    """Tell of each registry that the rules or the campaign ask for how old our copy is, and whether it still serves.

    One that blocks is a fault where every number is held against it; of others the queue's finding tells.
    """
    claims = Claims(campaign, rules)
    firsts = {number.place: (lead, at) for lead in leads for at, number in enumerate(lead.numbers)}
    checks: dict[str, ListCheck] = {}
    asking: Counter[str] = Counter()
    for place, (lead, at) in firsts.items():
        if rules.fault(place):
            continue
        for check in claims.of(claims.candidate(lead, at), attempt_id=0, now=now).lists:
            asking[check.registry] += 1
            before = checks.get(check.registry)
            if before is None or check.fresh_since > before.fresh_since:
                checks[check.registry] = check
    for name, check in sorted(checks.items()):
        info = data.registries[name][0] if name in data.registries else None
        stale = info is None or info.as_of < check.fresh_since
        asked = f"{name} (asked for by {check.rule})"
        if info is None:
            text = f"{asked}: expected a copy, found none: `dialer dnc import` one"
        else:
            text = f"{asked}: {info.count:,} numbers, {(now - info.as_of) / DAY_S:.0f} days old"
            limit = f"{(now - check.fresh_since) / DAY_S:.0f} days"
            text += f": expected at most {limit}: `dialer dnc import` a newer one" if stale else ""
        blocking = info is None or check.when_stale == "block"  # nobody knows who is on a list that is not there
        notes = (STALE_NOTES["block" if blocking else "warn"],) if stale else ()
        blocks = stale and blocking and asking[name] == len(firsts)
        yield Finding(what="registry", ok=not blocks, text=text, notes=notes)


# ---- data folder --------------------------------------------------------------------------------------------
def _folder_findings(data_dir: Path, *, switch: bool) -> Iterator[Finding]:
    """Tell where the folder belongs to the other environment: a run there would be refused."""
    mark, wanted = data_dir / ENVIRONMENT_MARK, "live" if switch else "sandbox"
    found = mark.read_text().strip() if mark.exists() else wanted
    if found != wanted:
        text = f"{data_dir}: expected a folder for {wanted}, is one for {found}: name another with --data"
        yield Finding(what="data folder", ok=False, text=text)


# ---- store --------------------------------------------------------------------------------------------------
async def _look_into_store(
    campaign: Campaign, leads: Sequence[Lead], rules: RuleSet, data_dir: Path, redis_url: str | None, now: float
) -> tuple[Readiness | None, list[Finding]]:
    where = redis_url or EmbeddedValkey(data_dir).folder
    try:
        async with open_store(redis_url, data_dir):
            server = redis_url or EmbeddedValkey(data_dir).socket_path
            found = await inspect(server, campaign.campaign, leads)
            await read_facts(server, streams(campaign, leads, rules, now), found.data)
    except (StoreError, ConfigError) as error:
        return None, [Finding(what="store", ok=False, text=str(error))]
    findings = [_store_finding(found, found.data.campaigns[campaign.campaign], leads, where)]
    findings += [*_registry_findings(campaign, rules, leads, found.data, now), *_emergency(found.data)]
    return readiness(campaign, leads, rules, found.data, now), findings


def _store_finding(found: Inspection, record: CampaignRecord, leads: Sequence[Lead], where: str | Path) -> Finding:
    new = sum(lead.lead_id not in record.leads for lead in leads)
    touched = sum(entry.attempts > 0 for entry in record.progress.values())
    over = sum(entry.status != "ready" for entry in record.progress.values())
    text = f"{_plain(where)}: {len(record.leads):,} leads, {touched:,} attempted, {over:,} finished or stopped"
    notes = [f"{new:,} leads of the lists are not in the store yet: `dialer run` adds them"] if new else []
    dropped = len(record.leads) + new - len(leads)
    if dropped:
        notes.append(f"{dropped:,} leads of the store are on no list any more: they are not dialled")
    if found.holder is not None:
        notes.append(f"the campaign runs: {found.holder.owner} holds its lease")
    return Finding(what="store", ok=True, text=text, notes=tuple(notes))


def _emergency(data: MemoryData) -> list[Finding]:
    if EVERYTHING not in data.stops:
        return []
    text = f"every call is forbidden ({', '.join(data.stops[EVERYTHING])}): `dialer resume --all` lifts it"
    return [Finding(what="emergency stop", ok=False, text=text)]


def _plain(where: str | Path) -> str:
    from dialer.adapters.store.server import without_password

    return without_password(where) if isinstance(where, str) else str(where)


# ---- switch -------------------------------------------------------------------------------------------------
async def _switch_findings(campaign: Campaign) -> list[Finding]:
    settings = campaign.asterisk
    try:
        secret = ami_secret(campaign)
    except ConfigError as error:
        return [Finding(what="AMI secret", ok=False, text=str(error))]
    source = f"{settings.secret_file}, mode 600" if settings.secret_file else f"from {settings.secret_env}"
    findings = [Finding(what="AMI secret", ok=True, text=source)]
    try:
        view = await probe_switch(settings, secret)
    except TelephonyError as error:
        return [*findings, Finding(what="AMI", ok=False, text=str(error))]
    text = f"{settings.host}:{settings.port} took the user {settings.user}"
    findings.append(Finding(what="AMI", ok=True, text=text))
    trunks = [trunk.name for trunk in campaign.trunks]
    telephones = [agent.endpoint or agent.id for agent in campaign.agents]
    # A run begins only where the switch has every trunk; an agent's telephone may come later.
    return [
        *findings,
        _endpoints("trunks", view, trunks, fewest=len(trunks)),
        _endpoints("telephones", view, telephones),
    ]


def _endpoints(what: str, view: SwitchView, names: Sequence[str], *, fewest: int = 1) -> Finding:
    """Whether the switch has at least `fewest` of these endpoints. One that is not reachable now may be later; one that
    is not there not."""
    if view.endpoints is None:
        return Finding(what=what, ok=True, text=f"not looked at: the switch does not list endpoints ({view.refusal})")
    absent = missing(view, names)
    notes = [f"{name}: {view.endpoints.get(name, 'no such PJSIP endpoint')}" for name in names]
    text = f"{len(names) - len(absent):,} of {len(names):,} are endpoints of the switch"
    return Finding(what=what, ok=len(names) - len(absent) >= fewest, text=text, notes=tuple(notes))


def stamp(at: float) -> str:
    """A time of this machine's zone, with its offset."""
    from datetime import datetime

    return datetime.fromtimestamp(at).astimezone().strftime("%a %Y-%m-%d %H:%M %z")
