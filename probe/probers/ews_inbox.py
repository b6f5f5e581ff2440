"""EWS with a sign-in: one logon, and FindFolder on the inbox, which is the first request of server-side synchronization.

What is sent, in this order:

1. over a connection whose certificate was verified for the host name: an empty `POST` to the endpoint, without
   credentials, whose answer shows the offered schemes. That connection is then closed;
2. by exchangelib in a child process, to the same address, verified again: `FindFolder` (shallow, identifiers only)
   on the inbox of the mailbox, with `X-AnchorMailbox` where a header can carry its address, and with `ExchangeImpersonation` where the account is another
   than the mailbox's. With NTLM this takes three requests, one of which proves the password; with Basic it takes one.
   Where Exchange does not know the schema of the request, as 2007 does not know that of 2010 SP2, the sign-in still succeeds,
   and the request is repeated on the same logon in the schema of 2007 SP1. On a Windows on which nothing newer than 2007 runs, that schema is used first;
3. where the inbox is found and appointments, contacts and tasks are synchronized: the same for the calendar, the contacts and the tasks,
   one request each, on the same signed-in connection;
4. before Test & Enable, and where all of these are found: one `FindItem` on the same connection, for the number of messages that the inbox received after
   the time from which on Dynamics processes mail; the answer names one message, by its identifier alone;
5. where Exchange says that there is no such mailbox: one request to Autodiscover on the same host, in a child process as before, by a logon
   of its own: by SOAP, or by the plain XML request where SOAP is not answered, as far as that needs no second proof of the password (NTLM signs in
   the connection; Basic does not). The target in its answer is recorded and not followed.
   With a Kerberos ticket it is asked over the connection that the ticket signed in, so that nothing is proved again.

Where the profile signs in by token (`oauth`, or `auto` where nothing else is offered), the first request carries an empty token, and
before the second step a token is requested from an allowed authority: see `probe.probing.authority`.

`auto` is NTLM where NTLM or Negotiate is offered, else Basic, else a token. Under `negotiate` the second step asks a KDC for a Kerberos ticket by the
password, and shows it to the server in requests of our own; where there is no KDC, or it does not know the server, NTLM is carried. A refusal by the KDC
is one, and ends the try. Where the profile signs in with `windows-integrated` credentials, there is no password: the ticket is that of the account which
runs this program (on Windows its session's, and where there is no Kerberos for it, NTLM of the session), and is used only where that is the estate's
`service_account`. It is not delegated.
A scheme that is not offered is not tried. Whatever the answer, the only second logon is that of step 5, and no redirect is followed.

It changes nothing in the mailbox. The server counts one logon, a failed one with a wrong password, and for a mailbox that it does not
know another at Autodiscover.

What it cannot show: a bare HTTP 401 to an offered scheme may mean a wrong password, a locked account, EWS switched off
for the directory, a policy against password sign-in, or Extended Protection; `auth.refusal` then lists every possible cause.
A mailbox that is not found may be on another server, or may not exist.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from urllib.parse import urljoin

from probe.model import vocabulary as v
from probe.model.attempts import TranscriptLine
from probe.model.estate import Authentication, Endpoint, Service
from probe.model.facts import Why
from probe.model.kinds import Challenge
from probe.model.refusals import Refusal
from probe.net.ews_requests import NO_SUCH_MAILBOX, EwsRequest, EwsResult
from probe.net.ews_session import find_directions, find_folders
from probe.net.http_exchange import Head, HttpConnection, host_header
from probe.net.kerberos import TicketRequest, TicketResult, fetch_ticket, kerberos_settings, running_as
from probe.probing import Account, Dial, Effect, LoginSubject, NotClaimed, Notebook, Prober, Scope
from probe.probing.authority import NoToken, allowed_authority, resource_for, token_by_application, token_by_password
from probe.probing.ews import EwsScheme, end_logon, scheme_for
from probe.probing.ews_results import (
    ACCOUNT_STATES,
    APPOINTMENT_FOLDERS,
    AUTHORITY_KEYS,
    AUTODISCOVER_KEYS,
    ResultReader,
    as_evidence,
    http_failure,
    note_block,
)
from probe.probing.ews_ticket import Folders, TicketTalk, header_of, why_no_ticket
from probe.probing.tickets import NO_KERBEROS, end_at_kdc
from probe.tables.authorities import entra_hosts
from probe.tables.exchange_marks import newest_exchange_on
from probe.tables.hosts import is_exchange_online_host
from probe.wire.autodiscover import SOAP_PATH
from probe.wire.channel_binding import end_point_binding
from probe.wire.http_challenge import parse_challenges
from probe.wire.mail_address import ascii_address
from probe.wire.oauth import named_authority
from probe.wire.sasl import NtlmMechanism

CHILD_SHARE = 0.75
"""The share of the remaining time for the child's conversation; the rest is for starting it and receiving its result."""
_BY_KDC = {
    "18": (Refusal.ACCOUNT_DISABLED, Refusal.ACCOUNT_LOCKED),  # KDC_ERR_CLIENT_REVOKED
    "23": (Refusal.PASSWORD_EXPIRED,),  # KDC_ERR_KEY_EXPIRED
}
"""What a KDC's refusal means, by its number (RFC 4120 section 7.5.9); every other is of the name or the password."""


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
        # The connection slot at this address is kept for the child's connection, which replaces this one.
        stream.close()
        if scheme is None:
            return
        # Of the two that run on Windows Server 2003, Exchange 2003 has no EWS.
        is_exchange_2007 = newest_exchange_on(head.header("Server")) == "Exchange Server 2007"
        takes_ticket = scheme == "negotiate" and _names_a_realm(account)
        if scheme != "bearer" and not takes_ticket and not account.is_service:
            # The password goes through a pipe to the child, and from there to the server.
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
    notes.observed(v.AUTH_AS_SERVICE, name is not None, *as_evidence(line))
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
    endpoint, proof = dial.endpoint, account.proof
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
        await end_at_kdc(proof, seen)
        return None if seen.token is None else header_of(seen.token)

    async with dial.open_trusted(recorded=False) as stream:
        binding = end_point_binding(stream.chain[0]) if stream.chain else None
        header = await fetched(binding) if "negotiate" in offered else None
        if header is None and "negotiate" in offered:
            told = why_no_ticket(seen, whom=account.username, host=endpoint.host)
            dial.note(f"no Kerberos: {told}")
            if seen.trouble in NO_KERBEROS and not account.is_service:
                return False
            if seen.trouble not in NO_KERBEROS or sys.platform != "win32" or "ntlm" not in offered:
                _conclude_without_ticket(notes, seen, told)
                return True
        folders = Folders(
            path=endpoint.path,
            mailbox=account.mailbox,
            impersonates=account.impersonates,
            names=("inbox", *(APPOINTMENT_FOLDERS if account.synchronizes_appointments else ())),
            is_exchange_2007=is_exchange_2007,
            newer_than=account.counts_newer_than,
        )

        async def fresh() -> str | None:
            # By a password each ticket would be one more sign-in at the KDC.
            return await fetched(binding) if account.is_service and seen.token is not None else None

        talk = TicketTalk(HttpConnection(stream, host_header(endpoint)), folders, fresh)
        way = f"a Kerberos ticket of {account.username} for HTTP/{endpoint.host}"
        if header is None:
            way = f"NTLM of the Windows session of {account.username}"
            await proof.claim()
            header = await talk.ntlm_header(NtlmMechanism(None, None, host=endpoint.host, service="HTTP", binding=binding))
        dial.note(f"signs in by {way}, to {stream.address}")
        came = await talk.find_folders(header)
        if seen.token is None:
            await end_logon(proof, 1, came.status, is_let_in=_is_let_in(came))
        reading = ResultReader(account, dial, notes, came, carried="session" if seen.token is None else "ticket")
        reading.conclude()
        if came.folder == NO_SUCH_MAILBOX:
            reading.conclude_directions(await talk.find_directions(endpoint.url))
    return True


