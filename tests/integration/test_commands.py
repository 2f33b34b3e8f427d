"""The commands as people run them: in processes of their own, with signals, exit codes and files."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from dialer.adapters.audit import audit_log
from dialer.adapters.control import ask, running_campaigns
from dialer.adapters.control_messages import GetStatus, Status
from dialer.config.example import write_example
from dialer.core.status import CampaignStatus

AT = ("--sandbox", "--at", "2026-11-23T10:00:00-05:00")
AGENTS = 12
LEADS = 60
LIMIT_S = 60.0

pytestmark = pytest.mark.timeout(180)


class Site:
    """A folder with a campaign, and the programs that run in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.data = folder / "data"
        self.file = folder / "campaign.yaml"
        self.programs: list[subprocess.Popen[str]] = []

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        program = subprocess.Popen(
            [sys.executable, "-m", "dialer", *arguments],
            cwd=Path(__file__).parents[2],
            env={**os.environ, "CADENCIA_AMI_SECRET": "", "COLUMNS": "200"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.programs.append(program)
        return program

    def run(self, *arguments: str, code: int = 0) -> tuple[str, str]:
        """Run a command to its end; returns what it said on stdout and stderr."""
        out, err = self.start(*arguments).communicate(timeout=LIMIT_S)
        assert self.programs[-1].returncode == code, (arguments, out, err)
        return out, err

    def order(self, *arguments: str, code: int = 0) -> tuple[str, str]:
        return self.run(*arguments, "--data", str(self.data), code=code)

    def dial(self, *more: str) -> subprocess.Popen[str]:
        """Start the campaign and wait until it can be reached."""
        program = self.start("run", str(self.file), *AT, "--data", str(self.data), *more)
        self.until(lambda: program.poll() is not None or running_campaigns(self.data) != [])
        assert program.poll() is None, program.communicate()
        return program

    def status(self) -> CampaignStatus:
        answer = ask(self.data, "example", GetStatus())
        assert isinstance(answer, Status)
        return answer.status

    def until(self, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + LIMIT_S
        while not condition():
            assert time.monotonic() < deadline
            time.sleep(0.02)

    def exported(self) -> list[dict[str, str]]:
        """The attempts in the CSV files of all runs, in their order."""
        rows: list[dict[str, str]] = []
        for path in sorted(self.data.rglob("*.attempts.csv")):
            with path.open(encoding="utf-8-sig", newline="") as file:
                rows += csv.DictReader(file)
        return rows


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """The example campaign with more agents and leads, so that calls begin within a second or two."""
    site = Site(tmp_path / "site")
    write_example(site.folder)
    text = site.file.read_text()
    agents = "".join(f"  - {{id: agent{n}, endpoint: agent-{n}, name: 'Agent {n}'}}\n" for n in range(AGENTS))
    begin, end = text.index("  - {id: ana"), text.index("\n# What the agents' telephone keys")
    site.file.write_text(text[:begin] + agents + text[end:])
    rows = [f"1{n:07};Persona {n};C-{n};+51987{n:06};;100,00;12;tarjeta;Lima" for n in range(1, LEADS + 1)]
    header = (site.folder / "leads.csv").read_text().splitlines()[0]
    (site.folder / "leads.csv").write_text("\n".join([header, *rows]) + "\n")
    try:
        yield site
    finally:
        for program in site.programs:
            if program.poll() is None:
                program.terminate()
                try:
                    program.communicate(timeout=20)
                except subprocess.TimeoutExpired:
                    program.kill()
                    program.communicate()


def in_flight(status: CampaignStatus) -> int:
    return status.dialling + status.waiting + status.talking


def test_a_day_at_the_desk(site: Site) -> None:
    out, _ = site.order("check", str(site.file), *AT)
    assert f"{LEADS} of {LEADS} leads may be called now" in out and "would dial now" in out

    program = site.dial()
    assert site.order("pause", "example") == ("pause: ordered\n", "")
    out, _ = site.order("set", "example", "mode=progressive", "target_abandon_rate=0.02")
    assert out == "set: ordered\n  mode: predictive -> progressive\n  target_abandon_rate: 0.03 -> 0.02\n"
    _, err = site.order("set", "example", "target_abandon_rate=0.04", code=2)
    assert err.count("\n") == 1 and "expected less than or equal to 0.03, was 0.04" in err
    out, _ = site.order("status", "example")
    assert "nobody new is called: it is paused: dialer resume example" in out
    agents = json.loads(site.order("agents", "list", "example", "--json")[0])["agents"]
    assert [row["agent_id"] for row in agents] == [f"agent{n}" for n in range(AGENTS)]
    _, err = site.order("agents", "pause", "example", "agent99", code=2)
    assert "agent agent99: unknown" in err

    _, err = site.run("run", str(site.file), *AT, "--data", str(site.data), code=2)
    assert f":{program.pid}," in err and err.count("\n") == 1
    last = f"C-{LEADS}"  # whose turn has not come yet
    site.order("lead", "stop", last, "--reason", "paid")

    out, _ = site.order("resume", "example")
    site.until(lambda: in_flight(site.status()) > 0)
    assert "example" in site.order("status")[0]

    program.send_signal(signal.SIGINT)
    site.until(lambda: site.status().draining)
    assert program.poll() is None and in_flight(site.status()) > 0  # its calls go on
    program.send_signal(signal.SIGINT)
    out, err = program.communicate(timeout=LIMIT_S)
    assert (program.returncode, err) == (0, "")

    rows = site.exported()
    assert f"{len(rows)} attempts in " in out and rows
    assert last not in {row["lead_id"] for row in rows}
    assert all(row["disposition"] and row["ended_at"] for row in rows if row["originated_at"])
    assert [(entry.what, entry.accepted) for entry in audit_log(site.data).read()] == [
        ("pause", True), ("set", True), ("set", False), ("agents pause", False),
        ("lead stop", True), ("resume", True),
    ]  # fmt: skip

    _, err = site.order("pause", "example", code=1)
    assert err == f"campaign example is not running; none is in {site.data}\n"
    out, _ = site.order("check", str(site.file), *AT, "--json", code=0)
    stopped = [lead for lead in json.loads(out)["queue"]["leads"] if lead["why"] == "stopped"]
    assert (last, "paid") in [(lead["lead_id"], lead["rule"]) for lead in stopped]


def test_a_killed_program_is_followed_at_once_and_sigterm_ends_within_its_limit(site: Site) -> None:
    first = site.dial()
    site.until(lambda: site.status().attempts > 0)
    first.kill()
    first.communicate()
    assert running_campaigns(site.data) == []

    second = site.dial("--drain-limit", "1s")
    began = time.monotonic()
    site.until(lambda: in_flight(site.status()) > 0)
    assert time.monotonic() - began < 29  # a lease lapses after 30 s
    second.send_signal(signal.SIGTERM)
    _, err = second.communicate(timeout=LIMIT_S)
    assert (second.returncode, err) == (0, "")
    rows = site.exported()
    assert all(row["disposition"] for row in rows)


def test_ctrl_c_with_no_call_ends_at_once(site: Site) -> None:
    site.file.write_text(site.file.read_text().replace('"19:30"', '"09:00"'))  # closed at ten
    program = site.dial()
    program.send_signal(signal.SIGINT)
    out, err = program.communicate(timeout=LIMIT_S)
    assert (program.returncode, err) == (0, "") and "0 attempts in " in out


def test_the_emergency_stop_and_its_end(site: Site) -> None:
    program = site.dial()
    site.until(lambda: site.status().attempts > 0)
    out, _ = site.order("stop", "--all", "--now")
    assert out.startswith("example: stop --all --now: ordered\n")
    program.communicate(timeout=LIMIT_S)
    assert program.returncode == 0
    out, _ = site.order("check", str(site.file), *AT, "--rows", "0", code=1)
    assert "every call is forbidden (emergency)" in out
    assert site.order("resume", "--all")[0] == "the emergency stop is lifted\n"
    assert site.order("resume", "--all")[0] == "no emergency stop was set\n"


def test_a_broken_file_is_one_line_a_fault(site: Site) -> None:
    text = site.file.read_text().replace("mode: predictive ", "mode: turbo ").replace("scope:", "skope:")
    site.file.write_text(text)
    for command in (("check", str(site.file)), ("run", str(site.file), *AT)):
        out, err = site.order(*command, code=2)
        lines = err.splitlines()
        assert out == "" and len(lines) == 2
        assert all(line.startswith(f"{site.file}:") for line in lines)
    assert not site.data.exists()


def test_exit_codes_and_help(site: Site) -> None:
    out, _ = site.run("--help")
    assert "Exit codes: 0 done" in out
    out, _ = site.run("init", str(site.folder / "new"))
    assert out.splitlines() == [str(site.folder / "new" / name) for name in ("campaign.yaml", "leads.csv")]
    _, err = site.run("init", str(site.folder), code=2)
    assert err.count("is there already") == 2
    site.run("nosuch", code=2)
    site.order("stop", code=2)
    site.order("stop", "example", "--all", code=2)
    assert site.order("status")[0] == f"no campaign is running in {site.data}\n"
    site.order("status", "example", code=1)
    _, err = site.order("stop", "--all", "--now", code=1)  # a new store would stop nothing
    assert "no store here" in err + site.order("resume", "--all", code=2)[1] and not site.data.exists()
    _, err = site.run("run", str(site.file), *AT, "--drain-limit", "soon", code=2)
    assert err.startswith("--drain-limit soon: expected a duration") and err.count("\n") == 1
