"""EWS, signed in: one logon, and FindFolder on the inbox, which is what server-side synchronization does first.

What is sent, in this order:

1. over a connection whose certificate was verified for the very name: an empty `POST` to the endpoint, without
   credentials, which shows the schemes that are offered. That connection is then closed;
2. by exchangelib in a child process, to the same address, verified again: `FindFolder` (shallow, identifiers only)
   on the inbox of the mailbox, with `X-AnchorMailbox` where a header carries its address, and with `ExchangeImpersonation` where the account is another
   than the mailbox's. With NTLM this takes three requests, one of which proves the password; with Basic it takes one.
   Where Exchange does not know the schema that it is asked in, as 2007 does not know that of 2010 SP2, it lets the account in all the same,
   and is asked once more on the same logon, in the schema of 2007 SP1. On a Windows that nothing newer than 2007 runs on, that is asked first;
3. where the inbox is found and appointments, contacts and tasks are synchronized: the same for the calendar, the contacts and the tasks,
   one request each, on the connection that is signed in;
4. where Exchange says that there is no such mailbox: one request to Autodiscover on the same host, in a child process as before, by a logon
   of its own: by SOAP, or by the plain request where SOAP is not answered, as far as that needs no second proof of the password (NTLM signs in
   the connection; Basic does not). Where it sends the mailbox is written down, and not followed.
   By a ticket it is asked over the connection that the ticket signed in, so that nothing is proved again.

Where the profile signs in by token (`oauth`, or `auto` where nothing else is offered), the first request carries an empty token, and
before the second step a token is asked for, of an authority that may be asked: see `probe.probing.authority`.

`auto` is NTLM where NTLM or Negotiate is offered, else Basic, else a token. Under `negotiate` the second step asks a KDC for a Kerberos ticket by the
password, and shows it to the server in requests of our own; where there is no KDC, or it does not know the server, NTLM is carried. A refusal by the KDC
is one, and ends the try. Where the profile signs in with `windows-integrated` credentials, there is no password: the ticket is that of the account which
runs this program (on Windows its session's, and where there is no Kerberos for it, NTLM of the session), and is used only where that is the estate's `service_account`. It is not delegated.
A scheme that is not offered is not tried. Whatever is answered, there is no second logon but that of step 4, and no redirect is followed.

It changes nothing in the mailbox. The server counts one logon, which a wrong password makes a failed one, and for a mailbox that it does not
know another at Autodiscover.

What it cannot tell: a bare HTTP 401 to a good scheme may mean a wrong password, a locked account, EWS switched off
for the directory, a policy against password sign-in, or Extended Protection; `auth.refusal` then lists every word that fits.
A mailbox that is not where it was looked for may be elsewhere, or not at all.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import Literal, Protocol
from urllib.parse import urljoin

from probe.model import vocabulary as v
from probe.model.attempts import TranscriptLine
from probe.model.estate import Authentication, Endpoint, Service
from probe.model.facts import Why
from probe.model.kinds import Build, Challenge
from probe.model.refusals import Refusal
from probe.net.ews_requests import NO_SUCH_MAILBOX, AutodiscoverResult, EwsRequest, EwsResult
from probe.net.ews_session import find_directions, find_folders
from probe.net.failures import Denied, OffProtocol, PeerClosed, PeerFailure, Throttled, TlsFailed, UntrustedPeer
from probe.net.http_exchange import Head, HttpConnection, host_header
from probe.net.kerberos import TicketRequest, TicketResult, fetch_ticket, kerberos_settings, running_as
from probe.probing import Account, Dial, Effect, Ending, LoginSubject, NotClaimed, Notebook, Prober, Proof, Scope, Unrecorded
from probe.probing.authority import NoToken, allowed_authority, resource_for, token_by_application, token_by_password
from probe.probing.ews import POLICY_BLOCKS, EwsScheme, end_logon, scheme_for
from probe.probing.ews_ticket import Folders, TicketTalk, header_of, why_no_ticket
from probe.tables.authorities import entra_hosts
from probe.tables.hosts import is_exchange_online_host
from probe.wire.autodiscover import SOAP_PATH
from probe.wire.channel_binding import end_point_binding
from probe.wire.http_challenge import parse_challenges
from probe.wire.mail_address import ascii_address
from probe.wire.oauth import named_authority
from probe.wire.sasl import NtlmMechanism

CHILD_SHARE = 0.75
"""Of the time that is left, for the child's conversation: the rest is for starting it, and for its report to arrive."""

