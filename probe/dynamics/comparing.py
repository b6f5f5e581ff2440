"""Dynamics' rows beside the estate: where they differ, what was probed is not what Dynamics will use. Pure in the rows and the estate.

A number of an option set that is not known is a difference, since what it means is not guessed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from enum import StrEnum

from probe.dynamics.found import ACTIVE, INACTIVE, is_approved
from probe.dynamics.meanings import APPOINTMENTS_DELIVERY, AUTHENTICATION, CREDENTIALS, MAIL_DELIVERY, SERVER_TYPES
from probe.dynamics.options import Option
from probe.dynamics.records import EmailServerProfile, MailboxRow
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
from probe.model.remedies import word_of
from probe.model.values import dataclass

NOT_GIVEN = "not given"
"""What Dynamics did not tell."""
_NO_ROW = "none with this address or id that the account is shown"
_LOOKED_UP = "look at the record in Dynamics: what it has there cannot be imported"
_MENDED_IN_DYNAMICS = {
    "mailbox": "create the mailbox in Dynamics, correct its address in the estate, or take it out of the estate; or give the account the privilege to read it",
    "mailbox state": "activate the mailbox in Dynamics",
    "approval": "approve the address in Dynamics: Approve Email in the mailbox's form",
    "approval by an administrator of Microsoft 365": "an administrator of the tenant approves the address: Approve Email in the mailbox's form",
    "use of the mailbox's own credentials": "set Allow to Use Credentials for Email Processing to Yes in the mailbox's form",
    "password": "enter the password in Dynamics",
    "profile": "give the mailbox its email server profile in Dynamics, or the account the privilege to read it",
    "profile state": "activate the email server profile in Dynamics",
}
"""What makes the two agree where no import does, by what differs."""
_TOLD_BY_A_RULE = {
    "approval",
    "approval by an administrator of Microsoft 365",
    "use of the mailbox's own credentials",
    "password",
    "profile state",
    "ews_url",
}
"""What differs in a way for which there is a rule of its own, so that a check does not tell it twice."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that the estate and Dynamics say differently."""

    what: str
    estate: str
    dynamics: str
    is_of_what_was_probed: bool = True
    """Whether what was probed may not be what Dynamics uses; what is not, such as an approval, stops a go and lets a no-go stand."""
    mend: str = ""
    """What makes the two agree: a command, or what somebody does in Dynamics."""

    @property
    def has_rule(self) -> bool:
        """Whether a rule of its own is about it."""
        return self.what in _TOLD_BY_A_RULE or (self.what == "profile" and not self.is_of_what_was_probed)

    def __str__(self) -> str:
        return f"{self.what}: the estate has {self.estate}, Dynamics has {self.dynamics}"


@dataclass(frozen=True, slots=True)
class Rows:
    """What Dynamics has of one mailbox."""

    mailbox: MailboxRow
    profile: EmailServerProfile | None

    @property
    def processes_mail_since(self) -> datetime | None:
        """The time before which mail is left alone: the mailbox's own goes before its profile's; None where there is none."""
        return self.mailbox.processes_mail_since or (None if self.profile is None else self.profile.processes_mail_since)


def no_row(mailbox: Mailbox) -> Difference:
    """That Dynamics has no row of a mailbox."""
    return Difference("mailbox", mailbox.address, _NO_ROW, mend=_MENDED_IN_DYNAMICS["mailbox"])


def differences(estate: Estate, mailbox: Mailbox, rows: Rows, file: str | None = None) -> tuple[Difference, ...]:
    """Everything in which a mailbox's rows are not what the estate says of it. `file` is the estate's own, where it is known."""
    profile = estate.profile_of(mailbox)
    url = "URL" if estate.dynamics is None else str(estate.dynamics.url)
    command = f"probe import dynamics {url} --update --output {'FILE' if file is None else word_of(file)}"
    found = (*_of_mailbox(mailbox, profile, rows.mailbox), *_of_profile(mailbox, profile, rows))
    return tuple(dict.fromkeys(replace(difference, mend=_mend_of(difference, command)) for difference in found))


def _mend_of(difference: Difference, command: str) -> str:
    if difference.mend:
        return difference.mend
    if difference.dynamics == NOT_GIVEN:
        return _LOOKED_UP
    return _MENDED_IN_DYNAMICS.get(difference.what) or command


