"""Circuit breakers: where calls may go freely, where one is sent now and then to find out, and where none is.

How it works: for each (trunk, prefix), and for each trunk as a whole (prefix ""), a sequential test adds up what each
end says for "60 % faults" against "5 % faults" (Wald, "Sequential tests of statistical hypotheses", 1945). The sum
never falls below 0 (Page, "Continuous inspection schemes", 1954): hours of good calls do not make it deaf. Four faults
in a row open a circuit, whatever came before; at 5 % faults it opens falsely once in some 90,000 calls.

A prefix alone never opens the trunk: what one prefix has brought against it stays below what is needed (`_SHARE`), and
is nothing once that prefix's own circuit is open. Two failing prefixes do, and so do four with one fault each.

`TRANSITIONS` is the whole state machine. Probes carry no mark: while a circuit is half-open, the next end that is told
after a probe was sent is taken for the probe's.
"""

from __future__ import annotations

from enum import StrEnum
from math import log
from typing import Any, NamedTuple

FAULT_RATE, OUTAGE_RATE = 0.05, 0.6  # of the two hypotheses
# Errors of each single test. With the return to 0 one opening follows another: see the head for how often.
ALPHA, BETA = 5e-5, 0.01
_FAULT = log(OUTAGE_RATE / FAULT_RATE)  # 2.48
_GOOD = log((1.0 - OUTAGE_RATE) / (1.0 - FAULT_RATE))  # -0.87
_ENOUGH = log((1.0 - BETA) / ALPHA)  # 9.89
_SHARE = 2.0 * _FAULT  # of one prefix in the evidence against the trunk
_DUST = 1e-9

FIRST_WAIT_S = 10.0
LONGEST_WAIT_S = 300.0
PROBE_EVERY_S = 10.0
PROBE_LOST_S = 30.0  # a probe of which nothing is heard holds back the next one this long
GOOD_PROBES = 3  # in a row, to close


class CircuitState(StrEnum):
    """Where a circuit is."""

    CLOSED = "closed"  # calls go freely
    OPEN = "open"  # none may, until its wait is over
    HALF_OPEN = "half_open"  # probes alone


class Trigger(StrEnum):
    """What moves a circuit."""

    EVIDENCE = "evidence"  # enough faults
    PROBE = "probe"  # one is sent
    GOOD = "good"  # a probe went well
    RECOVERED = "recovered"  # and was the last one wanted
    BAD = "bad"  # a probe failed


TRANSITIONS: dict[CircuitState, dict[Trigger, CircuitState]] = {
    CircuitState.CLOSED: {Trigger.EVIDENCE: CircuitState.OPEN},
    CircuitState.OPEN: {Trigger.PROBE: CircuitState.HALF_OPEN},
    CircuitState.HALF_OPEN: {
        Trigger.PROBE: CircuitState.HALF_OPEN,
        Trigger.GOOD: CircuitState.HALF_OPEN,
        Trigger.RECOVERED: CircuitState.CLOSED,
        Trigger.BAD: CircuitState.OPEN,
    },
}


class IllegalMove(RuntimeError):
    """A circuit was to make a move that it does not have: a bug of the caller."""


class CircuitChange(NamedTuple):
    """A circuit has another state; for the log."""

    trunk: int
    prefix: str  # "": the trunk as a whole
    at: float
    before: CircuitState
    after: CircuitState
    because: str


class OpenCircuit(NamedTuple):
    """A circuit that is not closed."""

    trunk: int
    prefix: str  # "": the trunk as a whole
    state: CircuitState
    since: float  # when it was first opened
    because: str
    next_probe_at: float  # the earliest