# What a bare 401 to an offered scheme may mean, by the responses collected in 2026-11: a wrong password, a locked account,
# EWS off for the directory or by an authentication policy that blocks passwords. They look alike on purpose.
_BARE_401 = (Refusal.BAD_CREDENTIALS, Refusal.ACCOUNT_LOCKED, Refusal.PROTOCOL_DISABLED, Refusal.OAUTH_REQUIRED)

# Words in X-AutoDiscovery-Error and x-ms-diagnostics, as Exchange Online sent them until Basic was retired (2022-10 and later).
_WORDS = (
    ("AppPasswordRequired", (Refusal.APP_PASSWORD_REQUIRED, Refusal.MFA_REQUIRED)),
    ("BasicAuthBlock", (Refusal.BASIC_AUTH_DISABLED,)),
    ("Basic Auth Blocked", (Refusal.BASIC_AUTH_DISABLED,)),
    ("BlockBasicAuth", (Refusal.BASIC_AUTH_DISABLED,)),
    ("FederatedStsUnreachable", (Refusal.TEMPORARY_FAILURE,)),
)
_TELLING_HEADERS = ("X-EWS-Policy-Reason", "X-AutoDiscovery-Error", "X-MS-Diagnostics", "X-CasErrorCode", "Retry-After", "Location")

# Response codes of EWS (responsecode.md and ews-throttling-in-exchange.md of its documentation, read 2026-11).
_BUSY = frozenset({"ErrorServerBusy", "ErrorExceededConnectionCount", "ErrorTooManyObjectsOpened"})
_MAY_NOT_IMPERSONATE = frozenset({"ErrorImpersonateUserDenied", "ErrorImpersonationDenied"})
_ACCOUNT_STATES = {
    "ErrorPasswordExpired": (Refusal.PASSWORD_EXPIRED,),
    "ErrorPasswordChangeRequired": (Refusal.PASSWORD_EXPIRED,),
    "ErrorAccountDisabled": (Refusal.ACCOUNT_DISABLED,),
}

_NO_KERBEROS = frozenset({"no-library", "no-kdc", "no-service"})
"""Troubles after which NTLM follows, as it does for a Windows client; a KDC that refuses ends the try."""
_BY_KDC = {
    "18": (Refusal.ACCOUNT_DISABLED, Refusal.ACCOUNT_LOCKED),  # KDC_ERR_CLIENT_REVOKED
    "23": (Refusal.PASSWORD_EXPIRED,),  # KDC_ERR_KEY_EXPIRED
}
"""What a KDC's refusal means, by its number (RFC 4120 section 7.5.9); every other is of the name or the password."""

_WINDOWS_OF_2007 = "Microsoft-IIS/6."
"""Server header of Windows 2003, on which Exchange 2003 and 2007 run, of which the former has no EWS."""

_APPOINTMENT_FOLDERS = {"calendar": v.EWS_CALENDAR, "contacts": v.EWS_CONTACTS, "tasks": v.EWS_TASKS}
"""Folders of what is synchronized beside mail, by their distinguished names."""

_OF_AUTHORITIES = (
    v.AUTHORITY_ISSUER,
    v.AUTHORITY_TENANT,
    v.AUTHORITY_REALM,
    v.AUTHORITY_FEDERATION,
    v.AUTHORITY_GRANTED,
    v.AUTHORITY_ERRORS,
)


_OF_AUTODISCOVER = (v.AUTODISCOVER_ACTION, v.AUTODISCOVER_TARGET)


class _WithHeaders(Protocol):
    """What is asked of an answer, be it read here or in the child."""

    def header(self, name: str) -> str | None: ...


