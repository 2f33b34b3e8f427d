"""Scenario files: packaged ones by name, others by path; faults named by their line."""

from __future__ import annotations

from pathlib import Path

import pytest

from dialer.config.supply import supply_of
from dialer.errors import ConfigError
from sim import scenario_file
from sim.carriers import carriers_of
from sim.result import scenario_hash
from sim.scenario import Scenario
from sim.scenario_file import load_scenario, packaged_names, packaged_scenario

PACKAGED = Path(scenario_file.__file__).parent / "scenarios"


@pytest.mark.parametrize("name", packaged_names())
def test_every_packaged_scenario_can_be_read_by_its_name_and_by_its_path(name: str) -> None:
    scenario = load_scenario(name)
    assert scenario == load_scenario(str(PACKAGED / f"{name}.yaml")) and scenario.campaign.trunks


@pytest.mark.parametrize("path", sorted(PACKAGED.glob("*.yaml")), ids=lambda path: path.stem)
def test_a_scenario_survives_being_written_as_json(path: Path) -> None:
    scenario = load_scenario(str(path))
    assert Scenario.model_validate(scenario.model_dump(mode="json")) == scenario


@pytest.mark.parametrize("name", packaged_names())
def test_a_packaged_scenario_s_carriers_bill_what_its_campaign_expects(name: str) -> None:
    scenario = load_scenario(name)
    hidden = carriers_of(scenario)
    for trunk in supply_of(scenario.campaign).trunks:
        (rate,), carrier = trunk.rates, hidden[trunk.name]
        assert rate.per_minute == carrier.price_per_minute > 0.0
        assert rate.first_s == rate.step_s == carrier.billing_increment_s
        assert (rate.connection_fee, rate.attempt_fee) == (carrier.connection_fee, carrier.attempt_fee)
    assert scenario.campaign.routing.currency == scenario.costs.currency


def test_an_unknown_name_lists_those_that_are_there() -> None:
    with pytest.raises(ConfigError, match=r"no_such: expected a scenario file or one of .*collections_demo"):
        load_scenario("no_such")


@pytest.mark.parametrize(("agents", "leads", "duration_s"), [(1, 10, 60.0), (3, 200, 3600.0), (120, 5000, 900.0)])
def test_a_packaged_scenario_in_another_size(agents: int, leads: int, duration_s: float) -> None:
    scenario = packaged_scenario("collections_demo", agents=agents, leads=leads, duration_s=duration_s)
    assert len({agent.id for agent in scenario.campaign.agents}) == agents
    assert (scenario.population.leads, scenario.duration) == (leads, duration_s)
    original = load_scenario("collections_demo")
    shared = min(agents, len(original.campaign.agents))
    assert scenario.campaign.agents[:shared] == original.campaign.agents[:shared]


def line_of(text: str, key: str) -> int:
    return next(number for number, line in enumerate(text.splitlines(), 1) if line.strip().startswith(key))


@pytest.mark.parametrize(
    ("key", "bad"),
    [
        ("duration:", "duration: soon"),
        ("start:", 'start: "2026-11-23T09:00:00"'),
        ("seed:", "sead: 1"),
    ],
)
def test_a_fault_is_named_by_its_line(tmp_path: Path, key: str, bad: str) -> None:
    text = (PACKAGED / "collections_demo.yaml").read_text()
    line = line_of(text, key)
    broken = text.splitlines()
    broken[line - 1] = bad
    path = tmp_path / "mine.yaml"
    path.write_text("\n".join(broken))
    with pytest.raises(ConfigError) as raised:
        load_scenario(str(path))
    assert any(fault.startswith(f"{path}:{line}:") for fault in raised.value.faults), raised.value


def test_the_start_keeps_its_offset() -> None:
    scenario = load_scenario("collections_demo")
    assert scenario.start.utcoffset() is not None
    assert scenario.start_at == scenario.start.timestamp()


