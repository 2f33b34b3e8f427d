"""The networks of called numbers: what the dialer sees of them is what the hidden world goes by."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from dialer.core.lead import Lead
from sim.people import People
from sim.population import make_leads
from sim.scenario import Destination, Scenario
from tests.unit.sim.scenes import scenario

NETWORKS = (
    Destination(name="Red", share=5.0),
    Destination(name="Blue", share=3.0),
    Destination(name="Green", share=2.0),
)


def scene(**changes: Any) -> Scenario:
    made = scenario()
    people = made.population.model_copy(update={"leads": 3000, "destinations": NETWORKS, **changes})
    return made.model_copy(update={"population": people})


def hidden(made: Scenario, leads: list[Lead], seed: int) -> list[list[int]]:
    """Each number's place among the destinations, as the calls' fates have it."""
    people = People(made, leads, seed=seed)
    return [[people.number(i, which).destination for which in range(len(lead.numbers))] for i, lead in enumerate(leads)]


@pytest.mark.parametrize("seed", [1, 7])
def test_made_up_numbers_name_the_network_that_their_calls_meet(seed: int) -> None:
    made = scene(second_number_rate=0.5, third_number_rate=0.5)
    leads = make_leads(made.population, seed)
    named = [[number.network for number in lead.numbers] for lead in leads]
    assert named == [[NETWORKS[place].name for place in places] for places in hidden(made, leads, seed)]
    firsts = [names[0] for names in named]
    for network in NETWORKS:
        assert firsts.count(network.name) / len(leads) == pytest.approx(network.share / 10.0, abs=0.03)
    assert any(len(set(names)) > 1 for names in named)  # each number has its own


def test_without_destinations_no_network_is_known() -> None:
    made = scene(destinations=())
    leads = make_leads(made.population, 1)
    assert {number.network for lead in leads for number in lead.numbers} == {""}
    assert {place for places in hidden(made, leads, 1) for place in places} == {0}


def test_destinations_change_nothing_else_about_the_people() -> None:
    def bare(leads: list[Lead]) -> list[Lead]:
        return [
            msgspec.structs.replace(
                lead, numbers=tuple(msgspec.structs.replace(number, network="") for number in lead.numbers)
            )
            for lead in leads
        ]

    assert bare(make_leads(scene().population, 3)) == make_leads(scene(destinations=()).population, 3)


def test_a_list_that_names_networks_is_believed_and_the_others_are_drawn() -> None:
    made = scene(second_number_rate=0.0)
    leads = make_leads(made.population, 1)
    drawn = hidden(made, leads, 2)
    names = ["  BLUE ", "", "unheard of"]
    listed = [
        msgspec.structs.replace(lead, numbers=(msgspec.structs.replace(lead.numbers[0], network=names[i % 3]),))
        for i, lead in enumerate(leads)
    ]
    found = hidden(made, listed, 2)
    unnamed = hidden(
        made,
        [
            msgspec.structs.replace(lead, numbers=(msgspec.structs.replace(lead.numbers[0], network=""),))
            for lead in leads
        ],
        2,
    )
    assert found == [[1] if i % 3 == 0 else unnamed[i] for i in range(len(leads))]
    assert drawn == hidden(made, leads, 3) != unnamed  # what the list says holds whatever the seed