async def probe(subject: LoginSubject, dial: Dial, notes: Notebook) -> None:
    """Hold the conversation of the module's page."""
    account, endpoint = subject.account, subject.endpoint
    if account.is_service:
        running = await _running_as(account, dial, notes)
        if running is None:
            return
        account = replace(account, username=running)
    else:
        notes.missing(v.AUTH_AS_SERVICE, Why.NOT_APPLICABLE, "the profile signs in with a password or a token of its own")
    async with dial.open_trusted() as stream:
        head = await HttpConnection(stream, host_header(endpoint)).ask("POST", endpoint.path, headers=_asking(account))
        challenges = parse_challenges(head.all("WWW-Authenticate"))
        scheme = _chosen_scheme(account, endpoint, head, challenges, notes, stream.evidence(f" {head.status}"))
        # The turn at this address is kept for the child's connection, which takes the place of this one.
        stream.close()
        if scheme is None:
            return
        is_exchange_2007 = (head.header("Server") or "").startswith(_WINDOWS_OF_2007)
        takes_ticket = scheme == "negotiate" and _names_a_realm(account)
        if scheme != "bearer" and not takes_ticket and not account.is_service:
            # To the child the password goes through a pipe, and from there to the server.
            await _sign_in(account, dial, notes, stream.address, scheme, account.password.reveal(), is_exchange_2007=is_exchange_2007)
            return
    if takes_ticket or account.is_service:
        offered = frozenset(challenge.scheme.lower() for challenge in challenges)
        if not await _by_ticket(account, dial, notes, offered, is_exchange_2007=is_exchange_2007):
            async with dial.open_trusted() as stream:
                stream.close()
                await _sign_in(account, dial, notes, stream.address, scheme, account.password.reveal(), is_exchange_2007=is_exchange_2007)
        return
    token = await _token(account, dial, notes, challenges)
    if isinstance(token, NoToken):
        _all_missing(notes, token.why, token.detail)
        return
    async with dial.open_trusted() as stream:
        stream.close()
        await _sign_in(account, dial, notes, stream.address, scheme, token)


def _names_a_realm(account: Account) -> bool:
    """Whether a KDC can be found for the account: outside Windows none for a NetBIOS domain can."""
    return account.is_service or sys.platform == "win32" or "@" in account.username


async def _running_as(account: Account, dial: Dial, notes: Notebook) -> str | None:
    """The name by which this program runs as the service's account; None, with the reason noted, where it does not."""
    running = await dial.in_child(running_as, kerberos_settings())
    name = running.name_of(account.username)
    whose = " or ".join(running.names) or "nobody"
    line = dial.note(f"this program signs in to Windows services as {whose}; the estate's service account is {account.username}")
    notes.observed(v.AUTH_AS_SERVICE, name is not None, *_line(line))
    if name is not None:
        return name
    reason = "the profile signs in with windows-integrated credentials"
    if running.trouble:
        reason += f", and {why_no_ticket(TicketResult(trouble=running.trouble), whom=account.username, host=dial.endpoint.host)}"
    elif running.may_be(account.username):
        reason += (
            f", and nothing here tells whether {whose}, as whom it ran, is {account.username}: if so, name the account "
            f"{running.names[0]} (service_account of [deployment]); if not, run this program as {account.username}, or with its Kerberos ticket (kinit)"
        )
    else:
        reason += f": run this program as {account.username}, or with its Kerberos ticket (kinit); it ran as {whose}"
    _all_missing(notes, Why.NO_CREDENTIALS, reason)
    return None


