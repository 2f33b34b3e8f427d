"""Whatever is planned, placed and given back: no limit of a trunk or an account is exceeded, as its provider counts,
and none of its room is withheld."""

from __future__ import annotations

import json
from collections.abc import Iterator
from math import inf, nextafter

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from carriers.loads import UNLIMITED, Loads
from carriers.supply import Carrier, LimitKind, SetUpLimit, Supply, Trunk
from tests.property.provider_counts import HOLDS, LEFT

KINDS: tuple[LimitKind, ...] = ("rolling", "bucket", "clock")

# Providers as they publish their limits: Twilio counts 1 a second by trunk, Telnyx 150 in a rolling 5 s by account,
# Vonage 3 in a second of the clock; and a small carrier takes one call in two seconds.
PROVIDERS = Supply(
    carriers=(
        Carrier(name="Twilio"),
        Carrier(name="Telnyx", limits=(SetUpLimit(calls=150, per_s=5.0, kind="rolling"),), max_channels=260),
        Carrier(name="Vonage", limits=(SetUpLimit(calls=3, per_s=1.0, kind="clock"),)),
        Carrier(name="Half"),
    ),
    trunks=(
        Trunk(
            name="twilio-1", carrier="Twilio", max_channels=9, limits=(SetUpLimit(calls=1, per_s=1.0, kind="bucket"),)
        ),
        Trunk(
            name="twilio-2", carrier="Twilio", max_channels=9, limits=(SetUpLimit(calls=1, per_s=1.0, kind="bucket"),)
        ),
        Trunk(name="telnyx-1", carrier="Telnyx", max_channels=200, limits=()),
        Trunk(name="telnyx-2", carrier="Telnyx", max_channels=200, limits=(SetUpLimit(calls=100, per_s=1.0),)),
        Trunk(name="vonage", carrier="Vonage", max_channels=20, limits=()),
        Trunk(name="half", carrier="Half", max_channels=4, limits=(SetUpLimit(calls=1, per_s=2.0),)),
    ),
)

set_up_limits = st.lists(
    st.builds(
        lambda kind, calls, per_s: SetUpLimit(kind=kind, calls=calls, per_s=per_s),
        st.sampled_from(KINDS),
        st.integers(1, 6),
        st.one_of(st.sampled_from([0.1, 1 / 3, 1.0, 2.0, 5.0, 7.0]), st.floats(0.01, 100.0)),
    ),
    max_size=2,
).map(tuple)


@st.composite
def supplies(draw: st.DrawFn) -> Supply:
    carriers = tuple(
        Carrier(name=f"c{place}", limits=limits, max_channels=channels)
        for place, (limits, channels) in enumerate(
            draw(st.lists(st.tuples(set_up_limits, st.none() | st.integers(1, 9)), min_size=1, max_size=3))
        )
    )
    return Supply(
        carriers=carriers,
        trunks=tuple(
            Trunk(
                name=f"t{place}", carrier=carriers[account % len(carriers)].name, max_channels=channels, limits=limits
            )
            for place, (account, limits, channels) in enumerate(
                draw(st.lists(st.tuples(st.integers(0, 2), set_up_limits, st.integers(1, 8)), min_size=1, max_size=4))
            )
        ),
    )


starts = st.one_of(st.sampled_from([0.0, 86_399.5, 1_789_948_798.7, 1_790_000_000.125]), st.floats(0.0, 4e9))
steps = st.one_of(
    st.just(0.0),
    st.floats(0.0, 1e-6),
    st.floats(0.0, 1.0),
    st.sampled_from([0.1, 1 / 3, 0.5, 1.0, 2.0, 5.0]),
    st.floats(0.0, 30.0),
    st.floats(0.0, 1e6),
)
trunks = st.integers(0, 5)
counts = st.one_of(st.integers(1, 4), st.sampled_from([40, 120, 200]))


