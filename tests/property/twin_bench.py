"""A bench whose engine may be restored from its snapshot, and has to go on as the first one does."""

from __future__ import annotations

import msgspec

from dialer.config.campaign import Campaign
from dialer.core import actions as act
from dialer.core import events as ev
from dialer.core.engine import Engine
from dialer.core.snapshot import Snapshot
from tests.property.engine_books import Books
from tests.unit.core.bench_engine import Bench, OpenRules, ToldPolicy


class TwinBench(Bench):
    """A bench that can restore its engine from a snapshot; from then on the first engine must answer the same."""

    def __init__(self, books: Books, campaign: Campaign, *, leads: int) -> None:
        self.books = books
        self.twin: Engine | None = None
        self.whole = False  # no step has failed
        super().__init__(leads, 2, rules=OpenRules(until=books.closes_at), campaign=campaign)

    def tell(self, kind: type[ev.Event], **facts: object) -> list[act.Action]:
        event = kind(at=self.now, **facts)
        self.whole = False
        self.books.hear(event)
        actions = self.engine.step(event)
        if self.twin is not None:
            assert self.twin.step(event) == actions, "the restored engine goes on differently"
        self.books.note(actions, self.now)
        self.whole = True
        return actions

    def want(self, lines: int, *, hang_up: tuple[int, ...] = (), fault: Exception | None = None) -> None:
        for engine in (self.engine, self.twin):
            if engine is not None:
                for policy in engine._state.policies.values():
                    assert isinstance(policy, ToldPolicy)
                    policy.want, policy.hang_up, policy.fault = lines, hang_up, fault

    def restart(self) -> None:
        """Go on with an engine that knows only what a snapshot says, through JSON."""
        self.want(0)
        snapshot = self.engine.snapshot()
        travelled = msgspec.json.decode(msgspec.json.encode(snapshot), type=Snapshot)
        policies = {"progressive": ToldPolicy(policy_id="told-progressive-v1"), "predictive": ToldPolicy()}
        self.twin = self.engine
        self.engine = Engine.restore(self.twin.campaign, rules=self.rules, policies=policies, snapshot=travelled)  # type: ignore[arg-type]
        assert self.engine.snapshot() == snapshot
