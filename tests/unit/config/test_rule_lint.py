"""The linter finds nothing in our packs, and each fault that is put into a copy of them."""

from __future__ import annotations

import shutil
from datetime import timedelta
from importlib import resources
from pathlib import Path

import pytest

from dialer.config import rule_pack_schema
from dialer.config.rule_lint import lint_files, lint_folder, lint_packs
from dialer.config.rule_packs import RULES, edition, own_profiles
from dialer.errors import ConfigError

TODAY = edition().as_of + timedelta(days=1)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of our packs to break."""
    with resources.as_file(resources.files("compliance") / "rules") as ours:
        return Path(shutil.copytree(ours, tmp_path / "rules"))


def failing(found):
    return [finding for finding in found if finding.failing]


def line_of(path: Path, text: str) -> int:
    return next(number for number, line in enumerate(path.read_text().splitlines(), start=1) if text in line)


def test_our_packs_have_no_fault() -> None:
    assert failing(lint_packs(TODAY)) == []


def test_unverified_hours_wider_than_the_policys_are_noted() -> None:
    noted = {finding.text.split(":")[0] for finding in lint_packs(TODAY)}
    assert {"br-tmk", "ie-cpc", "in-tmk"} <= noted
    assert "us-wv-debt" not in noted  # verified


def test_the_same_day_gives_the_same_findings(folder: Path) -> None:
    assert lint_packs(TODAY) == lint_packs(TODAY) == lint_folder(folder, TODAY)


FAULTS = [
    ("PE.yaml", "sources: [pe-29571]", "sources: [pe-29517]", "did you mean pe-29571"),
    ("PE.yaml", "confidence: V1", "confidence: POLICY", "expected POLICY in the policy and nowhere else"),
    ("PE.yaml", "sources: [pe-29571]", "sources: []", "expected where it was read, found nothing"),
    ("PE.yaml", "cite: Ley 29571, art. 62.b", "cite: ' '", "expected where it is written, found nothing"),
    ("PE.yaml", "cite: Ley 29571, art. 62.b", "title: x", "unknown key"),
    ("PE.yaml", "id: pe-tmk", "id: pe-debt", "'pe-debt' stands twice"),
    ("PE.yaml", "id: pe-tmk", "id: co-2300", "'co-2300' stands twice"),
    ("PE.yaml", "jurisdiction: PE", "jurisdiction: EC", "expected PE, as the file is called, was EC"),
    ("PE.yaml", "scope: [debt_collection]", "scope: [telemarketing]", "expected a profile for debt_collection"),
    ("PE.yaml", "zones: [America/Lima]", "zones: [America/Limbo]", "expected a time zone"),
    ("PE.yaml", '"20:00"', '"06:00"', "expected a begin before its end"),
    ("PE.yaml", '[["07:00", "20:00"]]', '[["07:00", "20:00"], ["19:00", "21:00"]]', "do not overlap"),
    (
        "PE.yaml",
        'allow: [["07:00", "20:00"]]}',
        'allow: [["07:00", "20:00"]], confidence: U}\n      - {days: [sun], allow: [["07:00", "20:00"]]}',
        "expected hours of V1 or V2 all",
    ),
    ("PE.yaml", "calendar: PE", "calendar: PX", "expected a calendar"),
    ("PE.yaml", "calendar: PE", 'calendar: "*"', "expected a calendar"),
    ("CA.yaml", "custom:CA-QC-OPC", "custom:CA-QC-OPQ", "expected a calendar"),
    ("CA.yaml", "jurisdiction: CA-QC", "jurisdiction: CA-QX", "expected a country or a subdivision of it"),
    ("CA.yaml", "jurisdiction: CA-QC", "jurisdiction: US-NY", "expected CA or a part of it"),
    ("CA.yaml", "max_rate: null", "max_rate: 0.05", "expected at most the policy's 0.03 unverified"),
    ("CA.yaml", "connect_deadline_s: 2", "connect_deadline_s: 4", "expected at most the policy's 2 s unverified"),
    ("US.yaml", "exclude: [BUSY,", "exclude: [BUSSY,", "did you mean BUSY"),
    ("US.yaml", "period: {kind: rolling_hours, n: 24}", "period: {kind: rolling_hours, n: 999}", "n"),
    ("US.yaml", "key: [person, account]", "key: [person, campaign]", "expected no campaign"),
    ("US.yaml", "key: [person, account]", "key: [subject]", "expected person, debt, account or number"),
    ("US.yaml", "id: us-wv-30-calls-a-week", "id: us-7in7", "'us-7in7' stands twice"),
    ("US.yaml", "after: conversation", "unless_agent_held: true\n        after: conversation", "abandoned call only"),
    ("US.yaml", "channels: [voice, letter, sms, email]", "channels: [voice, voice]", "each channel once"),
    ("GB.yaml", "abandoned_call: required", "abandoned_call: required\n      cite: ''", "at least 1 character"),
    ("BR.yaml", "first: 2022-06-01,", "first: 2022-06-01, last: 2026-05-31,", "ends nothing"),
    ("FR.yaml", "      note: Bloctel ended with the opt-in of 2026-08-11.\n", "", "expected a note on what came after"),
    ("CO.yaml", "{first: 2023-10-10}", "{first: 2023-10-10, last: 2024-01-01}", "expected a note on what came after"),
    ("policy.yaml", "confidence: POLICY", "confidence: V2", "expected POLICY in the policy"),
    ("sources.yaml", "url: https://epdoc2.elperuano.pe/", "url: ftp://x/", "expected an address of the web"),
    ("sources.yaml", "url: https://epdoc2.elperuano.pe/", "link: x", "unknown key"),
    ("sources.yaml", "  url: null\n  read: general knowledge, not verified", "  url: null", "found neither"),
    ("calendars.yaml", "base: [AU]", "base: [AX-1]", "expected a calendar of the library"),
    ("calendars.yaml", "sources: [us-states26, recall]", "sources: [nobody]", "was 'nobody'"),
    ("calendars.yaml", "FR-GF: GF", "FR-GF: QQ", "expected a calendar of the library"),
    ("calendars.yaml", "month: 1, day: 8", "month: 1, day: 38", "day"),
]


@pytest.mark.parametrize(("name", "old", "new", "message"), FAULTS, ids=lambda value: str(value)[:30])
def test_a_fault_is_found_where_it_stands(folder: Path, name: str, old: str, new: str, message: str) -> None:
    path = folder / name
    for other in folder.glob("[A-Z][A-Z].yaml"):  # few packs are read sooner
        if other.name not in (name, "CO.yaml"):
            other.unlink()
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    found = failing(lint_folder(folder, TODAY))
    assert any(message in finding.text for finding in found), found
    assert {finding.path for finding in found} <= {str(RULES / each.name) for each in folder.iterdir()}


def test_a_finding_has_its_line(folder: Path) -> None:
    path = folder / "CO.yaml"
    path.write_text(path.read_text().replace("calendar: CO", "calendar: XX"), encoding="utf-8")
    (found,) = failing(lint_folder(folder, TODAY))
    assert (found.path, found.line) == (str(RULES / "CO.yaml"), line_of(path, "calendar: XX"))
    assert str(found).startswith(f"{RULES}/CO.yaml:{found.line}: error: co-2300: expected a calendar")


def test_an_unverified_ring_below_the_policys_is_loose(folder: Path) -> None:
    path = folder / "DE.yaml"
    broken = path.read_text().replace("min_s: 15", "min_s: 9\n      confidence: U\n      sources: [recall]")
    path.write_text(broken, encoding="utf-8")
    (found,) = failing(lint_folder(folder, TODAY))
    assert "expected at least the policy's 15 s unverified, was 9" in found.text


def test_an_unverified_last_day_of_a_registry_is_loose(folder: Path) -> None:
    path = folder / "FR.yaml"
    path.write_text(path.read_text().replace("      until:", "      confidence: R\n      until:"), encoding="utf-8")
    (found,) = failing(lint_folder(folder, TODAY))
    assert "a last day that nobody verified ends nothing" in found.text


def test_one_place_cannot_require_and_forbid_the_message(folder: Path) -> None:
    path = folder / "GB.yaml"
    path.write_text(
        path.read_text().replace(
            "  - id: uk-conc-debt\n", "  - id: uk-conc-debt\n    message: {abandoned_call: forbidden}\n"
        ),
        encoding="utf-8",
    )
    (found,) = failing(lint_folder(folder, TODAY))
    assert found.text == "uk-ofcom requires the recorded message that uk-conc-debt forbids"


@pytest.mark.parametrize(("days", "level"), [(0, None), (366, None), (367, "warning"), (-1, "error")])
def test_packs_grow_old(days: int, level: str | None) -> None:
    found = failing(lint_packs(edition().as_of + timedelta(days=days)))
    of_age = [finding for finding in found if finding.path.endswith("pack.yaml")]
    assert [finding.level for finding in of_age] == ([level] if level else [])


def test_what_ends_after_the_packs_were_looked_at_is_warned_of(folder: Path) -> None:
    path = folder / "CO.yaml"
    last = edition().as_of + timedelta(days=10)
    path.write_text(path.read_text().replace("{first: 2023-10-10}", f"{{first: 2023-10-10, last: {last}}}"))
    assert failing(lint_folder(folder, last)) == []
    (found,) = failing(lint_folder(folder, last + timedelta(days=1)))
    assert (found.level, f"ended on {last}" in found.text) == ("warning", True)


def test_a_file_that_is_no_yaml_is_one_finding_and_the_rest_is_read(folder: Path) -> None:
    (folder / "AR.yaml").write_text("jurisdiction: [\n", encoding="utf-8")
    (folder / "PE.yaml").write_text((folder / "PE.yaml").read_text().replace("calendar: PE", "calendar: PX"))
    assert {finding.path for finding in failing(lint_folder(folder, TODAY))} >= {
        str(RULES / "PE.yaml"),
        next(str(finding.path) for finding in lint_folder(folder, TODAY) if "AR.yaml" in finding.path),
    }


def test_an_edition_that_cannot_be_read_is_refused(folder: Path) -> None:
    (folder / "pack.yaml").write_text("version: yesterday\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"pack.yaml:1: "):
        lint_folder(folder, TODAY)


# ---- packs of one's own --------------------------------------------------------------------------------------
OWN = """\
jurisdiction: PE
sources:
  mine: {read: our lawyers' letter of 2026}
profiles:
  - id: house-pe
    scope: [debt_collection]
    windows:
      - {days: [mon], allow: [["10:00", "12:00"]]}
    cite: our lawyers
    sources: [mine]
    confidence: V2
"""


CAP = "{id: policy-2-a-day, count: attempt, max: 1, period: {kind: calendar_day}, key: [person]}"


def own(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "own.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_an_own_pack_without_faults(tmp_path: Path) -> None:
    assert lint_files([own(tmp_path, OWN)], TODAY) == []
    house = OWN.replace("    sources: [mine]\n    confidence: V2", "    confidence: POLICY")
    assert lint_files([own(tmp_path, house)], TODAY) == []


@pytest.mark.parametrize(
    ("old", "new", "line", "message"),
    [
        ("sources: [mine]", "sources: [yours]", 10, "expected a source of sources.yaml, was 'yours'"),
        ("id: house-pe", "id: pe-debt", 5, "is the id of a profile of ours"),
        ("confidence: V2", f"confidence: V2\n    caps: [{CAP}]", 5, "'policy-2-a-day' stands twice (first: ours)"),
        ("read: our lawyers' letter of 2026", "url: 'javascript:x'", 3, "expected an address of the web"),
        ("jurisdiction: PE", "jurisdiction: UY", 1, "own.yaml"),
        ("confidence: V2", "confidence: R\n    in_force: {last: 2026-01-01, note: x}", 12, "ends nothing"),
        ("confidence: V2", "confidence: V8", 11, "was 'V8'"),
    ],
)  # fmt: skip
def test_a_fault_of_an_own_pack(tmp_path: Path, old: str, new: str, line: int, message: str) -> None:
    path = own(tmp_path, OWN.replace(old, new))
    if "UY" in new:  # no pack of ours, and no hours for all of it
        path = own(tmp_path, OWN.replace(old, new).replace("house-pe", "uy\n    jurisdiction: UY-MO"))
        assert failing(lint_files([path], TODAY))
        return
    found = failing(lint_files([path], TODAY))
    assert any(f.line == line and message in f.text and f.path == str(path) for f in found), found


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("confidence: V2", "confidence: V8", 11),
        ("id: house-pe", "id: House", 5),
        ('["10:00", "12:00"]', '["12:00", "10:00"]', 8),
        ("cite: our lawyers", "cite: our lawyers\n    title: x", 10),
        ("scope: [debt_collection]", "scope: []", 6),
        ("confidence: V2", "confidence: V2\n    override_reason: x", 5),
    ],
)
def test_one_fault_is_one_line(tmp_path: Path, old: str, new: str, line: int) -> None:
    path = own(tmp_path, OWN.replace(old, new))
    assert [(found.line, found.path) for found in lint_files([path], TODAY)] == [(line, str(path))]
    with pytest.raises(ConfigError) as caught:
        own_profiles([path], "debt_collection")
    assert len(caught.value.faults) == 1


def test_an_own_pack_that_is_not_there(tmp_path: Path) -> None:
    (found,) = lint_files([tmp_path / "none.yaml"], TODAY)
    assert found.failing and "none.yaml" in found.path


def test_a_replacing_profile_may_keep_the_ids_of_what_it_replaces(tmp_path: Path) -> None:
    text = OWN.replace("jurisdiction: PE", "jurisdiction: EC").replace("house-pe", "ec-debt")
    text += "    replaces: [ec-debt]\n    override_reason: counsel's opinion\n"
    text += "    caps: [{id: ec-1-a-day, count: attempt, max: 1, period: {kind: calendar_day}, key: [person]}]\n"
    path = own(tmp_path, text)
    (found,) = lint_files([path], TODAY)
    assert (found.level, found.line, found.path) == ("note", 12, str(path))
    assert found.text == "ec-debt: puts ec-debt aside: counsel's opinion"


@pytest.mark.parametrize("dates", ["{first: 2027-01-01}", "{last: 2027-01-01}"])
def test_what_replaces_holds_on_every_date(tmp_path: Path, dates: str) -> None:
    text = OWN + "    replaces: [pe-debt]\n    override_reason: counsel's opinion\n"
    path = own(tmp_path, text + f"    in_force: {dates}\n")
    (found,) = failing(lint_files([path], TODAY))
    assert (found.level, found.line) == ("error", 14)
    assert "pe-debt would be put aside on every date" in found.text and "leave its dates out" in found.text
    with pytest.raises(ConfigError, match=r"own.yaml:14: .*pe-debt would be put aside"):
        own_profiles([path], "debt_collection")
    assert not failing(lint_files([own(tmp_path, OWN + f"    in_force: {dates}\n")], TODAY))  # beside ours


# ---- the schema ----------------------------------------------------------------------------------------------
def test_the_published_schema_is_current() -> None:
    """`.venv/bin/python -m dialer.config.rule_pack_schema` writes it."""
    assert rule_pack_schema.main(["--check"]) == 0


def test_the_schema_names_every_key_of_a_profile() -> None:
    definitions = rule_pack_schema.rule_pack_schema()["$defs"]
    assert {"replaces", "override_reason", "windows", "duties"} <= definitions["OwnPackProfile"]["properties"].keys()
    assert all(not node.get("additionalProperties", False) for node in definitions.values())
