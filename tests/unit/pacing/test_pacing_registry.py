"""The registry: known ids make fresh policies, unknown ones say what is known."""

from __future__ import annotations

import pytest

from pacing.registry import POLICY_IDS, UnknownPolicy, make_policy


@pytest.mark.parametrize("policy_id", POLICY_IDS)
def test_each_id_makes_a_policy_of_that_id(policy_id: str) -> None:
    first, second = make_policy(policy_id), make_policy(policy_id)
    assert first.policy_id == policy_id
    assert first is not second


def test_the_two_first_policies_are_there() -> None:
    assert {"priced-v1", "progressive-v1"} <= set(POLICY_IDS)


def test_unknown_id_names_the_known_ones() -> None:
    with pytest.raises(UnknownPolicy, match="priced-v1, progressive-v1, was 'ratio-v9'"):
        make_policy("ratio-v9")
    assert issubclass(UnknownPolicy, ValueError)


@pytest.mark.parametrize("policy_id", POLICY_IDS)
def test_a_snapshot_of_another_policy_is_refused(policy_id: str) -> None:
    with pytest.raises(ValueError, match="expected a snapshot of"):
        make_policy(policy_id).restore({"policy": "other-v1"})
