"""What is wrong between keys and tables.

It is judged on the values as written, not on the tables as read, so that one mistake never hides another.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from probe.config.keys import token_endpoint
from probe.config.problems import Found, KeyPath
from probe.config.watching import duration
from probe.config.wording import Guesses, readable
from probe.model.estate import Authentication, Delivery, Endpoint, OrganizationUrl, Service, authority_endpoint

_EWS = '"https://mail.contoso.test/EWS/Exchange.asmx"'


def _tables(data: dict[str, Any], heading: str) -> list[tuple[KeyPath, dict[str, Any]]]:
    listed = data.get(heading)
    return [((heading, i), table) for i, table in enumerate(listed if isinstance(listed, list) else ()) if isinstance(table, dict)]


def _repeated(data: dict[str, Any], heading: str, key: str, same: Callable[[str], str], message: str) -> Iterator[Found]:
    first: dict[str, KeyPath] = {}
    for path, table in _tables(data, heading):
        if readable(table.get(key)) and first.setdefault(same(table[key]), path) != path:
            yield Found((*path, key), message, first=(*first[same(table[key])], key))


def _unknown_profiles(data: dict[str, Any]) -> Iterator[Found]:
    names = [table["name"] for _, table in _tables(data, "profile") if readable(table.get("name"))]
    if not names or len(names) != len(data["profile"]):
        return  # a mailbox may mean the profile whose name could not be read
    known, guesses = set(names), Guesses()
    for path, table in _tables(data, "mailbox"):
        name = table.get("profile")
        if isinstance(name, str) and readable(name) and name not in known:
            near = guesses.nearest(name, names)
            meant = f"did you mean {json.dumps(near, ensure_ascii=False)}?" if near else "add its [[profile]], or name an existing one"
            yield Found((*path, "profile"), f"names no profile of this estate; {meant}")


def _unfinished_profiles(data: dict[str, Any]) -> Iterator[Found]:
    for path, table in _tables(data, "profile"):
        for side in ("", "outgoing_"):
            if f"{side}password" in table and f"{side}username" not in table:
                message = f'is missing: a password needs its account; write it as in {side}username = "svc-crm@contoso.test"'
                yield Found((*path, f"{side}username"), message, is_missing=True)
        for key in ("client_secret", "client_certificate"):
            for wanted, example in (("client_id", "6731de76-14a6-49ae-97bc-6eba6914391e"), ("tenant", "contoso.onmicrosoft.com")):
                if key in table and wanted not in table:
                    message = f'is missing: {key} is that of an application in a tenant; write it as in {wanted} = "{example}"'
                    yield Found((*path, wanted), message, is_missing=True)
        if "incoming" not in table and table.get("autodiscover") is not True:
            yield Found((*path, "incoming"), f"is missing: where mail is collected; write it as in incoming = {_EWS}", is_missing=True)
        try:
            sends = Endpoint.parse(str(table.get("incoming"))).service not in (Service.POP3, Service.IMAP)
        except ValueError:
            continue
        if not sends and "outgoing" not in table:
            message = 'is missing: POP3 and IMAP do not send; write it as in outgoing = "smtp://mail.contoso.test:587"'
            yield Found((*path, "outgoing"), message, is_missing=True)


def _unfinished_mailboxes(data: dict[str, Any]) -> Iterator[Found]:
    found_by_autodiscover = {
        table["name"]
        for _, table in _tables(data, "profile")
        if "incoming" not in table and table.get("autodiscover") is True and readable(table.get("name"))
    }
    for path, table in _tables(data, "mailbox"):
        name = table.get("profile")
        if "ews_url" not in table and isinstance(name, str) and name in found_by_autodiscover:
            message = f"is missing: its profile has no incoming, and leaves it to what Autodiscover found; write it as in ews_url = {_EWS}"
            yield Found((*path, "ews_url"), message, is_missing=True)


def _unfinished_dynamics(data: dict[str, Any]) -> Iterator[Found]:
    table = data.get("dynamics")
    if not isinstance(table, dict):
        return
    is_oauth = table.get("authentication") == Authentication.OAUTH
    for key, example in (("username", "svc-probe@contoso.test"), ("password", "env:CRM_PASSWORD")):
        if key in table or not (is_oauth or not {"username", "password"}.isdisjoint(table)):
            continue
        why = "AD FS is asked by user name and password" if is_oauth else "an account and its password belong together"
        yield Found(("dynamics", key), f"is missing: {why}; write it as in {key} = {json.dumps(example)}", is_missing=True)
    for key, example in (
        ("token_url", "https://adfs.contoso.test/adfs/oauth2/token"),
        ("client_id", "6731de76-14a6-49ae-97bc-6eba6914391e"),
    ):
        if is_oauth and key not in table:
            yield Found(
                ("dynamics", key), f'is missing: authentication = "oauth" needs it; write it as in {key} = "{example}"', is_missing=True
            )
    url = table.get("url")
    if isinstance(url, str) and url.lower().startswith("http://"):
        if table.get("plain_http") is not True:
            yield Found(("dynamics", "url"), "is without TLS; write https://, or allow http:// with plain_http = true")
        elif is_oauth:
            yield Found(
                ("dynamics", "url"),
                'is without TLS, so anybody on the way could read the token of authentication = "oauth"; write https://',
            )
    yield from _strange_authority(data, table.get("token_url"))


def _strange_authority(data: dict[str, Any], given: object) -> Iterator[Found]:
    deployment = data.get("deployment")
    listed = deployment.get("authorities", []) if isinstance(deployment, dict) else []
    try:
        host = authority_endpoint(urlsplit(token_endpoint(given)).netloc)
        known = [authority_endpoint(name) for name in listed]
    except (ValueError, TypeError):
        return  # what cannot be read is told where it stands
    if host not in known:
        name = host.origin.removeprefix("https://")
        message = f'names a host that may not be sent a password; if it may, list it as in authorities = ["{name}"] of [deployment]'
        yield Found(("dynamics", "token_url"), message)


def _strange_canaries(data: dict[str, Any]) -> Iterator[Found]:
    served: dict[str, object] = {}
    for _, mailbox in _tables(data, "mailbox"):
        if readable(mailbox.get("address")) and Delivery.SERVER_SIDE in (
            mailbox.get(way) for way in ("incoming", "outgoing", "appointments")
        ):
            served[mailbox["address"].casefold()] = mailbox.get("profile")
    for path, profile in _tables(data, "profile"):
        canary = profile.get("canary")
        if "@" not in str(canary) or not readable(canary) or not readable(profile.get("name")):
            continue  # what cannot be read is told where it stands
        if served.get(str(canary).casefold()) != profile["name"]:
            yield Found((*path, "canary"), "must be the address of a mailbox of this profile that server-side synchronization serves")


_SHORTEST: Mapping[str, tuple[str, str]] = {
    "quick": ("1m", "a shorter one is a burden to a server that others use"),
    "posture": ("15m", "each takes some dozens of connections to a server that others use"),
    "canary": ("15m", "an account signs in at most once in 15 minutes"),
    "logins": ("1d", "sign-ins of every mailbox more often than that look like an attack to its server"),
    "roundtrip": ("15m", "an account signs in at most once in 15 minutes"),
    "dynamics": ("1m", "a shorter one is a burden to a server that others use"),
}
"""The shortest interval of each key towards a server that is not on this machine, and why."""


def _short_intervals(data: dict[str, Any]) -> Iterator[Found]:
    schedule = data.get("schedule")
    if not isinstance(schedule, dict):
        return
    named = [profile.get(end) for _, profile in _tables(data, "profile") for end in ("incoming", "outgoing")]
    named += [mailbox.get("ews_url") for _, mailbox in _tables(data, "mailbox")]
    dynamics = data.get("dynamics")
    is_elsewhere = dict.fromkeys(_SHORTEST, any(_is_elsewhere(Endpoint.parse, url) for url in named))
    is_elsewhere["dynamics"] = isinstance(dynamics, dict) and _is_elsewhere(OrganizationUrl.parse, dynamics.get("url"))
    for key, (shortest, why) in _SHORTEST.items():
        if not is_elsewhere[key]:
            continue
        try:
            given, least = duration(schedule.get(key, "off")), duration(shortest)
        except ValueError:
            continue  # what cannot be read is told where it stands
        if given is not None and least is not None and given < least:
            yield Found(("schedule", key), f'must be "{shortest}" or more where a server is not on this machine: {why}')


def _is_elsewhere(parse: Callable[[str], Endpoint | OrganizationUrl], url: object) -> bool:
    """Whether a URL names a server that need not be this machine; one that cannot be read is told where it stands."""
    try:
        named = parse(url) if isinstance(url, str) else None
    except ValueError:
        return False
    endpoint = named.endpoint if isinstance(named, OrganizationUrl) else named
    return endpoint is not None and not endpoint.is_loopback


def mistakes_across(data: dict[str, Any]) -> Iterator[Found]:
    """Names given twice, profiles that are not there, and keys that another key calls for."""
    yield from _repeated(data, "profile", "name", str, "is the name of another profile; give each its own")
    yield from _repeated(data, "mailbox", "address", str.casefold, "is listed already; list each mailbox once")
    yield from _repeated(data, "mailbox", "id", str.lower, "is the id of another mailbox; Dynamics gives each its own")
    yield from _unknown_profiles(data)
    yield from _unfinished_profiles(data)
    yield from _unfinished_mailboxes(data)
    yield from _unfinished_dynamics(data)
    yield from _strange_canaries(data)
    yield from _short_intervals(data)
