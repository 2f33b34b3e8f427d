import json
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dialer.config.campaign import Campaign
from dialer.config.campaign_file import list_paths, profiles_of_campaign, read_campaign, write_schema
from dialer.config.names import DISPOSITIONS
from dialer.core.disposition import Disposition
from dialer.errors import ConfigError

GOOD = """\
campaign: lima-1
jurisdictions: [PE]
lists: [leads.csv]
trunks:
  - {name: a}
caller_ids: ["+5117009000"]
agents:
  - {id: ana}
"""


@pytest.fixture
def check(tmp_path):
    """Return a function that reads a file's text and gives its faults as (line, key, message)."""
    (tmp_path / "leads.csv").write_text("telefono\n")

    def faults(text: str) -> list[tuple[int, str, str]]:
        path = tmp_path / "c.yaml"
        path.write_text(text, encoding="utf-8")
        try:
            read_campaign(path)
        except ConfigError as error:
            found = [re.fullmatch(re.escape(str(path)) + r":(\d+): (?:([\w.*#-]+): )?(.*)", f) for f in error.faults]
            assert all(found), error.faults
            return [(int(m[1]), m[2], m[3]) for m in found if m]
        return []

    return faults


def test_the_names_of_dispositions_are_the_cores():
    assert set(DISPOSITIONS) == {str(name) for name in Disposition}


def test_a_good_file_is_read(tmp_path, check):
    assert check(GOOD) == []
    campaign = read_campaign(tmp_path / "c.yaml")
    assert isinstance(campaign, Campaign)
    assert campaign.caller_ids == ("+5117009000",)
    assert list_paths(tmp_path / "c.yaml", campaign) == (tmp_path / "leads.csv",)


@pytest.mark.parametrize(
    ("added", "key", "says"),
    [
        ("ring_timeout: 20", "ring_timeout", "unknown key: did you mean ring_timeout_s?"),
        ("retry: {BUSY: {after: 2h, max: 3, nxt_number: true}}", "retry.BUSY.nxt_number", "did you mean next_number?"),
        ("retry: {BUSSY: {after: 2h, max: 3}}", "retry.BUSSY", "did you mean BUSY?"),
        ("retry: {BUSY: {after: 2x, max: 3}}", "retry.BUSY.after", "expected a duration such as 90s"),
        ("retry: {BUSY: {after: 2h}}", "retry.BUSY.max", "expected this key, found none"),
        ("mode: Predictive", "mode", "was 'Predictive': did you mean predictive?"),
        (
            "mode: manual",
            "mode",
            "manual does not run yet (no agent can ask for a call yet): expected one of progressive",
        ),
        ("mode: preview", "mode", "expected one of progressive, power, predictive"),
        ("mode: agentless", "mode", "agentless does not run yet (nothing but an agent can take a call yet)"),
        ("lines_per_idle_agent: 9", "lines_per_idle_agent", "less than or equal to 5"),
        ("target_abandon_rate: 0.07", "target_abandon_rate", "expected less than or equal to 0.03, was '0.07'"),
        ("ring_timeout_s: soon", "ring_timeout_s", "expected a valid number"),
        ("keys: {1: {disposition: RCP}}", "keys.1.disposition", "did you mean RPC?"),
        ("keys: {12: {ready: true}}", "keys.12", "expected one telephone key"),
        ("keys: {1: {}}", "keys.1", "expected exactly one of disposition, pause, ready"),
        ("closed_dates: [2026-02-30]", "closed_dates.0", "expected a date such as 2026-12-24, was '2026-02-30'"),
        ("closed_dates: [20261224]", "closed_dates.0", 'put it in quotes, "20261224"'),
        ("windows: [{days: [mon], allow: [[09:00, 8:00]]}]", "windows.0.allow", "such as \"09:00\", was '8:00'"),
        ("windows: [{days: [lun], allow: [[09:00, 10:00]]}]", "windows.0.days.0", "fri, sat, sun, was 'lun'"),
        (
            "caps: [{max: 1, period: {kind: calendar_day}, key: [person], exclude: [busy]}]",
            "caps.0.exclude.0",
            "did you mean BUSY?",
        ),
        ("caps: [{max: 1, period: {kind: calendar_day}, key: [client]}]", "caps.0.key.0", "expected one of person"),
        ("windows: 9-20", "windows", "expected a list ([a, b]), was '9-20'"),
    ],
)
def test_one_fault_is_told_with_its_line_and_mend(check, added, key, says):
    lines = GOOD + added + "\n"
    found = check(lines)
    assert [fault[:2] for fault in found] == [(lines.count("\n"), key)]
    assert says in found[0][2]