def _is_let_in(came: EwsResult) -> bool:
    """Whether Exchange let the account in: it said something of a folder."""
    return came.folder is not None and came.folder not in ACCOUNT_STATES


def _conclude_without_ticket(notes: Notebook, seen: TicketResult, told: str) -> None:
    """Nothing was shown to the server; a refusal by the KDC is one of the account."""
    if seen.trouble == "refused":
        notes.observed(v.AUTH_ACCEPTED, False)
        notes.observed(v.AUTH_REFUSAL, _BY_KDC.get(seen.number, (Refusal.BAD_CREDENTIALS,)))
    _all_missing(notes, Why.DENIED if seen.trouble == "refused" else Why.NO_CREDENTIALS, told)


async def _sign_in(
    account: Account, dial: Dial, notes: Notebook, address: str, scheme: EwsScheme, secret: str, *, is_exchange_2007: bool = False
) -> None:
    """Hold the one logon in a child process, and write what it showed."""
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
        folders=("inbox", *(APPOINTMENT_FOLDERS if account.synchronizes_appointments else ())),
        newer_than=account.counts_newer_than,
        seconds=dial.remaining() * CHILD_SHARE,
    )
    dial.note(f"signs in by {scheme}, in a child process, to {address}")
    seen = await dial.in_child(find_folders, request, first=account.proof.claim)
    is_let_in = _is_let_in(seen)
    await end_logon(account.proof, seen.logons, seen.status, is_let_in=is_let_in)
    dial.connections += 1
    reading = ResultReader(account, dial, notes, seen, carried="token" if scheme == "bearer" else "password")
    reading.conclude()
    if seen.folder == NO_SUCH_MAILBOX:
        await _ask_directions(account, dial, notes, request, reading)


