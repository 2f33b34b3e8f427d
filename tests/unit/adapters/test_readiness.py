"""Who may be called now, who not, and why."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec
import pytest

from compliance.clearance import Place
from compliance.rule import ConsentRule, Profile
from compliance.ruleset import RuleSet
from compliance.streams import Record
from dialer.adapters.readiness import Readiness, readiness, streams
from dialer.adapters.store.memory import CampaignRecord, MemoryData
from dialer.config.campaign import Campaign
from dialer.config.rule_packs import policy, rule_set
from dialer.core.claiming import Claims
from dialer.core.lead import Lead, LeadProgress, PhoneNumber
from dialer.ports import Consent, RegistryInfo

ZONE = ZoneInfo("America/Lima")
MONDAY = datetime(2026, 11, 23, 10, 0, tzinfo=ZONE).timestamp()
SUNDAY = datetime(2026, 11, 22, 10, 0, tzinfo=ZONE).timestamp()
LIMA = Place(("PE",), ("America/Lima",))
CAMPAIGN = Campaign.model_validate(
    {
        "campaign": "c",
        "jurisdictions": ["PE"],
        "trunks": [{"name": "t"}],
        "caller_ids": ["+5117000000"],
        "agents": [{"id": "ana"}],
    }
)


def lead(lead_id: str, *, person: str = "", priority: int = 0, country: str = "PE") -> Lead:
    number = PhoneNumber(e164=f"+5198700{int(lead_id):04}", zones=("America/Lima",), country=country)
    return Lead(lead_id=lead_id, numbers=(number,), person=person or lead_id, debt=lead_id, priority=priority)


@pytest.fixture(scope="module")
def rules() -> RuleSet:
    return rule_set(CAMPAIGN)


def look(rules: RuleSet, leads: list[Lead], now: float = MONDAY, **data: object) -> Readiness:
    record = CampaignRecord(progress=data.pop("progress", {}), held=data.pop("held", {}))  # type: ignore[arg-type]
    return readiness(CAMPAIGN, leads, rules, MemoryData(campaigns={"c": record}, **data), now)  # type: ignore[arg-type]


def why(found: Readiness) -> dict[str, tuple[str, str]]:
    return {state.lead_id: (state.why, state.rule) for state in found.leads}


def test_all_are_callable_in_dialling_order(rules: RuleSet) -> None:
    found = look(rules, [lead("1"), lead("2", priority=5), lead("3")])
    assert [state.lead_id for state in found.leads] == ["2", "1", "3"]
    assert (found.callable_now, found.next_callable_at, found.counts) == (3, MONDAY, ())


def test_every_reason(rules: RuleSet) -> None:
    progress = {
        "2": LeadProgress(lead_id="2", next_at=MONDAY + 900, by_disposition={"BUSY": 1}),
        "3": LeadProgress(lead_id="3", status="finished", by_disposition={"PTP": 1}),
        "4": LeadProgress(lead_id="4", status="stopped"),
    }
    spent = [list(Record(MONDAY - ago, "NO_ANSWER")) for ago in (7200, 3600)]
    found = look(
        rules,
        [lead(str(number)) for number in range(1, 8)] + [lead("8", country="CL")],
        progress=progress,
        held={"7": 99},
        stops={"person:5": ("deceased", "paid")},
        facts={"person:6": spent},
    )
    assert why(found) == {
        "1": ("", ""),
        "2": ("rest", "BUSY"),
        "3": ("finished", "PTP"),
        "4": ("stopped", ""),
        "5": ("stopped", "deceased"),
        "6": ("cap", "policy-2-a-day"),
        "7": ("held", ""),
        "8": ("window", "jurisdiction.unknown"),
    }
    assert found.callable_now == 1
    assert sum(count for _, _, count in found.counts) == 7


def test_a_refused_cap_says_when(rules: RuleSet) -> None:
    spent = [list(Record(MONDAY - ago, "NO_ANSWER")) for ago in (7200, 3600)]
    found = look(rules, [lead("1")], facts={"person:1": spent})
    midnight = datetime.fromtimestamp(MONDAY, ZONE).replace(hour=0) + timedelta(days=1)
    assert found.leads[0].at == midnight.timestamp()
    # The slot is free at midnight, and the hours of the law begin later.
    assert found.next_callable_at is not None and found.next_callable_at > midnight.timestamp()
    opens = rules.window(LIMA, midnight.timestamp())
    assert not opens.open and found.next_callable_at == opens.changes_at


def test_two_leads_of_one_person_share_a_cap(rules: RuleSet) -> None:
    found = look(
        rules, [lead("1", person="p"), lead("2", person="p")], facts={"person:p": [list(Record(MONDAY - 60, "BUSY"))]}
    )
    assert [state.why for state in found.leads] == ["", "cap"]


def test_a_closed_window_comes_before_rest_and_says_when_it_opens(rules: RuleSet) -> None:
    late = LeadProgress(lead_id="2", next_at=MONDAY + 3 * 3600)
    found = look(rules, [lead("1"), lead("2")], SUNDAY, progress={"2": late})
    assert {reason for reason, _ in why(found).values()} == {"window"}
    assert found.next_callable_at == rules.window(LIMA, SUNDAY).changes_at
    only_late = look(rules, [lead("2")], SUNDAY, progress={"2": late})
    assert only_late.next_callable_at == MONDAY + 3 * 3600


def test_an_emergency_stop_leaves_nobody(rules: RuleSet) -> None:
    found = look(rules, [lead("1")], stops={"everything": ("emergency",)})
    assert why(found) == {"1": ("stopped", "emergency")}
    assert (found.callable_now, found.next_callable_at) == (0, None)


def test_a_number_that_is_gone_from_the_lead_is_not_asked_for(rules: RuleSet) -> None:
    found = look(rules, [lead("1")], progress={"1": LeadProgress(lead_id="1", number_index=4)})
    assert found.callable_now == 1


def test_a_lead_that_is_on_no_list_any_more_is_not_asked_for(rules: RuleSet) -> None:
    gone = CampaignRecord(leads={"9": lead("9")}, progress={"9": LeadProgress(lead_id="9")})
    found = readiness(CAMPAIGN, [lead("1")], rules, MemoryData(campaigns={"c": gone}), MONDAY)
    assert [state.lead_id for state in found.leads] == ["1"]


def test_the_streams_are_those_of_every_number(rules: RuleSet) -> None:
    who = lead("1")
    first = rules.clearance(Claims(CAMPAIGN, rules).candidate(who, 0), MONDAY)
    found = set(streams(CAMPAIGN, [who], rules, MONDAY))
    assert found == set(first.fact_keys) >= {cap.key for cap in first.caps}


def test_a_number_that_no_rule_will_ever_allow_gives_way_to_the_next(rules: RuleSet) -> None:
    known, unknown = lead("1").numbers[0], lead("2", country="CL").numbers[0]
    both = msgspec.structs.replace(lead("1"), numbers=(unknown, known))
    found = look(rules, [both])
    assert (found.callable_now, found.leads[0].number) == (1, known.e164)


INFO = RegistryInfo(name="house", as_of=MONDAY - 86400, imported_at=MONDAY, count=1, source="house.csv")
HOUSE = CAMPAIGN.model_copy(update={"dnc_registries": ("house",)})


def look_at(campaign: Campaign, leads: list[Lead], **data: object) -> Readiness:
    record = MemoryData(campaigns={"c": CampaignRecord()}, **data)  # type: ignore[arg-type]
    return readiness(campaign, leads, rule_set(campaign), record, MONDAY)


def test_a_number_on_a_registry_is_told_and_the_next_one_taken() -> None:
    first, second = lead("1").numbers[0], lead("2").numbers[0]
    listed = {"house": (INFO, {int(first.e164.removeprefix("+"))})}
    assert why(look_at(HOUSE, [lead("1")], registries=listed)) == {"1": ("dnc", "house")}
    both = msgspec.structs.replace(lead("1"), numbers=(first, second))
    found = look_at(HOUSE, [both], registries=listed)
    assert (found.leads[0].why, found.leads[0].number) == ("", second.e164)
    assert why(look_at(HOUSE, [lead("1")])) == {"1": ("dnc", "house:missing")}


def test_a_stop_of_one_number_leaves_the_next() -> None:
    first, second = lead("1").numbers[0], lead("2").numbers[0]
    both = msgspec.structs.replace(lead("1"), numbers=(first, second))
    stops = {f"number:{first.e164}": ("do_not_call",)}
    found = look_at(CAMPAIGN, [both], stops=stops)
    assert (found.leads[0].why, found.leads[0].number) == ("", second.e164)
    stops |= {f"number:{second.e164}": ("fraud",)}
    assert why(look_at(CAMPAIGN, [both], stops=stops))["1"][0] == "stopped"
    assert why(look_at(CAMPAIGN, [both], stops={"person:1": ("paid",)})) == {"1": ("stopped", "paid")}


def test_a_registry_that_was_never_imported_blocks_also_where_an_old_copy_warns() -> None:
    warned = HOUSE.model_copy(update={"stale_lists": "warn"})
    assert why(look_at(warned, [lead("1")])) == {"1": ("dnc", "house:missing")}


def test_a_consent_that_was_revoked_since_holds_no_more() -> None:
    law = Profile(
        id="pe-consent", jurisdiction="PE", scope=("debt_collection",), confidence="V1", consent=ConsentRule()
    )
    strict = RuleSet({"PE": (law,)}, policy=policy(), scope="debt_collection")
    number = lead("1").numbers[0].e164
    for key, held in ((f"number:{number}", False), ("person:1", False), ("person:2", True)):
        data = MemoryData(
            campaigns={"c": CampaignRecord()},
            consents={"debt_collection|person:1": Consent(source="contract", at=MONDAY - 2.0)},
            revocations={f"debt_collection|{key}": MONDAY - 1.0},
        )
        found = why(readiness(CAMPAIGN, [lead("1")], strict, data, MONDAY))
        assert found == {"1": ("", "") if held else ("consent", "pe-consent")}, key


def test_hours_that_a_person_asked_for_are_told_with_their_end() -> None:
    found = look_at(CAMPAIGN, [lead("1")], hours={"1": ((0, 9 * 60, 12 * 60),)})
    assert why(found) == {"1": ("hours", "person.hours")}
    noon = datetime.fromtimestamp(MONDAY, ZONE).replace(hour=12).timestamp()
    assert (found.leads[0].at, found.next_callable_at) == (noon, noon)


def test_a_want_of_consent_is_told(rules: RuleSet) -> None:
    law = Profile(
        id="pe-consent", jurisdiction="PE", scope=("debt_collection",), confidence="V1", consent=ConsentRule()
    )
    strict = RuleSet({"PE": (law,)}, policy=policy(), scope="debt_collection")
    data = MemoryData(campaigns={"c": CampaignRecord()})
    assert why(readiness(CAMPAIGN, [lead("1")], strict, data, MONDAY)) == {"1": ("consent", "pe-consent")}
    given = Consent(source="contract", at=MONDAY - 1.0)
    agreed = MemoryData(campaigns={"c": CampaignRecord()}, consents={"debt_collection|person:1": given})
    assert why(readiness(CAMPAIGN, [lead("1")], strict, agreed, MONDAY)) == {"1": ("", "")}
