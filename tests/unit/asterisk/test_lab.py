"""The lab's own parts that need no Asterisk."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.config.campaign import Campaign
from dialer.lab.install import LabUnavailable, lab_folder
from dialer.lab.lab import CALLER_ID, Lab
from dialer.lab.render import render
from dialer.lab.sound import RATE, a_law, tone, write_sound


def decode_a_law(code: int) -> int:
    """ITU-T G.711, table 1a, the decoder: an oracle written from the other end."""
    code ^= 0x55
    segment, step = (code & 0x70) >> 4, code & 0x0F
    value = (step << 4) + 8 if segment == 0 else ((step << 4) + 0x108) << (segment - 1)
    return value if code & 0x80 else -value


def test_a_law_is_within_half_a_step() -> None:
    samples = np.arange(-32768, 32768, 7).astype(np.int16)
    decoded = np.array([decode_a_law(code) for code in a_law(samples)])
    step = np.maximum(16, np.abs(samples.astype(np.int64)) / 16)
    assert np.all(np.abs(decoded - samples) <= step / 2 + 8)
    assert np.all(np.diff(decoded) >= 0)


def test_tone_has_its_pitch() -> None:
    spectrum = np.abs(np.fft.rfft(tone(1.0, 440.0)))
    assert int(spectrum.argmax()) == 440


def test_sound_is_the_same_each_time(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_sound(tmp_path / name)
    files = sorted(file.name for file in (tmp_path / "a").iterdir())
    assert files == ["human.al", "machine.al", "no-agent-free.wav"]
    for file in files:
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()
    assert (tmp_path / "a" / "machine.al").stat().st_size > 30 * RATE


@given(st.sampled_from(["00", "10", "51", "99"]), st.integers(0, 999_999))
def test_numbers_are_peruvian_mobiles(outcome: str, index: int) -> None:
    number = phonenumbers.parse(Lab.number(outcome, index))
    assert phonenumbers.is_valid_number(number)
    assert phonenumbers.region_code_for_number(number) == "PE"
    assert phonenumbers.number_type(number) == phonenumbers.PhoneNumberType.MOBILE
    assert str(number.national_number)[1:3] == outcome


def test_caller_id_is_a_valid_number() -> None:
    assert phonenumbers.is_valid_number(phonenumbers.parse(CALLER_ID))


@pytest.mark.parametrize(("outcome", "index"), [("1", 1), ("100", 1), ("10", -1), ("10", 1_000_000)])
def test_numbers_out_of_range_are_refused(outcome: str, index: int) -> None:
    with pytest.raises(ValueError, match="expected two digits"):
        Lab.number(outcome, index)


def test_marks_are_filled_in_and_unknown_ones_refused() -> None:
    assert render("sip:@LOGIN@@[remote_ip] a@b", {"LOGIN": "*77"}) == "sip:*77@[remote_ip] a@b"
    with pytest.raises(KeyError):
        render("@NOBODY@", {})


def test_lab_says_that_it_was_not_started() -> None:
    lab = Lab(agents=1)
    with pytest.raises(LabUnavailable, match="not been started"):
        lab.ring_in("agent1")


def test_folder_can_be_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CADENCIA_LAB", str(tmp_path))
    assert lab_folder() == tmp_path
    monkeypatch.delenv("CADENCIA_LAB")
    assert lab_folder().name == ".lab"


def test_site_files_name_what_the_adapter_expects() -> None:
    from dialer.adapters.asterisk import translate

    folder = Path(translate.__file__).parent / "conf"
    dialplan = (folder / "extensions_cadencia.conf").read_text()
    for name in (
        f"[{translate.CALLED_CONTEXT}]",
        f"[{translate.AGENTS_CONTEXT}]",
        f"UserEvent({translate.AGENT_EVENT},Endpoint",
        f"UserEvent({translate.ANSWERED_EVENT})",
        f"UserEvent({translate.SCREENED_EVENT},Status",
        f"UserEvent({translate.ABANDONED_EVENT})",
    ):
        assert name in dialplan
    assert Campaign.model_fields["asterisk"].default.user in (folder / "manager_cadencia.conf").read_text()
