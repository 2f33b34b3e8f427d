"""The rules that an audit holds calls against: the law's and the policy's profiles, and what a campaign adds."""

from __future__ import annotations

from datetime import date

import msgspec

from compliance.clearance import Place
from compliance.rule import CapRule, CooldownRule, KeyKind, Profile, Scope, WindowRule

_FEWEST_FIRST: tuple[KeyKind, ...] = ("person", "debt", "number", "account", "subject", "campaign", "use")


class Rulebook(msgspec.Struct, frozen=True, kw_only=True):
    """Every profile of the scope, whichever its country; `scope` fits all of them."""

    profiles: tuple[Profile, ...]
    policy: Profile
    scope: Scope
    windows: tuple[WindowRule, ...] = ()
    caps: tuple[CapRule, ...] = ()
    closed_dates: frozenset[date] = frozenset()
    ring_guard_s: float = 45.0

    @property
    def countries(self) -> frozenset[str]:
        """Those with rules for the scope."""
        return frozenset(profile.country for profile in self.profiles if self.scope in profile.scope)

    @property
    def streams(self) -> frozenset[KeyKind]:
        """Parts of keys such that what counts for any rule shares one of them with the call.

        Of each rule that part which the fewest facts share.
        """
        held = (*self.profiles, self.policy)
        rules: list[CapRule | CooldownRule] = [*self.caps]
        for profile in held:
            rules += [*profile.caps, *profile.cooldowns]
        found = {next(part for part in _FEWEST_FIRST if part in rule.key) for rule in rules}
        if "account" in found:
            found.add("debt")  # without an account the debt is the account
        return frozenset(found)

    def applying(self, place: Place) -> tuple[Profile, ...]:
        """Return the profiles that apply at a place, in force or not, without the policy.

        A country of which no subdivision is known gets those of all its subdivisions.
        """
        places = frozenset(place.jurisdictions)
        known = {code[:2] for code in places if "-" in code}
        return tuple(
            profile
            for profile in self.profiles
            if self.scope in profile.scope
            and (profile.jurisdiction in places or (profile.country in places and profile.country not in known))
        )
