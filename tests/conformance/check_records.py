"""What every store must do with the records beside the campaigns, and what claims make of them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from specimens import DAY, HOUR, NOW, Check, Make, brief, claim, lead, opened, refused, settlement, slot, weekly

from compliance.clearance import ConsentCheck, ListCheck
from dialer.core.actions import Claim
from dialer.core.events import Refusal
from dialer.core.lead import LeadProgress
from dialer.errors import ConfigError
from dialer.ports import Consent, OutsideFact, RegistryInfo

ONE, TWO, THREE = "+5117000001", "+5117000002", "+5117000003"


def on_list(registry: str = "pe", *, fresh_since: float = NOW - 30 * DAY, when_stale: str = "block") -> ListCheck:
    return ListCheck(registry=registry, fresh_since=fresh_since, when_stale=when_stale, rule="PE-DNC")  # type: ignore[arg-type]


def consent_of(*keys: str, since: float = NOW - 365 * DAY) -> ConsentCheck:
    return ConsentCheck(keys=keys, since=since, rule="US-TCPA")


# ---- registries ---------------------------------------------------------------------------------------------
async def check_a_registry_is_replaced_as_a_whole(make: Make) -> None:
    store, other = make(), make()
    assert await store.registries() == []
    assert await store.replace_registry("pe", [ONE, TWO, ONE], as_of=NOW + 1 / 3, source="a.csv ñ") == 2
    assert await store.replace_registry("co", iter([TWO]), as_of=NOW, source="b.csv") == 1
    infos = await other.registries()
    assert [(info.name, info.as_of, info.count, info.source) for info in infos] == [
        ("co", NOW, 1, "b.csv"),
        ("pe", NOW + 1 / 3, 2, "a.csv ñ"),
    ]
    assert infos[1].imported_at > NOW
    assert [await other.registries_of(number) for number in (ONE, TWO, THREE)] == [["pe"], ["co", "pe"], []]
    assert await other.replace_registry("pe", [THREE], as_of=NOW + 1, source="c.csv") == 1
    assert [await store.registries_of(number) for number in (ONE, TWO, THREE)] == [[], ["co"], ["pe"]]


async def check_a_registry_may_be_empty(make: Make) -> None:
    store = await opened(make)
    await store.replace_registry("pe", [ONE], as_of=NOW, source="a.csv")
    assert await store.replace_registry("pe", [], as_of=NOW, source="b.csv") == 0
    [info] = await store.registries()
    assert isinstance(info, RegistryInfo)
    assert (info.count, info.source) == (0, "b.csv")
    assert (await store.reserve("mora", [claim(1, "L1", lists=(on_list(),))])).refusals == []


async def check_many_numbers_load_whole(make: Make) -> None:
    store = make()
    numbers = [f"+51{number:09d}" for number in range(12_345)]
    assert await store.replace_registry("pe", iter(numbers), as_of=NOW, source="a.csv") == len(numbers)
    assert await store.registries_of(numbers[-1]) == ["pe"]


async def check_a_broken_import_leaves_the_old_list(make: Make) -> None:
    store = make()
    await store.replace_registry("pe", [ONE], as_of=NOW, source="a.csv")

    def broken(last: str) -> Iterator[str]:
        yield from (f"+51{number:09d}" for number in range(6000))
        yield last

    for wrong in ("5117000001", "+51 17000001", "", "+0117000001", "+51170000015117000001", "+51x", "+51१७१७१७"):
        with pytest.raises(ConfigError, match=r"expected a number in E\.164"):
            await store.replace_registry("pe", broken(wrong), as_of=NOW + 1, source="b.csv")
    [info] = await store.registries()
    assert (info.count, info.source) == (1, "a.csv")
    assert await store.registries_of(ONE) == ["pe"]
    assert await store.registries_of("+51000000001") == []


async def check_a_dropped_registry_is_absent(make: Make) -> None:
    store = await opened(make)
    await store.replace_registry("pe", [ONE], as_of=NOW, source="a.csv")
    assert await store.drop_registry("pe") is True
    assert await store.drop_registry("pe") is False
    assert await store.registries_of(ONE) == []
    assert refused(await store.reserve("mora", [claim(1, "L1", lists=(on_list(),))])) == {1: "dnc:pe:missing"}


async def check_a_listed_number_is_never_called(make: Make) -> None:
    store = await opened(make)
    await store.replace_registry("pe", [ONE], as_of=NOW, source="a.csv")
    await store.replace_registry("co", [TWO], as_of=NOW, source="a.csv")
    batch = [
        claim(1, "L1", number=ONE, lists=(on_list(),)),
        claim(2, "L2", number=TWO, lists=(on_list(), on_list("co"))),
        claim(3, "L3", number=TWO, lists=(on_list(),)),
        claim(4, "L4", number=ONE),  # no rule asks for the list
    ]
    assert (await store.reserve("mora", batch)).refusals == [
        Refusal(attempt_id=1, rule="dnc:pe", retry_at=None),
        Refusal(attempt_id=2, rule="dnc:co", retry_at=None),
    ]


async def check_a_stale_list_blocks_or_warns(make: Make) -> None:
    store = await opened(make)
    await store.replace_registry("pe", [ONE], as_of=NOW, source="a.csv")
    later = {"fresh_since": NOW + 0.001}
    batch = [
        claim(1, "L1", number=TWO, lists=(on_list(fresh_since=NOW),)),
        claim(2, "L2", number=TWO, lists=(on_list(**later),)),
        claim(3, "L3", number=TWO, lists=(on_list(when_stale="warn", **later),)),
        claim(4, "L4", number=ONE, lists=(on_list(when_stale="warn", **later),)),  # an old list is still a list
        claim(5, "L5", number=TWO, lists=(on_list("none"),)),
        claim(6, "L1", number=TWO, lists=(on_list(when_stale="warn", **later),)),  # refused: nobody is warned
        # Without a copy nobody knows who is on it: that is not for a campaign to be warned of.
        claim(7, "L7", number=TWO, lists=(on_list(when_stale="warn", **later), on_list("none", when_stale="warn"))),
        claim(8, "L8", number=TWO, lists=(on_list("none", when_stale="warn", fresh_since=0.0),)),
    ]
    answer = await store.reserve("mora", batch)
    assert answer.refusals == [
        Refusal(attempt_id=2, rule="dnc:pe:stale", retry_at=NOW + HOUR),
        Refusal(attempt_id=4, rule="dnc:pe", retry_at=None),
        Refusal(attempt_id=5, rule="dnc:none:missing", retry_at=NOW + HOUR),
        Refusal(attempt_id=6, rule="lead.claimed", retry_at=NOW + 60),
        Refusal(attempt_id=7, rule="dnc:none:missing", retry_at=NOW + HOUR),
        Refusal(attempt_id=8, rule="dnc:none:missing", retry_at=NOW + HOUR),
    ]
    assert answer.warnings == [(3, "pe")]


# ---- consent ------------------------------------------------------------------------------------------------
async def check_consents_are_given_and_revoked(make: Make) -> None:
    store, other = make(), make()
    given = Consent(source="contract ñ", at=NOW / 3, expires_at=NOW + 0.1)
    assert await store.give_consent("telemarketing|person:P", given) is True
    assert await store.give_consent("telemarketing|number:+51", Consent(source="web", at=NOW)) is True
    assert await other.consents_of(["telemarketing|person:P", "telemarketing|person:Q"]) == {
        "telemarketing|person:P": given
    }
    assert await other.consents_of([]) == {}
    assert await store.revocations_of([]) == {}
    assert await other.revoke_consent("telemarketing|person:P", NOW / 3) is True
    assert await other.revoke_consent("telemarketing|person:P", NOW) is False  # what there was is taken back already
    assert await other.revoke_consent("telemarketing|person:P", NOW - 1) is False
    assert await other.revoke_consent("telemarketing|person:none", 0.1) is False
    keys = [f"telemarketing|{whom}" for whom in ("person:P", "number:+51", "person:none", "person:Q")]
    assert await store.revocations_of(keys) == {"telemarketing|person:P": NOW, "telemarketing|person:none": 0.1}
    assert await store.consents_of(keys[:1]) == {"telemarketing|person:P": given}  # who called before it may show it


async def check_an_older_consent_never_replaces_a_newer(make: Make) -> None:
    store, key = make(), "t|person:P"
    new, old = Consent(source="new", at=NOW), Consent(source="old", at=NOW - 0.001, expires_at=NOW + DAY)
    assert [await store.give_consent(key, entry) for entry in (new, old)] == [True, False]
    assert await store.consents_of([key]) == {key: new}
    mended = Consent(source="mended", at=NOW)
    assert await store.give_consent(key, mended) is True
    assert await make().consents_of([key]) == {key: mended}


async def check_a_revocation_has_the_last_word(make: Make) -> None:
    """Whichever of a claim's keys it is under, and however often an older consent is recorded again."""
    store = await opened(make)
    count = iter(range(1, 100))

    async def granted(check: ConsentCheck) -> bool:
        attempt_id = next(count)
        return not (await store.reserve("mora", [claim(attempt_id, f"L{attempt_id}", consent=check)])).refusals

    for place, (given_kind, revoked_kind) in enumerate((("number", "person"), ("person", "number"), ("person",) * 2)):
        given, revoked = f"t|{given_kind}:{place}", f"t|{revoked_kind}:{place}"
        wanted = consent_of(f"t|person:{place}", f"t|number:{place}")
        old = Consent(source="web", at=NOW - 5 * DAY)
        await store.give_consent(given, old)
        assert await granted(wanted)
        await store.revoke_consent(revoked, NOW - 4 * DAY)
        assert not await granted(wanted)
        await store.give_consent(given, old)  # the same file again
        await store.give_consent(given, Consent(source="web", at=NOW - 4 * DAY))  # at that very moment
        assert not await granted(wanted)
        await store.give_consent(given, Consent(source="web", at=NOW - 4 * DAY + 0.001))
        assert await granted(wanted)
        await store.revoke_consent(revoked, NOW - 5 * DAY)  # an older revocation takes nothing back
        assert await granted(wanted)
        await store.revoke_consent(revoked, NOW + DAY)  # by a clock that is ahead
        assert not await granted(wanted)


