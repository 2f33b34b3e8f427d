"""`dialer why` must say what a claim would be answered, and the first moment at which it would be granted."""

from __future__ import annotations

import asyncio
from datetime import datetime

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from compliance.clearance import Clearance, DialCandidate, Place
from compliance.facts import CHANNELS, KINDS, OWN_OUTCOMES, outside_outcome
from compliance.ruleset import RuleSet
from dialer.adapters.number_standing import Asked, Standing, standing_of
from dialer.adapters.store.memory import MemoryData, MemoryStore
from dialer.config.rule_packs import law, policy
from dialer.core.actions import Claim
from dialer.core.lead import LeadProgress
from dialer.ports import Consent, OutsideFact

# A Wednesday, ten in the morning in New York.
NOW = datetime.fromisoformat("2026-03-04T10:00:00-05:00").timestamp()
HOUR, DAY = 3600.0, 86400.0
# Hours and caps of all kinds; in telemarketing also registries and consent with an age, and 3 attempts in 24 hours.
PLACES = {
    "+51999000111": Place(("PE",), ("America/Lima",)),
    "+56912345678": Place(("CL",), ("America/Punta_Arenas", "America/Santiago", "Pacific/Easter")),
    "+16175550100": Place(("US", "US-MA"), ("America/New_York",)),
    "+15035550100": Place(("US", "US-OR"), ("America/Boise", "America/Los_Angeles")),
    "+5491123456789": Place(("AR",), ("America/Argentina/Buenos_Aires",)),
    "+34612345678": Place(("ES",), ("Atlantic/Canary", "Europe/Madrid")),
}
LAWS = {scope: law(scope) for scope in ("debt_collection", "telemarketing")}
WARNING = {
    scope: RuleSet(rules.profiles_by_country, policy=policy(), scope=scope, stale_lists="warn")
    for scope, rules in LAWS.items()
}


def candidate_of(number: str) -> DialCandidate:
    return DialCandidate(
        lead_id="L1", person="ana", debt="D1", number=number, place=PLACES[number], subject="loans", campaign="c"
    )


def claim_of(rules: RuleSet, candidate: DialCandidate, at: float) -> Claim:
    cleared: Clearance = rules.clearance(candidate, at)
    return Claim(
        attempt_id=1,
        lead_id=candidate.lead_id,
        number=candidate.number,
        at=at,
        stop_keys=cleared.stop_keys,
        fact_keys=cleared.fact_keys,
        fact=cleared.fact,
        caps=cleared.caps,
        person=candidate.person,
        lists=cleared.lists,
        consent=cleared.consent,
        local_times=cleared.local_times,
        profiles=cleared.profiles,
        zones=candidate.place.zones,
    )


def granted(data: MemoryData, rules: RuleSet, candidate: DialCandidate, at: float) -> bool:
    """Whether the hours are open and the store, which is left as it is, would grant a claim."""
    if not rules.window_afresh(candidate.place, at).open:
        return False
    store = MemoryStore(data)
    store.open_now("c", owner="test")
    reservation = store.reserve_now("c", [claim_of(rules, candidate, at)])
    for record in data.campaigns.values():
        record.held.clear()
        record.in_flight.clear()
    for key, stream in data.facts.items():
        data.facts[key] = [fact for fact in stream if fact[1] != "PENDING"]
    return not reservation.refusals


def standing(
    data: MemoryData, rules: RuleSet, candidate: DialCandidate, progress: LeadProgress | None = None
) -> Standing:
    asked = Asked(
        candidate=candidate,
        rules=rules,
        checks_at=lambda at: rules.clearance(candidate, at),
        campaign="c",
        progress=progress,
    )
    return asyncio.run(standing_of(MemoryStore(data), asked, NOW))


OUTCOMES = st.sampled_from(
    [*(outcome for outcome in OWN_OUTCOMES if outcome != "PENDING")]
    + [outside_outcome(kind, channel) for kind in KINDS for channel in CHANNELS]
)
FACTS = st.lists(
    st.tuples(st.one_of(st.integers(0, 30), st.integers(0, 40 * 24)), OUTCOMES, st.booleans()), max_size=10
)
# Some go on at NOW in one zone or another, one of them over midnight and on.
HOURS = st.lists(
    st.sampled_from([(2, 300, 630), (2, 600, 1440), (3, 0, 700), (2, 0, 1440), (4, 0, 1440), (2, 900, 905)]),
    max_size=3,
    unique=True,
)


AT_HAND = {"hours": [], "stop": "", "consent_days": 1, "copy_days": 1, "listed": False, "scope": "telemarketing",
           "warn": False, "revoked": None}  # fmt: skip
NIGHT = [(hours_ago, "NO_ANSWER", True) for hours_ago in (8, 15, 20)]