class _Circuit:
    """One circuit: its evidence while closed, its waits and probes while not."""

    __slots__ = (
        "because", "calls", "evidence", "failed_probes", "faults", "good_probes", "next_probe_at", "prefix", "probing",
        "silent", "since", "state", "trunk", "wait_s",
    )  # fmt: skip

    def __init__(self, trunk: int, prefix: str) -> None:
        self.trunk, self.prefix = trunk, prefix
        self.state = CircuitState.CLOSED
        self.close()

    def close(self) -> None:
        """Forget everything but the state."""
        self.evidence = 0.0
        self.calls = 0  # since the evidence was last 0
        self.faults = 0
        self.silent = 0  # of the faults
        self.since = 0.0
        self.because = ""
        self.wait_s = FIRST_WAIT_S
        self.next_probe_at = 0.0
        self.probing = False  # a probe is under way
        self.good_probes = 0
        self.failed_probes = 0

    def move(self, trigger: Trigger) -> None:
        """Make the table's move. Raises `IllegalMove` where it has none."""
        after = TRANSITIONS[self.state].get(trigger)
        if after is None:
            raise IllegalMove(
                f"circuit of trunk {self.trunk}, prefix {self.prefix!r}: expected a move for {trigger}, found none "
                f"from {self.state}"
            )
        self.state = after

    def weigh(self, by: float, *, silent: bool, now: float) -> None:
        """Add to the evidence, and open where it is enough."""
        self.calls += 1
        self.faults += by >= 0.0  # 0: of a prefix that has brought its share
        self.silent += silent
        self.evidence += by
        if self.evidence <= _DUST:
            self.evidence, self.calls, self.faults, self.silent = 0.0, 0, 0, 0
        if self.evidence < _ENOUGH:
            return
        self.move(Trigger.EVIDENCE)
        self.since = now
        quiet = f", {self.silent} of them by silence" if self.silent else ""
        self.because = f"{self.faults} of the last {self.calls} calls failed{quiet}"
        self.next_probe_at = now + self.wait_s

    def probe(self, now: float) -> None:
        """A probe is sent."""
        self.move(Trigger.PROBE)
        self.probing = True
        self.next_probe_at = now + PROBE_LOST_S

    def heard(self, *, good: bool, now: float) -> None:
        """Take what became of the probe."""
        self.probing = False
        sent_at = self.next_probe_at - PROBE_LOST_S
        if not good:
            self.move(Trigger.BAD)
            self.good_probes = 0
            self.failed_probes += 1
            self.wait_s = min(2.0 * self.wait_s, LONGEST_WAIT_S)
            self.next_probe_at = now + self.wait_s
        elif self.good_probes + 1 == GOOD_PROBES:
            self.move(Trigger.RECOVERED)
            self.close()
        else:
            self.move(Trigger.GOOD)
            self.good_probes += 1
            self.next_probe_at = max(sent_at + PROBE_EVERY_S, now)

    def unsure(self, now: float) -> None:
        """The probe failed, for a reason that may be its prefix's alone."""
        self.probing = False
        self.next_probe_at = max(self.next_probe_at - PROBE_LOST_S + PROBE_EVERY_S, now)

    def standing(self) -> OpenCircuit:
        """What people are told of it."""
        count = self.failed_probes
        probes = f"; {count} {'probe' if count == 1 else 'probes'} failed since" if count else ""
        return OpenCircuit(self.trunk, self.prefix, self.state, self.since, self.because + probes, self.next_probe_at)

    def values(self) -> list[Any]:
        """All that is kept of it, as plain values."""
        return [self.trunk, self.prefix, str(self.state), *(getattr(self, name) for name in _KEPT)]


_KEPT = tuple(name for name in _Circuit.__slots__ if name not in ("trunk", "prefix", "state"))


def _circuit_of(values: list[Any], trunks: int) -> _Circuit:
    """The circuit of which `values` were taken. Raises `ValueError`."""
    trunk, prefix, state, *kept = values
    if not (isinstance(trunk, int) and 0 <= trunk < trunks and isinstance(prefix, str) and len(kept) == len(_KEPT)):
        raise ValueError(f"expected a circuit of one of {trunks} trunks, was {values!r}")
    circuit = _Circuit(trunk, prefix)
    circuit.state = CircuitState(state)
    for name, value in zip(_KEPT, kept, strict=True):
        setattr(circuit, name, type(getattr(circuit, name))(value))
    return circuit