async def check_a_claim_needs_a_consent_that_holds(make: Make) -> None:
    store = await opened(make)
    for key, at, expires_at in (
        ("t|person:old", NOW - 366 * DAY, None),
        ("t|person:just", NOW - 365 * DAY, None),
        ("t|person:over", NOW - DAY, NOW),
        ("t|person:good", NOW - DAY, NOW + 0.001),
        ("t|person:later", NOW + 0.001, None),
    ):
        await store.give_consent(key, Consent(source="web", at=at, expires_at=expires_at))
    batch = [
        claim(1, "L1", consent=consent_of("t|person:none")),
        claim(2, "L2", consent=consent_of("t|person:old")),
        claim(3, "L3", consent=consent_of("t|person:over", "t|person:old")),
        claim(4, "L4", consent=consent_of("t|person:later")),
        claim(5, "L5", consent=consent_of("t|person:just")),
        claim(6, "L6", consent=consent_of("t|number:+51", "t|person:good")),
        claim(7, "L7", consent=consent_of()),
    ]
    refusals = [Refusal(attempt_id=at, rule="consent:US-TCPA", retry_at=NOW + DAY) for at in (1, 2, 3, 4, 7)]
    assert (await store.reserve("mora", batch)).refusals == refusals
    await store.give_consent("t|person:none", Consent(source="call", at=NOW - 1))
    assert (await store.reserve("mora", [claim(1, "L1", consent=consent_of("t|person:none"))])).refusals == []