@settings(max_examples=200, deadline=None)
@example(**{**AT_HAND, "number": "+15035550100", "facts": NIGHT})
@example(**{**AT_HAND, "number": "+34612345678", "facts": [], "consent_days": 729})
@example(**{**AT_HAND, "number": "+34612345678", "facts": [], "consent_days": 731})
@example(**{**AT_HAND, "number": "+5491123456789", "facts": [], "copy_days": 31})
@example(**{**AT_HAND, "number": "+5491123456789", "facts": [], "copy_days": 31, "warn": True})
@example(**{**AT_HAND, "number": "+5491123456789", "facts": [], "copy_days": None, "warn": True})
@example(**{**AT_HAND, "number": "+34612345678", "facts": [], "revoked": ("number", 0.5)})
@given(
    number=st.sampled_from(sorted(PLACES)),
    scope=st.sampled_from(sorted(LAWS)),
    facts=FACTS,
    hours=HOURS,
    stop=st.sampled_from(["", "", "", "", "person:ana", "debt:D1", "lead:L2", "everything"]),
    consent_days=st.sampled_from([None, 1, 1, 1000]),
    copy_days=st.sampled_from([None, 1, 1, 1, 60]),
    listed=st.booleans(),
    warn=st.booleans(),
    revoked=st.sampled_from(
        [None, None, ("person:ana", 0.5), ("person:ana", 5), ("number", 0.5), ("person:luis", 0.5)]
    ),
)
def test_it_says_what_a_claim_would_be_answered(
    number: str,
    scope: str,
    facts: list[tuple[int, str, bool]],
    hours: list[tuple[int, int, int]],
    stop: str,
    consent_days: int | None,
    copy_days: int | None,
    listed: bool,
    warn: bool,
    revoked: tuple[str, float] | None,
) -> None:
    data, rules, candidate = MemoryData(), (WARNING if warn else LAWS)[scope], candidate_of(number)
    store = MemoryStore(data)
    keys = rules.clearance(candidate, NOW).fact_keys

    async def fill() -> None:
        for place, (hours_ago, outcome, of_debt) in enumerate(facts):
            streams = keys if of_debt else ("person:ana",)
            parts = rules.clearance(candidate, NOW).fact if of_debt else ""
            fact = OutsideFact(keys=streams, at=NOW - hours_ago * HOUR, outcome=outcome, id=str(place), parts=parts)
            await store.record_facts([fact])
        await store.set_hours("ana", tuple(hours))
        if stop:
            await store.stop(stop, "paid")
        if consent_days is not None:
            await store.give_consent(f"{scope}|person:ana", Consent(source="form", at=NOW - consent_days * DAY))
        if revoked is not None:
            key = f"number:{number}" if revoked[0] == "number" else revoked[0]
            await store.revoke_consent(f"{scope}|{key}", NOW - revoked[1] * DAY)
        if copy_days is not None:
            for check in rules.clearance(candidate, NOW).lists:
                numbers = [number] if listed else []
                await store.replace_registry(check.registry, numbers, as_of=NOW - copy_days * DAY, source="file")

    asyncio.run(fill())
    told = standing(data, rules, candidate)
    assert told.allowed == granted(data, rules, candidate, NOW)
    assert told.allowed == (not told.reasons)
    if told.allowed:
        assert told.next_allowed_at is not None
    elif told.next_allowed_at is not None:
        at = datetime.fromisoformat(told.next_allowed_at).timestamp()
        assert at > NOW and granted(data, rules, candidate, at)
        for earlier in (NOW, NOW + (at - NOW) / 3, NOW + (at - NOW) * 0.9, at - 60.0):
            assert not granted(data, rules, candidate, max(NOW, earlier))


@pytest.mark.parametrize(
    ("progress", "rule", "known"),
    [
        (LeadProgress(lead_id="L1", status="finished"), "lead.finished", False),
        (LeadProgress(lead_id="L1", status="stopped"), "lead.stopped", False),
        (LeadProgress(lead_id="L1", next_at=NOW + HOUR), "lead.rest", True),
        (LeadProgress(lead_id="L1", number_ready_at=(NOW + HOUR,)), "number.rest", True),
        (LeadProgress(lead_id="L1", number_ready_at=(None,)), "number.given_up", False),
    ],
)
def test_what_the_campaign_decided_counts_too(progress: LeadProgress, rule: str, known: bool) -> None:
    told = standing(MemoryData(), LAWS["debt_collection"], candidate_of("+51999000111"), progress)
    assert [reason.rule for reason in told.reasons] == [rule]
    at = None if told.next_allowed_at is None else datetime.fromisoformat(told.next_allowed_at).timestamp()
    assert at == (NOW + HOUR if known else None)


def test_what_can_be_mended_names_the_command() -> None:
    """A registry that was never imported blocks whatever `stale_lists` says, and so does a consent that was revoked."""
    number, data = "+34612345678", MemoryData()
    scope, candidate = "telemarketing", candidate_of("+34612345678")
    rules = WARNING[scope]
    [check] = rules.clearance(candidate, NOW).lists
    told = standing(data, rules, candidate)
    assert {f"dnc:{check.registry}:missing"} < {reason.rule for reason in told.reasons}
    assert told.mends == (
        f"dialer dnc import FILE --registry {check.registry} --as-of DATE",
        "dialer consent give person:ana --scope telemarketing --source WHERE",
    )

    async def fill() -> None:
        store = MemoryStore(data)
        await store.replace_registry(check.registry, [], as_of=NOW - 900 * DAY, source="file")
        await store.give_consent(f"{scope}|person:ana", Consent(source="form", at=NOW - 2 * DAY))
        await store.revoke_consent(f"{scope}|number:{number}", NOW - DAY)

    asyncio.run(fill())
    told = standing(data, rules, candidate)
    [reason] = told.reasons
    assert reason.rule.startswith("consent:") and f"number:{number} revoked 2026-03-03" in reason.text
    assert told.mends == ("dialer consent give person:ana --scope telemarketing --source WHERE",)
    assert told.next_allowed_at is None and not any(passed.startswith("consent") for passed in told.checks)


def test_a_place_without_rules_is_denied_and_nothing_else_is_asked() -> None:
    nowhere = DialCandidate(lead_id="L1", person="a", debt="d", number="+870773111632", place=Place(("ZZ",), ()))
    told = standing(MemoryData(), LAWS["debt_collection"], nowhere)
    assert {reason.rule for reason in told.reasons} == {"jurisdiction.unknown", "zone.unknown"}
    assert told.next_allowed_at is None
