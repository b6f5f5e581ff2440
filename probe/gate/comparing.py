"""Dynamics' rows beside the estate: where they differ, what was probed is not what Dynamics will use. Pure in the rows and the estate.

A number of an option set that is not known is a difference, since what it means is not guessed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum

from probe.dynamics import EmailServerProfile, MailboxRow, Option
from probe.dynamics.meanings import APPOINTMENTS_DELIVERY, AUTHENTICATION, CREDENTIALS, MAIL_DELIVERY, SERVER_TYPES
from probe.dynamics.state import is_served
from probe.model.estate import (
    Credentials,
    Endpoint,
    Estate,
    Mailbox,
    Security,
    ServerProfile,
    ServerType,
    Service,
    SignInSettings,
)
from probe.model.values import dataclass

NOT_GIVEN = "not given"
"""What Dynamics did not tell."""
ACTIVE = 0
APPROVED = 1


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that the estate and Dynamics say differently."""

    what: str
    estate: str
    dynamics: str
    is_of_what_was_probed: bool = True
    """Whether what was probed may not be what Dynamics uses; what is not, such as an approval, stops a go and lets a no-go stand."""


@dataclass(frozen=True, slots=True)
class Rows:
    """What Dynamics has of one mailbox."""

    mailbox: MailboxRow
    profile: EmailServerProfile | None


def found_row(mailbox: Mailbox, rows: Sequence[MailboxRow]) -> MailboxRow | Difference:
    """The row of a mailbox, out of those with its address; of several, the one that is active, approved and served."""
    found = list(rows)
    if len(found) > 1:
        found = [row for row in found if row.state == ACTIVE and _number(row.approval) == APPROVED and is_served(row)] or found
    match found:
        case [row]:
            return row
        case []:
            return Difference("mailbox", mailbox.address, "no mailbox has this address, or this account does not see it")
    return Difference("mailbox", mailbox.address, f"{len(found)} mailboxes have this address: {', '.join(row.id for row in found)}")


def differences(estate: Estate, mailbox: Mailbox, rows: Rows) -> tuple[Difference, ...]:
    """Everything in which a mailbox's rows are not what the estate says of it."""
    profile = estate.profile_of(mailbox)
    return (*_of_mailbox(mailbox, profile, rows.mailbox), *_of_profile(mailbox, profile, rows))


def _of_mailbox(mailbox: Mailbox, profile: ServerProfile, row: MailboxRow) -> Iterator[Difference]:
    if row.state != ACTIVE:
        yield Difference("mailbox state", "active", _state(row.state), is_of_what_was_probed=False)
    yield from _differ("incoming delivery", mailbox.incoming, _out_of(MAIL_DELIVERY, row.incoming_delivery))
    yield from _differ("outgoing delivery", mailbox.outgoing, _out_of(MAIL_DELIVERY, row.outgoing_delivery))
    yield from _differ("appointments delivery", mailbox.appointments, _out_of(APPOINTMENTS_DELIVERY, row.appointments_delivery))
    if _number(row.approval) != APPROVED:
        yield Difference("approval", "approved", _shown(row.approval), is_of_what_was_probed=False)
    if profile.server_type is ServerType.EXCHANGE_ONLINE and row.approved_by_office_365_admin is False:
        yield Difference("approval by an administrator of Microsoft 365", "approved", "not approved", is_of_what_was_probed=False)
    if profile.credentials is Credentials.MAILBOX:
        if row.may_use_own_credentials is False:
            yield Difference("use of the mailbox's own credentials", "allowed", "not allowed")
        yield from _same_name("username", mailbox.username or mailbox.address, row.username)
        yield from _has_password(row.password_is_set)


