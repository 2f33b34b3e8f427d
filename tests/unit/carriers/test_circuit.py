import json
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from carriers import circuit as ct
from carriers.circuit import Circuits, CircuitState, IllegalMove, Trigger

S, T = CircuitState, Trigger


def _told(circuits, faults, *, trunk=0, prefix="51", now=0.0):
    """Tell the ends one after the other and return all changes."""
    return [change for fault in faults for change in circuits.note(trunk, prefix, fault=fault, now=now)]


def _opened(prefix="51"):
    circuits = Circuits(2)
    _told(circuits, [1.0] * 4, prefix=prefix)
    assert not circuits.closed(0, prefix)
    return circuits


# ---- the table -----------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("state", "trigger"), list(product(S, T)))
def test_every_move(state, trigger):
    expected = {
        (S.CLOSED, T.EVIDENCE): S.OPEN,
        (S.OPEN, T.PROBE): S.HALF_OPEN,
        (S.HALF_OPEN, T.PROBE): S.HALF_OPEN,
        (S.HALF_OPEN, T.GOOD): S.HALF_OPEN,
        (S.HALF_OPEN, T.RECOVERED): S.CLOSED,
        (S.HALF_OPEN, T.BAD): S.OPEN,
    }
    circuit = ct._Circuit(0, "51")
    circuit.state = state
    if (state, trigger) in expected:
        circuit.move(trigger)
        assert circuit.state is expected[state, trigger]
    else:
        with pytest.raises(IllegalMove, match=f"trunk 0, prefix '51': expected a move for {trigger}, found none"):
            circuit.move(trigger)


# ---- the test ------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("before", [[], [0.0] * 5000, [1.0, *[0.0] * 9] * 300, [0.5, 0.0, 0.0] * 500])
def test_four_faults_in_a_row_open_whatever_came_before(before):
    circuits = Circuits(1)
    assert _told(circuits, [*before, 0.0, 0.0, 0.0]) == []
    assert _told(circuits, [1.0] * 3) == []
    (change,) = _told(circuits, [1.0], now=7.0)
    assert (change.prefix, change.at, change.before, change.after) == ("51", 7.0, S.CLOSED, S.OPEN)
    assert change.because == "4 of the last 4 calls failed"


def test_congestion_counts_half():
    circuits = Circuits(1)
    assert _told(circuits, [0.5] * 7) == []
    assert [change.after for change in _told(circuits, [0.5])] == [S.OPEN]


def test_silence_is_evidence_like_a_fault_and_a_ringing_speaks_for_the_trunk_again():
    circuits = Circuits(1)
    silences = [circuits.note_silent(0, "51", 1.0) for _ in range(4)]
    assert [len(changes) for changes in silences] == [0, 0, 0, 1]
    assert silences[3][0].because == "4 of the last 4 calls failed, 4 of them by silence"
    circuits = Circuits(1)
    for _ in range(100):
        assert circuits.note_silent(0, "51", 1.0) == ()
        assert _told(circuits, [0.0, 0.0, 0.0]) == []  # it rings after all, and two others do


def _false_openings(calls, prefixes, seed):
    """Openings at 5 % faults of (prefix circuits, the trunk as a whole); each is forgotten as it comes."""
    rng = np.random.default_rng(seed)
    faults, places = rng.random(calls) < ct.FAULT_RATE, rng.integers(prefixes, size=calls)
    circuits, found = Circuits(1), {True: 0, False: 0}
    for fault, place in zip(faults.tolist(), places.tolist(), strict=True):
        changes = circuits.note(0, str(place + 1), fault=float(fault), now=0.0)
        if changes:
            found[changes[0].prefix == ""] += 1
            circuits = Circuits(1)
    return found[False], found[True]


@pytest.mark.parametrize("prefixes", [1, 3, 40])
def test_false_openings_are_rarer_than_one_in_20_000_calls(prefixes):
    calls = 400_000
    parts, whole = _false_openings(calls, prefixes, seed=prefixes)
    # 1 in 90,000 is expected: 4 or 5. More than 12 would be one chance in a thousand.
    assert parts <= 12 < calls / 20_000
    assert whole <= 12