# ---- what binds fields together -----------------------------------------------------------------------------
BASE = """\
scenario: mine
start: "2026-11-23T10:00:00-05:00"
duration: 8h
campaign:
  campaign: mine
  jurisdictions: [PE]
  trunks: [{name: north}]
  caller_ids: ["+5117000000"]
population:
  leads: 10
  live_rate: 0.4
  regions:
    - {name: Lima, country: PE, zone: America/Lima, prefix: "+519", digits: 8, share: 1}
  destinations:
    - {name: red, share: 1}
  conversations:
    PTP: {rate: 0.3}
  answer_s:
    kind: uniform
    low: 3
    high: 9
floor:
  agents: 3
  shifts:
    - begin: "10:30"
      end: 4h
carriers:
  - trunk: north
    regions: {Lima: 0.5}
    incidents:
      - begin: 1h
        end: "12:00"
        destinations: [red]
"""


def read(tmp_path: Path, text: str) -> Scenario:
    path = tmp_path / "mine.yaml"
    path.write_text(text)
    return load_scenario(str(path))


def test_agents_are_made_up_after_those_that_are_named(tmp_path: Path) -> None:
    assert [agent.id for agent in read(tmp_path, BASE).campaign.agents] == ["agent1", "agent2", "agent3"]
    named = BASE.replace("  campaign: mine\n", "  campaign: mine\n  agents: [{id: ana}, {id: bruno}]\n")
    assert [agent.id for agent in read(tmp_path, named).campaign.agents] == ["ana", "bruno", "agent3"]
    taken = named.replace("{id: ana}", "{id: agent3}")
    assert [agent.id for agent in read(tmp_path, taken).campaign.agents] == ["agent3", "bruno", "agent4"]


