"""`dialer why`: why a number is called or not."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from compliance.rule import Scope
from dialer.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from compliance.clearance import DialCandidate
    from compliance.ruleset import RuleSet
    from dialer.adapters.number_standing import Asked, Checks, Standing
    from dialer.adapters.store.redis import RedisStore
    from dialer.config.campaign import Campaign
    from dialer.core.lead import Lead


def why(
    number: str,
    campaign: Path | None = None,
    *,
    at: str | None = None,
    scope: Scope | None = None,
    country: str = "",
    json: bool = False,
    data: Path = Path(".cadencia"),
    redis_url: str | None = None,
) -> int:
    """Say for each lead with this number whether it would be called now, and if not, everything that forbids it.

    Looks at the rules and the whole store: stops, registries, consent, the hours that the person asked for, rests, caps
    and what they counted. Exits 0 where it would be called, 1 where not, 2 where something needs mending.

    Parameters
    ----------
    number
        The number in E.164 (+51...).
    campaign
        The campaign's file, for its own rules and lists. Without one, the law alone and the leads in the store.
    at
        As if it were then, as 2026-12-08T10:00-05:00; the records are those of now.
    scope
        What the call is for, where no campaign's file says so: debt_collection if not given.
    country
        The country of a number without a country code, as PE.
    json
        Print JSON.
    data
        The data folder of the campaign (the embedded store).
    redis_url
        The server, where the campaign uses one.
    """
    import time

    import msgspec

    from dialer.cli.loop import run_async
    from dialer.cli.record_key import read_number_forms
    from dialer.cli.record_store import moment
    from dialer.cli.safe_text import safe_json
    from dialer.cli.why_view import show
    from dialer.config.campaign_file import read_campaign

    now = time.time() if at is None else moment("--at", at)
    forms = read_number_forms(number, country)
    if campaign is not None and scope is not None:
        raise ConfigError(f"--scope {scope}: expected none beside {campaign}, which has its own")
    settings = None if campaign is None else read_campaign(campaign)
    rules = _rules(settings, campaign, scope or "debt_collection")
    listed = [] if campaign is None or settings is None else _listed(campaign, settings, forms)
    standings = run_async(_standings(forms, rules, settings, listed, now, data, redis_url))
    allowed = any(standing.allowed for standing in standings)
    if json:
        answer = {"number": forms[0], "allowed": allowed, "leads": standings}
        print(safe_json(msgspec.json.encode(answer).decode()))
    else:
        show(forms[0], now, standings)
    return 0 if allowed else 1


def _listed(path: Path, campaign: Campaign, forms: tuple[str, ...]) -> list[Lead]:
    """The leads of the campaign's lists that have the number, as a run would read them now."""
    from dialer.adapters.lead_list import Seen, read_leads
    from dialer.config.campaign_file import list_paths

    seen, jurisdictions = Seen(), campaign.jurisdictions
    return [
        lead
        for file in list_paths(path, campaign)
        for lead in read_leads(file, default_country=jurisdictions[0], jurisdictions=jurisdictions, seen=seen).leads
        if any(number.e164 in forms for number in lead.numbers)
    ]


async def _standings(
    forms: tuple[str, ...],
    rules: Rulebook,
    campaign: Campaign | None,
    listed: Sequence[Lead],
    now: float,
    data: Path,
    redis_url: str | None,
) -> list[Standing]:
    from dialer.adapters.number_standing import standing_of
    from dialer.cli.record_store import open_records

    async with open_records(redis_url, data) as store:
        questions = await _asked_of_leads(store, forms, rules, campaign, listed)
        if not questions:
            return [await _unlisted(store, forms[0], rules, now)]
        return [await standing_of(store, question, now) for question in questions]


async def _asked_of_leads(
    store: RedisStore, forms: tuple[str, ...], rules: Rulebook, campaign: Campaign | None, listed: Sequence[Lead]
) -> list[Asked]:
    """One question for each lead that has the number; with a campaign file, of that campaign alone, and of its lists
    as they are now: a run takes leads from there, and only how far each is from the store."""
    from dialer.adapters.number_standing import Asked
    from dialer.core.lead import LeadProgress

    found: list[Asked] = []
    for form in forms:
        leads = {
            (name, lead.lead_id): (lead, progress)
            for name, lead, progress in await store.find_number(form)
            if campaign is None or name == campaign.campaign
        }
        for lead in listed:
            if campaign is not None and any(number.e164 == form for number in lead.numbers):
                key = (campaign.campaign, lead.lead_id)
                leads[key] = lead, leads[key][1] if key in leads else LeadProgress(lead_id=lead.lead_id)
        for (name, _), (lead, progress) in leads.items():
            index = next(place for place, entry in enumerate(lead.numbers) if entry.e164 == form)
            candidate = rules.candidate(name, lead, index)
            found.append(
                Asked(
                    candidate=candidate,
                    rules=rules.rules,
                    checks_at=rules.checks(candidate),
                    campaign=name,
                    number_index=index,
                    progress=progress,
                )
            )
    return found


async def _unlisted(store: RedisStore, number: str, rules: Rulebook, now: float) -> Standing:
    """Return how a number stands that no lead has: by the law of its place, and as its own person, as a list would
    have it that names none."""
    from compliance.clearance import DialCandidate
    from compliance.reason import Reason
    from compliance.resolve import resolve
    from dialer.adapters.number_standing import Asked, Standing, standing_of

    place = resolve(number)
    if place.fault:
        return Standing(
            number=number,
            campaign="",
            lead_id="",
            person="",
            debt="",
            allowed=False,
            reasons=(Reason(rule=place.fault, text=place.fault_text),),
            next_allowed_at=None,
        )
    candidate = DialCandidate(lead_id=number, person=number, debt=number, number=number, place=place.place)
    return await standing_of(
        store, Asked(candidate=candidate, rules=rules.rules, checks_at=rules.checks(candidate)), now
    )


def _rules(campaign: Campaign | None, file: Path | None, scope: Scope) -> Rulebook:
    from dialer.config.rule_packs import law, rule_set

    if campaign is None:
        return Rulebook(law(scope), None)
    return Rulebook(rule_set(campaign, Path() if file is None else file.parent), campaign)


class Rulebook:
    """The rules of a campaign, or the law alone, and what an attempt under them must pass."""

    def __init__(self, rules: RuleSet, campaign: Campaign | None) -> None:
        from dialer.core.claiming import Claims

        self.rules = rules
        self._claims = None if campaign is None else Claims(campaign, rules)

    def candidate(self, campaign: str, lead: Lead, number_index: int) -> DialCandidate:
        """Return what the rules must know of an attempt on a lead's number."""
        from compliance.clearance import DialCandidate

        if self._claims is not None:
            return self._claims.candidate(lead, number_index)
        number = lead.numbers[number_index]
        return DialCandidate(
            lead_id=lead.lead_id,
            person=lead.person,
            debt=lead.debt,
            number=number.e164,
            place=number.place,
            account=lead.account,
            subject=campaign,
            campaign=campaign,
            use=number.use,
        )

    def checks(self, candidate: DialCandidate) -> Callable[[float], Checks]:
        """Return what tells for a moment what the attempt must pass."""
        claims = self._claims
        if claims is None:
            return lambda at: self.rules.clearance(candidate, at)
        return lambda at: claims.of(candidate, attempt_id=0, now=at)