class Circuits:
    """The circuits of a campaign's trunks, known by their places.

    `version` changes whenever an answer of `closed` may have changed. `any_open`: not all are closed.
    """

    def __init__(self, trunks: int) -> None:
        self.version = 0
        self.any_open = False
        self._trunks = [_Circuit(trunk, "") for trunk in range(trunks)]
        # Of each trunk: its prefixes that have evidence or are not closed, and what each has brought against the trunk.
        self._prefixes: list[dict[str, _Circuit]] = [{} for _ in range(trunks)]
        self._shares: list[dict[str, float]] = [{} for _ in range(trunks)]

    def note(self, trunk: int, prefix: str, *, fault: float, now: float) -> tuple[CircuitChange, ...]:
        """Take how a try ended, or that it rang; once for each try. Returns the changes of state.

        `fault`: 1 a carrier's fault, 0.5 congestion, 0 none. A fault of which `note_silent` was already told is not
        told again. Prefix "" is for trunks without prefixes. Raises `ValueError` for a fault outside [0, 1].
        """
        if not 0.0 <= fault <= 1.0:
            raise ValueError(f"expected a fault in [0, 1], was {fault}")
        whole = self._trunks[trunk]
        if not fault and whole.state is CircuitState.CLOSED and not whole.evidence and not self._prefixes[trunk]:
            return ()  # nearly all calls
        return self._take(whole, prefix, _FAULT * fault if fault else _GOOD, silent=False, now=now)

    def note_silent(self, trunk: int, prefix: str, now: float) -> tuple[CircuitChange, ...]:
        """Take that nothing was heard of a set-up for longer than there should be: evidence like a fault.

        Should it ring after all, or end as no fault, `note` with fault 0 says so; if it ends by a fault, `note` is not
        told.
        """
        return self._take(self._trunks[trunk], prefix, _FAULT, silent=True, now=now)

    def closed(self, trunk: int, prefix: str) -> bool:
        """Say whether calls may go there freely: the trunk's circuit is closed, and the prefix's too."""
        if self._trunks[trunk].state is not CircuitState.CLOSED:
            return False
        part = self._prefixes[trunk].get(prefix)
        return part is None or part.state is CircuitState.CLOSED

    def probe_due(self, trunk: int, prefix: str, now: float) -> bool:
        """Say whether one call may go there as a probe; never where calls go freely."""
        waiting = self._not_closed(trunk, prefix)
        return bool(waiting) and all(now >= circuit.next_probe_at for circuit in waiting)

    def probe(self, trunk: int, prefix: str, now: float) -> tuple[CircuitChange, ...]:
        """Take that one call is being sent there as a probe. Raises `IllegalMove` where none is due."""
        if not self.probe_due(trunk, prefix, now):
            raise IllegalMove(f"trunk {trunk}, prefix {prefix!r}: expected a probe that is due, was one at {now}")
        changes = []
        for circuit in self._not_closed(trunk, prefix):
            before = circuit.state
            circuit.probe(now)
            if circuit.state is not before:
                changes.append(CircuitChange(trunk, circuit.prefix, now, before, circuit.state, "its wait is over"))
        return tuple(changes)

    def open_circuits(self) -> list[OpenCircuit]:
        """All that are not closed, by trunk, the trunk as a whole before its prefixes."""
        found = []
        for whole, parts in zip(self._trunks, self._prefixes, strict=True):
            circuits = (whole, *(parts[prefix] for prefix in sorted(parts)))
            found += [circuit.standing() for circuit in circuits if circuit.state is not CircuitState.CLOSED]
        return found

    def snapshot(self) -> dict[str, Any]:
        """Everything, as plain values."""
        return {
            "trunks": [whole.values() for whole in self._trunks],
            "prefixes": [part.values() for parts in self._prefixes for part in parts.values()],
            "shares": [[trunk, *item] for trunk, shares in enumerate(self._shares) for item in shares.items()],
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Take up a snapshot. Raises `ValueError` where its shape is another, and is then as it was."""
        count = len(self._trunks)
        shares: list[dict[str, float]] = [{} for _ in range(count)]
        parts: list[dict[str, _Circuit]] = [{} for _ in range(count)]
        try:
            trunks = [_circuit_of(values, count) for values in state["trunks"]]
            for values in state["prefixes"]:
                part = _circuit_of(values, count)
                parts[part.trunk][part.prefix] = part
            for trunk, prefix, share in state["shares"]:
                shares[trunk][prefix] = float(share)
        except (KeyError, IndexError, TypeError) as error:
            raise ValueError(f"expected a snapshot of circuits, found {error!r}") from error
        if [whole.trunk for whole in trunks] != list(range(count)):
            raise ValueError(f"expected circuits of {count} trunks, found {len(trunks)}")
        self._trunks, self._prefixes, self._shares = trunks, parts, shares
        self._changed()

    def _not_closed(self, trunk: int, prefix: str) -> list[_Circuit]:
        circuits = (self._trunks[trunk], self._prefixes[trunk].get(prefix))
        return [circuit for circuit in circuits if circuit is not None and circuit.state is not CircuitState.CLOSED]

    def _take(self, whole: _Circuit, prefix: str, by: float, *, silent: bool, now: float) -> tuple[CircuitChange, ...]:
        """Weigh one call for the trunk and the prefix: while one of them fails, faults say nothing of the other."""
        if not prefix:
            return self._hear(whole, by, silent=silent, now=now)
        parts, good = self._prefixes[whole.trunk], by < 0.0
        part = parts.get(prefix)
        if part is not None and part.state is not CircuitState.CLOSED:
            asked = whole.probing and part.probing
            changes = self._hear(part, by, silent=silent, now=now)
            if good:
                changes += self._hear(whole, by, silent=silent, now=now)
            elif asked:
                whole.unsure(now)
        elif whole.state is not CircuitState.CLOSED:
            return self._hear(whole, by, silent=silent, now=now)
        else:
            changes = self._hear(whole, self._shared(whole.trunk, prefix, by), silent=silent, now=now)
            if part is None and not good:
                part = parts[prefix] = _Circuit(whole.trunk, prefix)
            if part is not None and whole.state is CircuitState.CLOSED:
                changes += self._hear(part, by, silent=silent, now=now)
        if part is not None and part.state is CircuitState.CLOSED and not part.evidence:
            parts.pop(prefix, None)
        return changes

    def _shared(self, trunk: int, prefix: str, by: float) -> float:
        """What a prefix's call counts in the evidence against the trunk: faults only up to the prefix's share."""
        shares = self._shares[trunk]
        before = shares.get(prefix, 0.0)
        after = min(max(0.0, before + by), _SHARE)
        if after:
            shares[prefix] = after
        else:
            shares.pop(prefix, None)
        return by if by < 0.0 else after - before

    def _hear(self, circuit: _Circuit, by: float, *, silent: bool, now: float) -> tuple[CircuitChange, ...]:
        before = circuit.state
        because = "the probes went well"
        if before is CircuitState.CLOSED:
            circuit.weigh(by, silent=silent, now=now)
        elif circuit.probing:
            circuit.heard(good=by < 0.0, now=now)
        if not circuit.prefix and not circuit.evidence:
            self._shares[circuit.trunk].clear()
        if circuit.state is before:
            return ()
        if circuit.state is CircuitState.CLOSED:
            if not circuit.prefix:  # what the prefixes showed in the outage is stale
                self._drop_evidence(circuit.trunk)
        else:
            because = circuit.because if before is CircuitState.CLOSED else "a probe failed"
        if CircuitState.CLOSED in (before, circuit.state):
            self._changed()
        return (CircuitChange(circuit.trunk, circuit.prefix, now, before, circuit.state, because),)

    def _changed(self) -> None:
        self.version += 1
        self.any_open = bool(self.open_circuits())

    def _drop_evidence(self, trunk: int) -> None:
        parts = self._prefixes[trunk]
        for prefix in [prefix for prefix, part in parts.items() if part.state is CircuitState.CLOSED]:
            del parts[prefix]