@pytest.mark.parametrize(
    ("old", "new", "line", "key", "says"),
    [
        ("[PE]", "[PE, XX]", 2, "jurisdictions.1", "no rules for 'XX': expected one of AR, AU"),
        ("[PE]", "[pe]", 2, "jurisdictions.0", "did you mean PE?"),
        ("[PE]", "[]", 2, "jurisdictions", "expected at least one entry"),
        ("leads.csv", "other.csv", 3, "lists.0", "expected a list file, found none at"),
        ('["+5117009000"]', "[+5117009000]", 6, "caller_ids.0", 'put it in quotes, "+5117009000"'),
        ('["+5117009000"]', '["7009000"]', 6, "caller_ids", "expected an E.164 number"),
        ('caller_ids: ["+5117009000"]\n', "", 1, "caller_ids", "expected this key"),
        ("lima-1", "a b", 1, "campaign", "expected a name of letters, digits"),
        ("- {id: ana}", "- {id: ana}\n  - {id: ana}", 7, "agents", "'ana' stands twice"),
        ("- {name: a}", "- {name: a, nam: b}", 5, "trunks.0.nam", "did you mean name?"),
    ],
)
def test_a_fault_in_what_a_file_must_have(check, old, new, line, key, says):
    found = check(GOOD.replace(old, new))
    assert [fault[:2] for fault in found] == [(line, key)]
    assert says in found[0][2]


def test_all_faults_come_at_once_in_the_order_of_their_lines(check):
    text = "mode: fast\n" + GOOD.replace("[PE]", "[XX]").replace("leads.csv", "no.csv") + "wrap_up: 3\n"
    found = check(text)
    assert [fault[:2] for fault in found] == [(1, "mode"), (3, "jurisdictions.0"), (4, "lists.0"), (10, "wrap_up")]


def test_a_fault_of_an_entry_is_told_once(check):
    # The list is also too short without its bad entry: that would be a second fault for one mend.
    assert [fault[1] for fault in check(GOOD.replace("{id: ana}", "{id: -}"))] == ["agents.0.id"]


# ---- what the law bounds ------------------------------------------------------------------------------------
PACK = """\
jurisdiction: {country}
profiles:
  - id: house
    scope: [debt_collection]
    cite: our lawyers, 2026-03
    confidence: POLICY
    windows:
      - {{days: [mon, tue, wed, thu, fri], allow: [["09:00", "17:00"]]}}
{more}"""


def test_a_campaign_without_a_subject_is_its_own(tmp_path, check):
    assert check(GOOD) == []
    campaign = read_campaign(tmp_path / "c.yaml")
    assert (campaign.subject, campaign.purpose, campaign.scope) == ("lima-1", "", "debt_collection")
    assert check(GOOD + "subject: cards overdue\npurpose: to collect\nscope: telemarketing\n") == []
    assert read_campaign(tmp_path / "c.yaml").subject == "cards overdue"


@pytest.mark.parametrize(
    ("added", "key", "says"),
    [
        ("scope: surveys", "scope", "expected one of debt_collection, telemarketing, was 'surveys'"),
        ("subject: a|b", "subject", ""),
        ("stale_lists: ignore", "stale_lists", "expected one of block, warn, was 'ignore'"),
        ('dnc_registries: ["a b"]', "dnc_registries.0", "expected a name of letters, digits"),
        ("rule_packs: [ours.yaml]", "rule_packs.0", "expected a rule pack, found none at"),
    ],
)
def test_a_fault_of_the_rules_has_its_line(check, added, key, says):
    found = check(GOOD + added + "\n")
    assert [fault[:2] for fault in found] == [(9, key)]
    assert says in found[0][2]


def test_a_scope_for_which_a_country_has_no_rules_is_a_fault_of_its_line(check):
    found = check(GOOD.replace("[PE]", "[PE, CL]") + "scope: telemarketing\n")
    assert found == [(2, "jurisdictions.1", "no rules for CL in the scope telemarketing")]


