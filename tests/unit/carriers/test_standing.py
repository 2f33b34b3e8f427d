import msgspec

from carriers.causes import CallEnd
from carriers.circuit import Circuits
from carriers.standing import CallerIdStanding, RoutingStanding, trunk_standing
from carriers.supply import Trunk
from carriers.tally import LiveTally

TRUNK = Trunk(name="lima-1", carrier="acme", max_channels=30, limits=())
NOTHING = {"tries_of_all": 0, "in_use": 0, "set_ups_per_s": 5.0, "price": 0.0, "open_circuits": []}


def test_a_trunk_without_calls_has_no_ratios():
    standing = trunk_standing(TRUNK, 0, LiveTally().total(0.0), **NOTHING)
    assert (standing.trunk, standing.carrier, standing.max_channels) == ("lima-1", "acme", 30)
    ratios = ["share", "asr", "ner", "pdd_s", "mean_call_s", "short_share", "cancelled_share", "contacts_per_1000"]
    assert {getattr(standing, name) for name in [*ratios, "cost_per_try", "cost_per_contact"]} == {None}
    assert (standing.circuit, standing.because, standing.idle_because, standing.open_prefixes) == ("closed", "", "", ())


def test_a_trunk_with_calls():
    live = LiveTally()
    tally = live.at(0.0)
    tally.tries, tally.answers, tally.contacts, tally.cost = 4, 1, 1, 0.5
    tally.ended(CallEnd.BUSY, rang=False, ended_by_us=False)
    tally.ended(CallEnd.FAILED, rang=False, ended_by_us=False)
    tally.ended(CallEnd.NO_ANSWER, rang=True, ended_by_us=True)
    standing = trunk_standing(TRUNK, 0, live.total(60.0), **{**NOTHING, "tries_of_all": 16})
    assert (standing.tries, standing.share, standing.asr, standing.ner) == (4, 0.25, 0.25, 0.75)
    assert (standing.cancelled_share, standing.contacts_per_1000, standing.cost_per_contact) == (0.25, 250.0, 0.5)


def test_circuits_are_told_with_their_reasons():
    circuits = Circuits(2)
    for fault in (1.0,) * 4:
        circuits.note(1, "51", fault=fault, now=100.0)
    told = {**NOTHING, "open_circuits": circuits.open_circuits()}
    empty = LiveTally().total(0.0)
    assert trunk_standing(TRUNK, 0, empty, **told).open_prefixes == ()
    standing = trunk_standing(TRUNK, 1, empty, **told)
    (prefix,) = standing.open_prefixes
    assert (standing.circuit, standing.idle_because) == ("closed", "")
    assert (prefix.prefix, prefix.circuit, prefix.since, prefix.next_probe_at) == ("51", "open", 100.0, 110.0)
    assert prefix.because == "4 of the last 4 calls failed"
    for _ in range(2):
        circuits.note(1, "52", fault=1.0, now=101.0)
        circuits.note(1, "53", fault=1.0, now=101.0)
    circuits.probe(1, "52", 111.0)
    told["open_circuits"] = circuits.open_circuits()
    standing = trunk_standing(TRUNK, 1, empty, **told)
    assert (standing.circuit, standing.because) == ("half_open", "6 of the last 6 calls failed")
    assert standing.idle_because == "its circuit is not closed"
    assert trunk_standing(TRUNK, 1, empty, **told, idle_because="closed hours").idle_because == "closed hours"


def test_a_standing_survives_json():
    number = CallerIdStanding(
        number="+5117000000", pool="lima", calls_today=3, max_calls_a_day=None, resting_until=None, multiplier=None,
        because="in use",
    )  # fmt: skip
    standing = RoutingStanding(
        at=1.0,
        router="hoe-lp-v1",
        currency="USD",
        trunks=(trunk_standing(TRUNK, 0, LiveTally().total(0.0), **NOTHING),),
        caller_ids=(number,),
        prices_at=None,
    )
    assert msgspec.json.decode(msgspec.json.encode(standing), type=RoutingStanding) == standing