async def _by_ticket(account: Account, dial: Dial, notes: Notebook, offered: frozenset[str], *, is_exchange_2007: bool) -> bool:
    """One logon by a ticket, or by NTLM of the Windows session, over a connection of its own, and what it showed.

    Whether that settles it, so that NTLM by a password does not follow.
    """
    endpoint, proof = dial.endpoint, Unrecorded() if account.is_service else account.proof
    seen = TicketResult()

    async def fetched(binding: bytes | None) -> str | None:
        nonlocal seen
        request = TicketRequest(
            host=endpoint.host,
            # On Windows the session has no ticket under a name; elsewhere that of this name alone is taken.
            username=None if account.is_service and sys.platform == "win32" else account.username,
            password=None if account.is_service else account.password.reveal(),
            binding=binding,
        )
        seen = await dial.in_child(fetch_ticket, request, first=proof.claim)
        await _end_at_kdc(proof, seen)
        return None if seen.token is None else header_of(seen.token)

    async with dial.open_trusted(recorded=False) as stream:
        binding = end_point_binding(stream.chain[0]) if stream.chain else None
        header = await fetched(binding) if "negotiate" in offered else None
        if header is None and "negotiate" in offered:
            told = why_no_ticket(seen, whom=account.username, host=endpoint.host)
            dial.note(f"no Kerberos: {told}")
            if seen.trouble in _NO_KERBEROS and not account.is_service:
                return False
            if seen.trouble not in _NO_KERBEROS or sys.platform != "win32" or "ntlm" not in offered:
                _conclude_without_ticket(notes, seen, told)
                return True
        folders = Folders(
            path=endpoint.path,
            mailbox=account.mailbox,
            impersonates=account.impersonates,
            names=("inbox", *(_APPOINTMENT_FOLDERS if account.synchronizes_appointments else ())),
            is_exchange_2007=is_exchange_2007,
        )

        async def fresh() -> str | None:
            # By a password each ticket would be one more sign-in at the KDC.
            return await fetched(binding) if account.is_service and seen.token is not None else None

        talk = TicketTalk(HttpConnection(stream, host_header(endpoint)), folders, fresh)
        way = f"a Kerberos ticket of {account.username} for HTTP/{endpoint.host}"
        if header is None:
            way = f"NTLM of the Windows session of {account.username}"
            header = await talk.ntlm_header(NtlmMechanism(None, None, host=endpoint.host, service="HTTP", binding=binding))
        dial.note(f"signs in by {way}, to {stream.address}")
        came = await talk.find_folders(header)
        reading = _ResultReader(account, dial, notes, came, carried="session" if seen.token is None else "ticket")
        reading.conclude()
        if came.folder == NO_SUCH_MAILBOX:
            reading.conclude_directions(await talk.find_directions(endpoint.url))
    return True


async def _end_at_kdc(proof: Proof, seen: TicketResult) -> None:
    """What the KDC made of the password, for the ledger."""
    if seen.trouble in ("no-library", "no-kdc"):
        await proof.release()
    elif seen.trouble in ("", "no-service"):
        await proof.end(Ending.ACCEPTED)
    else:
        await proof.end(Ending.REFUSED if seen.trouble == "refused" else Ending.UNSEEN)


def _conclude_without_ticket(notes: Notebook, seen: TicketResult, told: str) -> None:
    """Nothing was shown to the server; a refusal by the KDC is one of the account."""
    if seen.trouble == "refused":
        notes.observed(v.AUTH_ACCEPTED, False)
        notes.observed(v.AUTH_REFUSAL, _BY_KDC.get(seen.number, (Refusal.BAD_CREDENTIALS,)))
    _all_missing(notes, Why.DENIED if seen.trouble == "refused" else Why.NO_CREDENTIALS, told)


async def _sign_in(
    account: Account, dial: Dial, notes: Notebook, address: str, scheme: EwsScheme, secret: str, *, is_exchange_2007: bool = False
) -> None:
    """The one logon, in a child process, and what it showed."""
    request = EwsRequest(
        url=dial.endpoint.url,
        address=address,
        username="" if scheme == "bearer" else account.username,
        password=secret,
        authentication=scheme,
        mailbox=account.mailbox,
        impersonate=account.impersonates,
        is_exchange_2007=is_exchange_2007,
        ca_file=None if dial.ca_file is None else str(dial.ca_file),
        has_older_hello=dial.sends_older_hello,
        folders=("inbox", *(_APPOINTMENT_FOLDERS if account.synchronizes_appointments else ())),
        seconds=dial.remaining() * CHILD_SHARE,
    )
    dial.note(f"signs in by {scheme}, in a child process, to {address}")
    seen = await dial.in_child(find_folders, request, first=account.proof.claim)
    is_let_in = seen.folder is not None and seen.folder not in _ACCOUNT_STATES
    await end_logon(account.proof, seen.logons, seen.status, is_let_in=is_let_in)
    dial.connections += 1
    reading = _ResultReader(account, dial, notes, seen, carried="token" if scheme == "bearer" else "password")
    reading.conclude()
    if seen.folder == NO_SUCH_MAILBOX:
        await _ask_directions(account, dial, notes, request, reading)


