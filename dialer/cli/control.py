"""`dialer status|pause|resume|drain|stop|set|agents`: a running campaign from another terminal.

Exit codes: 0 done; 1 the campaign does not run, or could not do it; 2 the order itself needs mending.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from dialer.cli.safe_text import make_console, say

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dialer.adapters.control_messages import AnyAnswer, AnyRequest

LIVE, SANDBOX = Path(".cadencia"), Path(".cadencia-sandbox")


def status(campaign: str | None = None, *, data: Path | None = None, json: bool = False) -> int:
    """Show the running campaigns of a data folder; one of them in detail, with the last decisions and what holds it up.

    Parameters
    ----------
    campaign
        Its name; all of them in a table if not named.
    data
        The data folder; if not named .cadencia, or .cadencia-sandbox if only there a campaign runs.
    json
        Print JSON.
    """
    import msgspec

    from dialer.adapters.control import running_campaigns
    from dialer.adapters.control_messages import GetStatus, Status
    from dialer.cli.control_view import campaign_table, detail_lines

    if campaign is not None:
        answer = ask(data, campaign, GetStatus())
        if not isinstance(answer, Status):
            return tell(answer, json=json)
        if json:
            print(msgspec.json.encode(answer).decode())
        else:
            for line in detail_lines(answer):
                say(line)
        return 0
    folder = _folder(data)
    answers = _ask_all(folder, running_campaigns(folder), GetStatus())
    silent = {name: found for name, found in answers.items() if isinstance(found, str)}
    if json:
        print(msgspec.json.encode(answers).decode())
    elif answers:
        make_console().print(campaign_table({n: a for n, a in answers.items() if isinstance(a, Status)}))
    else:
        say(f"no campaign is running in {folder}")
    for fault in silent.values():
        say(fault, file=sys.stderr)
    return 1 if silent else 0


def pause(campaign: str, *, data: Path | None = None, json: bool = False) -> int:
    """Launch no more calls; live calls go on. `dialer resume` ends it.

    Parameters
    ----------
    campaign
        Its name, as `dialer status` lists it.
    data
        Its data folder; if not named .cadencia, or .cadencia-sandbox if it runs there.
    json
        Print JSON.
    """
    from dialer.adapters.control_messages import Pause

    return tell(ask(data, campaign, Pause()), json=json)


def resume(
    campaign: str | None = None,
    *,
    all: bool = False,
    data: Path | None = None,
    redis_url: str | None = None,
    json: bool = False,
) -> int:
    """Launch calls again after `dialer pause`; with --all in every campaign, and lift an emergency stop.

    Parameters
    ----------
    campaign
        Its name, as `dialer status` lists it.
    all
        Every running campaign of the data folder; lifts what `dialer stop --all --now` set in the store.
    data
        The data folder of the campaigns; with --all .cadencia if not named.
    redis_url
        With --all: the server, where the campaigns use one.
    json
        Print JSON.
    """
    from dialer.adapters.control import running_campaigns
    from dialer.adapters.control_messages import Resume
    from dialer.cli.loop import run_async

    if not _one_or_all(campaign, all=all):
        return tell(ask(data, str(campaign), Resume()), json=json)
    folder = data or LIVE
    lifted = run_async(_lift(folder, redis_url))
    answers = _ask_all(folder, running_campaigns(folder), Resume())
    return _tell_all(answers, "the emergency stop is lifted" if lifted else "no emergency stop was set", json=json)


def drain(campaign: str, *, data: Path | None = None, json: bool = False) -> int:
    """Launch no more calls, let live calls finish, then end the campaign's program.

    Parameters
    ----------
    campaign
        Its name, as `dialer status` lists it.
    data
        Its data folder; if not named .cadencia, or .cadencia-sandbox if it runs there.
    json
        Print JSON.
    """
    from dialer.adapters.control_messages import Drain

    return tell(ask(data, campaign, Drain()), json=json)


def stop(
    campaign: str | None = None,
    *,
    now: bool = False,
    all: bool = False,
    data: Path | None = None,
    redis_url: str | None = None,
    json: bool = False,
) -> int:
    """End a campaign: drain it, or with --now hang up its calls. `--all --now` is the emergency stop.

    The emergency stop hangs up every campaign of the data folder and forbids every call in the store, for every
    engine that shares it, until `dialer resume --all`.

    Parameters
    ----------
    campaign
        Its name, as `dialer status` lists it.
    now
        Hang up live calls instead of letting them finish.
    all
        Every running campaign of the data folder.
    data
        The data folder of the campaigns; with --all .cadencia if not named.
    redis_url
        With --all --now: a server to stop besides the stores of the campaigns that run here.
    json
        Print JSON.
    """
    from dialer.adapters.control import running_campaigns
    from dialer.adapters.control_messages import Drain, StopNow

    if not _one_or_all(campaign, all=all):
        return tell(ask(data, str(campaign), StopNow() if now else Drain()), json=json)
    folder = data or LIVE
    running = running_campaigns(folder)
    if not now:
        return _tell_all(_ask_all(folder, running, Drain()), "", json=json)
    return _emergency(folder, running, redis_url, json=json)


def set_pacing(campaign: str, *changes: str, data: Path | None = None, json: bool = False) -> int:
    """Change how a running campaign paces, in force at its next decision, as in `dialer set example mode=progressive`.

    Modes: progressive (one line for each idle agent), power (lines_per_idle_agent for each), predictive (as many as
    the abandon target allows).

    Refused where it would loosen the law; every change, made or refused, stands in audit.jsonl of the data folder.

    Parameters
    ----------
    campaign
        Its name, as `dialer status` lists it.
    changes
        target_abandon_rate=0.02, mode=power, lines_per_idle_agent=2, max_lines_per_idle_agent=3: one or several.
    data
        Its data folder; if not named .cadencia, or .cadencia-sandbox if it runs there.
    json
        Print JSON.
    """
    from dialer.adapters.control_messages import SetPacing
    from dialer.config.live_pacing import LIVE_KEYS, parse_changes
    from dialer.errors import ConfigError

    if not changes:
        raise ConfigError(f"expected KEY=VALUE, with a key of {', '.join(LIVE_KEYS)}")
    return tell(ask(data, campaign, SetPacing(changes=parse_changes(changes))), json=json)


# ---- agents -------------------------------------------------------------------------------------------------
def list_agents(campaign: str, *, data: Path | None = None, json: bool = False) -> int:
    """List a campaign's agents: what each does, and since when.

    Parameters
    ----------
    campaign
        Its name, as `dialer status` lists it.
    data
        Its data folder; if not named .cadencia, or .cadencia-sandbox if it runs there.
    json
        Print JSON.
    """
    from dialer.adapters.control_messages import Agents, ListAgents
    from dialer.cli.control_view import agent_table

    answer = ask(data, campaign, ListAgents())
    if json or not isinstance(answer, Agents):
        return tell(answer, json=json)
    make_console().print(agent_table(answer))
    return 0


def pause_agent(
    campaign: str, agent: str, *, reason: str = "supervisor", data: Path | None = None, json: bool = False
) -> int:
    """Give an agent no call after the present one.

    Parameters
    ----------
    campaign
        Its name, as `dialer status` lists it.
    agent
        The agent's id.
    reason
        Why; it stands in the journal.
    data
        Its data folder; if not named .cadencia, or .cadencia-sandbox if it runs there.
    json
        Print JSON.
    """
    from dialer.adapters.control_messages import PauseAgent

    return tell(ask(data, campaign, PauseAgent(agent_id=agent, reason=reason)), json=json)


def announce_leave(
    campaign: str, agent: str, when: str, *, reason: str = "break", data: Path | None = None, json: bool = False
) -> int:
    """Say beforehand when an agent leaves: pacing counts on it, and the pause begins then, or after the call.

    Parameters
    ----------
    campaign
        Its name, as `dialer status` lists it.
    agent
        The agent's id.
    when
        13:00 by this machine's clock, or 10m from now; never takes it back.
    reason
        Why; it stands in the journal.
    data
        Its data folder; if not named .cadencia, or .cadencia-sandbox if it runs there.
    json
        Print JSON.
    """
    from dialer.adapters.control_messages import AnnounceLeave

    return tell(ask(data, campaign, AnnounceLeave(agent_id=agent, when=when, reason=reason)), json=json)


def resume_agent(campaign: str, agent: str, *, data: Path | None = None, json: bool = False) -> int:
    """End an agent's pause.

    Parameters
    ----------
    campaign
        Its name, as `dialer status` lists it.
    agent
        The agent's id.
    data
        Its data folder; if not named .cadencia, or .cadencia-sandbox if it runs there.
    json
        Print JSON.
    """
    from dialer.adapters.control_messages import ResumeAgent

    return tell(ask(data, campaign, ResumeAgent(agent_id=agent)), json=json)


def log_out_agent(campaign: str, agent: str, *, data: Path | None = None, json: bool = False) -> int:
    """Hang up an agent's leg, after the present call.

    Parameters
    ----------
    campaign
        Its name, as `dialer status` lists it.
    agent
        The agent's id.
    data
        Its data folder; if not named .cadencia, or .cadencia-sandbox if it runs there.
    json
        Print JSON.
    """
    from dialer.adapters.control_messages import LogOutAgent

    return tell(ask(data, campaign, LogOutAgent(agent_id=agent)), json=json)


# ---- asking and telling -------------------------------------------------------------------------------------
def _one_or_all(campaign: str | None, *, all: bool) -> bool:
    """Return whether all are meant. Raises `ConfigError` where neither or both are."""
    from dialer.errors import ConfigError

    if (campaign is None) != all:
        raise ConfigError("expected the name of a campaign, or --all instead")
    return all


def _folder(data: Path | None, campaign: str | None = None) -> Path:
    """Return the folder that is meant where none is named: the sandbox's, if only there it (or anything) runs."""
    from dialer.adapters.control import running_campaigns

    if data is not None:
        return data

    def runs_in(folder: Path) -> bool:
        running = running_campaigns(folder)
        return campaign in running if campaign else running != []

    return SANDBOX if not runs_in(LIVE) and runs_in(SANDBOX) else LIVE


