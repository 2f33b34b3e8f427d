"""The project as a stranger meets it: its package, its pages, its commands."""

import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from cyclopts import App

from dialer.cli.app import app
from sim.overrides import grid, override, parse_axes
from sim.scenario_file import load_scenario

ROOT = Path(__file__).parents[2]
PAGES = sorted((ROOT / "docs").glob("*.md"))
WRITERS = sorted(
    script
    for script in (ROOT / "docs").glob("*.py")
    if "--check" in script.read_text() and "__main__" in script.read_text()
)
PACKAGES = ("dialer", "pacing", "carriers", "compliance", "models", "sim", "benchmarks")
# Of `run`'s own; all else is `dialer`'s.
RUN_TASKS = {"test", "check"}


# ---- the package --------------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def wheel_names(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, timeout=60)
    (wheel,) = folder.glob("*.whl")
    return set(zipfile.ZipFile(wheel).namelist())


def test_the_wheel_has_every_file_that_the_program_reads(wheel_names: set[str]) -> None:
    suffixes = {".py", ".lua", ".yaml", ".csv", ".conf", ".xml", ".j2", ".css", ".js", ".LICENSE"}
    wanted = {
        path.relative_to(ROOT).as_posix()
        for package in PACKAGES
        for path in (ROOT / package).rglob("*")
        if path.suffix in suffixes
    }
    assert wanted <= wheel_names


@pytest.mark.parametrize(
    "name",
    [
        "dialer/adapters/store/scripts/reserve.lua",
        "compliance/rules/PE.yaml",
        "sim/scenarios/collections_demo.yaml",
        "sim/scenarios/template.yaml",
        "sim/report/templates/report.html.j2",
        "dialer/adapters/model_report/report.html.j2",
        "dialer/adapters/model_report/report.css",
        "sim/report/static/report.css",
        "sim/report/static/report.js",
        "sim/report/static/uPlot.iife.min.js",
        "sim/report/static/uPlot.LICENSE",
        "dialer/adapters/asterisk/conf/extensions_cadencia.conf",
        "dialer/lab/conf/asterisk.conf",
        "dialer/lab/scenarios/carrier.xml",
        "dialer/config/example_campaign.yaml",
        "dialer/config/example_leads.csv",
    ],
)
def test_the_wheel_has_one_of_each_kind(wheel_names: set[str], name: str) -> None:
    assert name in wheel_names


def test_the_wheel_has_nothing_else(wheel_names: set[str]) -> None:
    tops = {name.split("/")[0] for name in wheel_names if ".dist-info/" not in name}
    assert tops == set(PACKAGES)


# ---- the pages ----------------------------------------------------------------------------------------------
@pytest.mark.parametrize("page", [ROOT / "README.md", ROOT / "CHANGELOG.md", *PAGES], ids=lambda page: page.name)
def test_every_link_leads_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)|(?:src|srcset)=\"([^\"\s]+)\"", page.read_text(encoding="utf-8")):
        target = target[0] or target[1]
        if "://" in target:
            continue
        name, _, anchor = target.partition("#")
        linked = (page.parent / name).resolve() if name else page
        assert linked.exists(), f"{page.name}: {target}"
        assert not anchor or anchor in _anchors(linked), f"{page.name}: {target}"


def _anchors(page: Path) -> set[str]:
    titles = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("script", WRITERS, ids=lambda script: script.stem)
