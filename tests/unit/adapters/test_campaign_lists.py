"""All lists of a campaign together: one person once, whatever the list."""

from __future__ import annotations

from pathlib import Path

import pytest

from dialer.adapters.campaign_lists import load_lists
from dialer.config.campaign import Campaign
from dialer.errors import ConfigError
from tests.unit.core.bench_engine import campaign_of

CAMPAIGN: Campaign = campaign_of(jurisdictions=["PE", "CL"])


def lists_of(folder: Path, **texts: str) -> list[Path]:
    paths = []
    for name, text in texts.items():
        path = folder / f"{name}.csv"
        path.write_text(text)
        paths.append(path)
    return paths


def test_lists_are_read_in_their_order(tmp_path: Path) -> None:
    paths = lists_of(tmp_path, b="id,phone\n7,987654321\n", a="id,phone\n8,987654322\n9,987654323\n")
    said: list[str] = []
    leads = load_lists(paths, CAMPAIGN, say=said.append)
    assert [lead.lead_id for lead in leads] == ["7", "8", "9"]
    assert said == [f"{paths[0]}: 1 leads", f"{paths[1]}: 2 leads"]


@pytest.mark.parametrize(
    ("second", "why"), [("7,987654399", "id"), ("8,987654321", "number"), ("8,+51 987 654 321", "number")]
)
def test_whom_an_earlier_list_has_is_rejected_with_a_file_that_says_so(tmp_path: Path, second: str, why: str) -> None:
    paths = lists_of(tmp_path, first="id,phone\n7,987654321\n", second=f"id,phone\n{second}\n9,987654323\n")
    said: list[str] = []
    leads = load_lists(paths, CAMPAIGN, say=said.append)
    assert [lead.lead_id for lead in leads] == ["7", "9"], why
    (rejected,) = (path for path in tmp_path.iterdir() if path not in paths)
    assert "1 rows rejected" in said[1] and str(rejected) in said[1]
    assert second.split(",")[1][-3:] in rejected.read_text(encoding="utf-8-sig")


def test_a_number_without_its_country_is_of_the_first_jurisdiction(tmp_path: Path) -> None:
    (lead, chilean) = load_lists(
        lists_of(tmp_path, one="id,phone\n1,987654321\n2,+56987654321\n"), CAMPAIGN, say=lambda _: None
    )
    assert (lead.numbers[0].e164, lead.numbers[0].country) == ("+51987654321", "PE")
    assert chilean.numbers[0].country == "CL"


def test_a_country_that_is_not_the_campaign_s_is_not_read(tmp_path: Path) -> None:
    paths = lists_of(tmp_path, one="id,phone\n1,+34600000000\n2,987654321\n")
    assert [lead.lead_id for lead in load_lists(paths, CAMPAIGN, say=lambda _: None)] == ["2"]


def test_a_file_that_is_no_list_is_the_operator_s_to_mend(tmp_path: Path) -> None:
    good, bad = lists_of(tmp_path, good="id,phone\n1,987654321\n", bad="")
    with pytest.raises(ConfigError, match=r"bad\.csv:1"):
        load_lists([good, bad], CAMPAIGN, say=lambda _: None)


def test_no_lists_are_no_leads() -> None:
    assert load_lists([], CAMPAIGN, say=lambda _: None) == []
