"""Random use of the store on a real server, compared step by step with the store in memory and with a naive count."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import redis
from check_store import DAY, NOW, claim, lead, settlement
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from compliance.frequency import CapSlot
from dialer.adapters.store.memory import MemoryStore
from dialer.adapters.store.redis import RedisStore
from dialer.adapters.store.server import connect
from dialer.core.actions import Claim
from dialer.core.lead import LeadProgress

CAMPAIGNS = ("mora", "otra")
LEADS = ("L0", "L1", "L2", "L3", "L4")
KEYS = ("person:P", "person:Q", "number:+1")
DISPOSITIONS = ("BUSY", "RPC", "UNKNOWN")

campaigns = st.sampled_from(CAMPAIGNS)
keys = st.sampled_from(KEYS)
ages = st.sampled_from((0.0, 0.1, DAY, 7 * DAY, 30 * DAY))


@st.composite
def caps(draw: st.DrawFn) -> CapSlot:
    window_s = draw(st.sampled_from((DAY, 7 * DAY, None)))
    return CapSlot(
        rule=draw(st.sampled_from(("r1", "r2"))),
        key=draw(keys),
        max=draw(st.integers(1, 3)),
        since=NOW - (window_s or 30 * DAY),
        ignores=draw(st.sampled_from(((), ("BUSY",), ("BUSY", "UNKNOWN")))),
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
            batch.append(claim(self.next_id, lead_id, *slots, at=NOW - data.draw(ages), facts=facts, stops=stops))
            self.next_id += 1
        refusals = {entry.attempt_id for entry in self.both("reserve", campaign, batch)}
        for entry in batch:
            if entry.attempt_id not in refusals:
                assert all(self.counted(slot) < slot.max for slot in entry.caps)
                self.claims[campaign, entry.attempt_id] = entry
                self.dispositions[campaign, entry.attempt_id] = "PENDING"

    def counted(self, slot: CapSlot) -> int:
        return sum(
            slot.key in entry.fact_keys and entry.at >= slot.since and self.dispositions[key] not in slot.ignores
            for key, entry in self.claims.items()
        )

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

    @rule(key=st.sampled_from(("person:P", "number:+1", "lead:L4")))
    def lift(self, key: str) -> None:
        self.both("lift", key)

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
            max_examples=40,
            stateful_step_count=25,
            deadline=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
