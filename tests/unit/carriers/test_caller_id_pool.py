"""Which pools suit a call, and the order of a pool's numbers for a called number."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carriers.caller_id_pool import Pool, PoolOrder, key_of, matching, mixed, pools_of, salt_of

numbers = st.from_regex(r"\+[1-4][0-3]{4,9}", fullmatch=True)
owned_numbers = st.lists(numbers, min_size=1, max_size=30, unique=True)


def order_of(*owned: str) -> PoolOrder:
    return PoolOrder(Pool(name="p", numbers=owned), owned)


def shared(one: str, other: str) -> int:
    return max(n for n in range(len(one) + 1) if other.startswith(one[:n]))


@given(numbers, owned_numbers)
def test_the_order_is_by_the_shared_beginning_and_then_by_the_score(called: str, owned: list[str]) -> None:
    found = list(order_of(*owned).order(called, key_of(called)))
    expected = sorted(owned, key=lambda own: (shared(called, own), mixed(key_of(called), salt_of(own))), reverse=True)
    assert found == expected
    assert order_of(*owned).first(called, key_of(called)) == expected[0]


@given(numbers, owned_numbers, st.data())
def test_a_number_that_leaves_changes_nothing_for_those_who_saw_another(
    called: str, owned: list[str], data: st.DataObject
) -> None:
    before = list(order_of(*owned).order(called, key_of(called)))
    gone = data.draw(st.sampled_from(owned))
    left = [own for own in owned if own != gone]
    if left:
        assert list(order_of(*left).order(called, key_of(called))) == [own for own in before if own != gone]


@pytest.mark.parametrize("many", [5, 40])
def test_numbers_that_begin_alike_share_the_calls_evenly(many: int) -> None:
    order = order_of(*(f"+4455512{n:02d}" for n in range(many)))
    calls = 200 * many
    firsts = [order.first(f"+1305{n:07d}", key_of(f"+1305{n:07d}")) for n in range(calls)]
    counts = [firsts.count(own) for own in order.pool.numbers]
    chi_square = sum((count - 200) ** 2 / 200 for count in counts)
    assert chi_square < many - 1 + 4 * (2 * (many - 1)) ** 0.5


def test_every_process_gives_the_same_order() -> None:
    program = (
        "from carriers.caller_id_pool import *;"
        "p = Pool(name='p', numbers=tuple(f'+445551{n}' for n in range(9)));"
        "print([PoolOrder(p, p.numbers).first(f'+1305{n}', key_of(f'+1305{n}')) for n in range(50)])"
    )
    told = {
        subprocess.run(
            [sys.executable, "-c", program], env={"PYTHONHASHSEED": seed}, capture_output=True, text=True, check=True
        ).stdout
        for seed in ("1", "2")
    }
    assert len(told) == 1 and told.pop().startswith("['+44")


def pool(name: str, *jurisdictions: str, products: tuple[str, ...] = (), local: bool = False) -> Pool:
    return Pool(name=name, numbers=(f"+1{name}",), jurisdictions=jurisdictions, products=products, local=local)


POOLS = (
    pool("all"),
    pool("card", products=("card",)),
    pool("us", "US"),
    pool("us-card", "US", products=("card", "auto")),
    pool("florida", "US-FL", "US-GA"),
    pool("peru", "PE"),
)


@pytest.mark.parametrize(
    ("jurisdictions", "product", "names"),
    [
        (("US", "US-FL"), "card", ["florida", "us-card", "us", "card", "all"]),
        (("US", "US-FL"), "loan", ["florida", "us", "all"]),
        (("US", "US-TX"), "auto", ["us-card", "us", "all"]),
        (("PE",), "", ["peru", "all"]),
        ((), "card", ["card", "all"]),
    ],
)
def test_the_pool_that_says_most_of_the_place_and_then_of_the_product_comes_first(
    jurisdictions: tuple[str, ...], product: str, names: list[str]
) -> None:
    assert [found.name for found in matching(POOLS, jurisdictions, product)] == names


def test_owned_numbers_in_no_pool_are_one_more_for_all_calls() -> None:
    found = pools_of([pool("us", "US")], ["+1us", "+51", "+52", "+51"])
    assert found[1:] == (Pool(name="", numbers=("+51", "+52")),)
    assert pools_of([pool("us", "US")], ["+1us"]) == (pool("us", "US"),)


@pytest.mark.parametrize(
    ("pools", "told"),
    [
        ([pool("us")], r"'us'.*caller_ids, found \+1us"),
        ([Pool(name="a", numbers=("+51",)), Pool(name="b", numbers=("+51",))], "found it in 'a' and 'b'"),
        ([Pool(name="a", numbers=("+51",)), Pool(name="a", numbers=("+52",))], "'a' twice"),
        ([Pool(name="", numbers=("+51",))], "twice or empty"),
        ([Pool(name="a", numbers=())], "at least one number"),
        ([Pool(name="a", numbers=("+51",), max_calls_a_day=0)], "at least 1, found 0"),
    ],
)
def test_pools_that_are_not_whole_are_refused(pools: list[Pool], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        pools_of(pools, ["+51", "+52"])
