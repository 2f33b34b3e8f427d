"""Writes the campaign file's reference in operations.md: bounds and defaults from the model, meanings from here.

A field without a meaning, or a meaning without a field, is an error.

    .venv/bin/python docs/campaign_reference.py            # after a change of dialer/config/campaign.py
    .venv/bin/python docs/campaign_reference.py --check    # what the test asks
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from marked_block import write_or_check
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from dialer.config import abandon, carriers, models, routing, segments
from dialer.config import campaign as model

PAGE = Path(__file__).with_name("operations.md")

# By section of the file; a field's unit is part of its meaning.
MEANINGS: dict[type[BaseModel], dict[str, str]] = {
    model.Campaign: {
        "campaign": "names the campaign in the store, the journal and the logs",
        "mode": "how many lines: see [modes](#modes)",
        "scope": "what the calls are to the law: its rules for collection, or those for selling",
        "subject": "what it calls about, for limits by subject; if empty, the campaign's name. Campaigns about one "
        "thing should say the same",
        "purpose": "why these people are called, in your words: for them and for whoever audits",
        "jurisdictions": "ISO 3166 codes; a number of any other country is not dialled. The first is the country of "
        "numbers written without one",
        "windows": "your own hours; they narrow the law's and never widen them",
        "caps": "your own limits, besides the law's and the policy's: all must pass",
        "closed_dates": 'local dates on which nobody is called, `"2026-12-24"`',
        "rule_packs": "your own packs of rules, YAML files relative to the campaign file: see "
        "[compliance.md](compliance.md)",
        "dnc_registries": "registries that a number must not be on, beside those that the law asks for; one that was "
        "never imported blocks",
        "stale_lists": "what happens where our copy of a registry is older than its rule allows: no call, or a call "
        "and an alert; where there is no copy: no call",
        "target_abandon_rate": "abandoned / live answers, a fraction",
        "lines_per_idle_agent": "lines in flight for each idle agent, in mode power",
        "max_lines_per_idle_agent": "lines in flight for each idle agent, at most",
        "abandon_rules": "how abandons are counted; the one with the least left paces: see "
        "[compliance.md](compliance.md#how-abandons-are-counted)",
        "connect_deadline_s": "seconds from a live answer to an agent; then the message plays",
        "ring_timeout_s": "seconds a line may ring",
        "hang_up_after_ring": "a call that rang so long may be hung up when no agent would be there for its answer; it "
        "ends as NO_ANSWER. `off`: never",
        "ring_guard_s": "no call is begun within so many seconds of the end of the hours; at least `ring_timeout_s`",
        "number_gap": "least rest of a lead between two attempts, whichever its numbers",
        "wrap_up_limit_s": "seconds an agent has after a call; then the disposition is UNDISPOSED",
        "amd": "answering-machine detection by the switch, before the agent",
        "amd_false_positive_rate": "with `amd`: people whom detection takes for machines / people who answer, as you "
        "measured it. Every account counts them as abandoned",
        "retry": "by disposition, when and how often to try again; what is not named keeps its default; "
        "`max: 0` for never",
        "lists": "CSV files, relative to the campaign file",
        "carriers": "our accounts at carriers: what holds over all trunks of one",
        "trunks": "how calls leave",
        "caller_ids": "numbers that people see, E.164, all of them yours. Of those that the law of the called place "
        "allows, one of its country is taken where there is one",
        "caller_id_pools": "which of `caller_ids` is shown to whom; if none, all are one pool",
        "routing": "which trunk carries each call",
        "models": "whom to call at which hour",
        "stages": "stages of delinquency, by days past due",
        "segments": "leads that are treated alike: each lead is of the first whose conditions it meets",
        "agents": "who takes calls",
        "keys": "what agents' telephone keys mean (0-9, `*`, `#`, in quotes). What you write replaces the whole "
        "default table",
        "asterisk": "where the switch is",
    },
    model.Window: {"days": "`mon` to `sun`", "allow": 'local times in quotes, half-open: `[["09:00", "20:00"]]`'},
    model.Cap: {
        "id": "named in refusals; `campaign.cap-N` if empty",
        "count": "what counts: every attempt; those that may have reached a person; those in which the right person "
        "may have talked; or any communication on the channels",
        "max": "so many in the period",
        "period": "how long it looks back",
        "key": "whose: one kind, or several together",
        "channels": "where it counts",
        "exclude": "dispositions that do not count",
    },
    abandon.AbandonRule: {
        "id": "named in the status; the window if empty",
        "window": "what it looks back over; `30_days` are successive, from the campaign's first answer",
        "cap_rate": "abandoned / answered, at most",
        "numerator": "`late`: no agent in time, even if one comes later; `unserved`: no agent at all",
        "denominator": "`live_answers`: not known to be machines when answered; `people`: less what agents report as "
        "MACHINE; `served_or_abandoned`: less the people who hang up before the threshold",
        "clock_start": "what the threshold runs from; a moment that is not known is the connection",
        "threshold_s": "seconds until an answer is late",
        "time_zone": "of `calendar_month`, and only there: `America/Lima`",
    },
    model.Period: {
        "kind": "calendar periods are in the called person's zone, the present one included",
        "n": "how many hours, days, weeks or months",
    },
    model.Retry: {
        "after": "rest of the number",
        "max": "how many times this disposition may lead to another attempt",
        "next_number": "go on with the lead's next number",
    },
    carriers.CarrierAccount: {
        "name": "as trunks name it",
        "limits": "set-ups that the account takes, over all its trunks; all must hold",
        "max_channels": "calls at a time, over all its trunks",
        "short_calls": "a surcharge on short calls",
        "cancelled_calls": "a surcharge on calls that we end before an answer; one that rang in vain is one",
    },
    carriers.SetUpLimit: {
        "calls": "call set-ups, at most",
        "per_s": "in so many seconds; of `clock`, a part of the day",
        "kind": "as the provider counts: in every window that long; by a bucket that refills at calls / per_s a "
        "second; or in each period from midnight UTC",
    },
    carriers.ShortCalls: {
        "above": "short / answered calls of a day (UTC), a fraction; above it each short call costs the fee",
        "fee": "for each such call",
        "up_to_s": "seconds from the answer that a short call lasts, at most",
    },
    carriers.CancelledCalls: {
        "above": "cancelled / all calls of a day (UTC), a fraction; above it each cancelled call costs the fee",
        "fee": "for each such call",
    },
    carriers.Trunk: {
        "name": "its PJSIP endpoint",
        "carrier": "the account; one that `carriers` does not list has no limits of its own. If empty, the trunk is an "
        "account of its own",
        "max_channels": "calls at a time",
        "max_cps": "new calls in any second; below 1, one in any 1 / max_cps seconds",
        "limits": "further limits of set-ups; all must hold",
        "rates": "a rate deck: a CSV file by prefix, relative to the campaign file; what no prefix begins is not "
        "carried. See [rate decks](#rate-decks)",
        "deck": "the rows of `rates`, as the program read them: `[prefix, price of a minute, first seconds, step, "
        "connection fee, attempt fee]`. Where it stands, the file is not read",
        "price": "one price for all numbers, instead of `rates`. Without either, calls cost nothing",
        "regions": "the only regions of the lists that it serves; if none, all",
        "hours": "the only hours in which it is used; if none, always",
        "caller_ids": "the only ones of the campaign's `caller_ids` that it takes; if none, all",
        "attestation": "how its carrier signs our numbers (STIR/SHAKEN); recorded with each call",
        "prefix": "put before the number",
        "strip_plus": "send the number without its +",
    },
    carriers.Price: {
        "per_minute": "of billed time, in `routing.currency`",
        "billing": "first/step in seconds, `60/60`, `30/6`, `1/1`: an answered call is billed for the first seconds "
        "at least, beyond them in steps",
        "connection_fee": "for each answered call",
        "attempt_fee": "for each attempt, answered or not",
    },
    carriers.TrunkHours: {
        "days": "`mon` to `sun`",
        "allow": 'times of the zone in quotes, half-open: `[["08:00", "20:00"]]`',
        "zone": "`America/Lima`",
    },
    routing.CallerIdPool: {
        "name": "in the journal and in exports",
        "numbers": "of `caller_ids`; none may be in two pools",
        "jurisdictions": "ISO 3166 codes of called countries or parts of them (`US-TX`); if none, all",
        "products": "of the called leads; if none, all",
        "local": "local presence: it gets few calls until its answers prove better than the others'",
        "max_calls_a_day": "of each of its numbers",
    },
    routing.Routing: {
        "router": "how trunks are chosen: what they earn, learned as calls end; in turn; or the cheapest",
        "contact_value": "what a human contact is worth, in `currency`",
        "contact_values": "by product, where it is worth something else",
        "currency": "ISO 4217, of every price and value of the campaign",
        "exploration": "share of calls whose trunk is drawn at random, to learn of all",
        "max_tries": "trunks that one attempt may try, where a carrier is at fault",
    },
    models.Models: {
        "use": "`false`: no model is asked; leads come in the list's order",
        "plan_every": "rest between two plans of the day",
        "explore": "share of attempts at a random hour or after a random rest, so that models learn of all hours",
        "goal": "what a call is for: to reach the right party, or a promise to pay",
        "wear_price": "what a call that fails costs in later contacts, times this; 0: nothing",
        "retrain_every": "rest between two trainings, of those that are made by themselves",
    },
    segments.Stages: {
        "early": "days past due of an `early` debt, at most",
        "middle": "days past due of a `middle` debt, at most; beyond, it is `late`",
    },
    segments.Segment: {
        "name": "in the journal and in exports",
        "when": "all of these must hold; what is not known of a lead meets none",
        "priority": "instead of the list's",
        "caps": "on top of the campaign's and the law's: they can only tighten",
        "script": "what the agent should say, as your screens name it",
        "channels": "how its people should be reached, the preferred first: `voice`, `sms`, `whatsapp`, `email`. "
        "Without `voice` they are not called",
        "skill": "of an agent: their calls go to the one idle longest who has it; where none is idle, to any",
    },
    segments.When: {
        "stage": "stages of delinquency",
        "amount": "what is owed",
        "days_past_due": "how old the debt is",
        "propensity": "chance that a call now reaches the right party, as the plan has it",
        "last_contact_days": "days since the right party was last reached",
        "product": "any of these, as the list has them",
        "region": "any of these, as the list has them",
    },
    segments.Bounds: {"at_least": "this or more", "below": "less than this"},
    segments.DayBounds: {"at_least": "this or more", "below": "less than this"},
    segments.RateBounds: {"at_least": "this or more", "below": "less than this"},
    segments.LastContact: {
        "at_least": "this long ago or longer",
        "below": "not so long ago",
        "never": "nobody was reached ever: with `at_least` also, without it only",
    },
    model.Agent: {
        "id": "in the journal and in exports",
        "endpoint": "their telephone's PJSIP endpoint",
        "name": "for people",
        "skills": "names of your own, as segments ask for them",
    },
    model.KeyMeaning: {
        "disposition": "sets it and, after the call, ends the wrap-up",
        "pause": "pauses with this reason",
        "ready": "ends a pause",
    },
    model.Asterisk: {
        "host": "of the manager interface (AMI)",
        "port": "of the manager interface",
        "user": "of the manager interface",
        "secret_file": "file of mode 600 that holds the secret; comes before `secret_env`",
        "secret_env": "environment variable that holds the secret",
        "max_calls": "calls in flight on this switch, our own cap; keep it below Asterisk's `maxcalls`",
    },
}
TITLES = {
    model.Campaign: "The file",
    model.Window: "Each of `windows`",
    model.Cap: "Each of `caps`",
    abandon.AbandonRule: "Each of `abandon_rules`; if you write none, `rolling_24h` and `30_days`",
    model.Period: "A cap's `period`",
    model.Retry: "Each of `retry`",
    carriers.CarrierAccount: "Each of `carriers`",
    carriers.SetUpLimit: "Each of `limits`, of a carrier or of a trunk",
    carriers.ShortCalls: "A carrier's `short_calls`",
    carriers.CancelledCalls: "A carrier's `cancelled_calls`",
    carriers.Trunk: "Each of `trunks`",
    carriers.Price: "A trunk's `price`",
    carriers.TrunkHours: "Each of a trunk's `hours`",
    routing.CallerIdPool: "Each of `caller_id_pools`",
    routing.Routing: "`routing`",
    models.Models: "`models`",
    segments.Stages: "`stages`, whole days",
    segments.Segment: "Each of `segments`",
    segments.When: "A segment's `when`, at least one of",
    segments.Bounds: "An `amount`, at least one of",
    segments.DayBounds: "`days_past_due`, at least one of",
    segments.RateBounds: "A `propensity`, at least one of",
    segments.LastContact: "`last_contact_days`, at least one of",
    model.Agent: "Each of `agents`",
    model.KeyMeaning: "Each of `keys`: exactly one of",
    model.Asterisk: "`asterisk`",
}


def reference() -> str:
    """Return the tables of all sections. Raises `ValueError` where meanings and fields are not the same."""
    parts = []
    for section, meanings in MEANINGS.items():
        if set(meanings) != set(section.model_fields):
            raise ValueError(f"{section.__name__}: {sorted(set(meanings) ^ set(section.model_fields))}")
        properties = section.model_json_schema()["properties"]
        rows = [
            f"| `{name}` | {_values(properties[name])} | {_default(field)} | {meanings[name]} |"
            for name, field in section.model_fields.items()
        ]
        parts.append(
            "\n".join([f"**{TITLES[section]}**", "", "| key | value | default | meaning |", "|---|---|---|---|", *rows])
        )
    return "\n\n".join([*parts, _default_retry(), _default_keys()])


def _default_retry() -> str:
    rows = [
        f"| `{name}` | {retry.after / 60:g} min | {retry.max} | {'yes' if retry.next_number else ''} |"
        for name, retry in model.DEFAULT_RETRY.items()
    ]
    return "\n".join(
        ["**`retry`, if you write none**", "", "| after | rest | times | next number |", "|---|---|---|---|", *rows]
    )


def _default_keys() -> str:
    rows = [
        f"| `{key}` | {f'`{meaning.disposition}`' if meaning.disposition else 'ready' if meaning.ready else 'pause'} |"
        for key, meaning in model.DEFAULT_KEYS.items()
    ]
    return "\n".join(["**`keys`, if you write none**", "", "| key | |", "|---|---|", *rows])


def _values(schema: dict[str, Any]) -> str:
    """Say in words what a field's JSON schema allows."""
    if "$ref" in schema:
        return "see below"
    if "const" in schema or "enum" in schema:
        return ", ".join(f"`{value}`" for value in schema.get("enum", [schema.get("const")]))
    if "anyOf" in schema:
        return _values(schema["anyOf"][0])
    kind = schema["type"]
    if kind == "array":
        at_least = f", at least {schema['minItems']}" if "minItems" in schema else ""
        item = schema["items"]
        return f"list{at_least}{': ' + _values(item) if 'enum' in item else ''}"
    if kind == "object":
        return "by name, see below"
    if "ge" in schema:  # a duration
        most = schema["le"]
        return f"duration, {schema['ge']:g} to {f'{most / 86400:g} d' if most >= 86400 else f'{most:g} s'}"
    return {"string": "text", "boolean": "true, false", "number": "number", "integer": "whole number"}[kind] + _range(
        schema
    )


def _range(schema: dict[str, Any]) -> str:
    if "pattern" in schema:
        pattern = schema["pattern"].replace("|", "\\|")
        return f" `{pattern}`"
    if "maxLength" in schema:
        return f", at most {schema['maxLength']} characters"
    low = f"> {schema['exclusiveMinimum']:g}" if "exclusiveMinimum" in schema else f"{schema.get('minimum', 0):g}"
    if "exclusiveMaximum" in schema:
        return f", {low} to < {schema['exclusiveMaximum']:g}"
    return f", {low} to {schema['maximum']:.15g}" if "maximum" in schema else ""


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    default = field.get_default(call_default_factory=True)
    if isinstance(default, bool):
        return "true" if default else "false"
    if isinstance(default, tuple) and default and all(isinstance(entry, str) for entry in default):
        return ", ".join(f"`{entry}`" for entry in default)
    if isinstance(default, BaseModel | dict) or (isinstance(default, tuple) and default):
        return "see below"
    if isinstance(default, float):
        return f"`{default:g}`"
    return f"`{default}`" if default not in ("", (), None) else "–"


if __name__ == "__main__":
    sys.exit(write_or_check(PAGE, {"campaign reference": reference()}))
