"""A number is compared with the others of its pool, in the networks that it calls."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import poisson

from carriers.reputation import ENOUGH_EVIDENCE, LOOK_CALLS, LOOK_S, MAX_NETWORKS, Reputation, Stretch


@given(st.integers(0, 300), st.floats(0.01, 300.0))
def test_the_evidence_is_a_log_likelihood_ratio_of_poisson_counts(contacts: int, expected: float) -> None:
    ratio = poisson.logpmf(contacts, 0.5 * expected) - poisson.logpmf(contacts, expected)
    assert Stretch(contacts=float(contacts), expected=expected).evidence == pytest.approx(ratio, abs=1e-6)


def test_a_multiplier_allows_for_the_networks_that_a_number_calls() -> None:
    reputation = Reputation({"a": "p", "b": "p", "c": "p"})
    rates = {"good": 0.4, "bad": 0.1}
    for number, good, bad, times in (("a", 1e3, 9e3, 0.5), ("b", 9e3, 1e3, 1.0), ("c", 5e3, 5e3, 1.0)):
        for network, calls in (("good", good), ("bad", bad)):
            contacts = calls * rates[network] * times
            reputation.learn(number, network, calls=int(calls), expected=0.2 * calls, contacts=contacts, at=0.0)
    # By the whole of their calls it would be 0.065 / 0.31, which is 0.2.
    assert reputation.multiplier("a", 0.0) == pytest.approx(0.5, rel=0.03)
    assert reputation.multiplier("never", 0.0) is None


def test_nothing_is_held_against_a_number_while_nothing_is_known_of_others() -> None:
    reputation = Reputation({"a": "p", "b": "p"})
    stretch = None
    for call in range(500):
        stretch = reputation.learn("a", "x", calls=1, expected=0.5, contacts=0.0, at=60.0 * call) or stretch
    assert stretch is not None and stretch.evidence == 0.0 and reputation.multiplier("a", 30_000.0) is None


def test_contacts_of_calls_that_go_on_are_no_level_to_compare_with() -> None:
    """A contact is told when it is answered, what was expected of it when the call is over, minutes later."""
    reputation = Reputation({"a": "p", "b": "p"})
    reputation.learn("b", "x", calls=1, expected=0.1, contacts=0.0, at=0.0)
    for _ in range(8):
        reputation.learn("b", "x", calls=0, expected=0.0, contacts=1.0, at=1.0)
    stretch = None
    for call in range(60):
        contacts = float(call % 5 == 0)
        stretch = reputation.learn("a", "x", calls=1, expected=0.2, contacts=contacts, at=60.0 * call) or stretch
    assert stretch is not None and stretch.evidence <= 0.0 and reputation.multiplier("a", 3600.0) is None


def test_what_the_others_come_to_elsewhere_says_nothing_against_a_number() -> None:
    """Its people may be slower to answer, as those of another country or hour are."""
    reputation = Reputation({"a": "p", "b": "p"})
    looks = []
    for call in range(3000):
        reputation.learn("b", "PE", calls=1, expected=0.3, contacts=float(call % 3 == 0), at=6.0 * call)
        found = reputation.learn("a", "MX", calls=1, expected=0.3, contacts=float(call % 9 == 0), at=6.0 * call)
        looks += [] if found is None else [found.evidence]
    assert len(looks) > 20 and max(looks) <= 0.0 and reputation.multiplier("a", 18_000.0) is None
    for call in range(100):  # then the other one calls there too, and is answered
        reputation.learn("b", "MX", calls=1, expected=0.3, contacts=float(call % 3 == 0), at=18_000.0 + call)
    for call in range(400):
        found = reputation.learn(
            "a", "MX", calls=1, expected=0.3, contacts=float(call % 9 == 0), at=18_100.0 + 6.0 * call
        )
        looks += [] if found is None else [found.evidence]
    assert max(looks) > ENOUGH_EVIDENCE


def test_a_number_alone_in_its_pool_is_compared_with_those_of_the_others() -> None:
    reputation = Reputation({"a": "alone", "b": "p", "c": "p"})
    for number, contacts in (("b", 200.0), ("c", 200.0), ("a", 40.0)):
        reputation.learn(number, "x", calls=1000, expected=200.0, contacts=contacts, at=0.0)
    assert reputation.multiplier("a", 0.0) == pytest.approx(0.2)


def test_a_number_of_several_is_compared_with_its_own_pool_only_whatever_that_is_called() -> None:
    reputation = Reputation({"a": "", "b": "", "c": "all", "d": "all", "e": "alone"})
    for number, contacts in (("a", 100.0), ("b", 100.0), ("c", 300.0), ("d", 300.0), ("e", 200.0)):
        reputation.learn(number, "x", calls=1000, expected=200.0, contacts=contacts, at=0.0)
    assert [reputation.multiplier(n, 0.0) for n in "abcde"] == pytest.approx([1.0, 1.0, 1.0, 1.0, 1.0])


def test_a_number_that_is_forgotten_no_longer_counts_among_the_others() -> None:
    reputation = Reputation({"a": "p", "b": "p", "c": "p"})
    for number, contacts in (("a", 0.0), ("b", 100.0), ("c", 100.0)):
        reputation.learn(number, "x", calls=500, expected=100.0, contacts=contacts, at=0.0)
    assert reputation.multiplier("b", 0.0) == pytest.approx(2.0, rel=0.1)
    reputation.forget("a", 0.0)
    assert reputation.multiplier("b", 0.0) == pytest.approx(1.0) and reputation.multiplier("a", 0.0) is None


def test_it_is_looked_at_only_after_some_calls_and_some_time_so_that_contacts_may_be_taken_back() -> None:
    reputation = Reputation({"a": "p", "b": "p"})
    looks = [
        reputation.learn("a", "", calls=1, expected=0.1, contacts=0.0, at=float(s)) is not None for s in range(1201)
    ]
    assert [s for s, look in enumerate(looks) if look] == [LOOK_S, 2 * LOOK_S]
    looks = [
        reputation.learn("b", "", calls=1, expected=0.1, contacts=0.0, at=3600.0 * s) is not None for s in range(101)
    ]
    assert [s + 1 for s, look in enumerate(looks) if look] == [LOOK_CALLS, 2 * LOOK_CALLS]


def test_networks_beyond_a_limit_are_counted_together() -> None:
    reputation = Reputation({"a": "p", "b": "p"})
    for name in range(10 * MAX_NETWORKS):
        for number in ("a", "b"):
            reputation.learn(number, f"n{name}", calls=1, expected=1.0, contacts=1.0, at=0.0)
    assert all(len(sums.networks) <= MAX_NETWORKS + 1 for sums in reputation.learned.own.values())
    assert reputation.multiplier("a", 0.0) == pytest.approx(1.0, rel=0.05)


def test_a_false_rest_of_a_busy_number_is_rarer_than_one_in_a_hundred_weeks() -> None:
    """The same walk without the pool's noise, many times: 1,000 expected contacts are about 10,000 calls."""
    rng = np.random.default_rng(7)
    contacts = rng.poisson(5.0, size=(5_000, 200))  # looked at every 5 expected contacts
    evidence, rested = np.zeros(5_000), np.zeros(5_000, dtype=bool)
    for look in range(200):
        step = Stretch(expected=5.0).evidence + contacts[:, look] * Stretch(contacts=1.0).evidence
        evidence = np.maximum(evidence, 0.0) + step
        rested |= evidence >= ENOUGH_EVIDENCE
    assert rested.mean() < 0.01


def test_calls_count_however_they_are_summed_up() -> None:
    one, summed = (Reputation({"a": "p", "b": "p"}) for _ in range(2))
    looks: list[list[tuple[float, int]]] = [[], []]
    for batch in range(400):
        for reputation, rows in ((one, 5), (summed, 1)):
            for _ in range(rows):
                told = {"calls": 5 // rows, "expected": 1.5 / rows, "contacts": 1.0 / rows, "at": 30.0 * batch}
                reputation.learn("b", "x", **told)  # type: ignore[arg-type]
                found = reputation.learn("a", "x", **told | {"contacts": 0.3 / rows})  # type: ignore[arg-type]
                pooled = reputation.learn_pool("p", **told)  # type: ignore[arg-type]
                looks[reputation is summed] += [(s.evidence, s.calls) for s in (found, pooled) if s is not None]
    assert len(looks[0]) == len(looks[1])
    for (evidence, calls), (of_sums, calls_of_sums) in zip(*looks, strict=True):
        assert abs(calls - calls_of_sums) < 5 and abs(evidence - of_sums) < 1.0
    assert max(calls for _, calls in looks[1]) > 1_000, "calls, not rows"