@pytest.mark.parametrize(
    ("before", "after", "line", "told"),
    [
        ("- trunk: north", "- trunk: nort", "- trunk: nort", r"carriers.0.trunk: expected a trunk .*\(north\)"),
        ("regions: {Lima: 0.5}", "regions: {Cusco: 0.5}", "regions: {Cusco", "carriers.0.regions.Cusco: expected one"),
        ("destinations: [red]", "destinations: [blue]", "destinations: [blue]", r"one of .*\(red\), was 'blue'"),
        ("end: 4h", "end: 10m", "end: 10m", "floor.shifts.0.end: expected an end after its begin"),
        ('end: "12:00"', 'end: "10:59"', 'end: "10:59"', "carriers.0.incidents.0.end: expected an end after"),
        ('begin: "10:30"', 'begin: "25:30"', '- begin: "25:30"', "expected a quoted local time"),
        ("end: 4h", "end: soon", "end: soon", "floor.shifts.0.end: expected a duration"),
        ("live_rate: 0.4", "live_rate: 0.9", "live_rate: 0.9", "expected live_rate .* at most 1, was 1.1"),
        ("PTP: {rate: 0.3}", "PTP: {rate: 0.8}", "conversations:", "expected rates that add up to at most 1"),
        ("PTP: {rate: 0.3}", "RPC: {rate: 0.3}", "RPC: {rate", "conversations.RPC.rate: expected no rate"),
        ("PTP: {rate: 0.3}", "PTB: {rate: 0.3}", "PTB: {rate", "'RPC', 'PTP'"),
        ("    - {name: red, share: 1}", "    - {name: red, share: 0}", "- {name: red", "shares that add up to more"),
        ("    high: 9", "    high: 2", "answer_s:", "expected low <= high, was 3 and 2"),
        ("    high: 9", "    height: 9", "height: 9", "answer_s.height: unknown key: did you mean high"),
        ("  agents: 3", "  agnets: 3", "agnets", "floor.agnets: unknown key: did you mean agents"),
        ("  live_rate: 0.4", "  live_rate: much", "live_rate", "live_rate: expected a valid number, was 'much'"),
        ("  - trunk: north", "  - quality: 1", "- quality", "carriers.0.trunk: expected this key, found none"),
        ("  leads: 10\n", "  leads: 0\n", "leads: 0", "expected at least 1 lead, or a list"),
        ("  leads: 10\n", "  leads: 10\n  list: mine.yaml\n", "list: mine", "expected either leads or list, were both"),
        ("  leads: 10\n", "  list: none.csv\n", "list: none", "expected a CSV list of leads, found no file"),
        ("  agents: 3", "  agents: 0", "agents: 0", "floor.agents"),
        ("America/Lima", "America/Lim", "- {name: Lima", "expected an IANA zone such as .*, was 'America/Lim'"),
        ('"+519", digits: 8', '"+519519", digits: 12', "- {name: Lima", "at most 15 digits .* so 9 here, was 12"),
        ("  agents: 3", "  break_every_s: 1", "break_every_s", "expected 0 for none, or at least 60, was 1"),
        ("  live_rate: 0.4", "  live_rate: .nan", "live_rate", "population.live_rate"),
        ("  leads: 10", f"  leads: 10\n  hours: {[-1] + [1] * 23}", "hours", "population.hours.0: .*greater"),
        ("  leads: 10", f"  leads: 10\n  weekdays: [.nan{', 1' * 6}]", "weekdays", "population.weekdays.0"),
        (
            "  leads: 10",
            f"  leads: 10\n  habits: [{{name: a, share: 1, hours: {[-1] + [1] * 23}}}]",
            "habits",
            "population.habits.0.hours.0: .*greater",
        ),
        ("  - trunk: north", "  - trunk: north\n    max_cps: .inf", "max_cps", "carriers.0.max_cps"),
        ("  - trunk: north", "  - trunk: north\n    max_cps: 1e30", "max_cps", "carriers.0.max_cps: .*1000"),
        ("  - trunk: north", "  - trunk: north\n    connection_fee: .inf", "connection_fee", "finite"),
        ("    high: 9", "    high: 1e12", "high: 1e12", "86400"),
        ("2026-11-23T", "9999-12-31T", "start:", "expected a year from 1971 to 2199, was 9999"),
        ("2026-11-23T", "0001-01-01T", "start:", "expected a year from 1971 to 2199, was 1"),
    ],
)
def test_what_does_not_fit_together_is_named_by_its_line(
    tmp_path: Path, before: str, after: str, line: str, told: str
) -> None:
    assert before in BASE
    text = BASE.replace(before, after, 1)
    with pytest.raises(ConfigError, match=told) as raised:
        read(tmp_path, text)
    place = f"{tmp_path / 'mine.yaml'}:{line_of(text, line)}:"
    assert any(fault.startswith(place) for fault in raised.value.faults), raised.value.faults
    assert all("Value error" not in fault and "\n" not in fault for fault in raised.value.faults)


def test_a_bad_hour_is_one_fault_and_missing_hours_are_too(tmp_path: Path) -> None:
    for hours, told in (([-1] + [1] * 23, "hours.0: "), ([1] * 23, "hours: Tuple should have at least 24")):
        with pytest.raises(ConfigError, match=told) as raised:
            read(tmp_path, BASE.replace("  leads: 10", f"  leads: 10\n  hours: {hours}", 1))
        assert len(raised.value.faults) == 1


def test_a_list_is_taken_from_the_scenario_s_folder(tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_text("number\n")
    made = read(tmp_path, BASE.replace("  leads: 10\n", "  list: people.csv\n"))
    assert (made.population.list, made.population.leads) == (tmp_path / "people.csv", 0)


def test_a_hash_does_not_depend_on_where_the_list_s_folder_is(tmp_path: Path) -> None:
    text = BASE.replace("  leads: 10\n", "  list: people.csv\n")
    made = []
    for name in ("here", "there"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "people.csv").write_text("number\n")
        made.append(read(tmp_path / name, text))
    assert made[0] != made[1] and scenario_hash(made[0]) == scenario_hash(made[1])
    (tmp_path / "here" / "others.csv").write_text("number\n")
    assert scenario_hash(read(tmp_path / "here", text.replace("people", "others"))) != scenario_hash(made[0])