def ask(data: Path | None, campaign: str, request: AnyRequest) -> AnyAnswer:
    from dialer.adapters.control import ask

    return ask(_folder(data, campaign), campaign, request)


def _ask_all(data: Path, campaigns: Sequence[str], request: AnyRequest) -> dict[str, AnyAnswer | str]:
    """Ask all at once, so that one that is silent keeps no other waiting; its fault stands in place of an answer."""
    from concurrent.futures import ThreadPoolExecutor

    from dialer.errors import DialerError

    def one(campaign: str) -> AnyAnswer | str:
        try:
            return ask(data, campaign, request)
        except DialerError as fault:
            return str(fault)

    if not campaigns:
        return {}
    with ThreadPoolExecutor(max_workers=len(campaigns)) as pool:
        return dict(zip(campaigns, pool.map(one, campaigns), strict=True))


def tell(answer: AnyAnswer, *, json: bool) -> int:
    import msgspec

    from dialer.adapters.control_messages import Done, Refused

    if json:
        print(msgspec.json.encode(answer).decode())
    elif isinstance(answer, Done):
        say(answer.what + ": ordered")
        for change in answer.changes:
            say(f"  {change.key}: {change.old} -> {change.new}")
    if not isinstance(answer, Refused):
        return 0
    for reason in answer.reasons:
        say(reason, file=sys.stderr)
    return 2 if answer.mendable else 1