# ---- hours --------------------------------------------------------------------------------------------------
async def check_hours_are_kept_and_taken_back(make: Make) -> None:
    store, other = make(), make()
    hours = ((0, 0, 540), (0, 1200, 1440), (6, 0, 1440))
    await store.set_hours("P ñ", hours)
    assert await other.hours_of("P ñ") == hours
    assert await other.hours_of("Q") == ()
    await other.set_hours("P ñ", ())
    assert await store.hours_of("P ñ") == ()


async def check_hours_that_are_none_are_refused(make: Make) -> None:
    store = make()
    await store.set_hours("P", ((0, 60, 120),))
    for span in ((7, 0, 60), (-1, 0, 60), (0, 60, 60), (0, 1200, 540), (0, 0, 1441), (0, -1, 60)):
        with pytest.raises(ConfigError, match="weekday"):
            await store.set_hours("P", ((1, 0, 60), span))
    assert await store.hours_of("P") == ((0, 60, 120),)


async def check_a_person_s_hours_hold_in_every_zone(make: Make) -> None:
    store = await opened(make)
    await store.set_hours("P", ((3, 600, 720), (4, 0, 60)))
    at = NOW - NOW % 60 + 17.5

    def asked(attempt_id: int, *times: tuple[int, int], person: str = "P") -> Claim:
        return claim(attempt_id, f"L{attempt_id}", at=at, person=person, local_times=times)

    batch = [
        asked(1, (3, 600)),
        asked(2, (3, 599)),
        asked(3, (3, 720)),
        asked(4, (3, 719), (2, 700)),
        asked(5, (3, 550), (3, 610)),
        asked(6, (4, 50), (3, 710)),
        asked(7, (2, 650), (4, 60)),
        asked(8, (3, 650), person="Q"),
        asked(9),
    ]
    answer = await store.reserve("mora", batch)
    begin = at - 17.5  # of the minute
    assert [(entry.attempt_id, entry.rule, entry.retry_at) for entry in answer.refusals] == [
        (1, "person.hours", begin + 120 * 60),
        (4, "person.hours", begin + 60),
        (5, "person.hours", begin + 110 * 60),
        (6, "person.hours", begin + 10 * 60),
    ]