class CarrierLimits(RuleBasedStateMachine):
    """`Loads`, and beside it plain counts and the times of all set-ups."""

    @initialize(supply=st.one_of(st.just(PROVIDERS), supplies()), now=starts)
    def begin(self, supply: Supply, now: float) -> None:
        self.supply, self.now = supply, now
        self.loads = Loads(supply)
        self.planned = [0 for _ in supply.trunks]
        self.placed = [0 for _ in supply.trunks]
        self.survived = [0 for _ in supply.trunks]  # of the placed: of an earlier run, perhaps beyond the channels
        self.set_ups: list[list[float]] = [[] for _ in supply.trunks]

    # ---- what happens ---------------------------------------------------------------------------------------------
    @rule(step=steps)
    def time_passes(self, step: float) -> None:
        self.now += step

    @rule(trunk=trunks)
    def time_passes_up_to_the_next_set_up(self, trunk: int) -> None:
        self.now = self.loads.next_set_up_at(self._trunk(trunk), self.now)

    @rule(trunk=trunks)
    def time_passes_to_just_before_the_next_set_up(self, trunk: int) -> None:
        self.now = max(self.now, nextafter(self.loads.next_set_up_at(self._trunk(trunk), self.now), 0.0))

    @rule(trunk=trunks, count=counts)
    def plan(self, trunk: int, count: int) -> None:
        """Plan as far as channels go, beyond what the limits let through too."""
        trunk = self._trunk(trunk)
        for _ in range(min(count, self._free(trunk))):
            self.loads.take(trunk)
            self.planned[trunk] += 1

    @rule(trunk=trunks, count=counts)
    def place(self, trunk: int, count: int) -> None:
        trunk = self._trunk(trunk)
        for _ in range(min(count, self.planned[trunk])):
            if not self.loads.set_up(trunk, self.now):
                assert self._left(trunk) < 1, "refused although every limit had room"
                break
            self._placed(trunk)

    @rule(trunk=trunks)
    def wait_and_place(self, trunk: int) -> None:
        """At the time that is named there is room, and just before it there was none."""
        trunk = self._trunk(trunk)
        at = self.loads.next_set_up_at(trunk, self.now)
        if not self.planned[trunk]:
            return
        if at > self.now:
            self.now = nextafter(at, 0.0)
            assert not self.loads.set_up(trunk, self.now)
        self.now = at
        assert self.loads.set_up(trunk, at)
        self._placed(trunk)

    @rule(trunk=trunks, count=counts)
    def end(self, trunk: int, count: int) -> None:
        trunk = self._trunk(trunk)
        for _ in range(min(count, self.placed[trunk])):
            self.loads.give_back(trunk, set_up=True)
            self.placed[trunk] -= 1
            self.survived[trunk] = min(self.survived[trunk], self.placed[trunk])

    @rule(trunk=trunks, count=st.integers(1, 5))
    def survive(self, trunk: int, count: int) -> None:
        """Calls of an earlier run hold channels, whether there are any or not; no limit counts their set-ups again."""
        trunk = self._trunk(trunk)
        for _ in range(count):
            self.loads.occupy(trunk)
            self.placed[trunk] += 1
            self.survived[trunk] += 1

    @rule(trunk=trunks, count=counts)
    def drop(self, trunk: int, count: int) -> None:
        trunk = self._trunk(trunk)
        for _ in range(min(count, self.planned[trunk])):
            self.loads.give_back(trunk, set_up=False)
            self.planned[trunk] -= 1

    @precondition(lambda self: any(self.planned))
    @rule()
    def restart(self) -> None:
        """Everything goes through a file and comes back as it was."""
        text = json.dumps(self.loads.snapshot(), allow_nan=False)
        self.loads = Loads(self.supply)
        self.loads.restore(json.loads(text))

    @rule()
    def another_run_begins(self) -> None:
        """Its calls are its own, the limits count on: in whatever order the supply names them."""
        counted = json.loads(json.dumps(self.loads.counted(), allow_nan=False))
        self.loads = Loads(self.supply)
        self.loads.count_on({kind: dict(reversed(found.items())) for kind, found in counted.items()})
        for counts_of in (self.planned, self.placed, self.survived):
            counts_of[:] = [0] * len(counts_of)

    # ---- what holds -----------------------------------------------------------------------------------------------
    @invariant()
    def counts_are_right(self) -> None:
        for trunk in range(len(self.supply.trunks)):
            assert self.loads.in_use(trunk) == self.planned[trunk] + self.placed[trunk]
            ours = self.loads.in_use(trunk) - self.survived[trunk]
            assert ours <= self.supply.trunks[trunk].max_channels
        for account, channels in enumerate(self._account_channels()):
            ours = sum(self.loads.in_use(trunk) - self.survived[trunk] for trunk in self._of_account(account))
            assert ours <= channels
        free = [
            min(
                self._account_free(account),
                sum(self._trunk_free(trunk) for trunk in self._of_account(account)),
            )
            for account in range(len(self.supply.carriers))
        ]
        assert self.loads.free_channels == sum(free)

    @invariant()
    def room_is_what_providers_and_channels_leave(self) -> None:
        room = self.loads.room(self.now)
        total = 0
        for trunk, its in enumerate(self.supply.trunks):
            lefts = [LEFT[limit.kind](limit, self.set_ups[trunk], self.now) for limit in its.limits]
            rate = min(lefts, default=UNLIMITED) - self.planned[trunk]
            assert room.trunk[trunk] == max(0, min(self._trunk_free(trunk), rate))
        for account, carrier in enumerate(self.supply.carriers):
            lefts = [LEFT[limit.kind](limit, self._times(account), self.now) for limit in carrier.limits]
            planned = sum(self.planned[trunk] for trunk in self._of_account(account))
            rate = min(lefts, default=inf) - planned
            free = self._account_free(account)
            assert room.account[account] == max(0, min(free, rate))
            total += min(room.account[account], sum(room.trunk[trunk] for trunk in self._of_account(account)))
        assert self.loads.total_room(self.now) == total

    def teardown(self) -> None:
        for trunk, its in enumerate(self.supply.trunks):
            for limit in its.limits:
                assert HOLDS[limit.kind](limit, self.set_ups[trunk])
        for account, carrier in enumerate(self.supply.carriers):
            for limit in carrier.limits:
                assert HOLDS[limit.kind](limit, self._times(account))

    # ---- the plain counts -----------------------------------------------------------------------------------------
    def _trunk(self, drawn: int) -> int:
        return drawn % len(self.supply.trunks)

    def _placed(self, trunk: int) -> None:
        self.set_ups[trunk].append(self.now)
        self.planned[trunk] -= 1
        self.placed[trunk] += 1

    def _account(self, trunk: int) -> int:
        return [carrier.name for carrier in self.supply.carriers].index(self.supply.trunks[trunk].carrier)

    def _of_account(self, account: int) -> Iterator[int]:
        return (trunk for trunk in range(len(self.supply.trunks)) if self._account(trunk) == account)

    def _account_channels(self) -> list[int]:
        return [UNLIMITED if carrier.max_channels is None else carrier.max_channels for carrier in self.supply.carriers]

    def _trunk_free(self, trunk: int) -> int:
        return max(0, self.supply.trunks[trunk].max_channels - self.planned[trunk] - self.placed[trunk])

    def _account_free(self, account: int) -> int:
        in_use = sum(self.planned[trunk] + self.placed[trunk] for trunk in self._of_account(account))
        return max(0, self._account_channels()[account] - in_use)

    def _free(self, trunk: int) -> int:
        return min(self._trunk_free(trunk), self._account_free(self._account(trunk)))

    def _times(self, account: int) -> list[float]:
        return sorted(at for trunk in self._of_account(account) for at in self.set_ups[trunk])

    def _left(self, trunk: int) -> float:
        account = self._account(trunk)
        own = [(limit, self.set_ups[trunk]) for limit in self.supply.trunks[trunk].limits]
        shared = [(limit, self._times(account)) for limit in self.supply.carriers[account].limits]
        return min((LEFT[limit.kind](limit, times, self.now) for limit, times in own + shared), default=inf)


TestCarrierLimits = CarrierLimits.TestCase
TestCarrierLimits.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
