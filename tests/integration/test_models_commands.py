"""`dialer models ...` as people run it: trained, judged, promoted, rolled back and explained, and what it refuses."""

from __future__ import annotations

import csv
import json
import shutil
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dialer.adapters.attempt_history import read_campaign_history
from dialer.adapters.audit import audit_log
from dialer.adapters.model_registry import ModelRegistry
from dialer.adapters.retraining import Order, retrain_if_due, train_model
from dialer.cli.app import main
from dialer.errors import ConfigError
from models.bundle import TrainingSettings
from tests.integration.past_days import DAY_S, past_leads, write_past

NOW = datetime(2026, 6, 15, 15, 0, tzinfo=UTC).timestamp()
DAYS, LEADS = 20, 1500

Run = Callable[..., tuple[str, str]]
pytestmark = pytest.mark.timeout(240)


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same days whenever the tests run: what a model learns of weekdays and pay-days is the same."""
    monkeypatch.setattr(time, "time", lambda: NOW)


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def command(*words: object, code: int = 0) -> tuple[str, str]:
        with pytest.raises(SystemExit) as ended:
            main(["models", *map(str, words)])
        out, err = capsys.readouterr()
        assert (ended.value.code or 0) == code, (words, out, err)
        assert "Traceback" not in err
        return out, err

    return command


def first_day(days: int) -> float:
    return (NOW // DAY_S - days - 1) * DAY_S


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with journals and a champion that was trained on all but the last days of them."""
    data = tmp_path_factory.mktemp("data")
    write_past(data, past_leads(LEADS), first_day=first_day(DAYS), days=DAYS, a_day=200)
    later = sorted((data / "journal" / "mora").glob("*.jsonl"))[-6:]
    aside = data / "aside"
    aside.mkdir()
    for path in later:
        path.rename(aside / path.name)
    now = NOW
    past = read_campaign_history(data, "mora", now=now)
    training = train_model(ModelRegistry(data, "mora"), past, now=now - 30.0, order=Order(by="ana"))
    assert training.serves_as == "champion" and training.judgement.refusals == []
    for path in later:
        (aside / path.name).rename(path)
    return data


@pytest.fixture
def data(trained: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(trained, tmp_path / "data"))


def champion(data: Path) -> str | None:
    return ModelRegistry(data, "mora").standing().champion


def test_a_campaigns_models_are_trained_listed_and_rolled_back(run: Run, data: Path) -> None:
    first = champion(data)
    out, _ = run("train", "mora", "--data", data, "--force", "--json")
    answer = json.loads(out)
    assert answer["serves_as"] == "champion" and answer["against"] == first
    assert answer["rows"] > 2500 and 0.0 < answer["candidate"]["ece"] < 0.15
    assert answer["candidate"]["rows"] == answer["champion"]["rows"]
    assert champion(data) == answer["model"]
    listed = json.loads(run("list", "mora", "--data", data, "--check", "--json")[0])
    assert [row["role"] for row in listed["versions"]] == ["former", "champion"]
    assert listed["told"] == []
    assert "champion" in run("list", "mora", "--data", data)[0]
    out, _ = run("rollback", "mora", "--data", data)
    assert f"the champion is {first}" in out and champion(data) == first
    out, _ = run("promote", answer["model"], "--data", data, "--challenger", "--share", "0.2")
    assert "challenges it on 20% of the leads" in out
    out, _ = run("retire", str(first), "--data", data)
    assert "goes by the tables" in out
    said = [entry.what for entry in audit_log(data).read()]
    assert said == ["models.train", "models.rollback", "models.promote", "models.retire"]


def test_a_worse_model_is_told_why_and_kept_aside(run: Run, data: Path) -> None:
    first = champion(data)
    words = ("train", "mora", "--data", data, "--without", "product")
    out, _ = run(*words, code=1)
    assert "refused: worse than the champion" in out and "kept aside" in out
    assert champion(data) == first
    registry = ModelRegistry(data, "mora")
    aside = registry.ids()[-1]
    _, err = run("promote", aside, "mora", "--data", data, code=2)
    assert "was refused (worse than the champion" in err
    run("promote", aside, "mora", "--data", data, "--force")
    assert champion(data) == aside