def test_a_prefix_that_fails_alone_opens_itself_and_never_the_trunk():
    for seed, rate in product(range(20), (0.6, 1.0)):
        rng = np.random.default_rng(seed)
        circuits = Circuits(1)
        for _ in range(600):
            prefix = str(rng.integers(1, 9))
            if circuits.closed(0, prefix):
                _told(circuits, [float(rng.random() < (rate if prefix == "3" else 0.0))], prefix=prefix)
        assert [(found.prefix, found.state) for found in circuits.open_circuits()] == [("3", S.OPEN)]


@given(st.lists(st.tuples(st.sampled_from(["1", "2", "3"]), st.sampled_from([0.0, 0.5, 1.0])), max_size=60))
def test_faults_of_one_prefix_alone_never_open_the_trunk(ends):
    circuits = Circuits(1)
    for prefix, fault in ends:
        circuits.note(0, prefix, fault=fault if prefix == "3" else 0.0, now=0.0)
        assert all(found.prefix == "3" for found in circuits.open_circuits())


@pytest.mark.parametrize(("prefixes", "calls"), [(200, 4), (4, 4), (2, 4)])
def test_an_outage_over_several_prefixes_opens_the_trunk_at_once(prefixes, calls):
    circuits = Circuits(1)
    for call in range(400):  # good ones before
        _told(circuits, [0.0], prefix=str(call % prefixes))
    for call in range(calls):
        assert circuits.open_circuits() == []
        _told(circuits, [1.0], prefix=str(call % prefixes))
    assert [found.prefix for found in circuits.open_circuits()] == [""]
    assert not circuits.closed(0, "an unheard-of prefix")


def test_an_outage_of_a_trunk_without_prefixes():
    circuits = Circuits(1)
    assert [change.prefix for change in _told(circuits, [1.0] * 4, prefix="")] == [""]


def test_other_trunks_are_left_alone():
    circuits = _opened()
    assert circuits.closed(1, "51") and circuits.closed(0, "52")


@pytest.mark.parametrize("fault", [-0.1, 1.1, float("nan")])
def test_a_fault_is_a_share(fault):
    with pytest.raises(ValueError, match="expected a fault in"):
        Circuits(1).note(0, "51", fault=fault, now=0.0)


# ---- probes --------------------------------------------------------------------------------------------------
def test_three_good_probes_in_a_row_close():
    circuits = _opened()
    assert not circuits.probe_due(0, "51", 9.99)
    changes = []
    for at in (10.0, 20.0, 30.0):
        assert circuits.probe_due(0, "51", at) and not circuits.closed(0, "51")
        changes += circuits.probe(0, "51", at)
        assert not circuits.probe_due(0, "51", at + 9.9)
        changes += _told(circuits, [0.0], now=at + 2.0)
        assert not circuits.probe_due(0, "51", at + 9.9)
    assert [(change.at, change.after) for change in changes] == [(10.0, S.HALF_OPEN), (32.0, S.CLOSED)]
    assert circuits.closed(0, "51") and circuits.open_circuits() == []
    assert not circuits.probe_due(0, "51", 99.0)
    assert _told(circuits, [1.0] * 3) == []  # begins anew


def test_a_bad_probe_waits_twice_as_long_up_to_the_longest_wait():
    circuits = _opened()
    now, waits = 10.0, []
    for _ in range(8):
        assert circuits.probe_due(0, "51", now)
        circuits.probe(0, "51", now)
        _told(circuits, [1.0], now=now + 1.0)
        (found,) = circuits.open_circuits()
        assert found.state is S.OPEN and found.since == 0.0
        waits.append(found.next_probe_at - now - 1.0)
        now = found.next_probe_at
    assert waits == [20.0, 40.0, 80.0, 160.0, 300.0, 300.0, 300.0, 300.0]
    assert found.because == "4 of the last 4 calls failed; 8 probes failed since"


