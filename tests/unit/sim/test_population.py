"""The simulated list: the same people for the same seed, with the shares and numbers that the scenario states."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dialer.errors import ConfigError
from sim.population import make_leads
from sim.scenario import Population, Region

LIMA = Region(name="Lima", country="PE", zone="America/Lima", prefix="+519", digits=8, share=3.0)
SANTIAGO = Region(name="Santiago", country="CL", zone="America/Santiago", prefix="+569", digits=8, share=1.0)


def people(leads: int = 1000, *regions: Region, **changes: object) -> Population:
    return Population(leads=leads, regions=regions or (LIMA, SANTIAGO), **changes)  # type: ignore[arg-type]


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 60), st.integers(1, 60))
def test_a_longer_list_begins_with_the_same_people(seed: int, first: int, more: int) -> None:
    assert make_leads(people(first + more), seed)[:first] == make_leads(people(first), seed)


def test_another_seed_makes_other_people() -> None:
    one, other = make_leads(people(50), 1), make_leads(people(50), 2)
    assert not {lead.numbers[0].e164 for lead in one} & {lead.numbers[0].e164 for lead in other}


def test_nobody_shares_a_number_even_where_numbers_are_few() -> None:
    crowded = Region(name="island", country="PE", zone="America/Lima", prefix="+5199", digits=2, share=1.0)
    numbers = [number.e164 for lead in make_leads(people(60, crowded), 1) for number in lead.numbers]
    assert len(numbers) == len(set(numbers)) > 60
    with pytest.raises((ConfigError, ValueError), match="too few digits"):
        make_leads(people(101, crowded), 1)


def test_regions_have_their_shares_and_their_people_their_zone_and_prefix() -> None:
    leads = make_leads(people(4000), 5)
    regions = {region.name: region for region in (LIMA, SANTIAGO)}
    assert sum(lead.region == "Lima" for lead in leads) / 4000 == pytest.approx(0.75, abs=0.03)
    for lead in leads:
        region = regions[lead.region]
        for number in lead.numbers:
            assert number.e164.startswith(region.prefix) and len(number.e164) == len(region.prefix) + region.digits
            assert (number.zones, number.country) == ((region.zone,), region.country)


@pytest.mark.parametrize(("rate", "low", "high"), [(0.0, 0, 0), (0.3, 250, 350), (1.0, 1000, 1000)])
def test_second_numbers_are_as_frequent_as_stated(rate: float, low: int, high: int) -> None:
    leads = make_leads(people(second_number_rate=rate, third_number_rate=0.0), 5)
    assert low <= sum(len(lead.numbers) == 2 for lead in leads) <= high
    assert all(len(lead.numbers) <= 2 for lead in leads)


def test_some_of_those_with_two_numbers_have_three() -> None:
    leads = make_leads(people(second_number_rate=0.5, third_number_rate=0.4), 5)
    counts = [sum(len(lead.numbers) == count for lead in leads) for count in (1, 2, 3)]
    assert counts == pytest.approx([500, 300, 200], abs=60)


def test_priorities_follow_the_days_past_due() -> None:
    for lead in make_leads(people(300), 5):
        assert lead.days_past_due is not None and 5 <= lead.days_past_due < 180
        assert lead.priority == (lead.days_past_due > 30) + (lead.days_past_due > 90)


def test_a_list_needs_a_region() -> None:
    with pytest.raises(ConfigError, match=r"population\.regions"):
        make_leads(Population(leads=3), 1)


def test_a_share_of_nothing_makes_nobody() -> None:
    empty = SANTIAGO.model_copy(update={"share": 0.0})
    assert {lead.region for lead in make_leads(people(300, LIMA, empty), 5)} == {"Lima"}
