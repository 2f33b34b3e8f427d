import json
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dialer.config.campaign import Campaign
from dialer.config.campaign_file import list_paths, read_campaign, write_schema
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
        ("[PE]", "[PE, XX]", 2, "jurisdictions.1", "no rules for 'XX': expected one of AR, CL"),
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
