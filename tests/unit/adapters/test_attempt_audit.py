"""The audit of journals: a clean day has no violation, and each way to break a rule is told with its line."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
import pytest

from dialer.adapters.attempt_audit import audit_journals, journals_to_audit
from dialer.adapters.audit_report import AuditReport
from dialer.adapters.journal import Journal, header_of, journal_path
from dialer.adapters.lifted_stops import LiftedStop, note_lifted
from dialer.bootstrap import simulate
from dialer.cli.compliance.audit import audit
from dialer.config.campaign import Campaign
from dialer.core import actions as act
from dialer.core import events as ev
from dialer.core.lead import Lead, LeadProgress, PhoneNumber
from dialer.errors import ConfigError, JournalError
from sim.scenario_file import packaged_scenario

LIMA = ZoneInfo("America/Lima")
NEW_YORK = ZoneInfo("America/New_York")
TUESDAY = datetime(2026, 11, 24, 10, 0, tzinfo=LIMA)
PERU = PhoneNumber(e164="+51999000111", zones=("America/Lima",), country="PE", jurisdictions=("PE",))
OHIO = PhoneNumber(
    e164="+12165550123", zones=("America/New_York",), country="US", jurisdictions=("US", "US-OH"), line_type="fixed"
)
DAILY = 24 * 3600.0


def campaign_of(**changes: object) -> Campaign:
    return Campaign.model_validate(
        {
            "campaign": "cobranza",
            "jurisdictions": ["PE", "US"],
            "trunks": [{"name": "t1"}],
            "caller_ids": ["+5117000000"],
            "agents": [{"id": "ana"}],
            **changes,
        }
    )


def lead_of(number: PhoneNumber = PERU, name: str = "L1", **changes: object) -> Lead:
    return Lead(**{"lead_id": name, "numbers": (number,), "person": f"P-{name}", "debt": f"D-{name}", **changes})  # type: ignore[arg-type]


PROFILES = ("pe-debt", "us-fed-debt", "us-oh-debt")


@dataclass
class Day:
    """Writes the journal of a run by hand, step by step."""

    data: Path
    at: float = TUESDAY.timestamp()
    campaign: Campaign = field(default_factory=campaign_of)
    run: int = 1
    leads: tuple[Lead, ...] = (lead_of(),)
    versions: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        header = header_of(self.campaign, run=self.run, seed=1, started_at=self.at, versions=self.versions)
        self.path = journal_path(self.data, header)
        self.journal = Journal(self.path, header)
        self.next_id = self.run * 1_000_000
        progress = tuple(LeadProgress(lead_id=lead.lead_id) for lead in self.leads)
        self.tell(ev.LeadsAdded(at=self.at, leads=self.leads, progress=progress))

    def tell(self, event: ev.Event, *actions: act.Action) -> None:
        self.journal.append(event, actions)

    def claim(self, lead: Lead, at: float, **changes: object) -> act.Claim:
        self.next_id += 1
        claim = act.Claim(
            attempt_id=self.next_id,
            lead_id=lead.lead_id,
            number=lead.numbers[0].e164,
            at=at,
            stop_keys=(),
            fact_keys=(),
            caps=(),
            person=lead.person,
            profiles=PROFILES,
        )
        return msgspec.structs.replace(claim, **changes)

    def call(self, at: float, disposition: str = "NO_ANSWER", lead: Lead | None = None, **changes: object) -> int:
        """A call from its claim to its settlement, half a minute later."""
        lead = lead or self.leads[0]
        claim = self.claim(lead, at, **changes)
        self.tell(ev.TimePassed(at=at), act.Reserve(claims=(claim,)))
        self.tell(ev.Reserved(at=at, attempt_ids=(claim.attempt_id,)), self.originate(claim))
        self.settle(claim, at + 30.0, disposition)
        return claim.attempt_id

    def originate(self, claim: act.Claim) -> act.Originate:
        return act.Originate(
            attempt_id=claim.attempt_id,
            try_no=1,
            lead_id=claim.lead_id,
            number=claim.number,
            trunk="t1",
            caller_id="+5117000000",
            ring_timeout_s=22.0,
        )

    def settle(self, claim: act.Claim, at: float, disposition: str, *, stop_keys: tuple[str, ...] = ()) -> None:
        settlement = act.Settlement(
            attempt_id=claim.attempt_id,
            lead_id=claim.lead_id,
            number=claim.number,
            at=at,
            disposition=disposition,
            reserved_at=claim.at,
            originated_at=claim.at,
            answered_at=None,
            bridged_at=None,
            ended_at=at,
            agent_id=None,
            trunk="t1",
            caller_id=None,
            fact_keys=(),
            progress=LeadProgress(lead_id=claim.lead_id),
            stop_keys=stop_keys,
            stop_reason="do_not_call" if stop_keys else "",
        )
        ended = ev.AttemptEnded(at=at, attempt_id=claim.attempt_id, cause=16)
        self.tell(ended, act.Settle(settlements=(settlement,)))

    def report(self, *beside: Day) -> AuditReport:
        for day in (self, *beside):
            day.journal.flush()
        return audit_journals([self.path], beside=[day.path for day in beside])


def rules(report: AuditReport) -> list[str]:
    return [violation.rule for violation in report.violations]


# ---- a day as it should be ----------------------------------------------------------------------------------
def test_a_day_within_the_rules_has_no_violation(tmp_path: Path) -> None:
    day = Day(tmp_path)
    day.call(TUESDAY.timestamp())
    day.call(TUESDAY.timestamp() + 3600.0, "RPC")
    report = day.report()
    assert (report.attempts, report.violations) == (2, ())


def test_a_further_try_is_the_same_attempt(tmp_path: Path) -> None:
    day = Day(tmp_path)
    day.call(TUESDAY.timestamp())
    claim = day.claim(day.leads[0], TUESDAY.timestamp() + 60.0)
    call = day.originate(claim)
    day.tell(ev.TimePassed(at=claim.at), act.Reserve(claims=(claim,)))
    day.tell(ev.Reserved(at=claim.at, attempt_ids=(claim.attempt_id,)), call)
    again = msgspec.structs.replace(call, try_no=2, trunk="t2")
    day.tell(ev.AttemptEnded(at=claim.at + 2.0, attempt_id=claim.attempt_id, cause=34), again)
    report = day.report()
    assert (report.attempts, report.violations) == (2, ())


def test_a_simulated_day_has_no_violation_and_one_moved_by_hours_has(tmp_path: Path) -> None:
    scenario = packaged_scenario("collections_demo", agents=5, leads=150, duration_s=600.0)
    journal = simulate(scenario, policy="progressive-v1", journal_dir=tmp_path).journal
    assert journal is not None
    report = audit_journals([journal])
    assert report.attempts > 30 and report.violations == ()
    moved = tmp_path / "moved.jsonl"
    later = re.compile(r'("at":)(\d+(?:\.\d+)?)')
    text = later.sub(lambda found: f"{found[1]}{float(found[2]) + 16 * 3600.0}", journal.read_text())
    moved.write_text(text)
    late = audit_journals([moved])
    assert {violation.attempt_id for violation in late.violations if violation.rule.endswith(".hours")}
    assert len({violation.attempt_id for violation in late.violations}) == late.attempts


# ---- hours --------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("hours", "rule"),
    [
        (timedelta(hours=-4), ["pe-debt.hours"]),  # 06:00
        (timedelta(hours=10), ["pe-debt.hours"]),  # 20:00
        (timedelta(hours=10, seconds=-44), ["ring_guard"]),  # within the guard
        (timedelta(hours=10, seconds=-46), []),
        (timedelta(days=4), ["pe-debt.hours"]),  # Saturday
        (timedelta(days=14), ["pe-debt.holiday"]),  # 8 December
    ],
)
def test_a_call_at_another_hour_is_told(tmp_path: Path, hours: timedelta, rule: list[str]) -> None:
    day = Day(tmp_path)
    day.call((TUESDAY + hours).timestamp())
    assert rules(day.report()) == rule


def test_the_hours_hold_when_the_call_is_placed_not_when_it_was_claimed(tmp_path: Path) -> None:
    day = Day(tmp_path)
    claim = day.claim(day.leads[0], (TUESDAY + timedelta(hours=9, minutes=58)).timestamp())
    day.tell(ev.TimePassed(at=claim.at), act.Reserve(claims=(claim,)))
    day.tell(ev.Reserved(at=claim.at + 180.0, attempt_ids=(claim.attempt_id,)), day.originate(claim))
    assert rules(day.report()) == ["pe-debt.hours"]


def test_the_campaigns_own_hours_and_days_hold_too(tmp_path: Path) -> None:
    campaign = campaign_of(
        windows=[{"days": ["tue", "wed"], "allow": [["11:00", "12:00"]]}], closed_dates=["2026-11-25"]
    )
    day = Day(tmp_path, campaign=campaign)
    day.call(TUESDAY.timestamp())
    day.call((TUESDAY + timedelta(hours=1)).timestamp())
    day.call((TUESDAY + timedelta(days=1, hours=1)).timestamp())
    report = day.report()
    assert [(violation.attempt_id or 0) % 1000 for violation in report.violations] == [1, 3]
    assert all("campaign" in rule for rule in rules(report))


def test_an_address_in_another_zone_counts(tmp_path: Path) -> None:
    """08:15 in New York is 05:15 in Los Angeles: the lead moved and kept the number."""
    moved = msgspec.structs.replace(
        OHIO, zones=("America/Los_Angeles", "America/New_York"), jurisdictions=("US", "US-CA", "US-OH")
    )
    morning = datetime(2026, 11, 24, 8, 15, tzinfo=NEW_YORK).timestamp()
    assert rules(Day(tmp_path / "a", leads=(lead_of(moved),), at=morning).report()) == []
    day = Day(tmp_path / "b", leads=(lead_of(moved),), at=morning)
    day.call(morning)
    assert "us-fed-debt.hours" in rules(day.report())


def test_zones_that_leave_out_the_numbers_own_are_not_believed(tmp_path: Path) -> None:
    wrong = msgspec.structs.replace(OHIO, zones=("America/Chicago", "America/Denver"))
    evening = datetime(2026, 11, 24, 21, 30, tzinfo=NEW_YORK).timestamp()
    day = Day(tmp_path, leads=(lead_of(wrong),), at=evening)
    day.call(evening)
    assert "us-fed-debt.hours" in rules(day.report())


def test_a_zone_that_the_list_named_stands_and_is_noted(tmp_path: Path) -> None:
    named = msgspec.structs.replace(OHIO, zones=("America/Chicago",))
    evening = datetime(2026, 11, 24, 21, 30, tzinfo=NEW_YORK).timestamp()
    day = Day(tmp_path, leads=(lead_of(named),), at=evening)
    day.call(evening)
    report = day.report()
    assert rules(report) == [] and "1 number" in report.notes[0]


def test_a_zone_of_another_country_is_not_the_lists_to_name(tmp_path: Path) -> None:
    day = Day(tmp_path, leads=(lead_of(msgspec.structs.replace(OHIO, zones=("Asia/Tokyo",))),), at=TUESDAY.timestamp())
    day.call(TUESDAY.timestamp())
    assert rules(day.report()) == ["zone.contradictory"]


# ---- where --------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("e164", "rule"),
    [
        ("+51123", "number.invalid"),
        ("+18005550123", "number.non_geographic"),
        ("+5491123456789", "jurisdiction.unknown"),
    ],
)
def test_a_number_that_cannot_be_placed_is_told(tmp_path: Path, e164: str, rule: str) -> None:
    number = PhoneNumber(e164=e164, zones=("America/Lima",), country="PE")
    day = Day(tmp_path, leads=(lead_of(number),))
    day.call(TUESDAY.timestamp())
    assert rules(day.report()) == [rule]


# ---- caps ---------------------------------------------------------------------------------------------------
def test_a_third_call_a_day_is_told(tmp_path: Path) -> None:
    day = Day(tmp_path)
    for hour in range(3):
        day.call(TUESDAY.timestamp() + hour * 3600.0)
    assert rules(day.report()) == ["policy-2-a-day"]


def test_what_the_cap_excludes_does_not_count(tmp_path: Path) -> None:
    day = Day(tmp_path)
    for hour in range(3):
        day.call(TUESDAY.timestamp() + hour * 3600.0, "FAILED")
    assert rules(day.report()) == []


def test_a_call_that_is_not_settled_counts(tmp_path: Path) -> None:
    day = Day(tmp_path)
    claim = day.claim(day.leads[0], TUESDAY.timestamp())
    day.tell(ev.TimePassed(at=claim.at), act.Reserve(claims=(claim,)))
    day.tell(ev.Reserved(at=claim.at, attempt_ids=(claim.attempt_id,)), day.originate(claim))
    for hour in (1, 2):
        day.call(TUESDAY.timestamp() + hour * 3600.0, "FAILED")
    assert "policy-72-h-after-abandoned" in rules(day.report())  # an outcome that nobody knows is all of them


def test_the_eighth_attempt_of_seven_days_is_told(tmp_path: Path) -> None:
    begin = datetime(2026, 11, 17, 10, 0, tzinfo=NEW_YORK)
    day = Day(tmp_path, leads=(lead_of(OHIO),), at=begin.timestamp())
    for number in range(7):
        day.call((begin + timedelta(days=number)).timestamp())
    assert rules(day.report()) == []
    day.call((begin + timedelta(days=6, hours=1)).timestamp())
    assert sorted(rules(day.report())) == ["policy-7-in-7-days", "us-7in7"]
    day.call((begin + timedelta(days=7)).timestamp())  # the first day has left the period, one of two remains
    assert len(rules(day.report())) == 4


def test_the_sixth_day_after_a_conversation_is_told_and_the_seventh_is_not(tmp_path: Path) -> None:
    begin = datetime(2026, 11, 17, 18, 0, tzinfo=NEW_YORK)
    day = Day(tmp_path, leads=(lead_of(OHIO),), at=begin.timestamp())
    day.call(begin.timestamp(), "RPC")
    day.call((begin + timedelta(days=6)).timestamp(), "BUSY")
    day.call((begin + timedelta(days=7, hours=-9)).timestamp())
    report = day.report()
    assert [(violation.attempt_id or 0) % 1000 for violation in report.violations] == [2]


def test_attempts_of_other_campaigns_and_earlier_runs_count(tmp_path: Path) -> None:
    morning, noon, later = (TUESDAY.timestamp() + hour * 3600.0 for hour in range(3))
    shared = lead_of(person="the same person")
    other = Day(tmp_path, campaign=campaign_of(campaign="otra"), leads=(lead_of(name="X", person="the same person"),))
    other.call(morning)
    first = Day(tmp_path, leads=(shared,))
    first.call(noon)
    second = Day(tmp_path, at=later, run=2, leads=(shared,))
    second.call(later)
    assert rules(second.report()) == []
    report = second.report(other, first)
    assert rules(report) == ["policy-2-a-day"] and report.looked_back == 2


def test_an_inherited_claim_counts_where_its_journal_is_gone(tmp_path: Path) -> None:
    day = Day(tmp_path, run=2)
    lost = day.claim(day.leads[0], TUESDAY.timestamp() - 3600.0, attempt_id=1_000_001)
    day.tell(ev.AttemptsInherited(at=TUESDAY.timestamp(), claims=(lost,)))
    day.call(TUESDAY.timestamp())
    assert "policy-72-h-after-abandoned" in rules(day.report())


# ---- stops --------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("key", ["lead:L1", "number:+51999000111", "person:P-L1", "debt:D-L1", "everything"])
def test_a_call_after_a_stop_is_told(tmp_path: Path, key: str) -> None:
    day = Day(tmp_path)
    day.tell(ev.LeadStopped(at=TUESDAY.timestamp(), key=key, reason="disputed"))
    day.call(TUESDAY.timestamp() + 1.0)
    assert rules(day.report()) == ["stop:disputed"]


def test_a_stop_of_another_holds_nobody_up(tmp_path: Path) -> None:
    day = Day(tmp_path)
    day.tell(ev.LeadStopped(at=TUESDAY.timestamp(), key="lead:L2", reason="paid"))
    day.tell(ev.LeadStopped(at=TUESDAY.timestamp(), key="work:P-L1", reason="employer"))  # not a number of their work
    day.call(TUESDAY.timestamp() + 1.0)
    assert rules(day.report()) == []


def test_a_settlement_that_stops_holds_in_this_journal_at_once_and_in_others_soon(tmp_path: Path) -> None:
    day = Day(tmp_path)
    first = day.call(TUESDAY.timestamp())
    claim = day.claim(day.leads[0], TUESDAY.timestamp(), attempt_id=first)
    day.settle(claim, TUESDAY.timestamp() + 60.0, "DNC_REQUEST", stop_keys=("person:P-L1",))
    day.call(TUESDAY.timestamp() + 61.0)
    assert "stop:do_not_call" in rules(day.report())
    other = Day(tmp_path, campaign=campaign_of(campaign="otra"), leads=(lead_of(name="X", person="P-L1"),))
    other.call(TUESDAY.timestamp() + 62.0)
    other.call(TUESDAY.timestamp() + 70.0)
    stopped = [(v.attempt_id or 0) % 1000 for v in other.report(day).violations if v.rule.startswith("stop:")]
    assert stopped == [2]


def test_a_stop_that_was_taken_back_forbids_until_then(tmp_path: Path) -> None:
    day = Day(tmp_path)
    noon = TUESDAY.timestamp()
    day.tell(ev.LeadStopped(at=noon, key="person:P-L1", reason="paid"))
    day.tell(ev.LeadStopped(at=noon, key="person:P-L1", reason="do_not_call"))
    early = day.call(noon + 10.0)
    note_lifted(tmp_path, LiftedStop(at=noon + 60.0, key="person:P-L1", reasons=("paid",)))
    middle = day.call(noon + 3700.0)
    report = day.report()
    assert [(found.attempt_id, found.rule) for found in report.violations] == [
        (early, "stop:paid"),
        (early, "stop:do_not_call"),
        (middle, "stop:do_not_call"),
    ]
    note_lifted(tmp_path, LiftedStop(at=noon + 50.0, key="person:P-L1", reasons=("do_not_call",)))
    note_lifted(tmp_path, LiftedStop(at=noon + 50.0, key="person:P-L2", reasons=("paid",)))
    assert {found.attempt_id for found in day.report().violations} == {early}


def test_an_emergency_stop_holds_for_the_next_run_until_it_is_lifted(tmp_path: Path) -> None:
    noon = TUESDAY.timestamp()
    first = Day(tmp_path)
    first.tell(ev.LeadStopped(at=noon, key="everything", reason="emergency"))
    second = Day(tmp_path, run=2, at=noon + 3600.0)
    second.call(noon + 3600.0)
    assert rules(second.report(first)) == ["stop:emergency"]
    note_lifted(tmp_path, LiftedStop(at=noon + 1800.0, key="everything", reasons=("emergency",)))
    assert rules(second.report(first)) == []


def test_a_claim_of_before_a_stop_is_lifted_is_no_lawful_one(tmp_path: Path) -> None:
    day = Day(tmp_path)
    noon = TUESDAY.timestamp()
    day.tell(ev.LeadStopped(at=noon, key="lead:L1", reason="paid"))
    claim = day.claim(day.leads[0], noon + 10.0)
    day.tell(ev.TimePassed(at=claim.at), act.Reserve(claims=(claim,)))
    note_lifted(tmp_path, LiftedStop(at=noon + 15.0, key="lead:L1", reasons=("paid",)))
    day.tell(ev.Reserved(at=noon + 20.0, attempt_ids=(claim.attempt_id,)), day.originate(claim))
    assert rules(day.report()) == ["stop:paid"]


def test_a_damaged_record_of_what_was_taken_back_is_told_with_its_line(tmp_path: Path) -> None:
    day = Day(tmp_path)
    note_lifted(tmp_path, LiftedStop(at=0.0, key="lead:L1", reasons=("paid",)))
    path = tmp_path / "journal" / "lifted.jsonl"
    path.write_bytes(path.read_bytes() + b'{"at":"x"}\n')
    with pytest.raises(JournalError, match=r"lifted\.jsonl:2: expected a stop"):
        day.report()


# ---- versions -----------------------------------------------------------------------------------------------
def test_the_versions_of_a_journal_are_told_and_what_differs_now(tmp_path: Path) -> None:
    now = {"rules": "2026.11.21", "tzdata": "2026f", "pack own.yaml": "ab" * 32}
    days = [
        Day(tmp_path, run=1),
        Day(tmp_path, run=2, versions=now),
        Day(tmp_path, run=3, versions={"rules": "2026.1.1", "tzdata": "2026f"}),
        Day(tmp_path, run=4, versions=now),
    ]
    for day in days:
        day.journal.flush()
    report = audit_journals([day.path for day in days], versions_of=lambda _: now)
    assert report.violations == ()
    assert report.notes == (
        f"{days[0].path}: names no versions of rules and data, so they may have been others; checked with "
        "pack own.yaml abababababababababab, rules 2026.11.21, tzdata 2026f",
        f"{days[1].path} and 1 more: run and checked with pack own.yaml abababababababababab, "
        "rules 2026.11.21, tzdata 2026f",
        f"{days[2].path}: run with other versions than it is checked with: pack own.yaml none, now "
        "abababababababababab, rules 2026.1.1, now 2026.11.21; the same: tzdata 2026f",
    )
    assert report.versions[str(days[2].path)]["rules"] == "2026.1.1" and report.versions_now == now


# ---- durable before irreversible ----------------------------------------------------------------------------
def test_a_call_without_a_reservation_is_told(tmp_path: Path) -> None:
    day = Day(tmp_path)
    claim = day.claim(day.leads[0], TUESDAY.timestamp())
    day.tell(ev.TimePassed(at=claim.at), act.Reserve(claims=(claim,)), day.originate(claim))
    assert rules(day.report()) == ["attempt.unreserved"]


def test_a_call_that_nobody_claimed_is_told(tmp_path: Path) -> None:
    day = Day(tmp_path)
    claim = day.claim(day.leads[0], TUESDAY.timestamp())
    day.tell(ev.TimePassed(at=claim.at), day.originate(claim))
    assert rules(day.report()) == ["attempt.unclaimed", "attempt.unreserved"]


def test_a_call_placed_twice_or_after_its_end_is_told(tmp_path: Path) -> None:
    day = Day(tmp_path)
    attempt_id = day.call(TUESDAY.timestamp())
    again = day.originate(day.claim(day.leads[0], TUESDAY.timestamp(), attempt_id=attempt_id))
    day.tell(ev.TimePassed(at=TUESDAY.timestamp() + 60.0), again)
    assert rules(day.report()) == ["attempt.repeated", "attempt.settled"]


def test_another_number_than_the_claimed_is_told(tmp_path: Path) -> None:
    day = Day(tmp_path, leads=(lead_of(), lead_of(msgspec.structs.replace(PERU, e164="+51999000222"), "L2")))
    claim = day.claim(day.leads[0], TUESDAY.timestamp())
    day.tell(ev.TimePassed(at=claim.at), act.Reserve(claims=(claim,)))
    other = msgspec.structs.replace(day.originate(claim), lead_id="L2", number="+51999000222")
    day.tell(ev.Reserved(at=claim.at, attempt_ids=(claim.attempt_id,)), other)
    assert rules(day.report()) == ["attempt.other"]


def test_a_lead_that_was_never_loaded_is_told(tmp_path: Path) -> None:
    day = Day(tmp_path)
    day.call(TUESDAY.timestamp(), lead=lead_of(name="L9"))
    assert rules(day.report()) == ["lead.unknown"]


def test_rules_in_force_that_the_claim_does_not_name_are_told(tmp_path: Path) -> None:
    day = Day(tmp_path)
    day.call(TUESDAY.timestamp(), profiles=("policy",))
    report = day.report()
    assert rules(report) == ["claim.profiles"] and "pe-debt" in report.violations[0].text


# ---- files --------------------------------------------------------------------------------------------------
def test_each_violation_names_its_line(tmp_path: Path) -> None:
    day = Day(tmp_path)
    for hour in range(3):
        day.call(TUESDAY.timestamp() + hour * 3600.0)
    (found,) = day.report().violations
    line = day.path.read_text().splitlines()[found.line - 1]
    assert '"type":"Originate"' in line and str(found.attempt_id) in line


def test_a_day_whose_engine_was_killed_is_noted_and_no_violation(tmp_path: Path) -> None:
    """Nothing of a line that was not written to its end was carried out."""
    day = Day(tmp_path)
    for hour in range(2):
        day.call(TUESDAY.timestamp() + hour * 3600.0)
    day.journal.flush()
    whole = day.path.read_bytes()
    day.path.write_bytes(whole[:-20])
    report = audit_journals([day.path])
    assert rules(report) == [] and report.attempts == 2
    killed = "the last line is cut off: the program was killed or the disk full"
    assert f"{day.path}: {killed}; 1 attempt whose end is unknown counted as everything" in report.notes


@pytest.mark.parametrize("content", [b"", b'{"journ', b'{"journal":1,"version":"0'])
def test_an_engine_that_was_killed_as_it_began_is_noted(tmp_path: Path, content: bytes) -> None:
    day = Day(tmp_path)
    day.call(TUESDAY.timestamp())
    day.journal.flush()
    begun = day.path.with_name("begun.jsonl")
    begun.write_bytes(content)
    report = audit_journals([day.path, begun])
    assert report.attempts == 1 and rules(report) == [] and report.journals == (str(day.path), str(begun))
    assert any(note.startswith(f"{begun}: not even the first line is whole") for note in report.notes)


def test_damage_before_the_end_is_a_violation_of_no_call(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    day = Day(tmp_path)
    day.call(TUESDAY.timestamp())
    day.journal.flush()
    lines = day.path.read_bytes().splitlines(keepends=True)
    lines[3] = b"A {torn\n"
    day.path.write_bytes(b"".join(lines))
    (found,) = audit_journals([day.path]).violations
    assert (found.rule, found.line, found.at, found.attempt_id, found.number) == (
        "journal.damaged",
        4,
        None,
        None,
        None,
    )
    assert audit("cobranza", data=tmp_path) == 1
    told = capsys.readouterr().out
    assert f"{day.path}:4: journal.damaged: expected" in told and "1970" not in told


def test_a_campaign_has_all_its_runs_and_a_journal_its_neighbours(tmp_path: Path) -> None:
    first, second = Day(tmp_path), Day(tmp_path, run=2, at=TUESDAY.timestamp() + 3600.0)
    other = Day(tmp_path, campaign=campaign_of(campaign="otra"))
    for day in (first, second, other):
        day.journal.flush()
    assert journals_to_audit("cobranza", tmp_path) == ([first.path, second.path], [other.path])
    chosen, beside = journals_to_audit(str(second.path), Path("elsewhere"))
    assert chosen == [second.path] and sorted(beside) == sorted([first.path, other.path])


def test_a_campaign_without_journals_is_refused_with_those_that_have_some(tmp_path: Path) -> None:
    Day(tmp_path).journal.flush()
    with pytest.raises(ConfigError, match="cobranza"):
        journals_to_audit("cobranzas", tmp_path)


def test_the_command_says_what_it_found_and_exits_by_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    day = Day(tmp_path)
    day.call(TUESDAY.timestamp())
    day.journal.flush()
    assert audit("cobranza", data=tmp_path) == 0
    told = capsys.readouterr().out
    assert "1 attempts checked in 1 journal, 0 violations" in told
    assert f"{day.path}: names no versions of rules and data" in told and "checked with holidays " in told
    day.call((TUESDAY + timedelta(hours=11)).timestamp())
    day.journal.flush()
    assert audit("cobranza", data=tmp_path) == 1
    told = capsys.readouterr().out
    assert f"{day.path}:" in told and "pe-debt" in told and "29571" in told
    assert audit("cobranza", data=tmp_path, json=True) == 1
    report = json.loads(capsys.readouterr().out)
    assert report["attempts"] == 2 and report["violations"][0]["rule"] == "pe-debt.hours"