def test_a_bad_probe_takes_the_good_ones_back():
    circuits = _opened()
    for at, fault in ((10.0, 0.0), (20.0, 0.0), (30.0, 0.5), (50.0, 0.0), (60.0, 0.0)):
        assert circuits.probe_due(0, "51", at)
        circuits.probe(0, "51", at)
        _told(circuits, [fault], now=at)
        assert not circuits.closed(0, "51")


def test_a_probe_of_which_nothing_is_heard():
    circuits = _opened()
    circuits.probe(0, "51", 10.0)
    assert not circuits.probe_due(0, "51", 39.9)
    assert circuits.probe_due(0, "51", 40.0)
    circuits.probe(0, "51", 40.0)
    assert [change.after for change in circuits.note_silent(0, "51", 48.0)] == [S.OPEN]


def test_a_probe_that_is_not_due_is_a_bug():
    circuits = _opened()
    for trunk, prefix, at in ((0, "51", 9.0), (0, "52", 10.0), (1, "51", 10.0)):
        with pytest.raises(IllegalMove):
            circuits.probe(trunk, prefix, at)


def test_ends_of_calls_from_before_change_nothing_while_no_probe_is_under_way():
    circuits = _opened()
    assert _told(circuits, [1.0, 0.0, 0.0, 0.0], now=5.0) == []
    circuits.probe(0, "51", 10.0)
    assert _told(circuits, [0.0], now=11.0) == []
    assert _told(circuits, [1.0, 0.0, 0.0, 1.0], now=12.0) == []
    assert circuits.open_circuits()[0].state is S.HALF_OPEN


def test_a_prefix_that_fails_for_good_does_not_hold_its_trunk():
    circuits = _opened("51")
    for prefix in ("52", "53", "52", "53"):
        _told(circuits, [1.0], prefix=prefix)
    assert [found.prefix for found in circuits.open_circuits()] == ["", "51"]
    circuits.probe(0, "51", 10.0)
    changes = _told(circuits, [1.0], prefix="51", now=11.0)
    assert [(change.prefix, change.after) for change in changes] == [("51", S.OPEN)]  # of the trunk nothing was learned
    for at in (20.0, 30.0, 40.0):
        assert not circuits.probe_due(0, "51", 20.0)
        circuits.probe(0, "52", at)
        _told(circuits, [0.0], prefix="52", now=at + 1.0)
    assert circuits.closed(0, "52") and circuits.closed(0, "53") and not circuits.closed(0, "51")


def test_a_bad_probe_of_the_trunk_says_nothing_of_its_prefix():
    circuits = Circuits(1)
    for prefix in "1234":
        _told(circuits, [1.0], prefix=prefix)
    now = 10.0
    for _ in range(6):
        circuits.probe(0, "1", now)
        _told(circuits, [1.0], prefix="1", now=now)
        now = circuits.open_circuits()[0].next_probe_at
    assert [found.prefix for found in circuits.open_circuits()] == [""]