def _tell_all(answers: dict[str, AnyAnswer | str], note: str, *, json: bool, failed: bool = False) -> int:
    """Tell what became of an order to several campaigns; 1 where any did not take it."""
    import msgspec

    from dialer.adapters.control_messages import Done

    for name, answer in answers.items():
        failed = failed or not isinstance(answer, Done)
        if not json:
            what = f"{answer.what}: ordered" if isinstance(answer, Done) else _fault(answer)
            say(f"{name}: {what}")
    if json:
        print(msgspec.json.encode({"campaigns": answers, "note": note}).decode())
    elif note or not answers:
        say(note or "no campaign is running")
    return 1 if failed else 0


def _fault(answer: AnyAnswer | str) -> str:
    from dialer.adapters.control_messages import Refused

    return "; ".join(answer.reasons) if isinstance(answer, Refused) else str(answer)


# ---- the emergency stop -------------------------------------------------------------------------------------
def _emergency(data: Path, running: Sequence[str], redis_url: str | None, *, json: bool) -> int:
    """Hang up here first, which needs no store; then see that the store forbids every call."""
    from dialer.adapters.control_messages import Done, StopNow
    from dialer.cli.loop import run_async
    from dialer.errors import DialerError

    answers = _ask_all(data, running, StopNow(everywhere=True))
    stored = any(isinstance(answer, Done) and answer.stored for answer in answers.values())
    note, failed = "every call is forbidden in the store until `dialer resume --all`", False
    if redis_url is not None or not stored:
        try:
            run_async(_forbid(data, redis_url))
        except DialerError as error:
            note, failed = f"the store could not be told to forbid every call: {error}", True
    return _tell_all(answers, note, json=json, failed=failed)


async def _forbid(data: Path, redis_url: str | None) -> None:
    from compliance.ruleset import EVERYTHING
    from dialer.adapters.audit import audit_log, myself
    from dialer.adapters.store.redis import open_store
    from dialer.adapters.supervisor import EMERGENCY

    _must_have_store(data, redis_url)
    async with open_store(redis_url, data) as store:
        await store.stop(EVERYTHING, EMERGENCY)
    audit_log(data).write(myself(), "*", "stop --all --now")


async def _lift(data: Path, redis_url: str | None) -> bool:
    from compliance.ruleset import EVERYTHING
    from dialer.adapters.audit import audit_log, myself
    from dialer.adapters.store.redis import open_store
    from dialer.cli.record_store import lift

    _must_have_store(data, redis_url)
    async with open_store(redis_url, data) as store:
        lifted = await lift(store, EVERYTHING, data)
    audit_log(data).write(myself(), "*", "resume --all")
    return bool(lifted)


def _must_have_store(data: Path, redis_url: str | None) -> None:
    """Raise `ConfigError` where the embedded store is meant and there is none: a new one would stop nothing."""
    from dialer.errors import ConfigError

    if redis_url is None and not (data / "store").is_dir():
        raise ConfigError(f"{data}: no store here: name the campaigns' data folder with --data, or their --redis-url")
