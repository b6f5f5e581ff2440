"""FindFolder by a Kerberos ticket, or by NTLM of the Windows session, over a connection of our own.

It is our own request, not exchangelib's: the ticket is bound to the certificate of the connection that carries it, so that both must be one's own; and
verified TLS, bounds, deadline and the one host are held by the Stream, with no library beside it that would sign in again by itself.
"""

from __future__ import annotations

import base64
from collections.abc import Awaitable, Callable
from datetime import datetime

from probe.model.values import dataclass
from probe.net.ews_requests import OLDEST_SCHEMA, SCHEMA, TOO_NEW, AutodiscoverResult, EwsResult, EwsTrouble
from probe.net.failures import PeerClosed
from probe.net.http_exchange import HttpConnection, HttpResponse
from probe.net.kerberos import TicketResult
from probe.probing.http_ntlm import ntlm_header
from probe.wire.autodiscover import autodiscover_requests
from probe.wire.ews import count_newer, find_folder, read_count, read_folder
from probe.wire.exchange import soap_build
from probe.wire.mail_address import ascii_address
from probe.wire.sasl import NtlmMechanism

NO_TICKET = {
    "no-library": "this machine has no library for Kerberos, or Python cannot use it (`pip install d365-mail-probe[kerberos]`)",
    "no-kdc": "no KDC answers for {whom}",
    "no-service": "the KDC knows no HTTP/{host}; register it for the account of Exchange (setspn -S)",
    "no-ticket": "there is no Kerberos ticket of {whom}, or it has expired; get one by kinit",
    "refused": "the KDC refuses {whom}",
    "failed": "there is no Kerberos ticket of {whom}",
}
"""Why there is no ticket, by its trouble."""


def why_no_ticket(result: TicketResult, *, whom: str, host: str) -> str:
    """One sentence, with the library's number where it gave one."""
    number = f" (error {result.number})" if result.number else ""
    return NO_TICKET[result.trouble or "failed"].format(whom=whom, host=host) + number


def header_of(token: bytes) -> str:
    """The Authorization header that carries a ticket."""
    return f"Negotiate {base64.b64encode(token).decode('ascii')}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Folders:
    """Which folders are looked for, and whose."""

    path: str
    mailbox: str
    impersonates: bool
    names: tuple[str, ...]
    """Distinguished names, in order; those after the first are asked for only if the first is found."""
    is_exchange_2007: bool
    newer_than: datetime | None = None
    """A time from which on the messages of the inbox are counted, once the folders were found; None: they are not."""