def test_training_waits_until_it_is_due(run: Run, data: Path) -> None:
    assert "no training is due" in run("train", "mora", "--data", data, "--if-due", "1d")[0]
    now = NOW
    assert retrain_if_due(data, "mora", now, 1.0) is None
    quick = Order(role="challenger", settings=TrainingSettings(least_for_trees=10**9))
    found = retrain_if_due(data, "mora", now + DAY_S, 0.5, order=quick)
    assert found is not None and found.serves_as in ("challenger", None)
    _, err = run("train", "mora", "--data", data, "--if-due", "soon", code=2)
    assert "--if-due: expected a duration" in err


def test_a_model_is_evaluated_on_what_came_after_its_training(run: Run, data: Path) -> None:
    found = json.loads(run("evaluate", "mora", "--data", data, "--json")[0])
    last = ModelRegistry(data, "mora").manifest(str(champion(data))).last_at
    past = read_campaign_history(data, "mora", now=NOW)
    after = past.log.known & (past.log.at > last)
    assert found["model"]["rows"] == int(after.sum()) > 700
    assert found["first_row"] == int(np.flatnonzero(after)[0])
    assert found["recalibrated"]["auc"] > 0.7 and found["recalibrated"]["ece"] < 0.06
    out, _ = run("evaluate", "mora", "--data", data)
    assert "with online recalibration" in out and "told against came" in out
    flattered, _ = run("evaluate", "mora", "--data", data, "--since", "2020-01-01")
    assert "the figures flatter it" in flattered


def test_a_lead_is_explained(run: Run, data: Path) -> None:
    at = datetime.fromtimestamp(NOW - 2 * DAY_S, UTC).strftime("%Y-%m-%dT18:30-05:00")
    found = json.loads(run("explain", "L0003", "mora", "--data", data, "--at", at, "--json")[0])
    assert found["model"] == champion(data) and 0.0 < found["answer"] < 1.0
    assert {move["what"]: move["value"] for move in found["moves"]}["product"] == "card"
    past = read_campaign_history(data, "mora", now=NOW)
    own = past.log.at[past.log.lead == past.ids.index("L0003")]
    assert found["attempts_in_all"] == int((own < found["at"]).sum())
    hours = {hour["local"][-5:]: hour["answer"] for hour in found["hours"]}
    assert len(hours) == 24 and hours["18:00"] > 2 * hours["11:00"]
    out, _ = run("explain", "L0003", "mora", "--data", data)
    assert "what moves the answer" in out and "no plan on record names it" in out
    _, err = run("explain", "nobody\x1b[31m", "mora", "--data", data, code=2)
    assert "expected one of the campaign's 1,500 leads" in err and "\x1b" not in err
    _, err = run("explain", "L0003", "mora", "--data", data, "--number", "4", code=2)
    assert "--number 4: expected one of the lead's 1" in err


def test_a_broken_model_is_one_line_and_the_list_says_so(run: Run, data: Path) -> None:
    model = str(champion(data))
    path = data / "models" / "mora" / model / "answer.tables.json"
    path.write_bytes(path.read_bytes()[:-30])
    for words in (("evaluate", "mora"), ("explain", "L0001", "mora"), ("promote", model)):
        _, err = run(*words, "--data", data, code=2)
        assert model in err and err.count("\n") == 1
    out, _ = run("list", "mora", "--data", data, "--check", code=1)
    assert "goes by the tables alone" in out
    out, _ = run("train", "mora", "--data", data)  # without a champion to be judged against
    assert "goes by the tables alone" in out and "is the champion now" in out


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("train", "nobody"), "expected journals of nobody"),
        (("train", "../x"), "expected a campaign's name or its file"),
        (("train", "mora", "--share", "0.9"), "--share 0.9"),
        (("train", "mora", "--days", "nan"), "--days nan"),
        (("train", "mora", "--without", "salary"), "expected a column salary to leave out"),
        (("train", "mora", "--days", "0.0001"), "expected journals with attempts"),
        (("train", "mora", "--leads", "x.csv"), "expected --calls beside it"),
        (("promote", "m-20200101-000000-0000"), "expected a campaign with this model"),
        (("rollback", "nobody"), "nobody: expected a campaign with journals or models in"),
        (("list", "nobody"), "nobody: expected a campaign with journals or models in"),
        (("evaluate",), "expected a campaign, or a log of calls"),
        (("evaluate", "nobody"), "expected a champion"),
        (("evaluate", "mora", "--model", "m-1"), "expected a model of mora"),
        (("evaluate", "--label", "success"), "expected one table with --calls"),
        (("explain", "L1", "nobody"), "expected a champion"),
    ],
)
def test_what_cannot_be_done_is_told_in_one_line(run: Run, trained: Path, words: tuple[str, ...], told: str) -> None:
    before = sorted(trained.rglob("*"))
    _, err = run(*words, "--data", trained, code=2)
    assert told in err and err.count("\n") == 1
    assert sorted(trained.rglob("*")) == before


