"""The audit of journals: every call that was placed, checked again by the auditor of `compliance.auditor`.

How it works: the journals that are audited and those of the same data folder (caps and stops are shared) are gone
through as one, in the order of time. At each `Originate` the number's place is found again, the hours are asked at that
moment, the caps at that of the claim, and the stops that had been seen and not been taken back by then. What happened
outside our campaigns, registries, consents and the hours a person asked for stand in the store and not in a journal:
claims alone check them. Rules and data are those of today: where a journal was run with others, a note says so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from heapq import merge
from pathlib import Path

import msgspec

from compliance.auditor import Auditor, Finding, Happening, Question
from compliance.auditor.clocks import zone_names
from compliance.auditor.question import kinds_of_attempt
from compliance.auditor.whereabouts import find_place, is_among
from compliance.clearance import Place
from dialer.adapters.audit_report import AuditReport, Violation
from dialer.adapters.audited_rules import book_of, campaign_of_header
from dialer.adapters.audited_stops import AuditedStops
from dialer.adapters.audited_versions import VersionsOf, notes_on_versions
from dialer.adapters.journal import Header, read_journal
from dialer.adapters.lifted_stops import LiftedStop, lifted_path, read_lifted
from dialer.core import actions as act
from dialer.core import events as ev
from dialer.core.lead import Lead, PhoneNumber
from dialer.errors import ConfigError, JournalCutOff, JournalError

TOLD_EVERY = 1000  # steps
EVERYTHING = "everything"


class Step(msgspec.Struct, frozen=True, gc=False):
    """One event of one journal, with the actions that answered it."""

    at: float
    journal: int  # which
    line: int
    event: ev.AnyEvent
    actions: list[act.AnyAction]


# ---- which journals -----------------------------------------------------------------------------------------
def journals_to_audit(what: str, data_dir: Path) -> tuple[list[Path], list[Path]]:
    """Return the journals to audit and those to look back into: of a campaign by its name, or one file.

    Raises `ConfigError` where there is no such journal.
    """
    path = Path(what)
    if path.is_file():
        folder = path.resolve().parent.parent
        beside = sorted(folder.glob("*/*.jsonl")) if folder.name == "journal" else []
        return [path], [other for other in beside if other != path.resolve()]
    folder = data_dir / "journal"
    every = sorted(folder.glob("*/*.jsonl"))
    chosen = [other for other in every if other.parent.name == what]
    if not chosen:
        names = sorted({other.parent.name for other in every})
        there = ", ".join(names) if names else "none"
        raise ConfigError(
            f"{what}: expected a journal, or a campaign with journals in {folder}, found there: {there}: "
            "name the campaign's data folder with --data"
        )
    return chosen, [other for other in every if other.parent.name != what]


def lines_of(journals: Sequence[Path]) -> int:
    """Return how many lines they have."""
    count = 0
    for path in journals:
        with path.open("rb") as file:
            while block := file.read(1 << 20):
                count += block.count(b"\n")
    return count


def audit_journals(
    journals: Sequence[Path],
    *,
    beside: Sequence[Path] = (),
    versions_of: VersionsOf | None = None,
    told: Callable[[float], None] | None = None,
) -> AuditReport:
    """Check every call that these journals placed; `told` is given the lines done, now and then.

    `versions_of` says what verdicts on a campaign depend on today. The stops that were taken back are read where the
    journals are. A journal that ends within a line is noted. Raises `JournalError` for a file that is no journal,
    `ConfigError` for rules that cannot be read.
    """
    folders = {path.resolve().parent.parent for path in (*journals, *beside)}
    audit = _Audit(told, versions_of, read_lifted(lifted_path(folder) for folder in sorted(folders)))
    for path in journals:
        audit.open(path, audited=True)
    for path in beside:
        audit.open(path, audited=False)
    return audit.run()


# ---- what is known on the way -------------------------------------------------------------------------------
@dataclass(slots=True)
class _Attempt:
    """An attempt that was placed, or that an earlier run may have placed."""

    claimed_at: float
    number: str
    person: str
    debt: str
    account: str
    subject: str
    campaign: str
    use: str
    disposition: str | None = None
    settled: bool = False

    def happening(self) -> Happening:
        return Happening(
            at=self.claimed_at,
            kinds=kinds_of_attempt(self.disposition),
            disposition=self.disposition or "",
            person=self.person,
            debt=self.debt,
            account=self.account,
            number=self.number,
            subject=self.subject,
            campaign=self.campaign,
            use=self.use,
        )

    def streams(self) -> tuple[tuple[str, str], ...]:
        """Where a rule looks for it."""
        return tuple((kind, getattr(self, kind)) for kind in _STREAMS if getattr(self, kind))


_STREAMS = ("person", "debt", "account", "number", "subject", "campaign")


@dataclass(slots=True)
class _Run:
    """One journal: its rules, and what of it has been seen so far."""

    index: int
    path: Path
    audited: bool
    header: Header
    auditor: Auditor
    subject: str
    campaign: str
    steps: Iterator[Step]
    leads: dict[str, Lead] = field(default_factory=dict)
    claims: dict[int, act.Claim] = field(default_factory=dict)
    held: set[int] = field(default_factory=set)
    placed: set[tuple[int, int]] = field(default_factory=set)


class _Audit:
    def __init__(
        self, told: Callable[[float], None] | None, versions_of: VersionsOf | None, lifted: Sequence[LiftedStop]
    ) -> None:
        self._told = told
        self._versions_of = versions_of
        self._versions: dict[str, tuple[Mapping[str, str], Mapping[str, str]]] = {}  # by journal: recorded, of today
        self._runs: list[_Run] = []
        self._audited: list[Path] = []
        self._auditors: dict[bytes, Auditor] = {}
        self._attempts: dict[tuple[str, int], _Attempt] = {}
        self._streams: dict[tuple[str, str], list[_Attempt]] = {}
        self._stops = AuditedStops(lifted)  # of all journals
        self._places: dict[str, tuple[Place, tuple[Finding, ...]]] = {}
        self._violations: list[Violation] = []
        self._checked = 0
        self._looked_back = 0
        self._cut_off: list[int] = []  # runs whose journal ends within a line
        self._unbegun: list[Path] = []  # journals without a whole first line
        self._own_zones: set[str] = set()  # numbers whose zone the list named

    # ---- reading ----------------------------------------------------------------------------------------------
    def open(self, path: Path, *, audited: bool) -> None:
        """Take in a journal's header and rules."""
        if audited:
            self._audited.append(path)
        try:
            header, steps = read_journal(path)
        except JournalCutOff:
            self._unbegun.append(path)
            return
        shape = msgspec.json.encode(header.campaign)
        auditor = self._auditors.get(shape)
        campaign = campaign_of_header(header, path)
        if auditor is None:
            auditor = self._auditors[shape] = Auditor(book_of(campaign))
        if audited and self._versions_of is not None:
            self._versions[str(path)] = (header.versions, self._versions_of(campaign))
        name = str(header.campaign["campaign"])
        index = len(self._runs)
        run = _Run(
            index=index,
            path=path,
            audited=audited,
            header=header,
            auditor=auditor,
            subject=str(header.campaign.get("subject") or name),
            campaign=name,
            steps=self._steps(index, steps),
        )
        self._runs.append(run)

    def _steps(self, index: int, steps: Iterator[tuple[ev.AnyEvent, list[act.AnyAction]]]) -> Iterator[Step]:
        """Number the lines; damage is a violation, for what follows was not checked.

        A last line that is cut off is none: nothing follows it, and actions are carried out once they are written.
        """
        line = 2
        try:
            for event, actions in steps:
                yield Step(event.at, index, line, event, actions)
                line += 1 + len(actions)
        except JournalCutOff:
            self._cut_off.append(index)
        except JournalError as error:
            run = self._runs[index]
            where, _, text = str(error).removeprefix(f"{run.path}:").partition(": ")
            damaged = int(where) if where.isdecimal() else line
            self._add(run, damaged, None, None, None, Finding(rule="journal.damaged", text=text))

    def run(self) -> AuditReport:
        """Go through all of them in the order of time."""
        steps = lines = 0
        for step in merge(*(run.steps for run in self._runs), key=lambda step: step.at):
            self._stops.go_to(step.at)
            self._take(self._runs[step.journal], step)
            steps, lines = steps + 1, lines + 1 + len(step.actions)
            if self._told is not None and steps % TOLD_EVERY == 0:
                self._told(lines)
        notes = [*notes_on_versions(self._versions), *self._notes_on_ends()]
        if self._own_zones:
            notes.append(
                f"{len(self._own_zones)} numbers were held to the zone that their list named, not to their own"
            )
        return AuditReport(
            journals=tuple(str(path) for path in self._audited),
            attempts=self._checked,
            looked_back=self._looked_back,
            violations=tuple(self._violations),
            notes=tuple(notes),
            versions={path: dict(recorded) for path, (recorded, _) in self._versions.items()},
            versions_now={name: each for _, now in self._versions.values() for name, each in now.items()},
        )

    def _notes_on_ends(self) -> Iterator[str]:
        """Tell of journals that end within a line, and what that means for the counts."""
        killed = "the program was killed or the disk full"
        for path in self._unbegun:
            yield f"{path}: not even the first line is whole: {killed} before anything was done"
        for index in sorted(self._cut_off):
            run = self._runs[index]
            tried = {attempt_id for attempt_id, _ in run.placed}
            unknown = sum(not self._attempts[run.campaign, attempt_id].settled for attempt_id in tried)
            those = "attempt" if unknown == 1 else "attempts"
            counted = f"; {unknown:,} {those} whose end is unknown counted as everything" if unknown else ""
            yield f"{run.path}: the last line is cut off: {killed}{counted}"

    def _take(self, run: _Run, step: Step) -> None:
        event = step.event
        match event:
            case ev.LeadsAdded():
                run.leads.update((lead.lead_id, lead) for lead in event.leads)
            case ev.Reserved():
                run.held.update(event.attempt_ids)
            case ev.LeadStopped():
                self._stops.add((event.key,), event.reason, event.at, run.index)
            case ev.AttemptsInherited():
                for claim in event.claims:
                    self._inherit(run, claim)
            case _:
                pass
        for number, action in enumerate(step.actions, start=1):
            match action:
                case act.Reserve():
                    run.claims.update((claim.attempt_id, claim) for claim in action.claims)
                case act.Originate():
                    self._place_call(run, step.line + number, event.at, action)
                case act.Settle():
                    for settlement in action.settlements:
                        self._settle(run, settlement)
                case act.Stop():
                    self._stops.add(action.keys, action.reason, event.at, run.index)
                case _:
                    pass

    # ---- what happened ----------------------------------------------------------------------------------------
    def _inherit(self, run: _Run, claim: act.Claim) -> None:
        """An earlier run's claim: placed or not, unless that run's own journal has told already."""
        if (run.campaign, claim.attempt_id) not in self._attempts and not self._journal_known(run, claim.attempt_id):
            self._remember(run, claim.attempt_id, claim.lead_id, claim.number, claim.at)

    def _journal_known(self, run: _Run, attempt_id: int) -> bool:
        return any(
            other is not run and other.campaign == run.campaign and attempt_id in other.claims for other in self._runs
        )

    def _remember(self, run: _Run, attempt_id: int, lead_id: str, number: str, at: float) -> _Attempt:
        lead = run.leads.get(lead_id)
        attempt = _Attempt(
            claimed_at=at,
            number=number,
            person=lead.person if lead else "",
            debt=lead.debt if lead else "",
            account=lead.account if lead else "",
            subject=run.subject,
            campaign=run.campaign,
            use=_use_of(lead, number),
        )
        self._attempts[run.campaign, attempt_id] = attempt
        for stream in attempt.streams():
            self._streams.setdefault(stream, []).append(attempt)
        return attempt

    def _settle(self, run: _Run, settlement: act.Settlement) -> None:
        attempt = self._attempts.get((run.campaign, settlement.attempt_id))
        if attempt is not None:
            attempt.disposition = settlement.disposition
            attempt.settled = True
        self._stops.add(settlement.stop_keys, settlement.stop_reason, settlement.at, run.index)

    # ---- the checks -------------------------------------------------------------------------------------------
    def _place_call(self, run: _Run, line: int, at: float, call: act.Originate) -> None:
        known = self._attempts.get((run.campaign, call.attempt_id))
        claim = run.claims.get(call.attempt_id)
        lead = run.leads.get(call.lead_id)
        claimed_at = claim.at if claim is not None else at
        if run.audited:
            self._checked += call.try_no == 1
            for finding in self._wrong(run, at, call, claim, lead, known):
                self._add(run, line, at, call.attempt_id, call.number, finding)
        else:
            self._looked_back += 1
        run.placed.add((call.attempt_id, call.try_no))
        if known is None:
            self._remember(run, call.attempt_id, call.lead_id, call.number, claimed_at)

    def _wrong(
        self,
        run: _Run,
        at: float,
        call: act.Originate,
        claim: act.Claim | None,
        lead: Lead | None,
        known: _Attempt | None,
    ) -> Iterator[Finding]:
        """Yield all that forbade this call."""
        yield from _out_of_order(run, at, call, claim, known)
        number = None if lead is None else _number_of(lead, call.number)
        if lead is None or number is None:
            yield Finding(rule="lead.unknown", text=f"no lead {call.lead_id!r} with this number was loaded before")
            return
        claimed_at = claim.at if claim is not None else at
        for key, stop in self._stops.against(_stop_keys(lead, number), run.index, claimed_at=claimed_at, at=at):
            yield Finding(rule=f"stop:{stop.reason}", text=f"{key} had been stopped {at - stop.since:.0f} s before")
        place, faults = self._where(run, number)
        yield from faults
        if faults:
            return
        yield from run.auditor.shut(place, at)
        yield from _undeclared(run.auditor, place, claim)
        if known is None:  # a further try is the same attempt
            question = _question_of(run, lead, number, claimed_at)
            yield from run.auditor.too_many(question, place, self._past(run.auditor, question))

    def _where(self, run: _Run, number: PhoneNumber) -> tuple[Place, tuple[Finding, ...]]:
        """Find the number's place again, and join it with what the lead's address told at its import."""
        found = self._places.get(number.e164)
        if found is None:
            resolved = find_place(number.e164)
            found = self._places[number.e164] = (resolved.place, resolved.faults)
        alone, faults = found
        if faults:
            return alone, faults
        stored = number.place
        jurisdictions = tuple(sorted({*alone.jurisdictions, *stored.jurisdictions}))
        zones = stored.zones
        if not set(alone.zones) <= set(stored.zones):
            if len(stored.zones) == 1:  # a zone that the list names stands instead of all others
                [zone] = stored.zones
                if zone not in zone_names() or not is_among(zone, set(alone.zones), set(jurisdictions), False):
                    text = f"{zone} is no zone of {', '.join(jurisdictions)}"
                    return alone, (Finding(rule="zone.contradictory", text=text),)
                self._own_zones.add(number.e164)
            else:
                zones = tuple(sorted({*alone.zones, *stored.zones}))
        place = Place(jurisdictions, zones)
        outside = {code[:2] for code in jurisdictions} - {code[:2] for code in _countries_of(run.header)}
        missing = tuple(
            Finding(rule="jurisdiction.unknown", text=f"{country} is none of the campaign's jurisdictions")
            for country in sorted(outside)
        )
        return place, missing or run.auditor.unknown_countries(place)

    def _past(self, auditor: Auditor, question: Question) -> list[Happening]:
        """What may count for this call: what shares a part of a rule's key with it."""
        found: dict[int, _Attempt] = {}
        for kind in auditor.streams:
            for attempt in self._streams.get((kind, getattr(question, kind)), ()):
                found[id(attempt)] = attempt
        return [attempt.happening() for attempt in found.values()]

    def _add(
        self, run: _Run, line: int, at: float | None, attempt_id: int | None, number: str | None, finding: Finding
    ) -> None:
        self._violations.append(
            Violation(
                journal=str(run.path),
                line=line,
                at=at,
                campaign=run.campaign,
                attempt_id=attempt_id,
                number=number,
                rule=finding.rule,
                text=finding.text,
                cite=finding.cite,
            )
        )