async def _ask_directions(account: Account, dial: Dial, notes: Notebook, request: EwsRequest, reading: _ResultReader) -> None:
    """Autodiscover by a logon of its own. Who is refused there is let in by EWS all the same, and is barred from Autodiscover alone."""
    async with account.proof.at(urljoin(dial.endpoint.url, SOAP_PATH)) as proof:
        try:
            seconds = dial.remaining() * CHILD_SHARE
            directed = await dial.in_child(find_directions, replace(request, folders=(), seconds=seconds), first=proof.claim)
        except NotClaimed as barred:
            for key in _OF_AUTODISCOVER:
                notes.missing(key, Why.NOT_ATTEMPTED, str(barred))
            return
        await end_logon(proof, directed.logons, directed.status, is_let_in=directed.status == 200 and not directed.error)
    dial.connections += 1
    reading.conclude_directions(directed)


async def _token(account: Account, dial: Dial, notes: Notebook, challenges: tuple[Challenge, ...]) -> str | NoToken:
    """A token from the authority that the server names, if it may be asked for one."""
    resource = resource_for(account, dial.endpoint)
    if isinstance(resource, NoToken):
        return resource
    named = named_authority(challenges)
    if named is None and is_exchange_online_host(dial.endpoint.host):
        named = f"https://{entra_hosts(account.cloud)[0]}/"
    if named is None:
        return NoToken(Why.NOT_DISCLOSED, "the server takes tokens, but names no authority that gives them")
    authority = allowed_authority(account, named)
    if isinstance(authority, NoToken):
        return authority
    if account.application is not None and account.application.signs_in:
        return await token_by_application(account, dial, notes, authority, resource)
    return await token_by_password(account, dial, notes, authority, resource)


def _asking(account: Account) -> list[tuple[str, str]]:
    """Headers of the request that shows the schemes; an Exchange on premises shows that for tokens to an empty one alone."""
    headers = [("Content-Type", "text/xml")]
    if account.authentication is Authentication.OAUTH:
        headers.append(("Authorization", "Bearer"))
        if (identity := ascii_address(account.mailbox)) is not None:
            headers.append(("X-User-Identity", identity))
    return headers


def _chosen_scheme(
    account: Account, endpoint: Endpoint, head: Head, challenges: tuple[Challenge, ...], notes: Notebook, lines: tuple[TranscriptLine, ...]
) -> EwsScheme | None:
    """How to sign in; None, with the reason noted, where nobody may. Raises what fits where the server will have nobody."""
    if head.status == 200:
        _all_missing(notes, Why.NOT_ATTEMPTED, "the server answers without asking for a sign-in, so that no password was sent")
        return None
    if head.status != 401:
        _note_block(notes, head.status, head, lines)
        raise _http_failure(head.status, head)
    offered = {c.scheme.lower() for c in challenges}
    scheme = scheme_for(account, endpoint, offered)
    if scheme is None and account.authentication is Authentication.OAUTH and ascii_address(account.mailbox) is None:
        reason = (
            "the server may offer tokens to a request that names the mailbox, and a header carries no address with characters beyond ASCII"
        )
        _all_missing(notes, Why.NOT_ATTEMPTED, f"{reason} before the @")
    elif scheme is None:
        shown = ", ".join(sorted(offered)) or "nothing"
        _all_missing(notes, Why.DENIED, f"the profile signs in by {account.authentication.value}, and the server offers {shown[:200]}")
    elif not account.is_service and (not account.username or not account.password.reveal()):
        _all_missing(notes, Why.NO_CREDENTIALS, "the user name or the password is empty")
    elif scheme == "basic" and not _fits_basic(account):
        _all_missing(notes, Why.NOT_ATTEMPTED, "the user name or the password holds characters that Basic does not carry everywhere")
    else:
        return scheme
    return None


