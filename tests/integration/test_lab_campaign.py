"""The main job, for real: a campaign file and a list, dialled through Asterisk and SIP, held against their records."""

from __future__ import annotations

from pathlib import Path

import pytest

from dialer.lab.lab import Lab
from dialer.lab.trial import dial, write_campaign
from tests.integration.conftest import started

pytestmark = [pytest.mark.lab, pytest.mark.timeout(240)]


async def test_a_campaign_through_the_lab(tmp_path: Path) -> None:
    with started(Lab(tmp_path / "switch", agents=6, carriers=2, ring_s=1.0, talk_s=(2.0, 5.0))) as lab:
        result = await dial(lab, write_campaign(lab, tmp_path / "trial", leads=60))
    assert result.faults == ()
    # Sixty leads by their shares; the busy and the declined are tried twice, then the day's cap holds them back.
    assert result.dispositions == {
        "RPC": 27 - result.abandoned,
        **({"ABANDONED": result.abandoned} if result.abandoned else {}),
        "BUSY": 24,
        "NO_ANSWER": 15,
        "INVALID_NUMBER": 3,
        "CONGESTION": 3,
    }
    assert result.attempts == 72
    assert result.tries == 75  # both carriers refuse the congested
    assert len(result.bridge_s) >= 15