# ---- facts --------------------------------------------------------------------------------------------------
async def check_facts_from_outside_count(make: Make) -> None:
    store = await opened(make)
    fact = OutsideFact(keys=("person:P", "debt:D"), at=NOW - DAY, outcome="conversation/inbound", id="crm|7 ñ")
    await store.record_facts([fact, fact])
    await store.record_facts([fact])
    assert brief(await store.facts_of(["person:P", "debt:D", "person:Q"])) == {
        "person:P": [(NOW - DAY, "conversation/inbound")],
        "debt:D": [(NOW - DAY, "conversation/inbound")],
        "person:Q": [],
    }
    answer = await store.reserve("mora", [claim(1, "L1", weekly("person:P")), claim(2, "L2", weekly("debt:D", most=2))])
    assert [(entry.attempt_id, entry.seen, entry.max) for entry in answer.refusals] == [(1, 1, 1)]
    assert answer.seen == {2: (1,)}
    ignoring = weekly("person:P", ignores=("conversation/inbound", "letter"))
    assert (await store.reserve("mora", [claim(3, "L3", ignoring)])).seen == {3: (0,)}


async def check_one_event_of_two_kinds_counts_once(make: Make) -> None:
    store = await opened(make)
    first = OutsideFact(keys=("person:P",), at=NOW, outcome="attempt/voice", id="7", parts="|d=D")
    again = OutsideFact(keys=("person:P",), at=NOW + 5, outcome="attempt/voice", id="7", parts="|d=D")
    kind = OutsideFact(keys=("person:P",), at=NOW, outcome="contact/voice", id="7")
    between = OutsideFact(keys=("person:P",), at=NOW, outcome="contact/voice", id="6")
    await store.record_facts([first, again, between, kind])
    expected = [(NOW, "attempt/voice"), (NOW, "contact/voice"), (NOW, "contact/voice")]
    assert brief(await store.facts_of(["person:P"])) == {"person:P": expected}
    caps = (
        weekly("person:P", most=9),
        weekly("person:P", most=9, ignores=("attempt/voice",)),
        weekly("person:P", most=9, where=("d=D",)),
        weekly("person:P", most=9, where=("d=E",)),
        weekly("debt:E", most=9, also="d=E"),
        weekly("debt:D", most=9, also="d=D"),
    )
    assert (await store.reserve("mora", [claim(1, "L1", *caps, person="P")])).seen == {1: (2, 2, 2, 2, 2, 2)}


