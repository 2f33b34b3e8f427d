"""What is wrong or suspicious in a campaign's supply: what can be known without a call, each by its line.

`error`: something that stands in the file can never work, or nobody could be called; `warning`: probably not meant;
`note`: worth knowing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import msgspec

from carriers.caller_id_pool import Pool, matching, pools_of
from carriers.hours import OpenHours
from carriers.rates import cost_of
from carriers.supply import Carrier, SetUpLimit, Supply
from compliance.caller_id import presentable
from compliance.ruleset import RuleSet
from dialer.cli.carriers.coverage import Coverage
from dialer.config.campaign import Campaign
from dialer.config.names import meant
from dialer.config.supply import supply_of
from dialer.config.yaml_lines import Document, Loc
from dialer.core.duties import duty_date
from dialer.core.lead import Lead

LOOK_AHEAD_DAYS = 14  # for hours in which somebody may be called
EXAMPLES = 5
NEAR = 0.75  # so alike is a misspelt name

Level = Literal["error", "warning", "note"]
Told = tuple[Level, Loc, str]


class SupplyFinding(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was found. `line`: of the campaign file; None where it is no line's."""

    level: Level
    line: int | None
    key: str
    text: str

    def __str__(self) -> str:
        line = "" if self.line is None else f"line {self.line}: "
        return f"{line}{self.level}: {self.key}{': ' if self.key else ''}{self.text}"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Case:
    """What is looked at."""

    campaign: Campaign
    supply: Supply
    leads: Sequence[Lead]
    rules: RuleSet
    now: float
    coverage: Coverage


def supply_findings(
    document: Document, campaign: Campaign, leads: Sequence[Lead], rules: RuleSet, now: float
) -> list[SupplyFinding]:
    """Look at the supply of a campaign that was read from `document`, with the leads of its lists, as of `now`.

    Errors come first, each kind in the order of the file.
    """
    supply = supply_of(campaign)
    coverage = Coverage(supply, campaign.jurisdictions, leads)
    case = _Case(campaign=campaign, supply=supply, leads=leads, rules=rules, now=now, coverage=coverage)
    told = [
        found_at(document, level, loc, text)
        for check in (
            _covered,
            _failover,
            _names,
            _prices,
            _accounts,
            _surcharges,
            _caller_ids,
            _pools,
            _shown,
            _hours,
            _signed,
        )
        for level, loc, text in check(case)
    ]
    order: list[Level] = ["error", "warning", "note"]
    return sorted(told, key=lambda found: (order.index(found.level), found.line or 0))


def found_at(document: Document, level: Level, loc: Loc, text: str) -> SupplyFinding:
    """Return a finding of a place in the campaign file."""
    return SupplyFinding(level=level, line=document.line(loc), key=".".join(map(str, loc)), text=text)


# ---- who can be called ----------------------------------------------------------------------------------------
def _covered(case: _Case) -> Iterator[Told]:
    for place, (country, code) in enumerate(case.coverage.codes.items()):
        if code and not case.coverage.trunks_of_code(code):
            yield "error", ("jurisdictions", place), f"no trunk carries numbers of {country} ({code}...)"
    missed = case.coverage.uncarried
    if missed:
        examples = ", ".join(f"{number} ({lead_id})" for lead_id, number in missed[:EXAMPLES])
        level: Level = "error" if len(missed) == case.coverage.numbers else "warning"
        of = f"{len(missed):,} of the lists' {case.coverage.numbers:,} numbers"
        yield level, ("lists",), f"no trunk carries {of}: {examples}{_more(len(missed))}"


def _failover(case: _Case) -> Iterator[Told]:
    trunks = case.supply.trunks
    if len(trunks) == 1:
        yield "note", ("trunks", 0), "the only trunk: where it fails nobody is called"
        return
    for place, prefixes in enumerate(case.coverage.alone()):
        if prefixes:
            shown = ", ".join(prefix or "all numbers" for prefix in prefixes[:EXAMPLES])
            numbers = case.coverage.numbers_alone[place]
            told = f", {numbers:,} of the lists' numbers among them" if numbers else ""
            text = f"no other trunk carries {shown}{_more(len(prefixes))}: no failover there{told}"
            yield "note", ("trunks", place), text


def _names(case: _Case) -> Iterator[Told]:
    """Regions and products that nobody on the lists has."""
    if not case.leads:
        return
    campaign = case.campaign
    regions = {lead.region for lead in case.leads if lead.region}
    products = {lead.product for lead in case.leads if lead.product}
    for place, trunk in enumerate(campaign.trunks):
        for index, name in enumerate(trunk.regions):
            yield from _unheard("region", name, regions, ("trunks", place, "regions", index))
    for name in campaign.routing.contact_values:
        yield from _unheard("product", name, products, ("routing", "contact_values", name))
    for place, pool in enumerate(campaign.caller_id_pools):
        for index, name in enumerate(pool.products):
            yield from _unheard("product", name, products, ("caller_id_pools", place, "products", index))


