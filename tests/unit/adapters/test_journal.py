from __future__ import annotations

import errno
import itertools
import os
import stat
import tempfile
from pathlib import Path
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dialer import __version__
from dialer.adapters.journal import LATEST, Header, Journal, header_of, journal_path, read_journal
from dialer.config.campaign import Agent, Campaign, Trunk
from dialer.core.actions import AnyAction, HangUp, Reserve
from dialer.core.events import AgentLoggedIn, AgentPaused, AnyEvent, TimePassed
from dialer.errors import JournalError, StoreError

STARTED_AT = 1_763_672_400.0  # 2025-11-20 21:00:00 UTC
HEADER = Header(campaign={"campaign": "mora"}, run=3, seed=7, started_at=STARTED_AT)


def of_type(hint: Any) -> st.SearchStrategy[Any]:
    """Values of a field's type, for every type that events and actions have."""
    simple = {
        str: st.text(max_size=6),
        int: st.integers(-(2**63), 2**63),
        float: st.floats(allow_nan=False, allow_infinity=False),
        bool: st.booleans(),
        bytes: st.binary(max_size=6),
        type(None): st.none(),
    }
    if hint is Any:  # a learned value: whatever JSON has
        return st.one_of(st.none(), st.booleans(), st.integers(0, 2**53), st.text(max_size=6), st.lists(simple[float]))
    if hint in simple:
        return simple[hint]
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        hints = get_type_hints(hint)
        own = {name: of_type(hints[name]) for name in hint.__struct_fields__}
        return st.builds(hint, **own | ({"at": st.floats(0.0, LATEST, exclude_max=True)} if "at" in own else {}))
    origin, args = get_origin(hint), get_args(hint)
    if origin is Literal:
        return st.sampled_from(args)
    if origin is tuple and Ellipsis not in args:
        return st.tuples(*map(of_type, args))
    if origin is tuple:
        return st.lists(of_type(args[0]), max_size=2).map(tuple)
    if origin is dict:
        return st.dictionaries(of_type(args[0]), of_type(args[1]), max_size=2)
    assert origin in (Union, UnionType), hint
    return st.one_of(*map(of_type, args))


entries = st.lists(st.tuples(of_type(AnyEvent), st.lists(of_type(AnyAction), max_size=3)), max_size=6)
_numbers = itertools.count()


def written(folder: Path, lines: list[tuple[Any, list[Any]]], header: Header = HEADER) -> Path:
    path = folder / f"{next(_numbers)}.jsonl"
    journal = Journal(path, header)
    for event, actions in lines:
        journal.append(event, actions)
    journal.close()
    return path


TALE = [
    (AgentLoggedIn(at=1.5, agent_id="ana"), []),
    (TimePassed(at=2.0), [HangUp(attempt_id=1, reason="limit"), HangUp(attempt_id=2, reason="ñ")]),
    (AgentPaused(at=3.0, agent_id="ana", reason="break"), [HangUp(attempt_id=3, reason="x")]),
]