@pytest.mark.parametrize(
    ("changed", "line", "says"),
    [
        ("hang_up_after_ring: 15", 10, "expected at least 20 (house: our lawyers, 2026-03), was 15"),
        ("ring_timeout_s: 24", 9,
         "expected at least 25: 5 until it rings, 20 of ringing (house: our lawyers, 2026-03), was 24"),
    ],
)  # fmt: skip
def test_a_ring_shorter_than_the_longest_of_the_law_is_refused(tmp_path, check, changed, line, says):
    assert check(GOOD.replace("[PE]", "[PE, DE]") + "ring_timeout_s: 20\nhang_up_after_ring: 15\n") == []
    (tmp_path / "ours.yaml").write_text(PACK.format(country="PE", more="    ring: {min_s: 20}\n"))
    text = GOOD + "ring_timeout_s: 25\nhang_up_after_ring: off\nrule_packs: [ours.yaml]\n"
    assert check(text) == []
    key = changed.partition(":")[0]
    assert check(re.sub(rf"{key}: \w+", changed, text)) == [(line, key, says)]


@pytest.mark.parametrize("added", ["ring_timeout_s: 60", "ring_guard_s: 0", "ring_guard_s: 21.9"])
def test_no_call_may_ring_past_the_end_of_the_hours(check, added):
    ((line, key, says),) = check(GOOD + added + "\n")
    assert key == "ring_guard_s" and "or a call may ring past the end of the hours" in says and line > 0


def test_packs_of_ones_own_are_found_beside_the_file(tmp_path, check):
    (tmp_path / "ours.yaml").write_text(PACK.format(country="PE", more=""))
    assert check(GOOD + "rule_packs: [ours.yaml]\n") == []
    campaign = read_campaign(tmp_path / "c.yaml")
    assert campaign.rule_packs == (str(tmp_path / "ours.yaml"),)
    assert "house" in {profile.id for profile in profiles_of_campaign(campaign)}


def test_a_country_may_have_its_rules_from_a_pack_of_ones_own_alone(tmp_path, check):
    (tmp_path / "ours.yaml").write_text(PACK.format(country="JP", more=""))
    assert check(GOOD.replace("[PE]", "[PE, JP]") + "rule_packs: [ours.yaml]\n") == []
    found = check(GOOD.replace("[PE]", "[PE, XX]") + "rule_packs: [ours.yaml]\n")
    assert found == [(2, "jurisdictions.1", "no rules for XX in the scope debt_collection")]


def test_a_fault_in_a_pack_names_the_packs_own_line(tmp_path):
    (tmp_path / "leads.csv").write_text("telefono\n")
    (tmp_path / "ours.yaml").write_text(PACK.format(country="PE", more="    rings: 20\n"))
    path = tmp_path / "c.yaml"
    path.write_text(GOOD + "rule_packs: [ours.yaml]\n")
    with pytest.raises(ConfigError) as caught:
        read_campaign(path)
    assert any(fault.startswith(f"{tmp_path / 'ours.yaml'}:9: ") for fault in caught.value.faults)


def test_the_schema_knows_every_key(tmp_path):
    path = tmp_path / "campaign.schema.json"
    write_schema(path)
    schema = json.loads(path.read_text(encoding="utf-8"))
    assert set(schema["properties"]) == set(Campaign.model_fields)
    assert schema["additionalProperties"] is False


values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-5, 10**12), st.floats(), st.text(max_size=8)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=8), inner, max_size=3)),
    max_leaves=6,
)
keys = st.one_of(st.sampled_from(sorted(Campaign.model_fields)), st.text(max_size=6))


@settings(max_examples=80, deadline=None)
@given(st.dictionaries(keys, values, max_size=6))
def test_whatever_stands_in_a_file_every_fault_is_one_line_that_names_its_own(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("fuzz") / "c.yaml"
    # JSON is YAML, so any data can be written down.
    path.write_text("".join(f"{json.dumps(k)}: {json.dumps(v)}\n" for k, v in data.items()), encoding="utf-8")
    with pytest.raises(ConfigError) as caught:  # trunks are never among them with a name
        read_campaign(path)
    for fault in caught.value.faults:
        assert re.match(re.escape(str(path)) + r":[1-9]\d*: ", fault)
        assert "\n" not in fault
