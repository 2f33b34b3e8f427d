"""`dialer carriers status`: what its tables and lines say, and that nobody's text commands the terminal."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.table import Table

from carriers.standing import CallerIdStanding, PrefixStanding, RoutingStanding, TrunkStanding
from dialer.adapters.control_messages import AnyAnswer, AnyRequest, GetRouting, Refused, Routing
from dialer.cli.app import main
from dialer.cli.carriers.status import capacity_table, doubts, figure, number_table, percent, quality_table, status
from dialer.cli.safe_text import make_console
from tests.unit.cli.test_safe_text import HOSTILE, SHOWN, unseen

AT = 1_795_442_400.0  # 2026-11-23 14:00 UTC
UNKNOWN = "–"


def trunk(name: str = "lima-1", **changes: Any) -> TrunkStanding:
    usual = TrunkStanding(
        trunk=name,
        carrier="Andina",
        share=0.4567,
        tries=1234,
        asr=0.31,
        ner=0.978,
        pdd_s=2.345,
        mean_call_s=61.6,
        short_share=0.05,
        cancelled_share=0.6,
        contacts_per_1000=171.4,
        cost_per_try=0.00314,
        cost_per_contact=0.0213,
        in_use=7,
        max_channels=30,
        set_ups_per_s=5.0,
        price=0.0125,
        circuit="closed",
        because="",
        open_prefixes=(),
        idle_because="",
    )
    return msgspec.structs.replace(usual, **changes)


def number(e164: str = "+5117000100", **changes: Any) -> CallerIdStanding:
    usual = CallerIdStanding(
        number=e164,
        pool="peru",
        calls_today=1500,
        max_calls_a_day=None,
        resting_until=None,
        multiplier=None,
        because="in use",
    )
    return msgspec.structs.replace(usual, **changes)


def standing(*trunks: TrunkStanding, numbers: tuple[CallerIdStanding, ...] = ()) -> RoutingStanding:
    return RoutingStanding(at=AT, router="hoe-lp-v1", currency="USD", trunks=trunks, caller_ids=numbers, prices_at=None)


def cells(table: Table) -> list[dict[str, str]]:
    """The rows of a table, each by its columns' heads."""
    columns = [(str(column.header), [str(cell) for cell in column.cells]) for column in table.columns]
    return [{name: values[row] for name, values in columns} for row in range(table.row_count)]


# ---- what is said -------------------------------------------------------------------------------------------
def test_a_trunk_is_shown_with_its_quality_costs_and_room() -> None:
    (quality,) = cells(quality_table("morning", standing(trunk())))
    assert quality == {
        "trunk": "lima-1", "carrier": "Andina", "share": "45.7 %", "tries": "1,234", "ASR": "31.0 %", "NER": "97.8 %",
        "PDD s": "2.3", "call s": "62", "short": "5.0 %", "cancelled": "60.0 %", "contacts/1,000": "171",
        "circuit": "closed",
    }  # fmt: skip
    (room,) = cells(capacity_table(standing(trunk())))
    assert room == {
        "trunk": "lima-1", "USD/try": "0.0031", "USD/contact": "0.021", "channels": "7 of 30", "calls/s": "5.0",
        "worth of one more call/s": "0.0125",
    }  # fmt: skip


def test_what_is_not_known_is_a_dash_and_never_a_nought() -> None:
    figures = (
        "share", "asr", "ner", "pdd_s", "mean_call_s", "short_share", "cancelled_share", "contacts_per_1000",
        "cost_per_try", "cost_per_contact",
    )  # fmt: skip
    idle = standing(trunk("idle", **dict.fromkeys(figures), tries=0))
    (quality,), (room,) = cells(quality_table("morning", idle)), cells(capacity_table(idle))
    unknown = [value for row in (quality, room) for value in row.values() if value == UNKNOWN]
    assert len(unknown) == len(figures) and quality["tries"] == "0"
    assert percent(None) == figure(None, 2) == UNKNOWN


@given(st.floats(0.0, 1.0), st.floats(0.0, 1e9), st.integers(0, 4))
def test_figures_are_read_back_as_they_were(share: float, value: float, digits: int) -> None:
    assert float(percent(share).removesuffix(" %")) == pytest.approx(100 * share, abs=0.0501)
    assert float(figure(value, digits).replace(",", "")) == pytest.approx(value, abs=0.501 * 10**-digits)