def test_what_a_script_writes_into_a_page_is_current(script: Path) -> None:
    done = subprocess.run([sys.executable, str(script), "--check"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


def test_there_are_writers_of_pages() -> None:
    assert {script.stem for script in WRITERS} == {"campaign_reference", "rules_table", "state_machines"}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_report_is_shown_in_the_readers_colours(scheme: str) -> None:
    name = f"docs/pictures/report-{scheme}.png"
    assert name in (ROOT / "README.md").read_text(encoding="utf-8")
    assert (ROOT / name).read_bytes().startswith(b"\x89PNG")
    assert (ROOT / name).stat().st_size < 500_000


def test_the_picture_loads_nothing_from_elsewhere() -> None:
    picture = (ROOT / "docs" / "pictures" / "demo.svg").read_text(encoding="utf-8")
    assert set(re.findall(r"https?://[^\"\s)]+", picture)) == {"http://www.w3.org/2000/svg"}
    assert len(picture) < 200_000


# ---- the commands -------------------------------------------------------------------------------------------
def commands_in(page: Path) -> set[tuple[str, ...]]:
    """The words after `./run` or `dialer` on a page's command lines, up to the first that is no command's name."""
    found = set()
    text = page.read_text(encoding="utf-8")
    for words in re.findall(r"(?:(?:^|[\s`])\./run|(?:^|`)dialer) ([a-z].*)", text, re.MULTILINE):
        found.add(tuple(re.match(r"[a-z]+(?: [a-z-]+)?", words)[0].split()))  # type: ignore[index]
    return found


@pytest.mark.parametrize("page", [ROOT / "README.md", *PAGES], ids=lambda page: page.name)
def test_every_command_on_a_page_exists(page: Path) -> None:
    for words in commands_in(page):
        if words[0] in RUN_TASKS:
            continue
        assert words[0] in app, f"{page.name}: {' '.join(words)}"
        group = app[words[0]]
        if isinstance(group, App) and group.default_command is None:
            assert words[1:] and words[1] in group, f"{page.name}: {' '.join(words)}"


@pytest.mark.parametrize("page", [ROOT / "README.md", *PAGES], ids=lambda page: page.name)
def test_every_option_of_a_command_on_a_page_exists(page: Path) -> None:
    """A line in a block of code is one command, and its last words, after a `#`, are for people."""
    for line in re.findall(r"^(?:\./run|dialer) ([a-z].*)$", page.read_text(encoding="utf-8"), re.MULTILINE):
        words = line.split(" #")[0].split()
        if words[0] in RUN_TASKS and words[0] not in app:
            continue
        command = app[words[0]]
        if isinstance(command, App) and command.default_command is None:
            command = command[words[1]]
        known = {name for argument in command.assemble_argument_collection() for name in argument.names}
        options = {word for word in words if word.startswith("--")}
        assert options <= known | {"--help"}, f"{page.name}: {line}"


def test_the_readme_names_every_command() -> None:
    named = {words[0] for words in commands_in(ROOT / "README.md")}
    assert named >= {"demo", "test", "sim", "init", "run", "lead", "lab", "bench", "check"}


def test_the_readme_names_every_command_of_the_simulator() -> None:
    named = {words[1] for words in commands_in(ROOT / "README.md") if words[0] == "sim"}
    assert named == {name for name in app["sim"] if not name.startswith("-")}


@pytest.mark.parametrize("page", [ROOT / "README.md", *PAGES], ids=lambda page: page.name)
def test_every_setting_on_a_page_is_one_of_a_scenario(page: Path) -> None:
    scenario = load_scenario("collections_demo")
    for quoted, plain in re.findall(r"""--set (?:"([^"]+)"|([a-z][^\s`"]*))""", page.read_text(encoding="utf-8")):
        for settings in grid(parse_axes([quoted or plain])):
            override(scenario, settings)


@pytest.mark.parametrize("page", [ROOT / "README.md", *PAGES], ids=lambda page: page.name)
def test_every_file_of_ours_that_a_page_names_is_there(page: Path) -> None:
    folders = "|".join((*PACKAGES, "docs", "tests"))
    for name in re.findall(rf"`((?:{folders})/[\w./-]*)`", page.read_text(encoding="utf-8")):
        assert name.startswith("benchmarks/results/") or (ROOT / name).exists(), f"{page.name}: {name}"


@pytest.mark.parametrize("words", [(), ("run",), ("lead", "stop"), ("sim", "run"), ("bench",)], ids=" ".join)
def test_help_stays_quick(words: tuple[str, ...]) -> None:
    code = (
        "import sys\n"
        "from dialer.cli.app import main\n"
        "try: main(sys.argv[1:])\n"
        "except SystemExit as end: assert end.code == 0\n"
        "slow = {'numpy', 'numba', 'scipy', 'redis', 'xgboost', 'pydantic', 'phonenumbers'} & set(sys.modules)\n"
        "assert not slow, slow\n"
    )
    command = [sys.executable, "-c", code, *words, "--help"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=30)
    assert done.returncode == 0, done.stderr
    assert "Usage: dialer" in done.stdout
