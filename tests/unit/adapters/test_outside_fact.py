"""Facts from outside must stand wherever a claim about the same people looks."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from compliance.clearance import DialCandidate
from compliance.streams import facts_under, record_of
from dialer.adapters.outside_fact import Happening, fact_of, persons_of
from dialer.adapters.store.records import member_of
from dialer.config.rule_packs import law
from dialer.core.lead import Lead, PhoneNumber
from dialer.ports import OutsideFact

AT = 1_772_463_600.0
MOBILE, WORK, OTHER = "+16175550100", "+16175550101", "+51999000111"
LAWS = [law("debt_collection"), law("telemarketing")]


def number(e164: str, use: str = "") -> PhoneNumber:
    if e164 == OTHER:
        return PhoneNumber(e164=e164, zones=("America/Lima",), country="PE", jurisdictions=("PE",))
    places = ("US", "US-MA")
    return PhoneNumber(e164=e164, zones=("America/New_York",), country="US", jurisdictions=places, use=use)


LEADS = [
    ("a", Lead(lead_id="L1", numbers=(number(MOBILE), number(WORK, "work")), person="ana", debt="D1", account="A")),
    ("b", Lead(lead_id="L2", numbers=(number(MOBILE),), person="ana", debt="D2")),
    ("b", Lead(lead_id="L3", numbers=(number(OTHER),), person="luis", debt="D3")),
]
NAMES = {
    "lead": st.sampled_from(["", "L1", "L2", "L3"]),
    "person": st.sampled_from(["", "ana", "luis", "eva"]),
    "debt": st.sampled_from(["", "D1", "D2", "D7"]),
    "account": st.sampled_from(["", "A"]),
    "numbers": st.sampled_from([(), (MOBILE,), (WORK,), ("+16175550999",)]),
}


def told(**names: object) -> Happening:
    return Happening(at=AT, kind="contact", channel="visit", **names)  # type: ignore[arg-type]


def fact(happening: Happening) -> OutsideFact:
    persons = persons_of(happening, LEADS)
    return fact_of(happening, persons, [lead for _, lead in LEADS if lead.person in persons])


@given(st.fixed_dictionaries(NAMES).filter(lambda names: any(names.values())))
def test_every_claim_with_which_a_fact_agrees_finds_it(names: dict[str, object]) -> None:
    happening = told(**names)
    persons, recorded = persons_of(happening, LEADS), fact(happening)
    record = record_of(AT, member_of(recorded))
    for campaign, lead in LEADS:
        agrees = happening.debt in ("", lead.debt) and happening.account in ("", lead.account or lead.debt)
        if lead.person not in persons or not (agrees or happening.debt == lead.debt):
            continue
        for entry in lead.numbers:
            if happening.numbers and entry.e164 not in happening.numbers:
                continue
            candidate = DialCandidate(
                lead_id=lead.lead_id,
                person=lead.person,
                debt=lead.debt,
                number=entry.e164,
                place=entry.place,
                account=lead.account,
                subject=campaign,
                campaign=campaign,
                use=entry.use,
            )
            for rules in LAWS:
                for cap in rules.clearance(candidate, AT).caps:
                    streams = [[record] if key in recorded.keys else [] for key in (cap.key, f"person:{lead.person}")]
                    assert facts_under(cap, *streams) == [record]


def test_a_fact_without_a_debt_counts_for_one_that_is_listed_later() -> None:
    recorded = fact(told(person="ana"))
    later = DialCandidate(
        lead_id="L9", person="ana", debt="D99", number=MOBILE, place=number(MOBILE).place, account="A99"
    )
    caps = LAWS[0].clearance(later, AT).caps
    record = record_of(AT, member_of(recorded))
    assert (
        [facts_under(cap, [record], [record]) for cap in caps if cap.where]
        == [[record] for cap in caps if cap.where]
        != []
    )


def test_nobody_else_is_charged_with_it() -> None:
    recorded = fact(told(person="ana", debt="D1"))
    assert (recorded.keys, recorded.parts) == (("person:ana", "debt:D1", "account:A"), "|d=D1|a=A")
    assert fact(told(numbers=(WORK,))).keys == ("person:ana", f"number:{WORK}")
    assert fact(told(numbers=(WORK,))).parts == f"|n={WORK}|u=work"


def test_what_names_nobody_on_a_list_still_counts_for_what_it_names() -> None:
    assert fact(told(numbers=("+51911222333",))).keys == ("number:+51911222333",)
    assert fact(told(person="eva", debt="D7")).keys == ("person:eva", "debt:D7")


def test_the_same_told_again_has_the_same_id() -> None:
    ids = [fact(told(person="ana", debt=debt)).id for debt in ("D1", "D1", "D2")]
    assert ids[0] == ids[1] != ids[2]