def test_each_doubt_is_one_line_and_a_healthy_trunk_has_none() -> None:
    prefix = PrefixStanding(
        prefix="5198", circuit="half_open", because="4 of the last 4 calls failed", since=AT, next_probe_at=AT
    )
    found = doubts(
        standing(
            trunk("well"),
            trunk("asleep", idle_because="outside its hours"),
            trunk(
                "out", circuit="open", because="6 of the last 6 calls failed", idle_because="its circuit is not closed"
            ),
            trunk("partly", open_prefixes=(prefix,)),
        )
    )
    assert found == [
        "asleep carries nothing now: outside its hours",
        "out: circuit open: 6 of the last 6 calls failed",
        "partly: circuit of prefix 5198 half-open: 4 of the last 4 calls failed",
    ]


def test_caller_ids_are_shown_with_their_cap_and_rest() -> None:
    resting = number("+5117000101", max_calls_a_day=2000, resting_until=AT, multiplier=0.431, because="too few answers")
    usual, rests = cells(number_table(standing(numbers=(number(pool=""), resting))))
    assert usual == {
        "number": "+5117000100", "pool": UNKNOWN, "why": "in use", "calls today": "1,500", "answers": UNKNOWN,
        "rests until (UTC)": "",
    }  # fmt: skip
    assert (rests["calls today"], rests["answers"]) == ("1,500/2,000", "x0.43")
    assert rests["rests until (UTC)"] == "2026-11-23 14:00"


# ---- the command --------------------------------------------------------------------------------------------
def hostile() -> RoutingStanding:
    prefix = PrefixStanding(prefix=HOSTILE, circuit="open", because=HOSTILE, since=AT, next_probe_at=AT)
    named = {"carrier": HOSTILE, "idle_because": HOSTILE, "open_prefixes": (prefix,)}
    made = standing(
        trunk(HOSTILE, **named),
        trunk(HOSTILE, **{**named, "circuit": "open", "because": HOSTILE}),
        numbers=(number(HOSTILE, pool=HOSTILE, because=HOSTILE),),
    )
    return msgspec.structs.replace(made, router=HOSTILE, currency=HOSTILE)


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> list[AnyAnswer]:
    """What the campaign answers, in turn."""
    left: list[AnyAnswer] = []

    def ask(data: Path | None, campaign: str, request: AnyRequest) -> AnyAnswer:
        assert (campaign, request) == ("morning", GetRouting())
        return left.pop(0)

    monkeypatch.setattr("dialer.cli.control.ask", ask)
    return left


def test_the_command_shows_tables_and_doubts(answers: list[AnyAnswer], capsys: pytest.CaptureFixture[str]) -> None:
    out_of_order = trunk("cusco", circuit="open", because="4 of the last 4 calls failed")
    answers.append(Routing(campaign="morning", standing=standing(trunk(), out_of_order, numbers=(number(),))))
    assert status("morning") == 0
    out = capsys.readouterr().out
    assert "morning: trunks, last 15 minutes (hoe-lp-v1)" in out and "+5117000100" in out
    assert "cusco: circuit open: 4 of the last 4 calls failed\n" in out
    assert max(map(len, out.splitlines())) <= make_console().width


def test_names_of_anybody_neither_command_the_terminal_nor_style_it(
    answers: list[AnyAnswer], capsys: pytest.CaptureFixture[str]
) -> None:
    made = hostile()
    assert doubts(made)
    for table in (quality_table(HOSTILE, made), capacity_table(made), number_table(made)):
        assert unseen(str(table.title)) == [] and all(
            unseen(cell) == [] for row in cells(table) for cell in row.values()
        )
    answers.append(Routing(campaign=HOSTILE, standing=made))
    assert status("morning") == 0
    out = capsys.readouterr().out
    assert unseen(out) == [] and "\u202e" not in out and SHOWN in out


def test_json_is_the_whole_answer_on_one_safe_line(
    answers: list[AnyAnswer], capsys: pytest.CaptureFixture[str]
) -> None:
    answers.append(Routing(campaign="morning", standing=hostile()))
    assert status("morning", json=True) == 0
    out = capsys.readouterr().out
    assert out.count("\n") == 1 and unseen(out) == [] and "\u202e" not in out
    assert msgspec.json.decode(out, type=Routing).standing == hostile()
    assert json.loads(out)["answer"] == "Routing"


def test_a_refusal_is_told_and_is_no_success(answers: list[AnyAnswer], capsys: pytest.CaptureFixture[str]) -> None:
    answers.append(Refused(reasons=("expected a request of this version",)))
    assert status("morning") == 2
    said = capsys.readouterr()
    assert "expected a request of this version" in said.out + said.err


def test_a_campaign_that_does_not_run_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["carriers", "status", "morning", "--data", str(tmp_path)])
    assert ended.value.code == 1
    assert "campaign morning is not running" in capsys.readouterr().err