def _out_of_order(
    run: _Run, at: float, call: act.Originate, claim: act.Claim | None, known: _Attempt | None
) -> Iterator[Finding]:
    """Durable before irreversible: claimed, held, placed once a try, and not after its end."""
    if claim is None:
        yield Finding(rule="attempt.unclaimed", text="no claim of it stands before it")
    elif (claim.number, claim.lead_id) != (call.number, call.lead_id):
        yield Finding(rule="attempt.other", text=f"its claim was for {claim.number} of the lead {claim.lead_id!r}")
    elif claim.at > at:
        yield Finding(rule="attempt.order", text=f"it was claimed {claim.at - at:.1f} s later")
    if call.attempt_id not in run.held:
        yield Finding(rule="attempt.unreserved", text="no Reserved of it stands before it")
    if (call.attempt_id, call.try_no) in run.placed:
        yield Finding(rule="attempt.repeated", text=f"its try {call.try_no} had been placed before")
    if known is not None and known.settled:
        yield Finding(rule="attempt.settled", text="it had been settled before")


def _undeclared(auditor: Auditor, place: Place, claim: act.Claim | None) -> Iterator[Finding]:
    """A claim names the rules in force: one that is missing was not looked at."""
    if claim is None:
        return
    wanted = {profile.id for profile in auditor.in_force_anywhere(place, claim.at)}
    if missing := sorted(wanted - set(claim.profiles)):
        yield Finding(rule="claim.profiles", text=f"the claim does not name rules in force: {', '.join(missing)}")


def _question_of(run: _Run, lead: Lead, number: PhoneNumber, at: float) -> Question:
    return Question(
        number=number.e164,
        at=at,
        person=lead.person,
        debt=lead.debt,
        account=lead.account,
        subject=run.subject,
        campaign=run.campaign,
        use=number.use,
    )


def _number_of(lead: Lead, e164: str) -> PhoneNumber | None:
    return next((number for number in lead.numbers if number.e164 == e164), None)


def _use_of(lead: Lead | None, e164: str) -> str:
    number = None if lead is None else _number_of(lead, e164)
    return "" if number is None else number.use


def _stop_keys(lead: Lead, number: PhoneNumber) -> tuple[str, ...]:
    return (
        f"lead:{lead.lead_id}",
        f"number:{number.e164}",
        f"person:{lead.person}",
        f"debt:{lead.debt}",
        *((f"account:{lead.account}",) if lead.account else ()),
        *((f"work:{lead.person}",) if number.use == "work" else ()),
        EVERYTHING,
    )


def _countries_of(header: Header) -> tuple[str, ...]:
    return tuple(str(code) for code in header.campaign["jurisdictions"])