# ---- whose facts --------------------------------------------------------------------------------------------
async def check_a_fact_that_names_another_part_does_not_count(make: Make) -> None:
    """What a record names must be the same; what it does not name, it may be."""
    store = await opened(make)
    at = {"keys": ("person:P",), "at": NOW - DAY, "outcome": "letter"}
    for place, parts in enumerate(("", "|d=D", "|d=E", "|d=D|a=A", "|d=E|a=A", "|n=+1|n=+2", "|d=DD", "|d=D%7CE")):
        await store.record_facts([OutsideFact(**at, id=str(place), parts=parts)])  # type: ignore[arg-type]
    await store.reserve("mora", [claim(9, "L9", facts=("person:P",), fact="|n=+1|d=D|u=")])
    caps = tuple(
        weekly("person:P", most=99, where=where)
        for where in (
            (),
            ("d=D",),
            ("a=A|d=D",),
            ("a=B|d=F",),
            ("n=+2",),
            ("u=work",),
            ("c=mora",),
            ("c=x",),
            ("d=D", "n=+1"),
        )
    )
    answer = await store.reserve("mora", [claim(1, "L1", *caps, person="P")])
    assert answer.seen == {1: (9, 5, 6, 2, 8, 8, 9, 8, 5)}


async def check_what_the_person_s_facts_do_not_name_is_looked_for_there(make: Make) -> None:
    """A cap by number, debt or account also counts facts of the person that name none, once."""
    store = await opened(make)
    both = ("person:P", "number:+1", "debt:D")
    await store.reserve("mora", [claim(9, "L9", facts=both, fact="|n=+1|d=D|u=", at=NOW - 2 * DAY)])
    for place, (keys, parts) in enumerate(
        (
            (("person:P",), ""),
            (("person:P", "number:+1"), "|n=+1"),
            (("person:P", "number:+2"), "|n=+2"),
            (("person:Q",), ""),
            (("person:P", "debt:D"), "|d=D"),
            (("person:P", "account:A", "debt:E"), "|d=E|a=A"),
            (("number:+1",), "|n=+1|d=E"),
        )
    ):
        at = NOW - DAY + place
        await store.record_facts([OutsideFact(keys=keys, at=at, outcome="letter", id=str(place), parts=parts)])
    caps = (
        weekly("number:+1", most=99, also="n=+1"),
        weekly("number:+1", most=99, also="n=+1", where=("d=D",)),
        weekly("debt:D", most=99, also="d=D|a=D"),
        weekly("account:A", most=99, also="a=A|d=D"),
    )
    answer = await store.reserve("mora", [claim(1, "L1", *caps, person="P")])
    assert answer.seen == {1: (6, 4, 5, 6)}
    late = [claim(2, "L2", weekly("number:+1", most=2, also="n=+1"), person="P")]
    [refusal] = (await store.reserve("mora", late)).refusals
    assert refusal.seen == 7 and refusal.retry_at == pytest.approx(NOW - DAY + 6 + 7 * DAY, abs=0.01)


