import pytest

from compliance.clearance import Place
from dialer.adapters.lead_list import read_leads
from dialer.config.campaign import DEFAULT_KEYS, DEFAULT_RETRY
from dialer.config.campaign_file import list_paths, read_campaign
from dialer.config.example import write_example
from dialer.config.rule_packs import rule_set
from dialer.errors import ConfigError


def test_the_example_is_a_good_campaign(tmp_path):
    folder = tmp_path / "new" / "folder"
    paths = write_example(folder)
    assert [path.name for path in paths] == ["campaign.yaml", "leads.csv"]
    campaign = read_campaign(paths[0])
    assert list_paths(paths[0], campaign) == (paths[1],)
    lima = Place(("PE",), ("America/Lima",))
    assert rule_set(campaign).window(lima, 1_784_127_600.0).open  # a Wednesday, 10:00
    # It shows the defaults: who copies it changes nothing by doing so.
    assert campaign.retry == DEFAULT_RETRY
    assert campaign.keys == DEFAULT_KEYS


def test_the_examples_list_is_good(tmp_path):
    list_file = write_example(tmp_path)[1]
    read = read_leads(list_file, default_country="PE", jurisdictions=["PE"])
    assert len(read.leads) == 5
    assert not read.rejected
    assert not read.dropped


def test_nothing_is_overwritten(tmp_path):
    (tmp_path / "leads.csv").write_text("mine")
    with pytest.raises(ConfigError, match=r"leads\.csv: is there already"):
        write_example(tmp_path)
    assert not (tmp_path / "campaign.yaml").exists()
    assert (tmp_path / "leads.csv").read_text() == "mine"


def test_a_folder_that_cannot_be_made_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="cannot be written"):
        write_example(tmp_path / "file" / "folder")
