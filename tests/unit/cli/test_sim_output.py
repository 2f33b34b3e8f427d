"""Results are whole files or none; tables and texts are safe to print."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from msgspec.structs import replace

from dialer.adapters.call_logs import CallLog
from dialer.cli.app import main
from dialer.cli.safe_text import make_console
from dialer.cli.sim.calibration_view import calibration_view
from dialer.cli.sim.output import STDOUT, check_targets, json_target, tell_interrupted, write_whole
from dialer.cli.sim.tables import comparison_view, sweep_view
from dialer.errors import ConfigError
from dialer.studies.comparison import Difference, Study, Variant
from dialer.studies.estimates import differences_of, estimates_of
from sim.calibration import Calibration
from sim.fit import Fit
from sim.scenario_file import load_scenario


def test_a_file_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    target = tmp_path / "out.json"
    write_whole(target, "first\n")
    assert target.read_text() == "first\n"
    assert stat.S_IMODE(target.stat().st_mode) & 0o077 == 0o044  # as the umask says, not a temporary file's own mode
    with pytest.raises(UnicodeEncodeError):
        write_whole(target, "second \ud800\n")
    assert target.read_text() == "first\n"
    assert list(tmp_path.iterdir()) == [target]


def test_a_file_that_is_to_be_kept_is_kept(tmp_path: Path) -> None:
    target = tmp_path / "mine.yaml"
    target.write_text("mine")
    with pytest.raises(ConfigError, match="--force replaces it"):
        write_whole(target, "theirs", keep=True)
    assert target.read_text() == "mine" and list(tmp_path.iterdir()) == [target]


def test_what_is_no_file_is_written_into_and_a_link_stays(tmp_path: Path) -> None:
    """As root, replacing `/dev/null` would take it from everybody."""
    device, link, real = tmp_path / "device", tmp_path / "link", tmp_path / "real"
    device.symlink_to("/dev/null")
    link.symlink_to(real)
    for target in (device, link):
        check_targets(target)
        write_whole(target, "text\n")
        assert target.is_symlink()
    assert Path("/dev/null").is_char_device() and real.read_text() == "text\n"
    assert sorted(tmp_path.iterdir()) == [device, link, real]


def test_targets_are_looked_at_before_the_work(tmp_path: Path) -> None:
    check_targets(None, STDOUT, tmp_path / "new.json")
    with pytest.raises(ConfigError, match="is a folder"):
        check_targets(tmp_path)
    with pytest.raises(ConfigError, match="found none at"):
        check_targets(tmp_path / "none" / "new.json")
    with pytest.raises(ConfigError, match="at the most"):
        check_targets(STDOUT, STDOUT)


def test_json_alone_is_standard_output_and_an_option_is_no_file() -> None:
    assert json_target(False) is None
    assert json_target(True) == json_target(Path("-")) == STDOUT
    assert json_target(Path("x.json")) == Path("x.json")
    with pytest.raises(ConfigError, match="after --json"):
        json_target(Path("--html"))


@pytest.mark.parametrize(
    ("finished", "seeds", "told"),
    [(0, None, "nothing to show"), (3, None, "of those"), (3, 0, "nothing to show"), (3, 1, "the 1 seed that all")],
)
def test_an_interrupt_says_how_far_it_came(
    capsys: pytest.CaptureFixture[str], finished: int, seeds: int | None, told: str
) -> None:
    assert tell_interrupted(finished, 8, seeds=seeds) == 130
    line = capsys.readouterr().err
    assert line.startswith(f"interrupted: {finished} of 8") and told in line


HOSTILE = "\x1b[31m[bold]x\u202e"


def hostile_study(kind: str) -> Study:
    rows = {name: ({"occupancy": 0.5 + 0.1 * place, "attempts": 10 * place},) for place, name in enumerate("ab")}
    rows = {name: (*mine, {"occupancy": 0.7, "attempts": 12}) for name, mine in rows.items()}
    variants = tuple(
        Variant(
            name=HOSTILE + name, policy="p", settings={f"path{HOSTILE}": HOSTILE}, scenario_hash="",
            estimates=estimates_of(mine), replications=mine,
        )
        for name, mine in rows.items()
    )  # fmt: skip
    differences = tuple(
        Difference(name=name, against=HOSTILE, figures=figures) for name, figures in differences_of(rows).items()
    )
    return Study(
        study=kind, scenario=HOSTILE, seeds=(1, 2), days_finished=4, days_wanted=4, interrupted=False,
        methods=(HOSTILE,), cautions=(HOSTILE,), variants=variants, differences=differences,
    )  # fmt: skip


def test_names_in_tables_neither_command_nor_style_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    console = make_console()
    console.print(comparison_view(hostile_study("compare")))
    console.print(sweep_view(hostile_study("sweep")))
    shown = capsys.readouterr().out
    assert "\x1b" not in shown and "\u202e" not in shown
    assert "[bold]x" in shown and "more than chance" in shown


def test_a_sweep_shows_what_the_window_has_room_for(capsys: pytest.CaptureFixture[str]) -> None:
    rows = [{"occupancy": 0.7, "abandon_rate": 0.02, "cost_per_rpc": 0.5 + n / 10, "currency": "USD"} for n in (1, 2)]
    variants = tuple(
        Variant(
            name="", policy="p", settings={"duration": "3h", "agents": agents}, scenario_hash="",
            estimates=estimates_of(rows), replications=tuple(rows),
        )
        for agents in (10, 20)
    )  # fmt: skip
    study = replace(hostile_study("sweep"), scenario="mine", variants=variants, differences=())
    console = make_console()
    console.print(sweep_view(study, width=160))
    wide = capsys.readouterr().out
    assert wide.startswith("mine, duration=3h: 2 days a line") and "cost per RPC, USD" in wide
    assert "no room" not in wide
    console.print(sweep_view(study, width=40))
    narrow = capsys.readouterr().out
    assert "no room for: cost per RPC, USD; in a wider window, --csv and --json" in narrow
    assert "70.00 ± 0.00 %" in narrow and "carriers' bills" not in narrow


def test_what_was_fitted_to_all_trunks_at_once_is_told_once(capsys: pytest.CaptureFixture[str]) -> None:
    fit = Fit(name="all trunks, failures", n=240, verdict="fair", rate=0.042)
    fitted = Calibration(
        scenario=load_scenario("collections_demo"), fits=(fit, fit), unknown=(), comments={}, calls=240, data={}
    )
    make_console().print(calibration_view("log.csv", CallLog(kind="journal"), fitted, ()))
    assert capsys.readouterr().out.count("all trunks, failures") == 1


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("run", "nothing_of_that_name"), "expected a scenario file or one of"),
        (("run", "collections_demo", "--policy", "priced-v9"), "expected a policy of"),
        (("run", "collections_demo", "--reps", "0"), "--reps 0"),
        (("run", "collections_demo", "--jobs", "0"), "--jobs 0"),
        (("run", "collections_demo", "--set", "agents"), "expected PATH=VALUE"),
        (("run", "collections_demo", "--json", "/nowhere/x.json"), "found none at /nowhere"),
        (("compare", "collections_demo", "--policies", "a,b"), "expected a policy of"),
        (("sweep", "collections_demo"), "expected what to sweep"),
        (("sweep", "collections_demo", "--set", "agents=5:1:1"), "FROM up to TO"),
        (("replay", "/nowhere/x.jsonl"), "expected a journal to read"),
        (("replay", "README.md", "--policy", "priced-v1"), "expected the first line of a journal"),
        (("calibrate", "README.md"), "README.md:1: expected a journal, an export of vicidial_log"),
        (("calibrate", "/nowhere/x.csv"), "cannot be read"),
        (("init", "/nowhere/x.yaml"), "found none at /nowhere"),
    ],
)
def test_what_needs_mending_is_one_line_and_code_2(
    words: tuple[str, ...], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        main(["sim", *words])
    out, err = capsys.readouterr()
    assert end.value.code == 2 and out == ""
    assert told in err and err.count("\n") == 1, err


@pytest.mark.skipif(not Path("/dev/full").is_char_device(), reason="no /dev/full here")
def test_a_full_disk_is_one_line() -> None:
    with Path("/dev/full").open("wb") as full:
        words = [sys.executable, "-m", "dialer", "sim", "schema"]
        ended = subprocess.run(words, stdout=full, stderr=subprocess.PIPE, text=True, timeout=60, check=False)
    assert ended.returncode == 1 and ended.stderr == "cannot write on: No space left on device\n"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="pipes of POSIX")
@pytest.mark.parametrize(
    "words",
    [
        ("sim", "schema"),
        ("compliance", "rules"),
        ("compliance", "rules", "PE", "--json"),
        ("--help",),
        ("sim", "--help"),
    ],
)
def test_a_pipe_that_nobody_reads_is_no_fault(words: tuple[str, ...]) -> None:
    ended = run_unread(words, "stdout")
    assert ended.returncode in (0, 1) and ended.stderr == b"", ended.stderr


@pytest.mark.skipif(not hasattr(os, "fork"), reason="pipes of POSIX")
@pytest.mark.parametrize("words", [("compliance", "explain"), ("sim", "run", "none.yaml"), ("nonsense",)])
def test_nor_is_one_for_what_went_wrong(words: tuple[str, ...]) -> None:
    ended = run_unread(words, "stderr")
    assert ended.returncode in (1, 2) and ended.stdout == b"", ended.stdout


def run_unread(words: tuple[str, ...], unread: str) -> subprocess.CompletedProcess[bytes]:
    reads, writes = os.pipe()
    os.close(reads)
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, unread: writes}
    try:
        return subprocess.run([sys.executable, "-m", "dialer", *words], timeout=60, check=False, **streams)  # type: ignore[call-overload,no-any-return]
    finally:
        os.close(writes)


def test_another_broken_pipe_is_a_fault_of_ours() -> None:
    told = (
        "from dialer.cli import app\ndef broken(_): raise BrokenPipeError(32, 'a link')\napp.app = broken; app.main()"
    )
    ended = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 1 and "a link" in ended.stderr


def test_an_old_terminal_shows_what_it_can() -> None:
    told = "from dialer.cli import app; app.app = lambda _: print('1 \\u00b1 0.1'); app.main()"
    ended = subprocess.run(
        [sys.executable, "-c", told], capture_output=True, text=True, timeout=60, check=True,
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
    )  # fmt: skip
    assert ended.stdout == "1 ? 0.1\n" and ended.stderr == ""


def test_a_broken_scenario_names_file_and_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    broken = tmp_path / "broken.yaml"
    broken.write_text("scenario: x\nstart: yesterday\n")
    target = tmp_path / "out.json"
    with pytest.raises(SystemExit) as end:
        main(["sim", "run", str(broken), "--json", str(target)])
    lines = capsys.readouterr().err.splitlines()
    assert end.value.code == 2 and not target.exists()
    assert any(line.startswith(f"{broken}:2: start: ") for line in lines)
    assert all(line.startswith(f"{broken}:") for line in lines)
