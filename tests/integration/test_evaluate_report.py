"""`dialer models evaluate --html`: one page, for a campaign's model, for a log of calls and for any table of them."""

from __future__ import annotations

import csv
import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest

from dialer.adapters.attempt_history import journals_of
from tests.integration.test_models_commands import Run, clock, first_day, run, trained, vicidial_log  # noqa: F401
from tests.unit.adapters.test_wear_on_record import journal, plan

pytestmark = pytest.mark.timeout(240)

CAMPAIGN = """\
campaign: mora
jurisdictions: [PE]
trunks: [{name: t1}]
caller_ids: ["+5117000000"]
agents: [{id: ana}]
segments:
  - {name: cards, when: {product: [card]}}
  - {name: "late", when: {stage: [late]}}
"""


def text_of(path: Path) -> str:
    page = path.read_text(encoding="utf-8")
    assert "http://" not in page and "https://" not in page and "<script" not in page
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", page))


@pytest.fixture
def campaign(trained: Path, tmp_path: Path) -> Path:  # noqa: F811
    """A campaign's file beside its data folder, whose last journal ends with a plan."""
    data = Path(shutil.copytree(trained, tmp_path / "data"))
    last = journals_of(data, "mora")[-1]
    extra = journal(tmp_path / "plan.jsonl", [plan(first_day(0), 0.87)])
    with last.open("ab") as file:
        file.writelines(extra.read_bytes().splitlines(keepends=True)[1:])
    path = tmp_path / "mora.yaml"
    path.write_text(CAMPAIGN, encoding="utf-8")
    return path


def test_a_campaigns_model_has_all_four_drawings_on_one_page(run: Run, campaign: Path) -> None:  # noqa: F811
    data, page = campaign.parent / "data", campaign.parent / "r.html"
    out, err = run("evaluate", campaign, "--data", data, "--html", page, "--json")
    assert f"report: {page}" in err
    found = json.loads(out)
    assert [part["segment"] for part in found["wear"]] == ["cards", "late", "all others", "all leads"]
    assert sum(part["leads"] for part in found["wear"][:-1]) == found["wear"][-1]["leads"]
    assert all(part["effect"] is None and len(part["model"]) == 4 for part in found["wear"])
    assert found["wear_index"] == {"at": first_day(0), "index": 0.87}
    text = text_of(page)
    for said in (
        "Reliability: is 10% told 10% come?",
        "Lift: how much is in the best part?",
        "The best time to collect",
        "Wear: what calls in vain cost",
        "Portfolio wear index 0.87",
        "No rest after a call in vain has been drawn by lot yet",
        "as seen: selection and wear mixed",
    ):
        assert said in text, said
    assert page.read_text().count('class="week"') >= 3


def test_what_a_terminal_shows_of_wear(run: Run, campaign: Path) -> None:  # noqa: F811
    out, _ = run("evaluate", campaign, "--data", campaign.parent / "data")
    assert "wear: chance of an answer at attempt 5" in out and "not yet (0)" in out
    assert "portfolio wear index 0.870" in out


def test_by_its_name_alone_a_campaign_has_the_segments_of_its_last_journal(run: Run, campaign: Path) -> None:  # noqa: F811
    data, page = campaign.parent / "data", campaign.parent / "r.html"
    found = json.loads(run("evaluate", "mora", "--data", data, "--html", page, "--json")[0])
    assert [part["segment"] for part in found["wear"]] == ["all leads"]
    assert any("no segments" in line and "name the campaign by its file" in line for line in found["told"])
    assert "no best hours" in text_of(page)


def test_a_log_of_calls_has_a_page(run: Run, tmp_path: Path) -> None:  # noqa: F811
    log, page = vicidial_log(tmp_path / "log.csv", 1200, first_day(25)), tmp_path / "r.html"
    found = json.loads(run("evaluate", "--calls", log, "--every", "600", "--html", page, "--json")[0])
    assert "wear" not in found
    text = text_of(page)
    assert "How well “answered” is told" in text and "Lift" in text and "Wear" not in text


def test_a_table_of_calls_has_a_page(run: Run, tmp_path: Path) -> None:  # noqa: F811
    rng, table, page = np.random.default_rng(4), tmp_path / "calls.csv", tmp_path / "r.html"
    with table.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["hour", "success"])
        for hour in rng.integers(9, 20, 800).tolist():
            writer.writerow([hour, int(rng.random() < (0.5 if hour >= 17 else 0.1))])
    words = ("evaluate", "--calls", table, "--label", "success", "--every", "400", "--first-row", "400")
    run(*words, "--html", page)
    assert "How well “success” is told" in text_of(page)
    _, err = run(*words, "--html", tmp_path / "none" / "r.html", code=2)
    assert "none" in err and err.count("\n") == 1