def _fits_basic(account: Account) -> bool:
    """Whether it is certain how to write them down: beyond Latin-1, clients and servers differ (RFC 7617 section 2.1)."""
    if ":" in account.username:  # the password would begin there (section 2)
        return False
    try:
        (account.username + account.password.reveal()).encode("latin-1")
    except UnicodeEncodeError:
        return False
    return True


class _ResultReader:
    """Draws facts out of what the child saw."""

    def __init__(
        self, account: Account, dial: Dial, notes: Notebook, seen: EwsResult, *, carried: Literal["password", "token", "ticket", "session"]
    ) -> None:
        self._carried = carried
        self._impersonates = account.impersonates
        self._wants_appointments = account.synchronizes_appointments
        self._dial = dial
        self._notes = notes
        self._seen = seen
        self._lines: tuple[TranscriptLine, ...] = ()
        for method, path, status in seen.exchanges:
            self._lines = _line(dial.note(f"{method} {path}: {'no answer' if status is None else f'HTTP {status}'}"))
        for name in _TELLING_HEADERS:
            if value := seen.header(name):
                self._lines += _line(dial.note(f"{name}: {value}"))
        self._other_lines = {name: _line(dial.note(f"FindFolder on {name}: {came}")) for name, came in seen.others}
        self._version_line = _line(dial.note(f"ServerVersionInfo: {seen.version}")) if seen.version else ()
        if seen.folder:
            self._lines += _line(dial.note(f"FindFolder: {seen.folder}"))

    def conclude(self) -> None:
        """Write the facts; raises what fits where the conversation failed."""
        seen, notes = self._seen, self._notes
        for key in _OF_AUTHORITIES:
            notes.missing(
                key, Why.NOT_APPLICABLE, "the authority said nothing of it" if self._carried == "token" else "no token was asked for"
            )
        if seen.version is not None:
            build = Build.parse(seen.version)
            notes.declared(v.SERVER_BUILD, build, *self._version_line, source="ews-session")
            # The server's own too, so that product and update follow from it where nothing anonymous tells them.
            notes.declared(v.SERVER_BUILD, build, *self._version_line, source="ews-server", of_server=True)
            notes.observed(v.EWS_MARKS, ("soap",), *self._version_line, of_server=True)
        if not self._impersonates:
            notes.missing(v.EWS_IMPERSONATION, Why.NOT_APPLICABLE, "the account is the mailbox's own")
        self._conclude_others()
        if seen.folder != NO_SUCH_MAILBOX:
            for key in _OF_AUTODISCOVER:
                notes.missing(key, Why.NOT_APPLICABLE, "it is asked only where Exchange knows no such mailbox")
        if seen.folder is not None:
            self._conclude_answered(seen.folder)
        elif seen.logons and (seen.status in (401, 456) or seen.error == "locked"):
            self._conclude_refused()
        elif seen.status not in (None, 200, 401, 500):
            _note_block(notes, seen.status, seen, self._lines)
            raise _http_failure(seen.status, seen)
        else:
            raise _broken_off(seen)

    def conclude_directions(self, directed: AutodiscoverResult) -> None:
        """Where Autodiscover sends a mailbox that EWS there does not know."""
        for method, path, status in directed.exchanges:
            self._dial.note(f"{method} {path}: {'no answer' if status is None else f'HTTP {status}'}")
        if directed.directions is None:
            for key in _OF_AUTODISCOVER:
                self._notes.missing(key, Why.NOT_DISCLOSED, "Autodiscover on the same host gave no answer that can be read")
            return
        action, target = directed.directions
        lines = _line(self._dial.note(f"Autodiscover: {action} {target}"))
        self._notes.declared(v.AUTODISCOVER_ACTION, action, *lines)
        if target:
            self._notes.declared(v.AUTODISCOVER_TARGET, target, *lines)

    def _conclude_others(self) -> None:
        """What came of calendar, contacts and tasks, and why nothing came of those that were not asked for."""
        came = dict(self._seen.others)
        for name, key in _APPOINTMENT_FOLDERS.items():
            if name in came:
                self._notes.observed(key, came[name], *self._other_lines[name])
            elif not self._wants_appointments:
                self._notes.missing(key, Why.NOT_APPLICABLE, "appointments, contacts and tasks are not synchronized here")
            elif self._seen.folder == "found":
                self._notes.missing(key, Why.NOT_DISCLOSED, "Exchange gave no answer to this folder, or to one before it")
            else:
                self._notes.missing(key, Why.NOT_ATTEMPTED, "the inbox was not found, so that no other folder was asked for")

    def _conclude_answered(self, code: str) -> None:
        """Exchange itself answered, which it does for nobody whom the web server before it did not let in."""
        notes, lines = self._notes, self._lines
        if not self._seen.logons:
            raise OffProtocol("the server answered FindFolder without asking who wants to know")
        notes.missing(v.EWS_POLICY_BLOCK, Why.NOT_APPLICABLE, "EWS answered")
        if code in _ACCOUNT_STATES:
            notes.observed(v.AUTH_ACCEPTED, False, *lines)
            notes.observed(v.AUTH_REFUSAL, _ACCOUNT_STATES[code], *lines)
        else:
            notes.observed(v.AUTH_ACCEPTED, True, *lines)
            notes.observed(v.AUTH_REFUSAL, (), *lines)
        notes.observed(v.EWS_INBOX, code, *lines)
        if code in _BUSY:
            pause = self._seen.back_off_seconds
            raise Throttled(f"Exchange answers {code}" + (f", and asks for {pause:g} s of patience" if pause else ""))
        if self._impersonates and code == "found":
            notes.observed(v.EWS_IMPERSONATION, "granted", *lines)
        elif self._impersonates and code in _MAY_NOT_IMPERSONATE:
            notes.observed(v.EWS_IMPERSONATION, "denied", *lines)
        else:
            self._leave_open(Why.NOT_DISCLOSED, f"Exchange says {code}, which may come before or after that question")

    def _conclude_refused(self) -> None:
        """The one logon was refused."""
        notes, seen = self._notes, self._seen
        words = _words(seen)
        if seen.error == "locked":
            words = (Refusal.ACCOUNT_LOCKED,)
        elif seen.status == 456:  # Exchange Online: the password is right, and is not enough
            words = words or (Refusal.APP_PASSWORD_REQUIRED, Refusal.MFA_REQUIRED)
        notes.observed(v.AUTH_ACCEPTED, False, *self._lines)
        if self._carried == "ticket" and not words:
            reason = (
                f"Exchange does not take a Kerberos ticket that the KDC gave (HTTP {seen.status}): see to which account HTTP/{self._dial.endpoint.host} "
                "belongs (setspn -Q), to the clocks, and whether EWS is on for the account"
            )
            notes.missing(v.AUTH_REFUSAL, Why.NOT_DISCLOSED, reason)
        elif self._carried == "session" and not words:
            reason = (
                f"Exchange does not take NTLM of the account that runs this program (HTTP {seen.status}): see whether EWS is on for the account, "
                "and whether something between here and IIS ends TLS, which Extended Protection refuses"
            )
            notes.missing(v.AUTH_REFUSAL, Why.NOT_DISCLOSED, reason)
        elif self._carried == "token" and not words:
            diagnosis = seen.header("X-MS-Diagnostics") or f"HTTP {seen.status}"
            notes.missing(v.AUTH_REFUSAL, Why.NOT_DISCLOSED, f"Exchange takes the authority's token for none: {diagnosis[:200]}")
        else:
            notes.observed(v.AUTH_REFUSAL, words or _BARE_401, *self._lines)
        for key in (v.EWS_INBOX, v.SERVER_BUILD, v.EWS_POLICY_BLOCK):
            notes.missing(key, Why.DENIED, "the sign-in was refused")
        self._leave_open(Why.DENIED, "the sign-in was refused")

    def _leave_open(self, why: Why, detail: str) -> None:
        """Say why it is not known whether the account may act as the mailbox, where that is a question."""
        if self._impersonates:
            self._notes.missing(v.EWS_IMPERSONATION, why, detail)