async def check_facts_that_no_cap_could_read_are_refused(make: Make) -> None:
    store = make()
    good = OutsideFact(keys=("person:P",), at=NOW, outcome="letter", id="1")
    for wrong in (
        OutsideFact(keys=("person:P",), at=NOW, outcome="a|b", id="2"),
        OutsideFact(keys=("person:P",), at=NOW, outcome="", id="2"),
        OutsideFact(keys=(), at=NOW, outcome="letter", id="2"),
    ):
        with pytest.raises(ConfigError, match="fact 2"):
            await store.record_facts([good, wrong])
    assert brief(await store.facts_of(["person:P"])) == {"person:P": []}


async def check_all_facts_of_attempts_and_outside_are_read(make: Make) -> None:
    store = await opened(make, "outside")  # a campaign may have any name
    held = claim(7, "L1", facts=("person:P",))
    await store.reserve("outside", [held, claim(8, "L2", facts=("person:P",), at=NOW - 1 / 3)])
    await store.record_facts([OutsideFact(keys=("person:P",), at=NOW - DAY, outcome="PENDING/sms", id="7")])
    await store.settle("outside", [settlement(held, "RPC")])
    assert brief(await store.facts_of(["person:P"])) == {
        "person:P": [(NOW - DAY, "PENDING/sms"), (NOW - 1 / 3, "PENDING"), (NOW, "RPC")]
    }


# ---- what is checked first ----------------------------------------------------------------------------------
async def check_a_claim_is_checked_in_the_documented_order(make: Make) -> None:
    store = await opened(make)
    await store.replace_registry("pe", [ONE], as_of=NOW, source="a.csv")
    await store.set_hours("P", ((0, 0, 1440),))
    await store.record_facts([OutsideFact(keys=("person:P",), at=NOW, outcome="letter", id="1")])
    await store.stop("person:P", "paid")
    done = claim(1, "done")
    await store.reserve("mora", [done, claim(2, "held")])
    await store.settle("mora", [settlement(done, progress=LeadProgress(lead_id="done", status="finished"))])
    all_of_it = {
        "lists": (on_list(),),
        "consent": consent_of("t|person:P"),
        "person": "P",
        "local_times": ((0, 600),),
    }
    cap = weekly("person:P")
    batch = [
        claim(11, "done", cap, stops=("person:P",), **all_of_it),
        claim(12, "done", cap, **all_of_it),
        claim(13, "held", cap, **all_of_it),
        claim(14, "L1", cap, **all_of_it),
        claim(15, "L1", cap, **{**all_of_it, "number": TWO}),
        claim(16, "L1", cap, **{**all_of_it, "lists": (), "consent": None}),
        claim(17, "L1", cap),
    ]
    assert refused(await store.reserve("mora", batch)) == {
        11: "stop:paid",
        12: "lead.claimed",
        13: "lead.claimed",
        14: "dnc:pe",
        15: "consent:US-TCPA",
        16: "person.hours",
        17: "weekly",
    }


# ---- what caps saw ------------------------------------------------------------------------------------------
async def check_what_caps_saw_is_told(make: Make) -> None:
    store = await opened(make)
    both = (weekly("person:P", most=3), weekly("number:+1", most=9), weekly("person:P", most=4, ignores=("BUSY",)))
    facts = ("person:P", "number:+1")
    answers = [await store.reserve("mora", [claim(n, f"L{n}", *both, facts=facts)]) for n in range(5)]
    assert [answer.seen for answer in answers[:3]] == [{0: (0, 0, 0)}, {1: (1, 1, 1)}, {2: (2, 2, 2)}]
    assert [(entry.seen, entry.max) for answer in answers for entry in answer.refusals] == [(3, 3), (3, 3)]
    again = await store.reserve("mora", [claim(0, "L0", *both, facts=facts), claim(9, "L9")])
    assert (again.refusals, again.seen) == ([], {9: ()})  # it was counted when it was claimed
    more = await store.reserve("mora", [claim(10, "L10", weekly("person:P", most=2))])
    assert [(entry.seen, entry.max) for entry in more.refusals] == [(3, 2)]