# ---- everything at once --------------------------------------------------------------------------------------
class CircuitMachine(RuleBasedStateMachine):
    """Calls as the engine places them, on one trunk and three prefixes."""

    def __init__(self):
        super().__init__()
        self.circuits = Circuits(1)
        self.now = 0.0
        self.probes = {"": [], "1": [], "2": [], "3": []}
        self.mask = (self.circuits.version, self._closed())

    def _closed(self):
        return tuple(self.circuits.closed(0, prefix) for prefix in "123")

    def _check(self, changes, told):
        for change in changes:
            moves = ct.TRANSITIONS[change.before].values()
            assert change.after in moves and change.before is not change.after and change.because
            assert change.prefix in ("", told) and change.at == self.now
            if change.after is S.CLOSED:
                assert len(self.probes[change.prefix]) >= ct.GOOD_PROBES
            if change.before is S.CLOSED:
                self.probes[change.prefix] = []

    @rule(seconds=st.sampled_from([0.1, 1.0, 5.0, 10.0, 30.0, 400.0]))
    def wait(self, seconds):
        self.now += seconds

    @rule(prefix=st.sampled_from("123"), fault=st.sampled_from([0.0, 0.5, 1.0, 1.0, 1.0]), calls=st.integers(1, 5))
    def ends(self, prefix, fault, calls):
        for _ in range(calls):
            self._check(self.circuits.note(0, prefix, fault=fault, now=self.now), prefix)

    @rule(prefix=st.sampled_from("123"))
    def silence(self, prefix):
        self._check(self.circuits.note_silent(0, prefix, self.now), prefix)

    @rule(prefix=st.sampled_from("123"), fault=st.sampled_from([0.0, 0.0, 0.0, 1.0, None]))
    def probe(self, prefix, fault):
        if not self.circuits.probe_due(0, prefix, self.now):
            with pytest.raises(IllegalMove):
                self.circuits.probe(0, prefix, self.now)
            return
        for found in self.circuits.open_circuits():
            if found.prefix in ("", prefix):
                sent = self.probes[found.prefix]
                assert not sent or self.now >= sent[-1] + ct.PROBE_EVERY_S
                assert self.now >= found.since + ct.FIRST_WAIT_S
                sent.append(self.now)
        self._check(self.circuits.probe(0, prefix, self.now), prefix)
        if fault is not None:
            self._check(self.circuits.note(0, prefix, fault=fault, now=self.now), prefix)

    @precondition(lambda self: self.circuits.version)
    @rule()
    def restart(self):
        kept = json.loads(json.dumps(self.circuits.snapshot()))
        restored = Circuits(1)
        restored.restore(kept)
        assert restored.snapshot() == kept
        assert restored.open_circuits() == self.circuits.open_circuits()
        self.circuits = restored
        self.mask = (restored.version, self._closed())

    @invariant()
    def a_mask_is_good_until_the_version_changes(self):
        version, closed = self.mask
        assert version != self.circuits.version or closed == self._closed()
        self.mask = (self.circuits.version, self._closed())

    @invariant()
    def open_ones_are_told_and_never_both_free_and_probed(self):
        told = {found.prefix for found in self.circuits.open_circuits()}
        assert self.circuits.any_open is bool(told)
        for prefix in "123":
            assert self.circuits.closed(0, prefix) is not bool(told & {"", prefix})
            assert not (self.circuits.closed(0, prefix) and self.circuits.probe_due(0, prefix, self.now))


TestCircuitMachine = CircuitMachine.TestCase
TestCircuitMachine.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)


# ---- kept over a restart -------------------------------------------------------------------------------------
def _spoilt(change):
    state = json.loads(json.dumps(_opened().snapshot()))
    change(state)
    return state


@pytest.mark.parametrize(
    "state",
    [
        {},
        _spoilt(lambda state: state["trunks"].pop()),
        _spoilt(lambda state: state["prefixes"][0].pop()),
        _spoilt(lambda state: state["prefixes"][0].__setitem__(0, 7)),
        _spoilt(lambda state: state["prefixes"][0].__setitem__(2, "ajar")),
        _spoilt(lambda state: state["shares"].append([7, "51", 1.0])),
        _spoilt(lambda state: state["shares"].append([0])),
    ],
)
def test_a_snapshot_of_another_shape_is_refused_and_changes_nothing(state):
    circuits = _opened()
    before = circuits.snapshot()
    with pytest.raises(ValueError):
        circuits.restore(state)
    assert circuits.snapshot() == before


def test_a_restored_one_goes_on_as_the_other_would():
    rng = np.random.default_rng(5)
    one, other = Circuits(1), Circuits(1)
    for step in range(3000):
        prefix, now = str(rng.integers(1, 6)), float(step)
        fault = float(rng.random() < (0.9 if 500 < step < 900 else 0.05))
        for circuits in (one, other):
            if circuits.probe_due(0, prefix, now):
                circuits.probe(0, prefix, now)
            circuits.note(0, prefix, fault=fault, now=now)
        if step % 97 == 0:
            other.restore(json.loads(json.dumps(one.snapshot())))
        assert one.snapshot() == other.snapshot()