def _line(line: TranscriptLine | None) -> tuple[TranscriptLine, ...]:
    return () if line is None else (line,)


def _words(answer: _WithHeaders) -> tuple[str, ...]:
    """What the headers say of a refusal, in our words."""
    said = " ".join(filter(None, (answer.header("X-AutoDiscovery-Error"), answer.header("X-MS-Diagnostics")))).lower()
    return next((meaning for word, meaning in _WORDS if word.lower() in said), ())


def _note_block(notes: Notebook, status: int | None, answer: _WithHeaders, lines: tuple[TranscriptLine, ...]) -> None:
    """Write down what a refusal by status says of why."""
    reason = (answer.header("X-EWS-Policy-Reason") or "").strip()
    words = _words(answer)
    if status == 403 and reason in POLICY_BLOCKS:
        notes.declared(v.EWS_POLICY_BLOCK, POLICY_BLOCKS[reason], *lines)
        words = (Refusal.PROTOCOL_DISABLED,)
    elif status == 403:
        notes.missing(v.EWS_POLICY_BLOCK, Why.NOT_DISCLOSED, "HTTP 403 comes without a known reason of EWS policy")
    if words:
        notes.observed(v.AUTH_REFUSAL, words, *lines)


def _http_failure(status: int | None, answer: _WithHeaders) -> PeerFailure:
    """What to call an answer that is neither EWS nor a question for credentials."""
    if status in (429, 503):
        pause = answer.header("Retry-After")
        return Throttled(f"the server asks for patience: HTTP {status}" + (f", Retry-After: {pause[:40]}" if pause else ""))
    if status == 403:
        return Denied("the server refuses EWS: HTTP 403")
    if status is not None and 300 <= status < 400:
        return OffProtocol(f"the endpoint points elsewhere (HTTP {status}), which is not followed with credentials")
    return OffProtocol(f"EWS is answered with HTTP {status}")


