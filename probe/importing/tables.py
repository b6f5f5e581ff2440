"""Records as the tables of an estate: the value of each key, or why it has none."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace

from probe.config import keys_of, meaning_of, required_keys, wrong_value
from probe.dynamics import EmailServerProfile, Option, Organization
from probe.dynamics.found import INACTIVE
from probe.dynamics.meanings import APPOINTMENTS_DELIVERY, AUTHENTICATION, CREDENTIALS, MAIL_DELIVERY, SERVER_TYPES, meaning
from probe.importing.choosing import ImportedRecords, MailboxSelection, MailboxSummary
from probe.model.characters import visible
from probe.model.estate import Credentials, Delivery, Endpoint, Security, ServerType, Service
from probe.model.values import dataclass

Value = str | bool | list[str]

QUESTIONS = ("runs_on", "fips", "mass_email", "custom_email_providers", "outlook_on_the_web_tracking", "outlook_manual_tracking")
"""Keys of [deployment] that no record answers."""

_OUTGOING_DELIVERY = {number: delivery for number, delivery in MAIL_DELIVERY.items() if delivery is not Delivery.FORWARD}
"""A mailbox only receives by being forwarded."""

_MAIL = {ServerType.POP3_SMTP: Service.POP3, ServerType.IMAP_SMTP: Service.IMAP}
"""By what a profile collects mail; every other type is of EWS."""
_IN_CLEAR_FIRST = {Service.POP3: 110, Service.IMAP: 143}
"""The port on which a server speaks in clear before TLS (RFC 1939, 9051); on any other that TLS is on for, it is taken to speak it at once."""
_TLS_AT_ONCE = {Service.POP3: 995, Service.IMAP: 993, Service.SMTP: 465}
_SUBMISSION = 587

GIVEN_BACK = "Dynamics gives no password back, so put it there"


@dataclass(frozen=True, slots=True)
class EstateLine:
    """One key of a table."""

    key: str
    value: Value | None
    """None: left out, and `comment` says why."""
    comment: str = ""
    is_secret: bool = False
    """Whether it refers to a secret, and is written only where its hosts are trusted."""
    is_implied: bool = False
    """Whether the estate means the same without it, so that it is not written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedTable:
    """A table of an estate."""

    kind: str
    """Its heading without brackets."""
    name: str
    """The profile's name, or the mailbox's address; empty for the others."""
    lines: tuple[EstateLine, ...]
    notes: tuple[str, ...] = ()
    hosts: frozenset[str] = frozenset()
    """Of a profile, to whom its credentials and those of its mailboxes go."""
    has_secrets_of_mailboxes: bool = False
    """Of a profile, whether its mailboxes sign in with passwords of their own."""

    def value(self, key: str) -> Value | None:
        """What a key has; None where it is left out, or not there."""
        return next((line.value for line in self.lines if line.key == key), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenAccess:
    """What the estate says of signing in to Dynamics."""

    lines: tuple[EstateLine, ...]
    """Of [dynamics], less the organization."""
    authorities: tuple[str, ...] = ()
    """Of [deployment]."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EstateDraft:
    """An estate before it is known which hosts are trusted."""

    deployment: ImportedTable
    dynamics: ImportedTable
    profiles: tuple[ImportedTable, ...]
    mailboxes: tuple[ImportedTable, ...]
    told: tuple[str, ...]
    """A sentence on each row that is not written."""

    @property
    def tables(self) -> tuple[ImportedTable, ...]:
        """Those of which there may be several."""
        return self.profiles + self.mailboxes


def drafted(
    records: ImportedRecords,
    choice: MailboxSelection,
    access: WrittenAccess,
    answers: Mapping[str, Value],
    *,
    everything: bool,
    also: Collection[str] = (),
    taken: Collection[str] = (),
) -> EstateDraft:
    """The estate of what was read. `also` names profiles that are written though no mailbox has them; `taken`, environment variables that stand for something else."""
    names = _profile_names(records.profiles)
    variables = _Variables(taken)
    told: list[str] = list(choice.told)
    by_profile: dict[str, list[MailboxSummary]] = {}
    for row in choice.mailboxes:
        if row.profile is None:
            told.append(f"mailbox {row.shown} has no email server profile, and was left out")
        elif row.profile not in names:
            told.append(f"mailbox {row.shown} has an email server profile that this account cannot read, and was left out")
        elif wrong := wrong_value("mailbox", "address", row.address):
            told.append(f"mailbox {row.shown} was left out, since its address {visible(row.address or '')!r} {wrong}")
        else:
            by_profile.setdefault(row.profile, []).append(row)
    profiles, mailboxes = [], []
    for profile in sorted(records.profiles, key=lambda one: (names[one.id].casefold(), one.id)):
        rows = by_profile.get(profile.id, [])
        if rows or everything or names[profile.id] in also:
            table, own = _profile_tables(profile, names[profile.id], rows, variables)
            profiles.append(table)
            mailboxes += own
    mailboxes.sort(key=lambda table: table.name.casefold())
    return EstateDraft(
        deployment=_deployment(records.organization, access, answers),
        dynamics=_dynamics(records.organization, access),
        profiles=tuple(profiles),
        mailboxes=tuple(mailboxes),
        told=tuple(told),
    )


def _deployment(organization: Organization, access: WrittenAccess, answers: Mapping[str, Value]) -> ImportedTable:
    wrong = wrong_value("deployment", "version", organization.version)
    version = EstateLine(
        "version", None if wrong else organization.version, f"Dynamics says {organization.version}; it {wrong}" if wrong else ""
    )
    lines = [EstateLine("name", organization.name[:256]), EstateLine("kind", "on-premises"), version]
    lines += [_answered(key, answers.get(key)) for key in QUESTIONS]
    if access.authorities:
        lines.append(EstateLine("authorities", list(access.authorities)))
    return ImportedTable(kind="deployment", name="", lines=tuple(lines))


def _answered(key: str, answer: Value | None) -> EstateLine:
    return EstateLine(key, answer, "" if answer is not None else f"No record of Dynamics answers it: {meaning_of('deployment', key)}")


def _dynamics(organization: Organization, access: WrittenAccess) -> ImportedTable:
    bound = EstateLine("organization", f"{organization.id} {organization.name}")
    return ImportedTable(
        kind="dynamics",
        name="",
        lines=(*access.lines, bound),
        notes=("That this table stands here is the permission to sign in there and to read.",),
    )


# Profiles


def _profile_names(profiles: Sequence[EmailServerProfile]) -> dict[str, str]:
    """What each is called in the estate, by id: by its own name, with its id behind it where several have that, or none can be read."""
    given = {one.id: visible(one.name or "").strip()[:200] for one in profiles}
    same = Counter(given.values())
    return {
        identifier: name
        if name and same[name] == 1 and not wrong_value("profile", "name", name)
        else f"{name or 'profile'} ({identifier[:8]})"
        for identifier, name in given.items()
    }


def _profile_tables(
    profile: EmailServerProfile, name: str, rows: Sequence[MailboxSummary], variables: _Variables
) -> tuple[ImportedTable, list[ImportedTable]]:
    """A profile and its mailboxes."""
    server_type = meaning(SERVER_TYPES, profile.server_type)
    credentials = meaning(CREDENTIALS, profile.incoming_credentials)
    has_own_outgoing = profile.uses_incoming_for_outgoing is False
    lines = [
        EstateLine("name", name),
        _choice("profile", "server_type", profile.server_type, SERVER_TYPES),
        *_endpoints(profile, server_type),
        EstateLine("autodiscover", profile.uses_autodiscover is True),
        _choice("profile", "authentication", profile.incoming_authentication, AUTHENTICATION),
        _choice("profile", "credentials", profile.incoming_credentials, CREDENTIALS),
        EstateLine("impersonation", profile.incoming_uses_impersonation is True),
    ]
    secrets = []
    if credentials == Credentials.PROFILE:
        lines.append(_username(profile.incoming_username))
        secrets.append(_password(variables, "password", name, profile.id, profile.incoming_password_is_set, profile.incoming_username))
    if has_own_outgoing:
        lines += _outgoing(profile, name, variables, secrets)
    hosts = {host for line in lines if line.key in ("incoming", "outgoing") and (host := _host(line.value))}
    mailboxes = [_mailbox(row, profile, name, credentials, variables) for row in rows]
    hosts |= {host for table in mailboxes if (host := _host(table.value("ews_url")))}
    notes = ("It is inactive in Dynamics.",) if profile.state == INACTIVE else ()
    has_secrets = any(line.is_secret for table in mailboxes for line in table.lines)
    made = _table("profile", name, [*lines, *secrets], notes, frozenset(hosts))
    return replace(made, has_secrets_of_mailboxes=has_secrets), mailboxes


def _outgoing(profile: EmailServerProfile, name: str, variables: _Variables, secrets: list[EstateLine]) -> Iterable[EstateLine]:
    """The settings of the outgoing endpoint; those that are as the incoming's go without saying."""
    for key, theirs, ours, of in (
        ("authentication", profile.outgoing_authentication, profile.incoming_authentication, AUTHENTICATION),
        ("credentials", profile.outgoing_credentials, profile.incoming_credentials, CREDENTIALS),
    ):
        if theirs is not None:
            value = of.get(theirs.value)
            comment = "" if value is not None else f"Dynamics has {visible(str(theirs))}, for which the estate has no value"
            yield EstateLine(f"outgoing_{key}", value and str(value), comment, is_implied=ours is not None and theirs.value == ours.value)
    impersonates = profile.outgoing_uses_impersonation is True
    yield EstateLine("outgoing_impersonation", impersonates, is_implied=impersonates == (profile.incoming_uses_impersonation is True))
    if meaning(CREDENTIALS, profile.outgoing_credentials) != Credentials.PROFILE:
        return
    is_same = (
        meaning(CREDENTIALS, profile.incoming_credentials) == Credentials.PROFILE and profile.outgoing_username == profile.incoming_username
    )
    yield EstateLine(
        "outgoing_username", profile.outgoing_username, "" if profile.outgoing_username else "Dynamics has none", is_implied=is_same
    )
    if not is_same:
        variable = f"{name} outgoing"
        secrets.append(
            _password(variables, "outgoing_password", variable, profile.id, profile.outgoing_password_is_set, profile.outgoing_username)
        )


def _endpoints(profile: EmailServerProfile, server_type: str | None) -> list[EstateLine]:
    if server_type is None:
        why = "Its form depends on the server type"
        return [EstateLine("incoming", None, why), EstateLine("outgoing", None, why)]
    collects = _MAIL.get(ServerType(server_type))
    if collects is None:
        incoming = _ews("incoming", profile.incoming_location, autodiscovers=profile.uses_autodiscover is True)
        if profile.uses_incoming_for_outgoing is False or profile.outgoing_location:
            return [incoming, _ews("outgoing", profile.outgoing_location, autodiscovers=profile.uses_autodiscover is True)]
        return [incoming]
    return [
        _mail("incoming", collects, profile.incoming_location, profile.incoming_port, uses_tls=profile.incoming_uses_ssl is not False),
        _mail("outgoing", Service.SMTP, profile.outgoing_location, profile.outgoing_port, uses_tls=profile.outgoing_uses_ssl is not False),
    ]


def _ews(key: str, location: str | None, *, autodiscovers: bool) -> EstateLine:
    if not location:
        return EstateLine(
            key, None, "Autodiscover finds it" if autodiscovers else f"Dynamics has no address here. It is {meaning_of('profile', key)}"
        )
    if wrong := wrong_value("profile", key, location):
        return EstateLine(key, None, f"Dynamics has {_quoted(location)}; it {wrong}")
    return EstateLine(key, location)


def _mail(key: str, service: Service, location: str | None, port: int | None, *, uses_tls: bool) -> EstateLine:
    if not location:
        return EstateLine(key, None, f"Dynamics has no server here. It is {meaning_of('profile', key)}")
    at_once = _TLS_AT_ONCE[service]
    if port is None:
        port = (_SUBMISSION if service is Service.SMTP else at_once) if uses_tls else _IN_CLEAR_FIRST.get(service, 25)
    is_at_once = uses_tls and (port == at_once if service is Service.SMTP else port != _IN_CLEAR_FIRST[service])
    host = location.strip()
    try:
        named = Endpoint(service, Endpoint.parse(f"tls://{host}:{port}").host, port, Security.IMPLICIT if is_at_once else Security.UPGRADE)
    except ValueError as wrong:
        return EstateLine(key, None, f"Dynamics has {_quoted(host)} and port {port}: {wrong}")
    comment = ""
    if not uses_tls:
        comment = "Dynamics has TLS off here"
    elif port not in (at_once, _IN_CLEAR_FIRST.get(service), _SUBMISSION):
        comment = "Dynamics does not say whether TLS is implicit or begins by STLS or STARTTLS; check the scheme"
    return EstateLine(key, named.url, comment)


# Mailboxes


def _mailbox(row: MailboxSummary, profile: EmailServerProfile, name: str, credentials: str | None, variables: _Variables) -> ImportedTable:
    assert row.address is not None
    lines = [
        EstateLine("address", row.address),
        EstateLine("profile", name),
        _choice("mailbox", "incoming", row.incoming, MAIL_DELIVERY),
        _choice("mailbox", "outgoing", row.outgoing, _OUTGOING_DELIVERY),
        _choice("mailbox", "appointments", row.appointments, APPOINTMENTS_DELIVERY),
    ]
    outgoing = meaning(CREDENTIALS, profile.outgoing_credentials) if profile.uses_incoming_for_outgoing is False else None
    if Credentials.MAILBOX in (credentials, outgoing):
        # Without one it is the address, in Dynamics as in the estate.
        lines += [_username(row.username)] if row.username else []
        lines.append(_password(variables, "password", row.address, row.id, row.password_is_set, row.username or row.address))
    if profile.uses_autodiscover is True and row.ews_url:
        wrong = wrong_value("mailbox", "ews_url", row.ews_url)
        lines.append(
            EstateLine("ews_url", None, f"Dynamics has {_quoted(row.ews_url)}; it {wrong}") if wrong else EstateLine("ews_url", row.ews_url)
        )
    lines.append(EstateLine("id", row.id))
    notes = tuple(_NOTES[kind] for kind in row.kinds)
    return _table("mailbox", row.address, lines, notes)


_NOTES = {
    "queue": "It is a queue's.",
    "forward": "It is a forward mailbox.",
    "service": "It is a service account's.",
    "inactive": "It is inactive in Dynamics.",
}


# What both have


class _Variables:
    """Names of environment variables that are made of records' names, each once."""

    def __init__(self, taken: Collection[str]) -> None:
        self._taken = set(taken)

    def named(self, of: str, identifier: str) -> str:
        word = re.sub(r"[^A-Z0-9]+", "_", of.upper()).strip("_")[:100]
        short = identifier[:8].upper()
        for name in (f"PROBE_{word}_PASSWORD", f"PROBE_{word}_{short}_PASSWORD"):
            if word and name not in self._taken:
                break
        else:
            name = f"PROBE_{identifier.replace('-', '_').upper()}_PASSWORD"
        self._taken.add(name)
        return name


def _password(variables: _Variables, key: str, of: str, identifier: str, is_set: bool | None, username: str | None) -> EstateLine:
    if is_set is False:
        return EstateLine(key, None, "No password is set in Dynamics")
    if not username:
        return EstateLine(key, None, "There is no user name for it in Dynamics")
    return EstateLine(key, f"env:{variables.named(of, identifier)}", GIVEN_BACK, is_secret=True)


def _username(given: str | None) -> EstateLine:
    if not given:
        return EstateLine("username", None, "Dynamics has none")
    if wrong := wrong_value("profile", "username", given):
        return EstateLine("username", None, f"Dynamics has {_quoted(given)}; it {wrong}")
    return EstateLine("username", given)


def _choice(kind: str, key: str, option: Option | None, words: Mapping[int, str]) -> EstateLine:
    value = meaning(words, option)
    if value is not None:
        return EstateLine(key, str(value))
    has = "Dynamics says nothing of it" if option is None else f"Dynamics has {visible(str(option))}, for which the estate has no value"
    return EstateLine(key, None, f"{has}. It is {meaning_of(kind, key)}")


def _table(kind: str, name: str, lines: Iterable[EstateLine], notes: tuple[str, ...], hosts: frozenset[str] = frozenset()) -> ImportedTable:
    """A table with those of its keys that an estate has."""
    has = keys_of(kind)
    return ImportedTable(kind=kind, name=name, lines=tuple(line for line in lines if line.key in has), notes=notes, hosts=hosts)


def _host(value: Value | None) -> str | None:
    return Endpoint.parse(value).host if isinstance(value, str) else None


def _quoted(words: str) -> str:
    return f'"{visible(words)[:200]}"'


def wanted(table: ImportedTable) -> tuple[EstateLine, ...]:
    """The keys that a table is without and an estate does not load without."""
    left_out = {line.key: line for line in table.lines if line.value is None}
    return tuple(left_out[key] for key in sorted(required_keys(table.kind) & left_out.keys()))
