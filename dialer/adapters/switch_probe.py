"""A look at a switch from outside: whether its manager interface takes us, and which endpoints it has.

It logs in without events and only reads lists, so a campaign that runs on the same switch does not notice.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import msgspec

from dialer.adapters.asterisk import translate
from dialer.adapters.asterisk.link import BANNER, MAX_MESSAGE
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
    writer: asyncio.StreamWriter | None = None
    try:
        async with asyncio.timeout(limit_s):
            reader, writer = await asyncio.open_connection(host, port, limit=MAX_MESSAGE)
            return await _look(reader, writer, settings.user, secret)
    except TimeoutError:
        raise CommandTimeout(f"expected a manager interface at {host}:{port} within {limit_s:g} s") from None
    except (asyncio.IncompleteReadError, asyncio.LimitOverrunError) as fault:
        raise LinkLost(f"expected a manager interface at {host}:{port}: {fault}") from None
    except OSError as fault:
        raise LinkLost(f"expected a manager interface at {host}:{port}: {fault.strerror or fault}") from None
    finally:
        if writer is not None:
            writer.close()


async def _look(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, user: str, secret: str) -> SwitchView:
    banner = await reader.readuntil(b"\r\n")
    if not banner.startswith(BANNER):
        raise LinkLost(f"expected an Asterisk manager interface, found {banner[:40]!r}")
    _send(writer, "Login", ("Username", user), ("Secret", secret), ("Events", "off"))
    reply = await _reply(reader, "Login")
    if reply.get("Response") != "Success":
        raise LoginRefused(f"the switch refused the manager user {user!r}: {reply.get('Message', 'no reason given')}")
    _send(writer, "PJSIPShowEndpoints")
    reply = await _reply(reader, "PJSIPShowEndpoints")
    if reply.get("Response") != "Success":
        refusal = reply.get("Message", "no reason given")
        # This is how a switch without a single endpoint answers.
        return SwitchView(endpoints={} if refusal == "No endpoints found" else None, refusal=refusal)
    endpoints: dict[str, str] = {}
    while (message := await _next(reader)).get("Event") != "EndpointListComplete":
        if message.get("Event") == "EndpointList":
            endpoints[message.get("ObjectName", "")] = message.get("DeviceState", "")
    _send(writer, "Logoff")
    return SwitchView(endpoints=endpoints)


def _send(writer: asyncio.StreamWriter, action: str, *fields: tuple[str, str]) -> None:
    writer.write(translate.packet([("Action", action), ("ActionID", f"probe:{action}"), *fields]))


async def _reply(reader: asyncio.StreamReader, action: str) -> Message:
    while (message := await _next(reader)).get("ActionID") != f"probe:{action}":
        pass
    return message


async def _next(reader: asyncio.StreamReader) -> Message:
    raw = await reader.readuntil(b"\r\n\r\n")
    fields = (line.partition(": ") for line in raw.decode("utf-8", "replace").split("\r\n"))
    return {key: value for key, sign, value in fields if sign}


def missing(view: SwitchView, wanted: Sequence[str]) -> list[str]:
    """The endpoints that the switch does not have, in order; none where it does not say."""
    return [] if view.endpoints is None else [name for name in wanted if name not in view.endpoints]