def _of_mailbox(mailbox: Mailbox, profile: ServerProfile, row: MailboxRow) -> Iterator[Difference]:
    if mailbox.id is not None and mailbox.id.lower() != row.id:
        yield Difference("id", mailbox.id, row.id)
    yield from _same_name("address", mailbox.address, row.address or NOT_GIVEN)
    if row.state != ACTIVE:
        yield Difference("mailbox state", "active", _state(row.state), is_of_what_was_probed=False)
    yield from _option("incoming delivery", mailbox.incoming, MAIL_DELIVERY, row.incoming_delivery)
    yield from _option("outgoing delivery", mailbox.outgoing, MAIL_DELIVERY, row.outgoing_delivery)
    yield from _option("appointments delivery", mailbox.appointments, APPOINTMENTS_DELIVERY, row.appointments_delivery)
    if not is_approved(row):
        yield Difference("approval", "approved", _shown(row.approval), is_of_what_was_probed=False)
    if profile.server_type is ServerType.EXCHANGE_ONLINE and row.approved_by_office_365_admin is False:
        yield Difference("approval by an administrator of Microsoft 365", "approved", "not approved", is_of_what_was_probed=False)
    used = [
        settings
        for is_used, settings in ((mailbox.uses_incoming, profile.incoming_settings), (mailbox.uses_outgoing, profile.outgoing_settings))
        if is_used
    ]
    if any(settings.credentials is Credentials.MAILBOX for settings in used):
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
    yield from _option("server type", profile.server_type, SERVER_TYPES, row.server_type)
    yield from _differ("autodiscover", _yes(profile.autodiscover), _yes(row.uses_autodiscover))
    incoming, outgoing = profile.endpoints_of(mailbox)
    is_shared = row.uses_incoming_for_outgoing is not False
    if row.uses_autodiscover:
        yield from _ews_url(mailbox, incoming if mailbox.uses_incoming else outgoing, rows.mailbox.ews_url)
    if mailbox.uses_incoming:
        if not row.uses_autodiscover:
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
            if profile.outgoing_settings.credentials is Credentials.PROFILE:
                yield from _has_password(row.outgoing_password_is_set)
        elif not mailbox.uses_incoming or profile.outgoing_settings != profile.incoming_settings:
            yield from _account(
                "outgoing",
                profile.outgoing_settings,
                outgoing,
                row.incoming_authentication,
                row.incoming_credentials,
                row.incoming_uses_impersonation,
                row.incoming_username,
            )


def _ews_url(mailbox: Mailbox, declared: Endpoint, found: str | None) -> Iterator[Difference]:
    """What Autodiscover found for a mailbox is its endpoint; before it was asked, there is nothing to compare but an URL of the estate."""
    if found:
        yield from _endpoint("ews_url", declared, found, None, None)
    elif mailbox.ews_url is not None:
        yield Difference("ews_url", mailbox.ews_url.url, "none, since Autodiscover has found none yet")


def _account(
    side: str,
    settings: SignInSettings,
    endpoint: Endpoint,
    authentication: Option | None,
    credentials: Option | None,
    impersonation: bool | None,
    username: str | None,
) -> Iterator[Difference]:
    yield from _option(f"{side} authentication", settings.authentication, AUTHENTICATION, authentication)
    yield from _option(f"{side} credentials", settings.credentials, CREDENTIALS, credentials)
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


def _option(what: str, estate: StrEnum, words: Mapping[int, StrEnum], option: Option | None) -> Iterator[Difference]:
    """A choice; a number that has no word is a difference."""
    if option is None or (word := words.get(option.value)) is None:
        yield Difference(what, str(estate), _shown(option), mend=_LOOKED_UP)
    else:
        yield from _differ(what, estate, word)


def _shown(option: Option | None) -> str:
    return NOT_GIVEN if option is None else str(option)


def _yes(flag: bool | None) -> str:
    return NOT_GIVEN if flag is None else ("on" if flag else "off")


def _state(number: int | None) -> str:
    return NOT_GIVEN if number is None else f"{number} (inactive)" if number == INACTIVE else str(number)
