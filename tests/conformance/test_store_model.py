"""Random use of the store on a real server, compared step by step with the store in memory and with a naive count."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import redis
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from specimens import DAY, NOW, claim, lead, settlement, slot

from compliance.clearance import CapSlot, ConsentCheck, ListCheck
from dialer.adapters.store.memory import MemoryStore
from dialer.adapters.store.redis import RedisStore
from dialer.adapters.store.server import connect
from dialer.core.actions import Claim
from dialer.core.lead import LeadProgress
from dialer.ports import Consent, OutsideFact

CAMPAIGNS = ("mora", "otra")
LEADS = ("L0", "L1", "L2", "L3", "L4")
KEYS = ("person:P", "person:Q", "number:+1")
DISPOSITIONS = ("BUSY", "RPC", "UNKNOWN")
OUTSIDE = ("conversation/inbound", "attempt/voice")
PARTS = ("", "|d=D", "|d=E|a=A", "|n=+1|d=D|u=", "|n=+2|u=work")

campaigns = st.sampled_from(CAMPAIGNS)
keys = st.sampled_from(KEYS)
numbers = st.sampled_from(("+5117000001", "+5117000002", "+5117000003"))
registries = st.sampled_from(("pe", "co"))
persons = st.sampled_from(("P", "Q"))
consent_keys = st.sampled_from(("t|person:P", "t|person:Q", "t|number:+1"))
instants = st.sampled_from((NOW - 30 * DAY, NOW - DAY, NOW - 0.1, NOW, NOW + DAY))
local_times = st.tuples(st.integers(0, 1), st.sampled_from((0, 1, 599, 600, 601, 1439)))
spans = st.tuples(st.integers(0, 1), st.sampled_from((0, 1, 600)), st.sampled_from((601, 602, 1440)))
list_checks = st.builds(
    ListCheck,
    registry=registries,
    fresh_since=instants,
    when_stale=st.sampled_from(("block", "warn")),
    rule=st.just("PE-DNC"),
)
consent_checks = st.builds(
    ConsentCheck, keys=st.lists(consent_keys, max_size=2).map(tuple), since=instants, rule=st.just("US-TCPA")
)
ages = st.sampled_from((0.0, 0.1, DAY, 7 * DAY, 30 * DAY))


@st.composite
def caps(draw: st.DrawFn) -> CapSlot:
    window_s = draw(st.sampled_from((DAY, 7 * DAY, None)))
    key = draw(keys)
    return slot(
        key,
        where=draw(st.sampled_from(((), (), ("d=D",), ("a=A|d=D",), ("d=E", "u=work"), ("c=mora",)))),
        also="n=+1" if key == "number:+1" and draw(st.booleans()) else "",
        rule=draw(st.sampled_from(("r1", "r2"))),
        max=draw(st.integers(1, 3)),
        since=NOW - (window_s or 30 * DAY),
        ignores=draw(st.sampled_from(((), ("BUSY",), ("BUSY", "UNKNOWN"), ("BUSY", "attempt/voice")))),
        window_s=window_s,
        resets_at=draw(st.sampled_from((None, NOW + DAY))),
    )


class StoreMachine(RuleBasedStateMachine):
    """Two stores side by side: what one answers, the other must answer."""

    socket: Path

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.memory = MemoryStore()
        self.next_id = 1
        self.claims: dict[tuple[str, int], Claim] = {}  # everything that was ever granted
        self.dispositions: dict[tuple[str, int], str] = {}  # the naive record: of each grant, what became of it
        self.outside: dict[tuple[str, str, str, str], float] = {}  # the same of facts from outside, without their time

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self.runner.run(work)

    @initialize()
    def open(self) -> None:
        with redis.Redis(unix_socket_path=str(self.socket)) as client:
            client.flushall()
        self.valkey = self.run(self._connected())
        for campaign in CAMPAIGNS:
            self.both("add_leads", campaign, [lead(lead_id) for lead_id in LEADS])
            self.both("open_campaign", campaign, owner="here:1")

    async def _connected(self) -> RedisStore:
        return RedisStore(connect(self.socket))

    def both(self, method: str, *args: Any, **kwargs: Any) -> Any:
        expected = self.run(getattr(self.memory, method)(*args, **kwargs))
        assert self.run(getattr(self.valkey, method)(*args, **kwargs)) == expected
        return expected

    @rule(data=st.data(), campaign=campaigns, size=st.integers(1, 4))
    def reserve(self, data: st.DataObject, campaign: str, size: int) -> None:
        batch = []
        for _ in range(size):
            slots = data.draw(st.lists(caps(), max_size=2))
            extra = data.draw(st.lists(keys, max_size=2))
            facts = tuple(dict.fromkeys([slot.key for slot in slots] + extra))
            lead_id = data.draw(st.sampled_from(LEADS))
            stops = data.draw(st.sampled_from(((), ("person:P",), ("person:Q", "number:+1"))))
            batch.append(
                claim(
                    self.next_id,
                    lead_id,
                    *slots,
                    at=NOW - data.draw(ages),
                    facts=facts,
                    fact=data.draw(st.sampled_from(PARTS)),
                    stops=stops,
                    number=data.draw(numbers),
                    person=data.draw(persons),
                    lists=tuple(data.draw(st.one_of(st.just([]), st.just([]), st.lists(list_checks, max_size=2)))),
                    consent=data.draw(st.one_of(st.none(), st.none(), consent_checks)),
                    local_times=tuple(data.draw(st.lists(local_times, max_size=2))),
                )
            )
            self.next_id += 1
        answer = self.both("reserve", campaign, batch)
        refusals = {entry.attempt_id: entry for entry in answer.refusals}
        for entry in batch:
            seen = tuple(self.counted(slot, entry.person) for slot in entry.caps)
            refusal = refusals.get(entry.attempt_id)
            if refusal is None:
                assert all(count < slot.max for count, slot in zip(seen, entry.caps, strict=True))
                assert answer.seen[entry.attempt_id] == seen
                self.claims[campaign, entry.attempt_id] = entry
                self.dispositions[campaign, entry.attempt_id] = "PENDING"
            elif refusal.seen is not None:
                assert refusal.seen >= refusal.max
                assert (refusal.seen, refusal.max) in zip(seen, (slot.max for slot in entry.caps), strict=True)

    def counted(self, slot: CapSlot, person: str) -> int:
        """Count anew, from what was done: each event once."""
        events: set[object] = set()
        for (key, fact_id, outcome, parts), at in self.outside.items():
            if self.ways(slot, person, (key,), at, outcome, f"{parts}|"):
                events.add((fact_id, at))
        for (campaign, attempt_id), entry in self.claims.items():
            outcome, text = self.dispositions[campaign, attempt_id], f"|c={campaign}{entry.fact}|"
            for way in range(self.ways(slot, person, entry.fact_keys, entry.at, outcome, text)):
                events.add((campaign, attempt_id, way))
        return len(events)

    def ways(self, slot: CapSlot, person: str, streams: tuple[str, ...], at: float, outcome: str, text: str) -> int:
        """In how many streams the cap finds it; in two only where a record lacks what its stream is named by."""
        if at < slot.since or outcome in slot.exclude:
            return 0
        named = dict(part.split("=") for part in text.split("|") if part)
        for part in slot.where:
            wanted = dict(alternative.split("=") for alternative in part.split("|"))
            common = named.keys() & wanted.keys()
            if common and not any(named[letter] == wanted[letter] for letter in common):
                return 0
        unnamed = bool(slot.also) and f"person:{person}" in streams and "n" not in named
        return (slot.key in streams) + unnamed

    @rule(data=st.data(), disposition=st.sampled_from(DISPOSITIONS), status=st.sampled_from(("ready", "finished")))
    def settle(self, data: st.DataObject, disposition: str, status: str) -> None:
        if not self.claims:
            return
        campaign, attempt_id = data.draw(st.sampled_from(sorted(self.claims)))  # settled before, at times
        entry = self.claims[campaign, attempt_id]
        progress = LeadProgress(lead_id=entry.lead_id, status=status, attempts=attempt_id, next_at=NOW + attempt_id / 3)
        stops = data.draw(st.sampled_from(((), (), (), ("number:+1", f"lead:{entry.lead_id}"))))
        end = settlement(entry, disposition, progress=progress, stops=stops, reason="why" if stops else "")
        self.both("settle", campaign, [end, end])
        if self.dispositions[campaign, attempt_id] == "PENDING":
            self.dispositions[campaign, attempt_id] = disposition

    @rule(key=st.sampled_from(("person:P", "lead:L4")), reason=st.sampled_from(("paid", "disputed")))
    def stop(self, key: str, reason: str) -> None:
        self.both("stop", key, reason)

    @rule(
        key=st.sampled_from(("person:P", "number:+1", "lead:L4")),
        reason=st.sampled_from((None, "paid", "disputed", "why")),
    )
    def lift(self, key: str, reason: str | None) -> None:
        self.both("lift", key, reason)

    @rule(name=registries, listed=st.lists(numbers, max_size=3), as_of=instants)
    def replace_registry(self, name: str, listed: list[str], as_of: float) -> None:
        self.both("replace_registry", name, listed, as_of=as_of, source="a.csv")

    @rule(name=registries)
    def drop_registry(self, name: str) -> None:
        self.both("drop_registry", name)

    @rule(person=persons, hours=st.lists(spans, max_size=2).map(tuple))
    def set_hours(self, person: str, hours: tuple[tuple[int, int, int], ...]) -> None:
        self.both("set_hours", person, hours)

    @rule(key=consent_keys, at=instants, expires_at=st.one_of(st.none(), instants))
    def give_consent(self, key: str, at: float, expires_at: float | None) -> None:
        self.both("give_consent", key, Consent(source="web", at=at, expires_at=expires_at))

    @rule(key=consent_keys, at=instants)
    def revoke_consent(self, key: str, at: float) -> None:
        self.both("revoke_consent", key, at)

    @rule(
        named=st.lists(keys, min_size=1, max_size=2, unique=True).map(tuple),
        age=ages,
        outcome=st.sampled_from(OUTSIDE),
        fact_id=st.sampled_from("abc"),
        parts=st.sampled_from(PARTS),
    )
    def record_facts(self, named: tuple[str, ...], age: float, outcome: str, fact_id: str, parts: str) -> None:
        fact = OutsideFact(keys=named, at=NOW - age, outcome=outcome, id=fact_id, parts=parts)
        self.both("record_facts", [fact])
        for key in named:
            self.outside.setdefault((key, fact_id, outcome, parts), NOW - age)

    @rule(number=numbers)
    def look(self, number: str) -> None:
        self.both("registries_of", number)
        self.both("find_number", number)
        self.both("all_stops")
        self.both("facts_of", KEYS)
        self.both("consents_of", ["t|person:P", "t|person:Q", "t|number:+1"])
        self.both("revocations_of", ["t|person:P", "t|person:Q", "t|number:+1"])
        self.both("hours_of", "P")

    @rule(campaign=campaigns, closed=st.booleans())
    def reopen(self, campaign: str, closed: bool) -> None:
        if closed:
            self.both("close_campaign", campaign)
        self.both("open_campaign", campaign, owner="here:1")

    @rule(campaign=campaigns, more=st.lists(st.sampled_from((*LEADS, "L5", "L6")), max_size=3))
    def add_leads(self, campaign: str, more: list[str]) -> None:
        self.both("add_leads", campaign, [lead(lead_id) for lead_id in more])

    @invariant()
    def progress_is_equal(self) -> None:
        if hasattr(self, "valkey"):
            self.both("progress", "mora")

    def teardown(self) -> None:
        if hasattr(self, "valkey"):
            while self.memory._seen < len(self.memory.data.stop_log):
                self.both("next_stop")
            self.run(self.valkey.close())
        self.runner.close()


def test_the_store_in_memory_and_the_store_on_valkey_agree(valkey_socket: Path) -> None:
    machine = type("Machine", (StoreMachine,), {"socket": valkey_socket})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=60,
            stateful_step_count=25,
            deadline=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
