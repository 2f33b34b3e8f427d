"""Segments, stages and models in a campaign file: what is read, and every fault with its line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dialer.config.campaign_file import read_campaign
from dialer.config.example import write_example
from dialer.errors import ConfigError

GOOD = """\
campaign: lima-1
jurisdictions: [PE]
trunks:
  - {name: a}
caller_ids: ["+5117009000"]
agents:
  - {id: ana, skills: [senior]}
"""
WHOLE = """\
stages: {early: 15, middle: 60}
models: {use: false, plan_every: 5m, explore: 0, goal: promise, wear_price: 0.5, retrain_every: 12h}
segments:
  - name: late-large
    when:
      stage: [late]
      amount: {at_least: 1000, below: 5000.5}
      days_past_due: {at_least: 90}
      propensity: {at_least: 0.1}
      last_contact_days: {at_least: 7, never: true}
      product: [card, loan]
      region: [Lima]
    priority: 5
    caps: [{max: 1, period: {kind: calendar_day}, key: [person]}]
    script: late-es
    channels: [voice, sms]
    skill: senior
  - {name: others, when: {last_contact_days: {never: true}}, channels: [whatsapp]}
"""


@pytest.fixture
def read(tmp_path: Path) -> Any:
    """Return a function that reads a campaign with this added, and one that gives its faults without the path."""
    path = tmp_path / "c.yaml"

    def campaign(added: str) -> Any:
        path.write_text(GOOD + added, encoding="utf-8")
        return read_campaign(path)

    def faults(added: str) -> list[str]:
        with pytest.raises(ConfigError) as error:
            campaign(added)
        return [fault.removeprefix(f"{path}:") for fault in error.value.faults]

    return campaign, faults


def test_every_key_is_read(read: Any) -> None:
    campaign = read[0](WHOLE)
    assert (campaign.stages.early, campaign.stages.middle) == (15, 60)
    late, others = campaign.segments
    assert (late.priority, late.script, late.channels, late.skill) == (5, "late-es", ("voice", "sms"), "senior")
    assert late.when.amount.below == 5000.5 and late.when.days_past_due.below is None
    assert late.caps[0].max == 1
    assert (others.priority, others.skill, others.when.last_contact_days.never) == (None, "", True)
    assert campaign.agents[0].skills == ("senior",)
    models = campaign.models
    assert (models.use, models.goal, models.explore, models.wear_price) == (False, "promise", 0.0, 0.5)
    assert (models.plan_every, models.retrain_every) == (300.0, 43_200.0)


def test_a_file_that_names_none_has_the_defaults(read: Any) -> None:
    campaign = read[0]("")
    assert (campaign.segments, campaign.stages.early, campaign.stages.middle) == ((), 30, 90)
    assert (campaign.models.use, campaign.models.plan_every, campaign.models.retrain_every) == (True, 600.0, 86_400.0)
    assert (campaign.models.explore, campaign.models.goal, campaign.models.wear_price) == (0.03, "right_party", 1.0)


def segment(when: str = "{stage: [late]}", rest: str = "") -> str:
    return f"segments:\n  - name: a\n    when: {when}\n{rest}"


SECOND = "  - name: b\n    when: "


@pytest.mark.parametrize(
    ("added", "told"),
    [
        (segment("{}"), "10: segments.0.when: expected at least one condition (stage, amount, "),
        ("segments:\n  - name: a\n", "9: segments.0.when: expected this key, found none"),
        (segment("{ammount: {below: 3}}"), "10: segments.0.when.ammount: unknown key: did you mean amount?"),
        (segment("{amount: {above: 3}}"), "10: segments.0.when.amount.above: unknown key: expected one of at_least"),
        (segment("{amount: {}}"), "10: segments.0.when.amount: expected at_least or below, found none"),
        (segment("{amount: {at_least: 9, below: 3}}"), "10: segments.0.when.amount: expected at_least less than below"),
        (segment("{amount: {at_least: 3, below: 3}}"), "10: segments.0.when.amount: expected at_least less than below"),
        (segment("{amount: {at_least: .inf}}"), "10: segments.0.when.amount.at_least: expected a finite number"),
        (segment("{days_past_due: {below: 30.5}}"), "10: segments.0.when.days_past_due.below: expected a valid int"),
        (segment("{propensity: {at_least: 10}}"), "10: segments.0.when.propensity.at_least: expected less than or"),
        (segment("{stage: [lat]}"), "10: segments.0.when.stage.0: expected one of early, middle, late, was 'lat'"),
        (segment("{stage: []}"), "10: segments.0.when.stage: expected at least one entry, found none"),
        (segment("{stage: [late, late]}"), "10: segments.0.when.stage: 'late' stands twice"),
        (segment("{stage: late}"), "10: segments.0.when.stage: expected a list ([a, b]), was 'late'"),
        (segment("{product: [card, card]}"), "10: segments.0.when.product: 'card' stands twice: keep one"),
        (segment('{product: ["\\e[2J"]}'), "10: segments.0.when.product.0: expected at most 64 characters, and none"),
        (segment("{last_contact_days: {}}"), "expected at_least, below or never, found none"),
        (segment("{last_contact_days: {below: 3, never: true}}"), "expected below or never, found both: write two"),
        (
            segment(rest="    skill: seniour\n"),
            "11: segments.0.skill: expected a skill of an agent, was 'seniour': did",
        ),
        (segment(rest="    channels: []\n"), "11: segments.0.channels: expected at least one entry"),
        (segment(rest="    channels: [voice, fax]\n"), "11: segments.0.channels.1: expected one of voice, sms"),
        (segment(rest="    channels: [sms, sms]\n"), "11: segments.0.channels: 'sms' stands twice: keep one"),
        (segment(rest="    priority: high\n"), "11: segments.0.priority: expected a valid integer"),
        (segment(rest="    prio: 3\n"), "11: segments.0.prio: unknown key: did you mean priority?"),
        (
            segment(rest="    caps: [{max: 1, period: {kind: calendar_day}, key: [person], exclude: [BUSSY]}]\n"),
            "11: segments.0.caps.0.exclude.0: expected a disposition, was 'BUSSY': did you mean BUSY?",
        ),
        (segment(rest="    caps: [{max: 0, period: {kind: calendar_day}, key: [person]}]\n"), "segments.0.caps.0.max"),
        (segment(rest="  - name: a\n    when: {stage: [early]}\n"), "11: segments.1.name: 'a' stands twice: keep one"),
        (segment(rest=SECOND + "{stage: [late]}\n"), "12: segments.1.when: never reached: every such lead is of 'a'"),
        (segment(rest=SECOND + "{days_past_due: {at_least: 91}}\n"), "12: segments.1.when: never reached"),
        (segment(rest=SECOND + "{stage: [late], amount: {below: 3}}\n"), "12: segments.1.when: never reached"),
        (segment("{product: [x, y]}", SECOND + "{product: [y]}\n"), "12: segments.1.when: never reached"),
        (
            segment("{propensity: {at_least: 0}}", SECOND + "{propensity: {below: 0.5}}\n"),
            "12: segments.1.when: never reached",
        ),
        (
            segment("{last_contact_days: {at_least: 7, never: true}}", SECOND + "{last_contact_days: {never: true}}\n"),
            "12: segments.1.when: never reached",
        ),
        (segment("{stage: [early], days_past_due: {at_least: 31}}"), "10: segments.0.when: no debt can be of these"),
        ("stages: {early: 90, middle: 90}\n", "8: stages: expected early below middle, were 90 and 90"),
        ("stages: {early: -1}\n", "8: stages.early: expected greater than or equal to 0, was '-1'"),
        ("stages: {late: 99}\n", "8: stages.late: unknown key: expected one of early, middle"),
        ("models: {explore: 0.3}\n", "8: models.explore: expected less than or equal to 0.2, was '0.3'"),
        ("models: {plan_every: 10s}\n", "8: models.plan_every: expected greater than or equal to 60, was '10s'"),
        ("models: {plan_every: often}\n", "8: models.plan_every: expected a duration such as 90s, 15m, 2h or 1d"),
        ("models: {retrain_every: 1m}\n", "8: models.retrain_every: expected greater than or equal to 3600"),
        ("models: {goal: money}\n", "8: models.goal: expected one of right_party, promise, was 'money'"),
        ("models: {wear_price: -1}\n", "8: models.wear_price: expected greater than or equal to 0"),
        ("models: {used: true}\n", "8: models.used: unknown key: did you mean use?"),
    ],
)
def test_a_fault_is_told_with_its_line(read: Any, added: str, told: str) -> None:
    faults = read[1](added)
    assert len(faults) == 1, faults
    assert told in faults[0]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("{stage: [late]}", "{days_past_due: {at_least: 90}}"),  # one of 90 days is middle
        ("{stage: [late]}", "{amount: {at_least: 5}}"),  # where nobody knows the days
        ("{amount: {at_least: 5}}", "{amount: {at_least: 4}}"),
        ("{product: [x]}", "{product: [x, y]}"),
        ("{product: [x], region: [z]}", "{product: [x]}"),
        ("{last_contact_days: {at_least: 7}}", "{last_contact_days: {at_least: 7, never: true}}"),
        ("{propensity: {below: 1}}", "{propensity: {at_least: 0.9}}"),
    ],
)
def test_a_segment_of_which_some_are_left_is_reached(read: Any, first: str, second: str) -> None:
    assert len(read[0](segment(first, SECOND + second + "\n")).segments) == 2


def test_a_skill_where_no_agent_has_any(read: Any, tmp_path: Path) -> None:
    path = tmp_path / "d.yaml"
    path.write_text(GOOD.replace(", skills: [senior]", "") + segment(rest="    skill: senior\n"), encoding="utf-8")
    with pytest.raises(ConfigError, match=r"skill of an agent, was 'senior': name it among the `skills` of one"):
        read_campaign(path)


def test_the_notes_of_the_example_are_true(tmp_path: Path) -> None:
    """What the example shows behind `#` can be taken as it stands, beside an agent with the skill."""
    path, _ = write_example(tmp_path)
    lines = path.read_text(encoding="utf-8").splitlines()
    begin = next(place for place, line in enumerate(lines) if line.startswith("# models:"))
    end = next(place for place in range(begin, len(lines)) if lines[place].startswith("# The numbers"))
    shown = [
        line[2:] if line[2:].startswith(("models", "stages", "segments", "  ")) else "" for line in lines[begin:end]
    ]
    text = "\n".join([*lines[:begin], *shown, *lines[end:]]).replace("name: Ana}", "name: Ana, skills: [senior]}")
    path.write_text(text, encoding="utf-8")
    campaign = read_campaign(path)
    assert [segment.name for segment in campaign.segments] == ["late-large", "never-reached"]
