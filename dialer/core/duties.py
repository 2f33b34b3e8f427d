"""What the law of the called place asks of the call itself: whose number it shows, and whether a message may play."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from functools import cache

from compliance.caller_id import presentable
from compliance.rule import Profile
from compliance.ruleset import RuleSet
from dialer.config.campaign import Campaign

# A date that has begun somewhere on earth binds everywhere: nobody is shown a number on its first day by mistake.
_EARLIEST_ZONE_S = 14 * 3600


class Duties:
    """Answers by the ids of the profiles in force for a number, as its claim has them."""

    def __init__(self, campaign: Campaign, rules: RuleSet) -> None:
        by_id = {profile.id: profile for profiles in rules.profiles_by_country.values() for profile in profiles}

        def found(ids: tuple[str, ...]) -> tuple[Profile, ...]:
            return tuple(by_id[name] for name in ids if name in by_id)

        @cache
        def plays(ids: tuple[str, ...]) -> bool:
            return message_plays(found(ids))

        @cache
        def allowed(ids: tuple[str, ...], on: date) -> tuple[str, ...]:
            return presentable(campaign.caller_ids, found(ids), on)

        self.message: Callable[[tuple[str, ...]], bool] = plays
        self._allowed = allowed

    def caller_ids(self, profiles: tuple[str, ...], now: float) -> tuple[str, ...]:
        """Return the campaign's numbers that may be presented there at `now`; none: the call must not be placed."""
        return self._allowed(profiles, duty_date(now))


def duty_date(now: float) -> date:
    """Return the date by which duties are held at `now` (UTC seconds): the latest on earth."""
    return datetime.fromtimestamp(now + _EARLIEST_ZONE_S, UTC).date()


def message_plays(profiles: tuple[Profile, ...]) -> bool:
    """Say whether an abandoned call hears the recorded message: not where any profile forbids it, whatever others
    require. A message is a prerecorded voice, which is the graver breach; who heard silence is counted as abandoned
    either way."""
    return not any(
        profile.message is not None and profile.message.abandoned_call == "forbidden" for profile in profiles
    )