class TicketTalk:
    """The requests of one sign-in: the first carries the ticket, and the rest go over the connection that it signed in.

    A server that wants a ticket with each request gets a fresh one, where one is to be had: none can be shown twice.
    """

    def __init__(self, http: HttpConnection, folders: Folders, fresh: Callable[[], Awaitable[str | None]]) -> None:
        """`fresh` gets a header with a ticket; None where there is none."""
        self._http = http
        self._folders = folders
        self._fresh = fresh
        self._exchanges: list[tuple[str, str, int | None]] = []
        self._shown: set[str] = set()
        """Tickets and proofs that were sent, which a server may repeat."""

    async def ntlm_header(self, mechanism: NtlmMechanism) -> str:
        """The header by which NTLM signs in this connection. Raises what fits where the server gives no challenge to it."""
        return await ntlm_header(mechanism, lambda header: self._send(b"", header, self._folders.path))

    async def find_folders(self, header: str) -> EwsResult:
        """What came of the folders, the first asked for by this header. Raises what fits where the connection gives no whole answer to it."""
        first, *others = self._folders.names
        schema = OLDEST_SCHEMA if self._folders.is_exchange_2007 else SCHEMA
        answer = await self._ask(first, schema, header)
        came = _came_of(answer)
        if came in TOO_NEW and schema != OLDEST_SCHEMA and (later := await self._ask_on(first, OLDEST_SCHEMA)) is not None:
            schema, answer, came = OLDEST_SCHEMA, later, _came_of(later)
        found: list[tuple[str, str]] = []
        for name in others if came == "found" else ():
            later = await self._ask_on(name, schema)
            if later is None or (code := _came_of(later)) is None:
                break
            found.append((name, code))
        newer = await self._newer(schema) if came == "found" and len(found) == len(others) else None
        trouble: EwsTrouble = "too-long" if answer.truncated else "malformed" if came is None and answer.status == 200 else ""
        build = soap_build(answer.body)
        return EwsResult(
            status=answer.status,
            headers=tuple((name, self._clean(value)) for name, value in answer.headers),
            folder=came,
            others=tuple(found),
            newer=newer,
            version=None if build is None else str(build),
            back_off_seconds=None,
            error=trouble,
            logons=1,
            exchanges=tuple(self._exchanges),
        )

    async def _newer(self, schema: str) -> int | str | None:
        """As in EwsResult."""
        wanted = self._folders
        if wanted.newer_than is None:
            return None
        body = count_newer(wanted.mailbox, wanted.newer_than, schema, impersonates=wanted.impersonates)
        try:
            # No further ticket is fetched for it: a connection that is signed in no more counts nothing.
            answer = await self._send(body, None, wanted.path)
        except PeerClosed:
            return None
        return read_count(answer.body) if answer.status in (200, 500) else None

    async def find_directions(self, url: str) -> AutodiscoverResult:
        """Where Autodiscover on the host of a URL sends the mailbox, asked over the connection that is signed in; what breaks off tells nothing."""
        asked_before, found, answer = len(self._exchanges), None, None
        folders = self._folders
        for path, body, read in autodiscover_requests(url, folders.mailbox, is_exchange_2007=folders.is_exchange_2007):
            answer = await self._send_on(body, path)
            if answer is None:
                break
            found = read(answer.body) if answer.status == 200 and not answer.truncated else None
            if found is not None or answer.status == 401:
                break
        return AutodiscoverResult(
            directions=None if found is None else (self._clean(found.action), self._clean(found.target)),
            status=None if answer is None else answer.status,
            headers=(),
            error="",
            logons=0,
            exchanges=tuple(self._exchanges[asked_before:]),
        )

    def _clean(self, text: str) -> str:
        for shown in self._shown:
            text = text.replace(shown, "***")
        return text

    async def _ask_on(self, folder: str, schema: str) -> HttpResponse | None:
        return await self._send_on(self._question(folder, schema), self._folders.path)

    async def _send_on(self, body: bytes, path: str) -> HttpResponse | None:
        """The answer to a further request; None where the connection takes none, or wants a ticket that is not to be had."""
        try:
            answer = await self._send(body, None, path)
            if answer.status == 401 and (header := await self._fresh()) is not None:
                answer = await self._send(body, header, path)
        except PeerClosed:
            return None
        return answer

    async def _ask(self, folder: str, schema: str, header: str) -> HttpResponse:
        return await self._send(self._question(folder, schema), header, self._folders.path)

    def _question(self, folder: str, schema: str) -> bytes:
        return find_folder(self._folders.mailbox, folder, schema, impersonates=self._folders.impersonates)

    async def _send(self, body: bytes, header: str | None, path: str) -> HttpResponse:
        if not self._http.keeps_alive:
            raise PeerClosed("the server closed the connection that was signed in")
        address = ascii_address(self._folders.mailbox)
        headers = [("Content-Type", "text/xml; charset=utf-8")]
        headers += [] if address is None or path != self._folders.path else [("X-AnchorMailbox", address)]
        if header is not None:
            headers.append(("Authorization", header))
            self._shown.add(header.partition(" ")[2])
        self._exchanges.append(("POST", path, None))
        answer = await self._http.answer(await self._http.ask("POST", path, headers=headers, body=body))
        self._exchanges[-1] = ("POST", path, answer.status)
        return answer


def _came_of(answer: HttpResponse) -> str | None:
    return read_folder(answer.body) if answer.status in (200, 500) else None
