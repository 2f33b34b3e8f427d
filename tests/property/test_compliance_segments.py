"""A segment's caps come on top: nothing that held without them is looser with them, whenever one asks."""

from datetime import date

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from compliance.clearance import DialCandidate, Place
from compliance.rule import CapRule, HolidayRule, InForce, Profile
from compliance.ruleset import RuleSet

POLICY = Profile(id="policy", jurisdiction="*", scope=("debt_collection",))
START = 1_800_000_000.0
KINDS = ["rolling_hours", "rolling_calendar_days", "calendar_day", "calendar_week_mon", "calendar_month"]
caps = st.builds(
    CapRule,
    rule=st.sampled_from(["a", "b", "c"]),
    count=st.sampled_from(["attempt", "contact", "conversation", "communication"]),
    max=st.integers(1, 9),
    kind=st.sampled_from(KINDS),
    n=st.integers(1, 3),
    key=st.sampled_from([("person",), ("person", "debt"), ("number",), ("account",)]),
    exclude=st.sampled_from([(), ("BUSY",)]),
)
zones = st.sampled_from([("America/Lima",), ("America/Lima", "Europe/Madrid")])


@settings(deadline=None)
@given(
    law=st.lists(caps, max_size=2),
    own=st.lists(caps, max_size=2),
    segments=st.lists(st.lists(caps, max_size=3), min_size=1, max_size=3),
    where=zones,
    account=st.sampled_from(["", "A1"]),
    steps=st.lists(st.integers(-2 * 86_400, 2 * 86_400), min_size=1, max_size=6),
)
def test_a_segment_only_adds(law, own, segments, where, account, steps):
    until = InForce(last=date(2027, 1, 16), confidence="V1")  # the day after the start
    laws = (
        Profile(id="pe", jurisdiction="PE", scope=("debt_collection",), caps=tuple(law), in_force=until),
        Profile(id="pe-2", jurisdiction="PE", scope=("debt_collection",), holidays=HolidayRule(calendar="PE")),
    )
    settled = {"policy": POLICY, "scope": "debt_collection", "caps": own}
    plain = RuleSet({"PE": laws}, **settled)
    rules = RuleSet({"PE": laws}, **settled, segment_caps=segments)
    who = DialCandidate(
        lead_id="L", person="P", debt="D", number="+51999", account=account, place=Place(("PE",), where)
    )
    now = START
    for step in steps:
        now += step
        without = plain.clearance(who, now)
        assert rules.clearance(who, now) == without
        for place, added in enumerate(segments):
            inside = msgspec.structs.replace(who, segment=place)
            found = rules.clearance(inside, now)
            assert msgspec.structs.replace(found, caps=without.caps) == without
            assert found.caps[: len(without.caps)] == without.caps
            # As if the campaign itself had them.
            as_own = RuleSet({"PE": laws}, **{**settled, "caps": [*own, *added]})
            assert found.caps == as_own.clearance(who, now).caps