def _unheard(kind: str, name: str, known: set[str], loc: Loc) -> Iterator[Told]:
    if name not in known:
        yield "warning", loc, f"nobody on the lists has the {kind} {name!r}{_near(name, known)}"


# ---- prices and limits ----------------------------------------------------------------------------------------
def _prices(case: _Case) -> Iterator[Told]:
    trunks, routing = case.campaign.trunks, case.campaign.routing
    priced = [trunk.price is not None or bool(trunk.deck) for trunk in trunks]
    least = min([routing.contact_value, *routing.contact_values.values()])
    for place, trunk in enumerate(case.supply.trunks):
        if not priced[place] and any(priced):
            yield "warning", ("trunks", place), "no price among trunks that have one: its calls count as free"
        dear = [rate.prefix for rate in trunk.rates if cost_of(rate, answered_s=60.0) >= least]
        if dear:
            where = ", ".join(prefix or "all numbers" for prefix in dear[:EXAMPLES])
            text = f"a minute costs as much as a contact is worth ({least:g} {routing.currency}), or more: {where}"
            yield "warning", ("trunks", place, "rates" if trunks[place].deck else "price"), text + _more(len(dear))


def _accounts(case: _Case) -> Iterator[Told]:
    listed = {carrier.name: carrier for carrier in case.supply.carriers[: len(case.campaign.carriers)]}
    for place, name in enumerate(listed):
        if all(trunk.carrier != name for trunk in case.supply.trunks):
            yield "warning", ("carriers", place, "name"), f"no trunk is of the carrier {name!r}"
        else:
            yield from _together(case, listed[name], ("carriers", place))
    for place, trunk in enumerate(case.supply.trunks):
        account = listed.get(trunk.carrier)
        if account is not None:
            yield from _above_account(case, place, account)
        elif listed:
            named = bool(case.campaign.trunks[place].carrier)
            mend = _near(trunk.carrier, set(listed))
            text = f"{trunk.carrier!r} is not among carriers: an account of its own{mend}"
            level: Level = "warning" if mend else "note"
            yield level, ("trunks", place, "carrier" if named else "name"), text


def _above_account(case: _Case, place: int, account: Carrier) -> Iterator[Told]:
    trunk = case.supply.trunks[place]
    most = account.max_channels
    if most is not None and trunk.max_channels > most:
        text = f"{trunk.max_channels:,} channels, {account.name} has {most:,} for all its trunks: those hold"
        yield "warning", ("trunks", place, "max_channels"), text
    own, all_trunks = sustained(trunk.limits), sustained(account.limits)
    if own is not None and all_trunks is not None and own > all_trunks * (1 + 1e-9):
        text = f"{own:g} set-ups/s, {account.name} takes {all_trunks:g} from all its trunks: those hold"
        yield "warning", ("trunks", place, "max_cps"), text


def _together(case: _Case, account: Carrier, loc: Loc) -> Iterator[Told]:
    trunks = [trunk for trunk in case.supply.trunks if trunk.carrier == account.name]
    channels = sum(trunk.max_channels for trunk in trunks)
    if len(trunks) > 1 and account.max_channels is not None and channels > account.max_channels:
        text = f"its {len(trunks)} trunks have {channels:,} channels, the account {account.max_channels:,}: those hold"
        yield "note", (*loc, "max_channels"), text


def sustained(limits: Sequence[SetUpLimit]) -> float | None:
    """Return how many set-ups a second these limits allow for long; None: they set none."""
    return min((limit.calls / limit.per_s for limit in limits), default=None)


def _surcharges(case: _Case) -> Iterator[Told]:
    currency = case.campaign.routing.currency
    for place, carrier in enumerate(case.campaign.carriers):
        if (fee := carrier.cancelled_calls) is not None and case.campaign.scope == "debt_collection":
            text = (
                f"above {fee.above:.0%} each call that we end before an answer costs {fee.fee:g} {currency}: in "
                "collections nearly every no-answer is one"
            )
            yield "note", ("carriers", place, "cancelled_calls"), text
        if (short := carrier.short_calls) is not None and case.campaign.amd:
            text = (
                f"above {short.above:.0%} each answered call of up to {short.up_to_s:g} s costs {short.fee:g} "
                f"{currency}: with `amd`, machines are hung up on as soon as they are known"
            )
            yield "note", ("carriers", place, "short_calls"), text


