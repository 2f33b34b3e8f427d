"""What becomes of a lead whose claim the store refused."""

from __future__ import annotations

import msgspec
import pytest

from compliance.clearance import CapSlot, DialCandidate
from dialer.adapters.store.memory import MemoryData, MemoryStore
from dialer.core import actions as act
from dialer.core import events as ev
from dialer.core.lead import LeadProgress
from tests.unit.core.bench_engine import Bench, OpenRules, lead_of

HOUR_S = 3600.0


def claims(bench: Bench, seconds: float = 1.1, count: int = 1) -> list[act.Claim]:
    bench.policy.want = count
    return [c for a in bench.wait(seconds) if isinstance(a, act.Reserve) for c in a.claims]


def refuse(bench: Bench, claim: act.Claim, rule: str, after_s: float | None, key: str = "") -> None:
    retry_at = None if after_s is None else bench.now + after_s
    bench.tell(ev.Refused, refusals=(ev.Refusal(attempt_id=claim.attempt_id, rule=rule, retry_at=retry_at, key=key),))


def bench_of(numbers: int, rules: OpenRules | None = None) -> tuple[Bench, act.Claim]:
    bench = Bench(leads=1, numbers=numbers, rules=rules)
    bench.log_in("ana")
    (claim,) = claims(bench)
    return bench, claim


def progress(bench: Bench) -> LeadProgress:
    return bench.engine.queue[0].progress


@pytest.mark.parametrize("rule", ["dnc:us_national_dnc", "consent:de-tmk"])
def test_a_number_on_a_registry_gives_way_to_the_next_for_good(rule: str) -> None:
    bench, first = bench_of(2)
    refuse(bench, first, rule, None)
    (second,) = claims(bench, 3.0)
    assert second.number != first.number
    refuse(bench, second, rule, None)
    assert progress(bench).status == "finished"
    assert claims(bench, 2 * HOUR_S) == []


@pytest.mark.parametrize(
    ("rule", "after_s"),
    [("dnc:es_robinson:stale", HOUR_S), ("dnc:es_robinson:missing", HOUR_S), ("consent:de-tmk", 24 * HOUR_S)],
)
def test_what_may_be_mended_is_asked_again_later(rule: str, after_s: float) -> None:
    bench, first = bench_of(1)
    refuse(bench, first, rule, after_s)
    assert progress(bench).status == "ready"
    assert claims(bench, after_s - 1.0) == []
    (again,) = claims(bench, 3.0)
    assert again.number == first.number


def test_a_stale_list_of_one_number_leaves_the_other() -> None:
    bench, first = bench_of(2)
    refuse(bench, first, "dnc:es_robinson:stale", HOUR_S)
    (second,) = claims(bench, 3.0)
    assert second.number != first.number


def test_hours_that_a_person_asked_for_hold_on_every_number() -> None:
    bench, first = bench_of(2)
    refuse(bench, first, "person.hours", HOUR_S)
    assert claims(bench, HOUR_S - 1.0) == []
    (again,) = claims(bench, 3.0)
    assert again.number == first.number


@pytest.mark.parametrize(
    ("key", "where", "other_number"),
    [
        ("number:+1", (), True),
        ("person:P", ("d=D", "u=work"), True),
        ("person:P", ("n=+1",), True),
        ("person:P", (), False),
        ("debt:D", ("s=x",), False),
    ],
)
def test_a_cap_of_the_number_or_its_use_leaves_the_next_number(
    key: str, where: tuple[str, ...], other_number: bool
) -> None:
    class Capped(OpenRules):
        def caps(self, candidate: DialCandidate, now: float) -> tuple[CapSlot, ...]:
            return (CapSlot(rule="cap", key=key, where=where, max=1, since=0.0),)

    bench, first = bench_of(2, Capped())
    refuse(bench, first, "cap", HOUR_S)
    assert [claim.number != first.number for claim in claims(bench, 3.0)] == ([True] if other_number else [])


@pytest.mark.parametrize(("rule", "status"), [("stop:deceased", "stopped"), ("lead.claimed", "finished")])
def test_a_refusal_for_ever_ends_the_lead(rule: str, status: str) -> None:
    bench, claim = bench_of(2)
    refuse(bench, claim, rule, None)
    assert progress(bench).status == status
    assert claims(bench, HOUR_S) == []


