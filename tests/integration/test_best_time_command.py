"""`dialer models best-time` on a list, a campaign file and the journal of its last weeks."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from dialer.adapters.journal import Header, Journal
from dialer.cli.app import main
from dialer.core import actions as act
from dialer.core import events as ev
from dialer.core.lead import Lead, LeadProgress
from models.attempts import Result
from tests.unit.adapters.test_best_hours import BEST, lead, past_of

CAMPAIGN = """\
campaign: lima
jurisdictions: [PE]
trunks: [{name: t1}]
caller_ids: ["+5117000000"]
agents: [{id: ana, skills: [senior]}]
segments:
  - {name: late, when: {stage: [late]}, skill: senior}
  - {name: "never", when: {last_contact_days: {never: true}, product: [loan]}}
"""
ENDS = {Result.NO_ANSWER: "NO_ANSWER", Result.RIGHT_PARTY: "RPC", Result.WRONG_PARTY: "WRONG_PARTY"}
LEADS = [lead(row, product="loan" if row == 1 else "card") for row in range(200)]


def write_journal(path: Path, leads: list[Lead], each: int, now: float) -> None:
    """The journal of `each` attempts to every lead, all of them in the weeks before `now`."""
    path.parent.mkdir(parents=True)
    past = past_of(leads, each, now=now)
    journal = Journal(path, Header(campaign={"campaign": "lima"}, run=1, seed=1, started_at=float(past.log.at[0]) - 60))
    progress = tuple(LeadProgress(lead_id=one.lead_id) for one in leads)
    journal.append(ev.LeadsAdded(at=float(past.log.at[0]) - 1, leads=tuple(leads), progress=progress), [])
    for attempt, (at, row, result) in enumerate(zip(past.log.at, past.log.lead, past.log.result, strict=True), 1):
        answered = float(at) + 9.0 if result >= Result.WRONG_PARTY else None
        settled = act.Settlement(
            attempt_id=attempt,
            lead_id=leads[row].lead_id,
            number=leads[row].numbers[0].e164,
            at=float(at) + 30.0,
            disposition=ENDS[Result(result)],
            reserved_at=float(at),
            originated_at=float(at),
            answered_at=answered,
            bridged_at=answered,
            ended_at=float(at) + 22.0,
            agent_id=None,
            trunk="t1",
            caller_id="",
            fact_keys=(),
            progress=progress[row],
        )
        journal.append(ev.TimePassed(at=float(at) + 30.0), [act.Settle(settlements=(settled,))])
    journal.close()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("lima")
    (folder / "campaign.yaml").write_text(CAMPAIGN, encoding="utf-8")
    rows = [f"{one.lead_id},{one.numbers[0].e164},{one.days_past_due},{one.product}" for one in LEADS]
    (folder / "leads.csv").write_text("\n".join(["lead_id,phone,days_past_due,product", *rows]), encoding="utf-8")
    write_journal(folder / "data" / "journal" / "lima" / "1.jsonl", LEADS, 60, time.time())
    return folder


def call(capsys: pytest.CaptureFixture[str], folder: Path, *more: str) -> tuple[int, str, str]:
    arguments = ["models", "best-time", str(folder / "leads.csv"), "--campaign", str(folder / "campaign.yaml"), *more]
    if "--data" not in more:
        arguments += ["--data", str(folder / "data")]
    with pytest.raises(SystemExit) as end:
        main(arguments)
    printed = capsys.readouterr()
    return int(end.value.code or 0), printed.out, printed.err


def test_the_best_hours_and_the_heat_map_are_shown(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = call(capsys, folder)
    assert (code, err) == (0, "")
    assert "late: 100 leads" in out and "all leads: 200 leads" in out
    assert f"{BEST['late']:02}-{BEST['late'] + 1:02}" in out and "██" in out
    assert "by the tables alone: no model serves" in out


def test_json_has_every_hour_of_every_segment(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = call(capsys, folder, "--json", "--most", "3")
    told = json.loads(out)
    assert code == 0 and told["model"] is None and told["goal"] == "right_party"
    by_name = {segment["segment"]: segment for segment in told["segments"]}
    assert list(by_name) == ["late", "never", "all others", "all leads"]
    assert {hour["hour"] for hour in by_name["late"]["best"]} == {BEST["late"]}
    assert {hour["hour"] for hour in by_name["all others"]["best"]} == {BEST["early"]}
    assert len(by_name["late"]["best"]) == 3 and len(by_name["late"]["hours"]) > 30
    nobody = by_name["never"]
    assert nobody["best"] == [] and nobody["because"].startswith("no hour is recommended")


def test_a_page_is_written(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = tmp_path / "hours.html"
    code, _, err = call(capsys, folder, "--html", str(page))
    assert code == 0 and f"report: {page}" in err
    text = page.read_text(encoding="utf-8")
    assert "late" in text and "http://" not in text.replace("http://www.w3.org/", "") and "https://" not in text


def test_too_few_attempts_recommend_nothing(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_journal(tmp_path / "journal" / "lima" / "1.jsonl", LEADS, 1, time.time())
    code, out, _ = call(capsys, folder, "--data", str(tmp_path))
    assert code == 1
    assert "no hour is recommended: 30 attempts in one hour of the week are needed" in out


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--data", "nowhere"), "expected journals of lima"),
        (("--most", "0"), "--most 0: expected 1 to 168 hours"),
        (("--html", "/nowhere/at/all.html"), "expected a folder to write into"),
    ],
)
def test_what_needs_mending(folder: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], told: str):
    code, out, err = call(capsys, folder, *arguments)
    assert (code, out) == (2, "") and told in err and len(err.splitlines()) == 1


def test_a_list_of_nobody_and_a_campaign_that_is_none(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "empty.csv").write_text("lead_id,phone\n", encoding="utf-8")
    campaign = str(folder / "campaign.yaml")
    for arguments in (
        [str(folder / "empty.csv"), "--campaign", campaign],
        [str(folder / "leads.csv"), "--campaign", "lima"],
    ):
        with pytest.raises(SystemExit) as end:
            main(["models", "best-time", *arguments, "--data", str(folder / "data")])
        assert end.value.code == 2
        assert "expected" in capsys.readouterr().err