# ---- caller IDs -----------------------------------------------------------------------------------------------
def _caller_ids(case: _Case) -> Iterator[Told]:
    trunks = case.supply.trunks
    for index, number in enumerate(case.campaign.caller_ids):
        if all(trunk.caller_ids and number not in trunk.caller_ids for trunk in trunks):
            yield "warning", ("caller_ids", index), f"no trunk takes {number}: it is never shown"
    for place, (country, code) in enumerate(case.coverage.codes.items()):
        profiles = [
            each for each in case.rules.profiles_by_country.get(country, ()) if each.jurisdiction == each.country
        ]
        allowed = set(presentable(case.campaign.caller_ids, profiles, duty_date(case.now)))
        carrying = case.coverage.trunks_of_code(code)
        useless = [each for each in carrying if trunks[each].caller_ids and not allowed & set(trunks[each].caller_ids)]
        if useless and len(useless) == len(carrying):
            text = f"no trunk that carries numbers of {country} takes a caller ID that may be shown there"
            yield "error", ("jurisdictions", place), text
            continue
        for each in useless:
            text = f"takes no caller ID that may be shown in {country}: it carries nothing there"
            yield "warning", ("trunks", each, "caller_ids"), text


def _pools(case: _Case) -> Iterator[Told]:
    pools, trunks = case.campaign.caller_id_pools, case.supply.trunks
    for place, pool in enumerate(pools):
        if all(trunk.caller_ids and not set(pool.numbers) & set(trunk.caller_ids) for trunk in trunks):
            yield "warning", ("caller_id_pools", place, "numbers"), "no trunk takes any of them: they are never shown"
    pooled = {number for pool in pools for number in pool.numbers}
    for index, number in enumerate(case.campaign.caller_ids):
        if pools and number not in pooled:
            yield "note", ("caller_ids", index), f"{number} is in no pool: it may be shown to everybody"


def _shown(case: _Case) -> Iterator[Told]:
    """Numbers of the lists to which no pool's number may be shown."""
    pools = pools_of([Pool(**pool.model_dump()) for pool in case.campaign.caller_id_pools], case.campaign.caller_ids)
    takes_all = any(not trunk.caller_ids for trunk in case.supply.trunks)
    taken = {number for trunk in case.supply.trunks for number in trunk.caller_ids}
    asked = Counter((number.place.jurisdictions, lead.product) for lead in case.leads for number in lead.numbers)
    unshown: Counter[str] = Counter()
    for (jurisdictions, product), count in asked.items():
        suiting = {number for pool in matching(pools, jurisdictions, product) for number in pool.numbers}
        if not (suiting if takes_all else suiting & taken):
            unshown[f"{'/'.join(jurisdictions)}{f' of {product!r}' if product else ''}"] += count
    if unshown:
        level: Level = "error" if unshown.total() == asked.total() else "warning"
        where = f"{', '.join(list(unshown)[:EXAMPLES])}{_more(len(unshown))}"
        text = f"nothing may be shown to {unshown.total():,} of the lists' numbers, in {where}: no call is placed"
        yield level, ("caller_id_pools",), text


def _signed(case: _Case) -> Iterator[Told]:
    trunks = case.supply.trunks
    best = min(trunk.attestation for trunk in trunks)  # A, B, C, none: in this order
    first = next(trunk.name for trunk in trunks if trunk.attestation == best)
    for place, trunk in enumerate(trunks):
        if trunk.attestation != best:
            signs = "does not sign" if trunk.attestation == "none" else f"signs {trunk.attestation}"
            text = f"{signs} our numbers, {first} signs {best}: its calls may be labelled sooner"
            yield "note", ("trunks", place, "attestation"), text


# ---- hours ----------------------------------------------------------------------------------------------------
def _hours(case: _Case) -> Iterator[Told]:
    """Trunks whose hours never meet those in which anybody on the lists may be called."""
    places = {number.place for lead in case.leads for number in lead.numbers}
    spans = sorted({span for place in places for span in case.rules.open_times(place, case.now, days=LOOK_AHEAD_DAYS)})
    for place, trunk in enumerate(case.supply.trunks):
        if trunk.hours and spans and not _meets(OpenHours(trunk.hours), spans):
            text = f"never open while anybody on the lists may be called, in the next {LOOK_AHEAD_DAYS} days"
            yield "error", ("trunks", place, "hours"), text


def _meets(hours: OpenHours, spans: Sequence[tuple[float, float]]) -> bool:
    return any(hours.open(begin) or hours.changes_at(begin) < end for begin, end in spans)


# ---- words ----------------------------------------------------------------------------------------------------
def _more(count: int) -> str:
    return f" and {count - EXAMPLES:,} more" if count > EXAMPLES else ""


def _near(name: str, known: set[str]) -> str:
    mend = meant(name, known, likeness=NEAR)
    return f": {mend}" if mend.startswith("did") else ""
