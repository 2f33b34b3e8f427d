"""`dialer sim ...` as people run it: in processes of its own, into pipes and files, and interrupted."""

from __future__ import annotations

import csv
import json
import os
import pty
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
SMALL = ("--set", "agents=5", "--set", "leads=150", "--set", "duration=10m")
LIMIT_S = 120.0
ISSUE_KEYS = {
    "occupancy", "abandon_rate", "abandon_rate_ci95", "attempts", "live_answers", "connects", "abandoned",
    "right_party_contacts", "promises", "mean_idle_s", "attempts_per_hour", "attempts_per_agent_hour",
    "rpc_per_agent_hour", "cost_per_rpc", "compliance_blocks", "per_hour", "policy", "seed", "scenario_hash", "version",
}  # fmt: skip

pytestmark = pytest.mark.timeout(300)


def start(*words: str, **options: Any) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "dialer", "sim", *words],
        cwd=ROOT,
        env={**os.environ, "COLUMNS": "160"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
        **{"stderr": subprocess.PIPE, **options},
    )


def sim(*words: str, code: int = 0) -> tuple[str, str]:
    program = start(*words)
    out, err = program.communicate(timeout=LIMIT_S)
    assert program.returncode == code, (words, out, err)
    return out, err


def test_a_run_tells_all_to_a_script_and_nothing_besides() -> None:
    out, err = sim("run", "collections_demo", *SMALL, "--json", "-")
    result = json.loads(out)
    assert result.keys() >= ISSUE_KEYS | {"seeds", "methods", "estimates", "replications"}
    assert all(isinstance(series, list) for series in result["per_hour"].values())
    assert err == ""


def test_the_results_are_the_same_under_any_jobs(tmp_path: Path) -> None:
    words = ("run", "collections_demo", *SMALL, "--reps", "3", "--seed", "2")
    results, days = [], []
    for jobs in ("1", "2"):
        file, folder = tmp_path / f"{jobs}.json", tmp_path / f"jobs{jobs}"
        sim(*words, "--jobs", jobs, "--json", str(file), "--journal", str(folder))
        results.append(file.read_bytes())
        days.append({path.relative_to(folder): path.read_bytes() for path in sorted(folder.rglob("*.jsonl"))})
    assert results[0] == results[1]
    assert days[0] == days[1] and len(days[0]) == 3


def test_a_day_is_kept_replayed_checked_and_decided_otherwise(tmp_path: Path) -> None:
    page, other_page = tmp_path / "day.html", tmp_path / "both.html"
    _, err = sim("run", "collections_demo", *SMALL, "--journal", str(tmp_path), "--html", str(page))
    journal = err.removeprefix("journal: ").strip()
    assert "all equal" in sim("replay", journal)[0]
    assert json.loads(sim("replay", journal, "--json")[0])["difference"] is None
    changed = tmp_path / "changed.jsonl"
    head, steps = Path(journal).read_text().split("\n", 1)
    other_head = json.dumps({**json.loads(head), "version": "0.0.1"})
    changed.write_text(f"{other_head}\n" + steps.replace('"ring_timeout_s":22.0', '"ring_timeout_s":21.0'))
    out, _ = sim("replay", str(changed), code=1)
    assert "written by version 0.0.1" in out and "differs" in out and "recorded:" in out
    out, _ = sim("replay", journal, "--policy", "progressive-v1", "--html", str(other_page))
    assert "as it was (priced-v1)" in out and "difference" in out
    for file in (page, other_page):
        assert file.read_text().lower().startswith("<!doctype html>")
    _, err = sim("run", "collections_demo", *SMALL, "--journal", str(tmp_path), code=2)
    assert "is there already" in err


def test_policies_and_settings_are_compared(tmp_path: Path) -> None:
    out, _ = sim("compare", "collections_demo", *SMALL, "--policies", "progressive-v1,priced-v1", "--reps", "2")
    assert "difference from progressive-v1" in out and "common random numbers" in out
    lines, study = tmp_path / "lines.csv", tmp_path / "study.json"
    sim(
        "sweep", "collections_demo", *SMALL, "--set", "pacing.target_abandon_rate=0.01:0.05:0.02", "--fast",
        "--reps", "2", "--csv", str(lines), "--json", str(study),
    )  # fmt: skip
    with lines.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["pacing.target_abandon_rate"] for row in rows] == ["0.01", "0.03", "0.05"]
    found = json.loads(study.read_text())
    assert found["simulator"] == "fast" and "simulation alone" in found["cautions"][0]


def test_an_interrupt_leaves_what_was_finished(tmp_path: Path) -> None:
    """A terminal of its own: the progress bar shows, Ctrl-C goes to the program and its workers alike."""
    master, slave = pty.openpty()
    file, folder = tmp_path / "partial.json", tmp_path / "days"
    program = start(
        "run", "collections_demo", *SMALL[:-2], "--reps", "2000", "--jobs", "2", "--set", "duration=20m",
        "--json", str(file), "--journal", str(folder), stderr=slave, start_new_session=True,
    )  # fmt: skip
    os.close(slave)
    try:
        shown = ""
        while not any(f"{count}/2000" in shown for count in range(1, 2000)):
            shown += os.read(master, 4096).decode(errors="replace")
        os.killpg(program.pid, signal.SIGINT)
        program.communicate(timeout=LIMIT_S)
        rest = _read_all(master)
    finally:
        program.kill()
        os.close(master)
    assert program.returncode == 130
    assert "interrupted: " in rest and "of 2000 simulated days finished" in rest and "Traceback" not in rest
    found = json.loads(file.read_text())
    assert found["interrupted"] and 1 <= found["days_finished"] == len(found["replications"]) < 2000
    assert len(list(folder.rglob("*.jsonl"))) == found["days_finished"]
    assert not [entry for entry in folder.iterdir() if entry.name.startswith(".")]


def _read_all(terminal: int) -> str:
    text = b""
    while True:
        try:
            part = os.read(terminal, 4096)
        except OSError:  # the other side is closed
            return text.decode(errors="replace")
        if not part:
            return text.decode(errors="replace")
        text += part


def test_a_log_is_fitted_and_the_fit_runs(tmp_path: Path) -> None:
    sim(
        "run",
        "collections_demo",
        "--set",
        "agents=8",
        "--set",
        "leads=500",
        "--set",
        "duration=30m",
        "--journal",
        str(tmp_path),
    )
    (journal,) = tmp_path.rglob("*.jsonl")
    fitted = tmp_path / "fitted.yaml"
    out, _ = sim("calibrate", str(journal), "--out", str(fitted))
    assert "how good" in out and "one simulated day of it beside the log" in out
    assert "cannot tell" in out
    sim("calibrate", str(journal), "--out", str(fitted), code=2)
    sim("run", str(fitted), "--set", "duration=5m")


def test_a_scenario_is_begun_listed_and_described(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    sim("init", str(file))
    assert sim("init", str(file), code=2)[1].strip().endswith("--force replaces it, or name another")
    sim("init", str(file), "--force")
    sim("run", str(file), *SMALL)
    assert "collections_demo" in sim("list")[0]
    assert json.loads(sim("schema")[0])["properties"]["campaign"]