@pytest.mark.parametrize("kind", ["number", "work"])
def test_a_stop_of_one_number_gives_way_to_the_next(kind: str) -> None:
    bench, first = bench_of(2)
    refuse(bench, first, "stop:do_not_call", None, f"{kind}:1")
    (second,) = claims(bench, 3.0)
    assert second.number != first.number
    refuse(bench, second, "stop:do_not_call", None, f"{kind}:2")
    assert progress(bench).status == "stopped"
    assert claims(bench, HOUR_S) == []


@pytest.mark.parametrize("key", ["lead:L0", "person:P", "debt:D", "account:A", "everything", ""])
def test_a_stop_of_anything_else_ends_the_lead(key: str) -> None:
    bench, first = bench_of(2)
    refuse(bench, first, "stop:paid", None, key)
    assert progress(bench).status == "stopped" and claims(bench, HOUR_S) == []


def test_a_stale_list_that_only_warns_is_told_once_a_run() -> None:
    bench = Bench(leads=3)
    bench.log_in("ana")
    for registry in ("es_robinson", "es_robinson", "house"):
        (claim,) = claims(bench)
        bench.tell(ev.Reserved, attempt_ids=(claim.attempt_id,), warnings=((claim.attempt_id, registry),))
    told = [alert.text for alert in bench.of(act.Alert)]  # type: ignore[attr-defined]
    assert len(told) == 2 and "es_robinson" in told[0] and "house" in told[1]
    assert len(bench.of(act.Originate)) == 3


# ---- a request made in a call ---------------------------------------------------------------------------------
def two_accounts_of_rosa(numbers: int = 2) -> Bench:
    bench = Bench(leads=0)
    leads = tuple(msgspec.structs.replace(lead_of(f"L{i}", numbers), person="Rosa") for i in range(3))
    bench.tell(ev.LeadsAdded, leads=leads, progress=tuple(LeadProgress(lead_id=lead.lead_id) for lead in leads))
    bench.log_in("ana")
    return bench


def test_a_request_holds_for_calls_that_ring_are_reserved_or_are_queued() -> None:
    bench = two_accounts_of_rosa()
    talking, ringing = bench.dial(2)
    bench.tell(ev.AttemptRinging, attempt_id=ringing)
    bench.talk(talking)
    (waiting,) = claims(bench)  # the store has not answered yet
    bench.tell(ev.AgentKeyed, agent_id="ana", key="9")
    assert {a.attempt_id for a in bench.of(act.HangUp)} == {ringing}  # type: ignore[attr-defined]
    bench.tell(ev.Reserved, attempt_ids=(waiting.attempt_id,))
    assert {a.attempt_id for a in bench.of(act.Originate)} == {talking, ringing}  # type: ignore[attr-defined]
    (stop,) = bench.of(act.Stop)
    assert "person:Rosa" in stop.keys  # type: ignore[attr-defined]


def test_a_request_holds_in_another_campaign_through_the_store() -> None:
    """Its queued calls are refused, on every number of the person; those that ring are hung up when it is told."""
    bench = two_accounts_of_rosa()
    (talking,) = bench.dial()
    bench.talk(talking)
    bench.tell(ev.AgentKeyed, agent_id="ana", key="9")
    data = MemoryData()
    store = MemoryStore(data)
    for stop in bench.of(act.Stop):
        for key in stop.keys:  # type: ignore[attr-defined]
            store.stop_now(key, stop.reason)  # type: ignore[attr-defined]

    other = Bench(leads=0)
    account = msgspec.structs.replace(lead_of("L77", 2), person="Rosa")
    other.tell(ev.LeadsAdded, leads=(account,), progress=(LeadProgress(lead_id="L77"),))
    other.log_in("ana")
    (ringing,) = claims(other)
    other.tell(ev.Reserved, attempt_ids=(ringing.attempt_id,))
    hung_up = [a for key, reason in data.stop_log for a in other.tell(ev.LeadStopped, key=key, reason=reason)]
    assert [a.attempt_id for a in hung_up if isinstance(a, act.HangUp)] == [ringing.attempt_id]

    opened = MemoryStore(data)
    opened.open_now("other", owner="test")
    second = msgspec.structs.replace(ringing, attempt_id=2, number="+51999999999", at=other.now)
    assert [r.rule for r in opened.reserve_now("other", [second]).refusals] == ["stop:do_not_call"]
