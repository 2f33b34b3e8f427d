import pytest

from compliance.facts import (
    CHANNELS,
    KINDS,
    NO_CONTACT,
    OWN_OUTCOMES,
    PENDING,
    Fact,
    counted_channels,
    counts,
    events_of,
    fact_of,
    ignored_outcomes,
    outside_outcome,
)
from dialer.core import disposition
from dialer.core.disposition import RIGHT_PARTY, Disposition


def _ignored(count, channels=("voice",), exclude=()) -> set[str]:
    return set(ignored_outcomes(count, channels, exclude))


def test_no_contact_is_the_cores_list():
    assert set(NO_CONTACT) == {str(name) for name in disposition.NO_CONTACT}


def test_every_disposition_of_the_core_has_a_meaning():
    assert set(OWN_OUTCOMES) == {str(name) for name in Disposition} | {PENDING}


def test_whoever_was_the_right_party_was_talked_to():
    for name in RIGHT_PARTY:
        assert "conversation" in fact_of(0.0, str(name)).kinds


@pytest.mark.parametrize(
    ("outcome", "kinds"),
    [
        ("NO_ANSWER", {"attempt"}),
        ("MACHINE", {"attempt"}),
        ("ABANDONED", {"attempt", "contact", "abandoned"}),
        ("WRONG_PARTY", {"attempt", "contact"}),
        ("PTP", {"attempt", "contact", "conversation"}),
        ("UNDISPOSED", {"attempt", "contact", "conversation"}),
        ("REFUSED", {"attempt", "contact", "conversation", "refusal"}),
        ("DNC_REQUEST", {"attempt", "contact", "conversation", "refusal"}),
        ("UNKNOWN", set(KINDS)),
        (PENDING, set(KINDS)),
        ("conversation/inbound", {"contact", "conversation"}),
        ("refusal/sms", {"contact", "conversation", "refusal"}),
        ("attempt/voice", {"attempt"}),
        ("abandoned/voice", {"contact", "abandoned"}),
    ],
)
def test_what_an_outcome_means(outcome, kinds):
    assert set(fact_of(0.0, outcome).kinds) == kinds


@pytest.mark.parametrize("outcome", ["", "NEW_ONE", "conversation/pigeon", "murmur/voice", "a/b/c"])
@pytest.mark.parametrize("count", [*KINDS, "communication"])
def test_an_outcome_that_nobody_knows_counts_for_every_rule(outcome, count):
    assert counts(fact_of(0.0, outcome), count, counted_channels(count, ("sms",)), ())
    assert outcome not in _ignored(count, ("sms",))


def test_a_cap_on_attempts_counts_every_attempt_of_ours_and_no_other_channel():
    ignored = _ignored("attempt")
    assert not ignored & set(OWN_OUTCOMES)
    assert "attempt/voice" not in ignored
    # What is told of an attempt is told one by one: a conversation is none, the attempt is another fact.
    assert {"conversation/voice", "attempt/inbound", "attempt/sms", "conversation/inbound"} <= ignored


def test_a_cap_on_attempts_counts_the_channels_that_it_names():
    assert "attempt/sms" not in _ignored("attempt", ("voice", "sms"))
    assert "attempt/email" in _ignored("attempt", ("voice", "sms"))


@pytest.mark.parametrize("count", ["contact", "conversation", "refusal"])
def test_what_is_said_in_a_call_of_theirs_counts(count):
    assert f"{count}/inbound" not in _ignored(count)
    assert "refusal/inbound" not in _ignored(count)
    assert f"{count}/visit" in _ignored(count)
    assert f"{count}/visit" not in _ignored(count, ("voice", "visit"))


def test_a_cap_on_contacts_ignores_what_reached_nobody():
    assert set(NO_CONTACT) == _ignored("contact") & set(OWN_OUTCOMES)
    assert {*NO_CONTACT, "WRONG_PARTY"} == _ignored("contact", exclude=("WRONG_PARTY",)) & set(OWN_OUTCOMES)


def test_conversations_refusals_and_abandoned_calls_are_told_apart():
    own = set(OWN_OUTCOMES)
    assert own - _ignored("refusal") == {"REFUSED", "DNC_REQUEST", "UNKNOWN", PENDING}
    assert own - _ignored("abandoned") == {"ABANDONED", "UNKNOWN", PENDING}
    assert _ignored("conversation") & own == {*NO_CONTACT, "ABANDONED", "WRONG_PARTY"}


def test_communication_is_anything_on_the_channels_that_are_named():
    remote = _ignored("communication", ("sms", "email"))
    assert {outside_outcome(kind, "sms") for kind in KINDS}.isdisjoint(remote)
    assert set(OWN_OUTCOMES) | {"contact/inbound", "attempt/voice"} <= remote
    assert not _ignored("communication", ("voice",)) & set(OWN_OUTCOMES)


def test_a_cap_names_dispositions_that_it_does_not_count():
    assert "BUSY" in _ignored("attempt", exclude=("BUSY",))
    assert not counts(fact_of(0.0, "BUSY"), "attempt", frozenset(("voice",)), ("BUSY",))


def test_equal_rules_share_one_list_of_what_they_ignore():
    assert ignored_outcomes("contact", ("voice",), ()) is ignored_outcomes("contact", ("voice",), ())


def test_every_outside_outcome_is_told_apart():
    assert len({outside_outcome(kind, channel) for kind in KINDS for channel in CHANNELS}) == 35


def test_facts_of_the_same_time_and_debt_are_one_event():
    told = [
        Fact(at=2.0, kinds=("conversation",), debt="D1"),
        Fact(at=1.0, kinds=("attempt",), debt="D1"),
        Fact(at=2.0, kinds=("attempt",), debt="D1"),
        Fact(at=2.0, kinds=("attempt",), debt="D2"),
        Fact(at=2.0, kinds=("attempt",), debt="D1", channel="sms"),
    ]
    events = events_of(told)
    assert [event.at for event in events] == [1.0, 2.0, 2.0, 2.0]
    assert {(e.at, e.debt, e.channel): e.kinds for e in events} == {
        (1.0, "D1", "voice"): ("attempt",),
        (2.0, "D1", "voice"): ("attempt", "contact", "conversation"),
        (2.0, "D2", "voice"): ("attempt",),
        (2.0, "D1", "sms"): ("attempt",),
    }


def test_a_disposition_excuses_an_event_only_if_all_that_is_told_of_it_says_so():
    busy = fact_of(1.0, "BUSY", debt="D1")
    assert events_of([busy, busy])[0].outcome == "BUSY"
    assert events_of([busy, Fact(at=1.0, kinds=("conversation",), debt="D1")])[0].outcome == ""