@settings(deadline=None, derandomize=True, max_examples=60)
@given(entries)
def test_what_is_read_is_what_was_written(lines: list[tuple[Any, list[Any]]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        first, second = written(Path(folder), lines), written(Path(folder), lines)
        header, found = read_journal(first)
        assert header == HEADER
        assert list(found) == lines
        assert first.read_bytes() == second.read_bytes()


def test_the_format_is_the_documented_one(tmp_path: Path) -> None:
    assert written(tmp_path, TALE[:2]).read_text() == (
        f'{{"journal":1,"version":"{__version__}","campaign":{{"campaign":"mora"}},"run":3,"seed":7,'
        '"started_at":1763672400.0,"policies":{},"scenario":null,"versions":{}}\n'
        'E {"type":"AgentLoggedIn","at":1.5,"agent_id":"ana"}\n'
        'E {"type":"TimePassed","at":2.0}\n'
        'A {"type":"HangUp","attempt_id":1,"reason":"limit","unanswered_only":false}\n'
        'A {"type":"HangUp","attempt_id":2,"reason":"ñ","unanswered_only":false}\n'
    )


def test_the_header_carries_the_campaign(tmp_path: Path) -> None:
    campaign = Campaign(
        campaign="mora-temprana",
        jurisdictions=("PE",),
        trunks=(Trunk(name="t1"),),
        caller_ids=("+5117000000",),
        agents=(Agent(id="ana"),),
    )
    versions = {"rules": "2026.11.21", "tzdata": "2026f"}
    header = header_of(campaign, run=12, seed=7, started_at=STARTED_AT + 0.9, versions=versions)
    path = journal_path(tmp_path, header)
    assert path == tmp_path / "journal" / "mora-temprana" / "2025-11-20T210000-run12.jsonl"
    Journal(path, header).close()
    found, lines = read_journal(path)
    assert Campaign.model_validate(found.campaign) == campaign
    assert found.versions == versions
    assert (found.run, found.seed, found.started_at, list(lines)) == (12, 7, STARTED_AT + 0.9, [])
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [stat.S_IMODE(folder.stat().st_mode) for folder in path.parents[:2]] == [0o700, 0o700]


def test_a_journal_of_before_there_were_versions_is_read(tmp_path: Path) -> None:
    """And a claim of before there was more to pass than caps."""
    path = written(tmp_path, [])
    header = path.read_text().replace(',"versions":{}', "")
    claim = '{"attempt_id":1,"lead_id":"L","number":"+51","at":1.0,"stop_keys":[],"fact_keys":[],"caps":[]}'
    path.write_text(f'{header}E {{"type":"TimePassed","at":2.0}}\nA {{"type":"Reserve","claims":[{claim}]}}\n')
    found, lines = read_journal(path)
    assert found.versions == {}
    ((_, (reserve,)),) = lines
    assert isinstance(reserve, Reserve) and reserve.claims[0].profiles == ()


def test_a_folder_that_was_there_keeps_its_mode(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    written(tmp_path, [])
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o755


def test_nothing_is_written_before_the_flush(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j.jsonl", HEADER)
    journal.append(*TALE[0])
    assert journal.path.read_bytes() == b""
    journal.flush()
    assert [event for event, _ in read_journal(journal.path)[1]] == [TALE[0][0]]
    journal.close()
    journal.close()
    with pytest.raises(StoreError, match="was closed"):
        journal.flush()


def test_a_journal_is_never_rewritten(tmp_path: Path) -> None:
    path = written(tmp_path, TALE)
    before = path.read_bytes()
    with pytest.raises(StoreError, match="File exists"):
        Journal(path, HEADER)
    assert path.read_bytes() == before


def test_a_full_disk_is_a_store_error_and_nothing_is_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = Journal(tmp_path / "j.jsonl", HEADER)
    for event, actions in TALE:
        journal.append(event, actions)
    room = iter([10, 0])
    real_write = os.write

    def write(file: int, data: bytes) -> int:
        left = next(room, None)
        if left == 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        return real_write(file, data[:left])

    monkeypatch.setattr(os, "write", write)
    with pytest.raises(StoreError, match="No space left"):
        journal.flush()
    assert journal.path.stat().st_size == 10
    journal.append(*TALE[0])
    journal.close()
    assert list(read_journal(journal.path)[1]) == [*TALE, TALE[0]]


# ---- damaged files ------------------------------------------------------------------------------------------
def test_every_cut_is_noticed_and_what_is_whole_is_read(tmp_path: Path) -> None:
    whole = written(tmp_path, TALE).read_bytes()
    path = tmp_path / "cut.jsonl"
    header_end = whole.index(b"\n") + 1
    for end in range(header_end, len(whole)):
        path.write_bytes(whole[:end])
        found = []
        if whole[end - 1 : end] == b"\n":
            continue  # between two lines: not a cut line
        with pytest.raises(JournalError, match=r"cut\.jsonl:\d: expected a whole line, was cut off") as caught:
            found.extend(read_journal(path)[1])  # extends entry by entry, up to the error
        assert found == TALE[: len(found)]
        keep = int(str(caught.value).split("head -n ")[1].split()[0])
        path.write_bytes(b"".join(whole.splitlines(keepends=True)[:keep]))
        assert list(read_journal(path)[1]) == found  # the mend that the message names


@pytest.mark.parametrize(
    "content", [b"", b"\n", b"hello\n", b"\xff\xfe\x00\n", b"[1]\n", b'{"a":1}\n', b'{"journal":1,"ru']
)
def test_a_foreign_file_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "foreign.jsonl"
    path.write_bytes(content)
    with pytest.raises(JournalError, match=r"foreign\.jsonl:1: expected the first line of a journal.*journal/CAMPAIGN"):
        read_journal(path)


def test_another_format_names_the_version_that_reads_it(tmp_path: Path) -> None:
    path = tmp_path / "other.jsonl"
    path.write_bytes(b'{"journal":2,"version":"4.5.6"}\n')
    with pytest.raises(JournalError, match=r"other\.jsonl:1: expected a journal of format 1, was 2: .*4\.5\.6"):
        read_journal(path)
    path.write_bytes(b'{"journal":1,"version":"4.5.6"}\n')
    with pytest.raises(JournalError, match=r"other\.jsonl:1: expected a whole header, was: .*`campaign`"):
        read_journal(path)


@pytest.mark.parametrize(
    "line",
    [
        b'E {"type":"Nonsense","at":1.0}\n',
        b'E {"type":"TimePassed"}\n',
        b"E not json\n",
        b'E {"type":"AgentLoggedIn","at":1.0,"agent_id":"\xff"}\n',
        b'A {"type":"TimePassed","at":1.0}\n',
        b"X {}\n",
        b"\n",
    ],
)
def test_a_damaged_line_is_named_with_its_number(tmp_path: Path, line: bytes) -> None:
    path = written(tmp_path, TALE[:1])
    path.write_bytes(path.read_bytes() + line)
    with pytest.raises(JournalError, match=r"\.jsonl:3: expected .*, was.*: .*(version|backup)"):
        list(read_journal(path)[1])


def test_an_action_without_an_event_is_damage(tmp_path: Path) -> None:
    path = written(tmp_path, [])
    path.write_bytes(path.read_bytes() + b'A {"type":"HangUp","attempt_id":1,"reason":"x"}\n')
    with pytest.raises(JournalError, match=":2: expected `E `"):
        list(read_journal(path)[1])


def test_a_file_that_cannot_be_opened(tmp_path: Path) -> None:
    with pytest.raises(JournalError, match="No such file"):
        read_journal(tmp_path / "none.jsonl")
    with pytest.raises(JournalError, match="Is a directory"):
        read_journal(tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="expected to begin the journal"):
        Journal(tmp_path / "file" / "j.jsonl", HEADER)


@pytest.mark.parametrize("fields", [{"seed": -1}, {"run": -1}, {"started_at": 1e300}, {"started_at": -1.0}])
def test_a_header_that_no_program_wrote_is_refused(tmp_path: Path, fields: dict[str, float]) -> None:
    path = tmp_path / "odd.jsonl"
    path.write_bytes(msgspec.json.encode({**msgspec.to_builtins(HEADER), **fields}) + b"\n")
    with pytest.raises(JournalError, match=rf"odd.jsonl:1: expected a whole header, .*{next(iter(fields))}"):
        read_journal(path)


@pytest.mark.parametrize("at", [-1.0, 1e300])
def test_an_event_of_no_time_is_refused_by_its_line(tmp_path: Path, at: float) -> None:
    path = tmp_path / "odd.jsonl"
    path.write_bytes(msgspec.json.encode(HEADER) + b"\nE " + msgspec.json.encode(TimePassed(at=at)) + b"\n")
    with pytest.raises(JournalError, match=r"odd.jsonl:2: expected a time in UTC seconds"):
        list(read_journal(path)[1])
