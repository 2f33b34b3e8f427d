"""What somebody typed neither commands the terminal nor styles the screen."""

from __future__ import annotations

import io
import unicodedata

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from dialer.adapters.control_messages import AgentRow, Agents
from dialer.adapters.readiness import LeadState, Readiness
from dialer.cli.app import main
from dialer.cli.check_view import show
from dialer.cli.checkup import Checkup, Finding
from dialer.cli.control_view import agent_table
from dialer.cli.safe_text import make_console, safe, safe_json, safe_lines, say

ESC = "\x1b[2J\x1b[31m"
OSC = "\x1b]0;owned\x07\x1b]8;;http://x\x1b\\"
HOSTILE = f"{ESC}{OSC}[bold]Ana[/bold]\u202e\r\n:smile:"
SHOWN = "[bold]Ana[/bold]"


def unseen(text: str) -> list[str]:
    """The characters that are not for reading."""
    return [sign for sign in text if unicodedata.category(sign) in ("Cc", "Cs") and sign != "\n"]


@given(st.text())
def test_no_control_character_is_left(text: str) -> None:
    assert unseen(safe(text)) == [] and "\n" not in safe(text)


@given(st.text(alphabet=st.characters(categories=["L", "N", "P", "S", "Zs", "M"])))
def test_readable_text_stays_as_it_is(text: str) -> None:
    assert safe(text) == text


def test_an_escape_is_shown_not_sent() -> None:
    assert safe("\x1b[31mAna\u202e") == "\\x1b[31mAna\\u202e"
    assert safe_lines("a\x1bb\nc") == "a\\x1bb\nc"


@given(st.text())
def test_json_says_the_same_and_commands_nothing(text: str) -> None:
    if any(unicodedata.category(sign) == "Cs" for sign in text):  # no text of ours has them, and JSON cannot
        return
    shown = safe_json(msgspec.json.encode(text).decode())
    assert msgspec.json.decode(shown) == text and unseen(shown) == [] and "\u202e" not in shown


def test_say_keeps_our_line_breaks_only() -> None:
    out = io.StringIO()
    say(f"one\ntwo {HOSTILE}", file=out)
    assert unseen(out.getvalue()) == [] and SHOWN in out.getvalue()


def test_a_console_reads_no_markup(capsys: pytest.CaptureFixture[str]) -> None:
    make_console().print(safe(HOSTILE))
    out = capsys.readouterr().out
    assert SHOWN in out and ":smile:" in out and unseen(out) == []


def test_hostile_agents_in_a_table() -> None:
    row = AgentRow(agent_id=HOSTILE, name=HOSTILE, state="idle", since_s=1.0, attempt_id=None, pause_reason=HOSTILE)
    out = io.StringIO()
    Console(file=out, markup=False, emoji=False, width=400).print(agent_table(Agents(agents=(row,))))
    assert unseen(out.getvalue()) == [] and out.getvalue().count(SHOWN) == 3


def test_hostile_leads_and_paths_in_a_checkup(capsys: pytest.CaptureFixture[str]) -> None:
    lead = LeadState(lead_id=HOSTILE, name=HOSTILE, number="+51999000111", why="stopped", rule=HOSTILE)
    queue = Readiness(callable_now=0, next_callable_at=None, counts=(("stopped", HOSTILE, 1),), leads=(lead,))
    finding = Finding(what="list", ok=True, text=HOSTILE, notes=(HOSTILE,))
    show(Checkup(campaign="c", at=0.0, would_dial=False, findings=(finding,), queue=queue), rows=5)
    assert unseen(capsys.readouterr().out) == []


def test_a_hostile_path_in_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["run", f"no{HOSTILE}such.yaml"])
    assert ended.value.code == 2
    assert unseen(capsys.readouterr().err) == []
