"""To whom the credentials of an estate go, and would go."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from probe.document.telling.words import count
from probe.importing.tables import EstateDraft
from probe.model.estate import Credentials, Endpoint
from probe.model.values import dataclass

SECRETS = ("password", "outgoing_password", "client_secret", "client_certificate")


@dataclass(frozen=True, slots=True)
class Disclosure:
    """What a host would be sent."""

    host: str
    what: tuple[str, ...]
    """Each in words, as in `the password of profile "corp" (svc-crm@contoso.test)`."""


def known_hosts(estate: Mapping[str, Any]) -> frozenset[str]:
    """The hosts to which credentials of an estate go already, which is given as TOML has it."""
    mailboxes = [table for table in estate.get("mailbox", ()) if isinstance(table, dict)]
    with_own = {table.get("profile") for table in mailboxes if "password" in table}
    profiles = [table for table in estate.get("profile", ()) if isinstance(table, dict)]
    carrying = {table.get("name"): table for table in profiles if carries(table) or table.get("name") in with_own}
    urls = [table.get(key) for table in carrying.values() for key in ("incoming", "outgoing")]
    urls += [table.get("ews_url") for table in mailboxes if table.get("profile") in carrying]
    return frozenset(host for url in urls if (host := host_of(url)))


def carries(profile: Mapping[str, Any]) -> bool:
    """Whether a profile, as TOML has it, holds what somebody can sign in with."""
    integrated = Credentials.WINDOWS_INTEGRATED in (profile.get("credentials"), profile.get("outgoing_credentials"))
    return integrated or any(key in profile for key in SECRETS)


def host_of(url: object) -> str | None:
    """The host of an endpoint's URL; None where it is none."""
    try:
        return Endpoint.parse(url).host if isinstance(url, str) else None
    except ValueError:
        return None


def sent_where(draft: EstateDraft, trusted: frozenset[str]) -> tuple[Disclosure, ...]:
    """What each host that is not trusted would be sent."""
    own: dict[str, int] = {}
    for table in draft.mailboxes:
        if any(line.is_secret for line in table.lines):
            name = str(table.value("profile"))
            own[name] = own.get(name, 0) + 1
    found: dict[str, list[str]] = {}
    for profile in draft.profiles:
        what = [
            f'the {line.key.replace("_", " ")} of profile "{profile.name}" ({profile.value("username")})'
            for line in profile.lines
            if line.is_secret
        ]
        if number := own.get(profile.name):
            what.append(
                f'the {"password" if number == 1 else "passwords"} of {count(number, "mailbox", "mailboxes")} of profile "{profile.name}"'
            )
        if profile.value("credentials") == Credentials.WINDOWS_INTEGRATED:
            what.append(f'a sign-in as the service account, by profile "{profile.name}"')
        for host in sorted(profile.hosts - trusted) if what else ():
            found.setdefault(host, []).extend(what)
    return tuple(Disclosure(host, tuple(what)) for host, what in sorted(found.items()))


def all_trusted(hosts: Iterable[str], trusted: frozenset[str]) -> bool:
    """Whether every one of these hosts is."""
    return set(hosts) <= trusted
