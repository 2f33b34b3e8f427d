"""A look at a switch from outside: whether its manager interface takes us, and which endpoints it has.

It logs in without events and only reads lists, so a campaign that runs on the same switch does not notice.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

import msgspec

from dialer.adapters.asterisk import translate
from dialer.adapters.asterisk.link import ManagerLink
from dialer.adapters.asterisk.translate import Message
from dialer.config.campaign import Asterisk
from dialer.errors import CommandTimeout, LinkLost, LoginRefused

PROBE_LIMIT_S = 5.0  # for all of it; a wrong secret is answered after 1 s


class SwitchView(msgspec.Struct, frozen=True, kw_only=True):
    """What the switch says. `endpoints`: the device state of each by name; None where we may not list them."""

    endpoints: dict[str, str] | None
    refusal: str = ""  # why not


async def probe_switch(settings: Asterisk, secret: str, *, limit_s: float = PROBE_LIMIT_S) -> SwitchView:
    """Log in, list the PJSIP endpoints, log off. Raises `LinkLost`, `LoginRefused` or `CommandTimeout`."""
    host, port = settings.host, settings.port
    inbox: asyncio.Queue[Message | str] = asyncio.Queue()
    link: ManagerLink | None = None
    try:
        async with asyncio.timeout(limit_s):
            _, link = await asyncio.get_running_loop().create_connection(_link_into(inbox), host, port)
            return await _look(link, inbox, settings.user, secret)
    except TimeoutError:
        raise CommandTimeout(f"expected a manager interface at {host}:{port} within {limit_s:g} s") from None
    except OSError as fault:
        raise LinkLost(f"expected a manager interface at {host}:{port}: {fault.strerror or fault}") from None
    finally:
        if link is not None:
            link.close()


def _link_into(inbox: asyncio.Queue[Message | str]) -> Callable[[], ManagerLink]:
    """A link whose messages go into a queue, and the reason of its end too."""
    return lambda: ManagerLink(
        lambda _, message: inbox.put_nowait(message),
        lambda _, reason: inbox.put_nowait(reason),
        lambda _, fault: inbox.put_nowait(str(fault)),
    )


async def _look(link: ManagerLink, inbox: asyncio.Queue[Message | str], user: str, secret: str) -> SwitchView:
    _send(link, "Login", ("Username", user), ("Secret", secret), ("Events", "off"))
    reply = await _reply(inbox, "Login")
    if reply.get("Response") != "Success":
        raise LoginRefused(f"the switch refused the manager user {user!r}: {reply.get('Message', 'no reason given')}")
    _send(link, "PJSIPShowEndpoints")
    reply = await _reply(inbox, "PJSIPShowEndpoints")
    if reply.get("Response") != "Success":
        refusal = reply.get("Message", "no reason given")
        # This is how a switch without a single endpoint answers.
        return SwitchView(endpoints={} if refusal == "No endpoints found" else None, refusal=refusal)
    endpoints: dict[str, str] = {}
    while (message := await _next(inbox)).get("Event") != "EndpointListComplete":
        if message.get("Event") == "EndpointList":
            endpoints[message.get("ObjectName", "")] = message.get("DeviceState", "")
    _send(link, "Logoff")
    return SwitchView(endpoints=endpoints)


def _send(link: ManagerLink, action: str, *fields: tuple[str, str]) -> None:
    link.write(translate.packet([("Action", action), ("ActionID", f"probe:{action}"), *fields]))


async def _reply(inbox: asyncio.Queue[Message | str], action: str) -> Message:
    while (message := await _next(inbox)).get("ActionID") != f"probe:{action}":
        pass
    return message


async def _next(inbox: asyncio.Queue[Message | str]) -> Message:
    message = await inbox.get()
    if isinstance(message, str):
        raise LinkLost(message)
    return message


def missing(view: SwitchView, wanted: Sequence[str]) -> list[str]:
    """The endpoints that the switch does not have, in order; none where it does not say."""
    return [] if view.endpoints is None else [name for name in wanted if name not in view.endpoints]