def _broken_off(seen: EwsResult) -> Exception:
    """What to call a conversation that came to no end."""
    match seen.error:
        case "timed-out":
            return TimeoutError("EWS gave no whole answer in time")
        case "closed":
            return PeerClosed("the peer closed the connection before its answer was complete")
        case "tls-failed":
            return TlsFailed("the TLS handshake for the sign-in failed")
        case "untrusted":
            return UntrustedPeer("no credentials were sent, since the certificate was not trusted a second time")
        case "no-challenge":
            return Denied(f"the server offers a sign-in and then does not take it up: HTTP {seen.status}")
        case "too-long":
            return OffProtocol("the answer is longer than any of EWS")
        case _:
            return OffProtocol(f"what came with HTTP {seen.status} is no answer of EWS")


def _all_missing(notes: Notebook, why: Why, detail: str) -> None:
    for key in PROBER.collects:
        if not notes.knows(key):
            notes.missing(key, why, detail)


PROBER = Prober(
    id="ews-inbox",
    title="signs in to EWS once, and looks for the mailbox's inbox, and for its calendar, contacts and tasks where they are synchronized",
    scope=Scope.LOGIN,
    services=frozenset({Service.EWS}),
    effect=Effect.LOGS_IN,
    collects=(
        v.AUTH_AS_SERVICE,
        v.AUTH_ACCEPTED,
        v.AUTH_REFUSAL,
        v.EWS_INBOX,
        *_APPOINTMENT_FOLDERS.values(),
        v.EWS_IMPERSONATION,
        v.EWS_POLICY_BLOCK,
        v.SERVER_BUILD,
        *_OF_AUTODISCOVER,
        *_OF_AUTHORITIES,
    ),
    probe=probe,
)