async def check_a_cap_of_none_lets_nobody_through(make: Make) -> None:
    store = await opened(make)
    day = slot("person:P", rule="never", max=0, since=NOW - DAY, resets_at=NOW + HOUR)
    hours = slot("person:P", rule="never", max=0, since=NOW - DAY, window_s=DAY)
    answer = await store.reserve("mora", [claim(1, "L1", day), claim(2, "L2", hours)])
    assert [(entry.retry_at, entry.seen, entry.max) for entry in answer.refusals] == [(NOW + HOUR, 0, 0), (None, 0, 0)]


async def check_a_slot_that_may_come_back_is_asked_for_soon(make: Make) -> None:
    """An attempt that is not settled may turn out not to count: then the cap has room long before its window moves."""
    store = await opened(make)
    await store.record_facts([OutsideFact(keys=("person:P",), at=NOW - 6 * DAY, outcome="letter", id="1")])
    await store.reserve("mora", [claim(1, "L1", facts=("person:P",))])
    soon, frees = NOW + 60, NOW - 6 * DAY + 7 * DAY
    for attempt_id, cap, retry_at in (
        (2, weekly("person:P", most=2, ignores=("BUSY",)), soon),
        (3, weekly("person:P", most=2), frees),  # whatever comes of it, it counts
        (4, weekly("person:P", most=1, ignores=("BUSY",)), NOW + 7 * DAY),  # one more is there
        (5, slot("person:P", rule="d", max=1, since=NOW, ignores=("BUSY",), resets_at=NOW + DAY), soon),
        (6, slot("person:P", rule="d", max=1, since=NOW, ignores=("BUSY",), resets_at=NOW + 9), NOW + 9),
        (7, slot("person:P", rule="d", max=1, since=NOW, ignores=("BUSY",)), soon),
    ):
        [entry] = (await store.reserve("mora", [claim(attempt_id, f"M{attempt_id}", cap)])).refusals
        assert entry.retry_at == pytest.approx(retry_at, abs=0.01), attempt_id


# ---- the whole store ----------------------------------------------------------------------------------------
async def check_all_stops_are_told(make: Make) -> None:
    store = make()
    stops = {f"lead:L{number}": "paid ñ" for number in range(1500)}
    for key, reason in stops.items():
        await store.stop(key, reason)
    assert await make().all_stops() == {key: (reason,) for key, reason in stops.items()}
    await store.lift("lead:L7")
    assert "lead:L7" not in await store.all_stops()


async def check_a_number_is_found_in_every_campaign(make: Make) -> None:
    store = await opened(make, "mora")
    many = [lead(f"L{number}") for number in range(600)]
    other = [lead("X")]
    nobody = lead("Y", person=ONE)
    nobody = type(nobody)(lead_id="Y", numbers=(), person=ONE, debt="Y")
    await store.add_leads("mora", [*many[:1], nobody])
    await make().add_leads("otra", other)
    held = claim(1, "L0")
    await store.reserve("mora", [held])
    after = LeadProgress(lead_id="L0", status="finished", attempts=1)
    await store.settle("mora", [settlement(held, progress=after)])
    assert await make().find_number(ONE) == [
        ("mora", many[0], after),
        ("otra", other[0], LeadProgress(lead_id="X")),
    ]
    assert await make().find_number(TWO) == []
    await store.add_leads("mora", many[1:])
    assert len(await make().find_number(ONE)) == 601


CHECKS: dict[str, Check] = {
    name.removeprefix("check_"): check for name, check in list(globals().items()) if name.startswith("check_")
}
