"""The commands on people's records, on a real store: who is stopped, listed, consents; and why a number is called."""

from __future__ import annotations

import csv
import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from compliance.facts import outside_outcome
from compliance.streams import Record
from dialer.adapters.audit import audit_log
from dialer.adapters.store.redis import RedisStore, open_store
from dialer.cli.app import main
from dialer.cli.loop import run_async
from dialer.config.example import write_example
from dialer.core.lead import Lead, PhoneNumber

ANA, LUIS, HOME = "+51999000111", "+51984765432", "+5114567890"
MONDAY = "2026-03-02T10:00-05:00"  # open in Lima, and long past
HOSTILE = "Ana \x1b[31m=cmd|' /C calc'!A0"

pytestmark = pytest.mark.timeout(180)


def number(e164: str, use: str = "") -> PhoneNumber:
    return PhoneNumber(
        e164=e164, zones=("America/Lima",), country="PE", line_type="mobile", jurisdictions=("PE",), use=use
    )


LEADS = [
    Lead(lead_id="L1", numbers=(number(ANA), number(HOME, "work")), person="ana", debt="D1", name=HOSTILE),
    Lead(lead_id="L2", numbers=(number(LUIS),), person="luis", debt="D2"),
]
OTHER = [Lead(lead_id="L9", numbers=(number(ANA),), person="ana", debt="D9")]