def test_attempts_that_teach_nothing_are_refused(run: Run, tmp_path: Path) -> None:
    leads = past_leads(20)
    write_past(tmp_path, leads, first_day=first_day(3), days=2, a_day=50, campaign="few")
    _, err = run("train", "few", "--data", tmp_path, code=2)
    assert "few: no model was trained: expected at least 500 attempts" in err
    write_past(tmp_path, leads, first_day=first_day(3), days=2, a_day=400, campaign="same", nobody=True)
    _, err = run("train", "same", "--data", tmp_path, code=2)
    assert "a single class teaches nothing" in err
    write_past(tmp_path, leads, first_day=NOW + 2 * DAY_S, days=1, campaign="late")
    _, err = run("train", "late", "--data", tmp_path, code=2)
    assert ".jsonl:1: expected a journal of the past" in err
    with pytest.raises(ConfigError, match="expected journals of none"):
        retrain_if_due(tmp_path, "none", NOW, 1.0)


def vicidial_log(path: Path, rows: int, at: float) -> Path:
    """A log whose people answer in the evening."""
    rng = np.random.default_rng(9)
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["lead_id", "call_date", "start_epoch", "length_in_sec", "status", "phone_number", "user"])
        for moment in at + np.sort(rng.uniform(0.0, 20 * DAY_S, rows)):
            hour = int(moment % DAY_S // 3600)
            answered = rng.random() < (0.6 if hour >= 17 else 0.08)
            date = datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%d %H:%M:%S")
            status, user = ("NI", "6666") if answered else ("NA", "VDAD")
            writer.writerow([int(rng.integers(1, 150)), date, int(moment), 40, status, "", user])
    return path


def test_a_users_own_log_is_evaluated_along_its_time(run: Run, tmp_path: Path) -> None:
    log = vicidial_log(tmp_path / "log.csv", 2500, first_day(25))
    found = json.loads(run("evaluate", "--calls", log, "--every", "500", "--json")[0])
    assert found["trainings"] == 3 and found["rows"] == 2500 and found["first_row"] == 1250
    assert found["recalibrated"]["rows"] == 1250
    assert any("vicidial_log has no times of set-up" in line for line in found["told"])
    _, err = run("evaluate", "--calls", log, "--first-row", "2499", code=2)
    assert "expected a first row" in err
    _, err = run("evaluate", "--calls", vicidial_log(tmp_path / "few.csv", 12, first_day(25)), code=2)
    assert "expected more than 100 attempts to learn from and to tell, found 12" in err
    _, err = run("evaluate", "--calls", log, "--zone", "Mars", code=2)
    assert "Mars: expected an IANA zone" in err
    _, err = run("evaluate", "--calls", tmp_path / "none.csv", code=2)
    assert "none.csv: cannot be read" in err


def test_any_table_of_calls_is_evaluated(run: Run, tmp_path: Path) -> None:
    rng = np.random.default_rng(4)
    table = tmp_path / "calls.csv"
    with table.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["hour", "product", "duration_s", "success"])
        for _ in range(1200):
            hour = int(rng.integers(9, 20))
            success = int(rng.random() < (0.5 if hour >= 17 else 0.1))
            writer.writerow([hour, rng.choice(["card", "loan"]), 100 * success, success])
    words = ("evaluate", "--calls", table, "--every", "400", "--first-row", "600")
    found: dict[str, Any] = json.loads(run(*words, "--label", "success", "--json")[0])
    assert found["label"] == "success" and "duration_s" not in found["columns"]
    assert found["recalibrated"]["auc"] > 0.6
    _, err = run(*words, "--label", "sale", code=2)
    assert "calls.csv:1" in err and err.count("\n") == 1
