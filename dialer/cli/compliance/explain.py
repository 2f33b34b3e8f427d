"""`dialer compliance explain`: may this number be called then, and by which article of the law not."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from compliance.rule import Scope
from dialer.cli.sim.output import STDOUT, FileTo
from dialer.errors import ConfigError

if TYPE_CHECKING:
    from datetime import datetime
    from typing import BinaryIO

    from dialer.adapters.question_file import Question
    from dialer.cli.compliance.answer import Answer


def explain(
    *,
    number: str | None = None,
    at: str | None = None,
    scope: Scope = "debt_collection",
    subdivision: str = "",
    postal: str = "",
    debt: str = "",
    person: str = "",
    history: Path | None = None,
    batch: FileTo = None,
    json: bool = False,
) -> int:
    """Say whether the law lets a number be called at a time, why not, and from when on it does.

    It knows the law, our policy, the clock and the history that it is given, and no store: stops, do-not-call
    registries, consent and the hours a person asked for are looked at by `dialer why`, and by every claim. Exits 0
    where the call is allowed, 1 where it is not, 2 where the question needs mending; a batch exits 0 where every line
    was a question, 2 where one was not (it is answered all the same, as not allowed).

    Parameters
    ----------
    number
        In E.164, as +573001234567.
    at
        The time with its offset, as 2026-12-08T10:00-05:00; now if not given.
    scope
        What the call is for.
    subdivision
        Where the person lives, where the list knows it: US-MA, ES-MD.
    postal
        The postal code, where the list knows it.
    debt
        The debt's id. Facts of the history about another debt do not count against caps by debt.
    person
        The person's id.
    history
        A JSON file with what has happened: [{"kind": "attempt", "at": "2026-12-07T10:00-05:00", "debt": "D-1"}, ...].
        Kinds: attempt, contact, conversation, refusal, abandoned; `channel` where it was not a call of ours.
    batch
        A file of JSON lines, or `-`: {"id", "number", "at", "scope"} and optionally subdivision, postal, debt, person,
        history. A line out for each line in, in the same order.
    json
        Print JSON.
    """
    if batch is not None:
        if any((number, at, subdivision, postal, debt, person, history)):
            raise ConfigError("--batch: expected nothing beside it: number, time and all else stand in its lines")
        return _answer_batch(batch)
    if number is None:
        raise ConfigError("--number: missing: expected a number in E.164, as +573001234567, or --batch FILE.jsonl")
    return _answer_one(_question(number, at, scope, subdivision, postal, debt, person, history), json=json)


def _question(
    number: str,
    at: str | None,
    scope: Scope,
    subdivision: str,
    postal: str,
    debt: str,
    person: str,
    history: Path | None,
) -> Question:
    from dialer.adapters.question_file import Question, read_history

    moment = _moment(at)
    facts = () if history is None else read_history(_contents(history), str(history), moment)
    return Question(
        id="",
        line=0,
        number=number,
        at=moment,
        scope=scope,
        subdivision=subdivision,
        postal=postal,
        debt=debt,
        person=person,
        history=facts,
    )


def _moment(at: str | None) -> datetime:
    from datetime import datetime

    from dialer.adapters.question_file import read_moment

    if at is None:
        return datetime.now().astimezone().replace(microsecond=0)
    try:
        return read_moment(at)
    except ValueError as fault:
        raise ConfigError(f"--at: {fault}") from fault


def _contents(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror or error}") from error


def _answer_one(question: Question, *, json: bool) -> int:
    import msgspec

    from dialer.cli.compliance.answer import Answerer
    from dialer.cli.compliance.answer_view import show
    from dialer.cli.safe_text import safe_json

    answer = Answerer().answer(question)
    if json:
        print(safe_json(msgspec.json.encode(answer).decode()))
    else:
        show(question, answer)
    return 0 if answer.allowed else 1


def _answer_batch(path: Path) -> int:
    """Answer each line as it is read; a line that is no question is told on stderr as well."""
    import sys
    from contextlib import ExitStack

    with ExitStack() as stack:
        try:
            file = sys.stdin.buffer if path == STDOUT else stack.enter_context(path.open("rb"))
        except OSError as error:
            raise ConfigError(f"{path}: cannot be read: {error.strerror or error}") from error
        bad = _answer_lines(file, "stdin" if path == STDOUT else str(path))
    return 2 if bad else 0


def _answer_lines(file: BinaryIO, name: str) -> int:
    """Write an answer for each line; returns how many lines were no questions."""
    import sys

    from dialer.adapters.question_file import Question, read_questions
    from dialer.cli.compliance.answer import Answerer
    from dialer.cli.safe_text import say

    bad = 0
    answerer = Answerer()
    for question in read_questions(file, name):
        if isinstance(question, Question):
            answer = answerer.answer(question)
        else:
            bad += 1
            say(question.fault, file=sys.stderr)
            answer = answerer.refuse(question)
        sys.stdout.write(_line(question.id, answer) + "\n")
    return bad


def _line(id: str | int | None, answer: Answer) -> str:
    """Return the answer as a line of JSON, with the id of its question before all else."""
    import json

    import msgspec

    from dialer.cli.safe_text import safe_json

    told = json.dumps(id)  # it takes whole numbers of any length, which the quick encoder does not
    return f'{{"id":{safe_json(told)},{safe_json(msgspec.json.encode(answer).decode())[1:]}'