async def _ask_directions(account: Account, dial: Dial, notes: Notebook, request: EwsRequest, reading: ResultReader) -> None:
    """Ask Autodiscover with a logon of its own. A refusal there bars the account from Autodiscover only, because EWS accepted it."""
    async with account.proof.at(urljoin(dial.endpoint.url, SOAP_PATH)) as proof:
        try:
            seconds = dial.remaining() * CHILD_SHARE
            directed = await dial.in_child(find_directions, replace(request, folders=(), seconds=seconds), first=proof.claim)
        except NotClaimed as barred:
            for key in AUTODISCOVER_KEYS:
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
        return NoToken(Why.NOT_DISCLOSED, "the server accepts tokens, but names no authority that issues them")
    authority = allowed_authority(account, named)
    if isinstance(authority, NoToken):
        return authority
    if account.application is not None and account.application.signs_in:
        return await token_by_application(account, dial, notes, authority, resource)
    return await token_by_password(account, dial, notes, authority, resource)


def _asking(account: Account) -> list[tuple[str, str]]:
    """Headers of the request that shows the schemes; an Exchange on premises offers tokens only in answer to an empty one."""
    headers = [("Content-Type", "text/xml")]
    if account.authentication is Authentication.OAUTH:
        headers.append(("Authorization", "Bearer"))
        if (identity := ascii_address(account.mailbox)) is not None:
            headers.append(("X-User-Identity", identity))
    return headers


def _chosen_scheme(
    account: Account, endpoint: Endpoint, head: Head, challenges: tuple[Challenge, ...], notes: Notebook, lines: tuple[TranscriptLine, ...]
) -> EwsScheme | None:
    """The scheme of the sign-in; None, with the reason noted, where there is none. Raises the fitting failure where the server accepts no sign-in."""
    if head.status == 200:
        _all_missing(notes, Why.NOT_ATTEMPTED, "the server answers without asking for a sign-in, so no password was sent")
        return None
    if head.status != 401:
        note_block(notes, head.status, head, lines)
        raise http_failure(head.status, head)
    offered = {c.scheme.lower() for c in challenges}
    scheme = scheme_for(account, endpoint, offered)
    if scheme is None and account.authentication is Authentication.OAUTH and ascii_address(account.mailbox) is None:
        reason = "the server may offer tokens to a request that names the mailbox, but a header cannot carry an address with non-ASCII characters"
        _all_missing(notes, Why.NOT_ATTEMPTED, f"{reason} before the @")
    elif scheme is None:
        shown = ", ".join(sorted(offered)) or "nothing"
        _all_missing(notes, Why.DENIED, f"the profile signs in by {account.authentication.value}, and the server offers {shown[:200]}")
    elif not account.is_service and (not account.username or not account.password.reveal()):
        _all_missing(notes, Why.NO_CREDENTIALS, "the user name or the password is empty")
    elif scheme == "basic" and not _fits_basic(account):
        _all_missing(
            notes,
            Why.NOT_ATTEMPTED,
            "the user name or the password contains characters that not every server reads alike in Basic authentication",
        )
    else:
        return scheme
    return None


def _fits_basic(account: Account) -> bool:
    """Whether Basic has one encoding for user name and password: beyond Latin-1, clients and servers differ (RFC 7617 section 2.1)."""
    if ":" in account.username:  # a colon begins the password (section 2)
        return False
    try:
        (account.username + account.password.reveal()).encode("latin-1")
    except UnicodeEncodeError:
        return False
    return True


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
        *APPOINTMENT_FOLDERS.values(),
        v.EWS_NEWER_MESSAGES,
        v.EWS_IMPERSONATION,
        v.EWS_POLICY_BLOCK,
        v.SERVER_BUILD,
        *AUTODISCOVER_KEYS,
        *AUTHORITY_KEYS,
    ),
    probe=probe,
)
