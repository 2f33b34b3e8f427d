"""What `dialer carriers status` says of accounts with surcharges."""

from __future__ import annotations

from carriers.standing import AccountStanding, RoutingStanding
from dialer.cli.carriers.status import surcharges

BOTH = AccountStanding(
    account="acme",
    calls=1_000,
    answered=400,
    short_share=0.125,
    short_above=0.1,
    short_due=0.5,
    cancelled_share=0.2,
    cancelled_above=0.3,
    cancelled_due=0.0,
)


def standing_of(*accounts: AccountStanding) -> RoutingStanding:
    return RoutingStanding(
        at=0.0, router="hoe-lp-v1", currency="USD", trunks=(), caller_ids=(), prices_at=None, accounts=accounts
    )


def test_each_account_with_surcharges_has_a_line_of_its_shares_limits_and_fees() -> None:
    assert surcharges(standing_of(BOTH)) == [
        "acme today (UTC): short 12.5 % of 400 answered (limit 10.0 %), USD 0.50 due; "
        "cancelled 20.0 % of 1,000 calls (limit 30.0 %), USD 0.00 due"
    ]


def test_a_surcharge_that_an_account_has_not_is_not_told_and_no_calls_are_no_share() -> None:
    fresh = AccountStanding(
        account="acme",
        calls=0,
        answered=0,
        short_share=None,
        short_above=None,
        short_due=0.0,
        cancelled_share=None,
        cancelled_above=0.3,
        cancelled_due=0.0,
    )
    assert surcharges(standing_of(fresh)) == ["acme today (UTC): cancelled – of 0 calls (limit 30.0 %), USD 0.00 due"]
    assert surcharges(standing_of()) == []