class Desk:
    """A data folder with two campaigns, and the command line."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self.data = folder / "data"
        self._capsys = capsys

    def run(self, *arguments: str, code: int = 0) -> tuple[str, str]:
        self._capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main([*arguments, "--data", str(self.data)])
        out, err = self._capsys.readouterr()
        assert (ended.value.code or 0) == code, (arguments, out, err)
        return out, err

    def json(self, *arguments: str, code: int = 0) -> Any:
        return json.loads(self.run(*arguments, "--json", code=code)[0])

    def file(self, text: str | bytes, name: str = "file.csv") -> str:
        path = self.folder / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return str(path)

    def ask(self, question: Any) -> Any:
        async def asked() -> Any:
            async with open_store(None, self.data) as store:
                return await question(store)

        return run_async(asked())

    def stopped(self) -> dict[str, str]:
        stops: dict[str, tuple[str, ...]] = self.ask(lambda store: store.all_stops())
        return {key: ", ".join(reasons) for key, reasons in stops.items()}

    def orders(self) -> list[tuple[str, bool]]:
        return [(entry.what, entry.accepted) for entry in audit_log(self.data).read()]


async def _fill(store: RedisStore) -> None:
    await store.add_leads("example", LEADS)
    await store.add_leads("other", OTHER)


@pytest.fixture
def desk(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Desk:
    desk = Desk(tmp_path, capsys)
    desk.ask(_fill)
    return desk


# ---- do not call ------------------------------------------------------------------------------------------------
def test_a_request_not_to_be_called_and_its_end(desk: Desk) -> None:
    out, _ = desk.run("dnc", "add", ANA, "person:luis", "--reason", "said so by letter")
    assert out.splitlines()[0] == f"number:{ANA} is stopped (do_not_call): it will not be dialled again"
    assert desk.stopped() == {f"number:{ANA}": "do_not_call", "person:luis": "do_not_call"}
    assert desk.json("dnc", "check", LUIS, code=1)["stops"] == {"person:luis": ["do_not_call"]}
    desk.run("lead", "stop", "debt:D1", "--reason", "paid")
    out, _ = desk.run("dnc", "check", HOME, code=1)
    assert out == "stopped (paid): debt:D1\n"

    desk.run("dnc", "remove", "person:luis", "--reason", "an error of ours")
    desk.run("dnc", "remove", "person:luis", "--reason", "again", code=1)
    desk.run("lead", "stop", LUIS, "--reason", "deceased")
    out, _ = desk.run("dnc", "remove", LUIS, "--reason", "he asked", code=1)
    assert (
        out == f"number:{LUIS} stays stopped (deceased): that is no request not to be called; see `dialer lead lift`\n"
    )
    assert desk.stopped()[f"number:{LUIS}"] == "deceased"
    assert desk.orders()[-1] == ("dnc remove", False)
    assert (
        ANA not in (desk.data / "audit.jsonl").read_text() and "+5199•••111" in (desk.data / "audit.jsonl").read_text()
    )


def test_many_numbers_from_a_file_and_a_national_one(desk: Desk) -> None:
    numbers = "".join(f"9991{n:05}\n" for n in range(150))
    out, _ = desk.run("dnc", "add", "--file", desk.file(numbers + "x\n"), "--country", "PE", code=1)
    assert "150 are stopped" in out and "1 lines without a number" in out
    assert len(desk.stopped()) == 150
    desk.run("dnc", "add", "999000111", code=2)
    desk.run("dnc", "add", "999000111", "--country", "PE")
    assert f"number:{ANA}" in desk.stopped()
    desk.run("dnc", "add", code=2)
    desk.run("dnc", "add", "lead:L1", code=2)


def test_a_registry_is_replaced_as_a_whole_or_not_at_all(desk: Desk) -> None:
    first = desk.file(
        f"Fecha;Teléfono\r\n2026-01-02;{ANA}\r\n2026-01-02;{LUIS}\r\n2026-01-02;{HOME}\r\n".encode("utf-8-sig")
    )
    out, _ = desk.run("dnc", "import", first, "--registry", "no_insista", "--as-of", "2026-02-01")
    assert out.splitlines() == [
        f"no_insista: 3 numbers as of 2026-02-01, from {first} (3 lines)",
        "no rule of ours asks for no_insista: it counts where a campaign names it in dnc_registries",
    ]
    [info] = desk.json("dnc", "list")
    assert (info["name"], info["count"], info["source"]) == ("no_insista", 3, first)
    assert [on["name"] for on in desk.json("dnc", "check", ANA, code=1)["registries"]] == ["no_insista"]
    assert "on no registry here" in desk.run("dnc", "check", "+51999999999")[0]

    def bad(text: str | bytes, fault: str, as_of: str = "2026-02-02", name: str = "bad.csv") -> None:
        path = desk.file(text, name)
        _, err = desk.run("dnc", "import", path, "--registry", "no_insista", "--as-of", as_of, code=2)
        assert err.count("\n") == 1 and fault in err and path in err

    bad("nombre,dni\nAna,12345678\n", "expected a first line of column names with one of numbers")
    bad(f"telefono\n{ANA}\n", "expected about the 3 numbers of the present copy of no_insista, found 1")
    bad(f"{ANA}\n{LUIS}\n{HOME}\n", "expected a file newer", as_of="2026-01-01")
    bad(b"\x1f\x8bbroken", "cannot be", name="bad.csv.gz")
    assert desk.json("dnc", "list") == [info]
    desk.run("dnc", "import", first, "--registry", "no_insista", "--as-of", "2999-01-01", code=2)
    desk.run("dnc", "import", first, "--registry", "no insista", "--as-of", "2026-02-02", code=2)

    packed = desk.file(gzip.compress(f"numero\n{ANA}\n=1+1\n{HOME}\n".encode("utf-16")), "next.csv.gz")
    out, _ = desk.run("dnc", "import", packed, "--registry", "no_insista", "--as-of", "2026-02-02", code=1)
    assert "no_insista: 2 numbers" in out and "1 lines without a number" in out
    with Path(packed).with_suffix(".rejected.csv").open(encoding="utf-8-sig", newline="") as file:
        assert list(csv.reader(file))[1][0::2] == ["3", "'=1+1"]
    desk.run("dnc", "check", LUIS)
    desk.run("dnc", "import", desk.file(f"{ANA}\n"), "--registry", "no_insista", "--as-of", "2026-01-01", "--force")
    assert desk.json("dnc", "list")[0]["count"] == 1
    assert desk.orders()[:3] == [("dnc import", True), ("dnc import", False), ("dnc import", False)]


# ---- stops and hours --------------------------------------------------------------------------------------------
def test_stops_of_all_kinds_from_a_file_as_excel_saves_it(desk: Desk) -> None:
    rows = [
        "key;reason;nombre",
        f"{ANA};attorney;{HOSTILE}",
        "'person:luis;Cease request;",
        "L1;paid;",
        "debt:D2;disputed;",
        "account:A1;fraud;",
        "work:ana;employer;",
        "person:ana;employer;=1+1",
        "L2;whatever;",
        ";paid;",
    ]
    path = desk.file("\r\n".join(rows).encode("utf-8-sig"))
    out, _ = desk.run("lead", "stop", "--file", path, code=1)
    assert "\x1b" not in out and "3 rows stop nobody" in out
    assert desk.stopped() == {
        f"number:{ANA}": "attorney", "person:luis": "cease_request", "lead:L1": "paid", "debt:D2": "disputed",
        "account:A1": "fraud", "work:ana": "employer",
    }  # fmt: skip
    with Path(path).with_suffix(".rejected.csv").open(encoding="utf-8-sig", newline="") as file:
        rejected = list(csv.reader(file, delimiter=";"))
    assert [row[0] for row in rejected[1:]] == ["8", "9", "10"] and rejected[1][4] == "'=1+1"
    desk.run("lead", "stop", "--file", desk.file("nombre;motivo\nAna;paid\n"), code=2)
    desk.run("lead", "stop", "L1", code=2)
    desk.run("lead", "stop", "999000111222", "--reason", "paid", code=2)

    out, _ = desk.run("lead", "lift", "person:luis", "--reason-text", "withdrawn in writing")
    assert "it was: cease_request" in out and "from its next run" in out
    desk.run("lead", "lift", "person:luis", "--reason-text", "again", code=1)
    assert "person:luis" not in desk.stopped() and desk.orders()[-1] == ("lead lift", True)


def test_a_request_outlives_the_other_reasons_of_a_stop(desk: Desk) -> None:
    desk.run("lead", "stop", "person:luis", "--reason", "paid")
    out, _ = desk.run("dnc", "add", "person:luis")
    assert out.endswith("(it was stopped already: paid)\n")
    told = {reason["rule"] for reason in desk.json("why", LUIS, "--at", MONDAY, code=1)["leads"][0]["reasons"]}
    assert told == {"stop:paid", "stop:do_not_call"}
    assert desk.run("dnc", "check", LUIS, code=1)[0] == "stopped (paid, do_not_call): person:luis\n"
    out, _ = desk.run("lead", "lift", "person:luis", "--reason", "fraud", "--reason-text", "an error", code=1)
    assert out == "person:luis is stopped for paid, do_not_call, not for fraud\n"
    out, _ = desk.run("lead", "lift", "person:luis", "--reason", "paid", "--reason-text", "it bounced")
    assert out == "person:luis stays stopped (do_not_call), no more for paid\n"
    desk.run("lead", "stop", "person:luis", "--reason", "attorney")
    out, _ = desk.run("dnc", "remove", "person:luis", "--reason", "he asked")
    assert out.startswith("the request of person:luis is taken back; it stays stopped (attorney)")
    assert desk.stopped() == {"person:luis": "attorney"}
    desk.run("lead", "lift", "person:luis", "--reason-text", "all of it")
    assert desk.stopped() == {}
    lines = (desk.data / "journal" / "lifted.jsonl").read_text().splitlines()
    assert [json.loads(line)["reasons"] for line in lines] == [["paid"], ["do_not_call"], ["attorney"]]
    assert (desk.data / "journal" / "lifted.jsonl").stat().st_mode & 0o777 == 0o600


def test_the_hours_that_a_person_named(desk: Desk) -> None:
    out, _ = desk.run("lead", "hours", "ana", "--not", "mon-fri 09:00-17:00", "--not", "sun 22:00-02:00")
    assert out == "person:ana is not called mon 00:00-02:00; mon-fri 09:00-17:00; sun 22:00-24:00, by their clock\n"
    assert desk.json("why", ANA, "--at", MONDAY, code=1)["leads"][0]["reasons"][0]["rule"] == "person.hours"
    assert desk.run("lead", "hours", "person:ana", "--show")[0] == out
    desk.run("lead", "hours", "ana", "--not", "mon-fri 9-5pm", code=2)
    desk.run("lead", "hours", "ana", code=2)
    assert desk.run("lead", "hours", "ana", "--clear", "--not", "sat")[0].endswith(
        "not called sat 00:00-24:00, by their clock\n"
    )
    assert desk.run("lead", "hours", "ana", "--clear")[0] == "person:ana: no hours\n"


# ---- consent ----------------------------------------------------------------------------------------------------
def test_consents_are_given_shown_and_revoked(desk: Desk) -> None:
    desk.run("consent", "check", "person:ana", code=1)
    desk.run(
        "consent", "give", "person:ana", "--scope", "telemarketing", "--source", f"form {HOSTILE}", "--at", "2026-01-02"
    )
    out, _ = desk.run("consent", "check", "person:ana")
    assert "person:ana, telemarketing: consent since 2026-01-02T00:00:00+00:00, from form Ana \\x1b[31m" in out
    path = desk.file(
        "telefono;fecha;expires;source\n"
        f"{LUIS};2026-01-05T10:00-05:00;2026-02-01;contract 7\n{ANA};mañana;;x\n{HOME};2999-01-01;;x\n"
    )
    out, _ = desk.run("consent", "import", path, "--scope", "telemarketing", code=1)
    assert "1 consents recorded" in out and "2 rows were not" in out
    assert "(over)" in desk.run("consent", "check", LUIS, code=1)[0]
    desk.run("consent", "import", path, code=2)
    out, _ = desk.run("consent", "revoke", "person:ana")
    assert out.startswith("person:ana, telemarketing: revoked: what was agreed to until 2")
    desk.run("consent", "revoke", "person:ana", code=1)
    desk.run("consent", "give", ANA, "--scope", "telemarketing", "--source", "", code=2)


def test_a_revocation_has_the_last_word_under_every_key(desk: Desk) -> None:
    old = ("--scope", "telemarketing", "--source", "form", "--at", "2026-01-02")
    desk.run("consent", "give", ANA, *old)
    assert desk.json("consent", "check", ANA)["holds"]
    out, _ = desk.run("consent", "revoke", "person:ana", "--scope", "telemarketing", "--at", "2026-01-03")
    assert out.startswith(f"number:{ANA}, telemarketing: revoked: ") and "stands" not in out
    out, _ = desk.run("consent", "check", ANA, code=1)
    assert out.splitlines() == [
        f"number:{ANA}, telemarketing: consent since 2026-01-02T00:00:00+00:00, from form (revoked)",
        "person:ana, telemarketing: revoked 2026-01-03T00:00:00+00:00: what was agreed to until then does not count",
    ]
    desk.run("consent", "revoke", "person:luis", "--scope", "telemarketing", "--at", "2026-01-03", code=1)
    rows = f"person;number;at;source\nana;{ANA};2026-01-02;form\n;{LUIS};2026-01-02;form\n"
    out, _ = desk.run("consent", "import", desk.file(rows), "--scope", "telemarketing")
    assert "3 consents recorded" in out and out.count("recorded, but does not count: revoked 2026-01-03") == 3
    desk.run("consent", "check", LUIS, code=1)
    reasons = {
        r["rule"]: r
        for r in desk.json("why", LUIS, "--scope", "telemarketing", "--at", MONDAY, code=1)["leads"][0]["reasons"]
    }
    assert any(rule.startswith("consent:") for rule in reasons)

    out, _ = desk.run("consent", "give", LUIS, "--scope", "telemarketing", "--source", "call", "--at", "2026-01-04")
    assert out == f"number:{LUIS}, telemarketing: consent since 2026-01-04T00:00:00+00:00, from call\n"
    assert desk.run("consent", "check", "person:luis")[0].splitlines()[0].endswith("from call")
    out, _ = desk.run("consent", "give", LUIS, *old, code=1)
    assert out == f"number:{LUIS}, telemarketing: not recorded: there is one newer than 2026-01-02T00:00:00+00:00\n"
    assert desk.orders()[-1] == ("consent give", False)
    answer = desk.json("why", LUIS, "--scope", "telemarketing", "--at", MONDAY)
    assert answer["allowed"] and answer["leads"][0]["mends"] == []


def test_a_number_is_revoked_alone_and_what_else_stands_is_told(desk: Desk) -> None:
    desk.run("consent", "give", "person:ana", "--scope", "telemarketing", "--source", "form", "--at", "2026-01-02")
    out, _ = desk.run("consent", "revoke", HOME, "--at", "2026-01-03")
    assert out.splitlines() == [
        "person:ana, telemarketing: revoked: what was agreed to until 2026-01-03T00:00:00+00:00 no longer counts for "
        f"calls to {HOME}",
        "person:ana, telemarketing: consent since 2026-01-02T00:00:00+00:00, from form stands for their other numbers",
    ]
    desk.run("consent", "check", HOME, code=1)
    desk.run("consent", "check", ANA)
    desk.run("consent", "revoke", "person:ana", "--at", "2999-01-01", code=2)


# ---- the audit log ----------------------------------------------------------------------------------------------
def test_the_audit_log_masks_numbers_and_nothing_else(desk: Desk) -> None:
    path = desk.file(f"{ANA}\n{LUIS}\n")
    desk.run("dnc", "import", path, "--registry", "no_insista", "--as-of", "2026-02-01T05:00Z")
    desk.run("dnc", "add", "person:40123456", ANA, f"person:{HOME}", "--reason", "call of 2026-02-01 from 999000111")
    desk.run("lead", "record", ANA, "--kind", "attempt", "--at", "2026-03-01T18:00-05:00")
    desk.run("lead", "hours", "40123456", "--not", "sat")
    desk.run("consent", "give", ANA, "--scope", "telemarketing", "--source", "form", "--at", "2026-01-02")
    text = (desk.data / "audit.jsonl").read_text()
    imported, *added, recorded, hours, given = (json.loads(line)["new"] for line in text.splitlines())
    assert (imported["as_of"], imported["numbers"]) == ("2026-02-01T05:00:00+00:00", 2) and '"numbers":2,' in text
    assert [order["key"] for order in added] == ["person:40123456", "number:+5199•••111", "person:+511•••890"]
    assert all("2026-02-01 from 999" in order["source"] and "999000111" not in order["source"] for order in added)
    assert '"facts":1,' in text and recorded["facts"] == 1 and hours["person"] == "40123456"
    assert (given["key"], given["at"]) == ("telemarketing|number:+5199•••111", "2026-01-02T00:00:00+00:00")
    assert not any(number in text for number in (ANA, LUIS, HOME))


# ---- facts from outside -----------------------------------------------------------------------------------------
def facts(desk: Desk, key: str) -> list[str]:
    found: dict[str, list[Record]] = desk.ask(lambda store: store.facts_of([key]))
    return [record.outcome for record in found[key]]


def test_a_fact_without_a_debt_counts_for_every_debt_of_the_person(desk: Desk) -> None:
    call = ("lead", "record", ANA, "--kind", "conversation", "--channel", "inbound", "--at", "2026-03-01T18:00-05:00")
    desk.run(*call)
    desk.run(*call)  # the same event once more
    outcome = outside_outcome("conversation", "inbound")
    for key in ("person:ana", f"number:{ANA}"):
        assert facts(desk, key) == [outcome], key
    assert facts(desk, f"number:{HOME}") == facts(desk, "person:luis") == []
    desk.run(
        "lead",
        "record",
        "person:ana",
        "--debt",
        "D1",
        "--kind",
        "contact",
        "--channel",
        "visit",
        "--at",
        "2026-03-01T09:00Z",
    )
    assert (len(facts(desk, "person:ana")), len(facts(desk, "debt:D1")), facts(desk, "debt:D9")) == (2, 1, [])
    out, _ = desk.run("lead", "record", "+51911222333", "--kind", "attempt")
    assert "1 of them name nobody" in out and facts(desk, "number:+51911222333") == [
        outside_outcome("attempt", "voice")
    ]


def test_facts_of_a_file_and_a_global_stop_word(desk: Desk) -> None:
    path = desk.file(
        "telefono,persona,kind,channel,fecha,texto\n"
        f"{ANA},,contact,sms,2026-03-01T09:00-05:00,¡No me llamen más!\n"
        f'{LUIS},,contact,whatsapp,2026-03-01T09:00-05:00,"can\'t stop now, call me later"\n'
        f"{LUIS},,attempt,pigeon,2026-03-01T09:00-05:00,\n"
        f"{LUIS},,attempt,voice,2026-03-01,\n"
    )
    out, _ = desk.run("lead", "record", "--file", path, code=1)
    assert "2 rows are no facts" in out and "2 recorded" in out
    assert desk.stopped() == {"person:ana": "do_not_call", f"number:{ANA}": "do_not_call"}
    desk.run("lead", "record", LUIS, "--kind", "contact", "--channel", "sms", "--text", "STOP")
    assert desk.stopped()["person:luis"] == "do_not_call"
    desk.run("lead", "record", LUIS, "--kind", "attempt", "--at", "2999-01-01T00:00Z", code=2)
    desk.run("lead", "record", LUIS, code=2)


# ---- why --------------------------------------------------------------------------------------------------------
def test_why_tells_of_each_lead_what_forbids_it_and_when_it_may_be_called(desk: Desk) -> None:
    answer = desk.json("why", LUIS, "--at", MONDAY)
    [lead] = answer["leads"]
    assert (
        answer["allowed"] and lead["campaign"] == "example" and lead["next_allowed_at"] == "2026-03-02T10:00:00-05:00"
    )
    assert lead["caps"] and all(cap["seen"] == 0 for cap in lead["caps"])

    profiles = {
        scope: set(desk.json("why", LUIS, "--at", MONDAY, "--scope", scope, code=code)["leads"][0]["profiles"])
        for scope, code in (("debt_collection", 0), ("telemarketing", 1))
    }
    assert profiles["debt_collection"] == set(lead["profiles"]) != profiles["telemarketing"]
    desk.run("why", LUIS, str(write_example(desk.folder / "site")[0]), "--scope", "telemarketing", code=2)

    sunday = desk.json("why", LUIS, "--at", "2026-03-01T10:00-05:00", code=1)["leads"][0]
    assert sunday["reasons"][0]["cite"] and sunday["next_allowed_at"].startswith("2026-03-02T0")

    attempts = [f"{LUIS},attempt,2026-03-02T09:{minute:02}-05:00" for minute in range(12)]
    desk.run("lead", "record", "--file", desk.file("\n".join(["telefono,kind,at", *attempts])))
    capped = desk.json("why", LUIS, "--at", MONDAY, code=1)["leads"][0]
    full = [cap for cap in capped["caps"] if cap["seen"] >= cap["max"]]
    assert full and all(cap["free_at"] > 0 for cap in full)
    assert {reason["rule"] for reason in capped["reasons"]} == {cap["rule"] for cap in full}
    assert capped["next_allowed_at"] > "2026-03-02T10:00" and capped["last"][0]["outcome"] == "attempt/voice"

    desk.run("lead", "stop", "debt:D2", "--reason", "paid")
    out, _ = desk.run("why", LUIS, "--at", MONDAY, code=1)
    assert "NOT ALLOWED" in out and "stop:paid: debt:D2 is stopped (paid)." in out and "no time is known" in out
    reason = capped["reasons"][0]
    assert reason["cite"] and out.count(reason["cite"]) == len(
        [r for r in capped["reasons"] if r["cite"] == reason["cite"]]
    )

    out, _ = desk.run("why", ANA, "--at", MONDAY, "--scope", "telemarketing", code=1)
    assert "dialer consent give person:ana --scope telemarketing --source WHERE" in out
    assert "once it is mended" in out and "no time is known" not in out


def test_why_looks_at_all_leads_of_a_number_and_at_a_campaigns_own_rules(desk: Desk) -> None:
    write_example(desk.folder / "site")
    file = desk.folder / "site" / "campaign.yaml"
    assert [lead["campaign"] for lead in desk.json("why", ANA, "--at", MONDAY)["leads"]] == ["example", "other"]
    [lead] = desk.json("why", ANA, str(file), "--at", MONDAY)["leads"]
    assert lead["campaign"] == "example"
    assert '"19:30"' in file.read_text()
    file.write_text(file.read_text().replace('"19:30"', '"09:00"'))
    [closed] = desk.json("why", ANA, str(file), "--at", MONDAY, code=1)["leads"]
    assert any(reason["rule"].startswith("campaign.windows") for reason in closed["reasons"])
    desk.run("why", ANA, str(desk.folder / "none.yaml"), code=2)
    desk.run("why", "ANA", code=2)
    desk.run("why", ANA, "--at", "tomorrow", code=2)


def test_why_finds_a_lead_that_so_far_is_on_the_campaigns_list_alone(desk: Desk) -> None:
    write_example(desk.folder / "site")
    (desk.folder / "site" / "leads.csv").write_text("phone,dni\n+51911222333,dora\n", encoding="utf-16")
    desk.run("lead", "stop", "person:dora", "--reason", "deceased")
    file = str(desk.folder / "site" / "campaign.yaml")
    [lead] = desk.json("why", "+51911222333", file, "--at", MONDAY, code=1)["leads"]
    assert (lead["campaign"], lead["person"], lead["attempts"]) == ("example", "dora", 0)
    assert [reason["rule"] for reason in lead["reasons"]] == ["stop:deceased"]


def test_why_of_a_number_that_no_lead_has(desk: Desk) -> None:
    desk.run("dnc", "add", "+51911222333")
    [lead] = desk.json("why", "+51911222333", "--at", MONDAY, code=1)["leads"]
    assert lead["campaign"] == "" and [reason["rule"] for reason in lead["reasons"]] == ["stop:do_not_call"]
    assert (
        desk.json("why", "+18005551212", "--at", MONDAY, code=1)["leads"][0]["reasons"][0]["rule"]
        == "number.non_geographic"
    )


def test_no_store_is_made_by_an_order_that_would_stop_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    desk = Desk(tmp_path, capsys)
    for order in (("dnc", "add", ANA), ("lead", "stop", ANA, "--reason", "paid"), ("why", ANA)):
        _, err = desk.run(*order, code=2)
        assert err.startswith(f"{desk.data}: no store here")
    assert not desk.data.exists()
