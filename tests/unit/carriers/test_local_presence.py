"""Local presence has to prove itself, and loses its share where it hurts."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from carriers.local_presence import Level, LocalPresence

PLACES = ("US-FL", "US-TX", "US-NY")


def play(presence: LocalPresence, times: float, *, seed: int, calls: int, begin: int = 0) -> list[Level]:
    """Place 1,000 calls an hour; a local number is answered `times` as often. Return the level of each call's place."""
    rng = np.random.default_rng(seed)
    drawn, luck, expected = rng.uniform(size=calls), rng.uniform(size=calls), rng.uniform(0.05, 0.15, size=calls)
    levels = []
    for call in range(calls):
        place = PLACES[call % len(PLACES)]
        levels.append(level := presence.level("local", "default", place))
        local = bool(drawn[call] < presence.share(level))
        contact = luck[call] < expected[call] * (1.3 * times if local else 1.3)
        presence.learn(
            "local",
            "default",
            place,
            shown_local=local,
            calls=1,
            expected=float(expected[call]),
            contacts=float(contact),
            at=3.6 * (begin + call),
        )
    return levels


@pytest.mark.parametrize("seed", range(3))
def test_one_that_helps_is_proven_and_one_that_hurts_gets_the_minimal_share(seed: int) -> None:
    levels = play(LocalPresence(), 1.15, seed=seed, calls=60_000)
    assert Level.PROVEN in levels and Level.WORSE not in levels
    assert levels[-15_000:].count(Level.PROVEN) > 0.7 * 15_000
    levels = play(LocalPresence(), 0.7, seed=seed, calls=20_000)
    assert Level.PROVEN not in levels and levels[-3_000:].count(Level.WORSE) > 0.8 * 3_000


def test_one_that_makes_no_difference_keeps_the_trial_share() -> None:
    levels = [level for seed in range(4) for level in play(LocalPresence(), 1.0, seed=seed, calls=30_000)]
    assert levels.count(Level.TRIED) > 0.9 * len(levels)


def test_one_that_has_proven_better_and_then_hurts_loses_its_share() -> None:
    presence = LocalPresence()
    play(presence, 1.5, seed=1, calls=20_000)
    assert [presence.level("local", "default", place) for place in PLACES] == [Level.PROVEN] * 3
    levels = play(presence, 0.5, seed=2, calls=60_000, begin=20_000)
    assert levels[-1] is not Level.PROVEN


def test_a_place_without_calls_stands_as_all_others_do_and_one_that_differs_does_not() -> None:
    presence = LocalPresence()
    for place, times in (("US-FL", 1.4), ("US-TX", 1.4), ("US-NY", 0.6)):
        for _ in range(100):
            for local in (True, False):
                contacts = 30.0 * (times if local else 1.0)
                presence.learn("l", "d", place, shown_local=local, calls=1, expected=30.0, contacts=contacts, at=0.0)
    levels = [presence.level("l", "d", place) for place in ("US-FL", "US-TX", "US-NY", "US-GA")]
    assert levels[:3] == [Level.PROVEN, Level.PROVEN, Level.WORSE]
    assert levels[3] is presence.level("l", "d", "")
    assert presence.level("l", "other", "US-FL") is Level.TRIED
    assert 0.0 <= presence.better("l", "d", "US-NY", 0.0) < 0.025 < 0.975 < presence.better("l", "d", "US-FL", 0.0)


@given(
    st.lists(st.tuples(st.booleans(), st.floats(0.0, 50.0), st.floats(-3.0, 60.0), st.floats(0.0, 1e6)), max_size=12)
)
def test_whatever_is_learned_a_probability_is_one(rows: list[tuple[bool, float, float, float]]) -> None:
    presence, at = LocalPresence(), 0.0
    for local, expected, contacts, later in rows:
        at += later
        presence.learn(
            "l", "d", "PE", shown_local=local, calls=int(expected > 0.0), expected=expected, contacts=contacts, at=at
        )
    assert 0.0 <= presence.better("l", "d", "PE", at + 1e9) <= 1.0


@pytest.mark.parametrize("share", [0.0, -0.1, 0.6, float("nan")])
def test_a_trial_share_that_is_none_is_refused(share: float) -> None:
    with pytest.raises(ValueError, match="trial_share"):
        LocalPresence(trial_share=share)


def test_the_shares_of_the_levels() -> None:
    assert [LocalPresence().share(level) for level in Level] == [0.1, 0.9, 0.02]
    assert [LocalPresence(trial_share=0.01).share(level) for level in Level] == [0.01, 0.99, 0.01]


def test_the_shares_are_set_anew_after_so_many_calls_however_they_are_summed_up() -> None:
    presence = LocalPresence()
    for row in range(3):
        for local, contacts in ((True, 80.0), (False, 20.0)):
            presence.learn("l", "d", "PE", shown_local=local, calls=25, expected=50.0, contacts=contacts, at=0.0)
        assert presence.trials["l"]["d"].calls_since_look == [50, 0, 50][row]
    assert presence.level("l", "d", "PE") is Level.PROVEN


def test_looking_changes_nothing() -> None:
    looked, plain = LocalPresence(), LocalPresence()
    for turn in range(300):
        for presence in (looked, plain):
            presence.learn(
                "l", "d", "PE", shown_local=turn % 2 == 0, calls=1, expected=0.3, contacts=0.5, at=97.0 * turn
            )
        looked.better("l", "d", "PE", 97.0 * turn + 31.0)
    assert looked.trials == plain.trials