def _of_profile(mailbox: Mailbox, profile: ServerProfile, rows: Rows) -> Iterator[Difference]:
    row = rows.profile
    if row is None and (named := rows.mailbox.profile) is not None:
        yield Difference("profile", profile.name, f"one that this account does not see ({named})")
        return
    if row is None:
        yield Difference("profile", profile.name, "none", is_of_what_was_probed=False)
        return
    if row.state != ACTIVE:
        yield Difference("profile state", "active", _state(row.state), is_of_what_was_probed=False)
    yield from _differ("server type", profile.server_type, _out_of(SERVER_TYPES, row.server_type))
    yield from _differ("autodiscover", _yes(profile.autodiscover), _yes(row.uses_autodiscover))
    incoming, outgoing = profile.endpoints_of(mailbox)
    is_shared = row.uses_incoming_for_outgoing is not False
    if mailbox.uses_incoming:
        if row.uses_autodiscover:
            # What Autodiscover found for the mailbox is its endpoint; before it was asked, there is nothing to compare.
            if rows.mailbox.ews_url is not None:
                yield from _endpoint("ews_url", incoming, rows.mailbox.ews_url, None, None)
        else:
            yield from _endpoint("incoming", incoming, row.incoming_location, row.incoming_port, row.incoming_uses_ssl)
        yield from _account(
            "incoming",
            profile.incoming_settings,
            incoming,
            row.incoming_authentication,
            row.incoming_credentials,
            row.incoming_uses_impersonation,
            row.incoming_username,
        )
        if profile.credentials is Credentials.PROFILE:
            yield from _has_password(row.incoming_password_is_set)
    if mailbox.uses_outgoing:
        is_ews = outgoing.service is Service.EWS
        if not row.uses_autodiscover:
            # No POP3 server takes mail: location, port and TLS are each direction's own there, whatever is shared.
            location = row.incoming_location if is_shared and is_ews else row.outgoing_location
            yield from _endpoint("outgoing", outgoing, location, row.outgoing_port, row.outgoing_uses_ssl)
        if not is_shared:
            yield from _account(
                "outgoing",
                profile.outgoing_settings,
                outgoing,
                row.outgoing_authentication,
                row.outgoing_credentials,
                row.outgoing_uses_impersonation,
                row.outgoing_username,
            )
        elif not mailbox.uses_incoming:
            yield from _account(
                "outgoing",
                profile.outgoing_settings,
                outgoing,
                row.incoming_authentication,
                row.incoming_credentials,
                row.incoming_uses_impersonation,
                row.incoming_username,
            )


def _account(
    side: str,
    settings: SignInSettings,
    endpoint: Endpoint,
    authentication: Option | None,
    credentials: Option | None,
    impersonation: bool | None,
    username: str | None,
) -> Iterator[Difference]:
    yield from _differ(f"{side} authentication", settings.authentication, _out_of(AUTHENTICATION, authentication))
    yield from _differ(f"{side} credentials", settings.credentials, _out_of(CREDENTIALS, credentials))
    if endpoint.service is Service.EWS:
        yield from _differ(f"{side} impersonation", _yes(settings.impersonation), _yes(impersonation))
    if settings.credentials is Credentials.PROFILE:
        yield from _same_name(f"{side} username", settings.username or "", username)


def _endpoint(what: str, declared: Endpoint, location: str | None, port: int | None, uses_ssl: bool | None) -> Iterator[Difference]:
    if declared.service is Service.EWS:
        try:
            found = Endpoint.parse(location or "").url
        except ValueError:
            # What stands before an @ may be a password, which is not to be told.
            found = location if location and "@" not in location else "an address with an account in it" if location else NOT_GIVEN
        if _folded(found) != _folded(declared.url):
            yield Difference(f"{what} endpoint" if what != "ews_url" else what, declared.url, found)
        return
    yield from _same_name(f"{what} endpoint", declared.host, location or NOT_GIVEN)
    yield from _differ(f"{what} port", str(declared.port), NOT_GIVEN if port is None else str(port))
    if declared.security is Security.IMPLICIT and uses_ssl is not True:
        yield Difference(f"{what} TLS", "on", "off" if uses_ssl is False else NOT_GIVEN)


def _folded(url: str) -> str:
    """An address as IIS compares it: no letter's case counts, nor a slash at its end."""
    return url.lower().rstrip("/")


def _has_password(is_set: bool | None) -> Iterator[Difference]:
    if is_set is False:
        yield Difference("password", "set", "not set")


def _same_name(what: str, estate: str, dynamics: str | None) -> Iterator[Difference]:
    if dynamics is not None and estate.lower().rstrip(".") != dynamics.lower().rstrip("."):
        yield Difference(what, estate, dynamics)


def _differ(what: str, estate: str, dynamics: str) -> Iterator[Difference]:
    if estate != dynamics:
        yield Difference(what, str(estate), str(dynamics))


def _out_of(words: Mapping[int, StrEnum], option: Option | None) -> str:
    return NOT_GIVEN if option is None else words.get(option.value) or str(option)


def _shown(option: Option | None) -> str:
    return NOT_GIVEN if option is None else str(option)


def _number(option: Option | None) -> int | None:
    return None if option is None else option.value


def _yes(flag: bool | None) -> str:
    return NOT_GIVEN if flag is None else ("on" if flag else "off")


def _state(number: int | None) -> str:
    return NOT_GIVEN if number is None else f"{number} (inactive)" if number == 1 else str(number)
